package vnish

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/unit"
)

// reading puts the parts together.
func (p *parts) reading() miner.Reading {
	r := miner.Reading{State: miner.Unknown}
	r.Identity.Firmware = miner.VNish
	p.identify(&r)
	if i := p.info; i != nil {
		if up, ok := i.uptime.Get(); ok {
			r.Uptime = unit.Some(up + p.age)
		}
	}
	if p.summary != nil {
		p.machine(&r)
		p.pools(&r)
	} else if p.settings != nil {
		r.Pools = slices.Clone(p.settings.pools)
	}
	p.boards(&r)
	p.setting(&r)
	p.psu(&r)
	p.judge(&r)
	p.extras(&r)
	for _, name := range slices.Sorted(maps.Keys(p.warnings)) {
		r.Warnings = append(r.Warnings, p.warnings[name]...)
	}
	if p.presets != nil {
		e := p.envelope()
		r.Envelope = &e
	}
	return r
}

// rate turns a told hashrate into ours.
func (p *parts) rate(v unit.Opt[float64]) unit.Opt[unit.Hashrate] {
	f, ok := v.Get()
	if !ok {
		return unit.None[unit.Hashrate]()
	}
	one := unit.GHs
	if p.info != nil && p.info.hashrateUnit > 0 {
		one = p.info.hashrateUnit
	}
	h := unit.Hashrate(f) * one
	if !(h >= 0 && h < 1e5) {
		return unit.None[unit.Hashrate]()
	}
	return unit.Some(h)
}

// mostTH is more TH/s than any machine has.
const mostTH = 2000

// oldRate reads the deprecated figures: a thousand times the unit, and in the
// oldest versions the unit itself.
func (p *parts) oldRate(v unit.Opt[float64]) unit.Opt[unit.Hashrate] {
	f, ok := v.Get()
	if !ok {
		return unit.None[unit.Hashrate]()
	}
	if f < mostTH { // TH/s: no machine has less than 2,000 GH/s and runs VNish
		f *= 1e3
	}
	return p.rate(unit.Some(f))
}

func (p *parts) identify(r *miner.Reading) {
	id := &r.Identity
	told := ""
	if i := p.info; i != nil {
		told, id.FirmwareVersion, id.Serial = i.miner, i.version, i.serial
		id.MAC, id.Hostname = i.mac, i.hostname
		id.ControlBoard = i.platform
		if name, ok := controlBoards[i.platform]; ok {
			id.ControlBoard = name
		}
	}
	if p.model != nil {
		told, id.Serial = cmp.Or(told, p.model.name), cmp.Or(id.Serial, p.model.serial)
	}
	if s := p.summary; s != nil && s.minerType != "" {
		name, remark, _ := strings.Cut(s.minerType, " (")
		told = cmp.Or(told, name)
		if _, version, ok := strings.Cut(strings.ToLower(strings.TrimSuffix(remark, ")")), "vnish "); ok {
			id.FirmwareVersion = cmp.Or(id.FirmwareVersion, version)
		}
	}
	cgminer.SetModel(r, told)
}

func (p *parts) machine(r *miner.Reading) {
	s := p.summary
	r.HashrateNow = p.rate(s.now).OrElse(p.oldRate(s.nowOld))
	r.HashrateAverage = p.rate(s.average).OrElse(p.oldRate(s.averageOld))
	r.HashrateNominal = p.rate(s.nominal)
	if n, ok := r.HashrateNominal.Get(); ok && n == 0 {
		r.HashrateNominal = unit.None[unit.Hashrate]()
	}
	r.Efficiency, r.Power = s.efficiency, s.power
	if r.Power.Ok() {
		r.PowerSource = miner.PowerEstimated
		metering := s.metering
		if p.model != nil {
			metering = metering.OrElse(p.model.metering)
		}
		if metering.Or(false) {
			r.PowerSource = miner.PowerPSU
		}
	}
	r.TempBoard, r.TempChip = s.pcb, s.chip
	r.Fans, r.FanDuty = slices.Clone(s.fans), s.duty
	r.HWErrors, r.HWErrorRatio, r.Blocks, r.BestShare = s.hwErrors, s.hwErrorRatio, s.blocks, s.bestShare
	r.MinerUptime = s.stateTime
	if s.status.state != "" && s.status.state != "mining" && s.status.state != "auto-tuning" {
		r.MinerUptime = unit.None[time.Duration]() // the time asleep, or starting
	}
}

