// Package evidence reckons, from outside data, every figure that Ballast's
// market and debt packages claim to reproduce, and sets it beside its
// reference. References are written down here with their tolerance; results
// never are.
package evidence

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/big"
	"time"

	"ballast/debt"
	"ballast/debt/outlook"
	"ballast/market"
	"ballast/unit"
)

// Figure is one result beside its reference.
type Figure struct {
	Group     string  `json:"group"`
	Name      string  `json:"name"`
	Got       string  `json:"got"`
	Want      string  `json:"want"`
	Off       float64 `json:"off_percent"`
	Tolerance string  `json:"tolerance"`
	Pass      bool    `json:"pass"`
	Note      string  `json:"note,omitempty"`
}

// Report is everything that was reckoned.
type Report struct {
	Figures  []Figure         `json:"figures"`
	Backtest debt.Backtest    `json:"backtest"`
	Scores   []outlook.Score  `json:"retarget_scores"`
	Claims   []debt.ClaimRow  `json:"claims"`
	Inputs   debt.ClaimInputs `json:"-"`
}

// Failed counts the figures that miss their reference.
func (r Report) Failed() int {
	n := 0
	for _, f := range r.Figures {
		if !f.Pass {
			n++
		}
	}
	return n
}

// Data is what the figures are reckoned from.
type Data struct {
	History  market.History
	Prices   []market.DayPrice
	Days     []market.Day
	Releases []market.Released
	Rigs     market.Rigs
	Cases    []debt.Case
	Peers    *market.Table
	States   *market.Table
	Yearly   map[int]float64 // Cambridge's published energy at 5 c, TWh, mean of each year
}

// Load reads a folder. A file that is missing or cannot be read is an error
// that names it; all are told together.
func Load(dir fs.FS) (Data, error) {
	var d Data
	var bad []error
	read := func(name string, take func(fs.File) error) {
		f, err := dir.Open(name)
		if err == nil {
			err = take(f)
			_ = f.Close() // only read from
		}
		if err != nil {
			bad = append(bad, fmt.Errorf("reading %s: %w", name, err))
		}
	}
	read("electrum_checkpoints.json", func(f fs.File) (err error) { d.History, err = market.ReadCheckpoints(f); return })
	read("btcusd_daily_yahoo_2014_2026.csv", func(f fs.File) (err error) { d.Prices, err = market.ReadPrices(f, unit.USD); return })
	read("cbeci_miners.csv", func(f fs.File) (err error) { d.Releases, err = market.ReadReleases(f); return })
	read("asic_price_points.csv", func(f fs.File) (err error) { d.Rigs, err = market.ReadRigs(f); return })
	read("miner_backtest_2022_2024.csv", func(f fs.File) (err error) { d.Cases, err = debt.ReadCases(f); return })
	read("miner_peers_2025_2026.csv", func(f fs.File) (err error) { d.Peers, err = market.ReadTable(f); return })
	read("eia_2023_state_avg_price_cents_kwh.csv", func(f fs.File) (err error) { d.States, err = market.ReadTable(f); return })
	read("cbeci_annualized_twh_by_elec_price_2010_2023.csv", func(f fs.File) error {
		t, err := market.ReadTable(f)
		if err != nil {
			return err
		}
		sum, n := map[int]float64{}, map[int]float64{}
		for i := range t.Len() {
			at, err := t.Date(i, "date")
			if err != nil {
				return err
			}
			v, err := t.Float(i, "0.05")
			if err != nil {
				return err
			}
			if x, ok := v.Get(); ok {
				sum[at.Year()] += x
				n[at.Year()]++
			}
		}
		d.Yearly = map[int]float64{}
		for y := range sum {
			d.Yearly[y] = sum[y] / n[y]
		}
		return nil
	})
	if len(bad) > 0 {
		return d, errors.Join(bad...)
	}
	var err error
	d.Days, err = market.Daily(d.History, d.Prices)
	return d, err
}

// Run reckons everything.
func Run(d Data) (Report, error) {
	var r Report
	for _, part := range []func(Data, *Report) error{vectors, hashprices, realised, retargets, halvings, energy, backtest, odds, claims} {
		if err := part(d, &r); err != nil {
			return r, err
		}
	}
	return r, nil
}

func (r *Report) exact(group, name, got, want string) {
	r.Figures = append(r.Figures, Figure{Group: group, Name: name, Got: got, Want: want, Tolerance: "exact", Pass: got == want})
}

