package fleet_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ballast/fleet"
	"ballast/ledger"
	"ballast/ledger/sqlite"
	"ballast/miner"
	drivers "ballast/miner/all"
	"ballast/sim"
	dialects "ballast/sim/dialect/all"
)

// keys are what the simulated machines of these tests want.
type keys struct{}

var accounts = map[miner.Firmware]string{miner.Antminer: "root", miner.Braiins: "root", miner.Whatsminer: "super"}

func (keys) Credentials(_ netip.Addr, fw miner.Firmware) miner.Credentials {
	return miner.Credentials{User: accounts[fw], Password: "simulated"}
}

// world is a simulated site on real sockets with a fleet that polls it.
type world struct {
	*testing.T
	site    *sim.Site
	network netip.Prefix
	reach   fleet.Reach
	fleet   *fleet.Fleet
	record  ledger.Store

	mu    sync.Mutex
	polls map[int64][]fleet.Poll
}

func newWorld(t *testing.T, machines int, interval time.Duration) *world {
	t.Helper()
	mix := sim.DefaultMix()
	for i := range mix.Groups {
		g := &mix.Groups[i]
		g.User, g.Password = accounts[g.Firmware], "simulated"
	}
	w := &world{T: t, polls: map[int64][]fleet.Poll{}}
	w.network = netip.PrefixFrom(netip.AddrFrom4([4]byte{127, byte(100 + rand.IntN(100)), byte(rand.IntN(256)), 0}), 24)
	var err error
	w.site, err = sim.New(sim.Config{Machines: machines, Mix: &mix, Seed: 7, Network: w.network, Pristine: true, Log: slog.New(slog.DiscardHandler)}, dialects.Dialects())
	if err != nil {
		t.Fatal(err)
	}
	how, err := w.site.Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := w.site.Serve(ctx); err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait() })
	w.reach = fleet.Reach{Drivers: drivers.Drivers(), Keys: keys{}, Ports: how.Ports}
	w.record, err = sqlite.Open(ctx, filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.record.Close() })
	w.fleet = fleet.New(w.reach, w.record, "here", interval, slog.New(slog.DiscardHandler))
	w.fleet.OnPoll = func(p fleet.Poll) {
		w.mu.Lock()
		w.polls[p.Machine.ID] = append(w.polls[p.Machine.ID], p)
		w.mu.Unlock()
	}
	return w
}

func (w *world) scan() []fleet.Found {
	w.Helper()
	var found []fleet.Found
	s := fleet.Scanner{Reach: w.reach}
	if _, err := s.Scan(w.Context(), []netip.Prefix{w.network}, func(f fleet.Found) { found = append(found, f) }, nil); err != nil {
		w.Fatal(err)
	}
	return found
}

// A machine that answers nothing sensible for a moment is not missed: it is asked
// again after a pause.
func TestScanAsksAgain(t *testing.T) {
	w := newWorld(t, 12, time.Second)
	faults, err := w.site.Inject(sim.Fault{Kind: sim.FaultWireReset, Rig: 3})
	if err != nil {
		t.Fatal(err)
	}
	var (
		found []fleet.Found
		once  sync.Once
	)
	s := fleet.Scanner{Reach: w.reach}
	done, err := s.Scan(t.Context(), []netip.Prefix{w.network}, func(f fleet.Found) { found = append(found, f) }, func(p fleet.Progress) {
		if p.Probed == p.Total { // all have been asked once
			once.Do(func() { time.AfterFunc(time.Second, func() { w.site.Clear(faults[0].ID, "", -1, "") }) })
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range found {
		if f.Err != nil {
			t.Errorf("%s: %v", f.Addr, f.Err)
		}
	}
	if len(found) != 12 || done.Identified != 12 || done.Unknown != 0 {
		t.Errorf("%d found; %+v", len(found), done)
	}
}

func (w *world) run() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.fleet.Run(ctx) }()
	w.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			w.Error(err)
		}
	})
}

