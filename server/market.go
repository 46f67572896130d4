package server

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"ballast/ledger"
	"ballast/market/ticker"
	"ballast/unit"
)

// MarketNumber is a number of the market with where it comes from.
type MarketNumber struct {
	Value   float64    `json:"value"`
	Unit    string     `json:"unit"`
	At      time.Time  `json:"at" doc:"When it was true."`
	Asked   time.Time  `json:"asked" doc:"When Ballast got it."`
	Source  string     `json:"source"`
	Kind    string     `json:"kind" enum:"quoted,entered,reckoned" doc:"quoted by a source, entered by somebody, or reckoned from others."`
	Error   float64    `json:"error,omitempty" doc:"Standard deviation, where it is an estimate; in the number's unit."`
	Formula string     `json:"formula,omitempty" doc:"How it is reckoned."`
	Inputs  []NamedNum `json:"inputs,omitempty" doc:"What the formula was given."`
}

// NamedNum is an input of a formula.
type NamedNum struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
}

// MarketBody is the market now.
type MarketBody struct {
	At         time.Time       `json:"at"`
	Simulated  bool            `json:"simulated" doc:"The sources are simulated: no number here is about the real network."`
	Price      *MarketNumber   `json:"price,omitempty"`
	Difficulty *MarketNumber   `json:"difficulty,omitempty"`
	Fees       *MarketNumber   `json:"fees,omitempty" doc:"Of a block, mean of 144 blocks."`
	FeeShare   *MarketNumber   `json:"fee_share,omitempty"`
	Subsidy    *MarketNumber   `json:"subsidy,omitempty"`
	Sat        *MarketNumber   `json:"sat_per_ph_day,omitempty"`
	Hashprice  *MarketNumber   `json:"hashprice,omitempty"`
	Network    *MarketNumber   `json:"network,omitempty"`
	Tip        *MarketNumber   `json:"tip,omitempty"`
	Retarget   *RetargetBody   `json:"retarget,omitempty"`
	Halving    *HalvingBody    `json:"halving,omitempty"`
	Pools      []PoolBody      `json:"pools" doc:"Who found the blocks of the last week, most first."`
	Sources    []MarketSource  `json:"sources"`
	Missing    []MarketMissing `json:"missing" doc:"What is not known, and what to do about it."`
}

// RetargetBody is what the next retarget is expected to do.
type RetargetBody struct {
	Height     int64     `json:"height"`
	At         time.Time `json:"at"`
	Remaining  int       `json:"blocks_left"`
	Change     float64   `json:"change" doc:"Relative: -0.05 is five per cent down."`
	Low        float64   `json:"low" doc:"Nineteen in twenty outcomes are above."`
	High       float64   `json:"high" doc:"Nineteen in twenty outcomes are below."`
	Difficulty float64   `json:"difficulty"`
	Elapsed    float64   `json:"elapsed_s" doc:"Of this epoch, to the newest block."`
	Intervals  int       `json:"intervals" doc:"Between blocks of this epoch that have passed, of 2015."`
	Formula    string    `json:"formula"`
}

// HalvingBody is when the subsidy halves next.
type HalvingBody struct {
	Number  int       `json:"number"`
	Height  int64     `json:"height"`
	At      time.Time `json:"at"`
	Early   time.Time `json:"early"`
	Late    time.Time `json:"late"`
	Subsidy int64     `json:"subsidy_sat" doc:"After it."`
}

// PoolBody is a pool's share of the blocks.
type PoolBody struct {
	Pool   string  `json:"pool"`
	Blocks int     `json:"blocks"`
	Share  float64 `json:"share"`
}

// MarketSource is how a source fares.
type MarketSource struct {
	Name      string     `json:"name"`
	Kind      string     `json:"kind" enum:"mempool,node,csv"`
	Gives     []string   `json:"gives"`
	Simulated bool       `json:"simulated"`
	Asked     *time.Time `json:"asked,omitempty"`
	Answered  *time.Time `json:"answered,omitempty"`
	Failure   string     `json:"failure,omitempty"`
}

// MarketMissing is a number that is not known.
type MarketMissing struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

