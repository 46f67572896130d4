package prom

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klauspost/compress/snappy"
	"google.golang.org/protobuf/encoding/protowire"

	"ballast/miner"
	"ballast/telemetry"
	"ballast/telemetry/telemetrytest"
)

// series is one time series of a decoded request.
type series struct {
	labels [][2]string
	value  float64
	ms     int64
}

func (s series) String() string {
	var parts []string
	for _, l := range s.labels {
		parts = append(parts, l[0]+"="+l[1])
	}
	return strings.Join(parts, ",")
}

// decode reads a request as a receiver does, and refuses what one would.
func decode(body []byte) ([]series, error) {
	raw, err := snappy.Decode(nil, body)
	if err != nil {
		return nil, err
	}
	var out []series
	err = fields(raw, func(n protowire.Number, v []byte, _ uint64) error {
		if n != fieldSeries {
			return fmt.Errorf("field %d of a request", n)
		}
		var s series
		samples := 0
		err := fields(v, func(n protowire.Number, v []byte, _ uint64) error {
			switch n {
			case fieldLabel:
				var l [2]string
				err := fields(v, func(n protowire.Number, v []byte, _ uint64) error {
					if n != fieldName && n != fieldValue {
						return fmt.Errorf("field %d of a label", n)
					}
					l[n-1] = string(v)
					return nil
				})
				if l[0] == "" || l[1] == "" {
					return fmt.Errorf("a label %q", l)
				}
				if k := len(s.labels); k > 0 && s.labels[k-1][0] >= l[0] {
					return fmt.Errorf("label %s after %s", l[0], s.labels[k-1][0])
				}
				s.labels = append(s.labels, l)
				return err
			case fieldSample:
				samples++
				return fields(v, func(n protowire.Number, _ []byte, x uint64) error {
					if n == fieldNumber {
						s.value = math.Float64frombits(x)
					} else {
						s.ms = int64(x)
					}
					return nil
				})
			}
			return fmt.Errorf("field %d of a series", n)
		})
		if err == nil && (samples != 1 || len(s.labels) == 0 || s.labels[0][0] != "__name__") {
			err = fmt.Errorf("%d samples of %v", samples, s)
		}
		out = append(out, s)
		return err
	})
	return out, err
}

func fields(b []byte, do func(protowire.Number, []byte, uint64) error) error {
	for len(b) > 0 {
		num, kind, n := protowire.ConsumeTag(b)
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		var v []byte
		var x uint64
		switch kind {
		case protowire.BytesType:
			v, n = protowire.ConsumeBytes(b)
		case protowire.VarintType:
			x, n = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			x, n = protowire.ConsumeFixed64(b)
		default:
			return fmt.Errorf("wire type %d", kind)
		}
		if n < 0 {
			return protowire.ParseError(n)
		}
		b = b[n:]
		if err := do(num, v, x); err != nil {
			return err
		}
	}
	return nil
}

// receiver answers remote writes by a script.
type receiver struct {
	mu     sync.Mutex
	series []series
	answer func(request int) (status int, headers map[string]string)
	n      int
	t      testing.TB
}

func (rc *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rc.mu.Lock()
	defer rc.mu.Unlock()
	for name, want := range map[string]string{"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf", "X-Prometheus-Remote-Write-Version": "0.1.0"} {
		if r.Header.Get(name) != want {
			rc.t.Errorf("%s is %q", name, r.Header.Get(name))
		}
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		rc.t.Error(err)
	}
	got, err := decode(body)
	if err != nil {
		rc.t.Errorf("decoding a request: %v", err)
	}
	rc.n++
	if rc.answer != nil {
		status, headers := rc.answer(rc.n)
		for k, v := range headers {
			w.Header().Set(k, v)
		}
		if status/100 != 2 {
			http.Error(w, "no\nmore", status)
			return
		}
	}
	rc.series = append(rc.series, got...)
	w.WriteHeader(http.StatusNoContent)
}

// moving is a source whose rows can be replaced.
type moving struct{ rows atomic.Pointer[fleet] }

func (m *moving) Latest(context.Context, telemetry.Filter) ([]telemetry.Row, error) {
	return *m.rows.Load(), nil
}

