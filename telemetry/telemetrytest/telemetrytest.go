// Package telemetrytest is the contract of telemetry engines as tests. An
// engine passes it with
//
//	func TestConformance(t *testing.T) { telemetrytest.Run(t, open) }
//
// The engine is compared with a model that keeps rows in a slice.
package telemetrytest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"ballast/miner"
	"ballast/telemetry"
)

// Open opens a store of the engine under test. The same place opens the same
// data again; a new place is empty. The suite closes what it opens.
type Open func(t testing.TB, place string, opt telemetry.Options) telemetry.Store

// Run checks an engine against the contract of telemetry.Store.
func Run(t *testing.T, open Open) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Open)
	}{
		{"Empty", testEmpty},
		{"RoundTrip", testRoundTrip},
		{"Missing", testMissing},
		{"SameRowOnce", testSameRowOnce},
		{"Window", testWindow},
		{"Invalid", testInvalid},
		{"Buckets", testBuckets},
		{"GroupBy", testGroupBy},
		{"Counters", testCounters},
		{"LatestAndTop", testLatestAndTop},
		{"DayChange", testDayChange},
		{"Late", testLate},
		{"Retention", testRetention},
		{"Property", testProperty},
		{"Faults", testFaults},
		{"Export", testExport},
		{"Cancelled", testCancelled},
		{"HugeRange", testHugeRange},
		{"ReadingWhileWriting", testReadingWhileWriting},
		{"Closed", testClosed},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open) })
	}
}

// noon is when most tests happen.
var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// fixture is an open store with a clock of its own.
type fixture struct {
	telemetry.Store
	now   time.Time
	place string
	opt   telemetry.Options
	open  Open
	t     testing.TB
}

func start(t testing.TB, open Open, opt telemetry.Options) *fixture {
	t.Helper()
	f := &fixture{now: noon, place: fmt.Sprintf("%s-%d", t.Name(), rand.Uint64()), opt: opt, open: open, t: t}
	f.opt.Clock = func() time.Time { return f.now }
	f.Store = open(t, f.place, f.opt)
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return f
}

func (f *fixture) reopen() {
	f.t.Helper()
	if err := f.Close(); err != nil {
		f.t.Fatalf("closing: %v", err)
	}
	f.Store = f.open(f.t, f.place, f.opt)
}

func (f *fixture) append(rows ...telemetry.Row) {
	f.t.Helper()
	if err := f.Append(f.t.Context(), rows); err != nil {
		f.t.Fatalf("appending %d rows: %v", len(rows), err)
	}
}

// maintain runs the upkeep until there is nothing left to do.
func (f *fixture) maintain(now time.Time) (all telemetry.Maintained) {
	f.t.Helper()
	for range 1000 {
		did, err := f.Maintain(f.t.Context(), now)
		if err != nil {
			f.t.Fatalf("maintaining as of %v: %v", now, err)
		}
		all.RolledUp += did.RolledUp
		all.Removed = append(all.Removed, did.Removed...)
		all.Compacted = append(all.Compacted, did.Compacted...)
		if !did.More {
			return all
		}
	}
	f.t.Fatal("maintaining never ends")
	return all
}

func (f *fixture) query(q telemetry.Query) telemetry.Result {
	f.t.Helper()
	res, err := f.Query(f.t.Context(), q)
	if err != nil {
		f.t.Fatalf("querying %+v: %v", q, err)
	}
	return res
}

func (f *fixture) history(ids []miner.ID, from, to time.Time) []telemetry.Row {
	f.t.Helper()
	var out []telemetry.Row
	for r, err := range f.History(f.t.Context(), telemetry.HistoryQuery{Filter: telemetry.Machines(ids...), From: from, To: to}) {
		if err != nil {
			f.t.Fatalf("reading the history of %v: %v", ids, err)
		}
		out = append(out, r)
	}
	return out
}

// row makes a row with a hashrate and a power.
func row(id miner.ID, at time.Time, hashrate float64) telemetry.Row {
	r := telemetry.Row{Machine: id, At: at, Outcome: telemetry.OK, State: miner.Hashing,
		Tags: telemetry.Tags{Site: "north", Group: "a", Model: "Antminer S19 Pro", Firmware: miner.Antminer, Version: "1"}}
	r.Set(telemetry.Up, 1)
	r.Set(telemetry.Hashrate, hashrate)
	return r
}

