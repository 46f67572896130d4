package fleet

import (
	"container/heap"
	"context"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"ballast/miner"
)

// Poller asks every machine once per interval.
//
// Each machine has a phase of its own inside the interval, fixed by its ID, so
// the load is even and a machine's readings are evenly spaced. A slot that is
// missed (the machine still hangs in the last one, or too many others hang) is
// counted and skipped, never made up for: making up for lost polls is how herds
// form. Machines that do not answer are asked less often, up to Slowest, and
// come back to full cadence with their first answer.
type Poller struct {
	Interval time.Duration // of each machine
	Deadline time.Duration // of one poll; 0 is half the interval, at most 5 s
	Slowest  time.Duration // between polls of a dead machine; 0 is the larger of 1 min and 6 intervals
	InFlight int           // polls at once; 0 is as many as the open-file limit bears, at most 4096
	// Poll asks one machine. It is called from many goroutines, never twice at
	// once for one machine, and returns whether the machine answered.
	Poll func(ctx context.Context, id miner.ID, due time.Time) (answered bool)
	Log  *slog.Logger

	mu      sync.Mutex
	queue   schedule
	entries map[miner.ID]*pollEntry
	wake    chan struct{}
	stats   PollStats
	lateNs  atomic.Int64
}

// PollStats counts what the poller did since it started.
type PollStats struct {
	Machines  int           `json:"machines"`
	InFlight  int           `json:"in_flight"`
	Due       int64         `json:"due"`         // slots of machines in reach that came up
	InTime    int64         `json:"in_time"`     // answered within the deadline of their slot
	Failed    int64         `json:"failed"`      // not answered (off, unreachable, garbage)
	Overrun   int64         `json:"overrun"`     // skipped: the last poll of this machine still ran
	Crowded   int64         `json:"crowded"`     // skipped: too many polls at once
	BackedOff int           `json:"backed_off"`  // machines polled more slowly now, for they do not answer
	LateMax   time.Duration `json:"late_max_ns"` // worst start after its slot
}

type pollEntry struct {
	id     miner.ID
	phase  time.Duration
	due    time.Time
	index  int // in the heap
	misses int // consecutive
	busy   bool
	gone   bool
}

// NewPoller makes a poller; set its fields before Run.
func NewPoller(interval time.Duration, poll func(context.Context, miner.ID, time.Time) bool) *Poller {
	return &Poller{Interval: interval, Poll: poll, entries: map[miner.ID]*pollEntry{}, wake: make(chan struct{}, 1)}
}

// golden spreads consecutive IDs evenly over the interval: the fractional parts
// of multiples of the golden ratio fill a circle without clumps, however many
// there are (Steinhaus's three-gap theorem).
func golden(id miner.ID, interval time.Duration) time.Duration {
	_, frac := math.Modf(float64(id) * 0.6180339887498949)
	return time.Duration(math.Abs(frac) * float64(interval))
}

// Add starts polling a machine; adding one twice changes nothing.
func (p *Poller) Add(id miner.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.entries[id]; ok {
		return
	}
	e := &pollEntry{id: id, phase: golden(id, p.Interval)}
	e.due = next(time.Now(), p.Interval, e.phase)
	p.entries[id] = e
	heap.Push(&p.queue, e)
	p.kick()
}

// Remove stops polling a machine.
func (p *Poller) Remove(id miner.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if e, ok := p.entries[id]; ok {
		e.gone = true
		delete(p.entries, id)
		if e.index >= 0 {
			heap.Remove(&p.queue, e.index)
		}
	}
}

// Soon polls a machine at once, besides its schedule: a command was sent, or an
// address changed. It clears a back-off.
func (p *Poller) Soon(id miner.ID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e, ok := p.entries[id]
	if !ok || e.busy {
		return
	}
	e.misses = 0
	e.due = time.Now()
	heap.Fix(&p.queue, e.index)
	p.kick()
}

