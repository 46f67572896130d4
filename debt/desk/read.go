package desk

import (
	"encoding/csv"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ballast/debt"
	"ballast/market"
	"ballast/unit"
)

// Kind is what a file of lines holds.
type Kind string

// The kinds that can be imported.
const (
	Facilities    Kind = "facilities"
	Covenants     Kind = "covenants"
	Balances      Kind = "balances"
	Flows         Kind = "flows"
	Payments      Kind = "payments"
	MachinePrices Kind = "machine-prices"
	Rates         Kind = "rates"
)

// Kinds are all of them, in the order in which they are best entered.
var Kinds = []Kind{Facilities, Covenants, Balances, Flows, Payments, MachinePrices, Rates}

// columns of each kind; those up to required must be there.
var columns = map[Kind]struct {
	names    []string
	required int
}{
	Facilities:    {debt.FacilityColumns, 11},
	Covenants:     {[]string{"facility", "id", "metric", "limit", "of", "cure_days", "source"}, 4},
	Balances:      {[]string{"date", "account", "currency", "amount", "pledged", "source"}, 4},
	Flows:         {[]string{"date", "line", "currency", "amount", "every", "until", "name", "source"}, 4},
	Payments:      {[]string{"facility", "due", "paid", "currency", "amount", "source"}, 5},
	MachinePrices: {[]string{"date", "tier_jth", "usd_per_th", "kind", "source"}, 4},
	Rates:         {[]string{"index", "date", "rate", "source"}, 3},
}

// Columns are a kind's, and how many of them, from the left, must be there.
func Columns(k Kind) (names []string, required int) {
	c := columns[k]
	return c.names, c.required
}

// DateColumns are those that hold dates, for spreadsheets.
func DateColumns(k Kind) []string {
	return map[Kind][]string{Facilities: {"drawn", "maturity"}, Balances: {"date"}, Flows: {"date", "until"}, Payments: {"due", "paid"}, MachinePrices: {"date"}, Rates: {"date"}}[k]
}

// LineError is what is wrong with one line of a file; line 0 is the whole file.
type LineError struct {
	Line   int    `json:"line"`
	Column string `json:"column,omitempty"`
	Text   string `json:"text,omitempty"`
	Reason string `json:"reason"`
}

// Draft is what a file would put into the book.
type Draft struct {
	Kind       Kind
	Facilities []debt.Facility
	Balances   []Balance
	Flows      []Flow
	Paid       []Paid
	Rates      []RatePoint
	Rigs       market.Rigs

	covenants []facilityCovenant
	lines     []int // of the file, one for each that was read
}

type facilityCovenant struct {
	facility string
	covenant debt.Covenant
}

// mostLines bounds what one file may hold.
const mostLines = 5000

// Read reads lines of CSV. It is all or nothing: with an error there is no
// draft, and every wrong cell is told.
func Read(k Kind, text string) (Draft, []LineError) {
	d := Draft{Kind: k}
	c, ok := columns[k]
	if !ok {
		return d, []LineError{{Reason: fmt.Sprintf("%q is no kind of file: there are %s", k, joinKinds())}}
	}
	t, err := market.ReadTable(strings.NewReader(text))
	if err != nil {
		return d, flatten(err, 0)
	}
	var bad []LineError
	for _, name := range c.names[:c.required] {
		if !t.Has(name) {
			bad = append(bad, LineError{Line: 1, Column: name, Reason: "is missing: the first line must name the columns"})
		}
	}
	if t.Len() > mostLines {
		bad = append(bad, LineError{Reason: fmt.Sprintf("has %d lines; at most %d at once", t.Len(), mostLines)})
	}
	if cutOff(text) {
		bad = append(bad, LineError{Line: strings.Count(text, "\n") + 1, Reason: "ends in the middle: the last line has fewer cells than the first, and no end"})
	}
	if len(bad) == 0 && t.Len() == 0 {
		bad = append(bad, LineError{Reason: "holds no line beside the names of the columns"})
	}
	if len(bad) > 0 {
		return Draft{Kind: k}, bad
	}
	switch k {
	case Facilities:
		d.Facilities, err = debt.ReadFacilities(strings.NewReader(text))
		bad = flatten(err, 0)
		for i := range t.Len() {
			if id := t.Text(i, "id"); strings.ContainsAny(id, "/\\?#%") || len(id) > 100 {
				bad = append(bad, LineError{t.Line(i), "id", id, "cannot be an id: no / \\ ? # %, at most 100 bytes"})
			}
		}
	case MachinePrices:
		d.Rigs, err = market.ReadRigs(strings.NewReader(text))
		bad = flatten(err, 0)
	default:
		for i := range t.Len() {
			r := row{t: t, i: i}
			d.take(k, &r)
			bad = append(bad, r.bad...)
		}
	}
	for i := range t.Len() {
		d.lines = append(d.lines, t.Line(i))
	}
	if len(bad) == 0 {
		bad = d.twice()
	}
	if len(bad) > 0 {
		slices.SortStableFunc(bad, func(a, b LineError) int { return a.Line - b.Line })
		return Draft{Kind: k}, bad
	}
	return d, nil
}

