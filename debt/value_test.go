package debt_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ballast/debt"
	"ballast/market"
	"ballast/unit"
)

func near(a, b, rel float64) bool { return math.Abs(a-b) <= rel*max(math.Abs(a), math.Abs(b), 1e-300) }

func TestCall(t *testing.T) {
	// Hull, Options, Futures and Other Derivatives: Black's model with
	// F = 20, K = 20, r = 9 %, sigma = 25 %, 4 months gives a put (at the money:
	// also a call) of 1.12.
	if v := debt.Call(20, 20, 0.25, 0.09, 4.0/12); math.Round(v*100) != 112 {
		t.Errorf("call %v", v)
	}
	for _, v := range []struct {
		name                          string
		f, k, vol, rate, years, exact float64
	}{
		{"no volatility, in the money", 60, 40, 0, 0.1, 2, 20 * math.Exp(-0.2)},
		{"no volatility, out of it", 40, 60, 0, 0.1, 2, 0},
		{"no time", 60, 40, 0.8, 0.1, 0, 20},
		{"no strike", 60, 0, 0.8, 0.1, 2, 60 * math.Exp(-0.2)},
		{"no forward", 0, 40, 0.8, 0.1, 2, 0},
		{"endless volatility", 60, 40, math.Inf(1), 0.1, 2, 60 * math.Exp(-0.2)},
	} {
		if got := debt.Call(v.f, v.k, v.vol, v.rate, v.years); got != v.exact {
			t.Errorf("%s: %v, want %v", v.name, got, v.exact)
		}
	}
	for _, bad := range [][5]float64{{-1, 1, 1, 0, 1}, {1, -1, 1, 0, 1}, {1, 1, -1, 0, 1}, {1, 1, 1, 0, -1}, {math.NaN(), 1, 1, 0, 1}, {1, 1, 1, math.NaN(), 1}} {
		if v := debt.Call(bad[0], bad[1], bad[2], bad[3], bad[4]); !math.IsNaN(v) {
			t.Errorf("%v: %v", bad, v)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.Float64Range(0, 500).Draw(t, "forward")
		k := rapid.Float64Range(0, 500).Draw(t, "strike")
		a := rapid.Float64Range(0, 4).Draw(t, "vol")
		b := a + rapid.Float64Range(0, 4).Draw(t, "more")
		r := rapid.Float64Range(-0.05, 0.3).Draw(t, "rate")
		y := rapid.Float64Range(0, 8).Draw(t, "years")
		lo, hi := debt.Call(f, k, a, r, y), debt.Call(f, k, b, r, y)
		disc := math.Exp(-r * y)
		if lo < disc*max(f-k, 0) || hi > disc*f || lo > hi+1e-12*f {
			t.Fatalf("call(%v, %v): %v at %v, %v at %v, intrinsic %v", f, k, lo, a, hi, b, disc*max(f-k, 0))
		}
		// Put-call parity through the symmetric call: C(F,K) - C(K,F) = e^(-rt)(F-K).
		if d := debt.Call(f, k, a, r, y) - debt.Call(k, f, a, r, y) - disc*(f-k); math.Abs(d) > 1e-9*(f+k+1) {
			t.Fatalf("parity is off by %v", d)
		}
	})
}

// The formula against the expectation that it stands for.
func TestCallIsTheExpectation(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const n = 400_000
	f, k, vol, rate, years := 50.0, 40.0, 0.7, 0.08, 1.5
	var sum, sq float64
	for range n {
		x := math.Exp(-rate*years) * max(0, f*math.Exp(-vol*vol*years/2+vol*math.Sqrt(years)*r.NormFloat64())-k)
		sum, sq = sum+x, sq+x*x
	}
	mean := sum / n
	se := math.Sqrt((sq/n - mean*mean) / n)
	if v := debt.Call(f, k, vol, rate, years); math.Abs(v-mean) > 4*se {
		t.Errorf("formula %v, Monte Carlo %v +- %v", v, mean, se)
	}
}

func strip() debt.Strip {
	return debt.Strip{
		Hashprice: unit.HashpriceOf(45, unit.USD), Hashcost: unit.HashpriceOf(30, unit.USD), Drift: -0.25, Vol: 0.6, Rate: 0.08, Days: 1000,
	}
}

