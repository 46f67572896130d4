package antminer

import (
	"bytes"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"ballast/miner"
	"ballast/miner/cgminer"
)

// trouble is a vendor code in neutral words.
type trouble struct {
	code     miner.Code
	severity miner.Severity
	text     string
}

// codes are the error codes of port 6060 and of the summary's messages. Jn, Ln
// is board n, counted from 0; J0:8 is about all of them. (tetherto/
// miningos-wrk-miner-antminer workers/lib/util/errors.js; F:1 and the sweep
// strings: Bitmain's kernel logs.)
var codes = map[string]trouble{
	"R:1":    {miner.AdvisoryLowHash, miner.Major, "hashrate low"},
	"N:1":    {miner.AdvisoryOther, miner.Minor, "hashrate high"},
	"N:2":    {miner.ControlNetwork, miner.Critical, "network lost"},
	"V:1":    {miner.PSUOutputVoltage, miner.Critical, "power supply does not start"},
	"V:2":    {miner.PSUOther, miner.Major, "power supply not calibrated"},
	"P:1":    {miner.ThermalChip, miner.Critical, "stopped: too hot"},
	"P:2":    {miner.ThermalCold, miner.Critical, "stopped: too cold"},
	"F:1":    {miner.FanMissing, miner.Critical, "fan lost"},
	"M:1":    {miner.ControlMemory, miner.Major, "out of memory"},
	"J0:8":   {miner.BoardMissing, miner.Critical, "too few boards"},
	"J:8":    {miner.BoardMissing, miner.Critical, "too few boards"},
	"J0:6":   {miner.SensorTemperature, miner.Major, "temperature sensor does not answer"},
	"J:2":    {miner.ChipMissing, miner.Major, "too few chips"},
	"J:4":    {miner.BoardEEPROM, miner.Major, "board's EEPROM data is wrong"},
	"J:6":    {miner.SensorTemperature, miner.Major, "temperature sensor does not answer"},
	"L:1":    {miner.FirmwareConfig, miner.Major, "voltage and frequency above the limit"},
	"L:2":    {miner.FirmwareConfig, miner.Major, "voltage and frequency do not fit"},
	"L255:2": {miner.BoardMismatch, miner.Major, "no common level for mixed boards"},
}

var codeForm = regexp.MustCompile(`\b([A-Z])(\d{0,3}):(\d{1,2})\b`)

// troubleOf looks a code up: as it stands, else its letter and last figure with
// the number between as the board.
func troubleOf(code string) (t trouble, index int, ok bool) {
	index = -1
	m := codeForm.FindStringSubmatch(code)
	if m == nil {
		return trouble{}, index, false
	}
	if t, ok = codes[m[0]]; ok {
		return t, index, true
	}
	if t, ok = codes[m[1]+":"+m[3]]; ok && m[2] != "" {
		index, _ = strconv.Atoi(m[2])
	}
	return t, index, ok
}

// complain adds a fault unless one of its kind is there already.
func (p *parser) complain(t trouble, index int, vendor, text string) {
	if text == "" {
		text = t.text
	}
	if slices.ContainsFunc(p.r.Faults, func(f miner.Fault) bool { return f.Code == t.code && (f.Index == index || index < 0) }) {
		return
	}
	p.r.Faults = append(p.r.Faults, miner.NewFault(t.code, t.severity, index, vendor, strings.Clone(text)))
}

// statusKinds are the lights of the web interface's front page, when they tell
// no code.
var statusKinds = map[string]trouble{
	"rate":    {miner.AdvisoryLowHash, miner.Major, "hashrate is not what it should be"},
	"network": {miner.ControlPool, miner.Critical, "no connection to a pool"},
	"fans":    {miner.FanMissing, miner.Critical, "a fan is lost or too slow"},
	"temp":    {miner.ThermalOther, miner.Critical, "temperature is out of range"},
}

// readStatus reads summary's list of what is well ("s") and what is not.
func (p *parser) readStatus(o cgminer.Object) {
	for _, item := range o.List("status") {
		state := strings.ToLower(item.Text("status"))
		if state == "s" || state == "" {
			continue
		}
		kind, msg, number := item.Text("type"), item.Text("msg"), item.Int("code").Or(0)
		vendor := "status." + kind
		if number != 0 {
			vendor += ":" + strconv.FormatInt(number, 10)
		}
		t, index, ok := troubleOf(msg)
		if ok {
			vendor = codeForm.FindString(msg)
		} else if t, ok = byWords(msg); !ok {
			if t, ok = statusKinds[kind]; !ok {
				t = trouble{miner.AdvisoryOther, miner.Major, "the firmware complains of " + kind}
			}
		}
		if state == "w" {
			t.severity = miner.Minor
		}
		p.complain(t, index, vendor, msg)
	}
}

// readWarning reads port 6060's current error.
func (p *parser) readWarning() {
	msg := p.warning.Text("error_message")
	if msg == "" || strings.EqualFold(msg, "none") {
		return
	}
	t, index, ok := troubleOf(msg)
	if !ok {
		if t, ok = byWords(msg); !ok {
			t = trouble{miner.AdvisoryOther, miner.Major, msg}
			p.r.Warn(miner.WarnUnknown, "warning", msg)
		}
	}
	p.complain(t, index, msg, "")
}

