// Package duckdb is the embedded telemetry engine: DuckDB in this process, one
// database file for each UTC day of raw rows.
//
// The folder of a store:
//
//	store.duckdb                     holds the lock: one process at a time
//	raw/2026-11-23.g0.duckdb         raw rows of a day (tables machine and board)
//	minute/2026-11-23.g0.duckdb      one-minute roll-ups of a day
//	quarter/2026-11.g0.duckdb        quarter-hours of a month
//	hour/2026.g0.duckdb              hours of a year
//	damaged/                         files that could not be read, put aside
//	tmp/                             spill files and files being built
//
// Forgetting removes a file, since deleting rows frees no disk. A finished
// file is rewritten in the order of machines, which halves it; the rewritten
// file has the next generation (g1) and takes the place of the older one when
// it is renamed into the folder. After a crash the highest generation counts.
//
// Every file stands alone: texts (tags, board serials, profiles) are small
// numbers in the rows and spelled out in the file's tables tags and words. The
// views readings and boards put it together for people with the duckdb command.
//
// Durability: an Append is one transaction per day, in DuckDB's write-ahead log
// with fsync before it returns. The log goes into the file from Maintain, not
// from Append, so that no poll waits for it.
package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	driverduckdb "github.com/duckdb/duckdb-go/v2"

	"ballast/miner"
	"ballast/telemetry"
)

// Options are the engine's own, besides those of every engine.
type Options struct {
	telemetry.Options
	Dir    string       // of the store; made when it is not there
	Memory string       // limit of DuckDB's memory, "256MB" when empty; less is too little for roll-ups
	Log    *slog.Logger // nil is silent
	// CompactAfter is how long after its end a file is rewritten in order, two
	// hours when 0: late readings come first.
	CompactAfter time.Duration
	// RollUpEvery is how much time a roll-up of minutes takes in at once, five
	// minutes when 0. Younger rows are read raw.
	RollUpEvery time.Duration
	// Gentle makes a roll-up of what has just come pause as long as it works,
	// statement by statement, so that others get the processor between.
	Gentle bool
}

// Engine limits. Two threads leave the other cores to polling.
const (
	threads       = 2
	parallelReads = 4
	// walAuto is where DuckDB itself checkpoints within a commit: a backstop
	// for callers that forget Maintain.
	walAuto = "512MB"
	// walLimit is where Maintain checkpoints. Commits wait for a checkpoint (a
	// quarter of a second at 1,000 machines a second), so it is to be rare: here
	// once in 85 s at that rate. Reading the log back after a crash takes about
	// a second.
	walLimit = 16 << 20
	// rolledWALLimit is where a roll-up is checkpointed, which nobody waits for.
	rolledWALLimit = 8 << 20
)

// Store is the engine. See telemetry.Store.
type Store struct {
	opt Options
	log *slog.Logger

	// engine is held for reading by every operation, and for writing to
	// reopen DuckDB after an error that it does not survive.
	engine sync.RWMutex
	db     *sql.DB
	files  *catalog
	w      *writer

	writing chan struct{} // held by the one Append at work
	upkeep  chan struct{} // held by the one Maintain at work
	reading chan struct{} // places for queries

	newest  telemetry.Newest
	rewrite *rewrite // in progress, owned by upkeep
	finer   int      // how often upkeep halved its pieces, owned by upkeep
	skipped atomic.Int64
	refused atomic.Int64
	touched atomic.Int64 // time of the last Append, Unix ms

	closed  bool // under engine
	version string
}

var _ telemetry.Store = (*Store)(nil)

// Open opens the store in opt.Dir, making it when it is not there. Files that
// cannot be read are put aside (Stats tells which and why) and the rest opens.
func Open(ctx context.Context, opt Options) (*Store, error) {
	s := &Store{opt: opt, log: opt.Log, writing: make(chan struct{}, 1), upkeep: make(chan struct{}, 1), reading: make(chan struct{}, parallelReads)}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if opt.Memory == "" {
		s.opt.Memory = "256MB"
	}
	if opt.CompactAfter == 0 {
		s.opt.CompactAfter = 2 * time.Hour
	}
	if opt.RollUpEvery == 0 {
		s.opt.RollUpEvery = 5 * time.Minute
	}
	if err := s.open(ctx); err != nil {
		return nil, fmt.Errorf("opening the telemetry store %s: %w", opt.Dir, err)
	}
	return s, nil
}

