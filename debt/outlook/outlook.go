// Package outlook says how likely it is that the network shrinks: a retarget at
// or under a threshold, a fall of difficulty from its peak. It is calibrated on
// the chain's own history.
//
// This is not the chance that a miner defaults. Through the defaults of winter
// 2022 difficulty fell by 8 % and stood at a new high a month later: machines
// changed owners and kept hashing. What moves the network is hashprice, and
// debt does not enter here.
package outlook

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sort"
	"time"

	"ballast/market"
	"ballast/unit"
)

// ErrNoData reports a history too short to learn from.
var ErrNoData = errors.New("not enough history")

// Moment is one epoch: what was known when it began, and how it ended.
type Moment struct {
	Epoch int
	Start time.Time
	// Change is hashprice's relative change over the 30 days before, at the new
	// difficulty and the last daily close before the start.
	Change float64
	// Next is the relative change of difficulty at the epoch's end; missing
	// while it runs.
	Next unit.Opt[float64]
}

// Window is the days that hashprice's change is measured over.
const Window = 30

// Moments joins history and daily prices. Epochs without prices on both ends
// are left out. Nothing that was not known at the start is used: a day's close
// counts from the following midnight UTC on.
func Moments(h market.History, prices []market.DayPrice) []Moment {
	closed := func(t time.Time) (float64, bool) {
		// The last close before t, at most three days old.
		i := sort.Search(len(prices), func(i int) bool { return prices[i].Day.Add(24 * time.Hour).After(t) }) - 1
		if i < 0 || t.Sub(prices[i].Day) > 4*24*time.Hour {
			return 0, false
		}
		return prices[i].Price.Float(), true
	}
	// Hashprice up to a factor that cancels, subsidy only.
	pays := func(t time.Time) (float64, bool) {
		p, ok := closed(t)
		e, ok2 := h.At(t)
		height, ok3 := h.HeightAt(t)
		if !ok || !ok2 || !ok3 {
			return 0, false
		}
		return p * float64(market.Subsidy(int64(height))) / e.Target.Diff(), true
	}
	var out []Moment
	for _, e := range h {
		if e.Start.IsZero() {
			continue
		}
		now, ok := pays(e.Start.Add(time.Second))
		then, ok2 := pays(e.Start.AddDate(0, 0, -Window))
		if !ok || !ok2 || !(then > 0) {
			continue
		}
		m := Moment{Epoch: e.Number, Start: e.Start, Change: now/then - 1}
		if c, ok := h.Change(e.Number + 1); ok {
			m.Next = unit.Some(c)
		}
		out = append(out, m)
	}
	return out
}

// Model is the chance that the next retarget is at or under a threshold, as a
// logistic curve over the logarithm of hashprice's change.
type Model struct {
	Threshold float64   `json:"threshold"` // -0.05
	A         float64   `json:"a"`
	B         float64   `json:"b"`    // ln(p/(1-p)) = A + B ln(1+change)
	Base      float64   `json:"base"` // share of events in what it learned from
	N         int       `json:"n"`
	Events    int       `json:"events"`
	From      time.Time `json:"from"`
	Till      time.Time `json:"till"` // of the epochs it learned from
}

// Ridge keeps the slope finite with few events. It is the prior of a slope of
// standard deviation 3 and was not tuned.
const ridge = 0.1

// Learn fits the curve to moments whose end is known.
func Learn(ms []Moment, threshold float64) (Model, error) {
	m := Model{Threshold: threshold}
	var xs, ys []float64
	for _, k := range ms {
		next, ok := k.Next.Get()
		if !ok || !(k.Change > -1) {
			continue
		}
		y := 0.0
		if next <= threshold {
			y = 1
			m.Events++
		}
		if m.N == 0 {
			m.From = k.Start
		}
		m.Till = k.Start
		m.N++
		xs, ys = append(xs, math.Log1p(k.Change)), append(ys, y)
	}
	if m.N < 26 || m.Events == 0 || m.Events == m.N {
		return m, fmt.Errorf("%d epochs, %d at or under %+.0f %%: %w", m.N, m.Events, threshold*100, ErrNoData)
	}
	m.Base = float64(m.Events) / float64(m.N)
	m.A = math.Log(m.Base / (1 - m.Base))
	for range 60 {
		var ga, gb, haa, hab, hbb float64
		for i, x := range xs {
			p := m.at(x)
			e, v := p-ys[i], p*(1-p)
			ga, gb = ga+e, gb+e*x
			haa, hab, hbb = haa+v, hab+v*x, hbb+v*x*x
		}
		gb, hbb = gb+ridge*m.B, hbb+ridge
		det := haa*hbb - hab*hab
		if det <= 0 {
			break
		}
		da, db := (hbb*ga-hab*gb)/det, (haa*gb-hab*ga)/det
		m.A, m.B = m.A-da, m.B-db
		if math.Abs(da)+math.Abs(db) < 1e-12 {
			break
		}
	}
	return m, nil
}

