package alarm_test

import (
	"cmp"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"ballast/alarm"
	"ballast/miner"
	"ballast/sim"
	"ballast/site"
	"ballast/unit"
)

// night plays a simulated site, in process and faster than real time, through
// the engine: every half minute each machine is asked what its firmware knows,
// and the alarms are worked out as they would be live.
type night struct {
	*testing.T
	site    *sim.Site
	state   *alarm.State
	rules   []alarm.Rule
	begin   time.Time
	where   []*alarm.Where
	answers []time.Time // last, by rig
	misses  []int
	last    []*miner.Reading
	asleep  map[int]bool // told to sleep
	wishes  map[int]alarm.Wish
	cut     map[string]bool // containers whose switch is out
	devices map[string]*alarm.Where
	setup   *site.Site

	all     map[int64]*alarm.Alarm
	raised  map[int64]time.Time
	events  []alarm.Event
	first   []firstly
	onSleep []string // members raised while off on purpose
}

// firstly is a member at the moment when it was raised.
type firstly struct {
	watch   alarm.Watch
	subject string
	raised  time.Time
	alarm   *alarm.Alarm
}

const beat = 30 * time.Second // between looks; how often a machine is polled here

func newNight(t *testing.T, cfg sim.Config) *night {
	t.Helper()
	cfg.Log = slog.New(slog.DiscardHandler)
	s, err := sim.New(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := s.Plan()
	if err != nil {
		t.Fatal(err)
	}
	n := &night{T: t, site: s, setup: plan, begin: s.Now(), asleep: map[int]bool{}, wishes: map[int]alarm.Wish{}, cut: map[string]bool{}, all: map[int64]*alarm.Alarm{},
		raised: map[int64]time.Time{}, devices: map[string]*alarm.Where{}, state: alarm.NewState(alarm.Options{}, nil, nil, 1)}
	for i, r := range alarm.Defaults() {
		r.ID = int64(i + 1)
		n.rules = append(n.rules, r)
	}
	for i := range s.Machines() {
		sp := s.Rig(i).Spec()
		p, ok := plan.Find(sp.Addr, sp.MAC, "")
		if !ok {
			t.Fatalf("rig %d stands nowhere", i)
		}
		seg, _ := sp.Addr.Prefix(24)
		n.where = append(n.where, alarm.NewWhere(alarm.Where{Site: "night", Container: p.Container, Rack: p.Rack, Slot: fmt.Sprint(p.Slot), PDU: p.PDU, Feeder: p.Feeder, Loop: p.Loop, Segment: seg.String()}))
		n.answers, n.misses, n.last = append(n.answers, s.Now()), append(n.misses, 0), append(n.last, nil)
	}
	return n
}

// read is a reading of a rig as its firmware knows itself.
func read(s *sim.Snapshot, sp *sim.Spec) *miner.Reading {
	r := &miner.Reading{At: s.Now, Identity: miner.Identity{Firmware: sp.Firmware, FirmwareVersion: cmp.Or(sp.Version, "factory")}}
	switch s.Phase {
	case sim.PhaseHashing:
		r.State = miner.Hashing
	case sim.PhaseStarting, sim.PhaseRamping:
		r.State = miner.Starting
	case sim.PhaseSleeping:
		r.State = miner.Sleeping
	case sim.PhaseFailed:
		r.State = miner.Stopped
	default:
		r.State = miner.Unknown
	}
	r.Uptime, r.MinerUptime = unit.Some(s.Uptime), unit.Some(s.MinerUptime)
	r.HashrateNow, r.HashrateAverage, r.HashrateNominal = unit.Some(s.Hashrate5s), unit.Some(s.Hashrate30m), unit.Some(s.HashrateNominal)
	r.Power, r.Faults = unit.Some(s.Power), s.Faults
	for i := range s.Boards {
		b := &s.Boards[i]
		x := miner.Board{Index: i, Present: unit.Some(b.Present), Enabled: unit.Some(!b.Present || b.Enabled)}
		if b.Present {
			x.Chips, x.ChipsExpected, x.Hashrate = unit.Some(b.Chips), unit.Some(sp.Model.Chips), unit.Some(b.Hashrate)
		}
		for k := range b.Chip {
			if t, ok := b.Chip[k].Get(); ok {
				r.TempChip = unit.Some(max(t, r.TempChip.Or(t)))
			}
			if t, ok := b.PCB[k].Get(); ok {
				r.TempBoard = unit.Some(max(t, r.TempBoard.Or(t)))
			}
		}
		r.Boards = append(r.Boards, x)
	}
	for i := range s.Fans {
		r.Fans = append(r.Fans, miner.Fan{Index: i, Speed: unit.Some(s.Fans[i].Speed)})
	}
	for i := range s.Pools {
		r.Pools = append(r.Pools, miner.Pool{Index: i, Alive: unit.Some(s.Pools[i].Alive), Active: unit.Some(s.Pools[i].Active)})
	}
	r.Accepted, r.Rejected = unit.Some(s.Accepted), unit.Some(s.Rejected)
	return r
}

func (n *night) observe() alarm.Observation {
	now := n.site.Now()
	var o alarm.Observation
	for i := range n.site.Machines() {
		rig := n.site.Rig(i)
		sp, sn := rig.Spec(), rig.Snapshot()
		m := alarm.Machine{ID: int64(i + 1), Subject: fmt.Sprintf("machine/%d", i+1), Name: sp.Addr.String(), Where: n.where[i], Model: sp.Model.Name, Family: string(sp.Firmware), Watched: n.begin, MaxAge: 2 * time.Minute}
		if sn.Phase == sim.PhaseOff || sn.Phase == sim.PhaseBooting || n.cut[n.where[i].Container] {
			n.misses[i]++
		} else {
			n.misses[i], n.answers[i], n.last[i] = 0, now, read(&sn, &sp)
		}
		m.Contact, m.Answered, m.Reading = alarm.Answers, n.answers[i], n.last[i]
		if n.misses[i] >= 2 {
			m.Contact, m.Trouble = alarm.Silent, "no answer"
		}
		if n.asleep[i] {
			m.AsleepBy = "curtailment"
		}
		if w, ok := n.wishes[i]; ok {
			m.Wishes = []alarm.Wish{w}
		}
		o.Machines = append(o.Machines, m)
	}
	for i := range n.site.Coolings() {
		c, err := n.site.Cooling(i)
		if err != nil {
			n.Fatal(err)
		}
		d := alarm.Device{Subject: "device/cooling-" + c.Name, Name: "cooling-" + c.Name, Kind: "cooling", Where: n.device(alarm.Where{Site: "night", Container: c.Name, Loop: c.Name}),
			Good: now, Watched: n.begin, MaxAge: 2 * time.Minute, Supply: unit.Some(c.Supply), Setpoint: unit.Some(c.Setpoint)}
		for name, on := range map[string]bool{"fan failure": c.FanFailure, "high temperature": c.HighTemp, "low flow": c.LowFlow} {
			if on {
				d.Alarms = append(d.Alarms, name)
			}
		}
		slices.Sort(d.Alarms)
		o.Devices = append(o.Devices, d)
	}
	for i := range n.site.PDUs() {
		p, err := n.site.PDU(i)
		if err != nil {
			n.Fatal(err)
		}
		w := alarm.Where{Site: "night", PDU: p.Name}
		for _, x := range n.where {
			if x.PDU == p.Name {
				w.Container, w.Rack, w.Feeder = x.Container, x.Rack, x.Feeder
				break
			}
		}
		where := n.device(w)
		o.Devices = append(o.Devices, alarm.Device{Subject: "device/" + p.Name, Name: p.Name, Kind: "pdu", Where: where, Good: now, Watched: n.begin, MaxAge: 2 * time.Minute, Power: unit.Some(p.Power)})
		o.Caps = append(o.Caps, alarm.Cap{Subject: "cap/pdu/" + p.Name, Name: "pdu " + p.Name, Where: where, Limit: p.Cap, Drawn: unit.Some(p.Power), At: now, MaxAge: time.Minute, Source: p.Name})
	}
	o.Self = alarm.Ballast{At: now, PollsDue: int64(now.Sub(n.begin).Seconds()) * 100}
	return o
}

func (n *night) device(w alarm.Where) *alarm.Where {
	key := w.Container + "/" + w.PDU + "/" + w.Loop
	if n.devices[key] == nil {
		n.devices[key] = alarm.NewWhere(w)
	}
	return n.devices[key]
}

// run plays d of simulated time.
func (n *night) run(d time.Duration) {
	for end := n.site.Now().Add(d); n.site.Now().Before(end); {
		n.site.Advance(beat)
		now := n.site.Now()
		o := n.observe()
		out := n.state.Step(n.rules, o, now)
		n.events = append(n.events, out.Events...)
		for _, a := range out.Changed {
			if _, ok := n.raised[a.ID]; !ok {
				n.raised[a.ID] = now
			}
			n.all[a.ID] = a
			for _, m := range a.Members {
				if m.Left.IsZero() && !slices.ContainsFunc(n.first, func(f firstly) bool { return f.subject == m.Subject && f.watch == m.Watch && f.raised.Equal(m.Raised) }) {
					n.first = append(n.first, firstly{m.Watch, m.Subject, m.Raised, a})
				}
				var i int
				if c, _ := fmt.Sscanf(m.Subject, "machine/%d", &i); c == 1 && m.Raised.Equal(now) && n.asleep[i-1] {
					n.onSleep = append(n.onSleep, fmt.Sprintf("%s of %s at %v", m.Watch, m.Subject, now.Sub(n.begin)))
				}
			}
		}
	}
}

func (n *night) inject(f sim.Fault) time.Time {
	n.Helper()
	if _, err := n.site.Inject(f); err != nil {
		n.Fatal(err)
	}
	return n.site.Now()
}

func (n *night) clear(kind sim.FaultKind, container string) {
	n.site.Clear(0, kind, -1, container)
}

// told finds the first alarm since at that had a member of a watch on a subject,
// and how long after at it was there.
func (n *night) told(at time.Time, watch alarm.Watch, subject string) (*alarm.Alarm, time.Duration) {
	for _, f := range n.first {
		if f.watch == watch && (subject == "" || f.subject == subject) && !f.raised.Before(at) {
			when := n.raised[f.alarm.ID]
			if f.raised.After(when) {
				when = f.raised
			}
			return f.alarm, when.Sub(at)
		}
	}
	return nil, 0
}

func (n *night) list() []*alarm.Alarm {
	var out []*alarm.Alarm
	for _, a := range n.all {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b *alarm.Alarm) int { return int(a.ID - b.ID) })
	return out
}

