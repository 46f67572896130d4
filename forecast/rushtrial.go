package forecast

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"ballast/learn"
)

// RealtimeTrial is how the next slot's forecasts of a stretch of ticks did.
type RealtimeTrial struct {
	From, To    time.Time
	Slots       int     `json:"slots"`     // forecast and settled
	Learned     int     `json:"learned"`   // times it learned anew
	MAE         float64 `json:"mae"`       // of the median
	LastMAE     float64 `json:"last_mae"`  // of saying the last price
	Pinball     float64 `json:"pinball"`   // 99 levels
	NaivePin    float64 `json:"naive_pin"` // of quantiles of the last 91 days' moves at that hour, around the last price
	Cover90     float64 `json:"cover90"`
	NaiveCover  float64 `json:"naive_cover"`
	Spikes      int     `json:"spikes"`     // slots above the spike price
	Onsets      int     `json:"onsets"`     // of them those whose slot before was not
	Brier       float64 `json:"brier"`      // of the spike chances
	BaseBrier   float64 `json:"base_brier"` // of saying the share of spikes that came before the stretch
	Months      float64 `json:"months"`
	Alarms      []Alarm `json:"alarms"`      // by false alarms a month
	Persistence Alarm   `json:"persistence"` // of expecting a spike after a spike
}

// Alarm is how many spikes are seen coming at how many false alarms.
type Alarm struct {
	Chance float64 `json:"chance"` // at and above which there is an alarm
	False  float64 `json:"false"`  // alarms without a spike, slots a month
	Recall float64 `json:"recall"` // share of the spikes that had an alarm
	Onsets float64 `json:"onsets"` // share of the onsets that had one
}

// TryRealtime forecasts each slot of ticks[from:] from those before it, learning
// anew every so many slots from all that came before.
func TryRealtime(ctx context.Context, ticks []Tick, from int, how RealtimeHow, anew int, budgets []float64, told func(done, of int)) (*RealtimeTrial, error) {
	if from < 1 || from >= len(ticks) || anew < 1 {
		return nil, fmt.Errorf("from tick %d of %d, learning anew every %d: %w", from, len(ticks), anew, ErrTooShort)
	}
	r := &RealtimeTrial{From: ticks[from].At, To: ticks[len(ticks)-1].At.Add(how.Slot)}
	r.Months = r.To.Sub(r.From).Hours() / 24 / 30.4375
	base, seen := 0.0, 0.0
	for _, t := range ticks[:from] {
		if !math.IsNaN(t.Price) {
			seen++
			if t.Price > how.SpikeAt {
				base++
			}
		}
	}
	base /= math.Max(seen, 1)
	levels := learn.Levels(99)
	var m *Realtime
	var cases []spikeCase
	var err error
	moves := newMoves(how)
	for i := range from {
		moves.add(ticks, i)
	}
	perDay := int(24 * time.Hour / how.Slot)
	for i := from; i < len(ticks); i++ {
		if (i-from)%anew == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if m, err = LearnRealtime(ticks[:i], how); err != nil {
				return nil, err
			}
			r.Learned++
		}
		if told != nil && (i-from)%perDay == 0 {
			told(i-from, len(ticks)-from)
		}
		price, last := ticks[i].Price, ticks[i-1].Price
		if math.IsNaN(price) || math.IsNaN(last) || i <= perDay {
			moves.add(ticks, i)
			continue
		}
		d, err := m.Forecast(ticks[i-perDay-1:i+1], 1)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", ticks[i].At, err)
		}
		naive := Distribution{Levels: levels, Values: [][]float64{moves.around(last, ticks[i].At, levels)}, Mean: []float64{last}}
		a, b := d.Score(0, price), naive.Score(0, price)
		r.Slots++
		r.MAE, r.LastMAE = r.MAE+a.Error, r.LastMAE+b.Error
		r.Pinball, r.NaivePin = r.Pinball+a.Pinball, r.NaivePin+b.Pinball
		r.Cover90, r.NaiveCover = r.Cover90+share(a.In90), r.NaiveCover+share(b.In90)
		if d.Spike != nil {
			c := spikeCase{d.Spike[0], price > how.SpikeAt, last > how.SpikeAt}
			cases = append(cases, c)
			r.Brier += (c.chance - share(c.came)) * (c.chance - share(c.came))
			r.BaseBrier += (base - share(c.came)) * (base - share(c.came))
		}
		moves.add(ticks, i)
	}
	n := float64(r.Slots)
	for _, v := range []*float64{&r.MAE, &r.LastMAE, &r.Pinball, &r.NaivePin, &r.Cover90, &r.NaiveCover, &r.Brier, &r.BaseBrier} {
		*v /= n
	}
	r.alarms(cases, budgets)
	return r, nil
}

func share(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

type spikeCase struct {
	chance       float64
	came, before bool
}

func (r *RealtimeTrial) alarms(cases []spikeCase, budgets []float64) {
	for _, c := range cases {
		if c.came {
			r.Spikes++
			if !c.before {
				r.Onsets++
			}
		}
	}
	rate := func(hits, onsets, false_ int, chance float64) Alarm {
		return Alarm{chance, float64(false_) / r.Months, float64(hits) / math.Max(float64(r.Spikes), 1), float64(onsets) / math.Max(float64(r.Onsets), 1)}
	}
	hits, wrong := 0, 0
	for _, c := range cases {
		switch {
		case c.before && c.came:
			hits++
		case c.before:
			wrong++
		}
	}
	r.Persistence = rate(hits, 0, wrong, 0)
	slices.SortStableFunc(cases, func(a, b spikeCase) int { return cmp.Compare(b.chance, a.chance) })
	for _, budget := range budgets {
		var hits, onsets, wrong int
		var best Alarm
		for i := 0; i < len(cases); {
			j := i
			for ; j < len(cases) && cases[j].chance == cases[i].chance; j++ {
				switch {
				case cases[j].came && !cases[j].before:
					hits, onsets = hits+1, onsets+1
				case cases[j].came:
					hits++
				default:
					wrong++
				}
			}
			if float64(wrong)/r.Months > budget {
				break
			}
			best = rate(hits, onsets, wrong, cases[i].chance)
			i = j
		}
		r.Alarms = append(r.Alarms, best)
	}
}

// moves are the last 91 days' moves from slot to slot, by hour of the day.
type moves struct {
	how  RealtimeHow
	keep int
	by   [Hours][]float64
	day  int
	sort [Hours][]float64
}

func newMoves(how RealtimeHow) *moves {
	if how.Zone == nil {
		how.Zone = time.UTC
	}
	return &moves{how: how, keep: 91 * int(time.Hour/how.Slot), day: -1}
}

func (m *moves) add(ticks []Tick, i int) {
	if i == 0 || math.IsNaN(ticks[i].Price) || math.IsNaN(ticks[i-1].Price) {
		return
	}
	h := ticks[i].At.In(m.how.Zone).Hour()
	m.by[h] = append(m.by[h], ticks[i].Price-ticks[i-1].Price)
	if over := len(m.by[h]) - m.keep; over > 0 {
		m.by[h] = m.by[h][over:]
	}
}

func (m *moves) around(last float64, at time.Time, levels []float64) []float64 {
	local := at.In(m.how.Zone)
	if local.YearDay() != m.day {
		m.day, m.sort = local.YearDay(), [Hours][]float64{}
	}
	h := local.Hour()
	if m.sort[h] == nil {
		m.sort[h] = learn.Sorted(m.by[h])
	}
	out := make([]float64, len(levels))
	for j, l := range levels {
		out[j] = last + learn.Quantile(m.sort[h], l)
	}
	return out
}
