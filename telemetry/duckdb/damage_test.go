package duckdb

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ballast/miner"
	"ballast/telemetry"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func openAt(t *testing.T, dir string, now time.Time) *Store {
	t.Helper()
	s, err := Open(t.Context(), Options{Dir: dir, Options: telemetry.Options{Clock: func() time.Time { return now }}})
	if err != nil {
		t.Fatalf("opening: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// filled is a store of three days, rolled up and closed; tests copy it.
var filled struct {
	sync.Once
	dir string
}

// threeDays is a store of its own with three days of five machines.
func threeDays(t *testing.T) (dir string) {
	t.Helper()
	filled.Do(func() {
		dir, err := os.MkdirTemp("", "ballast-three-days")
		if err != nil {
			t.Fatal(err)
		}
		filled.dir = dir
		fillThreeDays(t, dir)
	})
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filled.dir)); err != nil {
		t.Fatal(err)
	}
	return dir
}

func fillThreeDays(t *testing.T, dir string) {
	s := openAt(t, dir, noon)
	for d := range 3 {
		var rows []telemetry.Row
		for i := range 500 {
			r := telemetry.Row{Machine: miner.ID(i%5 + 1), At: noon.Add(-time.Duration(d)*24*time.Hour - time.Duration(i)*20*time.Second), Outcome: telemetry.OK}
			r.Set(telemetry.Hashrate, 100+float64(i%7))
			r.Set(telemetry.TempChip, 60+float64(i*31%17)/10)
			rows = append(rows, r)
		}
		if err := s.Append(t.Context(), rows); err != nil {
			t.Fatal(err)
		}
	}
	for more := true; more; {
		did, err := s.Maintain(t.Context(), noon)
		if err != nil {
			t.Fatal(err)
		}
		more = did.More
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, s *Store) float64 {
	t.Helper()
	// Buckets of half a minute are read raw.
	res, err := s.Query(t.Context(), telemetry.Query{Metrics: []telemetry.Metric{telemetry.Hashrate}, Aggregate: telemetry.Samples, Bucket: 30 * time.Second, From: noon.Add(-72 * time.Hour), To: noon.Add(time.Hour)})
	if err != nil {
		t.Fatalf("querying: %v", err)
	}
	n := 0.0
	for _, one := range res.Series {
		for _, p := range one.Points {
			n += p.Value
		}
	}
	return n
}

func dayFile(t *testing.T, dir, folder, period string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, folder, period+".g*.duckdb"))
	if err != nil || len(names) != 1 {
		t.Fatalf("files of %s in %s: %v, %v", period, folder, names, err)
	}
	return names[0]
}

// TestDamaged spoils the file of one day in every way. The store must open, say
// which file it put aside, answer for the other days, and take new rows.
func TestDamaged(t *testing.T) {
	garbage := []byte(strings.Repeat("garbage!", 64))
	whole := threeDays(t)
	for name, spoil := range map[string]func([]byte) []byte{
		"empty":          func([]byte) []byte { return nil },
		"not a database": func([]byte) []byte { return garbage },
		"cut short":      func(b []byte) []byte { return b[:len(b)/2] },
		"header":         func(b []byte) []byte { copy(b[4096:], garbage); copy(b[8192:], garbage); return b },
		"first block":    func(b []byte) []byte { copy(b[12288:], garbage); return b },
		"every block": func(b []byte) []byte {
			for at := 12288 + 100; at < len(b); at += 262144 {
				copy(b[at:], garbage)
			}
			return b
		},
		"another's":     func([]byte) []byte { b, _ := os.ReadFile(dayFile(t, whole, "minute", "2026-11-22")); return b },
		"nothing in it": func(b []byte) []byte { return bytes.Repeat([]byte{0}, len(b)) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(whole)); err != nil {
				t.Fatal(err)
			}
			path := dayFile(t, dir, "raw", "2026-11-22")
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, spoil(b), 0o600); err != nil {
				t.Fatal(err)
			}
			s := openAt(t, dir, noon)
			got := count(t, s)
			st, err := s.Stats(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			// The day itself is answered from its minutes, in coarser points.
			if len(st.Damaged) != 1 || !strings.Contains(st.Damaged[0], "raw/2026-11-22") || got != 1500 {
				t.Errorf("damaged: %v; %v samples", st.Damaged, got)
			}
			if left, err := os.ReadDir(filepath.Join(dir, "damaged")); err != nil || len(left) == 0 {
				t.Errorf("nothing was kept for salvage: %v, %v", left, err)
			}
			late := telemetry.Row{Machine: 9, At: noon.Add(-24*time.Hour + 7*time.Second), Outcome: telemetry.OK}
			late.Set(telemetry.Hashrate, 1)
			if err := s.Append(t.Context(), []telemetry.Row{late}); err != nil {
				t.Errorf("appending to the day whose file was damaged: %v", err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			s = openAt(t, dir, noon)
			if st, err := s.Stats(t.Context()); err != nil || len(st.Damaged) != 0 || st.MachineRows != 1001 {
				t.Errorf("the next time: %+v, %v", st, err)
			}
		})
	}
}

