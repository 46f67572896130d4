package register

import (
	"fmt"
	"math"
	"slices"
)

// raw joins the words of a value.
func (x *point) raw(words []uint16) uint64 {
	var v uint64
	for i := range x.words {
		w := words[i]
		if x.low {
			w = words[x.words-1-i]
		}
		v = v<<16 | uint64(w)
	}
	return v
}

// split is raw backwards.
func (x *point) split(raw uint64) []uint16 {
	words := make([]uint16, x.words)
	for i := range words {
		at := x.words - 1 - i
		if x.low {
			at = i
		}
		words[at] = uint16(raw)
		raw >>= 16
	}
	return words
}

// number is what a raw value says, before scale.
func (t Type) number(raw uint64) float64 {
	switch t {
	case Int16:
		return float64(int16(raw))
	case Int32:
		return float64(int32(raw))
	case Int64:
		return float64(int64(raw))
	case Float32:
		return float64(math.Float32frombits(uint32(raw)))
	case Float64:
		return math.Float64frombits(raw)
	}
	return float64(raw)
}

// decode is the value in the base unit. ok is false when the device says that
// it has none.
func (x *point) decode(words []uint16) (v float64, ok bool) {
	raw := x.raw(words)
	if slices.Contains(x.absent, raw) {
		return 0, false
	}
	if x.Bit != nil {
		return x.turned(raw>>*x.Bit&1 == 1), true
	}
	v = x.Type.number(raw)
	if math.IsNaN(v) {
		return 0, false // every device that speaks floats means "none" by it
	}
	if x.Type == Bool || x.Invert {
		return x.turned(v != 0), true
	}
	if x.Quadrants {
		v = fold(v)
	}
	return x.conv.Base(v * x.scale), true
}

// fold turns Schneider's four-quadrant power factor into a plain one.
func fold(v float64) float64 {
	switch {
	case v > 1:
		return 2 - v
	case v < -1:
		return -2 - v
	}
	return v
}

func (x *point) turned(on bool) float64 {
	if on != x.Invert {
		return 1
	}
	return 0
}

// encode is the words that say v (in the base unit), rounded to what the type
// can hold. It fails when the type cannot hold it at all.
func (x *point) encode(v float64) ([]uint16, error) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil, fmt.Errorf("%v cannot be written", v)
	}
	if x.Type == Bool || x.Invert {
		return x.split(uint64(x.turned(v != 0))), nil
	}
	n := x.conv.From(v) / x.scale
	switch x.Type {
	case Float32:
		if math.Abs(n) > math.MaxFloat32 {
			return nil, fmt.Errorf("%v does not fit a float32", n)
		}
		return x.split(uint64(math.Float32bits(float32(n)))), nil
	case Float64:
		return x.split(math.Float64bits(n)), nil
	}
	n = math.RoundToEven(n)
	bits := 16 * x.words
	low, high := 0.0, math.Ldexp(1, bits)
	if x.Type == Int16 || x.Type == Int32 || x.Type == Int64 {
		low, high = -math.Ldexp(1, bits-1), math.Ldexp(1, bits-1)
	}
	if n < low || n >= high {
		return nil, fmt.Errorf("%v does not fit a %s", n, x.Type)
	}
	raw := uint64(n)
	if n < 0 {
		raw = uint64(int64(n))
	}
	if slices.Contains(x.absent, raw&(math.MaxUint64>>(64-bits))) {
		return nil, fmt.Errorf("%v would mean %q to the device", n, "not available")
	}
	return x.split(raw), nil
}

// resolution is the smallest difference that the point can show near v, in the
// base unit.
func (x *point) resolution(v float64) float64 {
	if x.Type == Float32 || x.Type == Float64 {
		return math.Abs(v) * 1e-6
	}
	return x.scale * math.Abs(x.conv.Mul)
}
