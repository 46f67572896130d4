package price

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"ballast/forecast"
	"ballast/ledger"
	"ballast/tariff"
	"ballast/tariff/feed"
)

// Horizons of forecasts.
const (
	DayAhead = "day"  // the hours of a day, made before or as it begins
	NextHour = "next" // the slots of the next hour, made as each slot settles
)

// How the service goes about it.
const (
	passEvery  = 30 * time.Second
	replayed   = 14                   // days that are forecast in hindsight when a model is new
	retryAfter = time.Hour            // a model that could not
	nextKept   = 60 * 24 * time.Hour  // next-hour forecasts
	rescored   = 11 * 24 * time.Hour  // prices are final after ten days
	dayKept    = 800 * 24 * time.Hour // day forecasts
	earliest   = 6 * time.Hour        // of the day before: what is known ahead is there by then
	latest     = 20 * time.Hour       // of the day before: it is forecast without what is still missing
)

// Stored is a forecast as the ledger keeps it.
type Stored struct {
	Unit     string      `json:"unit"`
	Slot     int         `json:"slot_s"`
	Levels   []float64   `json:"levels"`
	Values   [][]float64 `json:"values"`
	Mean     []float64   `json:"mean"`
	Spike    []float64   `json:"spike,omitempty"`
	SpikeAt  float64     `json:"spike_at,omitempty"`
	Notes    []string    `json:"notes,omitempty"`
	Replayed bool        `json:"replayed,omitempty" doc:"Made in hindsight, from what was published before its day: it shows what the model can do and does not count when models are compared."`
}

// Work is what the forecaster is doing.
type Work struct {
	Busy   bool      `json:"busy"`
	Series string    `json:"series,omitempty"`
	Model  string    `json:"model,omitempty"`
	Day    string    `json:"day,omitempty"`
	Since  time.Time `json:"since,omitzero"`
	Passed time.Time `json:"passed,omitzero" doc:"When everything was last up to date."`
}

// Working tells what the forecaster is doing.
func (d *Desk) Working() Work {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.work
}

func (d *Desk) at(w Work) {
	d.mu.Lock()
	defer d.mu.Unlock()
	w.Passed = d.work.Passed
	d.work = w
}

// Forecast series are those that are forecast.
func (d *Desk) forecastSeries() []string {
	var out []string
	for _, n := range d.names {
		if d.series[n].Quantity == feed.EnergyPrice && (len(d.Forecast.Series) == 0 || slices.Contains(d.Forecast.Series, n)) {
			out = append(out, n)
		}
	}
	return out
}

// runForecasts passes over the series again and again until ctx ends: scores what
// settled, forecasts what is due, and lets the better model lead.
func (d *Desk) runForecasts(ctx context.Context) {
	s := &service{Desk: d, failed: map[string]time.Time{}, next: map[string]*nextModel{}}
	// The prices of before the last stop are there; newer ones come with the first
	// poll, and a forecast without them would be worth less.
	for range 60 {
		if d.polled() || ctx.Err() != nil {
			break
		}
		pause(ctx, time.Second)
	}
	for ctx.Err() == nil {
		s.pass(ctx)
		pause(ctx, passEvery)
	}
}

func (d *Desk) polled() bool {
	for _, h := range d.poller.Health() {
		if h.Tried == nil {
			return false
		}
	}
	return true
}

func pause(ctx context.Context, t time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(t):
	}
}

// service is the forecaster's own state: one goroutine has it.
type service struct {
	*Desk
	failed   map[string]time.Time // by series, model and day
	next     map[string]*nextModel
	rescored time.Time
}

// pass brings everything up to date once.
func (s *service) pass(ctx context.Context) {
	for _, series := range s.forecastSeries() {
		if ctx.Err() != nil {
			return
		}
		if err := s.series1(ctx, series); err != nil && ctx.Err() == nil {
			s.Log.Warn("forecasting", "series", series, "error", err)
		}
	}
	if now := s.Now(); now.Sub(s.rescored) > 12*time.Hour {
		s.rescored = now
		if _, err := s.Record.DropForecasts(ctx, NextHour, now.Add(-nextKept)); err != nil {
			s.Log.Warn("forgetting forecasts", "error", err)
		}
		if _, err := s.Record.DropForecasts(ctx, DayAhead, now.Add(-dayKept)); err != nil {
			s.Log.Warn("forgetting forecasts", "error", err)
		}
	}
	s.mu.Lock()
	s.work = Work{Passed: s.Now()}
	s.mu.Unlock()
}

