package debt_test

import (
	"errors"
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ballast/debt"
	"ballast/unit"
)

func usd(dollars float64) unit.Money {
	return unit.Money{Minor: int64(dollars*100 + 0.5), Currency: unit.USD}
}

func date(s string) debt.Date {
	d, err := debt.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

func loan(id string) debt.Facility {
	return debt.Facility{
		ID: id, Name: id, Kind: debt.ASICBacked, Purpose: debt.ForMining, Recourse: debt.FullRecourse,
		Principal: usd(1_000_000), Drawn: date("2025-01-15"), Maturity: date("2027-01-15"),
		Interest:  debt.Interest{Fixed: debt.Percent(12), DayCount: debt.Periods},
		Repayment: debt.Repayment{Shape: debt.Annuity, Months: 1},
	}
}

func TestDayCount(t *testing.T) {
	for _, v := range []struct {
		c    debt.DayCount
		a, b string
		want *big.Rat
	}{
		{debt.Actual360, "2025-01-15", "2025-02-15", big.NewRat(31, 360)},
		{debt.Actual365, "2024-02-28", "2024-03-01", big.NewRat(2, 365)},
		// ISDA's own examples of 30/360 and 30E/360 at month ends.
		{debt.Thirty360, "2007-01-15", "2007-01-30", big.NewRat(15, 360)},
		{debt.Thirty360, "2007-01-31", "2007-02-28", big.NewRat(28, 360)},
		{debt.Thirty360, "2007-09-30", "2008-03-31", big.NewRat(180, 360)},
		{debt.Thirty360, "2007-09-15", "2008-03-31", big.NewRat(196, 360)},
		{debt.ThirtyE360, "2007-09-15", "2008-03-31", big.NewRat(195, 360)},
		{debt.ThirtyE360, "2007-08-31", "2008-02-29", big.NewRat(179, 360)},
		{debt.ActualActual, "2007-12-28", "2008-02-29", new(big.Rat).Add(big.NewRat(4, 365), big.NewRat(59, 366))},
		{debt.ActualActual, "2005-06-30", "2005-06-30", new(big.Rat)},
		{debt.ActualActual, "2003-01-01", "2006-01-01", big.NewRat(3, 1)},
	} {
		got, err := v.c.Fraction(date(v.a), date(v.b))
		if err != nil || got.Cmp(v.want) != 0 {
			t.Errorf("%s from %s to %s: %s, %v; want %s", v.c, v.a, v.b, got, err, v.want)
		}
	}
	for _, c := range []debt.DayCount{debt.Periods, "ACT/366"} {
		if _, err := c.Fraction(date("2025-01-01"), date("2025-02-01")); !errors.Is(err, debt.ErrInvalid) {
			t.Errorf("%s: %v", c, err)
		}
	}
	if _, err := debt.Actual360.Fraction(date("2025-02-01"), date("2025-01-01")); !errors.Is(err, debt.ErrInvalid) {
		t.Errorf("backwards: %v", err)
	}
	if got := date("2024-01-31").AddMonths(1); got != date("2024-02-29") {
		t.Error(got)
	}
	if got := date("2025-11-30").AddMonths(-9); got != date("2025-02-28") {
		t.Error(got)
	}
	if got := debt.DateOf(time.Date(1969, 12, 31, 23, 0, 0, 0, time.UTC)); got != -1 || got.String() != "1969-12-31" {
		t.Error(int(got), got)
	}
}

func TestSchedule(t *testing.T) {
	// A level payment of a loan of a million at 1 % a month over 24 months is
	// 47,073.47 (P r / (1 - (1+r)^-n) = 47,073.4722).
	s, err := loan("a").Schedule(debt.Env{})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(s.Payments); n != 25 || s.Payments[1].Cash != usd(47073.48) || s.Payments[1].Interest != usd(10000) {
		t.Errorf("%d payments, first %+v", n, s.Payments[1])
	}
	last := s.Payments[24]
	if last.Cash.Minor > 4707348 || last.Cash.Minor < 4707348-100 || last.Closing.Minor != 0 || last.Due != date("2027-01-15") {
		t.Errorf("last %+v", last)
	}

	// TeraWulf's loan: 146 m, 12.5 % of the principal a quarter.
	f := loan("wulf")
	f.Principal, f.Maturity = usd(146e6), date("2026-04-15")
	f.Interest = debt.Interest{Fixed: debt.Percent(11.5), DayCount: debt.Actual360}
	f.Repayment = debt.Repayment{Shape: debt.Stated, Months: 3, Shares: []debt.Rate{125000, 125000, 125000}}
	if s, err = f.Schedule(debt.Env{}); err != nil {
		t.Fatal(err)
	}
	if p := s.Payments[1]; p.Principal != usd(18.25e6) || p.Interest != usd(4197500) { // 146 m x 11.5 % x 90/360
		t.Errorf("%+v", p)
	}
	if p := s.Payments[5]; p.Principal != usd(146e6-3*18.25e6) || p.Closing.Minor != 0 {
		t.Errorf("%+v", p)
	}

	// Riot's loan of 2025: the upper bound of the federal funds range, at least
	// 3.25 %, plus 4.5 %, 364 days.
	f = loan("riot")
	f.Kind, f.Principal, f.Maturity = debt.CoinBacked, usd(100e6), f.Drawn+364
	f.Secured = []debt.Collateral{{Kind: debt.CoinCollateral, Coins: unit.Money{Minor: 1600e8, Currency: unit.BTC}}}
	f.Interest = debt.Interest{Index: "FF upper", Margin: 45000, Floor: unit.Some(debt.Rate(32500)), DayCount: debt.Actual360}
	f.Repayment = debt.Repayment{Shape: debt.Bullet, Months: 3}
	env := debt.Env{Index: func(name string, on debt.Date) (debt.Rate, bool) {
		if on < date("2025-04-01") {
			return 45000, name == "FF upper"
		}
		return 30000, name == "FF upper" // under the floor
	}}
	if s, err = f.Schedule(env); err != nil {
		t.Fatal(err)
	}
	if s.Payments[1].Rate != 90000 || s.Payments[4].Rate != 77500 || s.Payments[4].Principal != usd(100e6) {
		t.Errorf("%+v", s.Payments)
	}
	if _, err := f.Schedule(debt.Env{}); !errors.Is(err, debt.ErrNoIndex) {
		t.Errorf("without the index: %v", err)
	}

	// A lease is paid in advance: the first payment is all principal, and the
	// last one leaves nothing.
	f = loan("lease")
	f.Kind, f.Repayment.Advance = debt.Lease, true
	if s, err = f.Schedule(debt.Env{}); err != nil {
		t.Fatal(err)
	}
	if p := s.Payments[1]; p.Due != f.Drawn || p.Interest.Minor != 0 || p.Principal != usd(46607.40) { // 47,073.4722/1.01, rounded up
		t.Errorf("%+v", p)
	}

	// Prepaid hosting is owed in service: no cash moves after the receipt.
	f = loan("hosting")
	f.Kind, f.Interest.Fixed, f.Repayment.Shape = debt.HostingPrepaid, 0, debt.Linear
	if s, err = f.Schedule(debt.Env{}); err != nil {
		t.Fatal(err)
	}
	if d := s.Due(f.Drawn, f.Maturity); d.Cash.Minor != 0 || d.Principal != usd(1e6) {
		t.Errorf("%+v", d)
	}

	// Interest that is added to principal compounds.
	f = loan("pik")
	f.Repayment = debt.Repayment{Shape: debt.Bullet, Months: 12, Capitalised: 1_000_000}
	if s, err = f.Schedule(debt.Env{}); err != nil {
		t.Fatal(err)
	}
	if p := s.Payments[2]; p.Principal != usd(1_120_000) || p.Interest != usd(134_400) || p.Cash != usd(1_254_400) {
		t.Errorf("%+v", p)
	}

	// A sweep takes its share of excess cash and ends the loan early.
	f = loan("sweep")
	f.Repayment = debt.Repayment{Shape: debt.Linear, Months: 3, Sweep: 500_000}
	f.Fees = []debt.Fee{{Kind: debt.SweepFee, Rate: 10_000}, {Kind: debt.UpfrontFee, Rate: 20_000, Amount: usd(100)}}
	env = debt.Env{Excess: func(string, debt.Date) unit.Money { return usd(800_000) }}
	if s, err = f.Schedule(env); err != nil {
		t.Fatal(err)
	}
	if p := s.Payments[1]; p.Principal != usd(125_000) || p.Swept != usd(400_000) || p.Fees != usd(4_000) {
		t.Errorf("%+v", p)
	}
	if n := len(s.Payments); n != 4 || s.Payments[3].Closing.Minor != 0 || s.Payments[0].Fees != usd(20_100) {
		t.Errorf("%d payments, %+v", n, s.Payments)
	}
	if a, err := s.Accrued(s.Payments[0].Due + 45); err != nil || a.Minor != 1500000 { // half of 90 days at 3 %
		t.Errorf("accrued %s, %v", a, err)
	}
}

func TestFacilityRefused(t *testing.T) {
	for name, change := range map[string]func(*debt.Facility){
		"no id":                 func(f *debt.Facility) { f.ID = "" },
		"no principal":          func(f *debt.Facility) { f.Principal.Minor = 0 },
		"ends before it starts": func(f *debt.Facility) { f.Maturity = f.Drawn },
		"unknown kind":          func(f *debt.Facility) { f.Kind = "loan" },
		"unknown purpose":       func(f *debt.Facility) { f.Purpose = "" },
		"unknown recourse":      func(f *debt.Facility) { f.Recourse = "some" },
		"unknown day count":     func(f *debt.Facility) { f.Interest.DayCount = "" },
		"negative rate":         func(f *debt.Facility) { f.Interest.Fixed = -1 },
		"two rates":             func(f *debt.Facility) { f.Interest.Index = "SOFR" },
		"margin of nothing":     func(f *debt.Facility) { f.Interest.Margin = 1 },
		"odd months":            func(f *debt.Facility) { f.Repayment.Months = 5 },
		"level and PIK":         func(f *debt.Facility) { f.Repayment.Capitalised = 1 },
		"stated nothing":        func(f *debt.Facility) { f.Repayment.Shape = debt.Stated },
		"stated too much": func(f *debt.Facility) {
			f.Repayment.Shape, f.Repayment.Shares = debt.Stated, []debt.Rate{600000, 600000}
		},
		"convertible to what":  func(f *debt.Facility) { f.Kind = debt.Convertible },
		"nobody's SPV":         func(f *debt.Facility) { f.Kind = debt.NonRecourseSPV },
		"margin without coins": func(f *debt.Facility) { f.Margin = &debt.Margin{Initial: 1, Call: 2, Liquidate: 3} },
		"collateral of euros": func(f *debt.Facility) {
			f.Secured = []debt.Collateral{{Kind: debt.CashCollateral, Value: unit.Money{Minor: 1, Currency: unit.EUR}}}
		},
		"balloon over all":    func(f *debt.Facility) { f.Repayment.Balloon = usd(2e6) },
		"covenant on nothing": func(f *debt.Facility) { f.Covenants = []debt.Covenant{{ID: "x", Metric: "hope"}} },
		"annual fee, amount":  func(f *debt.Facility) { f.Fees = []debt.Fee{{Kind: debt.AnnualFee, Amount: usd(1)}} },
	} {
		f := loan("x")
		change(&f)
		if _, err := f.Schedule(debt.Env{}); !errors.Is(err, debt.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	a, b := loan("a"), loan("a")
	c := loan("c")
	c.Principal.Currency = unit.EUR
	_, err := debt.NewBook([]debt.Facility{a, b, c}, unit.USD, debt.Env{})
	if !errors.Is(err, debt.ErrInvalid) || !errors.Is(err, unit.ErrCurrency) {
		t.Errorf("%v", err)
	}
}

// anyFacility draws a facility that is valid, whatever its shape.
func anyFacility(t *rapid.T, id string) debt.Facility {
	f := loan(id)
	f.Principal.Minor = rapid.Int64Range(1, 1e13).Draw(t, "principal")
	f.Drawn = debt.Date(rapid.Int32Range(15000, 25000).Draw(t, "drawn"))
	f.Maturity = f.Drawn + debt.Date(rapid.Int32Range(1, 4000).Draw(t, "days"))
	f.Interest = debt.Interest{DayCount: rapid.SampledFrom([]debt.DayCount{debt.Actual360, debt.Actual365, debt.ActualActual, debt.Thirty360, debt.ThirtyE360, debt.Periods}).Draw(t, "count")}
	if rapid.Bool().Draw(t, "floating") {
		f.Interest.Index, f.Interest.Margin = "SOFR", debt.Rate(rapid.Int64Range(0, 200_000).Draw(t, "margin"))
		f.Interest.Cap = unit.Some(debt.Rate(250_000))
	} else {
		f.Interest.Fixed = debt.Rate(rapid.Int64Range(0, 400_000).Draw(t, "fixed"))
	}
	r := &f.Repayment
	r.Months = rapid.SampledFrom([]int{1, 3, 6, 12}).Draw(t, "months")
	r.Shape = rapid.SampledFrom([]debt.Shape{debt.Annuity, debt.Linear, debt.Bullet, debt.Stated}).Draw(t, "shape")
	r.InterestOnly = rapid.IntRange(0, 6).Draw(t, "interest only")
	r.Sweep = debt.Rate(rapid.Int64Range(0, 1_000_000).Draw(t, "sweep"))
	if r.Shape == debt.Stated {
		for range rapid.IntRange(1, 8).Draw(t, "shares") {
			r.Shares = append(r.Shares, debt.Rate(rapid.Int64Range(0, 125_000).Draw(t, "share")))
		}
	} else if r.Shape != debt.Bullet {
		r.Balloon = unit.Money{Minor: rapid.Int64Range(0, f.Principal.Minor).Draw(t, "balloon"), Currency: unit.USD}
	}
	if r.Shape != debt.Annuity {
		r.Capitalised = debt.Rate(rapid.Int64Range(0, 1_000_000).Draw(t, "PIK"))
	}
	r.Advance = rapid.Bool().Draw(t, "advance")
	f.Fees = []debt.Fee{{Kind: debt.UpfrontFee, Rate: 12_345}, {Kind: debt.AnnualFee, Rate: 5_001}, {Kind: debt.ExitFee, Amount: usd(77.77)}, {Kind: debt.SweepFee, Rate: 999}}
	return f
}

func moving() debt.Env {
	return debt.Env{
		Index: func(_ string, on debt.Date) (debt.Rate, bool) { return debt.Rate(20_000 + int(on)%40_000), true },
		Excess: func(_ string, due debt.Date) unit.Money {
			return unit.Money{Minor: int64(due) % 7 * 1_234_567, Currency: unit.USD}
		},
	}
}

// Every schedule balances to the cent, line by line and in all, whatever the
// facility.
func TestSchedulesBalance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyFacility(t, "f")
		s, err := f.Schedule(moving())
		if err != nil {
			t.Fatal(err)
		}
		var principal, capital int64
		balance := int64(0)
		for i, p := range s.Payments {
			if p.Opening.Minor != balance {
				t.Fatalf("payment %d opens with %s, the last closed with %d", i, p.Opening, balance)
			}
			balance = p.Opening.Minor + p.Drawn.Minor + p.Capitalised.Minor - p.Principal.Minor - p.Swept.Minor
			cash := p.Interest.Minor - p.Capitalised.Minor + p.Principal.Minor + p.Swept.Minor + p.Fees.Minor - p.InKind.Minor
			if p.Closing.Minor != balance || p.Cash.Minor != cash {
				t.Fatalf("payment %d does not balance: %+v", i, p)
			}
			for _, m := range []unit.Money{p.Opening, p.Interest, p.Capitalised, p.Principal, p.Swept, p.Fees, p.Cash, p.Closing} {
				if m.Minor < 0 || m.Currency != unit.USD {
					t.Fatalf("payment %d: %+v", i, p)
				}
			}
			principal += p.Principal.Minor + p.Swept.Minor
			capital += p.Capitalised.Minor
			if i > 0 && (p.Due < s.Payments[i-1].Due || p.Due > f.Maturity) {
				t.Fatalf("payment %d is due %s", i, p.Due)
			}
		}
		if balance != 0 || principal != f.Principal.Minor+capital {
			t.Fatalf("%d left, %d paid back of %s and %d capitalised", balance, principal, f.Principal, capital)
		}
		all := s.Due(f.Drawn-1, f.Maturity)
		var cash int64
		for _, p := range s.Payments {
			cash += p.Cash.Minor
		}
		if all.Cash.Minor != cash || all.Principal.Minor != principal {
			t.Fatalf("due in all %+v, paid %d", all, cash)
		}
		// Any two neighbouring spans add up to the whole.
		cut := f.Drawn + debt.Date(rapid.Int32Range(0, int32(f.Maturity-f.Drawn)).Draw(t, "cut"))
		a, b := s.Due(f.Drawn-1, cut), s.Due(cut, f.Maturity)
		if a.Cash.Minor+b.Cash.Minor != all.Cash.Minor || a.Interest.Minor+b.Interest.Minor != all.Interest.Minor {
			t.Fatalf("%+v and %+v do not add up to %+v", a, b, all)
		}
	})
}

