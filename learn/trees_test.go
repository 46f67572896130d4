package learn

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// friedman is the first of Friedman's made-up regressions (Annals of Statistics
// 19(1), 1991): five columns matter, the others do not; noise has variance 1.
func friedman(rng *rand.Rand, rows, columns int) Table {
	t := Table{Columns: columns}
	for range rows {
		x := make([]float64, columns)
		for j := range x {
			x[j] = rng.Float64()
		}
		t.X = append(t.X, x...)
		t.Y = append(t.Y, 10*math.Sin(math.Pi*x[0]*x[1])+20*(x[2]-0.5)*(x[2]-0.5)+10*x[3]+5*x[4]+rng.NormFloat64())
	}
	return t
}

func mse(m *Trees, t Table) (s float64) {
	for i, y := range t.Y {
		d := m.Score(t.X[i*t.Columns:(i+1)*t.Columns]) - y
		s += d * d / float64(len(t.Y))
	}
	return s
}

// Published results on this problem with 10 columns and large samples lie between
// 1.2 and 2 for boosted trees; the noise alone is 1, the variance about 24.
func TestBoostOnFriedman(t *testing.T) {
	train, test := friedman(rand.New(rand.NewPCG(1, 1)), 4000, 10), friedman(rand.New(rand.NewPCG(2, 2)), 2000, 10)
	held := friedman(rand.New(rand.NewPCG(3, 3)), 1000, 10)
	m, err := Boost(train, &held, Boosting{Rounds: 600, Depth: 4, Rate: 0.08, Rows: 0.8, Columns: 0.8, Patience: 30, Seed: 1, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	if e := mse(m, test); e > 1.6 {
		t.Errorf("mean squared error %.3f after %d rounds, want at most 1.6", e, m.Rounds())
	}
	s := m.Splits()
	for j := 5; j < 10; j++ {
		if s[j] > s[0] {
			t.Errorf("column %d, which is noise, is split on %d times, column 0 %d", j, s[j], s[0])
		}
	}
}

// By hand: one split, squared loss. Targets 1, 1, 5, 5; base 3; left G = 4, H = 2:
// -4/(2+1) = -4/3, half of it with rate 0.5.
func TestBoostByHand(t *testing.T) {
	m, err := Boost(Table{X: []float64{1, 2, 3, 4}, Y: []float64{1, 1, 5, 5}, Columns: 1}, nil, Boosting{Rounds: 1, Depth: 1, Rate: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	for x, want := range map[float64]float64{0: 3 - 2.0/3, 2: 3 - 2.0/3, 2.1: 3 + 2.0/3, 9: 3 + 2.0/3} {
		if got := m.Score([]float64{x}); math.Abs(got-want) > 1e-12 {
			t.Errorf("score of %v: %v, want %v", x, got, want)
		}
	}
}

func TestBoostTheSameForAnyWorkers(t *testing.T) {
	train := friedman(rand.New(rand.NewPCG(5, 5)), 500, 7)
	var want []byte
	for _, workers := range []int{1, 2, 3, 8} {
		m, err := Boost(train, nil, Boosting{Rounds: 20, Rows: 0.7, Columns: 0.6, Seed: 9, Workers: workers})
		if err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = b
		} else if string(b) != string(want) {
			t.Errorf("%d workers grow other trees than one", workers)
		}
	}
}

func TestBoostMissingValues(t *testing.T) {
	// The value is there or not, and that is all that matters.
	rng := rand.New(rand.NewPCG(6, 6))
	tab := Table{Columns: 2}
	for range 400 {
		v, y := rng.Float64(), 1.0
		if rng.Float64() < 0.5 {
			v, y = math.NaN(), 4
		}
		tab.X = append(tab.X, v, rng.Float64())
		tab.Y = append(tab.Y, y)
	}
	m, err := Boost(tab, nil, Boosting{Rounds: 60, Depth: 2})
	if err != nil {
		t.Fatal(err)
	}
	if a, b := m.Score([]float64{math.NaN(), 0.5}), m.Score([]float64{0.3, 0.5}); math.Abs(a-4) > 0.1 || math.Abs(b-1) > 0.1 {
		t.Errorf("missing %v, there %v; want 4 and 1", a, b)
	}
	if m.Score([]float64{math.NaN(), math.NaN()}) != m.Score([]float64{math.NaN(), math.NaN()}) {
		t.Error("a row of nothing has no score")
	}
}

func TestBoostMonotone(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 1))
		tab := friedman(rng, 150, 5)
		for i := range tab.Y {
			tab.Y[i] = math.Sin(9*tab.X[i*5]) + tab.X[i*5+1] + 0.3*rng.NormFloat64() // not monotone by itself
		}
		loss := rapid.SampledFrom([]Loss{Squared, Logistic, Tilted}).Draw(rt, "loss")
		if loss == Logistic {
			for i, y := range tab.Y {
				tab.Y[i] = 0
				if y > 0.5 {
					tab.Y[i] = 1
				}
			}
		}
		way := rapid.SampledFrom([]int8{1, -1}).Draw(rt, "way")
		m, err := Boost(tab, nil, Boosting{Loss: loss, Rounds: 15, Depth: 4, Monotone: []int8{way, 0, 0, 0, 0}})
		if err != nil {
			rt.Fatal(err)
		}
		for range 10 {
			x := []float64{0, rng.Float64(), rng.Float64(), rng.Float64(), rng.Float64()}
			last := math.Inf(-1)
			for k := range 40 {
				x[0] = float64(k) / 39
				s := float64(way) * m.Score(x)
				if s < last-1e-9 {
					rt.Fatalf("%s: the score turns at %v", loss, x)
				}
				last = s
			}
		}
	})
}

