package bitaxe

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ballast/miner"
	"ballast/unit"
)

// What a Bitaxe Gamma says since 2.15: every key of the reply that a reading
// takes, and a few that it does not.
const newInfo = `{"power":17.94,"voltage":5093.75,"current":3521.9,"temp":59.875,"temp2":-1,"vrTemp":61,"maxPower":40,"nominalVoltage":5,
"hashRate":1072.1834,"hashRate_1m":1075.25,"hashRate_10m":1070.5,"hashRate_1h":1068.75,"expectedHashrate":1071,"errorPercentage":0.3125,
"bestDiff":1834002911.5,"bestSessionDiff":9123456,"poolDifficulty":1000,"responseTime":38.5,"actualFrequency":525.25,
"coreVoltageActual":1142,"coreVoltage":1150,"frequency":525,"fanspeed":43,"fanrpm":4125,"fan2rpm":0,"autofanspeed":1,"temptarget":60,
"sharesAccepted":15023,"sharesRejected":12,"sharesRejectedReasons":[{"message":"Job not found","count":12}],"blockFound":0,"blockHeight":940000,
"freeHeap":8161768,"uptimeSeconds":86461,"miningPaused":false,"overheat_mode":0,"power_fault":"","hardware_fault":"",
"wifiStatus":"Connected!","wifiRSSI":-57,"version":"v2.15.0","axeOSVersion":"v2.15.0","idfVersion":"v5.5.3","boardVersion":"601",
"smallCoreCount":2040,"ASICModel":"BM1370","runningPartition":"ota_0","macAddr":"24:EC:4A:12:34:56","hostname":"bitaxe","ssid":"cellar",
"wifiPass":"s3cretW1fi","poolConnectionInfo":"IPv4","isUsingFallbackStratum":0,"primaryPoolIndex":2,"secondaryPoolIndex":0,"useFallbackStratum":0,
"pools":[
 {"id":0,"stratumProtocol":"SV1","stratumURL":"b.example","stratumPort":3333,"stratumUser":"bc1q.b","stratumPassword":"hunter22","stratumTLS":0,"stratumCert":""},
 {"id":1,"stratumProtocol":"SV2","stratumURL":"spare.example","stratumPort":3336,"stratumUser":"bc1q.s","stratumPassword":"hunter22"},
 {"id":2,"stratumProtocol":"SV1","stratumURL":"a.example","stratumPort":4333,"stratumUser":"bc1q.a","stratumPassword":"hunter22","stratumTLS":1}],
"stratumURL":"a.example","stratumPort":4333,"stratumUser":"bc1q.a","fallbackStratumURL":"b.example","fallbackStratumPort":3333,"fallbackStratumUser":"bc1q.b",
"hashrateMonitor":{"asics":[{"total":1070.5,"errorCount":27,"domains":[267,268,267.5,268]}]}}`

const newASIC = `{"ASICModel":"BM1370","deviceModel":"Gamma","swarmColor":"green","asicCount":1,"hashDomains":4,"defaultFrequency":525,
"frequencyOptions":[400,490,525,550,600,625],"defaultVoltage":1150,"voltageOptions":[1000,1060,1100,1150,1200,1250]}`

// The Max of 2024: no MAC, text where numbers came later, the speed of the fan
// under its first name.
const oldInfo = `{"power":11.670000076293945,"voltage":5208.75,"current":2237.5,"fanSpeed":3618,"temp":48.75,"hashRate":321.9867,"bestDiff":"29.8M",
"freeHeap":206152,"coreVoltage":1400,"coreVoltageActual":1375,"frequency":485,"ssid":"cellar","wifiStatus":"Connected!","sharesAccepted":88,
"sharesRejected":1,"uptimeSeconds":5423,"ASICModel":"BM1397","stratumURL":"solo.example","stratumPort":3333,"stratumUser":"bc1q.max",
"version":"v2.1.0","boardVersion":"102","runningPartition":"ota_1","flipscreen":1,"invertscreen":0,"invertfanpolarity":1,"autofanspeed":1,"fanspeed":35}`

