package feed

import (
	"context"
	"time"

	"ballast/tariff"
	"ballast/unit"
)

// Book gives the prices of a store to the tariff room.
type Book struct {
	store  Store
	series map[string]Series
	now    func() time.Time
}

var _ tariff.Prices = (*Book)(nil)

// NewBook opens a book on a store. Series that are not declared have no prices.
func NewBook(store Store, series []Series, now func() time.Time) *Book {
	b := &Book{store: store, series: map[string]Series{}, now: now}
	for _, s := range series {
		b.series[s.Name] = s
	}
	return b
}

// tenDays is when prices are taken as settled: ERCOT's real-time prices are
// final some business days after.
const tenDays = 10 * 24 * time.Hour

// At implements tariff.Prices. A store that fails has no price.
func (b *Book) At(series string, t time.Time) (tariff.Quote, bool) {
	s, ok := b.series[series]
	if !ok || s.Quantity != EnergyPrice {
		return tariff.Quote{}, false
	}
	v, ok, err := b.store.At(context.Background(), series, t)
	if err != nil || !ok {
		return tariff.Quote{}, false
	}
	return b.quote(&s, v), true
}

func (b *Book) quote(s *Series, v Value) tariff.Quote {
	final := s.Final
	if final == 0 {
		final = tenDays
	}
	q := tariff.Quote{Start: v.Start, Length: v.Length, Price: unit.EnergyPrice{Micro: v.Micro, Currency: s.Currency},
		Status: tariff.Provisional, Source: s.Name, Published: v.Published, Received: v.Received, Revision: v.Revision}
	if !b.now().Before(v.Start.Add(v.Length + final)) {
		q.Status = tariff.Settled
	}
	return q
}

// Reading is a price with what a person must know to trust it.
type Reading struct {
	tariff.Quote
	Age     time.Duration // since the value was received; 0 for a contract's own price
	Late    time.Duration // how long the value that should be there is overdue; 0 when it is not
	Standin bool          // something stands in for the value
}

// Price is the price of a market at t, for an interval of a length that begins
// at or before t, or what stands in for it.
func (b *Book) Price(m *tariff.Market, t time.Time, length time.Duration, c unit.Currency, loc *time.Location) (Reading, bool) {
	from := t.Truncate(length)
	q, ok := m.Price(b, from, from.Add(length), c, loc)
	if !ok {
		return Reading{Late: b.late(m.Series, from)}, false
	}
	r := Reading{Quote: q, Standin: q.Status >= tariff.Estimated}
	if !q.Received.IsZero() {
		r.Age = b.now().Sub(q.Received)
	}
	if r.Standin {
		r.Late = b.late(m.Series, from)
	}
	return r, true
}

func (b *Book) late(series string, start time.Time) time.Duration {
	s, ok := b.series[series]
	if !ok {
		return 0
	}
	return max(0, b.now().Sub(s.Due(start.Truncate(s.Interval))))
}

// SystemLoads gives a series of load to the tariff room, for coincident peaks.
func (b *Book) SystemLoads(ctx context.Context, series string, from, to time.Time) ([]tariff.SystemLoad, error) {
	values, err := b.store.Range(ctx, series, from, to)
	if err != nil {
		return nil, err
	}
	s := b.series[series]
	out := make([]tariff.SystemLoad, 0, len(values))
	for _, v := range values {
		out = append(out, tariff.SystemLoad{Start: v.Start, Length: v.Length, Load: unit.Power(v.Micro), Status: b.quote(&s, v).Status}) // millionths of a MW are watts
	}
	return out, nil
}
