package whatsminer

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"ballast/sim"
	"ballast/unit"
)

const (
	// mostLines is how many connections API v3 serves at once.
	mostLines = 10
	// idleLine is how long a connection may say nothing, not even a heart beat.
	idleLine = 5 * time.Minute
)

// Codes of replies.
const (
	v3OK         = 0
	v3Failed     = -1
	v3BadCommand = -2
	v3BadParam   = -3
	v3Permission = -4
)

// serveV3 answers frames until the peer leaves.
func serveV3(conn net.Conn, rig *sim.Rig) {
	m := machineOf(rig)
	m.mu.Lock()
	full := m.clients >= mostLines
	if !full {
		m.clients++
	}
	m.mu.Unlock()
	if full {
		return
	}
	defer func() {
		m.mu.Lock()
		m.clients--
		m.mu.Unlock()
	}()
	in := bufio.NewReaderSize(conn, 512)
	var head [4]byte
	var body []byte
	for {
		_ = conn.SetReadDeadline(time.Now().Add(idleLine))
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return
		}
		size := binary.LittleEndian.Uint32(head[:])
		if size > mostRequest {
			return
		}
		if size == 0 { // a heart beat, given back
			if _, err := conn.Write(head[:]); err != nil {
				return
			}
			continue
		}
		if uint32(cap(body)) < size {
			body = make([]byte, size)
		}
		body = body[:size]
		if _, err := io.ReadFull(in, body); err != nil {
			return
		}
		w := &writer{b: make([]byte, 4, 4096)}
		// The machine may have another firmware or password by now.
		machineOf(rig).answerV3(w, body)
		binary.LittleEndian.PutUint32(w.b, uint32(len(w.b)-4))
		_ = conn.SetWriteDeadline(time.Now().Add(30 * time.Second))
		if _, err := conn.Write(w.b); err != nil {
			return
		}
	}
}

// answerV3 appends the reply to a request.
func (m *machine) answerV3(w *writer, body []byte) {
	if !gjson.ValidBytes(body) {
		m.result(w, "", v3BadParam, "invalid json")
		return
	}
	root := gjson.ParseBytes(body)
	name := root.Get("cmd").String()
	if strings.HasPrefix(name, "set.") {
		m.write(w, name, root)
		return
	}
	s := m.rig.Snapshot()
	param := root.Get("param").String()
	switch name {
	case "get.miner.status":
		m.minerStatus3(w, name, param, &s)
	case "get.device.info":
		m.reply(w, name, func() { m.deviceInfo(w, param, &s) })
	case "get.miner.setting":
		m.reply(w, name, func() { m.minerSetting(w, &s) })
	case "get.system.setting":
		m.reply(w, name, func() {
			w.int("web-pool", 1)
			w.text("timezone", "UTC0")
			w.text("zonename", "UTC")
			w.text("hostname", m.hostname())
			w.key("ntp-server")
			w.b = append(w.b, `["0.pool.ntp.org","1.pool.ntp.org"]`...)
		})
	case "get.fan.setting":
		m.reply(w, name, func() {
			w.int("fan-poweroff-cool", 0)
			w.int("fan-zero-speed", 0)
			w.int("fan-temp-offset", 0)
		})
	default:
		m.result(w, name, v3BadCommand, "invalid command")
	}
}

// openReply starts a reply. The four bytes of the frame's length precede it.
func openReply(w *writer, code int64) {
	w.b = append(w.b, '{')
	w.int("code", code)
}

func (m *machine) closeReply(w *writer, name string) {
	w.text("desc", name)
	w.close('}')
}

func (m *machine) reply(w *writer, name string, fill func()) {
	openReply(w, v3OK)
	w.int("when", m.rig.Now().Unix())
	w.key("msg")
	w.open('{')
	fill()
	w.close('}')
	m.closeReply(w, name)
}

// result is a reply with a word for content.
func (m *machine) result(w *writer, name string, code int64, msg string) {
	openReply(w, code)
	w.int("when", m.rig.Now().Unix())
	w.text("msg", msg)
	m.closeReply(w, name)
}

