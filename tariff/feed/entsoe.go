package feed

import (
	"bytes"
	"cmp"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"time"

	"ballast/unit"
)

// ENTSOEDocument is one kind of document of the transparency platform.
type ENTSOEDocument string

// The documents that are read.
const (
	ENTSOEDayAhead     ENTSOEDocument = "dam"           // A44, prices of single day-ahead coupling
	ENTSOELoadForecast ENTSOEDocument = "load_forecast" // A65 with process A01, day-ahead total load forecast
)

// ENTSOE is a bidding zone's series on ENTSO-E's transparency platform.
type ENTSOE struct {
	Document ENTSOEDocument
	Zone     string        // EIC code: "10Y1001A1001A82H"
	Label    string        // in the series' name: "DE_LU"
	Currency unit.Currency // that the zone's prices are in; EUR when empty
	Interval time.Duration // that the zone publishes; 15 minutes when 0
	Sequence int           // of the auctions of a day; 1, the coupling, when 0
	Token    func() string
	URL      string // ENTSOEPlatform when empty
}

// ENTSOEPlatform is where the platform's API is.
const ENTSOEPlatform = "https://web-api.tp.entsoe.eu/api"

// Name implements Feed.
func (f *ENTSOE) Name() string { return "entsoe " + string(f.Document) + " " + f.label() }

func (f *ENTSOE) label() string      { return cmp.Or(f.Label, f.Zone) }
func (f *ENTSOE) seriesName() string { return "entsoe." + string(f.Document) + "." + f.label() }

// Series implements Feed.
func (f *ENTSOE) Series() []Series {
	loc, _ := time.LoadLocation("Europe/Brussels")
	s := Series{Name: f.seriesName(), Quantity: EnergyPrice, Currency: cmp.Or(f.Currency, unit.EUR), Interval: cmp.Or(f.Interval, 15*time.Minute),
		Publish: Publication{DayAhead: true, At: 14 * time.Hour, Zone: loc}} // results come about 13:00
	if f.Document == ENTSOELoadForecast {
		s.Quantity, s.Currency = Load, ""
	}
	return []Series{s}
}

