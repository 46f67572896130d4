package forecast

import "math"

// What each kind of model counts, chosen on the year before the test period of
// the open benchmark. Weights that are learned day by day were tried on that year
// too and were no better.
const (
	learShare = 0.2
	netsShare = 0.4
	treeShare = 0.4
)

// kind is what models of one kind said, and what they count together.
type kind struct {
	said  [][Hours]float64
	share float64
}

// kinds are those that said something.
func (o *opinion) kinds() []kind {
	out := make([]kind, 0, 3)
	for _, k := range []kind{{o.Lear, learShare}, {o.Nets, netsShare}, {o.Trees, treeShare}} {
		if len(k.said) > 0 {
			out = append(out, k)
		}
	}
	return out
}

// mix is the point forecast of each day, the models weighed by their kind, and
// how far they are from it.
func mix(past []outlook) {
	for i := range past {
		o := &past[i]
		kinds := o.said.kinds()
		total := 0.0
		for _, k := range kinds {
			total += k.share
		}
		o.mean, o.apart = [Hours]float64{}, [Hours]float64{}
		for h := range Hours {
			for _, k := range kinds {
				o.mean[h] += k.share / total * meanOf(k.said, h)
			}
			for _, k := range kinds {
				for _, f := range k.said {
					o.apart[h] += k.share / total * math.Abs(f[h]-o.mean[h]) / float64(len(k.said))
				}
			}
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
