package play_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"ballast/debt"
	"ballast/debt/play"
	"ballast/debt/stress"
	"ballast/unit"
)

func known() play.Known {
	returns := make([]float64, 800)
	for i := range returns {
		returns[i] = 0.03 * math.Sin(float64(i*i))
	}
	return play.Known{Today: debt.Day(2026, 11, 23), Price: play.Number{Value: 60_000, Known: true, Source: "test"}, Hashprice: play.Number{Value: 40, Known: true, Source: "test"},
		Returns: returns, ReturnsSource: "test", Blocks: 700, BlockDays: 4.9, Pace: 1, HalvingDays: 500}
}

func scenario() play.Scenario {
	today := debt.Day(2026, 11, 23)
	return play.Scenario{To: today + 200, Paths: 600, Company: play.Example([]play.Group{{Name: "new", PH: 700, JTH: 16}, {Name: "old", PH: 300, JTH: 28}}, today, 60_000), Policy: play.Policy{Sell: 0.6}}
}

func outcome(t testing.TB, s play.Scenario) play.Outcome {
	t.Helper()
	o, err := play.Play(context.Background(), s, known(), 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestExample(t *testing.T) {
	o := outcome(t, scenario())
	if r, ok := o.Start.Ratio.Get(); !ok || r < 1.5 || r > 2 {
		t.Errorf("the example begins at a ratio of %v", r)
	}
	if o.Days != 200 || len(o.Result.Fan) != 13 || o.Result.Fan[12].Day != 200 {
		t.Errorf("%d days, fan %+v", o.Days, o.Result.Fan)
	}
	last := o.Result.Fan[12]
	if last.UnderLine != o.Result.UnderLine || last.Default != o.Result.Default {
		t.Errorf("the fan's end %+v is not the result %+v", last.UnderLine, o.Result.UnderLine)
	}
	for _, a := range o.Assumptions {
		if a.Source == "" || a.From == "" {
			t.Errorf("assumption %q has no source", a.Name)
		}
	}
	// What was played is in the outcome, and plays to the same again, also by way
	// of JSON and with other workers.
	body, err := json.Marshal(o.Scenario)
	if err != nil {
		t.Fatal(err)
	}
	var back play.Scenario
	if err := json.Unmarshal(body, &back); err != nil {
		t.Fatal(err)
	}
	again, err := play.Play(context.Background(), back, known(), 3, nil)
	if err != nil || !reflect.DeepEqual(o.Result, again.Result) {
		t.Errorf("played again: %v", err)
	}
}

// A lever that helps never harms on the same futures, and one without effect
// changes nothing.
func TestLevers(t *testing.T) {
	s := scenario()
	s.Levers = []play.Lever{
		{Name: "idle", On: true, Evidence: "assumed"},
		{Name: "health", On: true, Uptime: 0.03, Fixed: -200, Evidence: "measured", Source: "test"},
		{Name: "price", On: false, Power: -0.2, Evidence: "assumed"},
	}
	o := outcome(t, s)
	if len(o.Levers) != 4 {
		t.Fatalf("%d outcomes", len(o.Levers))
	}
	idle, health, price, all := o.Levers[0], o.Levers[1], o.Levers[2], o.Levers[3]
	if !reflect.DeepEqual(idle.With, idle.Without) {
		t.Errorf("a lever without effect: %+v, %+v", idle.With, idle.Without)
	}
	for _, l := range []play.LeverOutcome{health, price} {
		if l.With.Lowest <= l.Without.Lowest || l.With.Default.P > l.Without.Default.P {
			t.Errorf("lever %s: %+v without, %+v with", l.Name, l.Without, l.With)
		}
	}
	if !reflect.DeepEqual(all.With, health.With) || all.Evidence != "assumed" {
		t.Errorf("all that are on: %+v, %s", all.With, all.Evidence)
	}
}

// A lower price of a bitcoin at once is never better for the company.
func TestShocksHurt(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := scenario()
		s.Paths = 200
		s.Seed = rapid.Uint64Range(1, 1000).Draw(rt, "seed")
		s.Policy.Sell = rapid.Float64Range(0, 1).Draw(rt, "sell")
		s.Policy.Cover = rapid.Float64Range(0, 1).Draw(rt, "cover")
		s.Market.PriceShock = rapid.Float64Range(-0.5, 0).Draw(rt, "shock")
		worse := s
		worse.Market.PriceShock -= 0.3
		a, b := outcome(t, s), outcome(t, worse)
		if b.Start.Revenue > a.Start.Revenue || b.Result.Default.P < a.Result.Default.P-0.02 {
			rt.Errorf("shock %.2f: default %.3f; worse: %.3f", s.Market.PriceShock, a.Result.Default.P, b.Result.Default.P)
		}
		ra, _ := a.Start.Ratio.Get()
		rb, _ := b.Start.Ratio.Get()
		if rb < ra {
			rt.Errorf("the ratio falls from %v to %v with the price", ra, rb)
		}
	})
}

func TestRefused(t *testing.T) {
	for name, spoil := range map[string]func(*play.Scenario){
		"no machines":    func(s *play.Scenario) { s.Company.Groups = nil },
		"no efficiency":  func(s *play.Scenario) { s.Company.Groups = []play.Group{{PH: 1}} },
		"too many paths": func(s *play.Scenario) { s.Paths = 1_000_000 },
		"backwards":      func(s *play.Scenario) { s.To = debt.Day(2020, 1, 1) },
		"all of it gone": func(s *play.Scenario) { s.Market.PriceShock = -1 },
		"twice": func(s *play.Scenario) {
			s.Levers = []play.Lever{{Name: "a", Evidence: "assumed"}, {Name: "a", Evidence: "assumed"}}
		},
		"no evidence": func(s *play.Scenario) { s.Levers = []play.Lever{{Name: "a"}} },
		"a bad line": func(s *play.Scenario) {
			s.Policy.Borrow = &stress.CreditLine{Most: 1, Initial: 0.9, Call: 0.7, Liquidate: 0.8}
		},
		"sells too much":  func(s *play.Scenario) { s.Policy.Sell = 1.5 },
		"facility is odd": func(s *play.Scenario) { s.Company.Facilities[0].Maturity = s.Company.Facilities[0].Drawn },
		"no number": func(s *play.Scenario) {
			s.Market.Hashprice = unit.Some(math.NaN())
		},
	} {
		s := scenario()
		spoil(&s)
		if _, err := play.Play(context.Background(), s, known(), 1, nil); !errors.Is(err, play.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	k := known()
	k.Hashprice.Known = false
	if err := scenario().Check(k); !errors.Is(err, play.ErrInvalid) {
		t.Errorf("no hashprice: %v", err)
	}
}

// Every model of the price can be played, also where too little past is known.
func TestModels(t *testing.T) {
	for _, m := range []stress.PriceKind{"", stress.Bootstrap, stress.GARCH, stress.Heston, stress.GBM} {
		s := scenario()
		s.Market.Model = m
		outcome(t, s)
		k := known()
		k.Returns = k.Returns[:20]
		if _, err := play.Play(context.Background(), s, k, 1, nil); err != nil {
			t.Errorf("%s with little past: %v", m, err)
		}
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	s := scenario()
	s.Paths = 50_000
	_, err := play.Play(ctx, s, known(), 1, func(done float64) {
		if done > 0.01 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
