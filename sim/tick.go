package sim

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
	"time"

	"ballast/miner"
	"ballast/unit"
)

// siteClock is simulated time: standing until moved, or running at a multiple of
// the wall clock.
type siteClock struct {
	mu      sync.Mutex
	base    int64     // simulated
	wall    time.Time // when base was
	speed   float64
	running bool
}

func (c *siteClock) now() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.running {
		return c.base
	}
	return c.base + int64(float64(time.Since(c.wall))*c.speed)
}

// set changes the clock's pace, or moves it on by skip.
func (c *siteClock) set(running bool, speed float64, skip time.Duration) {
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.base, c.wall, c.running, c.speed = now+int64(skip), time.Now(), running, speed
}

func (c *siteClock) pace() (speed float64, running bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.speed, c.running
}

// Now is the simulated time.
func (s *Site) Now() time.Time { return unixUTC(s.clock.now()) }

// Advance moves simulated time on by d, as fast as the processor can, in ticks
// of Config.Tick. While the site serves, its clock jumps ahead by d.
func (s *Site) Advance(d time.Duration) {
	speed, running := s.clock.pace()
	s.mu.Lock()
	defer s.mu.Unlock()
	end := s.clock.now() + int64(d)
	for s.at < end {
		t := min(end, s.at+int64(s.cfg.Tick))
		if !running {
			s.clock.set(false, speed, time.Duration(t-s.at))
		}
		s.tick(t)
	}
	if running {
		s.clock.set(true, speed, d)
	}
}

// slip lets a running clock go on from at: its past could not be kept up with.
func (c *siteClock) slip(at int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.base, c.wall = at, time.Now()
}

// catchUp moves the site's machines to the running clock, in ticks of h. When
// that takes too long, simulated time waits.
func (s *Site) catchUp(h time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	begin := time.Now()
	for now := s.clock.now(); s.at+int64(h) <= now; {
		s.tick(s.at + int64(h))
		if time.Since(begin) > busiest {
			s.clock.slip(s.at)
			return
		}
	}
}

// busiest is how long the machines are moved at a stretch, so that the control
// API gets its turn.
const busiest = 300 * time.Millisecond

// tick moves everything to the time to. The lock is held.
func (s *Site) tick(to int64) {
	h := seconds(to - s.at)
	w := s.weather(to)
	for i := range s.zones {
		s.zones[i].step(w, h)
	}
	s.expire(to)
	s.logMu.Lock()
	from := len(s.events)
	s.logMu.Unlock()
	s.moveRigs(to)
	s.logMu.Lock()
	from = min(from, len(s.events)) // the log may have been cut
	slices.SortStableFunc(s.events[from:], func(a, b Event) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Rig, b.Rig))
	})
	s.logMu.Unlock()
	s.sum()
	for i := range s.pdus {
		s.pdus[i].energy += s.pdus[i].power * h
	}
	for i := range s.zones {
		s.zones[i].energy += (s.zones[i].power + s.zones[i].aux) * h
	}
	for i := range s.feeders {
		s.feeders[i].energy += s.feeders[i].power * h
	}
	s.protect(to, h)
	if hour := int64(time.Hour); to/hour != s.at/hour {
		s.shocks(to)
		s.reclose(to)
		s.work(to)
	}
	s.at = to
}

// moveRigs brings every rig to the time to, in its surroundings. Rigs depend on
// each other only through what the site sums up afterwards, so they can be
// moved side by side.
func (s *Site) moveRigs(to int64) {
	volts := make([]float64, len(s.feeders))
	for i := range s.feeders {
		volts[i] = s.mains(&s.feeders[i], to)
	}
	move := func(nodes []node) {
		for i := range nodes {
			nd := &nodes[i]
			nd.move(s.surround(nd, volts), to)
		}
	}
	const worth = 512 // rigs that a goroutine is worth
	workers := min(runtime.GOMAXPROCS(0), len(s.nodes)/worth)
	if workers < 2 {
		move(s.nodes)
		return
	}
	var wg sync.WaitGroup
	size := (len(s.nodes) + workers - 1) / workers
	for part := range slices.Chunk(s.nodes, size) {
		wg.Go(func() { move(part) })
	}
	wg.Wait()
}

// move brings the rig to the time to.
func (nd *node) move(env surroundings, to int64) {
	r := nd.rig
	r.mu.Lock()
	defer r.mu.Unlock()
	// A long tick ends in balance anyway.
	if to-r.body.t < nanos(600) && (abs(env.inlet-r.env.inlet) > 2 || abs(env.flow-r.env.flow) > 0.02) {
		r.body.settled = false
	}
	r.env = env
	r.surroundings(&r.body)
	r.forward(to)
	nd.report()
}

