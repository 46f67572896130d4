package ledgertest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"ballast/ledger"
	"ballast/unit"
)

func testSessions(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	alice := must(s.AddUser(ctx, ledger.User{Name: "alice"}, ledger.By("setup")))(t)
	bob := must(s.AddUser(ctx, ledger.User{Name: "bob"}, ledger.By("setup")))(t)
	add := func(sum string, user int64, life time.Duration) ledger.Session {
		t.Helper()
		return must(s.AddSession(ctx, ledger.Session{Sum: sum, User: user, Method: "password", Device: "Firefox\x00\xff", Address: "10.0.0.1", Expires: c.Now().Add(life)}))(t)
	}
	a := add("a", alice.ID, time.Hour)
	c.Advance(time.Second)
	b := add("b", alice.ID, time.Minute)
	other := add("c", bob.ID, time.Hour)
	if got := must(s.SessionBySum(ctx, "a"))(t); got != a || got.CreatedAt != c.Now().Add(-time.Second) || got.Device != "Firefox\uFFFD" {
		t.Errorf("session %+v, added %+v", got, a)
	}
	if xs := must(s.Sessions(ctx, ledger.SessionFilter{User: alice.ID}))(t); !slices.Equal(xs, []ledger.Session{b, a}) {
		t.Errorf("alice's sessions: %+v", xs)
	}
	c.Advance(time.Second)
	ok(t, s.TouchSession(ctx, a.ID, "10.0.0.2", c.Now().Add(2*time.Hour)))
	if xs := must(s.Sessions(ctx, ledger.SessionFilter{User: alice.ID}))(t); xs[0].ID != a.ID || xs[0].Address != "10.0.0.2" || xs[0].LastSeen != c.Now() || xs[0].Expires != c.Now().Add(2*time.Hour) {
		t.Errorf("after use: %+v", xs[0])
	}
	c.Advance(time.Minute) // b's end
	for _, sum := range []string{"b", "nope", "", "\x00\xff"} {
		if _, err := s.SessionBySum(ctx, sum); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("session %q: %v", sum, err)
		}
	}
	if err := s.TouchSession(ctx, b.ID, "x", c.Now().Add(time.Hour)); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("an expired session woke up: %v", err)
	}
	if n := must(s.PurgeSessions(ctx))(t); n != 1 {
		t.Errorf("purged %d", n)
	}
	for _, bad := range []error{
		second(s.AddSession(ctx, ledger.Session{Sum: "x", User: alice.ID})),
		second(s.AddSession(ctx, ledger.Session{User: alice.ID, Expires: c.Now()})),
		second(s.EndSessions(ctx, ledger.SessionFilter{}, ledger.By("alice"))),
		second(s.EndSessions(ctx, ledger.SessionFilter{Except: 1}, ledger.By("alice"))),
	} {
		if !errors.Is(bad, ledger.ErrInvalid) {
			t.Errorf("%v", bad)
		}
	}
	if _, err := s.AddSession(ctx, ledger.Session{Sum: "x", User: 99, Expires: c.Now().Add(time.Hour)}); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("a session of nobody: %v", err)
	}
	d := add("d", alice.ID, time.Hour)
	// One may not end another's: the user is part of the filter.
	if n := must(s.EndSessions(ctx, ledger.SessionFilter{User: bob.ID, ID: d.ID}, ledger.By("bob")))(t); n != 0 {
		t.Errorf("bob ended %d of alice's", n)
	}
	// With the change that causes it, or not at all.
	_ = s.Tx(ctx, func(tx ledger.Tx) error {
		must(tx.EndSessions(ctx, ledger.SessionFilter{User: alice.ID}, ledger.By("alice")))(t)
		return errors.New("changed my mind")
	})
	if n := must(s.EndSessions(ctx, ledger.SessionFilter{User: alice.ID, Except: d.ID}, ledger.By("alice")))(t); n != 1 {
		t.Errorf("ended %d, want the other one", n)
	}
	must(s.SessionBySum(ctx, "d"))(t)
	if got := must(s.SessionBySum(ctx, "c"))(t); got != other {
		t.Errorf("bob's session: %+v", got)
	}
}

