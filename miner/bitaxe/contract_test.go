package bitaxe

import (
	"context"
	"testing"

	"ballast/miner"
	"ballast/miner/drivertest"
	"ballast/sim"
	dialect "ballast/sim/dialect/bitaxe"
)

func model(t testing.TB, name string) miner.Model {
	t.Helper()
	m, ok := miner.LookupModel(name)
	if !ok {
		t.Fatalf("no model %q", name)
	}
	return m
}

func nerd(t testing.TB) miner.Model {
	m := model(t, "NerdQAxe++")
	m.Hashrate, m.Power = 4.284, 72 // its maker publishes no nameplate
	return m
}

func TestContract(t *testing.T) {
	t.Run("newest", func(t *testing.T) {
		drivertest.Run(t, drivertest.Suite{
			Driver: New(), Dialect: dialect.New(), NoPassword: true, Replies: fetchAll,
			Specs: []sim.Spec{
				{Model: model(t, "Bitaxe Gamma 601")},
				{Model: model(t, "Bitaxe GammaTurbo 801"), Version: "2.12.0", Seed: 3},
				{Model: model(t, "Bitaxe Supra 401"), Version: "2.15.0", Seed: 5},
			},
			Unsaid: []drivertest.Field{drivertest.FieldSerial},
		})
	})
	t.Run("before means and monitor", func(t *testing.T) {
		drivertest.Run(t, drivertest.Suite{
			Driver: New(), Dialect: dialect.New(), NoPassword: true, Replies: fetchAll,
			Specs:  []sim.Spec{{Model: model(t, "Bitaxe Ultra 204"), Version: "2.9.0"}, {Model: model(t, "Bitaxe Ultra 204"), Version: "2.4.5", Seed: 2}},
			Unsaid: []drivertest.Field{drivertest.FieldSerial, drivertest.FieldAverage, drivertest.FieldChips},
		})
	})
	t.Run("oldest", func(t *testing.T) {
		drivertest.Run(t, drivertest.Suite{
			Driver: New(), Dialect: dialect.New(), NoPassword: true, Replies: fetchAll,
			Specs: []sim.Spec{{Model: model(t, "Bitaxe Max 102"), Version: "2.2.0"}}, OnePool: true,
			Unsaid: []drivertest.Field{drivertest.FieldSerial, drivertest.FieldMAC, drivertest.FieldAverage, drivertest.FieldChips},
		})
	})
	t.Run("NerdAxe", func(t *testing.T) {
		drivertest.Run(t, drivertest.Suite{
			Driver: New(), Dialect: dialect.New(), NoPassword: true, Replies: fetchAll,
			Specs:  []sim.Spec{{Model: nerd(t), Version: "1.0.37"}},
			Unsaid: []drivertest.Field{drivertest.FieldSerial, drivertest.FieldChips},
		})
	})
}

// fetchAll asks one machine for every reply that it has.
func fetchAll(ctx context.Context, dev miner.Device) (miner.Replies, error) {
	s := dev.(*Device).open()
	defer s.Close()
	out := miner.Replies{}
	for _, name := range []string{replyInfo, replyASIC} {
		reply, err := s.Get(ctx, "/api/system/"+name)
		if err != nil {
			return nil, err
		}
		if reply.Status == 200 {
			out[name] = reply.Body
		}
	}
	return out, nil
}

// A poll over loopback, the machine's side included.
func BenchmarkRead(b *testing.B) {
	rig := sim.NewRig(sim.Spec{Model: model(b, "Bitaxe Gamma 601"), Firmware: miner.Bitaxe, MAC: "02:be:ef:00:12:34", Seed: 1}, nil)
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
