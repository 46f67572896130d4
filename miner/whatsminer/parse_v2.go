package whatsminer

import (
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/unit"
)

// API v2 counts hashrates in MH/s ("MHS av", "HS RT") and factory figures in
// GH/s ("Factory GHS", "HS Factory").

func (s *sight) takeV2(t told) {
	switch t.kind {
	case kindVersion:
		s.version(t)
	case kindMinerInfo:
		s.minerInfo(object(t))
	case kindStatus:
		s.status(object(t))
	case kindPSU:
		s.powerSupply(object(t))
	default:
		rows := rowsOf(t)
		for i, o := range rows {
			switch t.kind {
			case kindDevDetails:
				s.named(o.Text("Model"))
			case kindSummary:
				s.summaryV2(o)
			case kindDevs:
				s.devV2(i, o)
			case kindPools:
				s.poolV2(i, o)
			}
		}
	}
}

// rowsOf are the objects of a section; a lone object is a list of one.
func rowsOf(t told) []cgminer.Object {
	if t.value.IsObject() {
		return []cgminer.Object{object(t)}
	}
	var out []cgminer.Object
	t.value.ForEach(func(_, v gjson.Result) bool {
		if v.IsObject() {
			out = append(out, cgminer.NewObject(t.name, v))
		}
		return true
	})
	return out
}

func (s *sight) version(t told) {
	id := &s.r.Identity
	if t.value.Type == gjson.String {
		text(&id.APIVersion, strings.TrimPrefix(t.value.Str, "whatsminer v"))
		return
	}
	o := object(t)
	text(&id.APIVersion, strings.TrimPrefix(o.Text("api_ver"), "whatsminer v"))
	text(&id.FirmwareVersion, unquoted(o.Text("fw_ver")))
	text(&id.ControlBoard, o.Text("platform"))
	s.extra(o, "version.", versionTyped)
}

var (
	versionTyped   = set("api_ver", "fw_ver", "platform")
	minerInfoTyped = set("mac", "hostname", "minersn", "ledstat")
	statusTyped    = set("mineroff", "btmineroff", "mineroff_reason", "Firmware Version", "FirmwareVersion", "power_mode", "liquid_temp", "power_pct")
	psuTyped       = set("model", "serial_no", "sw_version", "fan_speed", "pin", "vin", "iin", "vout", "temp0")
	devTyped       = set("ASC", "ID", "Slot", "Enabled", "Status", "Temperature", "Chip Frequency", "Frequency", "HS Factory", "Factory GHS",
		"Upfreq Complete", "Effective Chips", "PCB SN", "Chip Data", "Chip Temp Min", "Chip Temp Max", "Chip Temp Avg", "Hardware Errors", "Device Hardware%")
	poolV2Typed = set("POOL", "URL", "Status", "Priority", "User", "Accepted", "Rejected", "Stale", "Stratum Active", "Stratum Difficulty", "Last Share Time")
	sumV2Typed  = set("Elapsed", "Uptime", "MHS av", "Factory GHS", "Power", "Power Limit", "Power Rate", "Power Mode", "Env Temp",
		"Chip Temp Max", "Fan Speed In", "Fan Speed Out", "Accepted", "Rejected", "Stale", "Hardware Errors", "Device Hardware%", "Best Share",
		"Found Blocks", "MAC", "Firmware Version", "Power Fanspeed", "Btminer Fast Boot", "Error Code Count", "Upfreq Complete")
)

// unquoted strips the quotes that some firmware wraps its version in.
func unquoted(s string) string { return strings.Trim(s, `'" `) }

func (s *sight) minerInfo(o cgminer.Object) {
	id := &s.r.Identity
	s.mac(o.Text("mac"))
	text(&id.Hostname, o.Text("hostname"))
	text(&id.Serial, o.Text("minersn"))
	s.led(o.Text("ledstat"))
	if sn := o.Text("powersn"); sn != "" {
		text(&s.psu().Serial, sn)
	}
	s.extra(o, "info.", minerInfoTyped)
}

