package debt

import (
	"fmt"
	"math"

	"ballast/unit"
)

// Call is the value today of a European call in t years on a forward F with
// strike K (Black 1976), discounted at the continuous rate r:
//
//	e^(-rt) (F N(d1) - K N(d2)),  d1 = (ln(F/K) + s^2 t/2) / (s sqrt t),  d2 = d1 - s sqrt t
//
// Its limits are exact: without volatility or time it is the discounted
// max(F-K, 0), without a strike the discounted forward. It never lies under
// that intrinsic value, nor over the discounted forward, and rises with s.
// NaN where an argument makes no sense.
func Call(forward, strike, vol, rate, years float64) float64 {
	if !(forward >= 0) || !(strike >= 0) || !(vol >= 0) || !(years >= 0) || math.IsNaN(rate) {
		return math.NaN()
	}
	disc := math.Exp(-rate * years)
	intrinsic := disc * max(forward-strike, 0)
	sd := vol * math.Sqrt(years)
	if sd == 0 || forward == 0 || strike == 0 {
		return intrinsic
	}
	if math.IsInf(sd, 1) {
		return disc * forward
	}
	d1 := math.Log(forward/strike)/sd + sd/2
	v := forward*norm(d1) - strike*norm(d1-sd)
	// Far from the money the difference of two nearly equal numbers can lie a
	// rounding error outside its bounds.
	return min(max(disc*v, intrinsic), disc*forward)
}

// norm is the standard normal distribution function.
func norm(x float64) float64 { return 0.5 * math.Erfc(-x/math.Sqrt2) }

// Strip values a machine as what it is: on every day of its life the right, not
// the duty, to turn power into bitcoin. Each day is a call on that day's
// hashprice with the hashcost as its strike (Yaish and Zohar, AFT 2023).
type Strip struct {
	// Hashprice is today's; Drift is the continuous growth a year of its
	// forward curve. Difficulty that grows is a dividend that the holder does
	// not get: with hashrate growing 30 % a year and a flat bitcoin price the
	// drift is -0.26.
	Hashprice unit.Hashprice
	Drift     float64
	// Halvings are the days from now at which hashprice loses half of what is
	// subsidy; SubsidyShare is that share of it (1 when zero).
	Halvings     []int
	SubsidyShare float64
	// Hashcost is the strike: power, and what else stops with the machine.
	Hashcost unit.Hashprice
	Vol      float64 // a year, of hashprice
	Rate     float64 // continuous, a year
	Days     int     // of life left
	Uptime   float64 // share of days that it can hash; 1 when zero
}

// Forward is the expected hashprice d days ahead, a PH/s and day.
func (s Strip) Forward(d int) float64 {
	f := s.Hashprice.PerPHDay() * math.Exp(s.Drift*float64(d)/365)
	part := s.SubsidyShare
	if part == 0 {
		part = 1
	}
	for _, h := range s.Halvings {
		if d >= h {
			f *= 1 - part/2
			part = (part / 2) / (1 - part/2)
		}
	}
	return f
}

// StripValue is a strip's value for 1 PH/s, with its bounds.
type StripValue struct {
	Value     float64 // of the calls
	Intrinsic float64 // discounted, without volatility: what it is worth if all goes as the forward curve
	Revenue   float64 // discounted, all of it: no value can be higher
	InMoney   int     // days on which the forward is over the strike
}

// Value adds up the calls for 1 PH/s, day by day.
func (s Strip) Value() (StripValue, error) {
	if s.Hashprice.Currency != s.Hashcost.Currency || s.Hashprice.Micro < 0 || s.Hashcost.Micro < 0 || !(s.Vol >= 0) || s.Days < 0 || s.Days > 366*30 ||
		!(s.Uptime >= 0 && s.Uptime <= 1) || math.IsNaN(s.Drift) || math.Abs(s.Drift) > 20 || math.IsNaN(s.Rate) || math.Abs(s.Rate) > 5 || !(s.SubsidyShare >= 0 && s.SubsidyShare <= 1) {
		return StripValue{}, fmt.Errorf("strip of %s over %s for %d days: %w", s.Hashprice, s.Hashcost, s.Days, ErrInvalid)
	}
	up := s.Uptime
	if up == 0 {
		up = 1
	}
	var v StripValue
	k := s.Hashcost.PerPHDay()
	for d := 1; d <= s.Days; d++ {
		t := float64(d) / 365
		f := s.Forward(d)
		v.Value += up * Call(f, k, s.Vol, s.Rate, t)
		v.Intrinsic += up * Call(f, k, 0, s.Rate, t)
		v.Revenue += up * f * math.Exp(-s.Rate*t)
		if f > k {
			v.InMoney++
		}
	}
	return v, nil
}
