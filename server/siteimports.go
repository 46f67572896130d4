package server

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/ledger"
	"ballast/price"
	"ballast/tariff"
	"ballast/tariff/metering"
)

// importBody bounds a file that is brought, as base64 in JSON: a year of
// 5-minute readings of two meters.
const importBody = 24 << 20

// ImportHow is how a person says that a file is to be read.
type ImportHow struct {
	Zone     string `json:"zone,omitempty" maxLength:"60" doc:"Time zone; default that of the site's contract."`
	Clock    string `json:"clock,omitempty" enum:"local,standard,utc" doc:"What local times follow: the zone's clock, its standard time all year, or UTC. Default local."`
	Stamp    string `json:"stamp,omitempty" enum:"start,end" doc:"Which end of an interval times are, where the file does not tell."`
	Dates    string `json:"dates,omitempty" enum:"mdy,dmy" doc:"Whether months or days come first, where the file does not tell."`
	Unit     string `json:"unit,omitempty" enum:"Wh,kWh,MWh,kW,MW" doc:"Of the values; default what the file says."`
	Interval int    `json:"interval_min,omitempty" enum:"5,10,15,20,30,60" doc:"Where the file does not tell."`
	Meter    string `json:"meter,omitempty" maxLength:"100" doc:"Name of the meter where the file names none."`
}

func (h ImportHow) how() metering.How {
	clock := metering.Clock(h.Clock)
	if h.Clock == "local" {
		clock = metering.Local
	}
	return metering.How{Clock: clock, Stamp: metering.Stamp(h.Stamp), Dates: metering.Dates(h.Dates), Unit: h.Unit, Interval: time.Duration(h.Interval) * time.Minute, Meter: strings.TrimSpace(h.Meter)}
}

type bringInput struct {
	Body struct {
		Site    string    `json:"site" minLength:"1" maxLength:"200"`
		Name    string    `json:"name,omitempty" maxLength:"200" doc:"Of the file."`
		File    []byte    `json:"file" doc:"The file, base64: CSV or Green Button XML, at most 16 MB."`
		How     ImportHow `json:"how,omitzero"`
		Preview bool      `json:"preview,omitempty" doc:"Only say what would change."`
		Seen    int64     `json:"seen,omitempty" doc:"From the preview: refused with 412 when somebody imported meanwhile."`
	}
}

// AwardEntry is a day-ahead position that somebody enters.
type AwardEntry struct {
	Start   time.Time `json:"start"`
	MW      float64   `json:"mw" minimum:"-100000" maximum:"100000" doc:"Awarded over the interval; a zero award is not the same as none. Sold is negative."`
	Minutes int       `json:"minutes,omitempty" enum:"5,15,30,60" doc:"Default 60."`
}

type positionsInput struct {
	Body struct {
		Site      string       `json:"site" minLength:"1" maxLength:"200"`
		Positions []AwardEntry `json:"positions" minItems:"1" maxItems:"10000"`
		Preview   bool         `json:"preview,omitempty" doc:"Only say what would change."`
		Seen      *int64       `json:"seen,omitempty" doc:"From the preview: refused with 412 when somebody imported meanwhile. Missing: the newest."`
	}
}

// MeterDataBody is what a site has of its utility's meters.
type MeterDataBody struct {
	Site    string              `json:"site"`
	Zone    string              `json:"zone"`
	Meters  []MeterData         `json:"meters"`
	Months  []price.Against     `json:"months" doc:"Newest first, beside the site's own meter; 25 at most."`
	Imports []ledger.SiteImport `json:"imports" doc:"Newest first, withdrawn ones too."`
}

// MeterData is a meter of the utility's.
type MeterData struct {
	Name  string     `json:"name"`
	First time.Time  `json:"first"`
	Last  time.Time  `json:"last"`
	Ended *time.Time `json:"ended,omitempty" doc:"When it was taken out: the sum of the site does without it from then on."`
}

// AwardsBody is what a site was awarded day-ahead.
type AwardsBody struct {
	Site    string              `json:"site"`
	Zone    string              `json:"zone"`
	Asked   bool                `json:"asked" doc:"A contract of the site settles against awards."`
	Days    []price.AwardDay    `json:"days" doc:"Of the span, oldest first."`
	Imports []ledger.SiteImport `json:"imports" doc:"Newest first, withdrawn ones too."`
}

type awardsInput struct {
	SiteQuery
	Month string `query:"month" maxLength:"7" doc:"2026-10; default the present one."`
}

type importPath struct {
	ID int64 `path:"id"`
}

