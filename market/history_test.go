package market_test

import (
	"math"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ballast/market"
	"ballast/unit"
)

// econ opens a file of outside data, which tests do without when it is absent.
func econ(t *testing.T, name string) *os.File {
	t.Helper()
	dir := os.Getenv("BALLAST_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared")
	}
	f, err := os.Open(filepath.Join(dir, "data", "econ", name))
	if err != nil {
		t.Skip("outside data is not here: ", err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func history(t *testing.T) market.History {
	t.Helper()
	h, err := market.ReadCheckpoints(econ(t, "electrum_checkpoints.json"))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestHistory(t *testing.T) {
	h := history(t)
	if len(h) != 474 || h[473].Height != 953_568 {
		t.Fatalf("%d epochs, the last at height %d", len(h), h[len(h)-1].Height)
	}
	if bad := h.Check(); len(bad) > 0 {
		t.Error(strings.Join(bad, "\n"))
	}
	// Known header times of the halvings' blocks.
	for _, v := range []struct {
		height int64
		at     string
	}{
		{210_000, "2012-11-28T15:24:38Z"}, {420_000, "2016-07-09T16:46:13Z"}, {630_000, "2020-05-11T19:23:43Z"}, {840_000, "2024-04-20T00:09:27Z"},
	} {
		want, _ := time.Parse(time.RFC3339, v.at)
		got, ok := h.TimeOf(v.height)
		if d := got.Sub(want); !ok || d.Abs() > 24*time.Hour {
			t.Errorf("halving at %d: %v, want %v (%.1f h off)", v.height, got, want, d.Hours())
		} else {
			t.Logf("halving at %d: %.1f h off", v.height, d.Hours())
		}
		back, ok := h.HeightAt(got)
		if !ok || math.Abs(back-float64(v.height)) > 0.5 {
			t.Errorf("height at %v: %v, want %d", got, back, v.height)
		}
	}
	// The largest cut since 2021, as the press gave it: 141.67T to 125.86T.
	for _, e := range h {
		if e.Start.Year() == 2026 && e.Start.Month() == time.February && e.Target.Diff() < 130e12 {
			if c, _ := h.Change(e.Number); math.Round(c*1e4) != -1116 {
				t.Errorf("retarget of %v: %+.4f", e.Start, c)
			}
			return
		}
	}
	t.Error("no retarget in February 2026")
}

func TestReadCheckpointsRefuses(t *testing.T) {
	const genesisHash = "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f"
	limit := market.Limit().Big().String()
	for name, text := range map[string]string{
		"no JSON":           "}",
		"empty":             "[]",
		"not pairs":         `[1,2]`,
		"short hash":        `[["00",` + limit + `]]`,
		"hash over target":  `[["` + strings.Repeat("ff", 32) + `",` + limit + `]]`,
		"too many digits":   `[["` + genesisHash + `",26959535291011309493156476344723991336010898738574164086137773096961]]`,
		"impossible step":   `[["` + genesisHash + `",` + new(big.Int).Rsh(market.Limit().Big(), 8).String() + `]]`,
		"fraction":          `[["` + genesisHash + `",1.5]]`,
		"negative":          `[["` + genesisHash + `",-5]]`,
		"null":              `[null]`,
		"target as string":  `[["` + genesisHash + `","` + limit + `"]]`,
		"more than 256 bit": `[["` + genesisHash + `",1` + strings.Repeat("0", 90) + `]]`,
	} {
		if h, err := market.ReadCheckpoints(strings.NewReader(text)); err == nil {
			t.Errorf("%s: read as %v", name, h)
		}
	}
	if h, err := market.ReadCheckpoints(strings.NewReader(`[["` + genesisHash + `",` + limit + `]]`)); err != nil || len(h) != 2 {
		t.Errorf("a good pair: %v, %v", h, err)
	}
}

func FuzzReadCheckpoints(f *testing.F) {
	f.Add(`[["000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",26959535291011309493156476344723991336010898738574164086137773096960]]`)
	f.Add(`[["00",1],[null,{}]]`)
	f.Fuzz(func(t *testing.T, text string) {
		h, err := market.ReadCheckpoints(strings.NewReader(text))
		if err == nil && len(h.Check()) > 0 {
			t.Fatalf("read without complaint: %v", h.Check())
		}
	})
}

func TestRealisedHashrate(t *testing.T) {
	h := history(t)
	month := func(y int, m time.Month) (time.Time, time.Time) {
		from := time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
		return from, from.AddDate(0, 1, 0)
	}
	for _, v := range []struct {
		name       string
		btc        int64
		y          int
		m          time.Month
		fee, want  float64
		tolPercent float64
	}{
		{"MARA Oct-24", 717, 2024, 10, 0.03, 32.43, 1.5},
		{"CleanSpark Oct-24", 655, 2024, 10, 0.03, 29.62, 1.5},
		{"CleanSpark Sep-24", 493, 2024, 9, 0.02, 23.33, 1.5},
	} {
		from, to := month(v.y, v.m)
		r, err := market.RealisedHashrate(market.Production{From: from, To: to, Mined: unit.Money{Minor: v.btc * market.Coin, Currency: unit.BTC}, FeeShare: v.fee, FeeShareError: 0.01}, h)
		if err != nil {
			t.Fatal(err)
		}
		eh := float64(r.Hashrate / unit.EHs)
		if off := math.Abs(eh/v.want-1) * 100; off > v.tolPercent {
			t.Errorf("%s: %.2f EH/s, want %v", v.name, eh, v.want)
		}
		t.Logf("%s: %.2f EH/s (published %v), tolerance %.1f %%", v.name, eh, v.want, r.Tolerance*100)
	}
	// A production that is exactly one EH/s' is realised as one EH/s, also over
	// a halving.
	from, to := time.Date(2024, 4, 10, 0, 0, 0, 0, time.UTC), time.Date(2024, 5, 10, 0, 0, 0, 0, time.UTC)
	p := market.Production{From: from, To: to, Mined: unit.Money{Minor: 100 * market.Coin, Currency: unit.BTC}}
	whole, err := market.RealisedHashrate(p, h)
	if err != nil {
		t.Fatal(err)
	}
	half, _ := h.TimeOf(840_000)
	a, b := p, p
	a.To, b.From = half, half
	ra, err1 := market.RealisedHashrate(a, h)
	rb, err2 := market.RealisedHashrate(b, h)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if got, want := whole.PerEHDay*whole.Days, ra.PerEHDay*ra.Days+rb.PerEHDay*rb.Days; math.Abs(got-want) > 1e-9 {
		t.Errorf("the parts before and after the halving earn %v, the whole %v", want, got)
	}
	if ra.PerEHDay < 1.9*rb.PerEHDay {
		t.Errorf("%v BTC before, %v after the halving", ra.PerEHDay, rb.PerEHDay)
	}
}

func TestEnergy(t *testing.T) {
	h := history(t)
	prices, err := market.ReadPrices(econ(t, "btcusd_daily_yahoo_2014_2026.csv"), unit.USD)
	if err != nil {
		t.Fatal(err)
	}
	rigs, err := market.ReadReleases(econ(t, "cbeci_miners.csv"))
	if err != nil {
		t.Fatal(err)
	}
	series, err := market.Daily(h, prices)
	if err != nil {
		t.Fatal(err)
	}
	days := make([]market.NetworkDay, 0, len(series))
	for _, d := range series {
		if d.Hashrate > 0 {
			days = append(days, market.NetworkDay{Day: d.Day, Hashrate: d.Hashrate, Revenue: d.Hashprice * d.Hashrate / 1e15})
		}
	}
	got, err := market.CBECI(0.05).Energy(days, rigs)
	if err != nil {
		t.Fatal(err)
	}
	year := market.YearlyMean(got)
	for y, want := range map[int]float64{2016: 5.7, 2017: 12.9, 2018: 43.4, 2019: 54.7, 2020: 67.0} {
		if off := math.Abs(year[y]/want-1) * 100; off > 6 {
			t.Errorf("%d: %.1f TWh, published %v", y, year[y], want)
		}
		t.Logf("%d: %.1f TWh (published %v)", y, year[y], want)
	}
}

func TestDailyHashprice(t *testing.T) {
	prices, err := market.ReadPrices(econ(t, "btcusd_daily_yahoo_2014_2026.csv"), unit.USD)
	if err != nil {
		t.Fatal(err)
	}
	days, err := market.Daily(history(t), prices)
	if err != nil {
		t.Fatal(err)
	}
	var sum, hi float64
	lo, n := math.Inf(1), 0.0
	for _, d := range days {
		if d.Day.Year() == 2022 {
			sum, n = sum+d.Hashprice, n+1
			hi, lo = max(hi, d.Hashprice), min(lo, d.Hashprice)
		}
	}
	t.Logf("2022: mean %.1f, high %.1f, low %.1f", sum/n, hi, lo)
	for _, v := range []struct{ got, want, percent float64 }{{sum / n, 123.88, 1.7}, {hi, 246.86, 1.6}, {lo, 55.94, 4.5}} {
		if math.Abs(v.got/v.want-1)*100 > v.percent {
			t.Errorf("%v, published %v", v.got, v.want)
		}
	}
}
