package bitaxe

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"ballast/miner"
	"ballast/unit"
)

// settle is how long a change takes to show: the clock walks in small steps, and
// a restart takes the Wi-Fi's time.
var settle = miner.Settle{Sleep: 20 * time.Second, Wake: 2 * time.Minute, Adjust: 2 * time.Minute, Reboot: 2 * time.Minute}

// point is a clock with its core voltage.
type point struct{ mhz, millivolt float64 }

// name says both: "525MHz 1150mV".
func (p point) name() string {
	return strconv.FormatFloat(p.mhz, 'f', -1, 64) + "MHz " + strconv.FormatFloat(p.millivolt, 'f', -1, 64) + "mV"
}

// points pairs the clocks that the hardware offers with voltages that it offers:
// the default for all up to the default clock, and one step more for each step
// above.
func (a *asic) points() []point {
	if a == nil || len(a.clocks) == 0 {
		return nil
	}
	base, core := a.defaultClock, a.defaultCore
	if core <= 0 {
		return nil
	}
	above := slices.DeleteFunc(slices.Clone(a.cores), func(mv float64) bool { return mv <= core })
	var out []point
	step := 0
	for _, mhz := range a.clocks {
		mv := core
		if mhz > base && base > 0 {
			if step < len(above) {
				step++
			}
			if step > 0 {
				mv = above[step-1]
			}
		}
		out = append(out, point{mhz, mv})
	}
	return out
}

// profile is the point that the machine is set to, "" when it is none of them.
func (p *parts) profile() string {
	f, ok1 := p.info.frequencySet.Get()
	v, ok2 := p.info.coreSet.Get()
	if !ok1 || !ok2 {
		return ""
	}
	for _, one := range p.asic.points() {
		if math.Abs(f.MHz()-one.mhz) < 0.51 && math.Abs(float64(v)*1e3-one.millivolt) < 0.51 {
			return one.name()
		}
	}
	return ""
}

// sleeps says how the machine is put to sleep: "pause", "shutdown", or "" where
// it cannot be.
func (i *info) sleeps() string {
	switch {
	case i == nil:
		return ""
	case i.paused.Ok():
		return "pause"
	case i.shutdown.Ok():
		return "shutdown"
	}
	return ""
}

func (p *parts) isNerd() bool {
	told := ""
	if p.info != nil {
		told = p.info.deviceModel
	}
	if told == "" && p.asic != nil {
		told = p.asic.device
	}
	return strings.HasPrefix(strings.ToLower(told), "nerd") || p.info != nil && p.info.shutdown.Ok()
}

// envelope is what the machine offers.
func (p *parts) envelope() miner.Envelope {
	e := miner.Envelope{Kinds: []miner.Kind{miner.SetReboot, miner.SetPools}, Settle: settle, Source: "assumed"}
	if p.info.sleeps() != "" {
		e.Kinds = append(e.Kinds, miner.SetSleep, miner.SetWake)
	}
	points := p.asic.points()
	if len(points) == 0 {
		return e
	}
	e.Source = "told"
	e.Kinds = append(e.Kinds, miner.SetProfile)
	for _, one := range points {
		s := miner.Step{
			Setting: miner.Setting{Kind: miner.SetProfile, Profile: one.name()}, Name: one.name(),
			Frequency: unit.Some(unit.Frequency(one.mhz) * unit.Megahertz), Voltage: unit.Some(unit.Voltage(one.millivolt / 1e3)),
		}
		if i := p.info; i != nil && i.smallCores.Ok() {
			chips := i.chips.OrElse(p.asic.chips).Or(1)
			s.Hashrate = unit.Some(unit.Hashrate(one.mhz * i.smallCores.Or(0) * float64(chips) / 1e6))
		}
		e.Steps = append(e.Steps, s)
	}
	return e
}
