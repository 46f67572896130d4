package server

import (
	"fmt"
	"log/slog"
	"testing"
	"time"

	"ballast/fleet"
	"ballast/ledger"
)

// Naming and grouping a machine is a technician's; retiring it takes the right
// to configure its site; what lies at another site is not there.
func TestEditMachine(t *testing.T) {
	s := bare(t)
	f := fleet.New(fleet.Reach{}, s.Record, "site", time.Second, slog.New(slog.DiscardHandler))
	seen, err := s.Record.ObserveMachines(t.Context(), []ledger.Sighting{{MAC: "02:00:00:00:00:01", Site: "site"}, {MAC: "02:00:00:00:00:02", Site: "elsewhere"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Renew(t.Context(), []int64{seen[0].ID, seen[1].ID}); err != nil {
		t.Fatal(err)
	}
	s.Fleet = f
	v := visit(t, s)
	keys := map[ledger.Role][]string{}
	for _, role := range []ledger.Role{ledger.Viewer, ledger.Technician, ledger.Engineer} {
		u, err := s.Record.AddUser(t.Context(), ledger.User{Name: string(role), Grants: []ledger.Grant{{Role: role, Site: "site"}}}, ledger.By("test"))
		if err != nil {
			t.Fatal(err)
		}
		key, prefix, sum := ledger.NewAPIKey()
		if _, err := s.Record.AddAPIKey(t.Context(), ledger.APIKey{Prefix: prefix, Sum: sum, User: u.ID, Name: "k", Scopes: AllScopes()}, ledger.By("test")); err != nil {
			t.Fatal(err)
		}
		keys[role] = []string{"Authorization", "Bearer " + key}
	}
	here, there := fmt.Sprintf("/api/v1/machines/%d", seen[0].ID), fmt.Sprintf("/api/v1/machines/%d", seen[1].ID)
	for _, c := range []struct {
		what, path string
		role       ledger.Role
		body       map[string]any
		want       int
	}{
		{"a viewer names", here, ledger.Viewer, map[string]any{"name": "x"}, 403},
		{"a technician names and groups", here, ledger.Technician, map[string]any{"name": "A1", "group": "c1"}, 200},
		{"a technician retires", here, ledger.Technician, map[string]any{"retired": true, "name": "A2"}, 403},
		{"elsewhere", there, ledger.Engineer, map[string]any{"name": "B1"}, 404},
		{"no such machine", "/api/v1/machines/999", ledger.Engineer, map[string]any{"name": "B1"}, 404},
		{"too long a name", here, ledger.Engineer, map[string]any{"name": fmt.Sprintf("%0101d", 1)}, 422},
		{"a field that is not there", here, ledger.Engineer, map[string]any{"serial": "1"}, 422},
		{"an engineer retires", here, ledger.Engineer, map[string]any{"retired": true}, 200},
		{"and brings it back without a name", here, ledger.Engineer, map[string]any{"retired": false, "name": ""}, 200},
	} {
		code, out := v.do("PATCH", c.path, c.body, keys[c.role]...)
		if code != c.want {
			t.Errorf("%s: %d %v, want %d", c.what, code, out["detail"], c.want)
			continue
		}
		if code != 200 {
			continue
		}
		m, err := s.Record.Machine(t.Context(), seen[0].ID)
		if err != nil {
			t.Fatal(err)
		}
		if name, ok := c.body["name"]; ok && m.Name != name {
			t.Errorf("%s: the name is %q", c.what, m.Name)
		}
		if retired, ok := c.body["retired"]; ok && m.Retired.IsZero() == retired.(bool) {
			t.Errorf("%s: retired %v", c.what, m.Retired)
		}
		if m.Group != "c1" { // what is not said stays
			t.Errorf("%s: the group is %q", c.what, m.Group)
		}
		// The live picture follows at once.
		if st, ok := f.Get(1); !ok || st.Machine.Name != m.Name || st.Machine.Retired != m.Retired {
			t.Errorf("%s: live it is %+v", c.what, st.Machine)
		}
	}
	rows, err := s.Record.AuditRows(t.Context(), ledger.AuditFilter{Action: "machine."})
	if err != nil || len(rows) != 3 {
		t.Errorf("%d audit rows, %v", len(rows), err)
	}
}