func TestStrip(t *testing.T) {
	v, err := strip().Value()
	if err != nil {
		t.Fatal(err)
	}
	if !(v.Value > v.Intrinsic && v.Value < v.Revenue && v.Intrinsic > 0) || v.InMoney != 591 { // 365 ln(1.5)/0.25 = 591.98
		t.Errorf("%+v", v)
	}
	s := strip()
	s.Vol = 0
	if still, _ := s.Value(); still.Value != still.Intrinsic || still.Intrinsic != v.Intrinsic {
		t.Errorf("without volatility %+v", still)
	}
	s = strip()
	s.Hashcost.Micro = 0
	if free, _ := s.Value(); !near(free.Value, free.Revenue, 1e-12) {
		t.Errorf("without cost %+v", free)
	}
	// A halving with nothing but subsidy halves the rest of the curve; with a
	// tenth in fees it takes 45 %.
	s = strip()
	s.Drift, s.Halvings = 0, []int{100, 200}
	if a, b, c := s.Forward(99), s.Forward(100), s.Forward(200); a != 45 || b != 22.5 || c != 11.25 {
		t.Error(a, b, c)
	}
	s.SubsidyShare = 0.9
	if b, c := s.Forward(100), s.Forward(200); !near(b, 45*0.55, 1e-12) || !near(c, 45*(0.1+0.9/4), 1e-12) {
		t.Error(b, c)
	}
	s.Hashcost.Currency = unit.EUR
	if _, err := s.Value(); !errors.Is(err, debt.ErrInvalid) {
		t.Error(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		s := debt.Strip{
			Hashprice: unit.HashpriceOf(rapid.Float64Range(0, 200).Draw(t, "hashprice"), unit.USD), Hashcost: unit.HashpriceOf(rapid.Float64Range(0, 120).Draw(t, "hashcost"), unit.USD),
			Drift: rapid.Float64Range(-1, 0.5).Draw(t, "drift"), Vol: rapid.Float64Range(0, 2).Draw(t, "vol"), Rate: rapid.Float64Range(0, 0.3).Draw(t, "rate"), Days: rapid.IntRange(0, 1500).Draw(t, "days"),
		}
		a, err := s.Value()
		if err != nil {
			t.Fatal(err)
		}
		s.Vol += rapid.Float64Range(0, 1).Draw(t, "more")
		b, _ := s.Value()
		if a.Value < a.Intrinsic-1e-9 || a.Value > a.Revenue+1e-9 || b.Value < a.Value-1e-9*(1+a.Value) {
			t.Fatalf("%+v, with more volatility %+v", a, b)
		}
	})
}

func TestMerton(t *testing.T) {
	m := debt.Merton{Assets: 120, Debt: 100, Drift: 0.05, Vol: 0.4, Horizon: 1}
	d, err := m.Distance()
	if err != nil || !near(d, (math.Log(1.2)+0.05-0.08)/0.4, 1e-12) {
		t.Errorf("distance %v, %v", d, err)
	}
	// Monte Carlo must agree: same model, same question.
	r := rand.New(rand.NewPCG(3, 4))
	const n = 200_000
	fails := 0
	for range n {
		if 120*math.Exp(0.05-0.08+0.4*r.NormFloat64()) < 100 {
			fails++
		}
	}
	p, _ := m.Default()
	if got := float64(fails) / n; math.Abs(got-p) > 4*math.Sqrt(p*(1-p)/n) {
		t.Errorf("default %v, Monte Carlo %v", p, got)
	}
	for _, v := range []struct {
		m    debt.Merton
		want float64
	}{
		{debt.Merton{Assets: 1, Debt: 0, Vol: 1, Horizon: 1}, 0},
		{debt.Merton{Assets: 2, Debt: 1, Vol: 0, Horizon: 1}, 0},
		{debt.Merton{Assets: 1, Debt: 2, Vol: 0, Horizon: 1}, 1},
	} {
		if p, err := v.m.Default(); err != nil || p != v.want {
			t.Errorf("%+v: %v, %v", v.m, p, err)
		}
	}
	if _, err := (debt.Merton{Assets: -1, Horizon: 1}).Default(); !errors.Is(err, debt.ErrInvalid) {
		t.Error(err)
	}
	// Backwards: equity of known assets gives the assets again.
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.Float64Range(50, 500).Draw(t, "assets")
		s := rapid.Float64Range(0.15, 0.9).Draw(t, "vol")
		d := rapid.Float64Range(10, 200).Draw(t, "debt")
		y := rapid.Float64Range(0.5, 3).Draw(t, "years")
		e := math.Exp(0.04*y) * debt.Call(v, d*math.Exp(-0.04*y), s, 0.04, y)
		n := 0.5 * math.Erfc(-(math.Log(v/(d*math.Exp(-0.04*y)))/(s*math.Sqrt(y))+s*math.Sqrt(y)/2)/math.Sqrt2)
		if e < 0.05*v {
			return // nearly worthless shares tell nothing about the assets
		}
		got, err := debt.MertonFromEquity(e, n*s*v/e, d, 0.04, y)
		if err != nil || !near(got.Assets, v, 1e-4) || !near(got.Vol, s, 1e-3) {
			t.Fatalf("assets %v volatility %v: %+v, %v", v, s, got, err)
		}
	})
}

