package luxos

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"ballast/miner"
	"ballast/sim"
	"ballast/unit"
)

// readers are the commands without parameters that only read.
var readers = map[string]func(*machine, *sim.RPCWriter){
	"version": (*machine).version, "config": (*machine).config, "summary": (*machine).summary, "devs": (*machine).devs, "edevs": (*machine).devs,
	"pools": (*machine).pools, "power": (*machine).power, "temps": (*machine).temps, "fans": (*machine).fans, "events": (*machine).events,
	"profiles": (*machine).profiles, "limits": (*machine).limits, "atm": (*machine).atm, "tunerstatus": (*machine).tuner, "stats": (*machine).stats,
	"groups": (*machine).groups, "session": (*machine).sessionOf, "devdetails": (*machine).devdetails,
}

func itoa(n int) string { return strconv.Itoa(n) }

// on tells a board that works.
func on(s *sim.Snapshot, i int) bool {
	b := &s.Boards[i]
	return b.Present && b.Enabled && (s.Phase == sim.PhaseHashing || s.Phase == sim.PhaseRamping)
}

func (m *machine) version(w *sim.RPCWriter) {
	m.head(w, "S", 22, "LUXminer versions")
	w.Section("VERSION")
	w.Object("VERSION")
	w.Text("API", "3.7")
	w.Text("CompileTime", "Tue Apr  8 22:05:35 UTC 2025")
	w.Text("LUXminer", version(m.spec))
	if early(m.spec) { // to look like Bitmain's
		w.Text("BMMiner", "1.0.0")
		w.Text("Miner", "uart_trans.1.3")
	} else {
		w.Text("Miner", short(m.spec))
	}
	w.Text("Type", m.spec.Model.Name)
}

// current is the profile in force.
func (m *machine) current(s *sim.Snapshot) (name, step string) {
	name = s.Profile
	if name == "" {
		name = "default"
	}
	return name, m.stepOf(name)
}

func (m *machine) stepOf(name string) string {
	profiles := m.rig.Profiles()
	standard, at := 0, 0
	for i, p := range profiles {
		if p.Name == "default" {
			standard = i
		}
		if p.Name == name {
			at = i
		}
	}
	return itoa(at - standard)
}

func (m *machine) config(w *sim.RPCWriter) {
	s := m.look()
	m.head(w, "S", 33, "LUXminer config")
	w.Section("CONFIG")
	w.Object("CONFIG")
	w.Int("ASC Count", int64(len(s.Boards)))
	w.Text("ControlBoardType", "cvitek")
	cooling := "Air"
	if m.spec.Model.Cooling != miner.Air && m.spec.Model.Cooling != "" {
		cooling = "Hydro"
	}
	w.Text("Cooling", cooling)
	curtail, supply := "None", s.Phase != sim.PhaseFailed
	if s.Phase == sim.PhaseSleeping {
		curtail, supply = "Sleep", false
	}
	w.Text("CurtailMode", curtail)
	w.Bool("DHCP", true)
	w.Text("Device Code", "")
	w.Text("FeeStatus", "Ok")
	w.Text("GreenLed", "auto")
	w.Text("Hostname", m.spec.Hostname)
	w.Text("Hotplug", "None")
	w.Text("IPAddr", m.spec.Addr.String())
	w.Bool("ImmersionMode", m.spec.Model.Cooling == miner.Immersion)
	w.Bool("IsAtmEnabled", true)
	w.Bool("IsPowerSupplyOn", supply)
	if !early(m.spec) {
		w.Bool("IsPowerTargetSupported", targets(m.spec))
		w.Bool("IsPowerTargetEnabled", s.PowerTarget > 0 && s.Profile == "")
		if targets(m.spec) {
			w.Int("IdealPowerTarget", int64(s.PowerTarget))
			w.Int("ActualPowerTarget", int64(s.PowerTarget))
		}
	}
	w.Bool("IsSingleVoltage", true)
	w.Bool("IsTuning", s.Phase == sim.PhaseRamping)
	w.Int("Log Interval", 0)
	w.Text("LogFileLevel", "info")
	w.Text("MACAddr", m.spec.MAC)
	w.Text("Model", m.spec.Model.Name)
	w.Float("NameplateTHS", float64(m.spec.Model.Hashrate), 1)
	w.Text("OS", "LuxOS")
	w.Int("PGA Count", 0)
	w.Text("PSUHwVersion", "75")
	w.Text("PSULabel", "APW121215e")
	w.Int("Pool Count", int64(len(s.Pools)))
	name, step := m.current(s)
	w.Text("Profile", name)
	w.Text("ProfileStep", step)
	led := m.state.led
	if s.Locating {
		led = "blink"
	}
	w.Text("RedLed", led)
	w.Text("SerialNumber", m.spec.Serial)
	w.Text("Strategy", "Failover")
	word := "Normal"
	if s.Phase == sim.PhaseFailed {
		word = "Error"
	}
	w.Text("SystemStatus", word)
	w.Text("UpdateOnUser", "full")
	w.Int("UpdateTimeout", 60)
}

