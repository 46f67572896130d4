package avalon

import (
	"context"
	"testing"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/miner/drivertest"
	"ballast/sim"
	dialect "ballast/sim/dialect/avalon"
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
		Driver: New(), Dialect: dialect.New(), User: "root",
		Specs: []sim.Spec{
			{Model: model(t, "1246-83"), Version: "21072802_4ec6bb0_211fc46"},
			{Model: model(t, "Avalon 1466")},
			{Model: model(t, "Avalon 1566HA"), Version: "24102401_25462b2_9ddf522"},
			{Model: model(t, "Avalon A15 Pro")},
			{Model: model(t, "Avalon Q"), Version: "25052801_14a19a2"},
			{Model: model(t, "Avalon Nano 3S")},
		},
		Skip:    map[string]string{"password": "only setpool wants the login, see TestPoolsWantTheLogin"},
		Replies: fetchAll,
	})
}

// fetchAll asks one machine for every reply.
func fetchAll(ctx context.Context, dev miner.Device) (miner.Replies, error) {
	d := dev.(*device)
	if _, err := d.Read(ctx); err != nil {
		return nil, err
	}
	out := miner.Replies{}
	commands := []string{"version", "summary", "stats", "pools", "devs", "devdetails", "config", "coin"}
	if d.lite {
		commands = append(commands, "litestats")
	}
	for _, c := range commands {
		raw, err := cgminer.Ask(ctx, d.together.Target, c, "")
		if err != nil {
			return nil, err
		}
		out[c] = raw
	}
	return out, nil
}
