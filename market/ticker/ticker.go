// Package ticker keeps the market of now: it asks the configured sources in turn,
// keeps what they tell in the record, takes numbers that people enter where no
// source tells them, and answers what a bitcoin costs, what the network pays
// and when it changes, each number with its age and its source.
//
// It is the part of the room market that looks; market itself is pure and
// market/feed reads single sources.
package ticker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"ballast/ledger"
	"ballast/market"
	"ballast/market/feed"
	"ballast/unit"
)

// Feed is one configured source, with what it gives; nil for what it does not.
type Feed struct {
	Name      string
	Kind      string // mempool, node, csv
	Chain     feed.Chain
	Rules     feed.Rules
	Quotes    feed.Quotes
	Past      func(context.Context) ([]market.DayPrice, error)
	Pools     func(context.Context) (feed.Stamped[[]feed.PoolShare], error)
	Simulated bool
	// Epochs is how many earlier epochs are asked for at each poll until all are
	// known: few of somebody else's explorer.
	Epochs int
}

// Options are what the ticker stands on.
type Options struct {
	Record   ledger.Market
	Feeds    []Feed
	Interval time.Duration    // between polls; zero: a minute
	Past     History          // of files: earlier epochs and prices
	Now      func() time.Time // nil: time.Now
	Log      *slog.Logger
}

// History is what is known of the past before any source is asked.
type History struct {
	Epochs []ledger.MarketEpoch
	Prices []market.DayPrice
	Source string
}

// keepBlocks is two days: fees are averaged over one, and a reorganisation is
// never as deep as the other.
const keepBlocks = 2 * market.FeeBlocks

// pointEvery is how often a number is kept for the history.
const pointEvery = 10 * time.Minute

// source is a feed and how it has fared.
type source struct {
	Feed
	follower *feed.Follower
	restored bool
	saved    [32]byte // hash of the newest block in the record
	oldest   int      // epoch before which the chain tells nothing; 0: not met yet
	pastAt   time.Time
	poolsAt  time.Time

	asked, answered time.Time
	failure         string
}

// Ticker keeps the market of now. It is safe for concurrent use.
type Ticker struct {
	o       Options
	sources []*source

	mu      sync.Mutex
	price   unit.Opt[feed.Stamped[unit.Money]]
	chain   unit.Opt[chainNow]
	pools   unit.Opt[feed.Stamped[[]feed.PoolShare]]
	entries map[string]ledger.MarketEntry // newest of each series that was not withdrawn
	epochs  []ledger.MarketEpoch
	states  []Source
	pointed time.Time
	wake    chan struct{}
}

// chainNow is what one source tells of the chain.
type chainNow struct {
	tip    feed.Block
	epoch  feed.Stamped[market.EpochState]
	reward unit.Opt[feed.Stamped[market.Reward]]
	name   string
}

