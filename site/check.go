package site

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"ballast/miner"
	"ballast/unit"
	"ballast/unit/doc"
)

// checker collects problems with the place each stands at.
type checker struct{ *doc.Problems }

// Problem is one thing wrong with a description: where is a path such as
// feeders[1].cap, or a slot such as C01/R02/7.
type Problem = doc.Problem

// names checks that names are there and unique, and returns where each stands.
func (c *checker) names(kind string, at func(int) string, n int, name func(int) string) map[string]int {
	seen := map[string]int{}
	for i := range n {
		switch v := name(i); {
		case strings.TrimSpace(v) == "":
			c.Bad(at(i)+".name", "a %s needs a name", kind)
		case v != strings.TrimSpace(v):
			c.Bad(at(i)+".name", "%q begins or ends with a space", v)
		default:
			if first, taken := seen[v]; taken {
				c.Bad(at(i)+".name", "%s %q is already %s", kind, v, at(first))
				continue
			}
			seen[v] = i
		}
	}
	return seen
}

func list(what string) func(int) string {
	return func(i int) string { return fmt.Sprintf("%s[%d]", what, i) }
}

// refer checks that a name, when given, is one that there is.
func (c *checker) refer(at, kind, name string, known map[string]int) {
	if _, ok := known[name]; name == "" || ok {
		return
	}
	hint := "there are none"
	if len(known) > 0 {
		all := slices.Sorted(maps.Keys(known))
		if len(all) > 8 {
			all = append(all[:8], "...")
		}
		hint = "there are " + strings.Join(all, ", ")
	}
	c.Bad(at, "no %s is named %q; %s", kind, name, hint)
}

func (c *checker) cap(at string, p unit.Power) {
	if !(p >= 0 && p < 1e12) {
		c.Bad(at, "%v cannot be a cap", p)
	}
}

var jurisdictions = regexp.MustCompile(`^[A-Z]{2}(-[A-Z0-9]{1,3})?$`)

// Check tells what is wrong with the description: nil, or an error that lists
// every problem. Parse has called it already; call it after changing a Site.
func (s *Site) Check() error { return s.check(new(doc.Problems)) }

func (s *Site) check(p *doc.Problems) error {
	c := &checker{p}
	s.index = nil
	if strings.TrimSpace(s.Name) == "" {
		c.Bad("name", "a site needs a name")
	}
	if s.Jurisdiction != "" && !jurisdictions.MatchString(s.Jurisdiction) {
		c.Bad("jurisdiction", "%q: want an ISO 3166 code such as %q or %q", s.Jurisdiction, "US-TX", "PY")
	}
	if s.Zone != "" {
		if _, err := time.LoadLocation(s.Zone); err != nil || s.Zone == "Local" {
			c.Bad("zone", "%q: want an IANA time zone such as %q", s.Zone, "America/Chicago")
		}
	}
	if !(s.Latitude >= -90 && s.Latitude <= 90) {
		c.Bad("latitude", "%v: want -90 to 90", s.Latitude)
	}
	if !(s.Longitude >= -180 && s.Longitude <= 180) {
		c.Bad("longitude", "%v: want -180 to 180", s.Longitude)
	}
	c.cap("cap", s.Cap)
	k := s.checkPower(c)
	s.checkPlaces(c, k)
	if err := c.Err(ErrInvalid); err != nil {
		return err
	}
	x := s.build(c)
	if err := c.Err(ErrInvalid); err != nil {
		return err
	}
	s.index = x
	return nil
}

// known holds the names that others may refer to.
type known struct {
	feeders, pdus, loops map[string]int
}

func (s *Site) checkPower(c *checker) known {
	var k known
	k.feeders = c.names("feeder", list("feeders"), len(s.Feeders), func(i int) string { return s.Feeders[i].Name })
	k.pdus = c.names("PDU", list("pdus"), len(s.PDUs), func(i int) string { return s.PDUs[i].Name })
	k.loops = c.names("loop", list("loops"), len(s.Loops), func(i int) string { return s.Loops[i].Name })
	c.names("meter", list("meters"), len(s.Meters), func(i int) string { return s.Meters[i].Name })
	for i, f := range s.Feeders {
		at := list("feeders")(i)
		c.refer(at+".from", "feeder", f.From, k.feeders)
		c.cap(at+".cap", f.Cap)
		if f.Phases != 0 && f.Phases != 1 && f.Phases != 3 {
			c.Bad(at+".phases", "%d: want 1 or 3", f.Phases)
		}
		if !(f.Voltage >= 0 && f.Voltage < 1e6) {
			c.Bad(at+".voltage", "%v cannot be", f.Voltage)
		}
		if path := s.circle(f.Name, k.feeders); path != "" {
			c.Bad(at+".from", "feeders go in a circle: %s", path)
		}
	}
	for i, p := range s.PDUs {
		at := list("pdus")(i)
		if p.Feeder == "" {
			c.Bad(at+".feeder", "a PDU hangs on a feeder")
		}
		c.refer(at+".feeder", "feeder", p.Feeder, k.feeders)
		c.cap(at+".cap", p.Cap)
		if p.Outlets < 0 || p.Outlets > 1000 {
			c.Bad(at+".outlets", "%d cannot be", p.Outlets)
		}
	}
	for i, m := range s.Meters {
		at := list("meters")(i)
		c.refer(at+".feeder", "feeder", m.Feeder, k.feeders)
		c.refer(at+".pdu", "PDU", m.PDU, k.pdus)
		if m.Feeder != "" && m.PDU != "" {
			c.Bad(at, "a meter measures a feeder or a PDU, not both")
		}
	}
	for i, l := range s.Loops {
		at := list("loops")(i)
		switch l.Cooling {
		case miner.Air, miner.Hydro, miner.Immersion:
		default:
			c.Bad(at+".cooling", "%q: want air, hydro or immersion", l.Cooling)
		}
		c.cap(at+".heat", l.Heat)
		c.cap(at+".fan_power", l.FanPower)
		for name, t := range map[string]unit.Opt[unit.Temperature]{"supply": l.Supply, "hottest": l.Hottest} {
			if v, ok := t.Get(); ok && !(v >= -50 && v <= 100) {
				c.Bad(at+"."+name, "%v cannot be", v)
			}
		}
	}
	return k
}

