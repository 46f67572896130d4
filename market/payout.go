package market

import (
	"fmt"
	"math"
	"math/big"
)

// PoolTerms are what a pool keeps, as exact shares of one.
type PoolTerms struct {
	Fee *big.Rat // of everything paid; nil is none
	// FeeOnFees is what is kept of transaction fees under PPS+, when it
	// differs from Fee; nil means Fee.
	FeeOnFees *big.Rat
}

func kept(fee *big.Rat) (*big.Rat, error) {
	if fee == nil {
		return big.NewRat(1, 1), nil
	}
	if fee.Sign() < 0 || fee.Cmp(big.NewRat(1, 1)) > 0 {
		return nil, fmt.Errorf("pool fee %s: %w", fee.RatString(), ErrInvalid)
	}
	return new(big.Rat).Sub(big.NewRat(1, 1), fee), nil
}

// blocksWorth is how many blocks' worth of hashes work is, exactly.
func blocksWorth(work *big.Int, t Target) (*big.Rat, error) {
	if work.Sign() < 0 {
		return nil, fmt.Errorf("work %s: %w", work, ErrInvalid)
	}
	w := new(big.Rat).SetInt(work)
	return w.Quo(w, t.Hashes()), nil
}

// FPPS is what a pool owes for work (a number of hashes) under full pay per
// share, in satoshi, exactly: the expected share of subsidy and of the
// network's average fees, whether or not the pool finds blocks.
func FPPS(work *big.Int, t Target, r Reward, terms PoolTerms) (*big.Rat, error) {
	k, err := kept(terms.Fee)
	if err != nil {
		return nil, err
	}
	w, err := blocksWorth(work, t)
	if err != nil {
		return nil, err
	}
	return w.Mul(w, r.Total()).Mul(w, k), nil
}

// PPSPlus is what a pool owes for work under PPS+, in satoshi, exactly: the
// subsidy as under pay per share, and the miner's share of the fees in the
// blocks that the pool did find (feesFound, satoshi) by its share of the work
// that found them.
func PPSPlus(work *big.Int, t Target, subsidy int64, poolWork *big.Int, feesFound int64, terms PoolTerms) (*big.Rat, error) {
	if feesFound < 0 || poolWork.Sign() <= 0 || work.Cmp(poolWork) > 0 {
		return nil, fmt.Errorf("%s of %s work, %d satoshi of fees: %w", work, poolWork, feesFound, ErrInvalid)
	}
	sub, err := FPPS(work, t, Reward{Subsidy: subsidy}, terms)
	if err != nil {
		return nil, err
	}
	onFees := terms.FeeOnFees
	if onFees == nil {
		onFees = terms.Fee
	}
	k, err := kept(onFees)
	if err != nil {
		return nil, err
	}
	fees := new(big.Rat).SetFrac(work, poolWork)
	fees.Mul(fees, new(big.Rat).SetInt64(feesFound)).Mul(fees, k)
	return sub.Add(sub, fees), nil
}

// Share is work that one miner handed in, in the order it came.
type Share struct {
	Miner string
	Work  *big.Int // hashes: the share's difficulty times 2^32
}

// Paid is what one miner gets of a block.
type Paid struct {
	Miner string
	Sat   int64
}

// PPLNS divides a block's reward (satoshi, after nothing) over the last window
// of work before it: shares are counted from the newest back until window
// hashes are reached, the last one in part. Every satoshi after the pool's fee
// is paid: what rounding leaves goes to the largest remainders. The result is
// in order of each miner's first share in the window.
func PPLNS(shares []Share, window *big.Int, reward int64, terms PoolTerms) ([]Paid, error) {
	k, err := kept(terms.Fee)
	if err != nil {
		return nil, err
	}
	if window.Sign() <= 0 || reward < 0 {
		return nil, fmt.Errorf("window %s, reward %d: %w", window, reward, ErrInvalid)
	}
	left := new(big.Int).Set(window)
	start := len(shares)
	for start > 0 && left.Sign() > 0 {
		start--
		w := shares[start].Work
		if w == nil || w.Sign() <= 0 {
			return nil, fmt.Errorf("share %d of %s: %w", start, shares[start].Miner, ErrInvalid)
		}
		left.Sub(left, w)
	}
	of := map[string]*big.Int{}
	var order []string
	for i, s := range shares[start:] {
		w := new(big.Int).Set(s.Work)
		if i == 0 && left.Sign() < 0 {
			w.Add(w, left) // only the part inside the window
		}
		if of[s.Miner] == nil {
			of[s.Miner] = new(big.Int)
			order = append(order, s.Miner)
		}
		of[s.Miner].Add(of[s.Miner], w)
	}
	if len(order) == 0 {
		return nil, fmt.Errorf("no shares: %w", ErrNoData)
	}
	pay := k.Mul(k, new(big.Rat).SetInt64(reward))
	whole := new(big.Int).Quo(pay.Num(), pay.Denom()).Int64()
	weights := make([]*big.Int, len(order))
	for i, m := range order {
		weights[i] = of[m]
	}
	parts, err := Divide(whole, weights)
	if err != nil {
		return nil, err
	}
	out := make([]Paid, len(order))
	for i, m := range order {
		out[i] = Paid{m, parts[i]}
	}
	return out, nil
}

// Divide splits a whole amount by weights without losing a unit: every part is
// rounded down, and what is left goes one by one to the largest remainders, the
// first of equals first.
func Divide(whole int64, weights []*big.Int) ([]int64, error) {
	sum := new(big.Int)
	for _, w := range weights {
		if w.Sign() < 0 {
			return nil, fmt.Errorf("weight %s: %w", w, ErrInvalid)
		}
		sum.Add(sum, w)
	}
	if sum.Sign() == 0 || whole < 0 {
		return nil, fmt.Errorf("dividing %d by weights that sum to %s: %w", whole, sum, ErrInvalid)
	}
	parts := make([]int64, len(weights))
	rests := make([]*big.Int, len(weights))
	left := whole
	for i, w := range weights {
		n := new(big.Int).Mul(big.NewInt(whole), w)
		q, rem := n.QuoRem(n, sum, new(big.Int))
		parts[i], rests[i] = q.Int64(), rem
		left -= parts[i]
	}
	for ; left > 0; left-- {
		best := 0
		for i := range rests {
			if rests[i].Cmp(rests[best]) > 0 {
				best = i
			}
		}
		parts[best]++
		rests[best] = big.NewInt(-1)
	}
	return parts, nil
}

// PoolLuck is the relative standard deviation of what a pool that finds blocks
// blocks on average pays under PPLNS or solo: 1/sqrt(blocks). Under FPPS the
// pool bears it, under PPS+ only the part that comes of fees.
func PoolLuck(blocks float64) (float64, bool) {
	if !(blocks > 0) {
		return 0, false
	}
	return 1 / math.Sqrt(blocks), true
}
