// Package market knows what the Bitcoin network pays and what the machines that
// work for it cost: targets and difficulty, retargets, the subsidy and its
// halvings, hashprice, what pools pay, what a miner's production says about its
// hashrate, what the whole network draws, and what a TH/s of a given efficiency
// is sold for.
//
// Two kinds of number live here and are kept apart:
//
//   - What the protocol fixes is exact: targets, work, subsidy and payouts are
//     big integers and rationals, rounded once where a satoshi or a cent is
//     paid ([Target], [Bits], [Retarget], [Subsidy], [Reward]).
//   - What is estimated from a sample (next difficulty, realised hashrate,
//     dates of halvings) is a float with its uncertainty beside it
//     ([Forecast], [Realised]).
//
// The package is pure: data and a time in, values out. Where the data comes
// from is market/feed's business.
package market

import "errors"

// What can be wrong with data from outside. Functions wrap these; the message
// says which value.
var (
	ErrBits    = errors.New("not a valid compact target")
	ErrTarget  = errors.New("target out of range")
	ErrHistory = errors.New("not a usable difficulty history")
	ErrNoData  = errors.New("not enough data")
	ErrInvalid = errors.New("not valid")
)

// Consensus constants of Bitcoin's main network (Bitcoin Core,
// src/kernel/chainparams.cpp and src/pow.cpp).
const (
	// EpochBlocks is how many blocks share one target.
	EpochBlocks = 2016
	// Spacing is the intended time between blocks, in seconds.
	Spacing = 600
	// Timespan is the intended time of an epoch, in seconds: two weeks.
	Timespan = EpochBlocks * Spacing
	// HalvingBlocks is how many blocks share one subsidy.
	HalvingBlocks = 210_000
	// Coin is one bitcoin in satoshi.
	Coin = 100_000_000
	// DaySeconds is a day.
	DaySeconds = 86_400
)
