package tariff

import (
	"slices"
	"time"

	"ballast/unit"
)

// Status says how sure something is, from sure to not known.
type Status int

// The statuses. A line has the worst of what it is made of.
const (
	Settled     Status = iota // final
	Provisional               // measured or published, may still be revised
	Expected                  // a forecast
	Estimated                 // something stood in for what is missing
	Missing                   // not known, and nothing could stand in
)

var statusNames = []string{"settled", "provisional", "expected", "estimated", "missing"}

// String prints "settled".
func (s Status) String() string {
	if s < 0 || int(s) >= len(statusNames) {
		return "unknown"
	}
	return statusNames[s]
}

// MarshalText writes "settled".
func (s Status) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads "settled".
func (s *Status) UnmarshalText(b []byte) error {
	*s = Status(max(slices.Index(statusNames, string(b)), 0))
	return nil
}

// Quote is the price of one market interval.
type Quote struct {
	Start     time.Time
	Length    time.Duration
	Price     unit.EnergyPrice
	Status    Status
	Source    string    // "ercot.rtm.HB_NORTH", or what stood in
	Published time.Time // by the operator, when it says
	Received  time.Time // by us
	Revision  int       // 0 is the first value seen
}

// Prices gives market prices. The rooms that hold them implement it; Table is
// one in memory.
type Prices interface {
	// At is the price of the interval of a series that holds t, and false when
	// there is none.
	At(series string, t time.Time) (Quote, bool)
}

// Table is prices in memory, by series. The zero Table is empty.
type Table struct{ series map[string][]Quote }

// Set puts prices of a series in; the later given of one interval stays.
func (t *Table) Set(series string, quotes ...Quote) {
	if t.series == nil {
		t.series = map[string][]Quote{}
	}
	all := append(slices.Clone(t.series[series]), quotes...)
	for i := range all {
		if all[i].Source == "" {
			all[i].Source = series
		}
	}
	slices.SortStableFunc(all, func(a, b Quote) int { return a.Start.Compare(b.Start) })
	out := all[:0]
	for _, q := range all {
		if n := len(out); n > 0 && out[n-1].Start.Equal(q.Start) {
			out[n-1] = q
			continue
		}
		out = append(out, q)
	}
	t.series[series] = out
}

// At implements Prices.
func (t *Table) At(series string, at time.Time) (Quote, bool) {
	all := t.series[series]
	i, exact := slices.BinarySearchFunc(all, at, func(q Quote, at time.Time) int { return q.Start.Compare(at) })
	if !exact {
		i--
	}
	if i < 0 || !at.Before(all[i].Start.Add(all[i].Length)) {
		return Quote{}, false
	}
	return all[i], true
}

// over is the price of a series from from to to: the time-weighted average of
// its intervals, rounded to a millionth, half to even. It is false unless every
// instant has a price in currency c.
func over(p Prices, series string, from, to time.Time, c unit.Currency) (Quote, bool) {
	if p == nil || series == "" {
		return Quote{}, false
	}
	q, ok := p.At(series, from)
	if !ok || q.Price.Currency != c || q.Length <= 0 {
		return Quote{}, false
	}
	if end := q.Start.Add(q.Length); !end.Before(to) {
		q.Start, q.Length = from, to.Sub(from)
		return q, true
	}
	var sum int64 // micro-units x seconds
	out := q
	for at := from; at.Before(to); {
		if q, ok = p.At(series, at); !ok || q.Price.Currency != c {
			return Quote{}, false
		}
		end := q.Start.Add(q.Length)
		if end.After(to) {
			end = to
		}
		if !end.After(at) {
			return Quote{}, false
		}
		if q.Price.Micro > maxPrice || q.Price.Micro < -maxPrice {
			return Quote{}, false
		}
		sum += q.Price.Micro * int64(end.Sub(at)/time.Second)
		out.Status = max(out.Status, q.Status)
		out.Revision = max(out.Revision, q.Revision)
		if q.Published.After(out.Published) {
			out.Published = q.Published
		}
		if q.Received.After(out.Received) {
			out.Received = q.Received
		}
		at = end
	}
	seconds := int64(to.Sub(from) / time.Second)
	if seconds <= 0 {
		return Quote{}, false
	}
	out.Price.Micro = divRound(sum, seconds)
	out.Start, out.Length = from, to.Sub(from)
	return out, true
}

// Price is the market price of m.Series from from to to, or what m.Fallback
// puts in its place, before multiplier, bounds and adder. The quote's Source
// and Status say which. loc is the clock that "the same hour" is read on.
func (m *Market) Price(p Prices, from, to time.Time, c unit.Currency, loc *time.Location) (Quote, bool) {
	if q, ok := over(p, m.Series, from, to, c); ok {
		return q, true
	}
	f := &m.Fallback
	length := to.Sub(from)
	if f.Hold > 0 && p != nil {
		// The price of an instant shortly before, at most Hold ago.
		for back := 5 * time.Minute; back <= f.Hold; back += 5 * time.Minute {
			if q, ok := p.At(m.Series, from.Add(-back)); ok && q.Price.Currency == c {
				return stand(q, from, length, "last known price of "+m.Series), true
			}
		}
	}
	if q, ok := over(p, f.Series, from, to, c); ok {
		return stand(q, from, length, f.Series+" in place of "+m.Series), true
	}
	for day := 1; day <= f.SameHour; day++ {
		a := daysBefore(from, loc, day)
		if q, ok := over(p, m.Series, a, a.Add(length), c); ok {
			return stand(q, from, length, m.Series+" of the same hour before"), true
		}
	}
	if f.Price != nil {
		return stand(Quote{Price: *f.Price}, from, length, "the contract's fallback price"), true
	}
	return Quote{}, false
}

func stand(q Quote, start time.Time, length time.Duration, source string) Quote {
	q.Start, q.Length, q.Source, q.Status = start, length, source, max(q.Status, Estimated)
	return q
}

// charge turns a market price into what the contract charges for it.
func (m *Market) charge(micro int64) (int64, bool) {
	ok := micro <= maxPrice && micro >= -maxPrice
	if m.Multiplier != nil && ok {
		micro, ok = mulDiv(micro, int64(*m.Multiplier), int64(whole))
	}
	if m.Floor != nil {
		micro = max(micro, m.Floor.Micro)
	}
	if m.Cap != nil {
		micro = min(micro, m.Cap.Micro)
	}
	return micro + m.Adder.Micro, ok && micro <= maxPrice && micro >= -maxPrice
}
