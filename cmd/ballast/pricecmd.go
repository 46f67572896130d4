package main

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"ballast/price"
	"ballast/tariff"
	"ballast/tariff/feed"
	"ballast/unit"
)

type priceCmd struct {
	Now   priceNowCmd  `cmd:"" default:"withargs" help:"What one more MWh costs now and in the hours to come, and why."`
	Risk  priceRiskCmd `cmd:"" help:"Chances of price spikes and of coincident peaks in the hours to come."`
	Meter meterCmd     `cmd:"" help:"The utility's meter data: import, list, withdraw."`
	Award awardCmd     `cmd:"" help:"Day-ahead awards of two-settlement contracts: import, list, withdraw."`
}

type priceNowCmd struct {
	Site     string `placeholder:"NAME" help:"Which site, where there are several."`
	Hours    int    `default:"12" help:"How many hours ahead."`
	At       string `placeholder:"TIME" help:"Another instant: 2026-07-01T16:00:00-05:00, or on the contract's clock 2026-07-01T16:00."`
	Contract string `placeholder:"FILE" type:"path" help:"Reckon without a running Ballast: with this contract, --prices and --at."`
	Prices   string `placeholder:"FILE" type:"path" help:"With --contract: CSV of market prices with the columns series, start, price (per MWh) and, if not an hour, minutes."`
	Load     string `placeholder:"POWER" help:"With --contract: what the site draws, such as 12MW. Blocks and demand charges depend on it."`
}

func (c *priceNowCmd) Run(ctx context.Context, common *common, s *streams) error {
	if c.Contract != "" {
		return c.offline(common, s)
	}
	cfg, err := common.config()
	if err != nil {
		return err
	}
	cl, err := connect(cfg.Data)
	if err != nil {
		return err
	}
	var sites []priceSite
	if err := cl.call(ctx, http.MethodGet, "/api/v1/price?"+query("site", c.Site, "at", c.At), nil, &sites); err != nil {
		return err
	}
	type answer struct {
		priceSite
		Next []priceHour `json:"next"`
	}
	out := []answer{}
	for _, p := range sites {
		a := answer{priceSite: p, Next: []priceHour{}}
		if p.Now != nil && c.At == "" {
			var next struct {
				Hours []priceHour `json:"hours"`
			}
			if err := cl.call(ctx, http.MethodGet, "/api/v1/price/next?"+query("site", p.Site, "hours", strconv.Itoa(min(max(c.Hours, 1), 72))), nil, &next); err != nil {
				return err
			}
			a.Next = next.Hours
		}
		out = append(out, a)
	}
	if common.JSON {
		return s.json(out)
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for _, a := range out {
		if a.Now == nil {
			fmt.Fprintf(w, "%s\t%s\n", a.Site, a.Problem)
			continue
		}
		n := a.Now
		loc := zoneOr(n.Zone)
		fmt.Fprintf(w, "%s\t%.2f %s/MWh\t%s\t%s\n", a.Site, n.PerMWh, n.Currency, n.Price.Status, n.Name)
		if n.Simulated {
			fmt.Fprintln(w, "\tThe market is simulated: these are nobody's prices.")
		}
		printBreakdown(w, n.Price, loc)
		for _, m := range n.Markets {
			if m.Price == nil {
				fmt.Fprintf(w, "\t%s\tno price\n", m.Series)
				continue
			}
			late := ""
			if m.LateS > 0 {
				late = ", the present one is overdue by " + (time.Duration(m.LateS) * time.Second).String()
			}
			fmt.Fprintf(w, "\t%s\t%.2f %s\t%s, of %s, received %s ago%s\n", m.Series, *m.Price, m.Unit, m.Status, m.From.In(loc).Format("15:04"), (time.Duration(m.AgeS) * time.Second).String(), late)
		}
		if len(a.Next) > 0 {
			fmt.Fprintf(w, "\nfrom\t%s/MWh\tknown\texpected\t\n", n.Currency)
		}
		for _, h := range a.Next {
			fmt.Fprintf(w, "%s\t%.2f\t%.2f\t%.2f\t%s %s\n", h.From.In(loc).Format("Mon 15:04"), h.PerMWh, h.Known, h.Expected, h.Status, strings.Join(h.Missing, ", "))
		}
	}
	return w.Flush()
}

// What the API answers, as far as the commands show it.
type priceSite struct {
	Site    string     `json:"site"`
	Now     *price.Now `json:"now,omitempty"`
	Problem string     `json:"problem,omitempty"`
}

type priceHour struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	PerMWh   float64   `json:"price_per_mwh"`
	Known    float64   `json:"known_per_mwh"`
	Expected float64   `json:"expected_per_mwh"`
	Status   string    `json:"status"`
	Missing  []string  `json:"missing,omitempty"`
}

