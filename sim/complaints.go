package sim

import (
	"slices"
	"time"

	"ballast/miner"
)

// complain brings the list of what the firmware complains of up to date. A
// complaint keeps the time it was first made.
func (r *Rig) complain() {
	b, d, e := &r.body, &r.design, &r.effects
	old := r.complaints
	var list []miner.Fault
	add := func(c miner.Code, s miner.Severity, index int, text string) {
		f := miner.NewFault(c, s, index, "", text)
		f.Since = time.Unix(0, b.t).UTC()
		if i := slices.IndexFunc(old, func(o miner.Fault) bool { return o.Code == c && o.Index == index }); i >= 0 {
			f.Since = old[i].Since
		}
		list = append(list, f)
	}
	if !b.answers() {
		r.complaints = nil
		return
	}
	if b.phase == PhaseFailed {
		add(b.why, miner.Critical, -1, r.whyStopped(b))
	}
	for i := range d.boards {
		r.complainOfBoard(i, add)
	}
	for i := range d.fans {
		switch f := e.fans[i]; {
		case f == 0:
			add(miner.FanMissing, miner.Critical, i, "fan lost")
		case f < 0.75:
			add(miner.FanSlow, miner.Minor, i, "fan below commanded speed")
		}
	}
	switch {
	case b.hot > d.hot && b.phase.running():
		add(miner.ThermalChip, miner.Major, -1, "chips hot")
	case b.cool < 0.98 && b.phase.running():
		add(miner.AdvisoryReduced, miner.Major, -1, "clock reduced for temperature")
	}
	if t, ok := e.ambient.read(r.env.ambient); ok && t > 45 {
		add(miner.ThermalAmbient, miner.Minor, -1, "intake air hot")
	}
	if d.litres > 0 && r.env.flow < 0.5 {
		add(miner.CoolantFlow, miner.Critical, -1, "coolant flow low")
	}
	r.complainOfSupply(add)
	if e.noPool {
		add(miner.ControlPool, miner.Critical, -1, "no pool alive")
	}
	r.complaints = list
}

func (r *Rig) complainOfBoard(i int, add func(miner.Code, miner.Severity, int, string)) {
	b, f, p := &r.body, &r.effects.boards[i], &r.body.boards[i]
	if f.missing {
		add(miner.BoardMissing, miner.Major, i, "board not detected")
		return
	}
	if f.dead > 0 {
		add(miner.ChipMissing, miner.Major, i, "chips missing")
	}
	if f.sense.kind == senseLost {
		add(miner.SensorTemperature, miner.Minor, i, "temperature sensor does not answer")
	}
	if b.phase != PhaseHashing || !r.want.boards[i] {
		return
	}
	switch {
	case p.bad > 0.02:
		add(miner.ChipErrorRate, miner.Major, i, "hardware errors above limit")
	case f.errors > 20:
		add(miner.ChipCRC, miner.Minor, i, "communication errors")
	}
	if f.droop > 0.025 {
		add(miner.RailVoltage, miner.Minor, i, "domain voltage low")
	}
	nominal := r.design.hash * b.aim / float64(r.design.boards)
	switch {
	case r.effects.noPool || b.t-b.since < nanos(300):
	case p.hash < nominal*0.02:
		add(miner.BoardNoHash, miner.Major, i, "board does not hash")
	case p.hash < nominal*0.85*b.cool:
		add(miner.BoardLowHash, miner.Major, i, "board hashes low")
	}
}

func (r *Rig) complainOfSupply(add func(miner.Code, miner.Severity, int, string)) {
	b, e := &r.body, &r.effects
	switch {
	case b.psu > psuLimit-10:
		add(miner.PSUOverTemperature, miner.Major, 0, "power supply hot")
	case e.psuFan < 0.5:
		add(miner.PSUFan, miner.Minor, 0, "power supply fan slow")
	}
	if b.droop > 0.03 {
		add(miner.PSUOutputVoltage, miner.Major, 0, "output voltage sags")
	}
	if v := r.env.mains; v > 0 && (v < 205 || v > 265) {
		add(miner.PSUInputVoltage, miner.Minor, 0, "input voltage out of range")
	}
}
