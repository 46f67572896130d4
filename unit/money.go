package unit

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// ErrCurrency reports arithmetic over two currencies.
var ErrCurrency = errors.New("currencies differ")

// ErrRange reports an amount that its integer cannot hold.
var ErrRange = errors.New("amount out of range")

// Currency is an ISO 4217 code, or BTC.
type Currency string

// The currencies with a sign of their own; any other ISO code parses too.
const (
	USD Currency = "USD"
	EUR Currency = "EUR"
	GBP Currency = "GBP"
	BTC Currency = "BTC"
)

// Digits is the number of decimal places of the minor unit: 2 for USD, 8 for
// BTC, 0 for JPY.
func (c Currency) Digits() int {
	switch c {
	case BTC:
		return 8
	case "JPY", "KRW", "ISK", "PYG", "CLP", "VND", "UGX":
		return 0
	case "KWD", "BHD", "OMR", "JOD", "TND", "IQD", "LYD":
		return 3
	}
	return 2
}

func (c Currency) sign() string {
	switch c {
	case USD:
		return "$"
	case EUR:
		return "€"
	case GBP:
		return "£"
	}
	return string(c) + " "
}

// Money is an amount in integer minor units (cents, satoshi).
type Money struct {
	Minor    int64
	Currency Currency
}

// Add adds two amounts of one currency.
func (m Money) Add(n Money) (Money, error) {
	if m.Currency != n.Currency {
		return Money{}, fmt.Errorf("%s + %s: %w", m, n, ErrCurrency)
	}
	sum := m.Minor + n.Minor
	if (sum > m.Minor) != (n.Minor > 0) {
		return Money{}, fmt.Errorf("%s + %s: %w", m, n, ErrRange)
	}
	return Money{sum, m.Currency}, nil
}

// Neg is the opposite amount.
func (m Money) Neg() Money { return Money{-m.Minor, m.Currency} }

// String prints "$1234.50" or "-€0.05".
func (m Money) String() string { return fixed(m.Minor, m.Currency, m.Currency.Digits()) }

// ParseMoney reads "$1234.50", "1234.50 USD" or "BTC 0.5". More decimals than
// the currency has are an error, never a silent rounding.
func ParseMoney(s string) (Money, error) {
	cur, number, ok := splitCurrency(s)
	if !ok {
		return Money{}, fmt.Errorf("%q: %w: want an amount such as %q", s, ErrSyntax, "$1234.50")
	}
	minor, err := parseFixed(number, cur.Digits())
	if err != nil {
		return Money{}, fmt.Errorf("%q: %w", s, err)
	}
	return Money{minor, cur}, nil
}

// priceDigits is the resolution of prices: a millionth of a currency unit.
const priceDigits = 6

// EnergyPrice is a price of electricity, in millionths of a currency unit per
// MWh. Market prices have two to five decimals, all exact here.
type EnergyPrice struct {
	Micro    int64
	Currency Currency
}

// ParseEnergyPrice reads "$42.10/MWh" or "6.2c/kWh" (US cents).
func ParseEnergyPrice(s string) (EnergyPrice, error) {
	text := strings.TrimSpace(s)
	if number, ok := cutSuffixFold(text, "c/kWh"); ok {
		v, err := parseFixed(strings.TrimSpace(number), priceDigits-1)
		if err != nil {
			return EnergyPrice{}, fmt.Errorf("%q: %w", s, err)
		}
		if v > math.MaxInt64/100 || v < math.MinInt64/100 {
			return EnergyPrice{}, fmt.Errorf("%q: %w", s, ErrRange)
		}
		return EnergyPrice{v * 100, USD}, nil // 1 c/kWh = $10/MWh
	}
	per, factor := "/MWh", int64(1)
	if _, ok := cutSuffixFold(text, "/kWh"); ok {
		per, factor = "/kWh", 1000
	}
	number, ok := cutSuffixFold(text, per)
	cur, digits, ok2 := splitCurrency(number)
	if !ok || !ok2 {
		return EnergyPrice{}, fmt.Errorf("%q: %w: want a price such as %q", s, ErrSyntax, "$42.10/MWh")
	}
	places := priceDigits
	if factor == 1000 {
		places = priceDigits + 3
		factor = 1
	}
	v, err := parseFixed(digits, places)
	if err != nil {
		return EnergyPrice{}, fmt.Errorf("%q: %w", s, err)
	}
	return EnergyPrice{v * factor, cur}, nil
}

// String prints "$42.1/MWh".
func (p EnergyPrice) String() string { return fixedShort(p.Micro, p.Currency) + "/MWh" }

// PerMWh is the price in currency units per MWh, for statistics.
func (p EnergyPrice) PerMWh() float64 { return float64(p.Micro) / 1e6 }

// EnergyPriceOf rounds a statistic back to a price, half to even.
func EnergyPriceOf(perMWh float64, c Currency) EnergyPrice {
	return EnergyPrice{int64(math.RoundToEven(perMWh * 1e6)), c}
}

// Cost is what e costs at p, rounded half to even to the minor unit. It is
// exact before that one rounding.
func (p EnergyPrice) Cost(e Energy) (Money, error) {
	r, err := ratOf(float64(e))
	if err != nil {
		return Money{}, err
	}
	r.Quo(r, new(big.Rat).SetFloat64(float64(MegawattHour)))
	r.Mul(r, big.NewRat(p.Micro, 1e6))
	return moneyOf(r, p.Currency)
}

// Hashprice is what a unit of hashrate earns, in millionths of a currency unit
// per PH/s and day.
type Hashprice struct {
	Micro    int64
	Currency Currency
}

