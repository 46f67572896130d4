package debt_test

import (
	"fmt"

	"ballast/debt"
	"ballast/market"
	"ballast/unit"
)

// A loan on machines: its payments, and how near a covenant is.
func Example() {
	loan := debt.Facility{
		ID: "machines", Kind: debt.ASICBacked, Purpose: debt.ForMining, Recourse: debt.FullRecourse,
		Principal: unit.Money{Minor: 24_000_000_00, Currency: unit.USD}, Drawn: debt.Day(2026, 1, 15), Maturity: debt.Day(2028, 1, 15),
		Interest:  debt.Interest{Fixed: debt.Percent(12), DayCount: debt.Thirty360},
		Repayment: debt.Repayment{Shape: debt.Linear, Months: 1},
		Secured:   []debt.Collateral{{Kind: debt.RigCollateral, Hashrate: 2 * unit.EHs, Efficiency: 17.5}},
	}
	book, err := debt.NewBook([]debt.Facility{loan}, unit.USD, debt.Env{})
	if err != nil {
		fmt.Println(err)
		return
	}
	first := book.Schedules[0].Payments[1]
	fmt.Println(first.Due, "interest", first.Interest, "principal", first.Principal, "left", first.Closing)

	power, _ := unit.ParseEnergyPrice("4.5c/kWh")
	p := debt.Position{
		On: debt.Day(2026, 6, 15), Book: book, Hashprice: unit.HashpriceOf(45, unit.USD), Price: unit.Money{Minor: 90_000_00, Currency: unit.USD},
		Groups: []debt.Group{{Name: "S21", Active: 2 * unit.EHs, Efficiency: 17.5, Power: power}},
		Cash:   unit.Money{Minor: 5_000_000_00, Currency: unit.USD}, Fixed: unit.Money{Minor: 2_000_000_00, Currency: unit.USD},
		RigRate: func(unit.Efficiency) (market.RigRate, bool) { return market.RigRateOf(16, unit.USD), true },
	}
	h, _ := p.Headroom(debt.Covenant{ID: "cover", Metric: debt.DSCR, Limit: 1.1}, &debt.Path{Days: 365, Hashprice: -0.4})
	price, _ := h.Price.Get()
	hashprice, _ := h.Hashprice.Get()
	days, _ := h.Days.Get()
	fmt.Printf("DSCR %.2f; breaks at %.0f $ a bitcoin, %.2f $/PH/day, in %d days on this path\n", h.Reading.Value, price.Float(), hashprice.PerPHDay(), days)
	// Output:
	// 2026-02-15 interest $240000.00 principal $1000000.00 left $23000000.00
	// DSCR 1.25; breaks at 84326 $ a bitcoin, 42.16 $/PH/day, in 68 days on this path
}
