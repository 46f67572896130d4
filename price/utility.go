package price

import (
	"context"
	"slices"
	"time"

	"ballast/ledger"
	"ballast/tariff"
	"ballast/unit"
)

// grain divides every reading of a utility's meter.
const grain = 5 * time.Minute

// newest are the values that count, by name and start: a value hides those of
// earlier imports that it overlaps.
func newest(values []ledger.SiteValue) []ledger.SiteValue {
	values = slices.Clone(values)
	slices.SortStableFunc(values, func(a, b ledger.SiteValue) int { return int(b.Import - a.Import) })
	type cell struct {
		name string
		at   int64
	}
	owner := make(map[cell]int64, len(values))
	out := values[:0]
	for _, v := range values {
		free := true
		for at := v.Start; at.Before(v.Start.Add(v.Length)); at = at.Add(grain) {
			if by, ok := owner[cell{v.Name, at.Unix()}]; ok && by != v.Import {
				free = false
			}
		}
		// Also one that is hidden in part hides what is older: what it said of the
		// rest is not known, and the older is not true any more.
		for at := v.Start; at.Before(v.Start.Add(v.Length)); at = at.Add(grain) {
			if c := (cell{v.Name, at.Unix()}); owner[c] == 0 {
				owner[c] = v.Import
			}
		}
		if free {
			out = append(out, v)
		}
	}
	slices.SortStableFunc(out, func(a, b ledger.SiteValue) int {
		if a.Name != b.Name {
			return map[bool]int{true: -1, false: 1}[a.Name < b.Name]
		}
		return a.Start.Compare(b.Start)
	})
	return out
}

// summed adds the meters of a site up. An interval counts only where every meter
// that is in place then has a reading; meters with different intervals are
// brought to the shortest that all of them have.
func summed(values []ledger.SiteValue, meters []ledger.SiteMeter) []tariff.Interval {
	by := map[string][]ledger.SiteValue{}
	for _, v := range values {
		by[v.Name] = append(by[v.Name], v)
	}
	// The meters in place change only at these times.
	var turns []time.Time
	var last time.Time
	for _, m := range meters {
		turns = append(turns, m.First)
		if m.Last.After(last) {
			last = m.Last
		}
		if !m.Ended.IsZero() {
			turns = append(turns, m.Ended)
		}
	}
	turns = append(turns, last)
	slices.SortFunc(turns, time.Time.Compare)
	turns = slices.CompactFunc(turns, time.Time.Equal)
	var out []tariff.Interval
	for i := 0; i+1 < len(turns); i++ {
		var inPlace [][]ledger.SiteValue
		for _, m := range meters {
			if !m.First.After(turns[i]) && (m.Ended.IsZero() || m.Ended.After(turns[i])) {
				inPlace = append(inPlace, within(by[m.Name], turns[i], turns[i+1]))
			}
		}
		out = append(out, inStep(inPlace)...)
	}
	return out
}

// within are the values that lie in [from, to).
func within(list []ledger.SiteValue, from, to time.Time) []ledger.SiteValue {
	a, _ := slices.BinarySearchFunc(list, from, func(v ledger.SiteValue, t time.Time) int { return v.Start.Compare(t) })
	z, _ := slices.BinarySearchFunc(list, to, func(v ledger.SiteValue, t time.Time) int { return v.Start.Compare(t) })
	if z > a && list[z-1].Start.Add(list[z-1].Length).After(to) {
		z--
	}
	return list[a:z]
}

// inStep walks meters side by side: a sum ends where a reading of every one ends.
func inStep(meters [][]ledger.SiteValue) (out []tariff.Interval) {
	at := make([]int, len(meters))
	for len(meters) > 0 {
		var start time.Time
		for i, m := range meters {
			if at[i] >= len(m) {
				return out
			}
			if s := m[at[i]].Start; s.After(start) {
				start = s
			}
		}
		same := true
		for i, m := range meters {
			if m[at[i]].Start.Before(start) {
				at[i]++
				same = false
			}
		}
		if !same {
			continue
		}
		sum, estimated, whole := int64(0), false, true
		ends := make([]time.Time, len(meters))
		next := slices.Clone(at)
		take := func(i int) bool {
			m := meters[i]
			if next[i] >= len(m) || !ends[i].IsZero() && !m[next[i]].Start.Equal(ends[i]) {
				return false
			}
			sum += m[next[i]].Value
			estimated = estimated || m[next[i]].Estimated
			ends[i] = m[next[i]].Start.Add(m[next[i]].Length)
			next[i]++
			return true
		}
		for i := range meters {
			take(i)
		}
		for {
			end := slices.MaxFunc(ends, time.Time.Compare)
			behind := slices.IndexFunc(ends, func(e time.Time) bool { return e.Before(end) })
			if behind < 0 {
				break
			}
			if end.Sub(start) > time.Hour || !take(behind) {
				whole = false
				break
			}
		}
		if !whole {
			at[0]++ // from the next start that all have
			continue
		}
		out = append(out, tariff.Interval{Start: start, Length: ends[0].Sub(start), Energy: unit.Some(unit.Energy(sum)), Estimated: estimated})
		at = next
	}
	return out
}

