// Package stress plays a miner's debt through many possible years of the
// market: the price of a bitcoin, the network's hashrate that answers to it,
// difficulty that follows every 2016 blocks, and so hashprice; and in each of
// them, day by day, what the miner earns, pays, sells and owes.
//
// A path is a function of the seed and its number alone, whichever worker
// walks it and in whatever order: the same seed gives the same result to the
// last bit. Workers share nothing but a counter; a path allocates nothing.
//
// Two events are kept apart. A firm defaults when it cannot pay on a day with
// all free coins sold. The network shrinks when a retarget or a drawdown of
// difficulty goes under a threshold. Most paths with one have not the other.
package stress

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// ErrInvalid reports a scenario that makes no sense.
var ErrInvalid = errors.New("not a valid scenario")

// PriceKind is a model of the daily logarithmic return of a bitcoin's price.
type PriceKind string

// The models.
const (
	GBM       PriceKind = "gbm"       // independent, normal
	GARCH     PriceKind = "garch"     // GARCH(1,1) with jumps
	Heston    PriceKind = "heston"    // stochastic variance
	Bootstrap PriceKind = "bootstrap" // stationary block bootstrap of past returns
)

// Price is the model of a bitcoin's price. Rates are a year, 365 days.
type Price struct {
	Kind  PriceKind
	Start float64 // currency units
	Drift float64 // expected growth a year, continuous: E[P(t)] = P(0) e^(drift t) under gbm
	Vol   float64 // a year: gbm; the long-run level of garch and heston

	Alpha, Beta       float64 // garch: weight of yesterday's squared return and variance; sum under 1
	JumpRate          float64 // jumps a year
	JumpMean, JumpVol float64 // of the logarithmic jump

	Kappa, VolOfVol, Corr float64 // heston: speed a year, of variance, with the price

	Returns []float64 // bootstrap: past daily logarithmic returns, in order
	Block   float64   // bootstrap: mean length of a block in days
}

// Cost is a part of the network's fleet and what its hashing costs.
type Cost struct {
	Share    float64 `json:"share"`        // of the network's hashrate; the shares are normalised
	Hashcost float64 `json:"hashcost_usd"` // currency units per PH/s and day
}

// Network is how hashrate answers, and how difficulty follows.
type Network struct {
	Hashprice float64 // today, per PH/s and day, fees included
	FeeShare  float64 // of the reward, on average
	FeeVol    float64 // sd of the logarithm of fees in the long run; they revert within FeeDays
	FeeDays   float64 // 10 when zero
	FeeCorr   float64 // of their shocks with the price's
	// Growth is how the fleet grows a year, in logarithms, at today's
	// hashprice; Response by how much that growth rises when the logarithm of
	// hashprice rises by one (free entry).
	Growth, Response float64
	// Costs say who switches off at which hashprice; Spread is the relative
	// width of each step (10 % when zero). Lag is the days in which
	// two thirds of those who should switch do: cost that is sunk, contracts
	// and hope keep machines on.
	Costs  []Cost
	Spread float64
	Lag    float64
	// LagOn is the days in which two thirds of those who stand still and should
	// run again do; Lag when zero.
	LagOn float64
	// Sunk is how far under its hashcost a machine goes on, as a share of it:
	// what is paid already (hosting, power bought ahead, interest) is no reason to
	// stop.
	Sunk float64
	// Resold is the share of machines that stand still that somebody with cheaper
	// power buys and runs, and ResoldDays how long two thirds of that take (60
	// when zero): machines change owners and keep hashing.
	Resold, ResoldDays float64
	Noise              float64 // sd of the daily change of the logarithm of hashrate (luck and weather)
	// Pace is today's hashrate over what the difficulty stands for; 1 when zero.
	Pace float64
	// Blocks already found in this epoch, and the days that it took.
	Blocks, BlockDays float64
	Halving           float64 // days until the subsidy halves; 0: not within the horizon
}

// Group is machines of the firm that are alike.
type Group struct {
	PH       float64 // PH/s, times uptime
	Hashcost float64 // power, per PH/s and day
}

// CoinLoan is a loan secured by coins, beyond what Due holds: its balance is
// due on its last day.
type CoinLoan struct {
	Balance                  float64
	Coins                    float64
	Initial, Call, Liquidate float64 // loan to value
	Cure                     int     // days
	Day                      int     // due; over the horizon: not within it
	Rate                     float64 // simple interest a year, paid daily
}

