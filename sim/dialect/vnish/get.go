package vnish

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"ballast/miner"
	"ballast/sim"
	"ballast/unit"
)

type getter struct {
	answer  func() any
	private bool
}

func (h handler) gets() map[string]getter {
	return map[string]getter{
		"info":                {h.info, false},
		"model":               {h.model, false},
		"summary":             {h.summary, false},
		"perf-summary":        {h.perf, false},
		"status":              {h.status, false},
		"settings":            {h.settings, true},
		"autotune/presets":    {h.presets, true},
		"chains/factory-info": {h.factory, false},
		h.boards():            {h.chips, false},
		"auth-check":          {func() any { return obj{"unlock_timeout": nil} }, true},
	}
}

func round(v float64, digits int) float64 {
	p := math.Pow(10, float64(digits))
	return math.Round(v*p) / p
}

func gh(h unit.Hashrate) float64 { return round(float64(h)*1e3, 2) }

// code is the model's short name: "s19jpro".
func code(m miner.Model) string {
	return strings.ToLower(strings.NewReplacer("Antminer ", "", " ", "", "+", "plus").Replace(m.Name))
}

func (h handler) info() any {
	s, spec := h.rig.Snapshot(), h.rig.Spec()
	return obj{
		"miner": spec.Model.Name, "model": code(spec.Model), "fw_name": "Vnish", "fw_version": h.version(), "platform": "aml",
		"install_type": "nand", "build_time": "2025-01-24 12:00:00", "build_uuid": "00000000-0000-4000-8000-000000000000", "build_name": "stable",
		"algorithm": "sha256d", "hr_measure": "GH/s", "serial": spec.Serial,
		"system": obj{
			"os": "GNU/Linux", "miner_name": "Antminer", "file_system_version": "Fri Jan 24 12:00:00 UTC 2025",
			"mem_total": 233344, "mem_free": 150000, "mem_free_percent": 64, "mem_buf": 40000, "mem_buf_percent": 17,
			"network_status": obj{
				"mac": strings.ToUpper(spec.MAC), "dhcp": true, "ip": spec.Addr.String(), "netmask": "255.255.255.0", "gateway": "10.0.0.1",
				"dns": []string{"8.8.8.8"}, "hostname": spec.Hostname,
			},
			"uptime": uptime(s.Uptime),
		},
	}
}

// uptime is as the uptime command writes it.
func uptime(d time.Duration) string {
	days, rest := d/(24*time.Hour), d%(24*time.Hour)
	clock := fmt.Sprintf("%d:%02d", rest/time.Hour, rest%time.Hour/time.Minute)
	switch days {
	case 0:
		return clock
	case 1:
		return "1 day, " + clock
	}
	return strconv.Itoa(int(days)) + " days, " + clock
}

func (h handler) model() any {
	m, limits := h.rig.Spec().Model, h.rig.Limits()
	overclock := obj{
		"max_voltage": 15500, "min_voltage": 11000, "default_voltage": 13200, "max_freq": 1000, "min_freq": 50, "default_freq": 545, "warn_freq": 750,
		"max_voltage_stock_psu": 15000,
	}
	if h.is13() {
		overclock["power_metering"], overclock["max_power_limit"] = true, math.Round(float64(limits.Max))
	}
	return obj{
		"full_name": m.Name, "model": code(m), "algorithm": "sha256d", "series": "x19", "platform": "aml", "install_type": "nand", "hr_measure": "GH/s",
		"serial":  h.rig.Spec().Serial,
		"chain":   obj{"chips_per_chain": m.Chips, "chips_per_domain": 3, "num_chains": m.Boards, "topology": obj{"chips": []any{}, "num_cols": 0, "num_rows": 0}},
		"cooling": obj{"min_fan_pwm": 10, "min_target_temp": 40, "max_target_temp": 80}, "overclock": overclock,
	}
}

// words are the state's.
func (h handler) words(s sim.Snapshot) (state string, description, failure any) {
	switch s.Phase {
	case sim.PhaseSleeping:
		return "stopped", nil, nil
	case sim.PhaseFailed:
		text, failureCode := "Failed to start mining", 0
		for _, f := range s.Faults {
			if f.Severity == miner.Critical || f.Severity == miner.Major {
				text, failureCode = f.Text, int(f.Code)
			}
		}
		return "failure", text, failureCode
	case sim.PhaseBooting:
		return "initializing", nil, nil
	case sim.PhaseStarting:
		return "starting", nil, nil
	case sim.PhaseRamping:
		return "auto-tuning", nil, nil
	}
	return "mining", nil, nil
}

