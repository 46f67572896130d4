package ticker

import (
	"math/big"
	"time"

	"ballast/ledger"
	"ballast/market"
	"ballast/market/feed"
	"ballast/unit"
)

// Quote is a number of the market with its origin. At is when it was true,
// Asked when Ballast got it.
type Quote[T any] struct {
	Value     T
	At, Asked time.Time
	Source    string
	ByHand    bool // somebody entered it
}

// Age is how old the number is.
func (q Quote[T]) Age(now time.Time) time.Duration { return max(0, now.Sub(q.At)) }

// Source is how one source fares.
type Source struct {
	Name      string
	Kind      string
	Gives     []string
	Simulated bool
	Asked     time.Time // last
	Answered  time.Time // last with all that it gives; zero: never
	Failure   string    // of the last time; empty: none
}

// State is the market of now. What is not known is missing.
type State struct {
	At         time.Time
	Simulated  bool
	Price      unit.Opt[Quote[unit.Money]] // of a bitcoin
	Difficulty unit.Opt[Quote[float64]]
	Fees       unit.Opt[Quote[float64]] // satoshi a block, mean of 144 blocks
	Subsidy    unit.Opt[Quote[int64]]   // satoshi, of the next block
	// Sat is what 1 PH/s earns in a day, in satoshi; Hashprice the same in money.
	// Both are as old as the oldest of what they are made of.
	Sat       unit.Opt[Quote[float64]]
	Hashprice unit.Opt[Quote[unit.Hashprice]]
	// Network is the hashrate that found the newest 1008 blocks, or as many as
	// are known, with its relative standard deviation.
	Network      unit.Opt[Quote[unit.Hashrate]]
	NetworkError float64
	Tip          unit.Opt[Quote[int64]] // height
	Epoch        unit.Opt[market.EpochState]
	Retarget     unit.Opt[Retarget]
	Halving      unit.Opt[Halving]
	Pools        unit.Opt[Quote[[]feed.PoolShare]]
	Sources      []Source
}

// Retarget is what the next one is expected to do.
type Retarget struct {
	market.Forecast
	Height int64
	At     time.Time // expected
}

// Halving is when the subsidy halves next.
type Halving struct {
	Number int
	Height int64
	market.Expected
	Subsidy int64 // after it
}

// State is the market of now.
func (w *Ticker) State() State {
	now := w.o.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	st := State{At: now, Sources: append([]Source(nil), w.states...)}
	for _, f := range w.o.Feeds {
		st.Simulated = st.Simulated || f.Simulated
	}
	if p, ok := w.price.Get(); ok {
		st.Price = unit.Some(Quote[unit.Money]{Value: p.Value, At: p.At, Asked: p.Asked, Source: p.Source})
	}
	var target unit.Opt[market.Target]
	var reward market.Reward
	if c, ok := w.chain.Get(); ok {
		target, reward = st.chain(c, now, w.epochs)
	}
	if p, ok := w.pools.Get(); ok {
		st.Pools = unit.Some(Quote[[]feed.PoolShare]{Value: p.Value, At: p.At, Asked: p.Asked, Source: p.Source})
	}
	// What people entered counts where it is newer than what the sources tell.
	if e, ok := w.entries[ledger.SeriesPrice]; ok {
		if p, known := st.Price.Get(); !known || e.At.After(p.At) {
			st.Price = unit.Some(byHand(e, unit.Money{Minor: int64(e.Value*100 + 0.5), Currency: unit.USD}))
		}
	}
	if e, ok := w.entries[ledger.SeriesDifficulty]; ok {
		if d, known := st.Difficulty.Get(); !known || e.At.After(d.At) {
			if t, err := market.TargetAt(new(big.Rat).SetFloat64(e.Value)); err == nil {
				target, st.Difficulty = unit.Some(t), unit.Some(byHand(e, e.Value))
			}
		}
	}
	if e, ok := w.entries[ledger.SeriesFees]; ok {
		if f, known := st.Fees.Get(); !known || e.At.After(f.At) {
			st.Fees = unit.Some(byHand(e, e.Value))
			reward.Fees = new(big.Rat).SetFloat64(e.Value)
		}
	}
	if !st.Subsidy.Ok() && st.Difficulty.Ok() {
		st.subsidyByDate(now, w.epochs)
	}
	if s, ok := st.Subsidy.Get(); ok {
		reward.Subsidy = s.Value
	}
	st.hashprice(target, reward)
	return st
}

func byHand[T any](e ledger.MarketEntry, v T) Quote[T] {
	return Quote[T]{Value: v, At: e.At, Asked: e.EnteredAt, Source: "entered by " + e.Actor + ": " + e.Source, ByHand: true}
}

