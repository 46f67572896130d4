package telemetrytest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"ballast/miner"
	"ballast/telemetry"
)

// Fleet makes rows of machines that do not exist, for measuring engines: their
// numbers walk, jitter and are quantised as those of real firmwares, since that
// is what compression depends on. A third each are Antminers with stock
// firmware (no power, whole degrees), Whatsminers (power, supply) and machines
// with VNish (per-chip figures).
type Fleet struct {
	rnd      *rand.Rand
	machines []machine
}

type machine struct {
	id                              miner.ID
	kind                            int
	tags                            telemetry.Tags
	rate, ambient, heat, duty       float64
	accepted, rejected, errors      float64
	boardErrors                     [3]float64
	boardRate, boardHeat, frequency [3]float64
	started                         time.Time
}

// NewFleet makes n machines at two sites, with numbers from 1.
func NewFleet(n int, seed uint64) *Fleet {
	f := &Fleet{rnd: rand.New(rand.NewPCG(seed, 1))}
	for i := range n {
		kind := i % 3
		m := machine{id: miner.ID(i + 1), kind: kind, ambient: 22 + 8*f.rnd.Float64(), duty: 0.5 + 0.4*f.rnd.Float64(), heat: f.rnd.NormFloat64() * 3,
			rate: []float64{110, 112, 98}[kind] * (1 + 0.02*f.rnd.NormFloat64()), accepted: float64(f.rnd.IntN(100000))}
		m.tags = telemetry.Tags{Site: []string{"north", "south"}[i*2/n], Group: fmt.Sprintf("container-%02d", i/300),
			Model:    []string{"Antminer S19 Pro", "WhatsMiner M50S", "Antminer S19j Pro"}[kind],
			Firmware: []miner.Firmware{miner.Antminer, miner.Whatsminer, miner.VNish}[kind],
			Version:  []string{"Fri Nov 17 17:37:49 CST 2023", "20230911.12.Rel", "1.2.6"}[kind]}
		for b := range 3 {
			m.boardRate[b] = m.rate / 3 * (1 + 0.01*f.rnd.NormFloat64())
			m.boardHeat[b] = f.rnd.NormFloat64() * 2
			m.frequency[b] = 500 + float64(f.rnd.IntN(20))*6.25
		}
		m.started = noon.Add(-time.Duration(f.rnd.IntN(30*24*3600)) * time.Second)
		f.machines = append(f.machines, m)
	}
	return f
}

// Len is the number of machines.
func (f *Fleet) Len() int { return len(f.machines) }

// Poll makes the rows of machines [from, to) at a time, some milliseconds apart.
func (f *Fleet) Poll(from, to int, at time.Time) []telemetry.Row {
	rows := make([]telemetry.Row, 0, to-from)
	for i := from; i < to; i++ {
		rows = append(rows, f.poll(&f.machines[i], at.Add(time.Duration(f.rnd.IntN(40))*time.Millisecond)))
	}
	return rows
}

func (f *Fleet) noise() float64 { return f.rnd.NormFloat64() }

func (f *Fleet) poll(m *machine, at time.Time) telemetry.Row {
	m.ambient += 0.01*f.noise() - 0.0005*(m.ambient-26)
	m.duty = min(max(m.duty+0.002*f.noise(), 0.3), 1)
	r := telemetry.Row{Machine: m.id, Tags: m.tags, At: at.Truncate(time.Millisecond), Outcome: telemetry.OK, State: miner.Hashing}
	r.Set(telemetry.PollLatency, 0.02+0.01*f.rnd.ExpFloat64())
	r.Set(telemetry.PollDelay, 0.03+0.01*f.rnd.ExpFloat64())
	if f.rnd.IntN(500) == 0 {
		r.Outcome, r.State = telemetry.Unreachable, ""
		r.Set(telemetry.Up, 0)
		return r
	}
	for _, x := range []telemetry.Metric{telemetry.Up, telemetry.Hashing} {
		r.Set(x, 1)
	}
	for _, x := range []telemetry.Metric{telemetry.Starting, telemetry.Sleeping, telemetry.Stopped, telemetry.Degraded, telemetry.Faults, telemetry.Warnings} {
		r.Set(x, 0)
	}
	now := m.rate * (1 + 0.03*f.noise())
	r.Set(telemetry.Hashrate, now)
	r.Set(telemetry.HashrateAverage, m.rate*(1+0.002*f.noise()))
	r.Set(telemetry.HashrateNominal, math.Round(m.rate))
	power := m.rate * 29.5 * (1 + 0.002*f.noise())
	up := at.Sub(m.started).Seconds()
	r.Set(telemetry.Uptime, up+120)
	r.Set(telemetry.MinerUptime, up)
	m.accepted += float64(f.rnd.IntN(4))
	m.rejected += float64(f.rnd.IntN(200) / 199)
	r.Set(telemetry.Accepted, m.accepted)
	r.Set(telemetry.Rejected, m.rejected)
	r.Set(telemetry.Stale, 0)
	fan := 2000 + 5000*m.duty
	for i := range 4 {
		r.Set(telemetry.Fan1+telemetry.Metric(i), math.Round((fan+20*f.noise())/30)*30)
	}
	r.Set(telemetry.FanDuty, math.Round(m.duty*100)/100)
	r.Set(telemetry.Pools, 3)
	r.Set(telemetry.PoolsAlive, 2)
	r.Set(telemetry.BoardSlots, 3)
	r.Set(telemetry.BoardsPresent, 3)
	r.Set(telemetry.Chips, 342)
	r.Set(telemetry.ChipsExpected, 342)
	hottest := 0.0
	for b := range 3 {
		board := telemetry.BoardRow{Index: b, Serial: fmt.Sprintf("YNAHHB%05d%d", m.id, b)}
		chip := m.ambient + 42 + m.heat + m.boardHeat[b] - 12*(m.duty-0.6) + 0.3*f.noise()
		f.board(m, &board, b, chip)
		hottest = max(hottest, chip)
		r.Boards = append(r.Boards, board)
	}
	switch m.kind {
	case 0: // stock Antminer: whole degrees, no power
		r.Set(telemetry.TempChip, math.Round(hottest))
		r.Set(telemetry.TempBoard, math.Round(hottest-15))
		r.Set(telemetry.HWErrors, m.errors)
		r.Set(telemetry.HWErrorRatio, m.errors/(up*100))
	case 1: // Whatsminer
		r.PowerSource, r.Mode = miner.PowerPSU, miner.ModeNormal
		r.Set(telemetry.Power, power)
		r.Set(telemetry.PowerLimit, 3600)
		r.Set(telemetry.TempAmbient, m.ambient)
		r.Set(telemetry.TempBoard, hottest-10)
		r.Set(telemetry.TempChip, hottest)
		r.Set(telemetry.PSUs, 1)
		r.Set(telemetry.PSUVoltageIn, 238+0.5*f.noise())
		r.Set(telemetry.PSUCurrentIn, power/238)
		r.Set(telemetry.PSUPowerIn, power)
		r.Set(telemetry.PSUVoltageOut, math.Round((13.2+0.02*f.noise())*100)/100)
		r.Set(telemetry.PSUTemp, math.Round(m.ambient+20))
		r.Set(telemetry.PSUFan, math.Round((6000+60*f.noise())/60)*60)
	default: // VNish
		r.PowerSource, r.Profile = miner.PowerEstimated, "3250"
		r.Set(telemetry.Power, power)
		r.Set(telemetry.TempChip, math.Round(hottest))
		r.Set(telemetry.TempBoard, math.Round(hottest-14))
		r.Set(telemetry.HWErrors, m.errors)
		r.Set(telemetry.HWErrorRatio, m.errors/(up*100))
	}
	return r
}

