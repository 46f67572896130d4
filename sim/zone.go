package sim

import (
	"math"

	"ballast/miner"
)

// zone is one container, row of tanks or room: the machines that share air or
// coolant, a breaker and a switch.
type zone struct {
	name    string
	cooling miner.Cooling
	first   int // of its rigs; they stand in a row
	count   int

	feeder int
	height int // levels of a rack
	pdus   []int

	// Capacities, from what stands in it.
	nominal float64 // W of all its machines
	carry   float64 // W/K of all its machines' air at full duty, or coolant at nominal flow
	wall    float64 // W/K of the container's own fans, air only
	mass    float64 // J/K of air and steel, or coolant
	reject  float64 // W/K of the dry cooler at full fans

	// Operation.
	setpoint float64 // °C of the supply
	pumpOn   bool
	pump     float64 // commanded speed, 0..1
	fansAuto bool
	fans     float64 // 0..1, container or dry cooler fans

	// State.
	supply, back float64 // °C of what machines take in, and give back
	flow         float64 // of the coolant, as a share of nominal
	power        float64 // W of its machines
	aux          float64 // W of pumps and fans
	energy       float64 // J of both since ever
	heat         float64
	air          float64 // W/K that its machines' fans move

	// What faults do.
	fansLeft, pumpLeft float64
	brown              float64 // share of mains voltage lost
	open               int     // faults that hold the breaker open
	cut                bool    // the switch is out
	dusty              float64
}

const (
	pumpLag     = 8.0 // s
	recirculate = 0.06
	heightRise  = 3.5 // K between the lowest and the highest slot of an air rack
	dampers     = 5.0 // °C that winter air is mixed up to
)

func (z *zone) liquid() bool { return z.cooling != miner.Air }

// size derives a zone's capacities from the machines in it.
func (z *zone) size(rigs []*Rig) {
	for _, r := range rigs {
		z.nominal += r.design.wall
		z.carry += r.design.carry
	}
	z.fansLeft, z.pumpLeft, z.flow, z.dusty = 1, 1, 1, 1
	z.pumpOn, z.pump, z.fansAuto, z.fans = true, 1, true, 0.5
	switch z.cooling {
	case miner.Air:
		z.wall = z.carry * 1.0
		z.mass = z.nominal * 0.9 // a few seconds of air, some minutes of steel
		z.setpoint = 25
	case miner.Hydro:
		z.mass = z.nominal * 5 // some 2 m³ of water for a megawatt
		z.setpoint = 35
		z.reject = z.nominal / 7 * 1.25 // holds 35 °C up to 38 °C outside less approach
	default:
		z.mass = z.nominal * 14 // tanks full of oil
		z.setpoint = 42
		z.reject = z.nominal / 9 * 1.25
	}
	if z.liquid() {
		z.supply, z.back = z.setpoint, z.setpoint+8
	} else {
		z.supply, z.back = nominalInlet, nominalInlet+airRise
	}
}

// step moves the zone on by h seconds under the weather, given what its
// machines drew and breathed.
func (z *zone) step(w Weather, h float64) {
	out := float64(w.Temperature)
	for h > 0 {
		part := min(h, 20)
		if z.liquid() {
			z.stepLoop(out, part)
		} else {
			z.stepAir(out, part)
		}
		h -= part
	}
}

// stepAir: fresh air through the container's fans, as much as they move; the
// rest of what the machines breathe is their own exhaust.
func (z *zone) stepAir(out, h float64) {
	if z.fansAuto {
		want := 1.0
		if z.carry > 0 {
			want = min(max(z.air/z.carry*1.05, 0.2), 1)
		}
		z.fans = want
	}
	// Warm machines draw some air even without fans.
	air := max(z.air, 0.03*z.carry, 1)
	fresh := min(1-recirculate, max(z.wall*z.fans*z.fansLeft/air, 0.08))
	rise := min(z.heat/air, 40)
	aim := out + (1-fresh)/fresh*rise
	if aim < dampers {
		aim = min(dampers, out+rise*2)
	}
	z.supply += (aim - z.supply) * -math.Expm1(-h/90)
	z.back = z.supply + rise
	z.flow = 1
	z.aux = z.nominal * 0.012 * cube(z.fans*z.fansLeft)
}

// stepLoop: coolant takes the machines' heat to a dry cooler, whose fans hold
// the supply temperature.
func (z *zone) stepLoop(out, h float64) {
	aim := 0.0
	if z.pumpOn && z.open == 0 {
		aim = z.pump * z.pumpLeft
	}
	z.flow += (aim - z.flow) * -math.Expm1(-h/pumpLag)
	flow := max(z.flow, 0.02)
	if z.fansAuto {
		z.fans = min(max(0.45+(z.supply-z.setpoint)*0.08, 0.05), 1)
	}
	back := z.supply + min(z.heat/(z.carry*flow), 40)
	cooler := z.reject * math.Pow(max(z.fans*z.fansLeft, 0.02), 0.6) * min(1, flow+0.05)
	mean := (z.supply + back) / 2
	lost := cooler * max(mean-out, 0)
	// Both terms relax towards the balance; the exponential keeps any step stable.
	tau := z.mass / max(cooler, 1)
	balance := z.supply + (z.heat-lost)/max(cooler, 1)
	z.supply += (balance - z.supply) * -math.Expm1(-h/tau)
	z.back = z.supply + min(z.heat/(z.carry*flow), 40)
	z.aux = z.nominal * (0.015*cube(z.fans*z.fansLeft) + 0.012*cube(z.flow))
}

// slotAir is how much warmer than the zone's supply a level of its racks is,
// counted from the floor: heat rises.
func (z *zone) slotAir(level int) float64 {
	if z.liquid() || z.height < 2 {
		return 0
	}
	return heightRise * (float64(level)/float64(z.height-1) - 0.35)
}
