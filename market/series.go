package market

import (
	"fmt"
	"math"
	"time"
)

// Day is hashprice and network on one day.
type Day struct {
	Day        time.Time
	Price      float64 // of a bitcoin
	Difficulty float64
	Hashrate   float64 // H/s, average of the epoch; 0 in an epoch that is not over
	Subsidy    int64   // satoshi a block
	Hashprice  float64 // per PH/s and day, subsidy only
	Epoch      int
}

// Daily joins daily prices and the difficulty history to hashprice, subsidy
// only, each day at 12:00 UTC. Days outside the dated epochs are left out.
func Daily(h History, prices []DayPrice) ([]Day, error) {
	var out []Day
	for _, p := range prices {
		noon := p.Day.Truncate(24 * time.Hour).Add(12 * time.Hour)
		e, ok := h.At(noon)
		if !ok {
			continue
		}
		height, _ := h.HeightAt(noon)
		subsidy := Subsidy(int64(height))
		hashes, _ := e.Target.Hashes().Float64()
		rate, _ := e.Hashrate()
		d := Day{Day: p.Day, Price: p.Price.Float(), Difficulty: e.Target.Diff(), Hashrate: rate, Subsidy: subsidy, Epoch: e.Number}
		d.Hashprice = DaySeconds * 1e15 / hashes * float64(subsidy) / Coin * d.Price
		out = append(out, d)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no day has both a price and a difficulty: %w", ErrNoData)
	}
	return out, nil
}

// Change is the relative change of hashprice over n days up to day i. ok is
// false when the series does not reach back that far or has a gap of more than
// two days there.
func Change(days []Day, i, n int) (float64, bool) {
	if i < n || i >= len(days) || n <= 0 {
		return 0, false
	}
	gap := days[i].Day.Sub(days[i-n].Day).Hours()/24 - float64(n)
	if math.Abs(gap) > 2 || !(days[i-n].Hashprice > 0) {
		return 0, false
	}
	return days[i].Hashprice/days[i-n].Hashprice - 1, true
}
