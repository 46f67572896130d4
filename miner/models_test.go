package miner_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ballast/miner"
	"ballast/unit"
)

func TestLookupModel(t *testing.T) {
	for told, want := range map[string]string{ // name, variant, boards x chips
		"Antminer S19 Pro":                 "Antminer S19 Pro||3x114",
		"AntMiner S19 XP":                  "Antminer S19 XP||3x110",
		"S19J Pro":                         "Antminer S19j Pro||3x126",
		"ANTMINER S19j Pro (104T)":         "Antminer S19j Pro|104T|3x126",
		"Antminer S19j Pro 100 TH/s":       "Antminer S19j Pro|100T|3x126",
		"Antminer S19j Pro (111T)":         "Antminer S19j Pro|111T|3x126",
		"antminer s21":                     "Antminer S21||3x108",
		"Bitmain Antminer S21 Pro":         "Antminer S21 Pro||3x65",
		"Antminer BHB68606":                "Antminer S21||3x108",
		"Antminer S19 XP Hydro":            "Antminer S19 XP Hyd||3x204",
		"Antminer S19 XP Hyd.":             "Antminer S19 XP Hyd||3x204",
		"Antminer S19 Pro+ Hyd.":           "Antminer S19 Pro+ Hyd||4x180",
		"ANTMINER S19PRO+":                 "Antminer S19 Pro+||3x120",
		"Antminer S19XP":                   "Antminer S19 XP||3x110",
		"Antminer S19j88nopic":             "Antminer S19j NoPIC||3x88",
		"Antminer S19 (88)":                "Antminer S19 NoPIC||3x88",
		"S19-88":                           "Antminer S19 NoPIC||3x88",
		"Antminer S19x88 Hiveon":           "Antminer S19 NoPIC||3x88",
		"Antminer S19 Pro (Vnish 1.2.6)":   "Antminer S19 Pro||3x114",
		"Antminer S19j Pro AML":            "Antminer S19j Pro||3x126",
		"Antminer S19J PRO BB":             "Antminer S19j Pro||3x126",
		"Antminer S19 Pro A":               "Antminer S19 Pro A||3x114",
		"Antminer S19L":                    "Antminer S19L||3x76",
		"BraiinsOS S19k Pro":               "Antminer S19k Pro||3x77",
		"Antminer S19k Pro NoPIC":          "Antminer S19k Pro||3x77",
		"Antminer S19J Pro Plus":           "Antminer S19j Pro+||3x120",
		"Antminer S21e XP Hyd 3U":          "Antminer S21e XP Hyd 3U||0x0",
		"Antminer S19j Pro Dual":           "Antminer S19j Pro Dual||6x126",
		"Antminer T9+":                     "Antminer T9+||0x0",
		"Antminer S9 (13.5T)":              "Antminer S9|13.5T|3x63",
		"Antminer S9i\x00":                 "Antminer S9i||3x63",
		"WhatsMiner M30S+_VE40":            "Whatsminer M30S+|VE40|3x156",
		"M30S+VE42":                        "Whatsminer M30S+|VE42|3x156",
		"M60S_VK30":                        "Whatsminer M60S|VK30|3x245",
		"M60S_VK40":                        "Whatsminer M60S|VK40|3x225",
		"M60S+_VK40":                       "Whatsminer M60S+|VK40|4x215",
		"M30SV10":                          "Whatsminer M30S|V10|3x148",
		"M30S V100":                        "Whatsminer M30S|V100|3x0", // a revision that the table does not have
		"M60VK6A":                          "Whatsminer M60|VK6A|3x172",
		"M63S":                             "Whatsminer M63S||4x0", // chips differ by revision
		"WhatsMiner M73S+ (540T)":          "Whatsminer M73S+|540T|4x380",
		"Whatsminer M50 114T":              "Whatsminer M50|114T|0x0",
		"AvalonMiner 1246-N":               "Avalon 1246||3x120",
		"AvalonMiner 1246-N-90-21L":        "Avalon 1246|90T|3x120",
		"1246-83-200":                      "Avalon 1246|83T|3x120",
		"A1246":                            "Avalon 1246||3x120",
		"AvalonMiner 1166Pro":              "Avalon 1166 Pro||3x120",
		"AVALONMINER 15PRO":                "Avalon A15 Pro||3x160",
		"Avalon A15":                       "Avalon A15||3x160",
		"1566HA":                           "Avalon 1566HA||4x160",
		"Avalon Q":                         "Avalon Q||1x160",
		"AvalonNano3s":                     "Avalon Nano 3S||1x12",
		"Avalon Nano 3":                    "Avalon Nano 3||1x10",
		"Avalon Mini3":                     "Avalon Mini 3||1x66",
		"Avalon A16XP (300T)":              "Avalon A16XP|300T|0x0",
		"SEALMINER A2":                     "SealMiner A2||3x153",
		"SealMiner A3 Pro Hyd":             "SealMiner A3 Pro Hydro||0x0",
		"Bitdeer SealMiner A4 Ultra Hydro": "SealMiner A4 Ultra Hydro||0x0",
		"Bitaxe Gamma 601":                 "Bitaxe Gamma|601|1x1",
		"Bitaxe Gamma":                     "Bitaxe Gamma||1x1",
		"Bitaxe Gamma 699":                 "Bitaxe Gamma|699|1x0",
		"Bitaxe 302":                       "Bitaxe Hex||1x6",
		"NerdQAxe++":                       "NerdQAxe++||1x4",
		"NerdOCTAXE-γ":                     "NerdOCTAXE-γ||1x8",
		"BLOCKMINER 520i":                  "BlockMiner 520i||3x124",
		"BRAIINS MINI MINER BMM 101":       "Braiins BMM 101||1x1",
	} {
		m, ok := miner.LookupModel(told)
		got := m.Name + "|" + m.Variant + "|" + strconv.Itoa(m.Boards) + "x" + strconv.Itoa(m.Chips)
		if !ok || got != want {
			t.Errorf("LookupModel(%q) = %q, %v; want %q", told, got, ok, want)
		}
	}
}

