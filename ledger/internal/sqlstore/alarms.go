package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"ballast/ledger"
)

const alarmColumns = "SELECT id, site, phase, severity, class, opened_at, ended_at, acked_at, doc FROM alarms"

func scanAlarm(rows *sql.Rows) (a ledger.Alarm, err error) {
	var opened, ended, acked int64
	var doc string
	err = rows.Scan(&a.ID, &a.Site, &a.Phase, &a.Severity, &a.Class, &opened, &ended, &acked, &doc)
	a.Opened, a.Ended, a.Acked, a.Doc = moment(opened), moment(ended), moment(acked), json.RawMessage(doc)
	return a, err
}

// SaveAlarms implements ledger.Alarms.
func (s *Store) SaveAlarms(ctx context.Context, c ledger.AlarmChange, by ledger.Audit) error {
	if len(c.Alarms)+len(c.Events)+len(c.Messages) == 0 {
		return nil
	}
	err := s.change(ctx, func(t *txn) error {
		for _, a := range c.Alarms {
			if a.ID <= 0 || !json.Valid(a.Doc) {
				return fmt.Errorf("alarm %d: %w", a.ID, ledger.ErrInvalid)
			}
			_, err := t.exec(ctx, "INSERT INTO alarms (id, site, phase, severity, class, opened_at, ended_at, acked_at, doc) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "+
				"ON CONFLICT (id) DO UPDATE SET site = excluded.site, phase = excluded.phase, severity = excluded.severity, opened_at = excluded.opened_at, "+
				"ended_at = excluded.ended_at, acked_at = excluded.acked_at, doc = excluded.doc",
				a.ID, ledger.Clean(a.Site, 0), a.Phase, a.Severity, a.Class, micros(a.Opened), micros(a.Ended), micros(a.Acked), ledger.Clean(string(a.Doc), 0))
			if err != nil {
				return fmt.Errorf("writing alarm %d: %w", a.ID, err)
			}
		}
		for _, e := range c.Events {
			_, err := t.exec(ctx, "INSERT INTO alarm_events (alarm, seq, at, kind, actor, detail) "+
				"SELECT CAST($1 AS BIGINT), coalesce(max(seq), 0) + 1, CAST($2 AS BIGINT), CAST($3 AS TEXT), CAST($4 AS TEXT), CAST($5 AS TEXT) FROM alarm_events WHERE alarm = CAST($1 AS BIGINT)",
				e.Alarm, micros(e.At), e.Kind, ledger.Clean(e.Actor, 0), ledger.Clean(e.Detail, 500))
			if err != nil {
				return fmt.Errorf("writing an event of alarm %d: %w", e.Alarm, err)
			}
		}
		for _, m := range c.Messages {
			id, err := t.bump(ctx, "message", 1)
			if err != nil {
				return err
			}
			if !json.Valid(m.Doc) {
				return fmt.Errorf("message about alarm %d: %w", m.Alarm, ledger.ErrInvalid)
			}
			now := micros(t.now())
			_, err = t.exec(ctx, "INSERT INTO outbox (id, receiver, alarm, state, attempts, next_at, created_at, updated_at, detail, doc) VALUES ($1, $2, $3, $4, 0, $5, $6, $7, '', $8)",
				id, m.Receiver, m.Alarm, string(ledger.MessageWaiting), micros(m.Next), now, now, ledger.Clean(string(m.Doc), 0))
			if err != nil {
				return fmt.Errorf("writing a message about alarm %d: %w", m.Alarm, err)
			}
		}
		if by.Actor == "" {
			return nil
		}
		subject := "alarms"
		if len(c.Alarms) == 1 {
			subject = fmt.Sprintf("alarm/%d", c.Alarms[0].ID)
		}
		return t.audit(by.Or("alarm.change", subject, ""))
	})
	if err != nil {
		return fmt.Errorf("saving alarms: %w", err)
	}
	return nil
}

// Alarm implements ledger.Alarms.
func (s *Store) Alarm(ctx context.Context, id int64) (ledger.Alarm, error) {
	out, err := query(ctx, s.reader(), scanAlarm, alarmColumns+" WHERE id = $1", id)
	if err != nil {
		return ledger.Alarm{}, fmt.Errorf("reading alarm %d: %w", id, err)
	}
	if len(out) == 0 {
		return ledger.Alarm{}, notFound("alarm", id, ledger.ErrNotFound)
	}
	return out[0], nil
}

// Alarms implements ledger.Alarms.
func (s *Store) Alarms(ctx context.Context, f ledger.AlarmFilter) ([]ledger.Alarm, error) {
	var w where
	if len(f.Phases) > 0 {
		in(&w, "phase", f.Phases)
	}
	if len(f.Severities) > 0 {
		in(&w, "severity", f.Severities)
	}
	if len(f.Sites) > 0 {
		in(&w, "site", f.Sites)
	}
	if !f.EndedSince.IsZero() {
		w.and("ended_at >= ?", micros(f.EndedSince))
	}
	if f.Before > 0 {
		w.and("id < ?", f.Before)
	}
	out, err := query(ctx, s.reader(), scanAlarm, alarmColumns+w.sql("id DESC", f.Limit), w.args...)
	if err != nil {
		return nil, fmt.Errorf("reading alarms: %w", err)
	}
	return out, nil
}

