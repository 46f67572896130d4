package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"ballast/market"
	"ballast/unit"
)

// File reads the newest price of a CSV file with the columns date and close (or
// price, or the currency). It is read anew each time.
type File struct {
	Label string
	Open  func() (io.ReadCloser, error)
	Now   func() time.Time
}

var _ Quotes = File{}

// Price is the last line's. A day's close is true at the end of that day.
func (f File) Price(_ context.Context, c unit.Currency) (Stamped[unit.Money], error) {
	r, err := f.Open()
	if err != nil {
		return Stamped[unit.Money]{}, fmt.Errorf("opening %s: %w: %w", f.Label, ErrUnavailable, err)
	}
	defer r.Close()
	days, err := market.ReadPrices(r, c)
	if err != nil {
		return Stamped[unit.Money]{}, fmt.Errorf("%s: %w: %w", f.Label, ErrFormat, err)
	}
	if len(days) == 0 {
		return Stamped[unit.Money]{}, fmt.Errorf("%s holds no price: %w", f.Label, market.ErrNoData)
	}
	last := days[len(days)-1]
	at := last.Day
	if at.Equal(at.Truncate(24 * time.Hour)) {
		at = at.Add(24 * time.Hour)
	}
	now := f.Now()
	if at.After(now) {
		at = now
	}
	return Stamped[unit.Money]{Value: last.Price, At: at, Asked: now, Source: f.Label}, nil
}

// Median asks several sources and takes the middle price; of an even number,
// the lower of the two in the middle, so that the price is one that was quoted.
// Sources that fail or are older than MaxAge are left out.
type Median struct {
	Of     []Quotes
	MaxAge time.Duration // zero: any age
	Least  int           // how many must answer; zero: 1
	Now    func() time.Time
}

var _ Quotes = Median{}

// Price is the median; its time is that of the oldest price that counted.
func (m Median) Price(ctx context.Context, c unit.Currency) (Stamped[unit.Money], error) {
	var got []Stamped[unit.Money]
	var errs []error
	now := m.Now()
	for _, q := range m.Of {
		p, err := q.Price(ctx, c)
		switch {
		case err != nil:
			errs = append(errs, err)
		case m.MaxAge > 0 && p.Age(now) > m.MaxAge:
			errs = append(errs, fmt.Errorf("%s: %v old: %w", p.Source, p.Age(now).Round(time.Second), ErrStale))
		case p.At.After(now.Add(10 * time.Minute)):
			errs = append(errs, fmt.Errorf("%s: dated %v, in the future: %w", p.Source, p.At, ErrFormat))
		default:
			got = append(got, p)
		}
	}
	if len(got) < max(1, m.Least) {
		return Stamped[unit.Money]{}, fmt.Errorf("%d of %d prices wanted: %w", len(got), max(1, m.Least), errors.Join(append(errs, ErrUnavailable)...))
	}
	slices.SortStableFunc(got, func(a, b Stamped[unit.Money]) int { return int(max(-1, min(1, a.Value.Minor-b.Value.Minor))) })
	p := got[(len(got)-1)/2]
	names := make([]string, len(got))
	for i, g := range got {
		names[i] = g.Source
		if g.At.Before(p.At) {
			p.At = g.At
		}
	}
	if len(got) > 1 {
		p.Source = "median of " + strings.Join(names, ", ")
	}
	p.Asked = now
	return p, nil
}

// Snapshot is what hashprice is made of, each part with its age and source.
type Snapshot struct {
	Tip       Stamped[Block]
	Epoch     Stamped[market.EpochState]
	Reward    Stamped[market.Reward]
	Price     Stamped[unit.Money]
	Hashprice Stamped[unit.Hashprice] // as old as the oldest of its inputs
}

// Take joins the chain and the price to hashprice. The follower must have been
// updated.
func Take(ctx context.Context, f *Follower, q Quotes, c unit.Currency) (Snapshot, error) {
	var s Snapshot
	var err error
	if s.Price, err = q.Price(ctx, c); err != nil {
		return s, err
	}
	if s.Epoch, err = f.Epoch(ctx); err != nil {
		return s, err
	}
	if s.Reward, err = f.Reward(); err != nil {
		return s, err
	}
	blocks := f.Blocks()
	s.Tip = Stamped[Block]{Value: blocks[len(blocks)-1], At: s.Epoch.At, Asked: s.Epoch.Asked, Source: s.Epoch.Source}
	t, err := s.Epoch.Value.Bits.Target()
	if err != nil {
		return s, err
	}
	h, err := market.HashpriceOf(t, s.Reward.Value, s.Price.Value)
	if err != nil {
		return s, err
	}
	s.Hashprice = Stamped[unit.Hashprice]{Value: h, At: s.Price.At, Asked: s.Price.Asked, Source: s.Price.Source + "; " + s.Epoch.Source}
	if s.Epoch.At.Before(s.Hashprice.At) {
		s.Hashprice.At = s.Epoch.At
	}
	return s, nil
}
