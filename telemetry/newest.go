package telemetry

import (
	"cmp"
	"slices"
	"sync"

	"ballast/miner"
)

// Newest keeps the newest row of each machine in memory: the fleet now, for
// engines to answer Latest and Top from. The zero value is empty and ready. It
// is safe for concurrent use.
type Newest struct {
	mu   sync.RWMutex
	rows map[miner.ID]*Row
}

// Add takes rows that were stored, in any order.
func (n *Newest) Add(rows []Row) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.rows == nil {
		n.rows = make(map[miner.ID]*Row, len(rows))
	}
	for _, r := range rows {
		if have, ok := n.rows[r.Machine]; !ok || r.At.After(have.At) {
			n.rows[r.Machine] = &r
		}
	}
}

// Len is the number of machines.
func (n *Newest) Len() int {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return len(n.rows)
}

// Latest lists the rows that pass the filter, by machine.
func (n *Newest) Latest(f Filter) []Row {
	n.mu.RLock()
	defer n.mu.RUnlock()
	out := make([]Row, 0, len(n.rows))
	if len(f.Machines) > 0 {
		for _, id := range f.Machines {
			if r, ok := n.rows[id]; ok && f.Match(id, &r.Tags) {
				out = append(out, *r)
			}
		}
	} else {
		for id, r := range n.rows {
			if f.Match(id, &r.Tags) {
				out = append(out, *r)
			}
		}
	}
	slices.SortFunc(out, func(a, b Row) int { return cmp.Compare(a.Machine, b.Machine) })
	return slices.CompactFunc(out, func(a, b Row) bool { return a.Machine == b.Machine })
}

// Top ranks machines or boards; equals by machine and slot.
func (n *Newest) Top(q TopQuery) ([]Ranked, error) {
	if !q.Metric.Valid() {
		return nil, ErrInvalid
	}
	type entry struct {
		row   *Row
		board int
		value float64
	}
	before := func(a, b entry) int {
		by := cmp.Compare(b.value, a.value)
		if q.Lowest {
			by = -by
		}
		return cmp.Or(by, cmp.Compare(a.row.Machine, b.row.Machine), cmp.Compare(a.board, b.board))
	}
	// The best so far, in order once there are N: most of a fleet is turned
	// away by one comparison.
	var best []entry
	take := func(e entry) {
		if q.N <= 0 || len(best) < q.N {
			if best = append(best, e); len(best) == q.N {
				slices.SortFunc(best, before)
			}
			return
		}
		if before(e, best[q.N-1]) < 0 {
			at, _ := slices.BinarySearchFunc(best, e, before)
			copy(best[at+1:], best[at:])
			best[at] = e
		}
	}
	n.mu.RLock()
	for id, r := range n.rows {
		if r.At.Before(q.Since) || !q.Filter.Match(id, &r.Tags) {
			continue
		}
		if !q.Metric.OfBoard() {
			if v, ok := r.Get(q.Metric).Get(); ok {
				take(entry{r, -1, v})
			}
			continue
		}
		for i := range r.Boards {
			if v, ok := r.Boards[i].Get(q.Metric).Get(); ok {
				take(entry{r, r.Boards[i].Index, v})
			}
		}
	}
	n.mu.RUnlock()
	slices.SortFunc(best, before)
	out := make([]Ranked, len(best))
	for i, e := range best {
		out[i] = Ranked{Machine: e.row.Machine, Tags: e.row.Tags, Board: e.board, Value: e.value, At: e.row.At}
	}
	return out, nil
}
