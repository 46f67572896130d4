package sqlite_test

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"ballast/ledger"
	"ballast/ledger/ledgertest"
	"ballast/ledger/migrations"
	"ballast/ledger/sqlite"
)

func open(t testing.TB, clock func() time.Time) ledgertest.Opened {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger #1?.db") // a name that a URL would take apart
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{Clock: clock})
	if err != nil {
		t.Fatal(err)
	}
	raw := rawDB(t, path)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return ledgertest.Opened{Store: s, Raw: raw}
}

func TestConformance(t *testing.T) { ledgertest.Run(t, open) }

func rawDB(t testing.TB, path string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: "_pragma=busy_timeout(10000)"}).String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestMigrations(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	ledgertest.RunMigrations(t, migrations.SQLite, rawDB(t, path), func() (ledger.Store, error) {
		return sqlite.Open(t.Context(), path, sqlite.Options{})
	})
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ledger.db")
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, name := range []string{"ledger.db", "ledger.db-wal", "ledger.db-shm"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v %v", name, info.Mode(), err)
		}
	}
	// What makes a written row last is a setting of the connection: read it back.
	for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal", "foreign_keys": "1"} {
		if got := s.Pragma(t, pragma); got != want {
			t.Errorf("%s is %s, want %s", pragma, got, want)
		}
	}
	if _, err := sqlite.Open(t.Context(), filepath.Join(dir, "no", "such", "place.db"), sqlite.Options{}); err == nil {
		t.Error("opened a file in a directory that is not there")
	}
	text := filepath.Join(dir, "text.db")
	if err := os.WriteFile(text, []byte("this is no database, however long it may be"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sqlite.Open(t.Context(), text, sqlite.Options{}); err == nil {
		t.Error("opened a file that is no database")
	}
}

// A second process may work on the ledger: both wait for each other.
func TestTwoStores(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	var stores []*sqlite.Store
	for range 2 {
		s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		stores = append(stores, s)
	}
	var wg sync.WaitGroup
	for i, s := range stores {
		wg.Go(func() {
			for k := range 30 {
				if err := s.SetSetting(t.Context(), fmt.Sprint(i), fmt.Sprint(k), ledger.By("alice")); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if head, err := stores[0].VerifyAudit(t.Context()); err != nil || head.Seq != 60 {
		t.Errorf("audit log: %+v, %v", head, err)
	}
}

func TestBackup(t *testing.T) {
	dir := t.TempDir()
	s, err := sqlite.Open(t.Context(), filepath.Join(dir, "ledger.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i := range 50 {
		if err := s.SetSetting(t.Context(), fmt.Sprint(i), "v", ledger.By("alice")); err != nil {
			t.Fatal(err)
		}
	}
	// Writing goes on meanwhile.
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			if err := s.SetSetting(t.Context(), "busy", fmt.Sprint(i), ledger.By("bob")); err != nil {
				t.Error(err)
				return
			}
		}
	})
	copied := filepath.Join(dir, "backup.db")
	err = s.Backup(t.Context(), copied)
	close(stop)
	wg.Wait()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Backup(t.Context(), copied); !errors.Is(err, os.ErrExist) {
		t.Errorf("over an older backup: %v", err)
	}
	if info, err := os.Stat(copied); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("backup: %v %v", info, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.part")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	b, err := sqlite.Open(t.Context(), copied, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if head, err := b.VerifyAudit(t.Context()); err != nil || head.Seq < 50 {
		t.Errorf("audit log of the backup: %+v, %v", head, err)
	}
	if v, err := b.Setting(t.Context(), "49"); err != nil || v != "v" {
		t.Errorf("setting in the backup: %q, %v", v, err)
	}
}

func BenchmarkSQLite(b *testing.B) { ledgertest.Bench(b, open) }
