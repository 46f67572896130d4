package sim

import (
	"math"
	"slices"
	"strings"
	"time"

	"ballast/miner"
)

// Every part of a machine has a life of its own, drawn when it is built in:
// hours of use, counted faster under heat, starts and voltage events. When they
// are used up it fails at once, or begins to show signs and fails later, or
// shows signs that come to nothing. About half of all failures give no warning,
// so that no predictor can do better than its data.

// kind holds the constants of one component. Rates are per part and year at
// reference stress; they are calibrated in health_test.go to the published
// marginal rates.
type kind struct {
	component Component
	rate      float64 // failures per part and year of use
	shape     float64 // Weibull: 1 is chance, above is wear
	sudden    float64 // share of failures without a sign
	harmless  float64 // degradations that come to nothing, for each that fails
	lead      float64 // h from first sign to failure, median
	spread    float64 // of its logarithm
	start     float64 // h of life that one start costs
	surge     float64 // share of mean life that a voltage event of strength 1 costs
}

const (
	kindBoard = iota
	kindVRM
	kindPSU
	kindPSUFan
	kindFan
	kindPaste
	kindSensor
	kindControl
	kindSoft
)

// CRC errors foretell a dead board by one to four weeks; fans, supplies and
// sagging show for days to weeks; paste and dust for weeks to months.
var kinds = [...]kind{
	kindBoard:   {PartBoard, 0.0105, 1.2, 0.40, 0.35, 380, 0.5, 9, 0.0040},
	kindVRM:     {PartVRM, 0.0030, 1.1, 0.45, 0.35, 120, 0.6, 9, 0.0015},
	kindPSU:     {PartPSU, 0.0110, 1.2, 0.45, 0.35, 200, 0.6, 7, 0.0120},
	kindPSUFan:  {PartPSUFan, 0.0090, 1.6, 0.35, 0.35, 240, 0.6, 0, 0},
	kindFan:     {PartFan, 0.0072, 1.6, 0.35, 0.35, 240, 0.6, 0, 0},
	kindPaste:   {PartPaste, 0.0015, 2.0, 0, 0.6, 1500, 0.4, 3, 0},
	kindSensor:  {PartSensor, 0.0030, 1.0, 1, 0, 0, 0, 2, 0.0010},
	kindControl: {PartControl, 0.0050, 1.0, 1, 0, 0, 0, 3, 0.0030},
	kindSoft:    {PartSoft, 0.0290, 1.0, 1, 0, 0, 0, 8, 0},
}

const hoursPerYear = 8766

// scale is the Weibull scale, h, that gives the kind's rate on average over a
// machine's life of use.
func (k *kind) scale() float64 {
	const lifetime = 4 * hoursPerYear
	// (lifetime/scale)^shape failures expected over a lifetime.
	return lifetime / math.Pow(k.rate*4, 1/k.shape)
}

type fate uint8

const (
	fateGradual fate = iota
	fateSudden
	fateHarmless
)

// part is one built-in component.
type part struct {
	kind, index uint8
	fate        fate
	atStart     bool  // failed when power came back
	onset       int64 // first sign; 0 none
	failed      int64 // 0 works
	built       uint16
	variant     float64 // 0..1: which of its ways to fail
	age, life   float64 // h of use, stress counted
	severity    float64 // 0 to 1, which is failed
	pace        float64 // severity per h
}

// parts are the latent health of a rig.
type parts struct {
	list   []part
	seed   uint64
	batch  float64 // how much worse than usual this lot of this model is
	aged   int64
	due    int64
	dust   float64
	starts int
	broken int // boards that did not come up at the last start, and will at the next: a bit each
}

const agePeriod = int64(time.Hour)

// batches are models known to be better or worse than the rest.
func batchOf(s Spec, lot uint64) float64 {
	b := 1.0
	switch name := s.Model.Name; {
	case containsAny(name, "S17", "T17"):
		b = 3.4 // 20-30 % a year: heat sinks fall off
	case containsAny(name, "S19 XP"):
		b = 1.5 // around 10 %
	}
	// Lots differ: one in ten is bad.
	b *= lognormal(lot, drawPlace, 1, 0.85, 0.35)
	if uniform(lot, drawPlace, 2) < 0.1 {
		b *= 2.5
	}
	return b
}

