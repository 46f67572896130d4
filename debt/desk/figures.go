package desk

import (
	"fmt"
	"math"
	"time"

	"ballast/debt"
	"ballast/unit"
)

// The inputs that many figures share.

func (d *Desk) inPrice() Input {
	m := d.Market.Price
	if !m.Ok {
		return Input{Name: "price of a bitcoin", Text: dash, Source: Source{How: Entered, What: "not known"}}
	}
	return Input{Name: "price of a bitcoin", Text: Short(m.Value), Source: m.Source}
}

func (d *Desk) inDifficulty() Input {
	m := d.Market.Difficulty
	if !m.Ok {
		return Input{Name: "difficulty", Text: dash, Source: Source{How: Entered, What: "not known"}}
	}
	return Input{Name: "difficulty", Text: plain(m.Value/1e12, 2) + " T", Source: m.Source}
}

func (d *Desk) inFleet() Input {
	n := 0
	for _, g := range d.Fleet.Groups {
		n += g.Hashing
	}
	return Input{Name: "active hashrate", Text: hashrate(d.Active()), Source: Source{Measured, fmt.Sprintf("the newest readings of %s machines that hash", plain(float64(n), 0)), d.Fleet.At}, Of: "hashrate"}
}

func (d *Desk) inCash() Input {
	if !d.cash.Ok {
		return Input{Name: "cash", Text: dash, Source: Source{How: Entered, What: "no balance of any account is entered"}}
	}
	return Input{Name: "cash", Text: Short(d.cash.Value), Source: d.cash.Source}
}

func (d *Desk) inCoins() Input {
	if !d.free.Ok {
		return Input{Name: "free bitcoin", Text: Short(unit.Money{Currency: unit.BTC}), Source: Source{How: Entered, What: "no balance in BTC is entered"}}
	}
	return Input{Name: "free bitcoin", Text: Full(d.free.Value), Source: d.free.Source}
}

func (d *Desk) inDebt() Input {
	return Input{Name: "register of facilities", Text: fmt.Sprintf("%d facilities", len(d.Position.Book.Schedules)), Source: Source{Entered, fmt.Sprintf("the register, revision %d", d.Book.Rev), d.bookAt()}, Of: "balance"}
}

func (d *Desk) bookAt() (at time.Time) {
	for _, f := range d.Book.Facilities {
		if f.Source.At.After(at) {
			at = f.Source.At
		}
	}
	return at
}

func (d *Desk) inTerms(name, text string) Input {
	s := Source{Entered, "the company's terms", d.Book.TermsFrom.At}
	if d.Book.TermsFrom.What != "" {
		s.What += ", " + d.Book.TermsFrom.What
	} else {
		s = Source{How: Modelled, What: "Ballast's default: nobody has set it under Terms"}
	}
	return Input{Name: name, Text: text, Source: s}
}

func (d *Desk) inFlows(name string, m unit.Money) Input {
	var at time.Time
	for _, f := range d.Book.Flows {
		if f.Source.At.After(at) {
			at = f.Source.At
		}
	}
	return Input{Name: name, Text: Short(m), Source: Source{Entered, "planned flows of the next 365 days, see Cash", at}}
}

// inHash is hashprice as an input.
func (d *Desk) inHash() Input {
	if !d.hashprice.Ok {
		return Input{Name: "hashprice", Text: dash, Of: "hashprice", Source: Source{How: Modelled, What: "not known"}}
	}
	return Input{Name: "hashprice", Text: hashprice(d.hashprice.Value), Source: d.hashprice.Source, Of: "hashprice"}
}

// Figures are all of the position, in the order of a page.
func (d *Desk) Figures() []Figure {
	out := []Figure{d.hashpriceFigure(), d.hashrateFigure(), d.balance()}
	for _, b := range Bases {
		out = append(out, d.hashpower(b))
	}
	for _, b := range Bases {
		out = append(out, d.Ratio(b))
	}
	out = append(out, d.cfads(), d.service(), d.liquidity())
	for _, m := range []debt.Metric{debt.DSCR, debt.ICR, debt.CoinLTV, debt.RigLTV, debt.Runway, debt.Leverage} {
		out = append(out, d.metric(m, ""))
	}
	return append(out, d.wallFigure(), d.distance(), d.probability())
}

