package avalon

import (
	"bytes"

	"ballast/miner"
	"ballast/miner/cgminer"
)

// Driver is the family of Canaan's stock firmwares.
type Driver struct{}

// New is the driver.
func New() miner.Driver { return Driver{} }

var (
	_ miner.Driver = Driver{}
	_ miner.Hinter = Driver{}
	_ miner.Device = (*device)(nil)
)

// Firmware names the family.
func (Driver) Firmware() miner.Firmware { return miner.Avalon }

// Open makes a device for the machine at t without any traffic.
func (Driver) Open(t miner.Target) miner.Device { return newDevice(t) }

// Hint tells whether a reply to {"command":"version"} is an Avalon's.
func (Driver) Hint(port uint16, reply []byte) bool {
	return port == cgminer.Port && bytes.Contains(reply, []byte("valon")) && !bytes.Contains(reply, []byte("BOSminer"))
}

// Parse reads a set of replies; see the package comment for their names.
func (Driver) Parse(in miner.Replies) (miner.Reading, error) {
	r := blank()
	found := sort(in, r.Warn)
	if found.seen == 0 {
		return r, errNothing(in)
	}
	read(&r, found)
	return r, nil
}

func blank() miner.Reading {
	return miner.Reading{State: miner.Unknown, Identity: miner.Identity{Firmware: miner.Avalon}}
}
