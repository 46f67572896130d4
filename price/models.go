package price

import (
	"fmt"
	"math"
	"slices"

	"ballast/forecast"
	"ballast/learn"
)

// model is one forecaster of one series, with what a person should know of it.
type model struct {
	forecast.Forecaster
	learns string // in words
	least  int    // days of the past
	base   bool   // a naive one: what others are measured against
}

// firstChampion is whose forecasts count before anything was measured.
const firstChampion = "lear@1"

// The naive models, by what they repeat.
const (
	naiveDay  = "naive-day@1"
	naiveWeek = "naive-week@1"
)

// modelsFor makes the models of a series. They remember what they said, so each
// series has its own.
func (d *Desk) modelsFor(series string) []*model {
	d.mu.Lock()
	defer d.mu.Unlock()
	if m := d.models[series]; m != nil {
		return m
	}
	how := d.Forecast
	out := []*model{
		{Forecaster: naive{naiveDay, 1, how.SpikeAt}, learns: "nothing: the same hour of the day before, as uncertain as it was in the last 56 days", least: 14, base: true},
		{Forecaster: naive{naiveWeek, 7, how.SpikeAt}, learns: "nothing: the same hour of the week before, as uncertain as it was in the last 56 days", least: 14, base: true},
		{Forecaster: named{firstChampion, d.recall(series, firstChampion, func() *forecast.Ensemble {
			return &forecast.Ensemble{Nets: &forecast.Nets{}, Softs: &forecast.Nets{}, Fans: &forecast.Nets{}, Groves: []forecast.Grove{}, Smooth: &forecast.Smooth{}, History: how.History, SpikeAt: how.SpikeAt, Workers: how.Threads}
		})}, learns: "lasso on the prices of the days before and on what is known ahead, over windows of 56, 84, 1092 and 1456 days (or all that is there)", least: 56 + 14},
		{Forecaster: d.recall(series, (&forecast.Ensemble{}).Name(), func() *forecast.Ensemble {
			return &forecast.Ensemble{Nets: light(forecast.DefaultNets()), Softs: light(forecast.DefaultSofts()), Fans: light(forecast.DefaultFans()), History: how.History, SpikeAt: how.SpikeAt, Workers: how.Threads}
		}), learns: "as lear, with small networks, boosted trees and a kernel beside, and errors in proportion to what the present lets expect", least: 56 + 14},
	}
	d.models[series] = out
	return out
}

// light are the networks of a service that shares its machine with the fleet:
// half as many as the benchmark's.
func light(n *forecast.Nets) *forecast.Nets {
	n.Members /= 2
	return n
}

// named is a forecaster under another name.
type named struct {
	name string
	forecast.Forecaster
}

// Name implements forecast.Forecaster.
func (n named) Name() string { return n.name }

// Forecast implements forecast.Forecaster.
func (n named) Forecast(p *forecast.Panel, d int) (*forecast.Distribution, error) {
	out, err := n.Forecaster.Forecast(p, d)
	if out != nil {
		out.Model = n.name
	}
	return out, err
}

// naive repeats the same hour of a day before; how far that was off on the days
// before says how sure it is.
type naive struct {
	name    string
	lag     int
	spikeAt float64
}

// naiveErrors is how many days' errors a naive model looks at.
const naiveErrors = 56

// Name implements forecast.Forecaster.
func (n naive) Name() string { return n.name }

// Forecast implements forecast.Forecaster.
func (n naive) Forecast(p *forecast.Panel, d int) (*forecast.Distribution, error) {
	if d < n.lag+7 || d > p.Days() {
		return nil, fmt.Errorf("day %d of %d: %w", d, p.Days(), forecast.ErrTooShort)
	}
	out := &forecast.Distribution{Series: p.Market, Model: n.name, Start: p.Date(d), Slot: 3600e9, Levels: levels()}
	missing := 0
	for h := range forecast.Hours {
		v := p.Price[d-n.lag][h]
		for back := n.lag + 7; math.IsNaN(v) && d-back >= 0; back += 7 {
			v = p.Price[d-back][h]
			missing++
		}
		if math.IsNaN(v) {
			return nil, fmt.Errorf("hour %d has no price to repeat: %w", h, forecast.ErrTooShort)
		}
		var errs []float64
		for i := max(n.lag, d-naiveErrors); i < d; i++ {
			for k := max(0, h-1); k <= min(forecast.Hours-1, h+1); k++ {
				if e := p.Price[i][k] - p.Price[i-n.lag][k]; !math.IsNaN(e) {
					errs = append(errs, e)
				}
			}
		}
		if len(errs) < 20 {
			return nil, fmt.Errorf("%d errors of the past: %w", len(errs), forecast.ErrTooShort)
		}
		slices.Sort(errs)
		row := make([]float64, len(out.Levels))
		for i, l := range out.Levels {
			row[i] = v + at(errs, l)
		}
		out.Values, out.Mean = append(out.Values, row), append(out.Mean, v)
		if n.spikeAt > 0 {
			above := 0
			for _, e := range errs {
				if v+e > n.spikeAt {
					above++
				}
			}
			out.SpikeAt = n.spikeAt
			out.Spike = append(out.Spike, float64(above)/float64(len(errs)))
		}
	}
	if missing > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("%d hours were missing and a week earlier stands in", missing))
	}
	return out, out.Check()
}

// levels are the quantiles that are kept of a forecast: every twentieth, and one
// in a hundred at either end.
func levels() []float64 {
	out := []float64{0.01}
	for i := 1; i < 20; i++ {
		out = append(out, float64(i)/20)
	}
	return append(out, 0.99)
}

// at is a quantile of sorted numbers, on a line between them.
func at(sorted []float64, q float64) float64 { return learn.Quantile(sorted, q) }

// thin keeps the levels that are kept, and rounds to a hundredth of a cent.
func thin(d *forecast.Distribution) *forecast.Distribution {
	out := *d
	out.Levels = levels()
	out.Values = make([][]float64, len(d.Values))
	round := func(v float64) float64 { return math.Round(v*1e4) / 1e4 }
	for s := range d.Values {
		row := make([]float64, len(out.Levels))
		for i, l := range out.Levels {
			row[i] = round(d.Quantile(s, l))
		}
		out.Values[s] = row
	}
	out.Mean = make([]float64, len(d.Mean))
	for s, v := range d.Mean {
		out.Mean[s] = round(v)
	}
	if d.Spike != nil {
		out.Spike = make([]float64, len(d.Spike))
		for s, v := range d.Spike {
			out.Spike[s] = round(v)
		}
	}
	return &out
}
