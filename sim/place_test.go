package sim

import (
	"errors"
	"math"
	"testing"
	"time"

	"ballast/unit"
)

func TestWeather(t *testing.T) {
	c := WestTexas
	var year, july, january, noon, dawn float64
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var biggest float64
	last := 0.0
	for h := range 365 * 24 {
		at := start.Add(time.Duration(h) * time.Hour)
		w := c.At(9, at)
		v := float64(w.Temperature)
		year += v / (365 * 24)
		switch at.Month() {
		case time.July:
			july += v / (31 * 24)
		case time.January:
			january += v / (31 * 24)
		}
		switch at.Add(time.Duration(c.Zone * float64(time.Hour))).Hour() {
		case 15:
			noon += v / 365
		case 4:
			dawn += v / 365
		}
		if h > 0 {
			biggest = max(biggest, math.Abs(v-last))
		}
		last = v
		if w.Humidity <= 0 || w.Humidity > 1 || float64(w.WetBulb) > v+0.5 {
			t.Fatalf("%v: %+v", at, w)
		}
	}
	if math.Abs(year-c.Mean) > 2 || july-january < 14 || july-january > 28 || noon-dawn < 10 || noon-dawn > 20 {
		t.Errorf("year %.1f °C, July %.1f, January %.1f, afternoon %.1f, dawn %.1f", year, july, january, noon, dawn)
	}
	if biggest > 6 {
		t.Errorf("%.1f K from one hour to the next", biggest)
	}
	waves := 0
	for d := range 365 * 5 {
		if c.heatWave(9, float64(start.Unix()+int64(d)*86400)) > 3 {
			waves++
		}
	}
	if waves < 30 || waves > 200 {
		t.Errorf("%d days of heat waves in five years", waves)
	}
	south := c
	south.South = true
	if a, b := c.At(9, summer), south.At(9, summer); b.Temperature > a.Temperature-10 {
		t.Errorf("July is %v in the north and %v in the south", a.Temperature, b.Temperature)
	}
}

// zoneSite is a site with one container of each cooling.
func zoneSite(t *testing.T) *Site {
	t.Helper()
	m, err := ParseMix([]byte(`groups:
  - {share: 1, firmware: luxos, model: "Antminer S19 Pro (110T)"}
  - {share: 1, firmware: luxos, model: "Antminer S21 XP Hyd (473T)"}
  - {share: 1, firmware: whatsminer, model: "Whatsminer M66S VK30"}
`))
	if err != nil {
		t.Fatal(err)
	}
	return newSite(t, Config{Machines: 120, Mix: &m, Seed: 4, Pristine: true, Tick: 20 * time.Second})
}

