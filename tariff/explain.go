package tariff

import (
	"fmt"
	"strings"
	"time"
)

// Explain says in plain words what the contract charges at t, one sentence a
// part.
func (c *Contract) Explain(t time.Time) []string {
	v, ok := c.VersionAt(t)
	if !ok {
		return []string{fmt.Sprintf("%s is not in force on %v.", c.Name, DateOf(t.In(c.loc)))}
	}
	span := fmt.Sprintf("from %v", v.From)
	if v.To != (Date{}) {
		span += fmt.Sprintf(" to %v", v.To)
	}
	first := fmt.Sprintf("%s, %s", c.Name, span)
	if v.Source != "" {
		first += ", by " + v.Source
	}
	out := []string{first + fmt.Sprintf(", settled every %v in %s, each line rounded %s.", minutesOf(c.Interval), c.Zone, c.Rounding)}
	if v.Losses > 0 {
		out = append(out, fmt.Sprintf("Energy is metered energy plus %v of losses.", v.Losses))
	}
	for i := range v.Parts {
		p := &v.Parts[i]
		out = append(out, p.Name+": "+c.explain(p)+".")
	}
	return out
}

func minutesOf(d time.Duration) string { return fmt.Sprintf("%d minutes", int(d.Minutes())) }

func (c *Contract) explain(p *Part) string {
	during := ""
	if p.Period != "" {
		during = " during " + p.Period
	}
	switch p.Kind {
	case Fixed, Adder:
		return p.Price.String() + during
	case TimeOfUse:
		var rates []string
		for _, r := range p.Rates {
			rates = append(rates, fmt.Sprintf("%v during %s", r.Price, r.Period))
		}
		if p.Otherwise != nil {
			rates = append(rates, p.Otherwise.String()+" otherwise")
		}
		return strings.Join(rates, ", ")
	case Index:
		return p.Market.explain()
	case TwoSettlement:
		return "the day-ahead award at " + p.DayAhead.explain() + "; what is drawn beyond or below it at " + p.RealTime.explain()
	case Block, PPA:
		var parts []string
		for _, b := range p.Blocks {
			s := fmt.Sprintf("%v at %v", b.Power, b.Price)
			if b.Period != "" {
				s += " during " + b.Period
			}
			parts = append(parts, s)
		}
		s := strings.Join(parts, " and ")
		if p.Take == "use" {
			s += " for what is used"
		} else {
			s += ", used or not"
		}
		if p.Excess != nil {
			s += "; beyond it " + p.Excess.explain()
		}
		if p.SellBack != nil {
			s += "; what is not used is sold at " + p.SellBack.explain()
		}
		return s
	case Demand:
		s := fmt.Sprintf("%v of the highest %s average of the month%s", p.Capacity, minutesOf(p.Over), during)
		if r := p.Ratchet; r != nil {
			s += fmt.Sprintf(", at least %v of the highest of the %d months before", r.Share, r.Months)
		}
		if p.Minimum > 0 {
			s += fmt.Sprintf(", at least %v", p.Minimum)
		}
		return s
	case Coincident:
		when := "of the year before"
		if p.Charged == "same-month" {
			when = "of the month"
		}
		return fmt.Sprintf("%v of the mean power at the peaks %s that %s selects", p.Capacity, when, p.PeakSet)
	case Fee:
		if p.Per == "day" {
			return p.Amount.String() + " a day"
		}
		return p.Amount.String() + " a month"
	case Tax:
		if len(p.On) > 0 {
			return p.Share.String() + " on " + strings.Join(p.On, ", ")
		}
		return p.Share.String() + " on all before that is no tax"
	}
	return string(p.Kind)
}

func (m *Market) explain() string {
	s := m.Series
	if m.Multiplier != nil {
		s = m.Multiplier.String() + " of " + s
	}
	if m.Floor != nil {
		s += ", at least " + m.Floor.String()
	}
	if m.Cap != nil {
		s += ", at most " + m.Cap.String()
	}
	switch {
	case m.Adder.Micro > 0:
		s += ", plus " + m.Adder.String()
	case m.Adder.Micro < 0:
		less := m.Adder
		less.Micro = -less.Micro
		s += ", less " + less.String()
	}
	f := &m.Fallback
	var steps []string
	if f.Hold > 0 {
		steps = append(steps, "its last known price up to "+minutesOf(f.Hold)+" old")
	}
	if f.Series != "" {
		steps = append(steps, f.Series)
	}
	if f.SameHour > 0 {
		steps = append(steps, fmt.Sprintf("the same hour of up to %d days before", f.SameHour))
	}
	if f.Price != nil {
		steps = append(steps, f.Price.String())
	}
	if len(steps) > 0 {
		s += " (when missing: " + strings.Join(steps, ", then ") + ")"
	}
	return s
}