type meterEndInput struct {
	Body struct {
		Site  string     `json:"site" minLength:"1" maxLength:"200"`
		Meter string     `json:"meter" minLength:"1" maxLength:"200"`
		At    *time.Time `json:"at,omitempty" doc:"When it was taken out; missing: it is in place again."`
	}
}

func (s *Server) registerSiteImports() {
	tags := []string{"price"}
	o := func(id, method, path, summary, words string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: "/api/v1" + path, Summary: summary, Description: words, Tags: tags, MaxBodyBytes: importBody, Errors: []int{404, 409, 412, 422, 503}}
	}
	op(s, o("meter-data", http.MethodGet, "/meter-data", "What is known from the utility's meters", "Months beside the site's own meter, and the imports."), s.meterData)
	op(s, o("import-meter-data", http.MethodPost, "/meter-data", "Import the utility's interval data, all or nothing", "CSV or Green Button. With preview it says what was understood and what would change, and changes nothing. A later import of the same intervals revises them; the earlier one stays in the record."), s.importKind(ledger.UtilityMeter))
	op(s, o("withdraw-meter-data", http.MethodDelete, "/meter-data/{id}", "Withdraw an import: it counts no more, and stays in the record", ""), s.withdraw(ledger.UtilityMeter))
	op(s, o("end-meter", http.MethodPost, "/meter-data/end", "Say that a meter of the utility's was taken out", "From then on the sum of the site does without it."), s.endMeter)
	op(s, o("awards", http.MethodGet, "/awards", "Day-ahead awards of a month", ""), s.awards)
	op(s, o("import-awards", http.MethodPost, "/awards", "Import day-ahead awards, all or nothing", "CSV with a time (start, or date and hour ending) and MW or MWh. Rows of one hour with several bids are summed. With preview it changes nothing."), s.importKind(ledger.Award))
	op(s, o("enter-awards", http.MethodPost, "/awards/entries", "Enter day-ahead awards", ""), s.enterAwards)
	op(s, o("withdraw-awards", http.MethodDelete, "/awards/{id}", "Withdraw an import of awards", ""), s.withdraw(ledger.Award))
}

// moneySite is a site where the one who asks may see money.
func (s *Server) moneySite(ctx context.Context, site string) (*price.Desk, error) {
	desk, err := s.priceDesk()
	if err != nil {
		return nil, err
	}
	if !scope(ctx).Covers(site) {
		return nil, huma.Error404NotFound("there is no site " + site)
	}
	names, err := s.siteNames(ctx, scope(ctx).Narrow(site))
	if err != nil {
		return nil, s.recordError("reading the sites", err)
	}
	if len(names) == 0 {
		return nil, huma.Error404NotFound("there is no site " + site)
	}
	return desk, nil
}

func (s *Server) importKind(kind string) func(context.Context, *bringInput) (*struct{ Body *price.Brought }, error) {
	return func(ctx context.Context, in *bringInput) (*struct{ Body *price.Brought }, error) {
		desk, err := s.moneySite(ctx, in.Body.Site)
		if err != nil {
			return nil, err
		}
		b, err := desk.Weigh(ctx, in.Body.Site, kind, in.Body.Name, in.Body.File, in.Body.How.Zone, in.Body.How.how())
		return s.brought(ctx, desk, b, err, in.Body.File, in.Body.Preview, in.Body.Seen)
	}
}

// brought answers a preview, or writes.
func (s *Server) brought(ctx context.Context, desk *price.Desk, b *price.Brought, err error, file []byte, preview bool, seen int64) (*struct{ Body *price.Brought }, error) {
	if err != nil {
		if errors.Is(err, ledger.ErrInvalid) {
			return nil, huma.Error422UnprocessableEntity(strings.TrimPrefix(err.Error(), ledger.ErrInvalid.Error()+": "))
		}
		return nil, s.recordError("reading the file", err)
	}
	if preview {
		return &struct{ Body *price.Brought }{b}, nil
	}
	if len(b.File.Problems) > 0 {
		var details []error
		for _, p := range b.File.Problems {
			details = append(details, &huma.ErrorDetail{Message: p.What + ": " + p.Do, Location: p.Field, Value: p.Line})
		}
		return nil, huma.Error422UnprocessableEntity("nothing was imported: "+b.File.Problems[0].String(), details...)
	}
	p, _ := principal(ctx)
	if err := desk.Bring(ctx, b, file, seen, ledger.By(p.Name())); err != nil {
		return nil, s.recordError("importing", err)
	}
	return &struct{ Body *price.Brought }{b}, nil
}

