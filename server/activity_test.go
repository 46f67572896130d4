package server

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"testing"
	"time"

	"ballast/fleet"
	"ballast/ledger"
	"ballast/miner"
	"ballast/plant"
	"ballast/site"
	"ballast/unit"
)

func TestDecisionsGroupByWhoWhatAndWhy(t *testing.T) {
	start := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
	known := map[int64]ledger.Machine{}
	for id := range int64(5) {
		known[id+1] = ledger.Machine{ID: id + 1, Site: "hood", Place: ledger.Place{Container: "C01", Rack: "R" + string('1'+rune(id%2))}}
	}
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	cmd := func(id string, machine int64, kind, actor, why, setting string, when int, state ledger.CommandState) ledger.Command {
		return ledger.Command{ID: id, Machine: machine, Kind: kind, Actor: actor, Reason: why, Setting: json.RawMessage(setting), CreatedAt: at(when), State: state, Detail: "says " + string(state)}
	}
	newestFirst := []ledger.Command{
		cmd("i", 9, "sleep", "dispatch", "price", `{}`, 400, ledger.Confirmed), // elsewhere
		cmd("h", 1, "wake", "alice", "", `{}`, 300, ledger.Pending),
		cmd("g", 1, "sleep", "dispatch", "price", `{}`, 200, ledger.Confirmed), // more than a minute after the last
		cmd("f", 2, "power", "dispatch", "cap", `{"power_w":3000}`, 41, ledger.Confirmed),
		cmd("e", 1, "power", "dispatch", "cap", `{"power_w":2500}`, 41, ledger.Refused),
		cmd("d", 3, "sleep", "alice", "price", `{}`, 40, ledger.Confirmed),
		cmd("c", 3, "sleep", "dispatch", "price", `{}`, 30, ledger.Expired),
		cmd("b", 2, "sleep", "dispatch", "price", `{}`, 0, ledger.Confirmed),
		cmd("a", 1, "sleep", "dispatch", "price", `{}`, 0, ledger.Confirmed),
	}
	got := decisions(newestFirst, known)
	if len(got) != 5 {
		t.Fatalf("%d decisions: %+v", len(got), got)
	}
	first := got[0]
	if first.ID != "a" || first.Machines != 3 || first.States["confirmed"] != 2 || first.States["expired"] != 1 || first.Trouble != "says expired" || first.Differ || !first.Until.Equal(at(30)) || first.Place != "C01" || first.Site != "hood" {
		t.Errorf("the first is %+v", first)
	}
	if c := got[2]; c.ID != "e" || !c.Differ || c.Machines != 2 || c.Trouble != "says refused" {
		t.Errorf("the cap is %+v", c)
	}
	total := 0
	for _, g := range got {
		for _, n := range g.States {
			total += n
		}
	}
	if total != len(newestFirst)-1 {
		t.Errorf("%d commands told, want all but the one elsewhere", total)
	}
}

func TestComingsAndGoings(t *testing.T) {
	start := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
	st := func(id int64, site string, seen, since time.Duration, c fleet.Condition) *fleet.Status {
		return &fleet.Status{Machine: ledger.Machine{ID: id, Site: site, FirstSeen: start.Add(seen), Place: ledger.Place{Container: "C07"}}, Condition: c, Since: start.Add(since)}
	}
	gone := st(9, "hood", -time.Hour, time.Minute, fleet.CondSilent)
	gone.Machine.Retired = start
	got := comings([]*fleet.Status{
		st(1, "hood", -time.Hour, time.Minute, fleet.CondSilent), st(2, "hood", -time.Hour, 2*time.Minute, fleet.CondSilent), // together
		st(3, "hood", -time.Hour, 30*time.Minute, fleet.CondSilent),
		st(4, "odessa", -time.Hour, time.Minute, fleet.CondSilent),
		st(5, "hood", time.Minute, time.Minute, fleet.CondHashing), st(6, "hood", time.Minute, -time.Minute, fleet.CondSilent),
		st(7, "hood", -time.Hour, -time.Minute, fleet.CondSilent), gone,
	}, start)
	count := map[string][]int{}
	for _, a := range got {
		count[a.Kind+" "+a.Site] = append(count[a.Kind+" "+a.Site], a.Machines)
		if a.Place != "C07" {
			t.Errorf("%s at %q", a.ID, a.Place)
		}
	}
	if l := count["lost hood"]; len(l) != 2 || l[0] != 2 || l[1] != 1 || len(count["lost odessa"]) != 1 || len(count["found hood"]) != 1 || count["found hood"][0] != 2 {
		t.Errorf("%v", count)
	}
}

