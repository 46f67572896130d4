package sim

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// Inject lets a fault happen. Which fields count is told by FaultKinds. A fault
// of a part or of the wire whose Rig is -1 falls on every machine of Container,
// or of the whole site when that is empty. It returns the faults as they stand
// now, one for each machine or place hit; acts that cannot be cleared (a
// reboot, an upgrade) have ID 0.
func (s *Site) Inject(f Fault) ([]Fault, error) {
	info, err := infoOf(f.Kind)
	if err != nil {
		return nil, err
	}
	if err := f.check(info); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f.Since = s.Now()
	switch info.Scope {
	case ScopeContainer, ScopeSite:
		return s.injectPlace(f, info.Scope)
	}
	rigs, err := s.chosen(f.Rig, f.Container)
	if err != nil {
		return nil, err
	}
	var out []Fault
	for _, i := range rigs {
		g := f
		g.Rig, g.Container = i, ""
		if err := s.injectRig(&g, info.Scope); err != nil {
			return out, fmt.Errorf("rig %d: %w", i, err)
		}
		s.record(Event{At: g.Since, Kind: EventInject, Rig: i, Index: g.Index, Detail: string(g.Kind)})
		out = append(out, g)
	}
	s.wire.changed()
	return out, nil
}

// chosen lists the rigs that a request names.
func (s *Site) chosen(rig int, container string) ([]int, error) {
	if rig >= len(s.nodes) || rig < -1 {
		return nil, fmt.Errorf("rig %d: %w: 0 to %d, or -1 for all", rig, ErrNoRig, len(s.nodes)-1)
	}
	if rig >= 0 {
		return []int{rig}, nil
	}
	first, count := 0, len(s.nodes)
	if container != "" {
		z := s.zoneOf(container)
		if z == nil {
			return nil, fmt.Errorf("%q: %w", container, ErrNoPlace)
		}
		first, count = z.first, z.count
	}
	out := make([]int, count)
	for i := range out {
		out[i] = first + i
	}
	return out, nil
}

func (s *Site) zoneOf(name string) *zone {
	for i := range s.zones {
		if s.zones[i].name == name {
			return &s.zones[i]
		}
	}
	return nil
}

