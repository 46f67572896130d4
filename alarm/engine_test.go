package alarm

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"ballast/miner"
	"ballast/unit"

	"pgregory.net/rapid"
)

var t0 = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// bench is a few machines in two containers of two racks, on a clock.
type bench struct {
	state *State
	rules []Rule
	obs   Observation
	now   time.Time
}

func newBench(machines int, rules ...Rule) *bench {
	b := &bench{state: NewState(Options{}, nil, nil, 1), now: t0}
	if len(rules) == 0 {
		rules = Defaults()
	}
	for i := range rules {
		rules[i].ID = int64(i + 1)
	}
	b.rules = rules
	for i := range machines {
		c := i * 2 / machines
		w := NewWhere(Where{Site: "s", Container: fmt.Sprintf("C%d", c+1), Rack: fmt.Sprintf("R%d", i%4+1), Slot: fmt.Sprint(i), PDU: fmt.Sprintf("P%d-%d", c+1, i%4+1), Segment: fmt.Sprintf("10.0.%d.0/24", c)})
		b.obs.Machines = append(b.obs.Machines, Machine{ID: int64(i + 1), Subject: fmt.Sprintf("machine/%d", i+1), Name: fmt.Sprintf("m%d", i+1), Where: w, Family: "antminer", Model: "S21",
			Contact: Answers, Watched: t0, MaxAge: time.Minute, Reading: well()})
	}
	return b
}

func well() *miner.Reading {
	return &miner.Reading{State: miner.Hashing, HashrateNow: unit.Some(unit.Hashrate(200)), HashrateNominal: unit.Some(unit.Hashrate(200)), TempChip: unit.Some(unit.Temperature(80)),
		MinerUptime: unit.Some(time.Hour), Boards: []miner.Board{{Index: 0, Present: unit.Some(true)}}, Pools: []miner.Pool{{Alive: unit.Some(true)}}}
}

// step moves the clock and takes one look; machines that answer answer anew.
func (b *bench) step(d time.Duration) Outcome {
	b.now = b.now.Add(d)
	for i := range b.obs.Machines {
		if m := &b.obs.Machines[i]; m.Contact == Answers {
			m.Answered = b.now
		}
	}
	return b.state.Step(b.rules, b.obs, b.now)
}

func (b *bench) steps(d time.Duration) (events []Event) {
	for end := b.now.Add(d); b.now.Before(end); {
		events = append(events, b.step(10*time.Second).Events...)
	}
	return events
}

func hot(raiseAfter, clearAfter int) Rule {
	return Rule{Title: "Hot", Watch: ChipHot, Raise: 100, Clear: 90, RaiseAfter: raiseAfter, ClearAfter: clearAfter, Severity: Minor}
}

func (b *bench) temp(i int, t float64) {
	r := *b.obs.Machines[i].Reading
	r.TempChip = unit.Some(unit.Temperature(t))
	b.obs.Machines[i].Reading = &r
}

func TestRaiseHoldClear(t *testing.T) {
	b := newBench(1, hot(60, 60))
	open := func(want int, when string) {
		t.Helper()
		if n := len(b.state.Open()); n != want {
			t.Fatalf("%s: %d alarms open, want %d", when, n, want)
		}
	}
	b.temp(0, 101)
	b.steps(50 * time.Second)
	open(0, "hot for less than a minute")
	b.steps(60 * time.Second)
	open(1, "hot for a minute, and gathered")
	b.temp(0, 95)
	b.steps(10 * time.Minute)
	open(1, "between the levels")
	b.temp(0, 89)
	b.steps(50 * time.Second)
	open(1, "calm for less than a minute")
	b.temp(0, 95)
	b.steps(30 * time.Second)
	b.temp(0, 89)
	b.steps(50 * time.Second)
	open(1, "calm, but not at a stretch")
	b.steps(20 * time.Second)
	open(0, "calm for a minute")
}

