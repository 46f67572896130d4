package evidence

import (
	"math"

	"ballast/debt"
	"ballast/debt/stress"
	"ballast/market"
	"ballast/unit"
)

// Play sets up a Monte Carlo of a full debt schedule on the newest market of
// the data: past returns in blocks, the newest difficulty, a network that
// switches off by cost. The firm is an example, four facilities on 5.5 EH/s;
// nothing that comes out of it is a statement about anyone.
func Play(d Data, days int) (stress.Price, stress.Network, stress.Firm, error) {
	prices := d.Prices[max(0, len(d.Prices)-4*365):]
	returns := make([]float64, 0, len(prices))
	var mean, variance float64
	for i := 1; i < len(prices); i++ {
		returns = append(returns, math.Log(prices[i].Price.Float()/prices[i-1].Price.Float()))
		mean += returns[i-1]
	}
	mean /= float64(len(returns))
	for i := range returns {
		returns[i] -= mean // no view of the price's drift
		variance += returns[i] * returns[i] / float64(len(returns))
	}
	last := d.History[len(d.History)-1]
	sat, _ := market.SatPerPHDay(last.Target, market.Reward{Subsidy: market.Subsidy(last.Height)}).Float64()
	btc := prices[len(prices)-1].Price.Float()
	p := stress.Price{Kind: stress.Bootstrap, Start: btc, Vol: math.Sqrt(variance * 365), Returns: returns, Block: 20}
	n := stress.Network{
		Hashprice: sat / market.Coin * btc, FeeShare: 0.01, FeeVol: 0.6, FeeCorr: 0.1, Growth: 0.15, Response: 0.5, Lag: 21, Noise: 0.02,
		Costs: []stress.Cost{{Share: 0.25, Hashcost: 14}, {Share: 0.35, Hashcost: 19}, {Share: 0.25, Hashcost: 25}, {Share: 0.15, Hashcost: 33}},
	}
	usd := func(v int64) unit.Money { return unit.Money{Minor: v * 100, Currency: unit.USD} }
	from := debt.DateOf(last.Start)
	loan := func(id string, k debt.Kind, principal int64, months int, r debt.Repayment) debt.Facility {
		return debt.Facility{ID: id, Kind: k, Purpose: debt.ForMining, Recourse: debt.FullRecourse, Principal: usd(principal), Drawn: from.AddMonths(-9), Maturity: from.AddMonths(months),
			Interest: debt.Interest{Fixed: debt.Percent(11), DayCount: debt.Actual360}, Repayment: r}
	}
	rigs := loan("machines", debt.ASICBacked, 30_000_000, 27, debt.Repayment{Shape: debt.Annuity, Months: 1})
	equipment := loan("equipment", debt.Equipment, 12_000_000, 30, debt.Repayment{Shape: debt.Linear, Months: 3})
	notes := loan("notes", debt.Convertible, 40_000_000, 36, debt.Repayment{Shape: debt.Bullet, Months: 6})
	notes.Interest.Fixed, notes.Convert = debt.Percent(3.25), &debt.Conversion{Price: usd(20)}
	coins := loan("coins", debt.CoinBacked, 10_000_000, 8, debt.Repayment{Shape: debt.Bullet, Months: 3})
	coins.Secured = []debt.Collateral{{Kind: debt.CoinCollateral, Coins: unit.Money{Minor: 280 * market.Coin, Currency: unit.BTC}}}
	coins.Margin = &debt.Margin{Initial: debt.Percent(60), Call: debt.Percent(75), Liquidate: debt.Percent(85), Cure: 2}
	book, err := debt.NewBook([]debt.Facility{rigs, equipment, notes, coins}, unit.USD, debt.Env{})
	if err != nil {
		return p, n, stress.Firm{}, err
	}
	f := stress.Firm{
		Groups: []stress.Group{{PH: 4000, Hashcost: 18}, {PH: 1500, Hashcost: 26}}, Fixed: 16_000, Other: 5_000, Cash: 12e6, Coins: 300,
		Sell: 0.6, Floor: 3e6, RigRate: 12_000, RigBeta: 0.8,
	}
	f.Due, f.Owed, f.Loans, err = stress.Flatten(book, from, days, nil)
	return p, n, f, err
}
