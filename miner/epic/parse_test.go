package epic

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/unit"
)

// captured is the degraded S19 XP, nil when the captures are not here.
func captured(t testing.TB) miner.Replies {
	t.Helper()
	dir := os.Getenv("BALLAST_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	files, err := filepath.Glob(filepath.Join(dir, "captures", "epic", "*.json"))
	if err != nil || len(files) == 0 {
		t.Skip("the captures are not here")
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

func want[T comparable](t *testing.T, what string, got unit.Opt[T], value T) {
	t.Helper()
	if v, ok := got.Get(); !ok || v != value {
		t.Errorf("%s is %v (%v), want %v", what, v, ok, value)
	}
}

// One board disabled, one fan at rest, no chip sensors, a supply with one meter.
func TestCapture(t *testing.T) {
	r, err := New().Parse(captured(t))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := r.Identity, (miner.Identity{
		Make: "Bitmain", Model: "Antminer S19 XP", ModelTold: "AntMiner S19 XP", Firmware: miner.EPIC, FirmwareVersion: "PowerPlay-BMS v1.5.13",
		MAC: "e6:d4:41:51:64:28", Serial: "002000353232510933363631", ControlBoard: "STM32 (Device Tree Support)", Hostname: "cminer32092035",
	}); got != want {
		t.Errorf("identity\n%+v, want\n%+v", got, want)
	}
	if r.State != miner.Hashing || r.StateTold != "Mining" || r.Tuning != "VoltageOptimizer 143 TH/s, optimizing" || r.Profile != "" {
		t.Errorf("%s (%s) %q %q", r.State, r.StateTold, r.Tuning, r.Profile)
	}
	want(t, "hashrate", r.HashrateNow, (49440724.0+49925124.0)*unit.GHs/1e3)
	want(t, "average", r.HashrateAverage, 90071990.0*unit.GHs/1e3)
	want(t, "nominal", r.HashrateNominal, unit.Hashrate(143))
	want(t, "power", r.Power, unit.Power(2166.6174))
	want(t, "uptime", r.MinerUptime, 23170*time.Second)
	want(t, "accepted", r.Accepted, 1862)
	want(t, "rejected", r.Rejected, 2)
	want(t, "locating", r.Locating, false)
	want(t, "fan duty", r.FanDuty, unit.Ratio(1))
	want(t, "hottest board", r.TempBoard, unit.Temperature(67))
	if r.PowerSource != miner.PowerEstimated || r.TempChip.Ok() || r.PowerLimit.Ok() || r.Uptime.Ok() || r.Efficiency.Ok() {
		t.Errorf("told what the machine does not: %s %v %v %v", r.PowerSource, r.TempChip, r.PowerLimit, r.Uptime)
	}
	if len(r.Fans) != 4 {
		t.Fatalf("%d fans", len(r.Fans))
	}
	for i, rpm := range []unit.Speed{5971, 0, 5942, 5745} {
		want(t, "fan", r.Fans[i].Speed, rpm)
		if r.Fans[i].Index != i {
			t.Errorf("fan %d has the index %d", i, r.Fans[i].Index)
		}
	}
	if len(r.PSUs) != 1 {
		t.Fatalf("%d supplies", len(r.PSUs))
	}
	psu := r.PSUs[0]
	want(t, "psu in", psu.PowerIn, unit.Power(2166.6174))
	want(t, "psu out", psu.VoltageOut, unit.Voltage(12.595))
	want(t, "psu set", psu.VoltageSet, unit.Voltage(12.6))
	if psu.Model != "118" || psu.Version != "25" || psu.VoltageIn.Ok() || psu.CurrentIn.Ok() || psu.CurrentOut.Ok() || psu.PowerOut.Ok() {
		t.Errorf("psu %+v", psu)
	}
	if len(r.Pools) != 1 {
		t.Fatalf("%d pools", len(r.Pools))
	}
	pool := r.Pools[0]
	want(t, "pool alive", pool.Alive, true)
	want(t, "pool active", pool.Active, true)
	want(t, "difficulty", pool.Difficulty, 262144.0)
	want(t, "last share", pool.LastShare, time.Unix(1755134734, 0).UTC())
	if pool.URL != "stratum+tcp://mine.ocean.xyz:3334" || pool.User != "randomuser.randomworker" {
		t.Errorf("pool %+v", pool)
	}
	if got := fmt.Sprint(r.Faults); len(r.Faults) != 2 || r.Faults[0].Code != miner.BoardDisabled || r.Faults[0].Index != 0 ||
		r.Faults[1].Code != miner.FanMissing || r.Faults[1].Index != 1 {
		t.Errorf("faults %s", got)
	}
	if len(r.Warnings) > 0 {
		t.Errorf("warnings %+v", r.Warnings)
	}
	if !r.Degraded() {
		t.Error("not degraded")
	}
	checkCapturedBoards(t, r)
	if strings.Contains(fmt.Sprint(r), "password") {
		t.Error("the pool's password is in the reading")
	}
}

func checkCapturedBoards(t *testing.T, r miner.Reading) {
	t.Helper()
	if len(r.Boards) != 3 {
		t.Fatalf("%d boards", len(r.Boards))
	}
	for i, w := range []struct {
		serial                 string
		enabled                bool
		rate, nominal          unit.Hashrate
		inlet, outlet          unit.Temperature
		weakest, weak          float64
		voltage, clock, target float64
	}{
		{"", false, 0, 0, 42.312, 42.875, 0, 0, 0, 0, 0},
		{"YNAHYPDBCJEBC0D6S", true, 49440724, 110 * 894 * 487.5, 55.062, 67, 274949.5, 5, 12.6, 487.5, 485},
		{"YNAHYPDBCJEBC0C6R", true, 49925124, 110 * 894 * 487.5, 52.062, 64.312, 294141.28, 9, 12.6, 487.5, 485},
	} {
		b := r.Boards[i]
		if b.Index != i || b.Serial != w.serial || b.ChipType != "BM1366" {
			t.Errorf("board %d: %+v", i, b)
		}
		want(t, "present", b.Present, true)
		want(t, "enabled", b.Enabled, w.enabled)
		want(t, "chips expected", b.ChipsExpected, 110)
		want(t, "inlet", b.TempInlet, w.inlet)
		want(t, "outlet", b.TempOutlet, w.outlet)
		want(t, "hottest", b.TempBoard, w.outlet)
		if !w.enabled {
			if b.Hashrate.Ok() || b.HashrateNominal.Ok() || b.Chips.Ok() || b.Voltage.Ok() || b.Frequency.Ok() || b.Chip.Ok() {
				t.Errorf("the board that is off tells %+v", b)
			}
			continue
		}
		want(t, "rate", b.Hashrate, w.rate*unit.GHs/1e3)
		want(t, "nominal", b.HashrateNominal, w.nominal*unit.GHs/1e3)
		want(t, "voltage", b.Voltage, unit.Voltage(w.voltage))
		want(t, "clock", b.Frequency, unit.Frequency(w.clock)*unit.Megahertz)
		want(t, "chips", b.Chips, 110)
		if b.Current.Ok() || b.Power.Ok() {
			t.Errorf("board %d tells %v %v without a meter", i, b.Current, b.Power)
		}
		c := b.Chip.Or(miner.ChipSummary{})
		want(t, "weakest", c.HashrateMin, unit.Hashrate(w.weakest)*unit.GHs/1e3)
		want(t, "weak", c.Weak, int(w.weak))
		want(t, "dead", c.Dead, 0)
		want(t, "chip clock", c.FrequencyMean, unit.Frequency(487.5)*unit.Megahertz)
		if c.Count != 110 || c.TempMax.Ok() || c.VoltageMean.Ok() {
			t.Errorf("board %d chips %+v", i, c)
		}
		if got := r.Extra[fmt.Sprintf("board %d target clock MHz", i)]; got != "485.0" {
			t.Errorf("board %d aims at %s MHz", i, got)
		}
	}
}

// Every plain value of the captured summary and capabilities is somewhere in
// the reading, but for those that say nothing.
func TestCaptureLosesNothing(t *testing.T) {
	replies := captured(t)
	r, err := New().Parse(replies)
	if err != nil {
		t.Fatal(err)
	}
	all := fmt.Sprintf("%+v", r)
	for k, v := range r.Extra {
		all += "\n" + k + " " + v
	}
	known := []string{ // typed fields print otherwise, and are checked above
		"Input Current", "Input Power", "Output Current", "Output Power", "Output Voltage", "Input Voltage", "Target Voltage", // zeros and PSU
		"Hashrate", "Core Clock Avg", "Average MHs", "Uptime", "Fans Speed", "password", "pool", "login", "Config Id", "IsPoolConnected",
		"Running", "Locate Miner State", "Index", "Detected", "Enabled", "description", "name", "min", "max", "clk", "voltage", "power", "hashrate",
		"algorithm", "Last Accepted Share Timestamp", "Last Error", "Last License Error", "Difficulty", "Chip Count", "Total", "Data",
	}
	var walk func(path string, v gjson.Result)
	walk = func(path string, v gjson.Result) {
		v.ForEach(func(k, x gjson.Result) bool {
			name := k.String()
			if x.IsObject() || x.IsArray() {
				walk(path+"."+name, x)
				return true
			}
			if v.IsArray() || slices.Contains(known, name) || strings.HasPrefix(name, "Fans Speed") || x.Type == gjson.Null {
				return true
			}
			if text := x.String(); !strings.Contains(all, x.Raw) && !strings.Contains(all, text) {
				t.Errorf("%s.%s = %s is nowhere in the reading", path, name, text)
			}
			return true
		})
	}
	for _, name := range []string{replySummary, replyCapabilities} {
		walk(name, gjson.ParseBytes(replies[name]))
	}
}

func TestStates(t *testing.T) {
	for name, c := range map[string]struct {
		summary string
		state   miner.State
		code    miner.Code // 0: no fault
		board   int
		level   miner.Severity
	}{
		"mining":         {`{"Status":{"Operating State":"Mining"}}`, miner.Hashing, 0, 0, ""},
		"initializing":   {`{"Status":{"Operating State":"Initializing"}}`, miner.Starting, 0, 0, ""},
		"told to stop":   {`{"Status":{"Operating State":"Idling","Last Command":"Stop"}}`, miner.Sleeping, 0, 0, ""},
		"idle":           {`{"Status":{"Operating State":"Idling","Last Error":null},"Stratum":{"IsPoolConnected":false}}`, miner.Sleeping, 0, 0, ""},
		"too hot":        {`{"Status":{"Operating State":"Idling","Last Error":{"ShutdownTempReached":[1,86.5]}}}`, miner.Stopped, miner.ThermalBoard, -1, miner.Critical},
		"chips lost":     {`{"Status":{"Operating State":"Idling","Last Error":{"HbChipDetectError":[2]}}}`, miner.Stopped, miner.ChipMissing, 2, miner.Critical},
		"init of a pair": {`{"Status":{"Operating State":"Idling","Last Error":{"HashboardInitError":[[1,"no reply"]]}}}`, miner.Stopped, miner.BoardInit, 1, miner.Critical},
		"history":        {`{"Status":{"Operating State":"Mining","Last Error":"ChipDetectTimeout"}}`, miner.Hashing, miner.BoardInit, -1, miner.Minor},
		"unheard of":     {`{"Status":{"Operating State":"Mining","Last Error":"FluxCapacitor"}}`, miner.Hashing, miner.FirmwareOther, -1, miner.Minor},
		"licence":        {`{"Status":{"Operating State":"Idling"},"Last License Error":{"LicenseError":"expired"}}`, miner.Stopped, miner.FirmwareOther, -1, miner.Critical},
		"new word":       {`{"Status":{"Operating State":"Dancing"}}`, miner.Unknown, 0, 0, ""},
		"no pool":        {`{"Status":{"Operating State":"Mining"},"Stratum":{"IsPoolConnected":false,"Config Id":0}}`, miner.Hashing, miner.ControlPool, -1, miner.Major},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := New().Parse(miner.Replies{"summary": []byte(c.summary)})
			if err != nil || r.State != c.state {
				t.Fatalf("%s, %v; want %s", r.State, err, c.state)
			}
			if c.code == 0 {
				if len(r.Faults) > 0 {
					t.Errorf("faults %+v", r.Faults)
				}
				return
			}
			if len(r.Faults) == 0 || r.Faults[0].Code != c.code || r.Faults[0].Index != c.board || r.Faults[0].Severity != c.level {
				t.Errorf("faults %+v, want %d on %d %s", r.Faults, c.code, c.board, c.level)
			}
		})
	}
}

func TestRecognise(t *testing.T) {
	for raw, want := range map[string]string{
		`{"Session":{"Accepted":1},"Status":{"Operating State":"Mining"}}`: replySummary,
		`{"Model":"AntMiner S19","Max HBs":3}`:                             replyCapabilities,
		`{"dhcp":{"mac_address":"aa:bb:cc:dd:ee:0f"}}`:                     replyNetwork,
		`[{"Index":0,"Data":[40.5,55]}]`:                                   replyTemps,
		`[{"Index":0,"Data":[[1,2,3]]}]`:                                   replyHashrates,
		`[{"Index":0,"Data":[` + strings.Repeat("490,", 30) + `485]}]`:     replyClocks,
		`[{"Index":0,"Data":[` + strings.Repeat("71,", 30) + `70]}]`:       replyChipTemps,
		`[{"Index":0,"Data":[` + strings.Repeat("0,", 30) + `0]}]`:         "",
		`{"status":"ok"}`: "", `[1,2]`: "", `[]`: "", `{}`: "",
	} {
		if got := recognise(gjson.Parse(raw)); got != want {
			t.Errorf("%.60s is taken for %q, want %q", raw, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("summary", []byte(`{"Status":{"Operating State":"Mining"},"HBs":[{"Index":0,"Hashrate":[1,2,3]}],"Fans Rpm":{"Fans Speed 1":0}}`))
	f.Add("capabilities", []byte(`{"Model":"AntMiner S19 XP","Tune Presets":[{"clk":272,"hashrate":80.0,"power":1700,"voltage":12300}]}`))
	f.Add("temps", []byte(`[{"Data":[42.3,42.8],"Index":0}]`))
	f.Add("x", []byte(`[{"Data":[[1,2,3],[4]],"Index":15}]`))
	f.Add("chip_clocks", []byte("[{\"Data\":[487.5,\x00"))
	f.Fuzz(func(t *testing.T, name string, raw []byte) {
		r, err := New().Parse(miner.Replies{name: raw})
		if err == nil && r.Identity.Firmware != miner.EPIC {
			t.Fatal("no firmware")
		}
	})
}

// A poll parses the summary on top of what is known.
func BenchmarkPoll(b *testing.B) {
	replies := captured(b)
	var known parts
	for name, raw := range replies {
		known.take(name, raw)
	}
	b.ReportAllocs()
	for b.Loop() {
		var fresh parts
		fresh.take(replySummary, replies[replySummary])
		p := known
		p.merge(fresh)
		p.reading()
	}
}

func BenchmarkParseAll(b *testing.B) {
	replies := captured(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := New().Parse(replies); err != nil {
			b.Fatal(err)
		}
	}
}
