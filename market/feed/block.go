package feed

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"
	"slices"
	"time"

	"ballast/market"
	"ballast/unit"
)

// Block is a block's header, its height, and what it paid.
type Block struct {
	Height     int64
	Hash, Prev [32]byte // big endian
	Merkle     [32]byte // big endian
	Version    int32
	Time       time.Time
	Bits       market.Bits
	Nonce      uint32
	// Fees are all transaction fees in satoshi.
	Fees unit.Opt[int64]
}

// Header is the 80 bytes that are hashed.
func (b Block) Header() (h [80]byte) {
	binary.LittleEndian.PutUint32(h[0:], uint32(b.Version))
	copy(h[4:], reversed(b.Prev))
	copy(h[36:], reversed(b.Merkle))
	binary.LittleEndian.PutUint32(h[68:], uint32(b.Time.Unix()))
	binary.LittleEndian.PutUint32(h[72:], uint32(b.Bits))
	binary.LittleEndian.PutUint32(h[76:], b.Nonce)
	return h
}

// Sum is the hash of the header, big endian.
func (b Block) Sum() [32]byte {
	h := b.Header()
	once := sha256.Sum256(h[:])
	twice := sha256.Sum256(once[:])
	slices.Reverse(twice[:])
	return twice
}

// Check tells whether the block is what its hash says, and whether that hash
// meets the target it claims, which must not be easier than limit.
func (b Block) Check(limit market.Target) error { return b.check(limit, true) }

func (b Block) check(limit market.Target, proof bool) error {
	if b.Sum() != b.Hash {
		return fmt.Errorf("block %x: the header hashes to %x: %w", b.Hash, b.Sum(), ErrProof)
	}
	t, err := b.Bits.Target()
	if err != nil {
		return fmt.Errorf("block %x: %w: %w", b.Hash, ErrProof, err)
	}
	if t.Big().Cmp(limit.Big()) > 0 || proof && !t.Meets(b.Hash) {
		return fmt.Errorf("block %x: over its target: %w", b.Hash, ErrProof)
	}
	if f, ok := b.Fees.Get(); ok && (f < 0 || f > market.Supply(b.Height)) {
		return fmt.Errorf("block %x: fees of %d satoshi: %w", b.Hash, f, ErrFormat)
	}
	return nil
}

func reversed(h [32]byte) []byte {
	s := slices.Clone(h[:])
	slices.Reverse(s)
	return s
}

func parseHash(s string) (h [32]byte, err error) {
	if len(s) != 64 {
		return h, fmt.Errorf("%.80q is no block hash: %w", s, ErrFormat)
	}
	if _, err := hex.Decode(h[:], []byte(s)); err != nil {
		return h, fmt.Errorf("%q is no block hash: %w", s, ErrFormat)
	}
	return h, nil
}

// parseRaw reads a block as the network carries it: the header, and the sum of
// its coinbase's outputs, from which the fees follow (BIP 34 and 141 blocks
// alike). Height is not in the header; the caller knows it. What comes after
// the coinbase is not read.
func parseRaw(raw []byte, height int64) (Block, error) {
	r := wire{b: raw}
	var b Block
	head := r.take(80)
	if head == nil {
		return b, fmt.Errorf("%d bytes are no block: %w", len(raw), ErrFormat)
	}
	b.Height = height
	b.Version = int32(binary.LittleEndian.Uint32(head))
	b.Prev, b.Merkle = [32]byte(reversed([32]byte(head[4:36]))), [32]byte(reversed([32]byte(head[36:68])))
	b.Time = time.Unix(int64(binary.LittleEndian.Uint32(head[68:])), 0).UTC()
	b.Bits = market.Bits(binary.LittleEndian.Uint32(head[72:]))
	b.Nonce = binary.LittleEndian.Uint32(head[76:])
	b.Hash = b.Sum()
	r.count() // transactions
	r.take(4) // version
	inputs := r.count()
	if inputs == 0 { // marker and flag of a segregated-witness transaction
		if flag := r.take(1); flag == nil || flag[0] != 1 {
			r.bad = true
		}
		inputs = r.count()
	}
	if inputs != 1 {
		r.bad = true
	}
	if prev := r.take(36); prev == nil || slices.ContainsFunc(prev[:32], func(c byte) bool { return c != 0 }) {
		r.bad = true // not a coinbase
	}
	r.take(r.count()) // script
	r.take(4)         // sequence
	var paid uint64
	outputs := r.count()
	for i := uint64(0); i < outputs && !r.bad; i++ {
		v := r.take(8)
		if v == nil {
			break
		}
		var carry uint64
		if paid, carry = bits.Add64(paid, binary.LittleEndian.Uint64(v), 0); carry != 0 {
			r.bad = true
		}
		r.take(r.count())
	}
	if r.bad || outputs == 0 || paid > 21e6*market.Coin {
		return Block{}, fmt.Errorf("coinbase of block %x cannot be read: %w", b.Hash, ErrFormat)
	}
	// A miner may claim less than it is due, and then less is what was paid.
	b.Fees = unit.Some(max(0, int64(paid)-market.Subsidy(height)))
	return b, nil
}

// wire reads Bitcoin's serialisation; bad is set once bytes run out.
type wire struct {
	b   []byte
	bad bool
}

func (w *wire) take(n uint64) []byte {
	if w.bad || n > uint64(len(w.b)) {
		w.bad = true
		return nil
	}
	out := w.b[:n]
	w.b = w.b[n:]
	return out
}

// count reads a CompactSize.
func (w *wire) count() uint64 {
	first := w.take(1)
	if first == nil {
		return 0
	}
	var size uint64
	switch first[0] {
	case 0xfd:
		size = 2
	case 0xfe:
		size = 4
	case 0xff:
		size = 8
	default:
		return uint64(first[0])
	}
	rest := w.take(size)
	if rest == nil {
		return 0
	}
	var v [8]byte
	copy(v[:], rest)
	return binary.LittleEndian.Uint64(v[:])
}