func (s *Server) enterAwards(ctx context.Context, in *positionsInput) (*struct{ Body *price.Brought }, error) {
	desk, err := s.moneySite(ctx, in.Body.Site)
	if err != nil {
		return nil, err
	}
	var list []metering.Reading
	for _, p := range in.Body.Positions {
		r := metering.Reading{Start: p.Start, Length: time.Hour, Value: int64(p.MW*1e6 + 0.5)}
		if p.MW < 0 {
			r.Value = -int64(-p.MW*1e6 + 0.5)
		}
		if p.Minutes > 0 {
			r.Length = time.Duration(p.Minutes) * time.Minute
		}
		list = append(list, r)
	}
	b, err := desk.Positions(ctx, in.Body.Site, list)
	seen := int64(0)
	if in.Body.Seen != nil {
		seen = *in.Body.Seen
	} else if b != nil {
		seen = b.Seen
	}
	return s.brought(ctx, desk, b, err, nil, in.Body.Preview, seen)
}

func (s *Server) withdraw(kind string) func(context.Context, *importPath) (*struct{}, error) {
	return func(ctx context.Context, in *importPath) (*struct{}, error) {
		i, err := s.Record.SiteImport(ctx, in.ID)
		if err != nil {
			return nil, s.recordError("reading the import", err)
		}
		if i.Kind != kind || !scope(ctx).Covers(i.Site) {
			return nil, huma.Error404NotFound("there is no such import")
		}
		p, _ := principal(ctx)
		if err := s.Record.WithdrawSiteImport(ctx, in.ID, ledger.By(p.Name())); err != nil {
			return nil, s.recordError("withdrawing the import", err)
		}
		return nil, nil
	}
}

func (s *Server) endMeter(ctx context.Context, in *meterEndInput) (*struct{}, error) {
	if _, err := s.moneySite(ctx, in.Body.Site); err != nil {
		return nil, err
	}
	at := time.Time{}
	if in.Body.At != nil {
		at = *in.Body.At
	}
	p, _ := principal(ctx)
	if err := s.Record.EndSiteMeter(ctx, in.Body.Site, in.Body.Meter, at, ledger.By(p.Name())); err != nil {
		return nil, s.recordError("ending the meter", err)
	}
	return nil, nil
}

func (s *Server) meterData(ctx context.Context, in *SiteQuery) (*struct{ Body MeterDataBody }, error) {
	desk, err := s.priceDesk()
	if err != nil {
		return nil, err
	}
	site, err := s.reportSite(ctx, in.Only)
	if err != nil {
		return nil, err
	}
	out := MeterDataBody{Site: site, Meters: []MeterData{}}
	if out.Months, out.Zone, err = desk.UtilityMonths(ctx, site, 25); err != nil {
		return nil, s.recordError("reading the utility's meters", err)
	}
	meters, err := s.Record.SiteMeters(ctx, site, ledger.UtilityMeter)
	if err != nil {
		return nil, s.recordError("reading the utility's meters", err)
	}
	for _, m := range meters {
		d := MeterData{Name: m.Name, First: m.First, Last: m.Last}
		if !m.Ended.IsZero() {
			d.Ended = &m.Ended
		}
		out.Meters = append(out.Meters, d)
	}
	if out.Imports, err = s.Record.SiteImports(ctx, site, ledger.UtilityMeter); err != nil {
		return nil, s.recordError("reading the imports", err)
	}
	if out.Imports == nil {
		out.Imports = []ledger.SiteImport{}
	}
	return &struct{ Body MeterDataBody }{out}, nil
}

func (s *Server) awards(ctx context.Context, in *awardsInput) (*struct{ Body AwardsBody }, error) {
	desk, err := s.priceDesk()
	if err != nil {
		return nil, err
	}
	site, err := s.reportSite(ctx, in.Only)
	if err != nil {
		return nil, err
	}
	month := tariff.MonthOf(time.Now())
	if in.Month != "" {
		if month, err = tariff.ParseMonth(in.Month); err != nil {
			return nil, huma.Error422UnprocessableEntity(err.Error())
		}
	}
	out := AwardsBody{Site: site}
	if out.Days, out.Zone, out.Asked, err = desk.AwardDays(ctx, site, month); err != nil {
		return nil, s.recordError("reading the awards", err)
	}
	if out.Imports, err = s.Record.SiteImports(ctx, site, ledger.Award); err != nil {
		return nil, s.recordError("reading the imports", err)
	}
	if out.Imports == nil {
		out.Imports = []ledger.SiteImport{}
	}
	return &struct{ Body AwardsBody }{out}, nil
}
