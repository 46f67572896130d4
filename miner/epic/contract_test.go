package epic

import (
	"context"
	"testing"

	"ballast/miner"
	"ballast/miner/drivertest"
	"ballast/sim"
	dialect "ballast/sim/dialect/epic"
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
	block := model(t, "BlockMiner 520i")
	block.Hashrate, block.Power = 104, 3300 // ePIC publishes no nameplate
	drivertest.Run(t, drivertest.Suite{
		Driver: New(), Dialect: dialect.New(),
		Specs: []sim.Spec{
			{Model: model(t, "Antminer S19 XP (140T)"), Version: "1.5.13"},
			{Model: model(t, "Antminer S19j Pro (104T)"), Seed: 7},
			{Model: block, Version: "1.22.5"},
		},
		Replies: fetchAll,
	})
}

// fetchAll asks one machine for every reply.
func fetchAll(ctx context.Context, dev miner.Device) (miner.Replies, error) {
	s := dev.(*Device).open()
	defer s.Close()
	out := miner.Replies{}
	for name, path := range paths {
		reply, err := s.Get(ctx, path)
		if err != nil {
			return nil, err
		}
		out[name] = reply.Body
	}
	return out, nil
}

// A poll over loopback, the machine's side included.
func BenchmarkRead(b *testing.B) {
	rig := sim.NewRig(sim.Spec{Model: model(b, "Antminer S19 XP (140T)"), MAC: "02:be:ef:00:12:34", Serial: "S1", Seed: 1}, nil)
	target, err := sim.Stand(b.Context(), dialect.New(), rig)
	if err != nil {
		b.Fatal(err)
	}
	dev := New().Open(target)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := dev.Read(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
