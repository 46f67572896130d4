package forecast

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// rush are invented real-time ticks: quiet with a memory, and now and then a
// rush of high prices that the day-ahead price and the last tick hint at.
func rush(seed uint64, days int) []Tick {
	rng := rand.New(rand.NewPCG(seed, 11))
	at := time.Date(2024, 5, 1, 0, 0, 0, 0, time.UTC)
	var out []Tick
	level, hot := 0.0, false
	for i := range days * 96 {
		hour := float64(i%96) / 4
		ahead := 30 + 10*math.Sin((hour-9)/24*2*math.Pi)
		chance := 0.001
		if hour > 17 && hour < 20 {
			chance = 0.02
		}
		hot = hot && rng.Float64() < 0.7 || rng.Float64() < chance
		level = 0.8*level + rng.NormFloat64()
		v := ahead + level*(1+hour/12)
		if hot {
			v += 200 * rng.Float64()
		}
		out = append(out, Tick{At: at.Add(time.Duration(i) * 15 * time.Minute), Price: v, Ahead: ahead})
	}
	return out
}

func TestRealtime(t *testing.T) {
	ticks := rush(1, 60)
	const n = 45 * 96
	how := RealtimeHow{Slot: 15 * time.Minute, Ahead: 2, SpikeAt: 90, Rounds: 60}
	m, err := LearnRealtime(ticks[:n], how)
	if err != nil {
		t.Fatal(err)
	}
	var loss, held, said, came, count float64
	var quiet, hot, ups float64
	for i := n; i+1 < len(ticks); i += 3 {
		d, err := m.Forecast(ticks[i-m.longer-1:i+2], 2)
		if err != nil {
			t.Fatal(err)
		}
		if !d.Start.Equal(ticks[i].At) || len(d.Values) != 2 {
			t.Fatalf("%d slots from %s", len(d.Values), d.Start)
		}
		s := d.Score(0, ticks[i].Price)
		loss += s.Pinball
		count++
		if s.In90 {
			held++
		}
		said += d.Spike[0]
		if ticks[i].Price > 90 {
			came++
		}
		if ticks[i-1].Price > 90 {
			hot, ups = hot+d.Spike[0], ups+1
		} else {
			quiet += d.Spike[0]
		}
	}
	t.Logf("pinball %.2f, 90 %% held %.3f, spikes said %.1f came %.0f; chance %.2f after a spike, %.4f else", loss/count, held/count, said, came, hot/ups, quiet/(count-ups))
	if held/count < 0.84 || held/count > 0.96 || math.Abs(said-came) > 4*math.Sqrt(came)+3 || hot/ups < 0.2 {
		t.Error("not calibrated")
	}
}

func TestRealtimeRefuses(t *testing.T) {
	ticks := rush(2, 20)
	how := RealtimeHow{Slot: 15 * time.Minute, Rounds: 5}
	if _, err := LearnRealtime(ticks[:96], how); !errors.Is(err, ErrTooShort) {
		t.Error(err)
	}
	if _, err := LearnRealtime(ticks, RealtimeHow{}); !errors.Is(err, ErrFormat) {
		t.Error(err)
	}
	m, err := LearnRealtime(ticks, how)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Forecast(ticks[:50], 1); !errors.Is(err, ErrTooShort) {
		t.Error(err)
	}
	if _, err := m.Forecast(ticks, 2); !errors.Is(err, ErrTooShort) {
		t.Error(err)
	}
	late := append([]Tick(nil), ticks...)
	late[len(late)-2].Price, late[len(late)-1].Price = math.NaN(), math.NaN()
	d, err := m.Forecast(late, 1)
	if err != nil || len(d.Notes) != 1 {
		t.Errorf("a late price: %v, notes %v", err, d)
	}
	late[5].At = late[5].At.Add(time.Second)
	if _, err := m.Forecast(late, 1); !errors.Is(err, ErrFormat) {
		t.Error(err)
	}
}

// Calibration rises, stays within 0 and 1, and keeps the mean near what came.
func TestCalibration(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		score := rapid.SliceOfN(rapid.Float64Range(0, 1), 1, 80).Draw(rt, "score")
		came := make([]float64, len(score))
		for i := range came {
			if rapid.Bool().Draw(rt, "came") {
				came[i] = 1
			}
		}
		c := calibrate(score, came)
		last := 0.0
		for s := -0.1; s < 1.1; s += 0.01 {
			v := c.at(s)
			if v < last-1e-12 || v <= 0 || v >= 1 {
				rt.Fatalf("at %v: %v after %v", s, v, last)
			}
			last = v
		}
	})
}
