package forecast

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// judgedLoad is an invented load of which the last slots are to be judged.
func judgedLoad(t *rapid.T) Load {
	rng := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
	days := rapid.IntRange(20, 70).Draw(t, "days")
	l := system(rng, days)
	l.Zone = time.FixedZone("", 3600*rapid.IntRange(-8, 8).Draw(t, "zone"))
	l.Settled = slices.Clone(l.Settled[:len(l.Settled)-rapid.IntRange(1, 72).Draw(t, "ahead")])
	for range rapid.IntRange(0, 20).Draw(t, "gaps") {
		l.Settled[rng.IntN(len(l.Settled)-24)] = math.NaN()
	}
	return l
}

// Chances are chances, of a month one at most together, the same each time; a
// higher load that has settled in the month takes from every slot of it.
func TestPeakChancesProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := judgedLoad(t)
		how := PeakHow{Paths: 100, Seed: rapid.Uint64().Draw(t, "draws")}
		chance, err := PeakChances(l, how)
		if errors.Is(err, ErrTooShort) {
			t.Skip("too little is left")
		}
		if err != nil || len(chance) != len(l.Forecast)-len(l.Settled) {
			t.Fatalf("%d chances, %v", len(chance), err)
		}
		n := len(l.Settled)
		sum := map[time.Month]float64{}
		for j, c := range chance {
			if !(c >= 0 && c <= 1+1e-9) {
				t.Fatalf("chance %v", c)
			}
			sum[l.at(n+j).Month()] += c
		}
		for m, s := range sum {
			if s > 1+1e-9 {
				t.Fatalf("%v: %v together", m, s)
			}
		}
		if again, _ := PeakChances(l, how); !slices.Equal(chance, again) {
			t.Fatalf("%v, then %v", chance, again)
		}
		top := highest(l.Settled)
		over := l
		over.Settled = slices.Clone(l.Settled)
		over.Settled[n-1] = 100 * top // of the month that the first slot is in, or of the one before
		if l.at(n-1).Month() == l.at(n).Month() {
			none, _ := PeakChances(over, how)
			for j, c := range none {
				if l.at(n+j).Month() == l.at(n).Month() && c != 0 {
					t.Fatalf("slot %d under a load that has settled: %v", j, c)
				}
			}
		}
		// A slot forecast far above all else has nearly the whole chance of its month
		// against what is judged; one far below has none.
		at := rapid.IntRange(0, len(chance)-1).Draw(t, "slot")
		low := l
		low.Forecast = slices.Clone(l.Forecast)
		low.Forecast[n+at] /= 100
		if c, _ := PeakChances(low, how); c[at] > 0 && len(chance) > 24 && l.at(n+at).Day() > 1 {
			t.Fatalf("a slot of a hundredth of its load: %v", c[at])
		}
		low.Forecast[n+at] = 300 * l.Forecast[n+at]
		if c, _ := PeakChances(low, how); c[at] < chance[at]-0.2 { // of a hundred paths drawn otherwise
			t.Fatalf("forecast higher %v, before %v", c[at], chance[at])
		}
	})
}

// A peak high above its level comes back to it: early in a month of even days the
// chances of a day that stands out are not those of a random walk.
func TestPeaksComeBack(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	l := Load{Start: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), Slot: time.Hour}
	const days = 121 // to the end of April
	for range days + 2 {
		level := 100 * math.Exp(0.03*rng.NormFloat64())
		for h := range 24 {
			l.Forecast = append(l.Forecast, level*(1+0.2*math.Sin(float64(h-11)/24*2*math.Pi)))
		}
	}
	l.Settled = l.Forecast[:(days+1)*24]
	l.Forecast = slices.Clone(l.Forecast[:(days+2)*24])
	factor := 137 / highest(l.Forecast[(days+1)*24:]) // 120 is usual: some four standard deviations above
	for j := (days + 1) * 24; j < len(l.Forecast); j++ {
		l.Forecast[j] *= factor
	}
	chance, err := PeakChances(l, PeakHow{Paths: 2000})
	sum := 0.0
	for _, c := range chance {
		sum += c
	}
	if err != nil || sum < 0.6 {
		t.Errorf("the second of May, high above all days: %.2f, %v", sum, err)
	}
}

