package debt_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"ballast/debt"
	"ballast/market"
	"ballast/unit"
)

func btc(v float64) unit.Money {
	return unit.Money{Minor: int64(math.Round(v * 1e8)), Currency: unit.BTC}
}

// Bitfarms and Galaxy, 2021: 100 m at a collateral ratio of 143 %.
func TestMargin(t *testing.T) {
	m := debt.Margin{Initial: debt.Percent(70), Call: debt.Percent(75), Liquidate: debt.Percent(85), Cure: 3}
	s, err := m.Margined(usd(100e6), btc(2381).Minor, usd(60_000))
	if err != nil || s.Called || math.Abs(s.LTV-0.69999) > 1e-4 || s.Pay.Minor != 0 || s.Sold.Minor != 0 {
		t.Errorf("%+v, %v", s, err)
	}
	if s.CallPrice.Float() < 55_998 || s.CallPrice.Float() > 56_002 { // 100e6/(2381 x 0.75)
		t.Errorf("call at %s", s.CallPrice)
	}
	rapid.Check(t, func(t *rapid.T) {
		owed := unit.Money{Minor: rapid.Int64Range(1, 1e13).Draw(t, "owed"), Currency: unit.USD}
		coins := rapid.Int64Range(1e6, 1e13).Draw(t, "coins")
		price := unit.Money{Minor: rapid.Int64Range(100_000, 30_000_000).Draw(t, "price"), Currency: unit.USD}
		s, err := m.Margined(owed, coins, price)
		if err != nil {
			t.Fatal(err)
		}
		value := float64(coins) / 1e8 * price.Float()
		ltv := owed.Float() / value
		if math.Abs(ltv-0.75) > 1e-9 && s.Called != (ltv >= 0.75) || math.Abs(ltv-0.85) > 1e-9 && s.Liquidate != (ltv >= 0.85) {
			t.Fatalf("at %v: %+v", ltv, s)
		}
		if !s.Called {
			return
		}
		// Either cure restores the initial loan to value, and a cent or a
		// satoshi less does not.
		after := func(pay, post int64) float64 {
			return float64(owed.Minor-pay) / 100 / (float64(coins+post) / 1e8 * price.Float())
		}
		const eps = 1e-9
		if after(s.Pay.Minor, 0) > 0.7*(1+eps) || after(0, s.Post.Minor) > 0.7*(1+eps) {
			t.Fatalf("cured to %v and %v", after(s.Pay.Minor, 0), after(0, s.Post.Minor))
		}
		if s.Liquidate {
			left := owed.Float() - float64(s.Sold.Minor)/1e8*price.Float()
			rest := float64(coins-s.Sold.Minor) / 1e8 * price.Float()
			switch {
			case s.Sold.Minor > coins:
				t.Fatal("more sold than there is")
			case s.Sold.Minor == coins:
				if math.Abs(s.Residual.Float()-max(0, left)) > 0.02+1e-9*owed.Float() {
					t.Fatalf("residual %s, want %v", s.Residual, left)
				}
			case left > 0.7*rest*(1+1e-6)+0.02:
				t.Fatalf("after the sale %v is owed on %v", left, rest)
			}
		}
	})
	// The price at which a call comes is where it comes.
	s, _ = m.Margined(usd(100e6), btc(2000).Minor, usd(100_000))
	at, _ := m.Margined(usd(100e6), btc(2000).Minor, unit.Money{Minor: s.CallPrice.Minor - 1, Currency: unit.USD})
	over, _ := m.Margined(usd(100e6), btc(2000).Minor, unit.Money{Minor: s.CallPrice.Minor + 1, Currency: unit.USD})
	if !at.Called || over.Called {
		t.Errorf("a cent under %s: %v, a cent over: %v", s.CallPrice, at.Called, over.Called)
	}
}

