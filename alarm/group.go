package alarm

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Cause is what the members of an alarm have in common.
type Cause struct {
	By       Dimension `json:"by"`
	Key      string    `json:"-"`
	Keep     string    `json:"key"` // Key as text that can be stored anywhere
	Name     string    `json:"name"`
	Affected int       `json:"affected"` // at most at once
	Total    int       `json:"total"`    // that should work there: those off on purpose do not count
}

// Restore makes a cause whole that was read from the record.
func (c *Cause) Restore() { c.Key = strings.ReplaceAll(c.Keep, "|", "\x1f") }

func causeOf(by Dimension, key, name string, affected, total int) Cause {
	return Cause{by, key, strings.ReplaceAll(key, "\x1f", "|"), name, affected, total}
}

// String is the cause in words: "container C01".
func (c Cause) String() string {
	if c.By == BySubject {
		return c.Name
	}
	return c.By.String() + " " + c.Name
}

func (c *Condition) key(d Dimension) string {
	switch {
	case d == ByVersion:
		return c.rollout
	case c.where == nil || d >= dimensions || d == ByLoop && c.info.Class != Heat:
		return "" // a loop brings heat, and nothing else
	}
	return c.where.keys[d]
}

func (c *Condition) nameOf(d Dimension) string {
	if d == ByVersion {
		_, name, _ := strings.Cut(c.rollout, "\x1f")
		return name
	}
	return c.where.name(d)
}

// window is how far apart conditions of one trouble may begin: a breaker takes
// all at once, heat and rollouts take their time.
func (s *State) window(c Class) time.Duration {
	switch c {
	case Heat:
		return 6 * s.Options.Window
	case Change:
		return 12 * s.Options.Window
	}
	return s.Options.Window
}

// pool is what may be explained together.
type pool struct {
	class Class
	rule  int64  // 0: all of the class
	of    string // kind of subject
}

func poolOf(c *Condition) pool {
	p := pool{class: c.info.Class, of: c.of}
	switch c.info.Class {
	case Work, Pool, Load, Self:
		p.rule = c.Rule
	}
	return p
}

// totals counts what should work, by pool's kind and key of each dimension.
type totals map[string][dimensions]map[string]int

func (s *State) totals(o *Observation, now time.Time) totals {
	t := totals{}
	add := func(of string, w *Where, rollout string) {
		dims, ok := t[of]
		if !ok {
			for d := range dims {
				dims[d] = map[string]int{}
			}
			t[of] = dims
		}
		for d := range dims {
			key := w.keys[d]
			if Dimension(d) == ByVersion {
				key = rollout
			}
			if key != "" {
				dims[d][key]++
			}
		}
	}
	for i := range o.Machines {
		m := &o.Machines[i]
		if stand(m, now).off {
			continue
		}
		rollout := ""
		if mem := s.memory[m.Subject]; mem != nil && !mem.changed.IsZero() && now.Sub(mem.changed) < 6*time.Hour {
			rollout = m.Where.Site + "\x1f" + m.Family + " " + mem.version
		}
		add("machine", m.Where, rollout)
	}
	for i := range o.Devices {
		add("device/"+o.Devices[i].Kind, o.Devices[i].Where, "")
	}
	for i := range o.Caps {
		add("cap/", o.Caps[i].Where, "")
	}
	return t
}

// group puts every raised condition that is in no alarm into one.
func (s *State) group(o *Observation, now time.Time) {
	if len(s.waiting) == 0 {
		return
	}
	s.join(now)
	var order []pool
	pools := map[pool][]*Condition{}
	for _, c := range s.waiting {
		p := poolOf(c)
		if _, ok := pools[p]; !ok {
			order = append(order, p)
		}
		pools[p] = append(pools[p], c)
	}
	var t totals
	for _, p := range order {
		conds := pools[p]
		// Once one of them has waited long enough, all are looked at together.
		if !slices.ContainsFunc(conds, func(c *Condition) bool { return now.Sub(c.Raised) >= s.Options.Gather }) && p.of == "machine" {
			continue
		}
		if t == nil {
			t = s.totals(o, now)
		}
		for _, c := range s.explain(p, conds, t, now) {
			s.single(c, now)
		}
	}
}

