// Package all is the registry of drivers: one line a firmware. The order is the
// order in which a scan asks them: firmwares that replace a vendor's own come
// before it, and the generic cgminer dialect last.
package all

import (
	"ballast/miner"
	"ballast/miner/antminer"
	"ballast/miner/avalon"
	"ballast/miner/bitaxe"
	"ballast/miner/braiins"
	"ballast/miner/cgminer"
	"ballast/miner/epic"
	"ballast/miner/luxos"
	"ballast/miner/vnish"
	"ballast/miner/whatsminer"
)

// Drivers makes one driver of each family.
func Drivers() []miner.Driver {
	return []miner.Driver{
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

// ByName makes the driver of one family.
func ByName(fw miner.Firmware) (miner.Driver, bool) {
	for _, d := range Drivers() {
		if d.Firmware() == fw {
			return d, true
		}
	}
	return nil, false
}
