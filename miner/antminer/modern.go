package antminer

import (
	"strconv"
	"strings"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/unit"
)

// readModern reads stats and summary in the web interface's form.
func (p *parser) readModern() {
	if !p.statsNew.Empty() {
		p.readStats(p.statsNew)
	}
	if o := p.summaryNew; !o.Empty() {
		p.readTotals(o)
		p.r.HWErrors = o.Count("hw_all").OrElse(p.r.HWErrors)
		if v, ok := o.Scaled("bestshare").Get(); ok && v >= 0 {
			p.r.BestShare = unit.Some(v)
		}
		p.readStatus(o)
		o.Rest(&p.r, "")
	}
}

// readTotals reads what stats and summary have in common.
func (p *parser) readTotals(o cgminer.Object) {
	r := &p.r
	one := cgminer.RateUnit(o.Text("rate_unit"), unit.GHs)
	r.MinerUptime = o.Seconds("elapsed").OrElse(r.MinerUptime)
	r.HashrateNow = o.Hashrate(r.Warn, one, "rate_5s").OrElse(r.HashrateNow)
	r.HashrateAverage = o.Hashrate(r.Warn, one, "rate_avg", "rate_30m").OrElse(r.HashrateAverage)
	o.Use("rate_30m")
	if v := o.Hashrate(r.Warn, one, "rate_ideal"); v.Or(0) > 0 {
		r.HashrateNominal = v
	}
	if v := o.Int("miner-mode", "miner_mode", "bitmain-work-mode"); v.Ok() {
		p.mode, p.modeFrom = v, o.Where()+".miner-mode"
	}
	if w := o.Power(r.Warn, "power", "Power", "watt"); w.Or(0) > 0 {
		r.Power, r.PowerSource = w, miner.PowerPSU
	}
}

func (p *parser) readStats(o cgminer.Object) {
	r := &p.r
	p.readTotals(o)
	r.HWErrorRatio = o.Percent("hwp_total") // the web interface shows it with a % sign
	for i, rpm := range o.Floats("fan") {
		if rpm == rpm { // not NaN
			r.Fans = append(r.Fans, miner.Fan{Index: i, Speed: speed(r, o.Where()+".fan", rpm)})
		}
	}
	if duty := o.Percent("fan_pwm", "fan_duty"); duty.Ok() {
		r.FanDuty = duty
	}
	one := cgminer.RateUnit(o.Text("rate_unit"), unit.GHs)
	chains := o.List("chain")
	idle := true
	for _, c := range chains {
		idle = idle && c.Count("asic_num").Or(0) == 0
	}
	var hw int64
	for i, c := range chains {
		hw += p.readChain(c, i, one, idle)
	}
	if len(chains) > 0 {
		r.HWErrors = unit.Some(hw)
		if !idle {
			p.missBoards()
		}
		p.readWater()
	}
	if psu := o.Object("psu"); !psu.Empty() {
		p.readPSU(psu)
	}
	o.Use("chain_num", "fan_num")
	o.Rest(r, "stats.")
}

func speed(r *miner.Reading, where string, rpm float64) unit.Opt[unit.Speed] {
	const fastest = 60000
	if rpm >= 0 && rpm < fastest {
		return unit.Some(unit.Speed(rpm))
	}
	r.Warn(miner.WarnImplausible, where, strconv.FormatFloat(rpm, 'g', -1, 64))
	return unit.None[unit.Speed]()
}

