package price

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"ballast/forecast"
	"ballast/ledger"
	"ballast/tariff"
)

// Score is how a forecast did over the slots whose prices are known. The naive
// errors are of the same slots: the same hour a day and a week before, and the
// last price that was known when it was made.
type Score struct {
	Slots     int     `json:"slots"`
	MAE       float64 `json:"mae"`
	Pinball   float64 `json:"pinball"`
	In90      int     `json:"in_90"`
	NaiveDay  float64 `json:"naive_day"`
	NaiveWeek float64 `json:"naive_week"`
	NaiveLast float64 `json:"naive_last,omitempty"`
	NaiveN    int     `json:"naive_slots"`
	Settled   bool    `json:"settled" doc:"Every price is final."`
	Replayed  bool    `json:"replayed,omitempty"`
}

// score scores forecasts whose prices have come, and those of the last days
// again whose prices may have been revised.
func (s *service) score(ctx context.Context, series string) error {
	now := s.Now()
	rows, err := s.Record.Forecasts(ctx, ledger.ForecastFilter{Series: series, EndBefore: now, Unscored: true, Limit: 400})
	if err != nil {
		return err
	}
	if now.Sub(s.rescored) > 12*time.Hour {
		again, err := s.Record.Forecasts(ctx, ledger.ForecastFilter{Series: series, Scored: true, From: now.Add(-rescored), EndBefore: now})
		if err != nil {
			return err
		}
		rows = append(rows, again...)
	}
	for _, row := range rows {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // ended, not failed: the rest is scored the next time
		}
		f, err := read(row)
		if err != nil {
			return err
		}
		if f.Score != nil && f.Score.Settled {
			continue
		}
		sc, ok, err := s.scored(ctx, &f, now)
		if err != nil {
			return err
		}
		if !ok || f.Score != nil && *f.Score == sc {
			continue
		}
		body, err := json.Marshal(sc)
		if err != nil {
			return fmt.Errorf("writing a score: %w", err)
		}
		if err := s.Record.ScoreForecast(ctx, f.ID, body); err != nil {
			return err
		}
	}
	return nil
}

// scored is a forecast's score; false while prices that must still come are
// missing.
func (s *service) scored(ctx context.Context, f *Forecast, now time.Time) (Score, bool, error) {
	slot := time.Duration(f.Slot) * time.Second
	came, err := s.slots(ctx, f.Series, f.Start, f.End, slot)
	if err != nil {
		return Score{}, false, err
	}
	missing := 0
	for _, v := range came {
		if math.IsNaN(v) {
			missing++
		}
	}
	// Prices that have not come two days later will not.
	if missing == len(came) || missing > 0 && now.Sub(f.End) < 48*time.Hour {
		return Score{}, false, nil
	}
	zone := s.zone(ctx, f.Series)
	before := func(days int) ([]float64, error) {
		a := f.Start.In(zone)
		from := time.Date(a.Year(), a.Month(), a.Day()-days, a.Hour(), a.Minute(), 0, 0, zone)
		return s.slots(ctx, f.Series, from, from.Add(f.End.Sub(f.Start)), slot)
	}
	day, err := before(1)
	if err != nil {
		return Score{}, false, err
	}
	week, err := before(7)
	if err != nil {
		return Score{}, false, err
	}
	last := math.NaN()
	if v, ok, err := s.store.Latest(ctx, f.Series, f.Start); err == nil && ok {
		last = float64(v.Micro) / 1e6
	}
	out := Score{Settled: missing == 0, Replayed: f.Replayed}
	d := f.distribution()
	for i, v := range came {
		if math.IsNaN(v) {
			continue
		}
		one := d.Score(i, v)
		out.Slots++
		out.MAE += one.Error
		out.Pinball += one.Pinball
		if one.In90 {
			out.In90++
		}
		if !math.IsNaN(day[i]) && !math.IsNaN(week[i]) {
			out.NaiveDay += math.Abs(v - day[i])
			out.NaiveWeek += math.Abs(v - week[i])
			if !math.IsNaN(last) {
				out.NaiveLast += math.Abs(v - last)
			}
			out.NaiveN++
		}
	}
	if q, ok := s.book.At(f.Series, f.End.Add(-time.Second)); !ok || q.Status != tariff.Settled {
		out.Settled = false
	}
	n, m := float64(out.Slots), math.Max(1, float64(out.NaiveN))
	out.MAE, out.Pinball = round6(out.MAE/n), round6(out.Pinball/n)
	out.NaiveDay, out.NaiveWeek, out.NaiveLast = round6(out.NaiveDay/m), round6(out.NaiveWeek/m), round6(out.NaiveLast/m)
	return out, true, nil
}

