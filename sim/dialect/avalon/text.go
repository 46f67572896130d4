package avalon

import (
	"math"
	"strconv"
	"time"

	"ballast/miner"
	"ballast/sim"
)

func itoa(n int) string { return strconv.Itoa(n) }

// text writes KEY[value] pairs.
type text struct{ b []byte }

func (t *text) open(key string) {
	if len(t.b) > 0 && t.b[len(t.b)-1] != '{' {
		t.b = append(t.b, ' ')
	}
	t.b = append(append(t.b, key...), '[')
}

func (t *text) str(key, v string) { t.open(key); t.b = append(append(t.b, v...), ']') }
func (t *text) num(key string, v int64) {
	t.open(key)
	t.b = append(strconv.AppendInt(t.b, v, 10), ']')
}

func (t *text) fix(key string, v float64, decimals int, unit string) {
	t.open(key)
	t.b = append(append(strconv.AppendFloat(t.b, v, 'f', decimals, 64), unit...), ']')
}

// list writes n values separated by blanks.
func (t *text) list(key string, n int, value func(i int) float64, decimals int) {
	t.open(key)
	for i := range n {
		if i > 0 {
			t.b = append(t.b, ' ')
		}
		t.b = strconv.AppendFloat(t.b, value(i), 'f', decimals, 64)
	}
	t.b = append(t.b, ']')
}

// ints writes a list of whole numbers, right-aligned when width is more than 1.
func (t *text) ints(key string, n, width int, value func(i int) int) {
	t.open(key)
	for i := range n {
		if i > 0 {
			t.b = append(t.b, ' ')
		}
		v := value(i)
		for pad := 1; pad < width && v < int(math.Pow10(width-pad)); pad++ {
			t.b = append(t.b, ' ')
		}
		t.b = strconv.AppendInt(t.b, int64(v), 10)
	}
	t.b = append(t.b, ']')
}

// working is a board that is there, on, and powered.
func working(s *sim.Snapshot, i int) bool {
	b := &s.Boards[i]
	return b.Present && b.Enabled && (s.Phase == sim.PhaseHashing || s.Phase == sim.PhaseRamping)
}

func work(s *sim.Snapshot) string {
	seen := 0
	for i := range s.Boards {
		if s.Boards[i].Present && s.Boards[i].Enabled {
			seen++
		}
	}
	word := map[sim.Phase]string{sim.PhaseStarting: "In Init", sim.PhaseRamping: "In Work", sim.PhaseHashing: "In Work", sim.PhaseSleeping: "In Idle", sim.PhaseFailed: "In Fault"}[s.Phase]
	return "Work: " + word + ", Hash Board: " + itoa(seen)
}

// supply is PS: error, control, hash, amperes, output, set-point, wall.
func (m *machine) supply(s *sim.Snapshot) [7]int {
	p := s.PSU
	volts, amps := float64(p.VoltageOut), float64(p.CurrentOut)
	out := volts * amps
	if wall := float64(s.Power); out > wall*0.97 {
		amps *= wall * 0.95 / out
	}
	amps = math.Round(amps)
	ps := [7]int{0, 1214, int(math.Round(volts * 100)), int(amps), int(math.Round(volts * amps)), int(math.Round(float64(p.VoltageSet) * 100)), int(math.Round(float64(s.Power)))}
	for _, f := range s.Faults {
		ps[0] |= map[miner.Code]int{miner.PSUInputVoltage: 1, miner.PSUOverTemperature: 2, miner.PSUOutputVoltage: 32, miner.PSUOverCurrent: 64, miner.PSUFan: 2048}[f.Code]
	}
	return ps
}

