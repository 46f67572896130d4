package fleet

import (
	"sync"
	"testing"
	"time"

	"ballast/ledger"
	"ballast/miner"
)

// A batch that is cancelled before it is sent is never sent, however often the
// loop passes; one that was sent stays.
func TestCancelBatch(t *testing.T) {
	for _, sent := range []bool{false, true} {
		s := newStage(t)
		room := s.c.Parallel
		s.c.Parallel = 0
		ask := func() (ledger.Batch, []ledger.Command) {
			b, cmds, err := s.c.SubmitBatch(t.Context(), ledger.NewBatch{Kind: "sleep", Actor: "alice", IdempotencyKey: "k", Machines: 1},
				[]Request{{Machine: s.id, Setting: miner.Setting{Kind: miner.SetSleep}, Actor: "alice", Key: "k/1"}})
			if err != nil {
				t.Fatal(err)
			}
			return b, cmds
		}
		b, cmds := ask()
		if again, same := ask(); again.ID != b.ID || same[0].ID != cmds[0].ID || cmds[0].Batch != b.ID {
			t.Errorf("asked again: batch %s after %s", again.ID, b.ID)
		}
		var wg sync.WaitGroup
		pass := func() {
			s.c.Parallel = room
			if err := s.c.pass(t.Context(), time.Now(), &wg); err != nil {
				t.Fatal(err)
			}
			wg.Wait()
		}
		if sent {
			pass()
		}
		n, err := s.c.Cancel(t.Context(), b.ID, ledger.By("bob"))
		if err != nil || (n == 1) == sent {
			t.Fatalf("sent %v: cancelled %d, %v", sent, n, err)
		}
		pass()
		want := ledger.Cancelled
		if sent {
			want = ledger.Acknowledged
		}
		c, err := s.record.Command(t.Context(), cmds[0].ID)
		if err != nil || c.State != want || (len(s.m.got) == 1) != sent {
			t.Errorf("sent %v: the command is %s, the machine got %v, %v", sent, c.State, s.m.got, err)
		}
		if left := len(s.c.Desired(s.id)); (left == 1) != sent {
			t.Errorf("sent %v: %d jobs left", sent, left)
		}
	}
}