// What is old is never compared, off on purpose raises nothing, and a command
// excuses what it does.
func TestStaleness(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(m *Machine)
		want Watch // "" is none
	}{
		{"silent with a hot last reading", func(m *Machine) { m.Contact = Silent }, MachineSilent},
		{"asleep", func(m *Machine) { m.Reading.State = miner.Sleeping }, ""},
		{"asleep and silent", func(m *Machine) { m.Reading.State, m.Contact = miner.Sleeping, Silent }, ""},
		{"put to sleep, then silent", func(m *Machine) { m.AsleepBy, m.Contact = "alice", Silent }, ""},
		{"put to sleep, reads stopped", func(m *Machine) { m.AsleepBy, m.Reading.State = "alice", miner.Stopped }, ""},
		{"put to sleep, never read since the start", func(m *Machine) { m.AsleepBy, m.Contact, m.Reading = "alice", Silent, nil }, ""},
		{"put to sleep and hashes hot all the same", func(m *Machine) { m.AsleepBy = "alice" }, ChipHot},
		{"rebooting", func(m *Machine) { m.Wishes, m.Contact = []Wish{{miner.SetReboot, t0.Add(time.Hour)}}, Silent }, ""},
		{"rebooting and hot", func(m *Machine) { m.Wishes = []Wish{{miner.SetReboot, t0.Add(time.Hour)}} }, ChipHot},
		{"reboot long over", func(m *Machine) { m.Wishes, m.Contact = []Wish{{miner.SetReboot, t0.Add(time.Minute)}}, Silent }, MachineSilent},
		{"locate light and stopped", func(m *Machine) {
			m.Wishes, m.Reading.State = []Wish{{miner.SetLocate, t0.Add(time.Hour)}}, miner.Stopped
		}, MachineDown},
		{"not asked yet", func(m *Machine) { m.Contact, m.Reading = Waiting, nil }, ""},
		{"password refused", func(m *Machine) { m.Contact = Locked }, MachineUnread},
	} {
		b := newBench(1)
		m := &b.obs.Machines[0]
		if c.want == "" || c.want == ChipHot || m.Contact == Silent {
			b.temp(0, 120)
		}
		c.make(m)
		b.steps(20 * time.Minute)
		var got []Watch
		for _, a := range b.state.Open() {
			for _, x := range a.Members {
				got = append(got, x.Watch)
			}
		}
		if c.want == "" && len(got) > 0 || c.want != "" && (len(got) == 0 || !slices.Contains(got, c.want)) || c.want == MachineSilent && len(got) != 1 {
			t.Errorf("%s: %v, want %q", c.name, got, c.want)
		}
	}
}

// A condition that is raised is held while its machine cannot be judged, and
// says so.
func TestHeldWhileUnknown(t *testing.T) {
	b := newBench(1, hot(0, 0))
	b.temp(0, 110)
	b.steps(time.Minute)
	b.obs.Machines[0].Contact = Silent
	b.steps(time.Hour)
	open := b.state.Open()
	if len(open) != 1 || !open[0].Members[0].Stale {
		t.Fatalf("open %+v", open)
	}
	if st := b.state.Rules[1]; st.CanNot != 1 || st.Judged != 0 || st.Raised != 1 {
		t.Errorf("the rule says %+v", st)
	}
	b.obs.Machines[0].Reading = &miner.Reading{State: miner.Sleeping}
	b.obs.Machines[0].Contact = Answers
	b.step(10 * time.Second)
	if len(b.state.Open()) != 0 {
		t.Error("it went to sleep, and its alarm goes on")
	}
}

