package whatsminer

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/miner/whatsminer/crypt"
	"ballast/sim"
	"ballast/unit"
)

// What the firmware grants: tokens for 30 minutes, to 16 addresses, 32 to each.
const (
	tokenLife    = 30 * time.Minute
	mostClients  = 16
	mostTokens   = 32
	removesLimit = 99999 // as a power limit
)

// writes are the commands that must come sealed.
var writes = map[string]bool{
	"power_off": true, "power_on": true, "set_low_power": true, "set_normal_power": true, "set_high_power": true, "adjust_power_limit": true,
	"set_power_pct": true, "set_power_pct_v2": true, "reboot": true, "restart_btminer": true, "update_pools": true, "set_led": true,
	"enable_btminer_fast_boot": true, "disable_btminer_fast_boot": true, "adjust_upfreq_speed": true, "pre_power_on": true,
}

func (m *machine) getToken(addr string) []byte {
	secret, _ := m.key()
	now := m.rig.Now()
	clock := strconv.FormatInt(now.Unix(), 10)
	clock = clock[max(len(clock)-4, 0):]

	m.mu.Lock()
	m.expire(now)
	own, addrs := 0, map[string]bool{addr: true}
	for _, t := range m.tokens {
		addrs[t.addr] = true
		if t.addr == addr {
			own++
		}
	}
	if own >= mostTokens || len(addrs) > mostClients {
		m.mu.Unlock()
		return m.status("E", codeTokenLimit, "over max connect")
	}
	newsalt := m.word(8)
	m.tokens = append(m.tokens, token{sign: crypt.MD5Crypt(secret+clock, newsalt), addr: addr, until: now.Add(tokenLife)})
	m.mu.Unlock()

	w := &writer{}
	m.head(w, "S", codeTokenOK)
	w.key("Msg")
	w.open('{')
	w.text("time", clock)
	w.text("salt", m.salt)
	w.text("newsalt", newsalt)
	w.close('}')
	w.text("Description", "")
	w.close('}')
	return w.b
}

// expire forgets tokens. The caller holds mu.
func (m *machine) expire(now time.Time) {
	kept := m.tokens[:0]
	for _, t := range m.tokens {
		if now.Before(t.until) {
			kept = append(kept, t)
		}
	}
	m.tokens = kept
}

func (m *machine) valid(sign string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expire(m.rig.Now())
	for _, t := range m.tokens {
		if t.sign == sign {
			return true
		}
	}
	return false
}

// sealed answers {"enc":1,"data":".."}: what opens is answered sealed.
func (m *machine) sealed(data string) []byte {
	_, key := m.key()
	plain, err := key.Open(data)
	if err != nil {
		return m.status("E", codeBadBase64, "base64 decode error")
	}
	if !gjson.ValidBytes(plain) || plain[0] != '{' {
		return m.status("E", codeBadJSON, "enc json load err")
	}
	root := gjson.ParseBytes(plain)
	name := root.Get("cmd").String()
	if name == "" {
		name = root.Get("command").String()
	}
	if m.rig.Spec().WriteLock {
		return m.status("E", codePermission, "can't access write cmd")
	}
	if !m.valid(root.Get("token").String()) {
		return m.status("E", codeTokenInvalid, "check token err")
	}
	var reply []byte
	switch {
	case writes[name]:
		reply = m.obey(name, root)
	default: // reads may come sealed as well
		s := m.rig.Snapshot()
		w := &writer{}
		if !m.read(w, name, &s) {
			reply = m.status("E", codeBadCommand, "invalid cmd")
		} else {
			reply = w.b
		}
	}
	if reply == nil {
		return nil
	}
	w := &writer{}
	w.open('{')
	w.text("enc", key.Seal(reply))
	w.close('}')
	return w.b
}

