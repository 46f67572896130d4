// Package snmp reads and switches power distribution units over SNMP v2c and
// v3 by declared object identifiers (OIDs). Which OID is what is data: a [Map],
// of which some for common PDUs are built in ([Builtin]).
package snmp

import (
	"embed"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"ballast/plant"
	"ballast/plant/shelf"
)

// Map says what the objects of a PDU are.
type Map struct {
	Name   string     `yaml:"name"` // "apc-rpdu2"
	Make   string     `yaml:"make"`
	Models []string   `yaml:"models,omitempty"`
	Source string     `yaml:"source"` // the public MIB it was taken from
	Kind   plant.Kind `yaml:"kind"`
	Points []Point    `yaml:"points"`
	Names  string     `yaml:"names,omitempty"` // OID pattern of the outlets' names
	Switch *Switch    `yaml:"switch,omitempty"`
}

// Point is one object, or with {n} in its OID and # in its field one for each
// outlet or phase. Value = object * Scale in Unit.
type Point struct {
	Field plant.Field `yaml:"field"` // "power", "outlet.#.power"
	OID   string      `yaml:"oid"`   // "1.3.6.1.4.1.318.1.1.26.9.4.3.1.7.{n}"
	Scale float64     `yaml:"scale,omitempty"`
	Unit  string      `yaml:"unit,omitempty"`
	// Decimals is the OID, or OID pattern, of the number of decimals of the
	// object: it is divided by ten to their power. It is asked once.
	Decimals string `yaml:"decimals,omitempty"`
	// Values translates an enumeration; any other number is not a value.
	Values map[int64]float64 `yaml:"values,omitempty"`
	// Absent are numbers that mean "not available".
	Absent []int64 `yaml:"absent,omitempty"`
	// Optional objects are not missed when the model does not have them.
	Optional bool     `yaml:"optional,omitempty"`
	Min      *float64 `yaml:"min,omitempty"` // in Unit
	Max      *float64 `yaml:"max,omitempty"`
}

// Switch says how an outlet is switched: On or Off is written to OID.
type Switch struct {
	OID string `yaml:"oid"`
	On  int    `yaml:"on"`
	Off int    `yaml:"off"`
}

// ErrMap reports a map that cannot be used.
var ErrMap = errors.New("not a valid OID map")

const number = "{n}"

// pattern is an OID, with or without a number in it.
type pattern struct {
	prefix string // with a dot at the start, and at the end when there is a number
	suffix string // after the number, with a dot at the start, or ""
	column bool
}

func parsePattern(s string) (pattern, error) {
	before, after, column := strings.Cut(s, number)
	p := pattern{prefix: "." + strings.TrimPrefix(before, "."), suffix: after, column: column}
	plain := strings.TrimPrefix(p.prefix, ".")
	if column {
		var ok bool
		if plain, ok = strings.CutSuffix(plain, "."); !ok || (after != "" && !strings.HasPrefix(after, ".")) {
			return p, fmt.Errorf("%q: the number must stand alone", s)
		}
		plain += after
	}
	arcs := strings.Split(plain, ".")
	if len(arcs) < 3 || arcs[0] != "1" {
		return p, fmt.Errorf("%q is no OID", s)
	}
	for _, a := range arcs {
		if _, err := strconv.ParseUint(a, 10, 32); err != nil {
			return p, fmt.Errorf("%q is no OID", s)
		}
	}
	return p, nil
}

// number is the number in an OID that fits the pattern.
func (p pattern) number(oid string) (n int, ok bool) {
	rest, ok := strings.CutPrefix(oid, p.prefix)
	if !ok {
		return 0, false
	}
	if rest, ok = strings.CutSuffix(rest, p.suffix); !ok {
		return 0, false
	}
	n, err := strconv.Atoi(rest)
	return n, err == nil && n > 0
}

// root is the subtree that a walk of the column goes through.
func (p pattern) root() string { return strings.TrimSuffix(p.prefix, ".") }

// of is the OID for a number.
func (p pattern) of(n int) string {
	if !p.column {
		return p.prefix
	}
	return p.prefix + strconv.Itoa(n) + p.suffix
}

// point is a Point with everything looked up.
type point struct {
	Point
	oid      pattern
	decimals *pattern
	scale    float64
	conv     plant.Conversion
	min, max float64
	info     plant.FieldInfo // of a scalar, or of number 1
}

// field is the point's field for a number.
func (p *point) field(n int) plant.Field {
	return plant.Field(strings.Replace(string(p.Field), "#", strconv.Itoa(n), 1))
}

type prepared struct {
	points []point
	names  *pattern
	sw     *pattern
}

func (m *Map) prepare() (prepared, error) {
	var out prepared
	if m.Name == "" || len(m.Points) == 0 {
		return out, fmt.Errorf("%w: it has no name or no points", ErrMap)
	}
	seen := map[plant.Field]bool{}
	for i, p := range m.Points {
		x, err := m.prepareOne(p)
		if err == nil && seen[p.Field] {
			err = errors.New("it is there twice")
		}
		if err != nil {
			return out, fmt.Errorf("%w: %s, point %d (%s): %w", ErrMap, m.Name, i+1, p.Field, err)
		}
		seen[p.Field] = true
		out.points = append(out.points, x)
	}
	column := func(what, s string) (*pattern, error) {
		p, err := parsePattern(s)
		if err == nil && !p.column {
			err = fmt.Errorf("%q has no %s", s, number)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %s, %s: %w", ErrMap, m.Name, what, err)
		}
		return &p, nil
	}
	var err error
	if m.Names != "" {
		if out.names, err = column("names", m.Names); err != nil {
			return out, err
		}
	}
	if m.Switch != nil {
		if m.Switch.On == m.Switch.Off || !seen["outlet.#.on"] {
			return out, fmt.Errorf("%w: %s: switching needs two values, and outlet.#.on to see the outcome", ErrMap, m.Name)
		}
		if out.sw, err = column("switch", m.Switch.OID); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (m *Map) prepareOne(p Point) (point, error) {
	x := point{Point: p, scale: p.Scale}
	var err error
	if x.oid, err = parsePattern(p.OID); err != nil {
		return x, err
	}
	if x.oid.column != strings.Contains(string(p.Field), "#") {
		return x, fmt.Errorf("the field needs a # exactly when the OID has %s", number)
	}
	if x.info, err = x.field(1).Info(m.Kind); err != nil {
		return x, err
	}
	if x.conv, err = plant.ConversionOf(x.info.Quantity, p.Unit); err != nil {
		return x, err
	}
	if p.Decimals != "" {
		d, err := parsePattern(p.Decimals)
		if err != nil {
			return x, err
		}
		if d.column && !x.oid.column {
			return x, errors.New("decimals of many for one")
		}
		x.decimals = &d
	}
	if x.scale == 0 {
		x.scale = 1
	}
	if !(x.scale > 0) || math.IsInf(x.scale, 0) {
		return x, fmt.Errorf("a scale of %v", x.scale)
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
	return x, nil
}

//go:embed maps/*.yaml
var files embed.FS

var builtin = shelf.Shelf[Map]{Files: files, Invalid: ErrMap, Check: func(m *Map) error {
	_, err := m.prepare()
	return err
}}

// ParseMap reads a map from YAML and checks it. Unknown keys are errors.
func ParseMap(text []byte) (Map, error) { return builtin.Parse(text) }

// Builtin is the built-in map with that name.
func Builtin(name string) (Map, error) { return builtin.Named(name) }

// BuiltinNames are the names of the built-in maps, sorted.
func BuiltinNames() []string { return builtin.Names() }
