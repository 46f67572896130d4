package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ballast/alarm"
	"ballast/fleet"
	"ballast/ledger"
	"ballast/ledger/secretbox"
	"ballast/ledger/sqlite"
	"ballast/miner"
	"ballast/notify"
	"ballast/unit"
)

// stage is a site with a clock of its own. Its machines have no address: they
// are silent without being polled.
type stage struct {
	t      *testing.T
	record ledger.Store
	fleet  *fleet.Fleet
	box    *secretbox.Box
	now    time.Time
}

func newStage(t *testing.T) *stage {
	t.Helper()
	record, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = record.Close() })
	box, err := secretbox.Open(filepath.Join(t.TempDir(), "secret.key"))
	if err != nil {
		t.Fatal(err)
	}
	return &stage{t: t, record: record, box: box, now: time.Now().Truncate(time.Second), fleet: fleet.New(fleet.Reach{}, record, "ranch", time.Second, slog.New(slog.DiscardHandler))}
}

// watch is a new watch over the stage, as after a restart.
func (s *stage) watch(record ledger.Store) *Watch {
	s.t.Helper()
	w := New(Options{Fleet: s.fleet, Record: record, Box: s.box, URL: "https://ballast.example/", Site: "ranch", Clock: func() time.Time { return s.now }})
	if err := w.Load(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	return w
}

// machine adds a silent machine, by the last byte of its MAC.
func (s *stage) machine(n int) int64 {
	s.t.Helper()
	ms, err := s.record.ObserveMachines(s.t.Context(), []ledger.Sighting{{MAC: fmt.Sprintf("02:00:00:00:00:%02x", n), Site: "ranch", Firmware: string(miner.Antminer), Model: "Antminer S21"}})
	if err != nil {
		s.t.Fatal(err)
	}
	if err := s.fleet.Renew(s.t.Context(), []int64{ms[0].ID}); err != nil {
		s.t.Fatal(err)
	}
	return ms[0].ID
}

// pass lets time go by, a look every ten seconds.
func (s *stage) pass(w *Watch, d time.Duration) {
	s.t.Helper()
	for end := s.now.Add(d); s.now.Before(end); {
		s.now = s.now.Add(10 * time.Second)
		if err := w.Step(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *stage) save(kind string, doc any) int64 {
	s.t.Helper()
	b, err := json.Marshal(doc)
	if err != nil {
		s.t.Fatal(err)
	}
	d, err := s.record.SaveDocument(s.t.Context(), ledger.Document{Kind: kind, Doc: b}, ledger.By("test"))
	if err != nil {
		s.t.Fatal(err)
	}
	return d.ID
}

// told makes a receiver that everything is told to, and gives the subjects of
// what waits for it.
func (s *stage) told(w *Watch) func() []string {
	s.t.Helper()
	r, err := w.Seal(Receiver{Title: "Control room", Settings: notify.Settings{Kind: notify.Webhook, URL: "http://127.0.0.1:9/"}}, nil, notify.Secrets{"key": "hush"})
	if err != nil {
		s.t.Fatal(err)
	}
	if r, err = w.SaveReceiver(s.t.Context(), r, 0, ledger.By("test")); err != nil {
		s.t.Fatal(err)
	}
	s.save(EscalationKind, alarm.Escalation{Title: "Night shift", Severities: alarm.Severities(), Steps: []alarm.Step{{Receivers: []int64{r.ID}}}, Ends: true})
	if err := w.Reload(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	return func() []string {
		s.t.Helper()
		due, err := s.record.DueMessages(s.t.Context(), s.now.Add(24*time.Hour), 100)
		if err != nil {
			s.t.Fatal(err)
		}
		out := make([]string, len(due))
		for i, m := range due {
			var x notify.Message
			if err := json.Unmarshal(m.Doc, &x); err != nil {
				s.t.Fatal(err)
			}
			out[i] = x.Subject
		}
		return out
	}
}

func (s *stage) events(id int64, kind alarm.EventKind) int {
	s.t.Helper()
	all, err := s.record.AlarmEvents(s.t.Context(), id)
	if err != nil {
		s.t.Fatal(err)
	}
	n := 0
	for _, e := range all {
		if e.Kind == string(kind) {
			n++
		}
	}
	return n
}

// The first rules are written once. Whoever deletes them all means it.
func TestFirstRulesOnce(t *testing.T) {
	s := newStage(t)
	s.watch(s.record)
	rules, err := All[alarm.Rule](t.Context(), s.record, RuleKind)
	if err != nil || len(rules) != len(alarm.Defaults()) {
		t.Fatalf("%d rules of %d, %v", len(rules), len(alarm.Defaults()), err)
	}
	for _, r := range rules {
		if r.ID == 0 {
			t.Errorf("%q has no number", r.Title)
		}
		if err := s.record.DeleteDocument(t.Context(), RuleKind, r.ID, ledger.By("test")); err != nil {
			t.Fatal(err)
		}
	}
	s.watch(s.record)
	if rules, err = All[alarm.Rule](t.Context(), s.record, RuleKind); err != nil || len(rules) != 0 {
		t.Errorf("after a restart %d rules are back, %v", len(rules), err)
	}
}

// Until the fleet was read from the record nothing is judged: a restart must not
// end alarms whose machines it has not heard of yet. A machine that the record
// has and the fleet never takes up does not stop the watch for good.
func TestNothingIsJudgedBeforeTheFleetIsThere(t *testing.T) {
	s := newStage(t)
	id := s.machine(1)
	w := s.watch(s.record)
	s.pass(w, 10*time.Minute)
	if open := w.Open(); len(open) != 1 || open[0].Class != alarm.Gone {
		t.Fatalf("open: %+v", open)
	}
	// A new process: the fleet is empty at first.
	s.fleet = fleet.New(fleet.Reach{}, s.record, "ranch", time.Second, slog.New(slog.DiscardHandler))
	w = s.watch(s.record)
	s.pass(w, 50*time.Second)
	if open := w.Open(); len(open) != 1 || open[0].Active != 1 {
		t.Errorf("while the fleet is being read: %+v", open)
	}
	if _, at := w.RuleStates(); !at.IsZero() {
		t.Errorf("judged at %v", at)
	}
	if err := s.fleet.Renew(t.Context(), []int64{id}); err != nil {
		t.Fatal(err)
	}
	s.pass(w, 10*time.Second)
	if _, at := w.RuleStates(); at.IsZero() {
		t.Error("nothing is judged though the fleet is there")
	}

	s.fleet = fleet.New(fleet.Reach{}, s.record, "ranch", time.Second, slog.New(slog.DiscardHandler))
	w = s.watch(s.record)
	s.pass(w, 70*time.Second)
	if _, at := w.RuleStates(); at.IsZero() {
		t.Error("one machine that never comes stops the watch")
	}
}

// A restart tells nobody anything twice, and nothing is forgotten by it: not the
// alarm, not who took it on, not who is still to hear that it is over.
func TestRestartTellsOnce(t *testing.T) {
	s := newStage(t)
	id := s.machine(1)
	w := s.watch(s.record)
	told := s.told(w)
	s.pass(w, 10*time.Minute)
	if got := told(); len(got) != 1 || !strings.HasPrefix(got[0], "[") {
		t.Fatalf("told %q", got)
	}
	if err := w.Acknowledge(t.Context(), 1, "maria", "on my way"); err != nil {
		t.Fatal(err)
	}
	before := told()
	w = s.watch(s.record)
	s.pass(w, 10*time.Minute)
	if got := told(); !slices.Equal(got, before) {
		t.Errorf("after a restart told %q, before it %q", got, before)
	}
	a, ok := w.Get(1)
	if !ok || a.AckedBy != "maria" || a.AckNote != "on my way" || len(a.Members) != 1 {
		t.Errorf("after a restart: %+v, %t", a, ok)
	}
	// It is taken out of service: over, told once, after another restart, too.
	if err := s.record.EditMachines(t.Context(), []int64{id}, ledger.MachineEdit{Retired: unit.Some(true)}, ledger.By("test")); err != nil {
		t.Fatal(err)
	}
	if err := s.fleet.Renew(t.Context(), []int64{id}); err != nil {
		t.Fatal(err)
	}
	s.pass(w, 20*time.Minute)
	w = s.watch(s.record)
	s.pass(w, 10*time.Minute)
	over := 0
	for _, m := range told() {
		if strings.HasPrefix(m, "[over]") {
			over++
		}
	}
	if over != 1 || len(w.Open()) != 0 {
		t.Errorf("told %q; %d open", told(), len(w.Open()))
	}
	row, err := s.record.Alarm(t.Context(), 1)
	if err != nil || row.Phase != string(alarm.Resolved) || s.events(1, alarm.EventResolved) != 1 || s.events(1, alarm.EventOpened) != 1 {
		t.Errorf("in the record: %+v, %v", row, err)
	}
	// The next one is another alarm, under a number of its own.
	s.machine(2)
	s.pass(w, 10*time.Minute)
	if open := w.Open(); len(open) != 1 || open[0].ID != 2 {
		t.Errorf("the next: %+v", open)
	}
}

// busy is a record that does not take alarms for a while.
type busy struct {
	ledger.Store
	refuses bool
	took    []ledger.AlarmChange
}

var errBusy = errors.New("the record is busy")

func (b *busy) SaveAlarms(ctx context.Context, c ledger.AlarmChange, by ledger.Audit) error {
	if b.refuses {
		return errBusy
	}
	b.took = append(b.took, c)
	return b.Store.SaveAlarms(ctx, c, by)
}

// What cannot be written now is written with the next step, once: neither an
// alarm nor a message is lost because the record was busy.
func TestBusyRecordLosesNothing(t *testing.T) {
	s := newStage(t)
	s.machine(1)
	b := &busy{Store: s.record}
	w := s.watch(b)
	told := s.told(w)
	b.refuses = true
	for range 60 {
		s.now = s.now.Add(10 * time.Second)
		if err := w.Step(t.Context()); err != nil && !errors.Is(err, errBusy) {
			t.Fatal(err)
		}
	}
	if open := w.Open(); len(open) != 1 {
		t.Fatalf("open: %+v", open)
	}
	if err := w.Acknowledge(t.Context(), 1, "maria", ""); !errors.Is(err, errBusy) {
		t.Errorf("taken on while nothing can be written: %v", err)
	}
	if _, err := s.record.Alarm(t.Context(), 1); !errors.Is(err, ledger.ErrNotFound) || len(told()) != 0 {
		t.Fatalf("written all the same: %v, %q", err, told())
	}
	b.refuses = false
	s.pass(w, 10*time.Second)
	row, err := s.record.Alarm(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if a, err := Decode(row); err != nil || a.AckedBy != "maria" {
		t.Errorf("what a person said while the record was busy: %+v, %v", a, err)
	}
	if s.events(1, alarm.EventOpened) != 1 || s.events(1, alarm.EventAcknowledged) != 1 {
		t.Errorf("events: opened %d, acknowledged %d", s.events(1, alarm.EventOpened), s.events(1, alarm.EventAcknowledged))
	}
	triggers := 0
	for _, m := range told() {
		if !strings.HasPrefix(m, "[taken on") {
			triggers++
		}
	}
	if triggers != 1 {
		t.Errorf("told %q", told())
	}
	s.pass(w, time.Minute)
	if s.events(1, alarm.EventOpened) != 1 {
		t.Error("written twice")
	}
}

// Silences and windows take force when they are read again, and end by
// themselves; what is silenced is seen and tells nobody.
func TestSilenceHoldsTheMessage(t *testing.T) {
	s := newStage(t)
	s.machine(1)
	w := s.watch(s.record)
	told := s.told(w)
	s.save(SilenceKind, alarm.Silence{Match: alarm.Match{Sites: []string{"ranch"}}, Until: s.now.Add(20 * time.Minute), Reason: "known", By: "maria", Created: s.now})
	s.save(SilenceKind, alarm.Silence{Match: alarm.Match{Sites: []string{"ranch"}}, Until: s.now.Add(-time.Minute), Reason: "long over", By: "maria"})
	rev := w.Rev()
	if err := w.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if w.Rev() == rev {
		t.Error("who looks is not told of the silence")
	}
	if len(w.policy.Silences) != 1 {
		t.Errorf("%d silences in force", len(w.policy.Silences))
	}
	s.pass(w, 10*time.Minute)
	if open := w.Open(); len(open) != 1 || !strings.Contains(open[0].Quiet, "known") || len(told()) != 0 {
		t.Fatalf("silenced: %+v, told %q", open, told())
	}
	s.pass(w, 15*time.Minute)
	if got := told(); len(got) != 1 {
		t.Errorf("after the silence told %q", got)
	}
}

// Deliveries go to the receiver as it is in the record at that moment.
func TestReceiver(t *testing.T) {
	s := newStage(t)
	w := s.watch(s.record)
	var got []*http.Request
	var bodies []string
	hook := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got, bodies = append(got, r), append(bodies, string(b))
		_, _ = io.WriteString(rw, "thanks")
	}))
	defer hook.Close()
	r, err := w.Seal(Receiver{Title: "hook", Settings: notify.Settings{Kind: notify.Webhook, URL: hook.URL}}, nil, notify.Secrets{"key": "hunter2"})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(r.Sealed["key"], "hunter2") {
		t.Fatal("the secret lies open")
	}
	if r, err = w.SaveReceiver(t.Context(), r, 0, ledger.By("maria")); err != nil {
		t.Fatal(err)
	}
	answer, err := w.Test(t.Context(), r.ID, "maria")
	if err != nil || !strings.Contains(answer, "thanks") || len(bodies) != 1 || !strings.Contains(bodies[0], "maria") || got[0].Header.Get(notify.SignatureHeader) == "" {
		t.Errorf("test: %q, %v, %q", answer, err, bodies)
	}
	// A sealed text is bound to what it is: it opens for no other kind or name.
	stolen := r
	stolen.Settings.Kind = notify.Slack
	if _, err := w.secrets(stolen); err == nil {
		t.Error("a webhook's key opens as a secret of Slack")
	}
	stolen = r
	stolen.Sealed = map[string]string{"token": r.Sealed["key"]}
	if _, err := w.secrets(stolen); err == nil {
		t.Error("a key opens as a token")
	}
	// A change of address needs the secret again, a change of title does not.
	if _, err := w.Seal(Receiver{Title: "renamed", Settings: r.Settings}, &r, nil); err != nil {
		t.Errorf("renaming: %v", err)
	}
	moved := r.Settings
	moved.URL = "http://127.0.0.1:1/"
	if _, err := w.Seal(Receiver{Title: "hook", Settings: moved}, &r, nil); !errors.Is(err, notify.ErrInvalid) {
		t.Errorf("the secret follows to another address: %v", err)
	}
	if out, err := w.Seal(Receiver{Title: "hook", Settings: moved}, &r, notify.Secrets{"key": "hunter2"}); err != nil || out.Sealed["key"] == "" {
		t.Errorf("with the secret: %v", err)
	}
	if out, err := w.Seal(Receiver{Title: "hook", Settings: r.Settings}, &r, notify.Secrets{"key": ""}); err != nil || len(out.Sealed) != 0 {
		t.Errorf("taking the secret away: %v, %v", out.Sealed, err)
	}
	if _, err := w.Seal(Receiver{Title: " ", Settings: r.Settings}, nil, nil); !errors.Is(err, notify.ErrInvalid) {
		t.Errorf("no title: %v", err)
	}
	if _, err := w.Seal(Receiver{Title: "hook", Settings: r.Settings}, nil, notify.Secrets{"password": "x"}); !errors.Is(err, notify.ErrInvalid) {
		t.Errorf("a secret that this kind does not have: %v", err)
	}
	// Switched off, it takes no deliveries.
	r.Off = true
	if _, err := w.SaveReceiver(t.Context(), r, 0, ledger.By("maria")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Receiver(t.Context(), r.ID); !errors.Is(err, notify.ErrInvalid) {
		t.Errorf("switched off: %v", err)
	}
	if _, err := w.Receiver(t.Context(), 99); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("one that is not there: %v", err)
	}
	if err := w.Send(t.Context(), []string{"a@example.com"}, "s", "t", "", nil); !errors.Is(err, notify.ErrNoMail) {
		t.Errorf("a mail without a mail server: %v", err)
	}
	// Without a key file nothing secret is taken, and nothing sealed opens.
	w.Box = nil
	if _, err := w.Seal(Receiver{Title: "hook", Settings: r.Settings}, nil, notify.Secrets{"key": "x"}); !errors.Is(err, ErrNoBox) {
		t.Errorf("no key file: %v", err)
	}
	if _, err := w.secrets(r); !errors.Is(err, ErrNoBox) {
		t.Errorf("no key file: %v", err)
	}
	rows, err := s.record.AuditRows(t.Context(), ledger.AuditFilter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if strings.Contains(row.Detail, "box1:") || strings.Contains(row.Detail, "hunter2") {
			t.Errorf("the audit log carries %s", row.Detail)
		}
	}
}
