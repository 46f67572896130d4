package price

import (
	"context"
	"math"
	"slices"
	"time"

	"ballast/tariff"
	"ballast/tariff/feed"
)

// Risk is what may become dear at a site: spikes of the market prices that its
// contract follows, and coincident peaks.
type Risk struct {
	Site   string      `json:"site"`
	Spikes []SpikeRisk `json:"spikes"`
	Peaks  []PeakRisk  `json:"peaks"`
}

// SpikeRisk is the chance that a price rises above a level.
type SpikeRisk struct {
	Series   string    `json:"series"`
	Above    float64   `json:"above" doc:"In the series' unit."`
	Unit     string    `json:"unit"`
	Hours    []Chance  `json:"hours" doc:"For each hour to come that is forecast."`
	NextHour *float64  `json:"next_hour,omitempty" doc:"In any slot of the hour that follows the last settled price."`
	Model    string    `json:"model,omitempty"`
	Issued   time.Time `json:"issued,omitzero"`
}

// PeakRisk is the chance of coincident peaks.
type PeakRisk struct {
	Set    string   `json:"set"`
	Series string   `json:"series" doc:"System load that decides."`
	Inside bool     `json:"in_season" doc:"The rule looks at the present month."`
	Hours  []Chance `json:"hours" doc:"For each hour to come: that its highest interval is one."`
	Source string   `json:"source,omitempty" doc:"Of the rule in force."`
	Why    string   `json:"why,omitempty" doc:"Why there are no chances."`
}

// Chance is a probability over a stretch of time.
type Chance struct {
	From  time.Time `json:"from"`
	To    time.Time `json:"to"`
	P     float64   `json:"p"`
	Model string    `json:"model,omitempty"`
}

// riskHours is how far the risk looks.
const riskHours = 48

// Risk looks ahead for a site.
func (d *Desk) Risk(ctx context.Context, site string, t time.Time) (Risk, error) {
	out := Risk{Site: site, Spikes: []SpikeRisk{}, Peaks: []PeakRisk{}}
	c, err := d.InForce(ctx, site, t)
	if err != nil {
		return out, err
	}
	for _, name := range c.Parsed.Series() {
		f, ok := d.series[name]
		if !ok || f.Quantity != feed.EnergyPrice || !d.Forecasted(name) {
			continue
		}
		out.Spikes = append(out.Spikes, d.spikes(name, t))
	}
	for i := range c.Parsed.Peaks {
		out.Peaks = append(out.Peaks, d.coming(ctx, c.Parsed, &c.Parsed.Peaks[i], t))
	}
	return out, nil
}

func (d *Desk) spikes(series string, t time.Time) SpikeRisk {
	f := d.series[series]
	r := SpikeRisk{Series: series, Above: d.Forecast.SpikeAt, Unit: f.Unit(), Hours: []Chance{}}
	hour := t.Truncate(time.Hour)
	for i := range riskHours {
		at := hour.Add(time.Duration(i) * time.Hour)
		// What is published is no risk any more.
		if q, ok := d.book.At(series, at); ok && q.Length >= time.Hour {
			p := 0.0
			if q.Price.PerMWh() > r.Above {
				p = 1
			}
			r.Hours = append(r.Hours, Chance{at, at.Add(time.Hour), p, "published"})
			continue
		}
		said, n, ok := d.daySaying(series, at)
		if !ok || said.Spike == nil || said.SpikeAt != r.Above {
			continue
		}
		r.Hours = append(r.Hours, Chance{at, at.Add(time.Hour), said.Spike[n], said.Model})
		if r.Model == "" {
			r.Model, r.Issued = said.Model, said.Issued
		}
	}
	d.mu.Lock()
	next := d.ahead[series].next
	d.mu.Unlock()
	if next != nil && next.Spike != nil && next.End.After(t) {
		none := 1.0
		for i, p := range next.Spike {
			if next.Start.Add(time.Duration((i+1)*next.Slot) * time.Second).After(t) {
				none = math.Min(none, 1-p)
			}
		}
		p := 1 - none // slots of one hour spike together: the likeliest of them
		r.NextHour = &p
	} else if said, n, ok := d.daySaying(series, t); ok && said.Spike != nil && said.SpikeAt == r.Above {
		p := said.Spike[n] // of spikes there were too few to learn from: the day's forecast speaks
		r.NextHour = &p
	}
	return r
}

// daySaying is the day's forecast that counts for t, without the next hour's.
func (d *Desk) daySaying(series string, t time.Time) (Forecast, int, bool) {
	d.mu.Lock()
	a := d.ahead[series]
	d.mu.Unlock()
	for _, m := range []string{a.lead, "ensemble@2", firstChampion, naiveWeek, naiveDay} {
		for i := range a.day[m] {
			if n := a.day[m][i].slot(t); n >= 0 && !a.day[m][i].Replayed {
				return a.day[m][i], n, true
			}
		}
	}
	return Forecast{}, 0, false
}

func (d *Desk) coming(ctx context.Context, c *tariff.Contract, set *tariff.PeakSet, t time.Time) PeakRisk {
	r := PeakRisk{Set: set.Name, Series: set.Series, Hours: []Chance{}}
	for i := range set.Rules {
		if set.Rules[i].Since <= t.In(c.Location()).Year() {
			r.Source = set.Rules[i].Source
		}
	}
	if _, r.Inside = c.PeakThreshold(set.Name, t, nil); !r.Inside {
		r.Why = "the rule does not look at this month"
		return r
	}
	p, err := d.peakChances(ctx, c, set.Name, t)
	if err != nil {
		r.Why = err.Error()
		return r
	}
	for i, chance := range p.chance {
		at := p.start.Add(time.Duration(i) * p.slot)
		hour := at.Truncate(time.Hour)
		if n := len(r.Hours); n > 0 && r.Hours[n-1].From.Equal(hour) {
			// One interval of the month is its highest: chances of one hour add up.
			r.Hours[n-1].P = math.Min(1, r.Hours[n-1].P+chance)
			continue
		}
		r.Hours = append(r.Hours, Chance{From: hour, To: hour.Add(time.Hour), P: chance})
	}
	return r
}

// Forecasted tells whether Ballast forecasts a series.
func (d *Desk) Forecasted(series string) bool {
	return d.Forecast.Enabled && slices.Contains(d.forecastSeries(), series)
}

// Zone is the clock of a series' market.
func (d *Desk) Zone(ctx context.Context, series string) string { return d.zone(ctx, series).String() }
