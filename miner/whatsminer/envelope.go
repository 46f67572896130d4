package whatsminer

import (
	"math"
	"strconv"
	"strings"
	"time"

	"ballast/miner"
	"ballast/unit"
)

// Settle times, from published measurements (WhatsMiner curtailment guide,
// HashSource 2025; WhatsMiner API v2.0.5): a change of limit or mode restarts
// the mining process, which reaches full hashrate after 6 to 10 minutes at the
// usual speeds of frequency rise; with fast boot the power is there after a
// minute. Stopping takes seconds.
const (
	settleStop = 15 * time.Second
	settleRise = 10 * time.Minute
	settleFast = time.Minute
	settleBoot = 2 * time.Minute // of the control board, until it answers
)

// Percentages that are offered as profiles. Below half, boards fall out of
// balance and the mining process restarts by itself.
const (
	lowestPercent = 50
	percentStep   = 10
)

// percentNames are the profiles offered, in steps of ten.
var percentNames = [...]string{"50%", "60%", "70%", "80%", "90%", "100%"}

// idleWatts is what control board and power supply draw with the boards off:
// assumed, no source gives a figure.
const idleWatts = unit.Power(30)

// envelope is what the replies tell of what the machine can be set to; nil when
// they do not even tell a limit.
func (s *sight) envelope() *miner.Envelope {
	limit, told := s.r.PowerLimit.Get()
	if !told && s.model.Power == 0 {
		return nil
	}
	e := &miner.Envelope{
		Kinds: []miner.Kind{miner.SetPower, miner.SetMode, miner.SetSleep, miner.SetWake, miner.SetReboot, miner.SetRestart,
			miner.SetPools, miner.SetLocate},
		Idle:   unit.Some(idleWatts),
		Settle: settle(s.fast),
		Source: "assumed",
	}
	// The limit in force is the factory's until an operator sets a lower one;
	// then only the nameplate says how much more the machine could draw.
	full := s.most.Or(max(limit, s.model.Power))
	e.PowerMax = unit.Some(full)
	e.PowerDefault = unit.Some(full)
	e.PowerMin = unit.Some(unit.Power(math.Round(float64(full) * lowestPercent / 100)))
	if told && (!s.limited || s.model.Power > 0) {
		e.Source = "told"
	}
	// A percentage is offered where the machine tells the one in force: else
	// nobody could see whether it was obeyed.
	e.Steps = make([]miner.Step, 0, 3+len(percentNames))
	if s.percent.Ok() {
		e.Kinds = append(e.Kinds, miner.SetProfile)
		for i, name := range percentNames {
			p := lowestPercent + percentStep*i
			e.Steps = append(e.Steps, miner.Step{
				Setting: miner.Setting{Kind: miner.SetProfile, Profile: name}, Name: name,
				Power: unit.Some(full * unit.Power(p) / 100),
			})
		}
	}
	for _, m := range [...]string{miner.ModeLow, miner.ModeNormal, miner.ModeHigh} {
		step := miner.Step{Setting: miner.Setting{Kind: miner.SetMode, Mode: m}, Name: m}
		if m == miner.ModeNormal {
			step.Power = unit.Some(full)
			if s.factory.Ok() {
				step.Hashrate = s.factory
			}
		}
		e.Steps = append(e.Steps, step)
	}
	return e
}

func settle(fastBoot string) miner.Settle {
	rise := settleRise
	if strings.HasPrefix(strings.ToLower(fastBoot), "enable") {
		rise = settleFast
	}
	return miner.Settle{Sleep: settleStop, Wake: rise, Adjust: rise, Reboot: settleBoot + rise}
}

// atLeast compares an API version such as "2.0.5"; text that is none is older
// than all.
func atLeast(api string, want ...int) bool {
	for _, w := range want {
		part, rest, _ := strings.Cut(api, ".")
		n, err := strconv.Atoi(part)
		if err != nil || n < w {
			return false
		}
		if n > w {
			return true
		}
		api = rest
	}
	return true
}
