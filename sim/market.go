package sim

import (
	"fmt"
	"math"
	"net/http"
	"time"

	"ballast/unit"
)

// Market is an electricity market that does not exist: load from the weather,
// wind and sun, and a supply curve that turns what is left into a price. All of
// it is a function of seed and time, so that any span of the past can be asked
// for and is the same every time.
type Market struct {
	Climate Climate
	Seed    uint64
	Zone    *time.Location // of the trading day
}

// What the simulated operator publishes.
const (
	DayAhead     = "dam"           // $/MWh by the hour, published at 13:30 of the day before
	RealTime     = "rtm"           // $/MWh by the quarter of an hour, published as it ends
	SystemLoad   = "load"          // MW by the quarter of an hour, published as it ends
	LoadForecast = "load_forecast" // MW by the hour, published at 06:00 of the day before
	WindForecast = "wind_forecast" // MW by the hour, of wind and sun together, published at 06:00 of the day before
)

const (
	drawWind stream = drawMarket*64 + iota
	drawGusts
	drawCloud
	drawDemand
	drawLoadError
	drawWindError
	drawNoise
	drawScarce
	drawScarceHow
	drawCorrection
)

// Megawatts of the simulated system.
const (
	windBuilt  = 36_000.0
	solarBuilt = 24_000.0
	loadBase   = 43_000.0
)

// load is the system's demand in MW.
func (m Market) load(t time.Time) float64 {
	local := t.In(m.Zone)
	temp := float64(m.Climate.At(m.Seed, t).Temperature)
	hour := float64(local.Hour()) + float64(local.Minute())/60
	// Two humps: the morning, and the evening that people come home to.
	shape := 1 + 0.10*math.Cos(2*math.Pi*(hour-18)/24) + 0.05*math.Cos(4*math.Pi*(hour-8)/24)
	if d := local.Weekday(); d == time.Saturday || d == time.Sunday {
		shape -= 0.06
	}
	cooling := 1050 * math.Max(0, temp-20)
	heating := 620 * math.Max(0, 12-temp)
	return loadBase*shape*(1+0.012*wave(m.Seed, drawDemand, float64(t.Unix()), 5*3600)) + cooling + heating
}

// renewables are wind and sun in MW.
func (m Market) renewables(t time.Time) float64 {
	s := float64(t.Unix())
	local := t.In(m.Zone)
	hour := float64(local.Hour()) + float64(local.Minute())/60
	wind := 0.36 + 0.20*wave(m.Seed, drawWind, s, 40*3600) + 0.08*wave(m.Seed, drawGusts, s, 5*3600) + 0.07*math.Cos(2*math.Pi*(hour-2)/24)
	// The sun over 31° north: high from six to six, longer in summer.
	day := float64(local.YearDay())
	tilt := 23.4 * math.Sin(2*math.Pi*(day-81)/365) * math.Pi / 180
	solarHour := (hour - 12.9) * math.Pi / 12
	height := math.Sin(31*math.Pi/180)*math.Sin(tilt) + math.Cos(31*math.Pi/180)*math.Cos(tilt)*math.Cos(solarHour)
	clear := 0.82 + 0.16*wave(m.Seed, drawCloud, s, 18*3600)
	return windBuilt*math.Min(math.Max(wind, 0.02), 0.88) + solarBuilt*math.Max(0, height)*math.Min(math.Max(clear, 0.15), 1)
}

// price is what a MWh costs when net MW must come from plants that burn
// something: a slope, and a wall where the plants end.
func price(net float64) float64 {
	switch x := net / 1000; {
	case x < 16:
		return -18 + 1.6*math.Max(x, 6) // wind pays to run
	case x < 52:
		return 7.6 + (x-16)*1.2
	default:
		return math.Min(50.8+(x-52)*2.2+0.06*math.Pow(x-52, 2.9), 4500)
	}
}

