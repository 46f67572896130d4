package debt

import (
	"fmt"
	"math"

	"ballast/unit"
)

// Step is one step of the hashcost waterfall, per PH/s and day.
type Step struct {
	Name  string
	Cost  unit.Hashprice // of this step
	Total unit.Hashprice // of all steps so far
	// Margin is hashprice less Total.
	Margin unit.Hashprice
}

// Costs of a period, in money; what is nil is not told and makes no step.
type Costs struct {
	Power, Hosting, LabourRepair, Admin, Interest, Depreciation unit.Opt[unit.Money]
}

// Waterfall spreads a period's costs over the hashrate that ran in it. The
// steps are cumulative: after hosting it is fleet hashcost, after interest the
// total hashcost of cash, after depreciation all-in. Depreciation is a book
// figure; the machines' economic value is [ByOption]'s business.
func Waterfall(c Costs, ran unit.Hashrate, days float64, hashprice unit.Hashprice) ([]Step, error) {
	if !(ran > 0) || !(days > 0) || math.IsInf(float64(ran), 0) {
		return nil, fmt.Errorf("%v over %g days: %w", ran, days, ErrInvalid)
	}
	var out []Step
	total := unit.Hashprice{Currency: hashprice.Currency}
	for _, s := range []struct {
		name string
		m    unit.Opt[unit.Money]
	}{
		{"power", c.Power}, {"hosting", c.Hosting}, {"labour and repair", c.LabourRepair}, {"administration", c.Admin}, {"interest", c.Interest}, {"depreciation", c.Depreciation},
	} {
		m, ok := s.m.Get()
		if !ok {
			continue
		}
		if m.Currency != hashprice.Currency {
			return nil, fmt.Errorf("%s in %s: %w", s.name, m.Currency, unit.ErrCurrency)
		}
		cost := unit.HashpriceOf(m.Float()/ran.PH()/days, m.Currency)
		total.Micro += cost.Micro
		out = append(out, Step{s.name, cost, total, unit.Hashprice{Micro: hashprice.Micro - total.Micro, Currency: total.Currency}})
	}
	return out, nil
}

// Heat is a grid of a metric over two multiples of today. Missing cells are
// readings that cannot be had.
type Heat struct {
	Metric  Metric
	Price   []float64                // multiples of the price of a bitcoin, columns
	Other   []float64                // multiples of difficulty or of power price, rows
	Reading [][]unit.Opt[float64]    // [row][column]
	CFADS   [][]unit.Opt[unit.Money] // beside it, a year
}

// Against says what the rows of a heat map move.
type Against string

// What a heat map can move beside the price.
const (
	Difficulty Against = "difficulty"
	PowerPrice Against = "power price"
)

// HeatMap reads a metric at each pair of multiples of today's price of a
// bitcoin and of difficulty or the power price.
func (p Position) HeatMap(m Metric, against Against, price, other []float64) (Heat, error) {
	h := Heat{Metric: m, Price: price, Other: other}
	if !m.Known() || against != Difficulty && against != PowerPrice {
		return h, fmt.Errorf("%s against %q: %w", m, against, ErrInvalid)
	}
	for _, v := range append(append([]float64{}, price...), other...) {
		if !(v > 0) || v > 1e3 {
			return h, fmt.Errorf("multiple %g: %w", v, ErrInvalid)
		}
	}
	for _, y := range other {
		q := p
		if against == Difficulty {
			q = p.AtHashprice(1 / y)
		} else {
			q.Groups = append([]Group{}, p.Groups...)
			for i := range q.Groups {
				q.Groups[i].Power.Micro = roundHalfEven(float64(q.Groups[i].Power.Micro) * y)
			}
		}
		row := make([]unit.Opt[float64], len(price))
		cash := make([]unit.Opt[unit.Money], len(price))
		for i, x := range price {
			at := q.At(x)
			if r, ok := at.Read(m, ""); ok {
				row[i] = unit.Some(r.Value)
			}
			if in, err := at.Income(); err == nil {
				cash[i] = unit.Some(in.CFADS)
			}
		}
		h.Reading, h.CFADS = append(h.Reading, row), append(h.CFADS, cash)
	}
	return h, nil
}

// Purchase is machines that may be bought: all per TH/s, in currency units.
type Purchase struct {
	PerTH     float64 // landed and installed
	Hashprice float64 // per PH/s and day, today
	Hashcost  float64
	Other     float64 // cost per PH/s and day that does not stop with the machine
	Drift     float64 // of hashprice, continuous, a year
	Uptime    float64 // 1 when zero
	Days      int     // of life
	Resale    float64 // per TH/s, at the end
	Rate      float64 // of discount, continuous, a year
}

// Worth is what a purchase comes to. Cash is counted day by day; a machine
// stands still on days that do not pay its power.
type Worth struct {
	Payback unit.Opt[int]     // days until the cash has come back; missing: not within its life
	MOIC    float64           // cash over cost, resale included, not discounted
	NPV     float64           // per TH/s
	IRR     unit.Opt[float64] // a year, continuous; missing when no rate between -99 and 1000 % does
}

// Weigh reckons a purchase.
func (p Purchase) Weigh() (Worth, error) {
	if !(p.PerTH > 0) || !(p.Hashprice >= 0) || !(p.Hashcost >= 0) || p.Days < 1 || p.Days > 366*30 || !(p.Uptime >= 0 && p.Uptime <= 1) || !(p.Resale >= 0) || math.Abs(p.Drift) > 20 || math.Abs(p.Rate) > 10 || math.IsNaN(p.Drift+p.Rate+p.Other) {
		return Worth{}, fmt.Errorf("purchase %+v: %w", p, ErrInvalid)
	}
	up := p.Uptime
	if up == 0 {
		up = 1
	}
	flow := func(d int) float64 {
		h := p.Hashprice * math.Exp(p.Drift*float64(d)/365)
		v := (up*max(0, h-p.Hashcost) - p.Other) / 1000
		if d == p.Days {
			v += p.Resale
		}
		return v
	}
	npv := func(rate float64) float64 {
		v := -p.PerTH
		for d := 1; d <= p.Days; d++ {
			v += flow(d) * math.Exp(-rate*float64(d)/365)
		}
		return v
	}
	w := Worth{NPV: npv(p.Rate)}
	var sum float64
	for d := 1; d <= p.Days; d++ {
		sum += flow(d)
		if sum >= p.PerTH*(1-1e-9) && !w.Payback.Ok() { // a rounding error is no day
			w.Payback = unit.Some(d)
		}
	}
	w.MOIC = sum / p.PerTH
	lo, hi := math.Log(0.01), math.Log(11)
	if npv(lo) > 0 && npv(hi) < 0 {
		for range 60 {
			if mid := (lo + hi) / 2; npv(mid) > 0 {
				lo = mid
			} else {
				hi = mid
			}
		}
		w.IRR = unit.Some(lo)
	}
	return w, nil
}
