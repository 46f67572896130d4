package telemetrytest

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"ballast/miner"
	"ballast/telemetry"
)

func testEmpty(t *testing.T, open Open) {
	f := start(t, open, telemetry.Options{})
	if err := f.Append(t.Context(), nil); err != nil {
		t.Errorf("appending nothing: %v", err)
	}
	for range 2 {
		q := telemetry.Query{Metrics: []telemetry.Metric{telemetry.Hashrate, telemetry.BoardHashrate}, Aggregate: telemetry.Sum, Bucket: time.Minute, From: noon.Add(-time.Hour), To: noon}
		if res := f.query(q); len(res.Series) != 0 {
			t.Errorf("an empty store answers %+v", res)
		}
		rows, err := f.Latest(t.Context(), telemetry.Filter{})
		if err != nil || len(rows) != 0 {
			t.Errorf("latest of an empty store: %v, %v", rows, err)
		}
		top, err := f.Top(t.Context(), telemetry.TopQuery{Metric: telemetry.TempChip, N: 5})
		if err != nil || len(top) != 0 {
			t.Errorf("top of an empty store: %v, %v", top, err)
		}
		if got := f.history([]miner.ID{1}, noon.Add(-time.Hour), noon); len(got) != 0 {
			t.Errorf("history of an empty store: %v", got)
		}
		for _, format := range []telemetry.Format{telemetry.CSV, telemetry.JSONL, telemetry.Parquet} {
			n, err := f.Export(t.Context(), io.Discard, telemetry.ExportQuery{Format: format, Level: telemetry.MachineLevel})
			if err != nil || n != 0 {
				t.Errorf("exporting an empty store as %s: %d rows, %v", format, n, err)
			}
		}
		if did := f.maintain(noon); did.RolledUp != 0 {
			t.Errorf("maintaining an empty store: %+v", did)
		}
		st, err := f.Stats(t.Context())
		if err != nil || st.MachineRows != 0 || st.Days != 0 {
			t.Errorf("stats of an empty store: %+v, %v", st, err)
		}
		f.reopen()
	}
}

