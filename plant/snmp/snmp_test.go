package snmp

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gosnmp/gosnmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"ballast/plant"
	"ballast/unit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestBuiltinMaps(t *testing.T) {
	if n := BuiltinNames(); !slices.Equal(n, []string{"apc-rpdu2", "raritan-px"}) {
		t.Errorf("built-in maps: %v", n)
	}
	for _, name := range BuiltinNames() {
		if m := builtinMap(t, name); m.Name != name || m.Source == "" || len(m.Models) == 0 || m.Switch == nil {
			t.Errorf("%+v", m)
		}
	}
	if _, err := Builtin("nobody"); !errors.Is(err, ErrMap) {
		t.Errorf("an unknown map: %v", err)
	}
}

func TestBadMaps(t *testing.T) {
	const head = "name: x\nkind: pdu\npoints:\n"
	for name, text := range map[string]string{
		"empty":            "",
		"unknown key":      head + "  - {field: power, oid: 1.3.6, colour: red}\n",
		"unknown field":    head + "  - {field: flow, oid: 1.3.6}\n",
		"wrong unit":       head + "  - {field: power, oid: 1.3.6, unit: kWh}\n",
		"no OID":           head + "  - {field: power, oid: sysDescr}\n",
		"negative arc":     head + "  - {field: power, oid: 1.3.-6}\n",
		"arc too large":    head + "  - {field: power, oid: 1.3.4294967296}\n",
		"number in an arc": head + "  - {field: 'outlet.#.power', oid: '1.3.6.1{n}'}\n",
		"no number":        head + "  - {field: 'outlet.#.power', oid: 1.3.6.1}\n",
		"no mark":          head + "  - {field: power, oid: '1.3.6.{n}'}\n",
		"twice":            head + "  - {field: power, oid: 1.3.6}\n  - {field: power, oid: 1.3.7}\n",
		"scale":            head + "  - {field: power, oid: 1.3.6, scale: -1}\n",
		"range":            head + "  - {field: power, oid: 1.3.6, min: 2, max: 1}\n",
		"decimals":         head + "  - {field: power, oid: 1.3.6, decimals: x}\n",
		"many decimals":    head + "  - {field: power, oid: 1.3.6, decimals: '1.3.7.{n}'}\n",
		"names":            "name: x\nkind: pdu\nnames: 1.3.6\npoints:\n  - {field: power, oid: 1.3.6}\n",
		"blind switch":     "name: x\nkind: pdu\nswitch: {oid: '1.3.{n}', on: 1, off: 2}\npoints:\n  - {field: power, oid: 1.3.6}\n",
		"switch of one":    "name: x\nkind: pdu\nswitch: {oid: '1.3.{n}', on: 1, off: 1}\npoints:\n  - {field: 'outlet.#.on', oid: '1.3.6.{n}'}\n",
	} {
		if _, err := ParseMap([]byte(text)); !errors.Is(err, ErrMap) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPatterns(t *testing.T) {
	p, err := parsePattern("1.3.6.4.1.{n}.5")
	if err != nil {
		t.Fatal(err)
	}
	for oid, want := range map[string]int{".1.3.6.4.1.7.5": 7, ".1.3.6.4.1.48.5": 48, ".1.3.6.4.1.7.4": 0, ".1.3.6.4.1.0.5": 0, ".1.3.6.4.1.5": 0, ".1.3.6.4.1.7.7.5": 0, ".1.3.6.4.10.7.5": 0} {
		if n, ok := p.number(oid); ok != (want > 0) || n != want {
			t.Errorf("%s: %d %v", oid, n, ok)
		}
	}
	if p.root() != ".1.3.6.4.1" || p.of(12) != ".1.3.6.4.1.12.5" {
		t.Errorf("%s %s", p.root(), p.of(12))
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 1<<20).Draw(t, "n")
		if got, ok := p.number(p.of(n)); !ok || got != n {
			t.Fatalf("%d came back as %d", n, got)
		}
	})
}

