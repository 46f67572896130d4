package telemetry

import (
	"cmp"
	"slices"
	"time"

	"ballast/miner"
	"ballast/unit"
)

// Poll is what the poller knows of one poll.
type Poll struct {
	Machine miner.ID
	Tags    Tags          // from the inventory; the reading's own model, firmware and version win
	Due     time.Time     // by the schedule; zero when the poll had none
	At      time.Time     // when the result was known; zero takes the reading's
	Latency time.Duration // of an unanswered poll; an answered one tells its own
	Err     error         // of the driver; nil for an answer
}

// FromReading makes the row of a poll. reading is nil when the machine did not
// answer; then the row has an outcome and no numbers but its timing.
func FromReading(p Poll, reading *miner.Reading) Row {
	row := Row{Machine: p.Machine, Tags: p.Tags, At: p.At, Outcome: OutcomeOf(p.Err)}
	latency := p.Latency
	if reading != nil {
		if row.At.IsZero() {
			row.At = reading.At
		}
		if reading.Took > 0 {
			latency = reading.Took
		}
	}
	row.At = row.At.UTC().Truncate(time.Millisecond)
	if latency > 0 {
		row.Set(PollLatency, latency.Seconds())
	}
	if !p.Due.IsZero() {
		row.Set(PollDelay, row.At.Sub(p.Due).Seconds())
	}
	row.Set(Up, flag(row.Outcome == OK))
	if reading == nil || row.Outcome != OK {
		return row
	}
	row.fill(reading)
	return row
}

func (r *Row) fill(in *miner.Reading) {
	r.Model = cmp.Or(in.Identity.Model, r.Model)
	r.Firmware = cmp.Or(in.Identity.Firmware, r.Firmware)
	r.Version = cmp.Or(in.Identity.FirmwareVersion, r.Version)
	r.State = cmp.Or(in.State, miner.Unknown)
	r.PowerSource, r.Mode, r.Profile, r.Tuning = in.PowerSource, in.Mode, in.Profile, in.Tuning

	r.Set(Hashing, flag(r.State == miner.Hashing))
	r.Set(Starting, flag(r.State == miner.Starting))
	r.Set(Sleeping, flag(r.State == miner.Sleeping))
	r.Set(Stopped, flag(r.State == miner.Stopped))
	r.Set(Degraded, flag(in.Degraded()))

	put(r, Hashrate, in.HashrateNow)
	put(r, HashrateAverage, in.HashrateAverage)
	put(r, HashrateNominal, in.HashrateNominal)
	put(r, Power, in.Power)
	put(r, PowerLimit, in.PowerLimit)
	put(r, TempAmbient, in.TempAmbient)
	put(r, TempInlet, in.TempInlet)
	put(r, TempOutlet, in.TempOutlet)
	put(r, TempBoard, in.TempBoard)
	put(r, TempChip, in.TempChip)
	put(r, Flow, in.Flow)
	put(r, FanDuty, in.FanDuty)
	seconds(r, Uptime, in.Uptime)
	seconds(r, MinerUptime, in.MinerUptime)
	put(r, Accepted, in.Accepted)
	put(r, Rejected, in.Rejected)
	put(r, Stale, in.Stale)
	put(r, HWErrors, in.HWErrors)
	put(r, HWErrorRatio, in.HWErrorRatio)
	put(r, BestShare, in.BestShare)
	put(r, BlocksFound, in.Blocks)
	if on, ok := in.Locating.Get(); ok {
		r.Set(Locating, flag(on))
	}
	r.fans(in)
	r.psus(in)
	r.pools(in)
	r.boards(in)

	r.Set(Faults, float64(len(in.Faults)))
	for _, f := range in.Faults {
		r.Faults.add(f)
	}
	r.Set(Warnings, float64(len(in.Warnings)))
	for _, w := range in.Warnings {
		r.WarningBits |= warningBit(w.Kind)
	}
}

func (r *Row) fans(in *miner.Reading) {
	var duty, n float64
	for _, f := range in.Fans {
		if f.PSU {
			if v, ok := f.Speed.Get(); ok && !r.Get(PSUFan).Ok() {
				r.Set(PSUFan, float64(v))
			}
			continue
		}
		if f.Index >= 0 && f.Index <= int(Fan8-Fan1) {
			put(r, Fan1+Metric(f.Index), f.Speed)
		}
		if v, ok := f.Duty.Get(); ok {
			duty, n = duty+float64(v), n+1
		}
	}
	if n > 0 && !in.FanDuty.Ok() {
		r.Set(FanDuty, duty/n)
	}
}

func (r *Row) psus(in *miner.Reading) {
	seen := 0
	for _, p := range in.PSUs {
		if p.Present.Or(true) {
			seen++
		}
		fold(r, PSUPowerIn, p.PowerIn, add)
		fold(r, PSUPowerOut, p.PowerOut, add)
		fold(r, PSUCurrentIn, p.CurrentIn, add)
		fold(r, PSUCurrentOut, p.CurrentOut, add)
		fold(r, PSUVoltageIn, p.VoltageIn, least)
		fold(r, PSUVoltageOut, p.VoltageOut, least)
		fold(r, PSUVoltageSet, p.VoltageSet, least)
		fold(r, PSUTemp, p.Temp, most)
		fold(r, PSUTempMax, p.TempMax, most)
		fold(r, PSUFan, p.Fan, least)
	}
	if len(in.PSUs) > 0 {
		r.Set(PSUs, float64(seen))
	}
}

