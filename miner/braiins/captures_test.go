package braiins

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"ballast/miner"
	"ballast/unit"
)

// captures are the saved replies of a real machine, if they are at hand.
func captures(t testing.TB, set string) miner.Replies {
	t.Helper()
	shared := os.Getenv("BALLAST_SHARED")
	if shared == "" {
		shared = filepath.Join("..", "..", "..", "shared")
	}
	files, _ := filepath.Glob(filepath.Join(shared, "captures", "braiins", set, "*.json"))
	if len(files) == 0 {
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

func parsed(t testing.TB, replies miner.Replies) miner.Reading {
	t.Helper()
	r, err := New().Parse(replies)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// is fails unless the value is there and the one wanted.
func is[T comparable](t *testing.T, what string, got unit.Opt[T], want T) {
	t.Helper()
	if v, ok := got.Get(); !ok || v != want {
		t.Errorf("%s is %v (%t), want %v", what, v, ok, want)
	}
}

func about[T ~float64](t *testing.T, what string, got unit.Opt[T], want float64) {
	t.Helper()
	if v, ok := got.Get(); !ok || math.Abs(float64(v)-want) > 1e-9*math.Abs(want) {
		t.Errorf("%s is %v (%t), want %v", what, float64(v), ok, want)
	}
}

// An S19 XP on 25.07, as read by a person from the raw replies.
func TestCapture2507(t *testing.T) {
	r := parsed(t, captures(t, "v25_07"))
	for _, w := range r.Warnings {
		t.Errorf("warning: %+v", w)
	}
	id := miner.Identity{
		Make: "Bitmain", Model: "Antminer S19 XP", Firmware: miner.Braiins, FirmwareVersion: "2025-08-06-0-3881c51d-25.07-plus",
		APIVersion: "1.0.0", MAC: "02:ee:da:a9:b6:4a", ControlBoard: "Amlogic", Hostname: "Antminer",
	}
	if r.Identity != id {
		t.Errorf("identity %+v", r.Identity)
	}
	if r.State != miner.Hashing || r.StateTold != "normal" || r.Tuning != "stable" || r.Profile != "3031W" {
		t.Errorf("state %q (%q), tuning %q, profile %q", r.State, r.StateTold, r.Tuning, r.Profile)
	}
	is(t, "uptime", r.Uptime, 69725*time.Second)
	is(t, "miner uptime", r.MinerUptime, 69685*time.Second)
	about(t, "hashrate now", r.HashrateNow, 141.46356540072063)
	about(t, "hashrate average", r.HashrateAverage, 138.20705294534727)
	about(t, "hashrate nominal", r.HashrateNominal, 142.876598290866)
	about(t, "efficiency", r.Efficiency, 21.785613792493763)
	about(t, "power", r.Power, 3137)
	about(t, "power limit", r.PowerLimit, 3031)
	about(t, "hottest chip", r.TempChip, 70.5)
	about(t, "hottest board", r.TempBoard, 55.5)
	about(t, "fan duty", r.FanDuty, 1)
	about(t, "hardware errors", r.HWErrorRatio, 0)
	about(t, "best share", r.BestShare, 776342690)
	is(t, "accepted", r.Accepted, 10464)
	is(t, "rejected", r.Rejected, 18)
	is(t, "stale", r.Stale, 0)
	is(t, "blocks", r.Blocks, 0)
	is(t, "locating", r.Locating, false)
	if r.PowerSource != miner.PowerEstimated {
		t.Errorf("power source %q", r.PowerSource)
	}
	if r.Degraded() {
		t.Error("a healthy machine is called degraded")
	}
	boards := []struct {
		serial                              string
		now, nominal, hertz, board, in, hot float64
	}{
		{"NGSBYPDBCJBAG8562", 50.13772942148807, 47.980850153652005, 486704545, 55.5, 41, 70.5},
		{"NGSBYPDBCJBAG8567", 47.859278339866236, 45.572479616802004, 461931818, 52, 40, 67},
		{"NGSBYPDBCJBBA0309", 50.362690141466795, 49.323268520412006, 500000000, 54, 41.5, 69},
	}
	if len(r.Boards) != len(boards) {
		t.Fatalf("%d boards", len(r.Boards))
	}
	for i, want := range boards {
		b := r.Boards[i]
		if b.Index != i || b.Serial != want.serial || b.ChipType != "BM1366" {
			t.Errorf("board %d: index %d, serial %q, chips %q", i, b.Index, b.Serial, b.ChipType)
		}
		is(t, "present", b.Present, true)
		is(t, "enabled", b.Enabled, true)
		is(t, "chips", b.Chips, 110)
		is(t, "chips expected", b.ChipsExpected, 110)
		about(t, "board hashrate", b.Hashrate, want.now)
		about(t, "board nominal", b.HashrateNominal, want.nominal)
		about(t, "frequency", b.Frequency, want.hertz)
		about(t, "voltage", b.Voltage, 12.93826530612245)
		about(t, "board temperature", b.TempBoard, want.board)
		about(t, "outlet", b.TempOutlet, want.board)
		about(t, "inlet", b.TempInlet, want.in)
		about(t, "chip temperature", b.TempChipMax, want.hot)
		about(t, "board errors", b.HWErrorRatio, 0)
	}
	for i, rpm := range []float64{5904, 5874, 5874, 5904} {
		about(t, "fan", r.Fans[i].Speed, rpm)
		about(t, "duty", r.Fans[i].Duty, 1)
	}
	if len(r.PSUs) != 1 || r.PSUs[0].Model != "APW121215d/e" {
		t.Errorf("power supplies %+v", r.PSUs)
	}
	if len(r.Pools) != 2 {
		t.Fatalf("%d pools", len(r.Pools))
	}
	p := r.Pools[0]
	if p.URL != "stratum+tcp://example.pool.com:3333" || p.User != "asic_rs.test" || p.Status != "enabled" {
		t.Errorf("pool %+v", p)
	}
	is(t, "alive", p.Alive, true)
	is(t, "active", p.Active, true)
	is(t, "pool accepted", p.Accepted, 10460)
	is(t, "pool rejected", p.Rejected, 18)
	about(t, "difficulty", p.Difficulty, 262144)
	is(t, "last share", p.LastShare, time.Unix(1776446524, 734524252).UTC())
	is(t, "second active", r.Pools[1].Active, false)
	is(t, "second priority", r.Pools[1].Priority, 1)
	// The log is of earlier days: known, and no trouble now.
	if len(r.Faults) != 2 {
		t.Fatalf("faults %+v", r.Faults)
	}
	for _, f := range r.Faults {
		if f.Code != miner.ControlNetwork || f.Severity != miner.Info || !strings.HasPrefix(f.Text, "Failed to resolve") || f.Since.Year() != 2026 {
			t.Errorf("fault %+v", f)
		}
	}
	for key, want := range map[string]string{
		"bos_mode": "nand", "platform": "am3_aml", "kernel_version": "4.9.113", "sticker_hashrate_ths": "141", "network.protocol": "dhcp",
		"configuration.tuner.mode": "power_target", "configuration.tuner.enabled": "true", "hashboards.2.board_name": "BHB56801", "psu_info.version": "117",
		"highest_temperature.location": "chip", "tuner.profile.created": "2026-04-13T13:19:28.337087Z", "pool_groups.0.name": "foremanGroup", "pool_groups.0.quota": "1",
	} {
		if r.Extra[key] != want {
			t.Errorf("extra %q is %q, want %q", key, r.Extra[key], want)
		}
	}
}

var numeral = regexp.MustCompile(`-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?`)

// Every number and word of the captures is somewhere in the reading, be it in
// another unit.
func TestCapturesNothingLost(t *testing.T) {
	replies := captures(t, "v25_07")
	r := parsed(t, replies)
	told, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(told), `\"`, `"`)
	text = strings.ReplaceAll(text, `\\`, `\`)
	var numbers []float64
	for _, s := range numeral.FindAllString(text, -1) {
		v, _ := strconv.ParseFloat(s, 64)
		numbers = append(numbers, v)
	}
	known := func(v float64) bool {
		for _, scale := range []float64{1, 1e-3, 1e-6, 1e9} {
			for _, n := range numbers {
				if math.Abs(n-v*scale) <= 1e-6*math.Abs(v*scale) {
					return true
				}
			}
		}
		return false
	}
	// Enumerations are told by name; times as times.
	enumerations := regexp.MustCompile(`(platform|bos_mode|brand|status|control_board_soc_family|location|protocol|tuner_mode|overall_tuner_state|nanos|seconds)$`)
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, e := range v {
				walk(path+"."+k, e)
			}
		case []any:
			for _, e := range v {
				walk(path, e)
			}
		case float64:
			if !enumerations.MatchString(path) && !known(v) {
				t.Errorf("%s: %v is lost", path, v)
			}
		case string:
			if !strings.Contains(text, v) {
				t.Errorf("%s: %q is lost", path, v)
			}
		}
	}
	for name, raw := range replies {
		var v any
		if err := json.Unmarshal(raw, &v); err != nil {
			t.Fatal(err)
		}
		walk(name, v)
	}
}

// The same replies in protobuf's own JSON, as gRPC tools print it, and under
// names that say nothing, read alike.
func TestCapturesInOtherForms(t *testing.T) {
	replies := captures(t, "v25_07")
	want := parsed(t, replies)
	camel, nameless, combined := miner.Replies{}, miner.Replies{}, map[string]json.RawMessage{}
	i := 0
	for name, raw := range replies {
		camel[name] = camelCase(t, raw)
		combined[name] = raw
		if name != "actions_locate" { // "false" says nothing without its name
			nameless["reply "+strconv.Itoa(i)] = raw
		}
		i++
	}
	one, err := json.Marshal(combined)
	if err != nil {
		t.Fatal(err)
	}
	for form, set := range map[string]miner.Replies{"camelCase": camel, "nameless": nameless, "one file": {"saved": one}} {
		got := parsed(t, set)
		if form == "nameless" {
			got.Locating = want.Locating
		}
		a, _ := json.MarshalIndent(want, "", " ")
		b, _ := json.MarshalIndent(got, "", " ")
		if string(a) != string(b) {
			t.Errorf("%s differs:\n%s", form, firstDifference(string(a), string(b)))
		}
	}
}

func firstDifference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return "want " + x[i] + "\ngot  " + y[i]
		}
	}
	return "one is longer"
}

// camelCase writes keys as protobuf's JSON does, and 64-bit integers as text.
func camelCase(t *testing.T, raw []byte) []byte {
	t.Helper()
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	var convert func(v any) any
	convert = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			out := map[string]any{}
			for k, e := range v {
				parts := strings.Split(k, "_")
				for i, p := range parts[1:] {
					parts[i+1] = strings.ToUpper(p[:1]) + p[1:]
				}
				e = convert(e)
				if n, ok := e.(float64); ok && (k == "watt" || k == "seconds" || strings.HasSuffix(k, "uptime_s") || strings.HasSuffix(k, "_shares")) {
					e = strconv.FormatFloat(n, 'f', -1, 64)
				}
				out[strings.Join(parts, "")] = e
			}
			return out
		case []any:
			for i := range v {
				v[i] = convert(v[i])
			}
		}
		return v
	}
	out, err := json.Marshal(convert(v))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Cut anywhere, the captures never tell a number that the whole does not.
func TestCapturesTruncated(t *testing.T) {
	replies := captures(t, "v25_07")
	d := New()
	for name, raw := range replies {
		whole := numbersOf(t, parsed(t, miner.Replies{name: raw}))
		for n := 0; n < len(raw); n += 1 + len(raw)/400 {
			r, err := d.Parse(miner.Replies{name: raw[:n]})
			if err == nil && len(r.Warnings) == 0 && n < len(strings.TrimSpace(string(raw))) {
				t.Errorf("%s cut at %d: no warning", name, n)
			}
			for path, v := range numbersOf(t, r) {
				if w, ok := whole[path]; ok && w != v && !judged[path] {
					t.Fatalf("%s cut at %d: %s is %v, and whole it is %v", name, n, path, v, w)
				}
			}
		}
	}
}

// judged are figures that are drawn from others, and so may differ when some of
// those are cut off.
var judged = map[string]bool{"temp_board_c": true, "temp_chip_c": true, "hashrate_average_ths": true, "hw_error_ratio": true, "code": true, "since": true, "hashrate_now_ths": true, "hashrate_ths": true, "best_share": true}

// numbersOf flattens a reading's numbers by path, without indices, the last one
// winning only where it is alone.
func numbersOf(t *testing.T, r miner.Reading) map[string]float64 {
	t.Helper()
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	var walk func(path string, v any)
	walk = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for k, e := range v {
				if k != "extra" && k != "warnings" {
					walk(path+"/"+k, e)
				}
			}
		case []any:
			for i, e := range v {
				walk(path+"/"+strconv.Itoa(i), e)
			}
		case float64:
			out[path] = v
		}
	}
	walk("", v)
	for path := range out {
		if judged[path[strings.LastIndexByte(path, '/')+1:]] {
			delete(out, path)
		}
	}
	return out
}