// Fetch implements Feed. The platform gives up to a year at once; a month is
// asked for.
func (f *ENTSOE) Fetch(ctx context.Context, web *Web, ask Ask) (Batch, error) {
	var all Batch
	const span = 31 * 24 * time.Hour
	asked, unchanged, none := 0, 0, 0
	for from := ask.From; from.Before(ask.To); from = from.Add(span) {
		to := from.Add(span)
		if to.After(ask.To) {
			to = ask.To
		}
		asked++
		b, err := f.one(ctx, web, from, to, ask.Fresh)
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

func (f *ENTSOE) one(ctx context.Context, web *Web, from, to time.Time, fresh bool) (Batch, error) {
	const layout = "200601021504"
	q := url.Values{"periodStart": {from.UTC().Truncate(time.Hour).Format(layout)}, "periodEnd": {to.UTC().Add(time.Hour - time.Second).Truncate(time.Hour).Format(layout)}}
	if f.Document == ENTSOELoadForecast {
		q.Set("documentType", "A65")
		q.Set("processType", "A01")
		q.Set("outBiddingZone_Domain", f.Zone)
	} else {
		q.Set("documentType", "A44")
		q.Set("in_Domain", f.Zone)
		q.Set("out_Domain", f.Zone)
	}
	if f.Token != nil {
		q.Set("securityToken", f.Token())
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, cmp.Or(f.URL, ENTSOEPlatform)+"?"+q.Encode(), nil)
	if err != nil {
		return Batch{}, errors.Join(ErrRefused, bare(err))
	}
	reply, err := web.Get(ctx, req, fresh)
	if err != nil {
		if reply != nil { // the platform sends its acknowledgement with status 400
			if _, said := f.Parse(reply.Body); said != nil && !errors.Is(said, ErrFormat) {
				return Batch{}, said
			}
		}
		return Batch{}, err
	}
	b, err := f.Parse(reply.Body)
	if err == nil {
		reply.Keep()
	}
	return b, err
}

// entsoeDocument is Publication_MarketDocument, GL_MarketDocument or
// Acknowledgement_MarketDocument; their names have no namespace in common.
type entsoeDocument struct {
	XMLName xml.Name
	Created string `xml:"createdDateTime"`
	Reasons []struct {
		Code string `xml:"code"`
		Text string `xml:"text"`
	} `xml:"Reason"`
	Series []entsoeSeries `xml:"TimeSeries"`
}

type entsoeSeries struct {
	In       string         `xml:"in_Domain.mRID"`
	OutZone  string         `xml:"outBiddingZone_Domain.mRID"`
	Currency string         `xml:"currency_Unit.name"`
	Measure  string         `xml:"price_Measure_Unit.name"`
	Quantity string         `xml:"quantity_Measure_Unit.name"`
	Curve    string         `xml:"curveType"`
	Sequence int            `xml:"classificationSequence_AttributeInstanceComponent.position"`
	Contract string         `xml:"contract_MarketAgreement.type"`
	Periods  []entsoePeriod `xml:"Period"`
}

type entsoePeriod struct {
	Start      string `xml:"timeInterval>start"`
	End        string `xml:"timeInterval>end"`
	Resolution string `xml:"resolution"`
	Points     []struct {
		Position int    `xml:"position"`
		Price    string `xml:"price.amount"`
		Quantity string `xml:"quantity"`
	} `xml:"Point"`
}

var resolutions = map[string]time.Duration{"PT5M": 5 * time.Minute, "PT15M": 15 * time.Minute, "PT30M": 30 * time.Minute, "PT60M": time.Hour, "PT1H": time.Hour}

// Parse reads a document of the platform, or a zip of them.
func (f *ENTSOE) Parse(body []byte) (Batch, error) {
	var b Batch
	if err := noPage(body); err != nil {
		return b, err
	}
	files, err := unzip(body, ".xml")
	if err != nil {
		return b, err
	}
	for _, name := range sortedKeys(files) {
		if err := f.parse(files[name], &b); err != nil {
			return b, err
		}
	}
	return b, nil
}

func (f *ENTSOE) parse(body []byte, b *Batch) error {
	var doc entsoeDocument
	if err := xml.NewDecoder(bytes.NewReader(body)).Decode(&doc); err != nil {
		return fmt.Errorf("%w: reading the platform's XML: %w", ErrFormat, err)
	}
	switch doc.XMLName.Local {
	case "Acknowledgement_MarketDocument":
		return acknowledged(&doc)
	case "Publication_MarketDocument", "GL_MarketDocument":
	default:
		return fmt.Errorf("%w: a document %.60q", ErrFormat, doc.XMLName.Local)
	}
	created, err := time.Parse(time.RFC3339, doc.Created)
	if err != nil || years(created) != nil {
		created = time.Time{}
	}
	before, rows := len(b.Points), 0
	for i := range doc.Series {
		s := &doc.Series[i]
		if zone := cmp.Or(s.In, s.OutZone); zone != "" && zone != f.Zone {
			continue
		}
		// Some zones publish several auctions of a day under one document.
		if f.Document == ENTSOEDayAhead && (s.Sequence != 0 && s.Sequence != cmp.Or(f.Sequence, 1) || s.Contract != "" && s.Contract != "A01") {
			continue
		}
		if err := f.unit(s); err != nil {
			return err
		}
		for j := range s.Periods {
			rows++
			if err := f.period(s, &s.Periods[j], created, b); err != nil {
				b.problem("period of %.30s: %v", s.Periods[j].Start, err)
			}
		}
	}
	if len(b.Points) == before {
		return b.none(rows)
	}
	return nil
}

func (f *ENTSOE) unit(s *entsoeSeries) error {
	if f.Document == ENTSOELoadForecast {
		if s.Quantity != "" && s.Quantity != "MAW" {
			return fmt.Errorf("%w: load in %.20q, not MW", ErrFormat, s.Quantity)
		}
		return nil
	}
	if want := cmp.Or(f.Currency, unit.EUR); s.Currency != "" && s.Currency != string(want) {
		return fmt.Errorf("%w: prices in %.20q, not %s", ErrFormat, s.Currency, want)
	}
	if s.Measure != "" && s.Measure != "MWH" {
		return fmt.Errorf("%w: prices per %.20q, not per MWh", ErrFormat, s.Measure)
	}
	return nil
}

// acknowledged is what the platform sends instead of data: code 999 with a text.
func acknowledged(doc *entsoeDocument) error {
	var said []string
	for _, r := range doc.Reasons {
		said = append(said, strings.TrimSpace(r.Code+" "+r.Text))
	}
	text := strings.Join(said, "; ")
	if strings.Contains(strings.ToLower(text), "no matching data") {
		return fmt.Errorf("%w: the platform says %.300s", ErrNoData, text)
	}
	return fmt.Errorf("%w: the platform says %.300s", ErrRefused, text)
}

// period lays the points on their intervals. With curve type A03 a position that
// is not there repeats the one before; with A01 it is missing.
func (f *ENTSOE) period(s *entsoeSeries, p *entsoePeriod, created time.Time, b *Batch) error {
	step, ok := resolutions[p.Resolution]
	if !ok {
		return fmt.Errorf("resolution %.20q", p.Resolution)
	}
	from, err1 := entsoeTime(p.Start)
	to, err2 := entsoeTime(p.End)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	const longest = 40 * 24 * time.Hour
	if !from.Before(to) || to.Sub(from) > longest || to.Sub(from)%step != 0 {
		return fmt.Errorf("from %v to %v by %v", from, to, step)
	}
	n := int(to.Sub(from) / step)
	if len(b.Points)+n > maxRows {
		return fmt.Errorf("more than %d values in one document", maxRows)
	}
	points := p.Points
	sort.SliceStable(points, func(i, j int) bool { return points[i].Position < points[j].Position })
	next := 1
	var last int64
	have := false
	emit := func(position int, v int64) {
		b.Points = append(b.Points, Point{Series: f.seriesName(), Start: from.Add(time.Duration(position-1) * step), Length: step, Micro: v, Published: created})
	}
	fill := func(upTo int) {
		for ; s.Curve == "A03" && have && next < upTo; next++ {
			emit(next, last)
		}
	}
	for _, pt := range points {
		if pt.Position < 1 || pt.Position > n {
			b.problem("position %d of %d", pt.Position, n)
			continue
		}
		v, err := micro(cmp.Or(pt.Price, pt.Quantity))
		if err != nil {
			b.problem("position %d: %v", pt.Position, err)
			fill(pt.Position)
			have, next = false, pt.Position+1 // what cannot be read is not repeated either
			continue
		}
		fill(pt.Position)
		emit(pt.Position, v)
		last, have, next = v, true, pt.Position+1
	}
	fill(n + 1)
	return nil
}

func entsoeTime(s string) (time.Time, error) {
	for _, layout := range []string{"2006-01-02T15:04Z", time.RFC3339} {
		if t, err := time.Parse(layout, strings.TrimSpace(s)); err == nil {
			return t.UTC(), years(t)
		}
	}
	return time.Time{}, fmt.Errorf("%.40q is no time", s)
}
