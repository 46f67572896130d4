package desk

import (
	"ballast/debt"
	"ballast/unit"
)

// PaidState is how a payment of a schedule stands.
type PaidState string

// The states.
const (
	Drawdown  PaidState = "drawn"
	Met       PaidState = "paid"
	PartPaid  PaidState = "part paid"
	Overdue   PaidState = "overdue"
	ToCome    PaidState = "to come"
	Unwritten PaidState = "not recorded" // due, and no payment of this facility was ever recorded
)

// Line is one payment of a schedule with what was paid on it.
type Line struct {
	debt.Payment
	Paid  unit.Money
	Short unit.Money // due by now and not paid; negative when too much was
	State PaidState
}

// Statement is a facility's account on a day. To the cent,
//
//	DueToDate = PaidToDate + Short, and the last line's balance is zero.
type Statement struct {
	Facility   Recorded
	On         debt.Date
	Lines      []Line
	Balance    unit.Money // as the contract has it
	Accrued    unit.Money
	DueToDate  unit.Money // cash, all payments up to the day
	PaidToDate unit.Money // on those
	Short      unit.Money
	Recorded   int // payments that were recorded
	Stray      []Paid
}

// StatementOf sets a facility's schedule against the payments that were made.
// Payments for a day on which nothing is due are returned as stray.
func StatementOf(f Recorded, s debt.Schedule, paid []Paid, on debt.Date) (Statement, error) {
	c := f.Principal.Currency
	zero := unit.Money{Currency: c}
	out := Statement{Facility: f, On: on, Balance: s.Balance(on), DueToDate: zero, PaidToDate: zero, Short: zero}
	var err error
	if out.Accrued, err = s.Accrued(on); err != nil {
		return out, err
	}
	byDue := map[debt.Date]int64{}
	for _, p := range paid {
		if p.Facility != f.ID {
			continue
		}
		out.Recorded++
		hit := false
		for _, x := range s.Payments {
			hit = hit || x.Due == p.Due && p.Amount.Currency == c
		}
		if !hit {
			out.Stray = append(out.Stray, p)
			continue
		}
		byDue[p.Due] += p.Amount.Minor
	}
	for _, x := range s.Payments {
		l := Line{Payment: x, Paid: zero, Short: zero}
		// Two lines may fall on one day (drawn and due): what was paid fills the
		// first, the rest goes on.
		got := min(byDue[x.Due], x.Cash.Minor)
		if last := x.Due != nextDue(s, x); last {
			got = byDue[x.Due]
		}
		byDue[x.Due] -= got
		l.Paid.Minor = got
		if x.Due <= on {
			l.Short.Minor = x.Cash.Minor - got
			out.DueToDate.Minor += x.Cash.Minor
			out.PaidToDate.Minor += got
			out.Short.Minor += l.Short.Minor
		}
		switch {
		case x.Drawn.Minor > 0 && x.Cash.Minor == 0:
			l.State = Drawdown
		case got >= x.Cash.Minor && (got > 0 || x.Due <= on):
			l.State = Met
		case got > 0:
			l.State = PartPaid
		case x.Due > on:
			l.State = ToCome
		case out.Recorded == 0:
			l.State = Unwritten
		default:
			l.State = Overdue
		}
		out.Lines = append(out.Lines, l)
	}
	return out, nil
}

// nextDue is the due day of the line after x; 0 after the last.
func nextDue(s debt.Schedule, x debt.Payment) debt.Date {
	for i, p := range s.Payments {
		if p == x && i+1 < len(s.Payments) {
			return s.Payments[i+1].Due
		}
	}
	return 0
}

// Arrear is a payment that fell due and was not made in full.
type Arrear struct {
	Facility string
	Due      debt.Payment
	Short    unit.Money
}

// arrears are payments that are due and not paid, of facilities whose payments
// are recorded at all: who records none is not in arrears for that.
func (d *Desk) arrears() []Arrear {
	var out []Arrear
	for _, s := range d.Position.Book.Schedules {
		st, err := StatementOf(d.recorded(s.Facility.ID), s, d.Book.Paid, d.On)
		if err != nil || st.Recorded == 0 {
			continue
		}
		first := firstRecorded(d.Book.Paid, s.Facility.ID)
		for _, l := range st.Lines {
			if l.Due < d.On && l.Due >= first && l.Short.Minor > 0 {
				out = append(out, Arrear{s.Facility.ID, l.Payment, l.Short})
			}
		}
	}
	return out
}

// firstRecorded is the first due day that a payment was recorded for: records
// begin there.
func firstRecorded(paid []Paid, facility string) debt.Date {
	var first debt.Date
	for _, p := range paid {
		if p.Facility == facility && (first == 0 || p.Due < first) {
			first = p.Due
		}
	}
	return first
}

func (d *Desk) recorded(id string) Recorded {
	for _, f := range d.Book.Facilities {
		if f.ID == id {
			return f
		}
	}
	return Recorded{}
}

// Statement is the account of one facility; ok is false when there is none, or
// it has no schedule.
func (d *Desk) Statement(id string) (Statement, bool) {
	for _, s := range d.Position.Book.Schedules {
		if s.Facility.ID == id {
			st, err := StatementOf(d.recorded(id), s, d.Book.Paid, d.On)
			return st, err == nil
		}
	}
	return Statement{}, false
}