func zoneOr(name string) *time.Location {
	if loc, err := time.LoadLocation(name); err == nil {
		return loc
	}
	return time.UTC
}

func printBreakdown(w io.Writer, b tariff.Breakdown, loc *time.Location) {
	fmt.Fprintf(w, "\t%s to %s\t\n", b.From.In(loc).Format("2006-01-02 15:04"), b.To.In(loc).Format("15:04 MST"))
	for _, x := range b.Components {
		fmt.Fprintf(w, "\t%s\t%v\t%s\t%s\n", x.Part, x.Price, x.Status, strings.TrimSpace(x.Source+" "+x.Note))
	}
	if len(b.Missing) > 0 {
		fmt.Fprintf(w, "\tnot known, and not counted: %s\n", strings.Join(b.Missing, ", "))
	}
}

// offline reckons with files.
func (c *priceNowCmd) offline(common *common, s *streams) error {
	contract, err := readContract(c.Contract)
	if err != nil {
		return err
	}
	at := time.Now()
	if c.At != "" {
		if at, err = instantIn(c.At, contract.Location()); err != nil {
			return err
		}
	}
	x := tariff.Context{Prices: &tariff.Table{}}
	if c.Prices != "" {
		if x.Prices, err = readPrices(c.Prices, contract); err != nil {
			return err
		}
	}
	if c.Load != "" {
		if x.Load, err = unit.ParsePower(c.Load); err != nil {
			return fmt.Errorf("%w: --load: %w", errUsage, err)
		}
	}
	b, err := contract.PriceAt(at, x)
	if err != nil {
		return err
	}
	if common.JSON {
		return s.json(b)
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s\t%v\t%s\n", contract.Name, b.Total, b.Status)
	printBreakdown(w, b, contract.Location())
	return w.Flush()
}

// instantIn reads a time, on the clock of a zone when it names no offset.
func instantIn(text string, loc *time.Location) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02 15:04:05", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, loc); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%w: %q is no time such as 2026-07-01T16:00", errUsage, text)
}

func readContract(file string) (*tariff.Contract, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	c, err := tariff.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", errUsage, filepath.Base(file), err)
	}
	return c, nil
}

// readPrices reads market prices from CSV with a head: series, start, price and,
// when intervals are no hours, minutes.
func readPrices(file string, c *tariff.Contract) (*tariff.Table, error) {
	rows, column, err := readTable(file, "series", "start", "price")
	if err != nil {
		return nil, err
	}
	quotes := map[string][]tariff.Quote{}
	for i, row := range rows {
		bad := func(err error) error {
			return fmt.Errorf("%w: %s, row %d: %w", errUsage, filepath.Base(file), i+2, err)
		}
		start, err := instantIn(row[column["start"]], c.Location())
		if err != nil {
			return nil, bad(err)
		}
		length := time.Hour
		if k, ok := column["minutes"]; ok && row[k] != "" {
			n, err := strconv.Atoi(row[k])
			if err != nil || n < 1 || n > 24*60 {
				return nil, bad(fmt.Errorf("%q minutes", row[k]))
			}
			length = time.Duration(n) * time.Minute
		}
		p, err := feed.ParseMicro(row[column["price"]])
		if err != nil {
			return nil, bad(err)
		}
		name := row[column["series"]]
		quotes[name] = append(quotes[name], tariff.Quote{Start: start, Length: length, Price: unit.EnergyPrice{Micro: p, Currency: c.Currency}, Status: tariff.Settled, Source: name})
	}
	t := &tariff.Table{}
	for name, q := range quotes {
		t.Set(name, q...)
	}
	return t, nil
}

// readTable reads CSV with a head of named columns, in any order.
func readTable(file string, need ...string) (rows [][]string, column map[string]int, err error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.TrimLeadingSpace = true
	r.Comment = '#'
	all, err := r.ReadAll()
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %s: %w", errUsage, filepath.Base(file), err)
	}
	if len(all) == 0 {
		return nil, nil, fmt.Errorf("%w: %s is empty", errUsage, filepath.Base(file))
	}
	column = map[string]int{}
	for i, name := range all[0] {
		column[strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))] = i
	}
	for _, name := range need {
		if _, ok := column[name]; !ok {
			return nil, nil, fmt.Errorf("%w: %s has no column %q; there are %s", errUsage, filepath.Base(file), name, strings.Join(all[0], ", "))
		}
	}
	for _, row := range all[1:] {
		for i := range row {
			row[i] = strings.TrimSpace(row[i])
		}
	}
	return all[1:], column, nil
}

