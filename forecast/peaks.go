package forecast

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
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
// forecast reaches move from the last days' peaks as the days after some past day
// did. A slot's chance is the share of paths in which it is above everything
// settled and everything drawn of its month. Chances of a month add up to one at
// most; what is missing lies outside the slots judged.
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
	if len(errors) < 7 || len(peaks) < 14 {
		return nil, fmt.Errorf("%d days with load and forecast, %d daily peaks: %w", len(errors), len(peaks), ErrTooShort)
	}
	// The highest that has settled in each month that slots to judge are in.
	months := l.months(n)
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
			if at < 0 || m.later > 0 && drift(peaks, max(highest(draw[max(0, m.to-day):m.to]), highest(l.Settled[min(n, max(0, n+m.to-day)):])), m.later, rng) > best {
				continue
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
	later    int     // days after them
}

func (l *Load) at(i int) time.Time { return l.Start.Add(time.Duration(i) * l.Slot).In(l.Zone) }

func (l *Load) months(n int) (out []month) {
	for j := 0; j < len(l.Forecast)-n; {
		first := l.at(n + j)
		next := time.Date(first.Year(), first.Month()+1, 1, 0, 0, 0, 0, l.Zone)
		m := month{from: j}
		for ; j < len(l.Forecast)-n && l.at(n+j).Before(next); j++ {
		}
		m.to = j
		m.later = int(math.Round(next.Sub(l.at(n+j)).Hours() / 24))
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

// peaks are the highest loads of whole days, counted back from the last slot.
func (l *Load) peaks(day int) (out []float64) {
	for to := len(l.Settled); to-day >= 0; to -= day {
		if p := highest(l.Settled[to-day : to]); p > 0 {
			out = append(out, p)
		}
	}
	slices.Reverse(out)
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

// drift draws the highest daily peak of the days after one with this peak: it
// moves as the peaks after a past day did.
func drift(peaks []float64, from float64, days int, rng *rand.Rand) float64 {
	best := 0.0
	for days > 0 {
		// Blocks of a week at most: whole past months are few.
		length := min(days, 7)
		s := rng.IntN(len(peaks) - length)
		for i := 1; i <= length; i++ {
			best = max(best, from*peaks[s+i]/peaks[s])
		}
		from *= peaks[s+length] / peaks[s]
		days -= length
	}
	return best
}
