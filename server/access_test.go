package server

import (
	"context"
	"encoding/json"
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
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil || res.StatusCode != 200 {
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
		req, _ := http.NewRequestWithContext(t.Context(), "GET", alice.base+path, nil)
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
	if tag == "" || get("If-None-Match", tag).StatusCode != 304 {
		t.Fatalf("ETag %q is not honoured", tag)
	}
	alice.must(200, "PATCH", path, map[string]any{"grants": []ledger.Grant{{Role: ledger.Operator}}}, "If-Match", tag)
	alice.must(412, "PATCH", path, map[string]any{"grants": []ledger.Grant{{Role: ledger.Finance}}}, "If-Match", tag)
	alice.must(412, "PATCH", path, map[string]any{"grants": []ledger.Grant{{Role: ledger.Finance}}, "version": u.Version})
	if get("If-None-Match", tag).StatusCode != 200 {
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
	req, _ := http.NewRequest("GET", v.base, nil)
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
			req, _ := http.NewRequestWithContext(ctx, "GET", bob.base+"/api/v1/live", nil)
			res, err := bob.http.Do(req)
			if err != nil || res.StatusCode != 200 {
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

func TestAuditAPI(t *testing.T) {
	s := bare(t)
	alice := admitted(t, s)
	for i := range 5 {
		if err := s.Record.SetSetting(t.Context(), fmt.Sprint("k", i), "v", ledger.By("=cmd|' /C calc'!A0")); err != nil {
			t.Fatal(err)
		}
	}
	rows := func(query string) []any {
		t.Helper()
		out := alice.must(200, "GET", "/api/v1/audit?"+query, nil)
		return out["rows"].([]any)
	}
	if n := len(rows("action=setting.")); n != 5 {
		t.Error("rows of settings:", n)
	}
	if n := len(rows("subject=setting/k3")); n != 1 {
		t.Error("rows of one setting:", n)
	}
	if n := len(rows("since=" + time.Now().Add(time.Hour).UTC().Format(time.RFC3339))); n != 0 {
		t.Error("rows from the future:", n)
	}
	// Page by page gives every row once.
	seen, before := map[float64]bool{}, ""
	for {
		out := alice.must(200, "GET", "/api/v1/audit?limit=2"+before, nil)
		for _, r := range out["rows"].([]any) {
			seq := r.(map[string]any)["seq"].(float64)
			if seen[seq] {
				t.Fatal("row twice:", seq)
			}
			seen[seq] = true
		}
		next, more := out["next"].(float64)
		if !more {
			break
		}
		before = fmt.Sprintf("&before=%v", next)
	}
	head, err := s.Record.AuditHead(t.Context())
	if err != nil || int64(len(seen)) != head.Seq {
		t.Errorf("%d rows on all pages of a log of %d (%v)", len(seen), head.Seq, err)
	}
	// What a spreadsheet would run is text.
	res, err := alice.http.Get(alice.base + "/api/v1/audit/export")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	buf := make([]byte, 1<<16)
	for {
		n, err := res.Body.Read(buf)
		b.Write(buf[:n])
		if err != nil {
			break
		}
	}
	res.Body.Close()
	if text := b.String(); !strings.Contains(text, "'=cmd|") || strings.Contains(text, ",=cmd") || strings.Count(text, "\n") != int(head.Seq)+2 || !strings.HasPrefix(res.Header.Get("Content-Disposition"), "attachment; filename=") {
		t.Errorf("%s\n%s", res.Header, text)
	}
}

// The check finds what an intruder with the database's password did, and an
// anchor what they did thoroughly.
func TestAuditCheck(t *testing.T) {
	s := bare(t)
	alice := admitted(t, s)
	if err := s.Record.Tx(t.Context(), func(tx ledger.Tx) error {
		for i := range 1200 {
			if err := tx.Audit(t.Context(), ledger.Audit{Actor: "x", Action: "y.z", Subject: fmt.Sprint(i)}); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	check := func(anchors ...any) map[string]any {
		t.Helper()
		alice.must(202, "POST", "/api/v1/audit/check", map[string]any{"anchors": anchors})
		for range 200 {
			if out := alice.must(200, "GET", "/api/v1/audit/check", nil); out["running"] == false {
				return out
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Fatal("the check does not end")
		return nil
	}
	anchor := alice.must(200, "GET", "/api/v1/audit/anchor", nil)
	if out := check(); out["sound"] != true || out["done"] != out["total"] || out["by"] != "alice" {
		t.Error(out)
	}
	if out := check(map[string]any{"seq": anchor["seq"], "hash": anchor["hash"]}); out["sound"] != true || out["anchors"] != 1.0 {
		t.Error(out)
	}
	if out := check(map[string]any{"seq": anchor["seq"], "hash": strings.Repeat("0", 64)}); out["sound"] != false || !strings.Contains(out["problem"].(string), "anchored") {
		t.Error(out)
	}
	if out := check(map[string]any{"seq": 1e6, "hash": anchor["hash"]}); out["sound"] != false || !strings.Contains(out["problem"].(string), "missing") {
		t.Error(out)
	}
	raw := rawRecord(t, s)
	if _, err := raw.ExecContext(t.Context(), "UPDATE audit SET actor = 'nobody' WHERE seq = 7"); err != nil {
		t.Fatal(err)
	}
	if out := check(); out["sound"] != false || !strings.Contains(out["problem"].(string), "row 7 was altered") || out["head"].(map[string]any)["seq"] != 6.0 {
		t.Error(out)
	}
	if _, err := raw.ExecContext(t.Context(), "DELETE FROM audit_head"); err != nil {
		t.Fatal(err)
	}
	if code, _ := alice.do("GET", "/api/v1/audit", nil); code != 200 {
		t.Error("a log without head cannot be read:", code)
	}
	if out := check(); out["sound"] != false {
		t.Error(out)
	}
}

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
	if res.StatusCode != 429 || res.Header.Get("Retry-After") == "" || res.Header.Get("Content-Type") != "application/problem+json" {
		t.Error(res.Status, res.Header)
	}
	if res, err = v.http.Get(v.base + "/"); err != nil || res.StatusCode != 200 {
		t.Error("pages are not the API:", res, err)
	}
	res.Body.Close()
	p := Principal{User: ledger.User{ID: 7}}
	n := 0
	h := s.limitPrincipal(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { n++ }))
	for range 30 {
		req, _ := http.NewRequestWithContext(context.WithValue(t.Context(), principalKey{}, p), "GET", "/api/v1/site", nil)
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
