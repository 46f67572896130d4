package ticker_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"ballast/ledger"
	"ballast/ledger/sqlite"
	"ballast/market"
	"ballast/market/feed"
	"ballast/market/simulate"
	"ballast/market/ticker"
	"ballast/unit"
)

// rig is a simulated market on a socket, a record, and a clock.
type rig struct {
	now    time.Time
	url    string
	down   atomic.Bool
	asked  atomic.Int64
	record ledger.Store
}

func start(t *testing.T) *rig {
	t.Helper()
	r := &rig{now: time.Date(2022, 6, 1, 12, 0, 0, 0, time.UTC)}
	chain := simulate.New(1, func() time.Time { return r.now })
	h := chain.Handler()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		r.asked.Add(1)
		if r.down.Load() {
			http.Error(w, "down", http.StatusBadGateway)
			return
		}
		h.ServeHTTP(w, q)
	}))
	t.Cleanup(s.Close)
	r.url = s.URL
	var err error
	if r.record, err = sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), sqlite.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.record.Close() })
	return r
}

func (r *rig) ticker(t *testing.T) *ticker.Ticker {
	t.Helper()
	clock := func() time.Time { return r.now }
	m, err := feed.NewMempool(r.url, feed.Options{Now: clock, Jitter: func() float64 { return 0 }})
	if err != nil {
		t.Fatal(err)
	}
	rules := feed.Mainnet()
	rules.Unproven = true
	k := ticker.New(ticker.Options{Record: r.record, Now: clock, Feeds: []ticker.Feed{{
		Name: "simulated", Kind: "mempool", Chain: m, Quotes: m, Rules: rules, Simulated: true, Epochs: 5,
		Past:  func(ctx context.Context) ([]market.DayPrice, error) { return m.PastPrices(ctx, unit.USD) },
		Pools: func(ctx context.Context) (feed.Stamped[[]feed.PoolShare], error) { return m.Pools(ctx, "1w") },
	}}})
	if err := k.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	return k
}

func TestNow(t *testing.T) {
	r := start(t)
	k := r.ticker(t)
	k.Poll(t.Context())
	st := k.State()
	h, ok := st.Hashprice.Get()
	if !ok || !st.Simulated || !strings.Contains(h.Source, "simulated") {
		t.Fatalf("hashprice %+v, sources %+v", h, st.Sources)
	}
	sat, _ := st.Sat.Get()
	p, _ := st.Price.Get()
	if want := sat.Value / 1e8 * p.Value.Float(); h.Value.PerPHDay() < want*0.999999 || h.Value.PerPHDay() > want*1.000001 {
		t.Errorf("hashprice %v, of its parts %v", h.Value, want)
	}
	tip, _ := st.Tip.Get()
	rt, _ := st.Retarget.Get()
	if rt.Height%2016 != 0 || rt.Height <= tip.Value || rt.Height-tip.Value > 2016 || !(rt.Low < rt.Change && rt.Change < rt.High) {
		t.Errorf("retarget %+v after %d", rt, tip.Value)
	}
	if hv, _ := st.Halving.Get(); hv.Height != 840_000 || hv.Subsidy != 312_500_000 || !hv.Early.Before(hv.At) {
		t.Errorf("halving %+v", hv)
	}
	if st.Sources[0].Failure != "" || len(st.Sources[0].Gives) != 4 {
		t.Errorf("source %+v", st.Sources[0])
	}
	// The past comes in pieces, and then is whole: epochs from the chain's
	// beginning, and closes of every day.
	for range 5 {
		r.now = r.now.Add(time.Minute)
		k.Poll(t.Context())
	}
	past, prices, err := k.Past(t.Context())
	if err != nil || past[0].Number != 355 || len(past) < 11 || len(prices) < 150 {
		t.Errorf("past of %d epochs, %d prices: %v", len(past), len(prices), err)
	}
	if c, ok := past.Change(356); !ok || c == 0 {
		t.Errorf("the first retarget %v %v", c, ok)
	}
}

// A restart asks for what is new alone, and continues the same chain.
func TestRestart(t *testing.T) {
	r := start(t)
	first := r.ticker(t)
	for range 4 {
		first.Poll(t.Context())
	}
	r.now = r.now.Add(time.Hour)
	before := r.asked.Load()
	again := r.ticker(t)
	again.Poll(t.Context())
	if n := r.asked.Load() - before; n > 30 {
		t.Errorf("a restart an hour later asked %d times", n)
	}
	if !again.State().Hashprice.Ok() {
		t.Error("no hashprice after a restart")
	}
}

// A source that fails keeps its last number, which ages, and says so.
func TestDown(t *testing.T) {
	r := start(t)
	k := r.ticker(t)
	k.Poll(t.Context())
	was, _ := k.State().Price.Get()
	r.down.Store(true)
	r.now = r.now.Add(3 * time.Hour)
	k.Poll(t.Context())
	st := k.State()
	p, ok := st.Price.Get()
	if !ok || p != was || p.Age(st.At) < 3*time.Hour-time.Minute {
		t.Errorf("price %+v", p)
	}
	if st.Sources[0].Failure == "" || !st.Sources[0].Answered.Before(st.Sources[0].Asked) {
		t.Errorf("source %+v", st.Sources[0])
	}
}

// What is entered by hand counts where it is newer than what the sources tell,
// until it is withdrawn; with nothing but entries there is a hashprice too.
func TestByHand(t *testing.T) {
	r := start(t)
	enter := func(series string, v float64, at time.Time) ledger.MarketEntry {
		e, err := r.record.AddMarketEntry(t.Context(), ledger.MarketEntry{Series: series, Value: v, At: at, Source: "the paper"}, ledger.By("alice"))
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	k := r.ticker(t)
	k.Poll(t.Context())
	enter(ledger.SeriesPrice, 1, r.now.Add(-time.Hour))
	if err := k.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p, _ := k.State().Price.Get(); p.ByHand {
		t.Errorf("an old entry counts over a newer quote: %+v", p)
	}
	e := enter(ledger.SeriesPrice, 70_000, r.now.Add(time.Minute))
	if err := k.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p, _ := k.State().Price.Get(); p.Value.Minor != 7_000_000 || !p.ByHand || !strings.Contains(p.Source, "alice") {
		t.Errorf("price %+v", p)
	}
	if h, _ := k.State().Hashprice.Get(); !h.ByHand {
		t.Error("hashprice does not say that it rests on an entry")
	}
	if err := r.record.WithdrawMarketEntry(t.Context(), e.ID, ledger.By("bob")); err != nil {
		t.Fatal(err)
	}
	if err := k.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if p, _ := k.State().Price.Get(); p.ByHand {
		t.Errorf("a withdrawn entry counts: %+v", p)
	}

	alone := ticker.New(ticker.Options{Record: r.record, Now: func() time.Time { return time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC) }})
	enter(ledger.SeriesPrice, 100_000, r.now)
	enter(ledger.SeriesDifficulty, 1e14, r.now)
	if err := alone.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if alone.State().Hashprice.Ok() {
		t.Error("a hashprice without fees")
	}
	enter(ledger.SeriesFees, 0, r.now)
	if err := alone.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	// D = 1e14, P = 100,000, reward 3.125: 62.864 $/PH/day.
	if h, ok := alone.State().Hashprice.Get(); !ok || h.Value.PerPHDay() < 62.85 || h.Value.PerPHDay() > 62.88 {
		t.Errorf("hashprice %v", h.Value)
	}
}
