package telemetrytest

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"ballast/miner"
	"ballast/telemetry"
)

// Faults counts what the raw rows hold, across midnight, by tag, and neither
// polls without faults nor those outside.
func testFaults(t *testing.T, open Open) {
	f := start(t, open, telemetry.Options{})
	rnd := rand.New(rand.NewPCG(7, 7))
	midnight := noon.Add(-12 * time.Hour)
	var rows []telemetry.Row
	for i := range 400 {
		for id := range miner.ID(3) {
			r := row(id+1, midnight.Add(-time.Hour).Add(time.Duration(i)*20*time.Second), 100)
			if id == 2 {
				r.Site = "south"
			}
			r.Faults = telemetry.FaultSummary{First: miner.ChipCRC, Worst: miner.Minor, Bits: []uint64{0, 0, 5, 1 << 63}[rnd.IntN(4)]}
			if r.Faults.Bits == 0 {
				r.Faults = telemetry.FaultSummary{}
			}
			rows = append(rows, r)
		}
	}
	f.append(rows...)
	for _, q := range []telemetry.FaultQuery{
		{From: midnight.Add(-time.Hour), To: noon, Bucket: 15 * time.Minute},
		{From: midnight.Add(-17 * time.Minute), To: midnight.Add(21 * time.Minute), Bucket: 7 * time.Minute},
		{From: midnight.Add(-time.Hour), To: noon, Bucket: time.Hour, Filter: telemetry.Filter{Sites: []string{"north"}, Machines: []miner.ID{2, 3}}},
	} {
		want := map[telemetry.FaultCount]int64{}
		for _, r := range rows {
			if r.Faults.Bits != 0 && !r.At.Before(q.From) && r.At.Before(q.To) && q.Filter.Match(r.Machine, &r.Tags) {
				at := time.UnixMilli(r.At.UnixMilli() / q.Bucket.Milliseconds() * q.Bucket.Milliseconds()).UTC()
				want[telemetry.FaultCount{Machine: r.Machine, At: at, Bits: r.Faults.Bits}]++
			}
		}
		got, err := f.Faults(t.Context(), q)
		if err != nil {
			t.Fatalf("%+v: %v", q, err)
		}
		if len(got) != len(want) || len(got) == 0 {
			t.Fatalf("%+v: %d counts, want %d", q, len(got), len(want))
		}
		for _, c := range got {
			polls := c.Polls
			c.Polls = 0
			if want[c] != polls {
				t.Errorf("%+v: %d polls, want %d", c, polls, want[c])
			}
		}
		if !slices.IsSortedFunc(got, func(a, b telemetry.FaultCount) int {
			if a.Machine != b.Machine {
				return int(a.Machine - b.Machine)
			}
			return a.At.Compare(b.At)
		}) {
			t.Error("the counts are in no order")
		}
	}
	if got, err := f.Faults(t.Context(), telemetry.FaultQuery{From: noon.Add(-90 * 24 * time.Hour), To: noon.Add(-80 * 24 * time.Hour), Bucket: time.Hour}); err != nil || len(got) != 0 {
		t.Errorf("faults of a time without rows: %v, %v", got, err)
	}
	if _, err := f.Faults(t.Context(), telemetry.FaultQuery{From: noon, To: noon.Add(time.Hour)}); !errors.Is(err, telemetry.ErrInvalid) {
		t.Errorf("no bucket: %v", err)
	}
}