func (h handler) minerStatus(s sim.Snapshot) obj {
	state, description, failure := h.words(s)
	out := obj{"miner_state": state, "miner_state_time": int64(s.MinerUptime.Seconds())}
	if description != nil {
		out["description"], out["failure_code"] = description, failure
	}
	if h.is13() {
		m := h.memory()
		m.mu.Lock()
		out["throttled"] = m.percent
		m.mu.Unlock()
	}
	return out
}

func (h handler) status() any {
	s := h.rig.Snapshot()
	out := h.minerStatus(s)
	m := h.memory()
	m.mu.Lock()
	defer m.mu.Unlock()
	out["find_miner"], out["restart_required"], out["reboot_required"] = s.Locating, m.pending, false
	out["unlocked"], out["warranty"] = false, "active"
	return out
}

func span(opts [4]unit.Opt[unit.Temperature]) obj {
	low, high, some := 0.0, 0.0, false
	for _, o := range opts {
		if v, ok := o.Get(); ok {
			f := math.Round(float64(v))
			if !some {
				low, high, some = f, f, true
			}
			low, high = min(low, f), max(high, f)
		}
	}
	return obj{"min": low, "max": high}
}

func (h handler) summary() any {
	s, spec := h.rig.Snapshot(), h.rig.Spec()
	if s.Phase == sim.PhaseBooting {
		return obj{"miner": nil}
	}
	chains, pcb, chip := []obj{}, [4]unit.Opt[unit.Temperature]{}, [4]unit.Opt[unit.Temperature]{}
	for i, b := range s.Boards {
		chains = append(chains, h.chain(s, i, b))
		for k := range b.PCB {
			pcb[k], chip[k] = hotter(pcb[k], b.PCB[k]), hotter(chip[k], b.Chip[k])
		}
	}
	fans := []obj{}
	for i, f := range s.Fans {
		state := "ok"
		if f.Speed == 0 && s.FanDuty > 0 {
			state = "lost"
		}
		fans = append(fans, obj{"id": i, "rpm": math.Round(float64(f.Speed)), "status": state, "max_rpm": 6000})
	}
	mode := obj{"name": "auto", "param": 60}
	if spec.Model.Cooling != miner.Air {
		mode = obj{"name": "immersion"}
	}
	efficiency, errors := 0.0, 0.0
	if s.HashrateAvg > 0 {
		efficiency = round(float64(s.Power)/float64(s.HashrateAvg), 2)
	}
	if s.Accepted > 0 {
		errors = round(100*float64(s.HWErrors)/float64(s.Accepted+s.HWErrors), 4)
	}
	m := obj{
		"miner_status": h.minerStatus(s), "miner_type": spec.Model.Name + " (Vnish " + h.version() + ")", "hr_stock": gh(spec.Model.Hashrate),
		"average_hashrate": round(float64(s.HashrateAvg), 2), "instant_hashrate": round(float64(s.Hashrate5s), 2),
		"hr_realtime": gh(s.Hashrate5s), "hr_nominal": gh(s.HashrateNominal), "hr_average": gh(s.HashrateAvg),
		"pcb_temp": span(pcb), "chip_temp": span(chip), "power_consumption": math.Round(float64(s.Power)), "power_usage": math.Round(efficiency),
		"power_efficiency": efficiency, "hw_errors_percent": errors, "hr_error": 0.0, "hw_errors": s.HWErrors, "devfee_percent": 2.8, "devfee": 0.0,
		"pools": h.pools(s), "cooling": obj{"fan_num": len(s.Fans), "fans": fans, "settings": obj{"mode": mode}, "fan_duty": math.Round(s.FanDuty * 100)},
		"chains": chains, "found_blocks": 0, "best_share": int64(s.BestShare),
	}
	if h.is13() {
		m["restart_count"] = 0
		m["psu"] = obj{"psu_power_metering": true, "temps": obj{
			"pfc_temp": math.Round(float64(s.PSU.Temp[0])), "llc1_temp": math.Round(float64(s.PSU.Temp[1])), "llc2_temp": math.Round(float64(s.PSU.Temp[2])),
		}}
	}
	return obj{"miner": m}
}

func hotter(a, b unit.Opt[unit.Temperature]) unit.Opt[unit.Temperature] {
	if x, ok := b.Get(); ok && x > a.Or(-1000) {
		return b
	}
	return a
}

