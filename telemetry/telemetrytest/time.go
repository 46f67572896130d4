package telemetrytest

import (
	"flag"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ballast/miner"
	"ballast/telemetry"
)

// testBuckets puts samples on and beside the boundaries of buckets. Buckets are
// in UTC: the night when New York's clocks go back has no bucket of 25 hours.
func testBuckets(t *testing.T, open Open) {
	night := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	f := start(t, open, telemetry.Options{})
	f.now = night.Add(40 * time.Hour)
	var m model
	for i, d := range []time.Duration{0, time.Millisecond, time.Minute - time.Millisecond, time.Minute, 59*time.Minute + 59999*time.Millisecond, time.Hour,
		5 * time.Hour, 6 * time.Hour, 7 * time.Hour, 24*time.Hour - time.Millisecond, 24 * time.Hour, 25 * time.Hour} {
		r := row(1, night.Add(d), float64(i+1))
		f.append(r)
		m.add(r)
	}
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		newYork = time.FixedZone("EDT", -4*3600)
	}
	for _, maintained := range []bool{false, true} {
		if maintained {
			f.maintain(f.now)
		}
		for _, bucket := range []time.Duration{0, time.Second, 30 * time.Second, time.Minute, 7 * time.Minute, 15 * time.Minute, time.Hour, 24 * time.Hour, 25 * time.Hour} {
			for _, from := range []time.Duration{0, time.Millisecond, 30 * time.Second, time.Minute, 90 * time.Minute, -24 * time.Hour} {
				q := telemetry.Query{Metrics: []telemetry.Metric{telemetry.Hashrate}, Aggregate: telemetry.Mean, Bucket: bucket, From: night.Add(from).In(newYork), To: night.Add(25 * time.Hour)}
				check(t, fmt.Sprintf("buckets of %v from %v, maintained %v", bucket, from, maintained), f.query(q).Series, m.query(q))
			}
		}
	}
}

func testGroupBy(t *testing.T, open Open) {
	f := start(t, open, telemetry.Options{})
	var m model
	for i := range 30 {
		for id := range miner.ID(6) {
			r := row(id+1, noon.Add(-time.Hour+time.Duration(i)*time.Minute), float64(i)+float64(id)/10)
			r.Site = []string{"north", "south", ""}[id%3]
			r.Group = []string{"a", "b"}[id%2]
			r.Model = []string{"S19", "M50"}[id/3]
			r.Firmware = []miner.Firmware{miner.Antminer, miner.Whatsminer}[id/3]
			if i >= 15 && id == 2 {
				r.Site, r.Version = "north", "2" // moved, and updated
			}
			for b := range 2 {
				board := telemetry.BoardRow{Index: b * 2}
				board.Set(telemetry.BoardHashrate, float64(i*10+b))
				r.Boards = append(r.Boards, board)
			}
			m.add(r)
		}
	}
	f.append(m.rows...)
	for _, maintained := range []bool{false, true} {
		if maintained {
			f.maintain(noon.Add(2 * time.Hour))
		}
		for i, by := range []telemetry.GroupBy{"", telemetry.ByNone, telemetry.BySite, telemetry.ByGroup, telemetry.ByModel, telemetry.ByFirmware, telemetry.ByVersion, telemetry.ByMachine, telemetry.ByBoard} {
			for k, a := range []telemetry.Aggregate{telemetry.Mean, telemetry.Min, telemetry.Max, telemetry.Sum, telemetry.Samples} {
				for name, filter := range map[string]telemetry.Filter{
					"all": {}, "two machines": telemetry.Machines(2, 3, 99), "north": {Sites: []string{"north"}}, "no site": {Sites: []string{""}},
					"S19 of a": {Models: []string{"S19"}, Groups: []string{"a"}}, "updated": {Versions: []string{"2"}}, "none": {Firmwares: []miner.Firmware{miner.Bitaxe}},
				} {
					if name != "all" && i%5 != k {
						continue // every grouping with every aggregate, every filter with some
					}
					q := telemetry.Query{Metrics: []telemetry.Metric{telemetry.BoardHashrate, telemetry.Hashrate}, Aggregate: a, GroupBy: by, Bucket: 10 * time.Minute, From: noon.Add(-time.Hour), To: noon, Filter: filter}
					if by == telemetry.ByBoard {
						q.Metrics = q.Metrics[:1]
					}
					check(t, fmt.Sprintf("%s by %s of %s, maintained %v", a, by, name, maintained), f.query(q).Series, m.query(q))
				}
			}
		}
	}
}

