package sim

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestMixErrorsSayWhere(t *testing.T) {
	for text, want := range map[string]string{
		"":           "no groups",
		"groups: []": "no groups",
		"groups:\n  - {share: 1, firmware: antminer, model: Antminer S19, color: red}\n":      "color",
		"groups:\n  - {share: 0, firmware: antminer, model: Antminer S19}\n":                  "groups[0]",
		"groups:\n  - {share: 1, firmware: windows, model: Antminer S19}\n":                   "whatsminer",
		"groups:\n  - {share: 1, firmware: antminer, model: Toaster 9000}\n":                  "table of models",
		"groups:\n  - {share: 1, firmware: antminer, model: Antminer S19, age: old}\n":        "18mo",
		"groups:\n  - {share: 1, firmware: antminer, model: Antminer S19, cooling: hope}\n":   "immersion",
		"groups:\n  - {share: 1, firmware: antminer, model: Antminer S19, power: 3 horses}\n": "3.25kW",
		"groups:\n  - {share: 1, firmware: antminer, model: Antminer S19, locked: 2}\n":       "between 0 and 1",
		"groups:\n  - {share: 1, firmware: antminer, model: Antminer S19, boards: -3}\n":      "negative",
		"groups:\n  - {share: 1, firmware: antminer, model: Antminer S19\n":                   "",
		"groups:\n  - {share: .inf, firmware: antminer, model: Antminer S19}\n":               "share",
	} {
		if _, err := ParseMix([]byte(text)); !errors.Is(err, ErrMix) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q in it", text, err, want)
		}
	}
	m, err := ParseMix([]byte("groups:\n  - {share: 1, firmware: whatsminer, model: Toaster 9000, boards: 2, chips: 10, hashrate: 50TH/s, power: 1.5kW, age: 18mo, locked: 0.5}\n"))
	if err != nil || m.Groups[0].Power != 1500 || m.Groups[0].Age != 1.5 || m.Groups[0].model.Hashrate != 50 {
		t.Errorf("%+v, %v", m, err)
	}
}

func FuzzParseMix(f *testing.F) {
	f.Add(defaultMix)
	f.Add([]byte("groups:\n  - {share: 1, firmware: antminer, model: Antminer S19, age: 18mo}\n"))
	f.Add([]byte("groups: [{share: 1e308, firmware: luxos, model: \"\", boards: 9, hashrate: 1TH/s, power: 1W}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := ParseMix(text)
		if err != nil {
			return
		}
		if s, err := New(Config{Machines: 7, Mix: &m, Start: summer}, nil); err == nil {
			s.Advance(time.Minute)
			s.Rig(0).SnapshotChips()
		}
	})
}

func TestMixCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m Mix
		for range rapid.IntRange(1, 20).Draw(t, "groups") {
			m.Groups = append(m.Groups, Group{Share: rapid.Float64Range(0.001, 100).Draw(t, "share")})
		}
		n := rapid.IntRange(0, 5000).Draw(t, "n")
		sum, shares := 0, 0.0
		for _, g := range m.Groups {
			shares += g.Share
		}
		for i, c := range m.counts(n) {
			sum += c
			if exact := float64(n) * m.Groups[i].Share / shares; math.Abs(float64(c)-exact) > 1 {
				t.Fatalf("group %d gets %d of %.2f", i, c, exact)
			}
		}
		if sum != n {
			t.Fatalf("%d machines, not %d", sum, n)
		}
	})
}
