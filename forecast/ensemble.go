package forecast

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"

	"ballast/learn"
)

// Ensemble forecasts the hours of a day with several models of different kinds
// and says how sure it is: LEAR over short and long windows and small networks,
// weighed by how they did on the days before; around their mean the errors of
// the days before, in proportion to what the present lets expect.
//
// It makes up for days that it was not asked for: the first answer needs the
// forecasts of History days, which takes a minute or two, later ones a second.
// What it has said of a past day it does not take back when a price of the past
// is corrected later: nobody could have known.
//
// One goroutine at a time may use it.
type Ensemble struct {
	Windows  []int                // of LEAR, in days; nil is 56, 84, 1092 and 1456
	Nets     *Nets                // nil is the networks of [DefaultNets]
	Softs    *Nets                // nil is the networks of [DefaultSofts]
	Fans     *Nets                // which say quantiles; nil is those of [DefaultFans]
	Groves   []Grove              // nil is the trees of [DefaultGroves]; none when empty
	Smooth   *Smooth              // nil is that of [DefaultSmooth]
	History  int                  // days from whose errors it learns; 0 is 182
	SpikeAt  float64              // price above which an hour is a spike; 0 is none
	Workers  int                  // goroutines; 0 is one
	Progress func(done, days int) // is told while it makes up for the past; may be nil

	cores map[string]*core
	watch func(past []outlook) // sees what each forecast is made from
	clock func() float64       // processor seconds, when they are counted
	used  Used
}

var _ Forecaster = (*Ensemble)(nil)

// Windows of LEAR as published.
var Windows = []int{56, 84, 1092, 1456}

// leastPast is how many days of the past a forecast needs at least: for the
// shortest window, and for some errors to learn from.
const leastPast = 56

// core is what is remembered for one set of known series.
type core struct {
	nets   *Nets
	softs  *Nets
	fans   *Nets
	trees  []Grove
	smooth *Smooth
	said   map[int]opinion // by calendar date
}

// Used are processor seconds.
type Used struct {
	Lear   float64 `json:"lear"`
	Nets   float64 `json:"nets"`
	Trees  float64 `json:"trees"`
	Kernel float64 `json:"kernel"`
	Cone   float64 `json:"cone"` // and all the rest
}

// models is what they all took, without what is made of them.
func (u Used) models() float64 { return u.Lear + u.Nets + u.Trees + u.Kernel }

// Sum is all of it.
func (u Used) Sum() float64 { return u.models() + u.Cone }

// opinion is what each model said of a day before it came.
type opinion struct {
	Lear   [][Hours]float64 `json:"lear"`   // each window
	Nets   [][Hours]float64 `json:"nets"`   // each network
	Softs  [][Hours]float64 `json:"softs"`  // each network whose prices are bent less
	Trees  [][Hours]float64 `json:"trees"`  // each grove
	Lined  [][Hours]float64 `json:"lined"`  // each grove on what a line leaves
	Kernel [][Hours]float64 `json:"kernel"` // one, or none
	Fan    [][Hours]float64 `json:"fan"`    // each of fanLevels
}

// Name and version.
func (e *Ensemble) Name() string { return "ensemble@3" }

// DefaultNets are the networks of the ensemble, as chosen on days before the test
// period of the open benchmark (docs/forecast.md).
func DefaultNets() *Nets {
	return &Nets{
		Members: 8, Hidden: []int{96, 96}, Window: 1456, Seed: 1, Renew: 56,
		Level: true,
		First: learn.Training{Epochs: 40, Batch: 64, Rate: 2e-3, Cool: true, Decay: 1},
		Daily: learn.Training{Epochs: 1, Batch: 64, Rate: 2e-4, Decay: 1},
	}
}

// DefaultSofts are networks whose prices are bent less, chosen likewise.
func DefaultSofts() *Nets {
	n := DefaultNets()
	n.Soft = 3
	return n
}

