package ledger

import (
	"encoding/binary"
	"encoding/hex"
	"sync"
	"time"
)

// IDs makes UUIDs of version 7 (RFC 9562): they sort by time of making, and
// those of one IDs sort in the order they were made even within a millisecond
// or when the clock steps back.
type IDs struct {
	random func([]byte) // fills with random bytes

	mu   sync.Mutex
	last uint64 // milliseconds << 12 | counter
}

// NewIDs makes IDs with random as the source of random bytes.
func NewIDs(random func([]byte)) *IDs { return &IDs{random: random} }

// New is a new UUID at now, as text.
func (g *IDs) New(now time.Time) string {
	var b [16]byte
	g.random(b[6:])
	g.mu.Lock()
	at := uint64(max(now.UnixMilli(), 0))<<12 | uint64(binary.BigEndian.Uint16(b[6:])&0x07ff)
	// The counter starts at random in the lower half of its 12 bits, so that a
	// millisecond holds at least 2,048 IDs; more spill into the next one.
	if at <= g.last {
		at = g.last + 1
	}
	g.last = at
	g.mu.Unlock()
	ms := at >> 12
	binary.BigEndian.PutUint16(b[0:], uint16(ms>>32))
	binary.BigEndian.PutUint32(b[2:], uint32(ms))
	binary.BigEndian.PutUint16(b[6:], 0x7000|uint16(at&0x0fff))
	b[8] = b[8]&0x3f | 0x80
	out := make([]byte, 36)
	hex.Encode(out[0:8], b[0:4])
	hex.Encode(out[9:13], b[4:6])
	hex.Encode(out[14:18], b[6:8])
	hex.Encode(out[19:23], b[8:10])
	hex.Encode(out[24:36], b[10:16])
	out[8], out[13], out[18], out[23] = '-', '-', '-', '-'
	return string(out)
}
