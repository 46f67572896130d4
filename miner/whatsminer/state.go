package whatsminer

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/unit"
)

const (
	// booting is how long a mining process may run without hashing before that
	// is a fault: board start-up with its retries.
	booting = 15 * time.Minute
	// rising is how long the frequency may rise: ten minutes at the slow speed,
	// far more when the machine tunes anew.
	rising = time.Hour
)

// finish draws the conclusions.
func (s *sight) finish() {
	r := &s.r
	s.decideState()
	s.boards()
	s.fans()
	s.nominal()
	if done, ok := s.upfreq.Get(); ok {
		r.Tuning = map[bool]string{true: "frequency risen", false: "frequency rising"}[done]
	}
	if p, ok := s.percent.Get(); ok {
		r.Profile = percentName(p)
	}
	if up, ok := r.Uptime.Get(); ok && r.MinerUptime.Or(0) > up+time.Minute {
		r.Warn(miner.WarnConflict, "uptime", "the mining process runs longer than the machine")
	}
	s.shares()
	if len(r.PSUs) > 0 {
		r.PSUs[0].Present = unit.Some(!slices.ContainsFunc(r.Faults, func(f miner.Fault) bool { return f.Vendor == "200" }))
	}
	if len(r.Boards) == 0 {
		r.Boards = nil
	}
	r.Envelope = s.envelope()
}

// shares counts for the machine what only its pools tell.
func (s *sight) shares() {
	r := &s.r
	for _, c := range []struct {
		to *unit.Opt[int64]
		of func(miner.Pool) unit.Opt[int64]
	}{
		{&r.Accepted, func(p miner.Pool) unit.Opt[int64] { return p.Accepted }},
		{&r.Rejected, func(p miner.Pool) unit.Opt[int64] { return p.Rejected }},
		{&r.Stale, func(p miner.Pool) unit.Opt[int64] { return p.Stale }},
	} {
		if c.to.Ok() {
			continue
		}
		for _, p := range r.Pools {
			if n, ok := c.of(p).Get(); ok {
				*c.to = unit.Some(c.to.Or(0) + n)
			}
		}
	}
}

// decideState goes by the firmware's word first: told to be off is asleep,
// unless a protection of its own switched it off.
func (s *sight) decideState() {
	r := &s.r
	now, rateTold := r.HashrateNow.OrElse(r.HashrateAverage).Get()
	elapsed, running := r.MinerUptime.Get()
	if off, ok := s.off.Get(); ok && off {
		r.State, r.StateTold = miner.Sleeping, "miner off"
		if s.offReason != "" {
			r.StateTold += ": " + s.offReason
		}
		if s.offByFault() {
			r.State = miner.Stopped
		}
		return
	}
	switch {
	case !rateTold && !running:
		if s.off.Ok() { // told to run, and has nothing to tell yet
			r.State, r.StateTold = miner.Starting, "running"
		}
	case now > 0:
		r.State = miner.Hashing
		if done, ok := s.upfreq.Get(); ok && !done && elapsed < rising && now < s.factory.Or(0)*0.9 {
			r.State, r.StateTold = miner.Starting, "frequency rises"
		}
	case running && elapsed < booting:
		r.State, r.StateTold = miner.Starting, "no hashrate yet"
	case rateTold:
		r.State, r.StateTold = miner.Stopped, "no hashrate"
	}
}

// offByFault tells a machine that a protection switched off from one that was
// told to sleep. Newer firmware gives a reason; without one, a fault that stops
// the whole machine must be the cause.
func (s *sight) offByFault() bool {
	if s.offReason != "" {
		why := strings.ToLower(s.offReason)
		return slices.ContainsFunc([]string{"err", "fail", "fault", "protect", "over", "temp", "abnormal"}, func(word string) bool {
			return strings.Contains(why, word)
		})
	}
	return slices.ContainsFunc(s.r.Faults, func(f miner.Fault) bool {
		return f.Severity == miner.Critical && f.Code != miner.ControlPool
	})
}