// boardBits are a board's ECHU, moduleBits the module's ECMM.
func boardBits(s *sim.Snapshot, i int) int {
	bits := 0
	for _, f := range s.Faults {
		if f.Index == i {
			bits |= map[miner.Code]int{miner.BoardNoHash: 1, miner.ThermalChip: 64, miner.BoardInit: 256, miner.ChipMissing: 256, miner.ChipFault: 512, miner.ChipErrorRate: 512,
				miner.RailPower: 2048, miner.SensorTemperature: 4096, miner.RailVoltage: 8192}[f.Code]
		}
	}
	return bits
}

func moduleBits(s *sim.Snapshot) int {
	bits := 0
	for _, f := range s.Faults {
		if f.Code == miner.FanMissing {
			bits |= 4
		}
		if f.Code == miner.ThermalChip && f.Index < 0 {
			bits |= 64
		}
	}
	return bits
}

// target is MPO: the output that the present setting aims at, W.
func (m *machine) target(s *sim.Snapshot) int {
	full := m.spec.Model
	if s.PowerTarget > 0 {
		return int(math.Round(float64(s.PowerTarget)*0.94/10) * 10)
	}
	share := 1.0
	if full.Hashrate > 0 && s.HashrateNominal > 0 {
		share = math.Pow(float64(s.HashrateNominal/full.Hashrate), 1.6)
	}
	return int(math.Round(float64(full.Power)*0.94*share/10) * 10)
}

// errors is DH, the share of wrong results, %.
func (m *machine) errors(s *sim.Snapshot) float64 {
	e := float64(s.HWErrors)
	return 100 * per(e, e+float64(s.HashrateAvg)*s.MinerUptime.Seconds()/8.8) // MW counts per 8.8 TH
}

// common are the pairs that both generations have, from Elapsed on.
func (m *machine) common(t *text, s *sim.Snapshot) {
	n := len(s.Boards)
	t.str("SYSTEMSTATU", work(s))
	t.num("Elapsed", int64(s.Uptime/time.Second))
	t.str("BOOTBY", "0x01.00000000")
	t.num("LW", int64(s.MinerUptime.Seconds()*1000))
	t.ints("MH", n, 1, func(i int) int { return int(s.Boards[i].HWErrors) })
	if m.nested {
		t.num("DHW", 0)
	}
	t.num("HW", s.HWErrors)
	t.fix("DH", m.errors(s), 3, "%")
}

func (m *machine) rest(t *text, s *sim.Snapshot) {
	n := len(s.Boards)
	ps := m.supply(s)
	t.ints("PS", len(ps), 1, func(i int) int { return ps[i] })
	if wall(m.spec) {
		t.num("WALLPOWER", int64(ps[6]))
	}
	t.fix("GHSspd", float64(s.Hashrate5s)*1e3, 2, "")
	t.fix("DHspd", m.errors(s), 3, "%")
	t.fix("GHSmm", float64(s.HashrateNominal)*1e3, 2, "")
	t.fix("GHSavg", float64(s.HashrateAvg)*1e3, 2, "")
	t.fix("WU", float64(s.HashrateAvg)*13970, 2, "")
	t.fix("Freq", m.clockOf(s), 2, "")
	t.list("MGHS", n, func(i int) float64 { return float64(s.Boards[i].Hashrate) * 1e3 }, 2)
	chips := 0
	for i := range s.Boards {
		if s.Boards[i].Present && s.Boards[i].Enabled {
			chips += m.spec.Model.Chips
		}
	}
	if chips == 0 {
		chips = n * m.spec.Model.Chips
	}
	t.num("TA", int64(chips))
	t.num("PING", 17)
	t.num("SoftOFF", int64(m.softOff(s)))
	t.ints("ECHU", n, 1, func(i int) int { return boardBits(s, i) })
	t.num("ECMM", int64(moduleBits(s)))
	t.ints("CRC", n, 1, func(int) int { return 0 })
}

// softOff is the reason why the machine is off, 0 when it is not.
func (m *machine) softOff(s *sim.Snapshot) int {
	if s.Phase != sim.PhaseSleeping {
		return 0
	}
	return max(m.state.reason, 1)
}

