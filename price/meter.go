package price

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"ballast/tariff"
	"ballast/unit"
)

// Metered is what a site used, and who says so.
type Metered struct {
	Intervals []tariff.Interval `json:"-"`
	Source    string            `json:"source" doc:"\"utility meter ESI 1044\", \"meter main\", or the machines when there is no meter."`
	Measured  bool              `json:"measured" doc:"By a meter."`
	Whole     int               `json:"whole_intervals" doc:"Quarters of an hour that were measured from end to end."`
	Partly    int               `json:"partly_intervals" doc:"Quarters that were measured for half of the time or more, and reckoned up to the whole: estimates."`
	Lost      int               `json:"lost_intervals" doc:"Quarters that were measured for less: the contract says what stands in."`
	Utility   int               `json:"utility_intervals" doc:"Quarters of an hour that are the utility's."`
	Own       int               `json:"own_intervals" doc:"Quarters of an hour of the site's own meters, or machines."`

	theirs map[int64]bool // starts, in Unix seconds, of the utility's intervals
	names  [2]string      // whom the utility's and our own intervals come from
}

const quarter = 15 * time.Minute

// slack is what a quarter may miss and still count as measured: the seconds
// between two readings.
const slack = 20 * time.Second

// Metered is what a site used in [from, to): by the utility's meters where their
// readings were brought, else, by quarters, by its own.
func (d *Desk) Metered(ctx context.Context, site string, from, to time.Time) (Metered, error) {
	out, err := d.own(ctx, site, from, to)
	if err != nil {
		return out, err
	}
	out.names[1] = out.Source
	utility, meters, err := d.utility(ctx, site, from, to)
	if err != nil {
		return out, err
	}
	if len(utility) > 0 {
		var names []string
		for _, m := range meters {
			names = append(names, m.Name)
		}
		out.names[0] = "utility " + meterWord(names) + strings.Join(names, ", ")
		out.Intervals, out.theirs = preferred(out.Intervals, utility)
		out.Intervals = slices.DeleteFunc(out.Intervals, func(i tariff.Interval) bool { return i.Start.Add(i.Length).After(to) })
	}
	out.count(from, to)
	return out, nil
}

// count counts the intervals of a span, and says whose they are.
func (m *Metered) count(from, to time.Time) {
	m.Whole, m.Partly, m.Utility, m.Own = 0, 0, 0, 0
	var whole, partly, utility, own time.Duration
	for _, i := range m.Intervals {
		if i.Start.Before(from) || !i.Start.Before(to) {
			continue
		}
		if i.Estimated {
			partly += i.Length
		} else {
			whole += i.Length
		}
		if m.theirs[i.Start.Unix()] {
			utility += i.Length
		} else {
			own += i.Length
		}
	}
	m.Whole, m.Partly, m.Utility, m.Own = int(whole/quarter), int(partly/quarter), int(utility/quarter), int(own/quarter)
	m.Lost = max(int(to.Sub(from)/quarter)-int((whole+partly)/quarter), 0)
	switch {
	case m.Utility > 0 && m.Own > 0:
		m.Source = fmt.Sprintf("%s (%d quarters of an hour), %s (%d)", m.names[0], m.Utility, m.names[1], m.Own)
	case m.Utility > 0:
		m.Source = m.names[0]
	default:
		m.Source = m.names[1]
	}
	m.Measured = m.Measured || m.Utility > 0
}

// own is what a site used in the quarters of [from, to): by its meters, those
// behind others left out, or, without any, as its machines say.
func (d *Desk) own(ctx context.Context, site string, from, to time.Time) (Metered, error) {
	rows, err := d.Record.MeterEnergy(ctx, site, from, to)
	if err != nil {
		return Metered{}, err
	}
	if len(rows) == 0 {
		out := Metered{Source: "no meter and no machine told"}
		if d.Machines == nil {
			return out, nil
		}
		if out.Intervals, err = d.Machines(ctx, site, from, to); err != nil {
			return out, err
		}
		for i := range out.Intervals {
			out.Intervals[i].Estimated = true // what machines say of themselves is no meter
		}
		if len(out.Intervals) > 0 {
			out.Source = "the sum of the machines: there is no meter"
		}
		return out, nil
	}
	meters := map[string]bool{}
	type cell struct {
		joules  float64
		covered time.Duration // of the meter that was read least
		meters  int
	}
	cells := map[time.Time]*cell{}
	for _, r := range rows {
		meters[r.Meter] = true
		c := cells[r.At]
		if c == nil {
			c = &cell{covered: quarter}
			cells[r.At] = c
		}
		covered := min(r.Covered, quarter)
		c.meters++
		c.covered = min(c.covered, covered)
		if covered >= quarter/2 && covered < quarter-slack {
			c.joules += float64(r.Joules) * float64(quarter) / float64(covered)
		} else {
			c.joules += float64(r.Joules)
		}
	}
	names := slices.Sorted(maps.Keys(meters))
	out := Metered{Source: meterWord(names) + strings.Join(names, ", "), Measured: true}
	for _, at := range slices.SortedFunc(maps.Keys(cells), time.Time.Compare) {
		c := cells[at]
		switch {
		case at.Add(quarter).After(to): // still running
		case c.meters < len(names) || c.covered < quarter/2: // lost
		default:
			estimated := c.covered < quarter-slack
			out.Intervals = append(out.Intervals, tariff.Interval{Start: at, Length: quarter, Energy: unit.Some(unit.Energy(max(c.joules, 0))), Estimated: estimated})
		}
	}
	return out, nil
}

// meterWord says what follows: a name alone may be any word.
func meterWord(names []string) string {
	switch {
	case len(names) > 1:
		return fmt.Sprintf("%d meters: ", len(names))
	case strings.Contains(strings.ToLower(names[0]), "meter"):
		return ""
	}
	return "meter "
}
