package unit

import (
	"errors"
	"math"
	"math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestMoneyOf(t *testing.T) {
	for _, v := range []struct {
		r    *big.Rat
		c    Currency
		want int64
	}{
		{big.NewRat(1, 200), USD, 0}, {big.NewRat(3, 200), USD, 2}, {big.NewRat(-1, 200), USD, 0}, {big.NewRat(-3, 200), USD, -2}, {big.NewRat(1, 3), BTC, 33333333}, {big.NewRat(5, 2), "JPY", 2},
	} {
		before := new(big.Rat).Set(v.r)
		m, err := MoneyOf(v.r, v.c)
		if err != nil || m.Minor != v.want || m.Currency != v.c || v.r.Cmp(before) != 0 {
			t.Errorf("%s %s: %s, %v", before, v.c, m, err)
		}
	}
	if _, err := MoneyOf(new(big.Rat).SetInt64(math.MaxInt64), USD); !errors.Is(err, ErrRange) {
		t.Error(err)
	}
	if m, err := (Money{999, USD}).Times(big.NewRat(1, 3)); err != nil || m.Minor != 333 {
		t.Error(m, err)
	}
}

func TestSub(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := Money{rapid.Int64().Draw(t, "a"), USD}, Money{rapid.Int64().Draw(t, "b"), USD}
		d, err := a.Sub(b)
		exact := new(big.Int).Sub(big.NewInt(a.Minor), big.NewInt(b.Minor))
		if exact.IsInt64() != (err == nil) || err == nil && d.Minor != exact.Int64() {
			t.Fatalf("%s - %s = %s, %v", a, b, d, err)
		}
	})
	if _, err := (Money{1, USD}).Sub(Money{1, EUR}); !errors.Is(err, ErrCurrency) {
		t.Error(err)
	}
}
