package feed

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"ballast/tariff"
	"ballast/unit"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// operator is a server on loopback that serves an operator's format, and
// misbehaves on demand.
type operator struct {
	*httptest.Server
	mu       sync.Mutex
	requests []*http.Request
	serve    http.HandlerFunc
}

func newOperator(t *testing.T, serve http.HandlerFunc) *operator {
	o := &operator{serve: serve}
	o.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.mu.Lock()
		o.requests = append(o.requests, r.Clone(context.Background()))
		serve := o.serve
		o.mu.Unlock()
		serve(w, r)
	}))
	t.Cleanup(o.Close)
	t.Cleanup(http.DefaultClient.CloseIdleConnections)
	return o
}

func (o *operator) set(f http.HandlerFunc) { o.mu.Lock(); o.serve = f; o.mu.Unlock() }

func (o *operator) asked() int { o.mu.Lock(); defer o.mu.Unlock(); return len(o.requests) }

func (o *operator) last() *http.Request {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.requests[len(o.requests)-1]
}

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time           { c.mu.Lock(); defer c.mu.Unlock(); return c.t }
func (c *clock) pass(d time.Duration)     { c.mu.Lock(); defer c.mu.Unlock(); c.t = c.t.Add(d) }
func (c *clock) reach(t time.Time) *clock { c.mu.Lock(); defer c.mu.Unlock(); c.t = t; return c }

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func generic(o *operator) *Generic {
	return &Generic{Of: Series{Name: "spot", Quantity: EnergyPrice, Currency: unit.USD, Interval: time.Hour, Publish: Publication{Lag: 5 * time.Minute}, Horizon: 2 * time.Hour}, URL: o.URL + "/?from={from}&to={to}&key=secret",
		Shape: Shape{Time: "t", Value: "v"}}
}

// hours is a CSV of hourly prices from one hour to another of the first of July.
func hours(from, to int, price func(int) string) string {
	var b strings.Builder
	b.WriteString("t,v\n")
	for h := from; h < to; h++ {
		if p := price(h); p != "" {
			fmt.Fprintf(&b, "%s,%s\n", day0.Add(time.Duration(h)*time.Hour).Format(time.RFC3339), p)
		}
	}
	return b.String()
}

func flat(p string) func(int) string { return func(int) string { return p } }

func send(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
}

// patience is long enough for a busy machine to answer itself.
const patience = 10 * time.Second

func poller(o *operator, c *clock, store Store) *Poller {
	web := &Web{Client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}, Timeout: patience, MaxBody: 1 << 20}
	return NewPoller(web, store, []Plan{{Feed: generic(o), Past: 12 * time.Hour, Behind: 12 * time.Hour, Ahead: time.Hour}}, c.now, 1, quiet, nil)
}

// Each way of misbehaving is an error that is told, leaves the known prices
// alone, and is over when the operator is back.
func TestMisbehavingOperators(t *testing.T) {
	good := hours(0, 12, flat("20"))
	for name, x := range map[string]struct {
		serve http.HandlerFunc
		want  error
	}{
		"down": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, ErrUnavailable},
		"slow": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, ErrUnavailable},
		"stops in the middle": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, good[:30])
			w.(http.Flusher).Flush()
		}, ErrUnavailable},
		"hangs up": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, ErrUnavailable},
		"a page with 200": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/csv")
			_, _ = io.WriteString(w, "<html><body>Scheduled maintenance</body></html>")
		}, ErrFormat},
		"endless": {func(w http.ResponseWriter, _ *http.Request) {
			for range 200 {
				if _, err := io.WriteString(w, strings.Repeat("t,v\n", 5000)); err != nil {
					return
				}
			}
		}, ErrFormat},
		"forbidden":   {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) }, ErrRefused},
		"other words": {send("zeit,preis\n1,2\n"), ErrFormat},
		"all garbage": {send("t,v\nyesterday,much\ntoday,more\n"), ErrFormat},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOperator(t, send(good))
			c := (&clock{}).reach(day0.Add(12*time.Hour + 10*time.Minute))
			var store Memory
			p := poller(o, c, &store)
			p.Poll(t.Context())
			if h := p.Health()[0]; !h.OK || h.Values != 12 {
				t.Fatalf("%+v", h)
			}
			o.set(x.serve)
			if name == "slow" {
				p.web.Timeout = 100 * time.Millisecond
			}
			c.pass(5 * time.Minute)
			p.Poll(t.Context())
			h := p.Health()[0]
			if h.OK || h.Failures != 1 || h.Error == "" || strings.Contains(h.Error, "secret") {
				t.Errorf("%+v", h)
			}
			if _, err := p.feeds[0].Feed.Fetch(t.Context(), p.web, Ask{From: day0, To: day0.Add(time.Hour)}); !errors.Is(err, x.want) {
				t.Errorf("%v, want %v", err, x.want)
			}
			if v, ok, _ := store.At(t.Context(), "spot", day0); !ok || v.Micro != 20e6 {
				t.Error("what was known is lost")
			}
			o.set(send(good))
			p.web.Timeout = patience
			c.reach(h.Next)
			p.Poll(t.Context())
			if h := p.Health()[0]; !h.OK || h.Failures != 0 || h.Error != "" {
				t.Errorf("%+v", h)
			}
		})
	}
}

