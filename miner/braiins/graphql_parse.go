package braiins

import (
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/unit"
)

// graphql reads a GraphQL answer: {"data": .., "errors": [..]}.
func (p *parser) graphql(v gjson.Result) {
	v.Get("errors").ForEach(func(_, e gjson.Result) bool {
		path := make([]string, 0, 4)
		e.Get("path").ForEach(func(_, s gjson.Result) bool {
			path = append(path, text(s))
			return true
		})
		p.r.Warn(miner.WarnRefused, strings.Join(append([]string{"graphql"}, path...), "."), text(e.Get("message")))
		return len(p.r.Warnings) < 64
	})
	p.graphqlData(v.Get("data"))
}

func (p *parser) graphqlData(v gjson.Result) {
	p.read++
	v.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "bos":
			p.bos(v)
		case "bosminer":
			p.bosminerQuery(v)
		case "events":
			p.appeals(v.Get("appeals"))
		default:
			p.keep("graphql."+key.Str, v)
		}
		return true
	})
}

// bos reads the operating system's half.
func (p *parser) bos(v gjson.Result) {
	id := &p.r.Identity
	v.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "hostname":
			if s := text(v); s != "" {
				id.Hostname = s
			}
		case "macAddress":
			p.mac(text(v))
		case "serialNumber":
			if s := text(v); s != "" {
				id.Serial = s
			}
		case "hwid":
			p.extra("uid", text(v))
		case "uptime":
			p.r.Uptime = seconds(v.Get("durationS")).OrElse(p.r.Uptime)
		case "faultLight":
			p.r.Locating = truth(v).OrElse(p.r.Locating)
		case "errors":
			p.errorLog(gjson.Parse(snake(v.Raw)))
		case "info":
			v.ForEach(func(key, v gjson.Result) bool {
				switch key.Str {
				case "version":
					if s := text(v.Get("full")); s != "" {
						id.FirmwareVersion = s
					}
					p.extra("bos_version.bos_plus", text(v.Get("isPlus")))
				case "mode":
					p.extra("bos_mode", strings.ToLower(text(v)))
				case "controlBoardSocFamily":
					id.ControlBoard = text(v)
				default:
					p.keep("bos."+key.Str, v)
				}
				return true
			})
		default:
			p.keep("bos."+key.Str, v)
		}
		return true
	})
}

// bosminerQuery reads the mining software's half.
func (p *parser) bosminerQuery(v gjson.Result) {
	v.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "info":
			if v.Type == gjson.Null {
				p.silent = true
				break
			}
			p.bosminerInfo(v)
		case "uptime":
			if s, ok := seconds(v.Get("durationS")).Get(); ok && s > 0 {
				p.r.MinerUptime = unit.Some(s)
			}
		case "config":
			p.bosminerConfig(v)
		case "metadata":
			p.metadata(v)
		default:
			p.keep("bosminer."+key.Str, v)
		}
		return true
	})
}

func (p *parser) bosminerInfo(v gjson.Result) {
	v.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "modelName":
			if s := text(v); s != "" {
				p.told = s
			}
		case "summary":
			p.summaryInfo(v)
		case "workSolver":
			p.workSolver(v)
		case "fans":
			p.fanInfo(v)
		case "poolGroups":
			p.groupInfo(v)
		default:
			p.keep("bosminer."+key.Str, v)
		}
		return true
	})
}

// summaryInfo reads SummaryInfo: the machine as a whole.
func (p *parser) summaryInfo(v gjson.Result) {
	r := &p.r
	v.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "realHashrate":
			w := p.mhs(v)
			r.HashrateNow, r.HashrateAverage = w.now.OrElse(r.HashrateNow), w.average.OrElse(r.HashrateAverage)
			p.extra("real_hashrate_ths", w.windows)
		case "poolStatus":
			p.extra("pool_status", strings.ToLower(text(v)))
		case "shares":
			r.Accepted = count(v.Get("acceptedSolutions")).OrElse(r.Accepted)
			r.Rejected = count(v.Get("rejectedSolutions")).OrElse(r.Rejected)
			r.Stale = count(v.Get("staleSolutions")).OrElse(r.Stale)
		case "foundBlocks":
			r.Blocks = count(v).OrElse(r.Blocks)
		case "bestShare":
			r.BestShare = share(v).OrElse(r.BestShare)
		case "power":
			p.powerInfo(v)
		case "tunerStatus":
			p.tunerStatus(v)
		case "temperature", "temperatureChip":
			if t := p.temperature(v.Get("degreesC"), "graphql.summary.temperature"); t.Ok() {
				r.TempChip = t
			}
		case "temperatureAmbient":
			r.TempAmbient = p.temperature(v.Get("degreesC"), "graphql.summary.temperatureAmbient").OrElse(r.TempAmbient)
		default:
			p.keep("summary."+key.Str, v)
		}
		return true
	})
}

