package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// poster posts JSON to where settings say, and nowhere else: redirects are not
// followed, and addresses are looked at when the connection is made, so that a
// name that changes its mind does not lead elsewhere.
type poster struct {
	client  *http.Client
	secrets []string
	agent   string
}

// metadata are the addresses at which clouds tell a machine its credentials, but
// for those that are link-local anyway.
var metadata = []netip.Addr{netip.MustParseAddr("fd00:ec2::254"), netip.MustParseAddr("100.100.100.200")}

// refuses says why an address is not asked; "" when it may be.
func refuses(a netip.Addr, linkLocal bool) string {
	a = a.Unmap()
	switch {
	case a.IsUnspecified(), a.IsMulticast(), a == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return "no host's address"
	case linkLocal:
		return ""
	case a.IsLinkLocalUnicast():
		return "link-local, where clouds keep their metadata"
	}
	if slices.Contains(metadata, a) {
		return "a cloud's metadata service"
	}
	return ""
}

func newPoster(o Options, sec Secrets) poster {
	dialer := net.Dialer{Timeout: 10 * time.Second, Control: func(_, address string, _ syscall.RawConn) error {
		at, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("%w: %s", ErrTarget, address)
		}
		if why := refuses(at.Addr().WithZone(""), o.LinkLocal); why != "" {
			return fmt.Errorf("%w: %s is %s", ErrTarget, at.Addr(), why)
		}
		return nil
	}}
	p := poster{agent: "Ballast/" + o.Version, client: &http.Client{
		Timeout: 20 * time.Second,
		Transport: &http.Transport{DialContext: dialer.DialContext, TLSHandshakeTimeout: 10 * time.Second, MaxResponseHeaderBytes: 64 << 10,
			DisableKeepAlives: true, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	for _, s := range sec {
		if s != "" {
			p.secrets = append(p.secrets, s)
		}
	}
	return p
}

// After is an error after which the receiver wants to be left alone for a while.
type After struct {
	Err  error
	Wait time.Duration
}

// Error implements error.
func (e *After) Error() string { return e.Err.Error() }

// Unwrap gives the error itself.
func (e *After) Unwrap() error { return e.Err }

// post sends body and returns what was answered, at most 4 kB.
func (p *poster) post(ctx context.Context, to string, body any, header map[string]string) (answer string, err error) {
	b, err := json.Marshal(body)
	if err != nil {
		return "", fmt.Errorf("writing the message: %w", err)
	}
	return p.postRaw(ctx, to, b, header)
}

func (p *poster) postRaw(ctx context.Context, to string, b []byte, header map[string]string) (answer string, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(b))
	if err != nil {
		return "", fmt.Errorf("%w: %s", ErrInvalid, p.hide(err.Error()))
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", p.agent)
	for k, v := range header {
		req.Header.Set(k, v)
	}
	res, err := p.client.Do(req)
	if err != nil {
		if errors.Is(err, ErrTarget) {
			return "", fmt.Errorf("%w: %s", ErrTarget, p.hide(err.Error()))
		}
		return "", errors.New(p.hide(err.Error()))
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(res.Body, 4<<10)) // what came counts; the status decides
	answer = p.hide(strings.TrimSpace(strings.ToValidUTF8(string(text), "?")))
	said := fmt.Sprintf("%s: %s", res.Status, line(answer, 300))
	switch code := res.StatusCode; {
	case code >= 200 && code < 300:
		return said, nil
	case code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable:
		return answer, &After{fmt.Errorf("the receiver answers %s", said), retryAfter(res.Header.Get("Retry-After"))}
	case code == http.StatusRequestTimeout || code >= 500:
		return answer, fmt.Errorf("the receiver answers %s", said)
	case code >= 300 && code < 400:
		return answer, fmt.Errorf("%w: it points elsewhere (%s), and Ballast does not follow", ErrRefused, res.Status)
	default:
		return answer, fmt.Errorf("%w: %s", ErrRefused, said)
	}
}

// retryAfter reads the header's seconds; dates and nonsense are a minute.
func retryAfter(text string) time.Duration {
	if text == "" {
		return 0
	}
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || n < 0 {
		n = 60
	}
	return min(time.Duration(n)*time.Second, time.Hour)
}

// hide takes secrets out of text: net/http's errors carry the whole address.
func (p *poster) hide(text string) string {
	for _, s := range p.secrets {
		text = strings.ReplaceAll(text, s, "[hidden]")
	}
	return text
}
