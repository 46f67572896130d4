package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"ballast/ledger"
)

// admitted is a visitor who is signed in as the first admin.
func admitted(t *testing.T, s *Server) *visitor {
	t.Helper()
	v := visit(t, s)
	if code, out := v.do("POST", "/api/v1/setup", map[string]string{"token": token(t, s), "name": "alice", "password": longPassword}); code != 200 {
		t.Fatal(code, out)
	}
	return v
}

func (v *visitor) must(want int, method, path string, body any, header ...string) map[string]any {
	v.t.Helper()
	code, out := v.do(method, path, body, header...)
	if code != want {
		v.t.Fatalf("%s %s: %d %v, want %d", method, path, code, out, want)
	}
	return out
}

// list is do for answers that are lists.
func (v *visitor) list(path string) (out []map[string]any) {
	v.t.Helper()
	res, err := v.http.Get(v.base + path)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil || res.StatusCode != http.StatusOK {
		v.t.Fatal(path, res.Status, err)
	}
	return out
}

func secretOf(t *testing.T, out map[string]any) string {
	t.Helper()
	link, _ := out["link"].(string)
	_, secret, ok := strings.Cut(link, "/setup#")
	if !ok {
		t.Fatal(out)
	}
	return secret
}

// join invites somebody and lets them set up their account.
func join(t *testing.T, s *Server, admin *visitor, name string, grants ...ledger.Grant) *visitor {
	t.Helper()
	secret := secretOf(t, admin.must(201, "POST", "/api/v1/invites", map[string]any{"grants": grants, "note": "for " + name}))
	v := visit(t, s)
	v.must(200, "POST", "/api/v1/setup", map[string]string{"token": secret, "name": name, "password": longPassword})
	return v
}

func TestInvitesAreForNewAccountsOnly(t *testing.T) {
	s := bare(t)
	alice := admitted(t, s)
	secret := secretOf(t, alice.must(201, "POST", "/api/v1/invites", map[string]any{"grants": []ledger.Grant{{Role: ledger.Viewer, Site: "site"}}, "note": "Eve"}))
	eve := visit(t, s)
	if out := eve.must(200, "POST", "/api/v1/setup/link", map[string]string{"token": secret}); out["purpose"] != "invite" || out["note"] != "Eve" {
		t.Error(out)
	}
	// Taking over the admin's account with an invitation is refused, and does not
	// use it up.
	eve.must(409, "POST", "/api/v1/setup", map[string]string{"token": secret, "name": " ALICE", "password": longPassword})
	out := eve.must(200, "POST", "/api/v1/setup", map[string]string{"token": secret, "name": "eve", "password": longPassword})
	if fmt.Sprint(out["rights"]) != "[look]" {
		t.Error("an invitation for a viewer gave", out["rights"])
	}
	visit(t, s).must(401, "POST", "/api/v1/setup", map[string]string{"token": secret, "name": "mallory", "password": longPassword})
	visit(t, s).must(401, "POST", "/api/v1/setup/link", map[string]string{"token": secret})
	taken := secretOf(t, alice.must(201, "POST", "/api/v1/invites", map[string]any{"grants": []ledger.Grant{{Role: ledger.Viewer}}}))
	links := alice.list("/api/v1/invites")
	if len(links) != 1 {
		t.Fatal(links)
	}
	alice.must(204, "DELETE", fmt.Sprintf("/api/v1/invites/%v", links[0]["id"]), nil)
	visit(t, s).must(401, "POST", "/api/v1/setup", map[string]string{"token": taken, "name": "mallory", "password": longPassword})
	for _, bad := range []map[string]any{
		{"grants": []ledger.Grant{}}, {"grants": []ledger.Grant{{Role: "root"}}}, {"grants": []ledger.Grant{{Role: ledger.Viewer, Site: "atlantis"}}},
		{"grants": []ledger.Grant{{Role: ledger.Viewer}, {Role: ledger.Viewer}}},
	} {
		alice.must(422, "POST", "/api/v1/invites", bad)
	}
}

