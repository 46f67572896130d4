package server

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/ledger"
	"ballast/price"
	"ballast/report/pdf"
	"ballast/tariff"
)

// StatementBody is a month's statement with how each line comes about.
type StatementBody struct {
	price.Statement
	Title    string         `json:"title" doc:"Of the site."`
	Zone     string         `json:"zone" doc:"Of the contract: its months and days."`
	Formulas []string       `json:"formulas" doc:"One for each line: quantity x rate x factor = amount."`
	Days     []price.DayUse `json:"days" doc:"What each energy line took on each day; empty unless days=true."`
	CanIssue bool           `json:"can_issue" doc:"The month is over and its statement was not issued."`
}

type statementsBody struct {
	Site   string       `json:"site"`
	Months []price.Head `json:"months"`
}

type statementInput struct {
	SiteQuery
	Month string `path:"month" maxLength:"20" doc:"2026-10"`
	Days  bool   `query:"days" doc:"Also what each energy line took on each day."`
}

type statementFileInput struct {
	SiteQuery
	Month string `path:"month" maxLength:"20" doc:"2026-10"`
	File  string `path:"file" maxLength:"30" enum:"statement.pdf,lines.csv,intervals.csv"`
}

func (s *Server) registerStatements() {
	tags := []string{"price"}
	o := func(id, method, path, summary, words string) huma.Operation {
		return huma.Operation{OperationID: id, Method: method, Path: "/api/v1/statements" + path, Summary: summary, Description: words, Tags: tags, Errors: []int{404, 409, 422, 503}}
	}
	op(s, o("statements", http.MethodGet, "", "Months with an electricity statement", "Newest first: those issued, the last that are over and metered, and the running one."), s.statements)
	op(s, o("statement", http.MethodGet, "/{month}", "What a month costs, line by line", "An issued statement is as it was issued. One that was not is settled anew each time; the running month's rest is a projection."), s.statement)
	op(s, o("statement-file", http.MethodGet, "/{month}/{file}", "A statement as PDF or CSV", ""), s.statementFile)
	op(s, o("issue-statement", http.MethodPost, "/{month}/issue", "Issue a month's statement", "It is frozen in the record with its demands and intervals. What is revised later comes as lines of a later statement."), s.issueStatement)
}

func (s *Server) statements(ctx context.Context, in *SiteQuery) (*struct{ Body statementsBody }, error) {
	desk, err := s.priceDesk()
	if err != nil {
		return nil, err
	}
	site, err := s.reportSite(ctx, in.Only)
	if err != nil {
		return nil, err
	}
	months, err := desk.Months(ctx, site, 13)
	if err != nil {
		return nil, s.priceError("reading the statements", err)
	}
	return &struct{ Body statementsBody }{statementsBody{site, months}}, nil
}

// month settles or reads one month for the one who asks.
func (s *Server) month(ctx context.Context, only, text string, detail bool) (StatementBody, error) {
	desk, err := s.priceDesk()
	if err != nil {
		return StatementBody{}, err
	}
	site, err := s.reportSite(ctx, only)
	if err != nil {
		return StatementBody{}, err
	}
	month, err := tariff.ParseMonth(text)
	if err != nil {
		return StatementBody{}, huma.Error422UnprocessableEntity(err.Error())
	}
	st, err := desk.Month(ctx, site, month, detail)
	if err != nil {
		return StatementBody{}, s.priceError("settling the month", err)
	}
	body := StatementBody{Statement: st, Title: s.reports.title(ctx, site), Formulas: []string{}, Days: []price.DayUse{}, CanIssue: st.ID == 0 && !st.Running, Zone: st.Body.From.Location().String()}
	for i := range st.Body.Lines {
		body.Formulas = append(body.Formulas, st.Body.Lines[i].Explain())
	}
	return body, nil
}

func (s *Server) statement(ctx context.Context, in *statementInput) (*struct{ Body StatementBody }, error) {
	body, err := s.month(ctx, in.Only, in.Month, in.Days)
	if err != nil {
		return nil, err
	}
	if in.Days {
		body.Days = price.ByDay(&body.Body, s.zoneOf(ctx, &body))
	}
	body.Body.Detail = nil
	return &struct{ Body StatementBody }{body}, nil
}

// zoneOf is the clock of a statement's contract.
func (s *Server) zoneOf(ctx context.Context, b *StatementBody) *time.Location {
	if c, err := s.Record.PowerContract(ctx, b.Contract); err == nil {
		if parsed, err := tariff.Parse([]byte(c.Text)); err == nil {
			b.Zone = parsed.Zone
			return parsed.Location()
		}
	}
	return time.UTC
}

