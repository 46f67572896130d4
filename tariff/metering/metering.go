// Package metering reads what utilities and market operators give to their
// customers as files: interval data of a revenue meter, as CSV in the forms that
// are about or as Green Button (ESPI, Atom XML), and the positions that were
// awarded in a day-ahead market.
//
// It guesses nothing that moves money: where a file can be read in two ways, the
// answer is a [Problem] that says which choice in [How] settles it. A file with
// a problem has no readings to use.
package metering

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrFormat reports a file that cannot be read at all.
var ErrFormat = errors.New("the file cannot be read")

// How a file is to be read. Zero fields are found out from the file.
type How struct {
	Zone     *time.Location // whose clock local times are on; nil is UTC
	Clock    Clock
	Stamp    Stamp
	Dates    Dates
	Unit     string        // "Wh", "kWh", "MWh", "kW" or "MW"
	Interval time.Duration // of a reading
	Meter    string        // name of readings that name none
}

// Clock is what the local times of a file follow.
type Clock string

// The clocks.
const (
	Local    Clock = ""         // the zone's, with its summer time
	Standard Clock = "standard" // the zone's without summer time, as many meters run
	UTC      Clock = "utc"
)

// Stamp is which end of an interval a file's times are.
type Stamp string

// The stamps. The zero one is found out.
const (
	Starts Stamp = "start"
	Ends   Stamp = "end"
)

// Dates is the order of numbers in dates such as 03/04/2026.
type Dates string

// The orders. The zero one is found out.
const (
	MonthFirst Dates = "mdy"
	DayFirst   Dates = "dmy"
)

// Bounds of what is read. A year of 5-minute readings of four meters is 420,000.
const (
	MaxBytes    = 24 << 20
	maxReadings = 600_000
	maxProblems = 200
)

// Problem is why a file cannot be used, and what to do about it.
type Problem struct {
	Line  int    `json:"line,omitempty" doc:"Of the file; 0: the whole of it."`
	What  string `json:"what"`
	Do    string `json:"do,omitempty" doc:"What to do about it."`
	Field string `json:"field,omitempty" doc:"The choice that settles it: clock, stamp, dates, unit, interval or zone."`
}

// String is "line 12: ...; ...".
func (p Problem) String() string {
	out := p.What
	if p.Line > 0 {
		out = fmt.Sprintf("line %d: %s", p.Line, p.What)
	}
	if p.Do != "" {
		out += ": " + p.Do
	}
	return out
}

// Reading is what one meter counted over a span of time, or a position awarded.
type Reading struct {
	Meter     string
	Start     time.Time // UTC, whole seconds
	Length    time.Duration
	Value     int64 // joules of a meter; watts of an award
	Estimated bool  // by the utility
	Line      int
}

// End is when it ends.
func (r *Reading) End() time.Time { return r.Start.Add(r.Length) }

// Gap is a span without readings between others of a meter.
type Gap struct {
	Meter string    `json:"meter"`
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
}

// Meter is what a file has of one meter.
type Meter struct {
	Name      string        `json:"name"`
	From      time.Time     `json:"from"`
	To        time.Time     `json:"to"`
	Interval  time.Duration `json:"-"`
	Minutes   int           `json:"interval_min"`
	Readings  int           `json:"readings"`
	Estimated int           `json:"estimated"`
	Joules    int64         `json:"-"`
	MWh       float64       `json:"mwh"`
}

// File is a file as it was understood.
type File struct {
	Format   string    `json:"format" doc:"In words."`
	Zone     string    `json:"zone" doc:"Whose clock its local times are taken to be on."`
	Readings []Reading `json:"-"`
	Meters   []Meter   `json:"meters"`
	Gaps     []Gap     `json:"gaps" doc:"Spans without readings between others, at most 100."`
	Missing  int       `json:"missing" doc:"Intervals that these gaps would hold."`
	Doubles  int       `json:"doubles" doc:"Rows that repeat another; they count once."`
	Remarks  []string  `json:"remarks" doc:"What was understood, or left out."`
	Problems []Problem `json:"problems" doc:"Why it cannot be used. Empty: it can."`

	how   How
	zone  *time.Location
	award bool
	adds  bool // rows of one interval are summed
}

