package tariff

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"time"

	"ballast/unit"
)

// Context is what the marginal price depends on beside the time.
type Context struct {
	Prices Prices
	// Load is what the site draws now, before one more MWh. What it would save to
	// draw less is the price at the lower load.
	Load unit.Power
	// Incumbents are the demands that are billed this month whatever happens, by
	// part: see Contract.Incumbents.
	Incumbents map[string]unit.Power
	// DemandChance is, by part, the probability that a demand set in this interval
	// stays the highest of the month. Without one a new peak is charged in full.
	DemandChance map[string]float64
	// PeakChance is, by set of peaks, the probability that this interval is one.
	PeakChance map[string]float64
}

// Breakdown is what one more MWh costs in the interval of an instant.
type Breakdown struct {
	From       time.Time        `json:"from"`
	To         time.Time        `json:"to"`
	Components []Component      `json:"components"`
	Total      unit.EnergyPrice `json:"total"`
	Known      unit.EnergyPrice `json:"known"`    // of Total: settled or published
	Expected   unit.EnergyPrice `json:"expected"` // of Total: forecasts, estimates and probabilities
	Status     Status           `json:"status"`   // the worst component's
	Missing    []string         `json:"missing,omitempty"`
}

// Component is a part's share of the marginal price.
type Component struct {
	Part   string           `json:"part"`
	Kind   Kind             `json:"kind"`
	Price  unit.EnergyPrice `json:"price"`
	Status Status           `json:"status"`
	Source string           `json:"source"`
	Note   string           `json:"note,omitempty"`
	// Published by the operator and Received by us, of the market price behind it:
	// its age.
	Published time.Time `json:"published,omitzero"`
	Received  time.Time `json:"received,omitzero"`
}

// PriceAt is what one more MWh costs in the settlement interval that holds t,
// by component. Demand and coincident-peak charges count with their
// probability. A price that is not known is named in Missing and counts
// nothing; the error is for a time when no contract is in force.
func (c *Contract) PriceAt(t time.Time, x Context) (Breakdown, error) {
	v, ok := c.VersionAt(t)
	if !ok {
		return Breakdown{}, fmt.Errorf("%s at %s: %w", c.Name, t.In(c.loc).Format(stamp), ErrNotInForce)
	}
	from, _ := MonthOf(t.In(c.loc)).Span(c.loc)
	from = t.Add(-(t.Sub(from) % c.Interval))
	m := &marginal{c: c, v: v, x: &x, from: from, to: from.Add(c.Interval), at: momentOf(from.In(c.loc))}
	b := Breakdown{From: m.from, To: m.to}
	zero := unit.EnergyPrice{Currency: c.Currency}
	b.Total, b.Known, b.Expected = zero, zero, zero
	for i := range v.Parts {
		p := &v.Parts[i]
		d := m.component(p, b.Components)
		if d == nil {
			continue
		}
		d.Part, d.Kind, d.Price.Currency = p.Name, p.Kind, c.Currency
		if d.Status == Missing {
			d.Price.Micro = 0
			b.Missing = append(b.Missing, p.Name)
		}
		b.Components = append(b.Components, *d)
		b.Total.Micro += d.Price.Micro
		if d.Status <= Provisional {
			b.Known.Micro += d.Price.Micro
		} else {
			b.Expected.Micro += d.Price.Micro
		}
		b.Status = max(b.Status, d.Status)
	}
	return b, nil
}

type marginal struct {
	c        *Contract
	v        *Version
	x        *Context
	from, to time.Time
	at       moment
}

func (m *marginal) in(period string) bool {
	p := m.c.period(period)
	return p == nil || p.has(m.c, m.at)
}

