package learn

// The vector steps of the lasso, double precision; several times as fast where
// the processor works on four values at once. The last digits differ between the
// two.

// dot is the inner product of a and b, which has at least a's length.
func dot(a, b []float64) float64 {
	sum, done := 0.0, 0
	if fast && len(a) >= 4 {
		done = len(a) &^ 3
		_ = b[done-1]
		sum = dot4(done, &a[0], &b[0])
	}
	b = b[:len(a)]
	for i := done; i < len(a); i++ {
		sum += a[i] * b[i]
	}
	return sum
}

// addScaled adds f times x to y.
func addScaled(f float64, x, y []float64) {
	done := 0
	if fast && len(x) >= 4 {
		done = len(x) &^ 3
		_ = y[done-1]
		axpy4(done, f, &x[0], &y[0])
	}
	y = y[:len(x)]
	for i := done; i < len(x); i++ {
		y[i] += f * x[i]
	}
}

// addRows adds to y the rows of a matrix (len(y) columns) that are named, each
// times its factor.
func addRows(y, matrix []float64, rows []int, f []float64) {
	p, i := len(y), 0
	if fast && p >= 4 {
		done := p &^ 3
		for ; i+4 <= len(rows); i += 4 {
			a, b, c, d := matrix[rows[i]*p:][:p], matrix[rows[i+1]*p:][:p], matrix[rows[i+2]*p:][:p], matrix[rows[i+3]*p:][:p]
			g := (*[4]float64)(f[i:])
			sum4(done, g, &a[0], &b[0], &c[0], &d[0], &y[0])
			for j := done; j < p; j++ {
				y[j] += g[0]*a[j] + g[1]*b[j] + g[2]*c[j] + g[3]*d[j]
			}
		}
	}
	for ; i < len(rows); i++ {
		addScaled(f[i], matrix[rows[i]*p:][:p], y)
	}
}
