package feed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var day0 = time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)

func point(quarter int, value int64, published time.Time) Point {
	return Point{Series: "s", Start: day0.Add(time.Duration(quarter) * 15 * time.Minute), Length: 15 * time.Minute, Micro: value, Published: published}
}

func put(t testing.TB, s Store, received time.Time, points ...Point) []Change {
	t.Helper()
	c, err := s.Put(context.Background(), received, points)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRevisionsAreKeptBesideTheOldValue(t *testing.T) {
	var s Memory
	at := func(h int) time.Time { return day0.Add(time.Duration(h) * time.Hour) }
	if c := put(t, &s, at(1), point(0, 20, at(1)), point(1, 30, at(1))); len(c) != 2 || c[0].Was != nil {
		t.Error(c)
	}
	if c := put(t, &s, at(2), point(0, 20, at(2))); len(c) != 0 {
		t.Error("the same value again is a change:", c)
	}
	if c := put(t, &s, at(30), point(0, 25, at(29))); len(c) != 1 || c[0].Was == nil || c[0].Was.Micro != 20 || c[0].Is.Revision != 1 {
		t.Errorf("%+v", c)
	}
	// A document published before the current one arrives later.
	if c := put(t, &s, at(31), point(0, 22, at(20)), point(0, 22, at(20))); len(c) != 0 {
		t.Errorf("%+v", c)
	}
	v, ok, _ := s.At(context.Background(), "s", day0.Add(14*time.Minute))
	if !ok || v.Micro != 25 || !v.Received.Equal(at(30)) || !v.Published.Equal(at(29)) {
		t.Errorf("%+v", v)
	}
	all, _ := s.Revisions(context.Background(), "s", day0)
	var got []string
	for _, v := range all {
		got = append(got, fmt.Sprintf("%d:%d", v.Revision, v.Micro))
	}
	if !slices.Equal(got, []string{"0:20", "1:22", "2:25"}) {
		t.Error(got)
	}
	if _, ok, _ := s.At(context.Background(), "s", day0.Add(30*time.Minute)); ok {
		t.Error("a price after the last")
	}
	if v, ok, _ := s.Latest(context.Background(), "s", at(9)); !ok || v.Micro != 30 {
		t.Error(v, ok)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	s := Memory{MaxSeries: 2, MaxIntervals: 10, MaxRevisions: 3}
	for i := range 100 {
		put(t, &s, day0, point(i, int64(i), time.Time{}))
		put(t, &s, day0, point(99, int64(1000+i), time.Time{}))
	}
	if s.Size() != 10 {
		t.Error(s.Size())
	}
	all, _ := s.Revisions(context.Background(), "s", day0.Add(99*15*time.Minute))
	if len(all) != 3 || all[0].Micro != 1000 || all[2].Micro != 1099 || all[1].Revision != all[2].Revision-1 {
		t.Errorf("%+v", all)
	}
	if c := put(t, &s, day0, point(-5, 1, time.Time{})); len(c) != 0 {
		t.Error("older than all that is kept, and kept")
	}
	p := point(0, 1, time.Time{})
	p.Series = "second"
	put(t, &s, day0, p)
	p.Series = "third"
	if _, err := s.Put(context.Background(), day0, []Point{p}); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
}

func TestFileRemembers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "prices.log")
	s, damaged, err := OpenFile(path)
	if err != nil || damaged != 0 {
		t.Fatal(err, damaged)
	}
	put(t, s, day0.Add(time.Second), point(0, 20, day0), point(1, 30, time.Time{}))
	put(t, s, day0.Add(2*time.Second), point(0, 25, day0.Add(time.Minute)))
	put(t, s, day0.Add(3*time.Second), point(0, 22, day0.Add(30*time.Second))) // published between the two
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(context.Background(), day0, []Point{point(5, 1, day0)}); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
	// A crash in the middle of a line, and a flipped bit.
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	whole := line(Value{Point: point(2, 40, day0), Received: day0})
	flipped := slices.Clone(whole)
	flipped[20] ^= 1
	if _, err := f.Write(slices.Concat(flipped, whole[:len(whole)/2])); err != nil {
		t.Fatal(err)
	}
	f.Close()
	s, damaged, err = OpenFile(path)
	if err != nil || damaged != 2 {
		t.Fatal(err, damaged)
	}
	all, _ := s.Revisions(context.Background(), "s", day0)
	if len(all) != 3 || all[0].Micro != 20 || all[1].Micro != 22 || all[2].Micro != 25 || all[2].Revision != 2 || !all[2].Received.Equal(day0.Add(2*time.Second)) || !all[2].Published.Equal(day0.Add(time.Minute)) {
		t.Errorf("%+v", all)
	}
	put(t, s, day0, point(2, 40, day0))
	s.Close()
	if s, damaged, err = OpenFile(path); err != nil || damaged != 0 || s.Size() != 3 {
		t.Error(err, damaged)
	}
	s.Close()
}

func TestFileHoldsWhatMemoryHolds(t *testing.T) {
	dir := t.TempDir()
	n := 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		path := filepath.Join(dir, fmt.Sprint(n))
		f, _, err := OpenFile(path)
		if err != nil {
			t.Fatal(err)
		}
		ctx := context.Background()
		current := map[int]int64{}
		for range rapid.IntRange(1, 40).Draw(t, "puts") {
			q, v := rapid.IntRange(0, 9).Draw(t, "quarter"), rapid.Int64Range(0, 3).Draw(t, "value")
			if _, err := f.Put(ctx, day0, []Point{point(q, v, time.Time{})}); err != nil {
				t.Fatal(err)
			}
			current[q] = v
		}
		f.Close()
		g, damaged, err := OpenFile(path)
		if err != nil || damaged != 0 {
			t.Fatal(err, damaged)
		}
		defer g.Close()
		all, err := g.Range(ctx, "s", day0, day0.Add(24*time.Hour))
		if err != nil || len(all) != len(current) {
			t.Fatal(err, len(all), len(current))
		}
		last := time.Time{}
		for _, v := range all {
			if !v.Start.After(last) {
				t.Fatal("out of order")
			}
			last = v.Start
			if want := current[int(v.Start.Sub(day0)/(15*time.Minute))]; v.Micro != want {
				t.Fatalf("%v: %d, want %d", v.Start, v.Micro, want)
			}
		}
	})
}
