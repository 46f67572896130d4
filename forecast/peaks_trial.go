package forecast

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// PeakTrial is how well the month's peaks of a past load were told, each day at
// midnight for the slots of the day that begins, from what was before it.
type PeakTrial struct {
	From, To time.Time    // the first month's begin, the last one's end
	Months   int          // each has one peak
	Days     int          // judged
	Slots    int          // judged
	MAPE     float64      // of the forecast of the days judged, as a share
	Methods  []PeakMethod // PeakChances first
	ByDay    []PeakBin    // PeakChances: chances that the day has the month's peak
	BySlot   []PeakBin    // PeakChances: chances of slots
}

// PeakMethod is one way to tell, measured.
type PeakMethod struct {
	Name        string
	Brier       float64 // mean squared error of the chances of slots
	BrierDay    float64 // of the chances of days
	WorstMonth  float64 // the highest mean squared error of days in one month
	Worst       time.Time
	Curtailment []Curtailment
}

// Curtailment is what switching off in the slots that score highest avoids.
type Curtailment struct {
	Hours   float64 // off a month, the mean: the threshold is read off the months judged
	Avoided float64 // months whose peak fell into slots off; a part where scores are equal
	Most    float64 // hours off in the month with the most
}

// PeakBin is a class of chances said: how often what they were said of came.
type PeakBin struct {
	From, To float64 // chance
	N        int     // days or slots
	Months   int     // in which they lie
	Said     float64 // mean
	Came     int     // peaks
}

// Edges of the classes of chances.
var (
	peakDayBins  = []float64{0, 0.01, 0.03, 0.1, 0.2, 0.4, 1}
	peakSlotBins = []float64{0, 0.001, 0.01, 0.03, 0.1, 0.3, 1}
)

// slotCall is what a method says of a slot.
type slotCall struct{ chance, score float64 }

// TryPeaks judges whole calendar months of l, whose Forecast is as long as its
// Settled, from the month of first on. hours are the curtailments a month to
// measure. Beside PeakChances stand a climatology (chances by the hour of the day,
// as past months had their peaks) and the plain rule (a peak is expected at the
// day's highest forecast when that is above all of the month so far, and comes as
// often as it came after such days of past months). ErrTooShort is returned when no
// month is whole.
func TryPeaks(ctx context.Context, l Load, first time.Time, how PeakHow, hours []float64, told func(done, of int)) (*PeakTrial, error) {
	if len(l.Forecast) != len(l.Settled) || l.Slot <= 0 || 24*time.Hour%l.Slot != 0 {
		return nil, fmt.Errorf("%d settled slots of %v, %d forecast: %w", len(l.Settled), l.Slot, len(l.Forecast), ErrFormat)
	}
	if l.Zone == nil {
		l.Zone = time.UTC
	}
	past, months := l.calendar(first.In(l.Zone))
	if len(months) == 0 {
		return nil, fmt.Errorf("no whole month from %s on: %w", first.In(l.Zone).Format("2006-01"), ErrTooShort)
	}
	t := &PeakTrial{From: l.at(months[0].from), To: l.at(months[len(months)-1].to), Months: len(months)}
	for i := range months {
		t.Days += len(months[i].days)
	}
	model, plain := &peakScore{l: &l, name: "Ballast"}, &peakScore{l: &l, name: "forecast above the month so far"}
	typical := &peakScore{l: &l, name: "climatology by hour"}
	away, off := 0.0, 0
	for i := range months {
		m := &months[i]
		rule, byHour := l.ruleOf(past), l.hoursOf(past)
		for _, d := range m.days {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			now := l
			now.Settled, now.Forecast = l.Settled[:d.from], l.Forecast[:d.to]
			chance, err := PeakChances(now, how)
			if err != nil {
				return nil, fmt.Errorf("judging %s: %w", l.at(d.from).Format(time.DateOnly), err)
			}
			said := make([]slotCall, len(chance))
			for j, c := range chance {
				said[j] = slotCall{c, c}
			}
			model.day(i, m, d, said)
			plain.day(i, m, d, l.ruleSays(m, d, rule))
			for j := range said {
				share := byHour[l.at(d.from+j).Hour()]
				said[j] = slotCall{share / float64(len(m.days)), share}
			}
			typical.day(i, m, d, said)
			for j := d.from; j < d.to; j++ {
				if e := l.Forecast[j]/l.Settled[j] - 1; e == e {
					away, off = away+math.Abs(e), off+1
				}
			}
			told(len(model.days), t.Days)
		}
		past = append(past, *m)
	}
	t.Slots, t.MAPE = len(model.slots), away/float64(max(1, off))
	for _, s := range []*peakScore{model, typical, plain} {
		t.Methods = append(t.Methods, s.measure(months, hours))
	}
	t.ByDay, t.BySlot = bins(model.days, peakDayBins), bins(model.slots, peakSlotBins)
	return t, nil
}

