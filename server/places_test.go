package server

import (
	"net/http"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"ballast/fleet"
	"ballast/ledger"
	"ballast/ledger/secretbox"
	"ballast/miner"
	"ballast/unit"
)

// keyed is a key of a user with grants.
func keyed(t *testing.T, s *Server, name string, grants ...ledger.Grant) string {
	t.Helper()
	u, err := s.Record.AddUser(t.Context(), ledger.User{Name: name, Grants: grants}, ledger.By("test"))
	if err != nil {
		t.Fatal(err)
	}
	key, prefix, sum := ledger.NewAPIKey()
	if _, err := s.Record.AddAPIKey(t.Context(), ledger.APIKey{Prefix: prefix, Sum: sum, User: u.ID, Name: "k", Scopes: AllScopes()}, ledger.By("test")); err != nil {
		t.Fatal(err)
	}
	return "Bearer " + key
}

func TestSitesAreSavedUnderTheirVersion(t *testing.T) {
	s := bare(t)
	v := visit(t, s)
	admin := keyed(t, s, "admin", ledger.Grant{Role: ledger.Admin})
	engineer := keyed(t, s, "engineer", ledger.Grant{Role: ledger.Engineer, Site: "odessa"})
	ask := func(who, method, path string, body any, header ...string) (int, map[string]any) {
		return v.do(method, "/api/v1/sites"+path, body, append(header, "Authorization", who)...)
	}
	for name, want := range map[string]int{"odessa": 201, "hood": 201, "a/b": 422, " ": 422} {
		if code, out := ask(admin, "POST", "", map[string]any{"name": name, "ranges": map[string][]string{"odessa": {"10.1.0.0/16"}}[name]}); code != want {
			t.Errorf("adding %q: %d %v", name, code, out)
		}
	}
	if code, _ := ask(admin, "POST", "", map[string]any{"name": "odessa"}); code != 409 {
		t.Errorf("a site twice: %d", code)
	}
	if code, _ := ask(engineer, "POST", "", map[string]any{"name": "mine"}); code != 403 {
		t.Errorf("an engineer of one site added another: %d", code)
	}
	if code, _ := ask(engineer, "GET", "/hood", nil); code != 404 {
		t.Errorf("an engineer of one site sees another: %d", code)
	}
	layout := map[string]any{"name": "Odessa", "containers": []any{map[string]any{"name": "C1", "racks": []any{map[string]any{"name": "R1", "slots": 4, "addresses": "10.1.0.1-4"}}}}}
	body := map[string]any{"title": "Odessa", "ranges": []string{"10.1.0.0/16"}, "layout": layout}
	for _, c := range []struct {
		name, match string
		body        map[string]any
		want        int
		says        string
	}{
		{"without a version", "", body, 428, "If-Match"},
		{"an old version", `"7"`, body, 412, "somebody else"},
		{"addresses of another site", `"1"`, map[string]any{"title": "Odessa", "ranges": []string{"10.2.0.0/15", "10.1.0.0/17"}, "layout": layout}, 422, "in common"},
		{"no addresses", `"1"`, map[string]any{"title": "Odessa", "ranges": []string{"here"}, "layout": layout}, 422, "no address range"},
		{"not valid", `"1"`, map[string]any{"title": "Odessa", "ranges": []string{}, "layout": map[string]any{"name": "x", "zone": "Mars/Base"}}, 422, "not valid"},
		{"right", `"1"`, body, 200, ""},
		{"right, too late", `"1"`, body, 412, "somebody else"},
	} {
		if c.name == "addresses of another site" {
			if code, out := ask(admin, "PUT", "/hood", map[string]any{"title": "Hood", "ranges": []string{"10.2.0.0/16"}, "layout": map[string]any{"name": "Hood"}}, "If-Match", `"1"`); code != 200 {
				t.Fatal(code, out)
			}
		}
		header := []string{}
		if c.match != "" {
			header = []string{"If-Match", c.match}
		}
		if code, out := ask(engineer, "PUT", "/odessa", c.body, header...); code != c.want || !strings.Contains(strings.ToLower(detail(out)), strings.ToLower(c.says)) {
			t.Errorf("%s: %d %v", c.name, code, out)
		}
	}
	if code, out := ask(admin, "DELETE", "/hood", nil); code != 204 {
		t.Errorf("removing an empty site: %d %v", code, out)
	}
	// The whole way out and back in.
	res, err := http.NewRequestWithContext(t.Context(), http.MethodGet, v.base+"/api/v1/sites/odessa/layout?format=csv", nil)
	if err != nil {
		t.Fatal(err)
	}
	res.Header.Set("Authorization", engineer)
	got, err := v.http.Do(res)
	if err != nil {
		t.Fatal(err)
	}
	defer got.Body.Close()
	text := make([]byte, 4096)
	n, _ := got.Body.Read(text)
	if !strings.HasPrefix(string(text[:n]), "building,container,rack,slot,ip,mac,serial\n,C1,R1,1,10.1.0.1") || !strings.Contains(got.Header.Get("Content-Disposition"), `"odessa.csv"`) {
		t.Errorf("%v %s", got.Header, text[:n])
	}
	code, out := ask(engineer, "POST", "/odessa/import", map[string]any{"text": string(text[:n]), "layout": layout})
	if code != 200 || out["same"] != 4.0 || out["layout"] == nil {
		t.Errorf("%d %v", code, out)
	}
}

