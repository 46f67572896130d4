package braiins_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ballast/miner"
	"ballast/miner/braiins"
	"ballast/sim"
	dialect "ballast/sim/dialect/braiins"
)

// clock is a rig's time, moved by hand.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// bench is a rig on its sockets.
type bench struct {
	*clock
	rig    *sim.Rig
	target miner.Target
	dialed map[string]int // connections by port
}

func newBench(t *testing.T, version string) *bench { return newBenchIn(t, t.Context(), version) }

func newBenchIn(t *testing.T, ctx context.Context, version string) *bench {
	t.Helper()
	b := &bench{clock: &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, dialed: map[string]int{}}
	b.rig = sim.NewRig(sim.Spec{
		Model: model(t, "Antminer S19j Pro (104T)"), Firmware: miner.Braiins, Version: version, MAC: "02:00:00:00:00:07", Serial: "SN7", Password: "right", Seed: 7,
	}, b.time)
	var err error
	if b.target, err = sim.Stand(ctx, dialect.New(), b.rig); err != nil {
		t.Fatal(err)
	}
	b.target.Credentials = miner.Credentials{Password: "right"}
	b.target.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		b.mu.Lock()
		for known, port := range b.target.Ports {
			if strings.HasSuffix(address, netip.AddrPortFrom(b.target.Addr, port).String()) {
				b.dialed[map[uint16]string{80: "web", 4028: "api", 50051: "grpc"}[known]]++
			}
		}
		b.mu.Unlock()
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	return b
}

func (b *bench) open(t *testing.T) miner.Device {
	t.Helper()
	dev := braiins.New().Open(b.target)
	t.Cleanup(dev.Close)
	return dev
}

// soon is a context that ends while somebody still waits for the test.
func soon(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func apply(t *testing.T, dev miner.Device, s miner.Setting) error {
	t.Helper()
	return dev.Apply(soon(t), s)
}

func read(t *testing.T, dev miner.Device) miner.Reading {
	t.Helper()
	r, err := dev.Read(soon(t))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Each release is spoken to the way it likes best, over connections that are
// kept.
func TestGenerations(t *testing.T) {
	for version, want := range map[string]map[string]int{
		"26.04": {"web": 1}, "25.07": {"web": 1}, "25.03": {"web": 1, "grpc": 1}, "23.12": {"web": 1, "grpc": 1}, "23.08": {"web": 1, "grpc": 1},
		"24.04": {"web": 1, "api": 8}, "23.03": {"web": 1, "api": 8}, "22.08": {"web": 1, "api": 8},
	} {
		t.Run(version, func(t *testing.T) {
			b := newBench(t, version)
			dev := b.open(t)
			for range 6 {
				r := read(t, dev)
				for _, w := range r.Warnings {
					t.Errorf("warning %+v", w)
				}
				if r.State != miner.Hashing || len(r.Boards) != 3 || len(r.Fans) != 4 || r.Envelope == nil || r.Identity.MAC != "02:00:00:00:00:07" {
					t.Fatalf("reading %+v", r)
				}
			}
			for port, n := range b.dialed {
				// net/http gives a connection up when its writer is slow to report,
				// as on a busy machine.
				if n > want[port]+2 || want[port] == 0 {
					t.Errorf("%d connections to %s, want %d", n, port, want[port])
				}
			}
			for port := range want {
				if b.dialed[port] == 0 {
					t.Errorf("nobody spoke to %s", port)
				}
			}
		})
	}
}

// REST and gRPC say the same about a machine, as far as both can.
func TestPublicAPIsAgree(t *testing.T) {
	b := newBench(t, "25.07")
	over := func(ports map[uint16]uint16) miner.Reading {
		target := b.target
		target.Ports = ports
		dev := braiins.New().Open(target)
		defer dev.Close()
		return read(t, dev)
	}
	rest := over(b.target.Ports)
	// A machine whose web server is not reached: closed is what port 9 is.
	grpc := over(map[uint16]uint16{80: closedPort(t), 4028: closedPort(t), 50051: b.target.Ports[50051]})
	for _, r := range []*miner.Reading{&rest, &grpc} {
		r.At, r.Took = time.Time{}, 0
		r.Identity.APIVersion = "" // counted apart
		delete(r.Extra, "interface")
		for k, v := range r.Extra {
			if strings.HasPrefix(k, "constraints.") || strings.HasPrefix(k, "configuration.") || strings.Contains(k, "quota") || v == "0" {
				delete(r.Extra, k) // nested differently, or left out when zero
			}
		}
	}
	want, _ := json.MarshalIndent(rest, "", " ")
	got, _ := json.MarshalIndent(grpc, "", " ")
	if string(want) != string(got) {
		a, b := strings.Split(string(want), "\n"), strings.Split(string(got), "\n")
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Fatalf("REST says %s, gRPC says %s", a[i], b[i])
			}
		}
		t.Fatalf("REST says %d things, gRPC %d", len(a), len(b))
	}
}

