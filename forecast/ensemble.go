package forecast

import (
	"fmt"
	"math"
	"slices"

	"ballast/learn"
)

// Ensemble forecasts the hours of a day with several models of different kinds
// and says how sure it is: LEAR over short and long windows and small networks,
// weighed by how they did on the days before; around their mean the errors of
// the days before, in proportion to what the present lets expect.
//
// It makes up for days that it was not asked for: the first answer needs the
// forecasts of History days, which takes a minute or two, later ones a second.
// What it has said of a past day it does not take back when a price of the past
// is corrected later: nobody could have known.
//
// One goroutine at a time may use it.
type Ensemble struct {
	Windows  []int                // of LEAR, in days; nil is 56, 84, 1092 and 1456
	Nets     *Nets                // nil is the networks of [DefaultNets]
	History  int                  // days from whose errors it learns; 0 is 182
	SpikeAt  float64              // price above which an hour is a spike; 0 is none
	Workers  int                  // goroutines; 0 is one
	Progress func(done, days int) // is told while it makes up for the past; may be nil

	cores map[string]*core
}

var _ Forecaster = (*Ensemble)(nil)

// Windows of LEAR as published.
var Windows = []int{56, 84, 1092, 1456}

// leastPast is how many days of the past a forecast needs at least: for the
// shortest window, and for some errors to learn from.
const leastPast = 56

// core is what is remembered for one set of known series.
type core struct {
	nets *Nets
	said map[int]opinion // by calendar date
}

// opinion is what each model said of a day before it came.
type opinion struct {
	lear [][Hours]float64
	nets [][Hours]float64 // each network
}

// Name and version.
func (e *Ensemble) Name() string { return "ensemble@1" }

// DefaultNets are the networks of the ensemble, as chosen on days before the test
// period of the open benchmark (docs/forecast.md).
func DefaultNets() *Nets {
	return &Nets{
		Members: 8, Hidden: []int{96, 96}, Window: 1456, Seed: 1, Renew: 56,
		First: learn.Training{Epochs: 60, Batch: 64, Rate: 2e-3, Cool: true, Decay: 1},
		Daily: learn.Training{Epochs: 1, Batch: 64, Rate: 2e-4, Decay: 1},
	}
}

// Forecast answers the distribution of day d. Known series that are missing at d,
// or that begin late, are left out; gaps in the past are filled with the week
// before; Notes says both.
func (e *Ensemble) Forecast(p *Panel, d int) (*Distribution, error) {
	view, notes, err := usable(p, d)
	if err != nil {
		return nil, err
	}
	c, err := e.core(view)
	if err != nil {
		return nil, err
	}
	history := e.History
	if history == 0 {
		history = 182
	}
	from := max(d-history, leastPast-14)
	if d-from < 14 {
		return nil, fmt.Errorf("day %d of %d, the least is %d: %w", d, p.Days(), leastPast, ErrTooShort)
	}
	past := make([]outlook, 0, d-from+1)
	for i := from; i <= d; i++ {
		o, ok := c.said[view.day(i)]
		if !ok {
			if o, err = e.ask(c, view, i); err != nil {
				return nil, err
			}
			c.said[view.day(i)] = o
			if e.Progress != nil && i < d {
				e.Progress(i-from+1, d-from)
			}
		}
		past = append(past, outlook{said: o, recent: recent(view, i)})
		if i < d {
			past[i-from].came = view.Price[i]
		}
	}
	for day := range c.said {
		if day < view.day(from)-7 {
			delete(c.said, day)
		}
	}
	mix(past)
	out := &Distribution{Series: p.Market, Issued: p.Date(d), Model: e.Name(), Start: p.Date(d), Slot: 3600e9, Levels: learn.Levels(99), Notes: notes}
	today := past[len(past)-1]
	out.Mean = slices.Clone(today.mean[:])
	out.Values = cone(past, out.Levels)
	if e.SpikeAt != 0 {
		out.SpikeAt = e.SpikeAt
		for s := range out.Values {
			out.Spike = append(out.Spike, out.above(s, e.SpikeAt))
		}
	}
	return out, out.Check()
}

// above is the probability that slot s is above a price, on the quantiles; beyond
// the outermost it is half of what is left there.
func (d *Distribution) above(s int, price float64) float64 {
	v := d.Values[s]
	n := len(v)
	switch {
	case price >= v[n-1]:
		return (1 - d.Levels[n-1]) / 2
	case price < v[0]:
		return 1 - d.Levels[0]/2
	}
	i := 1
	for v[i] <= price {
		i++
	}
	part := (price - v[i-1]) / (v[i] - v[i-1])
	return 1 - (d.Levels[i-1] + part*(d.Levels[i]-d.Levels[i-1]))
}

