package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// ACME is where certificates come from when not from files.
type ACME struct {
	Hosts     []string
	Email     string
	Directory string // "" is Let's Encrypt
	Roots     string // file with the provider's root certificates; "" is the system's
	Dir       string // where certificates and keys are kept
	HTTP      bool   // the provider is answered over plain HTTP, too
}

// How often certificates are looked after.
const (
	certLook  = 6 * time.Hour   // when all is well
	certAgain = 5 * time.Minute // after the first failure; twice as long after each more
	certMost  = 3 * time.Hour   // providers count failures: Let's Encrypt allows five an hour
)

// Certificates are those of an ACME provider.
type Certificates struct {
	// TLS serves with them, and answers the provider's looks at the TLS port
	// (TLS-ALPN-01, RFC 8737).
	TLS *tls.Config
	// HTTP answers the provider over plain HTTP (HTTP-01) and sends everybody
	// else to HTTPS. Nil unless that was asked for.
	HTTP http.Handler

	hosts   []string
	manager *autocert.Manager
	heard   *hearing
	log     *slog.Logger

	mu   sync.Mutex
	lost map[string]failure // hosts whose last order failed
}

type failure struct {
	err   error
	times int
	until time.Time // nothing is ordered before
}

// OpenACME makes certificates for a's hosts, and for no other name. Those kept in
// a.Dir serve at once; nothing is ordered before [Certificates.Keep] runs, or
// somebody asks for a page. That the provider cannot be reached is no error here.
func OpenACME(a ACME, log *slog.Logger) (*Certificates, error) {
	if err := os.MkdirAll(a.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of the certificates: %w", err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if a.Roots != "" {
		pem, err := os.ReadFile(filepath.Clean(a.Roots))
		if err != nil {
			return nil, fmt.Errorf("reading the roots of the ACME provider: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, errors.New("the roots of the ACME provider hold no certificate: " + a.Roots)
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	c := &Certificates{hosts: a.Hosts, heard: &hearing{next: transport, said: map[string]string{}}, log: log, lost: map[string]failure{}}
	client := &acme.Client{DirectoryURL: a.Directory, UserAgent: "ballast", HTTPClient: &http.Client{Timeout: 30 * time.Second, Transport: c.heard}}
	c.manager = &autocert.Manager{Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(a.Dir), HostPolicy: autocert.HostWhitelist(a.Hosts...), Email: a.Email, Client: client}
	c.TLS = c.manager.TLSConfig() // with the protocol by which the provider asks
	c.TLS.MinVersion = tls.VersionTLS12
	c.TLS.GetCertificate = c.certificate
	if a.HTTP {
		c.HTTP = c.manager.HTTPHandler(nil) // and from now on that way is tried, too
	}
	return c, nil
}

// certificate is the one for a handshake. After an order has failed, handshakes
// do not order anew until it is time: any visitor could otherwise use up what the
// provider allows.
func (c *Certificates) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if len(hello.SupportedProtos) == 1 && hello.SupportedProtos[0] == acme.ALPNProto {
		return c.manager.GetCertificate(hello) // the provider itself
	}
	host := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	c.mu.Lock()
	was, bad := c.lost[host]
	c.mu.Unlock()
	if bad && time.Now().Before(was.until) {
		return nil, was.err
	}
	cert, err := c.manager.GetCertificate(hello)
	if c.manager.HostPolicy(context.Background(), host) == nil {
		c.note(host, err)
	}
	return cert, err
}

// note keeps what became of an order, and tells of it.
func (c *Certificates) note(host string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	was, bad := c.lost[host]
	if err == nil {
		delete(c.lost, host)
		c.heard.keep(host, "")
		return
	}
	if bad && time.Now().Before(was.until) {
		return // told already: several handshakes waited for one order
	}
	wait := min(certAgain<<min(was.times, 10), certMost)
	c.lost[host] = failure{err, was.times + 1, time.Now().Add(wait)}
	args := []any{"host", host, "error", err, "again_in", wait}
	if said := c.heard.last(host); said != "" {
		args = append(args, "provider", said)
	}
	ways := "port 443"
	if c.HTTP != nil {
		ways = "port 443, or port 80 through tls.acme.http"
	}
	c.log.Error("no certificate from the ACME provider; HTTPS does not work for this name until there is one", append(args, "check", "that the provider can reach this server as "+host+" on "+ways+", over IPv6 too when the name has an AAAA record")...)
}

// Keep sees to it that every host has a certificate, also while nobody visits,
// and tells of those that are about to end. It ends with ctx.
func (c *Certificates) Keep(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, host := range c.hosts {
		wg.Go(func() {
			for wait := time.Duration(0); ; {
				select {
				case <-ctx.Done():
					return
				case <-time.After(wait):
				}
				// An order under way takes minutes and cannot be called off: it must not
				// hold up whoever wants to stop.
				done := make(chan error, 1)
				go func() { done <- c.look(host) }()
				select {
				case <-ctx.Done():
					return
				case err := <-done:
					if wait = certLook; err != nil {
						wait = c.pause(host)
					}
				}
			}
		})
	}
	wg.Wait()
	return nil
}

// look orders the certificate of a host unless there is one.
func (c *Certificates) look(host string) error {
	cert, err := c.certificate(&tls.ClientHelloInfo{
		ServerName: host, SupportedProtos: []string{"h2"}, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
		SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256}, SupportedCurves: []tls.CurveID{tls.CurveP256},
	})
	if err != nil {
		return err
	}
	life, left := cert.Leaf.NotAfter.Sub(cert.Leaf.NotBefore), time.Until(cert.Leaf.NotAfter)
	if left < life/4 { // it should have been renewed when a third was left
		c.log.Error("the certificate was not renewed and ends soon", "host", host, "until", cert.Leaf.NotAfter, "provider", c.heard.last(host))
	}
	return nil
}

func (c *Certificates) pause(host string) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return max(time.Until(c.lost[strings.ToLower(host)].until), time.Second)
}

