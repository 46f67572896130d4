package market

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"ballast/unit"
)

// RigRate is what a TH/s of machine costs, in millionths of a currency unit.
type RigRate struct {
	Micro    int64
	Currency unit.Currency
}

// RigRateOf rounds a statistic to a rate, half to even.
func RigRateOf(perTH float64, c unit.Currency) RigRate {
	return RigRate{int64(math.RoundToEven(perTH * 1e6)), c}
}

// PerTH is the rate in currency units per TH/s, for statistics.
func (r RigRate) PerTH() float64 { return float64(r.Micro) / 1e6 }

// String prints "$15.71/TH".
func (r RigRate) String() string {
	return strings.TrimSuffix(unit.EnergyPrice(r).String(), "/MWh") + "/TH"
}

// Value is what a hashrate costs at this rate, rounded half to even.
func (r RigRate) Value(h unit.Hashrate) (unit.Money, error) {
	v := new(big.Rat).SetFloat64(float64(h))
	if v == nil {
		return unit.Money{}, fmt.Errorf("hashrate %v: %w", h, ErrInvalid)
	}
	v.Mul(v, big.NewRat(r.Micro, 1e6))
	return unit.MoneyOf(v, r.Currency)
}

// RigPriceKind says what sort of evidence a price is. They are not worth the
// same: a lender's collateral value is no market index.
type RigPriceKind string

// The kinds of evidence.
const (
	RigIndex       RigPriceKind = "index"       // a published index of asking or traded prices
	RigTransaction RigPriceKind = "transaction" // machines that changed hands
	RigOffer       RigPriceKind = "offer"       // a maker's or dealer's asking price
	RigLiquidation RigPriceKind = "liquidation" // forced: a settlement, a lender's collateral value
	RigEstimate    RigPriceKind = "estimate"    // somebody's opinion, a range
)

// Tier is a range of efficiencies that one price is for: Over < J/TH <= Under.
// Zero is open on that side.
type Tier struct {
	Over, Under unit.Efficiency
}

// Has tells whether e belongs to the tier.
func (t Tier) Has(e unit.Efficiency) bool {
	return e > t.Over && (t.Under == 0 || e <= t.Under)
}

// width is how wide the tier is; narrower tiers say more about a machine in them.
func (t Tier) width() float64 {
	if t.Under == 0 {
		return math.Inf(1)
	}
	return float64(t.Under - t.Over)
}

// String prints "25-38 J/TH".
func (t Tier) String() string {
	switch {
	case t.Over == 0 && t.Under == 0:
		return "all"
	case t.Over == 0:
		return fmt.Sprintf("up to %g J/TH", float64(t.Under))
	case t.Under == 0:
		return fmt.Sprintf("over %g J/TH", float64(t.Over))
	}
	return fmt.Sprintf("%g-%g J/TH", float64(t.Over), float64(t.Under))
}

// ParseTier reads "<38", "25-38", ">68" or "all", in J/TH, and what String
// prints. A single number or
// "~29.5" is the tier of a machine: from 10 % under to 10 % over it. Text after
// the number is ignored.
func ParseTier(s string) (Tier, error) {
	text := strings.TrimSpace(s)
	switch {
	case strings.EqualFold(text, "all"), strings.HasPrefix(strings.ToLower(text), "mixed"):
		return Tier{}, nil
	case strings.HasPrefix(text, "<"), strings.HasPrefix(text, "up to "):
		v, _, err := leadingFloat(strings.TrimPrefix(text[1:], "p to "))
		return Tier{Under: unit.Efficiency(v)}, err
	case strings.HasPrefix(text, ">"), strings.HasPrefix(text, "over "):
		v, _, err := leadingFloat(strings.TrimPrefix(text[1:], "ver "))
		return Tier{Over: unit.Efficiency(v)}, err
	}
	v, rest, err := leadingFloat(strings.TrimPrefix(text, "~"))
	if err != nil {
		return Tier{}, err
	}
	if strings.HasPrefix(rest, "-") {
		w, _, err := leadingFloat(rest[1:])
		if err != nil {
			return Tier{}, err
		}
		if w <= v {
			return Tier{}, fmt.Errorf("tier %q: %w", s, ErrInvalid)
		}
		return Tier{unit.Efficiency(v), unit.Efficiency(w)}, nil
	}
	return Tier{unit.Efficiency(v * 0.9), unit.Efficiency(v * 1.1)}, nil
}

