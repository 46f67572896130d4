package fleet

import (
	"testing"

	"ballast/ledger"
)

// A move that is undone at once is remembered all the same, and who stands
// before what is remembered is told so.
func TestMovesAreRememberedToABound(t *testing.T) {
	var f Fleet
	at := ledger.Machine{ID: 7, Site: "hood"}
	move := func(to string) {
		was := at
		at.Site = to
		f.rev++
		f.moves.note(was, at, f.rev)
	}
	f.moves.note(ledger.Machine{}, at, 1) // came, did not move
	move("odessa")
	move("hood")
	f.rev++
	f.moves.note(at, at, f.rev) // a change that is no move
	if got, ok := f.Left(0); !ok || len(got) != 2 || got[0] != (Move{1, 7, "hood"}) || got[1] != (Move{2, 7, "odessa"}) {
		t.Fatalf("after two moves: %v, %v", got, ok)
	}
	if got, ok := f.Left(1); !ok || len(got) != 1 || got[0].Rev != 2 {
		t.Fatalf("after the first: %v, %v", got, ok)
	}
	if got, ok := f.Left(2); !ok || len(got) != 0 {
		t.Fatalf("after all: %v, %v", got, ok)
	}
	for range 3 * mostMoves {
		move(map[string]string{"hood": "odessa", "odessa": "hood"}[at.Site])
	}
	if n := len(f.moves.list); n > mostMoves*5/4 {
		t.Errorf("%d moves kept", n)
	}
	if _, ok := f.Left(2); ok {
		t.Error("who stands before what is remembered was not told")
	}
	last := f.moves.since
	if got, ok := f.Left(last); !ok || len(got) == 0 || got[0].Rev <= last {
		t.Errorf("from %d on: %d moves, %v", last, len(got), ok)
	}
}
