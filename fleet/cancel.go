package fleet

import (
	"context"
	"fmt"
	"slices"

	"ballast/ledger"
	"ballast/miner"
)

// Cancel takes back those commands of a batch that were not sent yet, and says
// how many. What was sent is not called back: give the opposite command.
func (c *Commander) Cancel(ctx context.Context, batch string, by ledger.Audit) (int, error) {
	cancelled := map[string]bool{}
	var machines []int64
	err := c.Record.Tx(ctx, func(tx ledger.Tx) error {
		clear(cancelled)
		machines = machines[:0]
		pending, err := tx.Commands(ctx, ledger.CommandFilter{Batch: batch, States: []ledger.CommandState{ledger.Pending}})
		if err != nil {
			return err
		}
		steps := make([]ledger.Transition, len(pending))
		for i, p := range pending {
			steps[i] = ledger.Transition{ID: p.ID, From: ledger.Pending, To: ledger.Cancelled, Actor: by.Actor, Detail: "taken back by " + by.Actor}
		}
		if len(steps) > 0 {
			done, err := tx.TransitionAll(ctx, steps)
			if err != nil {
				return err
			}
			for _, d := range done {
				if d.Err == nil { // else it was sent this very moment
					cancelled[d.Command.ID] = true
					machines = append(machines, d.Command.Machine)
				}
			}
		}
		return tx.MarkCancelled(ctx, batch, by)
	})
	if err != nil {
		return 0, fmt.Errorf("cancelling batch %s: %w", batch, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range machines {
		id := miner.ID(m)
		c.jobs[id] = slices.DeleteFunc(c.jobs[id], func(j *job) bool { return cancelled[j.cmd.ID] })
		if len(c.jobs[id]) == 0 {
			delete(c.jobs, id)
		}
	}
	return len(cancelled), nil
}
