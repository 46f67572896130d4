package luxos

import (
	"encoding/json"
	"strings"
	"testing"

	"ballast/miner"
)

const status = `"STATUS":[{"STATUS":"S","When":1760242394,"Code":1,"Msg":"m","Description":"LUXminer 2025.4.8.220305-57b389c7"}]`

func reply(sections string) []byte {
	return []byte(`{` + status + `,` + sections + `,"id":1}` + "\x00")
}

// machine is a set of small replies; the sections given replace its own.
func machine(over ...string) miner.Replies {
	in := miner.Replies{
		"summary": reply(`"SUMMARY":[{"Elapsed":3453,"GHS 5s":59756.06,"GHS av":56917.91,"Accepted":5,"Rejected":0}]`),
		"config":  reply(`"CONFIG":[{"CurtailMode":"None","Model":"Antminer S19k Pro","Profile":"290MHz","SystemStatus":"Normal","IsTuning":false,"RedLed":"auto","MACAddr":"62:f7:5e:b7:10:46"}]`),
		"devs":    reply(`"DEVS":[{"ASC":0,"ID":0,"Enabled":"Y","Status":"Alive","MHS 5s":29878030,"Nominal MHS":30000000,"IsRamping":false,"IsUserShutdown":false,"Temperature":47}]`),
		"events":  reply(`"EVENTS":[]`),
	}
	for i := 0; i+1 < len(over); i += 2 {
		in[over[i]] = reply(over[i+1])
		if over[i+1] == "" {
			delete(in, over[i])
		}
	}
	return in
}

func TestState(t *testing.T) {
	const nothing = `"SUMMARY":[{"Elapsed":3453,"GHS 5s":0,"GHS av":56917.91}]`
	const young = `"SUMMARY":[{"Elapsed":45,"GHS 5s":0,"GHS av":0}]`
	config := func(mode, word string) string {
		return `"CONFIG":[{"CurtailMode":"` + mode + `","SystemStatus":"` + word + `","IsPowerSupplyOn":false}]`
	}
	event := func(code string) string {
		return `"EVENTS":[{"Code":"` + code + `","Target":"MINER","Description":"d"}]`
	}
	for _, c := range []struct {
		name string
		over []string
		want miner.State
		told string
	}{
		{"hashing", nil, miner.Hashing, "Normal"},
		{"asleep by config", []string{"summary", nothing, "config", config("Sleep", "Normal")}, miner.Sleeping, "Normal; curtail Sleep"},
		{"asleep by event", []string{"summary", nothing, "config", config("", "Normal"), "events", event("SLEEP")}, miner.Sleeping, "Normal"},
		{"just started", []string{"summary", young}, miner.Starting, "Normal"},
		{"initialising", []string{"summary", nothing, "config", config("None", "Initializing")}, miner.Starting, "Initializing"},
		{"boards reboot", []string{"summary", nothing, "events", event("REBOOT_SYSINIT")}, miner.Starting, "Normal"},
		{"ramping", []string{"summary", `"SUMMARY":[{"Elapsed":345,"GHS 5s":5000}]`, "devs", `"DEVS":[{"ASC":0,"ID":0,"Enabled":"Y","Status":"Alive","MHS 5s":5000000,"Nominal MHS":30000000,"IsRamping":true}]`}, miner.Starting, "Normal"},
		{"nearly at full rate", []string{"summary", `"SUMMARY":[{"Elapsed":345,"GHS 5s":28000}]`, "devs", `"DEVS":[{"ASC":0,"ID":0,"Enabled":"Y","Status":"Alive","MHS 5s":28000000,"Nominal MHS":30000000,"IsRamping":true}]`}, miner.Hashing, "Normal"},
		{"stopped by a panic", []string{"summary", young, "events", event("PSU_PANIC")}, miner.Stopped, "Normal"},
		{"not hashing for an hour", []string{"summary", nothing}, miner.Stopped, "Normal"},
		{"no rate told", []string{"summary", `"SUMMARY":[{"Elapsed":3453}]`}, miner.Unknown, "Normal"},
		{"hashing with yesterday's panic still listed", []string{"events", event("NOPIC_PROTECTION")}, miner.Hashing, "Normal"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := parse(t, machine(c.over...))
			if r.State != c.want || r.StateTold != c.told {
				t.Errorf("%s (%q), want %s (%q)", r.State, r.StateTold, c.want, c.told)
			}
			if c.want == miner.Sleeping && (len(r.Faults) > 0 || r.HashrateNow.Or(1) != 0) {
				t.Errorf("asleep with %+v at %v", r.Faults, r.HashrateNow)
			}
		})
	}
}

