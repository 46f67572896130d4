package fleet

import (
	"ballast/ledger"
	"ballast/miner"
)

// Wishes are the open and standing commands of every machine that has some, in
// one look: what is off on purpose, and what is about to change.
func (c *Commander) Wishes() map[miner.ID][]ledger.Command {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make(map[miner.ID][]ledger.Command, len(c.jobs))
	for id, js := range c.jobs {
		cmds := make([]ledger.Command, len(js))
		for i, j := range js {
			cmds[i] = j.cmd
		}
		out[id] = cmds
	}
	return out
}
