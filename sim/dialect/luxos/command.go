package luxos

import (
	"math"
	"strconv"
	"strings"
	"time"

	"ballast/sim"
	"ballast/unit"
)

// writers are the commands with parameters, and those that change something.
var writers = map[string]func(m *machine, parameter string, into []byte) []byte{
	"logon": (*machine).logon, "logoff": (*machine).logoff, "healthchipget": (*machine).chips, "voltageget": (*machine).voltage,
	"addpool": (*machine).addPool, "removepool": (*machine).removePool, "switchpool": (*machine).switchPool,
	"curtail":        inSession((*machine).curtail),
	"profileset":     inSession((*machine).profileset),
	"powertargetset": inSession((*machine).powertargetset),
	"ledset":         inSession((*machine).ledset),
	"rebootdevice":   inSession((*machine).rebootdevice),
	"resetminer":     inSession((*machine).resetminer),
	"enableboard":    inSession(func(m *machine, p []string, into []byte) []byte { return m.board(p, into, true) }),
	"disableboard":   inSession(func(m *machine, p []string, into []byte) []byte { return m.board(p, into, false) }),
}

// lasts is how long a session lives without use.
const lasts = time.Minute

// alive tells whether there is a session.
func (m *machine) alive() bool {
	return m.state.session != "" && m.rig.Now().Sub(m.state.used) < lasts
}

func (m *machine) logon(_ string, into []byte) []byte {
	if m.alive() {
		return m.status(into, "E", 402, "Another session is active")
	}
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	id := make([]byte, 8)
	for i := range id {
		id[i] = letters[m.state.random.IntN(len(letters))]
	}
	m.state.session, m.state.used = string(id), m.rig.Now()
	return m.session(into, 316, "Session created")
}

func (m *machine) session(into []byte, code int, msg string) []byte {
	w := sim.NewRPCWriter(m.json, into)
	m.sessionAs(w, code, msg)
	return w.End()
}

func (m *machine) sessionAs(w *sim.RPCWriter, code int, msg string) {
	id := ""
	if m.alive() {
		id = m.state.session
	}
	m.head(w, "S", code, msg)
	w.Section("SESSION")
	w.Object("SESSION")
	w.Text("SessionID", id)
}

func (m *machine) sessionOf(w *sim.RPCWriter) { m.sessionAs(w, 319, "Session information") }

func (m *machine) logoff(parameter string, into []byte) []byte {
	if !m.alive() || parameter != m.state.session {
		return m.status(into, "E", 403, "Invalid session id")
	}
	m.state.session = ""
	return m.status(into, "S", 317, "Session terminated")
}

// inSession guards a command that wants the session's ID first.
func inSession(run func(m *machine, parameters []string, into []byte) []byte) func(*machine, string, []byte) []byte {
	return func(m *machine, parameter string, into []byte) []byte {
		list := strings.Split(parameter, ",")
		if !m.alive() || list[0] != m.state.session {
			return m.status(into, "E", 403, "Invalid session id")
		}
		m.state.used = m.rig.Now()
		return run(m, list[1:], into)
	}
}

func (m *machine) curtail(p []string, into []byte) []byte {
	if len(p) == 0 || p[0] != "sleep" && p[0] != "wakeup" {
		return m.status(into, "E", 414, "Invalid curtail action")
	}
	action, kind := "sleep mode", sim.DoSleep
	if p[0] == "wakeup" {
		action, kind = "wake up", sim.DoWake
	}
	_ = m.rig.Do(sim.Action{Kind: kind})
	m.state.asleep = kind == sim.DoSleep
	w := sim.NewRPCWriter(m.json, into)
	m.head(w, "S", 335, "Curtailment command sent")
	w.Section("CURTAIL")
	w.Object("CURTAIL")
	w.Text("Action", action)
	return w.End()
}