// words are error names and sentences of kernel logs. (zeusbtc.com, vnish.ru and
// antminer-repair.com list them with their meaning.)
var words = []struct {
	text string
	trouble
}{
	{"ERROR_FAN_LOST", trouble{miner.FanMissing, miner.Critical, "fan lost"}},
	{"fan lost", trouble{miner.FanMissing, miner.Critical, "fan lost"}},
	{"ERROR_FAN_SPEED", trouble{miner.FanSlow, miner.Major, "fan too slow"}},
	{"ERROR_POWER_LOST", trouble{miner.PSUMissing, miner.Critical, "power supply does not answer"}},
	{"power voltage can not meet the target", trouble{miner.PSUOutputVoltage, miner.Critical, "power supply does not reach its voltage"}},
	{"power voltage abnormity", trouble{miner.PSUOutputVoltage, miner.Critical, "power supply voltage is off"}},
	{"ERROR_TEMP_TOO_HIGH", trouble{miner.ThermalChip, miner.Critical, "stopped: too hot"}},
	{"over max temp", trouble{miner.ThermalChip, miner.Critical, "stopped: too hot"}},
	{"ERROR_TEMP_TOO_LOW", trouble{miner.ThermalCold, miner.Critical, "too cold to start"}},
	{"read temp sensor failed", trouble{miner.SensorTemperature, miner.Major, "temperature sensor does not answer"}},
	{"ERROR_TEMP_SENSOR", trouble{miner.SensorTemperature, miner.Major, "temperature sensor does not answer"}},
	{"ERROR_EEPROM", trouble{miner.BoardEEPROM, miner.Major, "board's EEPROM data is wrong"}},
	{"eeprom error", trouble{miner.BoardEEPROM, miner.Major, "board's EEPROM data is wrong"}},
	{"ERROR_ASIC_LOSS", trouble{miner.ChipMissing, miner.Major, "chips are missing"}},
	{"ERROR_SOC_INIT", trouble{miner.BoardInit, miner.Critical, "start-up failed"}},
	{"ERROR_CHAIN_LOSS", trouble{miner.BoardMissing, miner.Major, "board lost"}},
	{"WARN_NET_LOST", trouble{miner.ControlNetwork, miner.Critical, "network lost"}},
	{"ERROR_NET_LOST", trouble{miner.ControlNetwork, miner.Critical, "network lost"}},
	{"pic init fail", trouble{miner.BoardInit, miner.Critical, "board controller does not start"}},
	{"domain voltage abnormal", trouble{miner.RailVoltage, miner.Major, "domain voltage is off"}},
	{"CRC error", trouble{miner.ChipCRC, miner.Minor, "chip communication errs"}},
}

func byWords(text string) (trouble, bool) {
	lower := strings.ToLower(text)
	for _, w := range words {
		if strings.Contains(lower, strings.ToLower(w.text)) {
			return w.trouble, true
		}
	}
	return trouble{}, false
}

// logTail is how much of a kernel log's end is read: the last start and what
// came after.
const logTail = 64 << 10

var (
	chainLog = regexp.MustCompile(`(?i)chain ?\[?(\d)\]?:? (?:only )?find (\d+) asic`)
	sweepLog = regexp.MustCompile(`Sweep error string = ([A-Z]\d*:\d+)`)
)

// isKernelLog tells a log from JSON: it is text, and starts like one.
func isKernelLog(name string, raw []byte) bool {
	head := bytes.TrimSpace(raw[:min(len(raw), 256)])
	if len(head) == 0 || head[0] == '{' || head[0] == '<' {
		return false
	}
	if name == "kernel_log" || name == "get_kernel_log" || name == "log" {
		return bytes.IndexByte(head, '\n') >= 0 || len(raw) > 256 || head[0] == '['
	}
	return bytes.Contains(head, []byte("Booting Linux")) || bytes.HasPrefix(head, []byte("[    0.0"))
}

// readLog adds the faults that a kernel log names since the mining process
// last started, for each kind the latest.
func (p *parser) readLog() {
	log := p.log[max(0, len(p.log)-logTail):]
	if at := bytes.LastIndex(log, []byte("miner ID")); at > 0 {
		log = log[at:] // printed at each start of the mining process
	}
	for line := range bytes.Lines(log) {
		text := strings.TrimSpace(strings.ToValidUTF8(string(line), "�"))
		if m := sweepLog.FindStringSubmatch(text); m != nil {
			if t, index, ok := troubleOf(m[1]); ok {
				p.complain(t, index, m[1], "")
			}
			continue
		}
		if m := chainLog.FindStringSubmatch(text); m != nil {
			p.logChips(m)
			continue
		}
		if !strings.Contains(text, "ERROR") && !strings.Contains(text, "WARN") && !strings.Contains(strings.ToLower(text), "fail") {
			continue
		}
		if t, ok := byWords(text); ok {
			p.complain(t, -1, firstText(errorName.FindString(text), "kernel log"), "")
		}
	}
}

var errorName = regexp.MustCompile(`(?:ERROR|WARN)_[A-Z_]+`)

// logChips reads "Chain[0]: find 0 asic".
func (p *parser) logChips(m []string) {
	index, _ := strconv.Atoi(m[1])
	n, _ := strconv.Atoi(m[2])
	switch {
	case n == 0:
		p.complain(trouble{miner.BoardNoHash, miner.Major, "no chip answers"}, index, m[0], m[0])
	case p.model.Chips > 0 && n < p.model.Chips:
		p.complain(trouble{miner.ChipMissing, miner.Major, "too few chips"}, index, m[0], m[0])
	}
}
