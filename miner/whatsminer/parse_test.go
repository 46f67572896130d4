package whatsminer

import (
	"errors"
	"strings"
	"testing"
	"time"

	"ballast/miner"
	"ballast/unit"
)

var testDriver = New()

// v2Set is what a machine of API 2.0.5 says, in the forms of the vendor's
// document.
func v2Set() miner.Replies {
	return miner.Replies{
		"summary": []byte(`{"STATUS":[{"STATUS":"S","Msg":"Summary"}],"SUMMARY":[{"Elapsed":7200,"MHS av":100500000.25,"MHS 5s":101250000.50,"MHS 1m":100900000.10,
			"MHS 5m":100800000.00,"MHS 15m":100700000.00,"HS RT":100800000.00,"Accepted":812,"Rejected":3,"Total MH":723600000000.0000,"Temperature":71.50,
			"freq_avg":640,"Fan Speed In":4620,"Fan Speed Out":4650,"Power":3412,"Power Rate":33.85,"Pool Rejected%":0.3681,"Pool Stale%":0.0000,"Last getwork":0,
			"Uptime":86500,"Security Mode":0,"Hash Stable":true,"Hash Stable Cost Seconds":812,"Hash Deviation%":0.2100,"Target Freq":600,"Target MHS":98000000,
			"Env Temp":24.50,"Power Mode":"Normal","Factory GHS":101200,"Power Limit":3420,"Chip Temp Min":70.25,"Chip Temp Max":94.50,"Chip Temp Avg":83.75,
			"Debug":"-0.0_100.0_354","Btminer Fast Boot":"disable"}]}`),
		"devs": []byte(`{"STATUS":[{"STATUS":"S","Msg":"3 ASC(s)"}],"DEVS":[
			{"ASC":0,"Slot":0,"Enabled":"Y","Status":"Alive","Temperature":71.50,"Chip Frequency":641,"MHS av":33500000.00,"MHS 5s":33800000.00,"MHS 1m":33600000.00,
			"MHS 5m":33550000.00,"MHS 15m":33500000.00,"HS RT":33550000.00,"HS Factory":33700,"Accepted":270,"Rejected":1,"Last Valid Work":1700000000,
			"Upfreq Complete":1,"Effective Chips":156,"PCB SN":"HEM1AA","Chip Data":"K88Z001-2039 BINV01","Chip Temp Min":70.25,"Chip Temp Max":94.50,
			"Chip Temp Avg":83.00,"chip_vol_diff":9},
			{"ASC":1,"Slot":2,"Enabled":"Y","Status":"Alive","Temperature":70.00,"Chip Frequency":"639","MHS av":"33400000.00","MHS 5s":"33700000.00","HS RT":33450000.00,
			"HS Factory":33700,"Upfreq Complete":"1","Effective Chips":"155","PCB SN":"HEM1CC","Chip Temp Min":71,"Chip Temp Max":93,"Chip Temp Avg":84}]}`),
		"pools": []byte(`{"STATUS":[{"STATUS":"S","Msg":"2 Pool(s)"}],"POOLS":[
			{"POOL":1,"URL":"stratum+tcp://a.example:3333","Status":"Alive","Priority":0,"Quota":1,"Accepted":800,"Rejected":3,"Stale":1,"User":"acct.w1",
			"Last Share Time":1700000000,"Stratum Active":true,"Stratum Difficulty":65536.00000000},
			{"POOL":2,"URL":"stratum+tcp://b.example:443","Status":"Dead","Priority":1,"Accepted":12,"Rejected":0,"Stale":0,"User":"acct.w1",
			"Last Share Time":0,"Stratum Active":false,"Stratum Difficulty":0},
			{"POOL":3,"URL":"","Status":"Dead","Priority":2,"User":""}]}`),
		"devdetails":     []byte(`{"STATUS":[{"STATUS":"S","When":1700000000,"Code":69,"Msg":"Device Details","Description":"btminer"}],"DEVDETAILS":[{"DEVDETAILS":0,"Name":"SM","ID":0,"Driver":"bitmicro","Kernel":"","Model":"M30S+_VE40"}]}`),
		"get_version":    []byte(`{"STATUS":"S","When":1700000000,"Code":131,"Msg":{"api_ver":"2.0.5","fw_ver":"20230911.12.Rel","platform":"H6OS","chip":"K88Z001"},"Description":""}`),
		"get_miner_info": []byte(`{"STATUS":"S","When":1700000000,"Code":131,"Msg":{"ip":"10.0.0.7","proto":"dhcp","netmask":"255.255.255.0","dns":"1.1.1.1","mac":"C6:07:20:00:1E:C2","ledstat":"auto","gateway":"10.0.0.1","hostname":"rig-7","minersn":"HTM30X","powersn":"PSU9","upfreq_speed":"5"},"Description":""}`),
		"get_psu":        []byte(`{"STATUS":"S","When":1700000000,"Code":131,"Msg":{"name":"P221B","hw_version":"V01.00","sw_version":"V01.00.V01.03","model":"P221B","iin":"15200","vin":"22450","pin":"3410","fan_speed":"6976","version":"-1","serial_no":"PSU9","vendor":"7","temp0":"33.5"},"Description":""}`),
		"get_error_code": []byte(`{"STATUS":"S","When":1700000000,"Code":131,"Msg":{"error_code":[{"531":"2023-11-01 10:00:00"}]},"Description":""}`),
		"status":         []byte(`{"STATUS":"S","When":1700000000,"Code":131,"Msg":{"mineroff":"false","mineroff_reason":"","mineroff_time":"","FirmwareVersion":"20230911.12.Rel","power_mode":"Normal","power_limit_set":"","hash_percent":"0","power_pct":"100"},"Description":""}`),
	}
}

