package market_test

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ballast/market"
)

// Epochs drawn from the process that the forecast assumes: nine in ten
// retargets must fall between Low and High, from anywhere in the epoch.
func TestExpectRetargetCovers(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 7))
	const n = 400
	for _, seen := range []int{0, 200, 1000, 1900, 2014} {
		inside := 0
		for range n {
			// The prior is right on average: rates drawn from it.
			mean := 600 / (gamma(r, 100) / 100)
			var total, elapsed float64
			for i := range 2015 {
				if i == seen {
					elapsed = total
				}
				total += r.ExpFloat64() * mean
			}
			f, err := market.ExpectRetarget(market.EpochState{Bits: 0x17024ac6, Intervals: seen, Elapsed: time.Duration(elapsed * 1e9)})
			if err != nil {
				t.Fatal(err)
			}
			if c := market.Timespan/total - 1; c >= f.Low && c <= f.High {
				inside++
			}
		}
		// Three standard deviations of a share of 0.9 over n draws.
		if share := float64(inside) / n; math.Abs(share-0.9) > 3*math.Sqrt(0.09/n) {
			t.Errorf("after %d intervals: %.3f of the retargets inside, want 0.9", seen, share)
		}
	}
}

// gamma draws from Gamma(k, 1) for whole k.
func gamma(r *rand.Rand, k int) float64 {
	var s float64
	for range k {
		s += r.ExpFloat64()
	}
	return s
}

func TestExpectRetarget(t *testing.T) {
	// At the end of an epoch nothing is uncertain.
	f, err := market.ExpectRetarget(market.EpochState{Bits: market.LimitBits, Intervals: 2015, Elapsed: 1022578 * time.Second, Since: time.Minute})
	if err != nil || f.Low != f.High || f.Bits != 0x1d00d86a || f.SecondsLeft != 0 {
		t.Errorf("%+v, %v", f, err)
	}
	// Time without a block is a sign of a slower network.
	s := market.EpochState{Bits: 0x17024ac6, Intervals: 100, Elapsed: 60000 * time.Second}
	a, _ := market.ExpectRetarget(s)
	s.Since = 3 * time.Hour
	b, _ := market.ExpectRetarget(s)
	if b.Change >= a.Change {
		t.Errorf("three hours without a block: %v, before %v", b.Change, a.Change)
	}
	for _, bad := range []market.EpochState{
		{}, {Bits: market.LimitBits, Intervals: -1}, {Bits: market.LimitBits, Intervals: 2016}, {Bits: market.LimitBits, Elapsed: -1},
	} {
		if f, err := market.ExpectRetarget(bad); err == nil {
			t.Errorf("%+v gives %+v", bad, f)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		s := market.EpochState{
			Bits: market.Bits(0x17024ac6), Intervals: rapid.IntRange(0, 2015).Draw(t, "n"),
			Elapsed: time.Duration(rapid.Int64Range(0, 8_000_000).Draw(t, "elapsed")) * time.Second,
			Since:   time.Duration(rapid.Int64Range(0, 100_000).Draw(t, "since")) * time.Second,
			Prior:   time.Duration(rapid.Int64Range(0, 3000).Draw(t, "prior")) * time.Second,
		}
		f, err := market.ExpectRetarget(s)
		if err != nil {
			t.Fatal(err)
		}
		if !(f.Low <= f.Median && f.Median <= f.High) || f.Low < -0.75-1e-9 || f.High > 3+1e-9 || math.IsNaN(f.Change) || f.SecondsLeft < 0 {
			t.Fatalf("%+v gives %+v", s, f)
		}
	})
}

func TestExpectHeight(t *testing.T) {
	at := time.Date(2026, 6, 14, 1, 30, 0, 0, time.UTC)
	e, err := market.ExpectHeight(953_568, at, 1_050_000, 595*time.Second, 0.02)
	if err != nil {
		t.Fatal(err)
	}
	if want := at.Add((1_050_000 - 953_568) * 595 * time.Second); e.At.Sub(want).Abs() > time.Second {
		t.Errorf("at %v, want %v", e.At, want)
	}
	if !e.Early.Before(e.At) || !e.Late.After(e.At) || e.Late.Sub(e.At) < 20*24*time.Hour {
		t.Errorf("range %v to %v", e.Early, e.Late)
	}
	// Centuries ahead do not overflow.
	far, err := market.ExpectHeight(0, at, 6_930_000, 600*time.Second, 0)
	if err != nil || far.At.Year() < 2150 || far.At.Year() > 2165 {
		t.Errorf("%v, %v", far.At, err)
	}
	if _, err := market.ExpectHeight(10, at, 9, time.Second, 0); err == nil {
		t.Error("a height that is past was expected")
	}
}
