package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"text/tabwriter"
	"time"

	"ballast/server"
)

type forecastCmd struct {
	Series string `arg:"" optional:"" help:"Which series. Default: the only one that is forecast, or a list."`
	Hours  int    `default:"36" help:"How many hours ahead."`
	Model  string `placeholder:"NAME" help:"Another model than the champion."`
	CSV    string `name:"csv" placeholder:"FILE" type:"path" help:"Write every quantile as CSV; - is standard output."`
}

func (c *forecastCmd) Run(ctx context.Context, common *common, s *streams) error {
	cfg, err := common.config()
	if err != nil {
		return err
	}
	cl, err := connect(cfg.Data)
	if err != nil {
		return err
	}
	var all []server.PriceSeries
	if err := cl.call(ctx, http.MethodGet, "/api/v1/price/series", nil, &all); err != nil {
		return err
	}
	var of []server.PriceSeries
	for _, k := range all {
		if k.Forecast && (c.Series == "" || c.Series == k.Name) {
			of = append(of, k)
		}
	}
	switch {
	case len(of) == 0 && c.Series != "":
		return fmt.Errorf("%w: %s is not forecast; `ballast forecast` lists what is", errUsage, c.Series)
	case len(of) == 0:
		return fmt.Errorf("%w: nothing is forecast: no feed gives a price (configuration key power.feeds)", errUsage)
	case len(of) > 1:
		if common.JSON {
			return s.json(of)
		}
		w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "series\tnow\t\tchampion")
		for _, k := range of {
			now := "-"
			if k.Latest != nil {
				now = strconv.FormatFloat(k.Latest.Value, 'f', 2, 64)
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", k.Name, now, k.Unit, k.Champion)
		}
		return w.Flush()
	}
	now := time.Now()
	var h struct {
		Unit      string          `json:"unit"`
		Zone      string          `json:"zone"`
		Fan       server.PriceFan `json:"fan"`
		Simulated bool            `json:"simulated"`
	}
	err = cl.call(ctx, http.MethodGet, "/api/v1/price/history?"+query("series", of[0].Name, "model", c.Model, "from", now.Truncate(time.Hour).UTC().Format(time.RFC3339), "to", now.Add(time.Duration(c.Hours)*time.Hour).UTC().Format(time.RFC3339)), nil, &h)
	if err != nil {
		return err
	}
	if common.JSON {
		return s.json(h)
	}
	if c.CSV != "" {
		return c.write(s, of[0].Name, h.Unit, &h.Fan)
	}
	if len(h.Fan.Times) == 0 {
		fmt.Fprintf(s.out, "%s: there is no forecast of the hours to come yet; what is published is published.\n", of[0].Name)
		return nil
	}
	if h.Simulated {
		fmt.Fprintln(s.out, "The market is simulated: these are nobody's prices.")
	}
	loc := zoneOr(h.Zone)
	fmt.Fprintf(s.out, "%s, %s, by %s issued %s\n\n", of[0].Name, h.Unit, h.Fan.Model[0], h.Fan.Issued[0].In(loc).Format("2006-01-02 15:04 MST"))
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "hour\t5 %\t25 %\tmedian\t75 %\t95 %\tmean\tspike\t")
	for i, t := range h.Fan.Times {
		fmt.Fprintf(w, "%s\t", time.Unix(t, 0).In(loc).Format("Mon 15:04"))
		for _, q := range []float64{0.05, 0.25, 0.5, 0.75, 0.95} {
			fmt.Fprintf(w, "%.2f\t", quantileOf(h.Fan.Levels, h.Fan.Values[i], q))
		}
		spike := "-"
		if p := h.Fan.Spike[i]; p != nil {
			spike = fmt.Sprintf("%.1f %%", 100**p)
		}
		fmt.Fprintf(w, "%.2f\t%s\t\n", h.Fan.Mean[i], spike)
	}
	return w.Flush()
}

func quantileOf(levels, values []float64, q float64) float64 {
	for i, l := range levels {
		if l >= q-1e-9 {
			return values[i]
		}
	}
	return values[len(values)-1]
}

func (c *forecastCmd) write(s *streams, series, unit string, fan *server.PriceFan) error {
	to := s.out
	if filepath.Base(c.CSV) != "-" {
		f, err := os.Create(c.CSV)
		if err != nil {
			return fmt.Errorf("%w: %w", errUsage, err)
		}
		defer f.Close()
		to = f
	}
	out := csv.NewWriter(to)
	head := []string{"series", "unit", "start", "model", "issued", "mean", "spike"}
	for _, l := range fan.Levels {
		head = append(head, "q"+strconv.FormatFloat(100*l, 'g', 4, 64))
	}
	rows := [][]string{head}
	for i, t := range fan.Times {
		spike := ""
		if p := fan.Spike[i]; p != nil {
			spike = strconv.FormatFloat(*p, 'g', 6, 64)
		}
		row := []string{series, unit, time.Unix(t, 0).UTC().Format(time.RFC3339), fan.Model[i], fan.Issued[i].UTC().Format(time.RFC3339), strconv.FormatFloat(fan.Mean[i], 'f', 4, 64), spike}
		for _, v := range fan.Values[i] {
			row = append(row, strconv.FormatFloat(v, 'f', 4, 64))
		}
		rows = append(rows, row)
	}
	return out.WriteAll(rows)
}