func testRoundTrip(t *testing.T, open Open) {
	f := start(t, open, telemetry.Options{})
	rnd := rand.New(rand.NewPCG(1, 2))
	var rows []telemetry.Row
	for i := range 50 {
		for id := range miner.ID(3) {
			r := everything(rnd, id+1, noon.Add(time.Duration(i)*10*time.Second+time.Duration(id)*time.Millisecond).Add(-time.Hour))
			rows = append(rows, r)
		}
	}
	f.append(rows...)
	want := byMachine(rows)
	for _, step := range []string{"at once", "after reopening", "after maintenance", "after compaction"} {
		switch step {
		case "after reopening":
			f.reopen()
		case "after maintenance":
			f.maintain(noon)
		case "after compaction":
			f.now = noon.Add(36 * time.Hour)
			f.maintain(f.now)
			f.reopen()
		}
		sameRows(t, "history "+step, f.history([]miner.ID{3, 1, 2, 99, 1}, noon.Add(-time.Hour), noon), want)
		latest, err := f.Latest(t.Context(), telemetry.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		sameRows(t, "latest "+step, latest, []telemetry.Row{want[49], want[99], want[149]})
	}
	// Stopping in the middle is fine.
	for range f.History(t.Context(), telemetry.HistoryQuery{Filter: telemetry.Machines(1, 2), From: noon.Add(-time.Hour), To: noon}) {
		break
	}
}

func testMissing(t *testing.T, open Open) {
	f := start(t, open, telemetry.Options{})
	answered := row(1, noon.Add(-30*time.Second), 100)
	silent := telemetry.FromReading(telemetry.Poll{Machine: 1, Tags: answered.Tags, At: noon.Add(-20 * time.Second), Due: noon.Add(-25 * time.Second), Err: miner.ErrUnreachable}, nil)
	zero := row(1, noon.Add(-10*time.Second), 0)
	f.append(answered, silent, zero)
	f.reopen()
	got := f.history([]miner.ID{1}, noon.Add(-time.Hour), noon)
	sameRows(t, "history", got, []telemetry.Row{answered, silent, zero})
	if got[1].Outcome != telemetry.Unreachable || got[1].Get(telemetry.Hashrate).Ok() || got[1].Get(telemetry.Up).Or(1) != 0 {
		t.Errorf("an unanswered poll came back as %+v", got[1])
	}
	if v, ok := got[2].Get(telemetry.Hashrate).Get(); !ok || v != 0 {
		t.Errorf("a hashrate of 0 came back as %v, %v: missing is not zero, nor zero missing", v, ok)
	}
	if due, ok := got[1].Due().Get(); !ok || !due.Equal(noon.Add(-25*time.Second)) {
		t.Errorf("due at %v, want %v", due, noon.Add(-25*time.Second))
	}
	q := telemetry.Query{Metrics: []telemetry.Metric{telemetry.Hashrate, telemetry.Power, telemetry.Up}, Aggregate: telemetry.Mean, From: noon.Add(-time.Hour), To: noon}
	for _, maintained := range []bool{false, true} {
		if maintained {
			f.maintain(noon.Add(time.Hour))
		}
		check(t, "means", f.query(q).Series, []telemetry.Series{
			{Metric: telemetry.Hashrate, Points: []telemetry.Point{{At: q.From, Value: 50, Samples: 2}}},
			{Metric: telemetry.Up, Points: []telemetry.Point{{At: q.From, Value: 2. / 3, Samples: 3}}},
		})
	}
}

func testSameRowOnce(t *testing.T, open Open) {
	f := start(t, open, telemetry.Options{})
	batch := []telemetry.Row{row(1, noon.Add(-20*time.Second), 100), row(2, noon.Add(-20*time.Second), 101), row(1, noon.Add(-10*time.Second), 102)}
	f.append(batch...)
	f.append(batch...)                                                                   // sent again
	f.append(append(batch[1:2:2], row(2, noon.Add(-5*time.Second), 103))...)             // overlapping
	f.append(row(1, noon.Add(-15*time.Second), 104))                                     // older than the newest, but new
	f.append(row(3, noon.Add(-15*time.Second), 1), row(3, noon.Add(-15*time.Second), 2)) // twice in a batch
	f.reopen()
	f.append(batch...)
	f.append(row(1, noon.Add(-15*time.Second), 104))
	sameRows(t, "history", f.history([]miner.ID{1, 2, 3}, noon.Add(-time.Hour), noon), []telemetry.Row{
		batch[0], row(1, noon.Add(-15*time.Second), 104), batch[2], batch[1], row(2, noon.Add(-5*time.Second), 103), row(3, noon.Add(-15*time.Second), 1)})
	if st, err := f.Stats(t.Context()); err != nil || st.MachineRows != 6 {
		t.Errorf("%d machine rows, %v, want 6", st.MachineRows, err)
	}
}

func testWindow(t *testing.T, open Open) {
	f := start(t, open, telemetry.Options{})
	good := row(1, noon.Add(-time.Minute), 100)
	for name, bad := range map[string]telemetry.Row{
		"too old":    row(1, noon.Add(-20*24*time.Hour), 1),
		"future":     row(1, noon.Add(2*time.Hour), 1),
		"zero time":  row(1, time.Time{}, 1),
		"far future": row(1, time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), 1),
	} {
		if err := f.Append(t.Context(), []telemetry.Row{bad, good}); !errors.Is(err, telemetry.ErrOutside) {
			t.Errorf("%s: %v, want ErrOutside", name, err)
		}
	}
	if err := f.Append(t.Context(), []telemetry.Row{row(0, noon, 1)}); !errors.Is(err, telemetry.ErrInvalid) {
		t.Errorf("a row without a machine: %v", err)
	}
	sameRows(t, "history", f.history([]miner.ID{1}, time.Time{}, noon.Add(24*time.Hour)), []telemetry.Row{good})
	if st, err := f.Stats(t.Context()); err != nil || st.Refused != 5 {
		t.Errorf("refused %d, %v, want 5", st.Refused, err)
	}
}

