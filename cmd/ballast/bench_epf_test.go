package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"ballast/forecast"
)

// Published forecasts are taken of the trial's days, wherever their file begins.
func TestPublishedForecastsAreOfTheDays(t *testing.T) {
	p := &forecast.Panel{First: time.Date(2017, 1, 1, 0, 0, 0, 0, time.UTC), Price: make([][forecast.Hours]float64, 10)}
	var text strings.Builder
	fmt.Fprintln(&text, ",Real price,DNN Ensemble,LEAR Ensemble")
	for d := 4; d < 10; d++ {
		for h := range forecast.Hours {
			fmt.Fprintf(&text, "%s %02d:00:00,0,%d,%d\n", p.Date(d).Format("2006-01-02"), h, d, 100*h)
		}
	}
	file := filepath.Join(t.TempDir(), "Forecasts_X.csv")
	if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := publishedForecasts(file, p, 6, 3)
	if err != nil || len(got) != 3 {
		t.Fatalf("%d models, %v", len(got), err)
	}
	for d := range 3 {
		for h := range forecast.Hours {
			if a, b, c := got[0].said[d][h], got[1].said[d][h], got[2].said[d][h]; a != float64(100*h) || b != float64(6+d) || c != (a+b)/2 {
				t.Fatalf("day %d, hour %d: %v, %v, %v", d, h, a, b, c)
			}
		}
	}
	for name, days := range map[string][2]int{"before the file": {2, 3}, "beyond it": {8, 3}} {
		if got, err := publishedForecasts(file, p, days[0], days[1]); got != nil || err != nil {
			t.Errorf("%s: %d models, %v", name, len(got), err)
		}
	}
	trial := &forecast.Trial{Market: "X", First: 7, Said: got[0].said, Order: []string{"LEAR"}, Parts: map[string][][forecast.Hours]float64{"LEAR": got[1].said}}
	trial.Cone.Quarters, trial.Cone.Pinball, trial.Plain.Pinball = []float64{0.9}, 1, 2
	var out bytes.Buffer
	printTrial(&out, p, trial, got, time.Second)
	for _, want := range []string{"a part: the published benchmark takes 728", "Ballast ensemble", "mean of the two published ensembles", "pinball loss 50.00 % smaller"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
}

func TestMarketsOfAFolder(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"FR.csv", "BE.csv", "Forecasts_BE.csv", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := (&benchEPF{}).markets(dir)
	if err != nil || !slices.Equal(got, []string{"BE", "FR"}) {
		t.Errorf("%v, %v", got, err)
	}
}
