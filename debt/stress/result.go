package stress

import (
	"fmt"
	"math"
	"slices"

	"ballast/debt"
)

// Result holds one value for each path, and what they come to.
type Result struct {
	Ratio, Owed, Cash, Coins, Lowest []float64 // at the end; Lowest is the lowest liquidity
	Sold                             []float64 // coins that lenders sold
	Price, Hashprice                 []float64 // at the end
	Retarget, Drawdown               []float64 // worst of the path, relative
	Back                             []float64 // share of what was owed that lenders get after a default; 1 without one
	Default                          []int32   // day, counted from 0; -1: none
	Distress                         []int32   // first day of it, counted from 0; -1: none
	Calls                            []int32   // margin calls

	marks, paid, liquid []float64 // ratio, hashprice and liquidity at each mark, path by path

	Sum Summary
}

// Chance is a probability with its standard error.
type Chance struct {
	P     float64 `json:"p"`
	Error float64 `json:"error"`
	N     int     `json:"n"` // paths
}

// Quantile is a quantile with the standard error that so many paths leave.
type Quantile struct {
	At    float64 `json:"at"`
	Value float64 `json:"value"`
	Error float64 `json:"error"`
}

// Summary is what a page shows.
type Summary struct {
	Default   Chance     `json:"default"`    // the firm
	UnderLine Chance     `json:"under_line"` // ratio under the line at the end; of no paths when machines are worth nothing
	Called    Chance     `json:"called"`     // at least one margin call
	Shrinks   Chance     `json:"shrinks"`    // the network: a retarget at or under the threshold
	Falls     Chance     `json:"falls"`      // the network: difficulty from its peak
	Both      Chance     `json:"both"`       // default and a shrinking network on one path
	Ratio     []Quantile `json:"ratio"`      // at the end
	Lowest    []Quantile `json:"lowest"`     // liquidity
	Hashprice []Quantile `json:"hashprice"`  // at the end
	Price     []Quantile `json:"price"`
	ToDefault []Quantile `json:"to_default"`  // days, of the paths that default
	Distress  Chance     `json:"distress"`    // liquidity under Firm.Thin, or default
	ToThin    []Quantile `json:"to_distress"` // days, of the paths in distress
	Back      []Quantile `json:"recovery"`    // share of what was owed that lenders get, of the paths that default
	Fan       []Mark     `json:"fan"`
	MeanRatio float64    `json:"mean_ratio"`
}

// Mark is all paths on one day.
type Mark struct {
	Day       int        `json:"day"` // from 1
	Ratio     []Quantile `json:"ratio"`
	Hashprice []Quantile `json:"hashprice"`
	Liquid    []Quantile `json:"liquid"`
	UnderLine Chance     `json:"under_line"`
	Default   Chance     `json:"default"` // by that day
}

func newResult(c Config) *Result {
	n := c.Paths
	flat := make([]float64, 11*n)
	col := func(i int) []float64 { return flat[i*n : (i+1)*n : (i+1)*n] }
	ints := make([]int32, 3*n)
	m := len(c.Marks) * n
	return &Result{
		Ratio: col(0), Owed: col(1), Cash: col(2), Coins: col(3), Lowest: col(4), Sold: col(5), Price: col(6), Hashprice: col(7), Retarget: col(8), Drawdown: col(9), Back: col(10),
		Default: ints[:n:n], Calls: ints[n : 2*n : 2*n], Distress: ints[2*n:], marks: make([]float64, m), paid: make([]float64, m), liquid: make([]float64, m),
	}
}

func chance(hits, n int) Chance {
	if n == 0 {
		return Chance{}
	}
	p := float64(hits) / float64(n)
	return Chance{p, math.Sqrt(p * (1 - p) / float64(n)), n}
}

// Quantiles sorts a copy of v and reads quantiles off it. The error is from the
// order statistics one standard deviation of a binomial count to either side:
// it assumes nothing about the distribution.
func Quantiles(v []float64, at ...float64) []Quantile {
	s := slices.Clone(v)
	sortFloats(s)
	n := float64(len(s))
	if n == 0 {
		return nil
	}
	read := func(k float64) float64 { return s[int(min(max(math.Round(k), 0), n-1))] }
	var out []Quantile
	for _, p := range at {
		k, sd := p*(n-1), math.Sqrt(n*p*(1-p))
		q := Quantile{At: p, Value: read(k)}
		if lo, hi := read(k-sd), read(k+sd); hi > lo {
			q.Error = (hi - lo) / 2
		}
		out = append(out, q)
	}
	return out
}

var shown = []float64{0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99}

