package ledgertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ballast/ledger"
)

func loan(id string, principal int64) ledger.Facility {
	return ledger.Facility{ID: id, Principal: principal, Currency: "USD", Body: json.RawMessage(fmt.Sprintf(`{"id":%q,"n":%d}`, id, principal))}
}

func line(day, name string, amount int64) ledger.MoneyEntry {
	return ledger.MoneyEntry{Kind: "balance", Day: day, Name: name, Amount: amount, Currency: "USD"}
}

func testMoneyBook(t *testing.T, open Open) {
	c := newClock()
	s, ctx, by := open(t, c.Now), t.Context(), ledger.By("alice")
	empty := must(s.MoneyBook(ctx))(t)
	if empty.Rev != 0 || empty.Terms.Version != 0 || len(empty.Facilities)+len(empty.Entries) > 0 {
		t.Fatalf("an empty book is %+v", empty)
	}
	// The largest amount that an integer of the record holds comes back as it is.
	const most = 1<<63 - 1
	rev := must(s.ChangeMoney(ctx, ledger.MoneyChange{Facilities: []ledger.Facility{loan("rigs", most), loan("coins", 7)}, Entries: []ledger.MoneyEntry{line("2026-02-01", "bank", -5), line("2026-01-01", "bank", most)}, Terms: json.RawMessage(`{"n":1}`)}, by))(t)
	b := must(s.MoneyBook(ctx))(t)
	if rev != 1 || b.Rev != 1 || len(b.Facilities) != 2 || b.Facilities[0].ID != "coins" || b.Facilities[1].Principal != most || b.Facilities[1].Version != 1 || !b.Facilities[1].At.Equal(c.Now()) || b.Facilities[1].Actor != "alice" ||
		len(b.Entries) != 2 || b.Entries[0].Day != "2026-01-01" || b.Entries[0].Amount != most || b.Entries[1].Amount != -5 || b.Terms.Version != 1 || string(b.Terms.Body) != `{"n":1}` {
		t.Fatalf("%+v", b)
	}
	// What was made from an older book is refused, and changes nothing.
	for name, x := range map[string]ledger.MoneyChange{
		"an older book":         {Seen: 0, Entries: []ledger.MoneyEntry{line("2026-03-01", "bank", 1)}},
		"a book of the future":  {Seen: 2, Entries: []ledger.MoneyEntry{line("2026-03-01", "bank", 1)}},
		"one that is not there": {Seen: 1, Facilities: []ledger.Facility{loan("new", 1)}, Entries: []ledger.MoneyEntry{line("2026-03-01", "bank", 1)}, Remove: []string{"x"}},
		"an entry not there":    {Seen: 1, Facilities: []ledger.Facility{loan("new", 1)}, Drop: []int64{99}},
		"nothing":               {Seen: 1},
		"no day":                {Seen: 1, Facilities: []ledger.Facility{loan("new", 1)}, Entries: []ledger.MoneyEntry{line("yesterday", "bank", 1)}},
		"twice":                 {Seen: 1, Entries: []ledger.MoneyEntry{line("2026-03-01", "bank", 1), line("2026-03-01", "bank", 2)}},
		"no id":                 {Seen: 1, Facilities: []ledger.Facility{loan("", 1)}},
		"a path for an id":      {Seen: 1, Facilities: []ledger.Facility{loan("../x", 1)}},
		"changed and removed":   {Seen: 1, Facilities: []ledger.Facility{loan("rigs", 1)}, Remove: []string{"rigs"}},
		"no principal":          {Seen: 1, Facilities: []ledger.Facility{loan("new", 0)}},
	} {
		_, err := s.ChangeMoney(ctx, x, by)
		if !errors.Is(err, ledger.ErrStale) && !errors.Is(err, ledger.ErrNotFound) && !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
		if after := must(s.MoneyBook(ctx))(t); fmt.Sprint(after) != fmt.Sprint(b) {
			t.Errorf("%s changed the book to %+v", name, after)
		}
	}
	c.Advance(time.Hour)
	rev = must(s.ChangeMoney(ctx, ledger.MoneyChange{Seen: 1, Facilities: []ledger.Facility{loan("rigs", 5)}, Remove: []string{"coins"}, Entries: []ledger.MoneyEntry{line("2026-02-01", "bank", 6)}, Drop: []int64{b.Entries[0].ID}}, ledger.By("bob")))(t)
	b = must(s.MoneyBook(ctx))(t)
	if rev != 2 || len(b.Facilities) != 1 || b.Facilities[0].Version != 2 || b.Facilities[0].Actor != "bob" || len(b.Entries) != 1 || b.Entries[0].Amount != 6 {
		t.Errorf("%+v", b)
	}
	vs := must(s.FacilityVersions(ctx, "coins"))(t)
	if len(vs) != 2 || !vs[0].Removed || vs[0].Version != 2 || vs[1].Removed || string(vs[0].Body) != string(vs[1].Body) {
		t.Errorf("versions of what was removed: %+v", vs)
	}
	// One that comes back goes on counting.
	must(s.ChangeMoney(ctx, ledger.MoneyChange{Seen: 2, Facilities: []ledger.Facility{loan("coins", 9)}}, by))(t)
	if vs := must(s.FacilityVersions(ctx, "coins"))(t); len(vs) != 3 || vs[0].Version != 3 || vs[0].Principal != 9 {
		t.Errorf("versions of what came back: %+v", vs)
	}
	if _, err := s.FacilityVersions(ctx, "x"); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("versions of nothing: %v", err)
	}
	if rows := must(s.AuditRows(ctx, ledger.AuditFilter{Action: "facility."}))(t); len(rows) != 5 {
		t.Errorf("%d audit rows of facilities", len(rows))
	}
	// In one transaction with something else: seen there, and gone with it.
	failed := errors.New("no")
	err := s.Tx(ctx, func(tx ledger.Tx) error {
		must(tx.ChangeMoney(ctx, ledger.MoneyChange{Seen: 3, Terms: json.RawMessage(`{}`)}, by))(t)
		if b := must(tx.MoneyBook(ctx))(t); b.Rev != 4 || b.Terms.Version != 2 {
			t.Errorf("inside: %+v", b)
		}
		return failed
	})
	if b := must(s.MoneyBook(ctx))(t); !errors.Is(err, failed) || b.Rev != 3 || b.Terms.Version != 1 {
		t.Errorf("%v: %+v", err, b)
	}
	must(s.VerifyAudit(ctx))(t)
}

