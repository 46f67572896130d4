package prom

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"ballast/telemetry"
	"ballast/telemetry/telemetrytest"
)

// TestDashboard: the Grafana dashboard asks for nothing that is not exposed,
// and for labels that its series have.
func TestDashboard(t *testing.T) {
	b, err := os.ReadFile("../../docs/grafana/ballast-fleet.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Title  string
		Panels []struct {
			ID      int
			Type    string
			Title   string
			GridPos struct{ X, Y, W, H int }
			Targets []struct{ Expr, LegendFormat string }
		}
		Templating struct {
			List []struct {
				Name       string
				Definition string
			}
		}
	}
	if err := json.Unmarshal(b, &dashboard); err != nil {
		t.Fatal(err)
	}
	names := exposed(t)
	metric := regexp.MustCompile(`ballast_[a-z0-9_]+`)
	seen, ids := 0, map[int]bool{}
	ask := func(where, expr string) {
		for _, name := range metric.FindAllString(expr, -1) {
			seen++
			if !names[name] {
				t.Errorf("%s: %s is not exposed", where, name)
			}
		}
		if strings.Count(expr, "(") != strings.Count(expr, ")") || strings.Count(expr, "{") != strings.Count(expr, "}") {
			t.Errorf("%s: brackets of %s", where, expr)
		}
	}
	for _, p := range dashboard.Panels {
		if ids[p.ID] || p.GridPos.X+p.GridPos.W > 24 || p.GridPos.W == 0 {
			t.Errorf("panel %q: id %d, place %+v", p.Title, p.ID, p.GridPos)
		}
		ids[p.ID] = true
		if p.Type != "row" && len(p.Targets) == 0 {
			t.Errorf("panel %q asks for nothing", p.Title)
		}
		for _, target := range p.Targets {
			ask(p.Title, target.Expr)
		}
	}
	for _, v := range dashboard.Templating.List {
		ask("variable "+v.Name, v.Definition)
	}
	if seen < 30 {
		t.Errorf("only %d metrics are asked for", seen)
	}
}

// dashboardQueries are the queries of the dashboard with its variables filled
// in.
func dashboardQueries(t *testing.T) []string {
	t.Helper()
	b, err := os.ReadFile("../../docs/grafana/ballast-fleet.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	if err := json.Unmarshal(b, &dashboard); err != nil {
		t.Fatal(err)
	}
	fill := strings.NewReplacer("$site", ".*", "$model", ".*", "$machine", "1")
	var out []string
	for _, p := range dashboard.Panels {
		for _, target := range p.Targets {
			out = append(out, fill.Replace(target.Expr))
		}
	}
	return out
}

// exposed are the names of every sample of a page whose machines tell
// everything.
func exposed(t *testing.T) map[string]bool {
	rows := fleet(telemetrytest.NewFleet(3, 1).Poll(0, 3, noon))
	for i := range rows {
		for _, m := range telemetry.MachineMetrics() {
			rows[i].Set(m, 1)
		}
		rows[i].Faults.Bits = 1
		for k := range rows[i].Boards {
			for _, m := range telemetry.BoardMetrics() {
				rows[i].Boards[k].Set(m, 1)
			}
		}
	}
	names := map[string]bool{}
	body := scrape(t, handler(t, Options{Source: rows, Detail: Board}), "/metrics").Body.String()
	for key := range parse(t, body, false).samples {
		name, _, _ := strings.Cut(key, "{")
		names[name] = true
	}
	if len(names) < len(telemetry.Metrics())-8 {
		t.Fatalf("only %d names are exposed", len(names))
	}
	return names
}
