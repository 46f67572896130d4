package learn

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestQuantile(t *testing.T) {
	// numpy.quantile([1, 2, 3, 4], [0, .25, .5, 1]) = 1, 1.75, 2.5, 4
	v := []float64{1, 2, 3, 4}
	for level, want := range map[float64]float64{0: 1, 0.25: 1.75, 0.5: 2.5, 1: 4} {
		if got := Quantile(v, level); math.Abs(got-want) > 1e-12 {
			t.Errorf("%v: %v, want %v", level, got, want)
		}
	}
	if !math.IsNaN(Quantile(nil, 0.5)) {
		t.Error("a quantile of nothing")
	}
}

// The pinball loss is smallest, in the mean, at the quantile.
func TestPinball(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	var ys []float64
	for range 4000 {
		ys = append(ys, rng.ExpFloat64())
	}
	sorted := Sorted(ys)
	mean := func(q, level float64) (s float64) {
		for _, y := range ys {
			s += Pinball(q, y, level) / float64(len(ys))
		}
		return s
	}
	for _, level := range []float64{0.05, 0.5, 0.9} {
		q := Quantile(sorted, level)
		if at := mean(q, level); at > mean(q*1.1, level) || at > mean(q*0.9, level) {
			t.Errorf("level %v: the loss is not smallest at the quantile", level)
		}
	}
}

func TestWeightedQuantiles(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		v := rapid.SliceOfN(rapid.Float64Range(-100, 100), 1, 40).Draw(rt, "values")
		w := make([]float64, len(v))
		for i := range w {
			w[i] = rapid.Float64Range(0.01, 5).Draw(rt, "weight")
		}
		levels, out := Levels(19), make([]float64, 19)
		q := Weighted{slices.Clone(v), slices.Clone(w)}
		q.Sort()
		if err := q.Quantiles(levels, out); err != nil {
			rt.Fatal(err)
		}
		if !slices.IsSorted(out) || out[0] < slices.Min(v) || out[18] > slices.Max(v) {
			rt.Fatalf("quantiles %v of %v", out, v)
		}
		// Twice the weight is the value twice.
		for i := range w {
			w[i] = 1
		}
		twice := Weighted{append(slices.Clone(v), v...), make([]float64, 2*len(v))}
		for i := range twice.Weight {
			twice.Weight[i] = 1
		}
		heavy := Weighted{slices.Clone(v), make([]float64, len(v))}
		for i := range heavy.Weight {
			heavy.Weight[i] = 2
		}
		twice.Sort()
		heavy.Sort()
		a, b := make([]float64, 19), make([]float64, 19)
		_ = twice.Quantiles(levels, a)
		_ = heavy.Quantiles(levels, b)
		span := slices.Max(v) - slices.Min(v)
		for i := range a {
			if math.Abs(a[i]-b[i]) > span/float64(len(v))+span/2 {
				rt.Fatalf("%v against %v", a, b)
			}
		}
	})
	if err := (Weighted{}).Quantiles([]float64{0.5}, []float64{0}); err == nil {
		t.Error("quantiles of nothing")
	}
	out := make([]float64, 1)
	q := Weighted{[]float64{1, 2, 3}, []float64{1, 1, 1}}
	if _ = q.Quantiles([]float64{0.5}, out); out[0] != 2 {
		t.Error("the median of 1, 2, 3 is", out[0])
	}
	q.Weight = []float64{1, 1, 100}
	if _ = q.Quantiles([]float64{0.5}, out); out[0] < 2.9 {
		t.Error("the median of 1, 2 and a hundred 3s is", out[0])
	}
}

func TestIsotonic(t *testing.T) {
	y := []float64{1, 3, 2, 4, 0, 5}
	Isotonic(y, nil)
	want := []float64{1, 2.25, 2.25, 2.25, 2.25, 5} // 3, 2, 4, 0 pool to 9/4
	for i := range y {
		if math.Abs(y[i]-want[i]) > 1e-12 {
			t.Fatalf("%v, want %v", y, want)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		v := rapid.SliceOfN(rapid.Float64Range(-5, 5), 1, 30).Draw(rt, "y")
		got := slices.Clone(v)
		Isotonic(got, nil)
		sum, kept := 0.0, 0.0
		for i := range v {
			sum += v[i]
			kept += got[i]
		}
		for i := 1; i < len(got); i++ {
			if got[i] < got[i-1]-1e-12 {
				rt.Fatalf("%v became %v", v, got)
			}
		}
		if math.Abs(sum-kept) > 1e-9 {
			rt.Fatalf("%v became %v", v, got)
		}
	})
}

// Whatever the data do, in the long run the promised share is covered.
func TestAdaptiveKeepsItsPromise(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	a := Adaptive{Target: 0.9, Rate: 0.02}
	held, fixed := 0, 0
	const n = 8000
	for i := range n {
		size := 1.0
		if i > n/2 {
			size = 3 // the world changes and nobody tells
		}
		y := rng.NormFloat64() * size
		// Intervals of a normal world of size 1.
		half := math.Sqrt2 * math.Erfinv(min(a.Level(), 0.9999999))
		in := math.Abs(y) <= half
		if in {
			held++
		}
		if math.Abs(y) <= 1.6449 {
			fixed++
		}
		a.Saw(in)
	}
	share, without := float64(held)/n, float64(fixed)/n
	if math.Abs(share-0.9) > 0.01 || without > 0.8 {
		t.Errorf("covered %.3f, want 0.9; without adapting %.3f", share, without)
	}
}

func TestExpertsFollowTheBest(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	e := NewExperts(3, 100)
	w := make([]float64, 3)
	e.Weights(w)
	if w[0] != w[1] || w[1] != w[2] {
		t.Error("experts do not begin alike", w)
	}
	for i := range 1500 {
		loss := []float64{1 + rng.Float64(), 1.3 + rng.Float64(), 2 + rng.Float64()}
		if i >= 750 {
			loss[0], loss[2] = loss[2], loss[0] // the worst becomes the best
		}
		e.Saw(loss)
		e.Weights(w)
		if s := w[0] + w[1] + w[2]; math.Abs(s-1) > 1e-9 || slices.Min(w) < 0 {
			t.Fatal(w)
		}
		if i == 749 && w[0] < 0.7 {
			t.Error("after 750 rounds the best expert weighs", w)
		}
	}
	if w[2] < 0.7 {
		t.Error("after the change the best expert weighs", w)
	}
}
