//go:build unix

package avalon

import (
	"context"
	"syscall"
	"testing"
	"time"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/sim"
	dialect "ballast/sim/dialect/avalon"
)

// polled are the raw replies of one poll of a machine of our own.
func polled(b *testing.B, name string) (miner.Replies, miner.Device) {
	b.Helper()
	rig := sim.NewRig(sim.Spec{Firmware: miner.Avalon, Model: model(b, name), MAC: "02:be:ef:00:12:34", Serial: "0201000077bdc7ab"}, nil)
	target, err := sim.Stand(b.Context(), dialect.New(), rig)
	if err != nil {
		b.Fatal(err)
	}
	dev := New().Open(target)
	b.Cleanup(dev.Close)
	ctx, cancel := context.WithTimeout(b.Context(), 10*time.Second)
	defer cancel()
	if _, err := dev.Read(ctx); err != nil {
		b.Fatal(err)
	}
	d := dev.(*device)
	commands := "summary+estats+pools"
	if d.lite {
		commands = "summary+litestats+pools"
	}
	raw, err := cgminer.Ask(ctx, target, commands, "")
	if err != nil {
		b.Fatal(err)
	}
	return miner.Replies{"reply": raw}, dev
}

var machines = map[string]string{"classic": "1246-83", "nested": "Avalon Q"}

func BenchmarkParse(b *testing.B) {
	for name, m := range machines {
		b.Run(name, func(b *testing.B) {
			replies, _ := polled(b, m)
			b.ReportAllocs()
			done := cpu(b)
			for b.Loop() {
				if _, err := (Driver{}).Parse(replies); err != nil {
					b.Fatal(err)
				}
			}
			done()
		})
	}
}

// BenchmarkRead includes the dialect, on the same machine.
func BenchmarkRead(b *testing.B) {
	for name, m := range machines {
		b.Run(name, func(b *testing.B) {
			_, dev := polled(b, m)
			b.ReportAllocs()
			done := cpu(b)
			for b.Loop() {
				if _, err := dev.Read(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			done()
		})
	}
}

// cpu reports what an operation costs in processor time, which other work on
// the machine hardly moves. Call the result when the loop is over.
func cpu(b *testing.B) func() {
	b.Helper()
	spent := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	from := spent()
	return func() { b.ReportMetric(float64((spent()-from).Microseconds())/float64(b.N), "cpu-µs/op") }
}
