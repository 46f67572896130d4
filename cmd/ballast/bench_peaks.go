package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"text/tabwriter"
	"time"

	"ballast/forecast"
)

// peakHours off a month at which it is told how many of the peaks are avoided.
var peakHours = []float64{2, 5, 10, 20, 40}

// The error drawn into the forecast of the load, a share of it: of the whole day,
// and of the hour; about what system operators say of theirs a day ahead.
const (
	drawnDay  = 0.02
	drawnHour = 0.012
)

// ercotPeaks are the trials of the month's peaks, by what stands for the forecast.
type ercotPeaks struct {
	Forecast string              `json:"forecast"`
	Trial    *forecast.PeakTrial `json:"trial"`
}

// systemLoad is ERCOT's demand forecast in the place of its load, which the files
// do not have, from the first local midnight on.
func systemLoad(hourly *forecast.Series, column int, zone *time.Location) forecast.Load {
	first := hourly.At[0].In(zone)
	begin := time.Date(first.Year(), first.Month(), first.Day(), 0, 0, 0, 0, zone)
	if begin.Before(first) {
		begin = begin.AddDate(0, 0, 1)
	}
	last := hourly.At[len(hourly.At)-1]
	l := forecast.Load{Start: begin, Slot: time.Hour, Zone: zone, Settled: make([]float64, int(last.Sub(begin)/time.Hour)+1)}
	for i := range l.Settled {
		l.Settled[i] = math.NaN()
	}
	for i, at := range hourly.At {
		if k := int(at.Sub(begin) / time.Hour); !at.Before(begin) {
			l.Settled[k] = hourly.Values[i][column]
		}
	}
	return l
}

// peaks judges the calendar months that the last days reach into.
func (c *benchERCOT) peaks(ctx context.Context, s *streams, l forecast.Load, out *ercotFigures) error {
	// A gap has neither load nor forecast; a day with one cannot be judged.
	for i, v := range l.Settled {
		if v != v && i >= 24 {
			l.Settled[i] = l.Settled[i-24]
		}
	}
	end := l.Start.Add(time.Duration(len(l.Settled)) * l.Slot)
	from := end.In(l.Zone).AddDate(0, 0, -c.Days)
	if from.Day() > 1 { // the first whole month, or that which lacks a day of the end
		from = time.Date(from.Year(), from.Month()+1, 1, 0, 0, 0, 0, l.Zone)
	}
	for _, stand := range []struct {
		name string
		said []float64
	}{
		{fmt.Sprintf("errors drawn, %.1f %% of the day and %.1f %% of the hour", 100*drawnDay, 100*drawnHour), forecast.ErrorsDrawn(l.Settled, l.Slot, drawnDay, drawnHour, 1)},
		{"the same hour of the day before", forecast.DayBefore(l.Settled, l.Slot)},
	} {
		l.Forecast = stand.said
		told, done := trialBar(s.err, "peaks: days")
		t, err := forecast.TryPeaks(ctx, l, from, forecast.PeakHow{Paths: 2000, Seed: 1}, peakHours, told)
		done()
		if err != nil {
			return err
		}
		out.Peaks = append(out.Peaks, ercotPeaks{stand.name, t})
	}
	return nil
}

func (p *ercotPeaks) print(out io.Writer) {
	t := p.Trial
	last := t.To.Add(-time.Second)
	fmt.Fprintf(out, "\n  the month's peak of the demand forecast, which stands for the load; %s stand for its forecast (mean error %.1f %%)\n", p.Forecast, 100*t.MAPE)
	fmt.Fprintf(out, "  %s to %s: %d months, as many peaks; asked at midnight of each of %d days; base rate %.2f %% of days, %.3f %% of hours\n",
		t.From.Format("2006-01"), last.Format("2006-01"), t.Months, t.Days, 100*float64(t.Months)/float64(t.Days), 100*float64(t.Months)/float64(t.Slots))
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprint(w, "    squared error (Brier)\tof hours, millionths\tof days\tworst month, days\t\n")
	for _, m := range t.Methods {
		fmt.Fprintf(w, "    %s\t%.0f\t%.4f\t%.4f\t%s\n", m.Name, 1e6*m.Brier, m.BrierDay, m.WorstMonth, m.Worst.Format("2006-01"))
	}
	_ = w.Flush()
	fmt.Fprintf(w, "\n    peaks avoided of %d (hours off in the month with the most)", t.Months)
	for _, h := range t.Methods[0].Curtailment {
		fmt.Fprintf(w, "\t%.0f h a month", h.Hours)
	}
	fmt.Fprintln(w)
	for _, m := range t.Methods {
		fmt.Fprintf(w, "    %s", m.Name)
		for _, h := range m.Curtailment {
			fmt.Fprintf(w, "\t%.1f (%.0f)", h.Avoided, h.Most)
		}
		fmt.Fprintln(w)
	}
	_ = w.Flush()
	for _, b := range []struct {
		of   string
		bins []forecast.PeakBin
	}{{"day", t.ByDay}, {"hour", t.BySlot}} {
		fmt.Fprintf(w, "\n    chance of the %s\t%ss\tin months\tpeaks expected\tpeaks that came\n", b.of, b.of)
		for _, k := range b.bins {
			fmt.Fprintf(w, "    %g to %g %%\t%d\t%d\t%.1f\t%d\n", 100*k.From, 100*k.To, k.N, k.Months, k.Said*float64(k.N), k.Came)
		}
		_ = w.Flush()
	}
}
