package sim

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"ballast/miner"
	"ballast/unit"
)

// Rig is one simulated machine. Its methods are safe for concurrent use.
//
// A rig lives by its clock but moves only when somebody looks: what it has
// become by a full ten seconds is committed, the rest up to the present is
// worked out on a copy. So looking at it is free of consequences, and a rig
// that nobody asks costs nothing.
type Rig struct {
	clock    func() time.Time
	seed     uint64
	model    miner.Model
	firmware miner.Firmware
	design   design
	grade    grade
	alone    bool // one missing board stops it
	// home is set while a site moves the rig: then it is committed by the
	// site's ticks and not by looks.
	home bool

	mu         sync.Mutex
	spec       Spec
	tempo      tempo
	memo       map[string]any
	want       setting
	env        surroundings
	effects    effects
	body       body
	difficulty float64
	locating   bool
	pools      []PoolSnapshot
	complaints []miner.Fault // of the firmware, as of the last commit
	injected   []Fault
	parts      *parts // latent health; nil when the rig does not age
	log        func(Event)
	stopWhy    miner.Code // of the last stop in the log
	stopped    int64      // and when
}

// setting is what the rig was told to do.
type setting struct {
	mode     string
	profile  string
	target   unit.Power
	percent  float64
	ratio    float64 // relative clock of mode, profile or target
	limit    float64 // W to hold at the wall; 0 holds the clock
	boards   [maxBoards]bool
	fastBoot bool
	upfreq   unit.Opt[int]
}

// grid is the period of simulated time at whose multiples rigs are committed.
const grid = int64(10 * time.Second)

// NewRig makes a rig that runs on clock (nil is the wall clock). It has been
// hashing for an hour, is warm, and never breaks of its own accord.
func NewRig(s Spec, clock func() time.Time) *Rig {
	if clock == nil {
		clock = time.Now
	}
	r := newRig(s, clock)
	r.env.mains = nominalMains
	r.warm(time.Hour, time.Hour)
	return r
}

// newRig makes a rig without mains.
func newRig(s Spec, clock func() time.Time) *Rig {
	r := &Rig{spec: s, clock: clock, seed: mix(s.Seed + 0x5eed), model: s.Model, firmware: s.Firmware, design: designOf(s.Model), tempo: tempoOf(s.Firmware), effects: unharmed(), alone: stopsOnMissingBoard(s)}
	r.grade = gradeOf(r.seed)
	// What the table of models leaves open, this machine has all the same.
	m := &r.spec.Model
	m.Boards, m.Chips, m.Fans, m.Cooling = r.design.boards, r.design.chips, r.design.fans, r.design.cooling
	m.Hashrate, m.Power = unit.Hashrate(r.design.hash), unit.Power(r.design.wall)
	r.model = *m
	r.env = surroundings{inlet: r.design.inlet, ambient: nominalInlet, flow: nominalFlow, dust: 1}
	r.want = setting{mode: miner.ModeNormal, percent: 100, ratio: 1}
	for i := range r.want.boards {
		r.want.boards[i] = true
	}
	// Pools steer each machine to about one share in three seconds.
	r.difficulty = math.Exp2(max(0, math.Round(math.Log2(r.design.hash*3/workPerDifficulty))))
	r.pools = []PoolSnapshot{{URL: "stratum+tcp://pool.example:3333", User: "ballast.sim", Password: "x", Alive: true, Active: true}}
	now := clock().UnixNano()
	r.body = body{t: now, phase: PhaseOff, since: now, trim: 1, cool: 1}
	for i := range r.body.boards {
		r.body.boards[i] = plate{chip: r.env.inlet, sink: r.env.inlet}
	}
	r.body.psu = r.env.ambient
	r.refresh()
	return r
}

// nominalMains is the voltage of a phase of a 415 V supply.
const nominalMains = 240.0

// warm puts the rig into the balance of having hashed for ran, its control
// board being up for up.
func (r *Rig) warm(ran, up time.Duration) {
	b := &r.body
	now := b.t
	b.phase, b.until, b.aim, b.ratio = PhaseHashing, 0, r.aim(), r.aim()
	b.born, b.start = now-int64(max(up, ran)), now-int64(ran)
	b.since = b.start
	b.t = b.start
	b.duty, b.heat, b.hot = nominalDuty, r.design.carry*airRise*nominalDuty, r.design.target
	for range 4 {
		r.step(b, 3600)
	}
	b.energy, b.hashed, b.live = 0, 0, 0
	b.average = [3]float64{}
	b.shares, b.rejects, b.stale = counter{}, counter{}, counter{}
	for i := range b.boards {
		b.boards[i].errors = counter{}
	}
	r.step(b, ran.Seconds())
	b.t = now
	r.complain()
}

