package desk_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ballast/debt"
	"ballast/debt/desk"
	"ballast/unit"
)

// Damaged files: every wrong cell is told with its line and column, and then
// there is no draft.
func TestReadTellsEveryWrongLine(t *testing.T) {
	for name, x := range map[string]struct {
		kind desk.Kind
		text string
		want []desk.LineError
	}{
		"no kind":       {"coins", "a,b\n", []desk.LineError{{Line: 0}}},
		"empty":         {desk.Rates, "", []desk.LineError{{Line: 0}}},
		"no lines":      {desk.Rates, "index,date,rate\n", []desk.LineError{{Line: 0}}},
		"a column":      {desk.Rates, "index,day,rate\nSOFR,2026-01-01,4%\n", []desk.LineError{{Line: 1, Column: "date"}}},
		"two cells":     {desk.Rates, "index,date,rate\nSOFR,2026-01-01,4%\nSOFR,1 May,high\n", []desk.LineError{{Line: 3, Column: "date", Text: "1 May"}, {Line: 3, Column: "rate", Text: "high"}}},
		"twice":         {desk.Rates, "index,date,rate\nSOFR,2026-01-01,4%\n\nSOFR,2026-01-01,5%\n", []desk.LineError{{Line: 4, Text: "SOFR 2026-01-01"}}},
		"half a cent":   {desk.Balances, "date,account,currency,amount\n2026-01-01,bank,USD,1.005\n", []desk.LineError{{Line: 2, Column: "amount", Text: "1.005"}}},
		"a tenth sat":   {desk.Balances, "date,account,currency,amount\n2026-01-01,bank,BTC,0.123456789\n", []desk.LineError{{Line: 2, Column: "amount", Text: "0.123456789"}}},
		"no line":       {desk.Flows, "date,line,currency,amount\n2026-01-01,lottery,USD,1\n", []desk.LineError{{Line: 2, Column: "line", Text: "lottery"}}},
		"debt service":  {desk.Flows, "date,line,currency,amount\n2026-01-01,interest,USD,1\n", []desk.LineError{{Line: 2, Column: "line", Text: "interest"}}},
		"until before":  {desk.Flows, "date,line,currency,amount,every,until\n2026-01-01,payroll,USD,1,month,2025-12-01\n", []desk.LineError{{Line: 2, Column: "until", Text: "2025-12-01"}}},
		"no rhythm":     {desk.Flows, "date,line,currency,amount,every\n2026-01-01,payroll,USD,1,often\n", []desk.LineError{{Line: 2, Column: "every", Text: "often"}}},
		"no metric":     {desk.Covenants, "facility,id,metric,limit\nl,c,hope,1\n", []desk.LineError{{Line: 2, Column: "metric", Text: "hope"}}},
		"a facility":    {desk.Facilities, "id,name,kind,purpose,recourse,currency,principal,drawn,maturity,shape,months\nl,L,loan,mining,full,USD,1000,2026-01-01,2027-01-01,bullet,12\n", []desk.LineError{{Line: 2}}},
		"an id":         {desk.Facilities, "id,name,kind,purpose,recourse,currency,principal,drawn,maturity,shape,months\na/b,L,lease,mining,full,USD,1000,2026-01-01,2027-01-01,bullet,12\n", []desk.LineError{{Line: 2, Column: "id", Text: "a/b"}}},
		"two at a time": {desk.Facilities, "id,name,kind,purpose,recourse,currency,principal,drawn,maturity,shape,months\nl,L,lease,mining,full,USD,lots,2026-01-01,never,bullet,12\n", []desk.LineError{{Line: 2, Column: "principal", Text: "lots"}, {Line: 2, Column: "maturity", Text: "never"}}},
		"machine price": {desk.MachinePrices, "date,tier_jth,usd_per_th,kind\n2026-01-01,good,15,index\n", []desk.LineError{{Line: 2, Column: "tier_jth", Text: "good"}}},
	} {
		d, bad := desk.Read(x.kind, x.text)
		if !d.Empty() || len(bad) != len(x.want) {
			t.Errorf("%s: %+v", name, bad)
			continue
		}
		for i, e := range bad {
			if e.Line != x.want[i].Line || e.Column != x.want[i].Column || e.Text != x.want[i].Text || e.Reason == "" {
				t.Errorf("%s: %+v, want %+v", name, e, x.want[i])
			}
		}
	}
}

