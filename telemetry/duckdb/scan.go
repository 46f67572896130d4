package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"slices"
	"time"

	"ballast/miner"
	"ballast/telemetry"
)

// historyChunk is how many machines a history reads at once: their day is what
// memory holds, 14 MB a machine at 10 s.
const historyChunk = 4

// History yields raw rows. See telemetry.Store.
func (s *Store) History(ctx context.Context, q telemetry.HistoryQuery) iter.Seq2[telemetry.Row, error] {
	return func(yield func(telemetry.Row, error) bool) {
		if len(q.Filter.Machines) == 0 {
			yield(telemetry.Row{}, fmt.Errorf("%w: a history wants machines; Export gives all", telemetry.ErrInvalid))
			return
		}
		span := telemetry.SpanOf(q.From, q.To)
		ids := slices.Compact(slices.Sorted(slices.Values(q.Filter.Machines)))
		var days []int64
		err := s.read(ctx, func() error {
			days = nil
			for _, f := range overlapping(s.files.of(telemetry.Raw), span) {
				days = append(days, f.period.From)
			}
			return nil
		})
		for _, day := range days {
			for some := range slices.Chunk(ids, historyChunk) {
				by := q.Filter
				by.Machines = some
				// A chunk is read whole before the first of it is handed out, so
				// that nothing is held while the reader is at work.
				var rows []telemetry.Row
				err = s.read(ctx, func() error {
					rows = rows[:0]
					return s.onDay(day, func(f *file) error {
						return s.scan(ctx, f, scanQuery{span: span, filter: by}, func(r telemetry.Row) error {
							rows = append(rows, r)
							return nil
						})
					})
				})
				if err != nil {
					yield(telemetry.Row{}, fmt.Errorf("reading the history of %s: %w", time.UnixMilli(day).UTC().Format(time.DateOnly), err))
					return
				}
				for _, r := range rows {
					if !yield(r, nil) {
						return
					}
				}
			}
		}
		if err != nil {
			yield(telemetry.Row{}, err)
		}
	}
}

// onDay does something with the raw file of a day, when there is one.
func (s *Store) onDay(day int64, do func(*file) error) error {
	files, release := s.files.acquire(func(of func(telemetry.Resolution) []*file) []*file {
		return overlapping(of(telemetry.Raw), telemetry.Span{From: day, To: day + 1})
	})
	defer release()
	for _, f := range files {
		if err := do(f); err != nil {
			return err
		}
	}
	return nil
}

// scanQuery picks raw rows of one file.
type scanQuery struct {
	span       telemetry.Span
	filter     telemetry.Filter
	newestOnly bool // of each machine, the newest row in the span
}

