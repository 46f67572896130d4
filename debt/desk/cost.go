package desk

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"time"

	"ballast/debt"
	"ballast/market"
	"ballast/unit"
)

// Cost is hashcost, step by step, and group by group.
type Cost struct {
	Missing string
	Days    int
	Ran     unit.Hashrate
	Hash    unit.Hashprice
	Steps   []debt.Step
	Figures []Figure // one for each step, and the total
	Groups  []GroupCost
}

// GroupCost is the power part of one group's hashcost.
type GroupCost struct {
	Site       string            `json:"site"`
	Model      string            `json:"model"`
	Machines   int               `json:"machines"`
	Hashing    int               `json:"hashing"`
	Active     float64           `json:"active_ths"`
	Efficiency float64           `json:"efficiency_j_per_th"`
	Nameplate  bool              `json:"nameplate,omitempty" doc:"Efficiency is the nameplate's: the machines do not tell their power."`
	AgeDays    int               `json:"age_days" doc:"Mean, since Ballast first saw them."`
	Power      unit.Opt[float64] `json:"power_per_mwh,omitzero"`
	Hashcost   unit.Opt[float64] `json:"hashcost,omitzero" doc:"Power, per PH/s and day."`
	Margin     unit.Opt[float64] `json:"margin,omitzero" doc:"Hashprice less hashcost."`
	EvenPower  unit.Opt[float64] `json:"break_even_power_per_mwh,omitzero"`
	EvenPrice  unit.Opt[float64] `json:"break_even_price,omitzero" doc:"Of a bitcoin."`
}

const costDays = 30

// Hashcost spreads a month's run rate over the hashrate that runs.
func (d *Desk) Hashcost() Cost {
	c := Cost{Days: costDays, Ran: d.Active() * unit.Hashrate(d.Book.Terms.Uptime), Hash: d.Position.Hashprice}
	c.Groups = d.groupCosts()
	switch {
	case d.noIncome != "":
		c.Missing = d.noIncome
	case c.Ran <= 0:
		c.Missing = "no machine hashes now"
	}
	if c.Missing != "" {
		return c
	}
	// Power of all that hashes, whether it pays or not: that is what it costs.
	var power int64
	for _, g := range d.Position.Groups {
		m, err := g.Hashcost().Revenue(g.Active*unit.Hashrate(d.Book.Terms.Uptime), costDays*24*time.Hour)
		if err != nil {
			c.Missing = err.Error()
			return c
		}
		power += m.Minor
	}
	month := func(lines ...debt.Line) unit.Opt[unit.Money] {
		sum, n := d.planned(365, func(l debt.Line) bool { return slices.Contains(lines, l) })
		if n == 0 {
			return unit.None[unit.Money]()
		}
		return unit.Some(d.money(perMonth(sum)))
	}
	costs := debt.Costs{Power: unit.Some(d.money(power)), Hosting: month(debt.HostingOut), LabourRepair: month(debt.Payroll, debt.Repair), Admin: month(debt.Admin)}
	if interest := d.Position.Book.Due(d.On, d.On.AddMonths(12)).Interest; len(d.Position.Book.Schedules) > 0 {
		costs.Interest = unit.Some(d.money(perMonth(interest.Minor)))
	}
	if dep := d.Book.Terms.Depreciation; dep.Minor > 0 {
		costs.Depreciation = unit.Some(d.money(int64(math.Round(float64(dep.Minor) * 12 * costDays / 365))))
	}
	steps, err := debt.Waterfall(costs, c.Ran, costDays, d.Position.Hashprice)
	if err != nil {
		c.Missing = err.Error()
		return c
	}
	c.Steps = steps
	from := map[string]Input{
		"power": d.inPower(), "hosting": d.inFlows("hosting paid", costs.Hosting.Or(d.money(0))), "labour and repair": d.inFlows("payroll, repair and spares", costs.LabourRepair.Or(d.money(0))),
		"administration": d.inFlows("administration", costs.Admin.Or(d.money(0))), "interest": {Name: "interest of 30 days", Text: Full(costs.Interest.Or(d.money(0))), Source: d.inDebt().Source, Of: "service"},
		"depreciation": d.inTerms("depreciation of 30 days, book", Full(costs.Depreciation.Or(d.money(0)))),
	}
	formula := map[string]string{"power": "sum over machines that hash: J/TH × power price × 24 h × PUE", "interest": "cash interest of the next 12 months × 30/365 / (hashrate × 30 days)"}
	for _, s := range steps {
		f, ok := formula[s.Name]
		if !ok {
			f = "planned over the next 365 days × 30/365 / (hashrate × 30 days)"
		}
		if s.Name == "depreciation" {
			f = "book depreciation a month / (hashrate × 30 days)"
		}
		fig := figure("cost/"+s.Name, s.Name, string(d.Currency)+"/PH/day", f, from[s.Name], d.inFleet())
		c.Figures = append(c.Figures, fig.set(s.Cost.PerPHDay(), plain(s.Cost.PerPHDay(), 2), "").noted("together %s, leaves %s", plain(s.Total.PerPHDay(), 2), plain(s.Margin.PerPHDay(), 2)))
	}
	return c
}

