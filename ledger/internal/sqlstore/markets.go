package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"ballast/ledger"
)

// KeepMarketValues implements ledger.PowerPrices.
func (s *Store) KeepMarketValues(ctx context.Context, vs []ledger.MarketValue) error {
	if len(vs) == 0 {
		return nil
	}
	names := map[string]int64{}
	for _, v := range vs {
		if v.Series == "" || v.Start.IsZero() || v.Length < time.Second || v.Received.IsZero() {
			return fmt.Errorf("market value of %q: %w: series, start, length and time of receipt must be given", v.Series, ledger.ErrInvalid)
		}
		names[ledger.Clean(v.Series, 200)] = 0
	}
	return s.change(ctx, func(t *txn) error {
		// The counter's row is a lock: two writers do not both find a series new.
		last, err := t.bump(ctx, "market value", len(vs))
		if err != nil {
			return err
		}
		if err := t.marketSeries(ctx, names); err != nil {
			return err
		}
		rows := make([][]any, len(vs))
		for i, v := range vs {
			rows[i] = []any{last - int64(len(vs)) + int64(i) + 1, names[ledger.Clean(v.Series, 200)], v.Start.Unix(), int64(v.Length / time.Second), v.Micro, micros(v.Published), micros(v.Received)}
		}
		if err := t.bulk(ctx, "INSERT INTO market_values (id, series, start_s, length_s, micro, published, received)", 7, "", rows); err != nil {
			return fmt.Errorf("writing market values: %w", err)
		}
		return nil
	})
}

// marketSeries gives each name its number, new ones too.
func (t *txn) marketSeries(ctx context.Context, names map[string]int64) error {
	type series struct {
		id   int64
		name string
	}
	known, err := query(ctx, t, func(rows *sql.Rows) (k series, err error) { return k, rows.Scan(&k.id, &k.name) }, "SELECT id, name FROM market_series")
	if err != nil {
		return fmt.Errorf("reading market series: %w", err)
	}
	have := map[string]int64{}
	for _, k := range known {
		have[k.name] = k.id
	}
	var fresh []string
	for name := range names {
		if names[name] = have[name]; names[name] == 0 {
			fresh = append(fresh, name)
		}
	}
	slices.Sort(fresh)
	for _, name := range fresh {
		id, err := t.bump(ctx, "market_series", 1)
		if err != nil {
			return err
		}
		if _, err := t.exec(ctx, "INSERT INTO market_series (id, name) VALUES ($1, $2)", id, name); err != nil {
			return fmt.Errorf("writing market series %s: %w", name, err)
		}
		names[name] = id
	}
	return nil
}

// WalkMarketValues implements ledger.PowerPrices.
func (s *Store) WalkMarketValues(ctx context.Context, each func(ledger.MarketValue) error) error {
	rows, err := s.reader().QueryContext(ctx, "SELECT s.name, v.start_s, v.length_s, v.micro, v.published, v.received FROM market_values v JOIN market_series s ON s.id = v.series ORDER BY v.id")
	if err != nil {
		return fmt.Errorf("reading market values: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var v ledger.MarketValue
		var start, length, published, received int64
		if err := rows.Scan(&v.Series, &start, &length, &v.Micro, &published, &received); err != nil {
			return fmt.Errorf("reading market values: %w", err)
		}
		v.Start, v.Length, v.Published, v.Received = time.Unix(start, 0).UTC(), time.Duration(length)*time.Second, moment(published), moment(received)
		if err := each(v); err != nil {
			return err
		}
	}
	return rows.Err()
}
