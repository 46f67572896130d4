package vnish

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/unit"
)

const (
	mostChains = 16
	mostPools  = 32
)

// summary is what changes with every poll. Hashrates are as told, in a unit that
// only info names.
type summary struct {
	told                  bool // it was one at all
	minerType             string
	status                status
	stateTime             unit.Opt[time.Duration]
	now, average, nominal unit.Opt[float64]
	nowOld, averageOld    unit.Opt[float64] // deprecated, in multiples of a thousand
	stock                 unit.Opt[float64]
	power                 unit.Opt[unit.Power]
	efficiency            unit.Opt[unit.Efficiency]
	pcb, chip             unit.Opt[unit.Temperature]
	chains                []chain
	fans                  []miner.Fan
	lostFans              []int
	duty                  unit.Opt[unit.Ratio]
	immersed              bool
	pools                 []pool
	hwErrors, blocks      unit.Opt[int64]
	hwErrorRatio          unit.Opt[unit.Ratio]
	bestShare             unit.Opt[float64]
	metering              unit.Opt[bool]
	psuTemps              []unit.Opt[unit.Temperature]
	extras                extras
}

type chain struct {
	id                 int
	state, description string
	rate, ideal        unit.Opt[float64]
	frequency          unit.Opt[unit.Frequency]
	voltage            unit.Opt[unit.Voltage]
	power              unit.Opt[unit.Power]
	hwErrors           unit.Opt[int64]
	errorRatio         unit.Opt[unit.Ratio]
	pcbMax             unit.Opt[unit.Temperature]
	chipMin, chipMax   unit.Opt[unit.Temperature]
	waterIn, waterOut  unit.Opt[unit.Temperature]
}

type pool struct {
	miner.Pool
	kind      string // "UserPool", "DevFee", "Refund"
	lastWords string
}

func readSummary(o cgminer.Object, warn cgminer.Warn) *summary {
	s := &summary{told: o.Has("miner")}
	m := o.Object("miner")
	if m.Empty() {
		return s // {"miner":null}: the mining process does not run
	}
	s.minerType = m.Text("miner_type")
	st := m.Object("miner_status")
	s.status = *readStatus(st)
	s.stateTime = st.Seconds("miner_state_time")
	s.extras.add("throttled", st.Text("throttled"))

	s.now, s.average, s.nominal = m.Float("hr_realtime"), m.Float("hr_average"), m.Float("hr_nominal")
	s.nowOld, s.averageOld = m.Float("instant_hashrate"), m.Float("average_hashrate")
	s.stock = m.Float("hr_stock")
	s.power = m.Power(warn, "power_consumption")
	if !s.power.Ok() && m.Float("power_usage").Or(0) > 200 { // before it meant J/TH it meant W
		s.power = m.Power(warn, "power_usage")
	}
	if e, ok := m.Float("power_efficiency").Get(); ok && e > 0 && e < 1000 {
		s.efficiency = unit.Some(unit.Efficiency(e))
	}
	s.pcb, s.chip = hot(warn, m, "pcb_temp", "max"), hot(warn, m, "chip_temp", "max")
	s.hwErrors, s.blocks = m.Count("hw_errors"), m.Count("found_blocks")
	if p, ok := m.Float("hw_errors_percent").Get(); ok && p >= 0 && p <= 100 {
		s.hwErrorRatio = unit.Some(unit.Ratio(p / 100))
	}
	if b, ok := m.Float("best_share").Get(); ok && b > 0 {
		s.bestShare = unit.Some(b)
	}
	s.extras.addAll(m, "hr_stock", "hr_error", "devfee", "devfee_percent", "restart_count")
	s.readCooling(m.Object("cooling"), warn)
	for _, c := range m.List("chains", "boards") {
		s.readChain(c, warn)
	}
	for i, p := range m.List("pools") {
		if i < mostPools {
			s.readPool(p)
		}
	}
	psu := m.Object("psu")
	s.metering = psu.Bool("psu_power_metering")
	temps := psu.Object("temps")
	for _, k := range []string{"pfc_temp", "llc1_temp", "llc2_temp"} {
		s.psuTemps = append(s.psuTemps, warm(warn, temps, k))
		s.extras.add("psu "+k, temps.Text(k))
	}
	return s
}

