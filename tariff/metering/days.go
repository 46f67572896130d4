package metering

import (
	"fmt"
	"math/big"
	"slices"
	"time"
)

// counted is a value of a day that is known by its place in the day.
type counted struct {
	line   int
	index  int  // from midnight, in lengths of the interval
	second bool // said to be the second of an hour that comes twice
	value  *big.Rat
	flag   string
	unit   string
	sold   bool
}

// dayKey is a day of a meter.
type dayKey struct {
	meter string
	day   wall
}

// lay gives the values of a day their instants. Days of 23 and 25 hours are
// numbered in one of two ways: by the clock, which skips or repeats an hour, or
// by counting on; the day itself shows which.
func (f *File) lay(k dayKey, list []counted, length time.Duration) {
	begin, end := midnight(k.day, f.zone), midnight(k.day.AddDate(0, 0, 1), f.zone)
	have, usual := int(end.Sub(begin)/length), int(24*time.Hour/length)
	present := map[int]bool{}
	most := -1
	for _, c := range list {
		present[c.index] = true
		most = max(most, c.index)
	}
	counting := false
	if have > usual {
		counting = most >= usual
	} else if have < usual && most < have {
		for i := range usual {
			counting = counting || present[i] && len(instants(k.day.Add(time.Duration(i)*length), f.zone)) == 0
		}
	}
	taken := map[int64]bool{}
	for _, c := range list {
		var at time.Time
		if counting {
			if c.index >= have {
				if c.value.Sign() != 0 {
					f.problem(c.line, "clock", "see whether the file is on another clock", "%s has %d intervals, and there is a value for number %d", k.day.Format(time.DateOnly), have, c.index+1)
				}
				continue
			}
			at = begin.Add(time.Duration(c.index) * length)
		} else {
			if c.index >= usual {
				if c.value.Sign() != 0 {
					f.problem(c.line, "clock", "see whether the file is on another clock", "%s has %d intervals, and there is a value for number %d", k.day.Format(time.DateOnly), have, c.index+1)
				}
				continue
			}
			w := k.day.Add(time.Duration(c.index) * length)
			could := instants(w, f.zone)
			switch {
			case len(could) == 0:
				f.skipped(c.line, w, c.value)
				continue
			case c.second && len(could) < 2:
				if c.value.Sign() != 0 {
					f.problem(c.line, "clock", "see whether the file is on another clock", "%s is marked as an hour that comes twice, and it does not", w.Format("2006-01-02 15:04"))
				}
				continue
			case c.second:
				at = could[1]
			default:
				at = could[0]
				// Of one hour twice without a mark, the second comes later in the file;
				// rows that add up (bids of one hour) are no second hour.
				if taken[at.Unix()] && len(could) > 1 && !f.adds {
					at = could[1]
				}
			}
		}
		taken[at.Unix()] = true
		f.take(c, k.meter, at, length)
	}
}

// take puts a value down.
func (f *File) take(c counted, meter string, at time.Time, length time.Duration) {
	v, err := f.value(c.value, c.unit, length)
	if err != nil {
		f.problem(c.line, "unit", "see whether the unit is right", "%v", err)
		return
	}
	if c.sold {
		v = -v
	}
	f.put(Reading{Meter: meter, Start: at.UTC(), Length: length, Value: v, Estimated: f.estimated(c.flag), Line: c.line})
}

// skipped deals with a value at a time that the clock skips.
func (f *File) skipped(line int, w wall, v *big.Rat) {
	if v.Sign() == 0 {
		f.remark("a zero at a time that the clock skips (%s) is left out", w.Format("2006-01-02 15:04"))
		return
	}
	f.problem(line, "clock", "the file may be in standard time all year, or in UTC: choose its clock", "%s does not exist on the clock of %s", w.Format("2006-01-02 15:04"), f.Zone)
}

// midnight is when a day begins.
func midnight(day wall, zone *time.Location) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), 0, 0, 0, 0, zone)
}

