package desk_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"ballast/debt"
	"ballast/debt/desk"
	"ballast/unit"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// company is the example company as a book.
func company(t interface {
	Helper()
	Fatalf(string, ...any)
}) desk.Book {
	t.Helper()
	terms, files := desk.Example(now, 100_000, 2_000_000)
	b := desk.Book{Rev: 1, Terms: terms, TermsFrom: desk.Source{How: desk.Entered, What: "entered by test", At: now}}
	for _, k := range desk.Kinds {
		d, bad := desk.Read(k, files[k])
		if len(bad) == 0 {
			d, _, bad = desk.Compare(b, d)
		}
		if len(bad) > 0 {
			t.Fatalf("%s: %+v", k, bad)
		}
		b = b.With(d, desk.Source{How: desk.Entered, What: "test", At: now})
	}
	return b
}

func fleet(ths float64) desk.Fleet {
	price := desk.Of(unit.EnergyPrice{Micro: 42_000_000, Currency: unit.USD}, desk.Source{How: desk.Entered, What: "test", At: now})
	return desk.Fleet{At: now, Groups: []desk.Group{
		{Site: "a", Model: "S21", Machines: 300, Hashing: 290, Active: unit.Hashrate(ths * 0.6), Installed: unit.Hashrate(ths * 0.7), Efficiency: 17.5, Age: 200 * 24 * time.Hour, Power: price},
		{Site: "a", Model: "S19 XP", Machines: 280, Hashing: 280, Active: unit.Hashrate(ths * 0.4), Installed: unit.Hashrate(ths * 0.4), Efficiency: 21.5, Age: 900 * 24 * time.Hour, Power: price},
	}}
}

func open(t testing.TB) *desk.Desk {
	b := company(t)
	return desk.Open(desk.In{Now: now, Book: b, Fleet: fleet(100_000), Scope: debt.Scope{Purposes: []debt.Purpose{debt.ForMining, debt.ForGeneral}}})
}

func figureOf(t testing.TB, d *desk.Desk, key string) desk.Figure {
	t.Helper()
	for _, f := range d.Figures() {
		if f.Key == key {
			return f
		}
	}
	t.Fatalf("no figure %s", key)
	return desk.Figure{}
}

func value(t testing.TB, d *desk.Desk, key string) float64 {
	t.Helper()
	f := figureOf(t, d, key)
	v, ok := f.Value.Get()
	if !ok {
		t.Fatalf("%s has no value: %s (%s)", key, f.Text, f.Missing)
	}
	return v
}

func near(a, b, rel float64) bool { return math.Abs(a-b) <= rel*math.Max(math.Abs(a), math.Abs(b)) }

func TestExampleCompany(t *testing.T) {
	d := open(t)
	if len(d.Remarks) > 0 || len(d.LeftOut) > 0 {
		t.Errorf("remarks %q, left out %+v", d.Remarks, d.LeftOut)
	}
	for _, f := range d.Figures() {
		if f.Missing != "" || f.Text == "–" || f.Formula == "" || len(f.Inputs) == 0 {
			t.Errorf("%+v", f)
		}
		for _, i := range f.Inputs {
			if i.Source.What == "" || i.Source.How == "" {
				t.Errorf("%s: %s is from nowhere", f.Key, i.Name)
			}
		}
		t.Logf("%-24s %12s %-10s %s", f.Key, f.Text, f.Unit, f.With)
	}
	// Hashprice by hand: 86400e15/(D 2^32) (3.125/0.988) P.
	want := 86400e15 / (128.4e12 * math.Exp2(32)) * 3.125 / 0.988 * 98400
	if got := value(t, d, "hashprice"); !near(got, want, 1e-6) {
		t.Errorf("hashprice %v, want %v", got, want)
	}
	if got := value(t, d, "hashrate"); got != 100_000 {
		t.Errorf("active %v", got)
	}
	// Index: 60,000 TH/s at 15.50 and 40,000 at 11.00.
	if got := value(t, d, "hashpower-index"); !near(got, 60_000*15.5+40_000*11, 1e-9) {
		t.Errorf("index %v", got)
	}
	// Replacement: 17.80 x 1.1 + 1 a TH/s.
	if got := value(t, d, "hashpower-replacement"); !near(got, 100_000*(17.8*1.1+1), 1e-9) {
		t.Errorf("replacement %v", got)
	}
	if got := value(t, d, "hashpower-liquidation"); !near(got, 60_000*(15.5/2-0.5)+40_000*(11.0/2-0.5), 1e-9) {
		t.Errorf("liquidation %v", got)
	}
	// The ratio is debt in scope over each, and the AI lease is not in scope.
	r, err := d.RatioOf(debt.AtIndex)
	if err != nil {
		t.Fatal(err)
	}
	if got := value(t, d, "ratio-index"); !near(got, r.Debt.Float()/value(t, d, "hashpower-index"), 1e-9) {
		t.Errorf("ratio %v", got)
	}
	if !(r.Debt.Float() < value(t, d, "balance")) {
		t.Errorf("in scope %v of %v", r.Debt, value(t, d, "balance"))
	}
	if dscr := value(t, d, "dscr"); !near(dscr, value(t, d, "cfads")/value(t, d, "service"), 1e-9) {
		t.Errorf("DSCR %v", dscr)
	}
	for _, l := range figureOf(t, d, "ratio-index").Lines {
		if !strings.Contains(l.Claim, "the claim's line") {
			t.Errorf("%+v", l)
		}
	}
}

