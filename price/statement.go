package price

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"ballast/ledger"
	"ballast/tariff"
	"ballast/unit"
)

// Statement is what a month costs a site by a contract: issued and frozen, or
// as it stands now.
type Statement struct {
	ID       int64            `json:"id,omitempty" doc:"Of an issued one."`
	Site     string           `json:"site"`
	Contract int64            `json:"contract"`
	Revision int              `json:"revision" doc:"Of the contract's text that it is settled by."`
	Body     tariff.Statement `json:"statement"`
	Meter    Metered          `json:"meter"`
	Running  bool             `json:"running" doc:"The month is not over: energy to come is taken to be as the month's so far, prices to come are forecasts."`
	Until    time.Time        `json:"until,omitzero" doc:"Of a running month: metered and priced up to here."`
	IssuedAt time.Time        `json:"issued_at,omitzero"`
	IssuedBy string           `json:"issued_by,omitempty"`
	MadeAt   time.Time        `json:"made_at"`
	Revised  bool             `json:"revised,omitempty" doc:"Of an issued one: settled anew today it would come to another amount. The difference goes on the next statement."`
	// Simulated: the market is a simulation.
	Simulated bool `json:"simulated"`
}

// frozen is the part of a statement that the ledger keeps as its body.
type frozen struct {
	Statement tariff.Statement `json:"statement"`
	Meter     Metered          `json:"meter"`
	Simulated bool             `json:"simulated,omitempty"`
}

// keptDetail is how many bytes an issued statement's intervals may unpack to.
const keptDetail = 64 << 20

// Month settles a month of a site by the contract that is in force in it. An
// issued statement is given as it was issued, without its intervals unless
// detail asks for them.
func (d *Desk) Month(ctx context.Context, site string, month tariff.Month, detail bool) (Statement, error) {
	c, err := d.contractOf(ctx, site, month)
	if err != nil {
		return Statement{}, err
	}
	list, err := d.Record.IssuedStatements(ctx, site, 0, month.String(), month.String())
	if err != nil {
		return Statement{}, err
	}
	if n := len(list); n > 0 {
		st, err := d.issued(ctx, list[n-1].ID, detail)
		if err == nil {
			st.Revised = d.revised(ctx, c, list[n-1])
		}
		return st, err
	}
	return d.settle(ctx, c, month, detail)
}

// revised tells whether an issued month settled anew would come to something else
// that no later statement has yet.
func (d *Desk) revised(ctx context.Context, c Contract, row ledger.IssuedStatement) bool {
	month, err := tariff.ParseMonth(row.Month)
	if err != nil || c.ID != row.Contract {
		return false
	}
	list, err := d.Record.IssuedStatements(ctx, c.Site, c.ID, row.Month, month.Add(correctedBack).String())
	if err != nil {
		return false
	}
	read := make([]frozen, len(list))
	for i := range list {
		if err := json.Unmarshal(list[i].Body, &read[i]); err != nil {
			return false
		}
	}
	if len(list) == 0 || list[0].ID != row.ID {
		return false
	}
	lines, err := d.correct(ctx, c, list[0], &read[0], read[1:])
	if err != nil {
		d.Log.Warn("settling an issued month anew", "site", c.Site, "month", row.Month, "error", err)
	}
	return len(lines) > 0
}

// contractOf is the contract that has most to say of a month: that of its last
// day, else of its first.
func (d *Desk) contractOf(ctx context.Context, site string, month tariff.Month) (Contract, error) {
	all, err := d.Contracts(ctx)
	if err != nil {
		return Contract{}, err
	}
	for _, last := range []bool{true, false} {
		for _, c := range all {
			if c.Site != site || c.Parsed == nil {
				continue
			}
			from, to := month.Span(c.Parsed.Location())
			at := from
			if last {
				at = to.Add(-time.Second)
			}
			if _, ok := c.Parsed.VersionAt(at); ok {
				return c, nil
			}
		}
	}
	return Contract{}, fmt.Errorf("%s in %s: %w", site, month, ErrNoContract)
}

