package epic

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/unit"
)

// summary is what changes with every poll.
type summary struct {
	hostname, software string
	state              string // "Operating State"
	lastError          gjson.Result
	licenseError       gjson.Result
	lastCommand        string
	poolLostIdles      bool // the machine goes idle when it loses its pool

	boards []summaryBoard
	fans   []miner.Fan
	duty   unit.Opt[unit.Ratio]
	psu    miner.PSU
	power  unit.Opt[unit.Power]

	average            unit.Opt[unit.Hashrate]
	accepted, rejected unit.Opt[int64]
	uptime             unit.Opt[time.Duration]
	locating           unit.Opt[bool]
	pools              []miner.Pool
	poolConnected      unit.Opt[bool]
	tuner              tuner
	extra              []extra
}

type extra struct{ key, value string }

type summaryBoard struct {
	index             int
	present, enabled  unit.Opt[bool]
	hashrate          unit.Opt[unit.Hashrate]
	performance       unit.Opt[float64] // % of what the clock gives
	voltage           unit.Opt[unit.Voltage]
	current           unit.Opt[unit.Current]
	power             unit.Opt[unit.Power]
	frequency, target unit.Opt[unit.Frequency]
	temp              unit.Opt[unit.Temperature]
}

// tuner is the perpetual tuner's setting.
type tuner struct {
	running                   unit.Opt[bool]
	algorithm                 string // the firmware's word
	target                    unit.Opt[float64]
	unit                      string // "TH/s" or "W"
	optimized                 unit.Opt[bool]
	minThrottle, throttleStep unit.Opt[int64]
	throttled                 unit.Opt[float64] // the target in force while throttled
}

func (t tuner) isPower() bool {
	return strings.Contains(strings.ToUpper(t.unit), "W") || t.unit == "" && isPowerAlgorithm(t.algorithm)
}

func isPowerAlgorithm(name string) bool { return strings.Contains(strings.ToLower(name), "power") }

func number(v gjson.Result) float64 {
	switch v.Type {
	case gjson.Number:
		return v.Num
	case gjson.String:
		return cgminer.Number(v.Str).Or(math.NaN())
	}
	return math.NaN()
}

// metered is a figure of a meter that may not exist: zero then.
func metered[T ~float64](v unit.Opt[float64], most float64, warn cgminer.Warn, where string) unit.Opt[T] {
	f, ok := v.Get()
	switch {
	case !ok || f == 0:
		return unit.None[T]()
	case f < 0 || f > most:
		warn(miner.WarnImplausible, where, strconv.FormatFloat(f, 'g', -1, 64))
		return unit.None[T]()
	}
	return unit.Some(T(f))
}

func readSummary(o cgminer.Object, warn cgminer.Warn) *summary {
	s := &summary{hostname: o.Text("Hostname"), software: o.Text("Software")}
	status := o.Object("Status")
	s.state = status.Text("Operating State")
	s.lastError, s.licenseError = status.Raw("Last Error"), o.Raw("Last License Error")
	s.lastCommand = status.Text("Last Command")
	s.addExtra("Last Command", s.lastCommand)
	s.addExtra("Last Command Result", status.Text("Last Command Result"))
	s.poolLostIdles = o.Bool("IdleOnConnectionLost").Or(false)

	s.readBoards(o, warn)
	s.readFans(o, warn)
	s.readPSU(o.Object("Power Supply Stats"), warn)
	s.readSession(o.Object("Session"), warn)
	s.readPools(o)
	s.readTuner(o.Object("PerpetualTune"))

	misc := o.Object("Misc")
	s.locating = misc.Bool("Locate Miner State")
	mining := o.Object("Mining")
	for _, e := range []struct {
		of   cgminer.Object
		keys []string
	}{
		{misc, []string{"Critical Temp", "Shutdown Temp"}},
		{mining, []string{"Algorithm", "Coin"}},
		{o, []string{"OS Type", "Overdrive", "IdleOnConnectionLost", "Disable Board On Failure", "Enable Boards On Idle"}},
	} {
		for _, k := range e.keys {
			s.addExtra(k, e.of.Text(k))
		}
	}
	s.addExtra("Target Power", o.Object("PresetInfo").Text("Target Power"))
	return s
}

func (s *summary) addExtra(key, value string) {
	if value != "" {
		s.extra = append(s.extra, extra{key, value})
	}
}

func (s *summary) board(index int) *summaryBoard {
	for i := range s.boards {
		if s.boards[i].index == index {
			return &s.boards[i]
		}
	}
	s.boards = append(s.boards, summaryBoard{index: index})
	return &s.boards[len(s.boards)-1]
}