func TestContagion(t *testing.T) {
	parent, notes, other, spv, guaranteed := loan("rigs"), loan("notes"), loan("other"), loan("spv"), loan("sub")
	notes.Cross = debt.CrossDefault{Any: true, Threshold: usd(100_000)}
	other.Cross = debt.CrossDefault{Of: []string{"notes"}}
	spv.Kind, spv.Recourse, spv.Obligor, spv.Cross = debt.NonRecourseSPV, debt.NoRecourse, "SPV", debt.CrossDefault{Any: true}
	guaranteed.Obligor, guaranteed.Guarantor = "Sub", "Parent"
	for _, f := range []*debt.Facility{&parent, &notes, &other} {
		f.Obligor = "Parent"
	}
	book, err := debt.NewBook([]debt.Facility{parent, notes, other, spv, guaranteed}, unit.USD, debt.Env{})
	if err != nil {
		t.Fatal(err)
	}
	on := date("2025-06-01")
	ids := func(ds []debt.Default) (s string) {
		for _, d := range ds {
			s += d.Facility + "<" + d.Because + " "
		}
		return s
	}
	for first, want := range map[string]string{
		"rigs":  "rigs< notes<rigs other<notes ",
		"spv":   "spv< ", // ring-fenced
		"other": "other< notes<other ",
		"sub":   "sub< notes<sub other<notes ", // the parent guarantees it
		"none":  "",
	} {
		if got := ids(book.Contagion(on, first)); got != want {
			t.Errorf("from %s: %s, want %s", first, got, want)
		}
	}
	// Under its threshold a default reaches nobody; what is paid back cannot default.
	if got := ids(book.Contagion(date("2026-12-20"), "rigs")); got != "rigs< " {
		t.Error(got)
	}
	if got := book.Contagion(date("2028-01-01"), "rigs"); len(got) != 0 {
		t.Error(got)
	}
	wall := book.Wall(date("2025-01-15"), 3, 8)
	var sum int64
	for _, w := range wall {
		sum += w.Service.Cash.Minor
		var by int64
		for _, m := range w.By {
			by += m.Minor
		}
		if by != w.Service.Cash.Minor {
			t.Errorf("%+v", w)
		}
	}
	if want := book.Due(date("2025-01-15"), date("2027-01-15")).Cash.Minor; sum != want {
		t.Errorf("the wall holds %d, %d falls due", sum, want)
	}
}

func position(t testing.TB) debt.Position {
	t.Helper()
	f := loan("rigs")
	f.Principal = usd(20e6)
	f.Secured = []debt.Collateral{{Kind: debt.RigCollateral, Hashrate: 2 * unit.EHs, Efficiency: 17.5}}
	c := loan("coins")
	c.Kind, c.Principal, c.Repayment = debt.CoinBacked, usd(10e6), debt.Repayment{Shape: debt.Bullet, Months: 6}
	c.Secured = []debt.Collateral{{Kind: debt.CoinCollateral, Coins: btc(200)}}
	book, err := debt.NewBook([]debt.Facility{f, c}, unit.USD, debt.Env{})
	if err != nil {
		t.Fatal(err)
	}
	return debt.Position{
		On: date("2025-06-01"), Book: book, Groups: groups(), Hashprice: unit.HashpriceOf(50, unit.USD), Price: usd(100_000),
		Cash: usd(8e6), Coins: btc(50), Fixed: usd(6e6), Other: usd(1e6), RigBasis: debt.AtIndex, RigBeta: 1,
		RigRate: func(e unit.Efficiency) (market.RigRate, bool) {
			q, err := rigs().Quote(e, date("2025-06-01").Time(), 0, market.RigIndex)
			return q.Rate, err == nil
		},
	}
}

func TestIncome(t *testing.T) {
	p := position(t)
	in, err := p.Income()
	// 3,000 PH at 50 a day; power 2,000 x 21 + 1,000 x 35.4.
	if err != nil || in.Revenue != usd(3000*50*365) || in.Power != usd((2000*21+1000*35.4)*365) || in.CFADS.Minor != in.Revenue.Minor-in.Power.Minor-usd(5e6).Minor || in.Idle != 0 {
		t.Errorf("%+v, %v", in, err)
	}
	// Under its hashcost a group stands still and costs nothing.
	in, _ = p.AtHashprice(0.6).Income()
	if in.Revenue != usd(2000*30*365) || in.Power != usd(2000*21*365) || in.Idle != 1*unit.EHs {
		t.Errorf("%+v", in)
	}
}