// open starts DuckDB and attaches what is in the folder.
func (s *Store) open(ctx context.Context) (err error) {
	for _, sub := range append([]string{"tmp", "damaged"}, folders[:]...) {
		if err := os.MkdirAll(filepath.Join(s.opt.Dir, sub), 0o750); err != nil {
			return err
		}
	}
	connector, err := driverduckdb.NewConnector("", nil)
	if err != nil {
		return fmt.Errorf("starting duckdb: %w", err)
	}
	s.db = sql.OpenDB(connector)
	s.db.SetMaxOpenConns(parallelReads + 4)
	s.db.SetMaxIdleConns(parallelReads + 4)
	defer func() {
		if err != nil {
			err = errors.Join(err, s.db.Close())
		}
	}()
	for _, set := range []string{
		fmt.Sprintf("SET threads = %d", threads),
		"SET memory_limit = " + quote(s.opt.Memory),
		"SET temp_directory = " + quote(filepath.Join(s.opt.Dir, "tmp")),
		"SET checkpoint_threshold = " + quote(walAuto),
		"SET preserve_insertion_order = false",
		"SET autoinstall_known_extensions = false",
		"SET autoload_known_extensions = false",
	} {
		if _, err := s.db.ExecContext(ctx, set); err != nil {
			return fmt.Errorf("setting up duckdb (%s): %w", set, err)
		}
	}
	if err := s.lock(ctx); err != nil {
		return err
	}
	if err := s.db.QueryRowContext(ctx, "SELECT version()").Scan(&s.version); err != nil {
		return err
	}
	if s.files, err = openCatalog(ctx, s); err != nil {
		return err
	}
	if s.w, err = newWriter(ctx, s); err != nil {
		return err
	}
	return s.remember(ctx)
}

// lock attaches the file whose lock stands for the whole store, and checks that
// this version can read it.
func (s *Store) lock(ctx context.Context) error {
	path := filepath.Join(s.opt.Dir, "store.duckdb")
	attach := "ATTACH " + quote(path) + " AS store"
	_, err := s.db.ExecContext(ctx, attach)
	if err != nil && strings.Contains(err.Error(), "Could not set lock") {
		return fmt.Errorf("%w: %w", telemetry.ErrInUse, err)
	}
	if err != nil {
		// The file holds nothing but the version: a damaged one is replaced.
		s.log.Warn("replacing the damaged lock file of the telemetry store", "error", err)
		if err := errors.Join(os.Remove(path), removeIfThere(path+".wal")); err != nil {
			return err
		}
		if _, err := s.db.ExecContext(ctx, attach); err != nil {
			return err
		}
	}
	if _, err := s.db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS store.meta (version INTEGER)"); err != nil {
		return err
	}
	var version sql.NullInt64
	if err := s.db.QueryRowContext(ctx, "SELECT max(version) FROM store.meta").Scan(&version); err != nil {
		return err
	}
	switch {
	case !version.Valid:
		_, err = s.db.ExecContext(ctx, "INSERT INTO store.meta VALUES (?)", schemaVersion)
		return err
	case version.Int64 > schemaVersion:
		return fmt.Errorf("%w: its version is %d, this program knows %d", telemetry.ErrUnfit, version.Int64, schemaVersion)
	}
	return nil
}

// begin takes part in the life of the engine; end with the returned function.
func (s *Store) begin(ctx context.Context) (end func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.engine.RLock()
	if s.closed {
		s.engine.RUnlock()
		return nil, telemetry.ErrClosed
	}
	return s.engine.RUnlock, nil
}

