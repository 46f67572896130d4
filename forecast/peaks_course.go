package forecast

import (
	"math"
	"math/rand/v2"
)

// course is how a system's daily peaks go on. Their logarithms, less the season
// and what a weekend takes off, are drawn to a level that follows them slowly:
//
//	z[d+1] = level + pull * (z[d] - level) + e
//	level += follow * (z[d+1] - level)
//
// pull is estimated from the past; e are the past's own residuals, in blocks, so
// that hot and cold spells stay together. A peak far above its level is thereby
// expected to come back, which a random walk does not know.
type course struct {
	season  season
	weekend float64 // added to the logarithm on Saturdays and Sundays
	pull    float64
	past    []float64 // residuals of days in a row
	now     wander
	ahead   []float64 // usual of the days after the last known one
}

// wander is where a path has come to.
type wander struct {
	number   int     // of the day it is at
	z, level float64 // logarithms
}

// How a course is told; docs/forecast.md says how it was chosen.
const (
	levelHalfLife = 3.0 // days in which the level forgets half of a difference
	blockDays     = 3   // of residuals
	usualPull     = 0.7 // where the past is too short to tell
	pullDays      = 20  // and what that is worth in days
	seasonDays    = 300 // from which on a year's course can be told
	seasonCounts  = 0.5 // of the season found: one year is not the next
	aheadDays     = 64  // whose usual is kept
)

// levelFollows is the part of a difference that the level takes on in a day.
var levelFollows = 1 - math.Exp2(-1/levelHalfLife)

func newCourse(p dailyPeaks) *course {
	c := &course{}
	c.weekend = weekendOf(p)
	if len(p.log) >= seasonDays {
		c.season = seasonOf(p, c.weekend)
	}
	z := make([]float64, len(p.log))
	for i, v := range p.log {
		z[i] = v - c.usual(p.first+i)
	}
	// The level begins at the mean of the first two weeks.
	var w wander
	n := 0.0
	for i := 0; i < len(z) && n < 14; i++ {
		if z[i] == z[i] {
			w.level, n = w.level+z[i], n+1
		}
	}
	w.level /= n
	w.z = w.level
	xy, xx := 0.0, 0.0
	type step struct{ level, off, next float64 }
	var steps []step
	for i, v := range z {
		if v != v {
			continue
		}
		if i > 0 && z[i-1] == z[i-1] {
			s := step{w.level, w.z - w.level, v}
			xy, xx = xy+s.off*(v-s.level), xx+s.off*s.off
			steps = append(steps, s)
		}
		w = wander{p.first + i, v, w.level + levelFollows*(v-w.level)}
	}
	prior := pullDays * xx / float64(max(1, len(steps)))
	c.pull = usualPull
	if xx > 0 {
		c.pull = min(0.98, max(0, (xy+prior*usualPull)/(xx+prior)))
	}
	mean := 0.0
	for _, s := range steps {
		c.past = append(c.past, s.next-s.level-c.pull*s.off)
		mean += c.past[len(c.past)-1] / float64(len(steps))
	}
	for i := range c.past {
		c.past[i] -= mean
	}
	c.now = w
	c.ahead = make([]float64, aheadDays)
	for i := range c.ahead {
		c.ahead[i] = c.reckon(w.number + 1 + i)
	}
	return c
}

// usual is what season and weekday make of a day's logarithm.
func (c *course) usual(number int) float64 {
	if i := number - c.now.number - 1; i >= 0 && i < len(c.ahead) {
		return c.ahead[i]
	}
	return c.reckon(number)
}

func (c *course) reckon(number int) float64 {
	v := seasonCounts * c.season.at(number)
	if isWeekend(number) {
		v += c.weekend
	}
	return v
}

// follow goes on to a day whose peak's logarithm is known or drawn.
func (c *course) follow(w wander, number int, log float64) wander {
	z := log - c.usual(number)
	return wander{number, z, w.level + levelFollows*(z-w.level)}
}

// highest draws the logarithm of the highest daily peak of the days after w.
func (c *course) highest(w wander, days int, rng *rand.Rand) float64 {
	best := math.Inf(-1)
	for days > 0 {
		length := min(days, blockDays, len(c.past))
		s := rng.IntN(len(c.past) - length + 1)
		for _, e := range c.past[s : s+length] {
			w.number++
			w.z = w.level + c.pull*(w.z-w.level) + e
			w.level += levelFollows * (w.z - w.level)
			best = max(best, w.z+c.usual(w.number))
		}
		days -= length
	}
	return best
}

// isWeekend of a day's number: the first of 1970 was a Thursday.
func isWeekend(number int) bool {
	k := (number%7 + 7) % 7
	return k == 2 || k == 3
}

// weekendOf is how much lower the peaks of Saturdays and Sundays are than those of
// the days around them, in logarithms.
func weekendOf(p dailyPeaks) float64 {
	sum, n := [2]float64{}, [2]float64{}
	for i := 3; i+3 < len(p.log); i++ {
		mean := 0.0
		for _, v := range p.log[i-3 : i+4] {
			mean += v / 7
		}
		if d := p.log[i] - mean; d == d {
			k := 0
			if isWeekend(p.first + i) {
				k = 1
			}
			sum[k], n[k] = sum[k]+d, n[k]+1
		}
	}
	if n[0] < 10 || n[1] < 4 {
		return 0
	}
	return sum[1]/n[1] - sum[0]/n[0]
}

// season is a year's course of logarithms: waves of a year and of half a year.
type season struct{ wave [4]float64 }

func waves(number int) [4]float64 {
	a := 2 * math.Pi * float64(number) / 365.2425
	return [4]float64{math.Sin(a), math.Cos(a), math.Sin(2 * a), math.Cos(2 * a)}
}

func (s season) at(number int) float64 {
	v := 0.0
	for k, x := range waves(number) {
		v += s.wave[k] * x
	}
	return v
}

// seasonOf is the least squares of the waves and a constant, by Gauss and Jordan:
// the waves' own weights keep every pivot above zero.
func seasonOf(p dailyPeaks, weekend float64) season {
	const k = 2*2 + 1
	a := make([][]float64, k)
	for i := range a {
		a[i] = make([]float64, k+1)
		a[i][i] = 3 // days' worth that there is no wave
	}
	a[0][0] = 0
	for i, v := range p.log {
		if v != v {
			continue
		}
		if isWeekend(p.first + i) {
			v -= weekend
		}
		w := waves(p.first + i)
		x := append([]float64{1}, w[:]...)
		for r := range x {
			for c := range x {
				a[r][c] += x[r] * x[c]
			}
			a[r][k] += x[r] * v
		}
	}
	var s season
	for i := range k {
		for r := range k {
			if r != i {
				f := a[r][i] / a[i][i]
				for c := i; c <= k; c++ {
					a[r][c] -= f * a[i][c]
				}
			}
		}
	}
	for i := 1; i < k; i++ {
		s.wave[i-1] = a[i][k] / a[i][i]
	}
	return s
}
