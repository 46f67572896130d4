package braiins

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ballast/miner"
	"ballast/unit"
)

// BOSminer's replies as its API page prints them, from an S9, in one combined
// reply.
const bosminerS9 = `{"summary":[{"STATUS":[{"STATUS":"S","When":1595938480,"Code":11,"Msg":"Summary","Description":"BOSminer+ 0.2.0-ea64aec8e"}],
"SUMMARY":[{"Accepted":4711,"Best Share":1048577,"Device Hardware%":0.0121,"Elapsed":86400,"Found Blocks":0,"Hardware Errors":93,"MHS 15m":13512345.5,"MHS 1m":13498765.25,"MHS 24h":13500000.0,"MHS 5m":13501234.0,"MHS 5s":13623456.5,"MHS av":13500000.0,"Rejected":7,"Stale":3}],"id":1}],
"devs":[{"STATUS":[{"STATUS":"S","When":1595938480,"Code":9,"Msg":"2 ASC(s)","Description":"BOSminer+ 0.2.0-ea64aec8e"}],
"DEVS":[{"ASC":0,"ID":6,"Enabled":"Y","Status":"Alive","Hardware Errors":40,"MHS 5s":4523456.5,"Nominal MHS":4564800.0,"Temperature":0.0},{"ASC":1,"ID":8,"Enabled":"Y","Status":"Alive","Hardware Errors":53,"MHS 5s":4600000.0,"Nominal MHS":4564800.0,"Temperature":0.0}],"id":1}],
"temps":[{"STATUS":[{"STATUS":"S","When":1595938484,"Code":201,"Msg":"3 Temp(s)","Description":"BOSminer+ 0.2.0-ea64aec8e"}],"TEMPS":[{"Board":81.875,"Chip":104.625,"ID":6,"TEMP":0},{"Board":84.4375,"Chip":0,"ID":8,"TEMP":1}],"id":1}],
"fans":[{"STATUS":[{"STATUS":"S","When":1595938455,"Code":202,"Msg":"4 Fan(s)","Description":"BOSminer+ 0.2.0-ea64aec8e"}],"FANS":[{"FAN":0,"ID":0,"RPM":5340,"Speed":100},{"FAN":1,"ID":1,"RPM":65535,"Speed":100}],"id":1}],
"tunerstatus":[{"STATUS":[{"STATUS":"S","When":1595938492,"Code":203,"Msg":"Tuner Status","Description":"BOSminer+ 0.2.0-ea64aec8e"}],
"TUNERSTATUS":[{"ApproximateChainPowerConsumption":1344,"ApproximateMinerPowerConsumption":1419,"DynamicPowerScaling":{"ScaledPowerLimit":1300},"PowerLimit":1420,"TunerChainStatus":[
{"ApproximatePowerConsumptionWatt":448,"HashchainIndex":6,"Iteration":0,"LoadedProfileCreatedOn":1595938289,"PowerLimitWatt":448,"StageElapsed":78,"Status":"Tuning individual chips","TunerRunning":true,"TuningElapsed":98},
{"ApproximatePowerConsumptionWatt":450,"HashchainIndex":8,"Iteration":0,"LoadedProfileCreatedOn":1595938289,"PowerLimitWatt":448,"StageElapsed":78,"Status":"Failed { reason: \"no chips\" }","TunerRunning":false,"TuningElapsed":98}]}],"id":1}],
"devdetails":[{"STATUS":[{"STATUS":"S","When":1595938989,"Code":69,"Msg":"Device Details","Description":"BOSminer+ 0.2.0-ea64aec8e"}],
"DEVDETAILS":[{"Chips":63,"Cores":7182,"DEVDETAILS":0,"Device Path":"","Driver":"","Frequency":799682118,"ID":6,"Kernel":"","Model":"Bitmain Antminer S9","Name":"Hash Chain 6","Voltage":8.416799545288086},{"Chips":61,"Cores":6954,"DEVDETAILS":1,"Device Path":"","Driver":"","Frequency":575,"ID":8,"Kernel":"","Model":"Bitmain Antminer S9","Name":"Hash Chain 8","Voltage":8.575}],"id":1}],
"version":[{"STATUS":[{"STATUS":"S","When":1595938989,"Code":22,"Msg":"BOSminer versions","Description":"BOSminer+ 0.2.0-ea64aec8e"}],"VERSION":[{"API":"3.7","BOSminer+":"0.2.0-ea64aec8e"}],"id":1}],
"pools":[{"STATUS":[{"STATUS":"S","When":1595938989,"Code":7,"Msg":"1 Pool(s)","Description":"BOSminer+ 0.2.0-ea64aec8e"}],"POOLS":[{"POOL":0,"URL":"stratum2+tcp://v2.pool.example/abc","User":"acct.s9","Status":"Alive","Priority":0,"Quota":1,"Accepted":4711,"Rejected":7,"Stale":3,"Last Share Time":1595938900,"Stratum Active":true,"Stratum Difficulty":2048.0,"AsicBoost":true,"Best Share":1048577}],"id":1}],"id":1}`

