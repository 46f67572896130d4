package sim

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"sync"
	"testing"
	"time"

	"ballast/miner"
	"ballast/unit"
)

// until waits in steps until a snapshot satisfies done, and says how long that
// took; most when it never does.
func (b *bench) until(step, most time.Duration, done func(Snapshot) bool) time.Duration {
	for took := time.Duration(0); took < most; took += step {
		if done(b.wait(step)) {
			return took + step
		}
	}
	return most
}

func asleep(s Snapshot) bool { return s.Phase == PhaseSleeping && s.Hashrate5s == 0 && s.Power < 120 }

func full(s Snapshot) bool {
	return s.Phase == PhaseHashing && s.Hashrate5s > s.HashrateNominal*0.93 && s.Power > 2000
}

// Times are published ones where there are any: Whatsminer 6 to 10 minutes and
// 1 s for a percentage (HashSource, WhatsMiner_Curtailment), LuxOS under 5 s and
// under 10 s (hashrateindex.com); else orders of magnitude.
func TestSettleTimes(t *testing.T) {
	for _, c := range []struct {
		firmware miner.Firmware
		model    string
		sleep    [2]time.Duration
		wake     [2]time.Duration
		reboot   [2]time.Duration
	}{
		{miner.Antminer, "Antminer S19 Pro (110T)", [2]time.Duration{10 * time.Second, time.Minute}, [2]time.Duration{3 * time.Minute, 6 * time.Minute}, [2]time.Duration{4 * time.Minute, 8 * time.Minute}},
		{miner.Whatsminer, "Whatsminer M30S++ VH40", [2]time.Duration{time.Second, 10 * time.Second}, [2]time.Duration{6 * time.Minute, 10 * time.Minute}, [2]time.Duration{6 * time.Minute, 11 * time.Minute}},
		{miner.Avalon, "Avalon 1246 (90T)", [2]time.Duration{time.Second, 15 * time.Second}, [2]time.Duration{30 * time.Second, 90 * time.Second}, [2]time.Duration{time.Minute, 2 * time.Minute}},
		{miner.Braiins, "Antminer S19 Pro (110T)", [2]time.Duration{time.Second, 15 * time.Second}, [2]time.Duration{time.Minute, 3 * time.Minute}, [2]time.Duration{2 * time.Minute, 5 * time.Minute}},
		{miner.LuxOS, "Antminer S19k Pro (120T)", [2]time.Duration{time.Second, 5 * time.Second}, [2]time.Duration{3 * time.Second, 10 * time.Second}, [2]time.Duration{80 * time.Second, 3 * time.Minute}},
		{miner.VNish, "Antminer S19j Pro (100T)", [2]time.Duration{time.Second, 15 * time.Second}, [2]time.Duration{90 * time.Second, 4 * time.Minute}, [2]time.Duration{3 * time.Minute, 6 * time.Minute}},
		{miner.EPIC, "Antminer S19 XP (140T)", [2]time.Duration{time.Second, 15 * time.Second}, [2]time.Duration{2 * time.Minute, 5 * time.Minute}, [2]time.Duration{3 * time.Minute, 6 * time.Minute}},
	} {
		t.Run(string(c.firmware), func(t *testing.T) {
			for seed := range uint64(5) {
				b := newBench(t, c.model, c.firmware, seed)
				check := func(what string, got time.Duration, want [2]time.Duration) {
					if got < want[0] || got > want[1] {
						t.Errorf("seed %d: %s took %v, want %v to %v", seed, what, got, want[0], want[1])
					}
				}
				if !full(b.Snapshot()) {
					t.Fatalf("does not hash: %+v", b.Snapshot())
				}
				must(t, b.Do(Action{Kind: DoSleep}))
				if s := b.Snapshot(); s.Phase != PhaseSleeping || s.Hashrate5s != 0 {
					t.Errorf("told to sleep: %s, %v", s.Phase, s.Hashrate5s)
				}
				check("sleep", b.until(time.Second, time.Hour, asleep), c.sleep)
				if s := b.wait(20 * time.Minute); math.Abs(float64(s.Power)-25) > 5 || s.Phase != PhaseSleeping {
					t.Errorf("asleep: %s at %v, want about 25 W", s.Phase, s.Power)
				}
				must(t, b.Do(Action{Kind: DoWake}))
				check("wake", b.until(time.Second, time.Hour, full), c.wake)
				b.wait(30 * time.Minute)
				must(t, b.Do(Action{Kind: DoReboot}))
				if p := b.Phase(); p != PhaseBooting {
					t.Errorf("told to reboot: %s", p)
				}
				check("reboot", b.until(time.Second, time.Hour, full), c.reboot)
				if s := b.Snapshot(); s.Uptime > 12*time.Minute || s.MinerUptime > s.Uptime {
					t.Errorf("after a reboot: up %v, mining %v", s.Uptime, s.MinerUptime)
				}
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func near(p unit.Power) func(Snapshot) bool {
	return func(s Snapshot) bool {
		return s.Phase == PhaseHashing && math.Abs(float64(s.Power-p)) < float64(p)*0.02
	}
}

// Without power fast boot, a Whatsminer restarts for a new limit and stands
// still meanwhile; with it, it slides. A percentage is quick and approximate.
func TestWhatsminerPowerLimit(t *testing.T) {
	for seed := range uint64(5) {
		b := newBench(t, "Whatsminer M30S++ VH40", miner.Whatsminer, seed)
		must(t, b.Do(Action{Kind: DoPower, Power: 2500}))
		if s := b.wait(5 * time.Second); s.Hashrate5s != 0 || s.Phase != PhaseStarting || s.MinerUptime > 6*time.Second {
			t.Errorf("seed %d: a new limit: %s, %v, mining for %v; want a restart", seed, s.Phase, s.Hashrate5s, s.MinerUptime)
		}
		if took := b.until(5*time.Second, time.Hour, near(2500)); took < 6*time.Minute || took > 12*time.Minute {
			t.Errorf("seed %d: a new limit settles in %v", seed, took)
		}
		if s := b.wait(10 * time.Minute); math.Abs(float64(s.Power)-2500) > 10 {
			t.Errorf("seed %d: holds %v, want 2500 W: set_power is precise", seed, s.Power)
		}
		must(t, b.Do(Action{Kind: DoPercent, Percent: 60}))
		s := b.wait(3 * time.Second)
		if s.Power > 2500*0.7 || s.Power < 2500*0.5 || s.Hashrate5s == 0 {
			t.Errorf("seed %d: 60 %% after 3 s: %v, %v", seed, s.Power, s.Hashrate5s)
		}
		must(t, b.Do(Action{Kind: DoPercent, Percent: 100}))
		if s := b.wait(time.Minute); math.Abs(float64(s.Power)-2500) > 120 {
			t.Errorf("seed %d: back at 100 %%: %v", seed, s.Power)
		}
		must(t, b.Do(Action{Kind: DoFastBoot, On: true}))
		must(t, b.Do(Action{Kind: DoPower, Power: 3000}))
		least := s.HashrateNominal
		for range 60 {
			least = min(least, b.wait(time.Second).Hashrate5s)
		}
		if least < 50 || !near(3000)(b.wait(2*time.Minute)) {
			t.Errorf("seed %d: with fast boot: least hashrate %v, then %v; want no gap and 3000 W", seed, least, b.Snapshot().Power)
		}
		must(t, b.Do(Action{Kind: DoSleep}))
		b.wait(time.Minute)
		must(t, b.Do(Action{Kind: DoWake}))
		if took := b.until(time.Second, time.Hour, full); took > 65*time.Second {
			t.Errorf("seed %d: fast boot takes %v, want a minute", seed, took)
		}
	}
	slow, fast := newBench(t, "Whatsminer M30S++ VH40", miner.Whatsminer, 1), newBench(t, "Whatsminer M30S++ VH40", miner.Whatsminer, 1)
	took := map[*bench]time.Duration{}
	for b, speed := range map[*bench]int{slow: 5, fast: 10} {
		must(t, b.Do(Action{Kind: DoUpfreq, Index: speed}))
		must(t, b.Do(Action{Kind: DoRestart}))
		took[b] = b.until(time.Second, time.Hour, full)
	}
	if took[fast] < 5*time.Minute || took[fast] > 7*time.Minute || took[slow] < 8*time.Minute || took[slow] > 10*time.Minute {
		t.Errorf("frequency rise 10 takes %v (want 6 to 7 min), 5 takes %v (want 8 to 10)", took[fast], took[slow])
	}
}

func TestSetPoints(t *testing.T) {
	// Smooth ones.
	b := newBench(t, "Antminer S19 Pro (110T)", miner.Braiins, 3)
	must(t, b.Do(Action{Kind: DoPower, Power: 2400}))
	if s := b.wait(10 * time.Second); s.Hashrate5s == 0 || s.PowerTarget != 2400 {
		t.Errorf("Braiins retunes without a gap: %v, target %v", s.Hashrate5s, s.PowerTarget)
	}
	if took := b.until(5*time.Second, time.Hour, near(2400)); took > 6*time.Minute {
		t.Errorf("Braiins settles in %v", took)
	}
	b = newBench(t, "Antminer S19k Pro (120T)", miner.LuxOS, 3)
	profiles := b.Profiles()
	if len(profiles) < 20 || profiles[0].Power >= profiles[len(profiles)-1].Power {
		t.Fatalf("%d LuxOS profiles", len(profiles))
	}
	for _, p := range []ProfileSpec{profiles[3], profiles[len(profiles)-1]} {
		must(t, b.Do(Action{Kind: DoProfile, Text: p.Name}))
		s := b.wait(30 * time.Minute)
		if math.Abs(float64(s.Power/p.Power)-1) > 0.08 || math.Abs(float64(s.HashrateNominal/p.Hashrate)-1) > 0.01 || s.Profile != p.Name {
			t.Errorf("profile %s promises %v %v: %v %v, %q", p.Name, p.Power, p.Hashrate, s.Power, s.HashrateNominal, s.Profile)
		}
	}
	// Modes.
	b = newBench(t, "Antminer S21 (200T)", miner.Antminer, 3)
	power := map[string]float64{}
	for _, mode := range []string{miner.ModeLow, miner.ModeNormal, miner.ModeHigh} {
		must(t, b.Do(Action{Kind: DoMode, Text: mode}))
		s := b.wait(30 * time.Minute)
		power[mode] = float64(s.Power / b.Spec().Model.Power)
		if s.Mode != mode || s.Phase != PhaseHashing {
			t.Errorf("mode %s: %s, %s", mode, s.Mode, s.Phase)
		}
	}
	if power[miner.ModeLow] > 0.75 || math.Abs(power[miner.ModeNormal]-1) > 0.06 || power[miner.ModeHigh] < 1.03 {
		t.Errorf("modes draw %v of nameplate", power)
	}
}

func TestRefusals(t *testing.T) {
	b := newBench(t, "Antminer S19 Pro (110T)", miner.Braiins, 3)
	l := b.Limits()
	before := fmt.Sprint(b.Snapshot())
	for _, a := range []Action{
		{Kind: DoPower, Power: l.Min - 1}, {Kind: DoPower, Power: l.Max + 1}, {Kind: DoPower, Power: unit.Power(math.NaN())},
		{Kind: DoPercent, Percent: -1}, {Kind: DoPercent, Percent: 101}, {Kind: DoPercent, Percent: math.NaN()},
		{Kind: DoMode, Text: "ludicrous"}, {Kind: DoProfile, Text: "nonsense"}, {Kind: DoProfile, Text: "x", Power: 1e9},
		{Kind: DoBoard, Index: -1}, {Kind: DoBoard, Index: 3, On: true}, {Kind: DoUpfreq, Index: 11}, {Kind: "dance"},
	} {
		if err := b.Do(a); !errors.Is(err, ErrOutOfRange) {
			t.Errorf("%+v: %v", a, err)
		}
	}
	if after := fmt.Sprint(b.Snapshot()); after != before {
		t.Errorf("refused commands changed\n%s\nto\n%s", before, after)
	}
}

func TestActionsShow(t *testing.T) {
	b := newBench(t, "Antminer S19 Pro (110T)", miner.LuxOS, 3)
	must(t, b.Do(Action{Kind: DoLocate, On: true}))
	must(t, b.Do(Action{Kind: DoBoard, Index: 1}))
	must(t, b.Do(Action{Kind: DoPools, Pools: []PoolSnapshot{{URL: "stratum+tcp://a:1", User: "u"}, {URL: "stratum+tcp://b:2", User: "v"}}}))
	s := b.wait(20 * time.Minute)
	if !s.Locating || s.Boards[1].Enabled || s.Boards[1].Hashrate != 0 || s.Boards[0].Hashrate == 0 {
		t.Errorf("%+v", s)
	}
	if len(s.Pools) != 2 || !s.Pools[0].Active || s.Pools[1].Active || !s.Pools[1].Alive {
		t.Errorf("pools %+v", s.Pools)
	}
	b.break_(Fault{Kind: FaultPoolDown, Index: 0})
	if s := b.wait(time.Minute); !s.Pools[1].Active || s.Pools[0].Alive || s.Hashrate5s == 0 {
		t.Errorf("first pool down: %+v", s.Pools)
	}
	if s.Accepted == 0 || s.Accepted < s.Rejected*50 {
		t.Errorf("%d accepted, %d rejected", s.Accepted, s.Rejected)
	}
	rate := float64(s.Accepted) / s.MinerUptime.Seconds() * s.Difficulty * workPerDifficulty
	if math.Abs(rate/float64(s.HashrateAvg)-1) > 0.1 {
		t.Errorf("shares are worth %.1f TH/s, hashrate is %v", rate, s.HashrateAvg)
	}
}

func TestRestartResetsCounters(t *testing.T) {
	b := newBench(t, "Antminer S19 Pro (110T)", miner.LuxOS, 3)
	before := b.wait(time.Hour)
	must(t, b.Do(Action{Kind: DoRestart}))
	after := b.wait(5 * time.Minute)
	if after.Accepted >= before.Accepted || after.HWErrors >= before.HWErrors || after.MinerUptime > 6*time.Minute || after.Uptime < time.Hour {
		t.Errorf("after a restart: %d of %d shares, %d of %d errors, mining %v, up %v", after.Accepted, before.Accepted, after.HWErrors, before.HWErrors, after.MinerUptime, after.Uptime)
	}
}

func TestChipsAddUp(t *testing.T) {
	b := newBench(t, "Antminer S19 Pro (110T)", miner.EPIC, 3)
	b.break_(Fault{Kind: FaultChipsDead, Index: 1, Amount: 9})
	b.wait(time.Hour)
	for i, board := range b.SnapshotChips().Boards {
		sum, alive := unit.Hashrate(0), 0
		for _, c := range board.PerChip {
			sum += c.Hashrate
			if c.Alive {
				alive++
			}
			if c.Alive && (c.Temp < 40 || c.Temp > 95 || c.Frequency < 500e6 || c.Voltage < 0.2) {
				t.Errorf("board %d: chip %+v", i, c)
			}
		}
		if math.Abs(float64(sum/board.Hashrate)-1) > 0.02 || alive != board.Chips || len(board.PerChip) != 114 {
			t.Errorf("board %d: %d chips make %v, board says %d and %v", i, alive, sum, board.Chips, board.Hashrate)
		}
	}
}

// A rig on its own is what dialects are tested against.
func TestNewRigIsReady(t *testing.T) {
	for f := range tempos {
		r := NewRig(Spec{Model: miner.Model{Make: "Bitmain", Name: "Antminer S19"}, Firmware: f, Seed: 1}, nil)
		s := r.Snapshot()
		if s.Phase != PhaseHashing || s.Hashrate5s <= 0 || s.HashrateAvg <= 0 || s.Power < 1000 || s.Accepted == 0 || len(s.Boards) != 3 || len(s.Fans) != 4 || s.Uptime < 59*time.Minute {
			t.Errorf("%s: %+v", f, s)
		}
		if m := r.Spec().Model; m.Boards != 3 || m.Chips == 0 || m.Power == 0 {
			t.Errorf("%s: what the table leaves open stays open: %+v", f, m)
		}
		calls := 0
		for range 3 {
			r.Memo("k", func() any { calls++; return calls })
		}
		if calls != 1 {
			t.Errorf("memo made %d times", calls)
		}
	}
}

func TestRigDeterminism(t *testing.T) {
	run := func(seed uint64) Snapshot {
		b := newBench(t, "Whatsminer M30S++ VH40", miner.Whatsminer, seed)
		b.wait(17 * time.Minute)
		_ = b.Do(Action{Kind: DoPower, Power: 2600})
		b.wait(23 * time.Minute)
		return b.SnapshotChips()
	}
	if a, b := run(1), run(1); !reflect.DeepEqual(a, b) {
		t.Error("the same seed gives two machines")
	}
	if a, b := run(1), run(2); a.Hashrate15m == b.Hashrate15m || a.Boards[0].Serial == b.Boards[0].Serial {
		t.Error("two seeds give the same machine")
	}
}

func TestRigConcurrency(t *testing.T) {
	r := NewRig(Spec{Model: miner.Model{Make: "Bitmain", Name: "Antminer S19"}, Firmware: miner.Braiins, Seed: 1}, nil)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 50 {
				r.Snapshot()
				r.Spec()
				r.Profiles()
				_ = r.Do(Action{Kind: []ActionKind{DoSleep, DoWake, DoLocate, DoPower}[(i+j)%4], Power: 3000})
				r.Memo("k", func() any { return 1 })
				r.Phase()
			}
		})
	}
	wg.Wait()
}

func BenchmarkSnapshot(b *testing.B) {
	r := newBench(b, "Antminer S19 Pro (110T)", miner.Antminer, 1)
	b.ReportAllocs()
	for b.Loop() {
		r.Snapshot()
	}
}

func BenchmarkSnapshotChips(b *testing.B) {
	r := newBench(b, "Antminer S19 Pro (110T)", miner.Antminer, 1)
	b.ReportAllocs()
	for b.Loop() {
		r.SnapshotChips()
	}
}

func BenchmarkStep(b *testing.B) {
	for _, c := range []struct {
		name string
		h    time.Duration
	}{{"10s", 10 * time.Second}, {"1m", time.Minute}, {"1h", time.Hour}} {
		b.Run(c.name, func(b *testing.B) {
			r := newBench(b, "Antminer S19 Pro (110T)", miner.Antminer, 1)
			b.ReportAllocs()
			for b.Loop() {
				r.forward(r.body.t + int64(c.h))
			}
		})
	}
}
