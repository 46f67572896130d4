package bitaxe

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

// info is the one big reply.
type info struct {
	version, axeOS, asicModel, deviceModel, boardVersion string
	mac, hostname                                        string
	chips                                                unit.Opt[int64]
	smallCores                                           unit.Opt[float64]

	rate, average, expected unit.Opt[unit.Hashrate]
	power                   unit.Opt[unit.Power]
	voltage                 unit.Opt[unit.Voltage]
	current                 unit.Opt[unit.Current]
	core, coreSet           unit.Opt[unit.Voltage]
	frequency, frequencySet unit.Opt[unit.Frequency]
	chipTemps               []unit.Opt[unit.Temperature]
	regulator               unit.Opt[unit.Temperature]
	boardTemps              []unit.Opt[unit.Temperature]
	fans                    []miner.Fan
	duty                    unit.Opt[unit.Ratio]
	uptime                  unit.Opt[time.Duration]
	accepted, rejected      unit.Opt[int64]
	blocks                  unit.Opt[int64]
	errorRatio              unit.Opt[unit.Ratio]
	bestShare               unit.Opt[float64]
	pools                   []miner.Pool
	poolList                []int // slots in use, where the firmware has slots
	room                    int   // pools that it uses

	paused, shutdown      unit.Opt[bool]
	overheated            bool
	otp                   bool
	powerFault, hardFault string
	monitor               []monitored
	extra                 map[string]string
}

// monitored is one chip of the hashrate monitor.
type monitored struct {
	rate   unit.Hashrate
	errors int64
}

// secret keys never leave the reply.
var secret = []string{"wifiPass", "stratumPassword", "fallbackStratumPassword", "stratumCert", "fallbackStratumCert"}

func readInfo(o cgminer.Object, warn cgminer.Warn) *info {
	i := &info{
		version: o.Text("version"), axeOS: o.Text("axeOSVersion"), asicModel: o.Text("ASICModel"),
		deviceModel: o.Text("deviceModel", "minerModel"), boardVersion: o.Text("boardVersion"),
		mac: miner.NormalMAC(o.Text("macAddr")), hostname: o.Text("hostname"),
		chips: o.Count("asicCount"),
	}
	if n, ok := o.Float("smallCoreCount").Get(); ok && n > 0 && n < 1e6 {
		i.smallCores = unit.Some(n)
	}
	i.rate = o.Hashrate(warn, unit.GHs, "hashRate")
	i.average = longest(o, warn, i.rate.Or(0) > 0)
	if h := o.Hashrate(warn, unit.GHs, "expectedHashrate"); h.Or(0) > 0 {
		i.expected = h
	}
	i.power = o.Power(warn, "power")
	i.readElectric(o, warn)
	i.readTemps(o, warn)
	i.readFans(o, warn)
	i.uptime = o.Seconds("uptimeSeconds")
	i.accepted, i.rejected = o.Count("sharesAccepted"), o.Count("sharesRejected")
	i.blocks = o.Count("blockFound", "foundBlocks", "totalFoundBlocks")
	if p, ok := o.Float("errorPercentage").Get(); ok && p >= 0 && p <= 100 {
		i.errorRatio = unit.Some(unit.Ratio(p / 100))
	}
	if b, ok := o.Scaled("bestDiff").Get(); ok && b > 0 {
		i.bestShare = unit.Some(b)
	}
	i.readPools(o)

	i.paused, i.shutdown = o.Bool("miningPaused"), o.Bool("shutdown")
	i.overheated, i.otp = o.Bool("overheat_mode").Or(false), o.Bool("otp").Or(false)
	i.powerFault, i.hardFault = o.Text("power_fault"), o.Text("hardware_fault")
	const mostChips = 64
	for _, a := range o.Object("hashrateMonitor").List("asics") {
		if len(i.monitor) < mostChips {
			rate := a.Float("total").Or(math.NaN())
			i.monitor = append(i.monitor, monitored{unit.Hashrate(rate) * unit.GHs, a.Count("errorCount", "error").Or(0)})
		}
	}
	o.Use(secret...)
	var r miner.Reading
	o.Rest(&r, "")
	i.extra = r.Extra
	if stratum := o.Object("stratum"); !stratum.Empty() {
		stratum.Rest(&r, "stratum ")
		i.extra = r.Extra
	}
	for _, reason := range o.List("sharesRejectedReasons") {
		if i.extra == nil {
			i.extra = map[string]string{}
		}
		if text := reason.Text("message"); text != "" && len(i.extra) < 200 {
			i.extra["rejected: "+text] = reason.Text("count")
		}
	}
	return i
}

