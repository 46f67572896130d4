package tariff

import (
	"strings"
	"testing"
	"time"

	"ballast/unit"
)

func component0(t *testing.T, b Breakdown, part string) Component {
	t.Helper()
	for _, d := range b.Components {
		if d.Part == part {
			return d
		}
	}
	t.Fatalf("no %s in %+v", part, b.Components)
	return Component{}
}

func TestPriceAtByHand(t *testing.T) {
	c := contract(t, `versions:
  - from: 2025-01-01
    losses: 2%
    parts:
      - {name: Energy, kind: index, market: {series: rtm, adder: $2/MWh, fallback: {hold: 30m, series: dam}}}
      - {name: Wires, kind: adder, price: $5/MWh, period: on-peak}
      - {name: Demand, kind: demand, capacity: $9/kW, at_meter: false}
      - {name: Transmission, kind: coincident, capacity: $72/kW-year, peaks: texas}
      - {name: Meter, kind: fee, amount: $100.00}
      - {name: Tax, kind: tax, share: 5%, on: [Energy, Wires]}
`)
	now := at(t, "2026-07-14 17:05")
	var prices Table
	prices.Set("rtm", Quote{Start: at(t, "2026-07-14 17:00"), Length: 15 * time.Minute, Price: unit.EnergyPrice{Micro: 48e6, Currency: "USD"}, Status: Provisional})
	x := Context{Prices: &prices, Load: 30e6, Incumbents: map[string]unit.Power{"Demand": 31e6}, PeakChance: map[string]float64{"texas": 0.25}}
	b, err := c.PriceAt(now, x)
	if err != nil {
		t.Fatal(err)
	}
	// Energy (48 + 2) x 1.02 = 51; wires 5 x 1.02 = 5.10, at the meter; no new
	// demand; 4CP: $72 x 1000 / 4 peaks / 0.25 h = $72000/MWh in a peak, a
	// quarter of it expected: 18000; tax 5 % of 56.10 = 2.805.
	for part, w := range map[string]string{"Energy": "$51/MWh", "Wires": "$5.1/MWh", "Demand": "$0/MWh", "Transmission": "$18000/MWh", "Tax": "$2.805/MWh"} {
		if d := component0(t, b, part); d.Price.String() != w {
			t.Errorf("%s: %v (%s), by hand %s", part, d.Price, d.Note, w)
		}
	}
	if b.Known.String() != "$58.905/MWh" || b.Expected.String() != "$18000/MWh" || b.Total.String() != "$18058.905/MWh" || len(b.Missing) != 0 {
		t.Errorf("%+v", b)
	}
	if !b.From.Equal(at(t, "2026-07-14 17:00")) || b.To.Sub(b.From) != 15*time.Minute {
		t.Error(b.From, b.To)
	}
	// At the incumbent demand one more MWh within the quarter-hour is 4 MW:
	// $9 x 4000 = $36000/MWh, or a third of it with a chance of a third.
	x.Load = 31e6
	b, _ = c.PriceAt(now, x)
	if d := component0(t, b, "Demand"); d.Price.String() != "$36000/MWh" || d.Status != Expected {
		t.Errorf("%+v", d)
	}
	x.DemandChance = map[string]float64{"Demand": 1.0 / 3}
	b, _ = c.PriceAt(now, x)
	if d := component0(t, b, "Demand"); d.Price.String() != "$12000/MWh" {
		t.Errorf("%+v", d)
	}
	// A quarter-hour later the price is not known: the last one holds, then
	// nothing. What is missing is named and counts nothing.
	b, _ = c.PriceAt(now.Add(15*time.Minute), x)
	if d := component0(t, b, "Energy"); d.Price.String() != "$51/MWh" || d.Status != Estimated || !strings.Contains(d.Source, "last known") {
		t.Errorf("%+v", d)
	}
	b, _ = c.PriceAt(now.Add(2*time.Hour), Context{Prices: &prices})
	if strings.Join(b.Missing, " ") != "Energy Demand Transmission" || b.Total.String() != "$5.355/MWh" {
		t.Errorf("%v %v", b.Missing, b.Total)
	}
	// In October no coincident peak is looked for.
	b, _ = c.PriceAt(at(t, "2026-10-14 17:05"), x)
	for _, d := range b.Components {
		if d.Part == "Transmission" {
			t.Errorf("%+v", d)
		}
	}
	// In 2027 eight summer peaks and two winter ones are: $72 x 1000 / 10 / 0.25 h.
	b, _ = c.PriceAt(at(t, "2027-07-14 17:05"), x)
	if d := component0(t, b, "Transmission"); d.Price.String() != "$7200/MWh" {
		t.Errorf("%+v", d)
	}
}

