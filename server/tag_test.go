package server

import (
	"compress/gzip"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"ballast/ledger"
)

// askPlain sends a GET without the client's own compression.
func askPlain(t *testing.T, base, path string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	res, err := (&http.Transport{DisableCompression: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(b)
}

// Every JSON answer to a GET of the API carries a tag, whoever wrote the
// operation; asked again with it, what did not change is 304 and nothing else.
func TestEveryJSONAnswerIsTagged(t *testing.T) {
	s := bare(t)
	v := visit(t, s)
	admin := alarmKey(t, s, "admin", ledger.Grant{Role: ledger.Admin})
	// What these tell changes from one answer to the next.
	moving := map[string]bool{"/api/v1/site": true, "/api/v1/system": true, "/api/v1/activity": true, "/api/v1/power": true, "/api/v1/account/sessions": true}
	tried, again := 0, 0
	for path, item := range s.api.OpenAPI().Paths {
		if item.Get == nil || strings.Contains(path, "{") || path == livePath || item.Get.Responses["200"] == nil || item.Get.Responses["200"].Content["application/json"] == nil {
			continue
		}
		res, body := askPlain(t, v.base, path, "Authorization", admin)
		if res.StatusCode != http.StatusOK {
			continue // wants parameters, or a person's session
		}
		if res.Header.Get("Content-Disposition") != "" {
			continue // a file
		}
		tried++
		tag := res.Header.Get("ETag")
		if tag == "" || strings.HasPrefix(tag, "W/") {
			t.Errorf("%s: no strong tag: %q", path, tag)
			continue
		}
		if cc := res.Header.Get("Cache-Control"); cc != "private, no-cache" && cc != "no-store" {
			t.Errorf("%s: Cache-Control %q", path, cc)
		}
		res, second := askPlain(t, v.base, path, "Authorization", admin, "If-None-Match", tag)
		switch {
		case res.StatusCode == http.StatusNotModified && second == "" && res.Header.Get("ETag") == tag:
			again++
		case moving[path] || second != body:
		default:
			t.Errorf("%s: %d with the tag that it gave; body the same: %t", path, res.StatusCode, second == body)
		}
	}
	if tried < 25 || again < 20 {
		t.Errorf("%d operations answered, %d of them 304", tried, again)
	}
}

func TestTagFollowsTheAnswer(t *testing.T) {
	s := bare(t)
	v := visit(t, s)
	admin := alarmKey(t, s, "admin", ledger.Grant{Role: ledger.Admin})
	const path = "/api/v1/alarm-rules"
	res, body := askPlain(t, v.base, path, "Authorization", admin)
	first := res.Header.Get("ETag")
	if code, out := v.do("POST", path, ruleBody(), "Authorization", admin); code != 201 {
		t.Fatal(code, out)
	}
	res, changed := askPlain(t, v.base, path, "Authorization", admin, "If-None-Match", first)
	if res.StatusCode != http.StatusOK || changed == body || res.Header.Get("ETag") == first {
		t.Errorf("after a change: %d, tag %s", res.StatusCode, res.Header.Get("ETag"))
	}
	tag := res.Header.Get("ETag")
	for _, list := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
		if res, _ := askPlain(t, v.base, path, "Authorization", admin, "If-None-Match", list); res.StatusCode != http.StatusNotModified {
			t.Errorf("If-None-Match: %s gives %d", list, res.StatusCode)
		}
	}
	if res, _ := askPlain(t, v.base, path, "Authorization", admin, "If-None-Match", `"other"`, "If-None-Match", tag); res.StatusCode != http.StatusNotModified {
		t.Errorf("two lines of If-None-Match: %d", res.StatusCode)
	}
	for _, list := range []string{`"other"`, strings.Trim(tag, `"`), ""} {
		if res, _ := askPlain(t, v.base, path, "Authorization", admin, "If-None-Match", list); res.StatusCode != http.StatusOK {
			t.Errorf("If-None-Match: %s gives %d", list, res.StatusCode)
		}
	}
	// Compressed bytes are others, and so is their tag.
	zipped, text := askPlain(t, v.base, path, "Authorization", admin, "Accept-Encoding", "gzip")
	z, err := gzip.NewReader(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(z)
	if err != nil || string(plain) != changed {
		t.Errorf("compressed, it says something else: %v", err)
	}
	if zt := zipped.Header.Get("ETag"); zt == tag || zt == "" || zipped.Header.Get("Vary") != "Accept-Encoding" {
		t.Errorf("compressed: tag %s beside %s, Vary %s", zt, tag, zipped.Header.Get("Vary"))
	}
	if res, _ := askPlain(t, v.base, path, "Authorization", admin, "Accept-Encoding", "gzip", "If-None-Match", zipped.Header.Get("ETag")); res.StatusCode != http.StatusNotModified || res.Header.Get("Content-Encoding") != "" {
		t.Errorf("compressed, asked again: %d", res.StatusCode)
	}
	// Nobody gets 304 who would not get the answer, and a tag tells nobody of
	// another's answer.
	if res, _ := askPlain(t, v.base, path, "If-None-Match", tag); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("without a key: %d", res.StatusCode)
	}
	// What tells of accounts is kept by no cache.
	if res, _ := askPlain(t, v.base, "/api/v1/people", "Authorization", admin); res.Header.Get("Cache-Control") != "no-store" || res.Header.Get("ETag") == "" {
		t.Errorf("people: Cache-Control %q", res.Header.Get("Cache-Control"))
	}
}

// What is not a JSON answer of a reasonable size goes through as it was written.
func TestTagLeavesAlone(t *testing.T) {
	long := make([]byte, mostTagged/2+1)
	_, _ = rand.Read(long)
	answers := map[string]http.HandlerFunc{
		"error": func(w http.ResponseWriter, _ *http.Request) { problem(w, 404, "there is none") },
		"csv": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/csv")
			_, _ = io.WriteString(w, "a,b\n")
		},
		"file": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Disposition", "attachment")
			_, _ = io.WriteString(w, "{}")
		},
		"large": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(long)
			_, _ = w.Write(long)
		},
		"flushed": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, "[1")
			if err := http.NewResponseController(w).Flush(); err != nil {
				t.Error(err)
			}
			_, _ = io.WriteString(w, ",2]")
		},
	}
	for name, answer := range answers {
		plain, tagged := httptest.NewRecorder(), httptest.NewRecorder()
		req := httptest.NewRequest(http.MethodGet, "/api/v1/x", nil)
		req.Header.Set("If-None-Match", "*")
		answer(plain, req)
		tag(answer).ServeHTTP(tagged, req)
		if plain.Code != tagged.Code || plain.Body.String() != tagged.Body.String() || tagged.Header().Get("ETag") != "" {
			t.Errorf("%s: %d with %d bytes and tag %q; untouched it is %d with %d", name, tagged.Code, tagged.Body.Len(), tagged.Header().Get("ETag"), plain.Code, plain.Body.Len())
		}
	}
	// A tag of the operation's own stays, and so does its answer.
	own := tag(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("ETag", `"7"`)
		_, _ = io.WriteString(w, "{}")
	}))
	rec := httptest.NewRecorder()
	own.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/api/v1/x", nil))
	if rec.Header().Get("ETag") != `"7"` || rec.Body.String() != "{}" {
		t.Errorf("an own tag became %s", rec.Header().Get("ETag"))
	}
	// Nothing but GET is held back.
	rec = httptest.NewRecorder()
	tag(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]int{"n": 1})
	})).ServeHTTP(rec, httptest.NewRequest(http.MethodPost, "/api/v1/x", nil))
	if rec.Header().Get("ETag") != "" {
		t.Error("an answer to POST is tagged")
	}
}

func BenchmarkTag(b *testing.B) {
	for _, size := range []int{1 << 10, 64 << 10, 512 << 10} {
		body := make([]byte, size)
		_, _ = rand.Read(body)
		h := tag(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(body)
		}))
		b.Run(fmt.Sprintf("%d kB", size>>10), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/api/v1/x", nil))
			}
		})
	}
}