func (n *night) print() {
	for _, a := range n.list() {
		ended := "open"
		if !a.Ended.IsZero() {
			ended = "over after " + a.Ended.Sub(n.raised[a.ID]).String()
		}
		n.Logf("%8s  #%d %-8s %s [%s%s, peak %d] %s %s", n.raised[a.ID].Sub(n.begin), a.ID, a.Severity, a.Title, a.Phase, map[bool]string{true: ", flapping"}[a.Flapping], a.Peak, ended, a.Hint)
	}
}

// A bad night: a container's breaker, a switch that flaps, a heat wave, half the
// site curtailed on purpose, a firmware rollout, and eight machines with a fault
// of their own. SIMULATED: the figures are of the simulator, no measured site.
func TestABadNight(t *testing.T) {
	n := newNight(t, sim.Config{Machines: 600, Seed: 11, PerContainer: 100, Start: time.Date(2026, 4, 30, 20, 0, 0, 0, time.UTC), Tick: beat, Pristine: true, Crew: sim.Crew{Off: true}})
	containers := map[string]int{}
	by := map[string][]int{}
	for i, w := range n.where {
		containers[w.Container]++
		by[w.Container] = append(by[w.Container], i)
	}
	names := []string{}
	for _, c := range n.setup.Containers {
		names = append(names, c.Name)
	}
	t.Logf("simulated site: %d machines, containers %v", n.site.Machines(), containers)
	type fault struct {
		what    string
		at      time.Time
		watch   alarm.Watch
		subject string
		limit   time.Duration
	}
	var faults []fault
	expect := func(what string, at time.Time, w alarm.Watch, subject string, limit time.Duration) {
		faults = append(faults, fault{what, at, w, subject, limit})
	}
	machine := func(i int) string { return fmt.Sprintf("machine/%d", i+1) }

	n.run(30 * time.Minute)
	if len(n.all) > 0 {
		n.print()
		t.Fatalf("%d alarms on a healthy site", len(n.all))
	}
	at := n.inject(sim.Fault{Kind: sim.FaultTrip, Container: names[0]})
	expect("container "+names[0]+" trips", at, alarm.MachineSilent, machine(by[names[0]][0]), 5*time.Minute)
	n.run(30 * time.Minute)

	// Half the site goes to sleep on purpose.
	half := append(slices.Clone(by[names[2]]), by[names[3]]...)
	half = append(half, by[names[4]]...)
	for _, i := range half {
		if err := n.site.Rig(i).Do(sim.Action{Kind: sim.DoSleep}); err != nil {
			t.Fatal(err)
		}
		n.asleep[i] = true
		n.wishes[i] = alarm.Wish{Kind: miner.SetSleep, Until: n.site.Now().Add(10 * time.Minute)}
	}
	n.run(30 * time.Minute)
	n.clear(sim.FaultTrip, names[0])
	n.run(20 * time.Minute)

	// The switch of the second container flaps.
	at = n.site.Now()
	for range 4 {
		n.cut[names[1]] = true
		n.run(6 * time.Minute)
		n.cut[names[1]] = false
		n.run(3 * time.Minute)
	}
	expect("switch of "+names[1]+" flaps", at, alarm.MachineSilent, machine(by[names[1]][0]), 5*time.Minute)
	n.run(20 * time.Minute)

	// A heat wave, while half the site sleeps.
	at = n.inject(sim.Fault{Kind: sim.FaultHeatWave, Amount: 14})
	expect("heat wave", at, alarm.SupplyHot, "", 60*time.Minute)
	n.run(100 * time.Minute)
	n.clear(sim.FaultHeatWave, "")
	n.run(80 * time.Minute)

	// The curtailment ends.
	for _, i := range half {
		if err := n.site.Rig(i).Do(sim.Action{Kind: sim.DoWake}); err != nil {
			t.Fatal(err)
		}
		delete(n.asleep, i)
		n.wishes[i] = alarm.Wish{Kind: miner.SetWake, Until: n.site.Now().Add(15 * time.Minute)}
	}
	n.run(40 * time.Minute)

	// Single machines.
	fans := func(i int) bool { return len(n.site.Rig(i).Snapshot().Fans) >= 2 }
	var free []int
	for _, c := range names {
		for _, i := range by[c] {
			if fans(i) && len(free) < 400 {
				free = append(free, i)
			}
		}
	}
	pick := func(k int) int { return free[(k*53+7)%len(free)] }
	single := func(k int, f sim.Fault, w alarm.Watch, limit time.Duration) {
		f.Rig = pick(k)
		expect(string(f.Kind), n.inject(f), w, machine(f.Rig), limit)
	}
	single(0, sim.Fault{Kind: sim.FaultFanDead, Index: 1}, alarm.FanFault, 5*time.Minute)
	single(1, sim.Fault{Kind: sim.FaultBoardDead, Index: 1}, alarm.BoardMissing, 6*time.Minute)
	single(2, sim.Fault{Kind: sim.FaultControlDead}, alarm.MachineSilent, 5*time.Minute)
	single(3, sim.Fault{Kind: sim.FaultSensorLost, Index: 0}, alarm.FaultTold, 8*time.Minute)
	single(4, sim.Fault{Kind: sim.FaultHung}, alarm.MachineDown, 8*time.Minute)
	single(5, sim.Fault{Kind: sim.FaultPSUStop}, alarm.MachineDown, 8*time.Minute)
	single(6, sim.Fault{Kind: sim.FaultPoolDown, Index: -1}, alarm.PoolDead, 5*time.Minute)
	single(7, sim.Fault{Kind: sim.FaultHashrate, Amount: 0.7}, alarm.HashrateLow, 15*time.Minute)
	n.run(40 * time.Minute)

	// A firmware rollout, one machine after the other.
	var upgraded []int
	for i := range n.site.Machines() {
		if sp := n.site.Rig(i).Spec(); sp.Firmware == miner.Antminer && len(upgraded) < 40 && n.where[i].Container != names[0] && !slices.ContainsFunc(faults, func(f fault) bool { return f.subject == machine(i) }) {
			upgraded = append(upgraded, i)
		}
	}
	at = n.site.Now()
	expect("firmware rollout", at, alarm.FirmwareChange, machine(upgraded[0]), 10*time.Minute)
	for _, i := range upgraded {
		n.inject(sim.Fault{Kind: sim.FaultUpgrade, Rig: i, Text: "2026.07.1"})
		n.run(beat)
	}
	n.run(60 * time.Minute)

	n.print()
	t.Logf("SIMULATED night of %v: %d alarms, %d events", n.site.Now().Sub(n.begin), len(n.all), len(n.events))
	for _, f := range faults {
		a, delay := n.told(f.at, f.watch, f.subject)
		if a == nil {
			t.Errorf("missed: %s (%s on %s)", f.what, f.watch, f.subject)
			continue
		}
		t.Logf("%-28s told after %-8s by #%d %s", f.what, delay, a.ID, a.Title)
		if delay > f.limit {
			t.Errorf("%s was told after %v, not within %v", f.what, delay, f.limit)
		}
	}
	for _, m := range n.onSleep {
		t.Errorf("raised on a machine that is off on purpose: %s", m)
	}
	paging := 0
	for _, a := range n.all {
		if a.Phase != alarm.Merged && a.Severity != alarm.Info {
			paging++
		}
		if strings.Contains(a.Title, "Sleep") {
			t.Errorf("curtailment raised %s", a.Title)
		}
	}
	if most := len(faults) + 3; paging > most {
		t.Errorf("%d alarms for %d faults: nobody reads that many at 3 a.m.", paging, len(faults))
	}
}