func round6(v float64) float64 { return math.Round(v*1e6) / 1e6 }

// slots are the means of a series in the slots of a span; NaN where not all of a
// slot has a price.
func (s *service) slots(ctx context.Context, series string, from, to time.Time, slot time.Duration) ([]float64, error) {
	values, err := s.store.Range(ctx, series, from.Add(-time.Hour), to)
	if err != nil {
		return nil, err
	}
	n := int(to.Sub(from) / slot)
	sum, have := make([]float64, n), make([]float64, n)
	for _, v := range values {
		end := v.Start.Add(v.Length)
		for i := max(0, int(v.Start.Sub(from)/slot)); i < n; i++ {
			a, z := from.Add(time.Duration(i)*slot), from.Add(time.Duration(i+1)*slot)
			if v.Start.After(a) {
				a = v.Start
			}
			if end.Before(z) {
				z = end
			}
			w := z.Sub(a).Seconds()
			if w <= 0 {
				break
			}
			sum[i] += w * float64(v.Micro) / 1e6
			have[i] += w
		}
	}
	for i := range sum {
		if have[i] < slot.Seconds()-1 {
			sum[i] = math.NaN()
		} else {
			sum[i] /= have[i]
		}
	}
	return sum, nil
}

// Standing is how a model does at a series.
type Standing struct {
	Series    string  `json:"series"`
	Horizon   string  `json:"horizon" enum:"day,next"`
	Unit      string  `json:"unit"`
	Model     string  `json:"model"`
	Naive     bool    `json:"naive" doc:"What the others are measured against."`
	Champion  bool    `json:"champion" doc:"Its forecasts are the ones that count."`
	Forecasts int     `json:"forecasts" doc:"Scored ones."`
	Days      int     `json:"days" doc:"With a scored forecast that was made before the day came: these count when models are compared."`
	Replayed  int     `json:"replayed" doc:"Forecasts that were made in hindsight."`
	Slots     int     `json:"slots"`
	MAE       float64 `json:"mae"`
	Pinball   float64 `json:"pinball" doc:"Mean over the quantiles; half of the CRPS, about."`
	Coverage  float64 `json:"coverage_90" doc:"Share of prices between the quantiles of 5 and 95 %."`
	NaiveDay  float64 `json:"naive_day_mae" doc:"Of the same hour of the day before, over the same slots."`
	NaiveWeek float64 `json:"naive_week_mae" doc:"Of the same hour of the week before, over the same slots."`
	NaiveLast float64 `json:"naive_last_mae,omitempty" doc:"Of the last price that was known."`
	RelDay    float64 `json:"rmae_day,omitempty" doc:"MAE over that of the day before: below 1 is better than naive."`
	RelWeek   float64 `json:"rmae_week,omitempty"`
	RelLast   float64 `json:"rmae_last,omitempty"`
}