// scan reads whole rows of one file, ordered by machine and time.
func (s *Store) scan(ctx context.Context, f *file, q scanQuery, do func(telemetry.Row) error) error {
	tags, err := readTags(ctx, s.db, f)
	if err != nil {
		return err
	}
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	// Two statements, one picture: what is appended between them stays out.
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return err
	}
	defer func() { _, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK") }()

	var rows []telemetry.Row
	b := scanStatement(f, machines, q)
	dest := newDest(machines)
	err = b.query(ctx, conn, func(r *sql.Rows) error {
		row, err := dest.row(r, tags)
		rows = append(rows, row)
		return err
	})
	if err != nil {
		return err
	}
	b = scanStatement(f, boards, q)
	dest = newDest(boards)
	at := 0
	err = b.query(ctx, conn, func(r *sql.Rows) error {
		id, ts, board, err := dest.boardRow(r)
		if err != nil {
			return err
		}
		for at < len(rows) && (rows[at].Machine < id || rows[at].Machine == id && rows[at].At.UnixMilli() < ts) {
			at++
		}
		if at < len(rows) && rows[at].Machine == id && rows[at].At.UnixMilli() == ts {
			rows[at].Boards = append(rows[at].Boards, board)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range rows {
		if err := do(r); err != nil {
			return err
		}
	}
	return nil
}

func readTags(ctx context.Context, db querier, f *file) (map[uint32]telemetry.Tags, error) {
	tags := map[uint32]telemetry.Tags{}
	b := statement{}
	b.add("SELECT id, site, grp, model, firmware, version FROM ", f.alias, ".tags")
	err := b.query(ctx, db, func(r *sql.Rows) error {
		var id uint32
		var t telemetry.Tags
		err := r.Scan(&id, &t.Site, &t.Group, &t.Model, &t.Firmware, &t.Version)
		tags[id] = t
		return err
	})
	return tags, err
}

// words are the columns of a table that are numbers of words.
var words = map[string]bool{"mode": true, "profile": true, "tuning": true, "serial": true}

func scanStatement(f *file, t table, q scanQuery) *statement {
	b := &statement{}
	b.add("SELECT ")
	var joins []string
	for i, c := range rawColumns(t) {
		if i > 0 {
			b.add(", ")
		}
		if words[c.name] {
			b.add("w_", c.name, ".text")
			joins = append(joins, c.name)
			continue
		}
		b.add("x.", c.name)
	}
	b.add(" FROM ", f.alias, ".", t.String(), " x")
	for _, j := range joins {
		b.add(" LEFT JOIN ", f.alias, ".words w_", j, " ON w_", j, ".id = x.", j)
	}
	if q.newestOnly {
		b.addf(" SEMI JOIN (SELECT machine, max(ts) AS ts FROM %s.machine WHERE ts >= %d AND ts < %d GROUP BY machine) n ON n.machine = x.machine AND n.ts = x.ts",
			f.alias, q.span.From, q.span.To)
	}
	b.addf(" WHERE x.ts >= %d AND x.ts < %d", q.span.From, q.span.To)
	filter(b, f, q.filter)
	b.add(" ORDER BY x.machine, x.ts")
	if t == boards {
		b.add(", x.board")
	}
	return b
}

// dest receives the columns of one table. Its fields are those of the heads in
// schema.go, in their order; numbers follow.
type dest struct {
	ts, machine                   int64
	tags                          uint32
	outcome, state, source        uint8
	mode, profile, tuning, serial sql.NullString
	board                         uint8
	faultFirst                    int32
	faultWorst                    uint8
	faultBits                     uint64
	warningBits                   uint8
	metrics                       []telemetry.Metric
	numbers                       []sql.NullFloat64
	to                            []any
}

func newDest(t table) *dest {
	d := &dest{metrics: t.metrics()}
	d.numbers = make([]sql.NullFloat64, len(d.metrics))
	if t == machines {
		d.to = []any{&d.ts, &d.machine, &d.tags, &d.outcome, &d.state, &d.source, &d.mode, &d.profile, &d.tuning,
			&d.faultFirst, &d.faultWorst, &d.faultBits, &d.warningBits}
	} else {
		d.to = []any{&d.ts, &d.machine, &d.board, &d.tags, &d.serial, &d.faultFirst, &d.faultWorst, &d.faultBits}
	}
	for i := range d.numbers {
		d.to = append(d.to, &d.numbers[i])
	}
	return d
}

func (d *dest) faults() telemetry.FaultSummary {
	return telemetry.FaultSummary{First: miner.Code(d.faultFirst), Worst: telemetry.SeverityCoded(d.faultWorst), Bits: d.faultBits}
}

func (d *dest) row(r *sql.Rows, tags map[uint32]telemetry.Tags) (telemetry.Row, error) {
	if err := r.Scan(d.to...); err != nil {
		return telemetry.Row{}, err
	}
	row := telemetry.Row{
		Machine: miner.ID(d.machine), Tags: tags[d.tags], At: time.UnixMilli(d.ts).UTC(),
		Outcome: telemetry.OutcomeCoded(d.outcome), State: telemetry.StateCoded(d.state), PowerSource: telemetry.PowerSourceCoded(d.source),
		Mode: d.mode.String, Profile: d.profile.String, Tuning: d.tuning.String, Faults: d.faults(), WarningBits: d.warningBits,
	}
	d.set(&row)
	return row, nil
}

func (d *dest) boardRow(r *sql.Rows) (id miner.ID, ts int64, b telemetry.BoardRow, err error) {
	if err := r.Scan(d.to...); err != nil {
		return 0, 0, b, err
	}
	b = telemetry.BoardRow{Index: int(d.board), Serial: d.serial.String, Faults: d.faults()}
	d.set(&b)
	return miner.ID(d.machine), d.ts, b, nil
}

func (d *dest) set(to interface {
	Set(telemetry.Metric, float64)
}) {
	for i, n := range d.numbers {
		if n.Valid {
			to.Set(d.metrics[i], n.Float64)
		}
	}
}
