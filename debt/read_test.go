package debt_test

import (
	"strings"
	"testing"

	"ballast/debt"
	"ballast/unit"
)

const facilityCSV = `id,name,kind,purpose,recourse,currency,principal,drawn,maturity,shape,months,rate,index,margin,floor,day_count,shares,coins,initial_ltv,call_ltv,liquidation_ltv,cure_days,conversion_price,cross_default,cross_threshold,collateral_ths,collateral_jth,upfront_fee,obligor
rigs,Machine loan,asic-backed,mining,full,USD,35000000,2025-01-15,2027-01-15,stated,3,11.5%,,,,ACT/360,12.5%;12.5%,,,,,,,any;notes,5000000,2000000,29.5,2%,
coins,Credit line,btc-collateralised,mining,full,USD,100000000.50,2025-04-20,2026-04-19,bullet,3,,FF upper,4.5%,3.25%,,,1600.5,60%,75%,85%,2,,,,,,,
notes,2030 notes,convertible,general,full,USD,650000000,2024-12-01,2030-06-01,bullet,6,0%,,,,30/360,,,,,,,14.8,,,,,,
spv,SPV 2,non-recourse-spv,mining,none,USD,71000000,2025-02-01,2027-02-01,annuity,1,0.11,,,,,,,,,,,,,,,,,SPV 2
`

func TestReadFacilities(t *testing.T) {
	fs, err := debt.ReadFacilities(strings.NewReader(facilityCSV))
	if err != nil || len(fs) != 4 {
		t.Fatal(len(fs), err)
	}
	if f := fs[0]; len(f.Repayment.Shares) != 2 || !f.Cross.Any || f.Cross.Of[0] != "notes" || f.Cross.Threshold != usd(5e6) || f.Secured[0].Hashrate != 2*unit.EHs || f.Fees[0].Rate != 20_000 || f.Interest.Fixed != 115_000 {
		t.Errorf("%+v", f)
	}
	if f := fs[1]; f.Principal.Minor != 10_000_000_050 || f.Secured[0].Coins.Minor != 160_050_000_000 || f.Margin.Call != 750_000 || f.Interest.Floor.Or(0) != 32_500 {
		t.Errorf("%+v", f)
	}
	if f := fs[2]; f.Convert.Price != usd(14.8) || f.Interest.Fixed != 0 {
		t.Errorf("%+v", f)
	}
	// Damaged: every cell is told with its line, and nothing comes of it.
	damage := func(old, with string) string { return strings.Replace(facilityCSV, old, with, 1) }
	for name, v := range map[string]struct{ text, want string }{
		"an amount":       {damage("35000000,", "35 million,"), "line 2, column principal"},
		"half a cent":     {damage("100000000.50", "100000000.505"), "line 3, column principal"},
		"a date":          {damage("2027-02-01", "01/02/2027"), "line 5, column maturity"},
		"a rate":          {damage("11.5%", "eleven"), "line 2, column rate"},
		"a kind":          {damage("convertible", "convertable"), "line 4: facility \"notes\""},
		"twice":           {damage("notes,2030", "rigs,2030"), "line 4, column id"},
		"a share":         {damage("12.5%;12.5%", "12.5%;x"), "line 2, column shares"},
		"negative coins":  {damage("1600.5", "-1600.5"), "line 3, column coins"},
		"a column":        {damage("principal", "amount"), "no column \"principal\""},
		"a cut last line": {facilityCSV[:len(facilityCSV)-60], "line 5"},
	} {
		fs, err := debt.ReadFacilities(strings.NewReader(v.text))
		if err == nil || fs != nil || !strings.Contains(err.Error(), v.want) {
			t.Errorf("%s: %d facilities, %v; want %s", name, len(fs), err, v.want)
		}
	}
}

func FuzzReadFacilities(f *testing.F) {
	f.Add(facilityCSV)
	f.Add("id,name,kind,purpose,recourse,currency,principal,drawn,maturity,shape,months\na,b,lease,ai,full,EUR,1,2020-01-01,2021-01-01,annuity,1\n")
	f.Fuzz(func(t *testing.T, text string) {
		fs, err := debt.ReadFacilities(strings.NewReader(text))
		if err != nil && fs != nil {
			t.Fatal("facilities come with an error")
		}
		for _, x := range fs {
			s, err := x.Schedule(moving())
			if err != nil {
				t.Fatalf("%+v was read, but has no schedule: %v", x, err)
			}
			if last := s.Payments[len(s.Payments)-1]; last.Closing.Minor != 0 {
				t.Fatalf("%+v ends with %s", x, last.Closing)
			}
		}
	})
}
