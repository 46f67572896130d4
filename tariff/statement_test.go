package tariff

import (
	"strings"
	"sync"
	"testing"
	"time"

	"ballast/unit"
)

// Contracts of the hand-computed examples share this head.
const head = `
name: test
currency: USD
zone: America/Chicago
interval: 15m
calendars:
  - {name: nerc, rules: nerc}
seasons:
  - {name: summer, from: 06-01, to: 09-30}
  - {name: winter, from: 10-01, to: 05-31}
periods:
  - {name: on-peak, days: weekdays, hours: "06:00-22:00", holidays: never, calendar: nerc}
  - {name: summer-peak, seasons: summer, days: weekdays, hours: "14:00-20:00", holidays: never, calendar: nerc}
peaks:
  - name: texas
    series: ercot.load
    interval: 15m
    rules:
      - {since: 2015, groups: [{months: [6, 7, 8, 9], count: 1}]}
      - {since: 2027, apart: true, groups: [{months: [6, 7, 8, 9], count: 2}, {months: [1, 2, 12], count: 2, per: group}]}
`

func contract(t testing.TB, yaml string) *Contract {
	t.Helper()
	head := head
	if strings.Contains(yaml, "\npeaks:") {
		head, _, _ = strings.Cut(head, "peaks:")
	}
	if !strings.Contains(yaml, "versions:") {
		yaml = "versions:\n  - from: 2025-01-01\n    parts:\n" + yaml
	}
	c, err := Parse([]byte(head + yaml))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// metered is a meter at a power given by the local time, for a month.
func metered(c *Contract, m Month, length time.Duration, power func(time.Time) unit.Power) []Interval {
	from, to := m.Span(c.Location())
	var out []Interval
	for at := from; at.Before(to); at = at.Add(length) {
		out = append(out, Interval{Start: at, Length: length, Energy: unit.Some(power(at.In(c.Location())).Over(length))})
	}
	return out
}

func constant(p unit.Power) func(time.Time) unit.Power {
	return func(time.Time) unit.Power { return p }
}

// priced is a series at a price in $/MWh given by the local time, for a month.
func priced(t *Table, series string, c *Contract, m Month, length time.Duration, price func(time.Time) float64) {
	from, to := m.Span(c.Location())
	var out []Quote
	for at := from; at.Before(to); at = at.Add(length) {
		out = append(out, Quote{Start: at, Length: length, Price: unit.EnergyPriceOf(price(at.In(c.Location())), "USD")})
	}
	t.Set(series, out...)
}

var texas = sync.OnceValue(func() *time.Location {
	loc, err := time.LoadLocation("America/Chicago")
	if err != nil {
		panic(err)
	}
	return loc
})

// at is an instant on the Texan clock.
func at(t testing.TB, s string) time.Time {
	t.Helper()
	v, err := time.ParseInLocation("2006-01-02 15:04", s, texas())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// within tells whether a time is in [from, from+hours).
func within(t testing.TB, from string, hours float64) func(time.Time) bool {
	a := at(t, from)
	z := a.Add(time.Duration(hours * float64(time.Hour)))
	return func(x time.Time) bool { return !x.Before(a) && x.Before(z) }
}

// want is a line by hand: quantity x rate = amount.
type want struct {
	part, what, quantity, rate, amount string
}

func check(t *testing.T, s *Statement, lines []want, total string) {
	t.Helper()
	for i, w := range lines {
		if i >= len(s.Lines) {
			t.Errorf("line %d is not there: %v", i, w)
			continue
		}
		l := s.Lines[i]
		got := want{l.Part, l.What, l.Quantity.String() + " " + l.Unit, l.Rate.String(), l.Amount.String()}
		if got != w {
			t.Errorf("line %d\n got %v\nwant %v", i, got, w)
		}
	}
	if len(s.Lines) > len(lines) {
		t.Errorf("%d lines more than by hand: %+v", len(s.Lines)-len(lines), s.Lines[len(lines)])
	}
	if s.Total.String() != total {
		t.Errorf("total %v, by hand %s", s.Total, total)
	}
}

var (
	march    = Month{2026, time.March}    // 743 hours: the clock goes forward on the 8th
	july     = Month{2026, time.July}     // 744 hours
	november = Month{2026, time.November} // 721 hours: the clock goes back on the 1st
)

func TestStatementsByHand(t *testing.T) {
	off := within(t, "2026-11-09 17:00", 4)
	for _, x := range []struct {
		name   string
		yaml   string
		month  Month
		power  func(time.Time) unit.Power
		prices map[string]func(time.Time) float64
		state  State
		lines  []want
		total  string
	}{
		{
			// 30 MW x 743 h = 22290 MWh; with 2 % losses 22735.8 MWh;
			// x $42.10 = $957177.18
			name:  "fixed, 23 hour day, losses",
			yaml:  "versions:\n  - from: 2025-01-01\n    losses: 2%\n    parts:\n      - {name: Energy, kind: fixed, price: $42.10/MWh}\n",
			month: march, power: constant(30e6),
			lines: []want{{"Energy", "", "22735.8 MWh", "42.1", "$957177.18"}},
			total: "$957177.18",
		},
		{
			// November 2026 has 21 weekdays; the 26th is Thanksgiving, which NERC
			// excludes: 20 x 16 h = 320 h on peak, 721 - 320 = 401 h off peak.
			// 10 MW: 3200 MWh x $61.50 = $196800.00; 4010 MWh x $28.25 = $113282.50
			name:  "time of use, 25 hour day, holiday",
			yaml:  "      - {name: Energy, kind: time-of-use, rates: [{period: on-peak, price: $61.50/MWh}], otherwise: $28.25/MWh}\n",
			month: november, power: constant(10e6),
			lines: []want{
				{"Energy", "on-peak", "3200 MWh", "61.5", "$196800.00"},
				{"Energy", "otherwise", "4010 MWh", "28.25", "$113282.50"},
			},
			total: "$310082.50",
		},
		{
			// July 2026 has 23 weekdays; Independence Day is a Saturday and stays
			// there: 23 x 6 h = 138 h of summer peak, 744 - 138 = 606 h.
			// 10 MW: 1380 x $95 = $131100; 6060 x $31 = $187860
			name:  "time of use, season",
			yaml:  "      - {name: Energy, kind: time-of-use, rates: [{period: summer-peak, price: $95/MWh}], otherwise: $31/MWh}\n",
			month: july, power: constant(10e6),
			lines: []want{
				{"Energy", "summer-peak", "1380 MWh", "95", "$131100.00"},
				{"Energy", "otherwise", "6060 MWh", "31", "$187860.00"},
			},
			total: "$318960.00",
		},
		{
			// 12 MW. 740 h at $20 + 2.15: 8880 MWh x 22.15 = $196692.00
			// 1 h at $5000 + 2.15: 12 MWh x 5002.15 = $60025.80
			// 2 h at -$15 + 2.15: 24 MWh x -12.85 = -$308.40
			// 8916 MWh, $256409.40, on average 28.758344549 $/MWh
			// Retail: 8916 x $1.05 = $9361.80
			name: "index plus adder, scarcity and negative prices",
			yaml: "      - {name: Energy, kind: index, market: {series: rtm, adder: $2.15/MWh}}\n" +
				"      - {name: Retail, kind: adder, price: $1.05/MWh}\n",
			month: march, power: constant(12e6),
			prices: map[string]func(time.Time) float64{"rtm": func(x time.Time) float64 {
				switch {
				case within(t, "2026-03-09 17:00", 1)(x):
					return 5000
				case within(t, "2026-03-10 02:00", 2)(x):
					return -15
				}
				return 20
			}},
			lines: []want{
				{"Energy", "", "8916 MWh", "28.758344549", "$256409.40"},
				{"Retail", "", "8916 MWh", "1.05", "$9361.80"},
			},
			total: "$265771.20",
		},
		{
			// The cap makes 5000 a 250, the floor -15 a 0; the multiplier comes
			// first: 20 x 102 % = 20.40. 10 MW:
			// 7400 x 20.40 = 150960; 10 x 250 = 2500; 20 x 0 = 0: $153460.00
			// on 7430 MWh: 20.654104980 on average
			name:  "index with multiplier, cap and floor",
			yaml:  "      - {name: Energy, kind: index, market: {series: rtm, multiplier: 102%, cap: $250/MWh, floor: $0/MWh}}\n",
			month: march, power: constant(10e6),
			prices: map[string]func(time.Time) float64{"rtm": func(x time.Time) float64 {
				switch {
				case within(t, "2026-03-09 17:00", 1)(x):
					return 5000
				case within(t, "2026-03-10 02:00", 2)(x):
					return -15
				}
				return 20
			}},
			lines: []want{{"Energy", "", "7430 MWh", "20.65410498", "$153460.00"}},
			total: "$153460.00",
		},
		{
			// Block: 20 MW x 721 h = 14420 MWh x $38.50 = $555170.00
			// Beyond: 4 MW x 717 h = 2868 MWh x (30 + 1) = $88908.00
			// Sold back in the 4 h that the site is off: 80 MWh x (400 x 95 % - 0.50)
			// = 80 x 379.50 = $30360.00
			name: "block plus index, with sell-back",
			yaml: "      - name: Energy\n        kind: block\n        blocks: [{power: 20MW, price: $38.50/MWh}]\n" +
				"        excess: {series: rtm, adder: $1/MWh}\n        sell_back: {series: rtm, multiplier: 95%, adder: -$0.50/MWh}\n",
			month: november,
			power: func(x time.Time) unit.Power {
				if off(x) {
					return 0
				}
				return 24e6
			},
			prices: map[string]func(time.Time) float64{"rtm": func(x time.Time) float64 {
				if off(x) {
					return 400
				}
				return 30
			}},
			lines: []want{
				{"Energy", "block of 20MW", "14420 MWh", "38.5", "$555170.00"},
				{"Energy", "beyond the block", "2868 MWh", "31", "$88908.00"},
				{"Energy", "sold back", "-80 MWh", "379.5", "-$30360.00"},
			},
			total: "$613718.00",
		},
		{
			// PPA: 30 MW x 721 h = 21630 MWh x $28 = $605640.00, used or not.
			// Off for 4 h: 120 MWh sold at $900 = $108000.00
			name:  "PPA with sell-back",
			yaml:  "      - {name: PPA, kind: ppa, blocks: [{power: 30MW, price: $28/MWh}], sell_back: {series: rtm}}\n",
			month: november,
			power: func(x time.Time) unit.Power {
				if off(x) {
					return 0
				}
				return 30e6
			},
			prices: map[string]func(time.Time) float64{"rtm": func(x time.Time) float64 {
				if off(x) {
					return 900
				}
				return 22
			}},
			lines: []want{
				{"PPA", "block of 30MW", "21630 MWh", "28", "$605640.00"},
				{"PPA", "sold back", "-120 MWh", "900", "-$108000.00"},
			},
			total: "$497640.00",
		},
		{
			// PPA without take-or-pay: 12 MW of 30 MW used: 12 x 721 = 8652 MWh x $28
			name:  "PPA, pay for use",
			yaml:  "      - {name: PPA, kind: ppa, take: use, blocks: [{power: 30MW, price: $28/MWh}]}\n",
			month: november, power: constant(12e6),
			lines: []want{{"PPA", "block of 30MW", "8652 MWh", "28", "$242256.00"}},
			total: "$242256.00",
		},
		{
			// Award 25 MW: 18025 MWh x $35 day-ahead = $630875.00
			// Drawn 30 MW but for 4 h: 5 MW x 717 h = 3585 MWh x $33 = $118305.00
			// Off for 4 h, real-time $900: 25 MW x 4 h = 100 MWh sold = $90000.00
			name:  "two settlements",
			yaml:  "      - {name: Market, kind: two-settlement, day_ahead: {series: dam}, real_time: {series: rtm}}\n",
			month: november,
			power: func(x time.Time) unit.Power {
				if off(x) {
					return 0
				}
				return 30e6
			},
			prices: map[string]func(time.Time) float64{
				"dam": func(time.Time) float64 { return 35 },
				"rtm": func(x time.Time) float64 {
					if off(x) {
						return 900
					}
					return 33
				}},
			state: State{Awards: []Award{{Start: at(t, "2026-11-01 00:00"), Length: 721 * time.Hour, Power: 25e6}}},
			lines: []want{
				{"Market", "day-ahead award", "18025 MWh", "35", "$630875.00"},
				{"Market", "real-time, beyond the award", "3585 MWh", "33", "$118305.00"},
				{"Market", "real-time, below the award", "-100 MWh", "900", "-$90000.00"},
			},
			total: "$659180.00",
		},
		{
			// Highest quarter-hour 31.2 MW, in the summer peak: 31200 kW.
			// Ratchet: 80 % of 41000 kW in August 2025 = 32800 kW binds.
			// 32800 kW x $9.25 = $303400.00
			// Facilities, without ratchet, on the highest of any hour: 33 MW for one
			// quarter of the hour and 30 MW for three: 30750 kW x $2.40 = $73800.00
			name: "demand with ratchet",
			yaml: "      - {name: Demand, kind: demand, capacity: $9.25/kW, period: summer-peak, ratchet: {share: 80%, months: 11}}\n" +
				"      - {name: Facilities, kind: demand, capacity: $2.40/kW, over: 60m}\n",
			month: july,
			power: func(x time.Time) unit.Power {
				switch {
				case within(t, "2026-07-14 16:30", 0.25)(x):
					return 31.2e6
				case within(t, "2026-07-19 03:15", 0.25)(x):
					return 33e6
				}
				return 30e6
			},
			state: State{Demands: history("Demand", 41e6)},
			lines: []want{
				{"Demand", "summer-peak", "32800 kW", "9.25", "$303400.00"},
				{"Facilities", "", "30750 kW", "2.4", "$73800.00"},
			},
			total: "$377200.00",
		},
		{
			// 4CP of 2025: 0, 1200, 400 and 30000 kW: 31600 / 4 = 7900 kW.
			// $71.36/kW-year / 12 = 5.946666... x 7900 = $46978.666...: $46978.67
			name:  "coincident peaks of the year before",
			yaml:  "      - {name: Transmission, kind: coincident, capacity: $71.36/kW-year, peaks: texas}\n",
			month: march, power: constant(30e6),
			state: State{Peaks: []PeakDemand{
				{Set: "texas", Start: at(t, "2025-06-30 16:45"), Demand: 0},
				{Set: "texas", Start: at(t, "2025-07-30 17:00"), Demand: 1.2e6},
				{Set: "texas", Start: at(t, "2025-08-18 16:30"), Demand: 0.4e6},
				{Set: "texas", Start: at(t, "2025-09-05 16:45"), Demand: 30e6},
				{Set: "texas", Start: at(t, "2024-08-20 17:00"), Demand: 30e6}, // another year's
			}},
			lines: []want{{"Transmission", "texas", "7900 kW", "5.946666667", "$46978.67"}},
			total: "$46978.67",
		},
		{
			// 1 MW x 744 h = 744 MWh x $40 = $29760.00; meter $1250.00;
			// 31 days x $12.40 = $384.40; city 2 % of energy = $595.20;
			// state 6.25 % of 29760 + 1250 + 384.40 = 31394.40: $1962.15
			name: "fees and taxes",
			yaml: "      - {name: Energy, kind: fixed, price: 4c/kWh}\n      - {name: Meter, kind: fee, amount: $1250.00}\n" +
				"      - {name: Line, kind: fee, amount: $12.40, per: day}\n      - {name: City, kind: tax, share: 2%, on: Energy}\n      - {name: State, kind: tax, share: 6.25%}\n",
			month: july, power: constant(1e6),
			lines: []want{
				{"Energy", "", "744 MWh", "40", "$29760.00"},
				{"Meter", "", "1 month", "1250", "$1250.00"},
				{"Line", "", "31 days", "12.4", "$384.40"},
				{"City", "", "29760 USD", "0.02", "$595.20"},
				{"State", "", "31394.4 USD", "0.0625", "$1962.15"},
			},
			total: "$33951.75",
		},
		{
			// The first 15 days of July under version one: 15 x 24 = 360 MWh x $40 =
			// $14400.00, fee $310 x 15/31 = $150.00. Then 384 MWh x $45 = $17280.00,
			// fee $310 x 16/31 = $160.00
			name: "two versions in one month",
			yaml: "versions:\n  - from: 2025-01-01\n    to: 2026-07-15\n    parts:\n      - {name: Energy, kind: fixed, price: $40/MWh}\n      - {name: Meter, kind: fee, amount: $310.00}\n" +
				"  - from: 2026-07-16\n    parts:\n      - {name: Energy, kind: fixed, price: $45/MWh}\n      - {name: Meter, kind: fee, amount: $310.00}\n",
			month: july, power: constant(1e6),
			lines: []want{
				{"Energy", "", "360 MWh", "40", "$14400.00"}, {"Meter", "", "1 month", "310", "$150.00"},
				{"Energy", "", "384 MWh", "45", "$17280.00"}, {"Meter", "", "1 month", "310", "$160.00"},
			},
			total: "$31990.00",
		},
		{
			// The highest quarter-hour of each version's days, by its days of the month:
			// 2000 kW x $10 x 15/31 = $9677.42 (9677.4193...);
			// 3000 kW x $12 x 16/31 = $18580.65 (18580.6451...)
			name: "demand, two versions in one month",
			yaml: "versions:\n  - from: 2026-07-01\n    to: 2026-07-15\n    parts:\n      - {name: Demand, kind: demand, capacity: $10/kW}\n" +
				"  - from: 2026-07-16\n    parts:\n      - {name: Demand, kind: demand, capacity: $144/kW-year}\n",
			month: july,
			power: func(x time.Time) unit.Power {
				switch {
				case within(t, "2026-07-02 12:00", 0.25)(x):
					return 2e6
				case within(t, "2026-07-30 12:00", 0.25)(x):
					return 3e6
				}
				return 1e6
			},
			lines: []want{{"Demand", "", "2000 kW", "10", "$9677.42"}, {"Demand", "", "3000 kW", "12", "$18580.65"}},
			total: "$28258.07",
		},
		{
			// Two peaks of July count, by their mean: (1000 + 4000) / 2 = 2500 kW x $3
			name: "coincident peaks of the same month",
			yaml: "versions:\n  - from: 2025-01-01\n    parts:\n      - {name: Transmission, kind: coincident, capacity: $3/kW, peaks: utility, charged: same-month}\n" +
				"peaks:\n  - {name: utility, series: load, interval: 60m, rules: [{since: 2020, groups: [{months: [7], count: 2}]}]}\n",
			month: july, power: constant(1e6),
			state: State{Peaks: []PeakDemand{{Set: "utility", Start: at(t, "2026-07-10 17:00"), Demand: 1e6}, {Set: "utility", Start: at(t, "2026-07-20 17:00"), Demand: 4e6}, {Set: "utility", Start: at(t, "2026-06-20 17:00"), Demand: 9e6}}},
			lines: []want{{"Transmission", "utility", "2500 kW", "3", "$7500.00"}},
			total: "$7500.00",
		},
	} {
		t.Run(x.name, func(t *testing.T) {
			c := contract(t, x.yaml)
			var prices Table
			for series, f := range x.prices {
				length := 15 * time.Minute
				if series == "dam" {
					length = time.Hour
				}
				priced(&prices, series, c, x.month, length, f)
			}
			s, err := c.Statement(x.month, metered(c, x.month, 15*time.Minute, x.power), &prices, x.state)
			if err != nil {
				t.Fatal(err)
			}
			check(t, s, x.lines, x.total)
			if s.Status != Settled || len(s.Problems) > 0 {
				t.Errorf("%v %v", s.Status, s.Problems)
			}
		})
	}
}

// October 2026 has 745 hours in Berlin. 2 MW: 1490 MWh.
// Index 50 + 1.20 = 51.20: 76288.00; electricity tax 20.50: 30545.00;
// VAT 19 % of 106833.00 = 20298.27; together 127131.27.
func TestAContractInEuroOnHourlyMetersByHand(t *testing.T) {
	c, err := Parse([]byte(`name: Werk
currency: EUR
zone: Europe/Berlin
interval: 60m
calendars:
  - {name: land, rules: [01-01, easter-2, easter+1, 05-01, easter+39, easter+50, 10-03, 12-25, 12-26]}
versions:
  - from: 2026-01-01
    parts:
      - {name: Energie, kind: index, market: {series: entsoe.dam.DE_LU, adder: €1.20/MWh}}
      - {name: Stromsteuer, kind: adder, price: €20.50/MWh}
      - {name: Umsatzsteuer, kind: tax, share: 19%}
`))
	if err != nil {
		t.Fatal(err)
	}
	october := Month{2026, time.October}
	from, to := october.Span(c.Location())
	var prices Table
	prices.Set("entsoe.dam.DE_LU", Quote{Start: from, Length: to.Sub(from), Price: unit.EnergyPrice{Micro: 50e6, Currency: "EUR"}})
	s, err := c.Statement(october, metered(c, october, time.Hour, constant(2e6)), &prices, State{})
	if err != nil {
		t.Fatal(err)
	}
	check(t, s, []want{
		{"Energie", "", "1490 MWh", "51.2", "€76288.00"},
		{"Stromsteuer", "", "1490 MWh", "20.5", "€30545.00"},
		{"Umsatzsteuer", "", "106833 EUR", "0.19", "€20298.27"},
	}, "€127131.27")
	if s.Hours.String() != "745" || strings.Join(c.Series(), " ") != "entsoe.dam.DE_LU" {
		t.Error(s.Hours, c.Series())
	}
}

// history is the demand of every month since the contract began, with one high
// August.
func history(part string, august unit.Power) []PastDemand {
	var out []PastDemand
	for m := (Month{2025, time.January}); m.Since(july) < 0; m = m.Add(1) {
		d := PastDemand{Part: part, Month: m, Demand: 29e6}
		if m == (Month{2025, time.August}) {
			d.Demand = august
		}
		out = append(out, d)
	}
	return out
}

// 0.45 MWh x $22.50 = $10.125: half-even gives 10.12, half-up 10.13; with the
// other sign -10.12 and -10.13.
func TestRoundingIsTheContracts(t *testing.T) {
	for rounding, w := range map[string][2]string{"half-even": {"$10.12", "-$10.12"}, "half-up": {"$10.13", "-$10.13"}} {
		for i, price := range []string{"$22.50/MWh", "-$22.50/MWh"} {
			c := contract(t, "rounding: "+rounding+"\nversions:\n  - from: 2025-01-01\n    parts:\n      - {name: Energy, kind: fixed, price: "+price+"}\n")
			from, _ := july.Span(c.Location())
			lines, err := c.EnergyLines(from, from.Add(15*time.Minute), []Interval{{Start: from, Length: 15 * time.Minute, Energy: unit.Some(450 * unit.KilowattHour)}}, nil, State{})
			if err != nil || len(lines) != 1 || lines[0].Amount.String() != w[i] || lines[0].Unrounded.Rat().RatString() != []string{"81/8", "-81/8"}[i] {
				t.Errorf("%s %s: %+v %v", rounding, price, lines, err)
			}
		}
	}
}

// The same month by meters and prices of 5, 15, 30 and 60 minutes.
func TestIntervalsOfEveryLength(t *testing.T) {
	for _, interval := range []string{"5m", "15m", "30m", "60m"} {
		for _, length := range []time.Duration{5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour} {
			yaml := strings.Replace(head, "interval: 15m\ncal", "interval: "+interval+"\ncal", 1) +
				"versions:\n  - from: 2025-01-01\n    parts:\n      - {name: Energy, kind: index, market: {series: rtm}}\n"
			c, err := Parse([]byte(yaml))
			if err != nil {
				t.Fatal(err)
			}
			// Every hour costs as much as its number on the clock, plus the minutes in
			// cents; the average over an hour of 5 minute steps is 27.5 cents more.
			// March: 31 days of sum(0..23) = 276, less the hour 2 of the 8th, 8554;
			// plus 743 x 0.275 = 204.325: 8758.325 $ per MW.
			var prices Table
			priced(&prices, "rtm", c, march, 5*time.Minute, func(x time.Time) float64 { return float64(x.Hour()) + float64(x.Minute())/100 })
			s, err := c.Statement(march, metered(c, march, length, constant(4e6)), &prices, State{})
			if err != nil {
				t.Fatal(err)
			}
			if s.Total.String() != "$35033.30" || s.Lines[0].Quantity.String() != "2972" {
				t.Errorf("settled at %s, metered at %v: %v for %v MWh", interval, length, s.Total, s.Lines[0].Quantity)
			}
			if spread := length > c.Interval; spread != (s.Status == Estimated) {
				t.Errorf("settled at %s, metered at %v: %v", interval, length, s.Status)
			}
		}
	}
}
