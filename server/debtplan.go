package server

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/debt"
	"ballast/debt/desk"
	"ballast/ledger"
	"ballast/unit"
)

func ledgerDay(day string, body json.RawMessage, at time.Time) ledger.DebtDay {
	return ledger.DebtDay{Day: day, Body: body, At: at}
}

// DebtCovenants are all covenants.
type DebtCovenants struct {
	Company
	Covenants []desk.CovenantLine `json:"covenants"`
	Horizon   int                 `json:"horizon_days" doc:"How far ahead a breach is looked for."`
}

func (s *Server) debtCovenants(ctx context.Context, in *ScopeQuery) (*struct{ Body DebtCovenants }, error) {
	d, err := s.open(ctx, *in)
	if err != nil {
		return nil, err
	}
	return &struct{ Body DebtCovenants }{DebtCovenants{companyOf(d), append([]desk.CovenantLine{}, d.Covenants()...), desk.Horizon}}, nil
}

// DebtWeeks is the cash plan.
type DebtWeeks struct {
	Company
	Missing     string        `json:"missing,omitempty" doc:"Why there is no plan."`
	Lines       []WeekLine    `json:"lines" doc:"In the order of a statement; those that are zero in every week are left out."`
	Weeks       []Week        `json:"weeks"`
	Floor       Amount        `json:"floor" doc:"Cash is to stay over it."`
	Short       int           `json:"short" doc:"First week in which cash stays under the floor with all coins sold, from 1; 0 is none."`
	Overdrawn   int           `json:"overdrawn" doc:"First week in which cash goes under zero; 0 is none."`
	Assumptions []desk.Input  `json:"assumptions"`
	Runway      desk.Figure   `json:"runway"`
	Balances    []BalanceLine `json:"balances"`
	Flows       []FlowLine    `json:"flows"`
}

// WeekLine is a line of the plan over all weeks.
type WeekLine struct {
	Line    string   `json:"line"`
	Receipt bool     `json:"receipt"`
	Amounts []Amount `json:"amounts" doc:"Week by week, positive whichever way the money goes."`
	Total   Amount   `json:"total"`
}

// Week is a column of the plan. To the cent, closing = opening + receipts -
// payments.
type Week struct {
	From     string `json:"from"`
	To       string `json:"to"`
	Opening  Amount `json:"opening"`
	Receipts Amount `json:"receipts"`
	Payments Amount `json:"payments"`
	Closing  Amount `json:"closing"`
	Mined    Amount `json:"mined"`
	Sold     Amount `json:"sold"`
	Coins    Amount `json:"coins" doc:"Free bitcoin at the end of the week."`
	Short    Amount `json:"short_of_floor"`
}

// BalanceLine is what an account held on a day.
type BalanceLine struct {
	ID      int64       `json:"id"`
	On      string      `json:"on"`
	Account string      `json:"account"`
	Amount  Amount      `json:"amount"`
	Pledged bool        `json:"pledged"`
	Source  desk.Source `json:"source"`
}

// FlowLine is a planned flow.
type FlowLine struct {
	ID     int64       `json:"id"`
	On     string      `json:"on"`
	Line   string      `json:"line"`
	Amount Amount      `json:"amount"`
	Every  string      `json:"every,omitempty"`
	Until  string      `json:"until,omitempty"`
	Name   string      `json:"name,omitempty"`
	Source desk.Source `json:"source"`
}

func (s *Server) debtWeeks(ctx context.Context, in *ScopeQuery) (*struct{ Body DebtWeeks }, error) {
	d, err := s.open(ctx, *in)
	if err != nil {
		return nil, err
	}
	return &struct{ Body DebtWeeks }{weeksOf(d)}, nil
}

func weeksOf(d *desk.Desk) DebtWeeks {
	p := d.Plan13()
	out := DebtWeeks{Company: companyOf(d), Missing: p.Missing, Lines: []WeekLine{}, Weeks: []Week{}, Floor: amount(unit.Money{Minor: d.Book.Terms.CashFloor.Minor, Currency: d.Currency}), Short: p.Short, Overdrawn: p.Overdrawn, Assumptions: append([]desk.Input{}, p.Assumptions...), Balances: []BalanceLine{}, Flows: []FlowLine{}}
	for _, f := range d.Figures() {
		if f.Key == string(debt.Runway) {
			out.Runway = f
		}
	}
	for _, b := range d.Book.Balances {
		out.Balances = append(out.Balances, BalanceLine{b.ID, b.On.String(), b.Account, amount(b.Amount), b.Pledged, b.Source})
	}
	for _, f := range d.Book.Flows {
		l := FlowLine{ID: f.ID, On: f.On.String(), Line: string(f.Line), Amount: amount(f.Amount), Every: string(f.Every), Name: f.Name, Source: f.Source}
		if f.Until != 0 {
			l.Until = f.Until.String()
		}
		out.Flows = append(out.Flows, l)
	}
	for _, w := range p.Weeks {
		out.Weeks = append(out.Weeks, Week{w.From.String(), w.To.String(), amount(w.Opening), amount(w.Receipts()), amount(w.Payments()), amount(w.Closing), amount(w.Mined), amount(w.Sold), amount(w.CoinsClosing), amount(w.ShortOfFloor)})
	}
	for _, l := range debt.Lines {
		line := WeekLine{Line: string(l), Receipt: l.Receipt(), Amounts: []Amount{}}
		total := unit.Money{Currency: d.Currency}
		for _, w := range p.Weeks {
			m := unit.Money{Minor: w.By[l].Minor, Currency: d.Currency}
			total.Minor += m.Minor
			line.Amounts = append(line.Amounts, amount(m))
		}
		if line.Total = amount(total); total.Minor != 0 {
			out.Lines = append(out.Lines, line)
		}
	}
	return out
}

