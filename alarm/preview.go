package alarm

import (
	"slices"
	"time"
)

// Preview says what a rule would raise right now if its value stayed as it is:
// everything at or beyond its level. It changes nothing.
func (s *State) Preview(r Rule, o *Observation, now time.Time) ([]Member, RuleState, error) {
	var st RuleState
	if err := r.Check(); err != nil {
		return nil, st, err
	}
	info, _ := infoOf(r.Watch)
	out := []Member{}
	take := func(subject, name string, w *Where, v float64, ok bool, detail func() string) {
		if !ok {
			st.CanNot++
			return
		}
		st.Judged++
		if info.Above && v < r.Raise || !info.Above && v > r.Raise {
			return
		}
		st.Raised++
		out = append(out, Member{Subject: subject, Name: name, Watch: r.Watch, Severity: r.Severity, Value: v, Detail: detail(), Place: w.Place()})
	}
	switch info.Of {
	case "machine":
		for i := range o.Machines {
			m := &o.Machines[i]
			if !r.Match.picks(traits{m.Subject, m.Where, m.Model, m.Family, m.Group}) {
				continue
			}
			stand := stand(m, now)
			mem := s.memory[m.Subject]
			if mem == nil {
				mem = &memory{}
			}
			switch {
			case stand.off:
				st.Off++
			case excused(&info, m, now):
				st.Excused++
			default:
				v, ok := value(r.Watch, &r, m, stand, mem, now)
				take(m.Subject, m.Name, m.Where, v, ok, func() string { return explain(r.Watch, &r, m, v, mem) })
			}
		}
	case "device":
		for i := range o.Devices {
			d := &o.Devices[i]
			if applies(r.Watch, d.Kind) && r.Match.picks(traits{subject: d.Subject, where: d.Where}) {
				v, ok := deviceValue(r.Watch, d, now)
				take(d.Subject, d.Name, d.Where, v, ok, func() string { return explainDevice(r.Watch, d) })
			}
		}
	case "cap":
		for i := range o.Caps {
			c := &o.Caps[i]
			if r.Match.picks(traits{subject: c.Subject, where: c.Where}) {
				v, ok := c.share(now)
				take(c.Subject, c.Name, c.Where, v, ok, func() string { return c.explain(v) })
			}
		}
	case "ballast":
		if !o.Self.At.IsZero() {
			v, ok := s.selfValue(r.Watch, &o.Self)
			take("self/ballast", "Ballast", nil, v, ok, func() string { return explainSelf(r.Watch, &o.Self, v) })
		}
	}
	slices.SortStableFunc(out, func(a, b Member) int {
		d := b.Value - a.Value
		if !info.Above {
			d = -d
		}
		switch {
		case d > 0:
			return 1
		case d < 0:
			return -1
		}
		return 0
	})
	return out, st, nil
}
