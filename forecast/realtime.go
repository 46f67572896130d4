package forecast

import (
	"fmt"
	"math"
	"slices"
	"time"

	"ballast/learn"
)

// Tick is one interval of a real-time market: what it settled at, and what was
// known of it before it began.
type Tick struct {
	At    time.Time
	Price float64   // NaN: not settled yet, or missing
	Ahead float64   // day-ahead price of its hour; NaN when not known
	Known []float64 // further series known ahead (load forecast); NaN where missing
}

// RealtimeHow says what a [Realtime] is to forecast.
type RealtimeHow struct {
	Slot    time.Duration  // of a tick: 5 or 15 minutes
	Ahead   int            // slots ahead; 0 is 1
	SpikeAt float64        // price above which a slot is a spike; 0 is none
	Zone    *time.Location // of the market's clock; nil is UTC
	Rounds  int            // trees of each kind; 0 is 150
	Workers int            // goroutines; 0 is one
}

// Realtime forecasts the next slots of a real-time price: boosted trees say how
// far the price will move from where it is and how uncertain that is, and ticks
// that they did not learn from say what then came (split conformal). The chance
// of a spike comes from trees of its own, calibrated on the same ticks.
//
// Scoring is safe for concurrent use.
type Realtime struct {
	how    RealtimeHow
	known  int
	price  scale
	steps  []rtStep // of 1, 2, ... slots ahead
	longer int      // ticks that a forecast needs behind it
}

type rtStep struct {
	middle, width *learn.Trees
	lean          []band // errors in units of the width, by how wide
	spike         *learn.Trees
	calib         calibration
}

// band are sorted errors of ticks whose expected width is up to a limit.
type band struct {
	upTo   float64
	errors []float64
}

// LearnRealtime learns from settled ticks in a row, oldest first; a gap in time is
// a tick with a NaN price. The last fifth of them calibrates. It needs two weeks
// of ticks at least.
func LearnRealtime(past []Tick, how RealtimeHow) (*Realtime, error) {
	if how.Slot <= 0 || how.Slot > time.Hour || how.Ahead < 0 {
		return nil, fmt.Errorf("slots of %v, %d ahead: %w", how.Slot, how.Ahead, ErrFormat)
	}
	how.Ahead = max(how.Ahead, 1)
	if how.Zone == nil {
		how.Zone = time.UTC
	}
	if how.Rounds == 0 {
		how.Rounds = 150
	}
	m := &Realtime{how: how, longer: int(24 * time.Hour / how.Slot)}
	if len(past) < 14*m.longer {
		return nil, fmt.Errorf("%d ticks, the least is %d: %w", len(past), 14*m.longer, ErrTooShort)
	}
	m.known = len(past[0].Known)
	var prices []float64
	for i, t := range past {
		if len(t.Known) != m.known || i > 0 && !t.At.Equal(past[i-1].At.Add(how.Slot)) {
			return nil, fmt.Errorf("tick %d at %s: %d known series, want %d, %v after the one before: %w", i, t.At, len(t.Known), m.known, how.Slot, ErrFormat)
		}
		if !math.IsNaN(t.Price) {
			prices = append(prices, t.Price)
		}
	}
	if len(prices) < len(past)/2 {
		return nil, fmt.Errorf("%d of %d ticks have a price: %w", len(prices), len(past), ErrTooShort)
	}
	m.price = newScale(prices)
	b := m.bend(past)
	for k := 1; k <= how.Ahead; k++ {
		s, err := m.learn(past, b, k)
		if err != nil {
			return nil, fmt.Errorf("%d slots ahead: %w", k, err)
		}
		m.steps = append(m.steps, s)
	}
	return m, nil
}

// bent are ticks brought to the scale in which they are learned.
type bent struct{ price, ahead []float64 }

func (m *Realtime) bend(ticks []Tick) bent {
	b := bent{make([]float64, len(ticks)), make([]float64, len(ticks))}
	for i, t := range ticks {
		b.price[i], b.ahead[i] = m.price.bend(t.Price), m.price.bend(t.Ahead)
	}
	return b
}

// inputs is how many columns the trees read.
func (m *Realtime) inputs() int { return 18 + 2*m.known }

