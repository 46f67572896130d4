package feed

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Keeper is where a [Kept] store writes each value down.
type Keeper interface {
	// Keep writes values down, all or none, on disk when it returns.
	Keep(ctx context.Context, values []Value) error
	// Kept gives what was written, in the order of writing.
	Kept(ctx context.Context, each func(Value) error) error
}

// Kept is a Store in memory that writes every new value, current or not, to a
// keeper, and has them back when it is opened again: revisions, times of
// receipt and all.
type Kept struct {
	Memory
	keeper Keeper

	writing sync.Mutex
	pending []Value // in memory, and not written yet
}

var _ Store = (*Kept)(nil)

// mostPending bounds what waits for a keeper that does not answer. What is
// beyond is asked of the operators again after a restart, as any gap.
const mostPending = 100_000

// OpenKept reads all that the keeper has.
func OpenKept(ctx context.Context, k Keeper) (*Kept, error) {
	s := &Kept{keeper: k}
	s.series = map[string][]entry{}
	if err := k.Kept(ctx, func(v Value) error { s.put(v); return nil }); err != nil {
		return nil, fmt.Errorf("reading the market's values: %w", err)
	}
	return s, nil
}

// Put implements Store. What could not be written is kept in memory and written
// with the next values; the error says so.
func (s *Kept) Put(ctx context.Context, received time.Time, points []Point) ([]Change, error) {
	s.writing.Lock()
	defer s.writing.Unlock()
	changes, kept, err := s.putAll(received, points)
	s.pending = append(s.pending, kept...)
	if n := len(s.pending) - mostPending; n > 0 {
		s.pending = append([]Value(nil), s.pending[n:]...)
	}
	if len(s.pending) == 0 {
		return changes, err
	}
	if e := s.keeper.Keep(ctx, s.pending); e != nil {
		return changes, errors.Join(err, fmt.Errorf("%d values wait to be written: %w", len(s.pending), e))
	}
	s.pending = nil
	return changes, err
}
