package price

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ballast/ledger"
	"ballast/tariff"
	"ballast/tariff/metering"
	"ballast/unit"
)

// utilityCSV is a site at a flat draw, as a utility gives it.
func utilityCSV(meter string, from, to time.Time, step time.Duration, kwh float64) string {
	var b strings.Builder
	b.WriteString("Meter,Start Time,kWh\n")
	for at := from; at.Before(to); at = at.Add(step) {
		fmt.Fprintf(&b, "%s,%s,%g\n", meter, at.Format(time.RFC3339), kwh)
	}
	return b.String()
}

func (w *world) bring(t *testing.T, kind, text string) *Brought {
	t.Helper()
	b, err := w.Weigh(t.Context(), "odessa", kind, "file.csv", []byte(text), "", metering.How{})
	if err != nil || len(b.File.Problems) > 0 {
		t.Fatal(err, b.File.Problems)
	}
	if err := w.Bring(t.Context(), b, []byte(text), b.Seen, ledger.By("alice")); err != nil {
		t.Fatal(err)
	}
	return b
}

const flat = "name: Flat\ncurrency: USD\nzone: America/Chicago\ninterval: 15m\nversions:\n  - from: 2020-01-01\n    parts:\n      - {name: Energy, kind: fixed, price: $40.00/MWh}\n"

// The bill follows the utility's meter where it was brought, the site's own where
// it was not, and says so; an issued month that would come out otherwise is
// marked, and corrected on the next.
func TestUtilityMeterSettles(t *testing.T) {
	now := time.Date(2026, 4, 3, 15, 0, 0, 0, time.UTC)
	w := newWorld(t, now, time.Hour)
	ctx, by := t.Context(), ledger.By("alice")
	if err := w.Sow(ctx, "odessa", "test", flat, by); err != nil {
		t.Fatal(err)
	}
	march, april := tariff.Month{Year: 2026, Month: 3}, tariff.Month{Year: 2026, Month: 4}
	from, to := march.Span(w.zone) // 743 hours
	w.meter(t, from, now, 1e6)
	st, err := w.Month(ctx, "odessa", march, false)
	if err != nil || st.Body.Total.String() != "$29720.00" || st.Meter.Own != 743*4 || st.Meter.Utility != 0 {
		t.Fatal(st.Body.Total, st.Meter, err)
	}
	// The utility says 2 % more, for all but the last day.
	b := w.bring(t, ledger.UtilityMeter, utilityCSV("ESI 1", from, to.AddDate(0, 0, -1), 15*time.Minute, 255))
	if b.Added != 719*4 || b.Changed != 0 || len(b.Months) != 1 || b.Months[0].Both != 719 || math.Abs(*b.Months[0].DiffPct-2) > 1e-9 || math.Abs(b.Months[0].Diff-14.38) > 1e-9 {
		t.Errorf("brought %+v %+v", b, b.Months)
	}
	st, err = w.Month(ctx, "odessa", march, false)
	// 719 h x 1.02 MWh + 24 h x 1 MWh = 757.38 MWh x $40.
	if err != nil || st.Body.Total.String() != "$30295.20" || st.Meter.Utility != 719*4 || st.Meter.Own != 96 || st.Meter.Lost != 0 || st.Meter.Source != "utility meter ESI 1 (2876 quarters of an hour), meter main (96)" {
		t.Errorf("%v %+v %v", st.Body.Total, st.Meter, err)
	}
	if _, err := w.Issue(ctx, "odessa", march, by); err != nil {
		t.Fatal(err)
	}
	if st, err = w.Month(ctx, "odessa", march, false); err != nil || st.Revised {
		t.Errorf("just issued: %v %v", st.Revised, err)
	}
	// The rest, and a revision of one day, come later.
	text := utilityCSV("ESI 1", to.AddDate(0, 0, -2), to, 15*time.Minute, 260)
	b = w.bring(t, ledger.UtilityMeter, text)
	if b.Added != 96 || b.Changed != 96 {
		t.Errorf("%d added, %d changed", b.Added, b.Changed)
	}
	if again, err := w.Weigh(ctx, "odessa", ledger.UtilityMeter, "x", []byte(text), "", metering.How{}); err != nil || again.Same != 192 || !errors.Is(w.Bring(ctx, again, []byte(text), again.Seen, by), ledger.ErrConflict) {
		t.Errorf("the same again: %+v %v", again, err)
	}
	if st, err = w.Month(ctx, "odessa", march, false); err != nil || !st.Revised || st.Body.Total.String() != "$30295.20" {
		t.Errorf("issued and revised since: %v %v %v", st.Revised, st.Body.Total, err)
	}
	w.clock.to(time.Date(2026, 5, 2, 15, 0, 0, 0, time.UTC))
	w.meter(t, now, w.clock.Now(), 1e6)
	next, err := w.Month(ctx, "odessa", april, false)
	// 24 h x (1.04 - 1.02) and 24 h x (1.04 - 1.00) = 1.44 MWh x $40.
	if n := len(next.Body.Lines); err != nil || next.Body.Lines[n-1].Corrects == nil || next.Body.Lines[n-1].Amount.String() != "$57.60" {
		t.Errorf("the correction: %+v %v", next.Body.Lines, err)
	}
	// Withdrawn, it is as issued again; the record keeps both.
	if err := w.record.WithdrawSiteImport(ctx, b.Import.ID, by); err != nil {
		t.Fatal(err)
	}
	if st, err = w.Month(ctx, "odessa", march, false); err != nil || st.Revised {
		t.Errorf("after the withdrawal: %v %v", st.Revised, err)
	}
	// Somebody else was faster.
	stale, err := w.Weigh(ctx, "odessa", ledger.UtilityMeter, "x", []byte(text), "", metering.How{})
	if err != nil || !errors.Is(w.Bring(ctx, stale, []byte(text), stale.Seen-1, by), ledger.ErrStale) {
		t.Errorf("not seen the newest: %v", err)
	}
	if future, err := w.Weigh(ctx, "odessa", ledger.UtilityMeter, "x", []byte(utilityCSV("A", w.clock.Now().Truncate(time.Hour), w.clock.Now().Add(9*time.Hour), time.Hour, 1)), "", metering.How{}); err != nil || len(future.File.Problems) != 1 {
		t.Errorf("readings to come: %+v %v", future, err)
	}
}

