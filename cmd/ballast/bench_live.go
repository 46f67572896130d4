package main

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// benchLive opens many live streams at once, as browsers do, and measures what
// that costs the server and how late the last of them is. Some stop reading.
type benchLive struct {
	Machines int           `default:"10000" help:"How many."`
	Interval time.Duration `default:"10s" help:"Of polling."`
	Clients  int           `default:"200" help:"Streams at once."`
	Stop     int           `default:"10" help:"Of them, those that stop reading for a while."`
	Stall    time.Duration `default:"30s" help:"How long those do not read."`
	For      time.Duration `default:"60s" help:"How long to measure."`
	Plain    bool          `help:"Streams without compression."`
	Network  string        `default:"127.26.0.0/16" env:"BALLAST_SIM_NETWORK" placeholder:"CIDR" help:"Addresses of the simulated machines."`
	Seed     uint64        `default:"1" help:"Of the site."`
}

// liveFigures is what a run of bench live measured.
type liveFigures struct {
	Machine    string  `json:"machine"`
	Cores      int     `json:"cores"`
	Simulated  int     `json:"simulated_machines"`
	Interval   string  `json:"interval"`
	Clients    int     `json:"clients"`
	Measured   string  `json:"measured"`
	CPUBefore  float64 `json:"server_cores_without_clients"`
	CPU        float64 `json:"server_cores_with_clients"`
	CPUEach    float64 `json:"server_cores_per_session"` // (with - without) / clients
	Events     float64 `json:"events_per_second"`
	Bytes      float64 `json:"wire_bytes_per_second_and_client"`
	Plain      float64 `json:"plain_bytes_per_second_and_client"`
	LagP50     string  `json:"lag_p50"`
	LagWorst   string  `json:"lag_of_worst_client"`
	FewestBeat int     `json:"beats_of_worst_client"`
	Silence    string  `json:"longest_silence_of_any_client"` // between two beats, of those that read
	Starved    int     `json:"starved"`                       // of those that read, by more than starving
	RSSBefore  int64   `json:"server_rss_without_clients"`
	RSS        int64   `json:"server_peak_rss_with_clients"`
	RSSFirst   int64   `json:"server_peak_rss_first_half"`
	RSSSecond  int64   `json:"server_peak_rss_second_half"`
	RSSEach    int64   `json:"server_rss_per_session"` // (peak - without) / clients
	Stopped    int     `json:"stopped_reading"`
	CutOff     int     `json:"cut_off"`
	Recovered  int     `json:"came_back_with_what_they_missed"`
	Missed     int64   `json:"rows_that_they_had_missed"`
	Afresh     int     `json:"had_to_begin_afresh"`
	Broken     int64   `json:"streams_that_broke_otherwise"`

	NoneStarved bool `json:"no_client_starved"`
	Bounded     bool `json:"memory_bounded"`                // no more in the second half than in the first, within slack
	SlowCutBack bool `json:"slow_clients_cut_off_and_back"` // each, with what it had missed
}

// A listener that reads and hears no beat for starving has starved: the server
// makes one a second. Memory that does not grow may still differ by memorySlack
// between two halves of a run: collections and the history's files see to that.
const (
	starving    = 5 * time.Second
	memorySlack = 64 << 20
)

func (c *benchLive) Run(ctx context.Context, common *common, s *streams) error {
	b, err := openBench(ctx, s.err, c.Machines, c.Interval, []string{"--seed", strconv.FormatUint(c.Seed, 10), "--network", c.Network})
	if err != nil {
		return err
	}
	defer b.close()
	now, cl := b.site, b.client
	pid := b.pid()
	f := liveFigures{Machine: machineName(), Cores: runtime.NumCPU(), Simulated: now.Machines, Interval: c.Interval.String(), Clients: c.Clients, Stopped: min(c.Stop, c.Clients)}
	fmt.Fprintf(s.err, "%d machines known; the server without listeners first\n", now.Machines)
	if !pause(ctx, max(15*time.Second, 2*c.Interval)) {
		return ctx.Err()
	}
	cpu, at := cpuTime(pid), time.Now()
	if !pause(ctx, min(c.For, 30*time.Second)) {
		return ctx.Err()
	}
	f.CPUBefore, f.RSSBefore = float64(cpuTime(pid)-cpu)/float64(time.Since(at)), residentBytes(pid)

	fmt.Fprintf(s.err, "%d listeners for %v; %d of them stop reading\n", c.Clients, c.For, f.Stopped)
	listening, leave := context.WithCancel(ctx)
	defer leave()
	clients := make([]*liveClient, c.Clients)
	var wg sync.WaitGroup
	for i := range clients {
		clients[i] = &liveClient{door: cl.door, plain: c.Plain, stall: c.Stall}
		if i < f.Stopped {
			clients[i].stopAt = time.Now().Add(10 * time.Second)
		}
		wg.Go(func() { clients[i].listen(listening) })
	}
	if !pause(ctx, 8*time.Second) { // all have everything, once
		return ctx.Err()
	}
	for _, k := range clients {
		k.reset()
	}
	cpu, at = cpuTime(pid), time.Now()
	for end := at.Add(c.For); time.Now().Before(end); {
		half := &f.RSSFirst
		if time.Since(at) > c.For/2 {
			half = &f.RSSSecond
		}
		*half = max(*half, residentBytes(pid))
		if !pause(ctx, time.Second) {
			return ctx.Err()
		}
	}
	took := time.Since(at)
	f.CPU = float64(cpuTime(pid)-cpu) / float64(took)
	f.Measured = took.Round(time.Second).String()
	f.add(clients, took)
	f.judge()
	leave()
	wg.Wait()
	if common.JSON {
		return s.json(f)
	}
	f.print(s.out)
	return nil
}

