package market

import (
	"fmt"
	"math/big"

	"ballast/unit"
)

// FeeBlocks is how many blocks hashprice averages fees over: about a day
// (Luxor, Hashrate Index methodology).
const FeeBlocks = 144

// Reward is what a block of the network pays on average.
type Reward struct {
	Subsidy int64    // satoshi
	Fees    *big.Rat // satoshi a block, averaged; nil is none
}

// Total is subsidy and fees, in satoshi.
func (r Reward) Total() *big.Rat {
	t := new(big.Rat).SetInt64(r.Subsidy)
	if r.Fees != nil {
		t.Add(t, r.Fees)
	}
	return t
}

// FeeShare is the fees' share of the reward.
func (r Reward) FeeShare() float64 {
	if r.Fees == nil || r.Total().Sign() == 0 {
		return 0
	}
	f, _ := new(big.Rat).Quo(r.Fees, r.Total()).Float64()
	return f
}

// RewardWithFeeShare is the reward whose fees are the given share of it:
// subsidy/(1-share) in all. Share must be at least 0 and under 1.
func RewardWithFeeShare(subsidy int64, share *big.Rat) (Reward, error) {
	if share.Sign() < 0 || share.Cmp(big.NewRat(1, 1)) >= 0 {
		return Reward{}, fmt.Errorf("fee share %s: %w", share.RatString(), ErrInvalid)
	}
	rest := new(big.Rat).Sub(big.NewRat(1, 1), share)
	fees := new(big.Rat).SetInt64(subsidy)
	fees.Mul(fees, share)
	return Reward{Subsidy: subsidy, Fees: fees.Quo(fees, rest)}, nil
}

// AverageFees is the mean of the fees of the newest n blocks, in satoshi,
// oldest first. Fewer than n blocks are an error: a shorter window would be
// another number under the same name.
func AverageFees(fees []int64, n int) (*big.Rat, error) {
	if n <= 0 || len(fees) < n {
		return nil, fmt.Errorf("%d blocks of fees, want %d: %w", len(fees), n, ErrNoData)
	}
	sum := new(big.Int)
	for _, f := range fees[len(fees)-n:] {
		if f < 0 {
			return nil, fmt.Errorf("fees of %d satoshi: %w", f, ErrInvalid)
		}
		sum.Add(sum, big.NewInt(f))
	}
	return new(big.Rat).SetFrac(sum, big.NewInt(int64(n))), nil
}

// SatPerPHDay is what 1 PH/s earns in a day before any pool fee, in satoshi,
// exactly: 86400e15 hashes over the hashes of a block, times its reward.
func SatPerPHDay(t Target, r Reward) *big.Rat { return SatPerPHDayOver(t.Hashes(), r) }

// SatPerPHDayOver is [SatPerPHDay] for a number of hashes a block, for those
// who reckon with difficulty times 2^32 ([HashesAtDifficulty]).
func SatPerPHDayOver(hashes *big.Rat, r Reward) *big.Rat {
	day := new(big.Rat).SetInt(new(big.Int).Mul(big.NewInt(DaySeconds), big.NewInt(1e15)))
	day.Quo(day, hashes)
	return day.Mul(day, r.Total())
}

// HashpriceOf is hashprice at target t, reward r and a price of one bitcoin,
// rounded once to a millionth of the price's currency.
func HashpriceOf(t Target, r Reward, btc unit.Money) (unit.Hashprice, error) {
	if btc.Minor < 0 || btc.Currency == unit.BTC || btc.Currency == "" {
		return unit.Hashprice{}, fmt.Errorf("price of a bitcoin %s: %w", btc, ErrInvalid)
	}
	v := SatPerPHDay(t, r)
	v.Quo(v, big.NewRat(Coin, 1)).Mul(v, btc.Rat())
	micro := roundRat(v.Mul(v, big.NewRat(1e6, 1)))
	if !micro.IsInt64() {
		return unit.Hashprice{}, fmt.Errorf("hashprice: %w", unit.ErrRange)
	}
	return unit.Hashprice{Micro: micro.Int64(), Currency: btc.Currency}, nil
}

// roundRat rounds half to even.
func roundRat(r *big.Rat) *big.Int {
	q, rem := new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
	rem.Abs(rem).Lsh(rem, 1)
	if c := rem.Cmp(r.Denom()); c > 0 || c == 0 && q.Bit(0) == 1 {
		q.Add(q, big.NewInt(int64(r.Sign())))
	}
	return q
}
