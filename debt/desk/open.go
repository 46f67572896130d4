package desk

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
	"time"

	"ballast/debt"
	"ballast/market"
	"ballast/unit"
)

// In is everything that a position is made of.
type In struct {
	Now    time.Time
	Book   Book
	Fleet  Fleet
	Market Market
	Scope  debt.Scope // of the ratio
}

// Desk is a company's position, worked out.
type Desk struct {
	In
	On       debt.Date
	Currency unit.Currency
	Position debt.Position
	Remarks  []string // what whoever reads the figures must know first
	LeftOut  []LeftOut

	hashprice  Known[unit.Hashprice]
	sat        Known[float64] // a PH/s and day
	reward     market.Reward
	cash       Known[unit.Money]
	free       Known[unit.Money] // coins
	pledged    unit.Money
	noIncome   string // why the run rate cannot be had; empty when it can
	noPrice    string
	valuations map[debt.Basis]valued
}

// LeftOut is a facility that is not in the figures.
type LeftOut struct {
	Facility string `json:"facility"`
	Why      string `json:"why"`
}

type valued struct {
	v   debt.Valuation
	why string // there is none
}

// Bases are the four ways to value hashpower, in the order of a page.
var Bases = []debt.Basis{debt.AtIndex, debt.AtReplacement, debt.AtLiquidation, debt.AtOption}

// Open works out where the company stands.
func Open(in In) *Desk {
	t := in.Book.Terms
	d := &Desk{In: in, On: debt.DateOf(in.Now), Currency: t.Currency, valuations: map[debt.Basis]valued{}}
	d.handMarket()
	book := debt.Book{Currency: t.Currency}
	for _, f := range in.Book.Facilities {
		switch s, err := f.Schedule(in.Book.Env()); {
		case f.Principal.Currency != t.Currency:
			d.LeftOut = append(d.LeftOut, LeftOut{f.ID, "it is in " + string(f.Principal.Currency) + ", the company reckons in " + string(t.Currency)})
		case err != nil:
			d.LeftOut = append(d.LeftOut, LeftOut{f.ID, err.Error()})
		default:
			book.Schedules = append(book.Schedules, s)
		}
	}
	for _, l := range d.LeftOut {
		d.remark("%s is in no figure: %s.", l.Facility, l.Why)
	}
	d.Position = debt.Position{On: d.On, Book: book, Uptime: t.Uptime, RigBasis: debt.AtIndex, RigBeta: t.RigBeta, Cash: d.money(0), Coins: unit.Money{Currency: unit.BTC}}
	d.account()
	d.run()
	d.priceHash()
	d.groups()
	d.value()
	for _, x := range d.arrears() {
		d.remark("%s: %s of %s was due on %s and is not recorded as paid.", x.Facility, Full(x.Short), Full(x.Due.Cash), x.Due.Due)
	}
	return d
}

func (d *Desk) remark(format string, args ...any) {
	d.Remarks = append(d.Remarks, fmt.Sprintf(format, args...))
}

func (d *Desk) money(minor int64) unit.Money {
	return unit.Money{Minor: minor, Currency: d.Currency}
}

// handMarket takes what a person entered where no feed tells it, or tells it
// later.
func (d *Desk) handMarket() {
	h := d.Book.Terms.Market
	if h == nil {
		return
	}
	what := "by hand in the company's terms"
	if d.Book.TermsFrom.What != "" {
		what += ", " + d.Book.TermsFrom.What
	}
	if h.From != "" {
		what += ", from " + h.From
	}
	s := Source{Entered, what, h.On.Time()}
	m := &d.Market
	newer := func(ok bool, at time.Time) bool { return !ok || at.Before(s.At) }
	if h.Price.Minor > 0 && newer(m.Price.Ok, m.Price.Source.At) {
		m.Price = Of(h.Price, s)
	}
	if h.Difficulty > 0 && newer(m.Difficulty.Ok, m.Difficulty.Source.At) {
		m.Difficulty = Of(h.Difficulty, s)
	}
	if newer(m.FeeShare.Ok, m.FeeShare.Source.At) {
		m.FeeShare = Of(h.FeeShare.Float(), s)
	}
	if h.Height > 0 && newer(m.Height.Ok, m.Height.Source.At) {
		m.Height = Of(h.Height, s)
	}
}

