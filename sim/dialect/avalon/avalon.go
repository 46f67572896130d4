// Package avalon serves the dialect of Canaan's stock firmware on TCP 4028:
// cgminer 4.11.1 in JSON and in text, with a machine packed into one text of
// KEY[value] pairs.
//
// Two generations, as the models have them: the classic form of the A series
// ("MM ID0") and the nested form of the home machines ("MM ID0:Summary",
// "HBinfo", litestats); the Nano has the commands of the latter and all of its
// text in one "MM ID0". From the A15 on a classic text has WALLPOWER. The rig's
// version is what it calls its release ("21072802_4ec6bb0_211fc46").
//
// Quirks that are here on purpose: NUL at the end; classic machines have no
// clock and give their uptime as When; softoff and softon obey the machine's own
// clock, and a time long past or far away is acknowledged with "success" and
// does nothing; softon and reboot close without a reply; a mode or a pool of a
// classic machine waits for the reboot; some refusals come as "I"; pools answers
// `,"id":1}` while the machine starts, averages are nan then; what the chips
// showed last stays in HBinfo while a machine sleeps; unescaped commas in the
// text form; one setpool quotes the password it was given.
package avalon

import (
	"context"
	"net"
	"strings"
	"sync"
	"time"

	"ballast/miner"
	"ballast/sim"
)

// Dialect is the family's.
type Dialect struct{}

var _ sim.Dialect = Dialect{}

// New is the dialect.
func New() sim.Dialect { return Dialect{} }

// Firmware names the family.
func (Dialect) Firmware() miner.Firmware { return miner.Avalon }

// Ports are those that machines listen on: the API's alone matters.
func (Dialect) Ports(sim.Spec) []uint16 { return []uint16{4028} }

// Serve answers one request.
func (Dialect) Serve(ctx context.Context, _ uint16, conn net.Conn, rig *sim.Rig) {
	sim.ServeRPC(ctx, conn, func(q sim.RPCRequest) []byte { return answer(rig, q) })
}

// state is what the firmware keeps of a rig.
type state struct {
	mu       sync.Mutex
	off, on  int64     // softoff and softon to come, by the machine's clock; 0 none
	lastOff  int64     // SoftOffTime, SoftOnTime
	lastOn   int64     //
	reason   int       // SoftOFF
	mode     string    // waits for the reboot, "" none
	slots    [3]slot   // pools as configured
	waiting  bool      // slots differ from what the rig mines at
	chips    []string  // HBinfo of the last time it hashed
	profiles []profile // work levels
	standard int       // of them, level 0
}

type slot struct{ url, user, password string }

type profile struct {
	name string
	sim.ProfileSpec
}

func stateOf(rig *sim.Rig) *state {
	return rig.Memo("avalon", func() any {
		s := &state{}
		power := rig.Spec().Model.Power
		for i, p := range rig.Profiles() {
			s.profiles = append(s.profiles, profile{p.Name, p})
			if p.Power <= power*1.001 {
				s.standard = i
			}
		}
		return s
	}).(*state)
}

// nested tells the generation.
func nested(s sim.Spec) bool {
	return strings.HasSuffix(s.Model.Name, " Q") || strings.Contains(s.Model.Name, " Mini") || flat(s)
}

// flat tells the home machines whose text is not nested.
func flat(s sim.Spec) bool { return strings.Contains(s.Model.Name, " Nano") }

// wall tells the machines that have WALLPOWER.
func wall(s sim.Spec) bool {
	name := strings.TrimPrefix(strings.TrimPrefix(s.Model.Name, "Avalon "), "A")
	return !nested(s) && (strings.HasPrefix(name, "15") || strings.HasPrefix(name, "16"))
}

func version(s sim.Spec) string {
	switch {
	case s.Version != "":
		return s.Version
	case nested(s):
		return "25052801_14a19a2"
	}
	return "21072802_4ec6bb0_211fc46"
}

// machine is one request's view of a rig.
type machine struct {
	rig    *sim.Rig
	spec   sim.Spec
	state  *state
	nested bool
	json   bool
	snap   sim.Snapshot
	looked bool
	chips  bool // snap has every chip
}