func TestOneContainer(t *testing.T) {
	b := newBench(80)
	for i := range 40 {
		b.obs.Machines[i].Contact = Silent
	}
	b.steps(5 * time.Minute)
	open := b.state.Open()
	if len(open) != 1 || open[0].Cause.By != ByContainer || open[0].Cause.Name != "C1" || open[0].Active() != 40 || open[0].Severity != Critical {
		t.Fatalf("%d alarms: %+v", len(open), open[0])
	}
	if also := open[0].Also; len(also) != 1 || also[0].By != BySegment {
		t.Errorf("also %v", also)
	}
	id := open[0].ID
	// One more of the other container joins nothing of it.
	b.obs.Machines[60].Contact = Silent
	b.steps(5 * time.Minute)
	if open = b.state.Open(); len(open) != 2 {
		t.Fatalf("%d alarms", len(open))
	}
	// All but one rack come back: the same alarm, named for the rack.
	for i := range 40 {
		if i%4 != 2 {
			b.obs.Machines[i].Contact = Answers
		}
	}
	b.steps(10 * time.Minute)
	a, ok := b.state.Get(id)
	if !ok || a.Active() != 10 || a.Cause.By != ByPDU && a.Cause.By != ByRack {
		t.Fatalf("after most came back: %v %+v", ok, a.Cause)
	}
	for i := range 40 {
		b.obs.Machines[i].Contact = Answers
	}
	b.steps(10 * time.Minute)
	if _, ok := b.state.Get(id); ok {
		t.Error("all came back, and the alarm goes on")
	}
}

// What comes one machine at a time is one alarm in the end.
func TestGrowsIntoAGroup(t *testing.T) {
	b := newBench(40)
	for i := range 20 {
		b.obs.Machines[i].Contact = Silent
		b.steps(40 * time.Second)
	}
	b.steps(5 * time.Minute)
	open := b.state.Open()
	if len(open) != 1 || open[0].Cause.By != ByContainer || open[0].Active() != 20 {
		for _, a := range open {
			t.Logf("#%d %s %v", a.ID, a.Title, a.Cause)
		}
		t.Fatalf("%d alarms", len(open))
	}
	if open[0].ID != 1 {
		t.Errorf("the first alarm was given up for #%d", open[0].ID)
	}
}

func TestSplits(t *testing.T) {
	b := newBench(80)
	for i := range b.obs.Machines {
		b.obs.Machines[i].Contact = Silent
	}
	b.steps(5 * time.Minute)
	if open := b.state.Open(); len(open) != 1 || open[0].Cause.By != BySite {
		t.Fatalf("%+v", open)
	}
	// Everything comes back but one rack of each container.
	for i := range b.obs.Machines {
		if i%4 != 0 {
			b.obs.Machines[i].Contact = Answers
		}
	}
	b.steps(10 * time.Minute)
	open := b.state.Open()
	if len(open) != 2 || open[0].Active() != 10 || open[1].Active() != 10 || max(open[0].From, open[1].From) != 1 {
		for _, a := range open {
			t.Logf("#%d from %d: %s", a.ID, a.From, a.Title)
		}
		t.Errorf("%d alarms", len(open))
	}
}

// What flaps is one alarm that stays, counted, and is not told every time.
func TestFlapping(t *testing.T) {
	b := newBench(1, hot(0, 60))
	p := Policy{Escalations: []Escalation{{ID: 1, Title: "e", Severities: []Severity{Minor}, Steps: []Step{{Receivers: []int64{7}}}, Ends: true}}}
	opened, told := 0, 0
	for range 20 {
		b.temp(0, 110)
		for range 12 {
			out := b.step(10 * time.Second)
			n, _ := b.state.Notices(p, out.Changed, b.now)
			told += len(n)
			for _, e := range out.Events {
				if e.Kind == EventOpened {
					opened++
				}
			}
		}
		b.temp(0, 80)
		for range 12 {
			out := b.step(10 * time.Second)
			n, _ := b.state.Notices(p, out.Changed, b.now)
			told += len(n)
		}
	}
	if opened != 1 || told > 6 {
		t.Errorf("flapped 20 times: %d alarms, %d messages", opened, told)
	}
	if open := b.state.Open(); len(open) != 1 || open[0].Members[0].Raises < 2 {
		t.Errorf("open %+v", open)
	}
}

