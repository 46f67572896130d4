package forecast

import "math"

// Measures are how point forecasts did, as the literature on electricity prices
// measures them.
type Measures struct {
	MAE      float64 // mean absolute error, currency per MWh
	RMAEWeek float64 // over the error of saying the same hour a week before
	RMAEDow  float64 // over that of saying the day before, on Mondays, Saturdays and Sundays the week before
	SMAPE    float64 // mean of |e| over the half of |price| + |forecast|, percent
	RMSE     float64
}

// Measure compares days of forecasts with what came: said[i] is of day first+i of
// the panel.
func Measure(p *Panel, first int, said [][Hours]float64) (m Measures) {
	var week, dow float64
	n := float64(len(said) * Hours)
	for i, day := range said {
		d := first + i
		like := p.Price[d-1]
		if w := p.Date(d).Weekday(); w == 0 || w == 1 || w == 6 {
			like = p.Price[d-7]
		}
		for h, f := range day {
			y := p.Price[d][h]
			e := math.Abs(y - f)
			m.MAE += e / n
			m.RMSE += e * e / n
			if s := math.Abs(y) + math.Abs(f); s > 0 {
				m.SMAPE += 100 * 2 * e / s / n
			}
			week += math.Abs(y-p.Price[d-7][h]) / n
			dow += math.Abs(y-like[h]) / n
		}
	}
	m.RMSE = math.Sqrt(m.RMSE)
	m.RMAEWeek, m.RMAEDow = m.MAE/week, m.MAE/dow
	return m
}

// DieboldMariano tests whether forecasts a of a panel's days have larger errors
// than b: the statistic of the daily sums of absolute errors (the multivariate
// form of Ziel and Weron, Energy Economics 70, 2018), and the probability of one
// as large were b no better.
func DieboldMariano(p *Panel, first int, a, b [][Hours]float64) (statistic, probability float64) {
	n := len(a)
	diff := make([]float64, n)
	mean := 0.0
	for i := range diff {
		for h := range Hours {
			y := p.Price[first+i][h]
			diff[i] += math.Abs(y-a[i][h]) - math.Abs(y-b[i][h])
		}
		mean += diff[i] / float64(n)
	}
	variance := 0.0
	for _, d := range diff {
		variance += (d - mean) * (d - mean) / float64(n)
	}
	if variance == 0 {
		return 0, 0.5
	}
	statistic = mean / math.Sqrt(variance/float64(n))
	return statistic, math.Erfc(statistic/math.Sqrt2) / 2
}
