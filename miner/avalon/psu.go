package avalon

import (
	"math"
	"strconv"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/unit"
)

// The figures of PS[..]; see the package comment for their sources.
const (
	psError   = 0 // bits
	psControl = 1 // to the control board, 10 mV
	psHash    = 2 // to the hash boards, 10 mV (a Nano's: mV)
	psCurrent = 3 // A
	psOutput  = 4 // W, to the hash boards
	psSet     = 5 // wanted at the hash boards, 10 mV
	psWall    = 6 // W
)

// power is what one module draws and where the figure comes from.
type power struct {
	watts unit.Opt[unit.Power]
	psu   bool // the PSU measured it
}

// readPSU reads PS and WALLPOWER into a power supply and the wall power.
func (m *module) readPSU(warn cgminer.Warn) (p miner.PSU, draw power) {
	ps := m.list("PS")
	wall := m.watts(warn, "WALLPOWER", m.num("WALLPOWER"))
	if len(ps) == 0 {
		return p, power{wall, true}
	}
	p.Present = unit.Some(!allZero(ps))
	p.VoltageOut = m.volts(warn, ps, psHash)
	p.VoltageSet = m.wanted(ps, p.VoltageOut)
	if amps, ok := at(ps, psCurrent); ok && amps >= 0 && amps < 2000 {
		p.CurrentOut = unit.Some(unit.Current(amps))
	}
	p.PowerOut = m.output(warn, ps, p)
	p.PowerIn = wall.OrElse(m.wall(warn, ps, p))
	if failure, ok := at(ps, psError); ok {
		p.Status = strconv.FormatFloat(failure, 'f', -1, 64)
	}
	draw = power{p.PowerIn.OrElse(p.PowerOut), true}
	return p, draw
}

func allZero(list []float64) bool {
	for _, v := range list {
		if v != 0 {
			return false
		}
	}
	return true
}

// watts is a power that one machine can draw.
func (m *module) watts(warn cgminer.Warn, key string, v unit.Opt[float64]) unit.Opt[unit.Power] {
	const most = 20000
	w, ok := v.Get()
	switch {
	case !ok:
		return unit.None[unit.Power]()
	case w < 0 || w > most:
		m.implausible(warn, key)
		return unit.None[unit.Power]()
	}
	return unit.Some(unit.Power(w))
}

// volts is a voltage at the hash boards: in 10 mV, or in mV where that would be
// beyond any Avalon's PSU.
func (m *module) volts(warn cgminer.Warn, ps []float64, i int) unit.Opt[unit.Voltage] {
	const most = 60 // V
	v, ok := at(ps, i)
	switch {
	case !ok:
		return unit.None[unit.Voltage]()
	case v >= 0 && v/100 <= most:
		return unit.Some(unit.Voltage(v / 100))
	case v >= 0 && v/1000 <= most:
		return unit.Some(unit.Voltage(v / 1000))
	}
	m.implausible(warn, "PS")
	return unit.None[unit.Voltage]()
}

// wanted is the voltage set-point, where the sixth figure is one: it is within
// reach of the voltage measured, or that is off.
func (m *module) wanted(ps []float64, out unit.Opt[unit.Voltage]) unit.Opt[unit.Voltage] {
	set, ok := at(ps, psSet)
	measured, ok2 := out.Get()
	set /= 100
	if !ok || !ok2 || set <= 0 || set > 60 || measured > 1 && math.Abs(set-float64(measured)) > 0.3*set {
		return unit.None[unit.Voltage]()
	}
	return unit.Some(unit.Voltage(set))
}

// output is what goes to the hash boards. Volts times amperes tell which figure
// it is: the fifth by Canaan's manual, the sixth on some, none on a Nano.
func (m *module) output(warn cgminer.Warn, ps []float64, p miner.PSU) unit.Opt[unit.Power] {
	volts, ok1 := p.VoltageOut.Get()
	amps, ok2 := p.CurrentOut.Get()
	product := float64(volts) * float64(amps)
	likely := func(w float64) bool { return !ok1 || !ok2 || math.Abs(w-product) <= 0.25*product+60 }
	for _, i := range []int{psOutput, psOutput + 1} {
		w, ok := at(ps, i)
		if !ok || w == 0 && product > 0 || i == psOutput+1 && (w < 0 || !ok1 || !ok2 || product < 60) {
			continue
		}
		if likely(w) {
			return m.watts(warn, "PS", unit.Some(w))
		}
	}
	if w, ok := at(ps, psOutput); ok && w > 0 {
		m.implausible(warn, "PS")
	}
	return unit.None[unit.Power]()
}

// wall is what the PSU draws: more than it delivers, and not absurdly so.
func (m *module) wall(warn cgminer.Warn, ps []float64, p miner.PSU) unit.Opt[unit.Power] {
	w, ok := at(ps, psWall)
	if !ok || w <= 0 {
		return unit.None[unit.Power]()
	}
	if out, ok := p.PowerOut.Get(); ok && out > 0 && (w < float64(out) || w > 1.6*float64(out)+200) {
		m.implausible(warn, "PS")
		return unit.None[unit.Power]()
	}
	return m.watts(warn, "PS", unit.Some(w))
}
