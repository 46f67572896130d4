// Package sqlstore is the one implementation of ledger.Store, over
// database/sql. The engines differ in a [Dialect] and in how they are opened;
// the queries are the same. They are written with PostgreSQL's $1 placeholders,
// which SQLite takes too, and keep to what both understand.
package sqlstore

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"time"

	"ballast/ledger"
)

// Class is what an engine's error means to a caller.
type Class int

// The classes.
const (
	Other     Class = iota
	Unique          // a unique index said no
	Reference       // a foreign key said no
	Retry           // lost a race that is worth running again
)

// Dialect is what differs between engines.
type Dialect struct {
	Lock      string                // ends a SELECT whose rows are about to be changed
	BareMarks bool                  // arguments of bulk statements are ?, not $1
	Snapshot  *sql.TxOptions        // of a transaction whose reads agree with each other
	Classify  func(err error) Class // of the engine's own errors
}

// Options are what a caller may set. The zero Options is what production uses.
type Options struct {
	Clock  func() time.Time // nil is time.Now
	Random func([]byte)     // nil is crypto/rand
}

// Store is a ledger.Store, or one ledger.Tx of it.
type Store struct {
	e  *engine
	tx *txn // nil outside a Tx
}

var (
	_ ledger.Store = (*Store)(nil)
	_ ledger.Tx    = (*Store)(nil)
)

type engine struct {
	write, read *sql.DB
	dialect     Dialect
	clock       func() time.Time
	ids         *ledger.IDs
}

// New makes a Store that writes through write and reads through read, which may
// be the same. It owns both from now on.
func New(write, read *sql.DB, d Dialect, o Options) *Store {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Random == nil {
		o.Random = func(b []byte) { _, _ = rand.Read(b) } // crypto/rand never fails
	}
	return &Store{e: &engine{write: write, read: read, dialect: d, clock: o.Clock, ids: ledger.NewIDs(o.Random)}}
}

// Ping implements ledger.Store.
func (s *Store) Ping(ctx context.Context) error {
	var one int
	return s.reader().QueryRowContext(ctx, "SELECT 1").Scan(&one)
}

// Close implements ledger.Store.
func (s *Store) Close() error {
	if s.e.read == s.e.write {
		return s.e.write.Close()
	}
	return errors.Join(s.e.read.Close(), s.e.write.Close())
}

// Tx implements ledger.Store.
func (s *Store) Tx(ctx context.Context, do func(ledger.Tx) error) error {
	return s.change(ctx, func(t *txn) error { return do(&Store{e: s.e, tx: t}) })
}

// attempts is how often a transaction that loses races is run before its
// caller hears of it.
const attempts = 20

// errAgain makes change run the transaction again.
var errAgain = errors.New("lost a race")

// change runs do in a transaction and commits. Within a Tx it joins that: an
// error then spoils the whole Tx, since part of do may have been done.
func (s *Store) change(ctx context.Context, do func(*txn) error) error {
	if s.tx != nil {
		err := do(s.tx)
		if err != nil && s.tx.spoiled == nil {
			s.tx.spoiled = err
		}
		return err
	}
	for n := 1; ; n++ {
		err := s.once(ctx, do)
		if err == nil || n == attempts || !s.again(err) {
			return s.e.named(err)
		}
		pause := min(time.Millisecond<<n, 250*time.Millisecond)
		select {
		case <-ctx.Done():
			return s.e.named(err)
		case <-time.After(pause/2 + mathrand.N(pause)):
		}
	}
}

func (s *Store) again(err error) bool {
	return errors.Is(err, errAgain) || s.e.dialect.Classify(err) == Retry
}

func (s *Store) once(ctx context.Context, do func(*txn) error) error {
	tx, err := s.e.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("beginning a ledger transaction: %w", err)
	}
	t := &txn{Tx: tx, e: s.e}
	defer func() {
		if tx != nil {
			_ = tx.Rollback() // of a transaction that failed or panicked: nothing to say
		}
	}()
	if err := do(t); err != nil {
		return err
	}
	if t.spoiled != nil {
		return t.spoiled
	}
	if err := t.flushAudit(ctx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("committing to the ledger: %w", err)
	}
	tx = nil
	return nil
}

// named gives an engine's error the ledger's name, unless it has one.
func (e *engine) named(err error) error {
	if err == nil || errors.Is(err, ledger.ErrConflict) || errors.Is(err, ledger.ErrNotFound) || errors.Is(err, ledger.ErrInvalid) || errors.Is(err, ledger.ErrStale) || errors.Is(err, ledger.ErrLastAdmin) {
		return err
	}
	switch e.dialect.Classify(err) {
	case Unique, Retry:
		return fmt.Errorf("%w: %w", ledger.ErrConflict, err)
	case Reference:
		return fmt.Errorf("%w: %w", ledger.ErrNotFound, err)
	}
	return err
}

// querier is what *sql.DB and *sql.Tx have in common for reading.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func (s *Store) reader() querier {
	if s.tx != nil {
		return s.tx
	}
	return s.e.read
}

// txn is a transaction that changes something.
type txn struct {
	*sql.Tx
	e       *engine
	audits  []ledger.Audit // to be chained just before the commit
	spoiled error
}

func (t *txn) now() time.Time { return ledger.Moment(t.e.clock()) }

func (t *txn) exec(ctx context.Context, query string, args ...any) (rows int64, err error) {
	r, err := t.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, err
	}
	return r.RowsAffected()
}

// bump adds n to a counter and returns it. It holds the counter's row until
// the commit, so it is also a lock.
func (t *txn) bump(ctx context.Context, counter string, n int) (value int64, err error) {
	err = t.QueryRowContext(ctx, "UPDATE counters SET value = value + $1 WHERE name = $2 RETURNING value", n, counter).Scan(&value)
	if err != nil {
		return 0, fmt.Errorf("counting %ss: %w", counter, err)
	}
	return value, nil
}

// revise replaces columns of a row that people edit, and dates it. Of a row that
// was changed since was (zero is any) it changes nothing: ErrStale. Two changes
// within a microsecond are two versions all the same.
func (t *txn) revise(ctx context.Context, what, table string, id int64, was time.Time, columns []string, values ...any) (updated time.Time, err error) {
	var set strings.Builder
	for i, c := range columns {
		fmt.Fprintf(&set, "%s = $%d, ", c, i+1)
	}
	n := len(columns)
	query := fmt.Sprintf("UPDATE %s SET %supdated_at = CASE WHEN updated_at >= $%d THEN updated_at + 1 ELSE $%d END WHERE id = $%d AND (CAST($%d AS BIGINT) = 0 OR updated_at = CAST($%d AS BIGINT)) RETURNING updated_at",
		table, set.String(), n+1, n+1, n+2, n+3, n+3)
	var at int64
	err = t.QueryRowContext(ctx, query, append(slices.Clip(values), micros(t.now()), id, micros(was))...).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		var there int
		if err := t.QueryRowContext(ctx, "SELECT count(*) FROM "+table+" WHERE id = $1", id).Scan(&there); err != nil {
			return time.Time{}, fmt.Errorf("reading %s %d: %w", what, id, err)
		}
		if there == 0 {
			return time.Time{}, notFound(what, id, ledger.ErrNotFound)
		}
		return time.Time{}, fmt.Errorf("%s %d: %w", what, id, ledger.ErrStale)
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("writing %s %d: %w", what, id, err)
	}
	return moment(at), nil
}

// Writer is the engine's own handle, for what only one engine can do.
func (s *Store) Writer() *sql.DB { return s.e.write }
