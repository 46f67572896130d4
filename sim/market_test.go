package sim

import (
	"math"
	"slices"
	"testing"
	"time"
)

func testMarket(t *testing.T, seed uint64) Market {
	t.Helper()
	zone, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	return Market{WestTexas, seed, zone}
}

// A year of prices looks like a market's: around thirty dollars, sometimes
// below zero, rarely in the hundreds; day-ahead follows real-time and is calmer.
func TestMarket(t *testing.T) {
	for _, seed := range []uint64{1, 2, 7} {
		m := testMarket(t, seed)
		from := time.Date(2026, 1, 1, 6, 0, 0, 0, time.UTC)
		to := from.AddDate(1, 0, 0)
		rtm, err := m.Values(RealTime, from, to, to.AddDate(0, 0, 1))
		if err != nil {
			t.Fatal(err)
		}
		dam, err := m.Values(DayAhead, from, to, to)
		if err != nil {
			t.Fatal(err)
		}
		var sum, sumD, both float64
		negative, spikes := 0, 0
		for i, v := range rtm {
			sum += v.Value
			both += math.Abs(v.Value - dam[i/4].Value)
			if v.Value < 0 {
				negative++
			}
			if v.Value > 200 {
				spikes++
			}
		}
		for _, v := range dam {
			sumD += v.Value
		}
		n := float64(len(rtm))
		mean, meanD := sum/n, sumD/float64(len(dam))
		if mean < 18 || mean > 45 || meanD < 18 || meanD > 50 {
			t.Errorf("seed %d: mean real-time %.1f, day-ahead %.1f", seed, mean, meanD)
		}
		if share := float64(negative) / n; share > 0.12 {
			t.Errorf("seed %d: %.1f %% below zero", seed, 100*share)
		}
		if share := float64(spikes) / n; share == 0 || share > 0.02 {
			t.Errorf("seed %d: %.2f %% above $200", seed, 100*share)
		}
		t.Logf("seed %d: real-time %.2f, day-ahead %.2f, apart %.2f, below zero %.1f %%, above $200 %.2f %%", seed, mean, meanD, both/n, 100*float64(negative)/n, 100*float64(spikes)/n)
	}
}

// Only what was published is told, the same whenever it is asked, and a
// correction comes two hours later.
func TestMarketPublishes(t *testing.T) {
	m := testMarket(t, 1)
	day := time.Date(2026, 7, 2, 0, 0, 0, 0, m.Zone)
	early, err := m.Values(DayAhead, day, day.AddDate(0, 0, 1), day.Add(-10*time.Hour-31*time.Minute))
	if err != nil || len(early) != 0 {
		t.Errorf("before 13:30 of the day before there are %d values, %v", len(early), err)
	}
	whole, _ := m.Values(DayAhead, day, day.AddDate(0, 0, 1), day.Add(-10*time.Hour-30*time.Minute))
	if len(whole) != 24 {
		t.Errorf("a day has %d hours", len(whole))
	}
	now := day.Add(12 * time.Hour)
	rtm, _ := m.Values(RealTime, day, day.AddDate(0, 0, 1), now)
	if len(rtm) != 48 {
		t.Errorf("by noon there are %d quarters", len(rtm))
	}
	again, _ := m.Values(RealTime, day, day.AddDate(0, 0, 1), now)
	if !slices.Equal(rtm, again) {
		t.Error("asked twice, answered differently")
	}
	corrections := 0
	for n := range 60 {
		d := day.AddDate(0, 0, n)
		first, _ := m.Values(RealTime, d, d.Add(time.Hour), d.Add(90*time.Minute))
		later, _ := m.Values(RealTime, d, d.Add(time.Hour), d.AddDate(0, 0, 1))
		for i := range first {
			if later[i].Value != first[i].Value {
				corrections++
				if !later[i].Published.Equal(first[i].Start.Add(15*time.Minute + corrected)) {
					t.Errorf("corrected at %v", later[i].Published)
				}
			}
		}
	}
	if corrections > 10 {
		t.Errorf("%d of 240 values were corrected", corrections)
	}
	if _, err := m.Values("gas", day, day, now); err == nil {
		t.Error("there is no such series")
	}
	if _, err := m.Values(RealTime, day.AddDate(-9, 0, 0), day, now); err == nil {
		t.Error("nine years at once")
	}
}
