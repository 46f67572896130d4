package vnish

import (
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/unit"
)

// info is who the machine is.
type info struct {
	isVNish                       bool
	miner, model, version, serial string
	mac, hostname, platform       string
	hashrateUnit                  unit.Hashrate
	uptime                        unit.Opt[time.Duration]
	extras                        extras
}

func readInfo(o cgminer.Object) *info {
	i := &info{
		miner: o.Text("miner"), model: o.Text("model"), version: o.Text("fw_version"), serial: o.Text("serial"),
		platform: o.Text("platform"),
	}
	name := strings.ToLower(o.Text("fw_name"))
	i.isVNish = strings.Contains(name, "vnish") || strings.Contains(name, "anthill") ||
		i.version != "" && i.platform != "" && o.Has("install_type", "hr_measure")
	if measure := o.Text("hr_measure"); measure != "" {
		i.hashrateUnit = cgminer.RateUnit(measure, 0)
	}
	i.readSystem(o.Object("system"))
	i.extras.addAll(o, "fw_name", "model", "platform", "install_type", "build_name", "build_time", "build_uuid", "algorithm", "hr_measure")
	return i
}

func (i *info) readSystem(o cgminer.Object) {
	network := o.Object("network_status")
	i.mac, i.hostname = miner.NormalMAC(network.Text("mac")), network.Text("hostname")
	i.uptime = uptime(o.Text("uptime"))
	i.extras.addAll(o, "os", "miner_name", "file_system_version", "mem_total", "mem_free", "mem_free_percent", "mem_buf", "mem_buf_percent")
	for _, k := range []string{"ip", "netmask", "gateway", "dhcp"} {
		i.extras.add("network "+k, network.Text(k))
	}
	var dns []string
	for _, v := range network.Raw("dns").Array() {
		dns = append(dns, v.String())
	}
	i.extras.add("network dns", strings.Join(dns, ", "))
}

// uptime reads "10 days, 18:00", "1 day, 2:03", "3:07", "45 min" and plain
// seconds.
func uptime(s string) unit.Opt[time.Duration] {
	s = strings.TrimSpace(s)
	if s == "" {
		return unit.None[time.Duration]()
	}
	if n, err := strconv.ParseUint(s, 10, 32); err == nil {
		return unit.Some(time.Duration(n) * time.Second)
	}
	total, read := time.Duration(0), false
	for part := range strings.SplitSeq(s, ",") {
		part = strings.TrimSpace(part)
		if h, m, ok := strings.Cut(part, ":"); ok {
			m, sec, _ := strings.Cut(m, ":")
			hours, err1 := strconv.ParseUint(h, 10, 16)
			minutes, err2 := strconv.ParseUint(m, 10, 16)
			seconds, _ := strconv.ParseUint(sec, 10, 16)
			if err1 != nil || err2 != nil {
				return unit.None[time.Duration]()
			}
			total, read = total+time.Duration(hours)*time.Hour+time.Duration(minutes)*time.Minute+time.Duration(seconds)*time.Second, true
			continue
		}
		number, word, _ := strings.Cut(part, " ")
		n, err := strconv.ParseUint(number, 10, 16)
		size := map[string]time.Duration{"day": 24 * time.Hour, "hour": time.Hour, "min": time.Minute, "minute": time.Minute, "sec": time.Second, "second": time.Second}[strings.TrimSuffix(strings.TrimSpace(word), "s")]
		if err != nil || size == 0 {
			return unit.None[time.Duration]()
		}
		total, read = total+time.Duration(n)*size, true
	}
	if !read {
		return unit.None[time.Duration]()
	}
	return unit.Some(total)
}

// controlBoards are the platform codes.
var controlBoards = map[string]string{"aml": "Amlogic", "bb": "BeagleBone", "cv": "CVITEK", "stm": "STM32", "xil": "Xilinx"}

// status is the machine's state when no summary tells it, and its light.
type status struct {
	state, description string
	failureCode        string
	locating           unit.Opt[bool]
	throttled          unit.Opt[int64]
	extras             extras
}

func readStatus(o cgminer.Object) *status {
	s := &status{
		state: o.Text("miner_state"), description: o.Text("description"), failureCode: o.Text("failure_code"),
		locating: o.Bool("find_miner"), throttled: o.Count("throttled"),
	}
	s.extras.addAll(o, "restart_required", "reboot_required", "unlocked", "unlock_timeout", "warranty")
	return s
}

// perf is the preset in force.
type perf struct {
	preset, pretty, presetStatus string
	extras                       extras
}

func readPerf(o cgminer.Object) *perf {
	now := o.Object("current_preset")
	p := &perf{preset: now.Text("name"), pretty: now.Text("pretty"), presetStatus: now.Text("status")}
	p.extras.add("preset modded_psu_required", now.Text("modded_psu_required"))
	globals := now.Object("globals")
	p.extras.add("preset freq", globals.Text("freq"))
	p.extras.add("preset volt", globals.Text("volt"))
	switcher := o.Object("preset_switcher")
	for _, f := range switcher.Fields() {
		p.extras.add("preset_switcher "+strings.Clone(f.Key), f.Text())
	}
	return p
}

// factory is what was written at the factory.
type factory struct {
	boards              map[int]factoryBoard
	psuModel, psuSerial string
	stock               unit.Opt[float64] // in the machine's hashrate unit
	extras              extras
}

type factoryBoard struct{ serial, model string }

