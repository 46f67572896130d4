package metering

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// wall is a local time without an offset, as if it were UTC.
type wall = time.Time

// standard is the zone's offset without summer time: the lesser of January's and
// July's.
func standard(zone *time.Location) (string, int) {
	name, a := time.Date(2025, 1, 1, 0, 0, 0, 0, zone).Zone()
	other, b := time.Date(2025, 7, 1, 0, 0, 0, 0, zone).Zone()
	if b < a {
		return other, b
	}
	return name, a
}

// instants are those at which the zone's clock shows w: none where the clock
// skips it, two where it shows it twice.
func instants(w wall, zone *time.Location) []time.Time {
	var out []time.Time
	for _, around := range []time.Duration{-26 * time.Hour, 26 * time.Hour} {
		_, offset := w.Add(around).In(zone).Zone()
		t := w.Add(-time.Duration(offset) * time.Second)
		if _, there := t.In(zone).Zone(); there == offset && !slices.ContainsFunc(out, t.Equal) {
			out = append(out, t)
		}
	}
	slices.SortFunc(out, time.Time.Compare)
	return out
}

// errClock reports a text that is no date or time.
var errClock = errors.New("is no date or time")

// stamped is a cell that was read: a date, a time of day, or both.
type stamped struct {
	wall   wall
	date   bool // it has a date
	clock  bool // it has a time of day
	offset bool // it has an offset: wall is UTC
}

var offsets = map[string]int{"z": 0, "utc": 0, "gmt": 0, "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7, "cet": 1, "cest": 2}

var months = []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}

