package register

import (
	"context"
	"errors"
	"maps"
	"math"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"ballast/plant"
	"ballast/plant/modbus"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rack is a simulated device on a real socket.
type rack struct {
	mu      sync.Mutex
	values  map[plant.Field]float64
	writes  []float64
	deaf    bool // takes writes and does nothing
	refuse  map[modbus.Table]modbus.Exception
	bank    *Bank
	m       Map
	address string
}

func stand(t testing.TB, m Map) *rack {
	t.Helper()
	r := &rack{values: map[plant.Field]float64{}, m: m, refuse: map[modbus.Table]modbus.Exception{}}
	var err error
	if r.bank, err = NewBank(m); err != nil {
		t.Fatal(err)
	}
	r.bank.Get = func(f plant.Field) (float64, bool) {
		r.mu.Lock()
		defer r.mu.Unlock()
		v, ok := r.values[f]
		return v, ok
	}
	r.bank.Set = func(f plant.Field, v float64) error {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.writes = append(r.writes, v)
		if !r.deaf {
			r.values[f] = v
		}
		return nil
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.address = l.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = (&modbus.Server{Handler: r}).Serve(ctx, l) }()
	t.Cleanup(func() { cancel(); <-done })
	return r
}

func (r *rack) refusal(t modbus.Table) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e, ok := r.refuse[t]; ok {
		return e
	}
	return nil
}

func (r *rack) ReadBits(u byte, t modbus.Table, a uint16, n int) ([]bool, error) {
	if err := r.refusal(t); err != nil {
		return nil, err
	}
	return r.bank.ReadBits(u, t, a, n)
}

func (r *rack) ReadRegisters(u byte, t modbus.Table, a uint16, n int) ([]uint16, error) {
	if err := r.refusal(t); err != nil {
		return nil, err
	}
	return r.bank.ReadRegisters(u, t, a, n)
}

func (r *rack) WriteBits(u byte, a uint16, b []bool) error { return r.bank.WriteBits(u, a, b) }
func (r *rack) WriteRegisters(u byte, a uint16, w []uint16) error {
	return r.bank.WriteRegisters(u, a, w)
}

func (r *rack) put(values map[plant.Field]float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.Copy(r.values, values)
}