func testCounters(t *testing.T, open Open) {
	f := start(t, open, telemetry.Options{})
	var m model
	begin := noon.Add(-13 * time.Hour) // over midnight
	for i, v := range []float64{100, 110, 110, math.NaN(), 130, 5, 8, 8, 9, 4, 20} {
		r := row(1, begin.Add(time.Duration(i)*7*time.Minute), 1)
		if !math.IsNaN(v) {
			r.Set(telemetry.Accepted, v)
			r.Set(telemetry.MinerUptime, v)
			b := telemetry.BoardRow{Index: 3}
			b.Set(telemetry.BoardHWErrors, 2*v)
			r.Boards = append(r.Boards, b)
		}
		m.add(r)
	}
	// After a silence longer than the lookback nothing is known.
	late := row(1, begin.Add(3*time.Hour), 1)
	late.Set(telemetry.Accepted, 1000)
	m.add(late)
	f.append(m.rows...)
	for _, maintained := range []bool{false, true} {
		if maintained {
			f.maintain(noon.Add(time.Hour))
		}
		for _, bucket := range []time.Duration{0, 10 * time.Minute, 15 * time.Minute, time.Hour, 90 * time.Second} {
			q := telemetry.Query{Metrics: []telemetry.Metric{telemetry.Accepted, telemetry.BoardHWErrors}, Aggregate: telemetry.Increase, Bucket: bucket, From: begin.Add(20 * time.Minute), To: noon}
			check(t, fmt.Sprintf("increase in %v, maintained %v", bucket, maintained), f.query(q).Series, m.query(q))
			q.Metrics, q.Aggregate = []telemetry.Metric{telemetry.MinerUptime}, telemetry.Resets
			check(t, fmt.Sprintf("resets in %v, maintained %v", bucket, maintained), f.query(q).Series, m.query(q))
		}
	}
	q := telemetry.Query{Metrics: []telemetry.Metric{telemetry.Accepted}, Aggregate: telemetry.Increase, From: begin, To: noon}
	if got, want := f.query(q).Series[0].Points[0].Value, 10.+0+20+5+3+0+1+4+16; got != want {
		t.Errorf("an increase of %v, want %v", got, want)
	}
}