func (r *Report) within(group, name string, got, want, percent float64, format, note string) {
	off := 100 * (got/want - 1)
	r.Figures = append(r.Figures, Figure{Group: group, Name: name, Got: fmt.Sprintf(format, got), Want: fmt.Sprintf(format, want), Off: off, Tolerance: fmt.Sprintf("%g %%", percent), Pass: math.Abs(off) <= percent, Note: note})
}

// The vectors of Bitcoin Core and of Hayes.
func vectors(_ Data, r *Report) error {
	for _, v := range []struct {
		name        string
		first, last int64
		old         market.Bits
		want        string
	}{
		{"retarget, first of the chain", 1261130161, 1262152739, 0x1d00ffff, "1d00d86a"},
		{"retarget, held to the limit", 1231006505, 1233061996, 0x1d00ffff, "1d00ffff"},
		{"retarget, clamped at a quarter", 1279008237, 1279297671, 0x1c05a3f4, "1c0168fd"},
		{"retarget, clamped at four times", 1263163443, 1269211443, 0x1c387f6f, "1d00e1fd"},
	} {
		b, err := market.Retarget(v.old, v.first, v.last)
		if err != nil {
			return err
		}
		r.exact("pow vectors", v.name, fmt.Sprintf("%08x", uint32(b)), v.want)
	}
	power := unit.EnergyPriceOf(135, unit.USD)
	sat := market.SatPerPHDayOver(market.HashesAtDifficulty(big.NewRat(60_883_825_480, 1)), market.Reward{Subsidy: 1_250_000_000})
	p, err := market.BreakEvenPrice(market.Hashcost(750, power, 1), sat)
	if err != nil {
		return err
	}
	r.exact("break-even", "Hayes' bound, D 60,883,825,480, 0.135 $/kWh, 0.75 W/GH", p.FloatString(4), "588.3616")
	return nil
}

func hashprices(_ Data, r *Report) error {
	for _, v := range []struct {
		name          string
		difficulty    int64
		price         int64
		subsidy       int64
		share         int64 // of fees in the reward, in 1/10000
		want, percent float64
	}{
		{"24 July 2021", 13_670_000_000_000, 33_806, 625_000_000, 126, 315, 1.6},
		{"7 August 2021", 14_496_000_000_000, 43_629, 625_000_000, 134, 383.5, 1.6},
		{"3 March 2025", 110_570_000_000_000, 86_350, 312_500_000, 193, 49.40, 1.6},
		{"D 1e14 at 100,000, by the formula", 100_000_000_000_000, 100_000, 312_500_000, 0, 62.864, 0.002},
	} {
		t, err := market.TargetAt(big.NewRat(v.difficulty, 1))
		if err != nil {
			return err
		}
		w, err := market.RewardWithFeeShare(v.subsidy, big.NewRat(v.share, 10000))
		if err != nil {
			return err
		}
		h, err := market.HashpriceOf(t, w, unit.Money{Minor: v.price * 100, Currency: unit.USD})
		if err != nil {
			return err
		}
		r.within("hashprice", v.name, h.PerPHDay(), v.want, v.percent, "%.3f", "")
	}
	return nil
}

func realised(d Data, r *Report) error {
	for _, v := range []struct {
		name string
		btc  int64
		y    int
		m    time.Month
		fee  float64
		want float64
	}{
		{"MARA, October 2024, 717 BTC", 717, 2024, time.October, 0.03, 32.43},
		{"CleanSpark, October 2024, 655 BTC", 655, 2024, time.October, 0.03, 29.62},
		{"CleanSpark, September 2024, 493 BTC", 493, 2024, time.September, 0.02, 23.33},
	} {
		from := time.Date(v.y, v.m, 1, 0, 0, 0, 0, time.UTC)
		x, err := market.RealisedHashrate(market.Production{From: from, To: from.AddDate(0, 1, 0), Mined: unit.Money{Minor: v.btc * market.Coin, Currency: unit.BTC}, FeeShare: v.fee, FeeShareError: 0.01}, d.History)
		if err != nil {
			return err
		}
		r.within("realised hashrate", v.name, float64(x.Hashrate/unit.EHs), v.want, 1.5, "%.2f EH/s", fmt.Sprintf("fees taken as %.0f %% of the reward; own tolerance %.1f %%", 100*v.fee, 100*x.Tolerance))
	}
	return nil
}

