package miner

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"ballast/unit"
)

// Sources of the table, as they stand in Model.Source.
const (
	peers    = "boards, chips, fans: pyasic (2026-03), asic-rs (2026-08)"
	seeded   = "nameplate: Ballast's own survey of published prices and specifications"
	listed   = "nameplate: asicminervalue.com, hashrateindex.com"
	espMiner = "ESP-Miner device configuration (2026-08)"
	nerdAxe  = "ESP-Miner-NerdQAxePlus board files (2026-06)"
)

// hardware is a model name with what all its bins share.
type hardware struct {
	make      string // only where a list mixes makes
	name      string
	boards    int
	chips     int // per board
	chip      string
	fans      int
	cooling   Cooling
	source    string
	bins      bins     // nameplates, best known first
	revisions string   // "VK30:245 VK40:215x4": see models_microbt.go
	also      []string // other words that firmwares use for it
}

type bins []bin

type bin struct {
	th     float64
	watts  float64
	source string
}

// models is the table with its index by canonical words. Names keep the order
// of the source files; the rows of a name lie together, the best known first.
type models struct {
	rows []Model
	keys map[string][]Model
}

var loadModels = sync.OnceValue(func() models {
	m := models{keys: map[string][]Model{}}
	for _, list := range []struct {
		make string
		of   []hardware
	}{
		{"Bitmain", bitmainHardware}, {"MicroBT", microbtHardware}, {"Canaan", canaanHardware}, {"Bitdeer", bitdeerHardware},
		{"Bitaxe", bitaxeHardware}, {"NerdAxe", nerdHardware}, {"", makerHardware},
	} {
		for _, h := range list.of {
			if h.make == "" {
				h.make = list.make
			}
			rows := h.rows()
			m.rows = append(m.rows, rows...)
			if h.make == "Bitaxe" { // the board's version alone names the model
				for _, r := range rows {
					m.keys[bitaxeBoardKey(r.Variant)] = []Model{r}
				}
			}
			for _, name := range append([]string{h.name}, h.also...) {
				if w, ok := readModelWords(name); ok {
					m.keys[w.key] = rows
				}
			}
		}
	}
	return m
})

func (h hardware) rows() []Model {
	base := Model{Make: h.make, Name: h.name, Boards: h.boards, Chips: h.chips, ChipType: h.chip, Fans: h.fans, Cooling: h.cooling, Source: h.source}
	var rows []Model
	for _, b := range h.bins {
		r := base
		r.Variant = strconv.FormatFloat(b.th, 'f', -1, 64) + "T"
		r.Hashrate, r.Power = unit.Hashrate(b.th), unit.Power(b.watts)
		r.Source = joinSources(r.Source, b.source)
		rows = append(rows, r)
	}
	if h.revisions == "" {
		if rows == nil {
			rows = []Model{base}
		}
		return rows
	}
	if rows != nil {
		base = rows[0]
	}
	rows = nil
	for rev := range strings.FieldsSeq(h.revisions) {
		r := base
		var count string
		r.Variant, count, _ = strings.Cut(rev, ":")
		count, boards, several := strings.Cut(count, "x")
		r.Chips, _ = strconv.Atoi(count) // "?" is 0: unknown
		if several {
			r.Boards, _ = strconv.Atoi(boards)
		}
		rows = append(rows, r)
	}
	return rows
}

func joinSources(a, b string) string {
	if a == "" || a == b {
		return b
	}
	return a + "; " + b
}

// Models is the table of models: every hardware variant that Ballast knows, the
// rows of one name together and the best-known bin first. The slice is the
// caller's own.
func Models() []Model { return slices.Clone(loadModels().rows) }

// LookupModel finds the model that a machine's own words name: "Antminer S19j
// Pro", "ANTMINER S19J PRO (104T)", "M30S+_VE40", "AvalonMiner 1246-N". Case,
// spacing, punctuation, a firmware's name in front and remarks in brackets do
// not matter; every other word must be understood, else there is no match: a
// wrong model is worse than none.
//
// When the words name the bin or revision, the row is that one. When they name
// only the model, Variant is empty, the nameplate is the best-known bin's, and
// what differs between the rows of that name (chips of a Whatsminer) is zero.
// When they name a bin or revision that the table does not have, Variant says
// it, and what would belong to it is zero.
func LookupModel(told string) (Model, bool) {
	w, ok := readModelWords(told)
	if !ok {
		return Model{}, false
	}
	rows := loadModels().keys[w.key]
	if len(rows) == 0 {
		return Model{}, false
	}
	switch {
	case w.revision != "":
		return revisionOf(rows, w.revision), true
	case w.th > 0:
		return binOf(rows, w.th), true
	case w.maybeTH > 0:
		if m := binOf(rows, w.maybeTH); m.Power > 0 {
			return m, true
		}
	}
	return shared(rows), true
}

// revisionOf finds a MicroBT revision. The last figure counts the revisions of a
// revision: VE42 has VE40's hardware.
func revisionOf(rows []Model, revision string) Model {
	family := revision
	if rows[0].Make == "MicroBT" {
		family = revision[:len(revision)-1] + "0"
	}
	for _, want := range []string{revision, family} {
		for _, r := range rows {
			if r.Variant == want {
				r.Variant = revision
				return r
			}
		}
	}
	m := shared(rows)
	m.Variant, m.Chips = revision, 0
	return m
}

func binOf(rows []Model, th float64) Model {
	for _, r := range rows {
		if r.Hashrate == unit.Hashrate(th) && strings.HasSuffix(r.Variant, "T") {
			return r
		}
	}
	m := shared(rows)
	if m.Hashrate != unit.Hashrate(th) {
		m.Hashrate, m.Power = unit.Hashrate(th), 0
	}
	m.Variant = fmt.Sprintf("%gT", th)
	return m
}

// shared is what all rows of one name have in common, with the nameplate of the
// best-known one.
func shared(rows []Model) Model {
	m := rows[0]
	m.Variant = ""
	for _, r := range rows[1:] {
		if r.Boards != m.Boards {
			m.Boards = 0
		}
		if r.Chips != m.Chips {
			m.Chips = 0
		}
		if r.ChipType != m.ChipType {
			m.ChipType = ""
		}
	}
	return m
}
