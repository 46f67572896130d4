//go:build !amd64

package learn

const fast = false

func addMul(m, n, k int, a []float32, row, col int, b, c []float32) {
	panic("learn: addMul without instructions for it") // never called: fast is false
}

func adamStep(w, m, v, g []float32, c *[5]float32) int { return 0 }

func dot4(n int, a, b *float64) float64 { panic("learn: dot4 without instructions for it") }

func axpy4(n int, f float64, x, y *float64) { panic("learn: axpy4 without instructions for it") }

func sum4(n int, f *[4]float64, a, b, c, d, y *float64) {
	panic("learn: sum4 without instructions for it")
}
