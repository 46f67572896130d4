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
	rows map[miner.ID]Row
}

// Add takes rows that were stored, in any order.
func (n *Newest) Add(rows []Row) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.rows == nil {
		n.rows = make(map[miner.ID]Row, len(rows))
	}
	for _, r := range rows {
		if have, ok := n.rows[r.Machine]; !ok || r.At.After(have.At) {
			n.rows[r.Machine] = r
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
				out = append(out, r)
			}
		}
	} else {
		for id, r := range n.rows {
			if f.Match(id, &r.Tags) {
				out = append(out, r)
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
	var out []Ranked
	n.mu.RLock()
	for id, r := range n.rows {
		if r.At.Before(q.Since) || !q.Filter.Match(id, &r.Tags) {
			continue
		}
		if !q.Metric.OfBoard() {
			if v, ok := r.Get(q.Metric).Get(); ok {
				out = append(out, Ranked{Machine: id, Tags: r.Tags, Board: -1, Value: v, At: r.At})
			}
			continue
		}
		for _, b := range r.Boards {
			if v, ok := b.Get(q.Metric).Get(); ok {
				out = append(out, Ranked{Machine: id, Tags: r.Tags, Board: b.Index, Value: v, At: r.At})
			}
		}
	}
	n.mu.RUnlock()
	slices.SortFunc(out, func(a, b Ranked) int {
		by := cmp.Compare(b.Value, a.Value)
		if q.Lowest {
			by = -by
		}
		return cmp.Or(by, cmp.Compare(a.Machine, b.Machine), cmp.Compare(a.Board, b.Board))
	})
	if q.N > 0 && len(out) > q.N {
		out = slices.Clip(out[:q.N])
	}
	return out, nil
}