// until waits for a condition of the fleet.
func (w *world) until(what string, limit time.Duration, ok func() bool) {
	w.Helper()
	for deadline := time.Now().Add(limit); !ok(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			for _, s := range w.fleet.All() {
				if s.Condition != fleet.CondHashing {
					w.Logf("%d %v %s %s: %s %s", s.Machine.ID, s.Machine.Addr, s.Machine.Firmware, s.Machine.Model, s.Condition, s.Trouble)
				}
			}
			w.Fatalf("not within %v: %s", limit, what)
		}
	}
}

// at finds the machine that the record has at an address.
func (w *world) at(a netip.Addr) *fleet.Status {
	w.Helper()
	for _, s := range w.fleet.All() {
		if s.Machine.Addr == a {
			return s
		}
	}
	w.Fatalf("no machine at %v", a)
	return nil
}

// Every fault on the wire of one machine leaves the cadence of the others
// alone, and the machine comes back by itself.
func TestWireFaultsHarmNobodyElse(t *testing.T) {
	const machines = 48
	w := newWorld(t, machines, time.Second)
	found := w.scan()
	if len(found) != machines {
		t.Fatalf("%d of %d machines found", len(found), machines)
	}
	w.run()
	if _, err := w.fleet.Observe(t.Context(), found); err != nil {
		t.Fatal(err)
	}
	healthy := func() bool {
		for _, s := range w.fleet.All() {
			if s.Condition != fleet.CondHashing {
				return false
			}
		}
		return len(w.fleet.All()) == machines
	}
	w.until("all hashing", 30*time.Second, healthy)

	kinds := []sim.FaultKind{sim.FaultWireHung, sim.FaultWireSilent, sim.FaultWireRefused, sim.FaultWireGarbage, sim.FaultWireSlow, sim.FaultWireReset, sim.FaultWireTruncated, sim.FaultWireDelay}
	victims := map[int64]bool{}
	for i, kind := range kinds {
		rig := i * 5
		victims[w.at(w.site.Addr(rig)).Machine.ID] = true
		if _, err := w.site.Inject(sim.Fault{Kind: kind, Rig: rig}); err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
	}
	w.mu.Lock()
	clear(w.polls)
	w.mu.Unlock()
	const watch = 8 * time.Second
	time.Sleep(watch)
	w.mu.Lock()
	polls := map[int64][]fleet.Poll{}
	maps.Copy(polls, w.polls)
	w.mu.Unlock()
	for _, s := range w.fleet.All() {
		id := s.Machine.ID
		if victims[id] {
			continue
		}
		good, late := 0, 0
		for _, p := range polls[id] {
			if p.Err == nil {
				good++
			}
			if p.End.Sub(p.Due) > time.Second {
				late++
			}
		}
		if good < int(watch/time.Second)-2 || late > 1 {
			t.Errorf("machine %d (%s): %d good polls of %d in %v, %d late", id, s.Machine.Firmware, good, len(polls[id]), watch, late)
		}
	}
	w.site.Clear(0, "", -1, "")
	w.until("all back", 30*time.Second, healthy)
}

