package plant

import (
	"context"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"ballast/unit"
)

var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

func TestQuality(t *testing.T) {
	r := Reading{At: noon, Quality: Good, Life: 30 * time.Second}
	if q := r.QualityAt(noon.Add(30 * time.Second)); q != Good || !r.Usable(noon) {
		t.Errorf("within its life: %s", q)
	}
	if q := r.QualityAt(noon.Add(31 * time.Second)); q != Stale || r.Usable(noon.Add(time.Minute)) {
		t.Errorf("past its life: %s", q)
	}
	r.Quality = Lost
	if q := r.QualityAt(noon.Add(time.Hour)); q != Lost || r.Usable(noon) {
		t.Errorf("lost: %s", q)
	}
	if q := (Reading{At: noon, Quality: Partial}).QualityAt(noon.Add(1000 * time.Hour)); q != Partial {
		t.Errorf("without a life: %s", q)
	}
}

func TestLatest(t *testing.T) {
	var l Latest
	if _, ok := l.Get("m", noon); ok {
		t.Error("a reading of nothing")
	}
	l.Put(Reading{Source: "m", At: noon, Quality: Good, Life: time.Minute})
	l.Put(Reading{Source: "m", At: noon.Add(-time.Second), Quality: Lost}) // late
	l.Put(Reading{Source: "c", At: noon, Quality: Partial})
	if r, ok := l.Get("m", noon.Add(2*time.Minute)); !ok || r.Quality != Stale {
		t.Errorf("%+v", r)
	}
	all := l.All(noon)
	if len(all) != 2 || all[0].Source != "c" || all[1].Quality != Good {
		t.Errorf("%+v", all)
	}
}

// Every field of every kind keeps what is put into it, keeps it apart from all
// others, and looking changes nothing.
func TestFieldsKeepApart(t *testing.T) {
	for _, k := range []Kind{MeterKind, CoolingKind, PDUKind, WeatherKind} {
		r := Reading{Kind: k}
		want := map[Field]float64{}
		for i, name := range Fields(k) {
			f := Field(strings.NewReplacer("#", "3", "NAME", "pump_failed").Replace(name))
			info, err := f.Info(k)
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := r.Value(f); ok && info.Quantity != Switch {
				t.Errorf("%s %s is there before it was put", k, f)
			}
			v := 1.0
			if info.Quantity != Switch {
				v = info.Min + (info.Max-info.Min)*float64(i+1)/100
			}
			if err := r.Put(f, v); err != nil {
				t.Fatal(err)
			}
			want[f] = v
		}
		for f, v := range want {
			if got, ok := r.Value(f); !ok || math.Abs(got-v) > 1e-9*math.Abs(v) {
				t.Errorf("%s %s: %v %v, want %v", k, f, got, ok, v)
			}
		}
		if len(r.Warnings) > 0 {
			t.Errorf("%s: %v", k, r.Warnings)
		}
		before, after := r, r
		_, _ = r.Value("fan.9.speed")
		_, _ = r.Value("outlet.9.on")
		if !reflect.DeepEqual(before, after) || (r.Cooling != nil && len(r.Cooling.Fans) != 1) || (r.PDU != nil && len(r.PDU.Outlets) != 1) {
			t.Errorf("looking changed %s", k)
		}
	}
}

func TestUnknownFields(t *testing.T) {
	for k, fs := range map[Kind][]Field{
		MeterKind:   {"", "supply", "power.l4", "power.1", "POWER", "voltage"},
		CoolingKind: {"fan.0.speed", "fan.01.speed", "fan.x.speed", "fan.speed", "fan.#.speed", "fan.3", "fan.2000.speed", "alarm.", "alarm", "fan.3.colour"},
		PDUKind:     {"outlet.on", "outlet.-1.on"},
		"boat":      {"power"},
	} {
		for _, f := range fs {
			r := Reading{Kind: k}
			if err := r.Put(f, 1); err == nil {
				t.Errorf("%s has a field %q", k, f)
			}
			if _, ok := r.Value(f); ok {
				t.Errorf("%s has a value for %q", k, f)
			}
		}
	}
}

