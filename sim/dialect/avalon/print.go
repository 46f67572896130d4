package avalon

import (
	"strings"
	"time"

	"ballast/sim"
)

// product splits the model's name into what version calls PROD and MODEL.
func product(s sim.Spec) (prod, model string) {
	name := strings.TrimPrefix(s.Model.Name, "Avalon ")
	switch home := strings.ReplaceAll(name, " ", ""); {
	case name == "Q":
		return "Avalon Q", "Q"
	case strings.HasPrefix(name, "Nano"), strings.HasPrefix(name, "Mini"):
		return "Avalon " + strings.Replace(home, "3S", "3s", 1), strings.Replace(home, "3S", "3s", 1)
	}
	model = strings.ReplaceAll(strings.TrimPrefix(name, "A"), " ", "")
	if bin, ok := strings.CutSuffix(s.Model.Variant, "T"); ok {
		model += "-" + bin
	}
	return "AvalonMiner " + model, model
}

// hardware is what version calls HWTYPE and SWTYPE.
func (m *machine) hardware() (board, software string) {
	if m.nested {
		_, model := product(m.spec)
		return model[:1] + "_MM1v1_X1", "MM319"
	}
	return "MM3v2_X3", "MM315"
}

func (m *machine) version(w *sim.RPCWriter) {
	prod, model := product(m.spec)
	board, software := m.hardware()
	m.head(w, "S", 22, "CGMiner versions")
	w.Section("VERSION")
	w.Object("VERSION")
	w.Text("CGMiner", "4.11.1")
	w.Text("API", "3.7")
	w.Text("PROD", prod)
	w.Text("MODEL", model)
	w.Text("HWTYPE", board)
	w.Text("SWTYPE", software)
	if m.nested {
		w.Text("LVERSION", version(m.spec))
		w.Text("BVERSION", version(m.spec))
		w.Text("CGVERSION", version(m.spec))
		w.Text("HBMCUVERSION", model[:1]+"_hb_v1.1")
	} else {
		w.Text("VERSION", version(m.spec))
	}
	w.Text("DNA", m.spec.Serial)
	mac := m.spec.MAC
	if !m.nested {
		mac = strings.ReplaceAll(mac, ":", "")
	}
	w.Text("MAC", mac)
	if !m.nested {
		w.Text("UPAPI", "2")
	}
}

// rates prints cgminer's hashrates, in MH/s. Of a process that has only just
// begun, an average is no number.
func (m *machine) rates(w *sim.RPCWriter, s *sim.Snapshot) {
	if s.MinerUptime < time.Second {
		w.Bare("MHS av", "nan")
	} else {
		w.Float("MHS av", float64(s.HashrateAvg)*1e6, 2)
	}
	first := "MHS 30s"
	if m.nested {
		first = "MHS 5s"
	}
	w.Float(first, float64(s.Hashrate5s)*1e6, 2)
	w.Float("MHS 1m", float64(s.Hashrate1m)*1e6, 2)
	w.Float("MHS 5m", float64(s.Hashrate1m)*1e6, 2)
	w.Float("MHS 15m", float64(s.Hashrate15m)*1e6, 2)
}