// profileset takes a name, a relative step, or watts or hashrate to choose by.
func (m *machine) profileset(p []string, into []byte) []byte {
	if len(p) > 0 && len(p[0]) == 1 && p[0][0] >= '0' && p[0][0] <= '3' {
		p = p[1:] // once a board's number, and ignored since
	}
	if len(p) == 0 || p[0] == "" {
		return m.status(into, "E", 421, "Profile not found")
	}
	profile, ok := m.choose(p[0])
	if !ok {
		return m.status(into, "E", 421, "Profile not found: "+p[0])
	}
	if err := m.rig.Do(sim.Action{Kind: sim.DoProfile, Text: profile.Name, Power: profile.Power}); err != nil {
		return m.status(into, "E", 421, "Profile not found: "+p[0])
	}
	w := sim.NewRPCWriter(m.json, into)
	m.head(w, "S", 321, "Profile Set")
	w.Section("PROFILE")
	w.Object("PROFILE")
	w.Int("Board", 0)
	w.Int("FrequencyStep", 5)
	w.Text("Profile", profile.Name)
	w.Float("VoltageStep", 0.05, 2)
	return w.End()
}

func (m *machine) choose(want string) (sim.ProfileSpec, bool) {
	profiles := m.rig.Profiles()
	for _, p := range profiles {
		if p.Name == want {
			return p, true
		}
	}
	suffix := strings.TrimLeft(want, "+-0123456789.")
	v, err := strconv.ParseFloat(strings.TrimSuffix(want, suffix), 64)
	if err != nil {
		return sim.ProfileSpec{}, false
	}
	for _, p := range profiles {
		hit := false
		switch suffix {
		case "THs":
			hit = math.Abs(float64(p.Hashrate)-v) < 0.05
		case "kW":
			hit = math.Abs(float64(p.Power)/1e3-v) < 0.005
		case "W":
			hit = math.Abs(float64(p.Power)-v) < 0.5
		case "":
			hit = (want[0] == '+' || want[0] == '-') && m.stepOf(p.Name) == strings.TrimPrefix(want, "+")
		}
		if hit {
			return p, true
		}
	}
	return sim.ProfileSpec{}, false
}

func (m *machine) powertargetset(p []string, into []byte) []byte {
	if !targets(m.spec) {
		return m.status(into, "E", 436, "Power target is not supported on this model")
	}
	if len(p) == 0 {
		return m.status(into, "E", 437, "Missing power target")
	}
	text, ok := strings.CutPrefix(p[0], "power=")
	watts, err := strconv.Atoi(text)
	if !ok || err != nil {
		return m.status(into, "E", 437, "Invalid power target: "+p[0])
	}
	if err := m.rig.Do(sim.Action{Kind: sim.DoPower, Power: unit.Power(watts)}); err != nil {
		return m.status(into, "E", 438, "Power target out of range")
	}
	return m.status(into, "S", 361, "Power target set")
}

func (m *machine) ledset(p []string, into []byte) []byte {
	if len(p) < 2 || p[0] != "red" && p[0] != "green" || p[1] != "on" && p[1] != "off" && p[1] != "blink" && p[1] != "auto" {
		return m.status(into, "E", 416, "Invalid LED parameter")
	}
	if p[0] == "red" {
		m.state.led = p[1]
		if p[1] == "blink" {
			m.state.led = "auto" // the rig remembers that it blinks
		}
		_ = m.rig.Do(sim.Action{Kind: sim.DoLocate, On: p[1] == "blink"})
	}
	return m.status(into, "S", 331, "LED set")
}

func (m *machine) rebootdevice(_ []string, into []byte) []byte {
	m.state.session = ""
	_ = m.rig.Do(sim.Action{Kind: sim.DoReboot})
	return m.status(into, "S", 332, "Rebooting device")
}

func (m *machine) resetminer(_ []string, into []byte) []byte {
	m.state.session = ""
	_ = m.rig.Do(sim.Action{Kind: sim.DoRestart})
	return m.status(into, "S", 329, "Resetting miner")
}

func (m *machine) board(p []string, into []byte, enable bool) []byte {
	id := -1
	if len(p) > 0 {
		if n, err := strconv.Atoi(p[0]); err == nil {
			id = n
		}
	}
	if err := m.rig.Do(sim.Action{Kind: sim.DoBoard, Index: id, On: enable}); err != nil {
		return m.status(into, "E", 401, "Invalid board id")
	}
	return m.status(into, "S", 324, "Board state changed")
}

// boardOf reads the board's number that a reading command wants.
func (m *machine) boardOf(parameter string) (int, bool) {
	first, _, _ := strings.Cut(parameter, ",")
	id, err := strconv.Atoi(first)
	return id, err == nil && id >= 0 && id < len(m.look().Boards)
}

