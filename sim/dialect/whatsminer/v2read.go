package whatsminer

import (
	"strings"
	"time"

	"ballast/sim"
)

// section opens a reply in cgminer's form, where STATUS is a list.
func (m *machine) section(w *writer, msg, name string) {
	w.open('{')
	w.key("STATUS")
	w.open('[')
	w.open('{')
	w.text("STATUS", "S")
	w.text("Msg", msg)
	w.close('}')
	w.close(']')
	w.key(name)
	w.open('[')
}

func endSection(w *writer) {
	w.close(']')
	w.close('}')
}

const megahash = 1e6 // per TH/s

func (m *machine) summary(w *writer, s *sim.Snapshot) {
	low, mean, high := chipTemps(s)
	board := 0.0
	for i := range s.Boards {
		b := &s.Boards[i]
		if t, _, _, _ := temps(b, b.Enabled && !off(s)); t != deadSensor {
			board = max(board, t)
		}
	}
	m.section(w, "Summary", "SUMMARY")
	w.open('{')
	w.int("Elapsed", running(s))
	w.num("MHS av", float64(s.HashrateAvg)*megahash, 2)
	if !m.v3 { // of API v2 beside v3, these windows are gone
		w.num("MHS 5s", float64(s.Hashrate5s)*megahash, 2)
	}
	w.num("MHS 1m", float64(s.Hashrate1m)*megahash, 2)
	if !m.v3 {
		w.num("MHS 5m", float64(s.Hashrate1m)*megahash, 2)
	}
	w.num("MHS 15m", float64(s.Hashrate15m)*megahash, 2)
	w.num("HS RT", float64(s.Hashrate1m)*megahash, 2)
	w.int("Accepted", s.Accepted)
	w.int("Rejected", s.Rejected)
	w.num("Total MH", float64(s.HashrateAvg)*megahash*s.MinerUptime.Seconds(), 4)
	w.num("Temperature", board, 2)
	w.num("freq_avg", frequency(s), 0)
	w.num("Fan Speed In", fan(s, 0), 0)
	w.num("Fan Speed Out", fan(s, 1), 0)
	w.num("Power", float64(s.Power), 0)
	w.num("Power Rate", powerRate(s), 2)
	w.num("Pool Rejected%", share(s.Rejected, s.Accepted+s.Rejected), 4)
	w.num("Pool Stale%", share(s.Stale, s.Accepted+s.Rejected), 4)
	w.int("Last getwork", 0)
	w.int("Uptime", int64(s.Uptime/time.Second))
	w.int("Security Mode", 0)
	w.bool("Hash Stable", risen(s))
	w.int("Hash Stable Cost Seconds", min(running(s), 1498))
	w.num("Hash Deviation%", deviation(s), 4)
	if !m.v3 {
		w.num("Target Freq", frequency(s), 0)
		w.num("Target MHS", float64(s.HashrateNominal)*megahash, 0)
	}
	w.num("Env Temp", sensor(s.Ambient), 2)
	w.text("Power Mode", capital(s.Mode))
	w.num("Factory GHS", float64(m.factory())*1e3, 0)
	w.num("Power Limit", float64(m.powerLimit(s)), 0)
	w.num("Chip Temp Min", low, 2)
	w.num("Chip Temp Max", high, 2)
	w.num("Chip Temp Avg", mean, 2)
	w.text("Debug", "")
	w.text("Btminer Fast Boot", m.fastBoot())
	w.close('}')
	endSection(w)
}

func frequency(s *sim.Snapshot) float64 {
	sum, n := 0.0, 0.0
	for i := range s.Boards {
		if b := &s.Boards[i]; b.Present && b.Enabled && !off(s) {
			sum += b.Frequency.MHz()
			n++
		}
	}
	if n == 0 {
		return 0
	}
	return sum / n
}

func share(part, whole int64) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}

func deviation(s *sim.Snapshot) float64 {
	if s.HashrateNominal <= 0 {
		return 0
	}
	return 100 * (float64(s.HashrateAvg)/float64(s.HashrateNominal) - 1)
}

func capital(mode string) string {
	if mode == "" {
		return ""
	}
	return strings.ToUpper(mode[:1]) + mode[1:]
}

func (m *machine) fastBoot() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fast {
		return "enable"
	}
	return "disable"
}

