package telemetry

import (
	"fmt"
	"slices"
	"time"

	"ballast/miner"
)

// Aggregate says how the samples of a bucket become one number. A sample is one
// number of one row; missing numbers are no samples.
type Aggregate string

// The aggregates.
const (
	Mean     Aggregate = "mean"     // over all samples
	Min      Aggregate = "min"      // over all samples
	Max      Aggregate = "max"      // over all samples
	Sum      Aggregate = "sum"      // over the machines (or boards) of each one's mean: a fleet's hashrate or power
	Samples  Aggregate = "samples"  // how many there are
	Increase Aggregate = "increase" // counters: growth, restarts of the counter seen; summed over machines
	Resets   Aggregate = "resets"   // elapsed times: how often they fell, that is restarts; summed over machines
)

// Lookback is how far before a sample its predecessor may be for Increase and
// Resets. Without one so near, a sample adds nothing: what happened in a long
// silence cannot be told from the counter.
const Lookback = 15 * time.Minute

// GroupBy says what a series is of.
type GroupBy string

// The groupings.
const (
	ByNone     GroupBy = "none" // one series for all
	BySite     GroupBy = "site"
	ByGroup    GroupBy = "group"
	ByModel    GroupBy = "model"
	ByFirmware GroupBy = "firmware" // family
	ByVersion  GroupBy = "version"  // of the firmware
	ByMachine  GroupBy = "machine"
	ByBoard    GroupBy = "board" // machine and slot; board metrics only
)

// Filter keeps rows by what they were at their time. An empty list keeps all.
type Filter struct {
	Machines  []miner.ID       `json:"machines,omitempty"`
	Sites     []string         `json:"sites,omitempty"`
	Groups    []string         `json:"groups,omitempty"`
	Models    []string         `json:"models,omitempty"`
	Firmwares []miner.Firmware `json:"firmwares,omitempty"`
	Versions  []string         `json:"versions,omitempty"`
}

// Match tells whether a machine with these tags passes.
func (f *Filter) Match(id miner.ID, t *Tags) bool {
	return has(f.Machines, id) && has(f.Sites, t.Site) && has(f.Groups, t.Group) && has(f.Models, t.Model) &&
		has(f.Firmwares, t.Firmware) && has(f.Versions, t.Version)
}

func has[T comparable](list []T, v T) bool { return len(list) == 0 || slices.Contains(list, v) }

// Tagged tells whether the filter looks at tags.
func (f *Filter) Tagged() bool {
	return len(f.Sites)+len(f.Groups)+len(f.Models)+len(f.Firmwares)+len(f.Versions) > 0
}

// Query asks for metrics over time.
type Query struct {
	Metrics   []Metric      `json:"metrics"`
	Aggregate Aggregate     `json:"aggregate"`
	GroupBy   GroupBy       `json:"group_by"`        // empty is ByNone
	Bucket    time.Duration `json:"bucket,omitzero"` // whole seconds, aligned to 1970-01-01 UTC; 0 is one bucket from From to To
	From      time.Time     `json:"from"`
	To        time.Time     `json:"to"` // not included
	Filter    Filter        `json:"filter,omitzero"`
	// Limit is the most points of an answer; beyond it the query fails with
	// ErrTooMuch. 0 is DefaultLimit.
	Limit int `json:"limit,omitempty"`
}

// DefaultLimit is the most points of an answer when the query does not say.
const DefaultLimit = 1_000_000

// Result is the answer to a Query.
type Result struct {
	Series []Series `json:"series"` // by metric in the order asked, then by key
	// Resolutions are what the answer was read from, finest first. Coarser than
	// the bucket means that nothing finer is kept: then points are as far apart
	// as the resolution.
	Resolutions []Resolution `json:"resolutions"`
}

// Series is one metric of one group. Buckets without samples have no point.
type Series struct {
	Metric Metric  `json:"metric"`
	Key    Key     `json:"key"`
	Points []Point `json:"points"` // by time
}

// Key names a group: only what GroupBy asked for is filled.
type Key struct {
	Label   string   `json:"label,omitempty"` // site, group, model, firmware or version
	Machine miner.ID `json:"machine,omitempty"`
	Board   int      `json:"board,omitempty"`
}

// Point is one bucket.
type Point struct {
	At      time.Time `json:"at"` // start of the bucket; From when Bucket is 0
	Value   float64   `json:"value"`
	Samples int64     `json:"samples"`
}

