// Package register turns the registers of meters and cooling controllers into
// readings. Which register is what is data: a [Map], of which some for common
// devices are built in ([Builtin]); others are YAML files beside the
// configuration. The same map read backwards serves a simulated device
// ([Bank]).
//
// [Device] is the source: it reads all points of a map in as few requests as
// the device allows, checks that each value can be true, follows the energy
// counter, and writes set-points within declared limits, reading back what it
// wrote.
package register

import (
	"errors"
	"fmt"
	"math"

	"ballast/plant"
	"ballast/plant/modbus"
)

// Map says what the registers of a device are.
type Map struct {
	Name   string     `yaml:"name"`             // "schneider-pm5000"
	Make   string     `yaml:"make"`             //
	Models []string   `yaml:"models,omitempty"` // that it is known to fit
	Source string     `yaml:"source"`           // the public document it was taken from
	Kind   plant.Kind `yaml:"kind"`

	Unit     byte  `yaml:"unit,omitempty"`      // unit identifier, when the configuration has none; 0 is 1
	Words    Order `yaml:"words,omitempty"`     // order of the words of a long value, high first when not said
	MaxBlock int   `yaml:"max_block,omitempty"` // most registers in one request, when the device takes fewer than the protocol
	MaxGap   int   `yaml:"max_gap,omitempty"`   // registers that may be read in vain to save a request; 0 is 16, -1 none

	// Absent are raw values that mean "not available", by type.
	Absent map[Type][]uint64 `yaml:"absent,omitempty"`
	Points []Point           `yaml:"points"`
}

// Point is one value: where it is and what it means. Value = raw * Scale in
// Unit.
type Point struct {
	Field   plant.Field `yaml:"field"`
	Table   Table       `yaml:"table,omitempty"` // holding when not said
	Address uint16      `yaml:"address"`         // of the protocol, from 0: the manual's register 3060 is mostly 3059
	Type    Type        `yaml:"type"`
	Words   Order       `yaml:"words,omitempty"` // when it differs from the map's
	Scale   float64     `yaml:"scale,omitempty"` // 0 is 1
	Unit    string      `yaml:"unit,omitempty"`  // the field's base unit when not said
	Min     *float64    `yaml:"min,omitempty"`   // in Unit: outside cannot be true
	Max     *float64    `yaml:"max,omitempty"`
	// Bit takes one bit of a whole number, 0 being the lowest, for switches and
	// alarms.
	Bit *int `yaml:"bit,omitempty"`
	// Invert turns a switch round, for contacts that are closed when all is well.
	Invert bool `yaml:"invert,omitempty"`
	// Quadrants decodes a power factor in Schneider's 4Q_FP_PF form: beyond
	// 1 or -1 it is mirrored, to tell leading from lagging.
	Quadrants bool `yaml:"quadrants,omitempty"`
	// Wrap is where an energy counter goes back to zero, in Unit; when not said,
	// the end of its type for whole numbers of up to 32 bits.
	Wrap float64 `yaml:"wrap,omitempty"`

	Write *Write `yaml:"write,omitempty"`
}

// Write is what may be written to a point, in the point's Unit. A point
// without it is never written.
type Write struct {
	Min  float64  `yaml:"min"`
	Max  float64  `yaml:"max"`
	Step float64  `yaml:"step,omitempty"` // the most that one write may change; 0 is any
	Safe *float64 `yaml:"safe,omitempty"` // the value that is safe whatever happens
}

// Table is one of the device's tables, by the name that maps use.
type Table string

// The tables.
const (
	Holding  Table = "holding"
	Input    Table = "input"
	Coil     Table = "coil"
	Discrete Table = "discrete"
)

var tables = map[Table]modbus.Table{"": modbus.HoldingRegisters, Holding: modbus.HoldingRegisters, Input: modbus.InputRegisters,
	Coil: modbus.Coils, Discrete: modbus.DiscreteInputs}

// Order is the order of the 16-bit words of a value. Within a word the high
// byte is always first, as the protocol has it.
type Order string

// The orders.
const (
	HighFirst Order = "high_first"
	LowFirst  Order = "low_first"
)

// Type is how a value lies in registers.
type Type string

// The types.
const (
	Bool    Type = "bool" // in a table of bits
	Int16   Type = "int16"
	Uint16  Type = "uint16"
	Int32   Type = "int32"
	Uint32  Type = "uint32"
	Int64   Type = "int64"
	Uint64  Type = "uint64"
	Float32 Type = "float32"
	Float64 Type = "float64"
)

var typeWords = map[Type]int{Bool: 1, Int16: 1, Uint16: 1, Int32: 2, Uint32: 2, Int64: 4, Uint64: 4, Float32: 2, Float64: 4}

// whole tells whether the type is a whole number.
func (t Type) whole() bool { return t != Bool && t != Float32 && t != Float64 }

// ErrMap reports a map that cannot be used.
var ErrMap = errors.New("not a valid register map")