// A restart raises nothing anew, tells nobody twice, and ends nothing before
// there is data.
func TestRestart(t *testing.T) {
	b := newBench(40)
	for i := range 20 {
		b.obs.Machines[i].Contact = Silent
	}
	b.steps(5 * time.Minute)
	p := Policy{Escalations: []Escalation{{ID: 1, Title: "e", Severities: []Severity{Critical}, Steps: []Step{{Receivers: []int64{7}}}}}}
	if n, _ := b.state.Notices(p, nil, b.now); len(n) != 1 {
		t.Fatalf("%d messages", len(n))
	}
	before := b.state.Open()
	b.state = NewState(Options{}, before, nil, 2)
	for i := range b.obs.Machines {
		m := &b.obs.Machines[i]
		m.Contact, m.Reading, m.Answered, m.Watched = Waiting, nil, time.Time{}, b.now
	}
	check := func(when string) {
		t.Helper()
		open := b.state.Open()
		n, _ := b.state.Notices(p, nil, b.now)
		if len(open) != 1 || open[0].ID != 1 || open[0].Active() != 20 || len(n) != 0 {
			t.Fatalf("%s: %d alarms, %d messages: %+v", when, len(open), len(n), open)
		}
	}
	if ev := b.steps(30 * time.Second); len(ev) != 0 {
		t.Errorf("events without data: %v", ev)
	}
	check("no data yet")
	for i := range b.obs.Machines {
		if m := &b.obs.Machines[i]; i < 20 {
			m.Contact = Silent
		} else {
			m.Contact, m.Reading = Answers, well()
		}
	}
	b.steps(10 * time.Minute)
	check("after the first data")
	for i := range 20 {
		b.obs.Machines[i].Contact, b.obs.Machines[i].Reading = Answers, well()
	}
	b.steps(5 * time.Minute)
	if len(b.state.Open()) != 0 {
		t.Error("all answer, and the alarm goes on")
	}
}

// Whatever happens: every raised condition is in exactly one open alarm, no open
// alarm is empty, none has a member without its evidence or off on purpose, and
// the same input gives the same alarms.
func TestInvariants(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		script := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) [3]int {
			return [3]int{rapid.IntRange(0, 23).Draw(t, "first"), rapid.IntRange(1, 12).Draw(t, "count"), rapid.IntRange(0, 6).Draw(t, "what")}
		}), 1, 25).Draw(t, "script")
		_ = seed
		play := func() []Event {
			b := newBench(24)
			var events []Event
			firing := map[string]bool{}
			for _, s := range script {
				for i := s[0]; i < min(s[0]+s[1], 24); i++ {
					m := &b.obs.Machines[i]
					m.Contact, m.Reading, m.AsleepBy, m.Wishes = Answers, well(), "", nil
					switch s[2] {
					case 1:
						m.Contact = Silent
					case 2:
						m.Reading.TempChip = unit.Some(unit.Temperature(120))
					case 3:
						m.Reading.State = miner.Sleeping
					case 4:
						m.Reading.State = miner.Stopped
					case 5:
						m.AsleepBy, m.Contact = "x", Silent
					case 6:
						m.Wishes, m.Contact = []Wish{{miner.SetReboot, b.now.Add(4 * time.Minute)}}, Silent
					}
				}
				for range 30 {
					out := b.step(10 * time.Second)
					events = append(events, out.Events...)
					in := map[string]int64{}
					for _, a := range b.state.Open() {
						if a.Active() == 0 {
							t.Fatalf("alarm %d is open and empty", a.ID)
						}
						for _, x := range a.Members {
							if !x.Left.IsZero() {
								continue
							}
							key := x.Subject + "/" + fmt.Sprint(x.Rule)
							if other, ok := in[key]; ok {
								t.Fatalf("%s is in alarms %d and %d", key, other, a.ID)
							}
							in[key] = a.ID
							var id int
							fmt.Sscanf(x.Subject, "machine/%d", &id)
							m := &b.obs.Machines[id-1]
							st := stand(m, b.now)
							if st.off {
								t.Fatalf("%s is off on purpose and in alarm %d", x.Subject, a.ID)
							}
							if !firing[key] { // just raised: its value must be beyond the level now
								r := &b.rules[x.Rule-1]
								info, _ := infoOf(r.Watch)
								v, ok := value(r.Watch, r, m, st, b.state.memory[x.Subject], b.now)
								if (!ok || v < r.Raise && info.Above || v > r.Raise && !info.Above) && x.Raised.Equal(b.now) {
									t.Fatalf("%s was raised on %v (known %v)", key, v, ok)
								}
							}
						}
					}
					firing = map[string]bool{}
					for subject, mem := range b.state.memory {
						for _, c := range mem.conds {
							key := subject + "/" + fmt.Sprint(c.Rule)
							firing[key] = !c.Raised.IsZero()
							if c.Alarm != 0 && in[key] != c.Alarm {
								t.Fatalf("%s says it is in alarm %d, and is in %d", key, c.Alarm, in[key])
							}
							if c.Alarm == 0 && !c.Raised.IsZero() && b.now.Sub(c.Raised) > time.Minute {
								t.Fatalf("%s is raised for %v and in no alarm", key, b.now.Sub(c.Raised))
							}
						}
					}
				}
			}
			return events
		}
		if a, b := play(), play(); !reflect.DeepEqual(a, b) {
			t.Fatalf("the same night went two ways:\n%v\n%v", a, b)
		}
	})
}

