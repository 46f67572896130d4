package forecast

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"ballast/learn"
)

// fanned is a past of forecasts whose fans are too narrow by half, in days of
// which every other one is three times as uncertain.
func fanned(days int) []outlook {
	rng := rand.New(rand.NewPCG(9, 9))
	past := make([]outlook, days)
	for i := range past {
		o := &past[i]
		o.recent = scale{median: 40, size: 10}
		size := 2.0 + 4*float64(i%2)
		o.said.Fan = make([][Hours]float64, len(fanLevels))
		for h := range Hours {
			o.mean[h] = 40 + rng.Float64()
			for j, z := range fanScores {
				o.said.Fan[j][h] = 37 + size*z/2 // elsewhere than the point forecast
			}
			o.came[h] = o.mean[h] + size*rng.NormFloat64()
		}
	}
	return past
}

func TestFanIsMadeTrue(t *testing.T) {
	levels := learn.Levels(99)
	past := fanned(161)
	for _, last := range []int{160, 159} { // a calm day, and one that is not
		size := 2.0 + 4*float64(last%2)
		var low, middle, high float64
		for h, q := range fanCone(past[:last+1], levels) {
			for j := range q {
				if j > 0 && q[j] < q[j-1] {
					t.Fatalf("day %d, hour %d: level %v falls", last, h, levels[j])
				}
			}
			m := past[last].mean[h]
			low, middle, high = low+(q[9]-m)/Hours, middle+(q[49]-m)/Hours, high+(q[89]-m)/Hours
		}
		if z := 1.2816 * size; math.Abs(low+z) > 0.2*z || math.Abs(high-z) > 0.2*z || math.Abs(middle) > 0.2*size {
			t.Errorf("size %v: quantiles of 10, 50 and 90 %% are %.2f, %.2f, %.2f from the point forecast", size, low, middle, high)
		}
	}
	if past[3].said.Fan = nil; fans(past) {
		t.Error("a day without a fan is not seen")
	}
}

func TestAlong(t *testing.T) {
	x, y := []float64{0, 1, 3}, []float64{10, 20, 30}
	for v, want := range map[float64]float64{-1: 0, 0: 10, 0.5: 15, 1: 20, 2: 25, 3: 30, 5: 40} {
		if got := along(x, y, v); math.Abs(got-want) > 1e-12 {
			t.Errorf("at %v: %v, want %v", v, got, want)
		}
	}
}

// Trees on what a line leaves go on along it; trees alone cannot.
func TestGroveOnALine(t *testing.T) {
	const days = 220
	p := &Panel{Market: "line", First: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), Names: []string{"load"}, Known: make([][][Hours]float64, 1)}
	rng := rand.New(rand.NewPCG(2, 2))
	for d := range days {
		var price, load [Hours]float64
		base := 10 * rng.NormFloat64()
		if d == days-1 {
			base = 60 // never seen
		}
		for h := range Hours {
			load[h] = 50 + base + rng.NormFloat64()
			price[h] = 20 + 0.5*load[h] + 0.1*rng.NormFloat64()
		}
		p.Price, p.Known[0] = append(p.Price, price), append(p.Known[0], load)
	}
	off := func(linear bool) float64 {
		how := DefaultGroves()[0].How
		how.Rounds = 40
		g := Grove{Window: 200, Renew: 14, Linear: linear, How: how}
		cut := &Panel{First: p.First, Names: p.Names, Known: p.Known, Price: p.Price[:days-1]}
		f, err := g.Forecast(cut, days-1)
		if err != nil {
			t.Fatal(err)
		}
		e := 0.0
		for h, v := range f {
			e += math.Abs(v-p.Price[days-1][h]) / Hours
		}
		return e
	}
	with, without := off(true), off(false)
	t.Logf("30 beyond the usual: the line and trees err by %.1f, trees alone by %.1f", with, without)
	if with > 0.8*without {
		t.Errorf("the line and trees err by %.1f, trees alone by %.1f", with, without)
	}
}
