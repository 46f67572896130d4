package sim

import (
	"fmt"
	"slices"
	"time"

	"ballast/unit"
)

// snapshot tells what the firmware can know now.
func (r *Rig) snapshot(chips bool) Snapshot {
	at := r.clock()
	r.mu.Lock()
	defer r.mu.Unlock()
	now := at.UnixNano()
	b := r.present(now)
	d := &r.design
	s := Snapshot{
		Now: at, Phase: b.phase, Mode: r.want.mode, PowerTarget: r.want.target, PowerPercent: r.want.percent, Profile: r.want.profile,
		Progress: r.progress(&b), Locating: r.locating, Difficulty: r.difficulty, Faults: slices.Clone(r.complaints), FanDuty: b.duty,
	}
	if b.phase == PhaseOff {
		s.Pools = slices.Clone(r.pools)
		s.Boards = make([]BoardSnapshot, d.boards)
		s.Fans = make([]FanSnapshot, d.fans)
		return s
	}
	s.Uptime = time.Duration(b.t - b.born)
	if b.start != 0 {
		s.MinerUptime = time.Duration(b.t - b.start)
	}
	s.HashrateNominal = unit.Hashrate(d.hash * r.aim())
	r.tellRates(&s, &b, now)
	s.Power = unit.Power(b.wall * r.grade.meter * r.effects.meter)
	r.tellAir(&s, &b)
	s.Boards = make([]BoardSnapshot, d.boards)
	for i := range s.Boards {
		r.tellBoard(&s.Boards[i], &b, i, now)
		if chips && s.Boards[i].Present {
			s.Boards[i].PerChip = r.tellChips(&s.Boards[i], &b, i, now)
		}
		s.HWErrors += s.Boards[i].HWErrors
	}
	r.tellFans(&s, &b, now)
	r.tellPSU(&s, &b, now)
	r.tellShares(&s, &b)
	return s
}

// progress is how far starting and ramping are, 0 to 1.
func (r *Rig) progress(b *body) float64 {
	switch b.phase {
	case PhaseBooting, PhaseStarting:
		if b.until > b.since {
			return min(seconds(b.t-b.since)/seconds(b.until-b.since), 1) * 0.3
		}
		return 0
	case PhaseRamping:
		if b.aim > 0 {
			return min(0.3+0.7*b.ratio/b.aim, 1)
		}
	case PhaseHashing, PhaseSleeping:
		return 1
	}
	return 0
}

// tellRates fills the hashrates: what is true, seen through windows in which
// chance finds a few results more or less.
func (r *Rig) tellRates(s *Snapshot, b *body, now int64) {
	if b.start == 0 {
		return
	}
	t := seconds(now)
	noisy := func(rate, sd float64, st stream, width float64) unit.Hashrate {
		return unit.Hashrate(max(rate*(1+sd*wave(r.seed, st, t, width)), 0))
	}
	s.Hashrate5s = noisy(b.hash, 0.012, drawHash5s, 5)
	s.Hashrate1m = noisy(b.averageOver(0, 60), 0.005, drawHash1m, 60)
	s.Hashrate15m = noisy(b.averageOver(1, 900), 0.0018, drawHash15m, 900)
	s.Hashrate30m = noisy(b.averageOver(2, 1800), 0.0012, drawHash15m, 1800)
	if b.live > 0 {
		s.HashrateAvg = unit.Hashrate(b.hashed / b.live)
	}
}

// tellAir fills ambient, inlet and outlet.
func (r *Rig) tellAir(s *Snapshot, b *body) {
	d, env := &r.design, &r.env
	flow := env.flow
	if d.fans > 0 {
		flow = b.duty * r.effects.airflow
	}
	if v, ok := r.effects.ambient.read(env.ambient); ok {
		s.Ambient = unit.Some(unit.Temperature(v))
	}
	s.Inlet = unit.Some(unit.Temperature(env.inlet))
	s.Outlet = unit.Some(unit.Temperature(env.inlet + b.heat/(d.carry*max(flow, 0.03))))
	if d.litres > 0 {
		s.Flow = unit.Some(unit.Flow(d.litres * env.flow))
	}
}

// Where a board's four sensors sit, relative to its hottest chips and its heat
// sink, K.
var (
	chipSpot = [4]float64{-9, -1, -7.5, 0}
	sinkSpot = [4]float64{-8, -0.5, -6.5, 0.5}
)

func (r *Rig) tellBoard(s *BoardSnapshot, b *body, i int, now int64) {
	d, f, p := &r.design, &r.effects.boards[i], &b.boards[i]
	if f.missing || !b.answers() {
		return
	}
	s.Present, s.Enabled = true, r.want.boards[i]
	s.Serial = r.boardSerial(i)
	s.Chips = max(d.chips-f.dead, 0)
	s.HashrateNominal = unit.Hashrate(d.hash * r.aim() / float64(d.boards))
	if !s.Enabled {
		s.HashrateNominal = 0
	}
	if b.start != 0 {
		s.HWErrors = p.errors.count(r.countSeed(b)+uint64(i), drawError)
	}
	if b.powered() && s.Enabled {
		v := d.volts * need(b.ratio) * (1 - b.droop) * (1 - f.droop)
		s.Hashrate = unit.Hashrate(max(p.hash*(1+0.015*wave(r.seed+uint64(i), drawHash5s, seconds(now), 5)), 0))
		s.Power, s.Voltage = unit.Power(p.power), unit.Voltage(v)
		s.Current = unit.Current(p.power / v)
		s.Frequency = unit.Frequency(d.clock * b.ratio)
	}
	for k := range 4 {
		jitter := 0.3*wave(r.seed+uint64(i*4+k), drawTemp, seconds(now), 20) + r.grade.sensor[i]
		spread := min(p.power/(d.dynamic+d.leak), 1) // no gradient on a cold board
		if v, ok := f.sense.read(p.sink + sinkSpot[k]*spread + jitter); ok {
			s.PCB[k] = unit.Some(unit.Temperature(v))
		}
		if v, ok := f.sense.read(p.chip + chipSpot[k]*spread + jitter); ok {
			s.Chip[k] = unit.Some(unit.Temperature(v))
		}
	}
}

