package market

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strconv"
	"strings"
	"time"

	"ballast/unit"
)

// LineError is what is wrong with one line of a file.
type LineError struct {
	Line   int
	Column string
	Text   string
	Reason string
}

func (e LineError) Error() string {
	return fmt.Sprintf("line %d, column %s: %q %s", e.Line, e.Column, e.Text, e.Reason)
}

// Table is a CSV file with a header, read whole.
type Table struct {
	columns map[string]int
	rows    [][]string
	lines   []int
}

// maxTable bounds what a file may make Ballast hold.
const maxTable = 64 << 20

// ReadTable reads a CSV file with a header row. Columns are found by name,
// whatever the case.
func ReadTable(r io.Reader) (*Table, error) {
	c := csv.NewReader(io.LimitReader(r, maxTable))
	c.FieldsPerRecord = -1
	c.LazyQuotes = true
	c.TrimLeadingSpace = true
	t := &Table{columns: map[string]int{}}
	for {
		rec, err := c.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("reading a CSV file: %w: %w", ErrInvalid, err)
		}
		line, _ := c.FieldPos(0)
		if len(t.columns) == 0 {
			for i, name := range rec {
				name = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
				if _, twice := t.columns[name]; !twice {
					t.columns[name] = i
				}
			}
			continue
		}
		t.rows = append(t.rows, rec)
		t.lines = append(t.lines, line)
	}
	if len(t.columns) == 0 {
		return nil, fmt.Errorf("an empty CSV file: %w", ErrInvalid)
	}
	return t, nil
}

// Has tells whether there is a column of that name.
func (t *Table) Has(column string) bool { _, ok := t.columns[strings.ToLower(column)]; return ok }

// Len is the number of rows.
func (t *Table) Len() int { return len(t.rows) }

// Line is where row i stands in the file.
func (t *Table) Line(i int) int { return t.lines[i] }

// Text is the cell of row i, trimmed; empty when there is no such column.
func (t *Table) Text(i int, column string) string {
	c, ok := t.columns[strings.ToLower(column)]
	if !ok || c >= len(t.rows[i]) {
		return ""
	}
	return strings.TrimSpace(t.rows[i][c])
}

