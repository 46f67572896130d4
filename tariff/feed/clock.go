package feed

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Operators write local time, and say in a column of their own which of the two
// hours they mean when the clock goes back.

// wall gives the instants at which the clock of loc shows a time: none when the
// clock skips it, two when it shows it twice, in order.
func wall(y int, m time.Month, d, hour, minute int, loc *time.Location) []time.Time {
	guess := time.Date(y, m, d, hour, minute, 0, 0, loc)
	var out []time.Time
	// Zones change by an hour, some by half an hour; the guess is right in one of
	// the two offsets.
	for _, off := range []time.Duration{-time.Hour, -30 * time.Minute, 0, 30 * time.Minute, time.Hour} {
		t := guess.Add(off)
		ty, tm, td := t.Date()
		if ty == y && tm == m && td == d && t.Hour() == hour && t.Minute() == minute {
			out = append(out, t)
		}
	}
	return out
}

// hourEnding is the start of the hour that ends at an hour of the day, 1 to 24.
// repeated says that the second of two hours of the same name is meant.
func hourEnding(date time.Time, hour int, repeated bool, loc *time.Location) (time.Time, error) {
	if hour < 1 || hour > 24 {
		return time.Time{}, fmt.Errorf("hour ending %d: want 1 to 24", hour)
	}
	y, m, d := date.Date()
	at := wall(y, m, d, hour-1, 0, loc)
	switch {
	case len(at) == 0:
		return time.Time{}, fmt.Errorf("%s has no hour ending %d: the clock skips it", date.Format(time.DateOnly), hour)
	case !repeated:
		return at[0], nil
	case len(at) == 1:
		return time.Time{}, fmt.Errorf("the hour ending %d of %s is not repeated", hour, date.Format(time.DateOnly))
	}
	return at[1], nil
}

// day reads "01/15/2025" or "2025-01-15".
func day(s string) (time.Time, error) {
	s = strings.TrimSpace(s)
	for _, layout := range []string{"01/02/2006", time.DateOnly, "1/2/2006", "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, years(t)
		}
	}
	return time.Time{}, fmt.Errorf("%.40q is no day", s)
}

// years refuses what no market can mean.
func years(t time.Time) error {
	if t.Year() < 1990 || t.Year() > 2200 {
		return fmt.Errorf("a time in the year %d", t.Year())
	}
	return nil
}

// clockHour reads "01:00", "24:00", "1" or 1.
func clockHour(s string) (int, error) {
	hh, mm, ok := strings.Cut(strings.TrimSpace(s), ":")
	h, err := strconv.Atoi(hh)
	if err != nil || ok && strings.Trim(mm, "0:") != "" {
		return 0, fmt.Errorf("%.40q is no hour", s)
	}
	return h, nil
}

// flag reads "Y", "N", "true", "false" or nothing, which is no.
func flag(s string) (bool, error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "y", "yes", "true", "1":
		return true, nil
	case "n", "no", "false", "0", "":
		return false, nil
	}
	return false, fmt.Errorf("%.40q is neither yes nor no", s)
}
