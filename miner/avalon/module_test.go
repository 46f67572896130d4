package avalon

import (
	"encoding/json"
	"strings"
	"testing"

	"ballast/miner"
)

// stats wraps machine texts as a stats reply: "MM ID0" and so on, or a key
// before each text.
func stats(t testing.TB, texts ...string) miner.Replies {
	t.Helper()
	o := map[string]any{"STATS": 0, "ID": "AVA100", "Elapsed": 975}
	for i, text := range texts {
		key, body, ok := strings.Cut(text, "=")
		if !ok || strings.Contains(key, "[") {
			key, body = "MM ID"+string(rune('0'+i)), text
		}
		o[key] = body
	}
	raw, err := json.Marshal(map[string]any{
		"STATUS": []any{map[string]any{"STATUS": "S", "When": 1753431291, "Code": 70, "Msg": "CGMiner stats", "Description": "cgminer 4.11.1"}},
		"STATS":  []any{o}, "id": 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return miner.Replies{"estats": append(raw, 0)}
}

// What a machine does, by its words and by what it shows.
func TestState(t *testing.T) {
	const work, idle = "SYSTEMSTATU[Work: In Work, Hash Board: 3 ] ", "SYSTEMSTATU[Work: In Idle, Hash Board: 3 ] "
	for _, c := range []struct {
		name, text string
		want       miner.State
	}{
		{"at work", work + "Elapsed[9000] GHSspd[81072.68]", miner.Hashing},
		{"at work, rate untold", work + "Elapsed[9000] GHSavg[81072.68]", miner.Hashing},
		{"at work, no rate yet", work + "Elapsed[90] GHSspd[0.00]", miner.Starting},
		{"at work, no rate for hours", work + "Elapsed[9000] GHSspd[0.00]", miner.Stopped},
		{"at work at full power, rate not told by a firmware of 2020", work + "Elapsed[166914] PS[0 1228 1299 238 3086 1296] GHSspd[0.00] MPO[3050]", miner.Hashing},
		{"at work, woken just now", work + "Elapsed[9000] GHSspd[0.00] SoftOnTime[1753431200]", miner.Starting},
		{"at work, woken long ago", work + "Elapsed[9000] GHSspd[0.00] SoftOnTime[1753400000]", miner.Stopped},
		{"at work, about to sleep", work + "Elapsed[9000] SoftOFF[5] GHSspd[0.00]", miner.Sleeping},
		{"starting", "SYSTEMSTATU[Work: In Init, Hash Board: 3 ] Elapsed[9000]", miner.Starting},
		{"asleep (Q)", idle + "STATE[2] SoftOFF[4] GHSspd[0.00] TMax[0]", miner.Sleeping},
		{"asleep (1346)", idle + "Elapsed[1168] SoftOFF[5] GHSspd[0.00] PS[0 1198 0 0 0 1393 11]", miner.Sleeping},
		{"going to sleep", idle + "Elapsed[1168] SoftOFF[5] GHSspd[10.00] PS[0 1199 1393 223 3107 1393 3334]", miner.Sleeping},
		{"SoftOFF 6 long after a boot", idle + "Elapsed[9000] SoftOFF[6] GHSspd[0.00]", miner.Sleeping},
		{"SoftOFF 6 right after a boot", idle + "Elapsed[60] SoftOFF[6] GHSspd[0.00]", miner.Starting},
		{"idle, nobody told it to", idle + "SoftOFF[0] GHSspd[0.00] Elapsed[60]", miner.Stopped},
		{"idle A10 after hashpower,0", idle + "PS[0 1220 0 0 0 1308] Elapsed[9000]", miner.Sleeping},
		{"idle A10, PSU in error", idle + "PS[32 1220 0 0 0 1308] Elapsed[9000]", miner.Stopped},
		{"standby", "SYSTEMSTATU[Work: In Standby, Hash Board: 3 ]", miner.Sleeping},
		{"fault", "SYSTEMSTATU[Work: In Fault, Hash Board: 3 ]", miner.Stopped},
		{"STATE alone: init", "STATE[0] Elapsed[9000]", miner.Starting},
		{"STATE alone: work", "STATE[1] GHSspd[10.0]", miner.Hashing},
		{"STATE alone: idle", "STATE[2] SoftOFF[4]", miner.Sleeping},
		{"STATE alone: fault", "STATE[3]", miner.Stopped},
		{"no words, a rate", "GHSspd[10.0]", miner.Hashing},
		{"no words, no rate, switched off", "GHSspd[0.0] SoftOFF[1] Elapsed[9000]", miner.Sleeping},
		{"no words, no rate", "GHSspd[0.0] Elapsed[9000]", miner.Stopped},
		{"nothing told", "Ver[1246-83-x]", miner.Unknown},
		{"words of another firmware", "SYSTEMSTATU[Work: In Mystery, Hash Board: 2] GHSspd[5.0]", miner.Hashing},
	} {
		t.Run(c.name, func(t *testing.T) {
			if r := parse(t, stats(t, c.text)); r.State != c.want {
				t.Errorf("%s, want %s", r.State, c.want)
			}
		})
	}
}

// The figures of PS, as machines of every generation write them.
func TestPowerSupply(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       map[string]any
	}{
		{"A10: six figures, output only", "PS[0 1212 1315 174 2288 1320]", map[string]any{
			"power_w": 2288, "power_source": "psu", "psus.0.power_out_w": 2288, "psus.0.power_in_w": nil, "psus.0.voltage_out_v": 13.15,
			"psus.0.voltage_set_v": 13.2, "psus.0.current_out_a": 174, "psus.0.present": true, "psus.0.status": "0", "extra.PS\\.control_voltage_v": "12.12"}},
		{"A12: seven", "PS[0 1214 1316 242 3189 1320 3504]", map[string]any{"power_w": 3504, "psus.0.power_out_w": 3189, "psus.0.power_in_w": 3504}},
		{"A15: WALLPOWER says the seventh again", "PS[0 1209 1187 297 3526 1188 3731] WALLPOWER[3731] MPO[3515]", map[string]any{"power_w": 3731, "psus.0.power_out_w": 3526, "power_limit_w": 3515}},
		{"WALLPOWER wins", "PS[0 1209 1187 297 3526 1188 3731] WALLPOWER[3700]", map[string]any{"power_w": 3700}},
		{"WALLPOWER alone", "WALLPOWER[3700]", map[string]any{"power_w": 3700, "psus": nil}},
		{"A13 asleep", "PS[0 1198 0 0 0 1393 11] SYSTEMSTATU[Work: In Idle, Hash Board: 3 ] SoftOFF[5]", map[string]any{"power_w": 11, "psus.0.power_out_w": 0, "psus.0.voltage_out_v": 0, "envelope.idle_w": 11}},
		{"Nano 3S: millivolts, no output", "Ver[Nano3s-25021401_56abae7] PS[0 0 27541 4 0 3756 133]", map[string]any{"power_w": 133, "psus.0.power_out_w": nil, "psus.0.voltage_out_v": 27.541, "extra.PS\\.control_voltage_v": nil}},
		{"Nano 3", "PS[0 0 18000 4 0 5000 80]", map[string]any{"power_w": 80, "psus.0.power_out_w": nil, "psus.0.voltage_out_v": 18, "psus.0.voltage_set_v": nil}},
		{"watts at the sixth place", "PS[0 1214 1316 242 0 3189]", map[string]any{"power_w": 3189, "psus.0.voltage_set_v": nil}},
		{"output that volts and amperes contradict", "PS[0 1214 1316 242 65535 1320]", map[string]any{"power_w": nil, "warnings.0.kind": "implausible"}},
		{"less at the wall than behind the PSU", "PS[0 1214 1316 242 3189 1320 100]", map[string]any{"power_w": 3189, "psus.0.power_in_w": nil, "warnings.0.kind": "implausible"}},
		{"absurd wall power", "WALLPOWER[99999999]", map[string]any{"power_w": nil, "warnings.0.kind": "implausible"}},
		{"negative", "PS[0 1214 -1 -1 -1 -1 -1]", map[string]any{"power_w": nil, "psus.0.voltage_out_v": nil, "psus.0.current_out_a": nil}},
		{"no PSU answers", "PS[0 0 0 0 0 0 0]", map[string]any{"psus.0.present": false, "faults.0.code": int(miner.PSUMissing), "power_w": 0}},
		{"cut short", "PS[0 1214", map[string]any{"psus": nil, "power_w": nil}},
		{"empty", "PS[]", map[string]any{"psus": nil, "power_w": nil}},
		{"words", "PS[a b c]", map[string]any{"power_w": nil}},
	} {
		t.Run(c.name, func(t *testing.T) { tells(t, parse(t, stats(t, "Elapsed[9000] "+c.text)), c.want) })
	}
}

// Errors in neutral words.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []miner.Fault // code, severity, index and vendor code only
	}{
		{"healthy A12", "ECHU[0 0 0] ECMM[0] POWS[0] HASHS[0 0 0] POOLS[0] PS[0 1214 1316 242 3189 1320 3504]", nil},
		{"healthy A10", "ECHU[512 512] ECMM[0]", []miner.Fault{{Code: miner.ChipFault, Severity: miner.Info, Index: 0, Vendor: "ECHU 512"}, {Code: miner.ChipFault, Severity: miner.Info, Index: 1, Vendor: "ECHU 512"}}},
		{"too hot", "ECHU[0 64 0] ECMM[4]", []miner.Fault{{Code: miner.ThermalChip, Severity: miner.Critical, Index: 1, Vendor: "ECHU 64"}, {Code: miner.FanMissing, Severity: miner.Critical, Index: -1, Vendor: "ECMM 4"}}},
		{"several bits", "MGHS[1 1] ECHU[0 768]", []miner.Fault{{Code: miner.BoardInit, Severity: miner.Critical, Index: 1, Vendor: "ECHU 256"}, {Code: miner.ChipFault, Severity: miner.Info, Index: 1, Vendor: "ECHU 512"}}},
		{"unknown bits", "ECHU[262144] ECMM[0]", []miner.Fault{{Code: miner.BoardOther, Severity: miner.Major, Index: 0, Vendor: "ECHU 262144"}}},
		{"PSU bits", "PS[33 1214 1316 242 3189 1320 3504]", []miner.Fault{{Code: miner.PSUInputVoltage, Severity: miner.Critical, Index: 0, Vendor: "PS 1"}, {Code: miner.PSUOutputVoltage, Severity: miner.Critical, Index: 0, Vendor: "PS 32"}}},
		{"unknown PSU bit", "PS[4096 1214 1316 242 3189 1320 3504]", []miner.Fault{{Code: miner.PSUOther, Severity: miner.Major, Index: 0, Vendor: "PS 4096"}}},
		{"no bus to the PSU", "POW_I2C_CONN[FAILED]", []miner.Fault{{Code: miner.PSUMissing, Severity: miner.Major, Index: -1, Vendor: "POW_I2C_CONN FAILED"}}},
		{"bus to the PSU", "POW_I2C_CONN[SUCCES] POW_I2C[OK]", nil},
		{"no pool", "POOLS[1]", []miner.Fault{{Code: miner.ControlPool, Severity: miner.Critical, Index: -1, Vendor: "POOLS 1"}}},
		{"fan", "FanErr[2]", []miner.Fault{{Code: miner.FanMissing, Severity: miner.Major, Index: -1, Vendor: "FanErr 2"}}},
		{"hash board", "MGHS[1 1 1] HASHS[0 0 3]", []miner.Fault{{Code: miner.BoardOther, Severity: miner.Major, Index: 2, Vendor: "HASHS 3"}}},
		{"in fault, nothing else told", "SYSTEMSTATU[Work: In Fault, Hash Board: 1]", []miner.Fault{{Code: miner.ControlOther, Severity: miner.Critical, Index: -1, Vendor: "In Fault"}}},
		{"idle boards of a machine asleep", "SYSTEMSTATU[Work: In Idle, Hash Board: 3 ] SoftOFF[5] ECHU[1 1 1] ECMM[1]", nil},
		{"one idle board of a machine at work", "SYSTEMSTATU[Work: In Work, Hash Board: 2 ] GHSspd[50.0] MGHS[50.0 0.0] MTmax[70 60] ECHU[0 1]", []miner.Fault{{Code: miner.BoardNoHash, Severity: miner.Major, Index: 1, Vendor: "ECHU 1"}}},
		{"absurd words", "ECHU[-1 1e300 nan 99999999999] ECMM[-5]", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := parse(t, stats(t, c.text))
			var got []miner.Fault
			for _, f := range r.Faults {
				got = append(got, miner.Fault{Code: f.Code, Severity: f.Severity, Index: f.Index, Vendor: f.Vendor})
			}
			if x, y := say(got), say(c.want); x != y {
				t.Errorf("%s\nwant %s", x, y)
			}
		})
	}
}