func (s *Server) issueStatement(ctx context.Context, in *struct {
	SiteQuery
	Month string `path:"month" maxLength:"20" doc:"2026-10"`
}) (*struct{ Body StatementBody }, error) {
	desk, err := s.priceDesk()
	if err != nil {
		return nil, err
	}
	site, err := s.reportSite(ctx, in.Only)
	if err != nil {
		return nil, err
	}
	month, err := tariff.ParseMonth(in.Month)
	if err != nil {
		return nil, huma.Error422UnprocessableEntity(err.Error())
	}
	p, _ := principal(ctx)
	if _, err := desk.Issue(ctx, site, month, ledger.By(p.Name())); err != nil {
		return nil, s.priceError("issuing the statement", err)
	}
	body, err := s.month(ctx, in.Only, in.Month, false)
	if err != nil {
		return nil, err
	}
	return &struct{ Body StatementBody }{body}, nil
}

func (s *Server) statementFile(ctx context.Context, in *statementFileInput) (*huma.StreamResponse, error) {
	body, err := s.month(ctx, in.Only, in.Month, in.File == "intervals.csv")
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	kind := "text/csv; charset=utf-8"
	switch in.File {
	case "lines.csv":
		err = price.WriteLines(&b, &body.Body)
	case "intervals.csv":
		err = price.WriteIntervals(&b, &body.Body)
	default:
		kind = "application/pdf"
		err = pdf.WriteBill(&b, billOf(&body, s.zoneOf(ctx, &body)))
	}
	if err != nil {
		return nil, s.fail("writing the statement", err)
	}
	name := fileName(body.Site) + "-" + body.Body.Month.String() + "-" + in.File
	return &huma.StreamResponse{Body: func(out huma.Context) {
		out.SetHeader("Content-Type", kind)
		out.SetHeader("Content-Disposition", fmt.Sprintf(`attachment; filename=%q`, name))
		out.SetHeader("Cache-Control", "no-store")
		_, _ = out.BodyWriter().Write(b.Bytes())
	}}, nil
}

// billOf is a statement in words, for paper.
func billOf(b *StatementBody, zone *time.Location) *pdf.Bill {
	st := &b.Body
	month := time.Date(st.Month.Year, st.Month.Month, 1, 0, 0, 0, 0, time.UTC)
	bill := &pdf.Bill{Title: "Electricity, " + month.Format("January 2006"), Party: b.Title, Total: st.Total.String(), MadeAt: b.MadeAt.In(zone)}
	bill.Under = []string{
		fmt.Sprintf("%s, text %d; %s to %s, %s hours", st.Contract, b.Revision, st.From.In(zone).Format("2006-01-02 15:04"), st.To.In(zone).Format("2006-01-02 15:04 MST"), st.Hours),
		fmt.Sprintf("Metered: %s MWh, %s (%d intervals whole, %d in part, %d missing)", st.Metered, b.Meter.Source, b.Meter.Whole, b.Meter.Partly, b.Meter.Lost),
		fmt.Sprintf("Every line is rounded once, %s; the total is the sum of the lines. Status: %s", st.Rounding, st.Status),
	}
	if b.ID != 0 {
		bill.Under = append(bill.Under, fmt.Sprintf("Issued %s by %s, number %d", b.IssuedAt.In(zone).Format("2006-01-02 15:04 MST"), b.IssuedBy, b.ID))
	} else if b.Running {
		bill.Draft = "Projection: the month is not over. Prices and energy to come are forecasts."
	} else {
		bill.Draft = "Draft: this statement has not been issued."
	}
	if b.Simulated {
		bill.Draft = strings.TrimSpace("Simulated: nobody's prices. " + bill.Draft)
	}
	for i, l := range st.Lines {
		name := l.Part
		if l.What != "" {
			name += ", " + l.What
		}
		if l.Corrects != nil {
			name = "Correction of " + l.Corrects.String() + ": " + name
		}
		note := b.Formulas[i] + "; " + l.Status.String()
		if l.Source != "" {
			note += "; " + l.Source
		}
		if l.Note != "" {
			note += "; " + l.Note
		}
		bill.Lines = append(bill.Lines, pdf.BillLine{Name: name, Note: note, Quantity: l.Quantity.String(), Unit: l.Unit, Rate: l.Rate.String(), Amount: l.Amount.String(), Status: l.Status.String()})
	}
	bill.Remarks = append(bill.Remarks, st.Estimated...)
	bill.Remarks = append(bill.Remarks, st.Problems...)
	return bill
}
