package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"text/tabwriter"
	"time"

	"ballast/ledger"
	"ballast/price"
	"ballast/server"
)

type meterCmd struct {
	Import   meterImportCmd   `cmd:"" help:"Import the utility's interval data: CSV or Green Button. Shows what was understood; --yes imports it."`
	List     meterListCmd     `cmd:"" help:"Imports and meters, and months beside the site's own meter."`
	Withdraw meterWithdrawCmd `cmd:"" help:"Withdraw an import: it counts no more."`
	End      meterEndCmd      `cmd:"" help:"Say that a meter was taken out."`
}

type awardCmd struct {
	Import   awardImportCmd   `cmd:"" help:"Import day-ahead awards from CSV. Shows what was understood; --yes imports them."`
	List     awardListCmd     `cmd:"" help:"Awards of a month by day, and imports."`
	Withdraw awardWithdrawCmd `cmd:"" help:"Withdraw an import of awards."`
}

// importFlags are how a file is read.
type importFlags struct {
	File     string `arg:"" type:"existingfile" help:"The file."`
	Site     string `required:"" placeholder:"NAME" help:"Which site."`
	Yes      bool   `help:"Import it, and do not only look."`
	Zone     string `placeholder:"ZONE" help:"Time zone of local times. Default: that of the site's contract."`
	Clock    string `enum:",local,standard,utc" default:"" help:"What local times follow: local, standard (no summer time) or utc."`
	Stamp    string `enum:",start,end" default:"" help:"Which end of an interval times are, where the file does not tell: start or end."`
	Dates    string `enum:",mdy,dmy" default:"" help:"Whether months or days come first, where the file does not tell: mdy or dmy."`
	Unit     string `enum:",Wh,kWh,MWh,kW,MW" default:"" help:"Unit of the values, where the file does not say: Wh, kWh, MWh, kW or MW."`
	Interval int    `enum:"0,5,10,15,20,30,60" default:"0" help:"Minutes of an interval, where the file does not tell."`
	Meter    string `placeholder:"NAME" help:"Name of the meter, where the file names none."`
}

type meterImportCmd struct{ importFlags }

type awardImportCmd struct{ importFlags }

func (c *meterImportCmd) Run(ctx context.Context, common *common, s *streams) error {
	return c.bring(ctx, common, s, "/api/v1/meter-data")
}

func (c *awardImportCmd) Run(ctx context.Context, common *common, s *streams) error {
	return c.bring(ctx, common, s, "/api/v1/awards")
}

func (c *importFlags) bring(ctx context.Context, common *common, s *streams, path string) error {
	data, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	cfg, err := common.config()
	if err != nil {
		return err
	}
	cl, err := connect(cfg.Data)
	if err != nil {
		return err
	}
	body := map[string]any{"site": c.Site, "name": filepath.Base(c.File), "file": data, "preview": true}
	how := map[string]any{}
	for k, v := range map[string]string{"zone": c.Zone, "clock": c.Clock, "stamp": c.Stamp, "dates": c.Dates, "unit": c.Unit, "meter": c.Meter} {
		if v != "" {
			how[k] = v
		}
	}
	if c.Interval > 0 {
		how["interval_min"] = c.Interval
	}
	body["how"] = how
	var b price.Brought
	if err := cl.call(ctx, http.MethodPost, path, body, &b); err != nil {
		return err
	}
	problems := len(b.File.Problems)
	if c.Yes && problems == 0 && b.Added+b.Changed > 0 {
		body["preview"], body["seen"] = false, b.Seen
		if err := cl.call(ctx, http.MethodPost, path, body, &b); err != nil {
			return err
		}
	}
	if common.JSON {
		if err := s.json(b); err != nil {
			return err
		}
	} else if err := printBrought(s, &b); err != nil {
		return err
	}
	if problems > 0 {
		return fmt.Errorf("%w: nothing was imported: see the marked lines", errUsage)
	}
	return nil
}

