package watch

import (
	"context"
	"slices"
	"strconv"
	"time"

	"ballast/alarm"
	"ballast/ledger"
)

// Open are the open alarms, the most urgent first, without their members: the
// counts say how many.
func (w *Watch) Open() []Summary {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.state.Open()
	out := make([]Summary, len(all))
	for i, a := range all {
		out[i] = Summary{Alarm: *a, Active: a.Active()}
		out[i].Members, out[i].Told = nil, nil
	}
	return out
}

// Summary is an alarm without its members.
type Summary struct {
	alarm.Alarm
	Active int
}

// Get is one open alarm, whole.
func (w *Watch) Get(id int64) (alarm.Alarm, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	a, ok := w.state.Get(id)
	if !ok {
		return alarm.Alarm{}, false
	}
	c := *a
	c.Members, c.Told = slices.Clone(a.Members), slices.Clone(a.Told)
	return c, true
}

// Rev grows with everything that people see of the open alarms.
func (w *Watch) Rev() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rev
}

// Took is how long the last look took, without writing.
func (w *Watch) Took() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.took
}

// RuleStates are what each rule did at the last look, and when that was.
func (w *Watch) RuleStates() (map[int64]alarm.RuleState, time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := map[int64]alarm.RuleState{}
	for id, s := range w.state.Rules {
		out[id] = *s
	}
	return out, w.state.At
}

// Preview says what a rule would raise right now.
func (w *Watch) Preview(r alarm.Rule) ([]alarm.Member, alarm.RuleState, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state.Preview(r, &w.seen, w.Clock())
}

// Acknowledge says that somebody takes an open alarm on.
func (w *Watch) Acknowledge(ctx context.Context, id int64, by, note string) error {
	w.turn.Lock()
	defer w.turn.Unlock()
	now := w.Clock()
	w.mu.Lock()
	out, err := w.state.Acknowledge(id, by, note, now)
	if err != nil {
		w.mu.Unlock()
		return err
	}
	notices, told := w.state.Notices(alarm.Policy{}, out.Changed, now)
	w.take(notices, now, out, told)
	w.mu.Unlock()
	return w.save(ctx, ledger.Audit{Actor: by, Action: "alarm.acknowledge", Subject: "alarm/" + strconv.FormatInt(id, 10), Detail: note})
}
