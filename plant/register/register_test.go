package register

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ballast/plant"
	"ballast/plant/modbus"
)

func TestBuiltinMaps(t *testing.T) {
	names := BuiltinNames()
	if len(names) < 5 {
		t.Fatalf("built-in maps: %v", names)
	}
	for _, name := range names {
		m, err := Builtin(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if m.Name != name || m.Source == "" || m.Make == "" || len(m.Models) == 0 {
			t.Errorf("%s: name %q, make %q, source %q", name, m.Name, m.Make, m.Source)
		}
		if _, err := NewBank(m); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Builtin("nobody"); !errors.Is(err, ErrMap) || !strings.Contains(err.Error(), "abb-b-series") {
		t.Errorf("an unknown map: %v", err)
	}
	if _, err := Builtin("../register"); !errors.Is(err, ErrMap) {
		t.Errorf("a path: %v", err)
	}
}

func TestBadMaps(t *testing.T) {
	const head = "name: x\nkind: meter\npoints:\n"
	for name, text := range map[string]string{
		"empty":              "",
		"no points":          "name: x\nkind: meter\n",
		"no name":            "kind: meter\npoints:\n  - {field: power, address: 0, type: int16}\n",
		"unknown key":        head + "  - {field: power, address: 0, type: int16, colour: red}\n",
		"unknown field":      head + "  - {field: supply, address: 0, type: int16}\n",
		"unknown kind":       "name: x\nkind: boat\npoints:\n  - {field: power, address: 0, type: int16}\n",
		"unknown type":       head + "  - {field: power, address: 0, type: int8}\n",
		"unknown table":      head + "  - {field: power, table: attic, address: 0, type: int16}\n",
		"unknown unit":       head + "  - {field: power, address: 0, type: int16, unit: hp}\n",
		"wrong unit":         head + "  - {field: power, address: 0, type: int16, unit: kWh}\n",
		"unknown order":      head + "  - {field: power, address: 0, type: int32, words: middle_first}\n",
		"twice":              head + "  - {field: power, address: 0, type: int16}\n  - {field: power, address: 1, type: int16}\n",
		"past the end":       head + "  - {field: power, address: 65535, type: int32}\n",
		"address too large":  head + "  - {field: power, address: 65536, type: int16}\n",
		"negative scale":     head + "  - {field: power, address: 0, type: int16, scale: -1}\n",
		"infinite scale":     head + "  - {field: power, address: 0, type: int16, scale: .inf}\n",
		"bit of a float":     head + "  - {field: power, address: 0, type: float32, bit: 3}\n",
		"bit of a power":     head + "  - {field: power, address: 0, type: uint16, bit: 3}\n",
		"bool register":      head + "  - {field: power, address: 0, type: bool}\n",
		"quadrants of power": head + "  - {field: power, address: 0, type: float32, quadrants: true}\n",
		"empty range":        head + "  - {field: power, address: 0, type: int16, min: 5, max: 4}\n",
		"range of NaN":       head + "  - {field: power, address: 0, type: int16, min: .nan}\n",
		"limits of NaN":      head + "  - {field: power, address: 0, type: int16, write: {min: 0, max: .nan}}\n",
		"step of NaN":        head + "  - {field: power, address: 0, type: int16, write: {min: 0, max: 1, step: .nan}}\n",
		"endless wrap":       head + "  - {field: energy_import, address: 0, type: int16, wrap: .inf}\n",
		"write to an input":  head + "  - {field: power, table: input, address: 0, type: int16, write: {min: 0, max: 1}}\n",
		"limits wrong":       head + "  - {field: power, address: 0, type: int16, write: {min: 2, max: 1}}\n",
		"limits too wide":    head + "  - {field: power, address: 0, type: int16, write: {min: 0, max: 40000}}\n",
		"limits implausible": head + "  - {field: frequency, address: 0, type: int16, write: {min: 0, max: 50}}\n",
		"safe not safe":      head + "  - {field: power, address: 0, type: int16, write: {min: 0, max: 10, safe: 11}}\n",
		"not YAML":           "\t{",
	} {
		if _, err := ParseMap([]byte(text)); !errors.Is(err, ErrMap) {
			t.Errorf("%s: %v", name, err)
		}
	}
	overlap := Map{Name: "x", Kind: plant.MeterKind, Points: []Point{{Field: "power", Type: Int32}, {Field: "frequency", Address: 1, Type: Int16}}}
	if _, err := NewBank(overlap); !errors.Is(err, ErrMap) {
		t.Errorf("overlap: %v", err)
	}
}

// Registers as they lie in real devices, with the values that their manuals
// give for them.
func TestDecode(t *testing.T) {
	bit := func(n int) *int { return &n }
	for name, c := range map[string]struct {
		kind  plant.Kind
		p     Point
		m     Map
		words []uint16
		want  float64
		none  bool
	}{
		"float32 volts":         {plant.MeterKind, Point{Field: "voltage.l1", Type: Float32}, Map{}, []uint16{0x4366, 0x4CCD}, 230.3, false},
		"float32 low first":     {plant.MeterKind, Point{Field: "voltage.l1", Type: Float32, Words: LowFirst}, Map{}, []uint16{0x4CCD, 0x4366}, 230.3, false},
		"float32 kW":            {plant.MeterKind, Point{Field: "power", Type: Float32, Unit: "kW"}, Map{}, []uint16{0x449A, 0x5000}, 1234500, false},
		"float32 none":          {plant.MeterKind, Point{Field: "power", Type: Float32}, Map{}, []uint16{0xFFC0, 0}, 0, true},
		"int64 Wh":              {plant.MeterKind, Point{Field: "energy_import", Type: Int64, Unit: "Wh"}, Map{}, []uint16{0, 0, 0x0001, 0x86A0}, 3.6e8, false},
		"uint64 centi-kWh":      {plant.MeterKind, Point{Field: "energy_import", Type: Uint64, Scale: 0.01, Unit: "kWh"}, Map{}, []uint16{0, 0, 0, 12345}, 123.45 * 3.6e6, false},
		"uint64 low first":      {plant.MeterKind, Point{Field: "energy_import", Type: Uint64, Unit: "Wh"}, Map{Words: LowFirst}, []uint16{2, 1, 0, 0}, 65538 * 3600, false},
		"int32 negative":        {plant.MeterKind, Point{Field: "power", Type: Int32, Scale: 0.01}, Map{}, []uint16{0xFFFF, 0xFF9C}, -1, false},
		"int32 none":            {plant.MeterKind, Point{Field: "power", Type: Int32}, Map{Absent: map[Type][]uint64{Int32: {0x7FFFFFFF}}}, []uint16{0x7FFF, 0xFFFF}, 0, true},
		"uint16 none":           {plant.MeterKind, Point{Field: "frequency", Type: Uint16}, Map{Absent: map[Type][]uint64{Uint16: {1, 0xFFFF}}}, []uint16{0xFFFF}, 0, true},
		"int16 tenths":          {plant.CoolingKind, Point{Field: "supply", Type: Int16, Scale: 0.1}, Map{}, []uint16{0xFF9C}, -10, false},
		"int16 Fahrenheit":      {plant.CoolingKind, Point{Field: "supply", Type: Int16, Unit: "F"}, Map{}, []uint16{86}, 30, false},
		"power factor leading":  {plant.MeterKind, Point{Field: "power_factor", Type: Float32, Quadrants: true}, Map{}, []uint16{0x3F86, 0x6666}, 0.95, false}, // 1.05
		"power factor lagging":  {plant.MeterKind, Point{Field: "power_factor", Type: Float32, Quadrants: true}, Map{}, []uint16{0x3F73, 0x3333}, 0.95, false},
		"power factor reversed": {plant.MeterKind, Point{Field: "power_factor", Type: Float32, Quadrants: true}, Map{}, []uint16{0xBF86, 0x6666}, -0.95, false},
		"bit on":                {plant.CoolingKind, Point{Field: "alarm.leak", Type: Uint16, Bit: bit(4)}, Map{}, []uint16{0x0010}, 1, false},
		"bit off":               {plant.CoolingKind, Point{Field: "alarm.leak", Type: Uint16, Bit: bit(4)}, Map{}, []uint16{0xFFEF}, 0, false},
		"bit inverted":          {plant.CoolingKind, Point{Field: "alarm.leak", Type: Uint16, Bit: bit(15), Invert: true}, Map{}, []uint16{0x7FFF}, 1, false},
		"coil":                  {plant.CoolingKind, Point{Field: "running", Table: Coil, Type: Bool}, Map{}, []uint16{1}, 1, false},
		"contact":               {plant.CoolingKind, Point{Field: "running", Table: Discrete, Type: Bool, Invert: true}, Map{}, []uint16{1}, 0, false},
		"word as a switch":      {plant.CoolingKind, Point{Field: "running", Type: Uint16}, Map{}, []uint16{7}, 7, false},
	} {
		m := c.m
		m.Name, m.Kind, m.Points = "x", c.kind, []Point{c.p}
		ps, err := m.prepare()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		v, ok := ps[0].decode(c.words)
		if ok == c.none || math.Abs(v-c.want) > 1e-6*math.Max(1, math.Abs(c.want)) {
			t.Errorf("%s: %v %v, want %v", name, v, ok, c.want)
		}
	}
}

// What a point can hold it gives back, to within its resolution, whatever its
// type, scale, unit and order; what it cannot hold is refused.
func TestCodecProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Point{Field: "power", Type: rapid.SampledFrom([]Type{Int16, Uint16, Int32, Uint32, Int64, Uint64, Float32, Float64}).Draw(t, "type"),
			Scale: rapid.SampledFrom([]float64{0, 0.001, 0.1, 1, 10, 2.5}).Draw(t, "scale"), Unit: rapid.SampledFrom([]string{"", "kW", "MW"}).Draw(t, "unit"),
			Words: rapid.SampledFrom([]Order{"", HighFirst, LowFirst}).Draw(t, "words")}
		m := Map{Name: "x", Kind: plant.MeterKind, Points: []Point{p}}
		ps, err := m.prepare()
		if err != nil {
			t.Fatal(err)
		}
		x := &ps[0]
		v := rapid.Float64Range(-2e9, 2e9).Draw(t, "v")
		words, err := x.encode(v)
		if err != nil {
			n := x.conv.From(v) / x.scale
			bits := 16 * x.words
			fits := n >= -math.Ldexp(1, bits-1) && n <= math.Ldexp(1, bits-1)-1
			if p.Type == Uint16 || p.Type == Uint32 || p.Type == Uint64 {
				fits = n >= 0 && n <= math.Ldexp(1, bits)-1
			}
			if fits || !p.Type.whole() {
				t.Fatalf("%v was refused: %v", v, err)
			}
			return
		}
		back, ok := x.decode(words)
		if !ok || math.Abs(back-v) > 0.5*x.resolution(v)*(1+1e-6)+1e-9*math.Abs(v)+1e-12 {
			t.Fatalf("%v became % x and then %v (resolution %v)", v, words, back, x.resolution(v))
		}
	})
}

