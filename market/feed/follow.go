package feed

import (
	"context"
	"fmt"
	"math/big"
	"slices"
	"sync"
	"time"

	"ballast/market"
)

// Rules are a network's.
type Rules struct {
	Limit     market.Target
	Retargets bool // every 2016 blocks; false for regtest
	// Unproven is for a simulated chain: it has real headers, links, times and
	// retargets, and nobody did the work that its targets ask for. Everything
	// but the proof of work is checked.
	Unproven bool
}

// Mainnet is Bitcoin.
func Mainnet() Rules { return Rules{Limit: market.Limit(), Retargets: true} }

// Check tells whether a block by itself keeps the rules.
func (r Rules) Check(b Block) error { return b.check(r.Limit, !r.Unproven) }

// Change is what an update brought. Removed blocks were on the chain and are
// not any more (a reorganisation); newest first. Added are oldest first.
type Change struct {
	Removed, Added []Block
}

// Follower keeps the newest blocks of a chain, each checked, each linked to the
// one before. It is safe for concurrent use.
type Follower struct {
	chain Chain
	rules Rules
	keep  int
	now   func() time.Time

	asking sync.Mutex // one question to the source at a time; seen and first
	mu     sync.Mutex // blocks and asked, never held while asking
	blocks []Block    // oldest first; replaced, never changed
	asked  time.Time
	// seen holds checked blocks of an update that failed half way. A block is
	// what its hash says, so it stays good whatever the chain does.
	seen map[[32]byte]Block
	// first is the first block of the newest block's epoch.
	first Block
}

// NewFollower follows chain and keeps the newest keep blocks, at least the 144
// that hashprice needs.
func NewFollower(chain Chain, rules Rules, keep int, now func() time.Time) *Follower {
	if now == nil {
		now = time.Now
	}
	return &Follower{chain: chain, rules: rules, keep: max(keep, market.FeeBlocks), now: now, seen: map[[32]byte]Block{}}
}

// Restore gives the follower blocks that were followed before, oldest first. They
// are checked like any others; an error leaves the follower as it was.
func (f *Follower) Restore(blocks []Block) error {
	if len(blocks) == 0 {
		return nil
	}
	f.asking.Lock()
	defer f.asking.Unlock()
	for _, b := range blocks {
		if err := f.rules.Check(b); err != nil {
			return err
		}
	}
	if err := f.fits(blocks, 0); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.blocks = slices.Clone(blocks[max(0, len(blocks)-f.keep):]) // asked stays: the source has confirmed nothing yet
	return nil
}

// Update asks for the tip and takes over what is new. After an error the blocks
// are as they were; blocks already fetched are not asked for again. A tip with
// less work than what it would replace is refused: a node that lags behind, or
// worse, must not roll the chain back.
func (f *Follower) Update(ctx context.Context) (Change, error) {
	f.asking.Lock()
	defer f.asking.Unlock()
	tip, err := f.chain.Tip(ctx)
	if err != nil {
		return Change{}, err
	}
	blocks, _ := f.held()
	if n := len(blocks); n > 0 && blocks[n-1].Hash == tip {
		f.hold(blocks)
		return Change{}, nil
	}
	var added []Block // newest first
	var fork int      // index of the block that the new branch stands on
	for hash := tip; ; {
		if fork = index(blocks, hash); fork >= 0 {
			break
		}
		b, err := f.fetch(ctx, hash)
		if err != nil {
			return Change{}, err
		}
		if k := len(added); k > 0 && b.Height != added[k-1].Height-1 {
			return Change{}, fmt.Errorf("block %x at height %d under %d: %w", b.Hash, b.Height, added[k-1].Height, ErrLink)
		}
		added = append(added, b)
		if b.Height == 0 || len(added) >= f.keep {
			break
		}
		hash = b.Prev
	}
	slices.Reverse(added)
	var kept, removed []Block
	if fork >= 0 {
		kept, removed = blocks[:fork+1], slices.Clone(blocks[fork+1:])
		if len(added) == 0 {
			return Change{}, fmt.Errorf("%s is back at height %d: %w", f.chain.Name(), blocks[fork].Height, ErrWork)
		}
	} else if n := len(blocks); n > 0 {
		// Nothing in common within what is kept: after a long time away. Only a
		// tip that is higher by all that is new can follow on; a fork as deep as
		// that needs a person.
		if added[0].Height <= blocks[n-1].Height {
			return Change{}, fmt.Errorf("a branch from under height %d: %w", blocks[0].Height, ErrLink)
		}
	}
	if len(removed) > 0 && work(added).Cmp(work(removed)) <= 0 {
		return Change{}, fmt.Errorf("%s offers %d blocks for %d: %w", f.chain.Name(), len(added), len(removed), ErrWork)
	}
	joined := append(slices.Clone(kept), added...)
	if err := f.fits(joined, len(kept)); err != nil {
		return Change{}, err
	}
	f.hold(slices.Clone(joined[max(0, len(joined)-f.keep):]))
	clear(f.seen)
	slices.Reverse(removed)
	return Change{Removed: removed, Added: added}, nil
}

