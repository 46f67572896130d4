package server

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/debt/desk"
	"ballast/debt/sheet"
	"ballast/ledger"
)

func (s *Server) registerDebtImport(tags []string) {
	op(s, huma.Operation{OperationID: "import-debt", Method: http.MethodPost, Path: "/api/v1/debt/import", Summary: "Import facilities, covenants, balances, flows, payments, prices or rates, all or none", Tags: tags, Errors: []int{412, 422},
		Description: "CSV or a spreadsheet (.xlsx). With preview it says what would change, line by line, and changes nothing; without, it takes the revision that the preview was made from and refuses when the book is another one by now. A file with one wrong line changes nothing."}, s.importDebt)
	op(s, huma.Operation{OperationID: "debt-template", Method: http.MethodGet, Path: "/api/v1/debt/templates/{file}", Summary: "A file to fill in, with lines of the example company", Tags: tags, Errors: []int{404}}, s.debtTemplate)
}

type debtImportInput struct {
	Body struct {
		Kind    string `json:"kind" enum:"facilities,covenants,balances,flows,payments,machine-prices,rates"`
		File    []byte `json:"file" maxLength:"1000000" doc:"The file, base64."`
		Preview bool   `json:"preview,omitempty" doc:"Only say what would change."`
		Seen    int64  `json:"seen,omitempty" doc:"The revision that the preview was made from."`
	}
}

// DebtImport is what a file would change, or did.
type DebtImport struct {
	Kind    string            `json:"kind"`
	Rev     int64             `json:"rev" doc:"Of the book that the preview was made from; after an import, the new one."`
	Done    bool              `json:"done"`
	Errors  []desk.LineError  `json:"errors" doc:"What is wrong, line by line; then nothing would change."`
	Lines   []desk.ChangeLine `json:"lines"`
	Adds    int               `json:"adds"`
	Changes int               `json:"changes"`
	Same    int               `json:"same"`
	Effect  []FigureEffect    `json:"effect" doc:"What it does to the position."`
	Remarks []string          `json:"remarks" doc:"Of the position with it."`
}

// FigureEffect is a figure before and after.
type FigureEffect struct {
	Name string `json:"name"`
	Was  string `json:"was"`
	Now  string `json:"now"`
}

func (s *Server) importDebt(ctx context.Context, in *debtImportInput) (*struct{ Body DebtImport }, error) {
	if err := wholeCompany(ctx); err != nil {
		return nil, err
	}
	b, trouble, err := s.moneyBook(ctx)
	if err != nil {
		return nil, err
	}
	out, draft, err := s.weighImport(b, trouble, desk.Kind(in.Body.Kind), in.Body.File)
	if err != nil {
		return nil, err
	}
	if in.Body.Preview {
		return &struct{ Body DebtImport }{out}, nil
	}
	if len(out.Errors) > 0 {
		return nil, importTrouble(out.Errors)
	}
	if in.Body.Seen != b.Rev {
		return nil, s.recordError("importing", fmt.Errorf("the money book: %w", ledger.ErrStale))
	}
	p, _ := principal(ctx)
	if out.Rev, err = s.writeImport(ctx, b, draft, ledger.By(p.Name())); err != nil {
		return nil, s.recordError("importing", err)
	}
	out.Done = true
	return &struct{ Body DebtImport }{out}, nil
}

// writeImport writes a draft, all of it or nothing, and returns the book's new
// revision.
func (s *Server) writeImport(ctx context.Context, b desk.Book, d desk.Draft, by ledger.Audit) (int64, error) {
	change, err := writeDraft(b.Rev, d)
	if err != nil {
		return 0, err
	}
	rev := b.Rev
	err = s.Record.Tx(ctx, func(tx ledger.Tx) error {
		if err := writeRigs(ctx, tx, b, d, by); err != nil || change.Empty() {
			return err
		}
		var err error
		rev, err = tx.ChangeMoney(ctx, change, by)
		return err
	})
	return rev, err
}

