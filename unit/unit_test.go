package unit

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseAndPrint(t *testing.T) {
	tests := []struct {
		in    string
		parse func(string) (any, error)
		base  float64
		out   string
	}{
		{"110TH/s", hashrate, 110, "110TH/s"},
		{"110 th/s", hashrate, 110, "110TH/s"},
		{"0.11PH/s", hashrate, 110, "110TH/s"},
		{"1200.5GH/s", hashrate, 1.2005, "1.2005TH/s"},
		{"850EH/s", hashrate, 850e6, "850EH/s"},
		{"1.05ZH/s", hashrate, 1.05e9, "1.05ZH/s"},
		{"0TH/s", hashrate, 0, "0TH/s"},
		{"13630.55GH/s", hashrate, 13.63055, "13.63055TH/s"},
		{"3.25kW", power, 3250, "3.25kW"},
		{"3250W", power, 3250, "3.25kW"},
		{"12MW", power, 12e6, "12MW"},
		{"-1.5kW", power, -1500, "-1.5kW"},
		{"1e3W", power, 1000, "1kW"},
		{"12.5MWh", energy, 45e9, "12.5MWh"},
		{"1Wh", energy, 3600, "1Wh"},
		{"29.5J/TH", efficiency, 29.5, "29.5J/TH"},
	}
	for _, tt := range tests {
		t.Run(tt.in, func(t *testing.T) {
			got, err := tt.parse(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if v := base(got); v != tt.base {
				t.Errorf("base value %v, want %v", v, tt.base)
			}
			if s := fmt.Sprint(got); s != tt.out {
				t.Errorf("prints %q, want %q", s, tt.out)
			}
		})
	}
}

func hashrate(s string) (any, error)   { v, err := ParseHashrate(s); return v, err }
func power(s string) (any, error)      { v, err := ParsePower(s); return v, err }
func energy(s string) (any, error)     { v, err := ParseEnergy(s); return v, err }
func efficiency(s string) (any, error) { v, err := ParseEfficiency(s); return v, err }

func base(v any) float64 {
	switch v := v.(type) {
	case Hashrate:
		return float64(v)
	case Power:
		return float64(v)
	case Energy:
		return float64(v)
	case Efficiency:
		return float64(v)
	}
	panic("unknown quantity")
}

func TestWrongTextIsRefused(t *testing.T) {
	for _, s := range []string{"", "110", "TH/s", "110 W", "1.2.3TH/s", "--1TH/s", "1e999TH/s", "1eTH/s", "NaNTH/s", "infTH/s", "0x10TH/s", "110TH/s/s"} {
		if v, err := ParseHashrate(s); !errors.Is(err, ErrSyntax) {
			t.Errorf("%q gave %v, %v", s, v, err)
		}
	}
	if _, err := ParsePower("3mW"); err == nil {
		t.Log("3mW folds to MW only when unambiguous")
	}
}

// Whatever a quantity's bits are, its printed form parses back to the same bits.
func TestPrintedFormParsesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Float64Range(-1e15, 1e15).Draw(t, "v")
		if math.Abs(v) < 1e-12 {
			v = 0
		}
		back(t, Hashrate(v), ParseHashrate)
		back(t, Power(v), ParsePower)
		back(t, Energy(v), ParseEnergy)
		back(t, Efficiency(v), ParseEfficiency)
	})
}

func back[T interface {
	~float64
	fmt.Stringer
}](t *rapid.T, v T, parse func(string) (T, error)) {
	got, err := parse(v.String())
	if err != nil || got != v {
		t.Fatalf("%v prints %q, parses to %v (%v)", float64(v), v.String(), float64(got), err)
	}
}

// A decimal of the firmware's unit lands on the float nearest to its exact
// value: conversion rounds once.
func TestConversionRoundsOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(-1e15, 1e15).Draw(t, "n")
		text := big.NewRat(n, 1000).FloatString(3)
		got, err := ParseHashrate(text + "GH/s")
		if err != nil {
			t.Fatal(err)
		}
		want, _ := new(big.Rat).SetFrac64(n, 1e6).Float64()
		if float64(got) != want {
			t.Fatalf("%sGH/s: %v, want %v", text, float64(got), want)
		}
	})
}

func TestMoney(t *testing.T) {
	tests := []struct {
		in    string
		minor int64
		cur   Currency
		out   string
	}{
		{"$1234.50", 123450, USD, "$1234.50"},
		{"-$0.05", -5, USD, "-$0.05"},
		{"€3", 300, EUR, "€3.00"},
		{"12.5 USD", 1250, USD, "$12.50"},
		{"BTC 0.00000001", 1, BTC, "BTC 0.00000001"},
		{"JPY 500", 500, "JPY", "JPY 500"},
	}
	for _, tt := range tests {
		m, err := ParseMoney(tt.in)
		if err != nil || m.Minor != tt.minor || m.Currency != tt.cur || m.String() != tt.out {
			t.Errorf("%q: %+v %q %v", tt.in, m, m, err)
		}
	}
	for _, s := range []string{"", "5", "$", "$1.005", "$1e3", "$99999999999999999999", "$--1", "-$-1"} {
		if m, err := ParseMoney(s); err == nil {
			t.Errorf("%q gave %v", s, m)
		}
	}
	if _, err := (Money{1, USD}).Add(Money{1, EUR}); !errors.Is(err, ErrCurrency) {
		t.Error(err)
	}
	if _, err := (Money{math.MaxInt64, USD}).Add(Money{1, USD}); !errors.Is(err, ErrRange) {
		t.Error(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		m := Money{rapid.Int64().Draw(t, "minor"), rapid.SampledFrom([]Currency{USD, EUR, BTC, "JPY", "KWD"}).Draw(t, "currency")}
		got, err := ParseMoney(m.String())
		if err != nil || got != m {
			t.Fatalf("%v: %v, %v", m, got, err)
		}
	})
}