// Firm is the miner.
type Firm struct {
	Groups []Group
	Fixed  float64 // a day
	Other  float64 // income a day, after its cost
	Cash   float64
	Coins  float64 // free
	// Due is what falls due in cash on each day, and Owed what is owed at its
	// end; both start with tomorrow. A day past the end has nothing.
	Due, Owed []float64
	Loans     []CoinLoan
	// Sell is the share of each day's coins that is sold at once. Coins are
	// also sold when cash falls under Floor.
	Sell, Floor float64
	// Cover is the share of each day's payments that coins are sold for, whatever
	// cash there is: 1 covers costs and holds the rest.
	Cover float64
	// Borrow is a line that is drawn against free coins before coins are sold;
	// nil: none.
	Borrow *CreditLine
	// Forward is the share of hashrate whose hashprice is fixed at Fixing by
	// forwards, paid and received daily.
	Forward, Fixing float64
	// Power is how the price of power moves around today's; PowerForward the share
	// of the machines' power that is fixed at PowerFixing times today's price.
	Power                     Power
	PowerForward, PowerFixing float64
	// RigRate is what 1 PH/s of machines is worth today; RigBeta by how many
	// per cent that moves when hashprice moves by one. RigImpact is by how many per
	// cent it falls besides when one per cent of the network's machines stand
	// still and come to market; Haircut what a forced sale takes off.
	RigRate, RigBeta, RigImpact, Haircut float64
	// Thin is the liquidity (cash and free coins) under which the firm is in
	// distress, before it defaults.
	Thin float64
}

// CreditLine is a line against coins with margin calls: coins are pledged as it
// is drawn.
type CreditLine struct {
	Most      float64 `json:"most_usd"`
	Initial   float64 `json:"initial_ltv"` // loan to value
	Call      float64 `json:"call_ltv"`
	Liquidate float64 `json:"liquidation_ltv"`
	Cure      int     `json:"cure_days"`
	Rate      float64 `json:"rate"` // simple interest a year, paid daily
}

// Power is a price of power whose logarithm reverts to its mean; today's price
// is that mean.
type Power struct {
	Vol  float64 // sd of the logarithm in the long run
	Days float64 // in which two thirds of a deviation are gone; 30 when zero
	Corr float64 // of its shocks with the bitcoin price's
}

// Config is how much is simulated, and what is asked.
type Config struct {
	Paths   int
	Days    int
	Seed    uint64
	Workers int     // all processors when zero
	Line    float64 // of the hashrate-debt ratio: 1.5 is the claim's
	Shrink  float64 // of the worst retarget: -0.05
	Fall    float64 // of difficulty from its peak: -0.20
	Marks   []int   // days, counted from 1 and ascending, at which the ratio, hashprice and liquidity of every path are kept
	// Told is called now and then with the paths that are done, from any worker;
	// nil: nobody asks.
	Told func(done int)
}

// Run plays all paths.
func Run(p Price, n Network, f Firm, c Config) (*Result, error) {
	return RunContext(context.Background(), p, n, f, c)
}

// RunContext is Run that stops when ctx ends; then there is no result.
func RunContext(ctx context.Context, p Price, n Network, f Firm, c Config) (*Result, error) {
	e, err := newEngine(p, n, f, c)
	if err != nil {
		return nil, err
	}
	r := newResult(c)
	workers := c.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	const batch = 64
	var next, done atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			w := e.walker()
			for {
				from := int(next.Add(batch)) - batch
				if from >= c.Paths || ctx.Err() != nil {
					return
				}
				to := min(from+batch, c.Paths)
				for i := from; i < to; i++ {
					w.walk(i, r)
				}
				if n := done.Add(int64(to - from)); c.Told != nil {
					c.Told(int(n))
				}
			}
		})
	}
	wg.Wait()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r.sum(c)
	return r, nil
}

// engine is what all paths share and none changes.
type engine struct {
	p        Price
	n        Network
	f        Firm
	c        Config
	switched [grid + 1]float64 // log of the share that runs, over log hashprice
	lo, step float64
	rewards  [2][grid + 1]float64 // log of the reward over today's, over the log of fees: before and after the halving
	feeLo    float64
	feeStep  float64
	omega    float64
	ph       float64
}

