package avalon

import (
	"math"
	"strconv"
	"strings"
	"time"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/unit"
)

// module is one machine text: the whole of an A10 and later, one of several
// boxes behind an A8's or A9's controller.
type module struct {
	where          string    // for warnings
	when           time.Time // of the reply, by the machine's clock; zero when it has none
	device, number int       // its place: the controller's device, and its "MM ID"
	fields         block
	used           []bool              // per field: read, or filed in per
	per            map[string][]string // numbered keys' values by board
	slots          int                 // boards that have texts of their own
	nested         bool                // boards' texts came in HBinfo
}

// newModule reads a machine text, classic ("Ver[..] ..") or nested
// ("'STATS':{Ver[..] ..}"). It is nil when there is nothing in it.
func newModule(where, text string, warn cgminer.Warn) *module {
	parts, closed := groups(text)
	m := &module{where: where}
	whole := true
	for _, g := range parts {
		if _, n := numbered(g.name); n >= 0 && strings.HasPrefix(g.name, "HB") {
			m.boardText(n, g.body)
			continue
		}
		b, ok := fields(g.body)
		whole = whole && ok
		m.fields = append(m.fields, b...)
	}
	if len(m.fields) == 0 {
		if strings.TrimSpace(text) != "" {
			warn(miner.WarnBroken, where, cgminer.Excerpt([]byte(text)))
		}
		return nil
	}
	if !whole || !closed && !strings.HasSuffix(strings.TrimSpace(text), "]") {
		warn(miner.WarnTruncated, where, "the text ends inside "+m.fields[len(m.fields)-1].key+" or after it")
	}
	m.used = make([]bool, len(m.fields))
	for i, f := range m.fields {
		if stem, n := numbered(f.key); n >= 0 && perBoard(stem) {
			m.used[i] = true
			m.file(stem, n, f.value)
		}
	}
	return m
}

// perBoard tells which numbered keys are lists of a board.
func perBoard(stem string) bool {
	switch stem {
	case "PVT_T", "PVT_V", "MW", "SF", "PLL", "ATABD", "ASICCRC", "ERATIO":
		return true
	}
	return false
}

// boardText reads one board's text of the nested form. Its keys are numbered by
// the board, or all 0.
func (m *module) boardText(board int, text string) {
	b, _ := fields(text)
	for _, f := range b {
		if stem, n := numbered(f.key); n >= 0 {
			m.file(stem, board, f.value)
		}
	}
	m.nested = true
}

func (m *module) file(stem string, board int, value string) {
	if m.per == nil {
		m.per = make(map[string][]string, 8)
	}
	row := m.per[stem]
	for len(row) <= board {
		row = append(row, "")
	}
	row[board] = value
	m.per[stem] = row
	if stem == "PVT_T" || stem == "MW" || stem == "PVT_V" {
		m.slots = max(m.slots, board+1)
	}
}

// of is what a numbered key says of one board.
func (m *module) of(stem string, board int) string {
	if row := m.per[stem]; board < len(row) {
		return row[board]
	}
	return ""
}

// get is the text of a key.
func (m *module) get(key string) string {
	for i := range m.fields {
		if m.fields[i].key == key {
			m.used[i] = true
			return m.fields[i].value
		}
	}
	return ""
}

// peek is get without having used it.
func (m *module) peek(key string) string {
	v, _ := m.fields.get(key)
	return v
}

// num is a single number.
func (m *module) num(key string) unit.Opt[float64] {
	if v, ok := number(m.get(key)); ok {
		return unit.Some(v)
	}
	return unit.None[float64]()
}

// list is a list of numbers, one for each board; a single one is a list too.
func (m *module) list(key string) []float64 { return numbers(m.get(key)) }

// rate is a hashrate in GH/s.
func (m *module) rate(warn cgminer.Warn, key string) unit.Opt[unit.Hashrate] {
	v, ok := m.num(key).Get()
	if !ok {
		return unit.None[unit.Hashrate]()
	}
	return m.gigahash(warn, key, v)
}

func (m *module) gigahash(warn cgminer.Warn, key string, v float64) unit.Opt[unit.Hashrate] {
	const most = 1e8 // GH/s: 100 PH/s in one machine
	if v < 0 || v > most {
		m.implausible(warn, key)
		return unit.None[unit.Hashrate]()
	}
	return unit.Some(unit.Hashrate(v / 1e3))
}

func (m *module) implausible(warn cgminer.Warn, key string) {
	warn(miner.WarnImplausible, m.where+"."+key, kept(m.get(key)))
}

// temp is a temperature; zero is told for a sensor that is off.
func (m *module) temp(warn cgminer.Warn, key string) unit.Opt[unit.Temperature] {
	return m.tempAt(warn, key, m.list(key), 0)
}