func (m *machine) summary(w *sim.RPCWriter) {
	s := m.look()
	elapsed := s.MinerUptime.Seconds()
	m.head(w, "S", 11, "Summary")
	w.Section("SUMMARY")
	w.Object("SUMMARY")
	w.Int("Accepted", s.Accepted)
	w.Int("Best Share", int64(s.BestShare))
	w.Float("Device Hardware%", 0, 1)
	w.Float("Device Rejected%", 0, 1)
	w.Float("Difficulty Accepted", float64(s.Accepted)*s.Difficulty, 0)
	w.Float("Difficulty Rejected", float64(s.Rejected)*s.Difficulty, 0)
	w.Int("Difficulty Stale", 0)
	w.Int("Discarded", 0)
	w.Int("Elapsed", int64(elapsed))
	w.Int("Found Blocks", 0)
	for _, r := range []struct {
		key string
		v   unit.Hashrate
	}{{"GHS 5s", s.Hashrate5s}, {"GHS 1m", s.Hashrate1m}, {"GHS 5m", s.Hashrate1m}, {"GHS 15m", s.Hashrate15m}, {"GHS 30m", s.Hashrate30m}, {"GHS 24h", s.HashrateAvg}, {"GHS av", s.HashrateAvg}} {
		w.Float(r.key, float64(r.v)*1e3, 2)
	}
	w.Int("Get Failures", 0)
	w.Int("Getworks", int64(elapsed/5))
	w.Int("Hardware Errors", s.HWErrors)
	w.Int("Last getwork", m.rig.Now().Unix()-4)
	w.Int("Local Work", 0)
	w.Int("Network Blocks", 0)
	w.Float("Pool Rejected%", 100*per(float64(s.Rejected), float64(s.Accepted+s.Rejected)), 4)
	w.Float("Pool Stale%", 0, 1)
	w.Int("Rejected", s.Rejected)
	w.Int("Remote Failures", 0)
	w.Int("Stale", s.Stale)
	w.Float("Total MH", float64(s.HashrateAvg)*1e6, 8)
	w.Float("Utility", per(float64(s.Accepted)*60, elapsed), 2)
	w.Float("Work Utility", per(float64(s.Accepted)*60, elapsed), 2)
}