// Check tells what is wrong with a query, with ErrInvalid, and fills defaults.
func (q *Query) Check() error {
	if q.GroupBy == "" {
		q.GroupBy = ByNone
	}
	if q.Limit <= 0 {
		q.Limit = DefaultLimit
	}
	switch q.GroupBy {
	case ByNone, BySite, ByGroup, ByModel, ByFirmware, ByVersion, ByMachine, ByBoard:
	default:
		return fmt.Errorf("%w: cannot group by %q", ErrInvalid, q.GroupBy)
	}
	if len(q.Metrics) == 0 {
		return fmt.Errorf("%w: no metric asked for", ErrInvalid)
	}
	for i, m := range q.Metrics {
		if !m.Valid() {
			return fmt.Errorf("%w: %v is no metric", ErrInvalid, m)
		}
		if slices.Contains(q.Metrics[:i], m) {
			return fmt.Errorf("%w: %v asked for twice", ErrInvalid, m)
		}
		if q.GroupBy == ByBoard && !m.OfBoard() {
			return fmt.Errorf("%w: %v is not a board's", ErrInvalid, m)
		}
		if err := q.Aggregate.of(m); err != nil {
			return err
		}
	}
	if q.Bucket < 0 || q.Bucket%time.Second != 0 {
		return fmt.Errorf("%w: a bucket of %v; want whole seconds", ErrInvalid, q.Bucket)
	}
	if q.To.Before(q.From) {
		return fmt.Errorf("%w: from %v to %v", ErrInvalid, q.From, q.To)
	}
	return nil
}

// of tells whether the aggregate can be had of the metric.
func (a Aggregate) of(m Metric) error {
	kind := m.Info().Kind
	var ok bool
	switch a {
	case Samples:
		ok = true
	case Mean, Min, Max, Sum:
		ok = kind != Counter
	case Increase:
		ok = kind == Counter
	case Resets:
		ok = kind == Elapsed
	default:
		return fmt.Errorf("%w: no aggregate is called %q", ErrInvalid, a)
	}
	if !ok {
		return fmt.Errorf("%w: no %s of %v, which is a %s", ErrInvalid, a, m, kind)
	}
	return nil
}

// TopQuery ranks the fleet now.
type TopQuery struct {
	Metric Metric    `json:"metric"`
	N      int       `json:"n"`              // most entries; 0 is all
	Lowest bool      `json:"lowest"`         // lowest first, else highest first
	Since  time.Time `json:"since,omitzero"` // leave out machines whose newest row is older
	Filter Filter    `json:"filter,omitzero"`
}

// Ranked is one entry of a ranking.
type Ranked struct {
	Machine miner.ID `json:"machine"`
	Tags
	Board int       `json:"board"` // slot; -1 for a machine's metric
	Value float64   `json:"value"`
	At    time.Time `json:"at"`
}

// HistoryQuery asks for raw rows of some machines.
type HistoryQuery struct {
	Filter Filter
	From   time.Time
	To     time.Time // not included
}

// FaultQuery asks what machines complained of over time.
type FaultQuery struct {
	From   time.Time
	To     time.Time     // not included
	Bucket time.Duration // whole seconds, aligned to 1970-01-01 UTC
	Filter Filter
}

// FaultCount is how many polls of a machine's bucket complained of just these
// faults.
type FaultCount struct {
	Machine miner.ID
	At      time.Time // start of the bucket
	Bits    uint64    // FaultCodes
	Polls   int64
}

// Check tells what is wrong with the query, with ErrInvalid.
func (q *FaultQuery) Check() error {
	switch {
	case q.Bucket <= 0 || q.Bucket%time.Second != 0:
		return fmt.Errorf("%w: a bucket of %v; want whole seconds", ErrInvalid, q.Bucket)
	case q.To.Before(q.From):
		return fmt.Errorf("%w: from %v to %v", ErrInvalid, q.From, q.To)
	}
	return nil
}

// Format is a file format of exports.
type Format string

// The formats. Every one has the same columns, named as metrics and tags are;
// times are UTC.
const (
	CSV     Format = "csv"
	JSONL   Format = "jsonl" // one JSON object a line; missing numbers are null
	Parquet Format = "parquet"
)

// ExportQuery asks for raw rows in bulk.
type ExportQuery struct {
	Format  Format
	Level   Level     // MachineLevel or BoardLevel
	From    time.Time // zero is the oldest
	To      time.Time // not included; zero is the newest
	Filter  Filter
	Metrics []Metric // of the level; empty is all
}

// Check tells what is wrong with an export, with ErrInvalid, and fills
// defaults.
func (q *ExportQuery) Check() error {
	switch q.Format {
	case CSV, JSONL, Parquet:
	default:
		return fmt.Errorf("%w: no format is called %q", ErrInvalid, q.Format)
	}
	if q.Level != MachineLevel && q.Level != BoardLevel {
		return fmt.Errorf("%w: export rows of level %q; want machine or board", ErrInvalid, q.Level)
	}
	for _, m := range q.Metrics {
		if !m.Valid() || m.OfBoard() != (q.Level == BoardLevel) {
			return fmt.Errorf("%w: %v is not in rows of level %s", ErrInvalid, m, q.Level)
		}
	}
	if len(q.Metrics) == 0 {
		q.Metrics = MachineMetrics()
		if q.Level == BoardLevel {
			q.Metrics = BoardMetrics()
		}
	}
	if q.From.IsZero() {
		q.From = earliest
	}
	if q.To.IsZero() {
		q.To = latest
	}
	if q.To.Before(q.From) {
		return fmt.Errorf("%w: from %v to %v", ErrInvalid, q.From, q.To)
	}
	return nil
}
