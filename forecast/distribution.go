package forecast

import (
	"fmt"
	"math"
	"time"
)

// Distribution is what a model says of one series over slots ahead: quantiles of
// each slot. It is stored with its issue time and model version, and scored when
// the prices settle ([Distribution.Score]).
type Distribution struct {
	Series  string        // as the feeds name it
	Unit    string        // of the values, USD/MWh
	Issued  time.Time     // when it was made: nothing later went in
	Model   string        // name and version, "ensemble@3f2a91c0"
	Start   time.Time     // of the first slot
	Slot    time.Duration // of each
	Levels  []float64     // rising, in (0, 1)
	Values  [][]float64   // slot, then level; rising along the levels
	Mean    []float64     // of each slot: the point forecast that absolute errors are told of
	Spike   []float64     // of each slot: probability that the price is above SpikeAt; nil when not forecast
	SpikeAt float64
	Notes   []string // what was missing, and what stood in for it
}

// Check reports a distribution that is none: other lengths, levels or values
// that do not rise, values that are no numbers.
func (d *Distribution) Check() error {
	if len(d.Values) == 0 || len(d.Mean) != len(d.Values) || d.Spike != nil && len(d.Spike) != len(d.Values) || d.Slot <= 0 {
		return fmt.Errorf("%d slots of %s, %d means, %d spike probabilities: %w", len(d.Values), d.Slot, len(d.Mean), len(d.Spike), ErrFormat)
	}
	for i, l := range d.Levels {
		if !(l > 0 && l < 1) || i > 0 && l <= d.Levels[i-1] {
			return fmt.Errorf("level %d is %v: %w", i, l, ErrFormat)
		}
	}
	for s, v := range d.Values {
		if len(v) != len(d.Levels) {
			return fmt.Errorf("slot %d: %d values for %d levels: %w", s, len(v), len(d.Levels), ErrFormat)
		}
		for i := range v {
			if math.IsNaN(v[i]) || math.IsInf(v[i], 0) || i > 0 && v[i] < v[i-1] {
				return fmt.Errorf("slot %d, level %v: %v: %w", s, d.Levels[i], v[i], ErrFormat)
			}
		}
		if math.IsNaN(d.Mean[s]) || math.IsInf(d.Mean[s], 0) {
			return fmt.Errorf("slot %d: mean %v: %w", s, d.Mean[s], ErrFormat)
		}
	}
	return nil
}

// At is slot s's start.
func (d *Distribution) At(s int) time.Time { return d.Start.Add(time.Duration(s) * d.Slot) }

// Quantile is slot s's value at a level, on a straight line between the levels
// that are given and the outermost values beyond them.
func (d *Distribution) Quantile(s int, level float64) float64 {
	v := d.Values[s]
	for i, l := range d.Levels {
		switch {
		case level > l:
		case i == 0 || level == l:
			return v[i]
		default:
			return v[i-1] + (v[i]-v[i-1])*(level-d.Levels[i-1])/(l-d.Levels[i-1])
		}
	}
	return v[len(v)-1]
}

// Score is how a slot's forecast did.
type Score struct {
	Error   float64 // absolute, of the mean
	Pinball float64 // mean over the levels
	In90    bool    // between the quantiles of 5 and 95 %
}

// Score compares slot s with the price that came.
func (d *Distribution) Score(s int, price float64) Score {
	out := Score{Error: math.Abs(price - d.Mean[s]), In90: price >= d.Quantile(s, 0.05) && price <= d.Quantile(s, 0.95)}
	for i, l := range d.Levels {
		q := d.Values[s][i]
		if price >= q {
			out.Pinball += l * (price - q)
		} else {
			out.Pinball += (1 - l) * (q - price)
		}
	}
	out.Pinball /= float64(len(d.Levels))
	return out
}

// Forecaster makes the forecast of one series' next slots from the past that it
// is shown. It is deterministic: the same past gives the same distribution.
type Forecaster interface {
	// Name and version of the model, "lear@1": the version changes whenever the
	// same past would give other numbers.
	Name() string
	// Forecast answers the distribution of day d of the panel from days before d and
	// from what is known ahead of d. Rows of the panel at and after d are not read,
	// except Known at d. Known values may be NaN: the model says in Notes what it did
	// without.
	Forecast(p *Panel, d int) (*Distribution, error)
}
