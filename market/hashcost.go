package market

import (
	"fmt"
	"math/big"

	"ballast/unit"
)

// Hashcost is what it costs to run 1 PH/s for a day at an efficiency and a
// power price: J/TH x $/kWh x 24 x PUE, because 1 PH/s at 1 J/TH draws 1 kW.
// It has hashprice's unit, so the two can be held against each other. Overhead
// is the site's PUE: 1 when the power price is for power at the machine.
func Hashcost(e unit.Efficiency, p unit.EnergyPrice, overhead float64) unit.Hashprice {
	return unit.HashpriceOf(float64(e)*p.PerMWh()/1000*24*overhead, p.Currency)
}

// BreakEvenPower is the power price at which a machine of efficiency e earns
// nothing. ok is false for an efficiency that is not positive.
func BreakEvenPower(h unit.Hashprice, e unit.Efficiency, overhead float64) (p unit.EnergyPrice, ok bool) {
	if !(e > 0) || !(overhead > 0) {
		return unit.EnergyPrice{}, false
	}
	return unit.EnergyPriceOf(h.PerPHDay()*1000/(24*float64(e)*overhead), h.Currency), true
}

// BreakEvenEfficiency is the worst efficiency that still earns its power.
func BreakEvenEfficiency(h unit.Hashprice, p unit.EnergyPrice, overhead float64) (e unit.Efficiency, ok bool) {
	if p.Micro <= 0 || !(overhead > 0) || p.Currency != h.Currency {
		return 0, false
	}
	return unit.Efficiency(h.PerPHDay() * 1000 / (24 * p.PerMWh() * overhead)), true
}

// BreakEvenPrice is the price of a bitcoin at which 1 PH/s earns its hashcost,
// from what it earns in satoshi a day ([SatPerPHDay]). It is exact; round it
// with [unit.MoneyOf]. (Hayes 2017; Fantazzini et al. 2016.)
func BreakEvenPrice(cost unit.Hashprice, satPerPHDay *big.Rat) (*big.Rat, error) {
	if satPerPHDay.Sign() <= 0 {
		return nil, fmt.Errorf("a reward of nothing: %w", ErrInvalid)
	}
	v := new(big.Rat).SetFrac(big.NewInt(cost.Micro), big.NewInt(1e6))
	v.Mul(v, big.NewRat(Coin, 1))
	return v.Quo(v, satPerPHDay), nil
}
