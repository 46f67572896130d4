package server

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/conditional"

	"ballast/ledger"
)

// AuditQuery picks rows of the log.
type AuditQuery struct {
	Actor   string    `query:"actor" maxLength:"200" doc:"Who did it, as the log calls them."`
	Action  string    `query:"action" maxLength:"100" doc:"What was done; with a dot at its end, everything that begins so (user.)."`
	Subject string    `query:"subject" maxLength:"200" doc:"To what (machine/17)."`
	Since   time.Time `query:"since" doc:"At or after."`
	Until   time.Time `query:"until" doc:"Before."`
}

func (q AuditQuery) filter() ledger.AuditFilter {
	return ledger.AuditFilter{Actor: q.Actor, Action: q.Action, Subject: q.Subject, Since: q.Since, Until: q.Until}
}

type auditInput struct {
	AuditQuery
	conditional.Params
	Before int64 `query:"before" minimum:"0" doc:"The seq that the page before ended with."`
	Limit  int   `query:"limit" default:"100" minimum:"1" maximum:"1000"`
}

// AuditPage is a page of the audit log, newest first.
type AuditPage struct {
	Rows []ledger.AuditRow `json:"rows"`
	Next int64             `json:"next,omitempty" doc:"Before which the next page goes on; absent at the end."`
	Head ledger.AuditHead  `json:"head" doc:"The newest row of the whole log."`
}

type auditOutput struct {
	ETag  string `header:"ETag"`
	Cache string `header:"Cache-Control"`
	Body  AuditPage
}

// AuditAnchor is a head of the log to be kept outside of Ballast. A check
// against it shows even a log that was rewritten as a whole, or cut at its end.
type AuditAnchor struct {
	ledger.AuditHead
	At  time.Time `json:"at"`
	URL string    `json:"url" doc:"Of the Ballast whose log it is."`
}

// AuditState is how far a check of the log is, and what it found.
type AuditState struct {
	Running  bool             `json:"running"`
	Started  time.Time        `json:"started,omitzero"`
	By       string           `json:"by,omitempty"`
	Done     int64            `json:"done" doc:"Rows checked."`
	Total    int64            `json:"total" doc:"Rows that the log had when the check began."`
	Anchors  int              `json:"anchors" doc:"Anchors that it is checked against."`
	Finished time.Time        `json:"finished,omitzero"`
	Sound    bool             `json:"sound" doc:"Every row is as it was written, none is missing, none was put in, and all anchors are passed."`
	Problem  string           `json:"problem,omitempty" doc:"What is wrong, and at which row."`
	Head     ledger.AuditHead `json:"head" doc:"The last row that was right."`
}

func (s *Server) registerAudit() {
	tags := []string{"audit"}
	op(s, huma.Operation{OperationID: "audit", Method: http.MethodGet, Path: "/api/v1/audit", Summary: "The audit log, newest first", Tags: tags, Errors: []int{304}}, s.audit)
	op(s, huma.Operation{OperationID: "audit-export", Method: http.MethodGet, Path: "/api/v1/audit/export", Summary: "The audit log as CSV", Tags: tags,
		Description: "A text that a spreadsheet would take for a formula has a ' before it; the API's rows are exact.",
		Responses:   map[string]*huma.Response{"200": {Description: "The rows, newest first", Content: map[string]*huma.MediaType{"text/csv": {Schema: &huma.Schema{Type: "string"}}}}}}, s.auditExport)
	op(s, huma.Operation{OperationID: "audit-anchor", Method: http.MethodGet, Path: "/api/v1/audit/anchor", Summary: "The head of the log, to be kept elsewhere", Tags: tags}, s.auditAnchor)
	op(s, huma.Operation{OperationID: "audit-check", Method: http.MethodPost, Path: "/api/v1/audit/check", Summary: "Begin to verify the whole log", Tags: tags, DefaultStatus: http.StatusAccepted, Errors: []int{409, 422}}, s.beginCheck)
	op(s, huma.Operation{OperationID: "audit-state", Method: http.MethodGet, Path: "/api/v1/audit/check", Summary: "How far the check is, and what it found", Tags: tags},
		func(ctx context.Context, _ *struct{}) (*struct{ Body AuditState }, error) {
			if err := wholeLog(ctx); err != nil {
				return nil, err
			}
			return &struct{ Body AuditState }{s.check.now()}, nil
		})
	op(s, huma.Operation{OperationID: "audit-uncheck", Method: http.MethodDelete, Path: "/api/v1/audit/check", Summary: "Cancel the check", Tags: tags, DefaultStatus: http.StatusNoContent},
		func(ctx context.Context, _ *struct{}) (*struct{}, error) {
			if err := wholeLog(ctx); err != nil {
				return nil, err
			}
			s.check.stop()
			return nil, nil
		})
}