func testLatestAndTop(t *testing.T, open Open) {
	f := start(t, open, telemetry.Options{})
	for i := range 10 {
		for id := range miner.ID(10) {
			r := row(id+1, noon.Add(time.Duration(i-10)*10*time.Second), 100)
			r.Group = []string{"even", "odd"}[id%2]
			if id != 4 {
				r.Set(telemetry.TempChip, float64(60+id)+float64(i)/10)
			}
			for b := range 3 {
				board := telemetry.BoardRow{Index: b}
				board.Set(telemetry.BoardTempChipMax, float64(50+int(id)*3+b))
				r.Boards = append(r.Boards, board)
			}
			if id == 9 && i > 3 {
				continue // fell silent
			}
			f.append(r)
		}
	}
	f.append(row(3, noon.Add(-time.Minute-5*time.Second), 1)) // late: not the newest
	for range 2 {
		rows, err := f.Latest(t.Context(), telemetry.Filter{Groups: []string{"odd"}, Machines: []miner.ID{10, 2, 2, 3}})
		if err != nil || len(rows) != 2 || rows[0].Machine != 2 || rows[1].Machine != 10 || !rows[0].At.Equal(noon.Add(-10*time.Second)) {
			t.Errorf("latest: %+v, %v", rows, err)
		}
		top, err := f.Top(t.Context(), telemetry.TopQuery{Metric: telemetry.TempChip, N: 3, Since: noon.Add(-30 * time.Second)})
		if err != nil || len(top) != 3 || top[0].Machine != 9 || top[0].Value != 68.9 || top[0].Board != -1 || top[2].Machine != 7 {
			t.Errorf("hottest: %+v, %v", top, err)
		}
		low, err := f.Top(t.Context(), telemetry.TopQuery{Metric: telemetry.BoardTempChipMax, Lowest: true, N: 4, Filter: telemetry.Filter{Groups: []string{"odd"}}})
		if err != nil || len(low) != 4 || low[0].Machine != 2 || low[0].Board != 0 || low[2].Board != 2 || low[3].Machine != 4 {
			t.Errorf("coolest boards: %+v, %v", low, err)
		}
		all, err := f.Top(t.Context(), telemetry.TopQuery{Metric: telemetry.TempChip})
		if err != nil || len(all) != 9 || slices.ContainsFunc(all, func(r telemetry.Ranked) bool { return r.Machine == 5 }) {
			t.Errorf("all: %+v, %v", all, err)
		}
		f.reopen()
	}
}

func testDayChange(t *testing.T, open Open) {
	f := start(t, open, telemetry.Options{})
	midnight := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	var m model
	for i := -20; i < 20; i++ {
		f.now = midnight.Add(time.Duration(i) * 3 * time.Second)
		batch := []telemetry.Row{row(1, f.now.Add(-time.Second), float64(i)), row(2, f.now, float64(i)), row(3, f.now.Add(time.Second), float64(i))}
		f.append(batch...)
		m.add(batch...)
		if i%5 == 0 {
			f.maintain(f.now)
		}
	}
	sameRows(t, "history", f.history([]miner.ID{1, 2, 3}, midnight.Add(-time.Hour), midnight.Add(time.Hour)), byMachine(m.rows))
	f.maintain(midnight.Add(10 * time.Minute))
	f.reopen()
	for _, bucket := range []time.Duration{0, 10 * time.Second, time.Minute, time.Hour} {
		q := telemetry.Query{Metrics: []telemetry.Metric{telemetry.Hashrate}, Aggregate: telemetry.Mean, GroupBy: telemetry.ByMachine, Bucket: bucket, From: midnight.Add(-time.Hour), To: midnight.Add(time.Hour)}
		check(t, fmt.Sprint("means in ", bucket), f.query(q).Series, m.query(q))
	}
	if st, err := f.Stats(t.Context()); err != nil || st.Days != 2 || st.MachineRows != int64(len(m.rows)) || st.MachineDays != 6 {
		t.Errorf("stats: %+v, %v", st, err)
	}
}

func testLate(t *testing.T, open Open) {
	f := start(t, open, telemetry.Options{})
	var m model
	put := func(rows ...telemetry.Row) {
		f.append(rows...)
		m.add(rows...)
	}
	counted := func(id miner.ID, at time.Time, n float64) telemetry.Row {
		r := row(id, at, n)
		r.Set(telemetry.Accepted, n)
		return r
	}
	begin := noon.Add(-50 * time.Hour)
	var batch []telemetry.Row
	for i := range 300 {
		batch = append(batch, counted(1, begin.Add(time.Duration(i)*10*time.Minute), float64(i)))
	}
	put(batch...)
	compare := func(what string) {
		t.Helper()
		for _, bucket := range []time.Duration{0, time.Minute, 15 * time.Minute, time.Hour, 24 * time.Hour} {
			q := telemetry.Query{Metrics: []telemetry.Metric{telemetry.Hashrate}, Aggregate: telemetry.Mean, Bucket: bucket, From: begin.Add(-time.Hour), To: noon}
			check(t, fmt.Sprintf("%s, means in %v", what, bucket), f.query(q).Series, m.query(q))
			q.Metrics, q.Aggregate = []telemetry.Metric{telemetry.Accepted}, telemetry.Increase
			check(t, fmt.Sprintf("%s, increase in %v", what, bucket), f.query(q).Series, m.query(q))
		}
	}
	f.maintain(noon)
	compare("before")
	// A link was down: readings of two days ago, of yesterday around midnight
	// and of this morning arrive, between those that are there.
	for _, d := range []time.Duration{90 * time.Minute, 13 * time.Hour, 14 * time.Hour, 47 * time.Hour} {
		put(counted(2, begin.Add(d+3*time.Second), 7), counted(1, begin.Add(d+5*time.Minute), 1e3))
	}
	compare("rolled up no more")
	f.reopen()
	compare("reopened")
	f.maintain(noon)
	compare("rolled up again")
	f.maintain(noon.Add(3 * time.Hour))
	put(counted(2, begin.Add(100*time.Minute), 9))
	f.maintain(noon.Add(3 * time.Hour))
	f.reopen()
	compare("compacted again")
}

