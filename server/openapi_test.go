package server

import (
	"database/sql"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"ballast/alarm/watch"
	"ballast/fleet"
	"ballast/ledger/secretbox"
	"ballast/ledger/sqlite"
	"ballast/telemetry/duckdb"
)

// bare is a server on an empty record and an empty history.
func bare(t *testing.T, set ...func(*Options)) *Server {
	t.Helper()
	record, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { record.Close() })
	log := slog.New(slog.DiscardHandler)
	history, err := duckdb.Open(t.Context(), duckdb.Options{Dir: filepath.Join(t.TempDir(), "telemetry")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { history.Close() })
	f := fleet.New(fleet.Reach{}, record, "site", time.Second, log)
	box, err := secretbox.Open(filepath.Join(t.TempDir(), "secret.key"))
	if err != nil {
		t.Fatal(err)
	}
	alarms := watch.New(watch.Options{Fleet: f, Record: record, Box: box, URL: "http://ballast.example", Site: "site", Log: log})
	if err := alarms.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	o := Options{Fleet: f, Alarms: alarms, Record: record, History: history, Version: "1", Metrics: http.NotFoundHandler(), Log: log, Site: "site",
		Web: fstest.MapFS{"index.html": {Data: []byte("<title>page</title>")}, "assets/a.js": {Data: []byte("1")}}}
	for _, f := range set {
		f(&o)
	}
	return New(o)
}

// rawRecord is a way past the record into its database, for playing an intruder.
func rawRecord(t *testing.T, s *Server) *sql.DB {
	t.Helper()
	store, ok := s.Record.(*sqlite.Store)
	if !ok {
		t.Fatal("the record is no SQLite file")
	}
	return store.Writer()
}

// The committed description is the server's.
func TestOpenAPIIsCommitted(t *testing.T) {
	got, err := bare(t).OpenAPI(false)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../docs/openapi.yaml")
	if err != nil || string(got) != string(want) {
		if os.Getenv("BALLAST_UPDATE") != "" {
			if err := os.WriteFile("../docs/openapi.yaml", got, 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
		t.Errorf("docs/openapi.yaml is not what the server serves (%v); run: go run ./cmd/ballast openapi > docs/openapi.yaml", err)
	}
}
