package main

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"ballast/fleet"
	"ballast/telemetry/prom"
)

// metrics is the Prometheus face: the page, and the senders of remote write.
func (h *house) metrics(ctx context.Context) (page http.Handler, stop func(), err error) {
	c := h.cfg.Metrics
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	stop = func() { cancel(); wg.Wait() }
	for i, r := range c.RemoteWrite {
		detail := prom.Detail(c.Detail)
		if detail == prom.Fleet {
			detail = prom.Machine // the fleet's totals are Prometheus's to add up
		}
		sender, err := prom.NewRemote(prom.RemoteOptions{URL: r.URL, Source: h.history, Detail: detail, Interval: r.Interval, User: r.User, Password: r.Password, Bearer: r.Bearer, Log: h.log})
		if err != nil {
			stop()
			return nil, nil, fmt.Errorf("%w: metrics.remote_write[%d]: %w", errUsage, i, err)
		}
		wg.Go(func() { sender.Run(ctx) })
	}
	if !c.Enabled {
		return nil, stop, nil
	}
	page, err = prom.Handler(prom.Options{Source: h.history, Detail: prom.Detail(c.Detail), Extra: h.ownMetrics})
	if err != nil {
		stop()
		return nil, nil, fmt.Errorf("%w: metrics: %w", errUsage, err)
	}
	return page, stop, nil
}

// ownMetrics are Ballast's own: how the loop does.
func (h *house) ownMetrics(_ context.Context, w *prom.Writer) {
	polls := h.fleet.Poller.Stats()
	w.Family("ballast_polls_due_total", prom.Counter, "", "Polls that came due.")
	w.Sample(float64(polls.Due))
	w.Family("ballast_polls_in_time_total", prom.Counter, "", "Polls answered within their interval.")
	w.Sample(float64(polls.InTime))
	w.Family("ballast_polls_failed_total", prom.Counter, "", "Polls without an answer.")
	w.Sample(float64(polls.Failed))
	w.Family("ballast_polls_skipped_total", prom.Counter, "", "Polls skipped, by reason.")
	w.Sample(float64(polls.Overrun), "reason", "overrun")
	w.Sample(float64(polls.Crowded), "reason", "crowded")
	counts := map[fleet.Condition]int{}
	for _, s := range h.fleet.All() {
		counts[s.Condition]++
	}
	w.Family("ballast_machines_by_condition", prom.Gauge, "", "Machines by condition.")
	for _, c := range fleet.Conditions() {
		w.Sample(float64(counts[c]), "condition", string(c))
	}
	stored := h.batcher.Stats()
	w.Family("ballast_rows_stored_total", prom.Counter, "", "Rows of readings on disk.")
	w.Sample(float64(stored.Stored))
	w.Family("ballast_rows_dropped_total", prom.Counter, "", "Rows lost because the queue was full.")
	w.Sample(float64(stored.Dropped))
	w.Family("ballast_reply_to_stored_seconds", prom.Gauge, "seconds", "Time from a reply to its row being on disk, by quantile since the start.")
	w.Sample(stored.P50.Seconds(), "quantile", "0.5")
	w.Sample(stored.P99.Seconds(), "quantile", "0.99")
	w.Family("ballast_open_commands", prom.Gauge, "", "Commands that are not settled.")
	w.Sample(float64(h.fleet.Commander.Open()))
}
