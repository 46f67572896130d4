package duckdb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"ballast/miner"
	"ballast/telemetry"
)

// Query aggregates metrics over time. See telemetry.Store.
func (s *Store) Query(ctx context.Context, q telemetry.Query) (telemetry.Result, error) {
	if err := q.Check(); err != nil {
		return telemetry.Result{}, err
	}
	var result telemetry.Result
	err := s.read(ctx, func() error {
		var err error
		result, err = s.query(ctx, q)
		return err
	})
	return result, err
}

// read does one reading operation in its turn, and once more after files that
// turned out damaged were put aside or DuckDB was reopened.
func (s *Store) read(ctx context.Context, do func() error) error {
	var last error
	for range 3 {
		err := func() error {
			end, err := s.begin(ctx)
			if err != nil {
				return err
			}
			defer end()
			if err := take(ctx, s.reading); err != nil {
				return err
			}
			defer func() { <-s.reading }()
			return do()
		}()
		switch {
		case dead(err):
			if err2 := s.revive(ctx, err); err2 != nil {
				return errors.Join(err, err2)
			}
		case damage(err) && s.putDamagedAside(ctx):
		default:
			return err
		}
		last = err
	}
	return last
}

// putDamagedAside reads every file through, and puts aside those that cannot
// be. It tells whether there were any.
func (s *Store) putDamagedAside(ctx context.Context) bool {
	end, err := s.begin(ctx)
	if err != nil {
		return false
	}
	defer end()
	found := false
	files, release := s.files.acquire(func(of func(telemetry.Resolution) []*file) (all []*file) {
		for r := range telemetry.Resolution(telemetry.Resolutions) {
			all = append(all, of(r)...)
		}
		return all
	})
	defer release()
	for _, f := range files {
		if err := s.readThrough(ctx, f); damage(err) {
			found = true
			// The writer must let go of the file, and Append must not be at it.
			if err := take(ctx, s.writing); err != nil {
				return found
			}
			s.w.release(f)
			s.files.quarantine(f, err)
			<-s.writing
		}
	}
	return found
}

// readThrough touches every block of a file's tables.
func (s *Store) readThrough(ctx context.Context, f *file) error {
	for i, t := range []table{machines, boards} {
		b := statement{}
		b.add("SELECT ")
		for k, c := range f.columns[i] {
			if k > 0 {
				b.add(", ")
			}
			b.add("max(", c, ")")
		}
		b.add(" FROM ", f.alias, ".", t.String())
		if err := b.query(ctx, s.db, func(*sql.Rows) error { return nil }); err != nil {
			return err
		}
	}
	return nil
}

// part is a segment of a plan in one file.
type part struct {
	f *file
	telemetry.Span
}

func (s *Store) query(ctx context.Context, q telemetry.Query) (telemetry.Result, error) {
	var result telemetry.Result
	want := telemetry.SpanOf(q.From, q.To)
	var parts []part
	files, release := s.files.acquire(func(of func(telemetry.Resolution) []*file) []*file {
		var all [telemetry.Resolutions][]*file
		for r := range telemetry.Resolution(telemetry.Resolutions) {
			all[r] = of(r)
		}
		have := coverage(all)
		var used []*file
		for _, seg := range telemetry.Plan(want, q.Bucket, have) {
			for _, f := range overlapping(all[seg.Resolution], seg.Span) {
				in := telemetry.Span{From: max(seg.From, f.period.From), To: min(seg.To, f.period.To)}
				parts = append(parts, part{f, in})
				used = append(used, f)
				if !slices.Contains(result.Resolutions, seg.Resolution) {
					result.Resolutions = append(result.Resolutions, seg.Resolution)
				}
			}
		}
		// Counters want what came before a raw stretch.
		for _, f := range all[telemetry.Raw] {
			if !slices.Contains(used, f) && slices.ContainsFunc(parts, func(p part) bool { return f.period.To == p.From }) {
				used = append(used, f)
			}
		}
		return used
	})
	defer release()
	slices.Sort(result.Resolutions)
	series := map[telemetry.Metric]map[telemetry.Key]*telemetry.Series{}
	points := 0
	for _, t := range []table{machines, boards} {
		metrics := slices.DeleteFunc(slices.Clone(q.Metrics), func(m telemetry.Metric) bool { return tableOf(m) != t })
		if len(metrics) == 0 || len(parts) == 0 {
			continue
		}
		b := (&asking{q: q, t: t, metrics: metrics, raw: files}).statement(parts)
		if err := b.query(ctx, s.db, func(rows *sql.Rows) error {
			return scanPoints(rows, &q, metrics, series, &points)
		}); err != nil {
			return telemetry.Result{}, fmt.Errorf("querying %s rows: %w", t, err)
		}
	}
	for _, m := range q.Metrics {
		of := make([]telemetry.Series, 0, len(series[m]))
		for _, one := range series[m] {
			of = append(of, *one)
		}
		slices.SortFunc(of, func(a, b telemetry.Series) int { return compareKeys(a.Key, b.Key) })
		result.Series = append(result.Series, of...)
	}
	return result, nil
}