func (f *File) problem(line int, field, do, format string, args ...any) {
	if len(f.Problems) < maxProblems {
		f.Problems = append(f.Problems, Problem{Line: line, What: fmt.Sprintf(format, args...), Do: do, Field: field})
	}
}

func (f *File) remark(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(f.Remarks, text) {
		f.Remarks = append(f.Remarks, text)
	}
}

// ReadMeter reads a utility's interval data. The error is for what is no such
// file; everything that is wrong with one is in File.Problems.
func ReadMeter(data []byte, how How) (*File, error) { return read(data, how, false) }

// ReadAwards reads day-ahead positions: site or point, hour and MW or MWh. Rows
// of one hour that differ in a bid or a point are summed; offers that were taken
// are negative.
func ReadAwards(data []byte, how How) (*File, error) {
	if how.Interval == 0 {
		how.Interval = time.Hour
	}
	return read(data, how, true)
}

func read(data []byte, how How, award bool) (*File, error) {
	if len(data) > MaxBytes {
		return nil, fmt.Errorf("%d bytes, at most %d: split the file: %w", len(data), MaxBytes, ErrFormat)
	}
	if how.Zone == nil {
		how.Zone = time.UTC
	}
	switch how.Unit {
	case "", "Wh", "kWh", "MWh", "kW", "MW":
	default:
		return nil, fmt.Errorf("unit %q: want Wh, kWh, MWh, kW or MW: %w", how.Unit, ErrFormat)
	}
	if how.Interval != 0 && !plausible(how.Interval) {
		return nil, fmt.Errorf("intervals of %v: want 5, 10, 15, 20, 30 or 60 minutes: %w", how.Interval, ErrFormat)
	}
	f := &File{how: how, award: award, zone: how.Zone, Zone: how.Zone.String(), Meters: []Meter{}, Gaps: []Gap{}, Remarks: []string{}, Problems: []Problem{}}
	switch how.Clock {
	case Standard:
		_, offset := standard(how.Zone)
		f.zone = time.FixedZone("", offset)
		f.Zone = how.Zone.String() + " without summer time"
	case UTC:
		f.zone, f.Zone = time.UTC, "UTC"
	case Local:
	default:
		return nil, fmt.Errorf("clock %q: want standard, utc or nothing: %w", how.Clock, ErrFormat)
	}
	text, err := decode(data)
	if err != nil {
		return nil, err
	}
	if head := bytes.TrimSpace(text[:min(len(text), 512)]); bytes.HasPrefix(head, []byte("<")) {
		if award {
			return nil, fmt.Errorf("awards are read from CSV: %w", ErrFormat)
		}
		err = f.readESPI(text)
	} else {
		err = f.readTable(text)
	}
	if err != nil {
		return nil, err
	}
	f.finish()
	return f, nil
}

// plausible tells whether meters have intervals of this length.
func plausible(d time.Duration) bool {
	switch d {
	case 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 20 * time.Minute, 30 * time.Minute, time.Hour:
		return true
	}
	return false
}

