package duckdb_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"ballast/miner"
	"ballast/telemetry"
	"ballast/telemetry/duckdb"
	"ballast/unit"
)

// A poll becomes a row, a row becomes history, and history answers in types.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "ballast")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	store, err := duckdb.Open(ctx, duckdb.Options{Dir: dir, Options: telemetry.Options{Clock: func() time.Time { return noon }}})
	if err != nil {
		panic(err)
	}
	defer store.Close()

	var rows []telemetry.Row
	for i := range 12 {
		reading := miner.Reading{At: noon.Add(time.Duration(i-12) * 10 * time.Second), State: miner.Hashing, HashrateNow: unit.Some(unit.Hashrate(110 + i))}
		rows = append(rows, telemetry.FromReading(telemetry.Poll{Machine: 7, Tags: telemetry.Tags{Site: "north"}}, &reading))
	}
	if err := store.Append(ctx, rows); err != nil {
		panic(err)
	}
	answer, err := store.Query(ctx, telemetry.Query{
		Metrics: []telemetry.Metric{telemetry.Hashrate}, Aggregate: telemetry.Mean, GroupBy: telemetry.BySite,
		Bucket: time.Minute, From: noon.Add(-2 * time.Minute), To: noon,
	})
	if err != nil {
		panic(err)
	}
	for _, series := range answer.Series {
		for _, p := range series.Points {
			fmt.Println(series.Key.Label, p.At.Format(time.TimeOnly), p.Value, series.Metric.Info().Unit.Symbol)
		}
	}
	// Output:
	// north 11:58:00 112.5 TH/s
	// north 11:59:00 118.5 TH/s
}
