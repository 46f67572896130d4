package duckdb

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"ballast/miner"
	"ballast/telemetry"
)

// Faults counts the polls that complained. See telemetry.Store.
func (s *Store) Faults(ctx context.Context, q telemetry.FaultQuery) ([]telemetry.FaultCount, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	var out []telemetry.FaultCount
	err := s.read(ctx, func() error {
		out = nil
		span := telemetry.SpanOf(q.From, q.To)
		files, release := s.files.acquire(func(of func(telemetry.Resolution) []*file) []*file { return overlapping(of(telemetry.Raw), span) })
		defer release()
		if len(files) == 0 {
			return nil
		}
		// A bucket may lie in two files: put together before it is counted.
		b := statement{}
		b.add("SELECT machine, bucket, bits, sum(n)::BIGINT FROM (")
		for i, f := range files {
			if i > 0 {
				b.add(" UNION ALL ")
			}
			b.addf("SELECT machine, ts // %d AS bucket, fault_bits AS bits, count(*) AS n FROM %s.machine WHERE ts >= %d AND ts < %d AND fault_bits <> 0",
				q.Bucket.Milliseconds(), f.alias, span.From, span.To)
			filter(&b, f, q.Filter)
			b.add(" GROUP BY ALL")
		}
		b.add(") GROUP BY ALL ORDER BY machine, bucket, bits")
		return b.query(ctx, s.db, func(r *sql.Rows) error {
			var machine, bucket int64
			c := telemetry.FaultCount{}
			if err := r.Scan(&machine, &bucket, &c.Bits, &c.Polls); err != nil {
				return err
			}
			c.Machine, c.At = miner.ID(machine), time.UnixMilli(bucket*q.Bucket.Milliseconds()).UTC()
			out = append(out, c)
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("counting faults: %w", err)
	}
	return out, nil
}
