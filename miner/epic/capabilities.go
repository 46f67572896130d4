package epic

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/unit"
)

// capabilities are what the machine is and can be set to.
type capabilities struct {
	model, subtype, chipType string
	controlBoard             string
	serial                   string
	boardSerials             []string
	maxBoards                int
	chips                    unit.Opt[int]
	perChip                  unit.Opt[float64] // MH/s of a chip at 1 MHz
	defaultHashrate          unit.Opt[unit.Hashrate]
	chipSensors              bool // /temps are sensors in chips, not on boards
	psuModel, psuVersion     string
	truePower                unit.Opt[bool] // the PSU measures
	presets                  []preset
	algorithms               []algorithm
	extra                    []extra
}

// preset is one row of the machine's own table of clock and voltage.
type preset struct {
	clock     unit.Frequency
	voltage   unit.Voltage
	hashrate  unit.Hashrate
	power     unit.Opt[unit.Power]
	clockMHz  float64
	millivolt float64
}

// name says the preset in watts where it can, else by its clock.
func (p preset) name() string {
	if w, ok := p.power.Get(); ok {
		return strconv.FormatFloat(float64(w), 'f', -1, 64) + "W"
	}
	return strconv.FormatFloat(p.clockMHz, 'f', -1, 64) + "MHz"
}

// algorithm is one that the perpetual tuner offers, with the range of its
// target.
type algorithm struct {
	name     string
	min, max float64
}

func readCapabilities(o cgminer.Object) *capabilities {
	c := &capabilities{model: o.Text("Model"), subtype: o.Text("Model Subtype"), chipType: o.Text("Chip Type")}
	c.add("Model Subtype", c.subtype)
	for _, v := range o.Raw("Board Serial Numbers").Array() {
		c.boardSerials = append(c.boardSerials, strings.Clone(v.String()))
	}
	board := o.Object("Control Board Version")
	c.controlBoard = board.Text("platform", "cpuHardware")
	c.serial = o.Text("Miner Serial Number")
	if c.serial == "" {
		c.serial = board.Text("cpuSerial")
	} else {
		c.add("Control Board Serial", board.Text("cpuSerial"))
	}
	for _, k := range []string{"cpuHardware", "carrierBoardVersion", "somBoardVersion"} {
		if v := board.Text(k); v != c.controlBoard {
			c.add(k, v)
		}
	}
	if n := o.Count("Max HBs").Or(0); n <= 16 {
		c.maxBoards = int(n)
	}
	estimator := o.Object("Performance Estimator")
	if n, ok := estimator.Count("Chip Count").Get(); ok && n > 0 && n < 2000 {
		c.chips = unit.Some(int(n))
	}
	if v, ok := estimator.Float("Hashes Per Second Per Chip").Get(); ok && v > 0 && v < 1e9 {
		c.perChip = unit.Some(v)
		c.add("Hashes Per Second Per Chip", estimator.Text("Hashes Per Second Per Chip"))
	}
	if th, ok := o.Float("Default Hashrate").Get(); ok && th > 0 && th < 1e5 {
		c.defaultHashrate = unit.Some(unit.Hashrate(th))
	}
	sensor := o.Object("Temp Sensor Info")
	c.chipSensors = sensor.Text("Type") == "Chip"
	c.add("Temp Sensors", strings.TrimSpace(sensor.Text("Count")+" "+sensor.Text("Type")))
	psu := o.Object("Psu Info")
	c.psuModel, c.psuVersion, c.truePower = psu.Text("PSU Type"), psu.Text("FW"), psu.Bool("True Power")
	c.add("PSU Max Vout mV", psu.Text("Max Vout"))
	c.add("PSU Min Vout mV", psu.Text("Min Vout"))
	voltage := o.Object("Voltage Estimator")
	c.add("Voltage Estimator Slope", voltage.Text("Slope"))
	c.add("Voltage Estimator Intercept", voltage.Text("Y Intercept"))
	for _, k := range []string{"Default Clock", "Default Hashrate", "Default Voltage", "Max HBs", "Chips Per Bank", "Max Clock Configs"} {
		c.add(k, o.Text(k))
	}
	for _, k := range []string{"Coins", "Display"} {
		var words []string
		for _, v := range o.Raw(k).Array() {
			words = append(words, v.String())
		}
		c.add(k, strings.Join(words, ", "))
	}
	for _, a := range o.List("PerpetualTune") {
		low, ok1 := a.Float("min").Get()
		high, ok2 := a.Float("max").Get()
		if name := a.Text("algorithm"); name != "" && ok1 && ok2 && low < high {
			c.algorithms = append(c.algorithms, algorithm{name, low, high})
		}
	}
	for _, p := range o.List("Tune Presets") {
		clk, ok1 := p.Float("clk").Get()
		mv, ok2 := p.Float("voltage").Get()
		th, ok3 := p.Float("hashrate").Get()
		if !ok1 || !ok2 || !ok3 || clk <= 0 || mv <= 0 || th <= 0 || th > 1e5 {
			continue
		}
		row := preset{clock: unit.Frequency(clk) * unit.Megahertz, voltage: unit.Voltage(mv / 1e3), hashrate: unit.Hashrate(th), clockMHz: clk, millivolt: mv}
		if w, ok := p.Float("power").Get(); ok && w > 0 && w < 1e5 {
			row.power = unit.Some(unit.Power(w))
		}
		c.presets = append(c.presets, row)
	}
	slices.SortStableFunc(c.presets, func(a, b preset) int {
		return cmp.Or(cmp.Compare(a.power.Or(0), b.power.Or(0)), cmp.Compare(a.clock, b.clock))
	})
	return c
}

func (c *capabilities) add(key, value string) {
	if value != "" {
		c.extra = append(c.extra, extra{key, value})
	}
}

// powerTuner is the tuner that takes watts, where the machine offers one.
func (c *capabilities) powerTuner() (algorithm, bool) {
	if c != nil {
		for _, a := range c.algorithms {
			if isPowerAlgorithm(a.name) {
				return a, true
			}
		}
	}
	return algorithm{}, false
}

// network is the machine's address.
type network struct {
	mac   string
	extra []extra
}

func readNetwork(o cgminer.Object) *network {
	n := &network{}
	for _, f := range o.Fields() {
		in := o.Object(f.Key)
		if in.Empty() {
			continue
		}
		if mac := miner.NormalMAC(in.Text("mac_address", "mac")); mac != "" && n.mac == "" {
			n.mac = mac
		}
		n.extra = append(n.extra, extra{"network", strings.Clone(f.Key)})
		for _, k := range []string{"address", "netmask", "gateway", "dns", "dns2", "dnsv6"} {
			if v := in.Text(k); v != "" {
				n.extra = append(n.extra, extra{"network " + k, v})
			}
		}
		break
	}
	return n
}