// pastMonth is a calendar month of a load that is known.
type pastMonth struct {
	from, to int // slots
	days     []span
	peak     int // slot
}

type span struct{ from, to int }

// calendar cuts a load into whole calendar months: those before first, and those
// to judge. A month is whole when nineteen of twenty of its slots are known.
func (l *Load) calendar(first time.Time) (past, judged []pastMonth) {
	begin := time.Date(first.Year(), first.Month(), 1, 0, 0, 0, 0, l.Zone)
	for i := 0; i < len(l.Settled); {
		at := l.at(i)
		next := time.Date(at.Year(), at.Month()+1, 1, 0, 0, 0, 0, l.Zone)
		m := pastMonth{from: i, peak: -1}
		known := 0
		for ; i < len(l.Settled) && l.at(i).Before(next); i++ {
			if n := len(m.days); n == 0 || dayNumber(l.at(i)) != dayNumber(l.at(i-1)) {
				m.days = append(m.days, span{from: i})
			}
			m.days[len(m.days)-1].to = i + 1
			if v := l.Settled[i]; v > 0 {
				known++
				if m.peak < 0 || v > l.Settled[m.peak] {
					m.peak = i
				}
			}
		}
		m.to = i
		whole := next.Sub(time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, l.Zone)) / l.Slot
		switch {
		case 20*known < 19*int(whole):
		case l.at(m.from).Before(begin):
			past = append(past, m)
		default:
			judged = append(judged, m)
		}
	}
	return past, judged
}

// hoursOf is the share of months that had their peak in each hour of the day; of
// no months the same for every hour.
func (l *Load) hoursOf(past []pastMonth) (out [Hours]float64) {
	perHour := max(1, float64(time.Hour/l.Slot))
	for h := range out {
		out[h] = 1 / Hours / perHour
	}
	if len(past) > 0 {
		out = [Hours]float64{}
		for _, m := range past {
			out[l.at(m.peak).Hour()] += 1 / float64(len(past)) / perHour
		}
	}
	return out
}

// ruleOf is how often the plain rule was right in past months when it spoke; at
// first once in ten times.
func (l *Load) ruleOf(past []pastMonth) float64 {
	spoke, right := 10.0, 1.0
	for i := range past {
		for _, d := range past[i].days {
			if at, above := l.expected(&past[i], d); above {
				spoke++
				if at == past[i].peak {
					right++
				}
			}
		}
	}
	return right / spoke
}

// expected is the slot of a day's highest forecast, and whether that is above all
// of the month before the day.
func (l *Load) expected(m *pastMonth, d span) (at int, above bool) {
	at = d.from
	for j := d.from; j < d.to; j++ {
		if l.Forecast[j] > l.Forecast[at] {
			at = j
		}
	}
	return at, l.Forecast[at] > highest(l.Settled[m.from:d.from])
}

// ruleSays scores the slots of a day by their forecast over the highest of the
// month so far, the day's forecast included.
func (l *Load) ruleSays(m *pastMonth, d span, right float64) []slotCall {
	at, above := l.expected(m, d)
	top := max(l.Forecast[at], highest(l.Settled[m.from:d.from]))
	out := make([]slotCall, d.to-d.from)
	for j := range out {
		out[j].score = l.Forecast[d.from+j] / top
		if above && d.from+j == at {
			out[j].chance = right
		}
	}
	return out
}

// peakScore gathers what one method said.
type peakScore struct {
	l     *Load
	name  string
	slots []peakSaid
	days  []peakSaid
}

