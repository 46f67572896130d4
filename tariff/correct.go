package tariff

import (
	"fmt"
	"strings"
	"time"

	"ballast/unit"
)

// Correct compares a statement as it was issued with the same month settled
// anew, after a price or a meter reading was revised, and gives a line for each
// difference. The issued statement stays as it is; the lines go on a later one,
// in State.Corrections. before holds the corrections of the month that were
// issued already, so that none is made twice.
func Correct(issued, revised *Statement, before []Line) ([]Line, error) {
	if issued.Contract != revised.Contract || issued.Month != revised.Month || issued.Currency != revised.Currency {
		return nil, fmt.Errorf("a statement of %s for %s is not corrected by one of %s for %s", issued.Contract, issued.Month, revised.Contract, revised.Month)
	}
	type key struct {
		part, what string
		from       time.Time
	}
	keyOf := func(l *Line) key { return key{l.Part, l.What, l.From.UTC()} }
	was, is := map[key]*Line{}, map[key]*Line{}
	var order []key
	for i := range revised.Lines {
		if l := &revised.Lines[i]; l.Kind != Correction {
			is[keyOf(l)] = l
			order = append(order, keyOf(l))
		}
	}
	for i := range issued.Lines {
		if l := &issued.Lines[i]; l.Kind != Correction {
			was[keyOf(l)] = l
			if is[keyOf(l)] == nil {
				order = append(order, keyOf(l))
			}
		}
	}
	billed := map[key]int64{}
	for i := range before {
		if l := &before[i]; l.Corrects != nil && *l.Corrects == issued.Month {
			billed[keyOf(l)] += l.Amount.Minor
		}
	}
	var out []Line
	for _, k := range order {
		a, z := was[k], is[k]
		due := -billed[k]
		l := Line{Kind: Correction, Status: Settled}
		if a != nil {
			due -= a.Amount.Minor
			l.Part, l.What, l.From, l.To = a.Part, a.What, a.From, a.To
		}
		if z != nil {
			due += z.Amount.Minor
			l.Part, l.What, l.From, l.To, l.Status, l.Source = z.Part, z.What, z.From, z.To, z.Status, z.Source
		}
		if due == 0 {
			continue
		}
		month := issued.Month
		l.Corrects = &month
		l.Amount = unit.Money{Minor: due, Currency: issued.Currency}
		diff := ExactInt(due).Rat()
		for range issued.Currency.Digits() {
			diff.Quo(diff, ExactInt(10).Rat())
		}
		l.Quantity, l.Unit, l.Rate, l.Unrounded = ExactInt(1), "correction", Exact{diff}, Exact{diff}
		l.Note = fmt.Sprintf("%s was %s, is %s", month, said(a), said(z))
		if billed[k] != 0 {
			l.Note += fmt.Sprintf("; corrected before by %v", unit.Money{Minor: billed[k], Currency: issued.Currency})
		}
		out = append(out, l)
	}
	return out, nil
}

func said(l *Line) string {
	if l == nil {
		return "not charged"
	}
	return l.Explain()
}

// Explain says how the amount comes about: "744 MWh x 42.1 USD/MWh = $31322.40".
func (l *Line) Explain() string {
	var b strings.Builder
	q, r := l.Quantity.String(), l.Rate.String()
	switch l.Unit {
	case "correction":
		return l.Note
	case string(l.Amount.Currency):
		fmt.Fprintf(&b, "%s %s x %s", q, l.Unit, r)
	default:
		fmt.Fprintf(&b, "%s %s x %s %s/%s", q, l.Unit, r, l.Amount.Currency, strings.TrimSuffix(l.Unit, "s"))
		if l.Averaged {
			fmt.Fprintf(&b, " (average of %d intervals)", l.Intervals)
		}
	}
	if l.Factor.r != nil {
		fmt.Fprintf(&b, " x %s", l.Factor.r.RatString())
	}
	fmt.Fprintf(&b, " = %v", l.Amount)
	if rounded := l.Unrounded.String(); rounded != exactMoney(l.Amount).String() {
		fmt.Fprintf(&b, ", from %s", rounded)
	}
	if l.Status >= Estimated {
		fmt.Fprintf(&b, " (%v)", l.Status)
	}
	return b.String()
}

func exactMoney(m unit.Money) Exact {
	r := ExactInt(m.Minor).Rat()
	for range m.Currency.Digits() {
		r.Quo(r, ExactInt(10).Rat())
	}
	return Exact{r}
}