func (p *parser) tunerStatus(v gjson.Result) {
	if v.Type != gjson.String {
		return
	}
	p.r.Tuning = strings.ToLower(text(v))
	switch v.Str {
	case "RUNNING":
		p.tuner = tunerTuning
	case "FAILED":
		p.tuner = tunerError
	}
}

// powerInfo reads PowerInfo of the machine.
func (p *parser) powerInfo(v gjson.Result) {
	r := &p.r
	v.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "limitW":
			r.PowerLimit = plain(p, v, mostPower, "graphql.power.limitW").OrElse(r.PowerLimit)
		case "approxConsumptionW":
			if w := plain(p, v, mostPower, "graphql.power.approxConsumptionW"); w.Ok() {
				r.Power, r.PowerSource = w, miner.PowerEstimated
			}
		case "efficiencyWMhs": // W per MH/s
			if x, ok := number(v).Get(); ok && x > 0 && x < 1 {
				r.Efficiency = unit.Some(unit.Efficiency(x * 1e6))
			}
		default:
			p.keep("power."+key.Str, v)
		}
		return true
	})
}

// mhs reads RealHashrate: mhs5S, mhs1M, ... mhsAv, mhsSinceRestart.
func (p *parser) mhs(v gjson.Result) (w work) {
	var told []string
	av := unit.None[unit.Hashrate]()
	v.ForEach(func(key, v gjson.Result) bool {
		h := scaled(p, number(v), megahash, mostRate, "graphql.realHashrate")
		x, ok := h.Get()
		if !ok {
			return true
		}
		window := strings.TrimPrefix(key.Str, "mhs")
		told = append(told, window+"="+strconv.FormatFloat(x.TH(), 'f', -1, 64))
		switch window {
		case "5S":
			w.now = h
		case "15S", "30S", "1M":
			w.now = w.now.OrElse(h)
		case "15M":
			w.quarter = h
		case "Av":
			av = h
		case "SinceRestart":
			w.average = h
		}
		return true
	})
	w.average = w.average.OrElse(av).OrElse(w.quarter)
	w.windows = strings.Join(told, " ")
	return w
}

// workSolver reads the root WorkSolverInfo and its children, the boards.
func (p *parser) workSolver(v gjson.Result) {
	r := &p.r
	w := p.mhs(v.Get("realHashrate"))
	w.errors = scaled(p, number(v.Get("hwErrorMhs15M")), megahash, mostRate, "graphql.hwErrorMhs15M")
	r.HashrateNow, r.HashrateAverage = w.now.OrElse(r.HashrateNow), w.average.OrElse(r.HashrateAverage)
	r.HashrateNominal = scaled(p, number(v.Get("nominalMhs")), megahash, mostRate, "graphql.nominalMhs").OrElse(r.HashrateNominal)
	r.HWErrorRatio = w.errorRatio().OrElse(r.HWErrorRatio)
	p.extra("real_hashrate_ths", w.windows)
	if v.Get("psuInfo").IsObject() {
		p.psu(gjson.Parse(snake(v.Get("psuInfo").Raw)))
	}
	if power := v.Get("power"); power.IsObject() {
		p.powerInfo(power)
	}
	p.tunerStatus(v.Get("tuner.status"))
	boards := v.Get("childSolvers")
	lowest, n := -1, 0
	boards.ForEach(func(_, v gjson.Result) bool {
		if i, ok := slotNumber(text(v.Get("name"))); ok && (lowest < 0 || i < lowest) {
			lowest = i
		}
		return true
	})
	first := firstSlot(lowest)
	boards.ForEach(func(_, v gjson.Result) bool {
		p.childSolver(v, first, n)
		n++
		return n < 32
	})
}

// childSolver reads one board.
func (p *parser) childSolver(v gjson.Result, first, position int) {
	name, index := text(v.Get("name")), position
	if n, ok := slotNumber(name); ok && n >= first {
		index = n - first
	}
	if name == "" {
		name = strconv.Itoa(index)
	}
	b := cgminer.BoardAt(&p.r, index)
	prefix := "hashboards." + name + "."
	w := p.mhs(v.Get("realHashrate"))
	v.ForEach(func(key, v gjson.Result) bool {
		if v.Type == gjson.Null {
			return true
		}
		switch key.Str {
		case "name", "realHashrate", "childSolvers":
		case "nominalMhs":
			b.HashrateNominal = scaled(p, number(v), megahash, mostRate, "graphql.nominalMhs")
		case "hwErrorMhs15M":
			w.errors = scaled(p, number(v), megahash, mostRate, "graphql.hwErrorMhs15M")
			p.extraNumber(prefix+"error_hashrate_ths", w.errors.Or(0).TH())
		case "hwDetails":
			p.hwDetails(v, prefix, b)
		case "power":
			b.Power = plain(p, v.Get("approxConsumptionW"), mostPower, "graphql.power.approxConsumptionW").OrElse(b.Power)
			p.keep(prefix+"power", v)
		case "tuner":
			b.Status = strings.Join(append([]string{strings.ToLower(text(v.Get("status")))}, texts(v.Get("statusMessages"))...), ": ")
			p.keep(prefix+"tuner", v)
		case "temperatures":
			p.temperatures(v, b)
		default:
			p.keep(prefix+key.Str, v)
		}
		return true
	})
	b.Hashrate = w.now.OrElse(b.Hashrate)
	b.HWErrorRatio = w.errorRatio().OrElse(b.HWErrorRatio)
	p.extra(prefix+"real_hashrate_ths", w.windows)
	if b.Chips.Or(0) > 0 || b.Serial != "" {
		b.Present = unit.Some(true)
	}
}