// utility is what the utility's meters of a site have in intervals that touch
// [from, to), as they count now.
func (d *Desk) utility(ctx context.Context, site string, from, to time.Time) ([]tariff.Interval, []ledger.SiteMeter, error) {
	meters, err := d.Record.SiteMeters(ctx, site, ledger.UtilityMeter)
	if err != nil || len(meters) == 0 {
		return nil, nil, err
	}
	values, err := d.Record.SiteValues(ctx, site, ledger.UtilityMeter, from, to)
	if err != nil {
		return nil, nil, err
	}
	return summed(newest(values), meters), meters, nil
}

// preferred puts the utility's intervals in the place of the site's own quarters.
// A quarter that the utility has in part only stays the site's own.
func preferred(own, utility []tariff.Interval) (out []tariff.Interval, from map[int64]bool) {
	covered := map[int64]time.Duration{} // by quarter
	each := func(i tariff.Interval, do func(q time.Time, part time.Duration)) {
		end := i.Start.Add(i.Length)
		for q := i.Start.Truncate(quarter); q.Before(end); q = q.Add(quarter) {
			a, z := q, q.Add(quarter)
			if a.Before(i.Start) {
				a = i.Start
			}
			if z.After(end) {
				z = end
			}
			do(q, z.Sub(a))
		}
	}
	for _, u := range utility {
		each(u, func(q time.Time, part time.Duration) { covered[q.Unix()] += part })
	}
	from = map[int64]bool{}
	for _, u := range utility {
		whole := true
		each(u, func(q time.Time, _ time.Duration) { whole = whole && covered[q.Unix()] == quarter })
		if whole {
			out = append(out, u)
			from[u.Start.Unix()] = true
			continue
		}
		// Its quarters are the site's own again.
		each(u, func(q time.Time, _ time.Duration) { covered[q.Unix()] = 0 })
	}
	// A quarter that lost a part loses the others too.
	kept := out[:0]
	for _, u := range out {
		whole := true
		each(u, func(q time.Time, _ time.Duration) { whole = whole && covered[q.Unix()] == quarter })
		if whole {
			kept = append(kept, u)
		} else {
			delete(from, u.Start.Unix())
			each(u, func(q time.Time, _ time.Duration) { covered[q.Unix()] = 0 })
		}
	}
	out = kept
	for _, o := range own {
		if covered[o.Start.Unix()] != quarter {
			out = append(out, o)
		}
	}
	slices.SortStableFunc(out, func(a, b tariff.Interval) int { return a.Start.Compare(b.Start) })
	return out, from
}

// awards are the day-ahead positions of a site, as they count now; none for a
// contract that does not ask for them.
func (d *Desk) awards(ctx context.Context, c Contract, from, to time.Time) ([]tariff.Award, error) {
	if !asksForAwards(c.Parsed) {
		return nil, nil
	}
	values, err := d.Record.SiteValues(ctx, c.Site, ledger.Award, from, to)
	if err != nil {
		return nil, err
	}
	var out []tariff.Award
	for _, v := range newest(values) {
		out = append(out, tariff.Award{Start: v.Start, Length: v.Length, Power: unit.Power(v.Value)})
	}
	return out, nil
}

func asksForAwards(c *tariff.Contract) bool {
	for i := range c.Versions {
		for j := range c.Versions[i].Parts {
			if c.Versions[i].Parts[j].Kind == tariff.TwoSettlement {
				return true
			}
		}
	}
	return false
}

// AwardDay is what a site was awarded day-ahead for a day.
type AwardDay struct {
	Day     string    `json:"day"`
	MWh     float64   `json:"mwh"`
	Hours   []AwardMW `json:"hours"`
	Missing float64   `json:"missing_h" doc:"Hours of the day without an award, not even of zero."`
}

// AwardMW is an award.
type AwardMW struct {
	From time.Time `json:"from"`
	To   time.Time `json:"to"`
	MW   float64   `json:"mw"`
}

// AwardDays are the awards of a month by day, the zone of these days, and
// whether a contract of the site asks for awards.
func (d *Desk) AwardDays(ctx context.Context, site string, month tariff.Month) (out []AwardDay, zone string, asked bool, err error) {
	all, err := d.Contracts(ctx)
	if err != nil {
		return nil, "", false, err
	}
	for _, c := range all {
		asked = asked || c.Site == site && c.Parsed != nil && asksForAwards(c.Parsed)
	}
	loc, err := d.zoneFor(ctx, site, "")
	if err != nil {
		loc = time.UTC
	}
	from, to := month.Span(loc)
	values, err := d.Record.SiteValues(ctx, site, ledger.Award, from, to)
	if err != nil {
		return nil, "", false, err
	}
	counting := newest(values)
	out = []AwardDay{}
	for day := from; day.Before(to); day = day.AddDate(0, 0, 1) {
		end := day.AddDate(0, 0, 1)
		one := AwardDay{Day: day.Format(time.DateOnly), Hours: []AwardMW{}, Missing: end.Sub(day).Hours()}
		for _, v := range within(counting, day, end) {
			mw := float64(v.Value) / 1e6
			one.Hours = append(one.Hours, AwardMW{v.Start, v.Start.Add(v.Length), mw})
			one.MWh += mw * v.Length.Hours()
			one.Missing -= v.Length.Hours()
		}
		out = append(out, one)
	}
	return out, loc.String(), asked, nil
}
