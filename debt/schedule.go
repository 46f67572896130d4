package debt

import (
	"fmt"
	"math/big"

	"ballast/unit"
)

// Env is what a schedule needs from outside.
type Env struct {
	// Index is a reference rate on a day.
	Index func(name string, on Date) (Rate, bool)
	// Excess is the cash that a sweep takes its share of, for a facility at a
	// payment. Nil: none.
	Excess func(facility string, due Date) unit.Money
}

// Payment is one line of a schedule. All amounts are of one currency, and
//
//	Closing = Opening + Drawn + Capitalised - Principal - Swept
//	Cash    = Interest - Capitalised + Principal + Swept + Fees - InKind
type Payment struct {
	From, Due   Date
	Rate        Rate
	Opening     unit.Money
	Drawn       unit.Money
	Interest    unit.Money
	Capitalised unit.Money // of the interest, added to principal
	Principal   unit.Money // as the contract has it
	Swept       unit.Money // beyond that, from excess cash
	Fees        unit.Money
	InKind      unit.Money // paid in service
	Cash        unit.Money // what leaves the account
	Closing     unit.Money
}

// Schedule is a facility's payments in order. The first line is the drawdown.
type Schedule struct {
	Facility Facility
	Payments []Payment
}

// dues are the dates of payments: every so many months, counted back from
// maturity so that the last falls on it, a short first period if need be. In
// advance, each payment is at the start of its period.
func (f Facility) dues() []Date {
	var back []Date
	for k := 0; ; k++ {
		d := f.Maturity.AddMonths(-k * f.Repayment.Months)
		if d <= f.Drawn {
			break
		}
		back = append(back, d)
	}
	n := len(back)
	out := make([]Date, n)
	for i := range out {
		out[i] = back[n-1-i]
	}
	if f.Repayment.Advance {
		out = append([]Date{f.Drawn}, out[:n-1]...)
	}
	return out
}

// Schedule computes every payment to the cent: interest and fees are rounded
// once, half to even; what rounding leaves of the principal is in the last
// payment, after which nothing is owed.
func (f Facility) Schedule(env Env) (Schedule, error) {
	if err := f.Check(); err != nil {
		return Schedule{}, err
	}
	b := builder{f: f, env: env, c: f.Principal.Currency, dues: f.dues()}
	return b.run()
}

type builder struct {
	f     Facility
	env   Env
	c     unit.Currency
	dues  []Date
	level int64 // of an annuity, and the rate it was reckoned with
	at    Rate
	set   bool
}

func (b *builder) money(minor int64) unit.Money { return unit.Money{Minor: minor, Currency: b.c} }

func (b *builder) run() (Schedule, error) {
	f := b.f
	balance := f.Principal.Minor
	up, err := b.fee(UpfrontFee, balance)
	if err != nil {
		return Schedule{}, err
	}
	line := func(from, due Date) Payment {
		z := b.money(0)
		return Payment{From: from, Due: due, Opening: z, Drawn: z, Interest: z, Capitalised: z, Principal: z, Swept: z, Fees: z, InKind: z, Cash: z, Closing: z}
	}
	first := line(f.Drawn, f.Drawn)
	first.Drawn, first.Closing, first.Fees, first.Cash = f.Principal, f.Principal, b.money(up), b.money(up)
	s := Schedule{Facility: f, Payments: []Payment{first}}
	from := f.Drawn
	for i, due := range b.dues {
		p := line(from, due)
		if p.Rate, err = b.rate(from); err != nil {
			return Schedule{}, err
		}
		year, err := b.year(from, due)
		if err != nil {
			return Schedule{}, err
		}
		last := i == len(b.dues)-1
		interest, err := share(balance, new(big.Rat).Mul(p.Rate.Rat(), year))
		if err != nil {
			return Schedule{}, fmt.Errorf("facility %q: %w", f.ID, err)
		}
		capital := int64(0)
		if !last {
			if capital, err = share(interest, f.Repayment.Capitalised.Rat()); err != nil {
				return Schedule{}, err
			}
		}
		principal, err := b.principal(i, balance, interest, p.Rate)
		if err != nil {
			return Schedule{}, err
		}
		owed := balance + capital
		if last {
			principal = owed
		}
		principal = min(principal, owed)
		swept := int64(0)
		if f.Repayment.Sweep > 0 && b.env.Excess != nil && !last {
			x := b.env.Excess(f.ID, due)
			if x.Minor > 0 && x.Currency == b.c {
				if swept, err = share(x.Minor, f.Repayment.Sweep.Rat()); err != nil {
					return Schedule{}, err
				}
			}
			swept = min(swept, owed-principal)
		}
		fees, err := b.fees(balance, swept, year, last)
		if err != nil {
			return Schedule{}, err
		}
		p.Opening, p.Interest, p.Capitalised, p.Principal, p.Swept, p.Fees = b.money(balance), b.money(interest), b.money(capital), b.money(principal), b.money(swept), b.money(fees)
		balance = owed - principal - swept
		p.Closing = b.money(balance)
		cash := interest - capital + principal + swept + fees
		if f.InKind() {
			p.InKind = b.money(cash)
			cash = 0
		}
		p.Cash = b.money(cash)
		s.Payments = append(s.Payments, p)
		from = p.Due
		if balance == 0 && !last && !f.Repayment.Advance {
			break // swept away early
		}
	}
	return s, nil
}

