package sim

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ballast/miner"
	"ballast/unit"
)

// bench is a rig on a clock that the test moves.
type bench struct {
	*Rig
	now time.Time
}

func newBench(t testing.TB, model string, firmware miner.Firmware, seed uint64) *bench {
	t.Helper()
	m, ok := miner.LookupModel(model)
	if !ok {
		t.Fatalf("no model %q", model)
	}
	b := &bench{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	b.Rig = NewRig(Spec{Model: m, Firmware: firmware, Seed: seed}, func() time.Time { return b.now })
	return b
}

func (b *bench) wait(d time.Duration) Snapshot {
	b.now = b.now.Add(d)
	return b.Snapshot()
}

// place puts the rig into other surroundings.
func (b *bench) place(change func(*surroundings)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forward(b.now.UnixNano())
	change(&b.env)
	b.body.settled = false
}

func (b *bench) break_(f Fault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.forward(b.now.UnixNano())
	f.Since = b.now
	if err := b.inject(f); err != nil {
		panic(err)
	}
	b.complain()
}

var someModels = []string{"Antminer S19 Pro (110T)", "Antminer S21 (200T)", "Antminer S19 XP (140T)", "Antminer S21 XP Hyd (473T)", "Antminer S9",
	"Whatsminer M30S++ VH40", "Whatsminer M63S VK10", "Whatsminer M66S VK30", "Avalon 1246 (90T)", "Bitaxe Gamma"}

func TestEveryModelKeepsItsNameplate(t *testing.T) {
	tried := 0
	for _, m := range miner.Models() {
		if m.Power <= 0 || m.Hashrate <= 0 {
			continue
		}
		tried++
		r := NewRig(Spec{Model: m, Firmware: miner.Antminer, Seed: 5}, nil)
		s := r.Snapshot()
		name := m.Name + " " + m.Variant
		if s.Phase != PhaseHashing {
			t.Errorf("%s: %s, %v", name, s.Phase, s.Faults)
			continue
		}
		if p := float64(s.Power / m.Power); math.Abs(p-1) > 0.06 {
			t.Errorf("%s draws %v, nameplate %v", name, s.Power, m.Power)
		}
		if h := float64(s.HashrateAvg / m.Hashrate); math.Abs(h-1) > 0.05 {
			t.Errorf("%s hashes %v, nameplate %v", name, s.HashrateAvg, m.Hashrate)
		}
		hot := float64(s.Boards[0].Chip[3].Or(-1))
		if hot < 50 || hot > 95 {
			t.Errorf("%s: chips at %.0f °C", name, hot)
		}
		if len(s.Faults) > 0 {
			t.Errorf("%s complains: %v", name, s.Faults)
		}
	}
	if tried < 100 {
		t.Errorf("only %d models with a nameplate", tried)
	}
}

// What comes in at the wall goes somewhere: into boards, fans, the control
// board and the supply's own loss; and what boards and chips take in, the air or
// coolant carries off.
func TestEnergyBalance(t *testing.T) {
	for _, model := range someModels {
		b := newBench(t, model, miner.Antminer, 3)
		b.wait(2 * time.Hour)
		r, d := b.Rig, &b.design
		body := &r.body
		boards := 0.0
		for i := range d.boards {
			boards += body.boards[i].power
		}
		fans := float64(d.fans) * d.fanMax * cube(body.duty)
		out := boards + fans + d.control
		if got, want := body.wall, out+psuLoss(out, d.rated); math.Abs(got/want-1) > 1e-3 {
			t.Errorf("%s: %.1f W at the wall, %.1f W accounted for", model, got, want)
		}
		s := b.Snapshot()
		flow := r.env.flow
		if d.fans > 0 {
			flow = body.duty
		}
		carried := float64(s.Outlet.Or(0)-s.Inlet.Or(0)) * d.carry * flow
		if math.Abs(carried/boards-1) > 0.01 {
			t.Errorf("%s: boards give off %.0f W, %.0f W are carried off", model, boards, carried)
		}
		// In balance, each board's heat flows from chip to sink to air.
		for i := range d.boards {
			p := &body.boards[i]
			if through := (p.chip - p.sink) / d.chipR; math.Abs(through/p.power-1) > 0.02 {
				t.Errorf("%s: board %d makes %.0f W, %.0f W leave its chips", model, i, p.power, through)
			}
		}
		if loss := 1 - out/body.wall; loss < 0.03 || loss > 0.08 {
			t.Errorf("%s: the supply loses %.1f %%", model, loss*100)
		}
		if in := float64(s.PSU.VoltageIn) * float64(s.PSU.CurrentIn) * 0.99; math.Abs(in/float64(s.PSU.PowerIn)-1) > 1e-6 {
			t.Errorf("%s: %.0f W from voltage and current, %v told", model, in, s.PSU.PowerIn)
		}
	}
}

func steady(t testing.TB, model string, change func(*bench)) Snapshot {
	b := newBench(t, model, miner.LuxOS, 11)
	change(b)
	return b.wait(90 * time.Minute)
}

func chipOf(s Snapshot) float64 { return float64(s.Boards[0].Chip[3].Or(-1)) }

func TestMonotone(t *testing.T) {
	const model = "Antminer S19 Pro (110T)"
	t.Run("warmer air", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) {
			low := rapid.Float64Range(-10, 38).Draw(rt, "°C")
			more := rapid.Float64Range(1, 8).Draw(rt, "K")
			at := func(v float64) Snapshot {
				return steady(t, model, func(b *bench) { b.place(func(e *surroundings) { e.inlet, e.ambient = v, v }) })
			}
			a, b := at(low), at(low+more)
			if chipOf(b) <= chipOf(a)-0.7 || b.Power < a.Power-5 || b.FanDuty < a.FanDuty-0.01 {
				rt.Fatalf("%.1f °C: %v, chips %.1f, fans %.2f; %.1f °C: %v, chips %.1f, fans %.2f", low, a.Power, chipOf(a), a.FanDuty, low+more, b.Power, chipOf(b), b.FanDuty)
			}
		})
	})
	t.Run("more power", func(t *testing.T) {
		rapid.Check(t, func(rt *rapid.T) {
			low := rapid.Float64Range(1700, 3300).Draw(rt, "W")
			more := rapid.Float64Range(50, 250).Draw(rt, "more")
			at := func(w float64) Snapshot {
				return steady(t, model, func(b *bench) {
					if err := b.Do(Action{Kind: DoPower, Power: unit.Power(w)}); err != nil {
						rt.Fatal(err)
					}
				})
			}
			a, b := at(low), at(low+more)
			ea, _ := unit.EfficiencyOf(a.Power, a.HashrateAvg)
			if b.Power <= a.Power || b.HashrateNominal <= a.HashrateNominal || b.Hashrate15m <= a.Hashrate15m {
				rt.Fatalf("%.0f W: %v %v; %.0f W: %v %v", low, a.Power, a.Hashrate15m, low+more, b.Power, b.Hashrate15m)
			}
			if ea <= 0 {
				rt.Fatal("no efficiency")
			}
			ja, jb := float64(a.Power)/float64(a.HashrateNominal), float64(b.Power)/float64(b.HashrateNominal)
			if low > 1900 && jb < ja*0.999 {
				rt.Fatalf("more power is more efficient: %.2f J/TH at %.0f W, %.2f at %.0f", ja, low, jb, low+more)
			}
		})
	})
	t.Run("faults", func(t *testing.T) {
		well := steady(t, model, func(*bench) {})
		for _, c := range []struct {
			fault Fault
			right func(s Snapshot) bool
		}{
			{Fault{Kind: FaultDust, Amount: 0.5}, func(s Snapshot) bool { return chipOf(s) > chipOf(well)+2 && s.FanDuty > well.FanDuty+0.05 }},
			{Fault{Kind: FaultPaste, Amount: 2}, func(s Snapshot) bool {
				// One board runs hot, its heat sink does not.
				return chipOf(s) > float64(s.Boards[1].Chip[3].Or(0))+8 && math.Abs(float64(s.Boards[0].PCB[3].Or(0)-s.Boards[1].PCB[3].Or(0))) < 3
			}},
			{Fault{Kind: FaultFanSlow, Index: 2, Amount: 0.4}, func(s Snapshot) bool {
				return s.Fans[2].Speed < s.Fans[1].Speed*0.5 && s.FanDuty > well.FanDuty+0.05
			}},
			{Fault{Kind: FaultPSUSag, Amount: 0.05}, func(s Snapshot) bool {
				return s.PSU.VoltageOut < well.PSU.VoltageOut*0.97 && s.Hashrate15m < well.Hashrate15m*0.97 && s.HWErrors > well.HWErrors*20 && s.Power < well.Power
			}},
			{Fault{Kind: FaultRailDroop, Index: 1, Amount: 0.05}, func(s Snapshot) bool {
				return s.Boards[1].Voltage < s.Boards[0].Voltage*0.97 && s.Boards[1].HWErrors > s.Boards[0].HWErrors*20
			}},
			{Fault{Kind: FaultBoardErrors, Index: 1, Amount: 100}, func(s Snapshot) bool {
				return s.Boards[1].HWErrors > s.Boards[0].HWErrors*20 && s.Hashrate15m < well.Hashrate15m*0.998
			}},
			{Fault{Kind: FaultChipsDead, Index: 0, Amount: 30}, func(s Snapshot) bool {
				return s.Boards[0].Chips == 84 && s.Boards[0].Hashrate < s.Boards[1].Hashrate*0.8 && s.Power < well.Power*0.95
			}},
			{Fault{Kind: FaultBoardDead, Index: 2}, func(s Snapshot) bool { return !s.Boards[2].Present && s.Power < well.Power*0.75 }},
			{Fault{Kind: FaultSensorStuck, Amount: 30}, func(s Snapshot) bool {
				v, ok := s.Boards[0].Chip[0].Get()
				return ok && v == 30
			}},
			{Fault{Kind: FaultSensorLost, Index: 1}, func(s Snapshot) bool {
				return !s.Boards[1].Chip[0].Ok() && !s.Boards[1].PCB[3].Ok() && s.Boards[0].PCB[0].Ok()
			}},
			{Fault{Kind: FaultHashrate, Amount: 0.7}, func(s Snapshot) bool { return math.Abs(float64(s.Hashrate15m/well.Hashrate15m)-0.7) < 0.02 }},
			{Fault{Kind: FaultMeter, Amount: 1.2}, func(s Snapshot) bool { return math.Abs(float64(s.Power/well.Power)-1.2) < 0.02 }},
			{Fault{Kind: FaultPoolDown, Index: -1}, func(s Snapshot) bool { return s.Hashrate5s == 0 && s.Power < well.Power*0.5 && !s.Pools[0].Alive }},
			{Fault{Kind: FaultHung}, func(s Snapshot) bool { return s.Hashrate5s == 0 && s.Pools[0].Alive && s.Phase == PhaseHashing }},
			{Fault{Kind: FaultPSUStop}, func(s Snapshot) bool { return s.Phase == PhaseFailed && s.Power < 250 }},
			{Fault{Kind: FaultPowerOff}, func(s Snapshot) bool { return s.Phase == PhaseOff && s.Power == 0 }},
		} {
			if s := steady(t, model, func(b *bench) { b.break_(c.fault) }); !c.right(s) {
				t.Errorf("%s: %+v", c.fault.Kind, s)
			}
		}
	})
}