// pools splits the owner's pools from the firmware's.
func (p *parts) pools(r *miner.Reading) {
	s := p.summary
	some := slices.ContainsFunc(s.pools, func(p pool) bool { return p.Status == "working" && p.kind != "DevFee" })
	first := true
	for i, told := range s.pools {
		if told.kind == "DevFee" || told.kind == "Refund" {
			s.extrasOnce(r, told.kind+" "+strconv.Itoa(i), strings.TrimSpace(told.URL+" "+told.User+" "+told.Status))
			continue
		}
		one := told.Pool
		one.Index = len(r.Pools)
		switch one.Status {
		case "working":
			one.Alive, one.Active = unit.Some(true), unit.Some(true)
		case "active": // in use, unless another one is "working"
			one.Alive, one.Active = unit.Some(true), unit.Some(!some && first)
			first = false
		case "rejecting":
			one.Alive, one.Active = unit.Some(true), unit.Some(false)
		case "offline", "disabled":
			one.Alive, one.Active = unit.Some(false), unit.Some(false)
		}
		one.LastShare = cgminer.LastShare(told.lastWords, p.now)
		if told.lastWords != "" && !one.LastShare.Ok() {
			s.extrasOnce(r, "pool "+strconv.Itoa(i)+" ls_time", told.lastWords)
		}
		r.Pools = append(r.Pools, one)
		r.Accepted = plus(r.Accepted, one.Accepted)
		r.Rejected = plus(r.Rejected, one.Rejected)
		r.Stale = plus(r.Stale, one.Stale)
	}
}

func plus(a, b unit.Opt[int64]) unit.Opt[int64] {
	v, ok := b.Get()
	if !ok {
		return a
	}
	return unit.Some(a.Or(0) + v)
}

func (s *summary) extrasOnce(r *miner.Reading, key, value string) {
	if r.Extra == nil {
		r.Extra = make(map[string]string, 64)
	}
	r.Extra[key] = value
}

// base is the number of the first chain: 1, or 0 where a machine counts so.
func (p *parts) base() int {
	if p.summary != nil {
		for _, c := range p.summary.chains {
			if c.id == 0 {
				return 0
			}
		}
	}
	if _, zero := p.chains[0]; zero {
		return 0
	}
	return 1
}

func (p *parts) boards(r *miner.Reading) {
	base := p.base()
	at := func(id int) *miner.Board {
		for i := range r.Boards {
			if r.Boards[i].Index == id-base {
				return &r.Boards[i]
			}
		}
		r.Boards = append(r.Boards, miner.Board{Index: id - base})
		return &r.Boards[len(r.Boards)-1]
	}
	if p.summary != nil {
		for _, c := range p.summary.chains {
			if c.id >= base {
				p.board(at(c.id), c)
			}
		}
	}
	for id, c := range p.chains {
		if id >= base {
			p.boardChips(at(id), c)
		}
	}
	if p.factory != nil && len(r.Boards) > 0 {
		for id, f := range p.factory.boards {
			if id >= base {
				at(id).Serial = cmp.Or(at(id).Serial, f.serial)
			}
		}
	}
	slices.SortFunc(r.Boards, func(a, b miner.Board) int { return cmp.Compare(a.Index, b.Index) })
	model, _ := miner.LookupModel(cmp.Or(r.Identity.ModelTold, r.Identity.Model))
	for i := range r.Boards {
		b := &r.Boards[i]
		b.ChipType = model.ChipType
		if p.model != nil && p.model.chips.Or(0) > 0 {
			b.ChipsExpected = unit.Some(int(p.model.chips.Or(0)))
		} else if model.Chips > 0 {
			b.ChipsExpected = unit.Some(model.Chips)
		}
		r.TempBoard = cgminer.MaxTemperature(r.TempBoard, b.TempBoard)
		r.TempChip = cgminer.MaxTemperature(r.TempChip, b.TempChipMax)
		r.TempInlet = cgminer.MaxTemperature(r.TempInlet, b.TempInlet)
		r.TempOutlet = cgminer.MaxTemperature(r.TempOutlet, b.TempOutlet)
	}
}