// coverage is what each resolution answers for.
func coverage(all [telemetry.Resolutions][]*file) (have [telemetry.Resolutions][]telemetry.Span) {
	var late []telemetry.Span
	for _, f := range all[telemetry.Raw] {
		have[telemetry.Raw] = append(have[telemetry.Raw], f.period)
		for _, l := range f.late {
			late = append(late, l.Span)
		}
	}
	for r := telemetry.Minute; r < telemetry.Resolutions; r++ {
		for _, f := range all[r] {
			have[r] = append(have[r], telemetry.Span{From: f.period.From, To: min(f.until, f.period.To)})
		}
		have[r] = telemetry.Subtract(have[r], late)
	}
	return have
}

func compareKeys(a, b telemetry.Key) int {
	switch {
	case a.Label != b.Label:
		if a.Label < b.Label {
			return -1
		}
		return 1
	case a.Machine != b.Machine:
		return int(min(max(a.Machine-b.Machine, -1), 1))
	}
	return a.Board - b.Board
}

// scanPoints reads one bucket of one group: its start and key, and for each
// metric a value and how many samples it is of.
func scanPoints(rows *sql.Rows, q *telemetry.Query, metrics []telemetry.Metric, series map[telemetry.Metric]map[telemetry.Key]*telemetry.Series, points *int) error {
	var bucket, machine int64
	var board int
	var label string
	values := make([]sql.NullFloat64, len(metrics))
	counts := make([]sql.NullInt64, len(metrics))
	dest := []any{&bucket, &label, &machine, &board}
	for i := range metrics {
		dest = append(dest, &values[i], &counts[i])
	}
	if err := rows.Scan(dest...); err != nil {
		return err
	}
	at := q.From.UTC()
	if q.Bucket > 0 {
		at = time.UnixMilli(bucket * q.Bucket.Milliseconds()).UTC()
	}
	key := telemetry.Key{Label: label, Machine: miner.ID(machine), Board: board}
	for i, m := range metrics {
		if !values[i].Valid || counts[i].Int64 == 0 {
			continue
		}
		if *points++; *points > q.Limit {
			return fmt.Errorf("%w: more than %d points", telemetry.ErrTooMuch, q.Limit)
		}
		v := values[i].Float64
		if q.Aggregate == telemetry.Min || q.Aggregate == telemetry.Max {
			v = m.Round(v)
		}
		of := series[m]
		if of == nil {
			of = map[telemetry.Key]*telemetry.Series{}
			series[m] = of
		}
		one := of[key]
		if one == nil {
			one = &telemetry.Series{Metric: m, Key: key}
			of[key] = one
		}
		one.Points = append(one.Points, telemetry.Point{At: at, Value: v, Samples: counts[i].Int64})
	}
	return nil
}

// asking writes the statement of a query over one table.
type asking struct {
	q       telemetry.Query
	t       table
	metrics []telemetry.Metric
	raw     []*file // every file at hand, for what came before a raw stretch
	b       statement
}

// labels are the columns of tags by grouping.
var labels = map[telemetry.GroupBy]string{
	telemetry.BySite: "site", telemetry.ByGroup: "grp", telemetry.ByModel: "model", telemetry.ByFirmware: "firmware", telemetry.ByVersion: "version",
}

// each tells whether partial results must stay apart by machine: because the
// series are, or because a sum is of each machine's mean.
func (a *asking) each() bool {
	return a.q.GroupBy == telemetry.ByMachine || a.q.GroupBy == telemetry.ByBoard || a.q.Aggregate == telemetry.Sum
}

