package unit

import "time"

// Hashrate is hashes per second, in TH/s: the unit machines are sold by and
// efficiency is counted in.
type Hashrate float64

// Common hashrates.
const (
	GHs Hashrate = 1e-3
	THs Hashrate = 1
	PHs Hashrate = 1e3
	EHs Hashrate = 1e6
)

var hashrateScale = scale{what: "hashrate", example: "110TH/s", base: "TH/s", symbols: []symbol{
	{text: "ZH/s", num: 1e9}, {text: "EH/s", num: 1e6}, {text: "PH/s", num: 1e3}, {text: "TH/s", num: 1},
	{text: "GH/s", num: 1, den: 1e3}, {text: "MH/s", num: 1, den: 1e6}, {text: "kH/s", num: 1, den: 1e9}, {text: "H/s", num: 1, den: 1e12},
}}

// ParseHashrate reads "110TH/s".
func ParseHashrate(s string) (Hashrate, error) {
	v, err := hashrateScale.parse(s)
	return Hashrate(v), err
}

// String prints "110TH/s".
func (h Hashrate) String() string { return hashrateScale.format(float64(h)) }

// TH is the hashrate in TH/s.
func (h Hashrate) TH() float64 { return float64(h) }

// PH is the hashrate in PH/s.
func (h Hashrate) PH() float64 { return float64(h) / 1e3 }

// Over is the work done at this rate in d.
func (h Hashrate) Over(d time.Duration) Work { return Work(float64(h) * d.Seconds()) }

// Work is a number of hashes, in TH (1e12 hashes). Exact share and chain work
// (difficulty times 2^32 and beyond) belongs to the rooms that settle on it;
// this is the measure for statistics.
type Work float64

// Power is a rate of energy, in W.
type Power float64

// Common powers.
const (
	Watt     Power = 1
	Kilowatt Power = 1e3
	Megawatt Power = 1e6
)

var powerScale = scale{what: "power", example: "3.25kW", base: "W", symbols: []symbol{
	{text: "GW", num: 1e9}, {text: "MW", num: 1e6}, {text: "kW", num: 1e3}, {text: "W", num: 1},
}}

// ParsePower reads "3.25kW".
func ParsePower(s string) (Power, error) { v, err := powerScale.parse(s); return Power(v), err }

// String prints "3.25kW".
func (p Power) String() string { return powerScale.format(float64(p)) }

// KW is the power in kW.
func (p Power) KW() float64 { return float64(p) / 1e3 }

// MW is the power in MW.
func (p Power) MW() float64 { return float64(p) / 1e6 }

// Over is the energy drawn at this power in d.
func (p Power) Over(d time.Duration) Energy { return Energy(float64(p) * d.Seconds()) }

// Energy is an amount of energy, in J. Every whole Wh is a whole J, so meter
// counts stay exact.
type Energy float64

// Common energies.
const (
	Joule        Energy = 1
	WattHour     Energy = 3600
	KilowattHour Energy = 3.6e6
	MegawattHour Energy = 3.6e9
)

var energyScale = scale{what: "energy", example: "12.5MWh", base: "Wh", symbols: []symbol{
	{text: "GWh", num: 3.6e12}, {text: "MWh", num: 3.6e9}, {text: "kWh", num: 3.6e6}, {text: "Wh", num: 3600}, {text: "J", num: 1},
}}

// ParseEnergy reads "12.5MWh".
func ParseEnergy(s string) (Energy, error) { v, err := energyScale.parse(s); return Energy(v), err }

// String prints "12.5MWh".
func (e Energy) String() string { return energyScale.format(float64(e)) }

// KWh is the energy in kWh.
func (e Energy) KWh() float64 { return float64(e) / 3.6e6 }

// MWh is the energy in MWh.
func (e Energy) MWh() float64 { return float64(e) / 3.6e9 }

// Efficiency is energy per work, in J/TH.
type Efficiency float64

var efficiencyScale = scale{what: "efficiency", example: "29.5J/TH", base: "J/TH", symbols: []symbol{{text: "J/TH", num: 1}}}

// ParseEfficiency reads "29.5J/TH".
func ParseEfficiency(s string) (Efficiency, error) {
	v, err := efficiencyScale.parse(s)
	return Efficiency(v), err
}

// String prints "29.5J/TH".
func (e Efficiency) String() string { return efficiencyScale.format(float64(e)) }

// EfficiencyOf is the energy per work of a machine that draws p for h. ok is
// false when nothing hashes: J/TH of an idle machine is not infinite, it does
// not exist.
func EfficiencyOf(p Power, h Hashrate) (e Efficiency, ok bool) {
	if !(h > 0) {
		return 0, false
	}
	return Efficiency(float64(p) / float64(h)), true
}

// Temperature is in degrees Celsius.
type Temperature float64

// String prints "65.5°C".
func (t Temperature) String() string { return trim(float64(t)) + "°C" }

// Voltage is in V.
type Voltage float64

// String prints "13.2V".
func (v Voltage) String() string { return trim(float64(v)) + "V" }

// Current is in A.
type Current float64

// String prints "15A".
func (c Current) String() string { return trim(float64(c)) + "A" }

// Frequency is a clock, in Hz.
type Frequency float64

// Megahertz is the unit that firmwares speak.
const Megahertz Frequency = 1e6

// MHz is the frequency in MHz.
func (f Frequency) MHz() float64 { return float64(f) / 1e6 }

// String prints "545MHz".
func (f Frequency) String() string { return trim(f.MHz()) + "MHz" }

// Speed is a fan's or a pump's, in revolutions per minute.
type Speed float64

// String prints "5340rpm".
func (s Speed) String() string { return trim(float64(s)) + "rpm" }

// Flow is a coolant's, in litres per minute.
type Flow float64

// String prints "12.5L/min".
func (f Flow) String() string { return trim(float64(f)) + "L/min" }

// Pressure is in bar.
type Pressure float64

// String prints "2.5bar".
func (p Pressure) String() string { return trim(float64(p)) + "bar" }

// Ratio is a share of one: 0.25 is 25 %.
type Ratio float64

// String prints "25%".
func (r Ratio) String() string { return trim(float64(r)*100) + "%" }
