package desk

import (
	"encoding/json"
	"fmt"
	"strings"

	"ballast/debt"
	"ballast/market"
	"ballast/unit"
)

// SecuredBy is a facility's collateral in words.
func SecuredBy(all []debt.Collateral) string {
	var out []string
	for _, c := range all {
		switch c.Kind {
		case debt.CoinCollateral:
			out = append(out, Short(c.Coins))
		case debt.RigCollateral:
			out = append(out, fmt.Sprintf("%s of %g J/TH", hashrate(c.Hashrate), float64(c.Efficiency)))
		default:
			out = append(out, string(c.Kind)+" "+Short(c.Value))
		}
	}
	return strings.Join(out, ", ")
}

// Fields are those of two JSON objects that differ.
func Fields(was, now json.RawMessage) []FieldChange { return fields(was, now) }

// MarginOf is where a loan on bitcoin stands; ok is false when it has no margin
// terms, or the price of a bitcoin is not known.
func (d *Desk) MarginOf(id string) (debt.MarginState, bool) {
	if d.noPrice != "" {
		return debt.MarginState{}, false
	}
	for _, s := range d.Position.Book.Schedules {
		f := s.Facility
		if f.ID != id || f.Margin == nil {
			continue
		}
		var coins int64
		for _, c := range f.Secured {
			if c.Kind == debt.CoinCollateral {
				coins += c.Coins.Minor
			}
		}
		m, err := f.Margin.Margined(s.Balance(d.On), coins, d.Position.Price)
		return m, err == nil
	}
	return debt.MarginState{}, false
}

// MarketInputs are the market's numbers as the position has them.
func (d *Desk) MarketInputs() []Input {
	out := []Input{d.inPrice(), d.inDifficulty(), d.inHash()}
	if m := d.Market.FeeShare; m.Ok {
		out = append(out, Input{Name: "fees' share of a block", Text: percent(m.Value), Source: m.Source})
	}
	if m := d.Market.Height; m.Ok {
		out = append(out, Input{Name: "height of the chain", Text: plain(float64(m.Value), 0), Source: m.Source})
	}
	if d.sat.Ok {
		out = append(out, Input{Name: "production", Text: Full(unit.Money{Minor: int64(d.sat.Value), Currency: unit.BTC}) + "/PH/day", Source: d.hashprice.Source})
	}
	return out
}

// CoinsPerDay is what the active hashrate earns a day, in BTC.
func (d *Desk) CoinsPerDay() float64 { return d.Active().PH() * d.sat.Value / market.Coin }
