package report

import (
	"context"
	"errors"
	"iter"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ballast/miner"
	"ballast/unit"
)

// given is a Source that holds what a test gives it.
type given struct {
	machines  []Machine
	cells     []Cell
	faults    []FaultCell
	noFaults  bool
	commands  []CommandCount
	meters    []MeterCell
	intervals []Interval
	err       error
}

func (g given) Machines(context.Context, string, time.Time, time.Time) ([]Machine, error) {
	return g.machines, g.err
}

func (g given) Cells(_ context.Context, _ string, from, to time.Time) iter.Seq2[Cell, error] {
	return func(yield func(Cell, error) bool) {
		for _, c := range g.cells {
			if !c.At.Before(from) && c.At.Before(to) && !yield(c, nil) {
				return
			}
		}
	}
}

func (g given) Faults(context.Context, string, time.Time, time.Time) ([]FaultCell, bool, error) {
	return g.faults, !g.noFaults, nil
}

func (g given) Commands(context.Context, string, time.Time, time.Time) ([]CommandCount, error) {
	return g.commands, nil
}

func (g given) Meters(context.Context, string, time.Time, time.Time) ([]MeterCell, error) {
	return g.meters, nil
}
func (g given) Intervals(context.Context) ([]Interval, error) { return g.intervals, nil }

