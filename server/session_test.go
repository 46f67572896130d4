package server

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ballast/ledger"
)

// visitor is a browser without a screen.
type visitor struct {
	t    *testing.T
	http *http.Client
	base string
}

func visit(t *testing.T, s *Server) *visitor {
	t.Helper()
	ts := httptest.NewServer(s.Handler())
	t.Cleanup(ts.Close)
	return visitAt(t, ts.URL)
}

func visitAt(t *testing.T, base string) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t, &http.Client{Jar: jar}, base}
}

func (v *visitor) do(method, path string, body any, header ...string) (int, map[string]any) {
	v.t.Helper()
	var b bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&b).Encode(body); err != nil {
			v.t.Fatal(err)
		}
	}
	req, err := http.NewRequestWithContext(v.t.Context(), method, v.base+path, &b)
	if err != nil {
		v.t.Fatal(err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := v.http.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	out := map[string]any{}
	_ = json.NewDecoder(res.Body).Decode(&out)
	return res.StatusCode, out
}

const longPassword = "correct horse battery"

func token(t *testing.T, s *Server) string {
	t.Helper()
	link, err := Link(t.Context(), s.Record, "http://x", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	_, tok, ok := strings.Cut(link, "#")
	if !ok {
		t.Fatal(link)
	}
	return tok
}

func TestSetUpSignInSignOut(t *testing.T) {
	s := bare(t)
	v := visit(t, s)
	if code, _ := v.do("GET", "/api/v1/session", nil); code != 401 {
		t.Fatal("a stranger got", code)
	}
	tok := token(t, s)
	if code, out := v.do("POST", "/api/v1/setup", map[string]string{"token": tok, "name": "alice", "password": "short"}); code != 422 || !strings.Contains(out["detail"].(string), "12 characters") {
		t.Fatal(code, out)
	}
	if code, out := v.do("POST", "/api/v1/setup", map[string]string{"token": tok, "name": "alice", "password": longPassword}); code != 200 || out["name"] != "alice" {
		t.Fatal("a too short password must not use the link up:", code, out)
	}
	if code, out := v.do("GET", "/api/v1/session", nil); code != 200 || out["name"] != "alice" {
		t.Fatal(code, out)
	}
	other := visit(t, s)
	if code, _ := other.do("POST", "/api/v1/setup", map[string]string{"token": tok, "name": "mallory", "password": longPassword}); code != 401 {
		t.Fatal("the link worked twice:", code)
	}
	if code, _ := other.do("POST", "/api/v1/session", map[string]string{"name": "Alice ", "password": longPassword}); code != 200 {
		t.Fatal(code)
	}
	if code, _ := v.do("DELETE", "/api/v1/session", nil); code != 204 {
		t.Fatal(code)
	}
	if code, _ := v.do("GET", "/api/v1/session", nil); code != 401 {
		t.Fatal("still signed in after signing out:", code)
	}
	if code, _ := other.do("GET", "/api/v1/session", nil); code != 200 {
		t.Fatal("one session's end ended another:", code)
	}
	rows, err := s.Record.AuditRows(t.Context(), ledger.AuditFilter{})
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]bool{}
	for _, r := range rows {
		said[r.Action] = true
		if strings.Contains(r.Detail, longPassword) || strings.Contains(r.Detail, tok) {
			t.Errorf("the audit log holds a secret: %+v", r)
		}
	}
	if !said["session.sign-in"] || !said["user.set-up"] {
		t.Errorf("audited: %v", said)
	}
}

func TestGuessingSlowsDown(t *testing.T) {
	s := bare(t)
	v := visit(t, s)
	if code, _ := v.do("POST", "/api/v1/setup", map[string]string{"token": token(t, s), "name": "alice", "password": longPassword}); code != 200 {
		t.Fatal(code)
	}
	codes := map[int]int{}
	for range 8 {
		code, out := v.do("POST", "/api/v1/session", map[string]string{"name": "alice", "password": "guess"})
		codes[code]++
		if d, _ := out["detail"].(string); code == 401 && d != "name or password is wrong" {
			t.Error(out)
		}
	}
	if codes[401] != 5 || codes[429] != 3 {
		t.Errorf("answers to eight guesses: %v", codes)
	}
	// Unknown names answer alike, so that names cannot be found out.
	if code, out := visit(t, bare(t)).do("POST", "/api/v1/session", map[string]string{"name": "nobody", "password": "guess"}); code != 401 || out["detail"] != "name or password is wrong" {
		t.Error(code, out)
	}
}

func TestKeysMayDoWhatTheirScopesSay(t *testing.T) {
	s := bare(t)
	v := visit(t, s)
	u, err := s.Record.AddUser(t.Context(), ledger.User{Name: "robot", Grants: []ledger.Grant{{Role: ledger.Operator}}}, ledger.By("test"))
	if err != nil {
		t.Fatal(err)
	}
	add := func(scopes []string, expires time.Time) string {
		key, prefix, sum := ledger.NewAPIKey()
		if _, err := s.Record.AddAPIKey(t.Context(), ledger.APIKey{Prefix: prefix, Sum: sum, User: u.ID, Name: "k", Scopes: scopes, Expires: expires}, ledger.By("test")); err != nil {
			t.Fatal(err)
		}
		return key
	}
	viewer, operator, owner := add([]string{"look"}, time.Time{}), add([]string{"look", "repair", "command"}, time.Time{}), add([]string{"administer"}, time.Time{})
	old := add([]string{"look", "repair", "command"}, time.Now().Add(-time.Hour))
	wish := map[string]any{"machines": []int{1}, "setting": map[string]any{"kind": "sleep"}}
	for _, tt := range []struct {
		name, key, method, path string
		body                    any
		want                    int
	}{
		{"viewer reads", viewer, "GET", "/api/v1/site", nil, 200},
		{"viewer commands", viewer, "POST", "/api/v1/commands", wish, 403},
		{"operator commands a machine that is not there", operator, "POST", "/api/v1/commands", wish, 404},
		{"a scope above its owner's role gives nothing", owner, "GET", "/api/v1/site", nil, 403},
		{"expired", old, "GET", "/api/v1/site", nil, 401},
		{"made up", "blst_000000000000_" + strings.Repeat("a", 43), "GET", "/api/v1/site", nil, 401},
		{"not a key", "x", "GET", "/api/v1/site", nil, 401},
	} {
		if code, out := v.do(tt.method, tt.path, tt.body, "Authorization", "Bearer "+tt.key); code != tt.want {
			t.Errorf("%s: %d %v, want %d", tt.name, code, out, tt.want)
		}
	}
}

func TestForeignPagesAndOversizedBodies(t *testing.T) {
	s := bare(t)
	v := visit(t, s)
	if code, _ := v.do("POST", "/api/v1/session", map[string]string{"name": "a", "password": "b"}, "Sec-Fetch-Site", "cross-site"); code != 403 {
		t.Error("a foreign page could post:", code)
	}
	if code, _ := v.do("POST", "/api/v1/session", map[string]string{"name": "a", "password": strings.Repeat("x", 2<<20)}); code != 413 && code != 422 && code != 400 {
		t.Error("two megabytes:", code)
	}
	v = visit(t, s) // the last connection was cut
	res, err := v.http.Get(v.base + "/api/v1/nothing")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusNotFound || res.Header.Get("Content-Type") != "application/problem+json" || res.Header.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(res.Header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Error(res.Status, res.Header)
	}
}

func TestPasswords(t *testing.T) {
	h := HashPassword(longPassword)
	if !strings.HasPrefix(h, "$argon2id$v=19$m=65536,t=3,p=2$") || strings.Contains(h, longPassword) {
		t.Error(h)
	}
	if !CheckPassword(h, longPassword) || CheckPassword(h, longPassword+"x") || CheckPassword("", "") || CheckPassword("$argon2id$garbage", "x") || CheckPassword("$argon2id$v=19$m=99999999,t=1,p=1$AAAA$AAAA", "x") {
		t.Error("password check")
	}
	if HashPassword(longPassword) == h {
		t.Error("no salt")
	}
}