func per(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func (m *machine) devs(w *sim.RPCWriter) {
	s := m.look()
	present := 0
	for i := range s.Boards {
		if s.Boards[i].Present {
			present++
		}
	}
	m.head(w, "S", 9, itoa(present)+" ASC(s)")
	w.Section("DEVS")
	name, _ := m.current(s)
	for _, i := range m.state.order {
		if i >= len(s.Boards) || !s.Boards[i].Present {
			continue // a board that is not detected is not listed
		}
		b := &s.Boards[i]
		w.Object("ASC=" + itoa(i))
		if m.json {
			w.Int("ASC", int64(i))
		}
		w.Text("Board", "BHB56903")
		w.Text("Connector", "J"+itoa(7+i))
		w.Int("Device Elapsed", int64(s.MinerUptime/time.Second))
		w.Int("Device Hardware%", 0)
		w.Text("Enabled", map[bool]string{true: "Y", false: "N"}[b.Enabled])
		w.Int("Hardware Errors", b.HWErrors)
		w.Int("ID", int64(i))
		w.Bool("IsRamping", s.Phase == sim.PhaseRamping && b.Enabled)
		w.Bool("IsUserShutdown", !b.Enabled)
		w.Int("Last Share Pool", 0)
		for _, key := range []string{"MHS 5s", "MHS 1m", "MHS 5m", "MHS 15m", "MHS 30m", "MHS av"} {
			rate(w, key, float64(b.Hashrate)*1e6)
		}
		w.Text("Name", "")
		w.Float("Nominal MHS", float64(b.HashrateNominal)*1e6, 1)
		w.Text("Profile", name)
		w.Text("SerialNumber", b.Serial)
		w.Text("Status", map[bool]string{true: "Alive", false: "Dead"}[b.Enabled])
		hottest := 0.0
		for _, o := range b.PCB {
			hottest = max(hottest, float64(o.Or(0)))
		}
		w.Float("Temperature", math.Round(hottest), 1)
		w.Int("Utility", 0)
	}
}

// rate prints a rate; a whole one loses its point.
func rate(w *sim.RPCWriter, key string, mhs float64) {
	if mhs == math.Trunc(mhs) {
		w.Int(key, int64(mhs))
		return
	}
	w.Float(key, mhs, 6)
}

func (m *machine) pools(w *sim.RPCWriter) {
	s := m.look()
	m.head(w, "S", 7, itoa(len(s.Pools))+" Pool(s)")
	w.Section("POOLS")
	for i, p := range s.Pools {
		difficulty := 0.0
		if p.Active {
			difficulty = s.Difficulty
		}
		w.Object("POOL=" + itoa(i))
		if m.json {
			w.Int("POOL", int64(i))
		}
		w.Int("Accepted", p.Accepted)
		w.Bool("AsicBoost", true)
		w.Int("Best Share", int64(s.BestShare))
		w.Text("Diff", scaled(difficulty))
		w.Int("Discarded", 0)
		w.Int("GROUP", 0)
		w.Bool("Has Stratum", true)
		ago := s.MinerUptime
		if !p.LastShare.IsZero() {
			ago = m.rig.Now().Sub(p.LastShare)
		}
		w.Text("Last Share Time", fmt.Sprintf("%02d:%02d:%02d", int(ago.Hours()), int(ago.Minutes())%60, int(ago.Seconds())%60))
		w.Int("Priority", int64(i))
		w.Float("Quota", 1, 1)
		w.Int("Rejected", p.Rejected)
		w.Int("Stale", p.Stale)
		w.Text("Status", map[bool]string{true: "Alive", false: "Dead"}[p.Alive])
		w.Bool("Stratum Active", p.Active)
		w.Float("Stratum Difficulty", difficulty, 0)
		w.Text("Stratum URL", strings.TrimPrefix(p.URL, "stratum+tcp://"))
		w.Text("URL", p.URL)
		w.Text("User", p.User)
	}
}

func scaled(v float64) string {
	if v < 1024 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v/1024, 'f', 0, 64) + "K"
}

func (m *machine) power(w *sim.RPCWriter) {
	m.head(w, "S", 311, "Power usage")
	w.Section("POWER")
	w.Object("POWER")
	w.Bool("PSU", targets(m.spec))
	w.Int("Watts", int64(math.Round(float64(m.look().Power))))
}

// corners are the four sensors of a board, in the order of a snapshot's PCB.
var corners = [4]struct{ key, label, water string }{
	{"TopRight", "Board Intake (top)", "Board Inlet"}, {"TopLeft", "Board Exhaust (top)", "Board Outlet"},
	{"BottomRight", "Board Intake (bottom)", "Water Inlet"}, {"BottomLeft", "Board Exhaust (bottom)", "Water Outlet"},
}

func (m *machine) temps(w *sim.RPCWriter) {
	s := m.look()
	wet := len(s.Fans) == 0
	m.head(w, "S", 201, itoa(len(s.Boards))+" Temp(s)")
	if !early(m.spec) && m.json {
		w.Section("METADATA")
		w.Object("METADATA")
		for k, c := range corners {
			label := c.label
			if wet {
				label = c.water
			}
			w.Bare(c.key, fmt.Sprintf(`{"Label":"%s","Position":[%d,%d]}`, label, k/2, 1-k%2))
		}
	}
	w.Section("TEMPS")
	for i := range s.Boards {
		w.Object("TEMP=" + itoa(i))
		if m.json {
			w.Int("TEMP", int64(i))
		}
		w.Int("ID", int64(i))
		for k, c := range corners {
			v, ok := s.Boards[i].PCB[k].Get()
			if wet && k == 2 {
				v, ok = s.Inlet.Get()
			} else if wet && k == 3 {
				v, ok = s.Outlet.Get()
			}
			switch {
			case !s.Boards[i].Present:
				v = 0
			case !ok:
				v = -273
			}
			w.Float(c.key, math.Round(float64(v)), 1)
		}
	}
}

