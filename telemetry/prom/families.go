package prom

import (
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"strconv"
	"time"

	"ballast/miner"
	"ballast/telemetry"
)

// write writes the page of rows.
func (o Options) write(ctx context.Context, w *Writer, rows []telemetry.Row, detail Detail) {
	rows = recent(rows, o.Clock().Add(-o.MaxAge))
	writeFleet(w, rows)
	if detail != Fleet {
		writeMachines(w, rows, o.Name)
	}
	if detail == Board {
		writeBoards(w, rows, o.Name)
	}
	if o.Extra != nil {
		o.Extra(ctx, w)
	}
}

// recent leaves out rows of machines that fell silent.
func recent(rows []telemetry.Row, oldest time.Time) []telemetry.Row {
	return slices.DeleteFunc(slices.Clone(rows), func(r telemetry.Row) bool { return r.At.Before(oldest) })
}

// total is what the fleet's families need of one site and model.
type total struct {
	machines, degraded, missing        float64
	hashrate, nominal, power, hottest  float64
	hashing, haveNominal, have, heated bool
}

type siteModel struct{ site, model string }
type siteWord struct{ site, word string }

func compareSiteModel(a, b siteModel) int {
	return cmp.Or(cmp.Compare(a.site, b.site), cmp.Compare(a.model, b.model))
}
func compareSiteWord(a, b siteWord) int {
	return cmp.Or(cmp.Compare(a.site, b.site), cmp.Compare(a.word, b.word))
}

// condition is what a machine is doing, or why that is not known.
func condition(r *telemetry.Row) string {
	if r.Outcome != telemetry.OK {
		return string(r.Outcome)
	}
	return string(cmp.Or(r.State, miner.Unknown))
}

// sink takes the families of the fleet: a page, or a request of remote write.
type sink interface {
	Family(name string, t Type, unit, help string)
	Sample(v float64, labels ...string)
}

func writeFleet(w sink, rows []telemetry.Row) {
	totals := map[siteModel]*total{}
	states := map[siteWord]float64{}
	faults := map[siteWord]float64{}
	for i := range rows {
		r := &rows[i]
		key := siteModel{r.Site, r.Model}
		t := totals[key]
		if t == nil {
			t = &total{hottest: math.Inf(-1)}
			totals[key] = t
		}
		t.machines++
		t.degraded += r.Get(telemetry.Degraded).Or(0)
		if v, ok := r.Get(telemetry.Hashrate).OrElse(r.Get(telemetry.HashrateAverage)).Get(); ok {
			t.hashrate, t.hashing = t.hashrate+v, true
		}
		if v, ok := r.Get(telemetry.HashrateNominal).Get(); ok {
			t.nominal, t.haveNominal = t.nominal+v, true
		}
		if v, ok := r.Get(telemetry.Power).Get(); ok {
			t.power, t.have = t.power+v, true
		}
		if v, ok := r.Get(telemetry.TempChip).OrElse(r.Get(telemetry.TempBoard)).Get(); ok {
			t.hottest, t.heated = max(t.hottest, v), true
		}
		if a, ok := r.Get(telemetry.Chips).Get(); ok {
			t.missing += max(r.Get(telemetry.ChipsExpected).Or(a)-a, 0)
		}
		states[siteWord{r.Site, condition(r)}]++
		groups := map[string]bool{}
		for _, c := range telemetry.FaultCodes(r.Faults.Bits) {
			groups[c.Group()] = true
		}
		for g := range groups {
			faults[siteWord{r.Site, g}]++
		}
	}
	keys := slices.SortedFunc(maps.Keys(totals), compareSiteModel)
	each := func(name, unit, help string, value func(*total) (float64, bool)) {
		w.Family(name, Gauge, unit, help)
		for _, k := range keys {
			if v, ok := value(totals[k]); ok {
				w.Sample(v, "site", k.site, "model", k.model)
			}
		}
	}
	w.Family("ballast_machines", Gauge, "", "Machines by what they are doing, or why that is not known.")
	for _, k := range slices.SortedFunc(maps.Keys(states), compareSiteWord) {
		w.Sample(states[k], "site", k.site, "state", k.word)
	}
	each("ballast_machines_degraded", "", "Hashing machines with a serious fault, missing chips, or under 90 % of their nominal rate.", func(t *total) (float64, bool) { return t.degraded, true })
	each("ballast_hashrate_hashes_per_second", "hashes_per_second", "Hashrate of the machines that told theirs.", func(t *total) (float64, bool) { return inBase(telemetry.Hashrate, t.hashrate), t.hashing })
	each("ballast_hashrate_nominal_hashes_per_second", "hashes_per_second", "Hashrate that the firmwares expect.", func(t *total) (float64, bool) {
		return inBase(telemetry.HashrateNominal, t.nominal), t.haveNominal
	})
	each("ballast_power_watts", "watts", "Wall power of the machines that told theirs.", func(t *total) (float64, bool) { return t.power, t.have })
	each("ballast_temperature_max_celsius", "celsius", "Hottest chip, else board.", func(t *total) (float64, bool) { return t.hottest, t.heated })
	each("ballast_chips_missing", "", "Chips that should answer and do not.", func(t *total) (float64, bool) { return t.missing, true })
	w.Family("ballast_machines_faulty", Gauge, "", "Machines that complain, by the group of the fault.")
	for _, k := range slices.SortedFunc(maps.Keys(faults), compareSiteWord) {
		w.Sample(faults[k], "site", k.site, "fault", k.word)
	}
}

