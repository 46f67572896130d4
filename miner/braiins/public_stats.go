package braiins

import (
	"slices"
	"strconv"
	"strings"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/unit"
)

// work is what the firmware tells of hashing, of the machine or of one board.
type work struct {
	now, average, nominal unit.Opt[unit.Hashrate]
	quarter               unit.Opt[unit.Hashrate] // of the last 15 minutes
	errors                unit.Opt[unit.Hashrate] // hashing that came to nothing
	best                  unit.Opt[float64]
	blocks                unit.Opt[int64]
	windows               string // every window told, in TH/s
}

// errorRatio is the share of hashing that came to nothing. Errors are counted
// over 15 minutes.
func (w work) errorRatio() unit.Opt[unit.Ratio] {
	e, ok1 := w.errors.Get()
	h, ok2 := w.quarter.Get()
	if !ok1 || !ok2 || e+h <= 0 {
		return unit.None[unit.Ratio]()
	}
	return unit.Some(unit.Ratio(e / (e + h)))
}

// solver reads WorkSolverStats.
func (p *parser) solver(v gjson.Result, where string) (w work) {
	v.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "real_hashrate":
			p.windows(v, where, &w)
		case "nominal_hashrate":
			w.nominal = p.rate(v, where+".nominal_hashrate")
		case "error_hashrate":
			w.errors = p.rate(v, where+".error_hashrate")
		case "found_blocks":
			w.blocks = count(v)
		case "best_share":
			w.best = w.best.OrElse(share(v))
		case "best_share_str": // since 26.04; the number overflows at 2^64
			w.best = share(v).OrElse(w.best)
		default:
			p.strange(where+"."+key.Str, v)
		}
		return true
	})
	return w
}

func share(v gjson.Result) unit.Opt[float64] {
	if x, ok := number(v).Get(); ok && x >= 0 {
		return unit.Some(x)
	}
	return unit.None[float64]()
}

// windows reads the hashrate over its ten windows.
func (p *parser) windows(v gjson.Result, where string, w *work) {
	told := make([]byte, 0, 192)
	var thirty, hour unit.Opt[unit.Hashrate]
	for key, v := range members(v.Raw) {
		h := p.rate(v, where)
		x, ok := h.Get()
		if !ok {
			continue
		}
		window := strings.TrimPrefix(key, "last_")
		if len(told) > 0 {
			told = append(told, ' ')
		}
		told = append(append(told, window...), '=')
		told = strconv.AppendFloat(told, x.TH(), 'f', -1, 64)
		switch window {
		case "5s":
			w.now = h
		case "15s":
			w.now = w.now.OrElse(h)
		case "15m":
			w.quarter = h
		case "30m":
			thirty = h
		case "1h":
			hour = h
		case "since_restart":
			w.average = h
		}
	}
	w.average = w.average.OrElse(hour).OrElse(thirty).OrElse(w.quarter)
	w.windows = string(told)
}

// stats reads miner/stats: hashing, shares and power of the whole machine.
func (p *parser) stats(v gjson.Result) {
	v.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "miner_stats":
			w := p.solver(v, "miner_stats")
			p.r.HashrateNow, p.r.HashrateAverage, p.r.HashrateNominal = w.now, w.average, w.nominal
			p.r.HWErrorRatio = w.errorRatio()
			p.r.Blocks = w.blocks
			p.r.BestShare = w.best
			p.extra("real_hashrate_ths", w.windows)
			if e, ok := w.errors.Get(); ok {
				p.extraNumber("error_hashrate_ths", e.TH())
			}
		case "pool_stats":
			p.shares(v)
		case "power_stats":
			p.powerStats(v)
		default:
			p.strange("miner_stats."+key.Str, v)
		}
		return true
	})
}

func (p *parser) powerStats(v gjson.Result) {
	v.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "approximated_consumption":
			p.r.Power = plain(p, v, mostPower, "miner_stats.approximated_consumption")
			if p.r.Power.Ok() {
				p.r.PowerSource = miner.PowerEstimated
			}
		case "efficiency":
			if e, ok := plain(p, v, unit.Efficiency(1e5), "miner_stats.efficiency").Get(); ok && e > 0 {
				p.r.Efficiency = unit.Some(e)
			}
		default:
			p.strange("power_stats."+key.Str, v)
		}
		return true
	})
}