// settle makes a month's statement of what is known now.
func (d *Desk) settle(ctx context.Context, c Contract, month tariff.Month, detail bool) (Statement, error) {
	now := d.Now()
	from, to := month.Span(c.Parsed.Location())
	out := Statement{Site: c.Site, Contract: c.ID, Revision: c.Revision, MadeAt: now, Simulated: d.Simulated}
	prices := d.Prices()
	until := to
	if now.Before(to) {
		out.Running, until = true, now
		out.Until = now
		prices = projected{d.Ahead(), d, c.Parsed.Location()}
	}
	if !now.After(from) {
		return out, fmt.Errorf("%s: %w", month, ErrMonth)
	}
	var err error
	// A week before the month: estimates look there.
	if out.Meter, err = d.Metered(ctx, c.Site, from.AddDate(0, 0, -8), until); err != nil {
		return out, err
	}
	meter := out.Meter.Intervals
	out.Meter.count(from, until)
	state := tariff.State{Detail: detail, Until: out.Until}
	if state.Awards, err = d.awards(ctx, c, from, to); err != nil {
		return out, err
	}
	if state.Demands, err = d.demands(ctx, c, month); err != nil {
		return out, err
	}
	if state.Peaks, err = d.coincident(ctx, c, month); err != nil {
		return out, err
	}
	if !out.Running {
		if state.Corrections, err = d.corrections(ctx, c, month); err != nil {
			return out, err
		}
	}
	st, err := c.Parsed.Statement(month, meter, prices, state)
	if err != nil {
		return out, err
	}
	out.Body = *st
	return out, nil
}

// demands are the months before that a ratchet looks back on: as they were
// issued, else as the meter has them.
func (d *Desk) demands(ctx context.Context, c Contract, month tariff.Month) ([]tariff.PastDemand, error) {
	back := 0
	for i := range c.Parsed.Versions {
		for _, p := range c.Parsed.Versions[i].Parts {
			if p.Ratchet != nil {
				back = max(back, p.Ratchet.Months)
			}
		}
	}
	if back == 0 {
		return nil, nil
	}
	list, err := d.Record.IssuedStatements(ctx, c.Site, c.ID, month.Add(-back).String(), month.Add(-1).String())
	if err != nil {
		return nil, err
	}
	var out []tariff.PastDemand
	for _, s := range list {
		var f frozen
		if err := json.Unmarshal(s.Body, &f); err != nil {
			return nil, fmt.Errorf("reading the statement of %s: %w", s.Month, err)
		}
		out = append(out, f.Statement.Demands...)
	}
	return out, nil
}

// coincident is what the site drew at the system's peaks that a month is charged
// for: those of the year before, and of the month's own year.
func (d *Desk) coincident(ctx context.Context, c Contract, month tariff.Month) ([]tariff.PeakDemand, error) {
	if len(c.Parsed.Peaks) == 0 {
		return nil, nil
	}
	loc := c.Parsed.Location()
	var out []tariff.PeakDemand
	for i := range c.Parsed.Peaks {
		set := &c.Parsed.Peaks[i]
		for _, year := range []int{month.Year - 1, month.Year} {
			from := time.Date(year, 1, 1, 0, 0, 0, 0, loc)
			to := from.AddDate(1, 0, 0)
			if _, end := month.Span(loc); to.After(end) {
				to = end
			}
			loads, err := d.book.SystemLoads(ctx, set.Series, from, to)
			if err != nil {
				return nil, err
			}
			if len(loads) == 0 {
				continue
			}
			peaks, err := c.Parsed.SelectPeaks(set.Name, year, loads)
			if err != nil {
				continue // no rule for that year
			}
			var meter []tariff.Interval
			for _, p := range peaks {
				m, err := d.Metered(ctx, c.Site, p.Start.Truncate(quarter), p.Start.Add(p.Length))
				if err != nil {
					return nil, err
				}
				meter = append(meter, m.Intervals...)
			}
			drawn, _ := c.Parsed.DemandAtPeaks(set.Name, peaks, meter)
			out = append(out, drawn...)
		}
	}
	return out, nil
}

// correctedBack is how many months back an issued statement is settled anew.
const correctedBack = 6

// corrections are lines for what was revised in months that were issued already
// and that no later statement corrected yet.
func (d *Desk) corrections(ctx context.Context, c Contract, month tariff.Month) ([]tariff.Line, error) {
	list, err := d.Record.IssuedStatements(ctx, c.Site, c.ID, month.Add(-correctedBack).String(), month.Add(-1).String())
	if err != nil {
		return nil, err
	}
	read := make([]frozen, len(list))
	for i, s := range list {
		if err := json.Unmarshal(s.Body, &read[i]); err != nil {
			return nil, fmt.Errorf("reading the statement of %s: %w", s.Month, err)
		}
	}
	var out []tariff.Line
	for i := range read {
		lines, err := d.correct(ctx, c, list[i], &read[i], read[i+1:])
		if err != nil {
			return nil, err
		}
		out = append(out, lines...)
	}
	return out, nil
}

