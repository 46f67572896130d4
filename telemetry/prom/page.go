package prom

import (
	"context"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"

	"ballast/miner"
	"ballast/telemetry"
)

// Options are those of the /metrics page.
type Options struct {
	Source Source
	Detail Detail // the finest that is served; ?detail=fleet asks for less
	// Name names machines; nil writes their numbers.
	Name func(miner.ID) string
	// MaxAge leaves out machines whose newest row is older; 0 is five minutes,
	// after which Prometheus forgets a series too.
	MaxAge time.Duration
	// Clock is nil for the wall clock.
	Clock func() time.Time
	// Extra writes families of the caller's, such as those of the store and the
	// poller. It must not write a name twice.
	Extra func(ctx context.Context, w *Writer)
}

// maxAge is after how long a series is stale to Prometheus too.
const maxAge = 5 * time.Minute

// Handler serves the page, as OpenMetrics to those who ask for it, compressed
// to those who accept gzip.
func Handler(o Options) (http.Handler, error) {
	if err := checked(o.Detail, o.Source); err != nil {
		return nil, err
	}
	if o.MaxAge == 0 {
		o.MaxAge = maxAge
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { o.serve(w, r) }), nil
}

func (o Options) serve(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET", http.StatusMethodNotAllowed)
		return
	}
	detail := o.Detail
	if q := Detail(r.URL.Query().Get("detail")); q != "" {
		if !q.Valid() || rank(q) > rank(o.Detail) {
			http.Error(w, "detail must be one of fleet, machine, board, and no finer than configured ("+string(o.Detail)+")", http.StatusBadRequest)
			return
		}
		detail = q
	}
	rows, err := o.Source.Latest(r.Context(), telemetry.Filter{})
	if err != nil {
		http.Error(w, "reading the newest rows: "+err.Error(), http.StatusServiceUnavailable)
		return
	}
	open := wantsOpenMetrics(r.Header.Get("Accept"))
	h := w.Header()
	h.Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	if open {
		h.Set("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8")
	}
	h.Set("Vary", "Accept, Accept-Encoding")
	var out io.Writer = w
	if wantsGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		if r.Method == http.MethodGet {
			// The fastest level: a page compresses twentyfold with it.
			z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed)
			defer func() { _ = z.Close() }() // as below
			out = z
		}
	}
	if r.Method == http.MethodHead {
		return
	}
	page := NewWriter(out, open)
	o.write(r.Context(), page, rows, detail)
	// A failed write means that the reader went away: there is nobody to tell.
	_ = page.Close()
}

func rank(d Detail) int { return map[Detail]int{Fleet: 1, Machine: 2, Board: 3}[d] }

// Writer writes an exposition, one family after the other.
type Writer struct {
	out    io.Writer
	err    error
	buf    []byte
	open   bool
	name   string // of the family's samples
	labels []byte // reused
}

// chunk is how much is written at once. A page of a million lines is appended
// to one buffer of this size again and again.
const chunk = 64 << 10

// NewWriter writes to w, in OpenMetrics when open is set, else in the classic
// text format.
func NewWriter(w io.Writer, open bool) *Writer {
	return &Writer{out: w, buf: make([]byte, 0, chunk+4096), open: open}
}

// Type is a family's type.
type Type string

// The types that Ballast writes.
const (
	Gauge   Type = "gauge"
	Counter Type = "counter" // its name ends in _total
	Info    Type = "info"    // its name ends in _info, its value is 1
)

// Family begins a family. unit is the suffix of the name that is its unit, or
// empty. All samples up to the next family are its.
func (w *Writer) Family(name string, t Type, unit, help string) {
	w.name = name
	family := name
	if w.open {
		family = strings.TrimSuffix(family, "_total")
		if t == Info {
			family = strings.TrimSuffix(family, "_info")
		}
	} else if t == Info {
		t = Gauge
	}
	w.line("# TYPE ", family, string(t))
	if w.open && unit != "" && strings.HasSuffix(family, "_"+unit) {
		w.line("# UNIT ", family, unit)
	}
	w.line("# HELP ", family, escapeHelp(help, w.open))
}

func (w *Writer) line(what, family, rest string) {
	w.buf = append(append(append(append(append(w.buf, what...), family...), ' '), rest...), '\n')
	w.flush(chunk)
}

// Sample writes one sample with labels as pairs of name and value.
func (w *Writer) Sample(v float64, labels ...string) {
	w.labels = appendLabels(w.labels[:0], labels...)
	w.sample(w.labels, nil, v)
}

// sample writes one sample whose labels are spelled out already, in two parts.
func (w *Writer) sample(labels, more []byte, v float64) {
	b := append(w.buf, w.name...)
	if len(labels)+len(more) > 0 {
		b = append(b, '{')
		b = append(b, labels...)
		if len(labels) > 0 && len(more) > 0 {
			b = append(b, ',')
		}
		b = append(b, more...)
		b = append(b, '}')
	}
	b = append(b, ' ')
	b = appendNumber(b, v)
	w.buf = append(b, '\n')
	w.flush(chunk)
}

// flush writes what has gathered when it is more than atLeast. After a failure
// the rest goes nowhere.
func (w *Writer) flush(atLeast int) {
	if len(w.buf) < atLeast {
		return
	}
	if w.err == nil {
		_, w.err = w.out.Write(w.buf)
	}
	w.buf = w.buf[:0]
}

// Close ends the exposition and tells whether writing it failed.
func (w *Writer) Close() error {
	if w.open {
		w.buf = append(w.buf, "# EOF\n"...)
	}
	w.flush(0)
	return w.err
}

func appendNumber(b []byte, v float64) []byte {
	if v == math.Trunc(v) && math.Abs(v) < 1<<53 {
		return strconv.AppendInt(b, int64(v), 10)
	}
	switch {
	case math.IsInf(v, 1):
		return append(b, "+Inf"...)
	case math.IsInf(v, -1):
		return append(b, "-Inf"...)
	}
	return strconv.AppendFloat(b, v, 'g', -1, 64)
}

// appendLabels writes a="b",c="d" from pairs.
func appendLabels(b []byte, pairs ...string) []byte {
	for i := 0; i+1 < len(pairs); i += 2 {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, pairs[i]...)
		b = append(b, '=', '"')
		b = appendEscaped(b, pairs[i+1])
		b = append(b, '"')
	}
	return b
}

func appendEscaped(b []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\uFFFD")
	}
	if !strings.ContainsAny(s, "\\\"\n") {
		return append(b, s...)
	}
	for i := range len(s) {
		switch s[i] {
		case '\\':
			b = append(b, '\\', '\\')
		case '"':
			b = append(b, '\\', '"')
		case '\n':
			b = append(b, '\\', 'n')
		default:
			b = append(b, s[i])
		}
	}
	return b
}

func escapeHelp(s string, open bool) string {
	s = strings.ReplaceAll(strings.ReplaceAll(s, `\`, `\\`), "\n", `\n`)
	if open {
		s = strings.ReplaceAll(s, `"`, `\"`)
	}
	return s
}