func (s *Server) registerMarket() {
	tags := []string{"market"}
	op(s, huma.Operation{OperationID: "market", Method: http.MethodGet, Path: "/api/v1/market", Summary: "The bitcoin market now", Tags: tags,
		Description: "Price, difficulty, fees, hashprice, the next retarget and halving, each with its age and source. What is not known is missing, and `missing` says why."},
		func(context.Context, *struct{}) (*struct{ Body MarketBody }, error) {
			return &struct{ Body MarketBody }{s.marketNow()}, nil
		})
	op(s, huma.Operation{OperationID: "market-history", Method: http.MethodGet, Path: "/api/v1/market/history", Summary: "The market's past, by day", Tags: tags, Errors: []int{422}}, s.marketHistory)
	op(s, huma.Operation{OperationID: "retargets", Method: http.MethodGet, Path: "/api/v1/market/retargets", Summary: "Every retarget that is known", Tags: tags}, s.retargets)
	op(s, huma.Operation{OperationID: "market-entries", Method: http.MethodGet, Path: "/api/v1/market/entries", Summary: "Numbers entered by hand, and by whom", Tags: tags}, s.marketEntries)
	op(s, huma.Operation{OperationID: "enter-market", Method: http.MethodPost, Path: "/api/v1/market/entries", Summary: "Enter a number by hand", Tags: tags, Errors: []int{422}, DefaultStatus: http.StatusCreated,
		Description: "It counts where it is newer than what the sources tell."}, s.enterMarket)
	op(s, huma.Operation{OperationID: "withdraw-market", Method: http.MethodDelete, Path: "/api/v1/market/entries/{id}", Summary: "Withdraw a number entered by hand", Tags: tags, Errors: []int{404, 409}}, s.withdrawMarket)
	s.registerRigs(tags)
}

// MarketNow is the market for other parts of the server: hashprice, price,
// difficulty, each with age and source. It is the empty state where nobody
// watches the market.
func (s *Server) MarketNow() ticker.State {
	if s.Market == nil {
		return ticker.State{At: time.Now()}
	}
	return s.Market.State()
}

func marketNumber[T any](q ticker.Quote[T], value float64, unit, kind string) *MarketNumber {
	if q.ByHand && kind == "quoted" {
		kind = "entered"
	}
	return &MarketNumber{Value: value, Unit: unit, At: q.At, Asked: q.Asked, Source: q.Source, Kind: kind}
}

func (s *Server) marketNow() MarketBody {
	st := s.MarketNow()
	b := MarketBody{At: st.At, Simulated: st.Simulated, Pools: []PoolBody{}, Sources: []MarketSource{}, Missing: []MarketMissing{}}
	if q, ok := st.Price.Get(); ok {
		b.Price = marketNumber(q, q.Value.Float(), "USD/BTC", "quoted")
	}
	if q, ok := st.Difficulty.Get(); ok {
		b.Difficulty = marketNumber(q, q.Value, "", "quoted")
	}
	if q, ok := st.Fees.Get(); ok {
		b.Fees = marketNumber(q, q.Value, "sat/block", "quoted")
		b.Fees.Formula = "mean of all transaction fees of the newest 144 blocks"
	}
	if q, ok := st.Subsidy.Get(); ok {
		b.Subsidy = marketNumber(q, float64(q.Value), "sat/block", "reckoned")
		b.Subsidy.Formula = "50 BTC, halved every 210,000 blocks"
	}
	if f, ok := st.Fees.Get(); ok && b.Subsidy != nil {
		b.FeeShare = marketNumber(f, f.Value/(f.Value+b.Subsidy.Value), "", "reckoned")
		b.FeeShare.Formula = "fees / (subsidy + fees)"
	}
	if q, ok := st.Sat.Get(); ok {
		b.Sat = marketNumber(q, q.Value, "sat/PH/day", "reckoned")
		b.Sat.Formula = "86,400e15 hashes a day / (2^256 / (target + 1)) x (subsidy + fees)"
		b.Sat.Inputs = inputs(b.Difficulty, "difficulty", b.Subsidy, "subsidy", b.Fees, "fees")
	}
	if q, ok := st.Hashprice.Get(); ok {
		b.Hashprice = marketNumber(q, q.Value.PerPHDay(), "USD/PH/day", "reckoned")
		b.Hashprice.Formula = "satoshi per PH/s and day / 100,000,000 x price"
		b.Hashprice.Inputs = inputs(b.Sat, "satoshi per PH/s and day", b.Price, "price of a bitcoin")
	}
	if q, ok := st.Network.Get(); ok {
		b.Network = marketNumber(q, float64(q.Value)/1e6, "EH/s", "reckoned")
		b.Network.Error = b.Network.Value * st.NetworkError
		b.Network.Formula = "blocks of this epoch x expected hashes of a block / their time"
	}
	if q, ok := st.Tip.Get(); ok {
		b.Tip = marketNumber(q, float64(q.Value), "", "quoted")
	}
	if r, ok := st.Retarget.Get(); ok {
		b.Retarget = &RetargetBody{Height: r.Height, At: r.At, Remaining: r.Remaining, Change: r.Change, Low: r.Low, High: r.High, Difficulty: r.Difficulty,
			Formula: "two weeks / (time passed + blocks left at this epoch's pace) - 1; blocks are random, nine in ten outcomes lie between low and high"}
		if e, ok := st.Epoch.Get(); ok {
			b.Retarget.Elapsed, b.Retarget.Intervals = e.Elapsed.Seconds(), e.Intervals
		}
	}
	if h, ok := st.Halving.Get(); ok {
		b.Halving = &HalvingBody{h.Number, h.Height, h.At, h.Early, h.Late, h.Subsidy}
	}
	if q, ok := st.Pools.Get(); ok {
		sum := 0
		for _, p := range q.Value {
			sum += p.Blocks
		}
		for _, p := range q.Value {
			b.Pools = append(b.Pools, PoolBody{p.Pool, p.Blocks, float64(p.Blocks) / float64(max(sum, 1))})
		}
	}
	for _, k := range st.Sources {
		x := MarketSource{Name: k.Name, Kind: k.Kind, Gives: k.Gives, Simulated: k.Simulated, Failure: k.Failure}
		if !k.Asked.IsZero() {
			x.Asked = &k.Asked
		}
		if !k.Answered.IsZero() {
			x.Answered = &k.Answered
		}
		b.Sources = append(b.Sources, x)
	}
	b.missing()
	return b
}

