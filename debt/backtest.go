package debt

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"ballast/market"
	"ballast/unit"
)

// Case is one firm on one date, with what became of it.
type Case struct {
	Firm, AsOf string
	Distress   bool
	Outcome    string
	Debt       unit.Opt[float64] // USD m
	EH         unit.Opt[float64] // self-mining
	PerTH      unit.Opt[float64] // USD, of its machines
	Coins      unit.Opt[float64] // BTC
	Price      unit.Opt[float64] // of a bitcoin
	Cash       unit.Opt[float64] // USD m
	Service    unit.Opt[float64] // of debt, USD m a month
	Profit     unit.Opt[float64] // gross, USD m a month
}

// Ratio is debt over hashpower (EH/s times 1e6 times USD a TH/s); missing when
// one of the three is.
func (c Case) Ratio() unit.Opt[float64] {
	d, ok1 := c.Debt.Get()
	h, ok2 := c.EH.Get()
	p, ok3 := c.PerTH.Get()
	if !ok1 || !ok2 || !ok3 || !(h*p > 0) {
		return unit.None[float64]()
	}
	return unit.Some(d / (h * p))
}

// ReadCases reads the CSV of the back-test: columns company, as_of, debt_usd_m,
// self_mining_ehs, asic_usd_th, btc_usd, btc_held, cash_usd_m,
// monthly_debt_service_usd_m, monthly_gross_profit_usd_m, outcome, distress.
func ReadCases(r io.Reader) ([]Case, error) {
	t, err := market.ReadTable(r)
	if err != nil {
		return nil, err
	}
	var out []Case
	var bad []error
	for i := range t.Len() {
		c := Case{Firm: t.Text(i, "company"), AsOf: t.Text(i, "as_of"), Outcome: t.Text(i, "outcome")}
		switch d := t.Text(i, "distress"); d {
		case "1":
			c.Distress = true
		case "0":
		default:
			bad = append(bad, market.LineError{Line: t.Line(i), Column: "distress", Text: d, Reason: "is neither 0 nor 1"})
		}
		for _, f := range []struct {
			name string
			to   *unit.Opt[float64]
		}{
			{"debt_usd_m", &c.Debt}, {"self_mining_ehs", &c.EH}, {"asic_usd_th", &c.PerTH}, {"btc_held", &c.Coins}, {"btc_usd", &c.Price},
			{"cash_usd_m", &c.Cash}, {"monthly_debt_service_usd_m", &c.Service}, {"monthly_gross_profit_usd_m", &c.Profit},
		} {
			if *f.to, err = t.Float(i, f.name); err != nil {
				bad = append(bad, err)
			}
		}
		out = append(out, c)
	}
	if len(bad) > 0 {
		return nil, errors.Join(bad...)
	}
	return out, nil
}

// AUC is the chance that a distressed case scores above a surviving one, ties
// counting half (Mann and Whitney). ok is false without one of each.
func AUC(score []float64, distress []bool) (float64, bool) {
	var wins, pairs float64
	for i := range score {
		for j := range score {
			if distress[i] && !distress[j] {
				pairs++
				if score[i] > score[j] {
					wins++
				} else if score[i] == score[j] {
					wins += 0.5
				}
			}
		}
	}
	if pairs == 0 {
		return 0, false
	}
	return wins / pairs, true
}

// AUCError is the standard error of an AUC (Hanley and McNeil 1982). With a
// dozen cases it is a tenth or more.
func AUCError(auc float64, distressed, survived int) float64 {
	n, m := float64(distressed), float64(survived)
	if n < 1 || m < 1 {
		return math.NaN()
	}
	q1, q2 := auc/(2-auc), 2*auc*auc/(1+auc)
	return math.Sqrt((auc*(1-auc) + (n-1)*(q1-auc*auc) + (m-1)*(q2-auc*auc)) / (n * m))
}

