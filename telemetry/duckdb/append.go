package duckdb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	driverduckdb "github.com/duckdb/duckdb-go/v2"

	"ballast/miner"
	"ballast/telemetry"
)

// ahead is how far from the future a row may come.
const ahead = time.Hour

// openDays is how many day files may have open appenders: today, yesterday
// around midnight, and one that late readings go to.
const openDays = 3

// writer appends rows. One Append at a time uses it, which holds Store.writing.
type writer struct {
	s    *Store
	conn *sql.Conn
	days []*dayWriter // most recently used last
	// last is the newest time stored for each machine, as far as known. A row
	// beyond it is new for sure; others are looked up.
	last map[miner.ID]int64
	// rolling is the stretch that Maintain is rolling up now: a row in it may
	// come too late to be taken in.
	rolling telemetry.Span
}

// dayWriter holds the appenders and dictionaries of one day file.
type dayWriter struct {
	f        *file
	conn     *sql.Conn
	appender [2]*driverduckdb.Appender // machine and board
	order    [2][]int                  // place in the file's columns of each of ours
	row      [2][]driver.Value         // reused
	numbers  [2][]telemetry.Number
	words    dictionary[string]
	tags     dictionary[telemetry.Tags]
}

// dictionary numbers what rows point to. New entries count when committed.
type dictionary[K comparable] struct {
	ids map[K]uint32
	new []K
}

func (d *dictionary[K]) id(k K) uint32 {
	id, ok := d.ids[k]
	if !ok {
		id = uint32(len(d.ids))
		d.ids[k] = id
		d.new = append(d.new, k)
	}
	return id
}

func newWriter(ctx context.Context, s *Store) (*writer, error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return &writer{s: s, conn: conn, last: map[miner.ID]int64{}}, nil
}

func (w *writer) close() {
	for _, d := range w.days {
		d.close()
	}
	w.days = nil
	_ = w.conn.Close()
}

// Append stores rows. See telemetry.Store.
func (s *Store) Append(ctx context.Context, rows []telemetry.Row) error {
	err := s.append(ctx, rows)
	if dead(err) {
		if err2 := s.revive(ctx, err); err2 != nil {
			return errors.Join(err, err2)
		}
		err = s.append(ctx, rows)
	}
	return err
}

func (s *Store) append(ctx context.Context, rows []telemetry.Row) error {
	end, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer end()
	if err := take(ctx, s.writing); err != nil {
		return err
	}
	defer func() { <-s.writing }()
	s.touched.Store(s.opt.Now().UnixMilli())
	byDay, outside := s.w.sort(rows)
	for _, period := range slices.Sorted(maps.Keys(byDay)) {
		if err := s.w.append(ctx, byDay[period]); err != nil {
			return fmt.Errorf("appending %d rows of %s: %w", len(byDay[period]), period, s.withMemory(ctx, err))
		}
	}
	if len(outside) > 0 {
		s.refused.Add(int64(len(outside)))
		return fmt.Errorf("%w: %d of %d, the first: %w", telemetry.ErrOutside, len(outside), len(rows), outside[0])
	}
	return nil
}

// sort splits a batch into days, and finds the rows that cannot be kept.
func (w *writer) sort(rows []telemetry.Row) (byDay map[string][]telemetry.Row, outside []error) {
	now := w.s.opt.Now()
	from, to := earliestKept(w.s.opt.Keeps(telemetry.Raw), now), now.Add(ahead).UnixMilli()
	byDay = map[string][]telemetry.Row{}
	for _, r := range rows {
		err := r.Problem()
		if ts := r.At.UnixMilli(); err == nil && (ts < from || ts >= to) {
			err = fmt.Errorf("%w: machine %d at %v", telemetry.ErrOutside, r.Machine, r.At)
		}
		if err != nil {
			outside = append(outside, err)
			continue
		}
		period, _ := periodOf(telemetry.Raw, r.At.UnixMilli())
		byDay[period] = append(byDay[period], r)
	}
	return byDay, outside
}