// grid is how finely the supply curve is tabled.
const grid = 512

func newEngine(p Price, n Network, f Firm, c Config) (*engine, error) {
	if n.Lag == 0 {
		n.Lag = 14
	}
	if n.Spread == 0 {
		n.Spread = 0.1
	}
	if n.FeeDays == 0 {
		n.FeeDays = 10
	}
	if n.Pace == 0 {
		n.Pace = 1
	}
	if n.LagOn == 0 {
		n.LagOn = n.Lag
	}
	if n.ResoldDays == 0 {
		n.ResoldDays = 60
	}
	if f.Power.Days == 0 {
		f.Power.Days = 30
	}
	bad := func(format string, args ...any) (*engine, error) {
		return nil, fmt.Errorf(format+": %w", append(args, ErrInvalid)...)
	}
	for _, v := range []float64{p.Start, p.Drift, p.Vol, n.Hashprice, n.FeeShare, n.Growth, n.Response, n.Noise, f.Cash, f.Coins, f.Fixed, f.Other, f.RigRate, f.RigBeta, f.RigImpact, f.Thin, n.Blocks, n.BlockDays, n.Halving} {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return bad("a number that is none")
		}
	}
	switch {
	case c.Paths < 1 || c.Paths > 10_000_000 || c.Days < 1 || c.Days > 3660:
		return bad("%d paths of %d days", c.Paths, c.Days)
	case !(p.Start > 0) || !(p.Vol >= 0) || !(n.Hashprice > 0) || !(n.FeeShare >= 0 && n.FeeShare < 1) || !(n.Lag > 0) || !(n.Noise >= 0):
		return bad("price %g, volatility %g, hashprice %g, fee share %g, lag %g", p.Start, p.Vol, n.Hashprice, n.FeeShare, n.Lag)
	case n.Blocks < 0 || n.Blocks >= 2016 || n.BlockDays < 0 || n.Halving < 0 || !(n.FeeCorr >= -1 && n.FeeCorr <= 1):
		return bad("%g blocks in %g days, halving in %g", n.Blocks, n.BlockDays, n.Halving)
	case !(f.Sell >= 0 && f.Sell <= 1) || !(f.Forward >= 0 && f.Forward <= 1) || f.Coins < 0 || f.Floor < 0 || f.RigRate < 0:
		return bad("firm sells %g, forward %g, coins %g", f.Sell, f.Forward, f.Coins)
	case !(f.Cover >= 0 && f.Cover <= 1) || !(f.Haircut >= 0 && f.Haircut <= 1) || f.RigImpact < 0:
		return bad("firm covers %g, haircut %g, impact %g", f.Cover, f.Haircut, f.RigImpact)
	case !(f.PowerForward >= 0 && f.PowerForward <= 1) || !(f.Power.Vol >= 0 && f.Power.Vol <= 3) || !(f.Power.Days > 0) || !(f.Power.Corr >= -1 && f.Power.Corr <= 1) || f.PowerFixing < 0:
		return bad("power %+v, forward %g at %g", f.Power, f.PowerForward, f.PowerFixing)
	case !(n.LagOn > 0) || !(n.Sunk >= 0 && n.Sunk < 1) || !(n.Resold >= 0 && n.Resold <= 1) || !(n.ResoldDays > 0):
		return bad("lag on %g, sunk %g, resold %g in %g days", n.LagOn, n.Sunk, n.Resold, n.ResoldDays)
	case len(c.Marks) > maxMarks || !slices.IsSorted(c.Marks) || len(c.Marks) > 0 && (c.Marks[0] < 1 || c.Marks[len(c.Marks)-1] > c.Days):
		return bad("marks %v within %d days, at most %d of them", c.Marks, c.Days, maxMarks)
	case len(f.Loans)+1 > maxLoans:
		return bad("%d coin loans, at most %d", len(f.Loans), maxLoans)
	}
	switch p.Kind {
	case GBM:
	case GARCH:
		if !(p.Alpha >= 0) || !(p.Beta >= 0) || !(p.Alpha+p.Beta < 1) || !(p.JumpRate >= 0 && p.JumpRate < 365) || !(p.JumpVol >= 0) {
			return bad("garch %g, %g, %g jumps a year", p.Alpha, p.Beta, p.JumpRate)
		}
	case Heston:
		if !(p.Kappa > 0) || !(p.VolOfVol >= 0) || !(p.Corr >= -1 && p.Corr <= 1) {
			return bad("heston %g, %g, %g", p.Kappa, p.VolOfVol, p.Corr)
		}
	case Bootstrap:
		if len(p.Returns) < 30 || !(p.Block >= 1) {
			return bad("bootstrap of %d returns in blocks of %g", len(p.Returns), p.Block)
		}
	default:
		return bad("price model %q", p.Kind)
	}
	if b := f.Borrow; b != nil {
		if !(b.Initial > 0) || b.Initial > b.Call || !(b.Call < b.Liquidate) || !(b.Most >= 0) || !(b.Rate >= 0) {
			return bad("credit line %+v", *b)
		}
		// The line is one more coin loan, which starts empty and never falls due
		// within the horizon.
		f.Loans = append(slices.Clip(f.Loans), CoinLoan{Initial: b.Initial, Call: b.Call, Liquidate: b.Liquidate, Cure: b.Cure, Rate: b.Rate, Day: c.Days + 1})
	}
	e := &engine{p: p, n: n, f: f, c: c}
	for _, l := range f.Loans {
		if !(l.Initial > 0) || l.Initial > l.Call || !(l.Call < l.Liquidate) || l.Balance < 0 || l.Coins < 0 {
			return bad("coin loan %+v", l)
		}
	}
	for _, g := range f.Groups {
		if !(g.PH >= 0) || !(g.Hashcost >= 0) {
			return bad("group %+v", g)
		}
		e.ph += g.PH
	}
	v := p.Vol * p.Vol / 365
	e.omega = v * (1 - p.Alpha - p.Beta)
	if p.Kind == Bootstrap {
		e.p.Returns = make([]float64, len(p.Returns))
		for i, x := range p.Returns {
			e.p.Returns[i] = x + p.Drift/365
		}
	}
	e.table()
	return e, nil
}