// report notes what the rest of the site needs to know of the rig, whose lock is
// held.
func (nd *node) report() {
	r := nd.rig
	nd.phase, nd.power, nd.heat = r.body.phase, r.body.wall, r.body.wall
	if r.design.cooling != miner.Air {
		nd.heat = r.body.heat
	}
	nd.air = r.design.carry * r.body.duty * r.effects.airflow
}

// around is what the node's place gives it at a time.
func (s *Site) around(nd *node, at int64) surroundings {
	volts := make([]float64, len(s.feeders))
	for i := range s.feeders {
		volts[i] = s.mains(&s.feeders[i], at)
	}
	return s.surround(nd, volts)
}

func (s *Site) surround(nd *node, volts []float64) surroundings {
	z, p := &s.zones[nd.zone], &s.pdus[nd.pdu]
	env := surroundings{inlet: z.supply + z.slotAir(nd.level) + nd.offset, flow: z.flow, dust: z.dusty}
	env.ambient = env.inlet
	if z.liquid() {
		env.inlet = z.supply
		env.ambient = max(float64(s.lastAir)+4, 15)
	}
	env.mains = volts[z.feeder] * (1 - z.brown)
	dead := s.feeders[z.feeder].breaker.open || z.open > 0 || p.breaker.open || p.held > 0 || !p.outlets[nd.outlet]
	if dead || env.mains < dropOut {
		env.mains = 0
	}
	return env
}

// sum adds up what the machines draw.
func (s *Site) sum() {
	for i := range s.pdus {
		s.pdus[i].power = 0
	}
	for i := range s.zones {
		z := &s.zones[i]
		z.power, z.heat, z.air = 0, 0, 0
	}
	for i := range s.nodes {
		nd := &s.nodes[i]
		s.pdus[nd.pdu].power += nd.power
		z := &s.zones[nd.zone]
		z.power += nd.power
		z.heat += nd.heat
		z.air += nd.air
	}
	for i := range s.feeders {
		f := &s.feeders[i]
		f.power = 0
		for _, z := range f.zones {
			f.power += s.zones[z].power + s.zones[z].aux
		}
	}
}

// weather is the air outside at a time, heat waves on demand included.
func (s *Site) weather(at int64) Weather {
	w := s.climate.At(s.cfg.Seed, unixUTC(at))
	w.Temperature += unit.Temperature(s.hot)
	s.lastAir = w.Temperature
	return w
}

// shocks are what hits many machines at once, hour by hour: surges of a PDU or
// a feeder, failing container fans, dust.
func (s *Site) shocks(at int64) {
	if s.cfg.Pristine {
		return
	}
	hour := at / int64(time.Hour)
	chance := func(what, place int64, perYear float64) bool {
		return uniform(s.cfg.Seed+uint64(place)<<20+uint64(what), drawShock, hour) < perYear/hoursPerYear
	}
	for i := range s.pdus {
		if chance(1, int64(i), 0.25) {
			s.hit(s.pdus[i].name, "voltage surge on a PDU", s.pdus[i].first, len(s.pdus[i].outlets), span(s.cfg.Seed+uint64(i), drawShock, -hour, 0.3, 2))
		}
	}
	for i := range s.zones {
		z := &s.zones[i]
		if chance(2, int64(i), 0.15) {
			s.hit(z.name, "lightning on a feeder", z.first, z.count, span(s.cfg.Seed+uint64(i), drawShock, -hour-1, 0.2, 1))
		}
		if chance(3, int64(i), 0.4) {
			long := time.Duration(span(s.cfg.Seed+uint64(i), drawShock, -hour-2, 3, 24) * float64(time.Hour))
			left := span(s.cfg.Seed+uint64(i), drawShock, -hour-3, 0.35, 0.8)
			s.lastID++
			f := Fault{ID: s.lastID, Kind: FaultFanWall, Rig: -1, Container: z.name, Amount: left, Since: unixUTC(at), Until: unixUTC(at + int64(long))}
			s.faults = append(s.faults, f)
			s.applyZones()
			s.record(Event{At: unixUTC(at), Kind: EventShock, Rig: -1, Place: z.name, Detail: "container fans fail"})
		}
		// Harvest and storms: a week of five times the dust, once a year.
		week := hour / (7 * 24)
		z.dusty = 1
		if uniform(s.cfg.Seed+uint64(i/4), drawShock, -week*7919) < 1.0/52 {
			z.dusty = 5
		}
	}
}

func (s *Site) hit(place, what string, first, count int, strength float64) {
	s.record(Event{At: unixUTC(s.at), Kind: EventShock, Rig: -1, Place: place, Detail: what})
	for i := range count {
		r := s.nodes[first+i].rig
		r.mu.Lock()
		if r.env.mains > 0 {
			r.surge(strength)
		}
		r.mu.Unlock()
	}
}
