package ticker

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"ballast/ledger"
	"ballast/market"
	"ballast/market/feed"
	"ballast/unit"
)

// restore hands the follower the blocks that the record kept of its source.
func (w *Ticker) restore(ctx context.Context, s *source) error {
	kept, err := w.o.Record.MarketBlocks(ctx, s.Name)
	if err != nil || len(kept) == 0 {
		return err
	}
	blocks := make([]feed.Block, len(kept))
	for i, k := range kept {
		if err := json.Unmarshal(k.Body, &blocks[i]); err != nil {
			return fmt.Errorf("reading block %d: %w", k.Height, err)
		}
	}
	if err := s.follower.Restore(blocks); err != nil {
		return err
	}
	s.saved = blocks[len(blocks)-1].Hash
	return nil
}

// saveBlocks keeps what is new since the last time. After a reorganisation the
// last saved block is not among them, and all are written.
func (w *Ticker) saveBlocks(ctx context.Context, s *source, blocks []feed.Block) error {
	from := 0
	for i, b := range slices.Backward(blocks) {
		if b.Hash == s.saved {
			from = i + 1
			break
		}
	}
	if from == len(blocks) {
		return nil
	}
	rows := make([]ledger.MarketBlock, 0, len(blocks)-from)
	for _, b := range blocks[from:] {
		body, err := json.Marshal(b)
		if err != nil {
			return fmt.Errorf("writing block %d: %w", b.Height, err)
		}
		rows = append(rows, ledger.MarketBlock{Source: s.Name, Height: b.Height, Body: body})
	}
	if err := w.o.Record.SaveMarketBlocks(ctx, rows, blocks[0].Height); err != nil {
		return err
	}
	s.saved = blocks[len(blocks)-1].Hash
	return nil
}

// savePast keeps daily closes as points at the end of their day, where the
// history has nothing of that day yet.
func (w *Ticker) savePast(ctx context.Context, days []market.DayPrice, source string) error {
	if len(days) == 0 {
		return nil
	}
	const day = 24 * time.Hour
	have, err := w.o.Record.MarketPoints(ctx, ledger.SeriesPrice, days[0].Day, days[len(days)-1].Day.Add(day), day)
	if err != nil {
		return err
	}
	known := make(map[int64]bool, len(have))
	for _, p := range have {
		known[p.At.Unix()/market.DaySeconds] = true
	}
	var out []ledger.MarketPoint
	now := w.o.Now()
	for _, d := range days {
		at := d.Day.Truncate(day).Add(day - time.Second)
		if !known[at.Unix()/market.DaySeconds] && at.Before(now) {
			out = append(out, ledger.MarketPoint{Series: ledger.SeriesPrice, At: at, Value: d.Price.Float(), Source: source})
		}
	}
	return w.o.Record.SaveMarketPoints(ctx, out)
}

// point keeps the numbers of now for the history, every ten minutes.
func (w *Ticker) point(ctx context.Context) error {
	now := w.o.Now()
	w.mu.Lock()
	due := now.Sub(w.pointed) >= pointEvery
	w.mu.Unlock()
	if !due {
		return nil
	}
	st := w.State()
	var out []ledger.MarketPoint
	if p, ok := st.Price.Get(); ok && !p.ByHand {
		out = append(out, ledger.MarketPoint{Series: ledger.SeriesPrice, At: now, Value: p.Value.Float(), Source: p.Source})
	}
	if p, ok := st.Fees.Get(); ok && !p.ByHand {
		out = append(out, ledger.MarketPoint{Series: ledger.SeriesFees, At: now, Value: p.Value, Source: p.Source})
	}
	if p, ok := st.Difficulty.Get(); ok && !p.ByHand {
		out = append(out, ledger.MarketPoint{Series: ledger.SeriesDifficulty, At: now, Value: p.Value, Source: p.Source})
	}
	if p, ok := st.Hashprice.Get(); ok {
		out = append(out, ledger.MarketPoint{Series: ledger.SeriesHashprice, At: now, Value: p.Value.PerPHDay(), Source: p.Source})
	}
	if len(out) == 0 {
		return nil
	}
	if err := w.o.Record.SaveMarketPoints(ctx, out); err != nil {
		return err
	}
	w.mu.Lock()
	w.pointed = now
	w.mu.Unlock()
	return nil
}

// Past is the history as market reckons with it: the epochs that are known
// without a hole up to the newest, and the daily closes.
func (w *Ticker) Past(ctx context.Context) (market.History, []market.DayPrice, error) {
	w.mu.Lock()
	epochs := w.epochs
	w.mu.Unlock()
	starts := make([]market.Start, 0, len(epochs))
	for _, e := range epochs {
		starts = append(starts, market.Start{Number: e.Number, Time: e.At, Bits: market.Bits(e.Bits)})
	}
	h, err := market.HistoryOf(starts)
	if err != nil && len(starts) > 0 {
		return nil, nil, err
	}
	const day = 24 * time.Hour
	points, err := w.o.Record.MarketPoints(ctx, ledger.SeriesPrice, time.Unix(1, 0), w.o.Now().Truncate(day), day)
	if err != nil {
		return nil, nil, err
	}
	var prices []market.DayPrice
	for _, p := range points {
		prices = append(prices, market.DayPrice{Day: p.At.Truncate(day), Price: unit.Money{Minor: int64(p.Value*100 + 0.5), Currency: unit.USD}})
	}
	return h, prices, nil
}
