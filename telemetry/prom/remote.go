package prom

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"ballast/miner"
	"ballast/telemetry"
)

// RemoteOptions are those of one receiver of remote write.
type RemoteOptions struct {
	URL    string // http://prometheus:9090/api/v1/write
	Source Source
	Detail Detail
	Name   func(miner.ID) string
	// Interval is how often the newest rows are taken, 15 s when 0. Each row is
	// sent once, with the time of its poll; the fleet's totals every time.
	Interval time.Duration
	MaxAge   time.Duration // as of the page's options

	User     string       // basic authentication
	Password miner.Secret // basic authentication
	Bearer   miner.Secret // instead of basic authentication

	// Batch is the most samples of a request, 5,000 when 0.
	Batch int
	// Queue is the most bytes of compressed requests that wait while the
	// receiver is away, 64 MiB when 0. Then the oldest go.
	Queue int64
	// Least and Most bound the wait between two tries, 0.5 s and 30 s when 0.
	Least, Most time.Duration

	Client *http.Client // nil is one with a timeout of 30 s
	Log    *slog.Logger // nil is silent
	Clock  func() time.Time
}

// RemoteStats counts samples since the start.
type RemoteStats struct {
	Sent     int64  `json:"sent"`     // accepted by the receiver
	Dropped  int64  `json:"dropped"`  // pushed out of a full queue
	Rejected int64  `json:"rejected"` // refused for good by the receiver
	Retries  int64  `json:"retries"`  // requests tried again
	Waiting  int64  `json:"waiting"`  // bytes in the queue
	Last     string `json:"last"`     // the last error, empty after a success
}

// Remote sends the newest rows to a Prometheus-compatible receiver, by version
// 1 of the remote-write protocol (snappy and protobuf).
type Remote struct {
	o   RemoteOptions
	enc encoder

	mu    sync.Mutex
	queue []request
	stats RemoteStats
	more  chan struct{} // a request came in, or nobody looks
	sent  map[miner.ID]time.Time
}

// request is one compressed body.
type request struct {
	body    []byte
	samples int64
}

// NewRemote checks the options. Run sends.
func NewRemote(o RemoteOptions) (*Remote, error) {
	if err := checked(o.Detail, o.Source); err != nil {
		return nil, err
	}
	u, err := url.Parse(o.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("no address to write to: %q: want http://host:port/api/v1/write", o.URL)
	}
	o.Interval = cmp.Or(o.Interval, 15*time.Second)
	o.MaxAge = cmp.Or(o.MaxAge, maxAge)
	o.Batch = cmp.Or(max(o.Batch, 0), 5000)
	o.Queue = cmp.Or(max(o.Queue, 0), 64<<20)
	o.Least, o.Most = cmp.Or(o.Least, 500*time.Millisecond), cmp.Or(o.Most, 30*time.Second)
	o.Client = cmp.Or(o.Client, &http.Client{Timeout: 30 * time.Second})
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return &Remote{o: o, enc: newEncoder(o.Detail, o.Name), more: make(chan struct{}, 1), sent: map[miner.ID]time.Time{}}, nil
}

// Stats is what happened so far.
func (r *Remote) Stats() RemoteStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stats
}

