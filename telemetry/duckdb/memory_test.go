package duckdb

import (
	"context"
	"testing"
	"time"

	"ballast/telemetry"
	"ballast/telemetry/telemetrytest"
)

// What was appended and not yet written into its file takes about what it holds:
// with blocks that are longer than a row group's column, each of the 160 columns
// took four times as much, and 10,000 machines did not fit into the limit.
func TestWhatIsAppendedTakesWhatItHolds(t *testing.T) {
	now := noon
	s, err := Open(t.Context(), Options{Dir: t.TempDir(), Options: telemetry.Options{Clock: func() time.Time { return now }}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	fleet := telemetrytest.NewFleet(10_000, 1)
	for n := range 20 {
		now = noon.Add(time.Duration(n) * 500 * time.Millisecond)
		if err := s.Append(t.Context(), fleet.Poll(n*500, (n+1)*500, now)); err != nil {
			t.Fatal(err)
		}
	}
	var held int64
	if err := s.db.QueryRow("SELECT sum(memory_usage_bytes)::BIGINT FROM duckdb_memory()").Scan(&held); err != nil {
		t.Fatal(err)
	}
	if held > 80<<20 {
		t.Errorf("10,000 polls hold %d MiB", held>>20)
	}
}

// A gentle roll-up takes its time and comes to the same, also after one that was
// called off.
func TestGentle(t *testing.T) {
	rolled := map[bool]int{}
	for _, gentle := range []bool{false, true} {
		now := noon
		s, err := Open(t.Context(), Options{Dir: t.TempDir(), Gentle: gentle, RollUpEvery: time.Minute, Options: telemetry.Options{Clock: func() time.Time { return now }}})
		if err != nil {
			t.Fatal(err)
		}
		fleet := telemetrytest.NewFleet(60, 1)
		for n := range 18 {
			now = noon.Add(time.Duration(n) * 10 * time.Second)
			if err := s.Append(t.Context(), fleet.Poll(0, 60, now)); err != nil {
				t.Fatal(err)
			}
		}
		now = noon.Add(5 * time.Minute)
		called, off := context.WithCancel(t.Context())
		off()
		if _, err := s.Maintain(called, now); err == nil {
			t.Error("called off, and no error")
		}
		for more := true; more; {
			did, err := s.Maintain(t.Context(), now)
			if err != nil {
				t.Fatal(err)
			}
			rolled[gentle] += did.RolledUp
			more = did.More
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	// Three minutes of 60 machines with three boards each, at the least.
	if rolled[false] < 3*60*4 || rolled[true] != rolled[false] {
		t.Errorf("rolled up %d rows, gently %d", rolled[false], rolled[true])
	}
}
