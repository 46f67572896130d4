package learn

import "math"

// Knot is a point of the lasso path at which the set of columns in use changes.
type Knot struct {
	Lambda float64 // of min 1/2 |y - Xb|^2 + lambda |b|_1
	Active int     // columns with a coefficient that is not zero
	RSS    float64 // residual sum of squares there
}

// Lasso walks the exact path of the lasso on a Gram matrix, from the penalty at
// which all coefficients are zero downwards (least angle regression with drops:
// Efron, Hastie, Johnstone, Tibshirani, Annals of Statistics 32(2), 2004). Keep
// one per goroutine: its buffers are used again by every walk.
type Lasso struct {
	p      int
	b      []float64 // coefficients
	c      []float64 // present correlations X'(y - Xb)
	a      []float64 // how fast correlations fall along the direction
	active []int     // columns in use, in the order of the factor
	sign   []float64 // of their correlations
	l      []float64 // lower Cholesky factor of the active Gram, p x p
	w      []float64 // direction of the active coefficients
	f      []float64 // first half of its solution: L f = signs; good up to solved
	solved int
	state  []int8 // of each column: 0 out, 1 in, 2 left out for good
}

// NewLasso makes the buffers for p columns.
func NewLasso(p int) *Lasso {
	return &Lasso{p: p, b: make([]float64, p), c: make([]float64, p), a: make([]float64, p), active: make([]int, 0, p), sign: make([]float64, p), l: make([]float64, p*p), w: make([]float64, p), f: make([]float64, p), state: make([]int8, p)}
}

// Walk follows the path of target t on g until the penalty is lambda, or until
// visit, which is called at each knot (the first has no active column), says
// stop. The returned coefficients are at the last point reached; they are the
// Lasso's own and good until its next walk. Columns that others in use explain
// to the last digit are left out.
func (s *Lasso) Walk(g *Gram, t Target, lambda float64, visit func(Knot) (stop bool)) []float64 {
	p := s.p
	clear(s.b)
	copy(s.c, t.C)
	s.active = s.active[:0]
	clear(s.state)
	s.solved = 0
	rss := t.YY

	level, first := 0.0, -1
	for j, v := range s.c {
		if m := math.Abs(v); m > level {
			level, first = m, j
		}
	}
	if visit != nil && visit(Knot{level, 0, rss}) || level <= lambda || first < 0 {
		return s.b
	}
	most := min(p, g.N-1) // centring takes one degree of freedom
	s.add(g, first)
	const tiny = 1e-12
	dropped := -1
	for steps := 0; len(s.active) > 0 && steps < 16*p; steps++ {
		// Direction in which all active correlations fall alike.
		k := len(s.active)
		for ; s.solved < k; s.solved++ { // a new column adds one line to the solution
			i := s.solved
			s.f[i] = (math.Copysign(1, s.sign[s.active[i]]) - dot(s.l[i*p:i*p+i], s.f)) / s.l[i*p+i]
		}
		copy(s.w[:k], s.f[:k])
		q := dot(s.w[:k], s.w)
		for i := k - 1; i >= 0; i-- { // the factor's transpose, from the last line up
			s.w[i] /= s.l[i*p+i]
			addScaled(-s.w[i], s.l[i*p:i*p+i], s.w)
		}
		clear(s.a)
		addRows(s.a, g.G, s.active, s.w)

		// How far until something happens: the penalty asked for, a column that
		// catches up, a coefficient that reaches zero.
		step, enters, leaves := level-lambda, -1, -1
		if k < most {
			for j := range p {
				if s.state[j] != 0 {
					continue
				}
				for _, sg := range [2]float64{1, -1} {
					// Most are out of reach: that is seen without a division.
					if d, far := 1-sg*s.a[j], level-sg*s.c[j]; d > tiny && far < step*d {
						gamma := far / d
						if j == dropped && gamma < 1e-9*level {
							continue // it has just left at this very point
						}
						if gamma = max(gamma, 0); gamma < step {
							step, enters = gamma, j
						}
					}
				}
			}
		}
		for i, j := range s.active {
			if s.b[j] != 0 && s.b[j]*s.w[i] < 0 {
				if gamma := -s.b[j] / s.w[i]; gamma < step {
					step, enters, leaves = gamma, -1, i
				}
			}
		}
		for i, j := range s.active {
			s.b[j] += step * s.w[i]
		}
		addScaled(-step, s.a, s.c)
		rss -= q * step * (2*level - step)
		level -= step
		switch {
		case leaves >= 0:
			dropped = s.active[leaves]
			s.b[dropped] = 0
			s.remove(g, leaves)
		case enters >= 0:
			dropped = -1
			for enters >= 0 && !s.add(g, enters) {
				enters = -1
			}
		}
		if visit != nil && visit(Knot{max(level, 0), s.nonzero(), max(rss, 0)}) {
			break
		}
		if leaves < 0 && enters < 0 && level <= lambda+tiny {
			break
		}
		if level <= 1e-13*math.Abs(t.C[first]) {
			break
		}
	}
	return s.b
}

func (s *Lasso) nonzero() int {
	n := 0
	for _, j := range s.active {
		if s.b[j] != 0 {
			n++
		}
	}
	return n
}

// add brings column j into the factor; false when the columns in use explain it.
func (s *Lasso) add(g *Gram, j int) bool {
	p, k := s.p, len(s.active)
	row := s.l[k*p : k*p+k+1]
	for i, a := range s.active {
		row[i] = g.G[j*p+a]
	}
	for i := range k {
		row[i] = (row[i] - dot(s.l[i*p:i*p+i], row)) / s.l[i*p+i]
	}
	d := g.G[j*p+j]
	rest := d - dot(row[:k], row)
	if !(rest > 1e-12*d) {
		s.state[j] = 2
		return false
	}
	row[k] = math.Sqrt(rest)
	s.active = append(s.active, j)
	s.sign[j] = s.c[j]
	s.state[j] = 1
	return true
}

// remove takes the i-th active column out of the factor: the rows below move up
// and Givens rotations make it triangular again.
func (s *Lasso) remove(_ *Gram, i int) {
	p, k := s.p, len(s.active)
	s.state[s.active[i]] = 0
	copy(s.active[i:], s.active[i+1:])
	s.active = s.active[:k-1]
	s.solved = min(s.solved, i)
	for r := i; r < k-1; r++ {
		copy(s.l[r*p:r*p+r+2], s.l[(r+1)*p:(r+1)*p+r+2])
	}
	for r := i; r < k-1; r++ {
		c, sn, h, _ := la.Drotg(s.l[r*p+r], s.l[r*p+r+1])
		s.l[r*p+r], s.l[r*p+r+1] = h, 0
		for t := r + 1; t < k-1; t++ {
			x, y := s.l[t*p+r], s.l[t*p+r+1]
			s.l[t*p+r], s.l[t*p+r+1] = c*x+sn*y, c*y-sn*x
		}
	}
}
