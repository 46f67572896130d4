package sim

import (
	"math"
	"time"
)

// breaker is a thermal-magnetic breaker: a large overload opens it at once, a
// small one after a while.
type breaker struct {
	rating float64 // W
	open   bool
	warm   float64 // opens at 1
	opened int64
}

// carry lets the breaker carry watts for h seconds and tells whether it opened.
func (b *breaker) carry(watts, h float64) bool {
	if b.open || b.rating <= 0 {
		return false
	}
	x := watts / b.rating
	// Settles at x²/1.1²: above 110 % it opens, within 4 minutes at 130 %.
	aim := x * x / 1.21
	b.warm += (aim - b.warm) * -math.Expm1(-h/300)
	if b.warm >= 1 || x > 5 {
		b.open = true
		return true
	}
	return false
}

// pdu feeds one rack.
type pdu struct {
	name    string
	zone    int
	first   int // of its rigs
	outlets []bool
	breaker breaker
	held    int // faults that hold it open
	power   float64
	energy  float64
	cap     float64
}

// feeder brings power to containers, behind one meter.
type feeder struct {
	name    string
	zones   []int
	breaker breaker
	cap     float64 // W that the contract or the transformer allows
	power   float64
	energy  float64
}

// mains is the phase voltage at the end of a feeder: the grid's slow moves, the
// transformer's give under load.
func (s *Site) mains(f *feeder, at int64) float64 {
	grid := nominalMains * (1 + 0.008*wave(s.cfg.Seed, drawMains, seconds(at), 4*3600))
	load := 0.0
	if f.cap > 0 {
		load = f.power / f.cap
	}
	return grid * (1.015 - 0.03*load)
}

// dropOut is the voltage below which power supplies give up.
const dropOut = 180.0

// protect checks every breaker after h seconds at the present loads.
func (s *Site) protect(now int64, h float64) {
	for i := range s.pdus {
		p := &s.pdus[i]
		if p.breaker.carry(p.power, h) {
			p.breaker.opened = now
			s.record(Event{At: unixUTC(now), Kind: EventTrip, Rig: -1, Place: p.name, Detail: "PDU overloaded"})
		}
	}
	for i := range s.feeders {
		f := &s.feeders[i]
		if f.breaker.carry(f.power, h) {
			f.breaker.opened = now
			s.record(Event{At: unixUTC(now), Kind: EventTrip, Rig: -1, Place: f.name, Detail: "feeder overloaded"})
		}
	}
}

// reclose lets the crew close breakers some time after they opened.
func (s *Site) reclose(now int64) {
	if s.cfg.Crew.Off {
		return
	}
	const wait = int64(45 * time.Minute)
	for i := range s.pdus {
		if p := &s.pdus[i]; p.breaker.open && p.held == 0 && now-p.breaker.opened > wait {
			p.breaker.open, p.breaker.warm = false, 0
			s.record(Event{At: unixUTC(now), Kind: EventClose, Rig: -1, Place: p.name})
		}
	}
	for i := range s.feeders {
		if f := &s.feeders[i]; f.breaker.open && now-f.breaker.opened > wait {
			f.breaker.open, f.breaker.warm = false, 0
			s.record(Event{At: unixUTC(now), Kind: EventClose, Rig: -1, Place: f.name})
		}
	}
}