func testPasskeys(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	alice := must(s.AddUser(ctx, ledger.User{Name: "alice"}, ledger.By("setup")))(t)
	p := must(s.AddPasskey(ctx, ledger.Passkey{Credential: "abc", User: alice.ID, Name: "laptop", Data: `{"n":1}`}, ledger.By("alice")))(t)
	if got := must(s.PasskeyByCredential(ctx, "abc"))(t); got != p || got.CreatedAt != c.Now() || !got.LastUsed.IsZero() {
		t.Errorf("passkey %+v, added %+v", got, p)
	}
	if _, err := s.AddPasskey(ctx, ledger.Passkey{Credential: "abc", User: alice.ID, Data: "{}"}, ledger.By("x")); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("a credential twice: %v", err)
	}
	if _, err := s.AddPasskey(ctx, ledger.Passkey{Credential: "x", User: 99, Data: "{}"}, ledger.By("x")); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("a passkey of nobody: %v", err)
	}
	if _, err := s.AddPasskey(ctx, ledger.Passkey{User: alice.ID}, ledger.By("x")); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("an empty passkey: %v", err)
	}
	c.Advance(time.Hour)
	ok(t, s.UsePasskey(ctx, p.ID, `{"n":2}`))
	ok(t, s.NamePasskey(ctx, p.ID, alice.ID, "phone", ledger.By("alice")))
	got := must(s.Passkeys(ctx, alice.ID))(t)
	if len(got) != 1 || got[0].Name != "phone" || got[0].Data != `{"n":2}` || got[0].LastUsed != c.Now() {
		t.Errorf("passkeys %+v", got)
	}
	for _, err := range []error{s.NamePasskey(ctx, p.ID, 99, "mine", ledger.By("eve")), s.RemovePasskey(ctx, p.ID, 99, ledger.By("eve")), s.UsePasskey(ctx, 99, "{}"), second(s.PasskeyByCredential(ctx, "\xff"))} {
		if !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("somebody else's passkey: %v", err)
		}
	}
	ok(t, s.RemovePasskey(ctx, p.ID, alice.ID, ledger.By("alice")))
	if got := must(s.Passkeys(ctx, alice.ID))(t); len(got) != 0 {
		t.Errorf("removed: %+v", got)
	}
}

func testIdentities(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	alice := must(s.AddUser(ctx, ledger.User{Name: "alice"}, ledger.By("setup")))(t)
	bob := must(s.AddUser(ctx, ledger.User{Name: "bob"}, ledger.By("setup")))(t)
	ok(t, s.AddIdentity(ctx, ledger.Identity{Issuer: "https://i", Subject: "7", User: alice.ID, Email: "a@x"}, ledger.By("alice")))
	if err := s.AddIdentity(ctx, ledger.Identity{Issuer: "https://i", Subject: "7", User: bob.ID}, ledger.By("bob")); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("one identity, two accounts: %v", err)
	}
	ok(t, s.AddIdentity(ctx, ledger.Identity{Issuer: "https://j", Subject: "7", User: bob.ID}, ledger.By("bob")))
	c.Advance(time.Hour)
	ok(t, s.UseIdentity(ctx, "https://i", "7", "b@x"))
	if i := must(s.IdentityBySubject(ctx, "https://i", "7"))(t); i.User != alice.ID || i.Email != "b@x" || i.LastUsed != c.Now() || i.CreatedAt != c.Now().Add(-time.Hour) {
		t.Errorf("identity %+v", i)
	}
	for _, err := range []error{
		second(s.IdentityBySubject(ctx, "https://i", "8")), s.UseIdentity(ctx, "https://i", "8", ""), s.RemoveIdentity(ctx, "https://i", "7", bob.ID, ledger.By("bob")),
		s.AddIdentity(ctx, ledger.Identity{Issuer: "https://i", Subject: "9", User: 99}, ledger.By("x")),
	} {
		if !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("an identity that is not there: %v", err)
		}
	}
	if err := s.AddIdentity(ctx, ledger.Identity{Issuer: "https://i", Subject: "7\x00", User: bob.ID}, ledger.By("bob")); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("a subject that storing would change: %v", err)
	}
	ok(t, s.RemoveIdentity(ctx, "https://i", "7", alice.ID, ledger.By("alice")))
	if is := must(s.Identities(ctx, alice.ID))(t); len(is) != 0 {
		t.Errorf("removed: %+v", is)
	}
}

