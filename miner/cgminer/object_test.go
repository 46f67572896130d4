package cgminer

import (
	"math"
	"slices"
	"testing"
	"time"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/unit"
)

func object(raw string) Object { return NewObject("stats", gjson.Parse(raw)) }

func TestNumber(t *testing.T) {
	for in, want := range map[string]float64{
		"13630.55": 13630.55, " 55.0 C": 55, "72%": 72, "-273.0": -273, "3250 W": 3250, "1e3": 1000, "+5": 5, "2.5e-3x": 0.0025, "12e": 12, "00.50": 0.5,
	} {
		if got, ok := Number(in).Get(); !ok || got != want {
			t.Errorf("%q: %v (%v), want %v", in, got, ok, want)
		}
	}
	for _, in := range []string{"", "  ", "inf", "nan", "-inf", "N/A", "--", "e5", ".", "1e999", "°C 5"} {
		if got, ok := Number(in).Get(); ok {
			t.Errorf("%q is %v", in, got)
		}
	}
}

func TestGetters(t *testing.T) {
	o := object(`{"n":12.7,"s":" 7 ","u":"55.5 C","null":null,"empty":"","word":"N/A","t":true,"f":"N","big":"18446744073709551615","neg":-3,"list":[1,"2",null,"x"],"dash":"40-42-45-47","obj":{"a":1},"esc":"a\"b\u00e9","diff":"65.5K","one":1}`)
	check := func(name string, got, want any) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	check("float", o.Float("n"), unit.Some(12.7))
	check("float in quotes", o.Float("s"), unit.Some(7.0))
	check("float with unit", o.Float("u"), unit.Some(55.5))
	check("null", o.Float("null"), unit.None[float64]())
	check("empty", o.Float("empty"), unit.None[float64]())
	check("word", o.Float("word"), unit.None[float64]())
	check("not there", o.Float("nope"), unit.None[float64]())
	check("the first that has a value", o.Float("nope", "null", "empty", "n"), unit.Some(12.7))
	check("int", o.Int("n"), unit.Some(int64(12)))
	check("too big", o.Int("big"), unit.None[int64]())
	check("count", o.Count("neg"), unit.None[int64]())
	check("bool", o.Bool("t"), unit.Some(true))
	check("N", o.Bool("f"), unit.Some(false))
	check("1", o.Bool("one"), unit.Some(true))
	check("no bool", o.Bool("word"), unit.None[bool]())
	check("text", o.Text("esc"), `a"bé`)
	check("number as text", o.Text("n"), "12.7")
	check("object is no text", o.Text("obj"), "")
	check("scaled", o.Scaled("diff"), unit.Some(65500.0))
	check("nested", o.Object("obj").Int("a"), unit.Some(int64(1)))
	check("no object", o.Object("n").Empty(), true)
	check("seconds", o.Seconds("s"), unit.Some(7*time.Second))
	check("has null", o.Has("null"), true)
	got := o.Floats("list")
	if len(got) != 4 || got[0] != 1 || got[1] != 2 || !math.IsNaN(got[2]) || !math.IsNaN(got[3]) {
		t.Errorf("list: %v", got)
	}
	if got := o.Floats("dash"); !slices.Equal(got, []float64{40, 42, 45, 47}) {
		t.Errorf("dashes: %v", got)
	}
	if got := Dashed("-5--3-0"); !slices.Equal(got, []float64{-5, -3, 0}) {
		t.Errorf("negative between dashes: %v", got)
	}
}

func TestPlausible(t *testing.T) {
	var w warnings
	o := object(`{"cold":-273,"hot":255,"warm":"65.5","fan":65535,"slow":0,"rate":"110.5 TH/s","ghs":36000.5,"mad":1e12,"watts":-5,"mhz":545}`)
	if v := o.Temperature(w.add, "warm"); v != unit.Some(unit.Temperature(65.5)) || len(w) > 0 {
		t.Errorf("warm: %v %v", v, w)
	}
	if v := o.Hashrate(w.add, unit.GHs, "rate"); v != unit.Some(unit.Hashrate(110.5)) {
		t.Errorf("rate with a unit of its own: %v", v)
	}
	if v := o.Hashrate(w.add, unit.GHs, "ghs"); v != unit.Some(unit.Hashrate(36000.5)/1000) {
		t.Errorf("rate in GH/s: %v", v)
	}
	if v := o.Speed(w.add, "slow"); v != unit.Some(unit.Speed(0)) {
		t.Errorf("a standing fan: %v", v)
	}
	if v := o.Frequency(w.add, "mhz"); v != unit.Some(545*unit.Megahertz) {
		t.Errorf("frequency: %v", v)
	}
	if o.Temperature(w.add, "cold").Ok() || o.Temperature(w.add, "hot").Ok() || o.Speed(w.add, "fan").Ok() || o.Hashrate(w.add, unit.GHs, "mad").Ok() || o.Power(w.add, "watts").Ok() {
		t.Error("something implausible was let through")
	}
	if len(w) != 5 || w[0].Kind != miner.WarnImplausible || w[0].Where != "stats.cold" {
		t.Errorf("warnings %v", w)
	}
}

func TestRest(t *testing.T) {
	o := object(`{"used":1,"rest":"x","nested":{"a":1},"empty":"","num":2}`)
	o.Int("used")
	r := miner.Reading{}
	o.Rest(&r, "s.")
	if len(r.Extra) != 2 || r.Extra["s.rest"] != "x" || r.Extra["s.num"] != "2" {
		t.Errorf("extra %v", r.Extra)
	}
}

func TestLastShare(t *testing.T) {
	now := time.Unix(1700000000, 0).UTC()
	for in, want := range map[string]unit.Opt[time.Time]{
		"1699999990": unit.Some(now.Add(-10 * time.Second)), "0:00:01": unit.Some(now.Add(-time.Second)), "26:01:02": unit.Some(now.Add(-26*time.Hour - 62*time.Second)),
		"0": {}, "": {}, "31279": {}, "never": {}, "472222:13:20": {}, "1:2": {},
	} {
		if got := LastShare(in, now); got != want {
			t.Errorf("%q: %v, want %v", in, got, want)
		}
	}
	if got := LastShare("0:00:01", time.Time{}); got.Ok() {
		t.Errorf("without a clock: %v", got)
	}
}
