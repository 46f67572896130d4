package plant

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"ballast/unit"
)

// Field names one value of a reading, in the maps of registers, OIDs and
// topics. Where a device has several of a thing, the field carries its number
// from 1: "power.l2" (phase), "fan.3.speed", "outlet.12.on". The fields of each
// kind are:
//
//	meter    power, power.l1..l3, voltage.l1..l3 (to neutral), voltage.l12 l23 l31, current.l1..l3, current.n,
//	         power_factor, power_factor.l1..l3, frequency, energy_import, energy_export
//	cooling  supply, return, ambient, setpoint, flow, pressure_supply, pressure_return, power, level, running,
//	         pump.N.speed .duty .running, fan.N.speed .duty .running, alarm.NAME
//	pdu      power, power_factor, energy, phase.N.voltage .current .power,
//	         outlet.N.on .power .current .voltage .power_factor .energy
//	weather  temperature, wet_bulb, humidity, pressure
type Field string

// fieldSpec says what a field is and where it goes. Values are in base units;
// a switch is 0 or 1.
type fieldSpec struct {
	quantity Quantity
	min, max float64 // outside cannot be true
	set      func(r *Reading, n int, v float64)
	get      func(r *Reading, n int) (float64, bool)
}

// FieldInfo is what a map needs to know of a field.
type FieldInfo struct {
	Quantity Quantity
	Min, Max float64 // in the base unit; a value outside cannot be true
	spec     fieldSpec
	n        int    // the number in the name, or 0
	alarm    string // of an alarm
}

// Info looks a field up. It fails for a field that the kind does not have.
func (f Field) Info(k Kind) (FieldInfo, error) {
	name, n := f.split()
	if k == CoolingKind && name == "alarm.NAME" {
		alarm := strings.TrimPrefix(string(f), "alarm.")
		return FieldInfo{Quantity: Switch, Min: 0, Max: 1, alarm: alarm}, nil
	}
	spec, ok := fields[k][name]
	if !ok || (n > 0) != strings.Contains(name, "#") {
		return FieldInfo{}, fmt.Errorf("%q is no field of a %s", f, k)
	}
	return FieldInfo{Quantity: spec.quantity, Min: spec.min, Max: spec.max, spec: spec, n: n}, nil
}

// split takes the number out: "fan.3.speed" is "fan.#.speed" and 3; alarms are
// "alarm" whatever their name.
func (f Field) split() (name string, n int) {
	if rest, ok := strings.CutPrefix(string(f), "alarm."); ok && rest != "" {
		return "alarm.NAME", 0
	}
	parts := strings.Split(string(f), ".")
	if len(parts) == 3 {
		if v, err := strconv.Atoi(parts[1]); err == nil && v > 0 && v <= maxParts && strconv.Itoa(v) == parts[1] {
			return parts[0] + ".#." + parts[2], v
		}
	}
	return string(f), 0
}

// maxParts bounds the number of a part: no PDU has a thousand outlets.
const maxParts = 1024

// Put writes a value in the base unit to the field it belongs to. A value
// outside the field's range is left out with a warning, and so is NaN.
func (r *Reading) Put(f Field, v float64) error {
	info, err := f.Info(r.Kind)
	if err != nil {
		return err
	}
	r.PutInfo(f, info, v, info.Min, info.Max)
	return nil
}

// PutInfo is Put for a field that was looked up before, with a range of the
// caller's own.
func (r *Reading) PutInfo(f Field, info FieldInfo, v, low, high float64) {
	// A ratio of 1.0000001 is rounding, not a lie.
	const slack = 1e-6
	if !(v >= low-slack*math.Abs(low) && v <= high+slack*math.Abs(high)) { // NaN too
		r.Warn(WarnImplausible, string(f), strconv.FormatFloat(v, 'g', 6, 64)+" is outside "+
			strconv.FormatFloat(low, 'g', 6, 64)+" to "+strconv.FormatFloat(high, 'g', 6, 64))
		return
	}
	if info.alarm != "" {
		r.cooling().setAlarm(info.alarm, v != 0)
		return
	}
	info.spec.set(r, info.n, v)
}

