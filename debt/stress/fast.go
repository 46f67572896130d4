package stress

import (
	"math"
	"slices"
)

// expTable is 2^(k/64).
var expTable = func() (t [64]float64) {
	for k := range t {
		t[k] = math.Exp2(float64(k) / 64)
	}
	return t
}()

// exp is e^x to a relative error under 1e-13 for |x| < 700, three times as fast
// as math.Exp: a table of 2^(k/64) and a polynomial on what is left. Beyond, and
// for NaN, it is math.Exp.
func exp(x float64) float64 {
	if !(x > -700 && x < 700) {
		return math.Exp(x)
	}
	const perUnit = 64 / math.Ln2
	// Ln2/64 in two parts, so that k times the first is exact.
	const hi, lo = 0x1.62e42feep-7, 0x1.a39ef35793c76p-39
	const magic = 0x1.8p52 // adding it rounds to a whole number
	k := (x*perUnit + magic) - magic
	r := x - k*hi - k*lo
	n := int64(k)
	p := 1 + r*(1+r*(1.0/2+r*(1.0/6+r*(1.0/24))))
	return p * math.Float64frombits(math.Float64bits(expTable[n&63])+uint64(n>>6)<<52)
}

// sortFloats sorts. Numbers of one sign in their bits' order are sorted by radix,
// which for a hundred thousand of them is several times as fast; NaN does not
// occur.
func sortFloats(s []float64) {
	if len(s) < 4096 {
		slices.Sort(s)
		return
	}
	a, b := make([]uint64, len(s)), make([]uint64, len(s))
	for i, v := range s {
		u := math.Float64bits(v)
		a[i] = u ^ (uint64(int64(u)>>63) | 1<<63)
	}
	for shift := 0; shift < 64; shift += 16 {
		var count [1 << 16]int32
		for _, u := range a {
			count[u>>shift&0xffff]++
		}
		sum := int32(0)
		for i, c := range count {
			count[i], sum = sum, sum+c
		}
		for _, u := range a {
			k := u >> shift & 0xffff
			b[count[k]] = u
			count[k]++
		}
		a, b = b, a
	}
	for i, u := range a {
		s[i] = math.Float64frombits(u ^ (uint64(^int64(u)>>63) | 1<<63))
	}
}