// minerStatus3 answers "summary", "edevs" and "pools", joined by plus signs or
// alone. While the mining process is off, pools alone are declined, and left out
// of a joined answer.
func (m *machine) minerStatus3(w *writer, name, param string, s *sim.Snapshot) {
	parts := strings.Split(param, "+")
	for _, p := range parts {
		if p != "summary" && p != "edevs" && p != "pools" {
			m.result(w, name, v3BadParam, "param error")
			return
		}
	}
	if off(s) && param == "pools" {
		m.result(w, name, v3Failed, "fail")
		return
	}
	m.reply(w, name, func() {
		for _, p := range parts {
			switch p {
			case "summary":
				w.key("summary")
				w.open('{')
				m.summary3(w, s)
				w.close('}')
			case "edevs":
				w.key("edevs")
				w.open('[')
				m.edevs3(w, s)
				w.close(']')
			case "pools":
				if off(s) {
					continue
				}
				w.key("pools")
				w.open('[')
				m.pools3(w, s)
				w.close(']')
			}
		}
	})
}

func (m *machine) summary3(w *writer, s *sim.Snapshot) {
	low, mean, high := chipTemps(s)
	w.int("elapsed", running(s))
	w.int("bootup-time", int64(s.Uptime/time.Second))
	w.num("freq-avg", frequency(s), 0)
	w.num("target-freq", frequency(s), 0)
	w.num("factory-hash", float64(m.factory()), 3)
	w.num("hash-average", float64(s.HashrateAvg), 3)
	w.num("hash-1min", float64(s.Hashrate1m), 3)
	w.num("hash-15min", float64(s.Hashrate15m), 3)
	w.num("hash-realtime", float64(s.Hashrate5s), 3)
	w.num("power-rate", powerRate(s), 3)
	w.num("power-5min", float64(s.Power), 1)
	w.num("power-realtime", float64(s.Power), 1)
	w.num("environment-temperature", sensor(s.Ambient), 1)
	w.key("board-temperature")
	w.open('[')
	for i := range s.Boards {
		b := &s.Boards[i]
		board, _, _, _ := temps(b, b.Enabled && !off(s))
		w.comma()
		w.b = append(w.b, ftoa(board)...)
	}
	w.close(']')
	w.num("chip-temp-min", low, 1)
	w.num("chip-temp-avg", mean, 1)
	w.num("chip-temp-max", high, 1)
	w.num("power-limit", float64(m.powerLimit(s)), 0)
	w.int("up-freq-finish", count(risen(s)))
	w.num("fan-speed-in", fan(s, 0), 0)
	w.num("fan-speed-out", fan(s, 1), 0)
	w.text("Debug", "")
}

func (m *machine) edevs3(w *writer, s *sim.Snapshot) {
	on := !off(s)
	for i := range s.Boards {
		b := &s.Boards[i]
		if !b.Present {
			continue
		}
		_, low, mean, high := temps(b, on && b.Enabled)
		w.open('{')
		w.int("id", int64(i))
		w.int("slot", int64(i))
		w.num("hash-average", float64(b.Hashrate), 3)
		w.num("factory-hash", float64(m.factory())/float64(max(len(s.Boards), 1)), 3)
		w.num("freq", onlyIf(on && b.Enabled, b.Frequency.MHz()), 0)
		w.int("effective-chips", int64(b.Chips))
		w.num("chip-temp-min", low, 1)
		w.num("chip-temp-avg", mean, 1)
		w.num("chip-temp-max", high, 1)
		if m.realtime {
			w.num("hash-realtime", float64(b.Hashrate), 3)
			w.text("status", map[bool]string{true: "alive", false: "nostart"}[on && b.Enabled])
		}
		w.close('}')
	}
}

func (m *machine) pools3(w *writer, s *sim.Snapshot) {
	for i, p := range s.Pools {
		w.open('{')
		w.int("id", int64(i+1))
		w.text("url", p.URL)
		w.text("status", map[bool]string{true: "alive", false: "dead"}[p.Alive])
		w.text("account", p.User)
		w.bool("stratum-active", p.Active)
		w.int("pool-priority", int64(i))
		w.num("stratum-diff", s.Difficulty, 0)
		w.num("reject-rate", share(p.Rejected, p.Accepted+p.Rejected), 4)
		w.int("last-share-time", unix(p.LastShare))
		w.close('}')
	}
}

