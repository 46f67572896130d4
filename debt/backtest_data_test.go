package debt_test

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"ballast/debt"
)

// econ opens a file of outside data, which tests do without when it is absent.
func econ(t *testing.T, name string) *os.File {
	t.Helper()
	dir := os.Getenv("BALLAST_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "shared")
	}
	f, err := os.Open(filepath.Join(dir, "data", "econ", name))
	if err != nil {
		t.Skip("outside data is not here: ", err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestBacktest(t *testing.T) {
	cases, err := debt.ReadCases(econ(t, "miner_backtest_2022_2024.csv"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := debt.BacktestOf(cases, 1.5, 1.8)
	if err != nil {
		t.Fatal(err)
	}
	if b.N != 13 || b.Distressed != 7 || math.Round(b.RatioAUC*100) != 71 {
		t.Errorf("n %d, %d distressed, AUC %.3f", b.N, b.Distressed, b.RatioAUC)
	}
	if l := b.Lines[0]; l.Caught != 6 || l.FalseAlarm != 2 || l.Survive != 6 {
		t.Errorf("at 1.5: %+v", l)
	}
	if l := b.Lines[1]; l.Caught != 5 {
		t.Errorf("at 1.8: %+v", l)
	}
	t.Logf("ratio AUC %.3f +- %.2f; ranking, leaving one out, %.3f +- %.2f, leaving pairs out %.3f, unfitted %.3f; single %v", b.RatioAUC, b.RatioError, b.RankAUC, b.RankError, b.PairAUC, b.PlainAUC, b.Single)
	for _, r := range b.Rows {
		t.Logf("%-28s %s %v ratio %.2f score %.2f", r.Firm, r.AsOf, r.Distress, r.Ratio, r.Score)
	}
}
