package sim

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"ballast/miner"
	"ballast/unit"
)

// Config is what a site is made from. The zero value of every field means its
// default.
type Config struct {
	Machines int          // 100
	Mix      *Mix         // the built-in one
	Seed     uint64       // of everything random
	Network  netip.Prefix // of the machines: 127.20.0.0/16
	Scatter  bool         // addresses at random in Network, instead of one after another
	Start    time.Time    // simulated time at the beginning: now
	Speed    float64      // simulated seconds per second while serving: 1
	Climate  *Climate     // WestTexas

	Control string            // address of the control API, loopback: none
	Ports   map[uint16]uint16 // well-known port to the one to listen on instead
	Silent  []netip.Prefix    // addresses that swallow packets instead of refusing; see silence.go
	Hush    bool              // all addresses of Network without a machine do
	Shared  Sharing           // of listeners: automatic

	Pristine     bool          // nothing ages or breaks of its own accord
	Crew         Crew          // who repairs
	Tick         time.Duration // of Advance, at most an hour: 1 min
	PerContainer int           // machines: 200
	Log          *slog.Logger  // slog.Default
}

// Crew is who repairs what broke.
type Crew struct {
	Off    bool          // nobody
	Delay  time.Duration // from a machine's trouble to a hand on it, median: 36 h
	PerDay int           // machines that the crew can see to in a day: 10, the figure published for one technician
}

// Sharing says how machines share listeners.
type Sharing string

// The ways to listen.
const (
	ShareAuto Sharing = ""       // own while open files last
	ShareNone Sharing = "own"    // a listener for every address and port
	ShareAll  Sharing = "shared" // one listener for every port
)

// Errors of making a site.
var (
	ErrConfig   = errors.New("the site cannot be made")
	ErrNetwork  = errors.New("the network is too small")
	ErrDialects = errors.New("no dialect for this firmware")
)

// Site is a mining site that does not exist. Its methods are safe for
// concurrent use.
//
// Machines are moved by ticks: on the wall clock while the site serves, or by
// Advance. Between ticks every rig still answers for its very instant.
type Site struct {
	cfg     Config
	log     *slog.Logger
	climate Climate

	mu      sync.Mutex // guards what follows, and orders ticks; taken before any rig's
	nodes   []node
	zones   []zone
	pdus    []pdu
	feeders []feeder
	at      int64            // simulated, of the last tick
	hot     float64          // K of heat wave on demand
	lastAir unit.Temperature // outside, at the last tick
	faults  []Fault
	lastID  int64
	orders  []Order
	open    map[int]int // rig to its open order
	clock   siteClock

	logMu     sync.Mutex
	events    []Event
	forgotten int // events dropped from the front

	who     atomic.Pointer[map[netip.Addr]int] // which rig answers at an address
	gear    map[netip.AddrPort]func(context.Context, net.Conn)
	reserve []netip.Addr // for gear, taken from the end of the network
	wire    wires
}

// node is a rig in its place.
type node struct {
	rig     *Rig
	dialect Dialect
	ports   []uint16
	addr    netip.Addr // now
	zone    int
	rack    int // in the zone
	slot    int // in the rack
	level   int // of the slot, from the floor
	pdu     int
	outlet  int
	offset  float64 // K, of this slot's air
	phase   Phase   // at the last tick, as what follows
	power   float64 // W at the wall
	heat    float64 // W into air or coolant
	air     float64 // W/K that its fans move
	sick    int64   // since when it needs a hand; 0 not
	well    int     // hours since it last showed trouble
	quiet   bool    // the listeners know that it is silent
	line    line
}

const (
	rackSize   = 20
	rackLevels = 5
)

// New makes a site whose machines speak the given dialects. Without a Mix, the
// built-in one is cut down to the firmwares there are dialects for.
func New(cfg Config, dialects []Dialect) (*Site, error) {
	if err := cfg.fill(); err != nil {
		return nil, err
	}
	by := map[miner.Firmware]Dialect{}
	for _, d := range dialects {
		by[d.Firmware()] = d
	}
	mix := cfg.Mix
	if mix == nil {
		all := DefaultMix()
		cut := all.only(func(f miner.Firmware) bool { return by[f] != nil || len(dialects) == 0 })
		mix = &cut
	}
	if err := mix.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	for _, g := range mix.Groups {
		if by[g.Firmware] == nil && len(dialects) > 0 {
			return nil, fmt.Errorf("%w: %s: %w", ErrConfig, g.Firmware, ErrDialects)
		}
	}
	s := &Site{cfg: cfg, log: cfg.Log, climate: *cfg.Climate, open: map[int]int{}, gear: map[netip.AddrPort]func(context.Context, net.Conn){}}
	s.at = cfg.Start.UnixNano()
	s.clock.base, s.clock.speed = s.at, cfg.Speed
	if err := s.populate(*mix, by); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	s.settle()
	return s, nil
}