// A NerdQAxe++ of 2026.
const nerdInfo = `{"asicCount":4,"smallCoreCount":2040,"deviceModel":"NerdQAxe++","hostip":"10.0.0.9","macAddr":"64:E8:33:12:34:56","wifiRSSI":-60,
"power":76.5,"maxPower":130,"minPower":30,"maxVoltage":13,"minVoltage":11,"current":6375,"currentA":6.375,"temp":57.5,"vrTemp":66.25,"vrTempInt":49.5,
"hashRate":4801.5,"hashRate_1m":4790.5,"hashRate_10m":4805.25,"hashRate_1h":4810,"hashRate_1d":0,"coreVoltage":1150,"defaultCoreVoltage":1150,
"coreVoltageActual":1148,"fanspeed":61,"fanrpm":2950,"fanrpm2":3010,"fanspeed2":61,"fanCount":2,"shutdown":false,"duplicateHWNonces":3,
"stratum":{"poolMode":0,"activePoolMode":0,"usingFallback":true,"pools":[{"connected":true,"poolDiffErr":false,"pingRtt":21.5}]},
"poolDifficulty":8192,"foundBlocks":0,"totalFoundBlocks":1,"sharesAccepted":901,"sharesRejected":2,"bestDiff":5500000000,"bestSessionDiff":77000000,
"asicTemps":[55.25,57.5,0,56],"fans":[{"label":"ASIC","mode":2,"manualSpeed":100,"rpm":2950,"speedPerc":61},{"label":"VR","mode":2,"rpm":3010,"speedPerc":58}],
"hostname":"nerd","ssid":"cellar","stratumURL":"a.example","stratumPort":3333,"stratumUser":"bc1q.a","stratumTLS":false,
"fallbackStratumURL":"b.example","fallbackStratumPort":443,"fallbackStratumUser":"bc1q.b","fallbackStratumTLS":true,"voltage":12015.5,"frequency":590,
"defaultFrequency":600,"overheat_temp":70,"autofanspeed":2,"otp":false,"ASICModel":"BM1370","uptimeSeconds":3600,"version":"v1.0.37","runningPartition":"ota_0"}`