// inBase is a value in the metric's base unit. Scaling up by powers of ten
// leaves a trace of binary arithmetic, which rounding to whole units takes off.
func inBase(m telemetry.Metric, v float64) float64 {
	f := m.Info().Unit.Factor
	if f == 1 {
		return v
	}
	return math.Round(v * f)
}

func writeMachines(w *Writer, rows []telemetry.Row, name naming) {
	labels := machineLabels(rows, name)
	w.Family("ballast_machine_info", Info, "", "What the machine is.")
	for i := range rows {
		r := &rows[i]
		w.labels = appendLabels(w.labels[:0], "group", r.Group, "version", r.Version)
		w.sample(labels[i], w.labels, 1)
	}
	w.Family("ballast_machine_poll_timestamp_seconds", Gauge, "seconds", "When the result of the newest poll was known.")
	for i := range rows {
		w.sample(labels[i], nil, float64(rows[i].At.UnixMilli())/1e3)
	}
	was := ""
	for _, m := range telemetry.MachineMetrics() {
		full, label, value := m.Prometheus()
		if full != was { // fans share one family
			w.Family(full, typeOf(m), m.Info().Unit.Base, helpOf(m))
			was = full
		}
		var more []byte
		if label != "" {
			more = appendLabels(nil, label, value)
		}
		for i := range rows {
			if v, ok := rows[i].Get(m).Get(); ok {
				w.sample(labels[i], more, inBase(m, v))
			}
		}
	}
}

func writeBoards(w *Writer, rows []telemetry.Row, name naming) {
	labels := machineLabels(rows, name)
	var slots [telemetry.MaxBoards][]byte
	for i := range slots {
		slots[i] = appendLabels(nil, "board", strconv.Itoa(i))
	}
	w.Family("ballast_board_info", Info, "", "Which board is in the slot.")
	for i := range rows {
		for k := range rows[i].Boards {
			if b := &rows[i].Boards[k]; b.Serial != "" {
				w.labels = appendLabels(w.labels[:0], "board", strconv.Itoa(b.Index), "serial", b.Serial)
				w.sample(labels[i], w.labels, 1)
			}
		}
	}
	for _, m := range telemetry.BoardMetrics() {
		full, _, _ := m.Prometheus()
		w.Family(full, typeOf(m), m.Info().Unit.Base, helpOf(m))
		for i := range rows {
			for k := range rows[i].Boards {
				b := &rows[i].Boards[k]
				v, ok := b.Get(m).Get()
				if !ok {
					continue
				}
				if b.Index < len(slots) {
					w.sample(labels[i], slots[b.Index], inBase(m, v))
				} else {
					w.sample(labels[i], appendLabels(nil, "board", strconv.Itoa(b.Index)), inBase(m, v))
				}
			}
		}
	}
}

// machineLabels spells out the labels of every machine, all in one piece of
// memory.
func machineLabels(rows []telemetry.Row, name naming) [][]byte {
	labels := make([][]byte, len(rows))
	all := make([]byte, 0, 128*len(rows))
	for i := range rows {
		r := &rows[i]
		from := len(all)
		one := appendLabels(all[from:], "machine", name.of(r.Machine), "site", r.Site, "model", r.Model, "firmware", string(r.Firmware))
		if len(one) > cap(all)-from {
			labels[i] = one // it did not fit and was copied
			continue
		}
		all = all[:from+len(one)]
		labels[i] = slices.Clip(one)
	}
	return labels
}

func typeOf(m telemetry.Metric) Type {
	if m.Info().Kind == telemetry.Counter {
		return Counter
	}
	return Gauge
}

func helpOf(m telemetry.Metric) string {
	if m.Info().Level == telemetry.FanLevel {
		return "Speed of a case fan."
	}
	return m.Info().Help
}
