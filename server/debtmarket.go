package server

import (
	"ballast/debt/desk"
	"ballast/market/ticker"
	"ballast/unit"
)

// deskMarket is the market as the company's position takes it: each number with
// the source that the market page shows.
func deskMarket(st ticker.State) desk.Market {
	m := desk.Market{Price: known(st.Price), Difficulty: known(st.Difficulty), Height: known(st.Tip)}
	fees, ok1 := st.Fees.Get()
	subsidy, ok2 := st.Subsidy.Get()
	if ok1 && ok2 && subsidy.Value > 0 {
		m.FeeShare = desk.Of(fees.Value/(fees.Value+float64(subsidy.Value)), sourceOf(fees))
	}
	return m
}

func known[T any](o unit.Opt[ticker.Quote[T]]) desk.Known[T] {
	q, ok := o.Get()
	if !ok {
		return desk.Known[T]{}
	}
	return desk.Of(q.Value, sourceOf(q))
}

func sourceOf[T any](q ticker.Quote[T]) desk.Source {
	how := desk.Quoted
	if q.ByHand {
		how = desk.Entered
	}
	return desk.Source{How: how, What: q.Source, At: q.At}
}