func (m Model) at(x float64) float64 { return 1 / (1 + math.Exp(-m.A-m.B*x)) }

// Chance is the probability for hashprice's change over the last 30 days.
func (m Model) Chance(change float64) float64 {
	if !(change > -1) {
		return math.NaN()
	}
	return m.at(math.Log1p(change))
}

// Edges part hashprice's change into the four bins that calibration is told by.
var Edges = [3]float64{-0.29, -0.16, 0.09}

// Bin is calibration over one range of hashprice's change.
type Bin struct {
	From   unit.Opt[float64] `json:"from"`
	To     unit.Opt[float64] `json:"to"` // change; missing where the bin is open
	N      int               `json:"n"`
	Events int               `json:"events"`
	Said   float64           `json:"said"` // mean probability
	Was    float64           `json:"was"`  // share of events
	// Error is the standard error of Was if what was said is right: with few
	// epochs it is larger than any tolerance one may wish for.
	Error float64 `json:"error"`
}

// Off is said less was.
func (b Bin) Off() float64 { return b.Said - b.Was }

// Score is how forecasts did that were made without knowing the outcome.
type Score struct {
	How       string  `json:"how"`
	N         int     `json:"n"`
	Events    int     `json:"events"`
	Bins      [4]Bin  `json:"bins"`
	Brier     float64 `json:"brier"`
	BaseBrier float64 `json:"base_brier"` // of always saying the base rate that was known at the time
	Worst     float64 `json:"worst"`      // largest |Off| of a bin
	// Attainable is the chance that forecasts which are exactly right would be
	// within three points in all four bins, with as many epochs and the same
	// probabilities: how much passing or missing that line can mean.
	Attainable float64 `json:"attainable"`
	// Z is Spiegelhalter's statistic (1986): what was said against what was, in
	// standard deviations of what chance would do to forecasts that are right.
	// Beyond 2 to either side they are not.
	Z float64 `json:"z"`
}

// Within is how near each bin is wished to be.
const Within = 0.03

// Skill is 1 - Brier/BaseBrier: positive is better than the base rate.
func (s Score) Skill() float64 { return 1 - s.Brier/s.BaseBrier }

type forecast struct {
	m       Moment
	p, base float64
}

func score(how string, fs []forecast, threshold float64) Score {
	s := Score{How: how, N: len(fs)}
	for i := range s.Bins {
		if i > 0 {
			s.Bins[i].From = unit.Some(Edges[i-1])
		}
		if i < len(Edges) {
			s.Bins[i].To = unit.Some(Edges[i])
		}
	}
	var variance [4]float64
	for _, f := range fs {
		y := 0.0
		if next, _ := f.m.Next.Get(); next <= threshold {
			y = 1
			s.Events++
		}
		i := sort.SearchFloat64s(Edges[:], f.m.Change)
		b := &s.Bins[i]
		b.N++
		b.Events += int(y)
		b.Said += f.p
		variance[i] += f.p * (1 - f.p)
		s.Brier += (f.p - y) * (f.p - y)
		s.BaseBrier += (f.base - y) * (f.base - y)
	}
	for i := range s.Bins {
		if b := &s.Bins[i]; b.N > 0 {
			n := float64(b.N)
			b.Said, b.Was, b.Error = b.Said/n, float64(b.Events)/n, math.Sqrt(variance[i])/n
			s.Worst = max(s.Worst, math.Abs(b.Off()))
		}
	}
	s.Attainable, s.Z = attainable(fs), spiegelhalter(fs, threshold)
	if s.N > 0 {
		s.Brier, s.BaseBrier = s.Brier/float64(s.N), s.BaseBrier/float64(s.N)
	}
	return s
}

