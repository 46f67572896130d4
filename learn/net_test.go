package learn

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// loss is the mean Huber loss of a net on rows, computed apart from training.
func loss(n *Net, x, y []float32, knee float64) float64 {
	s, out := n.NewScratch(), make([]float32, n.Outputs())
	rows := len(x) / n.Inputs()
	total := 0.0
	for i := range rows {
		n.Predict(x[i*n.Inputs():], out, s)
		for j, v := range out {
			d := math.Abs(float64(v - y[i*n.Outputs()+j]))
			if d < knee {
				total += d * d / (2 * knee)
			} else {
				total += d - knee/2
			}
		}
	}
	return total / float64(rows*n.Outputs())
}

// The gradient against differences of the loss.
func TestGradients(t *testing.T) {
	const rows, knee = 7, 1.0
	n, err := NewNet(3, 5, 6, 4, 2)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	x, y := make([]float32, rows*5), make([]float32, rows*2)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	for i := range y {
		y[i] = float32(rng.NormFloat64() * 2)
	}
	s := newStep(n, rows)
	copy(s.act[0], x)
	copy(s.want, y)
	for i := range s.weight {
		s.weight[i] = 1
	}
	s.gradients(n, rows, knee, tilts(nil))
	check := func(name string, w, g []float32) {
		for i := range w {
			const h = 1e-2
			was := w[i]
			w[i] = was + h
			up := loss(n, x, y, knee)
			w[i] = was - h
			down := loss(n, x, y, knee)
			w[i] = was
			if want := (up - down) / (2 * h); math.Abs(want-float64(g[i])) > 2e-3+0.02*math.Abs(want) {
				t.Errorf("%s %d: gradient %.5f, by differences %.5f", name, i, g[i], want)
			}
		}
	}
	for l := range n.w {
		check("weight", n.w[l], s.gw[l])
		check("bias", n.b[l], s.gb[l])
	}
	check("linear path", n.skip, s.gskip)
}

// A function that no line fits.
func curve(rng *rand.Rand, rows int) (x, y []float32) {
	for range rows {
		a, b := rng.Float64()*4-2, rng.Float64()*4-2
		x = append(x, float32(a), float32(b))
		y = append(y, float32(math.Abs(a)+math.Sin(2*b)))
	}
	return x, y
}

func TestNetLearnsWhatNoLineFits(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	x, y := curve(rng, 600)
	tx, ty := curve(rng, 300)
	linear, _ := NewNet(1, 2, 1)
	deep, _ := NewNet(1, 2, 32, 32, 1)
	how := Training{Epochs: 120, Rate: 5e-3, Cool: true, Knee: 0.1}
	for _, n := range []*Net{linear, deep} {
		if err := n.Train(x, y, how); err != nil {
			t.Fatal(err)
		}
	}
	l, d := loss(linear, tx, ty, 0.001), loss(deep, tx, ty, 0.001)
	if d > 0.1 || d > l/4 {
		t.Errorf("mean absolute error %.3f of the net on rows it has not seen, %.3f of a line", d, l)
	}
}