func closedPort(t *testing.T) uint16 {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return uint16(l.Addr().(*net.TCPAddr).Port)
}

// A token that has expired is renewed without a word.
func TestTokenExpires(t *testing.T) {
	for _, version := range []string{"25.07", "23.12", "24.04"} {
		t.Run(version, func(t *testing.T) {
			b := newBench(t, version)
			dev := b.open(t)
			read(t, dev)
			b.advance(3 * time.Hour)
			if err := apply(t, dev, miner.Setting{Kind: miner.SetLocate, On: true}); err != nil {
				t.Fatal(err)
			}
			b.advance(3 * time.Hour)
			if r := read(t, dev); !r.Locating.Or(false) || len(r.Warnings) > 0 {
				t.Errorf("locating %v, warnings %+v", r.Locating, r.Warnings)
			}
		})
	}
}

// Between the first reading and the next rare ones, little is asked and
// everything told; after a setting, its effect shows at once.
func TestRareReplies(t *testing.T) {
	b := newBench(t, "25.07")
	dev := b.open(t)
	first := read(t, dev)
	for range 40 {
		b.advance(10 * time.Second)
		r := read(t, dev)
		if len(r.Pools) != len(first.Pools) || r.Identity != first.Identity || r.Envelope == nil || r.PowerLimit != first.PowerLimit || !r.Locating.Ok() {
			t.Fatalf("a later reading tells less: %+v", r)
		}
		if r.Uptime.Or(0) <= first.Uptime.Or(0) {
			t.Fatal("the uptime stands still")
		}
	}
	if err := apply(t, dev, miner.Setting{Kind: miner.SetPower, Power: 2500}); err != nil {
		t.Fatal(err)
	}
	if r := read(t, dev); r.PowerLimit.Or(0) != 2500 || r.Profile != "2500W" {
		t.Errorf("limit %v, profile %q", r.PowerLimit, r.Profile)
	}
}

// A machine that was told to stop altogether wakes by a start.
func TestWakeOfAStoppedMachine(t *testing.T) {
	for _, version := range []string{"26.04", "23.12", "24.04"} {
		t.Run(version, func(t *testing.T) {
			b := newBench(t, version)
			dev := b.open(t)
			read(t, dev)
			stop(t, b)
			if r := read(t, dev); r.State != miner.Sleeping {
				t.Errorf("after a stop: %s (%s)", r.State, r.StateTold)
			}
			if err := apply(t, dev, miner.Setting{Kind: miner.SetWake}); err != nil {
				t.Fatal(err)
			}
			b.advance(10 * time.Minute)
			if r := read(t, dev); r.State != miner.Hashing {
				t.Errorf("after waking: %s (%s)", r.State, r.StateTold)
			}
		})
	}
}

// Profiles are set by their names, in watts and in hashrate.
func TestProfiles(t *testing.T) {
	for _, version := range []string{"26.04", "23.12"} {
		t.Run(version, func(t *testing.T) {
			b := newBench(t, version)
			dev := b.open(t)
			e, err := dev.Envelope(soon(t))
			if err != nil {
				t.Fatal(err)
			}
			if len(e.Steps) < 3 {
				t.Fatalf("envelope %+v", e)
			}
			s := e.Steps[1]
			if err := apply(t, dev, s.Setting); err != nil {
				t.Fatal(err)
			}
			if r := read(t, dev); r.Profile != s.Name || math.Abs(float64(r.PowerLimit.Or(0)-s.Power.Or(1e6))) > 1 {
				t.Errorf("profile %q, limit %v; want %q", r.Profile, r.PowerLimit, s.Name)
			}
		})
	}
}