// obey carries out a write. nil closes without a reply.
func (m *machine) obey(name string, p gjson.Result) []byte {
	ok := m.status("S", codeOK, "API command OK")
	do := func(a sim.Action) []byte {
		if err := m.rig.Do(a); err != nil {
			msg := "API command ERROR"
			if errors.Is(err, sim.ErrOutOfRange) {
				msg = "param out of range"
			}
			return m.status("E", codeFailed, msg)
		}
		return ok
	}
	switch name {
	case "power_off":
		return do(sim.Action{Kind: sim.DoSleep})
	case "power_on":
		return do(sim.Action{Kind: sim.DoWake})
	case "set_low_power", "set_normal_power", "set_high_power":
		reply := do(sim.Action{Kind: sim.DoMode, Text: strings.TrimSuffix(strings.TrimPrefix(name, "set_"), "_power")})
		if m.old {
			return nil // btminer restarts before it has answered
		}
		return reply
	case "adjust_power_limit":
		watts, err := strconv.ParseFloat(p.Get("power_limit").String(), 64)
		if err != nil || p.Get("power_limit").Type != gjson.String {
			return m.status("E", codeBadCommand, "invalid param")
		}
		if watts == removesLimit {
			watts = float64(m.rig.Limits().Default)
		}
		return do(sim.Action{Kind: sim.DoPower, Power: unit.Power(watts)})
	case "set_power_pct", "set_power_pct_v2":
		if m.old && name == "set_power_pct_v2" {
			return m.status("E", codeBadCommand, "invalid cmd")
		}
		pct, err := strconv.ParseFloat(p.Get("percent").String(), 64)
		if err != nil || pct < 0 || pct > 100 {
			return m.status("E", codeFailed, "param out of range")
		}
		return do(sim.Action{Kind: sim.DoPercent, Percent: pct})
	case "reboot":
		return do(sim.Action{Kind: sim.DoReboot})
	case "restart_btminer":
		return do(sim.Action{Kind: sim.DoRestart})
	case "set_led":
		return do(sim.Action{Kind: sim.DoLocate, On: p.Get("param").String() != "auto"})
	case "update_pools":
		list := poolsOf(func(i int) (url, user, pass string) {
			n := itoa(i + 1)
			return p.Get("pool" + n).String(), p.Get("worker" + n).String(), p.Get("passwd" + n).String()
		}, 3)
		if len(list) == 0 {
			return m.status("E", codeFailed, "API command ERROR")
		}
		return do(sim.Action{Kind: sim.DoPools, Pools: list})
	case "enable_btminer_fast_boot", "disable_btminer_fast_boot":
		return do(m.setFastBoot(name[0] == 'e'))
	case "adjust_upfreq_speed":
		n, err := strconv.Atoi(p.Get("upfreq_speed").String())
		if err != nil || n < 0 || n > 10 {
			return m.status("E", codeFailed, "param out of range")
		}
		return do(m.setUpfreq(n))
	case "pre_power_on":
		w := &writer{}
		m.head(w, "S", codeOK)
		w.key("Msg")
		w.open('{')
		w.text("complete", "true")
		w.text("msg", "adjust complete")
		w.close('}')
		w.text("Description", "")
		w.close('}')
		return w.b
	}
	return ok
}

// setFastBoot and setUpfreq keep what the firmware tells of these settings; the
// rig keeps what they do.
func (m *machine) setFastBoot(on bool) sim.Action {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fast = on
	return sim.Action{Kind: sim.DoFastBoot, On: on}
}

func (m *machine) setUpfreq(speed int) sim.Action {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.upfreq = speed
	return sim.Action{Kind: sim.DoUpfreq, Index: speed}
}

// poolsOf collects the places that are filled.
func poolsOf(at func(int) (url, user, pass string), n int) []sim.PoolSnapshot {
	var list []sim.PoolSnapshot
	for i := range n {
		if url, user, pass := at(i); url != "" {
			list = append(list, sim.PoolSnapshot{URL: url, User: user, Password: pass, Alive: true, Active: len(list) == 0})
		}
	}
	return list
}

func modeOf(word string) (string, bool) {
	switch word {
	case "low", "0":
		return miner.ModeLow, true
	case "normal", "1":
		return miner.ModeNormal, true
	case "high", "2":
		return miner.ModeHigh, true
	}
	return "", false
}

func itoa(n int) string { return strconv.Itoa(n) }

func ftoa(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }
