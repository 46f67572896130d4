package learn

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
)

// Net is a small multilayer network with several outputs: layers of rectified
// units, and beside them a straight linear path from the inputs to the outputs,
// so that the layers need only learn what is not linear.
//
// A net is not safe for concurrent training; Predict on one net from several
// goroutines is, each with its own Scratch.
type Net struct {
	sizes []int       // inputs, hidden layers, outputs
	w     [][]float32 // of each layer: in x out
	b     [][]float32
	skip  []float32 // inputs x outputs
	opt   *adam
	seed  uint64
	epoch uint64
}

// NewNet makes a net of these layer sizes (inputs first, outputs last) with
// random weights that depend on seed only (He et al., ICCV 2015).
func NewNet(seed uint64, sizes ...int) (*Net, error) {
	if len(sizes) < 2 {
		return nil, fmt.Errorf("a net of %d layers: %w", len(sizes), ErrShape)
	}
	for _, s := range sizes {
		if s < 1 {
			return nil, fmt.Errorf("a layer of %d units: %w", s, ErrShape)
		}
	}
	n := &Net{sizes: sizes, seed: seed}
	rng := rand.New(rand.NewPCG(seed, 0x6e6574))
	for l := 1; l < len(sizes); l++ {
		w := make([]float32, sizes[l-1]*sizes[l])
		sd := math.Sqrt(2 / float64(sizes[l-1]))
		if l == len(sizes)-1 {
			sd *= 0.1 // the linear path speaks first
		}
		for i := range w {
			w[i] = float32(rng.NormFloat64() * sd)
		}
		n.w = append(n.w, w)
		n.b = append(n.b, make([]float32, sizes[l]))
	}
	n.skip = make([]float32, sizes[0]*sizes[len(sizes)-1])
	return n, nil
}

// Inputs is the length of what goes in.
func (n *Net) Inputs() int { return n.sizes[0] }

// Outputs is the length of what comes out.
func (n *Net) Outputs() int { return n.sizes[len(n.sizes)-1] }

// Training says how a net learns.
type Training struct {
	Epochs  int     // passes over the rows
	Batch   int     // rows in a step; 0 is 32
	Rate    float64 // of Adam (Kingma and Ba, 2014); falls to a tenth over the epochs when Cool
	Cool    bool
	Decay   float64   // of weights, apart from the gradient (Loshchilov and Hutter, 2019)
	Dropout float64   // share of inputs that are hidden in each step
	Knee    float64   // errors below it count squared, above it by their size (Huber); 0 is 0.05
	Levels  []float64 // nil: outputs are medians; else each target has an output for each of these quantile levels
	Weights []float64 // of each row; nil is all alike
}

// Train learns from rows of inputs x and targets y, both row-major: a target for
// each output, or for each len(t.Levels) outputs in a row. It goes on from where
// the net is: weights and the optimiser's state. The same net, rows
// and training give the same weights again, on processors of one kind (fused
// multiply-add or not) to the last digit.
func (n *Net) Train(x, y []float32, t Training) error {
	in, out, tilt := n.Inputs(), n.Outputs(), tilts(t.Levels)
	if out%len(tilt) != 0 {
		return fmt.Errorf("%d levels for %d outputs: %w", len(tilt), out, ErrShape)
	}
	out /= len(tilt)
	rows := len(x) / in
	if rows == 0 || len(x) != rows*in || len(y) != rows*out || t.Weights != nil && len(t.Weights) != rows {
		return fmt.Errorf("%d inputs and %d outputs for a net of %d and %d: %w", len(x), len(y), in, out, ErrShape)
	}
	batch, knee := t.Batch, float32(t.Knee)
	if batch <= 0 {
		batch = 32
	}
	if knee <= 0 {
		knee = 0.05
	}
	if n.opt == nil {
		n.opt = newAdam(n)
	}
	s := newStep(n, batch)
	order := make([]int, rows)
	for i := range order {
		order[i] = i
	}
	for e := range t.Epochs {
		rng := rand.New(rand.NewPCG(n.seed, n.epoch))
		n.epoch++
		rng.Shuffle(rows, func(i, j int) { order[i], order[j] = order[j], order[i] })
		rate := t.Rate
		if t.Cool && t.Epochs > 1 {
			rate *= math.Pow(0.1, float64(e)/float64(t.Epochs-1))
		}
		for from := 0; from < rows; from += batch {
			size := min(batch, rows-from)
			for i, r := range order[from : from+size] {
				copy(s.act[0][i*in:(i+1)*in], x[r*in:(r+1)*in])
				copy(s.want[i*out:(i+1)*out], y[r*out:(r+1)*out])
				s.weight[i] = 1
				if t.Weights != nil {
					s.weight[i] = float32(t.Weights[r])
				}
			}
			if t.Dropout > 0 {
				hide(s.act[0][:size*in], t.Dropout, rng)
			}
			s.gradients(n, size, knee, tilt)
			n.opt.step(n, s, rate, t.Decay)
		}
	}
	for _, w := range n.w {
		for _, v := range w {
			if v != v {
				return fmt.Errorf("training diverged: %w", ErrNotFinite)
			}
		}
	}
	return nil
}