func TestContainersCoupleTheirMachines(t *testing.T) {
	chip := func(s *Site, i int) float64 { r, _ := s.RigTruth(i); return float64(r.Chip) }
	t.Run("fans of an air container", func(t *testing.T) {
		s := zoneSite(t)
		before, was := s.Truth(false).Containers[0], chip(s, 5)
		if _, err := s.Inject(Fault{Kind: FaultFanWall, Container: "C01", Amount: 0.3}); err != nil {
			t.Fatal(err)
		}
		s.Advance(30 * time.Minute)
		after := s.Truth(false).Containers[0]
		if after.Supply < before.Supply+4 || chip(s, 5) < was+3 || after.Power < before.Power*1.005 {
			t.Errorf("intake %v to %v, chips %.1f to %.1f, %v to %v", before.Supply, after.Supply, was, chip(s, 5), before.Power, after.Power)
		}
		s.Clear(0, FaultFanWall, -1, "")
		s.Advance(30 * time.Minute)
		if back := s.Truth(false).Containers[0].Supply; math.Abs(float64(back-before.Supply)) > 3 {
			t.Errorf("after repair intake %v, was %v", back, before.Supply)
		}
	})
	t.Run("pump of a hydro loop", func(t *testing.T) {
		s := zoneSite(t)
		if _, err := s.Inject(Fault{Kind: FaultPump, Container: "C02"}); err != nil {
			t.Fatal(err)
		}
		stopped := -1
		for i := range 60 {
			s.Advance(10 * time.Second)
			if c := s.Truth(false); c.Containers[1].Power < c.Containers[2].Power/3 {
				stopped = i
				break
			}
		}
		if stopped < 1 || stopped > 40 {
			t.Errorf("machines without coolant stop after %d0 s: pump loss is a matter of minutes", stopped)
		}
		if c, _ := s.Cooling(1); !c.LowFlow || c.Flow > 50 {
			t.Errorf("controller %+v", c)
		}
		if _, err := s.Inject(Fault{Kind: FaultPump, Container: "C01"}); !errors.Is(err, ErrFault) {
			t.Errorf("a pump in an air container: %v", err)
		}
	})
	t.Run("set point of a dry cooler", func(t *testing.T) {
		s := zoneSite(t)
		if err := s.SetCooling(1, CoolingCommand{Setpoint: unit.Some(unit.Temperature(45))}); err != nil {
			t.Fatal(err)
		}
		before, _ := s.Cooling(1)
		was := chip(s, 45)
		s.Advance(3 * time.Hour)
		after, _ := s.Cooling(1)
		if after.Supply < before.Supply+3 || chip(s, 45) < was+3 {
			t.Errorf("supply %v to %v, chips %.1f to %.1f", before.Supply, after.Supply, was, chip(s, 45))
		}
		// What the coolant brings is what the machines gave.
		carried := float64(after.Return-after.Supply) * float64(after.Flow) * 4186 / 60
		if math.Abs(carried/float64(after.Heat)-1) > 0.02 {
			t.Errorf("coolant carries %.0f W of %v", carried, after.Heat)
		}
		for _, bad := range []CoolingCommand{{Setpoint: unit.Some(unit.Temperature(99))}, {Pump: unit.Some(unit.Ratio(1.5))}, {Fans: unit.Some(unit.Ratio(math.NaN()))}} {
			if err := s.SetCooling(1, bad); !errors.Is(err, ErrOutOfRange) {
				t.Errorf("%+v: %v", bad, err)
			}
		}
	})
	t.Run("pump switched off and on", func(t *testing.T) {
		s := zoneSite(t)
		must(t, s.SetCooling(2, CoolingCommand{PumpOn: unit.Some(false)}))
		s.Advance(2 * time.Minute)
		if c, _ := s.Cooling(2); c.Flow > 100 || c.PumpOn {
			t.Errorf("%+v", c)
		}
		must(t, s.SetCooling(2, CoolingCommand{PumpOn: unit.Some(true)}))
		s.Advance(30 * time.Minute)
		if tr := s.Truth(false); tr.Containers[2].Power < 100e3 {
			t.Errorf("tank draws %v half an hour after its pump is back", tr.Containers[2].Power)
		}
	})
	t.Run("heat rises", func(t *testing.T) {
		s := zoneSite(t)
		low, high := 0.0, 0.0
		for i := range 40 {
			r, _ := s.RigTruth(i)
			switch s.nodes[i].level {
			case 0:
				low += float64(r.Inlet) / 8
			case rackLevels - 1:
				high += float64(r.Inlet) / 8
			}
		}
		if high-low < 2.5 || high-low > 4.5 {
			t.Errorf("top of the rack breathes %.1f °C, bottom %.1f", high, low)
		}
	})
	t.Run("heat wave", func(t *testing.T) {
		s := zoneSite(t)
		s.Advance(time.Hour)
		before := s.Truth(false)
		if _, err := s.Inject(Fault{Kind: FaultHeatWave, Amount: 8}); err != nil {
			t.Fatal(err)
		}
		s.Advance(time.Hour)
		after := s.Truth(false)
		s.Clear(0, "", -1, "")
		s.Advance(20 * time.Second)
		calm := s.Truth(false).Weather.Temperature
		if d := after.Weather.Temperature - calm; math.Abs(float64(d)-8) > 0.3 {
			t.Errorf("a heat wave of 8 K makes %v of %v", after.Weather.Temperature, calm)
		}
		if after.Containers[0].Supply < before.Containers[0].Supply+3 {
			t.Errorf("intake %v to %v", before.Containers[0].Supply, after.Containers[0].Supply)
		}
	})
}

