package server

import (
	"sync"

	"ballast/fleet"
)

// moves remembers which machines went from one site to another, for clients
// that see the one and not the other: to them a machine that moved away is gone,
// though nothing that they may see says so.
type moves struct {
	mu   sync.Mutex
	at   map[int64]string // where each machine was at the last look
	list []move           // oldest first
}

type move struct {
	rev  uint64 // of the look that saw it
	id   int64
	from string
}

// mostMoves bounds what is remembered; who was away for longer than that many
// moves is told of the newest only, and of the others when it connects afresh.
const mostMoves = 20_000

// begin notes where all machines are, once.
func (m *moves) begin(f *fleet.Fleet) {
	m.mu.Lock()
	known := m.at != nil
	m.mu.Unlock()
	if !known {
		m.look(f.All(), f.Rev())
	}
}

// look notes who moved since the last look. Rev is a revision from after all was
// read: a client that has it knows of these moves.
func (m *moves) look(all []*fleet.Status, rev uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.at == nil {
		m.at = make(map[int64]string, len(all))
	}
	for _, st := range all {
		id, now := st.Machine.ID, st.Machine.Site
		if was, ok := m.at[id]; ok && was != now {
			m.list = append(m.list, move{rev, id, was})
		}
		m.at[id] = now
	}
	if n := len(m.list) - mostMoves; n > 0 {
		m.list = append(m.list[:0:0], m.list[n:]...)
	}
}

// out are the machines that left a scope since a revision, and are not back. Told
// twice does no harm, and a move may be seen a beat after its revision was told.
func (m *moves) out(s Scope, after uint64) []int64 {
	if s.All {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var gone []int64
	for _, v := range m.list {
		if v.rev >= after && s.Covers(v.from) && !s.Covers(m.at[v.id]) {
			gone = append(gone, v.id)
		}
	}
	return gone
}
