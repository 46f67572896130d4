package debt

import (
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"

	"ballast/market"
	"ballast/unit"
)

// FacilityColumns are the columns of a CSV of facilities, in the order in which
// an export writes them. Only the first eleven must be there; an empty cell of
// the others is nothing of the kind.
var FacilityColumns = []string{
	"id", "name", "kind", "purpose", "recourse", "currency", "principal", "drawn", "maturity", "shape", "months",
	"rate", "index", "margin", "floor", "cap", "day_count", "interest_only", "balloon", "shares", "sweep", "capitalised", "advance",
	"lender", "obligor", "guarantor", "upfront_fee", "exit_fee", "annual_fee", "coins", "collateral_ths", "collateral_jth",
	"initial_ltv", "call_ltv", "liquidation_ltv", "cure_days", "conversion_price", "cross_default", "cross_threshold", "source",
}

const facilityRequired = 11

// ReadFacilities reads a CSV of facilities. Amounts are decimals in the row's
// currency, rates "12.5%" or 0.125, dates 2026-06-30, shares and cross_default
// lists separated by semicolons (any stands for every facility of the obligor).
//
// It is all or nothing: every wrong cell is told with its line and column, and
// then no facility is returned.
func ReadFacilities(r io.Reader) ([]Facility, error) {
	t, err := market.ReadTable(r)
	if err != nil {
		return nil, err
	}
	var bad []error
	for _, c := range FacilityColumns[:facilityRequired] {
		if !t.Has(c) {
			bad = append(bad, fmt.Errorf("no column %q: %w", c, ErrInvalid))
		}
	}
	if len(bad) > 0 {
		return nil, errors.Join(bad...)
	}
	var out []Facility
	seen := map[string]int{}
	for i := range t.Len() {
		row := facilityRow{t: t, i: i}
		f := row.read()
		if len(row.bad) == 0 {
			if err := f.Check(); err != nil {
				row.bad = append(row.bad, fmt.Errorf("line %d: %w", t.Line(i), err))
			}
		}
		if line, twice := seen[f.ID]; twice && f.ID != "" {
			row.bad = append(row.bad, market.LineError{Line: t.Line(i), Column: "id", Text: f.ID, Reason: fmt.Sprintf("is on line %d as well", line)})
		}
		seen[f.ID] = t.Line(i)
		bad = append(bad, row.bad...)
		out = append(out, f)
	}
	if len(bad) > 0 {
		return nil, errors.Join(bad...)
	}
	return out, nil
}

type facilityRow struct {
	t   *market.Table
	i   int
	c   unit.Currency
	bad []error
}

func (r *facilityRow) fail(column, reason string) {
	r.bad = append(r.bad, market.LineError{Line: r.t.Line(r.i), Column: column, Text: r.t.Text(r.i, column), Reason: reason})
}

func (r *facilityRow) text(column string) string { return r.t.Text(r.i, column) }

func (r *facilityRow) date(column string) Date {
	d, err := ParseDate(r.text(column))
	if err != nil {
		r.fail(column, "is no date such as 2026-06-30")
	}
	return d
}

// money reads an exact amount: more digits than the currency has are an error.
func (r *facilityRow) money(column string, c unit.Currency) unit.Money {
	s := r.text(column)
	if s == "" {
		return unit.Money{}
	}
	m, err := unit.ParseMoney(string(c) + " " + s)
	if err != nil || m.Minor < 0 {
		r.fail(column, "is no amount in "+string(c))
		return unit.Money{}
	}
	if m.Minor == 0 {
		return unit.Money{}
	}
	return m
}

func (r *facilityRow) rate(column string) Rate {
	s := r.text(column)
	if s == "" {
		return 0
	}
	v, err := ParseRate(s)
	if err != nil {
		r.fail(column, "is no rate such as 12.5%")
	}
	return v
}

func (r *facilityRow) optional(column string) unit.Opt[Rate] {
	if r.text(column) == "" {
		return unit.None[Rate]()
	}
	return unit.Some(r.rate(column))
}

