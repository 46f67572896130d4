//go:build unix

package braiins_test

import (
	"context"
	"syscall"
	"testing"
	"time"

	"ballast/miner"
	"ballast/miner/braiins"
	"ballast/sim"
	dialect "ballast/sim/dialect/braiins"
)

// stand puts a machine of a release on the bench and opens it.
func stand(b *testing.B, version string) miner.Device {
	b.Helper()
	rig := sim.NewRig(sim.Spec{
		Model: model(b, "Antminer S19j Pro (104T)"), Firmware: miner.Braiins, Version: version,
		MAC: "02:00:00:00:00:07", Serial: "SN7", Password: "pass", Seed: 7,
	}, nil)
	target, err := sim.Stand(b.Context(), dialect.New(), rig)
	if err != nil {
		b.Fatal(err)
	}
	target.Credentials = miner.Credentials{Password: "pass"}
	dev := braiins.New().Open(target)
	b.Cleanup(dev.Close)
	return dev
}

// cpu is the processor time that this process has used.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// What one poll reads, in the form that machines send it.
func BenchmarkParse(b *testing.B) {
	all, err := fetchAll(b.Context(), stand(b, "25.07"))
	if err != nil {
		b.Fatal(err)
	}
	poll := miner.Replies{}
	for _, name := range []string{"miner_details", "miner_stats", "miner_hw_hashboards", "cooling_state"} {
		poll[name] = all[name]
	}
	d := braiins.New()
	for name, replies := range map[string]miner.Replies{"poll": poll, "all": all} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			before := cpu(b)
			for b.Loop() {
				if _, err := d.Parse(replies); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
}

// One poll over loopback with the connection kept, simulator included.
func BenchmarkRead(b *testing.B) {
	for _, version := range []string{"25.07", "25.03", "23.12", "24.04"} {
		b.Run(version, func(b *testing.B) {
			dev := stand(b, version)
			ctx, cancel := context.WithTimeout(b.Context(), 5*time.Minute)
			defer cancel()
			if _, err := dev.Read(ctx); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			before := cpu(b)
			for b.Loop() {
				if _, err := dev.Read(ctx); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64((cpu(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
}
