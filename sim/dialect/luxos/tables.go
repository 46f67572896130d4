package luxos

import (
	"math"
	"strconv"
	"strings"
	"time"

	"ballast/sim"
)

func (m *machine) profiles(w *sim.RPCWriter) {
	m.head(w, "S", 323, "List profiles")
	w.Section("PROFILES")
	for _, p := range m.rig.Profiles() {
		w.Object("PROFILE")
		w.Bool("CanRestore", true)
		w.Float("Frequency", p.Frequency.MHz(), 0)
		w.Bool("HasOverrides", false)
		w.Float("Hashrate", float64(p.Hashrate), 1)
		w.Bool("IsDynamic", true)
		w.Bool("IsTuned", p.Tuned)
		w.Text("Profile Name", p.Name)
		if !early(m.spec) {
			w.Text("Step", m.stepOf(p.Name))
		}
		w.Float("Voltage", float64(p.Voltage), 2)
		w.Int("Watts", int64(p.Power))
	}
}

func (m *machine) limits(w *sim.RPCWriter) {
	m.head(w, "S", 327, "Limits")
	w.Section("LIMITS")
	w.Object("LIMITS")
	w.Int("FrequencyMin", 50)
	w.Int("FrequencyMax", 1000)
	w.Float("VoltageMin", 8.5, 1)
	w.Float("VoltageMax", 15.5, 1)
	if targets(m.spec) {
		l := m.rig.Limits()
		w.Int("PowerTargetMin", int64(math.Ceil(float64(l.Min))))
		w.Int("PowerTargetMax", int64(l.Max))
	}
	w.Int("TemperatureHot", 75)
	w.Int("TemperaturePanic", 80)
}

func (m *machine) atm(w *sim.RPCWriter) {
	m.head(w, "S", 339, "ATM configuration values")
	w.Section("ATM")
	w.Object("ATM")
	w.Bool("Enabled", true)
	w.Text("MaxProfile", "")
	w.Text("MinProfile", "")
	w.Int("PostRampMinutes", 10)
	w.Int("StartupMinutes", 15)
	w.Int("TempWindow", 5)
}

func (m *machine) tuner(w *sim.RPCWriter) {
	m.head(w, "S", 360, "Tuner status")
	w.Section("TUNERSTATUS")
	w.Object("TUNERSTATUS")
	w.Bool("HasSession", m.alive())
	w.Bool("TunerRunning", m.look().Phase == sim.PhaseRamping)
}

func (m *machine) groups(w *sim.RPCWriter) {
	m.head(w, "S", 341, "1 Group(s)")
	w.Section("GROUPS")
	w.Object("GROUP=0")
	if m.json {
		w.Int("GROUP", 0)
	}
	w.Text("Name", "default")
	w.Int("Quota", 1)
}

func (m *machine) devdetails(w *sim.RPCWriter) {
	s := m.look()
	m.head(w, "S", 69, "Device Details")
	w.Section("DEVDETAILS")
	for i := range s.Boards {
		w.Object("DEVDETAILS=" + itoa(i))
		w.Int("ID", int64(i))
		w.Int("Chips", int64(m.spec.Model.Chips))
		w.Float("Frequency", s.Boards[i].Frequency.MHz(), 0)
		w.Text("Model", m.spec.Model.Name)
	}
}

// stats imitates Bitmain's, with the boards' temperatures for the chips'.
func (m *machine) stats(w *sim.RPCWriter) {
	s := m.look()
	m.head(w, "S", 70, "LUXminer stats")
	w.Section("STATS")
	w.Object("STATS=0")
	w.Text("CompileTime", "Tue Apr  8 22:05:35 UTC 2025")
	w.Text("Miner", short(m.spec))
	w.Text("Type", m.spec.Model.Name)
	w.Object("STATS=1")
	w.Int("Elapsed", int64(s.MinerUptime/time.Second))
	w.Float("GHS 5s", float64(s.Hashrate5s)*1e3, 2)
	w.Float("GHS av", float64(s.HashrateAvg)*1e3, 2)
	w.Text("ID", "BTM_SOC0")
	chains := max(len(s.Boards), 4)
	for c := range chains {
		number := itoa(c + 1)
		var b sim.BoardSnapshot
		if c < len(s.Boards) && s.Boards[c].Enabled {
			b = s.Boards[c]
		}
		w.Int("chain_acn"+number, int64(b.Chips))
		w.Text("chain_acs"+number, " "+strings.TrimSpace(strings.Repeat("oooo ", b.Chips/4)+strings.Repeat("o", b.Chips%4)))
		w.Int("chain_hw"+number, b.HWErrors)
		w.Text("chain_rate"+number, strconv.FormatFloat(float64(b.Hashrate)*1e3, 'f', 2, 64))
		w.Float("freq"+number, b.Frequency.MHz(), 1)
		dashed := make([]string, 4)
		for k := range dashed {
			dashed[k] = strconv.FormatFloat(math.Round(float64(b.PCB[k].Or(0))), 'f', 0, 64)
		}
		for _, key := range []string{"temp_chip", "temp_pcb", "temp_pic"} {
			w.Text(key+number, strings.Join(dashed, "-"))
		}
	}
	for i, f := range s.Fans {
		w.Int("fan"+itoa(i+1), int64(f.Speed))
	}
	w.Int("fan_num", int64(len(s.Fans)))
	w.Int("miner_count", int64(len(s.Boards)))
	w.Text("miner_id", strings.ReplaceAll(m.spec.MAC, ":", ""))
	w.Float("rate_30m", float64(s.Hashrate30m)*1e3, 2)
	w.Text("rate_unit", "GH")
	w.Float("total_rateideal", float64(s.HashrateNominal)*1e3, 2)
}
