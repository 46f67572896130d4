package stress_test

import (
	"errors"
	"math"
	"reflect"
	"testing"

	"ballast/debt"
	"ballast/debt/stress"
	"ballast/unit"
)

func price() stress.Price {
	return stress.Price{Kind: stress.GBM, Start: 65_000, Drift: 0.05, Vol: 0.5}
}

func network() stress.Network {
	return stress.Network{
		Hashprice: 33, FeeShare: 0.02, FeeVol: 0.6, FeeCorr: 0.2, Growth: 0.2, Response: 0.5, Lag: 21, Noise: 0.02,
		Costs: []stress.Cost{{0.25, 15}, {0.35, 22}, {0.25, 30}, {0.15, 40}}, Blocks: 700, BlockDays: 4.9,
	}
}

// firm has a full debt schedule: four facilities, monthly and quarterly.
func firm(t testing.TB, days int) stress.Firm {
	t.Helper()
	usd := func(v int64) unit.Money { return unit.Money{Minor: v * 100, Currency: unit.USD} }
	from := debt.Day(2026, 6, 15)
	base := debt.Facility{Purpose: debt.ForMining, Recourse: debt.FullRecourse, Drawn: debt.Day(2025, 9, 1), Maturity: debt.Day(2028, 9, 1), Kind: debt.ASICBacked,
		Interest: debt.Interest{Fixed: debt.Percent(12), DayCount: debt.Actual360}, Repayment: debt.Repayment{Shape: debt.Annuity, Months: 1}}
	a, b, c, d := base, base, base, base
	a.ID, a.Principal = "rigs", usd(30_000_000)
	b.ID, b.Principal, b.Kind, b.Repayment = "equipment", usd(12_000_000), debt.Equipment, debt.Repayment{Shape: debt.Linear, Months: 3}
	c.ID, c.Principal, c.Kind, c.Repayment, c.Convert = "notes", usd(40_000_000), debt.Convertible, debt.Repayment{Shape: debt.Bullet, Months: 6}, &debt.Conversion{Price: usd(20)}
	d.ID, d.Principal, d.Kind, d.Repayment = "coins", usd(10_000_000), debt.CoinBacked, debt.Repayment{Shape: debt.Bullet, Months: 3}
	d.Secured = []debt.Collateral{{Kind: debt.CoinCollateral, Coins: unit.Money{Minor: 280e8, Currency: unit.BTC}}}
	d.Margin = &debt.Margin{Initial: debt.Percent(60), Call: debt.Percent(75), Liquidate: debt.Percent(85), Cure: 2}
	d.Maturity = debt.Day(2027, 3, 1)
	book, err := debt.NewBook([]debt.Facility{a, b, c, d}, unit.USD, debt.Env{})
	if err != nil {
		t.Fatal(err)
	}
	due, owed, loans, err := stress.Flatten(book, from, days, nil)
	if err != nil || len(loans) != 1 || loans[0].Coins != 280 {
		t.Fatal(loans, err)
	}
	var sum float64
	for _, v := range due {
		sum += v
	}
	want := 0.0
	for _, s := range book.Schedules[:3] {
		want += s.Due(from, from+debt.Date(days)).Cash.Float()
	}
	if math.Abs(sum-want) > 0.01 {
		t.Fatalf("%v due in the arrays, %v in the book", sum, want)
	}
	return stress.Firm{
		Groups: []stress.Group{{PH: 4000, Hashcost: 20}, {PH: 1500, Hashcost: 31}}, Fixed: 16_000, Other: 5_000, Cash: 12e6, Coins: 300,
		Due: due, Owed: owed, Loans: loans, Sell: 0.6, Floor: 3e6, RigRate: 12_000, RigBeta: 0.8,
	}
}

