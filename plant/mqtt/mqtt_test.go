package mqtt

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ballast/plant"
)

var noon = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

const sample = `
topics:
  - filter: site/+/meter/+/state
    source: "{2}-{4}"
    kind: meter
    time: {path: ts, form: unix_ms}
    life: 30s
    points:
      - {field: power, path: power.total, unit: kW}
      - {field: power.l1, path: power.phases.0, unit: kW, optional: true}
      - {field: energy_import, path: energy, unit: kWh}
      - {field: frequency, path: hz}
  - filter: loops/east/#
    source: east-loop
    kind: cooling
    points:
      - {field: supply, path: t.supply, unit: F, optional: true}
      - {field: alarm.leak, path: leak, values: {"wet": 1, "dry": 0}, optional: true}
      - {field: running, path: run, optional: true}
      - {field: pump.1.duty, path: 'pumps.#(id=="p1").duty', unit: "%", optional: true}
  - filter: weather/temperature
    source: roof
    kind: weather
    points:
      - {field: temperature}
  - filter: switch/pump
    source: pump-switch
    kind: cooling
    points:
      - {field: running, values: {"ON": 1, "OFF": 0}}
`

func reader(t testing.TB, text string) *Reader {
	t.Helper()
	m, err := ParseMapping([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(m)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func one(t testing.TB, r *Reader, topic, payload string, retained bool) plant.Reading {
	t.Helper()
	rs := r.Message(topic, []byte(payload), retained, noon)
	if len(rs) != 1 {
		t.Fatalf("%s %s: %d readings", topic, payload, len(rs))
	}
	return rs[0]
}

func TestMessage(t *testing.T) {
	r := reader(t, sample)
	m := one(t, r, "site/odessa/meter/feeder-3/state", `{"ts": 1782907190250, "power": {"total": 3250.5, "phases": [1000, 1100, 1150.5]}, "energy": "120.5", "hz": 59.98, "more": [1]}`, false)
	if m.Source != "odessa-feeder-3" || m.Kind != plant.MeterKind || m.Quality != plant.Good || m.Life != 30*time.Second ||
		!m.At.Equal(time.UnixMilli(1782907190250)) || m.Meter.Power.Or(0) != 3250500 || m.Meter.PowerPhase[0].Or(0) != 1e6 || m.Meter.EnergyImport.Or(0).KWh() != 120.5 {
		t.Errorf("%+v %+v", m, m.Meter)
	}
	c := one(t, r, "loops/east/a/b", `{"t":{"supply":86},"leak":"wet","run":true,"pumps":[{"id":"p2","duty":10},{"id":"p1","duty":75}]}`, false)
	if c.Source != "east-loop" || !c.At.Equal(noon) || math.Abs(float64(c.Cooling.Supply.Or(0))-30) > 1e-9 || !slices.Equal(c.Cooling.Alarms, []string{"leak"}) ||
		!c.Cooling.Running.Or(false) || math.Abs(float64(c.Cooling.Pumps[0].Duty.Or(0))-0.75) > 1e-12 || c.Life != 5*time.Minute {
		t.Errorf("%+v %+v", c, c.Cooling)
	}
	if c = one(t, r, "loops/east", `{"run":false}`, false); c.Cooling.Running.Or(true) { // # takes its parent too
		t.Errorf("%+v", c)
	}
	for _, payload := range []string{"21.5", " 21.5\n", `"21.5"`} {
		if w := one(t, r, "weather/temperature", payload, false); w.Weather == nil || w.Weather.Temperature.Or(0) != 21.5 {
			t.Errorf("%q: %+v", payload, w)
		}
	}
	if s := one(t, r, "switch/pump", "ON", false); !s.Cooling.Running.Or(false) {
		t.Errorf("%+v", s)
	}
	for _, topic := range []string{"site/odessa/meter/feeder-3", "site/odessa/meter/feeder-3/state/x", "loops/west", "weather", "", "/weather/temperature"} {
		if rs := r.Message(topic, []byte("{}"), false, noon); len(rs) != 0 {
			t.Errorf("%q: %+v", topic, rs)
		}
	}
	if f := r.Filters(); !slices.Equal(f, []string{"site/+/meter/+/state", "loops/east/#", "weather/temperature", "switch/pump"}) {
		t.Errorf("filters %v", f)
	}
}

func TestBadMessages(t *testing.T) {
	r := reader(t, sample)
	const topic = "site/a/meter/b/state"
	has := func(x plant.Reading, k plant.WarningKind) bool {
		return slices.ContainsFunc(x.Warnings, func(w plant.Warning) bool { return w.Kind == k })
	}
	for name, c := range map[string]struct {
		payload  string
		retained bool
		quality  plant.Quality
		warn     plant.WarningKind
	}{
		"empty":           {"", false, plant.Lost, plant.WarnBroken},
		"cut off":         {`{"power": {"tot`, false, plant.Lost, plant.WarnBroken},
		"not UTF-8":       {"\xff\xfe", false, plant.Lost, plant.WarnBroken},
		"another shape":   {`[1,2,3]`, false, plant.Lost, plant.WarnMissing},
		"nothing of it":   {`{"ts": 1782907190250, "colour": "red"}`, false, plant.Lost, plant.WarnMissing},
		"some missing":    {`{"ts": 1782907190250, "power": {"total": 5}}`, false, plant.Partial, plant.WarnMissing},
		"no numbers":      {`{"ts": 1782907190250, "power": {"total": {}}, "energy": null, "hz": "fifty"}`, false, plant.Lost, plant.WarnMissing},
		"implausible":     {`{"ts": 1782907190250, "power": {"total": 5}, "energy": 1, "hz": 5998}`, false, plant.Partial, plant.WarnImplausible},
		"all implausible": {`{"ts": 1782907190250, "power": {"total": 1e12}, "energy": -1, "hz": 5998}`, false, plant.Lost, plant.WarnImplausible},
		"no time":         {`{"power": {"total": 5}, "energy": 1, "hz": 50}`, false, plant.Partial, plant.WarnUndated},
		"time in words":   {`{"ts": "noon", "power": {"total": 5}, "energy": 1, "hz": 50}`, false, plant.Partial, plant.WarnUndated},
		"time to come":    {`{"ts": 4102444800000, "power": {"total": 5}, "energy": 1, "hz": 50}`, false, plant.Partial, plant.WarnUndated},
		"huge":            {`{"power": "` + strings.Repeat("x", longest) + `"}`, false, plant.Lost, plant.WarnBroken},
		"huge number":     {`{"ts": 1782907190250, "power": {"total": 1e999}, "energy": 1, "hz": 50}`, false, plant.Partial, plant.WarnMissing},
	} {
		x := one(t, r, topic, c.payload, c.retained)
		if x.Quality != c.quality || !has(x, c.warn) || x.Source != "a-b" || (x.Quality == plant.Lost) != (x.Meter == nil) || (x.Quality == plant.Lost) != (x.Err != "") {
			t.Errorf("%s: %+v", name, x)
		}
		if x.At.After(noon.Add(time.Minute)) {
			t.Errorf("%s: it is from %v", name, x.At)
		}
	}
	kept := one(t, r, "weather/temperature", "20", true)
	if kept.Quality != plant.Partial || !has(kept, plant.WarnUndated) {
		t.Errorf("kept by the broker: %+v", kept)
	}
	dated := one(t, r, topic, `{"ts": 1782900000000, "power": {"total": 5}, "energy": 1, "hz": 50}`, true)
	if dated.Quality != plant.Good || dated.QualityAt(noon) != plant.Stale {
		t.Errorf("kept and dated: %+v", dated)
	}
}

func TestTimes(t *testing.T) {
	for _, c := range []struct {
		form, payload string
		want          time.Time
	}{
		{"rfc3339", `{"t":"2026-07-01T07:00:00.5-05:00"}`, noon.Add(500 * time.Millisecond)}, {"", `{"t":"2026-07-01T12:00:00Z"}`, noon},
		{"unix", `{"t":1782907200}`, noon}, {"unix", `{"t":"1782907200.25"}`, noon.Add(250 * time.Millisecond)}, {"unix_ms", `{"t":1782907200125}`, noon.Add(125 * time.Millisecond)},
		{"unix", `{"t":-1}`, time.Time{}}, {"unix", `{"t":1e300}`, time.Time{}}, {"unix", `{}`, time.Time{}}, {"rfc3339", `{"t":"0001-01-01T00:00:00Z"}`, time.Time{}},
	} {
		at, ok := (Time{Path: "t", Form: c.form}).read(parse([]byte(c.payload)).at("t"))
		if ok == c.want.IsZero() || (ok && !at.Equal(c.want)) {
			t.Errorf("%s as %q: %v %v", c.payload, c.form, at, ok)
		}
	}
}

func TestBadMappings(t *testing.T) {
	const head = "topics:\n  - filter: a\n    source: s\n    kind: meter\n    points:\n"
	for name, text := range map[string]string{
		"empty":         "",
		"unknown key":   "topics: []\ncolour: red\n",
		"no topics":     "topics: []\n",
		"no points":     "topics:\n  - {filter: a, source: s, kind: meter}\n",
		"no source":     "topics:\n  - {filter: a, kind: meter, points: [{field: power}]}\n",
		"no filter":     "topics:\n  - {source: s, kind: meter, points: [{field: power}]}\n",
		"bad filter":    "topics:\n  - {filter: 'a/b+', source: s, kind: meter, points: [{field: power}]}\n",
		"# inside":      "topics:\n  - {filter: 'a/#/b', source: s, kind: meter, points: [{field: power}]}\n",
		"unknown field": head + "      - {field: flow}\n",
		"wrong unit":    head + "      - {field: power, unit: kWh}\n",
		"twice":         head + "      - {field: power}\n      - {field: power}\n",
		"range":         head + "      - {field: power, min: 2, max: 1}\n",
		"scale":         head + "      - {field: power, scale: .nan}\n",
		"form of time":  "topics:\n  - {filter: a, source: s, kind: meter, time: {path: t, form: swatch}, points: [{field: power}]}\n",
		"time nowhere":  "topics:\n  - {filter: a, source: s, kind: meter, time: {form: unix}, points: [{field: power}]}\n",
		"life":          "topics:\n  - {filter: a, source: s, kind: meter, life: -1s, points: [{field: power}]}\n",
	} {
		if _, err := ParseMapping([]byte(text)); !errors.Is(err, ErrMapping) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := New(Config{Mapping: Mapping{}}); !errors.Is(err, ErrMapping) {
		t.Errorf("no mapping: %v", err)
	}
	m, err := ParseMapping([]byte(sample))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{Mapping: m, Broker: "tcp://x"}); err == nil {
		t.Error("no client ID")
	}
}

// Filters match as the standard's section 4.7 says: checked against a
// recursive definition.
func TestMatchProperty(t *testing.T) {
	var match func(filter, topic []string) bool
	match = func(filter, topic []string) bool {
		switch {
		case len(filter) == 0:
			return len(topic) == 0
		case filter[0] == "#":
			return true
		case len(topic) == 0:
			return false
		}
		return (filter[0] == "+" || filter[0] == topic[0]) && match(filter[1:], topic[1:])
	}
	rapid.Check(t, func(t *rapid.T) {
		level := rapid.SampledFrom([]string{"a", "b", "", "$SYS"})
		topicLevels := rapid.SliceOfN(level, 1, 4).Draw(t, "topic")
		filter := rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "", "+", "$SYS"}), 1, 4).Draw(t, "filter")
		if rapid.Bool().Draw(t, "all below") {
			filter = append(filter, "#")
		}
		x := topic{levels: filter}
		want := match(filter, topicLevels)
		if topicLevels[0] == "$SYS" && (filter[0] == "+" || filter[0] == "#") {
			want = false
		}
		if got := x.matches(topicLevels); got != want {
			t.Fatalf("%v on %v: %v, want %v", filter, topicLevels, got, want)
		}
	})
}

