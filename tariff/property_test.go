package tariff

import (
	"math/big"
	"sync"
	"testing"
	"time"

	"ballast/unit"

	"pgregory.net/rapid"
)

// rich has every kind of part.
const rich = head + `
versions:
  - from: 2025-01-01
    losses: 1.7345%
    parts:
      - {name: Fixed, kind: fixed, price: $3.21/MWh, period: on-peak}
      - {name: TOU, kind: time-of-use, rates: [{period: summer-peak, price: $95/MWh}], otherwise: $31/MWh}
      - {name: Index, kind: index, market: {series: rtm, multiplier: 97.3%, adder: $2.15/MWh, cap: $2000/MWh}}
      - name: Block
        kind: block
        blocks: [{power: 4MW, price: $38.50/MWh}, {power: 2MW, price: $52/MWh, period: on-peak}]
        excess: {series: rtm, adder: $1/MWh}
        sell_back: {series: rtm, multiplier: 95%, adder: -$0.50/MWh}
      - {name: PPA, kind: ppa, blocks: [{power: 5MW, price: $28/MWh}], excess: {series: rtm}, sell_back: {series: rtm}}
      - {name: Market, kind: two-settlement, day_ahead: {series: dam}, real_time: {series: rtm}, at_meter: true}
      - {name: Wires, kind: adder, price: $4.5/MWh}
      - {name: Demand, kind: demand, capacity: $9.25/kW, over: 30m, ratchet: {share: 80%, months: 11}}
      - {name: Transmission, kind: coincident, capacity: $71.36/kW-year, peaks: texas, assumed: 3MW}
      - {name: Meter, kind: fee, amount: $1250.00}
      - {name: Tax, kind: tax, share: 6.25%}
`

var richContract = sync.OnceValue(func() *Contract {
	c, err := Parse([]byte(rich))
	if err != nil {
		panic(err)
	}
	return c
})

// world is a month with meter, prices and awards drawn at random: eight days of
// quarter-hours that repeat.
type world struct {
	c      *Contract
	month  Month
	meter  []Interval
	prices *Table
	state  State
}

func draw(t *rapid.T) *world {
	c := richContract()
	w := &world{c: c, prices: &Table{}, month: rapid.SampledFrom([]Month{march, july, november}).Draw(t, "month")}
	wh := rapid.SliceOfN(rapid.IntRange(0, 2_500_000), 5, 97).Draw(t, "Wh")
	cents := rapid.SliceOfN(rapid.OneOf(rapid.IntRange(-5_000, 20_000), rapid.IntRange(-25_000, 500_000)), 5, 101).Draw(t, "cents")
	awards := rapid.SliceOfN(rapid.IntRange(0, 9_000), 3, 25).Draw(t, "award kW")
	from, to := w.month.Span(c.Location())
	var rtm, dam []Quote
	for i, at := 0, from; at.Before(to); i, at = i+1, at.Add(15*time.Minute) {
		w.meter = append(w.meter, Interval{Start: at, Length: 15 * time.Minute, Energy: unit.Some(unit.Energy(wh[i%len(wh)]) * unit.WattHour)})
		price := unit.EnergyPrice{Micro: int64(cents[i%len(cents)]) * 10_000, Currency: "USD"}
		rtm = append(rtm, Quote{Start: at, Length: 15 * time.Minute, Price: price})
		if i%4 == 0 {
			dam = append(dam, Quote{Start: at, Length: time.Hour, Price: price})
			w.state.Awards = append(w.state.Awards, Award{Start: at, Length: time.Hour, Power: unit.Power(awards[(i/4)%len(awards)]) * 1000})
		}
	}
	w.prices.Set("rtm", rtm...)
	w.prices.Set("dam", dam...)
	return w
}

