package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ballast/ledger"
	"ballast/ledger/sqlite"
	"ballast/miner"
	"ballast/unit"
)

// liar is a machine at its worst: it acknowledges what it does not do, fails on
// command, and obeys when told to. The commander's logic is tested on it; real
// dialects are played in the drivers' tests and in site_test.go.
type liar struct {
	mu     sync.Mutex
	fails  []error // of the next applies, in order
	obeys  bool
	got    []miner.Setting
	state  miner.State
	limit  unit.Power
	born   time.Time
	locate bool
}

func (l *liar) Identify(context.Context) (miner.Identity, error) { return miner.Identity{}, nil }
func (l *liar) Envelope(context.Context) (miner.Envelope, error) { return miner.Envelope{}, nil }
func (l *liar) Close()                                           {}

func (l *liar) Read(context.Context) (miner.Reading, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	return miner.Reading{At: now, State: l.state, PowerLimit: unit.Some(l.limit), Power: unit.Some(l.limit), Uptime: unit.Some(now.Sub(l.born)), Locating: unit.Some(l.locate)}, nil
}

func (l *liar) Apply(_ context.Context, s miner.Setting) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.got = append(l.got, s)
	if len(l.fails) > 0 {
		err := l.fails[0]
		l.fails = l.fails[1:]
		if err != nil {
			return err
		}
	}
	if !l.obeys {
		return nil
	}
	switch s.Kind {
	case miner.SetSleep:
		l.state, l.limit = miner.Sleeping, 20
	case miner.SetWake:
		l.state = miner.Hashing
	case miner.SetPower:
		l.limit = s.Power
	case miner.SetReboot:
		l.born = time.Now()
	case miner.SetLocate:
		l.locate = s.On
	}
	return nil
}

// stage is a commander over one liar, moved by hand.
type stage struct {
	*testing.T
	c      *Commander
	record ledger.Store
	m      *liar
	id     miner.ID
	path   string
	settle miner.Settle
}

func newStage(t *testing.T) *stage {
	s := &stage{T: t, m: &liar{obeys: true, state: miner.Hashing, limit: 3000, born: time.Now().Add(-time.Hour)}, path: filepath.Join(t.TempDir(), "ledger.db")}
	s.settle = miner.Settle{Sleep: time.Millisecond, Wake: time.Millisecond, Adjust: time.Millisecond, Reboot: time.Millisecond}
	s.open()
	ms, err := s.record.ObserveMachines(t.Context(), []ledger.Sighting{{Addr: netip.MustParseAddr("10.0.0.1"), MAC: "02:00:00:00:00:01", Serial: "SN-0001"}})
	if err != nil {
		t.Fatal(err)
	}
	s.id = miner.ID(ms[0].ID)
	return s
}

func (s *stage) open() {
	record, err := sqlite.Open(context.Background(), s.path, sqlite.Options{})
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { record.Close() })
	s.record = record
	c := NewCommander()
	c.Record, c.Log, c.Interval = record, slog.New(slog.DiscardHandler), time.Millisecond
	c.Device = func(miner.ID) (miner.Device, bool) { return s.m, true }
	c.Envelope = func(miner.ID) (miner.Envelope, bool) {
		return miner.Envelope{Settle: s.settle, PowerMin: unit.Some[unit.Power](1000), PowerMax: unit.Some[unit.Power](3500)}, true
	}
	c.Soon = func(miner.ID) {}
	s.c = c
	if err := c.Load(context.Background()); err != nil {
		s.Fatal(err)
	}
}

// pass lets the commander decide once, as of a time from now, and waits for
// what it sends.
func (s *stage) pass(ahead time.Duration) {
	s.Helper()
	var wg sync.WaitGroup
	if err := s.c.pass(s.Context(), time.Now().Add(ahead), &wg); err != nil {
		s.Fatal(err)
	}
	wg.Wait()
}

func (s *stage) read() {
	r, _ := s.m.Read(s.Context())
	s.c.Reading(s.id, &r)
}

func (s *stage) submit(set miner.Setting) ledger.Command {
	s.Helper()
	cs, err := s.c.Submit(s.Context(), []Request{{Machine: s.id, Setting: set, Actor: "alice", Reason: "test"}})
	if err != nil {
		s.Fatal(err)
	}
	return cs[0]
}

