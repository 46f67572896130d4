package sim

import (
	"math"
	"time"

	"ballast/unit"
)

// Climate is the weather of a place as statistics.
type Climate struct {
	Mean     float64 `json:"mean" yaml:"mean"`         // °C over the year
	Season   float64 `json:"season" yaml:"season"`     // K, warmest month over the mean
	Day      float64 `json:"day" yaml:"day"`           // K, afternoon over the day's mean
	Unrest   float64 `json:"unrest" yaml:"unrest"`     // K, standard deviation of what neither explains
	Humidity float64 `json:"humidity" yaml:"humidity"` // relative, at the day's mean temperature, 0..1
	Zone     float64 `json:"zone" yaml:"zone"`         // h, local solar time against UTC
	South    bool    `json:"south" yaml:"south"`       // seasons of the southern hemisphere
	Waves    float64 `json:"waves" yaml:"waves"`       // heat waves per year
}

// WestTexas is where many of the machines are.
var WestTexas = Climate{Mean: 18.5, Season: 10, Day: 7.5, Unrest: 3.5, Humidity: 0.45, Zone: -6.8, Waves: 3}

// Weather is the air outside at one instant.
type Weather struct {
	Temperature unit.Temperature `json:"temperature_c"`
	Humidity    unit.Ratio       `json:"humidity"` // relative
	WetBulb     unit.Temperature `json:"wet_bulb_c"`
}

const (
	drawFront stream = drawWeather*64 + iota
	drawSpell
	drawGust
	drawMoist
	drawWave
	drawWaveLong
)

// At is the weather at t: season, time of day, spells and fronts with their
// memory, and heat waves. It is a function of seed and time alone.
func (c Climate) At(seed uint64, t time.Time) Weather {
	s := float64(t.Unix())
	const day, year = 86400.0, 365.25 * 86400
	local := s + c.Zone*3600
	// Warmest in the third week of July, at half past three in the afternoon.
	season := math.Cos(2 * math.Pi * (math.Mod(local, year)/year - 201.0/365.25))
	if c.South {
		season = -season
	}
	clock := math.Cos(2 * math.Pi * (math.Mod(local, day)/day - 15.5/24))
	// Spells of ten days, fronts of two, and the unrest of hours.
	unrest := c.Unrest * (0.65*wave(seed, drawSpell, s, 10*day) + 0.7*wave(seed, drawFront, s, 2*day) + 0.25*wave(seed, drawGust, s, 4*3600))
	mean := c.Mean + c.Season*season + unrest + c.heatWave(seed, s)
	temp := mean + c.Day*clock*(1+0.15*wave(seed, drawMoist, s, 3*day))
	// The water in the air changes slowly; relative humidity falls as it warms.
	rel := c.Humidity * math.Exp(0.25*wave(seed, drawMoist, s, 2*day)) * saturation(mean) / saturation(temp)
	rel = min(max(rel, 0.08), 0.98)
	return Weather{unit.Temperature(temp), unit.Ratio(rel), unit.Temperature(wetBulb(temp, rel))}
}

// heatWave is how much warmer than usual a hot spell makes it. At most one
// begins in every 30 days; it lasts four to ten.
func (c Climate) heatWave(seed uint64, s float64) float64 {
	const day = 86400.0
	slot := int64(math.Floor(s / (30 * day)))
	extra := 0.0
	for _, n := range [2]int64{slot - 1, slot} {
		if uniform(seed, drawWave, n) > c.Waves*30/365 {
			continue
		}
		begin := (float64(n)*30 + 20*uniform(seed, drawWaveLong, n*4)) * day
		long := span(seed, drawWaveLong, n*4+1, 4, 10) * day
		if x := (s - begin) / long; x > 0 && x < 1 {
			extra += span(seed, drawWaveLong, n*4+2, 5, 9) * math.Min(1, 4*math.Min(x, 1-x))
		}
	}
	return extra
}

// saturation is the pressure of saturated vapour in hPa (Magnus).
func saturation(t float64) float64 { return 6.112 * math.Exp(17.62*t/(243.12+t)) }

// wetBulb approximates the wet bulb temperature (Stull 2011, within 1 K).
func wetBulb(t, rel float64) float64 {
	rh := rel * 100
	return t*math.Atan(0.151977*math.Sqrt(rh+8.313659)) + math.Atan(t+rh) - math.Atan(rh-1.676331) + 0.00391838*math.Pow(rh, 1.5)*math.Atan(0.023101*rh) - 4.686035
}