// Two meters are one site: an interval counts where both have it; one that was
// taken out is not waited for.
func TestUtilityMetersAreSummed(t *testing.T) {
	now := time.Date(2026, 4, 3, 15, 0, 0, 0, time.UTC)
	w := newWorld(t, now, time.Hour)
	ctx := t.Context()
	if err := w.Sow(ctx, "odessa", "test", flat, ledger.By("alice")); err != nil {
		t.Fatal(err)
	}
	from := time.Date(2026, 3, 2, 0, 0, 0, 0, w.zone)
	w.meter(t, from, from.Add(48*time.Hour), 1e6)
	w.bring(t, ledger.UtilityMeter, utilityCSV("A", from, from.Add(48*time.Hour), 15*time.Minute, 100))
	b := w.bring(t, ledger.UtilityMeter, utilityCSV("B", from, from.Add(24*time.Hour), time.Hour, 600))
	if !strings.Contains(fmt.Sprint(b.Warnings), "meter B is new to this site") {
		t.Errorf("warned %v", b.Warnings)
	}
	m, err := w.Metered(ctx, "odessa", from, from.Add(48*time.Hour))
	// A day of hours of 1 MWh each, then the site's own quarters: B is silent.
	if err != nil || m.Utility != 96 || m.Own != 96 || m.Intervals[0].Length != time.Hour || m.Intervals[0].Energy.Or(0) != 3.6e9 {
		t.Errorf("%+v %v", m, err)
	}
	if err := w.record.EndSiteMeter(ctx, "odessa", "B", from.Add(24*time.Hour), ledger.By("alice")); err != nil {
		t.Fatal(err)
	}
	if m, err = w.Metered(ctx, "odessa", from, from.Add(48*time.Hour)); err != nil || m.Utility != 192 || m.Own != 0 || !strings.HasPrefix(m.Source, "utility 2 meters: A, B") {
		t.Errorf("%+v %v", m, err)
	}
}

// Awards that were brought or entered settle; hours without one are told.
func TestAwardsSettle(t *testing.T) {
	now := time.Date(2026, 4, 3, 15, 0, 0, 0, time.UTC)
	w := newWorld(t, now, 40*24*time.Hour)
	ctx := t.Context()
	two := "name: Two\ncurrency: USD\nzone: America/Chicago\ninterval: 15m\nversions:\n  - from: 2020-01-01\n    parts:\n      - {name: Market, kind: two-settlement, day_ahead: {series: sim.dam, fallback: {price: $30/MWh}}, real_time: {series: sim.rtm, fallback: {price: $50/MWh}}}\n"
	if err := w.Sow(ctx, "odessa", "test", two, ledger.By("alice")); err != nil {
		t.Fatal(err)
	}
	march := tariff.Month{Year: 2026, Month: 3}
	from, to := march.Span(w.zone)
	w.meter(t, from, to, 2e6)
	var list []metering.Reading
	for at := from; at.Before(to.Add(-2 * time.Hour)); at = at.Add(time.Hour) {
		list = append(list, metering.Reading{Start: at, Length: time.Hour, Value: 1_500_000})
	}
	b, err := w.Positions(ctx, "odessa", list)
	if err != nil || b.Added != 741 {
		t.Fatal(b, err)
	}
	if err := w.Bring(ctx, b, nil, b.Seen, ledger.By("alice")); err != nil {
		t.Fatal(err)
	}
	st, err := w.Month(ctx, "odessa", march, false)
	if err != nil || len(st.Body.Lines) != 2 || st.Body.Lines[0].Quantity.String() != "1111.5" || st.Body.Lines[1].Quantity.String() != "374.5" || !strings.Contains(fmt.Sprint(st.Body.Problems), "8 intervals have no day-ahead award") {
		t.Fatalf("%+v %v %v", st.Body.Lines, st.Body.Problems, err)
	}
	// A later file revises an hour and brings the rest, with an award of zero.
	w.bring(t, ledger.Award, "Date,Hour Ending,MW\n03/01/2026,1,2.5\n03/31/2026,23,0\n03/31/2026,24,0\n")
	if st, err = w.Month(ctx, "odessa", march, false); err != nil || st.Body.Lines[0].Quantity.String() != "1112.5" || len(st.Body.Problems) != 0 {
		t.Errorf("%+v %v %v", st.Body.Lines, st.Body.Problems, err)
	}
	// Of a month that is running, hours to come are told in one line of their own.
	april, _ := march.Add(1).Span(w.zone)
	w.meter(t, april, now, 2e6)
	w.bring(t, ledger.Award, "Date,Hour Ending,MW\n2026-04-01,1,1.5\n")
	if st, err = w.Month(ctx, "odessa", march.Add(1), false); err != nil || !st.Running {
		t.Fatalf("%+v %v", st, err)
	}
	metered, come := int(now.Sub(april)/(15*time.Minute)), 30*96
	for _, want := range []string{
		fmt.Sprintf("Market: %d intervals have no day-ahead award", metered-4),
		fmt.Sprintf("Market: day-ahead awards are known up to 2026-04-01 01:00 -05:00; %d intervals to come are reckoned without", come-metered),
	} {
		if n := strings.Count(fmt.Sprint(st.Body.Problems), want); n != 1 {
			t.Errorf("%q %d times in %q", want, n, st.Body.Problems)
		}
	}
	days, zone, asked, err := w.AwardDays(ctx, "odessa", march)
	if err != nil || len(days) != 31 || days[0].MWh != 37 || days[30].Missing != 0 || !asked || zone != "America/Chicago" {
		t.Errorf("%+v %v", days, err)
	}
}

