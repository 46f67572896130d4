package learn

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestVectorSteps(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	draw := func(n int) []float64 {
		v := make([]float64, n)
		for i := range v {
			v[i] = rng.NormFloat64()
		}
		return v
	}
	for n := range 40 {
		a, b := draw(n), draw(n)
		want := 0.0
		for i := range a {
			want += a[i] * b[i]
		}
		if got := dot(a, b); math.Abs(got-want) > 1e-12 {
			t.Errorf("%d: inner product %v, want %v", n, got, want)
		}
		sum := slices.Clone(b)
		addScaled(-1.5, a, sum)
		for i := range sum {
			if math.Abs(sum[i]-(b[i]-1.5*a[i])) > 1e-12 {
				t.Errorf("%d: place %d is %v", n, i, sum[i])
			}
		}
		matrix, f := draw(9*n), draw(6)
		rows := []int{7, 0, 3, 3, 8, 1}
		sum = slices.Clone(b)
		addRows(sum, matrix, rows, f)
		for i := range sum {
			want := b[i]
			for k, r := range rows {
				want += f[k] * matrix[r*n+i]
			}
			if math.Abs(sum[i]-want) > 1e-12 {
				t.Errorf("%d: place %d of the rows' sum is %v, want %v", n, i, sum[i], want)
			}
		}
	}
}

// Least squares on all columns leaves what the end of the lasso's path leaves,
// columns that others explain or not.
func TestLeast(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for _, double := range []bool{false, true} {
		const n, p = 60, 9
		x, y := problem(rng, n, p)
		if double {
			for i := range n {
				x[i*p+6] = x[i*p+1] + x[i*p+2]
			}
		}
		g, err := NewGram(x, n, p)
		if err != nil {
			t.Fatal(err)
		}
		tg, err := g.Target(y)
		if err != nil {
			t.Fatal(err)
		}
		end := 0.0
		NewLasso(p).Walk(g, tg, 0, func(k Knot) bool { end = k.RSS; return false })
		if got := g.Least().RSS(tg); math.Abs(got-end) > 1e-6*tg.YY {
			t.Errorf("least squares leave %v, the path %v of %v", got, end, tg.YY)
		}
	}
	x, y := problem(rng, 8, 9)
	g, err := NewGram(x, 8, 9)
	if err != nil {
		t.Fatal(err)
	}
	tg, _ := g.Target(y)
	if got := g.Least().RSS(tg); got > 1e-9*tg.YY {
		t.Errorf("more columns than rows: %v", got)
	}
}
