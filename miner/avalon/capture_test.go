package avalon

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tidwall/gjson"

	"ballast/miner"
)

// captured is the folder of replies that real machines sent.
func captured(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("BALLAST_SHARED")
	if dir == "" {
		dir = "../../../shared"
	}
	dir = filepath.Join(dir, "captures", "avalon")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no captures here")
	}
	return dir
}

func load(t testing.TB, names ...string) miner.Replies {
	t.Helper()
	dir := captured(t)
	out := miner.Replies{}
	for _, n := range names {
		raw, err := os.ReadFile(filepath.Join(dir, n+".json"))
		if err != nil {
			t.Fatal(err)
		}
		out[n] = raw
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
		switch v := v.(type) {
		case nil:
			if got.Exists() {
				t.Errorf("%s is %s, want nothing", path, got.Raw)
			}
		case float64:
			if !got.Exists() || math.Abs(got.Num-v) > 1e-6*math.Max(1, math.Abs(v)) {
				t.Errorf("%s is %q, want %v", path, got.Raw, v)
			}
		case int:
			if !got.Exists() || got.Num != float64(v) {
				t.Errorf("%s is %q, want %d", path, got.Raw, v)
			}
		case bool:
			if !got.IsBool() || got.Bool() != v {
				t.Errorf("%s is %q, want %v", path, got.Raw, v)
			}
		case string:
			if got.String() != v {
				t.Errorf("%s is %q, want %q", path, got.String(), v)
			}
		}
	}
}

func TestA1246(t *testing.T) {
	r := parse(t, load(t, "avalon_a_stats"))
	want := map[string]any{
		"identity.make": "Canaan", "identity.model": "Avalon 1246", "identity.model_told": "1246-83",
		"identity.firmware": "avalon", "identity.firmware_version": "21072802_4ec6bb0_211fc46", "identity.serial": "02010000cbd2fd6d",
		"state": "hashing", "state_told": "Work: In Work, Hash Board: 3", "miner_uptime_ns": 24684e9,
		"hashrate_now_ths": 81.07268, "hashrate_average_ths": 79.65663, "hashrate_nominal_ths": 83.92304,
		"power_w": 3504, "power_source": "psu", "power_limit_w": 3200, "mode": "high", "tuning": "calibrated",
		"temp_ambient_c": 30, "temp_chip_c": 77, "hw_errors": 2735, "hw_error_ratio": 0.02732, "locating": false, "fan_duty": 0.72,
		"fans.#": 4, "fans.0.speed_rpm": 5344, "fans.1.speed_rpm": 5392, "fans.2.speed_rpm": 5349, "fans.3.speed_rpm": 5309, "fans.3.name": "Fan4",
		"psus.#": 1, "psus.0.power_in_w": 3504, "psus.0.power_out_w": 3189, "psus.0.voltage_out_v": 13.16, "psus.0.voltage_set_v": 13.2, "psus.0.current_out_a": 242, "psus.0.status": "0",
		"boards.#": 3, "faults": nil, "warnings": nil, "pools": nil,
	}
	for i, b := range []struct {
		rate, mhz, volts, temp float64
		hottest, mean, coldest int
		errors                 int
	}{
		// The frequency is SF weighed by PLL; volts and temp are the means of
		// PVT_V and PVT_T, by hand.
		{26.90701, 503.4497126, 0.3064, 66.05, 77, 66, 59, 999},
		{26.02506, 491.0028736, 0.307, 65.7666667, 77, 65, 58, 697},
		{26.72456, 499.7801724, 0.3067833, 64.3, 76, 64, 56, 1039},
	} {
		p := "boards." + string(rune('0'+i)) + "."
		for k, v := range map[string]any{
			"index": i, "present": true, "hashrate_ths": b.rate, "frequency_hz": b.mhz * 1e6, "chips": 120, "chips_expected": 120,
			"temp_chip_max_c": b.hottest, "temp_chip_mean_c": b.mean, "temp_chip_min_c": b.coldest, "hw_errors": b.errors,
			"chip_summary.count": 120, "chip_summary.dead": 0, "chip_summary.temp_max_c": b.hottest, "chip_summary.temp_mean_c": b.temp,
			"chip_summary.voltage_mean_v": b.volts, "chip_summary.errors": 0,
		} {
			want[p+k] = v
		}
	}
	want["boards.1.chip_summary.weak"] = 3
	want["boards.2.chip_summary.voltage_min_v"] = 0.293
	tells(t, r, want)
	lossless(t, r, load(t, "avalon_a_stats_parsed")["avalon_a_stats_parsed"], "STATS.0.MM ID0")
}

// fielded are the keys that have fields of their own in a reading.
var fielded = []string{
	"ADJ", "Ver", "DNA", "SYSTEMSTATU", "STATE", "Elapsed", "MH", "HW", "DH", "Temp", "ITemp", "HBITemp", "HBOTemp", "TMax", "FanR", "FanErr",
	"PS", "PCOMM_E", "GHSspd", "GHSmm", "GHSavg", "MGHS", "MTmax", "MTavg", "TA", "POWS", "HASHS", "POOLS", "ECHU", "ECMM", "POW_I2C", "MPO",
	"WORKLEVEL", "Led",
}