func (h handler) chainState(s sim.Snapshot, b sim.BoardSnapshot, board int) obj {
	switch {
	case !b.Present:
		return obj{"state": "disconnected"}
	case !b.Enabled:
		return obj{"state": "disabled"}
	}
	for _, f := range s.Faults {
		if f.Index == board && f.Code.Group() == "board" && b.Hashrate == 0 && (f.Severity == miner.Major || f.Severity == miner.Critical) {
			return obj{"state": "failure", "description": f.Text}
		}
	}
	switch s.Phase {
	case sim.PhaseSleeping, sim.PhaseFailed:
		return obj{"state": "stopped"}
	case sim.PhaseStarting, sim.PhaseBooting:
		return obj{"state": "initializing"}
	}
	return obj{"state": "mining"}
}

func (h handler) chain(s sim.Snapshot, i int, b sim.BoardSnapshot) obj {
	out := obj{
		"id": i + 1, "status": h.chainState(s, b, i), "frequency": 0.0, "voltage": 0, "power_consumption": 0, "hashrate_ideal": 0.0, "hashrate_rt": 0.0,
		"hashrate_percentage": 0.0, "hr_error": 0.0, "hw_errors": 0, "pcb_temp": obj{"min": 0, "max": 0}, "chip_temp": obj{"min": 0, "max": 0},
		"chip_statuses": obj{"red": 0, "orange": 0, "grey": 0},
	}
	if !b.Present || !b.Enabled {
		return out
	}
	out["frequency"], out["voltage"] = round(b.Frequency.MHz(), 2), math.Round(float64(b.Voltage)*1e3)
	out["power_consumption"] = math.Round(float64(b.Power))
	out["hashrate_ideal"], out["hashrate_rt"], out["hw_errors"] = gh(b.HashrateNominal), gh(b.Hashrate), b.HWErrors
	if b.HashrateNominal > 0 {
		out["hashrate_percentage"] = round(100*float64(b.Hashrate)/float64(b.HashrateNominal), 2)
	}
	out["pcb_temp"], out["chip_temp"] = span(b.PCB), span(b.Chip)
	out["chip_statuses"] = obj{"red": 0, "orange": max(0, h.rig.Spec().Model.Chips-b.Chips), "grey": b.Chips}
	if in, ok := s.Inlet.Get(); ok && h.rig.Spec().Model.Cooling == miner.Hydro {
		out["inlet_water_temp"], out["outlet_water_temp"] = math.Round(float64(in)), math.Round(float64(s.Outlet.Or(in)))
	}
	return out
}

func (h handler) pools(s sim.Snapshot) []obj {
	out := []obj{}
	for i, p := range s.Pools {
		state := "active"
		switch {
		case !p.Alive:
			state = "offline"
		case p.Active:
			state = "working"
		}
		since := "0"
		if !p.LastShare.IsZero() {
			d := s.Now.Sub(p.LastShare)
			since = fmt.Sprintf("%d:%02d:%02d", d/time.Hour, d%time.Hour/time.Minute, d%time.Minute/time.Second)
		}
		accepted, rejected, stale := p.Accepted, p.Rejected, p.Stale
		if i == 0 && len(s.Pools) > 0 && accepted == 0 { // a rig that counts only as a whole
			accepted, rejected, stale = s.Accepted, s.Rejected, s.Stale
		}
		out = append(out, obj{
			"id": i, "url": p.URL, "pool_type": "UserPool", "user": p.User, "status": state, "asic_boost": true, "diff": difficulty(s.Difficulty),
			"accepted": accepted, "rejected": rejected, "stale": stale, "ls_diff": s.Difficulty, "ls_time": since, "diffa": 0.0, "ping": 42,
		})
	}
	if s.Phase == sim.PhaseHashing {
		out = append(out, obj{
			"id": len(out), "url": "devfee", "pool_type": "DevFee", "user": "DevFee", "status": "active", "asic_boost": true, "diff": "", "accepted": 12,
			"rejected": 0, "stale": 0, "ls_diff": 0.0, "ls_time": "0", "diffa": 0.0, "ping": 50,
		})
	}
	return out
}

// difficulty is written with a letter for thousands.
func difficulty(d float64) string {
	if d >= 1000 {
		return strconv.FormatFloat(round(d/1000, 1), 'f', -1, 64) + "K"
	}
	return strconv.FormatFloat(d, 'f', -1, 64)
}