// Whoever sends ill-fitting settings is told why, in the machine's words where
// it is the machine that refuses.
func TestRefusals(t *testing.T) {
	for _, version := range []string{"25.07", "23.12", "22.08"} {
		t.Run(version, func(t *testing.T) {
			b := newBench(t, version)
			dev := b.open(t)
			err := apply(t, dev, miner.Setting{Kind: miner.SetPools, Pools: []miner.PoolSetting{{URL: "http://no.pool", User: "u", Password: "poolsecret"}}})
			if !errors.Is(err, miner.ErrRefused) || !strings.Contains(err.Error(), "Invalid pool URL") || strings.Contains(err.Error(), "poolsecret") {
				t.Errorf("a pool without stratum: %v", err)
			}
			err = apply(t, dev, miner.Setting{Kind: miner.SetPower, Power: 99999})
			if !errors.Is(err, miner.ErrRefused) || !strings.Contains(err.Error(), "kW") {
				t.Errorf("too much power: %v", err)
			}
		})
	}
}

// A rig whose firmware is changed under the driver is found out again.
func TestUpgrade(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	old, young := newBenchIn(t, ctx, "22.08"), newBench(t, "26.04")
	// One address whose ports lead to the one machine, then to the other.
	var mu sync.Mutex
	at := old.target
	target := old.target
	target.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		mu.Lock()
		to := at
		mu.Unlock()
		for known, port := range old.target.Ports {
			if strings.HasSuffix(address, netip.AddrPortFrom(target.Addr, port).String()) {
				address = netip.AddrPortFrom(to.Addr, to.Ports[known]).String()
			}
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	dev := braiins.New().Open(target)
	defer dev.Close()
	if r := read(t, dev); !strings.Contains(r.Identity.FirmwareVersion, "22.08") {
		t.Fatalf("version %q", r.Identity.FirmwareVersion)
	}
	mu.Lock()
	at = young.target
	mu.Unlock()
	cancel() // it reboots
	var r miner.Reading
	for range 40 {
		if r = read(t, dev); strings.Contains(r.Identity.FirmwareVersion, "26.04") && r.StateTold == "normal" {
			return
		}
	}
	t.Errorf("version %q, state told %q", r.Identity.FirmwareVersion, r.StateTold)
}

// Closing ends what is under way and leaves nothing behind.
func TestClose(t *testing.T) {
	ignore := goleak.IgnoreCurrent()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := uint16(l.Addr().(*net.TCPAddr).Port)
	dev := braiins.New().Open(miner.Target{
		Addr: netip.MustParseAddr("127.0.0.1"), Ports: map[uint16]uint16{80: port, 4028: port, 50051: port}, Credentials: miner.Credentials{Password: "x"},
	})
	failed := make(chan error)
	go func() {
		_, err := dev.Read(context.Background())
		failed <- err
	}()
	time.Sleep(50 * time.Millisecond)
	dev.Close()
	select {
	case err := <-failed:
		if !errors.Is(err, miner.ErrUnreachable) {
			t.Errorf("reading while closing gives %v", err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("reading goes on after closing")
	}
	goleak.VerifyNone(t, ignore)
}

func TestHint(t *testing.T) {
	d := braiins.New().(miner.Hinter)
	for _, c := range []struct {
		port  uint16
		reply string
		want  bool
	}{
		{4028, `{"STATUS":[{"STATUS":"S","Description":"BOSer boser-openwrt 0.1.0"}],"VERSION":[{"API":"3.7","BOSer":"x"}]}`, true},
		{4028, `{"STATUS":[{"STATUS":"S","Description":"BOSminer+ 0.2.0-36c56a9363"}]}`, true},
		{4028, `{"STATUS":[{"STATUS":"S","Description":"cgminer 4.11.1"}],"VERSION":[{"CGMiner":"4.11.1"}]}`, false},
		{80, "HTTP/1.1 200 OK\r\n\r\n<title>Braiins OS</title>", true},
		{80, "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"antMiner Configuration\"\r\n\r\n", false},
		{22, "BOSer", false},
	} {
		if got := d.Hint(c.port, []byte(c.reply)); got != c.want {
			t.Errorf("%d %q: %t", c.port, c.reply, got)
		}
	}
}

// stop stops the mining process, as somebody at the web page would.
func stop(t *testing.T, b *bench) {
	t.Helper()
	post(t, b, "/graphql", `{"query":"mutation{auth{login(username:\"root\",password:\"right\"){__typename}} bosminer{stop{__typename}}}"}`)
}