// longest is the mean over the longest window that the firmware tells. A window
// that is zero while the machine hashes is not full yet.
func longest(o cgminer.Object, warn cgminer.Warn, hashes bool) unit.Opt[unit.Hashrate] {
	out := unit.None[unit.Hashrate]()
	for _, key := range []string{"hashRate_1m", "hashRate_10m", "hashRate_1h", "hashRate_1d"} {
		if h := o.Hashrate(warn, unit.GHs, key); h.Or(0) > 0 || h.Ok() && !hashes {
			out = h
		}
	}
	return out
}

// readElectric reads millivolts and milliamperes; figures too small to be that
// are volts and amperes.
func (i *info) readElectric(o cgminer.Object, warn cgminer.Warn) {
	milli := func(key string, from, most float64) unit.Opt[float64] {
		v, ok := o.Float(key).Get()
		switch {
		case !ok || v == 0:
			return unit.None[float64]()
		case v >= from:
			v /= 1e3
		}
		if v < 0 || v > most {
			warn(miner.WarnImplausible, "info."+key, o.Text(key))
			return unit.None[float64]()
		}
		return unit.Some(v)
	}
	i.voltage = as[unit.Voltage](milli("voltage", 100, 100))
	i.current = as[unit.Current](milli("current", 100, 1000))
	i.core, i.coreSet = as[unit.Voltage](milli("coreVoltageActual", 10, 20)), as[unit.Voltage](milli("coreVoltage", 10, 20))
	if f, ok := o.Float("frequency").Get(); ok && f > 0 && f < 5000 {
		i.frequencySet = unit.Some(unit.Frequency(f) * unit.Megahertz)
	}
	i.frequency = i.frequencySet
	if f, ok := o.Float("actualFrequency").Get(); ok && f > 0 && f < 5000 {
		i.frequency = unit.Some(unit.Frequency(f) * unit.Megahertz)
	}
}

func as[T ~float64](v unit.Opt[float64]) unit.Opt[T] {
	f, ok := v.Get()
	if !ok {
		return unit.None[T]()
	}
	return unit.Some(T(f))
}

// sensor is a temperature; 0 and -1 are a sensor that is not there.
func sensor(o cgminer.Object, warn cgminer.Warn, key string) unit.Opt[unit.Temperature] {
	v, ok := o.Float(key).Get()
	if !ok || v == 0 || v == -1 {
		o.Use(key)
		return unit.None[unit.Temperature]()
	}
	return o.Temperature(warn, key)
}

func (i *info) readTemps(o cgminer.Object, warn cgminer.Warn) {
	const most = 64
	for _, v := range o.Floats("asicTemps") {
		t := unit.None[unit.Temperature]()
		if !math.IsNaN(v) && v != 0 && v != -1 {
			t = cgminer.Temperature(warn, "info.asicTemps", v)
		}
		if len(i.chipTemps) < most {
			i.chipTemps = append(i.chipTemps, t)
		}
	}
	for _, key := range []string{"temp", "temp2"} {
		if t := sensor(o, warn, key); t.Ok() {
			i.chipTemps = append(i.chipTemps, t)
		}
	}
	i.regulator = sensor(o, warn, "vrTemp")
	for _, key := range []string{"vrTempInt", "boardtemp1", "boardtemp2", "boardTemp1", "boardTemp2"} {
		if t := sensor(o, warn, key); t.Ok() {
			i.boardTemps = append(i.boardTemps, t)
		}
	}
}

func (i *info) readFans(o cgminer.Object, warn cgminer.Warn) {
	if d, ok := o.Float("fanspeed").Get(); ok && d >= 0 && d <= 100 {
		i.duty = unit.Some(unit.Ratio(d / 100))
	}
	for n, f := range o.List("fans") {
		if n >= 16 || !f.Float("rpm").Ok() {
			continue
		}
		fan := miner.Fan{Index: n, Name: f.Text("label"), Speed: f.Speed(warn, "rpm")}
		if d, ok := f.Float("speedPerc").Get(); ok && d >= 0 && d <= 100 {
			fan.Duty = unit.Some(unit.Ratio(d / 100))
		}
		i.fans = append(i.fans, fan)
	}
	if i.fans != nil {
		o.Use("fanrpm", "fanrpm2", "fan2rpm", "fanspeed2", "fanCount")
		return
	}
	if s := o.Speed(warn, "fanrpm", "fanSpeedRpm", "fanSpeed"); s.Ok() {
		i.fans = append(i.fans, miner.Fan{Index: 0, Speed: s})
	}
	if s := o.Speed(warn, "fan2rpm", "fanrpm2"); s.Or(0) > 0 || s.Ok() && o.Count("fanCount").Or(0) > 1 {
		fan := miner.Fan{Index: 1, Speed: s}
		if d, ok := o.Float("fanspeed2").Get(); ok && d >= 0 && d <= 100 {
			fan.Duty = unit.Some(unit.Ratio(d / 100))
		}
		i.fans = append(i.fans, fan)
	}
}

