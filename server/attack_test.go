package server

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"ballast/ledger"
)

// serving is a server that runs as in production: its own timeouts and limits of
// headers, on a real socket. It gives its address.
func serving(t *testing.T, s *Server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx, l) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// say sends bytes as they are and gives the answer's status and all of its text.
func say(t *testing.T, address, text string) (status int, answer string) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	go func() { _, _ = io.WriteString(c, text) }() // the server may answer and close before all is sent
	b, _ := io.ReadAll(c)
	_, _ = fmt.Sscanf(string(b), "HTTP/1.1 %d", &status)
	return status, string(b)
}

func get(path string, header ...string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + strings.Join(header, "") + "\r\n"
}

// An attacker who plants a session of their own in somebody's browser gains
// nothing: signing in gives a new one, and the planted one ends.
func TestSessionFixation(t *testing.T) {
	s := bare(t)
	alice := admitted(t, s)
	mallory := join(t, s, alice, "mallory", ledger.Grant{Role: ledger.Viewer})
	planted := mallory.cookie()
	for _, cookie := range []string{planted, "made-up", strings.Repeat("A", 43)} {
		v := visit(t, s)
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, v.base+"/api/v1/session", strings.NewReader(`{"name":"alice","password":"`+longPassword+`"}`))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Cookie", "ballast="+cookie)
		res, err := v.http.Do(req)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatal(res, err)
		}
		res.Body.Close()
		if got := v.cookie(); got == cookie || len(got) != 43 {
			t.Errorf("after sign-in the token is %q", got)
		}
		visit(t, s).must(401, "GET", "/api/v1/session", nil, "Cookie", "ballast="+cookie)
	}
}

func TestSessionsDieWhenSignedOutAndOfAge(t *testing.T) {
	s := bare(t)
	alice := admitted(t, s)
	token := alice.cookie()
	alice.must(204, "DELETE", "/api/v1/session", nil)
	visit(t, s).must(401, "GET", "/api/v1/session", nil, "Cookie", "ballast="+token)
	alice.must(200, "POST", "/api/v1/session", map[string]string{"name": "alice", "password": longPassword})
	token = alice.cookie()
	x, err := s.Record.SessionBySum(t.Context(), ledger.HashSecret(token))
	if err != nil || strings.Contains(fmt.Sprint(x), token) {
		t.Fatal("the record holds the token itself:", x, err)
	}
	if err := s.Record.TouchSession(t.Context(), x.ID, "", time.Now().Add(20*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(30 * time.Millisecond)
	alice.must(401, "GET", "/api/v1/session", nil)
	begun := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for used, want := range map[time.Duration]time.Duration{0: sessionIdle, 10 * 24 * time.Hour: 13 * 24 * time.Hour, 13 * 24 * time.Hour: sessionLife} {
		if end := sessionEnd(begun, begun.Add(used)); end != begun.Add(want) {
			t.Errorf("used after %v it ends after %v, want %v", used, end.Sub(begun), want)
		}
	}
}

func TestCookieFlags(t *testing.T) {
	for url, want := range map[string][]string{
		"http://127.0.0.1:8480":       {"ballast=", "Path=/", "HttpOnly", "SameSite=Lax"},
		"https://ballast.example.com": {"__Host-ballast=", "Path=/", "HttpOnly", "SameSite=Lax", "Secure"},
	} {
		s := bare(t, func(o *Options) { o.URL = url })
		v := visit(t, s)
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, v.base+"/api/v1/setup", strings.NewReader(`{"token":"`+token(t, s)+`","name":"alice","password":"`+longPassword+`"}`))
		req.Header.Set("Content-Type", "application/json")
		res, err := v.http.Do(req)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatal(res, err)
		}
		res.Body.Close()
		cookie := res.Header.Get("Set-Cookie")
		for _, flag := range want {
			if !strings.Contains(cookie, flag) {
				t.Errorf("%s: %q lacks %s", url, cookie, flag)
			}
		}
		if strings.Contains(cookie, "Domain") || res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", url, res.Header)
		}
		secure := strings.HasPrefix(url, "https")
		if (res.Header.Get("Strict-Transport-Security") != "") != secure {
			t.Errorf("%s: HSTS %q", url, res.Header.Get("Strict-Transport-Security"))
		}
		if secure { // one without the prefix, as a neighbouring name could plant it, is not looked at
			_, value, _ := strings.Cut(strings.Split(cookie, ";")[0], "=")
			visit(t, s).must(401, "GET", "/api/v1/session", nil, "Cookie", "ballast="+value)
			visit(t, s).must(200, "GET", "/api/v1/session", nil, "Cookie", "__Host-ballast="+value)
		}
	}
}

