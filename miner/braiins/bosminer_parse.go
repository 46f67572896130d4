package braiins

import (
	"bytes"
	"strconv"
	"strings"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/unit"
)

// bosminer reads one or several replies of the cgminer API, as BOSminer and
// BOSer speak it.
func (p *parser) bosminer(reply cgminer.Reply) {
	for _, part := range reply.Parts() {
		p.bosminerPart(part)
	}
}

func (p *parser) bosminerPart(reply cgminer.Reply) {
	r := &p.r
	if err := reply.Status.Err(); err != nil {
		// BOSer answers for a BOSminer that does not run.
		if words := strings.ToLower(reply.Status.Msg); strings.Contains(words, "not ready") || strings.Contains(words, "connection refused") || strings.Contains(words, "not running") {
			p.read++
			p.silent = true
			return
		}
		r.Warn(miner.WarnRefused, reply.Name, err.Error())
		return
	}
	p.seen(reply.Status.When)
	found := true
	switch {
	case reply.Has("SUMMARY"):
		o := reply.First("SUMMARY")
		cgminer.FillSummary(r, o)
		p.cgRest("summary", o)
	case reply.Has("DEVS"):
		p.devs(reply)
	case reply.Has("DEVDETAILS"):
		p.devDetails(reply)
	case reply.Has("TEMPS"):
		p.temps(reply)
	case reply.Has("FANS"):
		p.bosminerFans(reply)
	case reply.Has("TUNERSTATUS"):
		p.tunerReport(reply)
	case reply.Has("POOLS"):
		r.Pools = r.Pools[:0]
		cgminer.FillPools(r, reply)
		for i, o := range reply.Section("POOLS") {
			if best := o.Text("Best Share"); best != "" && best != "0" {
				p.extra("pools."+strconv.Itoa(i)+".best_share", best)
			}
			if asked := o.Bool("AsicBoost"); asked.Ok() {
				p.extra("pools."+strconv.Itoa(i)+".asic_boost", strconv.FormatBool(asked.Or(false)))
			}
		}
	case reply.Has("VERSION"):
		p.bosminerVersion(reply)
	case reply.Has("TEMPCTRL"):
		reply.First("TEMPCTRL").Rest(r, "tempctrl.")
	case reply.Has("CONFIG"):
		reply.First("CONFIG").Rest(r, "config.")
	case reply.Has("STATS"), reply.Has("COIN"), reply.Has("ASCS"), reply.Has("LCD"), reply.Has("PAUSE"), reply.Has("RESUME"):
	default:
		found = false
	}
	if found {
		p.read++
	} else {
		r.Warn(miner.WarnUnknown, reply.Name, "a reply that BOSminer does not give")
	}
}

// cgRest keeps a summary's windows and counters that have no field.
func (p *parser) cgRest(prefix string, o cgminer.Object) {
	o.Use("Getworks", "Discarded", "Utility", "Get Failures", "Local Work", "Remote Failures", "Network Blocks", "Last getwork",
		"Device Rejected%", "Pool Rejected%", "Pool Stale%")
	o.Rest(&p.r, prefix+".")
}

// chainOf is the slot of a board that a section calls by number. BOSminer counts
// from 1, on an S9 from 6, and in tunerstatus of some versions from 0.
func chainOf(section []cgminer.Object, keys ...string) func(cgminer.Object) int {
	lowest := int64(-1)
	for _, o := range section {
		if n, ok := o.Count(keys...).Get(); ok && (lowest < 0 || n < lowest) {
			lowest = n
		}
	}
	first := int64(firstSlot(int(min(lowest, 64))))
	return func(o cgminer.Object) int {
		n, ok := o.Count(keys...).Get()
		if !ok || n < first || n-first > 31 {
			return -1
		}
		return int(n - first)
	}
}

