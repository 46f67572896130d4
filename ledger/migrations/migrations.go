// Package migrations holds the ledger's schema as numbered steps, written once
// for every engine. A step that was released is never edited: a change is a new
// step. There are no steps down: a ledger is put back from a backup, not by
// dropping columns that hold a record.
package migrations

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"github.com/pressly/goose/v3"

	"ballast/ledger"
)

//go:embed *.sql
var files embed.FS

// Engine is a database engine that the steps can be run on.
type Engine string

// The engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// postgres turns SQLite's words into PostgreSQL's. Whole words only: the steps
// are written so that nothing else matches.
var postgres = strings.NewReplacer(
	" INTEGER", " BIGINT",
	" BLOB", " BYTEA",
	") STRICT;", ");",
)

// lockID is the advisory lock of the migrations: "ballast" in ASCII.
const lockID = 0x62616c6c617374

// Up brings the database to the newest step and does nothing when it is there.
// ErrNewer when it is beyond.
func Up(ctx context.Context, db *sql.DB, e Engine) error {
	if e == Postgres {
		// Several programs may start on one PostgreSQL at once: one after the
		// other. (goose's own lock polls every five seconds.)
		conn, err := db.Conn(ctx)
		if err != nil {
			return fmt.Errorf("connecting: %w", err)
		}
		defer conn.Close()
		if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", lockID); err != nil {
			return fmt.Errorf("waiting for another program to migrate: %w", err)
		}
		defer conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", lockID) //nolint:errcheck // closing the session unlocks too
	}
	p, err := provider(db, e)
	if err != nil {
		return err
	}
	sources := p.ListSources()
	newest := sources[len(sources)-1].Version
	at, err := p.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("reading the schema version: %w", err)
	}
	if at > newest {
		return fmt.Errorf("schema %d, this program knows %d: %w", at, newest, ledger.ErrNewer)
	}
	if at == newest {
		return nil
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("bringing the schema from %d to %d: %w", at, newest, err)
	}
	return nil
}

// UpTo brings the database to one step, for tests of the way from there.
func UpTo(ctx context.Context, db *sql.DB, e Engine, version int64) error {
	p, err := provider(db, e)
	if err != nil {
		return err
	}
	_, err = p.UpTo(ctx, version)
	return err
}

func provider(db *sql.DB, e Engine) (*goose.Provider, error) {
	dialect, steps := goose.DialectSQLite3, fs.FS(files)
	if e == Postgres {
		dialect, steps = goose.DialectPostgres, translated{files, postgres}
	}
	p, err := goose.NewProvider(dialect, db, steps, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, fmt.Errorf("reading the migrations: %w", err)
	}
	return p, nil
}

// translated is a file system whose files read with words replaced.
type translated struct {
	fs.FS
	words *strings.Replacer
}

func (t translated) Open(name string) (fs.File, error) {
	f, err := t.FS.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil || info.IsDir() {
		return f, err
	}
	defer func() { _ = f.Close() }() // only read from
	var text bytes.Buffer
	if _, err := text.ReadFrom(f); err != nil {
		return nil, err
	}
	words := []byte(t.words.Replace(text.String()))
	return &translatedFile{Reader: bytes.NewReader(words), info: translatedInfo{info, int64(len(words))}}, nil
}

type translatedFile struct {
	*bytes.Reader
	info fs.FileInfo
}

func (f *translatedFile) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *translatedFile) Close() error               { return nil }

type translatedInfo struct {
	fs.FileInfo
	size int64
}

func (i translatedInfo) Size() int64 { return i.size }
