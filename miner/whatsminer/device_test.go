package whatsminer

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ballast/miner"
	"ballast/sim"
	dialect "ballast/sim/dialect/whatsminer"
	"ballast/unit"
)

const secret = "0p3n-sesame"

// stand puts a rig with a clock of its own on the bench.
func stand(t testing.TB, spec sim.Spec) (*sim.Rig, miner.Target, *clock) {
	t.Helper()
	spec.Firmware = miner.Whatsminer
	spec.MAC, spec.Serial, spec.Hostname = "c6:07:20:00:1e:c2", "HTM31X77JQ23", "rig-7"
	spec.Password = secret
	if spec.Model.Name == "" {
		spec.Model = model(t, "M30S+_VE40")
	}
	c := &clock{}
	c.set(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	rig := sim.NewRig(spec, c.now)
	target, err := sim.Stand(t.Context(), dialect.New(), rig)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := target.Ports[portV3]; !ok {
		target.Ports[portV3] = deadPort(t)
	}
	target.Credentials = miner.Credentials{Password: secret}
	return rig, target, c
}

// deadPort is a port of loopback where nobody listens.
func deadPort(t testing.TB) uint16 {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return uint16(l.Addr().(*net.TCPAddr).Port)
}

type clock struct{ at atomic.Int64 }

func (c *clock) now() time.Time          { return time.Unix(0, c.at.Load()) }
func (c *clock) set(t time.Time)         { c.at.Store(t.UnixNano()) }
func (c *clock) advance(d time.Duration) { c.at.Add(int64(d)) }

// open makes a device that lives by the clock, so that tokens age.
func open(t testing.TB, target miner.Target, c *clock) *Device {
	t.Helper()
	d := &Driver{now: c.now}
	dev := d.Open(target).(*Device)
	t.Cleanup(dev.Close)
	return dev
}

// counted counts the connections to each port.
type counted struct {
	mu sync.Mutex
	n  map[uint16]int
}

func (c *counted) dial(target miner.Target) func(context.Context, string, string) (net.Conn, error) {
	c.n = map[uint16]int{}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, _ := net.SplitHostPort(address)
		c.mu.Lock()
		for real, at := range target.Ports {
			if fmt.Sprint(at) == port {
				c.n[real]++
			}
		}
		c.mu.Unlock()
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
}

func (c *counted) take() map[uint16]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.n
	c.n = map[uint16]int{}
	return out
}