func (d *Desk) hashpriceFigure() Figure {
	fee := Input{Name: "fees' share of a block", Text: dash, Source: Source{How: Entered, What: "not known: reckoned as none"}}
	if m := d.Market.FeeShare; m.Ok {
		fee = Input{Name: "fees' share of a block", Text: percent(m.Value), Source: m.Source}
	}
	f := figure("hashprice", "Hashprice", "$/PH/day", "86400 s × 10^15 / (difficulty × 2^32) × subsidy / (1 − fee share) × price", d.inPrice(), d.inDifficulty(), fee)
	f.Unit = string(d.Currency) + "/PH/day"
	if !d.hashprice.Ok {
		return f.lack(d.noIncome)
	}
	v := d.hashprice.Value.PerPHDay()
	return f.set(v, plain(v, 2), fmt.Sprintf("86400 × 10^15 / (%s T × 2^32) × %s BTC × %s", plain(d.Market.Difficulty.Value/1e12, 2), plain(ratFloat(d.reward.Total())/1e8, 4), Short(d.Position.Price)))
}

func (d *Desk) hashrateFigure() Figure {
	f := figure("hashrate", "Active hashrate", "TH/s", "sum of what the machines hash that hash now", d.inFleet())
	v := d.Active()
	var installed unit.Hashrate
	for _, g := range d.Position.Groups {
		installed += g.Installed
	}
	out := f.set(float64(v), plain(float64(v), 0), "")
	if installed > 0 {
		out = out.noted("%s of %s installed", percent(float64(v/installed)), hashrate(installed))
	}
	return out
}

func (d *Desk) balance() Figure {
	f := figure("balance", "Debt", string(d.Currency), "sum of what is owed on every facility today, as its contract has it", d.inDebt())
	m := d.Position.Book.Balance(d.On)
	out := f.set(m.Float(), Short(m), Full(m))
	out.Unit = ""
	if len(d.LeftOut) > 0 {
		out = out.noted("%d facilities are left out, see the remarks", len(d.LeftOut))
	}
	return out
}

func basisName(b debt.Basis) string {
	return map[debt.Basis]string{debt.AtIndex: "market index", debt.AtReplacement: "replacement", debt.AtLiquidation: "liquidation", debt.AtOption: "option value"}[b]
}

var basisFormula = map[debt.Basis]string{
	debt.AtIndex:       "sum over machines that hash: TH/s × index price of their efficiency tier",
	debt.AtReplacement: "TH/s that hash × (price of new machines × (1 + landing) + installation)",
	debt.AtLiquidation: "sum over machines that hash: TH/s × (price in a forced sale of their tier, or the index less the discount, − taking down)",
	debt.AtOption:      "sum over machines that hash: a call on hashprice for each day of life left, strike hashcost (Black 1976)",
}

func (d *Desk) hashpower(b debt.Basis) Figure {
	t, x := d.Book.Terms, d.valuations[b]
	in := []Input{d.inFleet()}
	seen := map[string]bool{}
	for _, l := range x.v.Lines {
		if l.Quote == nil {
			continue
		}
		for _, o := range l.Quote.From {
			text := fmt.Sprintf("%s, %s, %s of %s", o.Rate, o.Tier, o.Kind, o.At.Format(time.DateOnly))
			if !seen[text] {
				seen[text] = true
				in = append(in, Input{Name: "price of machines", Text: text, Source: Source{Quoted, o.Source, o.At}})
			}
		}
	}
	switch b {
	case debt.AtReplacement:
		in = append(in, d.inTerms("new machines", fmt.Sprintf("%g J/TH, %s landing, %s per TH/s to install", t.NewEfficiency, t.Landing, signed(plain(t.InstallPerTH, 2), d.Currency))))
	case debt.AtLiquidation:
		in = append(in, d.inTerms("forced sale", fmt.Sprintf("%s off, %s per TH/s to take down", t.ForcedDiscount, signed(plain(t.RemovalPerTH, 2), d.Currency))))
	case debt.AtOption:
		in = append(in, d.inHash(), d.inTerms("model", fmt.Sprintf("volatility %s, drift %s, rate %s, life %d months from when a machine was first seen", t.HashpriceVol, t.HashpriceDrift, t.RiskFree, t.LifeMonths)))
	}
	f := figure("hashpower-"+string(b), "Hashpower at "+basisName(b), "", basisFormula[b], in...)
	if x.why != "" {
		return f.lack(x.why)
	}
	per := 0.0
	if h := float64(x.v.Hashrate()); h > 0 {
		per = x.v.Total.Float() / h
	}
	out := f.set(x.v.Total.Float(), Short(x.v.Total), fmt.Sprintf("%s × %s on average", hashrate(x.v.Hashrate()), signed(plain(per, 2), d.Currency)+"/TH"))
	if x.v.Unpriced > 0 {
		out = out.noted("%s that hash have no price and are not in it", hashrate(x.v.Unpriced))
	} else {
		out = out.noted("%s/TH", signed(plain(per, 2), d.Currency))
	}
	return out
}

