package luxos

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"ballast/miner"
)

// captured are the replies that a real S19k Pro sent.
func captured(t testing.TB) miner.Replies {
	t.Helper()
	dir := os.Getenv("BALLAST_SHARED")
	if dir == "" {
		dir = "../../../shared"
	}
	files, err := filepath.Glob(filepath.Join(dir, "captures", "luxos", "*.json"))
	if err != nil || len(files) == 0 {
		t.Skip("no captures here")
	}
	out := miner.Replies{}
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(filepath.Base(f), ".json")] = raw
	}
	return out
}

func parse(t testing.TB, in miner.Replies) miner.Reading {
	t.Helper()
	r, err := New().Parse(in)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// tells compares paths of a reading's JSON. nil is for what must be missing.
func tells(t *testing.T, r miner.Reading, want map[string]any) {
	t.Helper()
	raw, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for path, v := range want {
		got := gjson.GetBytes(raw, path)
		ok := false
		switch v := v.(type) {
		case nil:
			ok = !got.Exists()
		case float64:
			ok = got.Exists() && math.Abs(got.Num-v) <= 1e-6*math.Max(1, math.Abs(v))
		case int:
			ok = got.Exists() && got.Num == float64(v)
		case bool:
			ok = got.IsBool() && got.Bool() == v
		case string:
			ok = got.String() == v
		}
		if !ok {
			t.Errorf("%s is %q, want %v", path, got.Raw, v)
		}
	}
}

func TestS19kPro(t *testing.T) {
	in := captured(t)
	r := parse(t, in)
	want := map[string]any{
		"identity.make": "Bitmain", "identity.model": "Antminer S19k Pro", "identity.model_told": nil, "identity.firmware": "luxos",
		"identity.firmware_version": "2025.4.8.220305-57b389c7", "identity.api_version": "3.7", "identity.mac": "62:f7:5e:b7:10:46",
		"identity.serial": "JYZZB0UBDJABF06RB", "identity.control_board": "cvitek", "identity.hostname": "UrlacherS19k",
		"state": "hashing", "state_told": "Normal", "miner_uptime_ns": 3453e9, "uptime_ns": nil,
		"hashrate_now_ths": 59.75606, "hashrate_average_ths": 56.91791, "hashrate_nominal_ths": 61.9542,
		"power_w": 1051, "power_source": "estimated", "power_limit_w": nil, "profile": "290MHz", "mode": nil, "tuning": "tuning",
		"temp_board_c": 47, "temp_chip_c": nil, "temp_ambient_c": nil, "fan_duty": 0.2, "locating": false,
		"fans.#": 4, "fans.0.name": "FAN4", "fans.0.speed_rpm": 1920, "fans.2.name": "FAN1", "fans.2.speed_rpm": 2340, "fans.3.duty": 0.2,
		"psus.#": 1, "psus.0.model": "APW121215e", "psus.0.version": "75", "psus.0.status": "on", "psus.0.power_in_w": nil,
		"accepted": 1483, "rejected": 1, "stale": 0, "hw_errors": 0, "hw_error_ratio": 0, "best_share": 32768, "blocks_found": 0,
		"pools.#": 4, "pools.0.url": "stratum+tcp://ca.stratum.braiins.com:3333", "pools.0.user": "asic-rs.user1", "pools.0.accepted": 724,
		"pools.0.difficulty": 32768, "pools.0.alive": true, "pools.0.active": true, "pools.0.last_share": "2025-10-12T04:13:13Z",
		"pools.1.alive": false, "pools.1.active": false, "pools.1.accepted": 0, "pools.1.last_share": nil, "pools.1.status": "Dead",
		"pools.2.accepted": 759, "pools.2.rejected": 1, "pools.2.user": "asic-rs.user2", "pools.3.priority": 3,
		"boards.#": 3, "warnings": nil,
		"faults.#": 2, "faults.0.code": int(miner.BoardOther), "faults.0.vendor": "NOPIC_PROTECTION", "faults.0.severity": "critical", "faults.0.index": -1,
		"faults.1.code": int(miner.BoardNoHash), "faults.1.vendor": "REBOOT_NOT_HASHING", "faults.1.index": 0, "faults.1.since": "2026-04-08T03:38:27Z",
		"extra.pools\\.2\\.GROUP": "1", "extra.config\\.ProfileStep": "-12", "extra.summary\\.GHS 24h": "55400.8", "extra.devs\\.2\\.Connector": "J8",
		"extra.devs\\.1\\.Accepted": "505", "extra.fanctrl\\.MinFans": "3",
	}
	for i, b := range []struct {
		serial           string
		rate, lowest     float64
		inlet, outlet, n int
	}{
		{"JYZZYRSBDJEBI06Z5", 19.77382571692016, 0.24362, 34, 47, 77},
		{"JYZZYRSBDJEBI06ZM", 19.2305887466751, 0.23491, 33, 47, 77},
		{"JYZZYRSBDJEBI06ZR", 20.751652263361265, 0.23295, 34, 47, 77},
	} {
		for k, v := range map[string]any{
			"index": i, "serial": b.serial, "present": true, "enabled": true, "status": "Alive", "hashrate_ths": b.rate, "hashrate_nominal_ths": 20.6514,
			"chips": b.n, "chips_expected": b.n, "temp_inlet_c": b.inlet, "temp_outlet_c": b.outlet, "temp_board_c": b.outlet, "temp_chip_max_c": nil,
			"voltage_v": 11.88, "frequency_hz": 300000000, "hw_errors": 0, "chip_summary.count": b.n, "chip_summary.dead": 0, "chip_summary.weak": 0,
			"chip_summary.hashrate_min_ths": b.lowest, "chip_summary.frequency_min_hz": 300000000,
		} {
			want["boards."+strconv.Itoa(i)+"."+k] = v
		}
	}
	tells(t, r, want)
	if e := r.Envelope; e.Source != "told" || len(e.Steps) != 25 || e.Can(miner.SetPower) || !e.Can(miner.SetProfile) || !e.Can(miner.SetSleep) {
		t.Errorf("envelope: %+v", e)
	}
}

// Every row of the table is a step, with all of its figures.
func TestProfilesAreSteps(t *testing.T) {
	in := captured(t)
	r := parse(t, miner.Replies{"profiles": in["profiles"]})
	rows := gjson.GetBytes(in["profiles"], "PROFILES").Array()
	if r.Envelope == nil || len(r.Envelope.Steps) != len(rows) {
		t.Fatalf("envelope: %+v", r.Envelope)
	}
	for _, row := range rows {
		name := row.Get("Profile Name").Str
		i := slices.IndexFunc(r.Envelope.Steps, func(s miner.Step) bool { return s.Name == name })
		if i < 0 {
			t.Errorf("%s is no step", name)
			continue
		}
		s := r.Envelope.Steps[i]
		if s.Setting.Kind != miner.SetProfile || s.Setting.Profile != name {
			t.Errorf("%s is set by %+v", name, s.Setting)
		}
		if float64(s.Power.Or(0)) != row.Get("Watts").Num || math.Abs(float64(s.Hashrate.Or(0))-row.Get("Hashrate").Num) > 1e-9 ||
			s.Frequency.Or(0).MHz() != row.Get("Frequency").Num || float64(s.Voltage.Or(0)) != row.Get("Voltage").Num || s.Tuned.Or(!row.Get("IsTuned").Bool()) != row.Get("IsTuned").Bool() {
			t.Errorf("%s is %+v, want %s", name, s, row.Raw)
		}
	}
}

// Each reply alone, under its own name and under any other, says the same.
func TestEachReplyAlone(t *testing.T) {
	for name, raw := range captured(t) {
		a, err := New().Parse(miner.Replies{name: raw})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		b, err := New().Parse(miner.Replies{"reply of 10.0.0.7": raw})
		if err != nil {
			t.Errorf("%s under another name: %v", name, err)
		}
		a.Warnings, b.Warnings = nil, nil // they say where
		x, _ := json.Marshal(a)
		y, _ := json.Marshal(b)
		if string(x) != string(y) {
			t.Errorf("%s reads differently under another name:\n%s\n%s", name, x, y)
		}
	}
}

// All replies in one, as a joined request gives them, say what they say apart.
func TestJoinedReply(t *testing.T) {
	in := captured(t)
	var parts []string
	rest := miner.Replies{}
	for _, name := range []string{"summary", "devs", "power", "temps", "fans", "events", "config", "pools", "version", "profiles", "stats"} {
		parts = append(parts, `"`+name+`":[`+string(in[name])+`]`)
	}
	for name, raw := range in {
		if strings.Contains(name, "get_") {
			rest[name] = raw
		}
	}
	rest["everything"] = []byte("{" + strings.Join(parts, ",") + `,"id":1}` + "\x00")
	x, _ := json.Marshal(parse(t, rest))
	y, _ := json.Marshal(parse(t, in))
	if string(x) != string(y) {
		t.Errorf("joined:\n%s\napart:\n%s", x, y)
	}
}