func FuzzMessage(f *testing.F) {
	f.Add("site/a/meter/b/state", []byte(`{"ts": 1782907190250, "power": {"total": 3250.5}, "energy": "120.5", "hz": 59.98}`), false)
	f.Add("loops/east/x", []byte(`{"t":{"supply":86},"leak":"wet","pumps":[{"id":"p1","duty":75}]}`), true)
	f.Add("weather/temperature", []byte("21.5"), true)
	f.Add("switch/pump", []byte("\xffON"), false)
	r := reader(f, sample)
	f.Fuzz(func(t *testing.T, topic string, payload []byte, retained bool) {
		for _, x := range r.Message(topic, payload, retained, noon) {
			if x.Source == "" && topic != "" {
				t.Fatalf("%+v", x)
			}
			if (x.Quality == plant.Lost) != (x.Meter == nil && x.Cooling == nil && x.Weather == nil) {
				t.Fatalf("%+v", x)
			}
			if x.At.After(noon.Add(time.Minute)) {
				t.Fatalf("%+v", x)
			}
			if x.Meter != nil {
				if hz, ok := x.Meter.Frequency.Get(); ok && !(hz >= 39.9 && hz <= 70.1) {
					t.Fatalf("%+v", x.Meter)
				}
			}
		}
	})
}

func FuzzParseMapping(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("topics:\n  - {filter: 'a/#', source: s, kind: pdu, points: [{field: outlet.3.on, values: {a: .inf}}]}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := ParseMapping(text)
		if err != nil {
			if !errors.Is(err, ErrMapping) {
				t.Fatal(err)
			}
			return
		}
		r, err := NewReader(m)
		if err != nil {
			t.Fatal(err)
		}
		for _, filter := range r.Filters() {
			r.Message(strings.NewReplacer("+", "x", "#", "y").Replace(filter), []byte(`{"a":1}`), false, noon)
		}
	})
}

func BenchmarkMessage(b *testing.B) {
	r := reader(b, sample)
	payload := []byte(`{"ts": 1782907190250, "power": {"total": 3250.5, "phases": [1000, 1100, 1150.5]}, "energy": "120.5", "hz": 59.98, "more": [1]}`)
	for b.Loop() {
		if rs := r.Message("site/odessa/meter/feeder-3/state", payload, false, noon); rs[0].Quality != plant.Good {
			b.Fatal(rs)
		}
	}
}