// Of many who change the same book at once, one is taken and the others are
// told; nothing is lost or written twice.
func testMoneyAtOnce(t *testing.T, open Open) {
	s, ctx := open(t, newClock().Now), t.Context()
	var won atomic.Int64
	var all sync.WaitGroup
	for i := range 6 {
		all.Go(func() {
			_, err := s.ChangeMoney(ctx, ledger.MoneyChange{Entries: []ledger.MoneyEntry{line("2026-01-01", fmt.Sprint(i), int64(i))}}, ledger.By("alice"))
			switch {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, ledger.ErrStale):
				t.Errorf("%v", err)
			}
		})
	}
	all.Wait()
	if b := must(s.MoneyBook(ctx))(t); won.Load() != 1 || b.Rev != 1 || len(b.Entries) != 1 {
		t.Errorf("%d changed it: %+v", won.Load(), b)
	}
}

func testDebtDays(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	for i, day := range []string{"2026-02-27", "2026-03-01", "2026-02-28", "2026-03-01"} {
		ok(t, s.SaveDebtDay(ctx, ledger.DebtDay{Day: day, Body: json.RawMessage(fmt.Sprintf(`{"n":%d}`, i)), At: c.Now()}))
	}
	got := must(s.DebtDays(ctx, "2026-02-28", "2026-03-02"))(t)
	if len(got) != 2 || got[0].Day != "2026-02-28" || string(got[1].Body) != `{"n":3}` || !got[1].At.Equal(c.Now()) {
		t.Errorf("%+v", got)
	}
	for _, bad := range []ledger.DebtDay{{Day: "today", Body: json.RawMessage("{}")}, {Day: "2026-01-01", Body: json.RawMessage("{")}} {
		if err := s.SaveDebtDay(ctx, bad); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}
