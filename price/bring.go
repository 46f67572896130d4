package price

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"time"

	"ballast/ledger"
	"ballast/tariff"
	"ballast/tariff/metering"
	"ballast/unit"
)

// Brought is a file that somebody brings: what was understood of it and what it
// would change, or did.
type Brought struct {
	Site     string             `json:"site"`
	Kind     string             `json:"kind" enum:"utility-meter,award"`
	Name     string             `json:"name" doc:"Of the file."`
	File     *metering.File     `json:"file"`
	Seen     int64              `json:"seen" doc:"The newest import that this looked at; the import takes it."`
	Added    int                `json:"added" doc:"Intervals of which nothing was known."`
	Changed  int                `json:"changed" doc:"Intervals that are known otherwise: these are revised."`
	Same     int                `json:"same"`
	Months   []Against          `json:"months" doc:"Month by month as it would stand, beside the site's own meter."`
	Warnings []string           `json:"warnings" doc:"What to look at before importing it."`
	Import   *ledger.SiteImport `json:"import,omitempty" doc:"Once it is imported."`
	values   []ledger.SiteValue
}

// Against is a month of the utility's meter beside the site's own.
type Against struct {
	Month     tariff.Month `json:"month"`
	Utility   float64      `json:"utility_mwh" doc:"All that the utility has of the month."`
	Hours     float64      `json:"utility_h" doc:"Of the month that the utility has."`
	MonthH    float64      `json:"month_h" doc:"Of the month, as far as it is over."`
	Estimated float64      `json:"estimated_h" doc:"Of these, estimates of the utility's."`
	Both      float64      `json:"both_h" doc:"Hours that both have: these are compared."`
	Theirs    float64      `json:"both_utility_mwh"`
	Ours      float64      `json:"both_own_mwh"`
	Diff      float64      `json:"diff_mwh" doc:"Utility less own."`
	DiffPct   *float64     `json:"diff_pct,omitempty" doc:"Of our own; missing when there is nothing to compare."`
}

// How a person's file is read: zone "" is that of the site's contract.
func (d *Desk) zoneFor(ctx context.Context, site, name string) (*time.Location, error) {
	if name != "" {
		zone, err := time.LoadLocation(name)
		if err != nil {
			return nil, fmt.Errorf("%w: there is no time zone %q", ledger.ErrInvalid, name)
		}
		return zone, nil
	}
	all, err := d.Contracts(ctx)
	if err != nil {
		return nil, err
	}
	var zone *time.Location
	for _, c := range all {
		if c.Site != site || c.Parsed == nil {
			continue
		}
		if zone == nil {
			zone = c.Parsed.Location()
		}
		if _, ok := c.Parsed.VersionAt(d.Now()); ok {
			return c.Parsed.Location(), nil
		}
	}
	if zone == nil {
		return nil, fmt.Errorf("%w: %s has no contract that says its time zone: name one", ledger.ErrInvalid, site)
	}
	return zone, nil
}

// Weigh reads a file and works out what it would change; nothing is written.
func (d *Desk) Weigh(ctx context.Context, site, kind, name string, data []byte, zone string, how metering.How) (*Brought, error) {
	var err error
	if how.Zone, err = d.zoneFor(ctx, site, zone); err != nil {
		return nil, err
	}
	read := metering.ReadMeter
	if kind == ledger.Award {
		read = metering.ReadAwards
	}
	file, err := read(data, how)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ledger.ErrInvalid, err)
	}
	return d.weigh(ctx, site, kind, name, file, how.Zone)
}

// Positions are day-ahead positions that were entered, by the start of the hour.
func (d *Desk) Positions(ctx context.Context, site string, positions []metering.Reading) (*Brought, error) {
	zone, err := d.zoneFor(ctx, site, "")
	if err != nil {
		return nil, err
	}
	file, err := metering.Given(positions, zone)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ledger.ErrInvalid, err)
	}
	return d.weigh(ctx, site, ledger.Award, "entered", file, zone)
}

