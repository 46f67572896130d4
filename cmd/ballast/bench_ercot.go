package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"ballast/forecast"
)

// benchERCOT reads the folder that the common flag --data names.
type benchERCOT struct {
	Days    int     `default:"365" help:"The last ones are forecast; nothing of them is learned from before its time."`
	Spike   float64 `default:"100" help:"Real-time price above which a quarter of an hour is a spike, USD/MWh."`
	Workers int     `default:"1" help:"Goroutines; the numbers do not depend on it."`
	Only    string  `enum:"all,day-ahead,realtime,peaks" default:"all" help:"One of the parts: day-ahead, realtime, peaks."`
}

// The files of ERCOT's prices, as docs/forecast.md says.
const (
	ercotHourly  = "ercot_hubavg_hourly_da_rt_loadfc_temp_2024-01_2025-11.csv"
	ercotQuarter = "ercot_hubavg_rt_15min_2024-01_2025-11.csv"
)

// falseAlarms a month at which recall is told.
var falseAlarms = []float64{10, 30, 100}

// ercotFigures is what --json prints. Prices are USD/MWh.
type ercotFigures struct {
	Machine  string                  `json:"machine"`
	Days     int                     `json:"days"`
	From     string                  `json:"from"`
	To       string                  `json:"to"`
	Models   []ercotModel            `json:"day_ahead,omitempty"`
	Cone     *forecast.Tally         `json:"day_ahead_distribution,omitempty"`
	Plain    *forecast.Tally         `json:"day_ahead_residual_quantiles,omitempty"`
	Realtime *forecast.RealtimeTrial `json:"realtime,omitempty"`
	Peaks    []ercotPeaks            `json:"peaks,omitempty"`
	SpikeAt  float64                 `json:"spike_at"`
	CPU      float64                 `json:"processor_seconds"`
}

type ercotModel struct {
	Name     string  `json:"name"`
	MAE      float64 `json:"mae"`
	RMAEWeek float64 `json:"rmae_week"`
	RMAEDow  float64 `json:"rmae_dow"`
	RMSE     float64 `json:"rmse"`
	DM       float64 `json:"diebold_mariano"`
	P        float64 `json:"p"`
}

