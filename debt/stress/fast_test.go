package stress

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestExp(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200_000 {
		x := 40 * (r.Float64() - 0.5)
		if got, want := exp(x), math.Exp(x); math.Abs(got/want-1) > 1e-13 {
			t.Fatalf("exp(%v) = %v, want %v", x, got, want)
		}
	}
	for _, x := range []float64{0, 699, -699, 705, -745, 710, math.Inf(1), math.Inf(-1), 1e-300} {
		if got, want := exp(x), math.Exp(x); got != want && !(math.Abs(got/want-1) < 1e-13) {
			t.Errorf("exp(%v) = %v, want %v", x, got, want)
		}
	}
	if !math.IsNaN(exp(math.NaN())) {
		t.Error("exp of no number")
	}
}

func TestSortFloats(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 100, 5_000, 20_001} {
		s := make([]float64, n)
		for i := range s {
			s[i] = r.NormFloat64() * math.Pow(10, float64(r.IntN(20)-10))
			if i%97 == 0 {
				s[i] = 0
			}
		}
		if n > 3 {
			s[1], s[2] = math.Inf(1), math.Inf(-1)
		}
		want := slices.Clone(s)
		slices.Sort(want)
		sortFloats(s)
		if !slices.Equal(s, want) {
			t.Errorf("%d numbers are not sorted", n)
		}
	}
}

// What the engine costs a path; run with -cpuprofile to see where it goes.
func BenchmarkWalk(b *testing.B) {
	returns := make([]float64, 1460)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range returns {
		returns[i] = 0.03 * r.NormFloat64()
	}
	f := Firm{Groups: []Group{{4000, 18}, {1500, 26}}, Fixed: 16_000, Other: 5_000, Cash: 12e6, Coins: 300, Due: make([]float64, 365), Owed: make([]float64, 365),
		Loans: []CoinLoan{{Balance: 1e7, Coins: 280, Initial: 0.6, Call: 0.75, Liquidate: 0.85, Cure: 2, Day: 240, Rate: 0.1}}, Sell: 0.6, Floor: 3e6, RigRate: 12_000, RigBeta: 0.8}
	for i := range f.Due {
		f.Due[i], f.Owed[i] = 50_000, 8e7-50_000*float64(i)
	}
	n := Network{Hashprice: 33, FeeShare: 0.01, FeeVol: 0.6, FeeCorr: 0.1, Growth: 0.15, Response: 0.5, Lag: 21, Noise: 0.02,
		Costs: []Cost{{0.25, 14}, {0.35, 19}, {0.25, 25}, {0.15, 33}}}
	for _, k := range []struct {
		name string
		more func(*Firm, *Network, *Config)
	}{{"plain", func(*Firm, *Network, *Config) {}}, {"all", func(f *Firm, n *Network, c *Config) {
		f.Power.Vol, n.Resold, f.RigImpact, f.Cover, c.Marks = 0.3, 0.5, 1, 1, []int{30, 60, 90, 120, 150, 180, 210, 240, 270, 300, 330, 365}
	}}} {
		b.Run(k.name, func(b *testing.B) {
			f, n, c := f, n, Config{Paths: 2000, Days: 365, Seed: 1, Workers: 1, Line: 1.5, Shrink: -0.05, Fall: -0.2}
			k.more(&f, &n, &c)
			for b.Loop() {
				if _, err := Run(Price{Kind: Bootstrap, Start: 65_000, Vol: 0.6, Returns: returns, Block: 20}, n, f, c); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/2000/365, "ns/day")
		})
	}
}