// Value is the field's value in the base unit, if it is there.
func (r Reading) Value(f Field) (float64, bool) {
	info, err := f.Info(r.Kind)
	if err != nil {
		return 0, false
	}
	// Looking a part up makes it when it is not there: on a copy.
	if r.Cooling != nil {
		c := *r.Cooling
		c.Pumps, c.Fans = slices.Clone(c.Pumps), slices.Clone(c.Fans)
		r.Cooling = &c
	}
	if r.PDU != nil {
		p := *r.PDU
		p.Phases, p.Outlets = slices.Clone(p.Phases), slices.Clone(p.Outlets)
		r.PDU = &p
	}
	if info.alarm != "" {
		if r.Cooling == nil {
			return 0, false
		}
		if slices.Contains(r.Cooling.Alarms, info.alarm) {
			return 1, true
		}
		return 0, true
	}
	return info.spec.get(&r, info.n)
}

func (r *Reading) meter() *Meter {
	if r.Meter == nil {
		r.Meter = &Meter{}
	}
	return r.Meter
}

func (r *Reading) cooling() *Cooling {
	if r.Cooling == nil {
		r.Cooling = &Cooling{}
	}
	return r.Cooling
}

func (r *Reading) pdu() *PDU {
	if r.PDU == nil {
		r.PDU = &PDU{}
	}
	return r.PDU
}

func (r *Reading) weather() *Weather {
	if r.Weather == nil {
		r.Weather = &Weather{}
	}
	return r.Weather
}

func (c *Cooling) setAlarm(name string, on bool) {
	i, found := slices.BinarySearch(c.Alarms, name)
	switch {
	case on && !found:
		c.Alarms = slices.Insert(c.Alarms, i, name)
	case !on && found:
		c.Alarms = slices.Delete(c.Alarms, i, i+1)
	}
}

// part finds the element with a number in a list that is sorted by it, and
// makes it when it is not there.
func part[T any](list *[]T, n int, index func(*T) *int) *T {
	i, found := slices.BinarySearchFunc(*list, n, func(t T, n int) int { return cmp.Compare(*index(&t), n) })
	if !found {
		var t T
		*index(&t) = n
		*list = slices.Insert(*list, i, t)
	}
	return &(*list)[i]
}

// Pump is the pump with number n, made when it is not there.
func (c *Cooling) Pump(n int) *Motor {
	return part(&c.Pumps, n, func(m *Motor) *int { return &m.Index })
}

// Fan is the fan with number n, made when it is not there.
func (c *Cooling) Fan(n int) *Motor { return part(&c.Fans, n, func(m *Motor) *int { return &m.Index }) }

// Outlet is the outlet with number n, made when it is not there.
func (p *PDU) Outlet(n int) *Outlet {
	return part(&p.Outlets, n, func(o *Outlet) *int { return &o.Index })
}

// Phase is the phase with number n, made when it is not there.
func (p *PDU) Phase(n int) *PDUPhase {
	return part(&p.Phases, n, func(x *PDUPhase) *int { return &x.Index })
}

// number makes a spec for a numeric value at the place that at finds.
func number[T ~float64](q Quantity, low, high float64, at func(r *Reading, n int) *unit.Opt[T]) fieldSpec {
	return fieldSpec{q, low, high,
		func(r *Reading, n int, v float64) { *at(r, n) = unit.Some(T(v)) },
		func(r *Reading, n int) (float64, bool) {
			v, ok := at(r, n).Get()
			return float64(v), ok
		}}
}

// toggle makes a spec for an on-or-off value.
func toggle(at func(r *Reading, n int) *unit.Opt[bool]) fieldSpec {
	return fieldSpec{Switch, 0, 1,
		func(r *Reading, n int, v float64) { *at(r, n) = unit.Some(v != 0) },
		func(r *Reading, n int) (float64, bool) {
			v, ok := at(r, n).Get()
			if v {
				return 1, ok
			}
			return 0, ok
		}}
}