func say(v any) string { b, _ := json.Marshal(v); return string(b) }

func TestBoards(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       map[string]any
	}{
		{"chips that do not answer", "GHSspd[100.0] MGHS[100.0] PVT_T0[ 70   0 -273  72] PVT_V0[300 0 0 310] MW0[5 0 0 5]", map[string]any{
			"boards.0.chips": 2, "boards.0.chip_summary.count": 4, "boards.0.chip_summary.dead": 2, "boards.0.chip_summary.temp_mean_c": 71, "boards.0.temp_chip_min_c": 70, "warnings": nil}},
		{"absurd chip temperatures", "GHSspd[100.0] MGHS[100.0] PVT_T0[ 70 255 -100] MW0[5 5 5]", map[string]any{
			"boards.0.chips": 3, "boards.0.chip_summary.temp_max_c": 70, "warnings.0.kind": "implausible"}},
		{"a board missing", "SYSTEMSTATU[Work: In Work, Hash Board: 2 ] GHSspd[50.0] MGHS[25.0 0.00 25.0] MTmax[70 0 71] MTavg[60 0 61] TA[240]", map[string]any{
			"boards.#": 3, "boards.1.present": false, "boards.0.present": true, "boards.1.temp_chip_max_c": nil, "faults.0.code": int(miner.BoardMissing), "faults.0.index": 1}},
		{"boards that no text tells of", "Ver[1246-83-21072802_4ec6bb0_211fc46] SYSTEMSTATU[Work: In Work, Hash Board: 2 ] GHSspd[50.0] MGHS[25.0 25.0] MTmax[70 71] TA[240]", map[string]any{
			"boards.#": 3, "boards.2.present": false, "boards.2.hashrate_ths": nil, "faults.0.code": int(miner.BoardMissing), "faults.0.index": 2}},
		{"fewer boards than the table knows, all chips there", "Ver[1047-19120401_d46bc64_0367a8b] SYSTEMSTATU[Work: In Work, Hash Board: 2 ] MGHS[18727.58 18507.76] MTmax[75 70] TA[240]", map[string]any{
			"boards.#": 2, "boards.0.chips_expected": 120, "faults": nil}},
		{"counted boards and told ones differ", "SYSTEMSTATU[Work: In Work, Hash Board: 1 ] GHSspd[50.0] MGHS[25.0 25.0] MTmax[70 71]", map[string]any{"warnings.0.kind": "conflict"}},
		{"all boards counted, none told of", "SYSTEMSTATU[Work: In Init, Hash Board: 3 ]", map[string]any{"boards.#": 3, "boards.0.present": true, "boards.0.chips": nil}},
		{"frequency by PLL", "MGHS[1.0] SF0[100 200 300 400] PLL0[1 1 0 0]", map[string]any{"boards.0.frequency_hz": 150e6}},
		{"frequency without PLL", "MGHS[1.0] SF0[100 200 300 400]", map[string]any{"boards.0.frequency_hz": 250e6}},
		{"frequency of the module", "MGHS[1.0] Freq[502.41]", map[string]any{"boards.0.frequency_hz": 502.41e6}},
		{"nan among lists", "GHSspd[50.0] MGHS[25.0 nan] MTmax[70 -nan]", map[string]any{"boards.0.hashrate_ths": 0.025, "boards.1.hashrate_ths": nil, "boards.1.temp_chip_max_c": nil}},
		{"board temperatures", "MGHS[1.0 1.0] HBITemp[50 51] HBOTemp[60 -273]", map[string]any{"boards.0.temp_inlet_c": 50, "boards.0.temp_outlet_c": 60, "boards.1.temp_outlet_c": nil, "temp_board_c": 60}},
		{"a sensor that is not there", "ITemp[-273] TMax[70] Fan1[100]", map[string]any{"temp_ambient_c": nil, "temp_inlet_c": nil, "temp_chip_c": 70}},
		{"fans", "Fan1[5344] Fan2[0] Fan3[65535] FanR[72%]", map[string]any{"fans.#": 3, "fans.0.speed_rpm": 5344, "fans.0.duty": 0.72, "fans.1.speed_rpm": 0, "fans.2.speed_rpm": nil, "fan_duty": 0.72, "warnings.0.kind": "implausible"}},
		{"nominal rate of a machine that is off", "GHSmm[0.00] SYSTEMSTATU[Work: In Idle, Hash Board: 3 ] SoftOFF[5]", map[string]any{"hashrate_nominal_ths": nil}},
		{"work level and mode of a home machine", "Ver[Q-25052801_14a19a2] LVer[1] WORKMODE[1] WORKLEVEL[-2]", map[string]any{"mode": "normal", "profile": "level -2", "extra.WORKMODE": "1"}},
		{"modes of a heater", "Ver[Mini3-25052801_14a19a2] LVer[1] WORKMODE[0] WORKLEVEL[0]", map[string]any{"mode": "heater"}},
		{"a mode that is none", "Ver[1246-83-x] WORKMODE[7]", map[string]any{"mode": "7"}},
	} {
		t.Run(c.name, func(t *testing.T) { tells(t, parse(t, stats(t, c.text)), c.want) })
	}
}

