package whatsminer

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/unit"
)

// API v3 counts hashrates in TH/s, power in W, voltages in V but for vout, and
// temperatures in °C.

func (s *sight) takeV3(t told) {
	switch t.kind {
	case kindSystemSetting:
		o := object(t)
		s.zone = posixZone(o.Text("timezone"))
		text(&s.r.Identity.Hostname, o.Text("hostname"))
		s.extra(o, "system.", systemSettingTyped)
	case kindDeviceInfo:
		s.deviceInfo(t)
	case kindMinerSetting:
		s.minerSetting(object(t))
	case kindFanSetting:
		s.extra(object(t), "fan.", nil)
	case kindSummary3:
		s.summary3(object(t))
	case kindBoards3:
		t.value.ForEach(func(_, v gjson.Result) bool {
			s.board3(cgminer.NewObject("edevs", v))
			return true
		})
	case kindPools3:
		s.pools3 = true
		i := 0
		t.value.ForEach(func(_, v gjson.Result) bool {
			if v.IsObject() {
				s.pool3(i, cgminer.NewObject("pools", v))
				i++
			}
			return true
		})
	}
}

var systemSettingTyped = map[string]bool{"hostname": true}

func (s *sight) deviceInfo(t told) {
	id, warn := &s.r.Identity, s.r.Warn
	root := object(t)

	sys := root.Object("system")
	text(&id.APIVersion, sys.Text("api"))
	text(&id.FirmwareVersion, sys.Text("fwversion"))
	text(&id.ControlBoard, strings.TrimSpace(sys.Text("platform")+" "+sys.Text("control-board-version")))
	s.led(sys.Text("ledstatus"))
	s.extra(sys, "system.", systemTyped)

	network := root.Object("network")
	s.mac(network.Text("mac"))
	text(&id.Hostname, network.Text("hostname"))
	s.extra(network, "network.", networkTyped)

	m := root.Object("miner")
	s.named(m.Text("type"))
	text(&id.Serial, m.Text("miner-sn"))
	opt(&s.boardNum, whole(m.Count("board-num")))
	if working, ok := m.Bool("working").Get(); ok {
		opt(&s.off, unit.Some(!working))
	}
	s.limit(m.Text("power-limit-set"))
	s.fastBoot(m.Text("fast-boot"))
	s.liquidBoards(m.Text("eeprom-liquid-cooling"))
	for i := range mostBoards {
		n := strconv.Itoa(i)
		serial, chips := m.Text("pcbsn"+n), m.Text("chipdata"+n)
		if serial == "" && chips == "" {
			continue
		}
		b := s.board(i)
		text(&b.Serial, serial)
		text(&b.ChipType, chips)
	}
	s.detected = splitRates(m.Text("detect-hash-rate"))
	s.extra(m, "miner.", minerTyped)

	if p := root.Object("power"); !p.Empty() {
		psu := s.psu()
		text(&psu.Model, p.Text("model", "type"))
		text(&psu.Serial, p.Text("sn"))
		text(&psu.Version, strings.TrimSpace(p.Text("swversion")))
		opt(&psu.Fan, p.Speed(warn, "fanspeed"))
		opt(&psu.PowerIn, p.Power(warn, "pin"))
		opt(&psu.VoltageIn, inputVolts(warn, p, "vin"))
		opt(&psu.CurrentIn, inputAmps(warn, p, "iin"))
		opt(&psu.VoltageOut, outputVolts(warn, p, "vout"))
		opt(&psu.Temp, p.Temperature(warn, "temp0"))
		opt(&s.r.TempInlet, liquidTemperature(p, warn, "liquid-temperature"))
		if s.r.Mode == "" {
			s.r.Mode = mode(p.Text("mode"))
		}
		s.extra(p, "power.", powerTyped)
	}
	s.errors("error-code", root.Raw("error-code"))
}

