package cgminer

import (
	"hash/fnv"
	"sync"

	"ballast/miner"
)

// slowEvery is how many readings go by between two requests for what hardly
// changes.
const slowEvery = 30

// Cadence says when what hardly changes is due again: at the first reading, and
// then every 30th, at a place in the round that the machine's address gives, so
// that a fleet does not ask for everything at once. It is safe for concurrent
// use.
type Cadence struct {
	mu   sync.Mutex
	left int
}

// NewCadence is the cadence of one machine.
func NewCadence(t miner.Target) *Cadence {
	h := fnv.New32a()
	_, _ = h.Write(t.Addr.AsSlice())
	place := h.Sum32()
	for _, p := range t.Ports { // tells machines behind one forwarding address apart
		place += uint32(p)
	}
	return &Cadence{left: -1 - int(place%slowEvery)}
}

// Due counts one reading and tells whether the slow replies belong to it.
func (c *Cadence) Due() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.left < 0: // the first reading
		c.left = -c.left
		return true
	case c.left <= 1:
		c.left = slowEvery
		return true
	}
	c.left--
	return false
}