func TestNetIsTheSameEverywhere(t *testing.T) {
	x, y := curve(rand.New(rand.NewPCG(1, 2)), 100)
	var texts []string
	for range 2 {
		n, _ := NewNet(9, 2, 8, 1)
		if err := n.Train(x, y, Training{Epochs: 3, Rate: 1e-3, Dropout: 0.2, Decay: 0.01}); err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(n)
		if err != nil {
			t.Fatal(err)
		}
		texts = append(texts, string(b))
	}
	if texts[0] != texts[1] {
		t.Error("two trainings from one seed differ")
	}
	var back Net
	if err := json.Unmarshal([]byte(texts[0]), &back); err != nil {
		t.Fatal(err)
	}
	again, _ := json.Marshal(&back)
	if string(again) != texts[0] {
		t.Error("a net is not what was stored")
	}
	for name, damage := range map[string]string{
		"a weight": strings.Replace(texts[0], `"weights":["A`, `"weights":["B`, 1),
		"cut":      texts[0][:len(texts[0])-20],
		"sizes":    strings.Replace(texts[0], `[2,8,1]`, `[2,8,2]`, 1),
		"huge":     strings.Replace(texts[0], `[2,8,1]`, `[60000,60000,1]`, 1),
	} {
		if damage == texts[0] {
			i := strings.Index(texts[0], `"weights":["`) + 14
			c := byte('A')
			if texts[0][i] == c {
				c = 'B'
			}
			damage = texts[0][:i] + string(c) + texts[0][i+1:]
		}
		var n Net
		if err := n.UnmarshalJSON([]byte(damage)); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNetRefuses(t *testing.T) {
	if _, err := NewNet(1, 3); err == nil {
		t.Error("one layer")
	}
	if _, err := NewNet(1, 3, 0); err == nil {
		t.Error("a layer without units")
	}
	n, _ := NewNet(1, 2, 1)
	if err := n.Train([]float32{1, 2, 3}, []float32{1}, Training{}); !errors.Is(err, ErrShape) {
		t.Error(err)
	}
	if err := n.Train([]float32{1, float32(math.NaN())}, []float32{1}, Training{Epochs: 1, Rate: 1}); !errors.Is(err, ErrNotFinite) {
		t.Error(err)
	}
}

func FuzzNet(f *testing.F) {
	n, _ := NewNet(1, 2, 3, 1)
	b, _ := json.Marshal(n)
	f.Add(b)
	f.Add([]byte(`{"kind":"ballast net 1","sizes":[1,1],"weights":["AAAAAA==","AAAAAA==","AAAAAA=="]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var n Net
		if n.UnmarshalJSON(b) == nil {
			out := make([]float32, n.Outputs())
			n.Predict(make([]float32, n.Inputs()), out, n.NewScratch())
		}
	})
}

func BenchmarkNetEpoch(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	const rows = 1449
	x, y := make([]float32, rows*247), make([]float32, rows*24)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	n, _ := NewNet(1, 247, 96, 96, 24)
	for b.Loop() {
		if err := n.Train(x, y, Training{Epochs: 1, Rate: 1e-3, Batch: 64, Dropout: 0.1}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNetPredict(b *testing.B) {
	n, _ := NewNet(1, 247, 96, 96, 24)
	x, out, s := make([]float32, 247), make([]float32, 24), n.NewScratch()
	b.ReportAllocs()
	for b.Loop() {
		n.Predict(x, out, s)
	}
}

// A net learns several quantiles of a noise that grows.
func TestNetLearnsQuantiles(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	const rows = 1500
	levels := []float64{0.1, 0.5, 0.9}
	x, y := make([]float32, rows*2), make([]float32, rows)
	for i := range rows {
		v := rng.Float64()
		x[i*2], x[i*2+1] = float32(v), 1
		y[i] = float32(2*v + (0.5+v)*rng.NormFloat64())
	}
	n, err := NewNet(1, 2, 8, 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := n.Train(x, y, Training{Epochs: 60, Batch: 50, Rate: 1e-2, Cool: true, Levels: levels}); err != nil {
		t.Fatal(err)
	}
	s, out := n.NewScratch(), make([]float32, 3)
	for _, v := range []float32{0.1, 0.5, 0.9} {
		n.Predict([]float32{v, 1}, out, s)
		for j, z := range []float32{-1.2816, 0, 1.2816} {
			if want := 2*v + (0.5+v)*z; math.Abs(float64(out[j]-want)) > 0.35 {
				t.Errorf("at %.1f the quantile of %.1f is %.2f, want %.2f", v, levels[j], out[j], want)
			}
		}
	}
	if err := n.Train(x, y, Training{Epochs: 1, Levels: levels[:2]}); !errors.Is(err, ErrShape) {
		t.Errorf("two levels for three outputs: %v", err)
	}
}