// An A8 or A9 controller has several modules, and tells rates by shares only.
func TestModules(t *testing.T) {
	a := "Ver[8411803-14b0f10] DNA[0137dace492a2ec1] Elapsed[66] MH[0 1] HW[1] Temp[36] TMax[84] Fan[5730] FanR[100%] GHSmm[13646.20] WU[183226.76] Freq[762.87] Led[0] MW0[3 4 5] MW1[2 8 0] TA[6] ECHU[0 0] ECMM[0]"
	b := strings.NewReplacer("TMax[84]", "TMax[85]", "HW[1]", "HW[2]", "Fan[5730]", "Fan[5850]", "Led[0]", "Led[1]").Replace(a)
	r := parse(t, stats(t, "MM ID3="+a, "MM ID7="+b))
	tells(t, r, map[string]any{
		"identity.model": "Avalon 841", "identity.firmware_version": "14b0f10", "identity.serial": "0137dace492a2ec1",
		"boards.#": 4, "boards.2.index": 2, "boards.2.frequency_hz": 762.87e6, "boards.0.chips": 3, "boards.1.chips": 2, "boards.3.hw_errors": 1,
		"fans.#": 2, "fans.0.name": "MM3.Fan", "fans.1.speed_rpm": 5850, "temp_chip_c": 85, "hw_errors": 3, "locating": true,
		"hashrate_nominal_ths": 27.2924, "hashrate_average_ths": 2 * 183226.76 / 60 * 4294967296 / 1e12, "hashrate_now_ths": nil,
		"extra.MM7\\.DNA": "0137dace492a2ec1", "extra.MM3\\.WU": nil,
	})
	if e := r.Envelope; e.Can(miner.SetSleep) || e.Can(miner.SetMode) || !e.Can(miner.SetLocate) {
		t.Errorf("it takes %v", e.Kinds)
	}
}