// join adds conditions to open alarms whose cause covers them and which still
// grow.
func (s *State) join(now time.Time) {
	type at struct {
		class Class
		by    Dimension
		key   string
	}
	covers := map[at]*Alarm{}
	for _, a := range s.Open() {
		k := at{a.Class, a.Cause.By, a.Cause.Key}
		if a.Cause.By != BySubject && now.Sub(a.Grown) <= s.window(a.Class) && covers[k] == nil {
			covers[k] = a
		}
	}
	if len(covers) == 0 {
		return
	}
	s.waiting = slices.DeleteFunc(s.waiting, func(c *Condition) bool {
		for d := range dimensions {
			key := c.key(d)
			if key == "" {
				continue
			}
			a := covers[at{c.info.Class, d, key}]
			if a == nil || c.info.Class != Heat && !a.under(c.Rule) {
				continue
			}
			s.add(a, c, now)
			return true
		}
		return false
	})
}

// under tells whether the alarm has an active member of a rule.
func (a *Alarm) under(rule int64) bool {
	return slices.ContainsFunc(a.Members, func(m Member) bool { return m.Rule == rule && m.Left.IsZero() })
}

// candidate is a condition with the alarm that it is in, if any.
type candidate struct {
	c *Condition
	a *Alarm
}

// explain finds what conditions of one pool have in common, makes and widens
// alarms, and returns the conditions that have nothing in common.
func (s *State) explain(p pool, fresh []*Condition, t totals, now time.Time) []*Condition {
	var cands []candidate
	for _, c := range fresh {
		cands = append(cands, candidate{c: c})
	}
	for _, a := range s.Open() {
		if a.Class != p.class || now.Sub(a.Opened) > s.window(p.class) {
			continue
		}
		for i := range a.Members {
			m := &a.Members[i]
			if !m.Left.IsZero() {
				continue
			}
			if c := s.memory[m.Subject].find(m.Rule); c != nil && c.info != nil && c.where != nil && poolOf(c) == p {
				cands = append(cands, candidate{c, a})
			}
		}
	}
	for len(cands) > 0 {
		cause, ok := best(cands, t[p.of])
		if !ok {
			break
		}
		var rest, in []candidate
		news := 0
		for _, x := range cands {
			if x.c.key(cause.By) != cause.Key {
				rest = append(rest, x)
				continue
			}
			in = append(in, x)
			if x.a == nil {
				news++
			}
		}
		if news > 0 {
			s.widen(cause, in, t[p.of], now)
		}
		cands = rest
	}
	var left []*Condition
	for _, x := range cands {
		if x.a == nil {
			left = append(left, x.c)
		}
	}
	return left
}

const (
	fewest = 3    // that have a common cause
	crowd  = 10   // at once in one place is no chance, however large the place
	thin   = 0.02 // but for this share
)

// best is the cause that explains candidates best: that hits most of what it
// names and names most of what is hit (the harmonic mean of the two).
func best(cands []candidate, total [dimensions]map[string]int) (Cause, bool) {
	subjects := map[string]bool{}
	counts := [dimensions]map[string]int{}
	firsts := map[string]*Condition{}
	for d := range counts {
		counts[d] = map[string]int{}
	}
	for _, x := range cands {
		if subjects[x.c.Subject] {
			continue
		}
		subjects[x.c.Subject] = true
		for d := range dimensions {
			if k := x.c.key(d); k != "" {
				if counts[d][k] == 0 {
					firsts[d.String()+k] = x.c
				}
				counts[d][k]++
			}
		}
	}
	var found Cause
	score := 0.0
	for d := range dimensions {
		for key, k := range counts[d] {
			n := max(total[d][key], k)
			share := float64(k) / float64(n)
			if !(k >= fewest && share >= 0.5 || k >= crowd && share >= thin && d != ByVersion) {
				continue
			}
			recall := float64(k) / float64(len(subjects))
			f := 2 * share * recall / (share + recall)
			if f > score+1e-9 || f > score-1e-9 && found.By == d && key < found.Key {
				score, found = f, causeOf(d, key, firsts[d.String()+key].nameOf(d), k, n)
			}
		}
	}
	return found, score > 0
}

