package forecast

import (
	"cmp"
	"math"
	"slices"

	"ballast/learn"
)

// outlook is a day as it was foreseen, and as it came.
type outlook struct {
	said    opinion
	weekend bool
	recent  scale          // of the prices of the week before
	mean    [Hours]float64 // the point forecast: the models, weighed
	apart   [Hours]float64 // how far the models are from each other
	came    [Hours]float64 // not set for the day to come
}

// How the cone learns, chosen on the year before the benchmark's test period.
const (
	coneForget = 30.0 // days after which an error counts half
	coneHours  = 3.0  // hours apart at which an error counts by exp(-1/2)
	coneLevel  = 0.3  // the same for how high the forecast is, in units of bent spread
	coneOwn    = 0.4  // what the cone around the models' mean counts; the rest those around each kind
	coneFan    = 0.2  // what the networks' fan counts beside all these
	signs      = 9    // inputs of the expected size of an error
)

// cone are the quantiles of each hour of the last day of past, from the errors of
// the days before it: the mean, level by level, of a cone around the models' mean
// and of one around each kind of models, weighed as the kinds are; and that mean
// with the cone that the networks of the fan spread. Its median is a better point
// forecast than the mean that it stands on: what was missed on one side lately is
// set right.
func cone(past []outlook, levels []float64) [][]float64 {
	out := cones(past, levels)
	if !fans(past) {
		return out
	}
	for h, q := range fanCone(past, levels) {
		for j, v := range q {
			out[h][j] = (1-coneFan)*out[h][j] + coneFan*v
		}
	}
	return out
}

// cones is the mean of the cones around the models' mean and around each kind.
func cones(past []outlook, levels []float64) [][]float64 {
	out := cone1(past, levels)
	kinds := past[len(past)-1].said.kinds()
	if len(kinds) < 2 {
		return out
	}
	total := 0.0
	for _, k := range kinds {
		total += k.share
	}
	for h := range out {
		for j := range out[h] {
			out[h][j] *= coneOwn
		}
	}
	around := slices.Clone(past)
	for at, k := range kinds {
		for i := range around {
			said := around[i].said.kinds()
			// Trees and networks begin later than LEAR: until then LEAR stands in.
			of := said[min(at, len(said)-1)]
			for h := range Hours {
				around[i].mean[h] = of.mean(h)
			}
		}
		for h, q := range cone1(around, levels) {
			for j, v := range q {
				out[h][j] += (1 - coneOwn) * k.share / total * v
			}
		}
	}
	return out
}

// cone1 is the cone around the point forecasts in past.
//
// First it learns how large an error is to be expected: a regression of the
// logarithm of past errors on how large the last errors were, how far the models
// are apart, how far the forecast is from the usual and how steep. Then it takes
// past errors in units of that size, those of near days, like hours and like
// forecasts more than others, and reads the quantiles off them.
func cone1(past []outlook, levels []float64) [][]float64 {
	n := len(past) - 1
	today := past[n]
	rows := signsOf(past)
	fit := sizes(past, rows)
	size := func(i, h int) float64 {
		v := 0.0
		for j, x := range rows[i*Hours+h] {
			v += x * fit[j]
		}
		return math.Exp(v)
	}
	pool := make([]miss, 0, n*Hours)
	for i := range n {
		o := &past[i]
		for h := range Hours {
			pool = append(pool, miss{(o.came[h] - o.mean[h]) / size(i, h), i, h, o.recent.bend(o.mean[h])})
		}
	}
	out := quantilesOf(pool, n, levels, func(h int) float64 { return today.recent.bend(today.mean[h]) })
	for h, q := range out {
		s := size(n, h)
		for j := range q {
			q[j] = today.mean[h] + s*q[j]
		}
	}
	return out
}

// miss is how a past forecast of an hour turned out.
type miss struct {
	z      float64 // in units of what was to be expected
	day, h int
	level  float64 // of the forecast
}

// quantilesOf are for each hour the quantiles of z in pool (n days, the last one
// the nearest), those of near days, like hours and like levels counting more.
func quantilesOf(pool []miss, n int, levels []float64, levelAt func(h int) float64) [][]float64 {
	slices.SortFunc(pool, func(a, b miss) int { return cmp.Compare(a.z, b.z) })
	w := learn.Weighted{Value: make([]float64, len(pool)), Weight: make([]float64, len(pool))}
	for i, m := range pool {
		w.Value[i] = m.z
	}
	age := recency(n, coneForget)
	var near [Hours]float64
	for k := range near {
		d := float64(min(k, Hours-k)) / coneHours
		near[k] = math.Exp(-d * d / 2)
	}
	out := make([][]float64, Hours)
	for h := range out {
		level := levelAt(h)
		for i, m := range pool {
			d := (m.level - level) / coneLevel
			w.Weight[i] = age[m.day] * near[(m.h-h+Hours)%Hours] * (0.05 + math.Exp(-d*d/2))
		}
		out[h] = make([]float64, len(levels))
		// Weights are positive and levels as many as places: there is no error.
		_ = w.Quantiles(levels, out[h])
	}
	return out
}

