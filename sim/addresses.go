package sim

import (
	"fmt"
	"net/netip"
)

// addresses chooses an address for every machine, and sets some aside at the
// end of the network for meters and controllers.
func addresses(c Config) (machines, gear []netip.Addr, err error) {
	usable := usableHosts(c.Network)
	spare := min(usable/64, 512)
	if c.Machines > usable-spare {
		return nil, nil, fmt.Errorf("%w: %s has room for %d machines, not %d", ErrNetwork, c.Network, usable-spare, c.Machines)
	}
	for i := range spare {
		gear = append(gear, hostAt(c.Network, usable-1-i))
	}
	room := usable - spare
	machines = make([]netip.Addr, c.Machines)
	if !c.Scatter {
		for i := range machines {
			machines[i] = hostAt(c.Network, i)
		}
		return machines, gear, nil
	}
	// A shuffle of the first Machines places of all, kept sparse.
	moved := map[int]int{}
	at := func(i int) int {
		if v, ok := moved[i]; ok {
			return v
		}
		return i
	}
	for i := range machines {
		j := i + int(draw(c.Seed, drawPlace, int64(i))%uint64(room-i))
		machines[i] = hostAt(c.Network, at(j))
		moved[j] = at(i)
	}
	return machines, gear, nil
}

// usableHosts counts the addresses of p that do not end in 0 or 255.
func usableHosts(p netip.Prefix) int {
	bits := 32 - p.Bits()
	if bits >= 8 {
		return (1 << (bits - 8)) * 254
	}
	n := 0
	for i := range 1 << bits {
		if last := int(p.Addr().As4()[3]) + i; last != 0 && last != 255 {
			n++
		}
	}
	return n
}

// hostAt is the i-th of them.
func hostAt(p netip.Prefix, i int) netip.Addr {
	a := p.Addr().As4()
	base := uint32(a[0])<<24 | uint32(a[1])<<16 | uint32(a[2])<<8 | uint32(a[3])
	if 32-p.Bits() >= 8 {
		base += uint32(i/254)<<8 + uint32(i%254) + 1
	} else {
		if a[3] == 0 {
			i++
		}
		base += uint32(i)
	}
	return netip.AddrFrom4([4]byte{byte(base >> 24), byte(base >> 16), byte(base >> 8), byte(base)})
}