func TestResetAndDisableEndSessionsAndKeys(t *testing.T) {
	s := bare(t)
	alice := admitted(t, s)
	bob := join(t, s, alice, "bob", ledger.Grant{Role: ledger.Operator})
	u, err := s.Record.UserByName(t.Context(), "bob")
	if err != nil {
		t.Fatal(err)
	}
	key := bob.must(201, "POST", "/api/v1/keys", map[string]any{"name": "k", "scopes": []string{"look"}})["key"].(string)
	path := fmt.Sprintf("/api/v1/people/%d", u.ID)
	secret := secretOf(t, alice.must(201, "POST", path+"/reset", nil))
	bob.must(200, "GET", "/api/v1/session", nil) // a link alone ends nothing
	again := visit(t, s)
	if out := again.must(200, "POST", "/api/v1/setup/link", map[string]string{"token": secret}); out["purpose"] != "reset-password" || out["name"] != "bob" {
		t.Error(out)
	}
	// The name that comes with it counts for nothing: it resets bob's and no other.
	if out := again.must(200, "POST", "/api/v1/setup", map[string]string{"token": secret, "name": "alice", "password": "another long password"}); out["name"] != "bob" || fmt.Sprint(out["rights"]) != "[command look repair]" {
		t.Error(out)
	}
	bob.must(401, "GET", "/api/v1/session", nil)
	alice.must(200, "GET", "/api/v1/session", nil)
	visit(t, s).must(401, "POST", "/api/v1/session", map[string]string{"name": "bob", "password": longPassword})

	late := secretOf(t, alice.must(201, "POST", path+"/reset", nil))
	again.must(200, "GET", "/api/v1/site", nil, "Authorization", "Bearer "+key)
	alice.must(200, "PATCH", path, map[string]any{"disabled": true})
	again.must(401, "GET", "/api/v1/session", nil)
	again.must(401, "GET", "/api/v1/site", nil, "Authorization", "Bearer "+key)
	visit(t, s).must(401, "POST", "/api/v1/session", map[string]string{"name": "bob", "password": "another long password"})
	visit(t, s).must(401, "POST", "/api/v1/setup", map[string]string{"token": late, "name": "bob", "password": longPassword})
	alice.must(409, "POST", path+"/reset", nil)
	if xs, err := s.Record.Sessions(t.Context(), ledger.SessionFilter{User: u.ID}); err != nil || len(xs) != 0 {
		t.Errorf("sessions of a disabled account: %v %v", xs, err)
	}
}

func TestTheLastAdminStays(t *testing.T) {
	s := bare(t)
	alice := admitted(t, s)
	u, _ := s.Record.UserByName(t.Context(), "alice")
	path := fmt.Sprintf("/api/v1/people/%d", u.ID)
	alice.must(409, "PATCH", path, map[string]any{"disabled": true})
	alice.must(409, "PATCH", path, map[string]any{"grants": []ledger.Grant{{Role: ledger.Engineer}}})
	join(t, s, alice, "carol", ledger.Grant{Role: ledger.Admin})
	alice.must(200, "PATCH", path, map[string]any{"grants": []ledger.Grant{{Role: ledger.Engineer}}})
	alice.must(403, "GET", "/api/v1/people", nil) // at once
}

