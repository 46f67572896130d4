package luxos

import (
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/unit"
)

// fast is what changes from poll to poll.
type fast struct {
	summary, power, config cgminer.Object
	devs, pools            cgminer.Reply
	temps, fans, events    cgminer.Reply
}

// take files a reply by its section, and says whether it had one of these.
func (f *fast) take(part cgminer.Reply) bool {
	known := false
	for _, field := range part.Root().Fields() {
		was := known
		known = true
		switch field.Key {
		case "SUMMARY":
			f.summary = part.First("SUMMARY")
		case "CONFIG":
			f.config = part.First("CONFIG")
		case "POWER":
			f.power = part.First("POWER")
		case "DEVS":
			f.devs = part
		case "POOLS":
			f.pools = part
		case "TEMPS":
			f.temps = part
		case "FANS":
			f.fans = part
		case "EVENTS":
			f.events = part
		default:
			known = was
		}
	}
	return known
}

// slow is what is asked seldom, read: per-chip replies are large, and reading
// them at every poll would cost more than all the rest.
type slow struct {
	version  cgminer.Reply
	chips    map[int]chipBoard
	volts    map[int]unit.Voltage
	chains   []chain // by board
	ideal    unit.Opt[unit.Hashrate]
	profiles []miner.Step
	target   powerTarget
	extra    map[string]string
	warnings []miner.Warning

	told  string // what model was looked up as
	model miner.Model
}

// chain is what stats tells of a board under Bitmain's names.
type chain struct {
	chips     unit.Opt[int]
	frequency unit.Opt[unit.Frequency]
	errors    unit.Opt[int64]
	hottest   unit.Opt[unit.Temperature] // where it differs from the board's
}

// powerTarget is the range that limits gives.
type powerTarget struct {
	low, high unit.Opt[unit.Power]
}

// take reads a reply by its section, and says whether it had one of these.
func (s *slow) take(part cgminer.Reply) bool {
	var r miner.Reading // gathers warnings and extras
	known := true
	switch {
	case part.Has("VERSION"):
		s.version = part
	case part.Has("PROFILES"):
		s.profiles = readProfiles(&r, part)
	case part.Has("CHIPS"):
		s.takeChips(&r, part)
	case part.Has("VOLTAGE"):
		s.takeVoltage(&r, part)
	case part.Has("STATS"):
		s.takeStats(&r, part)
	case part.Has("LIMITS"):
		o := part.First("LIMITS")
		s.target = powerTarget{o.Power(r.Warn, "PowerTargetMin"), o.Power(r.Warn, "PowerTargetMax")}
		o.Rest(&r, "limits.")
	default:
		known = s.takeOther(&r, part)
	}
	s.warnings = append(s.warnings, r.Warnings...)
	if len(r.Extra) > 0 {
		if s.extra == nil {
			s.extra = map[string]string{}
		}
		maps.Copy(s.extra, r.Extra)
	}
	return known
}

// takeOther files what has no field of its own.
func (s *slow) takeOther(r *miner.Reading, part cgminer.Reply) bool {
	known := false
	for _, section := range []string{"ATM", "TUNERSTATUS", "TUNER", "GROUPS", "DEVDETAILS", "TEMPCTRL", "SESSION", "COIN", "HEALTHCTRL", "POOLOPTS", "AUTOTUNE", "AUTOTUNER"} {
		if !part.Has(section) {
			continue
		}
		known = true
		if section == "SESSION" { // an ID is nobody's business
			continue
		}
		for i, o := range part.Section(section) {
			prefix := strings.ToLower(section) + "."
			if i > 0 {
				prefix += strconv.Itoa(i) + "."
			}
			o.Rest(r, prefix)
		}
	}
	return known
}

func (s *slow) takeVoltage(r *miner.Reading, part cgminer.Reply) {
	const most = 100
	for _, o := range part.Section("VOLTAGE") {
		board, ok1 := o.Count("Board").Get()
		v, ok2 := o.Float("Voltage").Get()
		switch {
		case !ok1 || !ok2 || v == 0:
		case v < 0 || v > most:
			r.Warn(miner.WarnImplausible, part.Name+".Voltage", o.Text("Voltage"))
		case board < mostBoards:
			if s.volts == nil {
				s.volts = map[int]unit.Voltage{}
			}
			s.volts[int(board)] = unit.Voltage(v)
		}
	}
}

// mostBoards bounds board numbers from outside.
const mostBoards = 16

// takeStats reads the chains of stats, which are numbered from 1 in the order of
// the boards' IDs. An empty connector tells zeros.
func (s *slow) takeStats(r *miner.Reading, part cgminer.Reply) {
	s.chains = nil
	for _, o := range part.Section("STATS") {
		for n := 1; n <= mostBoards; n++ {
			number := strconv.Itoa(n)
			count, ok := o.Count("chain_acn" + number).Get()
			if !ok {
				if n == 1 {
					continue
				}
				break
			}
			c := chain{}
			pcb, chip := o.Floats("temp_pcb"+number), o.Floats("temp_chip"+number)
			o.Use("temp"+number, "temp2_"+number, "temp_pic"+number, "fan"+number, "chain_rate"+number)
			if count > 0 && count < 10000 {
				c.chips = unit.Some(int(count))
				c.frequency = o.Frequency(r.Warn, "freq"+number)
				c.errors = o.Count("chain_hw" + number)
				if len(chip) > 0 && !slices.EqualFunc(pcb, chip, sameNumber) {
					c.hottest = cgminer.Temperature(r.Warn, part.Name+".temp_chip"+number, slices.Max(chip))
				}
			}
			o.Use("freq"+number, "chain_hw"+number)
			s.chains = append(s.chains, c)
		}
		s.ideal = o.Hashrate(r.Warn, unit.GHs, "total_rateideal").OrElse(s.ideal)
		o.Use("Calls", "Wait", "Max", "Min", "STATS", "ID", "Elapsed", "GHS 5s", "GHS av")
		o.Rest(r, "stats.")
	}
}

func sameNumber(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }
