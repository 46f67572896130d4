package desk

import (
	"fmt"
	"strings"
	"time"

	"ballast/debt"
	"ballast/market"
	"ballast/unit"
)

// ExampleSays is what every page says of an example company.
const ExampleSays = "Example company: every facility, balance and price here is made up, sized to the simulated machines."

// Example is a made-up company on a day, whose debt is sized to the hashrate and
// power of a site, in the form in which people import theirs: kind by kind, CSV.
// It is an example of how to fill in each file, and what a simulated site shows.
func Example(now time.Time, ths, watts float64) (Terms, map[Kind]string) {
	return ExampleAt(now, ths, watts, 98_400, 128.4e12)
}

// ExampleAt is Example at a price of a bitcoin, in whole USD, and a difficulty.
func ExampleAt(now time.Time, ths, watts float64, price int64, difficulty float64) (Terms, map[Kind]string) {
	on := debt.DateOf(now)
	// Debt in proportion: about 1.6 times the machines at index.
	rig := max(ths, 1000) * 14 // what the machines would bring at index, USD
	usd := func(share float64) string {
		return fmt.Sprintf("%.2f", float64(int64(rig*share/1000)*1000))
	}
	month := func(n int) string { return on.AddMonths(n).String() }
	day := func(n int) string { return (on + debt.Date(n)).String() }
	t := Defaults()
	t.Company, t.Example = "Example Mining Co.", ExampleSays
	t.Power = map[string]unit.EnergyPrice{"*": {Micro: 42_000_000, Currency: unit.USD}}
	t.Overhead, t.Uptime, t.SellShare = 1.05, 0.97, debt.Percent(85)
	t.CashFloor = unit.Money{Minor: int64(rig*0.05) * 100, Currency: unit.USD}
	t.OtherAssets = unit.Money{Minor: int64(rig*0.35) * 100, Currency: unit.USD}
	t.Depreciation = unit.Money{Minor: int64(rig/48) * 100, Currency: unit.USD}
	t.PriceDrift = 0
	t.Market = &HandMarket{Price: unit.Money{Minor: price * 100, Currency: unit.USD}, Difficulty: difficulty, FeeShare: debt.Percent(1.2), Height: 926_000, On: on, From: "made up for the example"}
	coins := rig * 0.3 / float64(price)
	files := map[Kind]string{
		Facilities: "id,name,kind,purpose,recourse,currency,principal,drawn,maturity,shape,months,rate,index,margin,floor,day_count,lender,obligor,upfront_fee,coins,collateral_ths,collateral_jth,initial_ltv,call_ltv,liquidation_ltv,cure_days,conversion_price,cross_default,cross_threshold,source\n" +
			fmt.Sprintf("machine-loan,Machine loan 2025,asic-backed,mining,full,USD,%s,%s,%s,linear,1,11.5%%,,,,ACT/360,Example Lender,,1.5%%,,%.0f,18,,,,,,any,250000,made up: loan agreement of the example\n", usd(0.78), month(-11), month(37), ths*0.6) +
			fmt.Sprintf("coin-line,Credit line on bitcoin,btc-collateralised,general,full,USD,%s,%s,%s,bullet,3,,SOFR,4.5%%,3.25%%,ACT/360,Example Bank,,,%.4f,,,60%%,75%%,85%%,2,,,,made up: credit agreement of the example\n", usd(0.18), month(-4), month(8), rig*0.18/0.58/float64(price)) +
			fmt.Sprintf("notes-2030,Convertible notes 2030,convertible,general,full,USD,%s,%s,%s,bullet,6,2.75%%,,,,30/360,Noteholders,,,,,,,,,,14.80,,,made up: indenture of the example\n", usd(0.72), month(-14), month(43)) +
			fmt.Sprintf("transformers,Vendor credit on transformers,equipment,mining,full,USD,%s,%s,%s,annuity,3,9.25%%,,,,30/360,Example Vendor,,,,,,,,,,,,,made up: vendor credit of the example\n", usd(0.09), month(-7), month(29)) +
			fmt.Sprintf("ai-hall,AI hall lease,lease,ai,limited,USD,%s,%s,%s,annuity,1,8.00%%,,,,1/period,Example Lessor,Example AI LLC,,,,,,,,,,,,made up: lease of the example\n", usd(0.24), month(-3), month(57)),
		Covenants: "facility,id,metric,limit,of,cure_days,source\n" +
			"machine-loan,cover,dscr,1.10,,30,clause 7.1 of the example\n" +
			"machine-loan,machines,machine-ltv,85%,machine-loan,15,clause 7.2 of the example\n" +
			"machine-loan,cash," + fmt.Sprintf("liquidity,%.0f", rig*0.08) + ",,5,clause 7.3 of the example\n" +
			"coin-line,coins,coin-ltv,75%,coin-line,2,section 5 of the example\n" +
			"notes-2030,leverage,leverage,6,,,section 4.09 of the example\n",
		Balances: "date,account,currency,amount,pledged,source\n" +
			fmt.Sprintf("%s,operating account,USD,%s,no,made up: bank statement of the example\n", day(-1), usd(0.2)) +
			fmt.Sprintf("%s,cold storage,BTC,%.8f,no,made up: custodian of the example\n", day(-1), coins) +
			fmt.Sprintf("%s,collateral at Example Bank,BTC,%.8f,yes,made up: pledged to coin-line\n", day(-1), rig*0.18/0.58/float64(price)),
		Flows: "date,line,currency,amount,every,until,name,source\n" +
			fmt.Sprintf("%s,payroll,USD,%.2f,month,,all staff,made up\n", day(6), watts/1000*1.3) +
			fmt.Sprintf("%s,administration,USD,%.2f,month,,office and audit,made up\n", day(9), watts/1000*0.8) +
			fmt.Sprintf("%s,repair and spares,USD,%.2f,month,,fans and boards,made up\n", day(12), watts/1000*0.7) +
			fmt.Sprintf("%s,AI received,USD,%s,month,,AI hall rent,made up\n", day(3), usd(0.012)) +
			fmt.Sprintf("%s,demand response and power sales,USD,%.2f,quarter,,capacity payment,made up\n", day(25), watts/1000*1.1) +
			fmt.Sprintf("%s,machines and sites,USD,%s,,,deposit on new machines,made up\n", day(38), usd(0.05)) +
			fmt.Sprintf("%s,\"customs, contingent\",USD,%s,,,duty on new machines,made up\n", day(60), usd(0.009)),
		Rates:         "index,date,rate,source\nSOFR," + month(-12) + ",4.30%,made up\nSOFR," + month(-5) + ",4.05%,made up\nSOFR," + month(-1) + ",3.90%,made up\n",
		MachinePrices: "date,tier_jth,usd_per_th,kind,source\n" + month(-1) + ",<19,15.50,index,made up\n" + month(-1) + ",19-25,11.00,index,made up\n" + month(-1) + ",25-38,5.50,index,made up\n" + month(-1) + ",38-68,2.20,index,made up\n" + month(-1) + ",>68,0.80,index,made up\n" + day(-9) + ",<19,17.80,offer,made up\n",
	}
	files[Payments] = examplePaid(files, on)
	return t, files
}

