package feed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Backoff says how long to leave a source alone after failures in a row.
type Backoff struct {
	First, Most time.Duration // zero: 2 s and 10 min
}

// After is the wait after the n-th failure in a row, n from 1: First, doubled
// each time up to Most, and of that a random part between a half and all (u is
// uniform in [0,1)), so that many clients do not come back together. A wait that
// the source asked for is kept when it is longer, up to a day.
func (b Backoff) After(n int, asked time.Duration, u float64) time.Duration {
	first, most := b.First, b.Most
	if first <= 0 {
		first = 2 * time.Second
	}
	if most <= 0 {
		most = 10 * time.Minute
	}
	if n < 1 {
		return 0
	}
	d := float64(first) * math.Pow(2, float64(min(n-1, 62)))
	d = min(d, float64(most)) * (0.5 + 0.5*u)
	return max(time.Duration(d), min(asked, 24*time.Hour))
}

// Options are how a source is asked.
type Options struct {
	Client  *http.Client  // nil: one of its own, without proxies that environment sets aside
	Timeout time.Duration // of one question; zero: 15 s
	Backoff Backoff
	Now     func() time.Time // nil: time.Now
	Jitter  func() float64   // nil: random
	User    string           // HTTP basic authentication, of a node's RPC
	Pass    string
}

// client asks one source over HTTP.
type client struct {
	base    *url.URL
	http    *http.Client
	timeout time.Duration
	backoff Backoff
	now     func() time.Time
	jitter  func() float64
	user    string
	pass    string

	mu       sync.Mutex
	failures int
	until    time.Time
}

func newClient(base string, o Options) (*client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("%q is no http address: %w", base, ErrFormat)
	}
	c := &client{base: u, http: o.Client, timeout: o.Timeout, backoff: o.Backoff, now: o.Now, jitter: o.Jitter, user: o.User, pass: o.Pass}
	if u.User != nil && c.user == "" {
		c.user = u.User.Username()
		c.pass, _ = u.User.Password()
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	u.Path = strings.TrimRight(u.Path, "/")
	if c.http == nil {
		c.http = &http.Client{CheckRedirect: sameHost}
	}
	if c.timeout <= 0 {
		c.timeout = 15 * time.Second
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.jitter == nil {
		c.jitter = rand.Float64
	}
	return c, nil
}

// sameHost keeps a source from sending Ballast, and its password, elsewhere.
func sameHost(r *http.Request, via []*http.Request) error {
	if len(via) > 3 || r.URL.Host != via[0].URL.Host || r.URL.Scheme != via[0].URL.Scheme {
		return fmt.Errorf("sent on to %s: %w", name(r.URL), ErrUnavailable)
	}
	return nil
}

func (c *client) name() string { return name(c.base) }

// maxBody is more than any answer needs; the largest, a raw block in hex, is 8 MB.
const maxBody = 9 << 20

// answer is what came of one question.
type answer struct {
	status int
	body   []byte
}

// do asks once. It does not ask at all while the source is backed off. 2xx, 4xx
// (but 401, 403, 408, 418, 429) are answers; everything else is a failure that counts.
func (c *client) do(ctx context.Context, method, path string, body []byte) (answer, error) {
	c.mu.Lock()
	until := c.until
	c.mu.Unlock()
	if now := c.now(); now.Before(until) {
		return answer{}, fmt.Errorf("%s: %w for another %v", c.name(), ErrWaiting, until.Sub(now).Round(time.Second))
	}
	a, wait, err := c.once(ctx, method, path, body)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return a, err // the caller's doing, not the source's
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.failures, c.until = 0, time.Time{}
		return a, nil
	}
	c.failures++
	c.until = c.now().Add(c.backoff.After(c.failures, wait, c.jitter()))
	return a, err
}

func (c *client) once(ctx context.Context, method, path string, body []byte) (answer, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, c.base.String()+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, 0, fmt.Errorf("asking %s: %w: %w", c.name(), ErrUnavailable, err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.user != "" {
		r.SetBasicAuth(c.user, c.pass)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		// The error of net/http names the address, which has no password here.
		return answer{}, 0, fmt.Errorf("asking %s: %w: %w", c.name(), ErrUnavailable, err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return answer{}, 0, fmt.Errorf("reading the answer of %s: %w: %w", c.name(), ErrUnavailable, err)
	}
	if len(got) > maxBody {
		return answer{}, 0, fmt.Errorf("%s answers with more than %d MB: %w", c.name(), maxBody>>20, ErrFormat)
	}
	switch s := resp.StatusCode; {
	case s/100 == 2, s == http.StatusNotFound, s == http.StatusBadRequest, s == http.StatusGone:
		return answer{s, got}, 0, nil
	case s == http.StatusInternalServerError && method == http.MethodPost:
		// bitcoind and btcd send JSON-RPC errors with this status.
		return answer{s, got}, 0, nil
	default:
		return answer{s, nil}, retryAfter(resp.Header.Get("Retry-After"), c.now()), fmt.Errorf("%s answers %s: %w", c.name(), resp.Status, ErrUnavailable)
	}
}

// retryAfter reads seconds or a date (RFC 9110, 10.2.3).
func retryAfter(s string, now time.Time) time.Duration {
	if n, err := strconv.ParseInt(s, 10, 32); err == nil && n > 0 {
		return time.Duration(n) * time.Second
	}
	if t, err := http.ParseTime(s); err == nil {
		return max(0, t.Sub(now))
	}
	return 0
}
