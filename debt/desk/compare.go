package desk

import (
	"encoding/json"
	"fmt"
	"slices"

	"ballast/debt"
	"ballast/market"
)

// Action is what a line of a file does to the book.
type Action string

// The actions.
const (
	Adds    Action = "adds"
	Changes Action = "changes"
	Same    Action = "same"
)

// ChangeLine is what one line of a file would change.
type ChangeLine struct {
	Line   int           `json:"line"`
	Action Action        `json:"action" enum:"adds,changes,same"`
	Name   string        `json:"name"`
	Text   string        `json:"text" doc:"What stands there afterwards, in a few words."`
	Fields []FieldChange `json:"fields" doc:"Of what changes."`
}

// FieldChange is one field of something that changes.
type FieldChange struct {
	Field string `json:"field"`
	Was   string `json:"was"`
	Now   string `json:"now"`
}

// Compare says what a draft would change, line by line, and returns the draft
// with what is the same already left out. An error of a line that only the book
// can tell (a payment on a facility that is not there) leaves nothing.
func Compare(b Book, d Draft) (Draft, []ChangeLine, []LineError) {
	if d.Kind == Covenants {
		bad := d.mergeCovenants(b)
		if len(bad) > 0 {
			return Draft{Kind: d.Kind}, nil, bad
		}
	}
	out := Draft{Kind: d.Kind}
	var lines []ChangeLine
	var bad []LineError
	n := 0
	line := func() int {
		n++
		if d.Kind != Covenants && n <= len(d.lines) {
			return d.lines[n-1]
		}
		return 0
	}
	for _, f := range d.Facilities {
		l := line()
		i := slices.IndexFunc(b.Facilities, func(x Recorded) bool { return x.ID == f.ID })
		if i < 0 {
			lines = append(lines, ChangeLine{l, Adds, f.ID, facilityText(f), []FieldChange{}})
			out.Facilities = append(out.Facilities, f)
			continue
		}
		if d.Kind == Facilities {
			f = keepUnsaid(b.Facilities[i].Facility, f)
		}
		if diff := fields(b.Facilities[i].Facility, f); len(diff) > 0 {
			lines = append(lines, ChangeLine{l, Changes, f.ID, facilityText(f), diff})
			out.Facilities = append(out.Facilities, f)
		} else {
			lines = append(lines, ChangeLine{l, Same, f.ID, facilityText(f), []FieldChange{}})
		}
	}
	out.Balances = compared(line, &lines, b.Balances, d.Balances, balanceKey, func(x Balance) string { return Full(x.Amount) })
	out.Flows = compared(line, &lines, b.Flows, d.Flows, flowKey, func(x Flow) string { return Full(x.Amount) + every(x) })
	for i, p := range d.Paid {
		if !slices.ContainsFunc(b.Facilities, func(x Recorded) bool { return x.ID == p.Facility }) {
			bad = append(bad, LineError{d.lines[i], "facility", p.Facility, "is no facility of the register"})
		}
	}
	out.Paid = compared(line, &lines, b.Paid, d.Paid, paidKey, func(x Paid) string { return Full(x.Amount) })
	out.Rates = compared(line, &lines, b.Rates, d.Rates, rateKey, func(x RatePoint) string { return x.Rate.String() })
	out.Rigs = compared(line, &lines, b.Rigs, d.Rigs, rigKey, func(x market.RigPrice) string { return x.Rate.String() })
	if len(bad) > 0 {
		return Draft{Kind: d.Kind}, nil, bad
	}
	return out, lines, nil
}

// Empty tells whether the draft holds nothing.
func (d Draft) Empty() bool {
	return len(d.Facilities)+len(d.Balances)+len(d.Flows)+len(d.Paid)+len(d.Rates)+len(d.Rigs) == 0
}

func facilityText(f debt.Facility) string {
	return fmt.Sprintf("%s of %s, %s to %s", f.Kind, Full(f.Principal), f.Drawn, f.Maturity)
}

func every(f Flow) string {
	if f.Every == "" {
		return ""
	}
	out := ", every " + string(f.Every)
	if f.Until != 0 {
		out += " until " + f.Until.String()
	}
	return out
}

func compared[T any](line func() int, lines *[]ChangeLine, have, want []T, key, text func(T) string) []T {
	at := map[string]T{}
	for _, x := range have {
		at[key(x)] = x
	}
	var out []T
	for _, x := range want {
		l := line()
		old, ok := at[key(x)]
		switch diff := fields(old, x); {
		case !ok:
			*lines = append(*lines, ChangeLine{l, Adds, key(x), text(x), []FieldChange{}})
			out = append(out, x)
		case len(diff) > 0:
			*lines = append(*lines, ChangeLine{l, Changes, key(x), text(x), diff})
			out = append(out, x)
		default:
			*lines = append(*lines, ChangeLine{l, Same, key(x), text(x), []FieldChange{}})
		}
	}
	return out
}

