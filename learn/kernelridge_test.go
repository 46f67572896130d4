package learn

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// What it says of rows that it has learned is the targets less penalty times the
// coefficients: the equations that it solves.
func TestKernelSolves(t *testing.T) {
	const n, p, m = 60, 3, 2
	rng := rand.New(rand.NewPCG(7, 7))
	x, y := make([]float64, n*p), make([]float64, n*m)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	for i := range y {
		y[i] = rng.NormFloat64()
	}
	copy(x[3:6], x[:3]) // two rows that are the same
	k, err := FitKernel(x, y, n, p, m, []float64{0.7}, []float64{0.4})
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float64, m)
	for i := range n {
		k.Predict(x[i*p:(i+1)*p], out)
		for c, v := range out {
			if want := y[i*m+c] - 0.4*k.alpha[i*m+c]; math.Abs(v-want) > 1e-9 {
				t.Fatalf("row %d, target %d: %v, want %v", i, c, v, want)
			}
		}
	}
}

// A curve under noise is found, and of the widths and penalties those that suit it.
func TestKernelFinds(t *testing.T) {
	const n, p, m = 300, 2, 2
	curve := func(x []float64) [m]float64 { return [m]float64{math.Sin(2 * x[0]), x[0] * x[1]} }
	for _, noise := range []float64{0.02, 0.8} {
		rng := rand.New(rand.NewPCG(8, 8))
		x, y := make([]float64, 0, n*p), make([]float64, 0, n*m)
		for range n {
			row := []float64{3 * (rng.Float64() - 0.5), 3 * (rng.Float64() - 0.5)}
			x = append(x, row...)
			for _, v := range curve(row) {
				y = append(y, v+noise*rng.NormFloat64())
			}
		}
		k, err := FitKernel(slices.Clone(x), y, n, p, m, []float64{0.02, 0.5, 50}, []float64{1e-3, 1})
		if err != nil {
			t.Fatal(err)
		}
		if k.Width != 0.5 || k.Penalty != map[float64]float64{0.02: 1e-3, 0.8: 1}[noise] {
			t.Errorf("noise %v: width %v, penalty %v", noise, k.Width, k.Penalty)
		}
		out, off, size := make([]float64, m), 0.0, 0.0
		for range 500 {
			row := []float64{2.6 * (rng.Float64() - 0.5), 2.6 * (rng.Float64() - 0.5)}
			k.Predict(row, out)
			for c, v := range curve(row) {
				off, size = off+math.Abs(out[c]-v), size+math.Abs(v)
			}
		}
		if off > (0.02+0.3*noise)*size {
			t.Errorf("noise %v: off by %.3f of the curve", noise, off/size)
		}
	}
}

func TestKernelRefuses(t *testing.T) {
	x, y := make([]float64, 20), make([]float64, 10)
	widths, penalties := []float64{1}, []float64{1}
	if _, err := FitKernel(x, y[1:], 10, 2, 1, widths, penalties); !errors.Is(err, ErrShape) {
		t.Errorf("a target is missing: %v", err)
	}
	if _, err := FitKernel(x, y, 10, 2, 1, nil, penalties); !errors.Is(err, ErrShape) {
		t.Errorf("no width: %v", err)
	}
	if k, err := FitKernel(x, y, 10, 2, 1, widths, penalties); err != nil || len(k.alpha) != 10 {
		t.Errorf("rows that are all the same: %v", err)
	}
	y[3] = math.NaN()
	if _, err := FitKernel(x, y, 10, 2, 1, widths, penalties); !errors.Is(err, ErrNotFinite) {
		t.Errorf("a target is not a number: %v", err)
	}
	y[3], x[5] = 0, math.NaN()
	if _, err := FitKernel(x, y, 10, 2, 1, widths, penalties); !errors.Is(err, ErrNotFinite) {
		t.Errorf("an input is not a number: %v", err)
	}
}

func BenchmarkKernel(b *testing.B) {
	const n, p, m = 1449, 247, 24
	rng := rand.New(rand.NewPCG(9, 9))
	x, y := make([]float64, n*p), make([]float64, n*m)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	for i := range y {
		y[i] = rng.NormFloat64()
	}
	for b.Loop() {
		if _, err := FitKernel(x, y, n, p, m, []float64{1}, []float64{1}); err != nil {
			b.Fatal(err)
		}
	}
}
