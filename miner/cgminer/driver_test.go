package cgminer_test

import (
	"context"
	"testing"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/miner/drivertest"
	"ballast/sim"
	dialect "ballast/sim/dialect/cgminer"
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
		Driver: cgminer.New(), Dialect: dialect.New(), NoPassword: true,
		Specs: []sim.Spec{{Model: model(t, "Antminer S19j Pro"), Seed: 1}, {Model: model(t, "Antminer S19 Hyd"), Seed: 2}},
		Unsaid: []drivertest.Field{drivertest.FieldMAC, drivertest.FieldSerial, drivertest.FieldNominal, drivertest.FieldPower,
			drivertest.FieldChips},
		Replies: func(ctx context.Context, d miner.Device) (miner.Replies, error) {
			return d.(*cgminer.Device).Replies(ctx)
		},
	})
}
