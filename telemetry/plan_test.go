package telemetry

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const (
	minute = int64(60_000)
	hour   = 60 * minute
)

func TestPlan(t *testing.T) {
	all := func(from, to int64) []Span { return []Span{{from, to}} }
	for name, c := range map[string]struct {
		want   Span
		bucket time.Duration
		have   [Resolutions][]Span
		plan   []Segment
	}{
		"nothing there": {want: Span{0, hour}},
		"raw only":      {want: Span{5, hour}, bucket: time.Minute, have: [4][]Span{all(0, 24*hour)}, plan: []Segment{{Raw, Span{5, hour}}}},
		"coarsest that fits": {want: Span{0, 24 * hour}, bucket: 30 * time.Minute, have: [4][]Span{all(0, 24*hour), all(0, 24*hour), all(0, 24*hour), all(0, 24*hour)},
			plan: []Segment{{Quarter, Span{0, 24 * hour}}}},
		"ragged ends": {want: Span{90_500, 3*hour + 10}, bucket: time.Hour, have: [4][]Span{all(0, 24*hour), all(0, 24*hour), all(0, 24*hour), all(0, 24*hour)},
			plan: []Segment{{Raw, Span{90_500, 2 * minute}}, {Minute, Span{2 * minute, 15 * minute}}, {Quarter, Span{15 * minute, hour}}, {Hour, Span{hour, 3 * hour}}, {Raw, Span{3 * hour, 3*hour + 10}}}},
		"not rolled up yet": {want: Span{0, 2 * hour}, have: [4][]Span{all(0, 24*hour), all(0, 100*minute), all(0, 90*minute), all(0, hour)},
			plan: []Segment{{Hour, Span{0, hour}}, {Quarter, Span{hour, 90 * minute}}, {Minute, Span{90 * minute, 100 * minute}}, {Raw, Span{100 * minute, 2 * hour}}}},
		"finer is gone": {want: Span{10, 2*hour - 10}, bucket: time.Minute, have: [4][]Span{nil, nil, nil, all(0, 24*hour)}, plan: []Segment{{Hour, Span{0, 2 * hour}}}},
		"finer is gone for a part": {want: Span{0, 48 * hour}, bucket: time.Minute, have: [4][]Span{all(24*hour, 48*hour), nil, nil, all(0, 48*hour)},
			plan: []Segment{{Hour, Span{0, 24 * hour}}, {Raw, Span{24 * hour, 48 * hour}}}},
	} {
		if got := Plan(c.want, c.bucket, c.have); !slices.Equal(got, c.plan) {
			t.Errorf("%s: %v, want %v", name, got, c.plan)
		}
	}
}

// TestPlanProperty: whatever there is, no moment is read twice, every moment
// that raw rows cover is read, and roll-ups are read in whole steps.
func TestPlanProperty(t *testing.T) {
	draw := func(t *rapid.T, name string, step int64) Span {
		from := rapid.Int64Range(-3, 60).Draw(t, name+" from") * step
		return Span{from, from + rapid.Int64Range(0, 60).Draw(t, name+" length")*step}
	}
	rapid.Check(t, func(t *rapid.T) {
		want := draw(t, "want", 7*minute)
		want.From += rapid.Int64Range(0, 100).Draw(t, "ragged")
		var have [Resolutions][]Span
		for r := range Resolution(Resolutions) {
			for range rapid.IntRange(0, 3).Draw(t, "spans") {
				step := max(r.Step().Milliseconds(), minute)
				have[r] = append(have[r], draw(t, r.String(), step))
			}
		}
		// Raw rows come in days; here in hours.
		for i, s := range have[Raw] {
			have[Raw][i] = s.inward(hour)
		}
		bucket := rapid.SampledFrom([]time.Duration{0, 30 * time.Second, time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour}).Draw(t, "bucket")
		plan := Plan(want, bucket, have)
		var read []Span
		for i, s := range plan {
			if s.Empty() {
				t.Fatalf("an empty segment in %v", plan)
			}
			if step := s.Resolution.Step().Milliseconds(); step > 0 && (s.From%step != 0 || s.To%step != 0) {
				t.Fatalf("%v is not in whole steps", s)
			}
			if i > 0 && plan[i-1].To > s.From {
				t.Fatalf("%v and %v overlap", plan[i-1], s)
			}
			if left := Subtract([]Span{s.Span}, have[s.Resolution]); len(left) > 0 {
				t.Fatalf("%v is not there: %v", s, left)
			}
			read = append(read, s.Span)
		}
		var raw []Span
		for _, s := range have[Raw] {
			raw = append(raw, s.and(want))
		}
		if left := Subtract(raw, read); len(left) > 0 {
			t.Fatalf("raw rows of %v are not read by %v", left, plan)
		}
	})
}

func TestSpans(t *testing.T) {
	if got := Union([]Span{{5, 7}, {1, 2}, {2, 3}, {9, 9}, {6, 8}}); !slices.Equal(got, []Span{{1, 3}, {5, 8}}) {
		t.Errorf("union: %v", got)
	}
	if got := Subtract([]Span{{0, 10}}, []Span{{2, 3}, {5, 5}, {8, 20}}); !slices.Equal(got, []Span{{0, 2}, {3, 8}}) {
		t.Errorf("difference: %v", got)
	}
	at := time.UnixMilli(1_700_000_000_000)
	if got := SpanOf(at.Add(time.Microsecond), at.Add(time.Millisecond+time.Nanosecond)); got != (Span{1_700_000_000_001, 1_700_000_000_002}) {
		t.Errorf("part of a millisecond: %v", got)
	}
}
