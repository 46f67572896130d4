package snmp

import (
	"math"
	"strconv"
	"strings"

	"github.com/gosnmp/gosnmp"

	"ballast/plant"
)

// objects are what an agent told, by OID with a dot at the start.
type objects map[string]gosnmp.SnmpPDU

// amount is the number that an object holds. Some agents send numbers as text.
func amount(v gosnmp.SnmpPDU) (float64, bool) {
	switch v.Type {
	case gosnmp.Integer, gosnmp.Gauge32, gosnmp.Counter32, gosnmp.Counter64, gosnmp.Uinteger32, gosnmp.TimeTicks:
		f, _ := gosnmp.ToBigInt(v.Value).Float64()
		return f, true
	case gosnmp.OpaqueFloat:
		f, ok := v.Value.(float32)
		return finite(float64(f), ok)
	case gosnmp.OpaqueDouble:
		f, ok := v.Value.(float64)
		return finite(f, ok)
	case gosnmp.OctetString:
		text, ok := v.Value.([]byte)
		if !ok || len(text) > 40 {
			return 0, false
		}
		f, err := strconv.ParseFloat(strings.TrimSpace(string(text)), 64)
		return finite(f, err == nil)
	}
	return 0, false // noSuchObject, noSuchInstance, endOfMibView, null, addresses, bits
}

func finite(f float64, ok bool) (float64, bool) {
	if !ok || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, false
	}
	return f, true
}

// value is what a point says for one object, in the base unit.
func (p *point) value(v gosnmp.SnmpPDU, decimals objects, n int) (float64, bool) {
	x, ok := amount(v)
	if !ok {
		return 0, false
	}
	for _, a := range p.Absent {
		if x == float64(a) {
			return 0, false
		}
	}
	if p.Values != nil {
		if x != math.Trunc(x) || math.Abs(x) > 1<<53 {
			return 0, false
		}
		y, ok := p.Values[int64(x)]
		return y, ok
	}
	if p.decimals != nil {
		d, ok := amount(decimals[p.decimals.of(n)])
		if !ok || d < 0 || d > 12 {
			return 0, false // without its decimals a number means nothing
		}
		x /= math.Pow(10, d)
	}
	return p.conv.Base(x * p.scale), true
}

// read turns objects into a reading.
func (m prepared) read(kind plant.Kind, told, decimals objects) (r plant.Reading, values int) {
	r.Kind = kind
	for i := range m.points {
		p := &m.points[i]
		if !p.oid.column {
			values += p.put(&r, p.Field, told[p.oid.prefix], decimals, 0)
			continue
		}
		rows := 0
		for oid, v := range told {
			n, ok := p.oid.number(oid)
			if !ok {
				continue
			}
			f := p.field(n)
			if _, err := f.Info(kind); err != nil {
				continue // a number beyond reason
			}
			rows++
			values += p.put(&r, f, v, decimals, n)
		}
		if rows == 0 && !p.Optional {
			r.Warn(plant.WarnMissing, string(p.Field), "the agent has no such objects")
		}
	}
	if m.names != nil && r.PDU != nil {
		for i := range r.PDU.Outlets {
			o := &r.PDU.Outlets[i]
			if text, ok := told[m.names.of(o.Index)].Value.([]byte); ok && len(text) <= 255 {
				o.Name = strings.ToValidUTF8(strings.TrimRight(string(text), "\x00"), "\uFFFD")
			}
		}
	}
	r.Quality = plant.Good
	if len(r.Warnings) > 0 {
		r.Quality = plant.Partial
	}
	return r, values
}

// put puts one object into the reading and counts it.
func (p *point) put(r *plant.Reading, f plant.Field, v gosnmp.SnmpPDU, decimals objects, n int) int {
	x, ok := p.value(v, decimals, n)
	if !ok {
		if !p.Optional {
			r.Warn(plant.WarnMissing, string(f), "the agent has no value")
		}
		return 0
	}
	info, err := f.Info(r.Kind)
	if err != nil {
		return 0
	}
	r.PutInfo(f, info, x, p.min, p.max)
	return 1
}