func rigs() market.Rigs {
	at := func(s string) time.Time { return date(s).Time() }
	r := func(v float64) market.RigRate { return market.RigRateOf(v, unit.USD) }
	return market.Rigs{
		{At: at("2025-01-01"), Tier: market.Tier{Under: 19}, Rate: r(16), Kind: market.RigIndex, Source: "a"},
		{At: at("2025-01-01"), Tier: market.Tier{Over: 19, Under: 38}, Rate: r(6), Kind: market.RigIndex, Source: "b"},
		{At: at("2025-03-01"), Tier: market.Tier{Over: 25, Under: 38}, Rate: r(2), Kind: market.RigLiquidation, Source: "c"},
		{At: at("2025-02-01"), Tier: market.Tier{Over: 12, Under: 15}, Rate: r(20), Kind: market.RigOffer, Source: "d"},
	}
}

func groups() []debt.Group {
	p, _ := unit.ParseEnergyPrice("5c/kWh")
	return []debt.Group{
		{Name: "S21", Active: 2 * unit.EHs, Installed: 2.2 * unit.EHs, Efficiency: 17.5, Power: p},
		{Name: "S19j Pro", Active: 1 * unit.EHs, Installed: 3 * unit.EHs, Efficiency: 29.5, Power: p},
	}
}

func TestFourBases(t *testing.T) {
	at := date("2025-06-01").Time()
	index, err := debt.ByIndex(groups(), rigs(), at, 0, unit.USD)
	if err != nil || index.Total != usd(2e6*16+1e6*6) || index.Lines[0].Quote.Age != 151*24*time.Hour {
		t.Errorf("index %+v, %v", index, err)
	}
	install := market.RigRateOf(1, unit.USD)
	repl, err := debt.ByReplacement(groups(), rigs(), at, debt.Replacement{Efficiency: 13.5, Landing: 100_000, Install: install}, unit.USD)
	if err != nil || repl.Total != usd(3e6*23) {
		t.Errorf("replacement %s, %v", repl.Total, err)
	}
	liq, err := debt.ByLiquidation(groups(), rigs(), at, debt.Liquidation{Discount: 500_000, Removal: install}, unit.USD)
	if err != nil || liq.Total != usd(2e6*7+1e6*1) {
		t.Errorf("liquidation %s, %v", liq.Total, err)
	}
	option, err := debt.ByOption(groups(), at, strip())
	if err != nil || option.Lines[0].Rate.Micro <= option.Lines[1].Rate.Micro {
		t.Errorf("option %+v, %v", option, err)
	}
	// Each line's value is its rate times its hashrate, and the total their sum.
	for _, v := range []debt.Valuation{index, repl, liq, option} {
		var sum int64
		for _, l := range v.Lines {
			m, _ := l.Rate.Value(l.Hashrate)
			if m != l.Value || l.How == "" || v.Basis.Says() == string(v.Basis) {
				t.Errorf("%s: %+v", v.Basis, l)
			}
			sum += m.Minor
		}
		if sum != v.Total.Minor || v.Hashrate() != 3*unit.EHs {
			t.Errorf("%s: lines sum to %d, total %s", v.Basis, sum, v.Total)
		}
	}
	if _, err := debt.Join(index, repl); !errors.Is(err, debt.ErrMixed) {
		t.Errorf("two bases were joined: %v", err)
	}
	if two, err := debt.Join(index, index); err != nil || two.Total.Minor != 2*index.Total.Minor || two.Hashrate() != 6*unit.EHs {
		t.Errorf("%+v, %v", two, err)
	}
	// Without a price hashpower is not worth nothing: it is not priced.
	old := append(groups(), debt.Group{Name: "S9", Active: 1 * unit.EHs, Efficiency: 98})
	some, err := debt.ByIndex(old, rigs(), at, 0, unit.USD)
	if err != nil || some.Total != index.Total || some.Unpriced != 1*unit.EHs || len(some.Why) != 1 {
		t.Errorf("%+v, %v", some, err)
	}
}