func TestEvents(t *testing.T) {
	list := func(events ...string) string { return `"EVENTS":[` + strings.Join(events, ",") + `]` }
	for _, c := range []struct {
		event string
		want  miner.Fault
	}{
		{`{"Code":"FAN_FAILURE","Target":"FAN","ID":2,"Description":"Fan failure.","CreatedAt":"2026-04-08T03:38:27+00:00"}`, miner.Fault{Code: miner.FanMissing, Severity: miner.Major, Index: 2, Vendor: "FAN_FAILURE", Text: "Fan failure."}},
		{`{"Code":"FAN_PANIC","Target":"MINER"}`, miner.Fault{Code: miner.FanMissing, Severity: miner.Critical, Index: -1, Vendor: "FAN_PANIC"}},
		{`{"Code":"BOARD_ASIC_ENUMERATION_FAILURE","Target":"BOARD","ID":1}`, miner.Fault{Code: miner.ChipMissing, Severity: miner.Major, Index: 1, Vendor: "BOARD_ASIC_ENUMERATION_FAILURE"}},
		{`{"Code":"PSU_PANIC","Target":"MINER","ID":0}`, miner.Fault{Code: miner.PSUShutdown, Severity: miner.Critical, Index: -1, Vendor: "PSU_PANIC"}},
		{`{"Code":"NO_ACTIVE_POOLS","Target":"MINER"}`, miner.Fault{Code: miner.ControlPool, Severity: miner.Critical, Index: -1, Vendor: "NO_ACTIVE_POOLS"}},
		{`{"Code":"SHUTDOWN_USER","Target":"BOARD","ID":0}`, miner.Fault{Code: miner.BoardDisabled, Severity: miner.Info, Index: 0, Vendor: "SHUTDOWN_USER"}},
		// Codes that Luxor added since.
		{`{"Code":"PSU_FLUX_FAILURE","Target":"MINER"}`, miner.Fault{Code: miner.PSUOther, Severity: miner.Major, Index: -1, Vendor: "PSU_FLUX_FAILURE"}},
		{`{"Code":"WATER_TEMP_HIGH","Target":"MINER"}`, miner.Fault{Code: miner.ThermalOther, Severity: miner.Minor, Index: -1, Vendor: "WATER_TEMP_HIGH"}},
		{`{"Code":"SOMETHING","Target":"BOARD","ID":2}`, miner.Fault{Code: miner.BoardOther, Severity: miner.Minor, Index: 2, Vendor: "SOMETHING"}},
		{`{"Code":"SOMETHING","Target":"MINER"}`, miner.Fault{Code: miner.AdvisoryOther, Severity: miner.Minor, Index: -1, Vendor: "SOMETHING"}},
	} {
		r := parse(t, machine("events", list(c.event)))
		if len(r.Faults) != 1 {
			t.Errorf("%s: %+v", c.event, r.Faults)
			continue
		}
		got := r.Faults[0]
		if got.Code != c.want.Code || got.Severity != c.want.Severity || got.Index != c.want.Index || got.Vendor != c.want.Vendor || c.want.Text != "" && got.Text != c.want.Text {
			t.Errorf("%s: %+v, want %+v", c.event, got, c.want)
		}
	}
	if r := parse(t, machine("events", list(`{"Code":"MINER_TUNING","Target":"MINER"}`, `{"Code":""}`, `{"Target":"BOARD"}`, `7`, `null`))); len(r.Faults) > 0 {
		t.Errorf("no complaints: %+v", r.Faults)
	}
}

