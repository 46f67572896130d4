package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"ballast/ledger"
	"ballast/ledger/sqlite"
	"ballast/notify"
)

// fake is a receiver whose mood the test sets.
type fake struct {
	mu   sync.Mutex
	mood func(m notify.Message) error
	got  []string
}

func (f *fake) Deliver(_ context.Context, m notify.Message) (string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.mood != nil {
		if err := f.mood(m); err != nil {
			return "", err
		}
	}
	f.got = append(f.got, m.Subject)
	return "ok", nil
}

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }
func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func message(receiver, alarm int64, subject string, at time.Time) ledger.Message {
	doc, _ := json.Marshal(notify.Message{Subject: subject})
	return ledger.Message{Receiver: receiver, Alarm: alarm, Doc: doc, Next: at}
}

// play runs an outbox while the clock passes, until everything is settled.
func play(t *testing.T, s ledger.Store, c *clock, o *notify.Outbox, rounds int, step time.Duration) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	o.Store, o.Clock, o.Every = s, c.Now, 2*time.Millisecond
	done := make(chan struct{})
	go func() { defer close(done); _ = o.Run(ctx) }()
	for range rounds {
		time.Sleep(8 * time.Millisecond)
		c.add(step)
	}
	cancel()
	<-done
}

func newStore(t *testing.T, c *clock) ledger.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if c.now.IsZero() {
		c.now = time.Now()
	}
	return s
}

func states(t *testing.T, s ledger.Store, alarm int64) (out []ledger.MessageState) {
	t.Helper()
	ms, err := s.AlarmMessages(t.Context(), alarm)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range ms {
		out = append(out, m.State)
	}
	return out
}

// An end never comes before its beginning, and trouble with one receiver holds
// up nobody else.
func TestOrderAndIsolation(t *testing.T) {
	var c clock
	s := newStore(t, &c)
	fails := 3
	bad := &fake{mood: func(notify.Message) error {
		if fails--; fails >= 0 {
			return errors.New("not now")
		}
		return nil
	}}
	good := &fake{}
	if err := s.SaveAlarms(t.Context(), ledger.AlarmChange{Messages: []ledger.Message{message(1, 5, "begin", c.now), message(1, 5, "end", c.now), message(2, 6, "other", c.now)}}, ledger.Audit{}); err != nil {
		t.Fatal(err)
	}
	play(t, s, &c, &notify.Outbox{Receiver: func(_ context.Context, id int64) (notify.Receiver, error) {
		if id == 1 {
			return bad, nil
		}
		return good, nil
	}}, 60, 5*time.Second)
	if fmt.Sprint(bad.got) != "[begin end]" || fmt.Sprint(good.got) != "[other]" {
		t.Errorf("got %v and %v", bad.got, good.got)
	}
	if st := states(t, s, 5); fmt.Sprint(st) != "[delivered delivered]" {
		t.Errorf("states %v", st)
	}
}

// One that refuses for good is given up after three tries, and says so; one that
// is not there at all at once.
func TestGivesUp(t *testing.T) {
	var c clock
	s := newStore(t, &c)
	tries := 0
	no := &fake{mood: func(notify.Message) error { tries++; return fmt.Errorf("%w: wrong key", notify.ErrRefused) }}
	if err := s.SaveAlarms(t.Context(), ledger.AlarmChange{Messages: []ledger.Message{message(1, 5, "a", c.now), message(9, 6, "b", c.now)}}, ledger.Audit{}); err != nil {
		t.Fatal(err)
	}
	play(t, s, &c, &notify.Outbox{Receiver: func(_ context.Context, id int64) (notify.Receiver, error) {
		if id == 9 {
			return nil, ledger.ErrNotFound
		}
		return no, nil
	}}, 50, 5*time.Second)
	if tries != 3 || fmt.Sprint(states(t, s, 5), states(t, s, 6)) != "[failed] [failed]" {
		t.Errorf("%d tries, %v %v", tries, states(t, s, 5), states(t, s, 6))
	}
	ms, err := s.AlarmMessages(t.Context(), 5)
	if err != nil || ms[0].Detail == "" || ms[0].Attempts != 3 {
		t.Errorf("%+v, %v", ms, err)
	}
}

// A flood is sent no faster than the limit, and all of it in the end.
func TestRateLimit(t *testing.T) {
	var c clock
	s := newStore(t, &c)
	var ms []ledger.Message
	for i := range 12 {
		ms = append(ms, message(1, int64(i+1), fmt.Sprint(i), c.now))
	}
	if err := s.SaveAlarms(t.Context(), ledger.AlarmChange{Messages: ms}, ledger.Audit{}); err != nil {
		t.Fatal(err)
	}
	f := &fake{}
	o := &notify.Outbox{PerMinute: 5, Receiver: func(context.Context, int64) (notify.Receiver, error) { return f, nil }}
	play(t, s, &c, o, 20, 0)
	if len(f.got) != 5 {
		t.Errorf("%d in the first minute", len(f.got))
	}
	play(t, s, &c, o, 60, 10*time.Second)
	if len(f.got) != 12 {
		t.Errorf("%d in the end", len(f.got))
	}
}

// What was not marked delivered before a crash is sent again.
func TestAtLeastOnce(t *testing.T) {
	var c clock
	s := newStore(t, &c)
	if err := s.SaveAlarms(t.Context(), ledger.AlarmChange{Messages: []ledger.Message{message(1, 5, "a", c.now)}}, ledger.Audit{}); err != nil {
		t.Fatal(err)
	}
	hang := make(chan struct{})
	o := &notify.Outbox{Receiver: func(context.Context, int64) (notify.Receiver, error) {
		return deliver(func(ctx context.Context) error { close(hang); <-ctx.Done(); return ctx.Err() }), nil
	}}
	ctx, cancel := context.WithCancel(t.Context())
	o.Store, o.Every = s, time.Millisecond
	done := make(chan struct{})
	go func() { defer close(done); _ = o.Run(ctx) }()
	<-hang
	cancel()
	<-done
	if st := states(t, s, 5); fmt.Sprint(st) != "[waiting]" {
		t.Fatalf("after a stop in the middle: %v", st)
	}
	f := &fake{}
	play(t, s, &c, &notify.Outbox{Receiver: func(context.Context, int64) (notify.Receiver, error) { return f, nil }}, 10, time.Second)
	if len(f.got) != 1 {
		t.Errorf("got %v", f.got)
	}
}

type deliver func(context.Context) error

func (d deliver) Deliver(ctx context.Context, _ notify.Message) (string, error) { return "", d(ctx) }
