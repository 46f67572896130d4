package cgminer

import (
	"math"
	"strconv"
	"strings"

	"ballast/miner"
	"ballast/unit"
)

// What no mining machine measures; beyond it a value is a sentinel or garbage.
const (
	coldest  = -60 // °C
	hottest  = 200
	fastest  = 60000 // rpm, also the far side of 65535
	mostRate = 1e5   // TH/s in one machine
	mostPow  = 1e5   // W into one machine
)

// Hashrate is a rate in multiples of one: o.Hashrate(w, unit.GHs, "GHS 5s").
// Text that carries a unit of its own ("110.5 TH/s") is read by that. Negative
// and absurd rates are left out with a warning.
func (o Object) Hashrate(warn Warn, one unit.Hashrate, keys ...string) unit.Opt[unit.Hashrate] {
	f, ok := o.find(keys)
	if !ok {
		return unit.None[unit.Hashrate]()
	}
	return f.hashrate(warn, o.where, one)
}

func (f *Field) hashrate(warn Warn, where string, one unit.Hashrate) unit.Opt[unit.Hashrate] {
	v, ok := f.Float().Get()
	if !ok {
		return unit.None[unit.Hashrate]()
	}
	if f.kind == isQuoted {
		if own, ok := rateUnit(f.value); ok {
			one = own
		}
	}
	return plausible(warn, where, f, times(f.value, v, one), 0, mostRate)
}

// times is v, told as text, in the unit one. The decimal point is shifted in the
// text, so that 59756.06 GH/s is the number nearest to 59.75606 TH/s and not a
// product that is off by a bit.
func times(told string, v float64, one unit.Hashrate) unit.Hashrate {
	var shift string
	switch one {
	case unit.GHs:
		shift = "e-3"
	case unit.GHs / 1e3:
		shift = "e-6"
	case unit.GHs / 1e6:
		shift = "e-9"
	default:
		return unit.Hashrate(v) * one
	}
	told = strings.TrimSpace(told)
	end := 0
	for end < len(told) && (told[end] >= '0' && told[end] <= '9' || strings.IndexByte("+-.", told[end]) >= 0) {
		end++
	}
	if end == len(told) || told[end]|0x20 != 'e' {
		var buf [48]byte
		if exact, err := strconv.ParseFloat(string(append(append(buf[:0], told[:end]...), shift...)), 64); err == nil {
			return unit.Hashrate(exact)
		}
	}
	return unit.Hashrate(v) * one
}

// rateUnit reads the unit that may follow a number: "GH", "GH/s", "Ghps".
func rateUnit(text string) (unit.Hashrate, bool) {
	i := 0
	for i < len(text) && (text[i] >= '0' && text[i] <= '9' || strings.IndexByte("+-. ", text[i]) >= 0) {
		i++
	}
	if len(text) < i+2 || text[i+1]|0x20 != 'h' {
		return 0, false
	}
	switch text[i] | 0x20 {
	case 'e':
		return unit.EHs, true
	case 'p':
		return unit.PHs, true
	case 't':
		return unit.THs, true
	case 'g':
		return unit.GHs, true
	case 'm':
		return unit.GHs / 1e3, true
	case 'k':
		return unit.GHs / 1e6, true
	}
	return 0, false
}

// RateUnit is the size of a hashrate unit's name ("GH", "TH/s"); one is what to
// return for a name that is none.
func RateUnit(name string, one unit.Hashrate) unit.Hashrate {
	if u, ok := rateUnit(name); ok {
		return u
	}
	return one
}

// Temperature is in °C. The sentinels of a sensor that does not answer (at or
// below -60, at or above 200) are left out with a warning.
func (o Object) Temperature(warn Warn, keys ...string) unit.Opt[unit.Temperature] {
	f, ok := o.find(keys)
	if !ok {
		return unit.None[unit.Temperature]()
	}
	v, ok := f.Float().Get()
	if !ok {
		return unit.None[unit.Temperature]()
	}
	if v > coldest && v < hottest {
		return unit.Some(unit.Temperature(v))
	}
	return Temperature(warn, o.where+"."+f.Key, v)
}

// Temperature checks one figure; see [Object.Temperature].
func Temperature(warn Warn, where string, v float64) unit.Opt[unit.Temperature] {
	if v > coldest && v < hottest {
		return unit.Some(unit.Temperature(v))
	}
	if warn != nil {
		warn(miner.WarnImplausible, where, strconv.FormatFloat(v, 'g', -1, 64))
	}
	return unit.None[unit.Temperature]()
}

// Speed is in rpm; 65535 and other impossible ones are left out with a warning.
func (o Object) Speed(warn Warn, keys ...string) unit.Opt[unit.Speed] {
	f, ok := o.find(keys)
	if !ok {
		return unit.None[unit.Speed]()
	}
	v, ok := f.Float().Get()
	if !ok {
		return unit.None[unit.Speed]()
	}
	return plausible(warn, o.where, &f, unit.Speed(v), 0, fastest)
}

// Power is in W.
func (o Object) Power(warn Warn, keys ...string) unit.Opt[unit.Power] {
	f, ok := o.find(keys)
	if !ok {
		return unit.None[unit.Power]()
	}
	v, ok := f.Float().Get()
	if !ok {
		return unit.None[unit.Power]()
	}
	return plausible(warn, o.where, &f, unit.Power(v), 0, mostPow)
}

// Frequency is in MHz.
func (o Object) Frequency(warn Warn, keys ...string) unit.Opt[unit.Frequency] {
	f, ok := o.find(keys)
	if !ok {
		return unit.None[unit.Frequency]()
	}
	v, ok := f.Float().Get()
	if !ok {
		return unit.None[unit.Frequency]()
	}
	return plausible(warn, o.where, &f, unit.Frequency(v)*unit.Megahertz, 0, 10000*unit.Megahertz)
}

// Percent is a share given in percent.
func (o Object) Percent(keys ...string) unit.Opt[unit.Ratio] {
	if v, ok := o.Float(keys...).Get(); ok && v >= 0 {
		return unit.Some(unit.Ratio(v / 100))
	}
	return unit.None[unit.Ratio]()
}

// plausible lets v through when it lies between low and high, and warns of it
// otherwise.
func plausible[T ~float64](warn Warn, where string, f *Field, v, low, high T) unit.Opt[T] {
	if v >= low && v <= high {
		return unit.Some(v)
	}
	if warn != nil {
		warn(miner.WarnImplausible, where+"."+f.Key, strings.Clone(f.value))
	}
	return unit.None[T]()
}

// MaxTemperature is the hottest of what there is.
func MaxTemperature(t ...unit.Opt[unit.Temperature]) unit.Opt[unit.Temperature] {
	out := unit.None[unit.Temperature]()
	for _, x := range t {
		if v, ok := x.Get(); ok && v > out.Or(unit.Temperature(math.Inf(-1))) {
			out = x
		}
	}
	return out
}
