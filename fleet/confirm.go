package fleet

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"ballast/miner"
	"ballast/unit"
)

// Verdict is what a later reading says about a command.
type Verdict string

// The verdicts.
const (
	Shows     Verdict = "shows"      // telemetry shows the desired state
	Contrary  Verdict = "contrary"   // telemetry shows another state
	Settling  Verdict = "settling"   // on its way: starting, ramping
	CannotSay Verdict = "cannot say" // the firmware does not tell
)

// Judge compares a reading with a desired setting that was acknowledged at
// since. It is pure: no time but the reading's. The reading must have begun
// after since; Judge says Settling for one that did not.
//
// A cap is judged by what the machine draws as well as by what it says its cap
// is: a limit that reads back right while the meter shows more is Contrary.
func Judge(s miner.Setting, since time.Time, r *miner.Reading) (Verdict, string) {
	if r.At.Add(-r.Took).Before(since) {
		return Settling, "no reading since the acknowledgement"
	}
	switch s.Kind {
	case miner.SetPower:
		return judgePower(s.Power, r)
	case miner.SetProfile:
		return judgeWords("profile", s.Profile, r.Profile, r)
	case miner.SetMode:
		return judgeWords("mode", s.Mode, r.Mode, r)
	case miner.SetSleep:
		return judgeSleep(r)
	case miner.SetWake:
		switch r.State {
		case miner.Hashing:
			return Shows, "hashing"
		case miner.Starting:
			return Settling, "starting"
		}
		return Contrary, "reads " + string(r.State)
	case miner.SetReboot:
		return judgeYounger("control board", r.Uptime, r.MinerUptime, since, r)
	case miner.SetRestart:
		return judgeYounger("mining process", r.MinerUptime, unit.None[time.Duration](), since, r)
	case miner.SetPools:
		return judgePools(s.Pools, r.Pools)
	case miner.SetLocate:
		on, ok := r.Locating.Get()
		switch {
		case !ok:
			return CannotSay, "this firmware does not tell its locate light"
		case on == s.On:
			return Shows, fmt.Sprintf("locate light %v", on)
		}
		return Contrary, fmt.Sprintf("locate light %v", on)
	}
	return CannotSay, "unknown setting " + string(s.Kind)
}

// capTolerance is how far above its cap a machine may measure: the regulation
// of a PSU is good to a few percent, and the gauge inside it no better.
const capTolerance = 0.05

func judgePower(want unit.Power, r *miner.Reading) (Verdict, string) {
	limit, told := r.PowerLimit.Get()
	drawn, measured := r.Power.Get()
	near := math.Abs(float64(limit-want)) <= math.Max(20, 0.01*float64(want))
	over := measured && float64(drawn) > float64(want)*(1+capTolerance)
	switch {
	case told && !near:
		return Contrary, fmt.Sprintf("limit reads %v", limit)
	case over:
		return Settling, fmt.Sprintf("draws %v", drawn)
	case told && measured:
		return Shows, fmt.Sprintf("limit %v, draws %v", limit, drawn)
	case told:
		return CannotSay, fmt.Sprintf("limit reads %v, but the firmware does not tell what it draws", limit)
	case measured && float64(drawn) >= float64(want)*0.85 && r.State == miner.Hashing:
		return Shows, fmt.Sprintf("draws %v", drawn)
	}
	return Settling, "neither limit nor power tell yet"
}

func judgeWords(what, want, got string, r *miner.Reading) (Verdict, string) {
	switch {
	case got == "":
		if r.State == miner.Starting {
			return Settling, "starting"
		}
		return CannotSay, "this firmware does not tell its " + what
	case strings.EqualFold(want, got):
		if r.State == miner.Starting {
			return Settling, what + " " + got + ", starting"
		}
		return Shows, what + " " + got
	}
	return Contrary, what + " reads " + got
}

// idleMost is more than any machine draws asleep (25 W is usual, fans or a pump
// add some), and less than any draws hashing at its lowest.
const idleMost unit.Power = 300

func judgeSleep(r *miner.Reading) (Verdict, string) {
	switch r.State {
	case miner.Sleeping:
		// A machine may say that it sleeps while its boards still draw.
		if p, ok := r.Power.Get(); ok {
			if p > idleMost {
				return Settling, fmt.Sprintf("says sleeping, draws %v", p)
			}
		}
		return Shows, "sleeping"
	case miner.Starting, miner.Unknown:
		return Settling, "reads " + string(r.State)
	}
	return Contrary, "reads " + string(r.State)
}

func judgeYounger(what string, uptime, other unit.Opt[time.Duration], since time.Time, r *miner.Reading) (Verdict, string) {
	up, ok := uptime.OrElse(other).Get()
	if !ok {
		return CannotSay, "this firmware does not tell its uptime"
	}
	// Clocks of boards run a little wrong, and uptimes are cut to seconds.
	if born := r.At.Add(-up); born.After(since.Add(-3 * time.Second)) {
		return Shows, fmt.Sprintf("%s up for %v", what, up.Round(time.Second))
	}
	return Settling, fmt.Sprintf("%s up for %v", what, up.Round(time.Second))
}

func judgePools(want []miner.PoolSetting, got []miner.Pool) (Verdict, string) {
	if len(got) == 0 {
		return CannotSay, "no pools told"
	}
	var have []miner.Pool
	for _, p := range got {
		if p.URL != "" {
			have = append(have, p)
		}
	}
	slices.SortStableFunc(have, func(a, b miner.Pool) int { return a.Priority.Or(a.Index) - b.Priority.Or(b.Index) })
	if len(have) < len(want) {
		return Contrary, fmt.Sprintf("%d pools told, %d wanted", len(have), len(want))
	}
	for i, w := range want {
		if !samePool(w.URL, have[i].URL) || have[i].User != "" && have[i].User != w.User {
			return Contrary, fmt.Sprintf("pool %d reads %s as %s", i, have[i].URL, have[i].User)
		}
	}
	for _, extra := range have[len(want):] {
		return Contrary, "still has pool " + extra.URL
	}
	return Shows, fmt.Sprintf("%d pools", len(want))
}

// samePool compares pool URLs as firmwares print them: with or without scheme,
// with or without a slash at the end.
func samePool(a, b string) bool {
	bare := func(s string) string {
		s = strings.ToLower(strings.TrimRight(strings.TrimSpace(s), "/"))
		if _, rest, ok := strings.Cut(s, "://"); ok {
			return rest
		}
		return s
	}
	return bare(a) == bare(b)
}
