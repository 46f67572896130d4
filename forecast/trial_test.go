package forecast

import (
	"bytes"
	"context"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestMeasure(t *testing.T) {
	// A Monday follows a week in which each day has its own price.
	p := &Panel{First: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)}
	for d := range 9 {
		var day [Hours]float64
		for h := range day {
			day[h] = float64(10 + d)
		}
		p.Price = append(p.Price, day)
	}
	said := make([][Hours]float64, 2) // Monday the 8th came at 17, Tuesday at 18
	for h := range Hours {
		said[0][h], said[1][h] = 15, 19
	}
	m := Measure(p, 7, said)
	// By hand: errors 2 and 1; a week before 7 and 7; naive of the day of week 7
	// (Monday) and 1 (Tuesday).
	for name, v := range map[string][2]float64{
		"MAE": {m.MAE, 1.5}, "rMAE week": {m.RMAEWeek, 1.5 / 7}, "rMAE dow": {m.RMAEDow, 1.5 / 4},
		"RMSE": {m.RMSE, math.Sqrt(2.5)}, "sMAPE": {m.SMAPE, 100 * (2*2/32.0 + 2*1/37.0) / 2},
	} {
		if math.Abs(v[0]-v[1]) > 1e-12 {
			t.Errorf("%s: %v, want %v", name, v[0], v[1])
		}
	}
	worse := make([][Hours]float64, 2)
	for h := range Hours {
		worse[0][h], worse[1][h] = 14, 15.5
	}
	z, prob := DieboldMariano(p, 7, worse, said)
	back, other := DieboldMariano(p, 7, said, worse)
	// Daily differences 24 and 36: mean 30, deviation 6, over the root of two.
	if math.Abs(z-30/(6/math.Sqrt2)) > 1e-9 || math.Abs(z+back) > 1e-12 || math.Abs(prob+other-1) > 1e-12 || prob > 1e-6 {
		t.Errorf("statistics %v and %v, chances %v and %v", z, back, prob, other)
	}
	if z, prob = DieboldMariano(p, 7, said, said); z != 0 || prob != 0.5 {
		t.Errorf("against itself: %v, %v", z, prob)
	}
}

