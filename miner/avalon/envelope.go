package avalon

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"ballast/miner"
	"ballast/unit"
)

// levelPrefix makes a work level a profile: "level 0".
const levelPrefix = "level "

// settle times, assumed: softoff and softon are given a few seconds of notice, a
// classic machine's change of mode goes through a reboot of two to four minutes,
// and chips take some minutes more to their rate.
var settle = miner.Settle{Sleep: 30 * time.Second, Wake: 5 * time.Minute, Adjust: 8 * time.Minute, Reboot: 6 * time.Minute}

// asleep is what a machine draws asleep: a 1346 said 11 W, a Q 17.
const asleep = 15 * unit.Watt

// homeModes are the work modes of the home machines, by number.
var homeModes = []string{miner.ModeLow, miner.ModeNormal, miner.ModeHigh}

// farmModes are those of the A series (A10 API manual, 2.4).
var farmModes = []string{miner.ModeNormal, miner.ModeHigh}

// miniModes are the Mini 3's, which is a heater first.
var miniModes = []string{"heater", "mining", "night"}

// modes are the names of a machine's work modes, by number.
func modes(model string, nested bool) []string {
	switch {
	case strings.Contains(model, "Mini"):
		return miniModes
	case strings.Contains(model, "Avalon Q"), strings.Contains(model, "Nano"):
		return homeModes
	case nested && model == "":
		return homeModes
	}
	return farmModes
}

func modeName(model miner.Model, nested bool, mode int) string {
	names := modes(model.Name, nested)
	if mode < 0 || mode >= len(names) {
		return ""
	}
	return names[mode]
}

// published are the vendor's figures for the work modes of one model, at the
// wall.
var published = map[string][]struct {
	watts unit.Power
	rate  unit.Hashrate
}{
	// canaan.io, Avalon Q: Eco, Standard, Super.
	"Avalon Q": {{800, 52}, {1314, 80}, {1674, 90}},
}

// envelope is what the machine can be set to. help is the list of options that
// "ascset 0,help" gave, when it was asked.
func envelope(r *miner.Reading, help string, modules []*module) miner.Envelope {
	nested := slices.ContainsFunc(modules, (*module).isNested)
	can := func(option string, otherwise bool) bool {
		if help == "" {
			return otherwise
		}
		return slices.Contains(strings.Split(help, "|"), option)
	}
	has := func(key string) bool {
		return slices.ContainsFunc(modules, func(m *module) bool { return m.get(key) != "" })
	}
	e := miner.Envelope{Settle: settle, Source: "assumed"}
	if can("softoff", has("SoftOFF")) || can("hashpower", has("PS") && strings.HasPrefix(r.Identity.Model, "Avalon 10")) {
		e.Kinds = append(e.Kinds, miner.SetSleep, miner.SetWake)
	}
	e.Kinds = append(e.Kinds, miner.SetReboot, miner.SetPools)
	if !nested { // the nested generation's API has no restart
		e.Kinds = append(e.Kinds, miner.SetRestart)
	}
	if can("led", has("Led")) {
		e.Kinds = append(e.Kinds, miner.SetLocate)
	}
	if can("workmode", has("WORKMODE")) {
		e.Kinds = append(e.Kinds, miner.SetMode)
		e.Steps = modeSteps(r, nested)
		if published[r.Identity.Model] != nil {
			e.Source = "published"
		}
	}
	if level, ok := strings.CutPrefix(r.Profile, levelPrefix); ok && can("worklevel", true) {
		e.Kinds = append(e.Kinds, miner.SetProfile)
		if n, err := strconv.Atoi(level); err == nil {
			e.Steps = append(e.Steps, levels(r, n)...)
		}
	}
	if !strings.Contains(r.Identity.Model, "Nano") {
		e.Idle = unit.Some(asleep)
	}
	if r.State == miner.Sleeping {
		e.Idle = r.Power.OrElse(e.Idle)
	}
	slices.SortStableFunc(e.Kinds, func(a, b miner.Kind) int { return strings.Compare(string(a), string(b)) })
	return e
}

// modeSteps are the work modes. What one yields is known for the one in force,
// by the machine's own target, and where the vendor publishes it.
func modeSteps(r *miner.Reading, nested bool) []miner.Step {
	var out []miner.Step
	for i, name := range modes(r.Identity.Model, nested) {
		s := miner.Step{Name: name, Setting: miner.Setting{Kind: miner.SetMode, Mode: name}}
		if p := published[r.Identity.Model]; i < len(p) {
			s.Power, s.Hashrate = unit.Some(p[i].watts), unit.Some(p[i].rate)
		} else if name == r.Mode {
			s.Power, s.Hashrate = presentPower(r), r.HashrateNominal
		}
		out = append(out, s)
	}
	return out
}

// presentPower is what the present setting draws: measured while it hashes at
// full rate, else what the firmware aims at.
func presentPower(r *miner.Reading) unit.Opt[unit.Power] {
	if r.State == miner.Hashing && r.Power.Ok() {
		return r.Power
	}
	return r.PowerLimit
}

// levels are the work levels: low, medium and high of the Nano 3, which has no
// work mode; of others, whose range no reply tells, the one in force.
func levels(r *miner.Reading, now int) []miner.Step {
	numbers := []int{now}
	if r.Identity.Model == "Avalon Nano 3" {
		numbers = []int{0, 1, 2}
	}
	var out []miner.Step
	for _, n := range numbers {
		name := levelPrefix + strconv.Itoa(n)
		s := miner.Step{Name: name, Setting: miner.Setting{Kind: miner.SetProfile, Profile: name}}
		if n == now && len(numbers) > 1 { // else the mode says what it yields
			s.Power, s.Hashrate = presentPower(r), r.HashrateNominal
		}
		out = append(out, s)
	}
	return out
}
