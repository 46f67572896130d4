package feed

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

type book struct {
	values []Value
	broken bool
}

func (b *book) Keep(_ context.Context, vs []Value) error {
	if b.broken {
		return errors.New("the disk is full")
	}
	b.values = append(b.values, vs...)
	return nil
}

func (b *book) Kept(_ context.Context, each func(Value) error) error {
	for _, v := range b.values {
		if err := each(v); err != nil {
			return err
		}
	}
	return nil
}

// What a store tells after it was opened again is what it told before: revised
// values, late documents and the times of receipt.
func TestKept(t *testing.T) {
	ctx := t.Context()
	at := time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)
	p := func(n int, micro int64, published time.Time) Point {
		return Point{Series: "rtm", Start: at.Add(time.Duration(n) * 15 * time.Minute), Length: 15 * time.Minute, Micro: micro, Published: published}
	}
	b := &book{}
	s, err := OpenKept(ctx, b)
	if err != nil {
		t.Fatal(err)
	}
	put := func(received time.Time, ps ...Point) {
		t.Helper()
		if _, err := s.Put(ctx, received, ps); err != nil {
			t.Fatal(err)
		}
	}
	put(at.Add(time.Hour), p(0, 30e6, at.Add(time.Minute)), p(1, 31e6, at.Add(time.Minute)))
	put(at.Add(2*time.Hour), p(0, 35e6, at.Add(90*time.Minute)))
	put(at.Add(3*time.Hour), p(0, 29e6, at)) // older, and late: a revision, not current
	b.broken = true
	if _, err := s.Put(ctx, at.Add(4*time.Hour), []Point{p(2, 32e6, time.Time{})}); err == nil {
		t.Error("a keeper that fails is not told")
	}
	if v, ok, _ := s.At(ctx, "rtm", p(2, 0, at).Start); !ok || v.Micro != 32e6 {
		t.Errorf("what could not be written is not there: %+v", v)
	}
	b.broken = false
	put(at.Add(5*time.Hour), p(3, 33e6, time.Time{}))

	again, err := OpenKept(ctx, b)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 4 {
		start := p(n, 0, at).Start
		was, _ := s.Revisions(ctx, "rtm", start)
		is, _ := again.Revisions(ctx, "rtm", start)
		if len(is) == 0 || !slices.EqualFunc(was, is, func(a, b Value) bool {
			return a.Micro == b.Micro && a.Received.Equal(b.Received) && a.Revision == b.Revision
		}) {
			t.Errorf("interval %d: was %+v, is %+v", n, was, is)
		}
	}
	if v, _, _ := again.At(ctx, "rtm", at); v.Micro != 35e6 {
		t.Errorf("current is %v", v.Micro)
	}
}
