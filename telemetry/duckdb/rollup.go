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

// Rolling up a machine's minute holds some 260 aggregates in memory, six
// kilobytes. So a statement rolls up at most groupsAtOnce machines times
// minutes, and a transaction a few of them, after which a catch-up can stop: what
// a transaction writes, boards too, is held in memory until it is committed, and
// readings are stored beside it.
const (
	groupsAtOnce        = 2_500
	groupsInTransaction = 10_000
)

// settle is how old rows are before their minute is rolled up: polls under way,
// batches and links take their time. What comes later still is rolled up again.
const settle = 90 * time.Second

// catchUp is how far behind a roll-up may be and still take its time.
const catchUp = 15 * time.Minute

// rollUp brings the roll-ups up to date, until it is done or the time is up.
func (s *Store) rollUp(ctx context.Context, now time.Time, deadline func() bool, did *telemetry.Maintained) error {
	for r := telemetry.Minute; r < telemetry.Resolutions; r++ {
		for _, span := range s.unrolled(r, now) {
			for !span.Empty() {
				if deadline() {
					did.More = true
					return nil
				}
				step, err := s.rollStep(ctx, r, span)
				if err != nil {
					return err
				}
				n, err := s.rollSpan(ctx, r, step, false)
				if err != nil {
					return fmt.Errorf("rolling up %s of %s: %w", r, time.UnixMilli(step.From).UTC().Format(time.DateTime), err)
				}
				did.RolledUp += n
				span.From = step.To
			}
		}
	}
	return s.rollLate(ctx, deadline, did)
}

// unrolled lists what a resolution still has to take in, oldest first: for each
// of its files, what the finer resolution has beyond the file's mark.
func (s *Store) unrolled(r telemetry.Resolution, now time.Time) []telemetry.Span {
	step := r.Step().Milliseconds()
	var out []telemetry.Span
	finer := s.files.of(r - 1)
	for _, f := range finer {
		end := f.period.To
		if r == telemetry.Minute {
			end = min(end, now.Add(-settle).UnixMilli())
		} else {
			end = min(end, s.files.until(r-1, f.period.From))
		}
		// Files of the finer resolution never straddle files of this one.
		_, mine := periodOf(r, f.period.From)
		from := max(s.files.until(r, f.period.From), f.period.From, mine.From)
		span := telemetry.Span{From: from, To: end - end%step}
		if r == telemetry.Minute && span.To < f.period.To && time.Duration(span.To-span.From)*time.Millisecond < s.opt.RollUpEvery {
			continue // wait for more: looking back costs the same for one minute as for five
		}
		if !span.Empty() {
			out = append(out, span)
		}
	}
	return out
}

// rollStep is the first part of a span that one transaction should roll up. It
// never crosses from one source file into the next.
func (s *Store) rollStep(ctx context.Context, r telemetry.Resolution, span telemetry.Span) (telemetry.Span, error) {
	files, release := s.files.acquire(func(of func(telemetry.Resolution) []*file) []*file { return overlapping(of(r-1), span) })
	defer release()
	if len(files) == 0 {
		return span, nil
	}
	own := files[0]
	if own.period.From > span.From {
		return telemetry.Span{From: span.From, To: own.period.From}, nil
	}
	span.To = min(span.To, own.period.To)
	var machines, first int64
	err := s.db.QueryRowContext(ctx, fmt.Sprintf("SELECT approx_count_distinct(machine), coalesce(min(ts), 0) FROM %s.machine WHERE ts >= %d AND ts < %d", own.alias, span.From, span.To)).
		Scan(&machines, &first)
	if err != nil {
		return span, fmt.Errorf("counting the rows of %s: %w", own.name, err)
	}
	step := r.Step().Milliseconds()
	if machines > 0 {
		begin := first - first%step
		if begin > span.From {
			return telemetry.Span{From: span.From, To: begin}, nil // nothing to do but mark
		}
		span.To = min(span.To, begin+max((groupsInTransaction>>s.finer)/machines, 1)*step)
	}
	return span, nil
}

// rollLate rolls up again what got rows after it was rolled up, an hour at a
// time, so that a long catch-up gets on however often it is interrupted.
func (s *Store) rollLate(ctx context.Context, deadline func() bool, did *telemetry.Maintained) error {
	hour := telemetry.Hour.Step().Milliseconds()
	for {
		late, marks := s.lateSpans()
		if len(late) == 0 {
			return nil
		}
		if deadline() {
			did.More = true
			return nil
		}
		from := late[0].From - late[0].From%hour
		window := telemetry.Span{From: from, To: from + hour}
		for r := telemetry.Minute; r < telemetry.Resolutions; r++ {
			if err := s.rollAgain(ctx, r, window, did); err != nil {
				return fmt.Errorf("rolling up %s of %s again: %w", r, time.UnixMilli(from).UTC().Format(time.DateTime), err)
			}
		}
		for f, seq := range marks {
			if err := s.trimLate(ctx, f, seq, window); err != nil {
				return fmt.Errorf("noting what of %s was rolled up again: %w", f.name, err)
			}
		}
	}
}

