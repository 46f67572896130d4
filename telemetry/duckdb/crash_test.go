package duckdb

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"ballast/miner"
	"ballast/telemetry"
)

// The crash test runs this test binary as a child that appends under load, and
// kills it with SIGKILL at any moment. Every batch is one poll of crashMachines
// machines; the child says the number of a batch after Append returned.
const (
	crashDir      = "BALLAST_CRASH_DIR"
	crashFrom     = "BALLAST_CRASH_FROM"
	crashMachines = 40
	crashTimes    = 25
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		if err := crashChild(dir); err != nil {
			fmt.Println("error", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	if filled.dir != "" {
		_ = os.RemoveAll(filled.dir)
	}
	os.Exit(code)
}

// crashBegin is shortly before midnight, so that runs cross into the next day.
var crashBegin = time.Date(2026, 11, 23, 23, 50, 0, 0, time.UTC)

func crashBatch(n int) []telemetry.Row {
	rows := make([]telemetry.Row, crashMachines)
	for i := range rows {
		r := telemetry.Row{Machine: miner.ID(i + 1), At: crashBegin.Add(time.Duration(n)*time.Second + time.Duration(i)*30*time.Millisecond), Outcome: telemetry.OK, State: miner.Hashing,
			Tags: telemetry.Tags{Site: "north", Version: strconv.Itoa(n / 50)}, Profile: strconv.Itoa(n)}
		r.Set(telemetry.Hashrate, float64(n))
		for b := range 3 {
			board := telemetry.BoardRow{Index: b, Serial: fmt.Sprint(i, b)}
			board.Set(telemetry.BoardHWErrors, float64(n))
			r.Boards = append(r.Boards, board)
		}
		rows[i] = r
	}
	return rows
}

func crashChild(dir string) error {
	now := crashBegin.Add(24 * time.Hour)
	s, err := Open(context.Background(), Options{Dir: dir, Options: telemetry.Options{Clock: func() time.Time { return now }}})
	if err != nil {
		return err
	}
	from, err := strconv.Atoi(os.Getenv(crashFrom))
	if err != nil {
		return err
	}
	fmt.Println("open")
	// Upkeep at the same time, as of a time that moves with the rows, so that
	// kills fall into roll-ups, checkpoints and rewrites too.
	at := make(chan time.Time, 1)
	go func() {
		for now := range at {
			if _, err := s.Maintain(context.Background(), now); err != nil {
				fmt.Println("error", err)
			}
			if err := s.checkpointAll(context.Background()); err != nil {
				fmt.Println("error", err)
			}
		}
	}()
	for n := from; ; n++ {
		if err := s.Append(context.Background(), crashBatch(n)); err != nil {
			return err
		}
		fmt.Println("stored", n)
		select {
		case at <- crashBegin.Add(time.Duration(n)*time.Second + 3*time.Hour):
		default:
		}
	}
}

// checkpointAll writes every log into its file, however short.
func (s *Store) checkpointAll(ctx context.Context) error {
	for _, f := range s.files.list() {
		if _, err := s.db.ExecContext(ctx, "CHECKPOINT "+f.alias); err != nil {
			return err
		}
	}
	return nil
}

func TestKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("starts and kills 25 processes")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	rnd := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 7))
	stored, attempted := -1, -1
	for kill := range crashTimes {
		cmd := exec.CommandContext(t.Context(), self)
		cmd.Env = append(os.Environ(), crashDir+"="+dir, crashFrom+"="+strconv.Itoa(stored+1))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		if !lines.Scan() || lines.Text() != "open" {
			t.Fatalf("start %d: the child said %q", kill, lines.Text())
		}
		time.AfterFunc(time.Duration(20+rnd.IntN(280))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		for lines.Scan() {
			number, ok := strings.CutPrefix(lines.Text(), "stored ")
			if !ok {
				t.Fatalf("start %d: the child said %q", kill, lines.Text())
			}
			if stored, err = strconv.Atoi(number); err != nil {
				t.Fatal(err)
			}
		}
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
		// The batch after the last one said may be there, or half of it when it
		// crosses midnight; the next child appends it again.
		attempted = max(attempted, stored+1)
		if kill%5 != 4 {
			continue
		}
		checkCrashed(t, dir, stored, attempted)
	}
	if stored < crashTimes {
		t.Fatalf("only %d batches were stored: the test tests nothing", stored)
	}
	t.Logf("%d batches of %d machines stored over %d kills", stored+1, crashMachines, crashTimes)
}

// checkCrashed opens the store and looks for every acknowledged row, once.
func checkCrashed(t *testing.T, dir string, stored, attempted int) {
	t.Helper()
	s, err := Open(t.Context(), Options{Dir: dir, Options: telemetry.Options{Clock: func() time.Time { return crashBegin.Add(24 * time.Hour) }}})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	st, err := s.Stats(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(st.Damaged) > 0 {
		t.Fatalf("damaged: %v", st.Damaged)
	}
	least, most := int64(stored+1)*crashMachines, int64(attempted+1)*crashMachines
	if st.MachineRows < least || st.MachineRows > most || st.BoardRows != 3*st.MachineRows {
		t.Fatalf("%d machine rows and %d board rows, want %d to %d and three times that", st.MachineRows, st.BoardRows, least, most)
	}
	ids := make([]miner.ID, crashMachines)
	for i := range ids {
		ids[i] = miner.ID(i + 1)
	}
	next := map[miner.ID]int{}
	for row, err := range s.History(t.Context(), telemetry.HistoryQuery{Filter: telemetry.Machines(ids...), From: crashBegin, To: crashBegin.Add(20 * time.Hour)}) {
		if err != nil {
			t.Fatal(err)
		}
		n := next[row.Machine]
		next[row.Machine]++
		if n > stored {
			continue // in flight: there or not
		}
		if want := crashBatch(n)[row.Machine-1]; !row.Equal(&want) {
			t.Fatalf("batch %d of machine %d is %+v, want %+v", n, row.Machine, row, want)
		}
	}
	for _, id := range ids {
		if next[id] < stored+1 || next[id] > attempted+1 {
			t.Fatalf("machine %d has %d rows, want %d to %d", id, next[id], stored+1, attempted+1)
		}
	}
	res, err := s.Query(t.Context(), telemetry.Query{Metrics: []telemetry.Metric{telemetry.Hashrate}, Aggregate: telemetry.Samples, From: crashBegin, To: crashBegin.Add(20 * time.Hour)})
	if err != nil || len(res.Series) != 1 || int64(res.Series[0].Points[0].Value) != st.MachineRows {
		t.Fatalf("a query over %v counts %+v, %v; there are %d rows", res.Resolutions, res.Series, err, st.MachineRows)
	}
}