// moment reads a date, a time of day, or both, in the forms that files have.
func moment(text string, order Dates) (stamped, error) {
	var out stamped
	bad := func() error { return fmt.Errorf("%q %w", clip(text), errClock) }
	s := strings.ToLower(strings.TrimSpace(text))
	if len(s) == 0 || len(s) > 60 {
		return stamped{}, bad()
	}
	// "2026-03-01t00:15:00-06:00": the T between digits parts date and time.
	if i := strings.IndexByte(s, 't'); i > 0 && i+1 < len(s) && digit(s[i-1]) && digit(s[i+1]) {
		s = s[:i] + " " + s[i+1:]
	}
	s = strings.NewReplacer("a.m.", "am", "p.m.", "pm", ", ", " ", ",", " ").Replace(s)
	var year, month, day int
	var seconds int
	var dateParts []string
	half, zone, zoned := "", 0, false
	for w := range strings.FieldsSeq(s) {
		if hours, ok := offsets[w]; ok {
			zone, zoned = hours*3600, true
			continue
		}
		switch {
		case w == "am" || w == "pm":
			half = w
		case strings.Contains(w, ":"):
			for _, h := range []string{"am", "pm"} {
				if rest, ok := strings.CutSuffix(w, h); ok {
					w, half = rest, h
				}
			}
			if rest, ok := strings.CutSuffix(w, "z"); ok {
				w, zoned = rest, true
			} else if i := strings.LastIndexAny(w, "+-"); i > 0 {
				z, err := offsetOf(w[i:])
				if err != nil || zoned {
					return stamped{}, bad()
				}
				w, zone, zoned = w[:i], z, true
			}
			n, err := clockOf(w)
			if err != nil || out.clock {
				return stamped{}, bad()
			}
			seconds, out.clock = n, true
		case (w[0] == '+' || w[0] == '-') && out.clock && !zoned:
			z, err := offsetOf(w)
			if err != nil {
				return stamped{}, bad()
			}
			zone, zoned = z, true
		default:
			dateParts = append(dateParts, w)
		}
	}
	if len(dateParts) > 0 {
		var err error
		if year, month, day, err = dateOf(strings.Join(dateParts, " "), order); err != nil {
			if errors.Is(err, errOrder) {
				return stamped{}, err
			}
			return stamped{}, bad()
		}
		out.date = true
	}
	if !out.date && !out.clock || zoned && !(out.date && out.clock) {
		return stamped{}, bad()
	}
	if half != "" {
		if !out.clock || seconds/3600 > 12 || seconds/3600 == 0 {
			return stamped{}, bad()
		}
		seconds %= 12 * 3600
		if half == "pm" {
			seconds += 12 * 3600
		}
	}
	if out.date {
		out.wall = time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
		if out.wall.Day() != day {
			return stamped{}, bad() // the 31st of April
		}
	} else {
		out.wall = time.Unix(0, 0).UTC()
	}
	out.wall = out.wall.Add(time.Duration(seconds) * time.Second)
	if zoned {
		out.wall, out.offset = out.wall.Add(-time.Duration(zone)*time.Second), true
	}
	return out, nil
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

// clockOf reads "14:30" or "14:30:00" as seconds; the last second of an interval
// ("14:29:59") is its end; 24:00 is the day's.
func clockOf(s string) (int, error) {
	parts := strings.Split(s, ":")
	if len(parts) > 3 {
		return 0, errClock
	}
	if len(parts) == 3 {
		whole, fraction, found := strings.Cut(parts[2], ".")
		if found && strings.Trim(fraction, "0123456789") != "" {
			return 0, errClock
		}
		parts[2] = whole
	}
	var n [3]int
	for i, p := range parts {
		v, err := strconv.Atoi(p)
		if err != nil || v < 0 || len(p) > 2 || i > 0 && v > 59 {
			return 0, errClock
		}
		n[i] = v
	}
	total := n[0]*3600 + n[1]*60 + n[2]
	if n[2] == 59 {
		total++
	}
	if total > 24*3600 {
		return 0, errClock
	}
	return total, nil
}

// offsetOf reads "+02:00", "-0600" or "-06" as seconds.
func offsetOf(s string) (int, error) {
	sign := 1
	if s[0] == '-' {
		sign = -1
	}
	digits := strings.ReplaceAll(s[1:], ":", "")
	if len(digits) == 2 {
		digits += "00"
	}
	v, err := strconv.Atoi(digits)
	if err != nil || len(digits) != 4 || v < 0 || v/100 > 14 || v%100 > 59 {
		return 0, errClock
	}
	return sign * (v/100*3600 + v%100*60), nil
}

// errOrder reports a date whose day and month cannot be told apart.
var errOrder = errors.New("may be month/day or day/month")

// dateOf reads a date.
func dateOf(s string, order Dates) (year, month, day int, err error) {
	parts := strings.FieldsFunc(s, func(r rune) bool { return r == '-' || r == '/' || r == '.' || r == ' ' })
	if len(parts) == 4 && strings.Trim(parts[0], "abcdefghijklmnopqrstuvwxyz") == "" {
		parts = parts[1:] // the name of a weekday
	}
	if len(parts) == 1 && len(parts[0]) == 8 {
		parts = []string{parts[0][:4], parts[0][4:6], parts[0][6:]}
	}
	if len(parts) != 3 {
		return 0, 0, 0, errClock
	}
	named := -1
	var n [3]int
	for i, p := range parts {
		if k := monthNamed(p); k > 0 {
			if named >= 0 {
				return 0, 0, 0, errClock
			}
			named, n[i] = i, k
			continue
		}
		v, err := strconv.Atoi(p)
		if err != nil || v < 0 || len(p) > 4 {
			return 0, 0, 0, errClock
		}
		n[i] = v
	}
	switch {
	case named == 1: // 02-Mar-2026
		day, month, year = n[0], n[1], n[2]
		if len(parts[0]) == 4 {
			day, year = n[2], n[0]
		}
	case named == 0: // Mar 2 2026
		month, day, year = n[0], n[1], n[2]
	case named == 2:
		return 0, 0, 0, errClock
	case len(parts[0]) == 4:
		year, month, day = n[0], n[1], n[2]
	case strings.Contains(s, "."): // 02.03.2026
		day, month, year = n[0], n[1], n[2]
	case order == DayFirst:
		day, month, year = n[0], n[1], n[2]
	case order == MonthFirst:
		month, day, year = n[0], n[1], n[2]
	case n[0] > 12:
		day, month, year = n[0], n[1], n[2]
	case n[1] > 12 || n[0] == n[1]:
		month, day, year = n[0], n[1], n[2]
	default:
		return 0, 0, 0, fmt.Errorf("%q %w", clip(s), errOrder)
	}
	if year < 100 {
		year += 2000
	}
	if month < 1 || month > 12 || day < 1 || day > 31 || year < 1900 || year > 2200 {
		return 0, 0, 0, errClock
	}
	return year, month, day, nil
}

func monthNamed(p string) int {
	if len(p) < 3 {
		return 0
	}
	for i, m := range months {
		if strings.HasPrefix(p, m) {
			return i + 1
		}
	}
	return 0
}

// ordered finds out from all dates of a file whether days or months come first:
// a number above 12 is a day, and so is what changes while the other does not.
func ordered(cells []string) (Dates, bool) {
	day, month, open := false, false, false
	var left, right [32]bool
	for _, c := range cells {
		first, _, _ := strings.Cut(strings.TrimSpace(c), " ")
		if !strings.Contains(first, "/") && !strings.Contains(first, "-") {
			continue
		}
		parts := strings.FieldsFunc(first, func(r rune) bool { return r == '/' || r == '-' })
		if len(parts) != 3 || len(parts[0]) > 2 {
			continue
		}
		a, errA := strconv.Atoi(parts[0])
		b, errB := strconv.Atoi(parts[1])
		switch {
		case errA != nil || errB != nil || a < 1 || b < 1 || a > 31 || b > 31:
			continue
		case a > 12:
			day = true
		case b > 12:
			month = true
		case a != b:
			open = true
		}
		left[a], right[b] = true, true
	}
	if open && !day && !month {
		count := func(set [32]bool) (n int) {
			for _, there := range set {
				if there {
					n++
				}
			}
			return n
		}
		a, b := count(left), count(right)
		day, month = a > 1 && b == 1, b > 1 && a == 1
	}
	switch {
	case day && !month:
		return DayFirst, true
	case month && !day:
		return MonthFirst, true
	}
	return "", !open && !day && !month
}
