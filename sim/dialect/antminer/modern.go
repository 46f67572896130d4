package antminer

import (
	"math"
	"strconv"

	"ballast/miner"
	"ballast/sim"
	"ballast/unit"
)

// writer prints JSON of any shape.
type writer struct {
	b []byte
}

func (w *writer) key(k string) {
	if last := w.b[len(w.b)-1]; last != '{' && last != '[' {
		w.b = append(w.b, ',')
	}
	if k != "" {
		w.b = append(w.b, '"')
		w.b = append(w.b, k...)
		w.b = append(w.b, `":`...)
	}
}

func (w *writer) open(k, bracket string) { w.key(k); w.b = append(w.b, bracket...) }
func (w *writer) close(bracket string)   { w.b = append(w.b, bracket...) }
func (w *writer) int(k string, v int64)  { w.key(k); w.b = strconv.AppendInt(w.b, v, 10) }
func (w *writer) bool(k string, v bool)  { w.key(k); w.b = strconv.AppendBool(w.b, v) }

func (w *writer) float(k string, v float64, decimals int) {
	w.key(k)
	w.b = strconv.AppendFloat(w.b, v, 'f', decimals, 64)
}

func (w *writer) text(k, v string) {
	w.key(k)
	w.b = append(w.b, '"')
	for i := range len(v) {
		switch c := v[i]; {
		case c == '"' || c == '\\':
			w.b = append(w.b, '\\', c)
		case c >= ' ':
			w.b = append(w.b, c)
		}
	}
	w.b = append(w.b, '"')
}

// newAPI prints a report in the web interface's form; nil for what it does not
// have.
func (p *printer) newAPI(command string) []byte {
	w := &writer{b: append(make([]byte, 0, 4096), '{')}
	print := map[string]func(*writer){"stats": p.newStats, "summary": p.newSummary, "pools": p.newPools}[command]
	if print == nil {
		return nil
	}
	w.open("STATUS", "{")
	w.text("STATUS", "S")
	w.int("when", p.snap.Now.Unix())
	w.text("Msg", command)
	w.text("api_version", "1.0.0")
	w.close("}")
	w.open("INFO", "{")
	w.text("miner_version", p.minerVersion())
	w.text("CompileTime", compiled(p.spec))
	w.text("type", p.told())
	w.close("}")
	print(w)
	return append(w.b, '}')
}

func (p *printer) rates(w *writer) {
	s := p.snap
	w.int("elapsed", elapsed(s))
	w.float("rate_5s", ghs(s.Hashrate5s), 2)
	w.float("rate_30m", ghs(s.Hashrate30m), 2)
	w.float("rate_avg", ghs(s.HashrateAvg), 2)
	w.float("rate_ideal", ghs(s.HashrateNominal), 2)
	w.text("rate_unit", "GH/s")
}

func (p *printer) newStats(w *writer) {
	s := p.snap
	w.open("STATS", "[{")
	p.rates(w)
	w.int("chain_num", int64(len(s.Boards)))
	w.int("fan_num", int64(len(s.Fans)))
	w.open("fan", "[")
	for _, f := range s.Fans {
		w.int("", int64(f.Speed))
	}
	w.close("]")
	w.float("hwp_total", p.hardware(), 4)
	w.int("miner-mode", int64(p.workMode()))
	w.open("psu", "{")
	w.int("index", 0)
	w.text("status", "ok")
	w.close("}")
	w.open("chain", "[")
	for i := range s.Boards {
		p.newChain(w, i)
	}
	w.close("]}]")
}

func (p *printer) newChain(w *writer, i int) {
	b := &p.snap.Boards[i]
	on := answering(b) > 0
	w.open("", "{")
	w.int("index", int64(i))
	w.float("freq_avg", math.Round(b.Frequency.MHz()), 0)
	w.float("rate_ideal", ghs(b.HashrateNominal), 2)
	w.float("rate_real", ghs(b.Hashrate), 2)
	w.int("asic_num", int64(answering(b)))
	pcb, chip := b.PCB, b.Chip
	if !on {
		pcb, chip = [4]unit.Opt[unit.Temperature]{}, [4]unit.Opt[unit.Temperature]{}
	}
	if p.spec.Model.Cooling == miner.Hydro {
		// Coolant in and out stand among the board's sensors, the chips in pic.
		in, out := p.snap.Inlet, p.snap.Outlet
		if !on {
			in, out = unit.None[unit.Temperature](), unit.None[unit.Temperature]()
		}
		w.list("temp_pic", chip[3], pcb[0], pcb[2], pcb[3])
		w.list("temp_pcb", in, pcb[1], out, pcb[3])
		w.list("temp_chip")
	} else {
		w.list("temp_pic", pcb[0], pcb[0], pcb[1], pcb[1])
		w.list("temp_pcb", pcb[0], pcb[2], pcb[1], pcb[3])
		w.list("temp_chip", chip[0], chip[2], chip[1], chip[3])
	}
	w.int("hw", b.HWErrors)
	w.bool("eeprom_loaded", b.Present)
	w.text("sn", b.Serial)
	w.close("}")
}

