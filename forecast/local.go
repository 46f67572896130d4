package forecast

import (
	"fmt"
	"math"
	"time"
)

// Hourly is one hour of a series, as a feed gives it.
type Hourly struct {
	At    time.Time
	Price float64   // NaN: not known
	Known []float64 // what was known ahead of the day; NaN: missing
}

// NewPanel lays hours (rising in time, gaps allowed) into local days of 24: the
// hour that a day of 23 leaves out is the mean of its neighbours, the two that a
// day of 25 has under one name are their mean. Hours that are missing are NaN.
// The first day is the first with an hour at midnight; the last may have no
// prices yet.
func NewPanel(market string, zone *time.Location, names []string, hours []Hourly) (*Panel, error) {
	p := &Panel{Market: market, Names: names, Known: make([][][Hours]float64, len(names))}
	var count [][Hours]int
	midnight := func(t time.Time) time.Time {
		y, m, d := t.In(zone).Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	void := [Hours]float64{}
	for h := range void {
		void[h] = math.NaN()
	}
	add := func(to *float64, v float64, n int) {
		switch {
		case n == 0 || math.IsNaN(*to):
			*to = v
		case !math.IsNaN(v):
			*to = (*to*float64(n) + v) / float64(n+1)
		}
	}
	begun := false
	for i, x := range hours {
		if len(x.Known) != len(names) || i > 0 && !x.At.After(hours[i-1].At) {
			return nil, fmt.Errorf("hour %d at %s: %d series, want %d, rising in time: %w", i, x.At, len(x.Known), len(names), ErrFormat)
		}
		h := x.At.In(zone).Hour()
		if !begun {
			if h != 0 {
				continue
			}
			p.First, begun = midnight(x.At), true
		}
		d := int(midnight(x.At).Sub(p.First) / (24 * time.Hour))
		if d > 1<<16 {
			return nil, fmt.Errorf("hour %d at %s: %d days after the first: %w", i, x.At, d, ErrFormat)
		}
		for len(p.Price) <= d {
			p.Price, count = append(p.Price, void), append(count, [Hours]int{})
			for k := range p.Known {
				p.Known[k] = append(p.Known[k], void)
			}
		}
		n := count[d][h]
		add(&p.Price[d][h], x.Price, n)
		for k, v := range x.Known {
			add(&p.Known[k][d][h], v, n)
		}
		count[d][h]++
	}
	if !begun {
		return nil, fmt.Errorf("no hour at midnight in %d: %w", len(hours), ErrTooShort)
	}
	for d := range p.Price {
		h, ok := skipped(p.Date(d), zone)
		if !ok {
			continue
		}
		for _, day := range append([][][Hours]float64{p.Price}, p.Known...) {
			if math.IsNaN(day[d][h]) && h > 0 && h < Hours-1 {
				day[d][h] = (day[d][h-1] + day[d][h+1]) / 2
			}
		}
	}
	return p, nil
}

// skipped is the hour that a zone's clock leaves out on a date.
func skipped(date time.Time, zone *time.Location) (int, bool) {
	for h := range Hours {
		if at := time.Date(date.Year(), date.Month(), date.Day(), h, 0, 0, 0, zone); at.Hour() != h {
			return h, true
		}
	}
	return 0, false
}

// Local is the distribution of a panel's day laid on the clock of a zone: it
// starts at local midnight and has 23, 24 or 25 slots; the hour that the clock
// shows twice has the same forecast twice.
func (d *Distribution) Local(zone *time.Location) *Distribution {
	y, m, day := d.Start.Date()
	out := *d
	out.Start = time.Date(y, m, day, 0, 0, 0, 0, zone)
	out.Values, out.Mean, out.Spike = nil, nil, nil
	for at := out.Start; at.Before(time.Date(y, m, day+1, 0, 0, 0, 0, zone)); at = at.Add(time.Hour) {
		h := at.In(zone).Hour()
		out.Values, out.Mean = append(out.Values, d.Values[h]), append(out.Mean, d.Mean[h])
		if d.Spike != nil {
			out.Spike = append(out.Spike, d.Spike[h])
		}
	}
	return &out
}
