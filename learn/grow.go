package learn

import (
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"sync"
)

// mostBins leaves one of 256 numbers for missing values.
const mostBins = 254

// grower holds what growing a tree needs, used again for every tree.
type grower struct {
	t     Table
	how   Boosting
	n     int
	base  float64
	bins  [][]uint8   // of each column, one a row: 0 is missing, then 1 + index of the bin
	edges [][]float64 // of each column: the largest value of each bin
	score []float64
	g, h  []float64 // first and second derivatives of the loss
	rows  []int32   // those that the tree sees, split by node
	spare []int32
	cols  []int32 // those that the tree sees
}

func newGrower(t Table, how Boosting) *grower {
	n := len(t.Y)
	g := &grower{t: t, how: how, n: n, bins: make([][]uint8, t.Columns), edges: make([][]float64, t.Columns), score: make([]float64, n),
		g: make([]float64, n), h: make([]float64, n), spare: make([]int32, n)}
	g.parallel(t.Columns, g.bin)
	if t.Margin != nil {
		copy(g.score, t.Margin)
		return g
	}
	g.base = g.constant()
	for i := range g.score {
		g.score[i] = g.base
	}
	return g
}

// parallel works on n things with the workers there are.
func (g *grower) parallel(n int, do func(i int)) {
	if g.how.Workers == 1 {
		for i := range n {
			do(i)
		}
		return
	}
	var wg sync.WaitGroup
	for w := range g.how.Workers {
		wg.Go(func() {
			for i := w; i < n; i += g.how.Workers {
				do(i)
			}
		})
	}
	wg.Wait()
}

