package epic

import (
	"fmt"
	"math"
	"strings"

	"ballast/miner"
	"ballast/sim"
	"ballast/unit"
)

func round(v float64, digits int) float64 {
	p := math.Pow(10, float64(digits))
	return math.Round(v*p) / p
}

// working is what makes a board part of HBs: powered and counted.
func working(s sim.Snapshot, b sim.BoardSnapshot) bool {
	return b.Present && b.Enabled && s.Phase != sim.PhaseSleeping && s.Phase != sim.PhaseFailed
}

func (h handler) summary() obj {
	s, spec := h.rig.Snapshot(), h.rig.Spec()
	t := h.tuning().now()
	status, boards, clocks := []obj{}, []obj{}, []obj{}
	active := 0
	for i, b := range s.Boards {
		status = append(status, obj{"Detected": b.Present, "Enabled": b.Present && b.Enabled, "Index": i})
		if !working(s, b) {
			continue
		}
		active++
		boards = append(boards, h.board(i, b))
		clk := round(b.Frequency.MHz(), 2)
		if t.clock > 0 {
			clk = t.clock
		}
		clocks = append(clocks, obj{"Data": clk, "Index": i})
	}
	fans := obj{}
	for i := range 12 {
		var rpm any
		if i < len(s.Fans) {
			rpm = math.Round(float64(s.Fans[i].Speed))
		}
		fans[fmt.Sprintf("Fans Speed %d", i+1)] = rpm
	}
	pools, current := []obj{}, sim.PoolSnapshot{}
	activePool := 0
	for i, p := range s.Pools {
		pools = append(pools, obj{"login": p.User, "password": p.Password, "pool": p.URL})
		if p.Active {
			activePool, current = i, p
		}
	}
	seconds := int64(s.MinerUptime.Seconds())
	started := s.Now.Add(-s.MinerUptime)
	lastShare, timer := any(nil), any(nil)
	if !current.LastShare.IsZero() {
		lastShare, timer = current.LastShare.Unix(), int64(s.Now.Sub(current.LastShare).Seconds())
	}
	state, lastCommand := stateWords(s)
	hashing := s.Phase == sim.PhaseHashing || s.Phase == sim.PhaseRamping
	return obj{
		"Disable Board On Failure": true,
		"Enable Boards On Idle":    false,
		"Fans": obj{
			"Fan Mode":             obj{"Auto": obj{"Idle Speed": 20, "Target Temperature": 60}},
			"Fans Speed":           math.Round(s.FanDuty * 100),
			"Minimum Working Fans": 0,
		},
		"Fans Rpm":             fans,
		"HBStatus":             status,
		"HBs":                  boards,
		"Hostname":             spec.Hostname,
		"HwConfig":             obj{"Boards Target Clock": clocks},
		"IdleOnConnectionLost": true,
		"Last License Error":   nil,
		"Mining":               obj{"Algorithm": "SHA-256", "Coin": "BTC"},
		"Misc":                 obj{"Critical Temp": 100.0, "Locate Miner State": s.Locating, "Shutdown Temp": 85.0},
		"OS Type":              "umcOS",
		"Overdrive":            false,
		"PerpetualTune":        obj{"Algorithm": obj{t.algorithm: h.algorithmStats(t)}, "Running": t.running},
		"Power Supply Stats":   h.psu(s, t),
		"PresetInfo":           obj{"Target Power": math.Round(float64(spec.Model.Power)/50) * 50},
		"Session": obj{
			"Accepted": s.Accepted, "Active HBs": active, "Average MHs": round(float64(s.HashrateAvg)*1e6, 1), "Difficulty": s.Difficulty,
			"Last Accepted Share Timer": timer, "Last Accepted Share Timestamp": lastShare,
			"Last Work Timer": 12, "Last Work Timestamp": s.Now.Unix() - 12,
			"LastAverageMHs": obj{"Hashrate": round(float64(s.Hashrate30m)*1e6, 1), "Timestamp": s.Now.Truncate(3600e9).Unix()},
			"Rejected":       s.Rejected, "Startup String": started.Format("Mon, 02 Jan 2006 15:04:05 -0700"), "Startup Timestamp": started.Unix(),
			"Submitted": s.Accepted + s.Rejected, "Uptime": seconds, "WorkReceived": seconds / 30,
		},
		"Software": h.software(),
		"Status": obj{
			"Last Command": lastCommand, "Last Command Result": nil, "Last Error": lastError(s), "Operating State": state,
		},
		"Stratum": obj{
			"Average Latency": 0.038, "Config Id": activePool, "Current Pool": strings.TrimPrefix(current.URL, "stratum+tcp://"),
			"Current User": current.User, "IsPoolConnected": current.Alive && hashing, "Worker Unique Id": false, "Worker Unique Id Variant": "IpAddress",
		},
		"StratumConfigs": pools,
	}
}

