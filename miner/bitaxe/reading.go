package bitaxe

import (
	"cmp"
	"maps"
	"math"
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
	r.Identity.Firmware = miner.Bitaxe
	model := p.identify(&r)
	if i := p.info; i != nil {
		i.fill(&r)
		p.board(&r, model)
		r.Profile = p.profile()
		i.judge(&r)
		r.Extra = maps.Clone(i.extra)
	}
	if p.asic != nil {
		if r.Extra == nil {
			r.Extra = map[string]string{}
		}
		maps.Copy(r.Extra, p.asic.extra)
		e := p.envelope()
		r.Envelope = &e
	}
	for _, w := range p.warnings {
		r.Warnings = append(r.Warnings, w...)
	}
	return r
}

// identify names the machine by whatever it tells: a Nerd's model, a Bitaxe's
// board version, a family, at last the chip and how many there are.
func (p *parts) identify(r *miner.Reading) miner.Model {
	id := &r.Identity
	chip, device, board, chips := "", "", "", unit.None[int64]()
	if i := p.info; i != nil {
		id.FirmwareVersion, id.APIVersion, id.MAC, id.Hostname = i.version, i.axeOS, i.mac, i.hostname
		chip, device, board, chips = i.asicModel, i.deviceModel, i.boardVersion, i.chips
		id.ControlBoard = board
	}
	if a := p.asic; a != nil {
		chip, device, chips = cmp.Or(chip, a.model), cmp.Or(device, a.device), chips.OrElse(a.chips)
	}
	told := strings.Join(strings.Fields(device+" "+board+" "+chip), " ")
	tries := []string{device}
	if !strings.HasPrefix(strings.ToLower(device), "nerd") {
		tries = []string{"Bitaxe " + device + " " + board, "Bitaxe " + board, "Bitaxe " + device, "Bitaxe " + byChip[chip+"x"+strconv.FormatInt(chips.Or(1), 10)]}
	}
	for _, words := range tries {
		if m, ok := miner.LookupModel(words); ok && (chip == "" || m.ChipType == "" || m.ChipType == chip) {
			id.Make, id.Model, id.ModelTold = m.Make, m.Name, told
			return m
		}
	}
	if told != "" {
		id.Model, id.ModelTold = told, told
		r.Warn(miner.WarnUnknown, "model", told)
	}
	return miner.Model{}
}

// byChip are the families that chip and number leave no doubt about.
var byChip = map[string]string{
	"BM1397x1": "Max", "BM1366x1": "Ultra", "BM1366x6": "Hex", "BM1368x1": "Supra", "BM1368x6": "SupraHex", "BM1370x1": "Gamma",
}

func (i *info) fill(r *miner.Reading) {
	r.Uptime, r.MinerUptime = i.uptime, i.uptime // one process: they start together
	r.HashrateNow, r.HashrateAverage = i.rate, i.average
	r.Power = i.power
	if r.Power.Ok() {
		r.PowerSource = miner.PowerEstimated // of the board alone, and with a constant for what has no meter
	}
	r.Fans, r.FanDuty = i.fans, i.duty
	r.Pools = i.pools
	r.Accepted, r.Rejected, r.Blocks = i.accepted, i.rejected, i.blocks
	r.HWErrorRatio, r.BestShare = i.errorRatio, i.bestShare
}

func (p *parts) board(r *miner.Reading, model miner.Model) {
	i := p.info
	b := miner.Board{ChipType: orElse(i.asicModel, model.ChipType), Present: unit.Some(true), Hashrate: i.rate, Power: unit.None[unit.Power]()}
	b.Voltage, b.Current, b.Frequency = i.voltage, i.current, i.frequency
	chips := i.chips
	if p.asic != nil {
		chips = chips.OrElse(p.asic.chips)
	}
	if n, ok := chips.Get(); ok && n > 0 && n < 1000 {
		b.ChipsExpected = unit.Some(int(n))
	} else if model.Chips > 0 {
		b.ChipsExpected = unit.Some(model.Chips)
	}
	b.TempChipMax = cgminer.MaxTemperature(i.chipTemps...)
	sum, n := 0.0, 0
	for _, t := range i.chipTemps {
		if v, ok := t.Get(); ok {
			sum, n = sum+float64(v), n+1
		}
	}
	if n > 0 {
		b.TempChipMean = unit.Some(unit.Temperature(sum / float64(n)))
	}
	b.TempBoard = cgminer.MaxTemperature(append([]unit.Opt[unit.Temperature]{i.regulator}, i.boardTemps...)...)
	r.TempBoard, r.TempChip = b.TempBoard, b.TempChipMax

	b.HashrateNominal = i.expected
	if cores, ok := i.smallCores.Get(); ok && !b.HashrateNominal.Ok() && i.frequencySet.Ok() && b.ChipsExpected.Ok() {
		// As the firmware itself expects it: each small core one hash a clock.
		mh := i.frequencySet.Or(0).MHz() * cores * float64(b.ChipsExpected.Or(0))
		b.HashrateNominal = unit.Some(unit.Hashrate(mh / 1e6))
	}
	r.HashrateNominal = b.HashrateNominal
	i.chipFigures(&b)
	r.Boards = []miner.Board{b}
}

