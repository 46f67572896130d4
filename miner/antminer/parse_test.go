package antminer_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"ballast/miner"
	"ballast/miner/antminer"
	"ballast/unit"
)

func parse(t *testing.T, replies miner.Replies) miner.Reading {
	t.Helper()
	r, err := antminer.New().Parse(replies)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func check(t *testing.T, what string, got, want any) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// Replies in the new form, numbers as numbers and as text, one board lost and
// one with a bad EEPROM.
var newForm = miner.Replies{
	"stats_new": []byte(`{"STATUS":{"STATUS":"S","when":1700000000,"Msg":"stats","api_version":"1.0.0"},"INFO":{"miner_version":"uart_trans.1.3","CompileTime":"Mon Aug 19 14:27:21 CST 2024","type":"Antminer S19 XP"},
		"STATS":[{"elapsed":86400,"rate_5s":92000.55,"rate_30m":93100.1,"rate_avg":"93000.12","rate_ideal":140000.0,"rate_unit":"GH/s","chain_num":3,"fan_num":4,"fan":[5880,5760,0,65535],"hwp_total":0.02,"miner-mode":"3","psu":{"index":0,"status":"ok"},
		"chain":[{"index":0,"freq_avg":545,"rate_ideal":46666.6,"rate_real":46500.5,"asic_num":110,"temp_pic":[40,38,54,52],"temp_pcb":[50,48,64,62],"temp_chip":[65,63,79,77],"hw":3,"eeprom_loaded":true,"sn":"SMTT001","hwp":0.01},
		{"index":2,"freq_avg":"540","rate_ideal":46666.6,"rate_real":"45500.5","asic_num":"108","temp_pic":[0,0,0,0],"temp_pcb":[51,0,-273,60],"temp_chip":[66,64,80,78],"hw":9,"eeprom_loaded":false,"sn":"SMTT003","hwp":0.03}]}]}`),
	"summary_new": []byte(`{"STATUS":{"STATUS":"S","when":1700000000,"Msg":"summary","api_version":"1.0.0"},"INFO":{"type":"Antminer S19 XP"},
		"SUMMARY":[{"elapsed":86400,"rate_5s":92000.55,"rate_30m":93100.1,"rate_avg":93000.12,"rate_ideal":140000.0,"rate_unit":"GH/s","hw_all":12,"bestshare":123456789,"status":[
		{"type":"rate","status":"e","code":1,"msg":"R:1"},{"type":"network","status":"s","code":0,"msg":""},{"type":"fans","status":"e","code":0,"msg":"fan lost, only find 3 (< 4)"},{"type":"temp","status":"w","code":0,"msg":"J2:6"}]}]}`),
	"pools_new": []byte(`{"STATUS":{"STATUS":"S","when":1700000000},"POOLS":[{"index":0,"url":"stratum+tcp://a:3333","user":"w.1","status":"Alive","priority":0,"getworks":10,"accepted":100,"rejected":2,"stale":1,"diff":"65.5K","lstime":"0:00:10"},
		{"index":1,"url":"stratum+tcp://b:3333","user":"w.1","status":"Dead","priority":1,"accepted":5,"rejected":0,"stale":0,"diff":"","lstime":"0"},{"index":2,"url":"","user":"","status":"Dead"}]}`),
	"get_system_info": []byte(`{"minertype":"Antminer S19 XP","macaddr":"02:BE:EF:00:12:34","hostname":"rig-42","system_mode":"GNU/Linux","system_filesystem_version":"Mon Aug 19 14:27:21 CST 2024","serinum":"BLST0042X7"}`),
	"get_miner_conf":  []byte(`{"pools":[{"url":"stratum+tcp://a:3333","user":"w.1","pass":"P00lsecret"}],"api-listen":true,"bitmain-fan-ctrl":true,"bitmain-fan-pwm":"80","bitmain-work-mode":"3","bitmain-freq-level":"100"}`),
	"miner_type":      []byte(`{"miner_type":"Antminer S19 XP","subtype":"CVCtrl_BHB56xxx","fw_version":"Mon Aug 19 14:27:21 CST 2024"}`),
	"blink":           []byte(`{"blink":true}`),
	"power":           []byte("power:3010\n"),
}

func TestParseNewForm(t *testing.T) {
	r := parse(t, newForm)
	check(t, "state", r.State, miner.Hashing)
	check(t, "mode", r.Mode, miner.ModeLow)
	check(t, "identity", r.Identity, miner.Identity{Make: "Bitmain", Model: "Antminer S19 XP", Firmware: miner.Antminer, FirmwareVersion: "Mon Aug 19 14:27:21 CST 2024",
		APIVersion: "1.0.0", MAC: "02:be:ef:00:12:34", Serial: "BLST0042X7", Hostname: "rig-42", ControlBoard: "CVCtrl_BHB56xxx"})
	check(t, "uptime", r.MinerUptime, unit.Some(24*time.Hour))
	check(t, "hashrate", r.HashrateNow, unit.Some(unit.Hashrate(92.00055)))
	check(t, "average", r.HashrateAverage, unit.Some(unit.Hashrate(93.00012)))
	check(t, "nominal", r.HashrateNominal, unit.Some(unit.Hashrate(140)))
	check(t, "power", r.Power, unit.Some(unit.Power(3010)))
	check(t, "power source", r.PowerSource, miner.PowerPSU)
	check(t, "accepted", r.Accepted, unit.Some(int64(105)))
	check(t, "rejected", r.Rejected, unit.Some(int64(2)))
	check(t, "errors", r.HWErrors, unit.Some(int64(12)))
	check(t, "best share", r.BestShare, unit.Some(123456789.0))
	check(t, "fan duty", r.FanDuty, unit.Some(unit.Ratio(0.8)))
	check(t, "locating", r.Locating, unit.Some(true))
	check(t, "hottest board", r.TempBoard, unit.Some(unit.Temperature(64)))
	check(t, "hottest chip", r.TempChip, unit.Some(unit.Temperature(80)))
	check(t, "power supply", len(r.PSUs) == 1 && r.PSUs[0].Status == "ok", true)

	if len(r.Boards) != 3 {
		t.Fatalf("%d boards", len(r.Boards))
	}
	b := r.Boards
	check(t, "board 0", b[0].Serial, "SMTT001")
	check(t, "board 0 rate", b[0].Hashrate, unit.Some(unit.Hashrate(46.5005)))
	check(t, "board 0 nominal", b[0].HashrateNominal, unit.Some(unit.Hashrate(46.6666)))
	check(t, "board 0 frequency", b[0].Frequency, unit.Some(545*unit.Megahertz))
	check(t, "board 0 chips mean", b[0].TempChipMean, unit.Some(unit.Temperature(71)))
	check(t, "board 0 chips", b[0].Chips, unit.Some(110))
	check(t, "board 0 errors", b[0].HWErrors, unit.Some(int64(3)))
	check(t, "board 1", b[1].Present, unit.Some(false))
	check(t, "board 2 chips", b[2].Chips, unit.Some(108))
	check(t, "board 2 expects", b[2].ChipsExpected, unit.Some(110))
	check(t, "board 2 temperature", b[2].TempBoard, unit.Some(unit.Temperature(60)))

	check(t, "fans", len(r.Fans), 4)
	check(t, "dead fan", r.Fans[2].Speed, unit.Some(unit.Speed(0)))
	check(t, "mad fan", r.Fans[3].Speed, unit.None[unit.Speed]())
	check(t, "pools", len(r.Pools), 2)
	check(t, "difficulty", r.Pools[0].Difficulty, unit.Some(65500.0))
	check(t, "last share", r.Pools[0].LastShare, unit.Some(time.Unix(1699999990, 0).UTC()))
	check(t, "dead pool", r.Pools[1].Alive, unit.Some(false))

	faults := map[miner.Code]miner.Fault{}
	for _, f := range r.Faults {
		faults[f.Code] = f
	}
	check(t, "low hashrate", faults[miner.AdvisoryLowHash].Vendor, "R:1")
	check(t, "fan", faults[miner.FanMissing].Severity, miner.Critical)
	check(t, "EEPROM's board", faults[miner.BoardEEPROM].Index, 2)
	check(t, "sensor's board", faults[miner.SensorTemperature].Index, 2)
	check(t, "sensor", faults[miner.SensorTemperature].Severity, miner.Minor)
	check(t, "faults", len(r.Faults), 4)

	if len(r.Warnings) != 2 { // 65535 rpm, -273 °C
		t.Errorf("warnings %+v", r.Warnings)
	}
	check(t, "sensors of the controller", r.Extra["chain0.temp_pic"], "40-38-54-52")
	for k, v := range r.Extra {
		if strings.Contains(v, "P00lsecret") {
			t.Errorf("extra %s tells a password", k)
		}
	}
	if r.Envelope == nil || !r.Envelope.Can(miner.SetMode) || !r.Envelope.Can(miner.SetSleep) || r.Envelope.Steps[1].Power.Or(0) != 3010 {
		t.Errorf("envelope %+v", r.Envelope)
	}
	if !r.Degraded() {
		t.Error("not called degraded")
	}
}

// What an S19 of 2020 says, with the comma forgotten.
const oldStats = `{"STATUS":[{"STATUS":"S","When":1700000000,"Code":70,"Msg":"CGMiner stats","Description":"cgminer 1.0.0"}],"STATS":[{"BMMiner":"1.0.0","Miner":"uart_trans.1.3","CompileTime":"Fri Dec 11 11:15:28 CST 2020","Type":"Antminer S19 Pro"}{"STATS":0,"ID":"BTM_SOC0","Elapsed":4000,"Calls":0,"Wait":0.000000,"GHS 5s":110100.10,"GHS av":109000.20,"rate_30m":109500.30,"Mode":2,"miner_count":3,"frequency":675,"fan_num":4,"fan1":5880,"fan2":5760,"fan3":5640,"fan4":5520,"temp_num":3,"temp_pcb1":"50-48-64-62","temp_chip1":"65-63-79-77","temp_pcb2":"50-48-64-62","temp_chip2":"65-63-79-77","temp_pcb3":"50-48-64-62","temp_chip3":"65-63-79-77","temp_pcb4":"0-0-0-0","temp_chip4":"0-0-0-0","total_rateideal":110000.00,"rate_unit":"GH","chain_acn1":114,"chain_acn2":114,"chain_acn3":114,"chain_acn4":0,"chain_acs1":" oooooooo oooooooo","chain_acs2":"","chain_acs3":"","chain_acs4":"","chain_hw1":1,"chain_hw2":2,"chain_hw3":3,"chain_hw4":0,"chain_rate1":"36700.12","chain_rate2":"36700.12","chain_rate3":"36700.12","chain_rate4":"","freq1":675,"freq2":675,"freq3":675,"freq4":0,"miner_version":"uart_trans.1.3","miner_id":"no miner id now"}],"id":1}` + "\x00"

func TestParseOldForm(t *testing.T) {
	r := parse(t, miner.Replies{"a saved file": []byte(oldStats)})
	check(t, "model", r.Identity.Model, "Antminer S19 Pro")
	check(t, "version", r.Identity.FirmwareVersion, "Fri Dec 11 11:15:28 CST 2020")
	check(t, "state", r.State, miner.Hashing)
	check(t, "hashrate", r.HashrateNow, unit.Some(unit.Hashrate(110.1001)))
	check(t, "average", r.HashrateAverage, unit.Some(unit.Hashrate(109.0002)))
	check(t, "nominal", r.HashrateNominal, unit.Some(unit.Hashrate(110)))
	check(t, "boards", len(r.Boards), 3)
	check(t, "fans", len(r.Fans), 4)
	check(t, "mode", r.Mode, "") // stats' Mode is something else
	check(t, "warnings", len(r.Warnings), 0)
	if r.Degraded() {
		t.Error("called degraded")
	}
}

func TestParseState(t *testing.T) {
	stats := func(rate string, elapsed string, mode string) []byte {
		return []byte(`{"STATUS":{"STATUS":"S"},"STATS":[{"elapsed":` + elapsed + `,"rate_5s":` + rate + `,"rate_ideal":100000.0,"rate_unit":"GH/s"` + mode + `,"chain":[]}]}`)
	}
	old := func(rate string) []byte {
		return []byte(`{"STATUS":[{"STATUS":"S"}],"SUMMARY":[{"Elapsed":7200,"GHS 5s":` + rate + `,"GHS av":1}]}`)
	}
	bad := []byte(`{"STATUS":{"STATUS":"S"},"SUMMARY":[{"elapsed":7200,"rate_5s":0,"status":[{"type":"temp","status":"e","code":1,"msg":"P:1"}]}]}`)
	for name, c := range map[string]struct {
		replies miner.Replies
		want    miner.State
	}{
		"hashing":                      {miner.Replies{"stats": stats("99000", "7200", `,"miner-mode":0`)}, miner.Hashing},
		"starting":                     {miner.Replies{"stats": stats("0", "60", `,"miner-mode":0`)}, miner.Starting},
		"ramping":                      {miner.Replies{"stats": stats("30000", "200", `,"miner-mode":0`)}, miner.Starting},
		"asleep":                       {miner.Replies{"stats": stats("0", "7200", `,"miner-mode":1`)}, miner.Sleeping},
		"asleep, by the configuration": {miner.Replies{"summary": old("0"), "conf": []byte(`{"bitmain-work-mode":"1","bitmain-freq-level":"100"}`)}, miner.Sleeping},
		"asleep, S17":                  {miner.Replies{"summary": old("0"), "conf": []byte(`{"bitmain-work-mode":"254","bitmain-freq":"500"}`)}, miner.Sleeping},
		"stopped":                      {miner.Replies{"stats": stats("0", "7200", `,"miner-mode":0`)}, miner.Stopped},
		"stopped, as it says":          {miner.Replies{"summary": bad}, miner.Stopped},
		"stopped, S9":                  {miner.Replies{"summary": old("0"), "version": []byte(`{"STATUS":[{"STATUS":"S"}],"VERSION":[{"Type":"Antminer S9"}]}`)}, miner.Stopped},
		"nobody can tell":              {miner.Replies{"summary": old("0")}, miner.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			if r := parse(t, c.replies); r.State != c.want {
				t.Errorf("state %s, want %s; warnings %v", r.State, c.want, r.Warnings)
			}
		})
	}
}