func TestBoostLossesAndWeights(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	tab := Table{Columns: 1}
	for range 3000 {
		x := rng.Float64()
		tab.X = append(tab.X, x)
		tab.Y = append(tab.Y, x+rng.ExpFloat64())
	}
	m, err := Boost(tab, nil, Boosting{Loss: Tilted, Level: 0.9, Rounds: 60, Depth: 3})
	if err != nil {
		t.Fatal(err)
	}
	below := 0
	for i, y := range tab.Y {
		if y <= m.Score(tab.X[i:i+1]) {
			below++
		}
	}
	if share := float64(below) / 3000; math.Abs(share-0.9) > 0.02 {
		t.Errorf("%.3f of the targets are below their 0.9 quantile", share)
	}
	// Probabilities are what comes to pass.
	for i, x := range tab.X {
		tab.Y[i] = 0
		if rng.Float64() < 0.1+0.6*x {
			tab.Y[i] = 1
		}
	}
	m, err = Boost(tab, nil, Boosting{Loss: Logistic, Rounds: 40, Depth: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []float64{0.2, 0.5, 0.8} {
		if p := m.Probability([]float64{x}); math.Abs(p-(0.1+0.6*x)) > 0.1 {
			t.Errorf("probability at %v is %.2f, want %.2f", x, p, 0.1+0.6*x)
		}
	}
	// A row of weight 3 is three rows.
	three, weighted := Table{Columns: 1}, Table{Columns: 1}
	for i := range 60 {
		y := float64(i % 7)
		weighted.X, weighted.Y, weighted.Weight = append(weighted.X, float64(i)), append(weighted.Y, y), append(weighted.Weight, float64(1+2*(i%2)))
		for range 1 + 2*(i%2) {
			three.X, three.Y = append(three.X, float64(i)), append(three.Y, y)
		}
	}
	a, _ := Boost(three, nil, Boosting{Rounds: 5, Depth: 3})
	b, _ := Boost(weighted, nil, Boosting{Rounds: 5, Depth: 3})
	for i := range 60 {
		if x := []float64{float64(i)}; math.Abs(a.Score(x)-b.Score(x)) > 1e-9 {
			t.Fatalf("at %d: %v with three rows, %v with weight three", i, a.Score(x), b.Score(x))
		}
	}
	// A margin is where trees begin.
	tab = Table{X: []float64{1, 2, 3, 4}, Y: []float64{1, 2, 3, 4}, Margin: []float64{1, 2, 3, 4}, Columns: 1}
	if m, err := Boost(tab, nil, Boosting{}); err != nil || m.Rounds() != 0 || m.Score([]float64{3}) != 0 {
		t.Error("trees were grown although the margin leaves nothing to gain", err)
	}
}

func TestTreesAsJSON(t *testing.T) {
	train := friedman(rand.New(rand.NewPCG(1, 2)), 200, 5)
	train.X[3] = math.NaN()
	m, err := Boost(train, nil, Boosting{Rounds: 5, Depth: 3})
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	var back Trees
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	for i := range 200 {
		if x := train.X[i*5 : i*5+5]; back.Score(x) != m.Score(x) {
			t.Fatal("other scores after storing")
		}
	}
	text := string(b)
	for name, damage := range map[string]string{
		"base":   strings.Replace(text, `"base":`, `"base":1`, 1),
		"cut":    text[:len(text)/2],
		"kind":   strings.Replace(text, "ballast trees 1", "other", 1),
		"nobody": `{"kind":"ballast trees 1","columns":1,"trees":[{}],"sha256":""}`,
	} {
		if err := new(Trees).UnmarshalJSON([]byte(damage)); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestBoostRefuses(t *testing.T) {
	for name, tab := range map[string]Table{
		"no rows":  {Columns: 1},
		"shape":    {X: []float64{1, 2, 3}, Y: []float64{1}, Columns: 2},
		"target":   {X: []float64{1}, Y: []float64{math.NaN()}, Columns: 1},
		"weight":   {X: []float64{1}, Y: []float64{1}, Weight: []float64{-1}, Columns: 1},
		"no width": {X: []float64{1}, Y: []float64{1}},
	} {
		if _, err := Boost(tab, nil, Boosting{}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	ok := Table{X: []float64{1, 2}, Y: []float64{1, 2}, Columns: 1}
	if _, err := Boost(ok, nil, Boosting{Monotone: []int8{1, 1}}); !errors.Is(err, ErrShape) {
		t.Error(err)
	}
	if _, err := Boost(ok, &Table{X: []float64{1, 2}, Y: []float64{1}, Columns: 2}, Boosting{}); !errors.Is(err, ErrShape) {
		t.Error(err)
	}
}

func FuzzTrees(f *testing.F) {
	m, _ := Boost(Table{X: []float64{1, 2, 3, 4}, Y: []float64{1, 1, 5, 5}, Columns: 1}, nil, Boosting{Rounds: 2, Depth: 1})
	b, _ := json.Marshal(m)
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		var m Trees
		if m.UnmarshalJSON(b) == nil && m.Columns() < 1000 {
			m.Score(slices.Repeat([]float64{math.NaN()}, m.Columns()))
		}
	})
}

func BenchmarkBoost(b *testing.B) {
	train := friedman(rand.New(rand.NewPCG(1, 1)), 8760, 60)
	for b.Loop() {
		if _, err := Boost(train, nil, Boosting{Rounds: 20, Depth: 6}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkTreesScore(b *testing.B) {
	train := friedman(rand.New(rand.NewPCG(1, 1)), 2000, 20)
	m, _ := Boost(train, nil, Boosting{Rounds: 200, Depth: 6})
	x := train.X[:20]
	b.ReportAllocs()
	for b.Loop() {
		m.Score(x)
	}
}
