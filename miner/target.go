package miner

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// The ways a machine can fail to do what it was asked. Drivers wrap them:
// fmt.Errorf("logging in: %w", miner.ErrDenied).
var (
	ErrNotMine     = errors.New("another firmware answers here")           // Identify: try the next driver
	ErrUnreachable = errors.New("no answer")                               // refused, silent, reset, timed out
	ErrDenied      = errors.New("password refused")                        // wrong or missing credentials
	ErrLocked      = errors.New("write access is disabled on the machine") // an operator's safety switch: never forced
	ErrUnsupported = errors.New("this firmware cannot do that")            // final
	ErrRefused     = errors.New("the machine refused")                     // understood and declined: value out of range, wrong state
	ErrBusy        = errors.New("another session holds the machine")       // retry later
	ErrGarbage     = errors.New("the reply could not be read")             // nothing readable
)

// Secret is a password. It never prints, logs or marshals.
type Secret string

// String hides the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "[hidden]"
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return s.String() }

// LogValue hides the secret from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the secret from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Credentials sign in to one machine. Ballast guesses none: they come from the
// configuration, by device or by group. A driver that needs some and has none
// says ErrDenied.
type Credentials struct {
	User     string
	Password Secret
}

// Target says how to reach one machine.
type Target struct {
	Addr netip.Addr
	// Ports maps a firmware's well-known port to the one to use instead, for
	// machines behind a port forward and for simulators without privileges.
	Ports map[uint16]uint16
	// Credentials for this machine; the zero value means none were given.
	Credentials Credentials
	// Dial replaces net.Dialer.DialContext in tests and for metering.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Address is "host:port" for a firmware's well-known port.
func (t Target) Address(port uint16) string {
	if p, ok := t.Ports[port]; ok {
		port = p
	}
	return net.JoinHostPort(t.Addr.String(), strconv.Itoa(int(port)))
}

// DialPort connects to a firmware's well-known port.
func (t Target) DialPort(ctx context.Context, port uint16) (net.Conn, error) {
	dial := t.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	return dial(ctx, "tcp", t.Address(port))
}

// NormalMAC writes any usual form of a MAC address as "aa:bb:cc:dd:ee:ff".
// Text that is none, and the all-zero and all-one addresses that firmwares
// invent, give "".
func NormalMAC(s string) string {
	var hex strings.Builder
	for _, c := range strings.ToLower(s) {
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f':
			hex.WriteRune(c)
		case c == ':' || c == '-' || c == '.' || c == ' ':
		default:
			return ""
		}
	}
	h := hex.String()
	if len(h) != 12 || h == "000000000000" || h == "ffffffffffff" {
		return ""
	}
	out := make([]byte, 0, 17)
	for i := 0; i < 12; i += 2 {
		if i > 0 {
			out = append(out, ':')
		}
		out = append(out, h[i], h[i+1])
	}
	return string(out)
}

// Hinter is a driver that can tell from the first reply on a port whether its
// family is likely there, so that a scan asks the right driver first. The
// scanner sends `{"command":"version"}` to 4028, `GET /` to HTTP ports and
// `get.device.info` to 4433, and passes on what came back, status line and
// headers included for HTTP.
type Hinter interface {
	Hint(port uint16, reply []byte) bool
}
