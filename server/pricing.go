package server

import (
	"context"
	"errors"
	"math"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/price"
	"ballast/tariff"
	"ballast/tariff/feed"
	"ballast/telemetry"
	"ballast/unit"
)

// priceDesk is the desk of prices; 503 on a server that runs without.
func (s *Server) priceDesk() (*price.Desk, error) {
	if s.PriceDesk == nil {
		return nil, huma.Error503ServiceUnavailable("prices are not available here")
	}
	return s.PriceDesk, nil
}

// priceError names the desk's errors.
func (s *Server) priceError(what string, err error) error {
	switch {
	case errors.Is(err, price.ErrNoContract), errors.Is(err, tariff.ErrNotInForce):
		return huma.Error404NotFound(err.Error())
	case errors.Is(err, price.ErrMonth):
		return huma.Error422UnprocessableEntity(err.Error())
	}
	return s.recordError(what, err)
}

// PriceSite is what a site pays now, or why that is not known.
type PriceSite struct {
	Site    string     `json:"site"`
	Now     *price.Now `json:"now,omitempty"`
	Problem string     `json:"problem,omitempty" doc:"Why there is no price: no contract is in force."`
}

type priceNowInput struct {
	SiteQuery
	At time.Time `query:"at" doc:"Another instant, past or to come; default now."`
}

type priceNextInput struct {
	SiteQuery
	Hours int `query:"hours" default:"24" minimum:"1" maximum:"72"`
	Step  int `query:"step_min" default:"60" minimum:"15" maximum:"60" doc:"Minutes of a step: 15, 30 or 60."`
}

// PriceHour is a step of the time to come.
type PriceHour struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	PerMWh   float64   `json:"price_per_mwh"`
	Known    float64   `json:"known_per_mwh" doc:"Of it: published or by the contract."`
	Expected float64   `json:"expected_per_mwh" doc:"Of it: forecasts, estimates and probabilities."`
	Status   string    `json:"status" enum:"settled,provisional,expected,estimated,missing"`
	Missing  []string  `json:"missing,omitempty"`
	Parts    []PartNow `json:"parts"`
}

// PartNow is a part of the contract in a price.
type PartNow struct {
	Part   string  `json:"part"`
	Kind   string  `json:"kind"`
	PerMWh float64 `json:"price_per_mwh"`
	Status string  `json:"status"`
	Source string  `json:"source"`
	Note   string  `json:"note,omitempty"`
}

type priceNextBody struct {
	Site     string      `json:"site"`
	Currency string      `json:"currency"`
	Hours    []PriceHour `json:"hours"`
}

// PriceSeries is a series that feeds give.
type PriceSeries struct {
	Name     string       `json:"name"`
	Quantity string       `json:"quantity" enum:"price,capacity price,load"`
	Unit     string       `json:"unit"`
	Interval int          `json:"interval_s"`
	Ahead    bool         `json:"day_ahead" doc:"All of a day is published on the day before."`
	Latest   *SeriesValue `json:"latest,omitempty" doc:"The newest value of an interval that has begun."`
	Forecast bool         `json:"forecast" doc:"Ballast forecasts it."`
	Champion string       `json:"champion,omitempty" doc:"Whose forecast of the days counts."`
	Used     []string     `json:"used_by" doc:"Contracts that you may see sites of and that ask for it."`
}

// SeriesValue is one published value.
type SeriesValue struct {
	From      time.Time  `json:"from"`
	To        time.Time  `json:"to"`
	Value     float64    `json:"value"`
	Published *time.Time `json:"published,omitempty"`
	Received  time.Time  `json:"received"`
	Revision  int        `json:"revision" doc:"0 is the first value that was published."`
}

func seriesValue(v feed.Value) SeriesValue {
	out := SeriesValue{From: v.Start, To: v.Start.Add(v.Length), Value: float64(v.Micro) / 1e6, Received: v.Received, Revision: v.Revision}
	if !v.Published.IsZero() {
		at := v.Published
		out.Published = &at
	}
	return out
}

