package stress_test

import (
	"reflect"
	"testing"

	"ballast/debt/stress"
)

// quiet is a market in which nothing moves: what comes out is arithmetic.
func quiet() (stress.Price, stress.Network) {
	return stress.Price{Kind: stress.GBM, Start: 50_000}, stress.Network{Hashprice: 40, Blocks: 0}
}

func one(t *testing.T, f stress.Firm, days int) *stress.Result {
	t.Helper()
	p, n := quiet()
	return run(t, p, n, f, stress.Config{Paths: 1, Days: days, Seed: 1, Workers: 1, Line: 1.5, Shrink: -0.05, Fall: -0.2})
}

// plain earns $40 a PH/s and day on 100 PH/s, pays 10 for power and 1,000 fixed,
// with difficulty that does not move within the first days.
func plain() stress.Firm {
	return stress.Firm{Groups: []stress.Group{{PH: 100, Hashcost: 10}}, Fixed: 1000, RigRate: 10_000}
}

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if d := got - want; d > 1e-6*max(1, want) || d < -1e-6*max(1, want) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestCoverCostsAndHoldTheRest(t *testing.T) {
	f := plain()
	f.Cash, f.Cover = 5000, 1
	r := one(t, f, 10)
	// Ten days of 4,000 earned and 2,000 paid: cash stays, coins are what is left.
	near(t, "cash", r.Cash[0], 5000)
	near(t, "coins", r.Coins[0], 10*2000.0/50_000)
	f.Cover = 0
	near(t, "cash without selling", one(t, f, 2).Cash[0], 1000)
}

func TestBorrowBeforeSelling(t *testing.T) {
	f := plain()
	f.Cash, f.Coins, f.Floor, f.Fixed = 3000, 1, 3000, 1000
	f.Borrow = &stress.CreditLine{Most: 8000, Initial: 0.5, Call: 0.7, Liquidate: 0.9, Cure: 2}
	r := one(t, f, 3)
	// 2,000 a day are drawn and 0.08 coins a day mined; none is sold.
	near(t, "owed", r.Owed[0], 6000)
	near(t, "cash", r.Cash[0], 3000)
	near(t, "free coins", r.Coins[0], 1+3*0.08-6000/(0.5*50_000))
	// At the line's end coins are sold again.
	r = one(t, f, 6)
	near(t, "owed at the end of the line", r.Owed[0], 8000)
	near(t, "coins once it is drawn", r.Coins[0], 1+6*0.08-8000/(0.5*50_000)-4000.0/50_000)
	if len(f.Loans) != 0 {
		t.Error("the caller's loans were changed")
	}
}

func TestPowerForward(t *testing.T) {
	f := plain()
	f.Sell, f.Cash = 1, 100_000
	base := one(t, f, 5).Cash[0]
	f.PowerForward, f.PowerFixing = 1, 1.1
	// Power is fixed ten per cent over a price that does not move: 100 a day lost.
	near(t, "cash", one(t, f, 5).Cash[0], base-5*100)
}

func TestMachinesThatComeToMarket(t *testing.T) {
	p, n := quiet()
	p.Drift = -3 // the price falls every day
	n.Costs = []stress.Cost{{Share: 0.5, Hashcost: 20}, {Share: 0.5, Hashcost: 35}}
	f := plain()
	f.Owed, f.RigBeta = []float64{1e6}, 0.5
	f.Cash = 1e9
	c := stress.Config{Paths: 1, Days: 120, Seed: 1, Workers: 1, Line: 1.5, Shrink: -0.05, Fall: -0.2}
	f.Owed = make([]float64, 120)
	for i := range f.Owed {
		f.Owed[i] = 1e6
	}
	without := run(t, p, n, f, c).Ratio[0]
	f.RigImpact = 1
	with := run(t, p, n, f, c).Ratio[0]
	if !(with > 1.1*without) {
		t.Errorf("ratio %v with machines coming to market, %v without", with, without)
	}
	// Who resells them to cheaper power keeps difficulty up.
	n.Resold, n.ResoldDays = 0.9, 20
	sold := run(t, p, n, f, c)
	n.Resold = 0
	if kept := run(t, p, n, f, c); !(sold.Drawdown[0] > kept.Drawdown[0]) {
		t.Errorf("difficulty falls %v with machines resold, %v without", sold.Drawdown[0], kept.Drawdown[0])
	}
	// What is paid already keeps machines on longer.
	n.Sunk = 0.4
	if s := run(t, p, n, f, c); !(s.Drawdown[0] > run(t, p, func() stress.Network { x := n; x.Sunk = 0; return x }(), f, c).Drawdown[0]) {
		t.Errorf("sunk cost makes no difference: %v", s.Drawdown[0])
	}
}

func TestMarksAndDistress(t *testing.T) {
	f := plain()
	f.Cash, f.Fixed, f.Sell, f.Thin = 10_000, 4000, 1, 6500
	f.Owed = []float64{1e6, 1e6, 1e6, 1e6, 1e6, 1e6, 1e6, 1e6, 1e6, 1e6, 1e6, 1e6, 1e6, 1e6, 1e6}
	f.Haircut = 0.5
	p, n := quiet()
	c := stress.Config{Paths: 3, Days: 15, Seed: 1, Workers: 1, Line: 2, Shrink: -0.05, Fall: -0.2, Marks: []int{1, 4, 15}}
	r := run(t, p, n, f, c)
	// 1,000 a day are lost: 6,000 is left after four days, nothing after ten.
	if r.Distress[0] != 3 || r.Default[0] != 10 {
		t.Errorf("distress on day %d, default on day %d", r.Distress[0], r.Default[0])
	}
	near(t, "lenders get back", r.Back[0], 0.5)
	fan := r.Sum.Fan
	if len(fan) != 3 || fan[1].Default.P != 0 || fan[2].Default.P != 1 || !reflect.DeepEqual(fan[2].UnderLine, r.Sum.UnderLine) {
		t.Errorf("fan %+v", fan)
	}
	near(t, "liquidity after four days", fan[1].Liquid[2].Value, 6000)
	near(t, "ratio", fan[0].Ratio[2].Value, 1)
	for _, bad := range [][]int{{0}, {5, 3}, {16}} {
		c.Marks = bad
		if _, err := stress.Run(p, n, f, c); err == nil {
			t.Errorf("marks %v were taken", bad)
		}
	}
}