func mustParse(t testing.TB, replies miner.Replies) miner.Reading {
	t.Helper()
	r, err := testDriver.Parse(replies)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestParseV2(t *testing.T) {
	r := mustParse(t, v2Set())
	want := miner.Identity{Make: "MicroBT", Model: "Whatsminer M30S+", ModelTold: "M30S+_VE40", Firmware: miner.Whatsminer, FirmwareVersion: "20230911.12.Rel",
		APIVersion: "2.0.5", MAC: "c6:07:20:00:1e:c2", Serial: "HTM30X", ControlBoard: "H6OS", Hostname: "rig-7"}
	if r.Identity != want {
		t.Errorf("identity\n%+v, want\n%+v", r.Identity, want)
	}
	same(t, "state", r.State, miner.Hashing)
	same(t, "uptime", r.Uptime, unit.Some(86500*time.Second))
	same(t, "miner uptime", r.MinerUptime, unit.Some(7200*time.Second))
	near(t, "hashrate now", r.HashrateNow, 101.2500005)
	near(t, "hashrate average", r.HashrateAverage, 100.50000025)
	near(t, "hashrate nominal", r.HashrateNominal, 101.2)
	same(t, "efficiency", r.Efficiency, unit.Some[unit.Efficiency](33.85))
	same(t, "power", r.Power, unit.Some[unit.Power](3412))
	same(t, "limit", r.PowerLimit, unit.Some[unit.Power](3420))
	same(t, "mode", r.Mode, miner.ModeNormal)
	same(t, "profile", r.Profile, "100%")
	same(t, "ambient", r.TempAmbient, unit.Some[unit.Temperature](24.5))
	same(t, "board temperature", r.TempBoard, unit.Some[unit.Temperature](71.5))
	same(t, "chip temperature", r.TempChip, unit.Some[unit.Temperature](94.5))
	same(t, "accepted", r.Accepted, unit.Some[int64](812))
	same(t, "rejected", r.Rejected, unit.Some[int64](3))
	same(t, "stale", r.Stale, unit.Some[int64](1)) // the pools'
	same(t, "locating", r.Locating, unit.Some(false))

	same(t, "boards", len(r.Boards), 3)
	b := r.Boards[0]
	near(t, "board rate", b.Hashrate, 33.8)
	near(t, "board nominal", b.HashrateNominal, 33.7)
	same(t, "chips", b.Chips, unit.Some(156))
	same(t, "chips expected", b.ChipsExpected, unit.Some(156))
	same(t, "frequency", b.Frequency, unit.Some[unit.Frequency](641e6))
	same(t, "serial", b.Serial, "HEM1AA")
	same(t, "chip type", b.ChipType, "K88Z001-2039 BINV01")
	same(t, "temperature", b.TempBoard, unit.Some[unit.Temperature](71.5))
	same(t, "chip mean", b.TempChipMean, unit.Some[unit.Temperature](83))
	// Slot 1 is a hole, and the machine says why; slot 2 keeps its name.
	same(t, "hole", r.Boards[1].Present, unit.Some(false))
	same(t, "hole's rate", r.Boards[1].Hashrate, unit.None[unit.Hashrate]())
	near(t, "numbers as text", r.Boards[2].Hashrate, 33.7)
	same(t, "chips as text", r.Boards[2].Chips, unit.Some(155))

	same(t, "fans", len(r.Fans), 2)
	same(t, "fan out", r.Fans[1].Speed, unit.Some[unit.Speed](4650))
	same(t, "psu", r.PSUs[0], miner.PSU{Model: "P221B", Serial: "PSU9", Version: "V01.00.V01.03", Present: unit.Some(true), PowerIn: unit.Some[unit.Power](3410),
		VoltageIn: unit.Some[unit.Voltage](224.5), CurrentIn: unit.Some[unit.Current](15.2), Temp: unit.Some[unit.Temperature](33.5), Fan: unit.Some[unit.Speed](6976)})
	same(t, "pools", len(r.Pools), 2) // the empty place is none
	same(t, "pool", r.Pools[0], miner.Pool{URL: "stratum+tcp://a.example:3333", User: "acct.w1", Priority: unit.Some(0), Alive: unit.Some(true),
		Active: unit.Some(true), Status: "Alive", Accepted: unit.Some[int64](800), Rejected: unit.Some[int64](3), Stale: unit.Some[int64](1),
		Difficulty: unit.Some(65536.0), LastShare: unit.Some(time.Unix(1700000000, 0).UTC())})
	same(t, "second pool alive", r.Pools[1].Alive, unit.Some(false))
	same(t, "second pool's last share", r.Pools[1].LastShare.Ok(), false)
	same(t, "fault", r.Faults[0].Code, miner.BoardMissing)
	same(t, "fault's board", r.Faults[0].Index, 1)
	if !r.Degraded() {
		t.Error("a machine without its second board is not called degraded")
	}
	if len(r.Warnings) > 0 {
		t.Errorf("warnings %+v", r.Warnings)
	}
	for key, want := range map[string]string{
		"summary.MHS 1m": "100900000.10", "summary.HS RT": "100800000.00", "summary.Total MH": "723600000000.0000", "summary.freq_avg": "640",
		"summary.Hash Stable": "true", "summary.Debug": "-0.0_100.0_354", "summary.Chip Temp Avg": "83.75", "summary.Target Freq": "600", "summary.Target MHS": "98000000", "psu.name": "P221B",
		"devs.0.chip_vol_diff": "9", "devs.0.MHS av": "33500000.00", "info.upfreq_speed": "5", "psu.hw_version": "V01.00", "status.hash_percent": "0",
		"fast-boot": "disable", "pools.0.Quota": "1", "version.chip": "K88Z001",
	} {
		same(t, "extra "+key, r.Extra[key], want)
	}
}

func near[T ~float64](t *testing.T, what string, got unit.Opt[T], want float64) {
	t.Helper()
	v, ok := got.Get()
	if d := float64(v) - want; !ok || d > 1e-6 || d < -1e-6 {
		t.Errorf("%s: %v (%v), want %v", what, v, ok, want)
	}
}

// What firmware has written differently at one time or another reads the same.
func TestParseV2Forms(t *testing.T) {
	set := v2Set()
	joined := `{"summary":[` + string(set["summary"]) + `],"devs":[` + string(set["devs"]) + `],"pools":[` + string(set["pools"]) + `],"id":1}`
	for name, change := range map[string]func(miner.Replies){
		"joined": func(r miner.Replies) {
			for _, n := range []string{"summary", "devs", "pools"} {
				delete(r, n)
			}
			r["summary+devs+pools"] = []byte(joined)
		},
		"NUL at the end": func(r miner.Replies) { r["summary"] = append(r["summary"], 0) },
		"line breaks and a comma too many": func(r miner.Replies) {
			r["get_version"] = []byte(strings.Replace(string(r["get_version"]), `"platform"`, "\n\"platform\"", 1))
			r["get_version"] = []byte(strings.Replace(string(r["get_version"]), `"chip":"K88Z001"}`, `"chip":"K88Z001",}`, 1))
		},
		"no comma before temp0": func(r miner.Replies) {
			r["get_psu"] = []byte(strings.Replace(string(r["get_psu"]), `,"temp0"`, `"temp0"`, 1))
		},
		"error codes as a list written like a dictionary": func(r miner.Replies) {
			r["get_error_code"] = []byte(`{"STATUS":"S","When":1,"Code":131,"Msg":{"error_code":["531":"2023-11-01 10:00:00"]},"Description":""}`)
		},
		"error codes as texts": func(r miner.Replies) {
			r["get_error_code"] = []byte(`{"STATUS":"S","When":1,"Code":131,"Msg":{"error_code":["531"]},"Description":""}`)
		},
		"bare error codes": func(r miner.Replies) { r["get_error_code"] = []byte(`{"error_code":["531"]}`) },
		"sections in Msg": func(r miner.Replies) {
			for _, n := range []string{"summary", "devs", "pools"} {
				body := string(r[n])
				section := body[strings.Index(body, `:[{`+map[string]string{"summary": `"Elapsed`, "devs": `"ASC`, "pools": `"POOL`}[n])+1:]
				section = strings.TrimSuffix(section, "}")
				if i := strings.Index(body, "DEVS\":["); n == "devs" {
					section = strings.TrimSuffix(body[i+6:], "}")
				}
				if i := strings.Index(body, "POOLS\":["); n == "pools" {
					section = strings.TrimSuffix(body[i+7:], "}")
				}
				r[n] = []byte(`{"STATUS":"S","When":1,"Code":131,"Msg":` + section + `,"Description":""}`)
			}
		},
		"other names": func(r miner.Replies) {
			for n, raw := range r {
				delete(r, n)
				r["file of "+n] = raw
			}
		},
		"quoted version": func(r miner.Replies) {
			r["get_version"] = []byte(strings.Replace(string(r["get_version"]), `"20230911.12.Rel"`, `"'20230911.12.Rel'"`, 1))
		},
		"status bare": func(r miner.Replies) {
			r["status"] = []byte(`{"btmineroff":"false","Firmware Version":"'20230911.12.Rel'","power_mode":"Normal","power_limit_set":"","hash_percent":"","power_pct":100}`)
		},
	} {
		t.Run(name, func(t *testing.T) {
			replies := v2Set()
			change(replies)
			r := mustParse(t, replies)
			near(t, "hashrate", r.HashrateNow, 101.2500005)
			same(t, "power", r.Power, unit.Some[unit.Power](3412))
			same(t, "boards", len(r.Boards), 3)
			same(t, "pools", len(r.Pools), 2)
			same(t, "faults", len(r.Faults), 1)
			same(t, "psu temperature", r.PSUs[0].Temp, unit.Some[unit.Temperature](33.5))
			same(t, "version", r.Identity.FirmwareVersion, "20230911.12.Rel")
			same(t, "profile", r.Profile, "100%")
			for _, w := range r.Warnings {
				if w.Kind != miner.WarnRepaired {
					t.Errorf("warning %+v", w)
				}
			}
		})
	}
}

// API 1.x: everything is in the summary, hashes count errors, MAC and version
// too.
func TestParseOldSummary(t *testing.T) {
	r := mustParse(t, miner.Replies{
		"summary": []byte(`{"STATUS":[{"STATUS":"S","When":38601,"Code":11,"Msg":"Summary","Description":"cgminer 4.9.2"}],"SUMMARY":[{"Elapsed":60000,"MHS av":68000000.10,
			"MHS 5s":67000000.00,"Found Blocks":0,"Accepted":5000,"Rejected":20,"Hardware Errors":900,"Stale":4,"Best Share":1003626349,"Temperature":72.00,
			"freq_avg":622,"Fan Speed In":0,"Fan Speed Out":0,"Voltage":1300,"Power":-1,"Power_RT":3470,"Device Hardware%":0.0220,"Uptime":66892,"Power Current":245,
			"Power Fanspeed":8880,"Error Code 0":111,"Error Code 1":410,"Error Code Count":2,"Factory Error Code Count":0,"Security Mode":0,"Liquid Cooling":true,
			"Env Temp":-273.0,"Power Mode":"Low","Firmware Version":"'20200917.22.REL'","CB Platform":"ALLWINNER_H3","CB Version":"V10","MAC":"C4:11:04:01:3C:75",
			"Factory GHS":67051,"Power Limit":3500,"Chip Temp Min":65.00,"Chip Temp Max":87.70,"Chip Temp Avg":79.34,"Target MHS":60000000}],"id":1}`),
		"get_version": []byte(`{"STATUS":"S","When":1,"Code":131,"Msg":"whatsminer v1.3","Description":"whatsminer v1.3"}`),
	})
	same(t, "api", r.Identity.APIVersion, "1.3")
	same(t, "version", r.Identity.FirmwareVersion, "20200917.22.REL")
	same(t, "mac", r.Identity.MAC, "c4:11:04:01:3c:75")
	same(t, "control board", r.Identity.ControlBoard, "ALLWINNER_H3 V10")
	same(t, "power", r.Power, unit.Some[unit.Power](3470))
	same(t, "hardware errors", r.HWErrors, unit.Some[int64](900))
	near(t, "hardware error ratio", r.HWErrorRatio, 0.00022)
	same(t, "best share", r.BestShare, unit.Some(1003626349.0))
	same(t, "blocks", r.Blocks, unit.Some[int64](0))
	same(t, "fans of a liquid-cooled machine", len(r.Fans), 0)
	same(t, "psu fan", r.PSUs[0].Fan, unit.Some[unit.Speed](8880))
	same(t, "ambient", r.TempAmbient.Ok(), false)
	same(t, "faults", len(r.Faults), 2)
	same(t, "mode", r.Mode, miner.ModeLow)
	near(t, "nominal of a machine in low mode", r.HashrateNominal, 60)
	warned(t, r, miner.WarnImplausible, "Env Temp")
	warned(t, r, miner.WarnMissing, "Power")
}

func warned(t *testing.T, r miner.Reading, kind miner.WarningKind, where string) {
	t.Helper()
	for _, w := range r.Warnings {
		if w.Kind == kind && strings.Contains(w.Where, where) {
			return
		}
	}
	t.Errorf("no %s warning of %q: %+v", kind, where, r.Warnings)
}

// States that the firmware's words decide, and those that only evidence does.
func TestState(t *testing.T) {
	summary := func(elapsed, rate, upfreq string) string {
		return `{"code":0,"desc":"get.miner.status","msg":{"summary":{"elapsed":` + elapsed + `,"hash-realtime":` + rate + `,"hash-average":` + rate +
			`,"factory-hash":100,"up-freq-finish":` + upfreq + `,"chip-temp-max":0,"power-realtime":20}}}`
	}
	device := func(working, errors string) string {
		return `{"code":0,"desc":"get.device.info","msg":{"miner":{"working":"` + working + `"},"error-code":` + errors + `}}`
	}
	status := func(off, reason string) string {
		return `{"STATUS":"S","When":1,"Code":131,"Msg":{"mineroff":"` + off + `","mineroff_reason":"` + reason + `"},"Description":""}`
	}
	refused := `{"STATUS":"E","When":1,"Code":132,"Msg":"API command ERROR","Description":""}`
	for name, c := range map[string]struct {
		replies []string
		want    miner.State
	}{
		"hashing":                      {[]string{summary("5000", "99", "1"), device("true", "[]")}, miner.Hashing},
		"curtailed to half":            {[]string{summary("5000", "50", "1"), device("true", "[]")}, miner.Hashing},
		"frequency rises":              {[]string{summary("300", "40", "0"), device("true", "[]")}, miner.Starting},
		"has risen enough":             {[]string{summary("300", "95", "0"), device("true", "[]")}, miner.Hashing},
		"never rises":                  {[]string{summary("50000", "40", "0"), device("true", "[]")}, miner.Hashing},
		"boards initialise":            {[]string{summary("60", "0", "0"), device("true", "[]")}, miner.Starting},
		"process runs and does not":    {[]string{summary("7000", "0", "0"), device("true", "[]")}, miner.Stopped},
		"told to sleep":                {[]string{summary("0", "0", "0"), device("false", "[]")}, miner.Sleeping},
		"asleep with a pool complaint": {[]string{summary("0", "0", "0"), device("false", `[{"2010":"2025-01-01 00:00:00"}]`)}, miner.Sleeping},
		"switched off by a protection": {[]string{summary("0", "0", "0"), device("false", `[{"233":"2025-01-01 00:00:00"}]`)}, miner.Stopped},
		"v2 asleep":                    {[]string{refused, status("true", "")}, miner.Sleeping},
		"v2 asleep by the API":         {[]string{refused, status("true", "whatsminer API")}, miner.Sleeping},
		"v2 switched off by itself":    {[]string{refused, status("true", "error protect")}, miner.Stopped},
		"v2 running, nothing yet":      {[]string{refused, status("false", "")}, miner.Starting},
		"only a refusal":               {[]string{refused}, miner.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			replies := miner.Replies{}
			for i, raw := range c.replies {
				replies[strings.Repeat("r", i+1)] = []byte(raw)
			}
			r := mustParse(t, replies)
			same(t, "state", r.State, c.want)
			same(t, "chip temperature of a cold machine", r.TempChip.Ok(), false)
			if c.want == miner.Sleeping && r.Degraded() {
				t.Error("asleep and degraded")
			}
		})
	}
}

