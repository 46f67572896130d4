package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/goccy/go-yaml"

	"ballast/debt"
	"ballast/debt/play"
	"ballast/debt/stress"
	"ballast/server"
	"ballast/unit"
)

// playFlags are what stress and outlook have in common.
type playFlags struct {
	To       string   `placeholder:"DAY" help:"The date that is asked for, such as 2026-12-31. Default: a year on."`
	Line     float64  `default:"1.5" help:"Of the hashrate-debt ratio; 1.5 is the claim's line."`
	Paths    int      `default:"10000" help:"How many futures are played, up to 200,000."`
	Seed     uint64   `default:"1" help:"The same seed gives the same outcome."`
	Model    string   `enum:",bootstrap,garch,heston,gbm" default:"" help:"Of the price of a bitcoin: bootstrap, garch, heston or gbm. Default: bootstrap where enough past is known."`
	Company  string   `placeholder:"FILE" type:"existingfile" help:"Company as JSON or YAML (docs/outlook.md), instead of the records' and the fleet's."`
	Scenario string   `placeholder:"NAME" help:"Play a saved scenario instead; the other flags do not count."`
	Without  []string `placeholder:"LEVER" help:"Switch a lever off. May be repeated."`
}

type stressCmd struct {
	playFlags
	Price      float64 `placeholder:"SHARE" help:"Shock to the price of a bitcoin at once: -0.3 is 30 % down."`
	Difficulty float64 `placeholder:"SHARE" help:"Shock to difficulty at once."`
	Power      float64 `placeholder:"SHARE" help:"Shock to the power price at once."`
	Sell       float64 `default:"0.6" help:"Policy: share of each day's coins sold at once."`
	Cover      float64 `help:"Policy: share of each day's payments that coins are sold for."`
	Floor      float64 `placeholder:"USD" help:"Policy: sell coins when cash falls under it."`
	Forward    float64 `placeholder:"SHARE" help:"Policy: share of hashrate whose hashprice is fixed at today's."`
	Borrow     float64 `placeholder:"USD" help:"Policy: a line against coins of so much, drawn before coins are sold (LTV 50 %, call 70 %, sale 85 %, 10.5 %)."`
}

type outlookCmd struct {
	playFlags
	Network bool `help:"Print how likely it is that the network shrinks instead, calibrated on history."`
}

type peersCmd struct {
	Month    string  `placeholder:"MONTH" help:"Such as 2025-09. Default: the newest with reports."`
	Import   string  `placeholder:"FILE" type:"existingfile" help:"Enter the production reports of a CSV (firm, month, btc_mined, installed_ehs, luck, source) first. One wrong line, and nothing is entered."`
	FeeShare float64 `default:"0.015" help:"Fees in the network's reward that month."`
}

func (f *playFlags) scenario(ctx context.Context, cl *client) (play.Scenario, int64, error) {
	if f.Scenario != "" {
		var saved []server.SavedScenario
		if err := cl.call(ctx, http.MethodGet, "/api/v1/outlook/scenarios", nil, &saved); err != nil {
			return play.Scenario{}, 0, err
		}
		var names []string
		for _, s := range saved {
			if s.Name == f.Scenario {
				return s.Scenario, s.ID, nil
			}
			names = append(names, s.Name)
		}
		return play.Scenario{}, 0, fmt.Errorf("%w: there is no scenario %q; there are: %s", errUsage, f.Scenario, strings.Join(names, ", "))
	}
	var base server.OutlookBase
	if err := cl.call(ctx, http.MethodGet, "/api/v1/outlook", nil, &base); err != nil {
		return play.Scenario{}, 0, err
	}
	s := base.Scenario
	s.Line, s.Paths, s.Seed, s.Market.Model = f.Line, f.Paths, f.Seed, stress.PriceKind(f.Model)
	if f.To != "" {
		to, err := debt.ParseDate(f.To)
		if err != nil {
			return s, 0, fmt.Errorf("%w: --to: %w", errUsage, err)
		}
		s.To = to
	}
	if f.Company != "" {
		c, err := readCompany(f.Company)
		if err != nil {
			return s, 0, err
		}
		s.Company = c
	}
	for _, name := range f.Without {
		found := false
		for i := range s.Levers {
			if s.Levers[i].Name == name {
				s.Levers[i].On, found = false, true
			}
		}
		if !found {
			return s, 0, fmt.Errorf("%w: there is no lever %q", errUsage, name)
		}
	}
	return s, 0, nil
}