func TestBackingOff(t *testing.T) {
	o := newOperator(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	c := (&clock{}).reach(day0)
	p := poller(o, c, &Memory{})
	var pauses []time.Duration
	for range 12 {
		p.Poll(t.Context())
		next := p.Health()[0].Next
		pauses = append(pauses, next.Sub(c.now()))
		before := o.asked()
		c.reach(next.Add(-time.Second))
		p.Poll(t.Context())
		if o.asked() != before {
			t.Fatal("asked before its time")
		}
		c.reach(next)
	}
	for i, d := range pauses {
		full := min(30*time.Second<<i, time.Hour)
		if d < full/2 || d > full {
			t.Errorf("pause %d: %v, want %v to %v", i, d, full/2, full)
		}
	}
	if slices.Equal(pauses[8:10], pauses[10:12]) {
		t.Error("no jitter")
	}
	o.set(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "7200")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	p.Poll(t.Context())
	if d := p.Health()[0].Next.Sub(c.now()); d != 2*time.Hour {
		t.Errorf("asked to wait two hours, waits %v", d)
	}
}

func TestUnchangedRepliesCostNothing(t *testing.T) {
	o := newOperator(t, nil)
	body := hours(0, 12, flat("20"))
	full := 0
	o.set(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", fmt.Sprintf(`"%08x"`, crc32.ChecksumIEEE([]byte(body))))
		if r.Header.Get("If-None-Match") == w.Header().Get("ETag") {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		full++
		_, _ = io.WriteString(w, body)
	})
	c := (&clock{}).reach(day0.Add(12 * time.Hour))
	p := poller(o, c, &Memory{})
	p.feeds[0].Feed.(*Generic).URL = o.URL + "/prices.csv"
	for range 3 {
		p.Poll(t.Context())
		c.pass(5 * time.Minute)
	}
	if h := p.Health()[0]; full != 1 || !h.OK || h.Values != 12 {
		t.Errorf("%d full replies, %+v", full, h)
	}
	// A reply that could not be read is not remembered.
	body = "<html>" + body
	p.Poll(t.Context())
	if h := p.Health()[0]; h.OK {
		t.Errorf("%+v", h)
	}
	c.reach(p.Health()[0].Next)
	p.Poll(t.Context())
	if full != 3 {
		t.Errorf("a page was remembered: %d full replies", full)
	}
	body = hours(0, 12, flat("21"))
	c.reach(p.Health()[0].Next)
	p.Poll(t.Context())
	if h := p.Health()[0]; !h.OK || h.Revisions != 12 {
		t.Errorf("%+v", h)
	}
}

func TestGapsAreFoundAndRepaired(t *testing.T) {
	o := newOperator(t, send(hours(0, 12, func(h int) string {
		if h == 4 || h == 5 || h == 11 {
			return ""
		}
		return "20"
	})))
	c := (&clock{}).reach(day0.Add(12*time.Hour + 3*time.Minute)) // hour 11 is due at 12:05
	var store Memory
	p := poller(o, c, &store)
	p.Poll(t.Context())
	want := []Gap{{"spot", day0.Add(4 * time.Hour), day0.Add(6 * time.Hour)}}
	if h := p.Health()[0]; !slices.Equal(h.Gaps, want) {
		t.Errorf("%+v", h.Gaps)
	}
	// The repair asked for the gap alone.
	if q := o.last().URL.Query(); q.Get("from") != "2026-07-01T04:00:00Z" || q.Get("to") != "2026-07-01T06:00:00Z" {
		t.Error(q)
	}
	// It asks again, less and less often, and finds it.
	o.set(send(hours(0, 12, flat("20"))))
	c.pass(5 * time.Minute)
	p.Poll(t.Context())
	if h := p.Health()[0]; len(h.Gaps) != 0 || h.Values != 12 {
		t.Errorf("%+v", h)
	}
}

func TestCorrectionsDuplicatesDisorderAndTheFuture(t *testing.T) {
	o := newOperator(t, send(hours(0, 12, flat("20"))))
	c := (&clock{}).reach(day0.Add(12*time.Hour + 10*time.Minute))
	var store Memory
	var heard []Change
	p := poller(o, c, &store)
	p.heard = func(c []Change) { heard = append(heard, c...) }
	p.Poll(t.Context())
	// Duplicates and disorder: the hours backwards, twice, with one corrected, one
	// of next year and one that no clock shows.
	lines := strings.Split(strings.TrimSpace(hours(0, 12, func(h int) string {
		if h == 3 {
			return "-19.5"
		}
		return "20"
	})), "\n")[1:]
	slices.Reverse(lines)
	o.set(send("t,v\n" + strings.Join(append(slices.Concat(lines, lines), "2027-07-01T00:00:00Z,9000", "2026-07-01T30:00:00Z,1"), "\n") + "\n"))
	c.pass(5 * time.Minute)
	heard = nil
	p.Poll(t.Context())
	h := p.Health()[0]
	if !h.OK || h.Revisions != 1 || len(h.Problems) != 2 {
		t.Errorf("%+v", h)
	}
	if len(heard) != 1 || heard[0].Was == nil || heard[0].Was.Micro != 20e6 || heard[0].Is.Micro != -19.5e6 || heard[0].Is.Revision != 1 {
		t.Errorf("%+v", heard)
	}
	if v, ok, _ := store.At(t.Context(), "spot", day0.AddDate(1, 0, 0)); ok {
		t.Errorf("a price of next year: %+v", v)
	}
	if store.Size() != 12 {
		t.Error(store.Size())
	}
}

func TestTheBookSaysHowOldAndWhatStandsIn(t *testing.T) {
	o := newOperator(t, send(hours(0, 12, func(h int) string { return strconv.Itoa(h) })))
	c := (&clock{}).reach(day0.Add(12*time.Hour + 10*time.Minute))
	var store Memory
	p := poller(o, c, &store)
	p.Poll(t.Context())
	ahead := Series{Name: "dam", Quantity: EnergyPrice, Currency: unit.USD, Interval: time.Hour, Publish: Publication{DayAhead: true, At: 13*time.Hour + 30*time.Minute}}
	put(t, &store, c.now(), Point{Series: "dam", Start: day0.Add(14 * time.Hour), Length: time.Hour, Micro: 77e6})
	book := NewBook(&store, append(p.feeds[0].Feed.Series(), ahead), c.now)
	m := &tariff.Market{Series: "spot", Fallback: tariff.Fallback{Hold: 90 * time.Minute, Series: "dam", SameHour: 1, Price: &unit.EnergyPrice{Micro: 45e6, Currency: unit.USD}}}
	for _, x := range []struct {
		at     time.Duration // of the day
		price  string
		source string
		late   time.Duration
	}{
		{11*time.Hour + 30*time.Minute, "$11/MWh", "spot", 0},
		{12*time.Hour + 30*time.Minute, "$11/MWh", "last known price of spot", 0},
		{14*time.Hour + 30*time.Minute, "$77/MWh", "dam in place of spot", 0},
		{29*time.Hour + 30*time.Minute, "$5/MWh", "spot of the same hour before", 0},
		{23*time.Hour + 30*time.Minute, "$45/MWh", "the contract's fallback price", 0},
	} {
		r, ok := book.Price(m, day0.Add(x.at), 15*time.Minute, unit.USD, time.UTC)
		if !ok || r.Price.String() != x.price || r.Source != x.source || r.Standin != (x.source != "spot") || r.Late != x.late {
			t.Errorf("%v: %+v %v", x.at, r, ok)
		}
	}
	r, _ := book.Price(m, day0.Add(11*time.Hour), time.Hour, unit.USD, time.UTC)
	if r.Age != 0 || r.Status != tariff.Provisional {
		t.Errorf("%+v", r)
	}
	// Two hours on without news, the price of hour 12 is overdue since 13:05.
	c.pass(2 * time.Hour)
	r, _ = book.Price(m, day0.Add(12*time.Hour+30*time.Minute), 15*time.Minute, unit.USD, time.UTC)
	if r.Age != 2*time.Hour || r.Late != 65*time.Minute || !r.Standin {
		t.Errorf("%+v", r)
	}
	if r, ok := book.Price(&tariff.Market{Series: "spot"}, day0.Add(12*time.Hour+30*time.Minute), 15*time.Minute, unit.USD, time.UTC); ok || r.Late != 65*time.Minute {
		t.Errorf("%+v %v", r, ok)
	}
	// Load, for coincident peaks: watts of a MW.
	load := Series{Name: "load", Quantity: Load, Interval: 15 * time.Minute}
	put(t, &store, c.now(), Point{Series: "load", Start: day0.Add(17 * time.Hour), Length: 15 * time.Minute, Micro: 85_508_210_000})
	loads, err := NewBook(&store, []Series{load}, c.now).SystemLoads(t.Context(), "load", day0, day0.Add(24*time.Hour))
	if err != nil || len(loads) != 1 || loads[0].Load.String() != "85.50821GW" || loads[0].Status != tariff.Provisional {
		t.Errorf("%+v %v", loads, err)
	}
	if _, ok := NewBook(&store, []Series{load}, c.now).At("load", day0.Add(17*time.Hour)); ok {
		t.Error("load is no price")
	}
	c.pass(11 * 24 * time.Hour)
	if q, _ := book.At("spot", day0); q.Status != tariff.Settled {
		t.Errorf("%+v", q)
	}
	if _, ok := book.At("nobody's", day0); ok {
		t.Error("a price of a series that is not declared")
	}
}

func TestERCOTAPIOverTheWire(t *testing.T) {
	loc := zone0(t, "America/Chicago")
	o := newOperator(t, nil)
	signIns := 0
	o.set(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		switch {
		case r.URL.Path == "/token":
			signIns++
			if r.PostFormValue("password") != "pass" || r.PostFormValue("grant_type") != "password" {
				w.WriteHeader(http.StatusBadRequest)
			}
			_, _ = io.WriteString(w, `{"access_token":"a","id_token":"token","expires_in":"3600"}`)
		case r.Header.Get("Authorization") != "Bearer token" || r.Header.Get("Ocp-Apim-Subscription-Key") != "key":
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path != "/api/np4-190-cd/dam_stlmnt_pnt_prices" || q.Get("deliveryDateFrom") != "2026-11-01" || q.Get("deliveryDateTo") != "2026-11-01":
			w.WriteHeader(http.StatusNotFound)
		default:
			page, _ := strconv.Atoi(q.Get("page"))
			var data [][]any
			for h := (page-1)*10 + 1; h <= min(page*10, 25); h++ {
				// 25 hours: the second hour ending 2 is flagged.
				ending, flag := h, false
				if h > 2 {
					ending, flag = h-1, h == 3
				}
				data = append(data, []any{"2026-11-01", fmt.Sprintf("%02d:00", ending), q.Get("settlementPoint"), float64(h) + 0.5, flag})
			}
			_ = json.NewEncoder(w).Encode(map[string]any{"_meta": map[string]int{"totalPages": 3, "currentPage": page}, "fields": []map[string]string{{"name": "deliveryDate"}, {"name": "hourEnding"}, {"name": "settlementPoint"}, {"name": "settlementPointPrice"}, {"name": "DSTFlag"}}, "data": data})
		}
	})
	in := &ERCOTSignIn{URL: o.URL + "/token", User: "u", Password: "pass", Key: "key", Now: func() time.Time { return day0 }}
	f := &ERCOTAPI{Report: ERCOTDayAhead, Points: []string{"HB_NORTH", "LZ_WEST"}, URL: o.URL + "/api", Authorize: in.Authorize}
	midnight := time.Date(2026, 11, 1, 0, 0, 0, 0, loc)
	web := &Web{Client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	b, err := f.Fetch(t.Context(), web, Ask{From: midnight, To: midnight.Add(25 * time.Hour)})
	if err != nil || len(b.Points) != 50 || len(b.Problems) > 0 || signIns != 1 {
		t.Fatalf("%d points %v %v, %d sign-ins", len(b.Points), b.Problems, err, signIns)
	}
	for i := range 25 {
		if p := b.Points[i]; !p.Start.Equal(midnight.Add(time.Duration(i)*time.Hour)) || p.Micro != int64(i+1)*1e6+5e5 {
			t.Errorf("%d: %+v", i, p)
		}
	}
	in.Password = "wrong"
	in.token = ""
	if _, err := f.Fetch(t.Context(), web, Ask{From: midnight, To: midnight.Add(time.Hour)}); !errors.Is(err, ErrRefused) || strings.Contains(err.Error(), "wrong") {
		t.Error(err)
	}
}

func TestERCOTMISOverTheWire(t *testing.T) {
	o := newOperator(t, nil)
	type doc struct{ id, published, csv string }
	row := func(v string) string {
		return "DeliveryDate,DeliveryHour,DeliveryInterval,SettlementPointName,SettlementPointType,SettlementPointPrice,DSTFlag\n07/01/2026,1,1,HB_NORTH,HU," + v + ",N\n"
	}
	docs := []doc{{"1", "2026-07-01T00:17:00-05:00", row("20")}, {"3", "2026-07-02T09:00:00-05:00", row("25")}, {"2", "2026-07-01T00:32:00-05:00", "<html>not now</html>"}}
	o.set(func(w http.ResponseWriter, r *http.Request) {
		if id := r.URL.Query().Get("doclookupId"); id != "" {
			for _, d := range docs {
				if d.id == id && !strings.HasPrefix(d.csv, "<") {
					_, _ = w.Write(zipped(t, map[string]string{"x.csv": d.csv}))
				} else if d.id == id {
					_, _ = io.WriteString(w, d.csv)
				}
			}
			return
		}
		var list []map[string]any
		for _, d := range docs {
			for _, kind := range []string{"csv", "xml"} {
				list = append(list, map[string]any{"Document": map[string]string{"DocID": d.id, "FriendlyName": "SPPHLZNP6905_20260701_0015_" + kind, "ConstructedName": "cdr.zip", "PublishDate": d.published, "ReportTypeID": r.URL.Query().Get("reportTypeId")}})
			}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"ListDocsByRptTypeRes": map[string]any{"DocumentList": list}})
	})
	f := &ERCOTMIS{Report: ERCOTRealTime, Points: []string{"HB_NORTH"}, List: o.URL, Download: o.URL}
	web := &Web{Client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	ask := Ask{From: day0, To: day0.Add(48 * time.Hour)}
	b, err := f.Fetch(t.Context(), web, ask)
	if err != nil || len(b.Points) != 2 || len(b.Problems) != 1 {
		t.Fatalf("%+v %v", b, err)
	}
	// The correction published later is the current value, whatever the order.
	var store Memory
	slices.Reverse(b.Points)
	put(t, &store, day0, b.Points...)
	v, _, _ := store.At(t.Context(), "ercot.rtm.HB_NORTH", b.Points[0].Start)
	if v.Micro != 25e6 {
		t.Errorf("%+v", v)
	}
	before := o.asked()
	if _, err := f.Fetch(t.Context(), web, ask); !errors.Is(err, ErrUnchanged) || o.asked() != before+1 {
		t.Error(err, o.asked()-before)
	}
	ask.Fresh = true
	if b, err := f.Fetch(t.Context(), web, ask); err != nil || len(b.Points) != 2 {
		t.Error(b, err)
	}
}

func TestOASISAndENTSOEOverTheWire(t *testing.T) {
	o := newOperator(t, nil)
	var seen []url.Values
	o.set(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		seen = append(seen, q)
		switch {
		case q.Get("queryname") != "":
			from, err := time.Parse("20060102T15:04-0000", q.Get("startdatetime"))
			if err != nil || q.Get("version") != "12" || q.Get("resultformat") != "6" {
				_, _ = w.Write(zipped(t, map[string]string{"INVALID_REQUEST.xml": oasisError("1002", "Invalid request")}))
				return
			}
			w.Header().Set("Content-Type", "application/x-zip-compressed")
			at := from.Format("2006-01-02T15:04:05-00:00")
			_, _ = w.Write(zipped(t, map[string]string{"x.csv": oasisHead + oasisRow(at, from.Add(time.Hour).Format("2006-01-02T15:04:05-00:00"), "LMP_PRC", q.Get("node"), "10")}))
		case q.Get("securityToken") != "token":
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = io.WriteString(w, acknowledgement("999", "Unauthorized. Missing or invalid security token."))
		case q.Get("periodStart") == "202607030000":
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, acknowledgement("999", "No matching data found for Data item"))
		default:
			_, _ = io.WriteString(w, priceDocument("A03", "PT60M", "2026-07-01T00:00Z", "2026-07-01T02:00Z", "1", "5"))
		}
	})
	web := &Web{Client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	oasis := &OASIS{Report: OASISDayAhead, Points: []string{"N1"}, URL: o.URL, Pause: time.Millisecond}
	b, err := oasis.Fetch(t.Context(), web, Ask{From: day0, To: day0.Add(45 * 24 * time.Hour)})
	if err != nil || len(b.Points) != 2 || len(seen) != 2 { // OASIS gives 31 days at once
		t.Errorf("%+v %v %v", b, err, seen)
	}
	if _, err := (&OASIS{Report: OASISDayAhead, Points: []string{"N1"}, URL: o.URL, XML: true, Pause: time.Millisecond}).Fetch(t.Context(), web, Ask{From: day0, To: day0.Add(time.Hour)}); !errors.Is(err, ErrRefused) {
		t.Error(err)
	}
	entsoe := &ENTSOE{Document: ENTSOEDayAhead, Zone: "10YBE----------2", URL: o.URL, Token: func() string { return "token" }}
	if b, err := entsoe.Fetch(t.Context(), web, Ask{From: day0, To: day0.Add(2 * time.Hour)}); err != nil || len(b.Points) != 2 {
		t.Errorf("%+v %v", b, err)
	}
	if _, err := entsoe.Fetch(t.Context(), web, Ask{From: day0.Add(48 * time.Hour), To: day0.Add(50 * time.Hour)}); !errors.Is(err, ErrNoData) {
		t.Error(err)
	}
	entsoe.Token = func() string { return "revoked" }
	if _, err := entsoe.Fetch(t.Context(), web, Ask{From: day0, To: day0.Add(2 * time.Hour)}); !errors.Is(err, ErrRefused) || strings.Contains(err.Error(), "revoked") {
		t.Error(err)
	}
}

func TestRunStops(t *testing.T) {
	o := newOperator(t, send(hours(0, 12, flat("20"))))
	c := (&clock{}).reach(day0.Add(12 * time.Hour))
	p := poller(o, c, &Memory{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { p.Run(ctx); close(done) }()
	for p.Health()[0].Values == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	select {
	case <-done:
	case <-time.After(5 * time.Second):
		t.Fatal("does not stop")
	}
}
