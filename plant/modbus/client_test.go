package modbus

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// memory is a device of n elements in each table.
type memory struct {
	mu    sync.Mutex
	bits  map[Table][]bool
	words map[Table][]uint16
	hold  chan struct{} // when there, reads wait for it
}

func newMemory(n int) *memory {
	return &memory{bits: map[Table][]bool{Coils: make([]bool, n), DiscreteInputs: make([]bool, n)},
		words: map[Table][]uint16{HoldingRegisters: make([]uint16, n), InputRegisters: make([]uint16, n)}}
}

func span[T any](list []T, address uint16, n int) ([]T, error) {
	if int(address)+n > len(list) {
		return nil, IllegalDataAddress
	}
	return list[address : int(address)+n], nil
}

func (m *memory) ReadBits(_ byte, t Table, address uint16, n int) ([]bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := span(m.bits[t], address, n)
	return slices.Clone(s), err
}

func (m *memory) ReadRegisters(unit byte, t Table, address uint16, n int) ([]uint16, error) {
	if m.hold != nil {
		<-m.hold
	}
	if unit == 99 {
		return nil, errors.New("a broken device")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := span(m.words[t], address, n)
	return slices.Clone(s), err
}

func (m *memory) WriteBits(_ byte, address uint16, bits []bool) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := span(m.bits[Coils], address, len(bits))
	copy(s, bits)
	return err
}

func (m *memory) WriteRegisters(_ byte, address uint16, words []uint16) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, err := span(m.words[HoldingRegisters], address, len(words))
	copy(s, words)
	return err
}

// serve starts a server on loopback and returns its address.
func serve(t *testing.T, s *Server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Serve(ctx, l); !errors.Is(err, context.Canceled) {
			t.Errorf("serving ended: %v", err)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	return l.Addr().String()
}

func client(t *testing.T, o Options) *Client {
	t.Helper()
	c := NewClient(o)
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestClientAndServer(t *testing.T) {
	m := newMemory(300)
	c := client(t, Options{Address: serve(t, &Server{Handler: m})})
	ctx := t.Context()
	m.words[InputRegisters][7] = 0xBEEF
	m.bits[DiscreteInputs][8] = true
	if err := c.WriteRegisters(ctx, 1, 10, []uint16{1}); err != nil {
		t.Fatal(err)
	}
	many := make([]uint16, MaxWriteRegisters)
	for i := range many {
		many[i] = uint16(i + 1000)
	}
	if err := c.WriteRegisters(ctx, 1, 100, many); err != nil {
		t.Fatal(err)
	}
	if err := c.WriteCoil(ctx, 1, 3, true); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Do(ctx, 1, Request{Function: WriteMultipleCoils, Address: 20, Bits: []bool{true, false, true}}); err != nil {
		t.Fatal(err)
	}
	if got, err := c.ReadRegisters(ctx, 1, HoldingRegisters, 100, 123); err != nil || !slices.Equal(got, many) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := c.ReadRegisters(ctx, 1, InputRegisters, 7, 1); err != nil || got[0] != 0xBEEF {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := c.ReadBits(ctx, 1, Coils, 3, 20); err != nil || !got[0] || got[16] || !got[17] || got[18] || !got[19] {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := c.ReadBits(ctx, 1, DiscreteInputs, 8, 1); err != nil || !got[0] {
		t.Errorf("%v, %v", got, err)
	}
	// Refusals leave the connection in order.
	if _, err := c.ReadRegisters(ctx, 1, HoldingRegisters, 299, 2); !errors.Is(err, IllegalDataAddress) {
		t.Errorf("past the end: %v", err)
	}
	if _, err := c.ReadRegisters(ctx, 99, HoldingRegisters, 0, 1); !errors.Is(err, DeviceFailure) {
		t.Errorf("a broken device: %v", err)
	}
	if _, err := c.ReadRegisters(ctx, 1, HoldingRegisters, 10, 1); err != nil {
		t.Errorf("after refusals: %v", err)
	}
	for _, err := range []error{
		second(c.ReadRegisters(ctx, 1, Coils, 0, 1)), second(c.ReadRegisters(ctx, 1, HoldingRegisters, 0, 0)), second(c.ReadRegisters(ctx, 1, HoldingRegisters, 0, 126)),
		second(c.ReadBits(ctx, 1, HoldingRegisters, 0, 1)), second(c.ReadBits(ctx, 1, Coils, 0, 70000)), c.WriteRegisters(ctx, 1, 0, nil),
	} {
		if !errors.Is(err, ErrRequest) {
			t.Errorf("a request that is none: %v", err)
		}
	}
}

func second[T any](_ T, err error) error { return err }

// Many callers share one connection and each gets its own answer.
func TestClientAtOnce(t *testing.T) {
	m := newMemory(100)
	for i := range m.words[HoldingRegisters] {
		m.words[HoldingRegisters][i] = uint16(i)
	}
	c := client(t, Options{Address: serve(t, &Server{Handler: m, Most: 1})})
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 50 {
				at := uint16((g*50 + i) % 100)
				if got, err := c.ReadRegisters(t.Context(), byte(g), HoldingRegisters, at, 1); err != nil || got[0] != at {
					t.Errorf("%v, %v, want %d", got, err, at)
				}
			}
		})
	}
	wg.Wait()
}

// A device that drops idle connections costs a new connection, not a reading;
// a write is not repeated.
func TestClientAfterDrop(t *testing.T) {
	m := newMemory(10)
	var dials atomic.Int32
	c := client(t, Options{Address: serve(t, &Server{Handler: m, Idle: 20 * time.Millisecond}), Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		dials.Add(1)
		return (&net.Dialer{}).DialContext(ctx, network, address)
	}})
	for range 3 {
		if _, err := c.ReadRegisters(t.Context(), 1, HoldingRegisters, 0, 1); err != nil {
			t.Fatal(err)
		}
		time.Sleep(60 * time.Millisecond)
	}
	if dials.Load() != 3 {
		t.Errorf("%d connections for 3 readings", dials.Load())
	}
	if err := c.WriteRegisters(t.Context(), 1, 0, []uint16{1}); err == nil {
		t.Error("a write on a dropped connection was repeated")
	}
	if err := c.WriteRegisters(t.Context(), 1, 0, []uint16{1}); err != nil {
		t.Errorf("the caller's own repetition: %v", err)
	}
}

