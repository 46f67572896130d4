package prom

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"ballast/miner"
	"ballast/telemetry"
	"ballast/telemetry/telemetrytest"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// fleet is a source of rows that stand still.
type fleet []telemetry.Row

func (f fleet) Latest(context.Context, telemetry.Filter) ([]telemetry.Row, error) { return f, nil }

func handler(t testing.TB, o Options) http.Handler {
	t.Helper()
	o.Clock = func() time.Time { return noon }
	h, err := Handler(o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func scrape(t testing.TB, h http.Handler, target string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// parsed is an exposition after a strict reading: samples by name and labels.
type parsed struct {
	samples map[string]float64
	types   map[string]string
	help    map[string]string
	units   map[string]string
}

var sampleLine = regexp.MustCompile(`^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)$`)

// parse reads an exposition by the rules: metadata before samples, families
// in one piece, no series twice, counters _total, units as suffix, # EOF last.
func parse(t testing.TB, text string, open bool) parsed {
	t.Helper()
	p := parsed{map[string]float64{}, map[string]string{}, map[string]string{}, map[string]string{}}
	if !strings.HasSuffix(text, "\n") {
		t.Fatal("the last line has no end")
	}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if open {
		if lines[len(lines)-1] != "# EOF" {
			t.Fatalf("the last line is %q, want # EOF", lines[len(lines)-1])
		}
		lines = lines[:len(lines)-1]
	}
	family := ""
	for _, line := range lines {
		if rest, ok := strings.CutPrefix(line, "# "); ok {
			what, rest, _ := strings.Cut(rest, " ")
			name, rest, _ := strings.Cut(rest, " ")
			switch what {
			case "TYPE":
				if p.types[name] != "" {
					t.Fatalf("family %s is there twice", name)
				}
				family, p.types[name] = name, rest
				if !open && rest != "gauge" && rest != "counter" {
					t.Fatalf("type %s in the classic format", rest)
				}
			case "UNIT":
				p.units[name] = rest
				if !strings.HasSuffix(name, "_"+rest) {
					t.Fatalf("family %s has unit %s", name, rest)
				}
			case "HELP":
				p.help[name] = rest
			default:
				t.Fatalf("a line %q", line)
			}
			if name != family {
				t.Fatalf("%q within family %s", line, family)
			}
			continue
		}
		m := sampleLine.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("not a sample: %q", line)
		}
		name := m[1]
		want := family
		if open {
			want += map[string]string{"counter": "_total", "info": "_info"}[p.types[family]]
		}
		if name != want {
			t.Fatalf("sample %s within family %s (%s)", name, family, p.types[family])
		}
		v, err := strconv.ParseFloat(m[3], 64)
		if err != nil {
			t.Fatalf("value of %q: %v", line, err)
		}
		key := name + "{" + m[2] + "}"
		if _, ok := p.samples[key]; ok {
			t.Fatalf("series %s is there twice", key)
		}
		p.samples[key] = v
	}
	return p
}

func someRows() fleet {
	r := telemetry.Row{Machine: 7, At: noon.Add(-10 * time.Second), Outcome: telemetry.OK, State: miner.Hashing,
		Tags: telemetry.Tags{Site: "north \"1\"\\\n", Group: "a", Model: "S21", Firmware: miner.VNish, Version: "1.2"}}
	r.Set(telemetry.Up, 1)
	r.Set(telemetry.Hashrate, 110.2)
	r.Set(telemetry.Power, 3250)
	r.Set(telemetry.TempChip, 71.5)
	r.Set(telemetry.Accepted, 12345)
	r.Set(telemetry.Fan2, 5400)
	r.Set(telemetry.Chips, 100)
	r.Set(telemetry.ChipsExpected, 108)
	b := telemetry.BoardRow{Index: 2, Serial: "B2"}
	b.Set(telemetry.BoardFrequency, 545.5)
	b.Set(telemetry.BoardHashrate, 36.71)
	r.Boards = append(r.Boards, b)
	silent := telemetry.FromReading(telemetry.Poll{Machine: 8, Tags: telemetry.Tags{Site: "south", Model: "S21"}, At: noon.Add(-time.Minute), Err: miner.ErrUnreachable}, nil)
	gone := r
	gone.Machine, gone.At = 9, noon.Add(-time.Hour)
	return fleet{r, silent, gone}
}

func TestPage(t *testing.T) {
	const openMetrics = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
	h := handler(t, Options{Source: someRows(), Detail: Board, Extra: func(_ context.Context, w *Writer) {
		w.Family("ballast_store_bytes", Gauge, "bytes", "On disk.")
		w.Sample(0.5)
	}})
	for _, accept := range []string{"", openMetrics} {
		open := accept != ""
		w := scrape(t, h, "/metrics", "Accept", accept)
		if got := w.Header().Get("Content-Type"); strings.HasPrefix(got, "application/openmetrics-text") != open {
			t.Errorf("accepting %q: %s", accept, got)
		}
		p := parse(t, w.Body.String(), open)
		labels := `machine="7",site="north \"1\"\\\n",model="S21",firmware="vnish"`
		for key, want := range map[string]float64{
			`ballast_machine_hashrate_hashes_per_second{` + labels + `}`:             110_200_000_000_000,
			`ballast_machine_temperature_chip_celsius{` + labels + `}`:               71.5,
			`ballast_machine_shares_accepted_total{` + labels + `}`:                  12345,
			`ballast_machine_fan_speed_rpm{` + labels + `,fan="2"}`:                  5400,
			`ballast_machine_info{` + labels + `,group="a",version="1.2"}`:           1,
			`ballast_machine_up{machine="8",site="south",model="S21",firmware=""}`:   0,
			`ballast_board_frequency_hertz{` + labels + `,board="2"}`:                545_500_000,
			`ballast_board_info{` + labels + `,board="2",serial="B2"}`:               1,
			`ballast_machines{site="south",state="unreachable"}`:                     1,
			`ballast_machines{site="north \"1\"\\\n",state="hashing"}`:               1,
			`ballast_hashrate_hashes_per_second{site="north \"1\"\\\n",model="S21"}`: 110_200_000_000_000,
			`ballast_chips_missing{site="north \"1\"\\\n",model="S21"}`:              8,
			`ballast_store_bytes{}`: 0.5,
		} {
			if got, ok := p.samples[key]; !ok || got != want {
				t.Errorf("%s is %v, %v; want %v", key, got, ok, want)
			}
		}
		for key := range p.samples {
			if strings.Contains(key, `machine="9"`) {
				t.Errorf("a machine that was silent for an hour is there: %s", key)
			}
			if strings.Contains(key, `machine="8"`) && strings.Contains(key, "hashrate") {
				t.Errorf("a machine that did not answer has a hashrate: %s", key)
			}
			if _, ok := p.samples[`ballast_hashrate_hashes_per_second{site="south",model="S21"}`]; ok {
				t.Error("a site without a hashrate has one of 0")
			}
		}
		if open && p.units["ballast_machine_power_watts"] != "watts" || open && p.types["ballast_machine_shares_accepted"] != "counter" || open && p.types["ballast_machine"] != "info" {
			t.Errorf("types %v, units %v", p.types, p.units)
		}
	}
	for target, has := range map[string][2]bool{"/metrics": {true, true}, "/metrics?detail=machine": {true, false}, "/metrics?detail=fleet": {false, false}} {
		body := scrape(t, h, target).Body.String()
		if got := [2]bool{strings.Contains(body, "ballast_machine_up"), strings.Contains(body, "ballast_board_")}; got != has {
			t.Errorf("%s has machines, boards: %v, want %v", target, got, has)
		}
	}
}

func TestPageRefuses(t *testing.T) {
	h := handler(t, Options{Source: someRows(), Detail: Fleet})
	for target, want := range map[string]int{"/metrics?detail=machine": 400, "/metrics?detail=chip": 400, "/metrics?detail=fleet": 200} {
		if got := scrape(t, h, target).Code; got != want {
			t.Errorf("%s: %d, want %d", target, got, want)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/metrics", nil))
	if w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
	w = httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodHead, "/metrics", nil))
	if w.Code != 200 || w.Body.Len() != 0 {
		t.Errorf("HEAD: %d, %d bytes", w.Code, w.Body.Len())
	}
	if _, err := Handler(Options{Detail: "chip", Source: someRows()}); err == nil {
		t.Error("a detail that does not exist is taken")
	}
	if _, err := Handler(Options{Detail: Board}); err == nil {
		t.Error("no source is taken")
	}
	if w := scrape(t, handler(t, Options{Source: failing{}, Detail: Board}), "/metrics"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("a source that fails: %d", w.Code)
	}
}

type failing struct{}

func (failing) Latest(context.Context, telemetry.Filter) ([]telemetry.Row, error) {
	return nil, errors.New("closed")
}

func TestGzip(t *testing.T) {
	h := handler(t, Options{Source: fleet(telemetrytest.NewFleet(50, 1).Poll(0, 50, noon)), Detail: Board})
	plain := scrape(t, h, "/metrics").Body.String()
	w := scrape(t, h, "/metrics", "Accept-Encoding", "deflate, gzip;q=0.8")
	if w.Header().Get("Content-Encoding") != "gzip" {
		t.Fatal("not compressed")
	}
	z, err := gzip.NewReader(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil || string(text) != plain {
		t.Errorf("the compressed page differs: %v", err)
	}
	parse(t, plain, false)
	if scrape(t, h, "/metrics", "Accept-Encoding", "gzip;q=0").Header().Get("Content-Encoding") != "" {
		t.Error("compressed against the reader's wish")
	}
}

// prometheus finds a program of the Debian package, or skips the test.
func prometheus(t *testing.T, program string) string {
	t.Helper()
	if dir := os.Getenv("BALLAST_PROMETHEUS"); dir != "" {
		return dir + "/" + program
	}
	path, err := exec.LookPath(program)
	if err != nil {
		t.Skipf("%s is not installed", program)
	}
	return path
}

// TestPromtool has Prometheus's own linter read the page.
func TestPromtool(t *testing.T) {
	tool := prometheus(t, "promtool")
	h := handler(t, Options{Source: fleet(telemetrytest.NewFleet(6, 1).Poll(0, 6, noon)), Detail: Board})
	cmd := exec.CommandContext(t.Context(), tool, "check", "metrics")
	cmd.Stdin = bytes.NewReader(scrape(t, h, "/metrics").Body.Bytes())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func FuzzNegotiate(f *testing.F) {
	f.Add("application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3", "gzip, br;q=0.5")
	f.Add("application/openmetrics-text; version=1.0.0; q=0", "gzip;q=0")
	f.Add("text/plain;q=NaN,application/openmetrics-text;q=1e400", ";;gzip;q=,")
	f.Fuzz(func(t *testing.T, accept, encoding string) {
		if wantsOpenMetrics(accept) && !strings.Contains(strings.ToLower(accept), "openmetrics") {
			t.Errorf("%q wants OpenMetrics", accept)
		}
		if wantsGzip(encoding) && !strings.Contains(strings.ToLower(encoding), "gzip") {
			t.Errorf("%q wants gzip", encoding)
		}
	})
}

// FuzzLabels: whatever a machine tells, the page stays well formed.
func FuzzLabels(f *testing.F) {
	f.Add("Antminer S19", "1.0", "HB1")
	f.Add("a\"b\\c\nd", "\xff\xfe", "\r\n\x00 # EOF")
	f.Fuzz(func(t *testing.T, model, version, serial string) {
		r := telemetry.Row{Machine: 1, At: noon, Outcome: telemetry.OK, Tags: telemetry.Tags{Model: model, Version: version}}
		r.Set(telemetry.Hashrate, 1)
		r.Boards = []telemetry.BoardRow{{Serial: serial}}
		h := handler(t, Options{Source: fleet{r}, Detail: Board})
		parse(t, scrape(t, h, "/metrics").Body.String(), false)
		parse(t, scrape(t, h, "/metrics", "Accept", "application/openmetrics-text").Body.String(), true)
		e := newEncoder(Board, nil)
		e.row(&r)
		if _, err := decode(e.compressed()); err != nil {
			t.Error(err)
		}
	})
}

// BenchmarkPage writes the page of 10,000 machines to a reader that counts.
func BenchmarkPage(b *testing.B) {
	rows := fleet(telemetrytest.NewFleet(10_000, 1).Poll(0, 10_000, noon))
	for _, d := range []Detail{Fleet, Machine, Board} {
		for _, encoding := range []string{"", "gzip"} {
			b.Run(fmt.Sprintf("%s/%s", d, encoding), func(b *testing.B) {
				h := handler(b, Options{Source: rows, Detail: d})
				r := httptest.NewRequest(http.MethodGet, "/metrics", nil)
				r.Header.Set("Accept-Encoding", encoding)
				b.ReportAllocs()
				var w discard
				for b.Loop() {
					w = discard{h: http.Header{}}
					h.ServeHTTP(&w, r)
				}
				b.ReportMetric(float64(w.n)/1e6, "MB")
				b.ReportMetric(float64(w.lines), "lines")
			})
		}
	}
}

type discard struct {
	h     http.Header
	n     int
	lines int
}

func (d *discard) Header() http.Header { return d.h }
func (d *discard) WriteHeader(int)     {}
func (d *discard) Write(b []byte) (int, error) {
	d.n += len(b)
	d.lines += bytes.Count(b, []byte{'\n'})
	return len(b), nil
}
