package cgminer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"ballast/miner"
)

// Port is the API's well-known port.
const Port = 4028

// MaxReply bounds what is read of one reply. Real ones are under 100 kB.
const MaxReply = 4 << 20

const (
	// idle is how long a machine may stay silent after something that looks
	// like a complete reply, when it neither ends it with NUL nor closes.
	idle = 150 * time.Millisecond
	// patience bounds a request whose context has no deadline.
	patience = 30 * time.Second
)

// ErrSilent says that the connection was made and closed without a reply, as
// some firmwares do when a command makes them restart. It comes wrapped with
// [miner.ErrUnreachable].
var ErrSilent = errors.New("closed without a reply")

// Request is the JSON form of a command: {"command":..,"parameter":..}, without
// the second key when parameter is "".
func Request(command, parameter string) []byte {
	b := append(make([]byte, 0, 64), `{"command":`...)
	b = appendString(b, command)
	if parameter != "" {
		b = append(b, `,"parameter":`...)
		b = appendString(b, parameter)
	}
	return append(b, '}')
}

func appendString(b []byte, s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil { // a string always marshals
		return append(b, `""`...)
	}
	return append(b, quoted...)
}

// Ask sends one command on a new connection to [Port] and returns the reply.
// See [AskRaw].
func Ask(ctx context.Context, t miner.Target, command, parameter string) ([]byte, error) {
	raw, err := AskRaw(ctx, t, Port, Request(command, parameter))
	if err != nil {
		return raw, fmt.Errorf("asking %q: %w", command, err)
	}
	return raw, nil
}

// AskRaw sends a request of any form on a new connection to a well-known port
// and returns the reply: up to a NUL, the end of the connection, or a complete
// JSON value followed by silence, and at most [MaxReply] bytes. Of a web or SSH
// server it returns what came first.
//
// Errors wrap [miner.ErrUnreachable]. When the deadline or a reset cut the
// reply short, the bytes that came are returned beside the error.
func AskRaw(ctx context.Context, t miner.Target, port uint16, request []byte) ([]byte, error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	conn, err := t.DialPort(ctx, port)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", miner.ErrUnreachable, err)
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if _, err := conn.Write(request); err != nil {
		return nil, fmt.Errorf("%w: sending: %w", miner.ErrUnreachable, cause(ctx, err))
	}
	room := rooms.Get().(*[]byte)
	got, err := receive(ctx, conn, (*room)[:0])
	*room = got[:0]
	// Devices keep slow replies for minutes, ten thousand times over: not with
	// the buffer's spare room.
	if len(got) == 0 {
		got = nil
	} else {
		got = append(make([]byte, 0, len(got)), got...)
	}
	if cap(*room) <= mostRoom {
		rooms.Put(room)
	}
	return got, err
}

// rooms are buffers to receive into: a reply grows in one of them, and is then
// copied to what it takes. A thousand polls a second would else leave behind
// every size that each reply had on its way.
var rooms = sync.Pool{New: func() any { b := make([]byte, 0, 32<<10); return &b }}

// mostRoom is how large a buffer is kept.
const mostRoom = 256 << 10

// receive reads one reply into buf, or a larger one; what it returns is in it
// even beside an error, unless nothing came.
func receive(ctx context.Context, conn net.Conn, buf []byte) ([]byte, error) {
	scan := jsonEnd{}
	waiting := false // for the silence after a complete value
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := conn.Read(buf[len(buf):cap(buf)])
		fresh := buf[len(buf) : len(buf)+n]
		buf = buf[:len(buf)+n]
		if end := bytes.IndexByte(fresh, 0); end >= 0 {
			return buf[:len(buf)-n+end], nil
		}
		if err != nil {
			switch {
			case waiting && n == 0 && ctx.Err() == nil && isTimeout(err):
				return buf, nil
			case errors.Is(err, io.EOF) && len(buf) > 0:
				return buf, nil
			case errors.Is(err, io.EOF):
				return buf, fmt.Errorf("%w: %w", miner.ErrUnreachable, ErrSilent)
			}
			return buf, fmt.Errorf("%w: receiving: %w", miner.ErrUnreachable, cause(ctx, err))
		}
		if len(buf) >= MaxReply {
			return buf[:MaxReply], nil
		}
		if bytes.HasPrefix(buf, []byte("HTTP/")) || bytes.HasPrefix(buf, []byte("SSH-")) {
			return buf, nil // somebody else, who may wait for more of us
		}
		complete := scan.feed(fresh)
		if complete || waiting {
			waiting = complete
			until := time.Time{}
			if complete {
				until = time.Now().Add(idle)
			}
			if gone := conn.SetReadDeadline(until) != nil; gone && complete {
				return buf, nil
			} else if gone {
				return buf, fmt.Errorf("%w: closed in the reply", miner.ErrUnreachable)
			}
		}
	}
}

// cause prefers the context's verdict over the error of a connection that was
// closed because of it.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func isTimeout(err error) bool {
	t, ok := errors.AsType[net.Error](err)
	return ok && t.Timeout()
}

// jsonEnd watches bytes go by and tells when every bracket opened is closed, or
// none was opened at all. It is a guess (a reply with a broken string fools it), so its verdict only
// shortens the wait.
type jsonEnd struct {
	depth           int
	inText, escaped bool
}

func (j *jsonEnd) feed(b []byte) bool {
	for _, c := range b {
		switch {
		case j.escaped:
			j.escaped = false
		case j.inText:
			switch c {
			case '\\':
				j.escaped = true
			case '"':
				j.inText = false
			}
		case c == '"':
			j.inText = true
		case c == '{' || c == '[':
			j.depth++
		case c == '}' || c == ']':
			j.depth--
		}
	}
	return j.depth <= 0 && !j.inText
}
