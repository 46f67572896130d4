package modbus

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// Options are how a client reaches its device or gateway.
type Options struct {
	Address string        // "10.0.9.4:502"
	Timeout time.Duration // for one exchange, and for connecting; 0 is 3 s
	// Gap is the least time between two exchanges, for slow serial gateways.
	Gap time.Duration
	// Rest is the longest time to wait after a failed connection before the
	// next; it starts at a hundredth of that and doubles. 0 is 30 s.
	Rest time.Duration
	// Dial replaces net.Dialer.DialContext.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Client talks to one device, or to the devices behind one gateway. It holds
// one connection, makes it when it is needed and again after a failure, and has
// one exchange at a time, since many meters can do no more. It is safe for
// concurrent use.
type Client struct {
	o Options

	turn        chan struct{} // held during an exchange
	conn        net.Conn
	in          *bufio.Reader
	transaction uint16
	last        time.Time // end of the last exchange
	failures    int       // to connect, in a row
	notBefore   time.Time // to connect again
	why         error     // the last failure to connect

	mu     sync.Mutex // guards closed and conn against Close
	closed bool
}

// NewClient makes a client. It does not connect yet.
func NewClient(o Options) *Client {
	if o.Timeout <= 0 {
		o.Timeout = 3 * time.Second
	}
	if o.Rest <= 0 {
		o.Rest = 30 * time.Second
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{}).DialContext
	}
	return &Client{o: o, turn: make(chan struct{}, 1)}
}

// Close ends the connection and every exchange under way. The client cannot be
// used again.
func (c *Client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	if c.conn == nil {
		return nil
	}
	return c.conn.Close()
}

// Do has one exchange with the unit. An Exception leaves the connection in
// order; any other error ends it. A read that failed on a connection left over
// from before is tried once more on a new one, since devices drop idle
// connections; a write never is.
func (c *Client) Do(ctx context.Context, unit byte, r Request) (Response, error) {
	pdu, err := r.Append(nil)
	if err != nil {
		return Response{}, err
	}
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return Response{}, fmt.Errorf("waiting for %s: %w", c.o.Address, ctx.Err())
	}
	fresh := c.conn == nil
	answer, err := c.exchange(ctx, unit, r, pdu)
	if err != nil && !fresh && c.conn == nil && ctx.Err() == nil && r.Function <= ReadInputRegisters && dropped(err) {
		answer, err = c.exchange(ctx, unit, r, pdu)
	}
	if err != nil {
		// The socket's deadline is the caller's and may fire a moment before the
		// context says so itself.
		if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
			if end, ok := ctx.Deadline(); ok && !time.Now().Before(end) {
				err = errors.Join(err, context.DeadlineExceeded)
			}
		}
		return Response{}, fmt.Errorf("function %d at %d of unit %d at %s: %w", r.Function, r.Address, unit, c.o.Address, err)
	}
	return answer, nil
}

// dropped tells whether the other side had left.
func dropped(err error) bool {
	if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
		return false // it is there and silent: asking again would cost as long again
	}
	_, broken := errors.AsType[*net.OpError](err)
	return broken || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe)
}

func (c *Client) exchange(ctx context.Context, unit byte, r Request, pdu []byte) (Response, error) {
	if err := c.connect(ctx); err != nil {
		return Response{}, err
	}
	if wait := c.o.Gap - time.Since(c.last); c.o.Gap > 0 && wait > 0 {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return Response{}, ctx.Err()
		}
	}
	c.transaction++
	frame, err := Frame{Transaction: c.transaction, Unit: unit, PDU: pdu}.Append(nil)
	if err != nil {
		return Response{}, err
	}
	deadline := time.Now().Add(c.o.Timeout)
	if d, ok := ctx.Deadline(); ok && d.Before(deadline) {
		deadline = d
	}
	if err := c.conn.SetDeadline(deadline); err != nil {
		return Response{}, c.drop(err)
	}
	conn := c.conn
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	var reply Frame
	if _, err = conn.Write(frame); err == nil {
		reply, err = ReadFrame(c.in)
	}
	c.last = time.Now()
	if !stop() && err == nil { // it may still spoil the deadline of the next exchange
		err = ctx.Err()
	}
	if err != nil {
		return Response{}, c.drop(cause(ctx, err))
	}
	if reply.Transaction != c.transaction || reply.Unit != unit {
		return Response{}, c.drop(fmt.Errorf("%w: transaction %d of unit %d was asked, %d of %d came", ErrReply, c.transaction, unit, reply.Transaction, reply.Unit))
	}
	answer, err := r.ParseResponse(reply.PDU)
	if _, refused := errors.AsType[Exception](err); err != nil && !refused {
		return Response{}, c.drop(err)
	}
	return answer, err
}

// cause prefers the context's end to the broken deadline it made.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// drop ends a connection whose state is not known any more: a late reply must
// not be taken for the next one.
func (c *Client) drop(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	_ = c.conn.Close() // it is broken anyway
	c.conn, c.in = nil, nil
	return err
}

func (c *Client) connect(ctx context.Context) error {
	if c.conn != nil {
		return nil
	}
	if now := time.Now(); now.Before(c.notBefore) {
		return fmt.Errorf("%w: %w", ErrResting, c.why)
	}
	dialing, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	conn, err := c.o.Dial(dialing, "tcp", c.o.Address)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err() // the caller's hurry is not the device's fault
		}
		c.failures++
		rest := c.o.Rest
		if c.failures < 8 {
			rest = min(rest, c.o.Rest/100<<(c.failures-1))
		}
		c.notBefore, c.why = time.Now().Add(rest), err
		return fmt.Errorf("connecting: %w", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		_ = conn.Close()
		return net.ErrClosed
	}
	c.conn, c.in, c.failures, c.notBefore = conn, bufio.NewReaderSize(conn, 512), 0, time.Time{}
	return nil
}

// ReadBits reads n bits of a table of bits.
func (c *Client) ReadBits(ctx context.Context, unit byte, t Table, address uint16, n int) ([]bool, error) {
	if !t.Bits() || n < 1 || n > MaxReadBits {
		return nil, fmt.Errorf("%w: %d bits of %s", ErrRequest, n, t)
	}
	r, err := c.Do(ctx, unit, Request{Function: t.Read(), Address: address, Quantity: uint16(n)})
	return r.Bits, err
}

// ReadRegisters reads n words of a table of registers.
func (c *Client) ReadRegisters(ctx context.Context, unit byte, t Table, address uint16, n int) ([]uint16, error) {
	if (t != HoldingRegisters && t != InputRegisters) || n < 1 || n > MaxReadRegisters {
		return nil, fmt.Errorf("%w: %d of %s", ErrRequest, n, t)
	}
	r, err := c.Do(ctx, unit, Request{Function: t.Read(), Address: address, Quantity: uint16(n)})
	return r.Registers, err
}

// WriteCoil switches one coil.
func (c *Client) WriteCoil(ctx context.Context, unit byte, address uint16, on bool) error {
	_, err := c.Do(ctx, unit, Request{Function: WriteSingleCoil, Address: address, Bits: []bool{on}})
	return err
}

// WriteRegisters writes words: one with function 6, which every device has,
// more with function 16, so that they change together.
func (c *Client) WriteRegisters(ctx context.Context, unit byte, address uint16, words []uint16) error {
	f := WriteMultipleRegisters
	if len(words) == 1 {
		f = WriteSingleRegister
	}
	_, err := c.Do(ctx, unit, Request{Function: f, Address: address, Registers: words})
	return err
}