// A machine that is told to do less is not a weak one.
func TestNominalUnderALimit(t *testing.T) {
	for name, setting := range map[string]string{
		"percentage": `{"power-limit":3600,"power-mode":"normal","upfreq-speed":0,"power-percent":60}`,
		"low mode":   `{"power-limit":3600,"power-mode":"low","upfreq-speed":0,"power-percent":0}`,
	} {
		r := mustParse(t, miner.Replies{
			"s": []byte(`{"code":0,"desc":"get.miner.status","msg":{"summary":{"elapsed":9000,"hash-realtime":110,"hash-average":110,"factory-hash":180,"power-limit":3600,"up-freq-finish":1}}}`),
			"m": []byte(`{"code":0,"desc":"get.miner.setting","msg":` + setting + `}`),
		})
		if r.HashrateNominal.Ok() || r.Degraded() {
			t.Errorf("%s: nominal %v, degraded %v", name, r.HashrateNominal, r.Degraded())
		}
		same(t, "factory rate", r.Extra["factory-hash"], "180TH/s")
	}
	set := v2Set()
	set["status"] = []byte(strings.Replace(string(set["status"]), `"power_limit_set":""`, `"power_limit_set":"2400"`, 1))
	set["summary"] = []byte(strings.Replace(string(set["summary"]), `"Power Limit":3420`, `"Power Limit":2400`, 1))
	r := mustParse(t, set)
	near(t, "nominal under a limit", r.HashrateNominal, 98) // the target
	if e := r.Envelope; e == nil || e.PowerMax != unit.Some[unit.Power](3400) || e.Source != "told" {
		t.Errorf("envelope under a limit: %+v", e) // the nameplate, not the limit
	}
}

