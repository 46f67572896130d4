package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/ledger"
	"ballast/report"
	"ballast/report/pdf"
	"ballast/unit"
)

// reporter makes reports, one at a time: each reads a day of the whole site.
type reporter struct {
	s   *Server
	src reportSource
	now func() time.Time

	building chan struct{}
	mu       sync.Mutex
	fresh    map[string]freshReport // of days that are not over, by site
}

type freshReport struct {
	day      string
	at       time.Time
	report   report.Report
	machines []report.MachineDay
}

// How long the report of a running day is good for, and how long after a day's
// end its report is final: late readings and roll-ups have come by then.
const (
	freshFor   = 20 * time.Second
	finalAfter = 10 * time.Minute
)

func newReporter(s *Server) *reporter {
	return &reporter{s: s, src: reportSource{s.History, s.Record, s.Fleet}, now: time.Now, building: make(chan struct{}, 1), fresh: map[string]freshReport{}}
}

func (p *reporter) zone() *time.Location {
	if z, err := time.LoadLocation(p.s.Zone); err == nil {
		return z
	}
	return time.UTC // the configuration was checked; tests may give none
}

func (p *reporter) title(ctx context.Context, site string) string {
	sites, err := p.s.Record.Sites(ctx)
	if err == nil {
		for _, k := range sites {
			if k.Name == site && k.Title != "" {
				return k.Title
			}
		}
	}
	return site
}

// daily is a day's report, kept when it is final. Machines come with a report
// that was made now and never with one that was kept; ask with whole for them.
func (p *reporter) daily(ctx context.Context, site string, day report.Day, whole bool) (report.Report, []report.MachineDay, error) {
	now := p.now()
	over := now.After(day.End().Add(finalAfter))
	if over && !whole {
		kept, err := p.s.Record.Report(ctx, site, day.String())
		switch {
		case err == nil:
			r, err := report.Read(kept.Body)
			return r, nil, err
		case !errors.Is(err, ledger.ErrNotFound):
			return report.Report{}, nil, err
		}
	}
	select {
	case p.building <- struct{}{}:
		defer func() { <-p.building }()
	case <-ctx.Done():
		return report.Report{}, nil, ctx.Err()
	}
	if !over {
		p.mu.Lock()
		f, ok := p.fresh[site]
		p.mu.Unlock()
		if ok && f.day == day.String() && now.Sub(f.at) < freshFor {
			return f.report, f.machines, nil
		}
	}
	r, machines, err := report.Build(ctx, p.src, site, p.title(ctx, site), day, now)
	if err != nil {
		return r, nil, err
	}
	if !over {
		p.mu.Lock()
		p.fresh[site] = freshReport{day.String(), now, r, machines}
		p.mu.Unlock()
		return r, machines, nil
	}
	if r.Coverage > 0 {
		if err := p.keep(ctx, r); err != nil {
			return r, nil, err
		}
	}
	return r, machines, nil
}

func (p *reporter) keep(ctx context.Context, r report.Report) error {
	body, err := json.Marshal(r)
	if err != nil {
		return fmt.Errorf("writing a report as JSON: %w", err)
	}
	return p.s.Record.SaveReport(ctx, ledger.ReportDay{Site: r.Site, Day: r.Day, Body: body, MadeAt: r.MadeAt})
}

func (s *Server) registerReports() {
	tags := []string{"reports"}
	op(s, huma.Operation{OperationID: "reports", Method: http.MethodGet, Path: "/api/v1/reports", Summary: "Days with a report, and their sum", Tags: tags, Errors: []int{404, 422}}, s.reportDays)
	op(s, huma.Operation{OperationID: "report-daily", Method: http.MethodGet, Path: "/api/v1/reports/daily/{date}", Summary: "A day of a site", Tags: tags, Errors: []int{404, 422},
		Description: "Hashrate, uptime, energy, losses and their reasons, faults, commands, and how much of it is known. The day is the site's own, 23 or 25 hours long when clocks change."}, s.reportDaily)
	op(s, huma.Operation{OperationID: "report-file", Method: http.MethodGet, Path: "/api/v1/reports/daily/{date}/{file}", Summary: "A day of a site as PDF or CSV", Tags: tags, Errors: []int{404, 422}}, s.reportFile)
}