// component is nil for parts that energy does not move.
func (m *marginal) component(p *Part, before []Component) *Component {
	switch p.Kind {
	case Fixed, Adder:
		if !m.in(p.Period) {
			return nil
		}
		return m.contract(p, p.Price.Micro, p.Period)
	case TimeOfUse:
		for _, r := range p.Rates {
			if m.in(r.Period) {
				return m.contract(p, r.Price.Micro, r.Period)
			}
		}
		if p.Otherwise == nil {
			return &Component{Status: Missing, Note: "no rate for this time"}
		}
		return m.contract(p, p.Otherwise.Micro, "otherwise")
	case Index:
		return m.market(p, p.Market, "")
	case TwoSettlement:
		return m.market(p, p.RealTime, "real-time, whatever the award")
	case Block, PPA:
		return m.block(p)
	case Demand:
		return m.demand(p)
	case Coincident:
		return m.coincident(p)
	case Tax:
		return m.tax(p, before)
	}
	return nil
}

// scale brings a price at the settlement point to the meter: a metered MWh is
// more than one there.
func (m *marginal) scale(p *Part, micro int64) (int64, bool) {
	if p.Unscaled {
		return micro, true
	}
	return mulDiv(micro, int64(whole+m.v.Losses), int64(whole))
}

func (m *marginal) contract(p *Part, micro int64, note string) *Component {
	micro, ok := m.scale(p, micro)
	return component(micro, ok, Settled, inContract, note)
}

func component(micro int64, ok bool, status Status, source, note string) *Component {
	if !ok {
		return &Component{Status: Missing, Source: source, Note: "the price is too large"}
	}
	return &Component{Price: unit.EnergyPrice{Micro: micro}, Status: status, Source: source, Note: note}
}

func (m *marginal) market(p *Part, k *Market, note string) *Component {
	q, ok := k.Price(m.x.Prices, m.from, m.to, m.c.Currency, m.c.loc)
	if !ok {
		return &Component{Status: Missing, Source: k.Series, Note: "no price of " + k.Series + " and nothing to stand in"}
	}
	micro, ok := k.charge(q.Price.Micro)
	if ok {
		micro, ok = m.scale(p, micro)
	}
	d := component(micro, ok, q.Status, q.Source, note)
	d.Published, d.Received = q.Published, q.Received
	return d
}

// block: within the block, energy that is not used can be sold, so that is what
// it costs to use it.
func (m *marginal) block(p *Part) *Component {
	load := float64(m.x.Load)
	if !p.Unscaled {
		load *= 1 + float64(m.v.Losses)/float64(whole)
	}
	held := 0.0
	for _, b := range p.Blocks {
		if !m.in(b.Period) {
			continue
		}
		held += float64(b.Power)
		if p.Take == "use" && load < held {
			return m.contract(p, b.Price.Micro, "within the block of "+b.Power.String())
		}
	}
	switch {
	case load >= held && p.Excess != nil:
		return m.market(p, p.Excess, "beyond the block")
	case load >= held:
		return &Component{Status: Missing, Note: "the contract has no price beyond the block"}
	case p.SellBack != nil:
		return m.market(p, p.SellBack, "within the block, which could be sold back")
	}
	return component(0, true, Settled, inContract, "within the block, which is paid for")
}

func (m *marginal) demand(p *Part) *Component {
	if !m.in(p.Period) {
		return nil
	}
	micro, ok := p.Capacity.perMWh(p.Over, 1)
	if !ok {
		return component(0, false, Missing, inContract, "")
	}
	incumbent, known := m.x.Incumbents[p.Name]
	chance, likely := m.x.DemandChance[p.Name]
	switch {
	case known && m.x.Load < incumbent:
		return component(0, true, Provisional, inContract, fmt.Sprintf("below %v, which is billed already", wholeWatts(incumbent)))
	case !known && !likely:
		return &Component{Status: Missing, Source: inContract, Note: "the month's demand so far is not known"}
	case !likely:
		return component(micro, true, Expected, inContract, fmt.Sprintf("beyond %v: a new demand, in full", wholeWatts(incumbent)))
	}
	return component(times(micro, chance), true, Expected, inContract, fmt.Sprintf("probability %.3g that it is the month's demand", chance))
}

