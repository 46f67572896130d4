package server

import (
	"context"
	"math"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"ballast/debt"
	"ballast/market"
	"ballast/unit"
)

// HardwareOption is one thing that can be done about a TH/s: repair what is
// there, buy new, keep running.
type HardwareOption struct {
	Name   string  `json:"name" minLength:"1" maxLength:"100"`
	PerTH  float64 `json:"usd_per_th" minimum:"0" doc:"What it costs now per TH/s: the price of new machines landed and installed, or of the repair; 0 to keep running."`
	JTH    float64 `json:"j_per_th" exclusiveMinimum:"0" maximum:"1000"`
	Life   int     `json:"life_days" minimum:"1" maximum:"3650" doc:"Days of life that it has then."`
	Uptime float64 `json:"uptime,omitempty" minimum:"0" maximum:"1" doc:"Missing: 0.95."`
	Resale float64 `json:"resale_usd_th,omitempty" minimum:"0" doc:"At the end of its life."`
}

type weighInput struct {
	Body struct {
		Options   []HardwareOption `json:"options" minItems:"1" maxItems:"12"`
		Power     float64          `json:"power_usd_mwh" minimum:"0" maximum:"10000"`
		Overhead  float64          `json:"overhead,omitempty" minimum:"0" maximum:"3" doc:"PUE; missing: 1."`
		Hashprice *float64         `json:"hashprice_usd,omitempty" doc:"Missing: the market's."`
		Drift     float64          `json:"drift" minimum:"-3" maximum:"3" doc:"Growth of hashprice a year, logarithmic: -0.3 is what growing difficulty does to it at a flat price."`
		Vol       float64          `json:"vol,omitempty" minimum:"0" maximum:"3" doc:"Of hashprice, a year; missing: 0.6."`
		Rate      float64          `json:"rate,omitempty" minimum:"0" maximum:"1" doc:"Of discount, a year; missing: 0.12."`
	}
}

// WeighedOption is what an option comes to, per TH/s.
type WeighedOption struct {
	HardwareOption
	Hashcost float64  `json:"hashcost_usd"`
	Payback  *int     `json:"payback_days,omitempty" doc:"Until the cash has come back; missing: not within its life."`
	NPV      float64  `json:"npv_usd_th"`
	MOIC     *float64 `json:"moic,omitempty" doc:"Cash over cost, not discounted; missing where it costs nothing."`
	IRR      *float64 `json:"irr,omitempty"`
	Option   float64  `json:"option_usd_th" doc:"Value of the right to hash, or not, on each day of its life."`
	Now      float64  `json:"intrinsic_usd_th" doc:"The same without volatility."`
	Net      float64  `json:"net_usd_th" doc:"Option value less cost: the best option has the most."`
}

type weighBody struct {
	Hashprice MarketNumber    `json:"hashprice"`
	Options   []WeighedOption `json:"options" doc:"As they were asked for."`
	Best      int             `json:"best" doc:"Index of the one with the most net value; -1 when none is worth its cost."`
	Formula   string          `json:"formula"`
}

func (s *Server) registerHardware(tags []string) {
	op(s, huma.Operation{OperationID: "weigh-hardware", Method: http.MethodPost, Path: "/api/v1/outlook/hardware", Summary: "Weigh new machines against repair, per TH/s", Tags: tags, Errors: []int{422}}, s.weighHardware)
}

func (s *Server) weighHardware(_ context.Context, in *weighInput) (*struct{ Body weighBody }, error) {
	b := in.Body
	var out weighBody
	if now := s.marketNow(); b.Hashprice != nil {
		out.Hashprice = MarketNumber{Value: *b.Hashprice, Unit: "USD/PH/day", At: now.At, Asked: now.At, Source: "the request", Kind: "entered"}
	} else if now.Hashprice != nil {
		out.Hashprice = *now.Hashprice
	} else {
		return nil, huma.Error422UnprocessableEntity("hashprice is not known: give it, or see the market's page")
	}
	hp := out.Hashprice.Value
	if !(hp > 0 && hp < 1e6) {
		return nil, huma.Error422UnprocessableEntity("a hashprice over 0 must be given")
	}
	over, vol, rate := or(b.Overhead, 1), or(b.Vol, 0.6), or(b.Rate, 0.12)
	out.Best = -1
	out.Formula = "net value = sum over the days of its life of a call on that day's hashprice with its hashcost as strike (Black 1976), discounted, times uptime, less what it costs"
	for i, o := range b.Options {
		cost := market.Hashcost(unit.Efficiency(o.JTH), unit.EnergyPriceOf(b.Power, unit.USD), over)
		up := or(o.Uptime, 0.95)
		w := WeighedOption{HardwareOption: o, Hashcost: cost.PerPHDay()}
		worth, err := debt.Purchase{PerTH: max(o.PerTH, 1e-9), Hashprice: hp, Hashcost: w.Hashcost, Drift: b.Drift, Uptime: up, Days: o.Life, Resale: o.Resale, Rate: rate}.Weigh()
		if err != nil {
			return nil, huma.Error422UnprocessableEntity(o.Name + ": " + err.Error())
		}
		strip, err := debt.Strip{Hashprice: unit.HashpriceOf(hp, unit.USD), Drift: b.Drift, Hashcost: cost, Vol: vol, Rate: rate, Days: o.Life, Uptime: up}.Value()
		if err != nil {
			return nil, huma.Error422UnprocessableEntity(o.Name + ": " + err.Error())
		}
		resale := o.Resale * math.Exp(-rate*float64(o.Life)/365)
		w.NPV, w.Option, w.Now = worth.NPV, strip.Value/1000+resale, strip.Intrinsic/1000+resale
		w.Net = w.Option - o.PerTH
		if o.PerTH > 0 {
			m := worth.MOIC
			w.MOIC, w.IRR = &m, pointer(worth.IRR)
			if d, ok := worth.Payback.Get(); ok {
				w.Payback = &d
			}
		}
		if w.Net > 0 && (out.Best < 0 || w.Net > out.Options[out.Best].Net) {
			out.Best = i
		}
		out.Options = append(out.Options, w)
	}
	return &struct{ Body weighBody }{out}, nil
}

func or(v, d float64) float64 {
	if v == 0 {
		return d
	}
	return v
}
