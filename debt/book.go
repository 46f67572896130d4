package debt

import (
	"errors"
	"fmt"
	"slices"

	"ballast/unit"
)

// Book is all facilities with their schedules, in one currency.
type Book struct {
	Currency  unit.Currency
	Schedules []Schedule
}

// NewBook reckons the schedules of all facilities. All must be in one currency
// and have ids of their own; everything that is wrong is told together, and
// then there is no book.
func NewBook(fs []Facility, c unit.Currency, env Env) (Book, error) {
	b := Book{Currency: c}
	var bad []error
	seen := map[string]bool{}
	for _, f := range fs {
		if f.Principal.Currency != c {
			bad = append(bad, fmt.Errorf("facility %q is in %s: %w", f.ID, f.Principal.Currency, unit.ErrCurrency))
			continue
		}
		if seen[f.ID] {
			bad = append(bad, fmt.Errorf("facility %q is there twice: %w", f.ID, ErrInvalid))
			continue
		}
		seen[f.ID] = true
		s, err := f.Schedule(env)
		if err != nil {
			bad = append(bad, err)
			continue
		}
		b.Schedules = append(b.Schedules, s)
	}
	if len(bad) > 0 {
		return Book{}, errors.Join(bad...)
	}
	return b, nil
}

// Balance is what is owed on all facilities.
func (b Book) Balance(on Date) unit.Money {
	m := unit.Money{Currency: b.Currency}
	for _, s := range b.Schedules {
		m.Minor += s.Balance(on).Minor
	}
	return m
}

// Due adds up what falls due after from, up to and including to.
func (b Book) Due(from, to Date) Service {
	z := unit.Money{Currency: b.Currency}
	v := Service{z, z, z, z}
	for _, s := range b.Schedules {
		d := s.Due(from, to)
		v.Interest.Minor += d.Interest.Minor
		v.Principal.Minor += d.Principal.Minor
		v.Fees.Minor += d.Fees.Minor
		v.Cash.Minor += d.Cash.Minor
	}
	return v
}

// WallPart is one period of the maturity wall.
type WallPart struct {
	From, To Date // after From, up to and including To
	Service  Service
	By       map[string]unit.Money // cash due, by facility
}

// Wall is what falls due in each of n periods of so many months from a day on.
func (b Book) Wall(from Date, months, n int) []WallPart {
	out := make([]WallPart, 0, max(0, n))
	for i := range n {
		p := WallPart{From: from.AddMonths(i * months), To: from.AddMonths((i + 1) * months), By: map[string]unit.Money{}}
		p.Service = b.Due(p.From, p.To)
		for _, s := range b.Schedules {
			if d := s.Due(p.From, p.To); d.Cash.Minor != 0 {
				p.By[s.Facility.ID] = d.Cash
			}
		}
		out = append(out, p)
	}
	return out
}

// Default is a facility that falls due because another did.
type Default struct {
	Facility string
	Because  string // the facility whose default reached it; empty for the first
	Round    int    // 0 for the first
	Amount   unit.Money
}

// Contagion follows cross-default clauses from the facilities that default
// first: who falls due, through whom, with what balance. A facility of a
// company of its own reaches its parent only where a clause names it or the
// parent guarantees it.
func (b Book) Contagion(on Date, first ...string) []Default {
	down := map[string]bool{}
	var out []Default
	var next []Schedule
	fall := func(s Schedule, because string, round int) {
		id := s.Facility.ID
		if down[id] || s.Balance(on).Minor == 0 {
			return
		}
		down[id] = true
		out = append(out, Default{id, because, round, s.Balance(on)})
		next = append(next, s)
	}
	for _, s := range b.Schedules {
		if slices.Contains(first, s.Facility.ID) {
			fall(s, "", 0)
		}
	}
	for round := 1; len(next) > 0; round++ {
		fallen := next
		next = nil
		for _, s := range b.Schedules {
			for _, d := range fallen {
				if reaches(s.Facility, d.Facility, d.Balance(on)) {
					fall(s, d.Facility.ID, round)
				}
			}
		}
	}
	return out
}

func reaches(f, fallen Facility, amount unit.Money) bool {
	if f.ID == fallen.ID || amount.Minor < f.Cross.Threshold.Minor {
		return false
	}
	if slices.Contains(f.Cross.Of, fallen.ID) {
		return true
	}
	return f.Cross.Any && (fallen.Obligor == f.Obligor || fallen.Recourse == FullRecourse && fallen.Guarantor == f.Obligor && fallen.Guarantor != "")
}
