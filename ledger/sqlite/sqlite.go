// Package sqlite keeps the ledger in one SQLite file, in process and without C
// (modernc.org/sqlite). It is the default engine.
//
// The file is in WAL mode with synchronous=FULL: what a call wrote is on the
// disk when the call returns. One connection writes, in IMMEDIATE transactions,
// so writers queue in the process instead of failing; several connections read
// and are never blocked by it.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"

	sqlite "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"ballast/ledger"
	"ballast/ledger/internal/sqlstore"
	"ballast/ledger/migrations"
)

// Store is a ledger in a SQLite file.
type Store struct {
	*sqlstore.Store
	path string
}

var _ ledger.Store = (*Store)(nil)

// Options are what a caller may set; the zero Options is what production uses.
type Options = sqlstore.Options

// Open opens the ledger in the file at path, makes it when it is not there
// (readable by its owner only) and brings its schema up to date.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("opening the ledger: %w", err)
	}
	// Made here and not by SQLite for the sake of its mode; WAL and shm take it
	// over. An existing file is not opened: closing it would drop SQLite's locks.
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil && !errors.Is(err, os.ErrExist) {
			return nil, fmt.Errorf("making the ledger: %w", err)
		}
		if err == nil {
			_ = f.Close() // nothing was written
		}
	}
	write, err := open(path, false)
	if err != nil {
		return nil, err
	}
	write.SetMaxOpenConns(1)
	read, err := open(path, true)
	if err != nil {
		return nil, errors.Join(err, write.Close())
	}
	read.SetMaxOpenConns(max(4, runtime.GOMAXPROCS(0)))
	s := &Store{sqlstore.New(write, read, dialect, o), path}
	if err := migrations.Up(ctx, write, migrations.SQLite); err != nil {
		return nil, errors.Join(fmt.Errorf("opening the ledger %s: %w", path, err), s.Close())
	}
	return s, nil
}

func open(path string, readOnly bool) (*sql.DB, error) {
	q := url.Values{"_pragma": {
		"busy_timeout(10000)", // another process, such as the command line, may hold it
		"journal_mode(WAL)",
		"synchronous(FULL)",
		"foreign_keys(1)",
		"journal_size_limit(67108864)",
	}}
	if readOnly {
		q["_pragma"] = append(q["_pragma"], "query_only(1)")
	} else {
		q.Set("_txlock", "immediate")
	}
	file := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: q.Encode()}
	db, err := sql.Open("sqlite", file.String())
	if err != nil {
		return nil, fmt.Errorf("opening the ledger %s: %w", path, err)
	}
	db.SetConnMaxIdleTime(0)
	db.SetMaxIdleConns(8)
	return db, nil
}

// Backup writes a whole, compacted copy of the ledger to a new file at path
// while work goes on. The file appears complete or not at all.
func (s *Store) Backup(ctx context.Context, path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("backing the ledger up to %s: %w", path, os.ErrExist)
	}
	part := path + ".part"
	if err := os.Remove(part); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("backing the ledger up: %w", err)
	}
	// A connection of its own: VACUUM INTO only reads, but a query_only
	// connection refuses it, and the writer must not wait for it.
	db, err := open(s.path, false)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // only read from
	if _, err := db.ExecContext(ctx, "VACUUM INTO ?", part); err != nil {
		return errors.Join(fmt.Errorf("backing the ledger up to %s: %w", path, err), ignoreMissing(os.Remove(part)))
	}
	if err := settle(part); err != nil {
		return fmt.Errorf("backing the ledger up: %w", err)
	}
	if err := os.Rename(part, path); err != nil {
		return fmt.Errorf("backing the ledger up: %w", err)
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// settle makes a finished file private and durable.
func settle(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o600), f.Sync(), f.Close())
}

var dialect = sqlstore.Dialect{
	Lock:      "", // an IMMEDIATE transaction holds everything
	BareMarks: true,
	Snapshot:  &sql.TxOptions{ReadOnly: true},
	Classify: func(err error) sqlstore.Class {
		e, ok := errors.AsType[*sqlite.Error](err)
		if !ok {
			return sqlstore.Other
		}
		switch e.Code() {
		case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
			return sqlstore.Unique
		case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
			return sqlstore.Reference
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_BUSY_SNAPSHOT, sqlite3.SQLITE_BUSY_RECOVERY:
			return sqlstore.Retry
		}
		return sqlstore.Other
	},
}
