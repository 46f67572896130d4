package forecast

import (
	"math"
	"math/rand/v2"
	"time"
)

// invented is a market that does not exist: daily and weekly shape, a load that
// is known ahead and moves the price, errors that are larger when load is high.
func invented(seed uint64, days int) *Panel {
	rng := rand.New(rand.NewPCG(seed, 7))
	p := &Panel{Market: "invented", First: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), Names: []string{"load", "wind"}, Known: make([][][Hours]float64, 2)}
	level, wind := 0.0, 0.0
	for d := range days {
		var price, load, blow [Hours]float64
		level = 0.9*level + rng.NormFloat64()
		weekend := 0.0
		if wd := p.Date(d).Weekday(); wd == time.Saturday || wd == time.Sunday {
			weekend = 4
		}
		for h := range Hours {
			wind = 0.95*wind + 0.3*rng.NormFloat64()
			load[h] = 40 - weekend + 6*math.Sin(float64(h-7)/24*2*math.Pi) + 0.7*level
			blow[h] = 8 + 3*wind
			tight := load[h] - blow[h]
			price[h] = 20 + 0.8*tight + 0.02*tight*tight + (0.5+0.05*max(tight, 0))*rng.NormFloat64()
		}
		p.Price, p.Known[0], p.Known[1] = append(p.Price, price), append(p.Known[0], load), append(p.Known[1], blow)
	}
	return p
}

// quick is an ensemble that a test can wait for.
func quick() *Ensemble {
	nets := DefaultNets()
	nets.Members, nets.Hidden, nets.Window, nets.First.Epochs = 2, []int{16}, 200, 20
	fans := DefaultFans()
	fans.Members, fans.Hidden, fans.Window, fans.First.Epochs = 2, []int{16}, 200, 20
	groves := []Grove{DefaultGroves()[0], DefaultGroves()[2]}
	for i := range groves {
		groves[i].Window, groves[i].How.Rounds, groves[i].How.Depth = 120, 30, 4
	}
	softs := DefaultSofts()
	softs.Members, softs.Hidden, softs.Window, softs.First.Epochs = 2, []int{16}, 200, 20
	return &Ensemble{Softs: softs, Smooth: &Smooth{Window: 200, Renew: 7}, Groves: groves, Windows: []int{56, 100}, Nets: nets, Fans: fans, History: 40, SpikeAt: 60}
}