func (h handler) chips() any {
	s := h.rig.SnapshotChips()
	out := []obj{}
	for i, b := range s.Boards {
		if !b.Present || !b.Enabled {
			continue
		}
		chips := make([]obj, len(b.PerChip))
		for k, c := range b.PerChip {
			grade := "grey"
			if !c.Alive {
				grade = "red"
			}
			chips[k] = obj{
				"id": k, "hr": gh(c.Hashrate), "freq": math.Round(c.Frequency.MHz()), "volt": math.Round(float64(c.Voltage) * 1e3),
				"temp": round(float64(c.Temp), 1), "errs": c.Errors, "grade": grade, "throttled": false,
			}
		}
		state := h.chainState(s, b, i)
		if d, ok := state["description"]; ok {
			state = obj{"state": state["state"], "failure_message": d}
		}
		out = append(out, obj{
			"id": i + 1, "status": state, "hr_realtime": gh(b.Hashrate), "hr_nominal": gh(b.HashrateNominal), "freq": round(b.Frequency.MHz(), 2),
			"sensors": []obj{}, "chips": chips,
		})
	}
	return out
}

func (h handler) factory() any {
	spec := h.rig.Spec()
	boards := []obj{}
	for i, b := range h.rig.Snapshot().Boards {
		serial := b.Serial
		if i < len(spec.BoardSerials) {
			serial = spec.BoardSerials[i]
		}
		boards = append(boards, obj{
			"id": i + 1, "board_model": "BHB42601", "serial": serial, "chip_bin": 1, "freq": 545, "volt": 1360,
			"hashrate": gh(spec.Model.Hashrate) / float64(max(spec.Model.Boards, 1)),
		})
	}
	return obj{"has_pics": true, "hr_stock": gh(spec.Model.Hashrate), "psu_model": "APW121215f", "psu_serial": "PSU" + spec.Serial, "chains": boards}
}

func (h handler) perf() any {
	switcher := obj{"enabled": false, "top_preset": nil, "decrease_temp": 75, "rise_temp": 60, "check_time": 300}
	p, ok := h.inForce()
	if !ok {
		return obj{"preset_switcher": switcher, "current_preset": obj{
			"name": "disabled", "pretty": "disabled", "status": "untuned", "modded_psu_required": false, "globals": obj{"freq": 545, "volt": 13200},
		}}
	}
	return obj{"preset_switcher": switcher, "current_preset": h.preset(p, false)}
}

// inForce is the preset that the rig runs at.
func (h handler) inForce() (sim.ProfileSpec, bool) {
	name := h.rig.Snapshot().Profile
	for _, p := range h.rig.Profiles() {
		if p.Name == name {
			return p, true
		}
	}
	return sim.ProfileSpec{}, false
}

func (h handler) preset(p sim.ProfileSpec, full bool) obj {
	state := "untuned"
	if p.Tuned {
		state = "tuned"
	}
	out := obj{
		"name": p.Name, "pretty": fmt.Sprintf("%.0f watt ~ %.0f TH", math.Round(float64(p.Power)), math.Round(float64(p.Hashrate))), "status": state,
		"modded_psu_required": p.Power > h.rig.Limits().Max*1.2,
	}
	if full && p.Tuned {
		out["tune_settings"] = obj{
			"hashrate": math.Round(float64(p.Hashrate)), "volt": math.Round(float64(p.Voltage) * 1e3), "freq": math.Round(p.Frequency.MHz()),
			"modified": false, "chains": []obj{},
		}
	}
	return out
}

func (h handler) presets() any {
	out := []obj{{"name": "disabled", "pretty": "disabled", "status": "untuned", "modded_psu_required": false}}
	for _, p := range h.rig.Profiles() {
		out = append(out, h.preset(p, true))
	}
	return out
}

func (h handler) settings() any {
	m := h.memory()
	m.mu.Lock()
	preset := m.preset
	m.mu.Unlock()
	if preset == "" {
		preset = "disabled"
	}
	s := h.rig.Snapshot()
	pools := []obj{}
	for _, p := range s.Pools {
		pools = append(pools, obj{"url": p.URL, "user": p.User, "pass": p.Password})
	}
	misc := obj{"asic_boost": true, "quiet_mode": false, "restart_hashrate": 0, "restart_temp": 80}
	if h.is13() {
		misc["power_limit_enabled"], misc["power_limit"] = false, 0
	}
	return obj{
		"miner": obj{
			"cooling":   obj{"mode": obj{"name": "auto", "param": 60}, "fan_min_count": 4, "fan_min_duty": 10, "fan_max_duty": 100},
			"misc":      misc,
			"overclock": obj{"preset": preset, "modded_psu": false, "globals": obj{"freq": 545, "volt": 13200}, "chains": []obj{}},
			"pools":     pools,
		},
		"network":  obj{"hostname": h.rig.Spec().Hostname, "dhcp": true, "ipaddress": "", "netmask": "", "gateway": "", "dnsservers": []string{}},
		"regional": obj{"timezone": obj{"current": "GMT"}},
		"ui":       obj{"theme": "auto", "locale": "en"},
	}
}
