package whatsminer

import (
	"syscall"
	"testing"
	"time"

	"ballast/miner"
	"ballast/sim"
)

// cpuTime is what this process has spent, driver and dialect together.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkRead(b *testing.B) {
	for _, version := range []string{"20240827.13.Rel", "20250214.16.Rel"} {
		b.Run(version, func(b *testing.B) {
			_, target, _ := stand(b, sim.Spec{Model: model(b, "M60S_VK40"), Version: version})
			dev := New().Open(target)
			defer dev.Close()
			before := cpuTime()
			for b.Loop() {
				if _, err := dev.Read(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

func BenchmarkParseV2(b *testing.B) { benchmarkParse(b, v2Set()) }

func benchmarkParse(b *testing.B, replies miner.Replies) {
	b.ReportAllocs()
	before := cpuTime()
	for b.Loop() {
		if _, err := testDriver.Parse(replies); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(cpuTime()-before)/float64(b.N), "cpu-ns/op")
}

func BenchmarkParseCapture(b *testing.B) { benchmarkParse(b, captures(b)) }