// readPools reads the list of slots, else the pair.
func (i *info) readPools(o cgminer.Object) {
	const most = 16
	i.room = 2
	if !o.Has("fallbackStratumURL") {
		i.room = 1
	}
	if list := o.List("pools"); list != nil {
		i.room = 2
		primary, secondary := o.Count("primaryPoolIndex").Or(0), o.Count("secondaryPoolIndex").Or(-1)
		for n, p := range list {
			slot := p.Count("id").Or(int64(n))
			if n >= most || slot >= most || p.Text("stratumURL") == "" {
				continue
			}
			pool := miner.Pool{URL: address(p, ""), User: p.Text("stratumUser")}
			switch slot {
			case primary:
				pool.Priority = unit.Some(0)
			case secondary:
				pool.Priority = unit.Some(1)
			default:
				pool.Status = "not selected"
			}
			i.pools, i.poolList = append(i.pools, pool), append(i.poolList, int(slot))
		}
		slices.SortStableFunc(i.pools, func(a, b miner.Pool) int { return cmp.Compare(a.Priority.Or(9), b.Priority.Or(9)) })
		o.Use("stratumURL", "stratumPort", "stratumUser", "fallbackStratumURL", "fallbackStratumPort", "fallbackStratumUser", "stratumTLS", "fallbackStratumTLS")
	} else {
		for n, prefix := range []string{"", "fallback"} {
			if p := (miner.Pool{URL: address(o, prefix), User: o.Text(field(prefix, "User"))}); p.URL != "" {
				p.Priority = unit.Some(n)
				i.pools = append(i.pools, p)
			}
		}
	}
	second := o.Bool("isUsingFallbackStratum")
	connected := i.connection(o)
	if f := o.Object("stratum").Bool("usingFallback"); f.Ok() {
		second = f
	}
	for n := range i.pools {
		p := &i.pools[n]
		p.Index = n
		prio, used := p.Priority.Get()
		if fallback, ok := second.Get(); ok {
			p.Active = unit.Some(used && (prio == 1) == fallback && connected.Or(true))
		} else if len(i.pools) == 1 {
			p.Active = connected
		}
		if used && (prio == 1) == second.Or(false) {
			p.Alive = connected
			if d, ok := o.Float("poolDifficulty", "stratumDiff").Get(); ok && d > 0 {
				p.Difficulty = unit.Some(d)
			}
		}
	}
}

// connection tells whether the pool in use is connected, where the firmware
// says so.
func (i *info) connection(o cgminer.Object) unit.Opt[bool] {
	if list := o.Object("stratum").List("pools"); len(list) > 0 {
		return list[0].Bool("connected")
	}
	text := o.Text("poolConnectionInfo")
	if text == "" {
		return unit.None[bool]()
	}
	lower := strings.ToLower(text)
	return unit.Some(!strings.Contains(lower, "not connected") && !strings.Contains(lower, "disconnected") && !strings.Contains(lower, "unavailable"))
}

func field(prefix, name string) string {
	if prefix == "" {
		return "stratum" + name
	}
	return prefix + "Stratum" + name
}

// address puts a pool's address together: host and port are apart, and the host
// may come with a scheme or a port of its own.
func address(o cgminer.Object, prefix string) string {
	host := o.Text(field(prefix, "URL"))
	if host == "" {
		o.Use(field(prefix, "Port"))
		return ""
	}
	scheme, rest, ok := strings.Cut(host, "://")
	if !ok {
		scheme, rest = "stratum+tcp", host
		switch {
		case o.Text(field(prefix, "Protocol")) == "SV2":
			scheme = "stratum2+tcp"
		case o.Bool(field(prefix, "TLS")).Or(false) || o.Count(field(prefix, "TLS")).Or(0) > 0:
			scheme = "stratum+tls"
		}
	}
	port := o.Count(field(prefix, "Port")).Or(0)
	if i := strings.LastIndexByte(rest, ':'); i < 0 && port > 0 {
		rest += ":" + strconv.FormatInt(port, 10)
	}
	return scheme + "://" + rest
}

// asic is what the hardware offers.
type asic struct {
	model, device string
	chips         unit.Opt[int64]
	defaultClock  float64 // MHz, 0 unknown
	defaultCore   float64 // mV
	clocks, cores []float64
	extra         map[string]string
}

func readASIC(o cgminer.Object) *asic {
	a := &asic{
		model: o.Text("ASICModel"), device: o.Text("deviceModel"), chips: o.Count("asicCount"),
		defaultClock: o.Float("defaultFrequency").Or(0), defaultCore: o.Float("defaultVoltage").Or(0),
		clocks: options(o.Raw("frequencyOptions")), cores: options(o.Raw("voltageOptions")),
	}
	var r miner.Reading
	o.Rest(&r, "asic ")
	a.extra = r.Extra
	return a
}

func options(v gjson.Result) []float64 {
	const most = 64
	var out []float64
	for _, x := range v.Array() {
		if x.Num > 0 && x.Num < 5000 && len(out) < most {
			out = append(out, x.Num)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
