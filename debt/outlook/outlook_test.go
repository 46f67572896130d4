package outlook_test

import (
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ballast/debt/outlook"
	"ballast/market"
	"ballast/unit"
)

func load(t *testing.T) (market.History, []market.DayPrice) {
	t.Helper()
	dir := os.Getenv("BALLAST_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	open := func(name string) *os.File {
		f, err := os.Open(filepath.Join(dir, "data", "econ", name))
		if err != nil {
			t.Skip("outside data is not here: ", err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	h, err := market.ReadCheckpoints(open("electrum_checkpoints.json"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := market.ReadPrices(open("btcusd_daily_yahoo_2014_2026.csv"), unit.USD)
	if err != nil {
		t.Fatal(err)
	}
	return h, p
}

func TestOnHistory(t *testing.T) {
	h, p := load(t)
	ms := outlook.Moments(h, p)
	y2016 := time.Date(2016, 1, 1, 0, 0, 0, 0, time.UTC)
	out, err := outlook.YearOut(ms, -0.05, y2016)
	if err != nil {
		t.Fatal(err)
	}
	show := func(s outlook.Score) {
		t.Logf("%s: n %d, events %d, Brier %.4f, base %.4f, skill %+.3f, worst %.1f points", s.How, s.N, s.Events, s.Brier, s.BaseBrier, s.Skill(), 100*s.Worst)
		for _, b := range s.Bins {
			t.Logf("  %v..%v n %3d said %.3f was %.3f (%+.1f, one s.e. %.1f)", b.From, b.To, b.N, b.Said, b.Was, 100*b.Off(), 100*b.Error)
		}
	}
	show(out)
	if out.Worst > 0.03 {
		t.Errorf("a bin is %.1f points off", 100*out.Worst)
	}
	for _, y := range []int{2018, 2021} {
		fw, err := outlook.Forward(ms, -0.05, time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC))
		if err != nil {
			t.Fatal(err)
		}
		show(fw)
		if fw.Skill() <= 0 {
			t.Errorf("forward from %d: worse than the base rate: %v", y, fw.Skill())
		}
	}
	m, err := outlook.Learn(ms, -0.05)
	if err != nil || m.B >= 0 || m.Chance(-0.4) < 2*m.Chance(0.2) {
		t.Errorf("%+v, %v", m, err)
	}
	// The known crashes, peak to trough, of the reference.
	want := []float64{-0.315, -0.170, -0.454, -0.114, -0.098, -0.199}
	for _, w := range want {
		found := false
		for _, f := range outlook.Falls(h, y2016, 0.05) {
			found = found || math.Abs(f.Depth-w) < 0.002
		}
		if !found {
			t.Errorf("no fall of %.1f %% in %v", 100*w, outlook.Falls(h, y2016, 0.05))
		}
	}
	// One retarget since 2018 was -4.99 %, which the reference counts as -5 %.
	n, share := outlook.BaseRates(h, time.Date(2018, 1, 1, 0, 0, 0, 0, time.UTC), -0.05, -0.10)
	if n != 225 || math.Abs(share[0]-0.089) > 0.005 || math.Abs(share[1]-0.036) > 0.0006 {
		t.Errorf("base rates since 2018: %d, %v", n, share)
	}
}
