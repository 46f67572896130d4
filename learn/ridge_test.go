package learn

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestRidge(t *testing.T) {
	const n, p, m = 120, 7, 3
	rng := rand.New(rand.NewPCG(6, 6))
	x, y := make([]float64, n*p), make([]float64, n*m)
	for i := range n {
		for j := range p {
			x[i*p+j] = 2*rng.NormFloat64() + float64(j)
		}
		for k := range m {
			y[i*m+k] = 5 + 0.1*rng.NormFloat64()
			for j := range p {
				y[i*m+k] += x[i*p+j] * float64(j-k)
			}
		}
	}
	r, said, err := FitRidge(x, y, n, p, m, 6, []float64{0.1, 1e6})
	if err != nil || r.Penalty != 0.1 {
		t.Fatalf("penalty %v: %v", r.Penalty, err)
	}
	out := make([]float64, m)
	for i := range n {
		r.Predict(x[i*p:(i+1)*p], out)
		for k, v := range out {
			if math.Abs(v-y[i*m+k]) > 0.6 || math.Abs(said[i*m+k]-y[i*m+k]) > 0.8 {
				t.Fatalf("row %d, target %d: %v, unseen %v, came %v", i, k, v, said[i*m+k], y[i*m+k])
			}
		}
	}
	// What is said of a fold's rows is the same whatever came in them.
	spoilt := slices.Clone(y)
	for i := range n / 6 * m {
		spoilt[i] += 1000
	}
	_, again, err := FitRidge(x, spoilt, n, p, m, 6, []float64{0.1})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n / 6 * m {
		if math.Abs(again[i]-said[i]) > 1e-7 {
			t.Errorf("place %d: %v, with other targets in its fold %v", i, said[i], again[i])
		}
	}
	if _, _, err := FitRidge(x, y[1:], n, p, m, 6, []float64{1}); !errors.Is(err, ErrShape) {
		t.Errorf("a target is missing: %v", err)
	}
	x[3] = math.NaN()
	if _, _, err := FitRidge(x, y, n, p, m, 6, []float64{1}); !errors.Is(err, ErrNotFinite) {
		t.Errorf("not a number: %v", err)
	}
}