func (m *machine) voltage(parameter string, into []byte) []byte {
	id, ok := m.boardOf(parameter)
	if !ok {
		return m.status(into, "E", 401, "Invalid board id")
	}
	w := sim.NewRPCWriter(m.json, into)
	m.head(w, "S", 307, "Get Voltage")
	w.Section("VOLTAGE")
	w.Object("VOLTAGE")
	w.Int("Board", int64(id))
	w.Bool("IsOnBoard", false)
	w.Float("Voltage", float64(m.look().Boards[id].Voltage), 2)
	return w.End()
}

// chips is healthchipget. Chips are examined while they hash; otherwise their
// health is unknown and all that goes with it is left out.
func (m *machine) chips(parameter string, into []byte) []byte {
	id, ok := m.boardOf(parameter)
	if !ok {
		return m.status(into, "E", 401, "Invalid board id")
	}
	s := m.rig.SnapshotChips()
	b := &s.Boards[id]
	w := sim.NewRPCWriter(m.json, into)
	m.head(w, "S", 314, "Health Chip Get")
	w.Section("CHIPS")
	if !b.Present {
		return w.End()
	}
	working := on(&s, id)
	when := m.rig.Now().UnixMilli()
	for k := range b.PerChip {
		c := &b.PerChip[k]
		w.Object("CHIP=" + itoa(k))
		w.Int("Board", int64(id))
		w.Int("Chip", int64(k))
		if targets(m.spec) && working {
			w.Float("ChipTemp", float64(c.Temp), 2)
		}
		w.Int("Column", int64(k%7))
		w.Int("Domain", int64(k/7))
		if !working {
			w.Text("Healthy", "Unknown")
			w.Bool("IsChecking", true)
			w.Int("Row", int64(k/7))
			continue
		}
		rate := float64(c.Hashrate) * 1e3
		score := 100 * per(float64(c.Hashrate), float64(b.HashrateNominal)/float64(max(m.spec.Model.Chips, 1)))
		w.Float("Frequency", c.Frequency.MHz(), 0)
		for _, key := range []string{"GHS 15m", "GHS 1m", "GHS 5m"} {
			w.Float(key, rate, 2)
		}
		w.Int("HashCount", int64(score*4.51))
		w.Int("HashExpected", 451)
		w.Int("HashMin", 91)
		w.Text("Healthy", map[bool]string{true: "Y", false: "N"}[c.Alive && score > 20])
		w.Bool("IsChecking", false)
		w.Int("Row", int64(k/7))
		w.Float("Score", score, 2)
		w.Int("When", when)
	}
	return w.End()
}

func (m *machine) addPool(parameter string, into []byte) []byte {
	p := strings.Split(parameter, ",")
	if len(p) < 3 || p[0] == "" {
		return m.status(into, "E", 52, "Invalid addpool details '"+parameter+"'")
	}
	pools := append(m.pool(), sim.PoolSnapshot{URL: p[0], User: p[1], Password: p[2]})
	_ = m.rig.Do(sim.Action{Kind: sim.DoPools, Pools: pools})
	return m.status(into, "S", 55, "Added pool "+itoa(len(pools)-1)+": '"+p[0]+"'")
}

// pool is the list of pools as it stands, with their passwords.
func (m *machine) pool() []sim.PoolSnapshot {
	return append([]sim.PoolSnapshot(nil), m.look().Pools...)
}

func (m *machine) poolID(parameter string) (int, bool) {
	id, err := strconv.Atoi(parameter)
	return id, err == nil && id >= 0 && id < len(m.look().Pools)
}

func (m *machine) removePool(parameter string, into []byte) []byte {
	id, ok := m.poolID(parameter)
	pools := m.pool()
	switch {
	case !ok:
		return m.status(into, "E", 26, "Invalid pool id "+parameter)
	case len(pools) == 1:
		return m.status(into, "E", 66, "Cannot remove last pool "+parameter)
	}
	_ = m.rig.Do(sim.Action{Kind: sim.DoPools, Pools: append(pools[:id], pools[id+1:]...)})
	return m.status(into, "S", 68, "Removed pool "+parameter)
}

func (m *machine) switchPool(parameter string, into []byte) []byte {
	if _, ok := m.poolID(parameter); !ok {
		return m.status(into, "E", 26, "Invalid pool id "+parameter)
	}
	return m.status(into, "S", 27, "Switching to pool "+parameter)
}
