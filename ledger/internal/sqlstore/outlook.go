package sqlstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"ballast/ledger"
)

func scanScenario(rows *sql.Rows) (s ledger.Scenario, err error) {
	var body string
	var created, updated int64
	err = rows.Scan(&s.ID, &s.Name, &body, &s.Version, &s.Actor, &created, &updated)
	s.Body, s.CreatedAt, s.UpdatedAt = json.RawMessage(body), moment(created), moment(updated)
	return s, err
}

const scenarioColumns = "id, name, body, version, actor, created_at, updated_at"

// SaveScenario implements ledger.Outlook.
func (s *Store) SaveScenario(ctx context.Context, x ledger.Scenario, by ledger.Audit) (ledger.Scenario, error) {
	x.Name = ledger.Clean(x.Name, 200)
	if x.Name == "" || !json.Valid(x.Body) {
		return x, fmt.Errorf("scenario: %w: a name and JSON must be given", ledger.ErrInvalid)
	}
	err := s.change(ctx, func(t *txn) (err error) {
		x.Actor, x.UpdatedAt = by.Actor, t.now()
		if x.ID == 0 {
			if x.ID, err = t.bump(ctx, "scenario", 1); err != nil {
				return err
			}
			x.Version, x.CreatedAt = 1, x.UpdatedAt
			_, err = t.exec(ctx, "INSERT INTO scenarios ("+scenarioColumns+") VALUES ($1, $2, $3, $4, $5, $6, $7)", x.ID, x.Name, string(x.Body), x.Version, x.Actor, micros(x.CreatedAt), micros(x.UpdatedAt))
		} else {
			old, err := query(ctx, t, scanScenario, "SELECT "+scenarioColumns+" FROM scenarios WHERE id = $1"+t.e.dialect.Lock, x.ID)
			if err != nil {
				return fmt.Errorf("reading a scenario: %w", err)
			}
			if len(old) == 0 {
				return notFound("scenario", x.ID, ledger.ErrNotFound)
			}
			if old[0].Version != x.Version {
				return notFound("scenario", x.ID, ledger.ErrStale)
			}
			x.Version, x.CreatedAt = x.Version+1, old[0].CreatedAt
			if _, err = t.exec(ctx, "UPDATE scenarios SET name = $1, body = $2, version = $3, actor = $4, updated_at = $5 WHERE id = $6", x.Name, string(x.Body), x.Version, x.Actor, micros(x.UpdatedAt), x.ID); err != nil {
				return fmt.Errorf("writing a scenario: %w", err)
			}
		}
		if err != nil {
			return fmt.Errorf("writing a scenario: %w", err)
		}
		return t.audit(by.Or("scenario.save", fmt.Sprintf("scenario/%d", x.ID), jsonText(map[string]any{"name": x.Name, "version": x.Version})))
	})
	return x, err
}

// DeleteScenario implements ledger.Outlook.
func (s *Store) DeleteScenario(ctx context.Context, id int64, by ledger.Audit) error {
	return s.change(ctx, func(t *txn) error {
		n, err := t.exec(ctx, "DELETE FROM scenarios WHERE id = $1", id)
		if err != nil {
			return fmt.Errorf("removing a scenario: %w", err)
		}
		if n == 0 {
			return notFound("scenario", id, ledger.ErrNotFound)
		}
		return t.audit(by.Or("scenario.delete", fmt.Sprintf("scenario/%d", id), ""))
	})
}

// Scenario implements ledger.Outlook.
func (s *Store) Scenario(ctx context.Context, id int64) (ledger.Scenario, error) {
	got, err := query(ctx, s.reader(), scanScenario, "SELECT "+scenarioColumns+" FROM scenarios WHERE id = $1", id)
	if err != nil {
		return ledger.Scenario{}, fmt.Errorf("reading a scenario: %w", err)
	}
	if len(got) == 0 {
		return ledger.Scenario{}, notFound("scenario", id, ledger.ErrNotFound)
	}
	return got[0], nil
}

// Scenarios implements ledger.Outlook.
func (s *Store) Scenarios(ctx context.Context) ([]ledger.Scenario, error) {
	out, err := query(ctx, s.reader(), scanScenario, "SELECT "+scenarioColumns+" FROM scenarios ORDER BY name")
	if err != nil {
		return nil, fmt.Errorf("reading scenarios: %w", err)
	}
	return out, nil
}

// BeginRun implements ledger.Outlook.
func (s *Store) BeginRun(ctx context.Context, r ledger.ScenarioRun, by ledger.Audit) (ledger.ScenarioRun, error) {
	r.Name = ledger.Clean(r.Name, 200)
	if !json.Valid(r.Body) || r.State != ledger.RunWaiting && r.State != ledger.RunRunning {
		return r, fmt.Errorf("run of a scenario: %w: JSON and a state of the beginning must be given", ledger.ErrInvalid)
	}
	err := s.change(ctx, func(t *txn) (err error) {
		if r.ID, err = t.bump(ctx, "scenario run", 1); err != nil {
			return err
		}
		r.Actor, r.StartedAt = by.Actor, t.now()
		_, err = t.exec(ctx, "INSERT INTO scenario_runs (id, scenario, name, body, state, result, detail, actor, started_at, ended_at) VALUES ($1, $2, $3, $4, $5, '', '', $6, $7, 0)",
			r.ID, r.Scenario, r.Name, string(r.Body), string(r.State), r.Actor, micros(r.StartedAt))
		if err != nil {
			return fmt.Errorf("writing a run: %w", err)
		}
		return t.audit(by.Or("scenario.run", fmt.Sprintf("scenario-run/%d", r.ID), jsonText(map[string]any{"name": r.Name, "scenario": r.Scenario})))
	})
	return r, err
}