// cutOff tells whether a file was cut: its last line has no end, and fewer cells
// than the names of the columns.
func cutOff(text string) bool {
	if strings.HasSuffix(text, "\n") || strings.HasSuffix(text, "\r") {
		return false
	}
	lines := strings.Split(strings.TrimLeft(text, "\r\n"), "\n")
	cells := func(line string) int {
		r := csv.NewReader(strings.NewReader(line))
		r.LazyQuotes = true
		row, _ := r.Read() // what cannot be read has no cells
		return len(row)
	}
	return len(lines) > 1 && cells(lines[len(lines)-1]) < cells(lines[0])
}

func joinKinds() string {
	var out []string
	for _, k := range Kinds {
		out = append(out, string(k))
	}
	return strings.Join(out, ", ")
}

// flatten makes one line of each error that was joined.
func flatten(err error, line int) []LineError {
	if err == nil {
		return nil
	}
	if e, ok := err.(market.LineError); ok { //nolint:errorlint // the leaf itself; what wraps it is walked below
		return []LineError{{e.Line, e.Column, e.Text, e.Reason}}
	}
	if rest, ok := strings.CutPrefix(err.Error(), "line "); ok {
		if n, err2 := strconv.Atoi(rest[:max(0, strings.IndexByte(rest, ':'))]); err2 == nil {
			line = n
		}
	}
	switch x := err.(type) { //nolint:errorlint // walking the tree
	case interface{ Unwrap() []error }:
		all := x.Unwrap()
		if len(all) > 0 && !errors.Is(all[len(all)-1], all[0]) || isJoin(err, all) {
			var out []LineError
			for _, e := range all {
				out = append(out, flatten(e, line)...)
			}
			if isJoin(err, all) {
				return out
			}
		}
	case interface{ Unwrap() error }:
		if inner := x.Unwrap(); inner != nil && strings.HasPrefix(err.Error(), "line ") {
			return flatten(inner, line)
		}
	}
	text := err.Error()
	if _, rest, ok := strings.Cut(text, ": "); ok && strings.HasPrefix(text, "line ") {
		text = rest
	}
	return []LineError{{Line: line, Reason: text}}
}

// isJoin tells errors.Join from an error that wraps two.
func isJoin(err error, all []error) bool {
	texts := make([]string, len(all))
	for i, e := range all {
		texts[i] = e.Error()
	}
	return err.Error() == strings.Join(texts, "\n")
}

// row reads the cells of one line.
type row struct {
	t   *market.Table
	i   int
	bad []LineError
}

func (r *row) text(column string) string { return r.t.Text(r.i, column) }

func (r *row) fail(column, reason string) {
	r.bad = append(r.bad, LineError{r.t.Line(r.i), column, r.text(column), reason})
}

func (r *row) need(column string) string {
	s := r.text(column)
	if s == "" || len(s) > 200 {
		r.fail(column, "must hold something, and at most 200 bytes")
	}
	return s
}

func (r *row) date(column string) debt.Date {
	d, err := debt.ParseDate(r.text(column))
	if err != nil || d < debt.Day(2000, 1, 1) || d > debt.Day(2200, 1, 1) {
		r.fail(column, "is no date such as 2026-06-30")
	}
	return d
}

func (r *row) currency() unit.Currency {
	c := unit.Currency(strings.ToUpper(r.text("currency")))
	if !isCode(string(c)) {
		r.fail("currency", "is no currency such as USD, or BTC")
		return unit.USD
	}
	return c
}

func (r *row) money(least int64) unit.Money {
	c := r.currency()
	m, err := unit.ParseMoney(string(c) + " " + r.text("amount"))
	switch {
	case err != nil:
		r.fail("amount", fmt.Sprintf("is no amount in %s with at most %d decimals", c, c.Digits()))
	case m.Minor < least || m.Minor > 1e16:
		r.fail("amount", "is out of range")
	}
	return m
}

func (r *row) flag(column string) bool {
	switch strings.ToLower(r.text(column)) {
	case "", "no", "false", "0":
		return false
	case "yes", "true", "1":
		return true
	}
	r.fail(column, "is neither yes nor no")
	return false
}

