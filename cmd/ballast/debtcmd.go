package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"ballast/debt/desk"
	"ballast/server"
)

type debtCmd struct {
	Position  debtPositionCmd  `cmd:"" default:"withargs" help:"Where the company stands today: the ratio on four bases, cover, runway, the maturity wall."`
	Register  debtRegisterCmd  `cmd:"" help:"List the facilities."`
	Schedule  debtScheduleCmd  `cmd:"" help:"Print a facility's schedule to the cent."`
	Covenants debtCovenantsCmd `cmd:"" help:"Covenants with headroom in money, in the price of a bitcoin, in hashprice and in days."`
	Weeks     debtWeeksCmd     `cmd:"" help:"Thirteen weeks of cash."`
	Import    debtImportCmd    `cmd:"" help:"Import a CSV or spreadsheet: says what would change, and writes it with --write."`
	Template  debtTemplateCmd  `cmd:"" help:"Write a file to fill in."`
	BoardPack debtBoardCmd     `cmd:"" help:"Write the board pack, as PDF or CSV."`
}

func debtClient(common *common) (*client, error) {
	cfg, err := common.config()
	if err != nil {
		return nil, err
	}
	return connect(cfg.Data)
}

// whose says whose figures follow, when they are made up, and what the reader
// must know.
func whose(w io.Writer, c server.Company) {
	name := c.Name
	if name == "" {
		name = "The company"
	}
	fmt.Fprintf(w, "%s, %s\n", name, c.Day)
	if c.Example != "" {
		fmt.Fprintf(w, "! %s\n", c.Example)
	}
	for _, r := range c.Remarks {
		fmt.Fprintf(w, "! %s\n", r)
	}
	fmt.Fprintln(w)
}

type debtPositionCmd struct {
	Scope   string `enum:"mining,all" default:"mining" help:"Which debt the ratio counts: mining leaves out what is for AI."`
	Explain bool   `help:"With each figure its formula, its inputs, and where they are from."`
}

