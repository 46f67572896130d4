package sim

import (
	"strings"

	"ballast/miner"
)

// tempo is how a firmware moves between its states: published or observed
// times where there are any, else the experience of operators. All in seconds;
// a pair is a range, of which every rig has its own value.
type tempo struct {
	boot  [2]float64 // control board, until it answers
	start [2]float64 // mining process, until boards are up
	ramp  [2]float64 // frequency rising from nothing to its aim

	sleep     float64    // until the boards are without power
	wakeStart [2]float64 // like start and ramp, but out of sleep
	wakeRamp  [2]float64

	keeps    bool    // sleep is in the configuration: a restart or a power cut does not end it
	process  bool    // the mining process lives on in sleep, and so do its counters
	adjust   float64 // a new set-point slides into force this long; 0 restarts the mining process
	quick    float64 // DoPercent
	closed   bool    // holds wall power at the set-point by measurement
	throttle bool    // too hot: slows down before it stops
	fanStop  bool    // a dead fan stops it
	retry    float64 // after a protective stop tries again; 0 waits for a restart
}

var tempos = map[miner.Firmware]tempo{
	// A change of mode, sleep included, restarts the mining process. The mode is
	// in the configuration (bitmain-work-mode), so it outlasts a power cut.
	miner.Antminer: {boot: [2]float64{45, 60}, start: [2]float64{50, 80}, ramp: [2]float64{150, 240}, sleep: 20,
		wakeStart: [2]float64{50, 80}, wakeRamp: [2]float64{150, 240}, keeps: true, quick: 30, fanStop: true},
	// 6 to 10 minutes to full load, depending on the speed of frequency rise; a
	// new limit restarts, a percentage takes a second (HashSource,
	// WhatsMiner_Curtailment). Power fast boot changes this: see fastBoot.
	miner.Whatsminer: {boot: [2]float64{40, 60}, start: [2]float64{35, 50}, ramp: [2]float64{330, 560}, sleep: 3,
		wakeStart: [2]float64{25, 40}, wakeRamp: [2]float64{330, 560}, quick: 1, closed: true, throttle: true, fanStop: true, retry: 600},
	miner.Avalon: {boot: [2]float64{20, 30}, start: [2]float64{15, 25}, ramp: [2]float64{25, 35}, sleep: 5,
		wakeStart: [2]float64{15, 20}, wakeRamp: [2]float64{25, 35}, process: true, adjust: 45, quick: 20, fanStop: true, retry: 300},
	miner.Braiins: {boot: [2]float64{45, 60}, start: [2]float64{30, 45}, ramp: [2]float64{60, 120}, sleep: 5,
		wakeStart: [2]float64{15, 25}, wakeRamp: [2]float64{50, 100}, process: true, adjust: 150, quick: 30, closed: true, throttle: true, retry: 180},
	// Asleep in under 5 s, full power within 10 s, and asleep after a restart as
	// well (hashrateindex.com firmware series).
	miner.LuxOS: {boot: [2]float64{40, 50}, start: [2]float64{20, 30}, ramp: [2]float64{30, 45}, sleep: 3,
		wakeStart: [2]float64{1, 2}, wakeRamp: [2]float64{5, 7}, keeps: true, process: true, adjust: 12, quick: 5, throttle: true, retry: 120},
	// A preset restarts the mining process, the throttle slides.
	miner.VNish: {boot: [2]float64{50, 60}, start: [2]float64{40, 60}, ramp: [2]float64{90, 180}, sleep: 5,
		wakeStart: [2]float64{20, 30}, wakeRamp: [2]float64{90, 150}, process: true, quick: 5, throttle: true, retry: 120},
	miner.EPIC: {boot: [2]float64{30, 40}, start: [2]float64{30, 40}, ramp: [2]float64{120, 180}, sleep: 5,
		wakeStart: [2]float64{25, 35}, wakeRamp: [2]float64{120, 180}, process: true, adjust: 180, quick: 30, closed: true, throttle: true, retry: 120},
	miner.Bitaxe: {boot: [2]float64{6, 10}, start: [2]float64{2, 4}, ramp: [2]float64{5, 8}, sleep: 2,
		wakeStart: [2]float64{1, 2}, wakeRamp: [2]float64{4, 6}, process: true, adjust: 3, quick: 3},
	miner.CGMiner: {boot: [2]float64{40, 60}, start: [2]float64{40, 60}, ramp: [2]float64{60, 120}, sleep: 10,
		wakeStart: [2]float64{40, 60}, wakeRamp: [2]float64{60, 120}, adjust: 60, quick: 20},
}

func tempoOf(f miner.Firmware) tempo {
	if t, ok := tempos[f]; ok {
		return t
	}
	return tempos[miner.CGMiner]
}

// fastBoot is what Whatsminer's power fast boot makes of a tempo: full load
// within a minute, and a new limit without a restart.
func (t tempo) fastBoot() tempo {
	t.start, t.ramp = [2]float64{15, 20}, [2]float64{30, 38}
	t.wakeStart, t.wakeRamp = [2]float64{8, 12}, [2]float64{35, 45}
	t.adjust = 30
	return t
}

// upfreq scales the ramp by Whatsminer's speed of frequency rise: 8 to 10 are
// at full hash in 6 to 7 minutes, 5 and 6 in 8 to 10, slower ones later still.
func (t tempo) upfreq(speed int) tempo {
	switch {
	case speed >= 8:
		t.ramp = [2]float64{310, 370}
	case speed >= 5:
		t.ramp = [2]float64{430, 550}
	default:
		t.ramp = [2]float64{600, 780}
	}
	t.wakeRamp = t.ramp
	return t
}

// stopsOnMissingBoard tells whether one dead board stops the whole machine:
// S19 90T and S19 XP boards from 2022 on carry no controller of their own.
func stopsOnMissingBoard(s Spec) bool {
	return s.Firmware == miner.Antminer && strings.Contains(s.Model.Name, "S19 XP")
}
