package feed

import (
	"bytes"
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"ballast/unit"
)

// OASISReport is one of CAISO's reports.
type OASISReport string

// The reports, with their query names.
const (
	OASISDayAhead     OASISReport = "dam"           // PRC_LMP, hourly
	OASISFifteen      OASISReport = "fmm"           // PRC_RTPD_LMP, fifteen-minute market
	OASISRealTime     OASISReport = "rtm"           // PRC_INTVL_LMP, five-minute dispatch
	OASISLoadForecast OASISReport = "load_forecast" // SLD_FCST, day-ahead
)

type oasisReport struct {
	query, market, version string
	item                   string // XML_DATA_ITEM of the row that counts
	values                 []string
	names                  []string
	quantity               Quantity
	interval               time.Duration
	ahead                  bool
}

// The price stands in a column called MW in the day-ahead report, PRC in the
// fifteen-minute one and VALUE in the five-minute one.
var oasisReports = map[OASISReport]oasisReport{
	OASISDayAhead:     {"PRC_LMP", "DAM", "12", "LMP_PRC", []string{"MW", "VALUE", "PRC"}, []string{"NODE_ID", "NODE", "RESOURCE_NAME"}, EnergyPrice, time.Hour, true},
	OASISFifteen:      {"PRC_RTPD_LMP", "RTPD", "3", "LMP_PRC", []string{"PRC", "VALUE", "MW"}, []string{"NODE_ID", "NODE", "RESOURCE_NAME"}, EnergyPrice, 15 * time.Minute, false},
	OASISRealTime:     {"PRC_INTVL_LMP", "RTM", "3", "LMP_PRC", []string{"VALUE", "PRC", "MW"}, []string{"NODE_ID", "NODE", "RESOURCE_NAME"}, EnergyPrice, 5 * time.Minute, false},
	OASISLoadForecast: {"SLD_FCST", "DAM", "1", "SYS_FCST_DA_MW", []string{"MW", "VALUE"}, []string{"TAC_AREA_NAME", "RESOURCE_NAME"}, Load, time.Hour, true},
}

// OASIS is a report of CAISO's OASIS. Times in its replies are GMT, so no clock
// change is in them.
type OASIS struct {
	Report OASISReport
	Points []string // nodes: "TH_NP15_GEN-APND"; of the load forecast areas: "CA ISO-TAC"
	URL    string   // CAISOOASIS when empty
	XML    bool     // ask for XML instead of CSV
	// Pause between two requests, also of other feeds; OASIS turns away who asks
	// more than once in five seconds. 5 s when 0.
	Pause time.Duration
}

// CAISOOASIS is where OASIS is.
const CAISOOASIS = "https://oasis.caiso.com/oasisapi/SingleZip"

// Name implements Feed.
func (f *OASIS) Name() string { return "caiso " + string(f.Report) }

// Series implements Feed.
func (f *OASIS) Series() []Series {
	d := oasisReports[f.Report]
	loc, _ := time.LoadLocation("America/Los_Angeles")
	var out []Series
	for _, p := range f.Points {
		s := Series{Name: f.name(p), Quantity: d.quantity, Interval: d.interval, Publish: Publication{Lag: 10 * time.Minute}}
		if d.quantity != Load {
			s.Currency = unit.USD
		}
		if d.ahead {
			s.Publish = Publication{DayAhead: true, At: 13*time.Hour + 30*time.Minute, Zone: loc}
		}
		out = append(out, s)
	}
	return out
}

func (f *OASIS) name(point string) string { return "caiso." + string(f.Report) + "." + point }

// oasisSpan is less than the 31 days that OASIS gives at once.
const oasisSpan = 30 * 24 * time.Hour

// Fetch implements Feed.
func (f *OASIS) Fetch(ctx context.Context, web *Web, ask Ask) (Batch, error) {
	d, ok := oasisReports[f.Report]
	if !ok {
		return Batch{}, fmt.Errorf("OASIS has no report %q", f.Report)
	}
	var all Batch
	unchanged, none, asked := 0, 0, 0
	for from := ask.From; from.Before(ask.To); from = from.Add(oasisSpan) {
		to := from.Add(oasisSpan)
		if to.After(ask.To) {
			to = ask.To
		}
		for _, p := range f.Points {
			asked++
			if err := web.turn(ctx, cmp.Or(f.URL, CAISOOASIS), cmp.Or(f.Pause, 5*time.Second)); err != nil {
				return all, err
			}
			b, err := f.one(ctx, web, d, p, from, to, ask.Fresh)
			switch {
			case errors.Is(err, ErrUnchanged):
				unchanged++
			case errors.Is(err, ErrNoData):
				none++
			case err != nil:
				return all, err
			}
			all.join(b)
		}
	}
	switch asked {
	case 0:
		return all, nil
	case unchanged:
		return all, ErrUnchanged
	case none:
		return all, ErrNoData
	}
	return all, nil
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	case <-t.C:
		return nil
	}
}

func (f *OASIS) one(ctx context.Context, web *Web, d oasisReport, point string, from, to time.Time, fresh bool) (Batch, error) {
	const layout = "20060102T15:04-0000"
	q := url.Values{"queryname": {d.query}, "market_run_id": {d.market}, "version": {d.version},
		"startdatetime": {from.UTC().Format(layout)}, "enddatetime": {to.UTC().Format(layout)}}
	if !f.XML {
		q.Set("resultformat", "6")
	}
	if d.quantity != Load {
		q.Set("node", point)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, cmp.Or(f.URL, CAISOOASIS)+"?"+q.Encode(), nil)
	if err != nil {
		return Batch{}, fmt.Errorf("asking OASIS: %w", bare(err))
	}
	reply, err := web.Get(ctx, req, fresh)
	if err != nil {
		return Batch{}, err
	}
	b, err := ParseOASIS(f.Report, f.Points, reply.Body)
	if err == nil {
		reply.Keep()
	}
	return b, err
}

