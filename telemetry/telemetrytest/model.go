package telemetrytest

import (
	"cmp"
	"math"
	"slices"
	"time"

	"ballast/miner"
	"ballast/telemetry"
)

// model answers queries from rows in a slice, by the letter of the contract and
// with no regard to speed. Engines must agree with it.
type model struct {
	rows []telemetry.Row
}

// add stores rows as Append does: a machine's instant once.
func (m *model) add(rows ...telemetry.Row) {
	for _, r := range rows {
		if !slices.ContainsFunc(m.rows, func(o telemetry.Row) bool {
			return o.Machine == r.Machine && o.At.UnixMilli() == r.At.UnixMilli()
		}) {
			m.rows = append(m.rows, r)
		}
	}
}

// sample is one number of one row.
type sample struct {
	machine miner.ID
	board   int
	tags    telemetry.Tags
	ts      int64
	v       float64
	delta   float64 // what it adds to the sample before it
	fell    float64 // 1 when it is less than the sample before it
}

// samples lists the numbers of a metric in order of time, with what each adds.
func (m *model) samples(metric telemetry.Metric) []sample {
	var all []sample
	for _, r := range m.rows {
		s := sample{machine: r.Machine, tags: r.Tags, ts: r.At.UnixMilli()}
		if !metric.OfBoard() {
			if v, ok := r.Get(metric).Get(); ok {
				s.v = v
				all = append(all, s)
			}
			continue
		}
		for _, b := range r.Boards {
			if v, ok := b.Get(metric).Get(); ok {
				s.board, s.v = b.Index, v
				all = append(all, s)
			}
		}
	}
	slices.SortFunc(all, func(a, b sample) int {
		return cmp.Or(cmp.Compare(a.machine, b.machine), cmp.Compare(a.board, b.board), cmp.Compare(a.ts, b.ts))
	})
	for i := range all {
		if i == 0 {
			continue
		}
		s, before := &all[i], &all[i-1]
		if s.machine != before.machine || s.board != before.board || s.ts-before.ts > telemetry.Lookback.Milliseconds() {
			continue
		}
		s.delta = s.v - before.v
		if s.v < before.v {
			s.delta, s.fell = s.v, 1
		}
	}
	return all
}

// query answers like Store.Query.
func (m *model) query(q telemetry.Query) []telemetry.Series {
	type place struct {
		key    telemetry.Key
		bucket int64
	}
	var out []telemetry.Series
	span := telemetry.SpanOf(q.From, q.To)
	for _, metric := range q.Metrics {
		groups := map[place][]sample{}
		for _, s := range m.samples(metric) {
			if s.ts < span.From || s.ts >= span.To || !q.Filter.Match(s.machine, &s.tags) {
				continue
			}
			p := place{key: keyOf(q.GroupBy, s)}
			if q.Bucket > 0 {
				p.bucket = s.ts / q.Bucket.Milliseconds()
			}
			groups[p] = append(groups[p], s)
		}
		series := map[telemetry.Key]*telemetry.Series{}
		for p, samples := range groups {
			at := q.From.UTC()
			if q.Bucket > 0 {
				at = time.UnixMilli(p.bucket * q.Bucket.Milliseconds()).UTC()
			}
			if series[p.key] == nil {
				series[p.key] = &telemetry.Series{Metric: metric, Key: p.key}
			}
			one := series[p.key]
			one.Points = append(one.Points, telemetry.Point{At: at, Value: aggregate(q.Aggregate, samples), Samples: int64(len(samples))})
		}
		var of []telemetry.Series
		for _, one := range series {
			slices.SortFunc(one.Points, func(a, b telemetry.Point) int { return a.At.Compare(b.At) })
			of = append(of, *one)
		}
		slices.SortFunc(of, func(a, b telemetry.Series) int {
			return cmp.Or(cmp.Compare(a.Key.Label, b.Key.Label), cmp.Compare(a.Key.Machine, b.Key.Machine), cmp.Compare(a.Key.Board, b.Key.Board))
		})
		out = append(out, of...)
	}
	return out
}

func keyOf(by telemetry.GroupBy, s sample) telemetry.Key {
	switch by {
	case telemetry.BySite:
		return telemetry.Key{Label: s.tags.Site}
	case telemetry.ByGroup:
		return telemetry.Key{Label: s.tags.Group}
	case telemetry.ByModel:
		return telemetry.Key{Label: s.tags.Model}
	case telemetry.ByFirmware:
		return telemetry.Key{Label: string(s.tags.Firmware)}
	case telemetry.ByVersion:
		return telemetry.Key{Label: s.tags.Version}
	case telemetry.ByMachine:
		return telemetry.Key{Machine: s.machine}
	case telemetry.ByBoard:
		return telemetry.Key{Machine: s.machine, Board: s.board}
	}
	return telemetry.Key{}
}

func aggregate(a telemetry.Aggregate, samples []sample) float64 {
	type who struct {
		machine miner.ID
		board   int
	}
	means := map[who][]float64{}
	least, most := math.Inf(1), math.Inf(-1)
	var sum, delta, fell float64
	for _, s := range samples {
		least, most = min(least, s.v), max(most, s.v)
		sum, delta, fell = sum+s.v, delta+s.delta, fell+s.fell
		w := who{s.machine, s.board}
		means[w] = append(means[w], s.v)
	}
	switch a {
	case telemetry.Mean:
		return sum / float64(len(samples))
	case telemetry.Min:
		return least
	case telemetry.Max:
		return most
	case telemetry.Samples:
		return float64(len(samples))
	case telemetry.Increase:
		return delta
	case telemetry.Resets:
		return fell
	}
	total := 0.0
	for _, vs := range means {
		one := 0.0
		for _, v := range vs {
			one += v
		}
		total += one / float64(len(vs))
	}
	return total
}
