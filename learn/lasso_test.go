package learn

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// problem draws a regression with correlated columns.
func problem(rng *rand.Rand, n, p int) (x, y []float64) {
	x = make([]float64, n*p)
	y = make([]float64, n)
	for i := range n {
		shared := rng.NormFloat64()
		for j := range p {
			x[i*p+j] = rng.NormFloat64() + 1.5*shared*float64(j%3) + float64(j)
		}
		y[i] = 3 + rng.NormFloat64()
		for j := 0; j < p; j += 4 {
			y[i] += x[i*p+j] * float64(j%5-2)
		}
	}
	return x, y
}

// kkt checks that b solves the lasso at lambda on g: the conditions of
// Karush, Kuhn and Tucker, which know nothing of how b was found.
func kkt(t interface{ Fatalf(string, ...any) }, g *Gram, tg Target, b []float64, lambda, tol float64) {
	for j := range b {
		r := tg.C[j]
		for i, v := range b {
			r -= g.G[j*g.P+i] * v
		}
		switch {
		case b[j] == 0 && math.Abs(r) > lambda+tol:
			t.Fatalf("column %d is out with correlation %g above the penalty %g", j, r, lambda)
		case b[j] != 0 && math.Abs(r-math.Copysign(lambda, b[j])) > tol:
			t.Fatalf("column %d is in with correlation %g, want %g", j, r, math.Copysign(lambda, b[j]))
		}
	}
}

func TestLassoSolvesTheLasso(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		n, p := rapid.IntRange(5, 60).Draw(rt, "n"), rapid.IntRange(1, 40).Draw(rt, "p")
		x, y := problem(rng, n, p)
		g, err := NewGram(x, n, p)
		if err != nil {
			rt.Fatal(err)
		}
		tg, err := g.Target(y)
		if err != nil {
			rt.Fatal(err)
		}
		largest := 0.0
		for _, c := range tg.C {
			largest = max(largest, math.Abs(c))
		}
		lambda := largest * rapid.Float64Range(0.02, 1.1).Draw(rt, "part")
		last := Knot{Lambda: math.Inf(1), RSS: math.Inf(1)}
		b := NewLasso(p).Walk(g, tg, lambda, func(k Knot) bool {
			if k.Lambda > last.Lambda || k.RSS > last.RSS*(1+1e-9)+1e-9 {
				rt.Fatalf("the path goes up: %+v after %+v", k, last)
			}
			last = k
			return false
		})
		kkt(rt, g, tg, b, min(lambda, largest), 1e-7*largest)
		rss := tg.YY
		for i := range b {
			rss -= 2 * b[i] * tg.C[i]
			for j := range b {
				rss += b[i] * b[j] * g.G[i*p+j]
			}
		}
		if math.Abs(rss-last.RSS) > 1e-7*tg.YY+1e-9 {
			rt.Fatalf("residuals %g, the knot says %g", rss, last.RSS)
		}
	})
}

// One column: soft thresholding, by hand.
func TestLassoOfOneColumn(t *testing.T) {
	g, err := NewGram([]float64{1, 2, 3, 4}, 4, 1)
	if err != nil {
		t.Fatal(err)
	}
	tg, err := g.Target([]float64{2, 4, 6, 8})
	if err != nil {
		t.Fatal(err)
	}
	// Centred: x = ±0.5, ±1.5, x'x = 5, x'y = 10; b = (10 - lambda) / 5.
	for lambda, want := range map[float64]float64{0: 2, 5: 1, 10: 0, 20: 0} {
		if b := NewLasso(1).Walk(g, tg, lambda, nil); math.Abs(b[0]-want) > 1e-12 {
			t.Errorf("lambda %v: %v, want %v", lambda, b[0], want)
		}
	}
}

func TestLassoWithTwinsAndConstants(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const n, p = 30, 6
	x, y := problem(rng, n, p)
	for i := range n {
		x[i*p+1] = x[i*p]    // a twin
		x[i*p+2] = 7         // a constant
		x[i*p+5] = -x[i*p+4] // a mirrored twin
	}
	g, err := NewGram(x, n, p)
	if err != nil {
		t.Fatal(err)
	}
	tg, _ := g.Target(y)
	b := NewLasso(p).Walk(g, tg, 0.5, nil)
	kkt(t, g, tg, b, 0.5, 1e-6)
	if b[2] != 0 {
		t.Error("a constant has a coefficient")
	}
}

func TestGramRefuses(t *testing.T) {
	if _, err := NewGram([]float64{1, 2, 3}, 2, 2); err == nil {
		t.Error("three inputs as 2 x 2")
	}
	if _, err := NewGram([]float64{1, math.NaN()}, 2, 1); err == nil {
		t.Error("NaN among the inputs")
	}
	g, err := NewGram([]float64{1, 2}, 2, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.Target([]float64{1}); err == nil {
		t.Error("one target for two rows")
	}
	if _, err := g.Target([]float64{1, math.Inf(1)}); err == nil {
		t.Error("infinity as a target")
	}
}

// A walk on buffers that exist allocates nothing.
func BenchmarkLassoWalk(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 2))
	const n, p = 1449, 247
	x, y := problem(rng, n, p)
	g, _ := NewGram(x, n, p)
	tg, _ := g.Target(y)
	l := NewLasso(p)
	lambda := 0.0
	for _, c := range tg.C {
		lambda = max(lambda, math.Abs(c))
	}
	b.ReportAllocs()
	for b.Loop() {
		l.Walk(g, tg, lambda/1000, nil)
	}
}
