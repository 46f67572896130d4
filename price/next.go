package price

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"ballast/forecast"
	"ballast/ledger"
	"ballast/tariff"
	"ballast/tariff/feed"
)

// The models of the next hour.
const (
	firstNext = "realtime@1"
	lastPrice = "last-price@1"
)

// nextModel is the trained model of a series' next hour.
type nextModel struct {
	trees   *forecast.Realtime
	trained time.Time
	tried   time.Time
	known   []string
	days    int
}

// How the next hour is forecast.
const (
	nextPast    = 120 * 24 * time.Hour // of ticks that are learnt from
	nextTrain   = 24 * time.Hour
	nextSlots   = 4
	longestTick = 30 * time.Minute
)

// nextHour forecasts the slots after the last one that settled, once for each
// that settles. Series that are published ahead, or by the hour, have none.
func (s *service) nextHour(ctx context.Context, series string) error {
	f := s.Desk.series[series]
	if f.Publish.DayAhead || f.Interval > longestTick || f.Interval < 5*time.Minute {
		return nil
	}
	now := s.Now()
	last, ok, err := s.store.Latest(ctx, series, now)
	if err != nil || !ok || now.Sub(last.Start) > 2*time.Hour {
		return err // nothing new: a forecast of the past helps nobody
	}
	start := last.Start.Add(last.Length)
	have, err := s.Record.Forecasts(ctx, ledger.ForecastFilter{Series: series, Horizon: NextHour, From: start, To: start.Add(time.Second), NoBody: true})
	if err != nil || len(have) >= 2 {
		return err
	}
	m := s.next[series]
	if m == nil {
		m = &nextModel{}
		s.next[series] = m
	}
	if now.Sub(m.trained) > nextTrain && now.Sub(m.tried) > retryAfter {
		if err := s.trainNext(ctx, series, m); err != nil {
			s.Log.Debug("the next hour's model cannot learn", "series", series, "error", err)
		}
	}
	ticks, err := s.ticks(ctx, series, m.known, start.Add(-15*24*time.Hour), start.Add(nextSlots*f.Interval), f.Interval)
	if err != nil {
		return err
	}
	keep := func(dist *forecast.Distribution, err error) error {
		if err != nil {
			return err
		}
		dist.Start, dist.Slot = start, f.Interval
		if slices.ContainsFunc(have, func(h ledger.StoredForecast) bool { return h.Model == dist.Model }) {
			return nil
		}
		if err := s.keep(ctx, series, NextHour, dist, false, nil); err != nil && !errors.Is(err, ledger.ErrConflict) {
			return err
		}
		return nil
	}
	if err := keep(persistence(ticks, nextSlots, s.Forecast.SpikeAt, f.Interval)); err != nil {
		return err
	}
	if m.trees == nil {
		return nil
	}
	return keep(m.trees.Forecast(ticks[max(0, len(ticks)-int(3*24*time.Hour/f.Interval)):], nextSlots))
}

// trainNext lets the trees learn anew from the last months.
func (s *service) trainNext(ctx context.Context, series string, m *nextModel) error {
	f, now := s.Desk.series[series], s.Now()
	m.tried = now
	s.at(Work{Busy: true, Series: series, Model: firstNext, Since: now})
	known := s.knownAhead(series)
	past, err := s.ticks(ctx, series, known, now.Add(-nextPast), now.Truncate(f.Interval), f.Interval)
	if err != nil {
		return err
	}
	for len(past) > 0 && math.IsNaN(past[0].Price) {
		past = past[1:]
	}
	for len(past) > 0 && math.IsNaN(past[len(past)-1].Price) {
		past = past[:len(past)-1]
	}
	learns := "boosted trees on the last prices, the day-ahead price, what is known ahead and the clock: how far the price moves, how uncertain that is, and the chance of a spike"
	trees, err := forecast.LearnRealtime(past, forecast.RealtimeHow{Slot: f.Interval, Ahead: nextSlots, SpikeAt: s.Forecast.SpikeAt, Zone: s.zone(ctx, series), Workers: s.Forecast.Threads})
	if err != nil {
		return errors.Join(err, s.card(ctx, series, NextHour, firstNext, learns, nil, nil, now, err))
	}
	m.trees, m.trained, m.known, m.days = trees, now, known, int(time.Duration(len(past))*f.Interval/(24*time.Hour))
	return s.card(ctx, series, NextHour, firstNext, learns, &laid{known: known}, []string{fmt.Sprintf("learnt from %d days of %v", m.days, f.Interval)}, now, nil)
}

