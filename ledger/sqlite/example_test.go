package sqlite_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/netip"
	"os"
	"path/filepath"

	"ballast/ledger"
	"ballast/ledger/sqlite"
)

// A machine is seen, is told to draw 2.8 kW, and proves it; then it turns up at
// another address and is still the same machine.
func Example() {
	dir, err := os.MkdirTemp("", "ballast")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	s, err := sqlite.Open(ctx, filepath.Join(dir, "ledger.db"), sqlite.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()

	seen, err := s.ObserveMachines(ctx, []ledger.Sighting{{Addr: netip.MustParseAddr("10.20.0.7"), MAC: "AA-BB-CC-00-00-07", Site: "odessa"}})
	if err != nil {
		log.Fatal(err)
	}
	c, err := s.CreateCommand(ctx, ledger.NewCommand{
		Machine: seen[0].ID, Kind: "power", Setting: json.RawMessage(`{"power_w": 2800}`),
		Actor: "alice", Reason: "price above strike", IdempotencyKey: "order-17", Supersedes: []string{"power", "profile"},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, to := range []ledger.CommandState{ledger.Dispatched, ledger.Acknowledged, ledger.Confirmed} {
		if c, err = s.Transition(ctx, ledger.Transition{ID: c.ID, From: c.State, To: to, Actor: "fleet"}); err != nil {
			log.Fatal(err)
		}
	}
	moved, err := s.ObserveMachines(ctx, []ledger.Sighting{{Addr: netip.MustParseAddr("10.20.3.1"), MAC: "aa:bb:cc:00:00:07", Site: "odessa"}})
	if err != nil {
		log.Fatal(err)
	}
	rows, err := s.AuditRows(ctx, ledger.AuditFilter{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(c.State, "after", c.Attempts, "attempt")
	fmt.Println("same machine:", moved[0].ID == seen[0].ID, "at", moved[0].Addr)
	fmt.Println(rows[0].Actor, rows[0].Action)
	// Output:
	// confirmed after 1 attempt
	// same machine: true at 10.20.3.1
	// alice command.create
}