// sum goes through the paths in their order: no worker's timing shows.
func (r *Result) sum(c Config) {
	n := len(r.Ratio)
	var dead, under, called, shrink, fall, both, thin int
	var days, thins, backs []float64
	var ratio float64
	finite := 0
	for i := range n {
		d := r.Default[i] >= 0
		s := r.Retarget[i] <= c.Shrink
		if d {
			dead++
			days = append(days, float64(r.Default[i]+1))
			backs = append(backs, r.Back[i])
		}
		if r.Distress[i] >= 0 {
			thin++
			thins = append(thins, float64(r.Distress[i]+1))
		}
		if s {
			shrink++
		}
		if d && s {
			both++
		}
		if r.Ratio[i] < c.Line {
			under++
		}
		if r.Calls[i] > 0 {
			called++
		}
		if r.Drawdown[i] <= c.Fall {
			fall++
		}
		if !math.IsInf(r.Ratio[i], 0) {
			ratio += r.Ratio[i]
			finite++
		}
	}
	r.Sum = Summary{
		Default: chance(dead, n), UnderLine: chance(under, n), Called: chance(called, n), Shrinks: chance(shrink, n), Falls: chance(fall, n), Both: chance(both, n),
		Ratio: Quantiles(r.Ratio, shown...), Lowest: Quantiles(r.Lowest, shown...), Hashprice: Quantiles(r.Hashprice, shown...), Price: Quantiles(r.Price, shown...),
		ToDefault: Quantiles(days, 0.05, 0.25, 0.5, 0.75, 0.95),
		Distress:  chance(thin, n), ToThin: Quantiles(thins, 0.05, 0.25, 0.5, 0.75, 0.95), Back: Quantiles(backs, 0.05, 0.25, 0.5, 0.75, 0.95),
	}
	for k, day := range c.Marks {
		r.Sum.Fan = append(r.Sum.Fan, r.mark(k, day, c.Line))
	}
	if finite == n {
		r.Sum.MeanRatio = ratio / float64(n)
	} else {
		r.Sum.Ratio, r.Sum.UnderLine = nil, Chance{} // no ratio over nothing
	}
}

// fanned are the quantiles of a fan.
var fanned = []float64{0.05, 0.25, 0.5, 0.75, 0.95}

func (r *Result) mark(k, day int, line float64) Mark {
	n := len(r.Ratio)
	ratio := r.marks[k*n : (k+1)*n]
	under, dead, finite := 0, 0, true
	for i, v := range ratio {
		if v < line {
			under++
		}
		if d := r.Default[i]; d >= 0 && int(d) < day {
			dead++
		}
		finite = finite && !math.IsInf(v, 0)
	}
	m := Mark{Day: day, Hashprice: Quantiles(r.paid[k*n:(k+1)*n], fanned...), Liquid: Quantiles(r.liquid[k*n:(k+1)*n], fanned...), Default: chance(dead, n)}
	if finite {
		m.Ratio, m.UnderLine = Quantiles(ratio, fanned...), chance(under, n)
	}
	return m
}

// Flatten lays a book's schedules out day by day, in currency units: what falls
// due in cash on each of the days after from, and what is owed at its end on
// facilities that counts takes (nil: all). Coin-backed facilities with margin
// terms are left out of both; they come back as loans of their own.
func Flatten(b debt.Book, from debt.Date, days int, counts func(debt.Facility) bool) (due, owed []float64, loans []CoinLoan, err error) {
	if days < 1 || days > 3660 {
		return nil, nil, nil, fmt.Errorf("%d days: %w", days, ErrInvalid)
	}
	due, owed = make([]float64, days), make([]float64, days)
	for _, s := range b.Schedules {
		f := s.Facility
		if f.Margin != nil && f.Repayment.Shape == debt.Bullet && s.Balance(from).Minor > 0 {
			l := CoinLoan{Balance: s.Balance(from).Float(), Initial: f.Margin.Initial.Float(), Call: f.Margin.Call.Float(), Liquidate: f.Margin.Liquidate.Float(), Cure: f.Margin.Cure, Day: int(f.Maturity-from) - 1}
			for _, k := range f.Secured {
				if k.Kind == debt.CoinCollateral {
					l.Coins += k.Coins.Float()
				}
			}
			for _, p := range s.Payments {
				if p.Due > from {
					l.Rate = p.Rate.Float()
					break
				}
			}
			loans = append(loans, l)
			continue
		}
		for _, p := range s.Payments {
			if d := int(p.Due-from) - 1; d >= 0 && d < days {
				due[d] += p.Cash.Float() - p.Drawn.Float()
			}
		}
		if counts == nil || counts(f) {
			for d := range days {
				owed[d] += s.Balance(from + debt.Date(d+1)).Float()
			}
		}
	}
	return due, owed, loans, nil
}