// AtLine is what a threshold does: how many distressed lie over it, and how
// many survivors.
type AtLine struct {
	Line       float64 `json:"line"`
	Caught     int     `json:"caught"`
	Distressed int     `json:"distressed"`
	FalseAlarm int     `json:"false_alarm"`
	Survive    int     `json:"survive"`
}

// Backtest is the ratio, and Ballast's ranking beside it, on the same cases.
type Backtest struct {
	N          int           `json:"n"`
	Distressed int           `json:"distressed"`
	Rows       []BacktestRow `json:"rows"`
	RatioAUC   float64       `json:"ratio_auc"`
	RatioError float64       `json:"ratio_error"`
	Lines      []AtLine      `json:"lines"`
	// Plain is Ballast's ranking with nothing fitted: the sum of the features.
	PlainAUC float64 `json:"plain_auc"`
	// Ranking is fitted leaving each case out: the weights that score a case
	// were found without it. Scores of different fits are compared, which with
	// few cases is biased against the ranking; Pair leaves out each pair of a
	// distressed and a surviving case together and compares within one fit
	// (Airola et al. 2011).
	RankAUC      float64  `json:"rank_auc"`
	RankError    float64  `json:"rank_error"`
	PairAUC      float64  `json:"pair_auc"`
	RankFeatures []string `json:"rank_features"`
	// BestSingle: AUC of each feature by itself, nothing fitted.
	Single map[string]float64 `json:"single"`
	Left   []string           `json:"left"` // cases without a ratio, not in N
}

// BacktestRow is one case as scored.
type BacktestRow struct {
	Firm     string  `json:"firm"`
	AsOf     string  `json:"as_of"`
	Distress bool    `json:"distress"`
	Ratio    float64 `json:"ratio"`
	Plain    float64 `json:"plain"` // sum of the features
	Score    float64 `json:"score"` // fitted on the other cases only: chance of distress
}

// rankFeatures are fixed before the data is looked at: what economics says
// tells distress, each on a scale of about one, larger is worse.
//
//   - liquid: the part of the debt that cash and coins could not pay at once,
//     0 for a firm that could pay all, a half for one that tells neither;
//   - service: 1 when what falls due in a month is more than the gross profit
//     that pays it, 0 when the case does not tell (ten of thirteen);
//   - ratio: the logarithm of 1 + debt over hashpower.
var rankFeatures = []string{"debt not covered by cash and coins", "service over profit", "log(1 + debt over hashpower)"}

func (c Case) features() []float64 {
	x := make([]float64, len(rankFeatures))
	if d := c.Debt.Or(0); d > 0 {
		cash, ok := c.Cash.Get()
		coins, ok2 := c.Coins.Get()
		x[0] = 0.5
		if ok || ok2 {
			x[0] = max(0, 1-(cash+coins*c.Price.Or(0)/1e6)/d)
		}
	}
	if s, ok := c.Service.Get(); ok {
		if p, ok := c.Profit.Get(); ok && s > p {
			x[1] = 1
		}
	}
	x[2] = math.Log1p(c.Ratio().Or(0))
	return x
}