func TestBOSminerReplies(t *testing.T) {
	r := parsed(t, miner.Replies{"a name of its own": append([]byte(bosminerS9), 0)})
	if id := r.Identity; id.Make != "Bitmain" || id.Model != "Antminer S9" || id.APIVersion != "3.7" || id.FirmwareVersion != "0.2.0-ea64aec8e" {
		t.Errorf("identity %+v", id)
	}
	if r.State != miner.Hashing || r.Tuning == "" {
		t.Errorf("state %s, tuning %q", r.State, r.Tuning)
	}
	about(t, "hashrate", r.HashrateNow, 13.6234565)
	about(t, "average", r.HashrateAverage, 13.5)
	about(t, "nominal", r.HashrateNominal, 9.1296)
	about(t, "power", r.Power, 1419)
	about(t, "scaled limit", r.PowerLimit, 1300)
	is(t, "uptime", r.MinerUptime, 24*time.Hour)
	is(t, "hardware errors", r.HWErrors, 93)
	about(t, "best share", r.BestShare, 1048577)
	if len(r.Boards) != 2 || r.Boards[0].Index != 0 || r.Boards[1].Index != 2 {
		t.Fatalf("boards %+v", r.Boards)
	}
	a, b := r.Boards[0], r.Boards[1]
	about(t, "board temperature", a.TempBoard, 81.875)
	about(t, "chip temperature", a.TempChipMax, 104.625)
	if b.TempChipMax.Ok() {
		t.Errorf("a sensor that reads 0 tells %v", b.TempChipMax)
	}
	about(t, "frequency in Hz", a.Frequency, 799682118)
	about(t, "frequency in MHz", b.Frequency, 575e6)
	about(t, "voltage", a.Voltage, 8.416799545288086)
	about(t, "board power", b.Power, 450)
	is(t, "chips", b.Chips, 61)
	is(t, "expected", b.ChipsExpected, 63)
	about(t, "fan", r.Fans[0].Speed, 5340)
	if r.Fans[1].Speed.Ok() {
		t.Error("a fan at 65535 rpm is believed")
	}
	if len(r.Faults) != 1 || r.Faults[0].Code != miner.AdvisoryTuning || r.Faults[0].Index != 2 {
		t.Errorf("faults %+v", r.Faults)
	}
	if len(r.Pools) != 1 || r.Pools[0].URL != "stratum2+tcp://v2.pool.example/abc" {
		t.Errorf("pools %+v", r.Pools)
	}
	for _, w := range r.Warnings {
		if w.Kind != miner.WarnImplausible {
			t.Errorf("warning %+v", w)
		}
	}
}

