package feed_test

import (
	"context"
	"fmt"
	"time"

	"ballast/tariff"
	"ballast/tariff/feed"
	"ballast/unit"
)

func Example() {
	now := time.Date(2026, 7, 1, 17, 20, 0, 0, time.UTC)
	series := []feed.Series{
		{Name: "rtm", Quantity: feed.EnergyPrice, Currency: unit.USD, Interval: 15 * time.Minute, Publish: feed.Publication{Lag: 10 * time.Minute}},
		{Name: "dam", Quantity: feed.EnergyPrice, Currency: unit.USD, Interval: time.Hour, Publish: feed.Publication{DayAhead: true, At: 13*time.Hour + 30*time.Minute}},
	}
	// What a poller puts in. The newest real-time price is of 16:30.
	var store feed.Memory
	points := []feed.Point{
		{Series: "rtm", Start: now.Truncate(time.Hour).Add(-30 * time.Minute), Length: 15 * time.Minute, Micro: 41_250_000},
		{Series: "dam", Start: now.Truncate(time.Hour), Length: time.Hour, Micro: 55_000_000},
	}
	if _, err := store.Put(context.Background(), now.Add(-20*time.Minute), points); err != nil {
		fmt.Println(err)
		return
	}
	book := feed.NewBook(&store, series, func() time.Time { return now })
	for _, hold := range []time.Duration{time.Hour, 0} {
		market := &tariff.Market{Series: "rtm", Fallback: tariff.Fallback{Hold: hold, Series: "dam"}}
		p, ok := book.Price(market, now.Add(-20*time.Minute), 15*time.Minute, unit.USD, time.UTC)
		fmt.Println(ok, p.Price, p.Status, "-", p.Source, "-", p.Age, "old,", p.Late, "late")
	}
	// Output:
	// true $41.25/MWh estimated - last known price of rtm - 20m0s old, 0s late
	// true $55/MWh estimated - dam in place of rtm - 20m0s old, 0s late
}