func TestTrial(t *testing.T) {
	p := invented(4, 150)
	cpu := 0.0
	clock := func() float64 { cpu += 0.25; return cpu }
	e := quick()
	var last, of int
	whole, err := Try(t.Context(), e, p, 12, clock, func(d, n int) { last, of = d, n })
	if err != nil {
		t.Fatal(err)
	}
	if len(whole.Said) != 12 || whole.First != 138 || last != of || of != 52 || whole.Used.Lear == 0 || len(whole.Cone.Quarters) != 1 {
		t.Fatalf("%d days from %d, told %d of %d, used %+v, quarters %v", len(whole.Said), whole.First, last, of, whole.Used, whole.Cone.Quarters)
	}
	ours, naive := Measure(p, whole.First, whole.Said), p.Price[131:143]
	if week := Measure(p, whole.First, naive); ours.RMAEWeek > 0.5 || math.Abs(week.RMAEWeek-1) > 1e-12 {
		t.Errorf("%.2f of the naive error, the naive one %.2f", ours.RMAEWeek, week.RMAEWeek)
	}
	for _, name := range whole.Order {
		if len(whole.Parts[name]) != 12 {
			t.Errorf("%s: %d days", name, len(whole.Parts[name]))
		}
	}
	// The future changes nothing, nor does a pause with a new process.
	spoilt := invented(4, 150)
	for d := 144; d < 150; d++ {
		for h := range Hours {
			spoilt.Price[d][h] += 1000
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	half := quick()
	part, err := Try(ctx, half, spoilt, 12, nil, func(d, _ int) {
		if d == 46 { // six of the twelve
			stop()
		}
	})
	if err != nil || len(part.Said) != 6 || !reflect.DeepEqual(part.Said, whole.Said[:6]) {
		t.Fatalf("stopped after 6 days of another future: %v, %d days", err, len(part.Said))
	}
	var kept bytes.Buffer
	if err := half.Save(&kept); err != nil {
		t.Fatal(err)
	}
	anew := quick()
	if err := anew.Load(&kept); err != nil {
		t.Fatal(err)
	}
	again, err := Try(t.Context(), anew, p, 12, nil, nil)
	if err != nil || !reflect.DeepEqual(again.Said, whole.Said) || again.Cone.Pinball != whole.Cone.Pinball {
		t.Errorf("after a pause: %v, other forecasts", err)
	}
	if _, err := Try(t.Context(), quick(), p, 149, nil, nil); !errors.Is(err, ErrTooShort) {
		t.Errorf("149 of 150 days: %v", err)
	}
	for name, text := range map[string]string{"nothing": "", "another kind": `{"kind":"x"}`, "no forecast": `{"kind":"ballast ensemble@2","said":{"[]":{"5":{}}}}`} {
		if err := quick().Load(strings.NewReader(text)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestRealtimeTrial(t *testing.T) {
	ticks := rush(5, 45)
	const from = 30 * 96
	how := RealtimeHow{Slot: 15 * time.Minute, SpikeAt: 90, Rounds: 30}
	r, err := TryRealtime(t.Context(), ticks, from, how, 10*96, []float64{5, 100}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Slots != 15*96 || r.Learned != 2 || r.Pinball >= r.NaivePin || r.Cover90 < 0.8 || r.Spikes < r.Onsets || r.Onsets == 0 {
		t.Errorf("%+v", r)
	}
	if a, b := r.Alarms[0], r.Alarms[1]; a.False > 5 || b.False > 100 || a.Recall > b.Recall || a.Chance < b.Chance {
		t.Errorf("alarms %+v", r.Alarms)
	}
	// What comes later does not change what was said before: the figures of the
	// first ten days alone are those of the first ten days.
	short, err := TryRealtime(t.Context(), ticks[:from+5*96], from, how, 10*96, []float64{5}, nil)
	if err != nil {
		t.Fatal(err)
	}
	spoilt := append([]Tick(nil), ticks...)
	for i := from + 5*96; i < len(spoilt); i++ {
		spoilt[i].Price *= 3
	}
	same, err := TryRealtime(t.Context(), spoilt[:from+5*96], from, how, 10*96, []float64{5}, nil)
	if err != nil || !reflect.DeepEqual(short, same) {
		t.Errorf("another future, other figures: %v", err)
	}
}

func TestReadSeries(t *testing.T) {
	s, err := ReadSeries(strings.NewReader("interval,a,b\n2024-01-01 00:00:00+00:00,1,\n2024-01-01 01:00:00+00:00,2,5\n"), "b", "a")
	if err != nil || len(s.At) != 2 || !math.IsNaN(s.Values[0][0]) || s.Values[1][0] != 5 || s.Values[1][1] != 2 {
		t.Fatalf("%+v, %v", s, err)
	}
	for name, text := range map[string]string{
		"no column b": "interval,a\n",
		"line 2":      "interval,a,b\nnow,1,2\n",
		"line 3":      "interval,a,b\n2024-01-01 00:00:00+00:00,1,2\n2024-01-01 00:00:00+00:00,1,2\n",
		"line 2: a":   "interval,a,b\n2024-01-01 00:00:00+00:00,x,2\n",
		"no rows":     "interval,a,b\n",
		"header":      "",
	} {
		if _, err := ReadSeries(strings.NewReader(text), "a", "b"); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	rt, _ := ReadSeries(strings.NewReader("t,p\n2024-01-01 00:15:00+00:00,7\n2024-01-01 01:00:00+00:00,8\n"), "p")
	ticks := Ticks(rt, s, 15*time.Minute)
	if len(ticks) != 4 || ticks[0].Price != 7 || !math.IsNaN(ticks[1].Price) || ticks[3].Price != 8 || ticks[3].Ahead != 5 || ticks[3].Known[0] != 2 || !math.IsNaN(ticks[0].Ahead) {
		t.Errorf("ticks %+v", ticks)
	}
}

func FuzzReadSeries(f *testing.F) {
	f.Add("interval,a\n2024-01-01 00:00:00+00:00,1\n")
	f.Add("interval,a\n2024-01-01T00:00:00Z,\n")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ReadSeries(strings.NewReader(text), "a")
		if err != nil {
			return
		}
		for i := range s.At {
			if i > 0 && !s.At[i].After(s.At[i-1]) || len(s.Values[i]) != 1 {
				t.Fatal("not rising, or not one column")
			}
		}
	})
}

// A week of each market's test period with a small ensemble: `ballast bench epf`
// does all of it with the whole one.
func TestAWeekOfEachMarket(t *testing.T) {
	for _, name := range []string{"NP", "PJM", "DE"} {
		p := market(t, name)
		p.Price = p.Price[:p.Days()-721]
		e := quick()
		e.Workers = 2
		r, err := Try(t.Context(), e, p, 7, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if m := Measure(p, r.First, r.Said); m.RMAEWeek > 0.9 || r.Cone.Cover90 < 0.6 {
			t.Errorf("%s: %+v, covers %.2f", name, m, r.Cone.Cover90)
		}
	}
}