// widen makes an alarm of a cause, or lets the oldest one that it contains grow
// to it and take in the others.
func (s *State) widen(cause Cause, in []candidate, total [dimensions]map[string]int, now time.Time) {
	var target *Alarm
	var others []*Alarm
	for _, a := range s.Open() {
		if a.Class != in[0].c.info.Class || !s.inside(a, cause) || !slices.ContainsFunc(in, func(x candidate) bool { return x.a == a }) && a.Class != Heat {
			continue
		}
		switch {
		case target == nil:
			target = a
		case a.Opened.Before(target.Opened) || a.Opened.Equal(target.Opened) && a.ID < target.ID:
			others = append(others, target)
			target = a
		default:
			others = append(others, a)
		}
	}
	opened := target == nil
	if opened {
		target = s.open1(cause, in[0].c, now)
	} else if target.Cause.By != cause.By || target.Cause.Key != cause.Key {
		s.tell(target, EventCause, now, fmt.Sprintf("from %s to %s", target.Cause, cause))
		target.Cause = cause
	}
	slices.SortFunc(others, func(a, b *Alarm) int { return cmp.Compare(a.ID, b.ID) })
	for _, a := range others {
		s.merge(a, target, now)
	}
	n := 0
	for _, x := range in {
		if x.c.Alarm == 0 {
			s.put(target, x.c, now)
			n++
		}
	}
	target.Cause.Total = max(target.Cause.Total, cause.Total)
	target.Also = also(cause, in, total)
	if opened {
		s.begin(target, now)
	} else if n > 0 {
		s.tell(target, EventGrew, now, fmt.Sprintf("%d more: %d of %d", n, target.Active(), target.Cause.Total))
	}
}

// inside tells whether all that is active in an alarm is covered by a cause.
func (s *State) inside(a *Alarm, cause Cause) bool {
	any := false
	for i := range a.Members {
		m := &a.Members[i]
		if !m.Left.IsZero() {
			continue
		}
		c := s.memory[m.Subject].find(m.Rule)
		if c == nil || c.where == nil || c.key(cause.By) != cause.Key {
			return false
		}
		any = true
	}
	return any
}

// also are other dimensions in which the same subjects, and hardly others,
// belong together.
func also(cause Cause, in []candidate, total [dimensions]map[string]int) (out []Cause) {
	subjects := map[string]*Condition{}
	for _, x := range in {
		subjects[x.c.Subject] = x.c
	}
	for d := range dimensions {
		if d == cause.By || d == BySite || d == ByBuilding {
			continue
		}
		key := in[0].c.key(d)
		if key == "" || total[d][key] > len(subjects)*11/10 {
			continue
		}
		all := true
		for _, c := range subjects {
			all = all && c.key(d) == key
		}
		if all {
			out = append(out, causeOf(d, key, in[0].c.nameOf(d), len(subjects), max(total[d][key], len(subjects))))
		}
	}
	return out
}

// single opens an alarm for one condition, or adds it to one that its subject
// is in already.
func (s *State) single(c *Condition, now time.Time) {
	for _, o := range c.memory.conds {
		if a := s.open[o.Alarm]; a != nil && o != c && follows(a, c) {
			s.add(a, c, now)
			return
		}
	}
	if c.info.Of == "machine" && now.Sub(c.Raised) < s.Options.Gather {
		return // it may still turn out to have company
	}
	a := s.open1(causeOf(BySubject, c.Subject, c.name, 1, 1), c, now)
	if c.info.Class == Heat && c.info.Of == "device" {
		// What the loop cools belongs to it.
		for _, d := range []Dimension{ByContainer, ByLoop} {
			if key := c.key(d); key != "" {
				a.Cause = causeOf(d, key, c.nameOf(d), 1, 1)
				break
			}
		}
	}
	s.put(a, c, now)
	s.begin(a, now)
}