func (r *facilityRow) whole(column string) int {
	s := r.text(column)
	if s == "" {
		return 0
	}
	v, ok := new(big.Int).SetString(s, 10)
	if !ok || !v.IsInt64() || v.Sign() < 0 || v.Int64() > 1e6 {
		r.fail(column, "is no whole number")
		return 0
	}
	return int(v.Int64())
}

func (r *facilityRow) number(column string) float64 {
	v, err := r.t.Float(r.i, column)
	if err != nil || v.Or(0) < 0 {
		r.fail(column, "is no number")
		return 0
	}
	return v.Or(0)
}

func (r *facilityRow) flag(column string) bool {
	switch strings.ToLower(r.text(column)) {
	case "", "no", "false", "0":
		return false
	case "yes", "true", "1":
		return true
	}
	r.fail(column, "is neither yes nor no")
	return false
}

func (r *facilityRow) list(column string) []string {
	var out []string
	for s := range strings.SplitSeq(r.text(column), ";") {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, s)
		}
	}
	return out
}

func (r *facilityRow) read() Facility {
	r.c = unit.Currency(strings.ToUpper(r.text("currency")))
	if len(r.c) != 3 || r.c == unit.BTC {
		r.fail("currency", "is no currency such as USD")
		r.c = unit.USD
	}
	f := Facility{
		ID: r.text("id"), Name: r.text("name"), Lender: r.text("lender"), Obligor: r.text("obligor"), Guarantor: r.text("guarantor"),
		Kind: Kind(r.text("kind")), Purpose: Purpose(r.text("purpose")), Recourse: Recourse(r.text("recourse")), Source: r.text("source"),
		Principal: r.money("principal", r.c), Drawn: r.date("drawn"), Maturity: r.date("maturity"),
		Interest: Interest{Fixed: r.rate("rate"), Index: r.text("index"), Margin: r.rate("margin"), Floor: r.optional("floor"), Cap: r.optional("cap"), DayCount: DayCount(r.text("day_count"))},
		Repayment: Repayment{
			Shape: Shape(r.text("shape")), Months: r.whole("months"), InterestOnly: r.whole("interest_only"), Balloon: r.money("balloon", r.c),
			Sweep: r.rate("sweep"), Capitalised: r.rate("capitalised"), Advance: r.flag("advance"),
		},
		Cross: CrossDefault{Threshold: r.money("cross_threshold", r.c)},
	}
	if f.Interest.DayCount == "" {
		f.Interest.DayCount = Actual360
	}
	for _, s := range r.list("shares") {
		v, err := ParseRate(s)
		if err != nil {
			r.fail("shares", "holds "+s+", which is no rate")
		}
		f.Repayment.Shares = append(f.Repayment.Shares, v)
	}
	for _, fee := range []struct {
		column string
		kind   FeeKind
	}{{"upfront_fee", UpfrontFee}, {"exit_fee", ExitFee}, {"annual_fee", AnnualFee}} {
		if v := r.rate(fee.column); v != 0 {
			f.Fees = append(f.Fees, Fee{Kind: fee.kind, Rate: v})
		}
	}
	if coins := r.money("coins", unit.BTC); coins.Minor > 0 {
		f.Secured = append(f.Secured, Collateral{Kind: CoinCollateral, Coins: coins})
	}
	if ths := r.number("collateral_ths"); ths > 0 {
		f.Secured = append(f.Secured, Collateral{Kind: RigCollateral, Hashrate: unit.Hashrate(ths), Efficiency: unit.Efficiency(r.number("collateral_jth"))})
	}
	if r.text("call_ltv") != "" || r.text("liquidation_ltv") != "" {
		f.Margin = &Margin{Initial: r.rate("initial_ltv"), Call: r.rate("call_ltv"), Liquidate: r.rate("liquidation_ltv"), Cure: r.whole("cure_days")}
	}
	if p := r.money("conversion_price", r.c); p.Minor > 0 {
		f.Convert = &Conversion{Price: p}
	}
	for _, s := range r.list("cross_default") {
		if strings.EqualFold(s, "any") {
			f.Cross.Any = true
		} else {
			f.Cross.Of = append(f.Cross.Of, s)
		}
	}
	return f
}