func (h handler) board(i int, b sim.BoardSnapshot) obj {
	percent := 0.0
	if b.HashrateNominal > 0 {
		percent = 100 * float64(b.Hashrate) / float64(b.HashrateNominal)
	}
	hottest := any(nil)
	for _, o := range b.PCB {
		if v, ok := o.Get(); ok && (hottest == nil || float64(v) > hottest.(float64)) {
			hottest = round(float64(v), 3)
		}
	}
	out := obj{
		"Core Clock": []float64{}, "Core Clock Avg": round(b.Frequency.MHz(), 3),
		"Hashrate": []float64{round(float64(b.Hashrate)*1e6, 1), round(percent, 1), 0.8}, "Index": i,
		"Input Current": 0.0, "Input Power": 0.0, "Input Voltage": round(float64(b.Voltage), 3),
		"Output Current": 0.0, "Output Power": 0.0, "Output Voltage": 0.0, "Temperature": hottest,
	}
	if !h.old() {
		out["Input Power"] = round(float64(b.Power), 2)
		if b.Voltage > 0 {
			out["Input Current"] = round(float64(b.Power)/float64(b.Voltage), 3)
		}
	}
	return out
}

func (h handler) psu(s sim.Snapshot, t tuning) obj {
	set := float64(s.PSU.VoltageSet) * 1e3
	if t.millivolt > 0 {
		set = t.millivolt
	}
	out := obj{
		"Input Current": 0.0, "Input Power": round(float64(s.Power), 4), "Input Voltage": 0.0, "Output Current": 0.0, "Output Power": 0.0,
		"Output Voltage": round(float64(s.PSU.VoltageOut), 3), "Target Voltage": math.Round(set),
	}
	if !h.old() {
		out["Input Current"], out["Input Voltage"] = round(float64(s.PSU.CurrentIn), 3), round(float64(s.PSU.VoltageIn), 2)
		out["Output Current"] = round(float64(s.PSU.CurrentOut), 3)
		out["Output Power"] = round(float64(s.PSU.CurrentOut)*float64(s.PSU.VoltageOut), 2)
	}
	return out
}

func (h handler) temps() any {
	s := h.rig.Snapshot()
	out := []obj{}
	for i, b := range s.Boards {
		if !b.Present {
			continue
		}
		data := []any{}
		for _, o := range b.PCB[:2] {
			v, ok := o.Get()
			if !ok {
				data = append(data, nil)
				continue
			}
			data = append(data, round(float64(v), 3))
		}
		out = append(out, obj{"Data": data, "Index": i, "Total": 0.0})
	}
	return out
}

func (h handler) chips(of func(sim.BoardSnapshot, sim.ChipSnapshot) any) any {
	s := h.rig.SnapshotChips()
	out := []obj{}
	for i, b := range s.Boards {
		if !working(s, b) {
			continue
		}
		data := make([]any, len(b.PerChip))
		for k, c := range b.PerChip {
			data[k] = of(b, c)
		}
		out = append(out, obj{"Data": data, "Index": i, "Total": 0.0})
	}
	return out
}

func stateWords(s sim.Snapshot) (state string, lastCommand any) {
	switch s.Phase {
	case sim.PhaseSleeping:
		return "Idling", "Stop"
	case sim.PhaseFailed:
		return "Idling", nil
	case sim.PhaseStarting, sim.PhaseBooting:
		return "Initializing", nil
	case sim.PhaseRamping:
		return "AdjustingClockVoltage", nil
	}
	return "Mining", nil
}

