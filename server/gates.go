package server

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/ledger"
)

// headers sets what every answer carries. The page needs no inline script and
// nothing from elsewhere.
func (s *Server) headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		if s.secure() {
			h.Set("Strict-Transport-Security", "max-age=63072000")
		}
		if strings.HasPrefix(r.URL.Path, "/api/") {
			h.Set("Cache-Control", "no-store") // what one person sees is nobody else's; operations that can be asked again say otherwise
		}
		next.ServeHTTP(w, r)
	})
}

func limitBody(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		limit := int64(maxBody)
		if strings.HasPrefix(r.URL.Path, "/api/v1/sites/") {
			limit = layoutBody // a layout names every machine
		}
		if strings.HasPrefix(r.URL.Path, "/api/v1/meter-data") || strings.HasPrefix(r.URL.Path, "/api/v1/awards") {
			limit = importBody
		}
		r.Body = http.MaxBytesReader(w, r.Body, limit)
		next.ServeHTTP(w, r)
	})
}

// problem writes an RFC 9457 problem, the form of every error of the API.
func problem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"title": http.StatusText(status), "status": status, "detail": detail})
}

// Most errors that one answer lists, and most of a wrong value that it repeats.
const (
	mostErrors = 20
	mostEcho   = 100
)

// fewErrors bounds what an answer to a wrong request repeats of it. The library
// lists every wrong field with the whole object around it: of a body of many
// unknown keys, that is the body squared.
func fewErrors(_ huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	if n := len(m.Errors); n > mostErrors {
		m.Errors = append(m.Errors[:mostErrors:mostErrors], &huma.ErrorDetail{Message: fmt.Sprintf("and %d more", n-mostErrors)})
	}
	for i, e := range m.Errors {
		c := *e
		switch value := c.Value.(type) {
		case nil, bool, float64, int, int64, json.Number:
		case string:
			// Nor a secret that was typed into the wrong place.
			if strings.Contains(c.Location, "password") || strings.Contains(c.Location, "token") || strings.HasSuffix(c.Location, ".old") || strings.HasSuffix(c.Location, ".new") {
				c.Value = nil
			} else {
				c.Value = ledger.Clean(value, mostEcho)
			}
		default:
			c.Value = nil
		}
		c.Message, c.Location = ledger.Clean(c.Message, 4*mostEcho), ledger.Clean(c.Location, 2*mostEcho)
		m.Errors[i] = &c
	}
	return m, nil
}

// static serves the web build. Files under /assets carry their content's hash
// in their name and never change; every other path that is no file is a page of
// the dashboard and gets its index.
func static(files fs.FS) http.Handler {
	server := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			problem(w, http.StatusMethodNotAllowed, "pages are read with GET")
			return
		}
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		if name == "" || name == "index.html" || !exists(files, name) {
			if strings.HasPrefix(name, "assets/") {
				http.NotFound(w, r)
				return
			}
			page, err := fs.ReadFile(files, "index.html")
			if err != nil {
				http.Error(w, "this build has no dashboard (built with -tags noui)", http.StatusNotFound)
				return
			}
			w.Header().Set("Cache-Control", "no-cache")
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Header().Set("ETag", fmt.Sprintf(`"%x"`, sha256.Sum256(page)))
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(page)) // 304 to who has it
			return
		}
		if strings.HasPrefix(name, "assets/") {
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		server.ServeHTTP(w, r)
	})
}

func exists(files fs.FS, name string) bool {
	info, err := fs.Stat(files, name)
	return err == nil && !info.IsDir()
}

var gzips = sync.Pool{New: func() any { w, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed); return w }}

// takesGzip tells whether an answer to r may be compressed.
func takesGzip(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") && r.Header.Get("Range") == ""
}