// warm is a temperature where 0 is a sensor that does not answer.
func warm(warn cgminer.Warn, o cgminer.Object, key string) unit.Opt[unit.Temperature] {
	if o.Float(key).Or(0) == 0 {
		return unit.None[unit.Temperature]()
	}
	return o.Temperature(warn, key)
}

func hot(warn cgminer.Warn, o cgminer.Object, key, end string) unit.Opt[unit.Temperature] {
	return warm(warn, o.Object(key), end)
}

func (s *summary) readCooling(o cgminer.Object, warn cgminer.Warn) {
	if d, ok := o.Float("fan_duty").Get(); ok && d >= 0 && d <= 100 {
		s.duty = unit.Some(unit.Ratio(d / 100))
	}
	mode := o.Object("settings").Object("mode")
	name := mode.Text("name")
	if name == "" {
		name = o.Object("settings").Text("mode")
	}
	s.immersed = strings.HasPrefix(name, "immers")
	s.extras.add("fan mode", name)
	s.extras.add("fan mode param", mode.Text("param"))
	s.extras.addAll(o, "fan_num", "min_startup_water_temp")
	for i, f := range o.List("fans") {
		if i >= 64 || !f.Float("rpm").Ok() {
			continue
		}
		fan := miner.Fan{Index: i, Speed: f.Speed(warn, "rpm")}
		if f.Text("status") == "lost" {
			s.lostFans = append(s.lostFans, i)
		}
		s.extras.add("fan "+strconv.Itoa(i)+" max_rpm", f.Text("max_rpm"))
		s.fans = append(s.fans, fan)
	}
}

func (s *summary) readChain(o cgminer.Object, warn cgminer.Warn) {
	id, ok := o.Count("id").Get()
	if !ok || id >= mostChains {
		return
	}
	st := o.Object("status")
	c := chain{id: int(id), state: st.Text("state"), description: st.Text("description", "failure_message")}
	c.rate, c.ideal = o.Float("hashrate_rt", "hr_realtime"), o.Float("hashrate_ideal", "hr_nominal")
	off := c.state == "disabled" || c.state == "disconnected" || c.state == "stopped"
	if f, ok := o.Float("frequency", "freq").Get(); ok && f > 0 && f < 5000 {
		c.frequency = unit.Some(unit.Frequency(f) * unit.Megahertz)
	}
	if mv, ok := o.Float("voltage").Get(); ok && mv > 0 {
		if mv < 100_000 {
			c.voltage = unit.Some(unit.Voltage(mv / 1e3))
		} else {
			warn(miner.WarnImplausible, "summary.chains.voltage", o.Text("voltage"))
		}
	}
	if w, ok := o.Power(warn, "power_consumption").Get(); ok && (w > 0 || !off) {
		c.power = unit.Some(w)
	}
	c.hwErrors = o.Count("hw_errors")
	if c.state == "disconnected" || c.state == "disabled" { // its sensors are off with it
		warn = func(miner.WarningKind, string, string) {}
	}
	c.pcbMax, c.chipMin, c.chipMax = hot(warn, o, "pcb_temp", "max"), hot(warn, o, "chip_temp", "min"), hot(warn, o, "chip_temp", "max")
	c.waterIn, c.waterOut = warm(warn, o, "inlet_water_temp"), warm(warn, o, "outlet_water_temp")
	prefix := "chain " + strconv.FormatInt(id, 10) + " "
	s.extras.add(prefix+"hr_error", o.Text("hr_error"))
	s.extras.add(prefix+"hashrate_percentage", o.Text("hashrate_percentage"))
	s.extras.add(prefix+"pcb_temp min", o.Object("pcb_temp").Text("min"))
	grades := o.Object("chip_statuses")
	for _, k := range []string{"red", "orange", "grey"} {
		s.extras.add(prefix+"chips "+k, grades.Text(k))
	}
	s.chains = append(s.chains, c)
}

