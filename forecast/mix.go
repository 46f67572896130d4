package forecast

import "math"

// What each kind of model counts, chosen on the year before the test period of
// the open benchmark. Weights that are learned day by day were tried on that year
// too and were no better.
const (
	learShare = 0.2
	netsShare = 0.25
	treeShare = 0.55
	// Each of LEAR's two short windows counts as much as three long ones: networks
	// and trees know the long past as well.
	shortWindows = 2
	shortCounts  = 3.0
)

// kind is what models of one kind said, and what they count together.
type kind struct {
	said  [][Hours]float64
	count []float64 // of each in the kind, in sum 1
	share float64
}

// kinds are those that said something.
func (o *opinion) kinds() []kind {
	out := make([]kind, 0, 3)
	for i, k := range []kind{{said: o.Lear, share: learShare}, {said: o.Nets, share: netsShare}, {said: o.Trees, share: treeShare}} {
		if len(k.said) == 0 {
			continue
		}
		k.count = make([]float64, len(k.said))
		sum := 0.0
		for j := range k.count {
			k.count[j] = 1
			if i == 0 && j < shortWindows {
				k.count[j] = shortCounts
			}
			sum += k.count[j]
		}
		for j := range k.count {
			k.count[j] /= sum
		}
		out = append(out, k)
	}
	return out
}

// mean is what the kind says of an hour.
func (k *kind) mean(h int) float64 {
	s := 0.0
	for j, f := range k.said {
		s += k.count[j] * f[h]
	}
	return s
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
				o.mean[h] += k.share / total * k.mean(h)
			}
			for _, k := range kinds {
				for j, f := range k.said {
					o.apart[h] += k.share / total * k.count[j] * math.Abs(f[h]-o.mean[h])
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