// hearing listens to what the provider answers: autocert drops why a look at this
// server failed, and all that goes wrong when it renews.
type hearing struct {
	next http.RoundTripper

	mu   sync.Mutex
	said map[string]string // by host, "" is of no host; the last complaint
}

// mostHeard is the largest answer that is looked into; certificates' chains are
// shorter, and no complaint is as long.
const mostHeard = 256 << 10

func (h *hearing) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := h.next.RoundTrip(r)
	if err != nil {
		h.keep("", "it cannot be reached: "+err.Error())
		return nil, err
	}
	if !strings.Contains(res.Header.Get("Content-Type"), "json") {
		return res, nil
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, mostHeard))
	if err != nil {
		_ = res.Body.Close()
		return nil, fmt.Errorf("reading the ACME provider's answer: %w", err)
	}
	res.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(body), res.Body), res.Body}
	h.hear(res.StatusCode, body)
	return res, nil
}

// hear takes the complaint out of an answer: of a problem document (RFC 7807) or
// of an authorization that failed (RFC 8555, 7.1.4).
func (h *hearing) hear(status int, body []byte) {
	type problem struct {
		Type, Detail string
	}
	var a struct {
		problem
		Status     any
		Identifier struct{ Value string }
		Challenges []struct {
			Type, Status string
			Error        problem
		}
	}
	if json.Unmarshal(body, &a) != nil {
		return
	}
	if status >= http.StatusBadRequest {
		if !strings.HasSuffix(a.Type, ":badNonce") { // asked again with another, as it should be
			h.keep("", a.Detail)
		}
		return
	}
	h.keep("", "")
	for _, x := range a.Challenges {
		if x.Status == acme.StatusInvalid && x.Error.Detail != "" {
			h.keep(a.Identifier.Value, x.Type+": "+x.Error.Detail)
		}
	}
}

func (h *hearing) keep(host, said string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if host = strings.ToLower(host); said == "" {
		delete(h.said, host)
	} else if len(h.said) < 1000 {
		h.said[host] = said
	}
}

// last is the last complaint about a host, else about none.
func (h *hearing) last(host string) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if said := h.said[host]; said != "" {
		return said
	}
	return h.said[""]
}
