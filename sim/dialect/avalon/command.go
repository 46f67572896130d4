package avalon

import (
	"strconv"
	"strings"

	"ballast/miner"
	"ballast/sim"
)

// command carries out what is more than printing, and says whether it was that.
func (m *machine) command(name, parameter string) (reply []byte, done bool) {
	switch name {
	case "ascset":
		return m.ascset(parameter), true
	case "setpool":
		if m.nested {
			return m.setpool(parameter), true
		}
	case "restart":
		if !m.nested {
			_ = m.rig.Do(sim.Action{Kind: sim.DoRestart})
			if m.json {
				return []byte("{\"STATUS\":\"RESTART\"}\x00"), true
			}
			return []byte("RESTART\x00"), true
		}
	case "check":
		w := sim.NewRPCWriter(m.json, nil)
		m.head(w, "S", 72, "Check command")
		w.Section("CHECK")
		w.Object("CHECK")
		w.Text("Exists", "Y")
		w.Text("Access", "Y")
		return append(w.End(), 0), true
	case "pools":
		// Some builds print the tail of a reply whose body has gone missing.
		if m.json && m.look().Phase == sim.PhaseStarting {
			return []byte(",\"id\":1}\x00"), true
		}
	}
	return nil, false
}

func (m *machine) ok() []byte { return append(m.status(nil, "S", 119, "ASC 0 set OK"), 0) }

// info answers as successes with something to say do, and refusals too.
func (m *machine) info(words string) []byte {
	return append(m.status(nil, "I", 118, "ASC 0 set info: "+words), 0)
}

// refuse is how the API itself refuses; drivers of devices do so by an info.
func (m *machine) refuse(words string) []byte {
	return append(m.status(nil, "E", 120, "ASC 0 set failed: "+words), 0)
}

func (m *machine) ascset(parameter string) []byte {
	id, rest, found := strings.Cut(parameter, ",")
	if id != "0" {
		return append(m.status(nil, "E", 107, "Invalid ASC id "+id+" - range is 0 - 0"), 0)
	}
	if !found || rest == "" {
		return append(m.status(nil, "E", 112, "Missing option after ASC number"), 0)
	}
	option, value, _ := strings.Cut(rest, ",")
	switch option {
	case "help":
		if m.nested {
			return m.info("help|voltage|fan-spd|lcd|hash-sn-read|volt-tuning|workmode|worklevel|work_mode_lvl|reboot|softon|softoff|filter-clean|facopts|faclock|solo-allowed|frequency|loop|password|qr_auth|time|")
		}
		return m.info("help|led|reboot|workmode|setpool|hashpower|softoff|softon|fan-spd|frequency|voltage|password|ip|dns|")
	case "reboot":
		m.reboot()
		return nil
	case "softoff", "softon":
		return m.soft(option == "softoff", option, value)
	case "workmode":
		return m.workmode(value)
	case "worklevel":
		if m.nested {
			return m.worklevel(value)
		}
	case "led":
		if !m.nested {
			return m.led(value)
		}
	case "hashpower":
		if !m.nested {
			return m.hashpower(value)
		}
	case "setpool":
		if !m.nested {
			return m.setpool(value)
		}
	}
	return m.refuse("Unknown option: " + option)
}

// reboot applies what waited for it.
func (m *machine) reboot() {
	s := m.state
	if s.mode != "" {
		_ = m.rig.Do(sim.Action{Kind: sim.DoMode, Text: s.mode})
		s.mode = ""
	}
	if s.waiting {
		m.usePools()
	}
	s.off, s.on, s.reason = 0, 0, 0
	_ = m.rig.Do(sim.Action{Kind: sim.DoReboot})
}

// soft is softoff and softon: "1:<time>" by the machine's clock. A time that has
// passed, or that never comes, is acknowledged all the same. A classic machine
// takes softoff without a time too.
func (m *machine) soft(off bool, option, value string) []byte {
	if off && value == "" && !m.nested {
		m.state.off = m.clock()
		m.due()
		return m.ok()
	}
	_, when, found := strings.Cut(value, ":")
	at, err := strconv.ParseInt(when, 10, 64)
	if !found || err != nil {
		return m.refuse(option + " unknown argument")
	}
	s, now := m.state, m.clock()
	soon := at >= now && at-now <= 30
	switch {
	case off:
		s.lastOff = at
		if at >= now {
			s.off = at
		}
		if soon { // nobody may ask until then
			s.off = now
		}
	default:
		s.lastOn = at
		if at >= now {
			s.on = at
		}
		if soon {
			s.on = now
		}
	}
	m.due()
	if !off && soon {
		return nil
	}
	return m.info("success " + option + ":" + when)
}

