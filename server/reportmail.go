package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/ledger"
	"ballast/report"
)

// ReportSchedule is a daily report that goes out by e-mail.
type ReportSchedule struct {
	ID         int64              `json:"id"`
	Site       string             `json:"site"`
	Recipients []string           `json:"recipients"`
	At         string             `json:"at" doc:"Time of day on the site's clocks: 07:00."`
	Attach     []string           `json:"attach" doc:"pdf, csv."`
	Enabled    bool               `json:"enabled"`
	Next       time.Time          `json:"next,omitzero"`
	Last       *ledger.ReportSend `json:"last,omitempty" doc:"The last attempt."`
	Version    int64              `json:"version" doc:"Send it back as If-Match with an edit."`
}

type schedulesBody struct {
	Mail      bool             `json:"mail" doc:"A mail server is set up; without one nothing is sent."`
	Schedules []ReportSchedule `json:"schedules"`
}

type scheduleInput struct {
	Site       string   `json:"site,omitempty" maxLength:"100" doc:"Default: the site of this server."`
	Recipients []string `json:"recipients" minItems:"1" maxItems:"50" doc:"E-mail addresses."`
	At         string   `json:"at" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$" patternDescription:"a time such as 07:00"`
	Attach     []string `json:"attach,omitempty" maxItems:"2" doc:"pdf, csv."`
	Enabled    bool     `json:"enabled"`
}

func (s *Server) registerReportMail() {
	tags := []string{"reports"}
	op(s, huma.Operation{OperationID: "report-schedules", Method: http.MethodGet, Path: "/api/v1/reports/schedules", Summary: "Reports that go out by e-mail", Tags: tags}, s.schedules)
	op(s, huma.Operation{OperationID: "add-report-schedule", Method: http.MethodPost, Path: "/api/v1/reports/schedules", Summary: "Send a site's report every day", Tags: tags, DefaultStatus: http.StatusCreated, Errors: []int{404, 422}},
		func(ctx context.Context, in *struct{ Body scheduleInput }) (*struct{ Body ReportSchedule }, error) {
			site, err := s.reportSite(ctx, in.Body.Site)
			if err != nil {
				return nil, err
			}
			p, _ := principal(ctx)
			made, err := s.Record.AddReportSchedule(ctx, in.Body.schedule(0, site), ledger.By(p.Name()))
			return s.scheduled(ctx, made, err)
		})
	op(s, huma.Operation{OperationID: "edit-report-schedule", Method: http.MethodPut, Path: "/api/v1/reports/schedules/{id}", Summary: "Change a schedule; its site stays", Tags: tags, Errors: []int{404, 412, 422}},
		func(ctx context.Context, in *struct {
			ID int64 `path:"id" minimum:"1"`
			Based
			Body scheduleInput
		}) (*struct{ Body ReportSchedule }, error) {
			old, err := s.scheduleOf(ctx, in.ID)
			if err != nil {
				return nil, err
			}
			p, _ := principal(ctx)
			edit := in.Body.schedule(in.ID, old.Site)
			if edit.UpdatedAt, err = in.moment(); err != nil {
				return nil, err
			}
			made, err := s.Record.EditReportSchedule(ctx, edit, ledger.By(p.Name()))
			return s.scheduled(ctx, made, err)
		})
	op(s, huma.Operation{OperationID: "delete-report-schedule", Method: http.MethodDelete, Path: "/api/v1/reports/schedules/{id}", Summary: "Stop sending, and forget what was sent", Tags: tags, DefaultStatus: http.StatusNoContent, Errors: []int{404}},
		func(ctx context.Context, in *idInput) (*struct{}, error) {
			if _, err := s.scheduleOf(ctx, in.ID); err != nil {
				return nil, err
			}
			p, _ := principal(ctx)
			if err := s.Record.DeleteReportSchedule(ctx, in.ID, ledger.By(p.Name())); err != nil {
				return nil, s.recordError("deleting the schedule", err)
			}
			return &struct{}{}, nil
		})
	op(s, huma.Operation{OperationID: "send-report", Method: http.MethodPost, Path: "/api/v1/reports/schedules/{id}/send", Summary: "Send yesterday's report now, to try it out", Tags: tags, Errors: []int{404, 409}}, s.sendNow)
	op(s, huma.Operation{OperationID: "report-sends", Method: http.MethodGet, Path: "/api/v1/reports/sends", Summary: "What was sent, newest first", Tags: tags},
		func(ctx context.Context, in *struct {
			SiteQuery
			Schedule int64 `query:"schedule" minimum:"0"`
			Before   int64 `query:"before" minimum:"0" doc:"The id that the page before ended with."`
			Limit    int   `query:"limit" default:"50" minimum:"1" maximum:"500"`
		}) (*struct{ Body []ledger.ReportSend }, error) {
			f := ledger.SendFilter{Schedule: in.Schedule, Before: in.Before, Limit: in.Limit}
			if sites := scope(ctx).Narrow(in.Only); !sites.All {
				if sites.None() {
					return nil, huma.Error404NotFound("there is no site " + in.Only)
				}
				f.Sites = sites.Sites
			}
			out, err := s.Record.ReportSends(ctx, f)
			if err != nil {
				return nil, s.recordError("reading what was sent", err)
			}
			return &struct{ Body []ledger.ReportSend }{append([]ledger.ReportSend{}, out...)}, nil
		})
}

