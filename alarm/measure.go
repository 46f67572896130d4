package alarm

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ballast/miner"
	"ballast/unit"
)

// standing is how a machine is to be judged at this instant.
type standing struct {
	fresh bool // its reading may be compared
	off   bool // on purpose
	warm  bool // has hashed long enough for its rate to mean something
}

// warmUp is how long after the start of mining a rate means nothing: the slowest
// firmwares take ten minutes to full load.
const warmUp = 15 * time.Minute

// stand judges a machine. It is off on purpose when its newest reading says so,
// or when it was put to sleep by a command and does not hash: also when it does
// not answer any more, for nobody needs a sleeping machine at night.
func stand(m *Machine, now time.Time) standing {
	var s standing
	r := m.Reading
	s.fresh = r != nil && m.Contact == Answers && now.Sub(m.Answered) <= m.MaxAge
	switch {
	case r == nil:
		s.off = m.AsleepBy != ""
	case s.fresh:
		s.off = r.State == miner.Sleeping || m.AsleepBy != "" && r.State != miner.Hashing
	default:
		s.off = r.State == miner.Sleeping || m.AsleepBy != ""
	}
	if s.fresh {
		up, told := r.MinerUptime.OrElse(r.Uptime).Get()
		s.warm = !told || up >= warmUp
	}
	return s
}

// excused tells whether an open command does what w watches.
func excused(w *WatchInfo, m *Machine, now time.Time) bool {
	for i := range m.Wishes {
		if m.Wishes[i].Until.After(now) && slices.Contains(w.excused, string(m.Wishes[i].Kind)) {
			return true
		}
	}
	return false
}

// memory is what Step remembers of a subject.
type memory struct {
	conds []*Condition

	version string // of the firmware, as last seen
	was     string // before the last change
	changed time.Time

	accepted, rejected int64 // at the beginning of the window
	counted            time.Time
	rate               float64 // of rejects, over the last whole window
	rated              bool
	ratedAt            time.Time
}

const (
	rejectWindow = 15 * time.Minute // twice this is what a rate is over, at most
	rejectShares = 60               // fewer tell nothing
	changeHolds  = time.Hour
)

// learn takes up what is remembered from one reading to the next.
func (s *memory) learn(m *Machine, fresh bool, now time.Time) {
	if s.version == "" {
		s.version = m.Version
	}
	if !fresh {
		return
	}
	r := m.Reading
	if v := r.Identity.FirmwareVersion; v != "" && v != s.version {
		if s.version != "" {
			s.was, s.changed = s.version, now
		}
		s.version = v
	}
	a, ok1 := r.Accepted.Get()
	b, ok2 := r.Rejected.Get()
	switch {
	case !ok1 || !ok2:
		s.rated = false
	case s.counted.IsZero() || a < s.accepted || b < s.rejected: // first, or counters began anew
		s.accepted, s.rejected, s.counted, s.rated = a, b, now, false
	case now.Sub(s.counted) >= rejectWindow:
		if n := a - s.accepted + b - s.rejected; n >= rejectShares {
			s.rate, s.rated, s.ratedAt = float64(b-s.rejected)/float64(n), true, now
		} else {
			s.rated = false
		}
		s.accepted, s.rejected, s.counted = a, b, now
	}
}