func TestRatio(t *testing.T) {
	on := date("2025-06-01")
	bullet := func(id string, purpose debt.Purpose, m float64) debt.Facility {
		f := loan(id)
		f.Purpose, f.Principal, f.Repayment = purpose, usd(m), debt.Repayment{Shape: debt.Bullet, Months: 12}
		return f
	}
	conv := bullet("notes", debt.ForGeneral, 10e6)
	conv.Kind, conv.Convert = debt.Convertible, &debt.Conversion{Price: usd(20)}
	spv := bullet("spv", debt.ForMining, 5e6)
	spv.Kind, spv.Recourse, spv.Obligor = debt.NonRecourseSPV, debt.NoRecourse, "SPV 2"
	book, err := debt.NewBook([]debt.Facility{bullet("rigs", debt.ForMining, 40e6), bullet("halls", debt.ForAI, 100e6), conv, spv}, unit.USD, debt.Env{})
	if err != nil {
		t.Fatal(err)
	}
	v, _ := debt.ByIndex(groups(), rigs(), on.Time(), 0, unit.USD) // 38 m
	for _, c := range []struct {
		scope debt.Scope
		want  float64 // m
		says  string
	}{
		{debt.Scope{}, 155, "all debt"},
		{debt.Scope{Purposes: []debt.Purpose{debt.ForMining}}, 45, "debt for mining"},
		{debt.Scope{Purposes: []debt.Purpose{debt.ForMining}, Recourse: []debt.Recourse{debt.FullRecourse}}, 40, "debt for mining, full recourse"},
		{debt.Scope{Converts: true}, 145, "debt without convertibles"},
		{debt.Scope{SharePrice: usd(25)}, 145, "debt without convertibles in the money at $25.00"},
		{debt.Scope{SharePrice: usd(15)}, 155, "debt without convertibles in the money at $15.00"},
		{debt.Scope{Obligors: []string{"SPV 2"}}, 5, "debt of SPV 2"},
	} {
		r, err := debt.RatioOf(book, on, c.scope, v)
		x, ok := r.Value.Get()
		if err != nil || !ok || r.Debt != usd(c.want*1e6) || !near(x, c.want/38, 1e-12) || r.Scope != c.says || r.Basis != debt.AtIndex || r.Covered != 1 || len(r.Counted) != 4 {
			t.Errorf("%+v: %+v, %v", c, r, err)
		}
		if r.Lines[0].At != 1.5 || r.Lines[1].At != 1.8 || r.Lines[0].Over != (x > 1.5) || r.Lines[1].Claim == "" {
			t.Errorf("lines %+v at %v", r.Lines, x)
		}
	}
	// Nothing active: no ratio, not an infinite or a zero one.
	none, _ := debt.ByIndex(nil, rigs(), on.Time(), 0, unit.USD)
	if r, err := debt.RatioOf(book, on, debt.Scope{}, none); err != nil || r.Value.Ok() {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := debt.RatioOf(book, on, debt.Scope{}, debt.Valuation{Total: unit.Money{Minor: 1, Currency: unit.EUR}}); !errors.Is(err, unit.ErrCurrency) {
		t.Error(err)
	}
	if got := conv.Convert.CashAtMaturity(usd(1e6+7), usd(20)); got != usd(7) {
		t.Error(got)
	}
	if got := conv.Convert.CashAtMaturity(usd(1e6+7), usd(19.99)); got != usd(1e6+7) {
		t.Error(got)
	}
}