// build gives the rig parts of age years, that have survived so far.
func (r *Rig) build(years float64, lot uint64) {
	p := &parts{seed: mix(r.seed + 0xbeef), batch: batchOf(r.spec, lot), aged: r.body.t}
	p.due = r.body.t - r.body.t%agePeriod + agePeriod
	p.dust = 0.25 * uniform(p.seed, drawPart, -1)
	add := func(kind, n int) {
		for i := range n {
			p.list = append(p.list, part{kind: uint8(kind), index: uint8(i)})
			p.renew(len(p.list)-1, years*hoursPerYear)
		}
	}
	add(kindBoard, r.design.boards)
	add(kindVRM, r.design.boards)
	add(kindPSU, 1)
	add(kindFan, r.design.fans)
	if r.design.cooling == miner.Air {
		add(kindPSUFan, 1)
	}
	add(kindPaste, r.design.boards)
	add(kindSensor, r.design.boards)
	add(kindControl, 1)
	add(kindSoft, 1)
	r.parts = p
	r.refresh()
}

// renew draws the life of a part that has been used for age hours and works.
func (p *parts) renew(i int, age float64) {
	t := &p.list[i]
	k := &kinds[t.kind]
	seed := mix(p.seed + uint64(i)<<16 + uint64(t.built))
	*t = part{kind: t.kind, index: t.index, built: t.built + 1, age: age, variant: uniform(seed, drawPart, 1)}
	scale := k.scale()
	if t.kind != kindSoft && t.kind != kindSensor {
		scale *= math.Pow(p.batch, -1/k.shape)
	}
	t.life = scale * math.Pow(math.Pow(age/scale, k.shape)+exponential(seed, drawPart, 2), 1/k.shape)
	// Of all ends of life, sudden and gradual ones fail; harmless ones come on
	// top, so that signs alone prove nothing.
	gradual := 1 - k.sudden
	u := uniform(seed, drawPart, 3) * (1 + gradual*k.harmless)
	switch {
	case u < k.sudden:
		t.fate = fateSudden
	case u < 1:
		t.fate = fateGradual
	default:
		t.fate = fateHarmless
	}
	if k.lead > 0 {
		t.pace = 1 / lognormal(seed, drawLead, 1, k.lead, k.spread)
	}
}

// age counts what the time since the last call did to the parts. The lock is
// held and the body is at parts.due.
func (r *Rig) age() {
	p, b := r.parts, &r.body
	hours := seconds(b.t-p.aged) / 3600
	p.aged, p.due = b.t, b.t-b.t%agePeriod+agePeriod
	if hours <= 0 {
		return
	}
	changed := false
	for i := range p.list {
		t := &p.list[i]
		if t.failed != 0 {
			continue
		}
		use := hours * r.stress(t)
		t.age += use
		if t.onset == 0 {
			if t.age >= t.life {
				r.endure(t, false)
				changed = true
			}
			continue
		}
		changed = r.worsen(i, t, use) || changed
	}
	if r.design.cooling == miner.Air {
		// A year at full fans in usual air clogs half a machine.
		before := p.dust
		p.dust = min(p.dust+hours/hoursPerYear*0.5*b.duty*r.env.dust*(1-p.dust), 1)
		changed = changed || int(before*50) != int(p.dust*50)
	}
	if changed {
		settled := b.settled
		r.refresh()
		b.settled = settled && b.phase.steady()
	}
	if b.phase.running() && uniform(p.seed, drawSoft, -b.t/agePeriod) < crashes/hoursPerYear*hours {
		b.start = 0
		r.begin(b, r.tempo.start)
		r.note(Event{Kind: EventCrash, Detail: "the mining process crashed and started again"})
	}
}

// crashes of the mining process, a year: counters begin at zero for no reason
// that anybody can see.
const crashes = 1.5

