package cgminer

import (
	"math"
	"strings"

	"ballast/miner"
	"ballast/unit"
)

// mostSlots is how many chains and fans bmminer ever listed.
const mostSlots = 17

// chain is what a STATS object tells of one chain, by the number in its keys.
type chain struct {
	used                           bool
	chips                          unit.Opt[int64] // chain_acn
	chipMap                        string          // chain_acs
	rate, ideal, freq, hw, power   *Field
	temp, temp2, temp3             *Field // hottest PCB sensor; chip sensors
	pcb, chip                      *Field // "40-42-45-47"
	inPCB, outPCB, inChip, outChip *Field
}

// FillChains reads a STATS object in the form that Bitmain's bmminer made
// common: chain_acn1, chain_acs1, chain_rate1, temp_pcb1, fan1, ... Chains
// become boards, counted from 0 and from the first slot that the machine uses
// (an S9 has 6, 7 and 8). m is the machine's row in the table of models, or
// zero: it tells how many boards there should be, so that a lost one is seen.
//
// It reads the totals of the object as well where the reading has none yet:
// elapsed time, hashrates, the sum of hardware errors. It is false when the
// object has no chains.
func FillChains(r *miner.Reading, o Object, m miner.Model) bool {
	var slots [mostSlots]chain
	var fans [mostSlots]*Field
	if !sortChains(o, &slots, &fans) {
		return false
	}
	one := RateUnit(o.Text("rate_unit"), unit.GHs)
	r.MinerUptime = r.MinerUptime.OrElse(o.Seconds("Elapsed"))
	now, average := rates(o, r.Warn)
	r.HashrateNow = r.HashrateNow.OrElse(now)
	r.HashrateAverage = r.HashrateAverage.OrElse(average).OrElse(o.Hashrate(r.Warn, one, "rate_30m"))
	r.HashrateNominal = r.HashrateNominal.OrElse(nonzero(o.Hashrate(r.Warn, one, "total_rateideal")))
	r.HWErrors = r.HWErrors.OrElse(o.Count("no_matching_work"))
	r.HWErrorRatio = r.HWErrorRatio.OrElse(o.Percent("Device Hardware%"))
	o.Use(sums...)
	if p := o.Power(r.Warn, "power", "Power", "watt", "chain_power"); p.Or(0) > 0 && !r.Power.Ok() {
		r.Power, r.PowerSource = p, miner.PowerEstimated
	}
	first, count := chainSpan(&slots, m.Boards)
	asleep := true
	for i := range slots {
		asleep = asleep && slots[i].chips.Or(0) == 0
	}
	for i := range count {
		fillChain(r, o.where, BoardAt(r, i), &slots[first+i], one, asleep, m)
	}
	fillFans(r, o, &fans, m.Fans)
	return true
}

// FillFans reads fan1, fan2, ... of a STATS object without chains. want is how
// many fans the model has, 0 when that is not known.
func FillFans(r *miner.Reading, o Object, want int) {
	var fans [mostSlots]*Field
	for i := range o.fields {
		f := &o.fields[i]
		if name, n := numbered(f.Key); name == "fan" && n > 0 && n < mostSlots {
			f.used = true
			fans[n] = f
		}
	}
	fillFans(r, o, &fans, want)
}

// sums are keys that only count or sum up what the chains tell.
var sums = []string{"miner_count", "fan_num", "temp_num", "temp_max", "total_acn", "total_rate", "total_freqavg", "frequency"}

func nonzero[T ~float64](v unit.Opt[T]) unit.Opt[T] {
	if v.Or(0) == 0 {
		return unit.None[T]()
	}
	return v
}

// sortChains takes the numbered keys of o apart. It is false when there is no
// chain among them.
func sortChains(o Object, slots *[mostSlots]chain, fans *[mostSlots]*Field) bool {
	found := false
	for i := range o.fields {
		f := &o.fields[i]
		name, n := numbered(f.Key)
		if n < 1 || n >= mostSlots {
			continue
		}
		s := &slots[n]
		f.used = true
		switch name {
		case "chain_acn":
			s.chips, found = countOf(f), true
			s.used = s.used || s.chips.Or(0) > 0
		case "chain_acs":
			s.chipMap = f.value
			s.used = s.used || strings.ContainsAny(f.value, "ox")
		case "chain_rate":
			s.rate, found = f, true
			s.used = s.used || f.Float().Or(0) > 0
		case "chain_rateideal":
			s.ideal = f
		case "freq", "freq_avg":
			s.freq = f
		case "chain_hw":
			s.hw = f
		case "chain_power", "chain_consumption":
			s.power = f
		case "temp":
			s.temp = f
		case "temp2_":
			s.temp2 = f
		case "temp3_":
			s.temp3 = f
		case "temp_pcb":
			s.pcb = f
		case "temp_chip":
			s.chip = f
		case "temp_in_pcb_":
			s.inPCB = f
		case "temp_out_pcb_":
			s.outPCB = f
		case "temp_in_chip_":
			s.inChip = f
		case "temp_out_chip_":
			s.outChip = f
		case "fan":
			fans[n] = f
		default:
			f.used = false
		}
	}
	return found
}

