package learn

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Loss is what boosted trees make small.
type Loss string

// The losses.
const (
	Squared  Loss = "squared"  // half the squared error; scores are means
	Logistic Loss = "logistic" // of targets 0 and 1; scores are log-odds
	Tilted   Loss = "tilted"   // pinball; scores are the quantile of Boosting.Level
)

// Boosting says how trees are grown. Zero fields mean the defaults.
type Boosting struct {
	Loss      Loss    // Squared
	Level     float64 // of Tilted: 0.5
	Rounds    int     // most trees: 200
	Depth     int     // of each: 6
	Rate      float64 // how much of each tree counts: 0.1
	Bins      int     // values of a column that are told apart, at most 254: 254
	LeafLeast float64 // least sum of second derivatives in a leaf: 1
	L2        float64 // penalty on leaves: 1
	GainLeast float64 // a split must gain more than this: 0
	Rows      float64 // share of the rows that each tree sees: 1
	Columns   float64 // share of the columns that each tree sees: 1
	Monotone  []int8  // of each column: 1 scores must not fall as it rises, -1 not rise, 0 free; nil is all free
	Patience  int     // rounds without a better loss on held-out rows before growing ends; 0 is never
	Seed      uint64
	Workers   int // columns worked on at once; the result does not depend on it. 0 is one
}

func (b Boosting) withDefaults() Boosting {
	set := func(v *float64, def float64) {
		if *v == 0 {
			*v = def
		}
	}
	if b.Loss == "" {
		b.Loss = Squared
	}
	set(&b.Level, 0.5)
	set(&b.Rate, 0.1)
	set(&b.LeafLeast, 1)
	set(&b.L2, 1)
	set(&b.Rows, 1)
	set(&b.Columns, 1)
	if b.Rounds == 0 {
		b.Rounds = 200
	}
	if b.Depth == 0 {
		b.Depth = 6
	}
	if b.Bins == 0 || b.Bins > mostBins {
		b.Bins = mostBins
	}
	b.Workers = max(b.Workers, 1)
	return b
}

// Table is rows to learn from: X row-major, NaN where a value is missing.
type Table struct {
	X       []float64
	Y       []float64 // one a row
	Weight  []float64 // of each row; nil is all alike
	Margin  []float64 // score of each row that trees add to; nil is a constant found from Y
	Columns int
}

func (t Table) check() error {
	n := len(t.Y)
	switch {
	case t.Columns < 1 || n == 0 || len(t.X) != n*t.Columns, t.Weight != nil && len(t.Weight) != n, t.Margin != nil && len(t.Margin) != n:
		return fmt.Errorf("%d inputs in %d columns, %d targets, %d weights, %d margins: %w", len(t.X), t.Columns, n, len(t.Weight), len(t.Margin), ErrShape)
	}
	for i, y := range t.Y {
		if math.IsNaN(y) || math.IsInf(y, 0) {
			return fmt.Errorf("target of row %d: %w", i, ErrNotFinite)
		}
		if t.Weight != nil && !(t.Weight[i] >= 0) {
			return fmt.Errorf("weight %g of row %d: %w", t.Weight[i], i, ErrNotFinite)
		}
	}
	return nil
}

func (t Table) weight(i int) float64 {
	if t.Weight == nil {
		return 1
	}
	return t.Weight[i]
}

// Trees is a boosted ensemble. Scoring is safe for concurrent use and allocates
// nothing.
type Trees struct {
	columns int
	base    float64
	loss    Loss
	trees   [][]node
}

// node is a split, or a leaf when left is 0 (the root is never a child).
type node struct {
	Column      int32
	Left, Right int32
	NaNLeft     bool
	Threshold   float64 // values up to it go left
	Value       float64 // of a leaf
}

// Score is the sum of all trees for a row of Columns values, NaN where missing:
// a mean, log-odds or a quantile, as the loss was. Rows that were learned with a
// margin need theirs added.
func (t *Trees) Score(x []float64) float64 {
	s := t.base
	for _, nodes := range t.trees {
		at := int32(0)
		for nodes[at].Left != 0 {
			n := &nodes[at]
			v := x[n.Column]
			if v <= n.Threshold || n.NaNLeft && v != v {
				at = n.Left
			} else {
				at = n.Right
			}
		}
		s += nodes[at].Value
	}
	return s
}

