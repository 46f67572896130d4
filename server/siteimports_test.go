package server

import (
	"encoding/base64"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"ballast/ledger"
	"ballast/price"
	"ballast/tariff"
)

// A file of the utility's is looked at, imported, revised and withdrawn; nothing
// of a wrong one stays, and only those who may see money at the site do any of it.
func TestMeterDataOverHTTP(t *testing.T) {
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
	month := tariff.MonthOf(time.Now().UTC()).Add(-1)
	from, to := month.Span(time.UTC)
	var own []ledger.MeterEnergy
	csv := "Start,kWh\n"
	for at := from; at.Before(to); at = at.Add(15 * time.Minute) {
		own = append(own, ledger.MeterEnergy{Site: "site", Meter: "main", At: at, Joules: 900e6, Covered: 15 * time.Minute})
		csv += at.Format("2006-01-02 15:04") + ",260\n"
	}
	if err := s.Record.AddMeterEnergy(t.Context(), own); err != nil {
		t.Fatal(err)
	}
	bring := func(text string, more map[string]any) map[string]any {
		body := map[string]any{"site": "site", "name": "october.csv", "file": base64.StdEncoding.EncodeToString([]byte(text))}
		maps.Copy(body, more)
		return body
	}
	// Without a contract nobody knows the site's clock, unless it is said.
	if out := do("POST", "/api/v1/meter-data", bring(csv, map[string]any{"preview": true}), here, 422); !strings.Contains(fmt.Sprint(out), "time zone") {
		t.Errorf("no clock: %v", out)
	}
	do("POST", "/api/v1/meter-data", bring(csv, map[string]any{"preview": true, "how": map[string]any{"zone": "UTC"}}), here, 200)
	do("POST", "/api/v1/contracts", map[string]any{"site": "site", "text": fixedContract}, here, 200)
	do("POST", "/api/v1/meter-data", bring(csv, nil), viewer, 403)
	do("POST", "/api/v1/meter-data", bring(csv, nil), there, 404)
	p := do("POST", "/api/v1/meter-data", bring(csv, map[string]any{"preview": true}), here, 200)
	n := float64(len(own))
	if p["added"] != n || p["seen"] != 0.0 || p["import"] != nil {
		t.Errorf("preview %v", p)
	}
	m := p["months"].([]any)[0].(map[string]any)
	if d := m["diff_pct"].(float64); d < 3.999 || d > 4.001 || m["month"] != month.String() {
		t.Errorf("compared %v", m)
	}
	wrong := strings.Replace(csv, ",260\n", ",lots\n", 1)
	if p := do("POST", "/api/v1/meter-data", bring(wrong, map[string]any{"preview": true}), here, 200); !strings.Contains(fmt.Sprint(p["file"].(map[string]any)["problems"]), "line:2") {
		t.Errorf("wrong: %v", p["file"])
	}
	if out := do("POST", "/api/v1/meter-data", bring(wrong, nil), here, 422); !strings.Contains(fmt.Sprint(out["detail"]), "nothing was imported: line 2") {
		t.Errorf("wrong: %v", out)
	}
	do("POST", "/api/v1/meter-data", bring("%PDF-1.7", nil), here, 422)
	if list := do("GET", "/api/v1/meter-data?site=site", nil, here, 200); len(list["imports"].([]any)) != 0 {
		t.Errorf("something stayed: %v", list)
	}
	done := do("POST", "/api/v1/meter-data", bring(csv, nil), here, 200)
	id := done["import"].(map[string]any)["id"]
	do("POST", "/api/v1/meter-data", bring(csv, map[string]any{"seen": id}), here, 409) // all of it is known
	do("POST", "/api/v1/meter-data", bring(strings.Replace(csv, ",260\n", ",300\n", 1), nil), here, 412)
	st := do("GET", "/api/v1/statements/"+month.String()+"?site=site", nil, here, 200)
	// Hours x 1.04 MWh x $42 and a tenth.
	hours := to.Sub(from).Hours()
	meter := st["meter"].(map[string]any)
	if meter["source"] != "utility meter main" || meter["utility_intervals"] != n || meter["own_intervals"] != 0.0 || st["statement"].(map[string]any)["metered_mwh"] != fmt.Sprint(hours*1.04) {
		t.Errorf("settled by %v: %v", meter, st["statement"].(map[string]any)["metered_mwh"])
	}
	list := do("GET", "/api/v1/meter-data?site=site", nil, here, 200)
	if len(list["meters"].([]any)) != 1 || len(list["months"].([]any)) != 1 || len(list["imports"].([]any)) != 1 {
		t.Errorf("listed %v", list)
	}
	do("GET", "/api/v1/meter-data?site=site", nil, viewer, 403)
	do("POST", "/api/v1/meter-data/end", map[string]any{"site": "site", "meter": "main", "at": to}, here, 204)
	do("POST", "/api/v1/meter-data/end", map[string]any{"site": "site", "meter": "other"}, here, 404)
	do("POST", "/api/v1/meter-data/end", map[string]any{"site": "site", "meter": "main"}, there, 404)
	path := fmt.Sprintf("/api/v1/meter-data/%v", id)
	do("DELETE", path, nil, there, 404)
	do("DELETE", strings.Replace(path, "meter-data", "awards", 1), nil, here, 404)
	do("DELETE", path, nil, here, 204)
	do("DELETE", path, nil, here, 409)
	if st = do("GET", "/api/v1/statements/"+month.String()+"?site=site", nil, here, 200); st["meter"].(map[string]any)["source"] != "meter main" {
		t.Errorf("after the withdrawal: %v", st["meter"])
	}

	// Awards: a file, and entries that revise one hour of it.
	awards := fmt.Sprintf("Date,Hour Ending,MW\n%s,1,5\n%s,24,0\n", from.Format(time.DateOnly), from.Format(time.DateOnly))
	a := do("POST", "/api/v1/awards", bring(awards, nil), here, 200)
	if a["added"] != 2.0 {
		t.Errorf("awards %v", a)
	}
	entry := map[string]any{"site": "site", "positions": []any{map[string]any{"start": from, "mw": 6.5}}}
	if e := do("POST", "/api/v1/awards/entries", entry, here, 200); e["changed"] != 1.0 {
		t.Errorf("entered %v", e)
	}
	do("POST", "/api/v1/awards/entries", entry, viewer, 403)
	do("POST", "/api/v1/awards/entries", entry, there, 404)
	got := do("GET", "/api/v1/awards?site=site&month="+month.String(), nil, here, 200)
	if day := got["days"].([]any)[0].(map[string]any); day["mwh"] != 6.5 || day["missing_h"] != 22.0 || got["asked"] != false || len(got["imports"].([]any)) != 2 {
		t.Errorf("awards of a day %v", day)
	}
	actions := map[string]int{}
	rows, err := s.Record.AuditRows(t.Context(), ledger.AuditFilter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		actions[r.Action]++
	}
	if actions["utility-meter.import"] != 1 || actions["utility-meter.withdraw"] != 1 || actions["utility-meter.end"] != 1 || actions["award.import"] != 2 {
		t.Errorf("audited %v", actions)
	}
}
