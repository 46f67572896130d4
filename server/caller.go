package server

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"
)

// caller is where a request comes from, whoever makes it.
type caller struct {
	addr    netip.Addr // of the client, behind proxies that are trusted
	agent   string     // what the browser says it is
	cookies []*http.Cookie
}

// String is the address for people.
func (c caller) String() string {
	if !c.addr.IsValid() {
		return "unknown"
	}
	return c.addr.String()
}

// bucket is the address that limits count by: an IPv6 host has a whole /64 to
// come from.
func (c caller) bucket() string {
	if c.addr.Is6() && !c.addr.Is4In6() {
		if p, err := c.addr.WithZone("").Prefix(64); err == nil {
			return p.String()
		}
	}
	return c.String()
}

func (c caller) cookie(name string) string {
	for _, k := range c.cookies {
		if k.Name == name {
			return k.Value
		}
	}
	return ""
}

type callerKey struct{}

func callerOf(ctx context.Context) caller {
	c, _ := ctx.Value(callerKey{}).(caller)
	return c
}

// locate notes where each request comes from.
func (s *Server) locate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := caller{addr: clientAddr(r.RemoteAddr, r.Header.Values("X-Forwarded-For"), s.TrustedProxies), agent: r.UserAgent(), cookies: r.Cookies()}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, c)))
	})
}

// clientAddr is the address a request comes from. What X-Forwarded-For says
// counts only as far as the proxies that say it are trusted: it is read from its
// end, which the nearest proxy wrote, and the first address that is no trusted
// proxy is the client. Everything before that, anybody can have written.
func clientAddr(remote string, forwarded []string, trusted []netip.Prefix) netip.Addr {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		host = remote
	}
	at, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Addr{}
	}
	at = at.Unmap()
	hops := strings.Split(strings.Join(forwarded, ","), ",")
	for i := len(hops) - 1; i >= 0 && inAny(trusted, at); i-- {
		hop := strings.TrimSpace(hops[i])
		next, err := netip.ParseAddr(hop)
		if err != nil {
			ap, err := netip.ParseAddrPort(hop)
			if err != nil {
				break // not an address: whoever wrote it is the last we know
			}
			next = ap.Addr()
		}
		at = next.Unmap()
	}
	return at
}

func inAny(ps []netip.Prefix, a netip.Addr) bool {
	for _, p := range ps {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// patience is how long one write to a client may take: one that reads slower
// than that, or not at all, is cut off. Long answers are many writes.
const patience = 30 * time.Second

// steady gives each write its deadline.
func steady(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(&steadyWriter{ResponseWriter: w, out: http.NewResponseController(w), wait: patience}, r)
	})
}

type steadyWriter struct {
	http.ResponseWriter
	out  *http.ResponseController
	wait time.Duration
}

func (w *steadyWriter) Write(b []byte) (int, error) {
	_ = w.out.SetWriteDeadline(time.Now().Add(w.wait)) // not every writer has deadlines; those of real connections do
	return w.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *steadyWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
