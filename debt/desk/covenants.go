package desk

import (
	"fmt"
	"math"

	"ballast/debt"
	"ballast/unit"
)

// CovenantState is where a covenant stands.
type CovenantState string

// The states. Near is within a quarter of the limit.
const (
	Holds    CovenantState = "holds"
	Near     CovenantState = "near"
	Breached CovenantState = "breached"
	Unknown  CovenantState = "not known"
)

// CovenantLine is a covenant with its headroom.
type CovenantLine struct {
	ID       string            `json:"id"`
	Facility string            `json:"facility" doc:"Whose contract has it."`
	Of       string            `json:"of,omitempty" doc:"Whose debt or collateral is measured; empty is the company."`
	Metric   debt.Metric       `json:"metric"`
	Rule     string            `json:"rule"`
	Limit    float64           `json:"limit"`
	Cure     int               `json:"cure_days"`
	Clause   string            `json:"clause,omitempty"`
	State    CovenantState     `json:"state" enum:"holds,near,breached,not known"`
	Reading  Figure            `json:"reading"`
	Money    unit.Opt[float64] `json:"headroom,omitzero" doc:"By how much what pays may fall, or the collateral may lose, in the company's currency; negative after a breach."`
	Text     string            `json:"headroom_text"`
	Price    unit.Opt[float64] `json:"price_at_breach,omitzero" doc:"Of a bitcoin, at which it breaks, or is mended after a breach; null when no price does."`
	Hash     unit.Opt[float64] `json:"hashprice_at_breach,omitzero" doc:"In currency units per PH/s and day, at today's price of a bitcoin."`
	Days     unit.Opt[int]     `json:"days,omitzero" doc:"Until the breach on the path of the terms; null when none within two years."`
	Figures  []Figure          `json:"figures" doc:"Headroom, price, hashprice and days as figures that can be opened."`
}

// Horizon is how far ahead a breach is looked for.
const Horizon = 730

// Covenants are all that facilities have, with their headroom.
func (d *Desk) Covenants() []CovenantLine {
	var out []CovenantLine
	t := d.Book.Terms
	path := debt.Path{Days: Horizon, Price: t.PriceDrift.Float(), Hashprice: t.HashpriceDrift.Float()}
	for _, s := range d.Position.Book.Schedules {
		for _, c := range s.Facility.Covenants {
			out = append(out, d.covenant(s.Facility.ID, c, path))
		}
	}
	return out
}

func (d *Desk) covenant(facility string, c debt.Covenant, path debt.Path) CovenantLine {
	l := CovenantLine{ID: c.ID, Facility: facility, Of: c.Facility, Metric: c.Metric, Limit: c.Limit, Rule: d.rule(c), Cure: c.Cure, Clause: c.Source, State: Unknown, Reading: d.metric(c.Metric, c.Facility), Text: dash}
	l.Figures = []Figure{}
	if l.Reading.Missing != "" {
		return l
	}
	h, ok := d.Position.Headroom(c, &path)
	if !ok {
		return l
	}
	l.State = Holds
	if h.Breached {
		l.State = Breached
	} else if v := h.Reading.Value; !math.IsInf(v, 0) && c.Limit != 0 && math.Abs(v/c.Limit-1) < 0.25 {
		l.State = Near
	}
	reading := l.Reading.as()
	limit := Input{Name: "limit", Text: fmt.Sprintf("%g", c.Limit), Source: Source{Quoted, "the contract of " + facility + clause(c.Source), d.recorded(facility).Source.At}}
	what := "by how much what pays may fall before the breach"
	switch c.Metric {
	case debt.CoinLTV, debt.RigLTV, debt.HashrateDebt:
		what = "by how much the collateral may lose before the breach: value − debt / limit"
	case debt.Leverage:
		what = "limit × cash for debt service − (debt − liquidity)"
	case debt.DSCR, debt.ICR:
		what = "cash for debt service − limit × what is due"
	}
	key := func(part string) string { return "covenant/" + facility + "/" + c.ID + "/" + part }
	l.Money, l.Text = unit.Some(h.Money), short(h.Money, d.Currency)
	l.Figures = append(l.Figures, figure(key("headroom"), "Headroom", "", what, reading, limit).set(h.Money, l.Text, ""))
	price := figure(key("price"), "Bitcoin at breach", "", "the price of a bitcoin at which the covenant changes sides: hashprice, coins and (by their elasticity) machines move with it, difficulty stays", reading, limit, d.inPrice(), d.inTerms("elasticity of machine prices", fmt.Sprintf("%g", d.Book.Terms.RigBeta)))
	if p, ok := h.Price.Get(); ok {
		l.Price = unit.Some(p.Float())
		price = price.set(p.Float(), Short(p), "").noted("%s from today", change(p.Float(), d.Position.Price.Float()))
	} else {
		price = price.lack("no price of a bitcoin changes it")
	}
	hash := figure(key("hashprice"), "Hashprice at breach", "", "the hashprice at which the covenant changes sides at today's price of a bitcoin: difficulty moves", reading, limit, d.inHash())
	if p, ok := h.Hashprice.Get(); ok {
		l.Hash = unit.Some(p.PerPHDay())
		hash = hash.set(p.PerPHDay(), hashprice(p), "").noted("%s from today", change(p.PerPHDay(), d.Position.Hashprice.PerPHDay()))
	} else {
		hash = hash.lack("no hashprice changes it")
	}
	days := figure(key("days"), "Days to breach", "days", "rolled forward day by day: prices follow the path, the run rate is earned, what falls due is paid, coins are kept", reading, limit, d.inTerms("path a year", fmt.Sprintf("price %s, hashprice %s beside it", d.Book.Terms.PriceDrift, d.Book.Terms.HashpriceDrift)), d.inDebt())
	if n, ok := h.Days.Get(); ok {
		l.Days = unit.Some(n)
		days = days.set(float64(n), plain(float64(n), 0), "")
	} else {
		days = days.lack("not within two years on this path")
	}
	l.Figures = append(l.Figures, price, hash, days)
	return l
}

func clause(s string) string {
	if s == "" {
		return ""
	}
	return ", " + s
}

func change(now, then float64) string {
	if then == 0 {
		return dash
	}
	v := now/then - 1
	text := percent(v)
	if v > 0 {
		text = "+" + text
	}
	return text
}

// rule spells a covenant out in the words of a page.
func (d *Desk) rule(c debt.Covenant) string {
	w := words[c.Metric]
	limit := fmt.Sprintf("%g", c.Limit)
	switch c.Metric {
	case debt.CoinLTV, debt.RigLTV:
		limit = plain(c.Limit*100, 0) + " %"
	case debt.Liquidity:
		limit = short(c.Limit, d.Currency)
	case debt.Runway:
		limit += " months"
	}
	word := "at most"
	switch c.Metric {
	case debt.DSCR, debt.ICR, debt.Liquidity, debt.Runway:
		word = "at least"
	}
	return w.name + " " + word + " " + limit
}
