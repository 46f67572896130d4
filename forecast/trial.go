package forecast

import (
	"context"
	"fmt"
	"slices"

	"ballast/learn"
)

// Trial is an ensemble's forecasts of the last days of a panel, each from the
// days before it, and what they are compared with.
type Trial struct {
	Market string
	First  int                         // day of the panel
	Said   [][Hours]float64            // of each day: the point forecast
	Parts  map[string][][Hours]float64 // the same of the models it is made of
	Order  []string                    // their names
	Cone   Tally                       // of the distributions
	Plain  Tally                       // of rolling residual quantiles around the same point forecast
	Used   Used                        // processor seconds, the days before the first included
	Before int                         // those days: errors of theirs are learned from
}

// quarter is the days of which coverage is told one by one.
const quarter = 91

// Tally is how distributions did.
type Tally struct {
	Pinball  float64   `json:"pinball"`  // mean over hours and levels
	Cover90  float64   `json:"cover90"`  // share of hours between the quantiles of 5 and 95 %
	Quarters []float64 `json:"quarters"` // the same of each 91 days; of the last ones when half of them are there
	days     int
	counts   []float64
}

func (t *Tally) add(levels []float64, values [][]float64, mean, came [Hours]float64) {
	if t.days%quarter == 0 {
		t.Quarters, t.counts = append(t.Quarters, 0), append(t.counts, 0)
	}
	d := Distribution{Levels: levels, Values: values, Mean: mean[:]}
	for h := range Hours {
		s := d.Score(h, came[h])
		t.Pinball += s.Pinball
		if s.In90 {
			t.Cover90++
			t.Quarters[len(t.Quarters)-1]++
		}
		t.counts[len(t.counts)-1]++
	}
	t.days++
}

func (t *Tally) end() {
	n := float64(t.days * Hours)
	t.Pinball, t.Cover90 = t.Pinball/n, t.Cover90/n
	for i := range t.Quarters {
		t.Quarters[i] /= t.counts[i]
	}
	if last := len(t.counts) - 1; last > 0 && t.counts[last] < quarter*Hours/2 {
		t.Quarters = t.Quarters[:last]
	}
}

// Try forecasts the last days of a panel one after the other. clock tells
// processor seconds; told is called after each forecast, those of the days before
// the first included (both may be nil). When ctx ends it answers for the days that
// it came to.
func Try(ctx context.Context, e *Ensemble, p *Panel, days int, clock func() float64, told func(done, days int)) (*Trial, error) {
	first := p.Days() - days
	if days < 1 || first < leastPast+14 {
		return nil, fmt.Errorf("the last %d of %d days: %w", days, p.Days(), ErrTooShort)
	}
	t := &Trial{Market: p.Market, First: first, Parts: make(map[string][][Hours]float64)}
	if clock == nil {
		clock = func() float64 { return 0 }
	}
	if told == nil {
		told = func(int, int) {}
	}
	levels := learn.Levels(99)
	var past []outlook
	var errors [][Hours]float64
	e.clock, e.watch = clock, func(o []outlook) { past = o }
	defer func() { e.clock, e.watch = nil, nil }()
	e.Progress = func(done, of int) {
		if len(t.Said) == 0 { // making up for the days before
			t.Before = of
			told(done, of+days)
		}
	}
	for d := first; d < p.Days(); d++ {
		if ctx.Err() != nil {
			break
		}
		began, models := clock(), e.used.models()
		f, err := e.Forecast(p, d)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", p.Date(d).Format("2006-01-02"), err)
		}
		e.used.Cone += clock() - began - (e.used.models() - models)
		if len(t.Said) == 0 {
			// The errors that the point forecast would have had on the days before.
			t.Before = len(past) - 1
			for i := 28; i < t.Before; i++ {
				errors = append(errors, misses(cone(past[:i+1], levels), past[i].came))
			}
		}
		today := [Hours]float64(f.Mean)
		t.Said = append(t.Said, today)
		t.parts(&past[len(past)-1].said, past[len(past)-1].mean)
		t.Cone.add(levels, f.Values, today, p.Price[d])
		t.Plain.add(levels, plainCone(errors, today, levels), today, p.Price[d])
		errors = append(errors, misses(f.Values, p.Price[d]))
		if over := len(errors) - plainDays; over > 0 {
			errors = errors[over:]
		}
		told(t.Before+len(t.Said), t.Before+days)
	}
	if len(t.Said) == 0 {
		return nil, ctx.Err()
	}
	t.Cone.end()
	t.Plain.end()
	t.Used = e.used
	return t, nil
}

// plainDays are the days whose errors the plain cone takes.
const plainDays = 182

// misses are a day's errors of the medians.
func misses(values [][]float64, came [Hours]float64) (out [Hours]float64) {
	for h, q := range values {
		out[h] = came[h] - q[len(q)/2]
	}
	return out
}

func (t *Trial) parts(o *opinion, mixed [Hours]float64) {
	add := func(name string, said ...[Hours]float64) {
		if len(said) == 0 {
			return
		}
		if len(t.Said) == 1 {
			t.Order = append(t.Order, name)
		}
		var m [Hours]float64
		for h := range Hours {
			m[h] = meanOf(said, h)
		}
		t.Parts[name] = append(t.Parts[name], m)
	}
	for i, f := range o.Lear {
		name := fmt.Sprintf("LEAR, window %d of %d", i+1, len(o.Lear))
		if len(o.Lear) == len(Windows) {
			name = fmt.Sprintf("LEAR %d", Windows[i])
		}
		add(name, f)
	}
	add("LEAR, mean", o.Lear...)
	add("networks, mean", o.Nets...)
	add("networks, prices bent less", o.Softs...)
	if len(o.Fan) > 0 {
		add("networks' quantiles, median", o.Fan[fanMiddle])
	}
	add("trees, mean", append(slices.Clone(o.Trees), o.Lined...)...)
	add("line and kernel", o.Kernel...)
	add("all, weighed", mixed)
}
