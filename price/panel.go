package price

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"ballast/forecast"
	"ballast/tariff"
	"ballast/tariff/feed"
)

// longest is how much of the past a panel holds: what the longest window of the
// published models needs, and a little.
const longest = 1500 * 24 * time.Hour

// mostKnown bounds the series that a model is shown beside the prices.
const mostKnown = 4

// operator is what a series' name begins with: "ercot" of "ercot.rtm.HB_NORTH".
// Series of one operator belong together.
func operator(series string) string {
	name, _, _ := strings.Cut(series, ".")
	return name
}

// zone is the clock of a series' market: what the operator publishes by, else the
// clock of a contract that asks for it.
func (d *Desk) zone(ctx context.Context, series string) *time.Location {
	if s := d.series[series]; s.Publish.Zone != nil {
		return s.Publish.Zone
	}
	for _, n := range d.names {
		if s := d.series[n]; operator(n) == operator(series) && s.Publish.Zone != nil {
			return s.Publish.Zone
		}
	}
	all, err := d.Contracts(ctx)
	if err != nil {
		return time.UTC
	}
	for _, c := range all {
		if c.Parsed != nil && slices.Contains(c.Parsed.Series(), series) {
			return c.Parsed.Location()
		}
	}
	return time.UTC
}

// knownAhead are the series that are there before the prices of a day are:
// forecasts of load and wind, and for real-time prices the day-ahead ones.
func (d *Desk) knownAhead(series string) []string {
	s := d.series[series]
	var out []string
	for _, n := range d.names {
		o := d.series[n]
		if n == series || operator(n) != operator(series) || !o.Publish.DayAhead || len(out) == mostKnown {
			continue
		}
		switch o.Quantity {
		case feed.Load:
			out = append(out, n)
		case feed.EnergyPrice:
			// Prices of one auction are published together: none helps another.
			if !s.Publish.DayAhead {
				out = append(out, n)
			}
		}
	}
	return out
}

// hourly is a series by the hour, the mean of its intervals; hours of which less
// than half is there are missing.
func (d *Desk) hourly(ctx context.Context, series string, from, to time.Time) (map[int64]float64, error) {
	values, err := d.store.Range(ctx, series, from, to)
	if err != nil {
		return nil, err
	}
	type sum struct{ v, s float64 }
	sums := make(map[int64]sum, len(values))
	for _, v := range values {
		// A value longer than an hour counts in each that it covers.
		for at := v.Start; at.Before(v.Start.Add(v.Length)); {
			hour := at.Truncate(time.Hour)
			end := hour.Add(time.Hour)
			if e := v.Start.Add(v.Length); e.Before(end) {
				end = e
			}
			w := end.Sub(at).Seconds()
			k := hour.Unix()
			o := sums[k]
			sums[k] = sum{o.v + w*float64(v.Micro)/1e6, o.s + w}
			at = end
		}
	}
	out := make(map[int64]float64, len(sums))
	for k, o := range sums {
		if o.s >= 1800 {
			out[k] = o.v / o.s
		}
	}
	return out, nil
}

// laid is a panel with what was put in place of what is not there yet.
type laid struct {
	panel *forecast.Panel
	zone  *time.Location
	known []string
	notes []string
}

// day is the panel's number of a calendar day.
func (l *laid) day(date tariff.Date) int {
	return int(time.Date(date.Year, date.Month, date.Day, 0, 0, 0, 0, time.UTC).Sub(l.panel.First).Hours()/24 + 0.5)
}

// panel is the past of a series up to the end of a day. Hours of the day before
// that are not over are what the champion says of them.
func (d *Desk) panel(ctx context.Context, series string, date tariff.Date) (*laid, error) {
	l := &laid{zone: d.zone(ctx, series), known: d.knownAhead(series)}
	end := date.AddDays(1).In(l.zone)
	from := tariff.DateOf(end.Add(-longest).In(l.zone)).In(l.zone)
	price, err := d.hourly(ctx, series, from, date.In(l.zone))
	if err != nil {
		return nil, err
	}
	if len(price) == 0 {
		return nil, fmt.Errorf("%s has no prices: %w", series, forecast.ErrTooShort)
	}
	first := end
	for k := range price {
		if t := time.Unix(k, 0); t.Before(first) {
			first = t
		}
	}
	// From the first whole day.
	start := tariff.DateOf(first.In(l.zone))
	if start.In(l.zone).Before(first) {
		start = start.AddDays(1)
	}
	from = start.In(l.zone)
	known := make([]map[int64]float64, len(l.known))
	for i, n := range l.known {
		if known[i], err = d.hourly(ctx, n, from, end); err != nil {
			return nil, err
		}
	}
	stood := 0
	now := d.Now()
	var hours []forecast.Hourly
	for at := from; at.Before(end); at = at.Add(time.Hour) {
		h := forecast.Hourly{At: at, Price: math.NaN(), Known: make([]float64, len(known))}
		if v, ok := price[at.Unix()]; ok {
			h.Price = v
		} else if at.Before(date.In(l.zone)) && at.Add(time.Hour).After(now) {
			if mean, _, _, ok := d.expected(series, at); ok {
				h.Price = mean
				stood++
			}
		}
		for i := range known {
			h.Known[i] = math.NaN()
			if v, ok := known[i][at.Unix()]; ok {
				h.Known[i] = v
			}
		}
		hours = append(hours, h)
	}
	if l.panel, err = forecast.NewPanel(series, l.zone, l.known, hours); err != nil {
		return nil, err
	}
	if stood > 0 {
		l.notes = append(l.notes, fmt.Sprintf("%d hours of the day before are not over: the forecast of them stands in", stood))
	}
	return l, nil
}
