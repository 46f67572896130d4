package feed

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// ErrFull reports a store that holds as many series as it may.
var ErrFull = errors.New("the store is full")

// Change is a value that a Put made current. Was is the value before it, when
// there was one: a revision.
type Change struct {
	Is  Value
	Was *Value
}

// Store keeps values with their revisions. Its methods may be called by many
// goroutines.
type Store interface {
	// Put keeps points received at a time. A point that says what is current
	// already changes nothing; one that was published before the current value is
	// kept as a revision but does not become current. It gives what changed.
	Put(ctx context.Context, received time.Time, points []Point) ([]Change, error)
	// Range gives the current values of intervals that begin in [from, to), in
	// order.
	Range(ctx context.Context, series string, from, to time.Time) ([]Value, error)
	// At gives the current value of the interval that holds t.
	At(ctx context.Context, series string, t time.Time) (Value, bool, error)
	// Latest gives the current value of the last interval that begins before t.
	Latest(ctx context.Context, series string, t time.Time) (Value, bool, error)
	// Revisions gives what is kept of an interval, the current value last.
	Revisions(ctx context.Context, series string, start time.Time) ([]Value, error)
}

// Memory is a Store in memory. The zero Memory is empty and bounded.
type Memory struct {
	MaxSeries    int // 500 when 0
	MaxIntervals int // of a series; the oldest go first; 150,000 when 0: 4 years of quarter-hours
	MaxRevisions int // of an interval; the first and the latest stay; 8 when 0, at least 2

	mu     sync.RWMutex
	series map[string][]entry
}

// entry is an interval: its first value inline, because most have but one.
type entry struct {
	current Value
	older   []Value
}

var _ Store = (*Memory)(nil)

// Put implements Store.
func (m *Memory) Put(_ context.Context, received time.Time, points []Point) ([]Change, error) {
	out, _, err := m.putAll(received, points)
	return out, err
}

// putAll also gives every value that is new, current or not.
func (m *Memory) putAll(received time.Time, points []Point) (out []Change, kept []Value, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.series == nil {
		m.series = map[string][]entry{}
	}
	for _, p := range points {
		if _, ok := m.series[p.Series]; !ok && len(m.series) >= cmp.Or(m.MaxSeries, 500) {
			err = ErrFull
			continue
		}
		v := Value{Point: p, Received: received}
		c, current, isNew := m.put(v)
		if current {
			out = append(out, c)
		}
		if isNew {
			kept = append(kept, v)
		}
	}
	return out, kept, err
}

func (m *Memory) put(v Value) (c Change, current, isNew bool) {
	v.Start = v.Start.UTC()
	all := m.series[v.Series]
	i, found := find(all, v.Start)
	if !found {
		v.Revision = 0
		if limit := cmp.Or(m.MaxIntervals, 150_000); len(all) >= limit {
			if i == 0 {
				return c, false, false // older than all that is kept
			}
			all = slices.Delete(all, 0, 1)
			i--
		}
		m.series[v.Series] = slices.Insert(all, i, entry{current: v})
		return Change{Is: v}, true, true
	}
	e := &all[i]
	same := func(o *Value) bool { return o.Micro == v.Micro && o.Length == v.Length }
	if same(&e.current) {
		return c, false, false
	}
	v.Revision = e.current.Revision + 1
	late := !v.Published.IsZero() && v.Published.Before(e.current.Published)
	if late {
		// A document that arrived out of order tells what was once, not what is.
		if slices.ContainsFunc(e.older, func(o Value) bool { return same(&o) && o.Published.Equal(v.Published) }) {
			return c, false, false
		}
		v.Revision, e.current.Revision = e.current.Revision, v.Revision
		e.older = append(e.older, v)
		m.trim(e)
		return c, false, true
	}
	was := e.current
	e.older = append(e.older, was)
	e.current = v
	m.trim(e)
	return Change{Is: v, Was: &was}, true, true
}

func (m *Memory) trim(e *entry) {
	if most := max(cmp.Or(m.MaxRevisions, 8), 2); len(e.older)+1 > most {
		e.older = slices.Delete(e.older, 1, 2)
	}
}

func find(all []entry, start time.Time) (int, bool) {
	if n := len(all); n == 0 || all[n-1].current.Start.Before(start) {
		return n, false // most come at the end
	}
	return slices.BinarySearchFunc(all, start, func(e entry, t time.Time) int { return e.current.Start.Compare(t) })
}

// Range implements Store.
func (m *Memory) Range(_ context.Context, series string, from, to time.Time) ([]Value, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	all := m.series[series]
	a, _ := find(all, from)
	z, _ := find(all, to)
	if a >= z {
		return nil, nil
	}
	out := make([]Value, 0, z-a)
	for _, e := range all[a:z] {
		out = append(out, e.current)
	}
	return out, nil
}

// At implements Store.
func (m *Memory) At(_ context.Context, series string, t time.Time) (Value, bool, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	all := m.series[series]
	i, found := find(all, t)
	if !found {
		i--
	}
	if i < 0 || !t.Before(all[i].current.Start.Add(all[i].current.Length)) {
		return Value{}, false, nil
	}
	return all[i].current, true, nil
}

// Latest implements Store.
func (m *Memory) Latest(_ context.Context, series string, t time.Time) (Value, bool, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	all := m.series[series]
	i, _ := find(all, t)
	if i == 0 {
		return Value{}, false, nil
	}
	return all[i-1].current, true, nil
}

// Revisions implements Store.
func (m *Memory) Revisions(_ context.Context, series string, start time.Time) ([]Value, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	all := m.series[series]
	i, found := find(all, start)
	if !found {
		return nil, nil
	}
	return append(slices.Clone(all[i].older), all[i].current), nil
}

// Size is how many intervals are kept, of all series.
func (m *Memory) Size() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	n := 0
	for _, s := range m.series {
		n += len(s)
	}
	return n
}

// every calls f for every value kept, revisions in order.
func (m *Memory) every(f func(Value) error) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, name := range sortedKeys(m.series) {
		for _, e := range m.series[name] {
			for _, v := range e.older {
				if err := f(v); err != nil {
					return err
				}
			}
			if err := f(e.current); err != nil {
				return err
			}
		}
	}
	return nil
}
