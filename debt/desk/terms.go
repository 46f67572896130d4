package desk

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"ballast/debt"
	"ballast/unit"
)

// Terms are what a company's figures are reckoned with: who it is, what power
// costs it, how it sells, and the assumptions of the models. Rates are a year.
type Terms struct {
	Company  string        `json:"company"`
	Currency unit.Currency `json:"currency"`
	// Example says that the company is made up, in a sentence for every page;
	// empty for a real one.
	Example string `json:"example,omitempty"`

	// Market by hand, for who has no feed.
	Market *HandMarket `json:"market,omitempty"`
	// Power is the price at each site's meter; "*" is for all others.
	Power    map[string]unit.EnergyPrice `json:"power,omitempty"`
	Overhead float64                     `json:"overhead,omitzero"` // PUE
	Uptime   float64                     `json:"uptime,omitzero"`   // share of time that active machines run

	SellShare debt.Rate  `json:"sell_share,omitzero"` // of production, each week
	CashFloor unit.Money `json:"cash_floor,omitzero"` // coins are sold to stay over it

	NewEfficiency  float64    `json:"new_efficiency_jth,omitzero"` // of machines that would be bought
	Landing        debt.Rate  `json:"landing,omitzero"`            // freight, duty and tax on their price
	InstallPerTH   float64    `json:"install_per_th,omitzero"`
	ForcedDiscount debt.Rate  `json:"forced_discount,omitzero"`
	RemovalPerTH   float64    `json:"removal_per_th,omitzero"`
	LifeMonths     int        `json:"life_months,omitzero"`  // of a machine, from when it was first seen
	Depreciation   unit.Money `json:"depreciation,omitzero"` // book, a month
	OtherAssets    unit.Money `json:"other_assets,omitzero"` // sites and contracts, at what they would bring
	SharePrice     unit.Money `json:"share_price,omitzero"`
	HashpriceVol   debt.Rate  `json:"hashprice_vol,omitzero"`
	PriceVol       debt.Rate  `json:"price_vol,omitzero"`
	PriceDrift     debt.Rate  `json:"price_drift,omitzero"`     // continuous
	HashpriceDrift debt.Rate  `json:"hashprice_drift,omitzero"` // continuous: what difficulty takes
	RiskFree       debt.Rate  `json:"risk_free,omitzero"`       // continuous
	RigBeta        float64    `json:"rig_beta,omitzero"`        // of machine prices on hashprice
	DifficultyYear debt.Rate  `json:"difficulty_year,omitzero"` // growth a year, in the cash plan
}

// HandMarket are market numbers that a person entered.
type HandMarket struct {
	Price      unit.Money `json:"price,omitzero"`
	Difficulty float64    `json:"difficulty,omitzero"`
	FeeShare   debt.Rate  `json:"fee_share,omitzero"`
	Height     int64      `json:"height,omitzero"`
	On         debt.Date  `json:"on"`               // the day that they are of
	From       string     `json:"source,omitempty"` // where they were read
}

// Defaults are the assumptions that hold until a company says otherwise. Each
// figure shows those that it was reckoned with.
func Defaults() Terms {
	return Terms{
		Currency: unit.USD, Overhead: 1, Uptime: 1, SellShare: 1_000_000,
		NewEfficiency: 15, Landing: debt.Percent(10), InstallPerTH: 1, ForcedDiscount: debt.Percent(50), RemovalPerTH: 0.5, LifeMonths: 60,
		// Annual volatility of the price of a bitcoin since 2014, and a drift of
		// hashprice that stands for difficulty growing by about 30 % a year.
		HashpriceVol: debt.Percent(67), PriceVol: debt.Percent(60), HashpriceDrift: debt.Percent(-26), RiskFree: debt.Percent(4), RigBeta: 1, DifficultyYear: debt.Percent(30),
	}
}

// ReadTerms reads terms as they were kept; what is not said is as in Defaults.
func ReadTerms(body []byte) (Terms, error) {
	t := Defaults()
	if len(body) == 0 {
		return t, nil
	}
	if err := json.Unmarshal(body, &t); err != nil {
		return Defaults(), fmt.Errorf("reading the company's terms: %w: %w", ErrInvalid, err)
	}
	return t, t.Check()
}

// Check returns everything that is wrong with t, joined.
func (t Terms) Check() error {
	var bad []error
	want := func(ok bool, what string) {
		if !ok {
			bad = append(bad, fmt.Errorf("%s: %w", what, ErrInvalid))
		}
	}
	want(len(t.Company) <= 200, "the company's name is too long")
	want(isCode(string(t.Currency)) && t.Currency != unit.BTC, "currency is no code such as USD")
	money := func(name string, m unit.Money) {
		want(m == unit.Money{} || m.Currency == t.Currency && m.Minor >= 0, name+" is no amount in "+string(t.Currency))
	}
	money("the cash floor", t.CashFloor)
	money("depreciation", t.Depreciation)
	money("other assets", t.OtherAssets)
	money("the share price", t.SharePrice)
	for site, p := range t.Power {
		want(p.Currency == t.Currency && p.PerMWh() > -1e4 && p.PerMWh() < 1e5, fmt.Sprintf("the power price of %q is no price in %s a MWh", site, t.Currency))
	}
	want(t.Overhead >= 1 && t.Overhead <= 3, "overhead (PUE) is from 1 to 3")
	want(t.Uptime > 0 && t.Uptime <= 1, "uptime is over 0 and at most 1")
	share := func(name string, r debt.Rate, least, most int64) {
		want(int64(r) >= least*10_000 && int64(r) <= most*10_000, fmt.Sprintf("%s is from %d%% to %d%%", name, least, most))
	}
	share("the share that is sold", t.SellShare, 0, 100)
	share("landing", t.Landing, 0, 300)
	share("the discount of a forced sale", t.ForcedDiscount, 0, 100)
	share("the volatility of hashprice", t.HashpriceVol, 0, 500)
	share("the volatility of the price", t.PriceVol, 0, 500)
	share("the drift of the price", t.PriceDrift, -300, 300)
	share("the drift of hashprice", t.HashpriceDrift, -300, 300)
	share("the risk-free rate", t.RiskFree, -10, 100)
	share("the growth of difficulty", t.DifficultyYear, -90, 500)
	want(t.NewEfficiency > 0 && t.NewEfficiency <= 200, "the efficiency of new machines is over 0 and at most 200 J/TH")
	want(t.InstallPerTH >= 0 && t.InstallPerTH < 1e4 && t.RemovalPerTH >= 0 && t.RemovalPerTH < 1e4, "installation and removal are amounts a TH/s")
	want(t.LifeMonths >= 1 && t.LifeMonths <= 240, "the life of a machine is from 1 to 240 months")
	want(t.RigBeta >= 0 && t.RigBeta <= 5, "the elasticity of machine prices is from 0 to 5")
	if m := t.Market; m != nil {
		money("the price of a bitcoin", m.Price)
		want(m.Difficulty >= 0 && m.Difficulty < 1e24 && !math.IsNaN(m.Difficulty), "difficulty is no difficulty")
		share("the share of fees", m.FeeShare, 0, 90)
		want(m.Height >= 0 && m.Height < 1e8, "the height of the chain is no height")
		want(m.On > 0, "market numbers need the day that they are of")
	}
	return errors.Join(bad...)
}

func isCode(s string) bool {
	for i := range len(s) {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return len(s) == 3
}