var (
	systemTyped  = set("api", "fwversion", "platform", "control-board-version", "ledstatus")
	networkTyped = set("mac", "hostname")
	minerTyped   = set("type", "miner-sn", "board-num", "working", "fast-boot", "pcbsn0", "pcbsn1", "pcbsn2", "pcbsn3",
		"chipdata0", "chipdata1", "chipdata2", "chipdata3")
	powerTyped   = set("model", "sn", "swversion", "fanspeed", "pin", "vin", "iin", "vout", "temp0", "liquid-temperature", "mode")
	settingTyped = set("power-mode", "power-percent")
	summaryTyped = set("elapsed", "bootup-time", "hash-realtime", "hash-average", "factory-hash", "power-realtime", "power-limit", "power-rate",
		"environment-temperature", "board-temperature", "chip-temp-max", "fan-speed-in", "fan-speed-out", "up-freq-finish")
	boardTyped = set("id", "slot", "status", "hash-realtime", "factory-hash", "effective-chips", "chip-temp-max", "chip-temp-min", "chip-temp-avg", "freq")
	poolTyped  = set("url", "account", "status", "stratum-active", "pool-priority", "stratum-diff", "accepted", "rejected", "stale", "last-share-time", "id")
)

func set(keys ...string) map[string]bool {
	m := make(map[string]bool, len(keys))
	for _, k := range keys {
		m[k] = true
	}
	return m
}

func (s *sight) minerSetting(o cgminer.Object) {
	if m := mode(o.Text("power-mode")); m != "" {
		s.r.Mode = m // the setting itself; the power supply's mode lags behind
	}
	opt(&s.r.PowerLimit, o.Power(s.r.Warn, "power-limit"))
	if p, ok := o.Float("power-percent").Get(); ok {
		if p <= 0 {
			p = 100 // none in force
		}
		opt(&s.percent, unit.Some(p))
	}
	s.fastBoot(o.Text("fast-boot"))
	s.extra(o, "setting.", settingTyped)
}

func (s *sight) summary3(o cgminer.Object) {
	r, warn := &s.r, s.r.Warn
	opt(&r.MinerUptime, o.Seconds("elapsed"))
	opt(&r.Uptime, o.Seconds("bootup-time"))
	opt(&r.HashrateNow, o.Hashrate(warn, unit.THs, "hash-realtime", "hash-1min"))
	opt(&r.HashrateAverage, o.Hashrate(warn, unit.THs, "hash-average", "hash-15min"))
	opt(&s.factory, o.Hashrate(warn, unit.THs, "factory-hash"))
	if p := watts(o, warn, "power-realtime", "power-5min"); p.Ok() && !r.Power.Ok() {
		r.Power, r.PowerSource = p, miner.PowerPSU
	}
	// What summary tells is the limit in force: the least of what the power
	// supply, the firmware and the operator allow.
	if p := o.Power(warn, "power-limit"); p.Ok() {
		r.PowerLimit = p
	}
	opt(&r.Efficiency, efficiency(o, "power-rate"))
	opt(&r.TempAmbient, o.Temperature(warn, "environment-temperature"))
	if v, ok := o.Float("chip-temp-max").Get(); ok {
		opt(&r.TempChip, boardTemperature(warn, "summary.chip-temp-max", v))
	}
	if done, ok := o.Int("up-freq-finish").Get(); ok {
		opt(&s.upfreq, unit.Some(done != 0))
	}
	s.fan(0, "in", o.Speed(warn, "fan-speed-in"))
	s.fan(1, "out", o.Speed(warn, "fan-speed-out"))
	opt(&s.most, o.Power(warn, "power-max"))
	s.pcb = o.Floats("board-temperature")
	s.extra(o, "summary.", summaryTyped)
}

func (s *sight) board3(o cgminer.Object) {
	warn := s.r.Warn
	slot, ok := o.Count("slot", "id").Get()
	if !ok || slot >= mostBoards {
		s.r.Warn(miner.WarnImplausible, "edevs.slot", o.Text("slot", "id"))
		return
	}
	b := s.board(int(slot))
	s.alive(b, o.Text("status"), true)
	opt(&b.Hashrate, o.Hashrate(warn, unit.THs, "hash-realtime", "hash-average"))
	opt(&b.HashrateNominal, o.Hashrate(warn, unit.THs, "factory-hash"))
	opt(&b.Chips, whole(o.Count("effective-chips")))
	opt(&b.Frequency, o.Frequency(warn, "freq"))
	s.chipTemps(b, o, "chip-temp-min", "chip-temp-avg", "chip-temp-max")
	typed := boardTyped
	if !o.Has("hash-realtime") {
		typed = boardTypedAverage
	}
	s.extra(o, "edevs."+strconv.Itoa(b.Index)+".", typed)
}