// A site without any fault raises nothing by night and by day: no alarm without a reason.
func TestAQuietSite(t *testing.T) {
	n := newNight(t, sim.Config{Machines: 200, Seed: 12, PerContainer: 100, Start: time.Date(2026, 4, 2, 0, 0, 0, 0, time.UTC), Tick: beat, Pristine: true, Crew: sim.Crew{Off: true}})
	n.run(16 * time.Hour)
	n.print()
	if len(n.all) != 0 {
		t.Errorf("%d alarms on a site without a fault", len(n.all))
	}
}

// How many alarms an ordinary site has, whose machines age, break and are
// repaired. SIMULATED: the failure rates are the simulator's, set to published
// ones.
func TestBaseRate(t *testing.T) {
	if os.Getenv("BALLAST_LONG") == "" {
		t.Skip("plays ten days, for minutes: set BALLAST_LONG=1")
	}
	const days = 10
	n := newNight(t, sim.Config{Machines: 600, Seed: 13, PerContainer: 100, Start: time.Date(2026, 4, 2, 0, 0, 0, 0, time.UTC), Tick: beat})
	n.run(days * 24 * time.Hour)
	n.print()
	count := map[alarm.Severity]int{}
	for _, a := range n.all {
		count[a.Severity]++
	}
	t.Logf("SIMULATED base rate: %d machines, %d days: %v, %.2f alarms a day and 1,000 machines", n.site.Machines(), days, count, float64(len(n.all))/days/float64(n.site.Machines())*1000)
	if per := float64(len(n.all)) / days; per > 20 {
		t.Errorf("%.1f alarms a day: too many to be read", per)
	}
}