// row writes what is known after tick t about tick t+k. Ticks from t+1 on lend
// their time and what was known ahead.
func (m *Realtime) row(ticks []Tick, b bent, t, k int, out []float64) {
	u := b.price
	hour := int(time.Hour / m.how.Slot)
	at := ticks[t+k].At.In(m.how.Zone)
	n := 0
	put := func(v float64) { out[n] = v; n++ }
	put(u[t])
	put(u[t] - u[t-1])
	put(u[t-1] - u[t-2])
	put(u[t] - u[t-hour])
	mean, low, high, sd := around(u[t-2*hour+1 : t+1])
	put(u[t] - mean)
	put(low - u[t])
	put(high - u[t])
	put(sd)
	_, _, high, sd = around(u[t-m.longer+1 : t+1])
	put(high - u[t])
	put(sd)
	put(u[t+k-m.longer] - u[t])
	put(float64(at.Hour()*60+at.Minute()) / 60)
	put(float64((int(at.Weekday()) + 6) % 7))
	put(b.ahead[t+k] - u[t])
	put(b.ahead[t+k] - b.ahead[t])
	miss := 0.0
	for i := range hour {
		miss += (u[t-i] - b.ahead[t-i]) / float64(hour)
	}
	put(miss)
	put(b.ahead[t+k])
	put(float64(at.Minute()))
	for j := range m.known {
		put(ticks[t+k].Known[j])
		put(ticks[t+k].Known[j] - ticks[max(t+k-hour, 0)].Known[j])
	}
}

// around is the mean, least, most and standard deviation of values.
func around(v []float64) (mean, low, high, sd float64) {
	low, high = math.Inf(1), math.Inf(-1)
	n := 0.0
	for _, x := range v {
		if math.IsNaN(x) {
			continue
		}
		n++
		mean += x
		low, high = min(low, x), max(high, x)
	}
	if n == 0 {
		return math.NaN(), math.NaN(), math.NaN(), math.NaN()
	}
	mean /= n
	for _, x := range v {
		if !math.IsNaN(x) {
			sd += (x - mean) * (x - mean) / n
		}
	}
	return mean, low, high, math.Sqrt(sd)
}

// learn makes the step of k slots ahead.
func (m *Realtime) learn(past []Tick, b bent, k int) (s rtStep, err error) {
	cols := m.inputs()
	var x, y []float64
	var spike []float64
	for t := m.longer; t+k < len(past); t++ {
		if math.IsNaN(b.price[t]) || math.IsNaN(b.price[t+k]) {
			continue
		}
		x = append(x, make([]float64, cols)...)
		m.row(past, b, t, k, x[len(x)-cols:])
		y = append(y, b.price[t+k]-b.price[t])
		spike = append(spike, 0)
		if m.how.SpikeAt != 0 && past[t+k].Price > m.how.SpikeAt {
			spike[len(spike)-1] = 1
		}
	}
	n := len(y) * 4 / 5
	if n < 10*m.longer/2 {
		return s, fmt.Errorf("%d ticks to learn from: %w", n, ErrTooShort)
	}
	grow := learn.Boosting{Loss: learn.Tilted, Level: 0.5, Rounds: m.how.Rounds, Depth: 5, Rate: 0.08, Bins: 64, LeafLeast: 40, Rows: 0.7, Columns: 0.7, Seed: uint64(k), Workers: m.how.Workers}
	train := learn.Table{X: x[:n*cols], Y: y[:n], Columns: cols}
	if s.middle, err = learn.Boost(train, nil, grow); err != nil {
		return s, err
	}
	off := make([]float64, len(y))
	for i := range y {
		off[i] = y[i] - s.middle.Score(x[i*cols:(i+1)*cols])
	}
	logs := make([]float64, n)
	for i := range logs {
		logs[i] = math.Log(math.Abs(off[i]) + 1e-3)
	}
	grow.Loss, train.Y = learn.Squared, logs
	if s.width, err = learn.Boost(train, nil, grow); err != nil {
		return s, err
	}
	s.lean = bands(off[n:], func(i int) float64 { return math.Exp(s.width.Score(x[(n+i)*cols : (n+i+1)*cols])) })
	if m.how.SpikeAt == 0 {
		return s, nil
	}
	grow.Loss, grow.Depth, grow.LeafLeast, train.Y = learn.Logistic, 4, 4, spike[:n]
	if s.spike, err = learn.Boost(train, nil, grow); err != nil {
		return s, err
	}
	score := make([]float64, len(y)-n)
	for i := range score {
		score[i] = s.spike.Probability(x[(n+i)*cols : (n+i+1)*cols])
	}
	s.calib = calibrate(score, spike[n:])
	return s, nil
}