// signsOf are the inputs of the expected size of the error of each day and hour,
// each from days before it and from that day's forecast.
func signsOf(past []outlook) [][signs]float64 {
	var quick, slow [Hours]float64 // mean absolute errors of an hour, forgetting
	start, count := 0.0, 0.0
	for i := range min(14, len(past)-1) {
		for h := range Hours {
			start += math.Abs(past[i].came[h] - past[i].mean[h])
			count++
		}
	}
	// Before there are errors, those of the first fortnight stand in.
	start = start/math.Max(count, 1) + 1e-6
	last := start // of the last days, all hours
	for h := range Hours {
		quick[h], slow[h] = start, start
	}
	rows := make([][signs]float64, len(past)*Hours)
	for i := range past {
		o := &past[i]
		floor := o.floor()
		for h := range Hours {
			b, a := max(h-1, 0), min(h+1, Hours-1)
			weekend := 0.0
			if o.weekend {
				weekend = 1
			}
			rows[i*Hours+h] = [signs]float64{
				1,
				math.Log((quick[b]+quick[h]+quick[a])/3 + floor),
				math.Log((slow[b]+slow[h]+slow[a])/3 + floor),
				math.Log(last + floor),
				math.Log((o.apart[b]+o.apart[h]+o.apart[a])/3 + floor),
				math.Abs(o.recent.bend(o.mean[h])),
				math.Log(math.Abs(o.mean[h]-o.mean[b]) + math.Abs(o.mean[h]-o.mean[a]) + 5*floor),
				math.Log(o.recent.size + 1e-6),
				weekend,
			}
		}
		if i == len(past)-1 {
			break
		}
		day := 0.0
		for h := range Hours {
			e := math.Abs(o.came[h] - o.mean[h])
			quick[h] += (e - quick[h]) * 0.1
			slow[h] += (e - slow[h]) * 0.02
			day += e / Hours
		}
		last += (day - last) * 0.3
	}
	return rows
}

// sizes are the coefficients of the logarithm of an error's size: least squares
// with a little shrinkage, older days counting less.
func sizes(past []outlook, rows [][signs]float64) [signs]float64 {
	n := len(past) - 1
	age := recency(n, 2*coneForget)
	var a [signs][signs]float64
	var b [signs]float64
	for i := range n {
		o := &past[i]
		floor := o.floor()
		for h := range Hours {
			x := &rows[i*Hours+h]
			y := math.Log(math.Abs(o.came[h]-o.mean[h]) + floor)
			for j := range signs {
				b[j] += age[i] * x[j] * y
				for k := range signs {
					a[j][k] += age[i] * x[j] * x[k]
				}
			}
		}
	}
	for j := range signs {
		a[j][j] += 20
	}
	return solve(a, b)
}

// solve is Gauss elimination with pivots; a is positive definite.
func solve(a [signs][signs]float64, b [signs]float64) (x [signs]float64) {
	for c := range signs {
		p := c
		for r := c + 1; r < signs; r++ {
			if math.Abs(a[r][c]) > math.Abs(a[p][c]) {
				p = r
			}
		}
		a[c], a[p], b[c], b[p] = a[p], a[c], b[p], b[c]
		for r := c + 1; r < signs; r++ {
			f := a[r][c] / a[c][c]
			for k := c; k < signs; k++ {
				a[r][k] -= f * a[c][k]
			}
			b[r] -= f * b[c]
		}
	}
	for c := signs - 1; c >= 0; c-- {
		x[c] = b[c]
		for k := c + 1; k < signs; k++ {
			x[c] -= a[c][k] * x[k]
		}
		x[c] /= a[c][c]
	}
	return x
}

// plainCone is what the cone is measured against: around a point forecast the
// quantiles of its errors on past days, of the same hour and its neighbours, all
// days alike.
func plainCone(errors [][Hours]float64, point [Hours]float64, levels []float64) [][]float64 {
	out := make([][]float64, Hours)
	for h := range Hours {
		var e []float64
		for _, day := range errors {
			e = append(e, day[max(h-1, 0):min(h+2, Hours)]...)
		}
		slices.Sort(e)
		for _, l := range levels {
			out[h] = append(out[h], point[h]+learn.Quantile(e, l))
		}
	}
	return out
}