// ticks are the slots of [from, to), with NaN where nothing settled. Of the known
// series the first that is a price is the day-ahead price.
func (s *service) ticks(ctx context.Context, series string, known []string, from, to time.Time, slot time.Duration) ([]forecast.Tick, error) {
	values, err := s.store.Range(ctx, series, from.Add(-slot), to)
	if err != nil {
		return nil, err
	}
	price := map[int64]float64{}
	for _, v := range values {
		price[v.Start.Unix()] = float64(v.Micro) / 1e6
	}
	var dam map[int64]float64
	var others []map[int64]float64
	for _, n := range known {
		h, err := s.hourly(ctx, n, from.Add(-time.Hour), to.Add(time.Hour))
		if err != nil {
			return nil, err
		}
		if dam == nil && s.Desk.series[n].Quantity == s.Desk.series[series].Quantity {
			dam = h
		} else {
			others = append(others, h)
		}
	}
	at := func(m map[int64]float64, k int64) float64 {
		if v, ok := m[k]; ok {
			return v
		}
		return math.NaN()
	}
	var out []forecast.Tick
	for t := from.Truncate(slot); t.Before(to); t = t.Add(slot) {
		hour := t.Truncate(time.Hour).Unix()
		tick := forecast.Tick{At: t, Price: at(price, t.Unix()), Ahead: at(dam, hour), Known: make([]float64, len(others))}
		for i, o := range others {
			tick.Known[i] = at(o, hour)
		}
		out = append(out, tick)
	}
	return out, nil
}

// persistence says that the price stays: as uncertain as that was, so many slots
// ahead, in the last two weeks.
func persistence(ticks []forecast.Tick, n int, spikeAt float64, slot time.Duration) (*forecast.Distribution, error) {
	settled := ticks[:max(0, len(ticks)-n)]
	if len(settled) < 96 || math.IsNaN(settled[len(settled)-1].Price) {
		return nil, fmt.Errorf("%d settled slots: %w", len(settled), forecast.ErrTooShort)
	}
	now := settled[len(settled)-1].Price
	out := &forecast.Distribution{Model: lastPrice, Levels: levels(), Slot: slot, SpikeAt: spikeAt}
	for ahead := 1; ahead <= n; ahead++ {
		var errs []float64
		for i := ahead; i < len(settled); i++ {
			if e := settled[i].Price - settled[i-ahead].Price; !math.IsNaN(e) {
				errs = append(errs, e)
			}
		}
		if len(errs) < 50 {
			return nil, fmt.Errorf("%d moves of the past: %w", len(errs), forecast.ErrTooShort)
		}
		slices.Sort(errs)
		row := make([]float64, len(out.Levels))
		for i, l := range out.Levels {
			row[i] = now + at(errs, l)
		}
		above := 0
		for _, e := range errs {
			if now+e > spikeAt {
				above++
			}
		}
		out.Values, out.Mean, out.Spike = append(out.Values, row), append(out.Mean, now), append(out.Spike, float64(above)/float64(len(errs)))
	}
	if spikeAt <= 0 {
		out.Spike = nil
	}
	return out, nil
}

// PeakChance is the chance that the interval of t becomes one of a contract's
// coincident peaks; false when it cannot be told. Outside of the months that the
// rule looks at the contract does not ask.
func (d *Desk) PeakChance(ctx context.Context, c *tariff.Contract, set string, t time.Time) (float64, bool) {
	p, err := d.peakChances(ctx, c, set, t)
	if err != nil {
		d.Log.Debug("coincident peaks cannot be told", "set", set, "error", err)
		return 0, false
	}
	n := int(t.Sub(p.start) / p.slot)
	if t.Before(p.start) || n >= len(p.chance) {
		return 0, false
	}
	return p.chance[n], true
}

// peakOutlook is the chance of each slot from start on.
type peakOutlook struct {
	made   time.Time
	start  time.Time
	slot   time.Duration
	chance []float64
}

// peakPast is how much of the past peak chances are reckoned from.
const peakPast = 45 * 24 * time.Hour

