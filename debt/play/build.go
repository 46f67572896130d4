package play

import (
	"fmt"
	"math"

	"ballast/debt"
	"ballast/debt/stress"
	"ballast/market"
	"ballast/unit"
)

// What is assumed where neither the market nor the scenario says. None has a
// source but judgement; every outcome lists them as such.
const (
	assumedVol      = 0.55
	assumedFees     = 0.02
	assumedFeeVol   = 0.6
	assumedGrowth   = 0.15
	assumedResponse = 0.5
	assumedLag      = 21.0
	assumedLagOn    = 35.0
	assumedSunk     = 0.1
	assumedResold   = 0.5
	assumedNoise    = 0.02
	assumedBeta     = 0.8
	assumedImpact   = 1.0
	assumedHaircut  = 0.35
	assumedRigs     = 16.0
	enoughReturns   = 250
)

// assumedCosts are steps of the network's fleet: efficiency by tier at about 5
// cents per kWh.
func assumedCosts() []stress.Cost {
	return []stress.Cost{{Share: 0.25, Hashcost: 17}, {Share: 0.35, Hashcost: 22}, {Share: 0.25, Hashcost: 27}, {Share: 0.15, Hashcost: 35}}
}

// notes collects assumptions; nil collects nothing.
type notes struct{ to *[]Assumption }

func (n notes) add(name string, v float64, unit, from, source string) float64 {
	if n.to != nil {
		*n.to = append(*n.to, Assumption{name, v, unit, from, source})
	}
	return v
}

// or takes what was entered, else the assumption.
func (n notes) or(name string, o unit.Opt[float64], assumed float64, u string) float64 {
	if v, ok := o.Get(); ok {
		return n.add(name, v, u, "entered", "the scenario")
	}
	return n.add(name, assumed, u, "assumed", "no source: Ballast's assumption, to be replaced by yours")
}

// known takes what was entered, else what the market tells.
func (n notes) known(name string, o unit.Opt[float64], k Number, u string) (float64, error) {
	if v, ok := o.Get(); ok {
		return n.add(name, v, u, "entered", "the scenario"), nil
	}
	if k.Known {
		return n.add(name, k.Value, u, "market", k.Source), nil
	}
	return 0, fmt.Errorf("%w: %s is not known: give it in the scenario, or enter it on the market's page", ErrInvalid, name)
}

// build makes the inputs of the engine.
func (s Scenario) build(k Known, days int, levers []Lever, list *[]Assumption, start *Start) (p stress.Price, n stress.Network, f stress.Firm, err error) {
	a := notes{list}
	m := s.Market
	btc, err := a.known("price of a bitcoin", m.Price, k.Price, "USD")
	if err != nil {
		return p, n, f, err
	}
	hp, err := a.known("hashprice", m.Hashprice, k.Hashprice, "USD/PH/day")
	if err != nil {
		return p, n, f, err
	}
	hp0 := hp
	for _, shock := range []struct {
		name string
		v    float64
	}{{"shock to the price of a bitcoin", m.PriceShock}, {"shock to difficulty", m.HardShock}, {"shock to the power price", m.PowerShock}} {
		if shock.v != 0 {
			a.add(shock.name, 100*shock.v, "%", "entered", "the scenario")
		}
	}
	btc *= 1 + m.PriceShock
	hp *= (1 + m.PriceShock) / (1 + m.HardShock)
	p = s.price(k, a, btc)
	n = s.network(k, a, hp)
	f, err = s.firm(k, a, days, hp0, hp, levers)
	if err != nil {
		return p, n, f, err
	}
	if start != nil {
		*start = started(f, hp, k)
	}
	return p, n, f, nil
}

