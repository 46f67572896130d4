package duckdb

import (
	"os"
	"strconv"
	"testing"
	"time"

	"ballast/telemetry"
	"ballast/telemetry/telemetrytest"
)

// TestSizes fills one day of a small fleet at 10 s and prints what it costs on
// disk, before and after it is rewritten in order.
//
//	BALLAST_SIZES=60 go test -run TestSizes -v ./telemetry/duckdb
//
// BALLAST_SIZES is how many machines. A file has a size of its own besides that
// of its rows: two fleets of different size tell one from the other.
func TestSizes(t *testing.T) {
	if os.Getenv("BALLAST_SIZES") == "" {
		t.Skip("BALLAST_SIZES is not set")
	}
	machines, err := strconv.Atoi(os.Getenv("BALLAST_SIZES"))
	if err != nil || machines < 2 {
		t.Fatal("BALLAST_SIZES is no number of machines")
	}
	begin := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	now := begin
	s, err := Open(t.Context(), Options{Dir: t.TempDir(), Options: telemetry.Options{Clock: func() time.Time { return now }}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	fleet := telemetrytest.NewFleet(machines, 1)
	for now.Before(begin.Add(24 * time.Hour)) {
		var rows []telemetry.Row
		for range 180 {
			rows = append(rows, fleet.Poll(0, machines, now)...)
			now = now.Add(10 * time.Second)
		}
		if err := s.Append(t.Context(), rows); err != nil {
			t.Fatal(err)
		}
		for more := true; more; {
			did, err := s.Maintain(t.Context(), now)
			if err != nil {
				t.Fatal(err)
			}
			more = did.More
		}
	}
	report := func(what string) {
		if _, err := s.db.Exec("FORCE CHECKPOINT " + s.files.at(telemetry.Raw, begin.UnixMilli()).alias); err != nil {
			t.Fatal(err)
		}
		for _, f := range s.files.list() {
			if f.resolution != telemetry.Raw {
				if _, err := s.db.Exec("CHECKPOINT " + f.alias); err != nil {
					t.Fatal(err)
				}
			}
		}
		st, err := s.Stats(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range st.BytesAt {
			t.Logf("%s: %-8v %8.1f kB per machine and day", what, at.Resolution, float64(at.Bytes)/float64(machines)/1024)
		}
	}
	report("as written")
	started := cpuNow()
	for {
		did, err := s.Maintain(t.Context(), now.Add(3*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%+v", did)
		if !did.More {
			break
		}
	}
	t.Logf("upkeep of the finished day took %v of CPU", cpuNow()-started)
	report("in order")
}
