package ledgertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ballast/ledger"
	"ballast/unit"
)

func testAudit(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	if head := must(s.VerifyAudit(ctx))(t); head != ledger.AuditStart() {
		t.Errorf("head of an empty log: %+v", head)
	}
	for i := range 12 {
		c.Advance(time.Minute)
		a := ledger.Audit{Actor: "alice", Action: "machine.edit", Subject: fmt.Sprintf("machine/%d", i), Detail: "naïve ✓ \x00"}
		if i%4 == 0 {
			a.Actor, a.Action = "bob", "machinery"
		}
		ok(t, s.Audit(ctx, a))
	}
	rows := must(s.AuditRows(ctx, ledger.AuditFilter{}))(t)
	head := must(s.VerifyAudit(ctx, rows[3].Head(), ledger.AuditStart()))(t)
	if len(rows) != 12 || rows[0].Head() != head || rows[0].Seq != 12 || rows[0].At != c.Now() || rows[0].Detail != "naïve ✓ " {
		t.Errorf("head %+v, newest row %+v", head, rows[0])
	}
	for name, x := range map[string]struct {
		f    ledger.AuditFilter
		want int
	}{
		"actor": {ledger.AuditFilter{Actor: "bob"}, 3}, "action": {ledger.AuditFilter{Action: "machine.edit"}, 9}, "actions": {ledger.AuditFilter{Action: "machine."}, 9},
		"subject": {ledger.AuditFilter{Subject: "machine/7"}, 1}, "since": {ledger.AuditFilter{Since: rows[2].At}, 3}, "until": {ledger.AuditFilter{Until: rows[2].At}, 9},
		"page": {ledger.AuditFilter{Before: 5, Limit: 3}, 3},
	} {
		if got := must(s.AuditRows(ctx, x.f))(t); len(got) != x.want {
			t.Errorf("%s: %d rows, want %d", name, len(got), x.want)
		}
	}
	if page := must(s.AuditRows(ctx, ledger.AuditFilter{Before: 5, Limit: 3}))(t); page[0].Seq != 4 || page[2].Seq != 2 {
		t.Errorf("page %v", page)
	}
	for _, bad := range []ledger.Audit{{Actor: "alice"}, {Action: "x"}} {
		if err := s.Audit(ctx, bad); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

// Whoever has the database's password and changes, removes, inserts or
// reorders rows is found out; who changes nothing is not accused.
func testAuditTamper(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	const n = 20
	for i := range n {
		c.Advance(time.Second)
		ok(t, s.Audit(ctx, ledger.Audit{Actor: "alice", Action: "setting.set", Subject: "setting/x", Detail: fmt.Sprint("value ", i)}))
	}
	head := must(s.VerifyAudit(ctx))(t)
	rows := must(s.AuditRows(ctx, ledger.AuditFilter{}))(t)
	slices.Reverse(rows)
	texts := []string{"actor", "action", "subject", "detail", "prev", "hash"}
	put := func(t fataler, r ledger.AuditRow) {
		t.Helper()
		_, err := s.Raw.ExecContext(ctx, "INSERT INTO audit (seq, at, actor, action, subject, detail, prev, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
			r.Seq, r.At.UnixMicro(), r.Actor, r.Action, r.Subject, r.Detail, r.Prev, r.Hash)
		ok(t, err)
	}
	run := func(t fataler, text string, args ...any) {
		t.Helper()
		_, err := s.Raw.ExecContext(ctx, text, args...)
		ok(t, err)
	}
	restore := func(t fataler) {
		run(t, "DELETE FROM audit")
		for _, r := range rows {
			put(t, r)
		}
		run(t, "UPDATE audit_head SET seq = $1, hash = $2", head.Seq, head.Hash)
	}
	rapid.Check(t, func(t *rapid.T) {
		seq := rapid.Int64Range(1, n).Draw(t, "row")
		how := rapid.SampledFrom([]string{"text", "time", "remove", "remove many", "cut tail and head", "insert", "append", "exchange", "renumber", "head", "rehash", "rewrite"}).Draw(t, "how")
		var anchors []ledger.AuditHead
		switch how {
		case "text":
			column := rapid.SampledFrom(texts).Draw(t, "column")
			run(t, "UPDATE audit SET "+column+" = $1 WHERE seq = $2", "x"+rapid.StringMatching(`[a-z ]{0,8}`).Draw(t, "text"), seq)
		case "time":
			run(t, "UPDATE audit SET at = at + $1 WHERE seq = $2", rapid.Int64Range(1, 1e9).Draw(t, "microseconds"), seq)
		case "remove":
			run(t, "DELETE FROM audit WHERE seq = $1", seq)
		case "remove many":
			run(t, "DELETE FROM audit WHERE seq BETWEEN $1 AND $2", seq, rapid.Int64Range(seq, n).Draw(t, "last"))
		case "cut tail and head": // a well-made shorter log: only an anchor shows it
			anchors = append(anchors, head)
			run(t, "DELETE FROM audit WHERE seq >= $1", seq)
			shorter := ledger.AuditStart()
			if seq > 1 {
				shorter = rows[seq-2].Head()
			}
			run(t, "UPDATE audit_head SET seq = $1, hash = $2", shorter.Seq, shorter.Hash)
		case "insert": // between two rows, which makes room by moving the later ones up
			for i := int64(n); i >= seq; i-- {
				run(t, "UPDATE audit SET seq = $1 WHERE seq = $2", i+1, i)
			}
			prev := ledger.AuditStart()
			if seq > 1 {
				prev = rows[seq-2].Head()
			}
			put(t, ledger.Audit{Actor: "mallory", Action: "x"}.Chain(prev, c.Now()))
		case "append": // with a right hash, and the head left as it was
			put(t, ledger.Audit{Actor: "mallory", Action: "x"}.Chain(head, c.Now()))
		case "exchange":
			other := seq%n + 1
			run(t, "UPDATE audit SET seq = 1000 WHERE seq = $1", seq)
			run(t, "UPDATE audit SET seq = $1 WHERE seq = $2", seq, other)
			run(t, "UPDATE audit SET seq = $1 WHERE seq = 1000", other)
		case "renumber":
			run(t, "UPDATE audit SET seq = seq + 1000 WHERE seq >= $1", seq)
		case "head":
			switch rapid.SampledFrom([]string{"gone", "forward", "back", "hash"}).Draw(t, "head how") {
			case "gone":
				run(t, "DELETE FROM audit_head")
			case "forward":
				run(t, "UPDATE audit_head SET seq = seq + $1", rapid.Int64Range(1, 3).Draw(t, "by"))
			case "back": // to an earlier row, rightly: the rows after it give it away
				earlier := rows[rapid.Int64Range(1, n-1).Draw(t, "to")-1].Head()
				run(t, "UPDATE audit_head SET seq = $1, hash = $2", earlier.Seq, earlier.Hash)
			case "hash":
				run(t, "UPDATE audit_head SET hash = $1", rapid.StringMatching(`[0-9a-f]{64}`).Draw(t, "hash"))
			}
		case "rehash": // alter a row and give it the right hash again
			r := rows[seq-1]
			r.Detail = "altered"
			run(t, "UPDATE audit SET detail = $1, hash = $2 WHERE seq = $3", r.Detail, r.Sum(), seq)
			if seq == n { // the last row: the head must not fit
				break
			}
		case "rewrite": // everything from a row on, head too: only an anchor shows it
			anchors = append(anchors, head)
			at := ledger.AuditStart()
			if seq > 1 {
				at = rows[seq-2].Head()
			}
			run(t, "DELETE FROM audit WHERE seq >= $1", seq)
			for i := seq; i <= n; i++ {
				r := ledger.Audit{Actor: "mallory", Action: "x"}.Chain(at, c.Now())
				put(t, r)
				at = r.Head()
			}
			run(t, "UPDATE audit_head SET seq = $1, hash = $2", at.Seq, at.Hash)
		}
		if _, err := s.VerifyAudit(ctx, anchors...); !errors.Is(err, ledger.ErrTampered) {
			t.Fatalf("%s at row %d was not seen: %v", how, seq, err)
		}
		if how == "head" {
			run(t, "DELETE FROM audit_head")
			run(t, "INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '')")
		}
		restore(t)
		if _, err := s.VerifyAudit(ctx, head); err != nil {
			t.Fatalf("restored: %v", err)
		}
	})
}

// Not a sample but all: every cell of every row, changed by as little as one
// bit or character, and every row missing, is found, and at the row where it is.
func testAuditEveryCell(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	for i := range 8 {
		c.Advance(time.Second)
		ok(t, s.Audit(ctx, ledger.Audit{Actor: "alice", Action: "a.b", Subject: fmt.Sprint("x/", i), Detail: "détail"}))
	}
	rows := must(s.AuditRows(ctx, ledger.AuditFilter{}))(t)
	run := func(text string, args ...any) {
		t.Helper()
		_, err := s.Raw.ExecContext(ctx, text, args...)
		ok(t, err)
	}
	found := func(what string, row int64) {
		t.Helper()
		var last int64
		check := ledger.NewChainCheck()
		claimed, err := s.WalkAudit(ctx, func(r ledger.AuditRow) error {
			if err := check.Next(r); err != nil {
				return err
			}
			last = r.Seq
			return nil
		})
		if err == nil {
			_, err = check.End(claimed)
		}
		if !errors.Is(err, ledger.ErrTampered) || last != row-1 {
			t.Errorf("%s in row %d: %v after row %d", what, row, err, last)
		}
	}
	for _, r := range rows {
		for column, change := range map[string]string{
			"at": "at + 1", "actor": "actor || ' '", "action": "substr(action, 2)", "subject": "subject || 'x'", "detail": "''", "prev": "replace(prev, substr(prev, 1, 1), 'x')", "hash": "upper(hash) || ''",
		} {
			var was any
			ok(t, s.Raw.QueryRowContext(ctx, "SELECT "+column+" FROM audit WHERE seq = $1", r.Seq).Scan(&was))
			run("UPDATE audit SET "+column+" = "+change+" WHERE seq = $1", r.Seq)
			found(column, r.Seq)
			run("UPDATE audit SET "+column+" = $1 WHERE seq = $2", was, r.Seq)
		}
		run("DELETE FROM audit WHERE seq = $1", r.Seq)
		found("a hole", r.Seq)
		run("INSERT INTO audit (seq, at, actor, action, subject, detail, prev, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)", r.Seq, r.At.UnixMicro(), r.Actor, r.Action, r.Subject, r.Detail, r.Prev, r.Hash)
		must(s.VerifyAudit(ctx, r.Head()))(t)
	}
	// Two anchors of one row that disagree cannot both be right.
	forged := rows[2].Head()
	forged.Hash = rows[3].Hash
	for _, anchors := range [][]ledger.AuditHead{{rows[2].Head(), forged}, {forged, rows[2].Head()}} {
		if _, err := s.VerifyAudit(ctx, anchors...); !errors.Is(err, ledger.ErrTampered) {
			t.Errorf("disagreeing anchors: %v", err)
		}
	}
	if head := must(s.AuditHead(ctx))(t); head != rows[0].Head() {
		t.Errorf("head %+v", head)
	}
}

// The chain stays whole when many write, and a check in between does not raise
// a false alarm.
func testAuditAtOnce(t *testing.T, open Open) {
	s, ctx := open(t, newClock().Now), t.Context()
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := range 15 {
				if err := s.SetSetting(ctx, fmt.Sprint(w), fmt.Sprint(i), ledger.By("alice")); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range 8 {
				if _, err := s.VerifyAudit(ctx); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if head := must(s.VerifyAudit(ctx))(t); head.Seq != 60 {
		t.Errorf("the chain ends at %d, want 60", head.Seq)
	}
}

// Each thing that a person can cause leaves exactly one audit row with their
// name; a thing that fails leaves none.
func testEveryChangeIsAudited(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	ids := seed(t, s, 2)
	must(s.ObserveMachines(ctx, []ledger.Sighting{{Addr: addr(8), MAC: mac(8), Serial: "CLONE"}, {Addr: addr(9), MAC: mac(9), Serial: "CLONE"}}))(t)
	user := must(s.AddUser(ctx, ledger.User{Name: "x"}, ledger.By("setup")))(t)
	key := must(s.AddAPIKey(ctx, ledger.APIKey{Prefix: "p", Sum: "s", User: user.ID}, ledger.By("setup")))(t)
	ok(t, s.SetSetting(ctx, "k", "v", ledger.By("setup")))
	ok(t, s.SaveSite(ctx, ledger.Site{Name: "spare"}, ledger.By("setup")))
	expires := c.Now().Add(time.Hour)
	ok(t, s.AddSetupToken(ctx, ledger.SetupToken{Sum: "t", Expires: expires}, ledger.By("setup")))
	batch := must(s.CreateBatch(ctx, ledger.NewBatch{Kind: "sleep", Actor: "setup"}))(t)
	note := must(s.AddNote(ctx, ids[0], "n", ledger.By("setup")))(t)
	filter := must(s.SaveFilter(ctx, ledger.SavedFilter{Name: "f"}, ledger.By("setup")))(t)
	by := func() ledger.Audit { return ledger.By("alice") }
	type change struct {
		action string
		do     func() error
		fails  func() error
	}
	for _, x := range []change{
		{"site.save", func() error { return s.SaveSite(ctx, ledger.Site{Name: "odessa"}, by()) }, func() error { return s.SaveSite(ctx, ledger.Site{}, by()) }},
		{"machine.place", func() error {
			return second(s.PlaceMachines(ctx, "odessa", map[int64]ledger.Place{ids[0]: slot(1)}, by()))
		}, func() error {
			return second(s.PlaceMachines(ctx, "odessa", map[int64]ledger.Place{ids[0]: slot(1), ids[1]: slot(1)}, by()))
		}},
		{"site.remove", func() error { return s.RemoveSite(ctx, "spare", by()) }, func() error { return s.RemoveSite(ctx, "spare", by()) }},
		{"scan.start", func() error { return second(s.BeginScan(ctx, ledger.Scan{Site: "odessa"}, by())) }, func() error { return s.EndScan(ctx, ledger.Scan{}) }},
		{"password.add", func() error {
			return second(s.SaveMachinePassword(ctx, ledger.MachinePassword{Sealed: "v1.argon2"}, by()))
		}, func() error { return second(s.SaveMachinePassword(ctx, ledger.MachinePassword{}, by())) }},
		{"password.change", func() error {
			return second(s.SaveMachinePassword(ctx, ledger.MachinePassword{ID: 1, Sealed: "v1.argon2"}, by()))
		}, func() error {
			return second(s.SaveMachinePassword(ctx, ledger.MachinePassword{ID: 9, Sealed: "v1.argon2"}, by()))
		}},
		{"password.delete", func() error { return s.DeleteMachinePassword(ctx, 1, by()) }, func() error { return s.DeleteMachinePassword(ctx, 1, by()) }},
		{"pool-profile.add", func() error {
			return second(s.SavePoolProfile(ctx, ledger.PoolProfile{Name: "p", Pools: []ledger.ProfilePool{{Sealed: "argon2"}}}, by()))
		}, func() error { return second(s.SavePoolProfile(ctx, ledger.PoolProfile{}, by())) }},
		{"pool-profile.change", func() error { return second(s.SavePoolProfile(ctx, ledger.PoolProfile{ID: 1, Name: "q"}, by())) },
			func() error { return second(s.SavePoolProfile(ctx, ledger.PoolProfile{ID: 9, Name: "r"}, by())) }},
		{"pool-profile.delete", func() error { return s.DeletePoolProfile(ctx, 1, by()) }, func() error { return s.DeletePoolProfile(ctx, 1, by()) }},
		{"machine.edit", func() error { return s.EditMachines(ctx, ids, ledger.MachineEdit{Group: unit.Some("g")}, by()) },
			func() error { return s.EditMachines(ctx, []int64{99}, ledger.MachineEdit{}, by()) }},
		{"identity.clear", func() error { return s.ClearShared(ctx, "serial", "CLONE", by()) }, func() error { return s.ClearShared(ctx, "mac", "x", by()) }},
		{"command.create", func() error {
			return second(s.CreateCommand(ctx, ledger.NewCommand{Machine: ids[0], Kind: "sleep", Actor: "alice"}))
		}, func() error {
			return second(s.CreateCommand(ctx, ledger.NewCommand{Machine: 99, Kind: "sleep", Actor: "alice"}))
		}},
		{"user.add", func() error { return second(s.AddUser(ctx, ledger.User{Name: "y"}, by())) }, func() error { return second(s.AddUser(ctx, ledger.User{Name: "Y"}, by())) }},
		{"user.edit", func() error { return second(s.EditUser(ctx, user.ID, ledger.UserEdit{}, by())) }, func() error { return second(s.EditUser(ctx, 99, ledger.UserEdit{}, by())) }},
		{"setup_token.add", func() error { return s.AddSetupToken(ctx, ledger.SetupToken{Sum: "u", Expires: expires}, by()) },
			func() error { return s.AddSetupToken(ctx, ledger.SetupToken{Sum: "u", Expires: expires}, by()) }},
		{"setup_token.use", func() error { return second(s.UseSetupToken(ctx, "t", by())) }, func() error { return second(s.UseSetupToken(ctx, "t", by())) }},
		{"api_key.add", func() error {
			return second(s.AddAPIKey(ctx, ledger.APIKey{Prefix: "q", Sum: "s", User: user.ID}, by()))
		}, func() error {
			return second(s.AddAPIKey(ctx, ledger.APIKey{Prefix: "q", Sum: "s", User: user.ID}, by()))
		}},
		{"api_key.revoke", func() error { return s.RevokeAPIKey(ctx, key.ID, by()) }, func() error { return s.RevokeAPIKey(ctx, 99, by()) }},
		{"batch.cancel", func() error { return s.MarkCancelled(ctx, batch.ID, by()) }, func() error { return s.MarkCancelled(ctx, "x", by()) }},
		{"note.add", func() error { return second(s.AddNote(ctx, ids[0], "n", by())) }, func() error { return second(s.AddNote(ctx, 99, "n", by())) }},
		{"note.delete", func() error { return s.DeleteNote(ctx, ids[0], note.ID, by()) }, func() error { return s.DeleteNote(ctx, ids[0], note.ID, by()) }},
		{"filter.save", func() error { return second(s.SaveFilter(ctx, ledger.SavedFilter{Name: "g"}, by())) },
			func() error { return second(s.SaveFilter(ctx, ledger.SavedFilter{}, by())) }},
		{"filter.delete", func() error { return s.DeleteFilter(ctx, filter.ID, by()) }, func() error { return s.DeleteFilter(ctx, filter.ID, by()) }},
		{"setup_token.revoke", func() error {
			ok(t, s.AddSetupToken(ctx, ledger.SetupToken{Sum: "v", Purpose: ledger.ForInvite, Expires: expires}, ledger.Audit{Actor: "alice", Action: "x"}))
			pending := must(s.SetupTokens(ctx))(t)
			return s.RevokeSetupToken(ctx, pending[len(pending)-1].ID, by())
		}, func() error { return s.RevokeSetupToken(ctx, 99, by()) }},
		{"session.end", func() error {
			must(s.AddSession(ctx, ledger.Session{Sum: "t", User: user.ID, Expires: expires}))(t)
			return second(s.EndSessions(ctx, ledger.SessionFilter{User: user.ID}, by()))
		}, func() error { return second(s.EndSessions(ctx, ledger.SessionFilter{}, by())) }},
		{"passkey.add", func() error {
			return second(s.AddPasskey(ctx, ledger.Passkey{Credential: "c", Data: "{}", User: user.ID}, by()))
		}, func() error {
			return second(s.AddPasskey(ctx, ledger.Passkey{Credential: "c", Data: "{}", User: user.ID}, by()))
		}},
		{"passkey.name", func() error { return s.NamePasskey(ctx, 1, user.ID, "phone", by()) }, func() error { return s.NamePasskey(ctx, 1, 99, "phone", by()) }},
		{"passkey.remove", func() error { return s.RemovePasskey(ctx, 1, user.ID, by()) }, func() error { return s.RemovePasskey(ctx, 1, user.ID, by()) }},
		{"identity.add", func() error {
			return s.AddIdentity(ctx, ledger.Identity{Issuer: "i", Subject: "s", User: user.ID}, by())
		}, func() error {
			return s.AddIdentity(ctx, ledger.Identity{Issuer: "i", Subject: "s", User: user.ID}, by())
		}},
		{"identity.remove", func() error { return s.RemoveIdentity(ctx, "i", "s", user.ID, by()) }, func() error { return s.RemoveIdentity(ctx, "i", "s", user.ID, by()) }},
		{"setting.set", func() error { return s.SetSetting(ctx, "k", "w", by()) }, func() error { return s.SetSetting(ctx, "", "w", by()) }},
		{"rule.add", func() error {
			return second(s.SaveDocument(ctx, ledger.Document{Kind: "rule", Doc: json.RawMessage("{}")}, by()))
		}, func() error { return second(s.SaveDocument(ctx, ledger.Document{Kind: "rule"}, by())) }},
		{"alarm.change", func() error {
			return s.SaveAlarms(ctx, ledger.AlarmChange{Alarms: []ledger.Alarm{{ID: 1, Doc: json.RawMessage("{}")}}}, by())
		}, func() error {
			return s.SaveAlarms(ctx, ledger.AlarmChange{Alarms: []ledger.Alarm{{ID: 1}}}, by())
		}},
		{"facility.add", func() error {
			return second(s.ChangeMoney(ctx, ledger.MoneyChange{Facilities: []ledger.Facility{loan("l", 1)}}, by()))
		},
			func() error {
				return second(s.ChangeMoney(ctx, ledger.MoneyChange{Facilities: []ledger.Facility{loan("m", 1)}}, by()))
			}},
		{"facility.change", func() error {
			return second(s.ChangeMoney(ctx, ledger.MoneyChange{Seen: 1, Facilities: []ledger.Facility{loan("l", 2)}}, by()))
		}, func() error {
			return second(s.ChangeMoney(ctx, ledger.MoneyChange{Seen: 2, Facilities: []ledger.Facility{{}}}, by()))
		}},
		{"facility.remove", func() error {
			return second(s.ChangeMoney(ctx, ledger.MoneyChange{Seen: 2, Remove: []string{"l"}}, by()))
		},
			func() error {
				return second(s.ChangeMoney(ctx, ledger.MoneyChange{Seen: 3, Remove: []string{"l"}}, by()))
			}},
		{"money.entries", func() error {
			return second(s.ChangeMoney(ctx, ledger.MoneyChange{Seen: 3, Entries: []ledger.MoneyEntry{line("2026-01-01", "a", 1), line("2026-01-01", "b", 1)}}, by()))
		}, func() error {
			return second(s.ChangeMoney(ctx, ledger.MoneyChange{Seen: 4, Drop: []int64{1, 99}}, by()))
		}},
		{"money.terms", func() error {
			return second(s.ChangeMoney(ctx, ledger.MoneyChange{Seen: 4, Terms: json.RawMessage("{}")}, by()))
		},
			func() error {
				return second(s.ChangeMoney(ctx, ledger.MoneyChange{Seen: 5, Terms: json.RawMessage("{")}, by()))
			}},
		{"setting.delete", func() error { return s.DeleteSetting(ctx, "k", by()) }, func() error { return s.DeleteSetting(ctx, "k", by()) }},
	} {
		before := must(s.VerifyAudit(ctx))(t)
		ok(t, x.do())
		if x.action == "setup_token.revoke" {
			before.Seq++ // its token was added in between
		}
		rows := must(s.AuditRows(ctx, ledger.AuditFilter{Limit: 1}))(t)
		if rows[0].Seq != before.Seq+1 || rows[0].Action != x.action || rows[0].Actor != "alice" || rows[0].Subject == "" {
			t.Errorf("%s: row %+v after %d", x.action, rows[0], before.Seq)
		}
		if strings.Contains(rows[0].Detail, "argon2") {
			t.Errorf("%s tells a secret: %s", x.action, rows[0].Detail)
		}
		if err := x.fails(); err == nil {
			t.Errorf("%s should have failed", x.action)
		}
		if after := must(s.VerifyAudit(ctx))(t); after.Seq != before.Seq+1 {
			t.Errorf("a %s that failed was audited", x.action)
		}
	}
}