func TestPriceAtOfBlocks(t *testing.T) {
	c := contract(t, "      - name: Energy\n        kind: block\n        blocks: [{power: 20MW, price: $38.50/MWh}, {power: 10MW, price: $50/MWh, period: on-peak}]\n"+
		"        excess: {series: rtm, adder: $1/MWh}\n        sell_back: {series: rtm, multiplier: 95%}\n")
	use := contract(t, "      - {name: Energy, kind: ppa, take: use, blocks: [{power: 20MW, price: $28/MWh}], excess: {series: rtm}}\n")
	pay := contract(t, "      - {name: Energy, kind: ppa, blocks: [{power: 20MW, price: $28/MWh}]}\n")
	var prices Table
	prices.Set("rtm", Quote{Start: at(t, "2026-07-14 00:00"), Length: 24 * time.Hour, Price: unit.EnergyPrice{Micro: 100e6, Currency: "USD"}})
	for _, x := range []struct {
		c     *Contract
		when  string
		load  unit.Power
		price string
		miss  bool
	}{
		{c, "2026-07-14 17:00", 29e6, "$95/MWh", false}, // could be sold
		{c, "2026-07-14 17:00", 30e6, "$101/MWh", false},
		{c, "2026-07-14 23:00", 29e6, "$101/MWh", false}, // the second block is on-peak only
		{use, "2026-07-14 17:00", 19e6, "$28/MWh", false},
		{use, "2026-07-14 17:00", 20e6, "$100/MWh", false},
		{pay, "2026-07-14 17:00", 19e6, "$0/MWh", false}, // paid for already
		{pay, "2026-07-14 17:00", 20e6, "$0/MWh", true},  // no price beyond
	} {
		b, err := x.c.PriceAt(at(t, x.when), Context{Prices: &prices, Load: x.load})
		if err != nil || b.Total.String() != x.price || (len(b.Missing) > 0) != x.miss {
			t.Errorf("%s at %v: %v %v %v, by hand %s", x.when, x.load, b.Total, b.Missing, err, x.price)
		}
	}
}

func TestIncumbents(t *testing.T) {
	c := contract(t, "      - {name: Demand, kind: demand, capacity: $9/kW, ratchet: {share: 80%, months: 11}}\n      - {name: Peak, kind: demand, capacity: $3/kW, period: summer-peak, minimum: 2MW}\n")
	now := at(t, "2026-07-14 17:05")
	meter := metered(c, july, 15*time.Minute, func(x time.Time) unit.Power {
		switch {
		case within(t, "2026-07-04 03:00", 0.25)(x):
			return 33e6
		case x.After(now):
			return 90e6 // not yet
		}
		return 10e6
	})
	got, err := c.Incumbents(now, meter, State{Demands: history("Demand", 45e6)})
	if err != nil || got["Demand"] != 36e6 || got["Peak"] != 10e6 {
		t.Error(got, err)
	}
	got, err = c.Incumbents(now, meter, State{Demands: history("Demand", 30e6)})
	if err != nil || got["Demand"] != 33e6 {
		t.Error(got, err)
	}
	// Nothing measured yet: the minimum.
	got, err = c.Incumbents(now, nil, State{})
	if err != nil || got["Demand"] != 0 || got["Peak"] != 2e6 {
		t.Error(got, err)
	}
}

