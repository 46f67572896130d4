package server

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"ballast/debt"
	"ballast/ledger"
)

// A run is cancelled while it plays and while it waits, makes room for the next
// at once, and cannot be cancelled twice. More than can wait are turned away.
func TestRunsAreCancelled(t *testing.T) {
	s := bare(t)
	a := askAs(t, s, ledger.Grant{Role: ledger.Finance})
	today := debt.DateOf(time.Now())
	play := func(name string, paths int, days int) map[string]any {
		return map[string]any{"name": name, "scenario": map[string]any{
			"from": today, "to": today + debt.Date(days), "paths": paths,
			"market":  map[string]any{"model": "gbm", "vol": 0.6, "price_usd": 90_000, "hashprice_usd": 50},
			"company": map[string]any{"groups": []any{map[string]any{"name": "all", "ph": 100, "j_per_th": 20}}, "power_usd_mwh": 45, "cash_usd": 1e6, "uptime": 0.97},
		}}
	}
	begin := func(body map[string]any) ScenarioRun {
		t.Helper()
		var r ScenarioRun
		a.must("POST", "/api/v1/outlook/runs", body, &r)
		return r
	}
	wait := func(id int64, state ledger.RunState, limit time.Duration) ScenarioRun {
		t.Helper()
		var r ScenarioRun
		for end := time.Now().Add(limit); ; time.Sleep(20 * time.Millisecond) {
			a.must("GET", "/api/v1/outlook/runs/"+strconvID(id), nil, &r)
			if r.State == state {
				return r
			}
			if time.Now().After(end) {
				t.Fatalf("run %d is %s (%s) after %v, not %s", id, r.State, r.Detail, limit, state)
			}
		}
	}
	long := begin(play("long", 100_000, 1990))
	wait(long.ID, ledger.RunRunning, 20*time.Second)
	var queue []ScenarioRun
	for range mostWaiting - 1 {
		queue = append(queue, begin(play("short", 200, 30)))
	}
	if code, all := a.ask("POST", "/api/v1/outlook/runs", play("one too many", 200, 30), nil); code != http.StatusTooManyRequests || !strings.Contains(string(all), "cancel one") {
		t.Errorf("one too many: %d %s", code, all)
	}
	if r := wait(queue[0].ID, ledger.RunWaiting, time.Second); r.Done != 0 {
		t.Errorf("a run that waits has done %v", r.Done)
	}
	a.must("DELETE", "/api/v1/outlook/runs/"+strconvID(queue[0].ID), nil, nil) // one that waits
	wait(queue[0].ID, ledger.RunCancelled, 10*time.Second)
	began := time.Now()
	a.must("DELETE", "/api/v1/outlook/runs/"+strconvID(long.ID), nil, nil)
	r := wait(long.ID, ledger.RunCancelled, 10*time.Second)
	if r.Outcome != nil || r.EndedAt == nil || r.EndedAt.Before(began.Add(-time.Second)) {
		t.Errorf("a cancelled run: %+v", r)
	}
	for _, q := range queue[1:] {
		if r := wait(q.ID, ledger.RunDone, 60*time.Second); r.Outcome == nil || r.Done != 1 {
			t.Errorf("the run after it: %+v", r)
		}
	}
	for _, id := range []int64{long.ID, queue[1].ID} {
		if code, all := a.ask("DELETE", "/api/v1/outlook/runs/"+strconvID(id), nil, nil); code != http.StatusConflict {
			t.Errorf("cancelling what is over: %d %s", code, all)
		}
	}
	if code, _ := a.ask("DELETE", "/api/v1/outlook/runs/999", nil, nil); code != http.StatusNotFound {
		t.Errorf("cancelling what never was: %d", code)
	}
	looker := askAs(t, s, ledger.Grant{Role: ledger.Viewer})
	if code, _ := looker.ask("DELETE", "/api/v1/outlook/runs/"+strconvID(long.ID), nil, nil); code != http.StatusForbidden {
		t.Errorf("cancelled by a viewer: %d", code)
	}
	log, err := s.Record.AuditRows(t.Context(), ledger.AuditFilter{Action: "scenario.cancel", Limit: 10})
	if err != nil || len(log) != 2 {
		t.Errorf("%d cancellations in the audit log, %v", len(log), err)
	}
}