// correct settles an issued month anew, by the text that it was issued by, and
// gives the differences that no later statement has.
func (d *Desk) correct(ctx context.Context, c Contract, row ledger.IssuedStatement, was *frozen, later []frozen) ([]tariff.Line, error) {
	by, err := d.textOf(ctx, c, row.Revision)
	if err != nil {
		return nil, err
	}
	issued := was.Statement
	// Its own corrections of other months are no part of the month.
	issued.Lines = slices.DeleteFunc(slices.Clone(issued.Lines), func(l tariff.Line) bool { return l.Corrects != nil })
	from, to := issued.Month.Span(by.Parsed.Location())
	m, err := d.Metered(ctx, c.Site, from.AddDate(0, 0, -8), to)
	if err != nil {
		return nil, err
	}
	state := tariff.State{}
	if state.Awards, err = d.awards(ctx, by, from, to); err != nil {
		return nil, err
	}
	if state.Demands, err = d.demands(ctx, by, issued.Month); err != nil {
		return nil, err
	}
	if state.Peaks, err = d.coincident(ctx, by, issued.Month); err != nil {
		return nil, err
	}
	revised, err := by.Parsed.Statement(issued.Month, m.Intervals, d.Prices(), state)
	if err != nil {
		return nil, err
	}
	var before []tariff.Line
	for _, l := range later {
		for _, line := range l.Statement.Lines {
			if line.Corrects != nil && *line.Corrects == issued.Month {
				before = append(before, line)
			}
		}
	}
	return tariff.Correct(&issued, revised, before)
}

// textOf is a contract as its text was at a revision.
func (d *Desk) textOf(ctx context.Context, c Contract, revision int) (Contract, error) {
	if c.Revision == revision {
		return c, nil
	}
	texts, err := d.Record.ContractTexts(ctx, c.ID)
	if err != nil {
		return c, err
	}
	for _, t := range texts {
		if t.Revision == revision {
			parsed, err := tariff.Parse([]byte(t.Text))
			if err != nil {
				return c, fmt.Errorf("contract %d at revision %d: %w", c.ID, revision, err)
			}
			c.Parsed, c.Text, c.Revision = parsed, t.Text, revision
			return c, nil
		}
	}
	return c, fmt.Errorf("contract %d at revision %d: %w", c.ID, revision, ledger.ErrNotFound)
}

// Issue freezes a month's statement in the ledger: it will not change any more.
// The month must be over.
func (d *Desk) Issue(ctx context.Context, site string, month tariff.Month, by ledger.Audit) (Statement, error) {
	c, err := d.contractOf(ctx, site, month)
	if err != nil {
		return Statement{}, err
	}
	list, err := d.Record.IssuedStatements(ctx, site, 0, month.String(), month.String())
	if err != nil {
		return Statement{}, err
	}
	if len(list) > 0 {
		return Statement{}, fmt.Errorf("the statement of %s: %w: it was issued already", month, ledger.ErrConflict)
	}
	st, err := d.settle(ctx, c, month, true)
	if err != nil {
		return st, err
	}
	if st.Running {
		return st, fmt.Errorf("%s: %w", month, ErrMonth)
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	err = errors.Join(json.NewEncoder(z).Encode(st.Body.Detail), z.Close())
	if err != nil {
		return st, fmt.Errorf("packing the intervals: %w", err)
	}
	whole := st.Body
	st.Body.Detail = nil
	body, err := json.Marshal(frozen{st.Body, st.Meter, st.Simulated})
	if err != nil {
		return st, fmt.Errorf("writing the statement down: %w", err)
	}
	row, err := d.Record.IssueStatement(ctx, ledger.IssuedStatement{Contract: c.ID, Revision: c.Revision, Site: site, Month: month.String(), Body: body, Detail: packed.Bytes()}, by)
	if err != nil {
		return st, err
	}
	st.Body, st.ID, st.IssuedAt, st.IssuedBy = whole, row.ID, row.IssuedAt, row.IssuedBy
	return st, nil
}

// issued reads a statement as it was issued.
func (d *Desk) issued(ctx context.Context, id int64, detail bool) (Statement, error) {
	row, err := d.Record.IssuedStatement(ctx, id)
	if err != nil {
		return Statement{}, err
	}
	st, err := thaw(row)
	if err != nil || !detail || len(row.Detail) == 0 {
		return st, err
	}
	z, err := gzip.NewReader(bytes.NewReader(row.Detail))
	if err != nil {
		return st, fmt.Errorf("unpacking the intervals: %w", err)
	}
	if err := json.NewDecoder(io.LimitReader(z, keptDetail)).Decode(&st.Body.Detail); err != nil {
		return st, fmt.Errorf("unpacking the intervals: %w", err)
	}
	return st, nil
}

func thaw(row ledger.IssuedStatement) (Statement, error) {
	var f frozen
	if err := json.Unmarshal(row.Body, &f); err != nil {
		return Statement{}, fmt.Errorf("reading the statement of %s: %w", row.Month, err)
	}
	return Statement{ID: row.ID, Site: row.Site, Contract: row.Contract, Revision: row.Revision, Body: f.Statement, Meter: f.Meter, Simulated: f.Simulated,
		IssuedAt: row.IssuedAt, IssuedBy: row.IssuedBy, MadeAt: row.IssuedAt}, nil
}

// Months are the months of a site that can be settled, newest first, each as a
// statement without its lines: those issued, the last that are over, and the
// running one.
func (d *Desk) Months(ctx context.Context, site string, n int) ([]Head, error) {
	issued, err := d.Record.IssuedStatements(ctx, site, 0, "", "")
	if err != nil {
		return nil, err
	}
	by := map[string]Head{}
	for _, row := range issued {
		st, err := thaw(row)
		if err != nil {
			return nil, err
		}
		by[row.Month] = headOf(st)
	}
	all, err := d.Contracts(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if c.Site != site || c.Parsed == nil {
			continue
		}
		this := tariff.MonthOf(d.Now().In(c.Parsed.Location()))
		for back := range n {
			month := this.Add(-back)
			from, to := month.Span(c.Parsed.Location())
			_, first := c.Parsed.VersionAt(from)
			_, last := c.Parsed.VersionAt(to.Add(-time.Second))
			if _, ok := by[month.String()]; ok || !first && !last {
				continue
			}
			// A month of which the meter knows nothing is not offered.
			if back > 0 {
				m, err := d.Metered(ctx, site, from, to)
				if err != nil {
					return nil, err
				}
				if len(m.Intervals) == 0 {
					continue
				}
			}
			by[month.String()] = Head{Month: month, Contract: c.ID, Name: c.Parsed.Name, Currency: c.Parsed.Currency, Running: back == 0}
		}
	}
	out := make([]Head, 0, len(by))
	for _, h := range by {
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b Head) int { return b.Month.Since(a.Month) })
	return out, nil
}