// DefaultSmooth is the kernel of the ensemble, chosen likewise.
func DefaultSmooth() *Smooth { return &Smooth{Window: 1456, Renew: 7} }

// DefaultFans are the networks that say quantiles, chosen likewise.
func DefaultFans() *Nets {
	n := DefaultNets()
	n.Members, n.Quantile = 4, fanLevels
	return n
}

// DefaultGroves are the trees of the ensemble, chosen likewise.
func DefaultGroves() []Grove {
	how := learn.Boosting{Rounds: 200, Depth: 6, Rate: 0.08, Bins: 64, LeafLeast: 20, Rows: 0.6, Columns: 0.5}
	return []Grove{
		{Window: 728, Renew: 14, How: how},
		{Window: 1456, Renew: 14, Shift: 7, How: how},
		{Window: 1456, Renew: 14, Shift: 3, How: how, Linear: true},
	}
}

// Forecast answers the distribution of day d. Known series that are missing at d,
// or that begin late, are left out; gaps in the past are filled with the week
// before; Notes says both.
func (e *Ensemble) Forecast(p *Panel, d int) (*Distribution, error) {
	view, notes, err := usable(p, d)
	if err != nil {
		return nil, err
	}
	c, err := e.core(view)
	if err != nil {
		return nil, err
	}
	history := e.History
	if history == 0 {
		history = 182
	}
	from := max(d-history, leastPast-14)
	if d-from < 14 {
		return nil, fmt.Errorf("day %d of %d, the least is %d: %w", d, p.Days(), leastPast, ErrTooShort)
	}
	past := make([]outlook, 0, d-from+1)
	for i := from; i <= d; i++ {
		o, ok := c.said[view.day(i)]
		if !ok {
			if o, err = e.ask(c, view, i); err != nil {
				return nil, err
			}
			c.said[view.day(i)] = o
			if e.Progress != nil && i < d {
				e.Progress(i-from+1, d-from)
			}
		}
		past = append(past, outlook{said: o, recent: week(view, i), weekend: view.weekend(i)})
		if i < d {
			past[i-from].came = view.Price[i]
		}
	}
	for day := range c.said {
		if e.clock == nil && day < view.day(from)-7 {
			delete(c.said, day)
		}
	}
	mix(past)
	if e.watch != nil {
		e.watch(past)
	}
	out := &Distribution{Series: p.Market, Issued: p.Date(d), Model: e.Name(), Start: p.Date(d), Slot: 3600e9, Levels: learn.Levels(99), Notes: notes}
	out.Values = cone(past, out.Levels)
	for _, q := range out.Values {
		out.Mean = append(out.Mean, q[len(q)/2])
	}
	if e.SpikeAt != 0 {
		out.SpikeAt = e.SpikeAt
		for s := range out.Values {
			out.Spike = append(out.Spike, out.above(s, e.SpikeAt))
		}
	}
	return out, out.Check()
}

// above is the probability that slot s is above a price, on the quantiles; beyond
// the outermost it is half of what is left there.
func (d *Distribution) above(s int, price float64) float64 {
	v := d.Values[s]
	n := len(v)
	switch {
	case price >= v[n-1]:
		return (1 - d.Levels[n-1]) / 2
	case price < v[0]:
		return 1 - d.Levels[0]/2
	}
	i := 1
	for v[i] <= price {
		i++
	}
	part := (price - v[i-1]) / (v[i] - v[i-1])
	return 1 - (d.Levels[i-1] + part*(d.Levels[i]-d.Levels[i-1]))
}

func (e *Ensemble) core(view *Panel) (*core, error) {
	return e.open(fmt.Sprintf("%q", view.Names))
}