func (r *Rig) boardSerial(i int) string {
	if i < len(r.spec.BoardSerials) {
		return r.spec.BoardSerials[i]
	}
	return fmt.Sprintf("HB%010d", draw(r.seed, drawSerial, int64(i))%1e10)
}

// tellChips fills in each chip of a board. Which chips are dead follows from
// how many are: they die in a fixed order.
func (r *Rig) tellChips(s *BoardSnapshot, b *body, i int, now int64) []ChipSnapshot {
	d, f, p := &r.design, &r.effects.boards[i], &b.boards[i]
	out := make([]ChipSnapshot, d.chips)
	seed := r.seed + uint64(i)*0x1f123bb5
	for c := range out {
		out[c].Alive = true
	}
	for j := range min(f.dead, d.chips) {
		c := int(draw(seed, drawChipDead, int64(j)) % uint64(d.chips))
		for !out[c].Alive {
			c = (c + 1) % d.chips
		}
		out[c].Alive = false
	}
	alive := max(s.Chips, 1)
	rate := float64(s.Hashrate) / float64(alive)
	spread := min(p.power/(d.dynamic+d.leak), 1)
	// A failing signal chain errs at one chip; a failing board supply starves a
	// few, and not the same ones for long.
	bad := int(draw(seed, drawChipDead, 1<<20) % uint64(d.chips))
	slot := now / int64(10*time.Minute)
	for c := range out {
		q := gauss(seed, drawChip, int64(c))
		ch := &out[c]
		along := float64(c) / float64(max(d.chips-1, 1))
		ch.Temp = unit.Temperature(p.chip - 9*spread*(1-along) + (1.2*q-1)*spread)
		if !ch.Alive {
			ch.Temp -= unit.Temperature(12 * spread)
			continue
		}
		if s.Frequency > 0 {
			ch.Frequency = s.Frequency * unit.Frequency(1+0.004*q)
			ch.Voltage = unit.Voltage(d.core * float64(s.Voltage) / d.volts * (1 + 0.006*gauss(seed, drawChip, int64(c)+1<<20)))
			ch.Hashrate = unit.Hashrate(rate * (1 + 0.02*gauss(seed, drawChip, int64(c)*4096+slot%4096)))
			if f.droop > 0.005 && draw(seed, drawChip, int64(c)^slot<<24)%16 == 0 {
				ch.Hashrate *= 0.6
			}
		}
		share := 1.0 / float64(alive)
		if f.errors > 2 {
			share *= 0.3
			if c == bad {
				share = 0.7
			}
		}
		ch.Errors = int64(float64(s.HWErrors)*share + uniform(seed, drawChip, int64(c)+1<<21))
	}
	return out
}

func (r *Rig) tellFans(s *Snapshot, b *body, now int64) {
	s.Fans = make([]FanSnapshot, r.design.fans)
	for i := range s.Fans {
		rpm := r.design.rpmMax * b.duty * r.grade.fan[i] * r.effects.fans[i]
		s.Fans[i].Speed = unit.Speed(rpm * (1 + 0.004*wave(r.seed+uint64(i), drawRPM, seconds(now), 5)))
	}
}

func (r *Rig) tellPSU(s *Snapshot, b *body, now int64) {
	d := &r.design
	set := d.volts * need(r.aim())
	if b.powered() {
		set = d.volts * need(b.ratio)
	}
	in := r.env.mains * (1 + 0.002*wave(r.seed, drawMains, seconds(now), 30))
	p := PSUSnapshot{VoltageIn: unit.Voltage(in), VoltageSet: unit.Voltage(set), PowerIn: s.Power}
	if in > 0 {
		p.CurrentIn = unit.Current(float64(s.Power) / (in * 0.99))
	}
	if b.powered() {
		out := set * (1 - b.droop)
		p.VoltageOut, p.CurrentOut = unit.Voltage(out), unit.Current(b.heat/out)
	}
	for k := range p.Temp {
		p.Temp[k] = unit.Temperature(b.psu + float64(k)*1.5 - 1.5)
	}
	if b.answers() {
		p.Fan = unit.Speed(min(2500+max(b.psu-30, 0)*180, 12000) * r.effects.psuFan)
	}
	s.PSU = p
}

// tellShares fills what the pools and the process count.
func (r *Rig) tellShares(s *Snapshot, b *body) {
	s.Pools = slices.Clone(r.pools)
	if b.start == 0 {
		return
	}
	seed := r.countSeed(b)
	s.Accepted = b.shares.count(seed, drawShare)
	s.Rejected = b.rejects.count(seed, drawReject)
	s.Stale = b.stale.count(seed, drawStale)
	if s.Accepted > 0 {
		s.BestShare = r.difficulty * max(1, float64(s.Accepted)/exponential(seed, drawBest, 0))
	}
	for i := range s.Pools {
		p := &s.Pools[i]
		if !p.Active {
			continue
		}
		p.Accepted, p.Rejected, p.Stale = s.Accepted, s.Rejected, s.Stale
		if s.Accepted > 0 && b.hash > 0 {
			gap := r.difficulty * workPerDifficulty / b.hash * exponential(seed, drawLast, s.Accepted)
			p.LastShare = s.Now.Add(-min(time.Duration(gap*float64(time.Second)), s.MinerUptime))
		}
	}
}
