package debt

import (
	"fmt"
	"math/big"

	"ballast/unit"
)

// Margin are a coin-backed loan's terms, as loan to value: the balance over
// what the coins are worth. A collateral ratio of 143 % is a loan to value of
// 70 %.
type Margin struct {
	Initial   Rate `json:"initial"`   // to be restored after a call
	Call      Rate `json:"call"`      // at and over this the lender calls
	Liquidate Rate `json:"liquidate"` // at and over this the lender sells
	Cure      int  `json:"cure_days"` // days to answer a call
}

// MarginState is where a coin-backed loan stands at a price.
type MarginState struct {
	LTV       float64
	Called    bool
	Liquidate bool
	// CallPrice and LiquidationPrice are prices of a bitcoin at which the lines
	// are reached with these coins.
	CallPrice, LiquidationPrice unit.Money
	// To restore the initial loan to value, either pay this or post these coins.
	Pay  unit.Money
	Post unit.Money // BTC
	// Sold is what a lender sells to restore it, and Residual what is still
	// owed when the coins do not suffice.
	Sold     unit.Money // BTC
	Residual unit.Money
}

// Margined says where a facility with margin terms stands. Balance is what is
// owed, coins what secures it in satoshi, price that of one bitcoin.
func (m Margin) Margined(balance unit.Money, coins int64, price unit.Money) (MarginState, error) {
	if balance.Currency != price.Currency || balance.Minor < 0 || coins < 0 || price.Minor <= 0 || m.Initial <= 0 || m.Call <= 0 || m.Liquidate <= 0 {
		return MarginState{}, fmt.Errorf("margin of %s on %d satoshi at %s: %w", balance, coins, price, ErrInvalid)
	}
	c := balance.Currency
	s := MarginState{Pay: unit.Money{Currency: c}, Residual: unit.Money{Currency: c}, Post: unit.Money{Currency: unit.BTC}, Sold: unit.Money{Currency: unit.BTC}}
	owed, btc, p := balance.Rat(), big.NewRat(coins, 1e8), price.Rat()
	value := new(big.Rat).Mul(btc, p)
	reached := func(line Rate) bool {
		// balance/value >= line, without dividing by nothing
		return owed.Sign() > 0 && owed.Cmp(new(big.Rat).Mul(value, line.Rat())) >= 0
	}
	s.Called, s.Liquidate = reached(m.Call), reached(m.Liquidate)
	if value.Sign() > 0 {
		s.LTV, _ = new(big.Rat).Quo(owed, value).Float64()
		var err error
		at := func(line Rate) (m unit.Money) {
			if err == nil {
				m, err = unit.MoneyOf(new(big.Rat).Quo(owed, new(big.Rat).Mul(btc, line.Rat())), c)
			}
			return m
		}
		s.CallPrice, s.LiquidationPrice = at(m.Call), at(m.Liquidate)
		if err != nil {
			return s, err
		}
	}
	if !s.Called && !s.Liquidate {
		return s, nil
	}
	// Pay x: (owed-x)/value = initial. Rounded up to the cent: less would not do.
	allowed := new(big.Rat).Mul(value, m.Initial.Rat())
	s.Pay.Minor = ceilMinor(new(big.Rat).Sub(owed, allowed), c)
	// Post y: owed/((coins+y) p) = initial.
	need := new(big.Rat).Quo(owed, new(big.Rat).Mul(m.Initial.Rat(), p))
	s.Post.Minor = ceilMinor(need.Sub(need, btc), unit.BTC)
	if s.Liquidate {
		// Sell z: (owed - z p)/((coins-z) p) = initial; z = (owed - initial value)/(p (1 - initial)).
		room := new(big.Rat).Sub(big.NewRat(1, 1), m.Initial.Rat())
		sell := coins
		if room.Sign() > 0 {
			z := new(big.Rat).Quo(new(big.Rat).Sub(owed, allowed), new(big.Rat).Mul(p, room))
			sell = min(coins, ceilMinor(z, unit.BTC))
		}
		s.Sold.Minor = sell
		if sell == coins {
			s.Residual.Minor = max(0, ceilMinor(new(big.Rat).Sub(owed, value), c))
		}
	}
	return s, nil
}

// ceilMinor rounds currency units up to minor units; nothing below zero.
func ceilMinor(r *big.Rat, c unit.Currency) int64 {
	if r.Sign() <= 0 {
		return 0
	}
	scale := int64(1)
	for range c.Digits() {
		scale *= 10
	}
	v := new(big.Rat).Mul(r, new(big.Rat).SetInt64(scale))
	q, rem := new(big.Int).QuoRem(v.Num(), v.Denom(), new(big.Int))
	if rem.Sign() > 0 {
		q.Add(q, big.NewInt(1))
	}
	if !q.IsInt64() {
		return 1<<63 - 1
	}
	return q.Int64()
}