func zone(t interface{ Fatal(...any) }, name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestDays(t *testing.T) {
	for _, c := range []struct {
		day, zone string
		hours     float64
		start     string
	}{
		{"2026-03-08", "America/Chicago", 23, "2026-03-08T06:00:00Z"},
		{"2026-11-01", "America/Chicago", 25, "2026-11-01T05:00:00Z"},
		{"2026-07-01", "America/Chicago", 24, "2026-07-01T05:00:00Z"},
		{"2026-11-22", "UTC", 24, "2026-11-22T00:00:00Z"},
		{"2026-11-22", "Asia/Kathmandu", 24, "2026-11-21T18:15:00Z"},
		{"2026-03-28", "Asia/Beirut", 24, "2026-03-27T22:00:00Z"},
		{"2026-03-29", "Asia/Beirut", 23, "2026-03-28T22:00:00Z"}, // midnight is skipped there
		{"2026-10-04", "Australia/Lord_Howe", 23.5, "2026-10-03T13:30:00Z"},
	} {
		d, err := ParseDay(c.day, zone(t, c.zone))
		if err != nil || d.Length().Hours() != c.hours || d.Start().UTC().Format(time.RFC3339) != c.start || d.String() != c.day {
			t.Errorf("%s in %s: %v hours from %s, %v", c.day, c.zone, d.Length().Hours(), d.Start().UTC().Format(time.RFC3339), err)
		}
		if DayOf(d.Start(), d.zone) != d || DayOf(d.End().Add(-1), d.zone) != d || DayOf(d.End(), d.zone) != d.Add(1) {
			t.Errorf("%s in %s: its ends are not its own", c.day, c.zone)
		}
	}
	for _, bad := range []string{"", "today", "2026-02-30", "1999-01-01", "2026-1-2", "99999-01-01"} {
		if _, err := ParseDay(bad, time.UTC); !errors.Is(err, ErrDay) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// Days follow one another without a gap in every zone, and are whole quarters.
func TestDaysFollow(t *testing.T) {
	zones := []string{"America/Chicago", "Europe/Oslo", "Asia/Beirut", "Australia/Lord_Howe", "America/Asuncion", "Asia/Kathmandu", "Africa/Casablanca", "America/Santiago", "UTC"}
	rapid.Check(t, func(t *rapid.T) {
		d := Day{2020 + rapid.IntRange(0, 20).Draw(t, "year"), time.Month(rapid.IntRange(1, 12).Draw(t, "month")), rapid.IntRange(1, 28).Draw(t, "day"), zone(t, rapid.SampledFrom(zones).Draw(t, "zone"))}
		if !d.End().Equal(d.Add(1).Start()) || d.Length() < 22*time.Hour || d.Length() > 26*time.Hour || d.Length()%Quarter != 0 || d.Start().UnixMilli()%Quarter.Milliseconds() != 0 {
			t.Fatalf("%v in %v: %v from %v", d, d.zone, d.Length(), d.Start())
		}
		if d.Add(1).Add(-1) != d || !d.Before(d.Add(1)) {
			t.Fatal(d)
		}
	})
}

const every = 10 * time.Second

// full is a cell of a machine that answered every poll.
func full(id miner.ID, at time.Time, rate float64) Cell {
	return Cell{Machine: id, At: at, Polls: 90, Answered: 90, Hashing: 90, Hashrate: Sample{90, rate}, Nominal: Sample{90, 100}, Power: Sample{90, 3000}}
}

func build(t *testing.T, g given, day string, z *time.Location, now time.Time) (Report, []MachineDay) {
	t.Helper()
	d, err := ParseDay(day, z)
	if err != nil {
		t.Fatal(err)
	}
	r, ms, err := Build(t.Context(), g, "hood", "Hood", d, now)
	if err != nil {
		t.Fatal(err)
	}
	return r, ms
}

func about(got, want float64) bool { return math.Abs(got-want) <= 1e-9*math.Max(1, math.Abs(want)) }

func TestWholeDay(t *testing.T) {
	from := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	g := given{machines: []Machine{{ID: 1, Name: "a", Since: from.Add(-time.Hour), Rack: "r1"}}, intervals: []Interval{{from.Add(-time.Hour), every}}}
	for q := range 96 {
		g.cells = append(g.cells, full(1, from.Add(time.Duration(q)*Quarter), 90))
		g.meters = append(g.meters, MeterCell{"m1", from.Add(time.Duration(q) * Quarter), unit.Energy(3300 * 900), Quarter})
	}
	r, ms := build(t, g, "2026-11-22", time.UTC, from.Add(30*time.Hour))
	switch {
	case !about(r.Work, 90), !about(float64(r.Hashrate.Or(0)), 90), !about(float64(r.Nominal.Or(0)), 100), !about(float64(r.Potential.Or(0)), 0.9),
		!about(float64(r.Uptime.Or(0)), 1), !about(r.Coverage, 1), r.Partial, len(r.Holes) != 0, r.Above != 0:
		t.Errorf("%+v", r)
	case r.Energy.From != "meter", !about(float64(r.Energy.Total.Or(0)), 3300*86400), !about(float64(r.Energy.Machines.Or(0)), 3000*86400),
		!about(float64(r.Energy.Efficiency.Or(0)), 3000.0/90), !about(float64(r.Energy.SiteJTH.Or(0)), 3300.0/90), !about(float64(r.Energy.HighestMean.Or(0)), 3300):
		t.Errorf("energy %+v", r.Energy)
	case len(r.Losses) != 1, r.Losses[0].Reason != Degraded, !about(r.Losses[0].Lost, 10), r.Losses[0].Machines != 1:
		t.Errorf("losses %+v", r.Losses)
	case len(ms) != 1, !about(ms[0].Lost, 10), len(r.Racks) != 1, !about(r.Racks[0].Lost, 10):
		t.Errorf("machines %+v, racks %+v", ms, r.Racks)
	}
}

func TestReasons(t *testing.T) {
	from := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	base := full(1, from, 0)
	off := base
	off.Hashing, off.Sleeping = 0, 90
	stopped := base
	stopped.Hashing, stopped.Stopped = 0, 90
	booting := base
	booting.Hashing, booting.Starting = 0, 90
	silent := Cell{Machine: 1, At: from, Polls: 15}
	lower := full(1, from, 55)
	lower.Nominal.Mean = 60
	noPool := full(1, from, 0)
	noPool.NoPool = true
	vague := base
	vague.Hashing = 0
	hot := []FaultCell{{1, from, []miner.Code{miner.FanMissing}, 90}}
	dry := []FaultCell{{1, from, []miner.Code{miner.ControlPool}, 90}}
	other := []FaultCell{{1, from, []miner.Code{miner.ChipCRC}, 90}}
	for _, c := range []struct {
		name   string
		cell   Cell
		faults []FaultCell
		want   map[Reason]float64 // TH/s lost in that quarter
	}{
		{"silent", silent, nil, map[Reason]float64{Silent: 100}},
		{"asleep", off, nil, map[Reason]float64{Curtailed: 100}},
		{"stopped", stopped, nil, map[Reason]float64{Down: 100}},
		{"stopped by heat", stopped, hot, map[Reason]float64{Hot: 100}},
		{"stopped without a pool", stopped, dry, map[Reason]float64{Pool: 100}},
		{"booting", booting, nil, map[Reason]float64{Starting: 100}},
		{"set lower, and below that", lower, other, map[Reason]float64{Curtailed: 40, Degraded: 5}},
		{"slow by heat", full(1, from, 70), hot, map[Reason]float64{Hot: 30}},
		{"hashes for nobody", noPool, nil, map[Reason]float64{Pool: 100}},
		{"tells no state", vague, nil, map[Reason]float64{Unclear: 100}},
		{"above nominal", full(1, from, 103), nil, map[Reason]float64{}},
	} {
		g := given{machines: []Machine{{ID: 1, Since: from, Nominal: unit.Some(unit.Hashrate(100))}}, intervals: []Interval{{from, every}}, cells: []Cell{c.cell}, faults: c.faults}
		if c.name == "set lower, and below that" { // a full quarter before says what it can do
			g.cells = append(g.cells, full(1, from.Add(Quarter), 100))
		}
		r, _ := build(t, g, "2026-11-22", time.UTC, from.Add(30*time.Hour))
		got := map[Reason]float64{}
		for _, l := range r.Losses {
			got[l.Reason] = math.Round(l.Lost*96*1e6) / 1e6
		}
		if len(got) != len(c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		for why, w := range c.want {
			if !about(got[why], w) {
				t.Errorf("%s: %v, want %v", c.name, got, c.want)
			}
		}
	}
}

// Off on purpose is never downtime, whatever else happens.
func TestPartialEmptyAndFuture(t *testing.T) {
	from := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	r, ms := build(t, given{}, "2026-11-22", time.UTC, from.Add(10*time.Hour))
	if !r.Partial || r.Machines != 0 || r.Hashrate.Ok() || r.Uptime.Ok() || r.Energy.From != "none" || r.Energy.Total.Ok() || len(ms) != 0 || len(r.Quarters) != 40 || len(r.Holes) != 0 || r.Coverage != 0 {
		t.Errorf("an empty site: %+v", r)
	}
	if _, _, err := Build(t.Context(), given{}, "hood", "", DayOf(from, time.UTC), from); !errors.Is(err, ErrFuture) {
		t.Errorf("a day to come: %v", err)
	}
	broken := errors.New("disk on fire")
	if _, _, err := Build(t.Context(), given{err: broken}, "hood", "", DayOf(from, time.UTC), from.Add(time.Hour)); !errors.Is(err, broken) {
		t.Errorf("a broken source: %v", err)
	}
	// A machine that is known and was never polled is not known, not down.
	r, ms = build(t, given{machines: []Machine{{ID: 4, Since: from.Add(-time.Hour)}}}, "2026-11-22", time.UTC, from.Add(7*time.Minute))
	if r.Unknown != 1 || r.Coverage != 0 || r.Time.Silent != 0 || !about(r.Time.Unknown, 7.0/60) || len(ms) != 1 || len(r.Holes) != 1 || len(r.Quarters) != 1 || r.Quarters[0].Hashrate.Ok() {
		t.Errorf("never polled: %+v", r)
	}
	// Entered at noon, retired at six: expected for these hours only.
	r, _ = build(t, given{machines: []Machine{{ID: 4, Since: from.Add(12*time.Hour + 100*time.Second), Until: from.Add(18 * time.Hour)}}}, "2026-11-22", time.UTC, from.Add(48*time.Hour))
	if !about(r.Time.Expected, 6-100.0/3600) {
		t.Errorf("expected %v hours", r.Time.Expected)
	}
}

// A site's first day: it began in the middle of a quarter, and means are from
// then on.
func TestFirstDay(t *testing.T) {
	from := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	since := from.Add(10*time.Hour + 5*time.Minute)
	c := full(1, from.Add(10*time.Hour), 90)
	c.Polls, c.Answered, c.Hashing, c.Hashrate.N, c.Nominal.N, c.Power.N = 60, 60, 60, 60, 60, 60
	g := given{machines: []Machine{{ID: 1, Since: since}}, intervals: []Interval{{since, every}}, cells: []Cell{c, full(1, from.Add(10*time.Hour+Quarter), 90)}}
	c.Machine, c.Polls, c.Answered = 2, 60, 54 // six missed: no more than what is left of its ten minutes
	c.Hashing, c.Hashrate.N, c.Nominal.N, c.Power.N = 54, 54, 54, 54
	short := given{machines: []Machine{{ID: 2, Since: since}}, intervals: g.intervals, cells: []Cell{c}}
	if r, _ := build(t, short, "2026-11-22", time.UTC, from.Add(10*time.Hour+15*time.Minute)); !about(r.Time.Silent, 1.0/60) || !about(r.Time.Hashing, 9.0/60) || !about(r.Coverage, 1) {
		t.Errorf("entered in the middle of a quarter: %+v", r.Time)
	}
	r, _ := build(t, g, "2026-11-22", time.UTC, from.Add(10*time.Hour+30*time.Minute))
	if r.Every != 10 || !r.Since.Equal(since) || !about(r.Coverage, 1) || !about(float64(r.Hashrate.Or(0)), 90) || !about(float64(r.Nominal.Or(0)), 100) || !about(float64(r.Energy.MeanPower.Or(0)), 3000) ||
		!about(r.Time.Expected, 25.0/60) || len(r.Holes) != 0 || len(r.Remarks) != 2 {
		t.Errorf("%+v", r)
	}
}

func TestIntervalIsEstimated(t *testing.T) {
	from := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	g := given{machines: []Machine{{ID: 1, Since: from}}}
	for q := range 96 {
		c := full(1, from.Add(time.Duration(q)*Quarter), 100)
		c.Polls, c.Answered, c.Hashing = 30, 30, 30
		if q%5 == 0 {
			c.Polls, c.Answered, c.Hashing = 20, 20, 20 // some were skipped
		}
		g.cells = append(g.cells, c)
	}
	r, _ := build(t, g, "2026-11-22", time.UTC, from.Add(48*time.Hour))
	if r.Every != 30 || r.Coverage > 0.95 || r.Coverage < 0.9 {
		t.Errorf("every %v s, coverage %v", r.Every, r.Coverage)
	}
}

// Whatever the cells hold: shares are shares, times add up to what is expected,
// and produced plus lost less beyond is the known potential.
func TestNothingIsLost(t *testing.T) {
	from := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		g := given{intervals: []Interval{{from.Add(-time.Hour), time.Duration(rapid.IntRange(1, 90).Draw(t, "every")) * time.Second}}}
		n := rapid.IntRange(1, 4).Draw(t, "machines")
		for id := range n {
			g.machines = append(g.machines, Machine{ID: miner.ID(id + 1), Since: from.Add(time.Duration(rapid.IntRange(-5, 20).Draw(t, "since")) * time.Hour), Nominal: unit.Some(unit.Hashrate(80))})
			for q := range 96 {
				if rapid.IntRange(0, 9).Draw(t, "hole") == 0 {
					continue
				}
				polls := rapid.Int64Range(1, 100).Draw(t, "polls")
				left := float64(polls)
				part := func(name string) float64 {
					v := float64(rapid.IntRange(0, int(left)).Draw(t, name))
					left -= v
					return v
				}
				c := Cell{Machine: miner.ID(id + 1), At: from.Add(time.Duration(q) * Quarter), Polls: polls}
				c.Hashing, c.Sleeping, c.Stopped, c.Starting = part("hashing"), part("sleeping"), part("stopped"), part("starting")
				c.Answered = float64(polls) - left + part("unclear")
				sample := func(name string, most float64) Sample {
					if c.Answered < 1 || rapid.Bool().Draw(t, name+" told") {
						return Sample{}
					}
					return Sample{rapid.Int64Range(1, int64(c.Answered)).Draw(t, name+" polls"), rapid.Float64Range(0, most).Draw(t, name)}
				}
				c.Hashrate, c.Nominal, c.Power = sample("rate", 150), sample("nominal", 120), sample("power", 5000)
				c.NoPool = rapid.IntRange(0, 5).Draw(t, "pool") == 0
				g.cells = append(g.cells, c)
			}
		}
		d := DayOf(from, time.UTC)
		r, ms, err := Build(t.Context(), g, "hood", "", d, from.Add(48*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		var potential, lost float64
		for _, m := range ms {
			potential += float64(m.Nominal.Or(0)) * (m.Time.Expected - m.Time.Unknown) / 24
			lost += m.Lost
			sum := m.Time.Hashing + m.Time.Starting + m.Time.Off + m.Time.Down + m.Time.Silent + m.Time.Unclear + m.Time.Unknown
			if math.Abs(sum-m.Time.Expected) > 1e-6 {
				t.Fatalf("machine %d: %v hours of %v: %+v", m.ID, sum, m.Time.Expected, m.Time)
			}
		}
		if math.Abs(r.Work+lost-r.Above-potential) > 1e-6*math.Max(1, potential) {
			t.Fatalf("%v + %v - %v is not %v", r.Work, lost, r.Above, potential)
		}
		for _, v := range []float64{r.Coverage, float64(r.Uptime.Or(0)), r.Energy.Told, r.Energy.MeterCover} {
			if v < 0 || v > 1+1e-9 || math.IsNaN(v) {
				t.Fatalf("a share of %v in %+v", v, r)
			}
		}
		for i := 1; i < len(r.Worst); i++ {
			if r.Worst[i].Lost > r.Worst[i-1].Lost {
				t.Fatal("the worst are in no order")
			}
		}
	})
}

func TestMeterBook(t *testing.T) {
	at := time.Date(2026, 11, 22, 10, 10, 0, 0, time.UTC)
	no, some := unit.None[unit.Energy](), func(kwh float64) unit.Opt[unit.Energy] { return unit.Some(unit.Energy(kwh * 3.6e6)) }
	watt := func(w float64) unit.Opt[unit.Power] { return unit.Some(unit.Power(w)) }
	total := func(cells []MeterCell) (kwh float64, covered time.Duration) {
		for _, c := range cells {
			kwh += c.Energy.KWh()
			covered += c.Covered
		}
		return kwh, covered
	}
	var b MeterBook
	b.Add("m", at, some(100), watt(6000))
	b.Add("m", at.Add(10*time.Minute), some(101), watt(6000)) // half in each quarter
	cells := b.Take()
	if len(cells) != 2 || !about(cells[0].Energy.KWh(), 0.5) || cells[0].Covered != 5*time.Minute {
		t.Errorf("across a quarter: %+v", cells)
	}
	// A counter that goes back was exchanged: the power has to do, over a short gap.
	b.Add("m", at.Add(11*time.Minute), some(3), watt(6000))
	b.Add("m", at.Add(9*time.Minute), some(4), watt(6000)) // back in time
	b.Add("m", at.Add(40*time.Minute), some(2), watt(6000))
	if kwh, covered := total(b.Take()); !about(kwh, 0.1) || covered != time.Minute {
		t.Errorf("an exchanged counter: %v kWh in %v", kwh, covered)
	}
	b.Add("p", at, no, watt(1000))
	b.Add("p", at.Add(time.Minute), no, watt(3000))
	b.Add("p", at.Add(30*time.Minute), no, watt(3000)) // too long to bridge
	got := b.Take()
	if kwh, covered := total(got); !about(kwh, 2000.0/60/1000) || covered != time.Minute {
		t.Errorf("by power: %v kWh in %v", kwh, covered)
	}
	b.Put(got)
	if kwh, _ := total(b.Take()); !about(kwh, 2000.0/60/1000) {
		t.Errorf("given back: %v", kwh)
	}
}

func TestSchedule(t *testing.T) {
	z := zone(t, "America/Chicago")
	made := time.Date(2026, 11, 1, 15, 0, 0, 0, z)
	s := Schedule{Minute: 7 * 60, Since: made, Enabled: true}
	never := func(Day) []Attempt { return nil }
	for _, c := range []struct {
		name  string
		now   time.Time
		tried []Attempt
		want  string
	}{
		{"made after today's run", made.Add(time.Minute), nil, ""},
		{"before the next run", time.Date(2026, 11, 2, 6, 59, 0, 0, z), nil, ""},
		{"at the run", time.Date(2026, 11, 2, 7, 0, 0, 0, z), nil, "2026-11-01"},
		{"caught up in the evening", time.Date(2026, 11, 2, 22, 0, 0, 0, z), nil, "2026-11-01"},
		{"caught up the night after, before the next run", time.Date(2026, 11, 3, 2, 0, 0, 0, z), nil, "2026-11-01"},
		{"a week away: only the newest", time.Date(2026, 11, 9, 9, 0, 0, 0, z), nil, "2026-11-08"},
		{"sent", time.Date(2026, 11, 2, 8, 0, 0, 0, z), []Attempt{{time.Date(2026, 11, 2, 7, 0, 0, 0, z), true}}, ""},
		{"failed just now", time.Date(2026, 11, 2, 7, 5, 0, 0, z), []Attempt{{time.Date(2026, 11, 2, 7, 0, 0, 0, z), false}}, ""},
		{"failed a while ago", time.Date(2026, 11, 2, 7, 11, 0, 0, z), []Attempt{{time.Date(2026, 11, 2, 7, 0, 0, 0, z), false}}, "2026-11-01"},
		{"given up", time.Date(2026, 11, 2, 12, 0, 0, 0, z), make([]Attempt, 4), ""},
	} {
		day, due := s.Due(z, c.now, func(Day) []Attempt { return c.tried })
		if got := map[bool]string{true: day.String()}[due]; got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	s.Enabled = false
	if _, due := s.Due(z, time.Date(2026, 11, 2, 7, 0, 0, 0, z), never); due {
		t.Error("switched off and due")
	}
	if got := s.Next(z, time.Date(2026, 10, 31, 8, 0, 0, 0, z)); !got.Equal(time.Date(2026, 11, 1, 7, 0, 0, 0, z)) {
		t.Errorf("next is %v", got)
	}
	// On the morning when clocks skip 02:30 it still runs, once.
	s = Schedule{Minute: 150, Enabled: true}
	runs := 0
	sent := map[string][]Attempt{}
	for at := time.Date(2026, 3, 7, 12, 0, 0, 0, z); at.Before(time.Date(2026, 3, 10, 0, 0, 0, 0, z)); at = at.Add(30 * time.Second) {
		if day, due := s.Due(z, at, func(d Day) []Attempt { return sent[d.String()] }); due {
			runs++
			sent[day.String()] = append(sent[day.String()], Attempt{at, true})
		}
	}
	if runs != 3 { // the one missed before the first look, and two mornings
		t.Errorf("%d runs in two nights: %v", runs, sent)
	}
}