// boards completes the slots: what the table of models knows, the boards that
// the machine does not list, and the machine-wide temperatures.
func (s *sight) boards() {
	r := &s.r
	s.boardTemps()
	listed := slices.ContainsFunc(r.Boards, func(b miner.Board) bool { return b.Present.Ok() })
	if n := s.slots(); listed && r.State != miner.Sleeping {
		for slot := range n {
			s.board(slot)
		}
	}
	slices.SortFunc(r.Boards, func(a, b miner.Board) int { return cmp.Compare(a.Index, b.Index) })
	for i := range r.Boards {
		b := &r.Boards[i]
		missing := slices.ContainsFunc(r.Faults, func(f miner.Fault) bool { return f.Code == miner.BoardMissing && f.Index == b.Index })
		if missing || listed && !b.Present.Ok() && r.State != miner.Sleeping {
			b.Present = unit.Some(false)
		}
		if s.model.Chips > 0 && b.Present.Or(true) {
			opt(&b.ChipsExpected, unit.Some(s.model.Chips))
		}
		if rate, ok := s.detected[b.Index]; ok {
			opt(&b.HashrateNominal, unit.Some(rate))
		}
		r.TempBoard = cgminer.MaxTemperature(r.TempBoard, b.TempBoard)
		if !r.TempChip.Ok() {
			r.TempChip = cgminer.MaxTemperature(r.TempChip, b.TempChipMax)
		}
	}
	opt(&r.TempBoard, s.summary)
}

// boardTemps gives the boards the temperatures that API v3 lists beside them: in
// the order of the boards that are there when there are as many, else by slot.
func (s *sight) boardTemps() {
	slots := make([]int, 0, mostBoards)
	for _, b := range s.r.Boards {
		if b.Present.Or(false) {
			slots = append(slots, b.Index)
		}
	}
	slices.Sort(slots)
	for i, t := range s.pcb[:min(len(s.pcb), mostBoards)] {
		if v := boardTemperature(s.r.Warn, "summary.board-temperature."+strconv.Itoa(i), t); v.Ok() {
			slot := i
			if len(slots) == len(s.pcb) {
				slot = slots[i]
			}
			opt(&s.board(slot).TempBoard, v)
		}
	}
}

// slots is how many boards there should be: the machine's own figure first.
func (s *sight) slots() int {
	n := s.boardNum.Or(s.model.Boards)
	return min(n, mostBoards)
}

// fans leaves out the fans of a machine that has none: liquid-cooled machines
// tell two that stand still. Of a machine that is not known, one that hashes
// without a fan turning is taken for such.
func (s *sight) fans() {
	r := &s.r
	if slices.ContainsFunc(r.Fans, func(f miner.Fan) bool { return f.Speed.Or(0) > 0 }) {
		return
	}
	cooling := s.model.Cooling
	liquid := cooling == miner.Hydro || cooling == miner.Immersion || cooling == "" && r.State == miner.Hashing
	if s.liquid.Or(false) || liquid {
		r.Fans = nil
	}
}

// nominal is the rate that the firmware expects. Its factory figure holds at
// full power only; under a limit that someone set, API v2's target is what is
// expected, and nothing when there is none: a curtailed machine is not a weak
// one.
func (s *sight) nominal() {
	r := &s.r
	if !s.reduced() {
		r.HashrateNominal = s.factory.OrElse(s.target)
		return
	}
	if f, ok := s.factory.Get(); ok {
		s.keep("factory-hash", f.String())
	}
	if t, ok := s.target.Get(); ok && t > 0 && t < s.factory.Or(t+1) {
		r.HashrateNominal = s.target
	}
}

// reduced tells whether a setting keeps the machine below its factory rate.
func (s *sight) reduced() bool {
	if s.r.Mode == miner.ModeLow || s.percent.Or(100) < 100 {
		return true
	}
	limit, ok := s.r.PowerLimit.Get()
	return ok && s.limited && (s.model.Power == 0 || limit < s.model.Power*0.95)
}
