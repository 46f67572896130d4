package simulate

import (
	"math"
	"math/rand/v2"
	"time"

	"ballast/market"
)

// day is the market's state at the start of a day.
type day struct {
	lnPrice  float64
	hashrate float64 // H/s
	fees     float64 // bitcoin a block
}

// days is the slow part of the network: price, fleet and fees, day by day. Each
// day follows from the one before, from the seed, and from the difficulty and
// the subsidy that the chain had then.
type days struct {
	rng  *rand.Rand
	list []day

	trend, vol float64 // of the price: distance from its trend, variance of a day
	fleet      float64 // log of H/s of the machines that exist
	on         float64 // log of the share that runs
	weather    float64 // what outages take, log
	lnFee      float64
}

func newDays(seed uint64) *days {
	d := &days{rng: rand.New(rand.NewPCG(seed, 0xda15)), vol: 0.55 * 0.55 / 365, fleet: math.Log(firstDifficulty * (1 << 32) / market.Spacing)}
	d.list = []day{d.state(0)}
	return d
}

func (d *days) state(i int) day {
	years := float64(i) / 365
	return day{
		lnPrice:  math.Log(firstPrice) + 0.1*years + d.trend,
		hashrate: math.Exp(d.fleet + d.on + d.weather),
		fees:     0.06 * math.Exp(d.lnFee-0.18),
	}
}

// step goes on by a day. Price: returns with changing variance and rare jumps
// around a slow trend. Fleet: grows with what hashing pays, switches off under
// its cost within weeks. Weather: outages of days, now and then of a tenth.
func (d *days) step(difficulty float64, subsidy int64) {
	r := d.rng
	x := math.Sqrt(d.vol) * r.NormFloat64()
	d.vol = 0.55*0.55/365*0.05 + 0.1*x*x + 0.85*d.vol
	if r.Float64() < 4.0/365 {
		x += -0.02 + 0.08*r.NormFloat64()
	}
	d.trend += x - 0.5/365*d.trend
	s := d.state(len(d.list))
	pays := market.DaySeconds * 1e15 / (difficulty * (1 << 32)) * (float64(subsidy)/market.Coin + s.fees) * math.Exp(s.lnPrice)
	d.fleet += (0.28 + 0.35*math.Log(pays/50)) / 365
	// A fifth of the fleet stops for good prices of 28 $/PH/day and less.
	want := math.Log(0.8 + 0.2/(1+math.Exp(-math.Log(pays/28)/0.15)))
	d.on += (want - d.on) / 20
	d.weather = 0.9*d.weather + 0.006*r.NormFloat64()
	if r.Float64() < 2.0/365 {
		d.weather -= 0.05 + 0.1*r.Float64()
	}
	d.lnFee = 0.9*d.lnFee + 0.26*r.NormFloat64()
	d.list = append(d.list, d.state(len(d.list)))
}

// at is the state at a time; difficulty and subsidy are the chain's then.
func (d *days) at(t time.Time, difficulty float64, subsidy int64) day {
	i := int(t.Sub(firstTime).Hours() / 24)
	for len(d.list) < i+2 { // tomorrow too: prices run between two days
		d.step(difficulty, subsidy)
	}
	return d.list[i]
}

// price runs from one day's to the next, with a ripple that is nought at
// midnight.
func (d *days) price(t time.Time) float64 {
	x := t.Sub(firstTime).Hours() / 24
	i := min(int(x), len(d.list)-2)
	if i < 0 {
		return math.Exp(d.list[0].lnPrice)
	}
	part := min(x-float64(i), 1)
	a, b := d.list[i].lnPrice, d.list[i+1].lnPrice
	return math.Exp(a + part*(b-a) + 0.002*math.Sin(2*math.Pi*5*part)*math.Sin(math.Pi*part))
}
