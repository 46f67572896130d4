package braiins

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tidwall/gjson"

	"ballast/miner"
	"ballast/unit"
)

// timeForm is how a time is written into Extra.
const timeForm = "2006-01-02T15:04:05.999999Z07:00"

// limits are the bounds of the power target.
type limits struct {
	min, max, byDefault unit.Opt[unit.Power]
	boards              []string // the slots that the machine has
	stepless            bool     // watts can be set at all
}

// powerProfile and rateProfile name a tuned profile by its target, which is all
// that tells one from another.
func powerProfile(w unit.Power) string   { return strconv.FormatFloat(float64(w), 'f', -1, 64) + "W" }
func rateProfile(h unit.Hashrate) string { return strconv.FormatFloat(h.TH(), 'f', -1, 64) + "TH/s" }

// step reads a PowerTargetProfile or a HashrateTargetProfile.
func (p *parser) step(v gjson.Result, power bool) (s miner.Step, created time.Time) {
	s.Tuned = unit.Some(true)
	v.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "created":
			created = moment(v)
		case "target":
			if power {
				if w, ok := plain(p, v, mostPower, "profile.target").Get(); ok {
					s.Name, s.Power = powerProfile(w), s.Power.OrElse(unit.Some(w))
				}
			} else if h, ok := p.rate(v, "profile.target").Get(); ok {
				s.Name = rateProfile(h)
			}
		case "measured_hashrate":
			s.Hashrate = p.rate(v, "profile.measured_hashrate")
		case "estimated_power_consumption":
			if w, ok := plain(p, v, mostPower, "profile.estimated_power_consumption").Get(); ok && w > 0 {
				s.Power = unit.Some(w)
			}
		default:
			p.strange("profile."+key.Str, v)
		}
		return true
	})
	s.Setting = miner.Setting{Kind: miner.SetProfile, Profile: s.Name}
	return s, created
}

// profiles reads performance/target-profiles: what the tuner has learned so far.
func (p *parser) profiles(v gjson.Result) {
	for _, list := range []struct {
		key   string
		power bool
	}{{"power_target_profiles", true}, {"hashrate_target_profiles", false}} {
		v.Get(list.key).ForEach(func(_, v gjson.Result) bool {
			if s, _ := p.step(v, list.power); s.Name != "" {
				p.steps = append(p.steps, s)
			}
			return len(p.steps) < 256
		})
	}
	slices.SortStableFunc(p.steps, func(a, b miner.Step) int {
		return cmp.Compare(a.Power.Or(0), b.Power.Or(0))
	})
}

// constraints reads configuration/constraints.
func (p *parser) constraints(v gjson.Result) {
	target := v.Get("tuner_constraints.power_target")
	p.limits.min = plain(p, target.Get("min"), mostPower, "configuration_constraints.power_target.min")
	p.limits.max = plain(p, target.Get("max"), mostPower, "configuration_constraints.power_target.max")
	p.limits.byDefault = plain(p, target.Get("default"), mostPower, "configuration_constraints.power_target.default")
	p.limits.stepless = p.limits.max.Ok()
	v.Get("hashboards_constraints.hashboard_ids").ForEach(func(_, v gjson.Result) bool {
		p.limits.boards = append(p.limits.boards, text(v))
		return len(p.limits.boards) < 32
	})
	v.ForEach(func(key, v gjson.Result) bool {
		group := "constraints." + strings.TrimSuffix(key.Str, "_constraints")
		v.ForEach(func(key, v gjson.Result) bool {
			if key.Str != "power_target" && key.Str != "hashboard_ids" {
				p.keep(group+"."+key.Str, v)
			}
			return true
		})
		return true
	})
}

// configuration reads configuration/miner: the set-points as they are saved,
// which the tuner and power scaling may have left.
func (p *parser) configuration(v gjson.Result) {
	v.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "tuner":
			p.tunerConfiguration(v)
		case "pool_groups":
			if len(p.r.Pools) == 0 {
				p.poolGroups(v)
			}
		case "hashboard_config":
			p.rampDown = seconds(v.Get("quick_ramping_time_down_s"))
			p.rampUp = seconds(v.Get("quick_ramping_time_up_s"))
			p.keep("configuration.hashboard_config", v)
		case "dps", "temperature":
			p.keep("configuration."+key.Str, v)
		default:
			p.strange("configuration_miner."+key.Str, v)
		}
		return true
	})
}