func TestCompare(t *testing.T) {
	b := company(t)
	read := func(k desk.Kind, text string) desk.Draft {
		t.Helper()
		d, bad := desk.Read(k, text)
		if len(bad) > 0 {
			t.Fatalf("%+v", bad)
		}
		return d
	}
	// The example over itself changes nothing, whatever the kind.
	_, files := desk.Example(now, 100_000, 2_000_000)
	for _, k := range desk.Kinds {
		d, lines, bad := desk.Compare(b, read(k, files[k]))
		if len(bad) > 0 || !d.Empty() && k != desk.Covenants || len(lines) == 0 {
			t.Errorf("%s over itself: %+v %+v", k, lines, bad)
		}
		for _, l := range lines {
			if l.Action != desk.Same {
				t.Errorf("%s over itself: %+v", k, l)
			}
		}
	}
	// A facility that changes keeps what a file cannot say: its covenants.
	changed := strings.Replace(files[desk.Facilities], "11.5%", "12.5%", 1)
	d, lines, bad := desk.Compare(b, read(desk.Facilities, changed))
	if len(bad) > 0 || len(d.Facilities) != 1 || len(d.Facilities[0].Covenants) != 3 || lines[0].Action != desk.Changes || len(lines[0].Fields) != 1 || lines[0].Fields[0].Field != "interest" {
		t.Errorf("%+v %+v %+v", d.Facilities, lines, bad)
	}
	// What names a facility that is not there is refused.
	if _, _, bad := desk.Compare(b, read(desk.Payments, "facility,due,paid,currency,amount\nnone,2026-01-01,2026-01-01,USD,1\n")); len(bad) != 1 || bad[0].Line != 2 || bad[0].Column != "facility" {
		t.Errorf("%+v", bad)
	}
	if _, _, bad := desk.Compare(b, read(desk.Covenants, "facility,id,metric,limit,of\nmachine-loan,c,dscr,1,none\n")); len(bad) != 1 || bad[0].Column != "of" {
		t.Errorf("%+v", bad)
	}
}

func FuzzRead(f *testing.F) {
	_, files := desk.Example(now, 100_000, 2_000_000)
	for i, k := range desk.Kinds {
		f.Add(i, files[k])
	}
	b := company(f)
	f.Fuzz(func(t *testing.T, k int, text string) {
		kind := desk.Kinds[(k%len(desk.Kinds)+len(desk.Kinds))%len(desk.Kinds)]
		d, bad := desk.Read(kind, text)
		if len(bad) > 0 && !d.Empty() {
			t.Fatal("a draft comes with errors")
		}
		if len(bad) > 0 {
			return
		}
		d, _, bad = desk.Compare(b, d)
		if len(bad) > 0 && !d.Empty() {
			t.Fatal("a draft comes with errors")
		}
		// Whatever was read can be opened: no panic, and figures that say what is
		// missing.
		for _, x := range desk.Open(desk.In{Now: now, Book: b.With(d, desk.Source{}), Fleet: fleet(1000)}).Figures() {
			if x.Missing == "" && x.Text == "" {
				t.Fatalf("%+v", x)
			}
		}
	})
}