func (in scheduleInput) schedule(id int64, site string) ledger.ReportSchedule {
	var h, m int
	_, _ = fmt.Sscanf(in.At, "%d:%d", &h, &m) // the pattern was checked
	return ledger.ReportSchedule{ID: id, Site: site, Recipients: in.Recipients, Minute: 60*h + m, Attach: in.Attach, Enabled: in.Enabled}
}

// scheduleOf is a schedule that the one who asks may see.
func (s *Server) scheduleOf(ctx context.Context, id int64) (ledger.ReportSchedule, error) {
	all, err := s.Record.ReportSchedules(ctx)
	if err != nil {
		return ledger.ReportSchedule{}, s.recordError("reading the schedules", err)
	}
	for _, k := range all {
		if k.ID == id && scope(ctx).Covers(k.Site) {
			return k, nil
		}
	}
	return ledger.ReportSchedule{}, huma.Error404NotFound(fmt.Sprintf("there is no report schedule %d", id))
}

func (s *Server) scheduled(ctx context.Context, k ledger.ReportSchedule, err error) (*struct{ Body ReportSchedule }, error) {
	if err != nil {
		return nil, s.recordError("writing the schedule", err)
	}
	v, err := s.scheduleView(ctx, k)
	return &struct{ Body ReportSchedule }{v}, err
}

func (s *Server) scheduleView(ctx context.Context, k ledger.ReportSchedule) (ReportSchedule, error) {
	v := ReportSchedule{ID: k.ID, Site: k.Site, Recipients: k.Recipients, At: fmt.Sprintf("%02d:%02d", k.Minute/60, k.Minute%60), Attach: k.Attach, Enabled: k.Enabled, Version: k.UpdatedAt.UnixMicro()}
	if k.Enabled {
		v.Next = report.Schedule{Minute: k.Minute}.Next(s.reports.zone(), s.reports.now())
	}
	last, err := s.Record.ReportSends(ctx, ledger.SendFilter{Schedule: k.ID, Limit: 1})
	if err != nil {
		return v, s.recordError("reading what was sent", err)
	}
	if len(last) > 0 {
		v.Last = &last[0]
	}
	return v, nil
}

func (s *Server) schedules(ctx context.Context, in *SiteQuery) (*struct{ Body schedulesBody }, error) {
	all, err := s.Record.ReportSchedules(ctx)
	if err != nil {
		return nil, s.recordError("reading the schedules", err)
	}
	body := schedulesBody{Mail: s.Mailer != nil, Schedules: []ReportSchedule{}}
	for _, k := range all {
		if !scope(ctx).Narrow(in.Only).Covers(k.Site) {
			continue
		}
		v, err := s.scheduleView(ctx, k)
		if err != nil {
			return nil, err
		}
		body.Schedules = append(body.Schedules, v)
	}
	return &struct{ Body schedulesBody }{body}, nil
}

// errNoMail says why nothing is sent.
var errNoMail = errors.New("no mail server is set up")

