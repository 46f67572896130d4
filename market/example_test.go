package market_test

import (
	"fmt"
	"math/big"

	"ballast/market"
	"ballast/unit"
)

// What a PH/s earns and costs, and the price of a bitcoin at which it earns
// nothing.
func Example() {
	target, _ := market.TargetAt(big.NewRat(124_932_866_006_548, 1))
	reward, _ := market.RewardWithFeeShare(market.Subsidy(953_568), big.NewRat(1, 100))
	price := unit.Money{Minor: 61_500_00, Currency: unit.USD}
	hashprice, _ := market.HashpriceOf(target, reward, price)

	power, _ := unit.ParseEnergyPrice("5c/kWh")
	cost := market.Hashcost(17.5, power, 1)
	even, _ := market.BreakEvenPrice(cost, market.SatPerPHDay(target, reward))
	fmt.Printf("earns $%.2f, costs $%.2f a PH/s and day; even at $%s a bitcoin\n", hashprice.PerPHDay(), cost.PerPHDay(), even.FloatString(0))

	next, _ := market.RetargetSpan(target.Bits(), 13*86_400)
	harder, _ := next.Target()
	fmt.Printf("an epoch of 13 days: difficulty %+.2f %%\n", 100*(harder.Diff()/target.Diff()-1))
	// Output:
	// earns $31.26, costs $21.00 a PH/s and day; even at $41317 a bitcoin
	// an epoch of 13 days: difficulty +7.69 %
}
