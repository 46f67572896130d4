package drivertest

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"ballast/miner"
	"ballast/sim"
	"ballast/unit"
)

func checkIdentify(t *testing.T, b *bench) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	first, err := b.dev.Identify(ctx)
	if err != nil {
		t.Fatal(err)
	}
	second, err := b.dev.Identify(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if first != second {
		t.Errorf("two answers differ:\n%+v\n%+v", first, second)
	}
	other := b.suite.Driver.Open(b.target)
	defer other.Close()
	if third, err := other.Identify(ctx); err != nil || third.MAC != first.MAC || third.Serial != first.Serial {
		t.Errorf("another device of the same machine gives %+v, %v", third, err)
	}
	b.checkIdentity(t, first)
	b.checkIdentity(t, b.mustRead(t).Identity)
}

func (b *bench) checkIdentity(t *testing.T, id miner.Identity) {
	t.Helper()
	if id.Firmware != b.suite.Driver.Firmware() {
		t.Errorf("firmware %q, want %q", id.Firmware, b.suite.Driver.Firmware())
	}
	if id.Model != b.spec.Model.Name || id.Make != b.spec.Model.Make {
		t.Errorf("model %q by %q (told %q), want %q by %q", id.Model, id.Make, id.ModelTold, b.spec.Model.Name, b.spec.Model.Make)
	}
	if want := miner.NormalMAC(b.spec.MAC); b.suite.tells(FieldMAC) && id.MAC != want {
		t.Errorf("MAC %q, want %q", id.MAC, want)
	}
	if b.suite.tells(FieldSerial) && id.Serial != b.spec.Serial {
		t.Errorf("serial %q, want %q", id.Serial, b.spec.Serial)
	}
	if b.suite.tells(FieldVersion) && id.FirmwareVersion == "" {
		t.Error("no firmware version")
	}
	if id.Addr.IsValid() && id.Addr != b.target.Addr {
		t.Errorf("address %v, want %v", id.Addr, b.target.Addr)
	}
}

func checkRead(t *testing.T, b *bench) {
	before := b.rig.Snapshot()
	r := b.mustRead(t)
	after := b.rig.Snapshot()
	for _, w := range r.Warnings {
		t.Errorf("a healthy machine's reading has a warning: %s %s %s", w.Kind, w.Where, w.Detail)
	}
	b.compare(t, r, before, after)
	if r.Degraded() {
		t.Errorf("a healthy machine is called degraded: faults %+v", r.Faults)
	}
	if r.At.IsZero() || r.Took < 0 {
		t.Errorf("read at %v, took %v", r.At, r.Took)
	}
	for _, zero := range presentZeros(r) {
		if !slices.Contains(b.suite.ZeroOK, zero) {
			t.Errorf("%s is a present zero: did the machine say so?", zero)
		}
	}
	// The second reading of a device asks for less and must tell as much.
	b.advance(10 * time.Second)
	before = b.rig.Snapshot()
	r2 := b.mustRead(t)
	b.compare(t, r2, before, b.rig.Snapshot())
	if missing := lost(r, r2); len(missing) > 0 {
		t.Errorf("the second reading lacks what the first told: %s", strings.Join(missing, ", "))
	}
}

// compare holds a reading against the rig's own view just before and after it.
func (b *bench) compare(t *testing.T, r miner.Reading, before, after sim.Snapshot) {
	t.Helper()
	if r.State != miner.Hashing {
		t.Errorf("state %s (%q), want hashing", r.State, r.StateTold)
	}
	rates := []unit.Hashrate{}
	for _, s := range []sim.Snapshot{before, after} {
		rates = append(rates, s.Hashrate5s, s.Hashrate1m, s.Hashrate15m, s.Hashrate30m, s.HashrateAvg)
	}
	low, high := float64(slices.Min(rates)), float64(slices.Max(rates))
	b.within(t, FieldHashrate, "hashrate", r.HashrateNow, low*0.985, high*1.015)
	b.within(t, FieldAverage, "average hashrate", r.HashrateAverage, low*0.985, high*1.015)
	within(t, b.suite.tells(FieldNominal), "nominal hashrate", r.HashrateNominal, float64(after.HashrateNominal)*0.9, float64(after.HashrateNominal)*1.1)
	watts := []float64{float64(before.Power), float64(after.Power)}
	within(t, b.suite.tells(FieldPower), "power", r.Power, slices.Min(watts)*0.97-2, slices.Max(watts)*1.03+2)
	if r.Power.Ok() != (r.PowerSource != "") {
		t.Errorf("power %v has the source %q", r.Power, r.PowerSource)
	}
	up := func(d time.Duration) (float64, float64) {
		return float64(d - 61*time.Second), float64(d + 61*time.Second)
	}
	lo, hi := up(after.Uptime)
	within(t, false, "uptime", r.Uptime, lo, hi)
	lo, hi = up(after.MinerUptime)
	within(t, false, "miner uptime", r.MinerUptime, lo, hi)
	if b.suite.tells(FieldUptime) && !r.Uptime.Ok() && !r.MinerUptime.Ok() {
		t.Error("no uptime")
	}
	within(t, b.suite.tells(FieldAccepted), "accepted shares", r.Accepted, float64(before.Accepted), float64(after.Accepted))
	within(t, false, "rejected shares", r.Rejected, float64(before.Rejected), float64(after.Rejected))
	b.compareBoards(t, r, before, after)
	b.compareFans(t, r, before, after)
	b.comparePools(t, r, after)
}

