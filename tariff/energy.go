package tariff

import (
	"math"
	"time"
)

// Lines that are sums over intervals.

func (w *work) fixed(p *Part) {
	t := w.tally(p, p.Period)
	period := w.c.period(p.Period)
	for i := range w.slots {
		s := &w.slots[i]
		if period == nil || period.has(w.c, s.at) {
			t.contract(s, p.Price.Micro)
		}
	}
	t.line()
}

// contract takes a slot at a price that the contract names.
func (t *tally) contract(s *slot, micro int64) {
	if s.missing {
		t.lose(0)
		return
	}
	t.take(s, t.w.scaled(t.part, s), micro, inContract, Settled)
}

func (w *work) timeOfUse(p *Part) {
	rates := make([]*tally, len(p.Rates))
	periods := make([]*Period, len(p.Rates))
	for i, r := range p.Rates {
		rates[i], periods[i] = w.tally(p, r.Period), w.c.period(r.Period)
	}
	rest := w.tally(p, "otherwise")
next:
	for i := range w.slots {
		s := &w.slots[i]
		for j, period := range periods {
			if period.has(w.c, s.at) {
				rates[j].contract(s, p.Rates[j].Price.Micro)
				continue next
			}
		}
		if p.Otherwise != nil {
			rest.contract(s, p.Otherwise.Micro)
			continue
		}
		rest.lose(w.scaled(p, s)) // a year that differs from the one checked, by its holidays
	}
	for _, t := range rates {
		t.line()
	}
	rest.line()
}

func (w *work) index(p *Part) {
	t := w.tally(p, "")
	for i := range w.slots {
		s := &w.slots[i]
		t.market(s, w.scaled(p, s), p.Market)
	}
	t.line()
}

// market takes energy at a market price.
func (t *tally) market(s *slot, e microjoules, m *Market) {
	if s.missing {
		t.lose(0)
		return
	}
	micro, q, ok := t.w.price(s, m)
	if !ok {
		t.lose(e)
		return
	}
	t.take(s, e, micro, q.Source, q.Status)
}

func (w *work) price(s *slot, m *Market) (int64, Quote, bool) {
	q, ok := m.Price(w.prices, s.start, s.start.Add(w.c.Interval), w.c.Currency, w.c.loc)
	if !ok {
		return 0, q, false
	}
	micro, ok := m.charge(q.Price.Micro)
	return micro, q, ok
}

// block is a block's energy in one interval.
func (w *work) block(q *Quantity) microjoules {
	return microjoules(int64(q.Power) * int64(w.c.Interval.Seconds()) * perJoule)
}

// blocks settles a block or a power purchase agreement. Every part of the
// blocks is either used or sold, never both: used + sold = blocks, and used +
// excess = drawn.
func (w *work) blocks(p *Part) {
	blocks := make([]*tally, len(p.Blocks))
	periods := make([]*Period, len(p.Blocks))
	for i, b := range p.Blocks {
		what := "block of " + b.Power.String()
		if b.Period != "" {
			what += ", " + b.Period
		}
		blocks[i], periods[i] = w.tally(p, what), w.c.period(b.Period)
	}
	excess, sold := w.tally(p, "beyond the block"), w.tally(p, "sold back")
	for i := range w.slots {
		s := &w.slots[i]
		drawn := w.scaled(p, s)
		left := drawn
		var held microjoules
		for j := range p.Blocks {
			if periods[j] != nil && !periods[j].has(w.c, s.at) {
				continue
			}
			q := w.block(&p.Blocks[j])
			held += q
			used := min(left, q)
			left -= used
			switch {
			case p.Take == "use" && s.missing:
				blocks[j].lose(0)
			case p.Take == "use":
				blocks[j].take(s, used, p.Blocks[j].Price.Micro, inContract, Settled)
			default:
				// The block is due whether the meter is known or not.
				blocks[j].take(&slot{start: s.start, at: s.at}, q, p.Blocks[j].Price.Micro, inContract, Settled)
			}
		}
		switch {
		case s.missing:
			excess.lose(0)
		case drawn > held && p.Excess == nil:
			excess.lose(drawn - held)
		case drawn > held:
			excess.market(s, drawn-held, p.Excess)
		case drawn < held && p.SellBack != nil:
			sold.market(s, drawn-held, p.SellBack) // negative: a credit
		}
	}
	for _, t := range blocks {
		t.line()
	}
	excess.line()
	sold.line()
}

// twoSettlement charges the day-ahead award at the day-ahead price, and the
// difference between what was drawn and the award at the real-time price.
func (w *work) twoSettlement(p *Part) {
	awards := w.awards()
	ahead, bought, sold := w.tally(p, "day-ahead award"), w.tally(p, "real-time, beyond the award"), w.tally(p, "real-time, below the award")
	absent, toCome := 0, 0
	for i := range w.slots {
		s := &w.slots[i]
		award, known := awards[s.start.Unix()]
		real := s
		if known {
			ahead.market(&slot{start: s.start, at: s.at}, award, p.DayAhead)
		} else if !s.missing {
			if until := w.state.Until; !until.IsZero() && !s.start.Before(until) {
				toCome++
			} else {
				absent++
			}
			odd := *s
			odd.estimated = true
			real = &odd
		}
		switch d := w.scaled(p, s) - award; {
		case s.missing:
			bought.lose(0)
		case d >= 0:
			bought.market(real, d, p.RealTime)
		default:
			sold.market(real, d, p.RealTime)
		}
	}
	if absent > 0 {
		w.use.problem("%s: %d intervals have no day-ahead award; they are settled as if there was none", p.Name, absent)
	}
	if toCome > 0 {
		last := w.from.Unix()
		for at := range awards {
			last = max(last, at+int64(w.c.Interval/time.Second))
		}
		w.use.problem("%s: day-ahead awards are known up to %s; %d intervals to come are reckoned without", p.Name, time.Unix(last, 0).In(w.c.loc).Format(stamp), toCome)
	}
	ahead.line()
	bought.line()
	sold.line()
}

// awards is the awarded energy by the Unix second of the interval.
func (w *work) awards() map[int64]microjoules {
	out := map[int64]microjoules{}
	step := w.c.Interval
	each := int64(step / time.Second)
	for _, a := range w.state.Awards {
		watts := math.RoundToEven(float64(a.Power))
		if !(math.Abs(watts) <= maxBlocks) || a.Length <= 0 || a.Length%step != 0 || mod(a.Start.Sub(w.from), step) != 0 {
			w.use.problem("the day-ahead award of %s does not lie on the contract's intervals or cannot be, and is left out", a.Start.In(w.c.loc).Format(stamp))
			continue
		}
		for at := a.Start; at.Before(a.Start.Add(a.Length)); at = at.Add(step) {
			if !at.Before(w.a) && at.Before(w.z) {
				out[at.Unix()] += microjoules(int64(watts) * each * perJoule)
			}
		}
	}
	return out
}