// The ranges are wide: they catch what cannot be true of any site, such as a
// reading with its words swapped. A map narrows them for its device.
const (
	mostPower   = 2e9
	mostVoltage = 1e6
	mostCurrent = 1e5
	mostEnergy  = 3.6e18 // 1 PWh
)

var fields = map[Kind]map[string]fieldSpec{
	MeterKind: meterFields(),
	CoolingKind: {
		"supply":          number(Temperature, -60, 150, func(r *Reading, _ int) *unit.Opt[unit.Temperature] { return &r.cooling().Supply }),
		"return":          number(Temperature, -60, 150, func(r *Reading, _ int) *unit.Opt[unit.Temperature] { return &r.cooling().Return }),
		"ambient":         number(Temperature, -60, 80, func(r *Reading, _ int) *unit.Opt[unit.Temperature] { return &r.cooling().Ambient }),
		"setpoint":        number(Temperature, -60, 150, func(r *Reading, _ int) *unit.Opt[unit.Temperature] { return &r.cooling().Setpoint }),
		"flow":            number(Flow, 0, 1e6, func(r *Reading, _ int) *unit.Opt[unit.Flow] { return &r.cooling().Flow }),
		"pressure_supply": number(Pressure, -1, 100, func(r *Reading, _ int) *unit.Opt[unit.Pressure] { return &r.cooling().PressureSupply }),
		"pressure_return": number(Pressure, -1, 100, func(r *Reading, _ int) *unit.Opt[unit.Pressure] { return &r.cooling().PressureReturn }),
		"power":           number(Power, 0, mostPower, func(r *Reading, _ int) *unit.Opt[unit.Power] { return &r.cooling().Power }),
		"level":           number(Ratio, 0, 1, func(r *Reading, _ int) *unit.Opt[unit.Ratio] { return &r.cooling().Level }),
		"running":         toggle(func(r *Reading, _ int) *unit.Opt[bool] { return &r.cooling().Running }),
		"pump.#.speed":    number(Speed, 0, 50_000, func(r *Reading, n int) *unit.Opt[unit.Speed] { return &r.cooling().Pump(n).Speed }),
		"pump.#.duty":     number(Ratio, 0, 1, func(r *Reading, n int) *unit.Opt[unit.Ratio] { return &r.cooling().Pump(n).Duty }),
		"pump.#.running":  toggle(func(r *Reading, n int) *unit.Opt[bool] { return &r.cooling().Pump(n).Running }),
		"fan.#.speed":     number(Speed, 0, 50_000, func(r *Reading, n int) *unit.Opt[unit.Speed] { return &r.cooling().Fan(n).Speed }),
		"fan.#.duty":      number(Ratio, 0, 1, func(r *Reading, n int) *unit.Opt[unit.Ratio] { return &r.cooling().Fan(n).Duty }),
		"fan.#.running":   toggle(func(r *Reading, n int) *unit.Opt[bool] { return &r.cooling().Fan(n).Running }),
	},
	PDUKind: {
		"power":                 number(Power, 0, mostPower, func(r *Reading, _ int) *unit.Opt[unit.Power] { return &r.pdu().Power }),
		"power_factor":          number(Ratio, -1, 1, func(r *Reading, _ int) *unit.Opt[unit.Ratio] { return &r.pdu().PowerFactor }),
		"energy":                number(Energy, 0, mostEnergy, func(r *Reading, _ int) *unit.Opt[unit.Energy] { return &r.pdu().Energy }),
		"phase.#.voltage":       number(Voltage, 0, 1000, func(r *Reading, n int) *unit.Opt[unit.Voltage] { return &r.pdu().Phase(n).Voltage }),
		"phase.#.current":       number(Current, 0, 1000, func(r *Reading, n int) *unit.Opt[unit.Current] { return &r.pdu().Phase(n).Current }),
		"phase.#.power":         number(Power, 0, mostPower, func(r *Reading, n int) *unit.Opt[unit.Power] { return &r.pdu().Phase(n).Power }),
		"outlet.#.on":           toggle(func(r *Reading, n int) *unit.Opt[bool] { return &r.pdu().Outlet(n).On }),
		"outlet.#.power":        number(Power, 0, 1e5, func(r *Reading, n int) *unit.Opt[unit.Power] { return &r.pdu().Outlet(n).Power }),
		"outlet.#.current":      number(Current, 0, 1000, func(r *Reading, n int) *unit.Opt[unit.Current] { return &r.pdu().Outlet(n).Current }),
		"outlet.#.voltage":      number(Voltage, 0, 1000, func(r *Reading, n int) *unit.Opt[unit.Voltage] { return &r.pdu().Outlet(n).Voltage }),
		"outlet.#.power_factor": number(Ratio, -1, 1, func(r *Reading, n int) *unit.Opt[unit.Ratio] { return &r.pdu().Outlet(n).PowerFactor }),
		"outlet.#.energy":       number(Energy, 0, mostEnergy, func(r *Reading, n int) *unit.Opt[unit.Energy] { return &r.pdu().Outlet(n).Energy }),
	},
	WeatherKind: {
		"temperature": number(Temperature, -90, 70, func(r *Reading, _ int) *unit.Opt[unit.Temperature] { return &r.weather().Temperature }),
		"wet_bulb":    number(Temperature, -90, 70, func(r *Reading, _ int) *unit.Opt[unit.Temperature] { return &r.weather().WetBulb }),
		"humidity":    number(Ratio, 0, 1, func(r *Reading, _ int) *unit.Opt[unit.Ratio] { return &r.weather().Humidity }),
		"pressure":    number(Pressure, 0.3, 1.2, func(r *Reading, _ int) *unit.Opt[unit.Pressure] { return &r.weather().Pressure }),
	},
}