// weighImport reads a file and works out what it would change.
func (s *Server) weighImport(b desk.Book, trouble []string, k desk.Kind, file []byte) (DebtImport, desk.Draft, error) {
	out := DebtImport{Kind: string(k), Rev: b.Rev, Errors: []desk.LineError{}, Lines: []desk.ChangeLine{}, Effect: []FigureEffect{}, Remarks: []string{}}
	text, err := sheet.CSV(file, string(k), desk.DateColumns(k))
	if err != nil {
		out.Errors = append(out.Errors, desk.LineError{Reason: err.Error()})
		return out, desk.Draft{}, nil //nolint:nilerr // told in the answer
	}
	draft, bad := desk.Read(k, text)
	var lines []desk.ChangeLine
	if len(bad) == 0 {
		draft, lines, bad = desk.Compare(b, draft)
	}
	if len(bad) > 0 {
		out.Errors = append(out.Errors, bad[:min(len(bad), 500)]...)
		return out, desk.Draft{}, nil //nolint:nilerr // told in the answer
	}
	out.Lines = append(out.Lines, lines...)
	for _, l := range lines {
		switch l.Action {
		case desk.Adds:
			out.Adds++
		case desk.Changes:
			out.Changes++
		default:
			out.Same++
		}
	}
	change, err := writeDraft(b.Rev, draft)
	if err != nil {
		return out, draft, s.fail("writing the import", err)
	}
	if !change.Empty() {
		if _, err := change.Normal(); err != nil { // what the record itself would refuse
			out.Errors = append(out.Errors, desk.LineError{Reason: err.Error()})
			return out, desk.Draft{}, nil //nolint:nilerr // told in the answer
		}
	}
	now := time.Now()
	sc := ScopeQuery{Converts: true}.scope(b.Terms)
	before := s.deskOf(b, trouble, sc, now)
	after := s.deskOf(b.With(draft, desk.Source{How: desk.Entered, What: "this import", At: now}), trouble, sc, now)
	out.Effect, out.Remarks = effects(before, after), append(out.Remarks, after.Remarks...)
	return out, draft, nil
}

func effects(before, after *desk.Desk) []FigureEffect {
	out := []FigureEffect{}
	was := map[string]string{}
	for _, f := range before.Figures() {
		was[f.Key] = f.Text
	}
	for _, f := range after.Figures() {
		switch f.Key {
		case "balance", "service", "liquidity", "ratio-index", "dscr", "hashpower-index":
			if f.Text != was[f.Key] {
				out = append(out, FigureEffect{f.Name, was[f.Key], f.Text})
			}
		}
	}
	return out
}

// importTrouble refuses a file, with each wrong line.
func importTrouble(bad []desk.LineError) error {
	var all []error
	for _, e := range bad[:min(len(bad), 50)] {
		loc := fmt.Sprintf("line %d", e.Line)
		if e.Column != "" {
			loc += ", column " + e.Column
		}
		all = append(all, &huma.ErrorDetail{Location: loc, Message: e.Reason, Value: e.Text})
	}
	return huma.Error422UnprocessableEntity(fmt.Sprintf("the file has %d wrong lines; nothing was changed", len(bad)), all...)
}

func (s *Server) debtTemplate(ctx context.Context, in *struct {
	File string `path:"file" maxLength:"50" doc:"A kind with .csv or .xlsx, such as facilities.xlsx."`
}) (*huma.StreamResponse, error) {
	kind, ending, _ := strings.Cut(in.File, ".")
	names, _ := desk.Columns(desk.Kind(kind))
	if names == nil || ending != "csv" && ending != "xlsx" {
		return nil, huma.Error404NotFound("there is no template " + in.File)
	}
	lines, err := desk.ExampleLines(desk.Kind(kind), time.Now())
	if err != nil {
		return nil, s.fail("making the template", err)
	}
	b, err := sheet.Template(names, lines, kind, ending == "xlsx")
	if err != nil {
		return nil, s.fail("making the template", err)
	}
	mime := "text/csv; charset=utf-8"
	if ending == "xlsx" {
		mime = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
	}
	return &huma.StreamResponse{Body: func(out huma.Context) {
		out.SetHeader("Content-Type", mime)
		out.SetHeader("Content-Disposition", fmt.Sprintf(`attachment; filename=%q`, in.File))
		out.SetHeader("Cache-Control", "no-store")
		_, _ = out.BodyWriter().Write(b)
	}}, nil
}
