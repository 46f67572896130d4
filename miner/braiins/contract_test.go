package braiins_test

import (
	"context"
	"testing"

	"ballast/miner"
	"ballast/miner/braiins"
	"ballast/miner/drivertest"
	"ballast/sim"
	dialect "ballast/sim/dialect/braiins"
)

func model(t testing.TB, name string) miner.Model {
	t.Helper()
	m, ok := miner.LookupModel(name)
	if !ok {
		t.Fatalf("no model %q", name)
	}
	return m
}

// fetchAll reads once and returns what was read.
func fetchAll(ctx context.Context, dev miner.Device) (miner.Replies, error) {
	if _, err := dev.Read(ctx); err != nil {
		return nil, err
	}
	return dev.(interface {
		Replies(context.Context) (miner.Replies, error)
	}).Replies(ctx)
}

func TestContract(t *testing.T) {
	drivertest.Run(t, drivertest.Suite{
		Driver: braiins.New(), Dialect: dialect.New(), User: "root", Replies: fetchAll,
		Specs: []sim.Spec{
			{Model: model(t, "Antminer S19j Pro (104T)"), Version: "26.04", Seed: 3},
			{Model: model(t, "Antminer S19 XP (140T)"), Version: "25.07", Seed: 4},
			{Model: model(t, "Antminer S21 XP Hyd (473T)"), Version: "26.05", Seed: 5},
		},
	})
}

// Before 25.03 nothing tells a serial number.
func TestContractOlder(t *testing.T) {
	drivertest.Run(t, drivertest.Suite{
		Driver: braiins.New(), Dialect: dialect.New(), User: "root", Replies: fetchAll,
		Unsaid: []drivertest.Field{drivertest.FieldSerial},
		Specs: []sim.Spec{
			{Model: model(t, "Antminer S19 Pro (110T)"), Version: "24.04", Seed: 6},
			{Model: model(t, "Antminer S19 Pro (110T)"), Version: "23.12", Seed: 7},
			{Model: model(t, "Antminer S9"), Version: "22.08", Seed: 8},
		},
	})
}
