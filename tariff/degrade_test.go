package tariff

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"ballast/unit"
)

const indexed = "      - {name: Energy, kind: index, market: {series: rtm, fallback: {series: dam, same_hour: 3, price: $45/MWh}}}\n"

// drop removes what starts within a span.
func drop(meter []Interval, in func(time.Time) bool) []Interval {
	return slices.DeleteFunc(slices.Clone(meter), func(i Interval) bool { return in(i.Start) })
}

func TestMissingPricesFallBackAndAreVisible(t *testing.T) {
	c := contract(t, indexed)
	// 1 MW. Real-time is missing on the 10th from 00:00 to 03:00. Day-ahead
	// has only the hour 00; of the day before, the same hour has 01; 02 has
	// neither on three days.
	rtm := func(days ...string) func(time.Time) bool {
		var in []func(time.Time) bool
		for _, d := range days {
			in = append(in, within(t, d, 1))
		}
		return func(x time.Time) bool {
			return slices.ContainsFunc(in, func(f func(time.Time) bool) bool { return f(x) })
		}
	}
	gone := rtm("2026-07-10 00:00", "2026-07-10 01:00", "2026-07-10 02:00", "2026-07-09 02:00", "2026-07-08 02:00", "2026-07-07 02:00")
	var all, prices Table
	priced(&all, "rtm", c, july, 15*time.Minute, func(x time.Time) float64 { return float64(x.Day()) })
	prices.Set("rtm", slices.DeleteFunc(slices.Clone(all.series["rtm"]), func(q Quote) bool { return gone(q.Start) })...)
	ten := at(t, "2026-07-10 00:00")
	prices.Set("dam", Quote{Start: ten, Length: time.Hour, Price: unit.EnergyPrice{Micro: 60e6, Currency: "USD"}})
	s, err := c.Statement(july, metered(c, july, 15*time.Minute, constant(1e6)), &prices, State{Detail: true})
	if err != nil {
		t.Fatal(err)
	}
	// Known: 24 x (1 + ... + 31) = 24 x 496 = 11904, less the six hours:
	// 10 + 10 + 10 + 9 + 8 + 7 = 54: 11850. Hour 00 of the 10th at 60, hour 01
	// at 9 (the 9th's). Hour 02: of the 7th at 6 (the 6th's), of the 8th at 6,
	// of the 9th at 6, and of the 10th at 45. 11850 + 60 + 9 + 18 + 45 = 11982.
	l := s.Lines[0]
	if s.Total.String() != "$11982.00" || l.Status != Estimated || s.Status != Estimated || l.Estimates != 24 || l.Intervals != 2976 {
		t.Errorf("%v %v %+v", s.Total, s.Status, l)
	}
	for _, want := range []string{"rtm (2952)", "dam in place of rtm (4)", "rtm of the same hour before (16)", "the contract's fallback price (4)"} {
		if !strings.Contains(l.Source, want) {
			t.Errorf("%q is not in %q", want, l.Source)
		}
	}
	if len(s.Detail) != 2976 || s.Detail[9*96].Source != "dam in place of rtm" || s.Detail[9*96].Status != Estimated || s.Detail[9*96].Amount.String() != "15" {
		t.Errorf("%+v", s.Detail[9*96])
	}
}

func TestEnergyWithoutAnyPriceIsNotChargedAndNamed(t *testing.T) {
	c := contract(t, "      - {name: Energy, kind: index, market: {series: rtm}}\n")
	var prices Table
	priced(&prices, "rtm", c, july, time.Hour, func(time.Time) float64 { return 20 })
	prices.series["rtm"] = prices.series["rtm"][1:]
	s, err := c.Statement(july, metered(c, july, 15*time.Minute, constant(8e6)), &prices, State{})
	if err != nil {
		t.Fatal(err)
	}
	// 743 h x 8 MW x $20; one hour, 8 MWh, has no price.
	if l := s.Lines[0]; s.Total.String() != "$118880.00" || s.Status != Missing || l.Unpriced.String() != "8" || !strings.Contains(l.Note, "4 intervals") {
		t.Errorf("%v %+v", s.Total, s.Lines[0])
	}
	// Prices in another currency are no prices.
	var euro Table
	euro.Set("rtm", Quote{Start: s.From, Length: 744 * time.Hour, Price: unit.EnergyPrice{Micro: 1e6, Currency: "EUR"}})
	if s, err := c.Statement(july, metered(c, july, 15*time.Minute, constant(8e6)), &euro, State{}); err != nil || s.Status != Missing || s.Total.Minor != 0 {
		t.Errorf("%+v %v", s, err)
	}
}