func testPendingTokens(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	add := func(sum string, life time.Duration) {
		ok(t, s.AddSetupToken(ctx, ledger.SetupToken{Sum: sum, Purpose: ledger.ForInvite, Note: "Bob from the night shift", Grants: []ledger.Grant{{Role: ledger.Technician, Site: "odessa"}}, Expires: c.Now().Add(life)}, ledger.By("alice")))
	}
	add("a", time.Hour)
	add("b", time.Minute)
	add("c", time.Hour)
	if tok := must(s.SetupTokenBySum(ctx, "a"))(t); tok.Purpose != ledger.ForInvite || tok.Note != "Bob from the night shift" || len(tok.Grants) != 1 {
		t.Errorf("token %+v", tok)
	}
	must(s.SetupTokenBySum(ctx, "a"))(t) // looking uses nothing up
	pending := must(s.SetupTokens(ctx))(t)
	if len(pending) != 3 || pending[0].ID == pending[1].ID {
		t.Fatalf("pending %+v", pending)
	}
	ok(t, s.RevokeSetupToken(ctx, pending[0].ID, ledger.By("alice")))
	c.Advance(time.Minute)
	must(s.UseSetupToken(ctx, "c", ledger.By("bob")))(t)
	for _, sum := range []string{"a", "b", "c", "d", "\xff"} {
		if _, err := s.SetupTokenBySum(ctx, sum); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("token %q: %v", sum, err)
		}
		if _, err := s.UseSetupToken(ctx, sum, ledger.By("eve")); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("token %q was used: %v", sum, err)
		}
	}
	for _, tok := range pending {
		if err := s.RevokeSetupToken(ctx, tok.ID, ledger.By("alice")); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("revoking what is over: %v", err)
		}
	}
	if left := must(s.SetupTokens(ctx))(t); len(left) != 0 {
		t.Errorf("left %+v", left)
	}
}

// Of two who edit the same person at once, the second is told.
func testVersions(t *testing.T, open Open) {
	s, ctx := open(t, newClock().Now), t.Context()
	u := must(s.AddUser(ctx, ledger.User{Name: "bob"}, ledger.By("setup")))(t)
	if u.Version != 1 {
		t.Errorf("version %d", u.Version)
	}
	edited := must(s.EditUser(ctx, u.ID, ledger.UserEdit{Version: unit.Some(u.Version), FullName: unit.Some("Bob")}, ledger.By("alice")))(t)
	if edited.Version != 2 {
		t.Errorf("edited to version %d", edited.Version)
	}
	if _, err := s.EditUser(ctx, u.ID, ledger.UserEdit{Version: unit.Some(u.Version), FullName: unit.Some("Robert")}, ledger.By("carol")); !errors.Is(err, ledger.ErrStale) {
		t.Errorf("an edit of what was changed meanwhile: %v", err)
	}
	if got := must(s.User(ctx, u.ID))(t); got.FullName != "Bob" || fmt.Sprint(got) != fmt.Sprint(edited) {
		t.Errorf("user %+v", got)
	}
	var won sync.WaitGroup
	var mu sync.Mutex
	wins := 0
	for i := range 8 {
		won.Go(func() {
			_, err := s.EditUser(ctx, u.ID, ledger.UserEdit{Version: unit.Some(edited.Version), FullName: unit.Some(fmt.Sprint(i))}, ledger.By("alice"))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				wins++
			} else if !errors.Is(err, ledger.ErrStale) {
				t.Error(err)
			}
		})
	}
	won.Wait()
	if wins != 1 {
		t.Errorf("%d edits of one version won", wins)
	}
}

