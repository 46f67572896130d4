package sim

import (
	"math"
	"time"

	"ballast/miner"
)

// body is a rig's physical state at one instant. It is a plain value: a copy of
// it can be stepped ahead to answer a question, and the rig is none the wiser.
type body struct {
	t     int64 // Unix nanoseconds, simulated
	phase Phase
	until int64 // the phase ends; 0: by condition or command
	since int64 // the phase began
	born  int64 // the control board started
	start int64 // the mining process started; 0: does not run

	ratio, aim, slew float64 // clock over nominal: now, as set, and change per second
	trim, cool       float64 // what the power loop and the thermal throttle make of aim
	duty             float64 // of the fans
	psu              float64 // °C
	wall, out        float64 // W at the wall, W out of the PSU
	droop            float64 // relative, of the output voltage under load
	hash             float64 // TH/s now, true
	hot              float64 // °C, hottest chip as the firmware sees it
	heat             float64 // W into the coolant
	boards           [maxBoards]plate

	average                [3]float64 // TH/s over 1, 15 and 30 min, before correction for a short life
	live                   float64    // s that the averages have run
	hashed                 float64    // TH since the process started
	energy                 float64    // J at the wall since ever
	shares, rejects, stale counter
	why                    miner.Code // of a protective stop
	waking                 bool       // the start under way is out of sleep
	asleep                 bool       // told to sleep, and its configuration says so after a start as well
	settled                bool       // nothing moves but the weather
}

// plate is one hash board.
type plate struct {
	chip, sink float64 // °C: hottest chips, heat sink
	power      float64 // W
	hash       float64 // TH/s
	bad        float64 // share of results that are wrong
	errors     counter
}

// surroundings are what a rig's place gives it.
type surroundings struct {
	inlet   float64 // °C of air or coolant at this slot
	ambient float64 // °C of the air around
	flow    float64 // of coolant, as a share of what the model wants
	mains   float64 // V; 0 is no power
	dust    float64 // of the container's air, times the usual
}

// boardEffect is what faults do to one board.
type boardEffect struct {
	missing bool    // not detected
	dead    int     // chips that do not answer
	hash    float64 // factor
	errors  float64 // factor
	paste   float64 // factor on chip to sink resistance
	droop   float64 // relative loss of voltage on the board
	sense   sense   // its temperature sensors
}

// effects are all that faults do to a rig's physics, ready to compute with.
type effects struct {
	boards   [maxBoards]boardEffect
	fans     [maxFans]float64 // factor on speed
	airflow  float64          // mean of fans
	dust     float64          // 0 clean, 1 clogged
	sag      float64          // more droop at full load, relative
	psuFan   float64          // factor
	psuStop  bool             // the supply protects itself
	dark     bool             // no power for anything, or nothing that could answer
	hash     float64          // factor
	noPool   bool             // every pool unreachable
	poolDown []bool           // by pool
	hung     bool             // the mining process hangs
	meter    float64          // factor on the told power
	ambient  sense            // the intake sensor
}

// sense is a sensor's fault.
type sense struct {
	kind  senseKind
	value float64
}

type senseKind uint8

const (
	senseWell senseKind = iota
	senseStuck
	senseOffset
	senseLost
)

// read is what the sensor tells of truth, and false when it does not answer.
func (s sense) read(truth float64) (float64, bool) {
	switch s.kind {
	case senseStuck:
		return s.value, true
	case senseOffset:
		return truth + s.value, true
	case senseLost:
		return 0, false
	}
	return truth, true
}

// unharmed are the effects of no fault at all.
func unharmed() effects {
	e := effects{airflow: 1, psuFan: 1, hash: 1, meter: 1}
	for i := range e.boards {
		e.boards[i] = boardEffect{hash: 1, errors: 1, paste: 1}
	}
	for i := range e.fans {
		e.fans[i] = 1
	}
	return e
}

const (
	fineStep   = 5.0  // s, while something moves
	coarseStep = 10.0 // s, above which a step looks for the balance instead of following the way there
	fanLag     = 12.0 // s
	psuLag     = 300.0
	sleepDuty  = 0.20
	lowDuty    = 0.30 // while hashing
)

// running tells whether a phase hashes.
func (p Phase) running() bool { return p == PhaseRamping || p == PhaseHashing }

// powered tells whether the boards have voltage. It outlasts the work by some
// seconds on the way to sleep.
func (b *body) powered() bool {
	return b.phase.running() || b.phase == PhaseSleeping && b.until != 0
}

