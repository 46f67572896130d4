package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"ballast/ledger"
)

const importColumns = "id, site, kind, file, digest, format, from_s, to_s, added, changed, same, actor, at, withdrawn_by, withdrawn_at"

func scanImport(rows *sql.Rows) (i ledger.SiteImport, err error) {
	var from, to, at, withdrawn int64
	err = rows.Scan(&i.ID, &i.Site, &i.Kind, &i.File, &i.Digest, &i.Format, &from, &to, &i.Added, &i.Changed, &i.Same, &i.Actor, &at, &i.WithdrawnBy, &withdrawn)
	i.From, i.To, i.At, i.WithdrawnAt = time.Unix(from, 0).UTC(), time.Unix(to, 0).UTC(), moment(at), moment(withdrawn)
	return i, err
}

func importDetail(i ledger.SiteImport) string {
	return jsonText(map[string]any{"site": i.Site, "kind": i.Kind, "file": i.File, "digest": i.Digest, "from": i.From, "to": i.To, "added": i.Added, "changed": i.Changed, "same": i.Same})
}

// AddSiteImport implements ledger.SiteImports.
func (s *Store) AddSiteImport(ctx context.Context, i ledger.SiteImport, values []ledger.SiteValue, seen int64, by ledger.Audit) (ledger.SiteImport, error) {
	i, err := i.Normal(values)
	if err != nil {
		return i, err
	}
	err = s.change(ctx, func(t *txn) (err error) {
		// The counter's row is a lock: two imports do not both see the same newest.
		if i.ID, err = t.bump(ctx, "site import", 1); err != nil {
			return err
		}
		var newest int64
		if err := t.QueryRowContext(ctx, "SELECT COALESCE(MAX(id), 0) FROM site_imports WHERE site = $1 AND kind = $2", i.Site, i.Kind).Scan(&newest); err != nil {
			return fmt.Errorf("looking for other imports: %w", err)
		}
		if newest != seen {
			return fmt.Errorf("importing for %s: %w: import %d is newer than what was looked at", i.Site, ledger.ErrStale, newest)
		}
		i.Actor, i.At, i.WithdrawnBy, i.WithdrawnAt = by.Actor, t.now(), "", time.Time{}
		_, err = t.exec(ctx, "INSERT INTO site_imports ("+importColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
			i.ID, i.Site, i.Kind, i.File, i.Digest, i.Format, i.From.Unix(), i.To.Unix(), i.Added, i.Changed, i.Same, i.Actor, micros(i.At), "", 0)
		if err != nil {
			return fmt.Errorf("writing an import: %w", err)
		}
		rows := make([][]any, len(values))
		for n, v := range values {
			rows[n] = []any{i.ID, v.Start.Unix(), v.Name, int64(v.Length / time.Second), v.Value, number(v.Estimated)}
		}
		if err := t.bulk(ctx, "INSERT INTO site_values (import, start_s, name, length_s, value, estimated)", 6, "", rows); err != nil {
			if t.e.dialect.Classify(err) == Unique {
				return fmt.Errorf("import: %w: two values of one interval", ledger.ErrInvalid)
			}
			return fmt.Errorf("writing the values of an import: %w", err)
		}
		if err := t.bulk(ctx, "INSERT INTO site_import_meters (import, name, first_s, last_s)", 4, "", spans(i.ID, values)); err != nil {
			return fmt.Errorf("writing the meters of an import: %w", err)
		}
		return t.audit(by.Or(i.Kind+".import", fmt.Sprintf("import/%d", i.ID), importDetail(i)))
	})
	return i, err
}

// spans are the rows that say from when to when an import has each meter.
func spans(id int64, values []ledger.SiteValue) [][]any {
	at := map[string]int{}
	var out [][]any
	for _, v := range values {
		first, last := v.Start.Unix(), v.Start.Add(v.Length).Unix()
		n, ok := at[v.Name]
		if !ok {
			at[v.Name] = len(out)
			out = append(out, []any{id, v.Name, first, last})
			continue
		}
		out[n][2], out[n][3] = min(out[n][2].(int64), first), max(out[n][3].(int64), last)
	}
	return out
}

// WithdrawSiteImport implements ledger.SiteImports.
func (s *Store) WithdrawSiteImport(ctx context.Context, id int64, by ledger.Audit) error {
	return s.change(ctx, func(t *txn) error {
		found, err := query(ctx, t, scanImport, "SELECT "+importColumns+" FROM site_imports WHERE id = $1"+t.e.dialect.Lock, id)
		if err != nil {
			return fmt.Errorf("reading an import: %w", err)
		}
		switch {
		case len(found) == 0:
			return notFound("import", id, ledger.ErrNotFound)
		case !found[0].WithdrawnAt.IsZero():
			return fmt.Errorf("import %d: %w: it was withdrawn already", id, ledger.ErrConflict)
		}
		if _, err := t.exec(ctx, "UPDATE site_imports SET withdrawn_by = $1, withdrawn_at = $2 WHERE id = $3", by.Actor, micros(t.now()), id); err != nil {
			return fmt.Errorf("withdrawing an import: %w", err)
		}
		return t.audit(by.Or(found[0].Kind+".withdraw", fmt.Sprintf("import/%d", id), importDetail(found[0])))
	})
}

