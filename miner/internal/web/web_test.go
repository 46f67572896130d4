package web_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ballast/miner"
	"ballast/miner/internal/web"
)

func target(t *testing.T, address string) miner.Target {
	t.Helper()
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return miner.Target{Addr: ap.Addr(), Ports: map[uint16]uint16{80: ap.Port()}}
}

func serve(t *testing.T, h http.HandlerFunc) (miner.Target, *atomic.Int32) {
	t.Helper()
	conns := new(atomic.Int32)
	s := httptest.NewUnstartedServer(h)
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			conns.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	return target(t, s.Listener.Addr().String()), conns
}

// raw answers every connection with text after having read something.
func raw(t *testing.T, text string, times int) miner.Target {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				in := bufio.NewReader(c)
				for range times {
					req, err := http.ReadRequest(in)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, req.Body)
					_, _ = io.WriteString(c, text)
				}
			}()
		}
	}()
	return target(t, l.Addr().String())
}

func TestSessionReusesItsConnection(t *testing.T) {
	var client web.Client
	to, conns := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %s %s", r.Method, r.URL.Path, r.Header.Get("Authorization"), r.Header.Get("Content-Type"), body)
	})
	s := client.Open(to, 80)
	defer s.Close()
	for i, r := range []web.Request{
		{Method: "GET", Path: "/a"},
		{Method: "POST", Path: "/b", Body: []byte(`{"x":1}`), Header: []string{"Authorization", "Bearer t\r\nX-Evil: 1"}},
		{Method: "POST", Path: "/c"},
		{Method: "PATCH", Path: "/d", Body: []byte(`{}`)},
	} {
		reply, err := s.Do(t.Context(), r)
		want := []string{"GET /a   ", `POST /b Bearer tX-Evil: 1 application/json {"x":1}`, "POST /c   ", "PATCH /d  application/json {}"}[i]
		if err != nil || reply.Status != 200 || string(reply.Body) != want || reply.Cut {
			t.Errorf("%d: %d %q %v; want %q", i, reply.Status, reply.Body, err, want)
		}
	}
	if n := conns.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
	s.Close()
	if _, err := s.Get(t.Context(), "/again"); err != nil || conns.Load() != 2 {
		t.Errorf("after closing: %v, %d connections", err, conns.Load())
	}
}

// A machine that hangs up after every reply without saying so is asked anew.
func TestSessionSurvivesSilentHangUp(t *testing.T) {
	var client web.Client
	s := client.Open(raw(t, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 1), 80)
	defer s.Close()
	for range 3 {
		if r, err := s.Get(t.Context(), "/"); err != nil || string(r.Body) != "ok" {
			t.Fatalf("%q, %v", r.Body, err)
		}
	}
}

func TestBadReplies(t *testing.T) {
	var client web.Client
	for name, c := range map[string]struct {
		text string
		err  error
		body string
		cut  bool
	}{
		"until close":         {text: "HTTP/1.0 200 OK\r\n\r\nhello", body: "hello"},
		"chunked":             {text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", body: "hello"},
		"cut body":            {text: "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello", body: "hello", cut: true},
		"cut chunk":           {text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\nhello", body: "hello", cut: true},
		"cut head":            {text: "HTTP/1.1 200 OK\r\nContent-Le", err: miner.ErrGarbage},
		"nothing":             {text: "", err: miner.ErrUnreachable},
		"no HTTP":             {text: "SSH-2.0-OpenSSH_9.2p1\r\n\r\n", err: miner.ErrGarbage},
		"JSON without HTTP":   {text: "{\"STATUS\":\"E\"}\x00", err: miner.ErrGarbage},
		"too long":            {text: "HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\nhello", err: miner.ErrGarbage},
		"header without end":  {text: "HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", 10), err: miner.ErrUnreachable},
		"a word":              {text: "ok", err: miner.ErrGarbage},
		"endless header":      {text: "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("y", 5<<20), err: miner.ErrGarbage},
		"negative length":     {text: "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello", err: miner.ErrGarbage},
		"an absurd status":    {text: "HTTP/1.1 abc OK\r\n\r\nhello", err: miner.ErrGarbage},
		"an error with words": {text: "HTTP/1.1 500 Oh\r\nContent-Length: 5\r\n\r\nsorry", body: "sorry"},
	} {
		t.Run(name, func(t *testing.T) {
			s := client.Open(raw(t, c.text, 1), 80)
			defer s.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			r, err := s.Get(ctx, "/x")
			if !errors.Is(err, c.err) || err != nil && c.err == nil || string(r.Body) != c.body && c.err == nil || r.Cut != c.cut {
				t.Errorf("%d %q cut=%v, %v", r.Status, r.Body, r.Cut, err)
			}
		})
	}
}

func TestDeadlineAndCancel(t *testing.T) {
	var client web.Client
	to, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	s := client.Open(to, 80)
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := s.Get(ctx, "/"); !errors.Is(err, miner.ErrUnreachable) {
		t.Errorf("after the deadline: %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(60*time.Millisecond, cancel)
	if _, err := s.Get(ctx, "/"); !errors.Is(err, miner.ErrUnreachable) {
		t.Errorf("after cancelling: %v", err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("took %v", took)
	}
}

func TestEndlessBody(t *testing.T) {
	var client web.Client
	to, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		block := make([]byte, 1<<16)
		for {
			if _, err := w.Write(block); err != nil {
				return
			}
		}
	})
	s := client.Open(to, 80)
	defer s.Close()
	if r, err := s.Get(t.Context(), "/"); !errors.Is(err, miner.ErrGarbage) || len(r.Body) > 0 {
		t.Errorf("%d bytes, %v", len(r.Body), err)
	}
}

func BenchmarkGet(b *testing.B) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = w.Write(make([]byte, 3000)) }))
	defer s.Close()
	ap := netip.MustParseAddrPort(s.Listener.Addr().String())
	var client web.Client
	b.ReportAllocs()
	for b.Loop() {
		session := client.Open(miner.Target{Addr: ap.Addr(), Ports: map[uint16]uint16{80: ap.Port()}}, 80)
		if _, err := session.Get(b.Context(), "/"); err != nil {
			b.Fatal(err)
		}
		session.Close()
	}
}

// Sessions of one client share buffers, and nothing of what one was told turns
// up with another.
func TestConcurrentSessions(t *testing.T) {
	var client web.Client
	var wg sync.WaitGroup
	for i := range 8 {
		word := strings.Repeat(string(rune('a'+i)), 5)
		noise := raw(t, word+" and no HTTP\r\n\r\n", 1)
		good, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, word) })
		wg.Go(func() {
			for range 20 {
				s := client.Open(noise, 80)
				if _, err := s.Get(t.Context(), "/x"); err == nil || !strings.Contains(err.Error(), word) {
					t.Errorf("the error is %v, want %q in it", err, word)
				}
				s.Close()
				s = client.Open(good, 80)
				if r, err := s.Get(t.Context(), "/x"); err != nil || string(r.Body) != word {
					t.Errorf("the reply is %q, %v, want %q", r.Body, err, word)
				}
				s.Close()
			}
		})
	}
	wg.Wait()
}
