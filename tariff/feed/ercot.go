package feed

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"ballast/unit"
)

// ERCOT publishes the same reports as CSV (in the market information system,
// zipped) and as JSON (the public API); only case and a few names differ.
//
// Hours are named by their end on the Texan clock, "01:00" to "24:00"; in the
// real-time report an hour 1 to 24 and a quarter 1 to 4. When the clock goes
// back, DSTFlag marks the second hour ending 02:00.

// ERCOTReport is one of ERCOT's reports.
type ERCOTReport string

// The reports, with ERCOT's own names for them.
const (
	ERCOTDayAhead     ERCOTReport = "dam"           // NP4-190-CD, DAM settlement point prices
	ERCOTRealTime     ERCOTReport = "rtm"           // NP6-905-CD, settlement point prices at nodes, hubs and zones
	ERCOTAncillary    ERCOTReport = "as"            // NP4-188-CD, DAM clearing prices for capacity
	ERCOTLoadForecast ERCOTReport = "load_forecast" // NP3-565-CD, seven-day load forecast by weather zone
	ERCOTLoad         ERCOTReport = "load"          // NP6-345-CD, actual system load by weather zone
	ERCOTSCED         ERCOTReport = "sced"          // NP6-788-CD, LMPs of each SCED run: indicative, not what is settled
)

type ercotReport struct {
	path     string // of the API
	id       string // report type of the MIS
	quantity Quantity
	interval time.Duration
	ahead    bool // published on the day before
	lag      time.Duration
	horizon  time.Duration
	from, to string // the API's parameters
	point    string // the API's parameter that filters
}

var ercotReports = map[ERCOTReport]ercotReport{
	ERCOTDayAhead:     {"np4-190-cd/dam_stlmnt_pnt_prices", "12331", EnergyPrice, time.Hour, true, 0, 0, "deliveryDateFrom", "deliveryDateTo", "settlementPoint"},
	ERCOTRealTime:     {"np6-905-cd/spp_node_zone_hub", "12301", EnergyPrice, 15 * time.Minute, false, 10 * time.Minute, time.Hour, "deliveryDateFrom", "deliveryDateTo", "settlementPoint"},
	ERCOTAncillary:    {"np4-188-cd/dam_clear_price_for_cap", "12329", CapacityPrice, time.Hour, true, 0, 0, "deliveryDateFrom", "deliveryDateTo", "ancillaryType"},
	ERCOTLoadForecast: {"np3-565-cd/lf_by_model_weather_zone", "12312", Load, time.Hour, true, 0, 9 * 24 * time.Hour, "deliveryDateFrom", "deliveryDateTo", ""},
	ERCOTLoad:         {"np6-345-cd/act_sys_load_by_wzn", "13101", Load, time.Hour, false, 24 * time.Hour, time.Hour, "operatingDayFrom", "operatingDayTo", ""},
	ERCOTSCED:         {"np6-788-cd/lmp_node_zone_hub", "12300", EnergyPrice, 5 * time.Minute, false, 5 * time.Minute, time.Hour, "SCEDTimestampFrom", "SCEDTimestampTo", "settlementPoint"},
}

// dayAheadAt is when the day-ahead market's results should be there: ERCOT posts
// them by 13:30.
const dayAheadAt = 13*time.Hour + 30*time.Minute

// central is the Texan clock.
func central() (*time.Location, error) { return time.LoadLocation("America/Chicago") }

// ercotName is the name of a series: "ercot.rtm.HB_NORTH".
func ercotName(r ERCOTReport, point string) string { return "ercot." + string(r) + "." + point }

func ercotSeries(r ERCOTReport, points []string) []Series {
	d := ercotReports[r]
	loc, _ := central()
	var out []Series
	for _, p := range points {
		s := Series{Name: ercotName(r, p), Quantity: d.quantity, Interval: d.interval, Horizon: d.horizon, Publish: Publication{Lag: d.lag}}
		if d.quantity != Load {
			s.Currency = unit.USD
		}
		if d.ahead {
			s.Publish = Publication{DayAhead: true, At: dayAheadAt, Zone: loc}
		}
		out = append(out, s)
	}
	return out
}

