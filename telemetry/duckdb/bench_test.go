package duckdb

import (
	"context"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"ballast/telemetry"
	"ballast/telemetry/telemetrytest"
)

func cpuNow() time.Duration {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func megabytes(field string) float64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024
		}
	}
	return 0
}

func open(b *testing.B, now *time.Time) *Store {
	b.Helper()
	s, err := Open(b.Context(), Options{Dir: b.TempDir(), Options: telemetry.Options{Clock: func() time.Time { return *now }}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s
}

// BenchmarkAppend appends batches of 500 machines with three boards each, as
// they come every 500 ms from 10,000 machines polled every 10 s, as fast as it
// goes. Making the rows is not counted.
func BenchmarkAppend(b *testing.B) {
	now := noon
	s := open(b, &now)
	fleet := telemetrytest.NewFleet(10_000, 1)
	batches := make([][]telemetry.Row, 20)
	for i := range batches {
		batches[i] = fleet.Poll(i*500, (i+1)*500, now)
	}
	var used time.Duration
	n := 0
	b.ReportAllocs()
	for b.Loop() {
		rows := slices.Clone(batches[n%20])
		for i := range rows {
			rows[i].At = now.Add(time.Duration(n) * 500 * time.Millisecond)
		}
		n++
		c := cpuNow()
		if err := s.Append(b.Context(), rows); err != nil {
			b.Fatal(err)
		}
		used += cpuNow() - c
		if n%120 == 0 {
			if err := s.checkpoint(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(used.Microseconds())/float64(n)/1000, "cpu-ms/batch")
	b.ReportMetric(megabytes("VmHWM"), "peak-MB")
}

// BenchmarkSustained is the load of 10,000 machines polled every 10 s in real
// time: one iteration is one batch of 500 machines and 1,500 boards every
// 500 ms, with queries twice a second and upkeep every ten seconds beside it.
//
//	go test -run xxx -bench Sustained -benchtime 240x ./telemetry/duckdb
func BenchmarkSustained(b *testing.B) {
	now := noon
	var mu sync.Mutex
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	s, err := Open(b.Context(), Options{Dir: b.TempDir(), Options: telemetry.Options{Clock: clock}, RollUpEvery: time.Minute})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	fleet := telemetrytest.NewFleet(10_000, 1)
	batches := make([][]telemetry.Row, 20)
	for i := range batches {
		batches[i] = fleet.Poll(i*500, (i+1)*500, noon)
	}
	ctx, cancel := context.WithCancel(b.Context())
	var wg sync.WaitGroup
	var queries []time.Duration
	wg.Go(func() {
		for ctx.Err() == nil {
			t := time.Now()
			_, err := s.Query(ctx, telemetry.Query{Metrics: []telemetry.Metric{telemetry.Hashrate}, Aggregate: telemetry.Mean, GroupBy: telemetry.BySite, Bucket: time.Minute, From: noon, To: clock()})
			if err != nil && ctx.Err() == nil {
				b.Errorf("querying: %v", err)
			}
			queries = append(queries, time.Since(t))
			time.Sleep(500 * time.Millisecond)
		}
	})
	wg.Go(func() {
		for ctx.Err() == nil {
			if _, err := s.Maintain(ctx, clock()); err != nil && ctx.Err() == nil {
				b.Errorf("maintaining: %v", err)
			}
			select {
			case <-time.After(10 * time.Second):
			case <-ctx.Done():
			}
		}
	})
	var took []time.Duration
	started, used := time.Now(), cpuNow()
	n := 0
	for b.Loop() {
		rows := slices.Clone(batches[n%20])
		at := noon.Add(time.Duration(n) * 500 * time.Millisecond)
		for i := range rows {
			rows[i].At = at
		}
		n++
		mu.Lock()
		now = at
		mu.Unlock()
		time.Sleep(time.Until(started.Add(time.Duration(n) * 500 * time.Millisecond)))
		t := time.Now()
		if err := s.Append(b.Context(), rows); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(t))
	}
	used = cpuNow() - used
	b.ReportMetric(used.Seconds()/time.Since(started).Seconds()*100, "%cpu")
	cancel()
	wg.Wait()
	slices.Sort(took)
	slices.Sort(queries)
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	b.ReportMetric(ms(took[len(took)/2]), "append-p50-ms")
	b.ReportMetric(ms(took[len(took)*99/100]), "append-p99-ms")
	b.ReportMetric(ms(took[len(took)-1]), "append-max-ms")
	b.ReportMetric(ms(queries[len(queries)*95/100]), "query-p95-ms")
	b.ReportMetric(megabytes("VmRSS"), "rss-MB")
	b.ReportMetric(megabytes("VmHWM"), "peak-MB")
}

// BenchmarkHour measures queries over one hour of 10,000 machines polled every
// 10 s: 3.6 million machine rows and 10.8 million board rows. Filling takes a
// minute or two.
func BenchmarkHour(b *testing.B) {
	now := noon
	s := open(b, &now)
	const machines = 10_000
	fleet := telemetrytest.NewFleet(machines, 1)
	batch := fleet.Poll(0, machines, noon)
	for range 360 {
		for i := range batch {
			batch[i].At = now.Add(time.Duration(i) * time.Millisecond)
		}
		for part := range slices.Chunk(batch, 5000) {
			if err := s.Append(b.Context(), part); err != nil {
				b.Fatal(err)
			}
		}
		if err := s.checkpoint(b.Context()); err != nil {
			b.Fatal(err)
		}
		now = now.Add(10 * time.Second)
	}
	ask := func(q telemetry.Query) func(*testing.B) {
		return func(b *testing.B) {
			q.From, q.To = noon, noon.Add(time.Hour)
			for b.Loop() {
				if _, err := s.Query(b.Context(), q); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	hashrate := []telemetry.Metric{telemetry.Hashrate}
	rate := telemetry.Query{Metrics: hashrate, Aggregate: telemetry.Mean, GroupBy: telemetry.BySite, Bucket: time.Minute}
	sum := rate
	sum.Aggregate = telemetry.Sum
	one := telemetry.Query{Metrics: []telemetry.Metric{telemetry.Hashrate, telemetry.Power, telemetry.TempChip, telemetry.Fan1}, Aggregate: telemetry.Mean, GroupBy: telemetry.ByMachine, Bucket: time.Minute, Filter: telemetry.Machines(4321)}
	boards := telemetry.Query{Metrics: []telemetry.Metric{telemetry.BoardTempChipMax}, Aggregate: telemetry.Max, GroupBy: telemetry.ByModel, Bucket: time.Minute}
	increase := telemetry.Query{Metrics: []telemetry.Metric{telemetry.HWErrors}, Aggregate: telemetry.Increase, GroupBy: telemetry.BySite}
	all := func(b *testing.B, state string) {
		b.Run("mean-by-site-minute/"+state, ask(rate))
		b.Run("sum-by-site-minute/"+state, ask(sum))
		b.Run("one-machine-minute/"+state, ask(one))
		b.Run("board-max-by-model-minute/"+state, ask(boards))
		b.Run("increase-by-site/"+state, ask(increase))
	}
	all(b, "raw")
	b.Run("history-of-one-machine", func(b *testing.B) {
		for b.Loop() {
			for _, err := range s.History(b.Context(), telemetry.HistoryQuery{Filter: telemetry.Machines(4321), From: noon, To: noon.Add(time.Hour)}) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	b.Run("top-20-now", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Top(b.Context(), telemetry.TopQuery{Metric: telemetry.TempChip, N: 20}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("export-parquet-10-min", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Export(b.Context(), io.Discard, telemetry.ExportQuery{Format: telemetry.Parquet, Level: telemetry.MachineLevel, From: noon, To: noon.Add(10 * time.Minute)}); err != nil {
				b.Fatal(err)
			}
		}
	})
	started := cpuNow()
	for more := true; more; {
		did, err := s.Maintain(b.Context(), noon.Add(2*time.Hour))
		if err != nil {
			b.Fatal(err)
		}
		more = did.More
	}
	b.Logf("rolling up the hour took %v of CPU", cpuNow()-started)
	all(b, "rolled-up")
	b.Logf("peak until here %.0f MB", megabytes("VmHWM"))
	started = cpuNow()
	for more := true; more; {
		did, err := s.Maintain(b.Context(), noon.Add(48*time.Hour))
		if err != nil {
			b.Fatal(err)
		}
		more = did.More
	}
	b.Logf("rewriting its files in order took %v of CPU; peak %.0f MB", cpuNow()-started, megabytes("VmHWM"))
	all(b, "in-order")
}