// statement builds, from the inside out: for each file partial results by
// bucket, tags and machine; tags spelled out; everything put together; for a
// sum, the means of machines summed.
func (a *asking) statement(parts []part) *statement {
	keep := "'' AS label, 0 AS machine, 0 AS board"
	switch a.q.GroupBy {
	case telemetry.BySite, telemetry.ByGroup, telemetry.ByModel, telemetry.ByFirmware, telemetry.ByVersion:
		keep = "label, 0 AS machine, 0 AS board"
	case telemetry.ByMachine:
		keep = "'' AS label, machine, 0 AS board"
	case telemetry.ByBoard:
		keep = "'' AS label, machine, board"
	}
	a.b.add("SELECT bucket, ", keep)
	sum := a.q.Aggregate == telemetry.Sum
	for i := range a.metrics {
		switch a.q.Aggregate {
		case telemetry.Mean:
			a.b.addf(", sum(v%d) / sum(n%d), sum(n%d)", i, i, i)
		case telemetry.Min:
			a.b.addf(", min(v%d)::DOUBLE, sum(n%d)", i, i)
		case telemetry.Max:
			a.b.addf(", max(v%d)::DOUBLE, sum(n%d)", i, i)
		case telemetry.Sum:
			a.b.addf(", sum(v%d / n%d), sum(n%d)", i, i, i)
		case telemetry.Samples:
			a.b.addf(", sum(n%d)::DOUBLE, sum(n%d)", i, i)
		default:
			a.b.addf(", sum(v%d)::DOUBLE, sum(n%d)", i, i)
		}
	}
	a.b.add(" FROM (")
	if sum {
		a.b.add("SELECT bucket, label, machine, board")
		for i := range a.metrics {
			a.b.addf(", sum(v%d) AS v%d, nullif(sum(n%d), 0) AS n%d", i, i, i, i)
		}
		a.b.add(" FROM (")
	}
	for i, p := range parts {
		if i > 0 {
			a.b.add(" UNION ALL ")
		}
		a.part(p)
	}
	if sum {
		a.b.add(") GROUP BY ALL")
	}
	a.b.addf(") GROUP BY ALL ORDER BY ALL LIMIT %d", a.q.Limit+1)
	return &a.b
}

// part writes the partial results of one file, tags spelled out.
func (a *asking) part(p part) {
	label := "''"
	if c, ok := labels[a.q.GroupBy]; ok {
		label = "t." + c
	}
	a.b.add("SELECT p.bucket, ", label, " AS label, p.machine, p.board")
	for i := range a.metrics {
		a.b.addf(", p.n%d, p.v%d", i, i)
	}
	a.b.add(" FROM (SELECT ")
	if a.q.Bucket > 0 {
		a.b.addf("ts // %d AS bucket, ", a.q.Bucket.Milliseconds())
	} else {
		a.b.add("0 AS bucket, ")
	}
	if label != "''" {
		a.b.add("tags, ")
	}
	switch {
	case a.each() && a.t == boards:
		a.b.add("machine, board")
	case a.each():
		a.b.add("machine, 0 AS board")
	default:
		a.b.add("0 AS machine, 0 AS board")
	}
	rolled := p.f.resolution != telemetry.Raw
	for i, m := range a.metrics {
		c := m.Info().Column
		if rolled {
			a.b.addf(", sum(%s_n) AS n%d, %s AS v%d", c, i, a.rolledValue(c), i)
		} else {
			a.b.addf(", count(%s) AS n%d, %s AS v%d", c, i, a.rawValue(c, i), i)
		}
	}
	a.b.add(" FROM ")
	if !rolled && (a.q.Aggregate == telemetry.Increase || a.q.Aggregate == telemetry.Resets) {
		a.deltas(p)
	} else {
		a.b.addf("%s.%s WHERE ts >= %d AND ts < %d", p.f.alias, a.t, p.From, p.To)
		a.where(p.f)
	}
	a.b.add(" GROUP BY ALL) p")
	if label != "''" {
		a.b.add(" JOIN ", p.f.alias, ".tags t ON t.id = p.tags")
	}
}

func (a *asking) rolledValue(c string) string {
	switch a.q.Aggregate {
	case telemetry.Min:
		return "min(" + c + "_min)"
	case telemetry.Max:
		return "max(" + c + "_max)"
	case telemetry.Increase:
		return "sum(" + c + "_inc)"
	case telemetry.Resets:
		return "sum(" + c + "_rst)"
	case telemetry.Samples:
		return "1"
	}
	return "sum(" + c + "_sum)"
}

func (a *asking) rawValue(c string, i int) string {
	switch a.q.Aggregate {
	case telemetry.Min:
		return "min(" + c + ")"
	case telemetry.Max:
		return "max(" + c + ")"
	case telemetry.Increase, telemetry.Resets:
		return fmt.Sprintf("coalesce(sum(d%d), 0)", i)
	case telemetry.Samples:
		return "1"
	}
	return "sum(" + c + ")"
}