// GraphQL of 25.05: sensors are named by an enumeration, boards have serials.
const graphql2505 = `{"data":{"bos":{"hostname":"m-17","macAddress":"AA:BB:CC:00:11:22","faultLight":true,"serialNumber":"JYZZ1","info":{"mode":"NAND","version":{"full":"2025-05-28-0-5f8a9c1d-25.05-plus","isPlus":true}},"uptime":{"durationS":5000},"hwid":"abcd",
"errors":[{"timestamp":"2025-06-01T10:00:00.5Z","message":"Hashboard 2: discovered 71 chips, expected 77","errorCodes":[{"code":"H203","reason":"Chips missing","hint":"Check the board"}],"components":[{"name":"hashboard","index":2}]}]},
"bosminer":{"uptime":{"durationS":4000},"info":{"modelName":"Antminer S19K Pro","fans":[{"name":"Fan 1","speed":35,"rpm":3120}],
"summary":{"power":{"limitW":2760,"approxConsumptionW":2700,"efficiencyWMhs":0.0000225},"tunerStatus":"RUNNING","shares":{"acceptedSolutions":100,"rejectedSolutions":2,"staleSolutions":1},"foundBlocks":0,"bestShare":99999,"temperatureChip":{"name":"MAX_CHIP","degreesC":71.5},"temperatureAmbient":{"name":"AMBIENT","degreesC":31.25}},
"workSolver":{"name":"x","nominalMhs":121000000.0,"realHashrate":{"mhsAv":119000000.0,"mhs5S":120000000.0,"mhs15M":119500000.0},"hwErrorMhs15M":500000.0,"childSolvers":[
{"name":"1","realHashrate":{"mhs5S":60000000.0,"mhs15M":59000000.0},"nominalMhs":60500000.0,"hwDetails":{"chips":77,"frequencyMhz":512.5,"voltageV":13.1,"hbSerialNumber":"HB1","chipType":"BM1366AL"},"temperatures":[{"name":"MAX_BOARD","degreesC":61.0},{"name":"MAX_CHIP","degreesC":71.5},{"name":"INLET","degreesC":40.5},{"name":"OUTLET","degreesC":60.0},{"name":"CONTROL_BOARD","degreesC":33.0}]},
{"name":"3","realHashrate":{"mhs5S":60000000.0},"nominalMhs":60500000.0,"hwDetails":{"chips":77,"frequencyMhz":512.5,"voltageV":13.1,"hbSerialNumber":"HB3","chipType":"BM1366AL"},"temperatures":[{"name":"MAX_BOARD","degreesC":null}]}]},
"poolGroups":[{"name":"g","pools":[{"url":"stratum+tcp://a:1","user":"u","status":"ALIVE","active":true,"shares":{"acceptedSolutions":100,"rejectedSolutions":2,"staleSolutions":1},"lastDifficulty":65536.0,"generatedWork":7,"bestShare":99999}]}]},
"metadata":{"autotuning":{"powerTarget":{"default":2760,"min":771,"max":6435}},"hashChain":{"indexNames":["1","2","3"]}}}}}`

