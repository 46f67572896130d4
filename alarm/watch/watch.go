// Package watch looks at the live site every few seconds, lets the alarm room
// decide, writes the outcome into the record and hands messages to the outbox.
//
// The record is the memory: open alarms, what was told to whom, rules, silences,
// windows, receivers and escalations all come from there at a start, so that a
// restart tells nobody anything twice. Until the fleet was read from the record
// nothing is judged; after that, machines count as not heard of until they were
// asked.
package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"ballast/alarm"
	"ballast/fleet"
	"ballast/ledger"
	"ballast/ledger/secretbox"
	"ballast/notify"
	"ballast/plant"
	"ballast/telemetry"
)

// Options are what a watch stands on.
type Options struct {
	Fleet   *fleet.Fleet
	Record  ledger.Store
	Plant   func(now time.Time) []plant.Reading // nil: none
	Storing func() telemetry.BatcherStats       // nil: not known
	Box     *secretbox.Box                      // for the secrets of receivers; nil: none can be kept
	Notify  notify.Options
	URL     string        // where people reach the dashboard, for links
	Site    string        // of what has no place of its own
	Every   time.Duration // 0 is 3 s
	Log     *slog.Logger
	Clock   func() time.Time // nil is time.Now
}

// Watch is the running watch. Its methods are safe for concurrent use.
type Watch struct {
	Options

	turn    sync.Mutex // one at a time from a change of the state to its being saved
	mu      sync.Mutex // guards what follows
	state   *alarm.State
	rules   []alarm.Rule
	policy  alarm.Policy
	seen    alarm.Observation
	unsaved ledger.AlarmChange
	rev     uint64 // grows when something that people see changed
	took    time.Duration
	places  places
	started time.Time
	known   int // machines in the record at the start
	ready   bool
}