// held is what is known, oldest first, and when it was last confirmed.
func (f *Follower) held() ([]Block, time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.blocks, f.asked
}

func (f *Follower) hold(blocks []Block) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.blocks, f.asked = blocks, f.now()
}

func index(blocks []Block, hash [32]byte) int {
	return slices.IndexFunc(blocks, func(b Block) bool { return b.Hash == hash })
}

func (f *Follower) fetch(ctx context.Context, hash [32]byte) (Block, error) {
	if b, ok := f.seen[hash]; ok {
		return b, nil
	}
	b, err := f.chain.Block(ctx, hash)
	if err != nil {
		return b, err
	}
	if b.Hash != hash {
		return b, fmt.Errorf("%s sends block %x for %x: %w", f.chain.Name(), b.Hash, hash, ErrLink)
	}
	if err := f.rules.Check(b); err != nil {
		return b, err
	}
	if len(f.seen) < 2*f.keep {
		f.seen[hash] = b
	}
	return b, nil
}

func work(bs []Block) *big.Int {
	sum := new(big.Int)
	for _, b := range bs {
		if t, err := b.Bits.Target(); err == nil { // checked when fetched
			sum.Add(sum, t.Work())
		}
	}
	return sum
}

// fits checks blocks from index from on against those before: links, heights,
// targets and times (later than the median of eleven, not two hours ahead).
func (f *Follower) fits(bs []Block, from int) error {
	for i := max(from, 1); i < len(bs); i++ {
		b, p := bs[i], bs[i-1]
		if b.Prev != p.Hash || b.Height != p.Height+1 {
			return fmt.Errorf("block %d on block %d: %w", b.Height, p.Height, ErrLink)
		}
		if i >= 11 && !b.Time.After(medianTime(bs[i-11:i])) || b.Time.After(f.now().Add(2*time.Hour)) {
			return fmt.Errorf("block %d is dated %v: %w", b.Height, b.Time, ErrLink)
		}
		if err := f.targetFits(bs, i); err != nil {
			return err
		}
	}
	return nil
}

