// Package fleet finds machines, follows them, polls them on a steady cadence
// and makes them do what was decided.
//
// The story in order:
//
//   - [Scanner] walks address ranges and says who answers: every machine found
//     is identified by the driver that fits ([Found]).
//   - [Fleet] is the live inventory: one [Machine] per identity in the record,
//     with its device, its latest reading and how polling it goes. It follows a
//     machine by MAC and serial when its address changes.
//   - [Poller] asks each machine once per interval, each at its own fixed phase,
//     so that load is even and one machine's trouble is nobody else's.
//   - Every attempt, answered or not, becomes a row for the telemetry store
//     ([Poll.Row]).
//   - [Commander] is the command ledger: desired state -> dispatched ->
//     acknowledged -> confirmed by a later reading, or drifted, refused,
//     unreachable. An acknowledgement is never trusted.
//
// Off is a state: a machine asleep on purpose is not a failure, and a machine
// whose whole site was switched off is silent without an alarm of its own.
package fleet

import (
	"errors"
	"net/netip"

	"ballast/miner"
)

// Errors of this room.
var (
	// ErrNoDriver reports an address that answers in no dialect we know.
	ErrNoDriver = errors.New("answers, but in no known miner dialect")
	// ErrUnknownMachine reports an ID that the inventory does not hold.
	ErrUnknownMachine = errors.New("no such machine")
)

// Keyring finds the credentials for a machine. It is asked with what is known:
// the address always, the firmware once identified ("" before).
type Keyring interface {
	Credentials(addr netip.Addr, fw miner.Firmware) miner.Credentials
}

// NoKeys is a Keyring without any.
type NoKeys struct{}

// Credentials are none.
func (NoKeys) Credentials(netip.Addr, miner.Firmware) miner.Credentials { return miner.Credentials{} }

// Reach is how this company's machines are reached: the drivers, the keys and
// the ports.
type Reach struct {
	Drivers []miner.Driver
	Keys    Keyring
	Ports   map[uint16]uint16 // well-known port -> port to use
}

// target is how to reach addr under a firmware's driver.
func (r Reach) target(addr netip.Addr, fw miner.Firmware) miner.Target {
	t := miner.Target{Addr: addr, Ports: r.Ports}
	if r.Keys != nil {
		t.Credentials = r.Keys.Credentials(addr, fw)
	}
	return t
}

func (r Reach) driver(fw miner.Firmware) (miner.Driver, bool) {
	for _, d := range r.Drivers {
		if d.Firmware() == fw {
			return d, true
		}
	}
	return nil, false
}