// SiteImport implements ledger.SiteImports.
func (s *Store) SiteImport(ctx context.Context, id int64) (ledger.SiteImport, error) {
	out, err := query(ctx, s.reader(), scanImport, "SELECT "+importColumns+" FROM site_imports WHERE id = $1", id)
	if err != nil {
		return ledger.SiteImport{}, fmt.Errorf("reading an import: %w", err)
	}
	if len(out) == 0 {
		return ledger.SiteImport{}, notFound("import", id, ledger.ErrNotFound)
	}
	return out[0], nil
}

// SiteImports implements ledger.SiteImports.
func (s *Store) SiteImports(ctx context.Context, site, kind string) ([]ledger.SiteImport, error) {
	out, err := query(ctx, s.reader(), scanImport, "SELECT "+importColumns+" FROM site_imports WHERE site = $1 AND kind = $2 ORDER BY id DESC", site, kind)
	if err != nil {
		return nil, fmt.Errorf("reading imports: %w", err)
	}
	return out, nil
}

// SiteValues implements ledger.SiteImports.
func (s *Store) SiteValues(ctx context.Context, site, kind string, from, to time.Time) ([]ledger.SiteValue, error) {
	const longest = 3600 // of a value
	out, err := query(ctx, s.reader(), func(rows *sql.Rows) (v ledger.SiteValue, err error) {
		var start, length, estimated int64
		err = rows.Scan(&v.Import, &v.Name, &start, &length, &v.Value, &estimated)
		v.Start, v.Length, v.Estimated = time.Unix(start, 0).UTC(), time.Duration(length)*time.Second, estimated != 0
		return v, err
	}, "SELECT v.import, v.name, v.start_s, v.length_s, v.value, v.estimated FROM site_imports i JOIN site_values v ON v.import = i.id "+
		"WHERE i.site = $1 AND i.kind = $2 AND i.withdrawn_at = 0 AND v.start_s >= $3 AND v.start_s < $4 AND v.start_s + v.length_s > $5 ORDER BY v.import, v.start_s, v.name",
		site, kind, from.Unix()-longest, to.Unix(), from.Unix())
	if err != nil {
		return nil, fmt.Errorf("reading imported values: %w", err)
	}
	return out, nil
}

// SiteMeters implements ledger.SiteImports.
func (s *Store) SiteMeters(ctx context.Context, site, kind string) ([]ledger.SiteMeter, error) {
	out, err := query(ctx, s.reader(), func(rows *sql.Rows) (m ledger.SiteMeter, err error) {
		var first, last, ended int64
		err = rows.Scan(&m.Name, &first, &last, &ended)
		m.First, m.Last = time.Unix(first, 0).UTC(), time.Unix(last, 0).UTC()
		if ended != 0 {
			m.Ended = time.Unix(ended, 0).UTC()
		}
		return m, err
	}, "SELECT v.name, MIN(v.first_s), MAX(v.last_s), COALESCE(MAX(e.ended_s), 0) FROM site_imports i JOIN site_import_meters v ON v.import = i.id "+
		"LEFT JOIN site_meter_ends e ON e.site = i.site AND e.name = v.name WHERE i.site = $1 AND i.kind = $2 AND i.withdrawn_at = 0 GROUP BY v.name ORDER BY v.name", site, kind)
	if err != nil {
		return nil, fmt.Errorf("reading imported meters: %w", err)
	}
	return out, nil
}

// EndSiteMeter implements ledger.SiteImports.
func (s *Store) EndSiteMeter(ctx context.Context, site, name string, at time.Time, by ledger.Audit) error {
	return s.change(ctx, func(t *txn) error {
		var there int
		err := t.QueryRowContext(ctx, "SELECT count(*) FROM site_imports i JOIN site_import_meters v ON v.import = i.id WHERE i.site = $1 AND i.kind = $2 AND v.name = $3", site, ledger.UtilityMeter, name).Scan(&there)
		if err != nil {
			return fmt.Errorf("looking for a meter: %w", err)
		}
		if there == 0 {
			return fmt.Errorf("meter %s of %s: %w", ledger.Clean(name, 100), site, ledger.ErrNotFound)
		}
		if _, err := t.exec(ctx, "DELETE FROM site_meter_ends WHERE site = $1 AND name = $2", site, name); err != nil {
			return fmt.Errorf("writing the end of a meter: %w", err)
		}
		if !at.IsZero() {
			if _, err := t.exec(ctx, "INSERT INTO site_meter_ends (site, name, ended_s, actor, at) VALUES ($1, $2, $3, $4, $5)", site, name, at.Unix(), by.Actor, micros(t.now())); err != nil {
				return fmt.Errorf("writing the end of a meter: %w", err)
			}
		}
		return t.audit(by.Or("utility-meter.end", "site/"+site, jsonText(map[string]any{"meter": name, "ended": at})))
	})
}
