package sim

import (
	"slices"
	"time"

	"ballast/miner"
)

// Order is one work order: a hand that was put on a machine.
type Order struct {
	ID        int64     `json:"id"`
	Rig       int       `json:"rig"`
	Reason    string    `json:"reason"` // what the operator saw
	Trouble   time.Time `json:"trouble"`
	Opened    time.Time `json:"opened"`
	Due       time.Time `json:"due"`
	Done      time.Time `json:"done,omitzero"`
	Found     Component `json:"found,omitempty"` // what the technician wrote; empty is no fault found
	Index     int       `json:"index"`
	Truth     Component `json:"truth,omitempty"` // what it was; empty is nothing broken
	Recovered bool      `json:"recovered"`       // it ran again after the visit
}

// Wrong tells whether the technician wrote down the wrong part.
func (o *Order) Wrong() bool { return o.Found != o.Truth && o.Truth != "" && o.Found != "" }

const (
	patience   = int64(6 * time.Hour) // of trouble before an order is opened
	mislabel   = 0.07                 // of orders name the wrong part
	soundShare = 0.85                 // of its nominal hashrate keeps a machine off the list
)

// work is the crew's hour: it notices trouble, opens orders and does those that
// are due, as many as it has hands for. The lock is held.
func (s *Site) work(now int64) {
	if s.cfg.Crew.Off {
		return
	}
	for i := range s.nodes {
		nd := &s.nodes[i]
		reason := s.trouble(nd)
		if reason == "" {
			// One that stops and starts all day is not well between.
			if nd.well++; nd.well >= 4 {
				nd.sick = 0
			}
			continue
		}
		nd.well = 0
		if nd.sick == 0 {
			nd.sick = now
			s.retryCooled(nd)
		}
		if _, has := s.open[i]; has || now-nd.sick < patience {
			continue
		}
		s.lastID++
		delay := lognormal(nd.rig.seed, drawRepair, now/agePeriod, s.cfg.Crew.Delay.Hours(), 0.6)
		o := Order{ID: s.lastID, Rig: i, Reason: reason, Trouble: unixUTC(nd.sick), Opened: unixUTC(now), Due: unixUTC(now + nanos(delay*3600))}
		s.open[i] = len(s.orders)
		s.orders = append(s.orders, o)
		s.record(Event{At: o.Opened, Kind: EventOrder, Rig: i, Detail: reason})
	}
	s.visit(now)
	s.clean(now)
}

// retryCooled restarts, from afar, a machine that stopped in the heat.
func (s *Site) retryCooled(nd *node) {
	r := nd.rig
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.body.phase == PhaseFailed && r.body.why == miner.ThermalChip {
		r.body.start = 0
		r.begin(&r.body, r.tempo.start)
	}
}

// tooHot is the intake above which a stop is the weather's doing, °C.
const tooHot = 38

// trouble is what an operator sees in a machine that needs a hand, or "".
// Machines without mains are the electrician's.
func (s *Site) trouble(nd *node) string {
	r := nd.rig
	r.mu.Lock()
	defer r.mu.Unlock()
	b := &r.body
	switch {
	case r.env.mains <= 0:
		return ""
	case b.phase == PhaseOff:
		return "does not answer"
	case b.phase == PhaseFailed && b.why == miner.ThermalChip && r.env.inlet > tooHot && r.design.cooling == miner.Air:
		return ""
	case b.phase == PhaseFailed:
		return "stopped: " + r.whyStopped(b)
	case b.phase == PhaseStarting && b.t-b.since > patience:
		return "does not start"
	case b.phase == PhaseHashing && r.effects.noPool:
		return "" // a network matter
	case b.phase == PhaseHashing && b.t-b.since > nanos(3600) && b.averageOver(2, 1800) < r.design.hash*r.aim()*soundShare:
		return "hashrate low"
	case b.phase == PhaseHashing && r.lostSensor():
		return "temperature sensor"
	}
	return ""
}

func (r *Rig) lostSensor() bool {
	for i := range r.design.boards {
		if r.effects.boards[i].sense.kind == senseLost {
			return true
		}
	}
	return false
}

