package server

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/ledger"
)

// Every operation is tried as a stranger and as each role. What must come out
// is written here a second time, role by role, so that a slip in the policy is
// seen; an operation that is not in the list fails the test.
func TestRoleByOperation(t *testing.T) {
	s := bare(t)
	v := visit(t, s)
	may := map[ledger.Role]string{
		ledger.Viewer:     "look",
		ledger.Technician: "look repair",
		ledger.Operator:   "look repair command",
		ledger.Engineer:   "look repair command configure",
		ledger.Finance:    "look money",
		ledger.Admin:      "look repair command configure money administer",
		ledger.Tenant:     "portal",
	}
	keys := map[ledger.Role]string{}
	for _, role := range ledger.Roles() {
		if may[role] == "" {
			t.Fatalf("the matrix has no line for %s", role)
		}
		u, err := s.Record.AddUser(t.Context(), ledger.User{Name: "the " + string(role), Grants: []ledger.Grant{{Role: role}}}, ledger.By("test"))
		if err != nil {
			t.Fatal(err)
		}
		key, prefix, sum := ledger.NewAPIKey()
		if _, err := s.Record.AddAPIKey(t.Context(), ledger.APIKey{Prefix: prefix, Sum: sum, User: u.ID, Name: "k", Scopes: AllScopes()}, ledger.By("test")); err != nil {
			t.Fatal(err)
		}
		keys[role] = key
	}
	seen := map[string]bool{}
	for path, item := range s.api.OpenAPI().Paths {
		for method, o := range operations(item) {
			right, listed := policy[o.OperationID]
			if !listed || o.Extensions["x-right"] != string(right) {
				t.Errorf("%s %s (%s) is described with right %v, the policy says %q", method, path, o.OperationID, o.Extensions["x-right"], right)
			}
			seen[o.OperationID] = true
			if right == Anybody {
				continue
			}
			concrete := strings.NewReplacer("{id}", "1", "{note}", "1", "{name}", "x", "{date}", "2026-11-01", "{file}", "summary.csv").Replace(path)
			if o.OperationID == "revoke-key" {
				concrete = "/api/v1/keys/999" // key 1 is one that this test goes in with
			}
			if code, _ := v.do(method, concrete, bodyFor(o.OperationID)); code != 401 {
				t.Errorf("%s %s: a stranger got %d", method, path, code)
			}
			if o.OperationID == "live" {
				continue // it would not end; its gate is the same function
			}
			for _, role := range ledger.Roles() {
				key := keys[role]
				code, out := v.do(method, concrete, bodyFor(o.OperationID), "Authorization", "Bearer "+key)
				allowed := right == SignedIn || right != InPerson && slices.Contains(strings.Fields(may[role]), string(right))
				if (code == 403) == allowed || code == 401 || code >= 500 && code != 503 {
					t.Errorf("%s %s as %s: %d %v, allowed is %v", method, path, role, code, out["detail"], allowed)
				}
			}
		}
	}
	for id := range policy {
		if !seen[id] {
			t.Errorf("the policy has a line for %q, and there is no such operation", id)
		}
	}
}

// A grant at one site is worth nothing at another.
func TestScopes(t *testing.T) {
	p := Principal{User: ledger.User{Grants: []ledger.Grant{{Role: ledger.Viewer, Site: "hood"}, {Role: ledger.Operator, Site: "odessa"}}}}
	for _, c := range []struct {
		right Right
		site  string
		want  bool
	}{
		{Look, "hood", true}, {Look, "odessa", true}, {Look, "elsewhere", false}, {Look, "", false},
		{Command, "odessa", true}, {Command, "hood", false}, {Administer, "odessa", false},
	} {
		if got := p.May(c.right, c.site); got != c.want {
			t.Errorf("%s at %q: %v", c.right, c.site, got)
		}
	}
	p.Key = &ledger.APIKey{Scopes: []string{"look"}}
	if p.May(Command, "odessa") || !p.May(Look, "odessa") {
		t.Error("a key may do what its scopes do not name")
	}
	if (Principal{User: ledger.User{Grants: []ledger.Grant{{Role: "root"}}}}).May(Look, "hood") {
		t.Error("an unknown role may look")
	}
}

func operations(p *huma.PathItem) map[string]*huma.Operation {
	out := map[string]*huma.Operation{"GET": p.Get, "POST": p.Post, "PATCH": p.Patch, "PUT": p.Put, "DELETE": p.Delete}
	for m, o := range out {
		if o == nil {
			delete(out, m)
		}
	}
	return out
}