// circle is the way round when a feeder hangs on itself, or "".
func (s *Site) circle(name string, known map[string]int) string {
	path := []string{name}
	for at := name; ; {
		i, ok := known[at]
		if !ok || s.Feeders[i].From == "" {
			return ""
		}
		at = s.Feeders[i].From
		path = append(path, at)
		if at == name {
			return strings.Join(path, " on ")
		}
		if len(path) > len(s.Feeders)+1 {
			return "" // in a circle further up, which is told there
		}
	}
}

func (s *Site) checkPlaces(c *checker, k known) {
	c.names("building", list("buildings"), len(s.Buildings), func(i int) string { return s.Buildings[i].Name })
	var where []string
	var all []*Container
	add := func(at string, cs []Container) {
		for i := range cs {
			where = append(where, at+list("containers")(i))
			all = append(all, &cs[i])
		}
	}
	add("", s.Containers)
	for i := range s.Buildings {
		b := &s.Buildings[i]
		at := list("buildings")(i)
		c.refer(at+".feeder", "feeder", b.Feeder, k.feeders)
		c.refer(at+".loop", "loop", b.Loop, k.loops)
		c.cap(at+".cap", b.Cap)
		s.checkRacks(c, k, at, b.Racks)
		add(at+".", b.Containers)
	}
	c.names("container", func(i int) string { return where[i] }, len(all), func(i int) string { return all[i].Name })
	for i, ct := range all {
		at := where[i]
		c.refer(at+".feeder", "feeder", ct.Feeder, k.feeders)
		c.refer(at+".loop", "loop", ct.Loop, k.loops)
		c.cap(at+".cap", ct.Cap)
		s.checkRacks(c, k, at, ct.Racks)
	}
}

// maxSlots bounds a rack: a tank or a shelf holds some hundreds.
const maxSlots = 10_000

func (s *Site) checkRacks(c *checker, k known, at string, racks []Rack) {
	c.names("rack", func(i int) string { return fmt.Sprintf("%s.racks[%d]", at, i) }, len(racks), func(i int) string { return racks[i].Name })
	for i := range racks {
		r := &racks[i]
		at := fmt.Sprintf("%s.racks[%d]", at, i)
		c.refer(at+".pdu", "PDU", r.PDU, k.pdus)
		c.refer(at+".feeder", "feeder", r.Feeder, k.feeders)
		c.refer(at+".loop", "loop", r.Loop, k.loops)
		if r.PDU != "" && r.Feeder != "" {
			c.Bad(at+".feeder", "a rack on a PDU is on that PDU's feeder")
		}
		if r.Slots < 1 || r.Slots > maxSlots {
			c.Bad(at+".slots", "%d: want 1 to %d", r.Slots, maxSlots)
			continue
		}
		if r.Columns < 0 || r.Columns > r.Slots {
			c.Bad(at+".columns", "%d: want up to the number of slots, %d", r.Columns, r.Slots)
		}
		if _, over := r.Addresses.at(r.Slots); over {
			c.Bad(at+".addresses", "%v has more addresses than the rack has slots, %d", r.Addresses, r.Slots)
		}
		taken := map[int]int{}
		for j, m := range r.Machines {
			at := fmt.Sprintf("%s.machines[%d]", at, j)
			if m.Slot < 1 || m.Slot > r.Slots {
				c.Bad(at+".slot", "%d: the rack has slots 1 to %d", m.Slot, r.Slots)
			} else if first, ok := taken[m.Slot]; ok {
				c.Bad(at+".slot", "%d is already machines[%d]", m.Slot, first)
			}
			taken[m.Slot] = j
			if m.MAC != "" && miner.NormalMAC(m.MAC) == "" {
				c.Bad(at+".mac", "%q is not a MAC address", m.MAC)
			}
			if m.Outlet < 0 || m.Outlet > 1000 {
				c.Bad(at+".outlet", "%d cannot be", m.Outlet)
			}
		}
	}
}