func TestParseUnknown(t *testing.T) {
	r := parse(t, miner.Replies{"stats": []byte(strings.Replace(oldStats, "Antminer S19 Pro", "ANTMINER BHB42XXX", 1))})
	check(t, "model", r.Identity.Model, "ANTMINER BHB42XXX")
	check(t, "make", r.Identity.Make, "Bitmain")
	check(t, "boards", len(r.Boards), 3)
	if !slices.ContainsFunc(r.Warnings, func(w miner.Warning) bool { return w.Kind == miner.WarnUnknown && w.Where == "model" }) {
		t.Errorf("warnings %v", r.Warnings)
	}
	// One reply that knows the model is enough.
	r = parse(t, miner.Replies{"stats": []byte(strings.Replace(oldStats, "Antminer S19 Pro", "ANTMINER BHB42XXX", 1)), "get_system_info": []byte(`{"minertype":"Antminer S19 Pro","macaddr":""}`)})
	check(t, "model told elsewhere", r.Identity.Model, "Antminer S19 Pro")
	check(t, "warnings", len(r.Warnings), 0)
}

func TestParseBroken(t *testing.T) {
	for name, c := range map[string]struct {
		raw  string
		want error
	}{
		"login page": {"<html><head><title>401 - Unauthorized</title></head></html>", miner.ErrGarbage},
		"refused":    {`{"STATUS":[{"STATUS":"E","Code":45,"Msg":"Access denied to 'stats' command"}],"id":1}`, miner.ErrRefused},
		"nothing":    {"", miner.ErrGarbage},
		"a list":     {`[1,2]`, miner.ErrGarbage},
	} {
		if _, err := antminer.New().Parse(miner.Replies{"stats": []byte(c.raw)}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	// One unreadable reply does not spoil the rest.
	r := parse(t, miner.Replies{"stats": []byte(oldStats), "pools": []byte("<html>"), "summary": []byte(`{"STATUS":[{"STATUS":"S"}],"SUMMARY":[{"Elapsed":4000,"GHS 5s":110100.1,"Accep`)})
	check(t, "boards", len(r.Boards), 3)
	kinds := []miner.WarningKind{}
	for _, w := range r.Warnings {
		kinds = append(kinds, w.Kind)
	}
	if !slices.Contains(kinds, miner.WarnBroken) || !slices.Contains(kinds, miner.WarnTruncated) {
		t.Errorf("warnings %v", r.Warnings)
	}
}

func TestParseKernelLog(t *testing.T) {
	log := `[    0.000000] Booting Linux on physical CPU 0x0
2024-08-19 14:00:00 api.c:1460:get_miner_id: miner ID : 81aa
2024-08-19 14:00:05 ERROR_FAN_LOST: fan lost, only find 3 (< 4)
2024-08-20 09:00:00 api.c:1460:get_miner_id: miner ID : 81aa
2024-08-20 09:00:01 driver-btm-api.c:1306:check_asic_number: Chain[1]: find 0 asic, times 2
2024-08-20 09:00:01 driver-btm-api.c:1306:check_asic_number: Chain[2]: find 108 asic, times 2
2024-08-20 09:00:02 driver-btm-api.c:272:set_miner_status: STATUS_ERROR: Sweep error string = V:1.
2024-08-20 09:00:03 power_api.c:120: ERROR_POWER_LOST: get power type version failed!
`
	for _, name := range []string{"kernel_log", "a saved file"} {
		r := parse(t, miner.Replies{name: []byte(log)})
		codes := map[miner.Code]int{}
		for _, f := range r.Faults {
			codes[f.Code] = f.Index
		}
		if _, ok := codes[miner.FanMissing]; ok {
			t.Error("a fault from before the last start is told")
		}
		if i, ok := codes[miner.BoardNoHash]; !ok || i != 1 || len(codes) != 3 {
			t.Errorf("faults %+v", r.Faults)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("stats", []byte(oldStats))
	f.Add("kernel_log", []byte("[    0.000000] Booting Linux\nChain[0]: find 0 asic\nSweep error string = J0:8."))
	for name, raw := range newForm {
		f.Add(name, raw)
	}
	f.Fuzz(func(t *testing.T, name string, raw []byte) {
		d := antminer.New()
		r, err := d.Parse(miner.Replies{name: raw, "get_system_info": newForm["get_system_info"]})
		if err != nil {
			t.Fatalf("one good reply, and %v", err)
		}
		if len(r.Boards) > 64 || len(r.Fans) > 1<<16 {
			t.Fatalf("%d boards, %d fans", len(r.Boards), len(r.Fans))
		}
		for _, b := range r.Boards {
			if v, ok := b.TempBoard.Get(); ok && !(v > -60 && v < 200) {
				t.Fatalf("board %d is at %v", b.Index, v)
			}
		}
		_, _ = d.Parse(miner.Replies{name: raw})
	})
}