// The way to a time must not matter: one long step, many short ones, or being
// looked at all the while.
func TestStepsDoNotMatter(t *testing.T) {
	script := func(b *bench, step time.Duration) {
		run := func(d time.Duration) {
			for end := b.now.Add(d); b.now.Before(end); {
				b.now = b.now.Add(min(step, end.Sub(b.now)))
				b.mu.Lock()
				b.forward(b.now.UnixNano())
				b.mu.Unlock()
			}
		}
		run(time.Hour)
		_ = b.Do(Action{Kind: DoSleep})
		run(30 * time.Minute)
		_ = b.Do(Action{Kind: DoWake})
		run(2 * time.Hour)
		b.place(func(e *surroundings) { e.inlet, e.ambient = 36, 36 })
		run(time.Hour)
	}
	for _, firmware := range []miner.Firmware{miner.Antminer, miner.Whatsminer, miner.LuxOS} {
		for _, model := range []string{"Antminer S19 Pro (110T)", "Antminer S21 XP Hyd (473T)"} {
			var first *bench
			for _, step := range []time.Duration{5 * time.Second, 7 * time.Second, time.Minute, 10 * time.Minute, time.Hour} {
				b := newBench(t, model, firmware, 9)
				script(b, step)
				if first == nil {
					first = b
					continue
				}
				x, y := &b.body, &first.body
				for _, c := range []struct {
					what     string
					got, ref float64
					tol      float64
				}{
					{"power", x.wall, y.wall, y.wall * 0.005}, {"hashrate", x.hash, y.hash, y.hash * 0.003}, {"chip", x.boards[0].chip, y.boards[0].chip, 0.6},
					{"sink", x.boards[0].sink, y.boards[0].sink, 0.6}, {"fans", x.duty, y.duty, 0.02}, {"energy", x.energy, y.energy, y.energy * 0.004},
					{"work", x.hashed, y.hashed, y.hashed * 0.004}, {"supply", x.psu, y.psu, 1}, {"shares", x.shares.expected, y.shares.expected, y.shares.expected * 0.004},
				} {
					if math.Abs(c.got-c.ref) > c.tol {
						t.Errorf("%s %s, %s: %.4f in steps of %v, %.4f in steps of 5s", firmware, model, c.what, c.got, step, c.ref)
					}
				}
			}
		}
	}
}

