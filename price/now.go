package price

import (
	"context"
	"math"
	"time"

	"ballast/ledger"
	"ballast/tariff"
	"ballast/tariff/feed"
	"ballast/unit"
)

// Now is what a site pays for one more MWh at an instant, and why.
type Now struct {
	Site      string           `json:"site"`
	Contract  int64            `json:"contract"`
	Name      string           `json:"contract_name"`
	Currency  unit.Currency    `json:"currency"`
	Zone      string           `json:"zone" doc:"Of the contract: its clock."`
	Price     tariff.Breakdown `json:"price"`
	PerMWh    float64          `json:"price_per_mwh" doc:"The total, in currency units per MWh."`
	Explained []string         `json:"explained" doc:"What the contract charges then, a sentence a part."`
	Load      *float64         `json:"load_w,omitempty" doc:"What the site draws; demand charges and blocks depend on it."`
	LoadFrom  string           `json:"load_from,omitempty"`
	Markets   []MarketNow      `json:"markets" doc:"The market prices behind it."`
	Simulated bool             `json:"simulated" doc:"The market is a simulation: these are nobody's prices."`
}

// MarketNow is a market price with what a person must know to trust it.
type MarketNow struct {
	Series    string     `json:"series"`
	Unit      string     `json:"unit"`
	Price     *float64   `json:"price,omitempty" doc:"Missing when there is none and nothing stands in."`
	From      *time.Time `json:"from,omitempty"`
	To        *time.Time `json:"to,omitempty"`
	Published *time.Time `json:"published,omitempty" doc:"By the operator, when it says."`
	Received  *time.Time `json:"received,omitempty"`
	AgeS      float64    `json:"age_s" doc:"Since it was received."`
	LateS     float64    `json:"late_s" doc:"How long the price that should be there is overdue."`
	Revision  int        `json:"revision" doc:"0 is the first value that the operator published."`
	Status    string     `json:"status" enum:"settled,provisional,expected,estimated,missing"`
	Newest    bool       `json:"newest" doc:"This is the newest price that is known, of an earlier interval: the present one is not published yet."`
}

// load is what a site draws now, as far as is known.
func (d *Desk) load(site string) (unit.Power, string, bool) {
	if d.Load == nil {
		return 0, "", false
	}
	return d.Load(site)
}

// At is what one more MWh costs a site at t. For a time to come, market prices
// are the forecast's.
func (d *Desk) At(ctx context.Context, site string, t time.Time) (Now, error) {
	c, err := d.InForce(ctx, site, t)
	if err != nil {
		return Now{}, err
	}
	out := Now{Site: site, Contract: c.ID, Name: c.Parsed.Name, Currency: c.Parsed.Currency, Zone: c.Parsed.Zone, Explained: c.Parsed.Explain(t), Markets: []MarketNow{}, Simulated: d.Simulated}
	x, err := d.context(ctx, c, t)
	if err != nil {
		return out, err
	}
	if p, from, ok := d.load(site); ok {
		x.Load = p
		w := float64(p)
		out.Load, out.LoadFrom = &w, from
	}
	if out.Price, err = c.Parsed.PriceAt(t, x); err != nil {
		return out, err
	}
	out.PerMWh = out.Price.Total.PerMWh()
	for _, name := range c.Parsed.Series() {
		out.Markets = append(out.Markets, d.market(ctx, name, t))
	}
	return out, nil
}

// Try is what one more MWh would cost a site at t by a contract that is not in
// use, at a load of watts, or at what the site draws now.
func (d *Desk) Try(ctx context.Context, site string, c *tariff.Contract, t time.Time, watts *float64) (tariff.Breakdown, unit.Power, error) {
	load, _, _ := d.load(site)
	if watts != nil {
		load = unit.Power(*watts)
	}
	x, err := d.context(ctx, Contract{PowerContract: ledger.PowerContract{Site: site, Name: "\x00try"}, Parsed: c}, t)
	if err != nil {
		return tariff.Breakdown{}, load, err
	}
	x.Load = load
	b, err := c.PriceAt(t, x)
	return b, load, err
}

