// Package price is the desk that looks after what electricity costs: it polls
// the markets, keeps every price with its revisions, knows which contract is in
// force at which site, says what one more MWh costs there now and in the hours
// to come, settles months, and forecasts prices every day and scores what it
// said.
//
// The rooms that know how stand behind it: tariff reckons, tariff/feed reads
// operators, forecast forecasts, the ledger keeps. Here is what runs: a clock,
// the record, and the order in which things happen.
package price

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"ballast/ledger"
	"ballast/tariff"
	"ballast/tariff/feed"
	"ballast/unit"
)

// What can go wrong at the desk.
var (
	// ErrNoContract reports a site and time for which no contract is in force.
	ErrNoContract = errors.New("no electricity contract is in force")
	// ErrOverlap reports a contract that is in force on the same day as another of
	// its site.
	ErrOverlap = errors.New("two contracts of one site are in force on the same day")
	// ErrMonth reports a month that cannot be settled yet.
	ErrMonth = errors.New("the month is not over")
)

// Store is what the desk keeps in the ledger.
type Store interface {
	ledger.PowerPrices
	ledger.PowerContracts
	ledger.Forecasts
	ledger.SiteImports
	MeterEnergy(ctx context.Context, site string, from, to time.Time) ([]ledger.MeterEnergy, error)
}

// Options are what the desk stands on.
type Options struct {
	Record    Store
	Plans     []feed.Plan
	Web       *feed.Web // nil is one of its own
	Simulated bool      // the market is simulated, and every answer must say so
	Forecast  How
	// Memory is the folder where day-ahead models keep what they said of past days,
	// so that a restart does not ask them again; "" keeps nothing.
	Memory string
	// Machines is what the machines of a site say that they used, for sites without
	// a meter; nil: nothing.
	Machines func(ctx context.Context, site string, from, to time.Time) ([]tariff.Interval, error)
	// Load is what a site draws now and who says so; nil, or false: not known.
	Load func(site string) (p unit.Power, source string, ok bool)
	Now  func() time.Time // nil is time.Now
	Seed uint64           // of the pauses between polls
	Log  *slog.Logger
}

// How prices are forecast.
type How struct {
	Enabled bool
	Series  []string // empty is every price series of the feeds
	SpikeAt float64  // currency units per MWh
	History int      // days
	Trial   int      // settled days
	Threads int
}

// Desk is the running service. Its methods may be called by many goroutines.
type Desk struct {
	Options
	store  *feed.Kept
	book   *feed.Book
	poller *feed.Poller
	series map[string]feed.Series
	names  []string // of series, sorted

	mu        sync.Mutex
	contracts kept
	peaks     map[string]incumbents
	ahead     map[string]ahead // by series: what the champion says
	chances   map[string]peakOutlook
	heard     map[string]bool // series with news since the forecaster looked
	models    map[string][]*model
	usual     map[string]usualKept // by site
	work      Work
}

// Open reads what was kept and makes a desk; Run it afterwards.
func Open(ctx context.Context, o Options) (*Desk, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Web == nil {
		o.Web = &feed.Web{}
	}
	store, err := feed.OpenKept(ctx, keeper{o.Record})
	if err != nil {
		return nil, err
	}
	d := &Desk{Options: o, store: store, series: map[string]feed.Series{}, peaks: map[string]incumbents{}, ahead: map[string]ahead{}, heard: map[string]bool{}, models: map[string][]*model{}, chances: map[string]peakOutlook{}, usual: map[string]usualKept{}}
	var all []feed.Series
	for _, p := range o.Plans {
		for _, s := range p.Feed.Series() {
			all = append(all, s)
			d.series[s.Name] = s
			d.names = append(d.names, s.Name)
		}
	}
	slices.Sort(d.names)
	d.book = feed.NewBook(store, all, o.Now)
	d.poller = feed.NewPoller(o.Web, store, o.Plans, o.Now, o.Seed, o.Log, d.hear)
	return d, nil
}

// Run polls and forecasts until ctx ends.
func (d *Desk) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	wg.Go(func() { d.poller.Run(ctx) })
	if d.Forecast.Enabled {
		wg.Go(func() { d.runForecasts(ctx) })
	}
	wg.Wait()
	return nil
}

