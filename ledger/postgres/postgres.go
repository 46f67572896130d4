// Package postgres keeps the ledger in a PostgreSQL database (12 or newer), for
// companies that outgrow one machine. It runs the same queries and migrations
// as ledger/sqlite. Several programs may share one database.
package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"ballast/ledger"
	"ballast/ledger/internal/sqlstore"
	"ballast/ledger/migrations"
)

// Store is a ledger in a PostgreSQL database.
type Store struct{ *sqlstore.Store }

var _ ledger.Store = (*Store)(nil)

// Options are what a caller may set; the zero Options is what production uses.
type Options = sqlstore.Options

// connections is how many a program holds at most. The ledger is written in
// batches: more would only wait for each other.
const connections = 16

// Open opens the ledger in the database that dsn names
// ("postgres://user@host/database" or "host=... dbname=...") and brings its
// schema up to date. The password is best left to PGPASSFILE.
func Open(ctx context.Context, dsn string, o Options) (*Store, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("reading the ledger's address: %w", err)
	}
	db := stdlib.OpenDB(*config)
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	db.SetConnMaxIdleTime(5 * time.Minute)
	s := &Store{sqlstore.New(db, db, dialect, o)}
	if err := migrations.Up(ctx, db, migrations.Postgres); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the ledger at %s: %w", config.Host, err), s.Close())
	}
	return s, nil
}

var dialect = sqlstore.Dialect{
	Lock:     " FOR UPDATE",
	Snapshot: &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
	// The codes are those of PostgreSQL's appendix A.
	Classify: func(err error) sqlstore.Class {
		e, ok := errors.AsType[*pgconn.PgError](err)
		if !ok {
			return sqlstore.Other
		}
		switch e.Code {
		case "23505":
			return sqlstore.Unique
		case "23503":
			return sqlstore.Reference
		case "40001", "40P01": // serialization failure, deadlock
			return sqlstore.Retry
		}
		return sqlstore.Other
	},
}
