package antminer

import (
	"bytes"
	"strings"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/unit"
)

// fileFlat files the CGI replies, which have keys and no sections.
func (p *parser) fileFlat(o cgminer.Object) bool {
	switch {
	case o.Has("minertype") || o.Has("macaddr") && o.Has("system_mode"):
		p.system = o
	case o.Has("miner_type"):
		p.kind = o
	case o.Has("conf_nettype", "conf_hostname"):
		p.network = o
	case o.Has("bitmain-fan-ctrl", "bitmain-work-mode", "miner-mode", "bitmain-freq", "bitmain-freq-level") || o.Has("pools") && !o.Has("STATUS"):
		p.conf = o
	case o.Has("blink", "isBlinking"):
		p.blink = o
	case o.Has("error_message"):
		p.warning = o
	default:
		return false
	}
	return true
}

// takePower reads port 6060's "power:3412".
func (p *parser) takePower(raw []byte) bool {
	const longest = 64
	text := bytes.TrimSpace(bytes.Trim(raw, "\x00"))
	if len(text) == 0 || len(text) > longest || text[0] == '{' || text[0] == '<' {
		return false
	}
	name, value, ok := strings.Cut(string(text), ":")
	if !ok || !strings.Contains(strings.ToLower(name), "power") || strings.ContainsAny(name, "{[\"<=") {
		return false
	}
	watts, ok := cgminer.Number(value).Get()
	if !ok {
		return false
	}
	if watts < 0 || watts > 1e5 {
		p.r.Warn(miner.WarnImplausible, "miner_power", value)
		return true
	}
	p.power = unit.Some(unit.Power(watts))
	return true
}

// secrets are keys of the configuration that no reading repeats.
var secrets = []string{"pools", "api-listen", "api-network", "api-groups", "api-allow"}

// readTold takes what the CGI replies and port 6060 tell.
func (p *parser) readTold() {
	r := &p.r
	if v, ok := p.power.Get(); ok {
		r.Power, r.PowerSource = unit.Some(v), miner.PowerPSU
	}
	r.Locating = p.blink.Bool("blink", "isBlinking")
	if !p.conf.Empty() {
		if v := p.conf.Int("miner-mode", "bitmain-work-mode"); v.Ok() && !p.mode.Ok() {
			p.mode, p.modeFrom = v, "get_miner_conf.miner-mode"
		}
		if p.conf.Bool("bitmain-fan-ctrl").Or(false) {
			r.FanDuty = r.FanDuty.OrElse(p.conf.Percent("bitmain-fan-pwm"))
		}
		p.conf.Use(secrets...)
		p.conf.Use("miner-mode", "bitmain-work-mode")
		for _, f := range p.conf.Fields() {
			if strings.Contains(f.Key, "pass") || strings.Contains(f.Key, "_pw") || strings.HasPrefix(f.Key, "_ant_pool") {
				p.conf.Use(f.Key)
			}
		}
		p.conf.Rest(r, "conf.")
		e := envelope(p.conf, p.model)
		r.Envelope = &e
	}
	for _, o := range []cgminer.Object{p.system, p.kind} {
		o.Use("minertype", "miner_type", "nettype", "netdevice", "ipaddress", "netmask", "gateway", "dnsservers", "system_mode")
		o.Rest(r, "system.")
	}
	p.readWarning()
	p.readLog()
	if p.pools.Has("POOLS") {
		cgminer.FaultDeadPools(r)
	}
}
