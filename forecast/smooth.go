package forecast

import (
	"fmt"
	"math"

	"ballast/learn"
)

// Smooth is a linear model of the 24 hours together and, on what it leaves, kernel
// ridge on the same inputs, those wider that count more in the line: days that
// were alike in what matters were missed alike. It learns anew every Renew days,
// on days that the calendar gives.
//
// What it answers for a day depends on the days before it and on nothing else.
type Smooth struct {
	Window int // days of the past that are learned
	Renew  int // days between two trainings; 0 is no such model

	born   int // date of the first day that is not learned
	line   linear
	kernel *learn.Kernel
	weight []float64 // of each input in the kernel
	prices [Hours]scale
}

// Which widths and penalties of the kernel are tried.
var (
	smoothWidths    = []float64{0.5, 1, 2}
	smoothPenalties = []float64{0.3, 1, 3}
)

// Forecast is the forecast of day d.
func (s *Smooth) Forecast(p *Panel, d int) (out [Hours]float64, err error) {
	b := max(d-p.day(d)%s.Renew, 8+leastDays)
	if d < b || d > p.Days() {
		return out, fmt.Errorf("day %d of %d: %w", d, p.Days(), ErrTooShort)
	}
	if s.kernel == nil || s.born != p.day(b) {
		if err := s.learn(p, b); err != nil {
			return out, err
		}
	}
	row := s.line.row(p, d, nil)
	var straight, bent [Hours]float64
	s.line.fit.Predict(row, straight[:])
	for j, w := range s.weight {
		row[j] *= w
	}
	s.kernel.Predict(row, bent[:])
	level := week(p, d).median
	for h := range Hours {
		out[h] = level + s.prices[h].straighten(math.Max(-9, math.Min(9, straight[h]+bent[h])))
	}
	return out, nil
}

// learn fits both on the days before b.
func (s *Smooth) learn(p *Panel, b int) error {
	first := max(8, b-s.Window)
	n := b - first
	y, of := make([]float64, n*Hours), make([]float64, n)
	for h := range Hours {
		for i := range n {
			of[i] = p.Price[first+i][h] - week(p, first+i).median
		}
		s.prices[h] = newScale(of)
		for i, v := range of {
			y[i*Hours+h] = s.prices[h].bend(v)
		}
	}
	x, said, err := s.line.learn(p, first, b, y)
	if err != nil {
		return err
	}
	for i, v := range said {
		y[i] -= v
	}
	s.weight = s.line.fit.Sizes()
	for i := range x {
		x[i] *= s.weight[i%len(s.weight)]
	}
	if s.kernel, err = learn.FitKernel(x, y, n, len(s.weight), Hours, smoothWidths, smoothPenalties); err != nil {
		return err
	}
	s.born = p.day(b)
	return nil
}

// linear is a linear model of all hours on LEAR's inputs, prices as differences from
// the level, bent.
type linear struct {
	fit    *learn.Ridge
	inputs []scale
}

// How the line is shrunk: by what foresees a tenth of the days from the others.
var (
	linePenalties = []float64{10, 40, 160, 640}
	lineFolds     = 10
)

// learn fits the line on days first to b-1 with bent prices y. It answers its
// inputs, and what it says of each hour of them without having seen the days
// around.
func (l *linear) learn(p *Panel, first, b int, y []float64) (x, said []float64, err error) {
	n, cols := b-first, columns(len(p.Known))
	l.inputs = nil
	for i := first; i < b; i++ {
		x = l.row(p, i, x)
	}
	column := make([]float64, n)
	for j := range cols - weekdays {
		for i := range n {
			column[i] = x[i*cols+j]
		}
		s := newScale(column)
		for i := range n {
			x[i*cols+j] = s.bend(column[i])
		}
		l.inputs = append(l.inputs, s)
	}
	l.fit, said, err = learn.FitRidge(x, y, n, cols, Hours, min(lineFolds, n/8), linePenalties)
	return x, said, err
}

// row adds the inputs of day d to rows.
func (l *linear) row(p *Panel, d int, rows []float64) []float64 {
	cols := columns(len(p.Known))
	rows = append(rows, make([]float64, cols)...)
	row := rows[len(rows)-cols:]
	p.row(d, row)
	level := week(p, d).median
	for j := range Hours * len(priceLags) {
		row[j] -= level
	}
	for j, s := range l.inputs {
		row[j] = s.bend(row[j])
	}
	return rows
}