// BacktestOf runs the back-test over the cases that have a ratio.
func BacktestOf(cases []Case, lines ...float64) (Backtest, error) {
	var b Backtest
	var in []Case
	for _, c := range cases {
		if c.Ratio().Ok() {
			in = append(in, c)
		} else {
			b.Left = append(b.Left, strings.TrimSpace(c.Firm+" "+c.AsOf))
		}
	}
	var ratios []float64
	var hit []bool
	var xs [][]float64
	for _, c := range in {
		ratios = append(ratios, c.Ratio().Or(0))
		hit = append(hit, c.Distress)
		xs = append(xs, c.features())
		if c.Distress {
			b.Distressed++
		}
	}
	b.N = len(in)
	auc, ok := AUC(ratios, hit)
	if !ok {
		return b, fmt.Errorf("%d cases, %d distressed: %w", b.N, b.Distressed, ErrNoData)
	}
	b.RatioAUC, b.RatioError = auc, AUCError(auc, b.Distressed, b.N-b.Distressed)
	for _, l := range lines {
		a := AtLine{Line: l, Distressed: b.Distressed, Survive: b.N - b.Distressed}
		for i, r := range ratios {
			if r > l && hit[i] {
				a.Caught++
			} else if r > l {
				a.FalseAlarm++
			}
		}
		b.Lines = append(b.Lines, a)
	}
	without := func(out ...int) []float64 {
		var x [][]float64
		var y []bool
		for i := range xs {
			if !slices.Contains(out, i) {
				x, y = append(x, xs[i]), append(y, hit[i])
			}
		}
		return logistic(x, y, 1)
	}
	scores, plain := make([]float64, len(in)), make([]float64, len(in))
	var right, pairs float64
	for i := range in {
		scores[i] = predict(without(i), xs[i])
		for _, v := range xs[i] {
			plain[i] += v
		}
		b.Rows = append(b.Rows, BacktestRow{in[i].Firm, in[i].AsOf, in[i].Distress, ratios[i], plain[i], scores[i]})
		for j := range in {
			if hit[i] && !hit[j] {
				w := without(i, j)
				pairs++
				switch a, c := predict(w, xs[i]), predict(w, xs[j]); {
				case a > c:
					right++
				case a == c:
					right += 0.5
				}
			}
		}
	}
	b.PairAUC = right / pairs
	b.PlainAUC, _ = AUC(plain, hit)
	b.RankFeatures = rankFeatures
	b.RankAUC, _ = AUC(scores, hit)
	b.RankError = AUCError(b.RankAUC, b.Distressed, b.N-b.Distressed)
	b.Single = map[string]float64{}
	for k, name := range rankFeatures {
		col := make([]float64, len(xs))
		for i := range xs {
			col[i] = xs[i][k]
		}
		b.Single[name], _ = AUC(col, hit)
	}
	return b, nil
}

// logistic fits weights (the constant first) by Newton's method with a ridge on
// all but the constant, which keeps them finite whatever the cases.
func logistic(xs [][]float64, y []bool, ridge float64) []float64 {
	if len(xs) == 0 {
		return nil
	}
	k := len(xs[0]) + 1
	w := make([]float64, k)
	row := make([]float64, k)
	for range 50 {
		g := make([]float64, k)
		h := make([][]float64, k)
		for a := range h {
			h[a] = make([]float64, k+1)
		}
		for i, x := range xs {
			row[0] = 1
			copy(row[1:], x)
			p := predict(w, x)
			e := p
			if y[i] {
				e--
			}
			for a := range row {
				g[a] += e * row[a]
				for b := range row {
					h[a][b] += p * (1 - p) * row[a] * row[b]
				}
			}
		}
		for a := range h {
			if a > 0 {
				g[a] += ridge * w[a]
				h[a][a] += ridge
			} else {
				h[a][a] += 1e-9
			}
			h[a][k] = g[a]
		}
		step := solve(h)
		var size float64
		for a := range w {
			w[a] -= step[a]
			size = max(size, math.Abs(step[a]))
		}
		if size < 1e-10 {
			break
		}
	}
	return w
}

func predict(w, x []float64) float64 {
	z := w[0]
	for i := range x {
		z += w[i+1] * x[i]
	}
	return 1 / (1 + math.Exp(-z))
}

// solve is Gauss elimination with pivots; m has the right side as its last
// column and is overwritten.
func solve(m [][]float64) []float64 {
	n := len(m)
	for i := range n {
		p := i
		for r := i + 1; r < n; r++ {
			if math.Abs(m[r][i]) > math.Abs(m[p][i]) {
				p = r
			}
		}
		m[i], m[p] = m[p], m[i]
		if m[i][i] == 0 {
			continue
		}
		for r := range n {
			if r == i {
				continue
			}
			f := m[r][i] / m[i][i]
			for c := i; c <= n; c++ {
				m[r][c] -= f * m[i][c]
			}
		}
	}
	out := make([]float64, n)
	for i := range out {
		if m[i][i] != 0 {
			out[i] = m[i][n] / m[i][i]
		}
	}
	return out
}