// devs reads the boards' work. A board that does not work is not in the list.
func (p *parser) devs(reply cgminer.Reply) {
	section := reply.Section("DEVS")
	slot := chainOf(section, "ID", "ASC")
	for _, o := range section {
		i := slot(o)
		if i < 0 {
			p.r.Warn(miner.WarnBroken, "devs.ID", "no board's number")
			continue
		}
		b := cgminer.BoardAt(&p.r, i)
		b.Present = unit.Some(true)
		b.Enabled = o.Bool("Enabled").OrElse(b.Enabled)
		b.Status = o.Text("Status")
		b.Hashrate = o.Hashrate(p.r.Warn, megahash, "MHS 5s", "MHS 1m", "MHS av")
		b.HashrateNominal = o.Hashrate(p.r.Warn, megahash, "Nominal MHS")
		b.HWErrors = o.Count("Hardware Errors")
		b.HWErrorRatio = o.Percent("Device Hardware%")
		if t := o.Temperature(p.r.Warn, "Temperature"); t.Or(0) != 0 {
			b.TempBoard = cgminer.MaxTemperature(b.TempBoard, t)
		}
		prefix := "hashboards." + strconv.Itoa(i+1) + "."
		o.Use("ASC", "Name", "Last Share Pool", "Last Share Time", "Last Valid Work", "Utility", "Device Elapsed", "Device Rejected%")
		o.Rest(&p.r, prefix)
	}
	// Nominal is only told by board.
	nominal, all := unit.Hashrate(0), len(p.r.Boards) > 0
	for _, b := range p.r.Boards {
		h, ok := b.HashrateNominal.Get()
		nominal, all = nominal+h, all && ok
	}
	if all && nominal > 0 && !p.r.HashrateNominal.Ok() {
		p.r.HashrateNominal = unit.Some(nominal)
	}
}

// devDetails reads the boards' hardware. The frequency is in Hz before BOSer and
// in MHz since.
func (p *parser) devDetails(reply cgminer.Reply) {
	section := reply.Section("DEVDETAILS")
	slot := chainOf(section, "ID", "DEVDETAILS")
	for _, o := range section {
		if s := o.Text("Model"); s != "" && p.told == "" {
			p.told = s
		}
		i := slot(o)
		if i < 0 {
			p.r.Warn(miner.WarnBroken, "devdetails.ID", "no board's number")
			continue
		}
		b := cgminer.BoardAt(&p.r, i)
		b.Chips = countOf(o.Count("Chips")).OrElse(b.Chips)
		if b.Chips.Or(0) > 0 {
			b.Present = unit.Some(true)
		}
		if f, ok := o.Float("Frequency").Get(); ok && f > 0 {
			one := unit.Frequency(1)
			if f < 1e5 {
				one = unit.Megahertz
			}
			b.Frequency = scaled(p, unit.Some(f), one, mostClock, "devdetails.Frequency")
		}
		if v, ok := o.Float("Voltage").Get(); ok && v > 0 {
			b.Voltage = scaled(p, unit.Some(v), 1, mostVolts, "devdetails.Voltage")
		}
		o.Use("Name", "Driver", "Kernel", "Device Path")
		o.Rest(&p.r, "hashboards."+strconv.Itoa(i+1)+".")
	}
}

func countOf(v unit.Opt[int64]) unit.Opt[int] {
	if n, ok := v.Get(); ok && n < 1<<31 {
		return unit.Some(int(n))
	}
	return unit.None[int]()
}

// temps reads the boards' temperatures: the hottest of the board and the hottest
// of its chips.
func (p *parser) temps(reply cgminer.Reply) {
	section := reply.Section("TEMPS")
	slot := chainOf(section, "ID", "TEMP")
	for _, o := range section {
		i := slot(o)
		if i < 0 {
			p.r.Warn(miner.WarnBroken, "temps.ID", "no board's number")
			continue
		}
		b := cgminer.BoardAt(&p.r, i)
		if t := o.Temperature(p.r.Warn, "Board"); t.Or(0) != 0 { // 0 is a sensor that does not answer
			b.TempBoard = t
		}
		if t := o.Temperature(p.r.Warn, "Chip"); t.Or(0) != 0 {
			b.TempChipMax = t
		}
	}
}