// series1 brings one series up to date.
func (s *service) series1(ctx context.Context, series string) error {
	if err := s.score(ctx, series); err != nil {
		return fmt.Errorf("scoring: %w", err)
	}
	s.reload(ctx, series)
	days := s.targets(ctx, series)
	// Between an auction and the next morning no day is due. A model that is new here
	// still shows how it would have done on the days before.
	early := len(days) == 0
	if early {
		days = []tariff.Date{s.nextUnknown(ctx, series)}
	}
	for _, day := range days {
		for _, m := range s.modelsFor(series) {
			if ctx.Err() != nil {
				return nil //nolint:nilerr // ended, not failed
			}
			if err := s.forecastDay(ctx, series, day, m, early); err != nil && ctx.Err() == nil {
				s.Log.Debug("a model has no forecast", "series", series, "model", m.Name(), "day", day, "error", err)
			}
		}
	}
	if err := s.nextHour(ctx, series); err != nil && !errors.Is(err, forecast.ErrTooShort) {
		return err
	}
	for _, horizon := range []string{DayAhead, NextHour} {
		if err := s.promote(ctx, series, horizon); err != nil {
			return err
		}
	}
	s.reload(ctx, series)
	return nil
}

// targets are the days to forecast now: those of which prices are missing and
// whose time has come.
func (s *service) targets(ctx context.Context, series string) []tariff.Date {
	zone, now := s.zone(ctx, series), s.Now()
	today := tariff.DateOf(now.In(zone))
	known := func(day tariff.Date, name string) int {
		hours, err := s.hourly(ctx, name, day.In(zone), day.AddDays(1).In(zone))
		if err != nil {
			return 0
		}
		return len(hours)
	}
	var out []tariff.Date
	if known(today, series) < forecast.Hours-1 && known(today.AddDays(-1), series) >= forecast.Hours-4 {
		out = append(out, today)
	}
	tomorrow := today.AddDays(1)
	clock := now.Sub(today.In(zone))
	ready := clock >= earliest
	if !s.Desk.series[series].Publish.DayAhead {
		// Real-time: when all that is known ahead of tomorrow is there.
		for _, n := range s.knownAhead(series) {
			ready = ready && (known(tomorrow, n) >= forecast.Hours-1 || clock >= latest)
		}
	}
	if ready && known(tomorrow, series) < forecast.Hours-1 {
		out = append(out, tomorrow)
	}
	return out
}

// nextUnknown is the first day from tomorrow on whose prices are not all there.
func (s *service) nextUnknown(ctx context.Context, series string) tariff.Date {
	zone := s.zone(ctx, series)
	day := tariff.DateOf(s.Now().In(zone)).AddDays(1)
	if hours, err := s.hourly(ctx, series, day.In(zone), day.AddDays(1).In(zone)); err == nil && len(hours) >= forecast.Hours-1 {
		day = day.AddDays(1)
	}
	return day
}

