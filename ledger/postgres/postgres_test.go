//go:build unix

package postgres_test

import (
	"database/sql"
	"errors"
	"sync"
	"testing"
	"time"

	"ballast/ledger"
	"ballast/ledger/ledgertest"
	"ballast/ledger/migrations"
	"ballast/ledger/postgres"
)

// One server serves all tests of this file: starting one takes seconds.
func TestPostgres(t *testing.T) {
	server := ledgertest.StartPostgres(t)
	open := func(t testing.TB, clock func() time.Time) ledgertest.Opened {
		dsn := server.Schema(t)
		return ledgertest.Opened{Store: openAt(t, dsn, clock), Raw: raw(t, dsn)}
	}
	t.Run("Conformance", func(t *testing.T) { ledgertest.Run(t, open) })
	t.Run("Migrations", func(t *testing.T) {
		dsn := server.Schema(t)
		ledgertest.RunMigrations(t, migrations.Postgres, raw(t, dsn), func() (ledger.Store, error) {
			return postgres.Open(t.Context(), dsn, postgres.Options{})
		})
	})
	t.Run("OpenAtOnce", func(t *testing.T) {
		dsn := server.Schema(t)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				s, err := postgres.Open(t.Context(), dsn, postgres.Options{})
				if err != nil {
					t.Error(err)
					return
				}
				if err := errors.Join(s.SetSetting(t.Context(), "k", "v", ledger.By("alice")), s.Close()); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
	t.Run("Unreachable", func(t *testing.T) {
		if _, err := postgres.Open(t.Context(), "host=/nonexistent user=x dbname=x", postgres.Options{}); err == nil {
			t.Error("opened a database that is not there")
		}
		if _, err := postgres.Open(t.Context(), "host='", postgres.Options{}); err == nil {
			t.Error("read an address that is none")
		}
	})
}

func openAt(t testing.TB, dsn string, clock func() time.Time) ledger.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), dsn, postgres.Options{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func raw(t testing.TB, dsn string) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(2)
	t.Cleanup(func() { db.Close() })
	return db
}

func BenchmarkPostgres(b *testing.B) {
	server := ledgertest.StartPostgres(b)
	ledgertest.Bench(b, func(t testing.TB, clock func() time.Time) ledgertest.Opened {
		dsn := server.Schema(t)
		return ledgertest.Opened{Store: openAt(t, dsn, clock), Raw: raw(t, dsn)}
	})
}
