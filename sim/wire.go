package sim

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"sync/atomic"
	"time"
)

// line is the network's end of one machine.
type line struct {
	fault atomic.Pointer[wireFault]
	cut   atomic.Bool              // its switch is out
	ports atomic.Pointer[[]uint16] // well-known ones that it listens on
	held  atomic.Int32             // connections that hang
	moves atomic.Int32             // times that the machine changed its address
}

type wireFault struct {
	kind   FaultKind
	amount float64
}

// is tells whether the line has a fault of this kind.
func (l *line) is(k FaultKind) bool {
	f := l.fault.Load()
	return f != nil && f.kind == k
}

// dead tells whether nothing gets through to or from the machine.
func (nd *node) dead() bool {
	return nd.line.cut.Load() || nd.line.is(FaultWireSilent) || !nd.rig.answering()
}

// answering tells whether the rig's control board talks now.
func (r *Rig) answering() bool {
	now := r.clock().UnixNano()
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.present(now)
	return b.answers()
}

const (
	holdFor = 2 * time.Minute // a connection that hangs
	holdAll = 32              // of one machine
)

// lineConn is a connection to a machine with what its line does to it. The
// dialect behind it knows nothing of that.
type lineConn struct {
	net.Conn
	ctx   context.Context
	nd    *node
	moves int32        // of the machine when the connection was made
	fresh atomic.Bool  // something was asked since the last answer began
	sent  atomic.Int64 // bytes of this answer
	lost  atomic.Bool  // some of it was swallowed: the peer must not see the end
}

// Read notes that a new answer begins after it.
func (c *lineConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		if c.elsewhere() {
			return 0, net.ErrClosed
		}
		c.fresh.Store(true)
	}
	return n, err
}

// elsewhere tells whether the machine has another address than the connection:
// whoever is at the address now knows nothing of it, and resets it.
func (c *lineConn) elsewhere() bool {
	if c.nd.line.moves.Load() == c.moves {
		return false
	}
	reset(c.Conn)
	return true
}

// Write sends p, or what the line leaves of it.
func (c *lineConn) Write(p []byte) (int, error) {
	if c.elsewhere() {
		return 0, net.ErrClosed
	}
	begins := c.fresh.Swap(false)
	if begins {
		c.sent.Store(0)
	}
	f := c.nd.line.fault.Load()
	if c.nd.line.cut.Load() || f != nil && (f.kind == FaultWireSilent || f.kind == FaultWireHung) || begins && !c.nd.rig.answering() {
		c.lost.Store(true)
		return len(p), nil
	}
	if f == nil {
		return c.Conn.Write(p)
	}
	switch f.kind {
	case FaultWireDelay:
		if begins && !c.sleep(time.Duration(f.amount*float64(time.Second))) {
			return 0, net.ErrClosed
		}
	case FaultWireGarbage:
		junk := make([]byte, len(p))
		for i := range junk {
			junk[i] = byte(rand.Uint32())
		}
		return c.Conn.Write(junk)
	case FaultWireSlow:
		return c.drip(p, f.amount)
	case FaultWireRefused:
		reset(c.Conn)
		return 0, net.ErrClosed
	case FaultWireReset, FaultWireTruncated:
		left := int64(f.amount) - c.sent.Add(int64(len(p))) + int64(len(p))
		if int64(len(p)) < left {
			break
		}
		n, err := c.Conn.Write(p[:max(left, 0)])
		if f.kind == FaultWireReset {
			// What was sent must leave before the reset overtakes it.
			c.sleep(20 * time.Millisecond)
			reset(c.Conn)
		} else {
			_ = c.Conn.Close()
		}
		return n, errors.Join(net.ErrClosed, err)
	}
	return c.Conn.Write(p)
}

// drip writes rate bytes a second.
func (c *lineConn) drip(p []byte, rate float64) (int, error) {
	size := max(int(rate/20), 1)
	pause := time.Duration(float64(size) / rate * float64(time.Second))
	sent := 0
	for part := range slices.Chunk(p, size) {
		// The dialect's deadline is for a healthy line.
		_ = c.SetWriteDeadline(time.Now().Add(time.Minute))
		n, err := c.Conn.Write(part)
		sent += n
		if err != nil {
			return sent, err
		}
		if !c.sleep(pause) {
			return sent, net.ErrClosed
		}
		if !c.nd.line.is(FaultWireSlow) {
			n, err := c.Conn.Write(p[sent:])
			return sent + n, err
		}
	}
	return sent, nil
}

// sleep waits, and tells whether the site still serves afterwards.
func (c *lineConn) sleep(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-c.ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// Close closes the connection; one whose peer must not notice is held open.
func (c *lineConn) Close() error {
	if c.lost.Load() {
		go hold(c.ctx, c.Conn, &c.nd.line)
		return nil
	}
	return c.Conn.Close()
}

// hold reads and answers nothing until the peer leaves, or patience does.
func hold(ctx context.Context, conn net.Conn, l *line) {
	if l.held.Add(1) > holdAll {
		l.held.Add(-1)
		reset(conn)
		return
	}
	defer l.held.Add(-1)
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	_ = conn.SetDeadline(time.Now().Add(holdFor))
	_, _ = io.Copy(io.Discard, conn)
}

// reset closes a connection so that the peer sees it reset.
func reset(conn net.Conn) {
	if t, ok := conn.(*net.TCPConn); ok {
		_ = t.SetLinger(0)
	}
	_ = conn.Close()
}