// earliestKept is the start of the oldest day that a retention keeps.
func earliestKept(keep time.Duration, now time.Time) int64 {
	if keep < 0 {
		return math.MinInt64
	}
	return now.Add(-keep).UTC().Truncate(24 * time.Hour).UnixMilli()
}

// append stores the rows of one day in one transaction.
func (w *writer) append(ctx context.Context, rows []telemetry.Row) error {
	d, err := w.day(ctx, rows[0].At.UnixMilli())
	if err != nil {
		return err
	}
	rows, err = w.fresh(ctx, d, rows)
	if err != nil || len(rows) == 0 {
		return err
	}
	// From here on a cancelled context would leave it open whether the rows
	// are stored; the rest takes milliseconds.
	ctx = context.WithoutCancel(ctx)
	late := w.lateIn(rows, w.s.files.rolledUntil(rows[0].At.UnixMilli()))
	if w.s.files.marked(d.f, late) {
		late = telemetry.Span{}
	}
	if err := d.write(ctx, rows, late); err != nil {
		_, err2 := w.conn.ExecContext(ctx, "ROLLBACK")
		w.evict(d)
		return errors.Join(err, err2)
	}
	d.words.new, d.tags.new = d.words.new[:0], d.tags.new[:0]
	w.s.files.appended(d.f, late)
	for _, r := range rows {
		if ts := r.At.UnixMilli(); ts > w.last[r.Machine] {
			w.last[r.Machine] = ts
		}
	}
	w.s.newest.Add(rows)
	return nil
}

// appended notes that a file got rows.
func (c *catalog) appended(f *file, late telemetry.Span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f.ordered = false
	if !late.Empty() {
		f.seq++
		f.late = append(f.late, lateSpan{f.seq, late})
	}
}

// lateIn is the stretch that must be rolled up again because of these rows:
// their minutes, and the time in which they may be a counter's predecessor.
func (w *writer) lateIn(rows []telemetry.Row, until int64) (late telemetry.Span) {
	minute := telemetry.Minute.Step().Milliseconds()
	for _, r := range rows {
		ts := r.At.UnixMilli()
		if ts >= until && (ts < w.rolling.From || ts >= w.rolling.To) {
			continue
		}
		s := telemetry.Span{From: ts - ts%minute, To: ts - ts%minute + minute + telemetry.Lookback.Milliseconds()}
		if late.Empty() {
			late = s
		}
		late = telemetry.Span{From: min(late.From, s.From), To: max(late.To, s.To)}
	}
	return late
}

