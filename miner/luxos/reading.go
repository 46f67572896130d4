package luxos

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/unit"
)

// read fills the reading.
func read(r *miner.Reading, f *fast, s *slow) {
	r.Warnings = append(r.Warnings, s.warnings...)
	if len(s.extra) > 0 {
		r.Extra = make(map[string]string, len(s.extra)+96) // with room for those of the fast replies
		maps.Copy(r.Extra, s.extra)
	}
	model := identify(r, f.config, s)
	cgminer.FillSummary(r, f.summary)
	readPools(r, f.pools)
	readBoards(r, f, s, model)
	readTemps(r, f.temps)
	readFans(r, f.fans)
	readPower(r, f)
	codes := readEvents(r, f.events)
	readConfig(r, f.config)
	r.State = state(r, f, codes)
	if r.State == miner.Sleeping {
		r.HashrateNow = r.HashrateNow.OrElse(unit.Some(unit.Hashrate(0)))
	} else if !slices.ContainsFunc(r.Faults, func(f miner.Fault) bool { return f.Code == miner.ControlPool }) {
		cgminer.FaultDeadPools(r)
	}
	r.Envelope = envelope(f.config, s)
	f.summary.Rest(r, "summary.")
	f.config.Rest(r, "config.")
}

// identify reads who the machine is and returns its row in the table of models.
func identify(r *miner.Reading, config cgminer.Object, s *slow) miner.Model {
	id := &r.Identity
	version := s.version.First("VERSION")
	id.APIVersion = version.Text("API")
	id.FirmwareVersion = version.Text("LUXminer", "Miner")
	id.MAC = miner.NormalMAC(config.Text("MACAddr"))
	id.Serial = config.Text("SerialNumber")
	id.ControlBoard = config.Text("ControlBoardType")
	id.Hostname = config.Text("Hostname")
	told := config.Text("Model")
	if told == "" {
		told = version.Text("Type")
	}
	version.Use("Miner", "Type")
	version.Rest(r, "version.")
	if told == "" {
		return miner.Model{}
	}
	if s.told != told {
		s.model, _ = miner.LookupModel(told)
		s.told = told
	}
	m := s.model
	if m.Name == "" {
		id.Model, id.ModelTold = told, told
		r.Warn(miner.WarnUnknown, "model", told)
		return miner.Model{}
	}
	id.Make, id.Model = m.Make, m.Name
	if told != m.Name {
		id.ModelTold = told
	}
	return m
}

// boardExtras are what devs tells of a board beyond the fields of a reading.
var boardExtras = []string{"Board", "Connector", "Profile", "Last Share Pool", "IsRamping", "Accepted", "Rejected", "ControllerIPVersionHex"}

// readBoards reads devs, which come in any order, and adds what is known of each
// board from elsewhere. Boards are numbered by their ID.
func readBoards(r *miner.Reading, f *fast, s *slow, model miner.Model) {
	readDevs(r, f.devs)
	for i, c := range s.chains {
		if c.chips.Ok() && (len(r.Boards) == 0 || slices.ContainsFunc(r.Boards, func(b miner.Board) bool { return b.Index == i })) || f.devs.Name == "" && c.chips.Ok() {
			b := cgminer.BoardAt(r, i)
			b.Chips, b.Frequency = c.chips, c.frequency
			b.HWErrors = b.HWErrors.OrElse(c.errors)
			b.TempChipMax = c.hottest
		}
	}
	for board, c := range s.chips {
		b := cgminer.BoardAt(r, board)
		b.Chip = c.summary
		b.Chips = b.Chips.OrElse(unit.Some(c.answering))
		b.ChipsExpected = unit.Some(c.expected)
		if sum, ok := c.summary.Get(); ok {
			b.Frequency = b.Frequency.OrElse(sum.FrequencyMean)
			b.TempChipMax = sum.TempMax.OrElse(b.TempChipMax)
			b.TempChipMean, b.TempChipMin = sum.TempMean, c.coldest
		}
	}
	for board, v := range s.volts {
		cgminer.BoardAt(r, board).Voltage = unit.Some(v)
	}
	for i := range r.Boards {
		b := &r.Boards[i]
		if model.Chips > 0 {
			b.ChipsExpected = b.ChipsExpected.OrElse(unit.Some(model.Chips))
		}
		if !b.Enabled.Or(true) {
			b.Voltage, b.Frequency = unit.None[unit.Voltage](), unit.None[unit.Frequency]()
		}
	}
	nominal(r, s)
}

const megahash = unit.GHs / 1e3

