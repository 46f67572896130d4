package learn

import "gonum.org/v1/gonum/blas"

// The three products that a net needs, single precision. Where the processor has
// fused multiply-add on eight values at once they take a tenth of the time of
// the portable code; results differ in the last digits between the two.

// addAB adds a (m x k) times b (k x n) to c.
func addAB(m, n, k int, a, b, c []float32) {
	if fast && n%8 == 0 {
		addMul(m, n, k, a, k, 1, b, c)
		return
	}
	la.Sgemm(blas.NoTrans, blas.NoTrans, m, n, k, 1, a, k, b, n, 1, c, n)
}

// setATB puts the transpose of a (k x m) times b (k x n) into c.
func setATB(m, n, k int, a, b, c []float32) {
	if fast && n%8 == 0 {
		clear(c[:m*n])
		addMul(m, n, k, a, 1, m, b, c)
		return
	}
	la.Sgemm(blas.Trans, blas.NoTrans, m, n, k, 1, a, m, b, n, 0, c, n)
}

// setABT puts a (m x k) times the transpose of b (n x k) into c; room holds n x k.
func setABT(m, n, k int, a, b, c, room []float32) {
	if fast && n%8 == 0 {
		for j := range n {
			for i, v := range b[j*k : (j+1)*k] {
				room[i*n+j] = v
			}
		}
		clear(c[:m*n])
		addMul(m, n, k, a, k, 1, room, c)
		return
	}
	la.Sgemm(blas.NoTrans, blas.Trans, m, n, k, 1, a, k, b, k, 0, c, n)
}