func run(t testing.TB, p stress.Price, n stress.Network, f stress.Firm, c stress.Config) *stress.Result {
	t.Helper()
	r, err := stress.Run(p, n, f, c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func config(paths int) stress.Config {
	return stress.Config{Paths: paths, Days: 365, Seed: 42, Line: 1.5, Shrink: -0.05, Fall: -0.2}
}

// The same seed gives the same bits, whatever the number of workers; another
// seed does not.
func TestSameWhateverTheWorkers(t *testing.T) {
	returns := make([]float64, 400)
	for i := range returns {
		returns[i] = 0.03 * math.Sin(float64(i*i))
	}
	for _, p := range []stress.Price{
		price(),
		{Kind: stress.GARCH, Start: 65_000, Vol: 0.55, Alpha: 0.08, Beta: 0.9, JumpRate: 4, JumpMean: -0.02, JumpVol: 0.06},
		{Kind: stress.Heston, Start: 65_000, Vol: 0.55, Kappa: 3, VolOfVol: 0.8, Corr: -0.3},
		{Kind: stress.Bootstrap, Start: 65_000, Vol: 0.5, Returns: returns, Block: 20},
	} {
		f := firm(t, 365)
		c := config(300)
		c.Workers = 1
		a := run(t, p, network(), f, c)
		for _, w := range []int{2, 3, 7} {
			c.Workers = w
			if b := run(t, p, network(), f, c); !reflect.DeepEqual(a, b) {
				t.Errorf("%s: %d workers give another result than one", p.Kind, w)
			}
		}
		// A path is its seed and number: fewer paths are the first of more.
		c.Paths = 100
		if b := run(t, p, network(), f, c); !reflect.DeepEqual(a.Lowest[:100], b.Lowest) {
			t.Errorf("%s: path numbers depend on how many there are", p.Kind)
		}
		c.Seed = 43
		if b := run(t, p, network(), f, c); reflect.DeepEqual(a.Price[:100], b.Price) {
			t.Errorf("%s: another seed gives the same", p.Kind)
		}
	}
}

// The prices have the mean and the spread that they were asked for.
func TestPriceModels(t *testing.T) {
	const n = 8_000
	for _, p := range []stress.Price{
		{Kind: stress.GBM, Start: 100, Drift: 0.2, Vol: 0.6},
		{Kind: stress.GARCH, Start: 100, Drift: 0.2, Vol: 0.6, Alpha: 0.05, Beta: 0.9},
		{Kind: stress.GARCH, Start: 100, Drift: 0.2, Vol: 0.5, Alpha: 0.05, Beta: 0.9, JumpRate: 6, JumpMean: -0.03, JumpVol: 0.08},
		{Kind: stress.Heston, Start: 100, Drift: 0.2, Vol: 0.6, Kappa: 4, VolOfVol: 0.5, Corr: -0.4},
	} {
		c := config(n)
		r := run(t, p, stress.Network{Hashprice: 50}, stress.Firm{Cash: 1}, c)
		var mean, sq, log, logsq float64
		for _, v := range r.Price {
			mean += v / n
			sq += v * v / n
			log += math.Log(v/100) / n
			logsq += math.Log(v/100) * math.Log(v/100) / n
		}
		se := math.Sqrt((sq - mean*mean) / n)
		if want := 100 * math.Exp(0.2); math.Abs(mean-want) > 4*se {
			t.Errorf("%s: mean %v, want %v +- %v", p.Kind, mean, want, se)
		}
		variance := p.Vol*p.Vol + p.JumpRate*(p.JumpMean*p.JumpMean+p.JumpVol*p.JumpVol)
		if p.Kind == stress.Heston {
			// The variance's own moves add to it: its leverage with the price, and
			// the spread of -v/2 (both over one year).
			k, xi, th := p.Kappa, p.VolOfVol, p.Vol*p.Vol
			variance += -p.Corr*xi*th/k*(1-(1-math.Exp(-k))/k) + xi*xi*th/(4*k*k)*(1-2*(1-math.Exp(-k))/k+(1-math.Exp(-2*k))/(2*k))
		}
		if got := logsq - log*log; math.Abs(got/variance-1) > 0.07 {
			t.Errorf("%s: variance %v, want %v", p.Kind, got, variance)
		}
	}
}

// Merton and Monte Carlo agree where theory says they must: a firm that owns
// coins and owes one payment at the horizon defaults when they do not cover it.
func TestAgreesWithMerton(t *testing.T) {
	const n = 15_000
	due := make([]float64, 365)
	due[364] = 80e6
	f := stress.Firm{Coins: 1500, Due: due}
	p := stress.Price{Kind: stress.GBM, Start: 65_000, Drift: 0.1, Vol: 0.6}
	c := config(n)
	r := run(t, p, stress.Network{Hashprice: 40}, f, c)
	want, err := debt.Merton{Assets: 1500 * 65_000, Debt: 80e6, Drift: 0.1, Vol: 0.6, Horizon: 1}.Default()
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Sum.Default; math.Abs(got.P-want) > 4*got.Error {
		t.Errorf("Monte Carlo %v +- %v, Merton %v", got.P, got.Error, want)
	}
	for _, d := range r.Default {
		if d != -1 && d != 364 {
			t.Fatalf("default on day %d with nothing due", d)
		}
	}
	// And the mean of the strip of calls is what the calls are worth: a
	// machine with no fixed cost, difficulty that stands still.
	f = stress.Firm{Groups: []stress.Group{{PH: 1, Hashcost: 35}}, Sell: 1}
	p = stress.Price{Kind: stress.GBM, Start: 65_000, Vol: 0.6}
	r = run(t, p, still(), f, c)
	var mean, sq float64
	for _, v := range r.Cash {
		mean += v / n
		sq += v * v / n
	}
	s := debt.Strip{Hashprice: unit.HashpriceOf(40, unit.USD), Hashcost: unit.HashpriceOf(35, unit.USD), Vol: 0.6, Days: 365}
	v, err := s.Value()
	if err != nil {
		t.Fatal(err)
	}
	if se := math.Sqrt((sq - mean*mean) / n); math.Abs(mean-v.Value) > 4*se {
		t.Errorf("a year of mining brings %v +- %v, the strip is worth %v", mean, se, v.Value)
	}
}

// still is a network whose difficulty does not move: blocks come exactly so
// fast that 2015 intervals take two weeks.
func still() stress.Network { return stress.Network{Hashprice: 40, Pace: 2015.0 / 2016} }

func TestNetwork(t *testing.T) {
	flat := stress.Price{Kind: stress.GBM, Start: 65_000}
	// Hashrate that grows by g a year and nothing else: difficulty follows, a
	// little behind, with the creep of 2016/2015.
	n := stress.Network{Hashprice: 40, Growth: math.Ln2}
	c := config(1)
	c.Days = 1400
	r := run(t, flat, n, stress.Firm{}, c)
	years := 1400.0 / 365
	if lag := math.Log(r.Hashprice[0]/40) + years*math.Ln2; lag < 0 || lag > 0.06 {
		t.Errorf("hashprice %v after %v years of doubling", r.Hashprice[0], years)
	}
	// A halving halves what is subsidy.
	n = still()
	n.FeeShare, n.Halving = 0.1, 50
	if r = run(t, flat, n, stress.Firm{}, config(1)); math.Abs(r.Hashprice[0]/40-0.55) > 1e-3 {
		t.Errorf("after a halving with a tenth in fees: %v of 40", r.Hashprice[0])
	}
	// Free entry damps: with an answer to hashprice the spread of hashprice
	// after a year is smaller than the price's.
	n = stress.Network{Hashprice: 40}
	free := run(t, price(), n, stress.Firm{}, config(1000))
	n.Response = 2
	damped := run(t, price(), n, stress.Firm{}, config(1000))
	width := func(r *stress.Result) float64 { return math.Log(r.Sum.Hashprice[5].Value / r.Sum.Hashprice[1].Value) }
	if width(damped) > 0.8*width(free) {
		t.Errorf("5 to 95 %% spans %v with free entry, %v without", width(damped), width(free))
	}
	// Costs: a falling price switches machines off, difficulty falls, and
	// hashprice recovers part of it; the longer the lag, the later.
	down := stress.Price{Kind: stress.GBM, Start: 65_000, Drift: -1.2}
	plain := run(t, down, stress.Network{Hashprice: 40}, stress.Firm{}, config(1))
	costs := stress.Network{Hashprice: 40, Costs: []stress.Cost{{0.4, 15}, {0.3, 25}, {0.3, 33}}, Lag: 10}
	quick := run(t, down, costs, stress.Firm{}, config(1))
	costs.Lag = 120
	slow := run(t, down, costs, stress.Firm{}, config(1))
	if !(quick.Hashprice[0] > slow.Hashprice[0] && slow.Hashprice[0] > plain.Hashprice[0] && quick.Retarget[0] < -0.02 && plain.Retarget[0] > -0.001) {
		t.Errorf("hashprice %v with a short lag, %v with a long one, %v without costs; worst retargets %v %v", quick.Hashprice[0], slow.Hashprice[0], plain.Hashprice[0], quick.Retarget[0], plain.Retarget[0])
	}
}

func TestFirm(t *testing.T) {
	c := config(1000)
	base := run(t, price(), network(), firm(t, 365), c)
	if p := base.Sum.Default.P; p <= 0.01 || p >= 0.99 {
		t.Fatalf("the scenario tells nothing: default %v", p)
	}
	default_ := func(change func(*stress.Firm)) float64 {
		f := firm(t, 365)
		change(&f)
		return run(t, price(), network(), f, c).Sum.Default.P
	}
	// The paths are the same, so these orders are exact, not a matter of luck.
	for name, v := range map[string]func(*stress.Firm){
		"more cash":     func(f *stress.Firm) { f.Cash *= 2 },
		"more coins":    func(f *stress.Firm) { f.Coins *= 3 },
		"cheaper power": func(f *stress.Firm) { f.Groups[0].Hashcost -= 4 },
		"less debt": func(f *stress.Firm) {
			for d := range f.Due {
				f.Due[d] /= 2
			}
		},
	} {
		if p := default_(v); p >= base.Sum.Default.P {
			t.Errorf("%s: default %v, before %v", name, p, base.Sum.Default.P)
		}
	}
	// All hashrate sold forward above cost leaves nothing to chance but coins.
	f := firm(t, 365)
	f.Loans, f.Coins, f.Sell, f.Forward, f.Fixing = nil, 0, 1, 1, 33
	for i := range f.Groups {
		f.Groups[i].Hashcost = 0 // never switched off
	}
	hedged := run(t, price(), network(), f, c)
	lo, hi := hedged.Sum.Lowest[0].Value, hedged.Sum.Lowest[6].Value
	if math.Abs(hi-lo) > 1e-6*math.Abs(hi) {
		t.Errorf("fully hedged, lowest liquidity from %v to %v", lo, hi)
	}
	// Lenders sell only what is there, and calls come with falling prices.
	down := price()
	down.Drift = -1
	r := run(t, down, network(), firm(t, 365), c)
	if r.Sum.Called.P <= base.Sum.Called.P {
		t.Errorf("calls on %v of paths in a falling market, %v before", r.Sum.Called.P, base.Sum.Called.P)
	}
	for i := range r.Sold {
		if r.Sold[i] < 0 || r.Sold[i] > 280+300+5000 || r.Coins[i] < -1e-9 || math.IsNaN(r.Ratio[i]) {
			t.Fatalf("path %d: %v sold, %v left, ratio %v", i, r.Sold[i], r.Coins[i], r.Ratio[i])
		}
	}
}

func TestQuantiles(t *testing.T) {
	v := make([]float64, 10_001)
	for i := range v {
		v[(i*7919)%len(v)] = float64(i) / 10_000
	}
	for _, q := range stress.Quantiles(v, 0, 0.05, 0.5, 1) {
		// Of a uniform variable: sqrt(p(1-p)/n).
		if want := math.Sqrt(q.At * (1 - q.At) / 10_001); q.Value != q.At || math.Abs(q.Error-want) > 1.5e-4 {
			t.Errorf("%+v, want an error of %v", q, want)
		}
	}
}

func TestRefuses(t *testing.T) {
	for name, change := range map[string]func(*stress.Price, *stress.Network, *stress.Firm, *stress.Config){
		"no paths": func(_ *stress.Price, _ *stress.Network, _ *stress.Firm, c *stress.Config) { c.Paths = 0 },
		"no model": func(p *stress.Price, _ *stress.Network, _ *stress.Firm, _ *stress.Config) { p.Kind = "" },
		"no price": func(p *stress.Price, _ *stress.Network, _ *stress.Firm, _ *stress.Config) { p.Start = 0 },
		"NaN":      func(_ *stress.Price, _ *stress.Network, f *stress.Firm, _ *stress.Config) { f.Cash = math.NaN() },
		"explosive": func(p *stress.Price, _ *stress.Network, _ *stress.Firm, _ *stress.Config) {
			p.Kind, p.Alpha, p.Beta = stress.GARCH, 0.5, 0.5
		},
		"no past": func(p *stress.Price, _ *stress.Network, _ *stress.Firm, _ *stress.Config) {
			p.Kind, p.Block = stress.Bootstrap, 5
		},
		"all in fees":    func(_ *stress.Price, n *stress.Network, _ *stress.Firm, _ *stress.Config) { n.FeeShare = 1 },
		"a full epoch":   func(_ *stress.Price, n *stress.Network, _ *stress.Firm, _ *stress.Config) { n.Blocks = 2016 },
		"sells too much": func(_ *stress.Price, _ *stress.Network, f *stress.Firm, _ *stress.Config) { f.Sell = 1.1 },
		"call after sale": func(_ *stress.Price, _ *stress.Network, f *stress.Firm, _ *stress.Config) {
			f.Loans = []stress.CoinLoan{{Initial: 0.6, Call: 0.9, Liquidate: 0.8}}
		},
	} {
		p, n, f, c := price(), network(), stress.Firm{}, config(1)
		change(&p, &n, &f, &c)
		if _, err := stress.Run(p, n, f, c); !errors.Is(err, stress.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func BenchmarkRun(b *testing.B) {
	f := firm(b, 365)
	c := config(10_000)
	b.ReportAllocs()
	for b.Loop() {
		run(b, price(), network(), f, c)
	}
}
