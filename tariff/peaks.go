package tariff

import (
	"fmt"
	"slices"
	"time"

	"ballast/unit"
)

// Coincident peaks: which intervals they are, and what the site drew in them.
// The rules are data, because they change: ERCOT's 4CP, one highest 15-minute
// interval in each of June to September, is to be replaced or amended by
// 2026-12-31 (PUCT project 58484 after Senate Bill 6).

// SystemLoad is the load of the whole system in an interval.
type SystemLoad struct {
	Start  time.Time
	Length time.Duration
	Load   unit.Power
	Status Status // provisional until the operator has settled it
}

// Peak is an interval that a rule selects.
type Peak struct {
	SystemLoad
	Group int // of the rule, from 0
}

// rule is the rule for a year, or nil.
func (s *PeakSet) rule(year int) *PeakRule {
	var r *PeakRule
	for i := range s.Rules {
		if s.Rules[i].Since <= year {
			r = &s.Rules[i]
		}
	}
	return r
}

// count is how many peaks the rule looks for in a year, or, with a month, in
// that month.
func (s *PeakSet) count(year int, month time.Month) int {
	r := s.rule(year)
	if r == nil {
		return 0
	}
	n := 0
	for _, g := range r.Groups {
		switch {
		case g.Per == "group" && month == 0:
			n += g.Count
		case month == 0:
			n += g.Count * len(g.Months)
		case g.Per != "group" && slices.Contains(g.Months, int(month)):
			n += g.Count
		}
	}
	return n
}

// SelectPeaks picks the peaks of a year among system loads by the rule in force
// in it, in the order of time. Loads of another length than the set's interval
// are passed over. With loads of a part of the year the answer is what would be
// selected if nothing came after. Of equal loads the earlier is the peak.
func (c *Contract) SelectPeaks(set string, year int, loads []SystemLoad) ([]Peak, error) {
	s := c.peaks(set)
	if s == nil {
		return nil, fmt.Errorf("no set of peaks is named %q", set)
	}
	r := s.rule(year)
	if r == nil {
		return nil, fmt.Errorf("%s has no rule for %d", set, year)
	}
	var out []Peak
	taken := map[int64]bool{}
	days := map[Date]bool{}
	ordered := c.descending(s, year, loads)
	for g, group := range r.Groups {
		left := map[time.Month]int{}
		for _, l := range ordered {
			t := l.Start.In(c.loc)
			if !c.within(&group, t) {
				continue
			}
			month := t.Month()
			if group.Per == "group" {
				month = 0
			}
			if left[month] >= group.Count || taken[l.Start.Unix()] || r.Apart && days[DateOf(t)] {
				continue
			}
			left[month]++
			taken[l.Start.Unix()], days[DateOf(t)] = true, true
			out = append(out, Peak{l, g})
		}
	}
	slices.SortFunc(out, func(a, b Peak) int { return a.Start.Compare(b.Start) })
	return out, nil
}

func (c *Contract) within(g *PeakGroup, t time.Time) bool {
	if !slices.Contains(g.Months, int(t.Month())) {
		return false
	}
	p := c.period(g.Period)
	return p == nil || p.has(c, momentOf(t))
}

func (c *Contract) descending(s *PeakSet, year int, loads []SystemLoad) []SystemLoad {
	var out []SystemLoad
	for _, l := range loads {
		if l.Length == s.Interval && l.Start.In(c.loc).Year() == year {
			out = append(out, l)
		}
	}
	slices.SortFunc(out, func(a, b SystemLoad) int {
		switch {
		case a.Load > b.Load:
			return -1
		case a.Load < b.Load:
			return 1
		}
		return a.Start.Compare(b.Start)
	})
	return out
}

// PeakThreshold is the system load that an interval at t must exceed to be a
// peak, given the loads so far: the least of those that would be selected now
// in its group. ok is false when the rule does not look at t at all; the
// threshold is 0 while there are fewer loads than peaks.
func (c *Contract) PeakThreshold(set string, t time.Time, loads []SystemLoad) (threshold unit.Power, ok bool) {
	s := c.peaks(set)
	t = t.In(c.loc)
	if s == nil || s.rule(t.Year()) == nil {
		return 0, false
	}
	so := slices.DeleteFunc(slices.Clone(loads), func(l SystemLoad) bool { return !l.Start.Before(t) })
	peaks, err := c.SelectPeaks(set, t.Year(), so)
	if err != nil {
		return 0, false
	}
	for g, group := range s.rule(t.Year()).Groups {
		if !c.within(&group, t) {
			continue
		}
		n, least := 0, unit.Power(0)
		for _, p := range peaks {
			if p.Group != g || group.Per != "group" && p.Start.In(c.loc).Month() != t.Month() {
				continue
			}
			if n++; n == 1 || p.Load < least {
				least = p.Load
			}
		}
		if n < group.Count {
			least = 0
		}
		if !ok || least < threshold {
			threshold, ok = least, true
		}
	}
	return threshold, ok
}

// DemandAtPeaks is what the site drew in each peak, by its meter. A peak that
// the meter does not cover wholly is left out and named in absent.
func (c *Contract) DemandAtPeaks(set string, peaks []Peak, meter []Interval) (out []PeakDemand, absent []time.Time) {
	for _, p := range peaks {
		var joules float64
		var covered time.Duration
		status := p.Status
		end := p.Start.Add(p.Length)
		for i := range meter {
			m := &meter[i]
			e, ok := m.Energy.Get()
			a, z := m.Start, m.end()
			if !ok || m.Length <= 0 || !a.Before(end) || !z.After(p.Start) {
				continue
			}
			if m.Estimated {
				status = Estimated
			}
			if a.Before(p.Start) {
				a, status = p.Start, Estimated // a part of a longer reading
			}
			if z.After(end) {
				z, status = end, Estimated
			}
			joules += float64(e) * float64(z.Sub(a)) / float64(m.Length)
			covered += z.Sub(a)
		}
		if covered != p.Length {
			absent = append(absent, p.Start)
			continue
		}
		out = append(out, PeakDemand{Set: set, Start: p.Start, Demand: unit.Power(joules / p.Length.Seconds()), Status: status, Source: "meter"})
	}
	return out, absent
}