// RatioOf is the hashrate-debt ratio on a basis, with what it counted.
func (d *Desk) RatioOf(b debt.Basis) (debt.Ratio, error) {
	return debt.RatioOf(d.Position.Book, d.On, d.Scope, d.valuations[b].v)
}

// Ratio is the ratio as a figure.
func (d *Desk) Ratio(b debt.Basis) Figure {
	f := figure("ratio-"+string(b), "Hashrate-debt ratio at "+basisName(b), "", "debt in scope / value of the hashpower that runs now", d.hashpower(b).as(), d.inDebt())
	r, err := d.RatioOf(b)
	if err != nil {
		return f.lack(err.Error())
	}
	scope := Input{Name: "scope", Text: r.Scope + ": " + Short(r.Debt), Source: Source{How: Modelled, What: "chosen on the page"}}
	f.Inputs = append(f.Inputs, scope)
	for _, l := range r.Lines {
		f.Lines = append(f.Lines, ClaimMark(l))
	}
	v, ok := r.Value.Get()
	switch why := d.valuations[b].why; {
	case len(d.Position.Book.Schedules) == 0:
		return f.lack("no facility is entered")
	case why != "":
		return f.lack(why)
	case !ok:
		return f.lack("the hashpower is worth nothing on this basis")
	}
	f = f.set(v, multiple(v), Full(r.Debt)+" / "+Full(r.Hashpower))
	if r.Covered < 0.9995 {
		return f.noted("%s of the active hashrate has a price: the ratio is too high by the rest", percent(r.Covered))
	}
	return f.noted("%s; %s", r.Scope, basisName(b))
}

func (d *Desk) cfads() Figure {
	f := figure("cfads", "Cash for debt service", "", "a year's run rate: hashprice × active hashrate × uptime − power − planned running costs + other income", d.inHash(), d.inFleet(), d.inPower(), d.inFlows("running costs", d.Position.Fixed), d.inFlows("other income", d.Position.Other), d.inTerms("uptime", percent(d.Book.Terms.Uptime)))
	if d.noIncome != "" {
		return f.lack(d.noIncome)
	}
	in, err := d.Position.Income()
	if err != nil {
		return f.lack(err.Error())
	}
	f = f.set(in.CFADS.Float(), Short(in.CFADS), fmt.Sprintf("%s − %s − %s + %s", Short(in.Revenue), Short(in.Power), Short(in.Fixed), Short(in.Other)))
	if in.Idle > 0 {
		return f.noted("a year; %s would stand still: their power costs more than they earn", hashrate(in.Idle))
	}
	return f.noted("a year, before tax and capital expense")
}

// inPower is what power costs, over all sites.
func (d *Desk) inPower() Input {
	var cost, watts float64
	src := Source{How: Entered, What: "not known"}
	for i, g := range d.Fleet.Groups {
		if !g.Power.Ok || g.Active == 0 {
			continue
		}
		w := float64(g.Active) * float64(g.Efficiency)
		cost += w * d.Position.Groups[i].Power.PerMWh()
		watts += w
		if src.At.IsZero() || g.Power.Source.At.Before(src.At) {
			src = g.Power.Source
		}
	}
	if watts == 0 {
		return Input{Name: "power price", Text: dash, Source: src}
	}
	return Input{Name: "power price", Text: signed(plain(cost/watts, 2), d.Currency) + "/MWh", Source: src}
}

func (d *Desk) service() Figure {
	f := figure("service", "Debt service, 12 months", "", "interest, principal and fees that fall due in cash after today, up to the same day next year", d.inDebt())
	s := d.Position.Book.Due(d.On, d.On.AddMonths(12))
	return f.set(s.Cash.Float(), Short(s.Cash), fmt.Sprintf("%s interest + %s principal + %s fees", Short(s.Interest), Short(s.Principal), Short(s.Fees)))
}