type reportInput struct {
	SiteQuery
	Date string `path:"date" maxLength:"20" doc:"2026-11-22, today or yesterday, on the site's clocks."`
}

// reportSite is the one site that a report is asked for.
func (s *Server) reportSite(ctx context.Context, only string) (string, error) {
	sites := scope(ctx).Narrow(only)
	switch {
	case only != "" && sites.None():
		return "", huma.Error404NotFound("there is no site " + only)
	case only != "":
		return only, nil
	case sites.Covers(s.Options.Site):
		return s.Options.Site, nil
	}
	return sites.Sites[0], nil // the policy let nobody in without a site
}

func (s *Server) reportDay(text string) (report.Day, error) {
	zone := s.reports.zone()
	switch today := report.DayOf(s.reports.now(), zone); text {
	case "today":
		return today, nil
	case "yesterday":
		return today.Add(-1), nil
	}
	day, err := report.ParseDay(text, zone)
	if err != nil {
		return day, huma.Error422UnprocessableEntity(err.Error())
	}
	return day, nil
}

func (s *Server) reportError(err error) error {
	if errors.Is(err, report.ErrFuture) {
		return huma.Error422UnprocessableEntity(err.Error())
	}
	return s.fail("making the report", err)
}

func (s *Server) reportDaily(ctx context.Context, in *reportInput) (*struct{ Body report.Report }, error) {
	site, err := s.reportSite(ctx, in.Only)
	if err != nil {
		return nil, err
	}
	day, err := s.reportDay(in.Date)
	if err != nil {
		return nil, err
	}
	r, _, err := s.reports.daily(ctx, site, day, false)
	if err != nil {
		return nil, s.reportError(err)
	}
	return &struct{ Body report.Report }{r}, nil
}

type reportFileInput struct {
	SiteQuery
	Date string `path:"date" maxLength:"20" doc:"2026-11-22, today or yesterday, on the site's clocks."`
	File string `path:"file" maxLength:"20" enum:"report.pdf,machines.csv,quarters.csv,summary.csv"`
}

func (s *Server) reportFile(ctx context.Context, in *reportFileInput) (*huma.StreamResponse, error) {
	site, err := s.reportSite(ctx, in.Only)
	if err != nil {
		return nil, err
	}
	day, err := s.reportDay(in.Date)
	if err != nil {
		return nil, err
	}
	r, machines, err := s.reports.daily(ctx, site, day, in.File == "machines.csv")
	if err != nil {
		return nil, s.reportError(err)
	}
	a, err := attachment(in.File, &r, machines)
	if err != nil {
		return nil, s.fail("writing the report", err)
	}
	return &huma.StreamResponse{Body: func(out huma.Context) {
		out.SetHeader("Content-Type", a.Type)
		out.SetHeader("Content-Disposition", fmt.Sprintf(`attachment; filename=%q`, a.Name))
		out.SetHeader("Cache-Control", "no-store")
		_, _ = out.BodyWriter().Write(a.Data)
	}}, nil
}

// attachment is a file of a report.
func attachment(file string, r *report.Report, machines []report.MachineDay) (report.Attachment, error) {
	var b bytes.Buffer
	part, csv := strings.CutSuffix(file, ".csv")
	name := fileName(r.Site) + "-" + r.Day
	if csv {
		err := report.WriteCSV(&b, report.Part(part), r, machines)
		return report.Attachment{Name: name + "-" + part + ".csv", Type: "text/csv; charset=utf-8", Data: b.Bytes()}, err
	}
	err := pdf.Write(&b, r)
	return report.Attachment{Name: name + ".pdf", Type: "application/pdf", Data: b.Bytes()}, err
}

