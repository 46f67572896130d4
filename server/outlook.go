package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/debt"
	"ballast/debt/outlook"
	"ballast/debt/play"
	"ballast/ledger"
	"ballast/market"
	"ballast/miner"
	"ballast/unit"
)

func (s *Server) registerOutlook() {
	tags := []string{"outlook"}
	op(s, huma.Operation{OperationID: "outlook-base", Method: http.MethodGet, Path: "/api/v1/outlook", Summary: "Where a scenario begins: company, market, levers", Tags: tags,
		Description: "The company as the records and the live fleet have it, what is known of the market, and the levers with their effects. Change what you like and play it."}, s.outlookBase)
	op(s, huma.Operation{OperationID: "set-levers", Method: http.MethodPut, Path: "/api/v1/outlook/levers", Summary: "Set the levers and their effects", Tags: tags, Errors: []int{412, 422}}, s.setLevers)
	op(s, huma.Operation{OperationID: "network-odds", Method: http.MethodGet, Path: "/api/v1/outlook/network", Summary: "How likely it is that the network shrinks", Tags: tags,
		Description: "The chance that the next retarget is at or under -5 %, calibrated on history, with how it did out of sample; base rates; falls of difficulty. A miner's default is another event: play a scenario for that."}, s.networkOdds)
	op(s, huma.Operation{OperationID: "claims", Method: http.MethodGet, Path: "/api/v1/outlook/claims", Summary: "The press article's figures, checked", Tags: tags}, s.claims)
	s.registerRuns(tags)
	s.registerScenarios(tags)
	s.registerPeers(tags)
	s.registerHardware(tags)
}

// OutlookBase is where a scenario begins.
type OutlookBase struct {
	Today     debt.Date       `json:"today"`
	Simulated bool            `json:"simulated"`
	Example   bool            `json:"example" doc:"The company does not exist: it is an example on the live fleet."`
	Scenario  play.Scenario   `json:"scenario" doc:"Ready to be played."`
	Fleet     string          `json:"fleet" doc:"Where the company's machines are from."`
	Ready     bool            `json:"ready" doc:"It can be played as it is."`
	Missing   []MarketMissing `json:"missing"`
	Columns   []string        `json:"facility_columns" doc:"Of a CSV of facilities."`
	Version   int64           `json:"levers_version" doc:"Of the levers: send it back as If-Match when setting them."`
}

func (s *Server) outlookBase(ctx context.Context, _ *struct{}) (*struct{ Body OutlookBase }, error) {
	b, err := s.base(ctx)
	if err != nil {
		return nil, s.fail("putting the outlook's beginning together", err)
	}
	return &struct{ Body OutlookBase }{b}, nil
}

func (s *Server) base(ctx context.Context) (OutlookBase, error) {
	now := time.Now()
	st := s.MarketNow()
	b := OutlookBase{Today: debt.DateOf(now), Simulated: s.Simulated, Missing: []MarketMissing{}, Columns: debt.FacilityColumns}
	groups, from := s.fleetGroups(now)
	b.Fleet = from
	company := play.Company{Groups: groups}
	c, example, known, err := s.companyOf(ctx, now)
	if err != nil {
		return b, err
	}
	if known {
		company, b.Example = c, example != ""
		if len(company.Groups) == 0 {
			company.Groups = groups
		} else {
			b.Fleet = c.Source
		}
	}
	if !known && s.Simulated && len(groups) > 0 {
		btc := 0.0
		if p, ok := st.Price.Get(); ok {
			btc = p.Value.Float()
		}
		company, b.Example = play.Example(groups, b.Today, btc), true
	}
	if company.Groups == nil {
		company.Groups = []play.Group{}
	}
	levers, was, err := s.levers(ctx)
	if err != nil {
		return b, err
	}
	b.Version = ledger.VersionOf(was.Or(""))
	b.Scenario = play.Scenario{From: b.Today, To: b.Today + 365, Paths: 10_000, Seed: 1, Line: 1.5, Shrink: -0.05, Fall: -0.2, Company: company, Levers: levers,
		Policy: play.Policy{Sell: 0.6}}
	say := func(ok bool, what, why string) {
		if !ok {
			b.Missing = append(b.Missing, MarketMissing{what, why})
		}
	}
	say(st.Price.Ok(), "price of a bitcoin", "enter it on the market's page, or in the scenario")
	say(st.Hashprice.Ok(), "hashprice", "it takes price, difficulty and fees: see the market's page, or give it in the scenario")
	say(len(company.Groups) > 0, "machines", "no machine hashes now: give the company's groups in the scenario")
	say(known || b.Example, "debt", "the register is empty: enter or import facilities under Money, Register")
	b.Ready = st.Price.Ok() && st.Hashprice.Ok() && len(company.Groups) > 0
	return b, nil
}