type priceHistoryInput struct {
	Series string    `query:"series" required:"true" maxLength:"200"`
	From   time.Time `query:"from" doc:"Default a day before to."`
	To     time.Time `query:"to" doc:"Default a day and a half from now."`
	Model  string    `query:"model" maxLength:"100" doc:"Whose forecasts; default the champion's."`
}

// PriceFan is a forecast laid over time: for each slot the quantiles.
type PriceFan struct {
	Levels  []float64   `json:"levels"`
	Times   []int64     `json:"times" doc:"Unix seconds at the start of each slot."`
	Values  [][]float64 `json:"values" doc:"Slot, then level."`
	Mean    []float64   `json:"mean"`
	Spike   []*float64  `json:"spike" doc:"Probability of a price above spike_at; null where it was not forecast."`
	SpikeAt float64     `json:"spike_at"`
	Model   []string    `json:"model" doc:"Of each slot."`
	Issued  []time.Time `json:"issued" doc:"Of each slot: nothing later went in."`
	Hind    []bool      `json:"replayed" doc:"Of each slot: the forecast was made in hindsight, from what was published before its day."`
}

type priceHistoryBody struct {
	Series    string        `json:"series"`
	Unit      string        `json:"unit"`
	Slot      int           `json:"interval_s"`
	Zone      string        `json:"zone"`
	From      time.Time     `json:"from"`
	To        time.Time     `json:"to"`
	Values    []SeriesValue `json:"values"`
	Fan       PriceFan      `json:"fan" doc:"What was and is forecast, one slot an hour."`
	Simulated bool          `json:"simulated"`
}

// mostPrices bounds an answer: a year of quarters of an hour.
const mostPrices = 400 * 24 * time.Hour

func (s *Server) registerPrices() {
	tags := []string{"price"}
	get := func(id, path, summary, words string) huma.Operation {
		return huma.Operation{OperationID: id, Method: http.MethodGet, Path: "/api/v1/price" + path, Summary: summary, Description: words, Tags: tags, Errors: []int{404, 422, 503}}
	}
	op(s, get("price-now", "", "What one more MWh costs at each site", "By the contract in force, component by component, with the age of every market price behind it."), s.priceNow)
	op(s, get("price-next", "/next", "What one more MWh will cost in the hours to come", "Published prices where there are some, forecasts beyond."), s.priceNext)
	op(s, get("price-series", "/series", "The series that the feeds give", ""), s.priceSeries)
	op(s, get("price-history", "/history", "What a series was, and what was and is forecast of it", ""), s.priceHistory)
	op(s, get("price-revisions", "/revisions", "Everything that was published of one interval", "The current value is last."), s.priceRevisions)
	op(s, get("price-risk", "/risk", "Spikes and coincident peaks to come", ""), s.priceRisk)
	op(s, get("price-feeds", "/feeds", "How each market feed is", ""), s.priceFeeds)
	op(s, get("price-scoreboard", "/scoreboard", "How the forecasts did, against naive ones", "Models of a series in the order of their pinball loss. Only forecasts that were made before their day count when models are compared; with live=true only these are shown."), s.priceBoard)
	op(s, get("price-models", "/models", "A card for each model at each series", ""), s.priceModels)
	s.registerContracts()
	s.registerStatements()
	s.registerSiteImports()
}

func (s *Server) priceNow(ctx context.Context, in *priceNowInput) (*struct{ Body []PriceSite }, error) {
	desk, err := s.priceDesk()
	if err != nil {
		return nil, err
	}
	names, err := s.siteNames(ctx, scope(ctx).Narrow(in.Only))
	if err != nil {
		return nil, s.recordError("reading the sites", err)
	}
	at := in.At
	if at.IsZero() {
		at = time.Now()
	}
	out := []PriceSite{}
	for _, name := range names {
		now, err := desk.At(ctx, name, at)
		switch {
		case err == nil:
			out = append(out, PriceSite{Site: name, Now: &now})
		case errors.Is(err, price.ErrNoContract), errors.Is(err, tariff.ErrNotInForce):
			out = append(out, PriceSite{Site: name, Problem: err.Error()})
		default:
			return nil, s.priceError("working out the price", err)
		}
	}
	return &struct{ Body []PriceSite }{out}, nil
}