// list prints four sensors; one that does not answer is 0.
func (w *writer) list(k string, sensors ...unit.Opt[unit.Temperature]) {
	w.open(k, "[")
	for i := range 4 {
		v := 0.0
		if i < len(sensors) {
			v = math.Round(float64(sensors[i].Or(0)))
		}
		w.float("", v, 0)
	}
	w.close("]")
}

// workMode is the number of the mode in force.
func (p *printer) workMode() int {
	if p.snap.Phase == sim.PhaseSleeping {
		return 1
	}
	switch p.snap.Mode {
	case miner.ModeLow:
		return 3
	case miner.ModeHigh:
		return 2
	}
	return 0
}

func (p *printer) newSummary(w *writer) {
	s := p.snap
	w.open("SUMMARY", "[{")
	p.rates(w)
	w.int("hw_all", s.HWErrors)
	w.int("bestshare", int64(s.BestShare))
	w.open("status", "[")
	for _, kind := range []string{"rate", "network", "fans", "temp"} {
		state, code, msg := "s", 0, ""
		for _, f := range s.Faults {
			if s.Phase != sim.PhaseSleeping && statusKind(f.Code) == kind {
				state, code, msg = "e", int(f.Code), vendorCode(f)
				if f.Severity == miner.Minor || f.Severity == miner.Info {
					state = "w"
				}
				break
			}
		}
		w.open("", "{")
		w.text("type", kind)
		w.text("status", state)
		w.int("code", int64(min(code, 1)))
		w.text("msg", msg)
		w.close("}")
	}
	w.close("]}]")
}

// statusKind is the light of the front page that a fault turns on.
func statusKind(c miner.Code) string {
	switch c.Group() {
	case "thermal":
		if c == miner.FanMissing || c == miner.FanSlow || c == miner.FanImbalance {
			return "fans"
		}
		return "temp"
	case "sensor":
		return "temp"
	case "control":
		return "network"
	}
	return "rate"
}

// vendorCode is Bitmain's code for a fault.
func vendorCode(f miner.Fault) string {
	board := strconv.Itoa(max(f.Index, 0))
	switch f.Code {
	case miner.FanMissing, miner.FanSlow:
		return "F:1"
	case miner.ThermalChip, miner.ThermalBoard, miner.ThermalAmbient:
		return "P:1"
	case miner.ThermalCold:
		return "P:2"
	case miner.SensorTemperature:
		return "J" + board + ":6"
	case miner.BoardMissing, miner.BoardNoHash:
		return "J0:8"
	case miner.BoardEEPROM:
		return "J" + board + ":4"
	case miner.ChipMissing, miner.ChipFault:
		return "J" + board + ":2"
	case miner.ControlPool, miner.ControlNetwork:
		return "N:2"
	case miner.ControlMemory:
		return "M:1"
	}
	if f.Code.Group() == "psu" {
		return "V:1"
	}
	return "R:1"
}

func (p *printer) newPools(w *writer) {
	s := p.snap
	w.open("POOLS", "[")
	for i := range s.Pools {
		l := &s.Pools[i]
		w.open("", "{")
		w.int("index", int64(i))
		w.text("url", l.URL)
		w.text("user", l.User)
		w.text("status", life(l))
		w.int("priority", int64(i))
		w.int("getworks", l.Accepted/2)
		w.int("accepted", l.Accepted)
		w.int("rejected", l.Rejected)
		w.int("discarded", 0)
		w.int("stale", l.Stale)
		w.text("diff", difficulty(s.Difficulty))
		w.int("diff1", 0)
		w.float("diffa", float64(l.Accepted)*s.Difficulty, 0)
		w.float("diffr", float64(l.Rejected)*s.Difficulty, 0)
		w.int("diffs", 0)
		w.float("lsdiff", s.Difficulty, 0)
		w.text("lstime", ago(s, l))
		w.close("}")
	}
	w.close("]")
}
