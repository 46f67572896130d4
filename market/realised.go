package market

import (
	"fmt"
	"math"
	"math/big"
	"time"

	"ballast/unit"
)

// Production is what a miner or pool reports to have mined in a period.
type Production struct {
	From, To time.Time // To is exclusive
	Mined    unit.Money
	// FeeShare is the network's average share of fees in the reward over the
	// period, and FeeShareError how far it may be off.
	FeeShare, FeeShareError float64
	// Luck is for production that comes of the miner's own blocks (solo or
	// PPLNS): its uncertainty is that of the number of blocks. Paid by FPPS
	// it is false.
	Luck bool
	// PoolFee was taken before Mined; 0 when the report is gross.
	PoolFee float64
}

// Realised is a hashrate that production implies.
type Realised struct {
	Hashrate unit.Hashrate
	// Tolerance is one relative standard deviation from what is not known:
	// the fee share, the rounding of the report to whole bitcoins, and luck.
	Tolerance float64
	// PerEHDay is what 1 EH/s earned a day in the period, in BTC.
	PerEHDay float64
	Days     float64
}

// RealisedHashrate is the hashrate that would on average have mined what was
// reported: BTC mined over the sum of what each EH/s earned on each part of the
// period, epoch by epoch (TheMinerMag's realised hashrate). It lies under the
// installed hashrate by all that stood still, and realised over installed is
// the realisation rate.
func RealisedHashrate(p Production, h History) (Realised, error) {
	if p.Mined.Currency != unit.BTC || p.Mined.Minor < 0 || !p.To.After(p.From) ||
		!(p.FeeShare >= 0 && p.FeeShare < 1) || !(p.PoolFee >= 0 && p.PoolFee < 1) {
		return Realised{}, fmt.Errorf("production of %s from %v to %v: %w", p.Mined, p.From, p.To, ErrInvalid)
	}
	var perEH, blocks float64 // BTC of one EH/s over the period, and blocks
	for t := p.From; t.Before(p.To); {
		e, ok := h.At(t)
		if !ok {
			return Realised{}, fmt.Errorf("no difficulty known at %v: %w", t, ErrNoData)
		}
		end := p.To
		height, _ := h.HeightAt(t)
		subsidy := Subsidy(int64(height))
		if next, ok := h.Epoch(e.Number + 1); ok && next.Start.Before(end) {
			end = next.Start
		}
		if _, at := NextHalving(int64(height)); true {
			if half, ok := h.TimeOf(at); ok && half.After(t) && half.Before(end) {
				end = half
			}
		}
		hashes, _ := e.Target.Hashes().Float64()
		n := 1e18 * end.Sub(t).Seconds() / hashes
		blocks += n
		perEH += n * float64(subsidy) / Coin / (1 - p.FeeShare)
		t = end
	}
	if perEH <= 0 {
		return Realised{}, fmt.Errorf("a reward of nothing: %w", ErrInvalid)
	}
	days := p.To.Sub(p.From).Seconds() / DaySeconds
	eh := p.Mined.Float() / (1 - p.PoolFee) / perEH
	variance := sq(p.FeeShareError / (1 - p.FeeShare))
	if p.Mined.Minor > 0 && p.Mined.Minor%Coin == 0 {
		// Reported in whole bitcoins: uniform within half of one.
		variance += sq(float64(Coin)/float64(p.Mined.Minor)) / 12
	}
	if p.Luck && eh > 0 {
		variance += 1 / (eh * blocks)
	}
	return Realised{Hashrate: unit.Hashrate(eh) * unit.EHs, Tolerance: math.Sqrt(variance), PerEHDay: perEH / days, Days: days}, nil
}

func sq(v float64) float64 { return v * v }

// RealisationRate is realised over installed hashrate; ok is false when
// nothing is installed.
func RealisationRate(realised, installed unit.Hashrate) (unit.Ratio, bool) {
	if !(installed > 0) {
		return 0, false
	}
	return unit.Ratio(realised / installed), true
}

// NetworkHashrate is what finds n blocks at target t in d on average, and the
// relative standard deviation of that estimate: 1/sqrt(n).
func NetworkHashrate(t Target, n int, d time.Duration) (unit.Hashrate, float64, error) {
	if n <= 0 || d <= 0 {
		return 0, 0, fmt.Errorf("%d blocks in %v: %w", n, d, ErrNoData)
	}
	hashes, _ := new(big.Rat).Mul(t.Hashes(), big.NewRat(int64(n), 1)).Float64()
	return unit.Hashrate(hashes / d.Seconds() / 1e12), 1 / math.Sqrt(float64(n)), nil
}
