package avalon

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/unit"
)

// read fills the reading from replies, the general ones first.
func read(r *miner.Reading, in replies) {
	modules := in.modules(r.Warn)
	model := identify(r, in.version, modules)
	cgminer.FillSummary(r, in.summary)
	fillDevice(r, in)
	cgminer.FillPools(r, in.pools)
	mergeSlots(r)
	if len(modules) > 0 {
		readModules(r, modules, model)
	} else {
		r.State = stateFromRates(r)
	}
	if in.hasPool && r.State != miner.Sleeping && !slices.ContainsFunc(r.Faults, func(f miner.Fault) bool { return f.Code == miner.ControlPool }) {
		cgminer.FaultDeadPools(r)
	}
	fillRest(r, in)
	if len(modules) > 0 || in.help != "" {
		e := envelope(r, in.help, modules)
		r.Envelope = &e
	}
}

// fillDevice takes from devs what summary did not tell. Its device is the
// controller and not a board, and its temperature is always zero.
func fillDevice(r *miner.Reading, in replies) {
	o := in.devs
	if o.Empty() {
		return
	}
	if in.summary.Empty() {
		cgminer.FillSummary(r, o)
		r.MinerUptime = o.Seconds("Device Elapsed").OrElse(r.MinerUptime)
		return
	}
	o.Use("MHS 15m", "MHS 1m", "MHS 5m", "MHS 5s", "MHS av", "Accepted", "Rejected", "Hardware Errors", "Device Hardware%", "Device Elapsed")
}

// slotsKey is where the number of pool slots is filed when some repeat a pool.
const slotsKey = "pools.slots"

// mergeSlots takes a slot that repeats an earlier pool as part of that one: a
// slot cannot be emptied, so spare ones are filled with the last pool.
func mergeSlots(r *miner.Reading) {
	slots := len(r.Pools)
	var out []miner.Pool
	for _, p := range r.Pools {
		i := slices.IndexFunc(out, func(o miner.Pool) bool { return o.URL == p.URL && o.User == p.User })
		if i < 0 {
			out = append(out, p)
			continue
		}
		o := &out[i]
		o.Accepted, o.Rejected, o.Stale = plus(o.Accepted, p.Accepted), plus(o.Rejected, p.Rejected), plus(o.Stale, p.Stale)
		if p.Active.Or(false) {
			o.Alive, o.Active, o.Status, o.Difficulty, o.LastShare = p.Alive, p.Active, p.Status, p.Difficulty, p.LastShare
		}
	}
	if len(out) < slots {
		r.Pools = out
		extra(r, slotsKey, strconv.Itoa(slots))
	}
}

func plus(a, b unit.Opt[int64]) unit.Opt[int64] {
	if !a.Ok() || !b.Ok() {
		return a.OrElse(b)
	}
	return unit.Some(a.Or(0) + b.Or(0))
}

// stateFromRates is what can be said without a machine text: a rate is hashing,
// its lack could be anything.
func stateFromRates(r *miner.Reading) miner.State {
	if r.HashrateNow.Or(0) > 0 {
		return miner.Hashing
	}
	return miner.Unknown
}

// readModules reads the machine texts into one reading.
func readModules(r *miner.Reading, modules []*module, model miner.Model) {
	var sums moduleSums
	states := make([]miner.State, len(modules))
	for i, m := range modules {
		now := m.speed(r.Warn)
		likely := now
		if len(modules) == 1 {
			likely = now.OrElse(r.HashrateNow)
		}
		states[i] = m.work(likely)
		if told := m.get("SYSTEMSTATU"); told != "" {
			r.StateTold = kept(strings.TrimPrefix(r.StateTold+"; "+told, "; "))
		}
		prefix := ""
		if len(modules) > 1 {
			prefix = "MM" + strconv.Itoa(m.number) + "."
		}
		boards := m.boards(r, states[i], now, len(r.Boards), model.Chips)
		r.Boards = append(r.Boards, boards...)
		m.fans(r, prefix)
		supply := m.supply(r, &sums)
		m.temperatures(r, states[i])
		sums.add(m, r.Warn, now)
		m.faults(r, states[i], boards, supply)
		m.settings(r, model)
		m.rest(r, prefix)
	}
	r.State = overall(states)
	sums.store(r)
	missingBoards(r, modules, model)
}

// overall is the state of a controller with several modules.
func overall(states []miner.State) miner.State {
	for _, s := range []miner.State{miner.Hashing, miner.Starting, miner.Stopped, miner.Sleeping} {
		if slices.Contains(states, s) {
			return s
		}
	}
	return miner.Unknown
}