// A page of another site makes a signed-in browser do nothing.
func TestCrossOrigin(t *testing.T) {
	s := bare(t, func(o *Options) { o.URL = "https://ballast.example.com" })
	alice := admitted(t, s)
	evil := [][]string{
		{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example.com"}, {"Origin", "null"},
		{"Origin", "https://ballast.example.com.evil.com"}, {"Origin", "http://ballast.example.com"}, {"Sec-Fetch-Site", "cross-site", "Content-Type", "text/plain"},
	}
	for path, item := range s.api.OpenAPI().Paths {
		for method, o := range operations(item) {
			if method == "GET" {
				continue
			}
			for _, h := range evil {
				if code, _ := alice.do(method, strings.ReplaceAll(path, "{id}", "1"), bodyFor(o.OperationID), h...); code != 403 {
					t.Errorf("%s %s with %v: %d", method, path, h, code)
				}
			}
		}
	}
	// Its own page may, behind a proxy that changes Host, too.
	alice.must(422, "POST", "/api/v1/keys", map[string]any{"name": "k", "scopes": []string{}}, "Origin", "https://ballast.example.com")
	alice.must(422, "POST", "/api/v1/keys", map[string]any{"name": "k", "scopes": []string{}}, "Sec-Fetch-Site", "same-origin")
	// No answer lets another origin read.
	for _, path := range []string{"/api/v1/session", "/api/v1/machines", "/", "/metrics"} {
		res, err := http.DefaultClient.Do(request(t, "GET", alice.base+path, "Origin", "https://evil.example.com"))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		for k := range res.Header {
			if strings.HasPrefix(k, "Access-Control-") {
				t.Errorf("%s: %s: %s", path, k, res.Header.Get(k))
			}
		}
	}
}

func request(t *testing.T, method, url string, header ...string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	return req
}

// Guessing from many addresses is slowed down by the name, guessing many names
// by the address; lying about the address does not help; the real owner gets in
// when the wait is over. The log tells once.
func TestBruteForce(t *testing.T) {
	proxy := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	s := bare(t, func(o *Options) { o.TrustedProxies = proxy })
	admitted(t, s)
	v := visit(t, s)
	guess := func(name, from string) int {
		code, _ := v.do("POST", "/api/v1/session", map[string]string{"name": name, "password": "guess"}, "X-Forwarded-For", from)
		return code
	}
	tries := func(n int, f func(i int) int) map[int]int {
		codes := map[int]int{}
		for i := range n {
			codes[f(i)]++
		}
		return codes
	}
	if codes := tries(8, func(i int) int { return guess("alice", fmt.Sprintf("198.51.100.%d", i)) }); codes[429] == 0 {
		t.Errorf("one name from many addresses: %v", codes)
	}
	if codes := tries(8, func(i int) int { return guess(fmt.Sprint("user", i), "203.0.113.1") }); codes[429] == 0 {
		t.Errorf("many names from one address: %v", codes)
	}
	if codes := tries(8, func(i int) int { return guess(fmt.Sprint("person", i), fmt.Sprintf("192.0.2.%d, 203.0.113.2", i)) }); codes[429] == 0 {
		t.Errorf("one address that says it is others: %v", codes)
	}
	if codes := tries(8, func(i int) int { return guess(fmt.Sprint("six", i), fmt.Sprintf("2001:db8::%d", i)) }); codes[429] == 0 {
		t.Errorf("one IPv6 network: %v", codes)
	}
	for at := time.Now().Add(-3 * time.Minute); at.Before(time.Now()); { // until it must wait for more than a minute
		w, _ := s.throttle.try("from 203.0.113.1", at)
		at = at.Add(w)
	}
	res, err := v.http.Do(func() *http.Request {
		req := request(t, "POST", v.base+"/api/v1/session", "X-Forwarded-For", "203.0.113.1", "Content-Type", "application/json")
		req.Body = io.NopCloser(strings.NewReader(`{"name":"x","password":"y"}`))
		return req
	}())
	if err != nil || res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") == "" {
		t.Error(res, err)
	}
	res.Body.Close()
	rows, err := s.Record.AuditRows(t.Context(), ledger.AuditFilter{Action: "session.guessing"})
	if err != nil || len(rows) != 4 {
		t.Errorf("the log tells of guessing %d times, want once for each of four: %v", len(rows), err)
	}
	// Without a trusted proxy its header is worth nothing.
	s = bare(t)
	admitted(t, s)
	v = visit(t, s)
	if codes := tries(8, func(i int) int { return guess(fmt.Sprint("who", i), fmt.Sprintf("198.51.100.%d", i)) }); codes[429] == 0 {
		t.Errorf("a stranger's X-Forwarded-For was believed: %v", codes)
	}
	s.throttle = newThrottle()
	v.must(200, "POST", "/api/v1/session", map[string]string{"name": "alice", "password": longPassword})
	// A hundred guesses at once are a hundred, not one before the first is refused.
	s.throttle = newThrottle()
	codes, all := map[int]int{}, make(chan int)
	for range 40 {
		go func() {
			res, err := http.Post(v.base+"/api/v1/session", "application/json", strings.NewReader(`{"name":"alice","password":"guess"}`))
			if err != nil {
				all <- 0
				return
			}
			res.Body.Close()
			all <- res.StatusCode
		}()
	}
	for range 40 {
		codes[<-all]++
	}
	if codes[401] > 10 || codes[429] < 30 {
		t.Errorf("forty guesses at once: %v", codes)
	}
	for i := range 30_000 {
		s.throttle.try(fmt.Sprint("from ", i), time.Now())
	}
	if n := len(s.throttle.fail); n > 10_001 {
		t.Error("the throttle remembers", n)
	}
}