// What is not known is missing, with its reason, and never zero.
func TestMissing(t *testing.T) {
	b := company(t)
	for name, x := range map[string]struct {
		change func(*desk.In)
		gone   []string
		stays  []string
	}{
		"no price":       {func(in *desk.In) { in.Book.Terms.Market = nil }, []string{"hashprice", "dscr", "liquidity", "coin-ltv", "distance", "hashpower-option"}, []string{"balance", "hashpower-index", "ratio-index", "service"}},
		"no balances":    {func(in *desk.In) { in.Book.Balances = nil }, []string{"liquidity", "runway-months", "leverage"}, []string{"dscr", "ratio-index"}},
		"no rig prices":  {func(in *desk.In) { in.Book.Rigs = nil }, []string{"hashpower-index", "ratio-index", "machine-ltv"}, []string{"dscr", "hashpower-option", "distance"}},
		"no power price": {func(in *desk.In) { in.Fleet.Groups[0].Power = desk.Known[unit.EnergyPrice]{} }, []string{"dscr", "cfads", "runway-months"}, []string{"ratio-index", "liquidity"}},
		"nothing hashes": {func(in *desk.In) { in.Fleet = desk.Fleet{} }, []string{"ratio-index", "ratio-option", "hashpower-index"}, []string{"liquidity", "balance"}},
		"no debt":        {func(in *desk.In) { in.Book.Facilities = nil }, []string{"ratio-index", "dscr", "distance", "wall"}, []string{"liquidity", "hashpower-index"}},
	} {
		in := desk.In{Now: now, Book: b, Fleet: fleet(100_000)}
		x.change(&in)
		d := desk.Open(in)
		for _, k := range x.gone {
			if f := figureOf(t, d, k); f.Missing == "" || f.Value.Ok() || f.Text != "–" {
				t.Errorf("%s: %s is %q, missing %q", name, k, f.Text, f.Missing)
			}
		}
		for _, k := range x.stays {
			if f := figureOf(t, d, k); f.Missing != "" {
				t.Errorf("%s: %s is missing: %s", name, k, f.Missing)
			}
		}
	}
}

func TestCovenantLines(t *testing.T) {
	d := open(t)
	lines := d.Covenants()
	if len(lines) != 5 {
		t.Fatalf("%d covenants", len(lines))
	}
	for _, l := range lines {
		t.Logf("%-12s %-9s %-50s %10s headroom %s", l.ID, l.State, l.Rule, l.Reading.Text, l.Text)
		if l.State == desk.Unknown || !l.Money.Ok() || len(l.Figures) != 4 {
			t.Errorf("%+v", l)
		}
		m, _ := l.Money.Get()
		if (l.State == desk.Breached) != (m < 0) {
			t.Errorf("%s is %s with headroom %v", l.ID, l.State, m)
		}
	}
}

func TestPlanBalances(t *testing.T) {
	d := open(t)
	p := d.Plan13()
	if p.Missing != "" || len(p.Weeks) != 13 {
		t.Fatal(p.Missing)
	}
	cash, coins := d.Position.Cash.Minor, d.Position.Coins.Minor
	for i, w := range p.Weeks {
		if w.Opening.Minor != cash || w.CoinsOpening.Minor != coins {
			t.Errorf("week %d opens with %s and %s", i+1, w.Opening, w.CoinsOpening)
		}
		cash += w.Receipts().Minor - w.Payments().Minor
		coins += w.Mined.Minor - w.Sold.Minor
		if w.Closing.Minor != cash || w.CoinsClosing.Minor != coins {
			t.Errorf("week %d does not balance: %s, want %d", i+1, w.Closing, cash)
		}
	}
	// The service of the weeks is the register's, to the cent; what was due today is
	// recorded as paid.
	due := d.Position.Book.Due(d.On, d.On+90)
	var paid int64
	for _, w := range p.Weeks {
		paid += w.By[debt.InterestOut].Minor + w.By[debt.PrincipalOut].Minor + w.By[debt.FeesOut].Minor
	}
	if paid != due.Cash.Minor {
		t.Errorf("the plan pays %d, the register has %d due", paid, due.Cash.Minor)
	}
}

func TestSince(t *testing.T) {
	b := company(t)
	then := desk.Open(desk.In{Now: now.AddDate(0, 0, -7), Book: b, Fleet: fleet(80_000)}).Day()
	d := desk.Open(desk.In{Now: now, Book: b, Fleet: fleet(100_000)})
	changes, drivers := d.Since(then)
	if len(changes) < 8 || len(drivers) != 3 {
		t.Fatalf("%+v %+v", changes, drivers)
	}
	sum := 0.0
	for _, x := range drivers {
		sum += x.Part
	}
	if want := value(t, d, "ratio-index") - then.Figures["ratio-index"]; !near(sum, want, 1e-9) {
		t.Errorf("the parts sum to %v, the ratio moved by %v", sum, want)
	}
	for _, c := range changes {
		if c.Key == "hashrate" && c.Better != 1 || c.Key == "ratio-index" && c.Better != -1*sign(c.Now-c.Then) {
			t.Errorf("%+v", c)
		}
	}
}

func sign(v float64) int {
	if v > 0 {
		return 1
	}
	return -1
}