// An admin of one site rules there, and learns and does nothing elsewhere.
func TestAdminOfOneSite(t *testing.T) {
	s := bare(t)
	for _, site := range []string{"hood", "odessa"} {
		if err := s.Record.SaveSite(t.Context(), ledger.Site{Name: site}, ledger.By("test")); err != nil {
			t.Fatal(err)
		}
	}
	alice := admitted(t, s)
	hood := join(t, s, alice, "hood admin", ledger.Grant{Role: ledger.Admin, Site: "hood"})
	join(t, s, alice, "odessa operator", ledger.Grant{Role: ledger.Operator, Site: "odessa"})
	both := join(t, s, alice, "both", ledger.Grant{Role: ledger.Viewer, Site: "hood"}, ledger.Grant{Role: ledger.Operator, Site: "odessa"})
	id := func(name string) int64 {
		u, err := s.Record.UserByName(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		return u.ID
	}
	names := []string{}
	for _, p := range hood.list("/api/v1/people") {
		names = append(names, p["name"].(string))
		if p["name"] == "both" && (p["elsewhere"] != true || strings.Contains(fmt.Sprint(p["grants"]), "odessa")) {
			t.Error("grants elsewhere show:", p)
		}
	}
	if fmt.Sprint(names) != "[hood admin both]" {
		t.Error("an admin of hood sees", names)
	}
	at := func(id int64) string { return fmt.Sprintf("/api/v1/people/%d", id) }
	hood.must(404, "GET", at(id("alice")), nil)
	hood.must(404, "PATCH", at(id("odessa operator")), map[string]any{"disabled": true})
	for _, grants := range [][]ledger.Grant{{{Role: ledger.Admin}}, {{Role: ledger.Viewer, Site: "odessa"}}} { // more than one has
		hood.must(403, "PATCH", at(id("hood admin")), map[string]any{"grants": grants})
		hood.must(403, "POST", "/api/v1/invites", map[string]any{"grants": grants})
	}
	hood.must(403, "PATCH", at(id("both")), map[string]any{"disabled": true})
	hood.must(403, "POST", at(id("both"))+"/reset", nil)
	hood.must(403, "DELETE", at(id("both"))+"/sessions", nil)
	hood.must(404, "POST", "/api/v1/keys", map[string]any{"name": "k", "scopes": []string{"look"}, "user": "alice"})
	hood.must(404, "POST", "/api/v1/keys", map[string]any{"name": "k", "scopes": []string{"look"}, "user": "both"})
	for _, path := range []string{"/api/v1/audit", "/api/v1/audit/anchor", "/api/v1/audit/export", "/api/v1/audit/check"} {
		hood.must(403, "GET", path, nil)
	}
	// Their own site's grants change; those elsewhere stay.
	hood.must(200, "PATCH", at(id("both")), map[string]any{"grants": []ledger.Grant{{Role: ledger.Technician, Site: "hood"}}})
	u, _ := s.Record.User(t.Context(), id("both"))
	if fmt.Sprint(u.Grants) != "[{technician hood} {operator odessa}]" {
		t.Error("grants after the edit:", u.Grants)
	}
	both.must(200, "GET", "/api/v1/session", nil)
	hood.must(201, "POST", "/api/v1/invites", map[string]any{"grants": []ledger.Grant{{Role: ledger.Engineer, Site: "hood"}}})
	alice.must(201, "POST", "/api/v1/invites", map[string]any{"grants": []ledger.Grant{{Role: ledger.Engineer}}})
	if links := hood.list("/api/v1/invites"); len(links) != 1 {
		t.Error("links that an admin of hood sees:", links)
	}
	for _, l := range alice.list("/api/v1/invites") {
		want := 404
		if strings.Contains(fmt.Sprint(l["grants"]), "hood") {
			want = 204
		}
		hood.must(want, "DELETE", fmt.Sprintf("/api/v1/invites/%v", l["id"]), nil)
	}
}

// Of two admins who edit one person from the same picture, the second is told.
func TestEditsDoNotOverwrite(t *testing.T) {
	s := bare(t)
	alice := admitted(t, s)
	join(t, s, alice, "bob", ledger.Grant{Role: ledger.Viewer})
	u, _ := s.Record.UserByName(t.Context(), "bob")
	path := fmt.Sprintf("/api/v1/people/%d", u.ID)
	get := func(header ...string) *http.Response {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, alice.base+path, nil)
		for i := 0; i+1 < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		res, err := alice.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		return res
	}
	tag := get().Header.Get("ETag")
	if tag == "" || get("If-None-Match", tag).StatusCode != http.StatusNotModified {
		t.Fatalf("ETag %q is not honoured", tag)
	}
	alice.must(200, "PATCH", path, map[string]any{"grants": []ledger.Grant{{Role: ledger.Operator}}}, "If-Match", tag)
	alice.must(412, "PATCH", path, map[string]any{"grants": []ledger.Grant{{Role: ledger.Finance}}}, "If-Match", tag)
	alice.must(412, "PATCH", path, map[string]any{"grants": []ledger.Grant{{Role: ledger.Finance}}, "version": u.Version})
	if get("If-None-Match", tag).StatusCode != http.StatusOK {
		t.Error("an old ETag is taken for new")
	}
	if out := alice.must(200, "GET", path, nil); fmt.Sprint(out["grants"]) != "[map[role:operator]]" {
		t.Error(out["grants"])
	}
}