func TestSeasonIsFound(t *testing.T) {
	var p dailyPeaks
	p.first = dayNumber(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC))
	for d := range 400 {
		v := math.Log(60) + 0.2*math.Cos(2*math.Pi*float64(p.first+d)/365.2425)
		if isWeekend(p.first + d) {
			v -= 0.05
		}
		p.log, p.n = append(p.log, v), p.n+1
	}
	c := newCourse(p)
	if math.Abs(c.weekend+0.05) > 0.002 {
		t.Errorf("weekend %v", c.weekend)
	}
	if d := c.season.at(p.first) - c.season.at(p.first+183); math.Abs(d-0.4) > 0.02 {
		t.Errorf("from winter to summer %v", d)
	}
}

// The trial's own arithmetic, on a load whose peaks are known.
func TestTryPeaks(t *testing.T) {
	zone, err := time.LoadLocation("America/Chicago")
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(2, 2))
	l := system(rng, 153) // March to July
	l.Start, l.Zone = time.Date(2024, 3, 1, 0, 0, 0, 0, zone), zone
	hours := []float64{1, 24, 800}
	first := time.Date(2024, 5, 1, 0, 0, 0, 0, zone)
	got, err := TryPeaks(context.Background(), l, first, PeakHow{Paths: 50, Seed: 1}, hours, func(int, int) {})
	if err != nil {
		t.Fatal(err)
	}
	if got.Months != 3 || got.Days != 31+30+31 || !got.From.Equal(first) || got.Slots < 24*got.Days-24 {
		t.Errorf("%+v", got)
	}
	for _, m := range got.Methods {
		c := m.Curtailment
		if c[0].Avoided > c[1].Avoided || c[2].Avoided != 3 || c[2].Most != 744 {
			t.Errorf("%s: %+v", m.Name, c)
		}
		if m.Brier < 0 || m.BrierDay > 1 || m.WorstMonth < m.BrierDay {
			t.Errorf("%s: %+v", m.Name, m)
		}
	}
	for _, b := range [][]PeakBin{got.ByDay, got.BySlot} {
		n, came := 0, 0
		for _, k := range b {
			n, came = n+k.N, came+k.Came
		}
		if came != 3 || n != got.Days && n != got.Slots {
			t.Errorf("%d in classes, %d came", n, came)
		}
	}
	if _, err := TryPeaks(context.Background(), l, first.AddDate(1, 0, 0), PeakHow{}, hours, nil); !errors.Is(err, ErrTooShort) {
		t.Errorf("no month: %v", err)
	}
}

func TestForecastStandIns(t *testing.T) {
	load := make([]float64, 24*2000)
	for i := range load {
		load[i] = 100
	}
	said := ErrorsDrawn(load, time.Hour, 0.02, 0.012, 1)
	sum, of := 0.0, 0.0
	for _, v := range said {
		e := 100/v - 1
		sum, of = sum+e, of+e*e
	}
	n := float64(len(said))
	if want := math.Hypot(0.02, 0.012); math.Abs(sum/n) > 0.003 || math.Abs(math.Sqrt(of/n)-want) > 0.1*want {
		t.Errorf("errors of %v around %v", math.Sqrt(of/n), sum/n)
	}
	if !slices.Equal(said, ErrorsDrawn(load, time.Hour, 0.02, 0.012, 1)) {
		t.Error("another draw by the same seed")
	}
	load[30] = 7
	if d := DayBefore(load, time.Hour); d[54] != 7 || d[23] == d[23] {
		t.Errorf("%v %v", d[54], d[23])
	}
}
