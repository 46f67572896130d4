package config

import (
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"ballast/miner"
)

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ballast.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFileEnvironmentFlagOverrideInThatOrder(t *testing.T) {
	path := file(t, "fleet:\n  interval: 20s\n  rescan: 1h\n  ports: {80: 8080}\nsite:\n  name: Odessa\nlisten: 127.0.0.1:9000\n")
	c, ps := Load(Source{File: path, Env: []string{"BALLAST_FLEET_INTERVAL=30s", "BALLAST_FLEET_RESCAN=2h", "BALLAST_FLEET_RANGES=10.0.0.0/24, 10.1.0.0/24", "PATH=/bin"}, Set: []string{"fleet.interval=40s"}})
	if len(ps) > 0 {
		t.Fatal(ps)
	}
	if c.Fleet.Interval != 40*time.Second || c.Fleet.Rescan != 2*time.Hour || c.Site.Name != "Odessa" || c.Fleet.Ports[80] != 8080 || len(c.Fleet.Ranges) != 2 {
		t.Errorf("%+v", c.Fleet)
	}
	if c.Fleet.Commands != Default().Fleet.Commands || c.Site.Zone != "UTC" {
		t.Error("keys the file does not name must keep their defaults", c.Fleet.Commands, c.Site)
	}
}

func TestProblemsSayWhatAndWhere(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"unknown key", "fleet:\n  intervall: 5s\n", "ballast.yaml:2:3: intervall: no such key; did you mean interval?"},
		{"not YAML", "fleet: [\n", "ballast.yaml:1:"},
		{"wrong type", "fleet:\n  interval: soon\n", "ballast.yaml:2:13: "},
		{"too short", "fleet:\n  interval: 10ms\n", "ballast.yaml:2:3: fleet.interval: 10ms is too small: at least 1s"},
		{"range with host bits", "fleet:\n  ranges: [10.20.0.7/16]\n", "did you mean 10.20.0.0/16?"},
		{"range too large", "fleet:\n  ranges:\n    - 10.0.0.0/8\n", "ballast.yaml:3:7: fleet.ranges[0]: 10.0.0.0/8 has more addresses"},
		{"enum", "log:\n  level: loud\n", `ballast.yaml:2:3: log.level: "loud" is none of debug, info, warn, error`},
		{"two passwords", "credentials:\n  - password: a\n    password_env: B\n", "credentials[0]: give exactly one of"},
		{"zone", "site:\n  zone: Texas\n", "no IANA time zone"},
		{"listen", "listen: 8480\n", "no address such as"},
		{"open without TLS", "listen: 0.0.0.0:8480\n", "ballast.yaml:1:1: listen: 0.0.0.0:8480 is open to a network without TLS"},
		{"open to all without TLS", "listen: ':8480'\n", "without TLS"},
		{"a certificate without key", "tls:\n  cert: a.pem\n", "ballast.yaml:1:1: tls: give both cert and key"},
		{"files and ACME", "tls:\n  cert: a\n  key: b\n  acme:\n    hosts: [a.example.com]\n", "not both"},
		{"ACME for an address", "tls:\n  acme:\n    hosts: [192.0.2.1]\n", "is no name such as ballast.example.com"},
		{"TLS under a plain URL", "tls:\n  cert: a\n  key: b\nurl: http://b.example.com\n", "is plain HTTP, and tls is on"},
		{"everybody a proxy", "trusted_proxies: [0.0.0.0/0]\n", "trusts everybody"},
		{"issuer over plain HTTP", "sign_in:\n  oidc:\n    issuer: http://login.example.com\n    client_id: x\n", "ballast.yaml:3:5: sign_in.oidc.issuer"},
		{"no client", "sign_in:\n  oidc:\n    issuer: https://login.example.com\n", "sign_in.oidc.client_id: is missing"},
		{"grants of no claim", "sign_in:\n  oidc:\n    issuer: https://a.example.com\n    client_id: x\n    grants: [{value: ops, role: operator}]\n", "name the claim"},
		{"no such role", "sign_in:\n  oidc:\n    issuer: https://a.example.com\n    client_id: x\n    claim: groups\n    grants: [{value: ops, role: root}]\n", `"root" is none of viewer`},
		{"two secrets", "sign_in:\n  oidc:\n    issuer: https://a.example.com\n    client_id: x\n    client_secret: a\n    client_secret_env: B\n", "at most one of"},
		{"postgres without URL", "ledger:\n  engine: postgres\n", "needs a connection URL"},
		{"deadline over interval", "fleet:\n  deadline: 1m\n", "longer than the interval"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, ps := Load(Source{File: file(t, tt.text)})
			err := Problems(ps)
			if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	_, ps := Load(Source{Env: []string{"BALLAST_FLEET_INTERVAL=x"}, Set: []string{"fleet.intervl=5s", "nonsense"}})
	got := Problems(ps).Error()
	for _, fine := range []string{
		"listen: '[::1]:8480'\n", "listen: localhost:1\n", "listen: 0.0.0.0:8480\nlisten_plain: true\n", "listen: ':443'\ntls:\n  acme:\n    hosts: [b.example.com]\n",
		"listen: ':443'\ntls: {cert: a, key: b}\nurl: https://b.example.com\n", "sign_in:\n  oidc:\n    issuer: http://127.0.0.1:9000\n    client_id: x\n",
	} {
		if _, ps := Load(Source{File: file(t, fine)}); len(ps) > 0 {
			t.Errorf("%q: %v", fine, ps)
		}
	}
	for _, want := range []string{`BALLAST_FLEET_INTERVAL: fleet.interval: "x" is no duration`, "did you mean fleet.interval?", "want key=value"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q misses %q", got, want)
		}
	}
	if _, ps := Load(Source{File: "/no/such/file.yaml"}); len(ps) != 1 || !strings.Contains(ps[0].Message, "no such file") {
		t.Error(ps)
	}
}