func (m *machine) fans(w *sim.RPCWriter) {
	s := m.look()
	m.head(w, "S", 202, itoa(len(s.Fans))+" Fan(s)")
	w.Section("FANCTRL")
	w.Object("FANCTRL")
	w.Int("MinFans", int64(max(len(s.Fans)-1, 0)))
	w.Int("PowerOffSpeed", 20)
	w.Section("FANS")
	for i, f := range s.Fans {
		w.Object("FAN=" + itoa(i))
		if m.json {
			w.Text("FAN", "FAN"+itoa([]int{4, 2, 1, 3}[i%4]))
		}
		w.Int("ID", int64(i))
		w.Int("RPM", int64(math.Round(float64(f.Speed)/60)*60))
		w.Int("Speed", int64(math.Round(s.FanDuty*100)))
	}
}

// eventCodes are Luxor's words for neutral codes.
var eventCodes = map[miner.Code]struct{ code, target, text string }{
	miner.BoardMissing:      {"BOARD_NOT_DETECTED", "BOARD", "Board was removed or connection to control board is faulty."},
	miner.BoardNoHash:       {"REBOOT_NOT_HASHING", "BOARD", "Board reboot due to it not hashing."},
	miner.BoardInit:         {"BOARD_ASIC_INIT_FAILURE", "BOARD", "Board failure due to ASIC initialization failure."},
	miner.ChipMissing:       {"BOARD_ASIC_ENUMERATION_FAILURE", "BOARD", "Board failure due to ASIC enumeration failure."},
	miner.RailVoltage:       {"BAD_DOMAIN", "BOARD", "Board has one or more bad domains."},
	miner.RailPower:         {"BOARD_CRITICAL_PIC_FAILURE", "BOARD", "Board failure due to critical PIC failure."},
	miner.SensorTemperature: {"BOARD_CRITICAL_SENSOR_FAILURE", "BOARD", "Board failure due to a critical sensor failure."},
	miner.ThermalChip:       {"OVERTEMP_PROTECTION", "MINER", "Board overtemp protection triggered."},
	miner.ThermalBoard:      {"BOARD_HIGH_TEMPERATURE", "BOARD", "Board temperature is above user-defined Hot Temperature. Consider activating ATM."},
	miner.FanMissing:        {"FAN_FAILURE", "FAN", "Fan failure."},
	miner.PSUShutdown:       {"PSU_PANIC", "MINER", "PSU panic."},
	miner.PSUMissing:        {"CANT_READ_PSU_PROTOCOL", "MINER", "Unable to read PSU protocol."},
	miner.ControlPool:       {"NO_ACTIVE_POOLS", "MINER", "No active pools available."},
}

func (m *machine) events(w *sim.RPCWriter) {
	s := m.look()
	m.head(w, "S", 357, "Miner Events")
	w.Section("EVENTS")
	event := func(code, target, text string, id int, since time.Time) {
		w.Object("EVENT")
		w.Text("Code", code)
		w.Text("CreatedAt", since.UTC().Format("2006-01-02T15:04:05-07:00"))
		w.Text("Description", text)
		w.Text("DocUrl", "https://docs.luxor.tech/firmware/kb/eventstroubleshooting#"+strings.ToLower(strings.ReplaceAll(code, "_", "-")))
		if id >= 0 {
			w.Int("ID", int64(id))
		}
		w.Text("Target", target)
	}
	switch s.Phase {
	case sim.PhaseSleeping:
		event("SLEEP", "MINER", "Miner is in Sleep mode.", -1, s.Now)
	case sim.PhaseStarting:
		for i := range s.Boards {
			event("REBOOT_SYSINIT", "BOARD", "Board reboot due to system initialization. This can take up to 5 minutes, depending on the model.", i, s.Now)
		}
	}
	for _, f := range s.Faults {
		if e, ok := eventCodes[f.Code]; ok {
			event(e.code, e.target, e.text, f.Index, f.Since)
		}
	}
	for i := range s.Boards {
		if b := &s.Boards[i]; b.Present && !b.Enabled {
			event("SHUTDOWN_USER", "BOARD", "Board shutdown due to user request.", i, s.Now)
		}
	}
}