func printBrought(s *streams, b *price.Brought) error {
	loc := zoneOr(b.File.Zone)
	fmt.Fprintf(s.out, "%s: %s, clock of %s\n", b.Name, b.File.Format, b.File.Zone)
	for _, r := range b.File.Remarks {
		fmt.Fprintf(s.out, "  %s\n", r)
	}
	for _, p := range b.File.Problems {
		fmt.Fprintf(s.out, "! %s", p)
		if p.Field != "" {
			fmt.Fprintf(s.out, " (--%s)", p.Field)
		}
		fmt.Fprintln(s.out)
	}
	if len(b.File.Problems) > 0 {
		return nil
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nmeter\tfrom\tto\tminutes\treadings\testimated\tMWh")
	for _, m := range b.File.Meters {
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%d\t%.3f\n", m.Name, m.From.In(loc).Format("2006-01-02 15:04"), m.To.In(loc).Format("2006-01-02 15:04"), m.Minutes, m.Readings, m.Estimated, m.MWh)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, g := range b.File.Gaps {
		fmt.Fprintf(s.out, "gap: %s from %s to %s\n", g.Meter, g.From.In(loc).Format("2006-01-02 15:04"), g.To.In(loc).Format("2006-01-02 15:04"))
	}
	if err := printAgainst(s, b.Months); err != nil {
		return err
	}
	for _, t := range b.Warnings {
		fmt.Fprintf(s.out, "! %s\n", t)
	}
	fmt.Fprintf(s.out, "\n%d intervals new, %d revised, %d the same.\n", b.Added, b.Changed, b.Same)
	switch {
	case b.Import != nil:
		fmt.Fprintf(s.out, "Imported as number %d.\n", b.Import.ID)
	case b.Added+b.Changed == 0:
		fmt.Fprintln(s.out, "All of it is known already.")
	default:
		fmt.Fprintln(s.out, "Nothing was imported: say --yes to do it.")
	}
	return nil
}

func printAgainst(s *streams, months []price.Against) error {
	if len(months) == 0 {
		return nil
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\nmonth\tutility MWh\thours of\tcompared h\town MWh\tdifference MWh\t%\t")
	for _, a := range months {
		pct := "-"
		if a.DiffPct != nil {
			pct = fmt.Sprintf("%+.2f", *a.DiffPct)
		}
		fmt.Fprintf(w, "%s\t%.3f\t%.2f / %.2f\t%.2f\t%.3f\t%+.3f\t%s\t\n", a.Month, a.Utility, a.Hours, a.MonthH, a.Both, a.Ours, a.Diff, pct)
	}
	return w.Flush()
}

func printImports(s *streams, list []ledger.SiteImport, zone *time.Location) error {
	if len(list) == 0 {
		fmt.Fprintln(s.out, "Nothing was imported yet.")
		return nil
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nimport\tfile\tfrom\tto\tnew\trevised\tby\tat")
	for _, i := range list {
		state := ""
		if !i.WithdrawnAt.IsZero() {
			state = "\twithdrawn by " + i.WithdrawnBy
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%d\t%d\t%s\t%s%s\n", i.ID, i.File, i.From.In(zone).Format("2006-01-02 15:04"), i.To.In(zone).Format("2006-01-02 15:04"), i.Added, i.Changed, i.Actor, i.At.In(zone).Format("2006-01-02 15:04"), state)
	}
	return w.Flush()
}

type meterListCmd struct {
	Site string `placeholder:"NAME" help:"Which site, where there are several."`
}

func (c *meterListCmd) Run(ctx context.Context, common *common, s *streams) error {
	var b server.MeterDataBody
	if err := ask(ctx, common, http.MethodGet, "/api/v1/meter-data?"+query("site", c.Site), nil, &b); err != nil {
		return err
	}
	if common.JSON {
		return s.json(b)
	}
	loc := zoneOr(b.Zone)
	for _, m := range b.Meters {
		ended := ""
		if m.Ended != nil {
			ended = ", taken out " + m.Ended.In(loc).Format("2006-01-02 15:04")
		}
		fmt.Fprintf(s.out, "meter %s: %s to %s%s\n", m.Name, m.First.In(loc).Format("2006-01-02 15:04"), m.Last.In(loc).Format("2006-01-02 15:04"), ended)
	}
	if err := printAgainst(s, b.Months); err != nil {
		return err
	}
	return printImports(s, b.Imports, loc)
}

// ask calls the running Ballast.
func ask(ctx context.Context, common *common, method, path string, body, out any) error {
	cfg, err := common.config()
	if err != nil {
		return err
	}
	cl, err := connect(cfg.Data)
	if err != nil {
		return err
	}
	return cl.call(ctx, method, path, body, out)
}

type meterWithdrawCmd struct {
	ID int64 `arg:"" help:"Number of the import."`
}

func (c *meterWithdrawCmd) Run(ctx context.Context, common *common, s *streams) error {
	return withdraw(ctx, common, s, "/api/v1/meter-data/", c.ID)
}

type awardWithdrawCmd struct {
	ID int64 `arg:"" help:"Number of the import."`
}

func (c *awardWithdrawCmd) Run(ctx context.Context, common *common, s *streams) error {
	return withdraw(ctx, common, s, "/api/v1/awards/", c.ID)
}

func withdraw(ctx context.Context, common *common, s *streams, path string, id int64) error {
	if err := ask(ctx, common, http.MethodDelete, path+strconv.FormatInt(id, 10), nil, nil); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "Import %d is withdrawn.\n", id)
	return nil
}

type meterEndCmd struct {
	Site  string `required:"" placeholder:"NAME" help:"Which site."`
	Meter string `arg:"" help:"Its name."`
	At    string `placeholder:"TIME" help:"When it was taken out: 2026-07-01T16:00:00-05:00. Without: it is in place again."`
}

func (c *meterEndCmd) Run(ctx context.Context, common *common) error {
	body := map[string]any{"site": c.Site, "meter": c.Meter}
	if c.At != "" {
		at, err := time.Parse(time.RFC3339, c.At)
		if err != nil {
			return fmt.Errorf("%w: %q is no time such as 2026-07-01T16:00:00-05:00", errUsage, c.At)
		}
		body["at"] = at
	}
	return ask(ctx, common, http.MethodPost, "/api/v1/meter-data/end", body, nil)
}

type awardListCmd struct {
	Site  string `placeholder:"NAME" help:"Which site, where there are several."`
	Month string `placeholder:"YYYY-MM" help:"Default: the present month."`
}

func (c *awardListCmd) Run(ctx context.Context, common *common, s *streams) error {
	var b server.AwardsBody
	if err := ask(ctx, common, http.MethodGet, "/api/v1/awards?"+query("site", c.Site, "month", c.Month), nil, &b); err != nil {
		return err
	}
	if common.JSON {
		return s.json(b)
	}
	if !b.Asked {
		fmt.Fprintln(s.out, "No contract of this site settles against awards.")
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "day\tMWh\thours missing\t")
	for _, d := range b.Days {
		fmt.Fprintf(w, "%s\t%.3f\t%g\t\n", d.Day, d.MWh, d.Missing)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return printImports(s, b.Imports, zoneOr(b.Zone))
}