func readSeries(dir, name string, columns ...string) (*forecast.Series, error) {
	f, err := os.Open(filepath.Join(dir, name))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	s, err := forecast.ReadSeries(f, columns...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

func (c *benchERCOT) Run(ctx context.Context, common *common, s *streams) error {
	if common.Data == "" || c.Days < 1 {
		return fmt.Errorf("%w: name the folder of ERCOT's prices with --data DIR (docs/forecast.md says which files), and one day at least", errUsage)
	}
	zone, err := time.LoadLocation("America/Chicago")
	if err != nil {
		return err
	}
	// The temperature of the file may be what was measured, not what was
	// forecast: it stays out.
	hourly, err := readSeries(common.Data, ercotHourly, "dam_hubavg", "da_demand_forecast_mw")
	if err != nil {
		return err
	}
	p, err := forecast.NewPanel("ERCOT HB_HUBAVG", zone, []string{"load forecast"}, hourly.Hourlies())
	if err != nil {
		return err
	}
	if p, err = whole(p); err != nil {
		return err
	}
	if c.Days > p.Days()-100 {
		return fmt.Errorf("%w: --days %d of %d", errUsage, c.Days, p.Days())
	}
	first := p.Days() - c.Days
	out := ercotFigures{Machine: machineName(), Days: c.Days, From: p.Date(first).Format("2006-01-02"), To: p.Date(p.Days() - 1).Format("2006-01-02"), SpikeAt: c.Spike}
	before := processorSeconds()
	if c.Only == "all" || c.Only == "day-ahead" {
		if err := c.dayAhead(ctx, s, p, &out); err != nil {
			return fmt.Errorf("day-ahead: %w", err)
		}
	}
	if c.Only == "all" || c.Only == "realtime" {
		if err := c.realtime(ctx, common, s, p, hourly, zone, &out); err != nil {
			return fmt.Errorf("real time: %w", err)
		}
	}
	if c.Only == "all" || c.Only == "peaks" {
		if err := c.peaks(ctx, s, systemLoad(hourly, 1, zone), &out); err != nil {
			return fmt.Errorf("peaks: %w", err)
		}
	}
	out.CPU = processorSeconds() - before
	if common.JSON {
		return s.json(out)
	}
	out.print(s.out)
	return nil
}

// whole leaves out the days at the end of which hours are missing.
func whole(p *forecast.Panel) (*forecast.Panel, error) {
	n := p.Days()
	for n > 0 {
		there := true
		for _, v := range p.Price[n-1] {
			there = there && v == v
		}
		if there {
			break
		}
		n--
	}
	if n == 0 {
		return nil, fmt.Errorf("no whole day: %w", forecast.ErrTooShort)
	}
	p.Price = p.Price[:n]
	return p, nil
}

func (c *benchERCOT) dayAhead(ctx context.Context, s *streams, p *forecast.Panel, out *ercotFigures) error {
	told, done := trialBar(s.err, "day-ahead: days")
	defer done()
	t, err := forecast.Try(ctx, &forecast.Ensemble{Workers: c.Workers}, p, c.Days, processorSeconds, told)
	if err != nil {
		return err
	}
	add := func(name string, said [][forecast.Hours]float64) {
		m := forecast.Measure(p, t.First, said)
		z, prob := forecast.DieboldMariano(p, t.First, said, t.Said)
		out.Models = append(out.Models, ercotModel{name, m.MAE, m.RMAEWeek, m.RMAEDow, m.RMSE, z, prob})
	}
	add("Ballast ensemble", t.Said)
	for _, name := range t.Order {
		add("  "+name, t.Parts[name])
	}
	week, day := make([][forecast.Hours]float64, c.Days), make([][forecast.Hours]float64, c.Days)
	for i := range c.Days {
		week[i], day[i] = p.Price[t.First+i-7], p.Price[t.First+i-1]
	}
	add("the same hour a week before", week)
	add("the same hour a day before", day)
	out.Cone, out.Plain = &t.Cone, &t.Plain
	return nil
}

func (c *benchERCOT) realtime(ctx context.Context, common *common, s *streams, p *forecast.Panel, hourly *forecast.Series, zone *time.Location, out *ercotFigures) error {
	quarter, err := readSeries(common.Data, ercotQuarter, "price_usd_per_mwh")
	if err != nil {
		return err
	}
	const slot = 15 * time.Minute
	ticks := forecast.Ticks(quarter, hourly, slot)
	date := p.Date(p.Days() - c.Days)
	begin := time.Date(date.Year(), date.Month(), date.Day(), 0, 0, 0, 0, zone)
	from := int(begin.Sub(ticks[0].At) / slot)
	told, done := trialBar(s.err, "real time: slots")
	defer done()
	out.Realtime, err = forecast.TryRealtime(ctx, ticks, from, forecast.RealtimeHow{Slot: slot, SpikeAt: c.Spike, Zone: zone, Workers: c.Workers}, 28*96, falseAlarms, told)
	return err
}

func (f *ercotFigures) print(out io.Writer) {
	fmt.Fprintf(out, "ERCOT HB_HUBAVG, %d days from %s to %s; each forecast from what was before it (%s, %.0f s of processor time)\n", f.Days, f.From, f.To, f.Machine, f.CPU)
	if f.Models != nil {
		w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
		fmt.Fprintf(w, "\n  day-ahead price, USD/MWh\tMAE\trMAE (week before)\trMAE (day-of-week naive)\tRMSE\tBallast better? DM\tp\n")
		for _, m := range f.Models {
			fmt.Fprintf(w, "  %s\t%.2f\t%.3f\t%.3f\t%.2f\t%.2f\t%.2g\n", m.Name, m.MAE, m.RMAEWeek, m.RMAEDow, m.RMSE, m.DM, m.P)
		}
		_ = w.Flush()
		fmt.Fprintf(out, "\n  pinball %.3f (rolling residual quantiles around the same forecast %.3f: %.1f %% smaller), 90 %% interval covers %.1f %% (%.1f %%)\n", f.Cone.Pinball, f.Plain.Pinball, 100*(1-f.Cone.Pinball/f.Plain.Pinball), 100*f.Cone.Cover90, 100*f.Plain.Cover90)
	}
	f.printRealtime(out)
	for i := range f.Peaks {
		f.Peaks[i].print(out)
	}
}

func (f *ercotFigures) printRealtime(out io.Writer) {
	r := f.Realtime
	if r == nil {
		return
	}
	fmt.Fprintf(out, "\n  next quarter of an hour, real time: %d slots, learned anew %d times\n", r.Slots, r.Learned)
	fmt.Fprintf(out, "    MAE of the median %.2f, of the last price %.2f\n", r.MAE, r.LastMAE)
	fmt.Fprintf(out, "    pinball, 99 levels: %.3f; quantiles of the last 91 days' moves at that hour around the last price %.3f: %.1f %% smaller\n", r.Pinball, r.NaivePin, 100*(1-r.Pinball/r.NaivePin))
	fmt.Fprintf(out, "    90 %% interval covers %.1f %% (%.1f %%)\n", 100*r.Cover90, 100*r.NaiveCover)
	fmt.Fprintf(out, "\n  spikes: slots above %g USD/MWh: %d of %d, base rate %.2f %%; %d of them after a slot that was not\n", f.SpikeAt, r.Spikes, r.Slots, 100*float64(r.Spikes)/float64(r.Slots), r.Onsets)
	fmt.Fprintf(out, "    squared error of the chances (Brier) %.5f, of saying the share before those days %.5f\n", r.Brier, r.BaseBrier)
	w := tabwriter.NewWriter(out, 0, 4, 2, ' ', 0)
	fmt.Fprintf(w, "    alarm\tfalse alarms a month, slots\tspikes seen coming\tonsets seen coming\n")
	for _, a := range r.Alarms {
		fmt.Fprintf(w, "    chance %.3f and more\t%.1f\t%.0f %%\t%.0f %%\n", a.Chance, a.False, 100*a.Recall, 100*a.Onsets)
	}
	fmt.Fprintf(w, "    last slot was a spike\t%.1f\t%.0f %%\t0 %%\n", r.Persistence.False, 100*r.Persistence.Recall)
	_ = w.Flush()
}
