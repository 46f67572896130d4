// Package play turns what a CFO assumes (a company, a market, a policy, levers)
// into runs of debt/stress, and what comes out into an outlook: the hashrate-debt
// ratio at a date, the chance that it is under a line, default and distress, and
// what each lever changes, all on the same paths.
//
// Every number that goes in is listed with where it is from (Assumption): what
// the market tells, what the fleet measures, what somebody entered, and what is
// a plain assumption of this package.
package play

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"ballast/debt"
	"ballast/debt/stress"
	"ballast/unit"
)

// ErrInvalid reports a scenario that makes no sense.
var ErrInvalid = errors.New("not a valid scenario")

// Scenario is everything that an outlook assumes. Numbers that are missing are
// taken from what is known, or are this package's assumptions; both are listed
// with the outcome.
type Scenario struct {
	From    debt.Date `json:"from,omitzero" doc:"First day; missing: today."`
	To      debt.Date `json:"to,omitzero" doc:"The date that is asked for; missing: a year on."`
	Paths   int       `json:"paths,omitempty" doc:"Missing: 10,000."`
	Seed    uint64    `json:"seed,omitempty" doc:"The same seed gives the same outcome. Missing: 1."`
	Line    float64   `json:"line,omitempty" doc:"Of the hashrate-debt ratio; missing: 1.5, which is the claim's line."`
	Shrink  float64   `json:"shrink,omitempty" doc:"A retarget at or under it counts as the network shrinking; missing: -0.05."`
	Fall    float64   `json:"fall,omitempty" doc:"Difficulty that far under its peak counts as a crash of the network; missing: -0.2."`
	Market  Market    `json:"market,omitzero"`
	Company Company   `json:"company"`
	Policy  Policy    `json:"policy,omitzero"`
	Levers  []Lever   `json:"levers,omitempty" maxItems:"12"`
}

// Market is how the market may go.
type Market struct {
	Model      stress.PriceKind  `json:"model,omitempty" enum:"bootstrap,garch,heston,gbm" doc:"Of the price of a bitcoin; missing: bootstrap where there is enough past, else garch."`
	Drift      float64           `json:"drift,omitempty" doc:"Expected growth of the price a year; missing: none, which is no view."`
	Vol        unit.Opt[float64] `json:"vol,omitzero" doc:"Of the price, a year; missing: that of the past."`
	Price      unit.Opt[float64] `json:"price_usd,omitzero" doc:"Of a bitcoin; missing: the market's."`
	Hashprice  unit.Opt[float64] `json:"hashprice_usd,omitzero" doc:"Per PH/s and day; missing: the market's."`
	PriceShock float64           `json:"price_shock,omitempty" doc:"At once, on the first day: -0.3 is 30 % down."`
	HardShock  float64           `json:"difficulty_shock,omitempty" doc:"At once: 0.2 is 20 % more difficulty."`
	PowerShock float64           `json:"power_shock,omitempty" doc:"At once: 0.25 is 25 % dearer power."`
	Growth     unit.Opt[float64] `json:"growth,omitzero" doc:"Of the network's machines a year, logarithmic, at today's hashprice."`
	Response   unit.Opt[float64] `json:"response,omitzero" doc:"By how much that growth rises when the logarithm of hashprice rises by one."`
	Lag        unit.Opt[float64] `json:"lag_days,omitzero" doc:"In which two thirds of those who should switch off do."`
	LagOn      unit.Opt[float64] `json:"lag_on_days,omitzero" doc:"The same for switching on again."`
	Sunk       unit.Opt[float64] `json:"sunk,omitzero" doc:"How far under its cost a machine goes on, as a share of it."`
	Resold     unit.Opt[float64] `json:"resold,omitzero" doc:"Share of machines that stand still that somebody with cheaper power buys and runs."`
	Costs      []stress.Cost     `json:"costs,omitempty" maxItems:"40" doc:"Shares of the network's hashrate and their hashcost."`
}

