package desk

import (
	"fmt"
	"math"
	"time"

	"ballast/debt"
	"ballast/market"
	"ballast/unit"
)

// Plan is the cash plan: weeks, with what they were laid out from.
type Plan struct {
	Weeks       []debt.Week
	Assumptions []Input
	Missing     string // why there is none
	Short       int    // first week in which cash goes under the floor, from 1; 0 is none
	Overdrawn   int    // first week in which cash goes under zero
}

// Plan13 lays out thirteen weeks from today.
func (d *Desk) Plan13() Plan { return d.PlanOf(13) }

// PlanOf lays out so many weeks.
func (d *Desk) PlanOf(weeks int) Plan {
	t := d.Book.Terms
	var p Plan
	switch {
	case !d.cash.Ok:
		p.Missing = "no balance in " + string(d.Currency) + " is entered: thirteen weeks begin with the cash of today"
	case d.noIncome != "":
		p.Missing = d.noIncome
	}
	if p.Missing != "" {
		return p
	}
	to := d.On + debt.Date(7*weeks-1)
	var flows []debt.Flow
	byHand := false
	for _, f := range d.Book.Flows {
		if f.Amount.Currency != d.Currency {
			continue
		}
		for _, on := range f.Dates(d.On, to) {
			byHand = byHand || f.Line == debt.PowerOut
			flows = append(flows, debt.Flow{On: on, Line: f.Line, Amount: f.Amount, Note: f.Name})
		}
	}
	power, perDay := d.powerDay()
	powerText := "as planned by hand: the planned power payments of these weeks replace the reckoned ones"
	if !byHand {
		powerText = Full(perDay) + " a day, paid as used: what the machines that hash draw, at each site's price"
		for on := d.On; on <= to; on++ {
			if perDay.Minor > 0 {
				flows = append(flows, debt.Flow{On: on, Line: debt.PowerOut, Amount: perDay, Note: "reckoned"})
			}
		}
	}
	for _, a := range d.arrears() {
		if a.Short.Minor > 0 {
			flows = append(flows, debt.Flow{On: d.On, Line: debt.OtherOut, Amount: a.Short, Note: "arrears of " + a.Facility})
		}
	}
	active := d.Active() * unit.Hashrate(t.Uptime)
	plan := debt.WeekPlan{
		From: d.On, Weeks: weeks, Cash: d.Position.Cash, Coins: d.Position.Coins,
		Hashrate:    func(debt.Date) unit.Hashrate { return active },
		SatPerPHDay: d.satPath(), Price: func(debt.Date) unit.Money { return d.Position.Price },
		Selling: debt.Selling{Share: t.SellShare, Floor: t.CashFloor}, Flows: flows, Book: d.dueAfterToday(),
	}
	ws, err := debt.Weeks(plan)
	if err != nil {
		p.Missing = err.Error()
		return p
	}
	p.Weeks = ws
	for i, w := range ws {
		if w.ShortOfFloor.Minor > 0 && p.Short == 0 {
			p.Short = i + 1
		}
		if w.Overdrawn && p.Overdrawn == 0 {
			p.Overdrawn = i + 1
		}
	}
	p.Assumptions = []Input{d.inCash(), d.inCoins(), d.inFleet(), d.inPrice(),
		{Name: "production", Text: plain(d.sat.Value, 0) + " sat/PH/day today", Source: d.hashprice.Source},
		d.inTerms("difficulty", fmt.Sprintf("%s a year, at each retarget (every 2016 blocks)", t.DifficultyYear)),
		d.inTerms("selling", fmt.Sprintf("%s of each week's production, and from stock to keep cash over %s", t.SellShare, Full(unit.Money{Minor: t.CashFloor.Minor, Currency: d.Currency}))),
		d.inTerms("price of a bitcoin", "held still"),
		{Name: "power", Text: powerText, Source: power.Source},
		{Name: "debt service", Text: "as the schedules have it", Source: d.inDebt().Source},
		d.inFlows("planned flows of a year", unit.Money{Minor: d.Position.Fixed.Minor + d.Position.Other.Minor, Currency: d.Currency}),
	}
	return p
}

// dueAfterToday is the book with what fell due before today left as it is: a
// plan that begins today counts today's payments only when they are still to
// be made.
func (d *Desk) dueAfterToday() debt.Book {
	b := debt.Book{Currency: d.Currency}
	for _, s := range d.Position.Book.Schedules {
		paid := int64(0)
		for _, p := range d.Book.Paid {
			if p.Facility == s.Facility.ID && p.Due == d.On {
				paid += p.Amount.Minor
			}
		}
		if paid > 0 {
			c := s
			c.Payments = nil
			for _, x := range s.Payments {
				if x.Due != d.On || x.Cash.Minor > paid {
					c.Payments = append(c.Payments, x)
				}
			}
			s = c
		}
		b.Schedules = append(b.Schedules, s)
	}
	return b
}

// powerDay is what a day's power costs with the machines that hash and pay.
func (d *Desk) powerDay() (Input, unit.Money) {
	in, err := d.Position.Income()
	if err != nil {
		return d.inPower(), d.money(0)
	}
	return d.inPower(), d.money(int64(math.Round(float64(in.Power.Minor) / 365)))
}

// satPath is what 1 PH/s earns on a day: today's, less what difficulty grows at
// each retarget, halved at a halving.
func (d *Desk) satPath() func(debt.Date) float64 {
	today, sat := d.On, d.sat.Value
	growth := math.Log1p(d.Book.Terms.DifficultyYear.Float())
	height := d.Market.Height.Value
	known := d.Market.Height.Ok
	share := 1 - d.Market.FeeShare.Value // of the reward that is subsidy
	return func(on debt.Date) float64 {
		days := float64(on - today)
		const epoch = float64(market.EpochBlocks*market.Spacing) / market.DaySeconds
		into := 0.0 // how far the running epoch has come, in days
		at := height
		if known {
			into = float64(height%market.EpochBlocks) * market.Spacing / market.DaySeconds
			at = height + int64(days*market.DaySeconds/market.Spacing)
		}
		retargets := math.Floor((days + into) / epoch)
		v := sat * math.Exp(-growth*retargets*epoch/365)
		if known {
			if n := at/market.HalvingBlocks - height/market.HalvingBlocks; n > 0 {
				v *= 1 - share + share/math.Exp2(float64(n))
			}
		}
		return v
	}
}

// Runway is how many weeks the plan lasts until cash goes under zero, looked
// for over two years; ok is false when it does not.
func (d *Desk) Runway() (weeks int, on time.Time, ok bool) {
	p := d.PlanOf(104)
	if p.Overdrawn == 0 {
		return 0, time.Time{}, false
	}
	return p.Overdrawn, p.Weeks[p.Overdrawn-1].To.Time(), true
}
