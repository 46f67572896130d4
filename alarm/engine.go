package alarm

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Options are the times that grouping works with. The zero value of each is its
// default.
type Options struct {
	Gather time.Duration // a condition waits this long for others of its kind: 30 s
	Window time.Duration // what begins within it may be one trouble: 10 min
	Reopen time.Duration // an alarm that comes back this soon is the same one: 30 min
}

func (o *Options) fill() {
	for d, v := range map[*time.Duration]time.Duration{&o.Gather: 30 * time.Second, &o.Window: 10 * time.Minute, &o.Reopen: 30 * time.Minute} {
		if *d <= 0 {
			*d = v
		}
	}
}

// Condition is one rule held against one subject, at or beyond its level.
type Condition struct {
	Rule    int64
	Subject string
	Since   time.Time // beyond the level that raises
	Raised  time.Time // zero: not long enough yet
	Calm    time.Time // beyond the level that clears since; zero: not
	Value   float64
	Detail  string
	Stale   bool // held: cannot be judged now
	Raises  int  // raised within the flap window
	Last    time.Time
	Alarm   int64 // 0: none yet
	rule    *Rule
	info    *WatchInfo
	name    string
	where   *Where
	memory  *memory
	of      string // what its subject is counted with: "machine", "device/cooling"
	rollout string // key of the firmware change it may be due to
}

const elsewhere = "its rule does not look here any more"

// flapWindow is how long a raise counts towards flapping.
const flapWindow = 2 * time.Hour

// RuleState is what a rule did at the last step.
type RuleState struct {
	Judged  int `json:"judged"`  // had a value to compare
	Off     int `json:"off"`     // off on purpose: not judged
	Excused int `json:"excused"` // an open command does this
	CanNot  int `json:"can_not"` // no value, or an old one
	Pending int `json:"pending"` // beyond the level, not long enough
	Raised  int `json:"raised"`
}

// State is everything that the engine remembers. Make one with [NewState].
type State struct {
	Options Options
	Rules   map[int64]*RuleState // of the last step
	At      time.Time            // of the last step

	open    map[int64]*Alarm
	recent  []*Alarm // ended within Options.Reopen
	next    int64
	memory  map[string]*memory
	waiting []*Condition // raised, in no alarm yet
	events  []Event
	touched map[int64]*Alarm

	pollsDue, pollsLate int64
	pollsAt             time.Time
	lateShare           float64
	lateKnown           bool
}

// NewState is the state after a start: open are the alarms of the record, which
// are held until there is data that says otherwise; recent are those that ended
// a short while ago; next is the number of the next alarm.
func NewState(o Options, open, recent []*Alarm, next int64) *State {
	o.fill()
	s := &State{Options: o, Rules: map[int64]*RuleState{}, open: map[int64]*Alarm{}, next: max(next, 1), memory: map[string]*memory{}, recent: recent}
	for _, a := range open {
		s.open[a.ID] = a
		s.next = max(s.next, a.ID+1)
		for i := range a.Members {
			m := &a.Members[i]
			if !m.Left.IsZero() {
				continue
			}
			m.Stale = true
			mem := s.remember(m.Subject)
			mem.conds = append(mem.conds, &Condition{Rule: m.Rule, Subject: m.Subject, Since: m.Since, Raised: m.Raised, Last: m.Raised, Value: m.Value,
				Detail: m.Detail, Stale: true, Raises: m.Raises, Alarm: a.ID, name: m.Name, memory: mem})
		}
	}
	return s
}

func (s *State) remember(subject string) *memory {
	m, ok := s.memory[subject]
	if !ok {
		m = &memory{}
		s.memory[subject] = m
	}
	return m
}

// Open are the alarms that are not over, the most urgent and then the newest
// first. They must not be changed.
func (s *State) Open() []*Alarm {
	out := make([]*Alarm, 0, len(s.open))
	for _, a := range s.open {
		out = append(out, a)
	}
	slices.SortFunc(out, func(a, b *Alarm) int {
		return cmp.Or(cmp.Compare(b.Severity.Rank(), a.Severity.Rank()), b.Opened.Compare(a.Opened), cmp.Compare(b.ID, a.ID))
	})
	return out
}