// at is a series' value in an interval that begins at t.
func (m Market) at(series string, t time.Time) float64 {
	s := float64(t.Unix())
	switch series {
	case SystemLoad:
		return m.load(t.Add(450 * time.Second))
	case LoadForecast:
		return m.load(t.Add(1800*time.Second)) * (1 + 0.018*wave(m.Seed, drawLoadError, s, 9*3600))
	case WindForecast:
		return m.renewables(t.Add(1800*time.Second)) * (1 + 0.10*wave(m.Seed, drawWindError, s, 7*3600))
	case DayAhead:
		expected := m.at(LoadForecast, t) - m.at(WindForecast, t)
		return price(expected)*1.04 + 0.8*wave(m.Seed, drawNoise, s, 3*3600)
	}
	net := m.load(t.Add(450*time.Second)) - m.renewables(t.Add(450*time.Second))
	p := price(net) + 1.7*wave(m.Seed, drawNoise, s, 1800)
	// A plant trips, a ramp is missed: the rarer the tighter the system is not.
	hour := t.Unix() / 3600
	if uniform(m.Seed, drawScarce, hour) < 0.005+0.035*math.Max(0, math.Min(1, (net-46_000)/16_000)) {
		first := int64(4 * uniform(m.Seed, drawScarceHow, hour*2))
		long := 1 + int64(3*uniform(m.Seed, drawScarceHow, hour*2+1))
		if q := t.Unix() / 900 % 4; q >= first && q < first+long {
			p += 170 * exponential(m.Seed, drawScarceHow, hour+1<<40) * (1 + math.Max(0, (net-40_000)/8_000))
		}
	}
	return math.Min(p, 5000)
}

// interval is how long a value of a series is in force; false for no series.
func (m Market) interval(series string) (time.Duration, bool) {
	switch series {
	case DayAhead, LoadForecast, WindForecast:
		return time.Hour, true
	case RealTime, SystemLoad:
		return 15 * time.Minute, true
	}
	return 0, false
}

// published is when the operator publishes the value of the interval at t.
func (m Market) published(series string, t time.Time) time.Time {
	y, mo, d := t.In(m.Zone).Date()
	switch series {
	case DayAhead:
		return time.Date(y, mo, d-1, 13, 30, 0, 0, m.Zone)
	case LoadForecast, WindForecast:
		return time.Date(y, mo, d-1, 6, 0, 0, 0, m.Zone)
	}
	return t.Add(15 * time.Minute)
}

// corrected is how long after its interval one real-time price in three hundred
// is published anew.
const corrected = 2 * time.Hour

// MarketValue is one published value: $/MWh or MW.
type MarketValue struct {
	Start     time.Time `json:"start"`
	Value     float64   `json:"value"`
	Published time.Time `json:"published"`
}

// mostValues bounds an answer.
const mostValues = 60_000

// Values are what the operator has published by now of [from, to).
func (m Market) Values(series string, from, to, now time.Time) ([]MarketValue, error) {
	step, ok := m.interval(series)
	if !ok {
		return nil, fmt.Errorf("series %q: %w", series, ErrOutOfRange)
	}
	if to.Sub(from) > mostValues*step {
		return nil, fmt.Errorf("%v is more than %d values: %w", to.Sub(from), mostValues, ErrOutOfRange)
	}
	out := []MarketValue{}
	for t := from.Truncate(step); t.Before(to); t = t.Add(step) {
		when := m.published(series, t)
		if t.Before(from) || when.After(now) {
			continue
		}
		v := m.at(series, t)
		if series == RealTime && uniform(m.Seed, drawCorrection, t.Unix()/900) < 1.0/300 && !now.Before(t.Add(step+corrected)) {
			v, when = v*0.94, t.Add(step+corrected)
		}
		out = append(out, MarketValue{t.UTC(), math.Round(v*100) / 100, when.UTC()})
	}
	return out, nil
}

// MarketTariff is the electricity contract that the simulated site has, as its
// owner would write it down.
func MarketTariff(power unit.Power, from time.Time) string {
	return fmt.Sprintf(marketTariff, from.Format(time.DateOnly), math.Max(0.01, math.Round(float64(power)/1e6*80)/100))
}

