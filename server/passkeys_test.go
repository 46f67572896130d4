package server

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/descope/virtualwebauthn"

	"ballast/ledger"
)

// named is a server that is reached under a name, as passkeys need it.
func named(t *testing.T) *Server {
	return bare(t, func(o *Options) { o.URL = "http://localhost:8480" })
}

var relyingParty = virtualwebauthn.RelyingParty{Name: "Ballast", ID: "localhost", Origin: "http://localhost:8480"}

// raw posts text as JSON and gives the answer as it is.
func (v *visitor) raw(method, path, body string) (int, string) {
	v.t.Helper()
	req, err := http.NewRequestWithContext(v.t.Context(), method, v.base+path, strings.NewReader(body))
	if err != nil {
		v.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := v.http.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// attest runs the first step of registering and the authenticator's answer.
func attest(t *testing.T, v *visitor, rp virtualwebauthn.RelyingParty, device virtualwebauthn.Authenticator, c virtualwebauthn.Credential) string {
	t.Helper()
	code, text := v.raw("POST", "/api/v1/account/passkeys/options", `{"password":"`+longPassword+`"}`)
	if code != 200 {
		t.Fatal(code, text)
	}
	options, err := virtualwebauthn.ParseAttestationOptions(`{"publicKey":` + text + `}`)
	if err != nil {
		t.Fatal(err, text)
	}
	answer, _ := json.Marshal(map[string]any{"name": "laptop", "credential": json.RawMessage(virtualwebauthn.CreateAttestationResponse(rp, device, c, *options))})
	return string(answer)
}

// assert runs the first step of signing in and the authenticator's answer.
func assertion(t *testing.T, v *visitor, rp virtualwebauthn.RelyingParty, device virtualwebauthn.Authenticator, c virtualwebauthn.Credential) string {
	t.Helper()
	code, text := v.raw("POST", "/api/v1/session/passkey/options", ``)
	if code != 200 {
		t.Fatal(code, text)
	}
	options, err := virtualwebauthn.ParseAssertionOptions(`{"publicKey":` + text + `}`)
	if err != nil {
		t.Fatal(err, text)
	}
	return virtualwebauthn.CreateAssertionResponse(rp, device, c, *options)
}

func registered(t *testing.T, s *Server, v *visitor) (virtualwebauthn.Authenticator, virtualwebauthn.Credential) {
	t.Helper()
	u, err := s.Record.UserByName(t.Context(), "alice")
	if err != nil {
		t.Fatal(err)
	}
	device := virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: handle(u)})
	c := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	if code, text := v.raw("POST", "/api/v1/account/passkeys", attest(t, v, relyingParty, device, c)); code != 201 {
		t.Fatal(code, text)
	}
	device.AddCredential(c)
	return device, c
}

func TestPasskeySignsIn(t *testing.T) {
	s := named(t)
	alice := admitted(t, s)
	device, c := registered(t, s, alice)
	v := visit(t, s)
	answer := assertion(t, v, relyingParty, device, c)
	code, text := v.raw("POST", "/api/v1/session/passkey", answer)
	if code != 200 || !strings.Contains(text, `"name":"alice"`) {
		t.Fatal(code, text)
	}
	v.must(200, "GET", "/api/v1/session", nil)
	if xs := v.list("/api/v1/account/sessions"); xs[0]["method"] != "passkey" {
		t.Error(xs)
	}
	// The very same answer opens nothing a second time, with the cookie of its
	// challenge or without.
	if code, _ := v.raw("POST", "/api/v1/session/passkey", answer); code != 401 {
		t.Error("an answer worked twice:", code)
	}
	if ps := alice.list("/api/v1/account/passkeys"); len(ps) != 1 || ps[0]["last_used"] == nil {
		t.Error(ps)
	}
}