// table lays out the share of the fleet that wants to run, over the logarithm
// of hashprice: each cost is a logistic step of its width. Without costs all
// runs.
func (e *engine) table() {
	e.lo = math.Log(e.n.Hashprice) - 6
	e.step = 12.0 / grid
	// Eight standard deviations to either side; between two entries the error
	// is under 1e-4 for any volatility that fees have had.
	e.feeLo = -8*e.n.FeeVol - e.n.FeeVol*e.n.FeeVol/2
	e.feeStep = 16 * e.n.FeeVol / grid
	for i := range e.rewards[0] {
		x := math.Exp(e.feeLo + float64(i)*e.feeStep)
		e.rewards[0][i] = math.Log(1 - e.n.FeeShare + e.n.FeeShare*x)
		e.rewards[1][i] = math.Log((1-e.n.FeeShare)/2 + e.n.FeeShare*x)
	}
	var all float64
	for _, c := range e.n.Costs {
		all += c.Share
	}
	if all <= 0 {
		return
	}
	for i := range e.switched {
		x := e.lo + float64(i)*e.step
		var on float64
		for _, c := range e.n.Costs {
			on += c.Share / all / (1 + math.Exp(-(x-math.Log(c.Hashcost*(1-e.n.Sunk)))/e.n.Spread))
		}
		e.switched[i] = math.Log(max(on, 1e-6))
	}
}

// runs is the log share of the fleet that wants to run at a log hashprice.
func (e *engine) runs(x float64) float64 { return between(&e.switched, (x-e.lo)/e.step) }

// between reads a table at a place between two of its entries.
func between(t *[grid + 1]float64, p float64) float64 {
	if !(p > 0) {
		return t[0]
	}
	if p >= grid {
		return t[grid]
	}
	i := int(p)
	return t[i] + (p-float64(i))*(t[i+1]-t[i])
}

const (
	maxLoans = 16
	maxMarks = 64
)

// walker is one worker's state.
type walker struct {
	*engine
	pcg   rand.PCG
	rng   *rand.Rand
	loans [maxLoans]loanState
}

type loanState struct {
	balance, coins float64
	called         int // days since the call; 0: none
}

func (e *engine) walker() *walker {
	w := &walker{engine: e}
	w.rng = rand.New(&w.pcg)
	return w
}

// mix is splitmix64's finaliser: neighbouring path numbers get unrelated seeds.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