// Head is a month in a list.
type Head struct {
	Month    tariff.Month   `json:"month"`
	ID       int64          `json:"id,omitempty" doc:"Of an issued statement."`
	Contract int64          `json:"contract"`
	Name     string         `json:"contract_name"`
	Currency unit.Currency  `json:"currency"`
	Running  bool           `json:"running"`
	Total    *unit.Money    `json:"total,omitempty" doc:"Of an issued statement."`
	Metered  *tariff.Exact  `json:"metered_mwh,omitempty"`
	Status   *tariff.Status `json:"status,omitempty"`
	IssuedAt *time.Time     `json:"issued_at,omitempty"`
	IssuedBy string         `json:"issued_by,omitempty"`
}

func headOf(st Statement) Head {
	h := Head{Month: st.Body.Month, ID: st.ID, Contract: st.Contract, Name: st.Body.Contract, Currency: st.Body.Currency, Running: st.Running}
	if st.ID != 0 {
		total, metered, status, at := st.Body.Total, st.Body.Metered, st.Body.Status, st.IssuedAt
		h.Total, h.Metered, h.Status, h.IssuedAt, h.IssuedBy = &total, &metered, &status, &at, st.IssuedBy
	}
	return h
}

// projected gives prices for the rest of a month that is running: forecasts
// where they reach, and beyond them the mean of the same hour of the last week.
type projected struct {
	tariff.Prices
	d   *Desk
	loc *time.Location
}

// At implements tariff.Prices.
func (p projected) At(series string, t time.Time) (tariff.Quote, bool) {
	if q, ok := p.Prices.At(series, t); ok || !t.After(p.d.Now()) {
		return q, ok
	}
	s, ok := p.d.series[series]
	if !ok {
		return tariff.Quote{}, false
	}
	local, now := t.In(p.loc), p.d.Now().In(p.loc)
	var sum, n int64
	for back := 1; back <= 7; back++ {
		at := time.Date(now.Year(), now.Month(), now.Day()-back, local.Hour(), local.Minute(), 0, 0, p.loc)
		if q, ok := p.d.book.At(series, at); ok {
			sum, n = sum+q.Price.Micro, n+1
		}
	}
	if n == 0 {
		return tariff.Quote{}, false
	}
	return tariff.Quote{Start: t.Truncate(s.Interval), Length: s.Interval, Price: unit.EnergyPrice{Micro: sum / n, Currency: s.Currency}, Status: tariff.Expected,
		Source: series + ", the mean of the same hour of the last week"}, true
}