// readDays reads a table of a row a day.
func (f *File) readDays(c columns, head row, body []row, mayComma bool) error {
	length, labels, err := f.slotLength(c)
	if err != nil {
		f.problem(head.line, "interval", "", "%v", err)
		return nil
	}
	dates := c.date
	if dates < 0 {
		dates = max(c.stamp, c.start)
	}
	var cells, numbers []string
	for _, r := range body {
		cells = append(cells, r.cell(dates))
		for _, s := range c.slots[:min(8, len(c.slots))] {
			if v := r.cell(s.at); v != "" {
				numbers = append(numbers, v)
			}
		}
	}
	order, ok := f.order(cells)
	if !ok {
		return nil
	}
	comma := mayComma && hasDecimalComma(numbers)
	days := map[dayKey][]counted{}
	var keys []dayKey
	for _, r := range body {
		unit, use := f.unitFor(c, r, "")
		if !use {
			continue
		}
		when, err := moment(r.cell(dates), order)
		if err != nil || !when.date {
			if totals(r) {
				continue
			}
			f.problem(r.line, "dates", "", "%q is no date", clip(r.cell(dates)))
			continue
		}
		k := dayKey{f.meterOf(c, r, ""), when.wall.Truncate(24 * time.Hour)}
		if _, there := days[k]; !there {
			keys = append(keys, k)
		} else {
			f.problem(r.line, "", "take the wrong row out, or give the meters different names in a column \"meter\"", "%s is there twice", k.day.Format(time.DateOnly))
			continue
		}
		list := []counted{}
		for i, s := range c.slots {
			text := r.cell(s.at)
			if absent(text) {
				continue
			}
			v, err := amount(text, comma)
			if err != nil {
				f.problem(r.line, "", "", "column %q: %v", clip(head.cell(s.at)), err)
				continue
			}
			list = append(list, counted{line: r.line, index: labels[i].index, second: labels[i].second, value: v, flag: r.cell(c.quality), unit: unit})
		}
		days[k] = list
	}
	for _, k := range keys {
		f.lay(k, days[k], length)
	}
	return nil
}

type label struct {
	index  int
	second bool
}

// slotLength is the interval of a row a day, and where in the day each column is.
func (f *File) slotLength(c columns) (time.Duration, []label, error) {
	n := len(c.slots)
	var length time.Duration
	switch {
	case n >= 23 && n <= 25:
		length = time.Hour
	case n >= 46 && n <= 50:
		length = 30 * time.Minute
	case n >= 92 && n <= 100:
		length = 15 * time.Minute
	case n >= 276 && n <= 300:
		length = 5 * time.Minute
	default:
		return 0, nil, fmt.Errorf("%d columns of a day: want 24, 48, 96 or 288, and as many more for an hour that comes twice", n)
	}
	clocked := !slices.ContainsFunc(c.slots, func(s slot) bool { return s.minute < 0 })
	if !clocked && slices.ContainsFunc(c.slots, func(s slot) bool { return s.minute >= 0 }) {
		return 0, nil, fmt.Errorf("some columns of the day are numbered and some have times")
	}
	out := make([]label, n)
	seen := map[int]bool{}
	zero := !clocked && c.slots[0].number == 0
	for i, s := range c.slots {
		index := s.number - 1
		if zero {
			index++
		}
		if clocked {
			minutes := int(length / time.Minute)
			if s.minute%minutes != 0 {
				return 0, nil, fmt.Errorf("a column for %02d:%02d among %d of a day", s.minute/60, s.minute%60, n)
			}
			index = s.minute / minutes
			if c.slots[0].minute > 0 { // the ends
				if index == 0 && i > 0 {
					index = int(24 * time.Hour / length)
				}
				index--
			}
		}
		if index < 0 {
			return 0, nil, fmt.Errorf("column %d of the day has no place in it", i+1)
		}
		second := s.second || seen[index]
		seen[index] = true
		out[i] = label{index, second}
	}
	return length, out, nil
}
