package ledgertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"ballast/ledger"
	"ballast/unit"
)

func testSiteVersions(t *testing.T, open Open) {
	s, ctx := open(t, newClock().Now), t.Context()
	by := ledger.By("alice")
	ok(t, s.SaveSite(ctx, ledger.Site{Name: "odessa", Ranges: []string{"10.0.0.0/16"}}, by))
	one := must(s.Site(ctx, "odessa"))(t)
	if one.Version != 1 || !slices.Equal(one.Ranges, []string{"10.0.0.0/16"}) {
		t.Errorf("first save: %+v", one)
	}
	one.Title = "mine"
	ok(t, s.SaveSite(ctx, one, by))
	other := one // who looked at version 1 too
	other.Title = "theirs"
	if err := s.SaveSite(ctx, other, by); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("an old version: %v", err)
	}
	if got := must(s.Site(ctx, "odessa"))(t); got.Version != 2 || got.Title != "mine" {
		t.Errorf("after both: %+v", got)
	}
	if err := s.SaveSite(ctx, ledger.Site{Name: "nowhere", Version: 1}, by); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("a version of a site that is not there: %v", err)
	}
	ids := seed(t, s, 1) // at odessa
	if err := s.RemoveSite(ctx, "odessa", by); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("removing a site with machines: %v", err)
	}
	ok(t, s.EditMachines(ctx, ids, ledger.MachineEdit{Retired: unit.Some(true)}, by))
	ok(t, s.RemoveSite(ctx, "odessa", by))
	if _, err := s.Site(ctx, "odessa"); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("a removed site: %v", err)
	}
	if err := s.RemoveSite(ctx, "odessa", by); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("removed twice: %v", err)
	}
}

func slot(n int) ledger.Place {
	return ledger.Place{Container: "C01", Rack: "R1", Slot: fmt.Sprint(n)}
}

func testPlaceMachines(t *testing.T, open Open) {
	s, ctx := open(t, newClock().Now), t.Context()
	by := ledger.By("alice")
	ids := seed(t, s, 450) // more than one bulk statement
	want := map[int64]ledger.Place{}
	for i, id := range ids {
		want[id] = slot(i + 1)
	}
	before := must(s.VerifyAudit(ctx))(t)
	if changed := must(s.PlaceMachines(ctx, "odessa", want, by))(t); len(changed) != len(ids) {
		t.Errorf("%d changed", len(changed))
	}
	if after := must(s.VerifyAudit(ctx))(t); after.Seq != before.Seq+1 {
		t.Errorf("%d audit rows for one placement", after.Seq-before.Seq)
	}
	for i, m := range must(s.Machines(ctx, ledger.MachineFilter{}))(t) {
		if m.Place != slot(i+1) || m.Placed != ledger.PlacedByLayout {
			t.Fatalf("machine %d: %+v %q", m.ID, m.Place, m.Placed)
		}
	}
	if changed := must(s.PlaceMachines(ctx, "odessa", want, by))(t); len(changed) != 0 {
		t.Errorf("again: %v changed", changed)
	}
	if after := must(s.VerifyAudit(ctx))(t); after.Seq != before.Seq+1 {
		t.Error("nothing changed, and it was audited")
	}
	// A swap is one step; by hand wins; another site's machine is not touched.
	ok(t, s.EditMachines(ctx, ids[5:6], ledger.MachineEdit{Place: unit.Some(slot(1000))}, by))
	got := must(s.PlaceMachines(ctx, "odessa", map[int64]ledger.Place{ids[0]: slot(2), ids[1]: slot(1), ids[5]: slot(6)}, by))(t)
	if !slices.Equal(got, ids[:2]) {
		t.Errorf("a swap and a machine placed by hand: %v", got)
	}
	if got := must(s.PlaceMachines(ctx, "hood", map[int64]ledger.Place{ids[2]: slot(77)}, by))(t); len(got) != 0 {
		t.Errorf("another site's layout moved %v", got)
	}
	if _, err := s.PlaceMachines(ctx, "odessa", map[int64]ledger.Place{ids[7]: slot(1000)}, by); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("into the slot of a machine placed by hand: %v", err)
	}
	if m := must(s.Machine(ctx, ids[7]))(t); m.Place != slot(8) {
		t.Errorf("a refused placement moved it: %+v", m.Place)
	}
	// Cleared, the layout decides again; out of the layout is out of the slot.
	ok(t, s.EditMachines(ctx, ids[5:6], ledger.MachineEdit{Place: unit.Some(ledger.Place{})}, by))
	must(s.PlaceMachines(ctx, "odessa", map[int64]ledger.Place{ids[5]: slot(6), ids[8]: {}}, by))(t)
	if m := must(s.Machine(ctx, ids[5]))(t); m.Place != slot(6) || m.Placed != ledger.PlacedByLayout {
		t.Errorf("cleared: %+v %q", m.Place, m.Placed)
	}
	if m := must(s.Machine(ctx, ids[8]))(t); m.Place != (ledger.Place{}) || m.Placed != ledger.PlacedByNobody {
		t.Errorf("taken out: %+v %q", m.Place, m.Placed)
	}
	// Who moves to another site leaves place and hand behind.
	moved := must(s.ObserveMachines(ctx, []ledger.Sighting{{MAC: mac(4), Addr: addr(4), Site: "hood"}}))(t)[0]
	if moved.Place != (ledger.Place{}) || moved.Placed != ledger.PlacedByNobody {
		t.Errorf("moved: %+v %q", moved.Place, moved.Placed)
	}
}

