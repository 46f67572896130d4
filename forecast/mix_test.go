package forecast

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// said is a day of which voices say what came and more, each with its own error.
func saidOf(rng *rand.Rand, came [Hours]float64, off [voices]float64) opinion {
	each := func(v int) [][Hours]float64 {
		var f [Hours]float64
		for h := range f {
			f[h] = came[h] + off[v]*rng.NormFloat64()
		}
		return [][Hours]float64{f}
	}
	return opinion{Lear: append(append(each(0), each(0)...), each(1)...), Nets: each(2), Softs: each(3), Trees: each(4), Lined: each(5), Kernel: each(6)}
}

func dayOf(rng *rand.Rand) (came [Hours]float64) {
	for h := range came {
		came[h] = 40 + 10*rng.NormFloat64()
	}
	return came
}

// A voice that errs less than the others gets more than its share, one that errs
// more gets less; when they change places, so do the weights. Departures are shrunk
// by half and more, so that they are small even when the errors differ much.
func TestWeightsFollowErrors(t *testing.T) {
	rng := rand.New(rand.NewPCG(10, 10))
	var w weigher
	run := func(days int, off [voices]float64) {
		for range days {
			o := outlook{came: dayOf(rng), recent: scale{40, 10}}
			o.said = saidOf(rng, o.came, off)
			said := w.hear(&o.said)
			for h := range Hours {
				o.mean[h] = w.mean(said, h)
			}
			w.saw(said, &o)
		}
	}
	if first := saidOf(rng, dayOf(rng), [voices]float64{}); w.hear(&first) != ([voices][Hours]float64{}) && w.weight != w.prior {
		t.Fatal("weights before a day came are not the shares")
	}
	good := [voices]float64{4, 4, 4, 1, 4, 4, 4}
	run(120, good)
	if w.weight[3] < 1.15*w.prior[3] || w.weight[4] > w.prior[4] {
		t.Errorf("after 120 days: %.3f, shares %.3f", w.weight, w.prior)
	}
	good[3], good[4] = 8, 1
	run(120, good)
	if w.weight[3] > 0.8*w.prior[3] || w.weight[4] < 1.05*w.prior[4] {
		t.Errorf("after another 120 days: %.3f, shares %.3f", w.weight, w.prior)
	}
}

// Whatever is said and comes, weights are none negative and one in sum, voices
// that are silent have none, and the same days give the same weights.
func TestWeightsAreWeights(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		days := rapid.IntRange(1, 30).Draw(t, "days")
		size := rapid.SampledFrom([]float64{0, 1e-9, 1, 1e6, 1e12}).Draw(t, "size")
		late := rapid.IntRange(0, 30).Draw(t, "day from which the trees speak")
		run := func() (w weigher) {
			rng := rand.New(rand.NewPCG(seed, 1))
			for i := range days {
				o := outlook{came: dayOf(rng), recent: scale{40, 10}}
				var off [voices]float64
				for v := range off {
					off[v] = size * rng.Float64()
				}
				if o.said = saidOf(rng, o.came, off); i < late {
					o.said.Trees, o.said.Lined = nil, nil
				}
				said := w.hear(&o.said)
				for h := range Hours {
					o.mean[h] = w.mean(said, h)
				}
				w.saw(said, &o)
				sum := 0.0
				for v, x := range w.weight {
					sum += x
					if !(x >= 0) || (v == 4 || v == 5) && i < late && x != 0 {
						t.Fatalf("day %d: weights %v", i, w.weight)
					}
				}
				if math.Abs(sum-1) > 1e-9 {
					t.Fatalf("day %d: weights %v, in sum %v", i, w.weight, sum)
				}
			}
			return w
		}
		if run() != run() {
			t.Fatal("the same days gave other weights")
		}
	})
}

// Kinds hold all voices, each with its share.
func TestKinds(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 11))
	o := saidOf(rng, dayOf(rng), [voices]float64{})
	kinds := o.kinds()
	if len(kinds) != 4 {
		t.Fatalf("%d kinds", len(kinds))
	}
	total := 0.0
	for _, k := range kinds {
		sum := 0.0
		for _, c := range k.count {
			sum += c
		}
		if len(k.count) != len(k.said) || math.Abs(sum-1) > 1e-12 {
			t.Errorf("counts %v of %d", k.count, len(k.said))
		}
		total += k.share
	}
	if math.Abs(total-1) > 1e-12 {
		t.Errorf("shares are %v in sum", total)
	}
	if only := (&opinion{Lear: o.Lear[:1]}).kinds(); len(only) != 1 || only[0].count[0] != 1 {
		t.Errorf("one window alone: %+v", only)
	}
}