// ParseOASIS reads a reply of OASIS: a zip of CSV or XML, either one unpacked,
// or the XML in which OASIS tells of an error with status 200.
func ParseOASIS(r OASISReport, points []string, body []byte) (Batch, error) {
	var b Batch
	d, ok := oasisReports[r]
	if !ok {
		return b, fmt.Errorf("OASIS has no report %q", r)
	}
	if err := noPage(body); err != nil {
		return b, err
	}
	files, err := unzip(body, ".csv", ".xml")
	if err != nil {
		return b, err
	}
	for _, name := range sortedKeys(files) {
		var t *table
		text := bytes.TrimSpace(bytes.TrimPrefix(files[name], []byte("\xef\xbb\xbf")))
		if bytes.HasPrefix(text, []byte("<")) {
			t, err = oasisXML(text, &b)
		} else {
			t, err = csvTable(text, ',', 0, &b)
		}
		if err != nil {
			return b, err
		}
		if err := oasisRows(r, d, points, t, &b); err != nil {
			return b, err
		}
	}
	return b, nil
}

func oasisRows(r OASISReport, d oasisReport, points []string, t *table, b *Batch) error {
	name, err1 := t.need(d.names...)
	start, err2 := t.need("INTERVALSTARTTIME_GMT", "INTERVAL_START_GMT")
	end, err3 := t.need("INTERVALENDTIME_GMT", "INTERVAL_END_GMT")
	value, err4 := t.need(d.values...)
	item, err5 := t.need("XML_DATA_ITEM", "DATA_ITEM", "LMP_TYPE")
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return err
	}
	before := len(b.Points)
	for i, row := range t.rows {
		// Congestion, loss and energy components stand under the same node.
		if it := cell(row, item); it != d.item && (d.quantity != EnergyPrice || it != "LMP") {
			continue
		}
		point := strings.TrimSpace(cell(row, name))
		if !slices.Contains(points, point) {
			continue
		}
		p := Point{Series: "caiso." + string(r) + "." + point}
		var err error
		if p.Start, err = gmt(cell(row, start)); err == nil {
			var z time.Time
			if z, err = gmt(cell(row, end)); err == nil {
				p.Length, err = length(p.Start, z)
			}
		}
		if err == nil {
			p.Micro, err = micro(cell(row, value))
		}
		if err != nil {
			b.problem("row %d: %v", i+1, err)
			continue
		}
		b.Points = append(b.Points, p)
	}
	if len(b.Points) == before {
		return b.none(len(t.rows))
	}
	return nil
}

func gmt(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, strings.TrimSpace(s))
	if err != nil {
		return t, fmt.Errorf("%.40q is no time", s)
	}
	return t.UTC(), years(t)
}

// length refuses intervals that no market has.
func length(a, z time.Time) (time.Duration, error) {
	d := z.Sub(a)
	if d < time.Minute || d > 24*time.Hour || d%time.Minute != 0 {
		return 0, fmt.Errorf("an interval of %v", d)
	}
	return d, nil
}

// oasisXML reads the REPORT_DATA elements into a table, or the error that the
// document tells.
func oasisXML(text []byte, b *Batch) (*table, error) {
	columns := []string{"DATA_ITEM", "RESOURCE_NAME", "INTERVAL_START_GMT", "INTERVAL_END_GMT", "VALUE"}
	t := &table{columns: header(columns)}
	d := xml.NewDecoder(bytes.NewReader(text))
	var path []string
	var row []string
	var code, said string
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			if len(t.rows) == 0 {
				return nil, fmt.Errorf("%w: reading OASIS' XML: %w", ErrFormat, err)
			}
			b.problem("the document breaks off: %v", err)
			break
		}
		switch e := token.(type) {
		case xml.StartElement:
			if len(path) > 50 {
				return nil, fmt.Errorf("%w: nested too deeply", ErrFormat)
			}
			path = append(path, e.Name.Local)
			if e.Name.Local == "REPORT_DATA" {
				row = make([]string, len(columns))
			}
		case xml.EndElement:
			path = path[:len(path)-1]
			if e.Name.Local == "REPORT_DATA" && row != nil {
				if len(t.rows) < maxRows {
					t.rows = append(t.rows, row)
				}
				row = nil
			}
		case xml.CharData:
			if len(path) == 0 {
				continue
			}
			s := strings.TrimSpace(string(e))
			switch in := path[len(path)-1]; in {
			case "ERR_CODE":
				code += s
			case "ERR_DESC":
				said += s
			default:
				if i := slices.Index(columns, in); i >= 0 && row != nil {
					row[i] += s
				}
			}
		}
	}
	switch {
	case code == "1000":
		return nil, fmt.Errorf("%w: OASIS says %s", ErrNoData, said)
	case code != "" || said != "":
		// Most are about the request; 1015 and the like ask to come again.
		return nil, fmt.Errorf("%w: OASIS says %.20s %.200s", ErrRefused, code, said)
	}
	return t, nil
}