func bodyFor(id string) any {
	switch id {
	case "edit-machines":
		return map[string]any{"machines": []int{1}}
	case "add-note":
		return map[string]any{"text": "x"}
	case "save-filter":
		return map[string]any{"name": "x", "query": "q=1"}
	case "command":
		return map[string]any{"machines": []int{1}, "setting": map[string]any{"kind": "sleep"}}
	case "add-report-schedule", "edit-report-schedule":
		return map[string]any{"recipients": []string{"ops@example.com"}, "at": "07:00", "enabled": true}
	case "scan", "edit-machine", "acknowledge-alarm", "edit-account", "passkey-options", "edit-person", "audit-check":
		return map[string]any{}
	case "add-contract":
		return map[string]any{"site": "x", "text": "name: X"}
	case "save-contract":
		return map[string]any{"revision": 1, "text": "name: X"}
	case "check-contract":
		return map[string]any{"site": "site", "text": "name: X"}
	case "import-meter-data", "import-awards":
		return map[string]any{"site": "site", "file": []byte("a,b"), "preview": true}
	case "enter-awards":
		return map[string]any{"site": "site", "positions": []any{map[string]any{"start": "2026-07-01T00:00:00Z", "mw": 1}}, "preview": true}
	case "end-meter":
		return map[string]any{"site": "site", "meter": "x"}
	case "silence-alarm":
		return map[string]any{"minutes": 60, "reason": "x"}
	case "add-silence":
		return map[string]any{"match": map[string]any{"sites": []string{"site"}}, "until": time.Now().Add(time.Hour), "reason": "x"}
	case "add-alarm-rule", "edit-alarm-rule", "preview-alarm-rule":
		return ruleBody()
	case "add-maintenance-window", "edit-maintenance-window":
		return map[string]any{"id": 0, "title": "x", "zone": "UTC", "days": []int{1}, "start": "02:00", "minutes": 60, "match": map[string]any{"sites": []string{"site"}}}
	case "add-escalation", "edit-escalation":
		return map[string]any{"id": 0, "title": "x", "severities": []string{"critical"}, "steps": []any{map[string]any{"after_min": 0, "receivers": []int{1}}}, "ends": true}
	case "add-receiver", "edit-receiver":
		return map[string]any{"title": "x", "settings": map[string]any{"kind": "webhook", "url": "http://127.0.0.1:1/"}}
	case "change-password":
		return map[string]any{"old": "x", "new": longPassword}
	case "name-passkey", "add-passkey":
		return map[string]any{"name": "x", "credential": map[string]any{}}
	case "add-key":
		return map[string]any{"name": "x", "scopes": []string{"look"}}
	case "invite":
		return map[string]any{"grants": []map[string]any{{"role": "viewer"}}}
	case "add-site":
		return map[string]any{"name": "y"}
	case "save-site":
		return map[string]any{"title": "X", "ranges": []string{}, "layout": map[string]any{"name": "X"}}
	case "check-layout":
		return map[string]any{"layout": map[string]any{"name": "X"}}
	case "import-layout":
		return map[string]any{"text": "ip,rack,slot", "layout": map[string]any{"name": "X"}}
	case "place-machine":
		return map[string]any{}
	case "start-scan":
		return map[string]any{"site": "x"}
	case "add-machine-password", "change-machine-password":
		return map[string]any{"password": "p"}
	case "test-machine-password":
		return map[string]any{"machine": 1, "password": "p"}
	case "add-pool-profile", "change-pool-profile":
		return map[string]any{"name": "p", "pools": []map[string]any{{"url": "stratum+tcp://pool.example:3333", "user": "a"}}}
	case "enter-market":
		return map[string]any{"series": "price_usd", "value": 60000, "source": "x"}
	case "set-levers":
		return map[string]any{"levers": []any{}}
	case "play-scenario":
		return map[string]any{"scenario": map[string]any{"company": map[string]any{"groups": []any{}, "power_usd_mwh": 45}}}
	case "save-scenario":
		return map[string]any{"name": "x", "scenario": map[string]any{"company": map[string]any{"groups": []any{}, "power_usd_mwh": 45}}}
	case "add-peer-reports":
		return map[string]any{"text": "firm,month", "preview": true}
	case "weigh-hardware":
		return map[string]any{"drift": 0, "power_usd_mwh": 45, "hashprice_usd": 30, "options": []any{map[string]any{"name": "new", "usd_per_th": 16, "j_per_th": 15, "life_days": 1000}}}
	case "add-rig-prices":
		return map[string]any{"preview": true, "prices": []map[string]any{{"day": "2026-06-30", "tier": "15-20", "usd_per_th": 16, "kind": "index", "source": "x"}}}
	case "save-facility":
		return map[string]any{"seen": 0, "facility": map[string]any{"id": "1", "kind": "lease"}}
	case "save-debt-terms":
		return map[string]any{"seen": 0, "terms": map[string]any{}}
	case "import-debt":
		return map[string]any{"kind": "rates", "file": "aW5kZXgsZGF0ZSxyYXRlCg==", "preview": true}
	case "apply-pool-profile":
		return map[string]any{"machines": []int{1}, "preview": true}
	}
	return nil
}
