package avalon

import (
	"strings"

	"ballast/miner"
	"ballast/sim"
)

// summaryText is "MM ID0:Summary" of the nested form.
func (m *machine) summaryText() []byte {
	s := m.look()
	t := &text{b: append(make([]byte, 0, 2048), "'STATS':{"...)}
	m.summaryPairs(t, s)
	t.b = append(t.b, '}')
	return t.b
}

// flatText is "MM ID0" of a Nano: the same, and the chips.
func (m *machine) flatText() []byte {
	s := m.lookClosely()
	t := &text{b: make([]byte, 0, 4096)}
	m.summaryPairs(t, s)
	for i := range s.Boards {
		m.chipLists(t, s, i, itoa(i))
	}
	return t.b
}

func (m *machine) summaryPairs(t *text, s *sim.Snapshot) {
	_, model := product(m.spec)
	t.str("Ver", model+"-"+version(m.spec))
	t.str("LVer", version(m.spec))
	t.str("BVer", version(m.spec))
	t.str("HashMcu0Ver", model[:1]+"_hb_v1.1")
	t.str("CPU", "K230")
	t.str("FW", "Release")
	t.str("DNA", m.spec.Serial)
	t.num("STATE", map[sim.Phase]int64{sim.PhaseStarting: 0, sim.PhaseRamping: 1, sim.PhaseHashing: 1, sim.PhaseSleeping: 2, sim.PhaseFailed: 3}[s.Phase])
	t.num("MEMFREE", 67896)
	t.str("NETFAIL", "0 0 0 0 0 0 0 0")
	t.str("SSID", "")
	t.num("RSSI", 0)
	m.common(t, s)
	m.plumbing(t, s)
	top, mean := extremes(s)
	t.num("TMax", int64(top))
	t.num("TAvg", int64(mean))
	t.num("TarT", 65)
	fans(t, s)
	t.num("SoftOffTime", m.state.lastOff)
	t.num("SoftOnTime", m.state.lastOn)
	t.num("Filter", 19145)
	t.num("FanErr", 0)
	t.num("SoloAllowed", 1)
	m.rest(t, s)
	t.num("PCOMM_E", 0)
	t.str("Core", "A3197S")
	t.num("BIN", 36)
	for i := range s.Boards {
		set, cores := plls(s, i)
		t.ints("PLL"+itoa(i), 4, 1, func(k int) int { return cores[k] })
		t.ints("SF"+itoa(i), 4, 1, func(k int) int { return set[k] })
	}
	t.num("LcdOnoff", 1)
	t.num("Activation", 0)
	t.num("WORKMODE", map[string]int64{miner.ModeLow: 0, miner.ModeNormal: 1, miner.ModeHigh: 2}[s.Mode]-m.offset())
	t.num("WORKLEVEL", int64(m.level(s)))
	t.num("MPO", int64(m.target(s)))
	t.num("CALIALL", 7)
	t.num("ADJ", 1)
	t.num("Nonce Mask", 25)
}

// offset is what the work modes are numbered from: home machines have a low one,
// farm machines begin with normal.
func (m *machine) offset() int64 {
	if home(m.spec) {
		return 0
	}
	return 1
}

func home(s sim.Spec) bool {
	for _, word := range []string{" Q", "Nano", "Mini"} {
		if strings.Contains(s.Model.Name, word) {
			return true
		}
	}
	return false
}

// level is the work level in force.
func (m *machine) level(s *sim.Snapshot) int {
	for i, p := range m.state.profiles {
		if p.name == s.Profile {
			return i - m.state.standard
		}
	}
	return 0
}

// plumbing are the temperatures of what flows in and out.
func (m *machine) plumbing(t *text, s *sim.Snapshot) {
	inlet, ok := s.Inlet.Get()
	t.num("ITemp", degrees(float64(inlet), ok))
	if len(s.Fans) == 0 {
		outlet, ok := s.Outlet.Get()
		t.num("OTemp", degrees(float64(outlet), ok))
	}
	for k, key := range []string{"HBITemp", "HBOTemp"} {
		t.ints(key, len(s.Boards), 1, func(i int) int {
			v, ok := s.Boards[i].PCB[k].Get()
			if !s.Boards[i].Present {
				return 0
			}
			return int(degrees(float64(v), ok))
		})
	}
}

// boardsText is HBinfo: the chips as last seen at work.
func (m *machine) boardsText() []byte {
	s := m.lookClosely()
	if len(m.state.chips) != len(s.Boards) {
		m.state.chips = make([]string, len(s.Boards))
	}
	var out []byte
	for i := range s.Boards {
		if working(s, i) || m.state.chips[i] == "" {
			t := &text{b: append(make([]byte, 0, 3072), "'HB"+itoa(i)+"':{"...)}
			m.chipLists(t, s, i, "0")
			m.state.chips[i] = string(append(t.b, '}'))
		}
		if i > 0 {
			out = append(out, ' ')
		}
		out = append(out, m.state.chips[i]...)
	}
	return out
}
