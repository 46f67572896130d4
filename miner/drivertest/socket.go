package drivertest

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"ballast/miner"
)

// fault is what a bad socket does with what the machine says.
type fault struct {
	name  string
	serve func(down net.Conn, up io.Reader) // nil: never says a word
	// connects is false for a listener that resets before a word is said.
	reset bool
}

// throughFault puts a relay with a fault in front of every port of a machine.
func throughFault(t *testing.T, target miner.Target, f fault) miner.Target {
	t.Helper()
	var open sync.Map
	var wg sync.WaitGroup
	t.Cleanup(func() { // after the listeners are closed
		open.Range(func(c, _ any) bool { c.(net.Conn).Close(); return true })
		wg.Wait()
	})
	out := target
	out.Ports = map[uint16]uint16{}
	for port, real := range target.Ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		out.Ports[port] = uint16(l.Addr().(*net.TCPAddr).Port)
		wg.Go(func() {
			for {
				down, err := l.Accept()
				if err != nil {
					return
				}
				open.Store(down, true)
				wg.Go(func() {
					defer down.Close()
					f.relay(down, netip.AddrPortFrom(target.Addr, real))
				})
			}
		})
		t.Cleanup(func() { l.Close() })
	}
	return out
}

func (f fault) relay(down net.Conn, to netip.AddrPort) {
	if f.reset {
		_ = down.(*net.TCPConn).SetLinger(0)
		return
	}
	if f.serve == nil {
		_, _ = io.Copy(io.Discard, down)
		return
	}
	up, err := net.Dial("tcp", to.String())
	if err != nil {
		return
	}
	defer up.Close()
	go func() {
		_, _ = io.Copy(up, down)
		up.Close()
	}()
	f.serve(down, up)
}

// dripping passes one byte every 40 ms.
func dripping(down net.Conn, up io.Reader) {
	one := make([]byte, 1)
	for {
		if _, err := up.Read(one); err != nil {
			return
		}
		if _, err := down.Write(one); err != nil {
			return
		}
		time.Sleep(40 * time.Millisecond)
	}
}

// cutting passes n bytes of each connection and hangs up.
func cutting(n int64) func(net.Conn, io.Reader) {
	return func(down net.Conn, up io.Reader) { _, _ = io.CopyN(down, up, n) }
}

// garbling flips bits in what passes.
func garbling(down net.Conn, up io.Reader) {
	buf := make([]byte, 4096)
	for k := byte(1); ; k++ {
		n, err := up.Read(buf)
		for i := range buf[:n] {
			buf[i] ^= byte(i)*31 + k
		}
		if _, werr := down.Write(buf[:n]); err != nil || werr != nil {
			return
		}
	}
}

// endless answers with noise that never ends.
func endless(down net.Conn, _ io.Reader) {
	block := bytes.Repeat([]byte("{\"a\":[0,"), 4096)
	for {
		if _, err := down.Write(block); err != nil {
			return
		}
	}
}

func (b *bench) openThrough(t *testing.T, f fault) miner.Device {
	t.Helper()
	dev := b.suite.Driver.Open(throughFault(t, b.target, f))
	t.Cleanup(dev.Close)
	return dev
}

// slack is how late a call may return after its deadline on a busy machine.
const slack = 1500 * time.Millisecond

// inTime runs one call under a deadline and fails when it does not honour it.
func (b *bench) inTime(t *testing.T, what string, limit time.Duration, call func(context.Context) error) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	start := time.Now()
	err := call(ctx)
	if took := time.Since(start); took > limit+slack {
		t.Errorf("%s took %v with a deadline of %v", what, took, limit)
	}
	b.checkError(t, err)
	return err
}

func calls(dev miner.Device, e miner.Envelope) map[string]func(context.Context) error {
	kind := miner.SetLocate
	if !e.Can(kind) && len(e.Kinds) > 0 {
		kind = e.Kinds[0]
	}
	return map[string]func(context.Context) error{
		"identify": func(ctx context.Context) error { _, err := dev.Identify(ctx); return err },
		"read":     func(ctx context.Context) error { _, err := dev.Read(ctx); return err },
		"apply":    func(ctx context.Context) error { return dev.Apply(ctx, valid(e, kind)) },
	}
}

// badSocketDeadline is long enough for a whole call on a good one.
const badSocketDeadline = 250 * time.Millisecond

func checkDeadline(t *testing.T, b *bench) {
	e := b.envelope(t)
	dev := b.openThrough(t, fault{name: "hung"})
	var wg sync.WaitGroup
	for what, call := range calls(dev, e) {
		wg.Go(func() {
			if err := b.inTime(t, what, badSocketDeadline, call); !errors.Is(err, miner.ErrUnreachable) {
				t.Errorf("%s on a hung socket gives %v", what, err)
			}
		})
	}
	wg.Wait()
	for what, call := range calls(b.dev, e) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := call(ctx)
		b.checkError(t, err)
		if !errors.Is(err, miner.ErrUnreachable) {
			t.Errorf("%s with a cancelled context gives %v", what, err)
		}
	}
	// Nobody there at all.
	gone := b.target
	gone.Ports = map[uint16]uint16{}
	for port := range b.target.Ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		gone.Ports[port] = uint16(l.Addr().(*net.TCPAddr).Port)
		l.Close()
	}
	nobody := b.suite.Driver.Open(gone)
	defer nobody.Close()
	for what, call := range calls(nobody, e) {
		if err := b.inTime(t, what, 2*time.Second, call); !errors.Is(err, miner.ErrUnreachable) {
			t.Errorf("%s with nobody there gives %v", what, err)
		}
	}
}

