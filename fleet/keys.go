package fleet

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"ballast/ledger"
	"ballast/miner"
)

// Key is one password of machines and where it fits. Empty fields fit all.
type Key struct {
	ID       int64
	Site     string
	Ranges   []netip.Prefix // one range, in prefixes
	Firmware miner.Firmware
	Group    string
	miner.Credentials
}

// fits tells whether the key is for a machine, as far as it is known.
func (k Key) fits(addr netip.Addr, fw miner.Firmware, site, group string) bool {
	return (k.Site == "" || k.Site == site) && (k.Firmware == "" || k.Firmware == fw) && (k.Group == "" || k.Group == group) &&
		(len(k.Ranges) == 0 || slices.ContainsFunc(k.Ranges, func(r netip.Prefix) bool { return r.Contains(addr.Unmap()) }))
}

// narrow ranks how narrowly a key is meant: the narrowest that fits is used. A
// group is narrower than a range, a range than a firmware, a firmware than a
// site; of two ranges the smaller one.
func (k Key) narrow() int {
	n := 0
	if k.Group != "" {
		n += 10_000
	}
	if len(k.Ranges) > 0 {
		least := 128
		for _, r := range k.Ranges {
			least = min(least, r.Bits())
		}
		n += 1000 + least
	}
	if k.Firmware != "" {
		n += 500
	}
	if k.Site != "" {
		n += 250
	}
	return n
}

// Keys is the Keyring of a running Ballast: the configuration's credentials
// first, then those that people entered.
type Keys struct {
	// First is asked first: the configuration. It may be nil.
	First Keyring
	// Where tells the site and group of the machine at an address.
	Where func(netip.Addr) (site, group string)

	keys atomic.Pointer[[]Key]
}

var _ Keyring = (*Keys)(nil)

// Set replaces the keys that people entered.
func (k *Keys) Set(keys []Key) {
	keys = slices.Clone(keys)
	slices.SortStableFunc(keys, func(a, b Key) int {
		return cmp.Or(cmp.Compare(b.narrow(), a.narrow()), cmp.Compare(a.ID, b.ID))
	})
	k.keys.Store(&keys)
}

// For is the key that a machine is opened with: 0 when that is the
// configuration's, or none fits.
func (k *Keys) For(addr netip.Addr, fw miner.Firmware) (miner.Credentials, int64) {
	if k.First != nil {
		if c := k.First.Credentials(addr, fw); c != (miner.Credentials{}) {
			return c, 0
		}
	}
	keys := k.keys.Load()
	if keys == nil || len(*keys) == 0 {
		return miner.Credentials{}, 0
	}
	var site, group string
	if k.Where != nil {
		site, group = k.Where(addr)
	}
	for _, key := range *keys {
		if key.fits(addr, fw, site, group) {
			return key.Credentials, key.ID
		}
	}
	return miner.Credentials{}, 0
}

// Credentials are the narrowest that fit.
func (k *Keys) Credentials(addr netip.Addr, fw miner.Firmware) miner.Credentials {
	c, _ := k.For(addr, fw)
	return c
}

// Rekey opens anew the machines whose credentials changed, and asks those that
// were locked who they are. It returns how many were opened anew.
func (f *Fleet) Rekey() int {
	n := 0
	for _, s := range f.All() {
		m := s.Machine
		b, ok := f.member(miner.ID(m.ID))
		if !ok || !m.Addr.IsValid() || !m.Retired.IsZero() {
			continue
		}
		b.mu.Lock()
		d, known := f.Reach.driver(b.firmware)
		t := f.Reach.target(b.addr, b.firmware)
		changed := known && t.Credentials != b.keys
		if changed {
			if b.device != nil {
				b.device.Close()
			}
			b.device, b.keys, b.suspect, b.known, b.asked = d.Open(t), t.Credentials, true, false, time.Time{}
			n++
		}
		b.mu.Unlock()
		if changed {
			if s.Condition == CondLocked || m.Model == "" {
				f.look(m.Addr)
			}
			f.Poller.Soon(miner.ID(m.ID))
		}
	}
	return n
}

// TryKey reads a machine with given credentials and says what came of it: nil,
// or miner.ErrDenied when they do not fit. It changes nothing on the machine.
func (f *Fleet) TryKey(ctx context.Context, m ledger.Machine, c miner.Credentials) error {
	d, ok := f.Reach.driver(miner.Firmware(m.Firmware))
	if !ok || !m.Addr.IsValid() {
		return fmt.Errorf("%w: no address or no driver for firmware %q", miner.ErrUnreachable, m.Firmware)
	}
	t := miner.Target{Addr: m.Addr, Ports: f.Reach.Ports, Credentials: c}
	dev := d.Open(t)
	defer dev.Close()
	if _, err := dev.Identify(ctx); err != nil {
		return fmt.Errorf("asking who is there: %w", err)
	}
	if _, err := dev.Read(ctx); err != nil {
		return fmt.Errorf("reading: %w", err)
	}
	return nil
}