// peakChances are reckoned anew each quarter of an hour.
func (d *Desk) peakChances(ctx context.Context, c *tariff.Contract, set string, t time.Time) (peakOutlook, error) {
	var decl *tariff.PeakSet
	for i := range c.Peaks {
		if c.Peaks[i].Name == set {
			decl = &c.Peaks[i]
		}
	}
	if decl == nil {
		return peakOutlook{}, fmt.Errorf("no set %q: %w", set, tariff.ErrInvalid)
	}
	now, slot := d.Now(), decl.Interval
	key := c.Name + "\x00" + set
	d.mu.Lock()
	was, ok := d.chances[key]
	d.mu.Unlock()
	if ok && now.Sub(was.made) < decl.Interval {
		return was, nil
	}
	if _, looked := c.PeakThreshold(set, t, nil); !looked {
		return peakOutlook{}, fmt.Errorf("%s looks at other months: %w", set, tariff.ErrInvalid)
	}
	loads, err := d.book.SystemLoads(ctx, decl.Series, now.Add(-peakPast), now)
	if err != nil {
		return peakOutlook{}, err
	}
	if len(loads) == 0 {
		return peakOutlook{}, fmt.Errorf("no load of %s: %w", decl.Series, forecast.ErrTooShort)
	}
	// A load that comes by the hour is judged by the hour, and the chance of the hour
	// is shared by its intervals: nothing says which one is the highest.
	finest := slot
	if l := loads[len(loads)-1].Length; l > slot && l%slot == 0 && 24*time.Hour%l == 0 {
		slot = l
	}
	ahead, err := d.loadAhead(ctx, decl.Series, loads, now)
	if err != nil {
		return peakOutlook{}, err
	}
	start := tariff.DateOf(loads[0].Start.In(c.Location())).AddDays(1).In(c.Location())
	l := forecast.Load{Start: start, Slot: slot, Zone: c.Location()}
	by := map[int64]float64{}
	var last time.Time
	for _, x := range loads {
		for at := x.Start.Truncate(slot); at.Before(x.Start.Add(x.Length)); at = at.Add(slot) {
			by[at.Unix()] = float64(x.Load) / 1e6
			last = at
		}
	}
	end := last.Add(slot)
	for at := start; ; at = at.Add(slot) {
		f, known := ahead[at.Truncate(time.Hour).Unix()]
		if !at.Before(end) && !known || at.After(now.Add(72*time.Hour)) {
			break
		}
		if !known {
			f = math.NaN()
		}
		l.Forecast = append(l.Forecast, f)
		if at.Before(end) {
			v, ok := by[at.Unix()]
			if !ok {
				v = math.NaN()
			}
			l.Settled = append(l.Settled, v)
		}
	}
	out := peakOutlook{made: now, start: end, slot: finest}
	chance, err := forecast.PeakChances(l, forecast.PeakHow{Paths: 1500, Seed: 1})
	if err != nil {
		return out, err
	}
	parts := int(slot / finest)
	for _, p := range chance {
		for range parts {
			out.chance = append(out.chance, p/float64(parts))
		}
	}
	d.mu.Lock()
	d.chances[key] = out
	d.mu.Unlock()
	return out, nil
}

// loadAhead is the forecast of a system's load by the hour: what is published of
// the hours to come, and of past hours what was published a day before, so that
// its errors are those of a day ahead. Of several forecasts (a system has them by
// zone too) that which is nearest to the load in all.
func (d *Desk) loadAhead(ctx context.Context, series string, loads []tariff.SystemLoad, now time.Time) (map[int64]float64, error) {
	real := map[int64]float64{}
	count := map[int64]int{}
	for _, x := range loads {
		k := x.Start.Truncate(time.Hour).Unix()
		real[k] += float64(x.Load) / 1e6
		count[k]++
	}
	best, least := "", math.Inf(1)
	for _, n := range d.names {
		o := d.series[n]
		if o.Quantity != feed.Load || !o.Publish.DayAhead || operator(n) != operator(series) || n == series || !strings.Contains(n, "load") {
			continue
		}
		said, err := d.hourly(ctx, n, now.Add(-peakPast), now)
		if err != nil {
			return nil, err
		}
		var sum, of float64
		for k, v := range said {
			if c := count[k]; c > 0 {
				sum, of = sum+v, of+real[k]/float64(c)
			}
		}
		if sum > 0 && of > 0 && math.Abs(math.Log(sum/of)) < least {
			best, least = n, math.Abs(math.Log(sum/of))
		}
	}
	if best == "" || least > math.Log(1.3) {
		return nil, fmt.Errorf("no forecast of %s: %w", series, forecast.ErrTooShort)
	}
	out, err := d.hourly(ctx, best, now.Add(-peakPast), now.Add(72*time.Hour))
	if err != nil {
		return nil, err
	}
	for k := range out {
		at := time.Unix(k, 0)
		if at.After(now) {
			continue
		}
		all, err := d.store.Revisions(ctx, best, at)
		if err != nil {
			return nil, err
		}
		for _, r := range slices.Backward(all) {
			if known := r.Published; !known.IsZero() && !known.After(at.Add(-12*time.Hour)) {
				out[k] = float64(r.Micro) / 1e6
				break
			}
		}
	}
	return out, nil
}