func detail(out map[string]any) string {
	s, _ := out["detail"].(string)
	return s
}

func TestMachinePasswordsAreNeverTold(t *testing.T) {
	s := bare(t)
	box, err := secretbox.Open(filepath.Join(t.TempDir(), "secrets.key"))
	if err != nil {
		t.Fatal(err)
	}
	s.Box, s.Keys = box, &fleet.Keys{}
	v := visit(t, s)
	admin := keyed(t, s, "admin", ledger.Grant{Role: ledger.Admin})
	engineer := keyed(t, s, "engineer", ledger.Grant{Role: ledger.Engineer, Site: "odessa"})
	const path, secret = "/api/v1/machine-passwords", "hunter2-never-told"
	for _, c := range []struct {
		who  string
		body map[string]any
		want int
	}{
		{engineer, map[string]any{"password": secret}, 403},
		{engineer, map[string]any{"site": "hood", "password": secret}, 403},
		{engineer, map[string]any{"site": "odessa", "user": "root", "password": secret}, 201},
		{admin, map[string]any{"range": "10.9.0.0/16", "firmware": "antminer", "password": secret}, 201},
		{admin, map[string]any{"range": "nowhere", "password": secret}, 422},
		{admin, map[string]any{"firmware": "windows", "password": secret}, 422},
		{admin, map[string]any{"user": "root"}, 422},
	} {
		if code, out := v.do("POST", path, c.body, "Authorization", c.who); code != c.want {
			t.Errorf("%v: %d %v", c.body, code, out)
		}
	}
	if c := s.Keys.Credentials(netip.MustParseAddr("10.9.1.1"), miner.Antminer); string(c.Password) != secret {
		t.Error("not in use at once")
	}
	code, out := v.do("GET", path, nil, "Authorization", admin)
	if list, _ := out["passwords"].([]any); code != 200 || len(list) != 2 {
		t.Fatal(code, out)
	}
	if _, out := v.do("GET", path, nil, "Authorization", engineer); len(out["passwords"].([]any)) != 1 {
		t.Error("an engineer of one site sees passwords of others:", out)
	}
	if code, _ := v.do("PUT", path+"/2", map[string]any{"password": "x"}, "Authorization", engineer); code != 404 {
		t.Error("an engineer of one site changed a password of all:", code)
	}
	// Changing where it fits leaves what it is.
	if code, out := v.do("PUT", path+"/2", map[string]any{"range": "10.8.0.0/16"}, "Authorization", admin); code != 200 {
		t.Error(code, out)
	}
	if c := s.Keys.Credentials(netip.MustParseAddr("10.8.1.1"), miner.Antminer); string(c.Password) != secret {
		t.Error("the password was lost with a change of its range")
	}
	rows, err := s.Record.AuditRows(t.Context(), ledger.AuditFilter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if strings.Contains(r.Detail, secret) {
			t.Errorf("the audit log tells it: %+v", r)
		}
	}
	kept, err := s.Record.MachinePasswords(t.Context())
	if err != nil || strings.Contains(kept[0].Sealed, secret) {
		t.Errorf("%v %v", kept, err)
	}
	if code, _ := v.do("DELETE", path+"/2", nil, "Authorization", admin); code != 204 {
		t.Error(code)
	}
	if c := s.Keys.Credentials(netip.MustParseAddr("10.8.1.1"), miner.Antminer); c.Password != "" {
		t.Error("in use after it was forgotten")
	}
}