func (r *Row) pools(in *miner.Reading) {
	if in.Pools == nil {
		return
	}
	alive, told := 0, len(in.Pools) == 0
	for _, p := range in.Pools {
		if v, ok := p.Alive.Get(); ok {
			told = true
			if v {
				alive++
			}
		}
	}
	r.Set(Pools, float64(len(in.Pools)))
	if told {
		r.Set(PoolsAlive, float64(alive))
	}
}

func (r *Row) boards(in *miner.Reading) {
	if in.Boards == nil {
		return
	}
	present, chips, expected := 0, 0, 0
	chipsTold, expectedTold := false, false
	for _, b := range in.Boards {
		if b.Index < 0 || b.Index >= MaxBoards || slices.ContainsFunc(r.Boards, func(o BoardRow) bool { return o.Index == b.Index }) {
			continue
		}
		// A board that no reply says anything about its presence is there:
		// firmwares list what they see.
		if b.Present.Or(true) {
			present++
		}
		if n, ok := b.Chips.Get(); ok {
			chips, chipsTold = chips+n, true
		}
		if n, ok := b.ChipsExpected.Get(); ok {
			expected, expectedTold = expected+n, true
		}
		r.Boards = append(r.Boards, boardRow(&b, in.Faults))
	}
	slices.SortFunc(r.Boards, func(a, b BoardRow) int { return a.Index - b.Index })
	r.Set(BoardSlots, float64(len(in.Boards)))
	r.Set(BoardsPresent, float64(present))
	if chipsTold {
		r.Set(Chips, float64(chips))
	}
	if expectedTold {
		r.Set(ChipsExpected, float64(expected))
	}
}

func boardRow(in *miner.Board, faults []miner.Fault) BoardRow {
	b := BoardRow{Index: in.Index, Serial: in.Serial}
	if v, ok := in.Present.Get(); ok {
		b.Set(BoardPresent, flag(v))
	}
	if v, ok := in.Enabled.Get(); ok {
		b.Set(BoardEnabled, flag(v))
	}
	put(&b, BoardHashrate, in.Hashrate)
	put(&b, BoardHashrateNominal, in.HashrateNominal)
	put(&b, BoardPower, in.Power)
	put(&b, BoardChips, in.Chips)
	put(&b, BoardChipsExpected, in.ChipsExpected)
	put(&b, BoardTempInlet, in.TempInlet)
	put(&b, BoardTempOutlet, in.TempOutlet)
	put(&b, BoardTemp, in.TempBoard)
	put(&b, BoardTempChipMax, in.TempChipMax)
	put(&b, BoardTempChipMean, in.TempChipMean)
	put(&b, BoardTempChipMin, in.TempChipMin)
	put(&b, BoardVoltage, in.Voltage)
	put(&b, BoardCurrent, in.Current)
	if f, ok := in.Frequency.Get(); ok {
		b.Set(BoardFrequency, f.MHz())
	}
	put(&b, BoardHWErrors, in.HWErrors)
	put(&b, BoardHWErrorRatio, in.HWErrorRatio)
	n := 0
	for _, f := range faults {
		if f.Index == in.Index && ofBoard(f.Code) {
			b.Faults.add(f)
			n++
		}
	}
	b.Set(BoardFaults, float64(n))
	if c, ok := in.Chip.Get(); ok {
		b.chips(&c)
	}
	return b
}

func (b *BoardRow) chips(c *miner.ChipSummary) {
	b.Set(ChipCount, float64(c.Count))
	put(b, ChipsDead, c.Dead)
	put(b, ChipsWeak, c.Weak)
	put(b, ChipHashrateMin, c.HashrateMin)
	put(b, ChipHashrateMedian, c.HashrateMedian)
	put(b, ChipHashrateSD, c.HashrateSD)
	put(b, ChipTempMax, c.TempMax)
	put(b, ChipTempMean, c.TempMean)
	put(b, ChipTempSD, c.TempSD)
	if f, ok := c.FrequencyMin.Get(); ok {
		b.Set(ChipFrequencyMin, f.MHz())
	}
	if f, ok := c.FrequencyMean.Get(); ok {
		b.Set(ChipFrequencyMean, f.MHz())
	}
	put(b, ChipVoltageMin, c.VoltageMin)
	put(b, ChipVoltageMean, c.VoltageMean)
	put(b, ChipErrors, c.Errors)
	put(b, ChipErrorsMax, c.ErrorsMax)
}

// ofBoard tells whether a fault's index is a board's: those of fans and
// supplies count fans and supplies.
func ofBoard(c miner.Code) bool {
	switch c / 1000 {
	case 3, 4:
		return true
	}
	return c == miner.ThermalChip || c == miner.ThermalBoard || c == miner.SensorTemperature
}

type setter interface{ Set(m Metric, v float64) }

func put[T ~float64 | ~int | ~int64](to setter, m Metric, v unit.Opt[T]) {
	if x, ok := v.Get(); ok {
		to.Set(m, float64(x))
	}
}

func seconds(to setter, m Metric, v unit.Opt[time.Duration]) {
	if d, ok := v.Get(); ok {
		to.Set(m, d.Seconds())
	}
}

func fold[T ~float64](r *Row, m Metric, v unit.Opt[T], with func(a, b float64) float64) {
	x, ok := v.Get()
	if !ok {
		return
	}
	if have, ok := r.Get(m).Get(); ok {
		r.Set(m, with(have, float64(x)))
		return
	}
	r.Set(m, float64(x))
}

func add(a, b float64) float64   { return a + b }
func least(a, b float64) float64 { return min(a, b) }
func most(a, b float64) float64  { return max(a, b) }

func flag(on bool) float64 {
	if on {
		return 1
	}
	return 0
}