func retargets(d Data, r *Report) error {
	n := len(d.History) - 1
	bad := len(d.History.Check())
	r.exact("retargets", fmt.Sprintf("every retarget since 2009 (%d, to height %d)", n, d.History[n].Height), fmt.Sprintf("%d reproduced", n-bad), fmt.Sprintf("%d reproduced", n))
	for _, e := range d.History {
		if c, ok := d.History.Change(e.Number); ok && e.Start.Year() == 2026 && e.Start.Month() == time.February && c < -0.05 {
			r.exact("retargets", "February 2026, 141.67T to 125.86T", fmt.Sprintf("%+.2f %%", 100*c), "-11.16 %")
		}
	}
	return nil
}

func halvings(d Data, r *Report) error {
	for _, v := range []struct {
		height int64
		at     string // header time of the block
	}{
		{210_000, "2012-11-28T15:24:38Z"}, {420_000, "2016-07-09T16:46:13Z"}, {630_000, "2020-05-11T19:23:43Z"}, {840_000, "2024-04-20T00:09:27Z"},
	} {
		want, err := time.Parse(time.RFC3339, v.at)
		if err != nil {
			return err
		}
		got, ok := d.History.TimeOf(v.height)
		off := got.Sub(want).Hours()
		r.Figures = append(r.Figures, Figure{Group: "halvings", Name: fmt.Sprintf("block %d", v.height), Got: got.Format("2006-01-02 15:04"), Want: want.Format("2006-01-02 15:04"),
			Tolerance: "a day", Pass: ok && math.Abs(off) <= 24, Note: fmt.Sprintf("%+.1f h; from targets alone", off)})
	}
	return nil
}

// energy holds Cambridge's yearly figures against the model. The reference's
// rounded figures are those of the file that is read.
func energy(d Data, r *Report) error {
	var days []market.NetworkDay
	for _, x := range d.Days {
		if x.Hashrate > 0 {
			days = append(days, market.NetworkDay{Day: x.Day, Hashrate: x.Hashrate, Revenue: x.Hashprice * x.Hashrate / 1e15})
		}
	}
	got, err := market.CBECI(0.05).Energy(days, d.Releases)
	if err != nil {
		return err
	}
	year := market.YearlyMean(got)
	for y, ref := range map[int]float64{2016: 5.7, 2017: 12.9, 2018: 43.4, 2019: 54.7, 2020: 67.0} {
		if math.Abs(d.Yearly[y]-ref) > 0.06 {
			return fmt.Errorf("the published energy of %d in the data is %.2f TWh, the reference says %.1f", y, d.Yearly[y], ref)
		}
	}
	for y := 2016; y <= 2020; y++ {
		r.within("network energy at 5 c/kWh", fmt.Sprint(y), year[y], d.Yearly[y], 6, "%.1f TWh", "")
	}
	return nil
}

func backtest(d Data, r *Report) error {
	b, err := debt.BacktestOf(d.Cases, 1.5, 1.8)
	if err != nil {
		return err
	}
	r.Backtest = b
	r.exact("back-test", fmt.Sprintf("AUC of the ratio, n = %d", b.N), fmt.Sprintf("%.2f", b.RatioAUC), "0.71")
	line := func(a debt.AtLine) string {
		return fmt.Sprintf("%d of %d, %d of %d false", a.Caught, a.Distressed, a.FalseAlarm, a.Survive)
	}
	r.exact("back-test", "distressed over 1.5", line(b.Lines[0]), "6 of 7, 2 of 6 false")
	return nil
}

func odds(d Data, r *Report) error {
	ms := outlook.Moments(d.History, d.Prices)
	year := func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
	out, err := outlook.YearOut(ms, -0.05, year(2016))
	if err != nil {
		return err
	}
	r.Scores = append(r.Scores, out)
	for _, y := range []int{2018, 2021} {
		f, err := outlook.Forward(ms, -0.05, year(y))
		if err != nil {
			return err
		}
		r.Scores = append(r.Scores, f)
	}
	for _, s := range r.Scores {
		var noise float64
		for _, b := range s.Bins {
			noise = max(noise, b.Error)
		}
		r.Figures = append(r.Figures, Figure{Group: "P(next retarget <= -5 %)", Name: s.How, Got: fmt.Sprintf("worst bin %.1f points off", 100*s.Worst), Want: "each of 4 bins within 3", Tolerance: "3 points", Pass: s.Worst <= outlook.Within,
			Note: fmt.Sprintf("n %d, events %d, Brier %.4f, base rate %.4f (skill %+.1f %%); one standard error of a bin is up to %.1f points; forecasts that are exactly right would meet this line in %.0f %% of histories; calibration z %+.1f (right within 2)", s.N, s.Events, s.Brier, s.BaseBrier, 100*s.Skill(), 100*noise, 100*s.Attainable, s.Z)})
	}
	return nil
}
