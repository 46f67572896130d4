package sim

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ballast/miner"
)

// echo is a dialect small enough to see through: it answers a line with the
// serial of the machine, the port and the line.
type echo struct {
	firmware miner.Firmware
	ports    []uint16
}

func (e echo) Firmware() miner.Firmware { return e.firmware }
func (e echo) Ports(Spec) []uint16      { return e.ports }
func (e echo) Serve(ctx context.Context, port uint16, conn net.Conn, rig *Rig) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	in := bufio.NewReader(conn)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		s := rig.Snapshot()
		if _, err := fmt.Fprintf(conn, "%s %d %s %.0f %s", rig.Spec().Serial, port, s.Phase, float64(s.Power), line); err != nil {
			return
		}
	}
}

var nextPort = func() *atomic.Int32 {
	var n atomic.Int32
	n.Store(20000 + rand.Int32N(8000))
	return &n
}()

// somewhere is a network and ports that other test processes on this machine
// are unlikely to use at the same time.
func somewhere(ports int) (netip.Prefix, []uint16) {
	third := byte(os.Getpid()%200 + 32)
	out := make([]uint16, ports)
	for i := range out {
		out[i] = uint16(nextPort.Add(1))
	}
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{127, third, 0, 0}), 16), out
}

func echoes(ports []uint16) []Dialect {
	var out []Dialect
	for _, f := range firmwares() {
		out = append(out, echo{f, ports})
	}
	return out
}

// serving starts a site and ends it with the test.
func serving(t testing.TB, cfg Config, ports []uint16) *Site {
	t.Helper()
	cfg.Log = slog.New(slog.DiscardHandler)
	s, err := New(cfg, echoes(ports))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return s
}

// say sends a line to an address and returns the line that comes back.
func say(ap netip.AddrPort, line string, patience time.Duration) (string, error) {
	conn, err := net.DialTimeout("tcp", ap.String(), patience)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, line+"\n"); err != nil {
		return "", err
	}
	return bufio.NewReader(conn).ReadString('\n')
}

func TestServeEveryMachine(t *testing.T) {
	t.Parallel()
	for _, share := range []Sharing{ShareNone, ShareAll} {
		t.Run(string(share), func(t *testing.T) {
			if share == ShareAll && !canShare {
				t.Skip("needs Linux")
			}
			const machines = 2000
			network, ports := somewhere(2)
			before := runtime.NumGoroutine()
			s := serving(t, Config{Machines: machines, Seed: 1, Network: network, Scatter: true, Shared: share}, ports)
			if l := s.Listening(); l.Shared != (share == ShareAll) || l.Shared && l.Listeners != 2 || !l.Shared && l.Listeners != 2*machines {
				t.Fatalf("listening %+v", l)
			}
			if n := runtime.NumGoroutine() - before; n > 20 {
				t.Errorf("%d goroutines for idle machines", n)
			}
			var wrong atomic.Int64
			var wg sync.WaitGroup
			for w := range 16 {
				wg.Go(func() {
					for i := w; i < machines; i += 16 {
						port := ports[i%2]
						got, err := say(netip.AddrPortFrom(s.Addr(i), port), "hello", 5*time.Second)
						want := fmt.Sprintf("%s %d ", s.Rig(i).Spec().Serial, port)
						if err != nil || !strings.HasPrefix(got, want) || !strings.HasSuffix(got, "hello\n") {
							if wrong.Add(1) < 5 {
								t.Errorf("machine %d: %q, %v; want %q", i, got, err, want)
							}
						}
					}
				})
			}
			wg.Wait()
			if n := wrong.Load(); n > 0 {
				t.Errorf("%d of %d machines answered wrong", n, machines)
			}
			// An address without a machine refuses, or resets at once.
			empty := netip.AddrPortFrom(hostAt(network, usableHosts(network)-1), ports[0])
			if _, err := say(empty, "hello", 3*time.Second); !refused(err) {
				t.Errorf("an empty address: %v", err)
			}
		})
	}
}

