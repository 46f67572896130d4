package learn

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/blas"
	"pgregory.net/rapid"
)

// The products against the plain ones in any size.
func TestProducts(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m, k := rapid.IntRange(1, 40).Draw(rt, "m"), rapid.IntRange(1, 40).Draw(rt, "k")
		n := rapid.IntRange(1, 6).Draw(rt, "n") * rapid.SampledFrom([]int{1, 8}).Draw(rt, "step")
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 3))
		fill := func(n int) []float32 {
			v := make([]float32, n)
			for i := range v {
				v[i] = float32(rng.NormFloat64())
			}
			return v
		}
		same := func(what string, got, want []float32) {
			for i := range want {
				if math.Abs(float64(got[i]-want[i])) > 1e-4 {
					rt.Fatalf("%s %d x %d x %d: element %d is %g, want %g", what, m, n, k, i, got[i], want[i])
				}
			}
		}
		a, b, c := fill(m*k), fill(k*n), fill(m*n)
		want := append([]float32(nil), c...)
		la.Sgemm(blas.NoTrans, blas.NoTrans, m, n, k, 1, a, k, b, n, 1, want, n)
		addAB(m, n, k, a, b, c)
		same("AB", c, want)

		at := fill(k * m)
		la.Sgemm(blas.Trans, blas.NoTrans, m, n, k, 1, at, m, b, n, 0, want, n)
		setATB(m, n, k, at, b, c)
		same("A'B", c, want)

		bt := fill(n * k)
		la.Sgemm(blas.NoTrans, blas.Trans, m, n, k, 1, a, k, bt, k, 0, want, n)
		setABT(m, n, k, a, bt, c, make([]float32, n*k))
		same("AB'", c, want)
	})
}

func BenchmarkAddAB(b *testing.B) {
	const m, n, k = 64, 96, 248
	x, y, c := make([]float32, m*k), make([]float32, k*n), make([]float32, m*n)
	for b.Loop() {
		addAB(m, n, k, x, y, c)
	}
	b.ReportMetric(float64(b.N)*2*m*n*k/b.Elapsed().Seconds()/1e9, "GFLOPS")
}
