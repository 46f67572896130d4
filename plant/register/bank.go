package register

import (
	"fmt"

	"ballast/plant"
	"ballast/plant/modbus"
)

// Bank serves a map backwards: it is the device that the map describes, with
// values from elsewhere, for the simulator and for tests. It is safe for
// concurrent use when its functions are.
type Bank struct {
	// Get gives a field's value in its base unit; false when the device has
	// none at present. It is asked for each point of each request.
	Get func(f plant.Field) (v float64, ok bool)
	// Set takes a written value in its base unit. nil refuses all writes; an
	// error that is a modbus.Exception is answered as such.
	Set func(f plant.Field, v float64) error
	// Unit is the only unit identifier that is answered; 0 is any.
	Unit byte
	// Strict refuses to read registers that the map does not have, as some
	// meters do; otherwise they read as 0.
	Strict bool

	points []point
	at     map[slot]*point // every register of every point
}

type slot struct {
	table   modbus.Table
	address uint16
}

var _ modbus.Handler = (*Bank)(nil)

// NewBank makes a bank of a map.
func NewBank(m Map) (*Bank, error) {
	points, err := m.prepare()
	if err != nil {
		return nil, err
	}
	b := &Bank{points: points, at: map[slot]*point{}}
	for i := range points {
		p := &points[i]
		for k := range p.words {
			key := slot{p.table, p.Address + uint16(k)}
			if other := b.at[key]; other != nil && (other.Bit == nil || p.Bit == nil) {
				return nil, fmt.Errorf("%w: %s and %s overlap", ErrMap, other.Field, p.Field)
			}
			b.at[key] = p
		}
	}
	return b, nil
}

func (b *Bank) mine(unit byte) error {
	if b.Unit != 0 && unit != b.Unit {
		return modbus.GatewayTargetNoAnswer
	}
	return nil
}

// ReadRegisters implements modbus.Handler.
func (b *Bank) ReadRegisters(unit byte, t modbus.Table, address uint16, n int) ([]uint16, error) {
	if err := b.mine(unit); err != nil {
		return nil, err
	}
	out := make([]uint16, n)
	for i := range b.points {
		p := &b.points[i]
		from := int(p.Address) - int(address)
		if p.table != t || from+p.words <= 0 || from >= n {
			continue
		}
		for k, w := range b.words(p) {
			if at := from + k; at >= 0 && at < n {
				out[at] |= w
			}
		}
	}
	if b.Strict {
		for k := range n {
			if b.at[slot{t, address + uint16(k)}] == nil {
				return nil, modbus.IllegalDataAddress
			}
		}
	}
	return out, nil
}

// words are what a point's registers hold now.
func (b *Bank) words(p *point) []uint16 {
	v, ok := b.Get(p.Field)
	if p.Bit != nil {
		if ok && (v != 0) != p.Invert {
			return p.split(1 << *p.Bit)
		}
		return make([]uint16, p.words)
	}
	if ok {
		if words, err := p.encode(v); err == nil {
			return words
		}
	}
	// Not available, as the device would say it.
	switch {
	case len(p.absent) > 0:
		return p.split(p.absent[0])
	case p.Type == Float32:
		return p.split(0x7FC00000)
	case p.Type == Float64:
		return p.split(0x7FF8000000000000)
	}
	return make([]uint16, p.words)
}

// ReadBits implements modbus.Handler.
func (b *Bank) ReadBits(unit byte, t modbus.Table, address uint16, n int) ([]bool, error) {
	if err := b.mine(unit); err != nil {
		return nil, err
	}
	out := make([]bool, n)
	for k := range out {
		p := b.at[slot{t, address + uint16(k)}]
		if p == nil {
			if b.Strict {
				return nil, modbus.IllegalDataAddress
			}
			continue
		}
		out[k] = b.words(p)[0] != 0
	}
	return out, nil
}

// WriteBits implements modbus.Handler.
func (b *Bank) WriteBits(unit byte, address uint16, bits []bool) error {
	words := make([]uint16, len(bits))
	for i, on := range bits {
		if on {
			words[i] = 1
		}
	}
	return b.write(unit, modbus.Coils, address, words)
}

// WriteRegisters implements modbus.Handler.
func (b *Bank) WriteRegisters(unit byte, address uint16, words []uint16) error {
	return b.write(unit, modbus.HoldingRegisters, address, words)
}

// write takes whole points only, as devices do.
func (b *Bank) write(unit byte, t modbus.Table, address uint16, words []uint16) error {
	if err := b.mine(unit); err != nil {
		return err
	}
	type change struct {
		f plant.Field
		v float64
	}
	var changes []change
	for len(words) > 0 {
		p := b.at[slot{t, address}]
		if p == nil || p.Address != address || p.Write == nil || p.words > len(words) || b.Set == nil {
			return modbus.IllegalDataAddress
		}
		v, ok := p.decode(words[:p.words])
		if in := p.conv.From(v); !ok || in < p.Write.Min || in > p.Write.Max {
			return modbus.IllegalDataValue
		}
		changes = append(changes, change{p.Field, v})
		address, words = address+uint16(p.words), words[p.words:]
	}
	for _, c := range changes {
		if err := b.Set(c.f, c.v); err != nil {
			return err
		}
	}
	return nil
}
