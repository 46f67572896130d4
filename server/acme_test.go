package server

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	"github.com/miekg/dns"
)

// acmeProvider is an ACME provider on this machine: Pebble, Let's Encrypt's own small
// one, whose looks at us are real.
type acmeProvider struct {
	*httptest.Server
	roots  string         // file with the root of its own HTTPS
	pool   *x509.CertPool // of what it issues
	orders atomic.Int32
}

// orderWriter counts orders that were made: of requests for one, some are refused
// on purpose (bad nonces) and sent again.
type orderWriter struct {
	http.ResponseWriter
	request *http.Request
	orders  *atomic.Int32
}

func (w *orderWriter) WriteHeader(status int) {
	if status == http.StatusCreated && w.request.URL.Path == "/order-plz" {
		w.orders.Add(1)
	}
	w.ResponseWriter.WriteHeader(status)
}

// newACMEProvider starts one that gives certificates of a lifetime and looks at hosts
// at the addresses that names say, at tlsPort.
func newACMEProvider(t *testing.T, tlsPort int, life time.Duration, names map[string]string) *acmeProvider {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	resolver := &dns.Server{Listener: l, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
		m, ask := new(dns.Msg).SetReply(q), q.Question[0]
		head := dns.RR_Header{Name: ask.Name, Rrtype: ask.Qtype, Class: dns.ClassINET, Ttl: 1}
		for text := range strings.FieldsSeq(names[strings.TrimSuffix(ask.Name, ".")]) {
			switch six := strings.Contains(text, ":"); {
			case six && ask.Qtype == dns.TypeAAAA:
				m.Answer = append(m.Answer, &dns.AAAA{Hdr: head, AAAA: net.ParseIP(text)})
			case !six && ask.Qtype == dns.TypeA:
				m.Answer = append(m.Answer, &dns.A{Hdr: head, A: net.ParseIP(text)})
			}
		}
		_ = w.WriteMsg(m)
	})}
	go func() { _ = resolver.ActivateAndServe() }()
	t.Cleanup(func() { _ = resolver.Shutdown() })

	quiet := log.New(io.Discard, "", 0)
	if testing.Verbose() {
		quiet = log.New(os.Stderr, "pebble ", log.Lmicroseconds)
	}
	store := db.NewMemoryStore()
	authority := ca.New(quiet, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "default", ValidityPeriod: uint64(life / time.Second)}})
	looks := va.New(quiet, 0, tlsPort, false, l.Addr().String(), store)
	api := wfe.New(quiet, store, looks, authority, []string{"example.com"}, false, false, 0, 0)
	p := &acmeProvider{}
	handler := api.Handler()
	p.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(&orderWriter{w, r, &p.orders}, r)
	}))
	t.Cleanup(p.Close)
	p.roots = filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(p.roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	p.pool = x509.NewCertPool()
	p.pool.AddCert(authority.GetRootCert(0).Cert)
	return p
}

// logged keeps what is logged.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logged) log() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// acmeDoor serves the dashboard with an ACME provider's certificates on l.
func acmeDoor(t *testing.T, l net.Listener, a ACME, log *slog.Logger) (stop func()) {
	t.Helper()
	c, err := OpenACME(a, log)
	if err != nil {
		t.Fatal(err)
	}
	s := bare(t, func(o *Options) { o.URL = "https://" + a.Hosts[0] })
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Run(ctx, tls.NewListener(l, c.TLS)); err != nil {
			t.Error(err)
		}
	})
	wg.Go(func() { _ = c.Keep(ctx) })
	return func() {
		cancel()
		wg.Wait()
	}
}

// page asks for the dashboard as a browser does.
func page(address, host string, pool *x509.CertPool) (*x509.Certificate, string, error) {
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{ForceAttemptHTTP2: true, DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: pool},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		}}}
	res, err := client.Get("https://" + host + "/")
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res.TLS.PeerCertificates[0], string(body), err
}

func soon(t *testing.T, limit time.Duration, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !ok(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}

// A certificate comes from the provider, which looks at our TLS port itself; the
// page is served with it; a restart takes it from the disk; a name that is not
// configured gets none, and no order is made for it.
func TestACME(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address, port := l.Addr().String(), l.Addr().(*net.TCPAddr).Port
	const host = "ballast.example.com"
	p := newACMEProvider(t, port, 90*24*time.Hour, map[string]string{host: "127.0.0.1"})
	dir := filepath.Join(t.TempDir(), "certificates")
	a := ACME{Hosts: []string{host}, Email: "ops@example.com", Directory: p.URL + "/dir", Roots: p.roots, Dir: dir}
	var said logged
	stop := acmeDoor(t, l, a, said.log())
	first, body, err := page(address, host, p.pool)
	if err != nil || !strings.Contains(body, "<title>page</title>") {
		t.Fatalf("%q %v\n%s", body, err, said.String())
	}
	if p.orders.Load() != 1 {
		t.Errorf("%d orders for one certificate", p.orders.Load())
	}
	if again, _, err := page(address, strings.ToUpper(host), p.pool); err != nil || again.SerialNumber.Cmp(first.SerialNumber) != 0 {
		t.Error("the name in capitals:", err)
	}

	// No other name, whatever it is.
	for _, other := range []string{"other.example.com", "example.com", "x." + host, "127.0.0.1", "localhost"} {
		if _, _, err := page(address, other, p.pool); err == nil {
			t.Errorf("%s is served", other)
		}
		if c, err := tls.Dial("tcp", address, &tls.Config{ServerName: other, NextProtos: []string{"acme-tls/1"}, InsecureSkipVerify: true}); err == nil { //nolint:gosec // as the provider looks
			c.Close()
			t.Errorf("a look at %s is answered", other)
		}
	}
	if p.orders.Load() != 1 {
		t.Errorf("%d orders: one was made for a name that is not configured", p.orders.Load())
	}

	// What is kept is nobody else's.
	files := 0
	if err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		i, err := e.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if e.IsDir() {
			want = 0o700
		} else {
			files++
		}
		if i.Mode().Perm() != want {
			t.Errorf("%s is %v", e.Name(), i.Mode())
		}
		return nil
	}); err != nil || files < 2 {
		t.Errorf("%d files, %v", files, err)
	}
	stop()

	// Anew, while the provider is away.
	p.CloseClientConnections()
	p.Close()
	if l, err = net.Listen("tcp", address); err != nil {
		t.Fatal(err)
	}
	defer acmeDoor(t, l, a, said.log())()
	kept, body, err := page(address, host, p.pool)
	if err != nil || kept.SerialNumber.Cmp(first.SerialNumber) != 0 || !strings.Contains(body, "<title>page</title>") {
		t.Errorf("after a restart: %q %v", body, err)
	}
	if said.String() != "" {
		t.Errorf("complaints while all was well: %s", said.String())
	}
}