func (m *machine) pools(w *writer, s *sim.Snapshot) {
	m.section(w, itoa(len(s.Pools))+" Pool(s)", "POOLS")
	for i, p := range s.Pools {
		w.open('{')
		w.int("POOL", int64(i+1))
		w.text("URL", p.URL)
		w.text("Status", map[bool]string{true: "Alive", false: "Dead"}[p.Alive])
		w.int("Priority", int64(i))
		w.int("Quota", 1)
		w.text("Long Poll", "N")
		w.int("Getworks", 1)
		w.int("Accepted", p.Accepted)
		w.int("Rejected", p.Rejected)
		w.int("Works", p.Accepted+p.Rejected)
		w.int("Discarded", 0)
		w.int("Stale", p.Stale)
		w.int("Get Failures", 0)
		w.int("Remote Failures", 0)
		w.text("User", p.User)
		w.int("Last Share Time", unix(p.LastShare))
		w.bool("Stratum Active", p.Active && !off(s))
		w.num("Stratum Difficulty", s.Difficulty, 8)
		w.num("Pool Rejected%", share(p.Rejected, p.Accepted+p.Rejected), 4)
		w.num("Pool Stale%", share(p.Stale, p.Accepted+p.Rejected), 4)
		w.int("Bad Work", 0)
		w.int("Current Block Height", 0)
		w.int("Current Block Version", 536870916)
		w.close('}')
	}
	endSection(w)
}

func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}

// devs lists the boards that answer; devs lists those as well that do not.
func (m *machine) devs(w *writer, s *sim.Snapshot, edevs bool) {
	spec := m.rig.Spec()
	on := !off(s)
	n := 0
	for i := range s.Boards {
		if s.Boards[i].Present {
			n++
		}
	}
	m.section(w, itoa(n)+" ASC(s)", "DEVS")
	for i := range s.Boards {
		b := &s.Boards[i]
		if !b.Present {
			continue // MicroBT leaves a hole in the slots
		}
		if edevs && !b.Enabled {
			continue
		}
		board, low, mean, high := temps(b, on && b.Enabled)
		w.open('{')
		w.int("ASC", int64(i))
		w.int("Slot", int64(i))
		w.text("Enabled", map[bool]string{true: "Y", false: "N"}[b.Enabled])
		w.text("Status", map[bool]string{true: "Alive", false: "NoStart"}[on && b.Enabled])
		w.num("Temperature", board, 2)
		w.num("Chip Frequency", onlyIf(on && b.Enabled, b.Frequency.MHz()), 0)
		rate := float64(b.Hashrate) * megahash
		w.num("MHS av", rate, 2)
		if !m.v3 {
			w.num("MHS 5s", rate, 2)
		}
		w.num("MHS 1m", rate, 2)
		if !m.v3 {
			w.num("MHS 5m", rate, 2)
		}
		w.num("MHS 15m", rate, 2)
		w.num("HS RT", rate, 2)
		w.num("HS Factory", float64(m.factory())*1e3/float64(max(len(s.Boards), 1)), 0)
		w.int("Accepted", s.Accepted/int64(max(len(s.Boards), 1)))
		w.int("Rejected", s.Rejected/int64(max(len(s.Boards), 1)))
		w.int("Last Valid Work", s.Now.Unix())
		w.int("Upfreq Complete", count(risen(s)))
		w.int("Effective Chips", int64(b.Chips))
		w.text("PCB SN", boardSerial(spec, b, i))
		w.text("Chip Data", m.chipData(i))
		if !m.v3 {
			w.num("Chip Temp Min", low, 2)
			w.num("Chip Temp Max", high, 2)
			w.num("Chip Temp Avg", mean, 2)
			w.int("chip_vol_diff", 9)
		}
		w.close('}')
	}
	endSection(w)
}

func onlyIf(on bool, v float64) float64 {
	if on {
		return v
	}
	return 0
}