// A wrong model is worse than none.
func TestLookupModelDeclines(t *testing.T) {
	for _, told := range []string{
		"", " ", "Antminer", "WhatsMiner", "Avalon", "miner", "S", "S1", "S190", "S19000", "S1988", "S19 Ultra", "S19 Pro Max", "S19q",
		"S19 Pro Zeta", "Antminer L7", "Antminer Z15", "Antminer KS5 Pro", "Antminer S2", "Antminer S99", "Antminer S19 Pro Pro Max",
		"Antminer M30S", "WhatsMiner S19", "Whatsminer Antminer S19", "M3", "M30SX", "M30S+++", "M30SVIP", "M99S_VK30",
		"1299", "9999-83", "83", "15", "Q", "Nano 3", "A2", "A3 Pro", "AvalonMiner 1246Hydro", "Avalon 1246-hyd", "AvalonMiner 1246 Turbo",
		"SealMiner A9", "SealMiner", "Bitaxe", "Bitaxe Omega", "BM1370", "Gamma", "NerdMiner", "nerd", "Goldshell S19", "Innosilicon T3+",
		strings.Repeat("S19 ", 100), "Antminer S19 Pro\nAntminer S21", "{\"model\":\"S19\"}", "<html>S19</html>",
	} {
		if m, ok := miner.LookupModel(told); ok {
			t.Errorf("LookupModel(%q) = %q; want none", told, m.Name)
		}
	}
}