// Company is the miner.
type Company struct {
	Name       string            `json:"name,omitempty" maxLength:"200"`
	Source     string            `json:"source,omitempty" maxLength:"400" doc:"Where the figures are from."`
	Groups     []Group           `json:"groups" maxItems:"200"`
	PowerPrice float64           `json:"power_usd_mwh" doc:"At the site's meter."`
	PowerVol   float64           `json:"power_vol,omitempty" doc:"Standard deviation of the logarithm of the power price in the long run; missing: a fixed price."`
	Overhead   float64           `json:"overhead,omitempty" doc:"PUE; missing: 1."`
	Uptime     float64           `json:"uptime,omitempty" doc:"Share of the time that machines hash; missing: 1, where the groups are what is measured."`
	Fixed      float64           `json:"fixed_usd_day,omitempty" doc:"Costs that do not stop: people, repair, administration."`
	Other      float64           `json:"other_usd_day,omitempty" doc:"Other income after its cost."`
	Cash       float64           `json:"cash_usd,omitempty"`
	Coins      float64           `json:"coins_btc,omitempty" doc:"Free; pledged coins stand with their facility."`
	Thin       float64           `json:"thin_usd,omitempty" doc:"Liquidity under which the company is in distress; missing: what falls due in the first 30 days."`
	Facilities []debt.Facility   `json:"facilities,omitempty" maxItems:"200"`
	RigPerTH   unit.Opt[float64] `json:"rig_usd_th,omitzero" doc:"What its machines are worth per TH/s; missing: reckoned from the book of machine prices."`
	RigBeta    unit.Opt[float64] `json:"rig_beta,omitzero" doc:"By how many per cent that moves when hashprice moves by one."`
	RigImpact  unit.Opt[float64] `json:"rig_impact,omitzero" doc:"By how many per cent it falls when one per cent of the network's machines come to market."`
	Haircut    unit.Opt[float64] `json:"haircut,omitzero" doc:"What a forced sale takes off."`
}

// Group is machines that are alike.
type Group struct {
	Name string  `json:"name,omitempty" maxLength:"100"`
	PH   float64 `json:"ph"`
	JTH  float64 `json:"j_per_th"`
}

// Policy is how the treasury goes about its coins and its price risks.
type Policy struct {
	Sell         float64            `json:"sell,omitempty" doc:"Share of each day's coins that is sold at once."`
	Cover        float64            `json:"cover,omitempty" doc:"Share of each day's payments that coins are sold for: 1 covers costs and holds the rest."`
	Floor        float64            `json:"floor_usd,omitempty" doc:"Coins are sold when cash falls under it."`
	Borrow       *stress.CreditLine `json:"borrow,omitempty" doc:"A line against coins, drawn before coins are sold."`
	Forward      float64            `json:"forward,omitempty" doc:"Share of hashrate whose hashprice is fixed."`
	Fixing       unit.Opt[float64]  `json:"fixing_usd,omitzero" doc:"At what hashprice; missing: today's."`
	PowerForward float64            `json:"power_forward,omitempty" doc:"Share of power whose price is fixed."`
	PowerFixing  unit.Opt[float64]  `json:"power_fixing,omitzero" doc:"At what multiple of today's power price; missing: 1."`
}

// Lever is one thing that can be pulled, and its effect.
type Lever struct {
	Name     string  `json:"name" maxLength:"40"`
	Title    string  `json:"title,omitempty" maxLength:"200"`
	On       bool    `json:"on"`
	Uptime   float64 `json:"uptime,omitempty" doc:"Added to the share of time that machines hash: 0.02 is two points."`
	Power    float64 `json:"power,omitempty" doc:"Relative change of what power costs: -0.05 is 5 % cheaper."`
	JTH      float64 `json:"j_per_th,omitempty" doc:"Relative change of efficiency: -0.03 takes 3 % less power."`
	Fixed    float64 `json:"fixed_usd_day,omitempty" doc:"Added to fixed costs; negative saves."`
	Evidence string  `json:"evidence" enum:"measured,assumed" doc:"measured by Ballast, or assumed by somebody."`
	Source   string  `json:"source,omitempty" maxLength:"400"`
}

// Known is what is known of the market when an outlook is made.
type Known struct {
	Today     debt.Date
	Price     Number
	Hashprice Number
	FeeShare  Number
	// Returns are past daily logarithmic returns of the price, oldest first.
	Returns       []float64
	ReturnsSource string
	// Of the running epoch.
	Blocks, BlockDays, Pace float64
	HalvingDays             float64
	RigPerTH                func(jth float64) Number // the book's price for an efficiency
}

// Number is a number that may be known, with its source.
type Number struct {
	Value  float64
	Known  bool
	Source string
}

