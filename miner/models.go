package miner

import "ballast/unit"

// Cooling is how a model sheds heat.
type Cooling string

// The ways of cooling.
const (
	Air       Cooling = "air"
	Hydro     Cooling = "hydro"
	Immersion Cooling = "immersion"
)

// Model is one row of the table of models: a hardware variant as sold. Boards,
// Chips and Fans are zero when no source for them is known, and then nothing
// is expected of them (a machine cooled by liquid has no fans: its Cooling
// tells the two zeros apart). Hashrate and Power are zero when no nameplate is
// known.
type Model struct {
	Make     string // "Bitmain"
	Name     string // "Antminer S19 Pro": what Identity.Model says
	Variant  string // "110T": the bin; "VE40", "601": the hardware's revision; empty when not told
	Hashrate unit.Hashrate
	Power    unit.Power // wall, nameplate
	Boards   int
	Chips    int    // per board
	ChipType string // "BM1398"
	Fans     int
	Cooling  Cooling
	Source   string // where boards, chips, fans and nameplate come from
}

// Efficiency is the nameplate's.
func (m Model) Efficiency() unit.Efficiency {
	e, _ := unit.EfficiencyOf(m.Power, m.Hashrate)
	return e
}
