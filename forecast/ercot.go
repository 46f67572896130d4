package forecast

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"
)

// Series is a file of one row an interval: when it begins and the columns that
// were asked for, NaN where empty.
type Series struct {
	At     []time.Time
	Values [][]float64 // row, then column as asked for
}

// ReadSeries reads a CSV with a header whose first column is the beginning of an
// interval with its offset from UTC, rising. Columns are named; the error says
// which line or column is wrong.
func ReadSeries(r io.Reader, columns ...string) (*Series, error) {
	in := csv.NewReader(r)
	in.FieldsPerRecord, in.TrimLeadingSpace, in.ReuseRecord = -1, true, true
	head, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("reading the header: %w: %w", ErrFormat, err)
	}
	at := make([]int, len(columns))
	for i, want := range columns {
		at[i] = -1
		for c, name := range head {
			if strings.TrimSpace(name) == want {
				at[i] = c
			}
		}
		if at[i] < 1 {
			return nil, fmt.Errorf("line 1: no column %s: %w", want, ErrFormat)
		}
	}
	s := &Series{}
	for line := 2; ; line++ {
		rec, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w: %w", line, ErrFormat, err)
		}
		t, err := time.Parse("2006-01-02 15:04:05Z07:00", strings.TrimSpace(rec[0]))
		if err != nil {
			if t, err = time.Parse(time.RFC3339, strings.TrimSpace(rec[0])); err != nil {
				return nil, fmt.Errorf("line %d: %q is no date and time with an offset: %w", line, rec[0], ErrFormat)
			}
		}
		if n := len(s.At); n > 0 && !t.After(s.At[n-1]) {
			return nil, fmt.Errorf("line %d: %s does not follow %s: %w", line, rec[0], s.At[n-1], ErrFormat)
		}
		row := make([]float64, len(columns))
		for i, c := range at {
			row[i] = math.NaN()
			if c >= len(rec) || strings.TrimSpace(rec[c]) == "" {
				continue
			}
			v, err := strconv.ParseFloat(strings.TrimSpace(rec[c]), 64)
			if err != nil || math.IsInf(v, 0) {
				return nil, fmt.Errorf("line %d: %s is %q: %w", line, columns[i], rec[c], ErrFormat)
			}
			row[i] = v
		}
		s.At, s.Values = append(s.At, t.UTC()), append(s.Values, row)
	}
	if len(s.At) == 0 {
		return nil, fmt.Errorf("no rows: %w", ErrFormat)
	}
	return s, nil
}

// Ticks lays a real-time series on a grid of slots, with the day-ahead prices
// (column 0) and what else was known ahead (the other columns) of their hours.
func Ticks(rt, hourly *Series, slot time.Duration) []Tick {
	known := len(hourly.Values[0]) - 1
	ahead := make(map[int64][]float64, len(hourly.At))
	for i, t := range hourly.At {
		ahead[t.Unix()/3600] = hourly.Values[i]
	}
	var out []Tick
	i := 0
	for at := rt.At[0]; !at.After(rt.At[len(rt.At)-1]); at = at.Add(slot) {
		t := Tick{At: at, Price: math.NaN(), Ahead: math.NaN(), Known: make([]float64, known)}
		for i < len(rt.At) && rt.At[i].Before(at) {
			i++
		}
		if i < len(rt.At) && rt.At[i].Equal(at) {
			t.Price = rt.Values[i][0]
		}
		for k := range t.Known {
			t.Known[k] = math.NaN()
		}
		if v, ok := ahead[at.Unix()/3600]; ok {
			t.Ahead = v[0]
			copy(t.Known, v[1:])
		}
		out = append(out, t)
	}
	return out
}

// Hourlies are the rows of a series whose first column is the price.
func (s *Series) Hourlies() []Hourly {
	out := make([]Hourly, len(s.At))
	for i, t := range s.At {
		out[i] = Hourly{At: t, Price: s.Values[i][0], Known: s.Values[i][1:]}
	}
	return out
}