func (p *parser) bosminerFans(reply cgminer.Reply) {
	p.r.Fans = p.r.Fans[:0]
	for i, o := range reply.Section("FANS") {
		p.r.Fans = append(p.r.Fans, miner.Fan{
			Index: int(o.Count("ID", "FAN").Or(int64(i))),
			Speed: o.Speed(p.r.Warn, "RPM"),
			Duty:  o.Percent("Speed"),
		})
	}
}

// tunerReport reads tunerstatus: power as the tuner reckons it, and how it fares
// with each board.
func (p *parser) tunerReport(reply cgminer.Reply) {
	r := &p.r
	o := reply.First("TUNERSTATUS")
	r.Power = o.Power(r.Warn, "ApproximateMinerPowerConsumption")
	if w, ok := r.Power.Get(); ok {
		r.PowerSource = miner.PowerEstimated
		r.PowerLimit = o.Power(r.Warn, "PowerLimit").OrElse(r.PowerLimit)
		p.asleep = w < awake && w < r.PowerLimit.Or(4*awake)/4
	}
	// "Disabled", "InitialPowerLimit", or {"ScaledPowerLimit": 1200}.
	if scaled := o.Raw("DynamicPowerScaling"); scaled.IsObject() {
		if w := plain(p, scaled.Get("ScaledPowerLimit"), mostPower, "tunerstatus.ScaledPowerLimit"); w.Ok() {
			p.extraNumber("tunerstatus.PowerLimit", float64(r.PowerLimit.Or(0)))
			r.PowerLimit = w
		}
		p.keep("tunerstatus.DynamicPowerScaling", scaled)
	} else {
		p.extra("tunerstatus.DynamicPowerScaling", o.Text("DynamicPowerScaling"))
	}
	chains := o.List("TunerChainStatus")
	slot := chainOf(chains, "HashchainIndex")
	for _, c := range chains {
		i := slot(c)
		if i < 0 {
			continue
		}
		b := cgminer.BoardAt(r, i)
		b.Power = c.Power(r.Warn, "ApproximatePowerConsumptionWatt").OrElse(b.Power)
		words := c.Text("Status")
		p.chainStatus(i, words, c.Bool("TunerRunning").Or(false))
		c.Rest(r, "tunerstatus."+strconv.Itoa(i+1)+".")
	}
	o.Rest(r, "tunerstatus.")
}

// chainStatus judges what the tuner says of a board. "Failed {..}" and the like
// carry Rust's view of the cause in braces.
func (p *parser) chainStatus(i int, words string, running bool) {
	if words == "" {
		return
	}
	p.r.Tuning = words
	lower := strings.ToLower(words)
	switch {
	case strings.Contains(lower, "paused"):
		p.asleep = true
	case strings.HasPrefix(lower, "stable"), strings.HasPrefix(lower, "manual"), strings.HasPrefix(lower, "disabled"):
	case running, strings.HasPrefix(lower, "tuning"), strings.HasPrefix(lower, "testing"), strings.HasPrefix(lower, "resuming"), strings.HasPrefix(lower, "starting"):
		p.tuner = tunerTuning
	default:
		p.r.Faults = append(p.r.Faults, miner.NewFault(miner.AdvisoryTuning, miner.Minor, i, "", words))
	}
}

// bosminerVersion reads the mining software's version, which is not the
// firmware's: GraphQL and the public API tell that.
func (p *parser) bosminerVersion(reply cgminer.Reply) {
	o := reply.First("VERSION")
	for _, f := range o.Fields() {
		switch words := strings.ToLower(f.Key); {
		case f.Key == "API":
			p.r.Identity.APIVersion = f.Text()
		case strings.HasPrefix(words, "bosminer"), strings.HasPrefix(words, "boser"):
			p.extra(f.Key, f.Text())
			if p.r.Identity.FirmwareVersion == "" {
				p.software = f.Text()
			}
		default:
			p.extra("version."+f.Key, f.Text())
		}
	}
}

// isBOS tells whether a reply on 4028 is BOSminer's or BOSer's.
func isBOS(reply []byte) bool {
	return bytes.Contains(reply, []byte("BOSer")) || bytes.Contains(reply, []byte("BOSminer"))
}