func count(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func (m *machine) devDetails(w *writer, s *sim.Snapshot) {
	w.open('{')
	w.key("STATUS")
	w.open('[')
	w.open('{')
	w.text("STATUS", "S")
	w.int("When", s.Now.Unix())
	w.int("Code", 69)
	w.text("Msg", "Device Details")
	w.text("Description", "btminer")
	w.close('}')
	w.close(']')
	w.key("DEVDETAILS")
	w.open('[')
	for i := range s.Boards {
		if !s.Boards[i].Present {
			continue
		}
		w.open('{')
		w.int("DEVDETAILS", int64(i))
		w.text("Name", "SM")
		w.int("ID", int64(i))
		w.text("Driver", "bitmicro")
		w.text("Kernel", "")
		w.text("Model", m.typ)
		w.close('}')
	}
	endSection(w)
}

func (m *machine) minerStatus(w *writer, s *sim.Snapshot) {
	if m.old {
		w.boolText("btmineroff", off(s))
		w.text("Firmware Version", "'"+m.firmware+"'")
		w.text("power_mode", "")
		w.text("hash_percent", "")
		return
	}
	reason := ""
	if s.Phase == sim.PhaseFailed {
		reason = "error protect"
	}
	w.boolText("mineroff", off(s))
	w.text("mineroff_reason", reason)
	w.text("mineroff_time", "")
	w.text("FirmwareVersion", m.firmware)
	w.text("power_mode", capital(s.Mode))
	w.text("power_limit_set", m.limitSet(s))
	w.text("hash_percent", "0")
	w.text("power_pct", ftoa(s.PowerPercent))
	if t, ok := s.Inlet.Get(); ok && m.liquid() {
		w.text("liquid_temp", ftoa(float64(t)))
	}
}

// limitSet is the limit that someone set, "" when nobody did.
func (m *machine) limitSet(s *sim.Snapshot) string {
	if s.PowerTarget > 0 {
		return ftoa(float64(s.PowerTarget))
	}
	return ""
}

func (m *machine) minerInfo(w *writer, s *sim.Snapshot) {
	spec := m.rig.Spec()
	w.text("ip", addrText(spec))
	w.text("proto", "dhcp")
	w.text("netmask", "255.255.255.0")
	w.text("dns", "114.114.114.114")
	w.text("mac", strings.ToUpper(spec.MAC))
	w.text("ledstat", ledState(s))
	w.text("gateway", "192.168.2.1")
	if spec.Hostname != "" {
		w.text("hostname", spec.Hostname)
	}
	if !m.old {
		w.text("minersn", spec.Serial)
		w.text("powersn", powerSerial(spec))
		w.intText("upfreq_speed", int64(m.riseSpeed()))
	}
}

func addrText(spec sim.Spec) string {
	if spec.Addr.IsValid() {
		return spec.Addr.String()
	}
	return "127.0.0.1"
}

func ledState(s *sim.Snapshot) string {
	if s.Locating {
		return "manual"
	}
	return "auto"
}

func powerSerial(spec sim.Spec) string { return "PSU" + spec.Serial }

func (m *machine) riseSpeed() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.upfreq
}

// errorCodes writes a list of objects or, before API 2.0.5, a list that is
// written like a dictionary and is no JSON.
func (m *machine) errorCodes(w *writer, s *sim.Snapshot) {
	w.key("error_code")
	w.open('[')
	for _, c := range complaints(s) {
		if m.old {
			w.time(c.code, c.since)
			continue
		}
		w.open('{')
		w.time(c.code, c.since)
		w.close('}')
	}
	w.close(']')
}

func (m *machine) psu(w *writer, s *sim.Snapshot) {
	spec := m.rig.Spec()
	w.text("name", powerModel(spec))
	w.text("hw_version", "V01.00")
	w.text("sw_version", "V01.00.V01.03")
	w.text("model", powerModel(spec))
	w.intText("iin", int64(float64(s.PSU.CurrentIn)*1e3))
	w.intText("vin", int64(float64(s.PSU.VoltageIn)*1e2))
	if !m.old {
		w.intText("pin", int64(s.PSU.PowerIn))
	}
	w.intText("fan_speed", int64(s.PSU.Fan))
	w.text("version", "-1")
	w.text("serial_no", powerSerial(spec))
	w.text("vendor", "7")
	if m.noComma {
		w.b = append(w.b, `"temp0":`...)
		w.quote(ftoa(float64(s.PSU.Temp[0])))
		return
	}
	w.text("temp0", ftoa(float64(s.PSU.Temp[0])))
}

func powerModel(spec sim.Spec) string {
	if spec.Model.Cooling == "hydro" {
		return "P566B"
	}
	return "P221B"
}

func (m *machine) platform() string {
	if m.v3 {
		return "H616"
	}
	return "H6OS"
}

// chipData names chips and bin of a board.
func (m *machine) chipData(slot int) string {
	h := hashOf(m.rig.Spec().Serial + itoa(slot))
	const digits = "0123456789ABCDEF"
	id := []byte("K8EC300")
	for i := range 3 {
		id[4+i] = digits[h>>(4*i)&15]
	}
	return string(id) + "-2426 BINVE6-197806A"
}
