package sim

import (
	"fmt"
	"math"
	"net/netip"

	"ballast/miner"
	"ballast/site"
	"ballast/unit"
)

// Layout describes the site as its owner would: containers, racks and slots,
// feeders, PDUs, meters and loops with their ratings. Slots know their machines
// by address. The meters and controllers of [Site.Attach] are named as their
// sources ("meter F01", "cooling C01").
func (s *Site) Layout() (*site.Site, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := &site.Site{Name: "Simulated site", Jurisdiction: "US-TX", Zone: "America/Chicago", Latitude: 31.85, Longitude: -102.37}
	out.Meters = append(out.Meters, site.Meter{Name: "main", Source: "meter main"})
	for _, f := range s.feeders {
		out.Feeders = append(out.Feeders, site.Feeder{Name: f.name, Cap: kilowatts(f.cap), Voltage: unit.Voltage(math.Round(nominalMains * math.Sqrt(3))), Phases: 3})
		out.Meters = append(out.Meters, site.Meter{Name: f.name, Feeder: f.name, Source: "meter " + f.name})
		out.Cap += kilowatts(f.cap)
	}
	for i := range s.zones {
		z := &s.zones[i]
		loop := site.Loop{Name: z.name, Cooling: z.cooling, Heat: kilowatts(z.nominal), Source: "cooling " + z.name}
		if z.cooling != miner.Air {
			loop.Supply = unit.Some(unit.Temperature(z.setpoint))
		}
		out.Loops = append(out.Loops, loop)
		c := site.Container{Name: z.name, Feeder: s.feeders[z.feeder].name, Loop: z.name}
		for j, pi := range z.pdus {
			p := &s.pdus[pi]
			out.PDUs = append(out.PDUs, site.PDU{Name: p.name, Feeder: c.Feeder, Cap: kilowatts(p.cap), Outlets: len(p.outlets)})
			addrs := make([]netip.Addr, len(p.outlets))
			for k := range addrs {
				addrs[k] = s.nodes[p.first+k].rig.Spec().Addr
			}
			c.Racks = append(c.Racks, rackOf(fmt.Sprintf("R%02d", j+1), p.name, addrs))
		}
		out.Containers = append(out.Containers, c)
	}
	if err := out.Check(); err != nil {
		return nil, fmt.Errorf("describing the simulated site: %w", err)
	}
	return out, nil
}

// rackOf describes a rack by a run of addresses, or, where they do not follow
// each other, by each machine's.
func rackOf(name, pdu string, addrs []netip.Addr) site.Rack {
	r := site.Rack{Name: name, PDU: pdu, Slots: rackSize, Columns: rackSize / rackLevels}
	run := true
	for i := 1; i < len(addrs); i++ {
		run = run && addrs[i] == addrs[i-1].Next()
	}
	if run {
		r.Addresses = site.Range{First: addrs[0], Last: addrs[len(addrs)-1]}
		return r
	}
	for i, a := range addrs {
		r.Machines = append(r.Machines, site.Slot{Slot: i + 1, Addr: site.Addr{Addr: a}})
	}
	return r
}

// kilowatts rounds a rating up as a plate would say it.
func kilowatts(w float64) unit.Power { return unit.Power(math.Ceil(w/1000) * 1000) }
