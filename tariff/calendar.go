package tariff

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Calendar declares which days are holidays.
type Calendar struct {
	Name  string    `yaml:"name"`
	Rules []Holiday `yaml:"rules"` // "nerc", "01-06", "last mon of may", "easter+1"
	Days  []Date    `yaml:"days"`  // single days that are holidays as well
	Not   []Date    `yaml:"not"`   // days that the rules would make holidays, and are none
}

// Has tells whether a day is a holiday.
func (c *Calendar) Has(d Date) bool {
	if slices.Contains(c.Not, d) {
		return false
	}
	return slices.Contains(c.Days, d) || slices.ContainsFunc(c.Rules, func(h Holiday) bool { return h.on(d) })
}

// Holiday is a rule for a yearly holiday.
type Holiday struct {
	text string
	on   func(Date) bool
}

// nerc are the six NERC holidays. New Year's Day, Independence Day and
// Christmas move to Monday when they fall on a Sunday, and stay on a Saturday
// (NERC, "Additional Off-peak Days").
func nerc(d Date) bool {
	fixed := func(m time.Month, day int) bool {
		h := Date{d.Year, m, day}
		if h.In(time.UTC).Weekday() == time.Sunday {
			h = h.AddDays(1)
		}
		return d == h
	}
	return fixed(time.January, 1) || fixed(time.July, 4) || fixed(time.December, 25) ||
		nthWeekday(d, -1, time.Monday, time.May) || nthWeekday(d, 1, time.Monday, time.September) ||
		nthWeekday(d, 4, time.Thursday, time.November)
}

// nthWeekday tells whether d is the nth such weekday of the month; -1 is the
// last.
func nthWeekday(d Date, n int, w time.Weekday, m time.Month) bool {
	if d.Month != m || d.In(time.UTC).Weekday() != w {
		return false
	}
	if n < 0 {
		return d.AddDays(7).Month != m
	}
	return (d.Day-1)/7+1 == n
}

// easter is Easter Sunday of the Gregorian calendar (Meeus, Jones and Butcher).
func easter(year int) Date {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	f := (b + 8) / 25
	g := (b - f + 1) / 3
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 22*l) / 451
	n := h + l - 7*m + 114
	return Date{year, time.Month(n / 31), n%31 + 1}
}

// UnmarshalText reads "nerc", "01-06", "4th thu of nov", "last mon of may" or
// "easter+1".
func (h *Holiday) UnmarshalText(b []byte) error {
	text := strings.ToLower(strings.Join(strings.Fields(string(b)), " "))
	h.text = text
	if text == "nerc" {
		h.on = nerc
		return nil
	}
	if rest, ok := strings.CutPrefix(text, "easter"); ok {
		n, err := 0, error(nil)
		if rest != "" {
			n, err = strconv.Atoi(rest)
		}
		if err == nil && n >= -100 && n <= 100 {
			h.on = func(d Date) bool { return d == easter(d.Year).AddDays(n) }
			return nil
		}
	}
	var md MonthDay
	if md.UnmarshalText([]byte(text)) == nil {
		h.on = func(d Date) bool { return d.Month == md.Month && d.Day == md.Day }
		return nil
	}
	words := strings.Split(text, " ")
	if len(words) == 4 && words[2] == "of" {
		n := slices.Index([]string{"last", "", "1st", "2nd", "3rd", "4th", "5th"}, words[0]) - 1
		w := slices.Index(dayNames, words[1])
		m := monthNamed(words[3])
		if words[0] != "" && n >= -1 && w >= 0 && m > 0 {
			h.on = func(d Date) bool { return nthWeekday(d, n, time.Weekday(w), m) }
			return nil
		}
	}
	return fmt.Errorf("%q: want a holiday such as %q, %q, %q or %q", b, "nerc", "01-06", "last mon of may", "easter+1")
}

// MarshalText writes the rule as it was declared.
func (h Holiday) MarshalText() ([]byte, error) { return []byte(h.text), nil }

func monthNamed(s string) time.Month {
	for m := time.January; m <= time.December; m++ {
		name := strings.ToLower(m.String())
		if len(s) >= 3 && strings.HasPrefix(name, s) {
			return m
		}
	}
	return 0
}

// Season is a part of the year, both days included; it may pass New Year. The
// first season of a contract that holds a day is that day's.
type Season struct {
	Name string   `yaml:"name"`
	From MonthDay `yaml:"from"`
	To   MonthDay `yaml:"to"`
}

func (s *Season) has(d Date) bool {
	o, from, to := int(d.Month)*100+d.Day, s.From.ordinal(), s.To.ordinal()
	if from <= to {
		return o >= from && o <= to
	}
	return o >= from || o <= to
}

// What a period does on a holiday.
const (
	HolidaysIgnored = ""      // holidays are days like others
	HolidaysExclude = "never" // the period has none of a holiday
	HolidaysOnly    = "only"  // the period is on holidays only
	HolidaysInclude = "also"  // the period's hours on holidays too, whatever weekday
)

// Period names a part of the week and year by the local clock: "summer peak".
// On a 23 hour day the hour that the clock skips is in no period; on a 25 hour
// day both hours of the same name are.
type Period struct {
	Name     string   `yaml:"name"`
	Seasons  []string `yaml:"seasons"`  // empty is the whole year
	Days     Days     `yaml:"days"`     // empty is all
	Hours    []Hours  `yaml:"hours"`    // empty is the whole day; past midnight means both ends of the same day
	Holidays string   `yaml:"holidays"` // "", "never", "only" or "also"
	Calendar string   `yaml:"calendar"` // whose holidays; needed when Holidays is not ""

	calendar *Calendar
	seasons  []*Season
}

// moment is an instant on the local clock.
type moment struct {
	date    Date
	weekday time.Weekday
	minute  int
}

func momentOf(t time.Time) moment {
	h, m, _ := t.Clock()
	return moment{DateOf(t), t.Weekday(), h*60 + m}
}

func (p *Period) has(c *Contract, m moment) bool {
	if len(p.seasons) > 0 {
		s := c.season(m.date)
		if s == nil || !slices.Contains(p.seasons, s) {
			return false
		}
	}
	day := p.Days.has(m.weekday)
	if p.calendar != nil {
		holiday := p.calendar.Has(m.date)
		switch p.Holidays {
		case HolidaysExclude:
			day = day && !holiday
		case HolidaysOnly:
			day = day && holiday
		case HolidaysInclude:
			day = day || holiday
		}
	}
	if !day {
		return false
	}
	return len(p.Hours) == 0 || slices.ContainsFunc(p.Hours, func(h Hours) bool { return h.has(m.minute) })
}

func (c *Contract) season(d Date) *Season {
	for i := range c.Seasons {
		if c.Seasons[i].has(d) {
			return &c.Seasons[i]
		}
	}
	return nil
}
