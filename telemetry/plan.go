package telemetry

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Resolution is how finely history is kept.
type Resolution uint8

// The resolutions, finest first. Roll-ups keep count, sum, least and most of
// every gauge, and the increase of every counter, for each machine and board.
const (
	Raw Resolution = iota
	Minute
	Quarter // of an hour
	Hour

	Resolutions = 4 // how many there are
)

// Step is the length of a roll-up's buckets; 0 for Raw.
func (r Resolution) Step() time.Duration {
	return [Resolutions]time.Duration{0, time.Minute, 15 * time.Minute, time.Hour}[r]
}

// String names the resolution.
func (r Resolution) String() string {
	if r >= Resolutions {
		return fmt.Sprintf("resolution(%d)", uint8(r))
	}
	return [Resolutions]string{"raw", "minute", "quarter", "hour"}[r]
}

// MarshalText writes the name.
func (r Resolution) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the name.
func (r *Resolution) UnmarshalText(b []byte) error {
	for _, x := range []Resolution{Raw, Minute, Quarter, Hour} {
		if x.String() == string(b) {
			*r = x
			return nil
		}
	}
	return fmt.Errorf("%w: no resolution is called %q", ErrInvalid, b)
}

// Span is a half-open stretch of time in Unix milliseconds.
type Span struct{ From, To int64 }

// SpanOf is the span from one time to another. Times that milliseconds cannot
// hold are clipped.
func SpanOf(from, to time.Time) Span { return Span{clip(from), clip(to)} }

func clip(t time.Time) int64 {
	switch {
	case t.Before(earliest):
		return earliest.UnixMilli()
	case t.After(latest):
		return latest.UnixMilli()
	}
	// Round up: a row at 1.0005 s is kept as 1.000 s and is before 1.0004 s no
	// more than before 1.001 s; whole milliseconds are exact.
	ms := t.UnixMilli()
	if t.After(time.UnixMilli(ms)) {
		ms++
	}
	return ms
}

// Empty tells whether nothing is in the span.
func (s Span) Empty() bool { return s.From >= s.To }

func (s Span) and(o Span) Span { return Span{max(s.From, o.From), min(s.To, o.To)} }

// inward shrinks the span to whole steps.
func (s Span) inward(step int64) Span {
	if step == 0 {
		return s
	}
	return Span{-floorDiv(-s.From, step) * step, floorDiv(s.To, step) * step}
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// Union sorts spans, drops empty ones and merges those that touch.
func Union(spans []Span) []Span {
	var out []Span
	for _, s := range slices.SortedFunc(slices.Values(spans), func(a, b Span) int { return cmp.Compare(a.From, b.From) }) {
		switch n := len(out); {
		case s.Empty():
		case n > 0 && s.From <= out[n-1].To:
			out[n-1].To = max(out[n-1].To, s.To)
		default:
			out = append(out, s)
		}
	}
	return out
}

// Subtract is what of spans is in none of without.
func Subtract(spans, without []Span) []Span {
	out := Union(spans)
	for _, w := range without {
		if w.Empty() {
			continue
		}
		var next []Span
		for _, s := range out {
			for _, part := range [2]Span{{s.From, min(s.To, w.From)}, {max(s.From, w.To), s.To}} {
				if !part.Empty() {
					next = append(next, part)
				}
			}
		}
		out = next
	}
	return out
}

// Segment is a stretch of a query that is read from one resolution.
type Segment struct {
	Resolution Resolution
	Span
}

// Plan says where to read a query from: the coarsest resolutions that give the
// same answer as the raw rows, and where these are gone, what is left. have
// tells what each resolution covers; bucket is the query's, 0 for a single one.
// The segments do not overlap and are in order of time.
func Plan(want Span, bucket time.Duration, have [Resolutions][]Span) []Segment {
	var out []Segment
	take := func(r Resolution, s Span) {
		if !s.Empty() {
			out = append(out, Segment{r, s})
		}
	}
	gaps := Union([]Span{want})
	for r := Hour; ; r-- {
		if step := r.Step(); r == Raw || bucket%step == 0 {
			var used []Span
			for _, g := range gaps {
				for _, h := range Union(have[r]) {
					if s := g.and(h).inward(step.Milliseconds()); !s.Empty() {
						take(r, s)
						used = append(used, s)
					}
				}
			}
			gaps = Subtract(gaps, used)
		}
		if r == Raw {
			break
		}
	}
	// What no fitting resolution covers: take what there is, finest first. At
	// the ends of the query a roll-up that reaches over them is in as a whole;
	// elsewhere its other part was taken from a finer one already.
	for r := Minute; r < Resolutions; r++ {
		step := r.Step().Milliseconds()
		var used []Span
		for _, g := range gaps {
			wide := g.inward(step)
			if g.From == want.From {
				wide.From = floorDiv(g.From, step) * step
			}
			if g.To == want.To {
				wide.To = -floorDiv(-g.To, step) * step
			}
			for _, h := range Union(have[r]) {
				if s := wide.and(h).inward(step); !s.Empty() {
					take(r, s)
					used = append(used, s)
				}
			}
		}
		gaps = Subtract(gaps, used)
	}
	slices.SortFunc(out, func(a, b Segment) int { return cmp.Compare(a.From, b.From) })
	return out
}
