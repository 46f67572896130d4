package simulate_test

import (
	"math"
	"net/http/httptest"
	"testing"
	"time"

	"ballast/market"
	"ballast/market/feed"
	"ballast/market/simulate"
	"ballast/unit"
)

func rules() feed.Rules {
	r := feed.Mainnet()
	r.Unproven = true
	return r
}

// The simulated chain is followed by the same reader as a real explorer: its
// links, times and retargets hold, and hashprice comes out in the range where
// bitcoin's has been.
func TestFollowed(t *testing.T) {
	now := time.Date(2024, 3, 1, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { return now }
	c := simulate.New(1, clock)
	s := httptest.NewServer(c.Handler())
	defer s.Close()
	m, err := feed.NewMempool(s.URL, feed.Options{Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	f := feed.NewFollower(m, rules(), 200, clock)
	for range 3 {
		if _, err := f.Update(t.Context()); err != nil {
			t.Fatal(err)
		}
		now = now.Add(20 * 24 * time.Hour / 20) // within what is kept
	}
	shot, err := feed.Take(t.Context(), f, m, unit.USD)
	if err != nil {
		t.Fatal(err)
	}
	if h := shot.Hashprice.Value.PerPHDay(); h < 10 || h > 500 {
		t.Errorf("hashprice %v", h)
	}
	if d := market.Subsidy(shot.Tip.Value.Height + 1); shot.Reward.Value.Subsidy != d {
		t.Errorf("subsidy %d, want %d", shot.Reward.Value.Subsidy, d)
	}
	// Without saying that nobody did the work, it is refused.
	if _, err := feed.NewFollower(m, feed.Mainnet(), 200, clock).Update(t.Context()); err == nil {
		t.Error("a chain without proof of work was followed as a real one")
	}
	if pools, err := m.Pools(t.Context(), "1w"); err != nil || len(pools.Value) < 2 {
		t.Errorf("pools %v, %v", pools, err)
	}
	past, err := m.PastPrices(t.Context(), unit.USD)
	if err != nil || len(past) < 700 {
		t.Fatalf("%d past prices, %v", len(past), err)
	}
	for i := 1; i < len(past); i++ {
		if past[i].Day.Sub(past[i-1].Day) != 24*time.Hour || past[i].Price.Minor <= 0 {
			t.Fatalf("past prices at %v: %v", past[i].Day, past[i].Price)
		}
	}
}

// The same seed gives the same chain however often it is looked at; another
// seed another one.
func TestFromTheSeedAlone(t *testing.T) {
	end := time.Date(2022, 6, 1, 0, 0, 0, 0, time.UTC)
	now := time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC)
	often := simulate.New(7, func() time.Time { return now })
	for now.Before(end) {
		often.Tip()
		now = now.Add(31 * time.Hour)
	}
	now = end
	at := func() time.Time { return end }
	once, other := simulate.New(7, at), simulate.New(8, at)
	if often.Tip() != once.Tip() || often.Price() != once.Price() {
		t.Error("the chain depends on when it is looked at")
	}
	if other.Tip().Hash == once.Tip().Hash {
		t.Error("two seeds give one chain")
	}
}

// Over years difficulty follows hashrate and hashprice stays where a network can
// live.
func TestYears(t *testing.T) {
	for seed := range uint64(4) {
		now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
		c := simulate.New(seed, func() time.Time { return now })
		tip := c.Tip()
		target, err := tip.Bits.Target()
		if err != nil {
			t.Fatal(err)
		}
		p := unit.Money{Minor: int64(c.Price() * 100), Currency: unit.USD}
		h, err := market.HashpriceOf(target, market.Reward{Subsidy: market.Subsidy(tip.Height)}, p)
		if err != nil {
			t.Fatal(err)
		}
		worst := 0.0
		last, _ := c.At(355 * market.EpochBlocks)
		n := 0
		for height := last.Height + market.EpochBlocks; height <= tip.Height; height += market.EpochBlocks {
			b, ok := c.At(height)
			if !ok {
				t.Fatalf("no block at %d", height)
			}
			was, _ := last.Bits.Target()
			is, _ := b.Bits.Target()
			worst = min(worst, is.Diff()/was.Diff()-1)
			last = b
			n++
		}
		t.Logf("seed %d: height %d, difficulty %.3g, price %.0f, hashprice %.1f, %d retargets, worst %.1f %%", seed, tip.Height, target.Diff(), c.Price(), h.PerPHDay(), n, 100*worst)
		if math.Abs(float64(tip.Height)-970_000) > 15_000 || h.PerPHDay() < 12 || h.PerPHDay() > 250 {
			t.Errorf("seed %d leaves the range of a plausible network", seed)
		}
	}
}