func (b *bench) compareBoards(t *testing.T, r miner.Reading, before, after sim.Snapshot) {
	t.Helper()
	if !b.suite.tells(FieldBoards) {
		return
	}
	if len(r.Boards) != len(after.Boards) {
		t.Errorf("%d boards, want %d", len(r.Boards), len(after.Boards))
		return
	}
	for i, board := range r.Boards {
		was, is := before.Boards[i], after.Boards[i]
		if board.Index != i {
			t.Errorf("board %d has the index %d", i, board.Index)
		}
		rates := []float64{float64(was.Hashrate), float64(is.Hashrate), float64(is.HashrateNominal)}
		within(t, b.suite.tells(FieldBoardHashrate), "board hashrate", board.Hashrate, slices.Min(rates)*0.95-0.001, slices.Max(rates)*1.05+0.001)
		within(t, b.suite.tells(FieldChips), "chips", board.Chips, float64(is.Chips), float64(is.Chips))
		if want := b.spec.Model.Chips; board.ChipsExpected.Ok() && want > 0 && board.ChipsExpected.Or(0) != want {
			t.Errorf("board %d: %d chips expected, want %d", i, board.ChipsExpected.Or(0), want)
		}
		temps := []float64{}
		for k := range is.PCB {
			for _, o := range []unit.Opt[unit.Temperature]{was.PCB[k], was.Chip[k], is.PCB[k], is.Chip[k]} {
				if v, ok := o.Get(); ok {
					temps = append(temps, float64(v))
				}
			}
		}
		if len(temps) > 0 {
			told := false
			for _, o := range []unit.Opt[unit.Temperature]{board.TempInlet, board.TempOutlet, board.TempBoard, board.TempChipMax, board.TempChipMean, board.TempChipMin} {
				// A chip's maximum over all chips may lie above the four that have
				// a sensor beside them, and a mean or minimum below.
				within(t, false, "board temperature", o, slices.Min(temps)-15, slices.Max(temps)+15)
				told = told || o.Ok()
			}
			within(t, false, "board temperature", board.TempBoard, slices.Min(temps)-1.1, slices.Max(temps)+1.1)
			if !told && b.suite.tells(FieldBoardTemp) {
				t.Errorf("board %d has no temperature", i)
			}
		}
	}
}

func (b *bench) compareFans(t *testing.T, r miner.Reading, before, after sim.Snapshot) {
	t.Helper()
	if !b.suite.tells(FieldFans) {
		return
	}
	var fans []miner.Fan
	for _, f := range r.Fans {
		if !f.PSU {
			fans = append(fans, f)
		}
	}
	if len(fans) != len(after.Fans) {
		t.Errorf("%d fans, want %d", len(fans), len(after.Fans))
		return
	}
	for i, f := range fans {
		was, is := float64(before.Fans[i].Speed), float64(after.Fans[i].Speed)
		within(t, true, "fan", f.Speed, min(was, is)*0.95-60, max(was, is)*1.05+60)
	}
}

func (b *bench) comparePools(t *testing.T, r miner.Reading, after sim.Snapshot) {
	t.Helper()
	if !b.suite.tells(FieldPools) {
		return
	}
	if len(r.Pools) != len(after.Pools) {
		t.Errorf("%d pools, want %d", len(r.Pools), len(after.Pools))
		return
	}
	for i, p := range r.Pools {
		if !sameURL(p.URL, after.Pools[i].URL) || !sameUser(p.User, after.Pools[i].User) {
			t.Errorf("pool %d is %s %s, want %s %s", i, p.URL, p.User, after.Pools[i].URL, after.Pools[i].User)
		}
	}
}

// sameURL compares without the scheme, which some firmwares drop.
func sameURL(a, b string) bool {
	bare := func(s string) string {
		_, after, ok := strings.Cut(s, "://")
		if !ok {
			after = s
		}
		return strings.TrimSuffix(after, "/")
	}
	return bare(a) == bare(b)
}

// sameUser allows for firmwares that put the worker's name apart.
func sameUser(got, want string) bool {
	return got == want || got != "" && strings.HasPrefix(want, got)
}

func (b *bench) within(t *testing.T, f Field, what string, o unit.Opt[unit.Hashrate], low, high float64) {
	t.Helper()
	within(t, b.suite.tells(f), what, o, low, high)
}

func within[T ~float64 | ~int | ~int64](t *testing.T, must bool, what string, o unit.Opt[T], low, high float64) {
	t.Helper()
	v, ok := o.Get()
	if !ok {
		if must {
			t.Errorf("no %s", what)
		}
		return
	}
	if f := float64(v); !(f >= low-math.Abs(low)*1e-9 && f <= high+math.Abs(high)*1e-9) {
		t.Errorf("%s is %v, want %g to %g", what, v, low, high)
	}
}

// A board that is switched off leaves its neighbours where they are and its own
// figures away.
func checkBoardOff(t *testing.T, b *bench) {
	if b.spec.Model.Boards < 2 || !b.suite.tells(FieldBoards) {
		t.Skip("one board only, or none told")
	}
	if err := b.rig.Do(sim.Action{Kind: sim.DoBoard, Index: 0, On: false}); err != nil {
		t.Fatal(err)
	}
	b.advance(time.Minute)
	b.settle(t)
	r := b.mustRead(t)
	seen := map[int]bool{}
	for _, board := range r.Boards {
		if seen[board.Index] {
			t.Errorf("board %d is there twice", board.Index)
		}
		seen[board.Index] = true
		if board.Index == 0 {
			if h, ok := board.Hashrate.Get(); ok && h > 0 {
				t.Errorf("the board that is off hashes %v", h)
			}
			continue
		}
		if h := board.Hashrate.Or(0); b.suite.tells(FieldBoardHashrate) && h <= 0 {
			t.Errorf("board %d, which is on, hashes %v", board.Index, h)
		}
	}
	for i := 1; i < b.spec.Model.Boards; i++ {
		if !seen[i] {
			t.Errorf("board %d is lost or renamed: there are %v", i, seen)
		}
	}
}