// Who has an account cannot be found out: not by words, not by status, not by
// the time it takes, neither for those who never were nor for those disabled.
func TestEnumeration(t *testing.T) {
	s := bare(t, func(o *Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	alice := admitted(t, s)
	join(t, s, alice, "gone", ledger.Grant{Role: ledger.Viewer})
	u, _ := s.Record.UserByName(t.Context(), "gone")
	alice.must(200, "PATCH", fmt.Sprintf("/api/v1/people/%d", u.ID), map[string]any{"disabled": true})
	v := visit(t, s)
	n := 0
	ask := func(name, password string) (string, time.Duration) {
		n++
		s.throttle = newThrottle()
		begun := time.Now()
		code, out := v.do("POST", "/api/v1/session", map[string]string{"name": name, "password": password}, "X-Forwarded-For", fmt.Sprintf("10.0.0.%d", n))
		return fmt.Sprint(code, out), time.Since(begun)
	}
	want, _ := ask("alice", "wrong")
	times := map[string][]time.Duration{}
	for range 7 {
		for name, password := range map[string]string{"alice": "wrong", "nobody at all": "wrong", "gone": longPassword} {
			got, took := ask(name, password)
			if got != want {
				t.Fatalf("%s: %s, and alice: %s", name, got, want)
			}
			times[name] = append(times[name], took)
		}
	}
	least := func(name string) time.Duration { return slices.Min(times[name]) } // of several: what is not the machine's noise
	known := least("alice")
	for _, name := range []string{"nobody at all", "gone"} {
		if r := float64(least(name)) / float64(known); r < 0.6 || r > 1.7 {
			t.Errorf("%s takes %v, a known name %v", name, least(name), known)
		}
	}
	// Nor do the other doors tell.
	for _, c := range []struct {
		path string
		body any
	}{{"/api/v1/setup/link", map[string]string{"token": "x"}}, {"/api/v1/setup", map[string]string{"token": "x", "name": "alice", "password": longPassword}}, {"/api/v1/setup", map[string]string{"token": "x", "name": "zoe", "password": longPassword}}} {
		if code, out := v.do("POST", c.path, c.body); code != 401 || !strings.Contains(out["detail"].(string), "used already or has expired") {
			t.Errorf("%s: %d %v", c.path, code, out)
		}
	}
}

func TestPathTraversal(t *testing.T) {
	s := bare(t)
	address := serving(t, s)
	for _, path := range []string{
		"/../../../../etc/passwd", "/..%2f..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/assets/../../etc/passwd", "/assets/..%2f..%2f..%2f..%2fetc%2fpasswd",
		"/assets/....//....//etc/passwd", `/..\..\..\etc\passwd`, "/%5c..%5c..%5cetc%5cpasswd", "//etc/passwd", "/./etc/passwd", "/assets//etc/passwd", "/etc/passwd%00.html", "/%c0%ae%c0%ae/etc/passwd",
		"/index.html/../../go.mod", "/.git/config", "/server.go", "/local.json", "/ledger.db",
	} {
		status, answer := say(t, address, get(path))
		if strings.Contains(answer, "root:") || strings.Contains(answer, "module ballast") || status == 200 && !strings.Contains(answer, "<title>page</title>") || status >= 500 {
			t.Errorf("%s: %s", path, answer[:min(200, len(answer))])
		}
		if strings.Contains(answer, "\r\nLocation: //") {
			t.Errorf("%s sends people to another site: %s", path, answer)
		}
	}
	alice := admitted(t, s)
	for _, path := range []string{
		"/api/v1/export?from=2026-01-01T00:00:00Z&format=../../etc/passwd", "/api/v1/export?from=2026-01-01T00:00:00Z&level=../x", "/api/v1/machines/..%2f..%2fetc", "/api/v1/machines/1%2f..%2f..", "/api/v1/commands/..%2f..%2f",
	} {
		if code, _ := alice.do("GET", path, nil); code != 404 && code != 422 {
			t.Errorf("%s: %d", path, code)
		}
	}
	res, err := alice.http.Get(alice.base + "/api/v1/export?from=2026-01-01T00:00:00Z%0d%0aX-Evil:1")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusUnprocessableEntity || res.Header.Get("X-Evil") != "" {
		t.Error(res.Status, res.Header)
	}
}

func TestOversized(t *testing.T) {
	s := bare(t)
	address := serving(t, s)
	big := strings.Repeat("x", 1<<21)
	for name, c := range map[string]struct {
		text string
		want []int
	}{
		"a header":        {get("/api/v1/session", "X-Big: "+big[:100<<10]+"\r\n"), []int{431}},
		"many headers":    {get("/api/v1/session", strings.Repeat("X-A: "+big[:1000]+"\r\n", 200)), []int{431}},
		"a path":          {get("/" + big[:100<<10]), []int{431, 414}},
		"a cookie":        {get("/api/v1/session", "Cookie: ballast="+big[:60<<10]+"\r\n"), []int{401, 431}},
		"a key":           {get("/api/v1/session", "Authorization: Bearer blst_"+big[:60<<10]+"\r\n"), []int{401, 431}},
		"a body":          {"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 2097175\r\n\r\n{\"name\":\"" + big + "\",\"password\":\"\"}", []int{413}},
		"a chunked body":  {"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n200000\r\n" + big + "\r\n0\r\n\r\n", []int{413}},
		"two lengths":     {"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef", []int{400}},
		"length and not":  {"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", []int{400, 501}},
		"negative length": {"POST /api/v1/session HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: -1\r\n\r\n", []int{400}},
		"not HTTP":        {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello\r\n\r\n", []int{400}},
	} {
		status, answer := say(t, address, c.text)
		if !slices.Contains(c.want, status) {
			t.Errorf("%s: %d %.150q, want one of %v", name, status, answer, c.want)
		}
	}
	if status, _ := say(t, address, get("/healthz")); status != 200 {
		t.Error("and after that:", status)
	}
}

// Nothing that a client sends comes back as a header of its own or changes where
// people are sent.
func TestHeaderInjection(t *testing.T) {
	s := bare(t, func(o *Options) { o.URL = "https://ballast.example.com" })
	address := serving(t, s)
	for name, text := range map[string]string{
		"in the path":           get("/%0d%0aX-Evil:%201"),
		"in a query":            get("/api/v1/session/oidc?to=/%0d%0aX-Evil:1"),
		"in an API path":        get("/api/v1/nothing%0d%0aX-Evil:1"),
		"in a bad value":        get("/api/v1/history?aggregate=%0d%0aX-Evil:1&metrics=a"),
		"bare line feeds":       "GET /api/v1/session HTTP/1.1\nHost: x\nConnection: close\nX-Forwarded-For: a\n X-Evil: 1\n\n",
		"forwarded host":        get("/", "X-Forwarded-Host: evil.example.com\r\n", "X-Forwarded-Proto: javascript\r\n", "Forwarded: host=evil.example.com\r\n", "X-Original-URL: /api/v1/people\r\n", "X-Rewrite-URL: /api/v1/people\r\n"),
		"another host":          "GET //evil.example.com/ HTTP/1.1\r\nHost: evil.example.com\r\nConnection: close\r\n\r\n",
		"an absolute address":   "GET http://evil.example.com/api/v1/session HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		"a host that is a path": "GET / HTTP/1.1\r\nHost: x/evil\r\nConnection: close\r\n\r\n",
		"a forwarded for":       get("/api/v1/session", "X-Forwarded-For: 127.0.0.1\r\n", "X-Real-IP: 127.0.0.1\r\n"),
	} {
		status, answer := say(t, address, text)
		head, _, _ := strings.Cut(answer, "\r\n\r\n")
		if strings.Contains(head, "X-Evil") || strings.Contains(head, "//evil.example.com") || status >= 500 || status == 0 {
			t.Errorf("%s: %s", name, head)
		}
	}
	// /metrics is this machine's; a request through a proxy is not.
	if status, _ := say(t, address, get("/metrics", "X-Forwarded-For: 127.0.0.1\r\n")); status != 401 {
		t.Error("metrics through a proxy:", status)
	}
}

func TestMethodConfusion(t *testing.T) {
	s := bare(t)
	address := serving(t, s)
	alice := admitted(t, s)
	for _, header := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
		alice.must(200, "GET", "/api/v1/session", nil, header, "DELETE")
		alice.must(200, "GET", "/api/v1/session", nil)
	}
	alice.must(200, "GET", "/api/v1/session?_method=DELETE", nil)
	alice.must(200, "GET", "/api/v1/session", nil)
	for _, method := range []string{"TRACE", "CONNECT", "PROPFIND", "get", "BREW", "HEAD", "OPTIONS"} {
		status, answer := say(t, address, method+" /api/v1/session HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: ballast=hush\r\n\r\n")
		if status < 400 || status >= 500 && status != 501 || strings.Contains(answer, "hush") {
			t.Errorf("%s: %d %q", method, status, answer)
		}
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH"} {
		if code, _ := alice.do(method, "/assets/a.js", nil); code != 405 {
			t.Errorf("%s of a file: %d", method, code)
		}
	}
}

func TestJSONBombs(t *testing.T) {
	s := bare(t)
	alice := admitted(t, s)
	deep := strings.Repeat("[", 400_000)
	for name, body := range map[string]string{
		"deep lists":     deep,
		"deep objects":   strings.Repeat(`{"a":`, 150_000),
		"closed deep":    strings.Repeat("[", 200_000) + strings.Repeat("]", 200_000),
		"deep in place":  `{"name":"k","scopes":` + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000) + `}`,
		"many keys":      `{` + strings.Repeat(`"a":1,`, 100_000) + `"b":1}`,
		"a long list":    `{"name":"k","scopes":[` + strings.Repeat(`"look",`, 100_000) + `"look"]}`,
		"a huge number":  `{"name":"k","scopes":["look"],"expires":1e999999999}`,
		"not UTF-8":      "{\"name\":\"\xff\xfe\",\"scopes\":[\"look\xff\"]}",
		"null":           `null`,
		"a list":         `[]`,
		"a text":         `"x"`,
		"two documents":  `{"name":"k","scopes":[]}{"name":"k"}`,
		"nothing":        ``,
		"a prototype":    `{"__proto__":{"administer":true},"name":"k","scopes":["root"]}`,
		"a name of NULs": `{"name":"\u0000\u0000","scopes":["root"]}`,
	} {
		begun := time.Now()
		code, text := alice.raw("POST", "/api/v1/keys", body)
		if code < 400 || code >= 500 {
			t.Errorf("%s: %d %.200s", name, code, text)
		}
		if took := time.Since(begun); took > 3*time.Second {
			t.Errorf("%s took %v", name, took)
		}
		if len(text) > 64<<10 {
			t.Errorf("%s is answered with %d bytes", name, len(text))
		}
	}
	if ks := alice.list("/api/v1/keys"); len(ks) != 0 {
		t.Error("keys were made:", ks)
	}
	alice.must(200, "GET", "/api/v1/session", nil)
}

// Clients that say a byte now and then are cut off; meanwhile others are served.
func TestSlowloris(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for timeouts")
	}
	s := bare(t)
	address := serving(t, s)
	const n = 150
	cut := make(chan time.Duration, n)
	for range n {
		go func() {
			begun := time.Now()
			c, err := net.Dial("tcp", address)
			if err != nil {
				cut <- time.Hour
				return
			}
			defer c.Close()
			_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: x\r\n")
			go func() {
				for range 40 {
					time.Sleep(500 * time.Millisecond)
					if _, err := io.WriteString(c, "X"); err != nil {
						return
					}
				}
			}()
			_ = c.SetReadDeadline(time.Now().Add(15 * time.Second))
			_, err = bufio.NewReader(c).ReadByte()
			for err == nil { // a 408 may come before the end
				_, err = c.Read(make([]byte, 512))
			}
			cut <- time.Since(begun)
		}()
	}
	time.Sleep(time.Second)
	begun := time.Now()
	if status, _ := say(t, address, get("/healthz")); status != 200 || time.Since(begun) > 2*time.Second {
		t.Errorf("while %d dawdle: %d after %v", n, status, time.Since(begun))
	}
	for range n {
		if took := <-cut; took > 9*time.Second {
			t.Fatalf("a client was left to dawdle for %v", took)
		}
	}
}

