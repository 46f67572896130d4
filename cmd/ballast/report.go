package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"ballast/plant"
	"ballast/report"
	"ballast/unit"
)

type reportCmd struct {
	Daily reportDailyCmd `cmd:"" help:"What the site did in a day: hashrate, uptime, energy, losses and why."`
}

type reportDailyCmd struct {
	Date string `placeholder:"DAY" default:"yesterday" help:"The day on the site's clocks: 2026-11-22, today or yesterday."`
	Site string `placeholder:"NAME" help:"Which site, where there are several."`
	PDF  string `name:"pdf" placeholder:"FILE" type:"path" help:"Write it as PDF; - is standard output."`
	CSV  string `name:"csv" placeholder:"FILE" type:"path" help:"Write a line for each machine as CSV; - is standard output."`
}

func (c *reportDailyCmd) Run(ctx context.Context, common *common, s *streams) error {
	cfg, err := common.config()
	if err != nil {
		return err
	}
	cl, err := connect(cfg.Data)
	if err != nil {
		return err
	}
	base := "/api/v1/reports/daily/" + url.PathEscape(c.Date)
	query := ""
	if c.Site != "" {
		query = "?" + url.Values{"site": {c.Site}}.Encode()
	}
	for _, f := range []struct{ to, file string }{{c.PDF, "report.pdf"}, {c.CSV, "machines.csv"}} {
		if f.to == "" {
			continue
		}
		if err := c.fetch(ctx, cl, base+"/"+f.file+query, f.to, s); err != nil {
			return err
		}
	}
	if c.PDF != "" || c.CSV != "" {
		return nil
	}
	res, err := cl.request(ctx, http.MethodGet, base+query, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return fmt.Errorf("reading the report: %w", err)
	}
	r, err := report.Read(body)
	if err != nil {
		return err
	}
	if common.JSON {
		return s.json(r)
	}
	return printReport(s.out, &r)
}

// fetch writes a file of the report. It appears under its name only when it is
// whole.
func (c *reportDailyCmd) fetch(ctx context.Context, cl *client, path, to string, s *streams) error {
	res, err := cl.request(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(res.Body); err != nil {
		return fmt.Errorf("reading the report: %w", err)
	}
	if filepath.Base(to) == "-" {
		_, err := s.out.Write(b.Bytes())
		return err
	}
	tmp := to + ".part"
	if err := os.WriteFile(tmp, b.Bytes(), 0o644); err != nil { //nolint:gosec // a report is for others to read
		return fmt.Errorf("writing the report: %w", err)
	}
	if err := os.Rename(tmp, to); err != nil {
		return fmt.Errorf("writing the report: %w", err)
	}
	fmt.Fprintf(s.err, "%s written, %d bytes\n", to, b.Len())
	return nil
}

func printReport(w io.Writer, r *report.Report) error {
	title := r.Title
	if title == "" {
		title = r.Site
	}
	fmt.Fprintf(w, "%s, %s (%s)\n", title, r.Day, r.Zone)
	for _, remark := range report.Remarks(r) {
		fmt.Fprintf(w, "! %s\n", remark)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t)
	for _, f := range report.Figures(r) {
		fmt.Fprintf(t, "%s\t%s %s\t%s\n", f.Name, f.Value, f.Unit, f.Note)
	}
	if len(r.Losses) > 0 {
		fmt.Fprintln(t, "\nLost\tTH-days\tMachines")
	}
	for _, l := range r.Losses {
		fmt.Fprintf(t, "%s\t%.1f\t%d\n", l.Reason.Words(), l.Lost, l.Machines)
	}
	if len(r.Worst) > 0 {
		fmt.Fprintln(t, "\nMachine\tTH-days lost\tModel\tWhy")
	}
	for _, m := range r.Worst[:min(len(r.Worst), 10)] {
		var why []string
		for _, l := range m.Why[:min(len(m.Why), 2)] {
			why = append(why, l.Reason.Words())
		}
		fmt.Fprintf(t, "%s\t%.2f\t%s\t%s\n", m.Name, m.Lost, m.Model, strings.Join(why, ", "))
	}
	return t.Flush()
}

// bookMeters hands the readings of meters to the book that adds up their energy.
// A meter behind another one measures what that one measured already.
func (h *house) bookMeters() func(plant.Reading) {
	behind := map[string]bool{}
	for _, m := range h.cfg.Plant.Meters {
		behind[m.Name] = m.Behind != ""
	}
	return func(r plant.Reading) {
		h.latest.Put(r)
		if r.Kind != plant.MeterKind || r.Meter == nil || behind[r.Source] || r.Quality == plant.Lost {
			return
		}
		counter := r.Meter.EnergyImport
		if in, ok := counter.Get(); ok {
			// What is fed back was not used here.
			counter = unit.Some(in - r.Meter.EnergyExport.Or(0))
		}
		h.meters.Add(r.Source, r.At, counter, r.Meter.Power)
	}
}