// API v3 in pieces: sections without their name, settings, a refusal.
func TestParseV3Forms(t *testing.T) {
	r := mustParse(t, miner.Replies{
		"a": []byte(`{"code":0,"when":1,"msg":{"elapsed":10000,"hash-realtime":"180.5","hash-average":179,"power-realtime":3300,"board-temperature":[41.1,0,-273.0],"environment-temperature":"28.5 C"},"desc":"get.miner.status"}`),
		"b": []byte(`{"code":0,"when":1,"msg":[{"id":0,"slot":1,"hash-average":60,"effective-chips":100,"factory-hash":61}],"desc":"get.miner.status"}`),
		"c": []byte(`{"code":0,"when":1,"msg":[{"id":1,"url":"stratum+tcp://x:1","account":"u","status":"alive","stratum-active":true,"stratum-diff":4096,"reject-rate":0.1,"last-share-time":1770000000}],"desc":"get.miner.status"}`),
		"d": []byte(`{"code":0,"when":1,"msg":{"network":{"mac":"CA-01-14-00-04-EB"},"power":{"iin":13.4,"vin":231.5,"vout":1209,"pin":3100,"temp0":41.5,"fanspeed":65535,"liquid-temperature":38.5}},"desc":"get.device.info"}`),
		"e": []byte(`{"code":-1,"when":1,"msg":"fail","desc":"get.miner.status"}`),
		"f": []byte(`{"code":0,"when":1,"msg":{"web-pool":1,"timezone":"CST-8","zonename":"Asia/Shanghai","hostname":"h7"},"desc":"get.system.setting"}`),
		"g": []byte(`{"code":0,"when":1,"msg":{"fan-poweroff-cool":0,"fan-zero-speed":0,"fan-temp-offset":-5},"desc":"get.fan.setting"}`),
		"h": []byte(`{"code":0,"when":1,"msg":{"error-code":[{"351":"2025-06-01 08:00:00","reason":"too hot"}]},"desc":"get.device.info"}`),
	})
	same(t, "hashrate", r.HashrateNow, unit.Some[unit.Hashrate](180.5))
	same(t, "ambient with a unit", r.TempAmbient, unit.Some[unit.Temperature](28.5))
	same(t, "boards", len(r.Boards), 2)
	same(t, "board 0", r.Boards[0].TempBoard, unit.Some[unit.Temperature](41.1))
	same(t, "board 1", r.Boards[1].Hashrate, unit.Some[unit.Hashrate](60))
	same(t, "board 1 temperature", r.Boards[1].TempBoard.Ok(), false)
	same(t, "pool difficulty", r.Pools[0].Difficulty, unit.Some(4096.0))
	same(t, "mac", r.Identity.MAC, "ca:01:14:00:04:eb")
	same(t, "hostname", r.Identity.Hostname, "h7")
	p := r.PSUs[0]
	same(t, "amps", p.CurrentIn, unit.Some[unit.Current](13.4))
	same(t, "volts", p.VoltageIn, unit.Some[unit.Voltage](231.5))
	same(t, "volts out", p.VoltageOut, unit.Some[unit.Voltage](12.09))
	same(t, "fan", p.Fan.Ok(), false)
	same(t, "coolant", r.TempInlet, unit.Some[unit.Temperature](38.5))
	same(t, "fan offset", r.Extra["fan.fan-temp-offset"], "-5")
	same(t, "fault", r.Faults[0].Text, "too hot")
	same(t, "fault's time", r.Faults[0].Since, time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC))
	warned(t, r, miner.WarnImplausible, "fanspeed")
	warned(t, r, miner.WarnImplausible, "board-temperature.2")
	warned(t, r, miner.WarnRefused, "e")
}