// Float reads a cell. An empty cell is missing, not zero; a cell that is no
// finite number is an error.
func (t *Table) Float(i int, column string) (unit.Opt[float64], error) {
	s := t.Text(i, column)
	if s == "" {
		return unit.None[float64](), nil
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || v != v || v > 1e300 || v < -1e300 {
		return unit.None[float64](), LineError{t.Line(i), column, s, "is no number"}
	}
	return unit.Some(v), nil
}

// Exact reads a decimal cell without rounding.
func (t *Table) Exact(i int, column string) (*big.Rat, error) {
	s := t.Text(i, column)
	if len(s) > 64 || strings.ContainsAny(s, "eE/_xXpP") {
		return nil, LineError{t.Line(i), column, s, "is no decimal number"}
	}
	r, ok := new(big.Rat).SetString(s)
	if !ok {
		return nil, LineError{t.Line(i), column, s, "is no decimal number"}
	}
	return r, nil
}

// Date reads a cell such as 2025-06-30, 2025-06 (its first day), 2025-06-30
// 14:00, RFC 3339, or seconds since 1970; all in UTC.
func (t *Table) Date(i int, column string) (time.Time, error) {
	s := t.Text(i, column)
	for _, layout := range []string{time.DateOnly, time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01"} {
		if at, err := time.Parse(layout, s); err == nil {
			return at.UTC(), nil
		}
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n >= 1_000_000_000 && n < 100_000_000_000 {
		return time.Unix(n, 0).UTC(), nil
	}
	return time.Time{}, LineError{t.Line(i), column, s, "is no date"}
}

// Money reads a decimal cell as an amount, rounded half to even when the file
// has more digits than the currency (price files carry float noise).
func (t *Table) Money(i int, column string, c unit.Currency) (unit.Money, error) {
	r, err := t.Exact(i, column)
	if err != nil {
		return unit.Money{}, err
	}
	m, err := unit.MoneyOf(r, c)
	if err != nil {
		return unit.Money{}, LineError{t.Line(i), column, t.Text(i, column), err.Error()}
	}
	return m, nil
}

// DayPrice is the price of one bitcoin on a day.
type DayPrice struct {
	Day   time.Time
	Price unit.Money
}

// ReadPrices reads a CSV of daily prices: a column date (or time, timestamp)
// and one of close, price or the currency's code. Days must ascend. All lines
// that are wrong are told together, and then nothing is returned.
func ReadPrices(r io.Reader, c unit.Currency) ([]DayPrice, error) {
	t, err := ReadTable(r)
	if err != nil {
		return nil, err
	}
	date, ok := firstColumn(t, "date", "time", "timestamp")
	price, ok2 := firstColumn(t, "close", "price", string(c))
	if !ok || !ok2 {
		return nil, fmt.Errorf("no columns date and close: %w", ErrInvalid)
	}
	var out []DayPrice
	var bad []error
	for i := range t.Len() {
		day, err := t.Date(i, date)
		p, err2 := t.Money(i, price, c)
		switch {
		case err != nil:
			bad = append(bad, err)
		case err2 != nil:
			bad = append(bad, err2)
		case p.Minor <= 0:
			bad = append(bad, LineError{t.Line(i), price, t.Text(i, price), "is not positive"})
		case len(out) > 0 && !day.After(out[len(out)-1].Day):
			bad = append(bad, LineError{t.Line(i), date, t.Text(i, date), "does not come after the line before"})
		default:
			out = append(out, DayPrice{day, p})
		}
	}
	if len(bad) > 0 {
		return nil, errors.Join(bad...)
	}
	return out, nil
}

// ReadRigs reads a CSV of machine prices with the columns date, tier_jth,
// usd_per_th, kind and source_url (or source). A range such as 10-30 becomes
// its geometric mean, as an estimate.
func ReadRigs(r io.Reader) (Rigs, error) {
	t, err := ReadTable(r)
	if err != nil {
		return nil, err
	}
	var out Rigs
	var bad []error
	for i := range t.Len() {
		p, err := rigRow(t, i)
		if err != nil {
			bad = append(bad, err)
			continue
		}
		out = append(out, p)
	}
	if len(bad) > 0 {
		return nil, errors.Join(bad...)
	}
	return out, nil
}

func rigRow(t *Table, i int) (p RigPrice, err error) {
	if p.At, err = t.Date(i, "date"); err != nil {
		return p, err
	}
	if p.Tier, err = ParseTier(t.Text(i, "tier_jth")); err != nil {
		return p, LineError{t.Line(i), "tier_jth", t.Text(i, "tier_jth"), "is no tier such as <38 or 25-38"}
	}
	p.Source = t.Text(i, "source_url") + t.Text(i, "source")
	p.Kind = rigKind(t.Text(i, "kind"))
	text := t.Text(i, "usd_per_th")
	lo, hi, isRange := strings.Cut(text, "-")
	a, e1 := strconv.ParseFloat(lo, 64)
	b := a
	var e2 error
	if isRange {
		b, e2 = strconv.ParseFloat(hi, 64)
		p.Kind = RigEstimate
	}
	if e1 != nil || e2 != nil || !(a > 0) || !(b >= a) || b > 1e6 {
		return p, LineError{t.Line(i), "usd_per_th", text, "is no price"}
	}
	p.Rate = RigRateOf(sqrt(a*b), unit.USD)
	if a == b {
		p.Rate = RigRateOf(a, unit.USD)
	}
	return p, nil
}

// rigKind reads what people write into the kind column.
func rigKind(s string) RigPriceKind {
	s = strings.ToLower(s)
	for _, k := range []struct {
		word string
		kind RigPriceKind
	}{
		{"index", RigIndex}, {"transaction", RigTransaction}, {"option", RigOffer}, {"offer", RigOffer},
		{"settlement", RigLiquidation}, {"collateral", RigLiquidation}, {"lend", RigLiquidation}, {"liquidation", RigLiquidation},
	} {
		if strings.HasPrefix(s, k.word) || k.kind == RigLiquidation && strings.Contains(s, k.word) && !strings.Contains(s, "borrower") {
			return k.kind
		}
	}
	return RigEstimate
}

func firstColumn(t *Table, names ...string) (string, bool) {
	for _, n := range names {
		if t.Has(n) {
			return n, true
		}
	}
	return "", false
}

// ReadReleases reads a CSV of machines for the network energy model: columns
// Miner_name, UNIX_date_of_release and Efficiency_J_Gh.
func ReadReleases(r io.Reader) ([]Released, error) {
	t, err := ReadTable(r)
	if err != nil {
		return nil, err
	}
	var out []Released
	var bad []error
	for i := range t.Len() {
		at, err := t.Date(i, "UNIX_date_of_release")
		e, err2 := t.Float(i, "Efficiency_J_Gh")
		if err := errors.Join(err, err2); err != nil {
			bad = append(bad, err)
			continue
		}
		v, ok := e.Get()
		if !ok || !(v > 0) {
			bad = append(bad, LineError{t.Line(i), "Efficiency_J_Gh", t.Text(i, "Efficiency_J_Gh"), "is no efficiency"})
			continue
		}
		out = append(out, Released{t.Text(i, "Miner_name"), at, unit.Efficiency(v * 1000)})
	}
	if len(bad) > 0 {
		return nil, errors.Join(bad...)
	}
	return out, nil
}
