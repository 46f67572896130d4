// Package ledgertest is the conformance suite of ledger.Store: an engine that
// passes [Run] keeps every promise of the door.
package ledgertest

import (
	"context"
	"database/sql"
	"flag"
	"sync"
	"testing"
	"time"

	"ballast/ledger"
)

// Opened is a store under test. Raw is a way past it into the same database,
// for the tests that play an intruder with the database's password.
type Opened struct {
	ledger.Store
	Raw *sql.DB
}

// Open opens an empty store that runs on clock and closes it when t ends.
type Open func(t testing.TB, clock func() time.Time) Opened

// Run runs the whole suite.
func Run(t *testing.T, open Open) {
	fewerChecks(t)
	for _, part := range []struct {
		name string
		run  func(*testing.T, Open)
	}{
		{"Observe", testObserve},
		{"ObserveFollows", testObserveFollows},
		{"ObserveBatchKinds", testObserveBatchKinds},
		{"ObserveAtOnce", testObserveAtOnce},
		{"Machines", testMachines},
		{"EditMachines", testEditMachines},
		{"Places", testPlaces},
		{"Sites", testSites},
		{"SiteVersions", testSiteVersions},
		{"PlaceMachines", testPlaceMachines},
		{"PlaceModel", testPlaceModel},
		{"Scans", testScans},
		{"MachinePasswords", testMachinePasswords},
		{"PoolProfiles", testPoolProfiles},
		{"SharedIdentities", testSharedIdentities},
		{"CreateCommands", testCreateCommands},
		{"Idempotency", testIdempotency},
		{"IdempotencyAtOnce", testIdempotencyAtOnce},
		{"Supersede", testSupersede},
		{"Transitions", testTransitions},
		{"TransitionAtOnce", testTransitionAtOnce},
		{"CommandPages", testCommandPages},
		{"CommandModel", testCommandModel},
		{"Batches", testBatches},
		{"Notes", testNotes},
		{"SavedFilters", testSavedFilters},
		{"Users", testUsers},
		{"SetupTokens", testSetupTokens},
		{"APIKeys", testAPIKeys},
		{"Sessions", testSessions},
		{"Passkeys", testPasskeys},
		{"Identities", testIdentities},
		{"PendingTokens", testPendingTokens},
		{"Versions", testVersions},
		{"LastAdmin", testLastAdmin},
		{"LastAdminAtOnce", testLastAdminAtOnce},
		{"Settings", testSettings},
		{"Reports", testReports},
		{"MeterEnergy", testMeterEnergy},
		{"ReportSchedules", testReportSchedules},
		{"Market", testMarket},
		{"MarketValues", testMarketValues},
		{"PowerContracts", testPowerContracts},
		{"SiteImports", testSiteImports},
		{"Forecasts", testForecasts},
		{"Outlook", testOutlook},
		{"Alarms", testAlarms},
		{"Outbox", testOutbox},
		{"Documents", testDocuments},
		{"EditsUnderAVersion", testStale},
		{"MoneyBook", testMoneyBook},
		{"MoneyAtOnce", testMoneyAtOnce},
		{"DebtDays", testDebtDays},
		{"Audit", testAudit},
		{"AuditTamper", testAuditTamper},
		{"AuditEveryCell", testAuditEveryCell},
		{"AuditAtOnce", testAuditAtOnce},
		{"EveryChangeIsAudited", testEveryChangeIsAudited},
		{"Tx", testTx},
		{"TxAtOnce", testTxAtOnce},
	} {
		t.Run(part.name, func(t *testing.T) { part.run(t, open) })
	}
}

// fewerChecks makes rapid run 40 checks of each property instead of 100, unless
// the command line says how many: each of them is hundreds of transactions.
func fewerChecks(t *testing.T) {
	f := flag.Lookup("rapid.checks")
	if f == nil || f.Value.String() != f.DefValue {
		return
	}
	ok(t, f.Value.Set("40"))
	t.Cleanup(func() { ok(t, f.Value.Set(f.DefValue)) })
}

// clock is a clock that tests move by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// fataler is what the tests of testing and of rapid have in common.
type fataler interface {
	Helper()
	Fatal(args ...any)
	Context() context.Context
}

// must fails the test on an error.
func must[T any](v T, err error) func(fataler) T {
	return func(t fataler) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func ok(t fataler, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