// fleetGroups are the live machines that hash, by efficiency in steps of 4 J/TH.
func (s *Server) fleetGroups(now time.Time) ([]play.Group, string) {
	type sum struct{ th, watts float64 }
	by := map[int]sum{}
	n, silent := 0, 0
	for _, m := range s.Fleet.All() {
		r := m.Reading
		if r == nil || r.State != miner.Hashing || now.Sub(m.LastAnswer) > time.Hour {
			continue
		}
		h, ok1 := r.HashrateNow.OrElse(r.HashrateAverage).Get()
		p, ok2 := r.Power.Get()
		if !ok1 || !ok2 || h <= 0 || p <= 0 {
			silent++
			continue
		}
		k := int(float64(p) / float64(h) / 4)
		by[k] = sum{by[k].th + float64(h), by[k].watts + float64(p)}
		n++
	}
	var keys []int
	for k := range by {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	groups := []play.Group{}
	for _, k := range keys {
		v := by[k]
		groups = append(groups, play.Group{Name: fmt.Sprintf("%d to %d J/TH", 4*k, 4*k+4), PH: math.Round(v.th*1e3) / 1e6, JTH: math.Round(v.watts/v.th*100) / 100})
	}
	from := fmt.Sprintf("%d machines that hash now, as they tell of themselves", n)
	if silent > 0 {
		from += fmt.Sprintf("; %d more do not tell hashrate or power and are left out", silent)
	}
	return groups, from
}

// known is what an outlook can know of the market now.
func (s *Server) knownMarket(ctx context.Context) (play.Known, error) {
	st := s.MarketNow()
	k := play.Known{Today: debt.DateOf(time.Now())}
	if p, ok := st.Price.Get(); ok {
		k.Price = play.Number{Value: p.Value.Float(), Known: true, Source: p.Source + ", " + p.At.UTC().Format("2006-01-02 15:04")}
	}
	if h, ok := st.Hashprice.Get(); ok {
		k.Hashprice = play.Number{Value: h.Value.PerPHDay(), Known: true, Source: h.Source + ", " + h.At.UTC().Format("2006-01-02 15:04")}
	}
	if f, ok := st.Fees.Get(); ok {
		if sub, ok := st.Subsidy.Get(); ok {
			k.FeeShare = play.Number{Value: f.Value / (f.Value + float64(sub.Value)), Known: true, Source: "mean of 144 blocks: " + f.Source}
		}
	}
	if e, ok := st.Epoch.Get(); ok {
		k.Blocks, k.BlockDays = float64(e.Intervals), e.Elapsed.Hours()/24
		if e.Intervals >= 200 && k.BlockDays > 0 {
			k.Pace = k.Blocks / 144 / k.BlockDays
		}
	}
	if h, ok := st.Halving.Get(); ok {
		k.HalvingDays = max(0, h.At.Sub(st.At).Hours()/24)
	}
	if s.Market != nil {
		_, prices, err := s.Market.Past(ctx)
		if err != nil {
			return k, err
		}
		prices = prices[max(0, len(prices)-4*365):]
		for i := 1; i < len(prices); i++ {
			if prices[i].Day.Sub(prices[i-1].Day) == 24*time.Hour && prices[i-1].Price.Minor > 0 {
				k.Returns = append(k.Returns, math.Log(prices[i].Price.Float()/prices[i-1].Price.Float()))
			}
		}
		k.ReturnsSource = "daily closes of the market's history"
		if st.Simulated {
			k.ReturnsSource = "daily closes of the simulated market"
		}
	}
	rigs, err := s.Rigs(ctx)
	if err != nil {
		return k, err
	}
	now := time.Now()
	k.RigPerTH = func(jth float64) play.Number {
		q, err := rigs.Quote(unit.Efficiency(jth), now, 0, market.RigIndex, market.RigTransaction, market.RigOffer)
		if err != nil {
			return play.Number{}
		}
		return play.Number{Value: q.Rate.PerTH(), Known: true, Source: fmt.Sprintf("book of machine prices: %s, %s old", q.From[len(q.From)-1].Source, ageWords(q.Age))}
	}
	return k, nil
}

func ageWords(d time.Duration) string {
	if d < 48*time.Hour {
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// leverSetting is where the record keeps the levers.
const leverSetting = "outlook.levers"

// firstLevers are the three that Ballast has to offer. Their effects are not
// measured at this site yet: nought, and to be entered by hand as assumptions.
func firstLevers() []play.Lever {
	return []play.Lever{
		{Name: "health", Title: "Failures foreseen: more of the time hashing", Evidence: "assumed", On: true, Source: "not measured here yet: enter what you assume"},
		{Name: "dispatch", Title: "Machines driven by price: cheaper power per hash", Evidence: "assumed", On: true, Source: "not measured here yet: enter what you assume"},
		{Name: "price", Title: "Power bought by forecast: cheaper power", Evidence: "assumed", On: true, Source: "not measured here yet: enter what you assume"},
	}
}

// levers are the levers and the record's text of them, None while it has none.
func (s *Server) levers(ctx context.Context) ([]play.Lever, unit.Opt[string], error) {
	text, err := s.Record.Setting(ctx, leverSetting)
	if errors.Is(err, ledger.ErrNotFound) {
		return firstLevers(), unit.None[string](), nil
	}
	if err != nil {
		return nil, unit.None[string](), err
	}
	var out []play.Lever
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		return nil, unit.None[string](), fmt.Errorf("reading the levers: %w", err)
	}
	return out, unit.Some(text), nil
}

type leversInput struct {
	Based
	Body struct {
		Levers []play.Lever `json:"levers" maxItems:"12"`
	}
}

func (s *Server) setLevers(ctx context.Context, in *leversInput) (*struct{ Body []play.Lever }, error) {
	names := map[string]bool{}
	for _, l := range in.Body.Levers {
		if l.Name == "" || l.Name == "all" || names[l.Name] {
			return nil, huma.Error422UnprocessableEntity(fmt.Sprintf("%q cannot be a lever's name: it must be its own", l.Name))
		}
		names[l.Name] = true
		if l.Evidence == "measured" && strings.TrimSpace(l.Source) == "" {
			return nil, huma.Error422UnprocessableEntity("lever " + l.Name + " is said to be measured: its source must say where")
		}
	}
	text, err := json.Marshal(in.Body.Levers)
	if err != nil {
		return nil, s.fail("writing the levers", err)
	}
	version, err := in.version()
	if err != nil {
		return nil, err
	}
	p, _ := principal(ctx)
	by := ledger.Audit{Actor: p.Name(), Action: "outlook.levers"}
	if version == 0 {
		err = s.Record.SetSetting(ctx, leverSetting, string(text), by)
	} else {
		_, was, lerr := s.levers(ctx)
		if lerr != nil {
			return nil, s.fail("reading the levers", lerr)
		}
		if version != ledger.VersionOf(was.Or("")) {
			return nil, stale("what the levers do")
		}
		err = s.Record.ReplaceSetting(ctx, leverSetting, was, string(text), by)
	}
	if err != nil {
		return nil, s.recordError("writing the levers", err)
	}
	return &struct{ Body []play.Lever }{in.Body.Levers}, nil
}

// NetworkOdds is how likely it is that the network shrinks.
type NetworkOdds struct {
	Simulated bool              `json:"simulated" doc:"Learned from a simulated network."`
	Threshold float64           `json:"threshold"`
	Chance    unit.Opt[float64] `json:"chance,omitzero" doc:"Of the retarget after this one's first block: what the model said when the epoch began."`
	Change    unit.Opt[float64] `json:"hashprice_change,omitzero" doc:"Of hashprice over the 30 days before the epoch began."`
	SoFar     unit.Opt[float64] `json:"chance_so_far,omitzero" doc:"From the blocks of this epoch alone, with two per cent of doubt about the pace to come."`
	Model     *outlook.Model    `json:"model,omitempty"`
	Score     *outlook.Score    `json:"score,omitempty" doc:"How such forecasts did, each made from what was over before it."`
	Base      []BaseRate        `json:"base_rates"`
	Falls     []outlook.Fall    `json:"falls" doc:"Of difficulty by a tenth or more from a peak."`
	Epochs    int               `json:"epochs"`
	Why       string            `json:"why,omitempty" doc:"Why there is no chance."`
}

// BaseRate is how often retargets were at or under a threshold.
type BaseRate struct {
	Threshold float64 `json:"threshold"`
	Share     float64 `json:"share"`
	N         int     `json:"n"`
}

func (s *Server) networkOdds(ctx context.Context, _ *struct{}) (*struct{ Body NetworkOdds }, error) {
	out := NetworkOdds{Threshold: -0.05, Base: []BaseRate{}, Falls: []outlook.Fall{}}
	st := s.MarketNow()
	out.Simulated = st.Simulated
	if s.Market == nil {
		out.Why = "nobody watches the market"
		return &struct{ Body NetworkOdds }{out}, nil //nolint:nilerr // told in the answer
	}
	h, prices, err := s.Market.Past(ctx)
	if err != nil {
		return nil, s.fail("reading the market's history", err)
	}
	out.Epochs = len(h)
	levels := []float64{-0.05, -0.07, -0.10, -0.15}
	if n, share := outlook.BaseRates(h, time.Unix(0, 0), levels...); n > 0 {
		for i, t := range levels {
			out.Base = append(out.Base, BaseRate{t, share[i], n})
		}
	}
	if f := outlook.Falls(h, time.Unix(0, 0), 0.1); f != nil {
		out.Falls = f
	}
	if e, ok := st.Epoch.Get(); ok {
		if p, err := market.RetargetChance(e, out.Threshold, 0.02); err == nil {
			out.SoFar = unit.Some(p)
		}
	}
	ms := outlook.Moments(h, prices)
	m, err := outlook.Learn(ms, out.Threshold)
	if err != nil {
		out.Why = "too little history to learn from: " + err.Error()
		return &struct{ Body NetworkOdds }{out}, nil //nolint:nilerr // told in the answer
	}
	out.Model = &m
	if last := ms[len(ms)-1]; !last.Next.Ok() {
		out.Change, out.Chance = unit.Some(last.Change), unit.Some(m.Chance(last.Change))
	} else {
		out.Why = "the running epoch's beginning is not known yet"
	}
	if first := ms[len(ms)/3].Start; len(ms) > 78 {
		if sc, err := outlook.Forward(ms, out.Threshold, first); err == nil {
			out.Score = &sc
		}
	}
	return &struct{ Body NetworkOdds }{out}, nil
}

// ClaimsBody is the press article's figures, checked.
type ClaimsBody struct {
	Rows   []debt.ClaimRow     `json:"rows"`
	Inputs []debt.SourcedInput `json:"inputs" doc:"What they are held against, each with its source."`
}

func (s *Server) claims(context.Context, *struct{}) (*struct{ Body ClaimsBody }, error) {
	in, list := debt.SourcedClaimInputs()
	st := s.MarketNow()
	put := func(name string, v float64, at time.Time, source string) {
		for i := range list {
			if list[i].Name == name {
				list[i].Value, list[i].AsOf, list[i].Source, list[i].Kind = v, at.UTC().Format(time.DateOnly), source, "market"
			}
		}
	}
	// A simulated market says nothing about the real network's figures.
	if !st.Simulated {
		if q, ok := st.Hashprice.Get(); ok {
			in.Hashprice = unit.Some(q.Value.PerPHDay())
			put("hashprice", q.Value.PerPHDay(), q.At, q.Source)
		}
		if q, ok := st.Sat.Get(); ok {
			in.SatPHDay = unit.Some(q.Value)
			put("1 PH/s earns", q.Value, q.At, q.Source)
		}
		if q, ok := st.Network.Get(); ok {
			in.NetworkEH = unit.Some(float64(q.Value) / 1e6)
			put("network hashrate", float64(q.Value)/1e6, q.At, q.Source)
		}
	}
	return &struct{ Body ClaimsBody }{ClaimsBody{debt.Claims(in), list}}, nil
}