// A browser takes each answer for what we say it is.
func TestContentSniffing(t *testing.T) {
	s := bare(t)
	alice := admitted(t, s)
	const script = "<script>alert(1)</script>"
	if err := s.Record.SetSetting(t.Context(), "x", script, ledger.By(script)); err != nil {
		t.Fatal(err)
	}
	for path, kind := range map[string]string{
		"/": "text/html; charset=utf-8", "/assets/a.js": "text/javascript; charset=utf-8", "/api/v1/session": "application/json", "/api/v1/audit": "application/json", "/api/v1/audit/export": "text/csv; charset=utf-8",
		"/api/v1/audit/anchor": "application/json", "/api/v1/" + script: "application/problem+json", "/api/v1/history?metrics=" + script: "application/problem+json", "/openapi.yaml": "", "/openapi.json": "", "/healthz": "text/plain; charset=utf-8",
		"/api/v1/export?from=2026-01-01T00:00:00Z": "text/csv; charset=utf-8",
	} {
		res, err := alice.http.Get(alice.base + path)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, res.Body)
		res.Body.Close()
		h := res.Header
		if kind != "" && h.Get("Content-Type") != kind || h.Get("Content-Type") == "" {
			t.Errorf("%s: Content-Type %q, want %q", path, h.Get("Content-Type"), kind)
		}
		csp := h.Get("Content-Security-Policy")
		if h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(csp, "default-src 'none'") || !strings.Contains(csp, "frame-ancestors 'none'") || strings.Contains(csp, "script-src 'self' 'unsafe") || h.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%s: %v", path, h)
		}
		if strings.Contains(path, "export") && !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") {
			t.Errorf("%s is shown, not saved", path)
		}
		if strings.HasPrefix(path, "/api/") && !strings.Contains(h.Get("Cache-Control"), "no-store") && h.Get("ETag") == "" {
			t.Errorf("%s may be kept: %q", path, h.Get("Cache-Control"))
		}
	}
}

