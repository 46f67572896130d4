package braiins

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/sim"
)

func rig(t testing.TB, version string) (*sim.Rig, *machine) {
	t.Helper()
	model, ok := miner.LookupModel("Antminer S19j Pro (104T)")
	if !ok {
		t.Fatal("no such model")
	}
	r := sim.NewRig(sim.Spec{Model: model, Firmware: miner.Braiins, Version: version, MAC: "02:00:00:00:00:01", Serial: "S1", Password: "pw", Seed: 1}, nil)
	return r, machineOf(r)
}

// ask sends one request to port 80.
func ask(m *machine, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	webHandler{m}.ServeHTTP(w, r)
	return w
}

func signedIn(t testing.TB, m *machine) string {
	t.Helper()
	w := ask(m, http.MethodPost, "/api/v1/auth/login", `{"username":"root","password":"pw"}`)
	token := gjson.Get(w.Body.String(), "token").Str
	if w.Code != http.StatusOK || len(token) != 16 || gjson.Get(w.Body.String(), "timeout_s").Int() != 3600 {
		t.Fatalf("signing in: %d %s", w.Code, w.Body)
	}
	return token
}

func TestPorts(t *testing.T) {
	for version, want := range map[string]int{"22.08": 2, "23.12": 3, "24.04": 2, "25.07": 3, "26.04": 3, "": 3, "nonsense": 3} {
		if got := New().Ports(sim.Spec{Version: version}); len(got) != want {
			t.Errorf("%q listens on %v", version, got)
		}
	}
}

// Every document of REST is valid JSON with the members that the API's
// description requires.
func TestDocuments(t *testing.T) {
	required := map[string]string{
		"miner/details":               "uid miner_identity.name miner_identity.miner_model platform bos_mode bos_version.current hostname mac_address system_uptime bosminer_uptime_s system_uptime_s status kernel_version control_board_soc_family psu_info",
		"miner/stats":                 "pool_stats.accepted_shares pool_stats.generated_work miner_stats.real_hashrate.last_5s.gigahash_per_second miner_stats.real_hashrate.since_restart miner_stats.nominal_hashrate power_stats.approximated_consumption.watt",
		"miner/hw/hashboards":         "hashboards.0.id hashboards.2.stats.real_hashrate.last_24h hashboards.1.highest_chip_temp.temperature.degree_c hashboards.0.board_temp.degree_c",
		"miner/errors":                "errors",
		"miner/status":                "status",
		"cooling/state":               "fans.3.rpm highest_temperature.location",
		"performance/tuner-state":     "overall_tuner_state mode_state.powertargetmodestate.current_target.watt mode_state.powertargetmodestate.profile.created.seconds",
		"performance/target-profiles": "power_target_profiles.0.target.watt hashrate_target_profiles",
		"performance/mode":            "tunermode.target.powertarget.power_target.watt",
		"configuration/constraints":   "tuner_constraints.power_target.min.watt tuner_constraints.hashrate_target.max.terahash_per_second hashboards_constraints.hashboard_ids.2 cooling_constraints dps_constraints",
		"configuration/miner":         "pool_groups.0.pools.0.url tuner.power_target.watt temperature",
		"pools":                       "0.name 0.strategy.quota.value 0.pools.0.stats.accepted_shares 0.pools.0.alive",
		"network":                     "name networks dns_servers mac_address",
		"license/license":             "state.valid.dev_fee.bsp",
	}
	for _, version := range []string{"25.07", "26.04", "26.05"} {
		r, m := rig(t, version)
		token := signedIn(t, m)
		for path, members := range required {
			w := ask(m, http.MethodGet, "/api/v1/"+path, "", "Authorization", token)
			if w.Code != http.StatusOK || !json.Valid(w.Body.Bytes()) {
				t.Fatalf("%s %s: %d %s", version, path, w.Code, w.Body)
			}
			for member := range strings.FieldsSeq(members) {
				if !gjson.GetBytes(w.Body.Bytes(), member).Exists() {
					t.Errorf("%s %s has no %s: %s", version, path, member, w.Body)
				}
			}
		}
		best := gjson.GetBytes(ask(m, http.MethodGet, "/api/v1/miner/stats", "", "Authorization", token).Body.Bytes(), "miner_stats.best_share_str")
		if best.Exists() != (version != "25.07") {
			t.Errorf("%s: best_share_str %v", version, best)
		}
		_ = r
	}
}