// readDevs reads the boards that are detected.
func readDevs(r *miner.Reading, reply cgminer.Reply) {
	devs := reply.Section("DEVS")
	if len(devs) > 0 && len(devs) <= mostBoards {
		r.Boards = make([]miner.Board, 0, len(devs)+1)
	}
	for i, o := range devs {
		id := o.Count("ASC", "ID").Or(int64(i))
		if id >= mostBoards {
			continue
		}
		b := cgminer.BoardAt(r, int(id))
		b.Present, b.Enabled = unit.Some(true), o.Bool("Enabled")
		if o.Bool("IsUserShutdown").Or(false) {
			b.Enabled = unit.Some(false)
		}
		b.Serial, b.Status = o.Text("SerialNumber"), o.Text("Status")
		if o.Bool("IsRamping").Or(false) {
			b.Status += ", ramping"
		}
		b.Hashrate = o.Hashrate(r.Warn, megahash, "MHS 5s", "MHS 1m", "MHS av")
		b.HashrateNominal = o.Hashrate(r.Warn, megahash, "Nominal MHS")
		if v := o.Temperature(r.Warn, "Temperature"); v.Or(0) != 0 { // 0 is a board that is off
			b.TempBoard = v
		}
		b.HWErrors, b.HWErrorRatio = o.Count("Hardware Errors"), o.Percent("Device Hardware%")
		prefix := "devs." + strconv.Itoa(b.Index) + "."
		for _, key := range boardExtras {
			if v := o.Text(key); v != "" {
				put(r, prefix+key, v)
			}
		}
	}
}

// nominal is what the boards that are switched on should do at the present
// profile.
func nominal(r *miner.Reading, s *slow) {
	sum, told := unit.Hashrate(0), false
	for _, b := range r.Boards {
		if v, ok := b.HashrateNominal.Get(); ok && b.Enabled.Or(true) {
			sum, told = sum+v, true
		}
	}
	if told {
		r.HashrateNominal = unit.Some(sum)
	} else {
		r.HashrateNominal = r.HashrateNominal.OrElse(s.ideal)
	}
}

// readPools reads pools of all groups. A pool that has accepted nothing counts
// its last share from the start of the process, and that is no share.
func readPools(r *miner.Reading, reply cgminer.Reply) {
	cgminer.FillPools(r, reply)
	for i := range r.Pools {
		if p := &r.Pools[i]; p.Accepted.Or(1) == 0 {
			p.LastShare = unit.None[time.Time]()
		}
	}
	for _, o := range reply.Section("POOLS") {
		if group := o.Text("GROUP"); group != "" {
			put(r, "pools."+o.Text("POOL")+".GROUP", group)
		}
	}
}

func put(r *miner.Reading, key, value string) {
	if r.Extra == nil {
		r.Extra = map[string]string{}
	}
	r.Extra[key] = value
}

// sensor is the place of one of temps' sensors.
type sensor int

const (
	onBoard sensor = iota
	boardIn
	boardOut
	waterIn
	waterOut
	onChip
)

// place reads a sensor's label, or its key where it has none.
func place(key, label string) sensor {
	text := strings.ToLower(label)
	if text == "" {
		text = strings.ToLower(key)
	}
	in := strings.Contains(text, "inlet") || strings.Contains(text, "intake")
	out := strings.Contains(text, "outlet") || strings.Contains(text, "exhaust")
	switch water := strings.Contains(text, "water") || strings.Contains(text, "coolant") || strings.Contains(text, "liquid"); {
	case strings.Contains(text, "chip"):
		return onChip
	case water && in:
		return waterIn
	case water && out:
		return waterOut
	case in:
		return boardIn
	case out:
		return boardOut
	}
	return onBoard
}

// readTemps reads the boards' sensors by their labels. A board that is off tells
// zeros.
func readTemps(r *miner.Reading, reply cgminer.Reply) {
	labels := reply.First("METADATA")
	places := make(map[string]sensor, 4)
	for _, f := range labels.Fields() {
		places[f.Key] = place(f.Key, labels.Object(f.Key).Text("Label"))
	}
	for i, o := range reply.Section("TEMPS") {
		id := o.Count("ID", "TEMP", "Board ID").Or(int64(i))
		if id >= mostBoards {
			continue
		}
		b := cgminer.BoardAt(r, int(id))
		var hottest unit.Opt[unit.Temperature]
		for _, f := range o.Fields() {
			if f.Key == "ID" || f.Key == "TEMP" || f.Text() == "" {
				continue
			}
			v := o.Temperature(r.Warn, f.Key)
			if v.Or(0) == 0 {
				continue
			}
			at, told := places[f.Key]
			if !told {
				at = place(f.Key, "")
			}
			switch at {
			case onChip:
				b.TempChipMax = cgminer.MaxTemperature(b.TempChipMax, v)
				continue
			case waterIn:
				r.TempInlet = cgminer.MaxTemperature(r.TempInlet, v)
				continue
			case waterOut:
				r.TempOutlet = cgminer.MaxTemperature(r.TempOutlet, v)
				continue
			case boardIn:
				b.TempInlet = cgminer.MaxTemperature(b.TempInlet, v)
			case boardOut:
				b.TempOutlet = cgminer.MaxTemperature(b.TempOutlet, v)
			}
			hottest = cgminer.MaxTemperature(hottest, v)
		}
		b.TempBoard = hottest.OrElse(b.TempBoard)
	}
	for _, b := range r.Boards {
		r.TempBoard = cgminer.MaxTemperature(r.TempBoard, b.TempBoard)
		r.TempChip = cgminer.MaxTemperature(r.TempChip, b.TempChipMax)
	}
}

