package debt

import (
	"fmt"
	"math/big"
	"time"

	"ballast/market"
	"ballast/unit"
)

// Group is machines that are alike: one efficiency, one power price.
type Group struct {
	Name string
	// Active is the hashrate that runs and counts; Installed all that stands
	// there.
	Active, Installed unit.Hashrate
	Efficiency        unit.Efficiency
	Power             unit.EnergyPrice // at the site's meter
	Overhead          float64          // PUE; 1 when zero
	Life              int              // days of life left, for the option value
}

func (g Group) overhead() float64 {
	if g.Overhead == 0 {
		return 1
	}
	return g.Overhead
}

// Hashcost is what the group's hashing costs in power.
func (g Group) Hashcost() unit.Hashprice { return market.Hashcost(g.Efficiency, g.Power, g.overhead()) }

// Basis is how hashpower is valued. Values on different bases answer different
// questions and are never added or averaged.
type Basis string

// The four bases.
const (
	AtIndex       Basis = "index"       // what such machines are quoted at
	AtReplacement Basis = "replacement" // what new machines of the same hashrate would cost, landed and installed
	AtLiquidation Basis = "liquidation" // what a forced seller gets
	AtOption      Basis = "option"      // what the right to hash is worth
)

// Says is what the basis means, in a sentence for a page.
func (b Basis) Says() string {
	switch b {
	case AtIndex:
		return "market index: what machines of this efficiency tier are quoted at today, delivered by nobody in a hurry"
	case AtReplacement:
		return "replacement: what new machines with the same hashrate would cost, landed and installed"
	case AtLiquidation:
		return "liquidation: what a forced sale brings, after taking the machines down"
	case AtOption:
		return "option value: a strip of daily calls on hashprice with the hashcost as strike"
	}
	return string(b)
}

// ValueLine is one group's value, with what it came from.
type ValueLine struct {
	Group    string
	Hashrate unit.Hashrate
	Rate     market.RigRate // per TH/s
	Value    unit.Money
	How      string
	Quote    *market.RigQuote // where a price of machines is behind it
	Strip    *StripValue      // where a strip is, for 1 PH/s
}

// Valuation is the active hashpower's value on one basis.
type Valuation struct {
	Basis Basis
	At    time.Time
	Total unit.Money
	Lines []ValueLine
	// Unpriced is active hashrate for which there is no price: it is not in
	// Total, and it is not zero.
	Unpriced unit.Hashrate
	Why      []string // one reason for each unpriced group
}

// Hashrate is the active hashrate that Total is for.
func (v Valuation) Hashrate() unit.Hashrate {
	var sum unit.Hashrate
	for _, l := range v.Lines {
		sum += l.Hashrate
	}
	return sum
}

// Join adds valuations of several parts of a company. All must have the same
// basis and currency.
func Join(vs ...Valuation) (Valuation, error) {
	if len(vs) == 0 {
		return Valuation{}, fmt.Errorf("nothing to join: %w", ErrNoData)
	}
	out := vs[0]
	for _, v := range vs[1:] {
		if v.Basis != out.Basis {
			return Valuation{}, fmt.Errorf("%s and %s: %w", out.Basis, v.Basis, ErrMixed)
		}
		sum, err := out.Total.Add(v.Total)
		if err != nil {
			return Valuation{}, err
		}
		out.Total = sum
		out.Lines = append(append([]ValueLine{}, out.Lines...), v.Lines...)
		out.Why = append(append([]string{}, out.Why...), v.Why...)
		out.Unpriced += v.Unpriced
		if v.At.Before(out.At) {
			out.At = v.At
		}
	}
	return out, nil
}

func value(groups []Group, basis Basis, at time.Time, c unit.Currency, price func(Group) (ValueLine, error)) (Valuation, error) {
	v := Valuation{Basis: basis, At: at, Total: unit.Money{Currency: c}}
	for _, g := range groups {
		if !(g.Active >= 0) || !(g.Efficiency > 0) {
			return v, fmt.Errorf("group %q: %v at %v: %w", g.Name, g.Active, g.Efficiency, ErrInvalid)
		}
		if g.Active == 0 {
			continue
		}
		l, err := price(g)
		if err != nil {
			v.Unpriced += g.Active
			v.Why = append(v.Why, fmt.Sprintf("%s: %v", g.Name, err))
			continue
		}
		l.Group, l.Hashrate = g.Name, g.Active
		if l.Value, err = l.Rate.Value(g.Active); err != nil {
			return v, err
		}
		if v.Total, err = v.Total.Add(l.Value); err != nil {
			return v, err
		}
		v.Lines = append(v.Lines, l)
	}
	return v, nil
}