func TestGraphQLReply(t *testing.T) {
	for name, reply := range map[string]string{"whole": graphql2505, "without its envelope": strings.TrimSuffix(strings.TrimPrefix(graphql2505, `{"data":`), "}")} {
		t.Run(name, func(t *testing.T) {
			r := parsed(t, miner.Replies{"gql": []byte(reply)})
			id := miner.Identity{
				Make: "Bitmain", Model: "Antminer S19k Pro", ModelTold: "Antminer S19K Pro", Firmware: miner.Braiins, FirmwareVersion: "2025-05-28-0-5f8a9c1d-25.05-plus",
				MAC: "aa:bb:cc:00:11:22", Serial: "JYZZ1", Hostname: "m-17",
			}
			if r.Identity != id {
				t.Errorf("identity %+v", r.Identity)
			}
			if r.State != miner.Hashing || r.Tuning != "running" {
				t.Errorf("state %s, tuning %q", r.State, r.Tuning)
			}
			is(t, "uptime", r.Uptime, 5000*time.Second)
			is(t, "miner uptime", r.MinerUptime, 4000*time.Second)
			about(t, "now", r.HashrateNow, 120)
			about(t, "average", r.HashrateAverage, 119)
			about(t, "nominal", r.HashrateNominal, 121)
			about(t, "errors", r.HWErrorRatio, 0.5/120)
			about(t, "power", r.Power, 2700)
			about(t, "limit", r.PowerLimit, 2760)
			about(t, "efficiency", r.Efficiency, 22.5)
			about(t, "ambient", r.TempAmbient, 31.25)
			about(t, "chip", r.TempChip, 71.5)
			is(t, "locating", r.Locating, true)
			is(t, "accepted", r.Accepted, 100)
			about(t, "fan", r.Fans[0].Speed, 3120)
			about(t, "duty", r.Fans[0].Duty, 0.35)
			if len(r.Boards) != 3 {
				t.Fatalf("boards %+v", r.Boards)
			}
			about(t, "inlet", r.Boards[0].TempInlet, 40.5)
			about(t, "outlet", r.Boards[0].TempOutlet, 60)
			about(t, "board", r.Boards[0].TempBoard, 61)
			about(t, "frequency", r.Boards[0].Frequency, 512.5e6)
			is(t, "the second board", r.Boards[1].Present, false)
			if r.Boards[2].Serial != "HB3" || r.Boards[2].TempBoard.Ok() {
				t.Errorf("third board %+v", r.Boards[2])
			}
			if !r.Degraded() {
				t.Error("a machine without its second board is called whole")
			}
			if r.Envelope == nil || !r.Envelope.Can(miner.SetPower) || r.Envelope.PowerMin.Or(0) != 771 || r.Envelope.PowerMax.Or(0) != 6435 {
				t.Errorf("envelope %+v", r.Envelope)
			}
			f := r.Faults
			if len(f) != 1 || f[0].Code != miner.ChipMissing || f[0].Index != 1 || f[0].Vendor != "H203" || f[0].Severity != miner.Major {
				t.Errorf("faults %+v", f)
			}
		})
	}
}

// 21.09 knew sensors by words, and boards of an S9 by their connectors.
func TestGraphQLOfAnS9(t *testing.T) {
	r := parsed(t, miner.Replies{"x": []byte(`{"data":{"bosminer":{"info":{"modelName":"Bitmain Antminer S9","workSolver":{"nominalMhs":13000000.0,"realHashrate":{"mhs5S":12900000.5},"childSolvers":[
		{"name":"7","realHashrate":{"mhs5S":4300000.0},"hwDetails":{"chips":63,"frequencyMhz":650.0,"voltageV":8.9},"temperatures":[{"name":"Board","degreesC":70.0},{"name":"Chip","degreesC":90.0}]},
		{"name":"6","realHashrate":{"mhs5S":4300000.0},"hwDetails":{"chips":63,"frequencyMhz":650.0,"voltageV":8.9},"temperatures":[{"degreesC":71.0},{"degreesC":91.0}]}]}}}}}`)})
	if len(r.Boards) != 2 || r.Boards[0].Index != 0 {
		t.Fatalf("boards %+v", r.Boards)
	}
	about(t, "board 6", r.Boards[0].TempBoard, 71)
	about(t, "chips of board 6", r.Boards[0].TempChipMax, 91)
	about(t, "board 7", r.Boards[1].TempBoard, 70)
	about(t, "chips of board 7", r.Boards[1].TempChipMax, 90)
}