// Board temperatures stand beside the boards, by slot or, when a board is
// missing and left out of both lists, in the order of the others.
func TestBoardTemperaturesV3(t *testing.T) {
	edevs := `[{"slot":0,"hash-average":60},{"slot":2,"hash-average":60}]`
	for temps, want := range map[string][3]unit.Opt[unit.Temperature]{
		`[41,42]`:   {unit.Some[unit.Temperature](41), {}, unit.Some[unit.Temperature](42)},
		`[41,0,42]`: {unit.Some[unit.Temperature](41), {}, unit.Some[unit.Temperature](42)},
	} {
		r := mustParse(t, miner.Replies{
			"s": []byte(`{"code":0,"desc":"get.miner.status","msg":{"summary":{"elapsed":9000,"hash-realtime":120,"board-temperature":` + temps + `},"edevs":` + edevs + `}}`),
			"d": []byte(`{"code":0,"desc":"get.device.info","msg":{"miner":{"board-num":"3","working":"true"}}}`),
		})
		if len(r.Boards) != 3 {
			t.Fatalf("%s: boards %+v", temps, r.Boards)
		}
		for i, b := range r.Boards {
			same(t, temps, b.TempBoard, want[i])
			same(t, "present", b.Present, unit.Some(i != 1))
		}
	}
}

