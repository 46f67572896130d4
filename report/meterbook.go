package report

import (
	"sync"
	"time"

	"ballast/unit"
)

// MeterBook adds up the energy through meters by quarter, from their readings.
// A meter's own counter is believed before its power: it misses nothing between
// two readings. It is safe for concurrent use.
type MeterBook struct {
	mu   sync.Mutex
	last map[string]meterReading
	open map[meterKey]MeterCell
}

type meterReading struct {
	at      time.Time
	counter unit.Opt[unit.Energy]
	power   unit.Opt[unit.Power]
}

type meterKey struct {
	meter string
	at    int64
}

// Gaps between readings that are still bridged: a counter tells the energy of
// any, a power says little of more than a few minutes.
const (
	counterGap = 24 * time.Hour
	powerGap   = 2 * time.Minute
)

// most is the power that no feeder of a site exceeds: a counter that says more
// was exchanged or set anew.
const mostPower = 2e9 // W

// Add takes a reading in. Readings that go back in time are left out.
func (b *MeterBook) Add(meter string, at time.Time, counter unit.Opt[unit.Energy], power unit.Opt[unit.Power]) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.last == nil {
		b.last, b.open = map[string]meterReading{}, map[meterKey]MeterCell{}
	}
	now := meterReading{at, counter, power}
	before, known := b.last[meter]
	if known && !at.After(before.at) {
		return
	}
	b.last[meter] = now
	if !known {
		return
	}
	gap := at.Sub(before.at)
	if c, ok := counter.Get(); ok {
		if was, ok := before.counter.Get(); ok && c >= was && gap <= counterGap && float64(c-was) <= mostPower*gap.Seconds() {
			b.spread(meter, before.at, at, float64(c-was))
			return
		}
	}
	p, ok := power.Get()
	was, okWas := before.power.Get()
	if ok && okWas && gap <= powerGap {
		b.spread(meter, before.at, at, (float64(p)+float64(was))/2*gap.Seconds())
	}
}

// spread lays energy evenly over the quarters that a stretch touches.
func (b *MeterBook) spread(meter string, from, to time.Time, joules float64) {
	whole := to.Sub(from).Seconds()
	for at := from.Truncate(Quarter); at.Before(to); at = at.Add(Quarter) {
		start, end := at, at.Add(Quarter)
		if from.After(start) {
			start = from
		}
		if to.Before(end) {
			end = to
		}
		part := end.Sub(start)
		k := meterKey{meter, at.Unix()}
		c := b.open[k]
		c.Meter, c.At = meter, at.UTC()
		c.Energy += unit.Energy(joules * part.Seconds() / whole)
		c.Covered += part
		b.open[k] = c
	}
}

// Take hands out what was added up since the last time, to be added to what is
// stored. Put gives it back when it could not be.
func (b *MeterBook) Take() []MeterCell {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make([]MeterCell, 0, len(b.open))
	for _, c := range b.open {
		out = append(out, c)
	}
	b.open = map[meterKey]MeterCell{}
	return out
}

// Put takes back what Take handed out.
func (b *MeterBook) Put(cells []MeterCell) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range cells {
		k := meterKey{c.Meter, c.At.Unix()}
		o := b.open[k]
		c.Energy += o.Energy
		c.Covered += o.Covered
		b.open[k] = c
	}
}
