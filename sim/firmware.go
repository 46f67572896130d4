package sim

import (
	"fmt"
	"slices"

	"ballast/miner"
	"ballast/unit"
)

// Do carries out a command.
func (r *Rig) Do(a Action) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.clock().UnixNano()
	r.commit(now)
	if now > r.body.t {
		r.forward(now)
	}
	err := r.do(&r.body, a)
	r.complain()
	return err
}

func (r *Rig) do(b *body, a Action) error {
	switch a.Kind {
	case DoSleep:
		r.sleep(b)
	case DoWake:
		b.asleep = false
		if b.phase == PhaseSleeping || b.phase == PhaseFailed {
			r.begin(b, r.tempo.wakeStart)
			b.waking = true
		}
	case DoReboot:
		r.boot(b)
	case DoRestart:
		if b.answers() {
			b.start, b.asleep = 0, false
			r.begin(b, r.tempo.start)
		}
	case DoPower:
		l := r.design.limits()
		if !(a.Power >= l.Min && a.Power <= l.Max) {
			return fmt.Errorf("power %v: %w: %v to %v", a.Power, ErrOutOfRange, l.Min, l.Max)
		}
		w := r.want
		w.target, w.limit, w.profile, w.percent, w.mode = a.Power, float64(a.Power), "", 100, r.want.mode
		w.ratio = r.design.ratioFor(float64(a.Power))
		r.set(b, w)
	case DoPercent:
		if !(a.Percent >= 0 && a.Percent <= 100) {
			return fmt.Errorf("%v %% of nominal power: %w: 0 to 100", a.Percent, ErrOutOfRange)
		}
		r.want.percent = a.Percent
		r.slide(b, r.tempo.quick)
	case DoMode:
		ratio, ok := modeRatio(a.Text)
		if !ok {
			return fmt.Errorf("mode %q: %w: %s, %s or %s", a.Text, ErrOutOfRange, miner.ModeLow, miner.ModeNormal, miner.ModeHigh)
		}
		w := r.want
		w.mode, w.ratio, w.target, w.limit, w.profile, w.percent = a.Text, ratio, 0, 0, "", 100
		r.set(b, w)
	case DoProfile:
		w := r.want
		ratio, power, err := r.profile(a)
		if err != nil {
			return err
		}
		w.profile, w.target, w.limit, w.ratio, w.percent = a.Text, power, 0, ratio, 100
		r.set(b, w)
	case DoPools:
		r.pools = make([]PoolSnapshot, 0, len(a.Pools))
		for _, p := range a.Pools {
			r.pools = append(r.pools, PoolSnapshot{URL: p.URL, User: p.User, Password: p.Password})
		}
		r.refresh()
	case DoLocate:
		r.locating = a.On
	case DoBoard:
		if a.Index < 0 || a.Index >= r.design.boards {
			return fmt.Errorf("board %d: %w: 0 to %d", a.Index, ErrOutOfRange, r.design.boards-1)
		}
		r.want.boards[a.Index] = a.On
		b.settled = false
	case DoFastBoot:
		r.want.fastBoot = a.On
		r.retime()
	case DoUpfreq:
		if a.Index < 0 || a.Index > 10 {
			return fmt.Errorf("speed of frequency rise %d: %w: 0 to 10", a.Index, ErrOutOfRange)
		}
		r.want.upfreq = unit.Some(a.Index)
		r.retime()
	default:
		return fmt.Errorf("action %q: %w", a.Kind, ErrOutOfRange)
	}
	return nil
}

// profile finds what a.Text names: one of the rig's presets, or words of the
// dialect's own with the watts beside them.
func (r *Rig) profile(a Action) (ratio float64, power unit.Power, err error) {
	if i := slices.IndexFunc(r.Profiles(), func(p ProfileSpec) bool { return p.Name == a.Text }); i >= 0 {
		p := r.Profiles()[i]
		return float64(p.Frequency) / r.design.clock, p.Power, nil
	}
	if a.Text == "" || a.Text == "default" || a.Text == "disabled" {
		return 1, 0, nil
	}
	if !(a.Power > 0 && float64(a.Power) <= r.design.wallAt(maxRatio)) {
		return 0, 0, fmt.Errorf("profile %q: %w", a.Text, ErrOutOfRange)
	}
	return r.design.ratioFor(float64(a.Power)), a.Power, nil
}

// retime takes the switches that change a firmware's tempo into account.
func (r *Rig) retime() {
	r.tempo = tempoOf(r.firmware)
	if speed, ok := r.want.upfreq.Get(); ok {
		r.tempo = r.tempo.upfreq(speed)
	}
	if r.want.fastBoot {
		r.tempo = r.tempo.fastBoot()
	}
}

// aim is the relative clock of the present setting.
func (r *Rig) aim() float64 {
	if r.want.percent >= 100 {
		return r.want.ratio
	}
	// A quick percentage is of power, and approximate.
	p := r.design.wallAt(r.want.ratio) * r.want.percent / 100 * r.grade.percent
	return r.design.ratioFor(p)
}

// set brings a new set-point into force the way the firmware does.
func (r *Rig) set(b *body, w setting) {
	same := w.ratio == r.want.ratio && w.percent == r.want.percent && w.mode == r.want.mode && w.limit == r.want.limit
	r.want = w
	if same {
		return
	}
	b.trim = 1
	if b.phase.running() && r.tempo.adjust == 0 {
		b.start = 0
		r.begin(b, r.tempo.start)
		return
	}
	r.slide(b, r.tempo.adjust)
}

