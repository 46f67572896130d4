package report

import (
	"cmp"
	"slices"
	"time"

	"ballast/miner"
	"ballast/unit"
)

// slowest is how long an unanswered poll stands for at most: a machine that
// does not answer is asked this seldom.
func slowest(every time.Duration) time.Duration { return max(time.Minute, 6*every) }

// split says how much of a cell's length its answered polls stand for, and how
// much its unanswered ones. The rest is not known. An unanswered poll next to
// answered ones stands for what they leave.
func (c Cell) split(length, every time.Duration) (answered, silent float64) {
	d := length.Seconds()
	answered = min(d, c.Answered*every.Seconds())
	missed := float64(c.Polls) - c.Answered
	if missed > 0.5 { // the counts are means times samples: whole numbers but for rounding
		silent = min(d-answered, missed*slowest(every).Seconds())
	}
	return answered, silent
}

// estimate is the polling interval that the cells show: of the quarters in which
// a machine answered every poll, the median. Zero when there are none.
func estimate(counts []float64) time.Duration {
	if len(counts) == 0 {
		return 0
	}
	slices.Sort(counts)
	return time.Duration(float64(Quarter) / counts[len(counts)/2])
}

// everyAt is the interval in force at t; zero when nobody wrote it down.
func everyAt(intervals []Interval, t time.Time) time.Duration {
	for _, interval := range slices.Backward(intervals) {
		if !interval.Since.After(t) {
			return interval.Every
		}
	}
	return 0
}

// tally adds up one machine's day. Times are in seconds, work in TH.
type tally struct {
	Machine
	expected                                                        float64
	answered, silent, hashing, starting, sleeping, stopped, unclear float64
	work                                                            float64
	energy, energyTime, hashingTold                                 float64 // J, s, s
	bothEnergy, bothWork                                            float64 // J, TH: where both were told
	most                                                            float64 // highest nominal told, TH/s
	// What a reason took is time times the nominal rate, plus work. The rate is
	// known only when the day is added up.
	lostTime, lostWork map[Reason]float64
	faults             map[miner.Code]float64 // seconds
}

func newTally(m Machine) *tally {
	return &tally{Machine: m, lostTime: map[Reason]float64{}, lostWork: map[Reason]float64{}, faults: map[miner.Code]float64{}}
}

// share is a part of answered time.
func (c Cell) share(polls, answered float64) float64 {
	if c.Answered <= 0 {
		return 0
	}
	return answered * min(polls/c.Answered, 1)
}

// told is the time that the polls which told a number stand for.
func (c Cell) told(s Sample, answered float64) float64 { return c.share(float64(s.N), answered) }

// cellFaults are the kinds of complaint that matter for a loss.
type cellFaults struct{ pool, hot bool }

// add takes a cell in, and returns it in seconds by state for the site's curve.
func (t *tally) add(c Cell, length, every time.Duration, f cellFaults) moment {
	answered, silent := c.split(length, every)
	m := moment{
		answered: answered, silent: silent,
		hashing: c.share(c.Hashing, answered), starting: c.share(c.Starting, answered),
		sleeping: c.share(c.Sleeping, answered), stopped: c.share(c.Stopped, answered),
	}
	m.unclear = max(0, answered-m.hashing-m.starting-m.sleeping-m.stopped)
	t.answered += answered
	t.silent += silent
	t.hashing += m.hashing
	t.starting += m.starting
	t.sleeping += m.sleeping
	t.stopped += m.stopped
	t.unclear += m.unclear

	m.work = c.Hashrate.Mean * c.told(c.Hashrate, answered)
	t.work += m.work
	powered := c.told(c.Power, answered)
	m.energy = c.Power.Mean * powered
	t.energy += m.energy
	t.energyTime += powered
	m.powered = powered
	if m.hashing > 0 {
		t.hashingTold += min(powered, m.hashing)
		// Efficiency is of quarters in which nothing but hashing was seen: the
		// watts of a machine that boots belong to no hash.
		if c.Power.N > 0 && c.Hashrate.N > 0 && m.hashing > 0.999*answered {
			t.bothEnergy += c.Power.Mean * min(powered, c.told(c.Hashrate, answered))
			t.bothWork += c.Hashrate.Mean * min(powered, c.told(c.Hashrate, answered))
		}
	}
	if c.Nominal.N > 0 {
		t.most = max(t.most, c.Nominal.Mean)
	}

	pool := f.pool || c.NoPool
	slow := Degraded
	switch {
	case pool:
		slow = Pool
	case f.hot:
		slow = Hot
	}
	t.lostTime[Silent] += silent
	t.lostTime[Curtailed] += m.sleeping
	t.lostTime[Starting] += m.starting
	t.lostTime[Unclear] += m.unclear
	if slow == Degraded {
		t.lostTime[Down] += m.stopped
	} else {
		t.lostTime[slow] += m.stopped
	}
	switch {
	case m.hashing > 0 && c.Nominal.N > 0 && c.Nominal.Mean > 0:
		// Set below what it can do, and then below what it is set to.
		t.lostTime[Curtailed] += m.hashing
		t.lostWork[Curtailed] -= c.Nominal.Mean * m.hashing
		t.lostWork[slow] += c.Nominal.Mean*m.hashing - m.work
	case m.hashing > 0:
		t.lostTime[slow] += m.hashing
		t.lostWork[slow] -= m.work
	case m.starting > 0: // hashes already while it tunes
		t.lostWork[Starting] -= m.work
	default:
		t.lostWork[slow] -= m.work // what it still told while it stopped
	}
	return m
}

// moment is a cell in seconds by state.
type moment struct {
	answered, silent, hashing, starting, sleeping, stopped, unclear float64
	work, energy, powered                                           float64
}

func (t *tally) known() float64 { return t.answered + t.silent }

// nominal is what the machine can do in TH/s.
func (t *tally) nominal() unit.Opt[unit.Hashrate] {
	if t.most > 0 {
		return unit.Some(unit.Hashrate(t.most))
	}
	if n, ok := t.Nominal.Get(); ok && n > 0 {
		return unit.Some(n)
	}
	return unit.None[unit.Hashrate]()
}

// losses are what each reason took, in TH, and what was produced beyond nominal.
// Produced plus lost minus beyond is nominal times the known time, exactly.
func (t *tally) losses() (lost map[Reason]float64, beyond float64) {
	n, ok := t.nominal().Get()
	lost = map[Reason]float64{}
	if !ok {
		return lost, 0
	}
	for _, r := range Reasons() {
		l := float64(n)*t.lostTime[r] + t.lostWork[r]
		switch {
		case l > 0:
			lost[r] = l
		case l < 0:
			beyond -= l
		}
	}
	return lost, beyond
}

const (
	perDay  = 86400.0
	perHour = 3600.0
)

// lossList is losses by reason, most first, in TH·day. What is under a
// thousandth of the whole is left out of a machine's list, never of a sum.
func lossList(lost map[Reason]float64, machines map[Reason]int) []Loss {
	out := []Loss{}
	total := 0.0
	for _, l := range lost {
		total += l
	}
	for _, r := range Reasons() {
		if l := lost[r]; l > total/1000 {
			out = append(out, Loss{Reason: r, Lost: l / perDay, Machines: machines[r]})
		}
	}
	slices.SortStableFunc(out, func(a, b Loss) int { return cmp.Compare(b.Lost, a.Lost) })
	return out
}

func ratio(part, whole float64) unit.Opt[unit.Ratio] {
	if whole <= 0 {
		return unit.None[unit.Ratio]()
	}
	return unit.Some(unit.Ratio(part / whole))
}