// Assumption is one number that went in.
type Assumption struct {
	Name   string  `json:"name"`
	Value  float64 `json:"value"`
	Unit   string  `json:"unit"`
	From   string  `json:"from" enum:"market,entered,fleet,record,assumed" doc:"market: told by the market's sources; entered in the scenario; fleet: measured; record: from the books; assumed: of no source but judgement."`
	Source string  `json:"source"`
}

// Outcome is what a scenario came to.
type Outcome struct {
	Scenario    Scenario       `json:"scenario"` // as it was played, with its dates
	Days        int            `json:"days"`
	Assumptions []Assumption   `json:"assumptions"`
	Start       Start          `json:"start"`
	Result      stress.Summary `json:"result"` // with the levers that are on
	Levers      []LeverOutcome `json:"levers"`
}

// Start is where the company stands on the first day.
type Start struct {
	Owed      float64           `json:"owed_usd"`
	Worth     float64           `json:"rigs_usd"`
	Ratio     unit.Opt[float64] `json:"ratio,omitzero"`
	Hashrate  float64           `json:"ph"`
	Hashprice float64           `json:"hashprice_usd"`
	Hashcost  float64           `json:"hashcost_usd"` // of power, mean
	Revenue   float64           `json:"revenue_usd_day"`
	Power     float64           `json:"power_usd_day"`
	Fixed     float64           `json:"fixed_usd_day"`
	Due30     float64           `json:"due_30_usd"`
}

// LeverOutcome is the company with one lever and without it, other levers off; or
// all that are on against none.
type LeverOutcome struct {
	Name     string `json:"name"`
	Title    string `json:"title"`
	On       bool   `json:"on"`
	Evidence string `json:"evidence"`
	Source   string `json:"source"`
	Without  Brief  `json:"without"`
	With     Brief  `json:"with"`
}

// Brief is a summary in four numbers.
type Brief struct {
	Ratio     unit.Opt[float64] `json:"ratio_median,omitzero"`
	UnderLine stress.Chance     `json:"under_line"`
	Default   stress.Chance     `json:"default"`
	Lowest    float64           `json:"lowest_usd"` // liquidity, median
}

func brief(s stress.Summary) Brief {
	b := Brief{UnderLine: s.UnderLine, Default: s.Default}
	for _, q := range s.Ratio {
		if q.At == 0.5 {
			b.Ratio = unit.Some(q.Value)
		}
	}
	for _, q := range s.Lowest {
		if q.At == 0.5 {
			b.Lowest = q.Value
		}
	}
	return b
}

// Limits of what is played at once.
const (
	MostPaths = 200_000
	mostWork  = 200_000_000 // days of paths, of one run
)

// Runs is how many runs a scenario takes: one with the levers that are on, and
// with levers one without and one for each.
func (s Scenario) Runs() int {
	if len(s.Levers) == 0 {
		return 1
	}
	return len(s.Levers) + 2
}

// Play plays a scenario. told, when it is not nil, hears how much of the work is
// done, from 0 to 1, from any goroutine.
func Play(ctx context.Context, s Scenario, k Known, workers int, told func(done float64)) (Outcome, error) {
	s, err := s.whole(k)
	if err != nil {
		return Outcome{}, err
	}
	days := int(s.To - s.From)
	out := Outcome{Scenario: s, Days: days, Levers: []LeverOutcome{}}
	total, finished := float64(s.Runs()*s.Paths), 0.0
	run := func(levers []Lever, notes *[]Assumption, start *Start) (stress.Summary, error) {
		p, n, f, err := s.build(k, days, levers, notes, start)
		if err != nil {
			return stress.Summary{}, err
		}
		c := stress.Config{Paths: s.Paths, Days: days, Seed: s.Seed, Workers: workers, Line: s.Line, Shrink: s.Shrink, Fall: s.Fall, Marks: marks(days)}
		if told != nil {
			base := finished
			c.Told = func(done int) { told((base + float64(done)) / total) }
		}
		r, err := stress.RunContext(ctx, p, n, f, c)
		if err != nil {
			if errors.Is(err, stress.ErrInvalid) {
				err = fmt.Errorf("%w: %w", ErrInvalid, err)
			}
			return stress.Summary{}, err
		}
		finished += float64(s.Paths)
		return r.Sum, nil
	}
	on := slices.DeleteFunc(slices.Clone(s.Levers), func(l Lever) bool { return !l.On })
	if out.Result, err = run(on, &out.Assumptions, &out.Start); err != nil {
		return Outcome{}, err
	}
	if len(s.Levers) == 0 {
		return out, nil
	}
	bare, err := run(nil, nil, nil)
	if err != nil {
		return Outcome{}, err
	}
	for _, l := range s.Levers {
		with, err := run([]Lever{l}, nil, nil)
		if err != nil {
			return Outcome{}, err
		}
		out.Levers = append(out.Levers, LeverOutcome{l.Name, l.Title, l.On, l.Evidence, l.Source, brief(bare), brief(with)})
	}
	out.Levers = append(out.Levers, LeverOutcome{"all", "all levers that are on", len(on) > 0, evidence(on), "", brief(bare), brief(out.Result)})
	return out, nil
}

