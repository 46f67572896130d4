package sim

import (
	"math"
	"slices"
	"testing"
	"time"

	"ballast/miner"
)

// fates is what became of many machines over many years.
type fates struct {
	years    float64 // machine-years
	failed   map[Component]int
	machines float64 // failures of machines: all but sensors and hangs
	sudden   float64
	atStart  float64
	leads    map[Component][]float64 // days from first sign to failure, of those with signs
	harmless int
	gradual  int
}

func (f *fates) rate() float64 { return f.machines / f.years }

// live ages n machines for years without their physics, so that centuries take
// a second. Every failed part is replaced at once.
func live(t testing.TB, n int, years float64, model string, startsPerDay int, hotter float64) fates {
	t.Helper()
	m, ok := miner.LookupModel(model)
	if !ok {
		t.Fatalf("no model %q", model)
	}
	out := fates{failed: map[Component]int{}, leads: map[Component][]float64{}}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range n {
		seed := mix(uint64(i) + 77)
		r := newRig(Spec{Model: m, Firmware: miner.LuxOS, Seed: seed}, func() time.Time { return start })
		// The year's mean of the default climate.
		r.env.mains, r.env.inlet, r.env.ambient = nominalMains, WestTexas.Mean+1.5, WestTexas.Mean+1.5
		r.warm(time.Hour, time.Hour)
		r.build(span(seed, drawPlace, 9, 0, 3), mix(uint64(i/10))) // small lots: what one lot is like is not asked here
		r.log = func(e Event) {
			switch e.Kind {
			case EventOnset:
				if e.Predictable {
					out.gradual++
				} else {
					out.harmless++
				}
			case EventFailure:
				out.failed[e.Component]++
				if e.Component == PartSensor || e.Component == PartSoft {
					return
				}
				out.machines++
				if !e.Predictable {
					out.sudden++
				} else {
					out.leads[e.Component] = append(out.leads[e.Component], e.At.Sub(e.Onset).Hours()/24)
				}
				if e.AtStart {
					out.atStart++
				}
			}
		}
		warm := r.body
		for j := range r.design.boards {
			warm.boards[j].chip += hotter
		}
		for range int(years * 365) {
			warm.t = r.body.t + int64(24*time.Hour)
			r.body = warm
			r.age()
			for range startsPerDay {
				r.powerUp(&r.body)
			}
			for j := range r.parts.list {
				if r.parts.list[j].failed != 0 {
					r.parts.renew(j, 0)
				}
			}
			r.parts.dust = 0.1
			r.effects = unharmed()
		}
		out.years += years
	}
	return out
}

// Rates are those that can be cited: a normal machine fails 5 % a year (a few
// per cent more with age), S19 XP around 10 %, S17 20 to 30 % (see health.go's
// sources); fans a third and boards about 40 % of what breaks in the only public
// count. Half of it comes without a sign.
func TestFailureRates(t *testing.T) {
	normal := live(t, 800, 2, "Antminer S19j Pro (104T)", 0, 0)
	if r := normal.rate(); r < 0.05 || r > 0.10 {
		t.Errorf("%.1f %% of machines fail in a year", r*100)
	}
	if s := normal.sudden / normal.machines; s < 0.40 || s > 0.60 {
		t.Errorf("%.0f %% of failures are sudden", s*100)
	}
	share := func(parts ...Component) float64 {
		n := 0
		for _, p := range parts {
			n += normal.failed[p]
		}
		return float64(n) / normal.machines
	}
	if s := share(PartFan, PartPSUFan); s < 0.25 || s > 0.48 {
		t.Errorf("fans are %.0f %% of failures", s*100)
	}
	if s := share(PartBoard, PartVRM, PartPaste); s < 0.28 || s > 0.55 {
		t.Errorf("boards are %.0f %% of failures", s*100)
	}
	if normal.failed[PartSensor] == 0 || normal.failed[PartSoft] == 0 || normal.failed[PartControl] == 0 {
		t.Errorf("failures %v", normal.failed)
	}
	// The share of visits that find nothing is 29 % in the same count; boards
	// that only wanted reseating come on top of the hangs.
	soft := float64(normal.failed[PartSoft])
	if nff := soft / (soft + normal.machines); nff < 0.2 || nff > 0.36 {
		t.Errorf("%.0f %% of visits find nothing", nff*100)
	}
	// Signs alone prove nothing.
	if h := float64(normal.harmless) / float64(normal.gradual); h < 0.2 || h > 0.6 {
		t.Errorf("%.2f degradations come to nothing for each that fails", h)
	}
	median := func(c Component) float64 {
		l := slices.Sorted(slices.Values(normal.leads[c]))
		if len(l) == 0 {
			return 0
		}
		return l[len(l)/2]
	}
	if m := median(PartBoard); m < 7 || m > 28 {
		t.Errorf("boards show signs %.1f days before, want one to four weeks", m)
	}
	for _, c := range []Component{PartFan, PartPSU, PartPSUFan} {
		if m := median(c); m < 3 || m > 32 {
			t.Errorf("%s shows signs %.1f days before", c, m)
		}
	}

	xp := live(t, 300, 2, "Antminer S19 XP (140T)", 0, 0)
	if r := xp.rate(); r < 0.08 || r > 0.16 {
		t.Errorf("%.1f %% of S19 XP fail in a year", r*100)
	}
	s17 := live(t, 150, 2, "Antminer S17 (56T)", 0, 0)
	t.Logf("failures a year: normal %.1f %%, S19 XP %.1f %%, S17 %.1f %%; sudden %.0f %%", normal.rate()*100, xp.rate()*100, s17.rate()*100, 100*normal.sudden/normal.machines)
	if r := s17.rate(); r < 0.18 || r > 0.35 {
		t.Errorf("%.1f %% of S17 fail in a year", r*100)
	}
}