// readChain reads one board and returns its hardware errors.
func (p *parser) readChain(o cgminer.Object, position int, one unit.Hashrate, idle bool) int64 {
	r := &p.r
	index := int(o.Count("index").Or(int64(position)))
	if index > 31 {
		r.Warn(miner.WarnImplausible, o.Where()+".index", strconv.Itoa(index))
		index = position
	}
	b := cgminer.BoardAt(r, index)
	b.Serial = o.Text("sn")
	b.ChipType = p.model.ChipType
	eeprom := o.Bool("eeprom_loaded")
	if n, ok := o.Count("asic_num").Get(); ok && n < 1e5 && !idle {
		b.Chips = unit.Some(int(n))
		b.Present = unit.Some(n > 0 || b.Serial != "" || eeprom.Or(false))
	}
	if p.model.Chips > 0 {
		b.ChipsExpected = unit.Some(p.model.Chips)
	}
	if !eeprom.Or(true) && b.Present.Or(true) {
		r.Faults = append(r.Faults, miner.NewFault(miner.BoardEEPROM, miner.Major, index, "eeprom_loaded=false", "the board's EEPROM was not read"))
	}
	b.Hashrate = o.Hashrate(r.Warn, one, "rate_real")
	if v := o.Hashrate(r.Warn, one, "rate_ideal"); v.Or(0) > 0 {
		b.HashrateNominal = v
	}
	if v := o.Frequency(r.Warn, "freq_avg"); v.Or(0) > 0 {
		b.Frequency = v
	}
	b.HWErrors = o.Count("hw")
	b.HWErrorRatio = o.Percent("hwp")
	p.readTemps(o, b)
	o.Rest(r, "chain"+strconv.Itoa(index)+".")
	return b.HWErrors.Or(0)
}

// readTemps reads a board's sensors. On hydro models pcb 0 and 2 are in the
// coolant and pic 0 stands for the chips (pyasic, S21+ Hyd).
func (p *parser) readTemps(o cgminer.Object, b *miner.Board) {
	warn, where := p.r.Warn, o.Where()
	pic, pcb, chip := o.Floats("temp_pic"), o.Floats("temp_pcb"), o.Floats("temp_chip")
	read := func(name string, v ...float64) cgminer.Sensors { return cgminer.ReadSensors(warn, where+"."+name, v) }
	chips := read("temp_chip", chip...)
	board := read("temp_pcb", pcb...)
	if p.model.Cooling == miner.Hydro && len(pcb) == 4 {
		b.TempInlet, b.TempOutlet = read("temp_pcb", pcb[0]).Max(), read("temp_pcb", pcb[2]).Max()
		board = read("temp_pcb", pcb[1], pcb[3])
		if !chips.Max().Ok() && len(pic) == 4 {
			chips = read("temp_pic", pic[0])
			board = read("temp_pcb", pcb[1], pcb[3], pic[1], pic[2], pic[3])
		}
	}
	b.TempBoard = board.Max()
	b.TempChipMax, b.TempChipMean, b.TempChipMin = chips.Max(), chips.Mean(), chips.Min()
	if text := dashed(pic); text != "" {
		p.extra("chain"+strconv.Itoa(b.Index)+".temp_pic", text)
	}
}

// dashed writes numbers as the old form does: "40-42-45-47".
func dashed(v []float64) string {
	parts := make([]string, 0, len(v))
	some := false
	for _, x := range v {
		some = some || x != 0 && x == x
		parts = append(parts, strconv.FormatFloat(x, 'f', -1, 64))
	}
	if !some {
		return ""
	}
	return strings.Join(parts, "-")
}

func (p *parser) extra(key, value string) {
	if value == "" {
		return
	}
	if p.r.Extra == nil {
		p.r.Extra = map[string]string{}
	}
	p.r.Extra[key] = value
}

// missBoards adds the boards that should be there and are not listed.
func (p *parser) missBoards() {
	for i := range p.model.Boards {
		if b := cgminer.BoardAt(&p.r, i); *b == (miner.Board{Index: i}) {
			b.Present, b.ChipsExpected, b.ChipType = unit.Some(false), unit.None[int](), p.model.ChipType
		}
	}
}

// readWater makes the machine's coolant temperatures from its boards': they are
// in one loop, so the mean is its best estimate.
func (p *parser) readWater() {
	mean := func(of func(miner.Board) unit.Opt[unit.Temperature]) unit.Opt[unit.Temperature] {
		sum, n := unit.Temperature(0), 0
		for _, b := range p.r.Boards {
			if v, ok := of(b).Get(); ok {
				sum += v
				n++
			}
		}
		if n == 0 {
			return unit.None[unit.Temperature]()
		}
		return unit.Some(sum / unit.Temperature(n))
	}
	if p.model.Cooling == miner.Hydro {
		p.r.TempInlet = mean(func(b miner.Board) unit.Opt[unit.Temperature] { return b.TempInlet })
		p.r.TempOutlet = mean(func(b miner.Board) unit.Opt[unit.Temperature] { return b.TempOutlet })
	}
}