// lateSpans lists the stretches to be rolled up again, and for each file with
// some the last mark among them.
func (s *Store) lateSpans() ([]telemetry.Span, map[*file]int64) {
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	var late []telemetry.Span
	marks := map[*file]int64{}
	for _, f := range s.files.sorted(telemetry.Raw) {
		for _, l := range f.late {
			late = append(late, l.Span)
			marks[f] = f.seq
			f.noted = f.seq
		}
	}
	return telemetry.Union(late), marks
}

// rollAgain replaces what a resolution holds of a window.
func (s *Store) rollAgain(ctx context.Context, r telemetry.Resolution, window telemetry.Span, did *telemetry.Maintained) error {
	for _, f := range overlapping(s.files.of(r), window) {
		part := telemetry.Span{From: max(window.From, f.period.From), To: min(window.To, f.until)}
		for !part.Empty() {
			one, err := s.rollStep(ctx, r, part)
			if err != nil {
				return err
			}
			n, err := s.rollSpan(ctx, r, one, true)
			if err != nil {
				return err
			}
			did.RolledUp += n
			part.From = one.To
		}
	}
	return nil
}

// trimLate takes a window out of the marks of a file up to seq. Marks made
// meanwhile stay.
func (s *Store) trimLate(ctx context.Context, f *file, seq int64, window telemetry.Span) (err error) {
	if err := take(ctx, s.writing); err != nil {
		return err
	}
	defer func() { <-s.writing }()
	ctx = context.WithoutCancel(ctx)
	var keep []lateSpan
	var noted []telemetry.Span
	s.files.mu.Lock()
	for _, l := range f.late {
		if l.seq > seq {
			keep = append(keep, l)
		} else {
			noted = append(noted, l.Span)
		}
	}
	s.files.mu.Unlock()
	for _, left := range telemetry.Subtract(noted, []telemetry.Span{window}) {
		keep = append(keep, lateSpan{seq, left})
	}
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	statements := []string{"BEGIN", "DELETE FROM " + f.alias + ".late"}
	for _, l := range keep {
		statements = append(statements, fmt.Sprintf("INSERT INTO %s.late VALUES (%d, %d, %d)", f.alias, l.seq, l.From, l.To))
	}
	for _, st := range append(statements, "COMMIT") {
		if err := run(ctx, conn, "trimming the marks", st); err != nil {
			_, err2 := conn.ExecContext(ctx, "ROLLBACK")
			return errors.Join(err, err2)
		}
	}
	s.files.mu.Lock()
	f.late = keep
	s.files.mu.Unlock()
	return nil
}