// context is everything that the price at t depends on, but the load.
func (d *Desk) context(ctx context.Context, c Contract, t time.Time) (tariff.Context, error) {
	x := tariff.Context{Prices: d.Ahead(), Incumbents: map[string]unit.Power{}, DemandChance: map[string]float64{}, PeakChance: map[string]float64{}}
	in, err := d.incumbents(ctx, c, t)
	if err != nil {
		return x, err
	}
	x.Incumbents = in.demands
	for part := range in.demands {
		x.DemandChance[part] = in.chance
	}
	for _, set := range c.Parsed.Peaks {
		if p, ok := d.PeakChance(ctx, c.Parsed, set.Name, t); ok {
			x.PeakChance[set.Name] = p
		}
	}
	return x, nil
}

// market is a market price at t, or the newest before it while that is not
// published yet.
func (d *Desk) market(ctx context.Context, name string, t time.Time) MarketNow {
	s, ok := d.series[name]
	out := MarketNow{Series: name, Unit: s.Unit(), Status: tariff.Missing.String()}
	if !ok {
		out.Unit = ""
		return out
	}
	v, found, err := d.store.At(ctx, name, t)
	if err != nil || !found {
		v, found, err = d.store.Latest(ctx, name, t)
		out.Newest = true
	}
	now := d.Now()
	if due := s.Due(t.Truncate(s.Interval)); out.Newest && now.After(due) {
		out.LateS = math.Round(now.Sub(due).Seconds())
	}
	if err != nil || !found {
		out.Newest = false
		return out
	}
	price := float64(v.Micro) / 1e6
	from, to, received := v.Start, v.Start.Add(v.Length), v.Received
	out.Price, out.From, out.To, out.Received, out.Revision = &price, &from, &to, &received, v.Revision
	if !v.Published.IsZero() {
		at := v.Published
		out.Published = &at
	}
	out.AgeS = math.Round(max(0, now.Sub(v.Received).Seconds()))
	if q, ok := d.book.At(name, v.Start); ok {
		out.Status = q.Status.String()
	} else {
		out.Status = tariff.Provisional.String()
	}
	return out
}

// incumbents are the demands that are billed already, good for one interval.
type incumbents struct {
	from    time.Time
	demands map[string]unit.Power
	chance  float64
}

// incumbents of the month of t, by the meter. A new demand counts with the
// chance that no later day of the month is above it, going by the days before.
func (d *Desk) incumbents(ctx context.Context, c Contract, t time.Time) (incumbents, error) {
	now := d.Now()
	if t.After(now) {
		// Of a month to come nothing is billed yet; of this one, what was so far.
		if tariff.MonthOf(t.In(c.Parsed.Location())) == tariff.MonthOf(now.In(c.Parsed.Location())) {
			t = now
		}
	}
	if _, ok := c.Parsed.VersionAt(t); !ok {
		return incumbents{demands: map[string]unit.Power{}}, nil // PriceAt says so
	}
	demanding := false
	for i := range c.Parsed.Versions {
		for j := range c.Parsed.Versions[i].Parts {
			demanding = demanding || c.Parsed.Versions[i].Parts[j].Kind == tariff.Demand
		}
	}
	if !demanding {
		return incumbents{demands: map[string]unit.Power{}}, nil
	}
	key := c.Site + "\x00" + c.PowerContract.Name
	at := t.Truncate(c.Parsed.Interval)
	d.mu.Lock()
	was, ok := d.peaks[key]
	d.mu.Unlock()
	if ok && was.from.Equal(at) && c.ID != 0 {
		return was, nil
	}
	loc := c.Parsed.Location()
	from, to := tariff.MonthOf(t.In(loc)).Span(loc)
	m, err := d.Metered(ctx, c.Site, from.AddDate(0, 0, -30), t)
	if err != nil {
		return incumbents{}, err
	}
	past, err := d.demands(ctx, c, tariff.MonthOf(t.In(loc)))
	if err != nil {
		return incumbents{}, err
	}
	demands, err := c.Parsed.Incumbents(t, m.Intervals, tariff.State{Demands: past})
	if err != nil {
		return incumbents{}, err
	}
	load, _, _ := d.load(c.Site)
	out := incumbents{at, demands, stays(m.Intervals, load, t, to, loc)}
	d.mu.Lock()
	d.peaks[key] = out
	d.mu.Unlock()
	return out, nil
}

