package server

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"ballast/fleet"
	"ballast/ledger"
	"ballast/miner"
	"ballast/report"
	"ballast/telemetry"
	"ballast/unit"
)

// reportSource gives reports what history and record hold.
type reportSource struct {
	history telemetry.Store
	record  ledger.Store
	fleet   *fleet.Fleet
}

// intervalSetting is where the record keeps how often machines were polled, by
// the time since when.
const intervalSetting = "fleet.interval/"

// NoteInterval writes down how often machines are polled from now on, so that
// reports of days to come know how many polls to expect.
func NoteInterval(ctx context.Context, record ledger.Store, every time.Duration, now time.Time) error {
	src := reportSource{record: record}
	known, err := src.Intervals(ctx)
	if err != nil {
		return err
	}
	if n := len(known); n > 0 && known[n-1].Every == every {
		return nil
	}
	return record.SetSetting(ctx, intervalSetting+now.UTC().Format(time.RFC3339), every.String(), ledger.By("system"))
}

// Intervals implements report.Source.
func (s reportSource) Intervals(ctx context.Context) ([]report.Interval, error) {
	kv, err := s.record.Settings(ctx, intervalSetting)
	if err != nil {
		return nil, err
	}
	var out []report.Interval
	for k, v := range kv {
		since, err1 := time.Parse(time.RFC3339, strings.TrimPrefix(k, intervalSetting))
		every, err2 := time.ParseDuration(v)
		if err1 == nil && err2 == nil && every > 0 {
			out = append(out, report.Interval{Since: since, Every: every})
		}
	}
	slices.SortFunc(out, func(a, b report.Interval) int { return a.Since.Compare(b.Since) })
	return out, nil
}

// Machines implements report.Source.
func (s reportSource) Machines(ctx context.Context, site string, from, to time.Time) ([]report.Machine, error) {
	all, err := s.record.Machines(ctx, ledger.MachineFilter{Site: site})
	if err != nil {
		return nil, fmt.Errorf("reading the inventory: %w", err)
	}
	var out []report.Machine
	for _, m := range all {
		if !m.FirstSeen.Before(to) || !m.Retired.IsZero() && !m.Retired.After(from) {
			continue
		}
		p := m.Place
		r := report.Machine{ID: miner.ID(m.ID), Name: machineName(m), Model: m.Model, Since: m.FirstSeen, Until: m.Retired,
			Rack: placeText(p.Building, p.Container, p.Rack), Place: placeText(p.Building, p.Container, p.Rack, p.Slot)}
		if r.Rack == "" && m.Group != "" {
			r.Rack = "group " + m.Group
		}
		if s.fleet != nil {
			if st, ok := s.fleet.Get(r.ID); ok && st.Reading != nil {
				r.Nominal = st.Reading.HashrateNominal
			}
		}
		if !r.Nominal.Ok() {
			if known, ok := miner.LookupModel(m.Model); ok && known.Hashrate > 0 {
				r.Nominal = unit.Some(known.Hashrate)
			}
		}
		out = append(out, r)
	}
	return out, nil
}

// machineName is what people call a machine: the name that an operator gave,
// else its host name, else its address.
func machineName(m ledger.Machine) string {
	if m.Name != "" {
		return m.Name
	}
	if m.Hostname != "" {
		return m.Hostname
	}
	return addrText(m.Addr.IsValid(), m.Addr.String())
}

// cellMetrics are what a cell is made of.
var cellMetrics = []telemetry.Metric{telemetry.Up, telemetry.Hashing, telemetry.Starting, telemetry.Sleeping, telemetry.Stopped,
	telemetry.Hashrate, telemetry.HashrateAverage, telemetry.HashrateNominal, telemetry.Power, telemetry.Pools, telemetry.PoolsAlive}

// cellPoints bounds what one query brings into memory.
const cellPoints = 1_000_000

// Cells implements report.Source: some hours of all machines at a time, read
// from the roll-ups where they are.
func (s reportSource) Cells(ctx context.Context, site string, from, to time.Time) iter.Seq2[report.Cell, error] {
	return func(yield func(report.Cell, error) bool) {
		machines := 100
		if s.fleet != nil {
			machines = max(machines, len(s.fleet.All()))
		}
		step := report.Quarter * time.Duration(min(96, max(1, cellPoints/len(cellMetrics)/machines)))
		for at := from; at.Before(to); at = at.Add(step) {
			end := at.Add(step)
			if end.After(to) {
				end = to
			}
			cells, err := s.cells(ctx, site, at, end)
			if err != nil {
				yield(report.Cell{}, err)
				return
			}
			for _, c := range cells {
				if !yield(*c, nil) {
					return
				}
			}
		}
	}
}

