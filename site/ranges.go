package site

import (
	"fmt"
	"net/netip"
	"strings"
)

// Addr is an address that a description may leave out.
type Addr struct{ netip.Addr }

// IsZero tells encoders that there is none.
func (a Addr) IsZero() bool { return !a.IsValid() }

// UnmarshalText reads an address; what was written IPv4 in IPv6 is IPv4.
func (a *Addr) UnmarshalText(b []byte) error {
	err := a.Addr.UnmarshalText(b)
	a.Addr = a.Unmap()
	return err
}

// Range is a run of addresses, first to last. The zero Range is empty.
type Range struct {
	First, Last netip.Addr
}

// UnmarshalText reads "10.20.1.1-10.20.1.20", "10.20.1.1-20", one address, or a
// prefix (all of it, its own and the broadcast address of IPv4 left out).
func (r *Range) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*r = Range{}
		return nil
	}
	v, err := ParseRange(string(b))
	if err == nil {
		*r = v
	}
	return err
}

// MarshalText writes "10.20.1.1-10.20.1.20".
func (r Range) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// String prints "10.20.1.1-10.20.1.20".
func (r Range) String() string {
	switch {
	case !r.First.IsValid():
		return ""
	case r.First == r.Last:
		return r.First.String()
	}
	return r.First.String() + "-" + r.Last.String()
}

// IsZero tells encoders that there is no range.
func (r Range) IsZero() bool { return !r.First.IsValid() }

// ParseRange reads what Range.UnmarshalText documents.
func ParseRange(s string) (Range, error) {
	s = strings.TrimSpace(s)
	bad := func(why string) (Range, error) {
		return Range{}, fmt.Errorf("%q: %s: want addresses such as %q, %q or %q", s, why, "10.20.1.1-10.20.1.20", "10.20.1.1-20", "10.20.1.0/27")
	}
	if strings.Contains(s, "/") {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			return bad("not a prefix")
		}
		return ofPrefix(p.Masked()), nil
	}
	from, to, both := strings.Cut(s, "-")
	first, err := netip.ParseAddr(strings.TrimSpace(from))
	if err != nil || first.Zone() != "" {
		return bad("not an address")
	}
	if !both {
		return Range{first, first}, nil
	}
	to = strings.TrimSpace(to)
	if !strings.ContainsAny(to, ".:") && first.Is4() {
		text := first.String()
		to = text[:strings.LastIndexByte(text, '.')+1] + to
	}
	last, err := netip.ParseAddr(to)
	switch {
	case err != nil || last.Zone() != "":
		return bad("not an address")
	case first.Is4() != last.Is4():
		return bad("IPv4 and IPv6")
	case last.Less(first):
		return bad("ends before it begins")
	}
	return Range{first, last}, nil
}

func ofPrefix(p netip.Prefix) Range {
	first, last := p.Addr(), lastOf(p)
	if p.Addr().Is4() && p.Bits() < 31 {
		first, last = first.Next(), last.Prev()
	}
	return Range{first, last}
}

func lastOf(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// at is the n-th address of the range, from 0.
func (r Range) at(n int) (netip.Addr, bool) {
	if !r.First.IsValid() || n < 0 {
		return netip.Addr{}, false
	}
	b := r.First.AsSlice()
	carry := uint64(n)
	for i := len(b) - 1; i >= 0 && carry > 0; i-- {
		carry += uint64(b[i])
		b[i] = byte(carry)
		carry >>= 8
	}
	a, _ := netip.AddrFromSlice(b)
	if carry > 0 || r.Last.Less(a) {
		return netip.Addr{}, false
	}
	return a, true
}