func readFactory(o cgminer.Object) *factory {
	f := &factory{psuModel: o.Text("psu_model"), psuSerial: o.Text("psu_serial"), stock: o.Float("hr_stock"), boards: map[int]factoryBoard{}}
	f.extras.addAll(o, "has_pics")
	for _, b := range o.List("chains", "boards") {
		id, ok := b.Count("id").Get()
		if !ok || id >= mostChains {
			continue
		}
		f.boards[int(id)] = factoryBoard{b.Text("serial"), b.Text("board_model")}
		for _, k := range []string{"board_model", "chip_bin", "freq", "volt", "hashrate"} {
			f.extras.add("factory chain "+strconv.FormatInt(id, 10)+" "+k, b.Text(k))
		}
	}
	return f
}

// modelInfo is what the firmware knows of the model.
type modelInfo struct {
	name          string
	serial        string
	chips, boards unit.Opt[int64]
	metering      unit.Opt[bool]
	extras        extras
}

func readModel(o cgminer.Object) *modelInfo {
	chain, overclock := o.Object("chain", "board"), o.Object("overclock")
	m := &modelInfo{
		name: o.Text("full_name"), serial: o.Text("serial"), chips: chain.Count("chips_per_chain"), boards: chain.Count("num_chains"),
		metering: overclock.Bool("power_metering"),
	}
	m.extras.addAll(o, "series")
	m.extras.add("chips_per_domain", chain.Text("chips_per_domain"))
	for _, k := range []string{"max_voltage", "min_voltage", "default_voltage", "max_freq", "min_freq", "default_freq", "warn_freq", "max_voltage_stock_psu", "max_power_limit"} {
		m.extras.add("overclock "+k, overclock.Text(k))
	}
	cooling := o.Object("cooling")
	for _, k := range []string{"min_fan_pwm", "min_target_temp", "max_target_temp"} {
		m.extras.add("cooling "+k, cooling.Text(k))
	}
	return m
}

// settings are what is configured. Passwords in it are never read.
type settings struct {
	preset    string
	moddedPSU bool
	pools     []miner.Pool
	extras    extras
}

func readSettings(o cgminer.Object) *settings {
	m := o.Object("miner")
	overclock := m.Object("overclock")
	s := &settings{preset: overclock.Text("preset"), moddedPSU: overclock.Bool("modded_psu").Or(false)}
	for i, p := range m.List("pools") {
		if i < mostPools && p.Text("url") != "" {
			s.pools = append(s.pools, miner.Pool{Index: i, URL: p.Text("url"), User: p.Text("user")})
		}
	}
	misc := m.Object("misc")
	s.extras.add("power_limit", misc.Text("power_limit"))
	s.extras.add("power_limit_enabled", misc.Text("power_limit_enabled"))
	s.extras.add("quiet_mode", misc.Text("quiet_mode"))
	s.extras.add("restart_temp", misc.Text("restart_temp"))
	return s
}

// presets are the points that the tuner knows.
type presets struct{ list []preset }

type preset struct {
	name       string
	watts      unit.Opt[unit.Power]
	hashrate   unit.Opt[unit.Hashrate]
	frequency  unit.Opt[unit.Frequency]
	voltage    unit.Opt[unit.Voltage]
	tuned      unit.Opt[bool]
	needsModed bool
}

func readPresets(root gjson.Result) *presets {
	if root.IsObject() {
		root = root.Get("presets")
	}
	if !root.IsArray() {
		return nil
	}
	const most = 200
	p := &presets{}
	root.ForEach(func(_, v gjson.Result) bool {
		o := cgminer.NewObject("presets", v)
		name := o.Text("name")
		if name == "" || name == "disabled" {
			return true
		}
		one := preset{name: name, needsModed: o.Bool("modded_psu_required").Or(false)}
		one.watts, one.hashrate = prettyPreset(name, o.Text("pretty"))
		if s := o.Text("status"); s != "" {
			one.tuned = unit.Some(s == "tuned")
		}
		tune := o.Object("tune_settings")
		if f, ok := tune.Float("freq").Get(); ok && f > 0 && f < 5000 {
			one.frequency = unit.Some(unit.Frequency(f) * unit.Megahertz)
		}
		if mv, ok := tune.Float("volt").Get(); ok && mv > 0 && mv < 100_000 {
			one.voltage = unit.Some(unit.Voltage(mv / 1e3))
		}
		p.list = append(p.list, one)
		return len(p.list) < most
	})
	return p
}

// prettyPreset reads "3495 watt ~ 132 TH", and the watts from a name that is
// nothing but a number.
func prettyPreset(name, pretty string) (unit.Opt[unit.Power], unit.Opt[unit.Hashrate]) {
	watts, rate := unit.None[unit.Power](), unit.None[unit.Hashrate]()
	if w, err := strconv.ParseFloat(name, 64); err == nil && w > 0 && w < 1e5 {
		watts = unit.Some(unit.Power(w))
	}
	for part := range strings.SplitSeq(pretty, "~") {
		part = strings.TrimSpace(part)
		v, ok := cgminer.Number(part).Get()
		if !ok || v <= 0 {
			continue
		}
		lower := strings.ToLower(strings.TrimLeft(part, "0123456789. "))
		switch {
		case strings.HasPrefix(lower, "w"):
			if !watts.Ok() && v < 1e5 {
				watts = unit.Some(unit.Power(v))
			}
		default:
			if one := cgminer.RateUnit(lower, 0); one > 0 && unit.Hashrate(v)*one < 1e5 {
				rate = unit.Some(unit.Hashrate(v) * one)
			}
		}
	}
	return watts, rate
}