func TestPrices(t *testing.T) {
	for in, want := range map[string]string{"$42.10/MWh": "$42.1/MWh", "6.2c/kWh": "$62/MWh", "$0.0421/kWh": "$42.1/MWh", "-€0.01/MWh": "-€0.01/MWh", "€31.123456/MWh": "€31.123456/MWh"} {
		p, err := ParseEnergyPrice(in)
		if err != nil || p.String() != want {
			t.Errorf("%q: %q, %v", in, p, err)
		}
	}
	for in, want := range map[string]string{"$55/PH/day": "$55/PH/day", "$0.055/TH/day": "$55/PH/day"} {
		p, err := ParseHashprice(in)
		if err != nil || p.String() != want {
			t.Errorf("%q: %q, %v", in, p, err)
		}
	}
	for _, s := range []string{"42.1/MWh", "$42.1", "$/MWh", "$1.1234567/MWh", "$x/MWh"} {
		if p, err := ParseEnergyPrice(s); err == nil {
			t.Errorf("%q gave %v", s, p)
		}
	}
	price, _ := ParseEnergyPrice("$42.10/MWh")
	if m, err := price.Cost(2500 * KilowattHour); err != nil || m.Minor != 10525 {
		t.Errorf("2.5 MWh at %v: %v, %v", price, m, err)
	}
	if m, err := price.Cost(Energy(math.NaN())); !errors.Is(err, ErrRange) {
		t.Errorf("NaN energy: %v, %v", m, err)
	}
	hp, _ := ParseHashprice("$55/PH/day")
	if m, err := hp.Revenue(110, 24*time.Hour); err != nil || m.Minor != 605 {
		t.Errorf("110 TH/s for a day at %v: %v, %v", hp, m, err)
	}
}

// Half a cent goes to the even cent, in both directions.
func TestCostRoundsHalfToEven(t *testing.T) {
	for micro, want := range map[int64]int64{5_000: 0, 15_000: 2, 25_000: 2, -5_000: 0, -15_000: -2, 15_001: 2, 14_999: 1} {
		got, err := EnergyPrice{micro, USD}.Cost(MegawattHour)
		if err != nil || got.Minor != want {
			t.Errorf("%d: %v, %v; want %d", micro, got, err, want)
		}
	}
}

func TestEfficiencyOfIdleDoesNotExist(t *testing.T) {
	if e, ok := EfficiencyOf(3250, 110); !ok || math.Abs(float64(e)-29.545454) > 1e-5 {
		t.Error(e, ok)
	}
	for _, h := range []Hashrate{0, -1, Hashrate(math.NaN())} {
		if e, ok := EfficiencyOf(25, h); ok {
			t.Errorf("%v: %v", h, e)
		}
	}
}

func TestMissingIsNotZero(t *testing.T) {
	type reading struct {
		A Opt[Power] `json:"a,omitzero"`
		B Opt[Power] `json:"b,omitzero"`
		C Opt[Power] `json:"c"`
	}
	b, err := json.Marshal(reading{A: Some(Power(0))})
	if err != nil || string(b) != `{"a":0,"c":null}` {
		t.Fatalf("%s %v", b, err)
	}
	var r reading
	if err := json.Unmarshal([]byte(`{"a":"3.25kW","b":null,"c":12}`), &r); err != nil {
		t.Fatal(err)
	}
	if r.A.Or(0) != 3250 || r.B.Ok() || r.C.Or(0) != 12 {
		t.Errorf("%+v", r)
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"110TH/s", "3.25kW", "$55/PH/day", "$42.10/MWh", "1e3W", "-", "€", "c/kWh", "BTC 1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if h, err := ParseHashrate(s); err == nil {
			if again, err := ParseHashrate(h.String()); err != nil || again != h {
				t.Fatalf("%q -> %q -> %v %v", s, h, again, err)
			}
		}
		if m, err := ParseMoney(s); err == nil {
			if again, err := ParseMoney(m.String()); err != nil || again != m {
				t.Fatalf("%q -> %q -> %v %v", s, m, again, err)
			}
		}
		if p, err := ParseEnergyPrice(s); err == nil {
			if again, err := ParseEnergyPrice(p.String()); err != nil || again != p {
				t.Fatalf("%q -> %q -> %v %v", s, p, again, err)
			}
		}
		_, _ = ParseHashprice(s)
	})
}

func ExampleParseHashrate() {
	h, _ := ParseHashrate("110TH/s")
	p, _ := ParsePower("3.25kW")
	e, _ := EfficiencyOf(p, h)
	fmt.Println(h, p, e)
	// Output: 110TH/s 3.25kW 29.545454545454547J/TH
}
