package tariff

import (
	"errors"
	"strings"
	"testing"
)

func TestEveryProblemIsNamedWithItsPlace(t *testing.T) {
	_, err := Parse([]byte(`name: ""
currency: dollars
zone: Local
interval: 7m
rounding: down
seasons:
  - {name: summer, from: 06-01}
periods:
  - {name: peak, hours: "14:03-20:00", seasons: [winter]}
  - {name: peak, holidays: never}
peaks:
  - {name: cp, series: load, interval: 15m, rules: [{since: 2026, groups: [{months: [13], count: 0}]}, {since: 2026}]}
meter: {missing: [guess]}
versions:
  - from: 2026-01-01
    to: 2025-01-01
    losses: 80%
    parts:
      - {name: A, kind: magic}
      - {name: A, kind: index, price: $1/MWh}
      - {name: B, kind: ppa, take: use, blocks: [{power: 0W, price: €1/MWh}], sell_back: {series: rtm, fallback: {series: rtm, hold: 400h}}}
      - {name: C, kind: demand, capacity: -$1/kW, over: 10m, ratchet: {share: 120%, months: 0, of: [1, 1]}}
      - {name: D, kind: coincident, capacity: $1/kW-year, peaks: 4cp}
      - {name: E, kind: tax, share: 2%, on: [F]}
      - {name: F, kind: fee, amount: $1.00, per: year}
  - from: 2027-01-01
    parts: []
`))
	if !errors.Is(err, ErrInvalid) {
		t.Fatal(err)
	}
	for _, want := range []string{
		"line 1: name:", "line 2: currency:", "line 3: zone:", "line 4: interval:", "line 5: rounding:",
		"line 7: seasons[0].to", "line 9: periods[0].hours[0]", `periods[0].seasons[0]: no season is named "winter"; there are summer`,
		"line 10: periods[1].name", "line 10: periods[1].holidays", "peaks[0].rules[0].groups[0].months[0]", "peaks[0].rules[0].groups[0].count",
		"peaks[0].rules[1].since", "line 13: meter.missing", "line 16: versions[0].to", "line 17: versions[0].losses", "and 21 more",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in\n%v", want, err)
		}
	}
}

func TestPartsAreChecked(t *testing.T) {
	for part, want := range map[string]string{
		"{name: A, kind: magic}": "kind",
		"{name: A, kind: index}": "market: a part of kind index needs it",
		"{name: A, kind: fixed, price: $1/MWh, rates: [{period: on-peak, price: $1/MWh}]}":                 "rates: a part of kind fixed does not have it",
		"{name: A, kind: fixed, price: €1/MWh}":                                                            "the contract is in USD",
		"{name: A, kind: fixed, price: $2000000000/MWh}":                                                   "cannot be",
		"{name: A, kind: fixed, price: $1/MWh, period: x}":                                                 "no period is named",
		"{name: A, kind: time-of-use, rates: [{period: on-peak, price: $1/MWh}]}":                          "no rate for thu 2026-01-01 at 00:00",
		"{name: A, kind: block, blocks: [{power: 1MW, price: $1/MWh}]}":                                    "excess",
		"{name: A, kind: ppa, take: use, blocks: [{power: 1MW, price: $1/MWh}], sell_back: {series: rtm}}": "sell-back needs take: pay",
		"{name: A, kind: ppa, blocks: [{power: 1.5W, price: $1/MWh}]}":                                     "whole watts",
		"{name: A, kind: ppa, blocks: [{power: 1.5GW, price: $1/MWh}, {power: 1.5GW, price: $1/MWh}]}":     "together",
		"{name: A, kind: index, market: {series: rtm, floor: $5/MWh, cap: $4/MWh}}":                        "above the cap",
		"{name: A, kind: index, market: {series: rtm, multiplier: -1%}}":                                   "multiplier",
		"{name: A, kind: index, market: {series: rtm, fallback: {series: rtm}}}":                           "the series that is missing",
		"{name: A, kind: index, market: {series: rtm, fallback: {same_hour: 100}}}":                        "60 days",
		"{name: A, kind: demand, capacity: $1/kW, over: 5m}":                                               "no multiple",
		"{name: A, kind: demand, capacity: $1/kW, ratchet: {share: 120%, months: 11}}":                     "ratchet.share",
		"{name: A, kind: coincident, capacity: $1/kW, peaks: nowhere}":                                     "no set of peaks",
		"{name: A, kind: coincident, capacity: $1/kW, peaks: texas, charged: same-month}":                  "not known in the same month",
		"{name: A, kind: tax, share: 2%, on: [A]}":                                                         "no part before this one",
		"{name: A, kind: fee, amount: $1.005}":                                                             "more than 2 decimals",
		"{name: A, kind: fee, amount: $1.00, per: year}":                                                   "per",
	} {
		_, err := Parse([]byte(head + "versions:\n  - from: 2026-01-01\n    parts:\n      - " + part + "\n"))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", part, err, want)
		}
	}
}

func TestVersionsFollowEachOther(t *testing.T) {
	part := "\n    parts: [{name: A, kind: fixed, price: $1/MWh}]\n"
	for versions, want := range map[string]string{
		"  - from: 2026-01-01" + part + "  - from: 2027-01-01" + part:                     "needs its last day",
		"  - from: 2026-01-01\n    to: 2026-12-31" + part + "  - from: 2026-12-31" + part: "begins on 2027-01-01",
		"  - from: 2026-01-01\n    to: 2026-12-31" + part + "  - from: 2027-02-01" + part: "begins on 2027-01-01",
	} {
		if _, err := Parse([]byte(head + "versions:\n" + versions)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", versions, err)
		}
	}
}

func TestShares(t *testing.T) {
	for s, want := range map[string]Share{"95%": 950_000, "2.125 %": 21_250, "0.95": 950_000, "-1%": -10_000, "100%": whole} {
		if got, err := ParseShare(s); err != nil || got != want {
			t.Errorf("%s: %v %v", s, got, err)
		}
	}
	for _, s := range []string{"", "%", "1e3", "0.12345678%", "ten", "9999999999999999999%"} {
		if got, err := ParseShare(s); err == nil {
			t.Errorf("%q: %v", s, got)
		}
	}
	for s, want := range map[string]string{"$9.25/kW": "$9.25/kW-month", "$71.36/kW-year": "$71.36/kW-year", "€4500/MW-month": "€4.5/kW-month"} {
		if got, err := ParseCapacityPrice(s); err != nil || got.String() != want {
			t.Errorf("%s: %v %v", s, got, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(head + "versions:\n  - from: 2025-01-01\n    parts:\n      - {name: Energy, kind: index, market: {series: rtm}}\n")
	f.Add(rich)
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse([]byte(text))
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatal(err)
			}
			return
		}
		// What parses can be used.
		day := c.Versions[0].From
		_ = c.Explain(day.In(c.Location()))
		if _, err := c.PriceAt(day.In(c.Location()), Context{Load: 1e6}); err != nil {
			t.Fatal(err)
		}
		from := day.In(c.Location())
		_, _ = c.EnergyLines(from, from.Add(2*c.Interval), nil, &Table{}, State{})
	})
}
