package forecast

import (
	"errors"
	"math"
	"testing"
	"time"
)

func TestDistribution(t *testing.T) {
	d := &Distribution{Slot: time.Hour, Levels: []float64{0.05, 0.5, 0.95}, Values: [][]float64{{10, 20, 40}}, Mean: []float64{22}}
	if err := d.Check(); err != nil {
		t.Fatal(err)
	}
	for level, want := range map[float64]float64{0.01: 10, 0.05: 10, 0.275: 15, 0.5: 20, 0.725: 30, 0.95: 40, 0.99: 40} {
		if got := d.Quantile(0, level); math.Abs(got-want) > 1e-9 {
			t.Errorf("quantile %v is %v, want %v", level, got, want)
		}
	}
	// By hand: at 30, 0.05·20 + 0.5·10 + 0.05·10 = 6.5, over three levels.
	if got := d.Score(0, 30); got.Error != 8 || math.Abs(got.Pinball-6.5/3) > 1e-9 || !got.In90 {
		t.Errorf("scored %+v", got)
	}
	if d.Score(0, 41).In90 {
		t.Error("41 is not within 10 and 40")
	}
	for name, spoil := range map[string]func(*Distribution){
		"falling":    func(d *Distribution) { d.Values = [][]float64{{10, 9, 40}} },
		"no number":  func(d *Distribution) { d.Values = [][]float64{{10, math.NaN(), 40}} },
		"short":      func(d *Distribution) { d.Values = [][]float64{{10, 20}} },
		"level 1":    func(d *Distribution) { d.Levels = []float64{0.05, 0.5, 1} },
		"no mean":    func(d *Distribution) { d.Mean = nil },
		"no slot":    func(d *Distribution) { d.Slot = 0 },
		"spike size": func(d *Distribution) { d.Spike = []float64{} },
	} {
		bad := *d
		spoil(&bad)
		if err := bad.Check(); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