func TestMissingMeterIntervalsAreEstimatedAsTheContractSays(t *testing.T) {
	hour := within(t, "2026-07-15 10:00", 1)
	power := func(x time.Time) unit.Power { return unit.Power(x.Day()) * 1e6 }
	for _, x := range []struct {
		rule string
		mwh  string // of 24 x 496 = 11904, the hour of the 15th being 15
		note string
	}{
		{"[last-week]", "11897", "a week before"},                // 8
		{"[yesterday]", "11903", "the day before"},               // 14
		{"[12MW]", "11901", "a power of 12MW"},                   // 12
		{"[average]", "11905.001345896", "average of the month"}, // (11904-15)/743 = 16.0013...: 11889 + 16.001345896
	} {
		c := contract(t, "meter: {missing: "+x.rule+"}\nversions:\n  - from: 2025-01-01\n    parts:\n      - {name: Energy, kind: fixed, price: $10/MWh}\n")
		s, err := c.Statement(july, drop(metered(c, july, 15*time.Minute, power), hour), nil, State{})
		if err != nil {
			t.Fatal(err)
		}
		if s.Metered.String() != x.mwh || s.Status != Estimated || s.Lines[0].Estimates != 4 {
			t.Errorf("%s: %v %v %+v", x.rule, s.Metered, s.Status, s.Lines[0])
		}
		if !slices.ContainsFunc(s.Estimated, func(n string) bool { return strings.Contains(n, x.note) && strings.HasPrefix(n, "4 ") }) {
			t.Errorf("%s: %v", x.rule, s.Estimated)
		}
	}
	// Nothing to estimate from: not charged, and said so.
	c := contract(t, "      - {name: Energy, kind: fixed, price: $10/MWh}\n")
	s, err := c.Statement(july, nil, nil, State{})
	if err != nil || s.Status != Missing || s.Total.Minor != 0 || len(s.Problems) == 0 {
		t.Errorf("%+v %v", s, err)
	}
}

func TestOddMeterReadings(t *testing.T) {
	c := contract(t, "      - {name: Energy, kind: fixed, price: $10/MWh}\n")
	good := metered(c, july, 15*time.Minute, constant(4e6)) // 1 MWh each: 2976 MWh
	first := good[0].Start
	for name, odd := range map[string]Interval{
		"off the grid":  {Start: first.Add(time.Minute), Length: 15 * time.Minute, Energy: unit.Some(unit.MegawattHour)},
		"odd length":    {Start: first.Add(time.Hour), Length: 7 * time.Minute, Energy: unit.Some(unit.MegawattHour)},
		"backwards":     {Start: first.Add(-time.Hour), Length: 15 * time.Minute, Energy: unit.Some(-unit.MegawattHour)},
		"no number":     {Start: first.Add(-time.Hour), Length: 15 * time.Minute, Energy: unit.Some(unit.Energy(nan()))},
		"never ending":  {Start: first.Add(-time.Hour), Length: 15 * time.Minute, Energy: unit.Some(unit.Energy(1e300))},
		"no length":     {Start: first.Add(-time.Hour), Energy: unit.Some(unit.MegawattHour)},
		"second, later": {Start: first, Length: 15 * time.Minute, Energy: unit.Some(3 * unit.MegawattHour)},
	} {
		s, err := c.Statement(july, append(slices.Clone(good), odd), nil, State{})
		want := "$29760.00"
		if name == "second, later" {
			want = "$29780.00" // it is the better one
		}
		if err != nil || s.Total.String() != want || len(s.Problems) != 1 {
			t.Errorf("%s: %v %v %v", name, s.Total, s.Problems, err)
		}
	}
	// A missing reading given beside a known one loses.
	s, err := c.Statement(july, append(slices.Clone(good), Interval{Start: first, Length: 15 * time.Minute}), nil, State{})
	if err != nil || s.Total.String() != "$29760.00" || s.Status != Settled {
		t.Errorf("%v %v %v", s.Total, s.Status, err)
	}
}

