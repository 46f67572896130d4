package vnish

import (
	"context"
	"errors"
	"testing"

	"ballast/miner"
	"ballast/miner/drivertest"
	"ballast/sim"
	dialect "ballast/sim/dialect/vnish"
)

func model(t testing.TB, name string) miner.Model {
	t.Helper()
	m, ok := miner.LookupModel(name)
	if !ok {
		t.Fatalf("no model %q", name)
	}
	return m
}

func TestContract(t *testing.T) {
	drivertest.Run(t, drivertest.Suite{
		Driver: New(), Dialect: dialect.New(),
		Specs: []sim.Spec{
			{Model: model(t, "Antminer S19j Pro (104T)")},
			{Model: model(t, "Antminer S19 XP (140T)"), Version: "1.2.6", Seed: 3},
			{Model: model(t, "Antminer S19 Pro (110T)"), Version: "1.1.8", Seed: 4},
			{Model: model(t, "Antminer S21 Hyd (335T)"), Version: "1.3.4", Seed: 5},
		},
		Replies: fetchAll,
	})
}

// fetchAll asks one machine for every reply.
func fetchAll(ctx context.Context, dev miner.Device) (miner.Replies, error) {
	s := dev.(*Device).open()
	defer s.Close()
	out := miner.Replies{}
	for name, paths := range map[string][]string{
		replySummary: {"summary"}, replyStatus: {"status"}, replyInfo: {"info"}, replyPerf: {"perf-summary"}, replyChains: {"boards", "chains"},
		replyFactory: {"chains/factory-info"}, replyModel: {"model"}, replyPresets: {"autotune/presets"}, replySettings: {"settings"},
	} {
		for _, path := range paths {
			reply, err := s.call(ctx, "GET", path, nil, private[name])
			if err != nil {
				return nil, err
			}
			if reply.Status == 200 {
				out[name] = reply.Body
			}
		}
		if out[name] == nil {
			return nil, errors.New("no " + name)
		}
	}
	return out, nil
}

// A poll over loopback, the machine's side included.
func BenchmarkRead(b *testing.B) {
	rig := sim.NewRig(sim.Spec{Model: model(b, "Antminer S19j Pro (104T)"), MAC: "02:be:ef:00:12:34", Serial: "S1", Seed: 1, Password: "p"}, nil)
	target, err := sim.Stand(b.Context(), dialect.New(), rig)
	if err != nil {
		b.Fatal(err)
	}
	target.Credentials.Password = "p"
	dev := New().Open(target)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := dev.Read(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
