//go:build unix

package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ballast/ledger"
	"ballast/ledger/sqlite"
)

// killFile names the ledger that this process is to write until it is killed.
const killFile = "BALLAST_TEST_LEDGER_TO_WRITE"

func TestMain(m *testing.M) {
	if path := os.Getenv(killFile); path != "" {
		if err := writeUntilKilled(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// writeUntilKilled creates commands and moves them on, and prints what it was
// told is done: an ID and a state a line.
func writeUntilKilled(path string) error {
	ctx := context.Background()
	s, err := sqlite.Open(ctx, path, sqlite.Options{})
	if err != nil {
		return err
	}
	ms, err := s.ObserveMachines(ctx, []ledger.Sighting{{MAC: "aa:bb:cc:00:00:01"}, {MAC: "aa:bb:cc:00:00:02"}})
	if err != nil {
		return err
	}
	for i := 0; ; i++ {
		wishes := []ledger.NewCommand{{Machine: ms[i%2].ID, Kind: "power", Actor: "dispatch", Supersedes: []string{"power"}}}
		if i%5 == 0 {
			wishes = append(wishes, ledger.NewCommand{Machine: ms[(i+1)%2].ID, Kind: "locate", Actor: "alice"})
		}
		made, err := s.CreateCommands(ctx, wishes)
		if err != nil {
			return err
		}
		for _, c := range made {
			fmt.Println(c.ID, c.State)
		}
		moved, err := s.Transition(ctx, ledger.Transition{ID: made[0].ID, From: ledger.Pending, To: ledger.Dispatched, Actor: "fleet"})
		if err != nil {
			return err
		}
		fmt.Println(moved.ID, moved.State)
	}
}

// A ledger whose program is killed at any moment, twenty times over, opens
// again with everything in it that the program was told is written, and with a
// whole audit chain.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	told := map[string]string{}
	for round := range 20 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), killFile+"="+path)
		var complaint strings.Builder
		child.Stderr = &complaint
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		if !lines.Scan() {
			t.Fatalf("round %d: the child wrote nothing: %s", round, complaint.String())
		}
		note := func() {
			if id, state, ok := strings.Cut(lines.Text(), " "); ok && (state == "pending" || state == "dispatched") {
				told[id] = state // a line cut off by the kill is none
			}
		}
		note()
		// After some lines, and then at any moment of the next few transactions.
		for range rand.IntN(60) {
			if lines.Scan() {
				note()
			}
		}
		time.AfterFunc(time.Duration(rand.IntN(5000))*time.Microsecond, func() { _ = child.Process.Kill() })
		for lines.Scan() {
			note()
		}
		if err := child.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
			t.Fatalf("round %d: the child ended by itself: %v %s", round, err, complaint.String())
		}
	}
	s, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if len(told) < 100 {
		t.Errorf("only %d commands were acknowledged: too few to prove anything", len(told))
	}
	for id, state := range told {
		c, err := s.Command(t.Context(), id)
		if err != nil {
			t.Fatalf("acknowledged and lost: %v", err)
		}
		if state == "dispatched" && c.State == ledger.Pending {
			t.Fatalf("command %s is %s and was told to be dispatched", id, c.State)
		}
		events, err := s.CommandEvents(t.Context(), id)
		if err != nil || events[len(events)-1].To != c.State {
			t.Fatalf("command %s is %s, its events %+v, %v", id, c.State, events, err)
		}
	}
	all, err := s.Commands(t.Context(), ledger.CommandFilter{})
	if err != nil || len(all) < len(told) {
		t.Fatalf("%d commands, %v", len(all), err)
	}
	if _, err := s.VerifyAudit(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d commands acknowledged, %d in the ledger", len(told), len(all))
}