func (p *Poller) kick() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// next is the first instant after now that lies on the grid of the phase.
func next(now time.Time, interval, phase time.Duration) time.Time {
	at := now.Truncate(interval).Add(phase)
	if !at.After(now) {
		at = at.Add(interval)
	}
	return at
}

// Stats returns the counts so far.
func (p *Poller) Stats() PollStats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Machines = len(p.entries)
	for _, e := range p.entries {
		if e.misses >= backOffAfter {
			s.BackedOff++
		}
	}
	s.LateMax = time.Duration(p.lateNs.Load())
	return s
}

// Busy tells that more polls are under way than a calm cadence has: the machine
// that Ballast runs on, or the network, is at its limit.
func (p *Poller) Busy() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stats.InFlight > 64+len(p.entries)/50
}

// backOffAfter is how many polls in a row must fail before a machine is asked
// less often: one lost packet must not cost a minute of blindness.
const backOffAfter = 3

// Run polls until ctx ends, then waits for the polls in flight.
func (p *Poller) Run(ctx context.Context) {
	limit := p.InFlight
	if limit <= 0 {
		limit = min(4096, max(64, fileLimit()/3))
	}
	deadline := p.Deadline
	if deadline <= 0 {
		deadline = min(5*time.Second, p.Interval/2)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		p.mu.Lock()
		now := time.Now()
		for len(p.queue) > 0 && !p.queue[0].due.After(now) {
			e := p.queue[0]
			due := e.due
			e.due = p.following(e, now)
			heap.Fix(&p.queue, 0)
			p.stats.Due++
			switch {
			case e.busy:
				p.stats.Overrun++
				continue
			case p.stats.InFlight >= limit:
				p.stats.Crowded++
				continue
			}
			e.busy = true
			p.stats.InFlight++
			if late := int64(now.Sub(due)); late > p.lateNs.Load() {
				p.lateNs.Store(late)
			}
			wg.Go(func() { p.one(ctx, e, due, deadline) })
		}
		wait := time.Hour
		if len(p.queue) > 0 {
			wait = time.Until(p.queue[0].due)
		}
		p.mu.Unlock()
		timer.Reset(max(wait, 0))
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		case <-timer.C:
		}
	}
}

// following is the slot after this one: on the grid for a machine that answers,
// further away for one that does not.
func (p *Poller) following(e *pollEntry, now time.Time) time.Time {
	if e.misses < backOffAfter {
		return next(now, p.Interval, e.phase)
	}
	slowest := p.Slowest
	if slowest <= 0 {
		slowest = max(time.Minute, 6*p.Interval)
	}
	pause := p.Interval << min(e.misses-backOffAfter+1, 16)
	if pause <= 0 || pause > slowest {
		pause = slowest
	}
	// Still on the machine's own phase, so that a site that lost power together
	// does not come back together.
	return next(now.Add(max(pause-p.Interval, 0)), p.Interval, e.phase)
}

func (p *Poller) one(ctx context.Context, e *pollEntry, due time.Time, deadline time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	answered := p.Poll(ctx, e.id, due)
	end := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.InFlight--
	e.busy = false
	if answered {
		if e.misses >= backOffAfter && !e.gone {
			e.due = next(end, p.Interval, e.phase)
			heap.Fix(&p.queue, e.index)
			p.kick()
		}
		e.misses = 0
		if end.Sub(due) <= p.Interval {
			p.stats.InTime++
		}
		return
	}
	p.stats.Failed++
	e.misses++
}

// schedule is a heap of entries by due time.
type schedule []*pollEntry

func (s schedule) Len() int           { return len(s) }
func (s schedule) Less(i, j int) bool { return s[i].due.Before(s[j].due) }
func (s schedule) Swap(i, j int) {
	s[i], s[j] = s[j], s[i]
	s[i].index, s[j].index = i, j
}
func (s *schedule) Push(x any) {
	e := x.(*pollEntry)
	e.index = len(*s)
	*s = append(*s, e)
}
func (s *schedule) Pop() any {
	old := *s
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*s = old[:len(old)-1]
	e.index = -1
	return e
}
