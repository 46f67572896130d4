package telemetry

import (
	"fmt"
	"math"
	"slices"
	"time"

	"ballast/miner"
	"ballast/unit"
)

// Tags are what rows are grouped and filtered by, as they were at the time of
// the row. Empty is a value too: a machine without a group.
type Tags struct {
	Site     string         `json:"site,omitempty"`
	Group    string         `json:"group,omitempty"`
	Model    string         `json:"model,omitempty"`
	Firmware miner.Firmware `json:"firmware,omitempty"` // family
	Version  string         `json:"version,omitempty"`  // of the firmware, as told
}

// Row is one poll of one machine: what it was, what it told, and of each board.
// Copies of a Row share its numbers; do not change one after appending it.
type Row struct {
	Machine miner.ID `json:"machine"`
	Tags
	At          time.Time         `json:"at"` // when the result was known; kept to the millisecond
	Outcome     Outcome           `json:"outcome"`
	State       miner.State       `json:"state,omitempty"` // empty when the machine did not answer
	PowerSource miner.PowerSource `json:"power_source,omitempty"`
	Mode        string            `json:"mode,omitempty"`
	Profile     string            `json:"profile,omitempty"`
	Tuning      string            `json:"tuning,omitempty"` // the tuner's own words
	Faults      FaultSummary      `json:"faults,omitzero"`
	WarningBits uint8             `json:"warning_bits,omitempty"` // kinds of Reading.Warnings: WarningKinds
	Boards      []BoardRow        `json:"boards,omitempty"`       // by Index

	values values
}

// BoardRow is one hash board of a Row.
type BoardRow struct {
	Index  int          `json:"index"` // slot from 0
	Serial string       `json:"serial,omitempty"`
	Faults FaultSummary `json:"faults,omitzero"`

	values values
}

// MaxBoards is the most boards that a row carries.
const MaxBoards = 16

// values are the numbers of a row by slot; NaN, or beyond the end, is missing.
// NaN never leaves this package: the doors are Get and Set.
type values []float64

func (v values) get(i int) unit.Opt[float64] {
	if i < len(v) && !math.IsNaN(v[i]) {
		return unit.Some(v[i])
	}
	return unit.None[float64]()
}

func (v *values) set(i, slots int, x float64) {
	if len(*v) == 0 {
		*v = make(values, slots)
		for k := range *v {
			(*v)[k] = math.NaN()
		}
	}
	(*v)[i] = x
}

// Get is a number of the machine in the metric's unit. Board metrics are
// missing here: they are in Boards.
func (r *Row) Get(m Metric) unit.Opt[float64] {
	if !m.Valid() || m.OfBoard() {
		return unit.None[float64]()
	}
	return r.values.get(m.slot())
}

// Set keeps a number of the machine, rounded as the table says. What cannot be
// kept (not finite, out of range, a board's metric) becomes missing.
func (r *Row) Set(m Metric, v float64) {
	if m.Valid() && !m.OfBoard() {
		r.values.set(m.slot(), machineSlots, m.Round(v))
	}
}

// Get is a number of the board in the metric's unit.
func (b *BoardRow) Get(m Metric) unit.Opt[float64] {
	if !m.OfBoard() {
		return unit.None[float64]()
	}
	return b.values.get(m.slot())
}

// Set keeps a number of the board, rounded as the table says.
func (b *BoardRow) Set(m Metric, v float64) {
	if m.OfBoard() {
		b.values.set(m.slot(), boardSlots, m.Round(v))
	}
}

// Values are the machine's numbers in column order (MachineMetrics), NaN where
// missing, for engines. Read only; shorter than the columns when the rest is
// missing.
func (r *Row) Values() []float64 { return r.values }

// Values are the board's numbers in column order (BoardMetrics), for engines.
func (b *BoardRow) Values() []float64 { return b.values }

// Due is when the poll was due, when that is known.
func (r *Row) Due() unit.Opt[time.Time] {
	if d, ok := r.Get(PollDelay).Get(); ok {
		return unit.Some(r.At.Add(-time.Duration(d * float64(time.Second))))
	}
	return unit.None[time.Time]()
}

// Equal tells whether two rows say the same, to the millisecond and the
// rounding of the table.
func (r *Row) Equal(o *Row) bool {
	if r.Machine != o.Machine || r.Tags != o.Tags || r.At.UnixMilli() != o.At.UnixMilli() || r.Outcome != o.Outcome ||
		r.State != o.State || r.PowerSource != o.PowerSource || r.Mode != o.Mode || r.Profile != o.Profile || r.Tuning != o.Tuning ||
		r.Faults != o.Faults || r.WarningBits != o.WarningBits || !r.values.equal(o.values) {
		return false
	}
	return slices.EqualFunc(r.Boards, o.Boards, func(a, b BoardRow) bool {
		return a.Index == b.Index && a.Serial == b.Serial && a.Faults == b.Faults && a.values.equal(b.values)
	})
}

func (v values) equal(o values) bool {
	for i := range max(len(v), len(o)) {
		if v.get(i) != o.get(i) {
			return false
		}
	}
	return true
}

// Problem tells why an engine must not keep the row, or is nil.
func (r *Row) Problem() error {
	switch {
	case r.Machine <= 0:
		return fmt.Errorf("%w: a row without a machine", ErrInvalid)
	case r.At.Before(earliest) || r.At.After(latest):
		return fmt.Errorf("%w: machine %d at %v", ErrInvalid, r.Machine, r.At)
	case len(r.Boards) > MaxBoards:
		return fmt.Errorf("%w: machine %d with %d boards", ErrInvalid, r.Machine, len(r.Boards))
	}
	for i, b := range r.Boards {
		if b.Index < 0 || b.Index > math.MaxUint8 || i > 0 && r.Boards[i-1].Index >= b.Index {
			return fmt.Errorf("%w: machine %d: boards are not in order of their slots", ErrInvalid, r.Machine)
		}
	}
	return nil
}

// Times that rows may have at all.
var (
	earliest = time.Date(2009, 1, 3, 0, 0, 0, 0, time.UTC) // the genesis block
	latest   = time.Date(2199, 1, 1, 0, 0, 0, 0, time.UTC)
)