// readFans reads fans in the order of their IDs; a header without a fan is not
// listed.
func readFans(r *miner.Reading, reply cgminer.Reply) {
	for i, o := range reply.Section("FANS") {
		fan := miner.Fan{Index: int(o.Count("ID").Or(int64(i))), Name: o.Text("FAN"), Speed: o.Speed(r.Warn, "RPM")}
		if v, ok := o.Float("Speed").Get(); ok && v >= 0 && v <= 100 {
			fan.Duty = unit.Some(unit.Ratio(v / 100))
			r.FanDuty = unit.Some(max(r.FanDuty.Or(0), unit.Ratio(v/100)))
		}
		if fan.Name != "" && cgminer.Number(fan.Name).Ok() { // older ones number them twice
			fan.Name = ""
		}
		r.Fans = append(r.Fans, fan)
	}
	slices.SortStableFunc(r.Fans, func(a, b miner.Fan) int { return a.Index - b.Index })
	reply.First("FANCTRL").Rest(r, "fanctrl.")
}

// readPower reads the wall power and who says so.
func readPower(r *miner.Reading, f *fast) {
	r.Power = f.power.Power(r.Warn, "Watts")
	measured := f.power.Bool("PSU")
	if r.Power.Ok() {
		r.PowerSource = miner.PowerEstimated
		if measured.Or(false) {
			r.PowerSource = miner.PowerPSU
		}
	}
	label, version := f.config.Text("PSULabel"), f.config.Text("PSUHwVersion")
	if label == "" && version == "" && !f.config.Has("IsPowerSupplyOn") {
		return
	}
	p := miner.PSU{Model: label, Version: version, Present: unit.Some(true)}
	if measured.Or(false) {
		p.PowerIn = r.Power
	}
	if on, ok := f.config.Bool("IsPowerSupplyOn").Get(); ok {
		p.Status = map[bool]string{true: "on", false: "off"}[on]
	}
	r.PSUs = append(r.PSUs, p)
}

// readConfig reads what the machine is set to.
func readConfig(r *miner.Reading, o cgminer.Object) {
	r.Profile = o.Text("Profile")
	if tuning, ok := o.Bool("IsTuning").Get(); ok {
		r.Tuning = map[bool]string{true: "tuning", false: "idle"}[tuning]
	}
	if o.Bool("IsPowerTargetEnabled").Or(false) {
		target := o.Power(r.Warn, "ActualPowerTarget")
		if target.Or(0) <= 0 {
			target = o.Power(r.Warn, "IdealPowerTarget")
		}
		if target.Or(0) > 0 {
			r.PowerLimit = target
		}
	}
	if led := o.Text("RedLed"); led != "" {
		r.Locating = unit.Some(strings.EqualFold(led, "blink") || strings.EqualFold(led, "on"))
		put(r, "config.RedLed", led)
	}
	told := o.Text("SystemStatus")
	if c := o.Text("CurtailMode"); c != "" && !strings.EqualFold(c, "None") {
		told = strings.TrimPrefix(told+"; curtail "+c, "; ")
	}
	r.StateTold = told
}

// starting is how long a machine may take from the start of its process to its
// first hashes: boards alone take up to five minutes.
const starting = 8 * time.Minute

// state is what the machine does: by its word on curtailment, then by whether it
// hashes, then by what its events and its age say of why it does not.
func state(r *miner.Reading, f *fast, codes map[string]bool) miner.State {
	curtail := f.config.Text("CurtailMode")
	if curtail != "" && !strings.EqualFold(curtail, "None") || codes["SLEEP"] || codes["IDLE"] {
		return miner.Sleeping
	}
	now, told := r.HashrateNow.Get()
	nominal := r.HashrateNominal.Or(0)
	ramping := slices.ContainsFunc(r.Boards, func(b miner.Board) bool { return strings.HasSuffix(b.Status, ", ramping") })
	switch {
	case told && now > 0 && ramping && now < nominal*0.8:
		return miner.Starting
	case told && now > 0:
		return miner.Hashing
	case ramping, codes["REBOOT_SYSINIT"], strings.HasPrefix(f.config.Text("SystemStatus"), "Init"):
		return miner.Starting
	case slices.ContainsFunc(r.Faults, func(f miner.Fault) bool { return f.Severity == miner.Critical }) && told:
		return miner.Stopped
	case !told:
		return miner.Unknown
	}
	if up, ok := r.MinerUptime.Get(); ok && up < starting {
		return miner.Starting
	}
	return miner.Stopped
}