// point is a Point with everything looked up.
type point struct {
	Point
	info     plant.FieldInfo
	table    modbus.Table
	words    int
	low      bool // low word first
	scale    float64
	conv     plant.Conversion
	min, max float64 // in the base unit
	absent   []uint64
}

// prepare checks the map and looks everything up.
func (m *Map) prepare() ([]point, error) {
	if m.Name == "" || len(m.Points) == 0 {
		return nil, fmt.Errorf("%w: it has no name or no points", ErrMap)
	}
	out := make([]point, 0, len(m.Points))
	seen := map[plant.Field]bool{}
	for i, p := range m.Points {
		x, err := m.prepareOne(p)
		if err != nil {
			return nil, fmt.Errorf("%w: %s, point %d (%s): %w", ErrMap, m.Name, i+1, p.Field, err)
		}
		if seen[p.Field] {
			return nil, fmt.Errorf("%w: %s has %s twice", ErrMap, m.Name, p.Field)
		}
		seen[p.Field] = true
		out = append(out, x)
	}
	return out, nil
}

func (m *Map) prepareOne(p Point) (point, error) {
	x := point{Point: p, scale: p.Scale, absent: m.Absent[p.Type]}
	var err error
	if x.info, err = p.Field.Info(m.Kind); err != nil {
		return x, err
	}
	if x.conv, err = plant.ConversionOf(x.info.Quantity, p.Unit); err != nil {
		return x, err
	}
	var ok bool
	if x.table, ok = tables[p.Table]; !ok {
		return x, fmt.Errorf("there is no table %q", p.Table)
	}
	if x.words, ok = typeWords[p.Type]; !ok {
		return x, fmt.Errorf("there is no type %q", p.Type)
	}
	if x.table.Bits() != (p.Type == Bool) {
		return x, fmt.Errorf("a %s in a table of %ss", p.Type, x.table)
	}
	if int(p.Address)+x.words > 1<<16 {
		return x, errors.New("it is past the last register")
	}
	order := p.Words
	if order == "" {
		order = m.Words
	}
	switch order {
	case "", HighFirst:
	case LowFirst:
		x.low = true
	default:
		return x, fmt.Errorf("there is no order of words %q", order)
	}
	if x.scale == 0 {
		x.scale = 1
	}
	if x.scale < 0 || math.IsInf(x.scale, 0) || math.IsNaN(x.scale) {
		return x, fmt.Errorf("a scale of %v", x.scale)
	}
	if p.Bit != nil && (!p.Type.whole() || *p.Bit < 0 || *p.Bit >= 16*x.words) {
		return x, fmt.Errorf("there is no bit %d in a %s", *p.Bit, p.Type)
	}
	if (p.Bit != nil || p.Invert || p.Type == Bool) && x.info.Quantity != plant.Switch {
		return x, fmt.Errorf("a bit cannot be a %s", x.info.Quantity)
	}
	if p.Quadrants && x.info.Quantity != plant.Ratio {
		return x, fmt.Errorf("quadrants of a %s", x.info.Quantity)
	}
	x.min, x.max = x.info.Min, x.info.Max
	if p.Min != nil {
		x.min = math.Max(x.min, x.conv.Base(*p.Min))
	}
	if p.Max != nil {
		x.max = math.Min(x.max, x.conv.Base(*p.Max))
	}
	if !(x.min <= x.max) { // NaN too
		return x, errors.New("its range is empty")
	}
	if p.Wrap < 0 || math.IsNaN(p.Wrap) || math.IsInf(p.Wrap, 0) {
		return x, fmt.Errorf("a wrap of %v", p.Wrap)
	}
	return x, x.checkWrite()
}

func (x *point) checkWrite() error {
	w := x.Write
	if w == nil {
		return nil
	}
	switch {
	case x.table != modbus.HoldingRegisters && x.table != modbus.Coils:
		return fmt.Errorf("a %s cannot be written", x.table)
	case x.Bit != nil || x.Quadrants:
		return errors.New("a part of a register cannot be written without touching the rest")
	case !(w.Min <= w.Max) || !(w.Step >= 0): // NaN too
		return fmt.Errorf("limits of %v to %v by %v", w.Min, w.Max, w.Step)
	case w.Safe != nil && !(*w.Safe >= w.Min && *w.Safe <= w.Max):
		return fmt.Errorf("the safe value %v is outside %v to %v", *w.Safe, w.Min, w.Max)
	}
	for _, v := range []float64{w.Min, w.Max} {
		if base := x.conv.Base(v); base < x.min || base > x.max {
			return fmt.Errorf("the limit %v is outside what can be true", v)
		}
		if _, err := x.encode(x.conv.Base(v)); err != nil {
			return err
		}
	}
	return nil
}

// wrap is where an energy counter goes back to zero, in J; 0 when it does not.
func (x *point) wrap() float64 {
	if x.Wrap > 0 {
		return x.conv.Base(x.Wrap)
	}
	end := map[Type]float64{Uint16: 1 << 16, Uint32: 1 << 32, Int16: 1 << 15, Int32: 1 << 31}[x.Type]
	return x.conv.Base(end * x.scale)
}