// price is the model of the price of a bitcoin.
func (s Scenario) price(k Known, a notes, btc float64) stress.Price {
	m := s.Market
	p := stress.Price{Kind: m.Model, Start: btc, Drift: m.Drift}
	a.add("expected growth of the price", 100*m.Drift, "% a year", pick(m.Drift != 0, "entered", "assumed"), pick(m.Drift != 0, "the scenario", "no view of the price: it is as likely to be worth more as less"))
	returns := k.Returns
	var mean, variance float64
	for _, x := range returns {
		mean += x / float64(len(returns))
	}
	for _, x := range returns {
		variance += (x - mean) * (x - mean) / float64(len(returns))
	}
	past := math.Sqrt(variance * 365)
	if p.Kind == "" {
		p.Kind = stress.GARCH
		if len(returns) >= enoughReturns {
			p.Kind = stress.Bootstrap
		}
	}
	if p.Kind == stress.Bootstrap && len(returns) < enoughReturns {
		p.Kind = stress.GARCH
		a.add("past days that the bootstrap would need", enoughReturns, "days", "assumed", fmt.Sprintf("only %d are known: GARCH with jumps instead", len(returns)))
	}
	switch v, ok := m.Vol.Get(); {
	case ok:
		p.Vol = a.add("volatility of the price", v, "a year", "entered", "the scenario")
	case len(returns) >= enoughReturns:
		p.Vol = a.add("volatility of the price", past, "a year", "market", fmt.Sprintf("%d past days: %s", len(returns), k.ReturnsSource))
	default:
		p.Vol = a.add("volatility of the price", assumedVol, "a year", "assumed", "too little past is known")
	}
	switch p.Kind {
	case stress.Bootstrap:
		// Past days in blocks of twenty, about their mean, at the volatility asked for.
		scale := 1.0
		if past > 0 {
			scale = p.Vol / past
		}
		p.Block = a.add("mean length of a block of past days", 20, "days", "assumed", "keeps the clusters of wild and calm days")
		p.Returns = make([]float64, len(returns))
		for i, x := range returns {
			p.Returns[i] = (x-mean)*scale - p.Vol*p.Vol/730
		}
	case stress.GARCH:
		p.Alpha, p.Beta = a.add("GARCH alpha", 0.08, "", "assumed", "usual for daily prices of bitcoin"), a.add("GARCH beta", 0.9, "", "assumed", "usual for daily prices of bitcoin")
		p.JumpRate = a.add("jumps", 4, "a year", "assumed", "judgement")
		p.JumpMean, p.JumpVol = -0.02, 0.07
		// The jumps are part of the volatility that was asked for.
		p.Vol = math.Sqrt(max(p.Vol*p.Vol-p.JumpRate*(p.JumpMean*p.JumpMean+p.JumpVol*p.JumpVol), 1e-4))
	case stress.Heston:
		p.Kappa, p.VolOfVol, p.Corr = a.add("Heston kappa", 3, "a year", "assumed", "judgement"), a.add("Heston volatility of variance", 0.8, "", "assumed", "judgement"), a.add("Heston correlation", -0.2, "", "assumed", "judgement")
	}
	return p
}

func pick(yes bool, a, b string) string {
	if yes {
		return a
	}
	return b
}

// network is how hashrate and difficulty answer.
func (s Scenario) network(k Known, a notes, hp float64) stress.Network {
	m := s.Market
	n := stress.Network{Hashprice: hp, FeeCorr: 0.1, Noise: a.add("daily noise of hashrate", assumedNoise, "", "assumed", "weather, luck and outages"), Blocks: k.Blocks, BlockDays: k.BlockDays, Pace: k.Pace, Halving: k.HalvingDays}
	if k.FeeShare.Known {
		n.FeeShare = a.add("fees of the reward", k.FeeShare.Value, "share", "market", k.FeeShare.Source)
	} else {
		n.FeeShare = a.add("fees of the reward", assumedFees, "share", "assumed", "judgement")
	}
	n.FeeVol = a.add("volatility of fees", assumedFeeVol, "of the logarithm", "assumed", "judgement; fees revert within ten days")
	n.Growth = a.or("growth of the network's machines at today's hashprice", m.Growth, assumedGrowth, "a year")
	n.Response = a.or("response of that growth to hashprice", m.Response, assumedResponse, "")
	n.Lag = a.or("lag of switching off", m.Lag, assumedLag, "days")
	n.LagOn = a.or("lag of switching on again", m.LagOn, assumedLagOn, "days")
	n.Sunk = a.or("how far under cost machines go on", m.Sunk, assumedSunk, "of the cost")
	n.Resold = a.or("machines standing still that are resold and run again", m.Resold, assumedResold, "share")
	n.Costs = m.Costs
	if len(n.Costs) == 0 {
		n.Costs = assumedCosts()
	}
	from := pick(len(m.Costs) > 0, "entered", "assumed")
	for _, c := range n.Costs {
		a.add(fmt.Sprintf("%.0f %% of the network's hashrate costs", 100*c.Share), c.Hashcost, "USD/PH/day", from, pick(from == "entered", "the scenario", "no source: Ballast's assumption"))
	}
	if k.HalvingDays > 0 && k.HalvingDays < 3660 {
		a.add("next halving", k.HalvingDays, "days from now", "market", "height and ten minutes a block")
	}
	return n
}

