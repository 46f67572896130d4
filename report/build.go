package report

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"ballast/miner"
	"ballast/unit"
)

// Most machines and racks that a report names.
const (
	worstMachines = 50
	worstRacks    = 30
)

// Build makes the report of a day as of now, and every machine's day beside it,
// by number. A day that has not begun is [ErrFuture].
func Build(ctx context.Context, src Source, site, title string, day Day, now time.Time) (Report, []MachineDay, error) {
	from, to := day.Start(), day.End()
	if !now.After(from) {
		return Report{}, nil, fmt.Errorf("%w: %s begins %s", ErrFuture, day, from.Format(time.RFC3339))
	}
	b := &builder{ctx: ctx, src: src, from: from, to: to, r: Report{
		Site: site, Title: title, Day: day.String(), Zone: day.zone.String(), From: from, Hours: to.Sub(from).Hours(), MadeAt: now.UTC(),
	}}
	if now.Before(to) {
		b.to, b.r.Partial = now, true
	}
	b.r.To = b.to.In(day.zone)
	for _, step := range []func() error{b.machines, b.intervals, b.complaints, b.cells, b.commands, b.meters} {
		if err := step(); err != nil {
			return Report{}, nil, fmt.Errorf("making the report of %s for %s: %w", site, day, err)
		}
	}
	return b.finish()
}

type faultKey struct {
	machine miner.ID
	at      int64
}

type builder struct {
	ctx      context.Context
	src      Source
	from, to time.Time
	r        Report

	tallies map[miner.ID]*tally
	every   []Interval
	guess   time.Duration // when no interval was written down
	faults  map[faultKey][]FaultCell
	curve   []moment // by quarter
	expect  []float64
	meter   []map[string]MeterCell
	sum     tally // of all
}

func (b *builder) machines() error {
	all, err := b.src.Machines(b.ctx, b.r.Site, b.from, b.to)
	if err != nil {
		return err
	}
	b.tallies = make(map[miner.ID]*tally, len(all))
	for _, m := range all {
		b.tallies[m.ID] = newTally(m)
	}
	n := b.quarter(b.to.Add(-1)) + 1
	b.curve, b.expect, b.meter = make([]moment, n), make([]float64, n), make([]map[string]MeterCell, n)
	return nil
}

func (b *builder) quarter(at time.Time) int { return int(at.Sub(b.from) / Quarter) }

// length is how much of a quarter lies in the report.
func (b *builder) length(q int) time.Duration {
	start := b.from.Add(time.Duration(q) * Quarter)
	return min(Quarter, b.to.Sub(start))
}

// lengthFor is how much of a quarter a machine was in service.
func (b *builder) lengthFor(q int, m Machine) time.Duration {
	whole := b.length(q)
	start := b.from.Add(time.Duration(q) * Quarter)
	from, to := start, start.Add(whole)
	if m.Since.After(from) {
		from = m.Since
	}
	if !m.Until.IsZero() && m.Until.Before(to) {
		to = m.Until
	}
	if !to.After(from) {
		return whole // polled while it was not in service: the polls count
	}
	return to.Sub(from)
}

func (b *builder) intervals() error {
	var err error
	if b.every, err = b.src.Intervals(b.ctx); err != nil {
		return err
	}
	if n := len(b.every); n > 0 {
		b.r.Every = b.every[n-1].Every.Seconds()
		if e := everyAt(b.every, b.to); e > 0 {
			b.r.Every = e.Seconds()
		}
	}
	if everyAt(b.every, b.from) > 0 {
		return nil
	}
	// Of the time before anybody wrote it down, the rows tell.
	var counts []float64
	for c, err := range b.src.Cells(b.ctx, b.r.Site, b.from, b.to) {
		if err != nil {
			return err
		}
		q := b.quarter(c.At)
		if q < 0 || q >= len(b.curve) || everyAt(b.every, c.At.Add(b.length(q))) > 0 {
			continue
		}
		if c.Polls > 1 && float64(c.Polls)-c.Answered < 0.5 {
			counts = append(counts, float64(c.Polls)*float64(Quarter)/float64(b.length(q)))
		}
	}
	if b.guess = estimate(counts); b.guess == 0 {
		b.guess = time.Minute
	}
	if b.r.Every == 0 {
		b.r.Every = b.guess.Seconds()
	}
	return nil
}

