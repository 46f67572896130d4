package desk

import (
	"math"
	"time"

	"ballast/debt"
	"ballast/unit"
)

// Day is a position as it is kept: what is needed to say later what changed.
type Day struct {
	On      debt.Date          `json:"on"`
	At      time.Time          `json:"at"`
	Rev     int64              `json:"rev"` // of the book
	Scope   string             `json:"scope"`
	Figures map[string]float64 `json:"figures"` // those that had a value
	Balance map[string]int64   `json:"balance"` // of each facility, minor units
}

// Day is the position, to be kept.
func (d *Desk) Day() Day {
	out := Day{On: d.On, At: d.Now, Rev: d.Book.Rev, Scope: d.Scope.String(), Figures: map[string]float64{}, Balance: map[string]int64{}}
	for _, f := range d.Figures() {
		if v, ok := f.Value.Get(); ok {
			out.Figures[f.Key] = v
		}
	}
	if p := d.Position.Price; p.Minor > 0 {
		out.Figures["price"] = p.Float()
	}
	if m := d.Market.Difficulty; m.Ok {
		out.Figures["difficulty"] = m.Value
	}
	for _, s := range d.Position.Book.Schedules {
		out.Balance[s.Facility.ID] = s.Balance(d.On).Minor
	}
	return out
}

// Change is what one figure did since a day.
type Change struct {
	Key  string  `json:"key"`
	Name string  `json:"name"`
	Unit string  `json:"unit"`
	Then float64 `json:"then"`
	Now  float64 `json:"now"`
	Text string  `json:"text" doc:"Now, as a person reads it."`
	Was  string  `json:"was"`
	// Better is 1 when the change is for the better, -1 for the worse, 0 when it
	// is neither.
	Better int `json:"better"`
}

// Driver is a part of what moved the ratio. The parts add up to the move.
type Driver struct {
	Name string  `json:"name"`
	Part float64 `json:"part"`
	Then string  `json:"then"`
	Now  string  `json:"now"`
}

// good is 1 when more is better.
var good = map[string]int{"price": 1, "difficulty": -1, "hashprice": 1, "hashrate": 1, "balance": -1, "ratio-index": -1, "dscr": 1, "icr": 1, "coin-ltv": -1, "machine-ltv": -1, "liquidity": 1, "runway-months": 1, "cfads": 1, "service": -1, "distance": 1}

var changed = []struct{ key, name string }{
	{"price", "Bitcoin"}, {"difficulty", "Difficulty"}, {"hashprice", "Hashprice"}, {"hashrate", "Active hashrate"}, {"balance", "Debt"}, {"hashpower-index", "Hashpower at market index"}, {"ratio-index", "Ratio at market index"},
	{"dscr", "DSCR"}, {"coin-ltv", "Loan to value, bitcoin"}, {"liquidity", "Liquidity"}, {"runway-months", "Runway"}, {"distance", "Distance to default"},
}

// Since says what changed since a day that was kept, and what moved the ratio
// at market index.
func (d *Desk) Since(then Day) ([]Change, []Driver) {
	now := d.Day()
	var out []Change
	for _, c := range changed {
		a, ok := then.Figures[c.key]
		b, ok2 := now.Figures[c.key]
		if !ok || !ok2 {
			continue
		}
		x := Change{Key: c.key, Name: c.name, Then: a, Now: b, Text: d.sayAs(c.key, b), Was: d.sayAs(c.key, a)}
		if math.Abs(b-a) > 5e-4*math.Max(math.Abs(a), math.Abs(b)) {
			x.Better = good[c.key]
			if b < a {
				x.Better = -x.Better
			}
		}
		out = append(out, x)
	}
	if then.Scope != now.Scope {
		return out, nil
	}
	return out, d.drivers(then, now)
}

// drivers parts the move of the ratio by logarithms: debt in scope, machines
// that hash, price of machines.
func (d *Desk) drivers(then, now Day) []Driver {
	r0, ok := then.Figures["ratio-index"]
	r1, ok1 := now.Figures["ratio-index"]
	v0, ok2 := then.Figures["hashpower-index"]
	v1, ok3 := now.Figures["hashpower-index"]
	h0, h1 := then.Figures["hashrate"], now.Figures["hashrate"]
	if !(ok && ok1 && ok2 && ok3) || !(r0 > 0 && r1 > 0 && v0 > 0 && v1 > 0 && h0 > 0 && h1 > 0) {
		return nil
	}
	debt0, debt1 := r0*v0, r1*v1
	total := math.Log(r1 / r0)
	part := func(log float64) float64 {
		if math.Abs(total) < 1e-12 {
			return 0
		}
		return (r1 - r0) * log / total
	}
	per0, per1 := v0/h0, v1/h1
	price := func(v float64) string { return signed(plain(v, 2), d.Currency) + "/TH" }
	return []Driver{
		{"debt in scope", part(math.Log(debt1 / debt0)), short(debt0, d.Currency), short(debt1, d.Currency)},
		{"machines that hash", part(-math.Log(h1 / h0)), d.sayAs("hashrate", h0), d.sayAs("hashrate", h1)},
		{"price of machines", part(-math.Log(per1 / per0)), price(per0), price(per1)},
	}
}

// sayAs writes a figure's value as its page does.
func (d *Desk) sayAs(key string, v float64) string {
	switch key {
	case "price", "balance", "hashpower-index", "liquidity", "cfads", "service":
		return short(v, d.Currency)
	case "difficulty":
		return plain(v/1e12, 2) + " T"
	case "hashprice":
		return signed(plain(v, 2), d.Currency) + "/PH/day"
	case "hashrate":
		return hashrate(unit.Hashrate(v))
	case "coin-ltv", "machine-ltv":
		return plain(v, 1) + " %"
	case "runway-months":
		return plain(v, 1) + " months"
	case "distance":
		return plain(v, 2) + " sd"
	}
	return multiple(v)
}