// forecastDay makes and keeps a model's forecast of a day, and, when the model is
// new here, of the days before; early: of those alone.
func (s *service) forecastDay(ctx context.Context, series string, day tariff.Date, m *model, early bool) error {
	key := series + "\x00" + m.Name() + "\x00" + day.String()
	if at, ok := s.failed[key]; ok && s.Now().Sub(at) < retryAfter {
		return nil
	}
	zone := s.zone(ctx, series)
	have, err := s.Record.Forecasts(ctx, ledger.ForecastFilter{Series: series, Model: m.Name(), Horizon: DayAhead, From: day.AddDays(-replayed).In(zone), To: day.AddDays(1).In(zone), NoBody: true})
	if err != nil {
		return err
	}
	if len(have) > 0 && (early || have[0].Start.Equal(day.In(zone))) {
		return nil
	}
	begun := s.Now()
	s.at(Work{Busy: true, Series: series, Model: m.Name(), Day: day.String(), Since: begun})
	l, err := s.panel(ctx, series, day)
	if err == nil && l.day(day) < m.least {
		err = fmt.Errorf("%d days of prices, %d are needed: %w", l.day(day), m.least, forecast.ErrTooShort)
	}
	if err != nil {
		s.failed[key] = s.Now()
		return errors.Join(err, s.card(ctx, series, DayAhead, m.Name(), m.learns, l, nil, begun, err))
	}
	if len(have) == 0 {
		for back := replayed; back > 0; back-- {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			past := day.AddDays(-back)
			if n := l.day(past); n >= m.least {
				if dist, err := m.Forecast(l.panel, n); err == nil {
					if err := s.keep(ctx, series, DayAhead, dist.Local(zone), true, nil); err != nil && !errors.Is(err, ledger.ErrConflict) {
						return err
					}
				}
			}
		}
	}
	if early {
		s.failed[key] = s.Now() // when nothing came of it, not again at once
		s.save(series, m)
		s.reload(ctx, series)
		return s.card(ctx, series, DayAhead, m.Name(), m.learns, l, l.notes, begun, nil)
	}
	dist, err := m.Forecast(l.panel, l.day(day))
	if err != nil {
		s.failed[key] = s.Now()
		return errors.Join(err, s.card(ctx, series, DayAhead, m.Name(), m.learns, l, nil, begun, err))
	}
	if err := s.keep(ctx, series, DayAhead, dist.Local(zone), false, l.notes); err != nil && !errors.Is(err, ledger.ErrConflict) {
		return err
	}
	s.save(series, m)
	s.reload(ctx, series)
	return s.card(ctx, series, DayAhead, m.Name(), m.learns, l, append(slices.Clone(dist.Notes), l.notes...), begun, nil)
}

// keep stores a distribution. Local has laid it on the market's clock.
func (s *service) keep(ctx context.Context, series, horizon string, dist *forecast.Distribution, hindsight bool, notes []string) error {
	t := thin(dist)
	f := s.Desk.series[series]
	body, err := json.Marshal(Stored{Unit: f.Unit(), Slot: int(t.Slot / time.Second), Levels: t.Levels, Values: t.Values, Mean: t.Mean, Spike: t.Spike, SpikeAt: t.SpikeAt,
		Notes: append(slices.Clone(t.Notes), notes...), Replayed: hindsight})
	if err != nil {
		return fmt.Errorf("writing a forecast: %w", err)
	}
	_, err = s.Record.AddForecast(ctx, ledger.StoredForecast{Series: series, Model: dist.Model, Horizon: horizon, Issued: s.Now(), Start: t.Start, End: t.At(len(t.Mean)), Body: body})
	return err
}

// ahead is what the models say of a series' time to come.
type ahead struct {
	day  map[string][]Forecast // by model, newest first
	next *Forecast
	lead string
}

// Forecast is a stored forecast, read.
type Forecast struct {
	ID     int64     `json:"id"`
	Series string    `json:"series"`
	Model  string    `json:"model"`
	Issued time.Time `json:"issued"`
	Start  time.Time `json:"start"`
	End    time.Time `json:"end"`
	Stored
	Score *Score `json:"score,omitempty" doc:"How it did; missing before its prices are there."`
}

func read(f ledger.StoredForecast) (Forecast, error) {
	out := Forecast{ID: f.ID, Series: f.Series, Model: f.Model, Issued: f.Issued, Start: f.Start, End: f.End}
	if f.Body != nil {
		if err := json.Unmarshal(f.Body, &out.Stored); err != nil {
			return out, fmt.Errorf("reading forecast %d: %w", f.ID, err)
		}
	}
	if f.Score != nil {
		out.Score = new(Score)
		if err := json.Unmarshal(f.Score, out.Score); err != nil {
			return out, fmt.Errorf("reading the score of forecast %d: %w", f.ID, err)
		}
	}
	return out, nil
}

// distribution is a stored forecast as the forecast room has it.
func (f *Forecast) distribution() *forecast.Distribution {
	return &forecast.Distribution{Series: f.Series, Unit: f.Unit, Issued: f.Issued, Model: f.Model, Start: f.Start, Slot: time.Duration(f.Slot) * time.Second,
		Levels: f.Levels, Values: f.Values, Mean: f.Mean, Spike: f.Spike, SpikeAt: f.SpikeAt, Notes: f.Notes}
}