// ParseERCOTCSV reads a report as the market information system has it: CSV, or
// a zip of CSV. Rows of other points than those wanted are passed over.
func ParseERCOTCSV(r ERCOTReport, points []string, body []byte, published time.Time) (Batch, error) {
	var b Batch
	if err := noPage(body); err != nil {
		return b, err
	}
	files, err := unzip(body, ".csv")
	if err != nil {
		return b, err
	}
	for _, name := range sortedKeys(files) {
		t, err := csvTable(files[name], ',', 0, &b)
		if err != nil {
			return b, err
		}
		if err := ercotRows(r, points, t, published, &b); err != nil {
			return b, err
		}
	}
	return b, nil
}

// ercotPage is a page of the API's reply.
type ercotPage struct {
	Meta struct {
		TotalPages  int `json:"totalPages"`
		CurrentPage int `json:"currentPage"`
	} `json:"_meta"`
	Fields []struct {
		Name string `json:"name"`
	} `json:"fields"`
	Data [][]any `json:"data"`
	// An error of the API or of the gateway before it.
	Message    string `json:"message"`
	StatusCode int    `json:"statusCode"`
}

// ParseERCOTJSON reads a page of the public API. pages is how many there are.
func ParseERCOTJSON(r ERCOTReport, points []string, body []byte) (b Batch, pages int, err error) {
	if err := noPage(body); err != nil {
		return b, 0, err
	}
	var page ercotPage
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&page); err != nil {
		return b, 0, fmt.Errorf("%w: reading the API's JSON: %w", ErrFormat, err)
	}
	if page.Fields == nil {
		if page.Message != "" {
			return b, 0, fmt.Errorf("%w: %.200s", ErrRefused, page.Message)
		}
		return b, 0, fmt.Errorf("%w: no fields", ErrFormat)
	}
	names := make([]string, len(page.Fields))
	for i, f := range page.Fields {
		names[i] = f.Name
	}
	t := &table{columns: header(names)}
	for i, row := range page.Data[:min(len(page.Data), maxRows)] {
		if len(row) < len(names) {
			b.problem("row %d has %d of %d fields", i+1, len(row), len(names))
			continue
		}
		cells := make([]string, len(row))
		for j, v := range row {
			cells[j] = text(v)
		}
		t.rows = append(t.rows, cells)
	}
	return b, page.Meta.TotalPages, ercotRows(r, points, t, time.Time{}, &b)
}

func ercotRows(r ERCOTReport, points []string, t *table, published time.Time, b *Batch) error {
	if len(t.rows) == 0 && len(t.columns) == 0 {
		return fmt.Errorf("%w: no columns", ErrFormat)
	}
	loc, err := central()
	if err != nil {
		return fmt.Errorf("the Texan clock: %w", err)
	}
	rows := &ercotReader{report: r, points: points, table: t, published: published, loc: loc}
	if err := rows.columns(); err != nil {
		return err
	}
	before := len(b.Points)
	for i, row := range t.rows {
		if err := rows.read(row, b); err != nil {
			b.problem("row %d: %v", i+1, err)
		}
	}
	if len(b.Points) == before {
		return b.none(len(t.rows))
	}
	return nil
}

type ercotReader struct {
	report    ERCOTReport
	points    []string
	table     *table
	published time.Time
	loc       *time.Location

	date, hour, quarter, repeated, posted int
	name, kind, value, inUse              int
	zones                                 []int // of the load reports, by point
}

func (e *ercotReader) columns() error {
	t := e.table
	var err error
	need := func(names ...string) int {
		i, missing := t.need(names...)
		if err == nil {
			err = missing
		}
		return i
	}
	e.posted, e.kind, e.inUse, e.quarter = t.column("postedDatetime"), -1, -1, -1
	e.repeated = t.column("DSTFlag")
	switch e.report {
	case ERCOTDayAhead:
		e.date, e.hour = need("DeliveryDate"), need("HourEnding")
		e.name, e.value = need("SettlementPoint", "SettlementPointName"), need("SettlementPointPrice")
	case ERCOTRealTime:
		e.date, e.hour, e.quarter = need("DeliveryDate"), need("DeliveryHour"), need("DeliveryInterval")
		e.name, e.kind, e.value = need("SettlementPointName", "SettlementPoint"), t.column("SettlementPointType"), need("SettlementPointPrice")
	case ERCOTAncillary:
		e.date, e.hour = need("DeliveryDate"), need("HourEnding")
		e.name, e.value = need("AncillaryType"), need("MCPC")
	case ERCOTSCED:
		e.date, e.name, e.value = need("SCEDTimestamp"), need("SettlementPoint"), need("LMP")
		e.repeated = t.column("RepeatedHourFlag", "RepeatHourFlag")
	case ERCOTLoadForecast, ERCOTLoad:
		e.date, e.hour = need("DeliveryDate", "OperDay", "OperatingDay"), need("HourEnding")
		e.inUse = t.column("InUseFlag")
		for _, p := range e.points {
			e.zones = append(e.zones, need(p))
		}
	default:
		return fmt.Errorf("ERCOT has no report %q", e.report)
	}
	return err
}