// firm is the company with some levers pulled. hp0 is hashprice before the
// shocks and hp after them: machines follow it.
func (s Scenario) firm(k Known, a notes, days int, hp0, hp float64, levers []Lever) (stress.Firm, error) {
	c := s.Company
	src := c.Source
	if src == "" {
		src = "the scenario"
	}
	f := stress.Firm{Cash: a.add("cash", c.Cash, "USD", "record", src), Coins: a.add("free coins", c.Coins, "BTC", "record", src), Other: c.Other, Fixed: a.add("fixed costs", c.Fixed, "USD a day", "record", src)}
	over, up := c.Overhead, c.Uptime
	if over == 0 {
		over = 1
	}
	if up == 0 {
		up = 1
	}
	power, eff := 1+s.Market.PowerShock, 1.0
	for _, l := range levers {
		up += l.Uptime
		power *= 1 + l.Power
		eff *= 1 + l.JTH
		f.Fixed += l.Fixed
	}
	up = min(max(up, 0), 1)
	a.add("power price", c.PowerPrice, "USD/MWh", "record", src)
	a.add("share of time that machines hash, levers included", up, "share", "record", src)
	var all, worth float64
	for i, g := range c.Groups {
		if !(g.PH >= 0) || !(g.JTH > 0 && g.JTH < 1000) {
			return f, fmt.Errorf("%w: group %d of %g PH/s at %g J/TH", ErrInvalid, i+1, g.PH, g.JTH)
		}
		f.Groups = append(f.Groups, stress.Group{PH: g.PH * up, Hashcost: market.Hashcost(unit.Efficiency(g.JTH*eff), unit.EnergyPriceOf(c.PowerPrice*power, unit.USD), over).PerPHDay()})
		all += g.PH
		perTH := Number{}
		if k.RigPerTH != nil {
			perTH = k.RigPerTH(g.JTH)
		}
		switch v, entered := c.RigPerTH.Get(); {
		case entered:
			perTH = Number{v, true, "the scenario"}
		case !perTH.Known:
			perTH = Number{assumedRigs, true, "assumed"}
		}
		worth += g.PH * 1000 * perTH.Value
		a.add("machines of "+groupName(g, i), perTH.Value, "USD/TH", pick(c.RigPerTH.Ok(), "entered", pick(perTH.Source == "assumed", "assumed", "record")), perTH.Source)
	}
	if all > 0 {
		// What machines are worth does not change with how long they run.
		f.RigRate = worth / (all * up)
		if up == 0 {
			f.RigRate = 0
		}
	}
	f.RigBeta = a.or("machine prices per per cent of hashprice", c.RigBeta, assumedBeta, "%")
	f.RigImpact = a.or("machine prices per per cent of the network that stands still", c.RigImpact, assumedImpact, "%")
	f.Haircut = a.or("what a forced sale takes off", c.Haircut, assumedHaircut, "share")
	f.RigRate *= math.Pow(hp/hp0, f.RigBeta)
	if c.PowerVol > 0 {
		f.Power = stress.Power{Vol: a.add("volatility of the power price", c.PowerVol, "of the logarithm", "entered", src)}
	}
	book, err := debt.NewBook(c.Facilities, unit.USD, debt.Env{})
	if err != nil {
		return f, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if f.Due, f.Owed, f.Loans, err = stress.Flatten(book, s.From, days, nil); err != nil {
		return f, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if f.Thin = c.Thin; f.Thin == 0 {
		for _, v := range f.Due[:min(30, len(f.Due))] {
			f.Thin += max(v, 0)
		}
	}
	q := s.Policy
	f.Sell, f.Cover, f.Floor, f.Borrow, f.Forward, f.PowerForward = q.Sell, q.Cover, q.Floor, q.Borrow, q.Forward, q.PowerForward
	f.Fixing, f.PowerFixing = q.Fixing.Or(hp0), q.PowerFixing.Or(1)
	return f, nil
}

func groupName(g Group, i int) string {
	if g.Name != "" {
		return g.Name
	}
	return fmt.Sprintf("group %d (%g J/TH)", i+1, g.JTH)
}

func started(f stress.Firm, hp float64, _ Known) Start {
	st := Start{Hashprice: hp, Fixed: f.Fixed - f.Other}
	var ph float64
	for _, g := range f.Groups {
		ph += g.PH
		st.Hashcost += g.PH * g.Hashcost
		if hp > g.Hashcost {
			st.Revenue += g.PH * hp
			st.Power += g.PH * g.Hashcost
		}
	}
	if st.Hashrate = ph; ph > 0 {
		st.Hashcost /= ph
	}
	st.Worth = ph * f.RigRate
	if len(f.Owed) > 0 {
		st.Owed = f.Owed[0]
	}
	for _, l := range f.Loans {
		st.Owed += l.Balance
	}
	for _, v := range f.Due[:min(30, len(f.Due))] {
		st.Due30 += v
	}
	if st.Worth > 0 {
		st.Ratio = unit.Some(st.Owed / st.Worth)
	}
	return st
}

// Example is a company that does not exist: four facilities on a hashrate, sized
// so that the ratio begins somewhat over 1.5. It is for simulated sites, and
// every page says what it is.
func Example(groups []Group, today debt.Date, btc float64) Company {
	var ph float64
	for _, g := range groups {
		ph += g.PH
	}
	rigs := ph * 1000 * assumedRigs
	share := func(x float64) unit.Money {
		return unit.Money{Minor: max(100_000, int64(math.Round(rigs*x/1000))*100_000), Currency: unit.USD}
	}
	loan := func(id, name string, kind debt.Kind, principal unit.Money, months int, rate float64, r debt.Repayment) debt.Facility {
		return debt.Facility{ID: id, Name: name, Kind: kind, Purpose: debt.ForMining, Recourse: debt.FullRecourse, Principal: principal, Drawn: today.AddMonths(-9), Maturity: today.AddMonths(months),
			Interest: debt.Interest{Fixed: debt.Percent(rate), DayCount: debt.Actual360}, Repayment: r}
	}
	machines := loan("machines", "ASIC-backed loan", debt.ASICBacked, share(0.5), 27, 11, debt.Repayment{Shape: debt.Annuity, Months: 1})
	equipment := loan("equipment", "Transformers and switchgear", debt.Equipment, share(0.2), 30, 9.5, debt.Repayment{Shape: debt.Linear, Months: 3})
	notes := loan("notes", "Convertible notes", debt.Convertible, share(1), 39, 3.25, debt.Repayment{Shape: debt.Bullet, Months: 6})
	notes.Convert = &debt.Conversion{Price: unit.Money{Minor: 2000, Currency: unit.USD}}
	c := Company{Name: "Example company", Source: "an example: no such company exists", Groups: groups, PowerPrice: 45, PowerVol: 0.15, Overhead: 1.05,
		Fixed: math.Round(ph * 2.4), Cash: math.Round(rigs*0.12/1000) * 1000, Facilities: []debt.Facility{machines, equipment, notes}, RigPerTH: unit.Some(assumedRigs)}
	if btc > 0 {
		coins := loan("coins", "Credit against coins", debt.CoinBacked, share(0.15), 8, 10.5, debt.Repayment{Shape: debt.Bullet, Months: 3})
		pledged := coins.Principal.Float() / 0.5 / btc
		coins.Secured = []debt.Collateral{{Kind: debt.CoinCollateral, Coins: unit.Money{Minor: int64(pledged * market.Coin), Currency: unit.BTC}}}
		coins.Margin = &debt.Margin{Initial: debt.Percent(60), Call: debt.Percent(75), Liquidate: debt.Percent(85), Cure: 2}
		c.Facilities = append(c.Facilities, coins)
		c.Coins = math.Round(rigs*0.1/btc*100) / 100
	}
	return c
}