// Whatever is placed, by hand or by layout, in whatever order: no slot ever
// holds two, and a hand is never overruled.
func testPlaceModel(t *testing.T, open Open) {
	s, ctx := open(t, newClock().Now), t.Context()
	all := seed(t, s, 5*200)
	round := 0
	rapid.Check(t, func(r *rapid.T) {
		by := ledger.By("alice")
		ids := all[round%200*5 : round%200*5+5]
		round++
		slot := func(n int) ledger.Place {
			return ledger.Place{Container: fmt.Sprint("C", round), Rack: "R1", Slot: fmt.Sprint(n)}
		}
		hand := map[int64]ledger.Place{}
		for range rapid.IntRange(1, 12).Draw(r, "steps") {
			if rapid.Bool().Draw(r, "by hand") {
				id := rapid.SampledFrom(ids).Draw(r, "machine")
				p := ledger.Place{}
				if n := rapid.IntRange(0, 4).Draw(r, "slot"); n > 0 {
					p = slot(n)
				}
				if err := s.EditMachines(ctx, []int64{id}, ledger.MachineEdit{Place: unit.Some(p)}, by); err == nil {
					delete(hand, id)
					if p != (ledger.Place{}) {
						hand[id] = p
					}
				} else if !errors.Is(err, ledger.ErrConflict) {
					r.Fatal(err)
				}
			} else {
				want := map[int64]ledger.Place{}
				for _, id := range ids {
					if n := rapid.IntRange(-1, 4).Draw(r, "wanted"); n > 0 {
						want[id] = slot(n)
					} else if n == 0 {
						want[id] = ledger.Place{}
					}
				}
				if _, err := s.PlaceMachines(ctx, "odessa", want, by); err != nil && !errors.Is(err, ledger.ErrConflict) {
					r.Fatal(err)
				}
			}
			holds := map[ledger.Place]int64{}
			for _, m := range must(s.Machines(ctx, ledger.MachineFilter{After: ids[0] - 1, Limit: 5}))(r) {
				if p, by := hand[m.ID]; by && (m.Place != p || m.Placed != ledger.PlacedByHand) {
					r.Fatalf("machine %d was put in %v by hand and is in %v", m.ID, p, m.Place)
				}
				if m.Place.Slot == "" {
					continue
				}
				if other, taken := holds[m.Place]; taken {
					r.Fatalf("machines %d and %d in %v", other, m.ID, m.Place)
				}
				holds[m.Place] = m.ID
			}
		}
	})
}