// steady tells whether a phase can last.
func (p Phase) steady() bool {
	return p == PhaseHashing || p == PhaseSleeping || p == PhaseFailed || p == PhaseOff
}

// step moves the physics of b on by h seconds with its phase unchanged.
func (r *Rig) step(b *body, h float64) {
	d := &r.design
	goal := b.goal()
	before := b.ratio
	if move := b.slew * h; math.Abs(goal-b.ratio) <= move || b.slew <= 0 {
		b.ratio = goal
	} else {
		b.ratio += math.Copysign(move, goal-b.ratio)
	}
	ratio := (before + b.ratio) / 2
	if before != b.ratio && h > coarseStep {
		ratio = b.ratio
	}

	want := r.dutyFor(b)
	if h <= coarseStep {
		r.govern(b, h)
		b.duty += (want - b.duty) * (1 - math.Exp(-h/fanLag))
		b.settled = r.relax(b, ratio, h)
	} else {
		// Too long to follow: find where power, temperature, fans and governors
		// balance, each pass correcting by about what the loop answers with.
		var from [maxBoards][2]float64
		for i := range d.boards {
			from[i] = [2]float64{b.boards[i].chip, b.boards[i].sink}
		}
		psu := b.psu
		for range 8 {
			hot := b.hot
			b.duty += (r.dutyFor(b) - b.duty) * 0.45
			for i := range d.boards {
				b.boards[i].chip, b.boards[i].sink = from[i][0], from[i][1]
			}
			b.psu = psu
			r.relax(b, ratio, h)
			if r.govern(b, 15) {
				ratio = b.aim * b.trim * b.cool
				b.ratio = ratio
				continue
			}
			if math.Abs(b.hot-hot) < 0.03 && math.Abs(r.dutyFor(b)-b.duty) < 0.004 {
				break
			}
		}
		b.settled = true
	}
	b.settled = b.settled && b.phase.steady() && b.ratio == goal && math.Abs(r.dutyFor(b)-b.duty) < 0.015
	r.account(b, h)
	if before != b.ratio {
		r.relax(b, b.ratio, 0) // the step counted with the mean, now is the end of it
	}
}

// goal is the clock that the firmware is after.
func (b *body) goal() float64 {
	if !b.powered() {
		return 0
	}
	return b.aim * b.trim * b.cool
}

// dutyFor is the fan speed that the firmware commands.
func (r *Rig) dutyFor(b *body) float64 {
	switch b.phase {
	case PhaseOff, PhaseBooting:
		return 0
	case PhaseStarting:
		return 0.8
	case PhaseSleeping:
		return sleepDuty
	case PhaseFailed:
		return 1
	}
	return min(max(lowDuty, nominalDuty+(b.hot-r.design.target)*0.035), 1)
}

// govern lets the firmware's power loop and thermal throttle correct the clock
// for h seconds, and tells whether it did.
func (r *Rig) govern(b *body, h float64) bool {
	if b.phase != PhaseHashing {
		return false
	}
	moved := false
	if r.want.limit > 0 && r.want.percent >= 100 && r.tempo.closed && b.wall > 0 {
		miss := r.want.limit/(b.wall*r.grade.meter*r.effects.meter) - 1
		if math.Abs(miss) > 0.001 {
			b.trim = min(max(b.trim*(1+miss*min(h/25, 0.6)), 0.8), 1.15)
			moved = true
		}
	}
	if r.tempo.throttle {
		over := b.hot - r.design.hot
		if over > 0 || b.cool < 1 {
			b.cool = min(max(b.cool-over*0.0004*h, 0.3), 1)
			moved = true
		}
	}
	return moved
}