// The page is sent once and then confirmed.
func TestPageIsConditional(t *testing.T) {
	v := visit(t, bare(t))
	ask := func(tag string) *http.Response {
		res, err := http.DefaultClient.Do(request(t, "GET", v.base+"/machines/1", "If-None-Match", tag))
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res
	}
	first := ask(`"other"`)
	if first.StatusCode != http.StatusOK || first.Header.Get("ETag") == "" || ask(first.Header.Get("ETag")).StatusCode != http.StatusNotModified {
		t.Error(first.Status, first.Header)
	}
}

// A client that reads nothing of a long answer does not hold it for ever.
func TestReadsNothing(t *testing.T) {
	w := &steadyWriter{ResponseWriter: discard{}, out: http.NewResponseController(discard{})}
	if n, err := w.Write([]byte("x")); n != 1 || err != nil {
		t.Error("a writer without deadlines:", n, err)
	}
	if w.Unwrap() == nil {
		t.Error("the connection cannot be reached")
	}
	if testing.Short() {
		t.Skip("waits for a timeout")
	}
	ended := make(chan error, 1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sw := &steadyWriter{ResponseWriter: w, out: http.NewResponseController(w), wait: 300 * time.Millisecond}
		chunk := make([]byte, 1<<20)
		for range 1000 {
			if _, err := sw.Write(chunk); err != nil {
				ended <- err
				return
			}
		}
		ended <- nil
	})
	srv := &http.Server{Handler: h, ReadHeaderTimeout: time.Second}
	go func() { _ = srv.Serve(l) }()
	defer srv.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = io.WriteString(c, get("/"))
	select {
	case err := <-ended:
		if err == nil {
			t.Error("a thousand megabytes went to somebody who reads nothing")
		}
	case <-time.After(10 * time.Second):
		t.Error("the writer still waits")
	}
}