// lossless holds a reading to tell all that the machine's text does.
func lossless(t *testing.T, r miner.Reading, expected []byte, path string) {
	t.Helper()
	gjson.GetBytes(expected, path).ForEach(func(key, _ gjson.Result) bool {
		stem, n := numbered(key.Str)
		if _, filed := r.Extra[key.Str]; !filed && !slices.Contains(fielded, key.Str) && (n < 0 || !perBoard(stem) && stem != "Fan") {
			t.Errorf("%s is nowhere in the reading", key.Str)
		}
		return true
	})
}

// The bracket parser gives what asic-rs expects, key by key and no others.
func TestBracketsAsExpected(t *testing.T) {
	for _, c := range []struct{ name, key string }{{"avalon_a_stats", "MM ID0"}, {"stats", "MM ID0:Summary"}, {"stats", "HBinfo"}} {
		t.Run(c.name+" "+c.key, func(t *testing.T) {
			in := load(t, c.name, c.name+"_parsed")
			key := strings.ReplaceAll(c.key, ":", "\\:")
			text := gjson.GetBytes(in[c.name], "STATS.0."+key).Str
			parts, whole := groups(text)
			if !whole {
				t.Error("the text is called cut")
			}
			for _, g := range parts {
				path := "STATS.0." + key
				if g.name != "" {
					path += "." + g.name
				}
				want := gjson.GetBytes(in[c.name+"_parsed"], path).Map()
				got, whole := fields(g.body)
				if !whole || len(got) == 0 {
					t.Errorf("%q: %d fields, whole %v", g.name, len(got), whole)
				}
				for _, f := range got {
					if v, ok := want[f.key]; ok {
						same(t, f, v)
						delete(want, f.key)
					} else if f.value != "" && f.key != "SSID" {
						t.Errorf("%s[%s] is not among the expected", f.key, f.value)
					}
				}
				for k := range want {
					t.Errorf("%s is missing", k)
				}
			}
		})
	}
}

// same compares a field with an expected number, text or list of either.
func same(t *testing.T, f field, want gjson.Result) {
	t.Helper()
	ok := f.value == want.String()
	switch {
	case want.Type == gjson.Number:
		v, isNumber := number(f.value)
		ok = isNumber && v == want.Num
	case want.IsArray():
		words, list := strings.Fields(f.value), want.Array()
		ok = len(words) == len(list)
		values := numbers(f.value)
		for i := 0; ok && i < len(list); i++ {
			ok = words[i] == list[i].String() && (list[i].Type != gjson.Number || values[i] == list[i].Num)
		}
	}
	if !ok {
		t.Errorf("%s[%s], want %s", f.key, f.value, want.Raw)
	}
}