// take waits for a place in a semaphore.
func take(ctx context.Context, places chan struct{}) error {
	select {
	case places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// revive reopens DuckDB after an error that it does not survive (a full disk
// within a checkpoint is one). What was acknowledged is on disk.
func (s *Store) revive(ctx context.Context, cause error) error {
	s.engine.Lock()
	defer s.engine.Unlock()
	if s.closed {
		return telemetry.ErrClosed
	}
	s.log.Error("reopening the telemetry store", "cause", cause)
	s.rewrite = nil
	s.w.close()
	err := s.db.Close()
	if err2 := s.open(context.WithoutCancel(ctx)); err2 != nil {
		s.closed = true
		return errors.Join(fmt.Errorf("reopening the telemetry store: %w", err2), err)
	}
	return nil
}

// dead tells whether DuckDB will not recover from err by itself.
func dead(err error) bool {
	return err != nil && strings.Contains(err.Error(), "has been invalidated")
}

// withMemory adds to an error for want of memory what held it.
func (s *Store) withMemory(ctx context.Context, err error) error {
	if !outOfMemory(err) {
		return err
	}
	var held string
	if s.db.QueryRowContext(ctx, "SELECT coalesce(string_agg(tag || ' ' || memory_usage_bytes // 1048576 || ' MiB', ', ' ORDER BY memory_usage_bytes DESC), '') FROM duckdb_memory() WHERE memory_usage_bytes >= 1048576").
		Scan(&held) != nil {
		return err
	}
	return fmt.Errorf("%w (held by %s)", err, held)
}

// outOfMemory tells whether a statement did not fit into the memory limit.
func outOfMemory(err error) bool {
	var e *driverduckdb.Error
	return errors.As(err, &e) && (e.Type == driverduckdb.ErrorTypeOutOfMemory || strings.Contains(e.Msg, "could not allocate block") ||
		strings.Contains(e.Msg, "failed to pin block"))
}

// damage tells whether err says that a file cannot be read.
func damage(err error) bool {
	var e *driverduckdb.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Type {
	case driverduckdb.ErrorTypeIO, driverduckdb.ErrorTypeSerialization, driverduckdb.ErrorTypeInternal, driverduckdb.ErrorTypeFatal:
		return strings.Contains(e.Msg, "Corrupt") || strings.Contains(e.Msg, "checksum") || strings.Contains(e.Msg, "read enough bytes") ||
			strings.Contains(e.Msg, "valid DuckDB") || strings.Contains(e.Msg, "deserialize") || strings.Contains(e.Msg, "WAL")
	}
	return false
}

// Close ends the store.
func (s *Store) Close() error {
	s.engine.Lock()
	defer s.engine.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.w.close()
	var errs []error
	for _, f := range s.files.list() {
		// Detaching writes the log into the file.
		if _, err := s.db.ExecContext(context.Background(), "DETACH "+f.alias); err != nil {
			errs = append(errs, fmt.Errorf("closing %s: %w", f.name, err))
		}
	}
	return errors.Join(append(errs, s.db.Close())...)
}

// Latest is the newest row of each machine.
func (s *Store) Latest(ctx context.Context, f telemetry.Filter) ([]telemetry.Row, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	return s.newest.Latest(f), nil
}

// Top ranks the fleet now.
func (s *Store) Top(ctx context.Context, q telemetry.TopQuery) ([]telemetry.Ranked, error) {
	end, err := s.begin(ctx)
	if err != nil {
		return nil, err
	}
	defer end()
	return s.newest.Top(q)
}

// remember fills what is kept in memory from the newest files: the newest rows,
// and for each machine the time up to which rows can be there.
func (s *Store) remember(ctx context.Context) error {
	s.newest = telemetry.Newest{}
	files := s.files.of(telemetry.Raw)
	if len(files) == 0 {
		return nil
	}
	newest := files[len(files)-1]
	rows, err := s.db.QueryContext(ctx, "SELECT machine, max(ts) FROM "+newest.alias+".machine GROUP BY machine")
	if err != nil {
		return fmt.Errorf("reading the newest times of %s: %w", newest.name, err)
	}
	defer rows.Close()
	last := int64(0)
	for rows.Next() {
		var id miner.ID
		var ts int64
		if err := rows.Scan(&id, &ts); err != nil {
			return err
		}
		s.w.last[id] = ts
		last = max(last, ts)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	from := time.UnixMilli(last).Add(-time.Hour)
	for _, f := range files[max(len(files)-2, 0):] {
		err := s.scan(ctx, f, scanQuery{span: telemetry.SpanOf(from, time.UnixMilli(last+1)), newestOnly: true}, func(r telemetry.Row) error {
			s.newest.Add([]telemetry.Row{r})
			return nil
		})
		if err != nil {
			return fmt.Errorf("reading the newest rows of %s: %w", f.name, err)
		}
	}
	return nil
}

// run runs a statement on a connection and names it in the error.
func run(ctx context.Context, c interface {
	ExecContext(context.Context, string, ...any) (sql.Result, error)
}, what, statement string, args ...any) error {
	if _, err := c.ExecContext(ctx, statement, args...); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