// hear notes which series have news.
func (d *Desk) hear(changes []feed.Change) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range changes {
		d.heard[c.Is.Series] = true
	}
}

// Feeds tells how every feed is.
func (d *Desk) Feeds() []feed.Health { return d.poller.Health() }

// Series are the series that the feeds give, by name.
func (d *Desk) Series() []feed.Series {
	out := make([]feed.Series, 0, len(d.names))
	for _, n := range d.names {
		out = append(out, d.series[n])
	}
	return out
}

// Known is a series by its name.
func (d *Desk) Known(name string) (feed.Series, bool) {
	s, ok := d.series[name]
	return s, ok
}

// Values are the current values of a series in a span, with their revision and
// age.
func (d *Desk) Values(ctx context.Context, series string, from, to time.Time) ([]feed.Value, error) {
	return d.store.Range(ctx, series, from, to)
}

// Revisions is everything that was published of one interval.
func (d *Desk) Revisions(ctx context.Context, series string, start time.Time) ([]feed.Value, error) {
	return d.store.Revisions(ctx, series, start)
}

// Latest is the newest value of a series that is in force or over.
func (d *Desk) Latest(ctx context.Context, series string) (feed.Value, bool) {
	v, ok, err := d.store.Latest(ctx, series, d.Now())
	return v, ok && err == nil
}

// Prices are the market prices that the desk holds.
func (d *Desk) Prices() tariff.Prices { return d.book }

// keeper writes the feeds' values into the ledger.
type keeper struct{ record ledger.PowerPrices }

func (k keeper) Keep(ctx context.Context, values []feed.Value) error {
	out := make([]ledger.MarketValue, len(values))
	for i, v := range values {
		out[i] = ledger.MarketValue{Series: v.Series, Start: v.Start, Length: v.Length, Micro: v.Micro, Published: v.Published, Received: v.Received}
	}
	return k.record.KeepMarketValues(ctx, out)
}

func (k keeper) Kept(ctx context.Context, each func(feed.Value) error) error {
	return k.record.WalkMarketValues(ctx, func(v ledger.MarketValue) error {
		return each(feed.Value{Point: feed.Point{Series: v.Series, Start: v.Start, Length: v.Length, Micro: v.Micro, Published: v.Published}, Received: v.Received})
	})
}

// Contract is a contract of a site, read and ready to reckon with. Parsed is nil
// when its text cannot be read any more; Problems say why.
type Contract struct {
	ledger.PowerContract
	Parsed   *tariff.Contract
	Problems []tariff.Problem
}

// kept is what was read last.
type kept struct {
	at   time.Time
	list []Contract
	read map[string]*tariff.Contract // by number and revision
}

// freshFor is how long a list of contracts is used without looking again.
const freshFor = 2 * time.Second

// Contracts are those in use at all sites, by number.
func (d *Desk) Contracts(ctx context.Context) ([]Contract, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.contracts.list != nil && d.Now().Sub(d.contracts.at) < freshFor && !d.Now().Before(d.contracts.at) {
		return d.contracts.list, nil
	}
	rows, err := d.Record.PowerContracts(ctx, "")
	if err != nil {
		return nil, err
	}
	read := map[string]*tariff.Contract{}
	list := make([]Contract, 0, len(rows))
	for _, r := range rows {
		c := Contract{PowerContract: r}
		key := fmt.Sprintf("%d.%d", r.ID, r.Revision)
		if c.Parsed = d.contracts.read[key]; c.Parsed == nil {
			if c.Parsed, err = tariff.Parse([]byte(r.Text)); err != nil {
				c.Parsed, c.Problems = nil, tariff.ProblemsOf(err)
			}
		}
		if c.Parsed != nil {
			read[key] = c.Parsed
		}
		list = append(list, c)
	}
	d.contracts = kept{d.Now(), list, read}
	return list, nil
}

// forget makes the next look read the contracts anew.
func (d *Desk) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.contracts.list = nil
}

// InForce is the contract by which a site pays at t.
func (d *Desk) InForce(ctx context.Context, site string, t time.Time) (Contract, error) {
	all, err := d.Contracts(ctx)
	if err != nil {
		return Contract{}, err
	}
	for _, c := range all {
		if c.Site == site && c.Parsed != nil {
			if _, ok := c.Parsed.VersionAt(t); ok {
				return c, nil
			}
		}
	}
	return Contract{}, fmt.Errorf("%s on %s: %w", site, t.UTC().Format(time.DateOnly), ErrNoContract)
}