// wholeLog fails for an admin of some sites only: the log is of all of them.
func wholeLog(ctx context.Context) error {
	if !scope(ctx).All {
		return huma.Error403Forbidden("the audit log is of all sites: this takes an admin at all of them")
	}
	return nil
}

func (s *Server) audit(ctx context.Context, in *auditInput) (*auditOutput, error) {
	if err := wholeLog(ctx); err != nil {
		return nil, err
	}
	head, err := s.Record.AuditHead(ctx)
	if err != nil && !errors.Is(err, ledger.ErrTampered) {
		return nil, s.fail("reading the audit log", err)
	}
	tag := fmt.Sprintf("audit-%d-%.16s", head.Seq, head.Hash)
	if in.HasConditionalParams() {
		if err := in.PreconditionFailed(tag, time.Time{}); err != nil {
			return nil, err
		}
	}
	f := in.filter()
	f.Before, f.Limit = in.Before, in.Limit+1
	rows, err := s.Record.AuditRows(ctx, f)
	if err != nil {
		return nil, s.fail("reading the audit log", err)
	}
	page := AuditPage{Rows: rows, Head: head}
	if len(rows) > in.Limit {
		page.Rows = rows[:in.Limit]
		page.Next = page.Rows[in.Limit-1].Seq
	}
	if page.Rows == nil {
		page.Rows = []ledger.AuditRow{}
	}
	return &auditOutput{ETag: `"` + tag + `"`, Cache: "private, no-cache", Body: page}, nil
}

// spreadsheet makes text harmless for programs that run what begins with a sign.
func spreadsheet(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

func (s *Server) auditExport(ctx context.Context, in *AuditQuery) (*huma.StreamResponse, error) {
	if err := wholeLog(ctx); err != nil {
		return nil, err
	}
	by, _ := principal(ctx)
	if err := s.Record.Audit(ctx, ledger.Audit{Actor: by.Name(), Action: "audit.export", Subject: "audit"}); err != nil {
		return nil, s.fail("writing the audit log", err)
	}
	return &huma.StreamResponse{Body: func(out huma.Context) {
		out.SetHeader("Content-Type", "text/csv; charset=utf-8")
		out.SetHeader("Content-Disposition", `attachment; filename="ballast-audit-`+time.Now().UTC().Format("20060102T1504Z")+`.csv"`)
		if err := s.writeAudit(out, in.filter()); err != nil {
			s.Log.Error("exporting the audit log", "error", err)
			panic(http.ErrAbortHandler) // the status is sent: only a broken connection says that the file is not whole
		}
	}}, nil
}

func (s *Server) writeAudit(out huma.Context, f ledger.AuditFilter) error {
	w := csv.NewWriter(out.BodyWriter())
	if err := w.Write([]string{"seq", "at", "actor", "action", "subject", "detail", "prev", "hash"}); err != nil {
		return err
	}
	for f.Limit = 1000; ; {
		rows, err := s.Record.AuditRows(out.Context(), f)
		if err != nil {
			return err
		}
		for _, r := range rows {
			err := w.Write([]string{strconv.FormatInt(r.Seq, 10), r.At.Format(time.RFC3339Nano), spreadsheet(r.Actor), spreadsheet(r.Action), spreadsheet(r.Subject), spreadsheet(r.Detail), r.Prev, r.Hash})
			if err != nil {
				return err
			}
		}
		if w.Flush(); w.Error() != nil || len(rows) < f.Limit {
			return w.Error()
		}
		f.Before = rows[len(rows)-1].Seq
	}
}

func (s *Server) auditAnchor(ctx context.Context, _ *struct{}) (*struct {
	Disposition string `header:"Content-Disposition"`
	Body        AuditAnchor
}, error) {
	if err := wholeLog(ctx); err != nil {
		return nil, err
	}
	head, err := s.Record.AuditHead(ctx)
	if err != nil {
		return nil, s.fail("reading the head of the audit log", err)
	}
	out := &struct {
		Disposition string `header:"Content-Disposition"`
		Body        AuditAnchor
	}{Body: AuditAnchor{head, time.Now().UTC(), s.URL}}
	out.Disposition = fmt.Sprintf(`attachment; filename="ballast-audit-anchor-%d.json"`, head.Seq)
	return out, nil
}

// auditCheck runs one check of the log at a time and remembers how it went.
type auditCheck struct {
	mu     sync.Mutex
	state  AuditState
	cancel context.CancelFunc
}

func (c *auditCheck) now() AuditState {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state
}

func (c *auditCheck) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cancel != nil {
		c.cancel()
	}
}