// ParseHashprice reads "$55/PH/day" or "$0.055/TH/day".
func ParseHashprice(s string) (Hashprice, error) {
	text := strings.TrimSpace(s)
	places := priceDigits
	number, ok := cutSuffixFold(text, "/PH/day")
	if !ok {
		number, ok = cutSuffixFold(text, "/TH/day")
		places = priceDigits + 3
	}
	cur, digits, ok2 := splitCurrency(number)
	if !ok || !ok2 {
		return Hashprice{}, fmt.Errorf("%q: %w: want a hashprice such as %q", s, ErrSyntax, "$55/PH/day")
	}
	v, err := parseFixed(digits, places)
	if err != nil {
		return Hashprice{}, fmt.Errorf("%q: %w", s, err)
	}
	return Hashprice{v, cur}, nil
}

// String prints "$55/PH/day".
func (p Hashprice) String() string { return fixedShort(p.Micro, p.Currency) + "/PH/day" }

// PerPHDay is the hashprice in currency units per PH/s and day, for statistics.
func (p Hashprice) PerPHDay() float64 { return float64(p.Micro) / 1e6 }

// HashpriceOf rounds a statistic back to a hashprice, half to even.
func HashpriceOf(perPHDay float64, c Currency) Hashprice {
	return Hashprice{int64(math.RoundToEven(perPHDay * 1e6)), c}
}

// Revenue is what h earns in d, rounded half to even to the minor unit.
func (p Hashprice) Revenue(h Hashrate, d time.Duration) (Money, error) {
	r, err := ratOf(float64(h))
	if err != nil {
		return Money{}, err
	}
	r.Mul(r, big.NewRat(p.Micro, 1e6*1000)) // TH/s to PH/s
	r.Mul(r, big.NewRat(int64(d), int64(24*time.Hour)))
	return moneyOf(r, p.Currency)
}

func ratOf(v float64) (*big.Rat, error) {
	r := new(big.Rat).SetFloat64(v)
	if r == nil {
		return nil, fmt.Errorf("%v: %w", v, ErrRange)
	}
	return r, nil
}

// moneyOf rounds r currency units half to even to minor units.
func moneyOf(r *big.Rat, c Currency) (Money, error) {
	r.Mul(r, new(big.Rat).SetInt64(pow10(c.Digits())))
	num, den := r.Num(), r.Denom()
	q, rem := new(big.Int).QuoRem(num, den, new(big.Int))
	twice := new(big.Int).Lsh(rem.Abs(rem), 1)
	if cmp := twice.Cmp(den); cmp > 0 || (cmp == 0 && q.Bit(0) == 1) {
		q.Add(q, big.NewInt(int64(num.Sign())))
	}
	if !q.IsInt64() {
		return Money{}, fmt.Errorf("%s %s: %w", q, c, ErrRange)
	}
	return Money{q.Int64(), c}, nil
}

func pow10(n int) int64 {
	v := int64(1)
	for range n {
		v *= 10
	}
	return v
}

// parseFixed reads a decimal as an integer of 10^-places, exactly.
func parseFixed(text string, places int) (int64, error) {
	number, rest := splitNumber(text)
	if number == "" || rest != "" || strings.ContainsAny(number, "eE") {
		return 0, fmt.Errorf("%w: %q is no decimal number", ErrSyntax, text)
	}
	r, ok := new(big.Rat).SetString(number)
	if !ok {
		return 0, fmt.Errorf("%w: %q is no decimal number", ErrSyntax, text)
	}
	r.Mul(r, new(big.Rat).SetInt64(pow10(places)))
	if !r.IsInt() {
		return 0, fmt.Errorf("%w: %q has more than %d decimals", ErrSyntax, text, places)
	}
	if !r.Num().IsInt64() {
		return 0, fmt.Errorf("%q: %w", text, ErrRange)
	}
	return r.Num().Int64(), nil
}

func fixed(v int64, c Currency, places int) string {
	minus := ""
	u := uint64(v)
	if v < 0 {
		minus, u = "-", -u
	}
	digits := strconv.FormatUint(u, 10)
	if len(digits) <= places {
		digits = strings.Repeat("0", places-len(digits)+1) + digits
	}
	if places > 0 {
		digits = digits[:len(digits)-places] + "." + digits[len(digits)-places:]
	}
	return minus + c.sign() + digits
}

func fixedShort(v int64, c Currency) string {
	s := fixed(v, c, priceDigits)
	s = strings.TrimRight(s, "0")
	return strings.TrimSuffix(s, ".")
}

func splitCurrency(s string) (c Currency, number string, ok bool) {
	s = strings.TrimSpace(s)
	neg := strings.HasPrefix(s, "-")
	body := strings.TrimPrefix(s, "-")
	switch {
	case strings.HasPrefix(body, "$"):
		c, body = USD, body[1:]
	case strings.HasPrefix(body, "€"):
		c, body = EUR, body[len("€"):]
	case strings.HasPrefix(body, "£"):
		c, body = GBP, body[len("£"):]
	case len(body) > 3 && isCode(body[:3]):
		c, body = Currency(body[:3]), body[3:]
	case len(body) > 3 && isCode(body[len(body)-3:]):
		c, body = Currency(body[len(body)-3:]), body[:len(body)-3]
	default:
		return "", "", false
	}
	body = strings.TrimSpace(body)
	if neg {
		if strings.HasPrefix(body, "-") {
			return "", "", false
		}
		body = "-" + body
	}
	return c, body, body != ""
}

func isCode(s string) bool {
	for i := range len(s) {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return len(s) == 3
}

func cutSuffixFold(s, suffix string) (string, bool) {
	if len(s) < len(suffix) || !strings.EqualFold(s[len(s)-len(suffix):], suffix) {
		return s, false
	}
	return s[:len(s)-len(suffix)], true
}
