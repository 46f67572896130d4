package forecast

import (
	"math"
	"slices"
)

// fanLevels are the quantiles that the networks of the fan say of each hour.
var fanLevels = []float64{0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975}

// fanMiddle is the median among them.
const fanMiddle = 3

// fanOf is what the members of a fan say together: of each level the mean of
// their quantiles.
func fanOf(each [][Hours]float64) [][Hours]float64 {
	n := len(fanLevels)
	out := make([][Hours]float64, n)
	for j := range out {
		for h := range Hours {
			for i := j; i < len(each); i += n {
				out[j][h] += each[i][h] / float64(len(each)/n)
			}
		}
	}
	return out
}

// fanScores are the levels as places on the normal distribution: between them a
// price's place is on a straight line, and beyond them the last line goes on.
var fanScores = scores(fanLevels)

func scores(levels []float64) []float64 {
	out := make([]float64, len(levels))
	for i, l := range levels {
		out[i] = -math.Sqrt2 * math.Erfcinv(2*l)
	}
	return out
}

// along is the point on the lines through x and y (both rising) at v.
func along(x, y []float64, v float64) float64 {
	i := 1
	for i < len(x)-1 && x[i] < v {
		i++
	}
	return y[i-1] + (v-x[i-1])/(x[i]-x[i-1])*(y[i]-y[i-1])
}

// fan is the quantiles of hour h as the networks spread them, around the point
// forecast; each at least a little above the one before.
func (o *outlook) fan(h int) []float64 {
	out := make([]float64, len(o.said.Fan))
	for j := range out {
		out[j] = o.mean[h] + o.said.Fan[j][h] - o.said.Fan[fanMiddle][h]
		if j > 0 {
			out[j] = max(out[j], out[j-1]+o.floor())
		}
	}
	return out
}

// floor is a price difference that is too small to matter.
func (o *outlook) floor() float64 { return 0.02*o.recent.size + 1e-6 }

// fans tells whether every day has a fan.
func fans(past []outlook) bool {
	return !slices.ContainsFunc(past, func(o outlook) bool { return len(o.said.Fan) != len(fanLevels) })
}

// fanCone are the quantiles that the networks say, around the point forecast and
// made true: where prices came to lie in the fans of the days before, those of
// near days, like hours and like forecasts counting more, is where they are to be
// expected in today's.
func fanCone(past []outlook, levels []float64) [][]float64 {
	n := len(past) - 1
	today := &past[n]
	pool := make([]miss, 0, n*Hours)
	for i := range n {
		o := &past[i]
		for h := range Hours {
			pool = append(pool, miss{along(o.fan(h), fanScores, o.came[h]), i, h, o.recent.bend(o.mean[h])})
		}
	}
	out := quantilesOf(pool, n, levels, func(h int) float64 { return today.recent.bend(today.mean[h]) })
	for h, q := range out {
		v := today.fan(h)
		for j, z := range q {
			q[j] = along(fanScores, v, z)
		}
	}
	return out
}
