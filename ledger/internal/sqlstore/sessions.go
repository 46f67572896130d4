package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"ballast/ledger"
)

// sessions keeps browser sessions. It works on the engine and never within a
// Tx: a session is no part of the record.
type sessions struct{ s *Store }

// Sessions implements ledger.Store.
func (s *Store) Sessions() ledger.Sessions { return sessions{&Store{e: s.e}} }

func (x sessions) now() int64 { return micros(ledger.Moment(x.s.e.clock())) }

// FindCtx gives the data of a session that has not expired.
func (x sessions) FindCtx(ctx context.Context, token string) (data []byte, found bool, err error) {
	err = x.s.reader().QueryRowContext(ctx, "SELECT data FROM sessions WHERE token = $1 AND expires > $2", ledger.Clean(token, 0), x.now()).Scan(&data)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("reading a session: %w", err)
	}
	return data, true, nil
}

// CommitCtx adds or overwrites a session.
func (x sessions) CommitCtx(ctx context.Context, token string, data []byte, expiry time.Time) error {
	if data == nil {
		data = []byte{}
	}
	return x.s.change(ctx, func(t *txn) error {
		_, err := t.exec(ctx, "INSERT INTO sessions (token, data, expires) VALUES ($1, $2, $3) "+
			"ON CONFLICT (token) DO UPDATE SET data = excluded.data, expires = excluded.expires", token, data, micros(ledger.Moment(expiry)))
		if err != nil {
			return fmt.Errorf("writing a session: %w", err)
		}
		return nil
	})
}

// DeleteCtx removes a session, if it is there.
func (x sessions) DeleteCtx(ctx context.Context, token string) error {
	return x.s.change(ctx, func(t *txn) error {
		if _, err := t.exec(ctx, "DELETE FROM sessions WHERE token = $1", ledger.Clean(token, 0)); err != nil {
			return fmt.Errorf("deleting a session: %w", err)
		}
		return nil
	})
}

// AllCtx gives every session that has not expired.
func (x sessions) AllCtx(ctx context.Context) (map[string][]byte, error) {
	type row struct {
		token string
		data  []byte
	}
	rows, err := query(ctx, x.s.reader(), func(rows *sql.Rows) (r row, err error) {
		err = rows.Scan(&r.token, &r.data)
		return r, err
	}, "SELECT token, data FROM sessions WHERE expires > $1", x.now())
	if err != nil {
		return nil, fmt.Errorf("reading sessions: %w", err)
	}
	out := make(map[string][]byte, len(rows))
	for _, r := range rows {
		out[r.token] = r.data
	}
	return out, nil
}

// Purge removes expired sessions.
func (x sessions) Purge(ctx context.Context) (n int64, err error) {
	err = x.s.change(ctx, func(t *txn) (err error) {
		n, err = t.exec(ctx, "DELETE FROM sessions WHERE expires <= $1", x.now())
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("purging sessions: %w", err)
	}
	return n, nil
}

func (x sessions) Find(token string) ([]byte, bool, error) {
	return x.FindCtx(context.Background(), token)
}

func (x sessions) Commit(token string, data []byte, expiry time.Time) error {
	return x.CommitCtx(context.Background(), token, data, expiry)
}

func (x sessions) Delete(token string) error { return x.DeleteCtx(context.Background(), token) }

func (x sessions) All() (map[string][]byte, error) { return x.AllCtx(context.Background()) }
