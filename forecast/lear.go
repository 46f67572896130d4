package forecast

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"ballast/learn"
)

// LEAR is the lasso-estimated autoregressive model of Uniejewski, Nowotarski and
// Weron (Energies 9(8), 2016) in the form of Lago et al. (Applied Energy 293,
// 2021): for each hour of the day one lasso on the prices of one, two, three and
// seven days before, the series known ahead of the day itself, the day before
// and the week before, and the day of the week.
//
// Columns are scaled by median and median absolute deviation and bent by asinh.
// The penalty is chosen on the lasso path of unit-length columns by the smallest
// n MSE / var(y) + 2 df (the criterion by which the published forecasts were
// made), then used on the columns as they are.
type LEAR struct {
	Window  int // days of the past that it learns from
	Workers int // hours at work at once; 0 is one
	// Level makes prices differences from the middle of the week before, which is
	// not in the published model: slow changes of the level then need no learning.
	Level bool
}

var priceLags = [...]int{1, 2, 3, 7}
var knownLags = [...]int{0, 1, 7}

const weekdays = 7

// columns is how many inputs there are with k known series.
func columns(k int) int { return Hours*(len(priceLags)+k*len(knownLags)) + weekdays }

// row writes the inputs of day d. It reads prices of days before d only.
func (p *Panel) row(d int, out []float64) {
	n := 0
	for _, lag := range priceLags {
		n += copy(out[n:], p.Price[d-lag][:])
	}
	for _, lag := range knownLags {
		for k := range p.Known {
			n += copy(out[n:], p.Known[k][d-lag][:])
		}
	}
	clear(out[n : n+weekdays])
	out[n+(int(p.Date(d).Weekday())-int(time.Monday)+7)%7] = 1
}

// Forecast is the point forecast of the 24 hours of day d, from days before d and
// what was known ahead of d.
func (m LEAR) Forecast(p *Panel, d int) (out [Hours]float64, err error) {
	first := d - m.Window + 7
	if m.Window < 14 || first < 7 || d > p.Days() || slices.ContainsFunc(p.Known, func(k [][Hours]float64) bool { return len(k) <= d }) {
		return out, fmt.Errorf("day %d with a window of %d days: %w", d, m.Window, ErrTooShort)
	}
	n, cols := d-first, columns(len(p.Known))
	x := make([]float64, (n+1)*cols)
	level := make([]float64, n+1)
	for i := range n + 1 { // the last row is the day to forecast
		row := x[i*cols : (i+1)*cols]
		p.row(first+i, row)
		if m.Level {
			level[i] = week(p, first+i).median
			for j := range Hours * len(priceLags) {
				row[j] -= level[i]
			}
		}
	}
	bent := cols - weekdays
	column := make([]float64, n)
	for j := range bent {
		for i := range n {
			column[i] = x[i*cols+j]
		}
		s := newScale(column)
		for i := range n + 1 {
			x[i*cols+j] = s.bend(x[i*cols+j])
		}
	}
	today := slices.Clone(x[n*cols:])
	gram, err := learn.NewGram(x[:n*cols], n, cols)
	if err != nil {
		return out, err
	}
	unit, length := gram.Unit()
	var least *learn.Least
	if n > cols {
		least = gram.Least()
	}

	var wg sync.WaitGroup
	workers := max(m.Workers, 1)
	errs := make([]error, workers)
	for w := range workers {
		wg.Go(func() {
			path := learn.NewLasso(cols)
			y, scaled := make([]float64, n), make([]float64, n)
			for h := w; h < Hours; h += workers {
				for i := range n {
					y[i] = p.Price[first+i][h] - level[i]
				}
				s := newScale(y)
				for i, v := range y {
					scaled[i] = s.bend(v)
				}
				t, err := gram.Target(scaled)
				if err != nil {
					errs[w] = err
					return
				}
				v := t.Mean
				for j, b := range choose(path, gram, unit, length, least, t) {
					if b != 0 {
						v += b * (today[j] - gram.Mean[j])
					}
				}
				out[h] = level[n] + s.straighten(v)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// choose finds the penalty on unit-length columns and the coefficients on the
// columns as they are. least may be nil; the answer does not depend on it.
func choose(path *learn.Lasso, gram, unit *learn.Gram, length []float64, least *learn.Least, t learn.Target) []float64 {
	if t.YY == 0 {
		return nil
	}
	u := learn.Target{C: make([]float64, len(t.C)), YY: t.YY, Mean: t.Mean}
	for j, c := range t.C {
		u.C[j] = c / length[j]
	}
	best, lambda := math.Inf(1), 0.0
	variance := t.YY / float64(gram.N)
	// No point of the path fits better than least squares on all columns: where the
	// columns in use alone make up for the rest of the best so far, the search ends.
	// A few columns more, since some may yet be dropped.
	surely := 0.0
	if least != nil {
		surely = 0.99*least.RSS(t)/variance - 2*8
	}
	path.Walk(unit, u, 0, func(k learn.Knot) bool {
		if c := k.RSS/variance + 2*float64(k.Active); c < best {
			best, lambda = c, k.Lambda
		}
		return 2*float64(k.Active)+max(surely, 0) > best
	})
	return path.Walk(gram, t, lambda, nil)
}

// scale brings a series to a common size: what is left of the median, in units
// of the median absolute deviation made comparable with a standard deviation,
// bent by asinh so that spikes keep their order and lose their weight.
type scale struct{ median, size float64 }

func newScale(v []float64) scale {
	room := slices.Clone(v)
	s := scale{median: median(room)}
	for i, x := range room {
		room[i] = math.Abs(x - s.median)
	}
	s.size = median(room) / 0.6745
	if s.size == 0 { // more than half of the values are the same
		for _, x := range v {
			s.size += (x - s.median) * (x - s.median)
		}
		s.size = math.Sqrt(s.size / float64(len(v)))
	}
	if s.size == 0 {
		s.size = 1
	}
	return s
}

func (s scale) bend(v float64) float64       { return math.Asinh((v - s.median) / s.size) }
func (s scale) straighten(v float64) float64 { return math.Sinh(v)*s.size + s.median }

// median of values, whose order it changes.
func median(v []float64) float64 {
	n := len(v)
	nth(v, n/2)
	if n%2 == 1 {
		return v[n/2]
	}
	return (slices.Max(v[:n/2]) + v[n/2]) / 2
}

// nth brings the value that would be k-th after sorting to its place, smaller
// ones before it (Hoare's selection, the middle of three as the pivot).
func nth(v []float64, k int) {
	for lo, hi := 0, len(v)-1; lo < hi; {
		a, b, c := v[lo], v[(lo+hi)/2], v[hi]
		pivot := max(min(a, b), min(max(a, b), c))
		i, j := lo, hi
		for i <= j {
			for v[i] < pivot {
				i++
			}
			for v[j] > pivot {
				j--
			}
			if i <= j {
				v[i], v[j] = v[j], v[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			hi = j
		case k >= i:
			lo = i
		default:
			return
		}
	}
}