type peakSaid struct {
	month int
	slotCall
	came bool
}

func (s *peakScore) day(month int, m *pastMonth, d span, said []slotCall) {
	sum := 0.0
	for j, c := range said {
		sum += c.chance
		s.slots = append(s.slots, peakSaid{month, c, d.from+j == m.peak})
	}
	s.days = append(s.days, peakSaid{month, slotCall{chance: sum}, m.peak >= d.from && m.peak < d.to})
}

func (s *peakScore) measure(months []pastMonth, hours []float64) PeakMethod {
	out := PeakMethod{Name: s.name}
	out.Brier = squared(s.slots)
	out.BrierDay = squared(s.days)
	for i := range months {
		of := slices.Collect(func(yield func(peakSaid) bool) {
			for _, d := range s.days {
				if d.month == i && !yield(d) {
					return
				}
			}
		})
		if b := squared(of); b > out.WorstMonth {
			out.WorstMonth, out.Worst = b, s.l.at(months[i].from)
		}
	}
	for _, h := range hours {
		out.Curtailment = append(out.Curtailment, s.curtail(h, len(months)))
	}
	return out
}

func squared(said []peakSaid) float64 {
	sum := 0.0
	for _, s := range said {
		e := s.chance
		if s.came {
			e--
		}
		sum += e * e
	}
	return sum / float64(max(1, len(said)))
}

// curtail switches off in the slots that score highest, so many hours a month in
// the mean; of slots that score the same, each in part.
func (s *peakScore) curtail(hours float64, months int) Curtailment {
	left := hours * float64(months) * float64(time.Hour) / float64(s.l.Slot)
	order := slices.Clone(s.slots)
	slices.SortStableFunc(order, func(a, b peakSaid) int { return cmp.Compare(b.score, a.score) })
	out := Curtailment{Hours: hours}
	off := make([]float64, months)
	for i := 0; i < len(order) && left > 0; {
		n := i
		for n < len(order) && order[n].score == order[i].score {
			n++
		}
		share := min(1, left/float64(n-i))
		left -= float64(n - i)
		for ; i < n; i++ {
			off[order[i].month] += share * s.l.Slot.Hours()
			if order[i].came {
				out.Avoided += share
			}
		}
	}
	out.Most = slices.Max(off)
	return out
}

func bins(said []peakSaid, edges []float64) (out []PeakBin) {
	for k := 0; k+1 < len(edges); k++ {
		b := PeakBin{From: edges[k], To: edges[k+1]}
		in := map[int]bool{}
		for _, s := range said {
			if s.chance < b.From || s.chance >= b.To && k+2 < len(edges) {
				continue
			}
			b.N, b.Said = b.N+1, b.Said+s.chance
			in[s.month] = true
			if s.came {
				b.Came++
			}
		}
		if b.N > 0 {
			b.Said /= float64(b.N)
		}
		b.Months = len(in)
		out = append(out, b)
	}
	return out
}

// ErrorsDrawn is a stand-in for a load's forecast where none is kept: the load
// over one plus an error, which is one of the whole day (standard deviation day,
// a share) and one of the slot that follows the slot's before (standard deviation
// slot, 0.8 of it carried on each hour).
func ErrorsDrawn(load []float64, each time.Duration, day, slot float64, seed uint64) []float64 {
	rng := rand.New(rand.NewPCG(seed, 0x6c6f6164))
	keep := math.Pow(0.8, each.Hours())
	out := make([]float64, len(load))
	of, at := 0.0, 0.0
	perDay := max(1, int(24*time.Hour/each))
	for i, v := range load {
		if i%perDay == 0 {
			of = day * rng.NormFloat64()
		}
		at = keep*at + math.Sqrt(1-keep*keep)*slot*rng.NormFloat64()
		out[i] = v / max(0.5, 1+of+at)
	}
	return out
}

// DayBefore is the crudest forecast of a load: the same slot a day before; NaN in
// the first day.
func DayBefore(load []float64, each time.Duration) []float64 {
	perDay := max(1, int(24*time.Hour/each))
	out := make([]float64, len(load))
	for i := range out {
		out[i] = math.NaN()
		if i >= perDay {
			out[i] = load[i-perDay]
		}
	}
	return out
}
