package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"
)

// Web fetches with an http.Client, remembers what a server said identifies a
// reply (ETag, Last-Modified), and bounds what it reads. Errors name host and
// path, never the query, which may hold a key.
type Web struct {
	Client  *http.Client
	Agent   string        // User-Agent; "ballast" when empty
	Timeout time.Duration // of one request; 30 s when 0
	MaxBody int64         // bytes; 64 MB when 0

	mu    sync.Mutex
	seen  map[string]validators
	order []string
	turns map[string]time.Time // when a server may be asked next
}

type validators struct{ tag, modified string }

// maxSeen bounds the validators remembered.
const maxSeen = 1024

// RetryError is an operator that asks to come back later.
type RetryError struct {
	Status string
	After  time.Duration // 0 when it does not say
}

func (e *RetryError) Error() string {
	if e.After > 0 {
		return fmt.Sprintf("%s, asks to wait %v", e.Status, e.After)
	}
	return e.Status
}

// Reply is a body with what its headers say.
type Reply struct {
	Body     []byte
	Modified time.Time // Last-Modified; zero when not said
	keep     func()
}

// Keep remembers the reply's validators. It is called when the reply could be
// read, so that one that could not is asked for again.
func (r *Reply) Keep() { r.keep() }

// Get sends a request and reads the reply. A reply that did not change since a
// kept one is ErrUnchanged, unless fresh.
func (w *Web) Get(ctx context.Context, req *http.Request, fresh bool) (*Reply, error) {
	where := req.URL.Host + req.URL.Path
	timeout := w.Timeout
	if timeout == 0 {
		timeout = 30 * time.Second
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req = req.WithContext(ctx)
	agent := w.Agent
	if agent == "" {
		agent = "ballast"
	}
	req.Header.Set("User-Agent", agent)
	key := req.URL.String()
	if v, ok := w.known(key); ok && !fresh && req.Method == http.MethodGet {
		if v.tag != "" {
			req.Header.Set("If-None-Match", v.tag)
		}
		if v.modified != "" {
			req.Header.Set("If-Modified-Since", v.modified)
		}
	}
	client := w.Client
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: asking %s: %w", ErrUnavailable, where, bare(err))
	}
	defer resp.Body.Close()
	limit := w.MaxBody
	if limit == 0 {
		limit = 64 << 20
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	switch {
	case resp.StatusCode == http.StatusNotModified:
		return nil, fmt.Errorf("%s: %w", where, ErrUnchanged)
	case resp.StatusCode == http.StatusTooManyRequests || resp.StatusCode == http.StatusServiceUnavailable:
		return nil, fmt.Errorf("%w: asking %s: %w", ErrUnavailable, where, &RetryError{resp.Status, retryAfter(resp.Header.Get("Retry-After"), resp.Header.Get("Date"))})
	case resp.StatusCode >= 500:
		return nil, fmt.Errorf("%w: asking %s: %w", ErrUnavailable, where, &RetryError{Status: resp.Status})
	case err != nil:
		return nil, fmt.Errorf("%w: reading %s: %w", ErrUnavailable, where, bare(err))
	case int64(len(body)) > limit:
		return nil, fmt.Errorf("%w: %s sends more than %d MB", ErrFormat, where, limit>>20)
	}
	r := &Reply{Body: body, keep: func() {}}
	r.Modified, _ = http.ParseTime(resp.Header.Get("Last-Modified"))
	if resp.StatusCode >= 400 {
		// Some operators explain themselves in the body.
		return r, fmt.Errorf("%w: %s: %s", ErrRefused, where, resp.Status)
	}
	v := validators{resp.Header.Get("ETag"), resp.Header.Get("Last-Modified")}
	r.keep = func() { w.remember(key, v) }
	return r, nil
}

// turn waits until a server may be asked again, and keeps the next off for a
// pause, whichever feed asks.
func (w *Web) turn(ctx context.Context, server string, pause time.Duration) error {
	w.mu.Lock()
	now := time.Now()
	at := w.turns[server]
	if at.Before(now) {
		at = now
	}
	if w.turns == nil || len(w.turns) > maxSeen {
		w.turns = map[string]time.Time{}
	}
	w.turns[server] = at.Add(pause)
	w.mu.Unlock()
	return wait(ctx, at.Sub(now))
}

func (w *Web) known(key string) (validators, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	v, ok := w.seen[key]
	return v, ok
}

func (w *Web) remember(key string, v validators) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.seen == nil {
		w.seen = map[string]validators{}
	}
	if _, ok := w.seen[key]; !ok {
		w.order = append(w.order, key)
		if len(w.order) > maxSeen {
			delete(w.seen, w.order[0])
			w.order = w.order[1:]
		}
	}
	w.seen[key] = v
}

// bare is a client's error without the URL that it quotes.
func bare(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// retryAfter reads seconds or a date.
func retryAfter(s, now string) time.Duration {
	const most = 6 * time.Hour
	if n, err := strconv.Atoi(s); err == nil && n > 0 {
		return min(time.Duration(min(n, 1<<20))*time.Second, most)
	}
	at, err1 := http.ParseTime(s)
	base, err2 := http.ParseTime(now)
	if err1 != nil || err2 != nil || !at.After(base) {
		return 0
	}
	return min(at.Sub(base), most)
}