func TestStressCosts(t *testing.T) {
	calm := live(t, 500, 1.5, "Antminer S19j Pro (104T)", 0, 0)
	cycled := live(t, 500, 1.5, "Antminer S19j Pro (104T)", 2, 0)
	if x := cycled.rate() / calm.rate(); x < 1.15 || x > 2.5 {
		t.Errorf("two starts a day make %.2f times the failures", x)
	}
	if cycled.atStart < 0.1*cycled.machines || calm.atStart > 0 {
		t.Errorf("%.0f of %.0f failures show at a start, %.0f without starts", cycled.atStart, cycled.machines, calm.atStart)
	}
	hot := live(t, 500, 1.5, "Antminer S19j Pro (104T)", 0, 12)
	boards := func(f fates) float64 { return float64(f.failed[PartBoard]+f.failed[PartVRM]) / f.years }
	if x := boards(hot) / boards(calm); x < 1.5 || x > 4 {
		t.Errorf("12 K make %.2f times the board failures", x)
	}
	if got := arrhenius(85, 75); math.Abs(got-1.92) > 0.05 {
		t.Errorf("ten degrees age %.2f times as fast", got)
	}
}

// A voltage event hits everything on a PDU, and some of it fails at once.
func TestSurgeIsShared(t *testing.T) {
	s := newSite(t, Config{Machines: 400, Seed: 3})
	if _, err := s.Inject(Fault{Kind: FaultSurge, Container: "C01", Amount: 5}); err != nil {
		t.Fatal(err)
	}
	hit := 0
	events, _ := s.Events(0)
	for _, e := range events {
		if e.Kind == EventFailure {
			if hit++; e.Predictable || e.Rig >= 200 {
				t.Errorf("%+v", e)
			}
		}
	}
	if hit < 5 || hit > 100 {
		t.Errorf("a strong surge kills %d of 200", hit)
	}
}

// Thirty days of a small, hot, often restarted site, repaired by its crew: the
// whole chain from latent health over physics and complaints to work orders.
func TestMonthsOfWork(t *testing.T) {
	m, err := ParseMix([]byte("groups:\n  - {share: 1, firmware: luxos, model: \"Antminer S17 (56T)\", age: 4y}\n"))
	must(t, err)
	s := newSite(t, Config{Machines: 100, Mix: &m, Seed: 8, Tick: time.Hour})
	for range 30 {
		for i := range 100 {
			must(t, s.Rig(i).Do(Action{Kind: DoSleep}))
		}
		s.Advance(4 * time.Hour)
		for i := range 100 {
			_ = s.Rig(i).Do(Action{Kind: DoWake})
		}
		s.Advance(20 * time.Hour)
	}
	events, _ := s.Events(0)
	failures := map[int]Event{}
	count := map[EventKind]int{}
	for _, e := range events {
		count[e.Kind]++
		if e.Kind == EventFailure && e.Component != PartSensor {
			failures[e.Rig] = e
			if e.Predictable && !e.Onset.Before(e.At) || e.At.Before(summer) {
				t.Errorf("%+v", e)
			}
		}
	}
	if len(failures) < 2 || len(failures) > 30 {
		t.Errorf("%d of 100 worn machines failed in 30 days", len(failures))
	}
	if count[EventOnset] == 0 || count[EventStart] < 100*28 || count[EventCrash] == 0 {
		t.Errorf("events %v", count)
	}
	done := 0
	for _, o := range s.Orders() {
		if o.Done.IsZero() {
			continue
		}
		done++
		if o.Opened.Before(o.Trouble) || o.Done.Before(o.Opened) || o.Reason == "" {
			t.Errorf("order %+v", o)
		}
	}
	if done == 0 {
		t.Error("nothing was repaired")
	}
	tr := s.Truth(false)
	if up := tr.Phases[PhaseHashing]; up < 88 {
		t.Errorf("after 30 days %d of 100 hash: %v", up, tr.Phases)
	}
}

func TestRepairMends(t *testing.T) {
	s := newSite(t, Config{Machines: 20, Seed: 2, Crew: Crew{Off: true}})
	r := s.Rig(4)
	r.mu.Lock()
	p := &r.parts.list[slices.IndexFunc(r.parts.list, func(p part) bool { return p.kind == kindPSU })]
	p.fate, p.variant = fateSudden, 0.1
	r.endure(p, false)
	r.refresh()
	r.mu.Unlock()
	if r.Phase() != PhaseOff {
		t.Fatalf("a dead supply: %s", r.Phase())
	}
	s.Advance(time.Hour)
	if tr, _ := s.RigTruth(4); len(tr.Parts) == 0 || !tr.Parts[0].Failed {
		t.Errorf("truth: %+v", tr.Parts)
	}
	o, err := s.Repair(4)
	if err != nil || o.Truth != PartPSU || !o.Recovered {
		t.Errorf("%+v, %v", o, err)
	}
	s.Advance(20 * time.Minute)
	if r.Phase() != PhaseHashing {
		t.Errorf("repaired: %s", r.Phase())
	}
	if _, err := s.Repair(99); err == nil {
		t.Error("repaired a machine that does not exist")
	}
}