// Probability is Score through the logistic function.
func (t *Trees) Probability(x []float64) float64 { return logistic(t.Score(x)) }

func logistic(s float64) float64 { return 1 / (1 + math.Exp(-s)) }

// Rounds is how many trees there are.
func (t *Trees) Rounds() int { return len(t.trees) }

// Columns is how many inputs they read.
func (t *Trees) Columns() int { return t.columns }

// Splits is how often each column is split on.
func (t *Trees) Splits() []int {
	out := make([]int, t.columns)
	for _, nodes := range t.trees {
		for _, n := range nodes {
			if n.Left != 0 {
				out[n.Column]++
			}
		}
	}
	return out
}

// Boost grows trees on a table (Friedman, Annals of Statistics 29(5), 2001; with
// second derivatives and missing values as Chen and Guestrin, KDD 2016, and
// histograms as Ke et al., NeurIPS 2017). held (may be nil) is rows that are only
// looked at: with Patience, the trees end where its loss was smallest.
func Boost(train Table, held *Table, how Boosting) (*Trees, error) {
	how = how.withDefaults()
	if err := train.check(); err != nil {
		return nil, err
	}
	if held != nil {
		if err := held.check(); err != nil {
			return nil, fmt.Errorf("held-out rows: %w", err)
		}
		if held.Columns != train.Columns {
			return nil, fmt.Errorf("held-out rows have %d columns, want %d: %w", held.Columns, train.Columns, ErrShape)
		}
	}
	if how.Monotone != nil && len(how.Monotone) != train.Columns {
		return nil, fmt.Errorf("%d constraints for %d columns: %w", len(how.Monotone), train.Columns, ErrShape)
	}
	g := newGrower(train, how)
	t := &Trees{columns: train.Columns, loss: how.Loss, base: g.base}
	var watch *watcher
	if held != nil && how.Patience > 0 {
		watch = newWatcher(*held, how, g.base)
	}
	rng := rand.New(rand.NewPCG(how.Seed, 0x7472656573))
	for range how.Rounds {
		nodes := g.grow(rng)
		if nodes == nil {
			break // nothing left to gain
		}
		t.trees = append(t.trees, nodes)
		if watch != nil && watch.saw(nodes) {
			break
		}
	}
	if watch != nil {
		t.trees = t.trees[:watch.best]
	}
	return t, nil
}

// watcher follows the loss on held-out rows.
type watcher struct {
	t      Table
	how    Boosting
	score  []float64
	round  int
	best   int // rounds at the smallest loss
	lowest float64
}

func newWatcher(t Table, how Boosting, base float64) *watcher {
	w := &watcher{t: t, how: how, score: make([]float64, len(t.Y))}
	for i := range w.score {
		w.score[i] = base
		if t.Margin != nil {
			w.score[i] = t.Margin[i]
		}
	}
	w.lowest = w.loss()
	return w
}

func (w *watcher) loss() float64 {
	sum, total := 0.0, 0.0
	for i, y := range w.t.Y {
		k := w.t.weight(i)
		sum += k * lossOf(w.how, w.score[i], y)
		total += k
	}
	return sum / max(total, math.SmallestNonzeroFloat64)
}

func lossOf(how Boosting, score, y float64) float64 {
	switch how.Loss {
	case Logistic:
		// -y log p - (1-y) log (1-p), without overflow
		return max(score, 0) - score*y + math.Log1p(math.Exp(-math.Abs(score)))
	case Tilted:
		return Pinball(score, y, how.Level)
	}
	return (score - y) * (score - y) / 2
}

// saw adds a tree and tells whether growing should end.
func (w *watcher) saw(nodes []node) bool {
	one := Trees{columns: w.t.Columns, trees: [][]node{nodes}}
	c := w.t.Columns
	for i := range w.score {
		w.score[i] += one.Score(w.t.X[i*c : (i+1)*c])
	}
	w.round++
	if l := w.loss(); l < w.lowest {
		w.lowest, w.best = l, w.round
	}
	return w.round-w.best >= w.how.Patience
}
