package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // contracts and operators name zones; a server may have none installed

	"ballast/config"
	"ballast/ledger"
	"ballast/price"
	"ballast/server"
	"ballast/sim"
	"ballast/tariff/feed"
	"ballast/unit"
)

// plans makes plans of the configured feeds.
func plans(p config.Power) ([]feed.Plan, error) {
	declared := make([]feed.Declared, len(p.Feeds))
	for i, f := range p.Feeds {
		f, err := f.Resolved()
		if err != nil {
			return nil, fmt.Errorf("%w: power.feeds[%d]: %w", errUsage, i, err)
		}
		d := feed.Declared{
			Kind: f.Kind, URL: f.URL, Every: f.Every, Behind: f.Behind, Ahead: f.Ahead, Revisit: f.Revisit, Past: f.Past, Report: f.Report, Points: f.Points,
			User: f.User, Password: feed.Secret(f.Password), Key: feed.Secret(f.Key), Area: f.Area, Label: f.Label, Token: feed.Secret(f.Token),
			Currency: unit.Currency(f.Currency), Interval: f.Interval, Series: f.Series, Quantity: feed.Quantity(f.Quantity), Lag: f.Lag, DayAhead: f.DayAhead, Horizon: f.Horizon, Final: f.Final,
		}
		if s := f.Shape; s.Time != "" || s.Value != "" || s.Rows != "" {
			d.Shape = &feed.Shape{Rows: s.Rows, Delimiter: s.Delimiter, Skip: s.Skip, Time: s.Time, Date: s.Date, Layout: s.Layout, Zone: s.Zone, Ends: s.Ends, Value: s.Value, Scale: s.Scale, Comma: s.Comma}
			for _, m := range s.Where {
				d.Shape.Where = append(d.Shape.Where, feed.Match{Name: m.Name, Is: m.Is})
			}
		}
		for _, h := range f.Headers {
			d.Headers = append(d.Headers, feed.Header{Name: h.Name, Value: feed.Secret(h.Value)})
		}
		declared[i] = d
	}
	out, err := feed.Plans(declared, time.Now)
	if err != nil {
		return nil, fmt.Errorf("%w: power: %w", errUsage, err)
	}
	return out, nil
}

// openDesk makes the desk of prices: feeds, contract files, forecasts.
func (h *house) openDesk(ctx context.Context, version string) error {
	p := h.cfg.Power
	list, err := plans(p)
	if err != nil {
		return err
	}
	f := p.Forecast
	h.desk, err = price.Open(ctx, price.Options{
		Record: h.record, Plans: list, Web: &feed.Web{Client: &http.Client{}, Agent: "ballast/" + version}, Simulated: h.simulated, Machines: server.MachineEnergy(h.history), Log: h.log,
		Seed:     uint64(os.Getpid()),
		Memory:   filepath.Join(h.cfg.Data, "forecast"),
		Forecast: price.How{Enabled: f.Enabled, Series: f.Series, SpikeAt: float64(f.SpikeAt), History: f.History, Trial: f.Trial, Threads: f.Threads},
	})
	if err != nil {
		return fmt.Errorf("opening the desk of prices: %w", err)
	}
	for i, c := range p.Contracts {
		site := c.Site
		if site == "" {
			site = h.cfg.Site.Name
		}
		text, err := os.ReadFile(c.File)
		if err != nil {
			return fmt.Errorf("%w: power.contracts[%d]: %w", errUsage, i, err)
		}
		if err := h.desk.Sow(ctx, site, "file "+c.File, string(text), ledger.By("system")); err != nil {
			return fmt.Errorf("%w: power.contracts[%d]: %w", errUsage, i, err)
		}
	}
	return nil
}

// simulatedPower points the configuration at the simulated operator. Its series
// are called sim.*, so that nobody takes them for a market's.
func simulatedPower(cfg *config.Config, control string) {
	one := func(series, quantity string, interval, lag, ahead time.Duration) {
		f := config.PowerFeed{
			Kind: "json", Label: "simulated market: " + series, URL: "http://" + control + "/market/" + series + "?from={from:2006-01-02T15:04:05Z}&to={to:2006-01-02T15:04:05Z}",
			Series: "sim." + series, Quantity: quantity, Interval: interval, Every: time.Minute, Past: 180 * 24 * time.Hour, Lag: lag, DayAhead: ahead, Horizon: 60 * time.Hour,
			Shape: config.FeedShape{Rows: "data", Time: "start", Value: "value", Zone: "America/Chicago"},
		}
		if quantity == string(feed.EnergyPrice) {
			f.Currency = string(unit.USD)
		}
		cfg.Power.Feeds = append(cfg.Power.Feeds, f)
	}
	one(sim.DayAhead, string(feed.EnergyPrice), time.Hour, 0, 13*time.Hour+30*time.Minute)
	one(sim.RealTime, string(feed.EnergyPrice), 15*time.Minute, 30*time.Second, 0)
	one(sim.SystemLoad, string(feed.Load), 15*time.Minute, 30*time.Second, 0)
	one(sim.LoadForecast, string(feed.Load), time.Hour, 0, 6*time.Hour)
	one(sim.WindForecast, string(feed.Load), time.Hour, 0, 6*time.Hour)
}

// sowSimulated gives a simulated site that has none a contract and the past of
// its meter, so that its pages show something from the first minute.
func (h *house) sowSimulated(ctx context.Context, site string, r ready) error {
	have, err := h.desk.Contracts(ctx)
	if err != nil || slices.ContainsFunc(have, func(c price.Contract) bool { return c.Site == site }) {
		return err
	}
	now := time.Now().UTC()
	zone, err := time.LoadLocation("America/Chicago") // the contract's clock: whole months
	if err != nil {
		return err
	}
	from := time.Date(now.Year(), now.Month()-3, 1, 0, 0, 0, 0, zone).UTC()
	text := sim.MarketTariff(r.Nominal, time.Date(now.Year()-1, 1, 1, 0, 0, 0, 0, time.UTC))
	if err := h.desk.Sow(ctx, site, "simulation", text, ledger.By("simulation")); err != nil {
		return err
	}
	known, err := h.record.MeterEnergy(ctx, site, from, now)
	if err != nil || len(known) > 0 {
		return err
	}
	quarters, err := meterPast(ctx, r.Control, from, now)
	if err != nil {
		return fmt.Errorf("reading the past of the simulated meter: %w", err)
	}
	var rows []ledger.MeterEnergy
	for _, q := range quarters {
		if !q.Start.Add(15 * time.Minute).After(now) {
			rows = append(rows, ledger.MeterEnergy{Site: site, Meter: "meter " + mainMeter, At: q.Start, Joules: int64(q.Joules), Covered: 15 * time.Minute})
		}
	}
	return h.record.AddMeterEnergy(ctx, rows)
}

func meterPast(ctx context.Context, control string, from, to time.Time) ([]sim.MeterQuarter, error) {
	at := url.URL{Scheme: "http", Host: control, Path: "/market/meter", RawQuery: url.Values{"from": {from.Format(time.RFC3339)}, "to": {to.Format(time.RFC3339)}}.Encode()}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 500))
		return nil, fmt.Errorf("%s: %s", res.Status, strings.TrimSpace(string(text)))
	}
	var body struct {
		Data []sim.MeterQuarter `json:"data"`
	}
	return body.Data, json.NewDecoder(res.Body).Decode(&body)
}