// tilts are what each quantile level adds to the derivative of twice the pinball
// loss, which is -1 and 1 for the median.
func tilts(levels []float64) []float32 {
	if len(levels) == 0 {
		return []float32{0}
	}
	out := make([]float32, len(levels))
	for i, l := range levels {
		out[i] = float32(1 - 2*l)
	}
	return out
}

// hide sets a share of the inputs to zero and makes up for it in the others.
func hide(x []float32, share float64, rng *rand.Rand) {
	keep := float32(1 / (1 - share))
	limit := uint32(share * (1 << 32))
	for i := range x {
		if rng.Uint32() < limit {
			x[i] = 0
		} else {
			x[i] *= keep
		}
	}
}

// step is the room that one training step needs.
type step struct {
	act    [][]float32 // activations of each layer, rows x size
	err    [][]float32 // gradients with respect to them
	want   []float32
	weight []float32
	gw, gb [][]float32
	gskip  []float32
	room   []float32 // a layer's weights turned over
}

func newStep(n *Net, batch int) *step {
	s := &step{weight: make([]float32, batch), want: make([]float32, batch*n.Outputs()), gskip: make([]float32, len(n.skip))}
	for l, size := range n.sizes {
		s.act = append(s.act, make([]float32, batch*size))
		s.err = append(s.err, make([]float32, batch*size))
		if l > 0 {
			s.gw = append(s.gw, make([]float32, len(n.w[l-1])))
			s.gb = append(s.gb, make([]float32, size))
			if l > 1 {
				s.room = append(s.room, make([]float32, max(0, len(n.w[l-1])-len(s.room)))...)
			}
		}
	}
	return s
}

// forward fills the activations of rows from those of the first layer.
func (n *Net) forward(act [][]float32, rows int) {
	last := len(n.sizes) - 1
	for l := 1; l <= last; l++ {
		in, out := n.sizes[l-1], n.sizes[l]
		for i := range rows {
			copy(act[l][i*out:(i+1)*out], n.b[l-1])
		}
		addAB(rows, out, in, act[l-1], n.w[l-1], act[l])
		if l < last {
			for i, v := range act[l][:rows*out] {
				if v < 0 {
					act[l][i] = 0
				}
			}
		}
	}
	in, out := n.sizes[0], n.sizes[last]
	addAB(rows, out, in, act[0], n.skip, act[last])
}

// gradients computes the gradient of the mean Huber loss, tilted for each quantile
// level, over the rows in s.
func (s *step) gradients(n *Net, rows int, knee float32, tilt []float32) {
	n.forward(s.act, rows)
	last := len(n.sizes) - 1
	outs := n.sizes[last]
	var total float32
	for _, w := range s.weight[:rows] {
		total += w
	}
	if total == 0 {
		total = 1
	}
	for i := range rows {
		f := s.weight[i] / (total * float32(outs))
		j := i * outs
		for _, want := range s.want[i*outs/len(tilt) : (i+1)*outs/len(tilt)] {
			for _, lean := range tilt {
				d := (s.act[last][j] - want) / knee
				s.err[last][j] = f * (min(max(d, -1), 1) + lean)
				j++
			}
		}
	}
	setATB(n.sizes[0], outs, rows, s.act[0], s.err[last], s.gskip)
	for l := last; l >= 1; l-- {
		in, out := n.sizes[l-1], n.sizes[l]
		setATB(in, out, rows, s.act[l-1], s.err[l], s.gw[l-1])
		clear(s.gb[l-1])
		for i := range rows {
			for j, v := range s.err[l][i*out : (i+1)*out] {
				s.gb[l-1][j] += v
			}
		}
		if l > 1 {
			setABT(rows, in, out, s.err[l], n.w[l-1], s.err[l-1], s.room)
			for i, v := range s.act[l-1][:rows*in] {
				if v <= 0 {
					s.err[l-1][i] = 0
				}
			}
		}
	}
}

// adam keeps the moments of every weight.
type adam struct {
	t    int
	m, v [][]float32
}

// params are all weights, and whether they decay.
func (n *Net) params() (p [][]float32, decays []bool) {
	for l := range n.w {
		p, decays = append(p, n.w[l], n.b[l]), append(decays, true, false)
	}
	return append(p, n.skip), append(decays, true)
}

func newAdam(n *Net) *adam {
	a := &adam{}
	p, _ := n.params()
	for _, w := range p {
		a.m = append(a.m, make([]float32, len(w)))
		a.v = append(a.v, make([]float32, len(w)))
	}
	return a
}

