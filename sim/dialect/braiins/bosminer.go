package braiins

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"ballast/sim"
	"ballast/unit"
)

// serveAPI answers the cgminer API as BOSminer (22) and BOSer (23 and later) do:
// JSON only, commands joined by "+", a NUL at the end, then the connection is
// closed.
func serveAPI(ctx context.Context, conn net.Conn, m *machine) {
	sim.ServeRPC(ctx, conn, func(q sim.RPCRequest) []byte {
		if !q.JSON || q.Broken {
			return append(m.apiFailure(nil, 23, "Invalid JSON"), 0)
		}
		s := m.rig.Snapshot()
		return sim.JoinRPC(q, func(command string, into []byte) []byte { return m.command(command, &s, into) })
	})
}

// software is the mining software's name and version.
func (m *machine) software() (key, version string) {
	at := m.at()
	if at.before(22, 9) {
		return "BOSminer+", fmt.Sprintf("bosminer-plus-tuner 0.2.0-%08x", uint32(at.month)*0x9e3779b1)
	}
	return "BOSer", fmt.Sprintf("boser-openwrt 0.1.0-%08x", uint32(at.year*12+at.month)*0x9e3779b1)
}

func (m *machine) head(w *sim.RPCWriter, kind string, code int, msg string) {
	key, version := m.software()
	w.Status(kind, m.rig.Now().Unix(), code, msg, key+" "+version)
}

// apiFailure is a reply that is nothing but an error.
func (m *machine) apiFailure(into []byte, code int, msg string) []byte {
	w := sim.NewRPCWriter(true, into)
	m.head(w, "E", code, msg)
	return w.End()
}

func (m *machine) command(name string, s *sim.Snapshot, into []byte) []byte {
	w := sim.NewRPCWriter(true, into)
	switch name {
	case "version":
		m.head(w, "S", 22, m.softwareName()+" versions")
		w.Section("VERSION")
		w.Object("")
		key, version := m.software()
		w.Text("API", "3.7")
		w.Text(key, version)
		return w.End()
	case "config":
		m.head(w, "S", 33, m.softwareName()+" config")
		w.Section("CONFIG")
		w.Object("")
		w.Int("ASC Count", int64(len(s.Boards)))
		w.Int("PGA Count", 0)
		w.Int("Pool Count", int64(len(s.Pools)))
		w.Text("Strategy", "Failover")
		w.Int("Log Interval", 5)
		w.Text("Device Code", "")
		w.Text("OS", "Braiins OS")
		w.Text("Hotplug", "None")
		return w.End()
	}
	if m.isStopped() {
		return m.apiFailure(into, 301, "Not ready")
	}
	switch name {
	case "summary":
		m.summary(w, s)
	case "devs", "edevs":
		m.devs(w, s)
	case "devdetails":
		m.devDetails(w, s)
	case "temps":
		m.temps(w, s)
	case "fans":
		m.head(w, "S", 202, strconv.Itoa(len(s.Fans))+" Fan(s)")
		w.Section("FANS")
		for i, f := range s.Fans {
			w.Object("")
			w.Int("FAN", int64(i))
			w.Int("ID", int64(i))
			w.Int("RPM", int64(f.Speed))
			w.Int("Speed", int64(s.FanDuty*100+0.5))
		}
	case "tempctrl":
		m.head(w, "S", 200, "Temperature control")
		w.Section("TEMPCTRL")
		w.Object("")
		w.Int("Dangerous", 100)
		w.Int("Hot", 90)
		w.Text("Mode", "Automatic")
		w.Int("Target", 60)
	case "tunerstatus":
		m.tunerStatus(w, s)
	case "pools":
		m.apiPools(w, s)
	case "pause":
		if err := m.do(sim.Action{Kind: sim.DoSleep}); err != nil {
			return m.apiFailure(into, 300, err.Error())
		}
		m.head(w, "S", 204, "Pause")
		w.Section("PAUSE")
		return truth(w)
	case "resume":
		if err := m.do(sim.Action{Kind: sim.DoWake}); err != nil {
			return m.apiFailure(into, 300, err.Error())
		}
		m.head(w, "S", 205, "Resume")
		w.Section("RESUME")
		return truth(w)
	default:
		return m.apiFailure(into, 14, "Invalid command")
	}
	return w.End()
}

// truth ends a reply whose section is a list of one truth.
func truth(w *sim.RPCWriter) []byte {
	reply := w.End() // ..."PAUSE":[],"id":1}
	cut := bytes.LastIndexByte(reply, ']')
	return append(reply[:cut:cut], ("true" + string(reply[cut:]))...)
}

func (m *machine) softwareName() string { key, _ := m.software(); return strings.TrimSuffix(key, "+") }

func mhs(h unit.Hashrate) float64 { return h.TH() * 1e6 }