// value is what a watch measures of a machine; ok is false when that is not
// known now.
func value(w Watch, rule *Rule, m *Machine, s standing, mem *memory, now time.Time) (v float64, ok bool) {
	switch w {
	case MachineSilent:
		switch {
		case m.Contact == Waiting:
			return 0, false
		case m.Contact != Silent:
			return 0, true
		}
		return now.Sub(latest(m.Answered, m.Watched)).Seconds(), true
	case MachineUnread:
		switch m.Contact {
		case Answers:
			return 0, true
		case Locked, Unreadable:
			return now.Sub(latest(m.Answered, m.Watched)).Seconds(), true
		}
		return 0, false
	case FirmwareChange:
		if s.fresh && mem.version != "" {
			return truth(!mem.changed.IsZero() && now.Sub(mem.changed) < changeHolds), true
		}
		return 0, false
	}
	if !s.fresh {
		return 0, false
	}
	r := m.Reading
	running := r.State == miner.Hashing || r.State == miner.Starting
	switch w {
	case MachineDown:
		switch r.State {
		case miner.Stopped:
			return 1, true
		case miner.Starting:
			return 0, true
		case miner.Hashing:
			// One that says it hashes and finds nothing hangs.
			share, ok := hashShare(r, s.warm)
			return truth(ok && share < 0.01), true
		}
	case HashrateLow:
		return hashShare(r, s.warm)
	case DataMissing:
		if r.State == miner.Hashing && s.warm {
			return truth(!r.HashrateNow.OrElse(r.HashrateAverage).Ok()), true
		}
		return 0, r.State != miner.Unknown
	case ChipHot:
		t, told := r.TempChip.Get()
		if complains(r, miner.ThermalChip, miner.ThermalBoard) {
			return max(float64(t), rule.Raise+1), true
		}
		return float64(t), told
	case BoardHot:
		t, told := r.TempBoard.Get()
		return float64(t), told
	case FanFault:
		if !running && !complains(r, miner.FanMissing, miner.FanSlow) {
			return 0, false
		}
		return float64(len(badFans(r))), true
	case BoardMissing:
		if r.State == miner.Starting {
			return 0, false // boards come up one after the other
		}
		return float64(len(badBoards(r))), len(r.Boards) > 0 || len(r.Faults) > 0
	case ChipsMissing:
		return chipsMissing(r)
	case PoolDead:
		return poolDead(r)
	case RejectRate:
		return mem.rate, mem.rated && now.Sub(mem.ratedAt) < 2*rejectWindow
	case FaultTold:
		return float64(len(told(r, rule.Faults))), true
	}
	return 0, false
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// hashShare is the present rate over what the firmware expects. The short window
// is taken: a rate averaged over half an hour is old by nature.
func hashShare(r *miner.Reading, warm bool) (float64, bool) {
	if r.State != miner.Hashing || !warm {
		return 0, false
	}
	now, ok1 := r.HashrateNow.OrElse(r.HashrateAverage).Get()
	nominal, ok2 := r.HashrateNominal.Get()
	if !ok1 || !ok2 || nominal <= 0 {
		return 0, false
	}
	return float64(now) / float64(nominal), true
}

func complains(r *miner.Reading, codes ...miner.Code) bool {
	for i := range r.Faults {
		if slices.Contains(codes, r.Faults[i].Code) {
			return true
		}
	}
	return false
}

// badFans are the fans that stand or are complained of, by index.
func badFans(r *miner.Reading) (out []int) {
	for i := range r.Faults {
		if f := &r.Faults[i]; (f.Code == miner.FanMissing || f.Code == miner.FanSlow || f.Code == miner.FanImbalance) && !slices.Contains(out, f.Index) {
			out = append(out, f.Index)
		}
	}
	if r.State != miner.Hashing {
		return out
	}
	turning := false
	for i := range r.Fans {
		if v, ok := r.Fans[i].Speed.Get(); ok && v > 0 {
			turning = true
		}
	}
	for i := range r.Fans {
		// All at zero is a machine without fans of its own (immersion, hydro).
		if f := &r.Fans[i]; turning && !f.PSU {
			if v, ok := f.Speed.Get(); ok && v == 0 && !slices.Contains(out, f.Index) {
				out = append(out, f.Index)
			}
		}
	}
	return out
}

// badBoards are the boards that are not there or do not hash, by index. A
// machine that stopped has its boards without power, and one whose boards all
// find nothing at once hangs: neither says anything of a board.
func badBoards(r *miner.Reading) (out []int) {
	dead := 0
	for i := range r.Faults {
		if r.Faults[i].Code == miner.BoardNoHash {
			dead++
		}
	}
	for i := range r.Faults {
		f := &r.Faults[i]
		gone := f.Code == miner.BoardMissing || f.Code == miner.BoardEEPROM || f.Code == miner.BoardInit || f.Code == miner.BoardNoHash && dead < max(len(r.Boards), 2)
		if gone && !slices.Contains(out, f.Index) {
			out = append(out, f.Index)
		}
	}
	if r.State != miner.Hashing {
		return out
	}
	for i := range r.Boards {
		b := &r.Boards[i]
		if on, told := b.Enabled.Get(); told && !on {
			continue // somebody switched it off
		}
		if p, ok := b.Present.Get(); ok && !p && !slices.Contains(out, b.Index) {
			out = append(out, b.Index)
		}
	}
	return out
}

func chipsMissing(r *miner.Reading) (float64, bool) {
	missing, known := 0, false
	for i := range r.Boards {
		b := &r.Boards[i]
		if p, ok := b.Present.Get(); ok && !p {
			continue // the whole board is: another rule
		}
		seen, ok1 := b.Chips.Get()
		want, ok2 := b.ChipsExpected.Get()
		if !ok1 || !ok2 || seen == 0 {
			continue
		}
		known = true
		missing += max(want-seen, 0)
	}
	return float64(missing), known
}

func poolDead(r *miner.Reading) (float64, bool) {
	if complains(r, miner.ControlPool) {
		return 1, true
	}
	known := false
	for i := range r.Pools {
		if alive, ok := r.Pools[i].Alive.Get(); ok {
			known = true
			if alive {
				return 0, true
			}
		}
	}
	return 1, known
}

// covered are codes that rules of their own watch.
var covered = []miner.Code{miner.FanMissing, miner.FanSlow, miner.FanImbalance, miner.BoardMissing, miner.BoardNoHash, miner.BoardEEPROM, miner.BoardInit,
	miner.ControlPool, miner.ThermalChip, miner.ThermalBoard}

// told are the faults of some groups that no other rule watches.
func told(r *miner.Reading, groups []string) (out []*miner.Fault) {
	for i := range r.Faults {
		f := &r.Faults[i]
		if f.Severity != miner.Info && slices.Contains(groups, f.Code.Group()) && !slices.Contains(covered, f.Code) {
			out = append(out, f)
		}
	}
	return out
}

// explain says in words what a watch saw. It is made only for conditions.
func explain(w Watch, rule *Rule, m *Machine, v float64, mem *memory) string {
	r := m.Reading
	switch w {
	case MachineSilent:
		return "no answer" + after(m.Trouble)
	case MachineUnread:
		return "cannot be read" + after(m.Trouble)
	case MachineDown:
		if r.State == miner.Hashing {
			return "says that it hashes, and finds nothing: its mining process hangs"
		}
		return "does not hash" + after(firstFault(r)) + after(r.StateTold)
	case HashrateLow:
		return fmt.Sprintf("%.0f %% of %.4g TH/s", v*100, float64(r.HashrateNominal.Or(0)))
	case ChipHot:
		if t, ok := r.TempChip.Get(); ok {
			return fmt.Sprintf("hottest chip %.0f °C", float64(t))
		}
		return "complains of heat"
	case BoardHot:
		return fmt.Sprintf("hottest board %.0f °C", v)
	case FanFault:
		return "fan " + places(badFans(r))
	case BoardMissing:
		return "board " + places(badBoards(r))
	case ChipsMissing:
		return fmt.Sprintf("%.0f chips missing", v)
	case PoolDead:
		return "no pool alive"
	case RejectRate:
		return fmt.Sprintf("%.1f %% rejected", v*100)
	case FirmwareChange:
		return mem.was + " to " + mem.version
	case DataMissing:
		return "tells no hashrate"
	case FaultTold:
		var words []string
		for _, f := range told(r, rule.Faults) {
			if t := strings.TrimSpace(f.Text + " " + f.Vendor); t != "" && !slices.Contains(words, t) {
				words = append(words, t)
			}
		}
		return strings.Join(words, "; ")
	}
	return ""
}

func firstFault(r *miner.Reading) string {
	for i := range r.Faults {
		if r.Faults[i].Severity == miner.Critical {
			return r.Faults[i].Text
		}
	}
	return ""
}

func after(s string) string {
	const most = 120
	if s == "" {
		return ""
	}
	if len(s) > most {
		s = s[:most]
	}
	return ": " + s
}

// places numbers boards and fans from 1, as on the label.
func places(index []int) string {
	slices.Sort(index)
	var out []string
	for _, i := range index {
		if i < 0 {
			return "unknown"
		}
		out = append(out, fmt.Sprint(i+1))
	}
	return strings.Join(out, ", ")
}

// deviceValue is value for meters, controllers and PDUs.
func deviceValue(w Watch, d *Device, now time.Time) (v float64, ok bool) {
	fresh := !d.Good.IsZero() && now.Sub(d.Good) <= d.MaxAge
	switch w {
	case DeviceMissing:
		if fresh {
			return 0, true
		}
		return now.Sub(latest(d.Good, d.Watched)).Seconds(), !d.Watched.IsZero()
	case SupplyHot:
		t, ok1 := d.Supply.Get()
		want, ok2 := d.Setpoint.Get()
		return float64(t - want), fresh && ok1 && ok2
	case CoolingAlarm:
		return float64(len(d.Alarms)), fresh && d.Kind == "cooling"
	}
	return 0, false
}

func explainDevice(w Watch, d *Device) string {
	switch w {
	case DeviceMissing:
		return "no usable reading" + after(d.Trouble)
	case SupplyHot:
		return fmt.Sprintf("supply %.1f °C, set to %.1f °C", float64(d.Supply.Or(0)), float64(d.Setpoint.Or(0)))
	case CoolingAlarm:
		return strings.Join(d.Alarms, ", ")
	}
	return ""
}

func (c *Cap) share(now time.Time) (float64, bool) {
	p, ok := c.Drawn.Get()
	if !ok || c.Limit <= 0 || now.Sub(c.At) > c.MaxAge {
		return 0, false
	}
	return float64(p) / float64(c.Limit), true
}

func (c *Cap) explain(v float64) string {
	return fmt.Sprintf("%s of %s (%.0f %%), by %s", watts(c.Drawn.Or(0)), watts(c.Limit), v*100, c.Source)
}

// watts is a power as people read it.
func watts(p unit.Power) string {
	switch {
	case p >= 1e6:
		return fmt.Sprintf("%.2f MW", float64(p)/1e6)
	case p >= 1e3:
		return fmt.Sprintf("%.1f kW", float64(p)/1e3)
	}
	return fmt.Sprintf("%.0f W", float64(p))
}
