package duckdb

import (
	"syscall"
	"testing"
	"time"

	"ballast/telemetry"
)

func cpuNow() time.Duration {
	var r syscall.Rusage
	syscall.Getrusage(0, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

func TestProf(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	t0, c0 := time.Now(), cpuNow()
	lap := func(what string) { t.Log(what, time.Since(t0), cpuNow()-c0); t0, c0 = time.Now(), cpuNow() }
	s, err := Open(t.Context(), Options{Dir: t.TempDir(), Options: telemetry.Options{Clock: func() time.Time { return now }}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	lap("open")
	r := telemetry.Row{Machine: 7, At: now, Outcome: telemetry.OK, Tags: telemetry.Tags{Site: "a"}}
	r.Set(telemetry.Hashrate, 100)
	s.Append(t.Context(), []telemetry.Row{r})
	lap("first append")
	r.At = r.At.Add(time.Second)
	s.Append(t.Context(), []telemetry.Row{r})
	lap("second append")
	span := telemetry.Span{From: now.UnixMilli(), To: now.Add(time.Hour).UnixMilli()}
	for _, res := range []telemetry.Resolution{1, 2, 3} {
		f, _ := s.files.create(t.Context(), res, now.UnixMilli())
		lap("create")
		for range 2 {
			_, err := s.rollSpan(t.Context(), res, span, false)
			if err != nil {
				t.Fatal(err)
			}
			lap("roll " + res.String())
		}
		for _, tb := range []table{machines, boards} {
			b := &statement{}
			b.add("EXPLAIN SELECT 1")
			if res == 1 {
				raw := s.files.at(0, now.UnixMilli())
				rollRaw(b, tb, part{raw, span}, nil, 60000)
				sql := b.sql.String()
				sql = "EXPLAIN SELECT 1" + sql[len("EXPLAIN SELECT 1"):]
				if _, err := s.db.Exec(sql); err != nil {
					t.Log(err)
				}
				lap("explain " + tb.String())
			}
		}
		_ = f
	}
	s.startRewrite(t.Context(), s.files.at(0, now.UnixMilli()))
	lap("start rewrite")
	s.rewriteSlice(t.Context())
	lap("slice")
	s.rewriteSlice(t.Context())
	lap("swap")
	s.Close()
	lap("close")
}