func (f *Fleet) board(m *machine, b *telemetry.BoardRow, i int, chip float64) {
	if f.rnd.IntN(20) == 0 {
		m.boardErrors[i]++
		m.errors++
	}
	b.Set(telemetry.BoardPresent, 1)
	b.Set(telemetry.BoardHashrate, m.boardRate[i]*(1+0.04*f.noise()))
	b.Set(telemetry.BoardHashrateNominal, math.Round(m.rate/3*10)/10)
	b.Set(telemetry.BoardChips, 114)
	b.Set(telemetry.BoardChipsExpected, 114)
	b.Set(telemetry.BoardFrequency, m.frequency[i])
	b.Set(telemetry.BoardHWErrors, m.boardErrors[i])
	b.Set(telemetry.BoardFaults, 0)
	switch m.kind {
	case 0:
		b.Set(telemetry.BoardTempInlet, math.Round(chip-25))
		b.Set(telemetry.BoardTempOutlet, math.Round(chip-15))
		b.Set(telemetry.BoardTemp, math.Round(chip-15))
		b.Set(telemetry.BoardTempChipMax, math.Round(chip))
		b.Set(telemetry.BoardTempChipMin, math.Round(chip-10))
		b.Set(telemetry.BoardTempChipMean, math.Round(chip-5))
	case 1:
		b.Set(telemetry.BoardEnabled, 1)
		b.Set(telemetry.BoardTemp, chip-10)
		b.Set(telemetry.BoardTempChipMin, chip-12+0.2*f.noise())
		b.Set(telemetry.BoardTempChipMean, chip-4+0.1*f.noise())
		b.Set(telemetry.BoardTempChipMax, chip)
		b.Set(telemetry.BoardVoltage, 13.2+0.02*f.noise())
	default:
		b.Set(telemetry.BoardEnabled, 1)
		b.Set(telemetry.BoardTemp, math.Round(chip-14))
		b.Set(telemetry.BoardTempChipMin, math.Round(chip-11))
		b.Set(telemetry.BoardTempChipMax, math.Round(chip))
		b.Set(telemetry.BoardPower, m.boardRate[i]*29.5*(1+0.01*f.noise()))
		b.Set(telemetry.BoardVoltage, 13.6)
		b.Set(telemetry.ChipCount, 114)
		b.Set(telemetry.ChipsDead, 0)
		b.Set(telemetry.ChipsWeak, float64(f.rnd.IntN(50)/49))
		one := m.boardRate[i] / 114
		b.Set(telemetry.ChipHashrateMin, one*(0.86+0.02*f.noise()))
		b.Set(telemetry.ChipHashrateMedian, one*(1+0.003*f.noise()))
		b.Set(telemetry.ChipHashrateSD, one*(0.05+0.002*f.noise()))
		b.Set(telemetry.ChipTempMax, math.Round(chip))
		b.Set(telemetry.ChipTempMean, chip-5+0.05*f.noise())
		b.Set(telemetry.ChipTempSD, 2.4+0.05*f.noise())
		b.Set(telemetry.ChipFrequencyMin, m.frequency[i]-25)
		b.Set(telemetry.ChipFrequencyMean, m.frequency[i])
		b.Set(telemetry.ChipErrors, m.boardErrors[i])
		b.Set(telemetry.ChipErrorsMax, math.Round(m.boardErrors[i]/3))
	}
}
