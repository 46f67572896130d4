package market

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"sort"
	"time"
)

// Epoch is one difficulty period: 2016 blocks that share a target.
type Epoch struct {
	Number int   // 0 starts with the genesis block
	Height int64 // of its first block
	Target Target
	Bits   Bits
	// Start is when its first block was found, estimated; the zero time when
	// nothing in the file tells (while difficulty stood at 1).
	Start time.Time
	// Span is the time from its first to its last block (2015 intervals), in
	// seconds; the zero Spans for an epoch that is not over, or that the
	// limit hid.
	Span Spans
	// LastHash is the hash of its last block, big endian; zero when not over.
	LastHash [32]byte
}

// Known tells whether the epoch's timespan follows from the targets.
func (e Epoch) Known() bool { return e.Span.Max > 0 && !e.Span.AtLeast }

// Hashrate is the network's over this epoch in H/s, from the expected hashes
// of 2015 blocks in the measured timespan. ok is false when it is not over.
func (e Epoch) Hashrate() (hs float64, ok bool) {
	if e.Span.Max == 0 {
		return 0, false
	}
	h, _ := e.Target.Hashes().Float64()
	return h * (EpochBlocks - 1) / e.Span.Mid(), true
}

// History is every epoch of a chain, oldest first, without gaps.
type History []Epoch

// Anchor is a block whose header time is known: it pins the estimated dates.
type Anchor struct {
	Height int64
	Time   time.Time
}

// Genesis epochs ran at the limit, where the targets tell no time. These two
// header times do: they are the ends of epoch 15, the last one before
// difficulty first moved (Bitcoin Core, src/test/pow_tests.cpp, the first
// vector), and the first two of an epoch whose true timespan the clamp hid (the
// third vector).
var headerTimes = []Anchor{
	{0, time.Unix(1231006505, 0).UTC()},
	{30240, time.Unix(1261130161, 0).UTC()},
	{32255, time.Unix(1262152739, 0).UTC()},
	{66528, time.Unix(1279008237, 0).UTC()},
	{68543, time.Unix(1279297671, 0).UTC()},
}

// ReadCheckpoints reads Electrum's checkpoints.json: an array with a pair for
// each finished epoch, the hash of its last block and the target of the epoch
// that follows as a decimal integer (spesmilo/electrum, blockchain.py,
// get_checkpoints).
//
// Nothing is taken on trust: each target must be one that compact bits can
// hold, each step one that the retarget rule can take, and each hash must meet
// its epoch's target.
func ReadCheckpoints(r io.Reader) (History, error) {
	dec := json.NewDecoder(io.LimitReader(r, 16<<20))
	dec.UseNumber()
	var pairs [][2]any
	if err := dec.Decode(&pairs); err != nil {
		return nil, fmt.Errorf("reading checkpoints: %w: %w", ErrHistory, err)
	}
	if len(pairs) == 0 {
		return nil, fmt.Errorf("no checkpoints: %w", ErrHistory)
	}
	h := History{{Target: Limit(), Bits: LimitBits}}
	for i, p := range pairs {
		last := &h[i]
		text, _ := p[0].(string)
		number, _ := p[1].(json.Number)
		if n, err := hex.Decode(last.LastHash[:], fit(text)); err != nil || n != 32 {
			return nil, fmt.Errorf("checkpoint %d: %q is no block hash: %w", i, text, ErrHistory)
		}
		if !last.Target.Meets(last.LastHash) {
			return nil, fmt.Errorf("checkpoint %d: block %s does not meet the target of its epoch: %w", i, text, ErrHistory)
		}
		n, ok := new(big.Int).SetString(number.String(), 10)
		if !ok {
			return nil, fmt.Errorf("checkpoint %d: %q is no target: %w", i, number, ErrHistory)
		}
		t, err := TargetOf(n)
		if err != nil {
			return nil, fmt.Errorf("checkpoint %d: %w: %w", i, ErrHistory, err)
		}
		b := t.Bits()
		if back, err := b.Target(); err != nil || back != t {
			return nil, fmt.Errorf("checkpoint %d: target %s has more digits than compact bits: %w", i, t, ErrHistory)
		}
		span, ok := SpansBetween(last.Bits, b)
		if !ok {
			return nil, fmt.Errorf("checkpoint %d: no timespan leads from %08x to %08x: %w", i, uint32(last.Bits), uint32(b), ErrHistory)
		}
		last.Span = span
		if last.Bits == LimitBits && b == LimitBits {
			last.Span = Spans{} // anything slower than two weeks looks the same
		}
		h = append(h, Epoch{Number: i + 1, Height: int64(i+1) * EpochBlocks, Target: t, Bits: b})
	}
	h.date()
	return h, nil
}