func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// judge says what the figures mean.
func (f *liveFigures) judge() {
	f.RSS = max(f.RSSFirst, f.RSSSecond)
	if f.Clients > 0 {
		f.CPUEach, f.RSSEach = (f.CPU-f.CPUBefore)/float64(f.Clients), (f.RSS-f.RSSBefore)/int64(f.Clients)
	}
	f.NoneStarved = f.Starved == 0 && f.FewestBeat > 0
	f.Bounded = f.RSSSecond <= f.RSSFirst+memorySlack
	f.SlowCutBack = f.Stopped > 0 && f.CutOff == f.Stopped && f.Recovered == f.Stopped
}

func (f *liveFigures) add(clients []*liveClient, took time.Duration) {
	var lags []time.Duration
	f.FewestBeat = -1
	longest := time.Duration(0)
	events, wire, plain, read := int64(0), int64(0), int64(0), 0
	for _, c := range clients {
		c.mu.Lock()
		f.Broken += c.broken
		if c.stopAt.IsZero() {
			read++
			lags = append(lags, c.lags...)
			silence := max(c.silence, time.Since(c.beat))
			longest = max(longest, silence)
			if silence > starving {
				f.Starved++
			}
			events, plain = events+c.events, plain+c.bytes
			wire += c.wire.Load()
			if f.FewestBeat < 0 || len(c.lags) < f.FewestBeat {
				f.FewestBeat = len(c.lags)
			}
		} else {
			if c.cut {
				f.CutOff++
			}
			if c.back {
				f.Recovered++
			}
			if c.afresh {
				f.Afresh++
			}
			f.Missed += c.missed
		}
		c.mu.Unlock()
	}
	if len(lags) > 0 {
		slices.Sort(lags)
		f.LagP50, f.LagWorst = lags[len(lags)/2].Round(time.Millisecond).String(), lags[len(lags)-1].Round(time.Millisecond).String()
	}
	f.Silence = longest.Round(time.Millisecond).String()
	f.Events = float64(events) / took.Seconds()
	if read > 0 {
		f.Bytes, f.Plain = float64(wire)/took.Seconds()/float64(read), float64(plain)/took.Seconds()/float64(read)
	}
}

func (f *liveFigures) print(w io.Writer) {
	fmt.Fprintf(w, "%s, %d cores; %d simulated machines polled each %s; %d live streams for %s\n\n", f.Machine, f.Cores, f.Simulated, f.Interval, f.Clients, f.Measured)
	fmt.Fprintf(w, "server            %.2f cores without listeners, %.2f with: %.3f %% of a core for each session\n", f.CPUBefore, f.CPU, 100*f.CPUEach)
	fmt.Fprintf(w, "memory            %.0f MB without listeners, at most %.0f MB in the first half and %.0f MB in the second; %.2f MB a session; bounded: %v\n", float64(f.RSSBefore)/1e6, float64(f.RSSFirst)/1e6, float64(f.RSSSecond)/1e6, float64(f.RSSEach)/1e6, f.Bounded)
	fmt.Fprintf(w, "events            %.0f a second in all; %.1f kB/s on the wire for each client (%.1f kB/s before compression)\n", f.Events, f.Bytes/1e3, f.Plain/1e3)
	fmt.Fprintf(w, "lag               %s at the median, %s for the worst client; fewest beats %d; longest silence %s, starved %d\n", f.LagP50, f.LagWorst, f.FewestBeat, f.Silence, f.Starved)
	fmt.Fprintf(w, "stopped reading   %d; cut off %d; back with what they missed %d (%d rows), afresh %d\n", f.Stopped, f.CutOff, f.Recovered, f.Missed, f.Afresh)
	fmt.Fprintf(w, "broke otherwise   %d\n", f.Broken)
}