func TestPasswordChange(t *testing.T) {
	s := bare(t)
	alice := admitted(t, s)
	other := visit(t, s)
	other.must(200, "POST", "/api/v1/session", map[string]string{"name": "alice", "password": longPassword})
	stolen := alice.cookie()
	const next = "an even longer password"
	alice.must(422, "POST", "/api/v1/account/password", map[string]string{"old": "wrong", "new": next})
	alice.must(422, "POST", "/api/v1/account/password", map[string]string{"old": longPassword, "new": "short"})
	alice.must(422, "POST", "/api/v1/account/password", map[string]string{"old": longPassword, "new": "aaaaaaaaaaaaaaaa"})
	alice.must(204, "POST", "/api/v1/account/password", map[string]string{"old": longPassword, "new": next})
	alice.must(200, "GET", "/api/v1/session", nil)
	other.must(401, "GET", "/api/v1/session", nil)
	visit(t, s).must(401, "GET", "/api/v1/session", nil, "Cookie", "ballast="+stolen)
	if now := alice.cookie(); now == stolen || now == "" {
		t.Error("the token was not renewed")
	}
	if xs := alice.list("/api/v1/account/sessions"); len(xs) != 1 || xs[0]["current"] != true {
		t.Error(xs)
	}
	// A stolen session is no way to guess the password without limit.
	codes := map[int]int{}
	for range 8 {
		code, _ := alice.do("POST", "/api/v1/account/password", map[string]string{"old": "guess", "new": next})
		codes[code]++
	}
	if codes[429] == 0 {
		t.Errorf("guesses: %v", codes)
	}
}

func (v *visitor) cookie() string {
	req, _ := http.NewRequest(http.MethodGet, v.base, nil)
	for _, c := range v.http.Jar.Cookies(req.URL) {
		if c.Name == "ballast" {
			return c.Value
		}
	}
	return ""
}