func (s *summary) readBoards(o cgminer.Object, warn cgminer.Warn) {
	const most = 16
	each := func(key string, f func(*summaryBoard, cgminer.Object, string)) {
		for _, b := range o.List(key) {
			if i, ok := b.Count("Index").Get(); ok && i < most {
				f(s.board(int(i)), b, key+"."+strconv.FormatInt(i, 10))
			}
		}
	}
	each("HBStatus", func(b *summaryBoard, o cgminer.Object, _ string) {
		b.present, b.enabled = o.Bool("Detected"), o.Bool("Enabled")
	})
	each("HBs", func(b *summaryBoard, o cgminer.Object, where string) {
		if h := o.Floats("Hashrate"); len(h) > 0 && h[0] >= 0 && h[0] < 1e12 {
			b.hashrate = unit.Some(unit.Hashrate(h[0]) * unit.GHs / 1e3)
			if len(h) > 1 && h[1] > 0 && h[1] < 1000 {
				b.performance = unit.Some(h[1])
				s.addExtra("board "+strconv.Itoa(b.index)+" performance %", strconv.FormatFloat(h[1], 'f', -1, 64))
			}
			if len(h) > 2 && !math.IsNaN(h[2]) {
				s.addExtra("board "+strconv.Itoa(b.index)+" hashrate error %", strconv.FormatFloat(h[2], 'f', -1, 64))
			}
		} else if len(h) > 0 {
			warn(miner.WarnImplausible, where+".Hashrate", strconv.FormatFloat(h[0], 'g', -1, 64))
		}
		b.voltage = metered[unit.Voltage](o.Float("Input Voltage"), 1000, warn, where+".Input Voltage")
		b.current = metered[unit.Current](o.Float("Input Current"), 2000, warn, where+".Input Current")
		b.power = metered[unit.Power](o.Float("Input Power"), 50_000, warn, where+".Input Power")
		if f := metered[unit.Frequency](o.Float("Core Clock Avg"), 5000, warn, where+".Core Clock Avg"); f.Ok() {
			b.frequency = unit.Some(f.Or(0) * unit.Megahertz)
		}
		if b.enabled.Or(true) || o.Float("Temperature").Or(0) != 0 {
			b.temp = o.Temperature(warn, "Temperature")
		}
		for _, k := range []string{"Output Voltage", "Output Current", "Output Power"} {
			if v := o.Float(k).Or(0); v != 0 {
				s.addExtra("board "+strconv.Itoa(b.index)+" "+k, o.Text(k))
			}
		}
	})
	for _, b := range o.Object("HwConfig").List("Boards Target Clock") {
		if i, ok := b.Count("Index").Get(); ok && i < most {
			if f, ok := b.Float("Data").Get(); ok && f > 0 && f < 5000 {
				s.board(int(i)).target = unit.Some(unit.Frequency(f) * unit.Megahertz)
				s.addExtra("board "+strconv.FormatInt(i, 10)+" target clock MHz", b.Text("Data"))
			}
		}
	}
	slices.SortFunc(s.boards, func(a, b summaryBoard) int { return cmp.Compare(a.index, b.index) })
}

func (s *summary) readFans(o cgminer.Object, warn cgminer.Warn) {
	fans := o.Object("Fans")
	if d, ok := fans.Float("Fans Speed").Get(); ok && d >= 0 && d <= 100 {
		s.duty = unit.Some(unit.Ratio(d / 100))
	}
	s.addExtra("Minimum Working Fans", fans.Text("Minimum Working Fans"))
	mode := fans.Object("Fan Mode")
	for _, f := range mode.Fields() {
		s.addExtra("Fan Mode", f.Key)
		auto := mode.Object(f.Key)
		s.addExtra("Fan Idle Speed", auto.Text("Idle Speed"))
		s.addExtra("Fan Target Temperature", auto.Text("Target Temperature"))
		if auto.Empty() {
			s.addExtra("Fan Speed Set", f.Text())
		}
	}
	rpm := o.Object("Fans Rpm")
	for _, f := range rpm.Fields() {
		n, err := strconv.Atoi(strings.TrimPrefix(f.Key, "Fans Speed "))
		if err != nil || n < 1 || n > 64 || !f.Float().Ok() {
			continue
		}
		s.fans = append(s.fans, miner.Fan{Index: n - 1, Name: f.Key, Speed: rpm.Speed(warn, f.Key)})
	}
	slices.SortFunc(s.fans, func(a, b miner.Fan) int { return cmp.Compare(a.Index, b.Index) })
}

