package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"ballast/debt/evidence"
	"ballast/unit"
)

// benchDebt reads the folder that the common flag --data names: here it is the
// outside data that docs/data.md lists, not the record.
type benchDebt struct{}

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
	if common.JSON {
		return s.json(r)
	}
	return printEvidence(s.out, r)
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