func (w *world) statement(t *rapid.T) *Statement {
	s, err := w.c.Statement(w.month, w.meter, w.prices, w.state)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// interval is the lines of one interval: a month's are their sums.
func (w *world) interval(t *rapid.T, i int) []Line {
	at := w.meter[i].Start
	l, err := w.c.EnergyLines(at, at.Add(w.c.Interval), w.meter[i:i+1], w.prices, w.state)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func sumOf(lines []Line, part string, f func(*Line) Exact) *big.Rat {
	sum := new(big.Rat)
	for i := range lines {
		if lines[i].Part == part {
			sum.Add(sum, f(&lines[i]).Rat())
		}
	}
	return sum
}

func quantity(l *Line) Exact  { return l.Quantity }
func unrounded(l *Line) Exact { return l.Unrounded }

func TestLinesMakeTheTotal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := draw(t)
		s := w.statement(t)
		var sum int64
		for i := range s.Lines {
			l := &s.Lines[i]
			sum += l.Amount.Minor
			// A line is quantity x rate x factor, and its amount within half a cent.
			product := new(big.Rat).Mul(l.Quantity.Rat(), l.Rate.Rat())
			if l.Factor.r != nil {
				product.Mul(product, l.Factor.r)
			}
			if product.Cmp(l.Unrounded.Rat()) != 0 && l.Quantity.Rat().Sign() != 0 {
				t.Fatalf("%s: %s x %s is not %s", l.Part, l.Quantity, l.Rate, l.Unrounded)
			}
			off := new(big.Rat).Sub(l.Unrounded.Rat(), big.NewRat(l.Amount.Minor, 100))
			if off.Abs(off).Cmp(big.NewRat(5, 1000)) > 0 {
				t.Fatalf("%s: %s is not %s", l.Part, l.Unrounded, l.Amount)
			}
		}
		if sum != s.Total.Minor {
			t.Fatalf("lines sum to %d, total %v", sum, s.Total)
		}
		// Used and sold make the block; award and deviation make what was drawn.
		drawn := new(big.Rat).Mul(s.Metered.Rat(), big.NewRat(1_017_345, 1_000_000))
		for _, part := range []string{"Block", "PPA"} {
			if got := sumOf(s.Lines, part, quantity); got.Cmp(drawn) != 0 {
				t.Fatalf("%s settles %s MWh of %s", part, got.FloatString(9), drawn.FloatString(9))
			}
		}
		if got := sumOf(s.Lines, "Market", quantity); got.Cmp(s.Metered.Rat()) != 0 {
			t.Fatalf("the market settles %s MWh of %s", got.FloatString(9), s.Metered)
		}
		// With sell-back at the index a PPA costs the block at its price and the
		// difference, of either sign, at the index: nothing is charged twice. And two
		// settlements are the award day-ahead and the difference in real time.
		ppa, market := new(big.Rat), new(big.Rat)
		for i := range w.meter {
			e := new(big.Rat).SetFloat64(float64(w.meter[i].Energy.Or(0)))
			e.Quo(e, big.NewRat(3_600_000_000, 1)) // MWh
			q, _ := w.prices.At("rtm", w.meter[i].Start)
			index := big.NewRat(q.Price.Micro, 1_000_000)
			d, _ := w.prices.At("dam", w.meter[i].Start)
			award := big.NewRat(int64(w.state.Awards[i/4].Power), 4_000_000) // MWh in a quarter-hour
			term := func(sum, e, price *big.Rat) { sum.Add(sum, new(big.Rat).Mul(e, price)) }
			block := big.NewRat(5, 4)
			term(ppa, block, big.NewRat(28, 1))
			term(ppa, new(big.Rat).Sub(new(big.Rat).Mul(e, big.NewRat(1_017_345, 1_000_000)), block), index)
			term(market, award, big.NewRat(d.Price.Micro, 1_000_000))
			term(market, new(big.Rat).Sub(e, award), index)
		}
		for part, want := range map[string]*big.Rat{"PPA": ppa, "Market": market} {
			if got := sumOf(s.Lines, part, unrounded); got.Cmp(want) != 0 {
				t.Fatalf("%s costs %s, by the definition %s", part, got.FloatString(9), want.FloatString(9))
			}
		}
	})
}

func TestSplittingAMonthChangesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := draw(t)
		from, to := w.month.Span(w.c.Location())
		cut := from.Add(time.Duration(rapid.IntRange(1, int(to.Sub(from)/w.c.Interval)-1).Draw(t, "cut")) * w.c.Interval)
		lines := func(a, z time.Time) []Line {
			l, err := w.c.EnergyLines(a, z, w.meter, w.prices, w.state)
			if err != nil {
				t.Fatal(err)
			}
			return l
		}
		all, halves := lines(from, to), append(lines(from, cut), lines(cut, to)...)
		for _, part := range []string{"Fixed", "TOU", "Index", "Block", "PPA", "Market", "Wires"} {
			for name, f := range map[string]func(*Line) Exact{"quantity": quantity, "amount": unrounded} {
				if a, z := sumOf(all, part, f), sumOf(halves, part, f); a.Cmp(z) != 0 {
					t.Fatalf("%s %s: %s whole, %s in two", part, name, a.FloatString(9), z.FloatString(9))
				}
			}
		}
	})
}