// What happened at a site is told to those who may look at it, and to nobody else.
func TestActivityKeepsToTheScope(t *testing.T) {
	s := bare(t)
	v := visit(t, s)
	ctx := t.Context()
	machines, err := s.Record.ObserveMachines(ctx, []ledger.Sighting{{Addr: netip.MustParseAddr("10.0.0.1"), MAC: "02:00:00:00:00:01", Site: "hood"}, {Addr: netip.MustParseAddr("10.0.0.1"), MAC: "02:00:00:00:00:02", Site: "odessa"}})
	if err != nil {
		t.Fatal(err)
	}
	var ids []int64
	for _, m := range machines {
		ids = append(ids, m.ID)
		if _, err := s.Record.CreateCommand(ctx, ledger.NewCommand{Machine: m.ID, Kind: "sleep", Actor: "dispatch", Reason: "price"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Fleet.Renew(ctx, ids); err != nil {
		t.Fatal(err)
	}
	if err := s.Record.SaveSite(ctx, ledger.Site{Name: "odessa", Layout: json.RawMessage(`{"name":"odessa","cap_w":4000000,"containers":[{"name":"C1","racks":[{"name":"R1","slots":1}]}]}`)}, ledger.By("test")); err != nil {
		t.Fatal(err)
	}
	for who, c := range map[string]struct {
		grant    ledger.Grant
		machines int
		lines    int
	}{"all": {ledger.Grant{Role: ledger.Viewer}, 2, 2}, "hood": {ledger.Grant{Role: ledger.Viewer, Site: "hood"}, 1, 1}, "other": {ledger.Grant{Role: ledger.Viewer, Site: "nowhere"}, 0, 0}} {
		u, err := s.Record.AddUser(ctx, ledger.User{Name: who, Grants: []ledger.Grant{c.grant}}, ledger.By("test"))
		if err != nil {
			t.Fatal(err)
		}
		key, prefix, sum := ledger.NewAPIKey()
		if _, err := s.Record.AddAPIKey(ctx, ledger.APIKey{Prefix: prefix, Sum: sum, User: u.ID, Name: "k", Scopes: AllScopes()}, ledger.By("test")); err != nil {
			t.Fatal(err)
		}
		code, out := v.do("GET", "/api/v1/activity", nil, "Authorization", "Bearer "+key)
		n := 0
		for _, item := range out["items"].([]any) {
			if a := item.(map[string]any); a["kind"] == "command" {
				n += int(a["machines"].(float64))
			}
		}
		if code != 200 || n != c.machines {
			t.Errorf("%s: %d, decisions on %d machines, want %d", who, code, n, c.machines)
		}
		var lines []PowerLine
		v.read("/api/v1/power", key, &lines)
		if len(lines) != c.lines {
			t.Errorf("%s: power of %+v", who, lines)
		}
		for _, l := range lines {
			if l.Site == "odessa" && (l.Cap == nil || *l.Cap != 4e6 || l.Machines != 1 || l.Told != nil) {
				t.Errorf("odessa is %+v", l)
			}
		}
	}
	if code, _ := v.do("GET", "/api/v1/activity?since=2020-01-01T00:00:00Z", nil); code != 401 {
		t.Errorf("a stranger got %d", code)
	}
}

func (v *visitor) read(path, key string, into any) {
	v.t.Helper()
	req, _ := newRequest(v, path)
	req.Header.Set("Authorization", "Bearer "+key)
	res, err := v.http.Do(req)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		v.t.Fatalf("%s: %d %v", path, res.StatusCode, err)
	}
}

func TestPowerLines(t *testing.T) {
	now := time.Date(2026, 3, 1, 3, 0, 0, 0, time.UTC)
	layout, err := site.Parse([]byte(`
name: hood
cap: 100 kW
feeders: [{name: F1, cap: 60 kW}, {name: F2, from: F1, cap: 30 kW}, {name: bare}]
meters: [{name: m, source: at the grid}, {name: f, feeder: F1, source: behind}]
containers: [{name: C1, feeder: F2, racks: [{name: R1, slots: 2, addresses: 10.0.0.1-10.0.0.2}]}]`))
	if err != nil {
		t.Fatal(err)
	}
	draws := func(id byte, w unit.Opt[unit.Power], c fleet.Condition) *fleet.Status {
		return &fleet.Status{Machine: ledger.Machine{ID: int64(id), Addr: netip.AddrFrom4([4]byte{10, 0, 0, id})}, Condition: c, Reading: &miner.Reading{Power: w}}
	}
	machines := []*fleet.Status{draws(1, unit.Some(unit.Power(3000)), fleet.CondHashing), draws(2, unit.None[unit.Power](), fleet.CondHashing), draws(3, unit.Some(unit.Power(1000)), fleet.CondHashing), draws(4, unit.Some(unit.Power(999)), fleet.CondSilent)}
	meter := func(source string, w float64, age time.Duration) plant.Reading {
		return plant.Reading{Source: source, Kind: plant.MeterKind, At: now.Add(-age), Quality: plant.Good, Life: time.Minute, Meter: &plant.Meter{Power: unit.Some(unit.Power(w))}}
	}
	find := func(lines []PowerLine, of string) PowerLine {
		t.Helper()
		for _, l := range lines {
			if l.Of == of {
				return l
			}
		}
		t.Fatalf("no line for %q in %+v", of, lines)
		return PowerLine{}
	}
	lines := powerLines("hood", layout, machines, []plant.Reading{meter("at the grid", 5000, 0), meter("behind", 3500, 2*time.Minute)}, now)
	whole, f1, f2 := find(lines, "site"), find(lines, "feeder F1"), find(lines, "feeder F2")
	if *whole.Cap != 1e5 || *whole.Metered != 5000 || *whole.Told != 4000 || whole.Machines != 4 || whole.Unmetered != 1 || whole.Guessed {
		t.Errorf("site: %+v", whole)
	}
	if f1.Metered != nil || f1.Quality != "stale" || *f1.Told != 3000 || f1.Machines != 2 || f1.Unmetered != 1 {
		t.Errorf("F1, whose meter is stale: %+v", f1)
	}
	if *f2.Cap != 3e4 || f2.Meter != "" || *f2.Told != 3000 {
		t.Errorf("F2: %+v", f2)
	}
	if len(lines) != 3 {
		t.Errorf("%d lines: a feeder without cap and meter says nothing", len(lines))
	}
	for name, want := range map[string]string{"meter main": "site", "Main": "site", "utility-meter": "site", "maintenance": "maintenance", "meter F1": "meter F1"} {
		if l := find(powerLines("hood", nil, machines, []plant.Reading{meter(name, 1, 0)}, now), want); l.Meter != name || l.Guessed != (want == "site") {
			t.Errorf("%q without a layout: %+v", name, l)
		}
	}
}

func newRequest(v *visitor, path string) (*http.Request, error) {
	return http.NewRequestWithContext(v.t.Context(), http.MethodGet, v.base+path, nil)
}