// readCompany reads JSON or YAML.
func readCompany(path string) (c play.Company, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return c, err
	}
	if !json.Valid(text) {
		if text, err = yaml.YAMLToJSON(text); err != nil {
			return c, fmt.Errorf("%w: %s is neither JSON nor YAML: %w", errUsage, path, err)
		}
	}
	if err := json.Unmarshal(text, &c); err != nil {
		return c, fmt.Errorf("%w: %s: %w", errUsage, path, err)
	}
	if c.Source == "" {
		c.Source = path
	}
	return c, nil
}

// playOn has the server play a scenario, telling its progress, and waits. An
// interrupt cancels it there too.
func playOn(ctx context.Context, cl *client, s play.Scenario, of int64, name string, errs io.Writer) (server.ScenarioRun, error) {
	var run server.ScenarioRun
	body := map[string]any{"scenario": s, "of": of, "name": name}
	if err := cl.call(ctx, http.MethodPost, "/api/v1/outlook/runs", body, &run); err != nil {
		return run, err
	}
	path := fmt.Sprintf("/api/v1/outlook/runs/%d", run.ID)
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	last := time.Now()
	for run.State == "waiting" || run.State == "running" {
		select {
		case <-ctx.Done():
			limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
			defer cancel()
			_ = cl.call(limit, http.MethodDelete, path, nil, nil) // we are leaving; the server ends it by itself too
			return run, ctx.Err()
		case <-tick.C:
		}
		if err := cl.call(ctx, http.MethodGet, path, nil, &run); err != nil {
			return run, err
		}
		if time.Since(last) > 2*time.Second {
			fmt.Fprintf(errs, "%.0f %%\n", 100*run.Done)
			last = time.Now()
		}
	}
	if run.State != "done" || run.Outcome == nil {
		return run, fmt.Errorf("the run is %s: %s", run.State, run.Detail)
	}
	return run, nil
}

func (c *stressCmd) Run(ctx context.Context, common *common, s *streams) error {
	cl, err := common.connect()
	if err != nil {
		return err
	}
	sc, of, err := c.scenario(ctx, cl)
	if err != nil {
		return err
	}
	if of == 0 {
		sc.Market.PriceShock, sc.Market.HardShock, sc.Market.PowerShock = c.Price, c.Difficulty, c.Power
		sc.Policy.Sell, sc.Policy.Cover, sc.Policy.Floor, sc.Policy.Forward = c.Sell, c.Cover, c.Floor, c.Forward
		if c.Borrow > 0 {
			sc.Policy.Borrow = &stress.CreditLine{Most: c.Borrow, Initial: 0.5, Call: 0.7, Liquidate: 0.85, Cure: 2, Rate: 0.105}
		}
	}
	run, err := playOn(ctx, cl, sc, of, "ballast stress", s.err)
	if err != nil {
		return err
	}
	if common.JSON {
		return s.json(run)
	}
	return printOutcome(s.out, run.Outcome, true)
}

func (c *outlookCmd) Run(ctx context.Context, common *common, s *streams) error {
	cl, err := common.connect()
	if err != nil {
		return err
	}
	if c.Network {
		var o server.NetworkOdds
		if err := cl.call(ctx, http.MethodGet, "/api/v1/outlook/network", nil, &o); err != nil {
			return err
		}
		if common.JSON {
			return s.json(o)
		}
		return printOdds(s.out, o)
	}
	sc, of, err := c.scenario(ctx, cl)
	if err != nil {
		return err
	}
	run, err := playOn(ctx, cl, sc, of, "ballast outlook", s.err)
	if err != nil {
		return err
	}
	if common.JSON {
		return s.json(run)
	}
	return printOutcome(s.out, run.Outcome, false)
}