// ExampleLines are lines of the example company for a template, cell by cell in
// the order of the kind's columns.
func ExampleLines(k Kind, now time.Time) ([][]string, error) {
	_, files := Example(now, 100_000, 2_000_000)
	t, err := market.ReadTable(strings.NewReader(files[k]))
	if err != nil {
		return nil, fmt.Errorf("reading the example: %w", err)
	}
	names, _ := Columns(k)
	var out [][]string
	for i := range t.Len() {
		row := make([]string, len(names))
		for j, n := range names {
			row[j] = t.Text(i, n)
		}
		out = append(out, row)
	}
	return out, nil
}

// examplePaid records each payment of the example that fell due as paid, on its
// day and to the cent.
func examplePaid(files map[Kind]string, on debt.Date) string {
	out := "facility,due,paid,currency,amount,source\n"
	fs, bad := Read(Facilities, files[Facilities])
	rates, bad2 := Read(Rates, files[Rates])
	if len(bad)+len(bad2) > 0 {
		return out
	}
	env := Book{Rates: rates.Rates}.Env()
	for _, f := range fs.Facilities {
		s, err := f.Schedule(env)
		if err != nil {
			continue
		}
		for _, p := range s.Payments {
			if p.Due <= on && p.Cash.Minor > 0 {
				amount := unit.Money{Minor: p.Cash.Minor, Currency: p.Cash.Currency}.Rat().FloatString(p.Cash.Currency.Digits())
				out += f.ID + "," + p.Due.String() + "," + p.Due.String() + "," + string(p.Cash.Currency) + "," + amount + ",made up\n"
			}
		}
	}
	return out
}