// Whatever is brought in whatever order: intervals are disjoint, each is the sum
// of what the last imports say of every meter, and no quarter counts twice.
func TestUtilityProperties(t *testing.T) {
	base := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		var values []ledger.SiteValue
		last := map[string]map[int64]ledger.SiteValue{"A": {}, "B": {}} // by grain
		for n := range rapid.IntRange(1, 6).Draw(t, "imports") {
			name := rapid.SampledFrom([]string{"A", "B"}).Draw(t, "meter")
			length := time.Duration(rapid.SampledFrom([]int{5, 15, 30, 60}).Draw(t, "length")) * time.Minute
			first := rapid.IntRange(0, 5).Draw(t, "first")
			for k := range rapid.IntRange(1, 6).Draw(t, "count") {
				v := ledger.SiteValue{Import: int64(n + 1), Name: name, Start: base.Add(time.Duration(first+k) * length), Length: length, Value: rapid.Int64Range(0, 1000).Draw(t, "joules")}
				values = append(values, v)
				for at := v.Start; at.Before(v.Start.Add(length)); at = at.Add(grain) {
					last[name][at.Unix()] = v
				}
			}
		}
		counting := newest(values)
		for _, v := range counting {
			for at := v.Start; at.Before(v.Start.Add(v.Length)); at = at.Add(grain) {
				if last[v.Name][at.Unix()].Import != v.Import {
					t.Fatalf("%v counts, and import %d is later", v, last[v.Name][at.Unix()].Import)
				}
			}
		}
		var meters []ledger.SiteMeter
		for _, name := range []string{"A", "B"} {
			m := ledger.SiteMeter{Name: name}
			for _, v := range values {
				if v.Name != name {
					continue
				}
				if m.First.IsZero() || v.Start.Before(m.First) {
					m.First = v.Start
				}
				if end := v.Start.Add(v.Length); end.After(m.Last) {
					m.Last = end
				}
			}
			if !m.First.IsZero() {
				meters = append(meters, m)
			}
		}
		sums := summed(counting, meters)
		for i, s := range sums {
			if i > 0 && s.Start.Before(sums[i-1].Start.Add(sums[i-1].Length)) {
				t.Fatalf("%v overlaps %v", s, sums[i-1])
			}
			var want int64
			for _, v := range counting {
				if !v.Start.Before(s.Start) && !v.Start.Add(v.Length).After(s.Start.Add(s.Length)) {
					want += v.Value
				}
			}
			if int64(s.Energy.Or(0)) != want {
				t.Fatalf("%v is %v, want %d", s.Start, s.Energy, want)
			}
		}
		var own []tariff.Interval
		for k := range 24 {
			own = append(own, tariff.Interval{Start: base.Add(time.Duration(k) * quarter), Length: quarter, Energy: unit.Some(unit.Energy(1))})
		}
		both, _ := preferred(own, sums)
		seen := map[int64]bool{}
		for _, i := range both {
			for at := i.Start; at.Before(i.Start.Add(i.Length)); at = at.Add(grain) {
				if seen[at.Unix()] {
					t.Fatalf("%v counts twice", at)
				}
				seen[at.Unix()] = true
			}
		}
		for k := range 24 * 3 {
			if !seen[base.Add(time.Duration(k)*grain).Unix()] {
				t.Fatalf("%v is lost", base.Add(time.Duration(k)*grain))
			}
		}
	})
}