func (d *Desk) liquidity() Figure {
	f := figure("liquidity", "Liquidity", "", "cash + free bitcoin × price", d.inCash(), d.inCoins(), d.inPrice())
	switch {
	case !d.cash.Ok && !d.free.Ok:
		return f.lack("no balance of any account is entered")
	case d.free.Value.Minor > 0 && d.noPrice != "":
		return f.lack(d.noPrice)
	}
	m := d.Position.Liquidity()
	if d.free.Value.Minor == 0 {
		m = d.Position.Cash
	}
	f = f.set(m.Float(), Short(m), fmt.Sprintf("%s + %s × %s", Short(d.Position.Cash), Short(d.free.Value), Short(d.Position.Price)))
	if d.pledged.Minor > 0 {
		return f.noted("beside it %s are pledged", Short(d.pledged))
	}
	return f
}

type metricWords struct{ name, unit, formula, none string }

var words = map[debt.Metric]metricWords{
	debt.DSCR:         {"Debt service cover (DSCR)", "", "cash for debt service / debt service of the next 12 months", "nothing falls due in the next 12 months"},
	debt.ICR:          {"Interest cover (ICR)", "", "cash for debt service / interest of the next 12 months", "no interest falls due in the next 12 months"},
	debt.CoinLTV:      {"Loan to value, bitcoin", "%", "balance of loans on bitcoin / value of the bitcoin that secure them", "no loan is secured by bitcoin"},
	debt.RigLTV:       {"Loan to value, machines", "%", "balance of loans on machines / those machines at market index", "no loan is secured by machines, or there is no price for them"},
	debt.Liquidity:    {"Liquidity", "", "cash + free bitcoin × price", "no balance is entered"},
	debt.Runway:       {"Runway", "months", "liquidity / (debt service of 12 months − cash for debt service) × 12", "cannot be had"},
	debt.Leverage:     {"Leverage", "", "(debt − liquidity) / cash for debt service of a year", "cannot be had"},
	debt.HashrateDebt: {"Hashrate-debt ratio", "", "debt not for AI / hashpower at market index", "there is no price for some machines"},
}

// lacks says why a metric cannot be had for want of an input.
func (d *Desk) lacks(m debt.Metric) string {
	needsMoney := func() string {
		if !d.cash.Ok && !d.free.Ok {
			return "no balance of any account is entered"
		}
		if d.free.Value.Minor > 0 {
			return d.noPrice
		}
		return ""
	}
	switch m {
	case debt.DSCR, debt.ICR:
		return d.noIncome
	case debt.Runway, debt.Leverage:
		if d.noIncome != "" {
			return d.noIncome
		}
		return needsMoney()
	case debt.Liquidity:
		return needsMoney()
	case debt.CoinLTV:
		return d.noPrice
	case debt.HashrateDebt:
		return d.valuations[debt.AtIndex].why
	}
	return ""
}

// metric is a metric of the company, or of one facility, as a figure.
func (d *Desk) metric(m debt.Metric, facility string) Figure {
	w := words[m]
	var in []Input
	switch m {
	case debt.DSCR, debt.ICR:
		in = []Input{d.cfads().as(), d.service().as()}
	case debt.CoinLTV:
		in = []Input{d.inDebt(), d.inPrice()}
	case debt.RigLTV:
		in = []Input{d.inDebt(), d.hashpower(debt.AtIndex).as()}
	case debt.Runway:
		in = []Input{d.liquidity().as(), d.service().as(), d.cfads().as()}
	case debt.Leverage:
		in = []Input{d.balance().as(), d.liquidity().as(), d.cfads().as()}
	case debt.Liquidity:
		in = []Input{d.inCash(), d.inCoins(), d.inPrice()}
	case debt.HashrateDebt:
		in = []Input{d.balance().as(), d.hashpower(debt.AtIndex).as()}
	}
	f := figure(string(m), w.name, w.unit, w.formula, in...)
	if facility != "" {
		f.Key += "/" + facility
		f.Name += ", " + facility
	}
	if len(d.Position.Book.Schedules) == 0 && m != debt.Liquidity {
		return f.lack("no facility is entered")
	}
	if why := d.lacks(m); why != "" {
		return f.lack(why)
	}
	r, ok := d.Position.Read(m, facility)
	if !ok {
		return f.lack(w.none)
	}
	return d.metricText(f, m, r)
}

