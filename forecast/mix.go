package forecast

import "math"

// voices are models of one kind that count together.
const voices = 7

// What each voice counts before there are errors to learn from, chosen on the year
// before the test period of the open benchmark, and of which kind it is. LEAR's
// two short windows count as much as three long ones each: the others know the
// long past as well.
var (
	shares = [voices]float64{0.13, 0.04, 0.125, 0.125, 0.26, 0.14, 0.18}
	kindOf = [voices]int{0, 0, 1, 1, 2, 2, 3}
)

// shortWindows of LEAR are one voice, the others another.
const shortWindows = 2

// voices are what the models said, by voice; one that is empty said nothing.
func (o *opinion) voices() [voices][][Hours]float64 {
	short := min(shortWindows, len(o.Lear))
	return [voices][][Hours]float64{o.Lear[:short], o.Lear[short:], o.Nets, o.Softs, o.Trees, o.Lined, o.Kernel}
}

// kind is what models of one kind said, and what they count together.
type kind struct {
	said  [][Hours]float64
	count []float64 // of each in the kind, in sum 1
	share float64
}

// kinds are those that said something.
func (o *opinion) kinds() (out []kind) {
	last := -1
	for v, said := range o.voices() {
		if len(said) == 0 {
			continue
		}
		if kindOf[v] != last {
			out, last = append(out, kind{}), kindOf[v]
		}
		k := &out[len(out)-1]
		k.share += shares[v]
		k.said = append(k.said, said...)
		for range said {
			k.count = append(k.count, shares[v]/float64(len(said)))
		}
	}
	for i := range out {
		for j := range out[i].count {
			out[i].count[j] /= out[i].share
		}
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

// mix is the point forecast of each day, the voices weighed by how they did on the
// days before it, and how far the models are from it.
func mix(past []outlook) {
	var w weigher
	for i := range past {
		o := &past[i]
		said := w.hear(&o.said)
		for h := range Hours {
			o.mean[h] = w.mean(said, h)
		}
		kinds := o.said.kinds()
		total := 0.0
		for _, k := range kinds {
			total += k.share
		}
		o.apart = [Hours]float64{}
		for h := range Hours {
			for _, k := range kinds {
				for j, f := range k.said {
					o.apart[h] += k.share / total * k.count[j] * math.Abs(f[h]-o.mean[h])
				}
			}
		}
		if i < len(past)-1 {
			w.saw(said, o)
		}
	}
}

// How weights are learned, chosen on the year before the benchmark's test period.
const (
	mixForget = 30.0 // days after which a day counts half
	mixShrink = 1.0  // of departures from the shares, in units of their mean square
	mixDays   = 30.0 // days of which that is to be thought in addition
)

// weigher learns what each voice should count, day by day: least absolute
// deviations of what came from the voices by reweighted least squares, one pass,
// older days forgotten, departures from the shares shrunk. Voices that a day does
// not have change nothing about the others.
type weigher struct {
	heard  [voices]bool
	prior  [voices]float64 // shares of those heard, in sum 1
	weight [voices]float64 // none negative, in sum 1
	a      [voices][voices]float64
	b      [voices]float64
	days   float64 // learned from, forgotten ones less
}

// hear takes up what is said of the next day: the mean of each voice. When others
// speak than before, what was learned is dropped.
func (w *weigher) hear(o *opinion) (said [voices][Hours]float64) {
	var heard [voices]bool
	sum := 0.0
	for v, each := range o.voices() {
		if heard[v] = len(each) > 0; !heard[v] {
			continue
		}
		sum += shares[v]
		for h := range Hours {
			said[v][h] = meanOf(each, h)
		}
	}
	if heard != w.heard {
		*w = weigher{heard: heard}
		for v := range voices {
			if heard[v] {
				w.prior[v] = shares[v] / sum
			}
		}
		w.weight = w.prior
	}
	return said
}

func (w *weigher) mean(said [voices][Hours]float64, h int) (m float64) {
	for v := range voices {
		m += w.weight[v] * said[v][h]
	}
	return m
}

// saw learns from a day that came.
func (w *weigher) saw(said [voices][Hours]float64, o *outlook) {
	keep := math.Exp2(-1 / mixForget)
	w.days = keep*w.days + 1
	for v := range voices {
		w.b[v] *= keep
		for u := range voices {
			w.a[v][u] *= keep
		}
	}
	for h := range Hours {
		base := 0.0
		for v := range voices {
			base += w.prior[v] * said[v][h]
		}
		count := 1 / math.Max(math.Abs(o.came[h]-o.mean[h]), o.floor())
		var x [voices]float64
		for v := range voices {
			if w.heard[v] {
				x[v] = said[v][h] - base
			}
		}
		for v := range voices {
			w.b[v] += count * x[v] * (o.came[h] - base)
			for u := range voices {
				w.a[v][u] += count * x[v] * x[u]
			}
		}
	}
	w.learn()
}

// learn brings the weights up to date.
func (w *weigher) learn() {
	a, more, n, size := w.a, w.b, 0.0, 0.0
	for v := range voices {
		if w.heard[v] {
			n++
			size += a[v][v]
		}
	}
	if !(size > 0) {
		return // they all say the same
	}
	for v := range voices {
		a[v][v] += mixShrink * size / n * (1 + mixDays/w.days)
	}
	solve(a[:], more[:])
	shift, sum := 0.0, 0.0
	for _, m := range more {
		shift += m
	}
	var weight [voices]float64
	for v := range voices {
		if w.heard[v] {
			weight[v] = math.Max(w.prior[v]*(1-shift)+more[v], 0)
			sum += weight[v]
		}
	}
	if !(sum > 0) || math.IsInf(sum, 0) {
		return
	}
	for v := range weight {
		weight[v] /= sum
	}
	w.weight = weight
}

func meanOf(v [][Hours]float64, h int) float64 {
	s := 0.0
	for _, f := range v {
		s += f[h]
	}
	return s / float64(len(v))
}
