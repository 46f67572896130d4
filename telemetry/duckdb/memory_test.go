package duckdb

import (
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