// Stopping closes everything, hanging conversations too.
func TestServeEnds(t *testing.T) {
	leaks := goleak.IgnoreCurrent()
	network, ports := somewhere(1)
	s, err := New(Config{Machines: 20, Network: network, Pristine: true, Control: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)}, echoes(ports))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // and it can start again
		l, err := s.Listen()
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- s.Serve(ctx) }()
		if _, err := s.Inject(Fault{Kind: FaultWireHung, Rig: 3}); err != nil {
			t.Fatal(err)
		}
		var open []net.Conn
		for i := range 6 {
			conn, err := net.Dial("tcp", netip.AddrPortFrom(s.Addr(i), ports[0]).String())
			if err != nil {
				t.Fatal(err)
			}
			open = append(open, conn)
			fmt.Fprintln(conn, "hello")
		}
		if _, err := net.Dial("tcp", l.Control); err != nil {
			t.Errorf("control API: %v", err)
		}
		at := s.Now()
		time.Sleep(30 * time.Millisecond)
		if !s.Now().After(at) {
			t.Error("the clock stands while the site serves")
		}
		stop()
		select {
		case err := <-done:
			if err != nil {
				t.Error(err)
			}
		case <-time.After(4 * time.Second):
			t.Fatal("does not stop")
		}
		for _, conn := range open {
			conn.Close()
		}
		if _, err := say(netip.AddrPortFrom(s.Addr(5), ports[0]), "hello", time.Second); !refused(err) {
			t.Errorf("after the end: %v", err)
		}
	}
	goleak.VerifyNone(t, leaks)
}

func TestTimeWaitsForTheSimulator(t *testing.T) {
	s := newSite(t, Config{Machines: 20, Pristine: true})
	s.clock.set(true, 1, 1000*time.Hour) // far more than can be caught up with
	begin := time.Now()
	for range 3 {
		s.catchUp(time.Second)
	}
	if took := time.Since(begin); took > 5*busiest {
		t.Errorf("catching up takes %v at a stretch", took/3)
	}
	if behind := s.Now().Sub(unixUTC(s.at)); behind > time.Hour {
		t.Errorf("the clock runs %v ahead of the machines", behind)
	}
}

func refused(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

func TestSharingIsChosenByOpenFiles(t *testing.T) {
	s, err := New(Config{Machines: 100, Pristine: true}, echoes([]uint16{1, 2, 3}))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		share  Sharing
		silent bool
		limit  uint64
		shared bool
		fails  bool
	}{
		{ShareAuto, false, 20000, false, false},
		{ShareAuto, false, 2299, canShare, !canShare},
		{ShareAuto, true, 20000, canShare, !canShare},
		{ShareAll, false, 20000, canShare, !canShare},
		{ShareNone, false, 2299, false, true},
		{ShareNone, true, 20000, false, true},
	} {
		s.cfg.Shared, s.cfg.Silent = c.share, nil
		if c.silent {
			s.cfg.Silent = []netip.Prefix{netip.MustParsePrefix("127.20.9.0/24")}
		}
		s.wire.report = Listening{}
		err := s.chooseMode(s.ports(), c.limit)
		if (err != nil) != c.fails || err == nil && s.wire.report.Shared != c.shared {
			t.Errorf("%+v: shared %v, %v", c, s.wire.report.Shared, err)
		}
	}
}

func TestSilentAddresses(t *testing.T) {
	t.Parallel()
	if !canShare || !mayFilter() {
		t.Skip("needs Linux and CAP_NET_ADMIN")
	}
	network, ports := somewhere(1)
	a := network.Addr().As4()
	hole := netip.PrefixFrom(netip.AddrFrom4([4]byte{a[0], a[1], 77, 0}), 24)
	s := serving(t, Config{Machines: 5, Seed: 1, Network: network, Silent: []netip.Prefix{hole}}, ports)
	if got, err := say(netip.AddrPortFrom(s.Addr(0), ports[0]), "hello", 3*time.Second); err != nil {
		t.Errorf("a machine beside the hole: %q, %v", got, err)
	}
	for _, last := range []byte{1, 128, 254} {
		in := netip.AddrPortFrom(netip.AddrFrom4([4]byte{a[0], a[1], 77, last}), ports[0])
		if _, err := say(in, "hello", 200*time.Millisecond); !isTimeout(err) {
			t.Errorf("%s in the hole: %v, want a timeout", in, err)
		}
	}
	for _, beside := range []byte{76, 78} {
		at := netip.AddrPortFrom(netip.AddrFrom4([4]byte{a[0], a[1], beside, 1}), ports[0])
		if _, err := say(at, "hello", 2*time.Second); !refused(err) {
			t.Errorf("%s beside the hole: %v, want a reset", at, err)
		}
	}
}