func (d *Desk) metricText(f Figure, m debt.Metric, r debt.Reading) Figure {
	c := d.Currency
	over, under := short(r.Over, c), short(r.Under, c)
	switch m {
	case debt.CoinLTV, debt.RigLTV:
		return f.set(r.Value*100, plain(r.Value*100, 1), over+" / "+under)
	case debt.Liquidity:
		return f.set(r.Value, over, over)
	case debt.Runway:
		if math.IsInf(r.Value, 1) {
			return f.set(r.Value, "∞", over+" / 0").noted("nothing burns: income covers the debt service")
		}
		return f.set(r.Value, plain(r.Value, 1), over+" / "+under+" a month")
	case debt.Leverage:
		if math.IsInf(r.Value, 1) {
			return f.set(r.Value, "∞", over+" / "+under).noted("there is no cash for debt service")
		}
	}
	return f.set(r.Value, multiple(r.Value), over+" / "+under)
}

func (d *Desk) wallFigure() Figure {
	f := figure("wall", "Highest quarter of the wall", "", "the most cash that falls due in any quarter of the next three years", d.inDebt())
	if len(d.Position.Book.Schedules) == 0 {
		return f.lack("no facility is entered")
	}
	var most debt.WallPart
	for _, p := range d.Position.Book.Wall(d.On, 3, 12) {
		if p.Service.Cash.Minor > most.Service.Cash.Minor {
			most = p
		}
	}
	if most.Service.Cash.Minor == 0 {
		return f.lack("nothing falls due in three years")
	}
	return f.set(most.Service.Cash.Float(), Short(most.Service.Cash), Full(most.Service.Cash)).noted("from %s to %s", most.From+1, most.To)
}

// merton is the company as Merton sees it, over a year.
func (d *Desk) merton() (debt.Merton, []Input, string) {
	t := d.Book.Terms
	coins := d.Position.CoinValue(d.free.Value.Minor + d.pledged.Minor).Float()
	fleet := d.valuations[debt.AtOption].v.Total.Float()
	other := d.Position.Cash.Float() + t.OtherAssets.Float()
	owed := 0.0
	for _, s := range d.Position.Book.Schedules {
		if !s.Facility.InKind() {
			owed += s.Balance(d.On).Float()
		}
	}
	assets := coins + fleet + other
	in := []Input{d.inCoins(), d.inPrice(), d.hashpower(debt.AtOption).as(), d.inCash(), d.inTerms("other assets", Short(unit.Money{Minor: t.OtherAssets.Minor, Currency: d.Currency})), d.balance().as(), d.inTerms("volatility", "hashprice "+t.HashpriceVol.String()+", price "+t.PriceVol.String())}
	if assets <= 0 {
		return debt.Merton{}, in, "there are no assets"
	}
	vol := (coins*t.PriceVol.Float() + fleet*t.HashpriceVol.Float()*d.elastic()) / assets
	return debt.Merton{Assets: assets, Debt: owed, Drift: t.RiskFree.Float(), Vol: vol, Horizon: 1}, in, ""
}

const mertonFormula = "(ln(assets / debt) + (rate − volatility²/2) × 1 year) / (volatility × √1 year)"

func (d *Desk) distance() Figure {
	m, in, why := d.mertonIf()
	f := figure("distance", "Distance to default", "sd", mertonFormula, in...)
	if why != "" {
		return f.lack(why)
	}
	v, err := m.Distance()
	if err != nil {
		return f.lack(err.Error())
	}
	return f.set(v, multiple(v), fmt.Sprintf("assets %s, debt %s, volatility %s", short(m.Assets, d.Currency), short(m.Debt, d.Currency), percent(m.Vol))).noted("Merton, one year; it knows no cash, so runway stands beside it")
}

func (d *Desk) probability() Figure {
	m, in, why := d.mertonIf()
	f := figure("default", "Default within a year (Merton)", "%", "N(−distance to default)", in...)
	if why != "" {
		return f.lack(why)
	}
	v, err := m.Default()
	if err != nil {
		return f.lack(err.Error())
	}
	return f.set(v*100, plain(v*100, 1), "").noted("risk-neutral; a model's number, not a frequency that was observed")
}

func (d *Desk) mertonIf() (debt.Merton, []Input, string) {
	switch {
	case len(d.Position.Book.Schedules) == 0:
		return debt.Merton{}, nil, "no facility is entered"
	case d.valuations[debt.AtOption].why != "":
		return debt.Merton{}, nil, d.valuations[debt.AtOption].why
	}
	return d.merton()
}

func ratFloat(r interface{ Float64() (float64, bool) }) float64 {
	v, _ := r.Float64()
	return v
}
