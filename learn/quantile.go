package learn

import (
	"fmt"
	"math"
	"slices"
	"sort"
)

// Pinball is the loss of saying q for the quantile of this level when y came
// (Koenker and Bassett, Econometrica 46(1), 1978).
func Pinball(q, y, level float64) float64 {
	if y >= q {
		return level * (y - q)
	}
	return (1 - level) * (q - y)
}

// Quantile is the quantile of sorted values, between two of them on the straight
// line (type 7 of Hyndman and Fan, The American Statistician 50(4), 1996). It is
// NaN for no values.
func Quantile(sorted []float64, level float64) float64 {
	n := len(sorted)
	if n == 0 {
		return math.NaN()
	}
	at := level * float64(n-1)
	lo := min(max(int(math.Floor(at)), 0), n-1)
	hi := min(lo+1, n-1)
	return sorted[lo] + (at-float64(lo))*(sorted[hi]-sorted[lo])
}

// Weighted are values with weights, for quantiles in which some count more.
type Weighted struct {
	Value, Weight []float64
}

// Sort brings the values into order.
func (w Weighted) Sort() { sort.Sort(byValue(w)) }

type byValue Weighted

func (w byValue) Len() int           { return len(w.Value) }
func (w byValue) Less(i, j int) bool { return w.Value[i] < w.Value[j] }
func (w byValue) Swap(i, j int) {
	w.Value[i], w.Value[j] = w.Value[j], w.Value[i]
	w.Weight[i], w.Weight[j] = w.Weight[j], w.Weight[i]
}

// Quantiles are the quantiles of sorted values at rising levels, into out. Each
// value stands at the middle of its weight.
func (w Weighted) Quantiles(levels, out []float64) error {
	if len(w.Value) == 0 || len(w.Value) != len(w.Weight) || len(levels) != len(out) {
		return fmt.Errorf("%d values, %d weights, %d levels, %d places: %w", len(w.Value), len(w.Weight), len(levels), len(out), ErrShape)
	}
	total := 0.0
	for _, v := range w.Weight {
		total += v
	}
	if !(total > 0) {
		return fmt.Errorf("the weights add up to %g: %w", total, ErrShape)
	}
	i, below := 0, 0.0 // below: weight before value i
	middle := func(i int, below float64) float64 { return (below + w.Weight[i]/2) / total }
	for k, level := range levels {
		for i < len(w.Value)-1 && middle(i+1, below+w.Weight[i]) <= level {
			below += w.Weight[i]
			i++
		}
		a := middle(i, below)
		if level <= a || i == len(w.Value)-1 {
			out[k] = w.Value[i]
			continue
		}
		b := middle(i+1, below+w.Weight[i])
		out[k] = w.Value[i] + (level-a)/(b-a)*(w.Value[i+1]-w.Value[i])
	}
	return nil
}

// Isotonic replaces y by the closest rising sequence (weights w; nil is all
// alike), in place: pool adjacent violators (Ayer et al., 1955).
func Isotonic(y, w []float64) {
	type block struct {
		mean, weight float64
		n            int
	}
	blocks := make([]block, 0, len(y))
	for i, v := range y {
		b := block{v, 1, 1}
		if w != nil {
			b.weight = w[i]
		}
		for len(blocks) > 0 && blocks[len(blocks)-1].mean >= b.mean {
			last := blocks[len(blocks)-1]
			blocks = blocks[:len(blocks)-1]
			total := last.weight + b.weight
			if total > 0 {
				b.mean = (last.mean*last.weight + b.mean*b.weight) / total
			}
			b.weight, b.n = total, last.n+b.n
		}
		blocks = append(blocks, b)
	}
	i := 0
	for _, b := range blocks {
		for range b.n {
			y[i] = b.mean
			i++
		}
	}
}

// Adaptive is the adaptive conformal rule of Gibbs and Candès (NeurIPS 2021): it
// moves the level that is asked for until what was promised is what comes, in
// the long run whatever the data do.
type Adaptive struct {
	Target float64 // share that is to be covered, such as 0.9
	Rate   float64 // of moving; 0 is 0.01
	miss   float64 // present share that is asked to be missed
	begun  bool
}

// Level is the share to ask for now so that Target is covered; from 0 to 1.
func (a *Adaptive) Level() float64 {
	if !a.begun {
		return a.Target
	}
	return min(max(1-a.miss, 0), 1)
}

// Saw tells whether the interval of this level held what came.
func (a *Adaptive) Saw(held bool) {
	if !a.begun {
		a.miss, a.begun = 1-a.Target, true
	}
	rate := a.Rate
	if rate == 0 {
		rate = 0.01
	}
	if held {
		a.miss += rate * (1 - a.Target)
	} else {
		a.miss -= rate * a.Target
	}
	// Far outside nothing changes any more, and coming back would take long.
	a.miss = min(max(a.miss, -0.2), 1.2)
}

// Experts weighs forecasters by what they were worth so far (exponential weights
// with a rate that adapts to the losses seen: Cesa-Bianchi and Lugosi, 2006,
// section 2.3, with second-order tuning after Gaillard, Stoltz and van Erven,
// COLT 2014) and forgets with a half-life. Losses are any numbers of one size.
type Experts struct {
	n      int
	keep   float64   // share of the past that a round keeps
	regret []float64 // of each: loss of the mixture less its own, discounted
	square []float64 // sum of squared regrets, discounted
}

// NewExperts is n experts who begin alike; after halfLife rounds a loss counts
// half (0: for ever).
func NewExperts(n int, halfLife float64) *Experts {
	e := &Experts{n: n, keep: 1, regret: make([]float64, n), square: make([]float64, n)}
	if halfLife > 0 {
		e.keep = math.Exp2(-1 / halfLife)
	}
	return e
}

// Weights are the experts' shares, in out: none negative, one in sum.
func (e *Experts) Weights(out []float64) {
	best := math.Inf(-1)
	for i := range e.n {
		eta := 0.0
		if e.square[i] > 0 {
			eta = math.Sqrt(math.Log(float64(e.n)+1) / e.square[i])
		}
		out[i] = eta * e.regret[i]
		best = max(best, out[i])
	}
	sum := 0.0
	for i, v := range out[:e.n] {
		out[i] = math.Exp(v - best)
		sum += out[i]
	}
	for i := range out[:e.n] {
		out[i] /= sum
	}
}

// Saw tells the loss of each expert in a round.
func (e *Experts) Saw(loss []float64) {
	w := make([]float64, e.n)
	e.Weights(w)
	mix := 0.0
	for i, l := range loss[:e.n] {
		mix += w[i] * l
	}
	for i, l := range loss[:e.n] {
		r := mix - l
		e.regret[i] = e.keep*e.regret[i] + r
		e.square[i] = e.keep*e.square[i] + r*r
	}
}

// Levels are n quantile levels evenly between 0 and 1, ends not included: 99
// gives 0.01 to 0.99.
func Levels(n int) []float64 {
	out := make([]float64, n)
	for i := range out {
		out[i] = float64(i+1) / float64(n+1)
	}
	return out
}

// Sorted is a sorted copy.
func Sorted(v []float64) []float64 {
	out := slices.Clone(v)
	slices.Sort(out)
	return out
}