func parse(t testing.TB, replies miner.Replies) miner.Reading {
	t.Helper()
	r, err := New().Parse(replies)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func is[T comparable](t *testing.T, what string, o unit.Opt[T], want T) {
	t.Helper()
	if v, ok := o.Get(); !ok || v != want {
		t.Errorf("%s: %v (told: %v), want %v", what, v, ok, want)
	}
}

func near[T ~float64](t *testing.T, what string, o unit.Opt[T], want float64) {
	t.Helper()
	if v, ok := o.Get(); !ok || float64(v) < want*(1-1e-9) || float64(v) > want*(1+1e-9) {
		t.Errorf("%s: %v (told: %v), want %v", what, v, ok, want)
	}
}

func not[T any](t *testing.T, what string, o unit.Opt[T]) {
	t.Helper()
	if v, ok := o.Get(); ok {
		t.Errorf("%s: %v, and nobody said so", what, v)
	}
}

func TestNewest(t *testing.T) {
	r := parse(t, miner.Replies{"info": []byte(newInfo), "asic": []byte(newASIC)})
	if len(r.Warnings) > 0 {
		t.Errorf("warnings: %+v", r.Warnings)
	}
	want := miner.Identity{
		Firmware: miner.Bitaxe, FirmwareVersion: "v2.15.0", APIVersion: "v2.15.0", Make: "Bitaxe", Model: "Bitaxe Gamma", ModelTold: "Gamma 601 BM1370",
		MAC: "24:ec:4a:12:34:56", Hostname: "bitaxe", ControlBoard: "601",
	}
	if r.Identity != want {
		t.Errorf("identity %+v\nwant     %+v", r.Identity, want)
	}
	if r.State != miner.Hashing {
		t.Errorf("state %s", r.State)
	}
	is(t, "uptime", r.Uptime, 86461*time.Second)
	near(t, "hashrate", r.HashrateNow, 1.0721834)
	near(t, "mean of an hour", r.HashrateAverage, 1.06875)
	near(t, "nominal", r.HashrateNominal, 1.071)
	near(t, "power", r.Power, 17.94)
	if r.PowerSource != miner.PowerEstimated {
		t.Errorf("power is %s", r.PowerSource)
	}
	near(t, "chip", r.TempChip, 59.875)
	near(t, "regulator", r.TempBoard, 61)
	near(t, "duty", r.FanDuty, 0.43)
	if len(r.Fans) != 1 {
		t.Fatalf("fans %+v", r.Fans)
	}
	near(t, "fan", r.Fans[0].Speed, 4125)
	is(t, "accepted", r.Accepted, 15023)
	is(t, "rejected", r.Rejected, 12)
	is(t, "blocks", r.Blocks, 0)
	near(t, "errors", r.HWErrorRatio, 0.003125)
	near(t, "best", r.BestShare, 1834002911.5)
	if len(r.Boards) != 1 {
		t.Fatalf("boards %+v", r.Boards)
	}
	b := r.Boards[0]
	is(t, "chips", b.Chips, 1)
	is(t, "chips expected", b.ChipsExpected, 1)
	near(t, "volts", b.Voltage, 5.09375)
	near(t, "amperes", b.Current, 3.5219)
	near(t, "clock", b.Frequency, 525.25e6)
	if b.ChipType != "BM1370" {
		t.Errorf("chip %q", b.ChipType)
	}
	if r.Profile != "525MHz 1150mV" {
		t.Errorf("profile %q", r.Profile)
	}

	pools := []miner.Pool{
		{Index: 0, URL: "stratum+tls://a.example:4333", User: "bc1q.a", Priority: unit.Some(0), Active: unit.Some(true), Alive: unit.Some(true), Difficulty: unit.Some(1000.0)},
		{Index: 1, URL: "stratum+tcp://b.example:3333", User: "bc1q.b", Priority: unit.Some(1), Active: unit.Some(false)},
		{Index: 2, URL: "stratum2+tcp://spare.example:3336", User: "bc1q.s", Status: "not selected", Active: unit.Some(false)},
	}
	if got, want := fmt.Sprintf("%+v", r.Pools), fmt.Sprintf("%+v", pools); got != want {
		t.Errorf("pools %s\nwant  %s", got, want)
	}
	for key, want := range map[string]string{"wifiRSSI": "-57", "rejected: Job not found": "12", "temptarget": "60", "asic hashDomains": "4"} {
		if r.Extra[key] != want {
			t.Errorf("extra %q is %q, want %q", key, r.Extra[key], want)
		}
	}
	e := r.Envelope
	if e == nil || !e.Can(miner.SetSleep) || !e.Can(miner.SetProfile) || e.Can(miner.SetPower) || e.Can(miner.SetLocate) {
		t.Fatalf("envelope %+v", e)
	}
	var names []string
	for _, s := range e.Steps {
		names = append(names, s.Name)
	}
	if got := strings.Join(names, ", "); got != "400MHz 1150mV, 490MHz 1150mV, 525MHz 1150mV, 550MHz 1200mV, 600MHz 1250mV, 625MHz 1250mV" {
		t.Errorf("steps %s", got)
	}
	near(t, "hashrate of the first step", e.Steps[0].Hashrate, 0.816)
}

func TestOldest(t *testing.T) {
	r := parse(t, miner.Replies{"saved.json": []byte(oldInfo)})
	if len(r.Warnings) > 0 {
		t.Errorf("warnings: %+v", r.Warnings)
	}
	if r.Identity.Model != "Bitaxe Max" || r.Identity.MAC != "" || r.Identity.FirmwareVersion != "v2.1.0" || r.State != miner.Hashing {
		t.Errorf("identity %+v, state %s", r.Identity, r.State)
	}
	near(t, "hashrate", r.HashrateNow, 0.3219867)
	not(t, "average", r.HashrateAverage)
	near(t, "best", r.BestShare, 29.8e6)
	near(t, "fan", r.Fans[0].Speed, 3618)
	near(t, "volts", r.Boards[0].Voltage, 5.20875)
	not(t, "board temperature", r.TempBoard)
	not(t, "MAC-less machine's pool in use", r.Pools[0].Alive)
	if len(r.Pools) != 1 || r.Pools[0].URL != "stratum+tcp://solo.example:3333" {
		t.Errorf("pools %+v", r.Pools)
	}
	if r.Envelope != nil || r.Profile != "" {
		t.Errorf("no asic reply, and yet the envelope %+v, profile %q", r.Envelope, r.Profile)
	}
}

func TestNerd(t *testing.T) {
	r := parse(t, miner.Replies{"info": []byte(nerdInfo)})
	if len(r.Warnings) > 0 {
		t.Errorf("warnings: %+v", r.Warnings)
	}
	if r.Identity.Model != "NerdQAxe++" || r.Identity.MAC != "64:e8:33:12:34:56" {
		t.Errorf("identity %+v", r.Identity)
	}
	near(t, "hashrate", r.HashrateNow, 4.8015)
	near(t, "mean of the hour, the day being young", r.HashrateAverage, 4.81)
	near(t, "nominal", r.HashrateNominal, 590e6*2040*4/1e12)
	near(t, "hottest chip", r.TempChip, 57.5)
	near(t, "regulator", r.TempBoard, 66.25)
	b := r.Boards[0]
	is(t, "chips expected", b.ChipsExpected, 4)
	not(t, "chips that answer", b.Chips)
	near(t, "volts", b.Voltage, 12.0155)
	near(t, "amperes", b.Current, 6.375)
	if len(r.Fans) != 2 || r.Fans[1].Name != "VR" {
		t.Fatalf("fans %+v", r.Fans)
	}
	near(t, "second fan", r.Fans[1].Speed, 3010)
	near(t, "second fan's duty", r.Fans[1].Duty, 0.58)
	if len(r.Pools) != 2 || r.Pools[0].Active.Or(true) || !r.Pools[1].Active.Or(false) || r.Pools[1].URL != "stratum+tls://b.example:443" {
		t.Errorf("pools %+v", r.Pools)
	}
}

// change gives a reply with some keys set otherwise; nil takes a key away.
func change(t testing.TB, reply string, set map[string]any) []byte {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(reply), &m); err != nil {
		t.Fatal(err)
	}
	for k, v := range set {
		if v == nil {
			delete(m, k)
			continue
		}
		m[k] = v
	}
	out, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestStates(t *testing.T) {
	type set = map[string]any
	for _, test := range []struct {
		name  string
		base  string
		set   set
		state miner.State
		code  miner.Code // 0 means none
	}{
		{"hashing", newInfo, nil, miner.Hashing, 0},
		{"paused", newInfo, set{"miningPaused": true, "hashRate": 0}, miner.Sleeping, 0},
		{"shut down", nerdInfo, set{"shutdown": true, "hashRate": 0}, miner.Sleeping, 0},
		{"too hot", newInfo, set{"overheat_mode": 1, "hashRate": 0}, miner.Stopped, miner.ThermalChip},
		{"too hot, old spelling", oldInfo, set{"overheat_mode": true, "hashRate": 0}, miner.Stopped, miner.ThermalChip},
		{"no supply", newInfo, set{"power_fault": "VIN undervoltage", "hashRate": 0}, miner.Stopped, miner.RailPower},
		{"chip not found", newInfo, set{"hardware_fault": "ASIC not found", "hashRate": 0}, miner.Stopped, miner.BoardOther},
		{"just started", newInfo, set{"uptimeSeconds": 20, "hashRate": 0}, miner.Starting, 0},
		{"hashes nothing", newInfo, set{"hashRate": 0}, miner.Stopped, miner.BoardNoHash},
		{"does not say", newInfo, set{"hashRate": nil}, miner.Unknown, 0},
		{"fan stands still", newInfo, set{"fanrpm": 0}, miner.Hashing, miner.FanMissing},
		{"fan stands still and may", newInfo, set{"fanrpm": 0, "fanspeed": 0}, miner.Hashing, 0},
		{"pool gone", newInfo, set{"poolConnectionInfo": "Not Connected"}, miner.Hashing, miner.ControlPool},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := parse(t, miner.Replies{"info": change(t, test.base, test.set)})
			if r.State != test.state {
				t.Errorf("%s (%s), want %s", r.State, r.StateTold, test.state)
			}
			switch {
			case test.code == 0 && len(r.Faults) > 0:
				t.Errorf("faults %+v", r.Faults)
			case test.code != 0 && (len(r.Faults) != 1 || r.Faults[0].Code != test.code):
				t.Errorf("faults %+v, want %v", r.Faults, test.code)
			}
		})
	}
}