// shares reads PoolStats of all pools together.
func (p *parser) shares(v gjson.Result) {
	v.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "accepted_shares":
			p.r.Accepted = count(v)
		case "rejected_shares":
			p.r.Rejected = count(v)
		case "stale_shares":
			p.r.Stale = count(v)
		case "last_share_time":
			if t := moment(v); dated(t) {
				p.extra("pool_stats.last_share_time", t.Format(timeForm))
				p.seen(t)
			}
		case "best_share", "best_share_str":
			if x, ok := share(v).Get(); ok && x > p.r.BestShare.Or(-1) {
				p.r.BestShare = unit.Some(x)
			}
		case "generated_work", "last_difficulty":
			p.extra("pool_stats."+key.Str, text(v))
		default:
			p.strange("pool_stats."+key.Str, v)
		}
		return true
	})
}

// hashboards reads miner/hw/hashboards. A board's number may come after its
// figures, so slots are given when all are read.
func (p *parser) hashboards(v gjson.Result) {
	boards := make([]hashboard, 0, 4)
	v.ForEach(func(key, v gjson.Result) bool {
		if key.Str != "hashboards" {
			p.strange("miner_hw_hashboards."+key.Str, v)
			return true
		}
		v.ForEach(func(_, v gjson.Result) bool {
			boards = append(boards, p.hashboard(v))
			return len(boards) < 32
		})
		return true
	})
	first := slotBase(boards)
	p.r.Boards = slices.Grow(p.r.Boards, len(boards))
	for i := range boards {
		h := &boards[i]
		h.board.Index = i
		if n, ok := slotNumber(h.id); ok {
			h.board.Index = n - first
		}
		if h.id == "" {
			h.id = strconv.Itoa(i + 1)
		}
		*cgminer.BoardAt(&p.r, h.board.Index) = h.board
		p.boardExtras(h)
	}
}

// hashboard is one board as the public API tells it.
type hashboard struct {
	id                string
	board             miner.Board
	work              work
	name, model       string
	place, sensor     string // of the hottest chip's sensor
	waterIn, waterOut unit.Opt[unit.Temperature]
	strange           []strangeField
}

// strangeField is a field to be reported once the board's number is known.
type strangeField struct {
	key   string
	value gjson.Result
}

// slotBase is the number that a firmware gives its first slot, judged by the
// numbers it uses: 6 on an S9, else 1, and 0 when there is a 0.
func slotBase(boards []hashboard) int {
	lowest := -1
	for i := range boards {
		if n, ok := slotNumber(boards[i].id); ok && (lowest < 0 || n < lowest) {
			lowest = n
		}
	}
	return firstSlot(lowest)
}

// firstSlot is the number of the first slot where lowest is the lowest told, or
// negative when none is.
func firstSlot(lowest int) int {
	switch {
	case lowest <= 0:
		return 0
	case lowest >= 6:
		return 6
	}
	return 1
}

// slotNumber is the number at the end of a board's name: "1", "Hash Chain 6".
func slotNumber(s string) (int, bool) {
	end := len(s)
	for end > 0 && s[end-1] >= '0' && s[end-1] <= '9' {
		end--
	}
	n, err := strconv.Atoi(s[end:])
	return n, err == nil && n < 64
}