// Run takes rows every Interval and sends them, until ctx ends.
func (r *Remote) Run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { r.send(ctx) })
	defer wg.Wait()
	tick := time.NewTicker(r.o.Interval)
	defer tick.Stop()
	for {
		if err := r.collect(ctx); err != nil && ctx.Err() == nil {
			r.o.Log.Warn("taking rows for remote write", "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// collect queues what is new since the last time.
func (r *Remote) collect(ctx context.Context) error {
	rows, err := r.o.Source.Latest(ctx, telemetry.Filter{})
	if err != nil {
		return err
	}
	r.enc.reset()
	if now := r.o.Clock(); len(rows) > 0 {
		r.enc.fleet(recent(rows, now.Add(-r.o.MaxAge)), now.UnixMilli())
	}
	for i := range rows {
		row := &rows[i]
		if !row.At.After(r.sent[row.Machine]) {
			continue
		}
		r.sent[row.Machine] = row.At
		r.enc.row(row)
		if r.enc.samples >= int64(r.o.Batch) {
			r.push(request{r.enc.compressed(), r.enc.samples})
			r.enc.reset()
		}
	}
	if r.enc.samples > 0 {
		r.push(request{r.enc.compressed(), r.enc.samples})
	}
	return nil
}

// push queues a request, and pushes out the oldest ones that do not fit.
func (r *Remote) push(q request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queue = append(r.queue, q)
	r.stats.Waiting += int64(len(q.body))
	for r.stats.Waiting > r.o.Queue && len(r.queue) > 1 {
		r.stats.Dropped += r.queue[0].samples
		r.stats.Waiting -= int64(len(r.queue[0].body))
		r.queue[0] = request{}
		r.queue = r.queue[1:]
	}
	select {
	case r.more <- struct{}{}:
	default:
	}
}

func (r *Remote) pop() (request, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.queue) == 0 {
		return request{}, false
	}
	q := r.queue[0]
	r.queue[0] = request{}
	r.queue = r.queue[1:]
	r.stats.Waiting -= int64(len(q.body))
	return q, true
}

// send empties the queue, one request after the other: receivers want the
// samples of a series in order.
func (r *Remote) send(ctx context.Context) {
	for {
		q, ok := r.pop()
		if !ok {
			select {
			case <-r.more:
				continue
			case <-ctx.Done():
				return
			}
		}
		r.deliver(ctx, q)
		if ctx.Err() != nil {
			return
		}
	}
}

// deliver tries one request until it is accepted or refused for good. The
// queue behind it overflows meanwhile, which bounds the memory.
func (r *Remote) deliver(ctx context.Context, q request) {
	wait := r.o.Least
	for {
		after, err := r.post(ctx, q.body)
		r.mu.Lock()
		switch {
		case err == nil:
			r.stats.Sent += q.samples
			r.stats.Last = ""
		case errors.Is(err, errRejected):
			r.stats.Rejected += q.samples
			r.stats.Last = err.Error()
		default:
			r.stats.Retries++
			r.stats.Last = err.Error()
		}
		r.mu.Unlock()
		if err == nil || ctx.Err() != nil {
			return
		}
		if errors.Is(err, errRejected) {
			r.o.Log.Warn("remote write was refused", "url", r.o.URL, "samples", q.samples, "error", err)
			return
		}
		r.o.Log.Debug("remote write is tried again", "url", r.o.URL, "error", err, "wait", wait)
		// A random half keeps several senders from coming back at once.
		pause := max(after, wait/2+rand.N(wait/2+1))
		wait = min(2*wait, r.o.Most)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

// errRejected is a refusal that trying again would not change.
var errRejected = errors.New("the receiver refused the samples")

// post sends one request. after is how long the receiver asks to wait.
func (r *Remote) post(ctx context.Context, body []byte) (after time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.o.URL, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Encoding", "snappy")
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
	req.Header.Set("User-Agent", "ballast")
	switch {
	case r.o.Bearer != "":
		req.Header.Set("Authorization", "Bearer "+string(r.o.Bearer))
	case r.o.User != "":
		req.SetBasicAuth(r.o.User, string(r.o.Password))
	}
	resp, err := r.o.Client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 512))
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
	switch {
	case resp.StatusCode/100 == 2:
		return 0, nil
	case resp.StatusCode/100 == 5, resp.StatusCode == http.StatusTooManyRequests:
		return min(retryAfter(resp.Header.Get("Retry-After"), r.o.Clock()), 5*time.Minute), fmt.Errorf("%s: %s", resp.Status, firstLine(text))
	}
	return 0, fmt.Errorf("%w: %s: %s", errRejected, resp.Status, firstLine(text))
}

// retryAfter reads the header of that name: seconds, or a date. What cannot be
// read is no wait.
func retryAfter(s string, now time.Time) time.Duration {
	const most = 24 * 3600
	if n, err := strconv.Atoi(strings.TrimSpace(s)); err == nil {
		return time.Duration(min(max(n, 0), most)) * time.Second
	}
	if t, err := http.ParseTime(s); err == nil {
		return min(max(t.Sub(now), 0), most*time.Second)
	}
	return 0
}

func firstLine(b []byte) string {
	line, _, _ := strings.Cut(strings.ToValidUTF8(string(b), "\uFFFD"), "\n")
	return strings.TrimSpace(line)
}