// ByIndex values active hashpower by the index of each group's efficiency tier.
// oldest, when positive, refuses prices older than that.
func ByIndex(groups []Group, rigs market.Rigs, at time.Time, oldest time.Duration, c unit.Currency) (Valuation, error) {
	return value(groups, AtIndex, at, c, func(g Group) (ValueLine, error) {
		q, err := rigs.Quote(g.Efficiency, at, oldest, market.RigIndex)
		if err != nil {
			return ValueLine{}, err
		}
		return ValueLine{Rate: q.Rate, Quote: &q, How: "index of its tier"}, nil
	})
}

// Replacement is what it takes to buy the hashrate anew.
type Replacement struct {
	Efficiency unit.Efficiency // of the machines that would be bought
	Landing    Rate            // freight, duty and tax on the price
	Install    market.RigRate  // per TH/s
}

// ByReplacement values active hashpower at what new machines of the same
// hashrate cost: offers, transactions or the index of the new tier, with
// landing and installation. That new machines need less power is not in here:
// that is the option value's business.
func ByReplacement(groups []Group, rigs market.Rigs, at time.Time, r Replacement, c unit.Currency) (Valuation, error) {
	return value(groups, AtReplacement, at, c, func(Group) (ValueLine, error) {
		q, err := rigs.Quote(r.Efficiency, at, 0, market.RigOffer, market.RigTransaction, market.RigIndex)
		if err != nil {
			return ValueLine{}, err
		}
		if r.Install.Micro != 0 && r.Install.Currency != q.Rate.Currency {
			return ValueLine{}, unit.ErrCurrency
		}
		micro, err := share(q.Rate.Micro, new(big.Rat).Add(big.NewRat(1, 1), r.Landing.Rat()))
		if err != nil {
			return ValueLine{}, err
		}
		return ValueLine{Rate: market.RigRate{Micro: micro + r.Install.Micro, Currency: q.Rate.Currency}, Quote: &q, How: fmt.Sprintf("new machines of %v, %s landing, %s to install", r.Efficiency, r.Landing, r.Install)}, nil
	})
}

// Liquidation are the terms of a forced sale.
type Liquidation struct {
	// Discount is taken off the index where no forced sale of the tier is
	// known. At the end of 2022 lenders valued machines at about half of it.
	Discount Rate
	Removal  market.RigRate // per TH/s: taking down, testing, shipping
	Oldest   time.Duration  // forced sales older than that are not used; zero: a year
}

// ByLiquidation values active hashpower at what forced sales of its tier
// brought lately, else at the discounted index, less removal; never under zero.
func ByLiquidation(groups []Group, rigs market.Rigs, at time.Time, t Liquidation, c unit.Currency) (Valuation, error) {
	oldest := t.Oldest
	if oldest == 0 {
		oldest = 365 * 24 * time.Hour
	}
	return value(groups, AtLiquidation, at, c, func(g Group) (ValueLine, error) {
		how := "forced sales of its tier"
		q, err := rigs.Quote(g.Efficiency, at, oldest, market.RigLiquidation)
		micro := q.Rate.Micro
		if err != nil {
			if q, err = rigs.Quote(g.Efficiency, at, 0, market.RigIndex); err != nil {
				return ValueLine{}, err
			}
			if micro, err = share(q.Rate.Micro, new(big.Rat).Sub(big.NewRat(1, 1), t.Discount.Rat())); err != nil {
				return ValueLine{}, err
			}
			how = fmt.Sprintf("index of its tier less %s", t.Discount)
		}
		if t.Removal.Micro != 0 && t.Removal.Currency != q.Rate.Currency {
			return ValueLine{}, unit.ErrCurrency
		}
		return ValueLine{Rate: market.RigRate{Micro: max(0, micro-t.Removal.Micro), Currency: q.Rate.Currency}, Quote: &q, How: how + ", less " + t.Removal.String() + " to take down"}, nil
	})
}

// ByOption values active hashpower as strips of calls. Terms gives the strip
// that all groups share; each puts in its own hashcost and life.
func ByOption(groups []Group, at time.Time, terms Strip) (Valuation, error) {
	return value(groups, AtOption, at, terms.Hashprice.Currency, func(g Group) (ValueLine, error) {
		s := terms
		s.Hashcost = g.Hashcost()
		if g.Life > 0 {
			s.Days = g.Life
		}
		v, err := s.Value()
		if err != nil {
			return ValueLine{}, err
		}
		return ValueLine{Rate: market.RigRateOf(v.Value/1000, s.Hashprice.Currency), Strip: &v, How: fmt.Sprintf("%d daily calls on %s, strike %s, volatility %.0f %%", s.Days, s.Hashprice, s.Hashcost, s.Vol*100)}, nil
	})
}