func (p *parser) hashboard(v gjson.Result) (h hashboard) {
	b := &h.board
	detected := false
	v.ForEach(func(key, v gjson.Result) bool {
		if v.Type == gjson.Null {
			return true
		}
		switch key.Str {
		case "id":
			h.id = text(v)
		case "enabled":
			b.Enabled = truth(v)
		case "chips_count":
			_, x := p.quantity(v) // a wrapped integer in some forms
			if n, ok := x.Get(); ok && n >= 0 && n < 1e5 {
				b.Chips = unit.Some(int(n))
				detected = detected || n > 0
			}
		case "current_voltage":
			b.Voltage = plain(p, v, mostVolts, "miner_hw_hashboards.current_voltage")
		case "current_frequency":
			b.Frequency = plain(p, v, mostClock, "miner_hw_hashboards.current_frequency")
		case "highest_chip_temp":
			t, place, sensor := p.sensor(v, "miner_hw_hashboards.highest_chip_temp")
			if place == "pcb" {
				b.TempBoard = cgminer.MaxTemperature(b.TempBoard, t)
			} else {
				b.TempChipMax = t
			}
			h.place, h.sensor = place, sensor
		case "board_temp":
			b.TempBoard = cgminer.MaxTemperature(b.TempBoard, p.temperature(v, "miner_hw_hashboards.board_temp"))
		case "lowest_inlet_temp":
			b.TempInlet = p.temperature(v, "miner_hw_hashboards.lowest_inlet_temp")
		case "highest_outlet_temp":
			b.TempOutlet = p.temperature(v, "miner_hw_hashboards.highest_outlet_temp")
		case "lowest_water_inlet_temp":
			h.waterIn = p.temperature(v, "miner_hw_hashboards.lowest_water_inlet_temp")
		case "highest_water_outlet_temp":
			h.waterOut = p.temperature(v, "miner_hw_hashboards.highest_water_outlet_temp")
		case "stats":
			h.work = p.solver(v, "miner_hw_hashboards.stats")
			b.Hashrate, b.HashrateNominal, b.HWErrorRatio = h.work.now, h.work.nominal, h.work.errorRatio()
		case "serial_number":
			b.Serial = text(v)
		case "chip_type":
			b.ChipType = text(v)
		case "board_name":
			h.name = text(v)
		case "model":
			h.model = text(v)
		default:
			h.strange = append(h.strange, strangeField{strings.Clone(key.Str), v})
		}
		return true
	})
	if detected || b.Serial != "" || h.name != "" || h.model != "" || b.Voltage.Or(0) > 0 {
		b.Present = unit.Some(true)
	}
	return h
}

// boardExtras keeps what a board tells that has no field of its own.
func (p *parser) boardExtras(h *hashboard) {
	prefix := "hashboards." + h.id + "."
	p.extra(prefix+"board_name", h.name)
	if h.model != h.name { // the same thing, twice told since 25.03
		p.extra(prefix+"model", h.model)
	}
	p.extra(prefix+"highest_chip_temp.location", h.place)
	p.extra(prefix+"highest_chip_temp.id", h.sensor)
	for _, f := range h.strange {
		p.strange(prefix+f.key, f.value)
	}
	p.boardWork(prefix, h.work)
	p.water(prefix, h.waterIn, h.waterOut)
}

// boardWork keeps what a board tells of its work beyond the present rate.
func (p *parser) boardWork(prefix string, w work) {
	p.extra(prefix+"real_hashrate_ths", w.windows)
	if x, ok := w.best.Get(); ok {
		p.extraNumber(prefix+"best_share", x)
	}
	if n, ok := w.blocks.Get(); ok {
		p.extra(prefix+"found_blocks", strconv.FormatInt(n, 10))
	}
	if e, ok := w.errors.Get(); ok {
		p.extraNumber(prefix+"error_hashrate_ths", e.TH())
	}
}

// water takes a board's coolant into the machine's: in at its coolest, out at
// its warmest.
func (p *parser) water(prefix string, in, out unit.Opt[unit.Temperature]) {
	if t, ok := in.Get(); ok {
		p.extraNumber(prefix+"lowest_water_inlet_temp_c", float64(t))
		if t < p.r.TempInlet.Or(t+1) {
			p.r.TempInlet = in
		}
	}
	if t, ok := out.Get(); ok {
		p.extraNumber(prefix+"highest_water_outlet_temp_c", float64(t))
		p.r.TempOutlet = cgminer.MaxTemperature(p.r.TempOutlet, out)
	}
}