func TestSensors(t *testing.T) {
	const water = `"METADATA":[{"BottomLeft":{"Label":"Water Outlet"},"BottomRight":{"Label":"Water Inlet"},"TopLeft":{"Label":"Board Outlet"},"TopRight":{"Label":"Board Inlet"}}]`
	for _, c := range []struct {
		name, temps string
		want        map[string]any
	}{
		{"air", `"METADATA":[{"BottomLeft":{"Label":"Board Exhaust (bottom)"},"TopRight":{"Label":"Board Intake (top)"}}],"TEMPS":[{"ID":0,"TEMP":0,"BottomLeft":47.0,"TopRight":34.0}]`,
			map[string]any{"boards.0.temp_outlet_c": 47, "boards.0.temp_inlet_c": 34, "boards.0.temp_board_c": 47, "temp_board_c": 47, "temp_inlet_c": nil}},
		{"water", water + `,"TEMPS":[{"ID":0,"TEMP":0,"BottomLeft":52.0,"BottomRight":41,"TopLeft":60,"TopRight":50}]`,
			map[string]any{"temp_inlet_c": 41, "temp_outlet_c": 52, "boards.0.temp_outlet_c": 60, "boards.0.temp_inlet_c": 50, "temp_board_c": 60}},
		{"no labels, as before 2024.6", `"TEMPS":[{"TEMP":0,"BottomLeft":47,"BottomRight":34,"TopLeft":46,"TopRight":33,"Board":47,"Chip":0}]`, map[string]any{"boards.0.temp_board_c": 47, "boards.0.temp_chip_max_c": nil}},
		{"chip", `"TEMPS":[{"ID":0,"TEMP":0,"ChipMax":81,"Inlet":40}]`, map[string]any{"boards.0.temp_chip_max_c": 81, "temp_chip_c": 81, "boards.0.temp_inlet_c": 40}},
		{"a board that is off tells zeros", `"TEMPS":[{"ID":0,"TEMP":0,"BottomLeft":0,"TopRight":0}]`, map[string]any{"boards.0.temp_inlet_c": nil, "boards.0.temp_board_c": 47}},
		{"sentinels", `"TEMPS":[{"ID":0,"TEMP":0,"BottomLeft":-273,"TopRight":65535}]`, map[string]any{"boards.0.temp_outlet_c": nil, "warnings.0.kind": "implausible"}},
		{"absurd boards", `"TEMPS":[{"ID":99999,"TEMP":0,"BottomLeft":40},{"ID":-5,"BottomLeft":40}]`, map[string]any{"boards.99": nil}},
	} {
		t.Run(c.name, func(t *testing.T) { tells(t, parse(t, machine("temps", c.temps)), c.want) })
	}
}