// One more MWh in an interval costs what PriceAt says, by every energy part,
// when it does not cross the edge of a block or an award.
func TestPriceAtIsTheDerivativeOfTheStatement(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := draw(t)
		i := rapid.IntRange(0, len(w.meter)-1).Draw(t, "interval")
		before := w.interval(t, i)
		load := unit.Power(float64(w.meter[i].Energy.Or(0)) / 900)
		b, err := w.c.PriceAt(w.meter[i].Start.Add(7*time.Minute), Context{Prices: w.prices, Load: load})
		if err != nil {
			t.Fatal(err)
		}
		const more = unit.WattHour // small beside a block of MW
		w.meter[i].Energy = unit.Some(w.meter[i].Energy.Or(0) + more)
		after := w.interval(t, i)
		for _, d := range b.Components {
			if !d.Kind.energy() {
				continue
			}
			diff := new(big.Rat).Sub(sumOf(after, d.Part, unrounded), sumOf(before, d.Part, unrounded))
			diff.Mul(diff, big.NewRat(1_000_000, 1)) // of a Wh, in currency per MWh
			off := diff.Sub(diff, big.NewRat(d.Price.Micro, 1_000_000))
			if off.Abs(off).Cmp(big.NewRat(1, 1_000_000)) > 0 { // prices are rounded to a millionth
				t.Fatalf("%s: PriceAt says %v, the statement differs by %s", d.Part, d.Price, off.FloatString(9))
			}
		}
	})
}

func TestNegativePricesPay(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := draw(t)
		i := rapid.IntRange(0, len(w.meter)-1).Draw(t, "interval")
		price := unit.EnergyPrice{Micro: -int64(rapid.IntRange(3_000_000, 250_000_000).Draw(t, "below zero")), Currency: "USD"}
		w.prices.Set("rtm", Quote{Start: w.meter[i].Start, Length: 15 * time.Minute, Price: price})
		before := sumOf(w.interval(t, i), "Index", unrounded)
		w.meter[i].Energy = unit.Some(w.meter[i].Energy.Or(0) + unit.MegawattHour)
		if after := sumOf(w.interval(t, i), "Index", unrounded); after.Cmp(before) >= 0 {
			t.Fatalf("a MWh more at %v does not pay: %s, then %s", price, before.FloatString(2), after.FloatString(2))
		}
	})
}

func TestDemandChargeNeverFallsWithUse(t *testing.T) {
	c := contract(t, "      - {name: Demand, kind: demand, capacity: $9.25/kW, over: 30m, period: on-peak, ratchet: {share: 80%, months: 11}}\n")
	rapid.Check(t, func(t *rapid.T) {
		w := draw(t)
		w.c = c
		before := sumOf(w.statement(t).Lines, "Demand", unrounded)
		for range 3 {
			i := rapid.IntRange(0, len(w.meter)-1).Draw(t, "interval")
			w.meter[i].Energy = unit.Some(w.meter[i].Energy.Or(0) + unit.Energy(rapid.IntRange(0, 3_000_000).Draw(t, "more"))*unit.WattHour)
		}
		if after := sumOf(w.statement(t).Lines, "Demand", unrounded); after.Cmp(before) < 0 {
			t.Fatalf("%s, then %s", before.FloatString(2), after.FloatString(2))
		}
	})
}

func TestRoundingHalves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := big.NewRat(rapid.Int64Range(-1e12, 1e12).Draw(t, "num"), rapid.Int64Range(1, 1e6).Draw(t, "den"))
		for _, m := range []Rounding{HalfEven, HalfUp} {
			got := new(big.Rat).SetInt(m.integer(r))
			off := new(big.Rat).Sub(got, r)
			if off.Abs(off).Cmp(big.NewRat(1, 2)) > 0 {
				t.Fatalf("%s of %s is %s", m, r, got)
			}
			neg := new(big.Rat).SetInt(m.integer(new(big.Rat).Neg(r)))
			if neg.Neg(neg).Cmp(got) != 0 {
				t.Fatalf("%s is not symmetric at %s", m, r)
			}
		}
		a, b := rapid.Int64Range(-1e15, 1e15).Draw(t, "a"), rapid.Int64Range(1, 1e9).Draw(t, "b")
		m := rapid.Int64Range(0, 1e15).Draw(t, "m")
		want := HalfEven.integer(new(big.Rat).Mul(big.NewRat(a, b), big.NewRat(m, 1)))
		if got, ok := mulDiv(a, m, b); ok != want.IsInt64() || ok && got != want.Int64() {
			t.Fatalf("%d*%d/%d = %d %v, want %s", a, m, b, got, ok, want)
		}
		if got, want := divRound(a, b), HalfEven.integer(big.NewRat(a, b)).Int64(); got != want {
			t.Fatalf("%d/%d = %d, want %d", a, b, got, want)
		}
	})
}