// liveClient is one listener, as a browser is one.
type liveClient struct {
	door   door
	plain  bool
	stopAt time.Time // stops reading then, for as long as stall says; zero reads on
	stall  time.Duration

	wire atomic.Int64 // bytes off the network

	mu     sync.Mutex
	last   string
	events int64
	bytes  int64
	lags   []time.Duration // of each beat: from when the server wrote its time into it

	beat    time.Time     // the last
	silence time.Duration // the longest between two

	cut    bool // the server hung up while we did not read
	back   bool // came back, and the first rows were those that it lacked
	afresh bool // came back, and was told everything
	missed int64
	broken int64
}

func (c *liveClient) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events, c.bytes, c.lags = 0, 0, nil
	c.beat, c.silence = time.Now(), 0
	c.wire.Store(0)
}

func (c *liveClient) listen(ctx context.Context) {
	for ctx.Err() == nil {
		err := c.stream(ctx)
		c.mu.Lock()
		switch {
		case ctx.Err() != nil:
		case !c.stopAt.IsZero() && time.Now().After(c.stopAt.Add(c.stall)) && !c.cut:
			c.cut = true
		default:
			c.broken++
			_ = err
		}
		c.mu.Unlock()
		pause(ctx, 500*time.Millisecond)
	}
}

// counted counts what comes off the network.
type counted struct {
	net.Conn
	n *atomic.Int64
}

func (c counted) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.n.Add(int64(n))
	return n, err
}

var errCut = errors.New("the stream ended")

func (c *liveClient) stream(ctx context.Context) error {
	transport := &http.Transport{DisableCompression: true, DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		if !c.stopAt.IsZero() {
			_ = conn.(*net.TCPConn).SetReadBuffer(16 << 10)
		}
		return counted{conn, &c.wire}, nil
	}}
	defer transport.CloseIdleConnections()
	c.mu.Lock()
	last, cut := c.last, c.cut
	c.mu.Unlock()
	u, err := url.JoinPath(c.door.URL, "/api/v1/live")
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.door.Key)
	if !c.plain {
		req.Header.Set("Accept-Encoding", "gzip")
	}
	if last != "" {
		req.Header.Set("Last-Event-ID", last)
	}
	res, err := transport.RoundTrip(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("the stream answers %s", res.Status)
	}
	var body io.Reader = res.Body
	if res.Header.Get("Content-Encoding") == "gzip" {
		if body, err = gzip.NewReader(res.Body); err != nil {
			return err
		}
	}
	in := bufio.NewReaderSize(body, 64<<10)
	first := cut && !c.back
	var name, id string
	for {
		if !c.stopAt.IsZero() && !cut && time.Now().After(c.stopAt) && time.Now().Before(c.stopAt.Add(c.stall)) {
			pause(ctx, c.stall)
		}
		line, err := in.ReadString('\n')
		if err != nil {
			return errors.Join(errCut, err)
		}
		c.mu.Lock()
		c.bytes += int64(len(line))
		field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		switch {
		case field == "event":
			name = value
		case field == "id":
			id = value
		case field == "data" && name == "site":
			if at, ok := nowOf(value); ok {
				now := time.Now()
				c.lags = append(c.lags, now.Sub(at))
				if !c.beat.IsZero() {
					c.silence = max(c.silence, now.Sub(c.beat))
				}
				c.beat = now
			}
		case field == "data" && name == "machines" && first:
			first = false
			c.afresh = strings.HasPrefix(value, `{"all":true`)
			c.back = !c.afresh
			c.missed = int64(strings.Count(value, `"id":`))
		case line == "\n":
			if id != "" {
				c.last = id
			}
			if name != "" {
				c.events++
			}
			name, id = "", ""
		}
		c.mu.Unlock()
	}
}

// nowOf is the server's time in a site event, found without reading all of it.
func nowOf(data string) (time.Time, bool) {
	_, rest, ok := strings.Cut(data, `"now":"`)
	if !ok {
		return time.Time{}, false
	}
	text, _, _ := strings.Cut(rest, `"`)
	at, err := time.Parse(time.RFC3339Nano, text)
	return at, err == nil
}
