package braiins

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"ballast/miner"
	"ballast/sim"
	"ballast/unit"
)

// What the public API tells, put together once for REST's JSON and gRPC's
// protobuf.

// window is one averaging window of the hashrate, in the order of the API.
type window struct {
	name string
	rate unit.Hashrate
}

// windows are the ten windows. What the simulator does not average over is
// taken from its neighbours.
func windows(s *sim.Snapshot, share float64) [10]window {
	f := unit.Hashrate(share)
	return [10]window{
		{"last_5s", s.Hashrate5s * f}, {"last_15s", (2*s.Hashrate5s + s.Hashrate1m) / 3 * f}, {"last_30s", (s.Hashrate5s + s.Hashrate1m) / 2 * f},
		{"last_1m", s.Hashrate1m * f}, {"last_5m", (s.Hashrate1m + s.Hashrate15m) / 2 * f}, {"last_15m", s.Hashrate15m * f},
		{"last_30m", s.Hashrate30m * f}, {"last_1h", (s.Hashrate30m + s.HashrateAvg) / 2 * f},
		{"last_24h", s.HashrateAvg * f}, {"since_restart", s.HashrateAvg * f},
	}
}

// solver is WorkSolverStats, of the machine or of a board.
type solver struct {
	windows [10]window
	nominal unit.Hashrate
	errors  float64 // MH/s that came to nothing
	blocks  int64
	best    int64
}

// hashesPerError is what one hardware error wasted, in MH: a nonce of
// difficulty 1.
const hashesPerError = 4294.967296

func machineSolver(s *sim.Snapshot) solver {
	return solver{windows: windows(s, 1), nominal: s.HashrateNominal, errors: errorRate(s.HWErrors, s.MinerUptime), best: int64(s.BestShare)}
}

func boardSolver(s *sim.Snapshot, i int) solver {
	b := &s.Boards[i]
	total := unit.Hashrate(0)
	for k := range s.Boards {
		total += s.Boards[k].Hashrate
	}
	share := 0.0
	if total > 0 {
		share = float64(b.Hashrate / total)
	}
	w := solver{windows: windows(s, share), nominal: b.HashrateNominal, errors: errorRate(b.HWErrors, s.MinerUptime), best: int64(s.BestShare / float64(i+1))}
	w.windows[0].rate = b.Hashrate
	return w
}

func errorRate(n int64, over time.Duration) float64 {
	if over < time.Second {
		return 0
	}
	return float64(n) * hashesPerError / over.Seconds()
}

// heat is a board's temperatures as Braiins OS condenses its sensors.
type heat struct {
	board, chip, inlet, outlet unit.Opt[unit.Temperature]
	sensor                     int // of the hottest chip
}

func heatOf(b *sim.BoardSnapshot) (h heat) {
	if !b.Enabled {
		return h
	}
	for k, t := range b.PCB {
		v, ok := t.Get()
		if !ok {
			continue
		}
		if v > h.board.Or(-300) {
			h.board = t
		}
		if k%2 == 0 && v < h.inlet.Or(1000) {
			h.inlet = t
		}
		if k%2 == 1 && v > h.outlet.Or(-300) {
			h.outlet = t
		}
	}
	for k, t := range b.Chip {
		if v, ok := t.Get(); ok && v > h.chip.Or(-300) {
			h.chip, h.sensor = t, k+1
		}
	}
	return h
}

// hottest is the hottest sensor of all boards.
func hottest(s *sim.Snapshot) unit.Opt[unit.Temperature] {
	out := unit.None[unit.Temperature]()
	for i := range s.Boards {
		if t, ok := heatOf(&s.Boards[i]).chip.Get(); ok && t > out.Or(-300) {
			out = unit.Some(t)
		}
	}
	return out
}

// brand is a MinerBrand.
func brand(m miner.Model) int64 {
	switch m.Make {
	case "Bitmain":
		return 1
	case "MicroBT":
		return 2
	}
	return 0
}

// uid is the machine's identity of 16 letters.
func (m *machine) uid() string {
	s := m.rig.Spec()
	return fmt.Sprintf("%016X", s.Seed*0x9e3779b97f4a7c15+1)
}

func (m *machine) hostname() string {
	s := m.rig.Spec()
	if s.Hostname != "" {
		return s.Hostname
	}
	tail := strings.ReplaceAll(s.MAC, ":", "")
	if len(tail) > 6 {
		tail = tail[len(tail)-6:]
	}
	return "miner-" + strings.ToLower(tail)
}

// boardID is a board's number as text.
func (m *machine) boardID(i int) string { return strconv.Itoa(m.firstBoard() + i) }

// boardIndex is the slot that an id names.
func (m *machine) boardIndex(id string) (int, bool) {
	n, err := strconv.Atoi(id)
	i := n - m.firstBoard()
	return i, err == nil && i >= 0 && i < m.rig.Spec().Model.Boards
}

