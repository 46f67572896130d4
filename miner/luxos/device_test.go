package luxos

import (
	"context"
	"errors"
	"math"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/sim"
	dialect "ballast/sim/dialect/luxos"
	"ballast/unit"
)

// bench is a rig on loopback whose time the test owns.
type bench struct {
	rig    *sim.Rig
	dev    miner.Device
	target miner.Target

	mu  sync.Mutex
	now time.Time
}

func newBench(t *testing.T, spec sim.Spec) *bench {
	t.Helper()
	spec.Firmware = miner.LuxOS
	b := &bench{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	b.rig = sim.NewRig(spec, func() time.Time {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.now
	})
	var err error
	if b.target, err = sim.Stand(t.Context(), dialect.New(), b.rig); err != nil {
		t.Fatal(err)
	}
	b.dev = New().Open(b.target)
	t.Cleanup(b.dev.Close)
	return b
}

func (b *bench) advance(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

func (b *bench) ask(t *testing.T, command, parameter string) cgminer.Reply {
	t.Helper()
	raw, err := cgminer.Ask(t.Context(), b.target, command, parameter)
	if err != nil {
		t.Fatal(err)
	}
	reply, ok := cgminer.Read(command, raw, nil)
	if !ok {
		t.Fatalf("%s: %q", command, raw)
	}
	return reply
}

func (b *bench) session(t *testing.T) string {
	return b.ask(t, "session", "").First("SESSION").Text("SessionID")
}

// Somebody else's session is respected: busy, until it has expired.
func TestSomebodyElsesSession(t *testing.T) {
	b := newBench(t, sim.Spec{Model: model(t, "Antminer S19k Pro (120T)")})
	theirs := b.ask(t, "logon", "").First("SESSION").Text("SessionID")
	begin := time.Now()
	err := b.dev.Apply(t.Context(), miner.Setting{Kind: miner.SetSleep})
	if !errors.Is(err, miner.ErrBusy) || !strings.Contains(err.Error(), "a minute") {
		t.Errorf("beside another session: %v", err)
	}
	if took := time.Since(begin); took > patience+time.Second {
		t.Errorf("waited for %v", took)
	}
	if b.session(t) != theirs || b.rig.Snapshot().Phase == sim.PhaseSleeping {
		t.Error("their session was taken over")
	}
	// Reading wants no session.
	if _, err := b.dev.Read(t.Context()); err != nil {
		t.Error(err)
	}
	b.advance(61 * time.Second)
	if err := b.dev.Apply(t.Context(), miner.Setting{Kind: miner.SetSleep}); err != nil {
		t.Error(err)
	}
	if b.session(t) != "" {
		t.Error("the session was not ended")
	}
	if b.rig.Snapshot().Phase != sim.PhaseSleeping {
		t.Error("it does not sleep")
	}
}

// A deadline while waiting for their session says busy, and at the deadline.
func TestBusyAtTheDeadline(t *testing.T) {
	b := newBench(t, sim.Spec{Model: model(t, "Antminer S19k Pro (120T)")})
	if _, err := b.dev.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.ask(t, "logon", "")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	begin := time.Now()
	if err := b.dev.Apply(ctx, miner.Setting{Kind: miner.SetLocate, On: true}); !errors.Is(err, miner.ErrBusy) {
		t.Error(err)
	}
	if took := time.Since(begin); took > time.Second {
		t.Errorf("took %v", took)
	}
}

// Our own session that was not ended, because the machine did not answer, is
// found to have expired and made anew.
func TestOwnSessionExpires(t *testing.T) {
	b := newBench(t, sim.Spec{Model: model(t, "Antminer S19k Pro (120T)")})
	d := b.dev.(*device)
	d.session = "stale000"
	if err := b.dev.Apply(t.Context(), miner.Setting{Kind: miner.SetLocate, On: true}); err != nil {
		t.Error(err)
	}
	r, err := b.dev.Read(t.Context())
	if err != nil || !r.Locating.Or(false) || d.session != "" || b.session(t) != "" {
		t.Errorf("%v, locating %v, session %q", err, r.Locating, d.session)
	}
}

// All writes end their session, those that fail too.
func TestSessionsEnd(t *testing.T) {
	b := newBench(t, sim.Spec{Model: model(t, "Antminer S21 (200T)")})
	for _, s := range []miner.Setting{
		{Kind: miner.SetProfile, Profile: "default"}, {Kind: miner.SetPower, Power: 2500}, {Kind: miner.SetLocate, On: true}, {Kind: miner.SetLocate},
		{Kind: miner.SetSleep}, {Kind: miner.SetWake},
	} {
		if err := b.dev.Apply(t.Context(), s); err != nil {
			t.Errorf("%v: %v", s, err)
		}
		if id := b.session(t); id != "" {
			t.Errorf("%v leaves the session %s", s, id)
		}
	}
	for _, s := range []miner.Setting{
		{Kind: miner.SetProfile}, {Kind: miner.SetProfile, Profile: "no such"}, {Kind: miner.SetProfile, Profile: "default,x"}, {Kind: miner.SetProfile, Profile: "2"},
		{Kind: miner.SetPower}, {Kind: miner.SetPower, Power: 1e6}, {Kind: miner.SetPower, Power: unit.Power(math.NaN())},
		{Kind: miner.SetPools}, {Kind: miner.SetPools, Pools: []miner.PoolSetting{{URL: "stratum+tcp://a:1", User: "a,b"}}},
	} {
		if err := b.dev.Apply(t.Context(), s); !errors.Is(err, miner.ErrRefused) {
			t.Errorf("%+v gives %v", s, err)
		}
		if id := b.session(t); id != "" {
			t.Errorf("%v leaves the session %s", s, id)
		}
	}
	if err := b.dev.Apply(t.Context(), miner.Setting{Kind: miner.SetMode, Mode: miner.ModeLow}); !errors.Is(err, miner.ErrUnsupported) {
		t.Error(err)
	}
}

// script stands up a machine that answers each request, written "command" or
// "command|parameter", by the first prefix that fits; "" closes in silence.
func script(t *testing.T, replies ...[2]string) (miner.Target, func() []string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var asked []string
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			sim.ServeRPC(t.Context(), c, func(q sim.RPCRequest) []byte {
				mu.Lock()
				defer mu.Unlock()
				request := strings.Join(q.Commands, "+") + "|" + q.Parameter
				asked = append(asked, strings.TrimSuffix(request, "|"))
				for _, r := range replies {
					if strings.HasPrefix(request, r[0]) {
						return []byte(r[1])
					}
				}
				return []byte(says("E", "14", "Invalid command"))
			})
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	target := miner.Target{Addr: netip.MustParseAddr("127.0.0.1"), Ports: map[uint16]uint16{cgminer.Port: uint16(l.Addr().(*net.TCPAddr).Port)}}
	return target, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(asked)
	}
}

func says(kind, code, words string) string {
	return `{"STATUS":[{"STATUS":"` + kind + `","When":1760242394,"Code":` + code + `,"Msg":"` + words + `","Description":"LUXminer 2025.4.8"}],"id":1}` + "\x00"
}

var logon = [2]string{"logon|", `{` + status + `,"SESSION":[{"SessionID":"oVGLxEFR"}],"id":1}`}

// readable is a machine that answers single commands only.
func readable(more ...[2]string) [][2]string {
	in := machine()
	return append(more, [2]string{"summary|", string(in["summary"])}, [2]string{"config|", string(in["config"])}, [2]string{"devs|", string(in["devs"])},
		[2]string{"profiles|", string(reply(`"PROFILES":[{"Profile Name":"290MHz","Watts":1188,"Hashrate":59.8,"IsTuned":true},{"Profile Name":"default","Watts":2794,"Hashrate":121.8}]`))})
}

// What refusals mean.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name    string
		replies [][2]string
		want    error
		words   string
	}{
		{"done", [][2]string{logon, {"profileset|oVGLxEFR,default", says("S", "321", "Profile Set")}, {"logoff|", says("S", "317", "Session terminated")}}, nil, ""},
		{"refused", [][2]string{logon, {"profileset|", says("E", "421", "Profile not found")}, {"logoff|", says("S", "317", "Session terminated")}}, miner.ErrRefused, "Profile not found"},
		{"locked", [][2]string{{"logon|", says("E", "45", "Access denied to 'logon' command")}}, miner.ErrLocked, "Access denied"},
		{"unknown to old firmware", [][2]string{logon, {"logoff|", says("S", "317", "Session terminated")}}, miner.ErrUnsupported, "Invalid command"},
		{"no ID in the reply", [][2]string{{"logon|", says("S", "316", "Session created")}}, miner.ErrGarbage, ""},
		{"sessions that do not last", [][2]string{logon, {"profileset|", says("E", "403", "Invalid session id")}, {"logoff|", says("S", "317", "")}}, miner.ErrBusy, ""},
		{"silence", [][2]string{logon, {"profileset|", ""}, {"logoff|", ""}}, miner.ErrUnreachable, ""},
		{"garbage", [][2]string{logon, {"profileset|", "<html></html>"}, {"logoff|", ""}}, miner.ErrGarbage, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			target, asked := script(t, readable(c.replies...)...)
			dev := New().Open(target)
			defer dev.Close()
			err := dev.Apply(t.Context(), miner.Setting{Kind: miner.SetProfile, Profile: "default"})
			if !errors.Is(err, c.want) || err != nil && !strings.Contains(err.Error(), c.words) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "oVGLxEFR") {
				t.Errorf("%v tells the session's ID", err)
			}
			if got := asked(); !errors.Is(c.want, miner.ErrBusy) && slices.Contains(got, "profileset|oVGLxEFR,default") && got[len(got)-1] != "logoff|oVGLxEFR" {
				t.Errorf("asked %v", got)
			}
		})
	}
}