// follows tells whether a condition on a subject of an alarm is part of the same
// trouble. One machine's troubles are one alarm; in an alarm of many only what
// the common cause does to a machine is.
func follows(a *Alarm, c *Condition) bool {
	if a.Cause.By == BySubject {
		return true
	}
	consequence := c.info.Watch == HashrateLow || c.info.Watch == MachineDown || c.info.Watch == FaultTold || c.info.Watch == ChipsMissing
	switch a.Class {
	case Heat:
		return c.info.Class == Heat || consequence && c.info.Watch != ChipsMissing
	case Work:
		return consequence
	}
	return a.Class == c.info.Class
}

func (s *State) add(a *Alarm, c *Condition, now time.Time) {
	s.put(a, c, now)
	s.tell(a, EventGrew, now, fmt.Sprintf("%s: %s", c.name, c.rule.Title))
}

// put makes a condition a member of an alarm.
func (s *State) put(a *Alarm, c *Condition, now time.Time) {
	c.Alarm = a.ID
	m := Member{Subject: c.Subject, Name: c.name, Rule: c.Rule, Watch: c.info.Watch, Severity: c.rule.Severity, Value: c.Value, Detail: c.Detail,
		Place: c.where.Place(), Since: c.Since, Raised: c.Raised, Raises: c.Raises}
	a.Grown = now
	s.touch(a)
	// One that comes back takes its old line.
	if i := slices.IndexFunc(a.Members, func(o Member) bool { return o.Subject == c.Subject && o.Rule == c.Rule }); i >= 0 {
		a.Members[i] = m
		return
	}
	a.Members = append(a.Members, m)
}

// open1 makes an alarm, or brings back the one that ended a short while ago and
// was about the same.
func (s *State) open1(cause Cause, c *Condition, now time.Time) *Alarm {
	for i, a := range s.recent {
		if a.Class == c.info.Class && a.Phase == Resolved && a.Cause.By == cause.By && a.Cause.Key == cause.Key && slices.ContainsFunc(a.Members, func(m Member) bool { return m.Rule == c.Rule }) {
			s.recent = slices.Delete(s.recent, i, i+1)
			a.Phase, a.Ended, a.Since = Open, time.Time{}, c.Since
			a.Reopened++
			if a.Reopened == 1 && !a.Acked() {
				a.Told = nil // tell once more; what comes and goes is not told every time
			}
			s.open[a.ID] = a
			return a
		}
	}
	site := ""
	if c.where != nil {
		site = c.where.Site
	}
	a := &Alarm{ID: s.next, Class: c.info.Class, Phase: Open, Site: site, Cause: cause, Opened: now, Since: c.Since, Severity: Info}
	s.next++
	s.open[a.ID] = a
	return a
}

func (s *State) begin(a *Alarm, now time.Time) {
	for i := range a.Members {
		if m := &a.Members[i]; m.Left.IsZero() && m.Since.Before(a.Since) {
			a.Since = m.Since
		}
	}
	s.refresh(a)
	kind := EventOpened
	if a.Reopened > 0 {
		kind = EventReopened
	}
	s.tell(a, kind, now, a.Title)
}

// merge makes all that is active in a part of into.
func (s *State) merge(a, into *Alarm, now time.Time) {
	for i := range a.Members {
		m := &a.Members[i]
		if !m.Left.IsZero() {
			continue
		}
		if c := s.memory[m.Subject].find(m.Rule); c != nil {
			s.put(into, c, now)
		}
		m.Left, m.Why = now, fmt.Sprintf("part of alarm %d", into.ID)
	}
	into.Since = earlier(into.Since, a.Since)
	if a.Acked() && !into.Acked() && a.Severity.Rank() >= into.Severity.Rank() {
		into.AckedAt, into.AckedBy, into.AckNote = a.AckedAt, a.AckedBy, a.AckNote
	}
	a.Phase, a.Into, a.Ended = Merged, into.ID, now
	delete(s.open, a.ID)
	s.tell(a, EventMerged, now, fmt.Sprintf("into alarm %d, %s", into.ID, into.Cause))
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