// Spec is what the rig is. It changes only when the control API swaps the
// rig's address, upgrades its firmware or changes its credentials.
func (r *Rig) Spec() Spec {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.spec
}

// Now is the rig's simulated time.
func (r *Rig) Now() time.Time { return r.clock() }

// Memo returns what a dialect keeps for this rig under key, made by make when
// it is not there yet. A change of firmware or credentials forgets it all.
func (r *Rig) Memo(key string, make func() any) any {
	r.mu.Lock()
	v, ok := r.memo[key]
	r.mu.Unlock()
	if ok {
		return v
	}
	fresh := make() // may ask the rig what it is, so not under its lock
	r.mu.Lock()
	defer r.mu.Unlock()
	if v, ok := r.memo[key]; ok {
		return v // another connection was first
	}
	if r.memo == nil {
		r.memo = map[string]any{}
	}
	r.memo[key] = fresh
	return fresh
}

// Limits are the power set-points that the rig accepts.
func (r *Rig) Limits() Limits { return r.design.limits() }

// Profiles are the rig's presets, lowest power first. Those of LuxOS are 16
// steps below and 8 above its default, 25 MHz each; those of other firmwares
// are named by their watts.
func (r *Rig) Profiles() []ProfileSpec {
	d := &r.design
	lo, hi, step := -7, 3, 0.05
	luxos := r.firmware == miner.LuxOS
	if luxos {
		lo, hi, step = -16, 8, 25e6/d.clock
	}
	out := make([]ProfileSpec, 0, hi-lo+1)
	for i := lo; i <= hi; i++ {
		ratio := 1 + step*float64(i)
		if ratio < 0.2 {
			continue
		}
		p := ProfileSpec{
			Frequency: unit.Frequency(math.Round(d.clock*ratio/1e6) * 1e6), Voltage: unit.Voltage(math.Round(d.volts*need(ratio)*100) / 100),
			Power: unit.Power(math.Round(d.wallAt(ratio))), Hashrate: unit.Hashrate(d.hash * ratio), Tuned: i <= 0,
		}
		switch {
		case luxos && i == 0:
			p.Name = "default"
		case luxos:
			p.Name = fmt.Sprintf("%.0fMHz", p.Frequency.MHz())
		default:
			p.Name = fmt.Sprintf("%.0f", math.Round(float64(p.Power)/10)*10)
			if small(r.model) {
				p.Name = fmt.Sprintf("%.0f", float64(p.Power))
			}
		}
		out = append(out, p)
	}
	return slices.CompactFunc(out, func(a, b ProfileSpec) bool { return a.Name == b.Name })
}

// Snapshot is the firmware's view now, without per-chip detail.
func (r *Rig) Snapshot() Snapshot { return r.snapshot(false) }

// SnapshotChips is Snapshot with every board's PerChip filled.
func (r *Rig) SnapshotChips() Snapshot { return r.snapshot(true) }

// commit moves the rig to the last full grid period before now. The lock is
// held.
func (r *Rig) commit(now int64) {
	if r.home {
		return
	}
	last := now - now%grid
	// After a long absence only the last hour is followed closely.
	if early := last - int64(time.Hour); early > r.body.t {
		r.forward(early)
	}
	for r.body.t < last {
		r.forward(r.body.t - r.body.t%grid + grid)
	}
}

// forward moves the rig to t for good. The lock is held.
func (r *Rig) forward(t int64) {
	for r.body.t < t {
		next := t
		if r.parts != nil {
			next = min(t, r.parts.due)
		}
		r.run(&r.body, next, true)
		if r.parts != nil && r.body.t >= r.parts.due {
			r.age()
		}
		r.tend()
	}
	r.complain()
}

// present is the rig's body at now, worked out on a copy. The lock is held.
func (r *Rig) present(now int64) body {
	r.commit(now)
	b := r.body
	r.run(&b, now, false)
	return b
}

// Phase is what the rig is doing now.
func (r *Rig) Phase() Phase {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.present(r.clock().UnixNano())
	return b.phase
}

// answers tells whether the control board talks.
func (b *body) answers() bool { return b.phase != PhaseOff && b.phase != PhaseBooting }

// run moves b to the time to, through whatever phases lie between. live is
// false on a copy, which has no consequences outside of itself.
func (r *Rig) run(b *body, to int64, live bool) {
	r.surroundings(b)
	for b.t < to {
		h := to - b.t
		if b.until > b.t {
			h = min(h, b.until-b.t)
		}
		if !b.settled {
			h = min(h, nanos(fineStep))
		}
		if gap := abs(b.goal() - b.ratio); gap > 0.002 && b.slew > 0 {
			h = min(h, nanos(gap/b.slew+0.01)) // to the end of the slope
		}
		r.step(b, seconds(h))
		b.t += h
		if b.until != 0 && b.t >= b.until {
			r.elapsed(b, live)
		}
		r.guard(b, live)
	}
}
