package tariff

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"ballast/unit"
)

// ErrNotInForce reports a time that no version of the contract covers.
var ErrNotInForce = errors.New("the contract is not in force")

// State is what a statement needs beside the month's meter and prices.
type State struct {
	Awards      []Award      // two-settlement: day-ahead positions, zero awards included
	Demands     []PastDemand // ratchets: Statement.Demands of months before
	Peaks       []PeakDemand // coincident: the site's power at the system's peaks
	Corrections []Line       // of months before, from Correct
	Detail      bool         // also give every interval of every energy line
	Until       time.Time    // of a running month: up to where it is metered; zero when it is over
}

// Award is a position bought in the day-ahead market. An interval without one
// is not the same as an award of zero.
type Award struct {
	Start  time.Time
	Length time.Duration
	Power  unit.Power
}

// PastDemand is the measured demand of a month, before ratchet and minimum.
type PastDemand struct {
	Part   string     `json:"part"`
	Month  Month      `json:"month"`
	Demand unit.Power `json:"demand_w"`
	At     time.Time  `json:"at"`
	Status Status     `json:"status"`
}

// PeakDemand is the site's average power in an interval that was a coincident
// peak of the system.
type PeakDemand struct {
	Set    string     `json:"set"`
	Start  time.Time  `json:"start"`
	Demand unit.Power `json:"demand_w"`
	Status Status     `json:"status"`
	Source string     `json:"source,omitempty"`
}

// Statement is what a month costs, line by line. Every line's Amount is its
// Unrounded amount rounded once, and Total is the sum of the lines' amounts.
type Statement struct {
	Contract string        `json:"contract"`
	Month    Month         `json:"month"`
	From     time.Time     `json:"from"`
	To       time.Time     `json:"to"`
	Hours    Exact         `json:"hours"` // of the month: 743 or 745 where the clock changes
	Currency unit.Currency `json:"currency"`
	Rounding Rounding      `json:"rounding"`
	Lines    []Line        `json:"lines"`
	Total    unit.Money    `json:"total"`
	Metered  Exact         `json:"metered_mwh"`
	Status   Status        `json:"status"`
	// Estimated says how many meter intervals are estimates, and by what rule.
	Estimated []string     `json:"estimated,omitempty"`
	Problems  []string     `json:"problems,omitempty"`
	Demands   []PastDemand `json:"demands,omitempty"` // keep them for the ratchets of later months
	Detail    []Detail     `json:"detail,omitempty"`
}

// Line is one line of a statement: Quantity x Rate x Factor, rounded.
type Line struct {
	Part      string     `json:"part"`
	Kind      Kind       `json:"kind"`
	What      string     `json:"what"` // "summer peak"; empty when the part says it all
	From      time.Time  `json:"from"`
	To        time.Time  `json:"to"`
	Quantity  Exact      `json:"quantity"`
	Unit      string     `json:"unit"` // of Quantity: "MWh", "kW", "month", "days" or the currency
	Rate      Exact      `json:"rate"` // currency per Unit
	Averaged  bool       `json:"averaged,omitempty"`
	Factor    Exact      `json:"factor,omitzero"` // the part of the month, when it is not the whole
	Unrounded Exact      `json:"unrounded"`
	Amount    unit.Money `json:"amount"`
	Source    string     `json:"source"` // of the price, with the intervals that each gave
	Status    Status     `json:"status"`
	Intervals int        `json:"intervals,omitempty"`
	Estimates int        `json:"estimated_intervals,omitempty"` // whose energy or price is an estimate
	Unpriced  Exact      `json:"unpriced_mwh,omitzero"`         // energy that has no price at all: not in Amount
	Note      string     `json:"note,omitempty"`
	Corrects  *Month     `json:"corrects,omitempty"` // on a correction: the month
}

// Correction is the kind of a line that corrects an earlier statement.
const Correction Kind = "correction"

// Detail is one interval of an energy line.
type Detail struct {
	Part     string    `json:"part"`
	What     string    `json:"what,omitempty"`
	Start    time.Time `json:"start"`
	Quantity Exact     `json:"quantity_mwh"`
	Rate     Exact     `json:"rate"`
	Amount   Exact     `json:"amount"`
	Source   string    `json:"source"`
	Status   Status    `json:"status"`
}

