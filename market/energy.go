package market

import (
	"fmt"
	"time"

	"ballast/unit"
)

// Released is a machine as the network energy model sees it.
type Released struct {
	Model      string
	At         time.Time
	Efficiency unit.Efficiency
}

// NetworkDay is one day of the network as a whole.
type NetworkDay struct {
	Day      time.Time
	Hashrate float64 // H/s
	Revenue  float64 // currency units a day, all miners
}

// EnergyModel has the parameters of the Cambridge index.
type EnergyModel struct {
	PowerPrice  float64       // currency units per kWh
	Life        time.Duration // of a machine after its release
	Overhead    float64       // PUE of the network
	SmoothTheta int           // days of the moving average of revenue per hash
	SmoothPower int           // days of the moving average of power
}

// CBECI are the parameters of the Cambridge Bitcoin Electricity Consumption
// Index as its source has them (CambridgeAltFin/ccaf_cbeci_api): 5 years of
// life, PUE 1.10, averages of 14 and 7 days.
func CBECI(powerPrice float64) EnergyModel {
	return EnergyModel{PowerPrice: powerPrice, Life: 5 * 365 * 24 * time.Hour, Overhead: 1.10, SmoothTheta: 14, SmoothPower: 7}
}

// EnergyDay is the model's answer for one day.
type EnergyDay struct {
	Day        time.Time
	Efficiency unit.Efficiency // simple mean of the machines that pay; the last known when none does
	Models     int             // how many pay
	TWhPerYear float64         // annualised, smoothed
}

// Energy estimates what the network draws. A machine takes part from the day
// after its release to the end of its life, as long as it earns its power: when
// revenue per joule at the power price is more than 1. All that take part count
// alike; the mean efficiency times the hashrate times the overhead is the
// network's power. Days before any machine pays are left out.
func (m EnergyModel) Energy(days []NetworkDay, rigs []Released) ([]EnergyDay, error) {
	if !(m.PowerPrice > 0) || !(m.Overhead > 0) || m.SmoothTheta < 1 || m.SmoothPower < 1 {
		return nil, fmt.Errorf("energy model %+v: %w", m, ErrInvalid)
	}
	const joule = 3.6e6 // a kWh
	var out []EnergyDay
	var raw []float64
	theta := make([]float64, 0, len(days))
	var last unit.Efficiency
	for i, d := range days {
		if !(d.Hashrate > 0) || i > 0 && !d.Day.After(days[i-1].Day) {
			return nil, fmt.Errorf("day %v: %w", d.Day, ErrInvalid)
		}
		theta = append(theta, d.Revenue/(d.Hashrate*DaySeconds)) // per hash
		// The most that a machine may need, in J/TH.
		most := mean(tail(theta, m.SmoothTheta)) / (m.PowerPrice / joule) * 1e12
		var sum float64
		n := 0
		for _, r := range rigs {
			if d.Day.After(r.At) && d.Day.Before(r.At.Add(m.Life)) && float64(r.Efficiency) < most {
				sum += float64(r.Efficiency)
				n++
			}
		}
		if n > 0 {
			last = unit.Efficiency(sum / float64(n))
		}
		if last == 0 {
			continue
		}
		watts := d.Hashrate / 1e12 * float64(last) * m.Overhead
		raw = append(raw, watts*8766/1e12) // hours of a mean year; W to TW
		out = append(out, EnergyDay{Day: d.Day, Efficiency: last, Models: n, TWhPerYear: mean(tail(raw, m.SmoothPower))})
	}
	return out, nil
}

func tail(v []float64, n int) []float64 { return v[max(0, len(v)-n):] }

func mean(v []float64) float64 {
	var s float64
	for _, x := range v {
		s += x
	}
	return s / float64(len(v))
}

// YearlyMean averages the annualised energy over the days of each year.
func YearlyMean(days []EnergyDay) map[int]float64 {
	sum, n := map[int]float64{}, map[int]float64{}
	for _, d := range days {
		y := d.Day.Year()
		sum[y] += d.TWhPerYear
		n[y]++
	}
	for y := range sum {
		sum[y] /= n[y]
	}
	return sum
}