// However a value moves, a condition changes at most once between two crossings
// of the whole band from level to level.
func TestHysteresisNeverChatters(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := newBench(1, hot(0, 0))
		up := false
		changes, crossings := 0, 0
		was := false
		for _, v := range rapid.SliceOfN(rapid.Float64Range(80, 110), 1, 200).Draw(t, "temps") {
			if !up && v >= 100 || up && v <= 90 {
				up = !up
				crossings++
			}
			b.temp(0, v)
			b.step(10 * time.Second)
			c := b.state.memory["machine/1"].find(1)
			is := c != nil && !c.Raised.IsZero()
			if is != was {
				changes++
				was = is
			}
		}
		if changes > crossings {
			t.Fatalf("%d changes for %d crossings", changes, crossings)
		}
	})
}

func TestDefaultsAreValid(t *testing.T) {
	keys := map[string]bool{}
	for _, r := range Defaults() {
		if err := r.Check(); err != nil {
			t.Errorf("%s: %v", r.Key, err)
		}
		if r.Key == "" || keys[r.Key] || r.Means == "" || r.Safe == "" || r.Press == "" {
			t.Errorf("%q: a key of its own and advice in words", r.Key)
		}
		keys[r.Key] = true
	}
	watched := map[Watch]bool{}
	for _, r := range Defaults() {
		watched[r.Watch] = true
	}
	for _, w := range Watches() {
		if !watched[w.Watch] {
			t.Errorf("no default rule watches %s", w.Watch)
		}
	}
}

func TestRulesThatMakeNoSense(t *testing.T) {
	good := hot(60, 60)
	for name, spoil := range map[string]func(*Rule){
		"watch": func(r *Rule) { r.Watch = "x" }, "title": func(r *Rule) { r.Title = " " }, "severity": func(r *Rule) { r.Severity = "x" },
		"levels the wrong way": func(r *Rule) { r.Clear = 100 }, "time": func(r *Rule) { r.RaiseAfter = -1 },
		"below": func(r *Rule) { r.Watch, r.Raise, r.Clear = HashrateLow, 0.9, 0.8 }, "faults": func(r *Rule) { r.Watch = FaultTold },
	} {
		r := good
		spoil(&r)
		if r.Check() == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
}

func BenchmarkStep(b *testing.B) {
	for _, sick := range []int{0, 100, 5000} {
		b.Run(fmt.Sprintf("10000-machines-%d-silent", sick), func(b *testing.B) {
			x := newBench(10_000)
			for i := range sick {
				x.obs.Machines[i].Contact = Silent
			}
			x.steps(5 * time.Minute)
			for b.Loop() {
				x.step(3 * time.Second)
			}
		})
	}
}