func (b *builder) everyAt(t time.Time) time.Duration {
	if e := everyAt(b.every, t); e > 0 {
		return e
	}
	return b.guess
}

func (b *builder) complaints() error {
	cells, known, err := b.src.Faults(b.ctx, b.r.Site, b.from, b.to)
	if err != nil {
		return err
	}
	b.r.NoFaults = !known
	b.faults = map[faultKey][]FaultCell{}
	for _, c := range cells {
		k := faultKey{c.Machine, c.At.Unix()}
		b.faults[k] = append(b.faults[k], c)
	}
	return nil
}

func (b *builder) cells() error {
	for c, err := range b.src.Cells(b.ctx, b.r.Site, b.from, b.to) {
		if err != nil {
			return err
		}
		q := b.quarter(c.At)
		if q < 0 || q >= len(b.curve) {
			continue
		}
		t, ok := b.tallies[c.Machine]
		if !ok { // polled here that day, and elsewhere or unknown to the record now
			t = newTally(Machine{ID: c.Machine, Name: fmt.Sprintf("machine %d", c.Machine), Since: b.from})
			b.tallies[c.Machine] = t
		}
		every := b.everyAt(c.At.Add(b.length(q)))
		var f cellFaults
		for _, fc := range b.faults[faultKey{c.Machine, c.At.Unix()}] {
			seconds := c.share(float64(fc.Polls), min(b.lengthFor(q, t.Machine).Seconds(), c.Answered*every.Seconds()))
			for _, code := range fc.Codes {
				t.faults[code] += seconds
				f.pool = f.pool || code == miner.ControlPool
				f.hot = f.hot || code/1000 == miner.ThermalOther/1000
			}
		}
		b.curve[q].plus(t.add(c, b.lengthFor(q, t.Machine), every, f))
	}
	return nil
}

func (m *moment) plus(o moment) {
	m.answered += o.answered
	m.silent += o.silent
	m.hashing += o.hashing
	m.starting += o.starting
	m.sleeping += o.sleeping
	m.stopped += o.stopped
	m.unclear += o.unclear
	m.work += o.work
	m.energy += o.energy
	m.powered += o.powered
}

func (b *builder) commands() error {
	out, err := b.src.Commands(b.ctx, b.r.Site, b.from, b.to)
	b.r.Commands = append([]CommandCount{}, out...)
	slices.SortFunc(b.r.Commands, func(x, y CommandCount) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), cmp.Compare(x.State, y.State))
	})
	return err
}

func (b *builder) meters() error {
	cells, err := b.src.Meters(b.ctx, b.r.Site, b.from, b.to)
	if err != nil {
		return err
	}
	for _, c := range cells {
		q := b.quarter(c.At)
		if q < 0 || q >= len(b.meter) {
			continue
		}
		if b.meter[q] == nil {
			b.meter[q] = map[string]MeterCell{}
		}
		b.meter[q][c.Meter] = c
		if !slices.Contains(b.r.Energy.MeterNames, c.Meter) {
			b.r.Energy.MeterNames = append(b.r.Energy.MeterNames, c.Meter)
		}
	}
	slices.Sort(b.r.Energy.MeterNames)
	return nil
}