func TestModelsTable(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range miner.Models() {
		key := m.Name + "|" + m.Variant
		if seen[key] {
			t.Errorf("%s is there twice", key)
		}
		seen[key] = true
		if m.Make == "" || m.Name == "" || m.Source == "" {
			t.Errorf("%s: make, name or source is missing", key)
		}
		if m.Chips > 0 && m.Boards == 0 {
			t.Errorf("%s: chips without boards", key)
		}
		if (m.Hashrate > 0) != (m.Power > 0) {
			t.Errorf("%s: half a nameplate", key)
		}
		if m.Hashrate > 0 && m.Make != "Bitaxe" && m.Make != "NerdAxe" {
			if e := m.Efficiency(); e < 9 || e > 160 {
				t.Errorf("%s: %v cannot be", key, e)
			}
		}
		if m.Cooling != miner.Air && m.Fans > 0 {
			t.Errorf("%s: cooled by %q and has %d fans", key, m.Cooling, m.Fans)
		}
		// Every row is found by its own words.
		got, ok := miner.LookupModel(m.Name + " " + m.Variant)
		if !ok || got != m {
			t.Errorf("%s: looked up by its own name gives %+v, %v", key, got, ok)
		}
	}
	if len(seen) < 500 {
		t.Errorf("%d rows", len(seen))
	}
}

// Spacing and case carry no meaning, and an unknown word always declines.
func TestLookupModelForm(t *testing.T) {
	rows := miner.Models()
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.SampledFrom(rows).Draw(t, "row")
		base, ok := miner.LookupModel(m.Name)
		if !ok {
			t.Fatalf("%q is not found", m.Name)
		}
		if base.Name != m.Name || base.Variant != "" {
			t.Fatalf("%q gives %q %q", m.Name, base.Name, base.Variant)
		}
		told := []byte(m.Name)
		brand, _, _ := strings.Cut(m.Name, " ")
		for i, c := range told {
			switch {
			case c == ' ' && i > len(brand) && rapid.Bool().Draw(t, "space"):
				told[i] = '_'
			case c >= 'a' && c <= 'z' && rapid.Bool().Draw(t, "case"):
				told[i] = c - 'a' + 'A'
			}
		}
		pad := strings.Repeat(" ", rapid.IntRange(0, 3).Draw(t, "pad"))
		if got, ok := miner.LookupModel(pad + string(told) + pad + "\x00"); !ok || got != base {
			t.Fatalf("%q gives %+v, %v", told, got, ok)
		}
		junk := rapid.SampledFrom([]string{"quux", "zeta", "mk2", "xyz", "turbo9"}).Draw(t, "junk")
		if got, ok := miner.LookupModel(m.Name + " " + junk); ok {
			t.Fatalf("%q is taken for a %q", m.Name+" "+junk, got.Name)
		}
	})
}

func TestModelsOfTheSurvey(t *testing.T) {
	f, err := os.Open(filepath.Join(shared(), "data", "econ", "asic_specs_seed.csv"))
	if err != nil {
		t.Skip("the survey is not here: ", err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows[1:] {
		th, _ := strconv.ParseFloat(row[1], 64)
		w, _ := strconv.ParseFloat(row[2], 64)
		if row[0] == "WhatsMiner M76S+ (390T)" {
			row[4] = string(miner.Immersion) // the survey says hydro; MicroBT's M_6 are immersion, M_3 hydro
		}
		m, ok := miner.LookupModel(row[0])
		if !ok || m.Hashrate != unit.Hashrate(th) || m.Power != unit.Power(w) || string(m.Cooling) != row[4] {
			t.Errorf("%q: %+v, %v; want %v TH/s %v W %s", row[0], m, ok, th, w, row[4])
		}
	}
}

// shared is where material that does not belong to the repository lies.
func shared() string {
	if dir := os.Getenv("BALLAST_SHARED"); dir != "" {
		return dir
	}
	return filepath.Join("..", "..", "shared")
}

func FuzzLookupModel(f *testing.F) {
	for _, s := range []string{"Antminer S19j Pro (104T)", "M30S+_VE40", "AvalonMiner 1246-N", "Bitaxe Gamma 601", "S19((((", "avalon nano", "m30s++v"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, told string) {
		m, ok := miner.LookupModel(told)
		if ok != (m.Name != "") {
			t.Fatalf("%q: %v with name %q", told, ok, m.Name)
		}
		if ok && m.Boards*m.Chips < 0 {
			t.Fatalf("%q: %+v", told, m)
		}
	})
}

func BenchmarkLookupModel(b *testing.B) {
	for b.Loop() {
		miner.LookupModel("Antminer S19j Pro+ Hyd.")
	}
}
