package whatsminer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ballast/miner"
	"ballast/unit"
)

// captures are replies of real machines, kept outside of the repository.
func captures(t testing.TB) miner.Replies {
	t.Helper()
	shared := os.Getenv("BALLAST_SHARED")
	if shared == "" {
		shared = "../../../shared"
	}
	files, err := filepath.Glob(filepath.Join(shared, "captures", "whatsminer", "v3", "*.json"))
	if err != nil || len(files) == 0 {
		t.Skip("no captures here")
	}
	replies := miner.Replies{}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		replies[strings.TrimSuffix(filepath.Base(f), ".json")] = b
	}
	return replies
}

// TestCaptureOfM60S checks every value of a real M60S with API 3.0.2 against the
// raw bytes.
func TestCaptureOfM60S(t *testing.T) {
	r, err := testDriver.Parse(captures(t))
	if err != nil {
		t.Fatal(err)
	}
	wantIdentity := miner.Identity{
		Make: "MicroBT", Model: "Whatsminer M60S", ModelTold: "M60S_VK40", Firmware: miner.Whatsminer, FirmwareVersion: "20251209.16.Rel2",
		APIVersion: "3.0.2", MAC: "ce:02:01:00:8c:36", Serial: "BTM3CS40HD24083100000000000000000", ControlBoard: "H616 CB6V10", Hostname: "WhatsMiner",
	}
	if r.Identity != wantIdentity {
		t.Errorf("identity\n%+v, want\n%+v", r.Identity, wantIdentity)
	}
	same(t, "state", r.State, miner.Hashing)
	same(t, "uptime", r.Uptime, unit.Some(1323*time.Second))
	same(t, "miner uptime", r.MinerUptime, unit.Some(50000*time.Second))
	same(t, "hashrate now", r.HashrateNow, unit.Some[unit.Hashrate](171.259))
	same(t, "hashrate average", r.HashrateAverage, unit.Some[unit.Hashrate](170.8))
	same(t, "hashrate nominal", r.HashrateNominal, unit.Some[unit.Hashrate](181.051))
	same(t, "efficiency", r.Efficiency, unit.Some[unit.Efficiency](17.6))
	same(t, "power", r.Power, unit.Some[unit.Power](3156))
	same(t, "power source", r.PowerSource, miner.PowerPSU)
	same(t, "power limit", r.PowerLimit, unit.Some[unit.Power](3600))
	same(t, "mode", r.Mode, miner.ModeNormal)
	same(t, "tuning", r.Tuning, "frequency risen")
	same(t, "ambient", r.TempAmbient, unit.Some[unit.Temperature](28.5))
	same(t, "board temperature", r.TempBoard, unit.Some[unit.Temperature](41.5))
	same(t, "chip temperature", r.TempChip, unit.Some[unit.Temperature](82))
	same(t, "locating", r.Locating, unit.Some(false))

	for i, want := range []struct {
		serial, chip   string
		rate           unit.Hashrate
		pcb            unit.Temperature
		low, mean, max unit.Temperature
	}{
		{"BKM3CSE1404807K42757", "K8EC374-2426 BINVE6-197806A", 57.2, 41.1, 68, 74, 80},
		{"BKM3CSE1404812K43675", "K8EC371-2426 BINVE6-197806A", 57.0, 40.1, 69, 75, 82},
		{"BKM3CSE1404807K42762", "K8EA379-2426 BINVE6-197806A", 57.1, 41.5, 70, 76, 81},
	} {
		b := r.Boards[i]
		same(t, "board index", b.Index, i)
		same(t, "board serial", b.Serial, want.serial)
		same(t, "chip type", b.ChipType, want.chip)
		same(t, "board status", b.Status, "alive")
		same(t, "board present", b.Present, unit.Some(true))
		same(t, "board enabled", b.Enabled, unit.Some(true))
		same(t, "board rate", b.Hashrate, unit.Some(want.rate))
		same(t, "board nominal", b.HashrateNominal, unit.Some[unit.Hashrate](60.35))
		same(t, "chips", b.Chips, unit.Some(75))
		same(t, "frequency", b.Frequency, unit.Some[unit.Frequency](625e6))
		same(t, "board temperature", b.TempBoard, unit.Some(want.pcb))
		same(t, "chip minimum", b.TempChipMin, unit.Some(want.low))
		same(t, "chip mean", b.TempChipMean, unit.Some(want.mean))
		same(t, "chip maximum", b.TempChipMax, unit.Some(want.max))
	}
	same(t, "boards", len(r.Boards), 3)

	same(t, "fans", len(r.Fans), 2)
	same(t, "fan in", r.Fans[0], miner.Fan{Index: 0, Name: "in", Speed: unit.Some[unit.Speed](5400)})
	same(t, "fan out", r.Fans[1], miner.Fan{Index: 1, Name: "out", Speed: unit.Some[unit.Speed](5280)})
	same(t, "psus", len(r.PSUs), 1)
	same(t, "psu", r.PSUs[0], miner.PSU{Model: "P221B", Serial: "1436B2429603097", Version: "230224.220429", Present: unit.Some(true), Fan: unit.Some[unit.Speed](6344)})

	same(t, "pools", len(r.Pools), 3)
	for i, url := range []string{"btc", "btc2", "btc3"} {
		same(t, "pool", r.Pools[i], miner.Pool{Index: i, URL: "stratum+tcp://" + url + ".example.pool:3333", User: "asic-rs.test", Priority: unit.Some(i),
			Alive: unit.Some(true), Active: unit.Some(i == 0), Status: "alive"})
	}

	for i, want := range []struct {
		code   miner.Code
		vendor string
		text   string
		second int
	}{
		{miner.PSUMissing, "264", "Power xfer error. code: 0xffffffffc0000000", 10},
		{miner.PSUOther, "265", "Power Unknow error. code: 0xffffffffc0000000", 10},
		{miner.PSUOther, "266", "Power Unknow error. code: 0xffffffffc0000000", 11},
		{miner.PSUShutdown, "267", "Power watch dog protected. code: 0xffffffffc0000000", 11},
		{miner.PSUInputVoltage, "270", "Power input over-voltage warning. code: 0xffffffffc0000000", 11},
	} {
		f := r.Faults[i]
		same(t, "fault code", f.Code, want.code)
		same(t, "fault vendor", f.Vendor, want.vendor)
		same(t, "fault text", f.Text, want.text)
		same(t, "fault index", f.Index, 0)
		same(t, "fault since", f.Since, time.Date(2026, 5, 23, 9, 19, want.second, 0, time.UTC))
	}
	same(t, "faults", len(r.Faults), 5)

	// Everything else that the machine says is kept under its own name; "Debug"
	// is empty and the salt is nobody's business.
	for key, want := range map[string]string{
		"edevs.0.hash-average": "57.1", "edevs.1.hash-average": "56.8", "edevs.2.hash-average": "56.9", "fast-boot": "disable",
		"miner.detect-hash-rate": "61434:53890:65727", "miner.hash-board": "K40", "miner.hash-percent": "0", "miner.pool-strategy": "FAILOVER",
		"network.dns": "172.16.2.1", "network.gateway": "172.16.2.1", "network.ip": "172.16.2.58", "network.netmask": "255.255.255.0", "network.proto": "dhcp",
		"power.hwversion": "RT0159", "power.type": "P221B", "power.vendor": "1", "summary.chip-temp-avg": "75.5", "summary.chip-temp-min": "68.0",
		"summary.freq-avg": "625", "summary.hash-15min": "170.5", "summary.hash-1min": "171.2", "summary.power-5min": "3100.0", "system.apiswitch": "1",
	} {
		same(t, "extra "+key, r.Extra[key], want)
		delete(r.Extra, key)
	}
	if len(r.Extra) > 0 {
		t.Errorf("extra that nobody expects: %v", r.Extra)
	}
	// The capture is rounded by hand: a process older than the machine.
	if len(r.Warnings) != 1 || r.Warnings[0].Kind != miner.WarnConflict {
		t.Errorf("warnings %+v", r.Warnings)
	}
	if e := r.Envelope; e == nil || e.PowerMax != unit.Some[unit.Power](3600) || e.PowerMin != unit.Some[unit.Power](1800) || !e.Can(miner.SetPower) || e.Can(miner.SetProfile) {
		t.Errorf("envelope %+v", r.Envelope)
	}
}

// Each file by itself, under a name that says nothing, tells its part.
func TestCaptureFilesAlone(t *testing.T) {
	for name, raw := range captures(t) {
		r, err := testDriver.Parse(miner.Replies{"saved": raw})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		told := false
		switch name {
		case "get_device_info":
			told = r.Identity.MAC != "" && len(r.Boards) == 3 && len(r.Faults) == 0
		case "get_device_info_with_errors":
			told = r.Identity.MAC != "" && len(r.Faults) == 5
		case "get_miner_status_summary":
			told = r.HashrateNow.Ok() && r.Power.Ok() && len(r.Fans) == 2
		case "get_miner_status_edevs":
			told = len(r.Boards) == 3 && r.Boards[2].Chips.Ok()
		case "get_miner_status_pools":
			told = len(r.Pools) == 3
		}
		if !told {
			t.Errorf("%s alone tells %+v", name, r)
		}
	}
}

func same[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}
