package bitaxe

import (
	"fmt"
	"maps"
	"math"
	"net"
	"strconv"
	"strings"

	"ballast/sim"
	"ballast/unit"
)

func round(v float64, digits int) float64 {
	p := math.Pow(10, float64(digits))
	return math.Round(v*p) / p
}

// asic is what the hardware offers.
func (h handler) asic() obj {
	out := obj{
		"ASICModel": h.chip.name, "deviceModel": h.family(), "swarmColor": h.chip.colour, "asicCount": h.count(),
		"defaultFrequency": h.chip.clock, "frequencyOptions": h.chip.clocks, "defaultVoltage": h.chip.core, "voltageOptions": h.chip.cores,
	}
	if h.nerd {
		delete(out, "deviceModel")
		out["deviceModel"] = h.spec.Model.Name
	}
	return out
}

// family is the model's name without the maker's.
func (h handler) family() string {
	if _, name, ok := strings.Cut(h.spec.Model.Name, "Bitaxe "); ok {
		return name
	}
	return h.chip.family
}

func (h handler) count() int { return max(h.spec.Model.Chips, 1) }

// board is the version printed on it, which the table of models has as variant.
func (h handler) board() string {
	if v := h.spec.Model.Variant; v != "" {
		return v
	}
	return map[string]string{"Max": "102", "Ultra": "204", "Hex": "302", "Supra": "401", "Gamma": "601", "GammaDuo": "650", "SupraHex": "701", "GammaTurbo": "801"}[h.family()]
}

// hottest is the highest of what answers, and -1, which stands for no sensor.
func hottest(temps [4]unit.Opt[unit.Temperature]) float64 {
	out := -1.0
	for _, o := range temps {
		if v, ok := o.Get(); ok {
			out = max(out, float64(v))
		}
	}
	return out
}

// info is the one big reply.
func (h handler) info() obj {
	s := h.rig.Snapshot()
	clock, core := h.setting().now()
	var b sim.BoardSnapshot
	if len(s.Boards) > 0 {
		b = s.Boards[0]
	}
	running := s.Phase == sim.PhaseHashing || s.Phase == sim.PhaseRamping
	out := obj{
		"power": round(float64(s.Power), 6), "voltage": round(float64(b.Voltage)*1e3, 3), "current": round(float64(b.Current)*1e3, 3),
		"temp": round(hottest(b.Chip), 3), "vrTemp": round(hottest(b.PCB), 3), "hashRate": round(float64(s.Hashrate5s)*1e3, 6), "freeHeap": 200504,
		"coreVoltage": core, "coreVoltageActual": 0, "frequency": clock, "ssid": "wlan", "hostname": h.spec.Hostname, "wifiStatus": "Connected!",
		"sharesAccepted": s.Accepted, "sharesRejected": s.Rejected, "uptimeSeconds": int64(s.Uptime.Seconds()), "smallCoreCount": h.chip.smallCores,
		"ASICModel": h.chip.name, "version": h.version(), "runningPartition": "ota_0", "overheat_mode": 0,
		"invertscreen": 0, "autofanspeed": 1, "fanspeed": math.Round(s.FanDuty * 100),
	}
	if running {
		out["coreVoltageActual"] = math.Round(core * 0.985)
	}
	if s.Phase == sim.PhaseFailed {
		out["overheat_mode"] = 1
	}
	h.pairOfPools(out)
	if h.nerd {
		h.nerdInfo(out, s, b)
		return out
	}
	h.espInfo(out, s, b, running)
	return out
}

func (h handler) version() string {
	v := h.spec.Version
	if v == "" {
		v = newest
	}
	return "v" + strings.TrimPrefix(v, "v")
}

