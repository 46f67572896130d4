package braiins

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/unit"
)

const (
	// warmUp is how long the mining process may take until it hashes: chips are
	// counted, boards heated, frequencies raised.
	warmUp = 10 * time.Minute
	// bootUp is how long the control board may take until it starts to mine.
	bootUp = 5 * time.Minute
	// early is how long a machine may draw no power before that means a pause.
	early = 2 * time.Minute
	// awake is the power above which a machine does not sleep.
	awake = unit.Power(120)
)

// finish draws what follows from all replies together.
func (p *parser) finish() {
	r := &p.r
	r.Identity.Firmware = miner.Braiins
	if r.Identity.FirmwareVersion == "" {
		r.Identity.FirmwareVersion = p.software
	}
	p.model()
	p.missingBoards()
	for i := range r.Boards {
		b := &r.Boards[i]
		r.TempBoard = cgminer.MaxTemperature(r.TempBoard, b.TempBoard)
		r.TempChip = cgminer.MaxTemperature(r.TempChip, b.TempChipMax)
	}
	if r.FanDuty = unit.None[unit.Ratio](); len(r.Fans) > 0 {
		for _, f := range r.Fans {
			if d, ok := f.Duty.Get(); ok && d >= r.FanDuty.Or(0) {
				r.FanDuty = f.Duty
			}
		}
	}
	r.PowerLimit = r.PowerLimit.OrElse(p.configured)
	p.faults()
	if p.read > 0 {
		r.State = p.state()
	}
	if r.State == miner.Hashing || r.State == miner.Stopped { // a paused machine needs no pool
		if !slices.ContainsFunc(r.Faults, func(f miner.Fault) bool { return f.Code == miner.ControlPool && f.Severity != miner.Info }) {
			cgminer.FaultDeadPools(r)
		}
	}
	if p.status == statusRestricted {
		r.Faults = append(r.Faults, miner.NewFault(miner.AdvisoryReduced, miner.Major, -1, "restricted", "works in restricted mode: no valid licence"))
	}
	if p.tuner == tunerError {
		r.Faults = append(r.Faults, miner.NewFault(miner.AdvisoryTuning, miner.Minor, -1, "tuner error", "the tuner gave up"))
	}
	if p.limits.stepless || len(p.steps) > 0 {
		r.Envelope = p.envelope()
	}
}

// model names the machine by the table of models.
func (p *parser) model() {
	id := &p.r.Identity
	if p.told != "" {
		m, known := p.lookup(p.told)
		if !known {
			id.Model, id.ModelTold = p.told, p.told
			p.r.Warn(miner.WarnUnknown, "model", p.told)
		} else {
			id.Make, id.Model = m.Make, m.Name
			if m.Name != p.told {
				id.ModelTold = p.told
			}
		}
		for i := range p.r.Boards {
			if b := &p.r.Boards[i]; m.Chips > 0 && !b.ChipsExpected.Ok() {
				b.ChipsExpected = unit.Some(m.Chips)
			}
		}
	}
	if id.Make == "" {
		switch p.brand {
		case "antminer":
			id.Make = "Bitmain"
		case "whatsminer":
			id.Make = "MicroBT"
		}
	}
}

// missingBoards adds the slots that the firmware knows of and does not report.
func (p *parser) missingBoards() {
	if len(p.r.Boards) == 0 || len(p.limits.boards) <= len(p.r.Boards) {
		return
	}
	first := 1
	if slices.Contains(p.limits.boards, "0") {
		first = 0
	}
	for _, id := range p.limits.boards {
		n, ok := slotNumber(id)
		if n >= 6 {
			n -= 6 - first
		}
		if !ok || n < first {
			continue
		}
		if b := cgminer.BoardAt(&p.r, n-first); !b.Enabled.Ok() && !b.Chips.Ok() && !b.Hashrate.Ok() {
			b.Present = unit.Some(false)
		}
	}
}

// state decides what the machine is doing: by its own words, then by evidence.
func (p *parser) state() miner.State {
	r := &p.r
	rate, rated := r.HashrateNow.OrElse(r.HashrateAverage).Get()
	up, run := r.Uptime.Or(24*time.Hour), r.MinerUptime.Or(24*time.Hour)
	starting := p.tuner == tunerPreheat || run < warmUp
	switch {
	case p.status == statusPaused && p.rampingDown():
		return miner.Hashing
	case p.status == statusPaused:
		return miner.Sleeping
	case p.status == statusSuspended:
		return miner.Stopped
	case p.status == statusNotStarted, p.silent:
		switch {
		case up < bootUp:
			return miner.Starting
		case p.critical():
			return miner.Stopped
		}
		return miner.Sleeping
	case rated && rate > 0:
		return miner.Hashing
	case rated && p.status == 0 && p.asleep && p.tuner != tunerTuning && run > early:
		return miner.Sleeping
	case rated && (starting || p.tuner == tunerTuning):
		return miner.Starting
	case rated:
		return miner.Stopped
	case p.status != 0:
		return miner.Hashing
	}
	return miner.Unknown
}

// rampingDown tells a machine that has been told to pause and still works: it
// says paused at once and takes the load off over some seconds.
func (p *parser) rampingDown() bool {
	r := &p.r
	return r.HashrateNow.Or(0) > r.HashrateNominal.Or(0)*0.05 && r.HashrateNow.Or(0) > 0 && r.Power.Or(0) > awake
}

func (p *parser) critical() bool {
	return slices.ContainsFunc(p.r.Faults, func(f miner.Fault) bool { return f.Severity == miner.Critical })
}

// settle is how long changes take: a pause ramps down in about 13 s and wakes in
// one to two minutes (log on docs.braiins.com), and the tuner needs minutes for
// a new target.
var settle = miner.Settle{Sleep: time.Minute, Wake: 4 * time.Minute, Adjust: 10 * time.Minute, Reboot: 5 * time.Minute}

// kindsAlways are the settings that every generation takes.
var kindsAlways = []miner.Kind{miner.SetSleep, miner.SetWake, miner.SetReboot, miner.SetRestart, miner.SetPools, miner.SetLocate}

// envelope is what the machine can be set to, as far as the replies tell.
func (p *parser) envelope() *miner.Envelope {
	e := &miner.Envelope{Settle: settle, Source: "assumed"}
	if down, ok := p.rampDown.Get(); ok {
		e.Settle.Sleep = max(down+30*time.Second, settle.Sleep)
	}
	if up, ok := p.rampUp.Get(); ok {
		e.Settle.Wake = max(up+2*time.Minute, settle.Wake)
	}
	if p.limits.stepless {
		e.Kinds = append(e.Kinds, miner.SetPower)
		e.PowerMin, e.PowerMax, e.PowerDefault = p.limits.min, p.limits.max, p.limits.byDefault
		e.Source = "told"
	}
	if len(p.steps) > 0 {
		e.Kinds = append(e.Kinds, miner.SetProfile)
		e.Steps = p.steps
		e.Source = "told"
	}
	e.Kinds = append(e.Kinds, kindsAlways...)
	return e
}

// profileTarget reads a profile's name back: watts, or a hashrate.
func profileTarget(name string) (w unit.Power, h unit.Hashrate, ok bool) {
	if s, is := strings.CutSuffix(name, "TH/s"); is {
		v, err := strconv.ParseFloat(s, 64)
		return 0, unit.Hashrate(v), err == nil && v > 0
	}
	if s, is := strings.CutSuffix(name, "W"); is {
		v, err := strconv.ParseFloat(s, 64)
		return unit.Power(v), 0, err == nil && v > 0
	}
	return 0, 0, false
}
