//go:build unix

package luxos

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/sim"
	dialect "ballast/sim/dialect/luxos"
)

func stand(b *testing.B) (miner.Device, context.Context) {
	b.Helper()
	rig := sim.NewRig(sim.Spec{Firmware: miner.LuxOS, Model: model(b, "Antminer S19k Pro (120T)"), MAC: "02:be:ef:00:12:34", Serial: "JYZZTEST"}, nil)
	target, err := sim.Stand(b.Context(), dialect.New(), rig)
	if err != nil {
		b.Fatal(err)
	}
	dev := New().Open(target)
	b.Cleanup(dev.Close)
	ctx, cancel := context.WithTimeout(b.Context(), 10*time.Second)
	b.Cleanup(cancel)
	if _, err := dev.Read(ctx); err != nil {
		b.Fatal(err)
	}
	return dev, ctx
}

// BenchmarkParse reads what one poll brings, as Read does.
func BenchmarkParse(b *testing.B) {
	dev, ctx := stand(b)
	d := dev.(*device)
	raw, err := cgminer.Ask(ctx, d.together.Target, strings.Join(fastCommands, "+"), "")
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	done := cpu(b)
	for b.Loop() {
		var r miner.Reading
		var f fast
		reply, ok := cgminer.Read("reply", raw, r.Warn)
		if !ok {
			b.Fatal("not readable")
		}
		for _, part := range reply.Parts() {
			f.take(part)
		}
		read(&r, &f, d.slow)
	}
	done()
}

// BenchmarkParseAll reads every reply, as a saved set is.
func BenchmarkParseAll(b *testing.B) {
	dev, ctx := stand(b)
	replies, err := fetchAll(ctx, dev)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	done := cpu(b)
	for b.Loop() {
		if _, err := (Driver{}).Parse(replies); err != nil {
			b.Fatal(err)
		}
	}
	done()
}

// BenchmarkRead includes the dialect, on the same machine.
func BenchmarkRead(b *testing.B) {
	dev, _ := stand(b)
	b.ReportAllocs()
	done := cpu(b)
	for b.Loop() {
		if _, err := dev.Read(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	done()
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