func testRetention(t *testing.T, open Open) {
	const day = 24 * time.Hour
	f := start(t, open, telemetry.Options{Keep: [telemetry.Resolutions]time.Duration{telemetry.Raw: 2 * day, telemetry.Minute: 5 * day, telemetry.Quarter: 40 * day, telemetry.Hour: 4000 * day}})
	var m model
	begin := time.Date(2026, 9, 1, 0, 0, 0, 0, time.UTC)
	for d := range 6 {
		f.now = begin.Add(time.Duration(d)*day + 23*time.Hour)
		var batch []telemetry.Row
		for h := range 24 {
			for k := range 4 {
				batch = append(batch, row(1, begin.Add(time.Duration(d)*day+time.Duration(h)*time.Hour+time.Duration(k)*17*time.Minute), float64(d*100+h+k)))
			}
		}
		f.append(batch...)
		m.add(batch...)
		f.maintain(f.now)
	}
	hours := telemetry.Query{Metrics: []telemetry.Metric{telemetry.Hashrate}, Aggregate: telemetry.Mean, Bucket: time.Hour, From: begin, To: begin.Add(6 * day)}
	check(t, "hours", f.query(hours).Series, m.query(hours))
	if got := f.history([]miner.ID{1}, begin, begin.Add(3*day)); len(got) != 0 {
		t.Errorf("%d raw rows of days that are kept no more", len(got))
	}
	sameRows(t, "kept rows", f.history([]miner.ID{1}, begin.Add(3*day), begin.Add(6*day)), m.rows[3*96:])
	if err := f.Append(t.Context(), []telemetry.Row{row(1, begin.Add(time.Hour), 1)}); err == nil {
		t.Error("a row of a day that is kept no more was taken")
	}
	// A month later only quarters and hours are left, two years later hours.
	for _, c := range []struct {
		after  time.Duration
		bucket time.Duration
		finest telemetry.Resolution
		points int
	}{{30 * day, 5 * time.Minute, telemetry.Quarter, 6 * 24 * 4}, {30 * day, 30 * time.Minute, telemetry.Quarter, 6 * 24 * 2}, {700 * day, 5 * time.Minute, telemetry.Hour, 6 * 24}, {700 * day, day, telemetry.Hour, 6}} {
		f.now = begin.Add(c.after)
		f.maintain(f.now)
		f.reopen()
		q := hours
		q.Bucket = c.bucket
		res := f.query(q)
		if len(res.Series) != 1 || len(res.Resolutions) != 1 || res.Resolutions[0] != c.finest {
			t.Fatalf("after %v: %d series from %v, want one from %v", c.after, len(res.Series), res.Resolutions, c.finest)
		}
		if got := len(res.Series[0].Points); got != c.points {
			t.Errorf("after %v: %d points of %v, want %d", c.after, got, c.bucket, c.points)
		}
		check(t, fmt.Sprintf("hours after %v", c.after), f.query(hours).Series, m.query(hours))
		total := telemetry.Query{Metrics: []telemetry.Metric{telemetry.Hashrate}, Aggregate: telemetry.Samples, From: begin.Add(90 * time.Minute), To: begin.Add(6 * day)}
		if v := f.query(total).Series[0].Points[0].Value; v < float64(len(m.rows)-8) || v > float64(len(m.rows)) {
			t.Errorf("after %v: %v samples of about %d", c.after, v, len(m.rows))
		}
	}
	f.now = begin.Add(5000 * day)
	did := f.maintain(f.now)
	if len(did.Removed) == 0 {
		t.Error("nothing was removed in the end")
	}
	if res := f.query(hours); len(res.Series) != 0 {
		t.Errorf("in the end there is still %+v", res)
	}
}