// siteNames are the sites of a scope that there are, the server's own first.
func (s *Server) siteNames(ctx context.Context, sites Scope) ([]string, error) {
	recorded, err := s.Record.Sites(ctx)
	if err != nil {
		return nil, err
	}
	out := []string{}
	if sites.Covers(s.Options.Site) {
		out = append(out, s.Options.Site)
	}
	for _, r := range recorded {
		if sites.Covers(r.Name) && !slices.Contains(out, r.Name) {
			out = append(out, r.Name)
		}
	}
	return out, nil
}

func (s *Server) priceNext(ctx context.Context, in *priceNextInput) (*struct{ Body priceNextBody }, error) {
	desk, err := s.priceDesk()
	if err != nil {
		return nil, err
	}
	site, err := s.reportSite(ctx, in.Only)
	if err != nil {
		return nil, err
	}
	if 60%in.Step != 0 {
		return nil, huma.Error422UnprocessableEntity("step_min: want 15, 30 or 60")
	}
	step := time.Duration(in.Step) * time.Minute
	hours, err := desk.Next(ctx, site, time.Now(), step, int(time.Duration(in.Hours)*time.Hour/step))
	if err != nil {
		return nil, s.priceError("working out the prices to come", err)
	}
	body := priceNextBody{Site: site, Hours: []PriceHour{}}
	for _, h := range hours {
		b := h.Breakdown
		body.Currency = string(b.Total.Currency)
		line := PriceHour{From: b.From, To: b.From.Add(step), PerMWh: h.PerMWh, Known: b.Known.PerMWh(), Expected: b.Expected.PerMWh(), Status: b.Status.String(), Missing: b.Missing, Parts: []PartNow{}}
		for _, c := range b.Components {
			line.Parts = append(line.Parts, PartNow{c.Part, string(c.Kind), c.Price.PerMWh(), c.Status.String(), c.Source, c.Note})
		}
		body.Hours = append(body.Hours, line)
	}
	return &struct{ Body priceNextBody }{body}, nil
}

func (s *Server) priceSeries(ctx context.Context, _ *struct{}) (*struct{ Body []PriceSeries }, error) {
	desk, err := s.priceDesk()
	if err != nil {
		return nil, err
	}
	contracts, err := desk.Contracts(ctx)
	if err != nil {
		return nil, s.recordError("reading the contracts", err)
	}
	out := []PriceSeries{}
	for _, k := range desk.Series() {
		line := PriceSeries{Name: k.Name, Quantity: string(k.Quantity), Unit: k.Unit(), Interval: int(k.Interval / time.Second), Ahead: k.Publish.DayAhead, Forecast: desk.Forecasted(k.Name), Used: []string{}}
		if v, ok := desk.Latest(ctx, k.Name); ok {
			latest := seriesValue(v)
			line.Latest = &latest
		}
		if line.Forecast {
			c, err := desk.Champion(ctx, k.Name, price.DayAhead)
			if err != nil {
				return nil, s.recordError("reading the champions", err)
			}
			line.Champion = c.Model
		}
		for _, c := range contracts {
			if c.Parsed != nil && scope(ctx).Covers(c.Site) && slices.Contains(slices.Concat(c.Parsed.Series(), c.Parsed.LoadSeries()), k.Name) {
				line.Used = append(line.Used, c.Site)
			}
		}
		out = append(out, line)
	}
	return &struct{ Body []PriceSeries }{out}, nil
}

