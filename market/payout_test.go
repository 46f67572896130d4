package market_test

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"ballast/market"
)

func TestPools(t *testing.T) {
	target, _ := market.Bits(0x17024ac6).Target()
	block := target.Work()
	r := market.Reward{Subsidy: 312_500_000, Fees: big.NewRat(10_000_000, 1)}
	fee := big.NewRat(2, 100)
	// A tenth of a block's work.
	work := new(big.Int).Quo(block, big.NewInt(10))
	fpps, err := market.FPPS(work, target, r, market.PoolTerms{Fee: fee})
	if err != nil {
		t.Fatal(err)
	}
	if got := fpps.FloatString(0); got != "31605000" {
		t.Errorf("FPPS pays %s satoshi", got)
	}
	// The pool found one block with twice the usual fees, with ten times this work.
	plus, err := market.PPSPlus(work, target, r.Subsidy, block, 20_000_000, market.PoolTerms{Fee: fee, FeeOnFees: big.NewRat(0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	if got := plus.FloatString(0); got != "32625000" {
		t.Errorf("PPS+ pays %s satoshi", got)
	}
	shares := []market.Share{{"old", big.NewInt(1000)}, {"a", big.NewInt(30)}, {"b", big.NewInt(50)}, {"a", big.NewInt(40)}}
	paid, err := market.PPLNS(shares, big.NewInt(100), 1_000_001, market.PoolTerms{})
	if err != nil {
		t.Fatal(err)
	}
	want := []market.Paid{{"a", 500_001}, {"b", 500_000}}
	if len(paid) != 2 || paid[0] != want[0] || paid[1] != want[1] {
		t.Errorf("PPLNS pays %v, want %v", paid, want)
	}
	for name, f := range map[string]func() error{
		"fee over one": func() error {
			_, err := market.FPPS(work, target, r, market.PoolTerms{Fee: big.NewRat(3, 2)})
			return err
		},
		"negative work":      func() error { _, err := market.FPPS(big.NewInt(-1), target, r, market.PoolTerms{}); return err },
		"more than the pool": func() error { _, err := market.PPSPlus(block, target, 1, work, 0, market.PoolTerms{}); return err },
		"no window":          func() error { _, err := market.PPLNS(shares, big.NewInt(0), 1, market.PoolTerms{}); return err },
		"no shares":          func() error { _, err := market.PPLNS(nil, big.NewInt(5), 1, market.PoolTerms{}); return err },
		"share without work": func() error {
			_, err := market.PPLNS([]market.Share{{}}, big.NewInt(5), 1, market.PoolTerms{})
			return err
		},
		"weights of nothing":  func() error { _, err := market.Divide(5, []*big.Int{big.NewInt(0)}); return err },
		"a negative weight":   func() error { _, err := market.Divide(5, []*big.Int{big.NewInt(-1), big.NewInt(2)}); return err },
		"window of no blocks": func() error { _, err := market.AverageFees(make([]int64, 143), 144); return err },
		"negative fees":       func() error { _, err := market.AverageFees([]int64{-1}, 1); return err },
		"fee share of one":    func() error { _, err := market.RewardWithFeeShare(1, big.NewRat(1, 1)); return err },
	} {
		if f() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Not a satoshi is lost or made, and nobody is a satoshi away from fair.
func TestDivideProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		whole := rapid.Int64Range(0, 21e14).Draw(t, "whole")
		ws := rapid.SliceOfN(rapid.Int64Range(0, 1<<62), 1, 40).Draw(t, "weights")
		weights := make([]*big.Int, len(ws))
		sum := new(big.Int)
		for i, w := range ws {
			weights[i] = big.NewInt(w)
			sum.Add(sum, weights[i])
		}
		parts, err := market.Divide(whole, weights)
		if sum.Sign() == 0 {
			if err == nil {
				t.Fatal("divided by nothing")
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		var total int64
		for i, p := range parts {
			total += p
			fair := new(big.Rat).SetFrac(new(big.Int).Mul(weights[i], big.NewInt(whole)), sum)
			off := fair.Sub(fair, big.NewRat(p, 1))
			if off.Abs(off).Cmp(big.NewRat(1, 1)) >= 0 {
				t.Fatalf("part %d is %d, %s from fair", i, p, off.FloatString(3))
			}
		}
		if total != whole {
			t.Fatalf("%d paid of %d", total, whole)
		}
	})
}

// Whatever the shares, a block is paid out whole.
func TestPPLNSProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		shares := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) market.Share {
			return market.Share{Miner: rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "miner"), Work: big.NewInt(rapid.Int64Range(1, 1e15).Draw(t, "work"))}
		}), 1, 60).Draw(t, "shares")
		reward := rapid.Int64Range(0, 50e8).Draw(t, "reward")
		fee := big.NewRat(rapid.Int64Range(0, 1000).Draw(t, "fee"), 1000)
		paid, err := market.PPLNS(shares, big.NewInt(rapid.Int64Range(1, 1e17).Draw(t, "window")), reward, market.PoolTerms{Fee: fee})
		if err != nil {
			t.Fatal(err)
		}
		var sum int64
		for _, p := range paid {
			sum += p.Sat
		}
		due := new(big.Rat).Mul(new(big.Rat).Sub(big.NewRat(1, 1), fee), big.NewRat(reward, 1))
		if want := new(big.Int).Quo(due.Num(), due.Denom()).Int64(); sum != want {
			t.Fatalf("%d paid, want %d", sum, want)
		}
	})
}