// where writes the filter, continuing a WHERE.
func (a *asking) where(f *file) { filter(&a.b, f, a.q.Filter) }

// filter writes conditions on machines and tags, each after an AND.
func filter(b *statement, f *file, by telemetry.Filter) {
	if len(by.Machines) > 0 {
		b.add(" AND machine IN (")
		for i, id := range by.Machines {
			if i > 0 {
				b.add(", ")
			}
			b.addf("%d", id)
		}
		b.add(")")
	}
	if !by.Tagged() {
		return
	}
	b.add(" AND tags IN (SELECT id FROM ", f.alias, ".tags WHERE true")
	oneOf(b, "site", by.Sites)
	oneOf(b, "grp", by.Groups)
	oneOf(b, "model", by.Models)
	oneOf(b, "firmware", by.Firmwares)
	oneOf(b, "version", by.Versions)
	b.add(")")
}

func oneOf[T ~string](b *statement, column string, among []T) {
	if len(among) == 0 {
		return
	}
	b.add(" AND ", column, " IN (")
	for i, v := range among {
		if i > 0 {
			b.add(", ")
		}
		b.arg(string(v))
	}
	b.add(")")
}

// deltas writes raw rows of a stretch with, for each metric, what it adds to
// the one before: its growth, or all of it when the counter began anew; or
// whether an elapsed time fell. What came before may be in the file before.
func (a *asking) deltas(p part) {
	a.b.add("(SELECT ts, machine, ")
	if a.t == boards {
		a.b.add("board, ")
	}
	a.b.add("tags")
	cols := make([]string, len(a.metrics))
	for i, m := range a.metrics {
		cols[i] = m.Info().Column
		a.b.addf(", %s, %s AS d%d", cols[i], delta(cols[i], a.q.Aggregate == telemetry.Resets), i)
	}
	a.b.add(" FROM ")
	rawBefore(&a.b, a.t, p, a.before(p), cols, func(b *statement, f *file) { filter(b, f, telemetry.Filter{Machines: a.q.Filter.Machines}) })
	window(&a.b, a.t)
	// The filter on tags is for the samples, not for what came before them.
	a.b.addf(") WHERE ts >= %d", p.From)
	a.where(p.f)
}

// before is the raw file that ends where the stretch's file begins, when the
// stretch may look back into it.
func (a *asking) before(p part) *file {
	if p.From-telemetry.Lookback.Milliseconds() >= p.f.period.From {
		return nil
	}
	for _, f := range a.raw {
		if f.resolution == telemetry.Raw && f.period.To == p.f.period.From {
			return f
		}
	}
	return nil
}

// delta is the expression of what a sample adds. It wants the window that
// window writes.
func delta(c string, resets bool) string {
	before := fmt.Sprintf("lag(%s IGNORE NULLS) OVER w", c)
	when := fmt.Sprintf("lag(CASE WHEN %s IS NOT NULL THEN ts END IGNORE NULLS) OVER w", c)
	near := fmt.Sprintf("%s IS NOT NULL AND ts - (%s) <= %d", c, when, telemetry.Lookback.Milliseconds())
	if resets {
		return fmt.Sprintf("CASE WHEN %s AND %s < (%s) THEN 1 ELSE 0 END", near, c, before)
	}
	return fmt.Sprintf("CASE WHEN %s THEN CASE WHEN %s >= (%s) THEN %s - (%s) ELSE %s END ELSE 0 END", near, c, before, c, before, c)
}

func window(b *statement, t table) { b.add(" WINDOW w AS (PARTITION BY ", t.keys(), " ORDER BY ts)") }

// rawBefore writes the raw rows of a stretch and of the lookback before it.
// Rows of the file before carry no tags: they are looked at, not counted.
func rawBefore(b *statement, t table, p part, before *file, cols []string, where func(*statement, *file)) {
	b.add("(SELECT ts, ", t.keys(), ", tags")
	for _, c := range cols {
		b.add(", ", c)
	}
	from := p.From - telemetry.Lookback.Milliseconds()
	b.addf(" FROM %s.%s WHERE ts >= %d AND ts < %d", p.f.alias, t, from, p.To)
	where(b, p.f)
	if before != nil {
		b.add(" UNION ALL SELECT ts, ", t.keys(), ", NULL")
		for _, c := range cols {
			b.add(", ", c)
		}
		b.addf(" FROM %s.%s WHERE ts >= %d", before.alias, t, from)
		where(b, before)
	}
	b.add(")")
}