// Sensors that are not there say 0 or -1, and so does one without power.
func TestNoSensor(t *testing.T) {
	for _, none := range []any{0, -1, -1.0, "0"} {
		r := parse(t, miner.Replies{"info": change(t, newInfo, map[string]any{"temp": none, "vrTemp": none})})
		not(t, "chip", r.TempChip)
		not(t, "board", r.TempBoard)
		if len(r.Warnings) > 0 {
			t.Errorf("%v: warnings %+v", none, r.Warnings)
		}
	}
	r := parse(t, miner.Replies{"info": change(t, newInfo, map[string]any{"temp": 500})})
	not(t, "500 °C", r.TempChip)
	if len(r.Warnings) == 0 {
		t.Error("500 °C and no warning")
	}
}

func TestWords(t *testing.T) {
	// Figures as text, volts for millivolts, a pool with its own port.
	r := parse(t, miner.Replies{"info": change(t, oldInfo, map[string]any{
		"voltage": 5.1, "current": "3.25", "hashRate": "411.5", "bestDiff": 1234, "uptimeSeconds": "77", "stratumURL": "stratum+tcp://x.example:25", "fanSpeedRpm": 4000, "fanSpeed": nil,
	})})
	near(t, "volts", r.Boards[0].Voltage, 5.1)
	near(t, "amperes", r.Boards[0].Current, 3.25)
	near(t, "hashrate", r.HashrateNow, 0.4115)
	near(t, "best", r.BestShare, 1234)
	near(t, "fan", r.Fans[0].Speed, 4000)
	is(t, "uptime", r.Uptime, 77*time.Second)
	if r.Pools[0].URL != "stratum+tcp://x.example:25" {
		t.Errorf("pool %s", r.Pools[0].URL)
	}
}

