package debt

import (
	"fmt"
	"math"
)

// Merton is a firm as Merton (1974) sees it: assets that move as a geometric
// Brownian motion, and one debt that is due at a horizon. It defaults when its
// assets are then worth less. It knows no cash: a firm that runs out of money
// defaults before, which is why runway and cover stand beside it.
type Merton struct {
	Assets  float64 // coins, the fleet's option value, sites and contracts
	Debt    float64 // face, due by the horizon
	Drift   float64 // of the assets, continuous, a year; the risk-free rate for a risk-neutral probability
	Vol     float64 // of the assets, a year
	Horizon float64 // years
}

// Distance is the distance to default, in standard deviations:
//
//	(ln(V/D) + (mu - s^2/2) T) / (s sqrt T)
//
// Without volatility it is plus or minus infinity.
func (m Merton) Distance() (float64, error) {
	if !(m.Assets > 0) || !(m.Debt >= 0) || !(m.Vol >= 0) || !(m.Horizon > 0) || math.IsNaN(m.Drift) {
		return 0, fmt.Errorf("assets %g, debt %g, volatility %g, horizon %g: %w", m.Assets, m.Debt, m.Vol, m.Horizon, ErrInvalid)
	}
	if m.Debt == 0 {
		return math.Inf(1), nil
	}
	num := math.Log(m.Assets/m.Debt) + (m.Drift-m.Vol*m.Vol/2)*m.Horizon
	sd := m.Vol * math.Sqrt(m.Horizon)
	if sd == 0 {
		if num >= 0 {
			return math.Inf(1), nil
		}
		return math.Inf(-1), nil
	}
	return num / sd, nil
}

// Default is the probability that the assets do not cover the debt at the
// horizon: N(-distance).
func (m Merton) Default() (float64, error) {
	d, err := m.Distance()
	if err != nil {
		return 0, err
	}
	return norm(-d), nil
}

// MertonFromEquity finds assets and their volatility from what the shares are
// worth and how they move (Jones, Mason and Rosenfeld 1984): equity is a call
// on the assets with the debt as strike, and E s_E = N(d1) V s_V.
func MertonFromEquity(equity, equityVol, debt, rate, horizon float64) (Merton, error) {
	if !(equity > 0) || !(equityVol > 0) || !(debt > 0) || !(horizon > 0) || math.IsNaN(rate) {
		return Merton{}, fmt.Errorf("equity %g, volatility %g, debt %g: %w", equity, equityVol, debt, ErrInvalid)
	}
	pv := debt * math.Exp(-rate*horizon)
	call := func(v, s float64) (price, delta float64) {
		sd := s * math.Sqrt(horizon)
		d1 := math.Log(v/pv)/sd + sd/2
		return v*norm(d1) - pv*norm(d1-sd), norm(d1)
	}
	// For a given volatility the call rises with the assets: bisection. Then
	// the volatility is corrected until both equations hold.
	s := equityVol * equity / (equity + pv)
	var v float64
	for range 500 {
		lo, hi := equity, equity+pv
		for range 100 {
			v = (lo + hi) / 2
			if price, _ := call(v, s); price < equity {
				lo = v
			} else {
				hi = v
			}
		}
		_, delta := call(v, s)
		next := equityVol * equity / (v * delta)
		if math.Abs(next-s) < 1e-13*(1+s) {
			s = next
			break
		}
		s = (s + next) / 2
	}
	if math.IsNaN(s) || math.IsInf(s, 0) || math.IsNaN(v) {
		return Merton{}, fmt.Errorf("no assets explain equity %g with volatility %g: %w", equity, equityVol, ErrInvalid)
	}
	return Merton{Assets: v, Debt: debt, Drift: rate, Vol: s, Horizon: horizon}, nil
}