func (s *sight) status(o cgminer.Object) {
	opt(&s.off, o.Bool("mineroff", "btmineroff"))
	text(&s.offReason, o.Text("mineroff_reason"))
	text(&s.r.Identity.FirmwareVersion, unquoted(o.Text("FirmwareVersion", "Firmware Version")))
	text(&s.r.Mode, mode(o.Text("power_mode")))
	opt(&s.r.TempInlet, liquidTemperature(o, s.r.Warn, "liquid_temp"))
	s.limit(o.Text("power_limit_set"))
	if p, ok := o.Float("power_pct").Get(); ok && p > 0 {
		opt(&s.percent, unit.Some(p))
	}
	s.extra(o, "status.", statusTyped)
}

func (s *sight) summaryV2(o cgminer.Object) {
	r, warn := &s.r, s.r.Warn
	opt(&r.MinerUptime, o.Seconds("Elapsed"))
	opt(&r.Uptime, o.Seconds("Uptime"))
	now := shortest(o)
	opt(&r.HashrateNow, o.Hashrate(warn, megahash, now))
	opt(&r.HashrateAverage, o.Hashrate(warn, megahash, "MHS av", "MHS 15m"))
	opt(&s.factory, o.Hashrate(warn, gigahash, "Factory GHS"))
	opt(&s.target, o.Hashrate(warn, megahash, "Target MHS"))
	if p := watts(o, warn, "Power", "Power_RT"); p.Ok() && !r.Power.Ok() {
		r.Power, r.PowerSource = p, miner.PowerPSU
	}
	opt(&r.PowerLimit, o.Power(warn, "Power Limit"))
	opt(&s.most, o.Power(warn, "Power Max"))
	opt(&r.Efficiency, efficiency(o, "Power Rate"))
	text(&r.Mode, mode(o.Text("Power Mode")))
	opt(&r.TempAmbient, o.Temperature(warn, "Env Temp"))
	if v, ok := o.Float("Chip Temp Max").Get(); ok {
		opt(&r.TempChip, boardTemperature(warn, "summary.Chip Temp Max", v))
	}
	if v, ok := o.Float("Temperature").Get(); ok {
		opt(&s.summary, boardTemperature(warn, "summary.Temperature", v))
	}
	opt(&s.liquid, o.Bool("Liquid Cooling"))
	s.fan(0, "in", o.Speed(warn, "Fan Speed In"))
	s.fan(1, "out", o.Speed(warn, "Fan Speed Out"))
	opt(&r.Accepted, o.Count("Accepted"))
	opt(&r.Rejected, o.Count("Rejected"))
	opt(&r.Stale, o.Count("Stale"))
	opt(&r.HWErrors, o.Count("Hardware Errors"))
	opt(&r.HWErrorRatio, o.Percent("Device Hardware%"))
	opt(&r.BestShare, positive(o, "Best Share"))
	opt(&r.Blocks, o.Count("Found Blocks"))
	if done, ok := o.Int("Upfreq Complete").Get(); ok {
		opt(&s.upfreq, unit.Some(done != 0))
	}
	s.mac(o.Text("MAC"))
	text(&r.Identity.FirmwareVersion, unquoted(o.Text("Firmware Version")))
	text(&r.Identity.ControlBoard, strings.TrimSpace(o.Text("CB Platform")+" "+o.Text("CB Version")))
	if v := o.Speed(warn, "Power Fanspeed"); v.Ok() {
		opt(&s.psu().Fan, v)
	}
	s.fastBoot(o.Text("Btminer Fast Boot"))
	s.errorsInSummary(o)
	for _, f := range o.Fields() {
		if sumV2Typed[f.Key] || f.Key == now || strings.HasPrefix(f.Key, "Error Code ") {
			continue
		}
		if words := f.Text(); words != "" {
			s.keep("summary."+f.Key, words)
		}
	}
}

// shortest is the key of the shortest window of hashrate in a v2 section.
// "HS RT" is the momentary rate in firmware that has no "MHS 5s", and the mean
// of five minutes in firmware that has.
func shortest(o cgminer.Object) string {
	for _, key := range [...]string{"MHS 5s", "HS RT", "MHS 1m", "MHS 5m", "MHS 15m"} {
		if o.Has(key) {
			return key
		}
	}
	return "MHS av"
}