func (s *Server) priceHistory(ctx context.Context, in *priceHistoryInput) (*struct{ Body priceHistoryBody }, error) {
	desk, err := s.priceDesk()
	if err != nil {
		return nil, err
	}
	series, ok := desk.Known(in.Series)
	if !ok {
		return nil, huma.Error404NotFound("no feed gives " + in.Series)
	}
	to, from := in.To, in.From
	if to.IsZero() {
		to = time.Now().Add(36 * time.Hour)
	}
	if from.IsZero() {
		from = to.Add(-60 * time.Hour)
	}
	if !from.Before(to) || to.Sub(from) > mostPrices {
		return nil, huma.Error422UnprocessableEntity("ask for a span of up to 400 days, from before to")
	}
	values, err := desk.Values(ctx, in.Series, from, to)
	if err != nil {
		return nil, s.fail("reading prices", err)
	}
	body := priceHistoryBody{Series: in.Series, Unit: series.Unit(), Slot: int(series.Interval / time.Second), Zone: desk.Zone(ctx, in.Series), From: from, To: to, Values: []SeriesValue{}, Simulated: s.Simulated}
	for _, v := range values {
		body.Values = append(body.Values, seriesValue(v))
	}
	list, err := desk.Forecasts(ctx, in.Series, price.DayAhead, in.Model, from, to, 0)
	if err != nil {
		return nil, s.recordError("reading forecasts", err)
	}
	body.Fan = fanOf(list, from, to)
	return &struct{ Body priceHistoryBody }{body}, nil
}

// fanOf lays forecasts, newest first, side by side. Of two forecasts of one slot
// the one that was made first counts, as it did then.
func fanOf(list []price.Forecast, from, to time.Time) PriceFan {
	fan := PriceFan{Levels: []float64{}, Times: []int64{}, Values: [][]float64{}, Mean: []float64{}, Spike: []*float64{}, Model: []string{}, Issued: []time.Time{}, Hind: []bool{}}
	slices.SortStableFunc(list, func(a, b price.Forecast) int { return a.Start.Compare(b.Start) })
	var end time.Time
	for _, f := range list {
		if len(fan.Levels) == 0 {
			fan.Levels = f.Levels
		}
		if !slices.Equal(fan.Levels, f.Levels) || f.Start.Before(end) {
			continue
		}
		end = f.End
		for i := range f.Mean {
			at := f.Start.Add(time.Duration(i*f.Slot) * time.Second)
			if at.Before(from) || !at.Before(to) {
				continue
			}
			fan.Times, fan.Values, fan.Mean = append(fan.Times, at.Unix()), append(fan.Values, f.Values[i]), append(fan.Mean, f.Mean[i])
			fan.Model, fan.Issued, fan.Hind = append(fan.Model, f.Model), append(fan.Issued, f.Issued), append(fan.Hind, f.Replayed)
			var spike *float64
			if f.Spike != nil {
				spike, fan.SpikeAt = &f.Spike[i], f.SpikeAt
			}
			fan.Spike = append(fan.Spike, spike)
		}
	}
	return fan
}

type priceRevisionsInput struct {
	Series string    `query:"series" required:"true" maxLength:"200"`
	At     time.Time `query:"at" required:"true" doc:"Start of the interval."`
}

func (s *Server) priceRevisions(ctx context.Context, in *priceRevisionsInput) (*struct{ Body []SeriesValue }, error) {
	desk, err := s.priceDesk()
	if err != nil {
		return nil, err
	}
	if _, ok := desk.Known(in.Series); !ok {
		return nil, huma.Error404NotFound("no feed gives " + in.Series)
	}
	list, err := desk.Revisions(ctx, in.Series, in.At)
	if err != nil {
		return nil, s.fail("reading prices", err)
	}
	out := []SeriesValue{}
	for _, v := range list {
		out = append(out, seriesValue(v))
	}
	return &struct{ Body []SeriesValue }{out}, nil
}

func (s *Server) priceFeeds(context.Context, *struct{}) (*struct {
	Body struct {
		Feeds     []feed.Health `json:"feeds"`
		Simulated bool          `json:"simulated"`
	}
}, error) {
	desk, err := s.priceDesk()
	if err != nil {
		return nil, err
	}
	out := &struct {
		Body struct {
			Feeds     []feed.Health `json:"feeds"`
			Simulated bool          `json:"simulated"`
		}
	}{}
	out.Body.Feeds, out.Body.Simulated = desk.Feeds(), s.Simulated
	if out.Body.Feeds == nil {
		out.Body.Feeds = []feed.Health{}
	}
	return out, nil
}

type priceBoardInput struct {
	Days int  `query:"days" default:"28" minimum:"1" maximum:"730"`
	Live bool `query:"live" doc:"Leave out forecasts that were made in hindsight."`
}

