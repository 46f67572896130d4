package fleet

import (
	"slices"

	"ballast/ledger"
	"ballast/miner"
)

// moves remembers which machines went from one site to another, for those who
// see the one and not the other: to them a machine that moved away is gone,
// though nothing that they may see says so. It is written with the revision that
// moved the machine, under the lock that gives revisions: a move that was made
// and undone between two looks is here too, because somebody may have been told
// of the machine between the two.
type moves struct {
	list  []Move
	since uint64 // moves up to this revision may be forgotten
}

// Move is a machine's leaving of a site.
type Move struct {
	Rev  uint64 // of the status that stands elsewhere
	ID   int64
	From string
}

// mostMoves bounds what is remembered.
const mostMoves = 20_000

// note is called with the revision of a status that changed.
func (m *moves) note(was, is ledger.Machine, rev uint64) {
	if was.ID == 0 || was.Site == is.Site {
		return
	}
	m.list = append(m.list, Move{Rev: rev, ID: is.ID, From: was.Site})
	if n := len(m.list) - mostMoves; n >= mostMoves/4 { // not at every move
		m.since = m.list[n-1].Rev
		m.list = append(m.list[:0:0], m.list[n:]...)
	}
}

// Left are the moves after a revision, oldest first. It answers false when some
// are forgotten: whoever stands at that revision has to start afresh.
func (f *Fleet) Left(after uint64) ([]Move, bool) {
	f.pub.Lock()
	defer f.pub.Unlock()
	if after < f.moves.since {
		return nil, false
	}
	i, _ := slices.BinarySearchFunc(f.moves.list, after+1, func(m Move, rev uint64) int {
		switch {
		case m.Rev < rev:
			return -1
		case m.Rev > rev:
			return 1
		}
		return 0
	})
	return slices.Clone(f.moves.list[i:]), true
}

// MachineSite is where a machine stands now; false when there is no such machine.
func (f *Fleet) MachineSite(id int64) (string, bool) {
	m, ok := f.member(miner.ID(id))
	if !ok {
		return "", false
	}
	s := m.status.Load()
	if s == nil {
		return "", false
	}
	return s.Machine.Site, true
}