func meterFields() map[string]fieldSpec {
	m := map[string]fieldSpec{
		"power":         number(Power, -mostPower, mostPower, func(r *Reading, _ int) *unit.Opt[unit.Power] { return &r.meter().Power }),
		"current.n":     number(Current, -mostCurrent, mostCurrent, func(r *Reading, _ int) *unit.Opt[unit.Current] { return &r.meter().CurrentNeutral }),
		"power_factor":  number(Ratio, -1, 1, func(r *Reading, _ int) *unit.Opt[unit.Ratio] { return &r.meter().PowerFactor }),
		"frequency":     number(Frequency, 40, 70, func(r *Reading, _ int) *unit.Opt[unit.Frequency] { return &r.meter().Frequency }),
		"energy_import": number(Energy, 0, mostEnergy, func(r *Reading, _ int) *unit.Opt[unit.Energy] { return &r.meter().EnergyImport }),
		"energy_export": number(Energy, 0, mostEnergy, func(r *Reading, _ int) *unit.Opt[unit.Energy] { return &r.meter().EnergyExport }),
	}
	for i, phase := range []string{"l1", "l2", "l3"} {
		m["power."+phase] = number(Power, -mostPower, mostPower, func(r *Reading, _ int) *unit.Opt[unit.Power] { return &r.meter().PowerPhase[i] })
		m["voltage."+phase] = number(Voltage, 0, mostVoltage, func(r *Reading, _ int) *unit.Opt[unit.Voltage] { return &r.meter().Voltage[i] })
		m["current."+phase] = number(Current, -mostCurrent, mostCurrent, func(r *Reading, _ int) *unit.Opt[unit.Current] { return &r.meter().Current[i] })
		m["power_factor."+phase] = number(Ratio, -1, 1, func(r *Reading, _ int) *unit.Opt[unit.Ratio] { return &r.meter().PowerFactorPhase[i] })
	}
	for i, pair := range []string{"l12", "l23", "l31"} {
		m["voltage."+pair] = number(Voltage, 0, mostVoltage, func(r *Reading, _ int) *unit.Opt[unit.Voltage] { return &r.meter().VoltageLine[i] })
	}
	return m
}

// Fields are the names of a kind's fields, sorted, with # for a number.
func Fields(k Kind) []string {
	out := make([]string, 0, len(fields[k])+1)
	for name := range fields[k] {
		out = append(out, name)
	}
	if k == CoolingKind {
		out = append(out, "alarm.NAME")
	}
	slices.Sort(out)
	return out
}
