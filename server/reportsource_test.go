package server

import (
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"ballast/ledger"
	"ballast/ledger/sqlite"
	"ballast/miner"
	"ballast/report"
	"ballast/telemetry"
	"ballast/telemetry/duckdb"
	"ballast/unit"
)

// A day of polls of a small site, stored and rolled up as the product does it.
// What the report says must be what a plain walk over the raw rows says, each
// row standing for the time to the next one. The day has 25 hours, machines
// that sleep, stop, are set lower and go silent, and an hour in which Ballast
// itself was away.
func TestReportAgreesWithRawRows(t *testing.T) {
	zone, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	day, err := report.ParseDay("2026-11-01", zone)
	if err != nil {
		t.Fatal(err)
	}
	from, to := day.Start(), day.End()
	if to.Sub(from) != 25*time.Hour {
		t.Fatalf("the day is %v long", to.Sub(from))
	}
	now := from.Add(-2 * time.Hour)
	record, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{Clock: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer record.Close()
	history, err := duckdb.Open(t.Context(), duckdb.Options{Dir: t.TempDir(), Options: telemetry.Options{Clock: func() time.Time { return now }}})
	if err != nil {
		t.Fatal(err)
	}
	defer history.Close()
	const every, machines = 10 * time.Second, 6
	if err := NoteInterval(t.Context(), record, every, now); err != nil {
		t.Fatal(err)
	}
	var batch []ledger.Sighting
	for i := range machines {
		batch = append(batch, ledger.Sighting{MAC: "02:00:00:00:00:0" + string(rune('1'+i)), Site: "hood", Model: "Antminer S19 Pro"})
	}
	known, err := record.ObserveMachines(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	if err := record.EditMachines(t.Context(), []int64{known[4].ID, known[5].ID}, ledger.MachineEdit{Place: unit.None[ledger.Place](), Group: unit.Some("c1")}, ledger.By("test")); err != nil {
		t.Fatal(err)
	}

	rnd := rand.New(rand.NewPCG(1, 2))
	h := func(x float64) time.Time { return from.Add(time.Duration(x * float64(time.Hour))) }
	in := func(at time.Time, a, b float64) bool { return !at.Before(h(a)) && at.Before(h(b)) }
	var rows []telemetry.Row
	for m := range machines {
		phase := time.Duration(m) * 1300 * time.Millisecond
		next := from.Add(-time.Hour)
		for at := from.Add(-time.Hour).Add(phase); at.Before(to.Add(time.Hour)); at = at.Add(every) {
			if in(at, 5, 6.07) || at.Before(next) { // Ballast away; backed off
				continue
			}
			r := telemetry.Row{Machine: miner.ID(known[m].ID), At: at.Add(time.Duration(rnd.IntN(300)) * time.Millisecond).Truncate(time.Millisecond), Outcome: telemetry.OK,
				Tags: telemetry.Tags{Site: "hood", Model: "Antminer S19 Pro", Firmware: miner.Antminer}}
			if m == 1 && in(at, 8.21, 11.6) || m == 5 && in(at, -1, 30) {
				r.Outcome = telemetry.Unreachable
				r.Set(telemetry.Up, 0)
				next = at.Add(time.Minute)
				rows = append(rows, r)
				continue
			}
			r.Set(telemetry.Up, 1)
			state, rate, nominal, power := telemetry.Hashing, 100+rnd.Float64()*4-2, 104.0, 3000.0
			switch {
			case m == 2 && in(at, 2.1, 9.33):
				state, rate, power = telemetry.Sleeping, 0, 60
			case m == 3 && in(at, 12, 13.4):
				state, rate, power = telemetry.Stopped, 0, 150
				r.Faults = telemetry.FaultSummary{First: miner.ThermalChip, Worst: miner.Critical, Bits: faultBits(miner.ThermalChip)}
			case m == 3 && in(at, 13.4, 13.6):
				state, rate = telemetry.Starting, 0
			case m == 4 && in(at, 15, 21):
				rate, nominal, power = 61, 62, 1700
			}
			for _, s := range []telemetry.Metric{telemetry.Hashing, telemetry.Sleeping, telemetry.Stopped, telemetry.Starting} {
				v := 0.0
				if s == state {
					v = 1
				}
				r.Set(s, v)
			}
			r.Set(telemetry.Hashrate, rate)
			r.Set(telemetry.HashrateNominal, nominal)
			r.Set(telemetry.Power, power)
			rows = append(rows, r)
		}
	}
	now = to.Add(2 * time.Hour)
	if err := history.Append(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	src := reportSource{history: history, record: record}
	var first report.Report
	for _, step := range []string{"raw", "rolled up"} {
		if step == "rolled up" {
			for more := true; more; {
				did, err := history.Maintain(t.Context(), now)
				if err != nil {
					t.Fatal(err)
				}
				more = did.More
			}
		}
		r, days, err := report.Build(t.Context(), src, "hood", "Hood", day, now)
		if err != nil {
			t.Fatal(err)
		}
		w := walk(t, history, known, from, to, every)
		near := func(what string, got, want, within float64) {
			t.Helper()
			if math.Abs(got-want) > within*math.Max(1, math.Abs(want)) {
				t.Errorf("%s: %s is %.4f, the raw rows say %.4f", step, what, got, want)
			}
		}
		near("work", r.Work, w.work/86400, 0.002)
		near("energy", float64(r.Energy.Total.Or(0)), w.energy, 0.002)
		near("hashing", r.Time.Hashing, w.hours["hashing"], 0.002)
		near("off", r.Time.Off, w.hours["sleeping"], 0.003)
		near("down", r.Time.Down, w.hours["stopped"], 0.006)
		near("starting", r.Time.Starting, w.hours["starting"], 0.03)
		near("silent", r.Time.Silent, w.hours["silent"], 0.006)
		near("expected", r.Time.Expected, machines*25, 1e-9)
		near("coverage", r.Coverage, w.known/(machines*25), 0.002)
		near("uptime", float64(r.Uptime.Or(0)), w.hours["hashing"]/(w.known-w.hours["sleeping"]), 0.002)
		near("hot", lossOf(r.Losses, report.Hot), 1.4*104/24, 0.01)
		// The one that never told what it can do counts with its nameplate.
		near("silent lost", lossOf(r.Losses, report.Silent), (w.silent[known[1].ID]*104+w.silent[known[5].ID]*110)/24, 0.01)
		near("curtailed", lossOf(r.Losses, report.Curtailed), (w.hours["sleeping"]*104+6*42)/24, 0.01)
		near("mean power", float64(r.Energy.MeanPower.Or(0)), w.energy/w.known/3600*machines, 0.002)
		if r.Energy.From != "machines" || r.Hours != 25 || r.Partial || len(r.Quarters) != 100 || r.Machines != machines {
			t.Errorf("%s: %+v", step, r)
		}
		if len(r.Holes) != 1 || r.Holes[0].From.Sub(from) != 5*time.Hour || r.Holes[0].To.Sub(from) != 6*time.Hour+15*time.Minute {
			t.Errorf("%s: holes %+v", step, r.Holes)
		}
		if r.Worst[0].ID != known[5].ID || r.Worst[0].Why[0].Reason != report.Silent {
			t.Errorf("%s: the worst is %+v", step, r.Worst[0])
		}
		if len(r.Faults) != 1 || r.Faults[0].Code != int(miner.ThermalChip) || math.Abs(r.Faults[0].Hours-1.4) > 0.02 {
			t.Errorf("%s: faults %+v", step, r.Faults)
		}
		if len(r.Racks) != 1 || r.Racks[0].Rack != "group c1" || r.Racks[0].Machines != 2 {
			t.Errorf("%s: racks %+v", step, r.Racks)
		}
		balance(t, &r, days)
		if step == "raw" {
			first = r
		} else if math.Abs(first.Work-r.Work) > 1e-6*r.Work || math.Abs(first.Time.Hashing-r.Time.Hashing) > 1e-6 {
			t.Errorf("rolled up the report differs: %v TH-days and %v h, raw %v and %v", r.Work, r.Time.Hashing, first.Work, first.Time.Hashing)
		}
	}
}

// balance checks that nothing is lost between the sums: what was produced, what
// was lost and what was produced beyond nominal make up the known potential.
func balance(t *testing.T, r *report.Report, days []report.MachineDay) {
	t.Helper()
	var lost, of, potential float64
	for _, d := range days {
		of += d.Lost
		potential += float64(d.Nominal.Or(0)) * (d.Time.Expected - d.Time.Unknown) / 24
	}
	for _, l := range r.Losses {
		lost += l.Lost
	}
	if math.Abs(r.Work+lost-r.Above-potential) > 1e-3*potential || math.Abs(lost-of) > 2e-3*lost {
		t.Errorf("%v produced + %v lost - %v beyond is not %v; the machines lost %v", r.Work, lost, r.Above, potential, of)
	}
}

func lossOf(ls []report.Loss, r report.Reason) float64 {
	for _, l := range ls {
		if l.Reason == r {
			return l.Lost
		}
	}
	return 0
}

func faultBits(c miner.Code) uint64 {
	for i := range 64 {
		if got := telemetry.FaultCodes(1 << i); len(got) == 1 && got[0] == c {
			return 1 << i
		}
	}
	return 0
}

type walked struct {
	work, energy, known float64
	hours               map[string]float64
	silent              map[int64]float64
}

// walk goes over the raw rows: a row stands for the time to the next row of its
// machine, at most as long as polls may be apart.
func walk(t *testing.T, history telemetry.Store, machines []ledger.Machine, from, to time.Time, every time.Duration) walked {
	t.Helper()
	w := walked{hours: map[string]float64{}, silent: map[int64]float64{}}
	for _, m := range machines {
		var last *telemetry.Row
		count := func(until time.Time) {
			if last == nil {
				return
			}
			most := every + every/2
			if last.Outcome != telemetry.OK {
				most = 70 * time.Second
			}
			start, end := last.At, until
			if d := end.Sub(start); d > most {
				end = start.Add(every)
				if last.Outcome != telemetry.OK {
					end = start.Add(time.Minute)
				}
			}
			if start.Before(from) {
				start = from
			}
			if end.After(to) {
				end = to
			}
			d := end.Sub(start).Hours()
			if d <= 0 {
				return
			}
			w.known += d
			if last.Outcome != telemetry.OK {
				w.hours["silent"] += d
				w.silent[m.ID] += d
				return
			}
			for _, s := range []telemetry.Metric{telemetry.Hashing, telemetry.Sleeping, telemetry.Stopped, telemetry.Starting} {
				if last.Get(s).Or(0) == 1 {
					w.hours[s.String()] += d
				}
			}
			w.work += last.Get(telemetry.Hashrate).Or(0) * d * 3600
			w.energy += last.Get(telemetry.Power).Or(0) * d * 3600
		}
		for r, err := range history.History(t.Context(), telemetry.HistoryQuery{Filter: telemetry.Machines(miner.ID(m.ID)), From: from.Add(-time.Minute), To: to.Add(time.Minute)}) {
			if err != nil {
				t.Fatal(err)
			}
			count(r.At)
			last = &r
		}
		count(to.Add(time.Minute))
	}
	return w
}
