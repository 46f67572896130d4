package debt

import (
	"fmt"
	"slices"
	"strings"

	"ballast/unit"
)

// Scope says which debt a ratio counts. The zero Scope counts everything.
type Scope struct {
	Purposes   []Purpose  `json:"purposes,omitempty"`   // only these; empty: all
	Recourse   []Recourse `json:"recourse,omitempty"`   // only these; empty: all
	Converts   bool       `json:"no_convertibles"`      // true leaves convertibles out
	InKind     bool       `json:"no_prepayments"`       // true leaves out what is owed in service
	Obligors   []string   `json:"obligors,omitempty"`   // only these; empty: all
	SharePrice unit.Money `json:"share_price,omitzero"` // leaves out convertibles that are in the money at this price and settle in shares
}

// String spells the scope out.
func (s Scope) String() string {
	var parts []string
	if len(s.Purposes) > 0 {
		parts = append(parts, "for "+join(s.Purposes))
	}
	if len(s.Recourse) > 0 {
		parts = append(parts, join(s.Recourse)+" recourse")
	}
	if len(s.Obligors) > 0 {
		parts = append(parts, "of "+strings.Join(s.Obligors, ", "))
	}
	if s.Converts {
		parts = append(parts, "without convertibles")
	} else if s.SharePrice.Minor > 0 {
		parts = append(parts, "without convertibles in the money at "+s.SharePrice.String())
	}
	if s.InKind {
		parts = append(parts, "without prepayments owed in service")
	}
	if len(parts) == 0 {
		return "all debt"
	}
	return "debt " + strings.Join(parts, ", ")
}

func join[T ~string](v []T) string {
	out := make([]string, len(v))
	for i := range v {
		out[i] = string(v[i])
	}
	return strings.Join(out, " or ")
}

// excludes says why a facility is not counted; empty when it is.
func (s Scope) excludes(f Facility) string {
	switch {
	case len(s.Purposes) > 0 && !slices.Contains(s.Purposes, f.Purpose):
		return "purpose is " + string(f.Purpose)
	case len(s.Recourse) > 0 && !slices.Contains(s.Recourse, f.Recourse):
		return "recourse is " + string(f.Recourse)
	case len(s.Obligors) > 0 && !slices.Contains(s.Obligors, f.Obligor):
		return "owed by " + f.Obligor
	case s.Converts && f.Kind == Convertible:
		return "convertible"
	case f.Kind == Convertible && s.SharePrice.Minor > 0 && f.Convert != nil && !f.Convert.Cash && f.Convert.InMoney(s.SharePrice):
		return "in the money, becomes shares"
	case s.InKind && f.InKind():
		return "owed in service"
	}
	return ""
}

// ScopeLine is one facility's part in a ratio.
type ScopeLine struct {
	Facility string
	Balance  unit.Money
	Excluded string // why it is not counted; empty when it is
}

// ClaimLine is one of the two lines that a press article draws. They are the
// claim's, not Ballast's.
type ClaimLine struct {
	At    float64
	Over  bool // the ratio is over the line
	Claim string
}

// claimLines: see docs/debt.md and the table of claims for what they are worth.
var claimLines = []ClaimLine{
	{At: 1.5, Claim: "the claim's line for stability; no source found, not a calibrated probability"},
	{At: 1.8, Claim: "the claim's line for a crash; no source found, not a calibrated probability"},
}

// Ratio is the hashrate-debt ratio: debt in scope over the value of active
// hashpower on one basis.
type Ratio struct {
	// Value is missing when there is no value to divide by.
	Value     unit.Opt[float64]
	On        Date
	Scope     string
	Debt      unit.Money
	Counted   []ScopeLine
	Basis     Basis
	Hashpower unit.Money
	// Covered is the share of active hashrate that Hashpower has a price for.
	// Under 1, the ratio is too high by what is missing.
	Covered float64
	Lines   []ClaimLine
}

// RatioOf sets the debt in scope at the end of a day against a valuation.
func RatioOf(b Book, on Date, s Scope, v Valuation) (Ratio, error) {
	r := Ratio{On: on, Scope: s.String(), Debt: unit.Money{Currency: b.Currency}, Basis: v.Basis, Hashpower: v.Total}
	if v.Total.Currency != b.Currency {
		return r, fmt.Errorf("debt in %s, hashpower in %s: %w", b.Currency, v.Total.Currency, unit.ErrCurrency)
	}
	for _, sch := range b.Schedules {
		l := ScopeLine{sch.Facility.ID, sch.Balance(on), s.excludes(sch.Facility)}
		if l.Balance.Minor == 0 {
			continue
		}
		if l.Excluded == "" {
			r.Debt.Minor += l.Balance.Minor
		}
		r.Counted = append(r.Counted, l)
	}
	priced := float64(v.Hashrate())
	if all := priced + float64(v.Unpriced); all > 0 {
		r.Covered = priced / all
	}
	x, ok := Quotient(r.Debt, v.Total)
	if ok {
		r.Value = unit.Some(x)
	}
	for _, l := range claimLines {
		l.Over = ok && x > l.At
		r.Lines = append(r.Lines, l)
	}
	return r, nil
}

// Quotient divides two amounts of one currency. ok is false over nothing, or
// over two currencies.
func Quotient(a, b unit.Money) (float64, bool) {
	if a.Currency != b.Currency || b.Minor <= 0 {
		return 0, false
	}
	return float64(a.Minor) / float64(b.Minor), true
}
