package server

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/fleet"
	"ballast/ledger"
	"ballast/ledger/secretbox"
	"ballast/price"
)

// conditionalOf tells whether an operation takes If-Match.
func conditionalOf(o *huma.Operation) bool {
	return slices.ContainsFunc(o.Parameters, func(p *huma.Param) bool { return p.In == "header" && p.Name == "If-Match" })
}

// Whatever two people can edit takes the version that the edit was made from:
// an operation that is added without fails here.
func TestEveryEditTakesAVersion(t *testing.T) {
	alone := map[string]string{
		"edit-account": "one's own name",
		"name-passkey": "one's own key",
	}
	for path, item := range bare(t).api.OpenAPI().Paths {
		for _, o := range []*huma.Operation{item.Put, item.Patch} {
			if o == nil {
				continue
			}
			if alone[o.OperationID] != "" {
				delete(alone, o.OperationID)
				continue
			}
			if !conditionalOf(o) || o.Responses["412"] == nil {
				t.Errorf("%s %s (%s) takes no If-Match, or does not say that it answers 412", o.Method, path, o.OperationID)
			}
		}
	}
	for id := range alone {
		t.Errorf("there is no operation %s any more", id)
	}
}

// Of two people who edit the same thing the second is told, in words that say
// what to do, and nothing of the first is lost. Who names no version writes in
// any case, where that was ever so.
func TestEditsUnderAVersion(t *testing.T) {
	s := bare(t, func(o *Options) {
		desk, err := price.Open(t.Context(), price.Options{Record: o.Record})
		if err != nil {
			t.Fatal(err)
		}
		o.PriceDesk, o.Keys = desk, &fleet.Keys{}
		if o.Box, err = secretbox.Open(filepath.Join(t.TempDir(), "secrets.key")); err != nil {
			t.Fatal(err)
		}
		seen, err := o.Record.ObserveMachines(t.Context(), []ledger.Sighting{{MAC: "02:00:00:00:00:01", Site: "site"}, {MAC: "02:00:00:00:00:02", Site: "site"}})
		if err != nil {
			t.Fatal(err)
		}
		o.Fleet = fleet.New(fleet.Reach{}, o.Record, "site", time.Second, slog.New(slog.DiscardHandler))
		if err := o.Fleet.Renew(t.Context(), []int64{seen[0].ID, seen[1].ID}); err != nil {
			t.Fatal(err)
		}
	})
	if err := s.Record.SaveSite(t.Context(), ledger.Site{Name: "site"}, ledger.By("test")); err != nil {
		t.Fatal(err)
	}
	v := visit(t, s)
	admin := keyed(t, s, "admin", ledger.Grant{Role: ledger.Admin})
	do := func(method, path string, body any, header ...string) (int, map[string]any) {
		return v.do(method, "/api/v1"+path, body, append(header, "Authorization", admin)...)
	}
	add := func(path string, body map[string]any) string {
		t.Helper()
		code, out := do("POST", path, body)
		if code >= 300 {
			t.Fatal(path, code, out)
		}
		return fmt.Sprintf("%s/%.0f", path, out["id"])
	}
	pools := []any{map[string]any{"url": "stratum+tcp://a:3333", "user": "x"}}
	profile := add("/pool-profiles", map[string]any{"name": "Main", "pools": pools})
	password := add("/machine-passwords", map[string]any{"password": "p"})
	schedule := add("/reports/schedules", map[string]any{"recipients": []string{"a@example.com"}, "at": "07:00", "enabled": true})
	contract := add("/contracts", map[string]any{"site": "site", "text": fixedContract})
	facility := map[string]any{"id": "loan", "name": "Loan", "kind": "equipment", "purpose": "mining", "recourse": "full", "principal": "$1000000.00", "drawn": "2026-01-15", "maturity": "2027-01-15",
		"interest": map[string]any{"fixed": "10%", "day_count": "ACT/360"}, "repayment": map[string]any{"shape": "linear", "months": 1},
		"covenants": []any{map[string]any{"id": "dscr", "metric": "dscr", "limit": 1.1}}}
	if code, out := do("PUT", "/debt/facilities/loan", map[string]any{"seen": 0, "facility": facility}); code != 200 {
		t.Fatal(code, out)
	}
	// list reads one of a list's things by its id.
	list := func(path, field, id string) map[string]any {
		t.Helper()
		_, text := askPlain(t, v.base, "/api/v1"+path, "Authorization", admin)
		var all []map[string]any
		raw := json.RawMessage(text)
		if field != "" {
			var wrapped map[string]json.RawMessage
			if err := json.Unmarshal(raw, &wrapped); err != nil {
				t.Fatal(err)
			}
			raw = wrapped[field]
		}
		if err := json.Unmarshal(raw, &all); err != nil {
			t.Fatalf("%s: %v in %s", path, err, text)
		}
		i := slices.IndexFunc(all, func(x map[string]any) bool { return fmt.Sprintf("%.0f", x["id"]) == id })
		if i < 0 {
			t.Fatalf("%s has no %s", path, id)
		}
		return all[i]
	}
	of := func(path string) string { return path[strings.LastIndex(path, "/")+1:] }
	one := func(path string) map[string]any {
		t.Helper()
		code, out := do("GET", path, nil)
		if code != 200 {
			t.Fatal(path, code, out)
		}
		return out
	}
	_, people := askPlain(t, v.base, "/api/v1/people", "Authorization", admin)
	var who []Person
	if err := json.Unmarshal([]byte(people), &who); err != nil {
		t.Fatal(err)
	}
	person := fmt.Sprintf("/people/%d", who[0].ID)
	const inAnyCase = 200
	for _, c := range []struct {
		what, method, path string
		body               func(value string) map[string]any
		read               func() (value, version any)
		without            int // the answer to an edit that names no version
	}{
		{"pool profile", "PUT", profile, func(x string) map[string]any { return map[string]any{"name": x, "pools": pools} },
			func() (any, any) { p := list("/pool-profiles", "", of(profile)); return p["name"], p["version"] }, inAnyCase},
		{"machine password", "PUT", password, func(x string) map[string]any { return map[string]any{"note": x} },
			func() (any, any) {
				p := list("/machine-passwords", "passwords", of(password))
				return p["note"], p["version"]
			}, inAnyCase},
		{"report schedule", "PUT", schedule, func(x string) map[string]any {
			return map[string]any{"recipients": []string{x + "@example.com"}, "at": "07:00", "enabled": true}
		}, func() (any, any) {
			p := list("/reports/schedules", "schedules", of(schedule))
			return strings.TrimSuffix(p["recipients"].([]any)[0].(string), "@example.com"), p["version"]
		}, inAnyCase},
		{"machine", "PATCH", "/machines/1", func(x string) map[string]any { return map[string]any{"name": x} },
			func() (any, any) { m := one("/machines/1"); return m["record"].(map[string]any)["name"], m["version"] }, inAnyCase},
		{"group of a machine", "PATCH", "/machines/1", func(x string) map[string]any { return map[string]any{"group": x, "add_tags": []string{x}} },
			func() (any, any) { m := one("/machines/1"); return m["group"], m["version"] }, inAnyCase},
		{"place of a machine", "PUT", "/machines/2/place", func(x string) map[string]any {
			return map[string]any{"place": map[string]any{"container": "C1", "rack": "R1", "slot": x}}
		}, func() (any, any) {
			p := list("/sites/site/placement", "machines", "2")
			place, _ := p["place"].(string)
			return place[strings.LastIndex("/"+place, "/"):], p["version"]
		}, inAnyCase},
		{"site", "PUT", "/sites/site", func(x string) map[string]any {
			return map[string]any{"title": x, "ranges": []string{}, "layout": map[string]any{"name": x}}
		}, func() (any, any) { m := one("/sites/site"); return m["title"], m["version"] }, http.StatusPreconditionRequired},
		{"contract", "PUT", contract, func(x string) map[string]any {
			return map[string]any{"text": strings.Replace(fixedContract, "name: Fixed", "name: "+x, 1)}
		}, func() (any, any) { m := one(contract); return m["name"], m["revision"] }, 422},
		{"facility and its covenants", "PUT", "/debt/facilities/loan", func(x string) map[string]any {
			facility["name"], facility["covenants"].([]any)[0].(map[string]any)["source"] = x, x
			return map[string]any{"facility": facility}
		}, func() (any, any) {
			m := one("/debt/facilities/loan")
			return m["facility"].(map[string]any)["covenants"].([]any)[0].(map[string]any)["source"], m["rev"]
		}, http.StatusPreconditionFailed},
		{"terms", "PUT", "/debt/terms", func(x string) map[string]any {
			return map[string]any{"terms": map[string]any{"company": x, "currency": "USD"}}
		}, func() (any, any) {
			m := one("/debt/terms")
			return m["terms"].(map[string]any)["company"], m["rev"]
		}, http.StatusPreconditionFailed},
		{"levers", "PUT", "/outlook/levers", func(x string) map[string]any {
			return map[string]any{"levers": []any{map[string]any{"name": "health", "title": x, "evidence": "assumed", "source": "x", "on": true}}}
		}, func() (any, any) {
			m := one("/outlook")
			return m["scenario"].(map[string]any)["levers"].([]any)[0].(map[string]any)["title"], m["levers_version"]
		}, inAnyCase},
		{"person", "PATCH", person, func(x string) map[string]any { return map[string]any{"full_name": x} },
			func() (any, any) {
				res, text := askPlain(t, v.base, "/api/v1"+person, "Authorization", admin)
				var p Person
				if err := json.Unmarshal([]byte(text), &p); err != nil {
					t.Fatal(err)
				}
				return p.FullName, res.Header.Get("ETag")
			}, inAnyCase},
	} {
		edit := func(value, match string) (int, string) {
			header := []string{}
			if match != "" {
				header = []string{"If-Match", match}
			}
			code, out := do(c.method, c.path, c.body(value), header...)
			return code, fmt.Sprint(out["detail"])
		}
		quoted := func(version any) string {
			if text, ok := version.(string); ok {
				return text
			}
			return fmt.Sprintf(`"%.0f"`, version)
		}
		_, first := c.read()
		if code, why := edit("Mine", quoted(first)); code != 200 {
			t.Errorf("%s: over the version that was read: %d %s", c.what, code, why)
			continue
		}
		value, second := c.read()
		if value != "Mine" || second == first {
			t.Errorf("%s: it is %v, version %v after %v", c.what, value, second, first)
		}
		code, why := edit("Theirs", quoted(first))
		if code != 412 || !strings.Contains(why, "somebody else") || !strings.Contains(why, "nothing was changed: read the newest version") {
			t.Errorf("%s: over a newer version: %d %q", c.what, code, why)
		}
		for _, wrong := range []string{`"7"`, `"x"`, `"-1"`, "hello"} {
			if code, why := edit("Wrong", wrong); code != 412 {
				t.Errorf("%s: If-Match: %s gives %d %s", c.what, wrong, code, why)
			}
		}
		if value, _ := c.read(); value != "Mine" {
			t.Errorf("%s: after refused edits it is %v", c.what, value)
		}
		if code, _ := edit("Any", ""); code != c.without {
			t.Errorf("%s: without a version: %d, want %d", c.what, code, c.without)
		}
		_, newest := c.read()
		if code, why := edit("Again", quoted(newest)); code != 200 {
			t.Errorf("%s: over the newest version: %d %s", c.what, code, why)
		}
	}
}