// slide moves the clock of a running rig to its new aim within s seconds.
func (r *Rig) slide(b *body, s float64) {
	if !b.phase.running() {
		b.aim = r.aim()
		return
	}
	was := b.aim * b.trim * b.cool
	b.trim = 1
	b.aim = r.aim()
	if s > 0 {
		b.slew = max(abs(b.aim*b.cool-was)/s, 1e-4)
	}
	if s > 10 {
		r.enter(b, PhaseRamping, 0)
	}
	b.settled = false
}

// sleep takes the boards off power.
func (r *Rig) sleep(b *body) {
	switch b.phase {
	case PhaseOff, PhaseBooting, PhaseSleeping:
		return
	}
	on := b.powered()
	b.asleep = r.tempo.keeps
	r.enter(b, PhaseSleeping, 0)
	if on {
		b.until = b.t + nanos(r.tempo.sleep) // the rail goes a little later than the work
	}
	if !r.tempo.process {
		b.start = 0
	}
}

// boot restarts the control board.
func (r *Rig) boot(b *body) {
	if b.phase == PhaseOff {
		return
	}
	b.born, b.start = b.t, 0
	b.ratio = 0
	r.enter(b, PhaseBooting, r.own(r.tempo.boot, 0))
}

// begin starts hashing from nothing, and the mining process unless it lived on.
func (r *Rig) begin(b *body, took [2]float64) {
	if b.start == 0 {
		r.launch(b)
	}
	b.ratio, b.waking = 0, false
	r.enter(b, PhaseStarting, r.own(took, 1))
}

// launch starts the mining process: its counters begin at zero.
func (r *Rig) launch(b *body) {
	b.start = b.t
	b.live, b.hashed = 0, 0
	b.average = [3]float64{}
	b.shares, b.rejects, b.stale = counter{}, counter{}, counter{}
	for i := range b.boards {
		b.boards[i].errors = counter{}
	}
}

// enter begins a phase that lasts s seconds, or until something ends it when s
// is 0.
func (r *Rig) enter(b *body, p Phase, s float64) {
	b.phase, b.since, b.until = p, b.t, 0
	if s > 0 {
		b.until = b.t + nanos(s)
	}
	r.relax(b, b.ratio, 0) // power and hashrate change at once, temperatures follow
	b.settled = false
}

// own is the rig's own value of a range of seconds.
func (r *Rig) own(span [2]float64, which int64) float64 {
	return span[0] + (span[1]-span[0])*uniform(r.seed, drawTempo, which)
}

// elapsed ends a phase whose time is over.
func (r *Rig) elapsed(b *body, live bool) {
	switch b.phase {
	case PhaseBooting:
		b.start = 0
		if b.asleep {
			if r.tempo.process {
				r.launch(b)
			}
			r.enter(b, PhaseSleeping, 0)
			return
		}
		r.begin(b, r.tempo.start)
	case PhaseStarting:
		took := r.tempo.ramp
		if b.waking {
			took = r.tempo.wakeRamp
		}
		if live {
			r.powerUp(b)
		}
		if r.effects.psuStop || (r.alone && r.missing() > 0) || r.missing() >= r.design.boards {
			r.fail(b, miner.BoardInit)
			return
		}
		b.aim, b.trim, b.cool = r.aim(), 1, 1
		b.slew = b.aim / r.own(took, 2)
		r.enter(b, PhaseRamping, 0)
	case PhaseFailed:
		b.start = 0
		r.begin(b, r.tempo.start)
	default: // asleep, and the rail is down now
		b.ratio, b.until = 0, 0
	}
}

// missing counts the boards that are not detected.
func (r *Rig) missing() int {
	n := 0
	for i := range r.design.boards {
		if r.effects.boards[i].missing {
			n++
		}
	}
	return n
}

// guard is what the firmware watches: the end of a ramp, and protection.
func (r *Rig) guard(b *body, live bool) {
	if b.phase == PhaseRamping && b.ratio == b.aim*b.trim*b.cool {
		r.enter(b, PhaseHashing, 0)
		b.slew = 0.02 // governors move the clock by 2 % a second at most
	}
	if !b.phase.running() {
		return
	}
	if why := r.danger(b); why != 0 {
		r.fail(b, why)
		if live && (r.stopWhy != why || b.t-r.stopped > nanos(6*3600)) {
			// A machine that tries again every few minutes is one event.
			r.stopWhy, r.stopped = why, b.t
			r.note(Event{Kind: EventStop, Detail: r.whyStopped(b)})
		}
	}
}

// danger is what a firmware stops for, or 0.
func (r *Rig) danger(b *body) miner.Code {
	switch {
	case b.hot > r.design.limit:
		return miner.ThermalChip
	case r.effects.psuStop:
		return miner.PSUShutdown
	case b.psu > psuLimit:
		return miner.PSUOverTemperature
	case r.tempo.fanStop && slices.Contains(r.effects.fans[:r.design.fans], 0):
		return miner.FanMissing
	case b.phase == PhaseHashing && (r.missing() >= r.design.boards || r.alone && r.missing() > 0):
		return miner.BoardMissing
	}
	return 0
}

// psuLimit is where power supplies switch off, °C.
const psuLimit = 92

// fail stops hashing on the firmware's own decision. Some try again, some wait
// for a hand.
func (r *Rig) fail(b *body, why miner.Code) {
	b.ratio, b.why = 0, why
	r.enter(b, PhaseFailed, r.tempo.retry)
}

// surroundings takes what the place and the faults force upon the rig.
func (r *Rig) surroundings(b *body) {
	dark := r.env.mains <= 0 || r.effects.dark
	switch {
	case dark && b.phase != PhaseOff:
		b.ratio, b.start = 0, 0
		r.enter(b, PhaseOff, 0)
	case !dark && b.phase == PhaseOff:
		b.born = b.t
		r.enter(b, PhaseBooting, r.own(r.tempo.boot, 0))
	}
}

func abs(x float64) float64 {
	if x < 0 {
		return -x
	}
	return x
}