func (s *summary) readPool(o cgminer.Object) {
	p := pool{kind: o.Text("pool_type"), lastWords: o.Text("ls_time")}
	p.URL, p.User, p.Status = o.Text("url"), o.Text("user"), o.Text("status")
	p.Accepted, p.Rejected, p.Stale = o.Count("accepted"), o.Count("rejected"), o.Count("stale")
	if d, ok := o.Scaled("diff").Get(); ok && d > 0 {
		p.Difficulty = unit.Some(d)
	}
	if id, ok := o.Count("id").Get(); ok && id < mostPools {
		p.Priority = unit.Some(int(id))
	}
	prefix := "pool " + strconv.Itoa(len(s.pools)) + " "
	for _, k := range []string{"ping", "asic_boost", "diffa", "ls_diff"} {
		s.extras.add(prefix+k, o.Text(k))
	}
	s.pools = append(s.pools, p)
}

// chainChips are one chain's chips, condensed.
type chainChips struct {
	state          string
	serial         string
	answer, listed int
	rate, nominal  unit.Opt[float64]
	frequency      unit.Opt[unit.Frequency]
	summary        unit.Opt[miner.ChipSummary]
}

func readChains(root gjson.Result) map[int]chainChips {
	if !root.IsArray() {
		return nil
	}
	var out map[int]chainChips
	root.ForEach(func(_, v gjson.Result) bool {
		if id := v.Get("id"); id.Type == gjson.Number && id.Num >= 0 && id.Num < mostChains && v.Get("chips").IsArray() {
			if out == nil {
				out = map[int]chainChips{}
			}
			out[int(id.Num)] = readChainChips(v)
		}
		return true
	})
	return out
}

func readChainChips(v gjson.Result) chainChips {
	const most = 2000
	c := chainChips{state: strings.Clone(v.Get("status.state").String()), serial: strings.Clone(v.Get("serial").String())}
	if r := v.Get("hr_realtime"); r.Exists() {
		c.rate = unit.Some(r.Float())
	}
	if r := v.Get("hr_nominal"); r.Exists() {
		c.nominal = unit.Some(r.Float())
	}
	if f := v.Get("freq").Float(); f > 0 && f < 5000 {
		c.frequency = unit.Some(unit.Frequency(f) * unit.Megahertz)
	}
	var chips miner.Chips
	temps, volts, freqs := 0, 0, 0
	v.Get("chips").ForEach(func(_, chip gjson.Result) bool {
		c.listed++
		rate, temp, volt, freq, errs := math.NaN(), math.NaN(), math.NaN(), math.NaN(), int64(0)
		chip.ForEach(func(k, x gjson.Result) bool {
			switch k.Str {
			case "hr", "hashrate":
				if x.Type == gjson.Number && x.Num >= 0 && x.Num < 1e6 {
					rate = x.Num / 1e3
				}
			case "temp":
				if x.Num != 0 && x.Num > -60 && x.Num < 200 {
					temp, temps = x.Num, temps+1
				}
			case "volt":
				if x.Num > 0 && x.Num < 100_000 {
					volt, volts = x.Num/1e3, volts+1
				}
			case "freq":
				if x.Num > 0 && x.Num < 5000 {
					freq, freqs = x.Num*1e6, freqs+1
				}
			case "errs", "errors":
				if x.Num > 0 && x.Num < 1e15 {
					errs = int64(x.Num)
				}
			}
			return true
		})
		if rate > 0 {
			c.answer++
		}
		chips.Hashrates = append(chips.Hashrates, unit.Hashrate(rate))
		chips.Temps = append(chips.Temps, unit.Temperature(temp))
		chips.Voltages = append(chips.Voltages, unit.Voltage(volt))
		chips.Frequencies = append(chips.Frequencies, unit.Frequency(freq))
		chips.Errors = append(chips.Errors, errs)
		return c.listed < most
	})
	if temps == 0 {
		chips.Temps = nil
	}
	if volts == 0 {
		chips.Voltages = nil
	}
	if freqs == 0 {
		chips.Frequencies = nil
	}
	if c.listed > 0 {
		c.summary = miner.SummarizeChips(chips)
	}
	return c
}