// logEntry is a MinerError.
type logEntry struct {
	at              time.Time
	message         string
	component       string
	index           int64
	severe, present bool
}

// errorLog is the machine's error log.
func (m *machine) errorLog(s *sim.Snapshot) []logEntry {
	out := make([]logEntry, 0, len(s.Faults))
	for _, f := range s.Faults {
		e := logEntry{at: f.Since, present: true, severe: f.Severity == miner.Critical}
		if e.at.IsZero() {
			e.at = s.Now
		}
		e.message, e.component = m.phrase(f)
		e.index = int64(max(f.Index, 0))
		if e.component == "hashboard" {
			e.index += int64(m.firstBoard())
		}
		out = append(out, e)
	}
	return out
}

// phrases are the complaints in Braiins OS's manner, by neutral code. %s is the
// board or the fan.
var phrases = map[miner.Code]string{
	miner.PSUMissing:         "PSU: communication lost",
	miner.PSUInputVoltage:    "PSU: input voltage out of range",
	miner.PSUOutputVoltage:   "PSU: cannot hold the set voltage",
	miner.PSUOverCurrent:     "PSU: overcurrent",
	miner.PSUOverTemperature: "PSU: overheated",
	miner.PSUFan:             "PSU: fan failure",
	miner.PSUShutdown:        "PSU: protective shutdown",
	miner.ThermalChip:        "Chip temperature of hashboard %s is above the dangerous limit",
	miner.ThermalBoard:       "Temperature of hashboard %s is above the hot limit",
	miner.ThermalAmbient:     "Ambient temperature is too high",
	miner.ThermalCold:        "Temperature is too low to start",
	miner.FanMissing:         "Fan %s does not rotate",
	miner.FanSlow:            "Fan %s is slow: RPM below target",
	miner.BoardMissing:       "Hashboard %s not detected",
	miner.BoardEEPROM:        "Hashboard %s: cannot read EEPROM",
	miner.BoardNoHash:        "Hashboard %s: no hash rate",
	miner.BoardLowHash:       "Hashboard %s: low hash rate",
	miner.BoardInit:          "Hashboard %s: initialization failed",
	miner.ChipMissing:        "Hashboard %s: discovered fewer chips than expected",
	miner.ChipFault:          "Hashboard %s: chip does not respond",
	miner.ChipCRC:            "Hashboard %s: CRC errors on the chain",
	miner.ChipErrorRate:      "Hashboard %s: hardware error rate above the limit",
	miner.RailVoltage:        "Hashboard %s: voltage drop on a domain",
	miner.SensorTemperature:  "Temperature sensor of hashboard %s does not answer",
	miner.ControlPool:        "All pools are unreachable",
	miner.ControlNetwork:     "Failed to resolve (\"pool.example\", 3333)",
	miner.AdvisoryTuning:     "Tuner: tuning failed",
	miner.AdvisoryReduced:    "Dynamic performance scaling: lowered the target of the tuner",
}

// phrase says a complaint in the firmware's words.
func (m *machine) phrase(f miner.Fault) (message, component string) {
	words, ok := phrases[f.Code]
	if !ok {
		words = f.Text
	}
	where := ""
	switch f.Code.Group() {
	case "board", "rail", "sensor":
		component, where = "hashboard", m.boardID(max(f.Index, 0))
	case "psu":
		component = "psu"
	case "thermal":
		component, where = "hashboard", m.boardID(max(f.Index, 0))
		if f.Code >= miner.FanMissing && f.Code < miner.CoolantFlow {
			component, where = "fan", strconv.Itoa(max(f.Index, 0))
		}
	default:
		component = "control_board"
	}
	if strings.Contains(words, "%s") {
		words = fmt.Sprintf(words, where)
	}
	return words, component
}

// apiVersion is the public API's version over gRPC, by release (README of the
// public API).
func (r release) apiVersion() (minor int64, pre string) {
	switch {
	case r.before(23, 4):
		return 0, "alpha.0"
	case r.before(23, 5):
		return 0, "beta.0"
	case r.before(23, 8):
		return 0, "beta.1"
	case r.before(23, 10):
		return 0, "beta.2"
	case r.before(23, 11):
		return 0, "beta.4"
	case r.before(24, 2):
		return 0, "beta.5"
	case r.before(24, 3):
		return 0, "beta.6"
	}
	for i, since := range []release{{24, 4}, {24, 6}, {24, 9}, {25, 1}, {25, 3}, {25, 5}, {25, 7}, {25, 11}, {26, 1}, {26, 4}, {26, 5}} {
		if r.before(since.year, since.month) {
			return int64(i), ""
		}
	}
	return 11, ""
}

// restVersion is the public API's version over REST, which is counted apart.
func (r release) restVersion() int64 {
	switch {
	case r.before(25, 11):
		return 0
	case r.before(26, 1):
		return 1
	case r.before(26, 4):
		return 2
	}
	return 3
}