var boardTypedAverage = set("id", "slot", "status", "hash-average", "factory-hash", "effective-chips", "chip-temp-max", "chip-temp-min", "chip-temp-avg", "freq")

func (s *sight) pool3(i int, o cgminer.Object) {
	if o.Text("url") == "" && o.Text("account") == "" {
		return // an empty place
	}
	p := s.pool(i, o.Text("url"), o.Text("account"))
	status := o.Text("status")
	text(&p.Status, status)
	opt(&p.Priority, whole(o.Count("pool-priority")))
	opt(&p.Active, o.Bool("stratum-active"))
	if status != "" {
		opt(&p.Alive, unit.Some(strings.EqualFold(status, "alive")))
	}
	opt(&p.Accepted, o.Count("accepted"))
	opt(&p.Rejected, o.Count("rejected"))
	opt(&p.Stale, o.Count("stale"))
	opt(&p.Difficulty, positive(o, "stratum-diff"))
	opt(&p.LastShare, moment(o.Float("last-share-time")))
	s.extra(o, "pools."+strconv.Itoa(i)+".", poolTyped)
}

// pool is the pool at a place of the list. When v3 and v2 tell the same list,
// they meet here.
func (s *sight) pool(i int, url, user string) *miner.Pool {
	for k := range s.r.Pools {
		if p := &s.r.Pools[k]; p.Index == i && p.URL == url && p.User == user {
			return p
		}
	}
	s.r.Pools = append(s.r.Pools, miner.Pool{Index: i, URL: url, User: user})
	return &s.r.Pools[len(s.r.Pools)-1]
}

func (s *sight) hasPool(i int, url, user string) bool {
	return slices.ContainsFunc(s.r.Pools, func(p miner.Pool) bool { return p.Index == i && p.URL == url && p.User == user })
}

// alive notes a board's status: the controller sees a board unless it says
// "dead" or the like.
func (s *sight) alive(b *miner.Board, status string, enabled bool) {
	text(&b.Status, status)
	switch strings.ToLower(status) {
	case "":
		opt(&b.Present, unit.Some(true))
	case "alive", "nostart", "sick":
		opt(&b.Present, unit.Some(true))
	case "dead", "missing", "lost", "none":
		opt(&b.Present, unit.Some(false))
	default:
		opt(&b.Present, unit.Some(true))
	}
	opt(&b.Enabled, unit.Some(enabled))
}

// chipTemps reads a board's chip temperatures. Zero is what a board without
// power tells: no temperature.
func (s *sight) chipTemps(b *miner.Board, o cgminer.Object, low, mean, high string) {
	read := func(key string) unit.Opt[unit.Temperature] {
		v, ok := o.Float(key).Get()
		if !ok {
			return unit.None[unit.Temperature]()
		}
		return boardTemperature(s.r.Warn, o.Where()+"."+strconv.Itoa(b.Index)+"."+key, v)
	}
	opt(&b.TempChipMin, read(low))
	opt(&b.TempChipMean, read(mean))
	opt(&b.TempChipMax, read(high))
}

// boardTemperature is a sensor of a board or its chips; exactly 0 is none.
func boardTemperature(warn cgminer.Warn, where string, v float64) unit.Opt[unit.Temperature] {
	if v == 0 {
		return unit.None[unit.Temperature]()
	}
	return cgminer.Temperature(warn, where, v)
}

// led takes the LED's mode: "auto" unless someone looks for the machine.
func (s *sight) led(words string) {
	if words != "" {
		opt(&s.r.Locating, unit.Some(!strings.EqualFold(words, "auto")))
	}
}

// limit takes the power limit that an operator set; "" and 99999 are none.
func (s *sight) limit(words string) {
	if v, ok := cgminer.Number(words).Get(); ok && v > 0 && v < 99999 {
		s.limited = true
	}
}

