package whatsminer

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/miner/cgminer"
	"ballast/miner/whatsminer/crypt"
)

const portV3 = 4433

// Codes of API v3 replies.
const (
	v3OK         = 0
	v3Failed     = -1
	v3BadCommand = -2
	v3BadParam   = -3
	v3Permission = -4
	v3Memory     = -5
)

const (
	// patience bounds a dialogue whose context has no deadline.
	patience = 30 * time.Second
	// mostStray bounds the frames that are no answer to the question: heart
	// beats, and reports that another client switched on.
	mostStray = 16
	// mostAhead is how much memory a frame is given before its bytes are there.
	mostAhead = 8 << 10
)

// errFraming says that what answers does not speak API v3.
var errFraming = errors.New("no API v3 frame")

// line is the connection to a machine's API v3. It stays open between calls,
// because the firmware keeps it open, and is opened again when it has dropped.
// Not safe for concurrent use.
type line struct {
	target miner.Target
	conn   net.Conn
	in     *bufio.Reader
}

func (l *line) close() {
	if l.conn != nil {
		l.conn.Close()
		l.conn, l.in = nil, nil
	}
}

// ask sends one request and returns the body of the reply's frame. Errors wrap
// miner.ErrUnreachable, or miner.ErrGarbage and errFraming; what came of a frame
// that was cut short is returned beside the error.
func (l *line) ask(ctx context.Context, command string, request []byte) ([]byte, error) {
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	if l.conn != nil {
		// A kept connection may have been dropped by the machine since; then
		// nothing of the request was read and asking again is safe.
		body, err := l.exchange(ctx, command, request)
		if err == nil || ctx.Err() != nil || !errors.Is(err, errDropped) {
			return body, err
		}
	}
	conn, err := l.target.DialPort(ctx, portV3)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", miner.ErrUnreachable, err)
	}
	l.conn, l.in = conn, bufio.NewReaderSize(conn, 4096)
	return l.exchange(ctx, command, request)
}

// errDropped says that the connection ended before any byte of an answer.
var errDropped = errors.New("connection dropped")

func (l *line) exchange(ctx context.Context, command string, request []byte) (body []byte, err error) {
	conn := l.conn
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer func() {
		if !stop() || err != nil {
			l.close()
		}
		if err != nil && ctx.Err() != nil {
			err = fmt.Errorf("%w: %w", miner.ErrUnreachable, context.Cause(ctx))
		}
	}()
	frame := make([]byte, 4, 4+len(request))
	binary.LittleEndian.PutUint32(frame, uint32(len(request)))
	if _, err := conn.Write(append(frame, request...)); err != nil {
		return nil, fmt.Errorf("%w: %w: %w", miner.ErrUnreachable, errDropped, err)
	}
	for range mostStray {
		body, err := l.frame()
		if err != nil {
			return body, err
		}
		if len(body) == 0 {
			continue // a heart beat
		}
		if desc := gjson.GetBytes(body, "desc").Str; desc != "" && desc != command && strings.Contains(desc, ".") {
			continue // not ours
		}
		return body, nil
	}
	return nil, fmt.Errorf("%w: no answer among %d frames", miner.ErrGarbage, mostStray)
}

// frame reads one frame.
func (l *line) frame() ([]byte, error) {
	var head [4]byte
	if n, err := io.ReadFull(l.in, head[:]); err != nil {
		if n == 0 {
			err = fmt.Errorf("%w: %w", errDropped, err)
		}
		return nil, fmt.Errorf("%w: %w", miner.ErrUnreachable, err)
	}
	size := binary.LittleEndian.Uint32(head[:])
	if size > cgminer.MaxReply {
		return nil, fmt.Errorf("%w: %w: it begins %q", miner.ErrGarbage, errFraming, head[:])
	}
	// Memory is given as bytes come, not as they are announced.
	var body bytes.Buffer
	body.Grow(min(int(size), mostAhead))
	if n, err := io.CopyN(&body, l.in, int64(size)); err != nil {
		return body.Bytes(), fmt.Errorf("%w: frame cut at %d of %d bytes: %w", miner.ErrUnreachable, n, size, err)
	}
	return body.Bytes(), nil
}

// request is an API v3 command as it goes over the wire.
type request struct {
	Cmd     string `json:"cmd"`
	Param   any    `json:"param,omitempty"`
	TS      int64  `json:"ts,omitempty"`
	Token   string `json:"token,omitempty"`
	Account string `json:"account,omitempty"`
}

// readV3 asks for something; param is "" for commands without.
func (d *Device) readV3(ctx context.Context, command, param string) ([]byte, error) {
	r := request{Cmd: command}
	if param != "" {
		r.Param = param
	}
	b, err := json.Marshal(r)
	if err != nil {
		return nil, err
	}
	body, err := d.v3.ask(ctx, command, b)
	if err != nil {
		return body, fmt.Errorf("asking %s: %w", strings.TrimSpace(command+" "+param), err)
	}
	return body, nil
}

