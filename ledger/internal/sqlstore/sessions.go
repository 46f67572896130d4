package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"ballast/ledger"
)

const sessionColumns = "sum, id, user_id, method, device, address, created_at, last_seen, expires_at"

func scanSession(rows *sql.Rows) (x ledger.Session, err error) {
	var created, seen, expires int64
	err = rows.Scan(&x.Sum, &x.ID, &x.User, &x.Method, &x.Device, &x.Address, &created, &seen, &expires)
	x.CreatedAt, x.LastSeen, x.Expires = moment(created), moment(seen), moment(expires)
	return x, err
}

// deviceLength bounds what a browser may say of itself.
const deviceLength = 300

// AddSession implements ledger.Sessions.
func (s *Store) AddSession(ctx context.Context, x ledger.Session) (ledger.Session, error) {
	if x.Sum == "" || x.Expires.IsZero() {
		return ledger.Session{}, fmt.Errorf("session: %w: sum and expiry must be given", ledger.ErrInvalid)
	}
	x.Method, x.Device, x.Address = ledger.Clean(x.Method, deviceLength), ledger.Clean(x.Device, deviceLength), ledger.Clean(x.Address, deviceLength)
	x.Expires = ledger.Moment(x.Expires)
	err := s.change(ctx, func(t *txn) (err error) {
		if x.ID, err = t.bump(ctx, "session", 1); err != nil {
			return err
		}
		x.CreatedAt, x.LastSeen = t.now(), t.now()
		_, err = t.exec(ctx, "INSERT INTO sessions ("+sessionColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
			x.Sum, x.ID, x.User, x.Method, x.Device, x.Address, micros(x.CreatedAt), micros(x.LastSeen), micros(x.Expires))
		if t.e.dialect.Classify(err) == Reference {
			return notFound("user", x.User, ledger.ErrNotFound)
		}
		if err != nil {
			return fmt.Errorf("writing a session: %w", err)
		}
		return nil
	})
	if err != nil {
		return ledger.Session{}, err
	}
	return x, nil
}

// SessionBySum implements ledger.Sessions.
func (s *Store) SessionBySum(ctx context.Context, sum string) (ledger.Session, error) {
	xs, err := query(ctx, s.reader(), scanSession, "SELECT "+sessionColumns+" FROM sessions WHERE sum = $1 AND expires_at > $2", ledger.Clean(sum, 0), s.nowMicros())
	if err != nil {
		return ledger.Session{}, fmt.Errorf("reading a session: %w", err)
	}
	if len(xs) == 0 {
		return ledger.Session{}, fmt.Errorf("session: %w, or it ended", ledger.ErrNotFound)
	}
	return xs[0], nil
}

func (s *Store) nowMicros() int64 { return micros(ledger.Moment(s.e.clock())) }

func sessionWhere(f ledger.SessionFilter) *where {
	w := &where{}
	if f.User != 0 {
		w.and("user_id = ?", f.User)
	}
	if f.ID != 0 {
		w.and("id = ?", f.ID)
	}
	if f.Except != 0 {
		w.and("id <> ?", f.Except)
	}
	return w
}

// Sessions implements ledger.Sessions.
func (s *Store) Sessions(ctx context.Context, f ledger.SessionFilter) ([]ledger.Session, error) {
	w := sessionWhere(f)
	w.and("expires_at > ?", s.nowMicros())
	out, err := query(ctx, s.reader(), scanSession, "SELECT "+sessionColumns+" FROM sessions"+w.sql("last_seen DESC, id DESC", 0), w.args...)
	if err != nil {
		return nil, fmt.Errorf("reading sessions: %w", err)
	}
	return out, nil
}

// TouchSession implements ledger.Sessions.
func (s *Store) TouchSession(ctx context.Context, id int64, address string, expires time.Time) error {
	return s.change(ctx, func(t *txn) error {
		n, err := t.exec(ctx, "UPDATE sessions SET last_seen = $1, address = $2, expires_at = $3 WHERE id = $4 AND expires_at > $5",
			micros(t.now()), ledger.Clean(address, deviceLength), micros(ledger.Moment(expires)), id, micros(t.now()))
		if err != nil {
			return fmt.Errorf("touching session %d: %w", id, err)
		}
		if n == 0 {
			return notFound("session", id, ledger.ErrNotFound)
		}
		return nil
	})
}

// EndSessions implements ledger.Sessions.
func (s *Store) EndSessions(ctx context.Context, f ledger.SessionFilter, by ledger.Audit) (n int, err error) {
	if f.User == 0 && f.ID == 0 {
		return 0, fmt.Errorf("ending sessions: %w: whose?", ledger.ErrInvalid)
	}
	err = s.change(ctx, func(t *txn) error {
		w := sessionWhere(f)
		users, err := query(ctx, t, func(rows *sql.Rows) (id int64, err error) { err = rows.Scan(&id); return id, err }, "DELETE FROM sessions"+w.text.String()+" RETURNING user_id", w.args...)
		if err != nil {
			return fmt.Errorf("ending sessions: %w", err)
		}
		if n = len(users); n == 0 {
			return nil
		}
		return t.audit(by.Or("session.end", fmt.Sprintf("user/%d", users[0]), jsonText(map[string]any{"sessions": n})))
	})
	return n, err
}

// PurgeSessions implements ledger.Sessions.
func (s *Store) PurgeSessions(ctx context.Context) (int, error) {
	var n int64
	err := s.change(ctx, func(t *txn) (err error) {
		n, err = t.exec(ctx, "DELETE FROM sessions WHERE expires_at <= $1", micros(t.now()))
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("purging sessions: %w", err)
	}
	return int(n), nil
}