func testScans(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	var ids []int64
	for i := range 3 {
		ids = append(ids, must(s.BeginScan(ctx, ledger.Scan{Site: []string{"odessa", "hood", "odessa"}[i], Ranges: []string{"10.0.0.0/24"}}, ledger.By("alice")))(t))
	}
	ok(t, s.EndScan(ctx, ledger.Scan{ID: ids[0], End: ledger.ScanDone, Report: json.RawMessage(`{"machines": 3}`)}))
	if err := s.EndScan(ctx, ledger.Scan{ID: ids[0], End: ledger.ScanDone}); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("ended twice: %v", err)
	}
	if err := s.EndScan(ctx, ledger.Scan{ID: 99, End: ledger.ScanDone}); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("no such scan: %v", err)
	}
	if err := s.EndScan(ctx, ledger.Scan{ID: ids[1]}); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("without an end: %v", err)
	}
	ok(t, s.CutOffScans(ctx))
	got := must(s.Scans(ctx, ledger.ScanFilter{Site: "odessa"}))(t)
	if len(got) != 2 || got[0].ID != ids[2] || got[0].End != ledger.ScanCutOff || got[1].End != ledger.ScanDone || string(got[1].Report) != `{"machines": 3}` ||
		got[1].Actor != "alice" || got[1].Started != c.Now() || got[1].Ranges[0] != "10.0.0.0/24" {
		t.Errorf("scans %+v", got)
	}
	if page := must(s.Scans(ctx, ledger.ScanFilter{Before: ids[2], Limit: 1}))(t); len(page) != 1 || page[0].ID != ids[1] {
		t.Errorf("page %+v", page)
	}
	if one := must(s.Scan(ctx, ids[0]))(t); one.ID != ids[0] {
		t.Errorf("one %+v", one)
	}
	if _, err := s.Scan(ctx, 99); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("no such scan: %v", err)
	}
}

func testMachinePasswords(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	by := ledger.By("alice")
	if _, err := s.SaveMachinePassword(ctx, ledger.MachinePassword{User: "root"}, by); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("not sealed: %v", err)
	}
	id := must(s.SaveMachinePassword(ctx, ledger.MachinePassword{Site: "odessa", Range: "10.0.0.0/24", Firmware: "antminer", User: "root", Sealed: "v1.abc"}, by))(t)
	two := must(s.SaveMachinePassword(ctx, ledger.MachinePassword{Group: "new", Sealed: "v1.def", Note: "lot 7"}, by))(t)
	if id == two {
		t.Fatal("one ID for two")
	}
	if again := must(s.SaveMachinePassword(ctx, ledger.MachinePassword{ID: id, Sealed: "v1.ghi"}, ledger.By("bob")))(t); again != id {
		t.Errorf("changed %d became %d", id, again)
	}
	got := must(s.MachinePasswords(ctx))(t)
	if len(got) != 2 || got[0].Sealed != "v1.ghi" || got[0].By != "bob" || got[0].Range != "" || got[1].Group != "new" || got[1].Note != "lot 7" {
		t.Errorf("passwords %+v", got)
	}
	for _, err := range []error{second(s.SaveMachinePassword(ctx, ledger.MachinePassword{ID: 99, Sealed: "x"}, by)), s.DeleteMachinePassword(ctx, 99, by)} {
		if !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("number 99: %v", err)
		}
	}
	ok(t, s.DeleteMachinePassword(ctx, id, by))
	if third := must(s.SaveMachinePassword(ctx, ledger.MachinePassword{Sealed: "x"}, by))(t); third == id || third == two {
		t.Errorf("ID %d is used again", third)
	}
}

func testPoolProfiles(t *testing.T, open Open) {
	s, ctx := open(t, newClock().Now), t.Context()
	by := ledger.By("alice")
	pools := []ledger.ProfilePool{{URL: "stratum+tcp://a:3333", User: "acct.1", Sealed: "v1.x"}, {URL: "stratum+tcp://b:3333", User: "acct.1"}}
	id := must(s.SavePoolProfile(ctx, ledger.PoolProfile{Name: "Main", Site: "odessa", Pools: pools}, by))(t)
	if _, err := s.SavePoolProfile(ctx, ledger.PoolProfile{Name: "Main"}, by); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("a taken name: %v", err)
	}
	if _, err := s.SavePoolProfile(ctx, ledger.PoolProfile{Name: " "}, by); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("no name: %v", err)
	}
	must(s.SavePoolProfile(ctx, ledger.PoolProfile{ID: id, Name: "Main 2", Pools: pools}, by))(t)
	got := must(s.PoolProfiles(ctx))(t)
	if len(got) != 1 || got[0].Name != "Main 2" || got[0].Site != "" || !slices.Equal(got[0].Pools, pools) {
		t.Errorf("profiles %+v", got)
	}
	ok(t, s.DeletePoolProfile(ctx, id, by))
	for _, err := range []error{second(s.SavePoolProfile(ctx, ledger.PoolProfile{ID: id, Name: "x"}, by)), s.DeletePoolProfile(ctx, id, by)} {
		if !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("a deleted profile: %v", err)
		}
	}
}
