package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"ballast/forecast"
)

// benchEPF reads the folder that the common flag --data names.
type benchEPF struct {
	Market  []string `placeholder:"NAME" help:"Only these, such as NP. Default: every file of the folder that is a market."`
	Days    int      `default:"728" help:"The last ones, each forecast from the days before it. The published benchmark takes 728."`
	Quick   bool     `help:"The last 91 days instead."`
	Workers int      `default:"1" help:"Models at work at once; the numbers do not depend on it."`
	Keep    string   `placeholder:"DIR" help:"Keep what was forecast there: a run that is interrupted goes on where it was." type:"path"`
}

// epfDays is the published test period, quickDays the subsample of --quick.
const (
	epfDays   = 728
	quickDays = 91
)

// epfResult is one market, as --json prints it.
type epfResult struct {
	Market     string  `json:"market"`
	Days       int     `json:"days"`
	MAE        float64 `json:"mae"`
	RMAEWeek   float64 `json:"rmae_week"`
	RMAEDow    float64 `json:"rmae_dow"`
	SMAPE      float64 `json:"smape"`
	RMSE       float64 `json:"rmse"`
	Pinball    float64 `json:"pinball"`
	Coverage90 float64 `json:"coverage90"`
	CPU        float64 `json:"cpu_seconds_per_day"`
}

func (c *benchEPF) Run(ctx context.Context, common *common, s *streams) error {
	if common.Data == "" {
		return fmt.Errorf("%w: name the folder of the markets' files with --data DIR (docs/forecast.md says where they are)", errUsage)
	}
	days := c.Days
	if c.Quick {
		days = quickDays
	}
	if days < 1 {
		return fmt.Errorf("%w: --days %d", errUsage, days)
	}
	names, err := c.markets(common.Data)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := c.market(ctx, common, s, name, days); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// markets are the names asked for, or every file that is not of forecasts.
func (c *benchEPF) markets(dir string) ([]string, error) {
	if len(c.Market) > 0 {
		return c.Market, nil
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.csv"))
	if err != nil {
		return nil, err
	}
	var out []string
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".csv")
		if !strings.HasPrefix(name, "Forecasts_") {
			out = append(out, name)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: no market's file in %s", errUsage, dir)
	}
	return out, nil
}

func (c *benchEPF) market(ctx context.Context, common *common, s *streams, name string, days int) error {
	f, err := os.Open(filepath.Join(common.Data, name+".csv"))
	if err != nil {
		return err
	}
	defer f.Close()
	p, err := forecast.ReadEPF(f, name)
	if err != nil {
		return err
	}
	e := &forecast.Ensemble{Workers: c.Workers}
	save := func() error { return nil }
	if c.Keep != "" {
		if save, err = keep(e, filepath.Join(c.Keep, name+".json")); err != nil {
			return err
		}
	}
	told, done := trialBar(s.err, name)
	begin, at := time.Now(), 0
	var failed error
	t, err := forecast.Try(ctx, e, p, days, processorSeconds, func(n, of int) {
		if at++; at%14 == 0 && failed == nil {
			failed = save()
		}
		told(n, of)
	})
	done()
	if err = errors.Join(err, failed, save()); err != nil {
		return err
	}
	if done := len(t.Said); done < days {
		days = done
		fmt.Fprintf(s.err, "%s: stopped after %d days; these are their figures\n", name, done)
	}
	m := forecast.Measure(p, t.First, t.Said)
	cpu := (t.Used.Lear + t.Used.Nets + t.Used.Trees + t.Used.Cone) / float64(days)
	if common.JSON {
		// A line a market, so that several can be read one by one.
		return json.NewEncoder(s.out).Encode(epfResult{name, days, m.MAE, m.RMAEWeek, m.RMAEDow, m.SMAPE, m.RMSE, t.Cone.Pinball, t.Cone.Cover90, cpu})
	}
	published, err := publishedForecasts(filepath.Join(common.Data, "Forecasts_"+name+".csv"), p, t.First, days)
	if err != nil {
		return err
	}
	printTrial(s.out, p, t, published, time.Since(begin))
	return nil
}

// keep loads what an earlier run said and answers how to save.
func keep(e *forecast.Ensemble, file string) (func() error, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		return nil, err
	}
	f, err := os.Open(file) //nolint:gosec // named by the user
	switch {
	case err == nil:
		err = e.Load(f)
		_ = f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	case !errors.Is(err, os.ErrNotExist):
		return nil, err
	}
	return func() error {
		f, err := os.CreateTemp(filepath.Dir(file), ".keep-*")
		if err != nil {
			return err
		}
		defer func() { _ = os.Remove(f.Name()) }()
		if err := errors.Join(e.Save(f), f.Close()); err != nil {
			return err
		}
		return os.Rename(f.Name(), file)
	}, nil
}

