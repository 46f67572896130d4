package ledgertest

import (
	"encoding/json"
	"errors"
	"testing"

	"ballast/ledger"
)

func testOutlook(t *testing.T, open Open) {
	c := newClock()
	s, ctx := open(t, c.Now), t.Context()
	one := must(s.SaveScenario(ctx, ledger.Scenario{Name: "halving", Body: json.RawMessage(`{"a":1}`)}, ledger.By("alice")))(t)
	if one.ID == 0 || one.Version != 1 || one.Actor != "alice" {
		t.Errorf("saved %+v", one)
	}
	if _, err := s.SaveScenario(ctx, ledger.Scenario{Name: "halving", Body: json.RawMessage(`{}`)}, ledger.By("bob")); !errors.Is(err, ledger.ErrConflict) {
		t.Errorf("a taken name: %v", err)
	}
	for _, bad := range []ledger.Scenario{{Body: json.RawMessage(`{}`)}, {Name: "x", Body: json.RawMessage(`{`)}} {
		if _, err := s.SaveScenario(ctx, bad, ledger.By("bob")); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	change := one
	change.Body = json.RawMessage(`{"a":2}`)
	two := must(s.SaveScenario(ctx, change, ledger.By("bob")))(t)
	if two.Version != 2 || two.CreatedAt != one.CreatedAt {
		t.Errorf("changed %+v", two)
	}
	if _, err := s.SaveScenario(ctx, change, ledger.By("carol")); !errors.Is(err, ledger.ErrStale) {
		t.Errorf("an old version: %v", err)
	}
	if got := must(s.Scenario(ctx, one.ID))(t); string(got.Body) != `{"a":2}` || got.Actor != "bob" {
		t.Errorf("read %+v", got)
	}

	r := must(s.BeginRun(ctx, ledger.ScenarioRun{Scenario: one.ID, Name: "halving", Body: json.RawMessage(`{"a":2}`), State: ledger.RunRunning}, ledger.By("bob")))(t)
	if _, err := s.BeginRun(ctx, ledger.ScenarioRun{Body: json.RawMessage(`{}`), State: ledger.RunDone}, ledger.By("bob")); !errors.Is(err, ledger.ErrInvalid) {
		t.Errorf("a run that begins at its end: %v", err)
	}
	r.State, r.Result, r.EndedAt = ledger.RunDone, json.RawMessage(`{"p":0.5}`), c.Now()
	ok(t, s.EndRun(ctx, r))
	other := must(s.BeginRun(ctx, ledger.ScenarioRun{Name: "x", Body: json.RawMessage(`{}`), State: ledger.RunWaiting}, ledger.By("bob")))(t)
	if got := must(s.Run(ctx, r.ID))(t); got.State != ledger.RunDone || string(got.Result) != `{"p":0.5}` || got.EndedAt != c.Now() || string(got.Body) != `{"a":2}` {
		t.Errorf("run %+v", got)
	}
	if all := must(s.Runs(ctx, 0, 0, 10))(t); len(all) != 2 || all[0].ID != other.ID || all[1].Result != nil || all[1].Body != nil {
		t.Errorf("runs %+v", all)
	}
	if page := must(s.Runs(ctx, 0, other.ID, 10))(t); len(page) != 1 {
		t.Errorf("second page %+v", page)
	}
	if its := must(s.Runs(ctx, one.ID, 0, 10))(t); len(its) != 1 || its[0].ID != r.ID {
		t.Errorf("runs of the scenario %+v", its)
	}
	for _, err := range []error{second(s.Run(ctx, 99)), s.EndRun(ctx, ledger.ScenarioRun{ID: 99, State: ledger.RunDone}), second(s.Scenario(ctx, 99)), s.DeleteScenario(ctx, 99, ledger.By("bob"))} {
		if !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("not there: %v", err)
		}
	}
	ok(t, s.DeleteScenario(ctx, one.ID, ledger.By("bob")))
	if got := must(s.Run(ctx, r.ID))(t); got.Scenario != one.ID {
		t.Errorf("the run went with its scenario: %+v", got)
	}
	if left := must(s.Scenarios(ctx))(t); len(left) != 0 {
		t.Errorf("scenarios %+v", left)
	}

	rep := ledger.PeerReport{Firm: " Acme ", Month: "2025-09", Mined: 736e8, Installed: -1, Source: "press release"}
	ok(t, s.SavePeerReports(ctx, []ledger.PeerReport{rep, {Firm: "Beta", Month: "2025-08", Mined: 1, Installed: 40_000_000, Luck: true, Source: "x"}}, ledger.By("alice")))
	rep.Firm, rep.Mined = "Acme", 737e8
	ok(t, s.SavePeerReports(ctx, []ledger.PeerReport{rep}, ledger.By("bob")))
	all := must(s.PeerReports(ctx))(t)
	if len(all) != 2 || all[0].Firm != "Beta" || !all[0].Luck || all[0].Installed != 40_000_000 || all[1].Mined != 737e8 || all[1].Actor != "bob" || all[1].Installed != -1 {
		t.Errorf("reports %+v", all)
	}
	for _, bad := range [][]ledger.PeerReport{
		nil, {rep, rep}, {{Firm: "X", Month: "2025-13", Mined: 1, Source: "x", Installed: -1}}, {rep, {Firm: "X", Month: "2025-01", Source: "x", Installed: -1}},
	} {
		if err := s.SavePeerReports(ctx, bad, ledger.By("bob")); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	ok(t, s.DeletePeerReport(ctx, "Acme", "2025-09", ledger.By("bob")))
	if err := s.DeletePeerReport(ctx, "Acme", "2025-09", ledger.By("bob")); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("removed twice: %v", err)
	}
	if rows := must(s.AuditRows(ctx, ledger.AuditFilter{}))(t); len(rows) != 8 {
		t.Errorf("%d audit rows, want 8", len(rows))
	}
	must(s.VerifyAudit(ctx))(t)
}