// stays is the chance that no day from t to the month's end has a quarter of an
// hour above load: each day left is taken to be as likely above it as the days
// of the past month were.
func stays(meter []tariff.Interval, load unit.Power, t, end time.Time, loc *time.Location) float64 {
	highest := map[tariff.Date]unit.Power{}
	for _, i := range meter {
		e, ok := i.Energy.Get()
		if !ok || i.Length <= 0 {
			continue
		}
		day := tariff.DateOf(i.Start.In(loc))
		highest[day] = max(highest[day], unit.Power(float64(e)/i.Length.Seconds()))
	}
	below := 0
	for _, p := range highest {
		if p <= load {
			below++
		}
	}
	// Laplace's rule: of no days nothing is certain.
	share := float64(below+1) / float64(len(highest)+2)
	left := end.Sub(t).Hours() / 24
	return math.Pow(share, math.Max(left, 0))
}

// Hour is what one more MWh costs in a stretch of time to come.
type Hour struct {
	Breakdown tariff.Breakdown `json:"price"`
	PerMWh    float64          `json:"price_per_mwh"`
}

// Next are the prices from the interval of t on, one a step, as far as market
// prices or forecasts of them reach.
func (d *Desk) Next(ctx context.Context, site string, t time.Time, step time.Duration, n int) ([]Hour, error) {
	c, err := d.InForce(ctx, site, t)
	if err != nil {
		return nil, err
	}
	load, _, _ := d.load(site)
	var out []Hour
	for i := range n {
		at := t.Truncate(step).Add(time.Duration(i) * step)
		x, err := d.context(ctx, c, at)
		if err != nil {
			return out, err
		}
		x.Load = load
		b, err := c.Parsed.PriceAt(at, x)
		if err != nil {
			break // the contract ends: there are no more hours
		}
		out = append(out, Hour{b, b.Total.PerMWh()})
	}
	return out, nil //nolint:nilerr // the end of the contract is none
}

// Marginal is what one MWh more or less costs a site now, for whoever reckons with
// a change of load that lasts: a demand that is set once a month and a peak that
// comes four times a year are not in it, they would be counted for every hour.
// None when a part of the price is not known.
func (d *Desk) Marginal(ctx context.Context, site string, now time.Time) unit.Opt[unit.EnergyPrice] {
	none := unit.None[unit.EnergyPrice]()
	c, err := d.InForce(ctx, site, now)
	if err != nil {
		return none
	}
	x, err := d.context(ctx, c, now)
	if err != nil {
		return none
	}
	x.Load, _, _ = d.load(site)
	for part := range x.DemandChance {
		x.DemandChance[part] = 0
	}
	for _, set := range c.Parsed.Peaks {
		x.PeakChance[set.Name] = 0
	}
	b, err := c.Parsed.PriceAt(now, x)
	if err != nil || b.Status == tariff.Missing {
		return none
	}
	return unit.Some(b.Total)
}

// Ahead gives market prices: those that were published, and for times to come
// what is forecast, marked as such.
func (d *Desk) Ahead() tariff.Prices { return aheadOf{d} }

type aheadOf struct{ d *Desk }

// At implements tariff.Prices.
func (a aheadOf) At(series string, t time.Time) (tariff.Quote, bool) {
	if q, ok := a.d.book.At(series, t); ok {
		return q, true
	}
	s, ok := a.d.series[series]
	if !ok || s.Quantity != feed.EnergyPrice {
		return tariff.Quote{}, false
	}
	// The interval that is running is not published at most operators either.
	if end := t.Truncate(s.Interval).Add(s.Interval); !end.After(a.d.Now()) {
		return tariff.Quote{}, false
	}
	mean, model, issued, ok := a.d.expected(series, t)
	if !ok {
		return tariff.Quote{}, false
	}
	return tariff.Quote{Start: t.Truncate(s.Interval), Length: s.Interval, Price: unit.EnergyPriceOf(mean, s.Currency), Status: tariff.Expected,
		Source: series + ", forecast by " + model, Received: issued}, true
}