func TestSignIn(t *testing.T) {
	_, m := rig(t, "25.07")
	for body, want := range map[string]int{
		`{"username":"root","password":"no"}`: 401, `{"username":"admin","password":"pw"}`: 401, `{"username":"root"}`: 422, `nonsense`: 422, `{"username":"root","password":"pw"}`: 200,
	} {
		if w := ask(m, http.MethodPost, "/api/v1/auth/login", body); w.Code != want {
			t.Errorf("%s: %d, want %d", body, w.Code, want)
		}
	}
	for _, token := range []string{"", "guess", "Bearer guess"} {
		if w := ask(m, http.MethodGet, "/api/v1/miner/stats", "", "Authorization", token); w.Code != http.StatusUnauthorized {
			t.Errorf("with %q: %d", token, w.Code)
		}
	}
	if w := ask(m, http.MethodGet, "/api/v1/version", ""); w.Code != http.StatusOK {
		t.Errorf("the version without a token: %d", w.Code)
	}
	for range 3 * mostTokens {
		m.newToken()
	}
	if len(m.tokens) > mostTokens {
		t.Errorf("%d tokens are kept", len(m.tokens))
	}
}

func TestChanges(t *testing.T) {
	r, m := rig(t, "26.04")
	token := signedIn(t, m)
	put := func(path, body string) (int, string) {
		w := ask(m, http.MethodPut, "/api/v1/"+path, body, "Authorization", token)
		return w.Code, strings.TrimSpace(w.Body.String())
	}
	low, byDefault, high := m.limits()
	for _, c := range []struct {
		path, body string
		code       int
		answer     string
	}{
		{"performance/power-target", `{"watt":2500}`, 200, `{"watt":2500}`},
		{"performance/power-target/increment", `{"watt":100}`, 200, `{"watt":2600}`},
		{"performance/power-target/decrement", `{"watt":50}`, 200, `{"watt":2550}`},
		{"performance/power-target", `{"watt":1}`, 400, "Power target out of range min: Some("},
		{"performance/power-target", `{"terahash_per_second":1}`, 422, ""},
		{"performance/hashrate-target", `{"terahash_per_second":90}`, 200, `{"terahash_per_second":90.0}`},
		{"performance/hashrate-target", `{"terahash_per_second":1e9}`, 400, "Hashrate target out of range"},
		{"performance/power-target/default", ``, 200, `{"watt":`},
		{"performance/power-target/sideways", `{"watt":50}`, 404, ""},
		{"actions/locate", `true`, 200, `true`},
		{"actions/locate", `"yes"`, 422, ""},
		{"actions/pause", ``, 200, `false`},
		{"actions/pause", ``, 200, `true`},
		{"actions/stop", ``, 200, `false`},
		{"actions/resume", ``, 500, "not running"},
		{"actions/start", ``, 200, `false`},
		{"pools/batch", `[{"name":"g","pools":[{"url":"stratum+tcp://a:1","user":"u"}]}]`, 200, `"name":"g"`},
		{"pools/batch", `[{"name":"g","pools":[{"url":"ftp://a","user":"u"}]}]`, 400, "Invalid"},
		{"actions/dance", ``, 404, ""},
	} {
		if code, answer := put(c.path, c.body); code != c.code || !strings.Contains(answer, c.answer) {
			t.Errorf("PUT %s %s: %d %s, want %d %s", c.path, c.body, code, answer, c.code, c.answer)
		}
	}
	if s := r.Snapshot(); !s.Locating || len(s.Pools) != 1 || s.Pools[0].URL != "stratum+tcp://a:1" || low >= byDefault || byDefault > high {
		t.Errorf("afterwards: %+v; limits %d, %d, %d", s.Pools, low, byDefault, high)
	}
	w := ask(m, http.MethodPatch, "/api/v1/miner/hw/hashboards", `{"enable":false,"hashboard_ids":["2"]}`, "Authorization", token)
	if w.Code != http.StatusOK || r.Snapshot().Boards[1].Enabled {
		t.Errorf("switching a board off: %d %s", w.Code, w.Body)
	}
	board := ask(m, http.MethodGet, "/api/v1/miner/hw/hashboards", "", "Authorization", token).Body.String()
	if gjson.Get(board, "hashboards.1.enabled").Bool() || gjson.Get(board, "hashboards.1.chips_count").Type != gjson.Null {
		t.Errorf("a board that is off: %s", gjson.Get(board, "hashboards.1"))
	}
	if code, _ := put("actions/reboot", ""); code != http.StatusNoContent {
		t.Errorf("rebooting: %d", code)
	}
	if code, _ := put("actions/locate", "false"); code != http.StatusUnauthorized {
		t.Errorf("a token outlives the reboot: %d", code)
	}
}