func nan() float64 { z := 0.0; return z / z }

func TestMissingAwardsAreSaid(t *testing.T) {
	c := contract(t, "      - {name: Market, kind: two-settlement, day_ahead: {series: dam}, real_time: {series: rtm}}\n")
	var prices Table
	for _, s := range []string{"dam", "rtm"} {
		priced(&prices, s, c, july, time.Hour, func(time.Time) float64 { return 30 })
	}
	meter := metered(c, july, 15*time.Minute, constant(1e6))
	s, err := c.Statement(july, meter, &prices, State{})
	if err != nil || s.Status != Estimated || len(s.Problems) != 1 || s.Total.String() != "$22320.00" {
		t.Errorf("no award given: %v %v %v %v", s.Total, s.Status, s.Problems, err)
	}
	// An award of zero is known.
	s, err = c.Statement(july, meter, &prices, State{Awards: []Award{{Start: s.From, Length: 744 * time.Hour}}})
	if err != nil || s.Status != Settled || len(s.Problems) != 0 || s.Total.String() != "$22320.00" {
		t.Errorf("award of zero: %v %v %v %v", s.Total, s.Status, s.Problems, err)
	}
}

func TestPeaksThatAreNotKnown(t *testing.T) {
	part := "      - {name: T, kind: coincident, capacity: $60/kW-year, peaks: texas%s}\n"
	two := State{Peaks: []PeakDemand{{Set: "texas", Start: at(t, "2025-06-30 16:45"), Demand: 10e6}, {Set: "texas", Start: at(t, "2025-07-30 16:45"), Demand: 20e6}}}
	for _, x := range []struct {
		assumed string
		state   State
		total   string
		status  Status
	}{
		{"", State{}, "$0.00", Missing},
		{"", two, "$75000.00", Estimated}, // mean of the two known, 15000 kW x 5
		{", assumed: 8MW", two, "$40000.00", Estimated},
		{", assumed: 8MW", State{}, "$40000.00", Estimated},
	} {
		c := contract(t, strings.Replace(part, "%s", x.assumed, 1))
		s, err := c.Statement(march, metered(c, march, time.Hour, constant(1e6)), nil, x.state)
		if err != nil || s.Total.String() != x.total || s.Lines[0].Status != x.status {
			t.Errorf("%+v: %+v %v", x, s.Lines, err)
		}
	}
}

func TestRatchetWithoutHistoryIsAnEstimate(t *testing.T) {
	c := contract(t, "      - {name: Demand, kind: demand, capacity: $10/kW, minimum: 500kW, ratchet: {share: 50%, months: 3}}\n")
	meter := metered(c, july, 15*time.Minute, constant(1e6))
	s, err := c.Statement(july, meter, nil, State{})
	if err != nil || s.Total.String() != "$10000.00" || s.Status != Estimated || !strings.Contains(s.Lines[0].Note, "2026-06, 2026-05, 2026-04") {
		t.Errorf("%v %+v", err, s.Lines)
	}
	// The contract's first month has no history to miss.
	first := Month{2025, time.January}
	s, err = c.Statement(first, metered(c, first, 15*time.Minute, constant(1e6)), nil, State{})
	if err != nil || s.Status != Settled {
		t.Errorf("%v %+v", err, s.Lines)
	}
	if len(s.Demands) != 1 || s.Demands[0].Demand != 1e6 || s.Demands[0].Month != first {
		t.Errorf("%+v", s.Demands)
	}
	// The minimum binds.
	s, err = c.Statement(first, metered(c, first, 15*time.Minute, constant(1e5)), nil, State{})
	if err != nil || s.Total.String() != "$5000.00" {
		t.Errorf("%v %+v", err, s.Lines)
	}
}

