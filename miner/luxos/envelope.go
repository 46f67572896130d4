package luxos

import (
	"cmp"
	"slices"
	"time"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/unit"
)

// settle times. Luxor publishes under 5 s to sleep and under 10 s to full power
// (hashrateindex.com, its series on firmware); the documentation says that a
// wake-up ramps like a reboot does and that boards may take five minutes to
// initialise.
var settle = miner.Settle{Sleep: 10 * time.Second, Wake: 60 * time.Second, Adjust: 90 * time.Second, Reboot: 5 * time.Minute}

// idle is what a machine draws asleep, as published.
const idle = 25 * unit.Watt

// readProfiles reads the table of profiles, lowest power first.
func readProfiles(r *miner.Reading, reply cgminer.Reply) []miner.Step {
	var out []miner.Step
	for _, o := range reply.Section("PROFILES") {
		name := o.Text("Profile Name")
		if name == "" {
			continue
		}
		p := miner.Step{
			Name: name, Setting: miner.Setting{Kind: miner.SetProfile, Profile: name},
			Power: o.Power(r.Warn, "Watts"), Hashrate: o.Hashrate(r.Warn, unit.THs, "Hashrate"),
			Frequency: o.Frequency(r.Warn, "Frequency"), Tuned: o.Bool("IsTuned"),
		}
		if v, ok := o.Float("Voltage").Get(); ok && v > 0 && v < 100 {
			p.Voltage = unit.Some(unit.Voltage(v))
		}
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b miner.Step) int { return cmp.Compare(a.Power.Or(0), b.Power.Or(0)) })
	return out
}

// envelope is what the machine can be set to: known only where profiles or
// config were told.
func envelope(config cgminer.Object, s *slow) *miner.Envelope {
	if len(s.profiles) == 0 && config.Empty() {
		return nil
	}
	e := &miner.Envelope{
		Kinds: []miner.Kind{miner.SetLocate, miner.SetPools, miner.SetReboot, miner.SetRestart, miner.SetSleep, miner.SetWake},
		Idle:  unit.Some(idle), Settle: settle, Source: "published",
	}
	if len(s.profiles) > 0 {
		e.Kinds = append(e.Kinds, miner.SetProfile)
		e.Source = "told"
	}
	e.Steps = slices.Clip(s.profiles) // shared by all readings, and not to be changed
	for i := range e.Steps {
		if e.Steps[i].Name == "default" {
			e.PowerDefault = e.Steps[i].Power
		}
	}
	low, high := s.target.low.Or(0), s.target.high.Or(0)
	if config.Bool("IsPowerTargetSupported").Or(false) && 0 < low && low < high {
		e.Kinds = append(e.Kinds, miner.SetPower)
		e.PowerMin, e.PowerMax = unit.Some(low), unit.Some(high)
		if d := e.PowerDefault.Or(low); d < low || d > high {
			e.PowerDefault = unit.None[unit.Power]()
		}
	} else {
		e.PowerDefault = unit.None[unit.Power]()
	}
	slices.Sort(e.Kinds)
	return e
}
