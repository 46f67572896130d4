package ledgertest

import (
	"fmt"
	"testing"
	"time"

	"ballast/ledger"
)

// Bench measures what a large site asks of the ledger.
func Bench(b *testing.B, open Open) {
	b.Run("Observe10000", func(b *testing.B) { // everybody where they were
		c := newClock()
		s := open(b, c.Now)
		seed(b, s, 10_000)
		batch := fleet(10_000)
		for b.Loop() {
			c.Advance(time.Minute)
			if _, err := s.ObserveMachines(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("ObserveNew10000", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			s := open(b, newClock().Now)
			b.StartTimer()
			seed(b, s, 10_000)
		}
	})
	b.Run("ObserveMoved10000", func(b *testing.B) { // everybody's address changed
		c := newClock()
		s := open(b, c.Now)
		seed(b, s, 10_000)
		batch := fleet(10_000)
		shift := 0
		for b.Loop() {
			c.Advance(time.Minute)
			shift++
			for i := range batch {
				batch[i].Addr = addr((i+shift)%10_000 + 1)
			}
			if _, err := s.ObserveMachines(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("ObserveOneOf10000", func(b *testing.B) {
		s := open(b, nil)
		seed(b, s, 10_000)
		one := fleet(10_000)[5000:5001]
		for b.Loop() {
			if _, err := s.ObserveMachines(b.Context(), one); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Machines10000", func(b *testing.B) {
		s := open(b, nil)
		seed(b, s, 10_000)
		for b.Loop() {
			if ms, err := s.Machines(b.Context(), ledger.MachineFilter{}); err != nil || len(ms) != 10_000 {
				b.Fatal(err, len(ms))
			}
		}
	})
	b.Run("Commands1000InBatch", func(b *testing.B) { // created, dispatched, acknowledged, confirmed
		s := open(b, nil)
		ids := seed(b, s, 1000)
		for b.Loop() {
			lifeInBatch(b, s, ids)
		}
	})
	b.Run("CommandAlone", func(b *testing.B) { // the same for one, four transactions
		s := open(b, nil)
		ids := seed(b, s, 1)
		for b.Loop() {
			lifeInBatch(b, s, ids)
		}
	})
	b.Run("OpenCommands1000Of20000", func(b *testing.B) { // after a crash
		s := open(b, nil)
		ids := seed(b, s, 1000)
		for range 19 {
			lifeInBatch(b, s, ids)
		}
		create(b, s, ids)
		for b.Loop() {
			if cs, err := s.OpenCommands(b.Context()); err != nil || len(cs) != 1000 {
				b.Fatal(err, len(cs))
			}
		}
	})
	b.Run("VerifyAudit10000", func(b *testing.B) {
		s := open(b, nil)
		ok(b, s.Tx(b.Context(), func(tx ledger.Tx) error {
			for i := range 10_000 {
				if err := tx.Audit(b.Context(), ledger.Audit{Actor: "alice", Action: "x", Subject: fmt.Sprint(i), Detail: `{"some":"detail"}`}); err != nil {
					return err
				}
			}
			return nil
		}))
		for b.Loop() {
			must(s.VerifyAudit(b.Context()))(b)
		}
	})
}

func create(t fataler, s ledger.Store, ids []int64) []ledger.Command {
	wishes := make([]ledger.NewCommand, len(ids))
	for i, id := range ids {
		wishes[i] = wish(id, 3000)
		wishes[i].Supersedes = []string{"power"}
	}
	return must(s.CreateCommands(t.Context(), wishes))(t)
}

// lifeInBatch takes commands for all machines from wish to proof.
func lifeInBatch(t fataler, s ledger.Store, ids []int64) {
	made := create(t, s, ids)
	path := []ledger.CommandState{ledger.Pending, ledger.Dispatched, ledger.Acknowledged, ledger.Confirmed}
	for i := range path[:3] {
		ts := make([]ledger.Transition, len(made))
		for k, c := range made {
			ts[k] = ledger.Transition{ID: c.ID, From: path[i], To: path[i+1], Actor: "fleet", Detail: "as read"}
		}
		for _, out := range must(s.TransitionAll(t.Context(), ts))(t) {
			if out.Err != nil {
				t.Fatal(out.Err)
			}
		}
	}
}
