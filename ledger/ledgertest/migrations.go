package ledgertest

import (
	"database/sql"
	"errors"
	"testing"

	"ballast/ledger"
	"ballast/ledger/migrations"
)

// RunMigrations tests the way from the first schema, with a machine in it, to
// the newest, that going it twice does nothing, and that a ledger from the
// future is refused. The database behind raw must be empty; open opens a store
// on it.
func RunMigrations(t *testing.T, e migrations.Engine, raw *sql.DB, open func() (ledger.Store, error)) {
	ctx := t.Context()
	ok(t, migrations.UpTo(ctx, raw, e, 1))
	_, err := raw.ExecContext(ctx, "INSERT INTO machines (id, mac, serial, addr, make, model, firmware, firmware_version, hostname, site, "+
		"building, container, rack, slot, group_name, name, retired_at, first_seen, last_seen) "+
		"VALUES (41, $1, 'S41', '10.0.0.41', 'Bitmain', 'S19', 'antminer', '1', 'h', 'odessa', '', '', '', '', '', '', 0, 5, 6)", mac(41))
	ok(t, err)
	_, err = raw.ExecContext(ctx, "UPDATE counters SET value = 41 WHERE name = 'machine'")
	ok(t, err)

	for range 2 {
		s := must(open())(t)
		m := must(s.Machine(ctx, 41))(t)
		if m.MAC != mac(41) || m.Serial != "S41" || m.FirstSeen.UnixMicro() != 5 {
			t.Errorf("the old machine is now %+v", m)
		}
		seen := must(s.ObserveMachines(ctx, []ledger.Sighting{{MAC: mac(41), Addr: addr(7)}, {MAC: mac(42), Addr: addr(8)}}))(t)
		if seen[0].ID != 41 || seen[1].ID != 42 {
			t.Errorf("observed %d and %d, want 41 and 42", seen[0].ID, seen[1].ID)
		}
		must(s.CreateCommand(ctx, wish(41, 3000)))(t)
		must(s.VerifyAudit(ctx))(t)
		ok(t, s.Close())
	}

	_, err = raw.ExecContext(ctx, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, $1)", true)
	ok(t, err)
	if _, err := open(); !errors.Is(err, ledger.ErrNewer) {
		t.Errorf("a ledger from the future: %v", err)
	}
}