// run starts a remote writer against a receiver inside a synctest bubble: no
// socket, the receiver's handler is the transport.
func run(t *testing.T, rc *receiver, o RemoteOptions) *Remote {
	t.Helper()
	rc.t = t
	o.URL = "http://receiver.example/api/v1/write"
	o.Client = &http.Client{Transport: transport{rc}}
	began := time.Now()
	o.Clock = func() time.Time { return noon.Add(time.Since(began)) }
	r, err := NewRemote(o)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { r.Run(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
	return r
}

type transport struct{ h http.Handler }

func (tr transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	tr.h.ServeHTTP(w, r)
	return w.Result(), nil
}

func TestRemoteSendsEachRowOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rc := &receiver{}
		src := &moving{}
		rows := someRows()
		src.rows.Store(&rows)
		r := run(t, rc, RemoteOptions{Source: src, Detail: Board, Name: func(id miner.ID) string { return fmt.Sprintf("rack/%d", id) }, User: "u", Password: "p"})
		time.Sleep(40 * time.Second) // three times
		synctest.Wait()
		first := len(rc.series)
		if st := r.Stats(); st.Sent != int64(first) || st.Waiting != 0 || first == 0 {
			t.Fatalf("sent %+v, received %d", st, first)
		}
		i := slices.IndexFunc(rc.series, func(s series) bool {
			return s.String() == "__name__=ballast_board_frequency_hertz,board=2,firmware=vnish,machine=rack/7,model=S21,site=north \"1\"\\\n"
		})
		if i < 0 || rc.series[i].value != 545.5e6 || rc.series[i].ms != noon.Add(-10*time.Second).UnixMilli() {
			t.Errorf("a board's frequency at %d of %v", i, rc.series)
		}
		totals := 0
		for _, s := range rc.series {
			if s.String() == "__name__=ballast_machines,site=south,state=unreachable" && s.value == 1 && s.ms == noon.Add(time.Duration(totals)*15*time.Second).UnixMilli() {
				totals++
			}
		}
		if totals != 3 {
			t.Errorf("the totals came %d times, want 3: %v", totals, rc.series)
		}
		newer := slices.Clone(rows[:1])
		newer[0].At = newer[0].At.Add(10 * time.Second)
		both := fleet{newer[0], rows[1]}
		src.rows.Store(&both)
		time.Sleep(15 * time.Second)
		synctest.Wait()
		if len(rc.series) == first {
			t.Error("nothing was sent")
		}
		for _, s := range rc.series[first:] {
			if slices.ContainsFunc(s.labels, func(l [2]string) bool { return l[0] == "machine" }) && s.ms != newer[0].At.UnixMilli() {
				t.Errorf("sent again: %v", s)
			}
		}
		if !slices.ContainsFunc(rc.series[first:], func(s series) bool { return s.ms == newer[0].At.UnixMilli() }) {
			t.Error("the newer row was not sent")
		}
	})
}

func TestRemoteRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rc := &receiver{answer: func(n int) (int, map[string]string) {
			switch n {
			case 1:
				return 503, nil
			case 2:
				return 429, map[string]string{"Retry-After": "20"}
			}
			return 204, nil
		}}
		began := time.Now()
		r := run(t, rc, RemoteOptions{Source: someRows(), Detail: Machine, Interval: time.Hour})
		time.Sleep(19 * time.Second)
		synctest.Wait()
		if st := r.Stats(); st.Sent != 0 || st.Retries != 2 || !strings.HasPrefix(st.Last, "429") || !strings.HasSuffix(st.Last, ": no") {
			t.Errorf("after 19 s: %+v", st)
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if st := r.Stats(); st.Sent == 0 || st.Last != "" || rc.n != 3 {
			t.Errorf("after %v: %+v, %d requests", time.Since(began), st, rc.n)
		}
	})
}

func TestRemoteGivesUpOnRefusal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rc := &receiver{answer: func(int) (int, map[string]string) { return 400, nil }}
		r := run(t, rc, RemoteOptions{Source: someRows(), Detail: Machine, Interval: time.Hour})
		time.Sleep(time.Minute)
		synctest.Wait()
		if st := r.Stats(); st.Rejected == 0 || st.Retries != 0 || rc.n != 1 {
			t.Errorf("%+v after %d requests", st, rc.n)
		}
	})
}

// TestRemoteDropsOldest: while the receiver is away the queue stays in its
// bounds, and afterwards the newest samples arrive.
func TestRemoteDropsOldest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		away := true
		rc := &receiver{answer: func(int) (int, map[string]string) {
			if away {
				return 500, nil
			}
			return 204, nil
		}}
		src := &moving{}
		gen := telemetrytest.NewFleet(100, 1)
		const queue = 100_000
		rows := fleet(gen.Poll(0, 100, noon))
		src.rows.Store(&rows)
		r := run(t, rc, RemoteOptions{Source: src, Detail: Board, Queue: queue, Batch: 1000, Most: time.Second})
		var last time.Time
		for i := range 20 {
			last = noon.Add(time.Duration(i+1) * 15 * time.Second)
			rows := fleet(gen.Poll(0, 100, last))
			src.rows.Store(&rows)
			time.Sleep(15 * time.Second)
			synctest.Wait()
			if st := r.Stats(); st.Waiting > queue {
				t.Fatalf("%d bytes wait, more than %d", st.Waiting, queue)
			}
		}
		if st := r.Stats(); st.Dropped == 0 || st.Sent != 0 {
			t.Fatalf("%+v", st)
		}
		rc.mu.Lock()
		away = false
		rc.mu.Unlock()
		time.Sleep(10 * time.Second)
		synctest.Wait()
		st := r.Stats()
		if st.Waiting != 0 || st.Sent == 0 || st.Sent != int64(len(rc.series)) {
			t.Errorf("%+v, received %d", st, len(rc.series))
		}
		newest := slices.MaxFunc(rc.series, func(a, b series) int { return int(a.ms - b.ms) })
		if newest.ms < last.UnixMilli() {
			t.Errorf("the newest sample that arrived is of %v, want %v", time.UnixMilli(newest.ms).UTC(), last)
		}
	})
}

