package antminer_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ballast/miner"
	"ballast/miner/antminer"
	"ballast/sim"
	dialect "ballast/sim/dialect/antminer"
)

// bench is a rig on its sockets, and how often each port was dialled.
type bench struct {
	rig    *sim.Rig
	target miner.Target
	dials  map[string]*atomic.Int64
	now    time.Time
}

func newBench(t *testing.T, name, version string) *bench {
	t.Helper()
	b := &bench{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), dials: map[string]*atomic.Int64{}}
	b.rig = sim.NewRig(sim.Spec{Model: model(t, name), Firmware: miner.Antminer, Version: version, MAC: "02:be:ef:00:12:34", Serial: "BLST0042X7", User: "root", Password: "Corr3ct-horse", Seed: 5},
		func() time.Time { return b.now })
	b.settle(t)
	var err error
	if b.target, err = sim.Stand(t.Context(), dialect.New(), b.rig); err != nil {
		t.Fatal(err)
	}
	b.target.Credentials = miner.Credentials{Password: "Corr3ct-horse"} // without a user: root
	for port := range b.target.Ports {
		b.dials[b.target.Address(port)] = &atomic.Int64{}
	}
	b.target.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
		if n, ok := b.dials[address]; ok {
			n.Add(1)
		} else {
			t.Errorf("%s was dialled", address)
		}
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}
	return b
}

func (b *bench) settle(t *testing.T) {
	t.Helper()
	for range 240 {
		if b.rig.Snapshot().Phase == sim.PhaseHashing {
			return
		}
		b.now = b.now.Add(30 * time.Second)
	}
	t.Fatal("the rig does not come up")
}

func (b *bench) open(t *testing.T) miner.Device {
	d := antminer.New().Open(b.target)
	t.Cleanup(d.Close)
	return d
}

func read(t *testing.T, d miner.Device) miner.Reading {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	r, err := d.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A poll costs three connections, and the rest is asked once in thirty.
func TestReadEconomy(t *testing.T) {
	b := newBench(t, "Antminer S19 XP", "")
	d := b.open(t)
	read(t, d)
	api, web := b.dials[b.target.Address(4028)], b.dials[b.target.Address(80)]
	api.Store(0)
	web.Store(0)
	for range 60 {
		read(t, d)
	}
	if n := api.Load(); n < 180 || n > 180+3*2 {
		t.Errorf("60 polls took %d connections to 4028", n)
	}
	if n := web.Load(); n > 6 {
		t.Errorf("60 polls took %d connections to CGI", n)
	}
	old := newBench(t, "Antminer S17 Pro", "")
	d = old.open(t)
	read(t, d)
	api = old.dials[old.target.Address(4028)]
	api.Store(0)
	for range 30 {
		read(t, d)
	}
	if n := api.Load(); n > 30+3 {
		t.Errorf("30 polls of an S17 took %d connections to 4028: it takes multi-commands", n)
	}
}

// closePort makes a port of the machine refuse connections.
func (b *bench) closePort(t *testing.T, port uint16) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	b.target.Ports[port] = uint16(l.Addr().(*net.TCPAddr).Port)
	b.dials[b.target.Address(port)] = &atomic.Int64{}
}

func TestReadOverCGI(t *testing.T) {
	b := newBench(t, "Antminer S21", "")
	b.closePort(t, 4028)
	d := b.open(t)
	id, err := d.Identify(t.Context())
	if err != nil || id.Model != "Antminer S21" || id.MAC != "02:be:ef:00:12:34" || id.Serial != "BLST0042X7" {
		t.Errorf("identified as %+v, %v", id, err)
	}
	for range 3 {
		r := read(t, d)
		if r.State != miner.Hashing || len(r.Boards) != 3 || !r.Accepted.Ok() || len(r.Warnings) > 0 {
			t.Errorf("%s, %d boards, warnings %v", r.State, len(r.Boards), r.Warnings)
		}
	}
	// Without a password there is nothing to be had.
	b.target.Credentials = miner.Credentials{}
	locked := b.open(t)
	if id, err := locked.Identify(t.Context()); err != nil || id.Make != "Bitmain" {
		t.Errorf("identified as %+v, %v", id, err)
	}
	if _, err := locked.Read(t.Context()); !errors.Is(err, miner.ErrUnreachable) {
		t.Errorf("reading gives %v", err)
	}
}

