package ledgertest

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"ballast/ledger"
)

func testAlarms(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	if n := must(s.LastAlarm(ctx))(t); n != 0 {
		t.Errorf("last alarm of an empty record: %d", n)
	}
	at := c.Now()
	one := ledger.Alarm{ID: 1, Site: "odessa", Phase: "open", Severity: "minor", Class: "gone", Opened: at, Doc: json.RawMessage(`{"title":"a \u00e9"}`)}
	two := ledger.Alarm{ID: 2, Site: "hood", Phase: "open", Severity: "critical", Class: "heat", Opened: at, Doc: json.RawMessage(`{}`)}
	ok(t, s.SaveAlarms(ctx, ledger.AlarmChange{Alarms: []ledger.Alarm{one, two}, Events: []ledger.AlarmEvent{{Alarm: 1, At: at, Kind: "opened"}, {Alarm: 1, At: at, Kind: "grew", Detail: "2 more"}, {Alarm: 2, At: at, Kind: "opened"}},
		Messages: []ledger.Message{{Receiver: 7, Alarm: 1, Doc: json.RawMessage(`{"subject":"x"}`), Next: at}}}, ledger.Audit{}))
	if rows := must(s.AuditRows(ctx, ledger.AuditFilter{}))(t); len(rows) != 0 {
		t.Errorf("what Ballast found itself was audited: %+v", rows)
	}
	c.Advance(time.Minute)
	one.Phase, one.Ended, one.Acked = "resolved", c.Now(), c.Now()
	ok(t, s.SaveAlarms(ctx, ledger.AlarmChange{Alarms: []ledger.Alarm{one}, Events: []ledger.AlarmEvent{{Alarm: 1, At: c.Now(), Kind: "resolved", Actor: "alice"}}}, ledger.By("alice")))
	if got := must(s.Alarm(ctx, 1))(t); got.Phase != "resolved" || !got.Ended.Equal(c.Now()) || !got.Acked.Equal(c.Now()) || !got.Opened.Equal(at) || string(got.Doc) != string(one.Doc) {
		t.Errorf("alarm 1: %+v", got)
	}
	if rows := must(s.AuditRows(ctx, ledger.AuditFilter{}))(t); len(rows) != 1 || rows[0].Subject != "alarm/1" || rows[0].Actor != "alice" {
		t.Errorf("audit %+v", rows)
	}
	events := must(s.AlarmEvents(ctx, 1))(t)
	if len(events) != 3 || events[0].Seq != 1 || events[2].Seq != 3 || events[2].Kind != "resolved" || events[2].Actor != "alice" {
		t.Errorf("events %+v", events)
	}
	if _, err := s.Alarm(ctx, 9); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("an alarm that is not there: %v", err)
	}
	if n := must(s.LastAlarm(ctx))(t); n != 2 {
		t.Errorf("last alarm %d", n)
	}
	for name, x := range map[string]struct {
		f    ledger.AlarmFilter
		want []int64
	}{
		"all":      {ledger.AlarmFilter{}, []int64{2, 1}},
		"open":     {ledger.AlarmFilter{Phases: []string{"open"}}, []int64{2}},
		"severity": {ledger.AlarmFilter{Severities: []string{"minor", "major"}}, []int64{1}},
		"site":     {ledger.AlarmFilter{Sites: []string{"odessa"}}, []int64{1}},
		"ended":    {ledger.AlarmFilter{EndedSince: c.Now()}, []int64{1}},
		"page":     {ledger.AlarmFilter{Before: 2, Limit: 1}, []int64{1}},
		"first":    {ledger.AlarmFilter{Limit: 1}, []int64{2}},
	} {
		var got []int64
		for _, a := range must(s.Alarms(ctx, x.f))(t) {
			got = append(got, a.ID)
		}
		if !slices.Equal(got, x.want) {
			t.Errorf("%s: %v, want %v", name, got, x.want)
		}
	}
	// All or nothing.
	bad := ledger.AlarmChange{Alarms: []ledger.Alarm{{ID: 3, Phase: "open", Doc: json.RawMessage(`{}`)}}, Events: []ledger.AlarmEvent{{Alarm: 99, Kind: "opened"}}}
	if err := s.SaveAlarms(ctx, bad, ledger.Audit{}); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("an event without its alarm: %v", err)
	}
	if _, err := s.Alarm(ctx, 3); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("half a change was kept: %v", err)
	}
	if err := s.SaveAlarms(ctx, ledger.AlarmChange{Alarms: []ledger.Alarm{{ID: 3, Doc: json.RawMessage(`{`)}}}, ledger.Audit{}); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("no JSON: %v", err)
	}
}