func leadingFloat(s string) (float64, string, error) {
	s = strings.TrimSpace(s)
	i := 0
	for i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == '.') {
		i++
	}
	v, err := strconv.ParseFloat(s[:i], 64)
	if err != nil || !(v > 0) || v > 1e9 {
		return 0, "", fmt.Errorf("%q is no positive number: %w", s, ErrInvalid)
	}
	return v, strings.TrimSpace(s[i:]), nil
}

// RigPrice is one observation.
type RigPrice struct {
	At     time.Time
	Tier   Tier
	Rate   RigRate
	Kind   RigPriceKind
	Source string
}

// RigQuote is the price of a TH/s of one efficiency at one time, with where it
// comes from.
type RigQuote struct {
	Rate RigRate
	Kind RigPriceKind
	// From are the one or two observations behind it.
	From []RigPrice
	// Interpolated: between two observations. Otherwise the newest one before.
	Interpolated bool
	// Age is how long before the asked time the nearest observation was made;
	// for an interpolated price, the distance to the nearer of the two.
	Age time.Duration
}

// Rigs is a book of observed prices.
type Rigs []RigPrice

// Quote prices a TH/s of efficiency e at time t from observations of the given
// kinds. Among the tiers that hold e the narrowest with an observation not
// after t is taken. Between two observations of that tier the price moves by
// the same factor each day; after the last one it stands, and its age grows.
// Observations are never taken back in time: before the first there is no
// price. oldest, when positive, refuses prices older than that.
func (r Rigs) Quote(e unit.Efficiency, t time.Time, oldest time.Duration, kinds ...RigPriceKind) (RigQuote, error) {
	var best []RigPrice
	byTier := map[Tier][]RigPrice{}
	for _, p := range r {
		if p.Tier.Has(e) && p.Rate.Micro > 0 && (len(kinds) == 0 || slices.Contains(kinds, p.Kind)) {
			byTier[p.Tier] = append(byTier[p.Tier], p)
		}
	}
	for _, ps := range byTier {
		slices.SortStableFunc(ps, func(a, b RigPrice) int { return a.At.Compare(b.At) })
		if ps[0].At.After(t) {
			continue
		}
		if best == nil || narrower(ps, best, t) {
			best = ps
		}
	}
	if best == nil {
		return RigQuote{}, fmt.Errorf("no price for %v at %s: %w", e, t.Format(time.DateOnly), ErrNoData)
	}
	i := before(best, t)
	a := best[i]
	q := RigQuote{Rate: a.Rate, Kind: a.Kind, From: []RigPrice{a}, Age: t.Sub(a.At)}
	if i+1 < len(best) && q.Age > 0 && best[i+1].Rate.Currency == a.Rate.Currency {
		b := best[i+1]
		w := t.Sub(a.At).Seconds() / b.At.Sub(a.At).Seconds()
		q.Rate = RigRateOf(a.Rate.PerTH()*math.Pow(b.Rate.PerTH()/a.Rate.PerTH(), w), a.Rate.Currency)
		q.From, q.Interpolated, q.Age = []RigPrice{a, b}, true, min(q.Age, b.At.Sub(t))
	}
	if oldest > 0 && q.Age > oldest {
		return RigQuote{}, fmt.Errorf("the newest price for %v is %d days old: %w", e, int(q.Age.Hours()/24), ErrNoData)
	}
	return q, nil
}

func before(ps []RigPrice, t time.Time) int {
	i := 0
	for i+1 < len(ps) && !ps[i+1].At.After(t) {
		i++
	}
	return i
}

// narrower prefers the narrower tier, and of equals the fresher price.
func narrower(a, b []RigPrice, t time.Time) bool {
	if wa, wb := a[0].Tier.width(), b[0].Tier.width(); wa != wb {
		return wa < wb
	}
	ta, tb := a[before(a, t)].At, b[before(b, t)].At
	if !ta.Equal(tb) {
		return ta.After(tb)
	}
	return a[0].Tier.Over > b[0].Tier.Over
}
