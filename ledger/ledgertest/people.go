package ledgertest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ballast/ledger"
	"ballast/unit"
)

func testUsers(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	grants := []ledger.Grant{{Role: ledger.Operator, Site: "odessa"}, {Role: ledger.Viewer}}
	alice := must(s.AddUser(ctx, ledger.User{Name: " Alice ", FullName: "Alice A.", PasswordHash: "$argon2id$x", Grants: grants}, ledger.By("setup")))(t)
	if got := must(s.UserByName(ctx, "aLICE"))(t); fmt.Sprint(got) != fmt.Sprint(alice) || got.Name != "Alice" || !slices.Equal(got.Grants, grants) || got.CreatedAt != c.Now() {
		t.Errorf("user %+v, added %+v", got, alice)
	}
	if _, err := s.AddUser(ctx, ledger.User{Name: "ALICE"}, ledger.By("setup")); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("a taken name: %v", err)
	}
	for _, bad := range []ledger.User{{}, {Name: "x", Grants: []ledger.Grant{{Role: "root"}}}} {
		if _, err := s.AddUser(ctx, bad, ledger.By("setup")); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	bob := must(s.AddUser(ctx, ledger.User{Name: "bob"}, ledger.By("alice")))(t)
	c.Advance(time.Hour)
	edited := must(s.EditUser(ctx, bob.ID, ledger.UserEdit{PasswordHash: unit.Some("$argon2id$y"), Disabled: unit.Some(true)}, ledger.By("alice")))(t)
	if edited.Disabled != c.Now() || edited.PasswordHash != "$argon2id$y" || edited.CreatedAt != bob.CreatedAt {
		t.Errorf("edited %+v", edited)
	}
	edited = must(s.EditUser(ctx, bob.ID, ledger.UserEdit{FullName: unit.Some("Bob"), Grants: unit.Some(grants), Disabled: unit.Some(false)}, ledger.By("alice")))(t)
	users := must(s.Users(ctx))(t)
	if len(users) != 2 || fmt.Sprint(users[1]) != fmt.Sprint(edited) || !users[1].Disabled.IsZero() || users[1].PasswordHash != "$argon2id$y" {
		t.Errorf("users %+v", users)
	}
	for _, err := range []error{second(s.User(ctx, 99)), second(s.UserByName(ctx, "carol")), second(s.EditUser(ctx, 99, ledger.UserEdit{}, ledger.By("alice")))} {
		if !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("a user who is not there: %v", err)
		}
	}
	for _, r := range must(s.AuditRows(ctx, ledger.AuditFilter{Action: "user."}))(t) {
		if len(r.Detail) == 0 || slices.Contains([]string{"$argon2id$x", "$argon2id$y"}, r.Detail) {
			t.Errorf("audit detail %q", r.Detail)
		}
	}
}

func testSetupTokens(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	add := func(life time.Duration) string {
		t.Helper()
		_, sum := ledger.NewSecret()
		ok(t, s.AddSetupToken(ctx, ledger.SetupToken{Sum: sum, Purpose: "admin", Grants: []ledger.Grant{{Role: ledger.Admin}}, Expires: c.Now().Add(life)}, ledger.By("system")))
		return sum
	}
	sum := add(time.Hour)
	// Using the token and adding the user are one: a taken name gives the token back.
	must(s.AddUser(ctx, ledger.User{Name: "alice"}, ledger.By("setup")))(t)
	setUp := func(name string) error {
		return s.Tx(ctx, func(tx ledger.Tx) error {
			tok, err := tx.UseSetupToken(ctx, sum, ledger.By("setup"))
			if err != nil {
				return err
			}
			_, err = tx.AddUser(ctx, ledger.User{Name: name, Grants: tok.Grants}, ledger.By("setup"))
			return err
		})
	}
	if err := setUp("alice"); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("a taken name: %v", err)
	}
	ok(t, setUp("owen"))
	if u := must(s.UserByName(ctx, "owen"))(t); len(u.Grants) != 1 || u.Grants[0].Role != ledger.Admin {
		t.Errorf("the first owner may %v", u.Grants)
	}
	if err := setUp("eve"); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("a used token: %v", err)
	}
	late := add(time.Minute)
	c.Advance(time.Minute)
	for name, sum := range map[string]string{"expired": late, "unknown": "feed", "empty": ""} {
		if _, err := s.UseSetupToken(ctx, sum, ledger.By("setup")); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("%s token: %v", name, err)
		}
	}
	if err := s.AddSetupToken(ctx, ledger.SetupToken{Sum: "x"}, ledger.By("system")); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("a token for ever: %v", err)
	}
	raced := add(time.Hour)
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if _, err := s.UseSetupToken(ctx, raced, ledger.By("setup")); err == nil {
				won.Add(1)
			} else if !errors.Is(err, ledger.ErrNotFound) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d used one token", won.Load())
	}
}