func TestLookingChangesNothing(t *testing.T) {
	watched, alone := newBench(t, someModels[0], miner.Whatsminer, 4), newBench(t, someModels[0], miner.Whatsminer, 4)
	for _, b := range []*bench{watched, alone} {
		_ = b.Do(Action{Kind: DoSleep})
		b.now = b.now.Add(time.Minute)
		_ = b.Do(Action{Kind: DoWake})
	}
	for range 100 {
		watched.wait(11 * time.Second)
		watched.SnapshotChips()
		alone.now = alone.now.Add(11 * time.Second)
	}
	if a, b := fmt.Sprintf("%+v", watched.Snapshot()), fmt.Sprintf("%+v", alone.Snapshot()); a != b {
		t.Errorf("watched: %s\nalone:   %s", a, b)
	}
}

func TestWarmUpCurve(t *testing.T) {
	b := newBench(t, someModels[0], miner.Antminer, 2)
	if err := b.Do(Action{Kind: DoSleep}); err != nil {
		t.Fatal(err)
	}
	cold := b.wait(2 * time.Hour)
	if c := chipOf(cold); math.Abs(c-nominalInlet) > 2 {
		t.Fatalf("asleep for two hours, chips at %.1f °C", c)
	}
	if err := b.Do(Action{Kind: DoWake}); err != nil {
		t.Fatal(err)
	}
	last, reached := 0.0, time.Duration(0)
	final := 0.0
	for at := time.Duration(0); at < 25*time.Minute; at += 20 * time.Second {
		c := chipOf(b.wait(20 * time.Second))
		if c < last-2.5 {
			t.Errorf("chips cool from %.1f to %.1f °C while warming up", last, c)
		}
		if c > 66 && reached == 0 {
			reached = at
		}
		last, final = max(last, c), c
	}
	if reached < 3*time.Minute || reached > 12*time.Minute {
		t.Errorf("chips reach 66 °C after %v: a machine of 15 kg takes minutes", reached)
	}
	if math.Abs(final-b.design.target) > 4 {
		t.Errorf("settles at %.1f °C, aims at %.1f", final, b.design.target)
	}
}

