// Package luxos serves the dialect of LuxOS on TCP 4028: the cgminer API in JSON
// and in text, with Luxor's commands.
//
// Two generations, chosen by the rig's version: before 2024.6 there are no
// labels in temps, no Step in profiles and no power target; from then on there
// are, and models of the S21 and T21 take a power target and tell chip
// temperatures. Without a version it is the newest.
//
// Quirks that are here on purpose: NUL at the end; devs in the order in which
// boards came up and not of their IDs; temperatures of the board repeated in
// stats under Bitmain's names for chips; pools' last share as "hh:mm:ss" before
// now; whole numbers where fractions should be; commands with parameters refused
// in a joined request; one session at a time, gone after a minute without use;
// pool commands without any session; profileset acknowledged while the machine
// sleeps, and a number from 0 to 3 taken for a board; stats, temps and healthchipget tell
// zeros of a board that is off; sleep survives a reboot; addpool's refusal quotes
// what it was given.
package luxos

import (
	"context"
	"math/rand/v2"
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
func (Dialect) Firmware() miner.Firmware { return miner.LuxOS }

// Ports are those that machines listen on: the API's alone matters.
func (Dialect) Ports(sim.Spec) []uint16 { return []uint16{4028} }

// Serve answers one request.
func (Dialect) Serve(ctx context.Context, _ uint16, conn net.Conn, rig *sim.Rig) {
	sim.ServeRPC(ctx, conn, func(q sim.RPCRequest) []byte { return answer(rig, q) })
}

// state is what the firmware keeps of a rig.
type state struct {
	mu      sync.Mutex
	session string
	used    time.Time // the session, last
	random  *rand.Rand
	asleep  bool // survives a reboot
	order   []int
	led     string
}

func stateOf(rig *sim.Rig) *state {
	return rig.Memo("luxos", func() any {
		spec := rig.Spec()
		s := &state{random: rand.New(rand.NewPCG(spec.Seed, 0x10c5)), led: "auto"}
		s.order = s.random.Perm(len(rig.Snapshot().Boards))
		return s
	}).(*state)
}

const newest = "2025.4.8.220305-57b389c7"

func version(s sim.Spec) string {
	if s.Version != "" {
		return s.Version
	}
	return newest
}

// short is a version without the commit.
func short(s sim.Spec) string {
	v, _, _ := strings.Cut(version(s), "-")
	return v
}

// early tells the older generation.
func early(s sim.Spec) bool {
	v := version(s)
	return strings.HasPrefix(v, "0.") || v < "2024.6" || strings.HasPrefix(v, "2023")
}

// targets tells the models that take a power target.
func targets(s sim.Spec) bool {
	return !early(s) && (strings.Contains(s.Model.Name, "S21") || strings.Contains(s.Model.Name, "T21"))
}

// machine is one request's view of a rig.
type machine struct {
	rig    *sim.Rig
	spec   sim.Spec
	state  *state
	json   bool
	snap   sim.Snapshot
	looked bool
}

func answer(rig *sim.Rig, q sim.RPCRequest) []byte {
	m := &machine{rig: rig, spec: rig.Spec(), state: stateOf(rig), json: q.JSON}
	m.state.mu.Lock()
	defer m.state.mu.Unlock()
	switch s := m.look(); s.Phase {
	case sim.PhaseOff, sim.PhaseBooting:
		return nil
	case sim.PhaseSleeping:
		m.state.asleep = true
	default:
		if m.state.asleep { // it came back from a reboot
			_ = rig.Do(sim.Action{Kind: sim.DoSleep})
			m.looked = false
		}
	}
	if q.Broken {
		return append(m.status(nil, "E", 23, "Invalid JSON"), 0)
	}
	if len(q.Commands) == 1 {
		return append(m.run(q.Commands[0], q.Parameter, make([]byte, 0, 4096)), 0)
	}
	return sim.JoinRPC(q, func(command string, into []byte) []byte { return m.run(command, "", into) })
}

func (m *machine) look() *sim.Snapshot {
	if !m.looked {
		m.snap, m.looked = m.rig.Snapshot(), true
	}
	return &m.snap
}

func (m *machine) status(into []byte, kind string, code int, msg string) []byte {
	w := sim.NewRPCWriter(m.json, into)
	m.head(w, kind, code, msg)
	return w.End()
}

func (m *machine) head(w *sim.RPCWriter, kind string, code int, msg string) {
	w.Status(kind, m.rig.Now().Unix(), code, msg, "LUXminer "+version(m.spec))
}

// run prints what a command says, having carried it out.
func (m *machine) run(command, parameter string, into []byte) []byte {
	if print, ok := readers[command]; ok {
		w := sim.NewRPCWriter(m.json, into)
		print(m, w)
		return w.End()
	}
	if write, ok := writers[command]; ok {
		return write(m, parameter, into)
	}
	return m.status(into, "E", 14, "Invalid command")
}