func TestCovenants(t *testing.T) {
	p := position(t)
	for _, c := range []struct {
		covenant    debt.Covenant
		breached    bool
		price, hash bool // has a price at breach
	}{
		{debt.Covenant{ID: "dscr", Metric: debt.DSCR, Limit: 1.1}, false, true, true},
		{debt.Covenant{ID: "dscr hard", Metric: debt.DSCR, Limit: 3}, true, true, true},
		{debt.Covenant{ID: "icr", Metric: debt.ICR, Limit: 2}, false, true, true},
		{debt.Covenant{ID: "coins", Metric: debt.CoinLTV, Limit: 0.7}, false, true, false},
		{debt.Covenant{ID: "coins, facility", Metric: debt.CoinLTV, Limit: 0.4, Facility: "coins"}, true, true, false},
		{debt.Covenant{ID: "machines", Metric: debt.RigLTV, Limit: 0.8}, false, true, true},
		{debt.Covenant{ID: "liquidity", Metric: debt.Liquidity, Limit: 10e6}, false, true, false},
		{debt.Covenant{ID: "liquidity, cash alone", Metric: debt.Liquidity, Limit: 5e6}, false, false, false},
		{debt.Covenant{ID: "runway", Metric: debt.Runway, Limit: 6}, false, true, false}, // liquidity alone lasts longer
		{debt.Covenant{ID: "leverage", Metric: debt.Leverage, Limit: 2}, false, true, true},
		{debt.Covenant{ID: "ratio", Metric: debt.HashrateDebt, Limit: 1.5}, false, true, true},
	} {
		h, ok := p.Headroom(c.covenant, &debt.Path{Days: 600, Hashprice: -0.5})
		if !ok {
			t.Errorf("%s: no reading", c.covenant.ID)
			continue
		}
		if h.Breached != c.breached || h.Price.Ok() != c.price || h.Hashprice.Ok() != c.hash || (h.Money < 0) != c.breached {
			t.Errorf("%s: %+v", c.covenant.Rule(), h)
			continue
		}
		// At the price of the breach it turns: just over holds, just under does not.
		low := c.covenant.Metric == debt.DSCR || c.covenant.Metric == debt.ICR || c.covenant.Metric == debt.Liquidity || c.covenant.Metric == debt.Runway
		holds := func(q debt.Position) bool {
			r, _ := q.Read(c.covenant.Metric, c.covenant.Facility)
			if low {
				return r.Value >= c.covenant.Limit
			}
			return r.Value <= c.covenant.Limit
		}
		if v, ok := h.Price.Get(); ok {
			k := v.Float() / p.Price.Float()
			if !holds(p.At(k*1.0001)) || holds(p.At(k*0.9999)) {
				t.Errorf("%s does not turn at %s", c.covenant.Rule(), v)
			}
		}
		if v, ok := h.Hashprice.Get(); ok {
			k := v.PerPHDay() / p.Hashprice.PerPHDay()
			if !holds(p.AtHashprice(k*1.0001)) || holds(p.AtHashprice(k*0.9999)) {
				t.Errorf("%s does not turn at %s", c.covenant.Rule(), v)
			}
		}
		if d, ok := h.Days.Get(); c.breached && (!ok || d != 0) {
			t.Errorf("%s is breached, in %v days", c.covenant.Rule(), h.Days)
		}
	}
	// Sooner on a steeper path.
	c := debt.Covenant{ID: "dscr", Metric: debt.DSCR, Limit: 1.1}
	slow, _ := p.Headroom(c, &debt.Path{Days: 700, Hashprice: -0.3})
	fast, _ := p.Headroom(c, &debt.Path{Days: 700, Hashprice: -1.5})
	a, ok1 := slow.Days.Get()
	b, ok2 := fast.Days.Get()
	if !ok1 || !ok2 || b >= a || b == 0 {
		t.Errorf("%v days on the slow path, %v on the fast one", slow.Days, fast.Days)
	}
	// What cannot be had is not told.
	p.RigRate = nil
	if h, ok := p.Headroom(debt.Covenant{ID: "x", Metric: debt.RigLTV, Limit: 1}, nil); ok {
		t.Errorf("%+v", h)
	}
}

