package market

import (
	"math"
	"time"
)

func sqrt(v float64) float64 { return math.Sqrt(v) }

// addSeconds adds a number of seconds that a Duration could not hold.
func addSeconds(t time.Time, s float64) time.Time {
	whole, part := math.Modf(s)
	return time.Unix(t.Unix()+int64(whole), int64(t.Nanosecond())).UTC().Add(time.Duration(part * 1e9))
}

// incompleteBeta is the regularised incomplete beta function I_x(a, b), by the
// continued fraction of Press et al., Numerical Recipes, 6.4 (modified Lentz).
// It converges in O(sqrt(max(a,b))) steps.
func incompleteBeta(a, b, x float64) float64 {
	if x <= 0 {
		return 0
	}
	if x >= 1 {
		return 1
	}
	la, _ := math.Lgamma(a)
	lb, _ := math.Lgamma(b)
	lab, _ := math.Lgamma(a + b)
	front := math.Exp(lab - la - lb + a*math.Log(x) + b*math.Log1p(-x))
	if x < (a+1)/(a+b+2) {
		return front * betaFraction(a, b, x) / a
	}
	return 1 - front*betaFraction(b, a, 1-x)/b
}

func betaFraction(a, b, x float64) float64 {
	const tiny, eps = 1e-300, 1e-14
	guard := func(v float64) float64 {
		if math.Abs(v) < tiny {
			return tiny
		}
		return v
	}
	c, d := 1.0, 1/guard(1-(a+b)*x/(a+1))
	h := d
	for m := 1.0; m < 10000; m++ {
		num := m * (b - m) * x / ((a + 2*m - 1) * (a + 2*m))
		d = 1 / guard(1+num*d)
		c = guard(1 + num/c)
		h *= d * c
		num = -(a + m) * (a + b + m) * x / ((a + 2*m) * (a + 2*m + 1))
		d = 1 / guard(1+num*d)
		c = guard(1 + num/c)
		step := d * c
		h *= step
		if math.Abs(step-1) < eps {
			break
		}
	}
	return h
}

// betaQuantile inverts incompleteBeta by bisection: 60 halvings leave nothing
// that a float of a date or a difficulty could show.
func betaQuantile(a, b, p float64) float64 {
	lo, hi := 0.0, 1.0
	for range 60 {
		mid := (lo + hi) / 2
		if incompleteBeta(a, b, mid) < p {
			lo = mid
		} else {
			hi = mid
		}
	}
	return (lo + hi) / 2
}