// rollSpan rolls up one stretch within one file, in one transaction. again
// replaces what is there.
func (s *Store) rollSpan(ctx context.Context, r telemetry.Resolution, span telemetry.Span, again bool) (rows int, err error) {
	f, err := s.files.create(ctx, r, span.From)
	if err != nil {
		return 0, err
	}
	if r == telemetry.Minute {
		// Rows that arrive from now on count as late, since the roll-up may
		// not see them. The place in the queue waits for those under way.
		if err := s.setRolling(ctx, span); err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, s.setRolling(context.WithoutCancel(ctx), telemetry.Span{})) }()
	}
	sources, release := s.files.acquire(func(of func(telemetry.Resolution) []*file) []*file {
		wide := span
		if r == telemetry.Minute {
			wide.From -= telemetry.Lookback.Milliseconds()
		}
		return overlapping(of(r-1), wide)
	})
	defer release()
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	if err := run(ctx, conn, "beginning", "BEGIN"); err != nil {
		return 0, err
	}
	defer func() {
		if err != nil {
			_, err2 := conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
			err = errors.Join(err, err2)
		}
	}()
	until := max(span.To, f.until)
	if again && !slices.ContainsFunc(sources, func(o *file) bool { return o.period.From <= span.From && span.From < o.period.To }) {
		return 0, run(ctx, conn, "ending", "ROLLBACK") // what it was rolled up from is gone: it stays as it is
	}
	for _, from := range sources {
		// Every tag set of the source gets a number here.
		if err := run(ctx, conn, "taking over tags", fmt.Sprintf(
			"INSERT INTO %[1]s.tags SELECT (SELECT count(*) FROM %[1]s.tags) + row_number() OVER () - 1, site, grp, model, firmware, version FROM "+
				"(SELECT site, grp, model, firmware, version FROM %[2]s.tags EXCEPT SELECT site, grp, model, firmware, version FROM %[1]s.tags)",
			f.alias, from.alias)); err != nil {
			return 0, err
		}
	}
	shares, err := shares(ctx, conn, r, sources, span, int64(max(groupsAtOnce>>s.finer, 1)))
	if err != nil {
		return 0, err
	}
	for _, t := range []table{machines, boards} {
		if again {
			if err := run(ctx, conn, "clearing", fmt.Sprintf("DELETE FROM %s.%s WHERE ts >= %d AND ts < %d", f.alias, t, span.From, span.To)); err != nil {
				return 0, err
			}
		}
		for _, ids := range shares {
			began := time.Now()
			n, err := rollTable(ctx, conn, f, r, t, span, ids, sources)
			if err != nil {
				return 0, err
			}
			rows += n
			if s.opt.Gentle && s.opt.Now().Sub(time.UnixMilli(span.To)) < catchUp {
				select {
				case <-time.After(time.Since(began)):
				case <-ctx.Done():
				}
			}
		}
	}
	if err := run(ctx, conn, "marking", fmt.Sprintf("UPDATE %s.meta SET value = %d WHERE key = 'until'", f.alias, until)); err != nil {
		return 0, err
	}
	if err := run(ctx, conn, "committing", "COMMIT"); err != nil {
		return 0, err
	}
	s.files.mu.Lock()
	f.until, f.ordered = until, false
	s.files.mu.Unlock()
	// What is not in the file yet is held in memory, and roll-ups are wide.
	return rows, s.checkpointFile(ctx, f, rolledWALLimit)
}

// share is a range of machines, ends included.
type share struct{ from, to miner.ID }