func query(m *machine, cookie, text string) string {
	b, _ := json.Marshal(map[string]string{"query": text})
	return ask(m, http.MethodPost, "/graphql", string(b), "Cookie", cookie).Body.String()
}

func TestGraphQL(t *testing.T) {
	_, m := rig(t, "24.04")
	open := query(m, "", `{ b: bos { info { version { full __typename } } hostname } bosminer { info { modelName } } }`)
	if gjson.Get(open, "data.b.info.version.__typename").Str != "BosVersion" || gjson.Get(open, "data.bosminer.info.modelName").Str != "Antminer S19j Pro" {
		t.Errorf("to anybody: %s", open)
	}
	if gjson.Get(open, "data.b.hostname").Type != gjson.Null || gjson.Get(open, "errors.0.extensions.code").Str != "UNAUTHORIZED" || gjson.Get(open, "errors.0.path.1").Str != "hostname" {
		t.Errorf("without a session: %s", open)
	}
	login := ask(m, http.MethodPost, "/graphql", `{"query":"mutation ($u: String!, $p: String!) { auth { login(username: $u, password: $p) { ... on VoidResult { void } ... on AuthError { message } } } }","variables":{"u":"root","p":"pw"}}`)
	cookie, _, _ := strings.Cut(login.Header().Get("Set-Cookie"), ";")
	if !strings.HasPrefix(cookie, "session_id=") {
		t.Fatalf("signing in: %s %v", login.Body, login.Header())
	}
	if bad := query(m, "", `mutation { auth { login(username: "root", password: "no") { ... on AuthError { message } } } }`); gjson.Get(bad, "data.auth.login.message").Str != "Bad credentials" {
		t.Errorf("with a wrong password: %s", bad)
	}
	whole := query(m, cookie, `query Q { bos { hostname macAddress uptime { durationS } faultLight errors { message } } bosminer { info { fans { rpm } summary { power { limitW } shares { acceptedSolutions } }
		workSolver { nominalMhs childSolvers { name temperatures { name degreesC } hwDetails { chips } } } poolGroups { pools { url status } } } config { ... on BosminerConfig { groups { id } } ... on BosminerConfigError { message } } metadata { autotuning { powerTarget { min } } } } }`)
	for path, want := range map[string]string{
		"data.bos.macAddress": "02:00:00:00:00:01", "data.bosminer.info.workSolver.childSolvers.2.name": "3", "data.bosminer.info.workSolver.childSolvers.0.temperatures.0.name": "Board",
		"data.bosminer.info.poolGroups.0.pools.0.status": "ALIVE", "data.bosminer.info.fans.#": "4",
	} {
		if got := gjson.Get(whole, path).String(); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	if gjson.Get(whole, "errors").Exists() || gjson.Get(whole, "data.bosminer.config.message").Exists() {
		t.Errorf("complaints: %s", whole)
	}
	wrong := query(m, cookie, `{ bos { colour } }`)
	if gjson.Get(wrong, "data").Type != gjson.Null || gjson.Get(wrong, "errors.0.message").Str != `Unknown field "colour" on type "BosQuery".` {
		t.Errorf("an unknown field: %s", wrong)
	}
	set := query(m, cookie, `mutation { bosminer { config { updateAutotuning(input: {powerTarget: 2000}, apply: true) { ... on AutotuningOut { autotuning { powerTarget } } ... on AutotuningError { message } } } } bos { setFaultLight(enable: true) { enabled } } }`)
	if gjson.Get(set, "data.bosminer.config.updateAutotuning.autotuning.powerTarget").Int() != 2000 || !gjson.Get(set, "data.bos.setFaultLight.enabled").Bool() {
		t.Errorf("setting: %s", set)
	}
	for _, bad := range []string{"", "{", "{ bos { }", "subscription { event }", "{ bos(", `{ a(b: "c) }`, "{ bos { ... info } }", strings.Repeat("{a", 100)} {
		if got := query(m, cookie, bad); !gjson.Valid(got) || gjson.Get(got, "errors.0.message").Str == "" {
			t.Errorf("%q: %s", bad, got)
		}
	}
	// 22.08 knew less.
	_, old := rig(t, "22.08")
	if got := query(old, "", `{ bos { macAddress } }`); !strings.Contains(got, "Unknown field") {
		t.Errorf("22.08: %s", got)
	}
}

// The cgminer API ends with a NUL, joins commands, and refuses what it does not
// know.
func TestAPI(t *testing.T) {
	_, m := rig(t, "24.04")
	say := func(request string) string {
		near, far := net.Pipe()
		go New().Serve(t.Context(), portAPI, far, m.rig)
		_ = near.SetDeadline(time.Now().Add(5 * time.Second))
		if _, err := io.WriteString(near, request); err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(near)
		if err != nil {
			t.Fatal(err)
		}
		if len(b) == 0 || b[len(b)-1] != 0 || !json.Valid(b[:len(b)-1]) {
			t.Fatalf("%s: %q", request, b)
		}
		return string(b[:len(b)-1])
	}
	both := say(`{"command":"version+config"}`)
	if gjson.Get(both, "version.0.VERSION.0.API").Str != "3.7" || !gjson.Get(both, "config.0.CONFIG.0").Exists() || gjson.Get(both, "id").Int() != 1 {
		t.Errorf("two commands: %s", both)
	}
	for command, section := range map[string]string{
		"summary": "SUMMARY.0.Elapsed", "devs": "DEVS.2.MHS 5s", "devdetails": "DEVDETAILS.0.Model", "temps": "TEMPS.1.Chip", "fans": "FANS.3.RPM", "tempctrl": "TEMPCTRL.0.Hot",
		"tunerstatus": "TUNERSTATUS.0.TunerChainStatus.2.HashchainIndex", "pools": "POOLS.0.Stratum Active", "pause": "PAUSE.0", "resume": "RESUME.0",
	} {
		if got := say(`{"command":"` + command + `"}`); gjson.Get(got, "STATUS.0.STATUS").Str != "S" || !gjson.Get(got, section).Exists() {
			t.Errorf("%s has no %s: %s", command, section, got)
		}
	}
	for request, code := range map[string]int64{`{"command":"dance"}`: 14, `nonsense`: 23, `{"command":`: 23} {
		if request == `{"command":` {
			request += "}" // a bracket ends the request, if not the JSON
		}
		if got := say(request); gjson.Get(got, "STATUS.0.Code").Int() != code {
			t.Errorf("%s: %s", request, got)
		}
	}
	m.setStopped(true)
	if got := say(`{"command":"summary"}`); gjson.Get(got, "STATUS.0.Msg").Str != "Not ready" {
		t.Errorf("with BOSminer stopped: %s", got)
	}
}

func FuzzQuery(f *testing.F) {
	for _, seed := range []string{`{bos{info{version{full}}}}`, `mutation($u:String!){auth{login(username:$u,password:"x"){...on VoidResult{void}}}}`, `query Q{a:bos{errors{message}}}`, `{x(a:[1,2.5e3,{b:null}])}`, `{#`, `{a(b:"\u00e9\"")}`} {
		f.Add(seed)
	}
	_, m := rig(f, "25.07")
	f.Fuzz(func(t *testing.T, text string) {
		op, err := parseQuery(text, map[string]any{"u": "root"})
		if err != nil || op.mutation {
			return
		}
		q := &session{m: m, s: m.rig.Snapshot(), signed: true, at: m.at()}
		w := &walker{}
		if err := w.object(q.query(), op.picks); err == nil && !json.Valid(w.answer()) {
			t.Fatalf("%s answers %s", text, w.answer())
		}
	})
}

func FuzzRequestMessage(f *testing.F) {
	f.Add([]byte{0x08, 0x02, 0x12, 0x03, 0x08, 0xc4, 0x13})
	f.Add([]byte{0x12, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, b []byte) {
		m := message(b)
		_ = m.uint(1)
		_ = m.double(2)
		for _, sub := range m.messages(2) {
			_ = sub.text(1)
			_ = sub.message(5)
		}
	})
}

// What one poll of REST costs the simulator, physics included.
func BenchmarkPoll(b *testing.B) {
	_, m := rig(b, "25.07")
	token := signedIn(b, m)
	requests := make([]*http.Request, 0, 4)
	for _, path := range []string{"miner/details", "miner/stats", "miner/hw/hashboards", "cooling/state"} {
		r := httptest.NewRequest(http.MethodGet, "/api/v1/"+path, nil)
		r.Header.Set("Authorization", token)
		requests = append(requests, r)
	}
	b.ReportAllocs()
	for b.Loop() {
		for _, r := range requests {
			w := httptest.NewRecorder()
			webHandler{m}.ServeHTTP(w, r)
			if w.Code != http.StatusOK {
				b.Fatal(w.Code)
			}
		}
	}
}