func (b *builder) finish() (Report, []MachineDay, error) {
	r := &b.r
	days := make([]MachineDay, 0, len(b.tallies))
	lost, touched := map[Reason]float64{}, map[Reason]int{}
	var potential, producedOf, rate, nominal float64
	racks := map[string]*rack{}
	kinds := map[miner.Code]*FaultKind{}
	for _, t := range b.tallies {
		b.expected(t)
	}
	length := b.inService()
	for _, id := range slices.Sorted(maps.Keys(b.tallies)) {
		t := b.tallies[id]
		if t.expected <= 0 {
			continue
		}
		r.Machines++
		if t.known() <= 0 {
			r.Unknown++
		} else {
			rate += t.work / t.known() * t.expected / length
		}
		of, beyond := t.losses()
		if n, ok := t.nominal().Get(); ok {
			nominal += float64(n) * t.expected / length
			potential += float64(n) * t.known()
			producedOf += t.work
		}
		r.Above += beyond / perDay
		for why, l := range of {
			lost[why] += l
			if n, _ := t.nominal().Get(); l >= float64(n)*length/100 {
				touched[why]++
			}
		}
		for code, seconds := range t.faults {
			k := kinds[code]
			if k == nil {
				k = &FaultKind{Code: int(code), Kind: FaultName(code), Group: code.Group()}
				kinds[code] = k
			}
			k.Machines++
			k.Hours += seconds / perHour
		}
		d := t.day(of)
		days = append(days, d)
		if t.Rack != "" {
			if racks[t.Rack] == nil {
				racks[t.Rack] = &rack{RackDay: RackDay{Rack: t.Rack}, lost: map[Reason]float64{}}
			}
			racks[t.Rack].add(d, of)
		}
		b.sum.plus(t)
	}
	s := &b.sum
	r.Time = s.times()
	r.Coverage = min(1, s.known()/max(s.expected, 1))
	r.Work = s.work / perDay
	if s.known() > 0 {
		r.Hashrate = unit.Some(unit.Hashrate(rate))
	}
	if nominal > 0 {
		r.Nominal = unit.Some(unit.Hashrate(nominal))
	}
	r.Potential = ratio(producedOf, potential)
	r.Uptime = ratio(s.hashing, s.known()-s.sleeping)
	r.Losses = lossList(lost, touched)
	for _, k := range slices.SortedFunc(maps.Values(kinds), func(x, y *FaultKind) int { return cmp.Or(cmp.Compare(y.Hours, x.Hours), x.Code-y.Code) }) {
		r.Faults = append(r.Faults, *k)
	}
	r.Faults = append([]FaultKind{}, r.Faults...)
	r.Worst = worst(days)
	r.Racks = []RackDay{}
	for _, k := range racks {
		r.Racks = append(r.Racks, k.done())
	}
	slices.SortFunc(r.Racks, func(x, y RackDay) int { return cmp.Or(cmp.Compare(y.Lost, x.Lost), cmp.Compare(x.Rack, y.Rack)) })
	r.Racks = r.Racks[:min(len(r.Racks), worstRacks)]
	b.points()
	b.energy()
	r.Remarks = append([]string{}, Remarks(r)...)
	return *r, days, nil
}

// expected is how long a machine was in service during the report, and adds it
// to the quarters. A machine that the record came to know today is expected from
// then on.
func (b *builder) expected(t *tally) {
	from, to := b.from, b.to
	if t.Since.After(from) {
		from = t.Since
	}
	if !t.Until.IsZero() && t.Until.Before(to) {
		to = t.Until
	}
	for q := range b.expect {
		start := b.from.Add(time.Duration(q) * Quarter)
		end := start.Add(b.length(q))
		if from.After(start) {
			start = from
		}
		if to.Before(end) {
			end = to
		}
		if d := end.Sub(start).Seconds(); d > 0 {
			b.expect[q] += d
			t.expected += d
		}
	}
	// Polls before it was entered or after it was retired count as well.
	t.expected = max(t.expected, t.known())
}

// inService is how long the site had machines during the report, in seconds: a
// mean of its first day is not of the hours before it was there.
func (b *builder) inService() float64 {
	first := b.to
	for _, t := range b.tallies {
		if t.expected > 0 && t.Since.Before(first) {
			first = t.Since
		}
	}
	if first.After(b.from) {
		b.r.Since = first.In(b.from.Location())
		return max(b.to.Sub(first).Seconds(), 1)
	}
	return b.to.Sub(b.from).Seconds()
}

