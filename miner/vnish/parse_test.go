package vnish

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/unit"
)

func want[T comparable](t *testing.T, what string, got unit.Opt[T], value T) {
	t.Helper()
	if v, ok := got.Get(); !ok || v != value {
		t.Errorf("%s is %v (%v), want %v", what, v, ok, value)
	}
}

// A machine as it limps: one chain failed, one disconnected, a fan lost.
const limping = `{"miner":{"miner_status":{"miner_state":"mining","miner_state_time":86461,"throttled":80},
 "miner_type":"Antminer S19j Pro (Vnish 1.3.2)","hr_stock":104000,"average_hashrate":34.1,"instant_hashrate":34.5,
 "hr_realtime":34512.5,"hr_nominal":104000,"hr_average":34100.25,"pcb_temp":{"min":40,"max":61},"chip_temp":{"min":50,"max":76},
 "power_consumption":1203,"power_usage":35,"power_efficiency":35.28,"hw_errors_percent":0.25,"hr_error":0.01,"hw_errors":12,
 "devfee_percent":2.8,"devfee":12.5,"found_blocks":0,"best_share":123456789,"restart_count":2,
 "pools":[
  {"id":0,"url":"stratum+tcp://a:3333","pool_type":"UserPool","user":"x.1","status":"working","asic_boost":true,"diff":"65.5K","accepted":100,"rejected":3,"stale":1,"ls_diff":65536,"ls_time":"0:01:05","diffa":6553600,"ping":40},
  {"id":1,"url":"stratum+tcp://b:3333","pool_type":"UserPool","user":"x.1","status":"active","asic_boost":true,"diff":"","accepted":7,"rejected":0,"stale":0,"ls_diff":0,"ls_time":"0","diffa":0,"ping":44},
  {"id":2,"url":"stratum+tcp://c:3333","pool_type":"UserPool","user":"x.1","status":"offline","asic_boost":true,"diff":"","accepted":0,"rejected":0,"stale":0,"ls_diff":0,"ls_time":"0","diffa":0,"ping":0},
  {"id":3,"url":"devfee","pool_type":"DevFee","user":"DevFee","status":"active","asic_boost":true,"diff":"","accepted":55,"rejected":0,"stale":0,"ls_diff":0,"ls_time":"0","diffa":0,"ping":9}],
 "cooling":{"fan_num":4,"fans":[{"id":0,"rpm":5400,"status":"ok","max_rpm":6000},{"id":1,"rpm":0,"status":"lost","max_rpm":6000},{"id":2,"rpm":5380,"status":"ok","max_rpm":6000},{"id":3,"rpm":65535,"status":"ok","max_rpm":6000}],"settings":{"mode":{"name":"auto","param":60}},"fan_duty":85},
 "psu":{"psu_power_metering":true,"temps":{"pfc_temp":51,"llc1_temp":58,"llc2_temp":null}},
 "chains":[
  {"id":1,"frequency":545.5,"voltage":13180,"power_consumption":1150,"hashrate_ideal":34666,"hashrate_rt":34512.5,"hashrate_percentage":99.56,"hr_error":0.01,"hw_errors":12,"pcb_temp":{"min":40,"max":61},"chip_temp":{"min":50,"max":76},"chip_statuses":{"red":1,"orange":2,"grey":123},"status":{"state":"mining"}},
  {"id":2,"frequency":0,"voltage":0,"power_consumption":0,"hashrate_ideal":34666,"hashrate_rt":0,"hashrate_percentage":0,"hr_error":0,"hw_errors":0,"pcb_temp":{"min":0,"max":0},"chip_temp":{"min":0,"max":0},"chip_statuses":{"red":0,"orange":0,"grey":0},"status":{"state":"failure","description":"Chain[2]: find 0 asic"}},
  {"id":3,"frequency":0,"voltage":0,"power_consumption":0,"hashrate_ideal":0,"hashrate_rt":0,"hashrate_percentage":0,"hr_error":0,"hw_errors":0,"pcb_temp":{"min":0,"max":0},"chip_temp":{"min":-273,"max":-273},"chip_statuses":{"red":0,"orange":0,"grey":0},"status":{"state":"disconnected"}}]}}`

