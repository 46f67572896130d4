package forecast

import (
	"fmt"
	"math"

	"ballast/learn"
)

// Grove are boosted trees that forecast one hour at a time, all hours learned
// together. They learn anew every Renew days, on days that the calendar gives.
//
// What they answer for a day depends on the days before it and on nothing else.
type Grove struct {
	Window  int // days of the past that are learned
	Renew   int // days between two trainings
	Shift   int // of the days on which it learns
	How     learn.Boosting
	Workers int
	// Linear lets the trees learn what a linear model of all hours leaves, instead of
	// the whole: trees cannot go on along a line that they have not seen the end of.
	Linear bool

	trees *learn.Trees
	born  int // date of the first day that is not learned
	unit  scale
	line  linear // when Linear
}

// treeInputs is how many inputs there are with k known series.
func treeInputs(k int) int { return 20 + 8*k }

// row writes the inputs of hour h of day d, prices as differences from the level.
func (g *Grove) row(p *Panel, d, h int, level float64, out []float64) {
	n := 0
	put := func(v float64) { out[n] = v; n++ }
	at := func(day [Hours]float64, h int) float64 { return day[min(max(h, 0), Hours-1)] }
	y := p.Price[d-1]
	put(y[h] - level)
	put(at(y, h-1) - level)
	put(at(y, h+1) - level)
	put(at(y, h-2) - at(y, h+2))
	for _, lag := range []int{2, 3, 7} {
		put(p.Price[d-lag][h] - level)
	}
	put(y[Hours-1] - level)
	put(y[Hours-1] - y[Hours-3])
	mean, low, high, sd := around(y[:])
	put(mean - level)
	put(low - level)
	put(high - level)
	put(sd)
	mean, _, _, _ = around(p.Price[d-2][:])
	put(mean - level)
	same := 0.0
	for lag := 1; lag <= 7; lag++ {
		same += p.Price[d-lag][h] / 7
	}
	put(same - level)
	put(level)
	put(float64(h))
	put(float64((int(p.Date(d).Weekday()) + 6) % 7))
	put(y[h] - p.Price[min(d-2, d-1)][h])
	put(p.Price[d-1][h] - p.Price[max(d-8, 0)][h])
	for k := range p.Known {
		x := p.Known[k]
		mean, low, high, _ := around(x[d][:])
		put(x[d][h])
		put(x[d][h] - x[d-1][h])
		put(x[d][h] - x[d-7][h])
		put(at(x[d], h+1) - at(x[d], h-1))
		put(x[d][h] - mean)
		put(high - low)
		before, _, _, _ := around(x[d-1][:])
		put(mean - before)
		put(mean)
	}
}

// Forecast is the forecast of day d.
func (g *Grove) Forecast(p *Panel, d int) (out [Hours]float64, err error) {
	b := max(d-(p.day(d)+g.Shift)%g.Renew, 8+leastDays)
	if d < b || d > p.Days() {
		return out, fmt.Errorf("day %d of %d: %w", d, p.Days(), ErrTooShort)
	}
	cols := treeInputs(len(p.Known))
	if g.Linear {
		cols++
	}
	if g.trees == nil || g.born != p.day(b) {
		if err := g.learn(p, b, cols); err != nil {
			return out, err
		}
	}
	row := make([]float64, cols)
	level := week(p, d).median
	var straight [Hours]float64
	if g.Linear {
		g.line.fit.Predict(g.line.row(p, d, nil), straight[:])
	}
	for h := range Hours {
		g.row(p, d, h, level, row)
		if g.Linear {
			row[cols-1] = straight[h]
		}
		out[h] = level + g.unit.straighten(math.Max(-9, math.Min(9, straight[h]+g.trees.Score(row))))
	}
	return out, nil
}

// learn grows the trees on the days before b.
func (g *Grove) learn(p *Panel, b, cols int) (err error) {
	first := max(8, b-g.Window)
	var x, y, all []float64
	for i := first; i < b; i++ {
		level := week(p, i).median
		for h := range Hours {
			x = append(x, make([]float64, cols)...)
			g.row(p, i, h, level, x[len(x)-cols:])
			all = append(all, p.Price[i][h]-level)
		}
	}
	g.unit = newScale(all)
	for _, v := range all {
		y = append(y, g.unit.bend(v))
	}
	table := learn.Table{X: x, Y: y, Columns: cols}
	if g.Linear {
		if _, table.Margin, err = g.line.learn(p, first, b, y); err != nil {
			return err
		}
		for i, v := range table.Margin {
			x[(i+1)*cols-1] = v
		}
	}
	how := g.How
	how.Workers, how.Seed = g.Workers, uint64(p.day(b))
	if g.trees, err = learn.Boost(table, nil, how); err != nil {
		return err
	}
	g.born = p.day(b)
	return nil
}
