package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"reflect"
	"runtime"
	"syscall"
	"text/tabwriter"
	"time"

	"ballast/debt/evidence"
	"ballast/debt/stress"
	"ballast/unit"
)

// benchDebt reads the folder that the common flag --data names: here it is the
// outside data that docs/data.md lists, not the record.
type benchDebt struct {
	Paths int    `default:"100000" help:"Of the Monte Carlo, 365 days each; 0 leaves it out."`
	Seed  uint64 `default:"1" help:"Of the Monte Carlo."`
}

// playFigures is what the Monte Carlo measured.
type playFigures struct {
	Machine string         `json:"machine"`
	Paths   int            `json:"paths"`
	Days    int            `json:"days"`
	Seconds float64        `json:"seconds"`
	CPU     float64        `json:"processor_seconds"`
	Cores   int            `json:"cores"`
	Same    bool           `json:"same_with_1_2_and_3_workers"`
	Summary stress.Summary `json:"summary"`
}

func (c *benchDebt) play(d evidence.Data) (*playFigures, error) {
	const days = 365
	p, n, f, err := evidence.Play(d, days)
	if err != nil {
		return nil, err
	}
	cfg := stress.Config{Paths: min(c.Paths, 2000), Days: days, Seed: c.Seed, Line: 1.5, Shrink: -0.05, Fall: -0.2}
	same := true
	var first *stress.Result
	for _, workers := range []int{1, 2, 3} {
		cfg.Workers = workers
		r, err := stress.Run(p, n, f, cfg)
		if err != nil {
			return nil, err
		}
		if first == nil {
			first = r
		}
		same = same && reflect.DeepEqual(first, r)
	}
	cfg.Workers, cfg.Paths = 0, c.Paths
	used := func() float64 {
		var u syscall.Rusage
		_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
		return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
	}
	before, begin := used(), time.Now()
	r, err := stress.Run(p, n, f, cfg)
	if err != nil {
		return nil, err
	}
	return &playFigures{machineName(), c.Paths, days, time.Since(begin).Seconds(), used() - before, runtime.GOMAXPROCS(0), same, r.Sum}, nil
}

func (f *playFigures) print(out io.Writer) {
	fmt.Fprintf(out, "\nMonte Carlo: %d paths of %d days, a full debt schedule, retarget feedback (an example firm)\n", f.Paths, f.Days)
	fmt.Fprintf(out, "  %.2f s, %.2f s of processor time, %d cores (%s); the same with 1, 2 and 3 workers: %v\n", f.Seconds, f.CPU, f.Cores, f.Machine, f.Same)
	s := f.Summary
	for _, c := range []struct {
		name string
		c    stress.Chance
	}{
		{"the firm cannot pay", s.Default}, {"ratio under 1.5 at the end", s.UnderLine}, {"a margin call", s.Called},
		{"the network: a retarget of -5 % or worse", s.Shrinks}, {"the network: difficulty 20 % under its peak", s.Falls}, {"firm and retarget on one path", s.Both},
	} {
		fmt.Fprintf(out, "  %-46s %6.2f %% +- %.2f\n", c.name, 100*c.c.P, 100*c.c.Error)
	}
	for _, q := range []struct {
		name string
		v    []stress.Quantile
	}{{"ratio", s.Ratio}, {"lowest liquidity, USD m", scaled(s.Lowest, 1e-6)}, {"hashprice", s.Hashprice}, {"days to default", s.ToDefault}} {
		fmt.Fprintf(out, "  %s:", q.name)
		for _, v := range q.v {
			fmt.Fprintf(out, "  %g %% %.3g +- %.2g", 100*v.At, v.Value, v.Error)
		}
		_, _ = fmt.Fprintln(out)
	}
}

func scaled(v []stress.Quantile, by float64) []stress.Quantile {
	out := make([]stress.Quantile, len(v))
	for i, q := range v {
		out[i] = stress.Quantile{At: q.At, Value: q.Value * by, Error: q.Error * by}
	}
	return out
}

func (c *benchDebt) Run(_ context.Context, common *common, s *streams) error {
	if common.Data == "" {
		return fmt.Errorf("%w: name the folder of outside data with --data DIR (docs/data.md lists the files)", errUsage)
	}
	d, err := evidence.Load(os.DirFS(common.Data))
	if err != nil {
		return err
	}
	r, err := evidence.Run(d)
	if err != nil {
		return err
	}
	out := struct {
		evidence.Report
		Play *playFigures `json:"monte_carlo,omitempty"`
	}{Report: r}
	if c.Paths > 0 {
		if out.Play, err = c.play(d); err != nil {
			return err
		}
	}
	if common.JSON {
		return s.json(out)
	}
	if err := printEvidence(s.out, r); err != nil {
		return err
	}
	if out.Play != nil {
		out.Play.print(s.out)
	}
	return nil
}

func printEvidence(out io.Writer, r evidence.Report) error {
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	group := ""
	for _, f := range r.Figures {
		if f.Group != group {
			group = f.Group
			fmt.Fprintf(w, "\n%s\t\t\t\t\t\n", group)
		}
		mark := "pass"
		if !f.Pass {
			mark = "FAIL"
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\t%s\n", mark, f.Name, f.Got, "ref "+f.Want, "tol "+f.Tolerance, f.Note)
	}
	b := r.Backtest
	fmt.Fprintf(w, "\nback-test of %d firms, %d distressed\tratio\tplain\tleft-out\tdistressed\t\n", b.N, b.Distressed)
	for _, x := range b.Rows {
		fmt.Fprintf(w, "  %s, %s\t%.2f\t%.2f\t%.2f\t%v\t\n", x.Firm, x.AsOf, x.Ratio, x.Plain, x.Score, x.Distress)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "  AUC: ratio %.2f (s.e. %.2f); Ballast's ranking unfitted %.2f, fitted leaving one out %.2f (s.e. %.2f), leaving each pair out %.2f. n = %d.\n", b.RatioAUC, b.RatioError, b.PlainAUC, b.RankAUC, b.RankError, b.PairAUC, b.N)
	for _, name := range b.RankFeatures {
		fmt.Fprintf(out, "    %s: %.2f alone\n", name, b.Single[name])
	}
	fmt.Fprintln(out, "\nP(next retarget <= -5 %) by hashprice's change over 30 days")
	for _, sc := range r.Scores {
		fmt.Fprintf(out, "  %s: Brier %.4f, base rate %.4f\n", sc.How, sc.Brier, sc.BaseBrier)
		for _, x := range sc.Bins {
			fmt.Fprintf(out, "    %s to %s: n %3d, said %4.1f %%, was %4.1f %%, off %+5.1f points (one s.e. %.1f)\n", edge(x.From), edge(x.To), x.N, 100*x.Said, 100*x.Was, 100*x.Off(), 100*x.Error)
		}
	}
	fmt.Fprintln(out, "\nthe press article's figures")
	for _, c := range r.Claims {
		fmt.Fprintf(out, "  %2d %-14s %s\n", c.No, c.Verdict, c.Figure)
		if c.Formula != "" {
			fmt.Fprintf(out, "     %s = %.4g %s\n", c.Formula, c.Result, c.Unit)
		}
		fmt.Fprintf(out, "     %s\n", c.Note)
	}
	_, err := fmt.Fprintf(out, "\n%d of %d figures meet their reference\n", len(r.Figures)-r.Failed(), len(r.Figures))
	return err
}

func edge(v unit.Opt[float64]) string {
	if x, ok := v.Get(); ok {
		return fmt.Sprintf("%+4.0f %%", 100*x)
	}
	return "  any "
}