// What 26.04 and 26.05 added, and what nobody has added yet.
func TestNewerReplies(t *testing.T) {
	r := parsed(t, miner.Replies{
		"miner_stats": []byte(`{"pool_stats":{"accepted_shares":1,"best_share":18446744073709551615,"best_share_str":"36893488147419103232","rejected_shares":0,"stale_shares":0,"last_share_time":null},
			"miner_stats":{"real_hashrate":{"last_5s":{"gigahash_per_second":"100500.5"}},"best_share_str":"36893488147419103232","colour":"blue"},"power_stats":{"approximated_consumption":{"watt":"3000"},"efficiency":null}}`),
		"miner_hw_hashboards": []byte(`{"hashboards":[{"id":"1","enabled":true,"chips_count":114,"lowest_water_inlet_temp":{"degree_c":31.5},"highest_water_outlet_temp":{"degree_c":42.5}},
			{"id":"2","enabled":true,"chips_count":114,"lowest_water_inlet_temp":{"degree_c":30.5},"highest_water_outlet_temp":{"degree_c":41.5}},
			{"id":"3","enabled":false,"chips_count":null,"board_temp":null,"highest_chip_temp":null,"current_voltage":null,"stats":{"real_hashrate":{"last_5s":{"gigahash_per_second":0.0}}}}]}`),
		"performance_tuner_state": []byte(`{"overall_tuner_state":6,"mode_state":{"hashratetargetmodestate":{"current_target":{"terahash_per_second":95.5},"profile":null}}}`),
		"pools":                   []byte(`[{"name":"a","uid":"G1","strategy":{"fixedshareratio":{"value":0.5}},"pools":[{"url":"u","user":"w","enabled":false,"alive":false,"active":false,"uid":"P1","stats":null}]}]`),
		"license_license":         []byte(`{"state":{"valid":{"type":1,"contract_name":"Standard","time_to_restricted":86400,"dev_fee":{"bsp":200}}}}`),
	})
	about(t, "best share", r.BestShare, 36893488147419103232)
	about(t, "hashrate as text", r.HashrateNow, 100.5005)
	about(t, "power as text", r.Power, 3000)
	about(t, "water in", r.TempInlet, 30.5)
	about(t, "water out", r.TempOutlet, 42.5)
	if r.Profile != "95.5TH/s" || r.Tuning != "preheat" || r.PowerLimit.Ok() {
		t.Errorf("profile %q, tuning %q, limit %v", r.Profile, r.Tuning, r.PowerLimit)
	}
	b := r.Boards[2]
	is(t, "board 3", b.Enabled, false)
	if b.Present.Ok() || b.TempBoard.Ok() || b.Chips.Ok() || b.Voltage.Ok() {
		t.Errorf("a board that is off: %+v", b)
	}
	if r.Pools[0].Status != "disabled" || r.Extra["pool_groups.0.fixedshareratio"] != "0.5" || r.Extra["license"] != "valid" {
		t.Errorf("pool %+v, extra %v", r.Pools[0], r.Extra)
	}
	if r.Extra["miner_stats.colour"] != "blue" || len(r.Warnings) != 1 || r.Warnings[0].Kind != miner.WarnUnknown {
		t.Errorf("a new field: %v, %+v", r.Extra, r.Warnings)
	}
}

// The state is the firmware's word, then the evidence.
func TestState(t *testing.T) {
	details := func(status string, up, run int) string {
		b, _ := json.Marshal(map[string]any{"bos_mode": 4, "system_uptime_s": up, "bosminer_uptime_s": run, "status": json.RawMessage(status)})
		return string(b)
	}
	stats := func(gh string) string {
		return `{"miner_stats":{"real_hashrate":{"last_5s":{"gigahash_per_second":` + gh + `}},"nominal_hashrate":{"gigahash_per_second":100000}},"power_stats":{"approximated_consumption":{"watt":3000}}}`
	}
	const tuning, stable = `{"overall_tuner_state":3}`, `{"overall_tuner_state":"TUNER_STATE_STABLE"}`
	for _, c := range []struct {
		name                  string
		details, stats, tuner string
		want                  miner.State
	}{
		{"normal", details("2", 9000, 9000), stats("100000"), stable, miner.Hashing},
		{"normal by name", details(`"MINER_STATUS_NORMAL"`, 9000, 9000), stats("100000"), stable, miner.Hashing},
		{"restricted", details("5", 9000, 9000), stats("100000"), stable, miner.Hashing},
		{"paused", details("3", 9000, 9000), stats("0"), stable, miner.Sleeping},
		{"paused, no word of the rate", details("3", 9000, 9000), "", stable, miner.Sleeping},
		{"paused and still ramping down", details("3", 9000, 9000), stats("90000"), stable, miner.Hashing},
		{"suspended", details("4", 9000, 9000), stats("0"), stable, miner.Stopped},
		{"stopped by somebody", details("1", 9000, 0), stats("0"), stable, miner.Sleeping},
		{"booting", details("1", 60, 0), stats("0"), stable, miner.Starting},
		{"just started", details("2", 9000, 60), stats("0"), stable, miner.Starting},
		{"tuning from nothing", details("2", 9000, 9000), stats("0"), tuning, miner.Starting},
		{"does not hash", details("2", 9000, 9000), stats("0"), stable, miner.Stopped},
		{"only the details", details("2", 9000, 9000), "", "", miner.Hashing},
		{"only the stats", "", stats("100000"), "", miner.Hashing},
		{"only the tuner", "", "", stable, miner.Unknown},
		{"an unknown status", details("9", 9000, 9000), stats("100000"), stable, miner.Hashing},
	} {
		t.Run(c.name, func(t *testing.T) {
			replies := miner.Replies{}
			for name, body := range map[string]string{"miner_details": c.details, "miner_stats": c.stats, "performance_tuner_state": c.tuner} {
				if body != "" {
					replies[name] = []byte(body)
				}
			}
			if r := parsed(t, replies); r.State != c.want {
				t.Errorf("%s (%q), want %s", r.State, r.StateTold, c.want)
			}
		})
	}
}

