// Package prom is telemetry's Prometheus face: a /metrics page ([Handler]) and
// remote write ([Remote]).
//
// # Names
//
// A metric of telemetry's table becomes ballast_machine_… or ballast_board_…,
// in base units with the unit as suffix (watts, celsius, volts, amperes, hertz,
// seconds, ratio), and _total for counters: telemetry.Metric.Prometheus. Two
// units have no base unit that people use and stay: rpm and liters_per_minute.
// Hashrate is hashes_per_second, not terahashes, by the same convention; write
// /1e12 in a query for TH/s.
//
// Labels: machine (its number, or a name of the caller's), site, model and
// firmware on every series of a machine, board and fan where they apply. Group
// and firmware version are on ballast_machine_info, to be joined. Series of the
// fleet have site and model, or site and state.
//
// A machine that does not answer has ballast_machine_up 0 and none of the
// numbers it would have told: missing is missing.
//
// # Size
//
// Nothing is kept between scrapes: a page is written straight from the newest
// rows. Ten thousand machines are about 350,000 series at the detail "machine"
// and 900,000 at "board".
package prom

import (
	"context"
	"fmt"
	"strconv"

	"ballast/miner"
	"ballast/telemetry"
)

// Detail is how fine the series are. Each level has those before it.
type Detail string

// The levels.
const (
	Fleet   Detail = "fleet"   // totals by site and model
	Machine Detail = "machine" // every machine
	Board   Detail = "board"   // every hash board
)

// Valid tells whether d is one of the levels.
func (d Detail) Valid() bool { return d == Fleet || d == Machine || d == Board }

// Source is where the newest rows come from; every telemetry.Store is one.
type Source interface {
	Latest(ctx context.Context, f telemetry.Filter) ([]telemetry.Row, error)
}

var _ Source = telemetry.Store(nil)

// naming names a machine for the label "machine".
type naming func(miner.ID) string

func (n naming) of(id miner.ID) string {
	if n != nil {
		return n(id)
	}
	return strconv.FormatInt(int64(id), 10)
}

// checked is what Handler and Remote refuse.
func checked(d Detail, s Source) error {
	if !d.Valid() {
		return fmt.Errorf("no detail is called %q: want fleet, machine or board", d)
	}
	if s == nil {
		return fmt.Errorf("no source of rows")
	}
	return nil
}
