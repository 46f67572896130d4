package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"ballast/ledger"
)

const messageColumns = "SELECT id, receiver, alarm, state, attempts, next_at, created_at, updated_at, detail, doc FROM outbox"

func scanMessage(rows *sql.Rows) (m ledger.Message, err error) {
	var next, created, updated int64
	var state, doc string
	err = rows.Scan(&m.ID, &m.Receiver, &m.Alarm, &state, &m.Attempts, &next, &created, &updated, &m.Detail, &doc)
	m.State, m.Next, m.CreatedAt, m.UpdatedAt, m.Doc = ledger.MessageState(state), moment(next), moment(created), moment(updated), json.RawMessage(doc)
	return m, err
}

// DueMessages implements ledger.Alarms.
func (s *Store) DueMessages(ctx context.Context, now time.Time, limit int) ([]ledger.Message, error) {
	var w where
	w.and("state = ?", string(ledger.MessageWaiting))
	w.and("next_at <= ?", micros(now))
	out, err := query(ctx, s.reader(), scanMessage, messageColumns+w.sql("id", limit), w.args...)
	if err != nil {
		return nil, fmt.Errorf("reading the outbox: %w", err)
	}
	return out, nil
}

// AlarmMessages implements ledger.Alarms.
func (s *Store) AlarmMessages(ctx context.Context, alarm int64) ([]ledger.Message, error) {
	out, err := query(ctx, s.reader(), scanMessage, messageColumns+" WHERE alarm = $1 ORDER BY id", alarm)
	if err != nil {
		return nil, fmt.Errorf("reading the messages about alarm %d: %w", alarm, err)
	}
	return out, nil
}

// MarkMessage implements ledger.Alarms.
func (s *Store) MarkMessage(ctx context.Context, id int64, to ledger.MessageState, next time.Time, detail string) error {
	return s.change(ctx, func(t *txn) error {
		n, err := t.exec(ctx, "UPDATE outbox SET state = $1, next_at = $2, detail = $3, attempts = attempts + 1, updated_at = $4 WHERE id = $5",
			string(to), micros(next), ledger.Clean(detail, 500), micros(t.now()), id)
		if err != nil {
			return fmt.Errorf("marking message %d: %w", id, err)
		}
		if n == 0 {
			return notFound("message", id, ledger.ErrNotFound)
		}
		return nil
	})
}

// PurgeMessages implements ledger.Alarms.
func (s *Store) PurgeMessages(ctx context.Context, before time.Time) (int, error) {
	var n int64
	err := s.change(ctx, func(t *txn) (err error) {
		n, err = t.exec(ctx, "DELETE FROM outbox WHERE state <> $1 AND updated_at < $2", string(ledger.MessageWaiting), micros(before))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("purging the outbox: %w", err)
	}
	return int(n), nil
}