// BOSminer does not say that it is paused.
func TestStateOfBOSminer(t *testing.T) {
	reply := func(elapsed, mhs, watts int, status string, running bool) []byte {
		b, _ := json.Marshal(map[string]any{
			"summary":     []any{map[string]any{"STATUS": []any{map[string]any{"STATUS": "S", "Code": 11}}, "SUMMARY": []any{map[string]any{"Elapsed": elapsed, "MHS 5s": mhs, "MHS av": 9e7}}}},
			"tunerstatus": []any{map[string]any{"STATUS": []any{map[string]any{"STATUS": "S", "Code": 203}}, "TUNERSTATUS": []any{map[string]any{"ApproximateMinerPowerConsumption": watts, "PowerLimit": 3000, "TunerChainStatus": []any{map[string]any{"HashchainIndex": 1, "Status": status, "TunerRunning": running}}}}}},
		})
		return b
	}
	for name, c := range map[string]struct {
		reply []byte
		want  miner.State
	}{
		"hashing":  {reply(9000, 9e7, 3000, "Stable", true), miner.Hashing},
		"paused":   {reply(9000, 0, 0, "Stable", false), miner.Sleeping},
		"waking":   {reply(9000, 0, 40, "Tuning individual chips", true), miner.Starting},
		"starting": {reply(100, 0, 300, "Stable", true), miner.Starting},
		"dead":     {reply(9000, 0, 700, "Stable", true), miner.Stopped},
		"stopped":  {[]byte(`{"STATUS":[{"STATUS":"E","When":1,"Code":301,"Msg":"Not ready","Description":"BOSer"}],"id":1}`), miner.Sleeping},
	} {
		if r := parsed(t, miner.Replies{"bosminer": c.reply}); r.State != c.want {
			t.Errorf("%s: %s, want %s", name, r.State, c.want)
		}
	}
}

