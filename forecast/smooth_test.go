package forecast

import (
	"math"
	"testing"
)

// What it says of a day depends on the days before, not on which days were asked
// for earlier, and not on what comes later; and it beats the week before.
func TestSmooth(t *testing.T) {
	p := invented(3, 200)
	model := func() *Smooth { return &Smooth{Window: 150, Renew: 7} }
	asked := model()
	off, naive := 0.0, 0.0
	for d := 170; d < 200; d++ {
		f, err := asked.Forecast(p, d)
		if err != nil {
			t.Fatal(err)
		}
		if d%9 == 0 {
			alone, err := model().Forecast(p, d)
			if err != nil || alone != f {
				t.Fatalf("day %d by itself is another: %v", d, err)
			}
			other := *p
			other.Price = append([][Hours]float64(nil), p.Price...)
			other.Price[d][3] += 1000
			if again, err := model().Forecast(&other, d); err != nil || again != f {
				t.Fatalf("day %d reads its own prices: %v", d, err)
			}
		}
		for h, v := range f {
			off += math.Abs(v - p.Price[d][h])
			naive += math.Abs(p.Price[d-7][h] - p.Price[d][h])
		}
	}
	if off > 0.6*naive {
		t.Errorf("errors are %.2f of the week before's", off/naive)
	}
	if _, err := model().Forecast(p, 50); err == nil {
		t.Error("50 days are enough")
	}
}
