package alarm

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ballast/unit"
)

// settle brings every open alarm in line with its conditions: values, severity,
// title; what it shrank to; whether it is over.
func (s *State) settle(o *Observation, now time.Time) {
	var t totals
	for _, a := range s.Open() {
		s.copyValues(a)
		_, changed := s.touched[a.ID]
		active := a.Active()
		if active == 0 {
			a.Phase, a.Ended = Resolved, now
			delete(s.open, a.ID)
			s.recent = append(s.recent, a)
			s.tell(a, EventResolved, now, howEnded(a))
			continue
		}
		if !changed {
			continue
		}
		if left := leftNow(a, now); left > 0 {
			s.tell(a, EventShrank, now, fmt.Sprintf("%d fewer: %d left", left, active))
			if a.Cause.By != BySubject && a.Class != Change && active >= fewest && active*2 < a.Peak {
				if t == nil {
					t = s.totals(o, now)
				}
				s.narrow(a, t, now)
			}
		}
		was := a.Severity
		s.refresh(a)
		a.Hint = hint(a, o, now)
		if a.Severity.Rank() > was.Rank() && !a.Opened.Equal(now) {
			// More urgent than those who know were told: tell again, by its new severity.
			a.Told = nil
			a.AckedAt, a.AckedBy, a.AckNote = time.Time{}, "", ""
			s.tell(a, EventSeverity, now, fmt.Sprintf("from %s to %s", was, a.Severity))
		}
	}
}

func leftNow(a *Alarm, now time.Time) (n int) {
	for i := range a.Members {
		if a.Members[i].Left.Equal(now) {
			n++
		}
	}
	return n
}

func howEnded(a *Alarm) string {
	for _, m := range slices.Backward(a.Members) {
		if m.Why != "" && m.Left.Equal(a.Ended) {
			return m.Why
		}
	}
	return "cleared"
}

func (s *State) copyValues(a *Alarm) {
	for i := range a.Members {
		m := &a.Members[i]
		if !m.Left.IsZero() {
			continue
		}
		c := s.memory[m.Subject].find(m.Rule)
		if c == nil {
			continue
		}
		m.Value, m.Stale, m.Raises = c.Value, c.Stale, c.Raises
		if c.Detail != "" {
			m.Detail = c.Detail
		}
		if c.rule != nil {
			m.Severity, m.Watch = c.rule.Severity, c.rule.Watch
		}
	}
}

// narrow names what is left of a shrinking alarm by what that has in common, and
// splits it when it is several things by now.
func (s *State) narrow(a *Alarm, t totals, now time.Time) {
	var cands []candidate
	of := ""
	for i := range a.Members {
		m := &a.Members[i]
		if c := s.memory[m.Subject].find(m.Rule); m.Left.IsZero() && c != nil && c.info != nil && c.where != nil && m.Rule == a.Rule {
			cands = append(cands, candidate{c, a})
			of = c.of
		}
	}
	var parts []Cause
	var members [][]candidate
	for rest := cands; len(rest) > 0; {
		cause, ok := best(rest, t[of])
		if !ok || cause.By >= a.Cause.By && cause.By != ByVersion || float64(cause.Affected) < 0.5*float64(cause.Total) {
			break
		}
		var in, out []candidate
		for _, x := range rest {
			if x.c.key(cause.By) == cause.Key {
				in = append(in, x)
			} else {
				out = append(out, x)
			}
		}
		parts, members, rest = append(parts, cause), append(members, in), out
		if len(out) > 0 && len(out) < fewest {
			break
		}
	}
	if len(parts) == 0 {
		return
	}
	covered := 0
	for _, in := range members {
		covered += len(in)
	}
	if covered < len(cands) {
		return // a common name would leave some out
	}
	s.tell(a, EventCause, now, fmt.Sprintf("from %s to %s", a.Cause, parts[0]))
	a.Cause, a.Also, a.Peak = parts[0], nil, 0
	for i, cause := range parts[1:] {
		b := &Alarm{ID: s.next, Class: a.Class, Phase: Open, Site: a.Site, Cause: cause, Opened: now, Since: a.Since, Severity: Info, From: a.ID,
			AckedAt: a.AckedAt, AckedBy: a.AckedBy, AckNote: a.AckNote, Told: slices.Clone(a.Told)}
		s.next++
		s.open[b.ID] = b
		for _, x := range members[i+1] {
			for j := range a.Members {
				if m := &a.Members[j]; m.Subject == x.c.Subject && m.Left.IsZero() {
					m.Left, m.Why = now, fmt.Sprintf("split off into alarm %d", b.ID)
					if c := s.memory[m.Subject].find(m.Rule); c != nil {
						s.put(b, c, now)
					}
				}
			}
		}
		s.refresh(b)
		s.tell(b, EventSplit, now, fmt.Sprintf("from alarm %d: %s", a.ID, b.Title))
	}
}