// v3 tells the pools and v2 counts their shares; a v2 answer of another list is
// left alone.
func TestSharesFromV2(t *testing.T) {
	v3 := `{"code":0,"desc":"get.miner.status","msg":{"pools":[{"url":"stratum+tcp://x:1","account":"u","status":"alive","stratum-active":true,"pool-priority":0}]}}`
	v2 := `{"STATUS":[{"STATUS":"S","Msg":"2 Pool(s)"}],"POOLS":[{"POOL":1,"URL":"stratum+tcp://x:1","User":"u","Accepted":50,"Rejected":2,"Stale":1},{"POOL":2,"URL":"stratum+tcp://gone:1","User":"u","Accepted":9}]}`
	r := mustParse(t, miner.Replies{"get_miner_status": []byte(v3), "pools": []byte(v2)})
	same(t, "pools", len(r.Pools), 1)
	same(t, "accepted", r.Accepted, unit.Some[int64](50))
	same(t, "rejected", r.Rejected, unit.Some[int64](2))
	same(t, "stale", r.Stale, unit.Some[int64](1))
	same(t, "active", r.Pools[0].Active, unit.Some(true))
}

func TestParseNothing(t *testing.T) {
	for _, raw := range []string{"", "\x00", "<html>login</html>", "nonsense", "{}", `{"status":"ok"}`, "null"} {
		r, err := testDriver.Parse(miner.Replies{"summary": []byte(raw)})
		if !errors.Is(err, miner.ErrGarbage) {
			t.Errorf("%q: %v", raw, err)
		}
		if len(r.Warnings) == 0 && raw != "" {
			t.Errorf("%q: no warning", raw)
		}
	}
	if _, err := testDriver.Parse(nil); !errors.Is(err, miner.ErrGarbage) {
		t.Errorf("no replies: %v", err)
	}
	// One good reply among broken ones is read.
	set := v2Set()
	for name := range set {
		if name != "summary" {
			set[name] = []byte("<html>")
		}
	}
	r := mustParse(t, set)
	same(t, "power", r.Power, unit.Some[unit.Power](3412))
	warned(t, r, miner.WarnBroken, "pools")
}