func (s *summary) readPSU(o cgminer.Object, warn cgminer.Warn) {
	s.power = metered[unit.Power](o.Float("Input Power"), 100_000, warn, "summary.Input Power")
	s.psu.PowerIn = s.power
	s.psu.PowerOut = metered[unit.Power](o.Float("Output Power"), 100_000, warn, "summary.Output Power")
	s.psu.VoltageIn = metered[unit.Voltage](o.Float("Input Voltage"), 1000, warn, "summary.Input Voltage")
	s.psu.VoltageOut = metered[unit.Voltage](o.Float("Output Voltage"), 1000, warn, "summary.Output Voltage")
	s.psu.CurrentIn = metered[unit.Current](o.Float("Input Current"), 2000, warn, "summary.Input Current")
	s.psu.CurrentOut = metered[unit.Current](o.Float("Output Current"), 10_000, warn, "summary.Output Current")
	if mv := metered[unit.Voltage](o.Float("Target Voltage"), 1e6, warn, "summary.Target Voltage"); mv.Ok() {
		s.psu.VoltageSet = unit.Some(mv.Or(0) / 1e3)
	}
}

func (s *summary) readSession(o cgminer.Object, warn cgminer.Warn) {
	if mh, ok := o.Float("Average MHs").Get(); ok {
		if mh >= 0 && mh < 1e12 {
			s.average = unit.Some(unit.Hashrate(mh) * unit.GHs / 1e3)
		} else {
			warn(miner.WarnImplausible, "summary.Average MHs", o.Text("Average MHs"))
		}
	}
	s.accepted, s.rejected = o.Count("Accepted"), o.Count("Rejected")
	s.uptime = o.Seconds("Uptime")
	for _, k := range []string{"Active HBs", "Submitted", "WorkReceived", "Startup String", "Startup Timestamp", "Last Accepted Share Timer", "Last Work Timer", "Last Work Timestamp"} {
		s.addExtra(k, o.Text(k))
	}
	last := o.Object("LastAverageMHs")
	s.addExtra("Last Average MHs", last.Text("Hashrate"))
	s.addExtra("Last Average Timestamp", last.Text("Timestamp"))
}

func (s *summary) readPools(o cgminer.Object) {
	const most = 32
	stratum, session := o.Object("Stratum"), o.Object("Session")
	active := int(stratum.Count("Config Id").Or(-1))
	s.poolConnected = stratum.Bool("IsPoolConnected")
	for i, c := range o.List("StratumConfigs") {
		if i >= most {
			break
		}
		s.pools = append(s.pools, miner.Pool{Index: i, URL: c.Text("pool"), User: c.Text("login"), Priority: unit.Some(i)})
	}
	if s.pools == nil && stratum.Text("Current Pool") != "" { // firmwares that list no pools tell the one in use
		s.pools, active = []miner.Pool{{URL: stratum.Text("Current Pool"), User: stratum.Text("Current User")}}, 0
	}
	if active >= 0 {
		for i := range s.pools {
			p := &s.pools[i]
			p.Active = unit.Some(i == active && s.poolConnected.Or(true))
			if i != active {
				continue
			}
			p.Alive = s.poolConnected
			if d, ok := session.Float("Difficulty").Get(); ok && d > 0 {
				p.Difficulty = unit.Some(d)
			}
			if ts, ok := session.Count("Last Accepted Share Timestamp").Get(); ok && ts > 0 && ts < 1e11 {
				p.LastShare = unit.Some(time.Unix(ts, 0).UTC())
			}
		}
	}
	s.addExtra("Current Pool", stratum.Text("Current Pool"))
	s.addExtra("Current User", stratum.Text("Current User"))
	s.addExtra("Average Latency", stratum.Text("Average Latency"))
	s.addExtra("Worker Unique Id", stratum.Text("Worker Unique Id"))
	s.addExtra("Worker Unique Id Variant", stratum.Text("Worker Unique Id Variant"))
}

func (s *summary) readTuner(o cgminer.Object) {
	t := &s.tuner
	t.running = o.Bool("Running")
	algorithms := o.Object("Algorithm")
	for _, f := range algorithms.Fields()[:min(1, len(algorithms.Fields()))] { // the machine lists the one it runs
		a := algorithms.Object(f.Key)
		t.algorithm, t.unit = strings.Clone(f.Key), a.Text("Unit")
		t.target, t.optimized = a.Float("Target"), a.Bool("Optimized")
		t.minThrottle, t.throttleStep = a.Count("Min Throttle Target"), a.Count("Throttle Step")
		t.throttled = a.Float("Throttle Target")
		if e, ok := a.Float("Error Throttle Target").Get(); ok && e < t.throttled.Or(math.Inf(1)) {
			t.throttled = unit.Some(e)
		}
		for _, k := range []string{"Target", "Unit", "Optimized", "Min Throttle Target", "Throttle Step", "Throttle Target", "Error Throttle Target"} {
			s.addExtra("Tuner "+k, a.Text(k))
		}
	}
}