// DebtHashcost is hashcost step by step, and a heat map.
type DebtHashcost struct {
	Company
	Missing   string           `json:"missing,omitempty"`
	Hashprice desk.Figure      `json:"hashprice"`
	Steps     []CostStep       `json:"steps"`
	Figures   []desk.Figure    `json:"figures" doc:"One for each step."`
	Groups    []desk.GroupCost `json:"groups"`
	Heat      DebtHeat         `json:"heat"`
}

// CostStep is one step of the waterfall, per PH/s and day.
type CostStep struct {
	Name   string  `json:"name"`
	Cost   float64 `json:"cost"`
	Total  float64 `json:"total" doc:"Of all steps so far."`
	Margin float64 `json:"margin" doc:"Hashprice less the total."`
}

// DebtHeat is a metric over multiples of today's price of a bitcoin (columns)
// and of difficulty or the power price (rows).
type DebtHeat struct {
	Metric  string           `json:"metric"`
	Against string           `json:"against"`
	Missing string           `json:"missing,omitempty"`
	Price   []float64        `json:"price" doc:"Multiples."`
	Prices  []string         `json:"prices" doc:"The prices that they are."`
	Other   []float64        `json:"other"`
	Others  []string         `json:"others"`
	Cells   [][]*float64     `json:"cells" doc:"By row; null is not to be had, and infinite values are 1e308 with their sign."`
	CFADS   [][]*Amount      `json:"cfads" doc:"Cash for debt service a year, beside it."`
	Limits  []desk.ClaimMark `json:"limits" doc:"Covenants of the company on this metric."`
}

type hashcostInput struct {
	ScopeQuery
	Metric  string `query:"metric" default:"dscr" enum:"dscr,icr,coin-ltv,machine-ltv,liquidity,runway-months,leverage,hashrate-debt"`
	Against string `query:"against" default:"difficulty" enum:"difficulty,power price"`
}

func (s *Server) debtHashcost(ctx context.Context, in *hashcostInput) (*struct{ Body DebtHashcost }, error) {
	d, err := s.open(ctx, in.ScopeQuery)
	if err != nil {
		return nil, err
	}
	c := d.Hashcost()
	out := DebtHashcost{Company: companyOf(d), Missing: c.Missing, Steps: []CostStep{}, Figures: append([]desk.Figure{}, c.Figures...), Groups: c.Groups}
	for _, f := range d.Figures() {
		if f.Key == "hashprice" {
			out.Hashprice = f
		}
	}
	for _, x := range c.Steps {
		out.Steps = append(out.Steps, CostStep{x.Name, x.Cost.PerPHDay(), x.Total.PerPHDay(), x.Margin.PerPHDay()})
	}
	if out.Heat, err = heatOf(d, debt.Metric(in.Metric), debt.Against(in.Against)); err != nil {
		if errors.Is(err, desk.ErrInvalid) || errors.Is(err, debt.ErrInvalid) {
			return nil, huma.Error422UnprocessableEntity(err.Error())
		}
		return nil, s.fail("reckoning the heat map", err)
	}
	return &struct{ Body DebtHashcost }{out}, nil
}

// infinite stands for infinity in JSON, which has none.
const infinite = 1e308

func heatOf(d *desk.Desk, m debt.Metric, against debt.Against) (DebtHeat, error) {
	h, why, err := d.HeatOf(m, against)
	out := DebtHeat{Metric: string(m), Against: string(against), Missing: why, Price: h.Price, Other: h.Other, Prices: []string{}, Others: []string{}, Cells: [][]*float64{}, CFADS: [][]*Amount{}, Limits: []desk.ClaimMark{}}
	if err != nil {
		return out, err
	}
	for _, k := range h.Price {
		out.Prices = append(out.Prices, desk.Short(unit.Money{Minor: int64(float64(d.Position.Price.Minor) * k), Currency: d.Currency}))
	}
	for _, k := range h.Other {
		out.Others = append(out.Others, d.SayOther(against, k))
	}
	if why != "" {
		return out, nil
	}
	for y := range h.Reading {
		row, cash := make([]*float64, len(h.Price)), make([]*Amount, len(h.Price))
		for x := range h.Reading[y] {
			if v, ok := h.Reading[y][x].Get(); ok {
				v = min(max(v, -infinite), infinite)
				row[x] = &v
			}
			if v, ok := h.CFADS[y][x].Get(); ok {
				a := amount(v)
				cash[x] = &a
			}
		}
		out.Cells, out.CFADS = append(out.Cells, row), append(out.CFADS, cash)
	}
	for _, c := range d.Covenants() {
		if c.Metric == m && c.Of == "" {
			out.Limits = append(out.Limits, desk.ClaimMark{At: c.Limit, Over: c.State == desk.Breached, Claim: c.Rule + ", " + c.Facility})
		}
	}
	return out, nil
}
