package forecast

import (
	"math"

	"ballast/learn"
)

// outlook is a day as it was foreseen, and as it came.
type outlook struct {
	said   opinion
	recent scale          // of the prices of the week before
	mean   [Hours]float64 // the point forecast: the models, weighed
	apart  [Hours]float64 // how far the models are from each other
	came   [Hours]float64 // not set for the day to come
}

// mix weighs the models of each day.
func mix(past []outlook) {
	for i := range past {
		o := &past[i]
		for h := range Hours {
			lear, nets := meanOf(o.said.lear, h), meanOf(o.said.nets, h)
			switch {
			case len(o.said.nets) == 0:
				o.mean[h] = lear
			default:
				o.mean[h] = (lear + nets) / 2
			}
			for _, f := range o.said.lear {
				o.apart[h] += math.Abs(f[h] - o.mean[h])
			}
			for _, f := range o.said.nets {
				o.apart[h] += math.Abs(f[h] - o.mean[h])
			}
			o.apart[h] /= float64(len(o.said.lear) + len(o.said.nets))
		}
	}
}

func meanOf(v [][Hours]float64, h int) float64 {
	s := 0.0
	for _, f := range v {
		s += f[h]
	}
	return s / float64(len(v))
}

// cone are the quantiles of each hour of the last day of past, from the errors
// of the days before it.
func cone(past []outlook, levels []float64) [][]float64 {
	today := past[len(past)-1]
	out := make([][]float64, Hours)
	for h := range Hours {
		var e []float64
		for _, o := range past[:len(past)-1] {
			for _, g := range [3]int{h - 1, h, h + 1} {
				if g >= 0 && g < Hours {
					e = append(e, o.came[g]-o.mean[g])
				}
			}
		}
		e = learn.Sorted(e)
		for _, l := range levels {
			out[h] = append(out[h], today.mean[h]+learn.Quantile(e, l))
		}
	}
	return out
}