func (e *Ensemble) core(view *Panel) (*core, error) {
	if e.cores == nil {
		e.cores = make(map[string]*core)
	}
	key := fmt.Sprintf("%q", view.Names)
	c := e.cores[key]
	if c == nil {
		nets := e.Nets
		if nets == nil {
			nets = DefaultNets()
		}
		fresh := *nets
		fresh.alive, fresh.Workers = nil, max(e.Workers, 1)
		if fresh.Members > 0 && (fresh.Renew < 1 || fresh.Window < leastDays) {
			return nil, fmt.Errorf("networks that live %d days and learn %d: %w", fresh.Renew, fresh.Window, ErrTooShort)
		}
		c = &core{nets: &fresh, said: make(map[int]opinion)}
		e.cores[key] = c
	}
	return c, nil
}

// ask asks every model for day i.
func (e *Ensemble) ask(c *core, p *Panel, i int) (o opinion, err error) {
	windows := e.Windows
	if windows == nil {
		windows = Windows
	}
	last := 0
	for _, w := range windows {
		if w = min(w, i); w == last {
			continue // the past is shorter than both
		}
		last = w
		f, err := LEAR{Window: w, Workers: e.Workers}.Forecast(p, i)
		if err != nil {
			return o, err
		}
		o.lear = append(o.lear, f)
	}
	if c.nets.Members > 0 && i >= 7+leastDays {
		if o.nets, err = c.nets.Forecast(p, i); err != nil {
			return o, err
		}
	}
	return o, nil
}

// recent is the middle and the spread of the prices of the week before day i.
func recent(p *Panel, i int) scale {
	week := make([]float64, 0, 7*Hours)
	for _, day := range p.Price[i-7 : i] {
		week = append(week, day[:]...)
	}
	return newScale(week)
}

// usable is the panel without the known series that cannot be used for day d and
// with the gaps of the past filled.
func usable(p *Panel, d int) (*Panel, []string, error) {
	if d < leastPast || d > p.Days() {
		return nil, nil, fmt.Errorf("day %d of %d, the least is %d: %w", d, p.Days(), leastPast, ErrTooShort)
	}
	view := &Panel{Market: p.Market, First: p.First, Price: p.Price[:d]}
	var notes []string
	if n := gaps(view.Price); n > 0 {
		filled, ok := fill(view.Price)
		if !ok {
			return nil, nil, fmt.Errorf("%d of the past prices are missing, the first days among them: %w", n, ErrTooShort)
		}
		view.Price = filled
		notes = append(notes, fmt.Sprintf("%d past hours without a price were filled with the week before", n))
	}
	for k, series := range p.Known {
		name := fmt.Sprintf("series %d", k)
		if k < len(p.Names) {
			name = p.Names[k]
		}
		if len(series) <= d || gaps(series[d:d+1]) > 0 {
			notes = append(notes, fmt.Sprintf("%s is missing for the day: forecast without it", name))
			continue
		}
		n := gaps(series[:d])
		if n > 0 {
			filled, ok := fill(series[:d+1])
			if !ok || n > d*Hours/10 {
				notes = append(notes, fmt.Sprintf("%s misses %d past hours: forecast without it", name, n))
				continue
			}
			notes = append(notes, fmt.Sprintf("%s: %d past hours were filled with the week before", name, n))
			series = filled
		}
		view.Known, view.Names = append(view.Known, series), append(view.Names, name)
	}
	return view, notes, nil
}

func gaps(days [][Hours]float64) (n int) {
	for i := range days {
		for _, v := range days[i] {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				n++
			}
		}
	}
	return n
}

// fill puts in the place of each gap the same hour of the week before, or of the
// day before; false when there is neither.
func fill(days [][Hours]float64) ([][Hours]float64, bool) {
	out := slices.Clone(days)
	for i := range out {
		for h, v := range out[i] {
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				continue
			}
			switch {
			case i >= 7:
				out[i][h] = out[i-7][h]
			case i >= 1:
				out[i][h] = out[i-1][h]
			case h >= 1:
				out[i][h] = out[i][h-1]
			default:
				return nil, false
			}
		}
	}
	return out, true
}