// Each of these is refused with the same words.
func TestPasskeysRefused(t *testing.T) {
	s := named(t)
	alice := admitted(t, s)
	device, c := registered(t, s, alice)
	u, _ := s.Record.UserByName(t.Context(), "alice")
	carol, err := s.Record.AddUser(t.Context(), ledger.User{Name: "carol", PasswordHash: "x", Grants: []ledger.Grant{{Role: ledger.Admin}}}, ledger.By("test"))
	if err != nil {
		t.Fatal(err)
	}
	other := relyingParty
	other.Origin = "https://evil.example.com"
	phish := relyingParty
	phish.ID = "evil.example.com"
	stranger := virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: handle(u)})
	unknown := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	stranger.AddCredential(unknown)
	forged := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	forged.ID = c.ID // the right name, another key
	posing := virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: handle(carol)})
	posing.AddCredential(c)
	unverified := virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: handle(u), UserNotVerified: true})
	unverified.AddCredential(c)
	for name, make := range map[string]func(v *visitor) string{
		"another origin":     func(v *visitor) string { return assertion(t, v, other, device, c) },
		"another party":      func(v *visitor) string { return assertion(t, v, phish, device, c) },
		"an unknown passkey": func(v *visitor) string { return assertion(t, v, relyingParty, stranger, unknown) },
		"a forged signature": func(v *visitor) string { return assertion(t, v, relyingParty, device, forged) },
		"somebody's handle":  func(v *visitor) string { return assertion(t, v, relyingParty, posing, c) },
		"no PIN, no finger":  func(v *visitor) string { return assertion(t, v, relyingParty, unverified, c) },
		"nonsense":           func(v *visitor) string { assertion(t, v, relyingParty, device, c); return `{"id":"x"}` },
		"another's challenge": func(v *visitor) string {
			a := assertion(t, v, relyingParty, device, c)
			assertion(t, v, relyingParty, device, c)
			return a
		},
	} {
		v := visit(t, s)
		code, text := v.raw("POST", "/api/v1/session/passkey", make(v))
		if code != 401 || !strings.Contains(text, "opens no account here") {
			t.Errorf("%s: %d %s", name, code, text)
		}
		if code, _ := v.do("GET", "/api/v1/session", nil); code != 401 {
			t.Errorf("%s: signed in", name)
		}
		s.throttle = newThrottle() // the next case is another attacker
	}
	// No cookie of the first step: another browser than began.
	v, w := visit(t, s), visit(t, s)
	if code, _ := w.raw("POST", "/api/v1/session/passkey", assertion(t, v, relyingParty, device, c)); code != 401 {
		t.Error("another browser's answer:", code)
	}
	// A disabled account, and a passkey that was removed.
	edit := func(disabled bool) {
		if _, err := s.Record.EditUser(t.Context(), u.ID, ledger.UserEdit{Disabled: opt(&disabled)}, ledger.By("test")); err != nil {
			t.Fatal(err)
		}
	}
	edit(true)
	if code, _ := v.raw("POST", "/api/v1/session/passkey", assertion(t, v, relyingParty, device, c)); code != 401 {
		t.Error("a disabled account's passkey:", code)
	}
	edit(false)
	if err := s.Record.RemovePasskey(t.Context(), 1, u.ID, ledger.By("test")); err != nil {
		t.Fatal(err)
	}
	if code, _ := v.raw("POST", "/api/v1/session/passkey", assertion(t, v, relyingParty, device, c)); code != 401 {
		t.Error("a removed passkey:", code)
	}
}

func TestRegisteringPasskeys(t *testing.T) {
	s := named(t)
	alice := admitted(t, s)
	u, _ := s.Record.UserByName(t.Context(), "alice")
	// A stolen session alone plants no passkey: it takes the password.
	if code, _ := alice.raw("POST", "/api/v1/account/passkeys/options", `{}`); code != 422 {
		t.Error("options without the password:", code)
	}
	device := virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: handle(u)})
	c := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	other := relyingParty
	other.Origin = "https://evil.example.com"
	if code, text := alice.raw("POST", "/api/v1/account/passkeys", attest(t, alice, other, device, c)); code != 422 {
		t.Error("another origin:", code, text)
	}
	// The step of one person, finished by another.
	bob := join(t, s, alice, "bob", ledger.Grant{Role: ledger.Viewer})
	answer := attest(t, alice, relyingParty, device, c)
	at, _ := url.Parse(alice.base)
	here, _ := url.Parse(bob.base)
	for _, k := range alice.http.Jar.Cookies(at) {
		if strings.HasSuffix(k.Name, "-step") {
			bob.http.Jar.SetCookies(here, []*http.Cookie{k})
		}
	}
	if code, text := bob.raw("POST", "/api/v1/account/passkeys", answer); code != 422 {
		t.Error("another person's step:", code, text)
	}
	if code, text := alice.raw("POST", "/api/v1/account/passkeys", answer); code != 201 {
		t.Error(code, text)
	}
	if code, _ := alice.raw("POST", "/api/v1/account/passkeys", answer); code != 422 && code != 409 {
		t.Error("a passkey twice:", code)
	}
	if bytes.Contains(handle(u), []byte("alice")) || len(handle(u)) > 64 {
		t.Error("the handle says who it is")
	}
}

func TestPasskeysNeedAName(t *testing.T) {
	for address, want := range map[string]bool{
		"http://localhost:8480": true, "https://ballast.example.com": true, "https://ballast.example.com:8443": true,
		"http://ballast.example.com": false, "http://127.0.0.1:8480": false, "https://192.0.2.1": false, "https://[::1]:1": false, "": false, "nonsense": false,
	} {
		if got := newPasskeys(address) != nil; got != want {
			t.Errorf("%q: %v", address, got)
		}
	}
	v := visit(t, bare(t))
	if out := v.must(200, "GET", "/api/v1/session/methods", nil); out["passkeys"] != false {
		t.Error(out)
	}
	if code, _ := v.raw("POST", "/api/v1/session/passkey/options", ``); code != 409 {
		t.Error(code)
	}
}