func texts(v gjson.Result) (out []string) {
	v.ForEach(func(_, v gjson.Result) bool {
		out = append(out, text(v))
		return len(out) < 8
	})
	return out
}

func (p *parser) hwDetails(v gjson.Result, prefix string, b *miner.Board) {
	v.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "chips":
			b.Chips = countInt(v)
		case "frequencyMhz":
			b.Frequency = scaled(p, number(v), unit.Megahertz, mostClock, "graphql.frequencyMhz")
		case "voltageV":
			b.Voltage = scaled(p, number(v), 1, mostVolts, "graphql.voltageV")
		case "hbSerialNumber":
			b.Serial = text(v)
		case "chipType":
			b.ChipType = text(v)
		case "hashboardName":
			p.extra(prefix+"board_name", text(v))
		default:
			p.keep(prefix+key.Str, v)
		}
		return true
	})
}

// temperatures reads a board's sensors by their names, which were words ("Board",
// "Chip") before 25.05 and are an enumeration (MAX_BOARD, INLET, ...) since. A
// list without names has the board first and the chips second.
func (p *parser) temperatures(v gjson.Result, b *miner.Board) {
	i := 0
	v.ForEach(func(_, v gjson.Result) bool {
		t := p.temperature(v.Get("degreesC"), "graphql.temperatures")
		name := strings.ToLower(text(v.Get("name")))
		switch {
		case strings.Contains(name, "inlet"):
			b.TempInlet = t
		case strings.Contains(name, "outlet"):
			b.TempOutlet = t
		case strings.Contains(name, "control"):
			p.keep("temperatures."+name, v.Get("degreesC"))
		case strings.Contains(name, "ambient"):
			p.r.TempAmbient = t.OrElse(p.r.TempAmbient)
		case strings.Contains(name, "chip"), name == "" && i == 1:
			b.TempChipMax = t
		case strings.Contains(name, "board"), strings.Contains(name, "pcb"), name == "" && i == 0:
			b.TempBoard = t
		default:
			p.keep("temperatures."+name, v.Get("degreesC"))
		}
		i++
		return i < 32
	})
}

func (p *parser) fanInfo(v gjson.Result) {
	p.r.Fans = p.r.Fans[:0]
	v.ForEach(func(_, v gjson.Result) bool {
		f := miner.Fan{Index: len(p.r.Fans), Name: text(v.Get("name"))}
		f.Speed = plain(p, v.Get("rpm"), mostSpeed, "graphql.fans.rpm")
		f.Duty = scaled(p, number(v.Get("speed")), unit.Ratio(0.01), unit.Ratio(1.5), "graphql.fans.speed")
		p.r.Fans = append(p.r.Fans, f)
		return len(p.r.Fans) < 32
	})
}

// groupInfo reads the pools as they fare.
func (p *parser) groupInfo(v gjson.Result) {
	p.r.Pools = p.r.Pools[:0]
	group := 0
	v.ForEach(func(_, v gjson.Result) bool {
		p.extra("pool_groups."+strconv.Itoa(group)+".name", text(v.Get("name")))
		priority := 0
		v.Get("pools").ForEach(func(_, v gjson.Result) bool {
			pool := miner.Pool{Index: len(p.r.Pools), Priority: unit.Some(priority)}
			prefix := "pools." + strconv.Itoa(pool.Index) + "."
			v.ForEach(func(key, v gjson.Result) bool {
				switch key.Str {
				case "url":
					pool.URL = text(v)
				case "user":
					pool.User = text(v)
				case "active":
					pool.Active = truth(v)
				case "status":
					pool.Status = strings.ToLower(text(v))
					switch pool.Status {
					case "alive", "running", "active":
						pool.Alive = unit.Some(true)
					case "dead":
						pool.Alive = unit.Some(false)
					}
				case "shares":
					pool.Accepted = count(v.Get("acceptedSolutions"))
					pool.Rejected = count(v.Get("rejectedSolutions"))
					pool.Stale = count(v.Get("staleSolutions"))
				case "lastDifficulty":
					if d, ok := number(v).Get(); ok && d > 0 {
						pool.Difficulty = unit.Some(d)
					}
				default:
					p.keep(prefix+key.Str, v)
				}
				return true
			})
			p.r.Pools = append(p.r.Pools, pool)
			priority++
			return len(p.r.Pools) < 64
		})
		group++
		return group < 32
	})
}