func (c *auditCheck) set(change func(*AuditState)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change(&c.state)
}

func (s *Server) beginCheck(ctx context.Context, in *struct {
	Body struct {
		Anchors []ledger.AuditHead `json:"anchors,omitempty" maxItems:"1000" doc:"Heads of the log that were kept elsewhere: the log must pass through each."`
	}
}) (*struct{ Body AuditState }, error) {
	if err := wholeLog(ctx); err != nil {
		return nil, err
	}
	by, _ := principal(ctx)
	head, err := s.Record.AuditHead(ctx)
	if err != nil && !errors.Is(err, ledger.ErrTampered) {
		return nil, s.fail("reading the head of the audit log", err)
	}
	c := s.check
	c.mu.Lock()
	if c.state.Running {
		c.mu.Unlock()
		return nil, huma.Error409Conflict("a check is running; wait for its end, or cancel it")
	}
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.cancel = cancel
	c.state = AuditState{Running: true, Started: time.Now().UTC(), By: by.Name(), Total: head.Seq, Anchors: len(in.Body.Anchors)}
	begun := c.state
	c.mu.Unlock()
	go func() {
		defer cancel()
		s.runCheck(work, in.Body.Anchors)
	}()
	return &struct{ Body AuditState }{begun}, nil
}

// progressRows is how many rows pass between two reports.
const progressRows = 500

func (s *Server) runCheck(ctx context.Context, anchors []ledger.AuditHead) {
	check := ledger.NewChainCheck(anchors...)
	n := int64(0)
	claimed, err := s.Record.WalkAudit(ctx, func(r ledger.AuditRow) error {
		if err := check.Next(r); err != nil {
			return err
		}
		if n++; n%progressRows == 0 {
			s.check.set(func(a *AuditState) { a.Done = n })
		}
		return ctx.Err()
	})
	if err == nil {
		_, err = check.End(claimed)
	}
	s.check.set(func(a *AuditState) {
		a.Running, a.Finished, a.Done, a.Head = false, time.Now().UTC(), n, check.Head()
		a.Total = max(a.Total, n)
		switch {
		case err == nil:
			a.Sound = true
		case errors.Is(err, ledger.ErrTampered):
			a.Problem = strings.TrimPrefix(err.Error(), ledger.ErrTampered.Error()+": ")
			s.Log.Error("the audit log was tampered with", "problem", err)
		case errors.Is(err, context.Canceled):
			a.Problem = "the check was cancelled"
		default:
			a.Problem = "the log could not be read; Ballast's log says more"
			s.Log.Error("verifying the audit log", "error", err)
		}
	})
}
