package duckdb

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"ballast/telemetry"
)

// maintainFor is about how long one Maintain works.
const maintainFor = 2 * time.Second

// Maintain rolls up, forgets, writes logs into their files and rewrites finished
// files in order. See telemetry.Store.
func (s *Store) Maintain(ctx context.Context, now time.Time) (telemetry.Maintained, error) {
	did, err := s.maintain(ctx, now)
	if dead(err) {
		if err2 := s.revive(ctx, err); err2 != nil {
			return did, errors.Join(err, err2)
		}
		did.More, err = true, nil
	}
	if damage(err) && s.putDamagedAside(ctx) {
		did.More, err = true, nil
	}
	return did, err
}

func (s *Store) maintain(ctx context.Context, now time.Time) (did telemetry.Maintained, err error) {
	end, err := s.begin(ctx)
	if err != nil {
		return did, err
	}
	defer end()
	if err := take(ctx, s.upkeep); err != nil {
		return did, err
	}
	defer func() { <-s.upkeep }()
	started := time.Now()
	deadline := func() bool { return ctx.Err() != nil || time.Since(started) > maintainFor }
	now = now.UTC()

	// Work that does not fit into the memory limit is cut finer and tried
	// again, and stays so.
	defer func() {
		const finest = 8
		err = s.withMemory(ctx, err)
		if outOfMemory(err) && s.finer < finest {
			s.finer++
			s.log.Warn("the upkeep of the telemetry store goes on in smaller pieces", "halved", s.finer, "error", err)
			did.More, err = true, nil
		}
	}()
	// What was appended and is not in its file yet is held in memory: it goes
	// first, so that the work after it has room.
	if err := s.checkpoint(ctx); err != nil {
		return did, err
	}
	if err := s.rollUp(ctx, now, deadline, &did); err != nil {
		return did, err
	}
	if err := s.prepareTomorrow(ctx, now); err != nil {
		return did, err
	}
	if err := s.forget(ctx, now, &did); err != nil {
		return did, err
	}
	return did, s.compact(ctx, now, deadline, &did)
}

// prepareTomorrow makes the next day's file shortly before midnight, so that
// the first batch of the day finds it. Only a store that is in use gets one.
func (s *Store) prepareTomorrow(ctx context.Context, now time.Time) error {
	soon := now.Add(10 * time.Minute)
	if s.files.at(telemetry.Raw, now.UnixMilli()) == nil || s.files.at(telemetry.Raw, soon.UnixMilli()) != nil {
		return nil
	}
	if err := take(ctx, s.writing); err != nil {
		return err
	}
	defer func() { <-s.writing }()
	_, err := s.files.create(ctx, telemetry.Raw, soon.UnixMilli())
	return err
}

// forget removes files that retention no longer keeps. Raw and finer roll-ups
// go only after the coarser ones took them in.
func (s *Store) forget(ctx context.Context, now time.Time, did *telemetry.Maintained) error {
	for r := range telemetry.Resolution(telemetry.Resolutions) {
		from := earliestKept(s.opt.Keeps(r), now)
		for _, f := range s.files.of(r) {
			holds := f.period.To
			if r > telemetry.Raw {
				holds = min(holds, s.files.until(r, f.period.From))
			}
			if f.period.To > from || r < telemetry.Hour && s.files.until(r+1, f.period.From) < holds {
				continue
			}
			if err := take(ctx, s.writing); err != nil {
				return err
			}
			s.w.release(f)
			s.files.remove(f)
			<-s.writing
			if s.rewrite != nil && s.rewrite.old == f {
				s.dropRewrite()
			}
			did.Removed = append(did.Removed, f.name)
		}
	}
	return nil
}