func TestQ(t *testing.T) {
	in := load(t, "version", "summary", "stats", "litestats", "pools", "devs", "devdetails", "config", "coin", "check", "ascset_help", "ascset_softoff", "ascset_softon", "ascset_workmode")
	r := parse(t, in)
	tells(t, r, map[string]any{
		"identity.make": "Canaan", "identity.model": "Avalon Q", "identity.model_told": nil, "identity.mac": "aa:bb:cc:dd:ee:ff",
		"identity.serial": "01234567890123456789012345678901", "identity.firmware_version": "25052801_14a19a2", "identity.api_version": "3.7",
		"identity.control_board": "Q_MM1v1_X1",
		"state":                  "sleeping", "state_told": "Work: In Idle, Hash Board: 1", "miner_uptime_ns": 37714e9,
		"hashrate_now_ths": 0, "hashrate_average_ths": 44.53960186, "hashrate_nominal_ths": 55.03279,
		"power_w": 146, "power_source": "psu", "power_limit_w": 800, "profile": "level 0", "mode": "low", "tuning": "calibrated",
		"temp_ambient_c": 26, "temp_inlet_c": 26, "temp_board_c": 27, "temp_chip_c": nil,
		"boards.#": 1, "boards.0.present": true, "boards.0.hashrate_ths": 0, "boards.0.chips": 160, "boards.0.chips_expected": 160,
		"boards.0.temp_inlet_c": 27, "boards.0.temp_outlet_c": 27, "boards.0.frequency_hz": 281.8184210526316e6, "boards.0.hw_errors": 0,
		"boards.0.temp_chip_max_c": nil, "boards.0.chip_summary.count": 160, "boards.0.chip_summary.dead": 0, "boards.0.chip_summary.temp_max_c": 71,
		"boards.0.chip_summary.voltage_min_v": 0.265, "boards.0.chip_summary.hashrate_min_ths": nil,
		"fans.#": 4, "fans.0.speed_rpm": 0, "fans.3.name": "Fan4", "fan_duty": 0,
		"psus.0.power_in_w": 146, "psus.0.power_out_w": 0, "psus.0.voltage_out_v": 0.04, "psus.0.voltage_set_v": 22.45, "psus.0.current_out_a": 0,
		"pools.#": 1, "pools.0.url": "stratum+tcp://pool.example.com:4444", "pools.0.user": "worker1", "pools.0.alive": true, "pools.0.active": true,
		"pools.0.accepted": 890, "pools.0.rejected": 2, "pools.0.stale": 0, "pools.0.difficulty": 524288, "pools.0.last_share": nil,
		"accepted": 890, "rejected": 2, "stale": 0, "hw_errors": 0, "hw_error_ratio": 0.02449, "best_share": 354914572, "blocks_found": 0,
		"faults": nil, "locating": nil, "warnings.#": 1, "warnings.0.kind": "conflict",
		"envelope.idle_w": 146, "envelope.source": "published", "envelope.steps.#": 4, "envelope.steps.2.power_w": 1674,
		"envelope.steps.3.setting.profile": "level 0",
		"extra.SoftOFF":                    "4", "extra.DNA": "<DELETED>", "extra.PS\\.control_voltage_v": "12.21", "extra.coin\\.Network Difficulty": "126271255279306.98",
	})
	if r.Envelope.Can(miner.SetLocate) || r.Envelope.Can(miner.SetRestart) || !r.Envelope.Can(miner.SetSleep) || !r.Envelope.Can(miner.SetReboot) {
		t.Errorf("it takes %v", r.Envelope.Kinds)
	}
	lossless(t, r, load(t, "stats_parsed")["stats_parsed"], "STATS.0.MM ID0\\:Summary.STATS")
	for _, name := range []string{"summary", "devs", "pools", "config", "coin", "version"} {
		text, _ := json.Marshal(r)
		gjson.GetBytes(in[name], strings.ToUpper(name)+".0").ForEach(func(key, v gjson.Result) bool {
			if v.Type == gjson.Number && v.Num > 1000 && !strings.Contains(string(text), strings.TrimSuffix(v.Raw, ".0")) {
				switch key.Str {
				case "MHS av", "Elapsed", "Device Elapsed", "MHS 15m": // converted, or told better elsewhere
				case "Diff1 Shares", "Difficulty Accepted", "Difficulty Rejected", "Current Block Height", "Current Block Version", "Last Share Time", "Work Difficulty", "Works", "Last Share Difficulty": // of a pool
				default:
					t.Errorf("%s.%s = %s is nowhere in the reading", name, key.Str, v.Raw)
				}
			}
			return true
		})
	}
}

// Every reply alone, under its own name and under any other, says the same.
func TestEachReplyAlone(t *testing.T) {
	dir := captured(t)
	files, _ := filepath.Glob(filepath.Join(dir, "*.json"))
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".json")
		if strings.HasSuffix(name, "_parsed") {
			continue
		}
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
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
		if string(x) != strings.ReplaceAll(string(y), "reply of 10.0.0.7.", name+".") {
			t.Errorf("%s reads differently under another name:\n%s\n%s", name, x, y)
		}
	}
}

// A Q at its highest mode says 1598 and 1670 W in PS, and its nameplate 1674.
func TestWallPowerOfAQ(t *testing.T) {
	in := load(t, "litestats", "litestats_parsed")
	text := string(in["litestats"])
	awake := strings.NewReplacer("PS[0 1221 4 0 0 2245 146]", "PS[0 1221 2421 66 1598 2422 1670]", "In Idle", "In Work", "STATE[2]", "STATE[1]", "SoftOFF[4]", "SoftOFF[0]", "GHSspd[0.00]", "GHSspd[96000.00]", "WORKMODE[0]", "WORKMODE[2]", "MPO[800]", "MPO[1600]").Replace(text)
	r := parse(t, miner.Replies{"litestats": []byte(awake)})
	tells(t, r, map[string]any{"state": "hashing", "power_w": 1670, "psus.0.power_out_w": 1598, "psus.0.voltage_out_v": 24.21, "psus.0.current_out_a": 66, "hashrate_now_ths": 96.0, "boards.0.hashrate_ths": 96.0, "mode": "high", "power_limit_w": 1600})
}

// Nothing is what an empty text tells (and asic-rs' expectation of it).
func TestEmptyText(t *testing.T) {
	r := parse(t, miner.Replies{"stats": []byte(`{"STATUS":[{"STATUS":"S","When":117245,"Code":70,"Msg":"CGMiner stats","Description":"cgminer 4.11.1"}],"STATS":[{"STATS":0,"ID":"AVALON0","Elapsed":117245,"Calls":0,"Wait":0.0,"Max":0.0,"Min":99999999.0,"MM ID0:Summary":"","HBinfo":""}],"id":1}`)})
	tells(t, r, map[string]any{"state": "unknown", "boards": nil, "power_w": nil, "hashrate_now_ths": nil, "envelope": nil})
}