func TestSelectPeaks(t *testing.T) {
	c := contract(t, "      - {name: T, kind: coincident, capacity: $60/kW-year, peaks: texas}\n")
	load := func(s string, gw float64) SystemLoad {
		return SystemLoad{Start: at(t, s), Length: 15 * time.Minute, Load: unit.Power(gw * 1e9)}
	}
	// Until 2026: the highest quarter-hour of each summer month. The one of June
	// is on a Sunday evening.
	loads := []SystemLoad{load("2026-06-28 18:45", 79), load("2026-06-29 17:00", 78), load("2026-07-01 17:00", 80), load("2026-07-20 17:00", 85), load("2026-07-20 17:15", 85),
		load("2026-08-10 16:45", 86), load("2026-09-02 16:45", 77), load("2026-01-10 07:00", 90), load("2025-08-10 16:45", 99),
		{Start: at(t, "2026-08-11 16:00"), Length: time.Hour, Load: 99e9}}
	starts := func(peaks []Peak, err error) string {
		if err != nil {
			return err.Error()
		}
		var out []string
		for _, p := range peaks {
			out = append(out, p.Start.In(texas()).Format("01-02 15:04"))
		}
		return strings.Join(out, ", ")
	}
	if got := starts(c.SelectPeaks("texas", 2026, loads)); got != "06-28 18:45, 07-20 17:00, 08-10 16:45, 09-02 16:45" {
		t.Error(got)
	}
	// From 2027: two of each summer month on different days, and the two highest of
	// January, February and December together.
	loads = []SystemLoad{load("2027-07-20 17:00", 85), load("2027-07-20 17:15", 84), load("2027-07-22 17:00", 80),
		load("2027-01-05 07:00", 70), load("2027-02-05 07:00", 72), load("2027-12-20 07:00", 75), load("2027-03-05 07:00", 99)}
	if got := starts(c.SelectPeaks("texas", 2027, loads)); got != "02-05 07:00, 07-20 17:00, 07-22 17:00, 12-20 07:00" {
		t.Error(got)
	}
	for when, want := range map[string]unit.Power{"2027-07-25 00:00": 80e9, "2027-07-21 00:00": 0, "2027-08-01 00:00": 0, "2027-12-25 00:00": 72e9} {
		if got, ok := c.PeakThreshold("texas", at(t, when), loads); !ok || got != want {
			t.Errorf("%s: %v %v, want %v", when, got, ok, want)
		}
	}
	if _, ok := c.PeakThreshold("texas", at(t, "2027-10-25 00:00"), loads); ok {
		t.Error("October is looked at")
	}
	if _, err := c.SelectPeaks("texas", 2014, loads); err == nil {
		t.Error("there is no rule for 2014")
	}
	peaks, _ := c.SelectPeaks("texas", 2027, loads)
	got, absent := c.DemandAtPeaks("texas", peaks, []Interval{
		{Start: at(t, "2027-07-20 17:00"), Length: 5 * time.Minute, Energy: unit.Some(unit.Power(9e6).Over(5 * time.Minute))},
		{Start: at(t, "2027-07-20 17:05"), Length: 10 * time.Minute, Energy: unit.Some(unit.Power(12e6).Over(10 * time.Minute))},
		{Start: at(t, "2027-07-22 17:00"), Length: time.Hour, Energy: unit.Some(unit.Power(4e6).Over(time.Hour))},
		{Start: at(t, "2027-12-20 07:00"), Length: 15 * time.Minute},
	})
	if len(got) != 2 || len(absent) != 2 || got[0].Demand != 11e6 || got[0].Status != Settled || got[1].Demand != 4e6 || got[1].Status != Estimated {
		t.Errorf("%+v %v", got, absent)
	}
}

func TestExplain(t *testing.T) {
	c := contract(t, `versions:
  - from: 2025-01-01
    to: 2026-12-31
    source: amendment 2
    losses: 1.5%
    parts:
      - {name: Energy, kind: ppa, blocks: [{power: 30MW, price: $28/MWh}], sell_back: {series: rtm, multiplier: 95%, adder: -$0.50/MWh, fallback: {hold: 30m, series: dam, price: $20/MWh}}}
      - {name: Demand, kind: demand, capacity: $9/kW, ratchet: {share: 80%, months: 11}}
`)
	got := strings.Join(c.Explain(at(t, "2026-07-01 00:00")), "\n")
	want := `test, from 2025-01-01 to 2026-12-31, by amendment 2, settled every 15 minutes in America/Chicago, each line rounded half-even.
Energy is metered energy plus 1.5% of losses.
Energy: 30MW at $28/MWh, used or not; what is not used is sold at 95% of rtm, less $0.5/MWh (when missing: its last known price up to 30 minutes old, then dam, then $20/MWh).
Demand: $9/kW-month of the highest 15 minutes average of the month, at least 80% of the highest of the 11 months before.`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
