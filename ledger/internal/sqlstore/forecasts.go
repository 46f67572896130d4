package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"ballast/ledger"
)

// AddForecast implements ledger.Forecasts.
func (s *Store) AddForecast(ctx context.Context, f ledger.StoredForecast) (ledger.StoredForecast, error) {
	if f.Series == "" || f.Model == "" || f.Horizon == "" || f.Start.IsZero() || !f.End.After(f.Start) || !json.Valid(f.Body) {
		return f, fmt.Errorf("forecast of %q by %q: %w: series, model, horizon, start, end and JSON must be given", f.Series, f.Model, ledger.ErrInvalid)
	}
	f.Issued, f.Start, f.End = ledger.Moment(f.Issued), ledger.Moment(f.Start), ledger.Moment(f.End)
	err := s.change(ctx, func(t *txn) (err error) {
		if f.ID, err = t.bump(ctx, "forecast", 1); err != nil {
			return err
		}
		_, err = t.exec(ctx, "INSERT INTO forecasts (id, series, model, horizon, issued_at, start_at, end_at, body, score, scored_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', 0)",
			f.ID, f.Series, f.Model, f.Horizon, micros(f.Issued), micros(f.Start), micros(f.End), string(f.Body))
		if err != nil {
			return fmt.Errorf("writing a forecast: %w", err)
		}
		return nil
	})
	return f, err
}

// ScoreForecast implements ledger.Forecasts.
func (s *Store) ScoreForecast(ctx context.Context, id int64, score json.RawMessage) error {
	if !json.Valid(score) {
		return fmt.Errorf("score of forecast %d: %w", id, ledger.ErrInvalid)
	}
	return s.change(ctx, func(t *txn) error {
		n, err := t.exec(ctx, "UPDATE forecasts SET score = $1, scored_at = $2 WHERE id = $3", string(score), micros(t.now()), id)
		if err != nil {
			return fmt.Errorf("scoring forecast %d: %w", id, err)
		}
		if n == 0 {
			return notFound("forecast", id, ledger.ErrNotFound)
		}
		return nil
	})
}

// Forecasts implements ledger.Forecasts.
func (s *Store) Forecasts(ctx context.Context, f ledger.ForecastFilter) ([]ledger.StoredForecast, error) {
	var w where
	for _, c := range []struct{ column, is string }{{"series", f.Series}, {"model", f.Model}, {"horizon", f.Horizon}} {
		if c.is != "" {
			w.and(c.column+" = ?", c.is)
		}
	}
	if !f.From.IsZero() {
		w.and("start_at >= ?", micros(f.From))
	}
	if !f.To.IsZero() {
		w.and("start_at < ?", micros(f.To))
	}
	if !f.EndBefore.IsZero() {
		w.and("end_at <= ?", micros(f.EndBefore))
	}
	if f.Unscored {
		w.and("scored_at = 0")
	}
	if f.Scored {
		w.and("scored_at > 0")
	}
	if f.Before != 0 {
		w.and("id < ?", f.Before)
	}
	body := "body"
	if f.NoBody {
		body = "''"
	}
	out, err := query(ctx, s.reader(), func(rows *sql.Rows) (v ledger.StoredForecast, err error) {
		var issued, start, end, scored int64
		var body, score string
		err = rows.Scan(&v.ID, &v.Series, &v.Model, &v.Horizon, &issued, &start, &end, &body, &score, &scored)
		v.Issued, v.Start, v.End, v.Scored = moment(issued), moment(start), moment(end), moment(scored)
		if body != "" {
			v.Body = json.RawMessage(body)
		}
		if score != "" {
			v.Score = json.RawMessage(score)
		}
		return v, err
	}, "SELECT id, series, model, horizon, issued_at, start_at, end_at, "+body+", score, scored_at FROM forecasts"+w.sql("id DESC", f.Limit), w.args...)
	if err != nil {
		return nil, fmt.Errorf("reading forecasts: %w", err)
	}
	return out, nil
}