// Check reads a contract's text for a site and says everything that is wrong
// with it, also against the site's other contracts and the feeds. Warnings do
// not keep it from being used.
func (d *Desk) Check(ctx context.Context, site string, id int64, text string) (c *tariff.Contract, problems []tariff.Problem, warnings []string, err error) {
	c, bad := tariff.Parse([]byte(text))
	if bad != nil {
		return nil, tariff.ProblemsOf(bad), nil, nil
	}
	all, err := d.Contracts(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	for _, o := range all {
		if o.ID == id || o.Site != site || o.Parsed == nil {
			continue
		}
		if day, ok := overlap(c, o.Parsed); ok {
			problems = append(problems, tariff.Problem{At: "versions", What: fmt.Sprintf("%s, contract %d of this site, is in force on %v too: give the older one a last day", o.Name, o.ID, day)})
		}
	}
	for _, name := range slices.Concat(c.Series(), c.LoadSeries()) {
		if _, ok := d.series[name]; !ok {
			warnings = append(warnings, fmt.Sprintf("no feed gives %s: what hangs on it will be missing or estimated", name))
		}
	}
	if v, ok := c.VersionAt(d.Now()); !ok || v == nil {
		warnings = append(warnings, "no version of it is in force today")
	}
	return c, problems, warnings, nil
}

// overlap finds a day on which both are in force.
func overlap(a, b *tariff.Contract) (tariff.Date, bool) {
	for i := range a.Versions {
		for j := range b.Versions {
			v, w := &a.Versions[i], &b.Versions[j]
			from := v.From
			if from.Before(w.From) {
				from = w.From
			}
			if (v.To == tariff.Date{} || !v.To.Before(from)) && (w.To == tariff.Date{} || !w.To.Before(from)) {
				return from, true
			}
		}
	}
	return tariff.Date{}, false
}

// Refused is a text that makes no sense as a contract, or not at its site.
type Refused struct{ Problems []tariff.Problem }

// Error lists the problems.
func (e *Refused) Error() string {
	var lines []string
	for _, p := range e.Problems {
		line := p.What
		if p.At != "" {
			line = p.At + ": " + line
		}
		if p.Line > 0 {
			line = fmt.Sprintf("line %d: %s", p.Line, line)
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "; ")
}

// Unwrap makes it a mistake of the one who wrote it.
func (e *Refused) Unwrap() error { return ledger.ErrInvalid }

// Save adds a contract, or edits the one that c names, after checking it.
func (d *Desk) Save(ctx context.Context, c ledger.PowerContract, by ledger.Audit) (ledger.PowerContract, error) {
	parsed, problems, _, err := d.Check(ctx, c.Site, c.ID, c.Text)
	if err != nil {
		return c, err
	}
	if len(problems) > 0 {
		return c, &Refused{problems}
	}
	c.Name = parsed.Name
	defer d.forget()
	if c.ID == 0 {
		return d.Record.AddPowerContract(ctx, c, by)
	}
	return d.Record.EditPowerContract(ctx, c, by)
}

// Remove takes a contract out of use.
func (d *Desk) Remove(ctx context.Context, id int64, by ledger.Audit) error {
	defer d.forget()
	return d.Record.RemovePowerContract(ctx, id, by)
}

// Sow brings a contract that is kept outside, in a file, into the ledger: new, or
// as a further text of the one that came from there before.
func (d *Desk) Sow(ctx context.Context, site, source, text string, by ledger.Audit) error {
	all, err := d.Contracts(ctx)
	if err != nil {
		return err
	}
	c := ledger.PowerContract{Site: site, Source: source, Text: text}
	for _, o := range all {
		if o.Site == site && o.Source == source {
			c.ID, c.Revision = o.ID, o.Revision
			if o.Text == text {
				return nil
			}
		}
	}
	if _, err := d.Save(ctx, c, by); err != nil {
		return fmt.Errorf("the contract in %s: %w", source, err)
	}
	return nil
}
