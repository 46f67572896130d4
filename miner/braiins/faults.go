package braiins

import (
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"ballast/miner"
)

// entry is one line of the machine's error log, or of what its web page calls
// appeals.
type entry struct {
	at        time.Time
	text      string
	code      string // of Braiins, as told
	reason    string
	component string // "hashboard", "fan", ... as told
	index     int    // of the component, as told; -1 without
	severity  miner.Severity
}

// minerErrors reads miner/errors (and GraphQL's bos.errors): a log, oldest
// first, that outlives restarts.
func (p *parser) minerErrors(v gjson.Result) {
	p.errorLog(v.Get("errors"))
}

func (p *parser) errorLog(v gjson.Result) {
	log := make([]string, 0, 8)
	v.ForEach(func(_, v gjson.Result) bool {
		e, told := entry{index: -1}, ""
		v.ForEach(func(key, v gjson.Result) bool {
			switch key.Str {
			case "timestamp":
				e.at = moment(v)
				told = text(v)
			case "message":
				e.text = text(v)
			case "error_codes":
				e.code, e.reason = text(v.Get("0.code")), text(v.Get("0.reason"))
				v.ForEach(func(_, v gjson.Result) bool {
					if code := text(v.Get("code")); code != "" {
						p.extra("errors.hint."+code, text(v.Get("hint")))
					}
					return true
				})
				if v.Get("1").Exists() {
					p.keep("errors."+e.at.Format(timeForm)+".error_codes", v)
				}
			case "components":
				if c := v.Get("0"); c.Exists() {
					e.component = text(c.Get("name"))
					e.index = countInt(c.Get("index")).Or(-1)
				}
			default:
				p.strange("miner_errors."+key.Str, v)
			}
			return true
		})
		if e.text != "" || e.code != "" {
			p.errors = append(p.errors, e)
			p.seen(e.at)
			log = append(log, told+" "+e.text)
		}
		return len(p.errors) < 256
	})
	p.extra("errors", strings.Join(log, "\n"))
}

// seen takes a time that the machine's own clock gave, to judge by it how long
// ago another one is.
func (p *parser) seen(t time.Time) {
	if dated(t) && t.After(p.last) {
		p.last = t
	}
}

// recent is how long after its last word a complaint counts as present.
const recent = time.Hour

// faults turns the log into faults: one for each different complaint, at its
// latest time.
func (p *parser) faults() {
	for _, e := range p.errors {
		f := e.fault()
		if old := p.stale(e); old && f.Severity != miner.Info {
			f.Severity = miner.Info
		}
		if dated(e.at) {
			f.Since = e.at
		}
		merged := false
		for i := range p.r.Faults {
			g := &p.r.Faults[i]
			if g.Code == f.Code && g.Index == f.Index && g.Vendor == f.Vendor && g.Text == f.Text {
				if f.Since.After(g.Since) {
					g.Since = f.Since
				}
				if f.Severity != miner.Info {
					g.Severity = f.Severity
				}
				merged = true
			}
		}
		if !merged {
			p.r.Faults = append(p.r.Faults, f)
		}
	}
}

// stale tells whether an entry is history: of an earlier run of the miner, or
// long before the machine's last sign of life.
func (p *parser) stale(e entry) bool {
	if !dated(e.at) {
		return true // written before the clock was set, at some boot
	}
	if p.last.IsZero() {
		return false
	}
	if run, ok := p.r.MinerUptime.Get(); ok && e.at.Before(p.last.Add(-run-time.Minute)) {
		return true
	}
	return e.at.Before(p.last.Add(-recent))
}

// fault finds the neutral code. Braiins has published no list of its codes, so
// they are kept as told, and the words decide.
func (e entry) fault() miner.Fault {
	words := strings.ToLower(e.component + " " + e.reason + " " + e.text)
	code, severity := judge(words)
	if e.severity != "" && e.severity != miner.Critical {
		severity = e.severity
	}
	told := e.text
	if told == "" {
		told = e.reason
	} else if e.reason != "" && !strings.Contains(told, e.reason) {
		told += ": " + e.reason
	}
	return miner.NewFault(code, severity, e.slot(words), e.code, told)
}

// slot is the component's index from 0. Hash boards are numbered from 1, or from
// 6 on an S9.
func (e entry) slot(words string) int {
	n, board := e.index, strings.Contains(words, "hashboard") || strings.Contains(words, "hash board") || strings.Contains(words, "chain")
	if n < 0 {
		n = numberAfter(words, "hashboard ", "hash board ", "hashchain ", "hash chain ", "chain/", "chain ", "fan ")
	}
	switch {
	case n < 0 || n > 63:
		return -1
	case board && n >= 6 && n <= 8:
		return n - 6
	case board && n > 0:
		return n - 1
	}
	return n
}

func numberAfter(s string, marks ...string) int {
	for _, mark := range marks {
		if _, rest, ok := strings.Cut(s, mark); ok {
			n, any := 0, false
			for len(rest) > 0 && rest[0] >= '0' && rest[0] <= '9' && n < 1000 {
				n, any, rest = n*10+int(rest[0]-'0'), true, rest[1:]
			}
			if any {
				return n
			}
		}
	}
	return -1
}

// judge maps a complaint in BOS's words to a code and what it does to hashing.
func judge(words string) (miner.Code, miner.Severity) {
	has := func(any ...string) bool {
		for _, w := range any {
			if strings.Contains(words, w) {
				return true
			}
		}
		return false
	}
	switch {
	case has("resolve", "dns"):
		return miner.ControlNetwork, miner.Minor
	case has("psu", "power supply"):
		return judgePSU(has)
	case has("fan"):
		switch {
		case has("slow", "rpm", "speed"):
			return miner.FanSlow, miner.Major
		}
		return miner.FanMissing, miner.Critical
	case has("sensor"):
		return miner.SensorTemperature, miner.Minor
	case has("temperature", "overheat", "temp "):
		switch {
		case has("cold", "too low"):
			return miner.ThermalCold, miner.Critical
		case has("ambient", "inlet"):
			return miner.ThermalAmbient, miner.Major
		case has("chip"):
			return miner.ThermalChip, miner.Critical
		}
		return miner.ThermalBoard, miner.Critical
	case has("hashboard", "hash board", "hashchain", "hash chain", "chain ", "chain/", "chip"):
		return judgeBoard(has)
	case has("pool", "stratum"):
		return miner.ControlPool, miner.Major
	case has("tuner", "tuning", "profile"):
		return miner.AdvisoryTuning, miner.Minor
	case has("license", "licence", "restricted"):
		return miner.AdvisoryReduced, miner.Major
	case has("upgrade", "update", "firmware"):
		return miner.FirmwareUpdate, miner.Minor
	case has("config"):
		return miner.FirmwareConfig, miner.Minor
	case has("panic", "crash"):
		return miner.FirmwareCrash, miner.Major
	case has("memory", "storage", "disk", "flash"):
		return miner.ControlMemory, miner.Minor
	case has("ntp", "clock", "system time"):
		return miner.ControlClock, miner.Minor
	case has("network", "connect", "ethernet"):
		return miner.ControlNetwork, miner.Minor
	}
	return miner.FirmwareOther, miner.Minor
}

func judgePSU(has func(...string) bool) (miner.Code, miner.Severity) {
	switch {
	case has("fan"):
		return miner.PSUFan, miner.Critical
	case has("temperature", "overheat"):
		return miner.PSUOverTemperature, miner.Critical
	case has("overcurrent", "over current", "over-current"):
		return miner.PSUOverCurrent, miner.Critical
	case has("input", "mains"):
		return miner.PSUInputVoltage, miner.Critical
	case has("eeprom", "unsupported", "unknown"):
		return miner.PSUEEPROM, miner.Major
	case has("not detected", "missing", "communication", "no response"):
		return miner.PSUMissing, miner.Critical
	case has("voltage"):
		return miner.PSUOutputVoltage, miner.Critical
	case has("shut", "protect"):
		return miner.PSUShutdown, miner.Critical
	}
	return miner.PSUOther, miner.Major
}

func judgeBoard(has func(...string) bool) (miner.Code, miner.Severity) {
	switch {
	case has("eeprom"):
		return miner.BoardEEPROM, miner.Major
	case has("not detected", "not found", "missing board", "board missing", "not connected", "no hash board", "no hashboard"):
		return miner.BoardMissing, miner.Major
	case has("mismatch", "incompatible", "different type"):
		return miner.BoardMismatch, miner.Major
	case has("chip") && has("missing", "discovered", "expected", "only", "found", "fewer", "less"):
		return miner.ChipMissing, miner.Major
	case has("enumerat", "init", "start"):
		return miner.BoardInit, miner.Major
	case has("crc", "communication", "i2c"):
		return miner.ChipCRC, miner.Major
	case has("hardware error", "error rate"):
		return miner.ChipErrorRate, miner.Major
	case has("voltage"):
		return miner.RailVoltage, miner.Major
	case has("power"):
		return miner.RailPower, miner.Major
	case has("disabled"):
		return miner.BoardDisabled, miner.Major
	case has("low hash"):
		return miner.BoardLowHash, miner.Major
	case has("no hash", "not hash"):
		return miner.BoardNoHash, miner.Major
	case has("chip"):
		return miner.ChipFault, miner.Major
	}
	return miner.BoardOther, miner.Major
}
