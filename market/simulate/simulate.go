// Package simulate is a bitcoin network that does not exist: a chain of blocks
// with real headers, links, times and retargets, fees, and a price, served in
// the format of mempool.space's REST API. It is for sites that are simulated,
// so that every page has a market to show; nothing in it is a statement about
// the real one, and every answer says that it is simulated.
//
// The chain is a function of the seed and the time alone: a restart continues
// the same chain. Nobody does the work that its targets ask for, so it is
// followed with feed.Rules.Unproven.
package simulate

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"sort"
	"sync"
	"time"

	"ballast/market"
	"ballast/market/feed"
	"ballast/unit"
)

// Where the simulated chain begins: with an epoch, a difficulty and a price that
// are a bitcoin-like place to start from.
const (
	firstHeight     = 355 * market.EpochBlocks
	firstDifficulty = 24_000_000_000_000
	firstPrice      = 46_000
)

var firstTime = time.Date(2021, 12, 25, 0, 0, 0, 0, time.UTC)

// block is what is kept of each block; the rest follows from the height.
type block struct {
	hash [32]byte
	at   uint32
	fees int64
}

// Chain is the simulated network. It is safe for concurrent use.
type Chain struct {
	seed uint64
	now  func() time.Time

	mu     sync.Mutex
	days   *days
	blocks []block
	bits   []market.Bits // by epoch from the first
	diff   []float64     // of bits
	byHash map[[32]byte]int64
	rng    *rand.Rand
	next   time.Time // when the next block is found
}

// New makes the chain of a seed as it is at now.
func New(seed uint64, now func() time.Time) *Chain {
	c := &Chain{seed: seed, now: now, days: newDays(seed), byHash: map[[32]byte]int64{}, rng: rand.New(rand.NewPCG(seed, 0xb10c))}
	t, err := market.TargetAt(big.NewRat(firstDifficulty, 1))
	if err != nil {
		panic(err) // a constant
	}
	c.target(t.Bits())
	c.next = firstTime
	return c
}

// grow finds the blocks up to now. The caller holds mu.
func (c *Chain) grow() {
	now := c.now()
	for !c.next.After(now) {
		height := firstHeight + int64(len(c.blocks))
		n := len(c.blocks) / market.EpochBlocks
		if n > 0 && len(c.blocks)%market.EpochBlocks == 0 {
			first, last := c.blocks[(n-1)*market.EpochBlocks], c.blocks[n*market.EpochBlocks-1]
			bits, err := market.Retarget(c.bits[n-1], int64(first.at), int64(last.at))
			if err != nil {
				bits = c.bits[n-1] // cannot be: the span is positive and the target was valid
			}
			c.target(bits)
		}
		d := c.days.at(c.next, c.diff[n], market.Subsidy(height))
		b := block{at: uint32(c.next.Unix()), fees: int64(float64(market.Coin) * d.fees * math.Exp(0.35*c.rng.NormFloat64()))}
		b.hash = c.header(height, b).Sum()
		c.byHash[b.hash] = height
		c.blocks = append(c.blocks, b)
		// Blocks come as a Poisson process at what the hashrate finds.
		mean := c.diff[n] * (1 << 32) / d.hashrate
		wait := max(1, c.rng.ExpFloat64()*mean)
		c.next = c.next.Add(time.Duration(wait * float64(time.Second)))
	}
}

// target begins an epoch.
func (c *Chain) target(b market.Bits) {
	d := float64(firstDifficulty)
	if t, err := b.Target(); err == nil { // they come out of Retarget
		d = t.Diff()
	}
	c.bits, c.diff = append(c.bits, b), append(c.diff, d)
}

// header is the block at a height, whole but for its hash.
func (c *Chain) header(height int64, b block) feed.Block {
	i := int(height - firstHeight)
	var seed [24]byte
	binary.LittleEndian.PutUint64(seed[:], c.seed)
	binary.LittleEndian.PutUint64(seed[8:], uint64(height))
	copy(seed[16:], "simulate")
	out := feed.Block{Height: height, Version: 0x20000000, Merkle: sha256.Sum256(seed[:]), Time: time.Unix(int64(b.at), 0).UTC(), Bits: c.bits[i/market.EpochBlocks], Fees: unit.Some(b.fees)}
	if i > 0 {
		out.Prev = c.blocks[i-1].hash
	}
	return out
}

// Tip is the newest block.
func (c *Chain) Tip() feed.Block {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.grow()
	return c.block(firstHeight + int64(len(c.blocks)) - 1)
}

func (c *Chain) block(height int64) feed.Block {
	b := c.blocks[height-firstHeight]
	out := c.header(height, b)
	out.Hash = b.hash
	return out
}

// At is the block at a height; false where the chain has none.
func (c *Chain) At(height int64) (feed.Block, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.grow()
	if height < firstHeight || height >= firstHeight+int64(len(c.blocks)) {
		return feed.Block{}, false
	}
	return c.block(height), true
}

// ByHash is a block by its hash.
func (c *Chain) ByHash(hash [32]byte) (feed.Block, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.grow()
	height, ok := c.byHash[hash]
	if !ok {
		return feed.Block{}, false
	}
	return c.block(height), true
}

// Price is the price of a bitcoin now, in US dollars.
func (c *Chain) Price() float64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.grow()
	return c.days.price(c.now())
}

// PastPrices are the closes of the days that are over.
func (c *Chain) PastPrices() []market.DayPrice {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.grow()
	var out []market.DayPrice
	for day := firstTime; day.Add(24 * time.Hour).Before(c.now()); day = day.Add(24 * time.Hour) {
		p := c.days.price(day.Add(24*time.Hour - time.Second))
		out = append(out, market.DayPrice{Day: day, Price: unit.Money{Minor: int64(math.Round(p * 100)), Currency: unit.USD}})
	}
	return out
}

// Pools are who found the newest n blocks, most first. The names are invented.
func (c *Chain) Pools(n int) []feed.PoolShare {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.grow()
	n = min(n, len(c.blocks))
	counts := make([]int, len(poolNames))
	for _, b := range c.blocks[len(c.blocks)-n:] {
		u := float64(binary.LittleEndian.Uint32(b.hash[:])) / (1 << 32)
		for i, share := range poolShares {
			if u -= share; u < 0 || i == len(poolShares)-1 {
				counts[i]++
				break
			}
		}
	}
	var out []feed.PoolShare
	for i, k := range counts {
		if k > 0 {
			out = append(out, feed.PoolShare{Pool: poolNames[i], Blocks: k})
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Blocks > out[j].Blocks })
	return out
}

var (
	poolNames  = []string{"Simulated pool A", "Simulated pool B", "Simulated pool C", "Simulated pool D", "Simulated pool E", "Simulated pool F"}
	poolShares = []float64{0.31, 0.24, 0.16, 0.12, 0.1, 0.07}
)

// String is the chain's place, for logs.
func (c *Chain) String() string {
	t := c.Tip()
	return fmt.Sprintf("simulated chain of seed %d at height %d", c.seed, t.Height)
}
