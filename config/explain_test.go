package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestExplain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "ballast.yaml")
	text := `fleet:
  interval: 20s
  ranges: [10.20.0.0/16]
credentials:
  - {firmware: antminer, user: root, password: hunter2hunter2}
metrics:
  remote_write:
    - {url: "http://u:inside99@prometheus:9090", bearer: abcdefghij}
ledger: {engine: postgres, url: "postgres://u:topsecret@db/x"}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, places, problems := LoadPlaces(Source{File: file, Env: []string{"BALLAST_SITE_ZONE=America/Chicago"}, Set: []string{"listen=127.0.0.1:1"}})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	got := map[string]Entry{}
	for _, e := range Explain(c, places) {
		if _, twice := got[e.Key]; twice {
			t.Errorf("%s twice", e.Key)
		}
		got[e.Key] = e
		for _, secret := range []string{"hunter2", "abcdefghij", "topsecret", "inside99"} {
			if strings.Contains(e.Value+e.Default+e.Where, secret) {
				t.Errorf("%s shows a secret: %+v", e.Key, e)
			}
		}
		if e.Doc == "" || e.Doc == "-" {
			t.Errorf("%s has no documentation", e.Key)
		}
	}
	for _, w := range []struct{ key, value, def, from, where, env string }{
		{"fleet.interval", "20s", "10s", "file", "ballast.yaml:2:3", "BALLAST_FLEET_INTERVAL"},
		{"fleet.ranges", "[10.20.0.0/16]", "[]", "file", "ballast.yaml:3:3", "BALLAST_FLEET_RANGES"},
		{"fleet.rescan", "15m0s", "15m0s", "default", "", "BALLAST_FLEET_RESCAN"},
		{"site.zone", "America/Chicago", "UTC", "environment", "BALLAST_SITE_ZONE", "BALLAST_SITE_ZONE"},
		{"listen", "127.0.0.1:1", "127.0.0.1:8480", "flag", "--set listen", "BALLAST_LISTEN"},
		{"credentials", "1 entry", "[]", "file", "ballast.yaml:4:1", ""},
		{"credentials[0].password", Hidden, "", "file", "", ""},
		{"credentials[0].user", "root", "", "file", "", ""},
		{"metrics.remote_write[0].bearer", Hidden, "", "file", "", ""},
		{"ledger.url", Hidden, "", "file", "", "BALLAST_LEDGER_URL"},
		{"plant.meters", "[]", "[]", "default", "", ""},
		{"fleet.ports", "{}", "{}", "default", "", ""},
	} {
		e := got[w.key]
		if e.Value != w.value || e.Default != w.def || e.From != w.from || w.where != "" && e.Where != w.where || e.Env != w.env {
			t.Errorf("%s: %+v, want %+v", w.key, e, w)
		}
	}
	if n := len(got); n < 45 {
		t.Errorf("only %d keys", n)
	}
}

func TestMeterBehindAMeter(t *testing.T) {
	for text, want := range map[string]int{
		`plant: {meters: [{name: main, address: a}, {name: f1, address: b, behind: main}]}`: 0,
		`plant: {meters: [{name: main, address: a}, {name: f1, address: b, behind: mian}]}`: 1,
		`plant: {meters: [{name: main, address: a, behind: main}, {name: f1, address: b}]}`: 1,
	} {
		file := filepath.Join(t.TempDir(), "ballast.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, problems := Load(Source{File: file}); len(problems) != want {
			t.Errorf("%s: %v", text, problems)
		}
	}
}
