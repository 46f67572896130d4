package debt

import (
	"math"
	"time"

	"ballast/market"
	"ballast/unit"
)

// Position is a miner on one day: what it owes, owns, earns and spends. All
// amounts are in the book's currency, coins in BTC.
type Position struct {
	On     Date
	Book   Book
	Groups []Group
	// Uptime is the share of time that active machines run; 1 when zero.
	Uptime    float64
	Hashprice unit.Hashprice
	Price     unit.Money // of a bitcoin
	Cash      unit.Money
	Coins     unit.Money // BTC, free to sell
	// Fixed is what a year costs whether or not anything hashes: sites,
	// people, administration.
	Fixed unit.Money
	// Other is what a year brings from elsewhere, after its own cost: AI
	// halls, hosting.
	Other unit.Money
	// RigRate prices machines of an efficiency today, on the Basis that the
	// caller chose; nil when there is no price.
	RigRate  func(unit.Efficiency) (market.RigRate, bool)
	RigBasis Basis
	// RigBeta is by how many per cent machine prices move when hashprice
	// moves by one; 0 holds them still.
	RigBeta float64

	moved float64 // hashprice against today's; 0 is 1
}

// Income is a year's run rate, at today's prices.
type Income struct {
	Revenue unit.Money
	Power   unit.Money // of the machines that earn it
	Fixed   unit.Money
	Other   unit.Money
	// CFADS is what is available for debt service: revenue and other less
	// power and fixed cost. No tax, no capital expense.
	CFADS unit.Money
	// Idle is active hashrate that stands still because power costs more
	// than it earns.
	Idle unit.Hashrate
}

const year = 365 * 24 * time.Hour

// Income is the run rate. Groups whose hashcost is over hashprice are switched
// off: they neither earn nor burn.
func (p Position) Income() (Income, error) {
	c := p.Book.Currency
	in := Income{Revenue: unit.Money{Currency: c}, Power: unit.Money{Currency: c}, Fixed: p.Fixed, Other: p.Other}
	in.Fixed.Currency, in.Other.Currency = c, c
	up := p.Uptime
	if up == 0 {
		up = 1
	}
	for _, g := range p.Groups {
		cost := g.Hashcost()
		if cost.Currency != c && cost.Micro != 0 || p.Hashprice.Currency != c {
			return in, unit.ErrCurrency
		}
		if p.Hashprice.Micro <= cost.Micro {
			in.Idle += g.Active
			continue
		}
		h := g.Active * unit.Hashrate(up)
		r, err := p.Hashprice.Revenue(h, year)
		if err != nil {
			return in, err
		}
		w, err := unit.Hashprice{Micro: cost.Micro, Currency: c}.Revenue(h, year)
		if err != nil {
			return in, err
		}
		in.Revenue.Minor += r.Minor
		in.Power.Minor += w.Minor
	}
	in.CFADS = unit.Money{Minor: in.Revenue.Minor + in.Other.Minor - in.Power.Minor - in.Fixed.Minor, Currency: c}
	return in, nil
}

// CoinValue is what an amount of bitcoin is worth at the position's price.
func (p Position) CoinValue(sat int64) unit.Money {
	m, err := p.Price.Times(ratio(sat, market.Coin))
	if err != nil {
		return unit.Money{Minor: math.MaxInt64 / 4, Currency: p.Book.Currency}
	}
	return m
}

// Liquidity is cash and what free coins would bring.
func (p Position) Liquidity() unit.Money {
	return unit.Money{Minor: p.Cash.Minor + p.CoinValue(p.Coins.Minor).Minor, Currency: p.Book.Currency}
}

// At is the position with the price of a bitcoin k times as high, and with it
// hashprice, coins and (by their elasticity) machines: difficulty and fees in
// bitcoin stay as they are.
func (p Position) At(k float64) Position {
	q := p.AtHashprice(k)
	q.Price.Minor = roundHalfEven(float64(p.Price.Minor) * k)
	return q
}

// AtHashprice is the position with hashprice k times as high at the same price
// of a bitcoin: difficulty moved.
func (p Position) AtHashprice(k float64) Position {
	q := p
	q.Hashprice.Micro = roundHalfEven(float64(p.Hashprice.Micro) * k)
	q.moved = p.rigMove() * k
	return q
}

func (p Position) rigMove() float64 {
	if p.moved == 0 {
		return 1
	}
	return p.moved
}

// rigValue is what machines are worth, in the book's currency; ok is false
// without a price.
func (p Position) rigValue(h unit.Hashrate, e unit.Efficiency) (float64, bool) {
	if p.RigRate == nil {
		return 0, false
	}
	r, ok := p.RigRate(e)
	if !ok || r.Currency != p.Book.Currency {
		return 0, false
	}
	return float64(h) * r.PerTH() * math.Pow(p.rigMove(), p.RigBeta), true
}

// Rigs is what all active machines are worth; ok is false when one group has no
// price.
func (p Position) Rigs() (float64, bool) {
	var sum float64
	for _, g := range p.Groups {
		v, ok := p.rigValue(g.Active, g.Efficiency)
		if !ok && g.Active > 0 {
			return 0, false
		}
		sum += v
	}
	return sum, true
}

// collateral is what secures a facility by kind of collateral, in the book's
// currency.
func (p Position) collateral(f Facility, k CollateralKind) (float64, bool) {
	var sum float64
	for _, s := range f.Secured {
		if s.Kind != k {
			continue
		}
		switch k {
		case CoinCollateral:
			sum += p.CoinValue(s.Coins.Minor).Float()
		case RigCollateral:
			v, ok := p.rigValue(s.Hashrate, s.Efficiency)
			if !ok {
				return 0, false
			}
			sum += v
		default:
			sum += s.Value.Float()
		}
	}
	return sum, true
}