// Get is one open alarm.
func (s *State) Get(id int64) (*Alarm, bool) {
	a, ok := s.open[id]
	return a, ok
}

// Outcome is what a step changed.
type Outcome struct {
	Events  []Event
	Changed []*Alarm // opened, changed or ended, by number
}

// Step holds an observation against rules and moves every alarm on. It changes s
// and nothing else. Rules that were checked ([Rule.Check]) are taken; a rule that
// is gone or switched off ends its conditions.
func (s *State) Step(rules []Rule, o Observation, now time.Time) Outcome {
	s.events, s.touched, s.At = nil, map[int64]*Alarm{}, now
	s.waiting = s.waiting[:0]
	for id := range s.Rules {
		delete(s.Rules, id)
	}
	by := map[string][]*ruled{}
	known := map[int64]*ruled{}
	for i := range rules {
		r := &rules[i]
		info, ok := infoOf(r.Watch)
		if r.Off || !ok {
			continue
		}
		st := &RuleState{}
		s.Rules[r.ID] = st
		x := &ruled{rule: r, info: &info, state: st, all: r.Match.All()}
		by[info.Of] = append(by[info.Of], x)
		known[r.ID] = x
	}
	seen := make(map[string]bool, len(s.open)*8)
	for i := range o.Machines {
		s.stepMachine(&o.Machines[i], by["machine"], seen, now)
	}
	for i := range o.Devices {
		d := &o.Devices[i]
		s.stepOther(d.Subject, d.Name, d.Kind, d.Where, by["device"], seen, now, func(r *Rule) (float64, bool) { return deviceValue(r.Watch, d, now) },
			func(r *Rule, _ float64) string { return explainDevice(r.Watch, d) })
	}
	for i := range o.Caps {
		c := &o.Caps[i]
		s.stepOther(c.Subject, c.Name, "", c.Where, by["cap"], seen, now, func(*Rule) (float64, bool) { return c.share(now) },
			func(_ *Rule, v float64) string { return c.explain(v) })
	}
	s.stepSelf(&o.Self, by["ballast"], seen, now)
	s.forget(seen, known, now)
	s.group(&o, now)
	s.settle(&o, now)
	return s.outcome()
}

// ruled is a rule at work.
type ruled struct {
	rule  *Rule
	info  *WatchInfo
	state *RuleState
	all   bool
}

func (s *State) stepMachine(m *Machine, rules []*ruled, seen map[string]bool, now time.Time) {
	mem := s.remember(m.Subject)
	if len(mem.conds) > 0 {
		seen[m.Subject] = true
	}
	st := stand(m, now)
	mem.learn(m, st.fresh, now)
	for _, x := range rules {
		if !x.all && !x.rule.Match.picks(traits{m.Subject, m.Where, m.Model, m.Family, m.Group}) {
			s.calm(mem, x, elsewhere, now)
			continue
		}
		if st.off {
			x.state.Off++
			s.calm(mem, x, "off on purpose", now)
			continue
		}
		if len(m.Wishes) > 0 && excused(x.info, m, now) {
			x.state.Excused++
			s.hold(mem, x, m.Name, m.Where)
			continue
		}
		v, ok := value(x.info.Watch, x.rule, m, st, mem, now)
		if !ok {
			x.state.CanNot++
			s.hold(mem, x, m.Name, m.Where)
			continue
		}
		x.state.Judged++
		if c := s.judge(mem, m.Subject, x, v, now); c != nil {
			c.name, c.where, c.of = m.Name, m.Where, "machine"
			if c.Detail == "" || c.Raised.IsZero() || c.Calm.IsZero() {
				c.Detail = explain(x.info.Watch, x.rule, m, v, mem)
			}
			c.rollout = ""
			if !mem.changed.IsZero() && now.Sub(mem.changed) < 6*time.Hour && mem.version != "" {
				c.rollout = m.Where.Site + "\x1f" + m.Family + " " + mem.version
			}
		}
	}
	if len(mem.conds) > 0 {
		seen[m.Subject] = true
	}
}