func testOutbox(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	doc := json.RawMessage(`{"subject":"x"}`)
	ok(t, s.SaveAlarms(ctx, ledger.AlarmChange{Messages: []ledger.Message{{Receiver: 7, Doc: doc, Next: c.Now()}, {Receiver: 8, Doc: doc, Next: c.Now().Add(time.Hour)}}}, ledger.Audit{}))
	due := must(s.DueMessages(ctx, c.Now(), 10))(t)
	if len(due) != 1 || due[0].Receiver != 7 || due[0].State != ledger.MessageWaiting || string(due[0].Doc) != string(doc) {
		t.Fatalf("due %+v", due)
	}
	ok(t, s.MarkMessage(ctx, due[0].ID, ledger.MessageWaiting, c.Now().Add(time.Minute), "busy"))
	if n := must(s.DueMessages(ctx, c.Now(), 10))(t); len(n) != 0 {
		t.Errorf("due too early: %+v", n)
	}
	c.Advance(2 * time.Hour)
	due = must(s.DueMessages(ctx, c.Now(), 10))(t)
	if len(due) != 2 || due[0].Attempts != 1 || due[0].Detail != "busy" {
		t.Fatalf("due later %+v", due)
	}
	ok(t, s.MarkMessage(ctx, due[0].ID, ledger.MessageDelivered, time.Time{}, "ok"))
	ok(t, s.MarkMessage(ctx, due[1].ID, ledger.MessageFailed, time.Time{}, "no"))
	if err := s.MarkMessage(ctx, 999, ledger.MessageFailed, time.Time{}, ""); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("a message that is not there: %v", err)
	}
	if all := must(s.AlarmMessages(ctx, 0))(t); len(all) != 2 || all[0].State != ledger.MessageDelivered || all[1].State != ledger.MessageFailed {
		t.Errorf("messages %+v", all)
	}
	if n := must(s.PurgeMessages(ctx, c.Now()))(t); n != 0 {
		t.Errorf("purged %d young messages", n)
	}
	c.Advance(time.Hour)
	if n := must(s.PurgeMessages(ctx, c.Now()))(t); n != 2 {
		t.Errorf("purged %d", n)
	}
}

func testDocuments(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	by := ledger.By("alice")
	a := must(s.SaveDocument(ctx, ledger.Document{Kind: "rule", Doc: json.RawMessage(`{"n":1}`)}, by))(t)
	b := must(s.SaveDocument(ctx, ledger.Document{Kind: "silence", Doc: json.RawMessage(`{}`)}, by))(t)
	if a.ID == 0 || b.ID == a.ID || a.CreatedAt.IsZero() {
		t.Fatalf("%+v %+v", a, b)
	}
	c.Advance(time.Minute)
	a.Doc = json.RawMessage(`{"n":2}`)
	again := must(s.SaveDocument(ctx, a, by))(t)
	if !again.CreatedAt.Equal(a.CreatedAt) || !again.UpdatedAt.After(a.UpdatedAt) {
		t.Errorf("times %+v after %+v", again, a)
	}
	// Whoever read an older version does not overwrite the newer one.
	if _, err := s.SaveDocument(ctx, ledger.Document{ID: a.ID, Kind: "rule", Doc: json.RawMessage(`{"n":3}`), UpdatedAt: a.UpdatedAt}, by); !errors.Is(err, ledger.ErrStale) {
		t.Errorf("over a newer version: %v", err)
	}
	if _, err := s.SaveDocument(ctx, ledger.Document{ID: 99, Kind: "rule", Doc: json.RawMessage(`{}`), UpdatedAt: a.UpdatedAt}, by); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("a version of what is not there: %v", err)
	}
	// Two changes at one instant are two versions.
	same := must(s.SaveDocument(ctx, again, by))(t)
	if !same.UpdatedAt.After(again.UpdatedAt) {
		t.Errorf("two versions called %v", same.UpdatedAt)
	}
	if got := must(s.Document(ctx, "rule", a.ID))(t); !got.UpdatedAt.Equal(same.UpdatedAt) {
		t.Errorf("told %v, kept %v", same.UpdatedAt, got.UpdatedAt)
	}
	if got := must(s.Documents(ctx, "rule"))(t); len(got) != 1 || string(got[0].Doc) != `{"n":2}` {
		t.Errorf("rules %+v", got)
	}
	if _, err := s.Document(ctx, "silence", a.ID); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("a document of another kind: %v", err)
	}
	if _, err := s.SaveDocument(ctx, ledger.Document{ID: b.ID, Kind: "rule", Doc: json.RawMessage(`{}`)}, by); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("changing the kind: %v", err)
	}
	if _, err := s.SaveDocument(ctx, ledger.Document{Kind: "rule", Doc: json.RawMessage(`{`)}, by); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("no JSON: %v", err)
	}
	ok(t, s.DeleteDocument(ctx, "rule", a.ID, by))
	if err := s.DeleteDocument(ctx, "rule", a.ID, by); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("deleting twice: %v", err)
	}
	rows := must(s.AuditRows(ctx, ledger.AuditFilter{}))(t)
	var actions []string
	for _, r := range rows {
		actions = append(actions, r.Action)
	}
	if want := []string{"rule.delete", "rule.edit", "rule.edit", "silence.add", "rule.add"}; !slices.Equal(actions, want) {
		t.Errorf("audit %v, want %v", actions, want)
	}
}
