package forecast

import (
	"math"
	"slices"
	"testing"

	"ballast/learn"
)

// A small ensemble on a part of the past, long before the days that forecasts
// are judged by.
func TestNetsLearnAndSeeOnlyThePast(t *testing.T) {
	p := market(t, "NP")
	first := learn.Training{Epochs: 25, Batch: 32, Rate: 2e-3, Cool: true, Decay: 1}
	daily := learn.Training{Epochs: 1, Batch: 32, Rate: 2e-4, Decay: 1}
	ensemble := func(workers int) *Nets {
		return &Nets{Members: 3, Hidden: []int{32}, Window: 400, Seed: 5, Workers: workers, Renew: 21, First: first, Daily: daily}
	}
	a, b := ensemble(1), ensemble(3)
	var mae, naive float64
	const from, days = 600, 8
	for d := from; d < from+days; d++ {
		each, err := a.Forecast(p, d)
		if err != nil {
			t.Fatal(err)
		}
		cut := &Panel{First: p.First, Price: p.Price[:d]}
		for _, k := range p.Known {
			cut.Known = append(cut.Known, k[:d+1])
		}
		for h := range Hours {
			v := (each[0][h] + each[1][h] + each[2][h]) / 3
			mae += math.Abs(v-p.Price[d][h]) / (days * Hours)
			naive += math.Abs(p.Price[d-7][h]-p.Price[d][h]) / (days * Hours)
		}
		if d%3 == 0 { // some days are not asked for: the answer is the same
			continue
		}
		again, err := b.Forecast(cut, d)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(each, again) {
			t.Fatalf("day %d: other forecasts without the future, or with other workers", d)
		}
		if len(each) != 3 || each[0] == each[1] {
			t.Fatal("members do not differ")
		}
	}
	t.Logf("mean absolute error %.2f, the same hour a week before %.2f", mae, naive)
	if mae > naive {
		t.Errorf("nets err by %.2f, the week before by %.2f", mae, naive)
	}
}