func countOf(f *Field) unit.Opt[int64] {
	if v, ok := f.Float().Get(); ok && v >= 0 && v < 1e6 {
		return unit.Some(int64(v))
	}
	return unit.None[int64]()
}

// numbered splits "chain_rate12" into "chain_rate" and 12; without a number it
// gives 0.
func numbered(key string) (name string, n int) {
	i := len(key)
	for i > 0 && key[i-1] >= '0' && key[i-1] <= '9' {
		i--
	}
	if i == len(key) || len(key)-i > 3 {
		return key, 0
	}
	for _, c := range []byte(key[i:]) {
		n = n*10 + int(c-'0')
	}
	return key[:i], n
}

// chainSpan finds the slots that are boards: want of them when the model is
// known, else as many as the slots in use span.
func chainSpan(slots *[mostSlots]chain, want int) (first, count int) {
	low, high, listed := 0, 0, 0
	for n := 1; n < mostSlots; n++ {
		if slots[n].used {
			if low == 0 {
				low = n
			}
			high = n
		}
		if slots[n].chips.Ok() || slots[n].rate != nil {
			listed = n
		}
	}
	// A control board with 16 slots uses the second five of them (S9), later
	// ones count from 1.
	first = 1
	switch {
	case low >= 6 && high-low < 5, low == 0 && listed > 8:
		first = 6
	}
	if low > 0 && (low < first || want > 0 && high >= first+want) {
		first = low
	}
	if want <= 0 && low > 0 {
		return first, high - first + 1
	}
	return first, max(0, min(want, mostSlots-first))
}

func fillChain(r *miner.Reading, where string, b *miner.Board, s *chain, one unit.Hashrate, asleep bool, m miner.Model) {
	if c, ok := s.chips.Get(); ok && !asleep {
		b.Present = unit.Some(c > 0)
		b.Chips = unit.Some(int(c))
	}
	fillChipMap(b, s, m)
	if m.ChipType != "" {
		b.ChipType = m.ChipType
	}
	rate := func(f *Field) unit.Opt[unit.Hashrate] {
		if f == nil {
			return unit.None[unit.Hashrate]()
		}
		v, ok := f.Float().Get()
		if !ok {
			return unit.None[unit.Hashrate]()
		}
		return plausible(r.Warn, where, f, times(f.value, v, one), 0, mostRate)
	}
	b.Hashrate = rate(s.rate)
	b.HashrateNominal = nonzero(rate(s.ideal))
	if s.hw != nil {
		b.HWErrors = countOf(s.hw)
	}
	if !s.used {
		return // an empty slot's zeros are no measurements
	}
	if s.freq != nil {
		if v := s.freq.Float().Or(0); v > 0 {
			b.Frequency = plausible(r.Warn, where, s.freq, unit.Frequency(v)*unit.Megahertz, 0, 10000*unit.Megahertz)
		}
	}
	if s.power != nil {
		if v := s.power.Float().Or(0); v > 0 {
			b.Power = plausible(r.Warn, where, s.power, unit.Power(v), 0, mostPow)
		}
	}
	temps := func(f *Field) Sensors {
		if f == nil {
			return Sensors{}
		}
		return f.sensors(r.Warn, where)
	}
	pcb, chips := temps(s.pcb), temps(s.chip)
	inPCB, outPCB := temps(s.inPCB), temps(s.outPCB)
	inChip, outChip := temps(s.inChip), temps(s.outChip)
	b.TempInlet, b.TempOutlet = inPCB.Max(), outPCB.Max()
	pcb.join(inPCB)
	pcb.join(outPCB)
	chips.join(inChip)
	chips.join(outChip)
	if pcb.n == 0 {
		pcb = temps(s.temp)
	}
	if chips.n == 0 {
		chips = temps(s.temp2)
		chips.join(temps(s.temp3))
	}
	b.TempBoard = pcb.Max()
	b.TempChipMax, b.TempChipMean, b.TempChipMin = chips.Max(), chips.Mean(), chips.Min()
}