// New makes a ticker; Run starts it.
func New(o Options) *Ticker {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Interval <= 0 {
		o.Interval = time.Minute
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	w := &Ticker{o: o, entries: map[string]ledger.MarketEntry{}, wake: make(chan struct{}, 1)}
	for _, f := range o.Feeds {
		s := &source{Feed: f}
		if f.Chain != nil {
			s.follower = feed.NewFollower(f.Chain, f.Rules, keepBlocks, o.Now)
		}
		w.sources = append(w.sources, s)
	}
	return w
}

// Run polls until ctx ends. Sources that fail are told in State and asked again.
func (w *Ticker) Run(ctx context.Context) error {
	if err := w.begin(ctx); err != nil {
		return err
	}
	tick := time.NewTicker(w.o.Interval)
	defer tick.Stop()
	for {
		w.Poll(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-w.wake:
		}
	}
}

// begin reads what the record has and writes what the files know.
func (w *Ticker) begin(ctx context.Context) error {
	if n := len(w.o.Past.Epochs); n > 0 {
		if err := w.o.Record.SaveMarketEpochs(ctx, w.o.Past.Epochs); err != nil {
			return err
		}
	}
	if len(w.o.Past.Prices) > 0 {
		if err := w.savePast(ctx, w.o.Past.Prices, w.o.Past.Source); err != nil {
			return err
		}
	}
	return w.Reload(ctx)
}

// Reload reads entries and epochs anew; who enters a number by hand calls it.
func (w *Ticker) Reload(ctx context.Context) error {
	epochs, err := w.o.Record.MarketEpochs(ctx)
	if err != nil {
		return err
	}
	newest := map[string]ledger.MarketEntry{}
	for before := int64(0); ; {
		page, err := w.o.Record.MarketEntries(ctx, before, 500)
		if err != nil {
			return err
		}
		for _, e := range page {
			before = e.ID
			if old, ok := newest[e.Series]; e.WithdrawnAt.IsZero() && (!ok || e.At.After(old.At)) {
				newest[e.Series] = e
			}
		}
		if len(page) < 500 {
			break
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.epochs, w.entries = epochs, newest
	return nil
}

// Poll asks every source once, one after the other, and keeps what came.
func (w *Ticker) Poll(ctx context.Context) {
	var quotes []feed.Quotes
	chained, pooled := false, false
	for _, s := range w.sources {
		s.asked = w.o.Now()
		got, err := w.ask(ctx, s)
		if ctx.Err() != nil {
			return
		}
		if s.failure = ""; err != nil {
			if s.failure = err.Error(); !errors.Is(err, feed.ErrWaiting) {
				w.o.Log.Warn("a market source failed", "source", s.Name, "error", err)
			}
		} else {
			s.answered = w.o.Now()
		}
		if p, ok := got.price.Get(); ok {
			quotes = append(quotes, told{p})
		}
		price := w.median(ctx, quotes)
		w.mu.Lock()
		if price.Ok() {
			w.price = price
		}
		// The first source in the configuration's order that is up to date counts.
		if got.chain.Ok() && !chained {
			w.chain, chained = got.chain, true
		}
		if got.pools.Ok() && !pooled {
			w.pools, pooled = got.pools, true
		}
		w.states = w.states[:0:0]
		for _, s := range w.sources {
			w.states = append(w.states, s.state())
		}
		w.mu.Unlock()
	}
	if err := w.point(ctx); err != nil && ctx.Err() == nil {
		w.o.Log.Error("keeping the market's history", "error", err)
	}
}

// median joins what the sources quote.
func (w *Ticker) median(ctx context.Context, quotes []feed.Quotes) unit.Opt[feed.Stamped[unit.Money]] {
	if len(quotes) == 0 {
		return unit.None[feed.Stamped[unit.Money]]()
	}
	p, err := feed.Median{Of: quotes, MaxAge: 48 * time.Hour, Now: w.o.Now}.Price(ctx, unit.USD)
	if err != nil {
		w.o.Log.Warn("no price is new enough", "error", err)
		return unit.None[feed.Stamped[unit.Money]]()
	}
	return unit.Some(p)
}

// told is a price that was asked for already.
type told struct{ p feed.Stamped[unit.Money] }

func (t told) Price(context.Context, unit.Currency) (feed.Stamped[unit.Money], error) {
	return t.p, nil
}

type answer struct {
	price unit.Opt[feed.Stamped[unit.Money]]
	chain unit.Opt[chainNow]
	pools unit.Opt[feed.Stamped[[]feed.PoolShare]]
}

// ask gets from one source what it has. What came before an error counts.
func (w *Ticker) ask(ctx context.Context, s *source) (a answer, err error) {
	var errs []error
	if s.Quotes != nil {
		if p, err := s.Quotes.Price(ctx, unit.USD); err != nil {
			errs = append(errs, err)
		} else {
			p.Source = s.label(p.Source)
			a.price = unit.Some(p)
		}
	}
	if s.Chain != nil {
		c, err := w.follow(ctx, s)
		if err != nil {
			errs = append(errs, err)
		} else {
			a.chain = unit.Some(c)
			if err := w.backfill(ctx, s, c); err != nil {
				errs = append(errs, err)
			}
		}
	}
	now := w.o.Now()
	if s.Pools != nil && now.Sub(s.poolsAt) > 30*time.Minute {
		if p, err := s.Pools(ctx); err != nil {
			errs = append(errs, err)
		} else {
			p.Source = s.label(p.Source)
			s.poolsAt, a.pools = now, unit.Some(p)
		}
	}
	if s.Past != nil && now.Sub(s.pastAt) > 24*time.Hour {
		s.pastAt = now // once a day, whatever comes of it
		days, err := s.Past(ctx)
		if err == nil {
			err = w.savePast(ctx, days, s.label(s.Name))
		}
		if err != nil {
			errs = append(errs, err)
		}
	}
	return a, errors.Join(errs...)
}

func (s *source) label(name string) string {
	if s.Simulated {
		return "simulated: " + name
	}
	return name
}

func (w *Ticker) follow(ctx context.Context, s *source) (chainNow, error) {
	if !s.restored {
		s.restored = true
		if err := w.restore(ctx, s); err != nil {
			w.o.Log.Warn("the blocks in the record are not used", "source", s.Name, "error", err)
		}
	}
	if _, err := s.follower.Update(ctx); err != nil {
		return chainNow{}, err
	}
	e, err := s.follower.Epoch(ctx)
	if err != nil {
		return chainNow{}, err
	}
	blocks := s.follower.Blocks()
	tip := blocks[len(blocks)-1]
	if err := w.saveBlocks(ctx, s, blocks); err != nil {
		return chainNow{}, err
	}
	e.Source = s.label(e.Source)
	c := chainNow{tip: tip, epoch: e, name: e.Source}
	if r, err := s.follower.Reward(); err == nil { // btcd and Esplora may not tell fees
		r.Source = s.label(r.Source)
		c.reward = unit.Some(r)
	}
	return c, nil
}

func (s *source) state() Source {
	out := Source{Name: s.Name, Kind: s.Kind, Simulated: s.Simulated, Asked: s.asked, Answered: s.answered, Failure: s.failure}
	for _, g := range []struct {
		what string
		ok   bool
	}{{"chain", s.Chain != nil}, {"price", s.Quotes != nil}, {"earlier prices", s.Past != nil}, {"pools", s.Pools != nil}} {
		if g.ok {
			out.Gives = append(out.Gives, g.what)
		}
	}
	return out
}

// Wake makes the ticker poll now; it does not wait for it.
func (w *Ticker) Wake() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// backfill asks for the first blocks of earlier epochs, newest first, a few at
// each poll, until the chain's beginning or a hole that the source does not fill.
func (w *Ticker) backfill(ctx context.Context, s *source, c chainNow) error {
	top := int(c.tip.Height / market.EpochBlocks)
	w.mu.Lock()
	known := make(map[int]bool, len(w.epochs))
	for _, e := range w.epochs {
		known[e.Number] = true
	}
	w.mu.Unlock()
	var got []ledger.MarketEpoch
	var failed error
	left := max(1, s.Epochs)
	for n := top; n >= s.oldest && left > 0; n-- {
		if known[n] {
			continue
		}
		left--
		b, err := firstOf(ctx, s, n)
		if err != nil {
			if n < top && !errors.Is(err, feed.ErrWaiting) && ctx.Err() == nil {
				s.oldest = n + 1 // a simulated or pruned chain begins here
				break
			}
			failed = err
			break
		}
		got = append(got, ledger.MarketEpoch{Number: n, At: b.Time, Bits: uint32(b.Bits), Source: s.label(s.Name)})
	}
	if len(got) == 0 {
		return failed
	}
	if err := w.o.Record.SaveMarketEpochs(ctx, got); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.epochs = slices.Concat(w.epochs, got)
	slices.SortFunc(w.epochs, func(a, b ledger.MarketEpoch) int { return a.Number - b.Number })
	return failed
}

// firstOf is the first block of an epoch, checked.
func firstOf(ctx context.Context, s *source, n int) (feed.Block, error) {
	height := int64(n) * market.EpochBlocks
	hash, err := s.Chain.At(ctx, height)
	if err != nil {
		return feed.Block{}, err
	}
	b, err := s.Chain.Block(ctx, hash)
	if err != nil {
		return b, err
	}
	if b.Hash != hash || b.Height != height {
		return b, fmt.Errorf("first block of epoch %d: %w", n, feed.ErrLink)
	}
	return b, s.Rules.Check(b)
}