func (s reportSource) cells(ctx context.Context, site string, from, to time.Time) ([]*report.Cell, error) {
	res, err := s.history.Query(ctx, telemetry.Query{Metrics: cellMetrics, Aggregate: telemetry.Mean, GroupBy: telemetry.ByMachine, Bucket: report.Quarter,
		From: from, To: to, Filter: telemetry.Filter{Sites: []string{site}}, Limit: 20 * cellPoints})
	if err != nil {
		return nil, fmt.Errorf("reading history: %w", err)
	}
	type key struct {
		machine miner.ID
		at      int64
	}
	found := map[key]*report.Cell{}
	var out []*report.Cell
	alive := map[key]float64{}
	for _, series := range res.Series {
		for _, p := range series.Points {
			k := key{series.Key.Machine, p.At.Unix()}
			c := found[k]
			if c == nil {
				c = &report.Cell{Machine: k.machine, At: p.At}
				found[k] = c
				out = append(out, c)
			}
			n := p.Value * float64(p.Samples)
			sample := report.Sample{N: p.Samples, Mean: p.Value}
			switch series.Metric {
			case telemetry.Up:
				c.Polls, c.Answered = p.Samples, n
			case telemetry.Hashing:
				c.Hashing = n
			case telemetry.Starting:
				c.Starting = n
			case telemetry.Sleeping:
				c.Sleeping = n
			case telemetry.Stopped:
				c.Stopped = n
			case telemetry.Hashrate:
				c.Hashrate = sample
			case telemetry.HashrateAverage:
				if c.Hashrate.N == 0 { // asked for after the present rate: it comes after it
					c.Hashrate = sample
				}
			case telemetry.HashrateNominal:
				c.Nominal = sample
			case telemetry.Power:
				c.Power = sample
			case telemetry.Pools:
				alive[k] = p.Value
			case telemetry.PoolsAlive:
				c.NoPool = alive[k] >= 0.5 && p.Value < 0.5
			}
		}
	}
	return out, nil
}

// Faults implements report.Source.
func (s reportSource) Faults(ctx context.Context, site string, from, to time.Time) ([]report.FaultCell, bool, error) {
	st, err := s.history.Stats(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("asking the store: %w", err)
	}
	if st.First.IsZero() || !st.First.Before(to) {
		return nil, false, nil
	}
	counts, err := s.history.Faults(ctx, telemetry.FaultQuery{From: from, To: to, Bucket: report.Quarter, Filter: telemetry.Filter{Sites: []string{site}}})
	if err != nil {
		return nil, false, err
	}
	out := make([]report.FaultCell, len(counts))
	for i, c := range counts {
		out[i] = report.FaultCell{Machine: c.Machine, At: c.At, Codes: telemetry.FaultCodes(c.Bits), Polls: c.Polls}
	}
	return out, true, nil
}

// Commands implements report.Source.
func (s reportSource) Commands(ctx context.Context, site string, from, to time.Time) ([]report.CommandCount, error) {
	machines, err := s.record.Machines(ctx, ledger.MachineFilter{Site: site})
	if err != nil {
		return nil, fmt.Errorf("reading the inventory: %w", err)
	}
	here := make(map[int64]bool, len(machines))
	for _, m := range machines {
		here[m.ID] = true
	}
	count := map[report.CommandCount]int{}
	f := ledger.CommandFilter{Since: from, Until: to, Limit: 5000}
	for {
		page, err := s.record.Commands(ctx, f)
		if err != nil {
			return nil, fmt.Errorf("reading commands: %w", err)
		}
		for _, c := range page {
			if here[c.Machine] {
				count[report.CommandCount{Kind: c.Kind, State: string(c.State)}]++
			}
		}
		if len(page) < f.Limit {
			break
		}
		f.Before = page[len(page)-1].ID
	}
	var out []report.CommandCount
	for c, n := range count {
		c.Count = n
		out = append(out, c)
	}
	return out, nil
}

// Meters implements report.Source.
func (s reportSource) Meters(ctx context.Context, site string, from, to time.Time) ([]report.MeterCell, error) {
	es, err := s.record.MeterEnergy(ctx, site, from, to)
	if err != nil {
		return nil, err
	}
	out := make([]report.MeterCell, len(es))
	for i, e := range es {
		out[i] = report.MeterCell{Meter: e.Meter, At: e.At, Energy: unit.Energy(e.Joules), Covered: e.Covered}
	}
	return out, nil
}
