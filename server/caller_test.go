package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"ballast/ledger"
)

func TestClientAddress(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct{ remote, forwarded, want string }{
		{"203.0.113.9:1", "", "203.0.113.9"},
		{"203.0.113.9:1", "198.51.100.1", "203.0.113.9"}, // no proxy of ours: what it says is nothing
		{"10.0.0.1:1", "", "10.0.0.1"},
		{"10.0.0.1:1", "198.51.100.1", "198.51.100.1"},
		{"10.0.0.1:1", "1.1.1.1, 198.51.100.1", "198.51.100.1"}, // the first was written by the client
		{"10.0.0.1:1", "1.1.1.1, 198.51.100.1, 10.2.2.2", "198.51.100.1"},
		{"10.0.0.1:1", "10.3.3.3, 10.2.2.2", "10.3.3.3"},
		{"10.0.0.1:1", "198.51.100.1, nonsense", "10.0.0.1"},
		{"10.0.0.1:1", "198.51.100.1\r\nX: y", "10.0.0.1"},
		{"10.0.0.1:1", "198.51.100.1:4711", "198.51.100.1"},
		{"[fd00::1]:1", "2001:db8::1", "2001:db8::1"},
		{"[::ffff:10.0.0.1]:1", "198.51.100.1", "198.51.100.1"},
		{"10.0.0.1:1", strings.Repeat("10.1.1.1,", 3000) + "10.1.1.1", "10.1.1.1"},
		{"@", "1.2.3.4", "invalid IP"},
	} {
		if got := clientAddr(c.remote, []string{c.forwarded}, trusted); got.String() != c.want {
			t.Errorf("%s behind %.60q: %s, want %s", c.remote, c.forwarded, got, c.want)
		}
	}
	if a, b := (caller{addr: netip.MustParseAddr("2001:db8::1")}).bucket(), (caller{addr: netip.MustParseAddr("2001:db8::ffff:1")}).bucket(); a != b {
		t.Error("one network, two buckets:", a, b)
	}
}

func FuzzClientAddr(f *testing.F) {
	f.Add("10.0.0.1:1", "1.2.3.4, 10.0.0.2")
	f.Add("[::1]:80", ",,,")
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, remote, forwarded string) {
		at := clientAddr(remote, []string{forwarded}, trusted)
		if plain := clientAddr(remote, nil, trusted); at != plain && !inAny(trusted, plain) {
			t.Errorf("%q of a stranger was believed: %v instead of %v", forwarded, at, plain)
		}
	})
}

func TestOwnPath(t *testing.T) {
	for to, want := range map[string]string{
		"/": "/", "/machines/1?x=%2F%2Fevil.com#a": "/machines/1?x=%2F%2Fevil.com#a",
		"": "/", "//evil.com": "/", "/\\evil.com": "/", "https://evil.com": "/", "/\t/evil.com": "/", "/\r\nSet-Cookie: a=b": "/", "javascript:alert(1)": "/", "evil": "/", "/api/v1/session/oidc": "/", "/%zz": "/",
	} {
		if got := ownPath(to); got != want {
			t.Errorf("%q: %q, want %q", to, got, want)
		}
	}
}

func FuzzOwnPath(f *testing.F) {
	for _, s := range []string{"/", "//e", "/\\e", "/a?b#c", "/\t/e", "/./ /e"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, to string) {
		got := ownPath(to)
		if !strings.HasPrefix(got, "/") || strings.HasPrefix(got, "//") || strings.ContainsAny(got, "\r\n\t\\") {
			t.Errorf("%q leads to %q", to, got)
		}
	})
}

func TestLimits(t *testing.T) {
	l := newLimiter(2, 3)
	now := time.Now()
	for i := range 8 {
		if w := l.wait("a", now); w != 0 {
			t.Fatal("request", i, "of a burst of eight waits", w)
		}
	}
	if w := l.wait("a", now); w <= 0 || w > 500*time.Millisecond {
		t.Error("the ninth waits", w)
	}
	if w := l.wait("a", now.Add(501*time.Millisecond)); w != 0 {
		t.Error("half a second later it waits", w)
	}
	for i := range 1000 {
		l.wait(fmt.Sprint("k", i), now)
	}
	if len(l.keys) != 3 || l.used.Len() != 3 {
		t.Errorf("%d keys are kept, at most 3", len(l.keys))
	}
	off := newLimiter(0, 3)
	for range 10_000 {
		if off.wait("a", now) != 0 {
			t.Fatal("no limit limits")
		}
	}
}

func TestLimitsOverHTTP(t *testing.T) {
	s := bare(t, func(o *Options) { o.Limits = Limits{Address: 5, Principal: 2} })
	v := visit(t, s)
	codes := map[int]int{}
	for range 40 {
		code, _ := v.do("GET", "/api/v1/session/methods", nil)
		codes[code]++
	}
	if codes[200] < 20 || codes[200] > 24 || codes[429] < 16 {
		t.Errorf("an address: %v", codes)
	}
	res, err := v.http.Get(v.base + "/api/v1/session/methods")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") == "" || res.Header.Get("Content-Type") != "application/problem+json" {
		t.Error(res.Status, res.Header)
	}
	if res, err = v.http.Get(v.base + "/"); err != nil || res.StatusCode != http.StatusOK {
		t.Error("pages are not the API:", res, err)
	}
	res.Body.Close()
	p := Principal{User: ledger.User{ID: 7}}
	n := 0
	h := s.limitPrincipal(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { n++ }))
	for range 30 {
		req, _ := http.NewRequestWithContext(context.WithValue(t.Context(), principalKey{}, p), http.MethodGet, "/api/v1/site", nil)
		h.ServeHTTP(discard{}, req)
	}
	if n != 8 {
		t.Errorf("%d of 30 requests of one person passed, want the burst of 8", n)
	}
}

type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(b []byte) (int, error) { return len(b), nil }
func (discard) WriteHeader(int)             {}

func TestSealer(t *testing.T) {
	s, now := newSealer(), time.Now()
	text, err := s.seal("a", map[string]string{"k": "secret"}, now)
	if err != nil || strings.Contains(text, "secret") {
		t.Fatal(text, err)
	}
	var v map[string]string
	id, err := s.open("a", text, &v, now.Add(time.Minute))
	if err != nil || v["k"] != "secret" {
		t.Fatal(v, err)
	}
	for name, err := range map[string]error{
		"another purpose": fst(s.open("b", text, &v, now)), "too late": fst(s.open("a", text, &v, now.Add(sealedLife+time.Second))),
		"altered": fst(s.open("a", text[:len(text)-2]+"AA", &v, now)), "empty": fst(s.open("a", "", &v, now)), "another server": fst(newSealer().open("a", text, &v, now)),
	} {
		if !errors.Is(err, errSealed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var wins sync.Map
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			if s.use(id, now) {
				wins.Store(i, true)
			}
		})
	}
	wg.Wait()
	n := 0
	wins.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("used %d times", n)
	}
}

func fst(_ string, err error) error { return err }
