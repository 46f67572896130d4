package server

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"ballast/ledger"
)

// idp is an OpenID Connect provider on loopback: discovery, keys, an
// authorization page that says yes at once, tokens for codes with PKCE. Tests
// change what it says.
type idp struct {
	*httptest.Server
	key *rsa.PrivateKey

	mu     sync.Mutex
	codes  map[string]url.Values // what the authorization was asked with
	person map[string]any
	twist  func(claims, header map[string]any) // changes the ID token before it is signed
	signer *rsa.PrivateKey                     // another key than the published one, when not nil
	silent bool                                // does not answer at all
	loose  bool                                // does not look at the verifier
}

func newIDP(t *testing.T) *idp {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &idp{key: key, codes: map[string]url.Values{}}
	b64 := base64.RawURLEncoding.EncodeToString
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(v)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		if p.silent {
			http.Error(w, "closed", http.StatusBadGateway)
			return
		}
		answer(w, map[string]any{"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys", "userinfo_endpoint": p.URL + "/info", "id_token_signing_alg_values_supported": []string{"RS256"}})
	})
	mux.HandleFunc("/keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"keys": []any{map[string]any{"kty": "RSA", "kid": "1", "use": "sig", "alg": "RS256", "n": b64(key.N.Bytes()), "e": b64(big.NewInt(int64(key.E)).Bytes())}}})
	})
	mux.HandleFunc("/authorize", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("client_id") != "ballast" || q.Get("code_challenge_method") != "S256" || q.Get("nonce") == "" || q.Get("state") == "" {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		p.mu.Lock()
		code := rand.Text()
		p.codes[code] = q
		p.mu.Unlock()
		http.Redirect(w, r, q.Get("redirect_uri")+"?code="+code+"&state="+url.QueryEscape(q.Get("state")), http.StatusFound)
	})
	mux.HandleFunc("/info", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"sub": p.person["sub"], "groups": []string{"mining-ops"}})
	})
	mux.HandleFunc("/token", func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		defer p.mu.Unlock()
		user, secret, _ := r.BasicAuth()
		asked, ok := p.codes[r.FormValue("code")]
		delete(p.codes, r.FormValue("code"))
		sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
		if !ok || user != "ballast" || secret != "hush" || !p.loose && b64(sum[:]) != asked.Get("code_challenge") {
			http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
			return
		}
		now := time.Now()
		claims := map[string]any{"iss": p.URL, "aud": "ballast", "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "nonce": asked.Get("nonce")}
		header := map[string]any{"alg": "RS256", "kid": "1", "typ": "JWT"}
		maps.Copy(claims, p.person)
		if p.twist != nil {
			p.twist(claims, header)
		}
		hj, _ := json.Marshal(header)
		cj, _ := json.Marshal(claims)
		signed := b64(hj) + "." + b64(cj)
		digest := sha256.Sum256([]byte(signed))
		signer := key
		if p.signer != nil {
			signer = p.signer
		}
		signature, err := rsa.SignPKCS1v15(rand.Reader, signer, crypto.SHA256, digest[:])
		if err != nil {
			t.Error(err)
		}
		if header["alg"] == "none" {
			signature = nil
		}
		answer(w, map[string]any{"access_token": "x", "token_type": "Bearer", "id_token": signed + "." + b64(signature)})
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	return p
}

// federated is a server that signs in with p, listening where its URL says.
func federated(t *testing.T, p *idp, set ...func(*OIDC)) (*Server, string) {
	t.Helper()
	var handler http.Handler
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(ts.Close)
	o := OIDC{Name: "Example", Issuer: p.URL, ClientID: "ballast", ClientSecret: "hush", Scopes: []string{"email"}, Claim: "groups",
		Grants: []ClaimGrant{{"mining-ops", ledger.Grant{Role: ledger.Operator, Site: "site"}}, {"chiefs", ledger.Grant{Role: ledger.Admin}}}, Domains: []string{"example.com"}}
	for _, f := range set {
		f(&o)
	}
	s := bare(t, func(so *Options) { so.OIDC, so.URL = &o, ts.URL })
	handler = s.Handler()
	return s, ts.URL
}

func wary(t *testing.T, base string) *visitor {
	t.Helper()
	v := visitAt(t, base)
	v.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return v
}

// follow asks and gives where the answer leads.
func (v *visitor) follow(address string) string {
	v.t.Helper()
	res, err := v.http.Get(address)
	if err != nil {
		v.t.Fatal(err)
	}
	res.Body.Close()
	return res.Header.Get("Location")
}

// through goes to the provider and back, and gives where it ends.
func (v *visitor) through(to string) string {
	v.t.Helper()
	back := v.follow(v.follow(v.base + "/api/v1/session/oidc?to=" + url.QueryEscape(to)))
	if !strings.HasPrefix(back, v.base+"/api/v1/session/oidc/callback?code=") {
		v.t.Fatal("the provider sends to", back)
	}
	return v.follow(back)
}

func problemOf(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Path != "/sign-in" {
		return "not refused: " + to
	}
	return u.Query().Get("problem")
}

func bobAt() map[string]any {
	return map[string]any{"sub": "u-7", "email": "bob@Example.COM", "email_verified": true, "preferred_username": "bob", "name": "Bob", "groups": []string{"choir", "mining-ops"}}
}

func TestOIDCSignsIn(t *testing.T) {
	p := newIDP(t)
	p.person = bobAt()
	s, base := federated(t, p)
	v := wary(t, base)
	if to := v.through("/machines/1?x=y"); to != "/machines/1?x=y" {
		t.Fatal("ends at", to)
	}
	out := v.must(200, "GET", "/api/v1/session", nil)
	if out["name"] != "bob" || fmt.Sprint(out["grants"]) != "[map[role:operator site:site]]" {
		t.Error(out)
	}
	// A second time it is the same account; grants follow the provider.
	p.person["groups"] = "chiefs"
	p.person["preferred_username"] = "robert"
	w := wary(t, base)
	w.through("/")
	if out := w.must(200, "GET", "/api/v1/session", nil); out["name"] != "bob" || fmt.Sprint(out["grants"]) != "[map[role:admin]]" {
		t.Error(out)
	}
	// The last admin is not lowered by the provider, and gets in.
	p.person["groups"] = []string{"mining-ops"}
	w = wary(t, base)
	w.through("/")
	if out := w.must(200, "GET", "/api/v1/session", nil); fmt.Sprint(out["grants"]) != "[map[role:admin]]" {
		t.Error("the last admin was lowered:", out)
	}
	if _, err := s.Record.AddUser(t.Context(), ledger.User{Name: "carol", PasswordHash: "x", Grants: []ledger.Grant{{Role: ledger.Admin}}}, ledger.By("test")); err != nil {
		t.Fatal(err)
	}
	p.person["groups"] = []string{}
	if why := problemOf(wary(t, base).through("/")); !strings.Contains(why, "no role here any more") {
		t.Error(why)
	}
	// Groups that are too large for the token come from the user info.
	delete(p.person, "groups")
	w = wary(t, base)
	w.through("/")
	if out := w.must(200, "GET", "/api/v1/session", nil); fmt.Sprint(out["grants"]) != "[map[role:operator site:site]]" {
		t.Error(out)
	}
	for _, evil := range []string{"//evil.com", "https://evil.com", "/\\evil.com", "/\t/evil.com"} {
		if to := wary(t, base).through(evil); to != "/" {
			t.Errorf("after sign-in, %q leads to %q", evil, to)
		}
	}
}

func TestOIDCRefuses(t *testing.T) {
	p := newIDP(t)
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	s, base := federated(t, p)
	if _, err := s.Record.AddUser(t.Context(), ledger.User{Name: "alice", PasswordHash: "x", Grants: []ledger.Grant{{Role: ledger.Admin}}}, ledger.By("test")); err != nil {
		t.Fatal(err)
	}
	claim := func(k string, v any) func(claims, _ map[string]any) { return func(c, _ map[string]any) { c[k] = v } }
	for _, c := range []struct {
		name  string
		set   func()
		words string
	}{
		{"another nonce", func() { p.twist = claim("nonce", "stolen") }, "did not prove"},
		{"no nonce", func() { p.twist = func(c, _ map[string]any) { delete(c, "nonce") } }, "did not prove"},
		{"another audience", func() { p.twist = claim("aud", "grafana") }, "did not prove"},
		{"another issuer", func() { p.twist = claim("iss", "https://evil.example.com") }, "did not prove"},
		{"expired", func() { p.twist = claim("exp", time.Now().Add(-time.Hour).Unix()) }, "did not prove"},
		{"another key", func() { p.signer = stranger }, "did not prove"},
		{"no signature", func() { p.twist = func(_, h map[string]any) { h["alg"] = "none" } }, "did not prove"},
		{"another domain", func() { p.person["email"] = "bob@example.com.evil.com" }, "only addresses of example.com"},
		{"a domain in front", func() { p.person["email"] = "example.com@evil.com" }, "only addresses of example.com"},
		{"an address that was not verified", func() { p.person["email_verified"] = false }, "has not verified"},
		{"no address", func() { delete(p.person, "email") }, "has not verified"},
		{"no role", func() { p.person["groups"] = []string{"choir"} }, "no role"},
		{"an admin's name", func() { p.person["preferred_username"] = "Alice" }, "is taken"},
	} {
		p.person, p.twist, p.signer = bobAt(), nil, nil
		c.set()
		v := wary(t, base)
		if why := problemOf(v.through("/")); !strings.Contains(why, c.words) {
			t.Errorf("%s: %s", c.name, why)
		}
		v.must(401, "GET", "/api/v1/session", nil)
	}
	if us, err := s.Record.Users(t.Context()); err != nil || len(us) != 1 {
		t.Errorf("accounts made on the way: %+v %v", us, err)
	}
}

// What comes back must be of this browser's own attempt, once.
func TestOIDCStateAndCode(t *testing.T) {
	p := newIDP(t)
	p.person = bobAt()
	_, base := federated(t, p)
	begin := func(v *visitor) string { return v.follow(v.follow(base + "/api/v1/session/oidc")) }
	mallory, victim := wary(t, base), wary(t, base)
	hers := begin(mallory)
	// Sign-in under somebody else's account (login CSRF): the victim has no step,
	// or one of their own.
	if why := problemOf(victim.follow(hers)); !strings.Contains(why, "expired") {
		t.Error("no step:", why)
	}
	begin(victim)
	if why := problemOf(victim.follow(hers)); !strings.Contains(why, "does not belong") {
		t.Error("another's state:", why)
	}
	victim.must(401, "GET", "/api/v1/session", nil)
	// A stolen code under one's own state: the verifier does not fit.
	v := wary(t, base)
	mine, _ := url.Parse(begin(v))
	theirs, _ := url.Parse(begin(wary(t, base)))
	q := mine.Query()
	q.Set("code", theirs.Query().Get("code"))
	if why := problemOf(v.follow(base + mine.Path + "?" + q.Encode())); !strings.Contains(why, "did not prove") {
		t.Error("a stolen code:", why)
	}
	// And even with a provider that does not look at the verifier, the nonce tells.
	p.loose = true
	v = wary(t, base)
	mine, _ = url.Parse(begin(v))
	theirs, _ = url.Parse(begin(wary(t, base)))
	q = mine.Query()
	q.Set("code", theirs.Query().Get("code"))
	if why := problemOf(v.follow(base + mine.Path + "?" + q.Encode())); !strings.Contains(why, "did not prove") {
		t.Error("a stolen code at a loose provider:", why)
	}
	v = wary(t, base)
	back := begin(v)
	if to := v.follow(back); to != "/" {
		t.Fatal(to)
	}
	if why := problemOf(v.follow(back)); !strings.Contains(why, "expired") {
		t.Error("a second time:", why)
	}
	if why := problemOf(wary(t, base).follow(base + "/api/v1/session/oidc/callback?error=access_denied%0d%0aSet-Cookie:x")); !strings.Contains(why, "expired") {
		t.Error(why)
	}
}

func TestOIDCJoinsAccounts(t *testing.T) {
	p := newIDP(t)
	p.person = bobAt()
	s, base := federated(t, p, func(o *OIDC) { o.Grants = nil })
	if why := problemOf(wary(t, base).through("/")); !strings.Contains(why, "no role") {
		t.Error("without grants, a stranger:", why)
	}
	alice := wary(t, base)
	alice.must(200, "POST", "/api/v1/setup", map[string]string{"token": token(t, s), "name": "alice", "password": longPassword})
	out := alice.must(200, "POST", "/api/v1/account/identities", nil)
	back := alice.follow(out["location"].(string))
	// Signed out in between, it joins nothing.
	cookie := alice.cookie()
	if to := wary(t, base).follow(back); !strings.Contains(to, "problem") {
		t.Error("joined by a stranger:", to)
	}
	if to := alice.follow(back); to != "/settings/account" {
		t.Fatal(to)
	}
	if alice.cookie() != cookie {
		t.Error("joining changed who is signed in")
	}
	v := wary(t, base)
	v.through("/")
	if out := v.must(200, "GET", "/api/v1/session", nil); out["name"] != "alice" || fmt.Sprint(out["grants"]) != "[map[role:admin]]" {
		t.Error(out)
	}
	// Of another account it cannot become.
	bob := join(t, s, alice, "bob", ledger.Grant{Role: ledger.Viewer})
	b := wary(t, base)
	b.must(200, "POST", "/api/v1/session", map[string]string{"name": "bob", "password": longPassword})
	out = b.must(200, "POST", "/api/v1/account/identities", nil)
	if to := b.follow(b.follow(out["location"].(string))); !strings.Contains(to, "already") {
		t.Error(to)
	}
	_ = bob
	alice.must(204, "DELETE", "/api/v1/account/identities?issuer="+url.QueryEscape(p.URL)+"&subject=u-7", nil)
	if why := problemOf(wary(t, base).through("/")); !strings.Contains(why, "no role") {
		t.Error("parted, and still in:", why)
	}
}

func TestOIDCProviderIsAway(t *testing.T) {
	p := newIDP(t)
	p.person, p.silent = bobAt(), true
	s, base := federated(t, p)
	if why := problemOf(wary(t, base).follow(base + "/api/v1/session/oidc")); !strings.Contains(why, "does not answer") {
		t.Error(why)
	}
	p.silent = false
	s.provider.failed = time.Time{} // the pause is over
	if to := wary(t, base).through("/"); to != "/" {
		t.Error("back again:", to)
	}
}