// fileName keeps of a site's name what every file system and mail head takes.
func fileName(site string) string {
	out := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, site)
	if out = strings.Trim(out, "-"); out == "" {
		return "site"
	}
	return out
}

// ReportHead is a day in a list of reports.
type ReportHead struct {
	Day        string                    `json:"day"`
	Partial    bool                      `json:"partial"`
	MadeAt     time.Time                 `json:"made_at"`
	Machines   int                       `json:"machines"`
	Hashrate   unit.Opt[unit.Hashrate]   `json:"hashrate_ths,omitzero"`
	Nominal    unit.Opt[unit.Hashrate]   `json:"nominal_ths,omitzero"`
	Work       float64                   `json:"work_th_days"`
	Lost       float64                   `json:"lost_th_days"`
	Potential  unit.Opt[unit.Ratio]      `json:"potential,omitzero"`
	Uptime     unit.Opt[unit.Ratio]      `json:"uptime,omitzero"`
	Energy     unit.Opt[unit.Energy]     `json:"energy_j,omitzero"`
	EnergyFrom string                    `json:"energy_from" enum:"meter,machines,none"`
	Efficiency unit.Opt[unit.Efficiency] `json:"efficiency_j_per_th,omitzero"`
	Coverage   float64                   `json:"coverage"`
}

// ReportSum is several days together.
type ReportSum struct {
	Days       int                       `json:"days" doc:"With a report."`
	Hashrate   unit.Opt[unit.Hashrate]   `json:"hashrate_ths,omitzero" doc:"Mean of the days."`
	Work       float64                   `json:"work_th_days"`
	Lost       float64                   `json:"lost_th_days"`
	Potential  unit.Opt[unit.Ratio]      `json:"potential,omitzero" doc:"Produced over produced and lost."`
	Uptime     unit.Opt[unit.Ratio]      `json:"uptime,omitzero" doc:"Weighed by machine time."`
	Energy     unit.Opt[unit.Energy]     `json:"energy_j,omitzero" doc:"Of the days that have one; see energy_days."`
	EnergyDays int                       `json:"energy_days"`
	Efficiency unit.Opt[unit.Efficiency] `json:"efficiency_j_per_th,omitzero" doc:"Weighed by work."`
	Coverage   float64                   `json:"coverage"`
	Losses     []report.Loss             `json:"losses" doc:"By reason, most first; machines is the most of any day."`
}

type reportDaysBody struct {
	Site  string       `json:"site"`
	Title string       `json:"title"`
	Zone  string       `json:"zone"`
	Today string       `json:"today" doc:"On the site's clocks."`
	From  string       `json:"from"`
	To    string       `json:"to"`
	Days  []ReportHead `json:"days" doc:"Newest first; days of which nothing is known are not in it."`
	Sum   ReportSum    `json:"sum"`
}

type reportDaysInput struct {
	SiteQuery
	From string `query:"from" maxLength:"20" doc:"First day; default 30 days before to."`
	To   string `query:"to" maxLength:"20" doc:"Last day; default today."`
}

const mostDays = 400