// checkpoint writes logs that have grown into their files. Appends go on beside
// it.
func (s *Store) checkpoint(ctx context.Context) error {
	for _, f := range s.files.list() {
		if err := s.checkpointFile(ctx, f, walLimit); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) checkpointFile(ctx context.Context, f *file, limit int64) error {
	if sizeOf(f.path+".wal") < limit {
		return nil
	}
	return run(ctx, s.db, "writing the log of "+f.name+" into the file", "CHECKPOINT "+f.alias)
}

// Stats says what the store holds. See telemetry.Store.
func (s *Store) Stats(ctx context.Context) (telemetry.Stats, error) {
	var st telemetry.Stats
	err := s.read(ctx, func() error {
		var err error
		st, err = s.stats(ctx)
		return err
	})
	return st, err
}

func (s *Store) stats(ctx context.Context) (telemetry.Stats, error) {
	st := telemetry.Stats{Machines: s.newest.Len(), Skipped: s.skipped.Load(), Refused: s.refused.Load()}
	if ms := s.touched.Load(); ms != 0 {
		st.LastAppended = time.UnixMilli(ms).UTC()
	}
	st.Engine = telemetry.EngineStats{Name: "duckdb", Version: s.version}
	files, release := s.files.acquire(func(of func(telemetry.Resolution) []*file) (all []*file) {
		for r := range telemetry.Resolution(telemetry.Resolutions) {
			all = append(all, of(r)...)
		}
		return all
	})
	defer release()
	s.files.mu.Lock()
	st.Damaged = append(st.Damaged, s.files.damaged...)
	s.files.mu.Unlock()

	at := make([]telemetry.SizeAt, telemetry.Resolutions)
	var finished struct{ bytes, machineDays int64 }
	for r := range at {
		at[r].Resolution = telemetry.Resolution(r)
	}
	for _, f := range files {
		size := sizeOf(f.path) + sizeOf(f.path+".wal")
		st.Bytes += size
		at[f.resolution].Bytes += size
		at[f.resolution].Files++
		if f.resolution != telemetry.Raw {
			continue
		}
		n, ordered, err := s.count(ctx, f)
		if err != nil {
			return st, err
		}
		if n.machines == 0 {
			continue
		}
		st.MachineRows += n.machines
		st.BoardRows += n.boards
		st.Days++
		st.MachineDays += n.machineDays
		if st.First.IsZero() {
			st.First = time.UnixMilli(n.first).UTC()
		}
		st.Last = time.UnixMilli(n.last).UTC()
		if ordered {
			finished.bytes += size
			finished.machineDays += n.machineDays
		}
	}
	st.BytesAt = at
	switch {
	case finished.machineDays > 0:
		st.PerDay = float64(finished.bytes) / float64(finished.machineDays)
	case st.MachineDays > 0:
		st.PerDay = float64(at[telemetry.Raw].Bytes) / float64(st.MachineDays)
	}
	var memory int64
	if err := s.db.QueryRowContext(ctx, "SELECT coalesce(sum(memory_usage_bytes), 0)::BIGINT FROM duckdb_memory()").Scan(&memory); err != nil {
		return st, err
	}
	st.Engine.MemoryBytes = memory
	return st, nil
}

// counts are the rows of a raw file.
type counts struct{ machines, boards, machineDays, first, last int64 }

// count counts the rows of a raw file, and tells whether it is in order. The
// count of a file that is finished is remembered.
func (s *Store) count(ctx context.Context, f *file) (n counts, ordered bool, err error) {
	s.files.mu.Lock()
	known := f.counts
	ordered = f.ordered
	s.files.mu.Unlock()
	if known != nil {
		return *known, ordered, nil
	}
	err = s.db.QueryRowContext(ctx, fmt.Sprintf(
		"SELECT count(*), (SELECT count(*) FROM %[1]s.board), count(DISTINCT machine), coalesce(min(ts), 0), coalesce(max(ts), 0) FROM %[1]s.machine", f.alias)).
		Scan(&n.machines, &n.boards, &n.machineDays, &n.first, &n.last)
	if err != nil {
		return n, ordered, fmt.Errorf("counting the rows of %s: %w", f.name, err)
	}
	if ordered { // nothing comes any more, as a rule
		s.files.mu.Lock()
		if f.ordered {
			f.counts = &n
		}
		s.files.mu.Unlock()
	}
	return n, ordered, nil
}

func sizeOf(path string) int64 {
	if st, err := os.Stat(path); err == nil {
		return st.Size()
	}
	return 0
}