func (s *Site) injectRig(f *Fault, scope Scope) error {
	nd := &s.nodes[f.Rig]
	r := nd.rig
	keep := func() {
		s.lastID++
		f.ID = s.lastID
		s.faults = append(s.faults, *f)
	}
	switch scope {
	case ScopeWire:
		if nd.line.fault.Load() != nil {
			s.drop(func(o Fault) bool { return o.Rig == f.Rig && isWire(o.Kind) })
		}
		keep()
		nd.line.fault.Store(&wireFault{kind: f.Kind, amount: f.Amount})
		return nil
	case ScopeAct:
		if f.Kind == FaultPassword || f.Kind == FaultWriteLock {
			s.drop(func(o Fault) bool { return o.Rig == f.Rig && o.Kind == f.Kind })
			was, err := s.act(nd, f)
			if err != nil {
				return err
			}
			f.undo = was
			keep()
			return nil
		}
		_, err := s.act(nd, f)
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	s.lastID++
	f.ID = s.lastID
	if now := s.clock.now(); now > r.body.t {
		r.forward(now)
	}
	if err := r.inject(*f); err != nil {
		f.ID = 0
		return err
	}
	s.faults = append(s.faults, *f)
	r.complain()
	return nil
}

// act does what is done at once, and returns how to undo it.
func (s *Site) act(nd *node, f *Fault) (undo string, err error) {
	r := nd.rig
	switch f.Kind {
	case FaultReboot:
		return "", r.Do(Action{Kind: DoReboot})
	case FaultRestart:
		return "", r.Do(Action{Kind: DoRestart})
	case FaultSwap:
		other, err := s.find(f.Text)
		if err != nil {
			return "", fmt.Errorf("text must name the other rig: %w", err)
		}
		if other == f.Rig {
			return "", fmt.Errorf("%w: a rig cannot swap with itself", ErrFault)
		}
		s.swap(nd, &s.nodes[other])
		return "", nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch f.Kind {
	case FaultPassword:
		undo = r.spec.Password
		if f.Text == "" {
			f.Text = "changed"
		}
		r.spec.Password = f.Text
		r.memo = nil
	case FaultWriteLock:
		undo = strconv.FormatBool(r.spec.WriteLock)
		r.spec.WriteLock = true
	case FaultUpgrade:
		if f.Text == "" {
			return "", fmt.Errorf("%w: text must be the new version", ErrFault)
		}
		r.spec.Version = f.Text
		r.memo = nil
		if nd.dialect != nil {
			nd.listenOn(nd.dialect.Ports(r.spec))
		}
		if now := s.clock.now(); now > r.body.t {
			r.forward(now)
		}
		r.boot(&r.body)
	}
	s.record(Event{At: f.Since, Kind: EventIdentity, Rig: f.Rig, Detail: string(f.Kind)})
	return undo, nil
}

// swap lets two machines exchange their addresses, as new leases do.
func (s *Site) swap(a, b *node) {
	a.addr, b.addr = b.addr, a.addr
	for _, nd := range []*node{a, b} {
		nd.rig.mu.Lock()
		nd.rig.spec.Addr = nd.addr
		nd.rig.mu.Unlock()
		nd.line.moves.Add(1)
		s.record(Event{At: s.Now(), Kind: EventIdentity, Rig: (*s.who.Load())[nd.addr], Detail: "address given away"})
	}
	s.index()
}

// injectPlace adds a fault of a container or of the site.
func (s *Site) injectPlace(f Fault, scope Scope) ([]Fault, error) {
	f.Rig = -1
	if scope == ScopeSite {
		f.Container = ""
	} else {
		z := s.zoneOf(f.Container)
		if z == nil {
			return nil, fmt.Errorf("%s falls on a container: %q: %w", f.Kind, f.Container, ErrNoPlace)
		}
		if f.Kind == FaultPDUTrip && (f.Index < 0 || f.Index >= len(z.pdus)) {
			return nil, fmt.Errorf("%s: PDU %d: %w: 0 to %d", f.Kind, f.Index, ErrOutOfRange, len(z.pdus)-1)
		}
		if f.Kind == FaultPump && !z.liquid() {
			return nil, fmt.Errorf("%s: %w: %s is cooled by air", f.Kind, ErrFault, z.name)
		}
		if f.Kind == FaultSurge {
			s.record(Event{At: f.Since, Kind: EventInject, Rig: -1, Place: z.name, Detail: string(f.Kind)})
			s.hit(z.name, "voltage surge on demand", z.first, z.count, f.Amount)
			return []Fault{f}, nil
		}
	}
	s.lastID++
	f.ID = s.lastID
	s.faults = append(s.faults, f)
	s.applyZones()
	s.record(Event{At: f.Since, Kind: EventInject, Rig: -1, Place: f.Container, Index: f.Index, Detail: string(f.Kind)})
	// The place changes now, not at the next tick.
	s.moveRigs(max(s.clock.now(), s.at))
	s.wire.changed()
	return []Fault{f}, nil
}

// applyZones works out what all faults of places together do.
func (s *Site) applyZones() {
	s.hot = 0
	for i := range s.zones {
		z := &s.zones[i]
		z.fansLeft, z.pumpLeft, z.brown, z.open, z.cut = 1, 1, 0, 0, false
	}
	for i := range s.pdus {
		s.pdus[i].held = 0
	}
	for _, f := range s.faults {
		if f.Kind == FaultHeatWave {
			s.hot += f.Amount
			continue
		}
		z := s.zoneOf(f.Container)
		if z == nil {
			continue
		}
		switch f.Kind {
		case FaultTrip:
			z.open++
		case FaultPDUTrip:
			s.pdus[z.pdus[f.Index]].held++
		case FaultFanWall:
			z.fansLeft *= f.Amount
		case FaultPump:
			z.pumpLeft *= f.Amount
		case FaultBrownout:
			z.brown += f.Amount
		case FaultNetworkOut:
			z.cut = true
		}
	}
	for i := range s.nodes {
		s.nodes[i].line.cut.Store(s.zones[s.nodes[i].zone].cut)
	}
}

// Clear ends the injected faults that match: by ID, or by kind, rig and
// container where given (kind "" and rig -1 match all). It returns how many.
func (s *Site) Clear(id int64, kind FaultKind, rig int, container string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	var first, count int
	if z := s.zoneOf(container); z != nil {
		first, count = z.first, z.count
	}
	n := s.drop(func(f Fault) bool {
		if id != 0 {
			return f.ID == id
		}
		in := container == "" || f.Container == container || f.Rig >= first && f.Rig < first+count
		return (kind == "" || f.Kind == kind) && (rig < 0 || f.Rig == rig) && in
	})
	if n > 0 {
		s.moveRigs(max(s.clock.now(), s.at))
		s.wire.changed()
	}
	return n
}

// expire ends the faults whose time is over.
func (s *Site) expire(to int64) {
	now := unixUTC(to)
	if s.drop(func(f Fault) bool { return !f.Until.IsZero() && !f.Until.After(now) }) > 0 {
		s.wire.changed()
	}
}

// drop ends the faults that gone picks.
func (s *Site) drop(gone func(Fault) bool) int {
	var out []Fault
	s.faults = slices.DeleteFunc(s.faults, func(f Fault) bool {
		if gone(f) {
			out = append(out, f)
			return true
		}
		return false
	})
	if len(out) == 0 {
		return 0
	}
	for _, f := range out {
		s.record(Event{At: s.Now(), Kind: EventClear, Rig: f.Rig, Place: f.Container, Index: f.Index, Detail: string(f.Kind)})
		if f.Rig < 0 {
			continue
		}
		nd := &s.nodes[f.Rig]
		if isWire(f.Kind) {
			nd.line.fault.Store(nil)
			continue
		}
		r := nd.rig
		r.mu.Lock()
		if now := s.clock.now(); now > r.body.t {
			r.forward(now)
		}
		switch f.Kind {
		case FaultPassword:
			r.spec.Password = f.undo
			r.memo = nil
		case FaultWriteLock:
			r.spec.WriteLock = f.undo == "true"
		default:
			r.clear(func(o Fault) bool { return o.ID == f.ID })
		}
		r.mu.Unlock()
	}
	s.applyZones()
	return len(out)
}

// Faults are the injected faults in force.
func (s *Site) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.faults)
}