func TestRemoteOptions(t *testing.T) {
	for name, o := range map[string]RemoteOptions{
		"no address": {Source: someRows(), Detail: Board}, "no scheme": {URL: "prometheus:9090", Source: someRows(), Detail: Board},
		"no detail": {URL: "http://x/", Source: someRows()}, "no source": {URL: "http://x/", Detail: Board},
	} {
		if _, err := NewRemote(o); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"5", "-1", "999999999999999999", "Mon, 23 Nov 2026 12:00:30 GMT", "soon", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if d := retryAfter(s, noon); d < 0 || d > 24*time.Hour {
			t.Errorf("%q is a wait of %v", s, d)
		}
	})
}

// FuzzDecode checks the receiver that the tests trust.
func FuzzDecode(f *testing.F) {
	e := newEncoder(Board, nil)
	rows := someRows()
	e.row(&rows[0])
	f.Add(e.compressed())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<16 {
			return
		}
		if n, err := snappy.DecodedLen(b); err != nil || n > 1<<20 {
			return
		}
		_, _ = decode(b)
	})
}

// TestPrometheus writes to a real Prometheus and asks it for what it got.
func TestPrometheus(t *testing.T) {
	server := prometheus(t, "prometheus")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := exec.CommandContext(ctx, server, "--config.file=/dev/null", "--web.enable-remote-write-receiver", "--web.listen-address="+addr, "--storage.tsdb.path="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { cancel(); _ = cmd.Wait() }()
	now := time.Now().Truncate(time.Millisecond)
	const machines = 50
	rows := fleet(telemetrytest.NewFleet(machines, 1).Poll(0, machines, now))
	// The totals are of now, the machines' rows of their poll.
	r, err := NewRemote(RemoteOptions{URL: "http://" + addr + "/api/v1/write", Source: rows, Detail: Board, Least: 100 * time.Millisecond, Most: 300 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	go r.Run(ctx)
	deadline := time.Now().Add(20 * time.Second)
	for st := r.Stats(); st.Sent == 0 || st.Waiting > 0; st = r.Stats() {
		if time.Now().After(deadline) || st.Rejected > 0 {
			t.Fatalf("%+v", st)
		}
		time.Sleep(50 * time.Millisecond)
	}
	type answer struct {
		Status, Error string
		Data          struct {
			Result []struct{ Value [2]any }
		}
	}
	ask := func(expr string) (a answer) {
		q := url.Values{"query": {expr}, "time": {fmt.Sprint(now.Add(time.Second).Unix())}}
		resp, err := http.Get("http://" + addr + "/api/v1/query?" + q.Encode())
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if err := json.NewDecoder(resp.Body).Decode(&a); err != nil {
			t.Fatal(err)
		}
		return a
	}
	want := 0.0
	for _, row := range rows {
		for _, b := range row.Boards {
			want += b.Get(telemetry.BoardHashrate).Or(0)
		}
	}
	a := ask(`sum(ballast_board_hashrate_hashes_per_second)/1e12`)
	if len(a.Data.Result) != 1 {
		t.Fatalf("%+v", a)
	}
	var got float64
	if _, err := fmt.Sscan(fmt.Sprint(a.Data.Result[0].Value[1]), &got); err != nil || math.Abs(got-want) > 1e-6*want {
		t.Errorf("Prometheus sums %v TH/s, want %v (%v)", got, want, err)
	}
	for _, expr := range dashboardQueries(t) {
		if a := ask(expr); a.Status != "success" {
			t.Errorf("the dashboard's %s: %s", expr, a.Error)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	rows := telemetrytest.NewFleet(1000, 1).Poll(0, 1000, noon)
	e := newEncoder(Board, nil)
	bytes, samples := 0, int64(0)
	for b.Loop() {
		e.reset()
		for i := range rows {
			e.row(&rows[i])
		}
		bytes, samples = len(e.compressed()), e.samples
	}
	b.ReportMetric(float64(samples), "samples")
	b.ReportMetric(float64(bytes)/float64(samples), "B/sample")
}