// On a bad socket a call ends in time, with an error or with a reading that
// says what is wrong with it, and the device works again afterwards.
func checkBrokenSockets(t *testing.T, b *bench) {
	e := b.envelope(t)
	for _, f := range []fault{
		{name: "reset", reset: true},
		{name: "drip", serve: dripping},
		{name: "garbage", serve: garbling},
		{name: "endless", serve: endless},
		{name: "closed at once", serve: cutting(0)},
	} {
		t.Run(f.name, func(t *testing.T) {
			dev := b.openThrough(t, f)
			var wg sync.WaitGroup
			for what, call := range calls(dev, e) {
				if what == "read" {
					continue
				}
				wg.Go(func() {
					if err := b.inTime(t, what, badSocketDeadline, call); err == nil && f.name != "drip" {
						t.Errorf("%s succeeds", what)
					}
				})
			}
			var r miner.Reading
			err := b.inTime(t, "read", badSocketDeadline, func(ctx context.Context) (err error) { r, err = dev.Read(ctx); return err })
			if err == nil && len(r.Warnings) == 0 {
				t.Errorf("reading over a bad socket neither fails nor warns: %s", r.State)
			}
			if f.reset && !errors.Is(err, miner.ErrUnreachable) {
				t.Errorf("reading over a resetting socket gives %v", err)
			}
			wg.Wait()
		})
	}
	if r := b.mustRead(t); len(r.Boards) == 0 && b.suite.tells(FieldBoards) {
		t.Error("afterwards the machine itself has no boards")
	}
}

// Replies cut anywhere: an error, a warning, or all that matters; never a panic.
func checkTruncated(t *testing.T, b *bench) {
	for n := int64(1); n < 40_000; n += n/3 + 7 {
		dev := b.openThrough(t, fault{serve: cutting(n)})
		var r miner.Reading
		err := b.inTime(t, fmt.Sprintf("reading cut at %d", n), 2*time.Second, func(ctx context.Context) (err error) { r, err = dev.Read(ctx); return err })
		if err == nil && n < 30 && len(r.Warnings) == 0 {
			t.Errorf("cut at %d bytes, the reading neither fails nor warns", n)
		}
		if err == nil && r.Identity.Firmware != b.suite.Driver.Firmware() {
			t.Errorf("cut at %d bytes, the reading is by firmware %q", n, r.Identity.Firmware)
		}
		_ = b.inTime(t, fmt.Sprintf("identifying cut at %d", n), 2*time.Second, func(ctx context.Context) error { _, err := dev.Identify(ctx); return err })
		dev.Close()
	}
}

// strangers answer on a machine's ports without being one.
var strangers = map[string]func(request []byte) string{
	"a web server": func([]byte) string {
		return "HTTP/1.1 404 Not Found\r\nServer: nginx\r\nContent-Type: text/html\r\nContent-Length: 48\r\n\r\n<html><body><h1>404 Not Found</h1></body></html>"
	},
	"a router": func([]byte) string {
		body := "<!doctype html><html><head><title>Router login</title></head><body><form action=/login method=post><input name=pw></form></body></html>"
		return fmt.Sprintf("HTTP/1.1 200 OK\r\nServer: lighttpd\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	},
	"a camera": func([]byte) string {
		return "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"IP Camera\", nonce=\"abc\", qop=\"auth\"\r\nContent-Length: 0\r\n\r\n"
	},
	"a JSON service": func([]byte) string {
		return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 33\r\n\r\n{\"status\":\"ok\",\"name\":\"grafana\"}\n"
	},
	"an SSH server": func([]byte) string { return "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n" },
}

func checkForeign(t *testing.T, b *bench) {
	for name, answer := range strangers {
		t.Run(name, func(t *testing.T) {
			target := b.target
			target.Ports = map[uint16]uint16{}
			for port := range b.target.Ports {
				target.Ports[port] = serveStranger(t, answer)
			}
			dev := b.suite.Driver.Open(target)
			defer dev.Close()
			var id miner.Identity
			err := b.inTime(t, "identify", 2*time.Second, func(ctx context.Context) (err error) { id, err = dev.Identify(ctx); return err })
			if !errors.Is(err, miner.ErrNotMine) {
				t.Errorf("identifying gives %+v, %v; want ErrNotMine", id, err)
			}
		})
	}
}

func serveStranger(t *testing.T, answer func([]byte) string) uint16 {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var open sync.Map
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			open.Store(c, true)
			wg.Go(func() {
				defer c.Close()
				in := bufio.NewReader(c)
				for {
					buf := make([]byte, 8192)
					n, err := in.Read(buf)
					if err != nil {
						return
					}
					text := answer(buf[:n])
					if _, err := io.WriteString(c, text); err != nil || text[:4] != "HTTP" {
						return
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		open.Range(func(c, _ any) bool { c.(net.Conn).Close(); return true })
		wg.Wait()
	})
	return uint16(l.Addr().(*net.TCPAddr).Port)
}

// Calls on one device may overlap.
func checkConcurrent(t *testing.T, b *bench) {
	e := b.envelope(t)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			for range 3 {
				// One of the settings sent meanwhile may restart the machine.
				if r, err := b.read(); err != nil || r.State != miner.Hashing && r.State != miner.Starting {
					t.Errorf("reading gives %s, %v", r.State, err)
				}
			}
		})
	}
	wg.Go(func() {
		for what, call := range calls(b.dev, e) {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			if err := call(ctx); err != nil && !errors.Is(err, miner.ErrBusy) {
				t.Errorf("%s gives %v", what, err)
			}
			cancel()
		}
	})
	wg.Wait()
}