// DropForecasts implements ledger.Forecasts.
func (s *Store) DropForecasts(ctx context.Context, horizon string, before time.Time) (n int64, err error) {
	err = s.change(ctx, func(t *txn) (err error) {
		if n, err = t.exec(ctx, "DELETE FROM forecasts WHERE horizon = $1 AND end_at < $2", horizon, micros(before)); err != nil {
			return fmt.Errorf("forgetting forecasts: %w", err)
		}
		return nil
	})
	return n, err
}

// SetChampion implements ledger.Forecasts.
func (s *Store) SetChampion(ctx context.Context, c ledger.Champion, by ledger.Audit) (ledger.Champion, error) {
	if c.Series == "" || c.Horizon == "" || c.Model == "" {
		return c, fmt.Errorf("champion: %w: series, horizon and model must be given", ledger.ErrInvalid)
	}
	c.Reason = ledger.Clean(c.Reason, 1000)
	err := s.change(ctx, func(t *txn) (err error) {
		if c.ID, err = t.bump(ctx, "forecast champion", 1); err != nil {
			return err
		}
		c.Since = t.now()
		_, err = t.exec(ctx, "INSERT INTO forecast_champions (id, series, horizon, model, since, reason) VALUES ($1, $2, $3, $4, $5, $6)", c.ID, c.Series, c.Horizon, c.Model, micros(c.Since), c.Reason)
		if err != nil {
			return fmt.Errorf("writing a champion: %w", err)
		}
		return t.audit(by.Or("forecast.champion", "series/"+c.Series, jsonText(map[string]any{"model": c.Model, "horizon": c.Horizon, "reason": c.Reason})))
	})
	return c, err
}

// Champions implements ledger.Forecasts.
func (s *Store) Champions(ctx context.Context, series string) ([]ledger.Champion, error) {
	var w where
	if series != "" {
		w.and("series = ?", series)
	}
	out, err := query(ctx, s.reader(), func(rows *sql.Rows) (c ledger.Champion, err error) {
		var since int64
		err = rows.Scan(&c.ID, &c.Series, &c.Horizon, &c.Model, &since, &c.Reason)
		c.Since = moment(since)
		return c, err
	}, "SELECT id, series, horizon, model, since, reason FROM forecast_champions"+w.sql("id DESC", 0), w.args...)
	if err != nil {
		return nil, fmt.Errorf("reading champions: %w", err)
	}
	return out, nil
}

// SaveModelCard implements ledger.Forecasts.
func (s *Store) SaveModelCard(ctx context.Context, c ledger.ModelCard) error {
	if c.Series == "" || c.Horizon == "" || c.Model == "" || !json.Valid(c.Body) {
		return fmt.Errorf("model card: %w: series, horizon, model and JSON must be given", ledger.ErrInvalid)
	}
	return s.change(ctx, func(t *txn) error {
		_, err := t.exec(ctx, "INSERT INTO forecast_cards (series, horizon, model, at, body) VALUES ($1, $2, $3, $4, $5) "+
			"ON CONFLICT (series, horizon, model) DO UPDATE SET at = excluded.at, body = excluded.body", c.Series, c.Horizon, c.Model, micros(c.At), string(c.Body))
		if err != nil {
			return fmt.Errorf("writing a model card: %w", err)
		}
		return nil
	})
}

// ModelCards implements ledger.Forecasts.
func (s *Store) ModelCards(ctx context.Context, series string) ([]ledger.ModelCard, error) {
	var w where
	if series != "" {
		w.and("series = ?", series)
	}
	out, err := query(ctx, s.reader(), func(rows *sql.Rows) (c ledger.ModelCard, err error) {
		var at int64
		var body string
		err = rows.Scan(&c.Series, &c.Horizon, &c.Model, &at, &body)
		c.At, c.Body = moment(at), json.RawMessage(body)
		return c, err
	}, "SELECT series, horizon, model, at, body FROM forecast_cards"+w.sql("series, horizon, model", 0), w.args...)
	if err != nil {
		return nil, fmt.Errorf("reading model cards: %w", err)
	}
	return out, nil
}