// bands sorts errors, in units of their expected width, into five by the width.
func bands(off []float64, width func(i int) float64) []band {
	const parts = 5
	w := make([]float64, len(off))
	for i := range w {
		w[i] = width(i)
	}
	sorted := learn.Sorted(w)
	var out []band
	for j := range parts {
		b := band{upTo: sorted[(j+1)*len(sorted)/parts-1]}
		if j == parts-1 {
			b.upTo = math.Inf(1)
		}
		for i, v := range w {
			if v <= b.upTo && (j == 0 || v > out[j-1].upTo) {
				b.errors = append(b.errors, off[i]/v)
			}
		}
		if len(b.errors) < 100 { // many widths alike
			b.errors = nil
			for i, v := range w {
				b.errors = append(b.errors, off[i]/v)
			}
		}
		slices.Sort(b.errors)
		out = append(out, b)
	}
	return out
}

// Forecast answers the distribution of the slots after the last settled tick:
// ticks, a day and more of settled ones, end with the slots to forecast, whose
// Price is not read. n is how many those are, at most Ahead.
func (m *Realtime) Forecast(ticks []Tick, n int) (*Distribution, error) {
	t := len(ticks) - n - 1
	if n < 1 || n > m.how.Ahead || t < m.longer {
		return nil, fmt.Errorf("%d ticks for %d slots ahead, the least behind is %d: %w", len(ticks), n, m.longer, ErrTooShort)
	}
	for i, k := range ticks {
		if len(k.Known) != m.known || i > 0 && !k.At.Equal(ticks[i-1].At.Add(m.how.Slot)) {
			return nil, fmt.Errorf("tick %d at %s: %w", i, k.At, ErrFormat)
		}
	}
	d := &Distribution{Issued: ticks[t+1].At, Model: "realtime@1", Start: ticks[t+1].At, Slot: m.how.Slot, Levels: learn.Levels(99)}
	last := t
	for last > t-m.longer/4 && math.IsNaN(ticks[last].Price) {
		last--
	}
	if math.IsNaN(ticks[last].Price) {
		return nil, fmt.Errorf("no settled price in the last six hours: %w", ErrTooShort)
	}
	if last < t {
		// The last known price stands in, and the notes say so.
		ticks = slices.Clone(ticks)
		for i := last + 1; i <= t; i++ {
			ticks[i].Price = ticks[last].Price
		}
		d.Notes = append(d.Notes, fmt.Sprintf("the last settled price is of %s", ticks[last].At.UTC().Format(time.RFC3339)))
	}
	behind := ticks[t-m.longer:]
	b := m.bend(behind)
	x := make([]float64, m.inputs())
	for k := 1; k <= n; k++ {
		s := &m.steps[k-1]
		m.row(behind, b, m.longer, k, x)
		values, spike := m.score(s, x, b.price[m.longer], d.Levels)
		d.Values = append(d.Values, values)
		d.Mean = append(d.Mean, values[len(values)/2])
		if s.spike != nil {
			d.Spike, d.SpikeAt = append(d.Spike, spike), m.how.SpikeAt
		}
	}
	return d, d.Check()
}

func (m *Realtime) score(s *rtStep, x []float64, from float64, levels []float64) ([]float64, float64) {
	mid, w := from+s.middle.Score(x), math.Exp(s.width.Score(x))
	i := 0
	for i < len(s.lean)-1 && w > s.lean[i].upTo {
		i++
	}
	out := make([]float64, len(levels))
	for j, l := range levels {
		out[j] = m.price.straighten(mid + w*learn.Quantile(s.lean[i].errors, l))
	}
	if s.spike == nil {
		return out, 0
	}
	return out, s.calib.at(s.spike.Probability(x))
}
