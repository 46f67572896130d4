package vnish

import (
	"cmp"
	"slices"
	"time"

	"ballast/miner"
	"ballast/unit"
)

// settle is how long a change takes to show. VNish publishes none of it; users
// report minutes for a tuned preset and the start of a machine.
var settle = miner.Settle{Sleep: time.Minute, Wake: 8 * time.Minute, Adjust: 10 * time.Minute, Reboot: 8 * time.Minute}

// envelope is what the presets allow.
func (p *parts) envelope() miner.Envelope {
	e := miner.Envelope{
		Kinds:  []miner.Kind{miner.SetSleep, miner.SetWake, miner.SetReboot, miner.SetRestart, miner.SetPools, miner.SetLocate},
		Settle: settle,
		Source: "assumed",
	}
	if p.presets == nil {
		return e
	}
	e.Source = "told"
	modded := p.settings != nil && p.settings.moddedPSU
	for _, one := range p.presets.list {
		if one.needsModed && !modded {
			continue
		}
		e.Steps = append(e.Steps, miner.Step{
			Setting: miner.Setting{Kind: miner.SetProfile, Profile: one.name}, Name: one.name,
			Power: one.watts, Hashrate: one.hashrate, Frequency: one.frequency, Voltage: one.voltage, Tuned: one.tuned,
		})
	}
	slices.SortStableFunc(e.Steps, func(a, b miner.Step) int {
		return cmp.Compare(a.Power.Or(unit.Power(1e9)), b.Power.Or(unit.Power(1e9)))
	})
	if len(e.Steps) > 0 {
		e.Kinds = append(e.Kinds, miner.SetProfile)
	}
	return e
}
