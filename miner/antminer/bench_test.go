package antminer_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"ballast/miner"
	"ballast/miner/antminer"
	"ballast/sim"
	dialect "ballast/sim/dialect/antminer"
)

func stand(b *testing.B, name, version string) miner.Device {
	b.Helper()
	now := time.Now()
	rig := sim.NewRig(sim.Spec{Model: model(b, name), Firmware: miner.Antminer, Version: version, MAC: "02:be:ef:00:12:34", Serial: "BLST0042X7", Password: "pw", Seed: 9},
		func() time.Time { return now })
	for range 240 {
		if rig.Snapshot().Phase == sim.PhaseHashing {
			break
		}
		now = now.Add(30 * time.Second)
	}
	t, err := sim.Stand(b.Context(), dialect.New(), rig)
	if err != nil {
		b.Fatal(err)
	}
	t.Credentials = miner.Credentials{User: "root", Password: "pw"}
	d := antminer.New().Open(t)
	b.Cleanup(d.Close)
	return d
}

var generations = []struct{ name, model, version string }{
	{"S9", "Antminer S9", ""},
	{"S19 old form", "Antminer S19 Pro", "2021"},
	{"S19 new form", "Antminer S19 XP", ""},
	{"S21", "Antminer S21", ""},
}

func BenchmarkParse(b *testing.B) {
	for _, g := range generations {
		b.Run(g.name, func(b *testing.B) {
			replies, err := antminer.Replies(context.Background(), stand(b, g.model, g.version))
			if err != nil {
				b.Fatal(err)
			}
			size := 0
			for _, raw := range replies {
				size += len(raw)
			}
			b.SetBytes(int64(size))
			benchmarkParse(b, replies)
		})
	}
}

// BenchmarkParseFast parses summary, stats and pools alone.
func BenchmarkParseFast(b *testing.B) {
	replies, err := antminer.Replies(context.Background(), stand(b, "Antminer S19 Pro", "2021"))
	if err != nil {
		b.Fatal(err)
	}
	fast := miner.Replies{"summary": replies["summary"], "stats": replies["stats"], "pools": replies["pools"]}
	benchmarkParse(b, fast)
}

func benchmarkParse(b *testing.B, replies miner.Replies) {
	b.ReportAllocs()
	d := antminer.New()
	metered(b, func() error { _, err := d.Parse(replies); return err })
}

// metered runs f and reports the processor time of each run, which other
// programs on the machine disturb less than the clock.
func metered(b *testing.B, f func() error) {
	before := processorTime(b)
	n := 0
	for b.Loop() {
		if err := f(); err != nil {
			b.Fatal(err)
		}
		n++
	}
	b.ReportMetric(float64((processorTime(b)-before).Nanoseconds())/1e3/float64(n), "cpu-us/op")
}

// BenchmarkRead is one poll over loopback, driver and dialect together: cpu-us
// is the processor time of both.
func BenchmarkRead(b *testing.B) {
	for _, g := range generations {
		b.Run(g.name, func(b *testing.B) {
			d := stand(b, g.model, g.version)
			metered(b, func() error { _, err := d.Read(b.Context()); return err })
		})
	}
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