// Broken replies tell what is whole in them.
func TestBroken(t *testing.T) {
	text := "Ver[1246-83-21072802_4ec6bb0_211fc46] DNA[02010000cbd2fd6d] MEMFREE[1201472.0] NETFAIL[0 0 0 0 0 0 0 0] LW[24558724] MH[999 697 1039] HW[2735] DH[2.732%] Vo[329] SYSTEMSTATU[Work: In Work, Hash Board: 3 ] Elapsed[24684] Temp[30] TMax[77] PS[0 1214 1316 242 3189 1320 3504] GHSspd[81072.68] MGHS[1.0 2.0 3.0] WORKMODE[1]"
	whole := string(stats(t, text)["estats"])
	for _, c := range []struct {
		name, raw string
		want      map[string]any
	}{
		{"cut inside a value", whole[:strings.Index(whole, "3504")], map[string]any{"temp_chip_c": 77, "power_w": nil, "state": "hashing"}},
		{"cut between values", whole[:strings.Index(whole, "GHSspd")], map[string]any{"power_w": 3504, "hashrate_now_ths": nil}},
		{"NULs at the end", whole + "\x00\x00\n", map[string]any{"power_w": 3504}},
		{"line breaks inside", strings.Replace(whole, " Temp", "\n Temp", 1), map[string]any{"temp_ambient_c": 30, "power_w": 3504}},
		{"bytes that are no text", strings.Replace(whole, "Temp[30]", "Temp[\xff\xfe]", 1), map[string]any{"temp_ambient_c": nil, "power_w": 3504}},
		{"numbers as text", strings.Replace(whole, `"Elapsed":975`, `"Elapsed":"975"`, 1), map[string]any{"power_w": 3504}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tells(t, parse(t, miner.Replies{"stats": []byte(c.raw)}), c.want)
		})
	}
	for _, raw := range []string{`,"id":1}`, "<html><body>401 Unauthorized</body></html>", "{}", "", "STATUS=E,When=1,Code=14,Msg=Invalid command,Description=cgminer 4.11.1|"} {
		if r, err := New().Parse(miner.Replies{"pools": []byte(raw)}); err == nil {
			t.Errorf("%q alone is read as %+v", raw, r)
		}
	}
	// The garbage beside a good reply costs nothing but a warning.
	in := stats(t, text)
	in["pools"] = []byte(`,"id":1}`)
	tells(t, parse(t, in), map[string]any{"power_w": 3504, "warnings.#": 2, "pools": nil})
}