func itoa(n int) string {
	if n >= 10 {
		return string([]byte{byte('0' + n/10), byte('0' + n%10)})
	}
	return string([]byte{byte('0' + n)})
}

// fillChipMap reads chain_acs: "oooo oxoo", one letter a chip, x for one that
// fails.
func fillChipMap(b *miner.Board, s *chain, m miner.Model) {
	well, bad := 0, 0
	for _, c := range []byte(s.chipMap) {
		switch c {
		case 'o', 'O':
			well++
		case 'x', 'X':
			bad++
		}
	}
	if m.Chips > 0 {
		b.ChipsExpected = unit.Some(max(m.Chips, well+bad))
	}
	if well+bad == 0 {
		return
	}
	if !b.Chips.Ok() {
		b.Chips = unit.Some(well + bad)
	}
	if !b.ChipsExpected.Ok() {
		b.ChipsExpected = unit.Some(max(b.Chips.Or(0), well+bad))
	}
	b.Chip = miner.SummarizeChips(miner.Chips{Count: well + bad, Dead: unit.Some(bad)})
}

// fillFans reads fan1, fan2, ... A control board may list more slots than the
// machine has fans; the empty ones are none, as far as that can be known from
// fan_num and the table of models.
func fillFans(r *miner.Reading, o Object, fans *[mostSlots]*Field, want int) {
	want = max(want, int(o.Count("fan_num").Or(0)))
	slots, turning := 0, 0
	for _, f := range fans {
		if f == nil {
			continue
		}
		slots++
		if f.Float().Or(0) > 0 {
			turning++
		}
	}
	standing := slots - turning
	if slots > want {
		standing = max(0, want-turning)
	}
	for _, f := range fans {
		if f == nil {
			continue
		}
		v, ok := f.Float().Get()
		if !ok || v < 0 || v == 0 && standing == 0 {
			continue
		}
		if v == 0 {
			standing--
		}
		r.Fans = append(r.Fans, miner.Fan{Index: len(r.Fans), Name: strings.Clone(f.Key), Speed: plausible(r.Warn, o.where, f, unit.Speed(v), 0, fastest)})
	}
}

// Sensors is the range of several sensors of one kind.
type Sensors struct {
	n              int
	low, high, sum float64
}

// ReadSensors takes in the readings of several temperature sensors in °C. Zeros
// and NaN are sensors that are not there; sentinels are left out with a warning.
func ReadSensors(warn Warn, where string, readings []float64) Sensors {
	s := Sensors{}
	for _, v := range readings {
		if v == 0 || math.IsNaN(v) || !Temperature(warn, where, v).Ok() {
			continue
		}
		s.join(Sensors{1, v, v, v})
	}
	return s
}

// sensors reads a field of several sensors; see [ReadSensors].
func (f *Field) sensors(warn Warn, where string) Sensors {
	s := Sensors{}
	for _, v := range f.Floats() {
		switch {
		case v == 0 || math.IsNaN(v):
		case v > coldest && v < hottest:
			s.join(Sensors{1, v, v, v})
		default:
			Temperature(warn, where+"."+f.Key, v)
		}
	}
	return s
}

func (s *Sensors) join(t Sensors) {
	switch {
	case t.n == 0:
	case s.n == 0:
		*s = t
	default:
		*s = Sensors{s.n + t.n, min(s.low, t.low), max(s.high, t.high), s.sum + t.sum}
	}
}

// Max is the hottest.
func (s Sensors) Max() unit.Opt[unit.Temperature] { return s.opt(s.high) }

// Min is the coldest.
func (s Sensors) Min() unit.Opt[unit.Temperature] { return s.opt(s.low) }

// Mean is the mean.
func (s Sensors) Mean() unit.Opt[unit.Temperature] { return s.opt(s.sum / float64(max(s.n, 1))) }

func (s Sensors) opt(v float64) unit.Opt[unit.Temperature] {
	if s.n == 0 {
		return unit.None[unit.Temperature]()
	}
	return unit.Some(unit.Temperature(v))
}

// FillTemps makes the machine's hottest board sensor and chip from its boards'.
func FillTemps(r *miner.Reading) {
	for i := range r.Boards {
		b := &r.Boards[i]
		r.TempBoard = MaxTemperature(r.TempBoard, b.TempBoard)
		r.TempChip = MaxTemperature(r.TempChip, b.TempChipMax)
		if c, ok := b.Chip.Get(); ok {
			r.TempChip = MaxTemperature(r.TempChip, c.TempMax)
		}
	}
}
