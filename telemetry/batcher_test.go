package telemetry

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// slow is a store that can be stuck or broken; only Append is called.
type slow struct {
	Store
	mu    sync.Mutex
	err   error
	takes time.Duration
	rows  []Row
}

func (s *slow) Append(_ context.Context, rows []Row) error {
	time.Sleep(s.takes)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	s.rows = append(s.rows, rows...)
	return nil
}

func at(i int) Row {
	return Row{Machine: 1, At: time.Now(), Tags: Tags{Group: string(rune('a' + i%26))}}
}

func TestBatcherStoresEverythingInOrderAndMeasures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{takes: 50 * time.Millisecond}
		b := NewBatcher(s, BatcherOptions{})
		for i := range 1000 {
			b.Add(at(i))
			time.Sleep(10 * time.Millisecond)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		if len(s.rows) != 1000 {
			t.Fatalf("%d rows stored", len(s.rows))
		}
		for i, r := range s.rows {
			if r.Group != string(rune('a'+i%26)) {
				t.Fatalf("row %d is out of order", i)
			}
		}
		st := b.Stats()
		if st.Stored != 1000 || st.P50 < 200*time.Millisecond || st.P50 > 320*time.Millisecond || st.P99 < 400*time.Millisecond || st.P99 > 500*time.Millisecond || st.Max > 500*time.Millisecond {
			t.Errorf("%+v", st)
		}
	})
}

func TestBatcherOutlivesABrokenStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &slow{err: errors.New("disk full")}
		b := NewBatcher(s, BatcherOptions{Queue: 500})
		for i := range 400 {
			b.Add(at(i))
		}
		time.Sleep(time.Minute)
		if st := b.Stats(); st.Waiting != 400 || st.Failures < 3 || st.LastError != "disk full" || st.Dropped != 0 {
			t.Errorf("%+v", st)
		}
		for i := range 300 {
			b.Add(at(i))
		}
		if st := b.Stats(); st.Waiting > 500 || st.Dropped < 200 || st.Dropped+int64(st.Waiting) != 700 {
			t.Errorf("%+v", st)
		}
		s.mu.Lock()
		s.err = nil
		s.mu.Unlock()
		time.Sleep(20 * time.Second)
		if st := b.Stats(); st.Waiting != 0 || st.LastError != "" || st.Stored+st.Dropped != 700 {
			t.Errorf("%+v", st)
		}
		s.mu.Lock()
		s.err = errors.New("gone")
		s.mu.Unlock()
		b.Add(at(1))
		if err := b.Close(); err == nil {
			t.Error("closing with a row that cannot be stored must say so")
		}
	})
}

// What the API says of a store can be read back: the bench does.
func TestStatsReadBack(t *testing.T) {
	b, err := json.Marshal(Stats{BytesAt: []SizeAt{{Resolution: Quarter, Bytes: 7}}})
	if err != nil {
		t.Fatal(err)
	}
	var got Stats
	if err := json.Unmarshal(b, &got); err != nil || got.BytesAt[0].Resolution != Quarter {
		t.Errorf("%s: %+v %v", b, got, err)
	}
	if err := new(Resolution).UnmarshalText([]byte("fortnight")); !errors.Is(err, ErrInvalid) {
		t.Error(err)
	}
}