func (a *adam) step(n *Net, s *step, rate, decay float64) {
	const beta1, beta2, eps = 0.9, 0.999, 1e-7
	a.t++
	p, decays := n.params()
	g := make([][]float32, 0, len(p))
	for l := range s.gw {
		g = append(g, s.gw[l], s.gb[l])
	}
	g = append(g, s.gskip)
	c1 := 1 - math.Pow(beta1, float64(a.t))
	c2 := math.Sqrt(1 - math.Pow(beta2, float64(a.t)))
	size := float32(rate * c2 / c1)
	for k, w := range p {
		m, v, gk := a.m[k], a.v[k], g[k]
		shrink := float32(1)
		if decays[k] {
			shrink = float32(1 - rate*decay)
		}
		done := adamStep(w, m, v, gk, &[5]float32{1 - beta1, 1 - beta2, shrink, size, eps})
		for i := done; i < len(gk); i++ {
			d := gk[i]
			m[i] += (1 - beta1) * (d - m[i])
			v[i] += (1 - beta2) * (d*d - v[i])
			w[i] = w[i]*shrink - size*m[i]/(float32(math.Sqrt(float64(v[i])))+eps)
		}
	}
}

// Scratch is the room that Predict needs; one a goroutine.
type Scratch struct{ act [][]float32 }

// NewScratch makes room for one row.
func (n *Net) NewScratch() *Scratch {
	s := &Scratch{}
	for _, size := range n.sizes {
		s.act = append(s.act, make([]float32, size))
	}
	return s
}

// Predict puts the outputs for one row of inputs into out. It allocates nothing.
func (n *Net) Predict(x, out []float32, s *Scratch) {
	copy(s.act[0], x[:n.Inputs()])
	n.forward(s.act, 1)
	copy(out, s.act[len(s.act)-1])
}

// netFile is a net as it is stored.
type netFile struct {
	Kind    string   `json:"kind"`
	Sizes   []int    `json:"sizes"`
	Seed    uint64   `json:"seed"`
	Epoch   uint64   `json:"epoch"`
	Weights []string `json:"weights"` // little-endian float32, base64; layers and biases in turn, then the linear path
	Sum     string   `json:"sha256"`  // of the weights' bytes
}

// MarshalJSON writes the net without its optimiser's state.
func (n *Net) MarshalJSON() ([]byte, error) {
	f := netFile{Kind: "ballast net 1", Sizes: n.sizes, Seed: n.seed, Epoch: n.epoch}
	sum := sha256.New()
	p, _ := n.params()
	for _, w := range p {
		b := make([]byte, 4*len(w))
		for i, v := range w {
			binary.LittleEndian.PutUint32(b[4*i:], math.Float32bits(v))
		}
		sum.Write(b)
		f.Weights = append(f.Weights, base64.StdEncoding.EncodeToString(b))
	}
	f.Sum = hex.EncodeToString(sum.Sum(nil))
	return json.Marshal(f)
}

// largestNet bounds what a stored net may claim to be.
const largestNet = 1 << 24

// UnmarshalJSON reads a net; ErrDamaged when it is not what was written.
func (n *Net) UnmarshalJSON(b []byte) error {
	var f netFile
	if err := json.Unmarshal(b, &f); err != nil {
		return fmt.Errorf("reading a net: %w: %w", ErrDamaged, err)
	}
	if f.Kind != "ballast net 1" || len(f.Sizes) < 2 || len(f.Sizes) > 32 {
		return fmt.Errorf("kind %q with %d layers: %w", f.Kind, len(f.Sizes), ErrDamaged)
	}
	for i, s := range f.Sizes {
		if s < 1 || s > 1<<16 || i > 0 && s*f.Sizes[i-1] > largestNet || s*f.Sizes[0] > largestNet {
			return fmt.Errorf("a layer of %d units: %w", s, ErrDamaged)
		}
	}
	fresh, err := NewNet(f.Seed, f.Sizes...)
	if err != nil {
		return err
	}
	fresh.epoch = f.Epoch
	p, _ := fresh.params()
	if len(f.Weights) != len(p) {
		return fmt.Errorf("%d blocks of weights, want %d: %w", len(f.Weights), len(p), ErrDamaged)
	}
	sum := sha256.New()
	for k, w := range p {
		raw, err := base64.StdEncoding.DecodeString(f.Weights[k])
		if err != nil || len(raw) != 4*len(w) {
			return fmt.Errorf("block %d of the weights: %w", k, ErrDamaged)
		}
		sum.Write(raw)
		for i := range w {
			w[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
		}
	}
	if hex.EncodeToString(sum.Sum(nil)) != f.Sum {
		return fmt.Errorf("the weights do not have their checksum: %w", ErrDamaged)
	}
	*n = *fresh
	return nil
}
