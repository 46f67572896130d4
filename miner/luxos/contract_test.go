package luxos

import (
	"context"
	"testing"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/miner/drivertest"
	"ballast/sim"
	dialect "ballast/sim/dialect/luxos"
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
		Driver: New(), Dialect: dialect.New(), NoPassword: true,
		Specs: []sim.Spec{
			{Model: model(t, "Antminer S19k Pro (120T)")},
			{Model: model(t, "Antminer S19j Pro (104T)"), Version: "2023.10.12.160237-4aee9a3d"},
			{Model: model(t, "Antminer S21 (200T)"), Seed: 3},
			{Model: model(t, "Antminer S21 Hydro (335T)"), Seed: 4},
		},
		Replies: fetchAll,
	})
}

// fetchAll asks one machine for every reply.
func fetchAll(ctx context.Context, dev miner.Device) (miner.Replies, error) {
	d := dev.(*device)
	out := miner.Replies{}
	for name, c := range map[string][2]string{
		"version": {"version"}, "summary": {"summary"}, "devs": {"devs"}, "power": {"power"}, "temps": {"temps"}, "fans": {"fans"},
		"events": {"events"}, "config": {"config"}, "pools": {"pools"}, "profiles": {"profiles"}, "limits": {"limits"}, "atm": {"atm"},
		"tunerstatus": {"tunerstatus"}, "stats": {"stats"}, "groups": {"groups"}, "devdetails": {"devdetails"},
		"voltageget_0": {"voltageget", "0"}, "healthchipget_0": {"healthchipget", "0"},
	} {
		raw, err := cgminer.Ask(ctx, d.together.Target, c[0], c[1])
		if err != nil {
			return nil, err
		}
		out[name] = raw
	}
	return out, nil
}
