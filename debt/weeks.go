package debt

import (
	"errors"
	"fmt"
	"math/big"
	"slices"

	"ballast/market"
	"ballast/unit"
)

// Line is a line of the thirteen-week cash flow.
type Line string

// The lines, receipts first.
const (
	CoinSales    Line = "coin sales"
	HostingIn    Line = "hosting received"
	AIIn         Line = "AI received"
	GridIn       Line = "demand response and power sales"
	NewDebt      Line = "debt drawn"
	NewEquity    Line = "equity"
	OtherIn      Line = "other receipts"
	PowerOut     Line = "power"
	HostingOut   Line = "hosting paid"
	Payroll      Line = "payroll"
	Repair       Line = "repair and spares"
	Admin        Line = "administration"
	TaxOut       Line = "taxes"
	Capex        Line = "machines and sites"
	Tariffs      Line = "customs, contingent"
	InterestOut  Line = "interest"
	PrincipalOut Line = "principal"
	FeesOut      Line = "fees to lenders"
	OtherOut     Line = "other payments"
)

// Lines in the order of a statement; receipts are those before [PowerOut].
var Lines = []Line{CoinSales, HostingIn, AIIn, GridIn, NewDebt, NewEquity, OtherIn, PowerOut, HostingOut, Payroll, Repair, Admin, TaxOut, Capex, Tariffs, InterestOut, PrincipalOut, FeesOut, OtherOut}

// Receipt tells whether money comes in on this line.
func (l Line) Receipt() bool { return slices.Index(Lines, l) < slices.Index(Lines, PowerOut) }

// Flow is one dated amount, positive whichever way it goes; the line says.
type Flow struct {
	On     Date
	Line   Line
	Amount unit.Money
	Note   string
}

// Selling is what happens to coins as they are mined.
type Selling struct {
	Share Rate // of each week's production that is sold
	// Floor: when cash at the end of the week would be under it, coins are
	// sold from stock as well, as far as they go.
	Floor unit.Money
}

// WeekPlan is what thirteen weeks are laid out from.
type WeekPlan struct {
	From  Date // first day of the first week
	Weeks int  // 13 when zero
	Cash  unit.Money
	Coins unit.Money // BTC in stock
	// Hashrate that runs on a day, and what 1 PH/s earns on it in satoshi:
	// both carry retargets, halvings and curtailment.
	Hashrate    func(Date) unit.Hashrate
	SatPerPHDay func(Date) float64
	Price       func(Date) unit.Money // of a bitcoin
	Selling     Selling
	Flows       []Flow
	Book        Book // its service is added, drawdowns included
}

// Week is one column. All amounts balance to the cent and the satoshi:
//
//	Closing = Opening + receipts - payments
//	CoinsClosing = CoinsOpening + Mined - Sold
type Week struct {
	From, To     Date // both included
	Opening      unit.Money
	By           map[Line]unit.Money
	Closing      unit.Money
	CoinsOpening unit.Money
	Mined, Sold  unit.Money
	CoinsClosing unit.Money
	ShortOfFloor unit.Money // by how much cash stays under the floor with all coins sold
	Overdrawn    bool       // cash under zero: the plan does not hold
}

// Receipts and payments of a week.
func (w Week) Receipts() unit.Money { return w.sum(true) }

// Payments is the sum of all that is paid.
func (w Week) Payments() unit.Money { return w.sum(false) }

func (w Week) sum(receipts bool) unit.Money {
	m := unit.Money{Currency: w.Opening.Currency}
	for l, v := range w.By {
		if l.Receipt() == receipts {
			m.Minor += v.Minor
		}
	}
	return m
}

