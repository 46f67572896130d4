package tariff

import (
	"fmt"
	"slices"
	"time"

	"ballast/unit"
)

// Interval is what a meter counted over a span of time. Energy is missing when
// the meter was not read; an absent Interval is the same.
type Interval struct {
	Start     time.Time
	Length    time.Duration
	Energy    unit.Opt[unit.Energy] // rounded to whole joules, half to even
	Estimated bool                  // by whoever read the meter
}

func (i *Interval) end() time.Time { return i.Start.Add(i.Length) }

// meterRule is one entry of MeterRule.Missing.
type meterRule struct {
	name string
	days int        // look so many days back; 0: not this rule
	at   unit.Power // a fixed power
	mean bool
}

func meterRules(names []string) ([]meterRule, error) {
	if len(names) == 0 {
		names = []string{"last-week", "yesterday", "average"}
	}
	var out []meterRule
	for _, n := range names {
		switch n {
		case "yesterday":
			out = append(out, meterRule{name: "the same time the day before", days: 1})
		case "last-week":
			out = append(out, meterRule{name: "the same time a week before", days: 7})
		case "average":
			out = append(out, meterRule{name: "the average of the month", mean: true})
		default:
			p, err := unit.ParsePower(n)
			if err != nil || !(p >= 0 && p < 1e11) {
				return nil, fmt.Errorf("%q: want yesterday, last-week, average or a power such as %q", n, "12MW")
			}
			out = append(out, meterRule{name: "a power of " + p.String(), at: p})
		}
	}
	return out, nil
}

// slot is one settlement interval.
type slot struct {
	start     time.Time
	at        moment
	joules    int64 // metered
	estimated bool
	missing   bool
}

// usage is what the meter says for every settlement interval of a span.
type usage struct {
	slots     []slot
	estimates map[string]int // intervals by rule
	missing   int
	problems  []string
	quality   Status
}

// spread lays meter intervals onto the grid of slots from from to to: finer
// ones are summed, coarser ones are spread evenly, missing ones estimated by
// the contract's rules.
func (c *Contract) spread(from, to time.Time, meter []Interval) usage {
	u := usage{estimates: map[string]int{}}
	step := c.Interval
	n := int(to.Sub(from) / step)
	u.slots = make([]slot, n)
	covered := make([]time.Duration, n)
	estimated := make([]bool, n)
	known := map[int64]reading{} // by Unix second, of the span and before it, for estimates
	for i := range u.slots {
		start := from.Add(time.Duration(i) * step)
		u.slots[i].start = start
		u.slots[i].at = momentOf(start.In(c.loc))
	}
	var readings []Interval
	odd := 0
	for _, r := range meter {
		e, ok := r.Energy.Get()
		if !ok {
			continue
		}
		j, fits := joulesOf(e)
		offset := r.Start.Sub(from)
		aligned := r.Length >= step && r.Length%step == 0 && mod(offset, step) == 0 ||
			r.Length > 0 && r.Length < step && step%r.Length == 0 && r.Length%time.Second == 0 && mod(offset, r.Length) == 0
		if !aligned || !fits || j < 0 { // a meter of what is drawn cannot run backwards
			odd++
			continue
		}
		readings = append(readings, r)
	}
	slices.SortStableFunc(readings, func(a, b Interval) int { return a.Start.Compare(b.Start) })
	last := time.Time{}
	for i := range readings {
		r := &readings[i]
		// Of two readings of one interval the later given is the better.
		if i+1 < len(readings) && readings[i+1].Start.Equal(r.Start) {
			if readings[i+1].Energy != r.Energy || readings[i+1].Length != r.Length {
				u.problem("the meter has two readings for %s; the later given one is used", r.Start.In(c.loc).Format(stamp))
			}
			continue
		}
		if r.Start.Before(last) {
			odd++
			continue
		}
		last = r.end()
		j, _ := joulesOf(r.Energy.Or(0))
		if r.Length >= step {
			parts := int64(r.Length / step)
			var before int64
			for p := range parts {
				upTo, _ := mulDiv(j, p+1, parts) // cumulative, so the parts sum to the whole
				share := upTo - before
				before = upTo
				at := r.Start.Add(time.Duration(p) * step)
				if s := slotAt(from, at, step, n); s >= 0 {
					u.slots[s].joules += share
					covered[s] = step
					estimated[s] = estimated[s] || r.Estimated || parts > 1
				}
				known[at.Unix()] = reading{share, step}
			}
			continue
		}
		at := r.Start.Add(-mod(r.Start.Sub(from), step))
		if s := slotAt(from, at, step, n); s >= 0 {
			u.slots[s].joules += j
			covered[s] += r.Length
			estimated[s] = estimated[s] || r.Estimated
		}
		k := known[at.Unix()]
		known[at.Unix()] = reading{k.joules + j, k.covered + r.Length}
	}
	if odd > 0 {
		u.problem("%d meter readings do not lie on the contract's intervals of %v, overlap or cannot be, and are left out", odd, step)
	}
	var sum, count int64
	for i := range u.slots {
		if covered[i] == step {
			sum += u.slots[i].joules
			count++
		}
	}
	for i := range u.slots {
		s := &u.slots[i]
		if covered[i] == step {
			s.estimated = estimated[i]
			continue
		}
		if covered[i] > 0 {
			u.problem("the meter has only a part of the interval at %s", s.start.In(c.loc).Format(stamp))
		}
		c.estimate(s, &u, known, sum, count)
	}
	if len(u.estimates) > 0 {
		u.quality = Estimated
	}
	if u.missing > 0 {
		u.quality = Missing
		u.problem("%d intervals have no meter reading and nothing to estimate it from", u.missing)
	}
	return u
}

// reading is what meter intervals say of one settlement interval.
type reading struct {
	joules  int64
	covered time.Duration
}

func (c *Contract) estimate(s *slot, u *usage, known map[int64]reading, sum, count int64) {
	s.joules = 0
	for _, r := range c.Meter.rules {
		switch {
		case r.days > 0:
			k := known[daysBefore(s.start, c.loc, r.days).Unix()]
			if k.covered != c.Interval {
				continue
			}
			s.joules = k.joules
		case r.mean:
			if count == 0 {
				continue
			}
			s.joules = divRound(sum, count)
		default:
			j, ok := joulesOf(r.at.Over(c.Interval))
			if !ok {
				continue
			}
			s.joules = j
		}
		s.estimated = true
		u.estimates[r.name]++
		return
	}
	s.missing = true
	u.missing++
}

// daysBefore is the same time on the local clock so many days before.
func daysBefore(t time.Time, loc *time.Location, days int) time.Time {
	return t.In(loc).AddDate(0, 0, -days)
}

func (u *usage) problem(format string, args ...any) {
	const enough = 20
	switch len(u.problems) {
	case enough:
		u.problems = append(u.problems, "and more of this kind")
	case enough + 1:
	default:
		u.problems = append(u.problems, fmt.Sprintf(format, args...))
	}
}

func slotAt(from, at time.Time, step time.Duration, n int) int {
	d := at.Sub(from)
	if d < 0 || d%step != 0 || int(d/step) >= n {
		return -1
	}
	return int(d / step)
}

func mod(a, b time.Duration) time.Duration { return ((a % b) + b) % b }

// stamp is how instants stand in notes: with the offset, because one day of the
// year has an hour twice.
const stamp = "2006-01-02 15:04 -07:00"