func (s *State) stepOther(subject, name, kind string, where *Where, rules []*ruled, seen map[string]bool, now time.Time, value func(*Rule) (float64, bool), explain func(*Rule, float64) string) {
	mem := s.remember(subject)
	for _, x := range rules {
		if !applies(x.rule.Watch, kind) {
			continue
		}
		if !x.all && !x.rule.Match.picks(traits{subject: subject, where: where}) {
			s.calm(mem, x, elsewhere, now)
			continue
		}
		v, ok := value(x.rule)
		if !ok {
			x.state.CanNot++
			s.hold(mem, x, name, where)
			continue
		}
		x.state.Judged++
		if c := s.judge(mem, subject, x, v, now); c != nil {
			c.name, c.where, c.of, c.Detail = name, where, x.info.Of+"/"+kind, explain(x.rule, v)
		}
	}
	if len(mem.conds) > 0 {
		seen[subject] = true
	}
}

// applies tells whether a device of a kind has what is watched at all.
func applies(w Watch, kind string) bool {
	return kind == "cooling" || w != SupplyHot && w != CoolingAlarm
}

// lateWindow is what the share of late polls is over.
const lateWindow = 2 * time.Minute

func (s *State) stepSelf(b *Ballast, rules []*ruled, seen map[string]bool, now time.Time) {
	switch {
	case b.At.IsZero():
	case s.pollsAt.IsZero() || b.PollsDue < s.pollsDue || b.PollsLate < s.pollsLate:
		s.pollsDue, s.pollsLate, s.pollsAt, s.lateKnown = b.PollsDue, b.PollsLate, now, false
	case now.Sub(s.pollsAt) >= lateWindow:
		due, late := b.PollsDue-s.pollsDue, b.PollsLate-s.pollsLate
		s.lateKnown = due > 0
		s.lateShare = float64(late) / float64(max(due, 1))
		s.pollsDue, s.pollsLate, s.pollsAt = b.PollsDue, b.PollsLate, now
	}
	s.stepOther("self/ballast", "Ballast", "", NewWhere(Where{}), rules, seen, now, func(r *Rule) (float64, bool) { return s.selfValue(r.Watch, b) },
		func(r *Rule, v float64) string { return explainSelf(r.Watch, b, v) })
}

func (s *State) selfValue(w Watch, b *Ballast) (float64, bool) {
	switch {
	case b.At.IsZero():
		return 0, false
	case w == StorageFailing:
		return truth(b.Failing), true
	}
	return s.lateShare, s.lateKnown
}

func explainSelf(w Watch, b *Ballast, v float64) string {
	if w == StorageFailing {
		return b.Error
	}
	return fmt.Sprintf("%.1f %% of polls late", v*100)
}

func (m *memory) find(rule int64) *Condition {
	for _, c := range m.conds {
		if c.Rule == rule {
			return c
		}
	}
	return nil
}

// judge moves a condition on with a value that is known. It returns the
// condition when there is one.
func (s *State) judge(mem *memory, subject string, x *ruled, v float64, now time.Time) *Condition {
	r := x.rule
	beyond, calm := v >= r.Raise, v <= r.Clear
	if !x.info.Above {
		beyond, calm = v <= r.Raise, v >= r.Clear
	}
	c := mem.find(r.ID)
	if c == nil {
		if !beyond {
			return nil
		}
		c = &Condition{Rule: r.ID, Subject: subject, Since: now, memory: mem}
		mem.conds = append(mem.conds, c)
	}
	c.rule, c.info, c.Value, c.Stale = r, x.info, v, false
	switch {
	case c.dormant():
		if !beyond {
			return nil
		}
		c.Since, c.Detail = now, ""
	case !beyond && !calm: // between the levels everything stays as it is
		c.Calm = time.Time{}
	case calm && c.Raised.IsZero():
		c.sleep()
		return nil
	case calm:
		if c.Calm.IsZero() {
			c.Calm = now
		}
		if now.Sub(c.Calm) >= c.damped() {
			s.release(c, "cleared", now)
			return nil
		}
	default:
		c.Calm = time.Time{}
	}
	if c.Raised.IsZero() && beyond && now.Sub(c.Since) >= r.raiseAfter() {
		if now.Sub(c.Last) > flapWindow {
			c.Raises = 0
		}
		c.Raised, c.Last = now, now
		c.Raises++
	}
	s.count(c, x)
	return c
}