func (s *stage) state(c ledger.Command, want ledger.CommandState) ledger.Command {
	s.Helper()
	got, err := s.record.Command(s.Context(), c.ID)
	if err != nil {
		s.Fatal(err)
	}
	if got.State != want {
		s.Fatalf("%s is %s (%s), want %s", c.Kind, got.State, got.Detail, want)
	}
	return got
}

func (s *stage) sent(want int) {
	s.Helper()
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	if len(s.m.got) != want {
		s.Fatalf("sent %d times (%v), want %d", len(s.m.got), s.m.got, want)
	}
}

func TestOnlyAReadingConfirms(t *testing.T) {
	s := newStage(t)
	c := s.submit(miner.Setting{Kind: miner.SetSleep})
	s.state(c, ledger.Pending)
	s.pass(0)
	s.state(c, ledger.Dispatched)
	s.pass(0)
	s.state(c, ledger.Acknowledged)
	s.pass(0)
	s.state(c, ledger.Acknowledged)
	s.read()
	s.pass(0)
	s.state(c, ledger.Confirmed)
	s.sent(1)
}

func TestAnAcknowledgementThatLiesIsRepeatedThenDrifts(t *testing.T) {
	s := newStage(t)
	s.m.obeys = false
	c := s.submit(miner.Setting{Kind: miner.SetPower, Power: 2500})
	for range 3 {
		s.pass(0) // dispatch
		s.pass(0) // acknowledged
		s.state(c, ledger.Acknowledged)
		s.read()
		s.pass(time.Second) // settled and contrary: again
	}
	got := s.state(c, ledger.Drifted)
	s.sent(3)
	if !strings.Contains(got.Detail, "limit reads 3kW") {
		t.Error(got.Detail)
	}
	// The machine obeys at last (somebody pressed a button there).
	s.m.limit = 2500
	s.read()
	s.pass(0)
	s.state(c, ledger.Confirmed)
}

func TestRefusalsAreFinalFailuresAreRetried(t *testing.T) {
	for _, e := range []error{miner.ErrDenied, miner.ErrLocked, miner.ErrUnsupported, miner.ErrRefused} {
		s := newStage(t)
		s.m.fails = []error{fmt.Errorf("the machine says: %w", e)}
		c := s.submit(miner.Setting{Kind: miner.SetSleep})
		s.pass(0)
		s.pass(0)
		if got := s.state(c, ledger.Refused); !strings.Contains(got.Detail, e.Error()) {
			t.Error(got.Detail)
		}
		s.pass(time.Hour)
		s.sent(1)
	}
	s := newStage(t)
	s.m.fails = []error{miner.ErrUnreachable, miner.ErrBusy, nil}
	c := s.submit(miner.Setting{Kind: miner.SetSleep})
	s.pass(0)
	s.pass(0)
	s.state(c, ledger.Dispatched)
	s.sent(1) // not before its pause
	s.pass(5 * time.Second)
	s.pass(20 * time.Second)
	s.pass(20 * time.Second)
	s.sent(3)
	s.state(c, ledger.Acknowledged)

	s = newStage(t)
	s.m.fails = slices.Repeat([]error{miner.ErrUnreachable}, 50)
	c = s.submit(miner.Setting{Kind: miner.SetSleep})
	s.pass(0)
	s.pass(time.Hour)
	s.state(c, ledger.Unreachable)
}

func TestANewWishReplacesTheOldOne(t *testing.T) {
	s := newStage(t)
	first := s.submit(miner.Setting{Kind: miner.SetPower, Power: 2500})
	sleep := s.submit(miner.Setting{Kind: miner.SetSleep})
	second := s.submit(miner.Setting{Kind: miner.SetPower, Power: 2000})
	s.state(first, ledger.Superseded)
	s.pass(0)
	s.pass(0)
	s.pass(0)
	s.m.mu.Lock()
	for _, got := range s.m.got {
		if got.Kind == miner.SetPower && got.Power == 2500 {
			t.Error("the superseded wish was sent")
		}
	}
	s.m.mu.Unlock()
	_, _ = sleep, second
}

