package debt

import (
	"fmt"
	"math"
	"math/big"

	"ballast/unit"
)

func ratio(a, b int64) *big.Rat { return big.NewRat(a, b) }

// Metric is a number that tells how near trouble is.
type Metric string

// The metrics. All but the hashrate-debt ratio can be covenants as lenders
// write them.
const (
	// DSCR is cash available for debt service over the cash service of the
	// next twelve months, interest, principal and fees.
	DSCR Metric = "dscr"
	// ICR is cash available over the cash interest of the next twelve months.
	ICR Metric = "icr"
	// CoinLTV is coin-backed balances over the coins that secure them.
	CoinLTV Metric = "coin-ltv"
	// RigLTV is balances secured by machines over those machines.
	RigLTV Metric = "machine-ltv"
	// Liquidity is cash and free coins, in currency units.
	Liquidity Metric = "liquidity"
	// Runway is how many months liquidity lasts at the run rate with debt
	// service; infinite while nothing burns.
	Runway Metric = "runway-months"
	// Leverage is debt less liquidity over a year's cash available; infinite
	// when there is none.
	Leverage Metric = "leverage"
	// HashrateDebt is all mining debt over active hashpower.
	HashrateDebt Metric = "hashrate-debt"
)

// low tells whether small values are the bad ones.
func (m Metric) low() bool {
	switch m {
	case DSCR, ICR, Liquidity, Runway:
		return true
	}
	return false
}

// Known tells whether m is one of the metrics.
func (m Metric) Known() bool {
	switch m {
	case DSCR, ICR, CoinLTV, RigLTV, Liquidity, Runway, Leverage, HashrateDebt:
		return true
	}
	return false
}

// Reading is a metric's value with the two amounts that it is made of.
type Reading struct {
	Value       float64 // infinite when nothing is due, or nothing is there to pay with
	Over, Under float64 // in currency units, numerator and denominator
}

// Read is the metric of the whole company (facility empty) or of what one
// facility's collateral secures. ok is false when it cannot be had: no coins,
// no price of machines, nothing owed.
func (p Position) Read(m Metric, facility string) (r Reading, ok bool) {
	in, err := p.Income()
	if err != nil {
		return r, false
	}
	cash := in.CFADS.Float()
	switch m {
	case DSCR, ICR:
		s := p.service(facility)
		r.Over, r.Under = cash, s.Cash.Float()
		if m == ICR {
			r.Under = s.Interest.Float()
		}
		if r.Under == 0 {
			return r, false
		}
		r.Value = r.Over / r.Under
	case CoinLTV:
		return p.ltv(CoinCollateral, facility)
	case RigLTV:
		return p.ltv(RigCollateral, facility)
	case Liquidity:
		r.Over = p.Liquidity().Float()
		r.Value = r.Over
	case Runway:
		r.Over = p.Liquidity().Float()
		r.Under = (p.service("").Cash.Float() - cash) / 12
		switch {
		case r.Over <= 0:
			r.Value = 0
		case r.Under <= 0:
			r.Value = math.Inf(1)
		default:
			r.Value = r.Over / r.Under
		}
	case Leverage:
		r.Over, r.Under = p.Book.Balance(p.On).Float()-p.Liquidity().Float(), cash
		switch {
		case r.Over <= 0:
			r.Value = 0
		case r.Under <= 0:
			r.Value = math.Inf(1)
		default:
			r.Value = r.Over / r.Under
		}
	case HashrateDebt:
		v, priced := p.Rigs()
		if !priced || v <= 0 {
			return r, false
		}
		for _, s := range p.Book.Schedules {
			if s.Facility.Purpose != ForAI {
				r.Over += s.Balance(p.On).Float()
			}
		}
		r.Under = v
		r.Value = r.Over / r.Under
	default:
		return r, false
	}
	return r, true
}

func (p Position) service(facility string) Service {
	to := p.On.AddMonths(12)
	if facility == "" {
		return p.Book.Due(p.On, to)
	}
	for _, s := range p.Book.Schedules {
		if s.Facility.ID == facility {
			return s.Due(p.On, to)
		}
	}
	return Service{}
}

func (p Position) ltv(k CollateralKind, facility string) (r Reading, ok bool) {
	any := false
	for _, s := range p.Book.Schedules {
		f := s.Facility
		if facility != "" && f.ID != facility {
			continue
		}
		secured := false
		for _, c := range f.Secured {
			secured = secured || c.Kind == k
		}
		owed := s.Balance(p.On).Float()
		if !secured || owed == 0 {
			continue
		}
		v, ok := p.collateral(f, k)
		if !ok {
			return r, false
		}
		any = true
		r.Over += owed
		r.Under += v
	}
	if !any {
		return r, false
	}
	if r.Under <= 0 {
		r.Value = math.Inf(1)
		return r, true
	}
	r.Value = r.Over / r.Under
	return r, true
}

// Covenant is a declared rule: a metric must stay at least or at most at a
// limit.
type Covenant struct {
	ID       string  `json:"id"`
	Metric   Metric  `json:"metric"`
	Limit    float64 `json:"limit"`
	Facility string  `json:"facility,omitempty"`  // whose debt or collateral; empty: the company
	Cure     int     `json:"cure_days,omitempty"` // days to mend a breach
	Source   string  `json:"source,omitempty"`    // clause
}

