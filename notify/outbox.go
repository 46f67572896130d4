package notify

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"ballast/ledger"
)

// Store is what an outbox needs of the record.
type Store interface {
	DueMessages(ctx context.Context, now time.Time, limit int) ([]ledger.Message, error)
	AlarmMessages(ctx context.Context, alarm int64) ([]ledger.Message, error)
	MarkMessage(ctx context.Context, id int64, to ledger.MessageState, next time.Time, detail string) error
	PurgeMessages(ctx context.Context, before time.Time) (int, error)
}

// Outbox delivers what waits in the record, at least once: a message is marked
// delivered after its receiver took it, so a crash in between sends it again.
type Outbox struct {
	Store Store
	// Receiver finds one by its number. An error gives the message up.
	Receiver  func(ctx context.Context, id int64) (Receiver, error)
	PerMinute int           // messages to one receiver; 0 is 20
	Timeout   time.Duration // of one delivery; 0 is 30 s
	Every     time.Duration // between looks; 0 is 1 s
	Keep      time.Duration // of what is done with; 0 is 90 days
	Log       *slog.Logger
	Clock     func() time.Time // nil is time.Now

	mu   sync.Mutex
	sent map[int64][]time.Time // within the last minute, by receiver
	busy map[int64]bool
}

// How long and how often to try.
const (
	giveUp      = 24 * time.Hour
	refusedMost = 3 // attempts at a receiver that refuses for good: somebody may be mending it
)

// backOff is the pause after a number of attempts.
func backOff(attempts int) time.Duration {
	return min(5*time.Second<<min(attempts, 10), 15*time.Minute)
}

func (o *Outbox) fill() {
	if o.PerMinute <= 0 {
		o.PerMinute = 20
	}
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Every <= 0 {
		o.Every = time.Second
	}
	if o.Keep <= 0 {
		o.Keep = 90 * 24 * time.Hour
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.sent == nil {
		o.sent, o.busy = map[int64][]time.Time{}, map[int64]bool{}
	}
}

// Run delivers until ctx ends, then waits for deliveries under way.
func (o *Outbox) Run(ctx context.Context) error {
	o.fill()
	var wg sync.WaitGroup
	defer wg.Wait()
	tick := time.NewTicker(o.Every)
	defer tick.Stop()
	for n := 0; ; n++ {
		if err := o.pass(ctx, &wg); err != nil && ctx.Err() == nil {
			o.Log.Error("reading the outbox", "error", err)
		}
		if n%3600 == 0 {
			if _, err := o.Store.PurgeMessages(ctx, o.Clock().Add(-o.Keep)); err != nil && ctx.Err() == nil {
				o.Log.Error("clearing the outbox", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// pass starts a delivery for each receiver that has something due: one message
// at a time, the oldest first, so that a slow receiver holds up nobody else.
func (o *Outbox) pass(ctx context.Context, wg *sync.WaitGroup) error {
	due, err := o.Store.DueMessages(ctx, o.Clock(), 500)
	if err != nil {
		return err
	}
	taken := map[int64]bool{}
	for _, m := range due {
		if taken[m.Receiver] {
			continue
		}
		earlier, err := o.waits(ctx, m)
		if err != nil {
			return err
		}
		if earlier {
			continue
		}
		taken[m.Receiver] = true
		if !o.claim(m.Receiver) {
			continue
		}
		wg.Go(func() {
			defer o.free(m.Receiver)
			o.one(ctx, m)
		})
	}
	return nil
}

// waits tells whether an earlier message about the same thing to the same
// receiver is not delivered yet: an end must not come before its beginning.
func (o *Outbox) waits(ctx context.Context, m ledger.Message) (bool, error) {
	if m.Alarm == 0 {
		return false, nil
	}
	all, err := o.Store.AlarmMessages(ctx, m.Alarm)
	if err != nil {
		return false, err
	}
	for _, e := range all {
		if e.Receiver == m.Receiver && e.ID < m.ID && e.State == ledger.MessageWaiting {
			return true, nil
		}
	}
	return false, nil
}

func (o *Outbox) claim(receiver int64) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.busy[receiver] {
		return false
	}
	now := o.Clock()
	recent := o.sent[receiver][:0]
	for _, t := range o.sent[receiver] {
		if now.Sub(t) < time.Minute {
			recent = append(recent, t)
		}
	}
	if len(recent) >= o.PerMinute {
		o.sent[receiver] = recent
		return false
	}
	o.sent[receiver], o.busy[receiver] = append(recent, now), true
	return true
}

func (o *Outbox) free(receiver int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.busy, receiver)
}

// one delivers a message and writes how it went.
func (o *Outbox) one(ctx context.Context, m ledger.Message) {
	answer, err := o.deliver(ctx, m)
	if ctx.Err() != nil && err != nil {
		return // stopping: it stays waiting
	}
	now := o.Clock()
	to, next, detail := ledger.MessageDelivered, time.Time{}, answer
	if err != nil {
		to, detail = ledger.MessageWaiting, err.Error()
		pause := backOff(m.Attempts)
		if after, ok := errors.AsType[*After](err); ok {
			pause = max(pause, after.Wait)
		}
		next = now.Add(pause)
		final := errors.Is(err, ErrInvalid) || errors.Is(err, ledger.ErrNotFound) || (errors.Is(err, ErrRefused) || errors.Is(err, ErrTarget)) && m.Attempts+1 >= refusedMost
		if final || now.Sub(m.CreatedAt) > giveUp {
			to, next = ledger.MessageFailed, time.Time{}
			o.Log.Error("a message could not be delivered", "receiver", m.Receiver, "alarm", m.Alarm, "attempts", m.Attempts+1, "error", err)
		} else if m.Attempts == 0 {
			o.Log.Warn("a message could not be delivered yet", "receiver", m.Receiver, "alarm", m.Alarm, "error", err)
		}
	}
	if err := o.Store.MarkMessage(context.WithoutCancel(ctx), m.ID, to, next, detail); err != nil {
		o.Log.Error("marking a message", "message", m.ID, "error", err)
	}
}

func (o *Outbox) deliver(ctx context.Context, m ledger.Message) (string, error) {
	var msg Message
	if err := json.Unmarshal(m.Doc, &msg); err != nil {
		return "", ErrInvalid
	}
	r, err := o.Receiver(ctx, m.Receiver)
	if err != nil {
		return "", err
	}
	limit, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	return r.Deliver(limit, msg)
}
