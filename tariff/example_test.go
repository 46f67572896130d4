package tariff_test

import (
	"fmt"
	"time"

	"ballast/tariff"
	"ballast/unit"
)

func Example() {
	c, err := tariff.Parse([]byte(`
name: Ranch PPA
currency: USD
zone: America/Chicago
interval: 60m
versions:
  - from: 2026-01-01
    parts:
      - name: PPA
        kind: ppa
        blocks: [{power: 30MW, price: $28/MWh}]
        excess: {series: ercot.rtm.HB_NORTH, adder: $1.50/MWh}
        sell_back: {series: ercot.rtm.HB_NORTH}
      - {name: Tax, kind: tax, share: 2%}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	month := tariff.Month{Year: 2026, Month: time.March}
	from, to := month.Span(c.Location()) // 743 hours: the clock goes forward
	var prices tariff.Table
	var meter []tariff.Interval
	for at := from; at.Before(to); at = at.Add(time.Hour) {
		price, power := unit.EnergyPrice{Micro: 25_000_000, Currency: unit.USD}, 30*unit.Megawatt
		if at.In(c.Location()).Format("02 15") == "09 18" { // one hour of scarcity: the site stops
			price.Micro, power = 3_000_000_000, 0
		}
		prices.Set("ercot.rtm.HB_NORTH", tariff.Quote{Start: at, Length: time.Hour, Price: price})
		meter = append(meter, tariff.Interval{Start: at, Length: time.Hour, Energy: unit.Some(power.Over(time.Hour))})
	}
	s, err := c.Statement(month, meter, &prices, tariff.State{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, l := range s.Lines {
		fmt.Println(l.Part, l.What+":", l.Explain())
	}
	fmt.Println("total", s.Total, s.Status)

	now, err := c.PriceAt(from.Add(12*time.Hour), tariff.Context{Prices: &prices, Load: 29 * unit.Megawatt})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, d := range now.Components {
		fmt.Println(d.Part, d.Price, d.Source)
	}
	fmt.Println("one more MWh costs", now.Total)
	// Output:
	// PPA block of 30MW: 22290 MWh x 28 USD/MWh = $624120.00
	// PPA sold back: -30 MWh x 3000 USD/MWh (average of 1 intervals) = -$90000.00
	// Tax : 534120 USD x 0.02 = $10682.40
	// total $544802.40 settled
	// PPA $25/MWh ercot.rtm.HB_NORTH
	// Tax $0.5/MWh contract
	// one more MWh costs $25.5/MWh
}