// visit does the orders that are due, oldest first.
func (s *Site) visit(now int64) {
	var due []int
	for _, oi := range s.open {
		if !s.orders[oi].Due.After(unixUTC(now)) {
			due = append(due, oi)
		}
	}
	slices.Sort(due)
	hands := s.hands(now)
	for _, oi := range due[:min(hands, len(due))] {
		o := &s.orders[oi]
		s.repair(o, now)
		delete(s.open, o.Rig)
		s.nodes[o.Rig].sick = 0
	}
}

// hands is how many machines the crew can see to in the hour before now.
func (s *Site) hands(now int64) int {
	hour := now / int64(time.Hour)
	per := s.cfg.Crew.PerDay
	done := func(h int64) int64 { return h * int64(per) / 24 }
	return int(done(hour) - done(hour-1))
}

// repair is a technician at the machine: a power cycle first, which mends what
// only hung, then the part that is broken.
func (s *Site) repair(o *Order, now int64) {
	r := s.nodes[o.Rig].rig
	r.mu.Lock()
	defer r.mu.Unlock()
	o.Done = unixUTC(now)
	p := r.parts
	seed := mix(r.seed + uint64(o.ID))
	if p != nil {
		if i := p.worst(); i >= 0 {
			t := &p.list[i]
			o.Truth, o.Index = kinds[t.kind].component, int(t.index)
			reseat := t.atStart && t.kind == kindBoard && uniform(seed, drawRepair, 1) < 0.5
			if t.kind == kindSoft || reseat {
				o.Truth = "" // reseated or cycled: no fault found
			}
			p.renew(i, 0)
			if reseat {
				// It works, but the contact that failed once is no better.
				p.list[i].life *= 0.3
			}
		} else {
			for i := range p.list {
				if t := &p.list[i]; t.severity > 0.4 && t.fate == fateGradual {
					o.Truth, o.Index = kinds[t.kind].component, int(t.index)
					p.renew(i, 0)
					break
				}
			}
		}
		if o.Truth == "" && p.dust > 0.35 {
			o.Truth = PartDust
		}
		p.broken = 0
		p.dust *= 0.3 // blown out while it is open
	}
	o.Found = o.Truth
	if o.Truth != "" && uniform(seed, drawRepair, 2) < mislabel {
		o.Found = [...]Component{PartBoard, PartPSU, PartFan, PartControl}[draw(seed, drawRepair, 3)%4]
	}
	r.rehang()
	r.refresh()
	if r.body.phase != PhaseOff {
		r.boot(&r.body)
	}
	o.Recovered = !r.effects.dark && !r.effects.psuStop && r.missing() == 0
	detail := string(o.Found)
	if detail == "" {
		detail = "no fault found"
	}
	s.record(Event{At: o.Done, Kind: EventRepair, Rig: o.Rig, Component: o.Truth, Index: o.Index, Detail: detail})
}

// clean blows the dust out of one rack after another, each twice a year.
func (s *Site) clean(now int64) {
	hour := now / int64(time.Hour)
	const period = hoursPerYear / 2
	for i := range s.pdus {
		if (hour+int64(i)*97)%period != 0 {
			continue
		}
		p := &s.pdus[i]
		for j := range p.outlets {
			r := s.nodes[p.first+j].rig
			r.mu.Lock()
			if r.parts != nil {
				r.parts.dust *= 0.2
				r.refresh()
			}
			r.mu.Unlock()
		}
	}
}

// Repair does at once what a work order would do, and returns it.
func (s *Site) Repair(rig int) (Order, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.chosen(rig, ""); err != nil || rig < 0 {
		return Order{}, ErrNoRig
	}
	now := s.clock.now()
	oi, has := s.open[rig]
	if !has {
		s.lastID++
		oi = len(s.orders)
		s.orders = append(s.orders, Order{ID: s.lastID, Rig: rig, Reason: "on demand", Trouble: unixUTC(now), Opened: unixUTC(now), Due: unixUTC(now)})
	}
	delete(s.open, rig)
	s.repair(&s.orders[oi], now)
	s.nodes[rig].sick = 0
	return s.orders[oi], nil
}

// Orders are the work orders, open ones without a Done time.
func (s *Site) Orders() []Order {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.orders)
}
