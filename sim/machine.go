package sim

import (
	"fmt"
	"math"
	"sync"
	"time"

	"ballast/miner"
	"ballast/unit"
)

// Rig is one simulated machine. Its methods are safe for concurrent use.
type Rig struct {
	spec  Spec
	clock func() time.Time

	mu       sync.Mutex
	memo     map[string]any
	born     time.Time
	start    time.Time // of the mining process
	phase    Phase
	mode     string
	target   unit.Power
	profile  string
	locating bool
	pools    []PoolSnapshot
	boards   []bool
}

// NewRig makes a rig that runs on clock (nil is the wall clock).
func NewRig(s Spec, clock func() time.Time) *Rig {
	if clock == nil {
		clock = time.Now
	}
	now := clock()
	r := &Rig{spec: s, clock: clock, memo: map[string]any{}, born: now.Add(-time.Hour), start: now.Add(-time.Hour), phase: PhaseHashing, mode: miner.ModeNormal}
	r.boards = make([]bool, max(s.Model.Boards, 1))
	for i := range r.boards {
		r.boards[i] = true
	}
	r.pools = []PoolSnapshot{{URL: "stratum+tcp://pool.example:3333", User: "ballast.sim", Password: "x", Alive: true, Active: true}}
	return r
}

// Spec is what the rig was born as.
func (r *Rig) Spec() Spec { return r.spec }

// Now is the rig's simulated time.
func (r *Rig) Now() time.Time { return r.clock() }

// Memo returns what a dialect keeps for this rig under key, made by make when
// it is not there yet.
func (r *Rig) Memo(key string, make func() any) any {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, ok := r.memo[key]
	if !ok {
		v = make()
		r.memo[key] = v
	}
	return v
}

// Limits are the power set-points that the rig accepts.
func (r *Rig) Limits() Limits {
	p := r.spec.Model.Power
	return Limits{Min: p * 0.5, Default: p, Max: p * 1.1}
}

// Profiles are the rig's presets, lowest power first.
func (r *Rig) Profiles() []ProfileSpec {
	m := r.spec.Model
	out := make([]ProfileSpec, 0, 11)
	for i := -7; i <= 3; i++ {
		f := 1 + 0.05*float64(i)
		out = append(out, ProfileSpec{
			Name: fmt.Sprintf("%.0f", math.Round(float64(m.Power)*f*f/10)*10), Frequency: unit.Frequency(545e6 * f),
			Voltage: unit.Voltage(13.2 * math.Sqrt(f)), Power: m.Power * unit.Power(f*f), Hashrate: m.Hashrate * unit.Hashrate(f), Tuned: i <= 0,
		})
	}
	return out
}

// Do carries out a command.
func (r *Rig) Do(a Action) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch a.Kind {
	case DoSleep:
		r.phase = PhaseSleeping
	case DoWake:
		r.phase, r.start = PhaseHashing, r.clock()
	case DoReboot:
		r.born, r.start = r.clock(), r.clock()
	case DoRestart:
		r.start = r.clock()
	case DoPower:
		l := r.Limits()
		if a.Power < l.Min || a.Power > l.Max {
			return fmt.Errorf("power %v: %w: %v to %v", a.Power, ErrOutOfRange, l.Min, l.Max)
		}
		r.target = a.Power
	case DoPercent:
	case DoMode:
		r.mode = a.Text
	case DoProfile:
		r.profile, r.target = a.Text, a.Power
	case DoPools:
		r.pools = append([]PoolSnapshot(nil), a.Pools...)
	case DoLocate:
		r.locating = a.On
	case DoBoard:
		if a.Index < 0 || a.Index >= len(r.boards) {
			return fmt.Errorf("board %d: %w", a.Index, ErrOutOfRange)
		}
		r.boards[a.Index] = a.On
	}
	return nil
}

// Snapshot is the firmware's view now, without per-chip detail.
func (r *Rig) Snapshot() Snapshot { return r.snapshot(false) }

// SnapshotChips is Snapshot with every board's PerChip filled.
func (r *Rig) SnapshotChips() Snapshot { return r.snapshot(true) }

func (r *Rig) snapshot(chips bool) Snapshot {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, m := r.clock(), r.spec.Model
	s := Snapshot{Now: now, Phase: r.phase, Uptime: now.Sub(r.born), Mode: r.mode, PowerTarget: r.target, PowerPercent: 100,
		Profile: r.profile, Progress: 1, Locating: r.locating, HashrateNominal: m.Hashrate, Ambient: unit.Some(unit.Temperature(25)),
		Pools: append([]PoolSnapshot(nil), r.pools...), Difficulty: 65536}
	on := r.phase == PhaseHashing
	if on {
		s.MinerUptime = now.Sub(r.start)
		s.Hashrate5s, s.Hashrate1m, s.Hashrate15m, s.Hashrate30m, s.HashrateAvg = m.Hashrate, m.Hashrate, m.Hashrate, m.Hashrate, m.Hashrate
		s.Power = m.Power
		s.Accepted, s.Rejected = int64(s.MinerUptime/time.Second)/3, 2
	} else {
		s.Power = 25
	}
	n := len(r.boards)
	for i := range n {
		b := BoardSnapshot{Present: true, Enabled: r.boards[i], Chips: m.Chips, Voltage: 13.2, Frequency: 545e6, Serial: fmt.Sprintf("HB%08d", i)}
		if on && b.Enabled {
			b.Hashrate, b.HashrateNominal, b.Power = m.Hashrate/unit.Hashrate(n), m.Hashrate/unit.Hashrate(n), m.Power/unit.Power(n)
		}
		for k := range 4 {
			b.PCB[k], b.Chip[k] = unit.Some(unit.Temperature(55+k)), unit.Some(unit.Temperature(70+k))
		}
		if chips {
			for range m.Chips {
				b.PerChip = append(b.PerChip, ChipSnapshot{Alive: true, Hashrate: b.Hashrate / unit.Hashrate(max(m.Chips, 1)), Temp: 70, Frequency: 545e6, Voltage: 0.3})
			}
		}
		s.Boards = append(s.Boards, b)
	}
	for range m.Fans {
		s.Fans = append(s.Fans, FanSnapshot{Speed: 5400})
	}
	s.FanDuty = 0.7
	s.PSU = PSUSnapshot{VoltageIn: 240, VoltageOut: 13.15, VoltageSet: 13.2, PowerIn: s.Power, CurrentIn: unit.Current(float64(s.Power) / 240), CurrentOut: unit.Current(float64(s.Power) / 13.15), Temp: [3]unit.Temperature{50, 51, 52}, Fan: 6000}
	return s
}
