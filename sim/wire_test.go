package sim

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"ballast/miner"
)

func TestWireFaults(t *testing.T) {
	t.Parallel()
	for _, share := range []Sharing{ShareNone, ShareAll} {
		if share == ShareAll && !canShare {
			continue
		}
		t.Run(string(share), func(t *testing.T) {
			t.Parallel()
			network, ports := somewhere(1)
			s := serving(t, Config{Machines: 10, Seed: 1, Network: network, Shared: share, Pristine: true}, ports)
			at := netip.AddrPortFrom(s.Addr(4), ports[0])
			beside := netip.AddrPortFrom(s.Addr(5), ports[0])
			healthy, err := say(at, "hello", 3*time.Second)
			if err != nil {
				t.Fatal(err)
			}
			const patience = 300 * time.Millisecond
			cases := []struct {
				kind   FaultKind
				amount float64
				right  func(got string, err error, took time.Duration) bool
			}{
				{FaultWireHung, 0, func(_ string, err error, _ time.Duration) bool { return isTimeout(err) }},
				{FaultWireSilent, 0, func(_ string, err error, _ time.Duration) bool { return isTimeout(err) }},
				{FaultWireRefused, 0, func(_ string, err error, _ time.Duration) bool { return refused(err) }},
				{FaultWireGarbage, 0, func(got string, err error, _ time.Duration) bool {
					return !isTimeout(err) && !strings.Contains(got, "hello") || len(got) > 0 && !strings.HasPrefix(got, healthy[:8])
				}},
				{FaultWireSlow, 40, func(got string, err error, _ time.Duration) bool {
					return isTimeout(err) && len(got) > 2 && len(got) < 40
				}},
				{FaultWireReset, 5, func(got string, err error, _ time.Duration) bool {
					return got == healthy[:5] && errors.Is(err, syscall.ECONNRESET)
				}},
				{FaultWireTruncated, 7, func(got string, err error, _ time.Duration) bool { return got == healthy[:7] && errors.Is(err, io.EOF) }},
				{FaultWireDelay, 0.15, func(got string, err error, took time.Duration) bool {
					return err == nil && strings.HasSuffix(got, "hello\n") && took > 140*time.Millisecond
				}},
			}
			for _, c := range cases {
				faults, err := s.Inject(Fault{Kind: c.kind, Rig: 4, Amount: c.amount})
				if err != nil || len(faults) != 1 || faults[0].ID == 0 {
					t.Fatalf("%s: %v, %v", c.kind, faults, err)
				}
				// The listeners learn of it within a moment.
				var got string
				var said error
				ok := false
				for range 20 {
					start := time.Now()
					got, said = say(at, "hello", patience)
					if ok = c.right(got, said, time.Since(start)); ok {
						break
					}
					time.Sleep(50 * time.Millisecond)
				}
				if !ok {
					t.Errorf("%s: %q, %v", c.kind, got, said)
				}
				if got, err := say(beside, "hello", 3*time.Second); err != nil {
					t.Errorf("%s: the machine beside it: %q, %v", c.kind, got, err)
				}
				if n := s.Clear(faults[0].ID, "", -1, ""); n != 1 {
					t.Errorf("%s: cleared %d", c.kind, n)
				}
				if err := within(3*time.Second, func() error { _, err := say(at, "hello", time.Second); return err }); err != nil {
					t.Errorf("%s: after clearing: %v", c.kind, err)
				}
			}
		})
	}
}

// within tries until there is no error, or patience ends.
func within(patience time.Duration, try func() error) error {
	var err error
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if err = try(); err == nil {
			return nil
		}
	}
	return err
}