// Find looks a rig up by number, address, MAC, serial or hostname.
func (s *Site) Find(text string) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.find(text)
}

func (s *Site) find(text string) (int, error) {
	if n, err := strconv.Atoi(text); err == nil {
		if n < 0 || n >= len(s.nodes) {
			return 0, fmt.Errorf("rig %d: %w: 0 to %d", n, ErrNoRig, len(s.nodes)-1)
		}
		return n, nil
	}
	if a, err := netip.ParseAddr(text); err == nil {
		if i, ok := (*s.who.Load())[a]; ok {
			return i, nil
		}
		return 0, fmt.Errorf("%s: %w", text, ErrNoRig)
	}
	for i := range s.nodes {
		sp := &s.nodes[i].rig.spec // names never change
		if text == sp.MAC || text == sp.Serial || text == sp.Hostname {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%q: %w: give a number, address, MAC, serial or hostname", text, ErrNoRig)
}

// SetSpeed changes the pace of the running clock.
func (s *Site) SetSpeed(speed float64) error {
	if !(speed > 0 && speed <= 100_000) {
		return fmt.Errorf("speed %v: %w: more than 0, at most 100000", speed, ErrOutOfRange)
	}
	_, running := s.clock.pace()
	s.clock.set(running, speed, 0)
	return nil
}

// tickFor is how long a tick of the serving site is: ten seconds, or what a
// second of the wall clock is when time runs faster.
func tickFor(speed float64) time.Duration {
	return min(max(time.Duration(speed*float64(time.Second)).Truncate(time.Second), 10*time.Second), 10*time.Minute)
}

func isWire(k FaultKind) bool {
	info, err := infoOf(k)
	return err == nil && info.Scope == ScopeWire
}
