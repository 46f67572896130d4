package learn

import (
	"fmt"
	"math"
)

// Kernel is kernel ridge regression of several targets on the same inputs: the
// mean of a Gaussian process with a squared exponential covariance (Rasmussen and
// Williams, Gaussian Processes for Machine Learning, 2006, section 2.2).
type Kernel struct {
	Width   float64   // that was chosen, in units of the typical distance of two rows
	Penalty float64   // that was chosen: variance of the noise in units of the signal's
	p, m    int       // inputs and targets
	x       []float64 // the rows learned
	alpha   []float64 // of each row and target
	fall    float64   // of the covariance with the squared distance
}

// FitKernel fits m targets y (n x m, row-major, about 0) on p inputs x (n x p; an
// input that matters more should spread more). Of the widths and penalties it
// takes those whose absolute errors are the smallest when the last fifth of the
// rows is foreseen from the others.
func FitKernel(x, y []float64, n, p, m int, widths, penalties []float64) (*Kernel, error) {
	if n < 5 || p < 1 || m < 1 || len(x) != n*p || len(y) != n*m || len(widths) == 0 || len(penalties) == 0 {
		return nil, fmt.Errorf("%d inputs and %d targets as %d rows of %d and %d: %w", len(x), len(y), n, p, m, ErrShape)
	}
	apart, typical := distances(x, n, p)
	if !(typical >= 0) || math.IsInf(typical, 0) {
		return nil, fmt.Errorf("the inputs: %w", ErrNotFinite)
	}
	if typical == 0 {
		typical = 1 // all rows are the same
	}
	k := &Kernel{p: p, m: m, x: x, alpha: make([]float64, n*m)}
	room := make([]float64, n*n)
	fit := func(rows int, fall, penalty float64) {
		for i := range rows {
			for j := range i {
				room[i*n+j] = math.Exp(-fall * apart[i*n+j])
			}
			room[i*n+i] = 1 + penalty
		}
		copy(k.alpha, y[:rows*m])
		factor(room, n, rows)
		back(room, n, rows, k.alpha, m)
	}
	first, best, said := n-n/5, math.Inf(1), make([]float64, m)
	for _, width := range widths {
		fall := 1 / (2 * width * width * typical)
		for _, penalty := range penalties {
			fit(first, fall, penalty)
			sum := 0.0
			for i := first; i < n; i++ {
				clear(said)
				for j := range first {
					addScaled(math.Exp(-fall*apart[i*n+j]), k.alpha[j*m:(j+1)*m], said)
				}
				for c, v := range said {
					sum += math.Abs(y[i*m+c] - v)
				}
			}
			if sum < best {
				best, k.Width, k.Penalty, k.fall = sum, width, penalty, fall
			}
		}
	}
	if math.IsInf(best, 1) {
		return nil, fmt.Errorf("the targets: %w", ErrNotFinite)
	}
	fit(n, k.fall, k.Penalty)
	return k, nil
}

// Predict puts what the model says of a row into out.
func (k *Kernel) Predict(x, out []float64) {
	clear(out[:k.m])
	for i := range len(k.x) / k.p {
		d := 0.0
		for j, v := range k.x[i*k.p : (i+1)*k.p] {
			d += (x[j] - v) * (x[j] - v)
		}
		addScaled(math.Exp(-k.fall*d), k.alpha[i*k.m:(i+1)*k.m], out[:k.m])
	}
}

// distances are the squared distances of n rows, the lower half of n x n, and
// their mean.
func distances(x []float64, n, p int) (apart []float64, mean float64) {
	own := make([]float64, n)
	for i := range own {
		own[i] = dot(x[i*p:(i+1)*p], x[i*p:(i+1)*p])
	}
	apart = make([]float64, n*n)
	for i := range n {
		for j := range i {
			d := own[i] + own[j] - 2*dot(x[i*p:(i+1)*p], x[j*p:(j+1)*p])
			if d < 0 { // of rows that are the same; NaN stays
				d = 0
			}
			apart[i*n+j] = d
			mean += d
		}
	}
	return apart, mean / (float64(n) * float64(n-1) / 2)
}

// factor puts the Cholesky factor of the first rows of a positive definite matrix
// (lower half, lines of n) in its place.
func factor(a []float64, n, rows int) {
	for j := range rows {
		row := a[j*n : j*n+j+1]
		for i := range j {
			row[i] = (row[i] - dot(a[i*n:i*n+i], row)) / a[i*n+i]
		}
		row[j] = math.Sqrt(max(row[j]-dot(row[:j], row), 1e-12))
	}
}

// back puts the solution of m right sides in the place of c; a is factored.
func back(a []float64, n, rows int, c []float64, m int) {
	for j := range rows {
		row := c[j*m : (j+1)*m]
		for i, v := range a[j*n : j*n+j] {
			addScaled(-v, c[i*m:(i+1)*m], row)
		}
		scale(row, 1/a[j*n+j])
	}
	for j := rows - 1; j >= 0; j-- {
		row := c[j*m : (j+1)*m]
		scale(row, 1/a[j*n+j])
		for i, v := range a[j*n : j*n+j] {
			addScaled(-v, row, c[i*m:(i+1)*m])
		}
	}
}