// compress gzips text for clients that take it. The live stream compresses for
// itself (press.go).
func compress(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !takesGzip(r) || r.URL.Path == "/metrics" || r.URL.Path == livePath {
			next.ServeHTTP(w, r)
			return
		}
		z := &gzipWriter{ResponseWriter: w}
		defer z.close()
		next.ServeHTTP(z, r)
	})
}

type gzipWriter struct {
	http.ResponseWriter
	z       *gzip.Writer
	started bool
}

func (g *gzipWriter) WriteHeader(status int) {
	if !g.started {
		g.started = true
		h := g.Header()
		kind := h.Get("Content-Type")
		text := strings.HasPrefix(kind, "text/") || strings.Contains(kind, "json") || strings.Contains(kind, "javascript") || strings.Contains(kind, "svg") || strings.Contains(kind, "yaml") || kind == mapType
		if text && h.Get("Content-Encoding") == "" && status != http.StatusNoContent && status != http.StatusNotModified {
			h.Del("Content-Length")
			h.Set("Content-Encoding", "gzip")
			if h.Get("Vary") == "" {
				h.Set("Vary", "Accept-Encoding")
			}
			g.z = gzips.Get().(*gzip.Writer)
			g.z.Reset(g.ResponseWriter)
		}
	}
	g.ResponseWriter.WriteHeader(status)
}

func (g *gzipWriter) Write(b []byte) (int, error) {
	if !g.started {
		if g.Header().Get("Content-Type") == "" {
			g.Header().Set("Content-Type", http.DetectContentType(b))
		}
		g.WriteHeader(http.StatusOK)
	}
	if g.z != nil {
		return g.z.Write(b)
	}
	return g.ResponseWriter.Write(b)
}

func (g *gzipWriter) Flush() {
	if g.z != nil {
		_ = g.z.Flush()
	}
	_ = http.NewResponseController(g.ResponseWriter).Flush()
}

func (g *gzipWriter) close() {
	if g.z != nil {
		_ = g.z.Close()
		gzips.Put(g.z)
		g.z = nil
	}
}

// SetWriteDeadline and Hijack reach through for http.ResponseController.
func (g *gzipWriter) SetWriteDeadline(t time.Time) error {
	return http.NewResponseController(g.ResponseWriter).SetWriteDeadline(t)
}

// Hijack is for completeness of the wrapped writer.
func (g *gzipWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return http.NewResponseController(g.ResponseWriter).Hijack()
}

// throttle slows down guessing: after a few failures an address, and after more
// of them a name, must wait. It forgets after a while and is bounded.
type throttle struct {
	mu   sync.Mutex
	fail map[string]*failures
}

type failures struct {
	n     int
	until time.Time
	last  time.Time
}

func newThrottle() *throttle { return &throttle{fail: map[string]*failures{}} }

// try counts an attempt of key, or says how long it must wait for the next. It
// counts before the outcome is known, so that a hundred guesses at once are a
// hundred; passed takes it back. slowed tells that this was the attempt from
// which on key must wait, unless it passes.
func (t *throttle) try(key string, now time.Time) (wait time.Duration, slowed bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	f, ok := t.fail[key]
	if ok && now.Sub(f.last) <= 15*time.Minute {
		if w := f.until.Sub(now); w > 0 {
			return w, false
		}
	} else {
		t.sweep(now)
		f = &failures{}
		t.fail[key] = f
	}
	f.n++
	f.last = now
	if f.n >= 5 {
		f.until = now.Add(min(time.Second<<min(f.n-5, 9), 5*time.Minute))
	}
	return 0, f.n == 5
}

// sweep keeps the throttle bounded.
func (t *throttle) sweep(now time.Time) {
	if len(t.fail) < 10_000 {
		return
	}
	for k, f := range t.fail {
		if now.Sub(f.last) > 15*time.Minute {
			delete(t.fail, k)
		}
	}
	if len(t.fail) >= 10_000 {
		t.fail = map[string]*failures{} // an attack from ten thousand addresses: forget, the hash itself is slow
	}
}

func (t *throttle) passed(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.fail, key)
}
