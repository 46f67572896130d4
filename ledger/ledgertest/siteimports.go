package ledgertest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"ballast/ledger"
)

// Files that people bring are kept with every revision; the latest counts, and
// what is withdrawn does not.
func testSiteImports(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	at := c.Now().Truncate(time.Hour)
	value := func(name string, n int, joules int64) ledger.SiteValue {
		return ledger.SiteValue{Name: name, Start: at.Add(time.Duration(n) * 15 * time.Minute), Length: 15 * time.Minute, Value: joules, Estimated: n == 1}
	}
	bring := func(site, kind string, seen int64, by string, values ...ledger.SiteValue) (ledger.SiteImport, error) {
		return s.AddSiteImport(ctx, ledger.SiteImport{Site: site, Kind: kind, File: "october.csv", Digest: "ab", Format: "CSV", Added: len(values)}, values, seen, ledger.By(by))
	}
	one, err := bring("odessa", ledger.UtilityMeter, 0, "alice", value("A", 0, 10), value("A", 1, 11), value("B", 0, 20))
	if err != nil || one.ID == 0 || one.Actor != "alice" || !one.At.Equal(c.Now()) || !one.From.Equal(at) || !one.To.Equal(at.Add(30*time.Minute)) {
		t.Fatalf("brought %+v, %v", one, err)
	}
	if _, err := bring("odessa", ledger.UtilityMeter, 0, "bob", value("A", 0, 12)); !errors.Is(err, ledger.ErrStale) {
		t.Errorf("brought without having seen the first: %v", err)
	}
	for i, bad := range [][]ledger.SiteValue{{}, {value("A", 0, -1)}, {value("", 0, 1)}, {{Name: "A", Start: at, Value: 1}}, {{Name: "A", Length: time.Hour}}, {value("A", 0, 1), value("A", 0, 2)}} {
		if _, err := bring("hood", ledger.UtilityMeter, 0, "bob", bad...); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("bad values %d: %v", i, err)
		}
	}
	if _, err := bring("hood", "bill", 0, "bob", value("A", 0, 1)); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("an unknown kind: %v", err)
	}
	if left := must(s.SiteImports(ctx, "hood", ledger.UtilityMeter))(t); len(left) != 0 {
		t.Errorf("refused imports left %+v", left)
	}
	// Of another kind and another site nothing is seen; awards may be negative.
	must(bring("odessa", ledger.Award, 0, "alice", value("award", 0, -5)))(t)
	must(bring("hood", ledger.UtilityMeter, 0, "alice", value("A", 0, 99)))(t)
	c.Advance(time.Hour)
	two := must(bring("odessa", ledger.UtilityMeter, one.ID, "bob", value("A", 1, 13), value("A", 2, 14)))(t)
	got := must(s.SiteValues(ctx, "odessa", ledger.UtilityMeter, at, at.Add(time.Hour)))(t)
	want := []ledger.SiteValue{value("A", 0, 10), value("B", 0, 20), value("A", 1, 11), value("A", 1, 13), value("A", 2, 14)}
	for i := range want {
		want[i].Import = map[bool]int64{true: one.ID, false: two.ID}[i < 3]
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("values\n%v, want\n%v", got, want)
	}
	// What touches a span, and nothing else.
	if part := must(s.SiteValues(ctx, "odessa", ledger.UtilityMeter, at.Add(20*time.Minute), at.Add(30*time.Minute)))(t); len(part) != 2 || part[1].Value != 13 {
		t.Errorf("of a span %v", part)
	}
	meters := must(s.SiteMeters(ctx, "odessa", ledger.UtilityMeter))(t)
	if len(meters) != 2 || meters[0].Name != "A" || !meters[0].First.Equal(at) || !meters[0].Last.Equal(at.Add(45*time.Minute)) || !meters[0].Ended.IsZero() {
		t.Errorf("meters %+v", meters)
	}
	ok(t, s.EndSiteMeter(ctx, "odessa", "B", at.Add(time.Hour), ledger.By("alice")))
	ok(t, s.EndSiteMeter(ctx, "odessa", "B", at.Add(2*time.Hour), ledger.By("alice")))
	if meters := must(s.SiteMeters(ctx, "odessa", ledger.UtilityMeter))(t); !meters[1].Ended.Equal(at.Add(2 * time.Hour)) {
		t.Errorf("ended %+v", meters[1])
	}
	ok(t, s.EndSiteMeter(ctx, "odessa", "B", time.Time{}, ledger.By("alice")))
	if err := s.EndSiteMeter(ctx, "odessa", "C", at, ledger.By("alice")); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("the end of no meter: %v", err)
	}
	ok(t, s.WithdrawSiteImport(ctx, two.ID, ledger.By("carol")))
	if err := s.WithdrawSiteImport(ctx, two.ID, ledger.By("carol")); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("withdrawn twice: %v", err)
	}
	if err := s.WithdrawSiteImport(ctx, 999, ledger.By("carol")); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("withdrawn none: %v", err)
	}
	if got := must(s.SiteValues(ctx, "odessa", ledger.UtilityMeter, at, at.Add(time.Hour)))(t); len(got) != 3 {
		t.Errorf("after the withdrawal %v", got)
	}
	list := must(s.SiteImports(ctx, "odessa", ledger.UtilityMeter))(t)
	if len(list) != 2 || list[0].ID != two.ID || list[0].WithdrawnBy != "carol" || !list[0].WithdrawnAt.Equal(c.Now()) || list[1].WithdrawnBy != "" {
		t.Errorf("imports %+v", list)
	}
	if got := must(s.SiteImport(ctx, one.ID))(t); got.File != "october.csv" || got.Digest != "ab" || got.Added != 3 {
		t.Errorf("read %+v", got)
	}
	if _, err := s.SiteImport(ctx, 999); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("none: %v", err)
	}
	// A withdrawn one is still the newest that must have been seen.
	if _, err := bring("odessa", ledger.UtilityMeter, one.ID, "bob", value("A", 5, 1)); !errors.Is(err, ledger.ErrStale) {
		t.Errorf("after a withdrawal: %v", err)
	}
	actions := map[string]int{}
	for _, r := range must(s.AuditRows(ctx, ledger.AuditFilter{}))(t) {
		actions[r.Action]++
	}
	for action, n := range map[string]int{"utility-meter.import": 3, "award.import": 1, "utility-meter.withdraw": 1, "utility-meter.end": 3} {
		if actions[action] != n {
			t.Errorf("%s is audited %d times, want %d", action, actions[action], n)
		}
	}
}