func testHugeRange(t *testing.T, open Open) {
	f := start(t, open, telemetry.Options{})
	f.append(row(1, noon.Add(-time.Minute), 100))
	for _, maintained := range []bool{false, true} {
		for _, bucket := range []time.Duration{0, time.Second, time.Hour, 100 * 365 * 24 * time.Hour} {
			for _, ends := range [][2]time.Time{{{}, time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC)}, {time.Unix(math.MinInt32, 0), time.Unix(1<<40, 0)}, {noon.Add(-time.Hour), time.Unix(1<<40, 0)}} {
				q := telemetry.Query{Metrics: []telemetry.Metric{telemetry.Hashrate}, Aggregate: telemetry.Mean, Bucket: bucket, From: ends[0], To: ends[1]}
				if res := f.query(q); len(res.Series) != 1 || len(res.Series[0].Points) != 1 || res.Series[0].Points[0].Value != 100 {
					t.Errorf("from %v to %v in %v, maintained %v: %+v", ends[0], ends[1], bucket, maintained, res.Series)
				}
			}
		}
		f.maintain(noon.Add(48 * time.Hour))
	}
	if got := f.history([]miner.ID{1}, time.Time{}, time.Unix(1<<40, 0)); len(got) != 1 {
		t.Errorf("%d rows of history", len(got))
	}
}

// testProperty plays random days: rows of every kind in batches that overlap
// and come late, upkeep at any time, closing and opening. The store must answer
// random queries as the model does.
func testProperty(t *testing.T, open Open) {
	// Opening stores and their upkeep cost more than drawing: a few days, other
	// ones each time, unless the command line asks for more (-rapid.checks=50).
	if checks := flag.Lookup("rapid.checks"); checks != nil && checks.Value.String() == checks.DefValue {
		if err := checks.Value.Set("2"); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = checks.Value.Set(checks.DefValue) }()
	}
	rapid.Check(t, func(rt *rapid.T) {
		f := start(t, open, telemetry.Options{})
		f.now = noon.Add(5 * time.Hour)
		var m model
		rt.Repeat(map[string]func(*rapid.T){
			"append": func(rt *rapid.T) {
				rows := rapid.SliceOfN(rapid.Custom(drawRow), 1, 40).Draw(rt, "rows")
				f.append(rows...)
				m.add(rows...)
			},
			"maintain": func(rt *rapid.T) {
				at := rapid.SampledFrom([]time.Duration{-24 * time.Hour, 0, 3 * time.Minute, 20 * time.Minute, time.Hour, 15 * time.Hour, 40 * time.Hour}).Draw(rt, "now")
				f.maintain(noon.Add(at))
			},
			"reopen": func(*rapid.T) { f.reopen() },
			"query": func(rt *rapid.T) {
				q := drawQuery(rt)
				res, err := f.Query(t.Context(), q)
				if err != nil {
					rt.Fatalf("querying %+v: %v", q, err)
				}
				check(fataler{t, rt}, fmt.Sprintf("%+v from %v", q, res.Resolutions), res.Series, m.query(q))
			},
			"history": func(rt *rapid.T) {
				from := noon.Add(-time.Duration(rapid.IntRange(0, 30).Draw(rt, "from")) * time.Hour)
				var want []telemetry.Row
				for _, r := range byMachine(m.rows) {
					if r.Machine <= 2 && !r.At.Before(from) && r.At.Before(noon) {
						want = append(want, r)
					}
				}
				sameRows(fataler{t, rt}, "history", f.history([]miner.ID{1, 2}, from, noon), want)
			},
		})
		if err := f.Close(); err != nil {
			rt.Fatal(err)
		}
	})
}

