package market

import (
	"fmt"
	"time"
)

// Subsidy is what a block at the given height creates, in satoshi: 50 BTC,
// shifted right once every 210,000 blocks, nothing from the 64th halving on
// (Bitcoin Core, GetBlockSubsidy).
func Subsidy(height int64) int64 {
	if height < 0 {
		return 0
	}
	n := height / HalvingBlocks
	if n >= 64 {
		return 0
	}
	return (50 * Coin) >> n
}

// Supply is what all blocks below the given height have created, in satoshi.
func Supply(height int64) int64 {
	var sum int64
	for start := int64(0); start < height; start += HalvingBlocks {
		s := Subsidy(start)
		if s == 0 {
			break
		}
		sum += s * min(HalvingBlocks, height-start)
	}
	return sum
}

// HalvingHeight is the height of the n-th halving, counted from 1.
func HalvingHeight(n int) int64 { return int64(n) * HalvingBlocks }

// NextHalving is the number and the height of the first halving above height.
func NextHalving(height int64) (n int, at int64) {
	n = int(height/HalvingBlocks) + 1
	return n, HalvingHeight(n)
}

// Expected is a date with the range that nine in ten outcomes fall into.
type Expected struct {
	At, Early, Late time.Time
}

// ExpectHeight says when a height will be reached, from a known block and the
// spacing that is expected on average.
//
// Spread is the standard deviation of that average spacing as a share of it:
// growing hashrate makes blocks come early (since 2016 the mean spacing over
// a halving was 1 to 6 % under 600 s). With spread 0 the range is only the
// randomness of single blocks.
func ExpectHeight(height int64, at time.Time, target int64, spacing time.Duration, spread float64) (Expected, error) {
	if target < height || spacing <= 0 || spread < 0 {
		return Expected{}, fmt.Errorf("height %d from %d at %v a block: %w", target, height, spacing, ErrInvalid)
	}
	n := float64(target - height)
	mean := n * spacing.Seconds()
	sd := spacing.Seconds() * sqrt(n+n*n*spread*spread)
	const z = 1.6448536269514722
	shift := func(s float64) time.Time { return addSeconds(at, s) }
	return Expected{At: shift(mean), Early: shift(max(0, mean-z*sd)), Late: shift(mean + z*sd)}, nil
}