type tariffCmd struct {
	Check tariffCheckCmd `cmd:"" help:"Say everything that is wrong with a contract, and what it charges in plain words."`
}

type tariffCheckCmd struct {
	File string `arg:"" type:"path" help:"The contract, YAML."`
	At   string `placeholder:"TIME" help:"Explain it as it is in force then. Default: now."`
}

func (c *tariffCheckCmd) Run(common *common, s *streams) error {
	text, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	parsed, err := tariff.Parse(text)
	at := time.Now()
	if err == nil && c.At != "" {
		if at, err = instantIn(c.At, parsed.Location()); err != nil {
			return err
		}
	}
	if common.JSON {
		body := map[string]any{"ok": err == nil, "problems": tariff.ProblemsOf(err)}
		if err == nil {
			body["problems"], body["explained"], body["series"] = []tariff.Problem{}, parsed.Explain(at), parsed.Series()
		}
		if e := s.json(body); e != nil || err == nil {
			return e
		}
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", errUsage, filepath.Base(c.File), err)
	}
	fmt.Fprintf(s.out, "%s is a sound contract.\n\n%s\n", filepath.Base(c.File), strings.Join(parsed.Explain(at), "\n"))
	if series := parsed.Series(); len(series) > 0 {
		fmt.Fprintf(s.out, "\nIt asks for the market series %s.\n", strings.Join(series, ", "))
	}
	return nil
}

type statementCmd struct {
	Month     string `placeholder:"YYYY-MM" help:"The month. Default: the last that is over."`
	Site      string `placeholder:"NAME" help:"Which site, where there are several."`
	PDF       string `name:"pdf" placeholder:"FILE" type:"path" help:"Write it as PDF."`
	CSV       string `name:"csv" placeholder:"FILE" type:"path" help:"Write its lines as CSV; - is standard output."`
	Intervals string `placeholder:"FILE" type:"path" help:"Write every interval of the energy lines as CSV."`
	Contract  string `placeholder:"FILE" type:"path" help:"Settle without a running Ballast: with this contract, --meter and --prices."`
	Meter     string `placeholder:"FILE" type:"path" help:"With --contract: CSV of the meter with the columns start, mwh (or kwh) and minutes; estimated when the meter's reader says so."`
	Prices    string `placeholder:"FILE" type:"path" help:"With --contract: CSV of market prices, as for ballast price."`
}

func (c *statementCmd) Run(ctx context.Context, common *common, s *streams) error {
	if c.Contract != "" {
		return c.offline(common, s)
	}
	cfg, err := common.config()
	if err != nil {
		return err
	}
	cl, err := connect(cfg.Data)
	if err != nil {
		return err
	}
	if c.Month == "" {
		now := time.Now()
		c.Month = tariff.MonthOf(now).Add(-1).String()
	}
	q := query("site", c.Site)
	base := "/api/v1/statements/" + c.Month
	for _, f := range []struct{ to, file string }{{c.PDF, "statement.pdf"}, {c.CSV, "lines.csv"}, {c.Intervals, "intervals.csv"}} {
		if f.to == "" {
			continue
		}
		if err := (&reportDailyCmd{}).fetch(ctx, cl, base+"/"+f.file+"?"+q, f.to, s); err != nil {
			return err
		}
	}
	if c.PDF+c.CSV+c.Intervals != "" {
		return nil
	}
	var st price.Statement
	if err := cl.call(ctx, http.MethodGet, base+"?"+q, nil, &st); err != nil {
		return err
	}
	if common.JSON {
		return s.json(st)
	}
	if st.Running {
		fmt.Fprintln(s.out, "The month is not over: what is to come is a projection.")
	}
	return printStatement(s.out, &st.Body)
}