// Thirteen weeks balance to the cent and the satoshi, and hold every payment of
// the book that falls into them.
func TestWeeksBalance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var fs []debt.Facility
		for i := range rapid.IntRange(0, 4).Draw(t, "facilities") {
			fs = append(fs, anyFacility(t, string(rune('a'+i))))
		}
		book, err := debt.NewBook(fs, unit.USD, moving())
		if err != nil {
			t.Fatal(err)
		}
		from := debt.Date(rapid.Int32Range(15000, 27000).Draw(t, "from"))
		p := debt.WeekPlan{
			From: from, Cash: unit.Money{Minor: rapid.Int64Range(0, 1e12).Draw(t, "cash"), Currency: unit.USD},
			Coins:       unit.Money{Minor: rapid.Int64Range(0, 1e12).Draw(t, "coins"), Currency: unit.BTC},
			Hashrate:    func(debt.Date) unit.Hashrate { return 3.3 * unit.EHs },
			SatPerPHDay: func(d debt.Date) float64 { return 50_000.7 - float64(d%10) },
			Price: func(d debt.Date) unit.Money {
				return unit.Money{Minor: 6_000_017 + int64(d%100)*1000, Currency: unit.USD}
			},
			Selling: debt.Selling{Share: debt.Rate(rapid.Int64Range(0, 1_000_000).Draw(t, "share")), Floor: unit.Money{Minor: rapid.Int64Range(0, 1e11).Draw(t, "floor"), Currency: unit.USD}},
			Book:    book,
		}
		for range rapid.IntRange(0, 10).Draw(t, "flows") {
			p.Flows = append(p.Flows, debt.Flow{On: from + debt.Date(rapid.Int32Range(-3, 95).Draw(t, "day")), Line: rapid.SampledFrom(debt.Lines).Draw(t, "line"), Amount: unit.Money{Minor: rapid.Int64Range(0, 1e10).Draw(t, "amount"), Currency: unit.USD}})
		}
		weeks, err := debt.Weeks(p)
		if err != nil || len(weeks) != 13 {
			t.Fatal(len(weeks), err)
		}
		cash, coins := p.Cash.Minor, p.Coins.Minor
		var service int64
		for i, w := range weeks {
			if w.Opening.Minor != cash || w.CoinsOpening.Minor != coins {
				t.Fatalf("week %d opens with %s and %s, the last closed with %d and %d", i, w.Opening, w.CoinsOpening, cash, coins)
			}
			cash += w.Receipts().Minor - w.Payments().Minor
			coins += w.Mined.Minor - w.Sold.Minor
			if w.Closing.Minor != cash || w.CoinsClosing.Minor != coins || coins < 0 || w.Sold.Minor < 0 {
				t.Fatalf("week %d does not balance: %+v", i, w)
			}
			if short := p.Selling.Floor.Minor - cash; short > 0 && coins > 0 {
				t.Fatalf("week %d is %d short of its floor with %d satoshi unsold", i, short, coins)
			}
			for _, l := range []debt.Line{debt.InterestOut, debt.PrincipalOut, debt.FeesOut} {
				service += w.By[l].Minor
			}
		}
		want := book.Due(from-1, from+13*7-1).Cash.Minor
		for _, f := range p.Flows {
			if f.On >= from && f.On < from+91 && (f.Line == debt.InterestOut || f.Line == debt.PrincipalOut || f.Line == debt.FeesOut) {
				want += f.Amount.Minor
			}
		}
		if service != want {
			t.Fatalf("%d of service in the weeks, %d in the schedules", service, want)
		}
	})
}
