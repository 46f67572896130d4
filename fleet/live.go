package fleet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"ballast/ledger"
	"ballast/miner"
	"ballast/telemetry"
)

// Condition is a machine's state in one word, as people and colours use it.
type Condition string

// The conditions. Off on purpose is calm; down is not.
const (
	CondHashing  Condition = "hashing"
	CondDegraded Condition = "degraded" // hashes, but less than it should or with a fault
	CondStarting Condition = "starting"
	CondSleeping Condition = "sleeping" // off on purpose
	CondDown     Condition = "down"     // answers, does not hash, and should
	CondSilent   Condition = "silent"   // does not answer
	CondLocked   Condition = "locked"   // answers, but wants a password we do not have
	CondUnknown  Condition = "unknown"  // not read yet, or cannot be read
)

// Conditions lists all, in the order to show them.
func Conditions() []Condition {
	return []Condition{CondHashing, CondDegraded, CondStarting, CondSleeping, CondDown, CondSilent, CondLocked, CondUnknown}
}

// Status is one machine, live. A Status is never changed after it was handed
// out; Rev grows with every change.
type Status struct {
	Machine    ledger.Machine
	Condition  Condition
	Since      time.Time      // of the condition
	Reading    *miner.Reading // the last good one, without its Extra (see Told); nil before the first
	LastPoll   time.Time      // last attempt
	LastAnswer time.Time
	Misses     int    // polls in a row without a good reading
	Trouble    string // why the last poll gave none
	Rev        uint64

	extras miner.Extras
}

// Told is the last good reading with all that the machine told; nil before the
// first.
func (s *Status) Told() *miner.Reading {
	if s.Reading == nil {
		return nil
	}
	r := *s.Reading
	r.Extra = s.extras.Map()
	return &r
}

// keep makes r the status's reading in as little memory as it takes: ten
// thousand of them stay for as long as Ballast runs.
func (s *Status) keep(r *miner.Reading) {
	kept := *r
	kept.Extra = nil
	s.extras = miner.PackExtras(r.Extra, s.extras)
	s.Reading = &kept
}

// Poll is one attempt at one machine and what came of it.
type Poll struct {
	Machine ledger.Machine
	Due     time.Time
	Start   time.Time
	End     time.Time
	Reading *miner.Reading // nil on failure
	Err     error
}

// Row is the poll as history keeps it.
func (p Poll) Row() telemetry.Row {
	m := p.Machine
	return telemetry.FromReading(telemetry.Poll{
		Machine: miner.ID(m.ID), Due: p.Due, At: p.End, Latency: p.End.Sub(p.Start), Err: p.Err,
		Tags: telemetry.Tags{Site: m.Site, Group: m.Group, Model: m.Model, Firmware: miner.Firmware(m.Firmware), Version: m.FirmwareVersion},
	}, p.Reading)
}

// Fleet is the live inventory of the sites that this process looks after.
type Fleet struct {
	Reach  Reach
	Record ledger.Store
	Site   string // of addresses that are in no site's ranges
	Log    *slog.Logger
	// OnPoll hears of every attempt, from many goroutines; it must not block.
	OnPoll func(Poll)
	// Verify is how often a machine is asked who it is though nothing about it is
	// suspect; 0 is a quarter of an hour.
	Verify time.Duration

	Poller    *Poller
	Commander *Commander

	mu      sync.RWMutex
	members map[miner.ID]*member
	pub     sync.Mutex // orders changes: whoever has seen rev n has seen all up to n
	rev     uint64
	laid    uint64
	moves   moves
	grounds atomic.Pointer[[]Ground]
	alike   envelopes
	addrs   sync.Map        // netip.Addr to the miner.ID that was last admitted there
	placing sync.Mutex      // one placement at a time
	moved   chan netip.Addr // addresses whose machine is not who it was
}

// member is one machine with what it takes to talk to it.
type member struct {
	id     miner.ID
	status atomic.Pointer[Status]

	mu       sync.Mutex
	device   miner.Device
	firmware miner.Firmware
	addr     netip.Addr
	keys     miner.Credentials // that device was opened with
	suspect  bool              // look who is there before believing the next reading
	verified time.Time         // when it last said who it is
	lastUp   time.Duration
	lastUpAt time.Time
	envelope miner.Envelope
	known    bool // envelope is known
	asked    time.Time
}

