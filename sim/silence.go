package sim

import (
	"cmp"
	"net/netip"
	"slices"
)

// Silent addresses. Loopback answers a SYN to a port nobody listens on with a
// reset, at once; a real network drops it, and the scanner waits. Two ways to
// have that here were found to work:
//
//   - A listener whose queue is full drops every SYN (unless the system sets
//     tcp_abort_on_overflow). So a machine's own listener is made silent by
//     shortening its queue to one, filling it, and not accepting. Anybody may
//     do this. With [Config.Hush], such a clogged listener on all addresses
//     stands behind the machines' own ones, and makes all others silent.
//   - A classic packet filter (SO_ATTACH_FILTER) on a listener sees the SYN
//     before the stack answers it, and what it returns 0 for is gone. This is
//     what shared listeners need, since their queue is everybody's. The filter
//     looks the destination up in a sorted list of ranges. Recent kernels (seen
//     on 6.18) want CAP_NET_ADMIN for it; without, connections to machines that
//     are off are accepted and never answered.

// addrRange is the IPv4 addresses lo to hi.
type addrRange struct{ lo, hi uint32 }

func number(a netip.Addr) uint32 {
	b := a.As4()
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

func rangeOf(p netip.Prefix) addrRange {
	lo := number(p.Masked().Addr())
	return addrRange{lo, lo | uint32(1<<(32-p.Bits())-1)}
}

// mergeRanges sorts ranges and joins those that touch.
func mergeRanges(in []addrRange) []addrRange {
	slices.SortFunc(in, func(a, b addrRange) int { return cmp.Compare(a.lo, b.lo) })
	var out []addrRange
	for _, r := range in {
		if n := len(out); n > 0 && uint64(r.lo) <= uint64(out[n-1].hi)+1 {
			out[n-1].hi = max(out[n-1].hi, r.hi)
			continue
		}
		out = append(out, r)
	}
	return out
}

// instruction is one of a classic packet filter.
type instruction struct {
	code   uint16
	jt, jf uint8
	k      uint32
}

const (
	bpfLoadWord = 0x20 // BPF_LD | BPF_W | BPF_ABS
	bpfJump     = 0x05 // BPF_JMP | BPF_JA
	bpfJumpGE   = 0x35 // BPF_JMP | BPF_JGE | BPF_K
	bpfJumpGT   = 0x25 // BPF_JMP | BPF_JGT | BPF_K
	bpfReturn   = 0x06 // BPF_RET | BPF_K
	bpfKeep     = 0xffffffff
	// bpfDestination is where the IPv4 header has the destination, addressed
	// from the network header (SKF_NET_OFF) because the filter of a TCP socket
	// sees the packet from its TCP header on.
	bpfDestination = 0xfff00000 + 16
)

// maxSilent is how many ranges a filter holds: six instructions each, of the
// 4096 that the kernel allows.
const maxSilent = 600

// filterFor drops packets to the given ranges, which are sorted and do not
// touch. It searches them by halves.
func filterFor(ranges []addrRange) []instruction {
	prog := []instruction{{code: bpfLoadWord, k: bpfDestination}}
	return append(prog, search(ranges)...)
}

func search(ranges []addrRange) []instruction {
	switch len(ranges) {
	case 0:
		return []instruction{{code: bpfReturn, k: bpfKeep}}
	case 1:
		r := ranges[0]
		return []instruction{
			{code: bpfJumpGE, k: r.lo, jt: 0, jf: 1},
			{code: bpfJumpGT, k: r.hi, jt: 0, jf: 1},
			{code: bpfReturn, k: bpfKeep},
			{code: bpfReturn, k: 0},
		}
	}
	mid := len(ranges) / 2
	left, right := search(ranges[:mid]), search(ranges[mid:])
	prog := []instruction{
		{code: bpfJumpGE, k: ranges[mid].lo, jt: 1, jf: 0},
		{code: bpfJump, k: uint32(len(right))},
	}
	return append(append(prog, right...), left...)
}

// gaps are the ranges of p that in, sorted and merged, leaves out.
func gaps(p netip.Prefix, in []addrRange) []addrRange {
	all := rangeOf(p)
	var out []addrRange
	next := uint64(all.lo)
	for _, r := range in {
		if uint64(r.lo) > next {
			out = append(out, addrRange{uint32(next), r.lo - 1})
		}
		next = uint64(r.hi) + 1
	}
	if next <= uint64(all.hi) {
		out = append(out, addrRange{uint32(next), all.hi})
	}
	return out
}
