package luxos

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"ballast/miner"
	"ballast/miner/cgminer"
)

// Driver is the family of LuxOS.
type Driver struct{}

// New is the driver.
func New() miner.Driver { return Driver{} }

var (
	_ miner.Driver = Driver{}
	_ miner.Hinter = Driver{}
	_ miner.Device = (*device)(nil)
)

// Firmware names the family.
func (Driver) Firmware() miner.Firmware { return miner.LuxOS }

// Open makes a device for the machine at t without any traffic.
func (Driver) Open(t miner.Target) miner.Device { return newDevice(t) }

// Hint tells whether a reply to {"command":"version"} is LuxOS's.
func (Driver) Hint(port uint16, reply []byte) bool {
	return port == cgminer.Port && bytes.Contains(reply, []byte("LUXminer"))
}

// Parse reads a set of replies; see the package comment for their names.
func (Driver) Parse(in miner.Replies) (miner.Reading, error) {
	r := miner.Reading{State: miner.Unknown}
	r.Identity.Firmware = miner.LuxOS
	var s slow
	var f fast
	seen := 0
	for _, name := range slices.Sorted(maps.Keys(in)) {
		reply, ok := cgminer.Read(name, in[name], r.Warn)
		if !ok {
			continue
		}
		for _, part := range reply.Parts() {
			switch {
			case f.take(part), s.take(part):
				seen++
			case !part.Status.OK():
				r.Warn(miner.WarnRefused, part.Name, part.Status.Msg)
			case part.Status.Kind == 0:
				r.Warn(miner.WarnUnknown, part.Name, "no section that Ballast knows")
			default: // what a command was answered
				seen++
			}
		}
	}
	if seen == 0 {
		return r, errNothing(in)
	}
	read(&r, &f, &s)
	return r, nil
}

func errNothing(in miner.Replies) error {
	for _, name := range slices.Sorted(maps.Keys(in)) {
		return fmt.Errorf("%w: %s: %s", miner.ErrGarbage, name, cgminer.Excerpt(in[name]))
	}
	return fmt.Errorf("%w: no replies", miner.ErrGarbage)
}
