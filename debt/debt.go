// Package debt sets what a miner owes against what hashes for it: facilities
// and their schedules to the cent ([Facility], [Schedule]), the value of active
// hashpower on four bases that are never mixed ([Valuation]), the
// hashrate-debt ratio with its scope and basis spelled out ([RatioOf]), and
// beside it what tells distress better: cover, loan to value, runway, the
// maturity wall, distance to default. Covenants are declared rules with their
// headroom in money, in the price of a bitcoin, in hashprice and in days
// ([Covenant]); thirteen weeks of cash are laid out to the cent ([Weeks]).
//
// What owes cents is integers and exact fractions, rounded once. What is a
// ratio, a value by a model, or a probability is a float and says so. Nothing
// here knows the time, a file or a network.
//
// A firm's default and a fall of the network's hashrate are different events.
// The first is here; the second is in debt/outlook. Machines change owners and
// keep hashing.
package debt

import (
	"errors"
	"fmt"
	"math/big"

	"ballast/unit"
)

// What can be wrong. Functions wrap these with what it was about.
var (
	ErrInvalid = errors.New("not valid")
	ErrNoIndex = errors.New("no value for the reference rate")
	ErrNoData  = errors.New("not enough data")
	ErrMixed   = errors.New("values on different bases cannot be joined")
)

// million is the denominator of rates.
const million = 1_000_000

// Rate is a share, or a share a year, in millionths: 12.5 % is 125,000.
type Rate int64

// Percent is p per cent.
func Percent(p float64) Rate {
	r, _ := new(big.Rat).SetFloat64(p * 10000).Float64()
	return Rate(roundHalfEven(r))
}

func roundHalfEven(v float64) int64 {
	n := int64(v)
	f := v - float64(n)
	switch {
	case f > 0.5 || f == 0.5 && n%2 != 0:
		n++
	case f < -0.5 || f == -0.5 && n%2 != 0:
		n--
	}
	return n
}

// Rat is the rate, exactly.
func (r Rate) Rat() *big.Rat { return big.NewRat(int64(r), million) }

// Float is the rate, for statistics.
func (r Rate) Float() float64 { return float64(r) / million }

// String prints "12.5%".
func (r Rate) String() string {
	v := new(big.Rat).SetFrac64(int64(r), million/100)
	n, _ := v.FloatPrec()
	return v.FloatString(n) + "%"
}

// ParseRate reads "12.5%" or "0.125". More than six decimals of the share are
// an error.
func ParseRate(s string) (Rate, error) {
	text, scale := s, int64(million)
	if n := len(s); n > 0 && s[n-1] == '%' {
		text, scale = s[:n-1], million/100
	}
	for _, c := range text {
		if (c < '0' || c > '9') && c != '.' && c != '-' {
			return 0, fmt.Errorf("rate %q: %w", s, ErrInvalid)
		}
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok || len(text) > 24 {
		return 0, fmt.Errorf("rate %q: %w", s, ErrInvalid)
	}
	r.Mul(r, new(big.Rat).SetInt64(scale))
	if !r.IsInt() || !r.Num().IsInt64() {
		return 0, fmt.Errorf("rate %q has too many digits: %w", s, ErrInvalid)
	}
	return Rate(r.Num().Int64()), nil
}

// UnmarshalText reads "12.5%".
func (r *Rate) UnmarshalText(b []byte) error {
	v, err := ParseRate(string(b))
	if err == nil {
		*r = v
	}
	return err
}

// MarshalText writes "12.5%".
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// share is r times an amount in minor units, rounded half to even.
func share(minor int64, r *big.Rat) (int64, error) {
	v := new(big.Rat).SetInt64(minor)
	v.Mul(v, r)
	q, rem := new(big.Int).QuoRem(v.Num(), v.Denom(), new(big.Int))
	rem.Abs(rem).Lsh(rem, 1)
	if c := rem.Cmp(v.Denom()); c > 0 || c == 0 && q.Bit(0) == 1 {
		q.Add(q, big.NewInt(int64(v.Sign())))
	}
	if !q.IsInt64() {
		return 0, unit.ErrRange
	}
	return q.Int64(), nil
}
