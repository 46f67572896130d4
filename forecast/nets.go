package forecast

import (
	"fmt"
	"math"
	"sync"

	"ballast/learn"
)

// Nets is an ensemble of small networks that forecast all 24 hours of a day at
// once. They learn the whole past once and then, each day, a little from the
// days that have come: the mean of several that started differently is what
// counts, single ones vary.
type Nets struct {
	Members int   // 0 is 8
	Hidden  []int // units of the hidden layers; nil is 96 and 96
	Window  int   // days of the past; 0 is 1456
	Seed    uint64
	Workers int // members trained at once; 0 is one

	First, Daily learn.Training // how they learn at the start, and each day
	Renew        int            // days after which a member starts anew; 0 never
	HalfLife     float64        // days after which a day counts half; 0 is never

	nets   []*learn.Net
	born   []int
	scales []scale
	target [Hours]scale
	fitted int // the day for which scales were made
}

func (m *Nets) defaults() {
	if m.Members == 0 {
		m.Members = 8
	}
	if m.Hidden == nil {
		m.Hidden = []int{96, 96}
	}
	if m.Window == 0 {
		m.Window = 1456
	}
	if m.First.Epochs == 0 {
		m.First = learn.Training{Epochs: 60, Batch: 64, Rate: 2e-3, Cool: true, Decay: 1}
	}
	if m.Daily.Epochs == 0 {
		m.Daily = learn.Training{Epochs: 1, Batch: 64, Rate: 2e-4, Decay: 1}
	}
}

// rows are inputs and outputs of the days from first to before d, scaled.
func (m *Nets) rows(p *Panel, first, d int) (x, y []float32) {
	cols := columns(len(p.Known))
	buf := make([]float64, cols)
	for i := first; i < d; i++ {
		p.row(i, buf)
		x = m.inputs(buf, x)
		for h, v := range p.Price[i] {
			y = append(y, float32(m.target[h].bend(v)))
		}
	}
	return x, y
}

func (m *Nets) inputs(buf []float64, x []float32) []float32 {
	for j, v := range buf {
		if j < len(m.scales) {
			v = m.scales[j].bend(v)
		}
		x = append(x, float32(v))
	}
	return x
}

// fit makes the scales from the days from first to before d.
func (m *Nets) fit(p *Panel, first, d int) {
	cols := columns(len(p.Known))
	all := make([]float64, 0, (d-first)*cols)
	buf := make([]float64, cols)
	for i := first; i < d; i++ {
		p.row(i, buf)
		all = append(all, buf...)
	}
	m.scales = make([]scale, cols-weekdays)
	col := make([]float64, d-first)
	for j := range m.scales {
		for i := range col {
			col[i] = all[i*cols+j]
		}
		m.scales[j] = newScale(col)
	}
	for h := range m.target {
		for i := range col {
			col[i] = p.Price[first+i][h]
		}
		m.target[h] = newScale(col)
	}
	m.fitted = d
}

// Forecast learns from the days before d and forecasts d. Days must be asked for
// in rising order.
func (m *Nets) Forecast(p *Panel, d int) (mean [Hours]float64, each [][Hours]float64, err error) {
	m.defaults()
	first := max(7, d-m.Window+7)
	if d-first < 60 {
		return mean, nil, fmt.Errorf("day %d: %w", d, ErrTooShort)
	}
	cols := columns(len(p.Known))
	if m.nets == nil {
		m.fit(p, first, d)
		m.nets, m.born = make([]*learn.Net, m.Members), make([]int, m.Members)
	}
	x, y := m.rows(p, first, d)
	today := make([]float64, cols)
	p.row(d, today)
	in := m.inputs(today, nil)
	var weights []float64
	if m.HalfLife > 0 {
		weights = recency(d-first, m.HalfLife)
	}
	each = make([][Hours]float64, m.Members)
	errs := make([]error, m.Members)
	var wg sync.WaitGroup
	gate := make(chan struct{}, max(m.Workers, 1))
	for k := range m.Members {
		gate <- struct{}{}
		wg.Go(func() {
			defer func() { <-gate }()
			how := m.Daily
			if m.nets[k] == nil || m.Renew > 0 && (d+k*m.Renew/m.Members)%m.Renew == 0 && d > m.born[k] {
				how = m.First
				sizes := append(append([]int{cols}, m.Hidden...), Hours)
				m.nets[k], errs[k] = learn.NewNet(m.Seed+uint64(k)*1_000_003+uint64(d), sizes...)
				m.born[k] = d
			}
			if errs[k] != nil {
				return
			}
			how.Weights = weights
			if errs[k] = m.nets[k].Train(x, y, how); errs[k] != nil {
				return
			}
			var out [Hours]float32
			m.nets[k].Predict(in, out[:], m.nets[k].NewScratch())
			for h, v := range out {
				each[k][h] = m.target[h].straighten(float64(v))
			}
		})
	}
	wg.Wait()
	for k, e := range each {
		if errs[k] != nil {
			return mean, nil, errs[k]
		}
		for h, v := range e {
			mean[h] += v / float64(m.Members)
		}
	}
	return mean, each, nil
}

// recency weighs n days so that one a half-life older counts half.
func recency(n int, half float64) []float64 {
	w := make([]float64, n)
	for i := range w {
		w[i] = math.Exp2(-float64(n-1-i) / half)
	}
	return w
}
