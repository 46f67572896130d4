package duckdb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"ballast/telemetry"
)

// sliceRows is about how many machine rows are sorted at once, with three times
// as many board rows: more would need more memory than the limit leaves. A file
// is a few ordered runs, one after the other in time. The fewer the better it
// compresses: see docs/benchmarks.md.
const sliceRows = 1_500_000

// rewrite is a finished file on its way to being rewritten in order.
type rewrite struct {
	old    *file
	new    *building
	next   int64 // rows before this time are written
	slice  int64 // ms of time in a slice
	counts [2]int64
}

// compact rewrites finished files in the order of machines, slice by slice,
// until it is done or the time is up. Readings go on using the old file until
// the new one takes its place.
func (s *Store) compact(ctx context.Context, now time.Time, deadline func() bool, did *telemetry.Maintained) error {
	for {
		if s.rewrite == nil {
			f := s.finished(now)
			if f == nil {
				return nil
			}
			if deadline() {
				did.More = true
				return nil
			}
			if err := s.startRewrite(ctx, f); err != nil {
				return fmt.Errorf("beginning to rewrite %s: %w", f.name, err)
			}
		}
		name := s.rewrite.old.name
		done, err := s.rewriteSlice(ctx)
		if err != nil {
			s.dropRewrite()
			return fmt.Errorf("rewriting %s: %w", name, err)
		}
		if done {
			did.Compacted = append(did.Compacted, name)
		}
		if deadline() {
			did.More = s.rewrite != nil || s.finished(now) != nil
			return nil
		}
	}
}

// finished finds a file that nothing is expected to be added to and that is not
// in order yet.
func (s *Store) finished(now time.Time) *file {
	before := now.Add(-s.opt.CompactAfter).UnixMilli()
	s.files.mu.Lock()
	defer s.files.mu.Unlock()
	for r := range telemetry.Resolution(telemetry.Resolutions) {
		for _, f := range s.files.sorted(r) {
			if f.ordered || f.period.To > before || len(f.late) > 0 {
				continue
			}
			return f
		}
	}
	return nil
}

func (s *Store) startRewrite(ctx context.Context, f *file) error {
	var rows int64
	if err := s.db.QueryRowContext(ctx, "SELECT count(*) FROM "+f.alias+".machine").Scan(&rows); err != nil {
		return err
	}
	per := int64(sliceRows)
	if f.resolution != telemetry.Raw {
		per /= 4 // roll-up rows are three times as wide
	}
	period := f.period.To - f.period.From
	slices := max(rows/max(per>>s.finer, 1), 1)
	next := s.files.make(f.resolution, f.period.From, f.gen+1)
	b, err := s.files.start(ctx, next)
	if err != nil {
		return err
	}
	s.rewrite = &rewrite{old: f, new: b, next: f.period.From, slice: (period + slices - 1) / slices}
	for _, table := range []string{"tags", "words"} {
		if table == "words" && f.resolution != telemetry.Raw {
			continue
		}
		if err := run(ctx, s.db, "copying "+table, fmt.Sprintf("INSERT INTO %s.%s FROM %s.%s", b.alias, table, f.alias, table)); err != nil {
			s.dropRewrite()
			return err
		}
	}
	return nil
}

func (s *Store) dropRewrite() {
	if s.rewrite != nil {
		if err := s.rewrite.new.abandon(); err != nil {
			s.log.Warn("dropping a half rewritten telemetry file", "error", err)
		}
		s.rewrite = nil
	}
}

// rewriteSlice writes the next slice, or after the last one puts the new file
// in the place of the old one.
func (s *Store) rewriteSlice(ctx context.Context) (done bool, err error) {
	w := s.rewrite
	if w.next < w.old.period.To {
		span := telemetry.Span{From: w.next, To: min(w.next+w.slice, w.old.period.To)}
		for i, t := range []table{machines, boards} {
			n, err := s.copySlice(ctx, t, span)
			if err != nil {
				return false, err
			}
			w.counts[i] += n
		}
		w.next = span.To
		return false, run(ctx, s.db, "writing a slice", "CHECKPOINT "+w.new.alias)
	}
	return true, s.swap(ctx)
}

func (s *Store) copySlice(ctx context.Context, t table, span telemetry.Span) (int64, error) {
	w := s.rewrite
	var names strings.Builder
	for i, c := range columnsOf(w.old.resolution, t) {
		if i > 0 {
			names.WriteString(", ")
		}
		names.WriteString(c.name)
	}
	order := "machine, ts"
	if t == boards {
		// Board by board: what is stored side by side is of one board.
		order = "machine, board, ts"
	}
	res, err := s.db.ExecContext(ctx, fmt.Sprintf("INSERT INTO %s.%s (%s) SELECT %s FROM %s.%s WHERE ts >= %d AND ts < %d ORDER BY %s",
		w.new.alias, t, names.String(), names.String(), w.old.alias, t, span.From, span.To, order))
	if err != nil {
		return 0, fmt.Errorf("sorting %s rows: %w", t, err)
	}
	return res.RowsAffected()
}

// swap checks that every row is there and puts the new file in place. A file
// that got late rows in the meantime is not replaced: it is rewritten later.
func (s *Store) swap(ctx context.Context) error {
	w := s.rewrite
	if err := take(ctx, s.writing); err != nil {
		return err
	}
	defer func() { <-s.writing }()
	for i, t := range []table{machines, boards} {
		var n int64
		if err := s.db.QueryRowContext(ctx, fmt.Sprintf("SELECT count(*) FROM %s.%s", w.old.alias, t)).Scan(&n); err != nil {
			return err
		}
		if n != w.counts[i] {
			s.log.Info("a telemetry file got late rows while it was rewritten; it is rewritten later", "file", w.old.name)
			s.dropRewrite()
			return nil
		}
	}
	until := w.old.until
	if err := run(ctx, s.db, "marking", fmt.Sprintf("UPDATE %s.meta SET value = CASE key WHEN 'until' THEN %d WHEN 'ordered' THEN 1 ELSE value END", w.new.alias, until)); err != nil {
		return err
	}
	if err := w.new.finish(ctx); err != nil {
		s.rewrite = nil // finish cleaned up
		return err
	}
	s.rewrite = nil
	s.w.release(w.old)
	if err := s.files.attach(ctx, w.new.f); err != nil {
		// The old file is still in use and whole; the new one goes.
		return errors.Join(fmt.Errorf("opening the rewritten file: %w", err), removeIfThere(w.new.f.path))
	}
	s.files.replace(w.new.f, w.old)
	return nil
}
