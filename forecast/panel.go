package forecast

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// Panel is the past of one market: days in a row, none missing.
type Panel struct {
	Market string
	First  time.Time          // the first day, midnight UTC as a calendar date
	Price  [][Hours]float64   // of each day; currency units per MWh
	Known  [][][Hours]float64 // series, then day: what was published before the day's prices were
	Names  []string           // of the known series
}

// Days is how many days the panel has.
func (p *Panel) Days() int { return len(p.Price) }

// Date is the calendar date of day d.
func (p *Panel) Date(d int) time.Time { return p.First.AddDate(0, 0, d) }

// day is the calendar date of day d as a number that does not depend on where
// the panel begins.
func (p *Panel) day(d int) int { return int(p.First.Unix()/86400) + d }

// weekend tells whether day d is a Saturday or a Sunday.
func (p *Panel) weekend(d int) bool {
	w := p.Date(d).Weekday()
	return w == time.Saturday || w == time.Sunday
}

// week is the middle and the spread of the prices of the seven days before day d.
func week(p *Panel, d int) scale {
	v := make([]float64, 0, 7*Hours)
	for _, day := range p.Price[d-7 : d] {
		v = append(v, day[:]...)
	}
	return newScale(v)
}

// The ways in which dates are written in the open benchmark's files.
var stamps = []string{"2006-01-02 15:04:05", "2006-01-02 15:04", "2006/1/2 15:04", "2006/1/2 15:04:05", "2006-01-02T15:04:05", "02/01/2006 15:04", time.RFC3339}

// ReadEPF reads one market of the open access benchmark (Lago, Marcjasz, De
// Schutter and Weron, Applied Energy 293, 2021): a header, then one line an
// hour: date, price, and the two series known ahead. Further columns are no part
// of the benchmark and left out. Hours must follow each other without a gap from
// midnight on; the error says which line does not.
func ReadEPF(r io.Reader, market string) (*Panel, error) {
	const known = 2
	in := csv.NewReader(bufio.NewReader(r))
	in.FieldsPerRecord, in.TrimLeadingSpace, in.ReuseRecord = -1, true, true
	header, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("reading the header: %w", err)
	}
	if len(header) < 2+known {
		return nil, fmt.Errorf("line 1: %d columns, want date, price and %d series known ahead: %w", len(header), known, ErrFormat)
	}
	p := &Panel{Market: market, Known: make([][][Hours]float64, known)}
	for _, name := range header[2 : 2+known] {
		p.Names = append(p.Names, strings.TrimSpace(name))
	}
	var form string
	for line, hour := 2, 0; ; line, hour = line+1, hour+1 {
		rec, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w: %w", line, ErrFormat, err)
		}
		if len(rec) < 2+known {
			return nil, fmt.Errorf("line %d: %d columns, want %d: %w", line, len(rec), 2+known, ErrFormat)
		}
		at, f, err := stamp(rec[0], form)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		form = f
		if hour == 0 {
			if at.Hour() != 0 {
				return nil, fmt.Errorf("line %d: the first hour is %s, want midnight: %w", line, rec[0], ErrFormat)
			}
			p.First = at
		}
		if want := p.First.Add(time.Duration(hour) * time.Hour); !at.Equal(want) {
			return nil, fmt.Errorf("line %d: %s follows where %s should: %w", line, rec[0], want.Format(stamps[0]), ErrFormat)
		}
		h := hour % Hours
		if h == 0 {
			p.Price = append(p.Price, [Hours]float64{})
			for k := range p.Known {
				p.Known[k] = append(p.Known[k], [Hours]float64{})
			}
		}
		d := len(p.Price) - 1
		for c := range 1 + known {
			v, err := strconv.ParseFloat(strings.TrimSpace(rec[1+c]), 64)
			if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("line %d, column %d: %q is no number: %w", line, 2+c, rec[1+c], ErrFormat)
			}
			if c == 0 {
				p.Price[d][h] = v
			} else {
				p.Known[c-1][d][h] = v
			}
		}
		if h == Hours-1 {
			continue
		}
	}
	if n := len(p.Price); n == 0 {
		return nil, fmt.Errorf("no hours: %w", ErrFormat)
	}
	return p, nil
}

func stamp(s, form string) (time.Time, string, error) {
	s = strings.TrimSpace(s)
	if form != "" {
		if t, err := time.Parse(form, s); err == nil {
			return t, form, nil
		}
	}
	for _, f := range stamps {
		if t, err := time.Parse(f, s); err == nil {
			return t.UTC(), f, nil
		}
	}
	return time.Time{}, "", fmt.Errorf("%q is no date and time: %w", s, ErrFormat)
}