// rate is what the period that starts on a day costs.
func (b *builder) rate(on Date) (Rate, error) {
	i := b.f.Interest
	if i.Index == "" {
		return i.Fixed, nil
	}
	if b.env.Index == nil {
		return 0, fmt.Errorf("facility %q: %s on %s: %w", b.f.ID, i.Index, on, ErrNoIndex)
	}
	r, ok := b.env.Index(i.Index, on)
	if !ok {
		return 0, fmt.Errorf("facility %q: %s on %s: %w", b.f.ID, i.Index, on, ErrNoIndex)
	}
	if floor, ok := i.Floor.Get(); ok {
		r = max(r, floor)
	}
	r += i.Margin
	if limit, ok := i.Cap.Get(); ok {
		r = min(r, limit)
	}
	return max(0, r), nil
}

// year is the part of a year that a payment accrues for.
func (b *builder) year(from, due Date) (*big.Rat, error) {
	if b.f.Interest.DayCount == Periods {
		if due == from {
			return new(big.Rat), nil
		}
		return big.NewRat(int64(b.f.Repayment.Months), 12), nil
	}
	return b.f.Interest.DayCount.Fraction(from, due)
}

// principal is what the contract has payment i pay back.
func (b *builder) principal(i int, balance, interest int64, rate Rate) (int64, error) {
	r := b.f.Repayment
	n := len(b.dues)
	switch {
	case i < r.InterestOnly:
		return 0, nil
	case r.Shape == Bullet:
		return 0, nil
	case r.Shape == Stated:
		if k := i - r.InterestOnly; k < len(r.Shares) {
			return share(b.f.Principal.Minor, r.Shares[k].Rat())
		}
		return 0, nil
	case r.Shape == Linear:
		left := int64(n - i)
		return max(0, balance-r.Balloon.Minor) / left, nil
	}
	if !b.set || rate != b.at {
		level, err := b.annuity(i, balance, rate)
		if err != nil {
			return 0, err
		}
		b.level, b.at, b.set = level, rate, true
	}
	return min(max(0, b.level-interest), max(0, balance-r.Balloon.Minor)), nil
}

// annuity is the level payment, in cents, that pays balance down to the balloon
// over the payments from i on: the discounted balance over the sum of the
// discount factors. It is rounded up, so that the last payment is the smaller
// one.
func (b *builder) annuity(i int, balance int64, rate Rate) (int64, error) {
	from := b.f.Drawn
	if i > 0 {
		from = b.dues[i-1]
	}
	v, sum := 1.0, 0.0
	for k := i; k < len(b.dues); k++ {
		year, err := b.year(from, b.dues[k])
		if err != nil {
			return 0, err
		}
		y, _ := year.Float64()
		v /= 1 + rate.Float()*y
		sum += v
		from = b.dues[k]
	}
	level := (float64(balance) - float64(b.f.Repayment.Balloon.Minor)*v) / sum
	whole := int64(level)
	if float64(whole) < level {
		whole++
	}
	return whole, nil
}

func (b *builder) fee(kind FeeKind, on int64) (int64, error) {
	var sum int64
	for _, fee := range b.f.Fees {
		if fee.Kind == kind {
			v, err := share(on, fee.Rate.Rat())
			if err != nil {
				return 0, err
			}
			sum += v + fee.Amount.Minor
		}
	}
	return sum, nil
}

func (b *builder) fees(balance, swept int64, year *big.Rat, last bool) (int64, error) {
	var sum int64
	for _, fee := range b.f.Fees {
		var v int64
		var err error
		switch fee.Kind {
		case AnnualFee:
			v, err = share(balance, new(big.Rat).Mul(fee.Rate.Rat(), year))
		case SweepFee:
			if swept > 0 {
				v, err = share(swept, fee.Rate.Rat())
				v += fee.Amount.Minor
			}
		case ExitFee:
			if last {
				v, err = share(b.f.Principal.Minor, fee.Rate.Rat())
				v += fee.Amount.Minor
			}
		}
		if err != nil {
			return 0, err
		}
		sum += v
	}
	return sum, nil
}

// Balance is what is owed at the end of a day, without interest that accrued
// since the last payment: nothing before the drawdown.
func (s Schedule) Balance(on Date) unit.Money {
	m := unit.Money{Currency: s.Facility.Principal.Currency}
	for _, p := range s.Payments {
		if p.Due > on {
			break
		}
		m = p.Closing
	}
	return m
}

// Accrued is the interest since the last payment, to the cent.
func (s Schedule) Accrued(on Date) (unit.Money, error) {
	zero := unit.Money{Currency: s.Facility.Principal.Currency}
	for i := 1; i < len(s.Payments); i++ {
		p := s.Payments[i]
		if on < p.From || on >= p.Due {
			continue
		}
		days := big.NewRat(int64(on-p.From), int64(p.Due-p.From))
		v, err := share(p.Interest.Minor, days)
		return unit.Money{Minor: v, Currency: zero.Currency}, err
	}
	return zero, nil
}

// Service is what falls due in a span of days.
type Service struct {
	Interest, Principal, Fees, Cash unit.Money
}

// Due adds up the payments after from, up to and including to. Interest is what
// is paid in cash: neither what is capitalised nor what is owed in service,
// which is not in Cash either.
func (s Schedule) Due(from, to Date) Service {
	c := s.Facility.Principal.Currency
	z := unit.Money{Currency: c}
	v := Service{z, z, z, z}
	for _, p := range s.Payments {
		if p.Due <= from || p.Due > to {
			continue
		}
		if p.InKind.Minor == 0 {
			v.Interest.Minor += p.Interest.Minor - p.Capitalised.Minor
		}
		v.Principal.Minor += p.Principal.Minor + p.Swept.Minor
		v.Fees.Minor += p.Fees.Minor
		v.Cash.Minor += p.Cash.Minor
	}
	return v
}