func TestKeysMakeNoStrongerKeys(t *testing.T) {
	s := bare(t)
	alice := admitted(t, s)
	bob := join(t, s, alice, "bob", ledger.Grant{Role: ledger.Operator})
	make := func(v *visitor, want int, body map[string]any, header ...string) string {
		t.Helper()
		key, _ := v.must(want, "POST", "/api/v1/keys", body, header...)["key"].(string)
		return key
	}
	make(bob, 422, map[string]any{"name": "k", "scopes": []string{"look", "configure"}})
	make(bob, 422, map[string]any{"name": "k", "scopes": []string{"administer"}})
	make(bob, 422, map[string]any{"name": "k", "scopes": []string{}})
	make(bob, 422, map[string]any{"name": "k", "scopes": []string{"look"}, "expires": time.Now().Add(-time.Hour)})
	make(bob, 404, map[string]any{"name": "k", "scopes": []string{"look"}, "user": "alice"})
	soon := time.Now().Add(time.Hour)
	weak := make(bob, 201, map[string]any{"name": "weak", "scopes": []string{"look"}, "expires": soon})
	auth := []string{"Authorization", "Bearer " + weak}
	nobody := visit(t, s)
	make(nobody, 422, map[string]any{"name": "k", "scopes": []string{"command"}, "expires": soon}, auth...)
	make(nobody, 422, map[string]any{"name": "k", "scopes": []string{"look"}}, auth...)
	make(nobody, 422, map[string]any{"name": "k", "scopes": []string{"look"}, "expires": soon.Add(time.Hour)}, auth...)
	make(nobody, 201, map[string]any{"name": "child", "scopes": []string{"look"}, "expires": soon.Add(-time.Minute)}, auth...)
	for _, c := range [][2]string{{"POST", "/api/v1/account/password"}, {"POST", "/api/v1/account/passkeys/options"}, {"DELETE", "/api/v1/account/sessions"}, {"GET", "/api/v1/account"}} {
		nobody.must(403, c[0], c[1], map[string]any{"old": longPassword, "new": longPassword + "x"}, auth...)
	}
	ks := bob.list("/api/v1/keys")
	if len(ks) != 2 || strings.Contains(fmt.Sprint(ks), weak) {
		t.Fatal(ks)
	}
	mine := alice.must(201, "POST", "/api/v1/keys", map[string]any{"name": "k", "scopes": []string{"look"}})["id"]
	bob.must(404, "DELETE", fmt.Sprintf("/api/v1/keys/%v", mine), nil)
	bob.must(403, "GET", "/api/v1/keys?of=everybody", nil)
	if all := alice.list("/api/v1/keys?of=everybody"); len(all) != 3 {
		t.Error(all)
	}
	// Lower the owner, and the key is lowered.
	u, _ := s.Record.UserByName(t.Context(), "bob")
	strong := make(bob, 201, map[string]any{"name": "strong", "scopes": []string{"look", "repair", "command"}})
	wish := map[string]any{"machines": []int{1}, "setting": map[string]any{"kind": "sleep"}}
	nobody.must(404, "POST", "/api/v1/commands", wish, "Authorization", "Bearer "+strong)
	alice.must(200, "PATCH", fmt.Sprintf("/api/v1/people/%d", u.ID), map[string]any{"grants": []ledger.Grant{{Role: ledger.Viewer}}})
	nobody.must(403, "POST", "/api/v1/commands", wish, "Authorization", "Bearer "+strong)
}

// Whoever listens to the live stream stops when their session, account or grants
// do.
func TestTheStreamEndsWithTheRight(t *testing.T) {
	for name, end := range map[string]func(alice, bob *visitor, id int64){
		"signed out": func(_, bob *visitor, _ int64) { bob.must(204, "DELETE", "/api/v1/session", nil) },
		"ended from elsewhere": func(alice, _ *visitor, id int64) {
			alice.must(200, "DELETE", fmt.Sprintf("/api/v1/people/%d/sessions", id), nil)
		},
		"disabled": func(alice, _ *visitor, id int64) {
			alice.must(200, "PATCH", fmt.Sprintf("/api/v1/people/%d", id), map[string]any{"disabled": true})
		},
		"other grants": func(alice, _ *visitor, id int64) {
			alice.must(200, "PATCH", fmt.Sprintf("/api/v1/people/%d", id), map[string]any{"grants": []ledger.Grant{{Role: ledger.Viewer, Site: "site"}}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := bare(t)
			s.recheck = 100 * time.Millisecond
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go s.hub.run(ctx)
			alice := admitted(t, s)
			bob := join(t, s, alice, "bob", ledger.Grant{Role: ledger.Viewer})
			u, _ := s.Record.UserByName(t.Context(), "bob")
			req, _ := http.NewRequestWithContext(ctx, http.MethodGet, bob.base+"/api/v1/live", nil)
			res, err := bob.http.Do(req)
			if err != nil || res.StatusCode != http.StatusOK {
				t.Fatal(res, err)
			}
			defer res.Body.Close()
			text := make(chan string, 1)
			go func() {
				var all strings.Builder
				buf := make([]byte, 4096)
				for {
					n, err := res.Body.Read(buf)
					all.Write(buf[:n])
					if err != nil {
						text <- all.String()
						return
					}
				}
			}()
			select {
			case got := <-text:
				t.Fatal("the stream ended by itself:", got)
			case <-time.After(1500 * time.Millisecond):
			}
			end(alice, bob, u.ID)
			select {
			case got := <-text:
				if !strings.Contains(got, "id:\nevent: end\n") {
					t.Errorf("no word of the end: %q", got[max(0, len(got)-200):])
				}
			case <-time.After(6 * time.Second):
				t.Error("the stream goes on")
			}
		})
	}
}