// A plan reads every point, in blocks within the limits, and no register is
// read in vain beyond the gap.
func TestPlanProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var ps []*point
		for range rapid.IntRange(1, 40).Draw(t, "points") {
			table := rapid.SampledFrom([]modbus.Table{modbus.HoldingRegisters, modbus.InputRegisters, modbus.Coils}).Draw(t, "table")
			words := rapid.SampledFrom([]int{1, 2, 4}).Draw(t, "words")
			if table.Bits() {
				words = 1
			}
			ps = append(ps, &point{Point: Point{Address: uint16(rapid.IntRange(0, 400).Draw(t, "address"))}, table: table, words: words})
		}
		most, gap := rapid.IntRange(0, 150).Draw(t, "most"), rapid.IntRange(0, 20).Draw(t, "gap")
		blocks := plan(ps, most, gap)
		covered := 0
		for i, b := range blocks {
			limit := b.table.Max()
			if most > 0 && !b.table.Bits() {
				limit = min(limit, max(most, 4))
			}
			if b.count > limit {
				t.Fatalf("a block of %d, the limit is %d", b.count, limit)
			}
			needed := make([]bool, b.count)
			for _, p := range b.points {
				at := int(p.Address) - b.address
				if p.table != b.table || at < 0 || at+p.words > b.count {
					t.Fatalf("point %+v is not in block %+v", p, b)
				}
				for k := range p.words {
					needed[at+k] = true
				}
				covered++
			}
			run := 0
			for _, n := range needed {
				if run++; n {
					run = 0
				}
				if run > gap {
					t.Fatalf("more than %d registers in vain in %+v", gap, b)
				}
			}
			for _, other := range blocks[:i] {
				if other.table == b.table && other.address > b.address {
					t.Fatal("not in order")
				}
			}
			for _, s := range b.split(most) {
				if !s.whole(most) {
					t.Fatalf("a split block has gaps: %+v", s)
				}
			}
		}
		if covered != len(ps) {
			t.Fatalf("%d of %d points are read", covered, len(ps))
		}
	})
}

