package whatsminer

import (
	"errors"
	"strconv"

	"github.com/tidwall/gjson"

	"ballast/miner/whatsminer/crypt"
	"ballast/sim"
	"ballast/unit"
)

// accounts are who may write over API v3.
var accounts = map[string]bool{"super": true, "user1": true, "user2": true, "user3": true}

// write checks the signature of a set.* request and carries it out.
func (m *machine) write(w *writer, name string, root gjson.Result) {
	sign, key := crypt.Sign(name, m.password[1], m.salt, root.Get("ts").Int())
	switch {
	case m.rig.Spec().WriteLock,
		root.Get("ts").Type != gjson.Number,
		!accounts[root.Get("account").String()],
		root.Get("token").String() != sign:
		m.result(w, name, v3Permission, "no permission")
		return
	}
	param := root.Get("param")
	if name == "set.miner.pools" {
		plain, err := key.Open(param.String())
		if err != nil || !gjson.ValidBytes(plain) {
			m.result(w, name, v3BadParam, "param decrypt error")
			return
		}
		param = gjson.ParseBytes(plain)
	}
	code, msg := m.set(name, param)
	m.result(w, name, code, msg)
}

// set carries out a write that is allowed.
func (m *machine) set(name string, param gjson.Result) (code int64, msg string) {
	do := func(a sim.Action) (int64, string) {
		switch err := m.rig.Do(a); {
		case errors.Is(err, sim.ErrOutOfRange):
			return v3Failed, "param out of range"
		case err != nil:
			return v3Failed, "fail"
		}
		return v3OK, "ok"
	}
	switch name {
	case "set.miner.service":
		switch param.String() {
		case "start", "enable":
			return do(sim.Action{Kind: sim.DoWake})
		case "stop", "disable":
			return do(sim.Action{Kind: sim.DoSleep})
		case "restart":
			return do(sim.Action{Kind: sim.DoRestart})
		}
	case "set.miner.power_limit":
		if param.Type != gjson.Number {
			return v3BadParam, "param error" // an object is not taken
		}
		watts := param.Num
		if watts == removesLimit {
			watts = float64(m.rig.Limits().Default)
		}
		return do(sim.Action{Kind: sim.DoPower, Power: unit.Power(watts)})
	case "set.miner.power_mode", "set.miner.mode":
		if mode, ok := modeOf(param.String()); ok {
			return do(sim.Action{Kind: sim.DoMode, Text: mode})
		}
	case "set.miner.power_percent":
		// The firmware reads the text of "percent", whatever the document says.
		if p := param.Get("percent"); p.Type == gjson.String {
			if v, err := strconv.ParseFloat(p.Str, 64); err == nil && v >= 0 && v <= 100 {
				return do(sim.Action{Kind: sim.DoPercent, Percent: v})
			}
		}
	case "set.miner.fastboot":
		switch param.String() {
		case "enable", "disable":
			return do(m.setFastBoot(param.String() == "enable"))
		}
	case "set.miner.upfreq_speed":
		if n := param.Int(); n >= 0 && n <= 10 {
			return do(m.setUpfreq(int(n)))
		}
	case "set.miner.pools":
		list := poolsOf(func(i int) (url, user, pass string) {
			p := param.Get(itoa(i))
			return p.Get("pool").String(), p.Get("worker").String(), p.Get("passwd").String()
		}, min(len(param.Array()), 3))
		if len(list) > 0 {
			return do(sim.Action{Kind: sim.DoPools, Pools: list})
		}
	case "set.system.led":
		return do(sim.Action{Kind: sim.DoLocate, On: param.String() != "auto"})
	case "set.system.reboot":
		return do(sim.Action{Kind: sim.DoReboot})
	default:
		return v3BadCommand, "invalid command"
	}
	return v3BadParam, "param error"
}