// processorSeconds is what this process has used.
func processorSeconds() float64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// trialBar shows progress when somebody watches.
func trialBar(w io.Writer, name string) (told func(done, of int), end func()) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return func(int, int) {}, func() {}
	}
	bar := progressbar.NewOptions(1, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(name+": days"), progressbar.OptionShowCount(),
		progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionFullWidth())
	return func(done, of int) {
		bar.ChangeMax(of)
		_ = bar.Set(done)
	}, func() { _ = bar.Finish() }
}

// published is one model of others.
type published struct {
	name string
	said [][forecast.Hours]float64
}

// publishedForecasts reads the paper's own forecasts of the days from first on;
// none when there is no file or it is of other days.
func publishedForecasts(file string, p *forecast.Panel, first, days int) ([]published, error) {
	f, err := os.Open(file) //nolint:gosec // in a folder named by the user
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	head := rows[0]
	begin := slices.IndexFunc(rows, func(r []string) bool { return strings.HasPrefix(r[0], p.Date(first).Format("2006-01-02")) })
	if begin < 1 || len(rows)-begin < days*forecast.Hours {
		return nil, nil
	}
	rows = rows[begin : begin+days*forecast.Hours]
	var out []published
	for _, name := range []string{"LEAR 56", "LEAR 84", "LEAR 1092", "LEAR 1456", "LEAR Ensemble", "DNN Ensemble"} {
		c := slices.Index(head, name)
		if c < 0 {
			continue
		}
		m := published{"published " + name, make([][forecast.Hours]float64, days)}
		for i, r := range rows {
			if m.said[i/forecast.Hours][i%forecast.Hours], err = strconv.ParseFloat(r[c], 64); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
		}
		out = append(out, m)
	}
	if n := len(out); n >= 2 && out[n-1].name == "published DNN Ensemble" && out[n-2].name == "published LEAR Ensemble" {
		both := published{"mean of the two published ensembles", make([][forecast.Hours]float64, days)}
		for d := range both.said {
			for h := range both.said[d] {
				both.said[d][h] = (out[n-1].said[d][h] + out[n-2].said[d][h]) / 2
			}
		}
		out = append(out, both)
	}
	return out, nil
}

func printTrial(out io.Writer, p *forecast.Panel, t *forecast.Trial, others []published, took time.Duration) {
	days := len(t.Said)
	fmt.Fprintf(out, "%s: %d days from %s to %s, forecast one after the other, each from the days before it", t.Market, days, p.Date(t.First).Format("2006-01-02"), p.Date(t.First+days-1).Format("2006-01-02"))
	if days != epfDays {
		fmt.Fprintf(out, " (a part: the published benchmark takes %d)", epfDays)
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "\n\n  model\tMAE\trMAE (week before)\trMAE (day-of-week naive)\tsMAPE %%\tRMSE\tBallast better? DM\tp\n")
	row := func(name string, said [][forecast.Hours]float64, test bool) {
		m := forecast.Measure(p, t.First, said)
		fmt.Fprintf(w, "  %s\t%.3f\t%.3f\t%.3f\t%.2f\t%.2f\t", name, m.MAE, m.RMAEWeek, m.RMAEDow, m.SMAPE, m.RMSE)
		if test {
			z, prob := forecast.DieboldMariano(p, t.First, said, t.Said)
			fmt.Fprintf(w, "%.2f\t%.2g\n", z, prob)
			return
		}
		fmt.Fprint(w, "\t\n")
	}
	row("Ballast ensemble", t.Said, false)
	for _, name := range t.Order {
		row("  "+name, t.Parts[name], true)
	}
	for _, o := range others {
		row(o.name, o.said, true)
	}
	_ = w.Flush()
	fmt.Fprintln(out, "  naive forecasts that rMAE divides by: the same hour a week before; and the day before, on Mondays, Saturdays and Sundays the week before")
	fmt.Fprintln(out, "  DM: Diebold-Mariano on the daily sums of absolute errors; p is the chance of as much if Ballast's ensemble were no better")

	w = tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "\n  distribution of each hour\tpinball, 99 levels\t90 %% interval covers\tby 91 days\n")
	for _, r := range []struct {
		name string
		t    forecast.Tally
	}{{"Ballast", t.Cone}, {"rolling residual quantiles around the same forecast", t.Plain}} {
		fmt.Fprintf(w, "  %s\t%.4f\t%.1f %%\t", r.name, r.t.Pinball, 100*r.t.Cover90)
		for _, q := range r.t.Quarters {
			fmt.Fprintf(w, "%.1f ", 100*q)
		}
		fmt.Fprintln(w)
	}
	_ = w.Flush()
	fmt.Fprintf(out, "  pinball loss %.2f %% smaller\n", 100*(1-t.Cone.Pinball/t.Plain.Pinball))
	u, n := t.Used, float64(days)
	fmt.Fprintf(out, "\n  processor seconds a day: %.2f in all, the %d days before the first included (LEAR's windows %.2f, networks %.2f, trees %.2f, distribution %.2f); %s; %.0f s by the clock\n\n",
		(u.Lear+u.Nets+u.Trees+u.Cone)/n, t.Before, u.Lear/n, u.Nets/n, u.Trees/n, u.Cone/n, machineName(), took.Seconds())
}