// A certificate is renewed while it is served, before it ends.
func TestACMERenews(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	const host = "ballast.example.com"
	p := newACMEProvider(t, l.Addr().(*net.TCPAddr).Port, 30*time.Second, map[string]string{host: "127.0.0.1"})
	var said logged
	defer acmeDoor(t, l, ACME{Hosts: []string{host}, Directory: p.URL + "/dir", Roots: p.roots, Dir: t.TempDir()}, said.log())()
	first, _, err := page(l.Addr().String(), host, p.pool)
	if err != nil {
		t.Fatal(err, said.String())
	}
	soon(t, time.Minute, "a new certificate", func() bool {
		now, _, err := page(l.Addr().String(), host, p.pool)
		if err != nil {
			t.Fatal("between the old and the new:", err)
		}
		return now.SerialNumber.Cmp(first.SerialNumber) != 0
	})
}

// When the provider cannot look at us, or is not there, that is told with its own
// words and what to check; the server runs on, serves the names that have a
// certificate, and visitors make no orders.
func TestACMETellsWhatFailed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	const good, bad = "ballast.example.com", "elsewhere.example.com"
	// A provider looks at the IPv6 address where a name has one, and at no other:
	// that we listen on the IPv4 address does not help.
	p := newACMEProvider(t, l.Addr().(*net.TCPAddr).Port, time.Hour, map[string]string{good: "127.0.0.1", bad: "::1 127.0.0.1"})
	var said logged
	stop := acmeDoor(t, l, ACME{Hosts: []string{good, bad}, Directory: p.URL + "/dir", Roots: p.roots, Dir: t.TempDir()}, said.log())
	if _, body, err := page(address, good, p.pool); err != nil || body == "" {
		t.Fatal(err, said.String())
	}
	soon(t, time.Minute, "the complaint", func() bool { return strings.Contains(said.String(), bad) })
	for _, want := range []string{"level=ERROR", "host=" + bad, "tls-alpn-01: Failed to connect to [::1]:", "IPv6", "port 443", "again_in=5m"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("%q is not told in %s", want, said.String())
		}
	}
	orders := p.orders.Load()
	for range 3 {
		if _, _, err := page(address, bad, p.pool); err == nil {
			t.Error("served without a certificate")
		}
	}
	if p.orders.Load() != orders {
		t.Errorf("visitors made %d orders", p.orders.Load()-orders)
	}
	stop()

	// A provider that is not there.
	if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	var away logged
	stop = acmeDoor(t, l, ACME{Hosts: []string{good}, Directory: "https://127.0.0.1:1/dir", Dir: t.TempDir()}, away.log())
	soon(t, time.Minute, "the complaint", func() bool { return strings.Contains(away.String(), "connection refused") })
	stop()
	for _, roots := range []string{filepath.Join(t.TempDir(), "none.pem"), p.roots + ".empty"} {
		if strings.HasSuffix(roots, ".empty") {
			if err := os.WriteFile(roots, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := OpenACME(ACME{Hosts: []string{good}, Roots: roots, Dir: t.TempDir()}, away.log()); err == nil || !strings.Contains(err.Error(), "roots of the ACME provider") {
			t.Errorf("roots that cannot be read: %v", err)
		}
	}
}

// What a provider answers is made of other people's bytes.
func TestHearing(t *testing.T) {
	for _, c := range []struct {
		status     int
		body, want string
	}{
		{200, `{"identifier":{"type":"dns","value":"A.example.com"},"status":"invalid","challenges":[{"type":"http-01","status":"pending"},{"type":"tls-alpn-01","status":"invalid","error":{"type":"urn:x","detail":"timeout"}}]}`, "tls-alpn-01: timeout"},
		{200, `{"status":"pending","identifier":{"value":"a.example.com"}}`, ""},
		{429, `{"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many","status":429}`, "too many"},
		{400, `{"type":"urn:ietf:params:acme:error:badNonce","detail":"bad nonce"}`, ""},
		{500, `<html>`, ""},
		{200, `[]`, ""},
		{200, ``, ""},
	} {
		t.Run(fmt.Sprint(c.status, c.want), func(t *testing.T) {
			h := &hearing{said: map[string]string{}}
			h.hear(c.status, []byte(c.body))
			if got := h.last("a.example.com"); got != c.want {
				t.Errorf("%s is heard as %q", c.body, got)
			}
		})
	}
}