func (m *machine) summary(w *sim.RPCWriter, s *sim.Snapshot) {
	m.head(w, "S", 11, "Summary")
	w.Section("SUMMARY")
	w.Object("")
	difficulty := s.Difficulty
	w.Float("Best Share", float64(int64(s.BestShare)), 0)
	w.Float("Device Hardware%", ratio(s.HWErrors, s.Accepted*int64(difficulty)), 6)
	w.Float("Device Rejected%", ratio(s.Rejected, s.Accepted+s.Rejected), 6)
	w.Float("Difficulty Accepted", float64(s.Accepted)*difficulty, 1)
	w.Float("Difficulty Rejected", float64(s.Rejected)*difficulty, 1)
	w.Float("Difficulty Stale", float64(s.Stale)*difficulty, 1)
	w.Int("Accepted", s.Accepted)
	w.Int("Discarded", 0)
	w.Int("Elapsed", int64(m.minerUptime(s)/time.Second))
	w.Int("Found Blocks", 0)
	w.Int("Get Failures", 0)
	w.Int("Getworks", s.Accepted*2)
	w.Int("Hardware Errors", s.HWErrors)
	w.Int("Last getwork", m.rig.Now().Unix())
	w.Int("Local Work", s.Accepted*40)
	w.Float("MHS 15m", mhs(s.Hashrate15m), 6)
	w.Float("MHS 1m", mhs(s.Hashrate1m), 6)
	w.Float("MHS 24h", mhs(s.HashrateAvg), 6)
	w.Float("MHS 5m", mhs(s.Hashrate1m+s.Hashrate15m)/2, 6)
	w.Float("MHS 5s", mhs(s.Hashrate5s), 6)
	w.Float("MHS av", mhs(s.HashrateAvg), 6)
	w.Int("Network Blocks", 0)
	w.Float("Pool Rejected%", ratio(s.Rejected, s.Accepted+s.Rejected), 6)
	w.Float("Pool Stale%", ratio(s.Stale, s.Accepted+s.Stale), 6)
	w.Int("Rejected", s.Rejected)
	w.Int("Remote Failures", 0)
	w.Int("Stale", s.Stale)
	w.Float("Total MH", mhs(s.HashrateAvg)*s.MinerUptime.Seconds(), 1)
	w.Float("Utility", perMinute(s.Accepted, s.MinerUptime), 6)
	w.Float("Work Utility", perMinute(s.Accepted*int64(difficulty), s.MinerUptime), 6)
}

func ratio(part, whole int64) float64 {
	if whole <= 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}

func perMinute(n int64, over time.Duration) float64 {
	if over < time.Second {
		return 0
	}
	return float64(n) / over.Minutes()
}

// working lists the boards that BOSminer reports: detected and switched on.
func working(s *sim.Snapshot) []int {
	out := make([]int, 0, len(s.Boards))
	for i := range s.Boards {
		if s.Boards[i].Present && s.Boards[i].Enabled {
			out = append(out, i)
		}
	}
	return out
}

func (m *machine) devs(w *sim.RPCWriter, s *sim.Snapshot) {
	boards := working(s)
	m.head(w, "S", 9, strconv.Itoa(len(boards))+" ASC(s)")
	w.Section("DEVS")
	for n, i := range boards {
		b, x := &s.Boards[i], boardSolver(s, i)
		w.Object("")
		w.Int("ASC", int64(n))
		w.Int("Accepted", s.Accepted/int64(len(boards)))
		w.Int("Device Elapsed", int64(s.MinerUptime/time.Second))
		w.Float("Device Hardware%", ratio(b.HWErrors, s.Accepted*int64(s.Difficulty)/int64(len(boards))), 6)
		w.Float("Device Rejected%", 0, 1)
		w.Int("Diff1 Work", s.Accepted*int64(s.Difficulty)/int64(len(boards)))
		w.Text("Enabled", "Y")
		w.Float("Hardware Error MHS 15m", x.errors, 6)
		w.Int("Hardware Errors", b.HWErrors)
		w.Int("ID", int64(m.firstBoard()+i))
		w.Int("Last Share Pool", 0)
		w.Int("Last Share Time", m.rig.Now().Unix())
		w.Float("MHS 15m", mhs(x.windows[5].rate), 6)
		w.Float("MHS 1m", mhs(x.windows[3].rate), 6)
		w.Float("MHS 5m", mhs(x.windows[4].rate), 6)
		w.Float("MHS 5s", mhs(x.windows[0].rate), 6)
		w.Float("MHS av", mhs(x.windows[9].rate), 6)
		w.Text("Name", "")
		w.Float("Nominal MHS", mhs(b.HashrateNominal), 6)
		w.Int("Rejected", 0)
		w.Text("Status", "Alive")
		w.Float("Temperature", 0, 1)
		w.Float("Total MH", mhs(x.windows[9].rate)*s.MinerUptime.Seconds(), 1)
		w.Float("Utility", perMinute(s.Accepted, s.MinerUptime)/float64(len(boards)), 6)
	}
}