func (m *machine) clockOf(s *sim.Snapshot) float64 {
	sum, n := 0.0, 0
	for i := range s.Boards {
		if s.Boards[i].Frequency > 0 {
			sum, n = sum+s.Boards[i].Frequency.MHz(), n+1
		}
	}
	return per(sum, float64(n))
}

// plls are the four settings of a board, and how many cores run at each.
func plls(s *sim.Snapshot, i int) (set, cores [4]int) {
	mhz := s.Boards[i].Frequency.MHz()
	for k := range 4 {
		set[k] = int(math.Round(mhz)) - 30 + 20*k
		cores[k] = [4]int{2400, 4600, 4600, 2400}[k]
	}
	if mhz == 0 {
		return [4]int{}, [4]int{}
	}
	return set, cores
}

// chipLists are a board's per-chip pairs; number is what their keys end in.
func (m *machine) chipLists(t *text, s *sim.Snapshot, i int, number string) {
	b := &s.Boards[i]
	n := m.spec.Model.Chips
	on := working(s, i) && len(b.PerChip) == n
	chip := func(k int) *sim.ChipSnapshot { return &b.PerChip[k] }
	live := func(k int) bool { return on && chip(k).Alive }
	seconds := s.MinerUptime.Seconds()
	t.ints("PVT_T"+number, n, 3, func(k int) int {
		if !live(k) {
			return 0
		}
		return int(math.Round(float64(chip(k).Temp)))
	})
	t.ints("PVT_V"+number, n, 1, func(k int) int {
		if !live(k) {
			return 0
		}
		return int(math.Round(float64(chip(k).Voltage) * 1000))
	})
	t.ints("MW"+number, n, 1, func(k int) int {
		if !live(k) {
			return 0
		}
		return int(float64(chip(k).Hashrate) * seconds / 8.8)
	})
}

// hottest and mean chip of a board, °C; 0 while it is off.
func hottest(s *sim.Snapshot, i int) (top, mean int) {
	if !working(s, i) {
		return 0, 0
	}
	sum, n := 0.0, 0
	for _, c := range s.Boards[i].PerChip {
		if c.Alive {
			top = max(top, int(math.Round(float64(c.Temp))))
			sum, n = sum+float64(c.Temp), n+1
		}
	}
	if n > 0 {
		return top, int(math.Round(sum / float64(n)))
	}
	for _, o := range s.Boards[i].Chip {
		if v, ok := o.Get(); ok {
			top = max(top, int(math.Round(float64(v))))
		}
	}
	return top, max(top-6, 0)
}

func extremes(s *sim.Snapshot) (top, mean int) {
	for i := range s.Boards {
		t, a := hottest(s, i)
		top, mean = max(top, t), max(mean, a)
	}
	return top, mean
}

func degrees(v float64, ok bool) int64 {
	if !ok {
		return -273
	}
	return int64(math.Round(v))
}

// fans are Fan1, Fan2, .. and FanR.
func fans(t *text, s *sim.Snapshot) {
	for i, f := range s.Fans {
		t.num("Fan"+itoa(i+1), int64(math.Round(float64(f.Speed))))
	}
	if len(s.Fans) > 0 {
		duty := s.FanDuty
		if s.Phase == sim.PhaseSleeping {
			duty = min(duty, 0.1)
		}
		t.fix("FanR", math.Round(duty*100), 0, "%")
	}
}

