package sim

import "math"

// Randomness is a function of place and time, never a sequence: the value of
// stream s at slot n under a seed is always the same. So looking at a rig, or
// stepping it in other steps, cannot change what happens to it.

// mix is the finaliser of splitmix64: every bit of x moves half of the result.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}

// stream names one independent source of randomness under a seed.
type stream uint64

// draw is 64 random bits for one slot of a stream.
func draw(seed uint64, s stream, slot int64) uint64 {
	return mix(mix(seed^uint64(s)*0x9e3779b97f4a7c15) + uint64(slot)*0xd1342543de82ef95)
}

// uniform is in (0, 1).
func uniform(seed uint64, s stream, slot int64) float64 {
	return (float64(draw(seed, s, slot)>>11) + 0.5) / (1 << 53)
}

// span is uniform between lo and hi.
func span(seed uint64, s stream, slot int64, lo, hi float64) float64 {
	return lo + (hi-lo)*uniform(seed, s, slot)
}

// gauss is close to standard normal: four uniforms of 16 bits, within ±3.5.
func gauss(seed uint64, s stream, slot int64) float64 {
	x := draw(seed, s, slot)
	sum := int64(x&0xffff) + int64(x>>16&0xffff) + int64(x>>32&0xffff) + int64(x>>48)
	return float64(sum-2*0xffff) / (0x10000 * 0.57735) // sd of the sum: 65536·√(4/12)
}

// exponential has mean 1.
func exponential(seed uint64, s stream, slot int64) float64 {
	return -math.Log(uniform(seed, s, slot))
}

// lognormal has the given median and spread (sd of its logarithm).
func lognormal(seed uint64, s stream, slot int64, median, spread float64) float64 {
	return median * math.Exp(spread*gauss(seed, s, slot))
}

// wave is a smooth random function of t with a memory of about width and a
// standard deviation of 1. t and width are in the same unit.
func wave(seed uint64, s stream, t, width float64) float64 {
	x := t / width
	n := math.Floor(x)
	f := x - n
	a, b := gauss(seed, s, int64(n)), gauss(seed, s, int64(n)+1)
	// Weights whose squares add up to one keep the variance between the knots.
	w := f * f * (3 - 2*f)
	return (a*(1-w) + b*w) / math.Sqrt(w*w+(1-w)*(1-w))
}

// decay is exp(-x), and 0 where that makes no difference.
func decay(x float64) float64 {
	if x > 30 {
		return 0
	}
	return math.Exp(-x)
}

// poisson draws a count of the given mean from one uniform.
func poisson(seed uint64, s stream, slot int64, mean float64) int64 {
	if mean <= 0 {
		return 0
	}
	if mean > 30 {
		n := math.Round(mean + math.Sqrt(mean)*gauss(seed, s, slot))
		return int64(max(n, 0))
	}
	u := uniform(seed, s, slot)
	p := math.Exp(-mean)
	n, sum := int64(0), p
	for sum < u && n < 200 {
		n++
		p *= mean / float64(n)
		sum += p
	}
	return n
}

// counter is a Poisson process in the time that its own expectation keeps: it
// counts up as more is expected, one block of arrivals after another, and how
// often it is asked changes nothing.
type counter struct {
	expected float64 // mean of what should have arrived so far
	settled  int64   // arrivals of the full blocks
	block    int64   // number of full blocks
}

const blockMean = 8

// blockCDF is the Poisson distribution function of mean blockMean.
var blockCDF = func() (cdf [32]float64) {
	p := math.Exp(-blockMean)
	sum := p
	for n := range cdf {
		cdf[n] = sum
		p *= blockMean / float64(n+1)
		sum += p
	}
	return cdf
}()

// arrivals is how many arrive in one block.
func arrivals(seed uint64, s stream, block int64) int64 {
	u := uniform(seed, s, block)
	n := 0
	for n < len(blockCDF) && blockCDF[n] < u {
		n++
	}
	return int64(n)
}

// add moves the expectation on.
func (c *counter) add(seed uint64, s stream, mean float64) {
	c.expected += mean
	full := int64(c.expected / blockMean)
	if n := full - c.block; n > 4 {
		// A long jump: draw the arrivals of all its blocks at once.
		c.settled += poisson(seed, s, -full, float64(n*blockMean))
		c.block = full
	}
	for c.block < full {
		c.settled += arrivals(seed, s, c.block)
		c.block++
	}
}

// count is how many have arrived.
func (c *counter) count(seed uint64, s stream) int64 {
	part := c.expected/blockMean - float64(c.block)
	if part <= 0 {
		return c.settled
	}
	n := arrivals(seed, s, c.block)
	return c.settled + min(int64(float64(n)*part+uniform(seed, s+1, c.block)), n)
}
