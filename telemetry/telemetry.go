// Package telemetry is the door to history: readings go in, history comes out.
//
// A poll of a machine becomes one [Row] ([FromReading]), answered or not: a
// machine that did not answer is a row too, with the [Outcome] and without
// numbers. Rows go into a [Store] in batches ([Batcher] collects them), and a
// batch is on disk when [Store.Append] returns nil.
//
// What comes out is asked for in types, never in a query language:
//
//   - [Store.Query]: metrics over time, aggregated and grouped ([Query]).
//   - [Store.Latest] and [Store.Top]: the fleet now.
//   - [Store.History]: everything of some machines, row by row. Failure
//     prediction reads this.
//   - [Store.Export]: bulk, as CSV, JSON lines or Parquet.
//
// Every number is a [Metric]: a typed constant with a name, a unit, a level and
// a meaning, listed in one table ([Metrics]). The columns of the engines, the
// API, the Prometheus names and the Grafana dashboard all come from that table.
//
// Old readings thin out in steps ([Resolution]): raw rows for days, one-minute
// roll-ups for months, quarter-hours for a year, hours for a decade.
// [Store.Maintain] does the rolling up and the forgetting. A query never says
// which resolution it wants: the engine takes the coarsest that gives the same
// answer as the raw rows, and what is left where the raw rows are gone.
//
// Engines live in subfolders (telemetry/duckdb) and pass one conformance suite,
// telemetry/telemetrytest.
package telemetry

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"ballast/miner"
)

// The ways a store says no. Engines wrap them.
var (
	ErrInvalid = errors.New("invalid query")           // the caller's mistake; retrying is no use
	ErrTooMuch = errors.New("the answer is too large") // ask for wider buckets, fewer groups or a shorter range
	ErrOutside = errors.New("some rows were refused")  // Append: outside the time that is kept, or not whole; the others are stored
	ErrInUse   = errors.New("the store is open in another process")
	ErrClosed  = errors.New("the store is closed")
	ErrUnfit   = errors.New("the store was written by a newer version")
)

// Store is one engine. It is safe for concurrent use, and every method honours
// its context.
type Store interface {
	// Append stores rows, all of them durably when it returns nil. A row is
	// identified by its machine and its time (to the millisecond): a row that
	// is already there is skipped, so that a batch may be sent again after an
	// error or a lost acknowledgement. Rows too old for the raw retention, or
	// more than an hour ahead of the store's clock, and rows that Row.Problem
	// objects to, are refused with ErrOutside while the rest of the batch is
	// stored: sending them again is no use. Late rows go to where their time
	// puts them, and roll-ups follow at the next Maintain.
	Append(ctx context.Context, rows []Row) error

	// Query aggregates metrics over time. An empty store answers with no
	// series, not with an error.
	Query(ctx context.Context, q Query) (Result, error)

	// Latest is the newest row of each machine that passes the filter, by
	// machine. After a restart it knows the machines polled in the last hour
	// before it.
	Latest(ctx context.Context, f Filter) ([]Row, error)

	// Top ranks machines (or boards, for a board metric) by a metric of their
	// newest row. Machines without that number are not in it.
	Top(ctx context.Context, q TopQuery) ([]Ranked, error)

	// History yields the raw rows of the machines in q.Filter, boards included,
	// ordered by day, then machine, then time. An error ends it.
	History(ctx context.Context, q HistoryQuery) iter.Seq2[Row, error]

	// Faults counts the polls that complained, by machine, bucket and what they
	// complained of, ordered so. It reads raw rows: what is older than these
	// are kept is not in it.
	Faults(ctx context.Context, q FaultQuery) ([]FaultCount, error)

	// Export writes raw rows in bulk, one level a file, and tells how many.
	Export(ctx context.Context, w io.Writer, q ExportQuery) (int64, error)

	// Maintain rolls up, compacts, and forgets what retention no longer keeps,
	// as of now. It does a bounded amount of work (seconds), and says in
	// Maintained.More when there is more to do at once. Call it every minute or
	// so from one goroutine; Append and Query go on beside it.
	Maintain(ctx context.Context, now time.Time) (Maintained, error)

	// Stats says what the store holds.
	Stats(ctx context.Context) (Stats, error)

	// Close ends the store after what is running.
	Close() error
}

// Options are what every engine can be told.
type Options struct {
	// Clock tells the time for refusing rows from the future; nil is the wall
	// clock.
	Clock func() time.Time
	// Keep says how long each resolution is kept, in whole days; a zero
	// duration is the default of DefaultKeep, a negative one is forever.
	Keep [Resolutions]time.Duration
}

// DefaultKeep is how long each resolution is kept when nothing else is said:
// raw two weeks, minutes a month, quarter-hours 400 days, hours ten years.
var DefaultKeep = [Resolutions]time.Duration{Raw: 14 * day, Minute: 30 * day, Quarter: 400 * day, Hour: 3650 * day}

const day = 24 * time.Hour

// Keeps is how long a resolution is kept; a negative answer is forever.
func (o Options) Keeps(r Resolution) time.Duration {
	if k := o.Keep[r]; k != 0 {
		return k
	}
	return DefaultKeep[r]
}

// Now is the time by the options' clock.
func (o Options) Now() time.Time {
	if o.Clock != nil {
		return o.Clock()
	}
	return time.Now()
}

// Maintained says what one call of Maintain did.
type Maintained struct {
	RolledUp  int      // roll-up rows written
	Compacted []string // files rewritten in order, by name
	Removed   []string // files that retention removed, by name
	More      bool     // there is work left that could be done now
}

// Stats is what a store holds.
type Stats struct {
	Bytes        int64       `json:"bytes"`          // on disk, everything
	BytesAt      []SizeAt    `json:"bytes_at"`       // by resolution
	MachineRows  int64       `json:"machine_rows"`   // raw
	BoardRows    int64       `json:"board_rows"`     // raw
	Days         int         `json:"days"`           // with raw rows
	MachineDays  int64       `json:"machine_days"`   // pairs of machine and day with raw rows
	PerDay       float64     `json:"per_day"`        // raw bytes of one machine and day, of finished days when there are any
	First        time.Time   `json:"first,omitzero"` // oldest and newest raw row
	Last         time.Time   `json:"last,omitzero"`
	Machines     int         `json:"machines"`      // known now
	Skipped      int64       `json:"skipped"`       // rows that were there already, since opening
	Refused      int64       `json:"refused"`       // rows outside the time that is kept, since opening
	Damaged      []string    `json:"damaged"`       // files put aside, with the reason
	LastAppended time.Time   `json:"last_appended"` // by the store's clock
	Engine       EngineStats `json:"engine"`
}

// SizeAt is the size of one resolution.
type SizeAt struct {
	Resolution Resolution `json:"resolution"`
	Bytes      int64      `json:"bytes"`
	Files      int        `json:"files"`
}

// EngineStats is what an engine tells of itself.
type EngineStats struct {
	Name        string `json:"name"`
	Version     string `json:"version"`
	MemoryBytes int64  `json:"memory_bytes"` // held by the engine, outside Go's heap
}

// Machines is a shorthand for a filter of some machines.
func Machines(ids ...miner.ID) Filter { return Filter{Machines: ids} }