func testInvalid(t *testing.T, open Open) {
	f := start(t, open, telemetry.Options{})
	f.append(row(1, noon.Add(-time.Minute), 100))
	good := telemetry.Query{Metrics: []telemetry.Metric{telemetry.Hashrate}, Aggregate: telemetry.Mean, Bucket: time.Minute, From: noon.Add(-time.Hour), To: noon}
	for name, spoil := range map[string]func(*telemetry.Query){
		"no metric":           func(q *telemetry.Query) { q.Metrics = nil },
		"unknown metric":      func(q *telemetry.Query) { q.Metrics = []telemetry.Metric{255} },
		"metric twice":        func(q *telemetry.Query) { q.Metrics = []telemetry.Metric{telemetry.Power, telemetry.Power} },
		"no aggregate":        func(q *telemetry.Query) { q.Aggregate = "" },
		"increase of a gauge": func(q *telemetry.Query) { q.Aggregate = telemetry.Increase },
		"mean of a counter":   func(q *telemetry.Query) { q.Metrics = []telemetry.Metric{telemetry.Accepted} },
		"resets of a counter": func(q *telemetry.Query) {
			q.Aggregate, q.Metrics = telemetry.Resets, []telemetry.Metric{telemetry.Accepted}
		},
		"board of a machine":   func(q *telemetry.Query) { q.GroupBy = telemetry.ByBoard },
		"unknown group":        func(q *telemetry.Query) { q.GroupBy = "rack; DROP TABLE machine" },
		"negative bucket":      func(q *telemetry.Query) { q.Bucket = -time.Minute },
		"fraction of a second": func(q *telemetry.Query) { q.Bucket = 1500 * time.Millisecond },
		"backwards":            func(q *telemetry.Query) { q.From, q.To = q.To, q.From },
	} {
		q := good
		spoil(&q)
		if _, err := f.Query(t.Context(), q); !errors.Is(err, telemetry.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
	for _, err := range f.History(t.Context(), telemetry.HistoryQuery{From: noon, To: noon}) {
		if !errors.Is(err, telemetry.ErrInvalid) {
			t.Errorf("history of no machine: %v", err)
		}
	}
	for _, q := range []telemetry.ExportQuery{{Format: "xls", Level: telemetry.MachineLevel}, {Format: telemetry.CSV, Level: telemetry.FanLevel},
		{Format: telemetry.CSV, Level: telemetry.BoardLevel, Metrics: []telemetry.Metric{telemetry.Power}}} {
		if _, err := f.Export(t.Context(), io.Discard, q); !errors.Is(err, telemetry.ErrInvalid) {
			t.Errorf("%+v: %v, want ErrInvalid", q, err)
		}
	}
	if _, err := f.Top(t.Context(), telemetry.TopQuery{}); !errors.Is(err, telemetry.ErrInvalid) {
		t.Errorf("top of no metric: %v", err)
	}
	small := good
	small.Limit = 1
	f.append(row(1, noon.Add(-3*time.Minute), 100))
	if _, err := f.Query(t.Context(), small); !errors.Is(err, telemetry.ErrTooMuch) {
		t.Errorf("two points with a limit of one: %v, want ErrTooMuch", err)
	}
}

func testCancelled(t *testing.T, open Open) {
	f := start(t, open, telemetry.Options{})
	f.append(row(1, noon.Add(-time.Minute), 100))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, queryErr := f.Query(ctx, telemetry.Query{Metrics: []telemetry.Metric{telemetry.Hashrate}, Aggregate: telemetry.Mean, From: noon.Add(-time.Hour), To: noon})
	_, latestErr := f.Latest(ctx, telemetry.Filter{})
	_, exportErr := f.Export(ctx, io.Discard, telemetry.ExportQuery{Format: telemetry.CSV, Level: telemetry.MachineLevel})
	_, statsErr := f.Stats(ctx)
	_, maintainErr := f.Maintain(ctx, noon)
	var historyErr error
	for _, historyErr = range f.History(ctx, telemetry.HistoryQuery{Filter: telemetry.Machines(1), From: noon.Add(-time.Hour), To: noon}) {
	}
	for name, err := range map[string]error{
		"append": f.Append(ctx, []telemetry.Row{row(1, noon, 1)}), "query": queryErr, "latest": latestErr, "export": exportErr, "stats": statsErr,
		"maintain": maintainErr, "history": historyErr,
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s with a cancelled context: %v", name, err)
		}
	}
	sameRows(t, "history afterwards", f.history([]miner.ID{1}, noon.Add(-time.Hour), noon.Add(time.Hour)), []telemetry.Row{row(1, noon.Add(-time.Minute), 100)})
}

// testReadingWhileWriting reads in every way while batches come in and the
// upkeep runs. What was acknowledged must be there for the next reader.
func testReadingWhileWriting(t *testing.T, open Open) {
	f := start(t, open, telemetry.Options{})
	const machines, batches = 20, 30
	begin := noon.Add(-time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			if _, err := f.Maintain(ctx, noon.Add(time.Hour)); err != nil && ctx.Err() == nil {
				t.Errorf("maintaining: %v", err)
			}
		}
	})
	for _, aggregate := range []telemetry.Aggregate{telemetry.Sum, telemetry.Max} {
		wg.Go(func() {
			for ctx.Err() == nil {
				_, err := f.Query(ctx, telemetry.Query{Metrics: []telemetry.Metric{telemetry.Hashrate}, Aggregate: aggregate, GroupBy: telemetry.ByModel, Bucket: time.Minute, From: begin, To: noon})
				if err != nil && ctx.Err() == nil {
					t.Errorf("querying: %v", err)
				}
			}
		})
	}
	for i := range batches {
		var rows []telemetry.Row
		for id := range miner.ID(machines) {
			rows = append(rows, row(id+1, begin.Add(time.Duration(i)*time.Minute), 100))
		}
		f.append(rows...)
		n, err := f.Query(t.Context(), telemetry.Query{Metrics: []telemetry.Metric{telemetry.Hashrate}, Aggregate: telemetry.Samples, From: begin, To: noon})
		if err != nil {
			t.Fatal(err)
		}
		if got := n.Series[0].Points[0].Value; got != float64((i+1)*machines) {
			t.Fatalf("after batch %d the store has %v samples, want %d", i, got, (i+1)*machines)
		}
	}
	cancel()
	wg.Wait()
}

func testClosed(t *testing.T, open Open) {
	f := start(t, open, telemetry.Options{})
	f.append(row(1, noon, 100))
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	if err := f.Append(t.Context(), []telemetry.Row{row(1, noon, 1)}); !errors.Is(err, telemetry.ErrClosed) {
		t.Errorf("appending to a closed store: %v", err)
	}
	if _, err := f.Latest(t.Context(), telemetry.Filter{}); !errors.Is(err, telemetry.ErrClosed) {
		t.Errorf("latest of a closed store: %v", err)
	}
	f.Store = f.open(t, f.place, f.opt)
}