// Without moving air the chips rise by several kelvin a minute, and the
// firmware stops before they burn.
func TestNoAirStopsTheMachine(t *testing.T) {
	b := newBench(t, someModels[0], miner.LuxOS, 2) // does not stop for the fans themselves
	for i := range 4 {
		b.break_(Fault{Kind: FaultFanDead, Index: i})
	}
	was, fastest := chipOf(b.Snapshot()), 0.0
	for range 60 {
		s := b.wait(10 * time.Second)
		if s.Phase != PhaseHashing {
			if s.Phase != PhaseFailed || s.Power > 300 {
				t.Errorf("%s at %v", s.Phase, s.Power)
			}
			if fastest*6 < 2 || fastest*6 > 25 {
				t.Errorf("chips rose by %.1f K a minute", fastest*6)
			}
			return
		}
		fastest = max(fastest, chipOf(s)-was)
		was = chipOf(s)
	}
	t.Errorf("after 10 minutes without fans still hashing at %.0f °C", was)
}

func TestThrottleComesBeforeStop(t *testing.T) {
	b := newBench(t, someModels[0], miner.LuxOS, 2)
	b.place(func(e *surroundings) { e.inlet, e.ambient = 54, 54 })
	s := b.wait(time.Hour)
	if s.Phase != PhaseHashing || s.Hashrate15m > s.HashrateNominal*0.97 || chipOf(s) > b.design.limit {
		t.Errorf("%s, %v of %v, chips %.0f °C", s.Phase, s.Hashrate15m, s.HashrateNominal, chipOf(s))
	}
	reduced := false
	for _, f := range s.Faults {
		reduced = reduced || f.Code == miner.AdvisoryReduced || f.Code == miner.ThermalChip
	}
	if !reduced {
		t.Errorf("says nothing of it: %v", s.Faults)
	}
}