// New makes a watch; Load it, then Run it.
func New(o Options) *Watch {
	if o.Every <= 0 {
		o.Every = 3 * time.Second
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Watch{Options: o, state: alarm.NewState(alarm.Options{}, nil, nil, 1)}
}

// recently is how far back ended alarms are read: those may come back.
const recently = 30 * time.Minute

// Load takes up what the record holds, and writes the first rules into a record
// that has never had any.
func (w *Watch) Load(ctx context.Context) error {
	if err := w.seed(ctx); err != nil {
		return err
	}
	now := w.Clock()
	open, err := w.read(ctx, ledger.AlarmFilter{Phases: []string{string(alarm.Open)}})
	if err != nil {
		return err
	}
	recent, err := w.read(ctx, ledger.AlarmFilter{Phases: []string{string(alarm.Resolved)}, EndedSince: now.Add(-recently)})
	if err != nil {
		return err
	}
	last, err := w.Record.LastAlarm(ctx)
	if err != nil {
		return err
	}
	machines, err := w.Record.Machines(ctx, ledger.MachineFilter{Site: w.Fleet.Site})
	if err != nil {
		return fmt.Errorf("counting the machines: %w", err)
	}
	w.mu.Lock()
	w.state = alarm.NewState(alarm.Options{}, open, recent, last+1)
	w.started, w.known = now, len(machines)
	w.mu.Unlock()
	return w.Reload(ctx)
}

func (w *Watch) read(ctx context.Context, f ledger.AlarmFilter) ([]*alarm.Alarm, error) {
	rows, err := w.Record.Alarms(ctx, f)
	if err != nil {
		return nil, err
	}
	var out []*alarm.Alarm
	for _, r := range rows {
		a, err := Decode(r)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// Decode reads an alarm as the record keeps it.
func Decode(r ledger.Alarm) (*alarm.Alarm, error) {
	var a alarm.Alarm
	if err := json.Unmarshal(r.Doc, &a); err != nil {
		return nil, fmt.Errorf("reading alarm %d: %w", r.ID, err)
	}
	a.Cause.Restore()
	for i := range a.Also {
		a.Also[i].Restore()
	}
	return &a, nil
}

// Kinds of document in the record.
const (
	RuleKind       = "alarm_rule"
	SilenceKind    = "alarm_silence"
	WindowKind     = "alarm_window"
	ReceiverKind   = "alarm_receiver"
	EscalationKind = "alarm_escalation"
)

// seeded marks a record that got the first rules: one whose owner deleted them
// all does not get them again.
const seeded = "alarm.rules.seeded"

func (w *Watch) seed(ctx context.Context) error {
	switch _, err := w.Record.Setting(ctx, seeded); {
	case err == nil:
		return nil
	case !errors.Is(err, ledger.ErrNotFound):
		return err
	}
	by := ledger.By("ballast")
	err := w.Record.Tx(ctx, func(tx ledger.Tx) error {
		for _, r := range alarm.Defaults() {
			b, err := json.Marshal(r)
			if err != nil {
				return err
			}
			if _, err := tx.SaveDocument(ctx, ledger.Document{Kind: RuleKind, Doc: b}, by); err != nil {
				return err
			}
		}
		return tx.SetSetting(ctx, seeded, "1", by)
	})
	if err != nil {
		return fmt.Errorf("writing the first alarm rules: %w", err)
	}
	return nil
}

// Reload reads rules, silences, windows and escalations again after an edit.
func (w *Watch) Reload(ctx context.Context) error {
	rules, err := All[alarm.Rule](ctx, w.Record, RuleKind)
	if err != nil {
		return err
	}
	var p alarm.Policy
	if p.Silences, err = All[alarm.Silence](ctx, w.Record, SilenceKind); err != nil {
		return err
	}
	if p.Windows, err = All[alarm.Window](ctx, w.Record, WindowKind); err != nil {
		return err
	}
	if p.Escalations, err = All[alarm.Escalation](ctx, w.Record, EscalationKind); err != nil {
		return err
	}
	now := w.Clock()
	p.Silences = slices.DeleteFunc(p.Silences, func(s alarm.Silence) bool { return !s.Active(now) })
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rules, w.policy = rules, p
	w.rev++
	return nil
}

// All reads the documents of a kind; each gets its number as its ID.
func All[T any](ctx context.Context, record ledger.Alarms, kind string) ([]T, error) {
	out, _, err := Versions[T](ctx, record, kind)
	return out, err
}

// Version names the state of a document: it grows with every change.
func Version(d ledger.Document) int64 { return d.UpdatedAt.UnixMicro() }

// Versions is All with the version of each.
func Versions[T any](ctx context.Context, record ledger.Alarms, kind string) ([]T, []int64, error) {
	docs, err := record.Documents(ctx, kind)
	if err != nil {
		return nil, nil, err
	}
	out, versions := make([]T, len(docs)), make([]int64, len(docs))
	for i, d := range docs {
		if err := json.Unmarshal(d.Doc, &out[i]); err != nil {
			return nil, nil, fmt.Errorf("reading %s %d: %w", kind, d.ID, err)
		}
		versions[i] = Version(d)
		switch v := any(&out[i]).(type) {
		case *alarm.Rule:
			v.ID = d.ID
		case *alarm.Silence:
			v.ID = d.ID
		case *alarm.Window:
			v.ID = d.ID
		case *alarm.Escalation:
			v.ID = d.ID
		case *Receiver:
			v.ID = d.ID
		}
	}
	return out, versions, nil
}

// Run looks every few seconds and delivers messages until ctx ends.
func (w *Watch) Run(ctx context.Context) error {
	if err := w.Load(ctx); err != nil {
		return err
	}
	var wg sync.WaitGroup
	wg.Go(func() { _ = (&notify.Outbox{Store: w.Record, Receiver: w.Receiver, Log: w.Log}).Run(ctx) })
	tick := time.NewTicker(w.Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			wg.Wait()
			return nil
		case <-tick.C:
		}
		if err := w.Step(ctx); err != nil && ctx.Err() == nil {
			w.Log.Error("watching for alarms", "error", err)
		}
	}
}

// Step looks once.
func (w *Watch) Step(ctx context.Context) error {
	if err := w.locate(ctx); err != nil {
		w.Log.Warn("reading the sites", "error", err) // alarms go on without places
	}
	w.turn.Lock()
	defer w.turn.Unlock()
	now := w.Clock()
	all := w.Fleet.All()
	w.mu.Lock()
	if !w.ready {
		if len(all) < w.known && now.Sub(w.started) < time.Minute {
			w.mu.Unlock()
			return nil // the fleet is being read from the record
		}
		w.ready = true
	}
	begin := time.Now()
	w.seen = w.observe(all, now)
	out := w.state.Step(w.rules, w.seen, now)
	quiet := w.state.Quieten(w.policy, &w.seen, now)
	notices, told := w.state.Notices(w.policy, out.Changed, now)
	w.took = time.Since(begin)
	w.take(notices, now, out, quiet, told)
	w.mu.Unlock()
	return w.save(ctx, ledger.Audit{})
}

// take adds outcomes to what is to be saved. The lock is held.
func (w *Watch) take(notices []alarm.Notice, now time.Time, outs ...alarm.Outcome) {
	alarms := map[int64]ledger.Alarm{}
	for _, a := range w.unsaved.Alarms {
		alarms[a.ID] = a
	}
	for _, o := range outs {
		for _, e := range o.Events {
			w.unsaved.Events = append(w.unsaved.Events, ledger.AlarmEvent{Alarm: e.Alarm, At: e.At, Kind: string(e.Kind), Actor: e.Actor, Detail: e.Detail})
		}
	}
	for _, o := range outs {
		for _, a := range o.Changed {
			a.Updated = now
			alarms[a.ID] = row(a)
			w.rev++
		}
	}
	w.unsaved.Alarms = slices.SortedFunc(maps.Values(alarms), func(a, b ledger.Alarm) int { return int(a.ID - b.ID) })
	for _, n := range notices {
		b, err := json.Marshal(w.compose(n, now))
		if err != nil {
			w.Log.Error("writing a message", "alarm", n.Alarm.ID, "error", err)
			continue
		}
		w.unsaved.Messages = append(w.unsaved.Messages, ledger.Message{Receiver: n.Receiver, Alarm: n.Alarm.ID, Next: now, Doc: b})
	}
}

func row(a *alarm.Alarm) ledger.Alarm {
	doc, err := json.Marshal(a)
	if err != nil {
		doc = []byte("{}") // cannot be: an Alarm holds nothing that JSON refuses
	}
	return ledger.Alarm{ID: a.ID, Site: a.Site, Phase: string(a.Phase), Severity: string(a.Severity), Class: string(a.Class), Opened: a.Opened, Ended: a.Ended, Acked: a.AckedAt, Doc: doc}
}

// save writes what is unsaved. What cannot be written now is written with the
// next step: alarms must not be lost because the record is busy. The turn is
// held.
func (w *Watch) save(ctx context.Context, by ledger.Audit) error {
	w.mu.Lock()
	change := w.unsaved
	w.mu.Unlock()
	if err := w.Record.SaveAlarms(ctx, change, by); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.unsaved = ledger.AlarmChange{}
	return nil
}