// errorsInSummary reads "Error Code Count":2,"Error Code 0":111,.. of API 1.x.
func (s *sight) errorsInSummary(o cgminer.Object) {
	n := o.Count("Error Code Count").Or(0)
	for i := range min(n, 100) {
		key := "Error Code " + strconv.FormatInt(i, 10)
		if code := o.Text(key); isCode(code) {
			v := gjson.Result{Type: gjson.String, Str: code}
			s.errors("summary."+key, v)
		}
	}
}

func (s *sight) devV2(i int, o cgminer.Object) {
	warn := s.r.Warn
	slot, ok := o.Count("Slot", "ASC", "ID").Get()
	if !ok {
		slot = int64(i)
	}
	if slot >= mostBoards {
		s.r.Warn(miner.WarnImplausible, "devs.Slot", o.Text("Slot", "ASC", "ID"))
		return
	}
	b := s.board(int(slot))
	s.alive(b, o.Text("Status"), o.Bool("Enabled").Or(true))
	now := shortest(o)
	opt(&b.Hashrate, o.Hashrate(warn, megahash, now))
	opt(&b.HashrateNominal, o.Hashrate(warn, gigahash, "HS Factory", "Factory GHS"))
	opt(&b.Chips, whole(o.Count("Effective Chips")))
	opt(&b.Frequency, o.Frequency(warn, "Chip Frequency", "Frequency"))
	if v, ok := o.Float("Temperature").Get(); ok {
		opt(&b.TempBoard, boardTemperature(warn, "devs."+strconv.Itoa(b.Index)+".Temperature", v))
	}
	s.chipTemps(b, o, "Chip Temp Min", "Chip Temp Avg", "Chip Temp Max")
	text(&b.Serial, o.Text("PCB SN"))
	text(&b.ChipType, o.Text("Chip Data"))
	opt(&b.HWErrors, o.Count("Hardware Errors"))
	opt(&b.HWErrorRatio, o.Percent("Device Hardware%"))
	if done, ok := o.Int("Upfreq Complete").Get(); ok {
		all := s.upfreq.Or(true) && done != 0
		s.upfreq = unit.Some(all)
	}
	typed := devTyped
	prefix := "devs." + strconv.Itoa(b.Index) + "."
	for _, f := range o.Fields() {
		if typed[f.Key] || f.Key == now {
			continue
		}
		if words := f.Text(); words != "" {
			s.keep(prefix+f.Key, words)
		}
	}
}

func (s *sight) poolV2(i int, o cgminer.Object) {
	url, user := o.Text("URL"), o.Text("User")
	if url == "" && user == "" {
		return
	}
	if s.pools3 && !s.hasPool(i, url, user) {
		return // v3 has told the list; v2's answer may be of an earlier poll
	}
	p := s.pool(i, url, user)
	status := o.Text("Status")
	text(&p.Status, status)
	if status != "" {
		opt(&p.Alive, unit.Some(strings.EqualFold(status, "alive")))
	}
	opt(&p.Priority, whole(o.Count("Priority")))
	opt(&p.Active, o.Bool("Stratum Active"))
	opt(&p.Accepted, o.Count("Accepted"))
	opt(&p.Rejected, o.Count("Rejected"))
	opt(&p.Stale, o.Count("Stale"))
	opt(&p.Difficulty, positive(o, "Stratum Difficulty"))
	opt(&p.LastShare, moment(o.Float("Last Share Time")))
	s.extra(o, "pools."+strconv.Itoa(i)+".", poolV2Typed)
}

func (s *sight) powerSupply(o cgminer.Object) {
	warn, p := s.r.Warn, s.psu()
	text(&p.Model, o.Text("model", "name"))
	text(&p.Serial, o.Text("serial_no"))
	text(&p.Version, o.Text("sw_version"))
	opt(&p.Fan, o.Speed(warn, "fan_speed"))
	opt(&p.PowerIn, watts(o, warn, "pin"))
	opt(&p.VoltageIn, inputVolts(warn, o, "vin"))
	opt(&p.CurrentIn, inputAmps(warn, o, "iin"))
	opt(&p.VoltageOut, outputVolts(warn, o, "vout"))
	opt(&p.Temp, o.Temperature(warn, "temp0"))
	s.extra(o, "psu.", psuTyped)
}
