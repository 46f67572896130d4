package evidence

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"ballast/debt"
	"ballast/debt/outlook"
	"ballast/market"
	"ballast/unit"
)

// claims gathers what the press article's figures are held against.
func claims(d Data, r *Report) error {
	var in debt.ClaimInputs
	h := d.History
	for _, e := range slices.Backward(h) {
		if hs, ok := e.Hashrate(); ok {
			in.NetworkEH = unit.Some(hs / 1e18)
			break
		}
	}
	var sum, n float64
	for _, e := range h {
		if hs, ok := e.Hashrate(); ok && e.Start.Year() == 2025 && e.Start.Month() <= time.June {
			sum, n = sum+hs/1e18, n+1
		}
	}
	if n > 0 {
		in.NetworkThen = unit.Some(sum / n)
	}
	if c, ok := h.Change(len(h) - 1); ok {
		in.RetargetNow = unit.Some(c)
	}
	last := h[len(h)-1]
	sat, _ := market.SatPerPHDay(last.Target, market.Reward{Subsidy: market.Subsidy(last.Height)}).Float64()
	in.SatPHDay = unit.Some(sat)
	in.Hashprice = unit.Some(sat / market.Coin * d.Prices[len(d.Prices)-1].Price.Float())
	lo, hi := math.Inf(1), 0.0
	var newest time.Time
	for _, p := range d.Rigs {
		if p.Kind == market.RigIndex {
			lo, hi = min(lo, p.Rate.PerTH()), max(hi, p.Rate.PerTH())
		}
		if p.Kind != market.RigEstimate && p.Kind != market.RigLiquidation && p.At.After(newest) {
			newest = p.At
			in.IndexPerTH = unit.Some(p.Rate.PerTH())
		}
	}
	if hi > 0 {
		in.IndexLow, in.IndexHigh = unit.Some(lo), unit.Some(hi)
	}
	in.PublicEH = peer(d.Peers, "top public miners combined", "realized hashrate", 0)
	in.SectorBefore = peer(d.Peers, "sector", "total debt", 0)
	in.SectorDebt = peer(d.Peers, "sector", "total debt", 1)
	in.QuarterFlow = peer(d.Peers, "15 public miners", "debt+convert issuance in quarter", 0)
	if v, ok := peer(d.Peers, "industry (ccaf survey", "median electricity", 0).Get(); ok {
		in.MinerPower = unit.Some(v / 1000)
	}
	in.StatePower = map[string]float64{}
	for i := range d.States.Len() {
		v, err := d.States.Float(i, "industrial")
		if err != nil {
			return err
		}
		if x, ok := v.Get(); ok {
			in.StatePower[d.States.Text(i, "state")] = x
		}
	}
	in.RatioAUC, in.RatioCases = unit.Some(r.Backtest.RatioAUC), r.Backtest.N
	for _, f := range outlook.Falls(h, time.Date(2022, 10, 1, 0, 0, 0, 0, time.UTC), 0.05) {
		if f.Peak.Year() == 2022 && f.Peak.Month() == time.November {
			in.TailDepth = unit.Some(f.Depth)
		}
	}
	r.Inputs = in
	r.Claims = debt.Claims(in)
	for _, c := range r.Claims {
		if strings.HasPrefix(c.Figure, "$25 bn of debt at a ratio of 1.8") {
			r.within("the claim", "25e9/1.8 over the whole network", c.Result, 17, 10, "%.1f USD/TH", c.Formula)
		}
	}
	return nil
}

// peer finds the n-th number in the value of a row; rows are matched by how
// company and metric begin.
func peer(t *market.Table, company, metric string, n int) unit.Opt[float64] {
	for i := range t.Len() {
		if !strings.HasPrefix(strings.ToLower(t.Text(i, "company")), company) || !strings.HasPrefix(strings.ToLower(t.Text(i, "metric")), metric) {
			continue
		}
		k := 0
		for _, word := range strings.FieldsFunc(t.Text(i, "value"), func(c rune) bool { return (c < '0' || c > '9') && c != '.' }) {
			v, err := strconv.ParseFloat(word, 64)
			if err != nil {
				continue
			}
			if k == n {
				return unit.Some(v)
			}
			k++
		}
	}
	return unit.None[float64]()
}
