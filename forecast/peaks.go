package forecast

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// Load is a system's load in slots in a row, and what was forecast of it.
type Load struct {
	Start    time.Time
	Slot     time.Duration  // divides a day
	Zone     *time.Location // whose months and days count; nil is UTC
	Settled  []float64      // MW of each slot; NaN where missing
	Forecast []float64      // MW, as it was known the day before; as long as Settled and the slots to judge after it
}

// PeakHow says how peak chances are reckoned.
type PeakHow struct {
	Paths int // drawn; 0 is 4000
	Seed  uint64
}

// PeakChances is, for each slot that Forecast holds beyond Settled, the
// probability that the system's highest load of its calendar month falls into
// it: what a coincident-peak charge hangs on. For another period than the month
// the caller takes the months that the rule names.
//
// Paths are drawn: the forecast of each day times the relative errors that a past
// day's forecast had, slot by slot, as one block; the days of the month that no
// forecast reaches follow from the daily peaks before them (course). A slot's
// chance is the share of paths in which it is above everything settled and
// everything drawn of its month. Chances of a month add up to one at most; what is
// missing lies outside the slots judged.
//
// Settled may reach back as far as is known: from ten months on the season is
// taken from it. ErrTooShort is returned when fewer than seven days have load and
// forecast, or fewer than fourteen have a daily peak.
func PeakChances(l Load, how PeakHow) ([]float64, error) {
	if how.Paths == 0 {
		how.Paths = 4000
	}
	if l.Zone == nil {
		l.Zone = time.UTC
	}
	n := len(l.Settled)
	if l.Slot <= 0 || 24*time.Hour%l.Slot != 0 || how.Paths < 0 || len(l.Forecast) <= n {
		return nil, fmt.Errorf("%d settled slots of %v, %d forecast, %d paths: %w", n, l.Slot, len(l.Forecast), how.Paths, ErrFormat)
	}
	day := int(24 * time.Hour / l.Slot)
	for j, v := range l.Forecast[n:] {
		if math.IsNaN(v) || v <= 0 {
			return nil, fmt.Errorf("forecast of slot %d is %v MW: %w", j, v, ErrFormat)
		}
	}
	errors := l.blocks(day)
	peaks := l.peaks(day)
	if len(errors) < 7 || peaks.n < 14 {
		return nil, fmt.Errorf("%d days with load and forecast, %d daily peaks: %w", len(errors), peaks.n, ErrTooShort)
	}
	c := newCourse(peaks)
	if len(c.past) < 7 {
		return nil, fmt.Errorf("%d daily peaks that follow one another: %w", len(c.past), ErrTooShort)
	}
	days := l.judged(n, day)
	months := l.months(n, days)
	chance := make([]float64, len(l.Forecast)-n)
	rng := rand.New(rand.NewPCG(how.Seed, 0x7065616b))
	draw := make([]float64, len(chance))
	for range how.Paths {
		for from := 0; from < len(draw); from += day {
			e := errors[rng.IntN(len(errors))]
			for j := from; j < min(from+day, len(draw)); j++ {
				draw[j] = l.Forecast[n+j] * e[(n+j)%day]
			}
		}
		for _, m := range months {
			best, at := m.settled, -1
			for j := m.from; j < m.to; j++ {
				if draw[j] > best {
					best, at = draw[j], j
				}
			}
			if at < 0 {
				continue
			}
			if m.later > 0 {
				w := c.now
				for _, d := range days {
					w = c.follow(w, d.number, math.Log(max(d.settled, highest(draw[d.from:d.to]))))
				}
				if c.highest(w, m.later, rng) > math.Log(best) {
					continue
				}
			}
			chance[at] += 1 / float64(how.Paths)
		}
	}
	return chance, nil
}

// month is the part of a calendar month that is judged.
type month struct {
	settled  float64 // highest so far, MW
	from, to int     // slots to judge
	later    int     // days of it of which no forecast knows the most
}

// judgedDay is a calendar day of which settled and judged slots together hold
// enough to have its peak.
type judgedDay struct {
	number   int     // as dayNumber
	from, to int     // slots to judge
	settled  float64 // highest of those before them, MW
}

func (l *Load) at(i int) time.Time { return l.Start.Add(time.Duration(i) * l.Slot).In(l.Zone) }

// dayNumber counts calendar days, whatever the clock does.
func dayNumber(t time.Time) int {
	y, m, d := t.Date()
	return int(time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

// enough of a day's slots to take the highest of them for the day's peak.
func enough(slots, day int) bool { return 4*slots >= 3*day }

// judged are the days in a row that the slots to judge fill.
func (l *Load) judged(n, day int) (out []judgedDay) {
	for j := 0; j < len(l.Forecast)-n; {
		d := judgedDay{number: dayNumber(l.at(n + j)), from: j}
		known := 0
		for i := n + j - 1; i >= 0 && i < n && dayNumber(l.at(i)) == d.number; i-- {
			known++
			d.settled = max(d.settled, highest(l.Settled[i:i+1]))
		}
		for ; j < len(l.Forecast)-n && dayNumber(l.at(n+j)) == d.number; j++ {
		}
		d.to = j
		if !enough(known+d.to-d.from, day) {
			break
		}
		out = append(out, d)
	}
	return out
}

func (l *Load) months(n int, days []judgedDay) (out []month) {
	for j := 0; j < len(l.Forecast)-n; {
		first := l.at(n + j)
		next := time.Date(first.Year(), first.Month()+1, 1, 0, 0, 0, 0, l.Zone)
		m := month{from: j}
		for ; j < len(l.Forecast)-n && l.at(n+j).Before(next); j++ {
		}
		m.to = j
		// The first day that is not judged, of the month's.
		open := dayNumber(first)
		if len(days) > 0 {
			open = max(open, days[len(days)-1].number+1)
		}
		m.later = max(0, dayNumber(next)-open)
		begin := time.Date(first.Year(), first.Month(), 1, 0, 0, 0, 0, l.Zone)
		for i := n - 1; i >= 0 && !l.at(i).Before(begin); i-- {
			if v := l.Settled[i]; v > m.settled {
				m.settled = v
			}
		}
		out = append(out, m)
	}
	return out
}

// blocks are days of load over forecast, by slot of the day counted from Start.
func (l *Load) blocks(day int) (out [][]float64) {
	for from := 0; from+day <= len(l.Settled); from += day {
		b := make([]float64, day)
		whole := true
		for j := range b {
			b[j] = l.Settled[from+j] / l.Forecast[from+j]
			whole = whole && b[j] > 0.2 && b[j] < 5 // also false for NaN
		}
		if whole {
			out = append(out, b)
		}
	}
	return out
}

// dailyPeaks are the logarithms of the highest loads of calendar days in a row,
// NaN where too little of a day is known.
type dailyPeaks struct {
	first int // number of the first day
	log   []float64
	n     int // known
}

func (l *Load) peaks(day int) (out dailyPeaks) {
	for i := 0; i < len(l.Settled); {
		number, known, peak := dayNumber(l.at(i)), 0, 0.0
		for ; i < len(l.Settled) && dayNumber(l.at(i)) == number; i++ {
			if v := l.Settled[i]; v > 0 {
				known, peak = known+1, max(peak, v)
			}
		}
		if len(out.log) == 0 {
			out.first = number
		}
		if enough(known, day) {
			out.log, out.n = append(out.log, math.Log(peak)), out.n+1
		} else {
			out.log = append(out.log, math.NaN())
		}
	}
	return out
}

func highest(v []float64) float64 {
	best := 0.0
	for _, x := range v {
		if x > best { // NaN never is
			best = x
		}
	}
	return best
}