// sensor reads a TemperatureSensor: what, on a chip or on the board, which.
func (p *parser) sensor(v gjson.Result, where string) (t unit.Opt[unit.Temperature], place, id string) {
	v.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "temperature":
			t = p.temperature(v, where)
		case "location":
			if place = word(v, "SENSOR_LOCATION_", sensorPlaces); place == unspecifiedSet {
				place = ""
			}
		case "id":
			id = text(v)
		}
		return true
	})
	return t, place, id
}

// cooling reads cooling/state: fans and the hottest sensor.
func (p *parser) cooling(v gjson.Result) {
	v.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "fans":
			p.fans(v)
		case "highest_temperature":
			t, place, id := p.sensor(v, "cooling_state.highest_temperature")
			if place == "pcb" {
				p.r.TempBoard = t
			} else {
				p.r.TempChip = t
			}
			p.extra("highest_temperature.location", place)
			p.extra("highest_temperature.id", id)
		default:
			p.strange("cooling_state."+key.Str, v)
		}
		return true
	})
}

func (p *parser) fans(v gjson.Result) {
	p.r.Fans = slices.Grow(p.r.Fans[:0], 4)
	v.ForEach(func(_, v gjson.Result) bool {
		f := miner.Fan{Index: len(p.r.Fans)}
		v.ForEach(func(key, v gjson.Result) bool {
			switch key.Str {
			case "position":
				f.Index = countInt(v).Or(f.Index)
			case "rpm":
				f.Speed = plain(p, v, mostSpeed, "cooling_state.fans.rpm")
			case "target_speed_ratio":
				f.Duty = plain(p, v, unit.Ratio(1.5), "cooling_state.fans.target_speed_ratio")
			default:
				p.strange("cooling_state.fans."+key.Str, v)
			}
			return true
		})
		p.r.Fans = append(p.r.Fans, f)
		return len(p.r.Fans) < 32
	})
}

// tunerState reads performance/tuner-state: the set-point in force and how the
// tuner fares with it.
func (p *parser) tunerState(v gjson.Result) {
	v.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "overall_tuner_state":
			p.tuner = max(enum(v, "TUNER_STATE_", tunerStates), 0)
			if p.tuner > 0 {
				p.r.Tuning = word(v, "TUNER_STATE_", tunerStates)
			}
		case "mode_state": // REST; the variant's name in lower case
			v.ForEach(func(key, v gjson.Result) bool {
				p.tunerMode(strings.ReplaceAll(key.Str, "_", ""), v)
				return true
			})
		case "power_target_mode_state", "hashrate_target_mode_state": // gRPC
			p.tunerMode(strings.ReplaceAll(key.Str, "_", ""), v)
		default:
			p.strange("performance_tuner_state."+key.Str, v)
		}
		return true
	})
}

func (p *parser) tunerMode(variant string, v gjson.Result) {
	target := v.Get("current_target")
	switch variant {
	case "powertargetmodestate":
		p.r.PowerLimit = plain(p, target, mostPower, "performance_tuner_state.current_target")
		if w, ok := p.r.PowerLimit.Get(); ok {
			p.r.Profile = powerProfile(w)
		}
	case "hashratetargetmodestate":
		if h, ok := p.rate(target, "performance_tuner_state.current_target").Get(); ok {
			p.r.Profile = rateProfile(h)
		}
	default:
		p.strange("performance_tuner_state."+variant, v)
		return
	}
	profile := v.Get("profile")
	if !profile.IsObject() {
		return
	}
	step, created := p.step(profile, variant == "powertargetmodestate")
	p.extra("tuner.profile", step.Name)
	if w, ok := step.Power.Get(); ok {
		p.extraNumber("tuner.profile.estimated_power_consumption_w", float64(w))
	}
	if h, ok := step.Hashrate.Get(); ok {
		p.extraNumber("tuner.profile.measured_hashrate_ths", h.TH())
	}
	if !created.IsZero() {
		p.extra("tuner.profile.created", created.Format(timeForm))
		if dated(created) {
			p.seen(created)
		}
	}
}
