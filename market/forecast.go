package market

import (
	"fmt"
	"math"
	"time"
)

// EpochState is how far the running epoch has come.
type EpochState struct {
	// Bits is the epoch's target.
	Bits Bits
	// Intervals is how many intervals between blocks of this epoch have
	// passed: 0 when only its first block is known, at most 2015.
	Intervals int
	// Elapsed is the header time of the newest block less that of the first.
	Elapsed time.Duration
	// Since is how long ago the newest block was found, by the reader's
	// clock. It carries information too: no block came in it.
	Since time.Duration
	// Prior is how long a block took on average in the epoch before, scaled
	// to this epoch's difficulty. Zero means 600 s. It counts as much as
	// PriorBlocks intervals (default 100, most of a day).
	Prior       time.Duration
	PriorBlocks int
}

// Forecast is what the next retarget is expected to do. Changes are relative:
// -0.05 is five per cent down.
type Forecast struct {
	Change            float64 // from the expected timespan
	Low, Median, High float64 // quantiles 0.05, 0.5 and 0.95 of the change
	Difficulty        float64 // this epoch's difficulty times 1+Change
	Remaining         int     // intervals still to come
	SecondsLeft       float64 // expected, from now
	Bits              Bits    // the target if the timespan is exactly as expected
}

// ExpectRetarget forecasts the next retarget.
//
// Blocks come as a Poisson process whose rate is not known. With a Gamma prior
// the rate after n intervals in t seconds is Gamma(n0+n, t0+t), and the time of
// the m intervals still to come is (t0+t) times a beta prime variable with
// parameters m and n0+n, whose quantiles are those of a beta variable. The
// hashrate is taken as constant over the epoch; what price may do to it is not
// in here.
func ExpectRetarget(s EpochState) (Forecast, error) {
	t, err := s.Bits.Target()
	if err != nil {
		return Forecast{}, err
	}
	if s.Intervals < 0 || s.Intervals >= EpochBlocks || s.Elapsed < 0 || s.Since < 0 {
		return Forecast{}, fmt.Errorf("%d intervals in %v: %w", s.Intervals, s.Elapsed, ErrInvalid)
	}
	prior, n0 := s.Prior.Seconds(), float64(s.PriorBlocks)
	if prior <= 0 {
		prior = Spacing
	}
	if n0 <= 0 {
		n0 = 100
	}
	a := n0 + float64(s.Intervals)
	seen := n0*prior + s.Elapsed.Seconds() + s.Since.Seconds()
	m := float64(EpochBlocks - 1 - s.Intervals)
	passed := s.Elapsed.Seconds()
	if m > 0 {
		passed += s.Since.Seconds()
	}
	change := func(left float64) float64 {
		span := min(max(passed+left, MinTimespan), MaxTimespan)
		return Timespan/span - 1
	}
	f := Forecast{Remaining: int(m)}
	if m > 0 {
		left := func(p float64) float64 { x := betaQuantile(m, a, p); return seen * x / (1 - x) }
		f.SecondsLeft = seen * m / (a - 1) // mean of a beta prime variable
		f.Low, f.Median, f.High = change(left(0.95)), change(left(0.5)), change(left(0.05))
	}
	f.Change = change(f.SecondsLeft)
	if m == 0 {
		f.Low, f.Median, f.High = f.Change, f.Change, f.Change
	}
	if f.Bits, err = RetargetSpan(s.Bits, int64(passed+f.SecondsLeft+0.5)); err != nil {
		return Forecast{}, err
	}
	f.Difficulty = t.Diff() * (1 + f.Change)
	return f, nil
}

// RetargetChance is the chance that the next retarget is at or under a threshold
// (-0.05), from the blocks of the epoch so far: the time that the rest takes is
// the beta prime variable of ExpectRetarget, at a pace that may differ from the
// one so far by doubt, the standard deviation of its logarithm.
func RetargetChance(s EpochState, threshold, doubt float64) (float64, error) {
	if _, err := ExpectRetarget(s); err != nil {
		return 0, err
	}
	if !(threshold > -0.75 && threshold < 3) || !(doubt >= 0 && doubt < 1) {
		return 0, fmt.Errorf("threshold %g, doubt %g: %w", threshold, doubt, ErrInvalid)
	}
	prior, n0 := s.Prior.Seconds(), float64(s.PriorBlocks)
	if prior <= 0 {
		prior = Spacing
	}
	if n0 <= 0 {
		n0 = 100
	}
	a, m := n0+float64(s.Intervals), float64(EpochBlocks-1-s.Intervals)
	// The epoch's timespan at which the change is the threshold.
	limit := Timespan / (1 + threshold)
	passed := s.Elapsed.Seconds()
	if m == 0 {
		if passed >= limit {
			return 1, nil
		}
		return 0, nil
	}
	passed += s.Since.Seconds()
	if passed >= limit {
		return 1, nil
	}
	seen := n0*prior + passed
	// Nineteen points of a normal distribution, at the middles of equal shares.
	const points = 19
	var sum float64
	for i := range points {
		z := math.Sqrt2 * math.Erfinv(2*(float64(i)+0.5)/points-1)
		r := (limit - passed) / math.Exp(doubt*z) / seen // the rest over what was seen
		sum += 1 - incompleteBeta(m, a, r/(1+r))
	}
	return sum / points, nil
}