// finish sorts the readings, drops what repeats, and finds what overlaps and
// what is missing.
func (f *File) finish() {
	if len(f.Readings) == 0 && len(f.Problems) == 0 {
		f.problem(0, "", "see that it is the utility's interval data, not a bill or daily totals", "there is no reading in it")
	}
	slices.SortStableFunc(f.Readings, func(a, b Reading) int {
		return cmp.Or(cmp.Compare(a.Meter, b.Meter), a.Start.Compare(b.Start))
	})
	out := f.Readings[:0]
	for _, r := range f.Readings {
		n := len(out)
		if n == 0 || out[n-1].Meter != r.Meter {
			out = append(out, r)
			continue
		}
		was := &out[n-1]
		switch {
		case !r.Start.Before(was.End()):
			out = append(out, r)
		case f.adds && r.Start.Equal(was.Start) && r.Length == was.Length:
			was.Value += r.Value
		case r.Start.Equal(was.Start) && r.Length == was.Length && r.Value == was.Value:
			f.Doubles++
		case r.Start.Equal(was.Start) && r.Length == was.Length:
			f.problem(r.Line, "", "take the wrong line out, or give the meters different names in a column \"meter\"", "%s is there twice with different values, first in line %d", f.local(r.Start), was.Line)
		default:
			f.problem(r.Line, "interval", "see that all readings of a meter are of one interval", "%s, %v long, overlaps line %d: %s, %v long", f.local(r.Start), r.Length, was.Line, f.local(was.Start), was.Length)
		}
	}
	f.Readings = out
	for i := range out {
		r := &out[i]
		if i == 0 || out[i-1].Meter != r.Meter {
			f.Meters = append(f.Meters, Meter{Name: r.Meter, From: r.Start, Interval: r.Length, Minutes: int(r.Length / time.Minute)})
		} else if gap := r.Start.Sub(out[i-1].End()); gap > 0 {
			if len(f.Gaps) < 100 {
				f.Gaps = append(f.Gaps, Gap{r.Meter, out[i-1].End(), r.Start})
			}
			f.Missing += int(gap / r.Length)
		}
		m := &f.Meters[len(f.Meters)-1]
		m.To = r.End()
		m.Readings++
		if r.Estimated {
			m.Estimated++
		}
		m.Joules += r.Value
		if f.award {
			m.MWh += float64(r.Value) * r.Length.Hours() / 1e6
		} else {
			m.MWh += float64(r.Value) / 3.6e9
		}
	}
	if f.Doubles > 0 {
		f.remark("%d rows repeat another and count once", f.Doubles)
	}
}

// local is an instant as a person at the site reads it.
func (f *File) local(t time.Time) string { return t.In(f.zone).Format("2006-01-02 15:04 -07:00") }

// put adds a reading, when it can be one.
func (f *File) put(r Reading) {
	switch {
	case len(f.Readings) >= maxReadings:
		if len(f.Readings) == maxReadings {
			f.problem(r.Line, "", "split the file", "there are more than %d readings", maxReadings)
		}
		return
	case !plausible(r.Length):
		f.problem(r.Line, "interval", "meters count over 5, 10, 15, 20, 30 or 60 minutes", "a reading %v long", r.Length)
		return
	case r.Start.Unix()%int64(5*time.Minute/time.Second) != 0:
		f.problem(r.Line, "stamp", "see that times lie on whole intervals", "a reading that begins at %s", f.local(r.Start))
		return
	case r.Value < 0 && !f.award:
		f.problem(r.Line, "", "upload what was delivered to the site, without what it fed back", "a negative reading at %s", f.local(r.Start))
		return
	case r.Start.Year() < 2000 || r.Start.Year() > 2100:
		f.problem(r.Line, "dates", "", "a reading of the year %d", r.Start.Year())
		return
	}
	f.Readings = append(f.Readings, r)
}

// Given makes a file of readings that were given one by one.
func Given(list []Reading, zone *time.Location) (*File, error) {
	if len(list) > maxReadings {
		return nil, fmt.Errorf("%d readings, at most %d: %w", len(list), maxReadings, ErrFormat)
	}
	f := &File{Format: "entered", how: How{Zone: zone}, zone: zone, Zone: zone.String(), award: true, Meters: []Meter{}, Gaps: []Gap{}, Remarks: []string{}, Problems: []Problem{}}
	for i, r := range list {
		r.Line, r.Meter, r.Start = i+1, "award", r.Start.UTC()
		if r.Value > maxWatts || r.Value < -maxWatts {
			f.problem(r.Line, "", "", "%d W is more than a site can draw", r.Value)
			continue
		}
		f.put(r)
	}
	f.finish()
	return f, nil
}