func TestModels(t *testing.T) {
	for _, test := range []struct{ device, board, chip, want string }{
		{"", "601", "BM1370", "Bitaxe Gamma"},
		{"Gamma", "602", "BM1370", "Bitaxe Gamma"},
		{"GammaTurbo", "801", "BM1370", "Bitaxe GammaTurbo"},
		{"", "204", "BM1366", "Bitaxe Ultra"},
		{"", "401", "BM1368", "Bitaxe Supra"},
		{"", "102", "BM1397", "Bitaxe Max"},
		{"", "999", "BM1370", "Bitaxe Gamma"}, // a board of next year: chip and number remain
		{"", "", "BM1366", "Bitaxe Ultra"},
		{"NerdAxeGamma", "", "BM1370", "NerdAxeGamma"},
		{"NerdOCTAXE-γ", "", "BM1370", "NerdOCTAXE-γ"},
		{"NerdSomething", "", "BM1370", "NerdSomething BM1370"},
		{"", "601", "BM1366", "Bitaxe Ultra"}, // the chip decides against the board
		{"", "", "BM9999", "BM9999"},
	} {
		r := parse(t, miner.Replies{"info": change(t, oldInfo, map[string]any{"deviceModel": test.device, "boardVersion": test.board, "ASICModel": test.chip})})
		if r.Identity.Model != test.want {
			t.Errorf("%q %q %q is %q, want %q", test.device, test.board, test.chip, r.Identity.Model, test.want)
		}
	}
}