func (p *parser) tunerConfiguration(v gjson.Result) {
	v.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "enabled":
			p.extra("configuration.tuner.enabled", text(v))
		case "tuner_mode":
			if w := word(v, "TUNER_MODE_", tunerModes); w != unspecifiedSet {
				p.extra("configuration.tuner.mode", w)
			}
		case "power_target":
			if w, ok := plain(p, v, mostPower, "configuration_miner.power_target").Get(); ok {
				p.extraNumber("configuration.tuner.power_target_w", float64(w))
				p.configured = unit.Some(w)
			}
		case "hashrate_target":
			if h, ok := p.rate(v, "configuration_miner.hashrate_target").Get(); ok {
				p.extraNumber("configuration.tuner.hashrate_target_ths", h.TH())
			}
		default:
			p.strange("configuration.tuner."+key.Str, v)
		}
		return true
	})
}

// poolGroups reads the pools, or the configuration's if there is nothing better.
func (p *parser) poolGroups(v gjson.Result) {
	group := 0
	p.r.Pools = p.r.Pools[:0]
	v.ForEach(func(_, v gjson.Result) bool {
		prefix := "pool_groups." + strconv.Itoa(group) + "."
		v.ForEach(func(key, v gjson.Result) bool {
			switch key.Str {
			case "pools":
				p.pools(v)
			case "name", "uid":
				p.extra(prefix+key.Str, text(v))
			case "strategy", "load_balance_strategy":
				v.ForEach(func(key, v gjson.Result) bool {
					p.extra(prefix+strings.ReplaceAll(key.Str, "_", ""), text(v.Get("value")))
					return true
				})
			case "quota", "fixed_share_ratio": // gRPC
				p.extra(prefix+strings.ReplaceAll(key.Str, "_", ""), text(v.Get("value")))
			default:
				p.strange(prefix+key.Str, v)
			}
			return true
		})
		group++
		return group < 32
	})
}

func (p *parser) pools(v gjson.Result) {
	priority := 0
	v.ForEach(func(_, v gjson.Result) bool {
		pool := miner.Pool{Index: len(p.r.Pools), Priority: unit.Some(priority)}
		prefix := "pools." + strconv.Itoa(pool.Index) + "."
		enabled := unit.None[bool]()
		v.ForEach(func(key, v gjson.Result) bool {
			switch key.Str {
			case "url":
				pool.URL = text(v)
			case "user":
				pool.User = text(v)
			case "enabled":
				enabled = truth(v)
			case "alive":
				pool.Alive = truth(v)
			case "active":
				pool.Active = truth(v)
			case "uid":
				p.extra(prefix+"uid", text(v))
			case "stats":
				p.poolStats(v, prefix, &pool)
			case "password":
			default:
				p.strange(prefix+key.Str, v)
			}
			return true
		})
		switch {
		case !enabled.Or(true):
			pool.Status = "disabled"
		case enabled.Ok():
			pool.Status = "enabled"
		}
		p.r.Pools = append(p.r.Pools, pool)
		priority++
		return len(p.r.Pools) < 64
	})
}

func (p *parser) poolStats(v gjson.Result, prefix string, pool *miner.Pool) {
	v.ForEach(func(key, v gjson.Result) bool {
		switch key.Str {
		case "accepted_shares":
			pool.Accepted = count(v)
		case "rejected_shares":
			pool.Rejected = count(v)
		case "stale_shares":
			pool.Stale = count(v)
		case "last_difficulty":
			if d, ok := number(v).Get(); ok && d > 0 {
				pool.Difficulty = unit.Some(d)
			}
		case "last_share_time":
			if t := moment(v); dated(t) {
				pool.LastShare = unit.Some(t)
				p.seen(t)
			}
		case "best_share", "best_share_str", "generated_work":
			p.extra(prefix+key.Str, text(v))
		default:
			p.strange(prefix+key.Str, v)
		}
		return true
	})
}

// efficiency reads performance/efficiency-profile (26.05 and later): the curve
// of watts to hashrate that the firmware has made out of its tuned profiles.
func (p *parser) efficiency(v gjson.Result) {
	i := 0
	v.Get("points").ForEach(func(_, v gjson.Result) bool {
		p.keep("efficiency."+strconv.Itoa(i), v)
		i++
		return i < 32
	})
}
