package fleet

import (
	"testing"
	"time"

	"ballast/miner"
	"ballast/unit"
)

func TestJudge(t *testing.T) {
	since := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	later := since.Add(time.Minute)
	some := unit.Some[unit.Power]
	tests := []struct {
		name string
		set  miner.Setting
		r    miner.Reading
		want Verdict
	}{
		{"reading began before the acknowledgement", miner.Setting{Kind: miner.SetSleep}, miner.Reading{At: later, Took: 2 * time.Minute, State: miner.Sleeping}, Settling},
		{"asleep", miner.Setting{Kind: miner.SetSleep}, miner.Reading{State: miner.Sleeping, Power: some(25), PowerLimit: some(3000)}, Shows},
		{"says asleep, still draws", miner.Setting{Kind: miner.SetSleep}, miner.Reading{State: miner.Sleeping, Power: some(2800), PowerLimit: some(3000)}, Settling},
		{"acknowledged sleep, hashes on", miner.Setting{Kind: miner.SetSleep}, miner.Reading{State: miner.Hashing}, Contrary},
		{"waking", miner.Setting{Kind: miner.SetWake}, miner.Reading{State: miner.Starting}, Settling},
		{"awake", miner.Setting{Kind: miner.SetWake}, miner.Reading{State: miner.Hashing}, Shows},
		{"did not wake", miner.Setting{Kind: miner.SetWake}, miner.Reading{State: miner.Sleeping}, Contrary},
		{"limit and power agree", miner.Setting{Kind: miner.SetPower, Power: 3000}, miner.Reading{State: miner.Hashing, Power: some(2990), PowerLimit: some(3000)}, Shows},
		{"limit reads right, meter shows more", miner.Setting{Kind: miner.SetPower, Power: 3000}, miner.Reading{State: miner.Hashing, Power: some(3400), PowerLimit: some(3000)}, Settling},
		{"limit reads otherwise", miner.Setting{Kind: miner.SetPower, Power: 3000}, miner.Reading{State: miner.Hashing, Power: some(2990), PowerLimit: some(3500)}, Contrary},
		{"only a limit is told", miner.Setting{Kind: miner.SetPower, Power: 3000}, miner.Reading{PowerLimit: some(3000)}, CannotSay},
		{"only power is told, near", miner.Setting{Kind: miner.SetPower, Power: 3000}, miner.Reading{State: miner.Hashing, Power: some(2900)}, Shows},
		{"only power is told, ramping", miner.Setting{Kind: miner.SetPower, Power: 3000}, miner.Reading{State: miner.Hashing, Power: some(1500)}, Settling},
		{"profile", miner.Setting{Kind: miner.SetProfile, Profile: "310MHz"}, miner.Reading{State: miner.Hashing, Profile: "310mhz"}, Shows},
		{"other profile", miner.Setting{Kind: miner.SetProfile, Profile: "310MHz"}, miner.Reading{State: miner.Hashing, Profile: "default"}, Contrary},
		{"mode not told", miner.Setting{Kind: miner.SetMode, Mode: miner.ModeLow}, miner.Reading{State: miner.Hashing}, CannotSay},
		{"mode while restarting", miner.Setting{Kind: miner.SetMode, Mode: miner.ModeLow}, miner.Reading{State: miner.Starting, Mode: miner.ModeLow}, Settling},
		{"rebooted", miner.Setting{Kind: miner.SetReboot}, miner.Reading{Uptime: unit.Some(40 * time.Second)}, Shows},
		{"not rebooted", miner.Setting{Kind: miner.SetReboot}, miner.Reading{Uptime: unit.Some(40 * time.Hour)}, Settling},
		{"locate", miner.Setting{Kind: miner.SetLocate, On: true}, miner.Reading{Locating: unit.Some(true)}, Shows},
		{"locate not told", miner.Setting{Kind: miner.SetLocate, On: true}, miner.Reading{}, CannotSay},
		{"pools, written another way", miner.Setting{Kind: miner.SetPools, Pools: []miner.PoolSetting{{URL: "stratum+tcp://a.example:3333", User: "w"}}}, miner.Reading{Pools: []miner.Pool{{URL: "a.example:3333/", User: "w"}, {URL: ""}}}, Shows},
		{"pools, an old one left", miner.Setting{Kind: miner.SetPools, Pools: []miner.PoolSetting{{URL: "a:1", User: "w"}}}, miner.Reading{Pools: []miner.Pool{{URL: "a:1", User: "w"}, {Index: 1, URL: "old:1"}}}, Contrary},
		{"pools, other worker", miner.Setting{Kind: miner.SetPools, Pools: []miner.PoolSetting{{URL: "a:1", User: "w"}}}, miner.Reading{Pools: []miner.Pool{{URL: "a:1", User: "v"}}}, Contrary},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.r.At.IsZero() {
				tt.r.At = later
			}
			if got, why := Judge(tt.set, since, &tt.r); got != tt.want {
				t.Errorf("%s (%s), want %s", got, why, tt.want)
			}
		})
	}
}