func (r *rack) device(t testing.TB, c Config) *Device {
	t.Helper()
	client := modbus.NewClient(modbus.Options{Address: r.address, Timeout: time.Second, Rest: 50 * time.Millisecond})
	t.Cleanup(func() { _ = client.Close() })
	c.Name, c.Map, c.Client = "d", r.m, client
	d, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func builtinMap(t testing.TB, name string) Map {
	t.Helper()
	m, err := Builtin(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Every built-in map carries any plausible values from a served device to a
// reading, through real sockets, whether the device reads gaps or refuses them.
func TestBuiltinMapsEndToEnd(t *testing.T) {
	for _, name := range BuiltinNames() {
		for _, strict := range []bool{false, true} {
			t.Run(name+map[bool]string{true: " strict"}[strict], func(t *testing.T) {
				m := builtinMap(t, name)
				r := stand(t, m)
				r.bank.Strict = strict
				d := r.device(t, Config{})
				rapid.Check(t, func(t *rapid.T) {
					values := map[plant.Field]float64{}
					for _, p := range d.points {
						low, high := p.min, p.max
						switch p.info.Quantity {
						case plant.Switch:
							values[p.Field] = float64(rapid.IntRange(0, 1).Draw(t, string(p.Field)))
						default:
							// What the type can hold, and the field allow.
							if p.Type == Int16 || p.Type == Uint16 {
								low, high = math.Max(low, p.conv.Base(-30000*p.scale)), math.Min(high, p.conv.Base(30000*p.scale))
							}
							if p.Type == Uint16 || p.Type == Uint32 || p.Type == Uint64 {
								low = math.Max(low, p.conv.Base(0))
							}
							if p.Type == Int32 || p.Type == Uint32 {
								high, low = math.Min(high, p.conv.Base(2e9*p.scale)), math.Max(low, p.conv.Base(-2e9*p.scale))
							}
							values[p.Field] = rapid.Float64Range(low, high).Draw(t, string(p.Field))
						}
					}
					r.put(values)
					got, err := d.Read(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					for f, want := range values {
						p := d.byField[f]
						v, ok := got.Value(f)
						if !ok || math.Abs(v-want) > 0.51*p.resolution(want)+1e-6*math.Abs(want)+1e-9 {
							t.Fatalf("%s is %v %v, want %v; %v", f, v, ok, want, got.Warnings)
						}
					}
				})
				if len(d.blocks) > 12 {
					t.Errorf("%d requests", len(d.blocks))
				}
			})
		}
	}
}

func TestMeterReading(t *testing.T) {
	r := stand(t, builtinMap(t, "abb-b-series"))
	d := r.device(t, Config{Life: time.Minute, Rated: 2e6})
	r.put(map[plant.Field]float64{"power": 30000, "power.l1": 10000, "power.l2": 10000, "power.l3": 10000, "voltage.l1": 240.1, "frequency": 60, "energy_import": 3.6e9})
	got, err := d.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// The other points say "not available".
	if got.Quality != plant.Partial || got.Meter.Power.Or(0) != 30000 || math.Abs(float64(got.Meter.Voltage[0].Or(0))-240.1) > 1e-9 || got.Meter.Voltage[1].Ok() {
		t.Errorf("%+v", got)
	}
	if got.Kind != plant.MeterKind || got.Source != "d" || got.At.IsZero() || got.Life != time.Minute || got.Meter.ImportSince.Ok() {
		t.Errorf("%+v", got)
	}
	for _, w := range got.Warnings {
		if w.Kind != plant.WarnMissing {
			t.Errorf("warning %+v", w)
		}
	}
	r.put(map[plant.Field]float64{"energy_import": 3.6e9 + 3.6e6, "power.l3": 1e6})
	if got, err = d.Read(t.Context()); err != nil || got.Meter.ImportSince.Or(0) != 3.6e6 {
		t.Errorf("imported %v, %v", got.Meter.ImportSince, err)
	}
	if !hasWarning(got, plant.WarnConflict, "power") {
		t.Errorf("phases that do not add up: %v", got.Warnings)
	}
	r.put(map[plant.Field]float64{"energy_import": 3.6e6, "frequency": 25})
	got, err = d.Read(t.Context())
	if err != nil || got.Meter.ImportSince.Ok() || !hasWarning(got, plant.WarnRollOver, "energy_import") || got.Meter.Frequency.Ok() || !hasWarning(got, plant.WarnImplausible, "frequency") {
		t.Errorf("a meter that was exchanged: %+v %v", got, err)
	}
}

func hasWarning(r plant.Reading, k plant.WarningKind, where string) bool {
	for _, w := range r.Warnings {
		if w.Kind == k && w.Where == where {
			return true
		}
	}
	return false
}

// An energy counter of 32 bits goes round at the end of its type.
func TestMeterRollOver(t *testing.T) {
	m, err := ParseMap([]byte("name: x\nkind: meter\npoints:\n  - {field: energy_import, address: 0, type: uint32, scale: 10, unit: Wh}\n"))
	if err != nil {
		t.Fatal(err)
	}
	r := stand(t, m)
	d := r.device(t, Config{})
	end := 10.0 * (1 << 32) * 3600
	for i, v := range []float64{end - 36000, 36000} {
		r.put(map[plant.Field]float64{"energy_import": v})
		got, err := d.Read(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if want := 72000.0; i == 1 && (math.Abs(float64(got.Meter.ImportSince.Or(0))-want) > 1 || got.Quality != plant.Good) {
			t.Errorf("imported %v (%s), want %v", got.Meter.ImportSince, got.Quality, want)
		}
	}
}

func TestCoolingReading(t *testing.T) {
	r := stand(t, builtinMap(t, "ballast-cooling"))
	d := r.device(t, Config{})
	values := map[plant.Field]float64{"alarm.leak": 1, "alarm.low_flow": 1, "running": 1, "pump.2.running": 0, "pump.1.running": 1, "supply": 35.5, "return": 45.2,
		"flow": 1250.5, "setpoint": 35, "fan.3.speed": 870}
	r.put(values)
	got, err := d.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := got.Cooling
	if c == nil || len(c.Alarms) != 2 || c.Alarms[0] != "leak" || !c.Running.Or(false) || c.Pumps[1].Running.Or(true) || c.Fans[0].Speed.Or(0) != 870 || c.Fans[0].Index != 3 {
		t.Errorf("%+v", c)
	}
	// One table refused: the rest is still there.
	r.mu.Lock()
	r.refuse[modbus.DiscreteInputs] = modbus.DeviceBusy
	r.mu.Unlock()
	if got, err = d.Read(t.Context()); err != nil || got.Quality != plant.Partial || got.Cooling.Running.Ok() || !got.Cooling.Supply.Ok() || !hasWarning(got, plant.WarnMissing, "running") {
		t.Errorf("%+v, %v", got, err)
	}
	r.mu.Lock()
	for t := range tables {
		r.refuse[tables[t]] = modbus.GatewayTargetNoAnswer
	}
	r.mu.Unlock()
	if _, err = d.Read(t.Context()); !errors.Is(err, modbus.GatewayTargetNoAnswer) {
		t.Errorf("all refused: %v", err)
	}
}

func TestSet(t *testing.T) {
	r := stand(t, builtinMap(t, "ballast-cooling"))
	d := r.device(t, Config{})
	ctx := t.Context()
	if _, err := d.SetSetpoint(ctx, 30); !errors.Is(err, ErrNoSight) || len(r.writes) != 0 {
		t.Errorf("blind: %v, wrote %v", err, r.writes)
	}
	r.put(map[plant.Field]float64{"setpoint": 30, "supply": 30})
	w, err := d.SetSetpoint(ctx, 33.3)
	if err != nil || w.Was != 30 || math.Abs(w.Now-33.3) > 1e-9 {
		t.Errorf("%+v, %v", w, err)
	}
	if w, err = d.SetSetpoint(ctx, 33.3); err != nil || len(r.writes) != 1 || w.Was != w.Now {
		t.Errorf("what is set already: %+v, %v, %d writes", w, err, len(r.writes))
	}
	for _, c := range []struct {
		f    plant.Field
		v    float64
		want error
	}{
		{"setpoint", 14.9, ErrLimit}, {"setpoint", 55.1, ErrLimit}, {"setpoint", math.NaN(), ErrLimit}, {"setpoint", math.Inf(1), ErrLimit}, {"setpoint", 38.4, ErrStep},
		{"setpoint", 28.2, ErrStep}, {"supply", 30, ErrReadOnly}, {"nothing", 1, ErrReadOnly},
	} {
		if _, err := d.Set(ctx, c.f, c.v); !errors.Is(err, c.want) {
			t.Errorf("%s to %v: %v, want %v", c.f, c.v, err, c.want)
		}
	}
	if _, err := d.SetSafe(ctx, "supply"); !errors.Is(err, ErrReadOnly) {
		t.Errorf("the safe value of what has none: %v", err)
	}
	if len(r.writes) != 1 {
		t.Errorf("refused and written all the same: %v", r.writes)
	}
	if w, err := d.SetSetpoint(ctx, 38.3); err != nil || math.Abs(w.Now-38.3) > 1e-9 {
		t.Errorf("a whole step: %+v, %v", w, err)
	}
	if w, err := d.SetSafe(ctx, "setpoint"); err != nil || w.Now != 25 {
		t.Errorf("safe: %+v, %v", w, err)
	}
	// A controller that says yes and does nothing.
	r.mu.Lock()
	r.deaf, r.writes = true, nil
	r.mu.Unlock()
	w, err = d.SetSetpoint(ctx, 28)
	if !errors.Is(err, ErrNotConfirmed) || w.Now != 25 || !strings.Contains(err.Error(), "setpoint of d") {
		t.Errorf("a deaf controller: %+v, %v", w, err)
	}
	if len(r.writes) != 2 || r.writes[0] != 28 || r.writes[1] != 25 {
		t.Errorf("wrote %v, want 28 and then 25 back", r.writes)
	}
}

// Whatever is asked for, what is in force stays within the limits, moves by no
// more than a step, and is what Set said it is.
func TestSetProperty(t *testing.T) {
	r := stand(t, builtinMap(t, "ballast-cooling"))
	d := r.device(t, Config{})
	rapid.Check(t, func(t *rapid.T) {
		r.put(map[plant.Field]float64{"setpoint": float64(rapid.IntRange(150, 550).Draw(t, "start")) / 10})
		for range rapid.IntRange(1, 5).Draw(t, "writes") {
			r.mu.Lock()
			before := r.values["setpoint"]
			r.mu.Unlock()
			ask := rapid.Float64Range(0, 70).Draw(t, "ask")
			w, err := d.Set(t.Context(), "setpoint", ask)
			r.mu.Lock()
			after := r.values["setpoint"]
			r.mu.Unlock()
			switch {
			case err == nil && (math.Abs(after-ask) > 0.051 || math.Abs(w.Now-after) > 1e-9 || math.Abs(after-before) > 5.051):
				t.Fatalf("asked for %v at %v, got %v, told %+v", ask, before, after, w)
			case err != nil && after != before:
				t.Fatalf("asked for %v at %v, refused (%v), and it is %v", ask, before, err, after)
			case after < 15 || after > 55:
				t.Fatalf("%v is out of limits", after)
			case err != nil && ask >= 15 && ask <= 55 && math.Abs(ask-before) <= 5:
				t.Fatalf("asked for %v at %v: %v", ask, before, err)
			}
		}
	})
}

func TestWriteOfOthers(t *testing.T) {
	r := stand(t, builtinMap(t, "ballast-cooling"))
	c := modbus.NewClient(modbus.Options{Address: r.address})
	defer c.Close()
	ctx := t.Context()
	for name, err := range map[string]error{
		"outside the limits":  c.WriteRegisters(ctx, 1, 0, []uint16{600}),
		"beyond the setpoint": c.WriteRegisters(ctx, 1, 0, []uint16{300, 1}),
		"not there":           c.WriteRegisters(ctx, 1, 7, []uint16{1}),
		"a coil":              c.WriteCoil(ctx, 1, 0, true),
	} {
		if e, ok := errors.AsType[modbus.Exception](err); !ok {
			t.Errorf("%s: %v %v", name, e, err)
		}
	}
	if len(r.writes) != 0 {
		t.Errorf("wrote %v", r.writes)
	}
	r.bank.Unit = 7
	if _, err := c.ReadRegisters(ctx, 6, modbus.HoldingRegisters, 0, 1); !errors.Is(err, modbus.GatewayTargetNoAnswer) {
		t.Errorf("another unit: %v", err)
	}
}

// A source keeps its pace, says Lost when the device is gone, and comes back
// with it.
func TestRun(t *testing.T) {
	m := builtinMap(t, "janitza-umg")
	r := stand(t, m)
	values := map[plant.Field]float64{}
	for _, p := range m.Points {
		values[p.Field] = 50
	}
	values["power_factor.l1"], values["power_factor.l2"], values["power_factor.l3"] = 1, 1, 1
	r.put(values)
	var mu sync.Mutex
	var down bool
	client := modbus.NewClient(modbus.Options{Address: r.address, Timeout: time.Second, Rest: 20 * time.Millisecond, Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		if down {
			return nil, errors.New("no route")
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}})
	defer client.Close()
	d, err := New(Config{Name: "feeder", Map: m, Client: client, Every: 10 * time.Millisecond, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var seen []plant.Quality
	err = d.Run(ctx, func(x plant.Reading) {
		if x.Source != "feeder" || x.Kind != plant.MeterKind {
			t.Errorf("%+v", x)
		}
		if n := len(seen); n == 0 || seen[n-1] != x.Quality {
			seen = append(seen, x.Quality)
		}
		mu.Lock()
		defer mu.Unlock()
		switch {
		case len(seen) == 1 && x.Quality == plant.Good: // cut the line
			down = true
			_ = d.c.Client.Close()
			d.c.Client = modbus.NewClient(modbus.Options{Address: r.address, Rest: 20 * time.Millisecond, Dial: func(context.Context, string, string) (net.Conn, error) {
				mu.Lock()
				defer mu.Unlock()
				if down {
					return nil, errors.New("no route")
				}
				return net.Dial("tcp", r.address)
			}})
		case len(seen) == 2:
			if x.LastGood.IsZero() || !strings.Contains(x.Err, "no route") || x.Meter != nil {
				t.Errorf("%+v", x)
			}
			down = false
		case len(seen) == 3:
			cancel()
		}
	})
	_ = d.c.Client.Close()
	if !errors.Is(err, context.Canceled) || len(seen) != 3 || seen[0] != plant.Good || seen[1] != plant.Lost || seen[2] != plant.Good {
		t.Errorf("qualities %v, %v", seen, err)
	}
}

func BenchmarkRead(b *testing.B) {
	r := stand(b, builtinMap(b, "schneider-pm5000"))
	values := map[plant.Field]float64{}
	for _, p := range r.m.Points {
		values[p.Field] = 50
	}
	r.put(values)
	d := r.device(b, Config{})
	for b.Loop() {
		if _, err := d.Read(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