// stress is how fast a part ages: hours of use per hour.
func (r *Rig) stress(t *part) float64 {
	b, d := &r.body, &r.design
	on := b.phase.running()
	switch t.kind {
	case kindBoard, kindVRM:
		if !on {
			return 0.03
		}
		return arrhenius(b.boards[t.index].chip, d.target)
	case kindPaste:
		if !on {
			return 0.03
		}
		return arrhenius(b.boards[t.index].chip, d.target) * 0.7
	case kindPSU:
		if !on {
			return 0.1
		}
		return math.Exp((b.psu-(nominalInlet+psuRise))/18) * (r.env.mains/nominalMains*0.5 + 0.5)
	case kindFan:
		return math.Exp((r.env.inlet-nominalInlet)/18) * b.duty / nominalDuty * (0.8 + 0.8*r.parts.dust)
	case kindPSUFan:
		if !on {
			return 0.2
		}
		return math.Exp((r.env.inlet - nominalInlet) / 18)
	}
	if b.phase == PhaseOff {
		return 0
	}
	return 1
}

// arrhenius is how much faster silicon and solder age at t °C than at ref: an
// activation energy of 0.7 eV.
func arrhenius(t, ref float64) float64 {
	return math.Exp(8123 * (1/(ref+273.15) - 1/(t+273.15)))
}

// endure is the end of a part's sound life.
func (r *Rig) endure(t *part, starting bool) {
	now := r.body.t
	t.onset, t.atStart = now, starting
	k := &kinds[t.kind]
	if t.fate == fateSudden || starting && t.fate == fateGradual {
		t.failed, t.severity = now, 1
		r.note(Event{Kind: EventFailure, Component: k.component, Index: int(t.index), Onset: unixUTC(now), AtStart: starting, Detail: t.way()})
		return
	}
	t.severity = 0.02
	detail := ""
	if t.fate == fateHarmless {
		detail = "comes to nothing"
	}
	r.note(Event{Kind: EventOnset, Component: k.component, Index: int(t.index), Predictable: t.fate == fateGradual, Onset: unixUTC(now), Detail: detail})
}

// worsen moves a degradation on by use hours, in steps of chance.
func (r *Rig) worsen(i int, t *part, use float64) bool {
	seed := mix(r.parts.seed + uint64(i)<<16 + uint64(t.built))
	before := t.severity
	step := t.pace * use * exponential(seed, drawLead, r.body.t/agePeriod)
	k := &kinds[t.kind]
	if t.fate == fateHarmless {
		// Up to a plateau, and after a while it is gone.
		top := 0.15 + 0.4*t.variant
		if hours := seconds(r.body.t-t.onset) / 3600; hours*t.pace > 1.5 {
			t.severity -= step
			if t.severity <= 0 {
				r.note(Event{Kind: EventHealed, Component: k.component, Index: int(t.index), Onset: unixUTC(t.onset)})
				r.parts.renew(i, t.age)
				return true
			}
		} else {
			t.severity = min(t.severity+step, top)
		}
	} else if t.severity += step; t.severity >= 1 {
		t.severity, t.failed = 1, r.body.t
		r.note(Event{Kind: EventFailure, Component: k.component, Index: int(t.index), Predictable: true, Onset: unixUTC(t.onset), Detail: t.way()})
		return true
	}
	return int(before*40) != int(t.severity*40)
}

// way is how a failed part shows.
func (t *part) way() string {
	switch t.kind {
	case kindBoard:
		switch {
		case t.atStart || t.variant < 0.5:
			return "board not detected"
		case t.variant < 0.8:
			return "chips do not answer"
		}
		return "board does not hash"
	case kindVRM:
		return "no board power"
	case kindPSU:
		if t.variant < 0.6 {
			return "no output"
		}
		return "protects itself"
	case kindSensor:
		switch {
		case t.variant < 0.35:
			return "stuck"
		case t.variant < 0.7:
			return "offset"
		}
		return "does not answer"
	case kindPaste:
		return "chips lose contact with the heat sink"
	case kindSoft:
		return "hangs"
	}
	return "dead"
}