// AlarmEvents implements ledger.Alarms.
func (s *Store) AlarmEvents(ctx context.Context, alarm int64) ([]ledger.AlarmEvent, error) {
	out, err := query(ctx, s.reader(), func(rows *sql.Rows) (e ledger.AlarmEvent, err error) {
		var at int64
		err = rows.Scan(&e.Alarm, &e.Seq, &at, &e.Kind, &e.Actor, &e.Detail)
		e.At = moment(at)
		return e, err
	}, "SELECT alarm, seq, at, kind, actor, detail FROM alarm_events WHERE alarm = $1 ORDER BY seq", alarm)
	if err != nil {
		return nil, fmt.Errorf("reading the life of alarm %d: %w", alarm, err)
	}
	return out, nil
}

// LastAlarm implements ledger.Alarms.
func (s *Store) LastAlarm(ctx context.Context) (id int64, err error) {
	if err := s.reader().QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM alarms").Scan(&id); err != nil {
		return 0, fmt.Errorf("reading the last alarm: %w", err)
	}
	return id, nil
}

func scanDocument(rows *sql.Rows) (d ledger.Document, err error) {
	var created, updated int64
	var doc string
	err = rows.Scan(&d.ID, &d.Kind, &doc, &created, &updated)
	d.Doc, d.CreatedAt, d.UpdatedAt = json.RawMessage(doc), moment(created), moment(updated)
	return d, err
}

const documentColumns = "SELECT id, kind, doc, created_at, updated_at FROM documents"

// Documents implements ledger.Alarms.
func (s *Store) Documents(ctx context.Context, kind string) ([]ledger.Document, error) {
	out, err := query(ctx, s.reader(), scanDocument, documentColumns+" WHERE kind = $1 ORDER BY id", kind)
	if err != nil {
		return nil, fmt.Errorf("reading %s documents: %w", kind, err)
	}
	return out, nil
}

// Document implements ledger.Alarms.
func (s *Store) Document(ctx context.Context, kind string, id int64) (ledger.Document, error) {
	out, err := query(ctx, s.reader(), scanDocument, documentColumns+" WHERE kind = $1 AND id = $2", kind, id)
	if err != nil {
		return ledger.Document{}, fmt.Errorf("reading %s %d: %w", kind, id, err)
	}
	if len(out) == 0 {
		return ledger.Document{}, notFound(kind, id, ledger.ErrNotFound)
	}
	return out[0], nil
}

// SaveDocument implements ledger.Alarms.
func (s *Store) SaveDocument(ctx context.Context, d ledger.Document, by ledger.Audit) (ledger.Document, error) {
	if d.Kind == "" || d.Kind != ledger.Clean(d.Kind, 64) || !json.Valid(d.Doc) {
		return d, fmt.Errorf("%q document: %w", d.Kind, ledger.ErrInvalid)
	}
	text := ledger.Clean(string(d.Doc), 0)
	err := s.change(ctx, func(t *txn) error {
		now, action := t.now(), d.Kind+".edit"
		if d.ID == 0 {
			d.UpdatedAt = now
			id, err := t.bump(ctx, "document", 1)
			if err != nil {
				return err
			}
			d.ID, d.CreatedAt, action = id, now, d.Kind+".add"
			if _, err := t.exec(ctx, "INSERT INTO documents (id, kind, doc, created_at, updated_at) VALUES ($1, $2, $3, $4, $5)", id, d.Kind, text, micros(now), micros(now)); err != nil {
				return fmt.Errorf("writing: %w", err)
			}
		} else {
			var created int64
			err := t.QueryRowContext(ctx, "SELECT created_at FROM documents WHERE id = $1 AND kind = $2", d.ID, d.Kind).Scan(&created)
			if errors.Is(err, sql.ErrNoRows) {
				return notFound(d.Kind, d.ID, ledger.ErrNotFound)
			}
			if err != nil {
				return fmt.Errorf("reading: %w", err)
			}
			d.CreatedAt = moment(created)
			if d.UpdatedAt, err = t.revise(ctx, d.Kind, "documents", d.ID, d.UpdatedAt, []string{"doc"}, text); err != nil {
				return err
			}
		}
		return t.audit(by.Or(action, fmt.Sprintf("%s/%d", d.Kind, d.ID), text))
	})
	if err != nil {
		return d, fmt.Errorf("saving a %s: %w", d.Kind, err)
	}
	return d, nil
}

// DeleteDocument implements ledger.Alarms.
func (s *Store) DeleteDocument(ctx context.Context, kind string, id int64, by ledger.Audit) error {
	return s.change(ctx, func(t *txn) error {
		n, err := t.exec(ctx, "DELETE FROM documents WHERE id = $1 AND kind = $2", id, kind)
		if err != nil {
			return fmt.Errorf("deleting %s %d: %w", kind, id, err)
		}
		if n == 0 {
			return notFound(kind, id, ledger.ErrNotFound)
		}
		return t.audit(by.Or(kind+".delete", fmt.Sprintf("%s/%d", kind, id), ""))
	})
}