// TestDamagedWhileOpen spoils a file under a running store.
func TestDamagedWhileOpen(t *testing.T) {
	dir := threeDays(t)
	s := openAt(t, dir, noon)
	f, err := os.OpenFile(dayFile(t, dir, "raw", "2026-11-21"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	st, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	for at := int64(12288 + 1000); at < st.Size(); at += 65536 {
		if _, err := f.WriteAt([]byte("garbage!garbage!"), at); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if got := count(t, s); got != 1500 {
		t.Errorf("%v samples, want 1500: 1000 raw and the rest from the minutes", got)
	}
	if st, err := s.Stats(t.Context()); err != nil || len(st.Damaged) != 1 || !strings.Contains(st.Damaged[0], "2026-11-21") {
		t.Errorf("damaged: %v, %v", st.Damaged, err)
	}
}

// TestRollUpsComeBack: a lost file of roll-ups is made again from finer ones.
func TestRollUpsComeBack(t *testing.T) {
	dir := threeDays(t)
	if err := os.Remove(dayFile(t, dir, "quarter", "2026-11")); err != nil {
		t.Fatal(err)
	}
	s := openAt(t, dir, noon)
	for more := true; more; {
		did, err := s.Maintain(t.Context(), noon)
		if err != nil {
			t.Fatal(err)
		}
		more = did.More
	}
	res, err := s.Query(t.Context(), telemetry.Query{Metrics: []telemetry.Metric{telemetry.Hashrate}, Aggregate: telemetry.Samples, Bucket: 15 * time.Minute, From: noon.Add(-72 * time.Hour).Truncate(time.Hour), To: noon.Add(-30 * time.Hour)})
	if err != nil || len(res.Resolutions) != 1 || res.Resolutions[0] != telemetry.Quarter || len(res.Series) != 1 {
		t.Errorf("%+v, %v", res, err)
	}
}

func TestInUse(t *testing.T) {
	if os.Getenv("BALLAST_IN_USE") != "" {
		_, err := Open(t.Context(), Options{Dir: os.Getenv("BALLAST_IN_USE")})
		if !errors.Is(err, telemetry.ErrInUse) {
			t.Errorf("opening a store that is in use: %v", err)
		}
		return
	}
	dir := t.TempDir()
	openAt(t, dir, noon)
	runSelf(t, "TestInUse", "BALLAST_IN_USE="+dir)
}

// TestNewerVersion: a store of a newer program is left alone.
func TestNewerVersion(t *testing.T) {
	dir := t.TempDir()
	s := openAt(t, dir, noon)
	if _, err := s.db.Exec("UPDATE store.meta SET version = 99"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Options{Dir: dir}); !errors.Is(err, telemetry.ErrUnfit) {
		t.Errorf("opening a store of a newer version: %v", err)
	}
}

// TestOlderColumns: a file that lacks a metric gets its column.
func TestOlderColumns(t *testing.T) {
	dir := threeDays(t)
	s := openAt(t, dir, noon)
	for _, f := range s.files.of(telemetry.Raw) {
		for _, drop := range []string{"machine DROP COLUMN power", "machine DROP COLUMN hashrate", "board DROP COLUMN voltage"} {
			if _, err := s.db.Exec("DROP VIEW IF EXISTS " + f.alias + ".readings; DROP VIEW IF EXISTS " + f.alias + ".boards; ALTER TABLE " + f.alias + "." + drop); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = openAt(t, dir, noon)
	r := telemetry.Row{Machine: 77, At: noon.Add(time.Minute), Outcome: telemetry.OK, Mode: "x"}
	for _, m := range telemetry.MachineMetrics() {
		r.Set(m, float64(m))
	}
	b := telemetry.BoardRow{Index: 1, Serial: "s"}
	for _, m := range telemetry.BoardMetrics() {
		b.Set(m, float64(m))
	}
	r.Boards = append(r.Boards, b)
	if err := s.Append(t.Context(), []telemetry.Row{r}); err != nil {
		t.Fatal(err)
	}
	for got, err := range s.History(t.Context(), telemetry.HistoryQuery{Filter: telemetry.Machines(77), From: noon, To: noon.Add(time.Hour)}) {
		if err != nil || !got.Equal(&r) {
			t.Errorf("%+v, %v; want %+v", got, err, r)
		}
	}
	if got := count(t, s); got != 1 {
		t.Errorf("%v samples, want 1: the others' column is gone", got)
	}
}

// TestRevived: DuckDB is reopened under a running store and nothing is lost.
func TestRevived(t *testing.T) {
	s := openAt(t, threeDays(t), noon)
	if err := s.revive(t.Context(), errors.New("a test")); err != nil {
		t.Fatal(err)
	}
	if got := count(t, s); got != 1500 {
		t.Errorf("%v samples, want 1500", got)
	}
	r := telemetry.Row{Machine: 1, At: noon.Add(time.Minute), Outcome: telemetry.OK}
	if err := s.Append(t.Context(), []telemetry.Row{r}); err != nil {
		t.Error(err)
	}
}

// TestViews: a day file opened by itself shows people names and times.
func TestViews(t *testing.T) {
	dir := threeDays(t)
	s := openAt(t, t.TempDir(), noon)
	if _, err := s.db.Exec("ATTACH " + quote(dayFile(t, dir, "raw", "2026-11-22")) + " AS other"); err != nil {
		t.Fatal(err)
	}
	var at time.Time
	var rate float64
	if err := s.db.QueryRow("SELECT time, hashrate FROM other.readings ORDER BY time LIMIT 1").Scan(&at, &rate); err != nil {
		t.Fatal(err)
	}
	if want := noon.Add(-24*time.Hour - 499*20*time.Second); !at.Equal(want) || rate < 100 {
		t.Errorf("%v at %v, want %v", rate, at, want)
	}
	if err := s.db.QueryRow("SELECT count(*) FROM other.boards").Scan(&rate); err != nil {
		t.Fatal(err)
	}
}

// TestFiner: upkeep in the smallest pieces comes to the same, and what makes it
// smaller is recognised.
func TestFiner(t *testing.T) {
	dir := threeDays(t)
	for _, sub := range []string{"minute", "quarter", "hour"} {
		if err := os.RemoveAll(filepath.Join(dir, sub)); err != nil {
			t.Fatal(err)
		}
	}
	s := openAt(t, dir, noon)
	if _, err := s.db.Exec("SET memory_limit = '20MB'; SELECT len(list(range)) FROM range(30000000)"); !outOfMemory(err) {
		t.Errorf("out of memory reads %v", err)
	}
	if _, err := s.db.Exec("SET memory_limit = '256MB'"); err != nil {
		t.Fatal(err)
	}
	s.finer = 8
	for more := true; more; {
		did, err := s.Maintain(t.Context(), noon.Add(48*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		more = did.More
	}
	res, err := s.Query(t.Context(), telemetry.Query{Metrics: []telemetry.Metric{telemetry.Hashrate}, Aggregate: telemetry.Samples, Bucket: time.Hour, From: noon.Add(-96 * time.Hour), To: noon.Add(12 * time.Hour)})
	if err != nil || !slices.Equal(res.Resolutions, []telemetry.Resolution{telemetry.Hour}) {
		t.Fatalf("%v, %v", res.Resolutions, err)
	}
	n := 0.0
	for _, p := range res.Series[0].Points {
		n += p.Value
	}
	if n != 1500 {
		t.Errorf("%v samples, want 1500", n)
	}
}