func TestHush(t *testing.T) {
	t.Parallel()
	if !canShare {
		t.Skip("needs Linux")
	}
	for _, share := range []Sharing{ShareNone, ShareAll} {
		t.Run(string(share), func(t *testing.T) {
			if share == ShareAll && !mayFilter() {
				t.Skip("packet filters want CAP_NET_ADMIN here")
			}
			network, ports := somewhere(2)
			s := serving(t, Config{Machines: 50, Seed: 1, Network: network, Scatter: true, Hush: true, Shared: share}, ports)
			for i := range 50 {
				if got, err := say(netip.AddrPortFrom(s.Addr(i), ports[i%2]), "hello", 3*time.Second); err != nil {
					t.Fatalf("machine %d: %q, %v", i, got, err)
				}
			}
			for i := range 3 {
				empty := hostAt(network, 1000*i)
				if _, taken := s.At(empty); taken {
					continue
				}
				if _, err := say(netip.AddrPortFrom(empty, ports[0]), "hello", 200*time.Millisecond); !isTimeout(err) {
					t.Errorf("empty %s: %v, want a timeout", empty, err)
				}
			}
		})
	}
}

// mayFilter tells whether this process may put a packet filter on a socket.
func mayFilter() bool {
	acc, err := newAcceptor()
	if err != nil {
		return false
	}
	defer acc.stop()
	network, ports := somewhere(1)
	key, err := acc.listen(netip.AddrPortFrom(network.Addr().Next(), ports[0]), false)
	if err != nil {
		return false
	}
	defer acc.close(key)
	return acc.silence(key, []addrRange{{1, 1}}) == nil
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

func TestListenExplains(t *testing.T) {
	network, ports := somewhere(1)
	a := network.Addr().As4()
	taken, err := net.Listen("tcp", netip.AddrPortFrom(netip.AddrFrom4([4]byte{a[0], a[1], 0, 1}), ports[0]).String())
	if err != nil {
		t.Skip(err)
	}
	defer taken.Close()
	s, err := New(Config{Machines: 3, Network: network}, echoes(ports))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Listen(); !errors.Is(err, ErrListen) || !strings.Contains(err.Error(), "another program has this port") {
		t.Errorf("a taken port: %v", err)
	}
	s, err = New(Config{Machines: 3, Network: netip.MustParsePrefix("10.0.0.0/16")}, echoes(ports))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Listen(); !errors.Is(err, ErrListen) || !strings.Contains(err.Error(), "loopback") {
		t.Errorf("a network that is not loopback: %v", err)
	}
	s, err = New(Config{Machines: 3, Network: network, Control: "0.0.0.0:0", Ports: map[uint16]uint16{ports[0]: ports[0] + 1000}}, echoes(ports))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Listen(); !errors.Is(err, ErrListen) || !strings.Contains(err.Error(), "no password") {
		t.Errorf("a control API for everybody: %v", err)
	}
	if _, err := New(Config{Machines: 300, Network: netip.MustParsePrefix("127.1.1.0/24")}, nil); !errors.Is(err, ErrNetwork) {
		t.Errorf("too small a network: %v", err)
	}
}

func TestPortMap(t *testing.T) {
	t.Parallel()
	network, ports := somewhere(1)
	s := serving(t, Config{Machines: 3, Network: network, Ports: map[uint16]uint16{ports[0]: ports[0] + 8000}}, ports)
	if got := s.Listening().Ports; got[ports[0]] != ports[0]+8000 {
		t.Errorf("reported ports %v", got)
	}
	got, err := say(netip.AddrPortFrom(s.Addr(1), ports[0]+8000), "hello", 3*time.Second)
	// The dialect hears the well-known port.
	if want := fmt.Sprintf("%s %d ", s.Rig(1).Spec().Serial, ports[0]); err != nil || !strings.HasPrefix(got, want) {
		t.Errorf("%q, %v; want %q", got, err, want)
	}
}

func BenchmarkConnection(b *testing.B) {
	for _, share := range []Sharing{ShareNone, ShareAll} {
		b.Run(string(share), func(b *testing.B) {
			network, ports := somewhere(1)
			s := serving(b, Config{Machines: 200, Network: network, Shared: share}, ports)
			n := 0
			b.ReportAllocs()
			for b.Loop() {
				if _, err := say(netip.AddrPortFrom(s.Addr(n%200), ports[0]), "hello", 3*time.Second); err != nil {
					b.Fatal(err)
				}
				n++
			}
		})
	}
}
