// Package feed reads what market operators publish: prices, load and forecasts
// of ERCOT, CAISO OASIS and ENTSO-E, and whatever else comes as CSV or JSON.
//
// A [Feed] knows where its series are and how to read them. The [Poller] asks
// feeds when something is due, backs off when an operator is down, finds gaps
// and repairs them. A [Store] keeps every value with the time it was published
// and received; a value that an operator revises later is a new revision beside
// the old one. The [Book] gives prices to the tariff room, each with its age
// and, when something stood in for it, with what.
//
// Whatever an operator sends, nothing panics, nothing grows without bound, and
// a row that cannot be read is a problem that is told while the others count.
package feed

import (
	"context"
	"errors"
	"fmt"
	"time"

	"ballast/unit"
)

// What can go wrong with an operator.
var (
	// ErrUnavailable reports an operator that is down, slow or cut the reply short.
	ErrUnavailable = errors.New("the operator does not answer")
	// ErrFormat reports a reply that is not in the operator's format.
	ErrFormat = errors.New("not the operator's format")
	// ErrNoData reports an operator that says it has nothing for the time asked for.
	ErrNoData = errors.New("the operator has no data")
	// ErrRefused reports an operator that says the request is wrong or not allowed.
	ErrRefused = errors.New("the operator refuses")
	// ErrUnchanged reports that nothing changed since the last reply.
	ErrUnchanged = errors.New("unchanged")
)

// Quantity is what a series counts.
type Quantity string

// The quantities. A price of energy also has a currency.
const (
	EnergyPrice   Quantity = "price"          // currency per MWh
	CapacityPrice Quantity = "capacity price" // currency per MW and hour
	Load          Quantity = "load"           // MW
)

// Series declares one series.
type Series struct {
	Name     string        // "ercot.rtm.HB_NORTH"
	Quantity Quantity      //
	Currency unit.Currency // of prices
	Interval time.Duration // that the operator publishes now; values say their own
	Publish  Publication   //
	Horizon  time.Duration // values that begin later than this from now cannot be; 0 is three days
	Final    time.Duration // this long after its interval a value is taken as settled; 0 is ten days
}

// Unit is the unit that a person reads: "USD/MWh".
func (s *Series) Unit() string {
	switch s.Quantity {
	case Load:
		return "MW"
	case CapacityPrice:
		return string(s.Currency) + "/MW/h"
	}
	return string(s.Currency) + "/MWh"
}

// Publication says when a value should be there.
type Publication struct {
	DayAhead bool           // all of a day on the day before,
	At       time.Duration  // at this time of the day before on the clock of
	Zone     *time.Location // this zone; otherwise
	Lag      time.Duration  // so long after the interval's end
}

// Due is when the value of an interval should be there.
func (s *Series) Due(start time.Time) time.Time {
	p := s.Publish
	if !p.DayAhead {
		return start.Add(s.Interval + p.Lag)
	}
	loc := p.Zone
	if loc == nil {
		loc = time.UTC
	}
	y, m, d := start.In(loc).Date()
	return time.Date(y, m, d-1, 0, int(p.At.Minutes()), 0, 0, loc)
}

// Point is one value as an operator published it.
type Point struct {
	Series    string
	Start     time.Time
	Length    time.Duration
	Micro     int64     // millionths of the series' unit
	Published time.Time // zero when the operator does not say
}

// Value is a point as we keep it.
type Value struct {
	Point
	Received time.Time
	Revision int // 0 is the first value of its interval
}

// Batch is what a reply holds. Problems tell of rows that were left out.
type Batch struct {
	Points   []Point
	Problems []string
	left     int
}

// enough is how many problems are spelled out.
const enough = 10

func (b *Batch) problem(format string, args ...any) {
	b.left++
	switch {
	case b.left <= enough:
		b.Problems = append(b.Problems, fmt.Sprintf(format, args...))
	case b.left == enough+1:
		b.Problems = append(b.Problems, "and more of this kind")
	}
}

func (b *Batch) join(c Batch) {
	b.Points = append(b.Points, c.Points...)
	for _, p := range c.Problems {
		b.problem("%s", p)
	}
}

// none tells a reply without a single readable row from one without rows.
func (b *Batch) none(rows int) error {
	if rows > 0 && len(b.Points) == 0 && b.left > 0 {
		return fmt.Errorf("%w: none of %d rows can be read: %s", ErrFormat, rows, b.Problems[0])
	}
	return nil
}

// Ask is what is wanted of a feed.
type Ask struct {
	From, To time.Time // intervals that begin in [From, To)
	Fresh    bool      // also what did not change since the last time
}

// Feed is one source of series. Fetch gives the points asked for; it may give
// more. An error may come with the points that could be had.
type Feed interface {
	Name() string
	Series() []Series
	Fetch(ctx context.Context, web *Web, ask Ask) (Batch, error)
}

// Names are the series' names.
func Names(series []Series) []string {
	out := make([]string, len(series))
	for i := range series {
		out[i] = series[i].Name
	}
	return out
}