// The API's text form, as A10 machines and mocks answer.
func TestTextForm(t *testing.T) {
	r := parse(t, miner.Replies{
		"version": []byte("STATUS=S,When=18633,Code=22,Msg=CGMiner versions,Description=cgminer 4.11.1|VERSION,CGMiner=4.11.1,API=3.7,PROD=AvalonMiner 1066,MODEL=1066,HWTYPE=MM3v2,SWTYPE=MM320,VERSION=19090589_789f8e9t_965ebdct,DNA=0000000000000000,MAC=aaa5836a0f14,UPAPI=2|\x00"),
		"summary": []byte("STATUS=S,When=17592,Code=11,Msg=Summary,Description=cgminer 4.11.1|SUMMARY,Elapsed=17994,MHS av=51278810.20,MHS 30s=51423478.12,MHS 1m=51209334.97,Accepted=1740,Rejected=2,Hardware Errors=10,Stale=0,Best Share=459832747,Found Blocks=0|\x00"),
		"estats":  []byte("STATUS=S,When=6397,Code=70,Msg=CGMiner stats,Description=cgminer 4.11.1|STATS=0,ID=AVA100,Elapsed=6354,Calls=0,Wait=0.000000,MM ID0=Ver[1066-19101244_fe411a8_71edeca] SYSTEMSTATU[Work: In Work, Hash Board: 3 ] Elapsed[6355] Temp[25] TMax[74] Fan1[3671] FanR[55%] PS[0 1217 1279 221 2834 1280] GHSmm[51062.40] MGHS[16645.36 16761.64 16884.83] MTmax[74 72 74] TA[342] ECMM[0] WORKMODE[1],MM Count=1,Smart Speed=1,Nonce Mask=25 |\x00"),
		"pools":   []byte("STATUS=S,When=17592,Code=7,Msg=1 Pool(s),Description=cgminer 4.11.1|POOL=0,URL=stratum+tcp://btc.example:443,Status=Alive,Priority=0,Accepted=1701,Rejected=2,Stale=0,User=acct.001,Last Share Time=17590,Stratum Active=true,Stratum Difficulty=131072.00000000|\x00"),
	})
	tells(t, r, map[string]any{
		"identity.model": "Avalon 1066", "identity.mac": "aa:a5:83:6a:0f:14", "identity.serial": nil, "identity.firmware_version": "19090589_789f8e9t_965ebdct",
		"state": "hashing", "hashrate_now_ths": 51.42347812, "hashrate_average_ths": 51.2788102, "hashrate_nominal_ths": 51.0624, "power_w": 2834,
		"boards.#": 3, "boards.0.chips_expected": 114, "fans.0.speed_rpm": 3671, "temp_ambient_c": 25, "mode": "high",
		"pools.0.url": "stratum+tcp://btc.example:443", "pools.0.user": "acct.001", "pools.0.difficulty": 131072, "accepted": 1740, "best_share": 459832747,
		"warnings": nil,
	})
}

