package market

import (
	"fmt"
	"time"
)

// Start is the first block of an epoch as a source tells it.
type Start struct {
	Number int
	Time   time.Time
	Bits   Bits
}

// HistoryOf makes a history of the starts of epochs, by number: the newest run
// of them without a hole. Unlike one of checkpoints its dates are header times,
// not estimates. Epochs are found by their number, not by their place: before the
// first start there is nothing.
func HistoryOf(starts []Start) (History, error) {
	n := len(starts)
	if n == 0 {
		return nil, fmt.Errorf("no epochs: %w", ErrNoData)
	}
	from := n - 1
	for from > 0 && starts[from-1].Number == starts[from].Number-1 {
		from--
	}
	var h History
	for i, s := range starts[from:] {
		t, err := s.Bits.Target()
		if err != nil {
			return nil, fmt.Errorf("epoch %d: %w", s.Number, err)
		}
		e := Epoch{Number: s.Number, Height: int64(s.Number) * EpochBlocks, Target: t, Bits: s.Bits, Start: s.Time}
		if i > 0 {
			p := &h[i-1]
			if !s.Time.After(p.Start) {
				return nil, fmt.Errorf("epoch %d starts at %v, not after the one before: %w", s.Number, s.Time, ErrHistory)
			}
			span, ok := SpansBetween(p.Bits, s.Bits)
			if !ok {
				return nil, fmt.Errorf("epoch %d: no timespan leads from %08x to %08x: %w", s.Number, uint32(p.Bits), uint32(s.Bits), ErrHistory)
			}
			p.Span = span
		}
		h = append(h, e)
	}
	return h, nil
}

// offset is the number of the first epoch of a history.
func (h History) offset() int {
	if len(h) == 0 {
		return 0
	}
	return h[0].Number
}

// Epoch is the epoch of a number; ok is false where the history has none.
func (h History) Epoch(n int) (Epoch, bool) {
	i := n - h.offset()
	if i < 0 || i >= len(h) {
		return Epoch{}, false
	}
	return h[i], true
}