// account adds up what accounts hold.
func (d *Desk) account() {
	var cash, coins, pledged int64
	var cashAt, coinsAt Source
	older := func(s *Source, b Balance) {
		if s.At.IsZero() || b.Source.At.Before(s.At) {
			*s = b.Source
		}
	}
	for _, b := range newest(d.Book.Balances, d.On) {
		switch {
		case b.Amount.Currency == unit.BTC && b.Pledged:
			pledged += b.Amount.Minor
		case b.Amount.Currency == unit.BTC:
			coins += b.Amount.Minor
			older(&coinsAt, b)
		case b.Amount.Currency != d.Currency:
			d.remark("Account %s is in %s and counts as nothing: the company reckons in %s.", b.Account, b.Amount.Currency, d.Currency)
		case b.Pledged: // restricted: it pays nothing but what it is held for
		default:
			cash += b.Amount.Minor
			older(&cashAt, b)
		}
	}
	if !cashAt.At.IsZero() {
		d.cash = Of(d.money(cash), cashAt)
	}
	d.free = Known[unit.Money]{unit.Money{Minor: coins, Currency: unit.BTC}, !coinsAt.At.IsZero(), coinsAt}
	d.pledged = unit.Money{Minor: pledged, Currency: unit.BTC}
	d.Position.Cash, d.Position.Coins = d.money(cash), d.free.Value
}

// operating are the lines that a year's run rate is made of, beside power.
var operating = map[debt.Line]bool{debt.HostingIn: true, debt.AIIn: true, debt.GridIn: true, debt.OtherIn: true, debt.HostingOut: true, debt.Payroll: true, debt.Repair: true, debt.Admin: true, debt.TaxOut: true, debt.OtherOut: true}

// planned adds up the flows on the lines that take does, over so many days.
func (d *Desk) planned(days int, take func(debt.Line) bool) (sum int64, n int) {
	for _, f := range d.Book.Flows {
		if !take(f.Line) || f.Amount.Currency != d.Currency {
			continue
		}
		times := len(f.Dates(d.On+1, d.On+debt.Date(days)))
		sum += int64(times) * f.Amount.Minor
		n += times
	}
	return sum, n
}

// run takes a year's fixed cost and other income from the planned flows.
func (d *Desk) run() {
	out, n := d.planned(365, func(l debt.Line) bool { return operating[l] && !l.Receipt() })
	in, _ := d.planned(365, func(l debt.Line) bool { return operating[l] && l.Receipt() })
	d.Position.Fixed, d.Position.Other = d.money(out), d.money(in)
	if n == 0 && !d.Book.Empty() {
		d.remark("No running costs are planned (payroll, administration, repair): cover is better on paper than in truth. Add them under Cash.")
	}
}

// priceHash reckons hashprice from price, difficulty, subsidy and fees.
func (d *Desk) priceHash() {
	m := d.Market
	if m.Price.Ok && m.Price.Value.Currency != d.Currency {
		d.noPrice = "the price of a bitcoin is in " + string(m.Price.Value.Currency)
	} else if !m.Price.Ok {
		d.noPrice = "the price of a bitcoin is not known: set up a feed, or enter it under Terms"
	} else {
		d.Position.Price = m.Price.Value
	}
	if !m.Difficulty.Ok || m.Difficulty.Value <= 0 {
		d.noIncome = "the network's difficulty is not known: set up a feed, or enter it under Terms"
		return
	}
	if d.noPrice != "" {
		d.noIncome = d.noPrice
		return
	}
	height, heightFrom := m.Height.Value, "the chain's height"
	if !m.Height.Ok {
		// The subsidy of the time: four years apart, known to the month.
		height, heightFrom = eraHeight(d.Now), "the date: the height is not known"
	}
	fee := new(big.Rat).SetFloat64(m.FeeShare.Value)
	reward, err := market.RewardWithFeeShare(market.Subsidy(height), fee)
	if err != nil {
		d.noIncome = err.Error()
		return
	}
	diff := new(big.Rat).SetFloat64(m.Difficulty.Value)
	sat := market.SatPerPHDayOver(market.HashesAtDifficulty(diff), reward)
	perDay, _ := sat.Float64()
	price, _ := d.Position.Price.Rat().Float64()
	hp := unit.HashpriceOf(perDay/market.Coin*price, d.Currency)
	at := m.Price.Source.At
	if m.Difficulty.Source.At.Before(at) {
		at = m.Difficulty.Source.At
	}
	s := Source{Modelled, "86400 s × 10^15 / (difficulty × 2^32) × (subsidy + fees) × price; subsidy of " + heightFrom, at}
	d.hashprice, d.sat, d.reward = Of(hp, s), Of(perDay, s), reward
	d.Position.Hashprice = hp
}

// eraHeight is a height of the halving era of a time. The fifth halving is
// expected in the spring of 2028.
func eraHeight(t time.Time) int64 {
	h := int64(840_000)
	for at := time.Date(2028, 4, 15, 0, 0, 0, 0, time.UTC); t.After(at); at = at.AddDate(4, 0, 0) {
		h += market.HalvingBlocks
	}
	return h
}