// Nobody can lock the company out: the last admin who can sign in stays one.
func testLastAdmin(t *testing.T, open Open) {
	s, ctx := open(t, newClock().Now), t.Context()
	admin := []ledger.Grant{{Role: ledger.Admin}}
	by := ledger.By("alice")
	alice := must(s.AddUser(ctx, ledger.User{Name: "alice", PasswordHash: "h", Grants: admin}, by))(t)
	must(s.AddUser(ctx, ledger.User{Name: "console", Grants: admin}, by))(t) // no way to sign in
	must(s.AddUser(ctx, ledger.User{Name: "one site", PasswordHash: "h", Grants: []ledger.Grant{{Role: ledger.Admin, Site: "odessa"}}}, by))(t)
	gone := must(s.AddUser(ctx, ledger.User{Name: "gone", PasswordHash: "h", Grants: admin}, by))(t)
	must(s.EditUser(ctx, gone.ID, ledger.UserEdit{Disabled: unit.Some(true)}, by))(t)
	lower := func(id int64) []error {
		return []error{
			second(s.EditUser(ctx, id, ledger.UserEdit{Disabled: unit.Some(true)}, by)),
			second(s.EditUser(ctx, id, ledger.UserEdit{Grants: unit.Some([]ledger.Grant{{Role: ledger.Viewer}})}, by)),
			second(s.EditUser(ctx, id, ledger.UserEdit{Grants: unit.Some([]ledger.Grant{{Role: ledger.Admin, Site: "odessa"}})}, by)),
			second(s.EditUser(ctx, id, ledger.UserEdit{Grants: unit.Some([]ledger.Grant{})}, by)),
		}
	}
	for _, err := range lower(alice.ID) {
		if !errors.Is(err, ledger.ErrLastAdmin) {
			t.Errorf("the last admin: %v", err)
		}
	}
	must(s.EditUser(ctx, alice.ID, ledger.UserEdit{Grants: unit.Some(append([]ledger.Grant{{Role: ledger.Viewer, Site: "x"}}, admin...))}, by))(t)
	// A passkey or an identity is a way to sign in, too.
	key := must(s.AddUser(ctx, ledger.User{Name: "key", Grants: admin}, by))(t)
	must(s.AddPasskey(ctx, ledger.Passkey{Credential: "c", Data: "{}", User: key.ID}, by))(t)
	must(s.EditUser(ctx, alice.ID, ledger.UserEdit{Disabled: unit.Some(true)}, by))(t)
	for _, err := range lower(key.ID) {
		if !errors.Is(err, ledger.ErrLastAdmin) {
			t.Errorf("the last admin, with a passkey: %v", err)
		}
	}
	id := must(s.AddUser(ctx, ledger.User{Name: "id", Grants: admin}, by))(t)
	ok(t, s.AddIdentity(ctx, ledger.Identity{Issuer: "i", Subject: "s", User: id.ID}, by))
	must(s.EditUser(ctx, key.ID, ledger.UserEdit{Disabled: unit.Some(true)}, by))(t)
	must(s.EditUser(ctx, alice.ID, ledger.UserEdit{Disabled: unit.Some(false)}, by))(t)
}

// Two admins who lower each other at the same moment: one of them stays.
func testLastAdminAtOnce(t *testing.T, open Open) {
	s, ctx := open(t, newClock().Now), t.Context()
	const n = 6
	var ids []int64
	for i := range n {
		ids = append(ids, must(s.AddUser(ctx, ledger.User{Name: fmt.Sprint("admin ", i), PasswordHash: "h", Grants: []ledger.Grant{{Role: ledger.Admin}}}, ledger.By("setup")))(t).ID)
	}
	var wg sync.WaitGroup
	for i, id := range ids {
		wg.Go(func() {
			e := ledger.UserEdit{Disabled: unit.Some(true)}
			if i%2 == 0 {
				e = ledger.UserEdit{Grants: unit.Some([]ledger.Grant{{Role: ledger.Viewer}})}
			}
			if _, err := s.EditUser(ctx, id, e, ledger.By("mob")); err != nil && !errors.Is(err, ledger.ErrLastAdmin) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	left := 0
	for _, u := range must(s.Users(ctx))(t) {
		if u.Everywhere(ledger.Admin) {
			left++
		}
	}
	if left != 1 {
		t.Errorf("%d admins are left", left)
	}
}