// attainable plays outcomes that fall out as they were forecast.
func attainable(fs []forecast) float64 {
	const plays = 4000
	rng := rand.New(rand.NewPCG(uint64(len(fs)), 1))
	var n [4]float64
	for _, f := range fs {
		n[sort.SearchFloat64s(Edges[:], f.m.Change)]++
	}
	pass := 0
	for range plays {
		var off [4]float64
		for _, f := range fs {
			d := f.p
			if rng.Float64() < f.p {
				d--
			}
			off[sort.SearchFloat64s(Edges[:], f.m.Change)] += d
		}
		ok := true
		for i := range off {
			ok = ok && math.Abs(off[i]) <= Within*n[i]
		}
		if ok {
			pass++
		}
	}
	return float64(pass) / plays
}

func spiegelhalter(fs []forecast, threshold float64) float64 {
	var sum, variance float64
	for _, f := range fs {
		y := 0.0
		if next, _ := f.m.Next.Get(); next <= threshold {
			y = 1
		}
		sum += (y - f.p) * (1 - 2*f.p)
		variance += (1 - 2*f.p) * (1 - 2*f.p) * f.p * (1 - f.p)
	}
	if variance <= 0 {
		return 0
	}
	return sum / math.Sqrt(variance)
}

// Forward forecasts each epoch from first on, having learned only from epochs
// that were over when it began: what would have been said at the time.
func Forward(ms []Moment, threshold float64, first time.Time) (Score, error) {
	var fs []forecast
	for i, m := range ms {
		if m.Start.Before(first) || !m.Next.Ok() {
			continue
		}
		model, err := Learn(ms[:i], threshold)
		if err != nil {
			return Score{}, err
		}
		fs = append(fs, forecast{m, model.Chance(m.Change), model.Base})
	}
	if len(fs) == 0 {
		return Score{}, ErrNoData
	}
	return score("forward: each epoch from what was over before it, from "+first.Format(time.DateOnly), fs, threshold), nil
}

// YearOut forecasts the epochs of each year having learned from all other
// years. Later years may teach about earlier ones, so this is not what would
// have been said at the time; it asks whether the shape holds.
func YearOut(ms []Moment, threshold float64, first time.Time) (Score, error) {
	var fs []forecast
	years := map[int]Model{}
	for _, m := range ms {
		if m.Start.Before(first) || !m.Next.Ok() {
			continue
		}
		y := m.Start.Year()
		model, ok := years[y]
		if !ok {
			var rest []Moment
			for _, k := range ms {
				if k.Start.Year() != y && !k.Start.Before(first) {
					rest = append(rest, k)
				}
			}
			var err error
			if model, err = Learn(rest, threshold); err != nil {
				return Score{}, err
			}
			years[y] = model
		}
		fs = append(fs, forecast{m, model.Chance(m.Change), model.Base})
	}
	if len(fs) == 0 {
		return Score{}, ErrNoData
	}
	return score("year out: each year from all other years, from "+first.Format(time.DateOnly), fs, threshold), nil
}

// Fall is a fall of difficulty from a peak to the lowest point before that peak
// is passed again.
type Fall struct {
	Peak   time.Time `json:"peak"`
	Trough time.Time `json:"trough"`
	Depth  float64   `json:"depth"` // -0.454
}

// Falls are all falls of at least depth (a positive share) since a time, in
// order. The last may still be running.
func Falls(h market.History, since time.Time, depth float64) []Fall {
	var out []Fall
	var peak, low market.Epoch
	end := func() {
		if peak.Number > 0 && low.Number > peak.Number {
			if d := low.Target.Diff()/peak.Target.Diff() - 1; d <= -depth {
				out = append(out, Fall{peak.Start, low.Start, d})
			}
		}
	}
	for _, e := range h {
		if e.Start.IsZero() || e.Start.Before(since) {
			continue
		}
		switch d := e.Target.Diff(); {
		case peak.Number == 0 || d >= peak.Target.Diff():
			end()
			peak, low = e, e
		case d < low.Target.Diff():
			low = e
		}
	}
	end()
	return out
}

// BaseRates is the share of retargets at or under each threshold since a time.
func BaseRates(h market.History, since time.Time, thresholds ...float64) (n int, share []float64) {
	share = make([]float64, len(thresholds))
	for i := range h {
		c, ok := h.Change(h[i].Number)
		if !ok || h[i].Start.IsZero() || h[i].Start.Before(since) {
			continue
		}
		n++
		for k, t := range thresholds {
			if c <= t {
				share[k]++
			}
		}
	}
	for k := range share {
		if n > 0 {
			share[k] /= float64(n)
		}
	}
	return n, share
}