// moduleSums adds up what modules tell each for itself. A figure that one of
// them lacks is missing for the whole.
type moduleSums struct {
	modules                int
	now, average, expected sum[unit.Hashrate]
	watts                  sum[unit.Power]
	limit                  sum[unit.Power]
	errors                 sum[float64]
	worst                  unit.Opt[unit.Ratio]
	uptime                 unit.Opt[time.Duration]
}

type sum[T ~float64] struct {
	v T
	n int
}

func (s *sum[T]) add(v unit.Opt[T]) {
	if x, ok := v.Get(); ok {
		s.v += x
		s.n++
	}
}

func (s *sum[T]) of(n int) unit.Opt[T] {
	if n == 0 || s.n != n {
		return unit.None[T]()
	}
	return unit.Some(s.v)
}

func (s *moduleSums) add(m *module, warn cgminer.Warn, now unit.Opt[unit.Hashrate]) {
	s.modules++
	s.now.add(now)
	average := m.rate(warn, "GHSavg")
	if !average.Ok() {
		average = m.byWork(warn)
	}
	s.average.add(average)
	if expected := m.rate(warn, "GHSmm"); expected.Or(0) > 0 { // else it is off
		s.expected.add(expected)
	}
	s.errors.add(m.num("HW"))
	s.limit.add(m.watts(warn, "MPO", m.num("MPO")))
	if dh, ok := m.num("DH").Get(); ok && dh >= 0 && dh <= 100 {
		s.worst = unit.Some(max(s.worst.Or(0), unit.Ratio(dh/100)))
	}
	if up := m.seconds("Elapsed"); up.Or(0) > s.uptime.Or(-1) {
		s.uptime = up
	}
}

// byWork is the average since start by WU, the shares of difficulty 1 found in a
// minute: an A8 tells no other rate.
func (m *module) byWork(warn cgminer.Warn) unit.Opt[unit.Hashrate] {
	const hashes = 1 << 32 // for one share
	v, ok := m.num("WU").Get()
	if !ok {
		return unit.None[unit.Hashrate]()
	}
	return m.gigahash(warn, "WU", v*hashes/60/1e9)
}

// store prefers the modules' own present rate and error counts over cgminer's,
// which counts by shares, and cgminer's average since start over the modules'.
func (s *moduleSums) store(r *miner.Reading) {
	r.HashrateNow = s.now.of(s.modules).OrElse(r.HashrateNow)
	r.HashrateAverage = r.HashrateAverage.OrElse(s.average.of(s.modules))
	r.HashrateNominal = s.expected.of(s.modules).OrElse(r.HashrateNominal)
	r.HWErrorRatio = s.worst.OrElse(r.HWErrorRatio)
	if n, ok := s.errors.of(s.modules).Get(); ok && n >= 0 && n < 1e15 {
		r.HWErrors = unit.Some(int64(n))
	}
	if w := s.watts.of(s.modules); w.Ok() {
		r.Power, r.PowerSource = w, miner.PowerPSU
	}
	r.PowerLimit = s.limit.of(s.modules)
	r.MinerUptime = r.MinerUptime.OrElse(s.uptime)
}

// fans reads Fan1, Fan2, .. (an A8's only Fan) and FanR.
func (m *module) fans(r *miner.Reading, prefix string) {
	duty := unit.None[unit.Ratio]()
	if v, ok := m.num("FanR").Get(); ok && v >= 0 && v <= 100 {
		duty = unit.Some(unit.Ratio(v / 100))
		r.FanDuty = unit.Some(max(r.FanDuty.Or(0), unit.Ratio(v/100)))
	}
	for i, f := range m.fields {
		number, isFan := strings.CutPrefix(f.key, "Fan")
		if _, ok := small(number); !isFan || number != "" && !ok {
			continue
		}
		m.used[i] = true
		fan := miner.Fan{Index: len(r.Fans), Name: kept(prefix + f.key), Duty: duty}
		const fastest = 60000
		if v, ok := numberIn(f.value); ok && v >= 0 && v < fastest {
			fan.Speed = unit.Some(unit.Speed(v))
		} else if ok {
			r.Warn(miner.WarnImplausible, m.where+"."+f.key, kept(f.value))
		}
		r.Fans = append(r.Fans, fan)
	}
}

func numberIn(s string) (float64, bool) { return number(strings.TrimSpace(s)) }