// The block is four fifths of what the site draws.
const marketTariff = `# The contract of the simulated site. Nobody signed it.
name: Simulated PPA
currency: USD
zone: America/Chicago
interval: 15m
peaks:
  - name: texas
    series: sim.load
    interval: 15m
    rules:
      - since: 2015
        source: 4CP as ERCOT has it until 2026
        groups: [{months: [6, 7, 8, 9], count: 1}]
versions:
  - from: %s
    source: made up for the simulation
    losses: 1.8%%
    parts:
      - name: Energy
        kind: ppa
        blocks: [{power: %.2fMW, price: $29.50/MWh}]
        excess: {series: sim.rtm, adder: $1.25/MWh, fallback: {hold: 30m, series: sim.dam, same_hour: 7}}
        sell_back: {series: sim.rtm, multiplier: 97%%, adder: -$0.25/MWh, fallback: {hold: 30m, series: sim.dam, same_hour: 7}}
      - {name: Wires, kind: adder, price: $3.10/MWh}
      - {name: Demand, kind: demand, capacity: $4.20/kW, ratchet: {share: 80%%, months: 11}}
      - {name: Transmission, kind: coincident, capacity: $71.36/kW-year, peaks: texas, assumed: 0.05MW}
      - {name: Meter, kind: fee, amount: $450.00}
      - {name: Gross receipts, kind: tax, share: 2%%}
`

// MeterHistory is what the site's main meter would have counted in the quarters
// of an hour of [from, to), in joules: the machines and their cooling, a little
// less in the heat, and next to nothing while power was dear. It is for sites
// that are shown with a past that they did not run through.
func (s *Site) MeterHistory(from, to time.Time) []MeterQuarter {
	m := s.Market()
	draws := float64(s.nominalPower()) * 1.02
	var out []MeterQuarter
	for t := from.Truncate(15 * time.Minute); t.Before(to); t = t.Add(15 * time.Minute) {
		share := 0.965 + 0.012*wave(s.cfg.Seed, drawMarket, float64(t.Unix()), 30*3600)
		if heat := float64(s.climate.At(s.cfg.Seed, t).Temperature) - 32; heat > 0 {
			share -= 0.006 * heat
		}
		if m.at(RealTime, t) > 150 {
			share = 0.04
		}
		out = append(out, MeterQuarter{t.UTC(), math.Round(draws * share * 900)})
	}
	return out
}

// MeterQuarter is a quarter of an hour of a meter.
type MeterQuarter struct {
	Start  time.Time `json:"start"`
	Joules float64   `json:"joules"`
}

// Market is the market that the site buys from.
func (s *Site) Market() Market {
	zone, err := time.LoadLocation("America/Chicago")
	if err != nil {
		zone = time.FixedZone("CST", -6*3600)
	}
	return Market{s.climate, s.cfg.Seed, zone}
}

// NominalPower is the sum of the machines' nameplates.
func (s *Site) NominalPower() unit.Power { return s.nominalPower() }

// serveMarket answers as a market operator with JSON would.
func (s *Site) serveMarket(r *http.Request) (any, error) {
	from, err1 := time.Parse(time.RFC3339, r.FormValue("from"))
	to, err2 := time.Parse(time.RFC3339, r.FormValue("to"))
	if err1 != nil || err2 != nil {
		return nil, fmt.Errorf("from and to: %w: want times such as 2026-11-23T00:00:00Z", ErrOutOfRange)
	}
	if r.PathValue("series") == "meter" {
		if to.After(s.Now()) {
			to = s.Now()
		}
		if to.Sub(from) > mostValues*15*time.Minute {
			return nil, fmt.Errorf("%v: %w", to.Sub(from), ErrOutOfRange)
		}
		return struct {
			Data []MeterQuarter `json:"data"`
		}{s.MeterHistory(from, to)}, nil
	}
	data, err := s.Market().Values(r.PathValue("series"), from, to, s.Now())
	if err != nil {
		return nil, err
	}
	return struct {
		Simulated bool          `json:"simulated"`
		Data      []MarketValue `json:"data"`
	}{true, data}, nil
}
