package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"ballast/ledger"
)

// BeginScan implements ledger.Discovery.
func (s *Store) BeginScan(ctx context.Context, sc ledger.Scan, by ledger.Audit) (id int64, err error) {
	err = s.change(ctx, func(t *txn) error {
		if id, err = t.bump(ctx, "scan", 1); err != nil {
			return err
		}
		_, err := t.exec(ctx, "INSERT INTO scans (id, site, ranges, actor, started_at, ended_at, ended, detail, report) VALUES ($1, $2, $3, $4, $5, 0, '', '', 'null')",
			id, ledger.Clean(sc.Site, 0), jsonText(sc.Ranges), ledger.Clean(by.Actor, 0), micros(t.now()))
		if err != nil {
			return fmt.Errorf("writing scan %d: %w", id, err)
		}
		return t.audit(by.Or("scan.start", "site/"+sc.Site, jsonText(map[string]any{"scan": id, "ranges": sc.Ranges})))
	})
	return id, err
}

// EndScan implements ledger.Discovery.
func (s *Store) EndScan(ctx context.Context, sc ledger.Scan) error {
	report := sc.Report
	if len(report) == 0 {
		report = json.RawMessage("null")
	}
	if !json.Valid(report) || sc.End == "" {
		return fmt.Errorf("scan %d: %w: its report is no JSON, or it has no end", sc.ID, ledger.ErrInvalid)
	}
	return s.change(ctx, func(t *txn) error {
		n, err := t.exec(ctx, "UPDATE scans SET ended_at = $1, ended = $2, detail = $3, report = $4 WHERE id = $5 AND ended = ''",
			micros(t.now()), string(sc.End), ledger.Clean(sc.Detail, 500), string(report), sc.ID)
		if err != nil {
			return fmt.Errorf("ending scan %d: %w", sc.ID, err)
		}
		if n > 0 {
			return nil
		}
		var one int
		if err := t.QueryRowContext(ctx, "SELECT count(*) FROM scans WHERE id = $1", sc.ID).Scan(&one); err != nil {
			return fmt.Errorf("looking for scan %d: %w", sc.ID, err)
		}
		if one == 0 {
			return notFound("scan", sc.ID, ledger.ErrNotFound)
		}
		return fmt.Errorf("scan %d: %w: it has ended", sc.ID, ledger.ErrConflict)
	})
}

// CutOffScans implements ledger.Discovery.
func (s *Store) CutOffScans(ctx context.Context) error {
	return s.change(ctx, func(t *txn) error {
		_, err := t.exec(ctx, "UPDATE scans SET ended_at = $1, ended = $2 WHERE ended = ''", micros(t.now()), string(ledger.ScanCutOff))
		if err != nil {
			return fmt.Errorf("ending scans that were cut off: %w", err)
		}
		return nil
	})
}

const scanColumns = "SELECT id, site, ranges, actor, started_at, ended_at, ended, detail, report FROM scans"

func scanScan(rows *sql.Rows) (x ledger.Scan, err error) {
	var ranges, report string
	var started, ended int64
	if err = rows.Scan(&x.ID, &x.Site, &ranges, &x.Actor, &started, &ended, &x.End, &x.Detail, &report); err != nil {
		return x, err
	}
	x.Started, x.Ended, x.Report = moment(started), moment(ended), json.RawMessage(report)
	if err = json.Unmarshal([]byte(ranges), &x.Ranges); err != nil {
		return x, fmt.Errorf("ranges of scan %d: %w", x.ID, err)
	}
	return x, nil
}

// Scans implements ledger.Discovery.
func (s *Store) Scans(ctx context.Context, f ledger.ScanFilter) ([]ledger.Scan, error) {
	var w where
	if f.Site != "" {
		w.and("site = ?", f.Site)
	}
	if f.Before > 0 {
		w.and("id < ?", f.Before)
	}
	out, err := query(ctx, s.reader(), scanScan, scanColumns+w.sql("id DESC", f.Limit), w.args...)
	if err != nil {
		return nil, fmt.Errorf("reading scans: %w", err)
	}
	return out, nil
}

// Scan implements ledger.Discovery.
func (s *Store) Scan(ctx context.Context, id int64) (ledger.Scan, error) {
	out, err := query(ctx, s.reader(), scanScan, scanColumns+" WHERE id = $1", id)
	if err != nil {
		return ledger.Scan{}, fmt.Errorf("reading scan %d: %w", id, err)
	}
	if len(out) == 0 {
		return ledger.Scan{}, notFound("scan", id, ledger.ErrNotFound)
	}
	return out[0], nil
}