func (d *Draft) take(k Kind, r *row) {
	switch k {
	case Covenants:
		c := debt.Covenant{ID: r.need("id"), Metric: debt.Metric(strings.ToLower(r.need("metric"))), Facility: r.text("of"), Source: r.text("source")}
		limit, err := strconv.ParseFloat(strings.TrimSuffix(r.text("limit"), "%"), 64)
		if strings.HasSuffix(r.text("limit"), "%") {
			limit /= 100
		}
		if err != nil || limit != limit || limit < 0 || limit > 1e15 {
			r.fail("limit", "is no number, or share such as 65%")
		}
		c.Limit = limit
		if !c.Metric.Known() {
			r.fail("metric", "is no metric: dscr, icr, coin-ltv, machine-ltv, liquidity, runway-months, leverage, hashrate-debt")
		}
		if s := r.text("cure_days"); s != "" {
			if c.Cure, err = strconv.Atoi(s); err != nil || c.Cure < 0 || c.Cure > 3650 {
				r.fail("cure_days", "is no number of days")
			}
		}
		d.covenants = append(d.covenants, facilityCovenant{r.need("facility"), c})
	case Balances:
		d.Balances = append(d.Balances, Balance{On: r.date("date"), Account: r.need("account"), Amount: r.money(-1e16), Pledged: r.flag("pledged"), Note: r.text("source")})
	case Flows:
		f := Flow{On: r.date("date"), Line: debt.Line(strings.ToLower(r.need("line"))), Amount: r.money(0), Every: Every(strings.ToLower(r.text("every"))), Name: r.text("name"), Note: r.text("source")}
		for _, l := range debt.Lines {
			if strings.EqualFold(string(l), string(f.Line)) {
				f.Line = l
			}
		}
		switch {
		case !slices.Contains(debt.Lines, f.Line):
			r.fail("line", "is no line of the cash plan: see the template")
		case f.Line == debt.CoinSales, f.Line == debt.InterestOut, f.Line == debt.PrincipalOut, f.Line == debt.FeesOut:
			r.fail("line", "comes from the plan itself: coins from production, debt service from the register")
		}
		switch f.Every {
		case "", Weekly, Monthly, Quarterly, Yearly:
		default:
			r.fail("every", "is none of week, month, quarter, year")
		}
		if r.text("until") != "" {
			if f.Until = r.date("until"); f.Until < f.On {
				r.fail("until", "lies before the date")
			}
		}
		d.Flows = append(d.Flows, f)
	case Payments:
		d.Paid = append(d.Paid, Paid{Facility: r.need("facility"), Due: r.date("due"), On: r.date("paid"), Amount: r.money(0), Note: r.text("source")})
	case Rates:
		p := RatePoint{Name: r.need("index"), On: r.date("date"), Note: r.text("source")}
		var err error
		if p.Rate, err = debt.ParseRate(r.text("rate")); err != nil || p.Rate < -1_000_000 || p.Rate > 10_000_000 {
			r.fail("rate", "is no rate such as 4.33%")
		}
		d.Rates = append(d.Rates, p)
	}
}

// twice finds lines that say the same thing twice.
func (d *Draft) twice() []LineError {
	var keys []string
	for _, x := range d.Balances {
		keys = append(keys, balanceKey(x))
	}
	for _, x := range d.Flows {
		keys = append(keys, flowKey(x))
	}
	for _, x := range d.Paid {
		keys = append(keys, paidKey(x))
	}
	for _, x := range d.Rates {
		keys = append(keys, rateKey(x))
	}
	for _, x := range d.Rigs {
		keys = append(keys, rigKey(x))
	}
	for _, x := range d.covenants {
		keys = append(keys, x.facility+" "+x.covenant.ID)
	}
	var bad []LineError
	at := map[string]int{}
	for i, k := range keys {
		if line, ok := at[k]; ok && i < len(d.lines) {
			bad = append(bad, LineError{Line: d.lines[i], Text: k, Reason: fmt.Sprintf("is on line %d as well", line)})
		} else if i < len(d.lines) {
			at[k] = d.lines[i]
		}
	}
	return bad
}

func balanceKey(b Balance) string { return b.On.String() + " " + b.Account }
func flowKey(f Flow) string {
	return strings.TrimSpace(f.On.String() + " " + string(f.Line) + " " + f.Name)
}
func paidKey(p Paid) string      { return p.Facility + " due " + p.Due.String() + " paid " + p.On.String() }
func rateKey(p RatePoint) string { return p.Name + " " + p.On.String() }
func rigKey(p market.RigPrice) string {
	return p.At.Format("2006-01-02") + " " + p.Tier.String() + " " + string(p.Kind)
}