func TestOutOfReachIsRefusedBeforeItIsWritten(t *testing.T) {
	s := newStage(t)
	_, err := s.c.Submit(t.Context(), []Request{{Machine: s.id, Setting: miner.Setting{Kind: miner.SetPower, Power: 9000}, Actor: "alice"}})
	if !errors.Is(err, miner.ErrRefused) {
		t.Fatal(err)
	}
	if cs, _ := s.record.Commands(t.Context(), ledger.CommandFilter{}); len(cs) != 0 {
		t.Error(cs)
	}
}

func TestTheSameKeyIsCarriedOutOnce(t *testing.T) {
	s := newStage(t)
	w := Request{Machine: s.id, Setting: miner.Setting{Kind: miner.SetSleep}, Actor: "alice", Key: "k1"}
	a, err := s.c.Submit(t.Context(), []Request{w})
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.c.Submit(t.Context(), []Request{w})
	if err != nil || a[0].ID != b[0].ID {
		t.Fatal(err, a, b)
	}
	for range 5 {
		s.pass(0)
		s.read()
	}
	s.sent(1)
	w.Setting.Kind = miner.SetWake
	if _, err := s.c.Submit(t.Context(), []Request{w}); !errors.Is(err, ledger.ErrConflict) {
		t.Error("the same key for another wish:", err)
	}
}

func TestDriftNeedsMoreThanOneOddReading(t *testing.T) {
	s := newStage(t)
	c := s.submit(miner.Setting{Kind: miner.SetSleep})
	s.pass(0)
	s.pass(0)
	s.read()
	s.pass(0)
	s.state(c, ledger.Confirmed)
	s.m.state = miner.Hashing
	s.read()
	s.pass(0)
	s.read()
	s.pass(0)
	s.state(c, ledger.Confirmed)
	s.read()
	s.pass(0)
	s.state(c, ledger.Drifted)
	s.m.state = miner.Sleeping
	s.read()
	s.pass(0)
	s.state(c, ledger.Confirmed)
}

// After a crash at any step the ledger carries on: what can be repeated is
// sent again, a reboot is not, and what was confirmed is watched.
func TestCarriesOnAfterACrash(t *testing.T) {
	for passes := range 4 {
		t.Run(fmt.Sprintf("%d steps before", passes), func(t *testing.T) {
			s := newStage(t)
			c := s.submit(miner.Setting{Kind: miner.SetSleep})
			for range passes {
				s.pass(0)
				s.read()
			}
			s.open() // a new process on the same record
			for range 6 {
				s.pass(0)
				s.read()
			}
			s.state(c, ledger.Confirmed)
		})
	}
	t.Run("a reboot under way", func(t *testing.T) {
		s := newStage(t)
		c := s.submit(miner.Setting{Kind: miner.SetReboot})
		s.pass(0)
		s.state(c, ledger.Dispatched)
		s.open()
		s.pass(0)
		s.state(c, ledger.Acknowledged)
		s.sent(1)
		s.read()
		s.pass(0)
		s.state(c, ledger.Confirmed)
	})
	t.Run("a pool password", func(t *testing.T) {
		s := newStage(t)
		c := s.submit(miner.Setting{Kind: miner.SetPools, Pools: []miner.PoolSetting{{URL: "stratum+tcp://p:1", User: "w", Password: "hunter2"}}})
		if strings.Contains(string(c.Setting), "hunter2") {
			t.Fatalf("the record holds a password: %s", c.Setting)
		}
		s.open()
		s.pass(0)
		if got := s.state(c, ledger.Expired); !strings.Contains(got.Detail, "give the command again") {
			t.Error(got.Detail)
		}
		s.sent(0)
	})
}

func TestKeptSettingReadsBack(t *testing.T) {
	for _, s := range []miner.Setting{{Kind: miner.SetPower, Power: 3250.5}, {Kind: miner.SetLocate, On: true}, {Kind: miner.SetProfile, Profile: "310MHz"},
		{Kind: miner.SetPools, Pools: []miner.PoolSetting{{URL: "a:1", User: "w", Password: "x"}, {URL: "b:1", User: "w"}}}} {
		b, err := json.Marshal(keepable(s))
		if err != nil {
			t.Fatal(err)
		}
		got, hidden, err := kept(b)
		if err != nil || hidden || fmt.Sprintf("%#v", got) != fmt.Sprintf("%#v", s) {
			t.Errorf("%s: %#v %v %v", b, got, hidden, err)
		}
	}
}