func (e *ercotReader) read(row []string, b *Batch) error {
	if e.zones == nil {
		name := strings.TrimSpace(cell(row, e.name))
		if !slices.Contains(e.points, name) {
			return nil
		}
		// A load zone has a second, energy-weighted price under the same name.
		if strings.HasSuffix(cell(row, e.kind), "EW") {
			return nil
		}
		start, length, err := e.when(row)
		if err != nil {
			return err
		}
		return e.add(b, row, name, start, length, cell(row, e.value))
	}
	if e.inUse >= 0 {
		if used, err := flag(row[e.inUse]); err != nil || !used {
			return err
		}
	}
	start, length, err := e.when(row)
	if err != nil {
		return err
	}
	for i, p := range e.points {
		if v := strings.TrimSpace(cell(row, e.zones[i])); v != "" {
			if err := e.add(b, row, p, start, length, v); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *ercotReader) add(b *Batch, row []string, point string, start time.Time, length time.Duration, value string) error {
	v, err := micro(value)
	if err != nil {
		return err
	}
	published := e.published
	if e.posted >= 0 && e.posted < len(row) {
		// The API has the time of posting on the Texan clock; forecasts for one hour
		// come once an hour.
		if t, err := time.ParseInLocation("2006-01-02T15:04:05", strings.TrimSpace(row[e.posted]), e.loc); err == nil && years(t) == nil {
			published = t
		}
	}
	b.Points = append(b.Points, Point{Series: ercotName(e.report, point), Start: start, Length: length, Micro: v, Published: published})
	return nil
}

func (e *ercotReader) when(row []string) (time.Time, time.Duration, error) {
	repeated, err := flag(cell(row, e.repeated))
	if err != nil {
		return time.Time{}, 0, err
	}
	if e.report == ERCOTSCED {
		return e.sced(cell(row, e.date), repeated)
	}
	date, err := day(cell(row, e.date))
	if err != nil {
		return time.Time{}, 0, err
	}
	hour, err := clockHour(cell(row, e.hour))
	if err != nil {
		return time.Time{}, 0, err
	}
	start, err := hourEnding(date, hour, repeated, e.loc)
	if err != nil || e.quarter < 0 {
		return start, time.Hour, err
	}
	q, err := strconv.Atoi(strings.TrimSpace(cell(row, e.quarter)))
	if err != nil || q < 1 || q > 4 {
		return time.Time{}, 0, fmt.Errorf("interval %.20q: want 1 to 4", cell(row, e.quarter))
	}
	return start.Add(time.Duration(q-1) * 15 * time.Minute), 15 * time.Minute, nil
}

// sced puts the time of a SCED run, which is some seconds past, onto its five
// minutes.
func (e *ercotReader) sced(s string, repeated bool) (time.Time, time.Duration, error) {
	var t time.Time
	var err error
	for _, layout := range []string{"01/02/2006 15:04:05", "2006-01-02T15:04:05"} {
		if t, err = time.Parse(layout, strings.TrimSpace(s)); err == nil {
			break
		}
	}
	if err != nil || years(t) != nil {
		return t, 0, fmt.Errorf("%.40q is no time of a SCED run", s)
	}
	date, hour := t, t.Hour()+1
	start, err := hourEnding(date, hour, repeated, e.loc)
	return start.Add(time.Duration(t.Minute()/5*5) * time.Minute), 5 * time.Minute, err
}