func (m *machine) minerSetting(w *writer, s *sim.Snapshot) {
	pct := s.PowerPercent
	if pct == 100 {
		pct = 0 // none in force
	}
	w.num("power-limit", float64(m.powerLimit(s)), 0)
	w.int("upfreq-speed", int64(m.riseSpeed()))
	w.text("power-mode", s.Mode)
	w.text("fast-boot", m.fastBoot())
	w.int("target-freq", 0)
	w.text("fast-mining", "disable")
	w.num("power", float64(m.powerLimit(s)), 0)
	w.num("power-percent", pct, 0)
}

func (m *machine) hostname() string {
	if h := m.rig.Spec().Hostname; h != "" {
		return h
	}
	return "WhatsMiner"
}

// deviceInfo writes one section or, without a parameter, all.
func (m *machine) deviceInfo(w *writer, param string, s *sim.Snapshot) {
	all := param == ""
	spec := m.rig.Spec()
	if list := complaints(s); len(list) > 0 && (all || param == "error-code") {
		w.key("error-code")
		w.open('[')
		for _, c := range list {
			w.open('{')
			w.time(c.code, c.since)
			if c.reason != "" {
				w.text("reason", c.reason)
			}
			w.close('}')
		}
		w.close(']')
	}
	if all || param == "miner" {
		w.key("miner")
		w.open('{')
		m.minerSection(w, spec, s)
		w.close('}')
	}
	if all || param == "network" {
		w.key("network")
		w.open('{')
		w.text("dns", "192.168.2.1")
		w.text("gateway", "192.168.2.1")
		w.text("hostname", m.hostname())
		w.text("ip", addrText(spec))
		w.text("mac", strings.ToUpper(spec.MAC))
		w.text("netmask", "255.255.255.0")
		w.text("proto", "dhcp")
		w.close('}')
	}
	if all || param == "power" {
		w.key("power")
		w.open('{')
		m.powerSection(w, spec, s)
		w.close('}')
	}
	if all || param == "salt" {
		w.text("salt", m.salt)
	}
	if all || param == "system" {
		w.key("system")
		w.open('{')
		w.text("api", m.api)
		w.text("apiswitch", map[bool]string{true: "0", false: "1"}[spec.WriteLock])
		w.text("control-board-version", "CB6V10")
		w.text("fwversion", m.firmware)
		w.text("ledstatus", ledState(s))
		w.text("platform", m.platform())
		w.close('}')
	}
}

func (m *machine) minerSection(w *writer, spec sim.Spec, s *sim.Snapshot) {
	w.intText("board-num", int64(len(s.Boards)))
	var rates strings.Builder
	for i := range s.Boards {
		w.text("chipdata"+itoa(i), m.chipData(i))
		rates.WriteString(":" + itoa(int(float64(m.factory())*1e3/float64(len(s.Boards)))))
	}
	w.text("detect-hash-rate", strings.TrimPrefix(rates.String(), ":"))
	w.text("fast-boot", m.fastBoot())
	_, revision, _ := strings.Cut(m.typ, "_V")
	w.text("hash-board", revision)
	w.text("hash-percent", "0")
	w.text("miner-sn", spec.Serial)
	for i := range s.Boards {
		if b := &s.Boards[i]; b.Present {
			w.text("pcbsn"+itoa(i), boardSerial(spec, b, i))
		}
	}
	w.text("pool-strategy", "FAILOVER")
	w.text("power-limit-set", m.limitSet(s))
	w.text("type", m.typ)
	w.boolText("working", !off(s))
}

func (m *machine) powerSection(w *writer, spec sim.Spec, s *sim.Snapshot) {
	mode := map[string]string{"low": "0", "normal": "1", "high": "2"}[s.Mode]
	w.num("fanspeed", float64(s.PSU.Fan), 0)
	w.text("hwversion", "RT0159")
	w.num("iin", float64(s.PSU.CurrentIn), 2)
	w.text("mode", mode)
	w.text("model", powerModel(spec))
	w.num("pin", float64(s.PSU.PowerIn), 0)
	w.text("sn", powerSerial(spec))
	w.text("swversion", "230224.220429")
	w.num("temp0", float64(s.PSU.Temp[0]), 1)
	w.text("type", powerModel(spec))
	w.text("vendor", "1")
	w.num("vin", float64(s.PSU.VoltageIn), 2)
	w.num("vout", float64(s.PSU.VoltageOut)*100, 0)
	if m.liquid() {
		w.num("liquid-temperature", sensor(s.Inlet.OrElse(unit.Some[unit.Temperature](0))), 1)
	}
}