func TestFaultsOfTheLog(t *testing.T) {
	entry := func(at, message string) string {
		return `{"timestamp":"` + at + `","message":"` + message + `","error_codes":[],"components":[]}`
	}
	replies := miner.Replies{
		"miner_details": []byte(`{"status":2,"bos_mode":4,"bosminer_uptime_s":7200,"system_uptime_s":9000}`),
		"miner_stats":   []byte(`{"pool_stats":{"last_share_time":{"seconds":1776446524,"nanos":0}}}`), // 2026-04-17 17:22:04
		"miner_errors": []byte(`{"errors":[` + strings.Join([]string{
			entry("2026-04-17T10:00:00Z", "Hashboard 1: CRC errors"),
			entry("2026-04-17T15:30:00Z", "Fan 2 does not rotate"),
			entry("2026-04-17T17:00:00Z", "Fan 3 does not rotate"),
			entry("2026-04-17T17:10:00Z", "Fan 3 does not rotate"),
			entry("1970-01-01T00:00:40Z", "PSU: overcurrent"),
		}, ",") + `]}`),
	}
	r := parsed(t, replies)
	want := []miner.Fault{
		{Code: miner.ChipCRC, Severity: miner.Info, Index: 0, Text: "Hashboard 1: CRC errors", Since: time.Date(2026, 4, 17, 10, 0, 0, 0, time.UTC)}, // an earlier run
		{Code: miner.FanMissing, Severity: miner.Info, Index: 2, Text: "Fan 2 does not rotate", Since: time.Date(2026, 4, 17, 15, 30, 0, 0, time.UTC)},
		{Code: miner.FanMissing, Severity: miner.Critical, Index: 3, Text: "Fan 3 does not rotate", Since: time.Date(2026, 4, 17, 17, 10, 0, 0, time.UTC)},
		{Code: miner.PSUOverCurrent, Severity: miner.Info, Index: -1, Text: "PSU: overcurrent"}, // before the clock was set
	}
	if len(r.Faults) != len(want) {
		t.Fatalf("faults %+v", r.Faults)
	}
	for i, f := range r.Faults {
		want[i].Group = want[i].Code.Group()
		if f != want[i] {
			t.Errorf("fault %+v, want %+v", f, want[i])
		}
	}
	if n := strings.Count(r.Extra["errors"], "\n"); n != 4 {
		t.Errorf("the log is kept as %q", r.Extra["errors"])
	}
}

func TestJudge(t *testing.T) {
	for words, want := range map[string]miner.Code{
		`Failed to resolve ("a.example", 3336)`: miner.ControlNetwork, "PSU: fan failure": miner.PSUFan, "Power supply overheated": miner.PSUOverTemperature,
		"PSU input voltage low": miner.PSUInputVoltage, "PSU not detected": miner.PSUMissing, "PSU cannot hold the set voltage": miner.PSUOutputVoltage,
		"Not enough fans": miner.FanMissing, "Fan 1: low speed": miner.FanSlow, "Temperature sensor 2 failed": miner.SensorTemperature,
		"Chip temperature too high": miner.ThermalChip, "Dangerous temperature of board": miner.ThermalBoard, "Temperature too low": miner.ThermalCold,
		"Hashboard 1 not detected": miner.BoardMissing, "Hash chain 6: chip enumeration failed": miner.BoardInit, "hashboard 3: EEPROM is empty": miner.BoardEEPROM,
		"Hashboard 2: discovered only 70 chips": miner.ChipMissing, "chain 1: voltage drop": miner.RailVoltage, "All pools are dead": miner.ControlPool,
		"Tuner failed": miner.AdvisoryTuning, "License expired": miner.AdvisoryReduced, "Configuration is invalid": miner.FirmwareConfig, "Something else": miner.FirmwareOther,
	} {
		if got, _ := judge(strings.ToLower(words)); got != want {
			t.Errorf("%q is %d, want %d", words, got, want)
		}
	}
}

func TestHopelessReplies(t *testing.T) {
	d := New()
	for name, raw := range map[string]string{
		"nothing": "", "zeros": "\x00\x00", "a page": "<html><title>Braiins OS</title></html>", "words": "404 page not found", "a number": "17", "null": "null",
		"another firmware": `{"code":0,"when":17,"msg":{"miner":{"type":"M30S"}},"desc":"get.device.info"}`, "a refusal": `{"message":"Unauthorized"}`, "deep": strings.Repeat("[", 5000),
	} {
		r, err := d.Parse(miner.Replies{"miner_stats": []byte(raw)})
		if !errors.Is(err, miner.ErrGarbage) {
			t.Errorf("%s: %v", name, err)
		}
		if r.State != "" || r.Power.Ok() || len(r.Boards) > 0 {
			t.Errorf("%s reads as %+v", name, r)
		}
	}
	if _, err := d.Parse(nil); !errors.Is(err, miner.ErrGarbage) {
		t.Errorf("no replies: %v", err)
	}
}

// A password in a reply is not repeated anywhere.
func TestPasswordsStayOut(t *testing.T) {
	r := parsed(t, miner.Replies{
		"configuration_miner": []byte(`{"pool_groups":[{"name":"a","password":"hunter2","pools":[{"url":"u","user":"w","password":"hunter2"}]}],"tuner":null,"dps":{"password":"hunter2"},"unknown":{"token":"hunter2"}}`),
		"graphql":             []byte(`{"data":{"bosminer":{"config":{"groups":[{"id":"1","pools":[{"url":"u","password":"hunter2"}]}],"x":{"password":"hunter2"}}}}}`),
	})
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "hunter2") {
		t.Errorf("the reading tells a password: %s", b)
	}
}

func TestReleaseOf(t *testing.T) {
	for version, want := range map[string]release{
		"2025-08-06-0-3881c51d-25.07-plus": {25, 7}, "2023-05-29-0-1daef48b-23.03.2-plus": {23, 3}, "2022-09-13-0-11012d53-22.08-plus-hydro": {22, 8},
		"2026-04-14-0-912d084c-26.04": {26, 4}, "nightly": {}, "": {}, "1.2.3": {}, "99.99": {},
	} {
		if got, ok := releaseOf(version); got != want || ok != (want != release{}) {
			t.Errorf("%q is %v (%t), want %v", version, got, ok, want)
		}
	}
}

func TestProfileNames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := unit.Power(rapid.IntRange(1, 20000).Draw(t, "watts"))
		if got, _, ok := profileTarget(powerProfile(w)); !ok || got != w {
			t.Fatalf("%v comes back as %v", w, got)
		}
		h := unit.Hashrate(float64(rapid.IntRange(1, 1000000).Draw(t, "rate")) / 100)
		if _, got, ok := profileTarget(rateProfile(h)); !ok || got != h {
			t.Fatalf("%v comes back as %v", h, got)
		}
	})
	for _, bad := range []string{"", "W", "TH/s", "-5W", "0W", "NaNW", "2000", "a W"} {
		if _, _, ok := profileTarget(bad); ok {
			t.Errorf("%q is taken for a profile", bad)
		}
	}
}

// Writing keys in snake_case leaves everything else as it is.
func TestSnake(t *testing.T) {
	for in, want := range map[string]string{
		`{"chipsCount":1,"last15m":{"gigahashPerSecond":2.5},"last5S":{},"systemUptimeS":"7"}`: `{"chips_count":1,"last_15m":{"gigahash_per_second":2.5},"last_5s":{},"system_uptime_s":"7"}`,
		`{"url":"stratum+tcp://Pool.Example:3333","a\"B":"cD: \"eF\":"}`:                       `{"url":"stratum+tcp://Pool.Example:3333","a\"b":"cD: \"eF\":"}`,
	} {
		if got := snake(in); got != want {
			t.Errorf("%s\nbecomes %s\nwant    %s", in, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("miner_stats", []byte(`{"miner_stats":{"real_hashrate":{"last_5s":{"gigahash_per_second":1}}}}`))
	f.Add("bosminer", []byte(bosminerS9))
	f.Add("gql", []byte(graphql2505))
	f.Add("pools", []byte(`[{"name":"a","pools":[{"url":"u"}]}]`))
	f.Add("actions_locate", []byte(`false`))
	f.Add("x", []byte(`{"minerIdentity":{"minerModel":"Antminer S19"},"bosminerUptimeS":"5"}`))
	if os.Getenv("BALLAST_SHARED") != "" {
		for name, raw := range captures(f, "v25_07") {
			f.Add(name, raw)
		}
	}
	d := New()
	f.Fuzz(func(t *testing.T, name string, raw []byte) {
		r, err := d.Parse(miner.Replies{name: raw, "miner_details": []byte(`{"bos_mode":4,"status":2}`)})
		if err != nil {
			t.Fatalf("the details beside it are readable: %v", err)
		}
		if _, err := json.Marshal(r); err != nil {
			t.Fatalf("the reading cannot be written: %v", err)
		}
		for _, b := range r.Boards {
			if v, ok := b.TempBoard.Get(); ok && (v <= -60 || v >= 200) {
				t.Fatalf("a board at %v", v)
			}
		}
		if p, ok := r.Power.Get(); ok && !(p >= 0 && p <= mostPower) {
			t.Fatalf("%v", p)
		}
	})
}
