package server

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// mostTagged is the largest answer that is held back to be tagged. What is
// longer is sent as it comes.
const mostTagged = 1 << 20

// neverStored are paths whose answers no cache may keep, not even the browser's
// own: they tell of the account itself and of what opens machines.
var neverStored = []string{"/api/v1/session", "/api/v1/setup", "/api/v1/account", "/api/v1/api-keys", "/api/v1/machine-passwords", "/api/v1/people", "/api/v1/invites"}

// tag gives every JSON answer to a GET a strong ETag over what it says, and
// answers 304 to whoever has it already: a page that asks again every few
// seconds gets a few hundred bytes instead of all. Operations that know a
// cheaper tag (a version in the record) set their own and are left alone, as are
// the live stream, files and errors.
func tag(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || !strings.HasPrefix(r.URL.Path, "/api/") || r.URL.Path == livePath {
			next.ServeHTTP(w, r)
			return
		}
		t := &tagWriter{ResponseWriter: w, request: r, status: http.StatusOK}
		next.ServeHTTP(t, r)
		t.finish()
	})
}

var tagBuffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// tagWriter holds an answer back until it is whole, or until it turns out to be
// none that is tagged.
type tagWriter struct {
	http.ResponseWriter
	request *http.Request
	status  int
	begun   bool          // the handler wrote its head
	passing bool          // what is written goes straight on
	held    *bytes.Buffer // the answer so far; nil: nothing yet
}

func (t *tagWriter) WriteHeader(status int) {
	if t.begun {
		return
	}
	t.begun, t.status = true, status
	h := t.Header()
	if status != http.StatusOK || h.Get("ETag") != "" || h.Get("Content-Disposition") != "" || !isJSON(h.Get("Content-Type")) {
		t.pass()
	}
}

func isJSON(kind string) bool {
	kind, _, _ = strings.Cut(kind, ";")
	return strings.TrimSpace(kind) == "application/json"
}

func (t *tagWriter) Write(b []byte) (int, error) {
	if !t.begun {
		t.WriteHeader(http.StatusOK)
	}
	if !t.passing {
		if t.held == nil {
			t.held = tagBuffers.Get().(*bytes.Buffer)
		}
		if t.held.Len()+len(b) <= mostTagged {
			return t.held.Write(b)
		}
		t.pass()
	}
	return t.ResponseWriter.Write(b)
}

// pass sends what was held, and from now on everything as it comes.
func (t *tagWriter) pass() {
	if t.passing {
		return
	}
	t.passing = true
	t.ResponseWriter.WriteHeader(t.status)
	if t.held != nil {
		_, _ = t.ResponseWriter.Write(t.held.Bytes())
		t.release()
	}
}

// Flush is the handler's word that what it wrote is wanted now.
func (t *tagWriter) Flush() {
	if !t.begun {
		t.WriteHeader(http.StatusOK)
	}
	t.pass()
	_ = http.NewResponseController(t.ResponseWriter).Flush()
}

// Unwrap is for http.ResponseController.
func (t *tagWriter) Unwrap() http.ResponseWriter { return t.ResponseWriter }

func (t *tagWriter) release() {
	if t.held.Cap() <= mostTagged/4 { // a pool of large buffers would keep them for ever
		t.held.Reset()
		tagBuffers.Put(t.held)
	}
	t.held = nil
}

// finish sends an answer that was held back whole, or 304.
func (t *tagWriter) finish() {
	if t.passing || !t.begun || t.held == nil {
		if t.begun && !t.passing {
			t.ResponseWriter.WriteHeader(t.status) // a head and no body
		}
		return
	}
	defer t.release()
	sum := sha256.Sum256(t.held.Bytes())
	name := `"` + hex.EncodeToString(sum[:12])
	if takesGzip(t.request) {
		name += "-gz" // other bytes, so another strong tag (RFC 9110, 8.8.3.3)
	}
	name += `"`
	h := t.Header()
	h.Set("ETag", name)
	h.Set("Vary", "Accept-Encoding")
	if !slices.ContainsFunc(neverStored, func(p string) bool { return under(t.request.URL.Path, p) }) {
		h.Set("Cache-Control", "private, no-cache") // kept by the browser alone, and asked for each time
	}
	if matches(t.request.Header.Values("If-None-Match"), name) {
		h.Del("Content-Type")
		h.Del("Content-Length")
		t.ResponseWriter.WriteHeader(http.StatusNotModified)
		return
	}
	t.ResponseWriter.WriteHeader(t.status)
	_, _ = t.ResponseWriter.Write(t.held.Bytes())
}

func under(path, prefix string) bool {
	rest, ok := strings.CutPrefix(path, prefix)
	return ok && (rest == "" || rest[0] == '/')
}

// matches tells whether one of the tags of If-None-Match is tag, by the weak
// comparison that this header takes (RFC 9110, 13.1.2).
func matches(sent []string, tag string) bool {
	for _, line := range sent {
		for one := range strings.SplitSeq(line, ",") {
			one = strings.TrimSpace(one)
			if one == "*" || strings.TrimPrefix(one, "W/") == tag {
				return true
			}
		}
	}
	return false
}