// chipFigures are the hashrate monitor's, one chip each.
func (i *info) chipFigures(b *miner.Board) {
	if len(i.monitor) == 0 && !i.core.Ok() {
		return
	}
	var c miner.Chips
	answer := 0
	for _, m := range i.monitor {
		c.Hashrates, c.Errors = append(c.Hashrates, m.rate), append(c.Errors, m.errors)
		if m.rate > 0 {
			answer++
		}
	}
	if len(i.monitor) > 0 && i.rate.Or(0) > 0 {
		b.Chips = unit.Some(answer)
	}
	for _, t := range i.chipTemps {
		c.Temps = append(c.Temps, unit.Temperature(float64OrNaN(t)))
	}
	if v, ok := i.core.Get(); ok {
		c.Voltages = []unit.Voltage{v}
	}
	if f, ok := i.frequency.Get(); ok {
		c.Frequencies = []unit.Frequency{f}
	}
	b.Chip = miner.SummarizeChips(c)
}

func float64OrNaN(t unit.Opt[unit.Temperature]) float64 {
	v, ok := t.Get()
	if !ok {
		return math.NaN()
	}
	return float64(v)
}

// judge tells the state, and what the machine complains of.
func (i *info) judge(r *miner.Reading) {
	r.State, r.StateTold = i.state()
	fault := func(code miner.Code, severity miner.Severity, vendor, text string) {
		r.Faults = append(r.Faults, miner.NewFault(code, severity, -1, vendor, text))
	}
	if i.overheated {
		fault(miner.ThermalChip, miner.Critical, "overheat_mode", "stopped itself: chip or regulator too hot")
	}
	if i.powerFault != "" {
		fault(miner.RailPower, miner.Critical, "power_fault", i.powerFault)
	}
	if i.hardFault != "" {
		fault(miner.BoardOther, miner.Critical, "hardware_fault", i.hardFault)
	}
	if r.State == miner.Stopped && len(r.Faults) == 0 {
		fault(miner.BoardNoHash, miner.Critical, "", "hashes nothing")
	}
	if r.State != miner.Hashing {
		return
	}
	for _, f := range i.fans {
		if v, ok := f.Speed.Get(); ok && v == 0 && f.Duty.OrElse(i.duty).Or(0) > 0 {
			r.Faults = append(r.Faults, miner.NewFault(miner.FanMissing, miner.Major, f.Index, "", "fan stands still"))
		}
	}
	for _, p := range i.pools {
		if alive, ok := p.Alive.Get(); ok && !alive {
			fault(miner.ControlPool, miner.Major, "", "the pool in use is not connected")
		}
	}
}

// startup is how long a machine may hash nothing after its start.
const startup = 3 * time.Minute

func (i *info) state() (miner.State, string) {
	switch {
	case i.paused.Or(false):
		return miner.Sleeping, "paused"
	case i.shutdown.Or(false):
		return miner.Sleeping, "shut down"
	case i.overheated:
		return miner.Stopped, "overheat mode"
	case i.powerFault != "" || i.hardFault != "":
		return miner.Stopped, "fault"
	case i.rate.Or(0) > 0:
		return miner.Hashing, ""
	case !i.rate.Ok():
		return miner.Unknown, ""
	case i.uptime.Or(startup) < startup:
		return miner.Starting, ""
	}
	return miner.Stopped, ""
}