func (p *parts) board(b *miner.Board, c chain) {
	b.Status = c.state
	switch c.state {
	case "mining", "initializing", "stopped", "failure":
		b.Present, b.Enabled = unit.Some(true), unit.Some(true)
	case "disabled":
		b.Enabled = unit.Some(false)
	case "disconnected":
		b.Present = unit.Some(false)
	}
	off := c.state == "disabled" || c.state == "disconnected"
	if h := p.rate(c.rate); !off || h.Or(0) > 0 {
		b.Hashrate = h
	}
	if h := p.rate(c.ideal); h.Or(0) > 0 {
		b.HashrateNominal = h
	}
	b.Frequency, b.Voltage, b.Power = c.frequency, c.voltage, c.power
	b.TempBoard, b.TempChipMax, b.TempChipMin = c.pcbMax, c.chipMax, c.chipMin
	b.TempInlet, b.TempOutlet = c.waterIn, c.waterOut
	if !off {
		b.HWErrors, b.HWErrorRatio = c.hwErrors, c.errorRatio
	}
}

func (p *parts) boardChips(b *miner.Board, c chainChips) {
	b.Serial = c.serial
	b.Status = cmp.Or(b.Status, c.state)
	if !b.Hashrate.Ok() && c.rate.Or(0) > 0 {
		b.Hashrate = p.rate(c.rate)
	}
	if !b.HashrateNominal.Ok() && c.nominal.Or(0) > 0 {
		b.HashrateNominal = p.rate(c.nominal)
	}
	b.Frequency = b.Frequency.OrElse(c.frequency)
	b.Chip = c.summary
	// A chain that does not mine says nothing of how many chips answer.
	if state := cmp.Or(c.state, b.Status); c.listed > 0 && (state == "mining" || state == "" && c.answer > 0) {
		b.Chips = unit.Some(c.answer)
	}
	if s, ok := c.summary.Get(); ok {
		b.TempChipMax, b.TempChipMean = cgminer.MaxTemperature(b.TempChipMax, s.TempMax), s.TempMean
	}
}

// setting tells the preset in force: what runs before what is configured.
func (p *parts) setting(r *miner.Reading) {
	name, state := "", ""
	if p.perf != nil {
		name, state = p.perf.preset, p.perf.presetStatus
	}
	if p.settings != nil {
		name = cmp.Or(name, p.settings.preset)
	}
	if s := p.summary; s != nil && s.status.state == "auto-tuning" {
		state = "auto-tuning"
	}
	r.Tuning = state
	if name == "" || name == "disabled" {
		return
	}
	r.Profile = name
	if watts, _ := prettyPreset(name, ""); watts.Ok() {
		r.PowerLimit = watts
	}
}

func (p *parts) psu(r *miner.Reading) {
	psu := miner.PSU{}
	if p.factory != nil {
		psu.Model, psu.Serial = p.factory.psuModel, p.factory.psuSerial
	}
	if p.summary != nil && len(p.summary.psuTemps) > 0 {
		psu.Temp, psu.TempMax = p.summary.psuTemps[0], cgminer.MaxTemperature(p.summary.psuTemps...)
	}
	if psu != (miner.PSU{}) {
		r.PSUs = []miner.PSU{psu}
	}
}

func (p *parts) extras(r *miner.Reading) {
	add := func(list extras) {
		for _, e := range list {
			if r.Extra == nil {
				r.Extra = make(map[string]string, 64)
			}
			r.Extra[e.key] = e.value
		}
	}
	if p.info != nil {
		add(p.info.extras)
	}
	if p.model != nil {
		add(p.model.extras)
	}
	if p.factory != nil {
		add(p.factory.extras)
	}
	if p.perf != nil {
		add(p.perf.extras)
	}
	if p.settings != nil {
		add(p.settings.extras)
	}
	if p.status != nil {
		add(p.status.extras)
	}
	if p.summary != nil {
		add(p.summary.extras)
	}
}