func TestPowerPath(t *testing.T) {
	s := zoneSite(t)
	s.Advance(time.Minute)
	main, err := s.Meter(0)
	must(t, err)
	sum, energy := unit.Power(0), unit.Energy(0)
	for i := 1; i < s.Meters(); i++ {
		m, err := s.Meter(i)
		must(t, err)
		sum += m.Power
		energy += m.Import
		per := 0.0
		for p := range 3 {
			per += float64(m.Voltage[p]) * float64(m.Current[p])
		}
		if math.Abs(per/m.Apparent-1) > 0.02 || m.Voltage[0] < 230 || m.Voltage[0] > 250 || m.PowerFactor < 0.9 || math.Abs(m.Frequency-60) > 0.1 {
			t.Errorf("meter %+v", m)
		}
	}
	if math.Abs(float64(sum/main.Power)-1) > 1e-9 || energy != main.Import {
		t.Errorf("feeders %v, main meter %v", sum, main.Power)
	}
	rigs := unit.Power(0)
	for i := range s.PDUs() {
		p, err := s.PDU(i)
		must(t, err)
		rigs += p.Power
		outlets := unit.Power(0)
		for _, o := range p.Outlets {
			outlets += o.Power
		}
		if math.Abs(float64(outlets-p.Power)) > 1 || p.Power > p.Cap {
			t.Errorf("PDU %s: %v, outlets %v, cap %v", p.Name, p.Power, outlets, p.Cap)
		}
	}
	if rigs >= main.Power || rigs < main.Power*0.93 {
		t.Errorf("machines %v of %v at the meter", rigs, main.Power)
	}

	// Energy is power over time.
	s.Advance(time.Hour)
	later, _ := s.Meter(0)
	if got := float64(later.Import - main.Import); math.Abs(got/float64(main.Power.Over(time.Hour))-1) > 0.05 {
		t.Errorf("an hour at %v adds %v", main.Power, later.Import-main.Import)
	}

	// An outlet.
	must(t, s.SwitchOutlet(0, 3, false))
	if p := s.Rig(3).Phase(); p != PhaseOff {
		t.Errorf("outlet off: %s", p)
	}
	must(t, s.SwitchOutlet(0, 3, true))
	if p := s.Rig(3).Phase(); p != PhaseBooting {
		t.Errorf("outlet on again: %s", p)
	}
	if err := s.SwitchOutlet(0, 99, true); !errors.Is(err, ErrOutOfRange) {
		t.Errorf("outlet 99: %v", err)
	}

	// A tripped container, and the way back.
	f, err := s.Inject(Fault{Kind: FaultTrip, Container: "C01"})
	must(t, err)
	if p := s.Rig(20).Phase(); p != PhaseOff {
		t.Errorf("container tripped: %s", p)
	}
	s.Advance(10 * time.Minute)
	tripped, _ := s.Meter(0)
	if tripped.Power > later.Power*0.85 {
		t.Errorf("%v with the container, %v without", later.Power, tripped.Power)
	}
	s.Clear(f[0].ID, "", -1, "")
	if p := s.Rig(20).Phase(); p != PhaseBooting {
		t.Errorf("power is back: %s", p)
	}
	s.Advance(15 * time.Minute)
	if p := s.Rig(20).Phase(); p != PhaseHashing {
		t.Errorf("15 minutes later: %s", p)
	}

	// Low mains: a little is borne, a lot is not.
	f, err = s.Inject(Fault{Kind: FaultBrownout, Container: "C01", Amount: 0.15})
	must(t, err)
	if snap := s.Rig(20).Snapshot(); snap.Phase != PhaseHashing || snap.PSU.VoltageIn > 212 || snap.PSU.VoltageIn < 195 {
		t.Errorf("at 85 %% of mains: %s, %v", snap.Phase, snap.PSU.VoltageIn)
	}
	s.Clear(f[0].ID, "", -1, "")
	_, err = s.Inject(Fault{Kind: FaultBrownout, Container: "C01", Amount: 0.4})
	must(t, err)
	if p := s.Rig(20).Phase(); p != PhaseOff {
		t.Errorf("at 60 %% of mains: %s", p)
	}
}

func TestBreaker(t *testing.T) {
	opens := func(load float64) float64 {
		b := breaker{rating: 1000}
		for s := 0.0; s < 3*3600; s += 5 {
			if b.carry(load, 5) {
				return s
			}
		}
		return math.Inf(1)
	}
	if s := opens(1050); !math.IsInf(s, 1) {
		t.Errorf("opens at 105 %% after %.0f s", s)
	}
	if a, b := opens(1200), opens(1500); !(a > b) || b < 10 || a > 1800 {
		t.Errorf("opens at 120 %% after %.0f s, at 150 %% after %.0f s", a, b)
	}
	if s := opens(6000); s > 5 {
		t.Errorf("a short circuit opens after %.0f s", s)
	}
}

// A PDU with more on it than it bears trips, and the crew closes it again.
func TestOverloadTrips(t *testing.T) {
	s := zoneSite(t)
	s.pdus[0].breaker.rating = s.pdus[0].power * 0.7
	s.Advance(30 * time.Minute)
	if p, _ := s.PDU(0); p.Closed || s.Rig(0).Phase() != PhaseOff || s.Rig(25).Phase() != PhaseHashing {
		t.Errorf("overloaded PDU %+v", p)
	}
	s.pdus[0].breaker.rating *= 2
	s.Advance(3 * time.Hour)
	if p, _ := s.PDU(0); !p.Closed || s.Rig(0).Phase() != PhaseHashing {
		t.Errorf("three hours later: %+v", p)
	}
	events, _ := s.Events(0)
	kinds := map[EventKind]int{}
	for _, e := range events {
		kinds[e.Kind]++
	}
	if kinds[EventTrip] != 1 || kinds[EventClose] != 1 {
		t.Errorf("events %v", kinds)
	}
}