func TestUsePools(t *testing.T) {
	reading := func(url, user string, hashrate unit.Hashrate, accepted, rejected int64) *fleet.Status {
		return &fleet.Status{Condition: fleet.CondHashing, Reading: &miner.Reading{State: miner.Hashing, HashrateNow: unit.Some(hashrate), Pools: []miner.Pool{
			{URL: url, User: user, Active: unit.Some(true), Alive: unit.Some(true), Accepted: unit.Some(accepted), Rejected: unit.Some(rejected)},
			{URL: "stratum+tcp://spare:3333", User: user, Active: unit.Some(false), Alive: unit.Some(false)},
		}}}
	}
	all := []*fleet.Status{reading("stratum+tcp://main:3333", "acct.1", 100, 90, 10), reading("STRATUM+TCP://MAIN:3333/", "acct.2", 50, 100, 0), reading("stratum+tcp://thief:3333", "x.1", 25, 1, 0)}
	for i, st := range all {
		st.Machine.ID, st.Machine.Site = int64(i+1), "odessa"
	}
	profile := ledger.PoolProfile{Name: "Main", Site: "odessa", Pools: []ledger.ProfilePool{{URL: "stratum+tcp://main:3333", User: "acct.{ip4}"}}}
	got := usePools(all, []ledger.PoolProfile{profile})
	first := got.Pools[0]
	if first.Active != 2 || first.Workers != 2 || first.Hashrate != 150 || first.Reject == nil || *first.Reject != 0.05 || first.Profile != "Main" {
		t.Errorf("%+v", first)
	}
	if got.StrayAll != 1 || got.Stray[0].ID != 3 || got.Stray[0].Profile != "Main" {
		t.Errorf("%+v", got.Stray)
	}
	for _, u := range got.Pools {
		if u.URL == "stratum+tcp://spare:3333" && u.Account == "acct" && (u.Dead != 2 || u.Active != 0 || u.Reject != nil) {
			t.Errorf("%+v", u)
		}
	}
	if other := usePools(all, []ledger.PoolProfile{{Name: "Hood", Site: "hood", Pools: profile.Pools}}); other.StrayAll != 0 {
		t.Errorf("a profile of another site: %+v", other.Stray)
	}
}

func TestWorkerName(t *testing.T) {
	m := ledger.Machine{ID: 7, Addr: netip.MustParseAddr("10.20.3.44"), MAC: "02:aa:00:00:00:01", Hostname: "h", Place: ledger.Place{Container: "C1", Rack: "R2", Slot: "3"}}
	if got := workerName("acct.{container}{rack}s{slot}-{ip3}x{ip4}-{mac}-{name}", m); got != "acct.C1R2s3-3x44-02aa00000001-h" {
		t.Error(got)
	}
	for u, ok := range map[string]bool{"stratum+tcp://a:3333": true, "stratum+ssl://pool.example.com:443": true, "http://a:80": false, "a:3333": false, "stratum+tcp://a": false, "stratum+tcp://a:99999": false, "stratum+tcp://a b:1": false} {
		if (poolURL(u) == nil) != ok {
			t.Errorf("%q: %v", u, poolURL(u))
		}
	}
}
