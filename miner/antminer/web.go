package antminer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/icholy/digest"

	"ballast/miner"
	"ballast/miner/cgminer"
)

// errNoEndpoint says that a firmware does not have a CGI program. It is wrapped
// with [miner.ErrUnsupported].
var errNoEndpoint = errors.New("no such endpoint")

// web is the CGI interface of one machine. The digest's challenge is kept and
// its nonce used again until the machine declines it.
type web struct {
	target miner.Target
	port   uint16
	base   http.RoundTripper // without authentication
	signed *digest.Transport // nil without credentials
}

// targetKey carries a request's machine to the shared transport's dialer.
type targetKey struct{}

type dialTarget struct {
	target miner.Target
	port   uint16
}

// newTransport makes the pool of connections that all devices of a driver
// share. Slow replies are asked in a burst every few minutes, so a connection
// is kept for the burst only.
func newTransport() *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if t, ok := ctx.Value(targetKey{}).(dialTarget); ok {
				return t.target.DialPort(ctx, t.port)
			}
			return (&net.Dialer{}).DialContext(ctx, network, address)
		},
		MaxIdleConns:        256,
		MaxIdleConnsPerHost: 1,
		IdleConnTimeout:     5 * time.Second,
		DisableCompression:  true,
		WriteBufferSize:     2048,
		ReadBufferSize:      8192,
	}
}

func newWeb(base *http.Transport, t miner.Target, port uint16) *web {
	w := &web{target: t, port: port, base: base}
	if c := t.Credentials; c.Password != "" || c.User != "" {
		user := c.User
		if user == "" {
			user = "root"
		}
		w.signed = &digest.Transport{Username: user, Password: string(c.Password), Transport: base}
	}
	return w
}

// get fetches one CGI program's output: name "stats" is /cgi-bin/stats.cgi.
func (w *web) get(ctx context.Context, name string) ([]byte, error) {
	return w.send(ctx, http.MethodGet, "/cgi-bin/"+name+".cgi", "", nil)
}

// post sends a body to a CGI program.
func (w *web) post(ctx context.Context, name, contentType string, body []byte) ([]byte, error) {
	return w.send(ctx, http.MethodPost, "/cgi-bin/"+name+".cgi", contentType, body)
}

func (w *web) send(ctx context.Context, method, path, contentType string, body []byte) ([]byte, error) {
	if w.signed == nil {
		return nil, fmt.Errorf("asking %s: %w: this machine needs a password: set credentials for it in the configuration", path, miner.ErrDenied)
	}
	return w.do(ctx, w.signed, method, path, contentType, body)
}

func (w *web) do(ctx context.Context, by http.RoundTripper, method, path, contentType string, body []byte) ([]byte, error) {
	ctx = context.WithValue(ctx, targetKey{}, dialTarget{w.target, w.port})
	var in io.Reader
	if body != nil {
		in = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+w.target.Address(w.port)+path, in)
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w: %w", path, miner.ErrRefused, err)
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := by.RoundTrip(req)
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w: %w", path, kindOf(err), err)
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusUnauthorized, res.StatusCode == http.StatusForbidden:
		return nil, fmt.Errorf("asking %s: %w", path, miner.ErrDenied)
	case res.StatusCode == http.StatusNotFound:
		return nil, fmt.Errorf("asking %s: %w: %w", path, miner.ErrUnsupported, errNoEndpoint)
	case res.StatusCode/100 != 2:
		return nil, fmt.Errorf("asking %s: %w: %s", path, miner.ErrRefused, res.Status)
	}
	out, err := io.ReadAll(io.LimitReader(res.Body, cgminer.MaxReply))
	if err != nil {
		return out, fmt.Errorf("asking %s: %w: %w", path, miner.ErrUnreachable, err)
	}
	return out, nil
}

// kindOf tells a machine that does not answer from one that does not speak HTTP.
func kindOf(err error) error {
	if strings.Contains(err.Error(), "malformed HTTP") {
		return miner.ErrGarbage
	}
	return miner.ErrUnreachable
}

// isMine asks the web interface, without signing in, whether it is an
// Antminer's.
func (w *web) isMine(ctx context.Context) error {
	ctx = context.WithValue(ctx, targetKey{}, dialTarget{w.target, w.port})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+w.target.Address(w.port)+"/cgi-bin/get_system_info.cgi", nil)
	if err != nil {
		return fmt.Errorf("asking the web interface: %w: %w", miner.ErrNotMine, err)
	}
	res, err := w.base.RoundTrip(req)
	if err != nil {
		kind := kindOf(err)
		if errors.Is(kind, miner.ErrGarbage) {
			kind = miner.ErrNotMine
		}
		return fmt.Errorf("asking the web interface: %w: %w", kind, err)
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusUnauthorized && strings.Contains(res.Header.Get("WWW-Authenticate"), realm) {
		return nil
	}
	return fmt.Errorf("asking the web interface: %w: %s", miner.ErrNotMine, res.Status)
}

// idle closes kept connections.
func (w *web) idle() {
	if t, ok := w.base.(*http.Transport); ok {
		t.CloseIdleConnections()
	}
}
