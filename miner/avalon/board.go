package avalon

import (
	"math"
	"strconv"
	"strings"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/unit"
)

// boardLists are the figures with one value for each board.
type boardLists struct {
	rates, hottest, mean, errors, inlet, outlet, pcb []float64
}

func (m *module) lists() boardLists {
	return boardLists{
		rates: m.list("MGHS"), hottest: m.list("MTmax"), mean: m.list("MTavg"), errors: m.list("MH"),
		inlet: m.list("HBITemp"), outlet: m.list("HBOTemp"), pcb: m.list("HBTemp"),
	}
}

// boards reads the module's hash boards; their indices start at first.
// now is what it hashes, expected the number of chips on one board by the table
// of models, 0 unknown.
func (m *module) boards(r *miner.Reading, state miner.State, now unit.Opt[unit.Hashrate], first, expected int) []miner.Board {
	l := m.lists()
	n := max(len(l.rates), len(l.hottest), len(l.errors), m.slots, len(m.list("ECHU")))
	if counted, told := m.hashBoards(); told && n == 0 {
		n = counted
	}
	if n == 0 || n > mostBoards {
		return nil
	}
	asleep := m.chipsAsleep(state)
	out := make([]miner.Board, n)
	for i := range out {
		b := &out[i]
		b.Index = first + i
		b.Hashrate = m.boardRate(r.Warn, l, i, n, state, now)
		b.Frequency = m.frequency(i)
		if v, ok := at(l.errors, i); ok && v >= 0 {
			b.HWErrors = unit.Some(int64(v))
		}
		b.TempInlet = m.tempAt(r.Warn, "HBITemp", l.inlet, i)
		b.TempOutlet = m.tempAt(r.Warn, "HBOTemp", l.outlet, i)
		b.TempBoard = m.tempAt(r.Warn, "HBTemp", l.pcb, i)
		coldest := m.chips(r.Warn, b, i)
		chip, told := b.Chip.Get()
		if !asleep {
			b.TempChipMax = m.tempAt(r.Warn, "MTmax", l.hottest, i)
			b.TempChipMean = m.tempAt(r.Warn, "MTavg", l.mean, i)
			if told {
				b.TempChipMax = b.TempChipMax.OrElse(chip.TempMax)
				b.TempChipMean = b.TempChipMean.OrElse(chip.TempMean)
				b.TempChipMin = coldest
			}
		}
	}
	if asleep && m.slots > 0 {
		r.Warn(miner.WarnConflict, m.where+".PVT_T", "chips told as warm beside a board that is off: left from before")
	}
	if n == 1 {
		m.moduleTemps(r.Warn, &out[0], asleep)
	}
	m.present(r, out)
	m.expect(out, expected)
	return out
}

// boardRate is what a board hashes. MGHS is an average since start; a board of
// a machine that stands still hashes nothing whatever its average says, and a
// lone board hashes what the machine does.
func (m *module) boardRate(warn cgminer.Warn, l boardLists, i, n int, state miner.State, now unit.Opt[unit.Hashrate]) unit.Opt[unit.Hashrate] {
	if v, ok := now.Get(); ok && (n == 1 || v == 0 && state != miner.Hashing) {
		return now
	}
	v, ok := at(l.rates, i)
	if !ok {
		return unit.None[unit.Hashrate]()
	}
	return m.gigahash(warn, "MGHS", v)
}

// frequency is a board's mean chip clock: its four PLL settings weighed by how
// many cores run at each, as PLLn counts them.
func (m *module) frequency(i int) unit.Opt[unit.Frequency] {
	set := numbers(m.of("SF", i))
	if len(set) == 0 {
		set = numbers(m.of("ATABD", i))
	}
	weights := numbers(m.of("PLL", i))
	sum, weight := 0.0, 0.0
	for k, f := range set {
		w := 1.0
		if len(weights) == len(set) && total(weights) > 0 {
			w = weights[k]
		}
		sum, weight = sum+f*w, weight+w
	}
	mhz := sum / weight
	if !(weight > 0) || !(mhz > 0) || mhz > 10000 {
		v, ok := m.num("Freq").Get()
		if !ok || v <= 0 || v > 10000 {
			return unit.None[unit.Frequency]()
		}
		mhz = v
	}
	return unit.Some(unit.Frequency(mhz) * unit.Megahertz)
}

func total(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum
}

// moduleTemps gives the only board what is told of the module as a whole.
func (m *module) moduleTemps(warn cgminer.Warn, b *miner.Board, asleep bool) {
	if asleep {
		return
	}
	b.TempChipMax = m.temp(warn, "TMax").OrElse(b.TempChipMax)
	b.TempChipMean = m.temp(warn, "TAvg").OrElse(b.TempChipMean)
}

// chipsAsleep tells whether the chips' figures are left from before: the module
// does not hash and says itself that no chip has a temperature.
func (m *module) chipsAsleep(state miner.State) bool {
	if state != miner.Sleeping && state != miner.Stopped {
		return false
	}
	hottest, ok := m.num("TMax").Get()
	return ok && hottest <= 0
}

