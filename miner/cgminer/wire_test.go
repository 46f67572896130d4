package cgminer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ballast/miner"
)

// dialTo makes a target whose every connection is served by f.
func dialTo(f func(net.Conn)) miner.Target {
	return miner.Target{Dial: func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		go f(there)
		return here, nil
	}}
}

// request reads one request and fails the connection when it is no JSON.
func request(c net.Conn) string {
	buf := make([]byte, 4096)
	n, _ := c.Read(buf)
	return string(buf[:n])
}

func TestAsk(t *testing.T) {
	reply := `{"STATUS":[{"STATUS":"S"}],"id":1}`
	for name, c := range map[string]struct {
		serve func(net.Conn)
		want  string
		err   error
		took  time.Duration // at most
	}{
		"closed at the end": {func(c net.Conn) { request(c); io.WriteString(c, reply); c.Close() }, reply, nil, 0},
		"NUL and left open": {func(c net.Conn) { request(c); io.WriteString(c, reply+"\x00") }, reply, nil, 0},
		"NUL in the next packet": {func(c net.Conn) {
			request(c)
			io.WriteString(c, reply[:9])
			io.WriteString(c, reply[9:])
			c.Write([]byte{0})
		}, reply, nil, 0},
		"no NUL and left open": {func(c net.Conn) { request(c); io.WriteString(c, reply+"\n") }, reply + "\n", nil, idle},
		"pause inside": {func(c net.Conn) {
			request(c)
			io.WriteString(c, reply[:20])
			time.Sleep(3 * time.Second)
			io.WriteString(c, reply[20:])
			c.Close()
		}, reply, nil, 3 * time.Second},
		"pause after a whole value": {func(c net.Conn) {
			request(c)
			io.WriteString(c, `{"a":1}`)
			time.Sleep(idle / 2)
			io.WriteString(c, "\x00")
		}, `{"a":1}`, nil, idle},
		"hung":              {func(c net.Conn) { request(c) }, "", miner.ErrUnreachable, 10 * time.Second},
		"hung in the reply": {func(c net.Conn) { request(c); io.WriteString(c, reply[:20]) }, reply[:20], miner.ErrUnreachable, 10 * time.Second},
		"silent":            {func(c net.Conn) { request(c); c.Close() }, "", ErrSilent, 0},
		"a web server":      {func(c net.Conn) { request(c); io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n") }, "HTTP/1.1 400 Bad Request\r\n\r\n", nil, 0},
		"drip": {func(c net.Conn) {
			request(c)
			for i := range len(reply) {
				if _, err := io.WriteString(c, reply[i:i+1]); err != nil {
					return
				}
				time.Sleep(100 * time.Millisecond)
			}
			c.Close()
		}, reply, nil, 4 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				start := time.Now()
				raw, err := Ask(ctx, dialTo(c.serve), "summary", "")
				if string(raw) != c.want || !errors.Is(err, c.err) {
					t.Errorf("got %q, %v; want %q, %v", raw, err, c.want, c.err)
				}
				if err != nil && !errors.Is(err, miner.ErrUnreachable) {
					t.Errorf("%v does not wrap ErrUnreachable", err)
				}
				if took := time.Since(start); took > c.took {
					t.Errorf("took %v, want at most %v", took, c.took)
				}
			})
		})
	}
}

func TestAskCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err := Ask(ctx, dialTo(func(c net.Conn) { request(c) }), "summary", "")
		if !errors.Is(err, miner.ErrUnreachable) || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

// A context without a deadline does not wait for ever.
func TestAskPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		_, err := Ask(context.Background(), dialTo(func(c net.Conn) { request(c) }), "summary", "")
		if !errors.Is(err, miner.ErrUnreachable) || time.Since(start) != patience {
			t.Errorf("got %v after %v", err, time.Since(start))
		}
	})
}

func TestAskBounded(t *testing.T) {
	block := bytes.Repeat([]byte(`[[1,`), 16<<10)
	raw, err := Ask(t.Context(), dialTo(func(c net.Conn) {
		request(c)
		for {
			if _, err := c.Write(block); err != nil {
				return
			}
		}
	}), "summary", "")
	if err != nil || len(raw) != MaxReply {
		t.Errorf("got %d bytes, %v", len(raw), err)
	}
}

func TestRequest(t *testing.T) {
	for _, c := range []struct{ command, parameter, want string }{
		{"summary", "", `{"command":"summary"}`},
		{"ascset", "0,led,1-1", `{"command":"ascset","parameter":"0,led,1-1"}`},
		{`a"b`, "\\\n", `{"command":"a\"b","parameter":"\\\n"}`},
	} {
		got := Request(c.command, c.parameter)
		if string(got) != c.want || !json.Valid(got) {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestAskerRemembers(t *testing.T) {
	asked := []string{}
	serve := func(combined bool) miner.Target {
		return dialTo(func(c net.Conn) {
			defer c.Close()
			q := request(c)
			asked = append(asked, q)
			switch {
			case strings.Contains(q, "+") && combined:
				io.WriteString(c, `{"summary":[{"STATUS":[{"STATUS":"S"}],"SUMMARY":[{"Elapsed":1}]}],"pools":[{"STATUS":[{"STATUS":"S"}],"POOLS":[]}],"id":1}`)
			case strings.Contains(q, "+"):
				io.WriteString(c, `{"STATUS":[{"STATUS":"E","Code":14,"Msg":"Invalid command"}],"id":1}`)
			default:
				io.WriteString(c, `{"STATUS":[{"STATUS":"S"}],"id":1}`)
			}
		})
	}
	for _, c := range []struct {
		combined bool
		requests int // in two rounds
		replies  int
	}{{true, 2, 1}, {false, 5, 2}} {
		asked = nil
		a, target := &Asker{}, serve(c.combined)
		for range 2 {
			replies, err := a.Ask(t.Context(), target, "summary", "pools")
			if err != nil || len(replies) != c.replies {
				t.Errorf("combined %v: %d replies, %v", c.combined, len(replies), err)
			}
		}
		if len(asked) != c.requests {
			t.Errorf("combined %v: %d requests: %q", c.combined, len(asked), asked)
		}
	}
}

func TestCadence(t *testing.T) {
	for seed := range 50 {
		c := NewCadence(miner.Target{Ports: map[uint16]uint16{4028: uint16(seed)}})
		due := []int{}
		for i := range 1 + 4*slowEvery {
			if c.Due() {
				due = append(due, i)
			}
		}
		if len(due) < 4 || due[0] != 0 || due[1] > slowEvery || due[2]-due[1] != slowEvery || due[3]-due[2] != slowEvery {
			t.Errorf("due at %v", due)
		}
	}
}
