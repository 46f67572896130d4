package server

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"ballast/ledger"
	"ballast/price"
	"ballast/tariff"
)

const fixedContract = "name: Fixed\ncurrency: USD\nzone: UTC\ninterval: 15m\nversions:\n  - from: 2020-01-01\n    parts:\n      - {name: Energy, kind: fixed, price: $42.00/MWh}\n      - {name: Tax, kind: tax, share: 10%}\n"

// A contract is kept, tried, and settles a month; only those who may see money at
// its site see it.
func TestContractsAndStatements(t *testing.T) {
	s := bare(t, func(o *Options) {
		desk, err := price.Open(t.Context(), price.Options{Record: o.Record})
		if err != nil {
			t.Fatal(err)
		}
		o.PriceDesk = desk
	})
	v := visit(t, s)
	for _, site := range []string{"site", "hood"} {
		if err := s.Record.SaveSite(t.Context(), ledger.Site{Name: site}, ledger.By("test")); err != nil {
			t.Fatal(err)
		}
	}
	here, there, viewer := "Bearer "+grantKey(t, s, ledger.Grant{Role: ledger.Finance, Site: "site"}), "Bearer "+grantKey(t, s, ledger.Grant{Role: ledger.Finance, Site: "hood"}), "Bearer "+grantKey(t, s, ledger.Grant{Role: ledger.Viewer, Site: "site"})
	do := func(method, path string, body any, key string, want int) map[string]any {
		t.Helper()
		code, out := v.do(method, path, body, "Authorization", key)
		if code != want {
			t.Fatalf("%s %s: %d %v, want %d", method, path, code, out, want)
		}
		return out
	}
	do("POST", "/api/v1/contracts", map[string]any{"site": "site", "text": fixedContract}, viewer, 403)
	do("POST", "/api/v1/contracts", map[string]any{"site": "site", "text": fixedContract}, there, 404)
	bad := do("POST", "/api/v1/contracts", map[string]any{"site": "site", "text": strings.Replace(fixedContract, "$42.00/MWh", "cheap", 1)}, here, 422)
	if text := fmt.Sprint(bad); !strings.Contains(text, "line 8") || !strings.Contains(text, "versions[0].parts[0].price") {
		t.Errorf("a bad text is told as %s", text)
	}
	added := do("POST", "/api/v1/contracts", map[string]any{"site": "site", "text": fixedContract}, here, 200)
	path := fmt.Sprintf("/api/v1/contracts/%v", added["id"])
	do("GET", path, nil, there, 404)
	do("DELETE", path, nil, there, 404)
	one := do("GET", path, nil, here, 200)
	if one["text"] != fixedContract || one["in_force"] != true || !strings.Contains(fmt.Sprint(one["explained"]), "Energy: $42/MWh") {
		t.Errorf("read %v", one)
	}
	try := do("POST", "/api/v1/contracts/check", map[string]any{"site": "site", "id": added["id"], "text": strings.Replace(fixedContract, "42", "50", 1), "load_w": 1e6}, here, 200)
	if p, ok := try["price"].(map[string]any); !ok || p["price_per_mwh"] != 55.0 || p["load_w"] != 1e6 {
		t.Errorf("tried %v", try)
	}
	edit := map[string]any{"revision": 1, "text": strings.Replace(fixedContract, "42", "40", 1)}
	if got := do("PUT", path, edit, here, 200); got["revision"] != 2.0 {
		t.Errorf("edited %v", got)
	}
	do("PUT", path, edit, here, 412)

	// The last month, a megawatt all along: hours x $40, and a tenth of it.
	month := tariff.MonthOf(time.Now().UTC()).Add(-1)
	from, to := month.Span(time.UTC)
	var rows []ledger.MeterEnergy
	for at := from; at.Before(to); at = at.Add(15 * time.Minute) {
		rows = append(rows, ledger.MeterEnergy{Site: "site", Meter: "main", At: at, Joules: 900e6, Covered: 15 * time.Minute})
	}
	if err := s.Record.AddMeterEnergy(t.Context(), rows); err != nil {
		t.Fatal(err)
	}
	base := "/api/v1/statements/" + month.String()
	do("GET", base+"?site=site", nil, there, 404)
	do("GET", base+"?site=site", nil, viewer, 403)
	do("GET", "/api/v1/statements/soon?site=site", nil, here, 422)
	hours := int(to.Sub(from).Hours())
	want := fmt.Sprintf("$%d.00", hours*44)
	st := do("GET", base+"?site=site&days=true", nil, here, 200)
	if body := st["statement"].(map[string]any); body["total"] != want || st["can_issue"] != true || len(st["days"].([]any)) != hours/24 {
		t.Errorf("total %v, want %s; %d days", body["total"], want, len(st["days"].([]any)))
	}
	issued := do("POST", base+"/issue?site=site", nil, here, 200)
	if issued["issued_by"] == "" || issued["can_issue"] != false {
		t.Errorf("issued %v by %v", issued["id"], issued["issued_by"])
	}
	do("POST", base+"/issue?site=site", nil, here, 409)
	do("POST", "/api/v1/statements/"+month.Add(1).String()+"/issue?site=site", nil, here, 422)
	if rows, err := s.Record.AuditRows(t.Context(), ledger.AuditFilter{Action: "statement.issue"}); err != nil || len(rows) != 1 || !strings.Contains(rows[0].Detail, month.String()) {
		t.Errorf("audited %+v, %v", rows, err)
	}
	for file, start := range map[string]string{"statement.pdf": "%PDF-", "lines.csv": "month,contract,part", "intervals.csv": "part,what,start,mwh"} {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, v.base+base+"/"+file+"?site=site", nil)
		req.Header.Set("Authorization", here)
		res, err := v.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if res.StatusCode != http.StatusOK || !strings.HasPrefix(string(text), start) {
			t.Errorf("%s: %d, begins %.40q", file, res.StatusCode, text)
		}
	}

	// What decisions reckon with, and nothing where there is no contract.
	if p, ok := s.Prices("site", time.Now()).Power.Get(); !ok || p.PerMWh() != 44 {
		t.Errorf("a MWh costs %v", p)
	}
	if p := s.Prices("hood", time.Now()).Power; p.Ok() {
		t.Errorf("without a contract: %v", p)
	}
	do("GET", "/api/v1/price/history?series=none", nil, viewer, 404)
	if _, err := s.Record.Sites(t.Context()); err != nil {
		t.Fatal(err)
	}
	do("DELETE", path, nil, here, 204)
	do("GET", path, nil, here, 404)
}
