package server

import (
	"fmt"
	"slices"
	"time"

	"ballast/fleet"
	"ballast/ledger"
	"ballast/miner"
	"ballast/unit"
)

// Prices are what turns watts and hashrate into money at one site.
type Prices struct {
	Power     unit.Opt[unit.EnergyPrice]
	Hashprice unit.Opt[unit.Hashprice]
}

// Effect is what a wish would change, worked out from the newest readings and
// from what each machine says it can be set to.
type Effect struct {
	Already       int      `json:"already" doc:"Machines of those that take it that read so already."`
	Silent        int      `json:"silent" doc:"Machines of those that take it that do not answer now: it is tried until the deadline. No figure here counts them."`
	PowerW        float64  `json:"power_w" doc:"What the machines that can take it draw now."`
	PowerAfterW   float64  `json:"power_after_w" doc:"What those of them draw after it of which that can be told."`
	PowerUnknown  int      `json:"power_unknown" doc:"Machines whose draw after it, or now, cannot be told."`
	PowerUnknownW float64  `json:"power_unknown_w" doc:"What these draw now, as far as they tell; part of power_w."`
	HashrateThs   float64  `json:"hashrate_ths" doc:"What the machines hash now."`
	HashrateAfter float64  `json:"hashrate_after_ths" doc:"What those of them hash after it of which that can be told."`
	HashUnknown   int      `json:"hashrate_unknown" doc:"Machines whose hashrate after it cannot be told."`
	HashUnknownTh float64  `json:"hashrate_unknown_ths" doc:"What these hash now; part of hashrate_ths."`
	MoneyPerDay   string   `json:"money_per_day,omitempty" doc:"What it changes a day at the present prices: revenue less power. Missing when a price is not known."`
	Missing       []string `json:"missing" doc:"What has to be known for money_per_day and is not."`
	Modelled      bool     `json:"modelled" doc:"Hashrate after a power limit is reckoned at each machine's present J/TH."`
}

// after is what a machine draws and hashes once setting is in force.
func after(setting miner.Setting, r *miner.Reading, e miner.Envelope) (p unit.Opt[unit.Power], h unit.Opt[unit.Hashrate], modelled bool) {
	nowP, nowH := r.Power, r.HashrateNow.OrElse(r.HashrateAverage)
	runs := r.State == miner.Hashing || r.State == miner.Starting
	switch setting.Kind {
	case miner.SetSleep:
		return e.Idle, unit.Some[unit.Hashrate](0), false
	case miner.SetWake:
		if runs {
			return nowP, nowH, false
		}
		h = r.HashrateNominal
		if v, ok := h.Get(); ok && v <= 0 {
			h = unit.None[unit.Hashrate]()
		}
		return r.PowerLimit.OrElse(e.PowerDefault), h, false
	case miner.SetPower:
		if !runs {
			return nowP, nowH, false
		}
		if p0, ok := nowP.Get(); ok && p0 > 0 {
			if h0, ok := nowH.Get(); ok {
				h = unit.Some(h0 * unit.Hashrate(setting.Power/p0))
			}
		}
		return unit.Some(setting.Power), h, true
	case miner.SetProfile, miner.SetMode:
		if !runs {
			return nowP, nowH, false
		}
		for _, s := range e.Steps {
			if s.Setting.Kind == setting.Kind && s.Setting.Profile == setting.Profile && s.Setting.Mode == setting.Mode {
				return s.Power, s.Hashrate, false
			}
		}
		return p, h, false
	}
	return nowP, nowH, false // a restart, pools, the light: the same afterwards
}

// reckoning adds up effects machine by machine.
type reckoning struct {
	Effect
	watts  map[string]float64 // change by site
	hashes map[string]float64 // TH/s, change by site
}

func newReckoning() *reckoning {
	return &reckoning{Effect: Effect{Missing: []string{}}, watts: map[string]float64{}, hashes: map[string]float64{}}
}

func (k *reckoning) add(st *fleet.Status, setting miner.Setting, e miner.Envelope) {
	if st.Reading == nil || st.Condition == fleet.CondSilent {
		k.Silent++
		return
	}
	switch setting.Kind {
	case miner.SetReboot, miner.SetRestart:
	default:
		if v, _ := fleet.Judge(setting, time.Time{}, st.Reading); v == fleet.Shows {
			k.Already++
		}
	}
	site := st.Machine.Site
	p0, ok0 := st.Reading.Power.Get()
	p, h, modelled := after(setting, st.Reading, e)
	k.PowerW += float64(p0)
	if p1, ok := p.Get(); ok && ok0 {
		k.PowerAfterW += float64(p1)
		k.watts[site] += float64(p1 - p0)
	} else {
		k.PowerUnknown++
		k.PowerUnknownW += float64(p0)
	}
	h0 := float64(st.Reading.HashrateNow.OrElse(st.Reading.HashrateAverage).Or(0))
	k.HashrateThs += h0
	if h1, ok := h.Get(); ok {
		k.HashrateAfter += float64(h1)
		k.hashes[site] += float64(h1) - h0
		k.Modelled = k.Modelled || modelled
	} else {
		k.HashUnknown++
		k.HashUnknownTh += h0
	}
}

// price works out the money, or says what is missing for it.
func (k *reckoning) price(prices func(site string, now time.Time) Prices, now time.Time) {
	missing := func(what string) {
		if !slices.Contains(k.Missing, what) {
			k.Missing = append(k.Missing, what)
		}
	}
	if k.PowerUnknown+k.HashUnknown > 0 {
		missing("what some machines draw or hash afterwards")
	}
	var sum unit.Opt[unit.Money]
	add := func(m unit.Money, err error) {
		total := m
		if have, ok := sum.Get(); ok && err == nil {
			total, err = have.Add(m)
		}
		if err != nil {
			missing("prices in one currency")
			return
		}
		sum = unit.Some(total)
	}
	sites := map[string]bool{}
	for s := range k.watts {
		sites[s] = true
	}
	for s := range k.hashes {
		sites[s] = true
	}
	for s := range sites {
		var at Prices
		if prices != nil {
			at = prices(s, now)
		}
		if power, ok := at.Power.Get(); !ok {
			missing("the power price")
		} else {
			m, err := power.Cost(unit.Power(k.watts[s]).Over(24 * time.Hour))
			add(m.Neg(), err)
		}
		if hash, ok := at.Hashprice.Get(); !ok {
			missing("the hashprice")
		} else {
			add(hash.Revenue(unit.Hashrate(k.hashes[s]), 24*time.Hour))
		}
	}
	slices.Sort(k.Missing)
	if total, ok := sum.Get(); ok && len(k.Missing) == 0 {
		k.MoneyPerDay = total.String()
	}
}

// reasons groups refusals by what they say, most machines first.
func reasons(refused []Refusal) []ledger.Refusals {
	at := map[string]int{}
	out := []ledger.Refusals{}
	for _, r := range refused {
		i, ok := at[r.Why]
		if !ok {
			i = len(out)
			at[r.Why] = i
			out = append(out, ledger.Refusals{Why: r.Why})
		}
		out[i].Machines = append(out[i].Machines, r.Machine)
	}
	slices.SortStableFunc(out, func(a, b ledger.Refusals) int { return len(b.Machines) - len(a.Machines) })
	return out
}

// takes says why a machine cannot take a wish at all; nil when it may.
func takes(st *fleet.Status, setting miner.Setting, e miner.Envelope) error {
	if !st.Machine.Retired.IsZero() {
		return fmt.Errorf("%s: %w: it is retired", setting.Kind, miner.ErrRefused)
	}
	return fleet.Check(setting, e)
}
