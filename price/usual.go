package price

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"ballast/tariff"
	"ballast/unit"
)

// Usual is what a site pays for power over a month, all charges in: what
// decisions about years reckon with, where the price of this quarter of an hour
// would mislead.
type Usual struct {
	Price  unit.EnergyPrice
	Billed bool      // by an issued statement
	From   string    // what it is, in words
	At     time.Time // the end of the month that it is of
}

type usualKept struct {
	key string
	at  time.Time
	Usual
	ok bool
}

// usualFor is how long a month's price at a flat load is kept: revised market
// prices change it.
const usualFor = time.Hour

// wholeMonth is the share of a month that the meter must have seen for its
// statement to tell what power costs.
const wholeMonth = 0.9

// Usual is the newest issued statement's total over its energy, of the last
// three months; else what the contract in force would have charged last month
// for a flat load as high as the site's is now. False when a part of that has
// no price.
func (d *Desk) Usual(ctx context.Context, site string) (Usual, bool) {
	now := d.Now()
	c, err := d.InForce(ctx, site, now)
	if err != nil {
		if !errors.Is(err, ErrNoContract) {
			d.Log.Warn("reading the contract for the usual price of power", "site", site, "error", err)
		}
		return Usual{}, false
	}
	loc := c.Parsed.Location()
	last := tariff.MonthOf(now.In(loc)).Add(-1)
	key := fmt.Sprintf("%d.%d.%s", c.ID, c.Revision, last)
	d.mu.Lock()
	was, ok := d.usual[site]
	d.mu.Unlock()
	if ok && was.key == key && now.Sub(was.at) < usualFor && !now.Before(was.at) {
		return was.Usual, was.ok
	}
	was = usualKept{key: key, at: now}
	if was.Usual, was.ok = d.billed(ctx, c, last); !was.ok {
		was.Usual, was.ok = d.flat(c, last)
	}
	d.mu.Lock()
	d.usual[site] = was
	d.mu.Unlock()
	return was.Usual, was.ok
}

// billed is the newest issued statement that covers a month.
func (d *Desk) billed(ctx context.Context, c Contract, last tariff.Month) (Usual, bool) {
	rows, err := d.Record.IssuedStatements(ctx, c.Site, c.ID, last.Add(-2).String(), last.String())
	if err != nil {
		d.Log.Warn("reading statements for the usual price of power", "site", c.Site, "error", err)
		return Usual{}, false
	}
	for _, row := range slices.Backward(rows) {
		st, err := thaw(row)
		if err != nil {
			d.Log.Warn("reading a statement for the usual price of power", "site", c.Site, "month", row.Month, "error", err)
			continue
		}
		seen := st.Meter.Whole + st.Meter.Partly
		if float64(seen) < wholeMonth*float64(seen+st.Meter.Lost) {
			continue
		}
		if u, ok := perMWh(&st.Body, "statement of "+st.Body.Month.String()+", all charges", c.Parsed.Location()); ok {
			u.Billed = true
			return u, true
		}
	}
	return Usual{}, false
}

// flat settles a month for a load that never changes.
func (d *Desk) flat(c Contract, month tariff.Month) (Usual, bool) {
	loc := c.Parsed.Location()
	from, to := month.Span(loc)
	load, _, ok := d.load(c.Site)
	if !ok || load <= 0 {
		load = 1 * unit.Megawatt
	}
	var meter []tariff.Interval
	for at := from; at.Before(to); at = at.Add(c.Parsed.Interval) {
		meter = append(meter, tariff.Interval{Start: at, Length: c.Parsed.Interval, Energy: unit.Some(load.Over(c.Parsed.Interval))})
	}
	st, err := c.Parsed.Statement(month, meter, d.Prices(), tariff.State{})
	if err != nil {
		return Usual{}, false
	}
	return perMWh(st, fmt.Sprintf("the contract's charges for a flat %v in %s", load, month), loc)
}

func perMWh(st *tariff.Statement, from string, loc *time.Location) (Usual, bool) {
	mwh := st.Metered.Float()
	if st.Status == tariff.Missing || !(mwh > 0) {
		return Usual{}, false
	}
	_, to := st.Month.Span(loc)
	return Usual{Price: unit.EnergyPriceOf(st.Total.Float()/mwh, st.Currency), From: from, At: to}, true
}
