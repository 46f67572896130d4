package unit

import (
	"fmt"
	"math/big"
)

// MoneyOf rounds an exact amount of currency units (not minor units) half to
// even to the currency's minor unit. r is not changed.
func MoneyOf(r *big.Rat, c Currency) (Money, error) {
	return moneyOf(new(big.Rat).Set(r), c)
}

// Rat is the amount in currency units, exactly.
func (m Money) Rat() *big.Rat { return big.NewRat(m.Minor, pow10(m.Currency.Digits())) }

// Float is the amount in currency units, for statistics.
func (m Money) Float() float64 { f, _ := m.Rat().Float64(); return f }

// Sub subtracts n from m.
func (m Money) Sub(n Money) (Money, error) {
	if m.Currency != n.Currency {
		return Money{}, fmt.Errorf("%s - %s: %w", m, n, ErrCurrency)
	}
	d := m.Minor - n.Minor
	if (d < m.Minor) != (n.Minor > 0) {
		return Money{}, fmt.Errorf("%s - %s: %w", m, n, ErrRange)
	}
	return Money{d, m.Currency}, nil
}

// Times multiplies by an exact factor and rounds once, half to even.
func (m Money) Times(f *big.Rat) (Money, error) {
	r := m.Rat()
	return moneyOf(r.Mul(r, f), m.Currency)
}
