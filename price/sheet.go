package price

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"ballast/tariff"
)

// WriteLines writes a statement's lines as CSV: one a line, and the total.
func WriteLines(w io.Writer, st *tariff.Statement) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"month", "contract", "part", "kind", "what", "from", "to", "quantity", "unit", "rate", "factor", "unrounded", "amount", "currency", "status", "source", "intervals", "estimated_intervals", "unpriced_mwh", "corrects", "note"}}
	for _, l := range st.Lines {
		corrects, factor, unpriced := "", "", ""
		if l.Corrects != nil {
			corrects = l.Corrects.String()
		}
		if l.Factor.Cmp(tariff.Exact{}) != 0 {
			factor = l.Factor.String()
		}
		if l.Unpriced.Cmp(tariff.Exact{}) != 0 {
			unpriced = l.Unpriced.String()
		}
		rows = append(rows, []string{st.Month.String(), inert(st.Contract), inert(l.Part), string(l.Kind), inert(l.What), l.From.Format(time.RFC3339), l.To.Format(time.RFC3339),
			l.Quantity.String(), l.Unit, l.Rate.String(), factor, l.Unrounded.String(), l.Amount.Rat().FloatString(l.Amount.Currency.Digits()), string(l.Amount.Currency), l.Status.String(), inert(l.Source),
			strconv.Itoa(l.Intervals), strconv.Itoa(l.Estimates), unpriced, corrects, inert(l.Note)})
	}
	rows = append(rows, []string{st.Month.String(), inert(st.Contract), "total", "", "", st.From.Format(time.RFC3339), st.To.Format(time.RFC3339), "", "", "", "", "",
		st.Total.Rat().FloatString(st.Total.Currency.Digits()), string(st.Total.Currency), st.Status.String(), "", "", "", "", "", ""})
	return writeAll(out, rows)
}

// WriteIntervals writes every interval of the energy lines as CSV.
func WriteIntervals(w io.Writer, st *tariff.Statement) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"part", "what", "start", "mwh", "rate", "amount", "currency", "source", "status"}); err != nil {
		return err
	}
	for _, d := range st.Detail {
		err := out.Write([]string{inert(d.Part), inert(d.What), d.Start.Format(time.RFC3339), d.Quantity.String(), d.Rate.String(), d.Amount.String(), string(st.Currency), inert(d.Source), d.Status.String()})
		if err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func writeAll(out *csv.Writer, rows [][]string) error {
	if err := out.WriteAll(rows); err != nil {
		return err
	}
	out.Flush()
	return out.Error()
}

// inert keeps a spreadsheet from taking a name for a formula.
func inert(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// DayUse is what one line took on one day.
type DayUse struct {
	Part      string       `json:"part"`
	What      string       `json:"what,omitempty"`
	Day       string       `json:"day"`
	Intervals int          `json:"intervals"`
	Quantity  tariff.Exact `json:"quantity_mwh"`
	Amount    tariff.Exact `json:"amount" doc:"Before rounding."`
	Low       tariff.Exact `json:"rate_low"`
	High      tariff.Exact `json:"rate_high"`
	Estimated int          `json:"estimated_intervals"`
	Sources   []string     `json:"sources"`
}

// ByDay sums a statement's intervals by line and day, on the clock of its
// contract.
func ByDay(st *tariff.Statement, zone *time.Location) []DayUse {
	type key struct{ part, what, day string }
	by := map[key]*DayUse{}
	out := []*DayUse{}
	for _, d := range st.Detail {
		k := key{d.Part, d.What, d.Start.In(zone).Format(time.DateOnly)}
		u := by[k]
		if u == nil {
			u = &DayUse{Part: k.part, What: k.what, Day: k.day, Low: d.Rate, High: d.Rate, Sources: []string{}}
			by[k] = u
			out = append(out, u)
		}
		u.Intervals++
		u.Quantity, u.Amount = u.Quantity.Add(d.Quantity), u.Amount.Add(d.Amount)
		if d.Rate.Cmp(u.Low) < 0 {
			u.Low = d.Rate
		}
		if d.Rate.Cmp(u.High) > 0 {
			u.High = d.Rate
		}
		if d.Status >= tariff.Estimated {
			u.Estimated++
		}
		if !slices.Contains(u.Sources, d.Source) && len(u.Sources) < 10 {
			u.Sources = append(u.Sources, d.Source)
		}
	}
	plain := make([]DayUse, len(out))
	for i, u := range out {
		plain[i] = *u
	}
	return plain
}
