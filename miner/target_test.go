package miner_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ballast/miner"
)

func TestNormalMAC(t *testing.T) {
	for in, want := range map[string]string{
		"AA:BB:CC:DD:EE:0F":    "aa:bb:cc:dd:ee:0f",
		"aa-bb-cc-dd-ee-0f":    "aa:bb:cc:dd:ee:0f",
		"aabb.ccdd.ee0f":       "aa:bb:cc:dd:ee:0f",
		"AABBCCDDEE0F":         "aa:bb:cc:dd:ee:0f",
		"aa bb cc dd ee 0f":    "aa:bb:cc:dd:ee:0f",
		"":                     "",
		"00:00:00:00:00:00":    "",
		"FF:FF:FF:FF:FF:FF":    "",
		"aa:bb:cc:dd:ee":       "",
		"aa:bb:cc:dd:ee:0f:11": "",
		"aa:bb:cc:dd:ee:0g":    "",
		"not a mac":            "",
		"N/A":                  "",
		"0xaabbccddee0f":       "",
	} {
		if got := miner.NormalMAC(in); got != want {
			t.Errorf("NormalMAC(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestNormalMACForms(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.SliceOfN(rapid.Byte(), 6, 6).Draw(t, "mac")
		want := fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", raw[0], raw[1], raw[2], raw[3], raw[4], raw[5])
		if want == "00:00:00:00:00:00" || want == "ff:ff:ff:ff:ff:ff" {
			want = ""
		}
		sep := rapid.SampledFrom([]string{":", "-", " ", ""}).Draw(t, "separator")
		text := strings.Join([]string{
			fmt.Sprintf("%02x", raw[0]), fmt.Sprintf("%02X", raw[1]), fmt.Sprintf("%02x", raw[2]),
			fmt.Sprintf("%02X", raw[3]), fmt.Sprintf("%02x", raw[4]), fmt.Sprintf("%02X", raw[5]),
		}, sep)
		got := miner.NormalMAC(text)
		if got != want || miner.NormalMAC(got) != got {
			t.Fatalf("NormalMAC(%q) = %q, want %q", text, got, want)
		}
	})
}

// A password must not get out by any of the ways that values do.
func TestSecretStaysSecret(t *testing.T) {
	const password = "hunter2-hunter2"
	c := miner.Credentials{User: "root", Password: password}
	j, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "credentials", c, "password", c.Password)
	pool := miner.PoolSetting{URL: "stratum+tcp://p:1", User: "u", Password: password}
	for how, text := range map[string]string{
		"json": string(j), "slog": log.String(), "%v": fmt.Sprintf("%v", c), "%+v": fmt.Sprintf("%+v", c), "%#v": fmt.Sprintf("%#v", c),
		"pool %v": fmt.Sprintf("%v %+v %#v", pool, pool, pool), "%s": fmt.Sprintf("%s %q", c.Password, c.Password),
		"setting": miner.Setting{Kind: miner.SetPools, Pools: []miner.PoolSetting{pool}}.String(),
	} {
		if strings.Contains(text, "hunter2") {
			t.Errorf("%s prints the password: %s", how, text)
		}
	}
}

func TestTargetAddress(t *testing.T) {
	v4 := miner.Target{Addr: netip.MustParseAddr("10.1.2.3"), Ports: map[uint16]uint16{80: 8080}}
	v6 := miner.Target{Addr: netip.MustParseAddr("fd00::1")}
	for want, got := range map[string]string{
		"10.1.2.3:8080": v4.Address(80), "10.1.2.3:4028": v4.Address(4028), "[fd00::1]:80": v6.Address(80),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