func TestCheck(t *testing.T) {
	e := miner.Envelope{Kinds: []miner.Kind{miner.SetPower, miner.SetProfile, miner.SetSleep}, PowerMin: unit.Some[unit.Power](1000), PowerMax: unit.Some[unit.Power](3500),
		Steps: []miner.Step{{Setting: miner.Setting{Kind: miner.SetProfile, Profile: "eco"}}}}
	for _, tt := range []struct {
		s  miner.Setting
		ok bool
	}{
		{miner.Setting{Kind: miner.SetPower, Power: 3500}, true}, {miner.Setting{Kind: miner.SetPower, Power: 3501}, false}, {miner.Setting{Kind: miner.SetPower, Power: 999}, false},
		{miner.Setting{Kind: miner.SetPower}, false}, {miner.Setting{Kind: miner.SetProfile, Profile: "eco"}, true}, {miner.Setting{Kind: miner.SetProfile, Profile: "turbo"}, false},
		{miner.Setting{Kind: miner.SetSleep}, true}, {miner.Setting{Kind: miner.SetMode, Mode: "low"}, false}, {miner.Setting{Kind: miner.SetPools}, false},
	} {
		if err := Check(tt.s, e); (err == nil) != tt.ok {
			t.Errorf("%v: %v", tt.s, err)
		}
	}
	if err := Check(miner.Setting{Kind: miner.SetMode, Mode: "ludicrous"}, miner.Envelope{}); err == nil {
		t.Error("an unknown mode must be refused even when nothing is known of the machine")
	}
}

func TestParseRanges(t *testing.T) {
	for text, want := range map[string]string{
		"10.20.0.0/16": "10.20.0.0/16", "10.20.3.7/16": "10.20.0.0/16", "10.20.0.5": "10.20.0.5/32",
		"10.0.0.0-10.0.0.255": "10.0.0.0/24", "10.0.0.1 - 10.0.0.2": "10.0.0.1/32",
	} {
		got, err := ParseRanges([]string{text})
		if err != nil || got[0].String() != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "x", "10.0.0.0/33", "10.0.0.0/8", "10.0.0.9-10.0.0.1", "10.0.0.1-::1", "10.0.0.1-"} {
		if got, err := ParseRanges([]string{text}); err == nil {
			t.Errorf("%q gave %v", text, got)
		}
	}
	span, err := ParseRanges([]string{"10.0.0.3-10.0.1.4"})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for range each(span) {
		n++
	}
	if n != 258 {
		t.Errorf("%d addresses in %v", n, span)
	}
}

func FuzzParseRanges(f *testing.F) {
	f.Add("10.20.0.0/16")
	f.Add("10.0.0.0-10.0.0.255")
	f.Add("::1-::ffff")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := ParseRanges([]string{s})
		if err != nil {
			return
		}
		for _, p := range got {
			if n, err := size(p); err != nil || n < 1 {
				t.Fatalf("%q: %v %d %v", s, p, n, err)
			}
		}
	})
}