// While the web interface is down, 4028 alone must do.
func TestReadWithoutWeb(t *testing.T) {
	b := newBench(t, "Antminer S19 XP", "")
	b.closePort(t, 80)
	r := read(t, b.open(t))
	if r.State != miner.Hashing || len(r.Boards) != 3 {
		t.Errorf("%s, %d boards", r.State, len(r.Boards))
	}
	if !slices.ContainsFunc(r.Warnings, func(w miner.Warning) bool { return w.Kind == miner.WarnRefused && w.Where == "cgi" }) {
		t.Errorf("warnings %v", r.Warnings)
	}
}

// Sleep that somebody else ordered shows at the next reading, on machines whose
// stats do not tell the mode too.
func TestForeignSleep(t *testing.T) {
	for _, m := range []struct{ model, version string }{{"Antminer S19 Pro", "2021"}, {"Antminer S17 Pro", ""}, {"Antminer S21", ""}} {
		t.Run(m.model, func(t *testing.T) {
			b := newBench(t, m.model, m.version)
			d := b.open(t)
			if r := read(t, d); r.State != miner.Hashing {
				t.Fatalf("state %s", r.State)
			}
			if err := b.rig.Do(sim.Action{Kind: sim.DoSleep}); err != nil {
				t.Fatal(err)
			}
			b.now = b.now.Add(5 * time.Minute)
			r := read(t, d)
			if r.State != miner.Sleeping {
				t.Errorf("state %s, warnings %v", r.State, r.Warnings)
			}
		})
	}
}

// Waking returns to the mode before sleep.
func TestWakeRemembersMode(t *testing.T) {
	b := newBench(t, "Antminer S19 XP", "")
	d := b.open(t)
	apply := func(s miner.Setting) {
		t.Helper()
		if err := d.Apply(t.Context(), s); err != nil {
			t.Fatal(err)
		}
		b.now = b.now.Add(15 * time.Minute)
		read(t, d)
	}
	apply(miner.Setting{Kind: miner.SetMode, Mode: miner.ModeLow})
	apply(miner.Setting{Kind: miner.SetSleep})
	apply(miner.Setting{Kind: miner.SetWake})
	if r := read(t, d); r.Mode != miner.ModeLow || r.State != miner.Hashing {
		t.Errorf("mode %q, %s", r.Mode, r.State)
	}
	if s := b.rig.Snapshot(); s.Mode != miner.ModeLow || len(s.Pools) != 1 {
		t.Errorf("the rig is in mode %q with %d pools", s.Mode, len(s.Pools))
	}
}

// The password and the pools' passwords stay where they belong.
func TestSecretsStay(t *testing.T) {
	b := newBench(t, "Antminer S19 XP", "")
	d := b.open(t)
	if err := d.Apply(t.Context(), miner.Setting{Kind: miner.SetPools, Pools: []miner.PoolSetting{{URL: "stratum+tcp://p:1", User: "u", Password: "P00l-pass"}}}); err != nil {
		t.Fatal(err)
	}
	if s := b.rig.Snapshot(); len(s.Pools) != 1 || s.Pools[0].Password != "P00l-pass" {
		t.Errorf("pools %+v", s.Pools)
	}
	r := read(t, d)
	for k, v := range r.Extra {
		if strings.Contains(v, "P00l-pass") || strings.Contains(v, "Corr3ct") {
			t.Errorf("extra %s tells a password", k)
		}
	}
}

func TestHint(t *testing.T) {
	h := antminer.New().(miner.Hinter)
	if !h.Hint(4028, []byte(`{"VERSION":[{"Type":"Antminer S9"}]}`)) || h.Hint(4028, []byte(`{"VERSION":[{"LUXminer":"x","Type":"Antminer S19"}]}`)) {
		t.Error("hint on 4028")
	}
	if !h.Hint(80, []byte("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"antMiner Configuration\"\r\n\r\n")) || h.Hint(80, []byte("HTTP/1.1 200 OK\r\n\r\n")) || h.Hint(22, nil) {
		t.Error("hint on 80")
	}
}
