package duckdb

import (
	"testing"
	"time"

	"ballast/telemetry"
	"ballast/telemetry/telemetrytest"
)

func TestGen(t *testing.T) {
	const machines = 60
	begin := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	now := begin
	s, err := Open(t.Context(), Options{Dir: "/tmp/gen", Options: telemetry.Options{Clock: func() time.Time { return now }}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	fleet := telemetrytest.NewFleet(machines, 1)
	for now.Before(begin.Add(24 * time.Hour)) {
		var rows []telemetry.Row
		for range 60 {
			rows = append(rows, fleet.Poll(0, machines, now)...)
			now = now.Add(10 * time.Second)
		}
		if err := s.Append(t.Context(), rows); err != nil {
			t.Fatal(err)
		}
		s.checkpoint(t.Context())
	}
}