// Board is the scoreboard over the last days: every model of every series, those
// that do best first. Without live, forecasts made in hindsight count too.
func (d *Desk) Board(ctx context.Context, days int, live bool) ([]Standing, error) {
	now := d.Now()
	rows, err := d.Record.Forecasts(ctx, ledger.ForecastFilter{Scored: true, From: now.AddDate(0, 0, -days), NoBody: true})
	if err != nil {
		return nil, err
	}
	type key struct{ series, horizon, model string }
	by := map[key]*Standing{}
	seen := map[key]map[string]bool{}
	var order []key
	for _, row := range rows {
		var sc Score
		if json.Unmarshal(row.Score, &sc) != nil || sc.Slots == 0 || live && sc.Replayed {
			continue
		}
		k := key{row.Series, row.Horizon, row.Model}
		st := by[k]
		if st == nil {
			f := d.series[row.Series]
			st = &Standing{Series: row.Series, Horizon: row.Horizon, Model: row.Model, Unit: f.Unit(), Naive: isNaive(row.Model)}
			by[k], seen[k] = st, map[string]bool{}
			order = append(order, k)
		}
		n := float64(sc.Slots)
		st.Forecasts++
		st.Slots += sc.Slots
		st.MAE += n * sc.MAE
		st.Pinball += n * sc.Pinball
		st.Coverage += float64(sc.In90)
		st.NaiveDay += n * sc.NaiveDay
		st.NaiveWeek += n * sc.NaiveWeek
		st.NaiveLast += n * sc.NaiveLast
		if sc.Replayed {
			st.Replayed++
		} else {
			seen[k][row.Start.Format(time.DateOnly)] = true
		}
	}
	out := make([]Standing, 0, len(order))
	for _, k := range order {
		st := by[k]
		n := float64(st.Slots)
		st.MAE, st.Pinball, st.Coverage, st.NaiveDay, st.NaiveWeek, st.NaiveLast = st.MAE/n, st.Pinball/n, st.Coverage/n, st.NaiveDay/n, st.NaiveWeek/n, st.NaiveLast/n
		st.RelDay, st.RelWeek = over(st.MAE, st.NaiveDay), over(st.MAE, st.NaiveWeek)
		if k.horizon == NextHour {
			st.RelLast = over(st.MAE, st.NaiveLast)
		} else {
			st.NaiveLast = 0
		}
		st.Days = len(seen[k])
		c, err := d.Champion(ctx, k.series, k.horizon)
		if err != nil {
			return nil, err
		}
		st.Champion = c.Model == k.model
		out = append(out, *st)
	}
	slices.SortFunc(out, func(a, b Standing) int {
		if c := strings.Compare(a.Series+a.Horizon, b.Series+b.Horizon); c != 0 {
			return c
		}
		switch {
		case a.Pinball < b.Pinball:
			return -1
		case a.Pinball > b.Pinball:
			return 1
		}
		return strings.Compare(a.Model, b.Model)
	})
	return out, nil
}

func over(a, b float64) float64 {
	if b <= 0 {
		return 0
	}
	return a / b
}

func isNaive(model string) bool {
	return model == naiveDay || model == naiveWeek || model == lastPrice
}

// margin is by how much a challenger must beat the champion: less is chance.
const margin = 0.01

// promote makes a challenger champion when, over the last Trial settled days that
// both forecast before they came, its pinball loss was lower by more than the
// margin and its absolute error no higher.
func (s *service) promote(ctx context.Context, series, horizon string) error {
	lead, err := s.Champion(ctx, series, horizon)
	if err != nil {
		return err
	}
	rows, err := s.Record.Forecasts(ctx, ledger.ForecastFilter{Series: series, Horizon: horizon, Scored: true, From: s.Now().AddDate(0, 0, -4*s.Forecast.Trial), NoBody: true})
	if err != nil {
		return err
	}
	c, reason, ok := better(rows, lead.Model, s.Forecast.Trial)
	if !ok {
		return nil
	}
	_, err = s.Record.SetChampion(ctx, ledger.Champion{Series: series, Horizon: horizon, Model: c, Reason: reason}, ledger.By("system"))
	if err == nil {
		s.Log.Info("another model leads", "series", series, "horizon", horizon, "model", c, "why", reason)
	}
	return err
}

