package sim

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestNoiseMoments(t *testing.T) {
	const n = 200_000
	var mean, sq, wmean, wsq, umean float64
	for i := range int64(n) {
		g := gauss(1, 2, i)
		mean += g
		sq += g * g
		umean += uniform(1, 3, i)
		w := wave(7, 4, float64(i)*0.37, 1)
		wmean += w
		wsq += w * w
	}
	for _, c := range []struct {
		what           string
		got, want, tol float64
	}{
		{"gauss mean", mean / n, 0, 0.01}, {"gauss variance", sq / n, 1, 0.02}, {"uniform mean", umean / n, 0.5, 0.005},
		{"wave mean", wmean / n, 0, 0.02}, {"wave variance", wsq / n, 1, 0.03},
	} {
		if math.Abs(c.got-c.want) > c.tol {
			t.Errorf("%s: %.4f, want %.4f", c.what, c.got, c.want)
		}
	}
	for _, m := range []float64{0.3, 4, 29, 300} {
		sum, sq := 0.0, 0.0
		for i := range int64(20_000) {
			v := float64(poisson(9, 5, i, m))
			sum += v
			sq += v * v
		}
		avg := sum / 20_000
		if v := sq/20_000 - avg*avg; math.Abs(avg-m) > 0.03*m+0.01 || math.Abs(v-m) > 0.06*m+0.02 {
			t.Errorf("poisson %v: mean %.3f, variance %.3f", m, avg, v)
		}
	}
}

// How often a counter is asked, and in what steps its expectation grows, must
// not change what it counts; and it never counts down.
func TestCounterDoesNotDependOnSteps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		steps := rapid.SliceOfN(rapid.Float64Range(0.001, 20), 1, 60).Draw(t, "steps")
		var fine, coarse counter
		last, sum := int64(0), 0.0
		for _, s := range steps {
			fine.add(seed, drawShare, s/2)
			fine.add(seed, drawShare, s/2)
			coarse.add(seed, drawShare, s)
			sum += s
			if n := fine.count(seed, drawShare); n < last {
				t.Fatalf("counted down from %d to %d", last, n)
			} else {
				last = n
			}
		}
		if f, c := fine.count(seed, drawShare), coarse.count(seed, drawShare); f != c && math.Abs(fine.expected-coarse.expected) < 1e-12 {
			t.Fatalf("fine steps counted %d, coarse ones %d", f, c)
		}
		if math.Abs(float64(last)-sum) > 6*math.Sqrt(sum)+8 {
			t.Fatalf("counted %d of %.1f expected", last, sum)
		}
	})
}

func TestCounterMean(t *testing.T) {
	total := 0.0
	for seed := range uint64(400) {
		var c counter
		for range 50 {
			c.add(seed, drawShare, 3.1)
		}
		total += float64(c.count(seed, drawShare))
	}
	if got, want := total/400, 155.0; math.Abs(got-want) > 3 {
		t.Errorf("mean count %.2f, want %.0f", got, want)
	}
}