func (m *machine) summary(w *sim.RPCWriter) {
	s := m.look()
	elapsed := s.MinerUptime.Seconds()
	m.head(w, "S", 11, "Summary")
	w.Section("SUMMARY")
	w.Object("SUMMARY")
	w.Int("Elapsed", int64(elapsed))
	m.rates(w, s)
	w.Int("Found Blocks", 0)
	w.Int("Getworks", int64(elapsed/30))
	w.Int("Accepted", s.Accepted)
	w.Int("Rejected", s.Rejected)
	w.Int("Hardware Errors", 0)
	w.Float("Utility", per(float64(s.Accepted)*60, elapsed), 2)
	w.Int("Discarded", 0)
	w.Int("Stale", s.Stale)
	w.Int("Get Failures", 0)
	w.Int("Local Work", int64(elapsed*50))
	w.Int("Remote Failures", 0)
	w.Int("Network Blocks", int64(elapsed/600))
	w.Float("Total MH", float64(s.HashrateAvg)*1e6*elapsed, 4)
	w.Float("Work Utility", float64(s.HashrateAvg)*13.97*1000, 2)
	w.Float("Difficulty Accepted", float64(s.Accepted)*s.Difficulty, 8)
	w.Float("Difficulty Rejected", float64(s.Rejected)*s.Difficulty, 8)
	w.Float("Difficulty Stale", float64(s.Stale)*s.Difficulty, 8)
	w.Int("Best Share", int64(s.BestShare))
	w.Float("Device Hardware%", 0, 4)
	w.Float("Device Rejected%", 100*per(float64(s.Rejected), float64(s.Accepted+s.Rejected)), 4)
	w.Float("Pool Rejected%", 100*per(float64(s.Rejected), float64(s.Accepted+s.Rejected)), 4)
	w.Float("Pool Stale%", 0, 4)
	w.Int("Last getwork", 0)
}

func per(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func (m *machine) devs(w *sim.RPCWriter) {
	s := m.look()
	m.head(w, "S", 9, "1 ASC(s)")
	w.Section("DEVS")
	w.Object("ASC=0")
	if m.json {
		w.Int("ASC", 0)
	}
	w.Text("Name", "AVALON")
	w.Int("ID", 0)
	w.Text("Enabled", "Y")
	w.Text("Status", "Alive")
	w.Float("Temperature", 0, 2)
	m.rates(w, s)
	w.Int("Accepted", s.Accepted)
	w.Int("Rejected", s.Rejected)
	w.Int("Hardware Errors", 0)
	w.Int("Last Share Pool", 0)
	w.Float("Device Hardware%", 0, 4)
	w.Int("Device Elapsed", int64(s.MinerUptime/time.Second))
}

func (m *machine) pools(w *sim.RPCWriter) {
	s := m.look()
	m.head(w, "S", 7, itoa(len(s.Pools))+" Pool(s)")
	w.Section("POOLS")
	for i, p := range s.Pools {
		w.Object("POOL=" + itoa(i))
		if m.json {
			w.Int("POOL", int64(i))
		}
		status := "Alive"
		if !p.Alive {
			status = "Dead"
		}
		difficulty := 0.0
		if p.Active {
			difficulty = s.Difficulty
		}
		w.Text("URL", p.URL)
		w.Text("Status", status)
		w.Int("Priority", int64(i))
		w.Int("Quota", 1)
		w.Text("Long Poll", "N")
		w.Int("Getworks", int64(s.MinerUptime.Seconds()/30))
		w.Int("Accepted", p.Accepted)
		w.Int("Rejected", p.Rejected)
		w.Int("Works", p.Accepted*100)
		w.Int("Discarded", 0)
		w.Int("Stale", p.Stale)
		w.Int("Get Failures", 0)
		w.Int("Remote Failures", 0)
		w.Text("User", p.User)
		w.Int("Last Share Time", m.lastShare(p))
		w.Float("Difficulty Accepted", float64(p.Accepted)*s.Difficulty, 8)
		w.Float("Difficulty Rejected", float64(p.Rejected)*s.Difficulty, 8)
		w.Bool("Has Stratum", true)
		w.Bool("Stratum Active", p.Active)
		w.Text("Stratum URL", strings.TrimPrefix(p.URL, "stratum+tcp://"))
		w.Float("Stratum Difficulty", difficulty, 8)
		w.Bool("Has GBT", false)
		w.Int("Best Share", int64(s.BestShare))
	}
}

// lastShare is by the machine's clock.
func (m *machine) lastShare(p sim.PoolSnapshot) int64 {
	if p.LastShare.IsZero() {
		return 0
	}
	return m.clock() - int64(m.rig.Now().Sub(p.LastShare)/time.Second)
}