func (c *statementCmd) offline(common *common, s *streams) error {
	contract, err := readContract(c.Contract)
	if err != nil {
		return err
	}
	if c.Meter == "" || c.Month == "" {
		return fmt.Errorf("%w: --contract takes --meter and --month too", errUsage)
	}
	if c.PDF != "" {
		return fmt.Errorf("%w: a PDF is of a statement of a running Ballast", errUsage)
	}
	month, err := tariff.ParseMonth(c.Month)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	meter, err := readMeter(c.Meter, contract)
	if err != nil {
		return err
	}
	prices := &tariff.Table{}
	if c.Prices != "" {
		if prices, err = readPrices(c.Prices, contract); err != nil {
			return err
		}
	}
	st, err := contract.Statement(month, meter, prices, tariff.State{Detail: c.Intervals != ""})
	if err != nil {
		return err
	}
	for _, f := range []struct {
		to    string
		write func(io.Writer, *tariff.Statement) error
	}{{c.CSV, price.WriteLines}, {c.Intervals, price.WriteIntervals}} {
		if f.to == "" {
			continue
		}
		if err := writeTo(f.to, s, func(w io.Writer) error { return f.write(w, st) }); err != nil {
			return err
		}
	}
	switch {
	case c.CSV+c.Intervals != "":
		return nil
	case common.JSON:
		return s.json(st)
	}
	return printStatement(s.out, st)
}

func writeTo(to string, s *streams, write func(io.Writer) error) error {
	if filepath.Base(to) == "-" {
		return write(s.out)
	}
	f, err := os.Create(to)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	return errors.Join(write(f), f.Close())
}

// readMeter reads what a meter counted: start, mwh or kwh, and minutes.
func readMeter(file string, c *tariff.Contract) ([]tariff.Interval, error) {
	rows, column, err := readTable(file, "start")
	if err != nil {
		return nil, err
	}
	scale := 3.6e9
	k, ok := column["mwh"]
	if !ok {
		k, ok = column["kwh"]
		scale = 3.6e6
	}
	if !ok {
		return nil, fmt.Errorf("%w: %s has no column mwh or kwh", errUsage, filepath.Base(file))
	}
	var out []tariff.Interval
	var last time.Time
	for i, row := range rows {
		bad := func(err error) error {
			return fmt.Errorf("%w: %s, row %d: %w", errUsage, filepath.Base(file), i+2, err)
		}
		start, err := instantIn(row[column["start"]], c.Location())
		if err != nil {
			return nil, bad(err)
		}
		// Of an hour that the clock shows twice, the second follows the first.
		if !last.IsZero() && !start.After(last) && start.Add(time.Hour).In(c.Location()).Format("15:04") == start.In(c.Location()).Format("15:04") {
			start = start.Add(time.Hour)
		}
		last = start
		one := tariff.Interval{Start: start, Length: c.Interval}
		if m, ok := column["minutes"]; ok && row[m] != "" {
			n, err := strconv.Atoi(row[m])
			if err != nil || n < 1 || n > 24*60 {
				return nil, bad(fmt.Errorf("%q minutes", row[m]))
			}
			one.Length = time.Duration(n) * time.Minute
		}
		if row[k] != "" {
			v, err := strconv.ParseFloat(row[k], 64)
			if err != nil || !(v >= 0 && v < 1e9) {
				return nil, bad(fmt.Errorf("%q is no energy", row[k]))
			}
			one.Energy = unit.Some(unit.Energy(v * scale))
		}
		if e, ok := column["estimated"]; ok {
			one.Estimated = row[e] == "1" || strings.EqualFold(row[e], "true") || strings.EqualFold(row[e], "yes")
		}
		out = append(out, one)
	}
	return out, nil
}

// printStatement shows a statement to a person.
func printStatement(out io.Writer, st *tariff.Statement) error {
	fmt.Fprintf(out, "%s, %s: %s hours, %s MWh metered, %s\n\n", st.Contract, st.Month, st.Hours, st.Metered, st.Status)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "line\tquantity\t\trate\tamount\t\t")
	for _, l := range st.Lines {
		name := l.Part
		if l.What != "" {
			name += ", " + l.What
		}
		if l.Corrects != nil {
			name = "correction of " + l.Corrects.String() + ": " + name
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t\n", name, l.Quantity, l.Unit, l.Rate, l.Amount, l.Status)
	}
	fmt.Fprintf(w, "total\t\t\t\t%s\t%s\t\n", st.Total, st.Status)
	if err := w.Flush(); err != nil {
		return err
	}
	for _, t := range append(append([]string{}, st.Estimated...), st.Problems...) {
		fmt.Fprintf(out, "! %s\n", t)
	}
	return nil
}
