package miner

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"ballast/unit"
)

func TestSummarizeChips(t *testing.T) {
	if SummarizeChips(Chips{}).Ok() {
		t.Error("no figures gave a summary")
	}
	got, ok := SummarizeChips(Chips{
		Hashrates:   []unit.Hashrate{1, 1, 0, 0.5, 1, 0.9},
		Temps:       []unit.Temperature{60, 62, unit.Temperature(math.NaN()), 70},
		Frequencies: []unit.Frequency{500e6, 600e6},
		Voltages:    []unit.Voltage{0.30, 0.28},
		Errors:      []int64{0, 3, 9},
	}).Get()
	if !ok {
		t.Fatal("no summary")
	}
	checkChips(t, "count", got.Count, 6)
	checkChips(t, "dead", got.Dead.Or(-1), 1)
	checkChips(t, "weak", got.Weak.Or(-1), 1) // 0.5 is below 80 % of the living median (1)
	checkChips(t, "rate min", got.HashrateMin.Or(-1), 0)
	checkChips(t, "rate median", got.HashrateMedian.Or(-1), 0.95)
	checkChips(t, "temp max", got.TempMax.Or(-1), 70)
	checkChips(t, "temp mean", got.TempMean.Or(-1), 64)
	checkChips(t, "frequency min", got.FrequencyMin.Or(-1), 500e6)
	checkChips(t, "frequency mean", got.FrequencyMean.Or(-1), 550e6)
	checkChips(t, "voltage min", got.VoltageMin.Or(-1), 0.28)
	checkChips(t, "errors", got.Errors.Or(-1), 12)
	checkChips(t, "errors max", got.ErrorsMax.Or(-1), 9)
}

func TestSummarizeChipsTold(t *testing.T) {
	got := SummarizeChips(Chips{Hashrates: []unit.Hashrate{1, 1, 1}, Dead: unit.Some(2)}).Or(ChipSummary{})
	checkChips(t, "dead as told", got.Dead.Or(-1), 2)
	// A board that hashes nothing at all (asleep) has no dead chips to tell.
	idle := SummarizeChips(Chips{Hashrates: []unit.Hashrate{0, 0, 0}}).Or(ChipSummary{})
	if idle.Dead.Ok() || idle.Weak.Ok() {
		t.Errorf("idle board judged: %+v", idle)
	}
}

func TestSummarizeChipsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rates := rapid.SliceOfN(rapid.Float64Range(0, 2), 1, 200).Draw(t, "rates")
		c := Chips{}
		for _, r := range rates {
			c.Hashrates = append(c.Hashrates, unit.Hashrate(r))
		}
		s := SummarizeChips(c).Or(ChipSummary{})
		if s.Count != len(rates) || s.Dead.Or(0)+s.Weak.Or(0) > s.Count {
			t.Fatalf("counts do not fit: %+v", s)
		}
		if m := s.HashrateMedian.Or(-1); m < s.HashrateMin.Or(3) || s.HashrateSD.Or(-1) < 0 {
			t.Fatalf("order: %+v", s)
		}
	})
}

func checkChips[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}