// dormant: not beyond the level, kept only for how often it was.
func (c *Condition) dormant() bool { return c.Since.IsZero() }

func (c *Condition) sleep() {
	c.Since, c.Raised, c.Calm, c.Alarm, c.Stale = time.Time{}, time.Time{}, time.Time{}, 0, false
}

// damped is how long a value must stay calm: longer each time the condition came
// back within the flap window, so that what flaps stays one alarm.
func (c *Condition) damped() time.Duration {
	return c.rule.clearAfter() << min(max(c.Raises-1, 0), 4)
}

func (s *State) count(c *Condition, x *ruled) {
	switch {
	case c.dormant():
	case c.Raised.IsZero():
		x.state.Pending++
	default:
		x.state.Raised++
		if c.Alarm == 0 {
			s.waiting = append(s.waiting, c)
		}
	}
}

// hold keeps what is raised while nothing is known; what is not raised yet begins
// anew, for a rule wants its value beyond the level all the time.
func (s *State) hold(mem *memory, x *ruled, name string, where *Where) {
	c := mem.find(x.rule.ID)
	if c == nil || c.dormant() {
		return
	}
	c.rule, c.info, c.name, c.where, c.Calm = x.rule, x.info, name, where, time.Time{}
	if c.Raised.IsZero() {
		c.sleep()
		return
	}
	c.Stale = true
	s.count(c, x)
}

// calm ends a condition at once.
func (s *State) calm(mem *memory, x *ruled, why string, now time.Time) {
	if c := mem.find(x.rule.ID); c != nil && !c.dormant() {
		c.rule, c.info = x.rule, x.info
		s.release(c, why, now)
	}
}

// release ends a condition and takes it out of its alarm.
func (s *State) release(c *Condition, why string, now time.Time) {
	if a := s.open[c.Alarm]; a != nil {
		for i := range a.Members {
			if m := &a.Members[i]; m.Left.IsZero() && m.Subject == c.Subject && m.Rule == c.Rule {
				m.Left, m.Why = now, why
			}
		}
		s.touch(a)
	}
	c.sleep()
}

// forget ends the conditions of subjects and rules that are no more, and drops
// what needs no remembering.
func (s *State) forget(seen map[string]bool, known map[int64]*ruled, now time.Time) {
	for subject, mem := range s.memory {
		if len(mem.conds) == 0 {
			continue
		}
		mem.conds = slices.DeleteFunc(mem.conds, func(c *Condition) bool {
			if c.dormant() {
				return now.Sub(c.Last) > flapWindow
			}
			if !seen[subject] {
				s.release(c, "not there any more", now)
				return true
			}
			if known[c.Rule] == nil {
				s.release(c, "its rule is gone or switched off", now)
				return true
			}
			return false
		})
	}
	s.recent = slices.DeleteFunc(s.recent, func(a *Alarm) bool { return now.Sub(a.Ended) > s.Options.Reopen })
}

func (s *State) touch(a *Alarm) { s.touched[a.ID] = a }

func (s *State) tell(a *Alarm, kind EventKind, at time.Time, detail string) {
	s.events = append(s.events, Event{Alarm: a.ID, At: at, Kind: kind, Detail: detail})
	s.touch(a)
}

func (s *State) outcome() Outcome {
	out := Outcome{Events: s.events}
	for _, a := range s.touched {
		out.Changed = append(out.Changed, a)
	}
	slices.SortFunc(out.Changed, func(a, b *Alarm) int { return cmp.Compare(a.ID, b.ID) })
	s.events, s.touched = nil, map[int64]*Alarm{}
	return out
}
