package miner

import (
	"cmp"
	"math"
	"slices"

	"ballast/unit"
)

// Chips are the per-chip figures of one board, as far as its firmware tells
// them. A nil slice is a figure that it does not tell; slices need not be of
// one length. Figures that are no chip's (a sensor's sentinel) are to be left
// out by the driver, with NaN in their place where others of the chip count.
type Chips struct {
	Hashrates   []unit.Hashrate
	Temps       []unit.Temperature
	Frequencies []unit.Frequency
	Voltages    []unit.Voltage
	Errors      []int64
	Dead        unit.Opt[int] // told as failed
	Count       int           // chips told of, when only a map of them is told
}

// weakShare is the share of the median rate below which a chip counts as weak.
const weakShare = 0.8

// SummarizeChips condenses per-chip figures. It is missing when there are none.
//
// Dead is what the firmware told, else the chips that hash nothing while the
// median chip does. Weak chips hash below 80 % of the median of the living
// ones and are not dead.
func SummarizeChips(c Chips) unit.Opt[ChipSummary] {
	n := max(c.Count, len(c.Hashrates), len(c.Temps), len(c.Frequencies), len(c.Voltages), len(c.Errors))
	if n == 0 {
		return unit.None[ChipSummary]()
	}
	s := ChipSummary{Count: n, Dead: c.Dead}
	if rates := numbers(c.Hashrates); len(rates) > 0 {
		slices.Sort(rates)
		s.HashrateMin = unit.Some(rates[0])
		median := medianOf(rates)
		s.HashrateMedian = unit.Some(median)
		_, sd := meanSD(rates)
		s.HashrateSD = unit.Some(unit.Hashrate(sd))
		if median > 0 {
			none := 0
			for none < len(rates) && rates[none] <= 0 {
				none++
			}
			if !s.Dead.Ok() {
				s.Dead = unit.Some(none)
			}
			alive := rates[none:]
			limit := medianOf(alive) * weakShare
			weak, _ := slices.BinarySearchFunc(alive, limit, cmp.Compare[unit.Hashrate])
			s.Weak = unit.Some(weak)
		}
	}
	if temps := numbers(c.Temps); len(temps) > 0 {
		mean, sd := meanSD(temps)
		s.TempMax = unit.Some(slices.Max(temps))
		s.TempMean, s.TempSD = unit.Some(unit.Temperature(mean)), unit.Some(sd)
	}
	if f := numbers(c.Frequencies); len(f) > 0 {
		mean, _ := meanSD(f)
		s.FrequencyMin, s.FrequencyMean = unit.Some(slices.Min(f)), unit.Some(unit.Frequency(mean))
	}
	if v := numbers(c.Voltages); len(v) > 0 {
		mean, _ := meanSD(v)
		s.VoltageMin, s.VoltageMean = unit.Some(slices.Min(v)), unit.Some(unit.Voltage(mean))
	}
	if len(c.Errors) > 0 {
		sum := int64(0)
		for _, e := range c.Errors {
			sum += e
		}
		s.Errors, s.ErrorsMax = unit.Some(sum), unit.Some(slices.Max(c.Errors))
	}
	return unit.Some(s)
}

// numbers is a copy of v without NaN and infinities.
func numbers[T ~float64](v []T) []T {
	out := make([]T, 0, len(v))
	for _, x := range v {
		if !math.IsNaN(float64(x)) && !math.IsInf(float64(x), 0) {
			out = append(out, x)
		}
	}
	return out
}

// medianOf is the median of sorted values, of which there is at least one.
func medianOf[T ~float64](sorted []T) T {
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

// meanSD is the mean and the standard deviation of all values (a board's chips
// are the population, not a sample of it).
func meanSD[T ~float64](v []T) (mean, sd float64) {
	for _, x := range v {
		mean += float64(x)
	}
	mean /= float64(len(v))
	sum := 0.0
	for _, x := range v {
		d := float64(x) - mean
		sum += d * d
	}
	return mean, math.Sqrt(sum / float64(len(v)))
}