func TestReadEconomyV3(t *testing.T) {
	_, target, c := stand(t, sim.Spec{Model: model(t, "M60S_VK40"), Version: "20250214.16.Rel"})
	var conns counted
	target.Dial = conns.dial(target)
	dev := open(t, target, c)
	for range 10 {
		if _, err := dev.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := conns.take(); n[portV3] != 1 || n[portV2] != 10 {
		t.Errorf("ten readings made these connections: %v; want one on 4433, and one each for the shares", n)
	}
}

func TestReadEconomyV2(t *testing.T) {
	_, target, c := stand(t, sim.Spec{Version: "20240827.13.Rel"})
	var conns counted
	target.Dial = conns.dial(target)
	dev := open(t, target, c)
	if _, err := dev.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	conns.take()
	const reads = 12
	for range reads {
		if _, err := dev.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	// Two each, three more at every third, and six at the one that asks
	// everything, if it is among them.
	if n := conns.take()[portV2]; n < 2*reads+3*reads/3 || n > 2*reads+3*reads/3+6 {
		t.Errorf("%d readings made %d connections", reads, n)
	}
}

// The kept connection is taken up again when the machine has dropped it.
func TestReconnectV3(t *testing.T) {
	_, target, c := stand(t, sim.Spec{Model: model(t, "M60S_VK40"), Version: "20250214.16.Rel"})
	var last net.Conn
	target.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		if err == nil && strings.HasSuffix(address, fmt.Sprint(":", target.Ports[portV3])) {
			last = conn
		}
		return conn, err
	}
	dev := open(t, target, c)
	for range 3 {
		r, err := dev.Read(t.Context())
		if err != nil || len(r.Warnings) > 0 {
			t.Fatalf("%v, %+v", err, r.Warnings)
		}
		last.Close()
	}
}

// A token lives 30 minutes on the machine; one that it has forgotten is renewed
// without a word.
func TestTokenIsKeptAndRenewed(t *testing.T) {
	rig, target, c := stand(t, sim.Spec{Version: "20240827.13.Rel"})
	var conns counted
	target.Dial = conns.dial(target)
	dev := open(t, target, c)
	locate := func(on bool) {
		t.Helper()
		if err := dev.Apply(t.Context(), miner.Setting{Kind: miner.SetLocate, On: on}); err != nil {
			t.Fatal(err)
		}
		if rig.Snapshot().Locating != on {
			t.Fatalf("the light is not %v", on)
		}
	}
	locate(true)
	conns.take()
	locate(false)
	if n := conns.take()[portV2]; n != 1 {
		t.Errorf("a setting under a token at hand made %d connections", n)
	}
	c.advance(26 * time.Minute) // older than we use one
	locate(true)
	if n := conns.take()[portV2]; n != 2 {
		t.Errorf("a setting under an old token made %d connections", n)
	}
	// The machine forgets it before we do.
	dev.seal.token.Sign = "forgotten"
	locate(false)
	if n := conns.take()[portV2]; n != 3 {
		t.Errorf("a setting under a forgotten token made %d connections", n)
	}
}

// The vendor's document signs with the last four characters of the time, and a
// machine that tells all of it may mean that.
func TestTokenOfLongTime(t *testing.T) {
	_, target, c := stand(t, sim.Spec{Version: "20240827.13.Rel"})
	direct := target
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() { // a relay that spells the time out
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				up, err := direct.DialPort(context.Background(), portV2)
				if err != nil {
					return
				}
				defer up.Close()
				buf := make([]byte, 64<<10)
				n, _ := conn.Read(buf)
				_, _ = up.Write(buf[:n])
				reply, _ := io.ReadAll(up)
				_, _ = conn.Write([]byte(strings.Replace(string(reply), `"time":"`, `"time":"177236`, 1)))
			}()
		}
	}()
	target.Ports = map[uint16]uint16{portV2: uint16(l.Addr().(*net.TCPAddr).Port), portV3: direct.Ports[portV3]}
	dev := open(t, target, c)
	if err := dev.Apply(t.Context(), miner.Setting{Kind: miner.SetLocate, On: true}); err != nil {
		t.Fatal(err)
	}
}

func TestApplyErrors(t *testing.T) {
	for _, version := range []string{"20220506.11.REL", "20240827.13.Rel", "20250214.16.Rel"} {
		t.Run(version, func(t *testing.T) {
			spec := sim.Spec{Version: version, Model: model(t, "M60S_VK40")}
			on := miner.Setting{Kind: miner.SetLocate, On: true}

			spec.WriteLock = true
			_, target, c := stand(t, spec)
			if err := open(t, target, c).Apply(t.Context(), on); !errors.Is(err, miner.ErrLocked) || errors.Is(err, miner.ErrDenied) {
				t.Errorf("locked: %v", err)
			}

			spec.WriteLock = false
			_, target, c = stand(t, spec)
			target.Credentials.Password = "wrong"
			err := open(t, target, c).Apply(t.Context(), on)
			if !errors.Is(err, miner.ErrDenied) || strings.Contains(err.Error(), "wrong\"") {
				t.Errorf("wrong password: %v", err)
			}
			target.Credentials = miner.Credentials{}
			if err := open(t, target, c).Apply(t.Context(), on); !errors.Is(err, miner.ErrDenied) || !strings.Contains(err.Error(), "credentials") {
				t.Errorf("no password: %v", err)
			}
			target.Credentials = miner.Credentials{Password: secret}
			dev := open(t, target, c)
			for _, s := range []miner.Setting{
				{Kind: miner.SetPower, Power: 1}, {Kind: miner.SetPower, Power: 50000}, {Kind: miner.SetPower},
				{Kind: miner.SetMode, Mode: "turbo"}, {Kind: miner.SetPools}, {Kind: miner.SetPools, Pools: make([]miner.PoolSetting, 4)},
				{Kind: miner.SetPools, Pools: []miner.PoolSetting{{User: "u"}}},
			} {
				if err := dev.Apply(t.Context(), s); !errors.Is(err, miner.ErrRefused) {
					t.Errorf("%+v: %v", s, err)
				}
			}
			if err := dev.Apply(t.Context(), miner.Setting{Kind: "fan"}); !errors.Is(err, miner.ErrUnsupported) {
				t.Errorf("unknown kind: %v", err)
			}
		})
	}
}