// fields are those of two values that differ, as their JSON says them.
func fields(was, now any) []FieldChange {
	a, b := object(was), object(now)
	var names []string
	for n := range a {
		names = append(names, n)
	}
	for n := range b {
		if _, ok := a[n]; !ok {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	var out []FieldChange
	for _, n := range names {
		if n == "id" {
			continue
		}
		if x, y := string(a[n]), string(b[n]); x != y {
			out = append(out, FieldChange{n, plainJSON(x), plainJSON(y)})
		}
	}
	return out
}

func object(v any) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	b, err := json.Marshal(v)
	if err == nil {
		_ = json.Unmarshal(b, &out) // what is no object has no fields
	}
	return out
}

func plainJSON(s string) string {
	var text string
	if json.Unmarshal([]byte(s), &text) == nil {
		return text
	}
	return s
}

// keepUnsaid keeps of a facility what the columns of a file cannot say.
func keepUnsaid(old, f debt.Facility) debt.Facility {
	f.Covenants = old.Covenants
	for _, fee := range old.Fees {
		if fee.Amount.Minor != 0 || fee.Kind == debt.SweepFee {
			if i := slices.IndexFunc(f.Fees, func(x debt.Fee) bool { return x.Kind == fee.Kind }); i >= 0 {
				f.Fees[i].Amount = fee.Amount
			} else {
				f.Fees = append(f.Fees, debt.Fee{Kind: fee.Kind, Amount: fee.Amount, Rate: sweepRate(fee)})
			}
		}
	}
	for _, c := range old.Secured {
		if c.Kind == debt.CashCollateral || c.Kind == debt.SiteCollateral {
			f.Secured = append(f.Secured, c)
		}
	}
	if f.Convert != nil && old.Convert != nil {
		f.Convert.Cap, f.Convert.Cash, f.Convert.From = old.Convert.Cap, old.Convert.Cash, old.Convert.From
	}
	return f
}

func sweepRate(f debt.Fee) debt.Rate {
	if f.Kind == debt.SweepFee {
		return f.Rate
	}
	return 0
}

// mergeCovenants turns a file of covenants into facilities with them: those of
// the same id are replaced, others stay.
func (d *Draft) mergeCovenants(b Book) []LineError {
	var bad []LineError
	by := map[string]int{}
	for i, c := range d.covenants {
		k := slices.IndexFunc(b.Facilities, func(x Recorded) bool { return x.ID == c.facility })
		if k < 0 {
			bad = append(bad, LineError{d.lines[i], "facility", c.facility, "is no facility of the register"})
			continue
		}
		if of := c.covenant.Facility; of != "" && !slices.ContainsFunc(b.Facilities, func(x Recorded) bool { return x.ID == of }) {
			bad = append(bad, LineError{d.lines[i], "of", of, "is no facility of the register"})
			continue
		}
		at, ok := by[c.facility]
		if !ok {
			f := b.Facilities[k].Facility
			f.Covenants = slices.Clone(f.Covenants)
			at = len(d.Facilities)
			by[c.facility] = at
			d.Facilities = append(d.Facilities, f)
		}
		f := &d.Facilities[at]
		if j := slices.IndexFunc(f.Covenants, func(x debt.Covenant) bool { return x.ID == c.covenant.ID }); j >= 0 {
			f.Covenants[j] = c.covenant
		} else {
			f.Covenants = append(f.Covenants, c.covenant)
		}
	}
	return bad
}

// With is the book with a draft in it, to see what it would do.
func (b Book) With(d Draft, s Source) Book {
	out := b
	out.Facilities = slices.Clone(b.Facilities)
	for _, f := range d.Facilities {
		if i := slices.IndexFunc(out.Facilities, func(x Recorded) bool { return x.ID == f.ID }); i >= 0 {
			out.Facilities[i].Facility = f
		} else {
			out.Facilities = append(out.Facilities, Recorded{f, 0, s})
		}
	}
	out.Balances = over(b.Balances, d.Balances, balanceKey, func(x Balance) Balance { x.Source = s; x.Source.At = x.On.Time(); return x })
	out.Flows = over(b.Flows, d.Flows, flowKey, func(x Flow) Flow { x.Source = s; return x })
	out.Paid = over(b.Paid, d.Paid, paidKey, func(x Paid) Paid { x.Source = s; return x })
	out.Rates = over(b.Rates, d.Rates, rateKey, func(x RatePoint) RatePoint { x.Source = s; return x })
	out.Rigs = over(b.Rigs, d.Rigs, rigKey, func(x market.RigPrice) market.RigPrice { return x })
	return out
}

func over[T any](have, more []T, key func(T) string, set func(T) T) []T {
	out := slices.Clone(have)
	for _, x := range more {
		if i := slices.IndexFunc(out, func(y T) bool { return key(y) == key(x) }); i >= 0 {
			out[i] = set(x)
		} else {
			out = append(out, set(x))
		}
	}
	return out
}
