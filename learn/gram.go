package learn

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"
)

var la gonum.Implementation

// Gram is what least squares needs of a matrix of inputs: inner products of its
// centred columns. Several targets on the same inputs share one.
type Gram struct {
	N    int       // rows
	P    int       // columns
	G    []float64 // P x P, symmetric: X'X of the centred columns
	Mean []float64 // P, of each column
	x    []float64 // N x P, centred
}

// NewGram computes the inner products of x (n rows of p). It takes x over: the
// columns are centred in place.
func NewGram(x []float64, n, p int) (*Gram, error) {
	if n <= 0 || p <= 0 || len(x) != n*p {
		return nil, fmt.Errorf("%d inputs as %d rows of %d: %w", len(x), n, p, ErrShape)
	}
	g := &Gram{N: n, P: p, G: make([]float64, p*p), Mean: make([]float64, p), x: x}
	for i := range n {
		la.Daxpy(p, 1, x[i*p:(i+1)*p], 1, g.Mean, 1)
	}
	la.Dscal(p, 1/float64(n), g.Mean, 1)
	for i := range n {
		la.Daxpy(p, -1, g.Mean, 1, x[i*p:(i+1)*p], 1)
	}
	la.Dsyrk(blas.Upper, blas.Trans, p, n, 1, x, p, 0, g.G, p)
	for i := range p {
		for j := range i {
			g.G[i*p+j] = g.G[j*p+i]
		}
	}
	for i := range p {
		if v := g.G[i*p+i]; math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("column %d: %w", i, ErrNotFinite)
		}
	}
	return g, nil
}

// Target is one target on a Gram's inputs.
type Target struct {
	C    []float64 // P: X'y of the centred columns and the centred target
	YY   float64   // y'y of the centred target
	Mean float64
}

// Target computes what the lasso needs of y, one value a row.
func (g *Gram) Target(y []float64) (Target, error) {
	if len(y) != g.N {
		return Target{}, fmt.Errorf("%d targets for %d rows: %w", len(y), g.N, ErrShape)
	}
	t := Target{C: make([]float64, g.P)}
	for _, v := range y {
		t.Mean += v
	}
	t.Mean /= float64(g.N)
	centred := make([]float64, g.N)
	for i, v := range y {
		centred[i] = v - t.Mean
		t.YY += centred[i] * centred[i]
	}
	if math.IsNaN(t.YY) || math.IsInf(t.YY, 0) {
		return Target{}, fmt.Errorf("the target: %w", ErrNotFinite)
	}
	la.Dgemv(blas.Trans, g.N, g.P, 1, g.x, g.P, centred, 1, 0, t.C, 1)
	return t, nil
}

// Unit is the Gram of the same columns scaled to unit length, and the lengths.
// A column that does not vary keeps length 1 and stays zero.
func (g *Gram) Unit() (*Gram, []float64) {
	length := make([]float64, g.P)
	for j := range length {
		length[j] = math.Sqrt(g.G[j*g.P+j])
		// A column that is constant but for rounding carries nothing.
		if length[j] <= 1e-12*math.Sqrt(float64(g.N))*(1+math.Abs(g.Mean[j])) {
			length[j] = 1
		}
	}
	u := &Gram{N: g.N, P: g.P, G: make([]float64, len(g.G)), Mean: g.Mean, x: nil}
	for i := range g.P {
		for j := range g.P {
			u.G[i*g.P+j] = g.G[i*g.P+j] / (length[i] * length[j])
		}
	}
	return u, length
}

// Least tells how small least squares on all columns makes the residual sum of
// squares of any target, without the coefficients.
type Least struct {
	g    *Gram
	kept []int       // columns that others before them do not explain
	l    [][]float64 // lower Cholesky factor of their Gram, line by line
}

// Least factors the Gram.
func (g *Gram) Least() *Least {
	s := &Least{g: g}
	for j := range g.P {
		row := make([]float64, len(s.kept)+1)
		for i, a := range s.kept {
			row[i] = (g.G[j*g.P+a] - dot(s.l[i][:i], row)) / s.l[i][i]
		}
		k := len(s.kept)
		d := g.G[j*g.P+j]
		if rest := d - dot(row[:k], row); rest > 1e-10*d {
			row[k] = math.Sqrt(rest)
			s.kept, s.l = append(s.kept, j), append(s.l, row)
		}
	}
	return s
}

// RSS is the least residual sum of squares of t; 0 when there are no fewer
// columns than rows.
func (s *Least) RSS(t Target) float64 {
	if len(s.kept) >= s.g.N-1 {
		return 0
	}
	f := make([]float64, len(s.kept))
	for i, j := range s.kept {
		f[i] = (t.C[j] - dot(s.l[i][:i], f)) / s.l[i][i]
	}
	return max(t.YY-dot(f, f), 0)
}
