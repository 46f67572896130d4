package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"ballast/ledger"
	"ballast/ledger/sqlite"
	"ballast/server"
	"ballast/telemetry"
	"ballast/telemetry/duckdb"
)

// TestMain lets the test binary be the ballast command: for the scripts, and
// for processes that the tests kill.
func TestMain(m *testing.M) {
	if os.Getenv("BALLAST_BE") == "1" {
		main()
		return
	}
	testscript.Main(m, map[string]func(){"ballast": main})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script", Setup: func(e *testscript.Env) error {
		e.Setenv("BALLAST_SHARED", shared())
		return nil
	}, Condition: func(cond string) (bool, error) {
		dir, ok := map[string]string{"captures": "captures", "econ": filepath.Join("data", "econ")}[cond]
		if !ok {
			return false, fmt.Errorf("unknown condition %q", cond)
		}
		_, err := os.Stat(filepath.Join(shared(), dir))
		return err == nil, nil
	}})
}

func shared() string {
	if s := os.Getenv("BALLAST_SHARED"); s != "" {
		return s
	}
	s, err := filepath.Abs("../../../shared")
	if err != nil {
		return ""
	}
	return s
}

// process is this binary as a process that can be killed.
type process struct {
	cmd *exec.Cmd
	err bytes.Buffer
}

func spawn(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(os.Args[0], args...)}
	p.cmd.Env = append(os.Environ(), "BALLAST_BE=1")
	p.cmd.Stderr = &p.err
	return p
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// Killed with -9 at any moment under load, Ballast opens again: what history
// and record acknowledged is there, commands carry on, the audit chain holds.
// BALLAST_KILLS says how often; six times here, fifty in `make bench`.
func TestKilledAtAnyMoment(t *testing.T) {
	kills := 6
	if n, err := strconv.Atoi(os.Getenv("BALLAST_KILLS")); err == nil {
		kills = n
	}
	dir := t.TempDir()
	sim := spawn(t, "sim", "--ready", "--machines", "200", "--network", fmt.Sprintf("127.%d.0.0/24", 40+rand.IntN(50)), "--pristine")
	out, err := sim.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sim.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := sim.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer sim.kill()
	site, err := readReady(out)
	if err != nil {
		t.Fatal(err, sim.err.String())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	text, err := json.Marshal(runConfig(site, dir, time.Second))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "ballast.yaml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")

	wished := map[string]bool{} // commands that were acknowledged to us
	var stored int64            // rows that were acknowledged to us, over all runs
	for round := range kills {
		run := spawn(t, "run", "--config", file)
		if err := run.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
		now, cl, err := awaitFleet(ctx, dir, 200)
		if err != nil {
			run.kill()
			t.Fatalf("round %d: %v\n%s", round, err, run.err.String())
		}
		_ = now
		// Load: commands without pause, until the moment comes.
		stop := make(chan struct{})
		var mu sync.Mutex
		var wg sync.WaitGroup
		var last int64
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				kind := []string{"sleep", "wake"}[i%2]
				var got commandReply
				err := cl.call(ctx, http.MethodPost, "/api/v1/commands", map[string]any{"machines": []int{1 + i%200}, "setting": map[string]any{"kind": kind}, "reason": "kill test"}, &got)
				if err == nil {
					mu.Lock()
					for _, c := range got.Commands {
						wished[c.ID] = true
					}
					mu.Unlock()
				}
				var s server.Site
				if cl.call(ctx, http.MethodGet, "/api/v1/site", nil, &s) == nil {
					mu.Lock()
					last = s.Storing.Stored
					mu.Unlock()
				}
			}
		})
		time.Sleep(time.Duration(300+rand.IntN(2500)) * time.Millisecond)
		run.kill()
		close(stop)
		wg.Wait()
		cancel()
		stored += last

		record, err := sqlite.Open(t.Context(), filepath.Join(data, "ledger.db"), sqlite.Options{})
		if err != nil {
			t.Fatalf("round %d: the record does not open: %v", round, err)
		}
		for id := range wished {
			if _, err := record.Command(t.Context(), id); err != nil {
				t.Errorf("round %d: command %s was acknowledged and is gone: %v", round, id, err)
			}
		}
		if _, err := record.VerifyAudit(t.Context()); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
		record.Close()
		history, err := duckdb.Open(t.Context(), duckdb.Options{Dir: filepath.Join(data, "telemetry")})
		if err != nil {
			t.Fatalf("round %d: the history does not open: %v", round, err)
		}
		st, err := history.Stats(t.Context())
		if err != nil || st.MachineRows < stored || len(st.Damaged) > 0 {
			t.Errorf("round %d: %d rows, %d were acknowledged, damaged %v, %v", round, st.MachineRows, stored, st.Damaged, err)
		}
		history.Close()
	}

	// Undisturbed, every command comes to an end, or is tried again until its
	// deadline: a Whatsminer gives out a number of tokens in half an hour and no
	// more, and every kill took those that Ballast held.
	begun := time.Now()
	run := spawn(t, "run", "--config", file)
	if err := run.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer run.kill()
	_, cl, err := awaitFleet(t.Context(), dir, 200)
	if err != nil {
		t.Fatal(err, run.err.String())
	}
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(time.Second) {
		var open []ledger.Command
		for _, state := range []string{"pending", "dispatched"} {
			var cs []ledger.Command
			if err := cl.call(t.Context(), http.MethodGet, "/api/v1/commands?limit=1000&state="+state, nil, &cs); err != nil {
				t.Fatal(err)
			}
			open = append(open, cs...)
		}
		idle := slices.DeleteFunc(slices.Clone(open), func(c ledger.Command) bool { return c.UpdatedAt.After(begun) && strings.Contains(c.Detail, "over max") })
		if len(open) == 0 || len(idle) == 0 && time.Now().After(deadline.Add(-time.Minute)) {
			t.Logf("%d kills, %d commands acknowledged (%d of them wait for a token), %d rows acknowledged", kills, len(wished), len(open), stored)
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d commands do not carry on, such as %+v", len(idle), idle[0])
		}
	}
}

// What is printed for a machine that is not there, and so on, says what to do.
func TestErrorsSayWhatToDo(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{errNoServer, "ballast run"},
		{fmt.Errorf("opening the history: %w", telemetry.ErrInUse), "--data"},
		{fmt.Errorf("x: %w", os.ErrPermission), "--data"},
	} {
		if got := hintFor(tt.err); !strings.Contains(got, tt.want) {
			t.Errorf("%v: %q", tt.err, got)
		}
	}
	if hintFor(errors.New("other")) != "" {
		t.Error("a hint for nothing")
	}
}