func answer(rig *sim.Rig, q sim.RPCRequest) []byte {
	m := &machine{rig: rig, spec: rig.Spec(), state: stateOf(rig), json: q.JSON}
	m.nested = nested(m.spec)
	m.state.mu.Lock()
	defer m.state.mu.Unlock()
	m.due()
	if s := m.look(); s.Phase == sim.PhaseOff || s.Phase == sim.PhaseBooting {
		return nil
	}
	if q.Broken {
		return append(m.status(nil, "E", 23, "Invalid JSON"), 0)
	}
	if len(q.Commands) == 1 {
		if reply, done := m.command(q.Commands[0], q.Parameter); done {
			return reply
		}
	}
	return sim.JoinRPC(q, m.print)
}

// look is the rig's view, taken once for a request.
func (m *machine) look() *sim.Snapshot {
	if !m.looked {
		m.snap, m.looked = m.rig.Snapshot(), true
	}
	return &m.snap
}

// lookClosely is look with every chip.
func (m *machine) lookClosely() *sim.Snapshot {
	if !m.chips {
		m.snap, m.looked, m.chips = m.rig.SnapshotChips(), true, true
	}
	return &m.snap
}

// clock is the machine's own: without a real-time clock it counts from its boot.
func (m *machine) clock() int64 {
	if m.nested {
		return m.rig.Now().Unix()
	}
	return int64(m.look().Uptime / time.Second)
}

// due carries out a softoff or softon whose time has come.
func (m *machine) due() {
	s, now := m.state, m.clock()
	if s.off != 0 && now >= s.off {
		_ = m.rig.Do(sim.Action{Kind: sim.DoSleep})
		s.off, s.reason, m.looked, m.chips = 0, 4, false, false
	}
	if s.on != 0 && now >= s.on {
		_ = m.rig.Do(sim.Action{Kind: sim.DoWake})
		s.on, s.reason, m.looked, m.chips = 0, 0, false, false
	}
}

func (m *machine) status(into []byte, kind string, code int, msg string) []byte {
	w := sim.NewRPCWriter(m.json, into)
	m.head(w, kind, code, msg)
	return w.End()
}

func (m *machine) head(w *sim.RPCWriter, kind string, code int, msg string) {
	w.Status(kind, m.clock(), code, msg, "cgminer 4.11.1")
}

// print prints what a reading command says.
func (m *machine) print(command string, into []byte) []byte {
	w := sim.NewRPCWriter(m.json, into)
	switch command {
	case "version":
		m.version(w)
	case "summary":
		m.summary(w)
	case "devs", "edevs":
		m.devs(w)
	case "devdetails":
		m.head(w, "S", 69, "Device Details")
		w.Section("DEVDETAILS")
		w.Object("DEVDETAILS=0")
		if m.json {
			w.Int("DEVDETAILS", 0)
		}
		w.Text("Name", "AVALON")
		w.Int("ID", 0)
		w.Text("Driver", "avalon")
		w.Text("Kernel", "")
		w.Text("Model", "")
		w.Text("Device Path", "")
	case "pools":
		m.pools(w)
	case "stats", "estats":
		m.stats(w)
	case "litestats":
		if !m.nested || flat(m.spec) {
			return m.status(into, "E", 14, "Invalid command")
		}
		m.litestats(w)
	case "config":
		m.head(w, "S", 33, "CGMiner config")
		w.Section("CONFIG")
		w.Object("CONFIG")
		w.Int("ASC Count", 1)
		w.Int("PGA Count", 0)
		w.Int("Pool Count", int64(len(m.look().Pools)))
		w.Text("Strategy", "Failover")
		w.Int("Log Interval", 5)
		w.Text("Device Code", "AVALON")
		w.Text("OS", "Linux")
		w.Text("Hotplug", "None")
	case "coin":
		m.head(w, "S", 78, "CGMiner coin")
		w.Section("COIN")
		w.Object("COIN")
		w.Text("Hash Method", "sha256")
		w.Bool("LP", true)
		w.Float("Network Difficulty", 126271255279306.98, 8)
	default:
		return m.status(into, "E", 14, "Invalid command")
	}
	return w.End()
}
