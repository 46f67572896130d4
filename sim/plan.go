package sim

import (
	"fmt"
	"math"
	"strings"

	"ballast/site"
	"ballast/unit"
)

// Plan describes the simulated site the way an owner would describe a real one:
// for the programs that are to look after it. Machines are named by address
// where those of a rack are in a row, else by address and MAC.
func (s *Site) Plan() (*site.Site, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &site.Site{Name: "Simulated site", Jurisdiction: "US-TX", Zone: "America/Chicago", Latitude: 31.8, Longitude: -102.4}
	p.Meters = append(p.Meters, site.Meter{Name: "main", Source: "meter-main"})
	for i := range s.feeders {
		f := &s.feeders[i]
		p.Feeders = append(p.Feeders, site.Feeder{Name: f.name, Cap: watts(f.cap), Voltage: 415, Phases: 3})
		p.Meters = append(p.Meters, site.Meter{Name: f.name, Feeder: f.name, Source: "meter-" + strings.ToLower(f.name)})
		p.Cap += watts(f.cap)
	}
	for i := range s.pdus {
		d := &s.pdus[i]
		p.PDUs = append(p.PDUs, site.PDU{
			Name: d.name, Feeder: s.feeders[s.zones[d.zone].feeder].name, Cap: watts(d.cap), Outlets: len(d.outlets), Source: "pdu-" + strings.ToLower(d.name),
		})
	}
	for i := range s.zones {
		z := &s.zones[i]
		p.Loops = append(p.Loops, site.Loop{
			Name: z.name, Cooling: z.cooling, Heat: watts(z.nominal * 1.05), Supply: unit.Some(unit.Temperature(z.setpoint)), Source: "cooling-" + strings.ToLower(z.name),
		})
		c := site.Container{Name: z.name, Feeder: s.feeders[z.feeder].name, Loop: z.name}
		for _, pi := range z.pdus {
			c.Racks = append(c.Racks, s.planRack(pi))
		}
		p.Containers = append(p.Containers, c)
	}
	if err := p.Check(); err != nil {
		return nil, fmt.Errorf("describing the simulated site: %w", err)
	}
	return p, nil
}

func (s *Site) planRack(pi int) site.Rack {
	d := &s.pdus[pi]
	n := len(d.outlets)
	r := site.Rack{Name: fmt.Sprintf("R%02d", s.nodes[d.first].rack+1), PDU: d.name, Slots: n, Columns: min(rackSize/rackLevels, n)}
	row := true
	for j := 1; j < n; j++ {
		row = row && s.nodes[d.first+j].addr == s.nodes[d.first+j-1].addr.Next()
	}
	if row {
		r.Addresses = site.Range{First: s.nodes[d.first].addr, Last: s.nodes[d.first+n-1].addr}
		return r
	}
	for j := range n {
		nd := &s.nodes[d.first+j]
		r.Machines = append(r.Machines, site.Slot{Slot: j + 1, Addr: site.Addr{Addr: nd.addr}, MAC: nd.rig.spec.MAC})
	}
	return r
}

// watts rounds to what a description would say.
func watts(p float64) unit.Power { return unit.Power(math.Round(p/100) * 100) }