// New makes a fleet that polls at the given interval.
func New(reach Reach, record ledger.Store, site string, interval time.Duration, log *slog.Logger) *Fleet {
	f := &Fleet{Reach: reach, Record: record, Site: site, Log: log, members: map[miner.ID]*member{}, moved: make(chan netip.Addr, 1024)}
	f.Poller = NewPoller(interval, f.poll)
	f.Poller.Log = log
	c := NewCommander()
	c.Record, c.Log, c.Interval = record, log, interval
	c.Device, c.Envelope, c.Soon = f.device, f.Envelope, f.Poller.Soon
	f.Commander = c
	return f
}

// Run loads the record, then polls and carries out commands until ctx ends.
func (f *Fleet) Run(ctx context.Context) error {
	if err := f.LoadGrounds(ctx); err != nil {
		return err
	}
	known, err := f.Record.Machines(ctx, ledger.MachineFilter{})
	if err != nil {
		return fmt.Errorf("reading the inventory: %w", err)
	}
	sites := map[string]bool{}
	for _, m := range known {
		f.admit(m)
		sites[m.Site] = true
	}
	if err := f.settle(ctx, sites); err != nil {
		return err
	}
	if err := f.Commander.Load(ctx); err != nil {
		return err
	}
	var wg sync.WaitGroup
	wg.Go(func() { f.Poller.Run(ctx) })
	wg.Go(func() { f.Commander.Run(ctx) })
	wg.Go(func() { f.follow(ctx) })
	wg.Wait()
	f.mu.RLock()
	defer f.mu.RUnlock()
	for _, m := range f.members {
		m.mu.Lock()
		if m.device != nil {
			m.device.Close()
		}
		m.mu.Unlock()
	}
	return nil
}

// Observe writes what a scan found into the record and takes it up. It returns
// the machines that the sightings are, in order; addresses that could not be
// identified at all give a machine without ID.
func (f *Fleet) Observe(ctx context.Context, found []Found) ([]ledger.Machine, error) {
	batch := make([]ledger.Sighting, len(found))
	for i, r := range found {
		if r.Err != nil && !errors.Is(r.Err, miner.ErrDenied) {
			continue // not a miner as far as we can tell
		}
		id := r.Identity
		batch[i] = ledger.Sighting{Addr: r.Addr, MAC: id.MAC, Serial: id.Serial, Make: id.Make, Model: id.Model, Firmware: string(id.Firmware),
			FirmwareVersion: id.FirmwareVersion, Hostname: id.Hostname, Site: r.Site}
		if r.Site == "" {
			batch[i].Site, _ = f.Where(r.Addr)
		}
	}
	before := map[int64]netip.Addr{}
	for _, s := range f.All() {
		before[s.Machine.ID] = s.Machine.Addr
	}
	machines, err := f.Record.ObserveMachines(ctx, batch)
	if err != nil {
		return nil, fmt.Errorf("recording %d sightings: %w", len(batch), err)
	}
	for _, m := range machines {
		// Where a machine was is where the one it changed places with may be.
		if was, ok := before[m.ID]; ok && was.IsValid() && was != m.Addr {
			f.look(was)
		}
	}
	touched, sites := map[int64]bool{}, map[string]bool{}
	for _, m := range machines {
		if m.ID != 0 {
			touched[m.ID] = true
			sites[m.Site] = true
			f.admit(m)
		}
	}
	// Whoever lost its address to one of these is still listed with it here.
	for _, s := range f.All() {
		if touched[s.Machine.ID] || !s.Machine.Addr.IsValid() {
			continue
		}
		if slices.ContainsFunc(machines, func(m ledger.Machine) bool { return m.Addr == s.Machine.Addr && m.ID != s.Machine.ID }) {
			if now, err := f.Record.Machine(ctx, s.Machine.ID); err == nil {
				f.admit(now)
			}
		}
	}
	return machines, f.settle(ctx, sites)
}

// admit takes up a machine or its new address, firmware or name.
func (f *Fleet) admit(m ledger.Machine) {
	id := miner.ID(m.ID)
	f.mu.Lock()
	b, ok := f.members[id]
	if !ok {
		b = &member{id: id}
		f.members[id] = b
	}
	f.mu.Unlock()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.addr != m.Addr || b.firmware != miner.Firmware(m.Firmware) || b.device == nil {
		if b.device != nil {
			b.device.Close()
			b.device = nil
		}
		b.addr, b.firmware, b.known = m.Addr, miner.Firmware(m.Firmware), false
		b.lastUpAt, b.verified = time.Time{}, time.Now().Add(-rand.N(f.verify())) // spread over the interval
		if d, ok := f.Reach.driver(b.firmware); ok && m.Addr.IsValid() {
			t := f.Reach.target(m.Addr, b.firmware)
			b.device, b.keys = d.Open(t), t.Credentials
		}
	}
	if m.Addr.IsValid() && m.Retired.IsZero() {
		f.addrs.Store(m.Addr, id)
	}
	f.publish(b, func(s *Status) {
		if was := s.Machine; was.ID == 0 || was.Site != m.Site || was.Place != m.Place || was.Addr != m.Addr || was.Retired.IsZero() != m.Retired.IsZero() ||
			was.Model != m.Model || was.Firmware != m.Firmware || was.Group != m.Group {
			f.laid++
		}
		s.Machine = m
		if s.Condition == "" {
			s.Condition, s.Since = CondUnknown, time.Now()
		}
	})
	switch {
	case !m.Retired.IsZero() || !m.Addr.IsValid():
		f.Poller.Remove(id)
		if m.Retired.IsZero() {
			f.publish(b, func(s *Status) { s.become(CondSilent, time.Now()); s.Trouble = "another machine took its address" })
		}
	default:
		f.Poller.Add(id)
	}
}