// sealedParams are the commands whose parameter is a secret.
var sealedParams = map[string]bool{"set.miner.pools": true}

// writeV3 sends one signed command. quiet says that silence is an
// acknowledgement.
func (d *Device) writeV3(ctx context.Context, command string, param any, quiet bool) error {
	password := string(d.target.Credentials.Password)
	if password == "" {
		return errNoPassword
	}
	code, words, err := d.signed(ctx, command, param, password, quiet)
	if err == nil && code == v3Permission && d.salt != "" {
		// A new salt comes with a new password; ask for it once.
		old := d.salt
		d.salt = ""
		if err := d.fetchSalt(ctx); err != nil {
			return err
		}
		if d.salt != old {
			code, words, err = d.signed(ctx, command, param, password, quiet)
		}
	}
	if err != nil {
		return err
	}
	switch code {
	case v3OK:
		return nil
	case v3BadCommand:
		return fmt.Errorf("sending %s: %w: %s", command, miner.ErrUnsupported, words)
	case v3Permission:
		if d.locked {
			return fmt.Errorf("sending %s: %w: %s", command, miner.ErrLocked, words)
		}
		return fmt.Errorf("sending %s: %w: %s", command, miner.ErrDenied, words)
	}
	return fmt.Errorf("sending %s: %w: %s", command, miner.ErrRefused, words)
}

// signed sends a write and returns the reply's code and words.
func (d *Device) signed(ctx context.Context, command string, param any, password string, quiet bool) (code int, words string, err error) {
	if d.salt == "" {
		if err := d.fetchSalt(ctx); err != nil {
			return 0, "", err
		}
	}
	r := request{Cmd: command, Param: param, TS: d.now().Unix(), Account: account(d.target.Credentials.User)}
	var key crypt.Key
	r.Token, key = crypt.Sign(command, password, d.salt, r.TS)
	if sealedParams[command] {
		plain, err := json.Marshal(param)
		if err != nil {
			return 0, "", fmt.Errorf("writing %s: %w", command, err)
		}
		r.Param = key.Seal(plain)
	}
	b, err := json.Marshal(r)
	if err != nil {
		return 0, "", fmt.Errorf("writing %s: %w", command, err)
	}
	asking := ctx
	if quiet {
		var cancel context.CancelFunc
		asking, cancel = context.WithTimeout(ctx, quietWait)
		defer cancel()
	}
	// On a connection of its own: a write that is sent twice because the kept
	// one had dropped would be acted on twice.
	d.v3.close()
	body, err := d.v3.ask(asking, command, b)
	if err != nil {
		silent := errors.Is(err, errDropped) || asking.Err() != nil && ctx.Err() == nil
		if quiet && silent && d.reached(err) {
			return v3OK, "", nil
		}
		return 0, "", fmt.Errorf("sending %s: %w", command, err)
	}
	return v3Verdict(body)
}

// reached tells whether a failed exchange got as far as the machine: a refused
// connection did not.
func (d *Device) reached(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return !ok || op.Op != "dial"
}

// v3Verdict reads code and words of a reply.
func v3Verdict(body []byte) (code int, words string, err error) {
	reply, ok := cgminer.Read("reply", body, nil)
	if !ok {
		return 0, "", fmt.Errorf("%w: %s", miner.ErrGarbage, cgminer.Excerpt(body))
	}
	c := reply.JSON().Get("code")
	if !c.Exists() {
		return 0, "", fmt.Errorf("%w: no code in %s", miner.ErrGarbage, cgminer.Excerpt(body))
	}
	words = reply.JSON().Get("msg").String()
	if words == "" {
		words = "code " + c.String()
	}
	return int(cgminer.Number(c.String()).Or(v3Failed)), words, nil
}

// fetchSalt asks for the salt of the password, and whether writes are switched
// on.
func (d *Device) fetchSalt(ctx context.Context) error {
	body, err := d.readV3(ctx, "get.device.info", "")
	if err != nil {
		return err
	}
	reply, ok := cgminer.Read("get_device_info", body, nil)
	if !ok {
		return fmt.Errorf("asking for the salt: %w: %s", miner.ErrGarbage, cgminer.Excerpt(body))
	}
	d.noteInfo(reply.JSON())
	if d.salt == "" {
		return fmt.Errorf("asking for the salt: %w: the machine tells none", miner.ErrGarbage)
	}
	return nil
}

// noteInfo keeps what writes need of a device info.
func (d *Device) noteInfo(root gjson.Result) {
	msg := root.Get("msg")
	if salt := msg.Get("salt").String(); salt != "" {
		d.salt = salt
	}
	if sw := msg.Get("system.apiswitch"); sw.Exists() {
		d.locked = sw.String() == "0"
	}
}

// account is the v3 account of configured credentials: v2's admin is v3's
// super.
func account(user string) string {
	if user == "" || user == "admin" {
		return "super"
	}
	return user
}