func TestClientTimeout(t *testing.T) {
	m := newMemory(10)
	m.hold = make(chan struct{})
	defer close(m.hold)
	c := client(t, Options{Address: serve(t, &Server{Handler: m}), Timeout: 30 * time.Millisecond})
	start := time.Now()
	_, err := c.ReadRegisters(t.Context(), 1, HoldingRegisters, 0, 1)
	if ne, ok := errors.AsType[net.Error](err); !ok || !ne.Timeout() || time.Since(start) > time.Second {
		t.Errorf("a silent device: %v after %v", err, time.Since(start))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	if _, err := c.ReadRegisters(ctx, 1, HoldingRegisters, 0, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the caller's deadline: %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	time.AfterFunc(5*time.Millisecond, cancel)
	if _, err := c.ReadRegisters(ctx, 1, HoldingRegisters, 0, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled call: %v", err)
	}
}

// A peer that answers something else is not believed, and not talked to any
// further on that connection.
func TestClientDistrust(t *testing.T) {
	for name, answer := range map[string]func(q Frame) []byte{
		"another transaction": func(q Frame) []byte { q.Transaction++; q.PDU = []byte{3, 2, 0, 1}; b, _ := q.Append(nil); return b },
		"another unit":        func(q Frame) []byte { q.Unit++; q.PDU = []byte{3, 2, 0, 1}; b, _ := q.Append(nil); return b },
		"another function":    func(q Frame) []byte { q.PDU = []byte{4, 2, 0, 1}; b, _ := q.Append(nil); return b },
		"more than asked":     func(q Frame) []byte { q.PDU = []byte{3, 4, 0, 1, 0, 2}; b, _ := q.Append(nil); return b },
		"no Modbus":           func(Frame) []byte { return []byte("HTTP/1.1 400 Bad Request\r\n\r\n") },
	} {
		t.Run(name, func(t *testing.T) {
			here, there := net.Pipe()
			go func() {
				defer there.Close()
				if q, err := ReadFrame(there); err == nil {
					_, _ = there.Write(answer(q))
				}
				_, _ = ReadFrame(there) // until the client leaves
			}()
			c := client(t, Options{Address: "device", Dial: func(context.Context, string, string) (net.Conn, error) { return here, nil }})
			if _, err := c.ReadRegisters(t.Context(), 1, HoldingRegisters, 0, 1); !errors.Is(err, ErrReply) && !errors.Is(err, ErrFrame) {
				t.Errorf("%v", err)
			}
			if _, err := here.Write([]byte{0}); err == nil {
				t.Error("the connection is still open")
			}
		})
	}
}

func TestClientRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dials := 0
		refused := errors.New("connection refused")
		c := client(t, Options{Address: "device", Rest: 10 * time.Second, Dial: func(context.Context, string, string) (net.Conn, error) {
			dials++
			return nil, refused
		}})
		ask := func() error { return second(c.ReadRegisters(t.Context(), 1, HoldingRegisters, 0, 1)) }
		if err := ask(); !errors.Is(err, refused) || errors.Is(err, ErrResting) {
			t.Error(err)
		}
		if err := ask(); !errors.Is(err, ErrResting) || !errors.Is(err, refused) || dials != 1 {
			t.Errorf("%v after %d attempts", err, dials)
		}
		var gaps []time.Duration
		last := time.Now()
		for len(gaps) < 10 {
			time.Sleep(10 * time.Millisecond)
			if was := dials; ask() != nil && dials > was {
				gaps = append(gaps, time.Since(last).Round(100*time.Millisecond))
				last = time.Now()
			}
		}
		want := []time.Duration{100, 200, 400, 800, 1600, 3200, 6400, 10000, 10000, 10000}
		for i := range want {
			want[i] *= time.Millisecond //nolint:durationcheck // written as bare numbers
		}
		if !slices.Equal(gaps, want) {
			t.Errorf("attempts after %v, want %v", gaps, want)
		}
	})
}

func TestClientGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		here, there := net.Pipe()
		ctx, cancel := context.WithCancel(t.Context())
		go (&Server{Handler: newMemory(10)}).ServeConn(ctx, there)
		c := client(t, Options{Gap: 200 * time.Millisecond, Dial: func(context.Context, string, string) (net.Conn, error) { return here, nil }})
		start := time.Now()
		for range 4 {
			if _, err := c.ReadRegisters(ctx, 1, HoldingRegisters, 0, 1); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took != 600*time.Millisecond {
			t.Errorf("four exchanges took %v", took)
		}
		cancel()
		synctest.Wait()
	})
}

func TestClientClose(t *testing.T) {
	m := newMemory(10)
	m.hold = make(chan struct{})
	defer close(m.hold)
	c := NewClient(Options{Address: serve(t, &Server{Handler: m})})
	time.AfterFunc(20*time.Millisecond, func() { _ = c.Close() })
	if _, err := c.ReadRegisters(t.Context(), 1, HoldingRegisters, 0, 1); err == nil {
		t.Error("closed in the middle and answered")
	}
	if _, err := c.ReadRegisters(t.Context(), 1, HoldingRegisters, 0, 1); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestServerLimits(t *testing.T) {
	address := serve(t, &Server{Handler: newMemory(10), Most: 2})
	var conns []net.Conn
	for range 3 {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		conns = append(conns, conn)
		if len(conns) <= 2 {
			_, _ = conn.Write(unhex(t, "0001 0000 0006 01 03 0000 0001"))
			if f, err := ReadFrame(conn); err != nil || len(f.PDU) != 4 {
				t.Fatalf("connection %d: %+v, %v", len(conns), f, err)
			}
		}
	}
	_ = conns[2].SetReadDeadline(time.Now().Add(2 * time.Second))
	if _, err := conns[2].Read(make([]byte, 1)); err == nil || strings.Contains(err.Error(), "timeout") {
		t.Errorf("a connection too many: %v", err)
	}
	// Something that is no Modbus ends its own connection only.
	_, _ = conns[0].Write([]byte("GET / HTTP/1.1\r\n\r\n"))
	_ = conns[0].SetReadDeadline(time.Now().Add(2 * time.Second))
	if _, err := conns[0].Read(make([]byte, 1)); err == nil || strings.Contains(err.Error(), "timeout") {
		t.Errorf("after garbage: %v", err)
	}
	_, _ = conns[1].Write(unhex(t, "0002 0000 0006 01 03 0000 0001"))
	if f, err := ReadFrame(conns[1]); err != nil || f.Transaction != 2 {
		t.Errorf("the neighbour: %+v, %v", f, err)
	}
}

func TestNoBits(t *testing.T) {
	s := Server{Handler: struct {
		NoBits
		registers
	}{registers: registers{newMemory(4)}}}
	for _, pdu := range []string{"01 0000 0001", "05 0000 FF00"} {
		if got := s.Answer(1, unhex(t, pdu)); got[1] != byte(IllegalFunction) {
			t.Errorf("% x", got)
		}
	}
	if got := s.Answer(1, unhex(t, "03 0000 0001")); got[0] != 3 {
		t.Errorf("% x", got)
	}
}

type registers struct{ m *memory }

func (r registers) ReadRegisters(u byte, t Table, a uint16, n int) ([]uint16, error) {
	return r.m.ReadRegisters(u, t, a, n)
}
func (r registers) WriteRegisters(u byte, a uint16, w []uint16) error {
	return r.m.WriteRegisters(u, a, w)
}

func BenchmarkExchange(b *testing.B) {
	here, there := net.Pipe()
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	go (&Server{Handler: newMemory(200)}).ServeConn(ctx, there)
	c := NewClient(Options{Dial: func(context.Context, string, string) (net.Conn, error) { return here, nil }})
	defer c.Close()
	for b.Loop() {
		if _, err := c.ReadRegisters(ctx, 1, HoldingRegisters, 0, 125); err != nil {
			b.Fatal(err)
		}
	}
}
