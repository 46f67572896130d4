package whatsminer

import (
	"context"
	"maps"
	"testing"

	"ballast/miner"
	"ballast/miner/drivertest"
	"ballast/sim"
	dialect "ballast/sim/dialect/whatsminer"
)

func model(t testing.TB, name string) miner.Model {
	t.Helper()
	m, ok := miner.LookupModel(name)
	if !ok {
		t.Fatalf("the table does not know %q", name)
	}
	return m
}

// fetch is one complete set of replies, as Parse documents their names.
func fetch(ctx context.Context, dev miner.Device) (miner.Replies, error) {
	d := dev.(*Device)
	if err := d.enter(ctx); err != nil {
		return nil, err
	}
	defer d.leave()
	got, err := d.detect(ctx)
	if err != nil {
		return nil, err
	}
	p := poll{d: d, got: got, slow: true}
	ask := p.v2
	if d.speaks == apiV3 {
		ask = p.v3
	}
	_, err = ask(ctx)
	return maps.Clone(p.got), err
}

func TestContract(t *testing.T) {
	drivertest.Run(t, drivertest.Suite{
		Driver: New(), Dialect: dialect.New(), Replies: fetch,
		Specs: []sim.Spec{
			{Model: model(t, "M30S++_VH70"), Version: "20240827.13.Rel", Seed: 1},
			{Model: model(t, "M60S_VK40"), Version: "20250214.16.Rel", Seed: 3},
			{Model: model(t, "M63S_VK30"), Version: "20251209.16.Rel2", Seed: 4},
		},
	})
}

// API 2.0.4 does not tell the machine's serial number.
func TestContractOfOldFirmware(t *testing.T) {
	drivertest.Run(t, drivertest.Suite{
		Driver: New(), Dialect: dialect.New(), Replies: fetch,
		Specs:  []sim.Spec{{Model: model(t, "M30S+_VE40"), Version: "20220506.11.REL", Seed: 5}},
		Unsaid: []drivertest.Field{drivertest.FieldSerial},
	})
}