func (m *machine) devDetails(w *sim.RPCWriter, s *sim.Snapshot) {
	m.head(w, "S", 69, "Device Details")
	w.Section("DEVDETAILS")
	spec, old := m.rig.Spec(), m.at().before(22, 9)
	name, model := "HashchainManager ", spec.Model.Name
	if old {
		name, model = "Hash Chain ", spec.Model.Make+" "+spec.Model.Name
	}
	for n, i := range working(s) {
		b := &s.Boards[i]
		w.Object("")
		w.Int("Chips", int64(b.Chips))
		w.Int("Cores", int64(b.Chips)*514)
		w.Int("DEVDETAILS", int64(n))
		w.Text("Device Path", "")
		w.Text("Driver", "")
		if old {
			w.Int("Frequency", int64(b.Frequency))
		} else {
			w.Int("Frequency", int64(b.Frequency.MHz()))
		}
		w.Int("ID", int64(m.firstBoard()+i))
		w.Text("Kernel", "")
		w.Text("Model", model)
		w.Text("Name", name+m.boardID(i))
		w.Float("Voltage", float64(b.Voltage), 7)
	}
}

func (m *machine) temps(w *sim.RPCWriter, s *sim.Snapshot) {
	boards := working(s)
	m.head(w, "S", 201, strconv.Itoa(len(boards))+" Temp(s)")
	w.Section("TEMPS")
	for n, i := range boards {
		h := heatOf(&s.Boards[i])
		w.Object("")
		w.Float("Board", float64(h.board.Or(0)), 4) // a sensor that does not answer reads 0
		w.Float("Chip", float64(h.chip.Or(0)), 4)
		w.Int("ID", int64(m.firstBoard()+i))
		w.Int("TEMP", int64(n))
	}
}

func (m *machine) tunerStatus(w *sim.RPCWriter, s *sim.Snapshot) {
	m.head(w, "S", 203, "Tuner Status")
	w.Section("TUNERSTATUS")
	w.Object("")
	chains, boards := 0.0, working(s)
	for _, i := range boards {
		chains += float64(s.Boards[i].Power)
	}
	total, target := int64(s.Power), m.powerTarget(s)
	if s.Phase == sim.PhaseSleeping {
		total = 0
	}
	w.Int("ApproximateChainPowerConsumption", int64(chains))
	w.Int("ApproximateMinerPowerConsumption", total)
	w.Text("DynamicPowerScaling", "Disabled")
	w.Int("PowerLimit", target)
	list := make(doc, 0, 512)
	list = append(list, '[')
	for _, i := range boards {
		list.object()
		list.int("ApproximatePowerConsumptionWatt", int64(s.Boards[i].Power))
		list.int("HashchainIndex", int64(m.firstBoard()+i))
		list.int("Iteration", 0)
		list.int("LoadedProfileCreatedOn", m.made.Unix())
		list.int("PowerLimitWatt", target/int64(max(len(boards), 1)))
		list.int("StageElapsed", int64(s.MinerUptime/time.Second))
		words, running := chainWords(s)
		list.text("Status", words)
		list.bool("TunerRunning", running)
		list.int("TuningElapsed", int64(s.MinerUptime/time.Second))
		list.close()
	}
	list.endList()
	w.Bare("TunerChainStatus", string(list))
}

func chainWords(s *sim.Snapshot) (words string, running bool) {
	switch s.Phase {
	case sim.PhaseStarting, sim.PhaseRamping:
		return "Tuning individual chips", true
	case sim.PhaseSleeping, sim.PhaseFailed:
		return "Stable", false
	}
	return "Stable", true
}

func (m *machine) apiPools(w *sim.RPCWriter, s *sim.Snapshot) {
	m.head(w, "S", 7, strconv.Itoa(len(s.Pools))+" Pool(s)")
	w.Section("POOLS")
	for i, p := range s.Pools {
		state, last := "Dead", int64(0)
		if p.Alive {
			state = "Alive"
		}
		if !p.LastShare.IsZero() {
			last = p.LastShare.Unix()
		}
		w.Object("")
		w.Int("Accepted", p.Accepted)
		w.Bool("AsicBoost", true)
		w.Int("Bad Work", 0)
		w.Int("Best Share", int64(s.BestShare))
		w.Float("Difficulty Accepted", float64(p.Accepted)*s.Difficulty, 1)
		w.Bool("Has GBT", false)
		w.Bool("Has Stratum", true)
		w.Bool("Has Vmask", true)
		w.Float("Last Share Difficulty", s.Difficulty, 1)
		w.Int("Last Share Time", last)
		w.Text("Long Poll", "N")
		w.Int("POOL", int64(i))
		w.Int("Priority", int64(i))
		w.Text("Proxy", "")
		w.Text("Proxy Type", "")
		w.Int("Quota", 1)
		w.Int("Rejected", p.Rejected)
		w.Int("Stale", p.Stale)
		w.Text("Status", state)
		w.Bool("Stratum Active", p.Active)
		w.Float("Stratum Difficulty", s.Difficulty, 1)
		w.Text("Stratum URL", p.URL)
		w.Text("URL", p.URL)
		w.Text("User", p.User)
	}
}
