package tariff

import (
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"strings"

	"ballast/unit"
)

// Arithmetic of settlement. Energy is an integer of microjoules per interval,
// prices are integers of micro-units per MWh, and a line's amount is the exact
// rational sum of their products, rounded once.

// microjoules is the energy of one interval at the settlement point. Meters
// count whole watt-hours or joules; six more digits hold a loss factor exactly.
type microjoules int64

const (
	perJoule    = 1_000_000
	joulesPerWh = 3600
	// maxJoules bounds the energy of one interval: 2,500 GW for an hour is no
	// site's, and the product with a loss factor still fits.
	maxJoules = 2_500_000_000_000
)

var (
	ratMWh   = big.NewRat(3_600_000_000*perJoule, 1) // microjoules in a MWh
	ratMicro = big.NewRat(1_000_000, 1)
	ratZero  = new(big.Rat)
)

func (e microjoules) mwh() *big.Rat { return new(big.Rat).Quo(big.NewRat(int64(e), 1), ratMWh) }

// account sums energy and energy times price over intervals, exactly.
type account struct {
	energy big.Int // microjoules
	value  big.Int // microjoules x micro-units/MWh
	n      int

	a, b big.Int // scratch
}

func (s *account) add(e microjoules, priceMicro int64) {
	s.a.SetInt64(int64(e))
	s.energy.Add(&s.energy, &s.a)
	s.b.SetInt64(priceMicro)
	s.a.Mul(&s.a, &s.b)
	s.value.Add(&s.value, &s.a)
	s.n++
}

func (s *account) mwh() *big.Rat {
	return new(big.Rat).Quo(new(big.Rat).SetInt(&s.energy), ratMWh)
}

// amount is in currency units.
func (s *account) amount() *big.Rat {
	r := new(big.Rat).SetInt(&s.value)
	r.Quo(r, ratMWh)
	return r.Quo(r, ratMicro)
}

// Rounding is how a line's exact amount becomes minor units.
type Rounding string

// The roundings that contracts name. HalfEven is the default.
const (
	HalfEven Rounding = "half-even"
	HalfUp   Rounding = "half-up" // halves away from zero
)

// round makes money of currency units.
func (m Rounding) round(r *big.Rat, c unit.Currency) (unit.Money, error) {
	scale := int64(1)
	for range c.Digits() {
		scale *= 10
	}
	q := m.integer(new(big.Rat).Mul(r, big.NewRat(scale, 1)))
	if !q.IsInt64() {
		return unit.Money{}, fmt.Errorf("%s %s: %w", r.FloatString(2), c, unit.ErrRange)
	}
	return unit.Money{Minor: q.Int64(), Currency: c}, nil
}

func (m Rounding) integer(r *big.Rat) *big.Int {
	q, rem := new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
	twice := rem.Abs(rem)
	twice.Lsh(twice, 1)
	switch cmp := twice.Cmp(r.Denom()); {
	case cmp > 0, cmp == 0 && (m == HalfUp || q.Bit(0) == 1):
		q.Add(q, big.NewInt(int64(r.Sign())))
	}
	return q
}

// divRound is a/b rounded half to even, for prices in micro-units. b is
// positive.
func divRound(a, b int64) int64 {
	q, r := a/b, a%b
	if r < 0 {
		r = -r
	}
	switch {
	case r > b-r, r == b-r && q%2 != 0:
		if a < 0 {
			return q - 1
		}
		return q + 1
	}
	return q
}

// mulDiv is a*b/c rounded half to even, and false when it does not fit. b is not
// negative, c is positive.
func mulDiv(a, b, c int64) (int64, bool) {
	abs := uint64(a)
	if a < 0 {
		abs = -abs
	}
	hi, lo := bits.Mul64(abs, uint64(b))
	if hi >= uint64(c) {
		return 0, false
	}
	q, rem := bits.Div64(hi, lo, uint64(c))
	if half := uint64(c) - rem; rem > half || rem == half && q%2 == 1 {
		q++
	}
	if q > math.MaxInt64 {
		return 0, false
	}
	if a < 0 {
		return -int64(q), true
	}
	return int64(q), true
}

// joulesOf rounds a meter's energy to whole joules, half to even.
func joulesOf(e unit.Energy) (int64, bool) {
	f := math.RoundToEven(float64(e))
	if !(math.Abs(f) <= maxJoules) {
		return 0, false
	}
	return int64(f), true
}

// Exact is an exact number. It prints as a decimal of at most nine places
// (half to even), without trailing zeros. The zero Exact is 0.
type Exact struct{ r *big.Rat }

func exactOf(r *big.Rat) Exact { return Exact{new(big.Rat).Set(r)} }

// ExactInt is n.
func ExactInt(n int64) Exact { return Exact{big.NewRat(n, 1)} }

// Rat is the number; the caller may change what it gets.
func (x Exact) Rat() *big.Rat {
	if x.r == nil {
		return new(big.Rat)
	}
	return new(big.Rat).Set(x.r)
}

// Add is x+y.
func (x Exact) Add(y Exact) Exact { return Exact{x.Rat().Add(x.Rat(), y.Rat())} }

// Sub is x-y.
func (x Exact) Sub(y Exact) Exact { return Exact{x.Rat().Sub(x.Rat(), y.Rat())} }

// Cmp compares.
func (x Exact) Cmp(y Exact) int { return x.Rat().Cmp(y.Rat()) }

// Float is the nearest float64.
func (x Exact) Float() float64 { f, _ := x.Rat().Float64(); return f }

// exactPlaces is how many decimals an Exact prints.
const exactPlaces = 9

// String prints "1234.5".
func (x Exact) String() string {
	r := x.Rat()
	i := HalfEven.integer(r.Mul(r, big.NewRat(1_000_000_000, 1)))
	s := new(big.Rat).SetFrac(i, big.NewInt(1_000_000_000)).FloatString(exactPlaces)
	s = strings.TrimRight(s, "0")
	return strings.TrimSuffix(s, ".")
}

// MarshalText writes "1234.5".
func (x Exact) MarshalText() ([]byte, error) { return []byte(x.String()), nil }

// UnmarshalText reads "1234.5".
func (x *Exact) UnmarshalText(b []byte) error {
	r, err := decimal(string(b), exactPlaces)
	if err != nil {
		return err
	}
	x.r = r
	return nil
}

// decimal reads a plain decimal of at most that many places.
func decimal(s string, places int) (*big.Rat, error) {
	body := strings.TrimPrefix(strings.TrimPrefix(s, "-"), "+")
	whole, frac, _ := strings.Cut(body, ".")
	if whole+frac == "" || len(whole) > 18 || strings.Trim(whole+frac, "0123456789") != "" {
		return nil, fmt.Errorf("%q is no decimal number", s)
	}
	if len(frac) > places {
		return nil, fmt.Errorf("%q has more than %d decimals", s, places)
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil, fmt.Errorf("%q is no decimal number", s)
	}
	return r, nil
}
