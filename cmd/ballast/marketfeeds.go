package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"time"

	"ballast/config"
	"ballast/ledger"
	"ballast/market"
	"ballast/market/feed"
	"ballast/market/simulate"
	"ballast/market/ticker"
	"ballast/unit"
)

// marketWatch makes the watch of the configured sources. A simulated site
// without any gets a simulated market on a loopback socket of its own, asked
// like any other source; stop closes it.
func (h *house) marketWatch(ctx context.Context, seed uint64) (w *ticker.Ticker, stop func(), err error) {
	o := ticker.Options{Record: h.record, Interval: h.cfg.Market.Interval, Log: h.log}
	stop = func() {}
	for _, f := range h.cfg.Market.Feeds {
		src, err := marketFeed(f)
		if err != nil {
			return nil, nil, err
		}
		o.Feeds = append(o.Feeds, src)
	}
	if h.simulated && len(o.Feeds) == 0 {
		src, close, err := simulatedMarket(ctx, seed, h.log)
		if err != nil {
			return nil, nil, err
		}
		o.Feeds, stop = append(o.Feeds, src), close
	}
	if o.Past, err = marketPast(h.cfg.Market); err != nil {
		stop()
		return nil, nil, err
	}
	return ticker.New(o), stop, nil
}

func marketFeed(f config.MarketFeed) (ticker.Feed, error) {
	out := ticker.Feed{Name: f.Label(), Kind: f.Kind, Rules: feed.Mainnet(), Epochs: 10}
	if ownMachine(f.URL) {
		out.Epochs = 100
	}
	user, password, err := f.Access()
	if err != nil {
		return out, err
	}
	o := feed.Options{User: user, Pass: string(password)}
	switch f.Kind {
	case "csv":
		file := f.File
		out.Quotes = feed.File{Label: out.Name, Open: func() (io.ReadCloser, error) { return os.Open(file) }, Now: time.Now}
	case "node":
		n, err := feed.NewNode(f.URL, o)
		if err != nil {
			return out, err
		}
		out.Chain = n
	default:
		m, err := feed.NewMempool(f.URL, o)
		if err != nil {
			return out, err
		}
		explorer(&out, m, f.Has)
	}
	return out, nil
}

// explorer lets a feed have from an explorer what it is to be asked for.
func explorer(out *ticker.Feed, m *feed.Mempool, has func(string) bool) {
	if has("chain") {
		out.Chain = m
	}
	if has("price") {
		out.Quotes = m
	}
	if has("history") {
		out.Past = func(ctx context.Context) ([]market.DayPrice, error) { return m.PastPrices(ctx, unit.USD) }
	}
	if has("pools") {
		out.Pools = func(ctx context.Context) (feed.Stamped[[]feed.PoolShare], error) { return m.Pools(ctx, "1w") }
	}
}

// ownMachine tells whether an address is of this machine or of the company's own
// network, where asking often costs nobody anything.
func ownMachine(address string) bool {
	u, err := url.Parse(address)
	if err != nil {
		return false
	}
	a, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() == "localhost" || err == nil && (a.IsLoopback() || a.IsPrivate())
}

// simulatedMarket serves a market that does not exist on a loopback socket, and
// is the feed that asks it.
func simulatedMarket(ctx context.Context, seed uint64, log *slog.Logger) (ticker.Feed, func(), error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return ticker.Feed{}, nil, fmt.Errorf("opening the simulated market: %w", err)
	}
	chain := simulate.New(seed, time.Now)
	srv := &http.Server{Handler: chain.Handler(), ReadHeaderTimeout: 5 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	go func() {
		if err := srv.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
			log.Error("the simulated market", "error", err)
		}
	}()
	m, err := feed.NewMempool("http://"+l.Addr().String(), feed.Options{})
	if err != nil {
		_ = srv.Close()
		return ticker.Feed{}, nil, err
	}
	// The name holds the seed: another seed is another chain, whose blocks do not
	// link to those that the record kept.
	out := ticker.Feed{Name: fmt.Sprintf("simulated market (seed %d)", seed), Kind: "mempool", Rules: feed.Mainnet(), Simulated: true, Epochs: 500}
	out.Rules.Unproven = true
	explorer(&out, m, func(string) bool { return true })
	return out, func() { _ = srv.Close() }, nil
}

// marketPast reads the files of earlier years.
func marketPast(cfg config.Market) (p ticker.History, err error) {
	p.Source = cfg.Prices
	if cfg.Checkpoints != "" {
		f, err := os.Open(cfg.Checkpoints)
		if err != nil {
			return p, fmt.Errorf("opening market.checkpoints: %w", err)
		}
		defer f.Close()
		h, err := market.ReadCheckpoints(f)
		if err != nil {
			return p, fmt.Errorf("reading %s: %w", cfg.Checkpoints, err)
		}
		for _, e := range h {
			if !e.Start.IsZero() {
				p.Epochs = append(p.Epochs, ledger.MarketEpoch{Number: e.Number, At: e.Start, Bits: uint32(e.Bits), Source: cfg.Checkpoints + " (dates estimated)"})
			}
		}
	}
	if cfg.Prices != "" {
		f, err := os.Open(cfg.Prices)
		if err != nil {
			return p, fmt.Errorf("opening market.prices: %w", err)
		}
		defer f.Close()
		if p.Prices, err = market.ReadPrices(f, unit.USD); err != nil {
			return p, fmt.Errorf("reading %s: %w", cfg.Prices, err)
		}
	}
	return p, nil
}
