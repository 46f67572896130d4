package learn

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/blas"
)

// Ridge is a linear model of several targets on the same inputs, shrunk.
type Ridge struct {
	Penalty float64   // that was chosen, on the squares of coefficients
	mean    []float64 // of each input
	coef    []float64 // inputs x targets, then a line of constants
	base    []float64 // of each target: its mean
}

// FitRidge fits m targets y (n x m, row-major) on p inputs x (n x p) and answers
// what it would have said of each row had it not seen the rows around it: the
// rows, in their order, are cut into folds, and each is foreseen by a fit on the
// others. Of the penalties it takes the one whose absolute errors there are the
// smallest in sum.
func FitRidge(x, y []float64, n, p, m, folds int, penalties []float64) (*Ridge, []float64, error) {
	if n < folds || folds < 2 || p < 1 || m < 1 || len(x) != n*p || len(y) != n*m || len(penalties) == 0 {
		return nil, nil, fmt.Errorf("%d inputs and %d targets as %d rows of %d and %d in %d folds: %w", len(x), len(y), n, p, m, folds, ErrShape)
	}
	r := &Ridge{mean: make([]float64, p), base: make([]float64, m)}
	for i := range n {
		addScaled(1/float64(n), x[i*p:(i+1)*p], r.mean)
		addScaled(1/float64(n), y[i*m:(i+1)*m], r.base)
	}
	// A last column of ones takes up the middle of the rows that are not left out.
	cx, cy := make([]float64, n*(p+1)), slices.Clone(y)
	for i := range n {
		row := cx[i*(p+1) : (i+1)*(p+1)]
		copy(row, x[i*p:(i+1)*p])
		addScaled(-1, r.mean, row[:p])
		row[p] = 1
		addScaled(-1, r.base, cy[i*m:(i+1)*m])
	}
	p++
	// Inner products of each fold and of all rows.
	all := normal{g: make([]float64, p*p), c: make([]float64, p*m)}
	parts := make([]normal, folds)
	for f := range parts {
		from, to := n*f/folds, n*(f+1)/folds
		s := normal{g: make([]float64, p*p), c: make([]float64, p*m)}
		la.Dsyrk(blas.Lower, blas.Trans, p, to-from, 1, cx[from*p:to*p], p, 0, s.g, p)
		la.Dgemm(blas.Trans, blas.NoTrans, p, m, to-from, 1, cx[from*p:to*p], p, cy[from*m:to*m], m, 0, s.c, m)
		addScaled(1, s.g, all.g)
		addScaled(1, s.c, all.c)
		parts[f] = s
	}
	for _, v := range all.g {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, nil, fmt.Errorf("the inputs: %w", ErrNotFinite)
		}
	}
	var best []float64
	least := math.Inf(1)
	room := normal{g: make([]float64, p*p), c: make([]float64, p*m)}
	for _, penalty := range penalties {
		said, sum := make([]float64, n*m), 0.0
		for f, part := range parts {
			copy(room.g, all.g)
			copy(room.c, all.c)
			addScaled(-1, part.g, room.g)
			addScaled(-1, part.c, room.c)
			room.solve(p, m, penalty)
			for i := n * f / folds; i < n*(f+1)/folds; i++ {
				row := said[i*m : (i+1)*m]
				for j, v := range cx[i*p : (i+1)*p] {
					addScaled(v, room.c[j*m:(j+1)*m], row)
				}
				for k, v := range row {
					sum += math.Abs(v - cy[i*m+k])
				}
			}
		}
		if sum < least {
			least, best, r.Penalty = sum, said, penalty
		}
	}
	if best == nil {
		return nil, nil, fmt.Errorf("the targets: %w", ErrNotFinite)
	}
	for i := range n {
		addScaled(1, r.base, best[i*m:(i+1)*m])
	}
	all.solve(p, m, r.Penalty)
	r.coef = all.c
	return r, best, nil
}

// Predict puts what the model says of a row into out.
func (r *Ridge) Predict(x, out []float64) {
	m := len(r.base)
	copy(out, r.base)
	addScaled(1, r.coef[len(x)*m:], out[:m])
	for j, v := range x {
		addScaled(v-r.mean[j], r.coef[j*m:(j+1)*m], out[:m])
	}
}

// Sizes is by how much each input moves the targets in the mean, either way.
func (r *Ridge) Sizes() []float64 {
	m := len(r.base)
	out := make([]float64, len(r.mean))
	for j := range out {
		for _, v := range r.coef[j*m : (j+1)*m] {
			out[j] += math.Abs(v) / float64(m)
		}
	}
	return out
}

// normal are the normal equations of p inputs and m targets.
type normal struct {
	g []float64 // p x p, the lower half is read
	c []float64 // p x m
}

// solve puts the coefficients, the last one a constant, in the place of c; g becomes its factor.
func (s normal) solve(p, m int, penalty float64) {
	for j := range p - 1 { // the constant is not shrunk
		s.g[j*p+j] += penalty
	}
	factor(s.g, p, p)
	back(s.g, p, p, s.c, m)
}

func scale(v []float64, f float64) {
	for i := range v {
		v[i] *= f
	}
}