// fit keeps hex.Decode from writing past 32 bytes.
func fit(s string) []byte {
	if len(s) != 64 {
		return []byte("x")
	}
	return []byte(s)
}

// date estimates when each epoch began: forward from the last known header
// time, adding each epoch's timespan and one average interval for the step to
// the next epoch's first block, which no timespan measures.
func (h History) date() {
	known := map[int64]time.Time{}
	for _, a := range headerTimes {
		known[a.Height] = a.Time
	}
	for i := range h {
		e := &h[i]
		if t, ok := known[e.Height]; ok {
			e.Start = t
		}
		if i > 0 && e.Start.IsZero() && !h[i-1].Start.IsZero() {
			p := &h[i-1]
			span := p.Span.Mid()
			if t, ok := known[p.Height+EpochBlocks-1]; ok {
				span = t.Sub(p.Start).Seconds()
			}
			if span > 0 {
				e.Start = addSeconds(p.Start, span*EpochBlocks/(EpochBlocks-1))
			}
		}
	}
}

// At is the epoch that was running at t; ok is false before the first dated
// epoch and after the last one's expected end.
func (h History) At(t time.Time) (Epoch, bool) {
	i := sort.Search(len(h), func(i int) bool { return h[i].Start.After(t) }) - 1
	for i >= 0 && h[i].Start.IsZero() {
		i--
	}
	if i < 0 {
		return Epoch{}, false
	}
	if i == len(h)-1 && t.Sub(h[i].Start) > 2*Timespan*time.Second {
		return Epoch{}, false
	}
	return h[i], true
}

// HeightAt is the expected height at t, between the dated epochs.
func (h History) HeightAt(t time.Time) (float64, bool) {
	e, ok := h.At(t)
	if !ok {
		return 0, false
	}
	span := float64(Timespan)
	if next, ok := h.Epoch(e.Number + 1); ok && !next.Start.IsZero() {
		span = next.Start.Sub(e.Start).Seconds()
	}
	return float64(e.Height) + EpochBlocks*t.Sub(e.Start).Seconds()/span, true
}

// TimeOf is when a height was reached, between the dated epochs.
func (h History) TimeOf(height int64) (time.Time, bool) {
	n := int(height/EpochBlocks) - h.offset()
	if height < 0 || n < 0 || n >= len(h) || h[n].Start.IsZero() {
		return time.Time{}, false
	}
	if height == h[n].Height {
		return h[n].Start, true
	}
	if n+1 >= len(h) || h[n+1].Start.IsZero() {
		return time.Time{}, false
	}
	return addSeconds(h[n].Start, h[n+1].Start.Sub(h[n].Start).Seconds()*float64(height-h[n].Height)/EpochBlocks), true
}

// Change is the relative change of difficulty at the start of epoch n.
func (h History) Change(n int) (float64, bool) {
	if n -= h.offset(); n <= 0 || n >= len(h) {
		return 0, false
	}
	d := new(big.Rat).SetFrac(h[n-1].Target.Big(), h[n].Target.Big())
	f, _ := d.Float64()
	return f - 1, true
}

// Check walks the history again and returns one line for every epoch at which
// something does not hold: a target that no retarget gives, or a middle
// timespan that the rule does not turn into the next target.
func (h History) Check() []string {
	var bad []string
	for i := 1; i < len(h); i++ {
		s, ok := SpansBetween(h[i-1].Bits, h[i].Bits)
		if !ok {
			bad = append(bad, fmt.Sprintf("epoch %d: no timespan leads from %08x to %08x", i, uint32(h[i-1].Bits), uint32(h[i].Bits)))
			continue
		}
		if b, err := RetargetSpan(h[i-1].Bits, int64(s.Mid())); err != nil || b != h[i].Bits {
			bad = append(bad, fmt.Sprintf("epoch %d: retarget gives %08x, the chain has %08x", i, uint32(b), uint32(h[i].Bits)))
		}
		if !bytes.Equal(h[i-1].LastHash[:], make([]byte, 32)) && !h[i-1].Target.Meets(h[i-1].LastHash) {
			bad = append(bad, fmt.Sprintf("epoch %d: the last block does not meet its target", i-1))
		}
	}
	return bad
}