// supply reads the power supply, if there is a word of it, and returns its index.
func (m *module) supply(r *miner.Reading, sums *moduleSums) int {
	p, draw := m.readPSU(r.Warn)
	sums.watts.add(draw.watts)
	if m.get("PS") == "" {
		return -1
	}
	p.Index = len(r.PSUs)
	r.PSUs = append(r.PSUs, p)
	if control, ok := at(m.list("PS"), psControl); ok && control > 0 && control < 2000 {
		extra(r, "PS.control_voltage_v", strconv.FormatFloat(control/100, 'f', -1, 64))
	}
	return p.Index
}

// temperatures reads the module's own: Temp (at the air's intake), ITemp and
// OTemp (air or coolant in and out), the hottest chip.
func (m *module) temperatures(r *miner.Reading, state miner.State) {
	r.TempAmbient = cgminer.MaxTemperature(r.TempAmbient, m.temp(r.Warn, "Temp"))
	inlet, outlet := m.temp(r.Warn, "ITemp"), m.temp(r.Warn, "OTemp")
	for _, b := range r.Boards {
		r.TempBoard = cgminer.MaxTemperature(r.TempBoard, b.TempInlet, b.TempOutlet, b.TempBoard)
		r.TempChip = cgminer.MaxTemperature(r.TempChip, b.TempChipMax)
	}
	if len(r.Fans) == 0 { // hydro: the boards' outlet is the coolant's
		for _, b := range r.Boards {
			outlet = cgminer.MaxTemperature(outlet, b.TempOutlet)
		}
	} else if !r.TempAmbient.Ok() {
		r.TempAmbient = inlet
	}
	r.TempInlet = cgminer.MaxTemperature(r.TempInlet, inlet)
	r.TempOutlet = cgminer.MaxTemperature(r.TempOutlet, outlet)
	if !m.chipsAsleep(state) {
		r.TempChip = cgminer.MaxTemperature(r.TempChip, m.temp(r.Warn, "TMax"))
	}
}

// settings reads what the module is set to.
func (m *module) settings(r *miner.Reading, model miner.Model) {
	if mode, ok := m.num("WORKMODE").Get(); ok {
		r.Mode = modeName(model, m.isNested(), int(mode))
		if r.Mode == "" {
			r.Mode = strconv.Itoa(int(mode))
		}
		extra(r, "WORKMODE", m.get("WORKMODE"))
	}
	if level := m.get("WORKLEVEL"); level != "" {
		r.Profile = kept(levelPrefix + level)
	}
	if off := m.get("SoftOFF"); off != "" {
		extra(r, "SoftOFF", off)
	}
	if led, ok := m.num("Led").Get(); ok {
		r.Locating = unit.Some(r.Locating.Or(false) || led == 1)
	}
	if all, ok := m.num("ADJ").Get(); ok {
		r.Tuning = "calibrating"
		if all != 0 {
			r.Tuning = "calibrated"
		}
	}
}

// isNested tells the newer generation of firmwares, wherever its text came from.
func (m *module) isNested() bool {
	return m.nested || m.get("LVer") != "" || m.get("BVer") != "" || m.get("WORKLEVEL") != ""
}

// missingBoards adds the slots of which a machine says nothing at all, so that
// a board that fell off the bus is seen.
func missingBoards(r *miner.Reading, modules []*module, model miner.Model) {
	if len(modules) != 1 || len(r.Boards) == 0 || model.Boards <= len(r.Boards) || model.Boards > mostBoards {
		return
	}
	if all, ok := modules[0].num("TA").Get(); ok && all >= float64(model.Boards*model.Chips) {
		return // every chip is there: this one has them on fewer boards than the table knows
	}
	for i := len(r.Boards); i < model.Boards; i++ {
		r.Boards = append(r.Boards, miner.Board{Index: i, Present: unit.Some(false)})
		r.Faults = append(r.Faults, miner.NewFault(miner.BoardMissing, miner.Major, i, "", "a "+model.Name+" has "+strconv.Itoa(model.Boards)+" boards"))
	}
}

// fillRest files what no field takes.
func fillRest(r *miner.Reading, in replies) {
	in.summary.Rest(r, "summary.")
	in.version.Rest(r, "version.")
	in.devs.Rest(r, "devs.")
	for _, e := range slices.Backward(in.stats) {
		e.o.Use("Calls", "Wait", "Max", "Min", "STATS", "ID", "Elapsed")
		e.o.Rest(r, "stats.")
	}
	for _, o := range in.others {
		o.Rest(r, o.Where()+".")
	}
}