func (e *Ensemble) open(key string) (*core, error) {
	if e.cores == nil {
		e.cores = make(map[string]*core)
	}
	c := e.cores[key]
	if c == nil {
		nets, err := e.fresh(e.Nets, DefaultNets)
		if err != nil {
			return nil, err
		}
		softs, err := e.fresh(e.Softs, DefaultSofts)
		if err != nil {
			return nil, err
		}
		fans, err := e.fresh(e.Fans, DefaultFans)
		if err != nil {
			return nil, err
		}
		fans.Quantile = fanLevels
		groves := slices.Clone(e.Groves)
		if e.Groves == nil {
			groves = DefaultGroves()
		}
		for i := range groves {
			groves[i].trees, groves[i].Workers = nil, max(e.Workers, 1)
			if groves[i].Renew < 1 || groves[i].Window < leastDays {
				return nil, fmt.Errorf("trees that live %d days and learn %d: %w", groves[i].Renew, groves[i].Window, ErrTooShort)
			}
		}
		smooth := DefaultSmooth()
		if e.Smooth != nil {
			smooth = &Smooth{Window: e.Smooth.Window, Renew: e.Smooth.Renew}
		}
		if smooth.Renew > 0 && smooth.Window < leastDays {
			return nil, fmt.Errorf("a kernel that learns %d days: %w", smooth.Window, ErrTooShort)
		}
		c = &core{nets: nets, softs: softs, fans: fans, trees: groves, smooth: smooth, said: make(map[int]opinion)}
		e.cores[key] = c
	}
	return c, nil
}

// fresh are networks that have learned nothing yet.
func (e *Ensemble) fresh(n *Nets, standard func() *Nets) (*Nets, error) {
	if n == nil {
		n = standard()
	}
	out := *n
	out.alive, out.Workers = nil, max(e.Workers, 1)
	if out.Members > 0 && (out.Renew < 1 || out.Window < leastDays) {
		return nil, fmt.Errorf("networks that live %d days and learn %d: %w", out.Renew, out.Window, ErrTooShort)
	}
	return &out, nil
}

// ask asks every model for day i.
func (e *Ensemble) ask(c *core, p *Panel, i int) (o opinion, err error) {
	windows := e.Windows
	if windows == nil {
		windows = Windows
	}
	last, before := 0, 0.0
	spent := func(on *float64) {
		if e.clock != nil {
			now := e.clock()
			*on, before = *on+now-before, now
		}
	}
	spent(new(float64))
	for _, w := range windows {
		if w = min(w, i); w == last {
			continue // the past is shorter than both
		}
		last = w
		f, err := LEAR{Window: w, Workers: e.Workers}.Forecast(p, i)
		if err != nil {
			return o, err
		}
		o.Lear = append(o.Lear, f)
	}
	spent(&e.used.Lear)
	if c.nets.Members > 0 && i >= 7+leastDays {
		if o.Nets, err = c.nets.Forecast(p, i); err != nil {
			return o, err
		}
	}
	if c.softs.Members > 0 && i >= 7+leastDays {
		if o.Softs, err = c.softs.Forecast(p, i); err != nil {
			return o, err
		}
	}
	if c.fans.Members > 0 && i >= 7+leastDays {
		each, err := c.fans.Forecast(p, i)
		if err != nil {
			return o, err
		}
		o.Fan = fanOf(each)
	}
	spent(&e.used.Nets)
	for g := range c.trees {
		if i < 8+leastDays {
			break
		}
		f, err := c.trees[g].Forecast(p, i)
		if err != nil {
			return o, err
		}
		if c.trees[g].Linear {
			o.Lined = append(o.Lined, f)
		} else {
			o.Trees = append(o.Trees, f)
		}
	}
	spent(&e.used.Trees)
	if c.smooth.Renew > 0 && i >= 8+leastDays {
		f, err := c.smooth.Forecast(p, i)
		if err != nil {
			return o, err
		}
		o.Kernel = append(o.Kernel, f)
	}
	spent(&e.used.Kernel)
	return o, nil
}