// Machines that swap addresses, many at once, are followed: each keeps its number
// and gets its own readings.
func TestAddressSwapIsFollowed(t *testing.T) {
	w := newWorld(t, 100, time.Second)
	w.fleet.Verify = 5 * time.Second
	found := w.scan()
	w.run()
	if _, err := w.fleet.Observe(t.Context(), found); err != nil {
		t.Fatal(err)
	}
	w.until("all read", 40*time.Second, func() bool {
		for _, s := range w.fleet.All() {
			if s.Reading == nil {
				return false
			}
		}
		return true
	})
	// Machines that tell a MAC can be followed: two of the same firmware, and each
	// firmware with the next, so that whoever takes an address speaks as its
	// last owner did, or is not even at home on the same port.
	byFirmware := map[string][]int{}
	for i := range w.site.Machines() {
		s := w.at(w.site.Addr(i))
		if s.Machine.MAC != "" {
			byFirmware[s.Machine.Firmware] = append(byFirmware[s.Machine.Firmware], i)
		}
	}
	var pairs [][2]int
	take := func(fw string) int {
		rig := byFirmware[fw][0]
		byFirmware[fw] = byFirmware[fw][1:]
		return rig
	}
	firmwares := slices.Sorted(maps.Keys(byFirmware))
	for i, fw := range firmwares {
		if len(byFirmware[fw]) >= 3 {
			pairs = append(pairs, [2]int{take(fw), take(fw)})
		}
		for far := 1; far < len(firmwares); far++ {
			if next := firmwares[(i+far)%len(firmwares)]; len(byFirmware[fw]) > 0 && len(byFirmware[next]) > 0 {
				pairs = append(pairs, [2]int{take(fw), take(next)})
			}
		}
	}
	if len(pairs) < 5 {
		t.Fatalf("only %d pairs of machines that tell a MAC", len(pairs))
	}
	type swap struct {
		a, b     netip.Addr
		atA, atB ledger.Machine
	}
	var swaps []swap
	for _, pair := range pairs {
		a, b := w.site.Addr(pair[0]), w.site.Addr(pair[1])
		swaps = append(swaps, swap{a, b, w.at(a).Machine, w.at(b).Machine})
		if _, err := w.site.Inject(sim.Fault{Kind: sim.FaultSwap, Rig: pair[0], Text: strconv.Itoa(pair[1])}); err != nil {
			t.Fatal(err)
		}
	}
	for _, s := range swaps {
		w.until(fmt.Sprintf("the swap of %s at %v and %s at %v is followed", s.atA.Firmware, s.a, s.atB.Firmware, s.b), 90*time.Second, func() bool {
			x, okX := w.fleet.Get(miner.ID(s.atA.ID))
			y, okY := w.fleet.Get(miner.ID(s.atB.ID))
			return okX && okY && x.Machine.Addr == s.b && y.Machine.Addr == s.a && x.Condition == fleet.CondHashing && y.Condition == fleet.CondHashing
		})
		for _, m := range []ledger.Machine{s.atA, s.atB} {
			now, _ := w.fleet.Get(miner.ID(m.ID))
			if got := now.Reading.Identity.MAC; got != "" && got != m.MAC {
				t.Errorf("machine %d (%s) has a reading of %s", m.ID, m.MAC, got)
			}
		}
	}
}

// A wrong password refuses the command, says so without telling it, and ends
// with the right one. Reading goes on where a firmware lets anybody read.
func TestWrongPassword(t *testing.T) {
	w := newWorld(t, 30, time.Second)
	rig := -1
	for i := range w.site.Machines() {
		if w.site.Rig(i).Spec().Firmware == miner.Braiins {
			rig = i
		}
	}
	if _, err := w.site.Inject(sim.Fault{Kind: sim.FaultPassword, Rig: rig, Text: "changed-by-somebody"}); err != nil {
		t.Fatal(err)
	}
	found := w.scan()
	w.run()
	if _, err := w.fleet.Observe(t.Context(), found); err != nil {
		t.Fatal(err)
	}
	a := w.site.Addr(rig)
	w.until("polled", 20*time.Second, func() bool { return !w.at(a).LastPoll.IsZero() })
	id := miner.ID(w.at(a).Machine.ID)
	sleep := func() ledger.Command {
		cs, err := w.fleet.Commander.Submit(t.Context(), []fleet.Request{{Machine: id, Setting: miner.Setting{Kind: miner.SetSleep}, Actor: "test"}})
		if err != nil {
			t.Fatal(err)
		}
		return cs[0]
	}
	ends := func(c ledger.Command, want ledger.CommandState) ledger.Command {
		w.until("command "+string(want), 60*time.Second, func() bool {
			got, err := w.record.Command(t.Context(), c.ID)
			c = got
			return err == nil && got.State == want
		})
		return c
	}
	if c := ends(sleep(), ledger.Refused); !strings.Contains(c.Detail, miner.ErrDenied.Error()) || strings.Contains(c.Detail, "simulated") {
		t.Errorf("%q", c.Detail)
	}
	w.site.Clear(0, "", rig, "")
	ends(sleep(), ledger.Confirmed)
}