// powerUp is what every start of the boards costs, and shows: it uses up life
// all at once, and some boards do not come up, for good or this once.
func (r *Rig) powerUp(b *body) {
	r.rehang()
	r.note(Event{Kind: EventStart, Detail: r.want.mode})
	p := r.parts
	if p == nil {
		return
	}
	p.starts++
	cold := 1.0
	if r.env.inlet < 5 {
		cold = 1.5
	}
	p.broken = 0
	for i := range p.list {
		t := &p.list[i]
		if t.failed != 0 {
			if t.kind == kindSoft {
				p.renew(i, t.age)
			}
			continue
		}
		t.age += kinds[t.kind].start * cold
		switch {
		case t.onset == 0 && t.age >= t.life && t.kind != kindSoft:
			r.endure(t, true)
		case t.kind == kindBoard && uniform(p.seed, drawSoft, b.t+int64(i)) < 0.0004+0.05*t.severity:
			// Finds too few chips, this time.
			p.broken |= 1 << t.index
		}
	}
	r.refresh()
}

// apply adds what the parts do to e.
func (p *parts) apply(e *effects, r *Rig) {
	e.dust = p.dust
	for i := range r.design.boards {
		if p.broken&(1<<i) != 0 {
			e.boards[i].missing = true
		}
	}
	for i := range p.list {
		if t := &p.list[i]; t.severity > 0 {
			t.apply(e, r)
		}
	}
}

func (t *part) apply(e *effects, r *Rig) {
	s, dead := t.severity, t.failed != 0
	b := &e.boards[min(int(t.index), maxBoards-1)]
	switch t.kind {
	case kindBoard:
		switch {
		case !dead:
			b.errors *= 1 + 80*s*s
			b.hash *= 1 - 0.15*s*s
			if s > 0.7 {
				b.dead += int((s - 0.6) * 10)
			}
		case t.atStart || t.variant < 0.5:
			b.missing = true
		case t.variant < 0.8:
			b.dead += int(float64(r.design.chips) * (0.1 + t.variant - 0.5))
			b.errors *= 40
		default:
			b.hash = 0
		}
	case kindVRM:
		b.droop += 0.045 * s
		if dead {
			b.missing = true
		}
	case kindPSU:
		e.sag += 0.05 * s
		e.dark = e.dark || dead && t.variant < 0.6
		e.psuStop = e.psuStop || dead && t.variant >= 0.6
	case kindPSUFan:
		e.psuFan *= 1 - 0.85*s
	case kindFan:
		e.fans[t.index] *= 1 - 0.45*s
		if dead {
			e.fans[t.index] = 0
		}
	case kindPaste:
		b.paste *= 1 + 1.6*s
	case kindSensor:
		switch {
		case t.variant < 0.35:
			b.sense = sense{senseStuck, 40 + 60*t.variant}
		case t.variant < 0.7:
			b.sense = sense{senseOffset, (t.variant - 0.525) * 140}
		default:
			b.sense = sense{kind: senseLost}
		}
	case kindControl:
		e.dark = e.dark || dead
	case kindSoft:
		e.hung = e.hung || dead
	}
}

// surge is a voltage event of the given strength: it uses up life at once.
func (r *Rig) surge(strength float64) {
	if r.parts == nil {
		return
	}
	changed := false
	for i := range r.parts.list {
		t := &r.parts.list[i]
		k := &kinds[t.kind]
		if t.failed != 0 || k.surge == 0 {
			continue
		}
		t.age += k.surge * strength * k.scale()
		if t.onset == 0 && t.age >= t.life {
			t.fate = fateSudden
			r.endure(t, false)
			changed = true
		}
	}
	if changed {
		r.refresh()
	}
}

// worst is the part that most needs a hand, or -1 when all work.
func (p *parts) worst() int {
	worst := -1
	for i := range p.list {
		if t := &p.list[i]; t.failed != 0 && (worst < 0 || t.failed < p.list[worst].failed) {
			worst = i
		}
	}
	return worst
}

func containsAny(s string, subs ...string) bool {
	return slices.ContainsFunc(subs, func(sub string) bool { return strings.Contains(s, sub) })
}

func unixUTC(ns int64) time.Time { return time.Unix(0, ns).UTC() }