// Statement settles a month. What is missing degrades by the contract's rules
// and is marked; the error is for a contract that says nothing of the month.
// The meter may also hold intervals before the month, which estimates use.
func (c *Contract) Statement(month Month, meter []Interval, prices Prices, state State) (*Statement, error) {
	from, to := month.Span(c.loc)
	s := &Statement{Contract: c.Name, Month: month, From: from, To: to, Currency: c.Currency, Rounding: c.Rounding,
		Hours: exactOf(big.NewRat(int64(to.Sub(from)/time.Second), 3600))}
	w, err := c.settle(from, to, meter, prices, &state)
	if err != nil {
		return nil, err
	}
	if w.known.IsZero() {
		return nil, fmt.Errorf("%s in %s: %w", c.Name, month, ErrNotInForce)
	}
	s.Lines, s.Detail, s.Demands, s.Problems = w.lines, w.detail, w.demands, w.use.problems
	for i := range s.Demands {
		s.Demands[i].Month = month
	}
	for _, rule := range sorted(w.use.estimates) {
		s.Estimated = append(s.Estimated, fmt.Sprintf("%d meter intervals by %s", w.use.estimates[rule], rule))
	}
	var joules int64
	for i := range w.use.slots {
		joules += w.use.slots[i].joules
	}
	s.Metered = exactOf(big.NewRat(joules, 3_600_000_000))
	for _, l := range state.Corrections {
		if l.Kind != Correction || l.Amount.Currency != c.Currency {
			return nil, fmt.Errorf("a correction of %s is no correction in %s: %w", l.Part, c.Currency, unit.ErrCurrency)
		}
		s.Lines = append(s.Lines, l)
	}
	s.Total = unit.Money{Currency: c.Currency}
	s.Status = w.use.quality
	for i := range s.Lines {
		if s.Total, err = s.Total.Add(s.Lines[i].Amount); err != nil {
			return nil, fmt.Errorf("summing the lines: %w", err)
		}
		if s.Lines[i].Kind != Correction {
			s.Status = max(s.Status, s.Lines[i].Status)
		}
	}
	return s, nil
}

// EnergyLines settles the energy parts of any span that begins and ends with an
// interval. The lines of two adjacent spans have the quantities and unrounded
// amounts of the whole.
func (c *Contract) EnergyLines(from, to time.Time, meter []Interval, prices Prices, state State) ([]Line, error) {
	w, err := c.settle(from, to, meter, prices, &state)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(w.lines, func(l Line) bool { return !l.Kind.energy() }), nil
}

// work is one settlement under way.
type work struct {
	c       *Contract
	prices  Prices
	state   *State
	use     usage
	lines   []Line
	detail  []Detail
	demands []PastDemand
	known   time.Time // zero when no version covers any of it

	from, to time.Time // of the whole span
	v        *Version  // the version at hand
	a, z     time.Time // its part of the span
	slots    []slot
	share    *big.Rat // that part, in days of the month's days
	err      error
}

func (c *Contract) settle(from, to time.Time, meter []Interval, prices Prices, state *State) (*work, error) {
	w := &work{c: c, prices: prices, state: state, from: from, to: to}
	if !from.Before(to) || to.Sub(from)%c.Interval != 0 {
		return nil, fmt.Errorf("from %v to %v is not a number of intervals of %v", from, to, c.Interval)
	}
	const longest = 40 * 24 * time.Hour
	if to.Sub(from) > longest {
		return nil, fmt.Errorf("from %v to %v is more than a month", from, to)
	}
	w.use = c.spread(from, to, meter)
	covered := time.Duration(0)
	for i := range c.Versions {
		v := &c.Versions[i]
		a, z, ok := v.span(c.loc, from, to)
		if !ok {
			continue
		}
		if a.Sub(from)%c.Interval != 0 {
			return nil, fmt.Errorf("the version of %v begins within an interval", v.From)
		}
		covered += z.Sub(a)
		w.v, w.a, w.z, w.known = v, a, z, a
		w.slots = w.use.slots[a.Sub(from)/c.Interval : z.Sub(from)/c.Interval]
		w.share = dayShare(a.In(c.loc), z.In(c.loc))
		first := len(w.lines)
		for j := range v.Parts {
			w.part(&v.Parts[j], first)
		}
		if w.err != nil {
			return nil, w.err
		}
	}
	if covered < to.Sub(from) && covered > 0 {
		w.use.problem("the contract is in force for %v of %v only", covered, to.Sub(from))
	}
	return w, nil
}

// dayShare is the days from a to z as a part of a's month.
func dayShare(a, z time.Time) *big.Rat {
	days := int64(0)
	for d := DateOf(a); d.In(a.Location()).Before(z); d = d.AddDays(1) {
		days++
	}
	y, m, _ := a.Date()
	return big.NewRat(days, int64(time.Date(y, m+1, 0, 0, 0, 0, 0, time.UTC).Day()))
}