// pairOfPools is the primary and the fallback.
func (h handler) pairOfPools(out obj) {
	memo := h.pools()
	memo.mu.Lock()
	defer memo.mu.Unlock()
	first, second := memo.get(memo.primary), memo.get(memo.secondary)
	if !h.slots() {
		first, second = memo.get(0), memo.get(1)
	}
	out["stratumURL"], out["stratumPort"], out["stratumUser"] = first.URL, first.Port, first.User
	if h.minor >= 4 || h.nerd {
		out["fallbackStratumURL"], out["fallbackStratumPort"], out["fallbackStratumUser"] = second.URL, second.Port, second.User
	}
	if !h.slots() {
		return
	}
	list := []obj{}
	for _, p := range memo.slots {
		list = append(list, obj{
			"id": p.ID, "stratumProtocol": "SV1", "stratumURL": p.URL, "stratumPort": p.Port, "stratumUser": p.User, "stratumPassword": "*****",
			"stratumSuggestedDifficulty": 1000, "stratumExtranonceSubscribe": false, "stratumTLS": 0, "stratumCert": "", "stratumDecodeCoinbase": true,
		})
	}
	out["pools"], out["primaryPoolIndex"], out["secondaryPoolIndex"], out["useFallbackStratum"] = list, memo.primary, memo.secondary, 0
}

// inUse is the index of the pool in use, and whether it answers.
func inUse(s sim.Snapshot) (fallback, connected bool) {
	for i, p := range s.Pools {
		if p.Active {
			return i > 0, p.Alive
		}
	}
	return false, false
}

// espInfo is what ESP-Miner adds, version by version.
func (h handler) espInfo(out obj, s sim.Snapshot, b sim.BoardSnapshot, running bool) {
	fallback, connected := inUse(s)
	out["boardVersion"] = h.board()
	out["fanrpm"] = 0.0
	if len(s.Fans) > 0 {
		out["fanrpm"] = math.Round(float64(s.Fans[0].Speed))
	}
	best := s.BestShare
	if h.minor < 11 {
		out["bestDiff"], out["bestSessionDiff"], out["asicCount"], out["flipscreen"] = suffixed(best), suffixed(best), h.count(), 1
	} else {
		out["bestDiff"], out["bestSessionDiff"] = math.Round(best), math.Round(best)
	}
	if h.minor >= 4 {
		out["macAddr"], out["idfVersion"] = strings.ToUpper(h.spec.MAC), "v5.5"
		out["isUsingFallbackStratum"], out["stratumDiff"] = btoi(fallback), s.Difficulty
	}
	if h.minor >= 6 {
		out["maxPower"], out["nominalVoltage"], out["wifiRSSI"], out["apEnabled"] = math.Round(float64(h.spec.Model.Power)*2), 5, -58, 0
		out["isPSRAMAvailable"], out["overclockEnabled"] = 1, 0
		out["sharesRejectedReasons"] = []obj{}
		if s.Rejected > 0 {
			out["sharesRejectedReasons"] = []obj{{"message": "Job not found (stale)", "count": s.Rejected}}
		}
		if psuFault(s) {
			out["power_fault"] = "VIN undervoltage"
		}
	}
	if h.minor >= 8 {
		out["expectedHashrate"] = round(float64(s.HashrateNominal)*1e3, 3)
		out["display"], out["displayTimeout"], out["temptarget"] = "SSD1306 (128x32)", -1, 60
	}
	if h.minor >= 11 {
		delete(out, "stratumDiff")
		out["poolDifficulty"], out["responseTime"], out["blockFound"], out["axeOSVersion"] = s.Difficulty, 38.4, 0, h.version()
		out["temp2"], out["fan2rpm"], out["errorPercentage"] = -1, 0, round(errorShare(s), 4)
		out["ipv4"], out["blockHeight"], out["networkDifficulty"] = h.spec.Addr.String(), 940_000, 142_300_000_000_000
		if len(s.Fans) > 1 {
			out["fan2rpm"] = math.Round(float64(s.Fans[1].Speed))
		}
		out["hashrateMonitor"] = h.monitor(running)
	}
	if h.minor >= 12 {
		out["hashRate_1m"] = round(float64(s.Hashrate1m)*1e3, 6)
		out["hashRate_10m"] = round(float64(s.Hashrate15m)*1e3, 6)
		out["hashRate_1h"] = round(float64(s.HashrateAvg)*1e3, 6)
	}
	if h.pauses() {
		out["miningPaused"] = s.Phase == sim.PhaseSleeping
		out["actualFrequency"] = round(h.frequency(b.Frequency), 3)
		out["hardware_fault"] = ""
		out["poolConnectionInfo"] = "IPv4"
		if !connected {
			out["poolConnectionInfo"] = "Not Connected"
		}
	}
}

