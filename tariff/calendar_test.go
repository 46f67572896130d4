package tariff

import (
	"slices"
	"testing"
	"time"
)

func TestNERCHolidays(t *testing.T) {
	// NERC, "Additional Off-peak Days": a holiday on a Sunday moves to Monday, one
	// on a Saturday stays.
	for year, want := range map[int][]string{
		2021: {"2021-01-01", "2021-05-31", "2021-07-05", "2021-09-06", "2021-11-25", "2021-12-25"},
		2022: {"2022-01-01", "2022-05-30", "2022-07-04", "2022-09-05", "2022-11-24", "2022-12-26"},
		2023: {"2023-01-02", "2023-05-29", "2023-07-04", "2023-09-04", "2023-11-23", "2023-12-25"},
		2026: {"2026-01-01", "2026-05-25", "2026-07-04", "2026-09-07", "2026-11-26", "2026-12-25"},
	} {
		var rule Holiday
		if err := rule.UnmarshalText([]byte("nerc")); err != nil {
			t.Fatal(err)
		}
		c := Calendar{Rules: []Holiday{rule}}
		var got []string
		for d := (Date{year, time.January, 1}); d.Year == year; d = d.AddDays(1) {
			if c.Has(d) {
				got = append(got, d.String())
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d: %v, want %v", year, got, want)
		}
	}
}

func TestHolidayRules(t *testing.T) {
	for rule, day := range map[string]string{
		"12-24": "2026-12-24", "easter": "2026-04-05", "easter+1": "2026-04-06", "Easter-2": "2026-04-03",
		"last mon of may": "2026-05-25", "3rd Mon of January": "2026-01-19", "1st fri of jun": "2026-06-05",
	} {
		var h Holiday
		if err := h.UnmarshalText([]byte(rule)); err != nil {
			t.Error(err)
			continue
		}
		c := Calendar{Rules: []Holiday{h}}
		d, _ := ParseDate(day)
		if !c.Has(d) || c.Has(d.AddDays(1)) || c.Has(d.AddDays(-7)) {
			t.Errorf("%s on %v", rule, d)
		}
		c.Not = []Date{d}
		if c.Has(d) {
			t.Errorf("%v is excepted", d)
		}
	}
	for _, rule := range []string{"", "13-01", "6th mon of may", "last day of may", "easter+1000", "christmas", "last mon of m"} {
		var h Holiday
		if err := h.UnmarshalText([]byte(rule)); err == nil {
			t.Errorf("%q is a holiday", rule)
		}
	}
}

func TestPeriods(t *testing.T) {
	c, err := Parse([]byte(`name: test
currency: USD
zone: America/Chicago
interval: 15m
periods:
  - {name: night, hours: "22:00-06:00"}
  - {name: off-peak, days: weekends, holidays: also, calendar: nerc}
  - {name: holiday, holidays: only, calendar: nerc}
  - {name: on-peak, days: mon-fri, hours: ["06:00-22:00"], holidays: never, calendar: nerc}
  - {name: winter morning, seasons: cold, hours: "06:00-09:00"}
calendars:
  - {name: nerc, rules: [nerc], days: [2026-12-24]}
seasons:
  - {name: cold, from: 12-01, to: 02-28}
versions:
  - from: 2025-01-01
    parts:
      - {name: Energy, kind: fixed, price: $1/MWh}
`))
	if err != nil {
		t.Fatal(err)
	}
	for when, want := range map[string][]string{
		"2026-07-03 05:45": {"night"},
		"2026-07-03 06:00": {"on-peak"},
		"2026-07-03 22:00": {"night"},
		"2026-07-04 12:00": {"off-peak", "holiday"},                   // Saturday
		"2026-11-26 12:00": {"off-peak", "holiday"},                   // Thursday
		"2026-12-24 07:00": {"off-peak", "holiday", "winter morning"}, // declared
		"2027-02-28 08:59": {"off-peak", "winter morning"},            // Sunday
		"2027-03-01 08:00": {"on-peak"},
	} {
		var got []string
		for i := range c.Periods {
			if c.Periods[i].has(c, momentOf(at(t, when))) {
				got = append(got, c.Periods[i].Name)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
	}
}

func TestMonthsHaveTheirHours(t *testing.T) {
	for m, hours := range map[Month]float64{march: 743, july: 744, november: 721, {2028, time.February}: 696} {
		from, to := m.Span(texas())
		if got := to.Sub(from).Hours(); got != hours {
			t.Errorf("%v: %v h", m, got)
		}
	}
	if got := (Month{2026, time.January}).Add(-1); got != (Month{2025, time.December}) {
		t.Error(got)
	}
}
