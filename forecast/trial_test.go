package forecast

import (
	"math"
	"os"
	"strconv"
	"testing"
	"time"

	"ballast/learn"
)

func env(name string, def float64) float64 {
	if v, err := strconv.ParseFloat(os.Getenv(name), 64); err == nil {
		return v
	}
	return def
}

func TestTrial(t *testing.T) {
	name := os.Getenv("TRIAL")
	if name == "" {
		t.Skip()
	}
	p := market(t, name)
	days := int(env("DAYS", 728))
	start := p.Days() - 728
	lear := published(t, name, "LEAR Ensemble")
	dnn := published(t, name, "DNN Ensemble")
	h := int(env("HID", 96))
	hidden := []int{h, h}
	if env("LAYERS", 2) == 1 {
		hidden = []int{h}
	}
	m := &Nets{Members: int(env("N", 8)), Hidden: hidden, Workers: 2, Seed: uint64(env("SEED", 1)), Renew: int(env("RENEW", 0)), HalfLife: env("HALF", 0), Window: int(env("WINDOW", 1456)),
		First: learn.Training{Epochs: int(env("E0", 60)), Batch: int(env("BATCH", 64)), Rate: env("R0", 2e-3), Cool: true, Decay: env("DECAY", 0.3), Dropout: env("DROP", 0.15)},
		Daily: learn.Training{Epochs: int(env("E1", 1)), Batch: int(env("BATCH", 64)), Rate: env("R1", 2e-4), Decay: env("DECAY", 0.3), Dropout: env("DROP", 0.15)}}
	var ens, one, mix, theirs, both, all3 float64
	begin := time.Now()
	for d := range days {
		mean, each, err := m.Forecast(p, start+d)
		if err != nil {
			t.Fatal(err)
		}
		for h, v := range mean {
			real := p.Price[start+d][h]
			i := d*Hours + h
			ens += math.Abs(v - real)
			one += math.Abs(each[0][h] - real)
			mix += math.Abs((v+lear[i])/2 - real)
			theirs += math.Abs(dnn[i] - real)
			both += math.Abs((dnn[i]+lear[i])/2 - real)
			all3 += math.Abs((dnn[i]+lear[i]+v)/3 - real)
		}
		if d%91 == 90 || d == days-1 {
			n := float64((d + 1) * Hours)
			t.Logf("%s day %d: nets %.3f one %.3f with LEAR %.3f | published DNN %.3f with LEAR %.3f all three %.3f (%.1f s)", name, d+1, ens/n, one/n, mix/n, theirs/n, both/n, all3/n, time.Since(begin).Seconds())
		}
	}
}