func (c *debtPositionCmd) Run(ctx context.Context, common *common, s *streams) error {
	cl, err := debtClient(common)
	if err != nil {
		return err
	}
	var p server.DebtPosition
	if err := cl.call(ctx, http.MethodGet, "/api/v1/debt/position?"+query("scope", c.Scope), nil, &p); err != nil {
		return err
	}
	if common.JSON {
		return s.json(p)
	}
	whose(s.out, p.Company)
	if p.Empty {
		fmt.Fprintln(s.out, "No debt is entered yet: ballast debt template facilities -o facilities.xlsx, fill it in, ballast debt import facilities.xlsx")
		return nil
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for _, f := range p.Figures {
		note := f.Note
		if f.Missing != "" {
			note = f.Missing
		}
		fmt.Fprintf(w, "%s\t%s %s\t%s\n", f.Name, f.Text, f.Unit, note)
		if c.Explain {
			explain(w, f)
		}
	}
	for _, l := range p.Figures {
		if l.Key == "ratio-index" {
			for _, m := range l.Lines {
				fmt.Fprintf(w, "\n%g: %s", m.At, m.Claim)
			}
		}
	}
	fmt.Fprintf(w, "\n\nThe ratio counts %s.\n", p.Scope)
	return w.Flush()
}

func explain(w io.Writer, f desk.Figure) {
	if f.Formula != "" {
		fmt.Fprintf(w, "  = %s\t\t\n", f.Formula)
	}
	if f.With != "" {
		fmt.Fprintf(w, "  = %s\t\t\n", f.With)
	}
	for _, i := range f.Inputs {
		at := ""
		if !i.Source.At.IsZero() {
			at = ", " + i.Source.At.Format("2006-01-02 15:04")
		}
		fmt.Fprintf(w, "    %s\t%s\t%s: %s%s\n", i.Name, i.Text, i.Source.How, i.Source.What, at)
	}
}

type debtRegisterCmd struct{}

func (debtRegisterCmd) Run(ctx context.Context, common *common, s *streams) error {
	cl, err := debtClient(common)
	if err != nil {
		return err
	}
	var r server.Register
	if err := cl.call(ctx, http.MethodGet, "/api/v1/debt/facilities", nil, &r); err != nil {
		return err
	}
	if common.JSON {
		return s.json(r)
	}
	whose(s.out, r.Company)
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tKind\tFor\tOwed today\tDue in a year\tRate\tNext due\tMatures")
	for _, f := range r.Facilities {
		if f.Trouble != "" {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", f.ID, f.Kind, f.Purpose, f.Trouble)
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", f.ID, f.Kind, f.Purpose, f.Balance.Text, f.Year.Text, f.Rate, f.NextDue, f.Maturity)
	}
	fmt.Fprintf(w, "together\t\t\t%s\n", r.Total.Text)
	return w.Flush()
}

type debtScheduleCmd struct {
	ID string `arg:"" help:"The facility's id."`
}

func (c *debtScheduleCmd) Run(ctx context.Context, common *common, s *streams) error {
	cl, err := debtClient(common)
	if err != nil {
		return err
	}
	var p server.FacilityPage
	if err := cl.call(ctx, http.MethodGet, "/api/v1/debt/facilities/"+url.PathEscape(c.ID), nil, &p); err != nil {
		return err
	}
	if common.JSON {
		return s.json(p)
	}
	whose(s.out, p.Company)
	fmt.Fprintf(s.out, "%s: %s owed of %s, %s\n\n", p.Row.Name, p.Row.Balance.Text, p.Row.Principal.Text, p.Row.Rate)
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "Due\tRate\tOwed before\tInterest\tPrincipal\tFees\tCash\tOwed after\tState\t")
	for _, l := range p.Schedule {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", l.Due, l.Rate, l.Opening.Text, l.Interest.Text, l.Principal.Text, l.Fees.Text, l.Cash.Text, l.Closing.Text, l.State)
	}
	return w.Flush()
}

type debtCovenantsCmd struct{}

func (debtCovenantsCmd) Run(ctx context.Context, common *common, s *streams) error {
	cl, err := debtClient(common)
	if err != nil {
		return err
	}
	var p server.DebtCovenants
	if err := cl.call(ctx, http.MethodGet, "/api/v1/debt/covenants", nil, &p); err != nil {
		return err
	}
	if common.JSON {
		return s.json(p)
	}
	whose(s.out, p.Company)
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "State\tCovenant\tFacility\tNow\tHeadroom\tBitcoin at breach\tHashprice at breach\tDays")
	for _, l := range p.Covenants {
		cell := func(part string) string {
			for _, f := range l.Figures {
				if strings.HasSuffix(f.Key, "/"+part) {
					return f.Text
				}
			}
			return "–"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", l.State, l.Rule, l.Facility, l.Reading.Text, l.Text, cell("price"), cell("hashprice"), cell("days"))
	}
	return w.Flush()
}

type debtWeeksCmd struct{}

func (debtWeeksCmd) Run(ctx context.Context, common *common, s *streams) error {
	cl, err := debtClient(common)
	if err != nil {
		return err
	}
	var p server.DebtWeeks
	if err := cl.call(ctx, http.MethodGet, "/api/v1/debt/weeks", nil, &p); err != nil {
		return err
	}
	if common.JSON {
		return s.json(p)
	}
	whose(s.out, p.Company)
	if p.Missing != "" {
		fmt.Fprintf(s.out, "There is no plan: %s.\n", p.Missing)
		return nil
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "Week from\tCash\tReceipts\tPayments\tCash at the end\tMined\tSold\tFree bitcoin\t")
	for _, x := range p.Weeks {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", x.From, x.Opening.Text, x.Receipts.Text, x.Payments.Text, x.Closing.Text, x.Mined.Text, x.Sold.Text, x.Coins.Text)
	}
	return w.Flush()
}

type debtImportCmd struct {
	File  string `arg:"" type:"existingfile" help:"CSV or .xlsx."`
	Kind  string `enum:"facilities,covenants,balances,flows,payments,machine-prices,rates" default:"facilities" help:"What the file holds."`
	Write bool   `help:"Write it. Without, it only says what would change."`
}

var errImport = errors.New("nothing was changed")

func (c *debtImportCmd) Run(ctx context.Context, common *common, s *streams) error {
	cl, err := debtClient(common)
	if err != nil {
		return err
	}
	file, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("reading the file: %w", err)
	}
	send := func(preview bool, seen int64) (out server.DebtImport, err error) {
		err = cl.call(ctx, http.MethodPost, "/api/v1/debt/import", map[string]any{"kind": c.Kind, "file": file, "preview": preview, "seen": seen}, &out)
		return out, err
	}
	p, err := send(true, 0)
	if err != nil {
		return err
	}
	if c.Write && len(p.Errors) == 0 {
		if p, err = send(false, p.Rev); err != nil {
			return err
		}
	}
	if common.JSON {
		if err := s.json(p); err != nil {
			return err
		}
	} else if err := printImport(s.out, p); err != nil {
		return err
	}
	if len(p.Errors) > 0 {
		return fmt.Errorf("%s has %d wrong lines: %w", c.File, len(p.Errors), errImport)
	}
	if !p.Done && !common.JSON {
		fmt.Fprintln(s.out, "Nothing is written yet: add --write to write it.")
	}
	return nil
}

