package duckdb

import (
	"slices"
	"testing"
	"time"

	"ballast/telemetry"
	"ballast/telemetry/telemetrytest"
)

func TestBig(t *testing.T) {
	now := noon
	s, err := Open(t.Context(), Options{Dir: t.TempDir(), Options: telemetry.Options{Clock: func() time.Time { return now }}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	fleet := telemetrytest.NewFleet(10000, 1)
	batch := fleet.Poll(0, 10000, noon)
	for range 100 {
		for i := range batch {
			batch[i].At = now.Add(time.Duration(i) * time.Millisecond)
		}
		for part := range slices.Chunk(batch, 5000) {
			if err := s.Append(t.Context(), part); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
		now = now.Add(10 * time.Second)
	}
	t.Logf("filled: peak %.0f MB, rss %.0f", megabytes("VmHWM"), megabytes("VmRSS"))
	for _, at := range []time.Duration{30 * time.Minute, 24 * time.Hour, 48 * time.Hour} {
		started, c := time.Now(), cpuNow()
		for more := true; more; {
			did, err := s.Maintain(t.Context(), noon.Add(at))
			if err != nil {
				t.Fatal(at, err)
			}
			more = did.More
		}
		t.Logf("upkeep %v: %v, %v of CPU, peak %.0f MB, rss %.0f", at, time.Since(started), cpuNow()-c, megabytes("VmHWM"), megabytes("VmRSS"))
	}
	st, _ := s.Stats(t.Context())
	t.Logf("%+v", st)
}