func (s *sight) fastBoot(words string) {
	if words != "" {
		s.fast = words
		s.keep("fast-boot", words)
	}
}

// liquidBoards takes "0-0-0": a flag for each board.
func (s *sight) liquidBoards(words string) {
	if words != "" {
		opt(&s.liquid, unit.Some(strings.Contains(words, "1")))
	}
}

// splitRates reads what the factory measured, in GH/s by board:
// "61434:53890:65727". A slot without a board is 0.
func splitRates(words string) map[int]unit.Hashrate {
	rates := map[int]unit.Hashrate{}
	slot := 0
	for part := range strings.SplitSeq(words, ":") {
		if v, ok := cgminer.Number(part).Get(); ok && v > 0 && v < 1e6 {
			rates[slot] = unit.Hashrate(v) * gigahash
		}
		slot++
	}
	return rates
}

// watts is a power reading; -1 is what a power supply that does not answer
// gives, and that is no implausible value but none.
func watts(o cgminer.Object, warn cgminer.Warn, keys ...string) unit.Opt[unit.Power] {
	for _, key := range keys {
		if v, ok := o.Float(key).Get(); ok && v == -1 {
			warn(miner.WarnMissing, o.Where()+"."+key, "the power supply does not tell")
			continue
		}
		if p := o.Power(warn, key); p.Ok() {
			return p
		}
	}
	return unit.None[unit.Power]()
}

// efficiency is J/TH; 0 while nothing hashes is none.
func efficiency(o cgminer.Object, key string) unit.Opt[unit.Efficiency] {
	if v, ok := o.Float(key).Get(); ok && v > 0 && v < 1000 {
		return unit.Some(unit.Efficiency(v))
	}
	return unit.None[unit.Efficiency]()
}

func positive(o cgminer.Object, key string) unit.Opt[float64] {
	if v, ok := o.Float(key).Get(); ok && v > 0 {
		return unit.Some(v)
	}
	return unit.None[float64]()
}

// moment is a time in seconds since 1970; a machine without a clock tells less.
func moment(seconds unit.Opt[float64]) unit.Opt[time.Time] {
	const sane = 1262304000 // 2010
	if v, ok := seconds.Get(); ok && v > sane && v < 1e11 {
		return unit.Some(time.Unix(int64(v), 0).UTC())
	}
	return unit.None[time.Time]()
}

// inputVolts is the mains voltage: v3 tells V, v2 hundredths of a volt.
func inputVolts(warn cgminer.Warn, o cgminer.Object, key string) unit.Opt[unit.Voltage] {
	return scaled[unit.Voltage](warn, o, key, 1000, 100)
}

// inputAmps is the mains current: v3 tells A, v2 mA.
func inputAmps(warn cgminer.Warn, o cgminer.Object, key string) unit.Opt[unit.Current] {
	return scaled[unit.Current](warn, o, key, 100, 1000)
}

// outputVolts is the voltage to the boards, 12 to 60 V: told in hundredths or
// tenths of a volt.
func outputVolts(warn cgminer.Warn, o cgminer.Object, key string) unit.Opt[unit.Voltage] {
	if v, ok := o.Float(key).Get(); ok && v >= 100 && v < 1000 {
		return unit.Some(unit.Voltage(v / 10))
	}
	return scaled[unit.Voltage](warn, o, key, 1000, 100)
}

// scaled is a value that is divided when it is at least from.
func scaled[T ~float64](warn cgminer.Warn, o cgminer.Object, key string, from, by float64) unit.Opt[T] {
	v, ok := o.Float(key).Get()
	switch {
	case !ok || v == 0:
		return unit.None[T]()
	case v < 0 || v >= 1e6:
		warn(miner.WarnImplausible, o.Where()+"."+key, o.Text(key))
		return unit.None[T]()
	case v >= from:
		v /= by
	}
	return unit.Some(T(v))
}

// liquidTemperature is the coolant's; 0 is what an air-cooled machine tells.
func liquidTemperature(o cgminer.Object, warn cgminer.Warn, key string) unit.Opt[unit.Temperature] {
	if v, ok := o.Float(key).Get(); !ok || v == 0 {
		return unit.None[unit.Temperature]()
	}
	return o.Temperature(warn, key)
}