// A machine that dies of the command has taken it.
func TestSilentReboot(t *testing.T) {
	target, _ := script(t, readable(logon, [2]string{"rebootdevice|", ""}, [2]string{"logoff|", ""})...)
	dev := New().Open(target)
	defer dev.Close()
	if err := dev.Apply(t.Context(), miner.Setting{Kind: miner.SetReboot}); err != nil {
		t.Error(err)
	}
}

// The pools that there were are removed, the new ones are not, whatever numbers
// the machine gives them.
func TestPools(t *testing.T) {
	b := newBench(t, sim.Spec{Model: model(t, "Antminer S19k Pro (120T)")})
	for _, list := range [][]miner.PoolSetting{
		{{URL: "stratum+tcp://a.example:1", User: "acct.rig", Password: "P00l-secret"}, {URL: "stratum+tcp://b.example:1", User: "acct.rig"}, {URL: "stratum+tcp://c.example:1", User: "acct.rig"}},
		{{URL: "stratum+tcp://d.example:1", User: "acct.rig"}},
		{{URL: "stratum+tcp://d.example:1", User: "acct.rig"}},
	} {
		if err := b.dev.Apply(t.Context(), miner.Setting{Kind: miner.SetPools, Pools: list}); err != nil {
			t.Fatal(err)
		}
		pools := b.rig.Snapshot().Pools
		if len(pools) != len(list) {
			t.Fatalf("%d pools, want %d", len(pools), len(list))
		}
		for i, p := range pools {
			if p.URL != list[i].URL || p.User != list[i].User || p.Password != string(list[i].Password) {
				t.Errorf("pool %d is %s %s", i, p.URL, p.User)
			}
		}
	}
	// A machine that says yes and adds nothing keeps the pool that it has.
	list := `{` + status + `,"POOLS":[{"POOL":4,"URL":"old"}],"id":1}`
	target, asked := script(t, readable([2]string{"switchpool|", says("S", "27", "Switching")}, [2]string{"removepool|", says("S", "68", "Removed")}, [2]string{"addpool|", says("S", "55", "Added pool 9")}, [2]string{"pools|", list})...)
	dev := New().Open(target)
	defer dev.Close()
	err := dev.Apply(t.Context(), miner.Setting{Kind: miner.SetPools, Pools: []miner.PoolSetting{{URL: "new", User: "u"}}})
	if !errors.Is(err, miner.ErrRefused) {
		t.Errorf("a pool that does not show gives %v", err)
	}
	if got := strings.Join(asked(), " "); strings.Contains(got, "removepool") {
		t.Errorf("the old pool was removed: %s", got)
	}
}

