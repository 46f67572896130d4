package epic

import (
	"time"

	"ballast/miner"
	"ballast/unit"
)

// settle is how long a change takes to show. ePIC publishes none of it; these
// are generous for a tuner that walks in steps of a minute.
var settle = miner.Settle{Sleep: time.Minute, Wake: 6 * time.Minute, Adjust: 12 * time.Minute, Reboot: 6 * time.Minute}

// envelope is what the capabilities allow.
func (p *parts) envelope() miner.Envelope {
	e := miner.Envelope{
		Kinds:  []miner.Kind{miner.SetSleep, miner.SetWake, miner.SetReboot, miner.SetRestart, miner.SetPools, miner.SetLocate},
		Settle: settle,
		Source: "assumed",
	}
	c := p.capabilities
	if c == nil {
		return e
	}
	e.Source = "told"
	if a, ok := c.powerTuner(); ok {
		e.Kinds = append(e.Kinds, miner.SetPower)
		e.PowerMin, e.PowerMax = unit.Some(unit.Power(a.min)), unit.Some(unit.Power(a.max))
	}
	for _, preset := range c.presets {
		e.Steps = append(e.Steps, miner.Step{
			Setting: miner.Setting{Kind: miner.SetProfile, Profile: preset.name()},
			Name:    preset.name(),
			Power:   preset.power, Hashrate: unit.Some(preset.hashrate),
			Frequency: unit.Some(preset.clock), Voltage: unit.Some(preset.voltage),
		})
	}
	if len(e.Steps) > 0 {
		e.Kinds = append(e.Kinds, miner.SetProfile)
	}
	return e
}