// wholeWatts is a power as people read it.
func wholeWatts(p unit.Power) unit.Power { return unit.Power(math.Round(float64(p))) }

func times(micro int64, chance float64) int64 {
	if !(chance >= 0) {
		return 0
	}
	return int64(math.RoundToEven(float64(micro) * min(chance, 1)))
}

func (m *marginal) coincident(p *Part) *Component {
	set := m.c.peaks(p.PeakSet)
	t := m.from.In(m.c.loc)
	r := set.rule(t.Year())
	if r == nil || !slices.ContainsFunc(r.Groups, func(g PeakGroup) bool { return m.c.within(&g, t) }) {
		return nil
	}
	chance, ok := m.x.PeakChance[p.PeakSet]
	if !ok {
		return &Component{Status: Missing, Source: inContract, Note: "the probability of a coincident peak is not known"}
	}
	// A kW in one of n peaks is an nth of a kW in the mean that is charged.
	n, months := set.count(t.Year(), 0), int64(12)
	if p.Charged == "same-month" {
		n, months = set.count(t.Year(), t.Month()), 1
	}
	if n == 0 {
		return nil
	}
	micro, ok := p.Capacity.perMWh(set.Interval*time.Duration(n), months)
	if !ok {
		return component(0, false, Missing, inContract, "")
	}
	return component(times(micro, chance), true, Expected, inContract, fmt.Sprintf("probability %.3g of a coincident peak", chance))
}

// perMWh is what one more MWh within a span costs, in millionths, when the power
// that it adds is charged for so many months.
func (p *CapacityPrice) perMWh(span time.Duration, months int64) (int64, bool) {
	seconds := int64(span / time.Second)
	if p.Yearly {
		seconds *= 12
	}
	return mulDiv(p.Micro, 1000*3600*months, seconds)
}

func (m *marginal) tax(p *Part, before []Component) *Component {
	var base int64
	status := Settled
	for _, d := range before {
		if len(p.On) == 0 && d.Kind == Tax || len(p.On) > 0 && !slices.Contains(p.On, d.Part) {
			continue
		}
		base += d.Price.Micro
		if d.Status != Missing { // the part itself says so
			status = max(status, d.Status)
		}
	}
	if base == 0 {
		return nil
	}
	micro, ok := mulDiv(base, int64(p.Share), int64(whole))
	return component(micro, ok, status, inContract, "")
}

// Incumbents are the demands that the month of t bills whatever happens from t
// on: by part, the highest of the measured so far, ratchet and minimum.
func (c *Contract) Incumbents(t time.Time, meter []Interval, state State) (map[string]unit.Power, error) {
	from, end := MonthOf(t.In(c.loc)).Span(c.loc)
	to := t.Add(-(t.Sub(from) % c.Interval))
	v, ok := c.VersionAt(t)
	if !ok {
		return nil, fmt.Errorf("%s at %s: %w", c.Name, t.In(c.loc).Format(stamp), ErrNotInForce)
	}
	out := map[string]unit.Power{}
	w := &work{c: c, state: &state, from: from, to: to, v: v, share: ratZero}
	w.a, w.z, _ = v.span(c.loc, from, end)
	if w.a.Before(to) {
		u := c.spread(w.a, to, meter)
		for i := range u.slots {
			// Only what was measured is incumbent: an estimate may be corrected.
			u.slots[i].missing = u.slots[i].missing || u.slots[i].estimated
		}
		w.slots = u.slots
	}
	for i := range v.Parts {
		p := &v.Parts[i]
		if p.Kind != Demand {
			continue
		}
		peak, _, _, _ := w.highest(p)
		most := p.Minimum
		if p.Ratchet != nil {
			floor, _, _ := w.ratchet(p)
			if floor.Cmp(peak) > 0 {
				peak = floor
			}
		}
		f, _ := new(big.Rat).Mul(peak, big.NewRat(1000, 1)).Float64()
		out[p.Name] = max(most, unit.Power(f))
	}
	return out, nil
}
