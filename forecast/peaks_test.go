package forecast

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// system is an invented load, hourly, and its forecast a day ahead.
func system(rng *rand.Rand, days int) Load {
	l := Load{Start: time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC), Slot: time.Hour}
	heat := 0.0
	for range days {
		heat = 0.7*heat + 3*rng.NormFloat64()
		miss := 1 + 0.02*rng.NormFloat64()
		for h := range 24 {
			f := 60 + heat + 12*math.Sin(float64(h-11)/24*2*math.Pi)
			l.Forecast = append(l.Forecast, f)
			l.Settled = append(l.Settled, f*miss*(1+0.004*rng.NormFloat64()))
		}
	}
	return l
}

// Over many months that do not exist, what is said to be likely comes as often.
func TestPeakChancesAreCalibrated(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	var said, came, squared, base, best float64
	months := 0
	for range 60 {
		l := system(rng, 122+31) // to the end of July
		all := l.Settled
		// Judged a day at a time, in July, before each day.
		peak, at := 0.0, 0
		for i := 122 * 24; i < len(all); i++ {
			if all[i] > peak {
				peak, at = all[i], i
			}
		}
		months++
		for d := 122; d < 153; d += 5 {
			now := l
			now.Settled, now.Forecast = all[:d*24], l.Forecast[:(d+1)*24]
			chance, err := PeakChances(now, PeakHow{Paths: 200, Seed: uint64(d)})
			if err != nil {
				t.Fatal(err)
			}
			sum := 0.0
			for j, c := range chance {
				hit := 0.0
				if d*24+j == at {
					hit = 1
				}
				said, came = said+c, came+hit
				squared += (c - hit) * (c - hit)
				base += hit
				best = max(best, c)
				sum += c
			}
			if sum > 1+1e-9 {
				t.Fatalf("chances of one month add up to %v", sum)
			}
		}
	}
	t.Logf("%d months: %.1f peaks expected, %.0f came; squared error %.2f, of saying never %.2f; surest %.2f", months, said, came, squared, base, best)
	if math.Abs(said-came) > 3*math.Sqrt(came+1) {
		t.Errorf("%.1f peaks were expected and %.0f came", said, came)
	}
	if squared >= base {
		t.Errorf("squared error %.2f, of saying never %.2f", squared, base)
	}
}

func TestPeakChancesAtTheEnds(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	l := system(rng, 61)
	n := len(l.Settled)
	l.Settled = l.Settled[:n-24] // the last of April
	at := n - 24 + 17
	l.Forecast[at] *= 2
	chance, err := PeakChances(l, PeakHow{})
	if err != nil || chance[17] < 0.999 {
		t.Errorf("a slot twice as high: %v, %v", chance, err)
	}
	l.Settled[n-48] = 1000
	if chance, _ = PeakChances(l, PeakHow{}); chance[17] != 0 {
		t.Errorf("under a peak that has settled: %v", chance[17])
	}
	if _, err := PeakChances(Load{Slot: time.Hour, Settled: l.Settled[:48], Forecast: l.Forecast[:72]}, PeakHow{}); !errors.Is(err, ErrTooShort) {
		t.Errorf("two days: %v", err)
	}
	for name, bad := range map[string]Load{
		"no slot":     {Settled: l.Settled, Forecast: l.Forecast},
		"odd slot":    {Slot: 7 * time.Hour, Settled: l.Settled, Forecast: l.Forecast},
		"no forecast": {Slot: time.Hour, Settled: l.Settled, Forecast: l.Forecast[:24]},
	} {
		if _, err := PeakChances(bad, PeakHow{}); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
