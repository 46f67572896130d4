package braiins

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/tidwall/gjson"

	"ballast/miner"
)

const (
	webPort = 80
	// mostReply bounds a reply. Real ones are under 100 kB.
	mostReply = 4 << 20
	// account is the only user that Braiins OS has.
	account = "root"
)

// newTransport makes the HTTP transport that all machines of a driver share: one
// connection kept open to each, so that a poll costs no handshake.
func newTransport() *http.Transport {
	return &http.Transport{
		DialContext:            dialFor,
		MaxIdleConns:           1 << 14,
		MaxIdleConnsPerHost:    1,
		MaxConnsPerHost:        4,
		IdleConnTimeout:        90 * time.Second,
		DisableCompression:     true,
		ReadBufferSize:         8 << 10,
		WriteBufferSize:        2 << 10,
		MaxResponseHeaderBytes: 64 << 10,
	}
}

// webKey is where a request's context carries its [web].
type webKey struct{}

// dialFor connects as the request's machine wants to be connected to.
func dialFor(ctx context.Context, _, _ string) (net.Conn, error) {
	w, ok := ctx.Value(webKey{}).(*web)
	if !ok {
		return nil, errors.New("a request without a machine")
	}
	conn, err := w.target.DialPort(ctx, webPort)
	if err != nil {
		return nil, err
	}
	return w.hold(conn), nil
}

// web is one machine's HTTP server.
type web struct {
	transport *http.Transport
	target    miner.Target
	host      string

	mu    sync.Mutex
	conns map[*heldConn]struct{}
}

func newWeb(t *http.Transport, target miner.Target) *web {
	return &web{transport: t, target: target, host: target.Address(webPort), conns: map[*heldConn]struct{}{}}
}

// heldConn is a connection that its machine can close: the transport can only
// close all.
type heldConn struct {
	net.Conn
	web *web
}

func (w *web) hold(c net.Conn) net.Conn {
	h := &heldConn{c, w}
	w.mu.Lock()
	w.conns[h] = struct{}{}
	w.mu.Unlock()
	return h
}

// Close closes the connection and forgets it.
func (h *heldConn) Close() error {
	h.web.mu.Lock()
	delete(h.web.conns, h)
	h.web.mu.Unlock()
	return h.Conn.Close()
}

// close closes the machine's connections.
func (w *web) close() {
	w.mu.Lock()
	open := make([]*heldConn, 0, len(w.conns))
	for h := range w.conns {
		open = append(open, h)
	}
	w.mu.Unlock()
	for _, h := range open {
		_ = h.Close()
	}
}

// reply is an HTTP answer.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// do sends one request. The error wraps [miner.ErrUnreachable]; any status is an
// answer.
func (w *web) do(ctx context.Context, method, path string, body []byte, header ...string) (reply, error) {
	req := &http.Request{
		Method: method,
		URL:    &url.URL{Scheme: "http", Host: w.host, Path: path},
		Header: make(http.Header, 4),
		Host:   w.host,
		Proto:  "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if body != nil {
		req.Body = io.NopCloser(bytes.NewReader(body))
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		req.ContentLength = int64(len(body))
		req.Header["Content-Type"] = []string{"application/json"}
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header[header[i]] = header[i+1 : i+2]
	}
	// RoundTrip and not a Client: nobody redirects us to another host.
	resp, err := w.transport.RoundTrip(req.WithContext(context.WithValue(ctx, webKey{}, w)))
	if err != nil {
		return reply{}, unreachable(ctx, err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(io.LimitReader(resp.Body, mostReply))
	if err != nil {
		return reply{}, unreachable(ctx, err)
	}
	return reply{resp.StatusCode, resp.Header, got}, nil
}

// unreachable wraps a failed exchange, preferring the context's verdict over
// that of a connection which was closed because of it.
func unreachable(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return fmt.Errorf("%w: %w", miner.ErrUnreachable, err)
}

// err is what the status says: nil when the machine did it.
func (r reply) err() error {
	words := r.words()
	switch {
	case r.status >= 200 && r.status < 300:
		return nil
	case r.status == http.StatusUnauthorized, r.status == http.StatusForbidden:
		return fmt.Errorf("%w%s", miner.ErrDenied, words)
	case r.status == http.StatusNotFound, r.status == http.StatusMethodNotAllowed, r.status == http.StatusNotImplemented:
		return fmt.Errorf("%w (HTTP %d)%s", miner.ErrUnsupported, r.status, words)
	case r.status == http.StatusTooManyRequests, r.status == http.StatusServiceUnavailable:
		return fmt.Errorf("%w (HTTP %d)%s", miner.ErrBusy, r.status, words)
	}
	return fmt.Errorf("%w (HTTP %d)%s", miner.ErrRefused, r.status, words)
}

// words is the reason that the machine gives, with a colon before it.
func (r reply) words() string {
	body := strings.TrimSpace(string(r.body[:min(len(r.body), 512)]))
	if said := refusal(gjson.Parse(body)); said != "" {
		body = said
	}
	if body == "" || body[0] == '<' {
		return ""
	}
	const most = 200
	if len(body) > most {
		body = body[:most] + "…"
	}
	return ": " + strings.ToValidUTF8(strings.Trim(body, `"`), "�")
}

// signIn is the user and password to sign in with. The zero credentials mean
// that none were given, and none are guessed.
func signIn(c miner.Credentials) (user, password string, err error) {
	if c == (miner.Credentials{}) {
		return "", "", fmt.Errorf("%w: this machine asks for a password: set credentials for it", miner.ErrDenied)
	}
	if c.User == "" {
		return account, string(c.Password), nil
	}
	return c.User, string(c.Password), nil
}