// apc fills an agent as a switched, metered-by-outlet rPDU2 does.
func apc(a *agent) {
	const base = "1.3.6.1.4.1.318.1.1.26."
	a.put(base+"4.3.1.5.1", gosnmp.Integer, 725) // 7.25 kW
	a.put(base+"4.3.1.9.1", gosnmp.Integer, 123456)
	a.put(base+"4.3.1.17.1", gosnmp.Integer, 98)
	for i, amps := range []int{105, 98, 101} {
		a.put(fmt.Sprint(base, "6.3.1.5.", i+1), gosnmp.Integer, amps)
		a.put(fmt.Sprint(base, "6.3.1.6.", i+1), gosnmp.Integer, 240)
		a.put(fmt.Sprint(base, "6.3.1.7.", i+1), gosnmp.Integer, -1)
	}
	for n := 1; n <= 24; n++ {
		a.put(fmt.Sprint(base, "9.2.3.1.5.", n), gosnmp.Integer, 2)
		a.put(fmt.Sprint(base, "9.4.3.1.3.", n), gosnmp.OctetString, []byte(fmt.Sprintf("Outlet %d", n)))
		a.put(fmt.Sprint(base, "9.4.3.1.6.", n), gosnmp.Integer, 12+n)
		a.put(fmt.Sprint(base, "9.4.3.1.7.", n), gosnmp.Integer, 300+n)
		a.put(fmt.Sprint(base, "9.4.3.1.11.", n), gosnmp.Integer, 1000)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.onSet = func(oid string, value int) gosnmp.SNMPError { // called with the lock held
		for n := 1; n <= 24; n++ {
			if oid == fmt.Sprint(".", base, "9.2.4.1.5.", n) && (value == 1 || value == 2) {
				state := "." + fmt.Sprint(base, "9.2.3.1.5.", n)
				a.objects[state] = gosnmp.SnmpPDU{Name: state, Type: gosnmp.Integer, Value: 3 - value} // on (1) shows as on (2)
				return gosnmp.NoError
			}
		}
		return gosnmp.NoSuchName
	}
}

func TestAPC(t *testing.T) {
	a := startAgent(t)
	apc(a)
	d := testDevice(t, a, Config{Map: builtinMap(t, "apc-rpdu2"), Life: time.Minute})
	for range 2 { // names are asked once and stay
		r, err := d.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		p := r.PDU
		if r.Quality != plant.Good || p.Power.Or(0) != 7250 || math.Abs(p.Energy.Or(0).KWh()-12345.6) > 1e-9 || math.Abs(float64(p.PowerFactor.Or(0))-0.98) > 1e-12 {
			t.Errorf("%+v", r)
		}
		if len(p.Phases) != 3 || p.Phases[0].Current.Or(0) != 10.5 || p.Phases[2].Voltage.Or(0) != 240 || p.Phases[1].Power.Ok() {
			t.Errorf("phases %+v", p.Phases)
		}
		if len(p.Outlets) != 24 || p.Outlets[23].Index != 24 || p.Outlets[23].Power.Or(0) != 324 || p.Outlets[0].Name != "Outlet 1" || !p.Outlets[9].On.Or(false) ||
			math.Abs(float64(p.Outlets[0].Current.Or(0))-1.3) > 1e-9 || p.Outlets[4].Energy.Or(0).KWh() != 100 {
			t.Errorf("outlets %+v", p.Outlets)
		}
		if r.Source != "pdu-1" || r.Life != time.Minute || r.Took <= 0 {
			t.Errorf("%+v", r)
		}
	}
}

// A metered model has no outlets to speak of: that is no fault of the reading.
func TestAPCMetered(t *testing.T) {
	a := startAgent(t)
	const base = "1.3.6.1.4.1.318.1.1.26."
	a.put(base+"4.3.1.5.1", gosnmp.Integer, 100)
	d := testDevice(t, a, Config{Map: builtinMap(t, "apc-rpdu2")})
	r, err := d.Read(t.Context())
	if err != nil || r.PDU.Power.Or(0) != 1000 || r.Quality != plant.Partial || len(r.Warnings) != 1 || r.Warnings[0].Where != "phase.#.current" {
		t.Errorf("%+v, %v", r, err)
	}
	a.put(base+"6.3.1.5.1", gosnmp.Integer, 40)
	if r, err = d.Read(t.Context()); err != nil || r.Quality != plant.Good {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestRaritan(t *testing.T) {
	a := startAgent(t)
	const base = "1.3.6.1.4.1.13742.6."
	a.put(base+"5.2.3.1.4.1.1.5", gosnmp.Gauge32, uint(17250))
	a.put(base+"3.3.4.1.7.1.1.5", gosnmp.Gauge32, uint(1)) // 1,725.0 W
	a.put(base+"5.2.3.1.4.1.1.8", gosnmp.Gauge32, uint(5000))
	a.put(base+"3.3.4.1.7.1.1.8", gosnmp.Gauge32, uint(0))
	for n := 1; n <= 3; n++ {
		a.put(fmt.Sprint(base, "5.2.4.1.4.1.1.", n, ".1"), gosnmp.Gauge32, uint(2500+n))
		a.put(fmt.Sprint(base, "3.3.6.1.7.1.1.", n, ".1"), gosnmp.Gauge32, uint(3))
	}
	for n := 1; n <= 8; n++ {
		a.put(fmt.Sprint(base, "4.1.2.1.3.1.", n), gosnmp.Integer, 8-n%2) // odd ones are on
		a.put(fmt.Sprint(base, "5.4.3.1.4.1.", n, ".5"), gosnmp.Gauge32, uint(200+n))
		a.put(fmt.Sprint(base, "3.5.4.1.7.1.", n, ".5"), gosnmp.Gauge32, uint(0))
		a.put(fmt.Sprint(base, "5.4.3.1.4.1.", n, ".1"), gosnmp.Gauge32, uint(900)) // its decimals are not told
		a.put(fmt.Sprint(base, "3.5.3.1.3.1.", n), gosnmp.OctetString, []byte("rack A"))
	}
	a.put(base+"4.1.2.1.3.1.8", gosnmp.Integer, -1) // unavailable
	d := testDevice(t, a, Config{Map: builtinMap(t, "raritan-px")})
	r, err := d.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p := r.PDU
	if p.Power.Or(0) != 1725 || p.Energy.Or(0).KWh() != 5 || len(p.Phases) != 3 || math.Abs(float64(p.Phases[2].Current.Or(0))-2.503) > 1e-12 {
		t.Errorf("%+v", p)
	}
	if len(p.Outlets) != 8 || p.Outlets[6].Power.Or(0) != 207 || !p.Outlets[0].On.Or(false) || p.Outlets[1].On.Or(true) || p.Outlets[7].On.Ok() ||
		p.Outlets[0].Current.Ok() || p.Outlets[3].Name != "rack A" {
		t.Errorf("%+v", p.Outlets)
	}
}

func TestV3(t *testing.T) {
	for name, c := range map[string]struct {
		auth, priv string
		a          gosnmp.SnmpV3AuthProtocol
		p          gosnmp.SnmpV3PrivProtocol
	}{
		"SHA AES":       {"SHA", "AES", gosnmp.SHA, gosnmp.AES},
		"SHA256 AES256": {"sha256", "aes256", gosnmp.SHA256, gosnmp.AES256},
		"MD5":           {"MD5", "", gosnmp.MD5, gosnmp.NoPriv},
	} {
		t.Run(name, func(t *testing.T) {
			a := startAgent(t)
			apc(a)
			a.secure("ballast", c.a, "authentic-secret", c.p, "private-secret")
			cfg := Config{Map: builtinMap(t, "apc-rpdu2"), User: "ballast", Auth: c.auth, Priv: c.priv, AuthPass: "authentic-secret", PrivPass: "private-secret"}
			d := testDevice(t, a, cfg)
			r, err := d.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if len(r.PDU.Outlets) != 24 || r.PDU.Power.Or(0) != 7250 {
				t.Errorf("%+v", r.PDU)
			}
			if err := d.SetOutlet(t.Context(), 3, false, time.Second); err != nil {
				t.Error(err)
			}
			cfg.AuthPass, cfg.Timeout = "wrong-secret", 30*time.Millisecond
			if err := readOne(t, testDevice(t, a, cfg)); err == nil {
				t.Error("a wrong password opened the door")
			}
		})
	}
}

func TestConfig(t *testing.T) {
	m := builtinMap(t, "apc-rpdu2")
	for name, c := range map[string]Config{
		"no address":       {Map: m, Community: "public"},
		"no way in":        {Map: m, Address: "10.0.0.1"},
		"bad port":         {Map: m, Address: "10.0.0.1:snmp", Community: "public"},
		"unknown auth":     {Map: m, Address: "10.0.0.1", User: "u", Auth: "ROT13"},
		"unknown priv":     {Map: m, Address: "10.0.0.1", User: "u", Auth: "SHA", Priv: "ROT13"},
		"priv alone":       {Map: m, Address: "10.0.0.1", User: "u", Priv: "AES"},
		"a map that fails": {Map: Map{}, Address: "10.0.0.1", Community: "public"},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	d, err := New(Config{Map: m, Address: "10.0.0.1", Community: "s3cret"})
	if err != nil || d.port != 161 {
		t.Errorf("port %d, %v", d.port, err)
	}
	if text := fmt.Sprintf("%v %+v %#v", d.c, d.c, d.c.Community); strings.Contains(text, "s3cret") {
		t.Errorf("the community shows: %s", text)
	}
}

func TestFailures(t *testing.T) {
	m := builtinMap(t, "apc-rpdu2")
	t.Run("silent", func(t *testing.T) {
		a := startAgent(t)
		a.set(func() { a.mute = true })
		d := testDevice(t, a, Config{Map: m, Timeout: 300 * time.Millisecond})
		if err := readOne(t, d); err == nil {
			t.Error("a silent agent was read")
		}
		a.set(func() { a.mute = false })
		apc(a)
		if err := readOne(t, d); err != nil {
			t.Errorf("when it speaks again: %v", err)
		}
	})
	t.Run("wrong community", func(t *testing.T) {
		a := startAgent(t)
		apc(a)
		if err := readOne(t, testDevice(t, a, Config{Map: m, Community: "private", Timeout: 30 * time.Millisecond})); err == nil {
			t.Error("read with a wrong community")
		}
	})
	t.Run("another device", func(t *testing.T) {
		a := startAgent(t)
		a.put("1.3.6.1.2.1.1.1.0", gosnmp.OctetString, []byte("a printer"))
		if err := readOne(t, testDevice(t, a, Config{Map: m})); err == nil {
			t.Error("a printer was read as a PDU")
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		a := startAgent(t)
		a.set(func() { a.mute = true })
		d := testDevice(t, a, Config{Map: m, Timeout: time.Minute})
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(30*time.Millisecond, cancel)
		start := time.Now()
		if _, err := d.Read(ctx); !errors.Is(err, context.Canceled) || time.Since(start) > 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
	t.Run("endless", func(t *testing.T) {
		a := startAgent(t)
		a.set(func() { a.endless = true })
		d := testDevice(t, a, Config{Map: m})
		if err := readOne(t, d); err == nil {
			t.Error("an endless agent was read")
		}
	})
}

func TestSetOutlet(t *testing.T) {
	a := startAgent(t)
	apc(a)
	d := testDevice(t, a, Config{Map: builtinMap(t, "apc-rpdu2")})
	ctx := t.Context()
	for _, on := range []bool{false, false, true} {
		if err := d.SetOutlet(ctx, 7, on, time.Second); err != nil {
			t.Fatal(err)
		}
		if r, err := d.Read(ctx); err != nil || r.PDU.Outlets[6].On != unit.Some(on) {
			t.Errorf("outlet 7 is %v, want %v; %v", r.PDU.Outlets[6].On, on, err)
		}
	}
	if err := d.SetOutlet(ctx, 25, false, time.Second); !errors.Is(err, ErrNoOutlet) {
		t.Errorf("an outlet that is not there: %v", err)
	}
	a.mu.Lock()
	was := a.onSet
	a.onSet = func(string, int) gosnmp.SNMPError { return gosnmp.NoError } // says yes and does nothing
	a.mu.Unlock()
	if err := d.SetOutlet(ctx, 7, false, 20*time.Millisecond); !errors.Is(err, ErrNotConfirmed) {
		t.Errorf("a deaf PDU: %v", err)
	}
	a.mu.Lock()
	a.onSet = nil
	a.mu.Unlock()
	if err := d.SetOutlet(ctx, 7, false, time.Second); err == nil || !strings.Contains(err.Error(), "NotWritable") {
		t.Errorf("a PDU that refuses: %v", err)
	}
	// A switch that takes its time.
	a.mu.Lock()
	a.onSet = func(oid string, v int) gosnmp.SNMPError {
		time.AfterFunc(100*time.Millisecond, func() { a.mu.Lock(); defer a.mu.Unlock(); was(oid, v) })
		return gosnmp.NoError
	}
	a.mu.Unlock()
	if err := d.SetOutlet(ctx, 7, false, 5*time.Second); err != nil {
		t.Errorf("a slow PDU: %v", err)
	}
	plain := builtinMap(t, "apc-rpdu2")
	plain.Switch = nil
	if err := testDevice(t, a, Config{Map: plain}).SetOutlet(ctx, 1, false, time.Second); !errors.Is(err, ErrReadOnly) {
		t.Errorf("a map that cannot switch: %v", err)
	}
}

func TestAmount(t *testing.T) {
	for _, c := range []struct {
		v    gosnmp.SnmpPDU
		want float64
		ok   bool
	}{
		{gosnmp.SnmpPDU{Type: gosnmp.Integer, Value: -5}, -5, true},
		{gosnmp.SnmpPDU{Type: gosnmp.Counter64, Value: uint64(1 << 40)}, 1 << 40, true},
		{gosnmp.SnmpPDU{Type: gosnmp.Gauge32, Value: uint(7)}, 7, true},
		{gosnmp.SnmpPDU{Type: gosnmp.OctetString, Value: []byte(" 12.5 ")}, 12.5, true},
		{gosnmp.SnmpPDU{Type: gosnmp.OctetString, Value: []byte("notsupported")}, 0, false},
		{gosnmp.SnmpPDU{Type: gosnmp.OctetString, Value: []byte("NaN")}, 0, false},
		{gosnmp.SnmpPDU{Type: gosnmp.OpaqueFloat, Value: float32(1.5)}, 1.5, true},
		{gosnmp.SnmpPDU{Type: gosnmp.OpaqueDouble, Value: math.NaN()}, 0, false},
		{gosnmp.SnmpPDU{Type: gosnmp.NoSuchInstance}, 0, false},
		{gosnmp.SnmpPDU{Type: gosnmp.IPAddress, Value: "10.0.0.1"}, 0, false},
		{gosnmp.SnmpPDU{}, 0, false},
	} {
		if got, ok := amount(c.v); got != c.want || ok != c.ok {
			t.Errorf("%+v: %v %v", c.v, got, ok)
		}
	}
}

func TestRun(t *testing.T) {
	a := startAgent(t)
	apc(a)
	d := testDevice(t, a, Config{Map: builtinMap(t, "apc-rpdu2"), Every: 500 * time.Millisecond})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	n := 0
	err := d.Run(ctx, func(r plant.Reading) {
		if r.Quality != plant.Good || r.Kind != plant.PDUKind || r.Source != "pdu-1" {
			t.Errorf("%+v", r)
		}
		if n++; n == 3 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || n != 3 {
		t.Errorf("%d readings, %v", n, err)
	}
}

// Whatever bytes an agent answers, reading them neither panics nor gives what
// cannot be true.
func FuzzReply(f *testing.F) {
	a := &agent{community: "public", objects: map[string]gosnmp.SnmpPDU{}}
	apc(a)
	a.t = f
	q := &gosnmp.SnmpPacket{Version: gosnmp.Version2c, Community: "public", PDUType: gosnmp.GetBulkRequest, MaxRepetitions: 8,
		Variables: []gosnmp.SnmpPDU{{Name: ".1.3.6.1.4.1.318.1.1.26.9.4.3.1.7", Type: gosnmp.Null}}}
	reply, err := a.respond(q).MarshalMsg()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(reply)
	f.Add([]byte{0x30, 0x03, 0x02, 0x01, 0x01})
	m := builtinMap(f, "apc-rpdu2")
	p, err := m.prepare()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		decoder := &gosnmp.GoSNMP{Version: gosnmp.Version2c}
		answer, err := decoder.SnmpDecodePacket(b)
		if err != nil || answer == nil {
			return
		}
		told := objects{}
		for _, v := range answer.Variables {
			told[v.Name] = v
		}
		r, _ := p.read(plant.PDUKind, told, told)
		if r.PDU == nil {
			return
		}
		for _, o := range r.PDU.Outlets {
			if w, ok := o.Power.Get(); ok && !(w >= 0 && w <= 1e5) {
				t.Fatalf("%+v", o)
			}
		}
	})
}