func (s *Server) reportDays(ctx context.Context, in *reportDaysInput) (*struct{ Body reportDaysBody }, error) {
	site, err := s.reportSite(ctx, in.Only)
	if err != nil {
		return nil, err
	}
	today := report.DayOf(s.reports.now(), s.reports.zone())
	first, last := today.Add(-30), today
	if in.To != "" {
		if last, err = s.reportDay(in.To); err != nil {
			return nil, err
		}
		first = last.Add(-30)
	}
	if in.From != "" {
		if first, err = s.reportDay(in.From); err != nil {
			return nil, err
		}
	}
	if last.Before(first) || first.Add(mostDays).Before(last) {
		return nil, huma.Error422UnprocessableEntity(fmt.Sprintf("ask for 1 to %d days, from before to", mostDays))
	}
	kept, err := s.Record.Reports(ctx, site, first.String(), last.String())
	if err != nil {
		return nil, s.recordError("reading the reports", err)
	}
	var all []report.Report
	if !last.Before(today) && !today.Before(first) {
		r, _, err := s.reports.daily(ctx, site, today, false)
		if err != nil && !errors.Is(err, report.ErrFuture) {
			return nil, s.reportError(err)
		}
		if r.Coverage > 0 {
			all = append(all, r)
		}
	}
	for _, k := range kept {
		r, err := report.Read(k.Body)
		if err != nil {
			return nil, s.fail("reading the report of "+k.Day, err)
		}
		all = append(all, r)
	}
	body := reportDaysBody{Site: site, Title: s.reports.title(ctx, site), Zone: s.reports.zone().String(), Today: today.String(), From: first.String(), To: last.String(), Days: []ReportHead{}, Sum: sumOf(all)}
	for _, r := range all {
		lost := 0.0
		for _, l := range r.Losses {
			lost += l.Lost
		}
		body.Days = append(body.Days, ReportHead{r.Day, r.Partial, r.MadeAt, r.Machines, r.Hashrate, r.Nominal, r.Work, lost, r.Potential, r.Uptime, r.Energy.Total, r.Energy.From, r.Energy.Efficiency, r.Coverage})
	}
	return &struct{ Body reportDaysBody }{body}, nil
}

// sumOf puts days together. Means are weighed by what they are means of.
func sumOf(all []report.Report) ReportSum {
	sum := ReportSum{Days: len(all), Losses: []report.Loss{}}
	var rate, hours, known, up, expected, effWork, eff, energy float64
	by := map[report.Reason]report.Loss{}
	for _, r := range all {
		h := r.To.Sub(r.From).Hours()
		if v, ok := r.Hashrate.Get(); ok {
			rate, hours = rate+float64(v)*h, hours+h
		}
		if v, ok := r.Uptime.Get(); ok {
			share := r.Time.Expected - r.Time.Unknown - r.Time.Off
			up, known = up+float64(v)*share, known+share
		}
		if v, ok := r.Energy.Total.Get(); ok {
			energy += float64(v)
			sum.EnergyDays++
		}
		if v, ok := r.Energy.Efficiency.Get(); ok {
			eff, effWork = eff+float64(v)*r.Work, effWork+r.Work
		}
		expected += r.Time.Expected
		sum.Work += r.Work
		sum.Coverage += r.Coverage * r.Time.Expected
		for _, l := range r.Losses {
			o := by[l.Reason]
			by[l.Reason] = report.Loss{Reason: l.Reason, Lost: o.Lost + l.Lost, Machines: max(o.Machines, l.Machines)}
			sum.Lost += l.Lost
		}
	}
	for _, l := range by {
		sum.Losses = append(sum.Losses, l)
	}
	slices.SortFunc(sum.Losses, func(a, b report.Loss) int {
		if a.Lost != b.Lost {
			if a.Lost > b.Lost {
				return -1
			}
			return 1
		}
		return strings.Compare(string(a.Reason), string(b.Reason))
	})
	if hours > 0 {
		sum.Hashrate = unit.Some(unit.Hashrate(rate / hours))
	}
	if known > 0 {
		sum.Uptime = unit.Some(unit.Ratio(up / known))
	}
	if sum.Work+sum.Lost > 0 {
		sum.Potential = unit.Some(unit.Ratio(sum.Work / (sum.Work + sum.Lost)))
	}
	if sum.EnergyDays > 0 {
		sum.Energy = unit.Some(unit.Energy(energy))
	}
	if effWork > 0 {
		sum.Efficiency = unit.Some(unit.Efficiency(eff / effWork))
	}
	if expected > 0 {
		sum.Coverage /= expected
	}
	return sum
}