// Cut anywhere, the summary still tells what came before the cut.
func TestParseTruncated(t *testing.T) {
	raw := v2Set()["summary"]
	told := 0
	for n := range len(raw) {
		r, err := testDriver.Parse(miner.Replies{"summary": raw[:n]})
		if err == nil && r.HashrateNow.Ok() {
			told++
			warned(t, r, miner.WarnTruncated, "summary")
		}
	}
	if told < len(raw)/2 {
		t.Errorf("of %d cuts only %d tell the hashrate", len(raw), told)
	}
}

func TestUnknownModelAndCode(t *testing.T) {
	set := v2Set()
	set["devdetails"] = []byte(strings.Replace(string(set["devdetails"]), "M30S+_VE40", "M99X_VZ10", 1))
	set["get_error_code"] = []byte(`{"error_code":["2777"]}`)
	r := mustParse(t, set)
	same(t, "model", r.Identity.Model, "M99X_VZ10")
	same(t, "code", r.Faults[0].Code, miner.AdvisoryOther)
	same(t, "vendor", r.Faults[0].Vendor, "2777")
	warned(t, r, miner.WarnUnknown, "model")
	warned(t, r, miner.WarnUnknown, "get_error_code")
}

func TestHint(t *testing.T) {
	h := New().(miner.Hinter)
	for _, c := range []struct {
		port  uint16
		reply string
		want  bool
	}{
		{4028, `{"STATUS":"E","When":1675912321,"Code":14,"Msg":"invalid cmd","Description":"whatsminer v1.3"}`, true},
		{4028, `{"STATUS":"E","When":1,"Code":14,"Msg":"invalid cmd","Description":""}`, true},
		{4028, `{"STATUS":[{"STATUS":"S","Description":"btminer"}],"VERSION":[{}]}`, true},
		{4028, `{"STATUS":[{"STATUS":"S","Description":"cgminer 4.11.1"}],"VERSION":[{"CGMiner":"4.11.1"}]}`, false},
		{4433, "\x10\x00\x00\x00" + `{"code":0,"when":1,"msg":{},"desc":"get.device.info"}`, true},
		{4433, "HTTP/1.1 400 Bad Request", false},
		{80, `{"STATUS":"E"}`, false},
	} {
		if got := h.Hint(c.port, []byte(c.reply)); got != c.want {
			t.Errorf("hint of %d %q: %v", c.port, c.reply, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for name, raw := range v2Set() {
		f.Add(name, raw)
	}
	f.Add("get_device_info", []byte(`{"code":0,"msg":{"miner":{"type":"M60S_VK40","working":"true","detect-hash-rate":"1:2:3"},"error-code":[{"264":"2026-05-23 09:19:10","reason":"x"}]},"desc":"get.device.info"}`))
	f.Add("get_miner_status", []byte(`{"code":0,"msg":{"summary":{"elapsed":1},"edevs":[{"slot":7}],"pools":[{"url":"x"}]},"desc":"get.miner.status"}`))
	f.Add("x", []byte(`{"STATUS":"S","Msg":{"error_code":["329":"2022-01-17 11:28:11"]}}`))
	f.Fuzz(func(t *testing.T, name string, raw []byte) {
		r, err := testDriver.Parse(miner.Replies{name: raw})
		if err == nil && r.Identity.Firmware != miner.Whatsminer {
			t.Fatal("no firmware")
		}
		if len(r.Boards) > mostBoards || len(r.Fans) > 2 {
			t.Fatalf("%d boards, %d fans", len(r.Boards), len(r.Fans))
		}
		for _, temp := range []unit.Opt[unit.Temperature]{r.TempAmbient, r.TempBoard, r.TempChip, r.TempInlet} {
			if v, ok := temp.Get(); ok && !(v > -60 && v < 200) {
				t.Fatalf("temperature %v", v)
			}
		}
	})
}
