package market

import (
	"encoding/hex"
	"fmt"
	"math/big"
)

// Target is the number that a block's hash must not exceed: 256 bits, big
// endian. The zero Target is not valid.
type Target [32]byte

// Bits is a target as block headers carry it: one byte of exponent (base 256)
// and 23 bits of mantissa with a sign.
type Bits uint32

// LimitBits is the easiest target of the main network, which is difficulty 1.
const LimitBits Bits = 0x1d00ffff

var (
	one   = big.NewInt(1)
	two32 = new(big.Int).Lsh(one, 32)
	// two256 is one more than the largest hash.
	two256 = new(big.Int).Lsh(one, 256)
	limit  = new(big.Int).Lsh(big.NewInt(0xffff), 208)
)

// Limit is the easiest target of the main network.
func Limit() Target { return mustTarget(limit) }

func mustTarget(n *big.Int) (t Target) { n.FillBytes(t[:]); return t }

// TargetOf makes a target of a number between 1 and 2^256-1.
func TargetOf(n *big.Int) (Target, error) {
	if n.Sign() <= 0 || n.BitLen() > 256 {
		return Target{}, fmt.Errorf("%s: %w", n, ErrTarget)
	}
	return mustTarget(n), nil
}

// Big is the target as a number of its own.
func (t Target) Big() *big.Int { return new(big.Int).SetBytes(t[:]) }

// String prints the 64 hex digits.
func (t Target) String() string { return hex.EncodeToString(t[:]) }

// Target expands b. Negative, zero and overflowing encodings are errors, as in
// Bitcoin Core's CheckProofOfWork.
func (b Bits) Target() (Target, error) {
	size, word := uint(b>>24), uint32(b&0x007fffff)
	negative := word != 0 && b&0x00800000 != 0
	overflow := word != 0 && (size > 34 || word > 0xff && size > 33 || word > 0xffff && size > 32)
	n := big.NewInt(int64(word))
	if size <= 3 {
		n.Rsh(n, 8*(3-size))
	} else if !overflow {
		n.Lsh(n, 8*(size-3))
	}
	if negative || overflow || n.Sign() == 0 {
		return Target{}, fmt.Errorf("%08x: %w", uint32(b), ErrBits)
	}
	return TargetOf(n)
}

// Bits is t in compact form; the digits that do not fit are cut off, so the
// compact form is never easier than t.
func (t Target) Bits() Bits {
	n := t.Big()
	size := (n.BitLen() + 7) / 8
	var word uint64
	if size <= 3 {
		word = n.Uint64() << (8 * (3 - size))
	} else {
		word = n.Rsh(n, uint(8*(size-3))).Uint64()
	}
	if word&0x00800000 != 0 { // would read as a sign
		word >>= 8
		size++
	}
	return Bits(word | uint64(size)<<24)
}

// Difficulty is how much harder t is than the limit, exactly.
func (t Target) Difficulty() *big.Rat {
	return new(big.Rat).SetFrac(limit, t.Big())
}

// Diff is the difficulty as the nearest float, for statistics and display.
func (t Target) Diff() float64 { f, _ := t.Difficulty().Float64(); return f }

// TargetAt is the largest target whose difficulty is not below d.
func TargetAt(d *big.Rat) (Target, error) {
	if d.Sign() <= 0 {
		return Target{}, fmt.Errorf("difficulty %s: %w", d.RatString(), ErrTarget)
	}
	n := new(big.Int).Mul(limit, d.Denom())
	return TargetOf(n.Quo(n, d.Num()))
}

// Work is the expected number of hashes for a block at t: 2^256/(t+1), rounded
// down (Bitcoin Core, GetBlockProof).
func (t Target) Work() *big.Int {
	n := t.Big()
	return n.Quo(two256, n.Add(n, one))
}

// Hashes is the expected number of hashes for a block, exactly.
func (t Target) Hashes() *big.Rat {
	n := t.Big()
	return new(big.Rat).SetFrac(two256, n.Add(n, one))
}

// HashesAtDifficulty is d times 2^32: what explorers and pools reckon with. It
// differs from [Target.Hashes] by less than 16 in a million.
func HashesAtDifficulty(d *big.Rat) *big.Rat {
	return new(big.Rat).Mul(d, new(big.Rat).SetInt(two32))
}

// Meets tells whether a block hash, big endian as it is printed, is good
// enough for t.
func (t Target) Meets(hash [32]byte) bool {
	for i := range t {
		if hash[i] != t[i] {
			return hash[i] < t[i]
		}
	}
	return true
}