func TestUnknownModel(t *testing.T) {
	in := stats(t, "Ver[9999-77-30010101_abc] GHSspd[81072.68] MGHS[1.0]")
	in["version"] = []byte(`{"STATUS":[{"STATUS":"S","When":1,"Code":22,"Msg":"CGMiner versions","Description":"cgminer 5"}],"VERSION":[{"CGMiner":"5","API":"4.0","PROD":"AvalonMiner 9999","MODEL":"9999-77","HWTYPE":"MM9","SWTYPE":"MM999","VERSION":"30010101_abc"}],"id":1}`)
	tells(t, parse(t, in), map[string]any{"identity.make": "Canaan", "identity.model": "AvalonMiner 9999 9999-77", "identity.model_told": "AvalonMiner 9999 9999-77", "hashrate_now_ths": 81.07268, "warnings.0.kind": "unknown"})
}

// Slots that repeat the last pool are one pool.
func TestSlots(t *testing.T) {
	pool := func(n int, url, accepted, active string) string {
		return `{"POOL":` + string(rune('0'+n)) + `,"URL":"` + url + `","User":"acct.rig","Status":"Alive","Accepted":` + accepted + `,"Rejected":1,"Stale":0,"Stratum Active":` + active + `}`
	}
	raw := `{"STATUS":[{"STATUS":"S","When":5,"Code":7,"Msg":"3 Pool(s)"}],"POOLS":[` + pool(0, "stratum+tcp://a:1", "10", "false") + "," + pool(1, "stratum+tcp://b:1", "5", "false") + "," + pool(2, "stratum+tcp://b:1", "7", "true") + `],"id":1}`
	tells(t, parse(t, miner.Replies{"pools": []byte(raw)}), map[string]any{"pools.#": 2, "pools.1.accepted": 12, "pools.1.rejected": 2, "pools.1.active": true, "pools.0.accepted": 10, "extra.pools\\.slots": "3"})
}
