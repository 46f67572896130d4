package plant

import (
	"fmt"
	"slices"
	"strings"
)

// Quantity is what a field measures; its base unit is that of the unit room.
type Quantity string

// The quantities.
const (
	Power       Quantity = "power"       // W
	Voltage     Quantity = "voltage"     // V
	Current     Quantity = "current"     // A
	Frequency   Quantity = "frequency"   // Hz
	Energy      Quantity = "energy"      // J
	Temperature Quantity = "temperature" // °C
	Flow        Quantity = "flow"        // L/min
	Pressure    Quantity = "pressure"    // bar
	Speed       Quantity = "speed"       // rpm
	Ratio       Quantity = "ratio"       // 1
	Switch      Quantity = "switch"      // 0 or 1
)

// Conversion turns a number in some unit into the base unit: v*Mul + Add.
type Conversion struct {
	Mul, Add float64
}

// Base is v in the base unit.
func (c Conversion) Base(v float64) float64 { return v*c.Mul + c.Add }

// From is a number in the base unit back in c's unit.
func (c Conversion) From(base float64) float64 { return (base - c.Add) / c.Mul }

// units are the units that maps may use, by quantity.
var units = map[Quantity]map[string]Conversion{
	Power:     {"W": {Mul: 1}, "kW": {Mul: 1e3}, "MW": {Mul: 1e6}},
	Voltage:   {"V": {Mul: 1}, "mV": {Mul: 1e-3}, "kV": {Mul: 1e3}},
	Current:   {"A": {Mul: 1}, "mA": {Mul: 1e-3}, "kA": {Mul: 1e3}},
	Frequency: {"Hz": {Mul: 1}, "mHz": {Mul: 1e-3}},
	Energy:    {"J": {Mul: 1}, "Wh": {Mul: 3600}, "kWh": {Mul: 3.6e6}, "MWh": {Mul: 3.6e9}},
	Temperature: {"C": {Mul: 1}, "°C": {Mul: 1}, "K": {Mul: 1, Add: -273.15},
		"F": {Mul: 5.0 / 9, Add: -160.0 / 9}, "°F": {Mul: 5.0 / 9, Add: -160.0 / 9}},
	Flow:     {"L/min": {Mul: 1}, "L/s": {Mul: 60}, "L/h": {Mul: 1.0 / 60}, "m3/h": {Mul: 1000.0 / 60}, "gpm": {Mul: 3.785411784}},
	Pressure: {"bar": {Mul: 1}, "mbar": {Mul: 1e-3}, "hPa": {Mul: 1e-3}, "Pa": {Mul: 1e-5}, "kPa": {Mul: 1e-2}, "MPa": {Mul: 10}, "psi": {Mul: 0.0689475729}},
	Speed:    {"rpm": {Mul: 1}, "Hz": {Mul: 60}},
	Ratio:    {"1": {Mul: 1}, "%": {Mul: 0.01}},
	Switch:   {"1": {Mul: 1}},
}

// base are the base units, which a map need not name.
var base = map[Quantity]string{Power: "W", Voltage: "V", Current: "A", Frequency: "Hz", Energy: "J", Temperature: "C", Flow: "L/min",
	Pressure: "bar", Speed: "rpm", Ratio: "1", Switch: "1"}

// ConversionOf is how a number in a unit becomes one in the quantity's base
// unit. "" is the base unit. Case matters: "mW" is not "MW".
func ConversionOf(q Quantity, unit string) (Conversion, error) {
	if unit == "" {
		unit = base[q]
	}
	c, ok := units[q][unit]
	if !ok {
		known := make([]string, 0, len(units[q]))
		for name := range units[q] {
			known = append(known, name)
		}
		slices.Sort(known)
		return Conversion{}, fmt.Errorf("%q is no unit of %s: want one of %s", unit, q, strings.Join(known, ", "))
	}
	return c, nil
}