// worst are the machines that lost most, of those that lost a hundredth of their
// potential or more: every machine hashes a little below or above its nominal.
func worst(days []MachineDay) []MachineDay {
	out := slices.DeleteFunc(slices.Clone(days), func(d MachineDay) bool { return d.Lost < (d.Work+d.Lost)/100 || d.Lost <= 0 })
	slices.SortStableFunc(out, func(x, y MachineDay) int { return cmp.Or(cmp.Compare(y.Lost, x.Lost), cmp.Compare(x.ID, y.ID)) })
	return out[:min(len(out), worstMachines)]
}

type rack struct {
	RackDay
	lost map[Reason]float64
}

func (k *rack) add(d MachineDay, of map[Reason]float64) {
	k.Machines++
	k.Work += d.Work
	k.Lost += d.Lost
	for r, l := range of {
		k.lost[r] += l
	}
}

func (k *rack) done() RackDay {
	k.Why = lossList(k.lost, nil)
	return k.RackDay
}

func (t *tally) plus(o *tally) {
	t.expected += o.expected
	t.answered += o.answered
	t.silent += o.silent
	t.hashing += o.hashing
	t.starting += o.starting
	t.sleeping += o.sleeping
	t.stopped += o.stopped
	t.unclear += o.unclear
	t.work += o.work
	t.energy += o.energy
	t.energyTime += o.energyTime
	t.hashingTold += o.hashingTold
	t.bothEnergy += o.bothEnergy
	t.bothWork += o.bothWork
}

func (t *tally) times() Times {
	return Times{
		Expected: t.expected / perHour, Hashing: t.hashing / perHour, Starting: t.starting / perHour, Off: t.sleeping / perHour,
		Down: t.stopped / perHour, Silent: t.silent / perHour, Unclear: t.unclear / perHour, Unknown: max(0, t.expected-t.known()) / perHour,
	}
}

func (t *tally) day(of map[Reason]float64) MachineDay {
	d := MachineDay{ID: int64(t.ID), Name: t.Name, Model: t.Model, Place: t.Place, Nominal: t.nominal(), Uptime: ratio(t.hashing, t.known()-t.sleeping),
		Time: t.times(), Work: t.work / perDay, Why: lossList(of, nil), Coverage: min(1, t.known()/max(t.expected, 1)), rack: t.Rack}
	for _, l := range of {
		d.Lost += l / perDay
	}
	if t.known() > 0 {
		d.Hashrate = unit.Some(unit.Hashrate(t.work / t.known()))
	}
	if t.energyTime > 0 {
		d.Energy = unit.Some(unit.Energy(t.energy))
	}
	d.JTH = efficiency(t.bothEnergy, t.bothWork)
	codes := slices.SortedFunc(maps.Keys(t.faults), func(x, y miner.Code) int { return cmp.Or(cmp.Compare(t.faults[y], t.faults[x]), int(x-y)) })
	for _, c := range codes[:min(len(codes), 4)] {
		d.Faults = append(d.Faults, FaultName(c))
	}
	return d
}

func efficiency(energy, work float64) unit.Opt[unit.Efficiency] {
	if energy <= 0 || work <= 0 {
		return unit.None[unit.Efficiency]()
	}
	return unit.Some(unit.Efficiency(energy / work)) // J over TH
}

