package fleet

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ballast/miner"
)

// record notes when each machine is polled.
type record struct {
	mu sync.Mutex
	at map[miner.ID][]time.Time
}

func (r *record) note(id miner.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at == nil {
		r.at = map[miner.ID][]time.Time{}
	}
	r.at[id] = append(r.at[id], time.Now())
}

func TestCadenceIsEvenAndHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r record
		ctx, cancel := context.WithCancel(t.Context())
		p := NewPoller(10*time.Second, func(_ context.Context, id miner.ID, due time.Time) bool {
			if late := time.Since(due); late > time.Millisecond {
				t.Errorf("machine %d polled %v late", id, late)
			}
			r.note(id)
			time.Sleep(200 * time.Millisecond)
			return true
		})
		for id := range miner.ID(500) {
			p.Add(id + 1)
		}
		done := make(chan struct{})
		go func() { p.Run(ctx); close(done) }()
		time.Sleep(2 * time.Minute)
		cancel()
		<-done

		perSecond := map[int64]int{}
		for id, at := range r.at {
			if n := len(at); n < 11 || n > 13 {
				t.Errorf("machine %d: %d polls in two minutes at 10 s", id, n)
			}
			for i := 1; i < len(at); i++ {
				if gap := at[i].Sub(at[i-1]); gap != 10*time.Second {
					t.Fatalf("machine %d: %v between polls", id, gap)
				}
			}
			for _, a := range at {
				perSecond[a.Unix()]++
			}
		}
		for s, n := range perSecond {
			if n > 60 {
				t.Errorf("second %d: %d polls at once, 50 would be even", s, n)
			}
		}
		s := p.Stats()
		if s.InTime < s.Due-10 || s.Overrun+s.Crowded+s.Failed > 0 {
			t.Errorf("%+v", s)
		}
	})
}

// Machines that hang or are dead do not touch the cadence of the others, are
// asked less often, and come back at once.
func TestOthersAreUnharmed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r record
		var mu sync.Mutex
		dead := true
		ctx, cancel := context.WithCancel(t.Context())
		p := NewPoller(10*time.Second, func(ctx context.Context, id miner.ID, _ time.Time) bool {
			r.note(id)
			mu.Lock()
			down := dead
			mu.Unlock()
			if id%2 == 0 && down {
				<-ctx.Done() // hangs until its deadline
				return false
			}
			return true
		})
		for id := range miner.ID(200) {
			p.Add(id + 1)
		}
		done := make(chan struct{})
		go func() { p.Run(ctx); close(done) }()
		time.Sleep(10 * time.Minute)
		for id, at := range r.at {
			switch n := len(at); {
			case id%2 == 1 && (n < 59 || n > 61):
				t.Errorf("healthy machine %d: %d polls in ten minutes", id, n)
			case id%2 == 0 && (n < 8 || n > 20):
				t.Errorf("dead machine %d: %d polls in ten minutes", id, n)
			}
		}
		if s := p.Stats(); s.BackedOff != 100 {
			t.Errorf("%+v", s)
		}
		mu.Lock()
		dead = false
		mu.Unlock()
		before := len(r.at[2])
		time.Sleep(3 * time.Minute)
		if n := len(r.at[2]) - before; n < 12 {
			t.Errorf("%d polls in three minutes after it came back", n)
		}
		cancel()
		<-done
	})
}

// Too many polls at once are skipped and counted, never queued.
func TestCrowdIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		running, most := 0, 0
		ctx, cancel := context.WithCancel(t.Context())
		p := NewPoller(10*time.Second, func(ctx context.Context, _ miner.ID, _ time.Time) bool {
			mu.Lock()
			running++
			most = max(most, running)
			mu.Unlock()
			<-ctx.Done()
			mu.Lock()
			running--
			mu.Unlock()
			return false
		})
		p.InFlight = 20
		for id := range miner.ID(300) {
			p.Add(id + 1)
		}
		done := make(chan struct{})
		go func() { p.Run(ctx); close(done) }()
		time.Sleep(time.Minute)
		s := p.Stats()
		cancel()
		<-done
		if most != 20 || s.Crowded == 0 {
			t.Errorf("%d at once, %+v", most, s)
		}
	})
}

func TestSoonAndRemove(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r record
		ctx, cancel := context.WithCancel(t.Context())
		p := NewPoller(time.Hour, func(_ context.Context, id miner.ID, _ time.Time) bool { r.note(id); return true })
		p.Add(1)
		p.Add(2)
		p.Add(2)
		done := make(chan struct{})
		go func() { p.Run(ctx); close(done) }()
		synctest.Wait()
		begin := time.Now()
		p.Soon(1)
		p.Soon(99) // unknown: nothing happens
		synctest.Wait()
		if at := r.at[1]; len(at) != 1 || at[0].Sub(begin) > time.Second {
			t.Errorf("%v", at)
		}
		p.Remove(2)
		time.Sleep(3 * time.Hour)
		if n := len(r.at[2]); n != 0 {
			t.Errorf("%d polls of a removed machine", n)
		}
		cancel()
		<-done
	})
}

func TestPhasesFillTheInterval(t *testing.T) {
	for _, n := range []int{10, 1000, 10_007} {
		var at []time.Duration
		for id := range n {
			at = append(at, golden(miner.ID(id+1), 10*time.Second))
		}
		slices.Sort(at)
		widest := at[0] + 10*time.Second - at[n-1]
		for i := 1; i < n; i++ {
			widest = max(widest, at[i]-at[i-1])
		}
		if even := 10 * time.Second / time.Duration(n); float64(widest) > 3*float64(even) {
			t.Errorf("%d machines: a hole of %v, even would be %v", n, widest, even)
		}
	}
}