// chain fills in what a source tells of the chain.
func (st *State) chain(c chainNow, now time.Time, epochs []ledger.MarketEpoch) (unit.Opt[market.Target], market.Reward) {
	e := c.epoch
	e.Value.Since = max(0, now.Sub(c.tip.Time)) // it was right when it was asked
	st.Tip = unit.Some(Quote[int64]{Value: c.tip.Height, At: e.At, Asked: e.Asked, Source: c.name})
	st.Subsidy = unit.Some(Quote[int64]{Value: market.Subsidy(c.tip.Height + 1), At: e.At, Asked: e.Asked, Source: "the protocol, at the height that " + c.name + " tells"})
	var reward market.Reward
	if r, ok := c.reward.Get(); ok {
		fees, _ := r.Value.Fees.Float64()
		st.Fees = unit.Some(Quote[float64]{Value: fees, At: r.At, Asked: r.Asked, Source: r.Source})
		reward = r.Value
	}
	target, err := c.tip.Bits.Target()
	if err != nil {
		return unit.None[market.Target](), reward // it was checked when it came
	}
	st.Difficulty = unit.Some(Quote[float64]{Value: target.Diff(), At: e.At, Asked: e.Asked, Source: c.name})
	n := int(c.tip.Height / market.EpochBlocks)
	if prior, ok := spacingBefore(epochs, n, target.Diff()); ok {
		e.Value.Prior = prior
	}
	st.Epoch = unit.Some(e.Value)
	if f, err := market.ExpectRetarget(e.Value); err == nil {
		at := now.Add(time.Duration(f.SecondsLeft * float64(time.Second)))
		st.Retarget = unit.Some(Retarget{f, int64(n+1) * market.EpochBlocks, at})
	}
	if k := e.Value.Intervals; k >= 100 {
		if h, sd, err := market.NetworkHashrate(target, k, e.Value.Elapsed); err == nil {
			st.Network, st.NetworkError = unit.Some(Quote[unit.Hashrate]{Value: h, At: e.At, Asked: e.Asked, Source: c.name}), sd
		}
	} else if prior := e.Value.Prior; prior > 0 {
		// Too early in the epoch: the one before, whose blocks took that long at
		// this difficulty.
		if h, sd, err := market.NetworkHashrate(target, market.EpochBlocks-1, prior*(market.EpochBlocks-1)); err == nil {
			st.Network, st.NetworkError = unit.Some(Quote[unit.Hashrate]{Value: h, At: e.At, Asked: e.Asked, Source: c.name}), sd
		}
	}
	number, height := market.NextHalving(c.tip.Height)
	// Since 2016 the mean spacing over a halving was 1 to 6 % under 600 s.
	if x, err := market.ExpectHeight(c.tip.Height, c.tip.Time, height, 590*time.Second, 0.02); err == nil {
		st.Halving = unit.Some(Halving{number, height, x, market.Subsidy(height)})
	}
	return unit.Some(target), reward
}

// spacingBefore is how long a block took in the epoch before epoch n, scaled to
// a difficulty.
func spacingBefore(epochs []ledger.MarketEpoch, n int, difficulty float64) (time.Duration, bool) {
	var before, this *ledger.MarketEpoch
	for i := range epochs {
		switch epochs[i].Number {
		case n - 1:
			before = &epochs[i]
		case n:
			this = &epochs[i]
		}
	}
	if before == nil || this == nil || !this.At.After(before.At) {
		return 0, false
	}
	t, err := market.Bits(before.Bits).Target()
	if err != nil {
		return 0, false
	}
	return time.Duration(float64(this.At.Sub(before.At)) / market.EpochBlocks * difficulty / t.Diff()), true
}

// subsidyByDate reckons the subsidy where difficulty was entered by hand and no
// chain is followed: from the newest epoch that is known, at ten minutes a block.
func (st *State) subsidyByDate(now time.Time, epochs []ledger.MarketEpoch) {
	height, at, source := int64(0), time.Unix(1231006505, 0), "the protocol, ten minutes a block since 2009"
	if n := len(epochs); n > 0 {
		e := epochs[n-1]
		height, at, source = int64(e.Number)*market.EpochBlocks, e.At, "the protocol, ten minutes a block since the newest known epoch"
	}
	height += int64(now.Sub(at).Seconds() / market.Spacing)
	st.Subsidy = unit.Some(Quote[int64]{Value: market.Subsidy(height + 1), At: now, Asked: now, Source: source})
}

// hashprice joins difficulty, reward and price. Without known fees there is
// none: a hashprice without fees is another number under the same name.
func (st *State) hashprice(target unit.Opt[market.Target], r market.Reward) {
	t, ok := target.Get()
	fees, okF := st.Fees.Get()
	d, okD := st.Difficulty.Get()
	if !ok || !okF || !okD || r.Fees == nil || r.Subsidy == 0 {
		return
	}
	sat, _ := market.SatPerPHDay(t, r).Float64()
	q := Quote[float64]{Value: sat, At: older(d.At, fees.At), Asked: older(d.Asked, fees.Asked), Source: d.Source, ByHand: d.ByHand || fees.ByHand}
	if fees.Source != d.Source {
		q.Source += "; " + fees.Source
	}
	st.Sat = unit.Some(q)
	p, ok := st.Price.Get()
	if !ok {
		return
	}
	h, err := market.HashpriceOf(t, r, p.Value)
	if err != nil {
		return
	}
	st.Hashprice = unit.Some(Quote[unit.Hashprice]{Value: h, At: older(q.At, p.At), Asked: older(q.Asked, p.Asked), Source: p.Source + "; " + q.Source, ByHand: q.ByHand || p.ByHand})
}

func older(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