// points makes the site's curve, and the holes in it.
func (b *builder) points() {
	b.r.Quarters = []QuarterPoint{}
	b.r.Holes = []Hole{}
	for q, m := range b.curve {
		at := b.from.Add(time.Duration(q) * Quarter)
		seconds := b.length(q).Seconds()
		known := m.answered + m.silent
		share := 1.0
		if b.expect[q] > 0 {
			share = min(1, known/b.expect[q])
		}
		if b.expect[q] > 0 && share < 0.9 {
			end := at.Add(b.length(q))
			if n := len(b.r.Holes); n > 0 && b.r.Holes[n-1].To.Equal(at) {
				h := &b.r.Holes[n-1]
				whole := h.To.Sub(h.From).Seconds()
				h.Coverage = (h.Coverage*whole + share*seconds) / (whole + seconds)
				h.To = end
			} else {
				b.r.Holes = append(b.r.Holes, Hole{at, end, share})
			}
		}
		p := QuarterPoint{At: at.UTC(), Hashing: m.hashing / seconds, Off: m.sleeping / seconds, Starting: m.starting / seconds, Down: (m.stopped + m.unclear) / seconds,
			Silent: m.silent / seconds, Unknown: max(0, b.expect[q]-known) / seconds}
		// A rate is of the known time; of a quarter that is hardly known it would
		// say little of the site.
		if known > 0 && share >= 0.1 {
			whole := max(known, b.expect[q]) / seconds // machines
			p.Hashrate = unit.Some(unit.Hashrate(m.work / known * whole))
			if m.powered > 0 {
				p.Power = unit.Some(unit.Power(m.energy / known * whole))
			}
		}
		if cells := b.meter[q]; len(cells) > 0 && len(cells) == len(b.r.Energy.MeterNames) {
			sum, all := 0.0, true
			for _, c := range cells {
				if c.Covered.Seconds() < seconds/2 {
					all = false
					break
				}
				sum += float64(c.Energy) / c.Covered.Seconds()
			}
			if all {
				p.Metered = unit.Some(unit.Power(sum))
			}
		}
		b.r.Quarters = append(b.r.Quarters, p)
	}
}

// meterEnough is the share of the day that meters must cover for their total to
// be the day's.
const meterEnough = 0.9

func (b *builder) energy() {
	e, s := &b.r.Energy, &b.sum
	e.From = "none"
	length := b.to.Sub(b.from).Seconds()
	if !b.r.Since.IsZero() {
		length = max(b.to.Sub(b.r.Since).Seconds(), 1)
	}
	if s.energyTime > 0 {
		e.From, e.Machines = "machines", unit.Some(unit.Energy(s.energy))
		e.Total = e.Machines
		e.MeanPower = unit.Some(unit.Power(s.energy / max(s.known(), 1) * s.expected / length))
	}
	if s.hashing > 0 {
		e.Told = min(1, s.hashingTold/s.hashing)
	}
	e.Efficiency = efficiency(s.bothEnergy, s.bothWork)
	if n := len(e.MeterNames); n > 0 {
		var joules, covered float64
		for _, cells := range b.meter {
			for _, c := range cells {
				joules += float64(c.Energy)
				covered += c.Covered.Seconds()
			}
		}
		e.Meters, e.MeterCover = unit.Some(unit.Energy(joules)), min(1, covered/float64(n)/length)
		if e.MeterCover >= meterEnough {
			e.From, e.Total = "meter", e.Meters
			e.MeanPower = unit.Some(unit.Power(joules / (covered / float64(n))))
			if b.r.Coverage >= meterEnough {
				// The meters' mean over the machines' mean: each over its own known time.
				h, _ := b.r.Hashrate.Get()
				e.SiteJTH = efficiency(joules/(covered/float64(n)), float64(h))
			}
		}
	}
	for _, q := range b.r.Quarters {
		v := q.Power
		if e.From == "meter" {
			v = q.Metered
		}
		if p, ok := v.Get(); ok && p > e.HighestMean.Or(0) {
			e.HighestMean, e.HighestAt = unit.Some(p), q.At
		}
	}
	if e.HighestMean.Or(0) < e.MeanPower.Or(0) { // a quarter that the site was in for a part only
		e.HighestMean, e.HighestAt = unit.None[unit.Power](), time.Time{}
	}
}