func printOutcome(out io.Writer, o *play.Outcome, all bool) error {
	s, r := o.Scenario, o.Result
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	ratio := "-"
	if v, ok := o.Start.Ratio.Get(); ok {
		ratio = fmt.Sprintf("%.2f", v)
	}
	fmt.Fprintf(w, "%s, %s to %s (%d days), %d futures, seed %d\n", orText(s.Company.Name, "company"), s.From, s.To, o.Days, s.Paths, s.Seed)
	fmt.Fprintf(w, "today\tratio %s\tall debt that bears interest, $%s, over machines worth $%s\t%.1f PH/s\n\n", ratio, grouped(o.Start.Owed, 0), grouped(o.Start.Worth, 0), o.Start.Hashrate)
	fmt.Fprintf(w, "THE COMPANY\t\t\n")
	chance := func(name string, c stress.Chance) {
		if c.N == 0 {
			fmt.Fprintf(w, "%s\t-\t\n", name)
			return
		}
		fmt.Fprintf(w, "%s\t%.2f %%\t+- %.2f\n", name, 100*c.P, 100*c.Error)
	}
	chance(fmt.Sprintf("ratio under %g on %s (the claim's line)", s.Line, s.To), r.UnderLine)
	chance("cannot pay by then (default)", r.Default)
	chance("in distress by then", r.Distress)
	chance("a margin call by then", r.Called)
	quantiles := func(name, format string, by float64, qs []stress.Quantile) {
		if len(qs) == 0 {
			return
		}
		fmt.Fprintf(w, "%s", name)
		for _, q := range qs {
			fmt.Fprintf(w, "\t%g %%: "+format+" +- "+format, 100*q.At, q.Value*by, q.Error*by)
		}
		fmt.Fprintln(w)
	}
	quantiles("ratio on that day", "%.2f", 1, r.Ratio)
	quantiles("lowest liquidity, $k", "%.1f", 1e-3, r.Lowest)
	quantiles("days to default", "%.0f", 1, r.ToDefault)
	quantiles("days to distress", "%.0f", 1, r.ToThin)
	quantiles("lenders get back", "%.2f", 1, r.Back)
	fmt.Fprintf(w, "\nTHE NETWORK, another event\t\t\n")
	chance(fmt.Sprintf("a retarget of %g %% or worse", 100*s.Shrink), r.Shrinks)
	chance(fmt.Sprintf("difficulty %g %% from its peak", 100*s.Fall), r.Falls)
	chance("both: default and such a retarget", r.Both)
	quantiles("hashprice on that day", "%.1f", 1, r.Hashprice)
	if len(o.Levers) > 0 {
		fmt.Fprintf(w, "\nLEVERS, each alone\tratio without\twith\tunder the line without\twith\tdefault without\twith\tits effect is\n")
		for _, l := range o.Levers {
			fmt.Fprintf(w, "%s\t%s\t%s\t%.1f %%\t%.1f %%\t%.2f %%\t%.2f %%\t%s\n", l.Name, optText(l.Without.Ratio), optText(l.With.Ratio), 100*l.Without.UnderLine.P, 100*l.With.UnderLine.P, 100*l.Without.Default.P, 100*l.With.Default.P, l.Evidence)
		}
	}
	if all {
		fmt.Fprintf(w, "\nASSUMPTIONS\t\t\t\n")
		for _, a := range o.Assumptions {
			fmt.Fprintf(w, "%s\t%.6g %s\t%s\t%s\n", a.Name, a.Value, a.Unit, a.From, a.Source)
		}
	} else {
		n := 0
		for _, a := range o.Assumptions {
			if a.From == "assumed" {
				n++
			}
		}
		fmt.Fprintf(w, "\n%d of %d numbers that went in are assumptions without a source; --json or `ballast stress` lists them.\n", n, len(o.Assumptions))
	}
	return w.Flush()
}

func orText(s, d string) string {
	if s == "" {
		return d
	}
	return s
}

func optText(o unit.Opt[float64]) string {
	if v, ok := o.Get(); ok {
		return fmt.Sprintf("%.2f", v)
	}
	return "-"
}