func printImport(out io.Writer, p server.DebtImport) error {
	for _, e := range p.Errors {
		where := "the file"
		if e.Line > 0 {
			where = fmt.Sprintf("line %d", e.Line)
		}
		if e.Column != "" {
			where += ", column " + e.Column
		}
		fmt.Fprintf(out, "%s: %q %s\n", where, e.Text, e.Reason)
	}
	if len(p.Errors) > 0 {
		return nil
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, l := range p.Lines {
		fmt.Fprintf(w, "%s\t%s\t%s\n", l.Action, l.Name, l.Text)
		for _, f := range l.Fields {
			fmt.Fprintf(w, "\t  %s\t%s -> %s\n", f.Field, f.Was, f.Now)
		}
	}
	for _, e := range p.Effect {
		fmt.Fprintf(w, "\t%s\t%s -> %s\n", e.Name, e.Was, e.Now)
	}
	word := "would be "
	if p.Done {
		word = ""
	}
	fmt.Fprintf(w, "%d %sadded, %d %schanged, %d the same\n", p.Adds, word, p.Changes, word, p.Same)
	return w.Flush()
}

type debtTemplateCmd struct {
	Kind string `arg:"" enum:"facilities,covenants,balances,flows,payments,machine-prices,rates" help:"What the file is for."`
	Out  string `short:"o" required:"" placeholder:"FILE" type:"path" help:"Where to; its ending, .csv or .xlsx, says which."`
}

func (c *debtTemplateCmd) Run(ctx context.Context, common *common, s *streams) error {
	cl, err := debtClient(common)
	if err != nil {
		return err
	}
	ending := strings.ToLower(filepath.Ext(c.Out))
	if ending != ".csv" && ending != ".xlsx" {
		return fmt.Errorf("%w: the file must end in .csv or .xlsx", errUsage)
	}
	return fetchFile(ctx, cl, "/api/v1/debt/templates/"+c.Kind+ending, c.Out, s)
}

type debtBoardCmd struct {
	Out   string `short:"o" required:"" placeholder:"FILE" type:"path" help:"Where to; its ending, .pdf or .csv, says which."`
	Scope string `enum:"mining,all" default:"mining" help:"Which debt the ratio counts."`
}

func (c *debtBoardCmd) Run(ctx context.Context, common *common, s *streams) error {
	cl, err := debtClient(common)
	if err != nil {
		return err
	}
	ending := strings.ToLower(filepath.Ext(c.Out))
	if ending != ".csv" && ending != ".pdf" {
		return fmt.Errorf("%w: the file must end in .pdf or .csv", errUsage)
	}
	return fetchFile(ctx, cl, "/api/v1/debt/board/board-pack"+ending+"?"+query("scope", c.Scope), c.Out, s)
}

// fetchFile writes an answer to a file, which appears under its name only when
// it is whole.
func fetchFile(ctx context.Context, cl *client, path, to string, s *streams) error {
	res, err := cl.request(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(res.Body); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	tmp := to + ".part"
	if err := os.WriteFile(tmp, b.Bytes(), 0o600); err != nil {
		return fmt.Errorf("writing %s: %w", to, err)
	}
	if err := os.Rename(tmp, to); err != nil {
		return fmt.Errorf("writing %s: %w", to, err)
	}
	fmt.Fprintf(s.err, "%s written, %d bytes\n", to, b.Len())
	return nil
}