func (m *machine) workmode(value string) []byte {
	verb, number := "set", value
	if m.nested {
		verb, number, _ = strings.Cut(value, ",")
	}
	modes := []string{miner.ModeNormal, miner.ModeHigh}
	if m.offset() == 0 {
		modes = []string{miner.ModeLow, miner.ModeNormal, miner.ModeHigh}
	}
	now := 0
	for i, name := range modes {
		if name == m.look().Mode {
			now = i
		}
	}
	if m.nested && verb == "get" {
		return m.info("workmode " + itoa(now))
	}
	if !m.nested && number == "255" {
		return m.info("WORKMODE[" + itoa(now) + "]")
	}
	n, err := strconv.Atoi(number)
	switch {
	case verb != "set" || err != nil || n < 0:
		return m.info("error:2 parameter error")
	case n >= len(modes):
		return m.info("error:1 not support set workmode max_mode[" + itoa(len(modes)-1) + "]")
	}
	if !m.nested {
		m.state.mode = modes[n]
		return m.info("WORKMODE[" + itoa(n) + "]")
	}
	_ = m.rig.Do(sim.Action{Kind: sim.DoMode, Text: modes[n]})
	return m.ok()
}

func (m *machine) worklevel(value string) []byte {
	verb, number, _ := strings.Cut(value, ",")
	if verb == "get" {
		return m.info("worklevel " + itoa(m.level(m.look())))
	}
	n, err := strconv.Atoi(number)
	at := n + m.state.standard
	if verb != "set" || err != nil || at < 0 || at >= len(m.state.profiles) {
		return m.refuse("worklevel unknown argument")
	}
	p := m.state.profiles[at]
	if err := m.rig.Do(sim.Action{Kind: sim.DoProfile, Text: p.name, Power: p.Power}); err != nil {
		return m.refuse("worklevel unknown argument")
	}
	return m.ok()
}

func (m *machine) led(value string) []byte {
	switch value {
	case "1-255":
		if m.look().Locating {
			return m.info("LED[1]")
		}
		return m.info("LED[0]")
	case "1-0", "1-1":
		_ = m.rig.Do(sim.Action{Kind: sim.DoLocate, On: value == "1-1"})
		return m.ok()
	}
	return m.refuse("led unknown argument")
}

func (m *machine) hashpower(value string) []byte {
	if value == "0" {
		_ = m.rig.Do(sim.Action{Kind: sim.DoSleep})
		m.state.reason = 1
		return m.info("Power off hash now ...")
	}
	ps := m.supply(m.look())
	words := make([]string, len(ps))
	for i, v := range ps {
		words[i] = itoa(v)
	}
	return m.info("PS[" + strings.Join(words, " ") + "]")
}

// setpool writes one slot: user,password,[slot,]address,worker,password.
func (m *machine) setpool(parameter string) []byte {
	list := strings.Split(parameter, ",")
	refuse := func(words string) []byte {
		if m.nested {
			return append(m.status(nil, "E", 132, "Pool set error: "+words), 0)
		}
		return m.info(words)
	}
	if len(list) < 5 {
		return refuse("we need 5 | 6 arguments, your input is " + itoa(len(list)) + " arguments.")
	}
	user, password := m.spec.User, m.spec.Password
	if user == "" {
		user = "root"
	}
	if password == "" {
		password = "root"
	}
	switch {
	case list[0] != user:
		return refuse("username err")
	case list[1] != password:
		return refuse("userpass err")
	}
	number := 0
	if rest := list[2:]; len(rest) == 4 {
		n, err := strconv.Atoi(rest[0])
		if err != nil || n < 0 || n > 2 {
			return refuse("pool num must between 0 and 2 , your input is " + rest[0])
		}
		number, list = n, rest[1:]
	} else {
		list = rest
	}
	if list[0] == "" {
		return refuse("we need 5 | 6 arguments, your input is 3 arguments.")
	}
	s := m.state
	if !s.waiting {
		for i, p := range m.look().Pools {
			if i < len(s.slots) {
				s.slots[i] = slot{p.URL, p.User, p.Password}
			}
		}
	}
	s.slots[number], s.waiting = slot{list[0], list[1], list[2]}, true
	words := "\npool " + itoa(number) + " success set to " + list[0] + "\nworker is " + list[1] + "\nworkerpassword is " + list[2] + "\nPlease reboot miner to make config work.\n"
	if m.nested {
		return append(m.status(nil, "S", 131, words), 0)
	}
	return m.info(words)
}

// usePools makes the rig mine at the slots.
func (m *machine) usePools() {
	var pools []sim.PoolSnapshot
	for _, p := range m.state.slots {
		if p.url != "" {
			pools = append(pools, sim.PoolSnapshot{URL: p.url, User: p.user, Password: p.password})
		}
	}
	m.state.waiting = false
	_ = m.rig.Do(sim.Action{Kind: sim.DoPools, Pools: pools})
}