// everything makes a row with every field and every metric filled.
func everything(rnd *rand.Rand, id miner.ID, at time.Time) telemetry.Row {
	r := telemetry.Row{Machine: id, At: at, Outcome: telemetry.OK, State: miner.Starting, PowerSource: miner.PowerPSU,
		Mode: miner.ModeHigh, Profile: "3495 'watt' \x00 ~ 132 TH", Tuning: "täglich",
		Tags:        telemetry.Tags{Site: "Süd'; --", Group: "c/1", Model: "Antminer S21", Firmware: miner.VNish, Version: "1.2.6-rc1"},
		Faults:      telemetry.FaultSummary{First: miner.ChipMissing, Worst: miner.Major, Bits: 1<<63 | 5},
		WarningBits: 0x81,
	}
	for _, m := range telemetry.MachineMetrics() {
		r.Set(m, plausible(rnd, m))
	}
	for _, i := range []int{0, 2} {
		b := telemetry.BoardRow{Index: i, Serial: fmt.Sprintf("HB%d-%d", id, i), Faults: telemetry.FaultSummary{First: miner.ChipCRC, Worst: miner.Minor, Bits: 1 << 40}}
		for _, m := range telemetry.BoardMetrics() {
			b.Set(m, plausible(rnd, m))
		}
		r.Boards = append(r.Boards, b)
	}
	return r
}

// plausible draws a number that the metric could have.
func plausible(rnd *rand.Rand, m telemetry.Metric) float64 {
	in := m.Info()
	switch in.Unit {
	case telemetry.InFlag:
		return float64(rnd.IntN(2))
	case telemetry.InTerahashSec:
		return 300 * rnd.Float64()
	case telemetry.InWatt:
		return 5000 * rnd.Float64()
	case telemetry.InCelsius:
		return -20 + 120*rnd.Float64()
	case telemetry.InRatio:
		return rnd.Float64() * math.Pow10(-rnd.IntN(6))
	case telemetry.InSecond:
		return 1e6 * rnd.Float64()
	case telemetry.InRPM, telemetry.InMegahertz:
		return 6000 * rnd.Float64()
	}
	if in.Number == telemetry.Big {
		return float64(rnd.Int64N(1 << 40))
	}
	return float64(rnd.IntN(1000))
}

// check compares an answer with the model's.
func check(t testing.TB, what string, got, want []telemetry.Series) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d series, want %d\ngot  %+v\nwant %+v", what, len(got), len(want), got, want)
	}
	for i, w := range want {
		g := got[i]
		if g.Metric != w.Metric || g.Key != w.Key || len(g.Points) != len(w.Points) {
			t.Fatalf("%s: series %d is %v of %+v with %d points, want %v of %+v with %d\ngot  %+v\nwant %+v", what, i, g.Metric, g.Key, len(g.Points), w.Metric, w.Key, len(w.Points), g.Points, w.Points)
		}
		for k, p := range w.Points {
			o := g.Points[k]
			if !o.At.Equal(p.At) || o.Samples != p.Samples || !near(o.Value, p.Value) {
				t.Fatalf("%s: %v of %+v: point %d is %+v, want %+v", what, g.Metric, g.Key, k, o, p)
			}
		}
	}
}

// near allows what float32 sums lose.
func near(a, b float64) bool {
	return math.Abs(a-b) <= 1e-6+2e-6*max(math.Abs(a), math.Abs(b))
}

func sameRows(t testing.TB, what string, got, want []telemetry.Row) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d rows, want %d", what, len(got), len(want))
	}
	for i := range want {
		if !got[i].Equal(&want[i]) {
			t.Fatalf("%s: row %d is\n%+v, want\n%+v", what, i, got[i], want[i])
		}
	}
}

// byMachine orders rows as History does within a day.
func byMachine(rows []telemetry.Row) []telemetry.Row {
	out := slices.Clone(rows)
	slices.SortFunc(out, func(a, b telemetry.Row) int {
		day := a.At.Truncate(24 * time.Hour).Compare(b.At.Truncate(24 * time.Hour))
		switch {
		case day != 0:
			return day
		case a.Machine != b.Machine:
			return int(a.Machine - b.Machine)
		}
		return a.At.Compare(b.At)
	})
	return out
}