func psuFault(s sim.Snapshot) bool {
	for _, f := range s.Faults {
		if g := f.Code.Group(); s.Phase == sim.PhaseFailed && (g == "psu" || g == "rail") {
			return true
		}
	}
	return false
}

// errorShare is in percent, of all results.
func errorShare(s sim.Snapshot) float64 {
	all := float64(s.HWErrors) + float64(s.Accepted)*1000
	if all == 0 {
		return 0
	}
	return 100 * float64(s.HWErrors) / all
}

// monitor is the hashrate of each chip and of its four domains.
func (h handler) monitor(running bool) obj {
	asics := []obj{}
	for _, b := range h.rig.SnapshotChips().Boards {
		for _, c := range b.PerChip {
			gh := 0.0
			if running && c.Alive {
				gh = round(float64(c.Hashrate)*1e3, 3)
			}
			asics = append(asics, obj{"total": gh, "errorCount": c.Errors, "domains": []float64{gh / 4, gh / 4, gh / 4, gh / 4}})
		}
	}
	return obj{"asics": asics}
}

// nerdInfo is what the fork says.
func (h handler) nerdInfo(out obj, s sim.Snapshot, b sim.BoardSnapshot) {
	fallback, connected := inUse(s)
	asleep := s.Phase == sim.PhaseSleeping
	fans, rpm := []obj{}, [2]float64{}
	for i, f := range s.Fans {
		speed := math.Round(float64(f.Speed))
		fans = append(fans, obj{"label": "Fan " + strconv.Itoa(i+1), "mode": 2, "manualSpeed": 100, "overheatTemp": 70, "rpm": speed, "speedPerc": math.Round(s.FanDuty * 100)})
		if i < len(rpm) {
			rpm[i] = speed
		}
	}
	temps := []any{}
	for i := range min(h.count(), len(b.Chip)) {
		if v, ok := b.Chip[i].Get(); ok {
			temps = append(temps, round(float64(v), 3))
			continue
		}
		temps = append(temps, 0.0)
	}
	rate := func(v unit.Hashrate) float64 {
		if asleep {
			return 0
		}
		return round(float64(v)*1e3, 6)
	}
	maps.Copy(out, (obj{
		"deviceModel": h.spec.Model.Name, "asicCount": h.count(), "asicTemps": temps, "hostip": h.spec.Addr.String(), "macAddr": strings.ToUpper(h.spec.MAC),
		"currentA": round(float64(b.Current), 3), "hashRate": rate(s.Hashrate5s), "hashRate_1m": rate(s.Hashrate1m), "hashRate_10m": rate(s.Hashrate15m),
		"hashRate_1h": rate(s.HashrateAvg), "hashRate_1d": rate(s.HashrateAvg), "shutdown": asleep, "fans": fans, "fanCount": len(fans),
		"fanrpm": rpm[0], "fanrpm2": rpm[1], "fanspeed2": math.Round(s.FanDuty * 100), "vrTempInt": 0.0, "defaultCoreVoltage": h.chip.core,
		"defaultFrequency": h.chip.clock, "foundBlocks": 0, "totalFoundBlocks": 0, "bestDiff": math.Round(s.BestShare), "bestSessionDiff": math.Round(s.BestShare),
		"poolDifficulty": s.Difficulty, "otp": false, "pidTargetTemp": 55, "lastResetReason": "Power on reset",
		"stratum": obj{"poolMode": 0, "activePoolMode": 0, "usingFallback": fallback, "pools": []obj{{"connected": connected && !asleep, "poolDiffErr": false, "pingRtt": 21.4, "pingLoss": 0}}},
	}))
	delete(out, "overheat_mode")
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// suffixed is how the older versions print a difficulty.
func suffixed(v float64) string {
	for _, s := range []struct {
		from  float64
		after string
	}{{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if v >= s.from {
			return fmt.Sprintf("%.2f%s", v/s.from, s.after)
		}
	}
	return fmt.Sprintf("%.0f", v)
}

// splitURL takes a pool's address apart, as the firmware keeps it.
func splitURL(url string) (host string, port int) {
	_, rest, ok := strings.Cut(url, "://")
	if !ok {
		rest = url
	}
	host, text, err := net.SplitHostPort(rest)
	if err != nil {
		return rest, 3333
	}
	port, _ = strconv.Atoi(text)
	return host, port
}