// fresh leaves out rows that are stored already, or twice in the batch.
func (w *writer) fresh(ctx context.Context, d *dayWriter, rows []telemetry.Row) ([]telemetry.Row, error) {
	type key struct {
		id miner.ID
		ts int64
	}
	var doubtful []key
	latest := make(map[miner.ID]int64, len(rows))
	inOrder := true
	for _, r := range rows {
		ts := r.At.UnixMilli()
		last, known := w.last[r.Machine]
		if !known || ts <= last {
			doubtful = append(doubtful, key{r.Machine, ts})
		}
		if prev, ok := latest[r.Machine]; ok && ts <= prev {
			inOrder = false
		}
		latest[r.Machine] = ts
	}
	if inOrder && len(doubtful) == 0 {
		return rows, nil
	}
	have := map[key]bool{}
	for part := range slices.Chunk(doubtful, 5000) {
		var lo, hi int64 = math.MaxInt64, math.MinInt64
		b := statement{}
		b.add("SELECT machine, ts FROM ", d.f.alias, ".machine WHERE (machine, ts) IN (VALUES ")
		for i, k := range part {
			lo, hi = min(lo, k.ts), max(hi, k.ts)
			if i > 0 {
				b.add(", ")
			}
			b.addf("(%d::BIGINT, %d::BIGINT)", k.id, k.ts)
		}
		b.addf(") AND ts BETWEEN %d AND %d", lo, hi)
		err := b.query(ctx, w.s.db, func(rows *sql.Rows) error {
			var k key
			err := rows.Scan(&k.id, &k.ts)
			have[k] = true
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("looking for rows that are stored already: %w", err)
		}
	}
	fresh := make([]telemetry.Row, 0, len(rows))
	for _, r := range rows {
		k := key{r.Machine, r.At.UnixMilli()}
		if have[k] {
			w.s.skipped.Add(1)
			continue
		}
		have[k] = true
		fresh = append(fresh, r)
	}
	return fresh, nil
}

// day finds or opens the writer of the day that ts is in.
func (w *writer) day(ctx context.Context, ts int64) (*dayWriter, error) {
	f, err := w.s.files.create(ctx, telemetry.Raw, ts)
	if err != nil {
		return nil, err
	}
	for i, d := range w.days {
		if d.f == f {
			w.days = append(slices.Delete(w.days, i, i+1), d)
			return d, nil
		}
	}
	for len(w.days) >= openDays {
		w.evict(w.days[0])
	}
	d, err := openDay(ctx, w.conn, f)
	if err != nil {
		return nil, fmt.Errorf("opening %s for appending: %w", f.name, err)
	}
	w.days = append(w.days, d)
	return d, nil
}

// evict closes the writer of a day, dropping what was not committed.
func (w *writer) evict(d *dayWriter) {
	w.days = slices.DeleteFunc(w.days, func(o *dayWriter) bool { return o == d })
	d.close()
}

// release closes the writer of a file that is about to go.
func (w *writer) release(f *file) {
	for _, d := range slices.Clone(w.days) {
		if d.f == f {
			w.evict(d)
		}
	}
}

func openDay(ctx context.Context, conn *sql.Conn, f *file) (*dayWriter, error) {
	d := &dayWriter{f: f, conn: conn}
	d.words.ids = map[string]uint32{}
	d.tags.ids = map[telemetry.Tags]uint32{}
	b := statement{}
	b.add("SELECT id, text FROM ", f.alias, ".words")
	err := b.query(ctx, conn, func(rows *sql.Rows) error {
		var id uint32
		var text string
		err := rows.Scan(&id, &text)
		d.words.ids[text] = id
		return err
	})
	if err != nil {
		return nil, err
	}
	b = statement{}
	b.add("SELECT id, site, grp, model, firmware, version FROM ", f.alias, ".tags")
	err = b.query(ctx, conn, func(rows *sql.Rows) error {
		var id uint32
		var t telemetry.Tags
		err := rows.Scan(&id, &t.Site, &t.Group, &t.Model, &t.Firmware, &t.Version)
		d.tags.ids[t] = id
		return err
	})
	if err != nil {
		return nil, err
	}
	d.words.id("") // number 0 in every file
	err = conn.Raw(func(dc any) error {
		for i, t := range []table{machines, boards} {
			a, err := driverduckdb.NewAppender(dc.(driver.Conn), f.alias, "main", t.String())
			if err != nil {
				return err
			}
			d.appender[i] = a
			ours := rawColumns(t)
			for _, m := range t.metrics() {
				d.numbers[i] = append(d.numbers[i], m.Info().Number)
			}
			d.row[i] = make([]driver.Value, len(f.columns[i]))
			for _, c := range ours {
				at := slices.Index(f.columns[i], c.name)
				if at < 0 {
					return fmt.Errorf("the table %s has no column %s", t, c.name)
				}
				d.order[i] = append(d.order[i], at)
			}
		}
		return nil
	})
	if err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func (d *dayWriter) close() {
	_ = d.conn.Raw(func(any) error {
		for i, a := range d.appender {
			if a != nil {
				// Cleared first, since closing would flush.
				_, _ = a.Clear(), a.Close()
				d.appender[i] = nil
			}
		}
		return nil
	})
}

// write puts rows on disk in one transaction.
func (d *dayWriter) write(ctx context.Context, rows []telemetry.Row, late telemetry.Span) error {
	if err := run(ctx, d.conn, "beginning", "BEGIN"); err != nil {
		return err
	}
	for i := range rows {
		if err := d.add(&rows[i]); err != nil {
			return err
		}
	}
	if err := d.spell(ctx); err != nil {
		return err
	}
	if !late.Empty() {
		st := fmt.Sprintf("INSERT INTO %s.late VALUES (%d, %d, %d)", d.f.alias, d.f.seq+1, late.From, late.To)
		if err := run(ctx, d.conn, "noting late rows", st); err != nil {
			return err
		}
	}
	for _, a := range d.appender {
		if err := a.Flush(); err != nil {
			return fmt.Errorf("flushing: %w", err)
		}
	}
	return run(ctx, d.conn, "committing", "COMMIT")
}

// wordsAtOnce bounds a statement that adds words.
const wordsAtOnce = 500

// spell writes the texts that the rows are the first to use.
func (d *dayWriter) spell(ctx context.Context) error {
	// Many at once: each statement costs milliseconds, and the first poll of a
	// large fleet brings tens of thousands of board serials.
	for fresh := range slices.Chunk(d.words.new, wordsAtOnce) {
		args := make([]any, 0, 2*len(fresh))
		for _, text := range fresh {
			args = append(args, d.words.ids[text], text)
		}
		st := "INSERT INTO " + d.f.alias + ".words VALUES (?, ?)" + strings.Repeat(", (?, ?)", len(fresh)-1)
		if err := run(ctx, d.conn, "adding words", st, args...); err != nil {
			return err
		}
	}
	for _, t := range d.tags.new {
		if err := run(ctx, d.conn, "adding tags", "INSERT INTO "+d.f.alias+".tags VALUES (?, ?, ?, ?, ?, ?)",
			d.tags.ids[t], t.Site, t.Group, t.Model, string(t.Firmware), t.Version); err != nil {
			return err
		}
	}
	return nil
}

// add puts one row into the appenders, in the order of machineHead, boardHead
// and the metrics.
func (d *dayWriter) add(r *telemetry.Row) error {
	tags := d.tags.id(telemetry.Tags{Site: clean(r.Site), Group: clean(r.Group), Model: clean(r.Model),
		Firmware: miner.Firmware(clean(string(r.Firmware))), Version: clean(r.Version)})
	ts := r.At.UnixMilli()
	p := placer{row: d.row[0], order: d.order[0]}
	p.put(ts, int64(r.Machine), tags, r.Outcome.Code(), telemetry.StateCode(r.State), telemetry.PowerSourceCode(r.PowerSource),
		d.words.id(clean(r.Mode)), d.words.id(clean(r.Profile)), d.words.id(clean(r.Tuning)),
		int32(r.Faults.First), telemetry.SeverityCode(r.Faults.Worst), r.Faults.Bits, r.WarningBits)
	p.numbers(d.numbers[0], r.Values())
	if err := d.appender[0].AppendRow(p.row...); err != nil {
		return err
	}
	for i := range r.Boards {
		b := &r.Boards[i]
		p := placer{row: d.row[1], order: d.order[1]}
		p.put(ts, int64(r.Machine), uint8(b.Index), tags, d.words.id(clean(b.Serial)),
			int32(b.Faults.First), telemetry.SeverityCode(b.Faults.Worst), b.Faults.Bits)
		p.numbers(d.numbers[1], b.Values())
		if err := d.appender[1].AppendRow(p.row...); err != nil {
			return err
		}
	}
	return nil
}

// placer puts values where the file has their columns.
type placer struct {
	row   []driver.Value
	order []int
	n     int
}

func (p *placer) put(vs ...driver.Value) {
	for _, v := range vs {
		p.row[p.order[p.n]] = v
		p.n++
	}
}

func (p *placer) numbers(as []telemetry.Number, vs []float64) {
	for i, n := range as {
		var v driver.Value
		if i < len(vs) && !math.IsNaN(vs[i]) {
			switch n {
			case telemetry.Integer:
				v = int32(vs[i])
			case telemetry.Big:
				v = int64(vs[i])
			default:
				v = float32(vs[i])
			}
		}
		p.row[p.order[p.n]] = v
		p.n++
	}
}

// clean keeps text of machines from failing a batch: DuckDB takes UTF-8 only.
func clean(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