// Every metric gets no better as the price falls: what headroom's bisection
// rests on.
func TestMetricsAreMonotone(t *testing.T) {
	p := position(t)
	better := map[debt.Metric]float64{debt.DSCR: 1, debt.ICR: 1, debt.Liquidity: 1, debt.Runway: 1, debt.CoinLTV: -1, debt.RigLTV: -1, debt.Leverage: -1, debt.HashrateDebt: -1}
	rapid.Check(t, func(t *rapid.T) {
		a := rapid.Float64Range(0.01, 20).Draw(t, "low")
		b := a * (1 + rapid.Float64Range(0, 3).Draw(t, "more"))
		for m, sign := range better {
			for name, at := range map[string]func(debt.Position, float64) debt.Position{"price": debt.Position.At, "hashprice": debt.Position.AtHashprice} {
				lo, ok := at(p, a).Read(m, "")
				hi, ok2 := at(p, b).Read(m, "")
				if ok != ok2 || ok && sign*lo.Value > sign*hi.Value*(1+sign*1e-9)+1e-6 {
					t.Fatalf("%s by %s: %v at %v, %v at %v", m, name, lo.Value, a, hi.Value, b)
				}
			}
		}
	})
}

func TestClaims(t *testing.T) {
	// Without data nothing is checked, and nothing is made up.
	for _, r := range debt.Claims(debt.ClaimInputs{}) {
		if r.Note == "" || r.Verdict == "" {
			t.Errorf("%+v", r)
		}
		if r.Verdict == debt.Unchecked && r.Formula != "" {
			t.Errorf("reckoned from nothing: %+v", r)
		}
	}
	in := debt.ClaimInputs{NetworkThen: unit.Some(825.0), NetworkEH: unit.Some(900.0), PublicEH: unit.Some(326.0), SectorDebt: unit.Some(12.7), IndexPerTH: unit.Some(12.0), IndexLow: unit.Some(15.71), IndexHigh: unit.Some(119.25), Hashprice: unit.Some(35.0), RatioAUC: unit.Some(0.714), RatioCases: 13}
	rows := debt.Claims(in)
	if r := rows[0]; r.Verdict != debt.Coherent || !near(r.Result, 16.835, 1e-3) {
		t.Errorf("%+v", r)
	}
	if r := rows[8]; !near(r.Result, 3.246, 1e-3) || r.Verdict != debt.Coherent {
		t.Errorf("%+v", r)
	}
	if r := rows[11]; !near(r.Result, 35/(24*0.12), 1e-9) {
		t.Errorf("%+v", r)
	}
}

func TestRates(t *testing.T) {
	for s, want := range map[string]debt.Rate{"12.5%": 125_000, "0.125": 125_000, "7.75%": 77_500, "0%": 0, "-1%": -10_000, "0.0001%": 1} {
		r, err := debt.ParseRate(s)
		if err != nil || r != want {
			t.Errorf("%s: %d, %v", s, r, err)
		}
		if back, err := debt.ParseRate(r.String()); err != nil || back != r {
			t.Errorf("%s prints %s", s, r)
		}
	}
	for _, s := range []string{"", "%", "12,5%", "1e3%", "0.00001%", "1/3", "99999999999999999999999%"} {
		if r, err := debt.ParseRate(s); err == nil {
			t.Errorf("%q is %d", s, r)
		}
	}
	if debt.Percent(11.5) != 115_000 || debt.Percent(0.1) != 1000 {
		t.Error(debt.Percent(11.5), debt.Percent(0.1))
	}
}