func (s *Server) sendNow(ctx context.Context, in *idInput) (*struct{ Body ledger.ReportSend }, error) {
	k, err := s.scheduleOf(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	if s.Mailer == nil {
		return nil, huma.Error409Conflict(errNoMail.Error() + "; the configuration's key notify.smtp names one")
	}
	p, _ := principal(ctx)
	if err := s.Record.Audit(ctx, ledger.Audit{Actor: p.Name(), Action: "report.send", Subject: fmt.Sprintf("report-schedule/%d", k.ID), Detail: strings.Join(k.Recipients, " ")}); err != nil {
		return nil, s.fail("writing the audit log", err)
	}
	sent, err := s.reports.send(ctx, k, report.DayOf(s.reports.now(), s.reports.zone()).Add(-1), true)
	if err != nil {
		return nil, s.fail("sending the report", err)
	}
	return &struct{ Body ledger.ReportSend }{sent}, nil
}

// sendLimit is how long one report may take to be made and sent.
const sendLimit = 2 * time.Minute

// send makes and sends a report, and notes how it went. The error is of the
// note; that the mail server refused is in what is returned.
func (p *reporter) send(ctx context.Context, k ledger.ReportSchedule, day report.Day, byHand bool) (ledger.ReportSend, error) {
	ctx, cancel := context.WithTimeout(ctx, sendLimit)
	defer cancel()
	sent := ledger.ReportSend{Schedule: k.ID, Site: k.Site, Day: day.String(), At: p.now(), To: k.Recipients, ByHand: byHand}
	if err := p.mail(ctx, k, day); err != nil {
		sent.Error = err.Error()
		p.s.Log.Warn("a report could not be sent", "site", k.Site, "day", day.String(), "error", err)
	}
	return p.s.Record.AddReportSend(context.WithoutCancel(ctx), sent)
}

func (p *reporter) mail(ctx context.Context, k ledger.ReportSchedule, day report.Day) error {
	if p.s.Mailer == nil {
		return errNoMail
	}
	r, machines, err := p.daily(ctx, k.Site, day, slices.Contains(k.Attach, "csv"))
	if err != nil {
		return err
	}
	letter, err := report.Write(&r, strings.TrimRight(p.s.URL, "/")+"/reports/daily/"+day.String())
	if err != nil {
		return err
	}
	var files []report.Attachment
	for _, kind := range k.Attach {
		a, err := attachment(map[string]string{"pdf": "report.pdf", "csv": "machines.csv"}[kind], &r, machines)
		if err != nil {
			return err
		}
		files = append(files, a)
	}
	return p.s.Mailer.Send(ctx, k.Recipients, letter.Subject, letter.Text, letter.HTML, files)
}

// reportBeat is how often the upkeep of reports looks around.
const reportBeat = 20 * time.Second

// run writes down the interval and the meters' energy, keeps the reports of days
// that are over, and sends what is due, until ctx ends.
func (p *reporter) run(ctx context.Context) {
	if err := NoteInterval(ctx, p.s.Record, p.s.Fleet.Poller.Interval, time.Now()); err != nil && ctx.Err() == nil {
		p.s.Log.Error("writing down the polling interval", "error", err)
	}
	tick := time.NewTicker(reportBeat)
	defer tick.Stop()
	kept := ""
	for {
		select {
		case <-ctx.Done():
			end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
			p.meters(end)
			cancel()
			return
		case <-tick.C:
		}
		p.meters(ctx)
		now := p.now()
		if today := report.DayOf(now.Add(-finalAfter), p.zone()); today.String() != kept {
			if p.catchUp(ctx, today) {
				kept = today.String()
			}
		}
		p.sendDue(ctx, now)
	}
}

// meters adds what the meters told to the record.
func (p *reporter) meters(ctx context.Context) {
	if p.s.Meters == nil {
		return
	}
	cells := p.s.Meters.Take()
	es := make([]ledger.MeterEnergy, len(cells))
	for i, c := range cells {
		es[i] = ledger.MeterEnergy{Site: p.s.Options.Site, Meter: c.Meter, At: c.At, Joules: int64(c.Energy + 0.5), Covered: c.Covered}
	}
	if err := p.s.Record.AddMeterEnergy(ctx, es); err != nil {
		p.s.Meters.Put(cells)
		if ctx.Err() == nil {
			p.s.Log.Error("recording the energy of meters", "error", err)
		}
	}
}

// keptBack is how far back missing reports are made: as long as raw readings
// tell everything that a report says.
const keptBack = 13

// catchUp keeps the reports of the days before today that nobody kept.
func (p *reporter) catchUp(ctx context.Context, today report.Day) bool {
	st, err := p.s.History.Stats(ctx)
	if err != nil || st.First.IsZero() {
		return err == nil
	}
	for n := keptBack; n >= 1; n-- {
		day := today.Add(-n)
		if !day.End().After(st.First) {
			continue
		}
		if _, _, err := p.daily(ctx, p.s.Options.Site, day, false); err != nil {
			if ctx.Err() == nil {
				p.s.Log.Error("keeping the report of a day", "day", day.String(), "error", err)
			}
			return false
		}
	}
	return true
}

// sendDue sends what is due at now.
func (p *reporter) sendDue(ctx context.Context, now time.Time) {
	if p.s.Mailer == nil {
		return // nothing can be sent, and nothing counts as tried
	}
	all, err := p.s.Record.ReportSchedules(ctx)
	if err != nil {
		if ctx.Err() == nil {
			p.s.Log.Error("reading the report schedules", "error", err)
		}
		return
	}
	for _, k := range all {
		plan := report.Schedule{Minute: k.Minute, Since: k.UpdatedAt, Enabled: k.Enabled}
		day, due := plan.Due(p.zone(), now, func(day report.Day) []report.Attempt {
			sends, err := p.s.Record.ReportSends(ctx, ledger.SendFilter{Schedule: k.ID, Day: day.String()})
			if err != nil {
				return []report.Attempt{{At: now}} // look again later
			}
			var out []report.Attempt
			for _, s := range sends {
				if !s.ByHand {
					out = append(out, report.Attempt{At: s.At, OK: s.Error == ""})
				}
			}
			return out
		})
		if due && ctx.Err() == nil {
			if _, err := p.send(ctx, k, day, false); err != nil {
				p.s.Log.Error("noting that a report was sent", "error", err)
			}
		}
	}
}