// shares splits the machines that have rows in a span into ranges that one
// statement can roll up. A span without rows has none.
func shares(ctx context.Context, conn *sql.Conn, r telemetry.Resolution, sources []*file, span telemetry.Span, most int64) ([]share, error) {
	steps := max((span.To-span.From)/r.Step().Milliseconds(), 1)
	var out []share
	groups := most
	for _, f := range overlapping(sources, span) {
		b := &statement{}
		b.addf("SELECT machine, count(*) FROM %s.machine WHERE ts >= %d AND ts < %d GROUP BY machine ORDER BY machine", f.alias, span.From, span.To)
		err := b.query(ctx, conn, func(r *sql.Rows) error {
			var id miner.ID
			var rows int64
			if err := r.Scan(&id, &rows); err != nil {
				return err
			}
			n := min(rows, steps)
			if len(out) == 0 || groups+n > most {
				out, groups = append(out, share{from: id}), 0
			}
			out[len(out)-1].to = id
			groups += n
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *Store) setRolling(ctx context.Context, span telemetry.Span) error {
	if err := take(ctx, s.writing); err != nil {
		return err
	}
	s.w.rolling = span
	<-s.writing
	return nil
}

// rollTable inserts the roll-up of one table. Every source lies in one file but
// for the lookback of counters, which may reach into the file before.
func rollTable(ctx context.Context, conn *sql.Conn, to *file, r telemetry.Resolution, t table, span telemetry.Span, of share, sources []*file) (int, error) {
	var own, before *file
	for _, f := range sources {
		switch {
		case f.period.From <= span.From && span.From < f.period.To:
			own = f
		case f.period.To <= span.From:
			before = f
		}
	}
	if own == nil {
		return 0, nil
	}
	b := &statement{}
	b.addf("INSERT INTO %s.%s (", to.alias, t)
	for i, c := range rolledColumns(t) {
		if i > 0 {
			b.add(", ")
		}
		b.add(c.name)
	}
	b.add(") SELECT g.ts, g.machine, n.id")
	if t == boards {
		b.add(", g.board")
	}
	step := r.Step().Milliseconds()
	if r == telemetry.Minute {
		rollRaw(b, t, part{own, span}, before, step, of)
	} else {
		rollRolled(b, t, part{own, span}, step, of)
	}
	b.addf(" JOIN %s.tags o ON o.id = g.tags JOIN %s.tags n ON n.site = o.site AND n.grp = o.grp AND n.model = o.model AND n.firmware = o.firmware AND n.version = o.version",
		own.alias, to.alias)
	b.add(" ORDER BY g.machine, g.ts")
	res, err := conn.ExecContext(ctx, b.sql.String(), b.args...)
	if err != nil {
		return 0, fmt.Errorf("rolling up %s rows: %w", t, err)
	}
	n, err := res.RowsAffected()
	return int(n), err
}

// rollRaw writes the columns and the source of minutes: gauges grouped straight
// from the rows, and what counters added, which wants the rows before too.
func rollRaw(b *statement, t table, p part, before *file, step int64, of share) {
	var counting []telemetry.Metric
	for _, m := range t.metrics() {
		in := m.Info()
		c := in.Column
		b.addf(", g.%s_n", c)
		switch in.Kind {
		case telemetry.Counter:
			b.addf(", d.%s_inc", c)
			counting = append(counting, m)
			continue
		case telemetry.Elapsed:
			counting = append(counting, m)
		}
		b.addf(", g.%[1]s_sum, g.%[1]s_min, g.%[1]s_max", c)
		if in.Kind == telemetry.Elapsed {
			b.addf(", d.%s_rst", c)
		}
	}
	b.addf(" FROM (SELECT ts // %d * %d AS ts, %s, tags", step, step, t.keys())
	for _, m := range t.metrics() {
		in := m.Info()
		c := in.Column
		b.addf(", count(%[1]s) AS %[1]s_n", c)
		if in.Kind != telemetry.Counter {
			b.addf(", %s AS %[2]s_sum, min(%[2]s) AS %[2]s_min, max(%[2]s) AS %[2]s_max", sumOf(m, c), c)
		}
	}
	b.addf(" FROM %s.%s WHERE ts >= %d AND ts < %d AND machine BETWEEN %d AND %d GROUP BY ALL) g", p.f.alias, t, p.From, p.To, of.from, of.to)

	b.addf(" JOIN (SELECT ts // %d * %d AS ts, %s, tags", step, step, t.keys())
	var cols []string
	for _, m := range counting {
		c := m.Info().Column
		cols = append(cols, c)
		suffix := "_inc"
		if m.Info().Kind == telemetry.Elapsed {
			suffix = "_rst"
		}
		b.addf(", sum(%s_d) AS %s%s", c, c, suffix)
	}
	b.addf(" FROM (SELECT ts, %s, tags", t.keys())
	for _, m := range counting {
		c := m.Info().Column
		b.addf(", %s AS %s_d", delta(c, m.Info().Kind == telemetry.Elapsed), c)
	}
	b.add(" FROM ")
	if p.From-telemetry.Lookback.Milliseconds() >= p.f.period.From {
		before = nil
	}
	rawBefore(b, t, p, before, cols, func(b *statement, _ *file) { b.addf(" AND machine BETWEEN %d AND %d", of.from, of.to) })
	window(b, t)
	b.addf(") WHERE ts >= %d GROUP BY ALL) d ON d.ts = g.ts AND d.machine = g.machine AND d.tags = g.tags", p.From)
	if t == boards {
		b.add(" AND d.board = g.board")
	}
}

// rollRolled writes the columns and the source of coarser roll-ups.
func rollRolled(b *statement, t table, p part, step int64, of share) {
	columns := rolledColumns(t)
	head := 3
	if t == boards {
		head = 4
	}
	for _, c := range columns[head:] {
		b.add(", g.", c.name)
	}
	b.addf(" FROM (SELECT ts // %d * %d AS ts, %s, tags", step, step, t.keys())
	for _, m := range t.metrics() {
		in := m.Info()
		c := in.Column
		b.addf(", sum(%[1]s_n) AS %[1]s_n", c)
		if in.Kind == telemetry.Counter {
			b.addf(", sum(%[1]s_inc) AS %[1]s_inc", c)
			continue
		}
		b.addf(", %s AS %[2]s_sum, min(%[2]s_min) AS %[2]s_min, max(%[2]s_max) AS %[2]s_max", sumOf(m, c+"_sum"), c)
		if in.Kind == telemetry.Elapsed {
			b.addf(", sum(%[1]s_rst) AS %[1]s_rst", c)
		}
	}
	b.addf(" FROM %s.%s WHERE ts >= %d AND ts < %d AND machine BETWEEN %d AND %d GROUP BY ALL) g", p.f.alias, t, p.From, p.To, of.from, of.to)
}

// sumOf is a sum on the metric's own rounding grid: a float32 sum of decimals
// is not one, and would compress badly.
func sumOf(m telemetry.Metric, c string) string {
	in := m.Info()
	if in.Number != telemetry.Decimal {
		return "sum(" + c + ")"
	}
	places := in.Places
	if in.Significant > 0 {
		places = 7 // finer than any rate worth keeping, still decimal
	}
	return fmt.Sprintf("round(sum(%s), %d)", c, places)
}