// fataler reports a failed comparison to rapid, which then looks for a smaller
// example.
type fataler struct {
	testing.TB
	rt *rapid.T
}

func (f fataler) Helper()                           {}
func (f fataler) Fatalf(format string, args ...any) { f.rt.Fatalf(format, args...) }

func drawRow(rt *rapid.T) telemetry.Row {
	// Most rows are of the last hours, some of the day before.
	ago := time.Duration(rapid.IntRange(0, 3*3600).Draw(rt, "ago")) * time.Second
	if rapid.IntRange(0, 4).Draw(rt, "old") == 0 {
		ago += 11 * time.Hour
	}
	r := telemetry.Row{Machine: miner.ID(rapid.IntRange(1, 4).Draw(rt, "machine")), At: noon.Add(-ago), Outcome: telemetry.OK, State: miner.Hashing}
	r.Site = rapid.SampledFrom([]string{"north", "south"}).Draw(rt, "site")
	r.Version = rapid.SampledFrom([]string{"1", "2"}).Draw(rt, "version")
	some := func(m telemetry.Metric) (float64, bool) {
		v := rapid.IntRange(-2, 400).Draw(rt, m.String())
		return float64(v) / 4, v >= 0
	}
	for _, m := range []telemetry.Metric{telemetry.Hashrate, telemetry.TempChip, telemetry.Accepted, telemetry.MinerUptime} {
		if v, ok := some(m); ok {
			r.Set(m, v)
		}
	}
	for i := range rapid.IntRange(0, 2).Draw(rt, "boards") {
		b := telemetry.BoardRow{Index: i * 2, Serial: r.Version}
		for _, m := range []telemetry.Metric{telemetry.BoardHashrate, telemetry.BoardHWErrors} {
			if v, ok := some(m); ok {
				b.Set(m, v)
			}
		}
		r.Boards = append(r.Boards, b)
	}
	return r
}

func drawQuery(rt *rapid.T) telemetry.Query {
	q := telemetry.Query{
		Bucket:  rapid.SampledFrom([]time.Duration{0, 30 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour}).Draw(rt, "bucket"),
		GroupBy: rapid.SampledFrom([]telemetry.GroupBy{telemetry.ByNone, telemetry.BySite, telemetry.ByVersion, telemetry.ByMachine}).Draw(rt, "by"),
		From:    noon.Add(-time.Duration(rapid.IntRange(0, 16*3600).Draw(rt, "from")) * time.Second),
	}
	q.To = q.From.Add(time.Duration(rapid.IntRange(0, 16*3600).Draw(rt, "length")) * time.Second)
	switch rapid.IntRange(0, 3).Draw(rt, "kind") {
	case 0:
		q.Metrics, q.Aggregate = []telemetry.Metric{telemetry.Accepted, telemetry.BoardHWErrors}, telemetry.Increase
	case 1:
		q.Metrics, q.Aggregate = []telemetry.Metric{telemetry.MinerUptime}, telemetry.Resets
	default:
		q.Metrics = []telemetry.Metric{telemetry.Hashrate, telemetry.TempChip, telemetry.BoardHashrate}
		q.Aggregate = rapid.SampledFrom([]telemetry.Aggregate{telemetry.Mean, telemetry.Min, telemetry.Max, telemetry.Sum, telemetry.Samples}).Draw(rt, "aggregate")
	}
	if rapid.Bool().Draw(rt, "filtered") {
		q.Filter = telemetry.Filter{Sites: []string{"north"}, Machines: []miner.ID{1, 3, 4}}
	}
	return q
}
