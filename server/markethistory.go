package server

import (
	"context"
	"math"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/ledger"
	"ballast/market"
)

// MarketDay is the market at the end of a day.
type MarketDay struct {
	Day        string   `json:"day" doc:"UTC."`
	Price      *float64 `json:"price_usd,omitempty"`
	Difficulty *float64 `json:"difficulty,omitempty"`
	Hashrate   *float64 `json:"network_ehs,omitempty" doc:"Mean of the day's epoch; missing while it runs."`
	Subsidy    *int64   `json:"subsidy_sat,omitempty"`
	Hashprice  *float64 `json:"hashprice_usd,omitempty" doc:"With the fees of 144 blocks where they were kept, else of the subsidy alone."`
	WithFees   bool     `json:"with_fees" doc:"hashprice_usd has fees in it."`
}

// MarketMark is something that happened.
type MarketMark struct {
	At     time.Time `json:"at"`
	Kind   string    `json:"kind" enum:"retarget,halving"`
	Change float64   `json:"change,omitempty" doc:"Of difficulty."`
	Height int64     `json:"height"`
}

type marketHistoryBody struct {
	From  string       `json:"from"`
	To    string       `json:"to"`
	Days  []MarketDay  `json:"days" doc:"Oldest first."`
	Marks []MarketMark `json:"marks"`
}

type marketHistoryInput struct {
	From string `query:"from" maxLength:"10" doc:"First day; default a year before to."`
	To   string `query:"to" maxLength:"10" doc:"Last day; default today."`
}

func (s *Server) marketHistory(ctx context.Context, in *marketHistoryInput) (*struct{ Body marketHistoryBody }, error) {
	today := time.Now().UTC().Truncate(24 * time.Hour)
	first, last := today.AddDate(-1, 0, 0), today
	for _, d := range []struct {
		text string
		into *time.Time
	}{{in.To, &last}, {in.From, &first}} {
		if d.text == "" {
			continue
		}
		t, err := time.Parse(time.DateOnly, d.text)
		if err != nil {
			return nil, huma.Error422UnprocessableEntity(d.text + " is no day such as 2026-06-30")
		}
		*d.into = t
	}
	if in.From == "" && in.To != "" {
		first = last.AddDate(-1, 0, 0)
	}
	if last.Before(first) || last.Sub(first) > 20*366*24*time.Hour {
		return nil, huma.Error422UnprocessableEntity("ask for at most twenty years, from before to")
	}
	body := marketHistoryBody{From: first.Format(time.DateOnly), To: last.Format(time.DateOnly), Days: []MarketDay{}, Marks: []MarketMark{}}
	if s.Market == nil {
		return &struct{ Body marketHistoryBody }{body}, nil
	}
	h, prices, err := s.Market.Past(ctx)
	if err != nil {
		return nil, s.fail("reading the market's history", err)
	}
	const day = 24 * time.Hour
	kept := map[string]float64{}
	points, err := s.Record.MarketPoints(ctx, ledger.SeriesHashprice, first, last.Add(day), day)
	if err != nil {
		return nil, s.recordError("reading the market's history", err)
	}
	for _, p := range points {
		kept[p.At.Format(time.DateOnly)] = p.Value
	}
	closes := map[string]float64{}
	for _, p := range prices {
		closes[p.Day.Format(time.DateOnly)] = p.Price.Float()
	}
	for d := first; !d.After(last); d = d.Add(day) {
		if row, ok := marketDay(d, h, closes, kept); ok {
			body.Days = append(body.Days, row)
		}
	}
	body.Marks = marks(h, first, last.Add(day))
	return &struct{ Body marketHistoryBody }{body}, nil
}

func marketDay(d time.Time, h market.History, closes, kept map[string]float64) (MarketDay, bool) {
	row := MarketDay{Day: d.Format(time.DateOnly)}
	noon := d.Add(12 * time.Hour)
	if p, ok := closes[row.Day]; ok {
		row.Price = &p
	}
	if e, ok := h.At(noon); ok {
		diff := e.Target.Diff()
		row.Difficulty = &diff
		if hs, ok := e.Hashrate(); ok {
			eh := hs / 1e18
			row.Hashrate = &eh
		}
		if height, ok := h.HeightAt(noon); ok {
			sub := market.Subsidy(int64(height))
			row.Subsidy = &sub
			if row.Price != nil {
				sat, _ := market.SatPerPHDay(e.Target, market.Reward{Subsidy: sub}).Float64()
				v := sat / market.Coin * *row.Price
				row.Hashprice = &v
			}
		}
	}
	if v, ok := kept[row.Day]; ok {
		row.Hashprice, row.WithFees = &v, true
	}
	return row, row.Price != nil || row.Difficulty != nil || row.Hashprice != nil
}

func marks(h market.History, from, to time.Time) []MarketMark {
	out := []MarketMark{}
	for _, e := range h {
		if e.Start.Before(from) || !e.Start.Before(to) {
			continue
		}
		if c, ok := h.Change(e.Number); ok {
			out = append(out, MarketMark{At: e.Start, Kind: "retarget", Change: c, Height: e.Height})
		}
	}
	for n := 1; n < 33; n++ {
		if at, ok := h.TimeOf(market.HalvingHeight(n)); ok && !at.Before(from) && at.Before(to) {
			out = append(out, MarketMark{At: at, Kind: "halving", Height: market.HalvingHeight(n)})
		}
	}
	return out
}

// RetargetRow is a difficulty period.
type RetargetRow struct {
	Epoch      int       `json:"epoch"`
	Height     int64     `json:"height"`
	At         time.Time `json:"at"`
	Difficulty float64   `json:"difficulty"`
	Change     *float64  `json:"change,omitempty" doc:"Against the epoch before."`
	Hashrate   *float64  `json:"network_ehs,omitempty" doc:"Missing while it runs."`
	Peak       float64   `json:"below_peak" doc:"Difficulty under the highest that was known before: -0.2 is a fifth under it."`
}

func (s *Server) retargets(ctx context.Context, in *struct {
	Limit int `query:"limit" default:"60" minimum:"1" maximum:"2000" doc:"The newest so many."`
}) (*struct{ Body []RetargetRow }, error) {
	out := []RetargetRow{}
	if s.Market == nil {
		return &struct{ Body []RetargetRow }{out}, nil
	}
	h, _, err := s.Market.Past(ctx)
	if err != nil {
		return nil, s.fail("reading the market's history", err)
	}
	peak := 0.0
	for _, e := range h {
		d := e.Target.Diff()
		peak = math.Max(peak, d)
		row := RetargetRow{Epoch: e.Number, Height: e.Height, At: e.Start, Difficulty: d, Peak: d/peak - 1}
		if c, ok := h.Change(e.Number); ok {
			row.Change = &c
		}
		if hs, ok := e.Hashrate(); ok {
			eh := hs / 1e18
			row.Hashrate = &eh
		}
		out = append(out, row)
	}
	// Newest first.
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return &struct{ Body []RetargetRow }{out[:min(in.Limit, len(out))]}, nil
}