// better finds the challenger that beats the champion by most.
func better(rows []ledger.StoredForecast, lead string, trial int) (model, reason string, ok bool) {
	type day struct{ slots, pinball, mae float64 }
	by := map[string]map[string]day{}
	for _, row := range rows {
		var sc Score
		if json.Unmarshal(row.Score, &sc) != nil || sc.Replayed || sc.Slots == 0 {
			continue
		}
		if by[row.Model] == nil {
			by[row.Model] = map[string]day{}
		}
		k := row.Start.UTC().Format(time.DateOnly)
		o, n := by[row.Model][k], float64(sc.Slots)
		by[row.Model][k] = day{o.slots + n, o.pinball + n*sc.Pinball, o.mae + n*sc.MAE}
	}
	best := 1 - margin
	for m, days := range by {
		if m == lead {
			continue
		}
		var shared []string
		for k := range days {
			if _, ok := by[lead][k]; ok {
				shared = append(shared, k)
			}
		}
		if len(shared) < trial {
			continue
		}
		slices.Sort(shared)
		shared = shared[len(shared)-trial:]
		var a, b day
		for _, k := range shared {
			x, y := days[k], by[lead][k]
			a = day{a.slots + x.slots, a.pinball + x.pinball, a.mae + x.mae}
			b = day{b.slots + y.slots, b.pinball + y.pinball, b.mae + y.mae}
		}
		p, q := a.pinball/a.slots, b.pinball/b.slots
		if q > 0 && p/q < best && a.mae/a.slots <= b.mae/b.slots {
			best, model, ok = p/q, m, true
			reason = fmt.Sprintf("over %d settled days its pinball loss was %.3f and that of %s %.3f; absolute errors %.3f and %.3f", trial, p, lead, q, a.mae/a.slots, b.mae/b.slots)
		}
	}
	return model, reason, ok
}

// Card is what is known of a model at a series.
type Card struct {
	Series     string    `json:"series"`
	Horizon    string    `json:"horizon"`
	Model      string    `json:"model"`
	Learns     string    `json:"learns" doc:"What it learns from, in words."`
	Inputs     []string  `json:"inputs" doc:"Series that it is shown beside the prices."`
	Days       int       `json:"days" doc:"Of the past that it was shown."`
	Calibrated time.Time `json:"calibrated" doc:"When it last learnt."`
	TookS      float64   `json:"took_s"`
	Notes      []string  `json:"notes" doc:"What was missing, and what stood in for it."`
	Error      string    `json:"error,omitempty" doc:"Why it has no forecast."`
	Standing   *Standing `json:"standing,omitempty"`
	Champion   bool      `json:"champion"`
	Since      time.Time `json:"champion_since,omitzero"`
	Why        string    `json:"champion_why,omitempty"`
}

// card writes down how a calibration went.
func (s *service) card(ctx context.Context, series, horizon, model, learns string, l *laid, notes []string, begun time.Time, failed error) error {
	c := Card{Learns: learns, Inputs: []string{}, Calibrated: begun, TookS: round6(s.Now().Sub(begun).Seconds()), Notes: notes}
	if l != nil {
		c.Inputs = append(c.Inputs, l.known...)
		if l.panel != nil {
			c.Days = l.panel.Days()
		}
	}
	if failed != nil {
		c.Error = strings.ReplaceAll(failed.Error(), ": "+forecast.ErrTooShort.Error(), "")
	}
	if c.Notes == nil {
		c.Notes = []string{}
	}
	body, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("writing a model card: %w", err)
	}
	return s.Record.SaveModelCard(ctx, ledger.ModelCard{Series: series, Horizon: horizon, Model: model, At: begun, Body: body})
}

// Cards are the model cards, with how each does over the last days.
func (d *Desk) Cards(ctx context.Context, days int) ([]Card, error) {
	rows, err := d.Record.ModelCards(ctx, "")
	if err != nil {
		return nil, err
	}
	board, err := d.Board(ctx, days, false)
	if err != nil {
		return nil, err
	}
	out := []Card{}
	for _, row := range rows {
		var c Card
		if err := json.Unmarshal(row.Body, &c); err != nil {
			return nil, fmt.Errorf("reading the card of %s: %w", row.Model, err)
		}
		c.Series, c.Horizon, c.Model = row.Series, row.Horizon, row.Model
		for i, st := range board {
			if st.Series == c.Series && st.Horizon == c.Horizon && st.Model == c.Model {
				c.Standing = &board[i]
			}
		}
		lead, err := d.Champion(ctx, c.Series, c.Horizon)
		if err != nil {
			return nil, err
		}
		if c.Champion = lead.Model == c.Model; c.Champion {
			c.Since, c.Why = lead.Since, lead.Reason
		}
		out = append(out, c)
	}
	return out, nil
}
