package antminer_test

import (
	"testing"

	"ballast/miner"
	"ballast/miner/antminer"
	"ballast/miner/drivertest"
	"ballast/sim"
	dialect "ballast/sim/dialect/antminer"
)

func model(t testing.TB, name string) miner.Model {
	t.Helper()
	m, ok := miner.LookupModel(name)
	if !ok {
		t.Fatalf("no model %q", name)
	}
	return m
}

// Machines of every generation. Those that tell no power are one suite, those
// before serial numbers another.
func TestContract(t *testing.T) {
	for name, suite := range map[string]drivertest.Suite{
		"with power": {
			Specs: []sim.Spec{{Model: model(t, "Antminer S21"), Seed: 1}, {Model: model(t, "Antminer S19 XP Hyd"), Seed: 2}},
		},
		"new form": {
			Specs:  []sim.Spec{{Model: model(t, "Antminer S19 XP"), Seed: 3}},
			Unsaid: []drivertest.Field{drivertest.FieldPower},
		},
		"old form": {
			Specs: []sim.Spec{
				{Model: model(t, "Antminer S19 Pro"), Version: "2021", Seed: 4},
				{Model: model(t, "Antminer S19 Hyd"), Version: "2021", Seed: 5},
				{Model: model(t, "Antminer S17 Pro"), Seed: 6},
				{Model: model(t, "Antminer S9"), Seed: 7},
			},
			Unsaid: []drivertest.Field{drivertest.FieldPower, drivertest.FieldSerial},
		},
	} {
		t.Run(name, func(t *testing.T) {
			suite.Driver, suite.Dialect, suite.User, suite.Replies = antminer.New(), dialect.New(), "root", antminer.Replies
			drivertest.Run(t, suite)
		})
	}
}