// chips reads a board's per-chip lists: PVT_T °C, PVT_V mV, MW nonces, ASICCRC
// errors. A chip that does not answer shows 0 or -273 °C, 0 mV and no nonces.
// It returns the coldest chip.
func (m *module) chips(warn cgminer.Warn, b *miner.Board, i int) (coldest unit.Opt[unit.Temperature]) {
	c := miner.Chips{Temps: numbersAs[unit.Temperature](m.of("PVT_T", i)), Voltages: numbersAs[unit.Voltage](m.of("PVT_V", i)), Hashrates: numbersAs[unit.Hashrate](m.of("MW", i))}
	n := max(len(c.Temps), len(c.Voltages), len(c.Hashrates))
	if n == 0 {
		return coldest
	}
	answering, absurd := 0, 0
	low := unit.Temperature(math.Inf(1))
	for k := range n {
		alive := k < len(c.Hashrates) && c.Hashrates[k] > 0
		if k < len(c.Temps) {
			switch t := c.Temps[k]; {
			case t > -60 && t < 200 && t != 0:
				alive, low = true, min(low, t)
			case t >= 200, t <= -60 && t > -270:
				absurd++
				fallthrough
			default:
				c.Temps[k] = unit.Temperature(math.NaN())
			}
		}
		if k < len(c.Voltages) {
			v := c.Voltages[k]
			alive = alive || v > 0
			if c.Voltages[k] = v / 1000; !(v > 0 && v < 5000) {
				c.Voltages[k] = unit.Voltage(math.NaN())
			}
		}
		if alive {
			answering++
		}
	}
	if absurd > 0 {
		warn(miner.WarnImplausible, m.where+".PVT_T"+strconv.Itoa(i), strconv.Itoa(absurd)+" chips at temperatures that cannot be")
	}
	for _, e := range numbers(m.of("ASICCRC", i)) {
		if e >= 0 && e < 1e15 {
			c.Errors = append(c.Errors, int64(e))
		}
	}
	if !share(c.Hashrates, b.Hashrate) {
		c.Hashrates, c.Dead = nil, unit.Some(n-answering)
	}
	b.Chips = unit.Some(answering)
	b.Chip = miner.SummarizeChips(c)
	if !math.IsInf(float64(low), 1) {
		coldest = unit.Some(low)
	}
	return coldest
}

// share turns the nonces that each chip found into its share of the board's
// rate; it is false when there is nothing to share.
func share(works []unit.Hashrate, rate unit.Opt[unit.Hashrate]) bool {
	board, ok := rate.Get()
	all := unit.Hashrate(0)
	for _, w := range works {
		if w > 0 {
			all += w
		}
	}
	if !ok || board <= 0 || all <= 0 {
		return false
	}
	for k, w := range works {
		if works[k] = 0; w > 0 {
			works[k] = board * (w / all)
		}
	}
	return true
}

// present marks the boards that the controller does not see: SYSTEMSTATU counts
// those that it does, and one without rate, temperature and chips is missing.
func (m *module) present(r *miner.Reading, boards []miner.Board) {
	seen, told := m.hashBoards()
	gone := 0
	for i := range boards {
		b := &boards[i]
		silent := b.Hashrate.Or(0) == 0 && !b.TempChipMax.Ok() && b.Chips.Or(0) == 0
		switch {
		case told && seen < len(boards) && silent:
			b.Present = unit.Some(false)
			gone++
		case told:
			b.Present = unit.Some(true)
		case m.slots > 0 || !silent:
			b.Present = unit.Some(!silent)
		}
	}
	if told && gone != max(0, len(boards)-seen) {
		r.Warn(miner.WarnConflict, m.where+".SYSTEMSTATU", "boards counted: "+strconv.Itoa(seen)+", boards that show anything: "+strconv.Itoa(len(boards)-gone))
	}
}

// hashBoards is the number in "Work: In Work, Hash Board: 3".
func (m *module) hashBoards() (int, bool) {
	_, after, found := strings.Cut(m.get("SYSTEMSTATU"), "Hash Board:")
	if !found {
		return 0, false
	}
	v, ok := number(strings.TrimSpace(after))
	if !ok || v < 0 || v > mostBoards {
		return 0, false
	}
	return int(v), true
}

// expect says how many chips each board should have: TA counts the module's,
// the table of models knows the rest.
func (m *module) expect(boards []miner.Board, table int) {
	each := table
	if all, ok := m.num("TA").Get(); ok {
		n := len(boards)
		if seen, told := m.hashBoards(); told && seen > 0 && table > 0 && int(all) == seen*table {
			n = seen
		}
		if all > 0 && int(all)%n == 0 {
			each = int(all) / n
		}
	}
	for i := range boards {
		if each > 0 && each < 10000 {
			boards[i].ChipsExpected = unit.Some(each)
		}
	}
}