func TestImplausible(t *testing.T) {
	r := Reading{Kind: MeterKind}
	for f, v := range map[Field]float64{"frequency": 0, "power_factor": 1.2, "voltage.l1": -1, "power": math.NaN(), "energy_import": math.Inf(1)} {
		if err := r.Put(f, v); err != nil {
			t.Fatal(err)
		}
		if _, ok := r.Value(f); ok {
			t.Errorf("%s took %v", f, v)
		}
	}
	if len(r.Warnings) != 5 {
		t.Errorf("%d warnings: %v", len(r.Warnings), r.Warnings)
	}
	if err := r.Put("power_factor", 1.0000001); err != nil {
		t.Fatal(err)
	}
	if _, ok := r.Value("power_factor"); !ok {
		t.Error("rounding is no lie")
	}
}

func TestAlarms(t *testing.T) {
	r := Reading{Kind: CoolingKind}
	for _, a := range []struct {
		f Field
		v float64
	}{{"alarm.leak", 1}, {"alarm.flow", 1}, {"alarm.leak", 1}, {"alarm.level", 0}, {"alarm.flow", 0}, {"alarm.air", 1}} {
		if err := r.Put(a.f, a.v); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(r.Cooling.Alarms, []string{"air", "leak"}) {
		t.Errorf("alarms %v", r.Cooling.Alarms)
	}
	if v, ok := r.Value("alarm.leak"); v != 1 || !ok {
		t.Errorf("leak: %v %v", v, ok)
	}
}

func TestConversions(t *testing.T) {
	for _, c := range []struct {
		q    Quantity
		unit string
		v    float64
		want float64
	}{
		{Power, "kW", 3.25, 3250}, {Power, "", 7, 7}, {Energy, "kWh", 2, 7.2e6}, {Energy, "Wh", 1, 3600}, {Temperature, "F", 212, 100}, {Temperature, "°F", -40, -40},
		{Temperature, "K", 300, 26.85}, {Flow, "m3/h", 6, 100}, {Flow, "gpm", 1, 3.785411784}, {Pressure, "psi", 14.5037738, 1}, {Pressure, "kPa", 250, 2.5},
		{Speed, "Hz", 50, 3000}, {Ratio, "%", 75, 0.75}, {Voltage, "kV", 13.8, 13800},
	} {
		conv, err := ConversionOf(c.q, c.unit)
		if err != nil {
			t.Fatal(err)
		}
		if got := conv.Base(c.v); math.Abs(got-c.want) > 1e-6*math.Max(1, math.Abs(c.want)) {
			t.Errorf("%v %s is %v, want %v", c.v, c.unit, got, c.want)
		}
		if back := conv.From(conv.Base(c.v)); math.Abs(back-c.v) > 1e-9*math.Max(1, math.Abs(c.v)) {
			t.Errorf("%v %s came back as %v", c.v, c.unit, back)
		}
	}
	for _, bad := range []struct {
		q Quantity
		u string
	}{{Power, "mW"}, {Power, "kWh"}, {Energy, "W"}, {Temperature, "f"}, {"", ""}} {
		if _, err := ConversionOf(bad.q, bad.u); err == nil {
			t.Errorf("%s in %q", bad.q, bad.u)
		}
	}
}

func TestCounter(t *testing.T) {
	kwh := unit.KilowattHour
	c := Counter{Wrap: 1000 * kwh, Most: 100 * unit.Kilowatt}
	for i, s := range []struct {
		v    unit.Energy
		want Step
		d    unit.Energy
	}{
		{900 * kwh, First, 0}, {901 * kwh, Counted, kwh}, {901 * kwh, Counted, 0}, {999 * kwh, Counted, 98 * kwh}, {1 * kwh, RolledOver, 2 * kwh},
		{900 * kwh, Jumped, 0}, {901 * kwh, Counted, kwh}, {500 * kwh, Reset, 0}, {501 * kwh, Counted, kwh}, {0, Reset, 0}, {3 * kwh, Counted, 3 * kwh},
	} {
		d, step := c.See(s.v, noon.Add(time.Duration(i)*time.Hour))
		got, ok := d.Get()
		if step != s.want || ok != (step == Counted || step == RolledOver) || math.Abs(float64(got-s.d)) > 1 {
			t.Errorf("look %d at %v: %s %v, want %s %v", i, s.v, step, got, s.want, s.d)
		}
	}
	if _, step := c.See(4*kwh, noon.Add(10*time.Hour)); step != First {
		t.Errorf("the same instant twice: %s", step)
	}
}

// A counter that goes round any number of times counts all that flowed, as long
// as it is looked at before it has gone round a tenth.
func TestCounterProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wrap := rapid.IntRange(100, 1<<32).Draw(t, "wrap")
		c := Counter{Wrap: unit.Energy(wrap)}
		flowed, counted := 0, 0.0
		start := rapid.IntRange(0, wrap-1).Draw(t, "start")
		for i := range rapid.IntRange(1, 60).Draw(t, "looks") {
			if i > 0 {
				flowed += rapid.IntRange(0, wrap/10-1).Draw(t, "flow")
			}
			d, step := c.See(unit.Energy((start+flowed)%wrap), noon.Add(time.Duration(i)*time.Second))
			if step != Counted && step != RolledOver && step != First {
				t.Fatalf("look %d: %s", i, step)
			}
			counted += float64(d.Or(0))
		}
		if counted != float64(flowed) {
			t.Fatalf("counted %v of %d", counted, flowed)
		}
	})
}

func TestPollerPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var asked []time.Duration
		slow := map[int]time.Duration{2: 4 * time.Second, 5: 25 * time.Second}
		ctx, cancel := context.WithCancel(t.Context())
		p := Poller{Name: "m", Kind: MeterKind, Every: 10 * time.Second, Timeout: time.Minute, Read: func(context.Context) (Reading, error) {
			asked = append(asked, time.Since(start))
			time.Sleep(slow[len(asked)-1])
			return Reading{At: time.Now(), Quality: Good}, nil
		}}
		var got []Reading
		err := p.Run(ctx, func(r Reading) {
			if got = append(got, r); len(got) == 8 {
				cancel()
			}
		})
		want := []time.Duration{0, 10, 20, 30, 40, 50, 80, 90} // 50 took 25 s: 60 and 70 are gone, 80 is on the beat
		for i := range want {
			want[i] *= time.Second //nolint:durationcheck // written as bare numbers
		}
		if !errors.Is(err, context.Canceled) || !slices.Equal(asked, want) {
			t.Errorf("asked at %v, want %v; %v", asked, want, err)
		}
		if got[0].Source != "m" || got[0].Kind != MeterKind || got[0].Life != 30*time.Second {
			t.Errorf("reading %+v", got[0])
		}
	})
}

func TestPollerFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var asked []time.Duration
		p := Poller{Name: "m", Kind: MeterKind, Every: 10 * time.Second, Timeout: 2 * time.Second, Rest: time.Minute, Read: func(ctx context.Context) (Reading, error) {
			asked = append(asked, time.Since(start))
			if n := len(asked); n == 1 || n == 10 {
				return Reading{At: time.Now(), Quality: Good}, nil
			}
			<-ctx.Done() // a device that hangs
			return Reading{}, ctx.Err()
		}}
		ctx, cancel := context.WithCancel(t.Context())
		var got []Reading
		_ = p.Run(ctx, func(r Reading) {
			if got = append(got, r); len(got) == 11 {
				cancel()
			}
		})
		for i, r := range got {
			wantLost := i != 0 && i != 9
			if (r.Quality == Lost) != wantLost || (wantLost && (r.Err == "" || r.LastGood.IsZero())) {
				t.Errorf("reading %d: %+v", i, r)
			}
		}
		// The first failure is asked again on the beat; then pauses grow to a minute.
		for i := 2; i < 9; i++ {
			pause := asked[i+1] - asked[i] - 2*time.Second
			want := min(10*time.Second<<(i-1), time.Minute)
			if i >= 2 && (pause < want*4/5 || pause > want*6/5) {
				t.Errorf("pause %d was %v, want about %v", i, pause, want)
			}
		}
		if pause := asked[10] - asked[9]; pause > 10*time.Second {
			t.Errorf("after it answered again: %v", pause)
		}
	})
}

func TestPollerStopsInARead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		p := Poller{Every: time.Hour, Read: func(ctx context.Context) (Reading, error) {
			<-ctx.Done()
			return Reading{}, ctx.Err()
		}}
		if err := p.Run(ctx, func(r Reading) { t.Errorf("emitted %+v", r) }); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
}
