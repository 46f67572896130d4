package market_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"ballast/market"
	"ballast/unit"
)

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

const rigCSV = `date,tier_jth,usd_per_th,kind,source
2021-05-07,<38,100,index peak,a
2022-05-07,<38,25,index,b
2022-06-01,<25,60,index,c
2022-07-01,~29.5 (S19j Pro),14.6,transaction: sold,d
2023-01-13,mixed older,8.2,lender collateral,e
2025-07,all,10-40,range,f
`

func TestRigs(t *testing.T) {
	rigs, err := market.ReadRigs(strings.NewReader(rigCSV))
	if err != nil {
		t.Fatal(err)
	}
	// Half way between 100 and 25 by ratio is 50.
	q, err := rigs.Quote(30, day("2021-11-06"), 0, market.RigIndex)
	if err != nil || math.Abs(q.Rate.PerTH()-50) > 0.2 || !q.Interpolated || len(q.From) != 2 || q.Age != 182*24*time.Hour {
		t.Errorf("%+v, %v", q, err)
	}
	// The narrower tier is taken as soon as it has a price.
	if q, err := rigs.Quote(20, day("2022-08-01"), 0, market.RigIndex); err != nil || q.Rate.PerTH() != 60 || q.Interpolated || q.Age != 61*24*time.Hour {
		t.Errorf("%+v, %v", q, err)
	}
	if q, err := rigs.Quote(20, day("2022-05-20"), 0, market.RigIndex); err != nil || q.Rate.PerTH() != 25 {
		t.Errorf("%+v, %v", q, err)
	}
	// Kinds are not mixed.
	if q, err := rigs.Quote(29.5, day("2023-02-01"), 0, market.RigLiquidation); err != nil || q.Rate.PerTH() != 8.2 || q.Kind != market.RigLiquidation {
		t.Errorf("%+v, %v", q, err)
	}
	if q, err := rigs.Quote(50, day("2025-08-01"), 0, market.RigEstimate); err != nil || math.Abs(q.Rate.PerTH()-20) > 1e-6 {
		t.Errorf("a range of 10-40 is %+v, %v", q, err)
	}
	for name, ask := range map[string]func() (market.RigQuote, error){
		"before the first": func() (market.RigQuote, error) { return rigs.Quote(30, day("2021-01-01"), 0) },
		"no tier":          func() (market.RigQuote, error) { return rigs.Quote(70, day("2022-06-01"), 0) },
		"too old": func() (market.RigQuote, error) {
			return rigs.Quote(30, day("2026-01-01"), 90*24*time.Hour, market.RigIndex)
		},
		"none of this kind": func() (market.RigQuote, error) { return rigs.Quote(30, day("2026-01-01"), 0, market.RigOffer) },
	} {
		if q, err := ask(); !errors.Is(err, market.ErrNoData) {
			t.Errorf("%s: %+v, %v", name, q, err)
		}
	}
	v, err := market.RigRateOf(15.71, unit.USD).Value(14.4 * unit.EHs)
	if err != nil || v.String() != "$226224000.00" {
		t.Errorf("14.4 EH/s at 15.71: %s, %v", v, err)
	}
	if s := market.RigRateOf(15.71, unit.USD).String(); s != "$15.71/TH" {
		t.Error(s)
	}
}

func TestReadRigsTellsEveryLine(t *testing.T) {
	_, err := market.ReadRigs(strings.NewReader("date,tier_jth,usd_per_th,kind\nyesterday,<38,1,index\n2022-01-01,<0,1,index\n2022-01-01,<38,-1,index\n2022-01-01,38-25,1,index\n2022-01-01,<38,1,index\n"))
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"line 2, column date", "line 3, column tier_jth", "line 4, column usd_per_th", "line 5, column tier_jth"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %q", want, err)
		}
	}
	if strings.Contains(err.Error(), "line 6") {
		t.Errorf("the good line is blamed: %v", err)
	}
}

func TestReadPrices(t *testing.T) {
	got, err := market.ReadPrices(strings.NewReader("\ufeffDate,Open,Close\n2014-09-17,1,457.3340148925781\n2014-09-18,1,424.44\n"), unit.USD)
	if err != nil || len(got) != 2 || got[0].Price.Minor != 45733 || !got[1].Day.Equal(day("2014-09-18")) {
		t.Errorf("%v, %v", got, err)
	}
	for name, text := range map[string]string{
		"empty": "", "no columns": "a,b\n1,2\n", "not a number": "date,close\n2020-01-01,NaN\n", "zero": "date,close\n2020-01-01,0\n",
		"backwards": "date,close\n2020-01-02,1\n2020-01-01,1\n", "missing": "date,close\n2020-01-02\n", "huge": "date,close\n2020-01-02,1" + strings.Repeat("0", 40) + "\n",
		"fraction": "date,close\n2020-01-02,1/3\n", "exponent": "date,close\n2020-01-02,1e999999999\n",
	} {
		if got, err := market.ReadPrices(strings.NewReader(text), unit.USD); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func FuzzReadTables(f *testing.F) {
	f.Add(rigCSV)
	f.Add("date,close\n2020-01-01,7200.17\n")
	f.Add("Miner_name,UNIX_date_of_release,Efficiency_J_Gh\nS9,1464739200,0.098\n")
	f.Add("date,close\n\"2020-01-01,7200.17\n")
	f.Fuzz(func(t *testing.T, text string) {
		rigs, err := market.ReadRigs(strings.NewReader(text))
		if err == nil {
			for _, r := range rigs {
				if r.Rate.Micro < 0 || r.At.IsZero() {
					t.Fatalf("%+v", r)
				}
				_, _ = rigs.Quote(29.5, r.At, 0)
			}
		}
		prices, err := market.ReadPrices(strings.NewReader(text), unit.USD)
		if err == nil {
			for i, p := range prices {
				if p.Price.Minor <= 0 || i > 0 && !p.Day.After(prices[i-1].Day) {
					t.Fatalf("%+v", prices)
				}
			}
		}
		_, _ = market.ReadReleases(strings.NewReader(text))
	})
}