func (d *Desk) weigh(ctx context.Context, site, kind, name string, file *metering.File, zone *time.Location) (*Brought, error) {
	b := &Brought{Site: site, Kind: kind, Name: name, File: file, Months: []Against{}, Warnings: []string{}}
	imports, err := d.Record.SiteImports(ctx, site, kind)
	if err != nil {
		return nil, err
	}
	if len(imports) > 0 {
		b.Seen = imports[0].ID
	}
	if len(file.Problems) > 0 || len(file.Readings) == 0 {
		return b, nil
	}
	from, to := file.Readings[0].Start, file.Readings[0].End()
	for _, r := range file.Readings {
		b.values = append(b.values, ledger.SiteValue{Import: math.MaxInt32, Name: r.Meter, Start: r.Start, Length: r.Length, Value: r.Value, Estimated: r.Estimated})
		if r.Start.Before(from) {
			from = r.Start
		}
		if r.End().After(to) {
			to = r.End()
		}
	}
	now := d.Now()
	if kind == ledger.UtilityMeter && to.After(now.Add(time.Hour)) {
		file.Problems = append(file.Problems, metering.Problem{What: fmt.Sprintf("it has readings up to %s, which is to come", to.In(zone).Format("2006-01-02 15:04")), Do: "see how its dates and times were read", Field: "dates"})
		return b, nil
	}
	known, err := d.Record.SiteValues(ctx, site, kind, from, to)
	if err != nil {
		return nil, err
	}
	b.differences(newest(known))
	if kind != ledger.UtilityMeter {
		return b, nil
	}
	meters, err := d.Record.SiteMeters(ctx, site, kind)
	if err != nil {
		return nil, err
	}
	after := b.meters(meters)
	first, last := tariff.MonthOf(from.In(zone)), tariff.MonthOf(to.Add(-time.Second).In(zone))
	if last.Since(first) > 36 {
		first = last.Add(-36)
	}
	a, _ := first.Span(zone)
	_, z := last.Span(zone)
	if known, err = d.Record.SiteValues(ctx, site, kind, a, z); err != nil {
		return nil, err
	}
	merged := newest(append(known, b.values...))
	if b.Months, err = d.against(ctx, site, zone, summed(merged, after), a, z); err != nil {
		return nil, err
	}
	b.warn(merged, meters, after, zone, first, last)
	return b, nil
}

// differences counts what is new, otherwise, and the same.
func (b *Brought) differences(known []ledger.SiteValue) {
	type key struct {
		name string
		at   int64
	}
	have := map[key]ledger.SiteValue{}
	covered := map[key]bool{}
	for _, v := range known {
		have[key{v.Name, v.Start.Unix()}] = v
		for at := v.Start; at.Before(v.Start.Add(v.Length)); at = at.Add(grain) {
			covered[key{v.Name, at.Unix()}] = true
		}
	}
	for _, v := range b.values {
		was, ok := have[key{v.Name, v.Start.Unix()}]
		over := false
		for at := v.Start; at.Before(v.Start.Add(v.Length)); at = at.Add(grain) {
			over = over || covered[key{v.Name, at.Unix()}]
		}
		switch {
		case ok && was.Length == v.Length && was.Value == v.Value && was.Estimated == v.Estimated:
			b.Same++
		case over:
			b.Changed++
		default:
			b.Added++
		}
	}
}

// meters are a site's meters as they would be with the file.
func (b *Brought) meters(known []ledger.SiteMeter) []ledger.SiteMeter {
	out := slices.Clone(known)
	for _, m := range b.File.Meters {
		i := slices.IndexFunc(out, func(k ledger.SiteMeter) bool { return k.Name == m.Name })
		if i < 0 {
			out = append(out, ledger.SiteMeter{Name: m.Name, First: m.From, Last: m.To})
			continue
		}
		if m.From.Before(out[i].First) {
			out[i].First = m.From
		}
		if m.To.After(out[i].Last) {
			out[i].Last = m.To
		}
	}
	return out
}

// warn says what a person should look at.
func (b *Brought) warn(merged []ledger.SiteValue, before, after []ledger.SiteMeter, zone *time.Location, first, last tariff.Month) {
	say := func(format string, args ...any) { b.Warnings = append(b.Warnings, fmt.Sprintf(format, args...)) }
	if len(before) > 0 {
		for _, m := range after[len(before):] {
			say("meter %s is new to this site, and is added to the others", m.Name)
		}
	}
	for month := first; month.Since(last) <= 0; month = month.Add(1) {
		from, to := month.Span(zone)
		for _, m := range after {
			if !m.First.Before(to) || !m.Ended.IsZero() && !m.Ended.After(from) {
				continue
			}
			if !slices.ContainsFunc(merged, func(v ledger.SiteValue) bool {
				return v.Name == m.Name && !v.Start.Before(from) && v.Start.Before(to)
			}) {
				say("%s has no reading of meter %s: the site's own meter settles that month until there is one, or until the meter is marked as taken out", month, m.Name)
			}
		}
	}
	for _, a := range b.Months {
		if a.DiffPct != nil && math.Abs(*a.DiffPct) > 10 {
			say("%s differs from the site's own meter by %.0f %%: see whether unit, clock and meters are right", a.Month, *a.DiffPct)
		}
	}
	if b.File.Missing > 0 {
		say("%d intervals are missing between others: the site's own meter stands in", b.File.Missing)
	}
}

