package sim

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// canShare: a listener can be bound to the loopback interface.
const canShare = true

// acceptor waits on any number of listening sockets with one goroutine. Ten
// thousand net.Listeners would want a goroutine each.
type acceptor struct {
	epoll int
	wake  int // an eventfd that ends the wait
	mu    sync.Mutex
	open  map[int]bool
	runs  bool
	over  bool
}

func newAcceptor() (*acceptor, error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("making a poller: %w", err)
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		_ = unix.Close(ep)
		return nil, fmt.Errorf("making a poller: %w", err)
	}
	a := &acceptor{epoll: ep, wake: wake, open: map[int]bool{}}
	if err := unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, wake, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(wake)}); err != nil {
		a.stop()
		return nil, fmt.Errorf("making a poller: %w", err)
	}
	return a, nil
}

// socket makes a listening socket on loopback. The unspecified address means
// every address of the loopback interface, and of no other. beside lets one on
// all addresses and some on single ones share a port.
func socket(ap netip.AddrPort, backlog int, beside bool) (int, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	fail := func(err error) (int, error) {
		_ = unix.Close(fd)
		return -1, err
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return fail(err)
	}
	if beside {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
			return fail(err)
		}
	}
	if ap.Addr().IsUnspecified() {
		if err := unix.SetsockoptString(fd, unix.SOL_SOCKET, unix.SO_BINDTODEVICE, "lo"); err != nil {
			return fail(fmt.Errorf("binding to the loopback interface (Linux 5.7 or later lets anybody): %w", err))
		}
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: int(ap.Port()), Addr: ap.Addr().As4()}); err != nil {
		return fail(err)
	}
	if err := unix.Listen(fd, backlog); err != nil {
		return fail(err)
	}
	return fd, nil
}

const ownBacklog = 64

// listen adds a listener and returns its key.
func (a *acceptor) listen(ap netip.AddrPort, beside bool) (int, error) {
	backlog := ownBacklog
	if ap.Addr().IsUnspecified() {
		backlog = 65535 // the kernel's own limit bounds it
	}
	fd, err := socket(ap, backlog, beside)
	if err != nil {
		return 0, err
	}
	if err := unix.EpollCtl(a.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}); err != nil {
		_ = unix.Close(fd)
		return 0, err
	}
	a.mu.Lock()
	a.open[fd] = true
	a.mu.Unlock()
	return fd, nil
}

// close removes a listener.
func (a *acceptor) close(key int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open[key] {
		delete(a.open, key)
		_ = unix.Close(key) // leaves the epoll set by itself
	}
}

// mute clogs the listener at ap so that it drops every SYN, or lets it hear
// again.
func (a *acceptor) mute(key int, ap netip.AddrPort, on bool) error {
	if !on {
		if err := unix.Listen(key, ownBacklog); err != nil {
			return err
		}
		return unix.EpollCtl(a.epoll, unix.EPOLL_CTL_ADD, key, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(key)})
	}
	if err := unix.EpollCtl(a.epoll, unix.EPOLL_CTL_DEL, key, nil); err != nil {
		return err
	}
	// A queue of one is full with two in it. With a queue of zero the kernel
	// would suspect a flood.
	if err := unix.Listen(key, 1); err != nil {
		return err
	}
	addr := ap.Addr()
	if addr.IsUnspecified() {
		addr = netip.AddrFrom4([4]byte{127, 255, 255, 253})
	}
	for range 2 {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		err = unix.Connect(fd, &unix.SockaddrInet4{Port: int(ap.Port()), Addr: addr.As4()})
		_ = unix.Close(fd) // what it leaves in the queue stays there
		if err != nil && !errors.Is(err, unix.EINPROGRESS) {
			return err
		}
	}
	return nil
}

// silence makes a shared listener drop packets to the given ranges.
func (a *acceptor) silence(key int, ranges []addrRange) error {
	if len(ranges) == 0 {
		return attach(key, nil)
	}
	return attach(key, filterFor(ranges))
}

func attach(fd int, prog []instruction) error {
	if len(prog) == 0 {
		err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0)
		if errors.Is(err, unix.ENOENT) {
			return nil // there was none
		}
		return err
	}
	filter := make([]unix.SockFilter, len(prog))
	for i, in := range prog {
		filter[i] = unix.SockFilter{Code: in.code, Jt: in.jt, Jf: in.jf, K: in.k}
	}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
}

// run hands every connection to handle until ctx ends or stop is called.
func (a *acceptor) run(ctx context.Context, handle func(net.Conn)) {
	a.mu.Lock()
	a.runs = true
	over := a.over
	a.mu.Unlock()
	if over {
		return
	}
	defer a.finish()
	defer context.AfterFunc(ctx, a.stop)()
	events := make([]unix.EpollEvent, 256)
	for {
		n, err := unix.EpollWait(a.epoll, events, -1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			return
		}
		for _, e := range events[:max(n, 0)] {
			if int(e.Fd) == a.wake {
				return
			}
			a.accept(int(e.Fd), handle)
		}
	}
}

// accept takes what waits at one listener, but not forever: others wait too.
func (a *acceptor) accept(fd int, handle func(net.Conn)) {
	for range 64 {
		a.mu.Lock()
		if !a.open[fd] {
			a.mu.Unlock()
			return
		}
		conn, _, err := unix.Accept4(fd, unix.SOCK_CLOEXEC)
		a.mu.Unlock()
		switch {
		case err == nil:
		case errors.Is(err, unix.ECONNABORTED), errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EMFILE), errors.Is(err, unix.ENFILE):
			time.Sleep(5 * time.Millisecond) // until some close
			return
		default:
			return
		}
		f := os.NewFile(uintptr(conn), "")
		c, err := net.FileConn(f)
		_ = f.Close()
		if err == nil {
			handle(c)
		}
	}
}

// stop ends run, which gives the poller back; if it never ran, so does stop.
func (a *acceptor) stop() {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.over:
	case a.runs:
		_, _ = unix.Write(a.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	default:
		a.free()
	}
}

func (a *acceptor) finish() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.over {
		a.free()
	}
}

func (a *acceptor) free() {
	a.over = true
	_ = unix.Close(a.epoll)
	_ = unix.Close(a.wake)
}

// raiseFileLimit takes as many open files as the hard limit allows, and says
// how many that is.
func raiseFileLimit() uint64 {
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return 1024
	}
	if l.Cur < l.Max {
		want := unix.Rlimit{Cur: l.Max, Max: l.Max}
		if unix.Setrlimit(unix.RLIMIT_NOFILE, &want) == nil {
			l = want
		}
	}
	return l.Cur
}

// mayListen tells whether this process may listen on a port.
func mayListen(port uint16) bool {
	fd, err := socket(netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 255, 255, 253}), port), 1, false)
	if err == nil {
		_ = unix.Close(fd)
	}
	return !isForbidden(err)
}

func isInUse(err error) bool     { return errors.Is(err, unix.EADDRINUSE) }
func isForbidden(err error) bool { return errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) }