// groups makes groups of the machines that hash, and says what is missing for
// their run rate.
func (d *Desk) groups() {
	t := d.Book.Terms
	var dark []string
	for _, g := range d.Fleet.Groups {
		life := int(float64(t.LifeMonths)*365/12 - g.Age.Hours()/24)
		p := debt.Group{Name: groupName(g), Active: g.Active, Installed: g.Installed, Efficiency: g.Efficiency, Power: g.Power.Value, Overhead: t.Overhead, Life: max(30, life)}
		p.Power.Currency = d.Currency
		if g.Power.Ok && g.Power.Value.Currency != d.Currency {
			p.Power = unit.EnergyPrice{Currency: d.Currency}
		}
		if g.Active > 0 && (!g.Power.Ok || g.Power.Value.Currency != d.Currency) && !slices.Contains(dark, g.Site) {
			dark = append(dark, g.Site)
		}
		d.Position.Groups = append(d.Position.Groups, p)
	}
	if len(dark) > 0 && d.noIncome == "" {
		d.noIncome = "no power price is known for " + strings.Join(dark, ", ") + ": enter it under Terms"
	}
	if d.Fleet.Untold > 0 {
		d.remark("%d machines hash without telling their power, and no nameplate is known: they count as nothing.", d.Fleet.Untold)
	}
}

func groupName(g Group) string {
	model := g.Model
	if model == "" {
		model = "unknown model"
	}
	if g.Site == "" {
		return model
	}
	return model + ", " + g.Site
}

// Active is the hashrate that runs now.
func (d *Desk) Active() unit.Hashrate {
	var sum unit.Hashrate
	for _, g := range d.Position.Groups {
		sum += g.Active
	}
	return sum
}

// value values the active hashpower on each basis.
func (d *Desk) value() {
	t, gs, rigs := d.Book.Terms, d.Position.Groups, d.Book.Rigs
	install := market.RigRateOf(t.InstallPerTH, d.Currency)
	removal := market.RigRateOf(t.RemovalPerTH, d.Currency)
	keep := func(b debt.Basis, v debt.Valuation, err error) {
		x := valued{v: v}
		switch {
		case err != nil:
			x.why = err.Error()
		case d.Active() == 0:
			x.why = "no machine hashes now"
		case len(v.Lines) == 0:
			x.why = "there is no price for any of the machines: import prices of machines"
		}
		d.valuations[b] = x
	}
	v, err := debt.ByIndex(gs, rigs, d.Now, 0, d.Currency)
	keep(debt.AtIndex, v, err)
	v, err = debt.ByReplacement(gs, rigs, d.Now, debt.Replacement{Efficiency: unit.Efficiency(t.NewEfficiency), Landing: t.Landing, Install: install}, d.Currency)
	keep(debt.AtReplacement, v, err)
	v, err = debt.ByLiquidation(gs, rigs, d.Now, debt.Liquidation{Discount: t.ForcedDiscount, Removal: removal}, d.Currency)
	keep(debt.AtLiquidation, v, err)
	if !d.hashprice.Ok || d.noIncome != "" {
		d.valuations[debt.AtOption] = valued{v: debt.Valuation{Basis: debt.AtOption, Total: d.money(0)}, why: d.noIncome}
	} else {
		v, err = debt.ByOption(gs, d.Now, d.strip())
		keep(debt.AtOption, v, err)
	}
	d.Position.RigRate = func(e unit.Efficiency) (market.RigRate, bool) {
		q, err := rigs.Quote(e, d.Now, 0, market.RigIndex)
		return q.Rate, err == nil
	}
}

// strip are the terms that all groups' strips of calls share.
func (d *Desk) strip() debt.Strip {
	t := d.Book.Terms
	s := debt.Strip{Hashprice: d.Position.Hashprice, Drift: t.HashpriceDrift.Float(), Vol: t.HashpriceVol.Float(), Rate: t.RiskFree.Float(), Days: t.LifeMonths * 30, Uptime: t.Uptime, SubsidyShare: 1 - d.Market.FeeShare.Value}
	height := d.Market.Height.Value
	if !d.Market.Height.Ok {
		return s
	}
	for range 3 {
		_, at := market.NextHalving(height)
		s.Halvings = append(s.Halvings, int(float64(at-d.Market.Height.Value)*market.Spacing/market.DaySeconds))
		height = at
	}
	return s
}

// Hashprice is today's; ok is false when it is not known.
func (d *Desk) Hashprice() (unit.Hashprice, bool) { return d.hashprice.Value, d.hashprice.Ok }

// elastic is by how many per cent the option value of the fleet moves when
// hashprice moves by one.
func (d *Desk) elastic() float64 {
	at := func(k float64) float64 {
		s := d.strip()
		s.Hashprice.Micro = int64(math.Round(float64(s.Hashprice.Micro) * k))
		v, err := debt.ByOption(d.Position.Groups, d.Now, s)
		if err != nil {
			return 0
		}
		return v.Total.Float()
	}
	up, down := at(1.01), at(0.99)
	if up <= 0 || down <= 0 {
		return 1
	}
	return (math.Log(up) - math.Log(down)) / (math.Log(1.01) - math.Log(0.99))
}