// slot is the number of the slot that holds t; -1 when none does.
func (f *Forecast) slot(t time.Time) int {
	if t.Before(f.Start) || !t.Before(f.End) || f.Slot <= 0 {
		return -1
	}
	if n := int(t.Sub(f.Start).Seconds()) / f.Slot; n < len(f.Mean) {
		return n
	}
	return -1
}

// reload reads what the models say of the hours to come.
func (d *Desk) reload(ctx context.Context, series string) {
	rows, err := d.Record.Forecasts(ctx, ledger.ForecastFilter{Series: series, Horizon: DayAhead, From: d.Now().Add(-30 * time.Hour)})
	if err != nil {
		d.Log.Warn("reading forecasts", "series", series, "error", err)
		return
	}
	a := ahead{day: map[string][]Forecast{}}
	for _, row := range rows {
		if f, err := read(row); err == nil {
			a.day[f.Model] = append(a.day[f.Model], f)
		}
	}
	if c, err := d.Champion(ctx, series, DayAhead); err == nil {
		a.lead = c.Model
	}
	if next, err := d.Record.Forecasts(ctx, ledger.ForecastFilter{Series: series, Horizon: NextHour, From: d.Now().Add(-2 * time.Hour), Limit: 10}); err == nil {
		lead, _ := d.Champion(ctx, series, NextHour)
		for _, row := range next {
			if f, err := read(row); err == nil && (a.next == nil || f.Model == lead.Model && a.next.Model != lead.Model) {
				a.next = &f
			}
		}
	}
	d.mu.Lock()
	d.ahead[series] = a
	d.mu.Unlock()
}

// expected is the mean that the champion, or else who has one, forecasts for t.
func (d *Desk) expected(series string, t time.Time) (mean float64, model string, issued time.Time, ok bool) {
	f, n, ok := d.saying(series, t)
	if !ok {
		return 0, "", time.Time{}, false
	}
	return f.Mean[n], f.Model, f.Issued, true
}

// saying is the forecast that counts for t, and its slot: the next hour's where
// there is one, else the day's.
func (d *Desk) saying(series string, t time.Time) (Forecast, int, bool) {
	d.mu.Lock()
	a := d.ahead[series]
	d.mu.Unlock()
	if a.next != nil {
		if n := a.next.slot(t); n >= 0 {
			return *a.next, n, true
		}
	}
	for _, m := range []string{a.lead, "ensemble@2", firstChampion, naiveWeek, naiveDay} {
		for i := range a.day[m] {
			f := &a.day[m][i]
			if n := f.slot(t); n >= 0 && !f.Replayed && !math.IsNaN(f.Mean[n]) {
				return *f, n, true
			}
		}
	}
	return Forecast{}, 0, false
}

// Saying is the forecast that counts for t: who says it, and in which slot.
func (d *Desk) Saying(series string, t time.Time) (Forecast, int, bool) { return d.saying(series, t) }

// Forecasts are forecasts of a series that touch a span, newest first; of one
// model, or of the champion for "".
func (d *Desk) Forecasts(ctx context.Context, series, horizon, model string, from, to time.Time, limit int) ([]Forecast, error) {
	if model == "" {
		c, err := d.Champion(ctx, series, horizon)
		if err != nil {
			return nil, err
		}
		model = c.Model
	}
	rows, err := d.Record.Forecasts(ctx, ledger.ForecastFilter{Series: series, Horizon: horizon, Model: model, From: from.Add(-25 * time.Hour), To: to, Limit: limit})
	if err != nil {
		return nil, err
	}
	out := []Forecast{}
	for _, row := range rows {
		f, err := read(row)
		if err != nil {
			return nil, err
		}
		if f.End.After(from) {
			out = append(out, f)
		}
	}
	return out, nil
}

// Champion is the model whose forecasts of a series count; the first one before
// any other earned it.
func (d *Desk) Champion(ctx context.Context, series, horizon string) (ledger.Champion, error) {
	all, err := d.Record.Champions(ctx, series)
	if err != nil {
		return ledger.Champion{}, err
	}
	for _, c := range all {
		if c.Horizon == horizon {
			return c, nil
		}
	}
	first := firstChampion
	if horizon == NextHour {
		first = firstNext
	}
	return ledger.Champion{Series: series, Horizon: horizon, Model: first, Reason: "the first model: none has been measured against it for long enough yet"}, nil
}
