package market

import (
	"fmt"
	"math/big"
)

// Clamps of the measured timespan: a retarget moves at most by a factor of 4.
const (
	MinTimespan = Timespan / 4
	MaxTimespan = Timespan * 4
)

// Retarget is the compact target of the next epoch, given this epoch's and the
// header times of its first and its last block (unix seconds).
//
// The timespan is measured from the first to the last block of the same epoch.
// These are 2016 blocks but 2015 intervals, so blocks exactly 600 s apart make
// difficulty creep up by 2016/2015 (Bitcoin Core, CalculateNextWorkRequired).
// The old target is multiplied before it is divided, in integers, held to the
// limit and cut to compact form.
func Retarget(old Bits, first, last int64) (Bits, error) {
	return RetargetSpan(old, last-first)
}

// RetargetSpan is [Retarget] for a measured timespan in seconds.
func RetargetSpan(old Bits, span int64) (Bits, error) {
	t, err := old.Target()
	if err != nil {
		return 0, fmt.Errorf("reading the old target: %w", err)
	}
	span = min(max(span, MinTimespan), MaxTimespan)
	n := t.Big()
	n.Mul(n, big.NewInt(span))
	n.Quo(n, big.NewInt(Timespan))
	if n.Cmp(limit) > 0 {
		n.Set(limit)
	}
	next, err := TargetOf(n)
	if err != nil {
		return 0, err
	}
	return next.Bits(), nil
}

// Spans are the timespans, in whole seconds, that lead from one compact target
// to the next.
type Spans struct {
	Min, Max int64
	// AtLeast and AtMost say that the true timespan may lie beyond Min or Max,
	// because the rules cut it: by the clamps, or by the limit.
	AtLeast, AtMost bool
}

// Mid is the middle of the range.
func (s Spans) Mid() float64 { return (float64(s.Min) + float64(s.Max)) / 2 }

// SpansBetween finds every timespan with RetargetSpan(old, span) == next. ok is
// false when the rules allow no such step. RetargetSpan grows with the span, so
// both ends are found by bisection.
func SpansBetween(old, next Bits) (s Spans, ok bool) {
	target := func(span int64) *big.Int {
		b, err := RetargetSpan(old, span)
		if err != nil {
			return nil
		}
		t, err := b.Target()
		if err != nil {
			return nil
		}
		return t.Big()
	}
	want, err := next.Target()
	if err != nil || target(MinTimespan) == nil {
		return s, false
	}
	goal := want.Big()
	// first span whose target is at least (more than) the goal
	search := func(more bool) int64 {
		lo, hi := int64(MinTimespan), int64(MaxTimespan)+1
		for lo < hi {
			mid := lo + (hi-lo)/2
			c := target(mid).Cmp(goal)
			if c > 0 || !more && c == 0 {
				hi = mid
			} else {
				lo = mid + 1
			}
		}
		return lo
	}
	s.Min, s.Max = search(false), search(true)-1
	if s.Max < s.Min {
		return Spans{}, false
	}
	s.AtMost = s.Min == MinTimespan
	s.AtLeast = s.Max == MaxTimespan
	return s, true
}