// Check tells what is wrong with a scenario without playing it.
func (s Scenario) Check(k Known) error {
	s, err := s.whole(k)
	if err != nil {
		return err
	}
	_, _, _, err = s.build(k, int(s.To-s.From), nil, nil, nil)
	return err
}

// evidence of several levers is as weak as the weakest.
func evidence(ls []Lever) string {
	for _, l := range ls {
		if l.Evidence != "measured" {
			return "assumed"
		}
	}
	return "measured"
}

// marks are the days of the fan: a dozen or so, the last among them.
func marks(days int) []int {
	n := min(days, 13)
	out := make([]int, 0, n)
	for i := 1; i <= n; i++ {
		if d := int(math.Round(float64(days) * float64(i) / float64(n))); len(out) == 0 || d > out[len(out)-1] {
			out = append(out, d)
		}
	}
	return out
}

// whole fills in what a scenario leaves out, and checks it.
func (s Scenario) whole(k Known) (Scenario, error) {
	bad := func(format string, args ...any) (Scenario, error) {
		return s, fmt.Errorf("%w: "+format, append([]any{ErrInvalid}, args...)...)
	}
	if s.From == 0 {
		s.From = k.Today
	}
	if s.To == 0 {
		s.To = s.From + 365
	}
	if s.Paths == 0 {
		s.Paths = 10_000
	}
	if s.Seed == 0 {
		s.Seed = 1
	}
	if s.Line == 0 {
		s.Line = 1.5
	}
	if s.Shrink == 0 {
		s.Shrink = -0.05
	}
	if s.Fall == 0 {
		s.Fall = -0.2
	}
	days := int(s.To - s.From)
	switch {
	case days < 1 || days > 3660:
		return bad("from %s to %s is not one day to ten years", s.From, s.To)
	case s.Paths < 100 || s.Paths > MostPaths || s.Paths*days > mostWork:
		return bad("%d paths of %d days; play 100 to %d paths, and at most %d days of paths", s.Paths, days, MostPaths, mostWork)
	case !(s.Line > 0) || !(s.Shrink < 0 && s.Shrink > -1) || !(s.Fall < 0 && s.Fall > -1):
		return bad("line %g, shrink %g, fall %g", s.Line, s.Shrink, s.Fall)
	case len(s.Company.Groups) == 0:
		return bad("the company has no machines: give its groups with ph and j_per_th")
	case !(s.Company.PowerPrice >= 0 && s.Company.PowerPrice < 10_000):
		return bad("a power price of %g $/MWh", s.Company.PowerPrice)
	case !(s.Market.PriceShock > -1) || !(s.Market.HardShock > -1) || !(s.Market.PowerShock > -1):
		return bad("a shock takes all of price, difficulty or power price")
	}
	names := map[string]bool{}
	for _, l := range s.Levers {
		if l.Name == "" || l.Name == "all" || names[l.Name] {
			return bad("levers need names of their own; %q is none", l.Name)
		}
		names[l.Name] = true
		if l.Evidence != "measured" && l.Evidence != "assumed" {
			return bad("lever %s must say whether its effect is measured or assumed", l.Name)
		}
		if !(l.Power > -1 && l.Power < 10) || !(l.JTH > -1 && l.JTH < 10) || math.Abs(l.Uptime) > 1 {
			return bad("lever %s has an effect that cannot be", l.Name)
		}
	}
	return s, nil
}