func (c *Config) fill() error {
	if c.Machines == 0 {
		c.Machines = 100
	}
	if c.Machines < 0 || c.Machines > 1<<20 {
		return fmt.Errorf("%w: %d machines", ErrConfig, c.Machines)
	}
	if !c.Network.IsValid() {
		c.Network = netip.MustParsePrefix("127.20.0.0/16")
	}
	c.Network = c.Network.Masked()
	if !c.Network.Addr().Is4() {
		return fmt.Errorf("%w: network %s is not IPv4", ErrConfig, c.Network)
	}
	if c.Start.IsZero() {
		c.Start = time.Now()
	}
	c.Start = c.Start.UTC().Truncate(time.Second)
	if c.Speed == 0 {
		c.Speed = 1
	}
	if !(c.Speed > 0 && c.Speed <= 100_000) {
		return fmt.Errorf("%w: speed %v: more than 0, at most 100000", ErrConfig, c.Speed)
	}
	if c.Climate == nil {
		c.Climate = new(WestTexas)
	}
	if c.Tick == 0 {
		c.Tick = time.Minute
	}
	if c.Tick < time.Second || c.Tick > time.Hour {
		return fmt.Errorf("%w: tick %v: 1s to 1h", ErrConfig, c.Tick)
	}
	if c.PerContainer == 0 {
		c.PerContainer = 200
	}
	if c.PerContainer < 1 {
		return fmt.Errorf("%w: %d machines in a container", ErrConfig, c.PerContainer)
	}
	if c.Crew.Delay == 0 {
		c.Crew.Delay = 36 * time.Hour
	}
	if c.Crew.PerDay == 0 {
		c.Crew.PerDay = 10
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
	switch c.Shared {
	case ShareAuto, ShareNone, ShareAll:
	default:
		return fmt.Errorf("%w: sharing %q: own or shared", ErrConfig, c.Shared)
	}
	return nil
}

// populate builds the machines and the place around them.
func (s *Site) populate(mix Mix, by map[miner.Firmware]Dialect) error {
	addrs, reserve, err := addresses(s.cfg)
	if err != nil {
		return err
	}
	s.reserve = reserve
	n := 0
	s.nodes = make([]node, s.cfg.Machines)
	// Machines of one cooling stand together, and of one model side by side.
	for _, cooling := range []miner.Cooling{miner.Air, miner.Hydro, miner.Immersion} {
		first := n
		for gi, count := range mix.counts(s.cfg.Machines) {
			g := &mix.Groups[gi]
			if c := g.model.Cooling; c != cooling && (c != "" || cooling != miner.Air) {
				continue
			}
			for range count {
				s.place(n, g, gi, addrs[n], by[g.Firmware])
				n++
			}
		}
		s.layOut(cooling, first, n)
	}
	s.wireUp()
	for i := range s.zones {
		z := &s.zones[i]
		rigs := make([]*Rig, 0, z.count)
		for j := range z.count {
			rigs = append(rigs, s.nodes[z.first+j].rig)
		}
		z.size(rigs)
	}
	s.index()
	return nil
}

// place makes machine n of a group.
func (s *Site) place(n int, g *Group, group int, addr netip.Addr, d Dialect) {
	seed := mix(s.cfg.Seed ^ mix(uint64(n)+1))
	spec := Spec{
		Addr: addr, Model: g.model, Firmware: g.Firmware, Version: g.Version, User: g.User, Password: g.Password, Seed: seed,
		Serial: serialOf(seed, g.model), MAC: macOf(seed), Hostname: fmt.Sprintf("%s-%04x", g.Firmware, seed&0xffff),
		WriteLock: uniform(seed, drawSerial, 7) < g.Locked,
	}
	r := newRig(spec, s.Now)
	r.home = true
	r.log = func(e Event) { e.Rig = n; s.record(e) }
	if !s.cfg.Pristine {
		// Lots of a hundred machines came off one line.
		lot := mix(s.cfg.Seed + uint64(group)<<32 + uint64(n/100))
		r.build(float64(g.Age)*span(seed, drawPlace, 3, 0.7, 1.3), lot)
	}
	nd := &s.nodes[n]
	*nd = node{rig: r, dialect: d, addr: addr, offset: 0.4 * gauss(seed, drawPlace, 4), phase: PhaseHashing}
	if d != nil {
		nd.listenOn(d.Ports(r.spec))
	}
}

// listenOn says what well-known ports the machine has from now on.
func (nd *node) listenOn(ports []uint16) {
	nd.ports = ports
	nd.line.ports.Store(&ports)
}

// layOut puts machines first to end into containers of their cooling.
func (s *Site) layOut(cooling miner.Cooling, first, end int) {
	for first < end {
		count := min(s.cfg.PerContainer, end-first)
		zi := len(s.zones)
		z := zone{name: fmt.Sprintf("C%02d", zi+1), cooling: cooling, first: first, count: count, height: rackLevels}
		for i := range count {
			nd := &s.nodes[first+i]
			nd.zone, nd.rack, nd.slot = zi, i/rackSize, i%rackSize
			nd.level = nd.slot * rackLevels / rackSize
			if nd.slot == 0 {
				z.pdus = append(z.pdus, len(s.pdus))
				s.pdus = append(s.pdus, pdu{name: fmt.Sprintf("%s-P%02d", z.name, nd.rack+1), zone: zi, first: first + i})
			}
			p := &s.pdus[len(s.pdus)-1]
			nd.pdu, nd.outlet = len(s.pdus)-1, len(p.outlets)
			p.outlets = append(p.outlets, true)
			p.cap += nd.rig.design.wall
		}
		s.zones = append(s.zones, z)
		first += count
	}
}

// wireUp gives every two containers a feeder, and every part its rating.
func (s *Site) wireUp() {
	for i := range s.pdus {
		s.pdus[i].cap *= 1.15
		s.pdus[i].breaker.rating = s.pdus[i].cap * 1.05
	}
	for i := range s.zones {
		if i%2 == 0 {
			s.feeders = append(s.feeders, feeder{name: fmt.Sprintf("F%02d", i/2+1)})
		}
		fi := len(s.feeders) - 1
		f := &s.feeders[fi]
		s.zones[i].feeder = fi
		f.zones = append(f.zones, i)
		for _, p := range s.zones[i].pdus {
			f.cap += s.pdus[p].cap
		}
	}
	for i := range s.feeders {
		s.feeders[i].breaker.rating = s.feeders[i].cap * 1.1
	}
}

// settle lets the place and its machines find their balance before the clock
// starts, as if they had run for days.
func (s *Site) settle() {
	for i := range s.zones {
		z := &s.zones[i]
		z.heat, z.air = z.nominal*0.95, z.carry*nominalDuty
		z.step(s.weather(s.at), 6*3600)
	}
	for i := range s.nodes {
		nd := &s.nodes[i]
		r := nd.rig
		r.env = s.around(nd, s.at)
		up := time.Duration(span(r.seed, drawPlace, 5, 2, 500) * float64(time.Hour))
		ran := min(up-time.Minute, time.Duration(span(r.seed, drawPlace, 6, 1, 150)*float64(time.Hour)))
		r.body.t = s.at
		r.warm(ran, up)
		nd.report()
	}
	s.sum()
}

// Machines is how many there are.
func (s *Site) Machines() int { return len(s.nodes) }

// Rig is machine i, or nil.
func (s *Site) Rig(i int) *Rig {
	if i < 0 || i >= len(s.nodes) {
		return nil
	}
	return s.nodes[i].rig
}

// Addr is the address at which machine i answers now.
func (s *Site) Addr(i int) netip.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nodes[i].addr
}

