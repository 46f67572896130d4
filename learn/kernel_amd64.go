package learn

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// fast tells whether this processor has the instructions of kernel_amd64.s.
var fast = cpu.X86.HasAVX2 && cpu.X86.HasFMA

//go:noescape
func mul4x16(k int, a *float32, row, col uintptr, b *float32, ldb uintptr, c *float32, ldc uintptr)

//go:noescape
func mul4x8(k int, a *float32, row, col uintptr, b *float32, ldb uintptr, c *float32, ldc uintptr)

//go:noescape
func mul1x8(k int, a *float32, col uintptr, b *float32, ldb uintptr, c *float32)

//go:noescape
func dot4(n int, a, b *float64) float64

//go:noescape
func axpy4(n int, f float64, x, y *float64)

//go:noescape
func sum4(n int, f *[4]float64, a, b, c, d, y *float64)

//go:noescape
func adam8(n int, w, m, v, grad, c *float32)

// addMul adds a (m x k, element i,j at i*row+j*col) times b (k x n, row-major)
// to c (m x n, row-major). n is a multiple of 8.
func addMul(m, n, k int, a []float32, row, col int, b, c []float32) {
	if m == 0 || n == 0 || k == 0 {
		return
	}
	_, _, _ = a[(m-1)*row+(k-1)*col], b[k*n-1], c[m*n-1]
	const size = unsafe.Sizeof(float32(0))
	r, cl, ld := uintptr(row)*size, uintptr(col)*size, uintptr(n)*size
	i := 0
	for ; i+4 <= m; i += 4 {
		j := 0
		for ; j+16 <= n; j += 16 {
			mul4x16(k, &a[i*row], r, cl, &b[j], ld, &c[i*n+j], ld)
		}
		for ; j < n; j += 8 {
			mul4x8(k, &a[i*row], r, cl, &b[j], ld, &c[i*n+j], ld)
		}
	}
	for ; i < m; i++ {
		for j := 0; j < n; j += 8 {
			mul1x8(k, &a[i*row], cl, &b[j], ld, &c[i*n+j])
		}
	}
}

// adamStep is one step of Adam on w with gradient g; how many values it did.
func adamStep(w, m, v, g []float32, c *[5]float32) int {
	n := len(w) &^ 7
	if !fast || n == 0 {
		return 0
	}
	_, _, _ = m[n-1], v[n-1], g[n-1]
	adam8(n, &w[0], &m[0], &v[0], &g[0], &c[0])
	return n
}