// Quick percentages exist where the machine tells the one in force.
func TestPercentages(t *testing.T) {
	for version, profiles := range map[string]map[string]error{
		"20220506.11.REL": {"80%": miner.ErrUnsupported},
		"20240827.13.Rel": {"80%": nil, "60%": nil, "60% fast": miner.ErrRefused, "100%": nil, "40%": miner.ErrRefused, "101%": miner.ErrRefused, "eco": miner.ErrRefused, "80": miner.ErrRefused},
		"20250214.16.Rel": {"80%": nil, "60%": nil, "0%": miner.ErrRefused},
	} {
		_, target, c := stand(t, sim.Spec{Version: version})
		dev := open(t, target, c)
		for p, want := range profiles {
			if err := dev.Apply(t.Context(), miner.Setting{Kind: miner.SetProfile, Profile: p}); !errors.Is(err, want) {
				t.Errorf("%s %q: %v, want %v", version, p, err, want)
			}
		}
	}
}

// The machine gives out 32 tokens to one address and then no more.
func TestTokensRunOut(t *testing.T) {
	_, target, c := stand(t, sim.Spec{Version: "20240827.13.Rel"})
	var err error
	for range 40 {
		if err = open(t, target, c).Apply(t.Context(), miner.Setting{Kind: miner.SetLocate, On: true}); err != nil {
			break
		}
	}
	if !errors.Is(err, miner.ErrBusy) {
		t.Errorf("after many tokens: %v", err)
	}
	c.advance(31 * time.Minute)
	if err := open(t, target, c).Apply(t.Context(), miner.Setting{Kind: miner.SetLocate, On: true}); err != nil {
		t.Errorf("after they expired: %v", err)
	}
}

// Old firmware obeys a change of mode and never answers.
func TestQuietModeChange(t *testing.T) {
	rig, target, c := stand(t, sim.Spec{Version: "20220506.11.REL"})
	dev := open(t, target, c)
	if err := dev.Apply(t.Context(), miner.Setting{Kind: miner.SetMode, Mode: miner.ModeLow}); err != nil {
		t.Fatal(err)
	}
	if got := rig.Snapshot().Mode; got != miner.ModeLow {
		t.Errorf("mode %q", got)
	}
	// But nobody there is not silence.
	target.Ports[portV2] = deadPort(t)
	if err := open(t, target, c).Apply(t.Context(), miner.Setting{Kind: miner.SetMode, Mode: miner.ModeLow}); !errors.Is(err, miner.ErrUnreachable) {
		t.Errorf("with nobody there: %v", err)
	}
}

func TestSleepingReads(t *testing.T) {
	for _, version := range []string{"20220506.11.REL", "20240827.13.Rel", "20250214.16.Rel", ""} {
		rig, target, c := stand(t, sim.Spec{Version: version})
		dev := open(t, target, c)
		if _, err := dev.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := rig.Do(sim.Action{Kind: sim.DoSleep}); err != nil {
			t.Fatal(err)
		}
		c.advance(2 * time.Minute)
		r, err := dev.Read(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", version, err)
		}
		if r.State != miner.Sleeping || r.Degraded() || r.HashrateNow.Or(0) != 0 || r.Identity.MAC == "" || r.TempChip.Ok() {
			t.Errorf("%s asleep: %s (%s), degraded %v, %v, MAC %q, chips %v", version, r.State, r.StateTold, r.Degraded(), r.HashrateNow, r.Identity.MAC, r.TempChip)
		}
		if err := dev.Apply(t.Context(), miner.Setting{Kind: miner.SetWake}); err != nil {
			t.Errorf("%s: waking: %v", version, err)
		}
	}
}