func testAPIKeys(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	u := must(s.AddUser(ctx, ledger.User{Name: "alice"}, ledger.By("setup")))(t)
	key, prefix, sum := ledger.NewAPIKey()
	added := must(s.AddAPIKey(ctx, ledger.APIKey{Prefix: prefix, Sum: sum, User: u.ID, Name: "grafana", Scopes: []string{"read", "metrics"}, Expires: c.Now().Add(time.Hour)}, ledger.By("alice")))(t)
	got := must(s.APIKeyByPrefix(ctx, prefix))(t)
	if fmt.Sprint(got) != fmt.Sprint(added) || !got.Valid(key, c.Now()) || got.CreatedAt != c.Now() {
		t.Errorf("key %+v, added %+v", got, added)
	}
	if _, err := s.AddAPIKey(ctx, ledger.APIKey{Prefix: prefix, Sum: sum, User: u.ID}, ledger.By("alice")); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("a prefix twice: %v", err)
	}
	if _, err := s.AddAPIKey(ctx, ledger.APIKey{Prefix: "p", Sum: sum, User: 99}, ledger.By("alice")); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("a key of nobody: %v", err)
	}
	if _, err := s.AddAPIKey(ctx, ledger.APIKey{Prefix: "p", User: u.ID}, ledger.By("alice")); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("a key without sum: %v", err)
	}
	c.Advance(time.Minute)
	ok(t, s.TouchAPIKey(ctx, added.ID))
	ok(t, s.RevokeAPIKey(ctx, added.ID, ledger.By("alice")))
	revoked := c.Now()
	c.Advance(time.Minute)
	ok(t, s.RevokeAPIKey(ctx, added.ID, ledger.By("alice"))) // the first time counts
	if keys := must(s.APIKeys(ctx, u.ID))(t); len(keys) != 1 || keys[0].Revoked != revoked || keys[0].LastUsed != revoked || keys[0].Valid(key, c.Now()) {
		t.Errorf("keys %+v", keys)
	}
	if keys := must(s.APIKeys(ctx, 0))(t); len(keys) != 1 {
		t.Errorf("all keys: %d", len(keys))
	}
	for _, err := range []error{second(s.APIKeyByPrefix(ctx, "nope")), s.RevokeAPIKey(ctx, 99, ledger.By("alice")), s.TouchAPIKey(ctx, 99)} {
		if !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("a key that is not there: %v", err)
		}
	}
}

func testSettings(t *testing.T, open Open) {
	s, ctx := open(t, newClock().Now), t.Context()
	ok(t, s.SetSetting(ctx, "ui.theme", "dark", ledger.By("alice")))
	ok(t, s.SetSetting(ctx, "ui.theme", "light", ledger.By("alice")))
	ok(t, s.SetSetting(ctx, "UI.theme", "x", ledger.By("alice")))
	ok(t, s.SetSetting(ctx, "ui_other", "y", ledger.By("alice")))
	if v := must(s.Setting(ctx, "ui.theme"))(t); v != "light" {
		t.Errorf("value %q", v)
	}
	if all := must(s.Settings(ctx, "ui."))(t); !maps.Equal(all, map[string]string{"ui.theme": "light"}) {
		t.Errorf("settings under ui.: %v", all)
	}
	if all := must(s.Settings(ctx, ""))(t); len(all) != 3 {
		t.Errorf("all settings: %v", all)
	}
	ok(t, s.DeleteSetting(ctx, "ui.theme", ledger.By("alice")))
	for _, err := range []error{second(s.Setting(ctx, "ui.theme")), s.DeleteSetting(ctx, "ui.theme", ledger.By("alice"))} {
		if !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("a setting that is not there: %v", err)
		}
	}
	for _, bad := range [][2]string{{"", "x"}, {"k", "a\x00b"}, {"k", "\xff"}} {
		if err := s.SetSetting(ctx, bad[0], bad[1], ledger.By("alice")); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