func TestParseLimping(t *testing.T) {
	r, err := New().Parse(miner.Replies{
		"summary":                 []byte(limping),
		"web_info":                []byte(`{"miner":"Antminer S19j Pro","model":"s19jpro","fw_name":"Vnish","fw_version":"1.3.2","platform":"xil","install_type":"nand","build_time":"x","algorithm":"sha256d","hr_measure":"GH/s","serial":"JYZZ","system":{"os":"Linux","miner_name":"Antminer","file_system_version":"f","mem_total":1,"network_status":{"mac":"AA:BB:CC:00:11:22","ip":"10.0.0.9","netmask":"m","gateway":"g","dns":["8.8.8.8"],"hostname":"rig9","dhcp":true},"uptime":"10 days, 18:05"}}`),
		"perf-summary.json":       []byte(`{"current_preset":{"name":"1200","pretty":"1200 watt ~ 60 TH","status":"tuned","modded_psu_required":false},"preset_switcher":{"enabled":false}}`),
		"chains_factory_info":     []byte(`{"hr_stock":104000,"has_pics":true,"psu_model":"APW12","psu_serial":"P1","chains":[{"id":1,"board_model":"BHB42601","serial":"S1","chip_bin":1,"freq":545,"volt":1360,"hashrate":34666},{"id":3,"board_model":"BHB42601","serial":"S3","chip_bin":1,"freq":545,"volt":1360,"hashrate":34666}]}`),
		"anything at all (saved)": []byte(`{"miner_state":"mining","miner_state_time":3,"find_miner":true,"unlocked":false,"restart_required":true,"reboot_required":false}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.Identity, (miner.Identity{
		Make: "Bitmain", Model: "Antminer S19j Pro", Firmware: miner.VNish, FirmwareVersion: "1.3.2", MAC: "aa:bb:cc:00:11:22", Serial: "JYZZ",
		ControlBoard: "Xilinx", Hostname: "rig9",
	}); got != want {
		t.Errorf("identity\n%+v, want\n%+v", got, want)
	}
	if r.State != miner.Hashing || r.Profile != "1200" || r.Tuning != "tuned" || r.PowerSource != miner.PowerPSU {
		t.Errorf("%s, profile %q, tuning %q, power %s", r.State, r.Profile, r.Tuning, r.PowerSource)
	}
	want(t, "now", r.HashrateNow, 34512.5*unit.GHs)
	want(t, "average", r.HashrateAverage, 34100.25*unit.GHs)
	want(t, "nominal", r.HashrateNominal, 104000*unit.GHs)
	want(t, "efficiency", r.Efficiency, unit.Efficiency(35.28))
	want(t, "power", r.Power, unit.Power(1203))
	want(t, "limit", r.PowerLimit, unit.Power(1200))
	want(t, "uptime", r.Uptime, 10*24*time.Hour+18*time.Hour+5*time.Minute)
	want(t, "miner uptime", r.MinerUptime, 86461*time.Second)
	want(t, "board", r.TempBoard, unit.Temperature(61))
	want(t, "chip", r.TempChip, unit.Temperature(76))
	want(t, "duty", r.FanDuty, unit.Ratio(0.85))
	want(t, "accepted", r.Accepted, 107)
	want(t, "rejected", r.Rejected, 3)
	want(t, "stale", r.Stale, 1)
	want(t, "hw", r.HWErrors, 12)
	want(t, "hw ratio", r.HWErrorRatio, unit.Ratio(0.0025))
	want(t, "best", r.BestShare, 123456789.0)
	want(t, "locating", r.Locating, true)
	if len(r.PSUs) != 1 || r.PSUs[0].Model != "APW12" || r.PSUs[0].Serial != "P1" || r.PSUs[0].Temp.Or(0) != 51 || r.PSUs[0].TempMax.Or(0) != 58 {
		t.Errorf("psu %+v", r.PSUs)
	}
	if len(r.Fans) != 4 || r.Fans[1].Speed.Or(-1) != 0 || r.Fans[3].Speed.Ok() {
		t.Errorf("fans %+v", r.Fans)
	}
	if len(r.Pools) != 3 || !r.Pools[0].Active.Or(false) || r.Pools[1].Active.Or(true) || !r.Pools[1].Alive.Or(false) || r.Pools[2].Alive.Or(true) ||
		r.Pools[0].Difficulty.Or(0) != 65500 || r.Extra["DevFee 3"] != "devfee DevFee active" {
		t.Errorf("pools %+v, %q", r.Pools, r.Extra["DevFee 3"])
	}
	checkLimpingBoards(t, r)
	codes := map[miner.Code]int{}
	for _, f := range r.Faults {
		codes[f.Code] = f.Index
	}
	for code, index := range map[miner.Code]int{miner.ChipMissing: 1, miner.BoardMissing: 2, miner.FanMissing: 1, miner.AdvisoryReduced: -1} {
		if got, ok := codes[code]; !ok || got != index {
			t.Errorf("fault %d is on %d (%v), want %d: %+v", code, got, ok, index, r.Faults)
		}
	}
	if len(r.Warnings) != 1 || r.Warnings[0].Kind != miner.WarnImplausible { // the fan; a chain that is gone says nothing of temperatures
		t.Errorf("warnings %+v", r.Warnings)
	}
}

func checkLimpingBoards(t *testing.T, r miner.Reading) {
	t.Helper()
	if len(r.Boards) != 3 {
		t.Fatalf("boards %+v", r.Boards)
	}
	b := r.Boards[0]
	want(t, "rate", b.Hashrate, 34512.5*unit.GHs)
	want(t, "nominal", b.HashrateNominal, 34666*unit.GHs)
	want(t, "voltage", b.Voltage, unit.Voltage(13.18))
	want(t, "clock", b.Frequency, unit.Frequency(545.5)*unit.Megahertz)
	want(t, "watts", b.Power, unit.Power(1150))
	want(t, "errors", b.HWErrors, 12)
	want(t, "chip max", b.TempChipMax, unit.Temperature(76))
	want(t, "chip min", b.TempChipMin, unit.Temperature(50))
	want(t, "expected", b.ChipsExpected, 126)
	if b.Serial != "S1" || b.Chips.Ok() {
		t.Errorf("board 0 %+v", b)
	}
	want(t, "failed board's rate", r.Boards[1].Hashrate, 0)
	for _, i := range []int{1, 2} {
		if b := r.Boards[i]; b.TempBoard.Ok() || b.TempChipMax.Ok() || b.Voltage.Ok() || b.Frequency.Ok() {
			t.Errorf("board %d is dead and tells %+v", i, b)
		}
	}
	want(t, "gone", r.Boards[2].Present, false)
	if r.Boards[2].Serial != "S3" || r.Boards[2].Hashrate.Ok() {
		t.Errorf("board 2 %+v", r.Boards[2])
	}
}

func TestParseStates(t *testing.T) {
	for raw, want := range map[string]struct {
		state miner.State
		code  miner.Code
	}{
		`{"miner":{"miner_status":{"miner_state":"stopped","miner_state_time":5},"chains":[]}}`:                                                          {miner.Sleeping, 0},
		`{"miner":{"miner_status":{"miner_state":"auto-tuning"}}}`:                                                                                       {miner.Starting, 0},
		`{"miner":{"miner_status":{"miner_state":"failure","description":"Power supply is not responding","failure_code":1002}}}`:                        {miner.Stopped, miner.PSUOther},
		`{"miner":{"miner_status":{"miner_state":"failure","description":"Lost 2 fans"}}}`:                                                               {miner.Stopped, miner.FanMissing},
		`{"miner":{"miner_status":{"miner_state":"failure"}}}`:                                                                                           {miner.Stopped, miner.FirmwareOther},
		`{"miner":{"miner_status":{"miner_state":"mining"},"pools":[{"id":0,"url":"a","pool_type":"UserPool","user":"u","status":"offline"}]}}`:          {miner.Hashing, miner.ControlPool},
		`{"miner_state":"initializing","find_miner":false}`:                                                                                              {miner.Starting, 0},
		`{"miner":{"miner_type":"Antminer S19 (Vnish 1.1.3)","instant_hashrate":95.2,"average_hashrate":94.9,"power_usage":3250,"cooling":{"fans":[]}}}`: {miner.Hashing, 0},
	} {
		r, err := New().Parse(miner.Replies{"x": []byte(raw)})
		if err != nil || r.State != want.state || (len(r.Faults) > 0) != (want.code != 0) || len(r.Faults) > 0 && r.Faults[0].Code != want.code {
			t.Errorf("%.90s gives %s %+v, %v", raw, r.State, r.Faults, err)
		}
	}
}

// The first versions tell TH/s and watts where later ones tell GH/s and J/TH.
func TestParseOld(t *testing.T) {
	r, err := New().Parse(miner.Replies{"summary": []byte(`{"miner":{"miner_type":"Antminer S19 (Vnish 1.1.3)","instant_hashrate":95.2,"average_hashrate":94.9,"power_usage":3250,"cooling":{"fans":[],"fan_duty":50}},"system":{"network_status":{"mac":"aa:bb:cc:dd:ee:0f","hostname":"old"},"uptime":"3:07"}}`)})
	if err != nil || r.Identity.Model != "Antminer S19" || r.Identity.FirmwareVersion != "1.1.3" || r.Identity.MAC != "aa:bb:cc:dd:ee:0f" || r.Identity.Hostname != "old" {
		t.Fatalf("%+v, %v", r.Identity, err)
	}
	want(t, "now", r.HashrateNow, 95200*unit.GHs)
	want(t, "power", r.Power, unit.Power(3250))
	want(t, "uptime", r.Uptime, 3*time.Hour+7*time.Minute)
}

func TestParseRPC(t *testing.T) {
	r, err := New().Parse(miner.Replies{"version": []byte(`{"STATUS":[{"STATUS":"S","When":1,"Code":22,"Msg":"CGMiner versions","Description":"xminer 1.2.6"}],"VERSION":[{"API":"3.1","Type":"Antminer S19j Pro (Vnish 1.2.6)"}],"id":1}` + "\x00")})
	if err != nil || r.Identity.Firmware != miner.VNish || r.Identity.Model != "Antminer S19j Pro" {
		t.Errorf("%+v, %v", r.Identity, err)
	}
}

func TestUptime(t *testing.T) {
	for in, want := range map[string]time.Duration{
		"10 days, 18:00": 258 * time.Hour, "1 day, 2:03": 26*time.Hour + 3*time.Minute, "3:07": 3*time.Hour + 7*time.Minute, "45 min": 45 * time.Minute,
		"2 days, 5 min": 48*time.Hour + 5*time.Minute, "12 days": 288 * time.Hour, "3600": time.Hour, "1:02:03": time.Hour + 2*time.Minute + 3*time.Second,
	} {
		if got, ok := uptime(in).Get(); !ok || got != want {
			t.Errorf("%q is %v (%v), want %v", in, got, ok, want)
		}
	}
	for _, in := range []string{"", "up", "-1:00", "a:b", "1 fortnight", "days"} {
		if got := uptime(in); got.Ok() {
			t.Errorf("%q is %v", in, got)
		}
	}
}

func TestPresets(t *testing.T) {
	p := readPresets(gjson.Parse(`[{"name":"disabled","pretty":"disabled","status":"untuned","modded_psu_required":false},
		{"name":"3495","pretty":"3495 watt ~ 132 TH","status":"tuned","modded_psu_required":false,"tune_settings":{"hashrate":132,"volt":13600,"freq":600,"chains":[],"modified":false}},
		{"name":"1450","pretty":"1450 watt ~ 65.5 TH","status":"untuned","modded_psu_required":false},
		{"name":"5000","pretty":"5000 watt ~ 160 TH","status":"untuned","modded_psu_required":true},
		{"name":"mine","pretty":"my own","status":"tuned"}]`))
	parts := parts{presets: p}
	e := parts.envelope()
	if len(e.Steps) != 3 || e.Steps[0].Name != "1450" || e.Steps[1].Name != "3495" || e.Steps[2].Name != "mine" {
		t.Fatalf("steps %+v", e.Steps)
	}
	s := e.Steps[1]
	want(t, "watts", s.Power, unit.Power(3495))
	want(t, "rate", s.Hashrate, unit.Hashrate(132))
	want(t, "clock", s.Frequency, 600*unit.Megahertz)
	want(t, "volts", s.Voltage, unit.Voltage(13.6))
	want(t, "tuned", s.Tuned, true)
	if e.Steps[2].Power.Ok() || e.Source != "told" {
		t.Errorf("%+v", e)
	}
	parts.settings = &settings{moddedPSU: true}
	if e := parts.envelope(); len(e.Steps) != 4 {
		t.Errorf("a modified supply has %d steps", len(e.Steps))
	}
}

func TestChips(t *testing.T) {
	chips := []map[string]any{}
	for i := range 10 {
		chips = append(chips, map[string]any{"id": i, "hr": 250.0, "freq": 545, "volt": 300, "temp": 70.5, "errs": i, "grade": "grey"})
	}
	chips[3]["hr"], chips[3]["grade"] = 0.0, "red"
	chips[4]["hr"], chips[4]["temp"] = 100.0, 0
	raw, err := json.Marshal([]any{map[string]any{"id": 2, "status": map[string]any{"state": "mining"}, "hr_realtime": 2100, "hr_nominal": 2500, "freq": 545, "chips": chips}})
	if err != nil {
		t.Fatal(err)
	}
	r, err := New().Parse(miner.Replies{"boards": raw})
	if err != nil || len(r.Boards) != 1 || r.Boards[0].Index != 1 {
		t.Fatalf("%+v, %v", r.Boards, err)
	}
	b := r.Boards[0]
	c := b.Chip.Or(miner.ChipSummary{})
	want(t, "chips", b.Chips, 9)
	want(t, "dead", c.Dead, 1)
	want(t, "weak", c.Weak, 1)
	want(t, "mean temp", c.TempMean, unit.Temperature(70.5))
	want(t, "errors", c.Errors, 45)
	if v := c.VoltageMean.Or(0); v < 0.2999 || v > 0.3001 {
		t.Errorf("volt %v", v)
	}
	want(t, "rate", b.Hashrate, 2100*unit.GHs)
}

func FuzzParse(f *testing.F) {
	f.Add("summary", []byte(limping))
	f.Add("info", []byte(`{"fw_name":"Vnish","system":{"uptime":"1 day, 2:03"}}`))
	f.Add("chains", []byte(`[{"id":1,"chips":[{"hr":1,"temp":"x"}]}]`))
	f.Add("autotune/presets", []byte(`[{"name":"3495","pretty":"3495 watt ~ 132 TH"}]`))
	f.Add("x", []byte("{\"miner\":{\"chains\":[{\"id\":0,\x00"))
	f.Fuzz(func(t *testing.T, name string, raw []byte) {
		r, err := New().Parse(miner.Replies{name: raw})
		if err == nil && r.Identity.Firmware != miner.VNish {
			t.Fatal("no firmware")
		}
	})
}
