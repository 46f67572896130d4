package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/bits"
	"slices"
	"sync"
	"time"
)

// Batcher collects rows from many goroutines and stores them in batches, in
// order, from one. Adding never blocks: when the store is stuck the queue grows
// to its bound and then loses its oldest rows, counted. A batch that fails is
// tried again with the rows that came since (Append skips what is there).
type Batcher struct {
	store Store
	opt   BatcherOptions
	log   *slog.Logger

	mu    sync.Mutex
	rows  []Row
	stats BatcherStats
	hist  [histogramBins]int64 // of stored rows, by age

	full   chan struct{}
	stop   chan struct{}
	done   chan struct{}
	closed bool
}

// BatcherOptions say how a Batcher works. Zero fields mean the defaults.
type BatcherOptions struct {
	Every time.Duration // longest time a row waits: 400 ms
	Rows  int           // a batch this large does not wait, and none is larger: 2,000
	Queue int           // most rows waiting: 60,000
	Log   *slog.Logger  // nil is silent
}

// BatcherStats is what a Batcher did. Ages are from a row's reply (its At) to
// the moment its batch was on disk.
type BatcherStats struct {
	Stored    int64         `json:"stored"`  // rows
	Batches   int64         `json:"batches"` // successful ones
	Failures  int64         `json:"failures"`
	Dropped   int64         `json:"dropped"` // rows lost because the queue was full
	Waiting   int           `json:"waiting"` // rows now
	P50       time.Duration `json:"p50_ns"`
	P99       time.Duration `json:"p99_ns"`
	Max       time.Duration `json:"max_ns"`
	LastError string        `json:"last_error,omitempty"` // of the newest failure, empty after a success
}

// NewBatcher starts a batcher; Close ends it.
func NewBatcher(store Store, opt BatcherOptions) *Batcher {
	if opt.Every <= 0 {
		opt.Every = 400 * time.Millisecond
	}
	if opt.Rows <= 0 {
		opt.Rows = 2000
	}
	if opt.Queue <= 0 {
		opt.Queue = 60_000
	}
	b := &Batcher{store: store, opt: opt, log: opt.Log, full: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	go b.run()
	return b
}

// Add queues a row. After Close it is dropped.
func (b *Batcher) Add(r Row) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || len(b.rows) >= b.opt.Queue {
		b.stats.Dropped++
		if b.closed {
			return
		}
		// The newest reading is worth more than the oldest. Copying the queue for
		// each row would be slow, so a slice of it goes at once.
		lose := max(1, b.opt.Queue/100)
		b.stats.Dropped += int64(lose - 1)
		b.rows = append(b.rows[:0], b.rows[lose:]...)
	}
	b.rows = append(b.rows, r)
	if len(b.rows) == b.opt.Rows {
		select {
		case b.full <- struct{}{}:
		default:
		}
	}
}

// Stats are the counts so far.
func (b *Batcher) Stats() BatcherStats {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.stats
	s.Waiting = len(b.rows)
	s.P50, s.P99 = b.quantile(0.50), b.quantile(0.99)
	return s
}

// Age counts rows that were on disk at most so long after their reply, and
// longer than the Age before it.
type Age struct {
	Upto time.Duration `json:"upto_ns"`
	Rows int64         `json:"rows"`
}

// Ages are all rows stored since the start, by age; the difference of two calls
// is what happened between them.
func (b *Batcher) Ages() (out []Age) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i, n := range b.hist {
		if n > 0 {
			out = append(out, Age{edge(i), n})
		}
	}
	return out
}

// QuantileOf is the age that a share q of the rows were not older than.
func QuantileOf(ages []Age, q float64) time.Duration {
	var total int64
	for _, a := range ages {
		total += a.Rows
	}
	rank := int64(math.Ceil(q * float64(total)))
	for _, a := range ages {
		if rank -= a.Rows; rank <= 0 {
			return a.Upto
		}
	}
	return 0
}