func perMonth(minor int64) int64 { return int64(math.Round(float64(minor) * costDays / 365)) }

func (d *Desk) groupCosts() []GroupCost {
	out := []GroupCost{}
	for i, g := range d.Fleet.Groups {
		p := d.Position.Groups[i]
		x := GroupCost{Site: g.Site, Model: g.Model, Machines: g.Machines, Hashing: g.Hashing, Active: math.Round(float64(g.Active)*10) / 10, Efficiency: math.Round(float64(g.Efficiency)*100) / 100, Nameplate: g.Nameplate, AgeDays: int(g.Age.Hours() / 24)}
		if d.hashprice.Ok && g.Efficiency > 0 {
			if e, ok := market.BreakEvenPower(d.hashprice.Value, g.Efficiency, d.Book.Terms.Overhead); ok {
				x.EvenPower = unit.Some(e.PerMWh())
			}
		}
		if g.Power.Ok && p.Power.Currency == g.Power.Value.Currency {
			x.Power = unit.Some(p.Power.PerMWh())
			cost := p.Hashcost()
			x.Hashcost = unit.Some(cost.PerPHDay())
			if d.hashprice.Ok {
				x.Margin = unit.Some(d.hashprice.Value.PerPHDay() - cost.PerPHDay())
			}
			if d.sat.Ok {
				if v, err := market.BreakEvenPrice(cost, new(big.Rat).SetFloat64(d.sat.Value)); err == nil {
					f, _ := v.Float64()
					x.EvenPrice = unit.Some(math.Round(f))
				}
			}
		}
		out = append(out, x)
	}
	return out
}

// HeatOf is a heat map of a metric, or why there is none.
func (d *Desk) HeatOf(m debt.Metric, against debt.Against) (debt.Heat, string, error) {
	if !m.Known() {
		return debt.Heat{}, "", fmt.Errorf("metric %q: %w", m, ErrInvalid)
	}
	why := d.lacks(m)
	if why == "" {
		why = d.noIncome
	}
	if why == "" && len(d.Position.Book.Schedules) == 0 && m != debt.Liquidity {
		why = "no facility is entered"
	}
	h, err := d.Position.HeatMap(m, against, Multiples(against, true), Multiples(against, false))
	return h, why, err
}

// Multiples are those of the price of a bitcoin, or of what it is set against.
func Multiples(against debt.Against, price bool) []float64 {
	switch {
	case price:
		return []float64{0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2}
	case against == debt.PowerPrice:
		return []float64{0.6, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2}
	}
	return []float64{0.7, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2}
}

// SayOther is a multiple of difficulty or of the power price, in words.
func (d *Desk) SayOther(against debt.Against, k float64) string {
	if against == debt.PowerPrice {
		var cost, watts float64
		for _, g := range d.Position.Groups {
			w := float64(g.Active) * float64(g.Efficiency)
			cost += w * g.Power.PerMWh()
			watts += w
		}
		if watts == 0 {
			return percent(k)
		}
		return signed(plain(cost/watts*k, 1), d.Currency) + "/MWh"
	}
	return plain(d.Market.Difficulty.Value*k/1e12, 1) + " T"
}