// relax brings power and temperatures of b to what they are after h seconds at
// the clock ratio, and tells whether they are about where they will stay.
func (r *Rig) relax(b *body, ratio, h float64) bool {
	d, e, env := &r.design, &r.effects, &r.env
	flow, rel := env.flow, env.flow/nominalFlow
	if d.fans > 0 {
		flow = b.duty * e.airflow * (1 - 0.3*e.dust)
		rel = flow / nominalDuty
	}
	flow, rel = max(flow, 0.03), max(rel, 0.05)
	sinkR := d.sinkR * (0.25 + 0.75*math.Pow(rel, -0.8)) * (1 + 0.8*e.dust)
	base := env.inlet + b.heat/(d.carry*flow)/2
	sinkDecay := decay(h / (sinkR * d.sinkC))

	volts := need(ratio) * (1 - b.droop)
	heat, hash, hot, calm := 0.0, 0.0, 0.0, true
	busy := 1.0
	if e.noPool || e.hung || !b.phase.running() {
		busy = idleShare
	}
	for i := range d.boards {
		p, f := &b.boards[i], &e.boards[i]
		p.power, p.hash, p.bad = 0, 0, 0
		if b.powered() && ratio > 0 && r.want.boards[i] && !f.missing {
			v := volts * (1 - f.droop)
			alive := float64(d.chips-min(f.dead, d.chips)) / float64(d.chips)
			p.power = r.grade.power * v * v * (d.dynamic*ratio*busy*alive + d.leak*math.Exp(min((p.chip-d.target)/leakFold, 3)))
			if busy == 1 {
				margin := v/(need(ratio)*(1+errorHeat*(p.chip-d.target))) - 1
				p.bad = min(errorFloor*math.Exp(-margin/errorFold)*f.errors, 0.6)
				p.hash = d.hash / float64(d.boards) * r.grade.hash * r.grade.board[i] * ratio * alive * f.hash * e.hash * (1 - p.bad)
			}
		}
		stay := base + p.power*sinkR
		p.sink = stay + (p.sink-stay)*sinkDecay
		chipR := d.chipR * f.paste
		top := p.sink + p.power*chipR
		p.chip = top + (p.chip-top)*decay(h/(chipR*d.chipC))
		heat += p.power
		hash += p.hash
		if math.Abs(p.sink-stay) > 0.4 || math.Abs(p.chip-top) > 0.4 {
			calm = false
		}
		if seen, ok := f.sense.read(p.chip + r.grade.sensor[i]); ok {
			hot = max(hot, seen)
		}
	}
	b.heat, b.hash, b.hot = heat, hash, hot

	fans := float64(d.fans) * d.fanMax * cube(b.duty)
	switch {
	case b.phase == PhaseOff:
		b.out, b.wall, b.droop = 0, 0, 0
	case !b.powered():
		b.out, b.wall, b.droop = d.control+fans, d.asleep+fans, 0
	default:
		b.out = heat + d.control + fans
		b.wall = b.out + psuLoss(b.out, d.rated)
		b.droop = d.psuOhm*b.out/(d.volts*d.volts) + e.sag*b.out/d.wall
	}
	lost := (b.wall - b.out) / (d.wall * 0.05)
	top := env.ambient + psuRise*max(lost, 0)/max(e.psuFan, 0.12)
	b.psu = top + (b.psu-top)*decay(h/psuLag)
	return calm && math.Abs(b.psu-top) < 3
}

// account adds what h seconds at the present rates bring to the counters.
func (r *Rig) account(b *body, h float64) {
	b.energy += b.wall * h
	if b.start == 0 {
		return
	}
	b.live += h
	for i, window := range [3]float64{60, 900, 1800} {
		b.average[i] += (b.hash - b.average[i]) * (1 - decay(h/window))
	}
	if b.hash <= 0 {
		return
	}
	work := b.hash * h
	b.hashed += work
	seed := r.countSeed(b)
	mean := work / (r.difficulty * workPerDifficulty)
	b.shares.add(seed, drawShare, mean)
	b.rejects.add(seed, drawReject, mean*0.0012)
	b.stale.add(seed, drawStale, mean*0.0006)
	for i := range r.design.boards {
		if p := &b.boards[i]; p.bad > 0 {
			p.errors.add(seed+uint64(i), drawError, p.bad/(1-p.bad)*p.hash*h/(ticket*workPerDifficulty))
		}
	}
}

// workPerDifficulty is the mean work behind one share of difficulty 1, in TH.
const workPerDifficulty = 4294967296e-12

// ticket is the difficulty from which chips report results to their controller,
// and from which wrong ones are counted.
const ticket = 256

// countSeed differs with every start of the mining process.
func (r *Rig) countSeed(b *body) uint64 { return mix(r.seed ^ uint64(b.start)) }

// averageOver is the average over one of the windows; for a process younger
// than the window, over its life.
func (b *body) averageOver(i int, window float64) float64 {
	if b.live <= 0 {
		return 0
	}
	return b.average[i] / -math.Expm1(-b.live/window)
}

func seconds(ns int64) float64 { return float64(ns) / float64(time.Second) }

func nanos(s float64) int64 { return int64(s * float64(time.Second)) }