func TestBoards(t *testing.T) {
	chips := func(list ...string) string { return `"CHIPS":[` + strings.Join(list, ",") + `]` }
	for _, c := range []struct {
		name string
		over []string
		want map[string]any
	}{
		{"in any order", []string{"devs", `"DEVS":[{"ASC":2,"ID":2,"Enabled":"Y","Status":"Alive","MHS 5s":3000000},{"ASC":0,"ID":0,"Enabled":"Y","Status":"Alive","MHS 5s":"1000000"}]`},
			map[string]any{"boards.#": 2, "boards.0.index": 0, "boards.0.hashrate_ths": 1, "boards.1.index": 2, "boards.1.hashrate_ths": 3}},
		{"switched off", []string{"devs", `"DEVS":[{"ASC":0,"ID":0,"Enabled":"N","Status":"Dead","MHS 5s":0,"Nominal MHS":30000000,"IsUserShutdown":true,"Temperature":0}]`, "voltageget_0", `"VOLTAGE":[{"Board":0,"IsOnBoard":false,"Voltage":11.88}]`},
			map[string]any{"boards.0.enabled": false, "boards.0.voltage_v": nil, "boards.0.temp_board_c": nil, "hashrate_nominal_ths": nil}},
		{"failed chips", []string{"healthchipget_0", chips(
			`{"Board":0,"Chip":0,"GHS 5m":270.5,"Frequency":300,"Healthy":"Y","ChipTemp":71.5}`, `{"Board":0,"Chip":1,"GHS 5m":0,"Frequency":300,"Healthy":"N","ChipTemp":-273}`,
			`{"Board":0,"Chip":2,"GHS 5m":100,"Frequency":300,"Healthy":"N","ChipTemp":60}`)},
			map[string]any{"boards.0.chips": 2, "boards.0.chips_expected": 3, "boards.0.chip_summary.dead": 2, "boards.0.temp_chip_max_c": 71.5, "boards.0.temp_chip_min_c": 60, "warnings.0.kind": "implausible"}},
		{"chips not yet examined", []string{"healthchipget_0", chips(`{"Board":0,"Chip":0,"Healthy":"Unknown","IsChecking":true}`)},
			map[string]any{"boards.0.chips": 1, "boards.0.chip_summary.dead": nil, "boards.0.chip_summary.hashrate_min_ths": nil}},
		{"all boards in one reply", []string{"healthchipget", chips(`{"Board":0,"GHS 5m":270.5,"Healthy":"Y"}`, `{"Board":1,"GHS 5m":271.5,"Healthy":"Y"}`, `{"Board":77,"GHS 5m":271.5}`)},
			map[string]any{"boards.#": 2, "boards.1.chips": 1}},
		{"stats alone", []string{"devs", "", "stats", `"STATS":[{"Type":"Antminer S19k Pro"},{"chain_acn1":77,"chain_acn2":0,"freq1":300.5,"chain_hw1":5,"temp_chip1":"70-71-72-73","temp_pcb1":"50-51-52-53","total_rateideal":61954.2}]`},
			map[string]any{"boards.#": 1, "boards.0.chips": 77, "boards.0.frequency_hz": 300.5e6, "boards.0.hw_errors": 5, "boards.0.temp_chip_max_c": 73, "hashrate_nominal_ths": 61.9542}},
		{"absurd voltages", []string{"voltageget_0", `"VOLTAGE":[{"Board":0,"Voltage":65535},{"Board":-1,"Voltage":12},{"Board":0}]`}, map[string]any{"boards.0.voltage_v": nil, "warnings.0.kind": "implausible"}},
		{"LED", []string{"config", `"CONFIG":[{"RedLed":"blink","IsTuning":true}]`}, map[string]any{"locating": true, "tuning": "tuning"}},
		{"power target", []string{"config", `"CONFIG":[{"IsPowerTargetSupported":true,"IsPowerTargetEnabled":true,"ActualPowerTarget":2900,"IdealPowerTarget":3000,"Profile":""}]`, "limits", `"LIMITS":[{"PowerTargetMin":1000,"PowerTargetMax":4000,"VoltageMin":11.8}]`},
			map[string]any{"power_limit_w": 2900, "envelope.power_min_w": 1000, "envelope.power_max_w": 4000, "extra.limits\\.VoltageMin": "11.8"}},
		{"power target not in force", []string{"config", `"CONFIG":[{"IsPowerTargetSupported":true,"IsPowerTargetEnabled":false,"ActualPowerTarget":0,"IdealPowerTarget":3000}]`}, map[string]any{"power_limit_w": nil, "envelope.power_min_w": nil}},
		{"measured power", []string{"power", `"POWER":[{"PSU":true,"Watts":"2900"}]`}, map[string]any{"power_w": 2900, "power_source": "psu"}},
		{"absurd power", []string{"power", `"POWER":[{"PSU":true,"Watts":-1}]`}, map[string]any{"power_w": nil, "warnings.0.kind": "implausible"}},
		{"a session is nobody's business", []string{"session", `"SESSION":[{"SessionID":"abcd1234"}]`}, map[string]any{"extra.session\\.SessionID": nil}},
		{"unknown model", []string{"config", `"CONFIG":[{"Model":"Antminer Z99 Ultra"}]`}, map[string]any{"identity.model": "Antminer Z99 Ultra", "identity.model_told": "Antminer Z99 Ultra", "warnings.0.kind": "unknown"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := parse(t, machine(c.over...))
			tells(t, r, c.want)
			if raw, _ := json.Marshal(r); strings.Contains(string(raw), "abcd1234") {
				t.Error("a session's ID is in the reading")
			}
		})
	}
}

