//go:build !linux

package sim

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"syscall"
)

// canShare: only Linux lets a listener be bound to the loopback interface.
const canShare = false

// acceptor waits on listeners with a goroutine each.
type acceptor struct {
	mu      sync.Mutex
	next    int
	open    map[int]net.Listener
	arrived chan net.Conn
	done    chan struct{}
	once    sync.Once
}

func newAcceptor() (*acceptor, error) {
	return &acceptor{open: map[int]net.Listener{}, arrived: make(chan net.Conn), done: make(chan struct{})}, nil
}

func (a *acceptor) listen(ap netip.AddrPort, _ bool) (int, error) {
	l, err := net.Listen("tcp4", ap.String())
	if err != nil {
		return 0, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.next++
	a.open[a.next] = l
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			select {
			case a.arrived <- conn:
			case <-a.done:
				conn.Close()
				return
			}
		}
	}()
	return a.next, nil
}

func (a *acceptor) close(key int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if l, ok := a.open[key]; ok {
		delete(a.open, key)
		l.Close()
	}
}

func (a *acceptor) mute(int, netip.AddrPort, bool) error { return errors.ErrUnsupported }
func (a *acceptor) silence(int, []addrRange) error       { return errors.ErrUnsupported }

func (a *acceptor) run(ctx context.Context, handle func(net.Conn)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-a.done:
			return
		case conn := <-a.arrived:
			handle(conn)
		}
	}
}

func (a *acceptor) stop() { a.once.Do(func() { close(a.done) }) }

func mayListen(port uint16) bool {
	l, err := net.Listen("tcp4", netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port).String())
	if err == nil {
		l.Close()
	}
	return !isForbidden(err)
}

func isInUse(err error) bool     { return errors.Is(err, syscall.EADDRINUSE) }
func isForbidden(err error) bool { return errors.Is(err, os.ErrPermission) }