// classic is "MM ID0" of an A10 to A14.
func (m *machine) classic() []byte {
	s := m.lookClosely()
	n := len(s.Boards)
	t := &text{b: make([]byte, 0, 10240)}
	_, model := product(m.spec)
	t.str("Ver", model+"-"+version(m.spec))
	t.str("DNA", m.spec.Serial)
	t.fix("MEMFREE", 1201472, 1, "")
	t.str("NETFAIL", "0 0 0 0 0 0 0 0")
	m.common(t, s)
	ambient, ok := s.Ambient.Get()
	t.num("Temp", degrees(float64(ambient), ok))
	if len(s.Fans) == 0 {
		m.plumbing(t, s)
	}
	top, mean := extremes(s)
	t.num("TMax", int64(top))
	t.num("TAvg", int64(mean))
	fans(t, s)
	for i := range s.Boards {
		_, cores := plls(s, i)
		t.ints("PLL"+itoa(i), 4, 1, func(k int) int { return cores[k] })
	}
	m.rest(t, s)
	led := int64(0)
	if s.Locating {
		led = 1
	}
	t.num("Led", led)
	t.ints("MTmax", n, 1, func(i int) int { v, _ := hottest(s, i); return v })
	t.ints("MTavg", n, 1, func(i int) int { _, v := hottest(s, i); return v })
	t.str("Core", "A3201")
	t.num("POWS", 0)
	t.ints("HASHS", n, 1, func(int) int { return 0 })
	t.num("POOLS", m.noPool(s))
	for i := range s.Boards {
		set, _ := plls(s, i)
		t.ints("SF"+itoa(i), 4, 1, func(k int) int { return set[k] })
	}
	for i := range s.Boards {
		m.chipLists(t, s, i, itoa(i))
	}
	t.str("POW_I2C", "OK")
	t.num("ADJ", 1)
	t.num("MPO", int64(m.target(s)))
	t.num("MVL", 87)
	mode := int64(0)
	if s.Mode == miner.ModeHigh {
		mode = 1
	}
	t.num("WORKMODE", mode)
	return t.b
}

func (m *machine) noPool(s *sim.Snapshot) int64 {
	for _, f := range s.Faults {
		if f.Code == miner.ControlPool {
			return 1
		}
	}
	return 0
}

func (m *machine) stats(w *sim.RPCWriter) {
	s := m.look()
	elapsed := int64(s.Uptime / time.Second)
	m.head(w, "S", 70, "CGMiner stats")
	w.Section("STATS")
	w.Object("STATS=0")
	if m.json {
		w.Int("STATS", 0)
	}
	w.Text("ID", map[bool]string{false: "AVA100", true: "AVALON0"}[m.nested])
	counters(w, elapsed)
	switch {
	case m.nested && !flat(m.spec):
		m.packed(w, "MM ID0:Summary", m.summaryText())
		m.packed(w, "HBinfo", m.boardsText())
	default:
		if m.nested {
			m.packed(w, "MM ID0", m.flatText())
		} else {
			m.packed(w, "MM ID0", m.classic())
		}
		w.Int("MM Count", 1)
		w.Int("Smart Speed", 1)
		w.Int("Voltage Level Offset", 0)
		w.Int("Nonce Mask", 25)
	}
	for i := range s.Pools {
		w.Object("STATS=" + itoa(i+1))
		if m.json {
			w.Int("STATS", int64(i+1))
		}
		w.Text("ID", "POOL"+itoa(i))
		counters(w, elapsed)
		w.Int("Pool Calls", 0)
		w.Int("Times Sent", s.Pools[i].Accepted)
	}
}

func counters(w *sim.RPCWriter, elapsed int64) {
	w.Int("Elapsed", elapsed)
	w.Int("Calls", 0)
	w.Float("Wait", 0, 6)
	w.Float("Max", 0, 6)
	w.Float("Min", 99999999, 6)
}

// packed writes a machine text; the text form forgets to escape its commas.
func (m *machine) packed(w *sim.RPCWriter, key string, v []byte) {
	if m.json {
		w.Text(key, string(v))
		return
	}
	w.Bare(key, string(v))
}

func (m *machine) litestats(w *sim.RPCWriter) {
	m.head(w, "S", 70, "CGMiner stats")
	w.Section("STATS")
	w.Object("")
	if !m.json {
		w.Int("STATS", 0)
	}
	m.packed(w, "MM ID0:Summary", m.summaryText())
}