// publish replaces a member's status by a changed copy.
func (f *Fleet) publish(b *member, change func(*Status)) {
	f.pub.Lock()
	defer f.pub.Unlock()
	var s Status
	if old := b.status.Load(); old != nil {
		s = *old
	}
	was := s.Machine
	change(&s)
	f.rev++
	s.Rev = f.rev
	f.moves.note(was, s.Machine, f.rev)
	b.status.Store(&s)
}

// Rev is the revision of the newest change.
func (f *Fleet) Rev() uint64 {
	f.pub.Lock()
	defer f.pub.Unlock()
	return f.rev
}

// Laid grows whenever a machine comes, goes, stands elsewhere or is of another
// kind or group: when a map of the fleet is to be drawn anew.
func (f *Fleet) Laid() uint64 {
	f.pub.Lock()
	defer f.pub.Unlock()
	return f.laid
}

func (s *Status) become(c Condition, at time.Time) {
	if s.Condition != c {
		s.Condition, s.Since = c, at
	}
}

func (f *Fleet) member(id miner.ID) (*member, bool) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	m, ok := f.members[id]
	return m, ok
}

func (f *Fleet) device(id miner.ID) (miner.Device, bool) {
	m, ok := f.member(id)
	if !ok {
		return nil, false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.device, m.device != nil
}

// Envelope is what is known now of what a machine can be set to.
func (f *Fleet) Envelope(id miner.ID) (miner.Envelope, bool) {
	m, ok := f.member(id)
	if !ok {
		return miner.Envelope{}, false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.envelope, m.known
}

// Get is one machine, live.
func (f *Fleet) Get(id miner.ID) (*Status, bool) {
	m, ok := f.member(id)
	if !ok {
		return nil, false
	}
	return m.status.Load(), true
}

// All are the machines, live, by ID.
func (f *Fleet) All() []*Status {
	f.mu.RLock()
	out := make([]*Status, 0, len(f.members))
	for _, m := range f.members {
		if s := m.status.Load(); s != nil {
			out = append(out, s)
		}
	}
	f.mu.RUnlock()
	slices.SortFunc(out, func(a, b *Status) int { return int(a.Machine.ID - b.Machine.ID) })
	return out
}

// Changed are the machines that changed after rev, in no order, and the rev to
// ask with next time.
func (f *Fleet) Changed(rev uint64) ([]*Status, uint64) {
	now := f.Rev()
	if now == rev {
		return nil, now
	}
	f.mu.RLock()
	defer f.mu.RUnlock()
	var out []*Status
	for _, m := range f.members {
		if s := m.status.Load(); s != nil && s.Rev > rev {
			out = append(out, s)
		}
	}
	return out, now
}

// Renew reads machines again from the record after an operator's edit.
func (f *Fleet) Renew(ctx context.Context, ids []int64) error {
	sites := map[string]bool{}
	if len(ids) > 50 { // one query for all is cheaper
		all, err := f.Record.Machines(ctx, ledger.MachineFilter{})
		if err != nil {
			return err
		}
		want := make(map[int64]bool, len(ids))
		for _, id := range ids {
			want[id] = true
		}
		for _, m := range all {
			if want[m.ID] {
				f.admit(m)
				sites[m.Site] = true
				delete(want, m.ID)
			}
		}
		ids = slices.Collect(maps.Keys(want))
	}
	for _, id := range ids {
		m, err := f.Record.Machine(ctx, id)
		if err != nil {
			return err
		}
		f.admit(m)
		sites[m.Site] = true
	}
	if len(ids) > 0 {
		f.Rekey() // a password may be meant for their group
	}
	return f.settle(ctx, sites)
}