// tempAt is the i-th temperature of a list; zero is told for a sensor that is off.
func (m *module) tempAt(warn cgminer.Warn, key string, list []float64, i int) unit.Opt[unit.Temperature] {
	v, ok := at(list, i)
	if !ok || v == 0 {
		return unit.None[unit.Temperature]()
	}
	return cgminer.Temperature(warn, m.where+"."+key, v)
}

// at is the i-th of a list.
func at(list []float64, i int) (float64, bool) {
	if i >= len(list) || math.IsNaN(list[i]) {
		return 0, false
	}
	return list[i], true
}

// seconds is a duration in seconds.
func (m *module) seconds(key string) unit.Opt[time.Duration] {
	if v, ok := m.num(key).Get(); ok && v >= 0 && v < 1e9 {
		return unit.Some(time.Duration(v) * time.Second)
	}
	return unit.None[time.Duration]()
}

// work says what the module does, by its own words, else by what it shows.
func (m *module) work(now unit.Opt[unit.Hashrate]) miner.State {
	words, _, _ := strings.Cut(m.get("SYSTEMSTATU"), ",")
	state := m.get("STATE")
	switch {
	case strings.Contains(words, "In Work"), words == "" && state == "1":
		if rate, ok := now.Get(); !ok || rate > 0 {
			return miner.Hashing
		}
		if off, ok := m.num("SoftOFF").Get(); ok && off != 0 { // about to sleep
			return miner.Sleeping
		}
		return m.notYet()
	case strings.Contains(words, "In Init"), words == "" && state == "0":
		return miner.Starting
	case strings.Contains(words, "In Standby"):
		return miner.Sleeping
	case strings.Contains(words, "In Idle"), words == "" && state == "2":
		if m.toldOff() {
			return m.off()
		}
		return miner.Stopped
	case strings.Contains(words, "In Fault"), words == "" && state == "3":
		return miner.Stopped
	}
	if m.toldOff() {
		return miner.Sleeping
	}
	switch rate, ok := now.Get(); {
	case !ok:
		return miner.Unknown
	case rate > 0:
		return miner.Hashing
	}
	return m.notYet()
}

// off is the state of a machine that says it is off. SoftOFF 6 is told after a
// softoff, and for a while after a boot too (seen on a 1346).
func (m *module) off() miner.State {
	if m.get("SoftOFF") == "6" && m.young() {
		return miner.Starting
	}
	return miner.Sleeping
}

// starting is how long a machine may take from the start of its process to its
// first hashes.
const starting = 10 * time.Minute

// notYet tells a machine that does not hash because it has just started from
// one that should.
func (m *module) notYet() miner.State {
	if m.young() {
		return miner.Starting
	}
	return miner.Stopped
}

// young tells whether the machine has been started, or woken, just now.
func (m *module) young() bool {
	if up, ok := m.seconds("Elapsed").Get(); ok && up < starting {
		return true
	}
	on, ok := m.num("SoftOnTime").Get()
	since := m.when.Sub(time.Unix(int64(on), 0))
	return ok && on > 1e9 && !m.when.IsZero() && since >= 0 && since < starting
}

// speed is the present rate. A firmware of 2020 says GHSspd[0.00] while it
// hashes at its full power; then it has not said anything.
func (m *module) speed(warn cgminer.Warn) unit.Opt[unit.Hashrate] {
	now := m.rate(warn, "GHSspd")
	if v, ok := now.Get(); !ok || v > 0 || !strings.Contains(m.get("SYSTEMSTATU"), "In Work") {
		return now
	}
	ps := m.list("PS")
	out, ok1 := at(ps, psOutput)
	full, ok2 := m.num("MPO").Get()
	if ok1 && ok2 && full > 0 && out >= 0.7*full {
		warn(miner.WarnConflict, m.where+".GHSspd", "no hashrate at "+strconv.FormatFloat(out, 'f', -1, 64)+" W of output")
		return unit.None[unit.Hashrate]()
	}
	return now
}

// toldOff tells whether somebody switched the hashing off: SoftOFF keeps the
// reason of a softoff, and the A10's "hashpower,0" leaves no voltage at the
// boards and no error at the PSU.
func (m *module) toldOff() bool {
	if off, ok := m.num("SoftOFF").Get(); ok {
		return off != 0
	}
	ps := m.list("PS")
	failure, ok1 := at(ps, psError)
	volts, ok2 := at(ps, psHash)
	control, ok3 := at(ps, psControl)
	return ok1 && ok2 && ok3 && failure == 0 && volts < 100 && control > 500
}

// rest files what was not read under its own name.
func (m *module) rest(r *miner.Reading, prefix string) {
	const most = 256
	for i, f := range m.fields {
		if !m.used[i] && f.value != "" && len(f.value) <= most {
			extra(r, prefix+f.key, f.value)
		}
	}
}
