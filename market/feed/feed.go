// Package feed reads what package market reckons with: the chain's newest
// blocks from an explorer with mempool.space's API or from the company's own
// node (bitcoind or btcd), the price of a bitcoin from either or from a file.
//
// Every number comes with where it is from and when it was true ([Stamped]), so
// that a page can show its age. Nothing is believed for its sender's sake:
// headers are hashed again and must show their proof of work, links and heights
// must fit, and a chain with less work does not replace one with more
// ([Follower]). A source that fails is asked less and less often ([Backoff]).
package feed

import (
	"context"
	"errors"
	"net/url"
	"time"

	"ballast/unit"
)

// The ways a source can fail. They are wrapped with what was asked of whom.
var (
	ErrUnavailable = errors.New("source is not available") // no answer, a refusal, a time-out
	ErrWaiting     = errors.New("source failed lately and is not asked yet")
	ErrFormat      = errors.New("source answers in another format")
	ErrProof       = errors.New("block does not prove its work")
	ErrLink        = errors.New("block does not fit the chain")
	ErrWork        = errors.New("chain has less work than the one it would replace")
	ErrStale       = errors.New("data is too old")
	ErrMethod      = errors.New("source does not know the method")
)

// Stamped is a number with its origin. At is when it was true by the source's
// own account, Asked when Ballast got it.
type Stamped[T any] struct {
	Value  T
	At     time.Time
	Asked  time.Time
	Source string
}

// Age is how old the number is. A source whose clock runs ahead is no younger
// than new.
func (s Stamped[T]) Age(now time.Time) time.Duration { return max(0, now.Sub(s.At)) }

// Quotes tells the price of a bitcoin.
type Quotes interface {
	// Price is the newest price in the currency.
	Price(ctx context.Context, c unit.Currency) (Stamped[unit.Money], error)
}

// Chain tells blocks. Hashes are big endian, as they are printed.
type Chain interface {
	// Name says which source this is, without its password.
	Name() string
	// Tip is the hash of the newest block.
	Tip(ctx context.Context) ([32]byte, error)
	// At is the hash of the block at a height of the source's best chain.
	At(ctx context.Context, height int64) ([32]byte, error)
	// Block is the block with that hash. Fees may be missing.
	Block(ctx context.Context, hash [32]byte) (Block, error)
}

// name is a URL without what must not be printed.
func name(u *url.URL) string {
	c := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	return c.String()
}