// Bring imports what Weigh found: all of it or nothing.
func (d *Desk) Bring(ctx context.Context, b *Brought, data []byte, seen int64, by ledger.Audit) error {
	if len(b.File.Problems) > 0 {
		return fmt.Errorf("%w: %s", ledger.ErrInvalid, b.File.Problems[0])
	}
	if b.Added+b.Changed == 0 {
		return fmt.Errorf("%w: all of it is known already", ledger.ErrConflict)
	}
	sum := sha256.Sum256(data)
	i := ledger.SiteImport{Site: b.Site, Kind: b.Kind, File: b.Name, Digest: hex.EncodeToString(sum[:]), Format: b.File.Format, Added: b.Added, Changed: b.Changed, Same: b.Same}
	i, err := d.Record.AddSiteImport(ctx, i, b.values, seen, by)
	if err != nil {
		return err
	}
	b.Import = &i
	return nil
}

// UtilityMonths are the months of a site that the utility's meters have, newest
// first, beside its own meter: at most so many back.
func (d *Desk) UtilityMonths(ctx context.Context, site string, months int) ([]Against, string, error) {
	zone, err := d.zoneFor(ctx, site, "")
	if err != nil {
		zone = time.UTC // a site whose contract was removed
	}
	this := tariff.MonthOf(d.Now().In(zone))
	from, _ := this.Add(1 - months).Span(zone)
	_, to := this.Span(zone)
	list, _, err := d.utility(ctx, site, from, to)
	if err != nil {
		return nil, "", err
	}
	out, err := d.against(ctx, site, zone, list, from, to)
	slices.Reverse(out)
	return out, zone.String(), err
}

// against lays the utility's intervals beside the site's own quarters, by month.
func (d *Desk) against(ctx context.Context, site string, zone *time.Location, utility []tariff.Interval, from, to time.Time) ([]Against, error) {
	out := []Against{}
	if len(utility) == 0 {
		return out, nil
	}
	mine, err := d.own(ctx, site, from, to)
	if err != nil {
		return nil, err
	}
	ours := map[int64]unit.Energy{}
	for _, i := range mine.Intervals {
		ours[i.Start.Unix()] = i.Energy.Or(0)
	}
	by := map[tariff.Month]*Against{}
	type part struct {
		energy unit.Energy
		length time.Duration
	}
	parts := map[int64]part{} // of quarters that the utility has in parts
	compare := func(a *Against, energy unit.Energy, start time.Time, length time.Duration) {
		var own unit.Energy
		for q := start; q.Before(start.Add(length)); q = q.Add(quarter) {
			e, ok := ours[q.Unix()]
			if !ok {
				return
			}
			own += e
		}
		a.Both += length.Hours()
		a.Theirs += energy.MWh()
		a.Ours += own.MWh()
	}
	now := d.Now()
	for _, i := range utility {
		month := tariff.MonthOf(i.Start.In(zone))
		a := by[month]
		if a == nil {
			a = &Against{Month: month}
			begin, end := month.Span(zone)
			if end.After(now) {
				end = now
			}
			a.MonthH = math.Round(max(end.Sub(begin).Hours(), 0)*4) / 4
			by[month] = a
		}
		e := i.Energy.Or(0)
		a.Utility += e.MWh()
		a.Hours += i.Length.Hours()
		if i.Estimated {
			a.Estimated += i.Length.Hours()
		}
		if i.Length%quarter == 0 && i.Start.Equal(i.Start.Truncate(quarter)) {
			compare(a, e, i.Start, i.Length)
			continue
		}
		q := i.Start.Truncate(quarter)
		p := parts[q.Unix()]
		p.energy, p.length = p.energy+e, p.length+i.Length
		if parts[q.Unix()] = p; p.length == quarter {
			compare(a, p.energy, q, quarter)
		}
	}
	for _, a := range by {
		a.Diff = a.Theirs - a.Ours
		if a.Ours > 0 {
			pct := 100 * a.Diff / a.Ours
			a.DiffPct = &pct
		}
		out = append(out, *a)
	}
	slices.SortFunc(out, func(a, b Against) int { return a.Month.Since(b.Month) })
	return out, nil
}
