package fleet

import (
	"sync"

	"ballast/miner"
)

// envelopes keeps one copy of what machines of a kind can be set to: a
// Whatsminer's hundred steps are four kilobytes, and ten thousand machines have a
// few dozen sets of them.
type envelopes struct {
	mu   sync.Mutex
	kept map[string][]*miner.Envelope
}

// mostAlike bounds the different envelopes kept of a kind; each machine of a kind
// beyond has its own.
const mostAlike = 32

// one is the envelope that equals e, which nobody may change.
func (x *envelopes) one(kind string, e *miner.Envelope) *miner.Envelope {
	if e == nil {
		return nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, o := range x.kept[kind] {
		if o.Same(e) {
			return o
		}
	}
	if x.kept == nil {
		x.kept = map[string][]*miner.Envelope{}
	}
	if len(x.kept[kind]) < mostAlike {
		x.kept[kind] = append(x.kept[kind], e)
	}
	return e
}
