package ledger

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Scenario is a what-if that somebody saved. The ledger does not look inside.
type Scenario struct {
	ID        int64           `json:"id"`
	Name      string          `json:"name"`
	Body      json.RawMessage `json:"body"`
	Version   int64           `json:"version"` // one more with each change
	Actor     string          `json:"actor"`   // who changed it last
	CreatedAt time.Time       `json:"created_at"`
	UpdatedAt time.Time       `json:"updated_at"`
}

// RunState is how far a run of a scenario has come.
type RunState string

// The states of a run.
const (
	RunWaiting   RunState = "waiting"
	RunRunning   RunState = "running"
	RunDone      RunState = "done"
	RunFailed    RunState = "failed"
	RunCancelled RunState = "cancelled"
)

// ScenarioRun is one run, with the assumptions as they were then.
type ScenarioRun struct {
	ID        int64           `json:"id"`
	Scenario  int64           `json:"scenario,omitempty"` // 0: of none that is saved
	Name      string          `json:"name"`
	Body      json.RawMessage `json:"body"`
	State     RunState        `json:"state"`
	Result    json.RawMessage `json:"result,omitempty"`
	Detail    string          `json:"detail,omitempty"` // why it failed
	Actor     string          `json:"actor"`
	StartedAt time.Time       `json:"started_at"`
	EndedAt   time.Time       `json:"ended_at,omitzero"`
}

// PeerReport is what a miner says about a month.
type PeerReport struct {
	Firm      string    `json:"firm"`
	Month     string    `json:"month"`         // 2025-09
	Mined     int64     `json:"mined_sat"`     // satoshi
	Installed int64     `json:"installed_ths"` // TH/s; -1: not told
	Luck      bool      `json:"luck"`          // mines solo or by PPLNS
	Source    string    `json:"source"`
	Actor     string    `json:"actor"`
	EnteredAt time.Time `json:"entered_at"`
}

// Outlook is what the ledger keeps of the future: scenarios, their runs, and
// what peers report.
type Outlook interface {
	// SaveScenario adds one (ID 0) or changes one of the version that is given;
	// ErrStale when somebody else changed it, ErrConflict for a name that is taken.
	SaveScenario(ctx context.Context, s Scenario, by Audit) (Scenario, error)
	// DeleteScenario removes one; its runs stay. ErrNotFound.
	DeleteScenario(ctx context.Context, id int64, by Audit) error
	// Scenario is one, or ErrNotFound.
	Scenario(ctx context.Context, id int64) (Scenario, error)
	// Scenarios are all, by name.
	Scenarios(ctx context.Context) ([]Scenario, error)

	// BeginRun notes a run that starts or waits.
	BeginRun(ctx context.Context, r ScenarioRun, by Audit) (ScenarioRun, error)
	// EndRun notes how it ended: state, result, detail. ErrNotFound.
	EndRun(ctx context.Context, r ScenarioRun) error
	// Run is one, or ErrNotFound.
	Run(ctx context.Context, id int64) (ScenarioRun, error)
	// Runs are the newest first, without their bodies and results; of one scenario
	// when it is not 0.
	Runs(ctx context.Context, scenario, before int64, limit int) ([]ScenarioRun, error)

	// SavePeerReports enters reports, all or none, in place of those of the same
	// firm and month.
	SavePeerReports(ctx context.Context, rs []PeerReport, by Audit) error
	// DeletePeerReport removes one; ErrNotFound.
	DeletePeerReport(ctx context.Context, firm, month string, by Audit) error
	// PeerReports are all, by month and firm.
	PeerReports(ctx context.Context) ([]PeerReport, error)
}

// Normal checks a report and puts it in the ledger's forms.
func (r PeerReport) Normal() (PeerReport, error) {
	r.Firm, r.Source = strings.TrimSpace(Clean(r.Firm, 200)), strings.TrimSpace(Clean(r.Source, 400))
	if _, err := time.Parse("2006-01", r.Month); err != nil {
		return r, fmt.Errorf("report of %s: %w: %q is no month such as 2025-09", r.Firm, ErrInvalid, r.Month)
	}
	if r.Firm == "" || r.Source == "" || r.Mined <= 0 || r.Mined > 21e14 || r.Installed < -1 || r.Installed == 0 {
		return r, fmt.Errorf("report of %s for %s: %w: firm, bitcoin mined and source must be given", r.Firm, r.Month, ErrInvalid)
	}
	return r, nil
}
