package forecast

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"ballast/learn"
)

// Nets is an ensemble of small networks that forecast all 24 hours of a day at
// once. A member learns the whole past on the day of its birth and then, each
// day, a little more with the days that have come; after Renew days it is born
// anew. Births are spread over the days, so that the members differ and no day
// is expensive. The mean of all is what counts: single ones vary by a quarter.
//
// What it answers for a day depends on the days before it and on nothing else,
// not on which days were asked for earlier: those only save work.
type Nets struct {
	Members  int   // 0 is none
	Hidden   []int // units of the hidden layers
	Window   int   // days of the past that are learned
	Seed     uint64
	Workers  int            // members trained at once; 0 is one
	First    learn.Training // how they learn at birth
	Daily    learn.Training // and each day after
	Renew    int            // days that a member lives
	HalfLife float64        // days after which a day counts half; 0 is never
	Level    bool           // every other member learns prices as differences from the week before
	Quantile []float64      // levels that each member says of each hour; nil is the median alone
	Soft     float64        // how many times wider than usual prices spread before they are bent: high ones keep more of their weight; 0 is 1

	alive []*member
}

// leastDays of the past make a network worth training.
const leastDays = 90

// member is one network and the rows that it has learned, in its own scales.
type member struct {
	levels bool
	net    *learn.Net
	born   int // date of the first day that it did not learn at birth
	upTo   int // date before which days are learned
	inputs []scale
	prices [Hours]scale
	x, y   []float32
	room   *learn.Scratch
}

// birth is the day on which member k that forecasts day d was born. The calendar
// decides, not the panel's beginning.
func (m *Nets) birth(p *Panel, d, k int) int {
	day := p.day(d) + k*m.Renew/m.Members
	return max(d-day%m.Renew, 7+leastDays)
}

// bear trains a new member on the days before b.
func (m *Nets) bear(p *Panel, b, k int) (*member, error) {
	n := &member{born: p.day(b), upTo: p.day(b), levels: m.Level && k%2 == 1}
	cols := columns(len(p.Known)) + 1
	first := max(7, b-m.Window+7)
	rows := b - first
	all := make([]float64, rows*cols)
	for i := range rows {
		n.row(p, first+i, all[i*cols:(i+1)*cols])
	}
	n.inputs = make([]scale, cols-weekdays)
	col := make([]float64, rows)
	for j := range n.inputs {
		for i := range col {
			col[i] = all[i*cols+j]
		}
		n.inputs[j] = newScale(col)
	}
	for h := range n.prices {
		for i := range col {
			col[i] = p.Price[first+i][h] - n.level(p, first+i)
		}
		n.prices[h] = newScale(col)
		n.prices[h].size *= m.soft()
	}
	for i := range rows {
		n.learned(p, first+i, all[i*cols:(i+1)*cols])
	}
	sizes := append(append([]int{cols}, m.Hidden...), Hours*m.faces())
	var err error
	if n.net, err = learn.NewNet(m.Seed+uint64(k)*1_000_003+uint64(n.born), sizes...); err != nil {
		return nil, err
	}
	n.room = n.net.NewScratch()
	return n, m.train(n, m.First)
}

func (m *Nets) soft() float64 {
	if m.Soft > 0 {
		return m.Soft
	}
	return 1
}

// faces is how many numbers a member says of an hour.
func (m *Nets) faces() int { return max(len(m.Quantile), 1) }

// row is what the member reads of day d: the inputs of LEAR, prices perhaps as
// differences from the level, and the level.
func (n *member) row(p *Panel, d int, out []float64) {
	out[0] = week(p, d).median
	p.row(d, out[1:])
	// The days of the week stay last.
	if n.levels {
		for j := range Hours * len(priceLags) {
			out[1+j] -= out[0]
		}
	}
}

// level is what the member's prices of day d are differences from.
func (n *member) level(p *Panel, d int) float64 {
	if !n.levels {
		return 0
	}
	return week(p, d).median
}

// learned adds day i to what the member trains on.
func (n *member) learned(p *Panel, i int, row []float64) {
	n.x = n.bend(row, n.x)
	level := n.level(p, i)
	for h, v := range p.Price[i] {
		n.y = append(n.y, float32(n.prices[h].bend(v-level)))
	}
}

func (n *member) bend(row []float64, x []float32) []float32 {
	for j, v := range row {
		if j < len(n.inputs) {
			v = n.inputs[j].bend(v)
		}
		x = append(x, float32(v))
	}
	return x
}

func (m *Nets) train(n *member, how learn.Training) error {
	how.Levels = m.Quantile
	if m.Soft > 0 {
		how.Knee = netKnee / m.Soft
	}
	if m.HalfLife > 0 {
		how.Weights = recency(len(n.y)/Hours, m.HalfLife)
	}
	return n.net.Train(n.x, n.y, how)
}

// netKnee is the error up to which a net's loss is squared, in units of bent spread.
const netKnee = 0.05

// forecast brings member k to day d and asks it: of each level, all hours.
func (m *Nets) forecast(p *Panel, d, k int) (out [][Hours]float64, err error) {
	n, b := m.alive[k], m.birth(p, d, k)
	if n == nil || n.born != p.day(b) || n.upTo > p.day(d) {
		if n, err = m.bear(p, b, k); err != nil {
			return out, err
		}
		m.alive[k] = n
	}
	row := make([]float64, columns(len(p.Known))+1)
	for ; n.upTo < p.day(d); n.upTo++ {
		i := n.upTo - p.day(0)
		n.row(p, i, row)
		n.learned(p, i, row)
		if over := len(n.y)/Hours - max(m.Window-7, leastDays); over > 0 {
			n.x, n.y = n.x[over*len(row):], n.y[over*Hours:]
		}
		if err := m.train(n, m.Daily); err != nil {
			return out, err
		}
	}
	n.row(p, d, row)
	level := n.level(p, d)
	faces := m.faces()
	y := make([]float32, Hours*faces)
	n.net.Predict(n.bend(row, nil), y, n.room)
	out = make([][Hours]float64, faces)
	for h := range Hours {
		of := y[h*faces : (h+1)*faces]
		slices.Sort(of) // levels are learned apart and may cross
		for j, v := range of {
			// Nothing a net says may be further out than what it has seen twice over.
			out[j][h] = level + n.prices[h].straighten(math.Max(-9, math.Min(9, float64(v))))
		}
	}
	return out, nil
}

// Forecast is the forecast of day d by each member, from days before d and what
// was known ahead of d. A member that says several levels has as many places, one
// after the other.
func (m *Nets) Forecast(p *Panel, d int) ([][Hours]float64, error) {
	if d < 7+leastDays || d > p.Days() {
		return nil, fmt.Errorf("day %d of %d: %w", d, p.Days(), ErrTooShort)
	}
	if len(m.alive) != m.Members {
		m.alive = make([]*member, m.Members)
	}
	each := make([][][Hours]float64, m.Members)
	errs := make([]error, m.Members)
	var wg sync.WaitGroup
	gate := make(chan struct{}, max(m.Workers, 1))
	for k := range m.Members {
		gate <- struct{}{}
		wg.Go(func() {
			defer func() { <-gate }()
			each[k], errs[k] = m.forecast(p, d, k)
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return slices.Concat(each...), nil
}

// recency weighs n days so that one a half-life older counts half.
func recency(n int, half float64) []float64 {
	w := make([]float64, n)
	for i := range w {
		w[i] = math.Exp2(-float64(n-1-i) / half)
	}
	return w
}
