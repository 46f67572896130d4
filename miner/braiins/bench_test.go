package braiins_test

import (
	"context"
	"testing"
	"time"

	"ballast/miner"
	"ballast/miner/braiins"
	"ballast/sim"
	dialect "ballast/sim/dialect/braiins"
)

// stand puts a machine of a release on the bench and opens it.
func stand(t testing.TB, version string) (*sim.Rig, miner.Target, miner.Device) {
	t.Helper()
	rig := sim.NewRig(sim.Spec{
		Model: model(t, "Antminer S19j Pro (104T)"), Firmware: miner.Braiins, Version: version,
		MAC: "02:00:00:00:00:07", Serial: "SN7", Password: "pass", Seed: 7,
	}, nil)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	target, err := sim.Stand(ctx, dialect.New(), rig)
	if err != nil {
		t.Fatal(err)
	}
	target.Credentials = miner.Credentials{Password: "pass"}
	dev := braiins.New().Open(target)
	t.Cleanup(dev.Close)
	return rig, target, dev
}

// What one poll reads, in the form that machines send it.
func BenchmarkParse(b *testing.B) {
	_, _, dev := stand(b, "25.07")
	all, err := fetchAll(context.Background(), dev)
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
			for b.Loop() {
				if _, err := d.Parse(replies); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// One poll over loopback with the connection kept, simulator included.
func BenchmarkRead(b *testing.B) {
	for _, version := range []string{"25.07", "23.12", "24.04"} {
		b.Run(version, func(b *testing.B) {
			_, _, dev := stand(b, version)
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			if _, err := dev.Read(ctx); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := dev.Read(context.Background()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