func (b *MarketBody) missing() {
	say := func(known bool, what, why string) {
		if !known {
			b.Missing = append(b.Missing, MarketMissing{what, why})
		}
	}
	const do = "add a source under market.feeds in the configuration, or enter it by hand"
	say(b.Price != nil, "price", do)
	say(b.Difficulty != nil, "difficulty", do)
	say(b.Fees != nil, "fees", "no source tells the fees of all of the newest 144 blocks; "+do)
	say(b.Hashprice != nil, "hashprice", "it takes price, difficulty and fees")
}

// inputs are pairs of a number and its name; what is missing is left out.
func inputs(pairs ...any) []NamedNum {
	var out []NamedNum
	for i := 0; i+1 < len(pairs); i += 2 {
		if n, _ := pairs[i].(*MarketNumber); n != nil {
			out = append(out, NamedNum{pairs[i+1].(string), n.Value, n.Unit})
		}
	}
	return out
}

// hashpriceNow is the market's hashprice, for decisions on machines.
func (s *Server) hashpriceNow() unit.Opt[unit.Hashprice] {
	if q, ok := s.MarketNow().Hashprice.Get(); ok && q.Age(time.Now()) < 24*time.Hour {
		return unit.Some(q.Value)
	}
	return unit.None[unit.Hashprice]()
}

type marketEntriesInput struct {
	Before int64 `query:"before" minimum:"0" doc:"The id that the page before ended with."`
	Limit  int   `query:"limit" default:"50" minimum:"1" maximum:"500"`
}

func (s *Server) marketEntries(ctx context.Context, in *marketEntriesInput) (*struct{ Body []ledger.MarketEntry }, error) {
	es, err := s.Record.MarketEntries(ctx, in.Before, in.Limit)
	if err != nil {
		return nil, s.recordError("reading the entries", err)
	}
	if es == nil {
		es = []ledger.MarketEntry{}
	}
	return &struct{ Body []ledger.MarketEntry }{es}, nil
}

type enterMarketInput struct {
	Body struct {
		Series string     `json:"series" enum:"price_usd,difficulty,fees_sat"`
		Value  float64    `json:"value"`
		At     *time.Time `json:"at,omitempty" doc:"When it was true; missing: now."`
		Source string     `json:"source" minLength:"1" maxLength:"400" doc:"Where you have it from."`
	}
}

func (s *Server) enterMarket(ctx context.Context, in *enterMarketInput) (*struct{ Body ledger.MarketEntry }, error) {
	p, _ := principal(ctx)
	now := time.Now()
	e := ledger.MarketEntry{Series: in.Body.Series, Value: in.Body.Value, At: now, Source: in.Body.Source}
	if in.Body.At != nil {
		e.At = *in.Body.At
	}
	if e.At.After(now.Add(time.Minute)) {
		return nil, huma.Error422UnprocessableEntity("what is entered must have been true already: the time lies in the future")
	}
	e, err := s.Record.AddMarketEntry(ctx, e, ledger.By(p.Name()))
	if err != nil {
		return nil, s.recordError("entering the number", err)
	}
	s.reloadMarket(ctx)
	return &struct{ Body ledger.MarketEntry }{e}, nil
}

func (s *Server) withdrawMarket(ctx context.Context, in *idInput) (*struct{}, error) {
	p, _ := principal(ctx)
	if err := s.Record.WithdrawMarketEntry(ctx, in.ID, ledger.By(p.Name())); err != nil {
		return nil, s.recordError("withdrawing the number", err)
	}
	s.reloadMarket(ctx)
	return nil, nil
}

// reloadMarket makes what was entered count at once.
func (s *Server) reloadMarket(ctx context.Context) {
	if s.Market == nil {
		return
	}
	if err := s.Market.Reload(context.WithoutCancel(ctx)); err != nil {
		s.Log.Error("reading the market's entries again", "error", err)
	}
}