func (f *Follower) targetFits(bs []Block, i int) error {
	b, p := bs[i], bs[i-1]
	if !f.rules.Retargets || b.Height%market.EpochBlocks != 0 {
		if b.Bits != p.Bits {
			return fmt.Errorf("block %d has target %08x within an epoch of %08x: %w", b.Height, uint32(b.Bits), uint32(p.Bits), ErrLink)
		}
		return nil
	}
	spans, ok := market.SpansBetween(p.Bits, b.Bits)
	if !ok {
		return fmt.Errorf("block %d: no retarget leads from %08x to %08x: %w", b.Height, uint32(p.Bits), uint32(b.Bits), ErrLink)
	}
	first := f.first
	if i >= market.EpochBlocks {
		first = bs[i-market.EpochBlocks]
	}
	if first.Height == b.Height-market.EpochBlocks && first.Hash != [32]byte{} {
		span := min(max(p.Time.Unix()-first.Time.Unix(), market.MinTimespan), market.MaxTimespan)
		if span < spans.Min || span > spans.Max {
			return fmt.Errorf("block %d: a retarget to %08x after %d s: %w", b.Height, uint32(b.Bits), span, ErrLink)
		}
	}
	return nil
}

func medianTime(bs []Block) time.Time {
	ts := make([]time.Time, len(bs))
	for i, b := range bs {
		ts[i] = b.Time
	}
	slices.SortFunc(ts, time.Time.Compare)
	return ts[len(ts)/2]
}

// Blocks are the kept blocks, oldest first.
func (f *Follower) Blocks() []Block {
	blocks, _ := f.held()
	return slices.Clone(blocks)
}

// Epoch is how far the running difficulty period has come. The first block of
// the epoch is asked for by height when it is older than what is kept.
func (f *Follower) Epoch(ctx context.Context) (Stamped[market.EpochState], error) {
	f.asking.Lock()
	defer f.asking.Unlock()
	blocks, asked := f.held()
	n := len(blocks)
	if n == 0 {
		return Stamped[market.EpochState]{}, fmt.Errorf("%s: no block yet: %w", f.chain.Name(), market.ErrNoData)
	}
	tip := blocks[n-1]
	height := tip.Height - tip.Height%market.EpochBlocks
	if i := n - 1 - int(tip.Height-height); i >= 0 {
		f.first = blocks[i]
	} else if f.first.Height != height || f.first.Hash == [32]byte{} || f.first.Bits != tip.Bits {
		hash, err := f.chain.At(ctx, height)
		if err != nil {
			return Stamped[market.EpochState]{}, err
		}
		b, err := f.chain.Block(ctx, hash)
		if err != nil {
			return Stamped[market.EpochState]{}, err
		}
		if err := f.rules.Check(b); err != nil {
			return Stamped[market.EpochState]{}, err
		}
		if b.Hash != hash || b.Height != height || b.Bits != tip.Bits {
			return Stamped[market.EpochState]{}, fmt.Errorf("first block of the epoch at height %d: %w", b.Height, ErrLink)
		}
		f.first = b
	}
	now := f.now()
	s := market.EpochState{Bits: tip.Bits, Intervals: int(tip.Height - height), Elapsed: max(0, tip.Time.Sub(f.first.Time)), Since: max(0, now.Sub(tip.Time))}
	return Stamped[market.EpochState]{Value: s, At: tip.Time, Asked: asked, Source: f.chain.Name()}, nil
}

// Reward is what a block pays: the next block's subsidy, and fees averaged over
// the newest 144 blocks. Blocks whose fees are not known make it an error.
func (f *Follower) Reward() (Stamped[market.Reward], error) {
	blocks, asked := f.held()
	var fees []int64
	for _, b := range blocks[max(0, len(blocks)-market.FeeBlocks):] {
		v, ok := b.Fees.Get()
		if !ok {
			return Stamped[market.Reward]{}, fmt.Errorf("%s does not tell the fees of block %d: %w", f.chain.Name(), b.Height, market.ErrNoData)
		}
		fees = append(fees, v)
	}
	avg, err := market.AverageFees(fees, market.FeeBlocks)
	if err != nil {
		return Stamped[market.Reward]{}, err
	}
	tip := blocks[len(blocks)-1]
	r := market.Reward{Subsidy: market.Subsidy(tip.Height + 1), Fees: avg}
	return Stamped[market.Reward]{Value: r, At: tip.Time, Asked: asked, Source: f.chain.Name()}, nil
}