// Close stores what is waiting and ends the batcher. It gives up after ten
// seconds and says how many rows it could not store.
func (b *Batcher) Close() error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return nil
	}
	b.closed = true
	b.mu.Unlock()
	close(b.stop)
	<-b.done
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := len(b.rows); n > 0 {
		return fmt.Errorf("%d rows were not stored: %s", n, b.stats.LastError)
	}
	return nil
}

func (b *Batcher) run() {
	defer close(b.done)
	tick := time.NewTicker(b.opt.Every)
	defer tick.Stop()
	pause := time.Duration(0) // after failures
	for {
		stopping := false
		select {
		case <-tick.C:
		case <-b.full:
		case <-b.stop:
			stopping = true
		}
		if stopping {
			limit, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			_ = b.flush(limit)
			cancel()
			return
		}
		if err := b.flush(context.Background()); err != nil {
			pause = min(max(2*pause, b.opt.Every), 10*time.Second)
			select {
			case <-time.After(pause):
			case <-b.stop:
			}
			continue
		}
		pause = 0
	}
}

// flush stores what is waiting, in batches of bounded size: a store that was
// stuck must not be met with one batch larger than its memory.
func (b *Batcher) flush(ctx context.Context) error {
	b.mu.Lock()
	waiting := b.rows
	b.rows = nil
	b.mu.Unlock()
	for len(waiting) > 0 {
		batch := waiting[:min(len(waiting), b.opt.Rows)]
		if err := b.append(ctx, batch); err != nil {
			b.putBack(waiting)
			return err
		}
		waiting = waiting[len(batch):]
	}
	return nil
}

// putBack queues rows that were not stored, before those that came since.
func (b *Batcher) putBack(rows []Row) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rows = append(slices.Clip(rows), b.rows...)
	if over := len(b.rows) - b.opt.Queue; over > 0 {
		b.stats.Dropped += int64(over)
		b.rows = b.rows[over:]
	}
}

func (b *Batcher) append(ctx context.Context, batch []Row) error {
	err := b.store.Append(ctx, batch)
	if errors.Is(err, ErrOutside) {
		b.log.Warn("some readings were not stored", "error", err)
		err = nil
	}
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if err != nil {
		b.stats.Failures++
		b.stats.LastError = err.Error()
		b.log.Error("storing readings; they wait and are tried again", "rows", len(batch), "error", err)
		return err
	}
	b.stats.Stored += int64(len(batch))
	b.stats.Batches++
	b.stats.LastError = ""
	for i := range batch {
		age := now.Sub(batch[i].At)
		b.stats.Max = max(b.stats.Max, age)
		b.hist[bin(age)]++
	}
	return nil
}

// The histogram has eight bins an octave from a millisecond up, so a quantile
// is good to 9 %.
const (
	binsAnOctave  = 8
	histogramBins = 32 * binsAnOctave
)

func bin(d time.Duration) int {
	us := uint64(max(d, time.Millisecond) / time.Microsecond)
	octave := bits.Len64(us) - 1
	part := float64(us)/float64(uint64(1)<<octave) - 1
	return min(max((octave-9)*binsAnOctave+int(part*binsAnOctave), 0), histogramBins-1)
}

// edge is the upper edge of a bin.
func edge(i int) time.Duration {
	octave, part := i/binsAnOctave+9, i%binsAnOctave
	return time.Duration(float64(uint64(1)<<octave)*(1+float64(part+1)/binsAnOctave)) * time.Microsecond
}

// quantile is the upper edge of the bin that holds the quantile; the caller
// holds the lock.
func (b *Batcher) quantile(q float64) time.Duration {
	var ages []Age
	for i, n := range b.hist {
		if n > 0 {
			ages = append(ages, Age{edge(i), n})
		}
	}
	return min(QuantileOf(ages, q), b.stats.Max)
}
