package epic

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/unit"
)

// reading puts the parts together.
func (p *parts) reading() miner.Reading {
	r := miner.Reading{State: miner.Unknown}
	r.Identity.Firmware = miner.EPIC
	p.identify(&r)
	if s := p.summary; s != nil {
		r.StateTold, r.HashrateAverage, r.MinerUptime = s.state, s.average, s.uptime
		r.Accepted, r.Rejected, r.Locating = s.accepted, s.rejected, s.locating
		r.Fans, r.FanDuty, r.Pools = slices.Clone(s.fans), s.duty, slices.Clone(s.pools)
		p.power(&r)
		p.setting(&r)
	}
	p.boards(&r)
	if s := p.summary; s != nil {
		s.judge(&r)
	}
	p.extras(&r)
	for _, name := range slices.Sorted(mapKeys(p.warnings)) {
		r.Warnings = append(r.Warnings, p.warnings[name]...)
	}
	if p.capabilities != nil {
		e := p.envelope()
		r.Envelope = &e
	}
	return r
}

func mapKeys[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func (p *parts) identify(r *miner.Reading) {
	id := &r.Identity
	if p.summary != nil {
		id.FirmwareVersion, id.Hostname = p.summary.software, p.summary.hostname
	}
	if p.network != nil {
		id.MAC = p.network.mac
	}
	if c := p.capabilities; c != nil {
		id.Serial, id.ControlBoard = c.serial, c.controlBoard
		told := c.model
		if strings.HasPrefix(strings.ToLower(told), "whatsminer") { // the revision stands apart
			told = strings.TrimSpace(told + " " + c.subtype)
		}
		cgminer.SetModel(r, told)
	}
}

// model is the row of the table of models, zero when it has none.
func (p *parts) model(r *miner.Reading) miner.Model {
	m, _ := miner.LookupModel(cmp.Or(r.Identity.ModelTold, r.Identity.Model))
	return m
}

func (p *parts) power(r *miner.Reading) {
	s := p.summary
	r.Power = s.power
	if r.Power.Ok() {
		// A supply that measures says so, or tells more than the one figure.
		r.PowerSource = miner.PowerEstimated
		measured := s.psu.CurrentIn.Ok() || s.psu.CurrentOut.Ok() || s.psu.PowerOut.Ok()
		if p.capabilities != nil && p.capabilities.truePower.Or(measured) || p.capabilities == nil && measured {
			r.PowerSource = miner.PowerPSU
		}
	}
	psu := s.psu
	if c := p.capabilities; c != nil {
		psu.Model, psu.Version = c.psuModel, c.psuVersion
	}
	if psu != (miner.PSU{}) {
		r.PSUs = []miner.PSU{psu}
	}
}

// setting tells which of the machine's settings is in force.
func (p *parts) setting(r *miner.Reading) {
	s, t := p.summary, p.summary.tuner
	if t.algorithm != "" {
		r.Tuning = t.algorithm
		if target, ok := t.target.Get(); ok {
			r.Tuning += " " + strconv.FormatFloat(target, 'f', -1, 64) + " " + t.unit
		}
		switch {
		case !t.running.Or(true):
			r.Tuning += ", not running"
		case t.optimized.Or(false):
			r.Tuning += ", optimized"
		case t.optimized.Ok():
			r.Tuning += ", optimizing"
		}
	}
	running := t.running.Or(false)
	target, ok := t.target.Get()
	switch {
	case running && ok && t.isPower():
		r.PowerLimit = unit.Some(unit.Power(target))
	case running && ok:
		r.HashrateNominal = unit.Some(unit.Hashrate(target))
	}
	if p.capabilities == nil || running && t.isPower() {
		return
	}
	for _, preset := range p.capabilities.presets {
		if running && ok && target == math.Round(float64(preset.hashrate)) || !running && s.clocked(preset) {
			r.Profile = preset.name()
			break
		}
	}
}

// clocked tells whether a preset's clock and voltage are the ones set.
func (s *summary) clocked(p preset) bool {
	v, ok := s.psu.VoltageSet.Get()
	if !ok || math.Abs(float64(v-p.voltage)) > 0.005 {
		return false
	}
	some := false
	for _, b := range s.boards {
		if f, ok := b.target.Get(); ok {
			if math.Abs(float64(f-p.clock)) > 0.6e6 {
				return false
			}
			some = true
		}
	}
	return some
}

func (p *parts) boards(r *miner.Reading) {
	model := p.model(r)
	at := func(index int) *miner.Board {
		for i := range r.Boards {
			if r.Boards[i].Index == index {
				return &r.Boards[i]
			}
		}
		r.Boards = append(r.Boards, miner.Board{Index: index})
		return &r.Boards[len(r.Boards)-1]
	}
	if p.summary != nil {
		for _, b := range p.summary.boards {
			p.board(at(b.index), b)
		}
	}
	for _, lists := range []*boardLists{p.temps, p.hashrates, p.clocks, p.voltages, p.chipTemps} {
		if lists != nil {
			for _, l := range lists.boards {
				at(l.index)
			}
		}
	}
	slices.SortFunc(r.Boards, func(a, b miner.Board) int { return cmp.Compare(a.Index, b.Index) })
	p.boardSerials(r)
	for i := range r.Boards {
		b := &r.Boards[i]
		p.boardTemps(r, b)
		p.boardChips(b)
		if c := p.capabilities; c != nil {
			b.ChipType, b.ChipsExpected = c.chipType, c.chips
		}
		if !b.ChipsExpected.Ok() && model.Chips > 0 {
			b.ChipsExpected = unit.Some(model.Chips)
		}
		if h, ok := b.Hashrate.Get(); ok {
			r.HashrateNow = unit.Some(r.HashrateNow.Or(0) + h)
		}
		r.TempBoard = hotter(r.TempBoard, b.TempBoard)
		r.TempChip = hotter(r.TempChip, b.TempChipMax)
	}
	if !r.HashrateNominal.Ok() {
		for _, b := range r.Boards {
			if h, ok := b.HashrateNominal.Get(); ok {
				r.HashrateNominal = unit.Some(r.HashrateNominal.Or(0) + h)
			}
		}
		if c := p.capabilities; c != nil && !r.HashrateNominal.Ok() {
			r.HashrateNominal = c.defaultHashrate
		}
	}
}

func hotter(a, b unit.Opt[unit.Temperature]) unit.Opt[unit.Temperature] {
	return cgminer.MaxTemperature(a, b)
}

func (p *parts) board(b *miner.Board, s summaryBoard) {
	b.Present, b.Enabled = s.present, s.enabled
	b.Hashrate, b.Voltage, b.Current, b.Power = s.hashrate, s.voltage, s.current, s.power
	b.Frequency = s.frequency
	b.TempBoard = s.temp
	switch {
	case !s.present.Or(true):
		b.Status = "not detected"
	case !s.enabled.Or(true):
		b.Status = "disabled"
	}
	// What the clock gives: the machine's own estimator, else its percentage.
	clock := s.frequency.OrElse(s.target)
	if c := p.capabilities; c != nil && c.chips.Ok() && c.perChip.Ok() && clock.Ok() && s.enabled.Or(true) {
		mh := float64(c.chips.Or(0)) * c.perChip.Or(0) * clock.Or(0).MHz()
		b.HashrateNominal = unit.Some(unit.Hashrate(mh) * unit.GHs / 1e3)
	} else if h, ok := s.hashrate.Get(); ok && s.performance.Ok() {
		b.HashrateNominal = unit.Some(h / unit.Hashrate(s.performance.Or(100)/100))
	}
}

// boardSerials gives the serials, which come without a board's number, to the
// boards that are detected, or else to those that are enabled, if their number
// says so.
func (p *parts) boardSerials(r *miner.Reading) {
	if p.capabilities == nil || len(p.capabilities.boardSerials) == 0 || p.summary == nil {
		return
	}
	serials := p.capabilities.boardSerials
	var present, enabled []int
	for i, b := range r.Boards {
		if b.Present.Or(true) {
			present = append(present, i)
			if b.Enabled.Or(true) {
				enabled = append(enabled, i)
			}
		}
	}
	for _, whose := range [][]int{present, enabled} {
		if len(whose) == len(serials) {
			for k, i := range whose {
				r.Boards[i].Serial = serials[k]
			}
			return
		}
	}
	r.Extra = map[string]string{"Board Serial Numbers": strings.Join(serials, ", ")}
	r.Warn(miner.WarnConflict, "capabilities.Board Serial Numbers", strconv.Itoa(len(serials))+" serials, boards unknown")
}

func (p *parts) boardTemps(r *miner.Reading, b *miner.Board) {
	var temps []unit.Opt[unit.Temperature]
	low := unit.None[unit.Temperature]()
	sum, n := 0.0, 0
	for _, v := range p.temps.of(b.Index).values {
		t := unit.None[unit.Temperature]()
		if !math.IsNaN(v) && v != 0 {
			t = cgminer.Temperature(r.Warn, "temps."+strconv.Itoa(b.Index), v)
		}
		temps = append(temps, t)
		if x, ok := t.Get(); ok {
			sum, n = sum+float64(x), n+1
			if x < low.Or(hottest) {
				low = t
			}
		}
	}
	high := cgminer.MaxTemperature(temps...)
	if p.capabilities != nil && p.capabilities.chipSensors {
		b.TempChipMax = hotter(high, b.TempBoard)
		b.TempBoard = unit.None[unit.Temperature]()
		if n > 0 {
			b.TempChipMean, b.TempChipMin = unit.Some(unit.Temperature(sum/float64(n))), low
		}
		return
	}
	b.TempBoard = hotter(b.TempBoard, high)
	if len(temps) == 2 { // air goes from the first to the second
		b.TempInlet, b.TempOutlet = temps[0], temps[1]
	}
}

// chipFigures are a board's per-chip lists, condensed.
type chipFigures struct {
	answer  unit.Opt[int]
	summary unit.Opt[miner.ChipSummary]
}

// boardChips takes the condensed lists over.
func (p *parts) boardChips(b *miner.Board) {
	f, ok := p.chips[b.Index]
	if !ok {
		f = p.condense(b.Index)
	}
	b.Chips, b.Chip = f.answer, f.summary
	if s, ok := b.Chip.Get(); ok && s.TempMax.Ok() {
		b.TempChipMax, b.TempChipMean = hotter(b.TempChipMax, s.TempMax), s.TempMean
	}
}

func (p *parts) condense(board int) chipFigures {
	var f chipFigures
	rates := p.hashrates.of(board).tuples
	c := miner.Chips{
		Frequencies: told(p.clocks.of(board).values, 5000, unit.Megahertz),
		Voltages:    told(p.voltages.of(board).values, 100_000, unit.Voltage(1e-3)),
		Temps:       told(p.chipTemps.of(board).values, hottest, unit.Temperature(1)),
	}
	answer := 0
	for _, t := range rates {
		mh := math.NaN()
		if len(t) > 0 && t[0] >= 0 && t[0] < 1e9 {
			mh = t[0]
		}
		if mh > 0 {
			answer++
		}
		c.Hashrates = append(c.Hashrates, unit.Hashrate(mh)*unit.GHs/1e3)
	}
	if len(rates) > 0 {
		f.answer = unit.Some(answer)
	}
	f.summary = miner.SummarizeChips(c)
	return f
}

// told scales per-chip figures; a list without any figure but zeros is a list
// that the hardware cannot fill, and then nothing is told.
func told[T ~float64](values []float64, most float64, one T) []T {
	if !slices.ContainsFunc(values, func(v float64) bool { return v > 0 && v < most }) {
		return nil
	}
	out := make([]T, len(values))
	for i, v := range values {
		if !(v > 0 && v < most) {
			v = math.NaN()
		}
		out[i] = T(v) * one
	}
	return out
}

func (p *parts) extras(r *miner.Reading) {
	add := func(list []extra) {
		for _, e := range list {
			if r.Extra == nil {
				r.Extra = make(map[string]string, 64)
			}
			r.Extra[e.key] = e.value
		}
	}
	if p.summary != nil {
		add(p.summary.extra)
	}
	if p.capabilities != nil {
		add(p.capabilities.extra)
	}
	if p.network != nil {
		add(p.network.extra)
	}
}
