//go:build !amd64

package learn

const fast = false

func addMul(m, n, k int, a []float32, row, col int, b, c []float32) {
	panic("learn: addMul without instructions for it") // never called: fast is false
}

func adamStep(w, m, v, g []float32, c *[5]float32) int { return 0 }