// EndRun implements ledger.Outlook.
func (s *Store) EndRun(ctx context.Context, r ledger.ScenarioRun) error {
	if len(r.Result) > 0 && !json.Valid(r.Result) {
		return fmt.Errorf("run %d: %w: the result is no JSON", r.ID, ledger.ErrInvalid)
	}
	return s.change(ctx, func(t *txn) error {
		ended := micros(r.EndedAt)
		n, err := t.exec(ctx, "UPDATE scenario_runs SET state = $1, result = $2, detail = $3, ended_at = $4 WHERE id = $5", string(r.State), string(r.Result), ledger.Clean(r.Detail, 1000), ended, r.ID)
		if err != nil {
			return fmt.Errorf("writing a run: %w", err)
		}
		if n == 0 {
			return notFound("run", r.ID, ledger.ErrNotFound)
		}
		return nil
	})
}

func scanRun(rows *sql.Rows) (r ledger.ScenarioRun, err error) {
	var body, state, result string
	var started, ended int64
	err = rows.Scan(&r.ID, &r.Scenario, &r.Name, &body, &state, &result, &r.Detail, &r.Actor, &started, &ended)
	r.State, r.StartedAt, r.EndedAt = ledger.RunState(state), moment(started), moment(ended)
	if body != "" {
		r.Body = json.RawMessage(body)
	}
	if result != "" {
		r.Result = json.RawMessage(result)
	}
	return r, err
}

// Run implements ledger.Outlook.
func (s *Store) Run(ctx context.Context, id int64) (ledger.ScenarioRun, error) {
	got, err := query(ctx, s.reader(), scanRun, "SELECT id, scenario, name, body, state, result, detail, actor, started_at, ended_at FROM scenario_runs WHERE id = $1", id)
	if err != nil {
		return ledger.ScenarioRun{}, fmt.Errorf("reading a run: %w", err)
	}
	if len(got) == 0 {
		return ledger.ScenarioRun{}, notFound("run", id, ledger.ErrNotFound)
	}
	return got[0], nil
}

// Runs implements ledger.Outlook.
func (s *Store) Runs(ctx context.Context, scenario, before int64, limit int) ([]ledger.ScenarioRun, error) {
	var w where
	if scenario > 0 {
		w.and("scenario = ?", scenario)
	}
	if before > 0 {
		w.and("id < ?", before)
	}
	out, err := query(ctx, s.reader(), scanRun, "SELECT id, scenario, name, '', state, '', detail, actor, started_at, ended_at FROM scenario_runs"+w.sql("id DESC", limit), w.args...)
	if err != nil {
		return nil, fmt.Errorf("reading runs: %w", err)
	}
	return out, nil
}

// SavePeerReports implements ledger.Outlook.
func (s *Store) SavePeerReports(ctx context.Context, rs []ledger.PeerReport, by ledger.Audit) error {
	if len(rs) == 0 {
		return fmt.Errorf("no reports: %w", ledger.ErrInvalid)
	}
	seen := map[string]bool{}
	return s.change(ctx, func(t *txn) error {
		clear(seen)
		rows := make([][]any, len(rs))
		for i, r := range rs {
			r, err := r.Normal()
			if err != nil {
				return err
			}
			key := r.Firm + "\x00" + r.Month
			if seen[key] {
				return fmt.Errorf("%s reports %s twice: %w", r.Firm, r.Month, ledger.ErrInvalid)
			}
			seen[key] = true
			rows[i] = []any{r.Firm, r.Month, r.Mined, r.Installed, number(r.Luck), r.Source, by.Actor, micros(t.now())}
		}
		err := t.bulk(ctx, "INSERT INTO peer_reports (firm, month, mined, installed, luck, source, actor, entered_at)", 8,
			"ON CONFLICT (firm, month) DO UPDATE SET mined = excluded.mined, installed = excluded.installed, luck = excluded.luck, source = excluded.source, actor = excluded.actor, entered_at = excluded.entered_at", rows)
		if err != nil {
			return fmt.Errorf("writing peers' reports: %w", err)
		}
		return t.audit(by.Or("peers.enter", "peers", jsonText(map[string]any{"reports": len(rs)})))
	})
}

// DeletePeerReport implements ledger.Outlook.
func (s *Store) DeletePeerReport(ctx context.Context, firm, month string, by ledger.Audit) error {
	return s.change(ctx, func(t *txn) error {
		n, err := t.exec(ctx, "DELETE FROM peer_reports WHERE firm = $1 AND month = $2", firm, month)
		if err != nil {
			return fmt.Errorf("removing a peer's report: %w", err)
		}
		if n == 0 {
			return notFound("report of", firm+" for "+month, ledger.ErrNotFound)
		}
		return t.audit(by.Or("peers.delete", "peers", jsonText(map[string]string{"firm": firm, "month": month})))
	})
}

// PeerReports implements ledger.Outlook.
func (s *Store) PeerReports(ctx context.Context) ([]ledger.PeerReport, error) {
	out, err := query(ctx, s.reader(), func(rows *sql.Rows) (r ledger.PeerReport, err error) {
		var luck, entered int64
		err = rows.Scan(&r.Firm, &r.Month, &r.Mined, &r.Installed, &luck, &r.Source, &r.Actor, &entered)
		r.Luck, r.EnteredAt = luck != 0, moment(entered)
		return r, err
	}, "SELECT firm, month, mined, installed, luck, source, actor, entered_at FROM peer_reports ORDER BY month, firm")
	if err != nil {
		return nil, fmt.Errorf("reading peers' reports: %w", err)
	}
	return out, nil
}