// At is the machine that answers at an address now.
func (s *Site) At(a netip.Addr) (int, bool) {
	i, ok := (*s.who.Load())[a]
	return i, ok
}

// index rebuilds the map from addresses to machines.
func (s *Site) index() {
	m := make(map[netip.Addr]int, len(s.nodes))
	for i := range s.nodes {
		m[s.nodes[i].addr] = i
	}
	s.who.Store(&m)
}

// maxEvents bounds the truth log; the oldest go first.
const maxEvents = 1 << 20

func (s *Site) record(e Event) {
	s.logMu.Lock()
	if len(s.events) >= maxEvents {
		s.events = slices.Delete(s.events, 0, maxEvents/4)
		s.forgotten += maxEvents / 4
	}
	s.events = append(s.events, e)
	s.logMu.Unlock()
}

func macOf(seed uint64) string {
	x := draw(seed, drawSerial, 1)
	// A locally administered prefix: no vendor's machine has it.
	return fmt.Sprintf("02:%02x:%02x:%02x:%02x:%02x", byte(x), byte(x>>8), byte(x>>16), byte(x>>24), byte(x>>32))
}

func serialOf(seed uint64, m miner.Model) string {
	const letters = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"
	prefix := "SIM"
	switch m.Make {
	case "Bitmain":
		prefix = "HTF"
	case "MicroBT":
		prefix = "HHM"
	case "Canaan":
		prefix = "CAN"
	}
	out := []byte(prefix)
	for i := range 14 {
		out = append(out, letters[draw(seed, drawSerial, int64(i)+16)%uint64(len(letters))])
	}
	return string(out)
}

// nominalPower is the sum of nameplates.
func (s *Site) nominalPower() unit.Power {
	sum := 0.0
	for i := range s.zones {
		sum += s.zones[i].nominal
	}
	return unit.Power(sum)
}