// A pool's password is in no error.
func TestPoolPasswordStaysOut(t *testing.T) {
	target, _ := script(t, readable([2]string{"addpool|", says("E", "52", "Invalid addpool details 'stratum+tcp://a:1,u,P00l-secret'")}, [2]string{"pools|", `{` + status + `,"POOLS":[{"POOL":0,"URL":"old"}],"id":1}`})...)
	dev := New().Open(target)
	defer dev.Close()
	err := dev.Apply(t.Context(), miner.Setting{Kind: miner.SetPools, Pools: []miner.PoolSetting{{URL: "stratum+tcp://a:1", User: "u", Password: "P00l-secret"}}})
	if !errors.Is(err, miner.ErrRefused) || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
}

// Replies that seldom change are asked once, and again after a setting.
func TestEconomy(t *testing.T) {
	target, asked := script(t, readable(logon, [2]string{"ledset|", says("S", "331", "LED set")}, [2]string{"logoff|", says("S", "317", "")})...)
	dev := New().Open(target)
	defer dev.Close()
	count := func(command string) int {
		n := 0
		for _, a := range asked() {
			if a == command {
				n++
			}
		}
		return n
	}
	for range 5 {
		if _, err := dev.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n, m := count("profiles"), count("summary"); n != 1 || m != 5 {
		t.Errorf("profiles was asked %d times, summary %d", n, m)
	}
	if err := dev.Apply(t.Context(), miner.Setting{Kind: miner.SetLocate, On: true}); err != nil {
		t.Fatal(err)
	}
	r, err := dev.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if n := count("profiles"); n != 2 || len(r.Envelope.Steps) != 2 {
		t.Errorf("profiles was asked %d times, %d steps", n, len(r.Envelope.Steps))
	}
}

func TestNotMine(t *testing.T) {
	for _, raw := range []string{
		`{"STATUS":[{"STATUS":"S","When":1,"Code":22,"Msg":"CGMiner versions","Description":"cgminer 4.11.1"}],"VERSION":[{"CGMiner":"4.11.1","API":"3.7","PROD":"AvalonMiner 1246-83"}],"id":1}`,
		`{"STATUS":"E","When":1,"Code":14,"Msg":"invalid cmd","Description":""}`, "<html></html>",
	} {
		target, _ := script(t, [2]string{"version|", raw})
		dev := New().Open(target)
		if id, err := dev.Identify(t.Context()); !errors.Is(err, miner.ErrNotMine) {
			t.Errorf("%q is taken for %+v, %v", raw, id, err)
		}
		dev.Close()
	}
}

func TestHint(t *testing.T) {
	h := New().(miner.Hinter)
	if !h.Hint(4028, []byte(`"LUXminer":"2025"`)) || h.Hint(80, []byte(`"LUXminer":"2025"`)) || h.Hint(4028, []byte(`"CGMiner":"4.11.1"`)) {
		t.Error("a wrong hint")
	}
}
