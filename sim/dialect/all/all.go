// Package all lists the dialects that a simulated site can speak.
package all

import (
	"ballast/sim"
	"ballast/sim/dialect/antminer"
	"ballast/sim/dialect/avalon"
	"ballast/sim/dialect/bitaxe"
	"ballast/sim/dialect/braiins"
	"ballast/sim/dialect/cgminer"
	"ballast/sim/dialect/epic"
	"ballast/sim/dialect/luxos"
	"ballast/sim/dialect/vnish"
	"ballast/sim/dialect/whatsminer"
)

// Dialects makes one dialect of each family.
func Dialects() []sim.Dialect {
	return []sim.Dialect{
		luxos.New(),
		vnish.New(),
		braiins.New(),
		epic.New(),
		whatsminer.New(),
		avalon.New(),
		bitaxe.New(),
		antminer.New(),
		cgminer.New(),
	}
}