func printOdds(out io.Writer, o server.NetworkOdds) error {
	if o.Simulated {
		fmt.Fprintln(out, "SIMULATED: learned from a network that does not exist.")
	}
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	if p, ok := o.Chance.Get(); ok {
		c, _ := o.Change.Get()
		fmt.Fprintf(w, "next retarget %g %% or worse, said when this epoch began\t%.1f %%\thashprice had moved %+.0f %% in 30 days\n", 100*o.Threshold, 100*p, 100*c)
	} else if o.Why != "" {
		fmt.Fprintf(w, "no forecast\t%s\n", o.Why)
	}
	if p, ok := o.SoFar.Get(); ok {
		fmt.Fprintf(w, "the same, from this epoch's blocks so far\t%.1f %%\n", 100*p)
	}
	for _, b := range o.Base {
		fmt.Fprintf(w, "retargets of %.0f %% or worse, all %d known\t%.1f %%\n", 100*b.Threshold, b.N, 100*b.Share)
	}
	for _, f := range o.Falls {
		fmt.Fprintf(w, "difficulty fell\t%.1f %%\t%s to %s\n", 100*f.Depth, f.Peak.Format(time.DateOnly), f.Trough.Format(time.DateOnly))
	}
	if s := o.Score; s != nil {
		fmt.Fprintf(w, "%s\tBrier %.4f, base rate %.4f\tworst bin %.1f points off; exactly right forecasts would be within 3 in %.0f %% of histories\n", s.How, s.Brier, s.BaseBrier, 100*s.Worst, 100*s.Attainable)
	}
	return w.Flush()
}

func (c *peersCmd) Run(ctx context.Context, common *common, s *streams) error {
	cl, err := common.connect()
	if err != nil {
		return err
	}
	if c.Import != "" {
		text, err := os.ReadFile(c.Import)
		if err != nil {
			return err
		}
		var got struct {
			Entered []json.RawMessage `json:"entered"`
			Errors  []string          `json:"errors"`
		}
		if err := cl.call(ctx, http.MethodPost, "/api/v1/outlook/peers/reports", map[string]any{"text": string(text)}, &got); err != nil {
			return err
		}
		if len(got.Errors) > 0 {
			return fmt.Errorf("%w: nothing was entered:\n  %s", errUsage, strings.Join(got.Errors, "\n  "))
		}
		fmt.Fprintf(s.err, "%d reports entered\n", len(got.Entered))
	}
	q := url.Values{"fee_share": {fmt.Sprint(c.FeeShare)}}
	if c.Month != "" {
		q.Set("month", c.Month)
	}
	var b server.PeersBody
	if err := cl.call(ctx, http.MethodGet, "/api/v1/outlook/peers?"+q.Encode(), nil, &b); err != nil {
		return err
	}
	if common.JSON {
		return s.json(b)
	}
	if b.Why != "" {
		fmt.Fprintln(s.out, "No table:", b.Why)
		return nil
	}
	if b.Simulated {
		fmt.Fprintln(s.out, "SIMULATED difficulty: real reports do not fit it.")
	}
	w := tabwriter.NewWriter(s.out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "%s\tfirm\trealised EH/s\tshare\tof installed\tgrowth\tclass\tsource\n", b.Month)
	percent := func(v *float64) string {
		if v == nil {
			return "-"
		}
		return fmt.Sprintf("%.1f %%", 100**v)
	}
	for _, r := range b.Rows {
		fmt.Fprintf(w, "%d\t%s\t%.2f (%.2f to %.2f)\t%.2f %%\t%s\t%s\t%s\t%s\n", r.Rank, r.Firm, r.Realised, r.Low, r.High, 100*r.Share, percent(r.Rate), percent(r.Growth), r.Class, r.Source)
	}
	for _, k := range b.Classes {
		fmt.Fprintf(w, "\t%s, %d firms\t%.2f\t%.2f %%\t\t%s\t\t\n", k.Class, k.Firms, k.Realised, 100*k.Share, percent(k.Growth))
	}
	return w.Flush()
}
