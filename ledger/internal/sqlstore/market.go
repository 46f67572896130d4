package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"ballast/ledger"
)

func numeral(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// SaveMarketPoints implements ledger.Market.
func (s *Store) SaveMarketPoints(ctx context.Context, ps []ledger.MarketPoint) error {
	rows := make([][]any, 0, len(ps))
	seen := map[string]int{}
	for _, p := range ps {
		if p.Series == "" || p.At.IsZero() || math.IsNaN(p.Value) || math.IsInf(p.Value, 0) {
			return fmt.Errorf("market point of %q: %w: series, time and a number must be given", p.Series, ledger.ErrInvalid)
		}
		row := []any{p.Series, micros(p.At), numeral(p.Value), ledger.Clean(p.Source, 400)}
		// PostgreSQL refuses one row twice in a statement; the last one counts.
		key := p.Series + "\x00" + strconv.FormatInt(micros(p.At), 10)
		if i, ok := seen[key]; ok {
			rows[i] = row
			continue
		}
		seen[key] = len(rows)
		rows = append(rows, row)
	}
	return s.change(ctx, func(t *txn) error {
		if err := t.bulk(ctx, "INSERT INTO market_points (series, at, value, source)", 4, "ON CONFLICT (series, at) DO UPDATE SET value = excluded.value, source = excluded.source", rows); err != nil {
			return fmt.Errorf("writing market points: %w", err)
		}
		return nil
	})
}

// MarketPoints implements ledger.Market.
func (s *Store) MarketPoints(ctx context.Context, series string, from, to time.Time, step time.Duration) ([]ledger.MarketPoint, error) {
	text := "SELECT series, at, value, source FROM market_points WHERE series = $1 AND at >= $2 AND at < $3"
	args := []any{series, micros(from), micros(to)}
	if us := step.Microseconds(); us > 0 {
		text += " AND at IN (SELECT MAX(at) FROM market_points WHERE series = $1 AND at >= $2 AND at < $3 GROUP BY at / $4)"
		args = append(args, us)
	}
	out, err := query(ctx, s.reader(), func(rows *sql.Rows) (p ledger.MarketPoint, err error) {
		var at int64
		var value string
		if err := rows.Scan(&p.Series, &at, &value, &p.Source); err != nil {
			return p, err
		}
		p.At = moment(at)
		p.Value, err = strconv.ParseFloat(value, 64)
		return p, err
	}, text+" ORDER BY at", args...)
	if err != nil {
		return nil, fmt.Errorf("reading market points: %w", err)
	}
	return out, nil
}

// SaveMarketBlocks implements ledger.Market.
func (s *Store) SaveMarketBlocks(ctx context.Context, bs []ledger.MarketBlock, keep int64) error {
	rows := make([][]any, 0, len(bs))
	for _, b := range bs {
		if b.Source == "" || b.Height < 0 || !json.Valid(b.Body) {
			return fmt.Errorf("block %d: %w: source, height and JSON must be given", b.Height, ledger.ErrInvalid)
		}
		rows = append(rows, []any{b.Source, b.Height, string(b.Body)})
	}
	if len(rows) == 0 {
		return nil
	}
	return s.change(ctx, func(t *txn) error {
		if err := t.bulk(ctx, "INSERT INTO market_blocks (source, height, body)", 3, "ON CONFLICT (source, height) DO UPDATE SET body = excluded.body", rows); err != nil {
			return fmt.Errorf("writing blocks: %w", err)
		}
		top := bs[len(bs)-1]
		if _, err := t.exec(ctx, "DELETE FROM market_blocks WHERE source = $1 AND (height < $2 OR height > $3)", top.Source, keep, top.Height); err != nil {
			return fmt.Errorf("forgetting old blocks: %w", err)
		}
		return nil
	})
}

// MarketBlocks implements ledger.Market.
func (s *Store) MarketBlocks(ctx context.Context, source string) ([]ledger.MarketBlock, error) {
	out, err := query(ctx, s.reader(), func(rows *sql.Rows) (b ledger.MarketBlock, err error) {
		var body string
		err = rows.Scan(&b.Source, &b.Height, &body)
		b.Body = json.RawMessage(body)
		return b, err
	}, "SELECT source, height, body FROM market_blocks WHERE source = $1 ORDER BY height", source)
	if err != nil {
		return nil, fmt.Errorf("reading blocks: %w", err)
	}
	return out, nil
}

// SaveMarketEpochs implements ledger.Market.
func (s *Store) SaveMarketEpochs(ctx context.Context, es []ledger.MarketEpoch) error {
	rows := make([][]any, 0, len(es))
	seen := map[int]int{}
	for _, e := range es {
		if e.Number < 0 || e.At.IsZero() || e.Bits == 0 {
			return fmt.Errorf("epoch %d: %w: number, time and target must be given", e.Number, ledger.ErrInvalid)
		}
		row := []any{e.Number, micros(e.At), int64(e.Bits), ledger.Clean(e.Source, 400)}
		if i, ok := seen[e.Number]; ok {
			rows[i] = row
			continue
		}
		seen[e.Number] = len(rows)
		rows = append(rows, row)
	}
	return s.change(ctx, func(t *txn) error {
		if err := t.bulk(ctx, "INSERT INTO market_epochs (number, at, bits, source)", 4, "ON CONFLICT (number) DO UPDATE SET at = excluded.at, bits = excluded.bits, source = excluded.source", rows); err != nil {
			return fmt.Errorf("writing epochs: %w", err)
		}
		return nil
	})
}

// MarketEpochs implements ledger.Market.
func (s *Store) MarketEpochs(ctx context.Context) ([]ledger.MarketEpoch, error) {
	out, err := query(ctx, s.reader(), func(rows *sql.Rows) (e ledger.MarketEpoch, err error) {
		var at, bits int64
		err = rows.Scan(&e.Number, &at, &bits, &e.Source)
		e.At, e.Bits = moment(at), uint32(bits)
		return e, err
	}, "SELECT number, at, bits, source FROM market_epochs ORDER BY number")
	if err != nil {
		return nil, fmt.Errorf("reading epochs: %w", err)
	}
	return out, nil
}

// AddMarketEntry implements ledger.Market.
func (s *Store) AddMarketEntry(ctx context.Context, e ledger.MarketEntry, by ledger.Audit) (ledger.MarketEntry, error) {
	e, err := e.Normal()
	if err != nil {
		return e, err
	}
	err = s.change(ctx, func(t *txn) (err error) {
		if e.ID, err = t.bump(ctx, "market entry", 1); err != nil {
			return err
		}
		e.Actor, e.EnteredAt, e.WithdrawnBy, e.WithdrawnAt = by.Actor, t.now(), "", time.Time{}
		_, err = t.exec(ctx, "INSERT INTO market_entries (id, series, value, at, source, actor, entered_at, withdrawn_by, withdrawn_at) VALUES ($1, $2, $3, $4, $5, $6, $7, '', 0)",
			e.ID, e.Series, numeral(e.Value), micros(e.At), e.Source, e.Actor, micros(e.EnteredAt))
		if err != nil {
			return fmt.Errorf("writing a market entry: %w", err)
		}
		return t.audit(by.Or("market.enter", fmt.Sprintf("market-entry/%d", e.ID), jsonText(e)))
	})
	return e, err
}

// WithdrawMarketEntry implements ledger.Market.
func (s *Store) WithdrawMarketEntry(ctx context.Context, id int64, by ledger.Audit) error {
	return s.change(ctx, func(t *txn) error {
		n, err := t.exec(ctx, "UPDATE market_entries SET withdrawn_by = $1, withdrawn_at = $2 WHERE id = $3 AND withdrawn_at = 0", by.Actor, micros(t.now()), id)
		if err != nil {
			return fmt.Errorf("withdrawing a market entry: %w", err)
		}
		if n == 0 {
			var there int
			if err := t.QueryRowContext(ctx, "SELECT COUNT(*) FROM market_entries WHERE id = $1", id).Scan(&there); err != nil {
				return fmt.Errorf("reading a market entry: %w", err)
			}
			if there > 0 {
				return notFound("market entry withdrawn before:", id, ledger.ErrConflict)
			}
			return notFound("market entry", id, ledger.ErrNotFound)
		}
		return t.audit(by.Or("market.withdraw", fmt.Sprintf("market-entry/%d", id), ""))
	})
}

// MarketEntries implements ledger.Market.
func (s *Store) MarketEntries(ctx context.Context, before int64, limit int) ([]ledger.MarketEntry, error) {
	var w where
	if before > 0 {
		w.and("id < ?", before)
	}
	out, err := query(ctx, s.reader(), func(rows *sql.Rows) (e ledger.MarketEntry, err error) {
		var at, entered, withdrawn int64
		var value string
		if err := rows.Scan(&e.ID, &e.Series, &value, &at, &e.Source, &e.Actor, &entered, &e.WithdrawnBy, &withdrawn); err != nil {
			return e, err
		}
		e.At, e.EnteredAt, e.WithdrawnAt = moment(at), moment(entered), moment(withdrawn)
		e.Value, err = strconv.ParseFloat(value, 64)
		return e, err
	}, "SELECT id, series, value, at, source, actor, entered_at, withdrawn_by, withdrawn_at FROM market_entries"+w.sql("id DESC", limit), w.args...)
	if err != nil {
		return nil, fmt.Errorf("reading market entries: %w", err)
	}
	return out, nil
}

// AddRigPrices implements ledger.Market.
func (s *Store) AddRigPrices(ctx context.Context, ps []ledger.RigPrice, by ledger.Audit) ([]ledger.RigPrice, error) {
	if len(ps) == 0 {
		return nil, fmt.Errorf("no rig prices: %w", ledger.ErrInvalid)
	}
	out := make([]ledger.RigPrice, len(ps))
	err := s.change(ctx, func(t *txn) error {
		last, err := t.bump(ctx, "rig price", len(ps))
		if err != nil {
			return err
		}
		rows := make([][]any, len(ps))
		for i, p := range ps {
			p.Tier, p.Source, p.Kind, p.Currency = ledger.Clean(p.Tier, 100), ledger.Clean(p.Source, 400), ledger.Clean(p.Kind, 40), ledger.Clean(p.Currency, 10)
			if p.At.IsZero() || p.Tier == "" || p.Micro <= 0 || p.Currency == "" || p.Kind == "" || p.Source == "" {
				return fmt.Errorf("rig price %d: %w: time, tier, price, kind and source must be given", i+1, ledger.ErrInvalid)
			}
			p.ID, p.Actor, p.EnteredAt, p.At = last-int64(len(ps)-1-i), by.Actor, t.now(), ledger.Moment(p.At)
			rows[i] = []any{p.ID, micros(p.At), p.Tier, p.Micro, p.Currency, p.Kind, p.Source, p.Actor, micros(p.EnteredAt)}
			out[i] = p
		}
		if err := t.bulk(ctx, "INSERT INTO rig_prices (id, at, tier, micro, currency, kind, source, actor, entered_at)", 9, "", rows); err != nil {
			return fmt.Errorf("writing rig prices: %w", err)
		}
		return t.audit(by.Or("rigs.enter", "rig-prices", jsonText(map[string]any{"prices": len(ps), "first": out[0].ID, "last": last})))
	})
	return out, err
}

// DeleteRigPrice implements ledger.Market.
func (s *Store) DeleteRigPrice(ctx context.Context, id int64, by ledger.Audit) error {
	return s.change(ctx, func(t *txn) error {
		n, err := t.exec(ctx, "DELETE FROM rig_prices WHERE id = $1", id)
		if err != nil {
			return fmt.Errorf("removing a rig price: %w", err)
		}
		if n == 0 {
			return notFound("rig price", id, ledger.ErrNotFound)
		}
		return t.audit(by.Or("rigs.delete", fmt.Sprintf("rig-price/%d", id), ""))
	})
}

// RigPrices implements ledger.Market.
func (s *Store) RigPrices(ctx context.Context) ([]ledger.RigPrice, error) {
	out, err := query(ctx, s.reader(), func(rows *sql.Rows) (p ledger.RigPrice, err error) {
		var at, entered int64
		err = rows.Scan(&p.ID, &at, &p.Tier, &p.Micro, &p.Currency, &p.Kind, &p.Source, &p.Actor, &entered)
		p.At, p.EnteredAt = moment(at), moment(entered)
		return p, err
	}, "SELECT id, at, tier, micro, currency, kind, source, actor, entered_at FROM rig_prices ORDER BY at, id")
	if err != nil {
		return nil, fmt.Errorf("reading rig prices: %w", err)
	}
	return out, nil
}