// usable is the panel without the known series that cannot be used for day d and
// with the gaps of the past filled.
func usable(p *Panel, d int) (*Panel, []string, error) {
	if d < leastPast || d > p.Days() {
		return nil, nil, fmt.Errorf("day %d of %d, the least is %d: %w", d, p.Days(), leastPast, ErrTooShort)
	}
	view := &Panel{Market: p.Market, First: p.First, Price: p.Price[:d]}
	var notes []string
	if n := gaps(view.Price); n > 0 {
		filled, ok := fill(view.Price)
		if !ok {
			return nil, nil, fmt.Errorf("%d of the past prices are missing, the first days among them: %w", n, ErrTooShort)
		}
		view.Price = filled
		notes = append(notes, fmt.Sprintf("%d past hours without a price were filled with the week before", n))
	}
	for k, series := range p.Known {
		name := fmt.Sprintf("series %d", k)
		if k < len(p.Names) {
			name = p.Names[k]
		}
		if len(series) <= d || gaps(series[d:d+1]) > 0 {
			notes = append(notes, fmt.Sprintf("%s is missing for the day: forecast without it", name))
			continue
		}
		n := gaps(series[:d])
		if n > 0 {
			filled, ok := fill(series[:d+1])
			if !ok || n > d*Hours/10 {
				notes = append(notes, fmt.Sprintf("%s misses %d past hours: forecast without it", name, n))
				continue
			}
			notes = append(notes, fmt.Sprintf("%s: %d past hours were filled with the week before", name, n))
			series = filled
		}
		view.Known, view.Names = append(view.Known, series), append(view.Names, name)
	}
	return view, notes, nil
}

func gaps(days [][Hours]float64) (n int) {
	for i := range days {
		for _, v := range days[i] {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				n++
			}
		}
	}
	return n
}

// fill puts in the place of each gap the same hour of the week before, or of the
// day before; false when there is neither.
func fill(days [][Hours]float64) ([][Hours]float64, bool) {
	out := slices.Clone(days)
	for i := range out {
		for h, v := range out[i] {
			if !math.IsNaN(v) && !math.IsInf(v, 0) {
				continue
			}
			switch {
			case i >= 7:
				out[i][h] = out[i-7][h]
			case i >= 1:
				out[i][h] = out[i-1][h]
			case h >= 1:
				out[i][h] = out[i][h-1]
			default:
				return nil, false
			}
		}
	}
	return out, true
}

// memory is what an ensemble writes of what it said.
type memory struct {
	Kind string                     `json:"kind"`
	Said map[string]map[int]opinion `json:"said"` // by known series, then by days since 1970
	Used Used                       `json:"used"`
}

// Save writes what was said of the days remembered, so that another process need
// not make up for them.
func (e *Ensemble) Save(w io.Writer) error {
	m := memory{Kind: "ballast " + e.Name(), Said: make(map[string]map[int]opinion), Used: e.used}
	for key, c := range e.cores {
		m.Said[key] = c.said
	}
	return json.NewEncoder(w).Encode(m)
}

// Load takes up what an ensemble of the same kind and settings has saved of the
// same series.
func (e *Ensemble) Load(r io.Reader) error {
	var m memory
	if err := json.NewDecoder(r).Decode(&m); err != nil {
		return fmt.Errorf("reading what was forecast: %w: %w", ErrFormat, err)
	}
	if m.Kind != "ballast "+e.Name() {
		return fmt.Errorf("reading what was forecast: kind %q: %w", m.Kind, ErrFormat)
	}
	for key, said := range m.Said {
		c, err := e.open(key)
		if err != nil {
			return err
		}
		for day, o := range said {
			if len(o.Lear) == 0 || len(o.Fan) != 0 && len(o.Fan) != len(fanLevels) {
				return fmt.Errorf("reading what was forecast: day %d has no forecast: %w", day, ErrFormat)
			}
			c.said[day] = o
		}
	}
	e.used = m.Used
	e.used.Cone = 0 // distributions are made anew
	return nil
}