// Whatever facilities there are, and whatever was paid on them: statements, the
// register's sums and thirteen weeks agree to the cent.
func TestStatementsBalance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		on := debt.DateOf(now)
		b := company(t)
		b.Facilities, b.Paid = nil, nil
		for i := range rapid.IntRange(1, 4).Draw(t, "facilities") {
			drawn := on - debt.Date(rapid.IntRange(-60, 900).Draw(t, "age"))
			f := debt.Facility{
				ID: fmt.Sprintf("f%d", i), Kind: rapid.SampledFrom([]debt.Kind{debt.Lease, debt.Equipment, debt.ASICBacked, debt.HostingPrepaid}).Draw(t, "kind"), Purpose: debt.ForMining, Recourse: debt.FullRecourse,
				Principal: unit.Money{Minor: rapid.Int64Range(1, 1e12).Draw(t, "principal"), Currency: unit.USD}, Drawn: drawn, Maturity: drawn + debt.Date(rapid.IntRange(40, 2000).Draw(t, "term")),
				Interest:  debt.Interest{Fixed: debt.Rate(rapid.IntRange(0, 300_000).Draw(t, "rate")), DayCount: rapid.SampledFrom([]debt.DayCount{debt.Actual360, debt.Thirty360, debt.Periods}).Draw(t, "count")},
				Repayment: debt.Repayment{Shape: rapid.SampledFrom([]debt.Shape{debt.Linear, debt.Annuity, debt.Bullet}).Draw(t, "shape"), Months: rapid.SampledFrom([]int{1, 3, 12}).Draw(t, "months")},
			}
			s, err := f.Schedule(debt.Env{})
			if err != nil {
				t.Skip(err)
			}
			b.Facilities = append(b.Facilities, desk.Recorded{Facility: f, Version: 1})
			for _, p := range s.Payments {
				if rapid.Bool().Draw(t, "paid") {
					b.Paid = append(b.Paid, desk.Paid{Facility: f.ID, Due: p.Due, On: p.Due, Amount: unit.Money{Minor: rapid.Int64Range(0, max(1, p.Cash.Minor)).Draw(t, "amount"), Currency: unit.USD}})
				}
			}
		}
		d := desk.Open(desk.In{Now: now, Book: b, Fleet: fleet(100_000)})
		var owed, dueYear int64
		for _, f := range b.Facilities {
			st, ok := d.Statement(f.ID)
			if !ok {
				t.Fatal("no statement of " + f.ID)
			}
			balance, paid := int64(0), int64(0)
			for i, l := range st.Lines {
				if l.Opening.Minor != balance {
					t.Fatalf("line %d opens with %d after %d", i, l.Opening.Minor, balance)
				}
				balance += l.Drawn.Minor + l.Capitalised.Minor - l.Principal.Minor - l.Swept.Minor
				if l.Closing.Minor != balance {
					t.Fatalf("line %d closes with %d, want %d", i, l.Closing.Minor, balance)
				}
				paid += l.Paid.Minor
			}
			if balance != 0 {
				t.Fatalf("%s ends with %d", f.ID, balance)
			}
			if st.DueToDate.Minor != st.PaidToDate.Minor+st.Short.Minor {
				t.Fatalf("%s: due %d, paid %d, short %d", f.ID, st.DueToDate.Minor, st.PaidToDate.Minor, st.Short.Minor)
			}
			var told int64
			for _, p := range b.Paid {
				if p.Facility == f.ID {
					told += p.Amount.Minor
				}
			}
			for _, p := range st.Stray {
				told -= p.Amount.Minor
			}
			if told != paid {
				t.Fatalf("%s: %d was paid, the statement has %d", f.ID, told, paid)
			}
			owed += st.Balance.Minor
		}
		if got := d.Position.Book.Balance(d.On).Minor; got != owed {
			t.Fatalf("the register owes %d, the statements %d", got, owed)
		}
		for _, q := range d.Position.Book.Wall(d.On, 3, 4) {
			dueYear += q.Service.Cash.Minor
		}
		if got := d.Position.Book.Due(d.On, d.On.AddMonths(12)).Cash.Minor; got != dueYear {
			t.Fatalf("a year is %d, its quarters %d", got, dueYear)
		}
		p := d.Plan13()
		if p.Missing != "" {
			t.Fatal(p.Missing)
		}
		cash := d.Position.Cash.Minor
		var service int64
		for _, w := range p.Weeks {
			cash += w.Receipts().Minor - w.Payments().Minor
			if w.Closing.Minor != cash {
				t.Fatalf("week of %s closes with %d, want %d", w.From, w.Closing.Minor, cash)
			}
			service += w.By[debt.InterestOut].Minor + w.By[debt.PrincipalOut].Minor + w.By[debt.FeesOut].Minor
		}
		if got := d.Position.Book.Due(d.On, d.On+90).Cash.Minor; service < got || service > d.Position.Book.Due(d.On-1, d.On+90).Cash.Minor {
			t.Fatalf("the plan pays %d, %d falls due after today", service, got)
		}
	})
}