// Check tells what is wrong with a covenant.
func (c Covenant) Check() error {
	if !c.Metric.Known() || math.IsNaN(c.Limit) || math.IsInf(c.Limit, 0) || c.Cure < 0 || c.ID == "" {
		return fmt.Errorf("covenant %q on %q at %v: %w", c.ID, c.Metric, c.Limit, ErrInvalid)
	}
	return nil
}

// Rule spells the covenant out.
func (c Covenant) Rule() string {
	word := "at most"
	if c.Metric.low() {
		word = "at least"
	}
	return fmt.Sprintf("%s %s %g", c.Metric, word, c.Limit)
}

// holds tells whether a value keeps the covenant.
func (c Covenant) holds(v float64) bool {
	if c.Metric.low() {
		return v >= c.Limit
	}
	return v <= c.Limit
}

// Headroom is how far a covenant is from its breach.
type Headroom struct {
	Covenant Covenant
	Reading  Reading
	Breached bool
	// Money is by how much what pays may fall (or, of a loan to value, by how
	// much the collateral may lose) before the breach; negative after it.
	Money float64
	// Price of a bitcoin, and hashprice at today's price of a bitcoin, at
	// which it breaks; after a breach, at which it is mended. Missing when no
	// price does.
	Price     unit.Opt[unit.Money]
	Hashprice unit.Opt[unit.Hashprice]
	// Days until the breach on the given path; missing when none within its
	// horizon. 0 is today.
	Days unit.Opt[int]
}

// Headroom measures the distance to a breach. ok is false when the metric
// cannot be had. path may be nil, then Days is missing.
func (p Position) Headroom(c Covenant, path *Path) (h Headroom, ok bool) {
	h.Covenant = c
	if h.Reading, ok = p.Read(c.Metric, c.Facility); !ok || c.Check() != nil {
		return h, false
	}
	h.Breached = !c.holds(h.Reading.Value)
	r := h.Reading
	switch c.Metric {
	case DSCR, ICR:
		h.Money = r.Over - c.Limit*r.Under
	case Liquidity:
		h.Money = r.Over - c.Limit
	case Runway:
		h.Money = r.Over - c.Limit*max(0, r.Under)
	case CoinLTV, RigLTV, HashrateDebt:
		if c.Limit > 0 {
			h.Money = r.Under - r.Over/c.Limit // what the collateral may lose
		}
	case Leverage:
		h.Money = c.Limit*max(0, r.Under) - r.Over
	}
	if k, ok := p.breaks(c, Position.At); ok {
		h.Price = unit.Some(unit.Money{Minor: roundHalfEven(float64(p.Price.Minor) * k), Currency: p.Price.Currency})
	}
	if k, ok := p.breaks(c, Position.AtHashprice); ok {
		h.Hashprice = unit.Some(unit.Hashprice{Micro: roundHalfEven(float64(p.Hashprice.Micro) * k), Currency: p.Hashprice.Currency})
	}
	if path != nil {
		if d, ok := p.daysTo(c, *path); ok {
			h.Days = unit.Some(d)
		}
	}
	return h, true
}

// breaks finds the multiple of today at which the covenant changes sides, by
// bisection: every metric gets no better as the multiple falls.
func (p Position) breaks(c Covenant, at func(Position, float64) Position) (float64, bool) {
	holds := func(k float64) bool {
		r, ok := at(p, k).Read(c.Metric, c.Facility)
		return ok && c.holds(r.Value)
	}
	lo, hi := 1e-6, 1.0
	if !holds(1) {
		lo, hi = 1, 1e4
	}
	if holds(lo) || !holds(hi) {
		return 0, false
	}
	for range 70 {
		mid := math.Sqrt(lo * hi)
		if holds(mid) {
			hi = mid
		} else {
			lo = mid
		}
	}
	return hi, true
}

// Path is how prices move from today on: growth a year, continuous.
type Path struct {
	Days      int     // horizon
	Price     float64 // of a bitcoin
	Hashprice float64 // what difficulty adds to it: -0.3 when difficulty grows by about 35 % a year
}

// daysTo rolls the position forward, day by day: prices follow the path, the
// run rate is earned, what falls due is paid, and coins are kept. It returns
// the first day on which the covenant does not hold.
func (p Position) daysTo(c Covenant, path Path) (int, bool) {
	cash := p.Cash.Float()
	for d := 0; d <= path.Days; d++ {
		t := float64(d) / 365
		q := p.AtHashprice(math.Exp(path.Hashprice * t)).At(math.Exp(path.Price * t))
		q.On = p.On + Date(d)
		if d > 0 {
			in, err := q.Income()
			if err != nil {
				return 0, false
			}
			cash += in.CFADS.Float()/365 - p.Book.Due(q.On-1, q.On).Cash.Float()
			q.Cash = unit.Money{Minor: roundHalfEven(cash * minorUnits(p.Book.Currency)), Currency: p.Book.Currency}
		}
		if r, ok := q.Read(c.Metric, c.Facility); ok && !c.holds(r.Value) {
			return d, true
		}
	}
	return 0, false
}

func minorUnits(c unit.Currency) float64 { return math.Pow10(c.Digits()) }