// lastError says the gravest fault in PowerPlay's words.
func lastError(s sim.Snapshot) any {
	for _, f := range s.Faults {
		if f.Severity != miner.Major && f.Severity != miner.Critical {
			continue
		}
		boards := []int{max(f.Index, 0)}
		switch f.Code {
		case miner.FanMissing, miner.FanSlow:
			return obj{"MinimumFansError": len(s.Fans)}
		case miner.ThermalChip:
			return obj{"ChipShutdownTempReached": []any{boards[0], 105.0}}
		case miner.ThermalBoard, miner.ThermalAmbient, miner.ThermalOther, miner.CoolantFlow:
			return obj{"ShutdownTempReached": []any{boards[0], 86.0}}
		case miner.ThermalCold:
			return "UnableToReachTemp"
		case miner.ChipMissing:
			return obj{"HbChipDetectError": boards}
		case miner.ChipFault, miner.ChipCRC:
			return obj{"Chainbreak": boards}
		case miner.BoardNoHash, miner.BoardLowHash:
			return obj{"NoSolutionForHbs": boards}
		case miner.BoardInit:
			return obj{"HashboardInitError": []any{[]any{boards[0], "enumeration failed"}}}
		case miner.BoardEEPROM:
			return "EepromDeviceNotFound"
		case miner.BoardMissing:
			return "NoHashboardsConnected"
		case miner.SensorTemperature:
			return "NoTempSensors"
		case miner.ControlPool:
			continue
		}
		switch f.Code.Group() {
		case "psu", "rail":
			return obj{"PsuError": strings.ToLower(f.Text)}
		case "board":
			return obj{"HashboardError": f.Text}
		}
		return obj{"UnknownError": f.Text}
	}
	return nil
}

func (h handler) capabilities() obj {
	spec := h.rig.Spec()
	m := spec.Model
	profiles := h.rig.Profiles()
	presets := []obj{}
	limits := h.rig.Limits()
	for _, p := range profiles {
		presets = append(presets, obj{"clk": clockOf(p), "hashrate": targetOf(p), "power": math.Round(float64(p.Power)), "voltage": millivoltOf(p)})
	}
	low, high := math.Floor(float64(m.Hashrate)*0.3), math.Ceil(float64(m.Hashrate)*2)
	algorithms := []obj{}
	for _, a := range []string{"VoltageOptimizer", "ChipTune", "BoardTune"} {
		algorithms = append(algorithms, obj{"algorithm": a, "description": "Maintain the target hashrate.", "max": high, "min": low, "name": a})
	}
	perChip := 0.0
	if n := m.Boards * m.Chips; n > 0 && len(profiles) > 0 {
		p := profiles[len(profiles)/2]
		perChip = float64(p.Hashrate) * 1e6 / float64(n) / p.Frequency.MHz()
	}
	serials := []string{}
	for i, b := range h.rig.Snapshot().Boards {
		if b.Present && i < len(spec.BoardSerials) {
			serials = append(serials, spec.BoardSerials[i])
		}
	}
	psu := obj{"FW": 25, "Max Vout": 15182, "Min Vout": 11877, "PSU Type": 118}
	control := obj{"carrierBoardVersion": "4.1.0", "cpuHardware": "STM32 (Device Tree Support)", "cpuSerial": spec.Serial, "somBoardVersion": "7.1.0"}
	out := obj{
		"Board Serial Numbers": serials, "Chip Type": m.ChipType, "Chips Per Bank": 10, "Coins": []string{"BTC"},
		"Control Board Version": control, "Default Clock": clockOf(profiles[len(profiles)/2]), "Default Hashrate": math.Round(float64(m.Hashrate)),
		"Default Voltage": millivoltOf(profiles[len(profiles)/2]), "Display": []string{"ClksAndVoltage", "ShutdownTemp", "PerpetualTune"},
		"Max Clock Configs": 1, "Max HBs": m.Boards, "Model": m.Name, "Model Subtype": "",
		"Performance Estimator": obj{"Chip Count": m.Chips, "Hashes Per Second Per Chip": perChip},
		"PerpetualTune":         algorithms, "Psu Info": psu, "Temp Sensor Info": obj{"Count": 2, "Type": "Board"}, "Tune Presets": presets,
		"Voltage Estimator": obj{"Slope": 0.0041, "Y Intercept": 11.0},
	}
	if !h.old() {
		control["cpuSerial"], out["Miner Serial Number"] = "0020003532325109333"+spec.Serial, spec.Serial
		psu["True Power"] = true
		out["PerpetualTune"] = append(algorithms, obj{"algorithm": "Power", "description": "Maintain the target power.",
			"max": math.Floor(float64(limits.Max)), "min": math.Ceil(float64(limits.Min)), "name": "Power Tune"})
	}
	return out
}

func clockOf(p sim.ProfileSpec) float64     { return math.Round(p.Frequency.MHz()) }
func millivoltOf(p sim.ProfileSpec) float64 { return math.Round(float64(p.Voltage)*100) * 10 }
func targetOf(p sim.ProfileSpec) float64    { return math.Round(float64(p.Hashrate / unit.THs)) }