func (w *work) part(p *Part, first int) {
	switch p.Kind {
	case Fixed, Adder:
		w.fixed(p)
	case TimeOfUse:
		w.timeOfUse(p)
	case Index:
		w.index(p)
	case Block, PPA:
		w.blocks(p)
	case TwoSettlement:
		w.twoSettlement(p)
	case Demand:
		w.demand(p)
	case Coincident:
		w.coincident(p)
	case Fee:
		w.fee(p)
	case Tax:
		w.tax(p, first)
	}
}

// put adds a line: it rounds.
func (w *work) put(l Line, amount *big.Rat) {
	l.From, l.To = w.a, w.z
	l.Unrounded = exactOf(amount)
	var err error
	if l.Amount, err = w.c.Rounding.round(amount, w.c.Currency); err != nil && w.err == nil {
		w.err = fmt.Errorf("rounding %s: %w", l.Part, err)
	}
	w.lines = append(w.lines, l)
}

// scaled is the energy of a slot that a part charges for.
func (w *work) scaled(p *Part, s *slot) microjoules {
	if p.Unscaled {
		return microjoules(s.joules * perJoule)
	}
	return microjoules(s.joules * (perJoule + int64(w.v.Losses)))
}

// tally collects the intervals of one energy line.
type tally struct {
	account
	w         *work
	part      *Part
	what      string
	sources   map[string]int
	source    string // the one so far, so that most intervals need no map
	count     int
	status    Status
	estimates int
	unpriced  big.Int // microjoules
	unknown   int     // intervals without energy or price
}

func (w *work) tally(p *Part, what string) *tally { return &tally{w: w, part: p, what: what} }

func (t *tally) take(s *slot, e microjoules, micro int64, source string, status Status) {
	t.add(e, micro)
	if source != t.source {
		t.flush()
		t.source = source
	}
	t.count++
	t.status = max(t.status, status)
	if s.estimated {
		t.status = max(t.status, Estimated)
	}
	if s.estimated || status >= Estimated {
		t.estimates++
	}
	if t.w.state.Detail {
		amount := new(big.Rat).Mul(e.mwh(), big.NewRat(micro, 1_000_000))
		if s.estimated {
			status = max(status, Estimated)
		}
		t.w.detail = append(t.w.detail, Detail{Part: t.part.Name, What: t.what, Start: s.start, Quantity: exactOf(e.mwh()),
			Rate: exactOf(big.NewRat(micro, 1_000_000)), Amount: Exact{amount}, Source: source, Status: status})
	}
}

func (t *tally) flush() {
	if t.count == 0 {
		return
	}
	if t.sources == nil {
		t.sources = map[string]int{}
	}
	t.sources[t.source] += t.count
	t.count = 0
}

// lose counts energy that has no price.
func (t *tally) lose(e microjoules) {
	t.unpriced.Add(&t.unpriced, big.NewInt(int64(e)))
	t.unknown++
	t.status = Missing
}

// line puts the tally on the statement; a line of nothing is left out.
func (t *tally) line() {
	t.flush()
	if t.n == 0 && t.unknown == 0 {
		return
	}
	amount, quantity := t.amount(), t.mwh()
	l := Line{Part: t.part.Name, Kind: t.part.Kind, What: t.what, Unit: "MWh", Quantity: Exact{quantity},
		Status: t.status, Intervals: t.n, Estimates: t.estimates}
	l.Source, l.Averaged = t.origin()
	if quantity.Sign() != 0 {
		l.Rate = Exact{new(big.Rat).Quo(amount, quantity)}
	}
	var notes []string
	if t.estimates > 0 {
		notes = append(notes, fmt.Sprintf("%d of %d intervals are estimates", t.estimates, t.n))
	}
	if t.unknown > 0 {
		l.Unpriced = Exact{new(big.Rat).Quo(new(big.Rat).SetInt(&t.unpriced), ratMWh)}
		notes = append(notes, fmt.Sprintf("%d intervals have no energy or no price and are not charged", t.unknown))
	}
	l.Note = strings.Join(notes, "; ")
	t.w.put(l, amount)
}

// origin names where the prices came from. A price of the contract is one
// price; that of a market is an average.
func (t *tally) origin() (string, bool) {
	names := sorted(t.sources)
	if len(names) == 1 {
		return names[0], names[0] != inContract
	}
	for i, n := range names {
		names[i] = fmt.Sprintf("%s (%d)", n, t.sources[n])
	}
	return strings.Join(names, ", "), len(names) > 0
}

const inContract = "contract"