// What print shows is a valid file that loads to the same configuration.
func TestAnnotatedLoadsBack(t *testing.T) {
	c := Default()
	c.Fleet.Ranges = []netip.Prefix{netip.MustParsePrefix("10.20.0.0/16")}
	c.Fleet.Ports = map[uint16]uint16{80: 8080}
	c.TLS.ACME.Hosts = []string{"ballast.example.com"}
	c.SignIn.OIDC = OIDC{Issuer: "https://login.example.com", ClientID: "ballast", Scopes: []string{"profile"}, Claim: "groups", Grants: []ClaimGrant{{Value: "*ops", Role: "operator", Site: "a: b"}}, Domains: []string{"example.com"}}
	c.Keys = []Credential{{Firmware: miner.Antminer, User: "root", PasswordEnv: "X"}}
	got, ps := Load(Source{File: file(t, Annotated(c))})
	if len(ps) > 0 {
		t.Fatalf("%v\n%s", ps, Annotated(c))
	}
	if len(got.Keys) == 1 && got.Fleet.Ranges[0] == c.Fleet.Ranges[0] {
		got.Plant, c.Plant = Plant{}, Plant{}
		got.Metrics.RemoteWrite, c.Metrics.RemoteWrite = nil, nil
		got.Market.Feeds, c.Market.Feeds = nil, nil
		if p := &got.Power; len(p.Feeds)+len(p.Contracts)+len(p.Forecast.Series) == 0 {
			p.Feeds, p.Contracts, p.Forecast.Series = nil, nil, nil
		}
		if len(got.TrustedProxies) == 0 { // an empty list and none are the same
			got.TrustedProxies = nil
		}
		got.TLS.ACME.Hosts, c.TLS.ACME.Hosts = append([]string{}, got.TLS.ACME.Hosts...), append([]string{}, c.TLS.ACME.Hosts...)
		o, w := &got.SignIn.OIDC, &c.SignIn.OIDC
		o.Scopes, w.Scopes = append([]string{}, o.Scopes...), append([]string{}, w.Scopes...)
		o.Domains, w.Domains = append([]string{}, o.Domains...), append([]string{}, w.Domains...)
		o.Grants, w.Grants = append([]ClaimGrant{}, o.Grants...), append([]ClaimGrant{}, w.Grants...)
	}
	if !reflect.DeepEqual(got, c) {
		t.Errorf("got  %+v\nwant %+v", got, c)
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	c := Default()
	c.Keys = []Credential{{Password: "hunter2"}}
	c.Ledger.URL = "postgres://u:hunter2@h/db"
	b, err := yaml.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{Annotated(c), string(b)} {
		if strings.Contains(text, "hunter2") {
			t.Error(text)
		}
	}
}

// Every key is documented, and the committed schema is the struct's.
func TestSchema(t *testing.T) {
	var s map[string]any
	if err := json.Unmarshal(Schema(), &s); err != nil {
		t.Fatal(err)
	}
	var visit func(path string, s map[string]any)
	visit = func(path string, s map[string]any) {
		props, _ := s["properties"].(map[string]any)
		for k, v := range props {
			p := v.(map[string]any)
			if p["description"] == "" {
				t.Errorf("%s.%s has no description", path, k)
			}
			visit(path+"."+k, p)
		}
	}
	visit("", s)
	committed, err := os.ReadFile("../docs/config.schema.json")
	if err != nil || string(committed) != string(Schema()) {
		t.Errorf("docs/config.schema.json is not the struct's schema (%v); run: go run ./cmd/ballast config schema > docs/config.schema.json", err)
	}
}

func TestKeyring(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "pw")
	if err := os.WriteFile(secret, []byte("from file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("BALLAST_TEST_PW", "from env")
	c := Config{Keys: []Credential{
		{Range: netip.MustParsePrefix("10.1.0.0/16"), Firmware: miner.VNish, PasswordFile: secret},
		{Firmware: miner.VNish, PasswordEnv: "BALLAST_TEST_PW"},
		{Range: netip.MustParsePrefix("10.1.0.0/16"), User: "root", Password: "inline"},
	}}
	k, err := c.Keyring()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		addr string
		fw   miner.Firmware
		want miner.Secret
	}{{"10.1.0.1", miner.VNish, "from file"}, {"10.2.0.1", miner.VNish, "from env"}, {"10.1.0.1", miner.Antminer, "inline"}, {"10.2.0.1", miner.Antminer, ""}} {
		if got := k.Credentials(netip.MustParseAddr(tt.addr), tt.fw).Password; got != tt.want {
			t.Errorf("%s %s: %q", tt.addr, tt.fw, string(got))
		}
	}
	c.Keys[1].PasswordEnv = "BALLAST_NOT_SET"
	if _, err := c.Keyring(); err == nil || !strings.Contains(err.Error(), "BALLAST_NOT_SET is not set") {
		t.Error(err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add("fleet:\n  interval: 5s\n")
	f.Add("credentials:\n  - {range: 10.0.0.0/8, password: x}\n")
	f.Add("fleet: {ranges: [1.2.3.4/33], ports: {1: 2}}")
	f.Fuzz(func(t *testing.T, text string) {
		path := filepath.Join(t.TempDir(), "f.yaml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, ps := Load(Source{File: path})
		for _, p := range ps {
			if p.Message == "" || p.Place == "" {
				t.Fatalf("%+v", p)
			}
		}
	})
}