func TestSecrets(t *testing.T) {
	for name, reply := range map[string]string{"new": newInfo, "old": oldInfo, "nerd": nerdInfo} {
		r := parse(t, miner.Replies{"info": change(t, reply, map[string]any{"stratumPassword": "hunter22", "fallbackStratumPassword": "hunter22", "wifiPass": "s3cretW1fi"})})
		out, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"hunter22", "s3cretW1fi"} {
			if strings.Contains(string(out), secret) {
				t.Errorf("%s: the reading tells %q", name, secret)
			}
		}
	}
}

func TestNotMine(t *testing.T) {
	for _, text := range []string{
		"", "{}", "[]", "null", `{"STATUS":[{"STATUS":"S","Msg":"Summary"}],"SUMMARY":[{"GHS 5s":1}]}`, `<!doctype html><title>AxeOS</title>`,
		`{"error":"unknown route"}`, `{"Status":{"Operating State":"Mining"}}`,
	} {
		if r, err := New().Parse(miner.Replies{"x": []byte(text)}); !errors.Is(err, miner.ErrGarbage) {
			t.Errorf("%q: %v, model %q", text, err, r.Identity.Model)
		}
	}
	hint := New().(miner.Hinter)
	for text, want := range map[string]bool{
		"HTTP/1.1 200 OK\r\n\r\n<title>AxeOS</title>": true, "<title>NerdQAxe++</title>": true, "<title>Antminer</title>": false, "": false,
	} {
		if hint.Hint(80, []byte(text)) != want || hint.Hint(4028, []byte(text)) {
			t.Errorf("hint for %q", text)
		}
	}
}

func TestSplit(t *testing.T) {
	for url, want := range map[string]string{
		"stratum+tcp://a.example:3333": "a.example 3333", "a.example:25": "a.example 25", "stratum://10.0.0.1:1/": "10.0.0.1 1",
		"a.example": "", "stratum+tcp://:3333": "", "stratum+tls://a.example:443": "", "a.example:0": "", "a.example:70000": "", "": "",
	} {
		host, port, err := split(url)
		if want == "" {
			if !errors.Is(err, miner.ErrRefused) {
				t.Errorf("%q gives %q %d, %v", url, host, port, err)
			}
			continue
		}
		if got := fmt.Sprintf("%s %d", host, port); err != nil || got != want {
			t.Errorf("%q gives %s, %v", url, got, err)
		}
	}
}

// Whatever is offered: as many points as clocks, in order, with voltages of the
// list or the default, never falling.
func TestPoints(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOfN(rapid.Float64Range(1, 3000), 0, 12)
		a := &asic{defaultClock: rapid.Float64Range(0, 3000).Draw(t, "default"), defaultCore: rapid.Float64Range(0, 2000).Draw(t, "core")}
		raw, err := json.Marshal(map[string]any{"f": list.Draw(t, "clocks"), "v": list.Draw(t, "voltages")})
		if err != nil {
			t.Fatal(err)
		}
		var m struct{ F, V []float64 }
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
		a.clocks, a.cores = sorted(m.F), sorted(m.V)
		last := point{}
		for _, p := range a.points() {
			if p.mhz <= last.mhz || p.millivolt < last.millivolt || p.millivolt < a.defaultCore {
				t.Fatalf("%v after %v", p, last)
			}
			last = p
		}
	})
}

func FuzzParse(f *testing.F) {
	for name, reply := range map[string]string{"info": newInfo, "asic": newASIC, "old": oldInfo, "nerd": nerdInfo} {
		f.Add(name, []byte(reply))
	}
	f.Fuzz(func(t *testing.T, name string, raw []byte) {
		r, err := New().Parse(miner.Replies{name: raw})
		if err == nil && r.Identity.Firmware != miner.Bitaxe {
			t.Fatal("no firmware")
		}
	})
}

func BenchmarkParse(b *testing.B) {
	for name, replies := range map[string]miner.Replies{
		"Gamma": {"info": []byte(newInfo), "asic": []byte(newASIC)}, "NerdQAxe": {"info": []byte(nerdInfo)},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := New().Parse(replies); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func sorted(v []float64) []float64 {
	slices.Sort(v)
	return slices.Compact(v)
}
