package site

import (
	"iter"
	"net/netip"
	"strconv"
	"strings"

	"ballast/miner"
	"ballast/unit"
)

// Place is one slot with everything it belongs to. Names are empty where there
// is nothing of the kind.
type Place struct {
	Building, Container, Rack string
	Slot                      int // from 1
	Row, Column               int // from 1, from the floor up and left to right
	PDU                       string
	Outlet                    int // of the PDU, from 1
	Feeder                    string
	Loop                      string
	Cooling                   miner.Cooling

	Addr   netip.Addr // expected there; zero when not described
	MAC    string
	Serial string
}

// String prints "C01/R02/7".
func (p Place) String() string {
	var s strings.Builder
	for _, part := range []string{p.Building, p.Container, p.Rack} {
		if part != "" {
			s.WriteString(part + "/")
		}
	}
	return s.String() + strconv.Itoa(p.Slot)
}

// index is what Check builds for looking up.
type index struct {
	places  []Place
	addrs   map[netip.Addr]int
	macs    map[string]int
	serials map[string]int
	feeders map[string]*Feeder
	pdus    map[string]*PDU
	caps    map[string]unit.Power // of containers and buildings
}

// build lists all places, and refuses two machines in one place or one machine
// in two.
func (s *Site) build(c *checker) *index {
	x := &index{addrs: map[netip.Addr]int{}, macs: map[string]int{}, serials: map[string]int{}, feeders: map[string]*Feeder{}, pdus: map[string]*PDU{}, caps: map[string]unit.Power{}}
	for i := range s.Feeders {
		x.feeders[s.Feeders[i].Name] = &s.Feeders[i]
	}
	for i := range s.PDUs {
		x.pdus[s.PDUs[i].Name] = &s.PDUs[i]
	}
	loops := map[string]miner.Cooling{}
	for _, l := range s.Loops {
		loops[l.Name] = l.Cooling
	}
	racks := func(b *Building, ct *Container, rs []Rack) {
		for i := range rs {
			x.addRack(c, b, ct, &rs[i], loops)
		}
	}
	for i := range s.Buildings {
		b := &s.Buildings[i]
		x.caps[b.Name+"/"] = b.Cap
		racks(b, nil, b.Racks)
		for j := range b.Containers {
			x.caps["/"+b.Containers[j].Name] = b.Containers[j].Cap
			racks(b, &b.Containers[j], b.Containers[j].Racks)
		}
	}
	for j := range s.Containers {
		x.caps["/"+s.Containers[j].Name] = s.Containers[j].Cap
		racks(nil, &s.Containers[j], s.Containers[j].Racks)
	}
	return x
}

func (x *index) addRack(c *checker, b *Building, ct *Container, r *Rack, loops map[string]miner.Cooling) {
	base := Place{Rack: r.Name, PDU: r.PDU, Feeder: r.Feeder, Loop: r.Loop}
	inherit := func(feeder, loop string) {
		if base.Feeder == "" {
			base.Feeder = feeder
		}
		if base.Loop == "" {
			base.Loop = loop
		}
	}
	if p := x.pdus[r.PDU]; p != nil {
		base.Feeder = p.Feeder
	}
	if ct != nil {
		base.Container = ct.Name
		inherit(ct.Feeder, ct.Loop)
	}
	if b != nil {
		base.Building = b.Name
		inherit(b.Feeder, b.Loop)
	}
	base.Cooling = loops[base.Loop]
	columns := r.Columns
	if columns == 0 {
		columns = r.Slots
	}
	by := map[int]Slot{}
	for _, m := range r.Machines {
		by[m.Slot] = m
	}
	for n := 1; n <= r.Slots; n++ {
		p := base
		p.Slot, p.Row, p.Column = n, (n-1)/columns+1, (n-1)%columns+1
		m := by[n]
		p.Addr, p.MAC, p.Serial, p.Outlet = m.Addr.Addr, miner.NormalMAC(m.MAC), m.Serial, m.Outlet
		if !p.Addr.IsValid() && p.MAC == "" && p.Serial == "" {
			p.Addr, _ = r.Addresses.at(n - 1)
		}
		if p.Outlet == 0 && p.PDU != "" {
			p.Outlet = n
		}
		i := len(x.places)
		x.places = append(x.places, p)
		if p.Addr.IsValid() {
			once(c, x.places, x.addrs, p.Addr, i)
		}
		if p.MAC != "" {
			once(c, x.places, x.macs, p.MAC, i)
		}
		if p.Serial != "" {
			once(c, x.places, x.serials, p.Serial, i)
		}
	}
}

func once[K comparable](c *checker, places []Place, m map[K]int, key K, i int) {
	if first, ok := m[key]; ok {
		c.Bad(places[i].String(), "%v already stands in %v", key, places[first])
		return
	}
	m[key] = i
}

// Places goes through all slots: buildings first, then containers in the open,
// each in the order of the description.
func (s *Site) Places() iter.Seq[Place] {
	return func(yield func(Place) bool) {
		if s.index == nil {
			return
		}
		for _, p := range s.index.places {
			if !yield(p) {
				return
			}
		}
	}
}

// Slots counts them.
func (s *Site) Slots() int {
	if s.index == nil {
		return 0
	}
	return len(s.index.places)
}

// Find tells where a machine stands, by what identifies it best: its MAC, then
// its serial, then its address. Zero arguments are passed over.
func (s *Site) Find(addr netip.Addr, mac, serial string) (Place, bool) {
	if s.index == nil {
		return Place{}, false
	}
	if m := miner.NormalMAC(mac); m != "" {
		if i, ok := s.index.macs[m]; ok {
			return s.index.places[i], true
		}
	}
	if serial != "" {
		if i, ok := s.index.serials[serial]; ok {
			return s.index.places[i], true
		}
	}
	if i, ok := s.index.addrs[addr.Unmap()]; ok {
		return s.index.places[i], true
	}
	return Place{}, false
}

// Cap is one limit on power that a place is under.
type Cap struct {
	Of    string // "pdu P1", "container C01", "building B", "feeder F1", "site"
	Power unit.Power
}

// Caps are all limits that a place is under, from the nearest out to the grid.
// The sum of what all places under a cap draw must keep to it.
func (s *Site) Caps(p Place) []Cap {
	x := s.index
	if x == nil {
		return nil
	}
	var out []Cap
	add := func(kind, name string, power unit.Power) {
		if power > 0 {
			out = append(out, Cap{kind + name, power})
		}
	}
	if d := x.pdus[p.PDU]; d != nil {
		add("pdu ", d.Name, d.Cap)
	}
	add("container ", p.Container, x.caps["/"+p.Container])
	add("building ", p.Building, x.caps[p.Building+"/"])
	for f := x.feeders[p.Feeder]; f != nil; f = x.feeders[f.From] {
		add("feeder ", f.Name, f.Cap)
	}
	add("site", "", s.Cap)
	return out
}

// FeedersOf lists the feeders that a place hangs on, from the nearest to the grid.
func (s *Site) FeedersOf(p Place) []Feeder {
	var out []Feeder
	if s.index == nil {
		return nil
	}
	for f := s.index.feeders[p.Feeder]; f != nil; f = s.index.feeders[f.From] {
		out = append(out, *f)
	}
	return out
}
