package modbus

import (
	"bufio"
	"context"
	"errors"
	"net"
	"sync"
	"time"
)

// Handler is a device, or several behind one address. Addresses and numbers
// were checked against the protocol. An error that is an [Exception] is
// answered as such, any other as DeviceFailure. Its methods are called from
// many connections at once.
type Handler interface {
	// ReadBits gives n bits of Coils or DiscreteInputs.
	ReadBits(unit byte, t Table, address uint16, n int) ([]bool, error)
	// ReadRegisters gives n words of HoldingRegisters or InputRegisters.
	ReadRegisters(unit byte, t Table, address uint16, n int) ([]uint16, error)
	// WriteBits sets coils.
	WriteBits(unit byte, address uint16, bits []bool) error
	// WriteRegisters sets holding registers.
	WriteRegisters(unit byte, address uint16, words []uint16) error
}

// NoBits can be embedded in a Handler that has registers only.
type NoBits struct{}

// ReadBits refuses.
func (NoBits) ReadBits(byte, Table, uint16, int) ([]bool, error) { return nil, IllegalFunction }

// WriteBits refuses.
func (NoBits) WriteBits(byte, uint16, []bool) error { return IllegalFunction }

// Server serves Modbus TCP. The zero values of its limits are good ones.
type Server struct {
	Handler Handler
	Idle    time.Duration // a connection that is silent for so long is ended; 0 is 2 minutes
	Most    int           // connections at once; further ones are ended at once; 0 is 64
}

// Serve accepts connections on l until ctx ends, then closes l and every
// connection and waits for them.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = l.Close() })
	defer stop()
	most := s.Most
	if most <= 0 {
		most = 64
	}
	places := make(chan struct{}, most)
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
				continue
			}
			return err
		}
		select {
		case places <- struct{}{}:
			wg.Go(func() {
				defer func() { <-places }()
				s.ServeConn(ctx, conn)
			})
		default:
			_ = conn.Close() // full
		}
	}
}

// ServeConn answers on one connection until the peer leaves, is silent for too
// long or speaks something else, or ctx ends. It closes the connection.
func (s *Server) ServeConn(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	idle := s.Idle
	if idle <= 0 {
		idle = 2 * time.Minute
	}
	in := bufio.NewReaderSize(conn, 512)
	out := make([]byte, 0, headerLen+maxPDU)
	for {
		if conn.SetDeadline(time.Now().Add(idle)) != nil {
			return
		}
		f, err := ReadFrame(in)
		if err != nil {
			return
		}
		f.PDU = s.Answer(f.Unit, f.PDU)
		if out, err = f.Append(out[:0]); err != nil {
			return
		}
		if _, err := conn.Write(out); err != nil {
			return
		}
	}
}

// Answer is the PDU that answers a request's PDU.
func (s *Server) Answer(unit byte, pdu []byte) []byte {
	r, err := ParseRequest(pdu)
	if err == nil {
		var answer Response
		if answer, err = s.handle(unit, r); err == nil {
			var b []byte
			if b, err = r.AppendResponse(nil, answer); err == nil {
				return b
			}
		}
	}
	e, ok := errors.AsType[Exception](err)
	if !ok {
		e = DeviceFailure
	}
	return r.Function.AppendException(nil, e)
}

func (s *Server) handle(unit byte, r Request) (answer Response, err error) {
	n := int(r.Quantity)
	switch r.Function {
	case ReadCoils, ReadDiscreteInputs:
		answer.Bits, err = s.Handler.ReadBits(unit, Table(r.Function), r.Address, n)
	case ReadHoldingRegisters, ReadInputRegisters:
		answer.Registers, err = s.Handler.ReadRegisters(unit, Table(r.Function), r.Address, n)
	case WriteSingleCoil, WriteMultipleCoils:
		err = s.Handler.WriteBits(unit, r.Address, r.Bits)
	default:
		err = s.Handler.WriteRegisters(unit, r.Address, r.Registers)
	}
	return answer, err
}