// refresh works out severity, title and advice.
func (s *State) refresh(a *Alarm) {
	active := a.Active()
	a.Peak = max(a.Peak, active)
	a.Cause.Affected = a.Peak
	var top *Member
	worst := Info
	flaps := a.Reopened
	for i := range a.Members {
		m := &a.Members[i]
		if !m.Left.IsZero() {
			continue
		}
		if m.Severity.Rank() > worst.Rank() {
			worst = m.Severity
		}
		if top == nil || before(m, top) {
			top = m
		}
		flaps = max(flaps, m.Raises-1)
	}
	a.Flapping = flaps >= 2
	if top == nil {
		return
	}
	if a.Class != Change && worst != Info {
		switch {
		case a.Peak >= 20 && a.Cause.By != BySubject:
			worst = worst.up(2)
		case a.Peak >= fewest && a.Cause.By != BySubject:
			worst = worst.up(1)
		}
	}
	a.Severity = worst
	a.Rule = top.Rule
	c := s.memory[top.Subject].find(top.Rule)
	if c == nil || c.rule == nil {
		return
	}
	a.Means, a.Safe, a.Press = c.rule.Means, c.rule.Safe, c.rule.Press
	a.Title = titleOf(a, c.rule, active)
}

// first is the order in which troubles of one machine name it.
var first = []Watch{MachineSilent, MachineUnread, MachineDown, BoardMissing, FanFault, SupplyHot, CoolingAlarm, PowerOverCap, ChipHot, BoardHot, ChipsMissing, PoolDead, FaultTold, DataMissing, HashrateLow, RejectRate}

func before(m, o *Member) bool {
	if m.Severity != o.Severity {
		return m.Severity.Rank() > o.Severity.Rank()
	}
	i, j := slices.Index(first, m.Watch), slices.Index(first, o.Watch)
	if i < 0 {
		i = len(first)
	}
	if j < 0 {
		j = len(first)
	}
	return i < j
}

func titleOf(a *Alarm, r *Rule, active int) string {
	at := a.Cause.Name
	switch {
	case a.Cause.By == BySubject:
		if place := placeOf(a); place != "" && place != at {
			at += " (" + place + ")"
		}
		return r.Title + ": " + at
	case a.Class == Change:
		return fmt.Sprintf("%s: %d machines to %s", r.Title, a.Peak, a.Cause.Name)
	case a.Peak == 1:
		return r.Title + ": " + a.Cause.String()
	}
	words := "machines"
	if info, ok := infoOf(r.Watch); ok && info.Of != "machine" {
		words = "of " + info.Of + "s"
		if info.Of == "device" {
			words = "devices"
		}
	}
	count := fmt.Sprintf("%d of %d %s", active, max(a.Cause.Total, active), words)
	if active < a.Peak {
		count = fmt.Sprintf("%d %s, %d at worst", active, words, a.Peak)
	}
	return fmt.Sprintf("%s: %s, %s", r.Title, a.Cause, count)
}

func placeOf(a *Alarm) string {
	for i := range a.Members {
		if a.Members[i].Left.IsZero() {
			return a.Members[i].Place
		}
	}
	return ""
}

// hint says what instruments say about many machines that do not answer: a PDU
// that still delivers points to the network, one that does not to the power.
func hint(a *Alarm, o *Observation, now time.Time) string {
	if a.Class != Gone || a.Cause.By == BySubject {
		return ""
	}
	silent := map[string]bool{}
	for i := range a.Members {
		if a.Members[i].Left.IsZero() {
			silent[a.Members[i].Subject] = true
		}
	}
	pdus := map[string]bool{} // those with silent machines
	feeders := map[string]bool{}
	others := map[string]bool{} // PDUs and feeders with others too
	for i := range o.Machines {
		m := &o.Machines[i]
		if silent[m.Subject] {
			pdus[m.Where.keys[ByPDU]], feeders[m.Where.keys[ByFeeder]] = true, true
		} else {
			others[m.Where.keys[ByPDU]], others[m.Where.keys[ByFeeder]] = true, true
		}
	}
	var drawn unit.Power
	var names []string
	for i := range o.Devices {
		d := &o.Devices[i]
		p, ok := d.Power.Get()
		if !ok || d.Good.IsZero() || now.Sub(d.Good) > d.MaxAge || d.Where == nil {
			continue
		}
		pdu, feeder := d.Where.keys[ByPDU], d.Where.keys[ByFeeder]
		if pdu != "" && pdus[pdu] && !others[pdu] || pdu == "" && feeder != "" && feeders[feeder] && !others[feeder] {
			drawn += p
			names = append(names, d.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	if len(names) > 3 {
		names = append(names[:3], fmt.Sprintf("%d more", len(names)-3))
	}
	each := drawn / unit.Power(max(len(silent), 1))
	by := strings.Join(names, ", ")
	if each < 100 {
		return fmt.Sprintf("No power: %s measured at %s.", watts(drawn), by)
	}
	return fmt.Sprintf("Power is there (%s at %s): look at the network.", watts(drawn), by)
}