func (p *parser) readPSU(o cgminer.Object) {
	psu := miner.PSU{
		Index:  int(o.Count("index").Or(0)),
		Status: o.Text("status"),
		Model:  o.Text("model", "type"),
		Serial: o.Text("sn", "serial"),
	}
	psu.Version = o.Text("version", "fw_version")
	psu.Temp = o.Temperature(p.r.Warn, "temp", "temperature")
	psu.PowerIn = o.Power(p.r.Warn, "power", "power_in", "pin")
	if psu.PowerIn.Or(0) > 0 && !p.r.Power.Ok() {
		p.r.Power, p.r.PowerSource = psu.PowerIn, miner.PowerPSU
	}
	p.r.PSUs = append(p.r.PSUs, psu)
	switch strings.ToLower(psu.Status) {
	case "", "ok", "normal", "on", "s", "0", "0x0", "off":
	default:
		p.r.Faults = append(p.r.Faults, miner.NewFault(miner.PSUOther, miner.Major, psu.Index, psu.Status, "power supply status "+psu.Status))
	}
	o.Rest(&p.r, "psu.")
}

// readLegacy reads stats and summary in the cgminer API's form. Where the new
// form has spoken, it adds what only this form tells: the chip maps.
func (p *parser) readLegacy() {
	if o := p.summary; !o.Empty() {
		cgminer.FillSummary(&p.r, o)
		if v := o.Hashrate(p.r.Warn, unit.GHs, "GHS 30m"); v.Ok() {
			p.r.HashrateAverage = p.r.HashrateAverage.OrElse(v)
		}
		o.Use("STATS", "ID", "Calls")
		o.Rest(&p.r, "")
	}
	if !p.statsNew.Empty() {
		p.addMaps(p.chainMap)
		p.addMaps(p.stats)
		return
	}
	for _, objects := range [][]cgminer.Object{p.stats, p.chainMap} {
		for _, o := range objects {
			o.Use("Type", "CompileTime", "Miner", "BMMiner", "CGMiner", "STATS", "ID", "Calls", "Wait", "Max", "Min", "rate_30m")
			if cgminer.FillChains(&p.r, o, p.model) {
				p.readWater()
			}
			o.Rest(&p.r, "stats.")
		}
	}
	p.readDevs()
}

// addMaps merges the chip maps of an old-form stats into boards that the new
// form described.
func (p *parser) addMaps(objects []cgminer.Object) {
	for _, o := range objects {
		old := miner.Reading{}
		if !cgminer.FillChains(&old, o, p.model) {
			continue
		}
		for _, from := range old.Boards {
			if !from.Chip.Ok() {
				continue
			}
			to := cgminer.BoardAt(&p.r, from.Index)
			to.Chip = from.Chip
			to.ChipsExpected = to.ChipsExpected.OrElse(from.ChipsExpected)
		}
	}
}

// readDevs takes the boards' own status from devs, on machines where each board
// is a device.
func (p *parser) readDevs() {
	devs := miner.Reading{}
	cgminer.FillDevs(&devs, p.devs)
	if len(p.r.Boards) == 0 {
		if len(devs.Boards) > 1 {
			p.r.Boards = devs.Boards
			p.r.Warnings = append(p.r.Warnings, devs.Warnings...)
		}
		return
	}
	if len(devs.Boards) < 2 || len(devs.Boards) > len(p.r.Boards) {
		return // an S9 is one device
	}
	for _, from := range devs.Boards {
		to := cgminer.BoardAt(&p.r, from.Index)
		to.Status, to.Enabled = from.Status, from.Enabled
		to.HWErrorRatio = to.HWErrorRatio.OrElse(from.HWErrorRatio)
		to.HWErrors = to.HWErrors.OrElse(from.HWErrors)
	}
}