type priceBoardBody struct {
	Days      int              `json:"days"`
	Trial     int              `json:"trial_days" doc:"Settled days that a challenger and the champion must share."`
	Models    []price.Standing `json:"models"`
	Working   price.Work       `json:"working"`
	Simulated bool             `json:"simulated"`
}

func (s *Server) priceBoard(ctx context.Context, in *priceBoardInput) (*struct{ Body priceBoardBody }, error) {
	desk, err := s.priceDesk()
	if err != nil {
		return nil, err
	}
	list, err := desk.Board(ctx, in.Days, in.Live)
	if err != nil {
		return nil, s.recordError("reading the scores", err)
	}
	return &struct{ Body priceBoardBody }{priceBoardBody{in.Days, desk.Forecast.Trial, list, desk.Working(), s.Simulated}}, nil
}

func (s *Server) priceModels(ctx context.Context, in *struct {
	Days int `query:"days" default:"28" minimum:"1" maximum:"730"`
}) (*struct{ Body []price.Card }, error) {
	desk, err := s.priceDesk()
	if err != nil {
		return nil, err
	}
	list, err := desk.Cards(ctx, in.Days)
	if err != nil {
		return nil, s.recordError("reading the cards", err)
	}
	return &struct{ Body []price.Card }{list}, nil
}

func (s *Server) priceRisk(ctx context.Context, in *SiteQuery) (*struct{ Body price.Risk }, error) {
	desk, err := s.priceDesk()
	if err != nil {
		return nil, err
	}
	site, err := s.reportSite(ctx, in.Only)
	if err != nil {
		return nil, err
	}
	r, err := desk.Risk(ctx, site, time.Now())
	if err != nil {
		return nil, s.priceError("working out the risk", err)
	}
	return &struct{ Body price.Risk }{r}, nil
}

// pricesNow is what decisions reckon with: what one more MWh costs the site, and
// what hashrate earns.
func (s *Server) pricesNow(site string, now time.Time) Prices {
	var out Prices
	if s.PriceDesk != nil {
		out.Power = s.PriceDesk.Marginal(context.Background(), site, now)
	}
	if s.Market != nil {
		out.Hashprice = s.hashpriceNow()
	}
	return out
}

// SiteLoad is what a site draws now: what its own meter reads, else what its
// machines tell.
func (s *Server) SiteLoad(site string) (p unit.Power, source string, ok bool) {
	lines, err := s.power(context.Background(), Scope{Sites: []string{site}}, time.Now())
	if err != nil {
		return 0, "", false
	}
	for _, l := range lines {
		switch {
		case l.Site != site || l.Of != "site":
		case l.Metered != nil:
			return unit.Power(*l.Metered), l.Meter, true
		case l.Told != nil:
			return unit.Power(*l.Told), "the sum of the machines", true
		}
	}
	return 0, "", false
}

// MachineEnergy is what the machines of a site say that they used, by quarters of
// an hour: the sum of their mean powers. Quarters with less than half of the
// answers of the fullest are left out.
func MachineEnergy(history telemetry.Store) func(ctx context.Context, site string, from, to time.Time) ([]tariff.Interval, error) {
	const quarter = 15 * time.Minute
	return func(ctx context.Context, site string, from, to time.Time) ([]tariff.Interval, error) {
		res, err := history.Query(ctx, telemetry.Query{Metrics: []telemetry.Metric{telemetry.Power}, Aggregate: telemetry.Sum, Bucket: quarter,
			From: from.Truncate(quarter), To: to, Filter: telemetry.Filter{Sites: []string{site}}, Limit: 100_000})
		if err != nil {
			return nil, err
		}
		var out []tariff.Interval
		for _, line := range res.Series {
			most := int64(0)
			for _, p := range line.Points {
				most = max(most, p.Samples)
			}
			for _, p := range line.Points {
				if !p.At.Add(quarter).After(to) && p.Samples*2 >= most {
					out = append(out, tariff.Interval{Start: p.At, Length: quarter, Energy: unit.Some(unit.Power(math.Round(p.Value)).Over(quarter)), Estimated: true})
				}
			}
		}
		return out, nil
	}
}