func TestPlanOfBuiltinMaps(t *testing.T) {
	// The number of requests of a reading is what a slow gateway feels: written
	// down here, so that a change to a map or to the planner is seen.
	want := map[string]int{"abb-b-series": 2, "ballast-cooling": 3, "eastron-sdm630": 1, "janitza-umg": 1, "schneider-pm5000": 2}
	for _, name := range BuiltinNames() {
		m, err := Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		d, err := New(Config{Name: name, Map: m, Client: modbus.NewClient(modbus.Options{})})
		if err != nil {
			t.Fatal(err)
		}
		if len(d.blocks) != want[name] {
			t.Errorf("%s takes %d requests, want %d", name, len(d.blocks), want[name])
		}
	}
}

func FuzzParseMap(f *testing.F) {
	for _, name := range BuiltinNames() {
		text, err := files.ReadFile("maps/" + name + ".yaml")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte("name: x\nkind: meter\npoints:\n  - {field: power, address: 65535, type: int16, min: .nan}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := ParseMap(text)
		if err != nil {
			if !errors.Is(err, ErrMap) {
				t.Fatalf("%v", err)
			}
			return
		}
		// A map that is taken can be used.
		if _, err := New(Config{Name: "x", Map: m, Client: modbus.NewClient(modbus.Options{})}); err != nil {
			t.Fatal(err)
		}
		b, err := NewBank(m)
		if err != nil {
			return // overlap is allowed for reading
		}
		b.Get = func(plant.Field) (float64, bool) { return 1, true }
		for _, p := range b.points {
			if _, err := b.ReadRegisters(1, p.table, p.Address, p.words); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// Whatever a device answers, reading it gives only what can be true.
func FuzzDecode(f *testing.F) {
	f.Add("schneider-pm5000", []byte{0x43, 0x66, 0x4C, 0xCD, 0, 1, 2, 3})
	f.Add("abb-b-series", []byte{0xFF, 0xFF, 0xFF, 0xFF})
	f.Add("ballast-cooling", []byte{0x80, 0, 0, 1})
	prepared, kinds := map[string][]point{}, map[string]plant.Kind{}
	for _, name := range BuiltinNames() {
		m, err := Builtin(name)
		if err != nil {
			f.Fatal(err)
		}
		kinds[name] = m.Kind
		if prepared[name], err = m.prepare(); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		ps := prepared[name]
		if len(ps) == 0 || len(b) == 0 {
			return
		}
		r := plant.Reading{Kind: kinds[name]}
		at := 0
		next := func() (w uint16) {
			w = uint16(b[at%len(b)])<<8 | uint16(b[(at+1)%len(b)])
			at += 2
			return w
		}
		for i := range ps {
			words := make([]uint16, ps[i].words)
			for k := range words {
				words[k] = next()
			}
			if v, ok := ps[i].decode(words); ok {
				r.PutInfo(ps[i].Field, ps[i].info, v, ps[i].min, ps[i].max)
			}
		}
		for i := range ps {
			if v, ok := r.Value(ps[i].Field); ok && ps[i].info.Quantity != plant.Switch && !(v >= ps[i].info.Min-1e-3 && v <= ps[i].info.Max*(1+1e-5)+1e-3) {
				t.Fatalf("%s is %v", ps[i].Field, v)
			}
		}
	})
}

func TestEncodeRefuses(t *testing.T) {
	m := Map{Name: "x", Kind: plant.MeterKind, Absent: map[Type][]uint64{Int16: {0x8000}}, Points: []Point{{Field: "power", Type: Int16}}}
	ps, err := m.prepare()
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []float64{32768, -32769, -32768, math.NaN(), math.Inf(-1)} {
		if w, err := ps[0].encode(v); err == nil {
			t.Errorf("%v became % x", v, w)
		}
	}
	if w, err := ps[0].encode(-2); err != nil || !slices.Equal(w, []uint16{0xFFFE}) {
		t.Errorf("-2 became % x, %v", w, err)
	}
	if s := fmt.Sprint(fold(1.2), fold(-1.2), fold(0.5)); s != "0.8 -0.8 0.5" {
		t.Error(s)
	}
}