func TestOutsideTheContract(t *testing.T) {
	c := contract(t, "      - {name: Energy, kind: fixed, price: $10/MWh}\n")
	before := Month{2024, time.December}
	if _, err := c.Statement(before, nil, nil, State{}); !errors.Is(err, ErrNotInForce) {
		t.Error(err)
	}
	if _, err := c.PriceAt(at(t, "2024-12-31 23:59"), Context{}); !errors.Is(err, ErrNotInForce) {
		t.Error(err)
	}
	c = contract(t, "versions:\n  - from: 2026-07-16\n    parts:\n      - {name: Energy, kind: fixed, price: $10/MWh}\n")
	s, err := c.Statement(july, metered(c, july, 15*time.Minute, constant(1e6)), nil, State{})
	if err != nil || s.Total.String() != "$3840.00" || len(s.Problems) != 1 {
		t.Errorf("%v %v %v", s.Total, s.Problems, err)
	}
}

func TestARevisedPriceGivesACorrectionLineOnce(t *testing.T) {
	c := contract(t, "      - {name: Energy, kind: index, market: {series: rtm}}\n      - {name: Tax, kind: tax, share: 10%}\n")
	meter := metered(c, july, 15*time.Minute, constant(4e6))
	var prices Table
	priced(&prices, "rtm", c, july, 15*time.Minute, func(time.Time) float64 { return 20 })
	issued, err := c.Statement(july, meter, &prices, State{})
	if err != nil {
		t.Fatal(err)
	}
	asIssued := issued.Total
	revise := func(price int64) *Statement {
		prices.Set("rtm", Quote{Start: at(t, "2026-07-20 17:00"), Length: 15 * time.Minute, Price: unit.EnergyPrice{Micro: price, Currency: "USD"}, Revision: 1})
		s, err := c.Statement(july, meter, &prices, State{})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	// 1 MWh goes from $20 to $120: $100.00, and $10.00 of tax.
	first, err := Correct(issued, revise(120e6), nil)
	if err != nil || len(first) != 2 || first[0].Amount.String() != "$100.00" || first[1].Amount.String() != "$10.00" || !strings.Contains(first[0].Note, "was 2976 MWh") {
		t.Fatalf("%+v %v", first, err)
	}
	if again, err := Correct(issued, revise(120e6), first); err != nil || len(again) != 0 {
		t.Errorf("corrected twice: %+v %v", again, err)
	}
	// And back to $50: -$70.00 and -$7.00.
	second, err := Correct(issued, revise(50e6), first)
	if err != nil || len(second) != 2 || second[0].Amount.String() != "-$70.00" || second[1].Amount.String() != "-$7.00" {
		t.Fatalf("%+v %v", second, err)
	}
	if issued.Total != asIssued {
		t.Error("the issued statement changed")
	}
	// They go on August's statement, and are not taxed again there.
	august := july.Add(1)
	s, err := c.Statement(august, metered(c, august, 15*time.Minute, constant(0)), pricesFor(c, august), State{Corrections: slices.Concat(first, second)})
	if err != nil || s.Total.String() != "$33.00" || s.Lines[len(s.Lines)-1].Corrects == nil {
		t.Errorf("%v %+v", s.Total, s.Lines)
	}
	if _, err := Correct(issued, s, nil); err == nil {
		t.Error("August corrects July")
	}
	// What was stored as JSON corrects as well as what was not.
	b, err := json.Marshal(issued)
	if err != nil {
		t.Fatal(err)
	}
	var stored Statement
	if err := json.Unmarshal(b, &stored); err != nil {
		t.Fatal(err)
	}
	if again, err := Correct(&stored, revise(50e6), slices.Concat(first, second)); err != nil || len(again) != 0 || stored.Lines[0].Explain() != issued.Lines[0].Explain() || stored.Status != issued.Status {
		t.Errorf("%+v %v, stored %s", again, err, b)
	}
}

func pricesFor(c *Contract, m Month) *Table {
	var t Table
	priced(&t, "rtm", c, m, time.Hour, func(time.Time) float64 { return 20 })
	return &t
}