// Broken replies tell what is whole in them, and other firmwares' nothing.
func TestBroken(t *testing.T) {
	in := machine()
	in["temps"] = []byte(`{` + status + `,"TEMPS":[{"ID":0,"BottomLeft":47.0},{"ID":1,"BottomLe`)
	in["fans"] = []byte(`{` + status + `,"FANS":[{"FAN":"FAN4","ID":0,"RPM":1920,"Speed":20}{"FAN":"FAN2","ID":1,"RPM":1920,"Speed":20}],"id":1}` + "\x00")
	in["power"] = []byte("<html>502 Bad Gateway</html>")
	in["profiles"] = []byte(`{"STATUS":[{"STATUS":"E","When":1,"Code":45,"Msg":"Access denied to 'profiles' command"}],"id":1}`)
	tells(t, parse(t, in), map[string]any{"hashrate_now_ths": 59.75606, "boards.0.temp_board_c": 47, "fans.#": 2, "power_w": nil})
	for _, raw := range []string{"", "{}", "[]", "null", ",\"id\":1}", "<html></html>", `{"unit":"GHS 5s"}`, `{"STATUS":[{"STATUS":"E","When":1,"Code":14,"Msg":"Invalid command"}],"id":1}`} {
		if r, err := New().Parse(miner.Replies{"x": []byte(raw)}); err == nil {
			t.Errorf("%q is read as %+v", raw, r)
		}
	}
}

// The API's text form.
func TestTextForm(t *testing.T) {
	r := parse(t, miner.Replies{
		"version": []byte("STATUS=S,When=1760242394,Code=22,Msg=LUXminer versions,Description=LUXminer 2025.4.8.220305-57b389c7|VERSION,API=3.7,LUXminer=2025.4.8.220305-57b389c7,Miner=2025.4.8.220305,Type=Antminer S19k Pro|\x00"),
		"summary": []byte("STATUS=S,When=1760242394,Code=11,Msg=Summary,Description=LUXminer 2025.4.8.220305-57b389c7|SUMMARY,Accepted=1483,Elapsed=3453,GHS 5s=59756.06,GHS av=56917.91,Rejected=1|\x00"),
		"devs":    []byte("STATUS=S,When=1760242394,Code=9,Msg=2 ASC(s),Description=LUXminer 2025.4.8.220305-57b389c7|ASC=1,Enabled=Y,ID=1,MHS 5s=19230588.7,Status=Alive|ASC=0,Enabled=Y,ID=0,MHS 5s=19773825.7,Status=Alive|\x00"),
		"power":   []byte("STATUS=S,When=1760242394,Code=311,Msg=Power usage,Description=LUXminer 2025.4.8.220305-57b389c7|POWER,PSU=false,Watts=1051|\x00"),
	})
	tells(t, r, map[string]any{"identity.model": "Antminer S19k Pro", "identity.firmware_version": "2025.4.8.220305-57b389c7", "hashrate_now_ths": 59.75606, "power_w": 1051, "power_source": "estimated", "boards.#": 2, "boards.1.hashrate_ths": 19.2305887, "state": "hashing"})
}
