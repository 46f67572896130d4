// Package web is the HTTP that firmwares speak to drivers: one connection for
// the few requests of one call, closed when the call ends.
//
// It is not net/http's client. That one keeps connections, and two goroutines
// for each, in the hope of a next request; a site of 10,000 machines polled
// every ten seconds would hold 10,000 of them, and the small machines (an ESP32
// has a dozen sockets) would lack theirs. Requests are written by hand, replies
// are read by net/http.
package web

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"ballast/miner"
)

// most is the longest body that is read. Per-chip figures of a large machine
// are some 60 kB.
const most = 4 << 20

// Client makes sessions and keeps their buffers. The zero Client works, and is
// for concurrent use.
type Client struct {
	readers sync.Pool
}

// Session talks to one port of one machine, for one goroutine.
type Session struct {
	client *Client
	target miner.Target
	port   uint16
	conn   net.Conn
	in     *bufio.Reader
	quota  quota
	used   bool // the connection has answered before
}

// quota is a connection that ends after so many bytes: a machine gone mad may
// send a header line without end.
type quota struct {
	conn net.Conn
	left int
}

func (q *quota) Read(b []byte) (int, error) {
	if q.left <= 0 {
		return 0, errTooLong
	}
	n, err := q.conn.Read(b[:min(len(b), q.left)])
	q.left -= n
	return n, err
}

// Request is one HTTP request. Path is sent as it is. A Body is JSON.
type Request struct {
	Method string
	Path   string
	Header []string // names and values in turn
	Body   []byte
}

// Reply is what came back, whatever its status. Cut tells that the connection
// ended before the body did.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
	Cut    bool
}

// Open makes a session without any traffic.
func (c *Client) Open(t miner.Target, port uint16) *Session {
	return &Session{client: c, target: t, port: port}
}

// Get is Do for a plain GET.
func (s *Session) Get(ctx context.Context, path string) (Reply, error) {
	return s.Do(ctx, Request{Method: http.MethodGet, Path: path})
}

// Do sends one request and reads its reply. Errors wrap miner.ErrUnreachable,
// or miner.ErrGarbage when something that is no HTTP, or too much of it, comes
// back; they name the path and no header or body.
func (s *Session) Do(ctx context.Context, r Request) (Reply, error) {
	reused := s.conn != nil && s.used
	reply, err := s.try(ctx, r)
	if err != nil && reused && errors.Is(err, errNothing) && ctx.Err() == nil {
		// The machine had hung up on the idle connection: that says nothing.
		reply, err = s.try(ctx, r)
	}
	if err != nil {
		s.Close()
		kind := miner.ErrUnreachable
		if errors.Is(err, errNoHTTP) || errors.Is(err, errTooLong) {
			kind = miner.ErrGarbage
		}
		return reply, fmt.Errorf("%s %s: %w: %w", r.Method, r.Path, kind, err)
	}
	return reply, nil
}

// greeting is how every reply begins.
const greeting = "HTTP/"

var (
	errNothing = errors.New("the connection ended without a reply")
	errNoHTTP  = errors.New("not HTTP")
	errTooLong = errors.New("the reply is too long")
)

func (s *Session) try(ctx context.Context, r Request) (Reply, error) {
	if err := ctx.Err(); err != nil {
		return Reply{}, err
	}
	if s.conn == nil {
		conn, err := s.target.DialPort(ctx, s.port)
		if err != nil {
			return Reply{}, err
		}
		s.conn, s.used, s.quota.conn = conn, false, conn
		s.in, _ = s.client.readers.Get().(*bufio.Reader)
		if s.in == nil {
			s.in = bufio.NewReaderSize(&s.quota, 4096)
		} else {
			s.in.Reset(&s.quota)
		}
	}
	conn := s.conn
	s.quota.left = most + 1<<16
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return Reply{}, err
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := conn.Write(s.text(r)); err != nil {
		s.hangUp()
		return Reply{}, fmt.Errorf("%w: %w", errNothing, err)
	}
	if head, err := s.in.Peek(len(greeting)); string(head) != greeting[:len(head)] {
		err := fmt.Errorf("%w: %q", errNoHTTP, head) // before the buffer is another's
		s.hangUp()
		return Reply{}, err
	} else if err != nil {
		s.hangUp()
		if isTimeout(err) || len(head) > 0 {
			return Reply{}, err
		}
		return Reply{}, errNothing
	}
	resp, err := http.ReadResponse(s.in, &http.Request{Method: r.Method}) //nolint:bodyclose // readBody closes it
	if err != nil {
		s.hangUp()
		if isTimeout(err) || errors.Is(err, errTooLong) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			return Reply{}, err
		}
		return Reply{}, fmt.Errorf("%w: %s", errNoHTTP, firstLine(err.Error()))
	}
	body, err := readBody(resp)
	reply := Reply{Status: resp.StatusCode, Header: resp.Header, Body: body}
	if err != nil || resp.Close {
		s.hangUp()
	}
	if err != nil {
		if errors.Is(err, errTooLong) || isTimeout(err) || ctx.Err() != nil || len(body) == 0 {
			return reply, err
		}
		reply.Cut = true
	}
	s.used = true
	return reply, nil
}

func readBody(resp *http.Response) ([]byte, error) {
	if resp.ContentLength > most {
		return nil, errTooLong
	}
	var body bytes.Buffer
	if resp.ContentLength > 0 {
		body.Grow(int(resp.ContentLength) + bytes.MinRead)
	}
	n, err := body.ReadFrom(io.LimitReader(resp.Body, most+1))
	if n > most {
		return nil, errTooLong
	}
	return body.Bytes(), err
}

func (s *Session) text(r Request) []byte {
	b := make([]byte, 0, 256+len(r.Body))
	b = append(b, r.Method...)
	b = append(b, ' ')
	b = append(b, r.Path...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	if s.target.Addr.Is6() {
		b = append(b, '[')
		b = s.target.Addr.WithZone("").AppendTo(b)
		b = append(b, ']')
	} else {
		b = s.target.Addr.AppendTo(b)
	}
	b = append(b, "\r\nUser-Agent: ballast\r\nAccept: application/json, */*\r\n"...)
	for i := 0; i+1 < len(r.Header); i += 2 {
		b = append(b, r.Header[i]...)
		b = append(b, ": "...)
		b = append(b, oneLine(r.Header[i+1])...)
		b = append(b, "\r\n"...)
	}
	if r.Body != nil {
		b = append(b, "Content-Type: application/json\r\n"...)
	}
	if r.Body != nil || r.Method != http.MethodGet {
		b = append(b, "Content-Length: "...)
		b = strconv.AppendInt(b, int64(len(r.Body)), 10)
		b = append(b, "\r\n"...)
	}
	b = append(b, "\r\n"...)
	return append(b, r.Body...)
}

// oneLine keeps what a machine gave us (a token) from becoming a header of its
// own.
func oneLine(s string) string {
	if strings.ContainsAny(s, "\r\n") {
		return strings.NewReplacer("\r", "", "\n", "").Replace(s)
	}
	return s
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	if len(s) > 100 {
		s = s[:100]
	}
	return s
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// Close ends the session; it can be used again and dials anew.
func (s *Session) Close() { s.hangUp() }

func (s *Session) hangUp() {
	if s.conn == nil {
		return
	}
	s.conn.Close()
	s.in.Reset(nil)
	s.client.readers.Put(s.in)
	s.conn, s.in, s.quota.conn = nil, nil, nil
}