// bin divides the values of a column into bins of about as many rows each.
func (g *grower) bin(c int) {
	values := make([]float64, 0, g.n)
	for i := range g.n {
		if v := g.t.X[i*g.t.Columns+c]; v == v {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	distinct := slices.Compact(slices.Clone(values))
	edges := distinct
	if len(distinct) > g.how.Bins {
		edges = make([]float64, 0, g.how.Bins)
		for k := 1; k <= g.how.Bins; k++ {
			v := values[min(len(values)*k/g.how.Bins, len(values))-1]
			if len(edges) == 0 || v > edges[len(edges)-1] {
				edges = append(edges, v)
			}
		}
	}
	b := make([]uint8, g.n)
	for i := range g.n {
		if v := g.t.X[i*g.t.Columns+c]; v == v {
			b[i] = uint8(1 + min(sort.SearchFloat64s(edges, v), len(edges)-1))
		}
	}
	g.bins[c], g.edges[c] = b, edges
}

// constant is the one score that fits all rows best.
func (g *grower) constant() float64 {
	sum, total := 0.0, 0.0
	for i, y := range g.t.Y {
		sum += g.t.weight(i) * y
		total += g.t.weight(i)
	}
	if total == 0 {
		return 0
	}
	switch g.how.Loss {
	case Logistic:
		p := min(max(sum/total, 1e-6), 1-1e-6)
		return math.Log(p / (1 - p))
	case Tilted:
		return g.quantile(nil)
	}
	return sum / total
}

// quantile is the weighted quantile of what rows lack (nil: of all targets).
func (g *grower) quantile(rows []int32) float64 {
	var w Weighted
	add := func(i int, v float64) {
		if k := g.t.weight(i); k > 0 {
			w.Value, w.Weight = append(w.Value, v), append(w.Weight, k)
		}
	}
	if rows == nil {
		for i, y := range g.t.Y {
			add(i, y)
		}
	}
	for _, i := range rows {
		add(int(i), g.t.Y[i]-g.score[i])
	}
	var out [1]float64
	w.Sort()
	if w.Quantiles([]float64{g.how.Level}, out[:]) != nil {
		return 0
	}
	return out[0]
}

// derive computes the derivatives of the loss at the present scores.
func (g *grower) derive() {
	for i, y := range g.t.Y {
		w := g.t.weight(i)
		switch g.how.Loss {
		case Logistic:
			p := logistic(g.score[i])
			g.g[i], g.h[i] = w*(p-y), w*max(p*(1-p), 1e-16)
		case Tilted:
			g.g[i], g.h[i] = w*(1-g.how.Level), w
			if y >= g.score[i] {
				g.g[i] = -w * g.how.Level
			}
		default:
			g.g[i], g.h[i] = w*(g.score[i]-y), w
		}
	}
}

// sums are the derivatives of some rows together.
type sums struct{ g, h float64 }

func (a sums) less(b sums) sums { return sums{a.g - b.g, a.h - b.h} }

// part is a node that may be split.
type part struct {
	node   int32
	from   int // rows[from:to]
	to     int
	sum    sums
	lo, hi float64 // bounds of its leaves, from monotone constraints
	hist   [][]sums
}

// split is the best way found to divide a part.
type split struct {
	gain    float64
	column  int32
	bin     int // bins up to it go left
	nanLeft bool
	left    sums
}

// grow makes one tree and adds it to the scores; nil when nothing is gained.
func (g *grower) grow(rng *rand.Rand) []node {
	g.derive()
	g.sample(rng)
	if len(g.rows) == 0 {
		return nil
	}
	root := part{to: len(g.rows), lo: math.Inf(-1), hi: math.Inf(1)}
	for _, i := range g.rows {
		root.sum.g += g.g[i]
		root.sum.h += g.h[i]
	}
	nodes := []node{{}}
	parts := []part{root}
	var leaves []part
	for depth := 0; depth < g.how.Depth && len(parts) > 0; depth++ {
		var next []part
		for k := range parts {
			p := &parts[k]
			if p.hist == nil {
				p.hist = g.histogram(g.rows[p.from:p.to])
			}
			s := g.best(p)
			if !(s.gain > g.how.GainLeast) || s.gain <= 1e-12 {
				leaves = append(leaves, *p)
				continue
			}
			l, r := g.divide(p, s, &nodes)
			next = append(next, l, r)
		}
		parts = next
	}
	leaves = append(leaves, parts...)
	if len(nodes) == 1 {
		return nil
	}
	for _, p := range leaves {
		nodes[p.node].Value = g.how.Rate * g.value(p)
	}
	one := Trees{columns: g.t.Columns, trees: [][]node{nodes}}
	c := g.t.Columns
	for i := range g.n {
		g.score[i] += one.Score(g.t.X[i*c : (i+1)*c])
	}
	return nodes
}

// sample chooses the rows and columns that the tree sees.
func (g *grower) sample(rng *rand.Rand) {
	g.rows = g.rows[:0]
	for i := range g.n {
		if g.how.Rows >= 1 || rng.Float64() < g.how.Rows {
			g.rows = append(g.rows, int32(i))
		}
	}
	g.cols = g.cols[:0]
	for c := range g.t.Columns {
		g.cols = append(g.cols, int32(c))
	}
	if g.how.Columns < 1 {
		rng.Shuffle(len(g.cols), func(i, j int) { g.cols[i], g.cols[j] = g.cols[j], g.cols[i] })
		g.cols = g.cols[:max(1, int(g.how.Columns*float64(len(g.cols))+0.5))]
		slices.Sort(g.cols)
	}
}

// histogram sums the derivatives of rows by column and bin. Each column is summed
// by one worker in the order of the rows, so that the sums are the same however
// many workers there are.
func (g *grower) histogram(rows []int32) [][]sums {
	out := make([][]sums, len(g.cols))
	g.parallel(len(g.cols), func(k int) {
		c := g.cols[k]
		h := make([]sums, len(g.edges[c])+1)
		bins := g.bins[c]
		for _, i := range rows {
			s := &h[bins[i]]
			s.g += g.g[i]
			s.h += g.h[i]
		}
		out[k] = h
	})
	return out
}

func (g *grower) worth(s sums) float64 { return s.g * s.g / (s.h + g.how.L2) }

func (g *grower) weight(s sums, p *part) float64 {
	return min(max(-s.g/(s.h+g.how.L2), p.lo), p.hi)
}

// worthAt is how much the loss falls with a leaf of this value.
func (g *grower) worthAt(s sums, v float64) float64 {
	return -(2*s.g*v + (s.h+g.how.L2)*v*v)
}

// best finds the split that gains most; of equal ones the first column's first.
func (g *grower) best(p *part) split {
	found := make([]split, len(g.cols))
	g.parallel(len(g.cols), func(k int) {
		c := g.cols[k]
		h := p.hist[k]
		missing := h[0]
		for _, nanLeft := range [2]bool{false, true} {
			if nanLeft && missing.h == 0 {
				break
			}
			var left sums
			if nanLeft {
				left = missing
			}
			for b := 1; b < len(h); b++ {
				left.g += h[b].g
				left.h += h[b].h
				right := p.sum.less(left)
				if left.h < g.how.LeafLeast || right.h < g.how.LeafLeast {
					continue
				}
				gain := g.gain(p, c, left, right)
				if gain > found[k].gain*(1+1e-12)+1e-15 {
					found[k] = split{gain: gain, column: c, bin: b, nanLeft: nanLeft, left: left}
				}
			}
		}
	})
	var best split
	for _, s := range found {
		if s.gain > best.gain {
			best = s
		}
	}
	return best
}

func (g *grower) gain(p *part, column int32, left, right sums) float64 {
	bound := !math.IsInf(p.lo, -1) || !math.IsInf(p.hi, 1)
	way := int8(0)
	if g.how.Monotone != nil {
		way = g.how.Monotone[column]
	}
	if way == 0 && !bound {
		return g.worth(left) + g.worth(right) - g.worth(p.sum)
	}
	l, r := g.weight(left, p), g.weight(right, p)
	if way > 0 && l > r || way < 0 && l < r {
		return 0
	}
	return g.worthAt(left, l) + g.worthAt(right, r) - g.worthAt(p.sum, g.weight(p.sum, p))
}

// divide splits a part: rows of the left side first, both in their old order.
func (g *grower) divide(p *part, s split, nodes *[]node) (l, r part) {
	bins := g.bins[s.column]
	rows := g.rows[p.from:p.to]
	at, kept := 0, 0
	for _, i := range rows {
		b := int(bins[i])
		if b == 0 && s.nanLeft || b > 0 && b <= s.bin {
			rows[at] = i
			at++
		} else {
			g.spare[kept] = i
			kept++
		}
	}
	copy(rows[at:], g.spare[:kept])

	left, right := int32(len(*nodes)), int32(len(*nodes)+1)
	*nodes = append(*nodes, node{}, node{})
	(*nodes)[p.node] = node{Column: s.column, Left: left, Right: right, NaNLeft: s.nanLeft, Threshold: g.edges[s.column][s.bin-1]}
	l = part{node: left, from: p.from, to: p.from + at, sum: s.left, lo: p.lo, hi: p.hi}
	r = part{node: right, from: p.from + at, to: p.to, sum: p.sum.less(s.left), lo: p.lo, hi: p.hi}
	if g.how.Monotone != nil && g.how.Monotone[s.column] != 0 {
		middle := (g.weight(l.sum, p) + g.weight(r.sum, p)) / 2
		if g.how.Monotone[s.column] > 0 {
			l.hi, r.lo = middle, middle
		} else {
			l.lo, r.hi = middle, middle
		}
	}
	// The smaller side is counted, the larger is what remains.
	small, large := &l, &r
	if at > kept {
		small, large = &r, &l
	}
	small.hist = g.histogram(g.rows[small.from:small.to])
	large.hist = p.hist
	for k := range large.hist {
		for b := range large.hist[k] {
			large.hist[k][b] = large.hist[k][b].less(small.hist[k][b])
		}
	}
	p.hist = nil
	return l, r
}

// value is what a leaf adds.
func (g *grower) value(p part) float64 {
	if g.how.Loss == Tilted && p.to > p.from {
		// The derivative says only the direction: the leaf takes the quantile of
		// what its rows lack.
		return min(max(g.quantile(g.rows[p.from:p.to]), p.lo), p.hi)
	}
	return g.weight(p.sum, &p)
}