// A machine that only answers framed requests on 4433 with heart beats and the
// reports of somebody else's subscription between is understood.
func TestStrayFrames(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	frame := func(body string) []byte {
		return append(binary.LittleEndian.AppendUint32(nil, uint32(len(body))), body...)
	}
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		for {
			buf := make([]byte, 4096)
			if _, err := conn.Read(buf); err != nil {
				return
			}
			_, _ = conn.Write(frame(""))
			_, _ = conn.Write(frame(`{"code":0,"msg":{},"desc":"get.miner.report"}`))
			_, _ = conn.Write(frame(`{"code":0,"msg":{"system":{"api":"3.0.1"},"network":{"mac":"C6:07:20:00:1E:C2"}},"desc":"get.device.info"}`))
		}
	}()
	target := miner.Target{Addr: netip.MustParseAddr("127.0.0.1"), Ports: map[uint16]uint16{portV3: uint16(l.Addr().(*net.TCPAddr).Port), portV2: deadPort(t)}}
	c := &clock{}
	id, err := open(t, target, c).Identify(t.Context())
	if err != nil || id.MAC != "c6:07:20:00:1e:c2" {
		t.Errorf("%+v, %v", id, err)
	}
}

// After Close the device still works and keeps nothing open.
func TestClose(t *testing.T) {
	_, target, c := stand(t, sim.Spec{Version: "20250214.16.Rel"})
	dev := open(t, target, c)
	if _, err := dev.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	dev.Close()
	if dev.v3.conn != nil {
		t.Error("a connection is kept")
	}
	if _, err := dev.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	if dev.v3.conn != nil {
		t.Error("a connection is kept after the second reading")
	}
}

// A setting is confirmed by a later reading, whatever the machine answered.
func TestPowerLimitShows(t *testing.T) {
	for _, version := range []string{"20220506.11.REL", "20240827.13.Rel", "20250214.16.Rel"} {
		_, target, c := stand(t, sim.Spec{Version: version})
		dev := open(t, target, c)
		if err := dev.Apply(t.Context(), miner.Setting{Kind: miner.SetPower, Power: 2600}); err != nil {
			t.Fatalf("%s: %v", version, err)
		}
		c.advance(30 * time.Minute)
		r, err := dev.Read(t.Context())
		if err != nil || r.PowerLimit != unit.Some[unit.Power](2600) {
			t.Errorf("%s: limit %v, %v", version, r.PowerLimit, err)
		}
		if r.Envelope == nil || r.Envelope.PowerMax.Or(0) < 3000 {
			t.Errorf("%s: the limit in force has become the most: %+v", version, r.Envelope)
		}
	}
}

// Whatever a peer sends, frames come to an end and no more is read than was
// sent.
func FuzzFrames(f *testing.F) {
	f.Add([]byte("\x02\x00\x00\x00{}\x00\x00\x00\x00\x05\x00\x00\x00{\"a\":"))
	f.Add([]byte("HTTP/1.1 200 OK\r\n\r\n"))
	f.Add([]byte("\x00\x00\x40\x00x"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		l := line{in: bufio.NewReader(bytes.NewReader(raw))}
		total := 0
		for {
			body, err := l.frame()
			total += 4 + len(body)
			if err != nil {
				if !errors.Is(err, miner.ErrUnreachable) && !errors.Is(err, miner.ErrGarbage) {
					t.Fatalf("the error wraps no sentinel: %v", err)
				}
				break
			}
		}
		if total > len(raw)+4 {
			t.Fatalf("%d bytes out of %d", total, len(raw))
		}
	})
}

// The reply to a sealed command may be anything, sealed or not.
func FuzzUnseal(f *testing.F) {
	d := &Device{}
	f.Add([]byte(`{"STATUS":"E","When":1,"Code":23,"Msg":"enc json load err","Description":""}`))
	f.Add([]byte(`{"enc":"` + d.seal.token.Key.Seal([]byte(`{"STATUS":"S","Code":131,"Msg":"API command OK"}`)) + `"}`))
	f.Add([]byte(`{"enc":"AAAA"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		status, err := d.unseal(raw)
		if err == nil {
			err = verdict(status)
		}
		sentinels := []error{miner.ErrGarbage, miner.ErrLocked, miner.ErrBusy, miner.ErrDenied, miner.ErrUnsupported, miner.ErrRefused, errToken}
		if err != nil && !slices.ContainsFunc(sentinels, func(s error) bool { return errors.Is(err, s) }) {
			t.Fatalf("the error wraps no sentinel: %v", err)
		}
	})
}
