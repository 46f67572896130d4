package tariff

import (
	"testing"
	"time"

	"ballast/unit"
)

func benchmarkWorld(b *testing.B) (*Contract, []Interval, *Table, State) {
	b.Helper()
	c := richContract()
	var prices Table
	priced(&prices, "rtm", c, march, 15*time.Minute, func(x time.Time) float64 { return float64(x.Hour()) })
	priced(&prices, "dam", c, march, time.Hour, func(x time.Time) float64 { return float64(x.Hour()) })
	from, to := march.Span(c.Location())
	return c, metered(c, march, 15*time.Minute, constant(5e6)), &prices, State{Awards: []Award{{Start: from, Length: to.Sub(from), Power: 4e6}}}
}

// A month of quarter-hours by a contract with every kind of part.
func BenchmarkStatement(b *testing.B) {
	c, meter, prices, state := benchmarkWorld(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Statement(march, meter, prices, state); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPriceAt(b *testing.B) {
	c, meter, prices, _ := benchmarkWorld(b)
	x := Context{Prices: prices, Load: 5e6, Incumbents: map[string]unit.Power{"Demand": 6e6}, PeakChance: map[string]float64{"texas": 0.1}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.PriceAt(meter[100].Start, x); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		if _, err := Parse([]byte(rich)); err != nil {
			b.Fatal(err)
		}
	}
}