// Weeks lays the plan out, week by week. Coins are sold at each week's last
// day's price.
func Weeks(p WeekPlan) ([]Week, error) {
	c := p.Cash.Currency
	if p.Weeks == 0 {
		p.Weeks = 13
	}
	var bad []error
	for i, f := range p.Flows {
		if f.Amount.Currency != c || f.Amount.Minor < 0 || !slices.Contains(Lines, f.Line) {
			bad = append(bad, fmt.Errorf("flow %d: %s of %s: %w", i, f.Line, f.Amount, ErrInvalid))
		}
	}
	if p.Weeks < 1 || p.Weeks > 104 || c == "" || p.Coins.Currency != unit.BTC || p.Coins.Minor < 0 || p.Hashrate == nil || p.SatPerPHDay == nil || p.Price == nil ||
		p.Selling.Share < 0 || p.Selling.Share > million || p.Selling.Floor.Minor < 0 || p.Selling.Floor.Minor > 0 && p.Selling.Floor.Currency != c ||
		len(p.Book.Schedules) > 0 && p.Book.Currency != c {
		bad = append(bad, fmt.Errorf("plan of %d weeks from %s: %w", p.Weeks, p.From, ErrInvalid))
	}
	if len(bad) > 0 {
		return nil, errors.Join(bad...)
	}
	cash, coins := p.Cash, p.Coins
	out := make([]Week, 0, p.Weeks)
	for i := range p.Weeks {
		w := Week{From: p.From + Date(7*i), To: p.From + Date(7*i+6), Opening: cash, By: map[Line]unit.Money{}, CoinsOpening: coins}
		add := func(l Line, m int64) {
			if m != 0 {
				w.By[l] = unit.Money{Minor: w.By[l].Minor + m, Currency: c}
			}
		}
		for _, f := range p.Flows {
			if f.On >= w.From && f.On <= w.To {
				add(f.Line, f.Amount.Minor)
			}
		}
		for _, s := range p.Book.Schedules {
			for _, x := range s.Payments {
				if x.Due < w.From || x.Due > w.To || x.InKind.Minor != 0 {
					continue
				}
				add(NewDebt, x.Drawn.Minor)
				add(InterestOut, x.Interest.Minor-x.Capitalised.Minor)
				add(PrincipalOut, x.Principal.Minor+x.Swept.Minor)
				add(FeesOut, x.Fees.Minor)
			}
		}
		mined, err := p.mined(w.From, w.To)
		if err != nil {
			return nil, err
		}
		price := p.Price(w.To)
		if price.Currency != c || price.Minor <= 0 {
			return nil, fmt.Errorf("price of a bitcoin on %s is %s: %w", w.To, price, ErrInvalid)
		}
		stock := coins.Minor + mined
		sold, err := share(mined, p.Selling.Share.Rat())
		if err != nil {
			return nil, err
		}
		before := cash.Minor + w.Receipts().Minor - w.Payments().Minor
		proceeds := func(sat int64) (int64, error) {
			m, err := price.Times(big.NewRat(sat, market.Coin))
			return m.Minor, err
		}
		got, err := proceeds(sold)
		if err != nil {
			return nil, err
		}
		if short := p.Selling.Floor.Minor - before; short > got && sold < stock {
			// As many as bring what is missing, to the satoshi.
			need := new(big.Rat).Quo(unit.Money{Minor: short, Currency: c}.Rat(), price.Rat())
			sold = max(sold, min(stock, ceilMinor(need, unit.BTC)))
			if got, err = proceeds(sold); err != nil {
				return nil, err
			}
		}
		add(CoinSales, got)
		cash = unit.Money{Minor: before + got, Currency: c}
		coins = unit.Money{Minor: stock - sold, Currency: unit.BTC}
		w.Closing, w.CoinsClosing = cash, coins
		w.Mined, w.Sold = unit.Money{Minor: mined, Currency: unit.BTC}, unit.Money{Minor: sold, Currency: unit.BTC}
		w.ShortOfFloor = unit.Money{Minor: max(0, p.Selling.Floor.Minor-cash.Minor), Currency: c}
		w.Overdrawn = cash.Minor < 0
		out = append(out, w)
	}
	return out, nil
}

// mined is a span of days' production in whole satoshi, rounded down day by day
// as pools pay.
func (p WeekPlan) mined(from, to Date) (int64, error) {
	var sum int64
	for d := from; d <= to; d++ {
		v := p.Hashrate(d).PH() * p.SatPerPHDay(d)
		if !(v >= 0) || v > 21e14 {
			return 0, fmt.Errorf("production of %v satoshi on %s: %w", v, d, ErrInvalid)
		}
		sum += int64(v)
	}
	return sum, nil
}