// A fault on a connection that is already open counts too.
func TestWireFaultOnOpenConnection(t *testing.T) {
	t.Parallel()
	network, ports := somewhere(1)
	s := serving(t, Config{Machines: 2, Seed: 1, Network: network, Pristine: true}, ports)
	conn, err := net.Dial("tcp", netip.AddrPortFrom(s.Addr(0), ports[0]).String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	ask := func() (string, error) {
		_ = conn.SetDeadline(time.Now().Add(300 * time.Millisecond))
		if _, err := io.WriteString(conn, "again\n"); err != nil {
			return "", err
		}
		return in.ReadString('\n')
	}
	if got, err := ask(); err != nil {
		t.Fatalf("%q, %v", got, err)
	}
	if _, err := s.Inject(Fault{Kind: FaultWireHung, Rig: 0}); err != nil {
		t.Fatal(err)
	}
	if got, err := ask(); !isTimeout(err) {
		t.Errorf("hung: %q, %v", got, err)
	}
	s.Clear(0, FaultWireHung, 0, "")
	if got, err := ask(); err != nil || !strings.HasSuffix(got, "again\n") {
		t.Errorf("after clearing: %q, %v", got, err)
	}
}

// A machine without power is silent, boots when power returns, and answers
// again when it has booted.
func TestPowerOffIsSilent(t *testing.T) {
	t.Parallel()
	network, ports := somewhere(1)
	s := serving(t, Config{Machines: 3, Seed: 1, Network: network, Pristine: true, Speed: 60}, ports)
	at := netip.AddrPortFrom(s.Addr(1), ports[0])
	f, err := s.Inject(Fault{Kind: FaultPowerOff, Rig: 1})
	if err != nil {
		t.Fatal(err)
	}
	silent := func() error {
		if _, err := say(at, "hello", 150*time.Millisecond); !isTimeout(err) {
			return errors.New("it answers")
		}
		return nil
	}
	if err := within(3*time.Second, silent); err != nil {
		t.Errorf("without power: %v", err)
	}
	s.Clear(f[0].ID, "", -1, "")
	// At most 60 s of booting, a second of the wall clock here.
	if err := within(6*time.Second, func() error { _, err := say(at, "hello", time.Second); return err }); err != nil {
		t.Errorf("after power came back: %v", err)
	}
	got, _ := say(at, "hello", time.Second)
	if !strings.Contains(got, string(PhaseStarting)) && !strings.Contains(got, string(PhaseRamping)) && !strings.Contains(got, string(PhaseHashing)) {
		t.Errorf("after power came back: %q", got)
	}
}

func TestSwapAndUpgradeOnTheWire(t *testing.T) {
	t.Parallel()
	network, ports := somewhere(1)
	s := serving(t, Config{Machines: 4, Seed: 1, Network: network, Pristine: true}, ports)
	a, b := s.Addr(0), s.Addr(1)
	first, second := s.Rig(0).Spec().Serial, s.Rig(1).Spec().Serial
	if _, err := s.Inject(Fault{Kind: FaultSwap, Rig: 0, Text: b.String()}); err != nil {
		t.Fatal(err)
	}
	for addr, serial := range map[netip.Addr]string{a: second, b: first} {
		if got, err := say(netip.AddrPortFrom(addr, ports[0]), "x", 2*time.Second); err != nil || !strings.HasPrefix(got, serial) {
			t.Errorf("%s: %q, %v; want %s", addr, got, err, serial)
		}
	}
	if got := s.Rig(0).Spec().Addr; got != b {
		t.Errorf("the machine itself thinks it is at %s", got)
	}
	if _, err := s.Inject(Fault{Kind: FaultUpgrade, Rig: 2, Text: "9.9"}); err != nil {
		t.Fatal(err)
	}
	if v, p := s.Rig(2).Spec().Version, s.Rig(2).Phase(); v != "9.9" || p != PhaseBooting {
		t.Errorf("upgraded to %q, %s", v, p)
	}
}

// moved is a firmware whose next version listens somewhere else.
type moved struct {
	echo
	then uint16
}

func (m moved) Ports(s Spec) []uint16 {
	if s.Version == "2" {
		return []uint16{m.then}
	}
	return m.ports
}

func TestUpgradeToAnotherPort(t *testing.T) {
	t.Parallel()
	for _, share := range []Sharing{ShareNone, ShareAll} {
		if share == ShareAll && !canShare {
			continue
		}
		network, ports := somewhere(2)
		m, err := ParseMix([]byte("groups: [{share: 1, firmware: luxos, model: Antminer S19}]"))
		if err != nil {
			t.Fatal(err)
		}
		s, err := New(Config{Machines: 3, Mix: &m, Network: network, Shared: share, Pristine: true, Speed: 100, Log: slog.New(slog.DiscardHandler)}, []Dialect{moved{echo{miner.LuxOS, ports[:1]}, ports[1]}})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- s.Serve(ctx) }()
		old, next := netip.AddrPortFrom(s.Addr(1), ports[0]), netip.AddrPortFrom(s.Addr(1), ports[1])
		if err := within(3*time.Second, func() error { _, err := say(old, "x", time.Second); return err }); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Inject(Fault{Kind: FaultUpgrade, Rig: 1, Text: "2"}); err != nil {
			t.Fatal(err)
		}
		if err := within(5*time.Second, func() error { _, err := say(next, "x", time.Second); return err }); err != nil {
			t.Errorf("%s: the new port: %v", share, err)
		}
		if _, err := say(old, "x", time.Second); !refused(err) {
			t.Errorf("%s: the old port: %v", share, err)
		}
		if _, err := say(netip.AddrPortFrom(s.Addr(2), ports[0]), "x", time.Second); err != nil {
			t.Errorf("%s: the machine beside it: %v", share, err)
		}
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestFilterProgram(t *testing.T) {
	// Run the program as the kernel would, on destinations in and out of ranges.
	run := func(prog []instruction, dst uint32) uint32 {
		var acc uint32
		for pc := 0; ; pc++ {
			in := prog[pc]
			switch in.code {
			case bpfLoadWord:
				acc = dst
			case bpfJump:
				pc += int(in.k)
			case bpfJumpGE:
				if acc >= in.k {
					pc += int(in.jt)
				} else {
					pc += int(in.jf)
				}
			case bpfJumpGT:
				if acc > in.k {
					pc += int(in.jt)
				} else {
					pc += int(in.jf)
				}
			case bpfReturn:
				return in.k
			default:
				t.Fatalf("instruction %#x", in.code)
			}
		}
	}
	for _, n := range []int{1, 2, 3, 7, 100, maxSilent} {
		var ranges []addrRange
		for i := range n {
			lo := uint32(0x7f140000 + i*10)
			ranges = append(ranges, addrRange{lo, lo + uint32(i%4)})
		}
		prog := filterFor(ranges)
		if len(prog) > 4096 {
			t.Fatalf("%d ranges need %d instructions", n, len(prog))
		}
		for i, r := range ranges {
			for dst, want := range map[uint32]uint32{r.lo: 0, r.hi: 0, r.hi + 1: bpfKeep, r.lo - 1: bpfKeep} {
				if got := run(prog, dst); got != want {
					t.Fatalf("%d ranges, range %d, %#x: %#x, want %#x", n, i, dst, got, want)
				}
			}
		}
	}
}

func TestMergeRangesAndGaps(t *testing.T) {
	p := netip.MustParsePrefix("10.0.0.0/29")
	base := number(p.Addr())
	in := mergeRanges([]addrRange{{base + 5, base + 5}, {base + 1, base + 2}, {base + 3, base + 3}})
	if len(in) != 2 || in[0] != (addrRange{base + 1, base + 3}) {
		t.Errorf("merged %v", in)
	}
	out := gaps(p, in)
	want := []addrRange{{base, base}, {base + 4, base + 4}, {base + 6, base + 7}}
	if len(out) != 3 || out[0] != want[0] || out[1] != want[1] || out[2] != want[2] {
		t.Errorf("gaps %v, want %v", out, want)
	}
}
